"""The compiled backend: lowers a plan on the standalone device, adds what a program needs around the loop,
and builds it.

The generated main reads numbers at the places that `lower` names, draws with the run's seed, starts trials,
and writes the recordings; the rest is Brian2's code.
"""

import json
import os
import platform
import re
import shutil
import time
from pathlib import Path

import brian2
from brian2 import Clock, defaultclock, second
from brian2.core.variables import DynamicArrayVariable
from brian2.devices.device import get_device, reset_device, set_device

from circuits.plan import MOST_STEPS
from circuits.values import unit_text

from . import device as fast_device
from . import symbolic
from .errors import BuildError, said
from .lower import NEVER, connect, lower, quiet, state_variables
from .program import file_digest

SOURCES = Path(__file__).parent / "cpp"
DEVICE = "fast_standalone"


class StandaloneBackend:
    """Writes numbers and seeds as lines of the generated main."""

    def __init__(self, device):
        self.device = device
        self.again = []  # lines that give a trial the parameters that it has of its own
        self.before_run = []  # lines that come after what Brian2 itself sets up for a run

    def line(self, text):
        self.device.insert_code("main", text)

    def where(self, variable):
        """The C++ arguments that name a variable's memory: a vector, or a pointer and a size."""
        name = self.device.get_array_name(variable, access_data=False)
        return name if isinstance(variable, DynamicArrayVariable) else f"{name}, {variable.size}"

    def number(self, built, slot):
        if slot.group in built.timed:
            call = f'("{slot.number}", {slot.group}_values, {slot.size});'
        elif (
            slot.integer and slot.size is not None
        ):  # the pairs of a projection are written where they are wired
            return
        elif slot.size is None:
            group = built.groups[slot.group]
            if slot.variable == "i":
                self.before_run.append(
                    f'numbers.fill("{slot.group}.who", {self.where(group.variables["neuron_index"])});'
                )
            else:
                self.before_run.append(
                    f'numbers.fill("{slot.group}.bins", {self.where(group.variables["_timebins"])});'
                )
            return
        else:
            call = f'("{slot.number}", {self.where(built.view(slot).variable)});'
        self.line(f"numbers.set{call}")
        if slot.phase != "at start" and not slot.frozen:
            self.again.append(f"numbers.again{call}")

    def seed(self, which):
        self.line(f'numbers.seed("seed.{which}", _random_generators);')

    def connect(self, built, plan):
        before = len(self.device.main_queue)
        connect(built.synapses[plan.name], plan)
        if not plan.pairs:
            return
        # The pairs stand in static arrays that main copies: overwrite these first.
        arrays = {}
        for place, (function, arguments) in enumerate(self.device.main_queue[before:], before):
            for end, label in (("sources", "i"), ("targets", "j")):
                if function == "set_by_array" and re.search(rf"_{end}(_\d+)?$", arguments[0]):
                    arrays[label] = (arguments[1], before)
                if function == "set_by_single_value" and re.search(rf"_{end}(_\d+)?$", arguments[0]):
                    arrays[label] = (arguments[0], place + 1)  # a single pair is set in place
        for label, (name, place) in sorted(arrays.items(), key=lambda item: -item[1][1]):
            text = f'numbers.set("{plan.name}.{label}", {name}, {plan.pairs});'
            self.device.main_queue.insert(place, ("insert_code", text))
        if len(arrays) != 2:
            raise BuildError(
                f"Projection {plan.name!r}: this Brian2 ({brian2.__version__}) stores explicit pairs in a "
                "way that is not known here."
            )

    def only_when_called(self, synapses, code, **options):
        """Code whose clock never comes: main calls it where weights are recorded."""
        never = Clock(NEVER, name=f"{options['name']}_clock")
        return synapses.run_regularly(code, clock=never, **options)

    def period(self, clock, variable, factor, dt):
        """How often something happens: a multiple of a parameter, in whole steps."""
        every, period = (self.device.get_array_name(v) for v in (clock.variables["dt"], variable))
        self.before_run.append(f"{every}[0] = plastica::whole_steps({factor!r}*{period}[0], {dt!r});")

    def start_trial(self, built):
        for plan in built.plan.synapses.values():
            if plan.delay == "each":
                name = self.where(built.synapses[plan.name].pre.variables["delay"])
                self.line(
                    f'plastica::check_delays("{plan.name}.delay", {name}, {MOST_STEPS * built.plan.dt!r});'
                )
        self.line("size_t trial = 0;")
        self.line("plastica::fork_trials(numbers, trial);")
        for text in self.again:
            self.line(text)


