"""What plastic synapses cost: Poisson inputs of 15 Hz, all to all onto integrate-and-fire cells, as composed
rules here and written by hand for stock Brian2's standalone device, in turn in one run.

    python benchmarks/rules.py [--seconds 100] [--repeats 3] [--scaling] [--out figures]

The network is STDP-ff of `networks.py`: 1000 inputs, 100 cells, 100,000 synapses with additive STDP. Reported
are the loop's processor time, the spikes of both sides, the mean weight at the end, and the time per synaptic
event (spikes of inputs times targets plus spikes of cells times sources). `--scaling` goes to 10^7 synapses.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from brian2 import Hz, ms, mV, second  # noqa: E402

import engine  # noqa: E402
from circuits import (  # noqa: E402
    Cell,
    Circuit,
    poisson,
    population,
    projection,
    signal,
    spikes,
    synapses,
    weights,
    wiring,
)
from plasticity import (  # noqa: E402
    compose,
    consolidation,
    hard,
    homeostasis,
    metaplasticity,
    neuromodulation,
    stdp,
)

CELL = Cell(
    "leaky",
    """dv/dt = (ge*(Ee - v) + El - v)/taum : volt
       dge/dt = -ge/taue : 1""",
    params=dict(taum=10 * ms, taue=5 * ms, Ee=0 * mV, Vt=-54 * mV, Vr=-60 * mV, El=-74 * mV),
    threshold="v > Vt",
    reset="v = Vr",
    method="euler",
    init={"v": -70 * mV},
)
THIRD_FACTOR = dict(tonic=0.1, eta=1 * Hz)


def network(*rules, inputs=1000, cells=100, w_max=0.01, per_neuron=True):
    """The network with additive STDP and further rules; with a third factor, dopamine once a second."""
    pair = stdp.pair(A_plus=0.01 * w_max, A_minus=0.0105 * w_max)
    synapse = compose(
        pair,
        *rules,
        synapse=synapses.delta("ge", w="rand()*w_max"),
        bounds=hard(0, w_max),
        per_neuron=per_neuron,
    )
    parts = {}
    if any(rule.sink for rule in rules):
        parts = dict(
            dopamine=population(neuromodulation.dopamine(), 1),
            da=signal("dopamine.d", "cells"),
            rewards=poisson(1, 1 * Hz),
            reward=projection("rewards", "dopamine", synapses.delta("d", 0.5), wiring.all_to_all()),
        )
    return Circuit(
        inputs=poisson(inputs, 15 * Hz),
        cells=population(CELL, cells),
        exc=projection("inputs", "cells", synapse, wiring.all_to_all()),
        record=[spikes("inputs"), spikes("cells"), weights("exc", "w")],
        **parts,
    )


def networks():
    third = neuromodulation.eligibility(**THIRD_FACTOR)
    slow = (
        homeostasis.scaling(goal=35 * Hz),
        metaplasticity.falling_rate(),
        consolidation.reference(),
    )
    return {
        "STDP": network(),
        "STDP, traces per synapse": network(per_neuron=False),
        "dopamine": network(third),
        "dopamine, scaling, metaplasticity, consolidation": network(third, *slow),
    }


def measured(circuit, seconds, seed):
    recording = engine.run(circuit, seconds * second, seed=seed)
    pre, post = (recording.spikes[name] for name in ("inputs", "cells"))
    events = len(pre.t) * post.n + len(post.t) * pre.n
    w = recording.weights["exc.w"].values[-1]
    return {
        "loop": recording.loop_seconds,
        "input_spikes": len(pre.t),
        "output_spikes": len(post.t),
        "mean_w": float(w.mean()),
        "ns_per_event": 1e9 * recording.loop_seconds / events,
    }


def stock(seconds, folder):
    command = [sys.executable, str(HERE / "measure.py"), "brian2", "STDP-ff", str(seconds), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    events = seconds * 15 * 1000 * 100 + (result["spikes"] - seconds * 15 * 1000) * 1000
    return {"loop": result["loop"], "spikes": result["spikes"], "ns_per_event": 1e9 * result["loop"] / events}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=100.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("figures"))
    chosen = parser.parse_args()
    rows = {"stock Brian2": [], **{name: [] for name in networks()}}
    with tempfile.TemporaryDirectory(prefix="plastica-bench-") as scratch:
        for repeat in range(chosen.repeats):
            rows["stock Brian2"].append(stock(chosen.seconds, Path(scratch) / f"stock-{repeat}"))
            for name, circuit in networks().items():
                rows[name].append(measured(circuit, chosen.seconds, seed=1 + repeat))
    scaling = []
    if chosen.scaling:
        # Weights in proportion, so that every size has the same input current.
        for inputs, cells in ((1000, 100), (1000, 1000), (2000, 5000)):
            seconds = chosen.seconds * 100_000 / (inputs * cells)
            circuit = network(inputs=inputs, cells=cells, w_max=0.01 * 1000 / inputs)
            scaling.append({"synapses": inputs * cells} | measured(circuit, seconds, seed=1))
    report = {"seconds": chosen.seconds, "rows": rows, "scaling": scaling}
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "rules.json").write_text(json.dumps(report, indent=1))
    (chosen.out / "rules.md").write_text(table(report))
    print(table(report))


def table(report):
    def median(name, key):
        return statistics.median(row[key] for row in report["rows"][name])

    def ratio(name, other):
        pairs = zip(report["rows"][name], report["rows"][other], strict=True)
        return statistics.median(a["loop"] / b["loop"] for a, b in pairs)

    lines = [
        f"1000 inputs onto 100 cells for {report['seconds']:g} s of model time, one thread; medians.",
        "",
        "| rules | loop, s | ns per event | over stock | over STDP | output spikes |",
        "|---|---|---|---|---|---|",
    ]
    for name in report["rows"]:
        spikes_out = "" if name == "stock Brian2" else f"{median(name, 'output_spikes'):.0f}"
        lines.append(
            f"| {name} | {median(name, 'loop'):.2f} | {median(name, 'ns_per_event'):.1f} | "
            f"{ratio(name, 'stock Brian2'):.3f} | {ratio(name, 'STDP'):.2f} | {spikes_out} |"
        )
    if report["scaling"]:
        lines += ["", "| synapses | ns per event |", "|---|---|"]
        lines += [f"| {row['synapses']:.0e} | {row['ns_per_event']:.1f} |" for row in report["scaling"]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
