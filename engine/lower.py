"""From a plan to Brian2 objects, in one fixed order of phases; the same for the compiled and the
interpreted backend.

    groups and synapses -> numbers -> seed -> parameters drawn -> wiring -> numbers of synapses -> [a trial
    starts here] -> numbers again, seed -> start values -> run

The order is what makes numbers data: all that is drawn (wiring, heterogeneity, start values, noise) is
drawn by the running program after it has read the numbers that it depends on. A backend says how a number
is written and how generators are seeded.
"""

import logging
from contextlib import contextmanager

import numpy as np
from brian2 import (
    Clock,
    EventMonitor,
    Network,
    NeuronGroup,
    PoissonGroup,
    PopulationRateMonitor,
    SpikeGeneratorGroup,
    StateMonitor,
    Synapses,
    TimedArray,
    second,
)
from brian2.units.fundamentalunits import Quantity

from circuits.cell import METHODS
from circuits.plan import AFTER_WIRING, AT_START, BEFORE_WIRING
from circuits.values import unit_text


class Lowered:
    """The Brian2 objects of a plan, by part name, and the monitors by position of their recorder."""

    def __init__(self, plan):
        self.plan = plan
        self.groups, self.timed, self.synapses, self.monitors = {}, {}, {}, {}
        self.clocks, self.around, self.signals = {}, {}, []
        self.network = None

    def owner(self, name):
        """The group or the synapses of a name."""
        return self.synapses[name] if name in self.synapses else self.groups[name]

    def view(self, slot):
        """The variable view that a slot writes to."""
        if slot.variable == "delay" and slot.group in self.synapses:
            return self.synapses[slot.group].pre.delay
        # not as an attribute: a variable may be called like one that the group has anyway (active, source)
        return self.owner(slot.group).state(slot.variable)


def lower(plan, backend):
    """Build all objects of a plan; `backend` writes numbers and seeds (see `standalone` and
    `interpreted`).
    """
    built = Lowered(plan)
    try:
        return _lower(built, backend)
    except Exception:
        for thing in [
            *built.groups.values(),
            *built.synapses.values(),
            *built.monitors.values(),
            *built.signals,
        ]:
            if thing is not None:
                thing._network = "never run"  # or Brian2 warns of each of them, on top of the error
        raise


@contextmanager
def quiet():
    """Without Brian2's remark that no integration method was named (it is given several to try, in order)."""
    choice = logging.getLogger("brian2.stateupdaters.base.method_choice")
    before, choice.disabled = choice.disabled, True
    try:
        yield
    finally:
        choice.disabled = before


def _lower(built, backend):
    plan = built.plan
    for group in plan.groups.values():
        built.groups[group.name] = _group(group, built.timed)
    for group in plan.groups.values():
        for name, link in group.links.items():
            built.signals.append(_signal(group, name, *link, built))
    for synapse in plan.synapses.values():
        built.synapses[synapse.name] = _synapses(synapse, built)
    _every_step(built, backend)
    for periodic in plan.periodic:
        built.clocks[periodic["name"]] = _periodic(periodic, built)

    _numbers(built, backend, BEFORE_WIRING)
    backend.seed("wiring")
    # What cells draw for themselves comes before the wiring, which may depend on it.
    _expressions(built, AFTER_WIRING, BEFORE_WIRING, of=built.groups)
    for synapse in plan.synapses.values():
        backend.connect(built, synapse)
    _numbers(built, backend, AFTER_WIRING)
    _expressions(built, AFTER_WIRING, of=built.synapses)

    backend.start_trial(built)
    for periodic in plan.periodic:
        period = built.owner(periodic["on"]).variables[periodic["period"]]
        backend.period(built.clocks[periodic["name"]], period, periodic["factor"], plan.dt)
    _numbers(built, backend, AT_START)
    backend.seed("start")
    _expressions(built, AT_START)

    for k, recorder in enumerate(plan.recorders):
        built.monitors[k] = _monitor(recorder, built, f"recorder_{k}")
    monitors = [m for m in built.monitors.values() if m is not None]
    built.network = Network(
        *built.groups.values(), *built.signals, *built.synapses.values(), *monitors, name="network_"
    )
    return built


def _numbers(built, backend, phase):
    for slot in built.plan.slots:
        if slot.phase == phase and not slot.text:
            backend.number(built, slot)


def _expressions(built, *phases, of=None):
    for slot in built.plan.slots:
        if slot.text and slot.phase in phases and (of is None or slot.group in of):
            built.view(slot).set_item(slice(None), slot.value, namespace={})