def compile_plan(plan, key, folder):
    """Build the program of a plan into an empty folder; the manifest is written last.

    Raises
    ------
    BuildError
        If Brian2 or the compiler cannot make a program of it.
    """
    fast_device.register()
    previous_dt = defaultclock.dt
    set_device(DEVICE, build_on_run=False, directory=str(folder))
    device = get_device()
    timing = {}
    try:
        device.reinit()
        device.activate(build_on_run=False, directory=str(folder))
        defaultclock.dt = plan.dt * second
        started = time.perf_counter()
        device.headers.append('"plastica.h"')
        for name in ("plastica.h", "plastica.cpp"):
            shutil.copy(SOURCES / name, folder / name)
        device.insert_code(
            "before_start",
            "plastica::Numbers numbers;\n    numbers.load(args.at(0).c_str());\n    plastica::Results "
            "results;",
        )
        backend = StandaloneBackend(device)
        with quiet(), symbolic.of_circuit():
            built = lower(plan, backend)
            _run_and_write(device, backend, built)
        timing["generation"] = time.perf_counter() - started
        started = time.perf_counter()
        device.build(
            directory=str(folder),
            compile=True,
            run=False,
            with_output=False,
            additional_source_files=["plastica.cpp"],
        )
        timing["compilation"] = time.perf_counter() - started
    except (BuildError, OSError):
        raise
    except Exception as error:
        raise BuildError(f"The circuit cannot be compiled: {said(error)}") from error
    finally:
        device.reinit()
        reset_device()
        defaultclock.dt = previous_dt
    _write_manifest(plan, key, folder, timing)


def _run_and_write(device, backend, built):
    """The run itself with its snapshots, and the writing of everything recorded."""
    device.run_args_applied = True  # numbers come from a file; the command line holds none
    built.network.run(1 * second, namespace={})
    network = built.network
    position = next(k for k, (kind, _) in enumerate(device.main_queue) if kind == "run_network")
    _, (_, lines) = device.main_queue[position]
    calls = [k for k, text in enumerate(lines) if text.startswith(f"{network.name}.run(")]
    if len(calls) != 1:
        raise BuildError(
            f"This Brian2 ({brian2.__version__}) generates a run in a way that is not known here."
        )
    clock = device.get_array_name(defaultclock.variables["t"])
    snapshots, columns = _snapshots(backend, built)
    loop = f"""
        const double duration = numbers.scalar("duration");
        results.open(args.at(1) + "/" + std::to_string(trial));
        double loop = 0.0, now = 0.0;
        {columns}
        plastica::Reporter reporter;
        if (numbers.trials() <= 1) reporter.start({clock}, duration, numbers.scalar("progress"));
        while (true) {{
            double next = duration;
            {snapshots}
            if (now >= duration) break;
            {network.name}.run(next - now, NULL, 1e9);
            loop += Network::_last_run_time;
            now = next;
            if (Network::_globally_stopped) {{ now = -1.0; break; }}
        }}
        reporter.stop();
        results.put("completed", now);
        results.put("loop", loop);"""
    lines = [*lines[: calls[0]], *backend.before_run, *loop.split("\n"), *lines[calls[0] + 1 :]]
    device.main_queue[position] = ("run_network", (network, lines))
    for text in [*_outputs(backend, built), "results.close();", "std::fflush(nullptr);", "std::_Exit(0);"]:
        backend.line(text)


