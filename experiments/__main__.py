"""`python -m experiments [--verify] [NAME ...] [--quick] [--seed N] [--set key=value ...] [--out DIR]`, or
`python -m experiments sweep ...` (see `sweeps.command`).

Exit code: 0 done; 1 an experiment failed or, with --verify, a claim fails; 2 wrong usage; 130 interrupted.
"""

import argparse
import ast
import contextlib
import importlib
import importlib.util
import shutil
import signal
import sys
import tempfile
import textwrap
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from . import runs
from .claims import Claim

PARTS = ("run", "figure", "claims")


class UsageError(Exception):
    """What was typed cannot be done; the message says what can."""


@dataclass
class Outcome:
    """One experiment of a call: what it claims, or why it failed."""

    name: str
    folder: Path
    claims: list[Claim] = field(default_factory=list)
    error: str = ""
    figure: Path | None = None


def main(argv=None, package="experiments"):
    """Run what the command line asks for; returns the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    options = None if argv[:1] == ["sweep"] else _arguments(argv)
    try:
        with _stoppable():
            if options is None:
                from .sweeps.command import main as sweep

                return sweep(argv[1:])
            return _main(options, package)
    except UsageError as error:
        print(f"experiments: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("experiments: interrupted", file=sys.stderr)
        return 130


def discover(package="experiments"):
    """The experiments of a package, name to first line of the docstring, read without importing them.

    An experiment is a module that defines `run`, `figure` and `claims`.
    """
    spec = importlib.util.find_spec(package)
    found = {}
    for path in sorted(Path(spec.submodule_search_locations[0]).glob("[!_]*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError) as error:
            found[path.stem] = f"(cannot be read: {error})"
            continue
        if set(PARTS) <= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def _arguments(argv):
    parser = argparse.ArgumentParser(
        prog="python -m experiments",
        description="Without a NAME: list the experiments. With names: run them, each in its own folder.",
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="the experiments to run")
    parser.add_argument(
        "--verify", action="store_true", help="judge the claims (of all experiments without a NAME)"
    )
    parser.add_argument("--quick", action="store_true", help="the reduced form of each experiment")
    parser.add_argument("--seed", type=_seed, metavar="N", help="the (first) seed")
    parser.add_argument(
        "--set", dest="settings", action="extend", nargs="+", default=[], metavar="KEY=VALUE",
        help='another value for a parameter, such as --set "tau_state=30 ms" n_pairs=40',
    )  # fmt: skip
    parser.add_argument("--parameters", action="store_true", help="show the parameters of NAME and stop")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="the run folder (of several: DIR/NAME), in place of runs/NAME/<time>",
    )
    parser.add_argument(
        "--redraw",
        type=Path,
        metavar="FOLDER",
        help="figure and claims again, from the data of an earlier run of NAME",
    )
    return parser.parse_intermixed_args(argv)


def _seed(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _main(options, package):
    known = discover(package)
    names = options.names or (list(known) if options.verify else [])
    _check_names(names, known)
    single = len(names) == 1
    for option, given in (
        ("--set", options.settings),
        ("--parameters", options.parameters),
        ("--redraw", options.redraw),
    ):
        if given and not single:
            raise UsageError(
                f"{option} needs the name of one experiment. There are: {', '.join(known) or 'none'}."
            )
    if not names:
        if options.quick or options.out or options.seed is not None:
            raise UsageError(
                f"name one or several experiments, or use --verify for all: {', '.join(known) or 'none'}."
            )
        _print_list(known)
        return 0
    if options.parameters:
        from .parameters import described

        print(f"{names[0]}\n{described(_module(package, names[0]))}")
        return 0
    if options.redraw:
        outcomes = [_redraw(_module(package, names[0]), names[0], options.redraw)]
    else:
        outcomes = _run_all(names, options, package)
    return _judge(outcomes, options.verify)


def _check_names(names, known):
    from difflib import get_close_matches

    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise UsageError(
                f"there is no experiment {name!r}.{hint} There are: {', '.join(known) or 'none'}."
            )


def _print_list(known):
    width = max(map(len, known), default=0)
    for name, line in known.items():
        print(f"{name:<{width}}  {line}".rstrip())
    print(
        "\npython -m experiments NAME [--quick] [--seed N] [--set key=value ...] [--out DIR]"
        "\npython -m experiments --verify [NAME ...] [--quick]"
        "\npython -m experiments sweep NAME --over KEY=VALUES [--seeds N] [--out DIR]"
    )


def _module(package, name):
    return importlib.import_module(f"{package}.{name}")


# Running


def _run_all(names, options, package):
    """Run the experiments one after another; what one of them breaks does not stop the others."""
    import matplotlib

    matplotlib.use("agg", force=True)
    outcomes, prepared = [], []
    for name in names:  # all that was typed is checked before the first computation starts
        folder = None if options.out is None else options.out if len(names) == 1 else options.out / name
        try:
            module = _module(package, name)
            prepared.append((name, module, _parameters(module, options, len(names)), folder))
        except UsageError:
            raise
        except (Exception, SystemExit):
            print(traceback.format_exc(), file=sys.stderr)
            outcomes.append(Outcome(name, folder, error=f"cannot be imported: {_last_line()}"))
    try:
        for target in {options.out} if options.out else {Path("runs"), Path("figures")}:
            runs.prepare(target)
    except runs.FolderError as error:
        raise UsageError(error) from None
    times = [runs.last_runtime(".", name, parameters) for name, _, parameters, _ in prepared]
    for place, (name, module, parameters, folder) in enumerate(prepared):
        print(f"[{place + 1}/{len(prepared)}] {name}{_estimate(times[place:])}", flush=True)
        try:
            outcomes.append(_run_one(name, module, parameters, folder))
        except KeyboardInterrupt:
            _print_table(outcomes)
            raise
    return outcomes


def _parameters(module, options, total):
    from .parameters import ParameterError, chosen, described, has_seed

    seed = options.seed
    if seed is not None and total > 1 and not has_seed(module):
        seed = None  # among several, those without randomness take none
    try:
        return chosen(module, options.quick, seed, options.settings)
    except ParameterError as error:
        raise UsageError(f"{error}\nThe parameters and their defaults:\n{described(module)}") from None


def _run_one(name, module, parameters, folder):
    """Run, save the data, then figure and claims; every step keeps what the former ones made."""
    stable = Path("figures") if folder is None else None
    if folder is None:
        folder = runs.new_folder(".", name)
    else:
        runs.prepare(folder)
    outcome = Outcome(name, folder)
    head = {
        "experiment": name,
        "source": getattr(module, "SOURCE", ""),
        "parameters": runs.parameter_texts(parameters),
        "environment": runs.environment(),
    }
    runs.save_json(folder / "unfinished.json", head)
    start = time.perf_counter()
    try:
        with runs.keeping(folder) as kept:
            results = module.run(**parameters)
            if not isinstance(results, dict):
                raise TypeError(f"run() must return a dict of results, not {type(results).__name__}")
    except KeyboardInterrupt:
        left = f"{folder}/data has what was computed" if kept.values else "it had kept nothing"
        print(f"    interrupted after {time.perf_counter() - start:.1f} s; {left}", file=sys.stderr)
        raise
    except (Exception, SystemExit):
        outcome.error = _failed(head, folder, "run()")
        return outcome
    head |= {
        "seeds": runs.used_seeds(results, parameters),
        "runtime_s": round(time.perf_counter() - start, 3),
    }
    runs_error = _save(results, head, folder, outcome)
    _draw_and_judge(module, results, head, outcome, stable)
    outcome.error = runs_error or outcome.error
    print(f"    {head['runtime_s']:.1f} s, in {folder}", flush=True)
    return outcome


def _save(results, head, folder, outcome):
    """Save the data, elsewhere if the folder does not take them any more; returns the error."""
    try:
        runs.save_data(results, folder)
        runs.save_json(folder / "unfinished.json", head)
    except OSError as error:
        refuge = Path(tempfile.mkdtemp(prefix=f"plastica-{outcome.name}-"))
        print(f"    {folder} cannot be written ({error.strerror}); saving to {refuge}", file=sys.stderr)
        outcome.folder = refuge
        with contextlib.suppress(OSError, runs.ResultError):
            runs.save_data(results, refuge)
            runs.save_json(refuge / "unfinished.json", head)
        return f"{folder} cannot be written ({error.strerror}); what was computed is in {refuge}"
    except runs.ResultError as error:
        return str(error)
    return ""


def _draw_and_judge(module, results, head, outcome, stable=None):
    """Figure, claims and report from the results; what fails in one does no harm to the others."""
    folder, errors = outcome.folder, []
    try:
        figure = module.figure(results)
        runs.save_figure(figure, folder)
        outcome.figure = folder / "figure.png"
        if stable is not None:
            with runs.replacing(stable / f"{outcome.name}.png") as temporary:
                shutil.copyfile(outcome.figure, temporary)
            outcome.figure = stable / f"{outcome.name}.png"
    except (Exception, SystemExit):
        errors.append(_failed(head, folder, "figure()"))
    finally:
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
    try:
        claims = list(module.claims(results))
        if not claims or not all(isinstance(claim, Claim) for claim in claims):
            raise TypeError(f"claims() must return a list of at least one Claim, not {claims!r}")
        outcome.claims = claims
        runs.save_json(folder / "report.json", _report(head, claims))
        if not errors:
            (folder / "unfinished.json").unlink(missing_ok=True)
    except (Exception, SystemExit):
        errors.append(_failed(head, folder, "claims()"))
    if errors:
        again = f"once mended: python -m experiments {outcome.name} --redraw {folder}"
        outcome.error = "; ".join([*errors, again])


def _report(head, claims):
    keys = ("experiment", "source", "parameters", "seeds", "environment", "runtime_s")
    return {key: head[key] for key in keys} | {"claims": [claim.as_record() for claim in claims]}


def _redraw(module, name, folder):
    """Figure, claims and report again, from the data of an earlier run."""
    import json

    import matplotlib

    matplotlib.use("agg", force=True)
    try:
        results = runs.load_data(folder)
        known = [folder / file for file in ("unfinished.json", "report.json") if (folder / file).exists()]
        head = json.loads(known[0].read_text(encoding="utf-8")) if known else {}
    except (runs.FolderError, OSError, ValueError) as error:
        raise UsageError(error) from None
    if head.get("experiment") != name:
        raise UsageError(f"{folder} is not a run of {name}, but of {head.get('experiment')}")
    if "runtime_s" not in head:
        raise UsageError(f"the run in {folder} was interrupted: its data are not complete")
    outcome = Outcome(name, folder)
    _draw_and_judge(module, results, head, outcome)
    return outcome


def _failed(head, folder, where):
    """Write the traceback of the present error to the folder and the terminal; returns one line about it."""
    trace = traceback.format_exc()
    print(textwrap.indent(trace, "    "), file=sys.stderr)
    line = f"{where} failed: {_last_line()}"
    with contextlib.suppress(OSError):
        runs.save_json(folder / "unfinished.json", head | {"error": trace})
    return line


def _last_line():
    kind, value, _ = sys.exc_info()
    return " ".join(f"{kind.__name__}: {value}".split())


def _estimate(times):
    """What the earlier runs say about the time that this one and those after it will take."""
    if times[0] is None:
        return ""
    text = f": about {_duration(times[0])}, as last time"
    if len(times) > 1 and None not in times:
        text += f"; {_duration(sum(times))} for all that is left"
    return text


def _duration(seconds):
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


@contextlib.contextmanager
def _stoppable():
    """A polite kill is handled as Ctrl-C is: what was computed stays."""

    def stop(_signal, _frame):
        raise KeyboardInterrupt

    try:
        former = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


# The table


def _judge(outcomes, verify):
    """Print the table and where the figures are; returns the exit code."""
    _print_table(outcomes)
    failed = [outcome for outcome in outcomes if outcome.error]
    claims = [claim for outcome in outcomes for claim in outcome.claims]
    broken = sum(not claim.holds for claim in claims)
    text = f"\n{len(claims) - broken} of {len(claims)} claims hold"
    print(text + (f"; failed: {', '.join(outcome.name for outcome in failed)}" if failed else ""))
    figures = [str(outcome.figure) for outcome in outcomes if outcome.figure]
    if figures:
        print(f"Figures: {' '.join(figures)}")
    return int(bool(failed) or (verify and bool(broken)))


def _print_table(outcomes):
    rows = [("experiment", "claim", "measured", "must be", "", "source")]
    for outcome in outcomes:
        for claim in outcome.claims:
            name = f"control: {claim.name}" if claim.control else claim.name
            measured = f"{claim.measured:.4g} {claim.unit}".strip()
            rows.append(
                (
                    outcome.name,
                    name,
                    measured,
                    claim.bounds,
                    "holds" if claim.holds else "FAILS",
                    claim.source,
                )
            )
        if outcome.error:
            rows.append((outcome.name, outcome.error, "", "", "FAILS", ""))
    # An error may be longer than the screen is wide: it does not set the width of its column.
    widths = [max(min(len(row[column]), 60) for row in rows) for column in range(5)]
    print()
    for row in rows if len(rows) > 1 else []:
        cells = [f"{text:<{width}}" for text, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[5]]).rstrip())


if __name__ == "__main__":
    sys.exit(main())
