"""The interpreted backend: the same lowering on Brian2's runtime with numpy, for machines without a
compiler and for tests.

Results agree with the compiled backend wherever nothing is drawn; what is drawn comes from numpy's
generator, so wiring and noise differ in detail and agree in distribution.
"""

import time

import numpy as np
from brian2 import NetworkOperation, defaultclock, second
from brian2 import seed as seed_generators
from brian2.core.preferences import prefs
from brian2.devices.device import reset_device, set_device

from circuits.plan import MOST_STEPS, out_of_bounds

from . import device, symbolic
from .errors import BuildError, EngineError, NonFiniteError, NumbersError, said
from .lower import connect, lower, quiet, state_variables
from .program import _spike_bins, _words
from .recording import Recording, assemble


class InterpretedBackend:
    """Writes numbers into the variables of the running objects."""

    def __init__(self, numbers, seed, trial, duration):
        self.numbers, self.seed_number, self.trial = numbers, seed, trial
        self.duration = max(duration, float(defaultclock.dt))

    def number(self, built, slot):
        value = self.numbers.get(slot.number, slot.value)
        if slot.group in built.timed:
            timed = built.timed[slot.group]
            timed.values[...] = np.reshape(value, timed.values.shape)
        elif slot.integer and slot.size is not None:
            return
        elif slot.size is None:
            if slot.variable == "i":
                self._spikes(built.groups[slot.group], slot)
        else:
            built.view(slot).variable.set_value(value)

    def _spikes(self, group, slot):
        section = {f"{slot.group}.{x}": self.numbers[f"{slot.group}.{x}"] for x in "it"}
        made = _spike_bins(None, section, float(defaultclock.dt), {slot.group: len(group)}, "")
        # times in the middle of their step: no rounding can move them
        group.set_spikes(
            made[f"{slot.group}.who"],
            (made[f"{slot.group}.bins"] + 0.5) * float(defaultclock.dt) * second,
            sorted=True,
        )

    def seed(self, which):
        key = (0,) if which == "wiring" else (1, self.trial)
        seed_generators(int(_words(self.seed_number, key)[0]))

    def connect(self, built, plan):
        synapses = built.synapses[plan.name]
        if plan.pairs:
            i, j = (np.asarray(self.numbers[f"{plan.name}.{x}"], dtype=np.int32) for x in "ij")
            synapses.connect(i=i, j=j, namespace={})
        else:
            connect(synapses, plan)

    def only_when_called(self, synapses, code, **options):
        runner = synapses.run_regularly(code, **options)
        runner.active = False
        return runner

    def period(self, clock, variable, factor, dt):
        """How often something happens: a multiple of a parameter, in whole steps."""
        wanted = factor * np.asarray(variable.get_value()).item()
        if not 0 < wanted < np.inf:
            raise NumbersError(f"Something is to happen every {wanted} s; that must be a positive time.")
        # Brian2 stops at once where a clock's step is very much longer than the run.
        clock.dt_ = max(1.0, np.round(min(wanted, 2 * self.duration) / dt)) * dt

    def start_trial(self, built):
        for plan in built.plan.synapses.values():
            if plan.on_pre:
                delays = np.asarray(built.synapses[plan.name].pre.delay)
                wrong = out_of_bounds(delays, 0, MOST_STEPS * built.plan.dt, False)
                if wrong:
                    raise NumbersError(f"{plan.name}.delay: {wrong}")


def run_interpreted(circuit, duration, seed, trials):
    """The recording, or one per trial; arguments as in `simulate.run`, in SI units."""
    plan, base = circuit.plan, circuit.numbers()
    if trials is None:
        return _run(plan, base, duration, seed, 0)
    for k, trial in enumerate(trials):
        for slot in plan.slots:
            if slot.frozen and slot.number in trial:
                raise NumbersError(
                    f"Trial {k}: {slot.number} takes part in drawing the wiring or parameters, which all "
                    "trials share. Run it apart."
                )
    if not trials:
        raise NumbersError("There are no trials: the list is empty. Give at least one, such as [{}].")
    recordings = []
    for k, trial in enumerate(trials):
        trial = dict(trial)
        length = trial.pop("duration", duration)
        try:
            recordings.append(_run(plan, {**base, **trial}, length, seed, k))
        except NonFiniteError as error:
            error.recordings = [*recordings, error.recording]
            raise
    return recordings


