"""The same networks here, in Brian2's own standalone device, in NEST and ANNarchy where installed, and in
programs written by hand, from the start of a process to its figure, interleaved in one run.

    python benchmarks/bench.py [--benchmarks CUBA COBA ...] [--engines brian2 plastica ...] [--repeats 3]
                               [--python annarchy=/path/to/python] [--scaling] [--quick] [--out DIR]
                               [--evidence FILE]

Every measurement is a process of its own; the engines take turns within a repetition, so that all of them
meet the same machine, and ratios are formed within a repetition. Every repetition has its own seed. Reported
are medians. Written: docs/evidence/bench.json (or FILE; tidy rows), and in DIR bench.md (tables), bench.json
(every measurement), bench.png and bench.pdf. Exit code 1 if the simulators disagree about the rates.
`--quick` measures two benchmarks once and writes no evidence unless FILE is given; `--scaling` adds networks
of 10^3 to 10^6 cells and 10^5 to 10^8 synapses, as far as the free memory goes.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

NAMES = {
    "plastica": "Plastica",
    "brian2": "Brian2",
    "nest": "NEST",
    "annarchy": "ANNarchy",
    "device": "Brian2, our device",
    "floor": "by hand",
}
SIMULATORS = ("plastica", "brian2", "nest", "annarchy")
EVERY = tuple(NAMES)


@dataclass(frozen=True)
class Benchmark:
    network: str
    seconds: float  # of model time
    text: str
    engines: tuple = EVERY
    changes: tuple = ()  # what is changed for a further figure
    bound: float = 0.10  # within which rates agree, see `disagreements`
    fresh: bool = False  # a new clone and an empty home
    quick: float = 0.0  # seconds of model time with --quick; 0: not then


BENCHMARKS = {
    "first figure": Benchmark(
        "CUBA",
        1.0,
        "CUBA for 1 s in a new clone with an empty home: first figure, the same again, after a change",
        SIMULATORS,
        ("number", "equation"),
        fresh=True,
        quick=1.0,
    ),
    "CUBA": Benchmark(
        "CUBA", 10.0, "4000 leaky integrate-and-fire cells, exponential currents, 2 % connected"
    ),
    "COBA": Benchmark(
        "COBA",
        1.0,
        "4000 Hodgkin-Huxley cells (Traub & Miles), conductances, 2 % connected",
        changes=("equation",),
        bound=0.15,
    ),
    "STDP-ff": Benchmark(
        "STDP-ff", 20.0, "1000 Poisson inputs of 15 Hz onto 100 cells, 100,000 plastic synapses"
    ),
    "STDP-rec": Benchmark(
        "STDP-rec", 5.0, "2000 excitatory cells, 10 % connected and plastic, 500 inhibitory, delays of 1.5 ms"
    ),
    "dopamine": Benchmark(
        "dopamine",
        20.0,
        "STDP-ff with eligibility traces and dopamine, one reward a second",
        SIMULATORS,
        quick=4.0,
    ),
    "liquid": Benchmark(
        "liquid",
        100.0,
        "a column of 135 cells with synapses after Tsodyks and Markram, 200 trials of 0.5 s",
        SIMULATORS,
    ),
    "cerebellum": Benchmark(
        "cerebellum",
        100.0,
        "2000 granule cells, 40,000 plastic synapses, in the loop with the eye that they move",
        ("plastica", "brian2"),
    ),
}
NOTES = (
    "Total time is wall clock of the whole process: imports, building, simulation, figure as PNG.",
    "Cold: with an empty cache, in an empty folder. Warm: the same script again. NEST builds nothing that "
    "stays; its runs count for both.",
    "The loop is processor time of the one thread that simulates; `processor time` is that of "
    "the whole process with its compilers.",
    "The cerebellum has rules that follow events of cells other than spikes, and a plant in the loop; NEST "
    "has no counterpart without new models in C++, and a form for ANNarchy is not written.",
    "NEST's shortest delay is one step where Brian2 has none, and its Hodgkin-Huxley cells are integrated "
    "with adaptive steps.",
)
CELLS = (1_000, 10_000, 100_000, 1_000_000)
SYNAPSES = (100_000, 1_000_000, 10_000_000, 100_000_000)
BYTES_PER_SYNAPSE = 40  # of a synapse without state: its two ends, their order, while it is made


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--benchmarks", nargs="+", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS)
    )
    parser.add_argument("--engines", nargs="+", choices=NAMES, default=list(NAMES), metavar="ENGINE")
    parser.add_argument("--repeats", type=int)
    parser.add_argument(
        "--python",
        nargs="+",
        default=[],
        metavar="ENGINE=PATH",
        help="interpreters that have NEST or ANNarchy",
    )
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--quick", action="store_true", help="two benchmarks, one repetition")
    parser.add_argument("--out", type=Path, default=Path("figures"))
    parser.add_argument(
        "--evidence", type=Path, help="docs/evidence/bench.json if the run is not a quick one"
    )
    chosen = parser.parse_args()
    names = chosen.benchmarks or [n for n, b in BENCHMARKS.items() if b.quick or not chosen.quick]
    evidence = chosen.evidence or (None if chosen.quick else ROOT / "docs" / "evidence" / "bench.json")
    chosen.out.mkdir(parents=True, exist_ok=True)
    started = time.time()
    with tempfile.TemporaryDirectory(prefix="plastica-bench-") as scratch:
        bench = Bench(Path(scratch), dict(word.split("=", 1) for word in chosen.python), chosen.quick)
        for repeat in range(chosen.repeats or (1 if chosen.quick else 3)):
            for name in names:
                engines = [e for e in chosen.engines if e in BENCHMARKS[name].engines]
                # The order turns, so that no engine always comes after the same one.
                turn = repeat % max(len(engines), 1)
                for engine in [*engines[turn:], *engines[:turn]]:
                    bench.benchmark(engine, name, repeat)
        if chosen.scaling:
            bench.scaling([e for e in chosen.engines if e in ("brian2", "device")], chosen.quick)
        versions = bench.versions(chosen.engines)
    report = {
        "date": datetime.date.today().isoformat(),
        "minutes": round((time.time() - started) / 60, 1),
        "quick": chosen.quick,
        "machine": machine(),
        "versions": versions,
        "benchmarks": [
            {"name": n, "text": BENCHMARKS[n].text, "seconds": bench.seconds(BENCHMARKS[n])} for n in names
        ],
        "engines": {e: NAMES[e] for e in NAMES if any(row["engine"] == e for row in bench.rows)},
        "missing": bench.missing,
        "notes": NOTES,
        "rows": tidy(bench.rows),
    }
    wrong = disagreements(report)
    report["disagreements"] = wrong
    (chosen.out / "bench.json").write_text(
        json.dumps({"measured": bench.rows, "scaling": bench.scaled}, indent=1)
    )
    if evidence:
        evidence.parent.mkdir(parents=True, exist_ok=True)
        evidence.write_text(json.dumps(report, indent=1) + "\n")
    text = tables(report, bench.scaled)
    (chosen.out / "bench.md").write_text(text)
    draw(report, bench.scaled, chosen.out / "bench")
    print(text)
    print(
        f"Written to {chosen.out}: bench.md, bench.json, bench.png, bench.pdf"
        + (f"; {evidence}" if evidence else "")
    )
    if wrong:
        raise SystemExit("The simulators disagree: " + "; ".join(wrong))


class Bench:
    """Runs measurements and collects them; what an engine lacks is said once."""

    def __init__(self, scratch, pythons, quick):
        self.scratch, self.pythons, self.quick = scratch, pythons, quick
        self.rows, self.scaled, self.missing = [], [], {}
        self.cache, self.home = scratch / "cache", scratch / "home"

    def seconds(self, benchmark):
        return benchmark.quick or benchmark.seconds / 10 if self.quick else benchmark.seconds

    def python(self, engine):
        return self.pythons.get(engine, sys.executable)

    def environment(self, engine, fresh):
        """One thread; the interpreter's own tools come first; caches that belong to the benchmark."""
        place = Path(self.python(engine)).absolute().parent
        values = os.environ | {"OMP_NUM_THREADS": "1", "PATH": f"{place}{os.pathsep}{os.environ['PATH']}"}
        values |= {"PLASTICA_CACHE": str(self.cache)}
        drop = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}
        if fresh:
            values["HOME"] = str(self.home)
            drop |= {"PLASTICA_CACHE", "MPLCONFIGDIR", *(name for name in values if name.startswith("XDG_"))}
        return {name: value for name, value in values.items() if name not in drop}

    def measure(self, engine, network, seconds, folder, *options, root=ROOT, fresh=False):
        """What measure.py reports, with `total` and `processor` of the whole process; None if missing."""
        command = [
            self.python(engine),
            str(root / "benchmarks" / "measure.py"),
            engine,
            network,
            str(seconds),
        ]
        command += [str(folder), *options]
        with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
            started = time.perf_counter()
            process = subprocess.Popen(
                command, stdout=said, stderr=errors, cwd=root, env=self.environment(engine, fresh)
            )
            _, status, usage = os.wait4(process.pid, 0)
            total = time.perf_counter() - started
            said.seek(0)
            errors.seek(0)
            lines, trouble = said.read().splitlines(), errors.read()
        if status:
            if engine in ("plastica", "device", "brian2", "floor"):
                raise SystemExit(f"{' '.join(command)} failed:\n{trouble}")
            last = (trouble.strip().splitlines() or ["it ended"])[-1]
            result = {"missing": f"{NAMES[engine]} failed on {network}: {last[:200]}"}
        else:
            result = json.loads(lines[-1])
        if "missing" in result:
            if result["missing"] not in self.missing.values():
                self.missing[engine if status == 0 else f"{engine}, {network}"] = result["missing"]
                print(f"Left out: {result['missing']}.", flush=True)
            return None
        return result | {"total": total, "processor": usage.ru_utime + usage.ru_stime}

    def benchmark(self, engine, name, repeat):
        """All runs of one benchmark in one repetition: cold, warm, changed."""
        if engine in self.missing:
            return
        benchmark = BENCHMARKS[name]
        seconds, folder = self.seconds(benchmark), self.scratch / f"{engine}-{benchmark.network}"
        for old in (folder, self.home):
            shutil.rmtree(old, ignore_errors=True)
        self.home.mkdir()
        if engine == "device":
            self.keep_header()
        else:
            self.empty_cache()
        root = self.clone() if benchmark.fresh else ROOT

        def run(what, *options):
            more = ("--seed", str(repeat + 1), "--figure", str(self.scratch / "figure.png"), *options)
            result = self.measure(
                engine, benchmark.network, seconds, folder, *more, root=root, fresh=benchmark.fresh
            )
            if result is None:
                return False
            row = {"benchmark": name, "engine": engine, "repeat": repeat, "what": what} | result
            self.rows.append(row)
            print(f"{name:13s} {NAMES[engine]:19s} {what:9s} {summary(row)}", flush=True)
            return True

        if not run("cold") or engine == "floor":
            return
        if engine == "nest":  # nothing was built that a second run could find
            self.rows.append(self.rows[-1] | {"what": "warm"})
        elif engine != "device":
            run("warm")
        for change in benchmark.changes:
            if engine == "nest" and change == "equation":
                continue  # models are compiled into it
            if benchmark.fresh:
                run(change, "--change", change)
            elif engine != "annarchy":
                run(change, "--change", change, "--build-only")

    def empty_cache(self):
        shutil.rmtree(self.cache, ignore_errors=True)
        self.cache.mkdir(mode=0o700)

    def keep_header(self):
        """For the device: a cache with the compiler's header, made once, and nothing of a circuit."""
        kept = self.scratch / "header"
        self.empty_cache()
        if not kept.exists():
            self.measure("device", "CUBA", 1.0, self.scratch / "header-run", "--build-only")
            shutil.copytree(self.cache, kept)
            shutil.rmtree(kept / "symbolic", ignore_errors=True)
        shutil.rmtree(self.cache)
        shutil.copytree(kept, self.cache)  # with its times, by which the header is known
        self.cache.chmod(0o700)

    def clone(self):
        """A copy of this project as a clone has it: no compiled Python, no runs."""
        place = self.scratch / "clone"
        shutil.rmtree(place, ignore_errors=True)
        leave = shutil.ignore_patterns(
            ".*", "__pycache__", "runs", "sweeps", "figures", "build", "dist", "*.egg-info"
        )
        shutil.copytree(ROOT, place, ignore=leave)
        return place

    def versions(self, engines):
        """Versions of what was measured, by interpreter."""
        code = (
            "import importlib.metadata as m, json, sys\n"
            "found = {}\n"
            "for name in sys.argv[1:]:\n"
            "    try: found[name] = m.version(name)\n"
            "    except m.PackageNotFoundError: pass\n"
            "print(json.dumps(found))"
        )
        wanted = {"plastica": ("plastica", "numpy", "matplotlib"), "brian2": ("Brian2",)}
        wanted |= {"nest": ("nest-simulator",), "annarchy": ("ANNarchy",)}
        found = {}
        for engine in engines:
            if engine in wanted and engine not in self.missing:
                command = [self.python(engine), "-c", code, *wanted[engine]]
                found |= json.loads(
                    subprocess.run(command, capture_output=True, text=True, check=True).stdout
                )
        return found

    def scaling(self, engines, quick):
        free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
        sizes = [(cells, 0) for cells in CELLS] + [(10_000, synapses // 10_000) for synapses in SYNAPSES]
        for cells, targets in sizes[:2] + sizes[4:6] if quick else sizes:
            if cells * max(targets, 1) * BYTES_PER_SYNAPSE > 0.7 * free:
                print(f"Left out: {cells * targets:.0e} synapses do not fit into {free / 2**30:.0f} GiB.")
                continue
            seconds = 0.2 if cells * (1 + targets / 100) > 1e5 else 1.0
            for engine in engines:
                folder = self.scratch / f"scaling-{engine}"
                shutil.rmtree(folder, ignore_errors=True)
                options = ("--scale", str(cells), str(targets))
                result = self.measure(engine, "scaling", seconds, folder, *options)
                row = {"engine": engine, "cells": cells, "targets": targets, "seconds": seconds} | result
                self.scaled.append(row)
                print(f"{cells} cells, {targets} targets each, {NAMES[engine]:9s} {summary(row)}", flush=True)


def summary(row):
    phases = [f"{name} {row[name]:.2f}" for name in ("total", "processor", "import", "loop") if name in row]
    if "rates" in row:
        phases.append(", ".join(f"{name} {rate:.2f} Hz" for name, rate in row["rates"].items()))
    return "; ".join(phases)


def machine():
    cpu = platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    compiler = subprocess.run(
        [*os.environ.get("CXX", "g++").split(), "--version"], capture_output=True, text=True
    )
    return {
        "processor": cpu,
        "processors": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "compiler": compiler.stdout.splitlines()[0] if compiler.stdout else "",
        "load": os.getloadavg()[0],
    }


# ---- rows
# ---------------------------------------------------------------------------------------------------------


def quantities(row):
    """(quantity, value, unit) of one run."""
    what, found = row["what"], []
    build = sum(row.get(phase, 0.0) for phase in ("generation", "compilation", "initial values"))
    if what in ("cold", "warm"):
        found += [
            (f"total, {what}", row.get("total"), "s"),
            (f"processor time, {what}", row["processor"], "s"),
        ]
    elif "loop" in row:
        found += [(f"total, {what} changed", row["total"], "s")]
    if what in ("number", "equation"):
        found += [(f"build, {what} changed", build, "s")]
    else:
        found += [(f"build, {what}", build, "s")]
    if what == ("cold" if row["engine"] in ("device", "floor") else "warm"):
        found += [
            ("import", row.get("import"), "s"),
            ("loop", row["loop"], "s"),
            ("memory", row["memory"], "MiB"),
        ]
        found += [("reading and figure", row.get("reading", 0.0) + row.get("figure", 0.0), "s")]
        found += [(f"rate, {name}", rate, "Hz") for name, rate in row.get("rates", {}).items()]
    if row["engine"] in (
        "device",
        "floor",
    ):  # their scripts draw no figure of their own, their header is there
        found = [entry for entry in found if not entry[0].startswith(("total", "processor", "reading"))]
    return [entry for entry in found if entry[1] is not None]


def tidy(rows):
    """A row for every benchmark, engine and quantity: median, range, ratio to Plastica's in the same turn."""
    values = {}
    for row in rows:
        for quantity, value, unit in quantities(row):
            values.setdefault((row["benchmark"], row["engine"], quantity, unit), {})[row["repeat"]] = value
    made = []
    for (benchmark, engine, quantity, unit), own in values.items():
        ours = values.get((benchmark, "plastica", quantity, unit), {})
        ratios = [own[k] / ours[k] for k in own if ours.get(k)]
        low, high = (min(ratios), max(ratios)) if ratios else (None, None)
        made.append(
            {
                "benchmark": benchmark,
                "engine": engine,
                "quantity": quantity,
                "value": statistics.median(own.values()),
                "low": min(own.values()),
                "high": max(own.values()),
                "unit": unit,
                "n": len(own),
                "ratio": statistics.median(ratios) if ratios else None,
                "ratio_low": low,
                "ratio_high": high,
            }
        )
    return made


def disagreements(report):
    """Rates further from Plastica's than a benchmark's bound; 25 % in the one short run of --quick.

    Wiring, inputs and noise are drawn anew by every simulator, in every repetition. The rates have a spread
    of 3 % over seeds (6 % in 2 s of STDP-ff and dopamine): medians of three differ by 10 %, and single
    short runs by 25 %, at three standard deviations. In COBA exponential Euler at 0.1 ms, which all but
    NEST have, lengthens the intervals between spikes by 8 to 13 %.
    """
    bounds = {name: 0.25 if report["quick"] else BENCHMARKS[name].bound for name in BENCHMARKS}
    return [
        f"{row['benchmark']}, {row['quantity']}, {NAMES[row['engine']]}: {100 * (row['ratio'] - 1):+.1f} %"
        for row in report["rows"]
        if row["quantity"].startswith("rate") and row["ratio"] is not None
        and abs(row["ratio"] - 1) > bounds[row["benchmark"]]
    ]


# ---- tables
# ---------------------------------------------------------------------------------------------------------


class Table:
    """Looks up tidy rows."""

    def __init__(self, rows):
        self.rows = {(row["benchmark"], row["engine"], row["quantity"]): row for row in rows}

    def get(self, benchmark, engine, quantity, field="value"):
        row = self.rows.get((benchmark, engine, quantity))
        return None if row is None else row[field]

    def cell(self, benchmark, engine, quantity, digits=2, ratio=True):
        row = self.rows.get((benchmark, engine, quantity))
        if row is None:
            return ""
        times = (
            f" ({row['ratio']:.2f})" if ratio and row["ratio"] is not None and engine != "plastica" else ""
        )
        return f"{row['value']:.{digits}f}{times}"


def tables(report, scaled):
    host, table = report["machine"], Table(report["rows"])
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    repeats = max((row["n"] for row in report["rows"]), default=0)
    lines = [
        f"{host['processor']}, {host['processors']} processors, {host['system']}, Python {host['python']}, "
        f"{host['compiler']}; {versions}; {report['date']}. Seconds, medians of {repeats}; in brackets the "
        "ratio to Plastica within a repetition, median.",
        "",
    ]
    engines = [e for e in report["engines"] if e in SIMULATORS]
    for quantity, title in (
        ("total, cold", "From the start of the process to the figure, nothing built before"),
        ("total, warm", "The same script again"),
        ("loop", "Simulation loop, processor time"),
    ):
        shown = list(report["engines"]) if quantity == "loop" else engines
        lines += [f"### {title}", "", "| benchmark | " + " | ".join(NAMES[e] for e in shown) + " |"]
        lines += ["|---" * (1 + len(shown)) + "|"]
        for entry in report["benchmarks"]:
            cells = [table.cell(entry["name"], e, quantity, 3 if quantity == "loop" else 2) for e in shown]
            lines.append(f"| {entry['name']}, {entry['seconds']:g} s | {' | '.join(cells)} |")
        lines.append("")
    changed = ("total, number changed", "total, equation changed", "build, equation changed")
    lines += ["### After a change", "", "| benchmark | simulator | " + " | ".join(changed) + " |"]
    lines += ["|---" * (2 + len(changed)) + "|"]
    for entry in report["benchmarks"]:
        for engine, title in report["engines"].items():
            cells = [table.cell(entry["name"], engine, quantity) for quantity in changed]
            if any(cells):
                lines.append(f"| {entry['name']} | {title} | {' | '.join(cells)} |")
    parts = ("import", "build, cold", "build, warm", "loop", "reading and figure", "memory")
    lines += ["", "### Where the time goes", ""]
    lines += ["| benchmark | simulator | " + " | ".join(parts[:-1]) + " | MiB | firing rates, Hz |"]
    lines += ["|---" * 9 + "|"]
    for entry in report["benchmarks"]:
        for engine, title in report["engines"].items():
            if table.get(entry["name"], engine, "loop") is None:
                continue
            cells = [table.cell(entry["name"], engine, quantity, ratio=False) for quantity in parts[:-1]]
            cells.append(table.cell(entry["name"], engine, "memory", 0, ratio=False))
            rates = [
                f"{row['quantity'].removeprefix('rate, ')} {row['value']:.2f}"
                for row in report["rows"]
                if (row["benchmark"], row["engine"]) == (entry["name"], engine) and row["unit"] == "Hz"
            ]
            lines.append(f"| {entry['name']} | {title} | {' | '.join(cells)} | {', '.join(rates)} |")
    lines += ["", *(f"{note}" for note in report["notes"])]
    lines += [f"Left out: {text}." for text in report["missing"].values()]
    if scaled:
        lines += ["", "| cells | synapses | simulator | ns per cell and step | ns per synaptic event | MiB |"]
        lines.append("|---|---|---|---|---|---|")
        for row in scaled:
            step, event = costs(row, scaled)
            event = "" if event is None else f"{event:.2f}"
            lines.append(
                f"| {row['cells']:.0e} | {row['cells'] * row['targets']:.0e} | {NAMES[row['engine']]} "
                f"| {step:.2f} | {event} | {row['memory']:.0f} |"
            )
    return "\n".join(lines) + "\n"


def costs(row, rows):
    """(ns per cell and step, ns per synaptic event); events are what comes on top of the cells alone."""
    per_step = 1e9 * row["loop"] / (row["cells"] * row["seconds"] * 1e4)
    if not row["targets"]:
        return per_step, None
    bare = [r for r in rows if (r["engine"], r["cells"], r["targets"]) == (row["engine"], row["cells"], 0)]
    if not bare or not row["spikes"]:
        return per_step, None
    beyond = row["loop"] - bare[0]["loop"] * row["seconds"] / bare[0]["seconds"]
    return per_step, 1e9 * beyond / (row["spikes"] * row["targets"])


# ---- figure
# ---------------------------------------------------------------------------------------------------------


def logarithmic(axis):
    """A vertical axis of powers of ten with plain numbers between them."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())


def draw(report, scaled, path):
    """Time to the figure, cold and warm, the loop, and where measured, cost by size."""
    from analysis import plots

    table, names = Table(report["rows"]), [entry["name"] for entry in report["benchmarks"]]
    engines = [e for e in report["engines"] if e in SIMULATORS]
    panels = {"A": "total, cold", "B": "total, warm", "C": "loop"}
    titles = {"A": "To the figure, nothing built before", "B": "To the figure, again", "C": "Simulation loop"}
    if scaled:
        titles |= {"D": "Cost of a cell", "E": "Cost of a synaptic event"}
    repeats = max((row["n"] for row in report["rows"]), default=0)
    title = f"{report['machine']['processor']}, one thread; medians of {repeats}, range"
    layout = "AAAA;BBBB;CCCC;DDEE" if scaled else "AAAA;BBBB;CCCC"
    fig, axes = plots.figure(layout, 9.0 if scaled else 7.0, titles=titles, title=title)
    with plots.style():
        for panel, quantity in panels.items():
            axis = axes[panel]
            for k, engine in enumerate(engines):
                places = [x + 0.8 * (k - (len(engines) - 1) / 2) / len(engines) for x in range(len(names))]
                rows = [table.rows.get((name, engine, quantity)) for name in names]
                found = [(x, row) for x, row in zip(places, rows, strict=True) if row]
                values = [row["value"] for _, row in found]
                ends = [
                    [row["value"] - row["low"] for _, row in found],
                    [row["high"] - row["value"] for _, row in found],
                ]
                axis.bar(
                    [x for x, _ in found], values, 0.8 / len(engines), yerr=ends, label=NAMES[engine],
                    error_kw={"lw": 0.8},
                )  # fmt: skip
            logarithmic(axis)
            low = [row["low"] for row in report["rows"] if row["quantity"] == quantity]
            axis.set_ylim(bottom=0.5 * min(low, default=1.0))
            axis.set_xticks(range(len(names)), names)
            axis.set_ylabel("processor time (s)" if panel == "C" else "wall clock (s)")
        axes["A"].legend(ncols=max(len(engines), 1))
        for engine in [e for e in NAMES if any(row["engine"] == e for row in scaled)]:
            mine = [row for row in scaled if row["engine"] == engine]
            cells = [(row["cells"], costs(row, scaled)[0]) for row in mine if not row["targets"]]
            events = [
                (row["cells"] * row["targets"], costs(row, scaled)[1]) for row in mine if row["targets"]
            ]
            axes["D"].loglog(*zip(*cells, strict=True), "o-", label=NAMES[engine])
            if events:
                axes["E"].loglog(*zip(*events, strict=True), "o-", label=NAMES[engine])
        if scaled:
            axes["D"].set(xlabel="cells", ylabel="ns per cell and step")
            axes["E"].set(xlabel="synapses", ylabel="ns per event")
            logarithmic(axes["D"])
            logarithmic(axes["E"])
            axes["D"].legend()
    for suffix in (".png", ".pdf"):
        fig.savefig(path.with_suffix(suffix))


if __name__ == "__main__":
    main()
