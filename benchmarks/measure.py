"""One network, once, on one simulator, in a process of its own, from the imports to the figure; prints what
each phase took as JSON.

    python measure.py ENGINE NETWORK SECONDS FOLDER [--seed N] [--figure PNG] [--change number|equation]
                      [--build-only] [--scale CELLS TARGETS]

ENGINE is brian2 (its standalone device), plastica (circuits of this project), device (the scripts of brian2
with this project's device), nest, annarchy or floor (a program written by hand). What is compiled in FOLDER a
later call finds there. Phases, in seconds of wall clock: import, generation (from the script to the sources,
or building the network in memory), compilation, reading, figure; `loop` is processor time, which all
simulators report on one thread. `rates` are in Hz, `memory` is the peak of the process that simulates, in
MiB (a program's is known to a few MiB, see `reporting_peak`).
"""

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENGINES = ("floor", "brian2", "device", "plastica", "nest", "annarchy")


class Phases(dict):
    """Seconds by phase: `done(name)` ends a phase and begins the next one."""

    def __init__(self):
        super().__init__()
        self.started = time.perf_counter()

    def done(self, name):
        now = time.perf_counter()
        self[name] = now - self.started
        self.started = now

    @contextmanager
    def loop(self):
        """The simulation of a simulator that runs in this process."""
        started = time.process_time()
        yield
        self["loop"] = time.process_time() - started
        self.done("simulation")


