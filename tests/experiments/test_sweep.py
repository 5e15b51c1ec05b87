"""Sweeps as a whole: rows that depend on nothing but their point, that survive, and that are run once."""

import errno
import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from brian2 import Hz, ms, mV, second

import engine
from circuits import Circuit, neurons, poisson, population, projection, spikes, synapses, wiring
from experiments.__main__ import main
from experiments.sweeps import SweepError, SweepStopped, kept, read, sweep, table, timings

LAB = '''
    """A line through noise, and some ways to fail."""

    import os
    import time
    from pathlib import Path

    import numpy as np

    from experiments import Claim

    QUICK = dict(n=10)


    def run(*, slope=2.0, n=20, fail="never", log="", wait=0.0, seed=1):
        if log:  # who has been here
            with open(log, "a") as file:
                file.write(f"{slope} {seed}\\n")
        time.sleep(wait)
        if fail == "raise" or (fail == "odd" and seed % 2):
            raise RuntimeError(f"no line of slope {slope:g}")
        if fail == "exit":
            os._exit(9)
        if fail.startswith("once") and not Path(fail[5:], f"{slope}").exists():
            Path(fail[5:], f"{slope}").touch()
            os._exit(9)
        x = np.linspace(0, 1, n)
        y = slope*x + np.random.default_rng(seed).standard_normal(n)
        return {"x": x, "y": y, "fit": float(np.polyfit(x, y, 1)[0]), "n": n, "steep": bool(slope > 3)}


    def fit(results):
        return {"fit": results["fit"]}


    def figure(results):
        pass


    def claims(results):
        return [Claim("offset of y", 1e3*results["y"][0], 0, 1, "mV")]
'''


def small(n=40, p=0.1, kind="probability"):
    made = {"probability": wiring.probability(p), "fixed": wiring.fixed_in_degree(int(n * p))}[kind]
    return Circuit(
        input=poisson(n, 100 * Hz),
        cells=population(neurons.leaky(), n),
        drive=projection("input", "cells", synapses.delta("v", w=5 * mV), wiring.one_to_one()),
        exc=projection("cells", "cells", synapses.delta("v", w=1 * mV), made),
        record=[spikes("cells")],
    )


def made_here():
    """A measure that is sent as it is: to import this module would take the workers seconds."""

    def rates(recording):
        found = recording.spikes["cells"]
        return {"rate": (len(found) / found.n / recording.duration, "Hz"), "first": int(found.i[0])}

    return rates


rates = made_here()


