"""64 points of CUBA on two workers: this project's sweep, stock Brian2 both ways, and NEST, in one run.

    python benchmarks/sweep.py [--seconds 1] [--repeats 3] [--engines plastica brian2 run_args nest] [--small]
                               [--points N] [--nest PYTHON] [--out DIR]

The points are a grid over weight, membrane time constant, connection probability and input rate. Engines:

plastica    one `sweep`: wall clock from the call to the finished table, worker start included, program built
brian2      stock standalone, a project built and compiled for every point, two processes side by side
run_args    stock standalone, built once; time constant, weight and rate given with run_args, the
            connection probability, which it cannot change, left as it is; two processes side by side
nest        a process for each worker that builds and simulates one point after the other

`overhead` is the wall clock beyond half of the sum of all simulation loops. --small sweeps 1000 points of 100
cells for 100 ms instead, with this project only. Engines take turns within a repetition, so that a machine
with other work slows all of them alike.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 2
GRID = {
    "w": [1.4, 1.62],  # mV
    "tau_m": [18.0, 22.0],  # ms
    "p": [0.015, 0.02, 0.022, 0.025],
    "rate": [1.0, 4.0, 7.0, 10.0],  # Hz
}
POINTS = [dict(zip(GRID, values, strict=True)) for values in itertools.product(*GRID.values())]

STOCK = """
import sys, time, json
points, seconds, mode = json.loads(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
from brian2 import *
import tempfile
loops = []

def network(point, variables):
    text = '''dv/dt = (ge + gi - (v - El))/taum : volt (unless refractory)
              dge/dt = -ge/taue : volt
              dgi/dt = -gi/taui : volt'''
    names = dict(taue=5*ms, taui=10*ms, Vt=-50*mV, Vr=-60*mV, El=-49*mV)
    if variables:
        text += "\\ntaum : second (shared, constant)"
    else:
        names["taum"] = point["tau_m"]*ms
    P = NeuronGroup(4000, text, threshold="v > Vt", reset="v = Vr", refractory=5*ms, method="exact",
                    namespace=names)
    P.v = "Vr + rand()*(Vt - Vr)"
    model = "we : volt (shared, constant)" if variables else ""
    extra = {} if variables else dict(we=point["w"]*mV)
    Ce = Synapses(P[:3200], P, model, on_pre="ge += we", namespace=extra)
    Ci = Synapses(P[3200:], P, on_pre="gi -= 9*mV")
    Ce.connect(p=point["p"])
    Ci.connect(p=0.02)
    I = NeuronGroup(400, "input_rate : Hz (shared, constant)", threshold="rand() < input_rate*dt")
    I.input_rate = point["rate"]*Hz
    D = Synapses(I, P, on_pre="ge += 0.5*mV")
    D.connect(p=0.02)
    if variables:
        P.taum, Ce.we = point["tau_m"]*ms, point["w"]*mV
    M = SpikeMonitor(P)
    return Network(P, Ce, Ci, I, D, M), P, Ce, I, M

device_seconds = seconds*second
prefs.devices.cpp_standalone.extra_make_args_unix = ["-j1"]
with tempfile.TemporaryDirectory() as folder:
    if mode == "run_args":
        set_device("cpp_standalone", directory=folder, build_on_run=False)
        net, P, Ce, I, M = network(points[0], True)
        net.run(device_seconds, namespace={})
        device.build(run=False, directory=folder)
        for point in points:
            device.run(run_args={P.taum: point["tau_m"]*ms, Ce.we: point["w"]*mV,
                                 I.input_rate: point["rate"]*Hz})
            loops.append(device._last_run_time)
            M.num_spikes
    else:
        for k, point in enumerate(points):
            set_device("cpp_standalone", directory=f"{folder}/{k}", build_on_run=False)
            net, P, Ce, I, M = network(point, False)
            net.run(device_seconds, namespace={})
            device.build(run=True, directory=f"{folder}/{k}")
            loops.append(device._last_run_time)
            M.num_spikes
            device.reinit()
            device.activate()
print(json.dumps(loops))
"""

NEST = """
import sys, time, json
points, seconds = json.loads(sys.argv[1]), float(sys.argv[2])
import nest
loops = []
for k, point in enumerate(points):
    nest.ResetKernel()
    nest.set_verbosity("M_ERROR") if hasattr(nest, "set_verbosity") else None
    nest.SetKernelStatus({"resolution": 0.1, "local_num_threads": 1, "rng_seed": k + 1})
    cell = dict(C_m=200.0, tau_m=point["tau_m"], V_th=-50.0, V_reset=-60.0, E_L=-49.0, t_ref=5.0,
                tau_syn_ex=5.0, tau_syn_in=10.0)
    per_mV = 200.0/point["tau_m"]
    cells = nest.Create("iaf_psc_exp", 4000, cell)
    cells.V_m = nest.random.uniform(-60.0, -50.0)
    inputs = nest.Create("parrot_neuron", 400)
    nest.Connect(nest.Create("poisson_generator", params={"rate": point["rate"]}), inputs,
                 syn_spec={"delay": 0.1})
    exc, inh = (cells[:3200], point["p"], point["w"]), (cells[3200:], 0.02, -9.0)
    for pre, p, w in (exc, inh, (inputs, 0.02, 0.5)):
        nest.Connect(pre, cells, {"rule": "pairwise_bernoulli", "p": p}, {"weight": w*per_mV, "delay": 0.1})
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    nest.Prepare()
    started = time.perf_counter()
    nest.Run(1000*seconds)
    loops.append(time.perf_counter() - started)
    nest.Cleanup()
    recorder.n_events
print(json.dumps(loops))
"""


def plastica(seconds, folder):
    from brian2 import Hz, ms, mV, second

    import engine
    from circuits import balanced, poisson, projection, spikes, synapses, wiring
    from experiments.sweeps import sweep, timings

    drive = projection("input", "cells", synapses.delta("g_e", w=0.5 * mV), wiring.probability(0.02))
    net = balanced.vogels_abbott(record=[spikes("cells")]).with_(input=poisson(400, 5 * Hz), drive=drive)
    engine.build(net)
    over = {
        "exc.w": GRID["w"] * mV, "cells.tau_m": GRID["tau_m"] * ms, "exc.p": GRID["p"],
        "input.rates": GRID["rate"] * Hz,
    }  # fmt: skip
    started = time.perf_counter()
    table = sweep(net, over, duration=seconds * second, folder=folder, workers=WORKERS, progress=False)
    wall = time.perf_counter() - started
    assert (table["error"] == "").all() and len(table) == len(POINTS)
    return wall, timings(folder)["loop_seconds"].sum()


def small(folder):
    """1000 points of 100 cells for 100 ms: wall clock and points per second."""
    from brian2 import ms

    import engine
    from circuits import balanced, spikes
    from experiments.sweeps import sweep

    net = balanced.vogels_abbott(100, p=0.1, record=[spikes("cells")])
    engine.build(net)
    over = {"exc.w": "1:2:20 mV", "inh.w": "-10:-5:10 mV", "cells.tau_m": "15:25:5 ms"}
    started = time.perf_counter()
    table = sweep(net, over, duration=100 * ms, folder=folder, workers=WORKERS, progress=False)
    wall = time.perf_counter() - started
    assert (table["error"] == "").all() and len(table) == 1000
    return wall


def processes(code, points, seconds, *arguments, python=sys.executable):
    """Run the points in WORKERS processes side by side; wall clock and the sum of the loops."""

    def one(some):
        command = [python, "-c", code, json.dumps(some), str(seconds), *arguments]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        return json.loads(done.stdout.splitlines()[-1])

    started = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        loops = list(pool.map(one, [points[k::WORKERS] for k in range(WORKERS)]))
    return time.perf_counter() - started, sum(map(sum, loops))


def nest(points, seconds, python):
    found = subprocess.run([python, "-c", "import nest"], capture_output=True, check=False)
    return None if found.returncode else processes(NEST, points, seconds, python=python)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="model time of a point")
    parser.add_argument("--repeats", type=int, default=3)
    engines = ("plastica", "run_args", "nest", "brian2")
    parser.add_argument("--engines", nargs="+", choices=engines, default=engines)
    parser.add_argument("--points", type=int, default=len(POINTS), help="of the other engines: the first N")
    parser.add_argument("--nest", default=sys.executable, metavar="PYTHON", help="an interpreter with NEST")
    parser.add_argument("--small", action="store_true", help="1000 points of 100 cells instead")
    parser.add_argument("--out", type=Path, help="write the table here as JSON")
    chosen = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    rows, points = [], POINTS[: chosen.points]
    for repeat in range(chosen.repeats):
        if chosen.small:
            with tempfile.TemporaryDirectory() as folder:
                wall = small(Path(folder) / "sweep")
            rows.append({"engine": "plastica, small", "wall": wall, "points_per_second": 1000 / wall})
            print(f"[{repeat + 1}] 1000 small points: {wall:6.2f} s, {1000 / wall:.0f} points/s", flush=True)
            continue
        for engine in chosen.engines:
            if engine == "plastica":
                with tempfile.TemporaryDirectory() as folder:
                    found = plastica(chosen.seconds, Path(folder) / "sweep")
            elif engine == "nest":
                found = nest(points, chosen.seconds, chosen.nest)
            else:
                found = processes(STOCK, points, chosen.seconds, engine)
            if found is None:
                print(f"[{repeat + 1}] {engine:9s} is not installed")
                continue
            wall, loops = found
            load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
            rows.append({"engine": engine, "wall": wall, "loops": loops, "load": load})
            print(
                f"[{repeat + 1}] {engine:9s} wall {wall:7.2f} s, loops/{WORKERS} {loops / WORKERS:6.2f} s, "
                f"overhead {wall - loops / WORKERS:7.2f} s, load {load:.1f}", flush=True,
            )  # fmt: skip
    for name in dict.fromkeys(row["engine"] for row in rows):
        walls = [row["wall"] for row in rows if row["engine"] == name]
        print(f"{name:16s} median {statistics.median(walls):7.2f} s  ({min(walls):.2f} to {max(walls):.2f})")
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / "sweep.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