def _group(group, timed):
    namespace = {}
    for name, value in group.timed.items():
        dim = value.dim
        timed[name] = TimedArray(Quantity(value.values, dim=dim), dt=value.dt, name=name)
        namespace[name] = timed[name]
    if group.kind == "poisson":
        rates = group.rates or 0 * second**-1
        return PoissonGroup(group.n, rates, namespace=namespace, name=group.name)
    if group.kind == "spike_trains":
        return SpikeGeneratorGroup(group.n, [0], [0] * second, name=group.name)
    made = NeuronGroup(
        group.n,
        group.equations,
        threshold=group.threshold or None,
        reset=group.reset if group.threshold else None,
        refractory=group.refractory or False,
        events={name: condition for name, (condition, _) in group.events.items()},
        method=METHODS[group.method],
        namespace=namespace,
        name=group.name,
    )
    for name, (_, code) in group.events.items():
        made.run_on_event(name, code, when="resets")
    return made


# Within the slot "start" of a time step: what is due every so often, then what cells do at every step.
_PERIODIC, _STEP = -1000, 0
NEVER = 1e9 * second


def _every_step(built, backend):
    """Code that cells and synapses run at every time step, and code that runs when it is called for only."""
    for group in built.plan.groups.values():
        if group.steps:
            built.groups[group.name].run_regularly(
                "\n".join(group.steps), when="start", order=_STEP, name=f"{group.name}_step"
            )
    for plan in built.plan.synapses.values():
        synapses = built.synapses[plan.name]
        if plan.step:
            synapses.run_regularly(plan.step, when="end", name=f"{plan.name}_step")
        for what in ("settle", "unsettle"):
            if getattr(plan, what):
                name = f"{plan.name}_{what}"
                built.around[plan.name, what] = backend.only_when_called(
                    synapses, getattr(plan, what), when="start", order=_PERIODIC, name=name
                )


def _signal(group, name, source, variable, unit, built):
    """Cells hold what they read of another population, as it was at the start of the step.

    A copy, not one of Brian2's linked variables: synapses and slices of a population cannot read these where
    many cells read one.
    """
    source = built.groups[source]
    made = Synapses(
        source,
        built.groups[group.name],
        f"{name}_post = {variable}_pre : {unit} (summed)",
        namespace=dict(built.timed),
        name=f"{group.name}_{name}_reads",
    )
    made.connect(j="i" if len(source) == group.n else "k for k in range(N_post)")
    made.summed_updaters[f"{name}_post"].when = "before_start"
    return made


def _periodic(periodic, built):
    """The clock of something that happens every so often; how often is a number of the running program."""
    clock = Clock(NEVER, name=f"{periodic['name']}_clock")
    built.owner(periodic["on"]).run_regularly(
        periodic["code"],
        clock=clock,
        when="start",
        order=_PERIODIC + periodic["order"],
        name=periodic["name"],
    )
    return clock


def _synapses(plan, built):
    source, target = (_part(built, view) for view in (plan.source, plan.target))
    made = Synapses(
        source,
        target,
        plan.equations,
        on_pre=plan.on_pre or None,
        on_post=plan.on_post or None,
        delay=0 * second if plan.on_pre and plan.delay == "shared" else None,
        on_event={"pre": "spike" if plan.order is None else plan.event, "post": plan.event},
        method=METHODS["exact"],
        namespace=dict(built.timed),  # subexpressions of the cells may read values over time
        name=plan.name,
    )
    if plan.order is not None:
        made.pre.order = plan.order
    return made


def _part(built, view):
    name, start, stop = view
    group = built.groups[name]
    return group if (start, stop) == (0, len(group)) else group[start:stop]


def connect(synapses, plan):
    """Draw or set the synapses of a projection."""
    if plan.pairs:
        synapses.connect(i=plan.wiring.i, j=plan.wiring.j, namespace={})
    else:
        synapses.connect(**plan.connect, namespace={})


def _monitor(recorder, built, name):
    if (
        recorder["kind"] == "weights"
    ):  # snapshots between stretches of the run; how many synapses there are is known only then
        synapses = built.synapses[recorder["part"]]
        variable = (
            synapses.pre.variables["delay"]
            if recorder["variable"] == "delay"
            else synapses.variables[recorder["variable"]]
        )
        recorder["unit"] = unit_text(variable.dim)
        return None
    source = _part(built, (recorder["part"], recorder["start"], recorder["stop"]))
    if recorder["kind"] == "spikes":
        return EventMonitor(source, recorder["variable"] or "spike", name=name)
    if recorder["kind"] == "rate":
        return PopulationRateMonitor(source, name=name)
    variable = source.variables[recorder["variable"]]
    recorder["unit"], recorder["scalar"] = unit_text(variable.dim), bool(variable.scalar)
    index = [0] if variable.scalar else True if recorder["index"] is None else recorder["index"]
    every = {} if recorder["every"] is None else {"dt": recorder["every"] * second}
    return StateMonitor(source, recorder["variable"], record=index, name=name, **every)


def state_variables(built):
    """(label, variable) of every floating-point state of the circuit, to be checked for NaN at the end of a
    run.
    """
    for slot in built.plan.slots:
        if slot.phase == AT_START and slot.group not in built.timed and slot.size is not None:
            variable = built.view(slot).variable
            if variable.array and np.issubdtype(variable.dtype, np.floating):
                yield f"{slot.group}.{slot.variable}", variable
