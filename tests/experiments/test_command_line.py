"""The command line over small experiments: good ones, failing ones, and wrong usage."""

import errno
import importlib
import inspect
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import experiments
from experiments import runs
from experiments.__main__ import discover, main

GOOD = '''
    """A straight line through noise. The second sentence is not listed."""

    import numpy as np
    from brian2 import Hz, ms, mV

    from experiments import Claim, keep, progress

    SOURCE = "Nobody 1900, fig. 1"
    QUICK = dict(n=20)


    def run(*, n=200, slope=2.0, tau=30*ms, gaps=(20*ms, 100*ms), kind="dynamic", noisy=True, seed=1):
        random = np.random.default_rng(seed)
        x = np.linspace(0, 1, n)
        y = slope*x + 0.01*random.standard_normal(n)*noisy
        return {"x": x, "y": y, "tau": tau, "seeds": [seed], "fit": float(np.polyfit(x, y, 1)[0])}


    def figure(results):
        from matplotlib.figure import Figure

        drawn = Figure(figsize=(1, 1))
        drawn.subplots().plot(results["x"], results["y"])
        return drawn


    def claims(results):
        return [Claim("slope", results["fit"], 1.9, 2.1, "", "Nobody 1900, table 1"),
                Claim("slope without effect", 0.0, 1.9, 2.1, control=True)]
'''


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Write experiments with `lab(name=source, ...)`; returns the function that is the command line."""
    package = f"lab_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / "code" / package
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    former = signal.getsignal(signal.SIGTERM)

    def write(**sources):
        for name, source in sources.items():
            (folder / f"{name}.py").write_text(textwrap.dedent(source).lstrip())
        importlib.invalidate_caches()

        def command(*arguments):
            return main([str(argument) for argument in arguments], package=package)

        command.package = package
        return command

    yield write
    assert signal.getsignal(signal.SIGTERM) == former
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


REPORT = {"experiment", "source", "parameters", "seeds", "environment", "runtime_s", "claims"}
CLAIM = {"name", "measured", "low", "high", "unit", "source", "control", "holds"}


def only_run(name):
    (folder,) = Path("runs", name).iterdir()
    return folder


def changed(old, new, source=GOOD):
    assert source.count(old) == 1
    return source.replace(old, new)


WRONG_CLAIM = changed('results["fit"], 1.9', "1.0, 1.9")
BAD_RUN = changed("random = ", "raise RuntimeError('the liquid dried out'); random = ")
BAD_FIGURE = changed("drawn = Figure(figsize=(1, 1))", "raise KeyError('no axes')")
BAD_CLAIMS = changed("return [Claim(", "return [Claim(1/0, ")


def test_listing_reads_the_first_lines_without_importing_anything(lab, capsys):
    poison = changed("import numpy as np", "raise SystemExit('imported')")
    command = lab(line=GOOD, poison=poison, helper="def run():\n    pass\n", _hidden=GOOD, broken="def (")
    assert command() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("broken  (cannot be read")
    assert lines[1].split(maxsplit=1) == [
        "line",
        "A straight line through noise. The second sentence is not listed.",
    ]
    assert lines[2].startswith("poison ")
    assert "helper" not in discover(command.package) and "_hidden" not in discover(command.package)


def test_every_experiment_of_the_project_is_listed_with_a_description():
    for name, line in discover().items():
        assert line, name
        assert name not in ("claims", "runs", "parameters")


@pytest.mark.parametrize("name", discover())
def test_every_experiment_of_the_project_has_its_form(name):
    module = importlib.import_module(f"experiments.{name}")
    assert isinstance(module.SOURCE, str) and module.SOURCE.strip()
    parameters = inspect.signature(module.run).parameters
    for parameter in parameters.values():
        assert parameter.kind is parameter.KEYWORD_ONLY and parameter.default is not parameter.empty
    assert module.QUICK and set(module.QUICK) <= set(parameters)
    for judged in (module.figure, module.claims):
        assert list(inspect.signature(judged).parameters) == ["results"]


def test_a_run_leaves_its_folder(lab, capsys):
    command = lab(line=GOOD)
    assert command("line", "--set", "tau=10 ms", "n=50", "--seed", "3") == 0
    folder = only_run("line")
    assert sorted(path.name for path in folder.iterdir()) == [
        "data",
        "figure.pdf",
        "figure.png",
        "report.json",
    ]
    assert (folder / "figure.png").read_bytes()[1:4] == b"PNG"
    assert (folder / "figure.pdf").read_bytes()[:4] == b"%PDF"
    assert Path("figures/line.png").read_bytes() == (folder / "figure.png").read_bytes()
    report = json.loads((folder / "report.json").read_text())
    assert set(report) == REPORT
    assert report["experiment"] == "line" and report["source"] == "Nobody 1900, fig. 1"
    assert report["parameters"]["tau"] == "10 ms" and report["parameters"]["n"] == 50
    assert report["seeds"] == [3]
    assert report["runtime_s"] >= 0
    assert {"python", "platform", "versions", "git", "compiler"} <= set(report["environment"])
    assert [set(claim) for claim in report["claims"]] == [CLAIM, CLAIM]
    assert [claim["holds"] for claim in report["claims"]] == [True, True]
    assert [claim["control"] for claim in report["claims"]] == [False, True]
    results = runs.load_data(folder)
    assert results["x"].shape == (50,) and float(results["tau"]) == 0.01
    output = capsys.readouterr().out
    assert "2 of 2 claims hold" in output and output.splitlines()[-1] == "Figures: figures/line.png"


def test_equal_seeds_give_equal_data_and_the_quick_form_is_smaller(lab):
    command = lab(line=GOOD)
    for out, arguments in {
        "a": ["--seed", 5],
        "b": ["--seed", 5],
        "c": ["--seed", 6],
        "q": ["--quick"],
    }.items():
        assert command("line", "--out", out, *arguments) == 0
    a, b, c, q = (runs.load_data(out) for out in "abcq")
    assert np.array_equal(a["y"], b["y"]) and not np.array_equal(a["y"], c["y"])
    assert len(a["y"]) == 200 and len(q["y"]) == 20
    assert not Path("runs").exists() and not Path("figures").exists()  # --out is the only place then


def test_out_of_several_experiments_has_a_folder_for_each(lab):
    command = lab(one=GOOD, two=GOOD)
    assert command("one", "two", "--quick", "--out", "here") == 0
    assert Path("here/one/report.json").exists() and Path("here/two/report.json").exists()


def test_verify_judges_all_in_one_table_and_goes_on_after_failures(lab, capsys):
    sources = {
        "bad_claims": BAD_CLAIMS,
        "bad_figure": BAD_FIGURE,
        "bad_run": BAD_RUN,
        "line": GOOD,
        "wrong": WRONG_CLAIM,
    }
    command = lab(**sources, unimportable=changed("import numpy as np", "import no_such_package"))
    assert command("--verify", "--quick") == 1
    output, errors = capsys.readouterr()
    table = output[output.index("experiment ") :].splitlines()
    assert output.count("must be") == 1
    verdicts = {
        (row.split()[0], "FAILS" in row)
        for row in table[1:]
        if row and row.split()[0] in (*sources, "unimportable")
    }
    assert ("line", True) not in verdicts and ("line", False) in verdicts
    for name in ("bad_claims", "bad_figure", "bad_run", "wrong", "unimportable"):
        assert (name, True) in verdicts, name
    assert "the liquid dried out" in output and "no_such_package" in output and "no axes" in output
    assert "Traceback" in errors and "Traceback" not in output
    assert table[-2].endswith("failed: unimportable, bad_claims, bad_figure, bad_run")
    assert "5 of 6 claims hold" in table[-2]


@pytest.mark.parametrize(
    ("source", "code"), [(GOOD, 0), (WRONG_CLAIM, 1), (BAD_RUN, 1), (BAD_FIGURE, 1), (BAD_CLAIMS, 1)]
)
def test_the_exit_code_of_verify(lab, source, code):
    assert lab(line=source)("--verify", "line", "--quick") == code


def test_a_plain_run_only_reports_a_claim_that_fails(lab, capsys):
    assert lab(line=WRONG_CLAIM)("line") == 0
    assert "FAILS" in capsys.readouterr().out


def test_a_control_that_does_not_fail_is_a_failure(lab):
    assert lab(line=changed('"slope without effect", 0.0', '"slope without effect", 2.0'))("--verify") == 1


@pytest.mark.parametrize("returned", ["[]", "None", "[1.0]"])
def test_an_experiment_that_claims_nothing_fails(lab, returned, capsys):
    source = GOOD[: GOOD.index("    def claims")] + f"    def claims(results):\n        return {returned}\n"
    assert lab(line=source)("--verify") == 1
    assert not (only_run("line") / "report.json").exists()


def test_a_failing_figure_loses_neither_data_nor_claims_and_can_be_drawn_later(lab, capsys):
    command = lab(line=BAD_FIGURE)
    assert command("line", "--seed", 4) == 1
    folder = only_run("line")
    assert "no axes" in json.loads((folder / "unfinished.json").read_text())["error"]
    assert len(json.loads((folder / "report.json").read_text())["claims"]) == 2
    assert f"--redraw {folder}" in capsys.readouterr().out
    sys.modules.pop(f"{command.package}.line")
    command = lab(line=changed("random = ", "raise RuntimeError('ran again'); random = "))
    assert command("line", "--redraw", folder) == 0
    assert (folder / "figure.png").exists() and not (folder / "unfinished.json").exists()
    report = json.loads((folder / "report.json").read_text())
    assert set(report) == REPORT and report["seeds"] == [4]


def test_failing_claims_keep_the_figure_and_leave_no_report(lab):
    assert lab(line=BAD_CLAIMS)("line") == 1
    folder = only_run("line")
    assert (folder / "figure.png").exists() and not (folder / "report.json").exists()
    assert "ZeroDivisionError" in json.loads((folder / "unfinished.json").read_text())["error"]


def test_a_failing_run_leaves_what_it_kept_and_no_report(lab):
    source = changed("random = ", "keep(part=np.arange(4)); 1/0; random = ")
    assert lab(line=source)("line") == 1
    folder = only_run("line")
    assert runs.load_data(folder)["part"].tolist() == [0, 1, 2, 3]
    assert sorted(path.name for path in folder.iterdir()) == ["data", "unfinished.json"]
    unfinished = json.loads((folder / "unfinished.json").read_text())
    assert unfinished["parameters"]["tau"] == "30 ms" and "ZeroDivisionError" in unfinished["error"]


def test_an_unfinished_run_cannot_be_redrawn(lab, capsys):
    command = lab(line=changed("random = ", "keep(part=np.arange(4)); 1/0; random = "), other=GOOD)
    command("line")
    folder = only_run("line")
    assert command("line", "--redraw", folder) == 2
    assert "not complete" in capsys.readouterr().err
    assert command("other", "--redraw", folder) == 2
    assert "is not a run of other" in capsys.readouterr().err
    assert command("line", "--redraw", "nowhere") == 2
    assert "no results" in capsys.readouterr().err


def test_run_must_return_results(lab):
    assert lab(line=changed('return {"x"', 'return None\n        {"x"'))("line") == 1


def test_results_that_cannot_be_written_fail_the_run_but_lose_nothing_else(lab, capsys):
    assert lab(line=changed('"tau": tau,', '"tau": tau, "odd": object(),'))("--verify") == 1
    folder = only_run("line")
    assert runs.load_data(folder)["x"].shape == (200,)
    assert (folder / "figure.png").exists() and (folder / "report.json").exists()
    assert "odd (object)" in capsys.readouterr().out


def test_a_disk_that_fills_up_during_the_run_does_not_lose_the_results(lab, monkeypatch, tmp_path, capsys):
    real = runs.save_data
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def full(results, folder):
        if Path(folder).is_relative_to("runs"):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(results, folder)

    monkeypatch.setattr(runs, "save_data", full)
    assert lab(line=GOOD)("line") == 1
    (refuge,) = tmp_path.glob("plastica-line-*")
    assert runs.load_data(refuge)["x"].shape == (200,)
    assert (refuge / "report.json").exists() and (refuge / "figure.png").exists()
    assert str(refuge) in capsys.readouterr().out


def test_an_unwritable_place_is_found_before_the_computation(lab, capsys):
    Path("file").write_text("")
    command = lab(line=changed("random = ", "raise AssertionError('computed'); random = "))
    assert command("line", "--out", "file/below") == 2
    assert "--out DIR" in capsys.readouterr().err
    Path("runs").write_text("")
    assert command("line") == 2
    assert "computed" not in capsys.readouterr().err


WRONG = [
    (["lime"], "Did you mean line"),
    (["nothing_like_it"], "There are: line, other"),
    (["line", "--set", "tua=10 ms"], "Did you mean tau"),
    (["line", "--set", "tau=10 mV"], "cannot be"),
    (["line", "--set", "tau=10", "ms"], "'10 ms'"),
    (["line", "--set", "n=__import__('os').getpid()"], "number"),
    (["line", "other", "--set", "n=3"], "one experiment"),
    (["--set", "n=3"], "one experiment"),
    (["--quick"], "name one or several"),
    (["--redraw", "runs/x"], "one experiment"),
    (["--parameters"], "one experiment"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_wrong_usage_is_answered_with_what_exists_and_runs_nothing(lab, arguments, message, capsys):
    assert lab(line=GOOD, other=GOOD)(*arguments) == 2
    output, errors = capsys.readouterr()
    assert message in errors and "Traceback" not in errors
    assert not Path("runs").exists()


def test_an_unknown_parameter_is_answered_with_the_table(lab, capsys):
    lab(line=GOOD)("line", "--set", "slop=3")
    errors = capsys.readouterr().err
    assert "  tau    30 ms" in errors and "quick: 20" in errors


@pytest.mark.parametrize("seed", ["-1", "x", "1.5"])
def test_a_seed_is_a_whole_number(lab, seed, capsys):
    with pytest.raises(SystemExit) as stopped:
        lab(line=GOOD)("line", "--seed", seed)
    assert stopped.value.code == 2


def test_a_wrong_value_of_one_experiment_is_found_before_the_others_run(lab):
    command = lab(line=GOOD, zero=changed("QUICK = dict(n=20)", "QUICK = dict(m=20)"))
    assert command("--verify", "--quick") == 2
    assert not Path("runs").exists()


def test_among_several_the_seed_goes_to_those_that_have_one(lab):
    still = changed('"seeds": [seed], ', "", changed(", seed=1)", ")", GOOD)).replace(
        "default_rng(seed)", "default_rng(0)"
    )
    command = lab(line=GOOD, still=still)
    assert command("line", "still", "--seed", 9) == 0
    assert json.loads((only_run("line") / "report.json").read_text())["seeds"] == [9]
    assert json.loads((only_run("still") / "report.json").read_text())["seeds"] == []
    assert command("still", "--seed", 9) == 2


def test_parameters_shows_the_table(lab, capsys):
    assert lab(line=GOOD)("line", "--parameters") == 0
    assert "gaps   20 ms, 100 ms" in capsys.readouterr().out


def test_the_second_run_knows_how_long_the_first_took(lab, capsys):
    command = lab(line=GOOD)
    command("line")
    assert "as last time" not in capsys.readouterr().out
    command("line")
    assert "[1/1] line: about 0 s, as last time" in capsys.readouterr().out


@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM"])
def test_an_interrupted_run_keeps_what_was_computed_and_says_so(lab, sent, capsys):
    stop = f"keep(part=np.arange(4)); import os, signal; os.kill(os.getpid(), signal.{sent}); random = "
    assert lab(first=GOOD, line=changed("random = ", stop), last=GOOD)("first", "line", "last") == 130
    folder = only_run("line")
    output, errors = capsys.readouterr()
    assert "interrupted after" in errors and f"{folder}/data has what was computed" in errors
    assert runs.load_data(folder)["part"].tolist() == [0, 1, 2, 3]
    assert not (folder / "report.json").exists()
    assert "slope without effect" in output  # the table of what was finished before
    assert not Path("runs/last").exists()


def test_the_module_can_be_called(tmp_path):
    """In a process of its own; packages that take seconds to import are left alone."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "experiments"],
        capture_output=True, text=True, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(experiments.__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == 0
    assert "python -m experiments NAME" in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "experiments.claims" in imported
    assert not imported & {"brian2", "numpy", "pandas", "matplotlib"}
