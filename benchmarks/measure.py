"""One network, once, on one simulator, in a process of its own; prints what each phase took as JSON.

    python measure.py ENGINE NETWORK SECONDS FOLDER [--edited] [--build-only]
                      [--scale CELLS TARGETS]

ENGINE is brian2 (its standalone device), plastica (ours), nest, annarchy or floor (a program written by
hand). Phases, in seconds of wall clock but for the loop of the Brian2 devices, which is what their program
reports: import, generation (from the script to the sources, or building the network in memory), compilation,
loop, reading. `memory` is the peak of the process that simulates, in MiB.
"""

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENGINES = ("floor", "brian2", "plastica", "nest", "annarchy")


class Phases(dict):
    """Seconds by phase: `done(name)` ends a phase and begins the next one."""

    def __init__(self):
        super().__init__()
        self.started = time.perf_counter()

    def done(self, name):
        now = time.perf_counter()
        self[name] = now - self.started
        self.started = now


def brian(device_name, chosen):
    phases = Phases()
    import brian2

    if device_name == "fast_standalone":
        sys.path.insert(0, str(HERE.parent))
        import engine  # noqa: F401  (registers the device)
    phases.done("import")
    import networks

    brian2.set_device(device_name, build_on_run=False)
    brian2.seed(1)
    # Two jobs of make, as few as all machines have.
    brian2.prefs.devices.cpp_standalone.extra_make_args_unix = ["-j2"]
    peak = chosen.folder / "peak"
    command = [sys.executable, str(HERE / "measure.py"), "peak", str(peak), "./main"]
    brian2.prefs.devices.cpp_standalone.run_cmd_unix = command
    if chosen.scale:
        net, monitors = networks.scaling(*chosen.scale)
    else:
        net, monitors = networks.NETWORKS[chosen.network](chosen.edited)
    net.run(chosen.seconds * brian2.second, namespace={})
    device = brian2.get_device()
    device.build(directory=str(chosen.folder / "project"), run=False, with_output=False)
    phases.done("generation")
    phases["compilation"] = device.timers["compile"]["make"]
    phases["generation"] -= phases["compilation"]
    if not chosen.build_only:
        device.run(with_output=False)
        phases.done("process")
        phases["loop"] = device._last_run_time
        spikes = sum(int(monitor.num_spikes) for monitor in monitors)
        for monitor in monitors:
            if monitor.record:
                len(monitor.t_[:]) + len(monitor.i[:])
        phases.done("reading")
        phases["spikes"], phases["memory"] = spikes, float(peak.read_text())
    return phases


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
    answer = subprocess.run([program, str(seconds)], check=True, capture_output=True, text=True)
    loop, spikes = answer.stdout.split()
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return phases | {"loop": float(loop), "spikes": int(spikes), "memory": memory}


def peer(module, network, folder, seconds):
    phases = Phases()
    try:
        importlib.import_module({"nest": "nest", "annarchy": "ANNarchy"}[module])
    except ImportError:
        return {"missing": f"{module} is not installed"}
    phases.done("import")
    code = importlib.import_module(f"{module}_networks")
    if network not in code.NETWORKS:
        return {"missing": f"{network} is not written for {module}"}
    phases["spikes"] = code.NETWORKS[network](phases, seconds, folder)
    phases["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return phases


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("network")
    parser.add_argument("seconds", type=float)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--edited", action="store_true", help="with one equation changed")
    parser.add_argument("--build-only", action="store_true", help="do not simulate")
    parser.add_argument("--scale", type=int, nargs=2, metavar=("CELLS", "TARGETS"))
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    devices = {"brian2": "cpp_standalone", "plastica": "fast_standalone"}
    if chosen.engine in devices:
        result = brian(devices[chosen.engine], chosen)
    elif chosen.engine == "floor":
        result = floor(chosen.network, chosen.folder, chosen.seconds)
    else:
        result = peer(chosen.engine, chosen.network, chosen.folder, chosen.seconds)
    print(json.dumps(result))


def run_and_report_peak(path, command):
    """Run a program and write its peak memory in MiB to a file."""
    code = subprocess.call(command)
    Path(path).write_text(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024))
    sys.exit(code)


if __name__ == "__main__":
    if sys.argv[1:2] == ["peak"]:
        run_and_report_peak(sys.argv[2], sys.argv[3:])
    main()
