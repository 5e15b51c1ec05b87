"""The same four networks here, in Brian2's own standalone device, in NEST and ANNarchy where installed,
and in programs written by hand, interleaved in one run.

    python benchmarks/bench.py [--networks CUBA COBA ...] [--engines brian2 plastica ...] [--repeats 3]
                               [--scaling] [--quick] [--out DIR]

Every measurement is a process of its own; the engines take turns within a repetition, so that all of them
meet the same machine. Reported are medians: import, generation, compilation, loop, reading, peak memory, and
a second build after one equation changed. Written: bench.md (tables), bench.json (every measurement),
bench.png and bench.pdf. `--scaling` adds networks of 10^3 to 10^6 cells and 10^5 to 10^8 synapses, as far
as the free memory goes.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

SECONDS = {"CUBA": 10.0, "COBA": 1.0, "STDP-ff": 20.0, "STDP-rec": 5.0}
ENGINES = ("floor", "brian2", "plastica", "nest", "annarchy")
NAMES = {
    "floor": "by hand",
    "brian2": "Brian2",
    "plastica": "Plastica",
    "nest": "NEST",
    "annarchy": "ANNarchy",
}
PHASES = ("import", "generation", "compilation", "loop", "reading")
CELLS = (1_000, 10_000, 100_000, 1_000_000)
SYNAPSES = (100_000, 1_000_000, 10_000_000, 100_000_000)
BYTES_PER_SYNAPSE = 40  # of a synapse without state: its two ends, their order, while it is made


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--networks", nargs="+", choices=SECONDS, default=list(SECONDS))
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--quick", action="store_true", help="a tenth of the simulated time, one repetition")
    parser.add_argument("--out", type=Path, default=Path("figures"))
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.repeats = 1
    factor = 0.1 if chosen.quick else 1.0
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="plastica-bench-") as scratch:
        bench = Bench(Path(scratch))
        bench.warm_up(chosen.engines)
        for repeat in range(chosen.repeats):
            for network in chosen.networks:
                # The order turns, so that no engine always comes after the same one.
                turn = repeat % len(chosen.engines)
                for engine in [*chosen.engines[turn:], *chosen.engines[:turn]]:
                    bench.network(engine, network, SECONDS[network] * factor, repeat)
        if chosen.scaling:
            bench.scaling([e for e in chosen.engines if e in ("brian2", "plastica")], chosen.quick)
    report = {"machine": machine(), "measurements": bench.rows, "scaling": bench.scaled}
    (chosen.out / "bench.json").write_text(json.dumps(report, indent=1))
    text = tables(report)
    (chosen.out / "bench.md").write_text(text)
    draw(report, chosen.out / "bench")
    print(text)
    print(f"Written to {chosen.out}: bench.md, bench.json, bench.png, bench.pdf")


class Bench:
    """Runs measurements and collects them; what an engine lacks is said once."""

    def __init__(self, scratch):
        self.scratch, self.rows, self.scaled, self.missing = scratch, [], [], set()
        self.cache = scratch / "cache"
        self.cache.mkdir(mode=0o700)

    def measure(self, engine, network, seconds, folder, *options):
        # The compiler's header is made once per machine; what belongs to a circuit is made again, except by a
        # second build.
        if "--edited" not in options:
            shutil.rmtree(self.cache / "symbolic", ignore_errors=True)
        command = [
            sys.executable,
            str(HERE / "measure.py"),
            engine,
            network,
            str(seconds),
            str(folder),
            *options,
        ]
        environment = os.environ | {"PLASTICA_CACHE": str(self.cache)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        result = json.loads(done.stdout.splitlines()[-1])
        if "missing" in result:
            if result["missing"] not in self.missing:
                self.missing.add(result["missing"])
                print(f"Left out: {result['missing']}.", flush=True)
            return None
        return result

    def warm_up(self, engines):
        if "plastica" in engines:
            self.measure("plastica", "CUBA", 1.0, self.scratch / "warm", "--build-only")

    def network(self, engine, network, seconds, repeat):
        folder = self.scratch / f"{engine}-{network}"
        shutil.rmtree(folder, ignore_errors=True)
        result = self.measure(engine, network, seconds, folder)
        if result is None:
            return
        row = {"engine": engine, "network": network, "seconds": seconds, "repeat": repeat} | result
        if engine in ("brian2", "plastica"):
            again = self.measure(engine, network, seconds, folder, "--edited", "--build-only")
            row["second build"] = again["generation"] + again["compilation"]
        self.rows.append(row)
        print(f"{network:9s} {NAMES[engine]:9s} {summary(row)}", flush=True)

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
    phases = ", ".join(f"{phase} {row[phase]:.2f}" for phase in PHASES if phase in row)
    return f"{phases} s; {row['spikes']} spikes, {row['memory']:.0f} MiB"


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


# ---- tables
# ---------------------------------------------------------------------------------------------------------


def median(rows, engine, network, phase):
    values = [
        row[phase] for row in rows if (row["engine"], row["network"]) == (engine, network) and phase in row
    ]
    return statistics.median(values) if values else None


def build(rows, engine, network):
    parts = [median(rows, engine, network, phase) for phase in ("generation", "compilation")]
    return None if None in parts else sum(parts)


def ratio(rows, engine, other, network, phase):
    """The median over repetitions of engine's time over the other's, each pair from the same repetition."""
    by = {(row["engine"], row["repeat"]): row for row in rows if row["network"] == network}
    pairs = []
    for (name, repeat), row in by.items():
        partner = by.get((other, repeat))
        if name == engine and partner:
            times = [sum(r.get(p, 0.0) for p in phase) for r in (row, partner)]
            if times[1]:
                pairs.append(times[0] / times[1])
    return statistics.median(pairs) if pairs else None


def cell(value, digits=2):
    return "" if value is None else f"{value:.{digits}f}"


def tables(report):
    rows, host = report["measurements"], report["machine"]
    lines = [
        f"{host['processor']}, {host['processors']} processors, {host['system']}, Python {host['python']}, "
        f"{host['compiler']}. Medians; seconds; one thread, compilation with two jobs.",
        "",
        "| network | simulator | " + " | ".join(PHASES) + " | second build | MiB | spikes |",
        "|---" * 10 + "|",
    ]
    networks = list(dict.fromkeys(row["network"] for row in rows))
    engines = [engine for engine in ENGINES if any(row["engine"] == engine for row in rows)]
    for network in networks:
        seconds = next(row["seconds"] for row in rows if row["network"] == network)
        for engine in engines:
            if median(rows, engine, network, "loop") is None:
                continue
            times = [cell(median(rows, engine, network, phase)) for phase in (*PHASES, "second build")]
            memory = cell(median(rows, engine, network, "memory"), 0)
            spikes = cell(median(rows, engine, network, "spikes"), 0)
            lines.append(
                f"| {network}, {seconds:g} s | {NAMES[engine]} | {' | '.join(times)} | {memory} | {spikes} |"
            )
    lines += [
        "",
        "| Plastica over | Brian2: build | second build | loop | by hand: loop |",
        "|---|---|---|---|---|",
    ]
    for network in networks:
        ratios = [
            ratio(rows, "plastica", "brian2", network, ("generation", "compilation")),
            ratio(rows, "plastica", "brian2", network, ("second build",)),
            ratio(rows, "plastica", "brian2", network, ("loop",)),
            ratio(rows, "plastica", "floor", network, ("loop",)),
        ]
        lines.append(f"| {network} | {' | '.join(cell(value, 3) for value in ratios)} |")
    if report["scaling"]:
        lines += ["", "| cells | synapses | simulator | ns per cell and step | ns per synaptic event | MiB |"]
        lines.append("|---|---|---|---|---|---|")
        for row in report["scaling"]:
            step, event = costs(row, report["scaling"])
            lines.append(
                f"| {row['cells']:.0e} | {row['cells'] * row['targets']:.0e} | {NAMES[row['engine']]} "
                f"| {cell(step)} | {cell(event)} | {row['memory']:.0f} |"
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


def draw(report, path):
    """Phases of a cold run, the loop over Brian2's and, where measured, cost by size."""
    from analysis import plots

    rows, scaled = report["measurements"], report["scaling"]
    networks = list(dict.fromkeys(row["network"] for row in rows))
    engines = [e for e in ENGINES if e != "floor" and any(row["engine"] == e for row in rows)]
    layout = "AB;CD" if scaled else "AB"
    titles = {"A": "From the script to the results", "B": "Simulation loop relative to Brian2"}
    if scaled:
        titles |= {"C": "Cost of a cell", "D": "Cost of a synaptic event"}
    repeats = 1 + max((row["repeat"] for row in rows), default=0)
    title = f"{report['machine']['processor']}, one thread; medians of {repeats}"
    fig, axes = plots.figure(layout, 5.0 if scaled else 2.8, titles=titles, title=title)
    with plots.style():
        bars = [(network, engine) for network in networks for engine in engines]
        bars = [bar for bar in bars if median(rows, bar[1], bar[0], "loop") is not None]
        left = [0.0] * len(bars)
        for phase, color in zip(PHASES, plots.PALETTE, strict=False):
            width = [median(rows, engine, network, phase) or 0.0 for network, engine in bars]
            axes["A"].barh(range(len(bars)), width, left=left, color=color, label=phase)
            left = [a + b for a, b in zip(left, width, strict=True)]
        axes["A"].set_yticks(range(len(bars)), [f"{network}, {NAMES[engine]}" for network, engine in bars])
        axes["A"].invert_yaxis()
        axes["A"].set(xlabel="time (s)", xlim=(0, 1.55 * max(left, default=1.0)))  # room for the legend
        axes["A"].legend(loc="center right")
        others = [e for e in ENGINES if e != "brian2" and any(row["engine"] == e for row in rows)]
        for k, engine in enumerate(others):
            places = [x + 0.8 * (k - (len(others) - 1) / 2) / len(others) for x in range(len(networks))]
            values = [
                ratio(rows, engine, "brian2", network, ("loop",)) or float("nan") for network in networks
            ]
            axes["B"].bar(places, values, 0.8 / len(others), label=NAMES[engine])
        axes["B"].axhline(1.0, color=plots.GREY, lw=0.8)
        logarithmic(axes["B"])
        axes["B"].set_xticks(range(len(networks)), networks)
        axes["B"].set_ylabel("loop / loop of Brian2")
        axes["B"].legend()
        for engine in [e for e in ENGINES if any(row["engine"] == e for row in scaled)]:
            mine = [row for row in scaled if row["engine"] == engine]
            cells = [(row["cells"], costs(row, scaled)[0]) for row in mine if not row["targets"]]
            events = [
                (row["cells"] * row["targets"], costs(row, scaled)[1]) for row in mine if row["targets"]
            ]
            axes["C"].loglog(*zip(*cells, strict=True), "o-", label=NAMES[engine])
            if events:
                axes["D"].loglog(*zip(*events, strict=True), "o-", label=NAMES[engine])
        if scaled:
            axes["C"].set(xlabel="cells", ylabel="ns per cell and step")
            axes["D"].set(xlabel="synapses", ylabel="ns per event")
            logarithmic(axes["C"])
            logarithmic(axes["D"])
            axes["C"].legend()
    for suffix in (".png", ".pdf"):
        fig.savefig(path.with_suffix(suffix))


if __name__ == "__main__":
    main()