class TestTable:
    def test_of_an_experiment(self, lab):
        made = sweep(lab, {"slope": "1:4:3", "n": [10, 30]}, seeds=2, folder="out", workers=2)
        assert list(made.columns) == ["point", "slope", "n", "seed", "fit", "steep", "offset of y", "error"]
        assert made.index.tolist() == list(range(12)) and (made["error"] == "").all()
        assert made["slope"].tolist() == sorted([1, 2.5, 4] * 4) and made["seed"].tolist() == [1, 2] * 6
        for row in (0, 7):
            one = made.loc[row]
            results = lab.run(slope=one["slope"], n=int(one["n"]), seed=int(one["seed"]))
            assert one["fit"] == results["fit"] and one["offset of y"] == 1e3 * results["y"][0]
        assert made["steep"].dtype == bool and made["steep"].tolist() == [False] * 8 + [True] * 4
        assert made.attrs["units"]["offset of y"] == "mV" and made.attrs["parameters"] == ["slope", "n"]
        assert made.attrs["measures"] == ["fit", "steep", "offset of y"]
        pd.testing.assert_frame_equal(pd.read_parquet("out/table.parquet").set_index("row"), made)
        assert pd.read_parquet("out/table.parquet").attrs["units"] == made.attrs["units"]
        assert len(timings("out")) == 12 and (timings("out")["seconds"] > 0).all()
        manifest = json.loads(Path("out/sweep.json").read_text())
        assert manifest["rows"] == 12 and manifest["identity"]["fixed parameters"]["fail"] == "never"
        (session,) = manifest["sessions"]
        assert session["rows_after"] == 12 and "git" in session["environment"] and session["command"]

    @pytest.mark.compiled
    def test_of_a_circuit_is_what_single_runs_give(self, tmp_path):
        net = small()
        over = {"exc.w": "0.5:2:2 mV", "exc.p": [0.1, 0.5], "duration": "50, 80 ms"}
        made = sweep(net, over, seeds=[3, 8], duration=1 * second, measure=rates, folder=tmp_path, keep=True)
        assert len(made) == 16 and made.attrs["units"]["exc.w"] == "mV"
        assert made.attrs["units"]["rate"] == "Hz" and made["first"].dtype == int
        for row in (0, 5, 15):
            one = made.loc[row]
            changed = net.but({"exc.w": one["exc.w"] * mV, "exc.p": one["exc.p"]})
            recording = engine.run(changed, one["duration"] * ms, seed=int(one["seed"]))
            assert rates(recording) == {"rate": (one["rate"], "Hz"), "first": one["first"]}
            again = kept(tmp_path, row).spikes["cells"]
            assert np.array_equal(again.t, recording.spikes["cells"].t)
        assert made["rate"].nunique() > 10

    @pytest.mark.compiled
    def test_of_a_function_builds_every_structure_once(self, tmp_path, monkeypatch):
        built = []
        real = engine.build
        monkeypatch.setattr(
            engine, "build", lambda circuit: built.append(circuit.structure()) or real(circuit)
        )
        over = {"kind": "probability, fixed", "exc.w": "1, 2 mV", "p": "0.1, 0.2"}
        made = sweep(small, over, seeds=2, duration=50 * ms, measure=rates, folder=tmp_path)
        assert (made["error"] == "").all() and len(made) == 16
        assert len(built) == 2  # p is a number of both kinds of wiring
        for row in (0, 6, 9, 15):
            one = made.loc[row]
            net = small(kind=one["kind"], p=one["p"]).but({"exc.w": one["exc.w"] * mV})
            expected = rates(engine.run(net, 50 * ms, seed=int(one["seed"])))
            assert (one["rate"], one["first"]) == (expected["rate"][0], expected["first"])

    @pytest.mark.compiled
    def test_points_whose_circuit_cannot_be_are_rows_with_the_error(self, tmp_path):
        made = sweep(small, {"p": "0.1, 1.5, 0.2"}, duration=20 * ms, folder=tmp_path)
        assert made["error"].str[:12].tolist() == ["", "CircuitError", ""]
        assert made["rate of cells"].notna().tolist() == [True, False, True]
        assert made.attrs["units"]["rate of cells"] == "Hz"


class TestRows:
    def test_depend_neither_on_workers_nor_on_their_order(self, lab, monkeypatch):
        over = {"slope": "1:4:7", "n": [10, 30]}
        for folder, workers in (("one", 1), ("three", 3)):
            sweep(lab, over, seeds=3, measure=lab.fit, folder=folder, workers=workers)
        monkeypatch.setattr("experiments.sweeps.runner.in_order", lambda rows: rows[::-1])
        sweep(lab, over, seeds=3, measure=lab.fit, folder="backwards", workers=2)
        contents = [Path(name, "table.parquet").read_bytes() for name in ("one", "three", "backwards")]
        assert contents[0] == contents[1] == contents[2]

    def test_that_fail_carry_their_error_and_do_not_stop_others(self, lab, capsys):
        settings = {"fail": "odd", "log": os.path.abspath("log")}
        made = sweep(lab, {"slope": [1.0, 2.0]}, seeds=4, settings=settings, measure=lab.fit, folder="out")
        assert (
            made["error"].tolist()
            == ["RuntimeError: no line of slope 1", ""] * 2
            + [
                "RuntimeError: no line of slope 2",
                "",
            ]
            * 2
        )
        assert made["fit"].isna().tolist() == [True, False] * 4
        assert "failed: RuntimeError: no line" in capsys.readouterr().err
        sweep(lab, {"slope": [1.0, 2.0]}, seeds=4, settings=settings, measure=lab.fit, folder="out")
        assert len(Path("log").read_text().split("\n")) == 9  # failed rows are not run again,
        sweep(
            lab, {"slope": [1.0, 2.0]}, seeds=4, settings=settings, measure=lab.fit, folder="out", retry=True
        )
        assert len(Path("log").read_text().split("\n")) == 13  # unless they are asked for
        pd.testing.assert_frame_equal(read("out"), made)

    def test_are_tried_again_when_their_worker_dies(self, lab):
        Path("marks").mkdir()
        settings = {"fail": f"once {os.path.abspath('marks')}"}
        made = sweep(lab, {"slope": "1:5:3"}, settings=settings, measure=lab.fit, folder="out", workers=2)
        assert (made["error"] == "").all()
        assert [one["fit"] for _, one in made.iterrows()] == [
            lab.run(slope=slope)["fit"] for slope in made["slope"]
        ]

    def test_that_always_kill_their_worker_are_errors_and_take_no_others_along(self, lab):
        over = {"slope & fail": [(1.0, "never"), (2.0, "exit"), (3.0, "never"), (4.0, "never")]}
        made = sweep(lab, over, measure=lab.fit, folder="out", workers=2)
        assert made["error"].str.partition(":")[0].tolist() == ["", "WorkerDied", "", ""]

    @pytest.mark.parametrize(
        ("measure", "error"),
        [
            (lambda results: results["y"], "an array of shape (20,)"),
            (lambda results: {"a": 1.0, "b": [1, 2]}, "an array of shape (2,) as 'b'"),
            (lambda results: "high", "a str"),
            (lambda results: None, "a NoneType"),
            (lambda results: {}, "no numbers"),
            (lambda results: {"slope": 1.0}, "a column already"),
            (lambda results: results["missing"], "KeyError: 'missing'"),
        ],
    )
    def test_of_a_measure_that_gives_no_numbers(self, measure, error):
        from experiments.sweeps.work import numbers_of, one_line

        with pytest.raises((TypeError, ValueError, KeyError)) as raised:
            numbers_of(measure({"y": np.zeros(20)}), "measured", frozenset({"slope"}))
        assert error in one_line(raised.value)

    def test_of_a_measure_that_returns_an_array(self, lab):
        made = sweep(lab, {"slope": "1, 2"}, measure=lambda results: results["y"], folder="out", workers=1)
        assert made["error"].str.contains("array of shape").all() and made.attrs["measures"] == []