def own_peak():
    """Of this process, in MiB. Linux counts in ru_maxrss what its parent had when it was started."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def reporting_peak(path):
    """What a command begins with so that its peak memory is written to a file.

    A process between this one and the program, as what a process had when it started another one counts for
    that one too: a small one, of some 12 MiB.
    """
    return [sys.executable, "-S", str(HERE / "measure.py"), "peak", str(path)]


def brian(device_name, chosen, phases):
    import brian2

    if device_name == "fast_standalone":
        import engine  # noqa: F401  (registers the device)
    import networks

    phases.done("import")
    brian2.set_device(device_name, build_on_run=False)
    brian2.seed(chosen.seed)
    # Two jobs of make, as few as all machines have.
    brian2.prefs.devices.cpp_standalone.extra_make_args_unix = ["-j2"]
    memory = chosen.folder / "peak"
    brian2.prefs.devices.cpp_standalone.run_cmd_unix = [*reporting_peak(memory), "./main"]
    if chosen.scale:
        net, monitors = networks.scaling(*chosen.scale)
    else:
        options = {"seconds": chosen.seconds} if chosen.network == "liquid" else {}
        net, monitors = networks.NETWORKS[chosen.network](chosen.change, **options)
    net.run(chosen.seconds * brian2.second, namespace={})
    device = brian2.get_device()
    device.build(directory=str(chosen.folder / "project"), run=False, with_output=False)
    phases.done("generation")
    phases["compilation"] = device.timers["compile"]["make"]
    phases["generation"] -= phases["compilation"]
    if chosen.build_only:
        return {}
    device.run(with_output=False)
    phases.done("simulation")
    phases["loop"] = device._last_run_time
    phases["memory"] = float(memory.read_text())
    spikes = {}
    for name, monitor in monitors.items():
        if monitor.record:
            spikes[name] = (monitor.source.N, monitor.t_[:], monitor.i[:])
        else:
            phases["spikes"] = int(monitor.num_spikes)
    phases.done("reading")
    return spikes


def plastica(chosen, phases):
    import plastica_networks
    from brian2 import second

    import engine

    phases.done("import")
    net = plastica_networks.NETWORKS[chosen.network](chosen.change)
    program = engine.build(net)
    phases.done("generation")
    compiled = program.manifest["build_seconds"]["compilation"]
    if phases["generation"] > compiled:  # else it was found in the cache
        phases["compilation"] = compiled
        phases["generation"] -= compiled
    if chosen.build_only:
        return {}
    memory, start = chosen.folder / "peak", subprocess.Popen
    subprocess.Popen = lambda command, **options: start([*reporting_peak(memory), *command], **options)
    if chosen.network == "liquid":
        trials = plastica_networks.trials(chosen.seconds)
        recordings = engine.run(net, chosen.seconds / len(trials) * second, seed=chosen.seed, trials=trials)
    else:
        recordings = [engine.run(net, chosen.seconds * second, seed=chosen.seed)]
    subprocess.Popen = start
    phases.done("simulation")
    phases["loop"] = sum(recording.loop_seconds for recording in recordings)
    phases["memory"] = float(memory.read_text())
    return joined(recordings)


def joined(recordings):
    """The spikes of recordings one after the other in time."""
    import numpy as np

    spikes = {}
    for name, first in recordings[0].spikes.items():
        own = [recording.spikes[name] for recording in recordings]
        times = [s.t + k * recordings[0].duration for k, s in enumerate(own)]
        spikes[name] = (first.n, np.concatenate(times), np.concatenate([s.i for s in own]))
    return spikes


def floor(network, folder, seconds):
    """The program written by hand: compiled with the flags of Brian2 and full fast maths."""
    source = HERE / "floor" / f"{network.lower().replace('-', '_')}.cpp"
    if not source.exists():
        return {"missing": f"no program written by hand for {network}"}
    program = Path(folder) / "floor"
    compiler = os.environ.get("CXX", "g++").split()
    flags = ["-O3", "-march=native", "-ffast-math", "-std=c++17", f"-I{source.parent}"]
    phases = Phases()
    subprocess.run([*compiler, *flags, str(source), "-o", str(program)], check=True)
    phases.done("compilation")
    memory = Path(folder) / "peak"
    command = [*reporting_peak(memory), str(program), str(seconds)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    loop, spikes = answer.stdout.split()
    return phases | {"loop": float(loop), "spikes": int(spikes), "memory": float(memory.read_text())}


def peer(module, chosen, phases):
    try:
        importlib.import_module({"nest": "nest", "annarchy": "ANNarchy"}[module])
    except ImportError:
        return {"missing": f"{module} is not installed"}
    code = importlib.import_module(f"{module}_networks")
    phases.done("import")
    if chosen.network not in code.NETWORKS:
        return {"missing": f"{chosen.network} is not written for {module}"}
    code.SEED = chosen.seed
    folder = [chosen.folder] if module == "annarchy" else []
    spikes = code.NETWORKS[chosen.network](phases, chosen.seconds, *folder, chosen.change)
    phases["memory"] = own_peak()
    return spikes


def raster(spikes, path):
    """The figure of every network: the spikes of all its populations."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots()
    first = 0
    for name, (n, t, i) in spikes.items():
        axes.plot(t, i + first, ",", label=name)
        first += n
    axes.set(xlabel="time (s)", ylabel="cell")
    axes.legend(loc="upper right")
    fig.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("network")
    parser.add_argument("seconds", type=float)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--change", choices=("number", "equation"))
    parser.add_argument("--build-only", action="store_true", help="do not simulate")
    parser.add_argument("--scale", type=int, nargs=2, metavar=("CELLS", "TARGETS"))
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    chosen.folder = chosen.folder.absolute()
    sys.path.insert(1, str(HERE.parent))
    phases = Phases()
    if chosen.engine == "floor":
        print(json.dumps(floor(chosen.network, chosen.folder, chosen.seconds)))
        return
    if chosen.engine in ("brian2", "device"):
        device = {"brian2": "cpp_standalone", "device": "fast_standalone"}[chosen.engine]
        spikes = brian(device, chosen, phases)
    elif chosen.engine == "plastica":
        spikes = plastica(chosen, phases)
    else:
        spikes = peer(chosen.engine, chosen, phases)
    if "missing" in spikes:
        print(json.dumps(spikes))
        return
    if spikes and chosen.figure:
        phases.started = time.perf_counter()
        raster(spikes, chosen.figure)
        phases.done("figure")
    if spikes:
        phases["spikes"] = sum(len(t) for _, t, _ in spikes.values())
        phases["rates"] = {name: len(t) / n / chosen.seconds for name, (n, t, _) in spikes.items()}
    print(json.dumps(phases))


def run_and_report_peak(path, command):
    """Run a program and write its peak memory in MiB to a file."""
    code = subprocess.call(command)
    Path(path).write_text(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024))
    sys.exit(code)


if __name__ == "__main__":
    if sys.argv[1:2] == ["peak"]:
        run_and_report_peak(sys.argv[2], sys.argv[3:])
    main()