def _snapshots(backend, built):
    """Code that stores weights whenever they are due and shortens `next` to the following time."""
    code, declarations = [], []
    for k, recorder in enumerate(built.plan.recorders):
        if recorder["kind"] != "weights":
            continue
        synapses = built.synapses[recorder["part"]]
        variable = (
            synapses.pre.variables["delay"]
            if recorder["variable"] == "delay"
            else synapses.variables[recorder["variable"]]
        )
        where = backend.where(variable)
        chosen = recorder["index"] is not None
        if chosen:
            index = ", ".join(str(i) for i in recorder["index"])
            declarations.append(f"const std::vector<int32_t> index_{k} = {{{index}}};")
        declarations.append(f"std::vector<double> times_{k};")
        put = (
            f'results.put_chosen("{k}.at." + std::to_string(times_{k}.size()), {where}, index_{k});'
            if chosen and isinstance(variable, DynamicArrayVariable)
            else f'results.put("{k}.at." + std::to_string(times_{k}.size()), {where});'
        )
        around = [built.around.get((recorder["part"], what)) for what in ("settle", "unsettle")]
        calls = ["" if runner is None else f"_run_{runner.codeobj.name}();" for runner in around]
        put = f"{calls[0]} {put} {calls[1]}"
        due = (
            "now >= duration"
            if recorder["every"] is None
            else f"now >= duration || now >= times_{k}.size()*{recorder['every']!r} - 1e-9"
        )
        code.append(f"if ({due}) {{ {put} times_{k}.push_back(now); }}")
        if recorder["every"] is not None:
            code.append(
                f"if (times_{k}.size()*{recorder['every']!r} < next - 1e-9) next = "
                f"times_{k}.size()*{recorder['every']!r};"
            )
    return "\n            ".join(code), "\n        ".join(declarations)


def _outputs(backend, built):
    """Lines that write what the recorders hold, under the names that `recording.assemble` reads."""
    lines, device = [], backend.device
    for k, recorder in enumerate(built.plan.recorders):
        kind = recorder["kind"]
        if kind == "weights":
            synapses = built.synapses[recorder["part"]]
            lines.append(f'results.put("{k}.t", times_{k});')
            for label, offset, variable in (
                ("i", synapses.source.start, "_synaptic_pre"),
                ("j", synapses.target.start, "_synaptic_post"),
            ):
                name = backend.where(synapses.variables[variable])
                lines.append(f"std::vector<int32_t> {label}_{k}({name});")
                lines.append(f"for (auto& index : {label}_{k}) index -= {offset};")
                put = (
                    f'put_chosen("{k}.{label}", {label}_{k}, index_{k})'
                    if recorder["index"]
                    else f'put("{k}.{label}", {label}_{k})'
                )
                lines.append(f"results.{put};")
            continue
        monitor = built.monitors[k]
        t = backend.where(monitor.variables["t"])
        lines.append(f'results.put("{k}.t", {t});')
        if kind == "trace":
            rows = device.get_array_name(monitor.variables[recorder["variable"]], access_data=False)
            lines.append(f'results.put_rows("{k}.values", {rows}, {t}.size(), {rows}.m);')
        else:
            name = "i" if kind == "spikes" else "rate"
            lines.append(f'results.put("{k}.{name}", {backend.where(monitor.variables[name])});')
    for label, variable in state_variables(built):
        lines.append(f'results.check("{label}", {backend.where(variable)});')
    return lines


def _write_manifest(plan, key, folder, timing):
    numbers = {
        s.number: {
            "unit": unit_text(s.dim),
            "dims": [float(d) for d in s.dim._dims],
            "size": s.size,
            "integer": s.integer,
            "frozen": s.frozen,
            "shared": s.shared,
            "bounds": [s.low, s.high, s.whole],
            "shape": None if s.shape is None else list(s.shape),
        }
        for s in plan.slots
        if s.number
    }
    manifest = {
        "key": key,
        "dt": plan.dt,
        "numbers": numbers,
        "sources": {g.name: g.n for g in plan.groups.values() if g.kind == "spike_trains"},
        "recorders": plan.recorders,
        "binary": file_digest(folder / "main"),
        "binary_size": os.path.getsize(folder / "main"),
        "versions": {"brian2": brian2.__version__, "python": platform.python_version()},
        "build_seconds": timing,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