class Interrupted(BaseException):
    pass


def stopped_after(monkeypatch, n):
    """Let a sweep end as if it were killed when row n arrives: nothing is written any more."""
    real = table.Folder.add

    def add(self, outcome):
        if self.done.sum() >= n:
            self._buffer.clear()
            raise Interrupted
        real(self, outcome)
        self.flush(now=True)

    monkeypatch.setattr(table.Folder, "add", add)


class TestResuming:
    OVER = {"slope": "1:4:10"}

    def test_gives_the_same_table_and_runs_no_recorded_row_again(self, lab, monkeypatch):
        settings = {"log": os.path.abspath("log")}
        run = functools.partial(sweep, lab, self.OVER, seeds=2, settings=settings, measure=lab.fit, workers=2)
        run(folder="whole")
        Path("log").unlink()
        with monkeypatch.context() as patched:
            stopped_after(patched, 7)
            with pytest.raises(Interrupted):
                run(folder="parts")
        recorded = read("parts")
        assert len(recorded) == 7
        before = Path("log").read_text().splitlines()
        run(folder="parts")
        after = Path("log").read_text().splitlines()[len(before) :]
        assert len(after) == 13
        assert not {f"{r.slope} {r.seed}" for r in recorded.itertuples()} & set(after)
        assert Path("parts/table.parquet").read_bytes() == Path("whole/table.parquet").read_bytes()
        sessions = json.loads(Path("parts/sweep.json").read_text())["sessions"]
        assert [session["rows_before"] for session in sessions] == [0, 7]

    def test_finds_the_default_folder_again(self, lab, monkeypatch):
        first = sweep(lab, {"slope": "1, 2"}, measure=lab.fit)
        assert Path(first.attrs["folder"]).parts[0] == "sweeps"
        monkeypatch.setattr("experiments.sweeps.cluster.open_workers", None)  # nothing is left to run
        pd.testing.assert_frame_equal(sweep(lab, {"slope": "1, 2"}, measure=lab.fit), first)

    def test_refuses_the_folder_of_another_sweep(self, lab, monkeypatch):
        given = dict(over=self.OVER, seeds=1, measure=lab.fit, folder="out", workers=1)
        with monkeypatch.context() as patched:
            stopped_after(patched, 1)
            with pytest.raises(Interrupted):
                sweep(lab, **given)
        for changed, named in (
            (dict(over={"slope": "1:4:11"}), "over"),
            (dict(seeds=3), "seeds"),
            (dict(settings={"n": 30}), "fixed parameters"),
            (dict(measure=lambda results: results["fit"]), "measure"),
        ):
            with pytest.raises(SweepError, match=f"(?s)another sweep.*{named}"):
                sweep(lab, **(given | changed))

    def test_refuses_the_folder_of_something_else(self, lab):
        Path("out").mkdir()
        Path("out/thesis.tex").write_text("")
        with pytest.raises(SweepError, match="thesis.tex"):
            sweep(lab, self.OVER, folder="out")
        with pytest.raises(SweepError, match="is a file"):
            sweep(lab, self.OVER, folder="out/thesis.tex")

    def test_refuses_a_folder_that_another_process_writes_to(self, lab):
        from filelock import FileLock

        Path("out").mkdir()
        with FileLock("out/.lock"), pytest.raises(SweepError, match="another process"):
            sweep(lab, self.OVER, folder="out")

    def test_a_full_disk_stops_and_loses_nothing_recorded(self, lab, monkeypatch):
        run = functools.partial(sweep, lab, self.OVER, measure=lab.fit, workers=1)
        run(folder="whole")
        real, written = table._replace, []

        def full(path, content):
            if path.parent.name == "rows" and len(written) >= 2:
                raise OSError(errno.ENOSPC, "No space left on device")
            written.append(path) if path.parent.name == "rows" else None
            real(path, content)

        with monkeypatch.context() as patched:
            patched.setattr(table, "_replace", full)
            patched.setattr(table, "FLUSH", 0.0)
            with pytest.raises(SweepStopped, match="No space left.*[1-9] of 10 rows are there"):
                run(folder="parts")
        assert 2 <= len(read("parts")) < 10
        run(folder="parts")
        assert Path("parts/table.parquet").read_bytes() == Path("whole/table.parquet").read_bytes()

    def test_many_small_files_become_one(self, lab, monkeypatch):
        monkeypatch.setattr(table, "FLUSH", 0.0)
        monkeypatch.setattr(table, "PARTS", 3)
        most = []
        real = table.Folder._compact
        monkeypatch.setattr(
            table.Folder, "_compact", lambda self: (most.append(len(self._parts())), real(self))
        )
        made = sweep(lab, self.OVER, seeds=2, measure=lab.fit, folder="out", workers=1)
        assert set(most) == {4} and len(made) == 20 and not list(Path("out/rows").iterdir())

    def test_rows_that_are_there_twice_count_once(self, lab, monkeypatch):
        with monkeypatch.context() as patched:
            stopped_after(patched, 6)
            with pytest.raises(Interrupted):
                sweep(lab, self.OVER, measure=lab.fit, folder="out", workers=1)
        part = sorted(Path("out/rows").iterdir())[2]
        (part.parent / "00000090.parquet").write_bytes(part.read_bytes())
        assert len(read("out")) == 6
        (part.parent / ".00000091.parquet.part").write_bytes(b"half a file")
        assert len(sweep(lab, self.OVER, measure=lab.fit, folder="out", workers=1)) == 10


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (dict(seeds=0), "at least 1"),
        (dict(seeds=[1, 1]), "different"),
        (dict(seeds=[1.5]), "whole numbers"),
        (dict(seeds="two"), "how many"),
        (dict(workers=0), "at least 1"),
        (dict(workers=2, scheduler="tcp://127.0.0.1:1"), "processes on this machine"),
        (dict(measure=3), "function"),
        (dict(measure="experiments.sweeps.work:nothing"), "no function 'nothing'"),
        (dict(measure="no_such_module:nothing"), "cannot be imported"),
        (dict(duration=1 * second), "set its own parameters"),
        (dict(settings={"slop": 3}), "Did you mean slope"),
        (dict(settings=["slope=steep"]), "does not begin with a number"),
    ],
)
def test_options_that_are_refused(lab, options, said):
    with pytest.raises(SweepError, match=said):
        sweep(lab, {"slope": "1, 2"}, **options)


