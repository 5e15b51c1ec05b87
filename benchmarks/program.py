"""What a call costs around the simulation loop: CUBA for 1 s, here and in stock Brian2 standalone,
interleaved in one run.

    python benchmarks/program.py [--repeats 5] [--out DIR]

Phases: a warm call with a changed number and seed in this process, a fresh worker process that is handed
the program and numbers, a fresh user process that finds the program in the cache; and the loop with every
parameter open against stock's with frozen constants. Times are medians of wall clock; the loop is the
processor time of the generated loop, measured by the same code on both sides.
"""

import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

STOCK = """
from brian2 import *
set_device("cpp_standalone", directory={folder!r}, build_on_run=False)
prefs.devices.cpp_standalone.extra_make_args_unix = ["-j2"]
taum, taue, taui, Vt, Vr, El, tref = 20*ms, 5*ms, 10*ms, -50*mV, -60*mV, -49*mV, 5*ms
P = NeuronGroup(4000, '''dv/dt = (ge + gi - (v - El))/taum : volt (unless refractory)
                         dge/dt = -ge/taue : volt
                         dgi/dt = -gi/taui : volt''',
                threshold="v > Vt", reset="v = Vr", refractory=tref, method="exact")
P.v = "Vr + rand()*(Vt - Vr)"
Ce = Synapses(P, P, on_pre="ge += 1.62*mV")
Ci = Synapses(P, P, on_pre="gi -= 9*mV")
Ce.connect("i < 3200", p=0.02)
Ci.connect("i >= 3200", p=0.02)
M = SpikeMonitor(P)
run(1*second)
device.build(directory={folder!r}, run=False)
"""

WORKER = """
import pickle, sys
program, numbers, seed = pickle.load(sys.stdin.buffer)
recording = program.run(numbers, 1.0, seed=seed)
assert "brian2" not in sys.modules
print(recording.loop_seconds)
"""

USER = """
import time
started = time.perf_counter()
import brian2
imported = time.perf_counter() - started
from brian2 import mV, second
import engine
from circuits import balanced
recording = engine.run(balanced.vogels_abbott(), 1*second, seed=1)
print(recording.loop_seconds, imported)
"""


def seconds(call):
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def python(code, data=b""):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], input=data, capture_output=True, check=True, env=environment
    )
    return [float(x) for x in done.stdout.split()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=None, help="write the table here as JSON")
    chosen = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from brian2 import mV, second

    import engine
    from circuits import balanced

    net = balanced.vogels_abbott()
    built, program = seconds(lambda: engine.build(net))
    print(f"program found or built in {built:.1f} s")
    rows = {
        name: []
        for name in ("warm call", "worker process", "user process", "loop", "stock loop", "loop over stock")
    }
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", STOCK.format(folder=folder)], check=True, capture_output=True)
        for k in range(chosen.repeats):
            changed = net.but({"exc.w": (1.6 + 0.01 * k) * mV})
            wall, recording = seconds(lambda c=changed, s=k: engine.run(c, 1 * second, seed=s))
            rows["warm call"].append(wall - recording.loop_seconds)
            wall, (loop,) = seconds(lambda s=k: python(WORKER, pickle.dumps((program, net.numbers(), s))))
            rows["worker process"].append(wall - loop)
            wall, (loop, imported) = seconds(lambda: python(USER))
            rows["user process"].append(wall - loop - imported)
            rows["loop"].append(engine.run(net, 1 * second, seed=k).loop_seconds)
            subprocess.run(["./main"], cwd=folder, check=True, capture_output=True)
            rows["stock loop"].append(
                float((Path(folder) / "results" / "last_run_info.txt").read_text().split()[0])
            )
            rows["loop over stock"].append(rows["loop"][-1] / rows["stock loop"][-1])
    for name, values in rows.items():
        what = (
            ""
            if name == "loop over stock"
            else " s" + (" beyond the loop" if name.endswith(("call", "process")) else "")
        )
        also = " and the import of Brian2" if name == "user process" else ""
        print(
            f"{name:18s} {statistics.median(values):7.3f}{what}{also}  ({min(values):.3f} to "
            f"{max(values):.3f})"
        )
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / "program.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