def _run(plan, numbers, duration, seed, trial):
    previous_dt, previous_target = defaultclock.dt, prefs.codegen.target
    device.register()
    set_device("runtime")
    try:
        prefs.codegen.target = "numpy"
        defaultclock.dt = plan.dt * second
        with quiet(), symbolic.of_circuit():
            built = lower(plan, InterpretedBackend(numbers, seed, trial, duration))
            results, started = {}, time.perf_counter()
            _run_and_record(built, duration, results)
        loop = time.perf_counter() - started
        recording = Recording(
            duration, plan.dt, int(seed), trial, numbers=numbers, backend="interpreted", loop_seconds=loop
        )
        _collect(built, results)
        assemble(recording, plan.recorders, results)
        wrong = [
            (label, np.flatnonzero(~np.isfinite(np.atleast_1d(v.get_value()))))
            for label, v in state_variables(built)
            if np.issubdtype(np.asarray(v.get_value()).dtype, np.floating)
        ]
        wrong = [
            f"{label} ({len(where)} values, the first at index {where[0]})"
            for label, where in wrong
            if len(where)
        ]
        if wrong:
            raise NonFiniteError(
                f"After {duration:g} s these states are NaN or infinite: {', '.join(wrong)}. The equations "
                "ran away: take a smaller dt, another "
                f"method, or bounded parameters. What was recorded is in error.recording.",
                recording,
            )
        return recording
    except (EngineError, MemoryError):
        raise
    except Exception as error:
        raise BuildError(f"The circuit cannot be run: {said(error)}") from error
    finally:
        prefs.codegen.target = previous_target
        reset_device()
        defaultclock.dt = previous_dt


def _run_and_record(built, duration, results):
    """Run once, with snapshots of weights at the beginning of the steps at which they are due."""
    recorders = {k: r for k, r in enumerate(built.plan.recorders) if r["kind"] == "weights"}
    times = {k: [] for k in recorders}
    prepared = set()

    def snapshot(k, now):
        recorder = recorders[k]
        variable = _synaptic(built, recorder)
        _around(built, recorder, "settle", prepared)
        values = np.array(variable.get_value())
        # what all synapses share has one value, whichever are recorded
        results[f"{k}.at.{len(times[k])}"] = values if variable.scalar else _chosen(values, recorder)
        _around(built, recorder, "unsettle", prepared)
        times[k].append(now)

    def due():
        now = defaultclock.variables["t"].get_value().item()
        for k, recorder in recorders.items():
            following = np.inf if recorder["every"] is None else len(times[k]) * recorder["every"]
            if now > following - 0.5 * built.plan.dt:
                snapshot(k, following)

    if any(recorder["every"] is not None for recorder in recorders.values()):
        built.network.add(NetworkOperation(due, clock=defaultclock, when="before_start", order=-(10**6)))
    # Before its first run a clock's time is whatever stood in memory; what is recorded at the start reads it.
    defaultclock.set_interval(0 * second, 0 * second)
    built.network.run(duration * second, namespace={})
    for k in recorders:
        snapshot(k, duration)
        results[f"{k}.t"] = np.array(times[k])


def _around(built, recorder, what, prepared):
    """Bring synapses up to date before they are recorded, and put away again what is integrated lazily."""
    runner = built.around.get((recorder["part"], what))
    if runner is not None:
        if runner not in prepared:
            runner.before_run({})
            prepared.add(runner)
        runner.run()


def _synaptic(built, recorder):
    synapses = built.synapses[recorder["part"]]
    return (
        synapses.pre.variables["delay"]
        if recorder["variable"] == "delay"
        else synapses.variables[recorder["variable"]]
    )


def _chosen(values, recorder):
    if recorder["index"] is None:
        return values
    if max(recorder["index"]) >= len(values):
        raise NumbersError(
            f"{recorder['label']}: index {max(recorder['index'])}, but there are {len(values)} synapses."
        )
    return values[recorder["index"]]


def _collect(built, results):
    for k, recorder in enumerate(built.plan.recorders):
        if recorder["kind"] == "weights":
            synapses = built.synapses[recorder["part"]]
            results[f"{k}.i"] = _chosen(np.array(synapses.i), recorder)
            results[f"{k}.j"] = _chosen(np.array(synapses.j), recorder)
            continue
        monitor = built.monitors[k]
        results[f"{k}.t"] = np.array(monitor.t_)
        if recorder["kind"] == "spikes":
            results[f"{k}.i"] = np.array(monitor.i)
        elif recorder["kind"] == "rate":
            results[f"{k}.rate"] = np.array(monitor.rate_)
        else:
            results[f"{k}.values"] = np.array(monitor.variables[recorder["variable"]].get_value())