@pytest.mark.parametrize(
    ("over", "options", "said"),
    [
        ({"exc.v": "1, 2 mV"}, {}, "Did you mean exc.w"),
        ({"exc.w": "1, 2 ms"}, {}, "ms"),
        ({"exc.p": [0.5, 1.5]}, {}, "between 0 and 1"),
        ({"exc.w": "1, 2 mV"}, dict(duration=None), "duration=1\\*second"),
        ({"exc.w": "1, 2 mV"}, dict(duration=1 * mV), "second"),
        ({"exc.w": "1, 2 mV"}, dict(quick=True), "no quick form"),
        ({"duration": "1, 2 mV"}, {}, "mV"),
    ],
)
def test_circuits_are_checked_before_anything_runs(over, options, said):
    with pytest.raises(SweepError, match=said):
        sweep(small(), over, **(dict(duration=50 * ms) | options))


def test_what_is_no_experiment_and_no_circuit_is_refused():
    for what, said in ((3, "cannot be swept"), ("japanese", "Did you mean"), (lambda: 3, "not a Circuit")):
        with pytest.raises(SweepError, match=said):
            sweep(what, {"n": "1, 2"}, duration=1 * second)
    with pytest.raises(SweepError, match="'n' has no default"):
        sweep(lambda n: small(n), {"n": "10, 20"}, duration=1 * second)


