"""`python -m experiments sweep NAME --over ...`, and what looks at the results.

Exit code: 0 done; 1 a point failed, or the sweep had to stop; 2 wrong usage; 130 interrupted.
"""

import argparse
import sys
from pathlib import Path

from .errors import SweepError, SweepStopped

PROGRAM = "python -m experiments sweep"
EXAMPLES = f"""
  {PROGRAM} vogels_2011 --over "eta=log 0.05:0.5:5 nS" --seeds 5
  {PROGRAM} vogels_2011 --over "eta=0.05:0.5 nS" "dt=0.1:0.2 ms" --samples 200
  {PROGRAM} circuits.balanced:vogels_abbott --duration "1 s" --over "exc.w=1:2:8 mV" "exc.p=0.01, 0.02"
  {PROGRAM} plot FOLDER
"""


def main(argv):
    """Do what the command line asks for; returns the exit code."""
    kinds = {"plot": _plot, "sensitivity": _sensitivity}
    try:
        if argv and argv[0] in kinds:
            return kinds[argv[0]](argv[1:])
        return _sweep(argv)
    except SweepError as error:
        print(f"sweep: {error}", file=sys.stderr)
        return 2
    except SweepStopped as error:
        print(f"sweep: {error}", file=sys.stderr)
        return 1


def _sweep(argv):
    from .design import DESIGNS, parsed_over

    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="A table with a row for every run of NAME: an experiment, or module:function that makes "
        "a circuit. The same command goes on where it stopped.",
        epilog=f"examples:{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME", help="an experiment, module:function, or plot or sensitivity")
    parser.add_argument(
        "--over", action="extend", nargs="+", default=[], metavar="NAME=VALUES",
        help='values of a parameter: "tau_m=10:40:8 ms" (a range), "w=log 0.1:10:5 mV", "n=10, 20", '
        '"tau_m=10:40 ms" (a span to draw from, with --samples), "a & b=1:4:4 ms & 2:8:4 mV" (side by side)',
    )  # fmt: skip
    parser.add_argument("--seeds", type=_seeds, default=1, metavar="N", help="how many, or which: 3,7,9")
    parser.add_argument("--samples", type=int, metavar="N", help="points drawn from the spans")
    parser.add_argument("--design", default="latin", choices=DESIGNS, help="how they are drawn")
    parser.add_argument("--sample-seed", type=int, default=0, metavar="N", help="the seed of that")
    parser.add_argument(
        "--set", dest="settings", action="extend", nargs="+", default=[], metavar="KEY=VALUE",
        help="another value for a parameter that stays the same",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="the reduced form of the experiment")
    parser.add_argument("--duration", metavar="TIME", help='model time of a circuit, such as "1 s"')
    parser.add_argument(
        "--measure", metavar="MODULE:FUNCTION", help="what is measured of a recording (or of the results)"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="processes here; default: one per processor")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a dask scheduler, such as tcp://host:8786")
    parser.add_argument("--keep", action="store_true", help="keep spikes and traces, a file for every run")
    parser.add_argument("--retry", action="store_true", help="run points that failed once more")
    parser.add_argument("--maximise", metavar="MEASURE", help="search the spans for the most (with --trials)")
    parser.add_argument("--minimise", metavar="MEASURE", help="search the spans for the least")
    parser.add_argument("--trials", type=int, metavar="N", help="points that the search tries")
    parser.add_argument("--out", type=Path, metavar="DIR", help="in place of sweeps/NAME/<hash>")
    chosen = parser.parse_intermixed_args(argv)
    over = parsed_over(chosen.over)
    options = dict(
        seeds=chosen.seeds, measure=chosen.measure, duration=chosen.duration, settings=chosen.settings,
        quick=chosen.quick, sample_seed=chosen.sample_seed, keep=chosen.keep,
    )  # fmt: skip
    working = dict(
        folder=chosen.out, workers=chosen.workers, scheduler=chosen.scheduler, retry=chosen.retry,
        progress=None,
    )  # fmt: skip
    if chosen.maximise or chosen.minimise or chosen.trials is not None:
        from .adaptive import Search

        options |= dict(maximise=chosen.maximise, minimise=chosen.minimise, trials=chosen.trials)
        prepared = Search(chosen.name, over, **options)
    else:
        from .runner import Sweep

        prepared = Sweep(chosen.name, over, samples=chosen.samples, design=chosen.design, **options)
    folder = prepared.folder(chosen.out)
    print(f"{prepared.n_rows} rows of {prepared.target.name}, in {folder}")
    for name, text in prepared.plan["parameters"].items():
        print(f"  {name}: {text}")
    try:
        table = prepared.run(**working)
    except KeyboardInterrupt:
        print(f"\nsweep: the finished rows are in {folder}; the same command goes on there.", file=sys.stderr)
        raise
    return _summary(table, folder, prepared)


def _summary(table, folder, prepared):
    failed = table[table["error"] != ""]
    measures = ", ".join(table.attrs["measures"]) or "nothing"
    print(f"{len(table)} rows, {len(failed)} failed; measured: {measures}")
    if prepared.best is not None:
        print(prepared.best(table))
    for error, count in failed["error"].value_counts().head(3).items():
        print(f"  {count} times: {error}")
    if len(failed):
        print("Run them again with --retry.")
    print(f"{folder}/table.parquet; figure: {PROGRAM} plot {folder}")
    return int(bool(len(failed)))


def _seeds(text):
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: give how many, or a list such as 3,7,9") from None
    return numbers if "," in text else numbers[0]


def _plot(argv):
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} plot",
        description="Draw a sweep: lines over one parameter, a map over two, pairs of more.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--measure", metavar="NAME", help="what to draw")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: figure.png and .pdf in FOLDER")
    chosen = parser.parse_args(argv)
    import matplotlib

    matplotlib.use("agg", force=True)
    from experiments import runs

    from .plot import figure
    from .table import read

    drawn = figure(read(chosen.folder), chosen.measure)
    if chosen.out is None:
        runs.save_figure(drawn, chosen.folder)
        print(f"{chosen.folder}/figure.png, {chosen.folder}/figure.pdf")
    else:
        with runs.replacing(chosen.out) as temporary:
            drawn.savefig(temporary, dpi=200)
        print(chosen.out)
    return 0


def _sensitivity(argv):
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} sensitivity",
        description="Sobol indices of a sweep with --design saltelli, Morris effects with --design morris.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--measure", metavar="NAME", help="of which number; default: each")
    chosen = parser.parse_args(argv)
    from .indices import sensitivity

    print(sensitivity(chosen.folder, chosen.measure).to_string(float_format=lambda value: f"{value:.3g}"))
    return 0