def test_a_scheduler_that_does_not_answer(lab, monkeypatch):
    monkeypatch.setattr("experiments.sweeps.cluster.ANSWER", 0.5)
    with pytest.raises(SweepError, match="no dask scheduler answers at tcp://127.0.0.1:9"):
        sweep(lab, {"slope": "1, 2"}, folder="out", scheduler="tcp://127.0.0.1:9")


def listening(pid):
    """Addresses on which a process listens, as /proc has them."""
    inodes = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(file))
        except OSError:
            continue
    found = []
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                found.append(fields[1].partition(":")[0])
    return found


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="reads /proc")
def test_the_local_cluster_listens_on_the_loopback_interface_only():
    from experiments.sweeps.cluster import LocalWorkers

    workers = LocalWorkers(1)
    try:
        workers.client.wait_for_workers(1, timeout=30)
        addresses = listening(os.getpid()) + listening(workers.processes[0].pid)
        assert len(addresses) >= 2 and set(addresses) == {"0100007F"}
    finally:
        workers.close()


class TestCommandLine:
    def test_sweeps_and_says_where_the_table_is(self, lab, capsys, monkeypatch):
        monkeypatch.setattr("experiments.sweeps.targets._named", lambda name: lab)
        arguments = ["sweep", "line", "--over", "slope=1:2:3", "n & wait=10, 20 & 0, 0.01", "--seeds", "2"]
        assert main([*arguments, "--set", "fail=odd", "--out", "out"]) == 1
        out, err = capsys.readouterr()
        assert "12 rows, 6 failed" in out and "no line of slope" in out and "--retry" in out
        made = read("out")
        assert len(made) == 12 and made["wait"].tolist() == ([0.0] * 2 + [0.01] * 2) * 3

    def test_wrong_usage_has_its_own_exit_code(self, lab, capsys):
        assert main(["sweep", "line", "--over", "slope=1:2:3"]) == 2
        assert "there is no experiment 'line'" in capsys.readouterr().err
        assert main(["sweep", "bcm_selectivity", "--over", "dt"]) == 2
        assert "--over needs NAME=VALUES" in capsys.readouterr().err


def command(lab, *arguments):
    """The command line in a process of its own, with the experiment called by its module's name."""
    code = (
        "import sys, importlib, experiments.sweeps.targets as t; from experiments.__main__ import main; "
        f"t._named = importlib.import_module; sys.exit(main(['sweep', '{lab.__name__}', *sys.argv[1:]]))"
    )
    paths = os.pathsep.join([str(Path(lab.__file__).parent), str(Path(__file__).parents[2])])
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": paths},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def wait_for_rows(folder, n):
    for _ in range(600):
        time.sleep(0.05)
        try:
            if len(read(folder)) >= n:
                return
        except (SweepError, OSError, ValueError):
            continue
    raise AssertionError("no rows arrive")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_sweep_goes_on(lab, how):
    over = ["--over", "slope=1:4:16", "--set", "wait=0.2"]
    process = command(lab, *over, f"log={os.path.abspath('log')}", "--workers", "2", "--out", "out")
    wait_for_rows("out", 2)
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    recorded = read("out")
    assert 2 <= len(recorded) < 16
    if how != signal.SIGKILL:
        assert process.returncode == 130 and "the same command goes on" in said and "Traceback" not in said
    before = len(Path("log").read_text().splitlines())
    settings = {"wait": 0.2, "log": os.path.abspath("log")}
    made = sweep(lab, {"slope": "1:4:16"}, settings=settings, folder="out")
    assert len(made) == 16 and (made["error"] == "").all()
    after = {float(line.split()[0]) for line in Path("log").read_text().splitlines()[before:]}
    assert not after & set(recorded["slope"])


def test_nothing_is_made_ahead_any_more_once_a_sweep_has_stopped():
    """The build under way is waited for, since Brian2 has another device meanwhile; no further begins."""
    from experiments.sweeps.cluster import Ahead

    begun, ended = [], []

    def batches():
        for k in range(5):
            begun.append(k)
            time.sleep(0.2)
            ended.append(k)
            yield k

    ahead = Ahead(batches())
    while len(begun) < 2:
        time.sleep(0.01)
    ahead.stop()
    assert begun == ended == [0, 1]
    time.sleep(0.5)
    assert begun == [0, 1]
