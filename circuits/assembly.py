"""From a circuit's parts to its plan: what cells, synapses and currents say about each other, put together.

Inputs of a cell are summed, private names of projections renamed everywhere together, parameters declared,
and everything is checked for names, units and sizes; nothing is left for the engine to refuse.
"""

import dataclasses
import re

import numpy as np
from brian2.equations.equations import EquationError
from brian2.stateupdaters.base import StateUpdateMethod, UnsupportedEquationsException
from brian2.units import hertz, second
from brian2.units.fundamentalunits import DIMENSIONLESS, get_unit
from brian2.utils.stringtools import get_identifiers

from .cell import METHODS, expression_dimension
from .circuit import (
    Current,
    Poisson,
    Population,
    Projection,
    Signal,
    SpikeTrains,
    Timed,
    positive_time,
    view,
)
from .equations import (
    BUILT_IN,
    DIFFERENTIAL_EQUATION,
    GENERATED,
    NEVER_STILL,
    PARAMETER,
    Scope,
    assigned,
    carried,
    expanded,
    fixed,
    linear,
    parse,
    refuse_flags,
    refuse_generated,
    refuse_reserved,
    rename,
    statements,
    states,
)
from .errors import CircuitError, listed, nearest
from .plan import (
    AFTER_WIRING,
    AT_START,
    BEFORE_WIRING,
    MOST_STEPS,
    GroupPlan,
    Plan,
    Slot,
    SynapsePlan,
    freeze,
    in_order,
    structure_text,
    time_constants,
)
from .traces import per_neuron
from .values import describe, dimension, kind, plain, same_dimension, unit_text
from .wiring import DISTANCE, one_to_one


def make_plan(circuit):
    """The plan of a circuit; every check across parts happens here."""
    parts = circuit.parts
    if not any(isinstance(p, (Population, Poisson, SpikeTrains)) for p in parts.values()):
        raise CircuitError(
            "The circuit has no population and no input. Give at least one: Circuit(cells=population(cell, "
            "100))."
        )
    _check_signals(parts)
    maker = Assembly(parts, float(circuit.dt), circuit.record)
    groups = {
        name: maker.group(name, part)
        for name, part in parts.items()
        if isinstance(part, (Population, Poisson, SpikeTrains))
    }
    synapses = {
        name: maker.synapses(name, part) for name, part in parts.items() if isinstance(part, Projection)
    }
    for name, plan in list(synapses.items()):
        synapses.update(maker.events(name, plan))
    recorders = maker.recorders(circuit.record, circuit.dt)
    plan = Plan(groups, synapses, maker.slots, recorders, float(circuit.dt), maker.periodic)
    freeze(plan)
    time_constants(plan)
    plan.slots = in_order(plan.slots)
    double = [s.number for s in plan.slots if s.number]
    double = {n for n in double if double.count(n) > 1}
    if double - maker.twice:
        raise CircuitError(f"Two numbers of one name: {listed(double - maker.twice)}. Rename a parameter.")
    plan.structure = structure_text(plan)
    return plan


def _check_signals(parts):
    known = [n for n, p in parts.items() if isinstance(p, Population)]
    for name, part in parts.items():
        for target in part.targets if isinstance(part, Signal) else ():
            if target not in known:
                raise CircuitError(
                    f"Signal {name!r}: there is no target population {target!r}.{nearest(target, known)} "
                    f"Populations: {listed(known)}."
                )


class Assembly:
    """Collects slots while groups and synapses are put together."""

    def __init__(self, parts, dt, record=()):
        self.parts, self.dt = parts, dt
        self.slots, self.periodic = [], []
        self.twice = set()  # numbers that go to cells as well as to the synapses, by design
        self.at_spikes = {}  # (projection, side): statements of cells at their spikes
        self.brought = {}  # (group, variable): the part that brings it
        self.synapse = {
            name: self._per_neuron(name, part, record)
            for name, part in parts.items()
            if isinstance(part, Projection)
        }

    def _per_neuron(self, name, part, record):
        """The projection's synapse, with traces of one side moved to the cells of that side where they
        can.
        """
        kept = {r.variable for r in record if r.kind == "weights" and r.part == name}
        if part.synapse.equations.strip():  # what another equation reads, it needs between spikes too
            parsed = parse(part.synapse.equations, f"Projection {name!r} ({part.synapse.name})")
            for variable, equation in parsed.items():
                if equation.type == DIFFERENTIAL_EQUATION:
                    kept |= get_identifiers(expanded(equation.expr.code, parsed)) - {variable}
        source = self.parts.get(view(part.source)[0])
        # Spikes that reach every synapse at another time make a trace of its own in each.
        early = kind(part.delay) == "scalar" and isinstance(source, (Population, Poisson))
        sides = ("pre", "post") if early else ("post",)
        return per_neuron(part.synapse, f"Projection {name!r} ({part.synapse.name})", sides, kept)

    # ---------------------------------------------------------------- populations and inputs

    def group(self, name, part):
        if isinstance(part, Poisson):
            return self._poisson(name, part)
        if isinstance(part, SpikeTrains):
            for variable, values, dim in (
                ("i", part.i, DIMENSIONLESS),
                ("t", np.asarray(part.t, dtype=float), second.dim),
            ):
                integer = variable == "i"
                values = values.astype(np.int32) if integer else values
                self.slots.append(
                    Slot(f"{name}.{variable}", name, variable, values, dim, AT_START, None, integer)
                )
            return GroupPlan(name, "spike_trains", part.n)
        return self._cells(name, part)

    def _poisson(self, name, part):
        plan = GroupPlan(name, "poisson", part.n)
        if isinstance(part.rates, Timed):
            plan.rates, plan.timed = self._timed(name, "rates", part.rates, part.n)
        else:
            self._number(f"{name}.rates", name, "rates", part.rates, hertz.dim, AT_START, part.n, low=0)
        lines = []
        for other, piece in self.parts.items():
            if isinstance(piece, Projection) and view(piece.source)[0] == name:
                self._add_source(other, part, {"rates": hertz.dim}, plan, lines)
        if lines:  # sources with traces are cells
            rates = f"rates = {plan.rates} : Hz" if plan.rates else "rates : Hz (constant)"
            plan.kind, plan.rates, plan.method = "cells", "", "exact"
            plan.threshold = "rand() < rates*dt"
            plan.equations = _stripped([rates, *lines])
        return plan

    def _timed(self, name, label, value, n):
        """The expression that reads values over time, and the function behind it."""
        values = np.asarray(value.values, dtype=float)
        if values.ndim == 2 and values.shape[1] != n:
            raise CircuitError(
                f"Part {name!r}: {label} has shape {values.shape}, but there are {n} cells. Give shape (T,) "
                f"or (T, {n})."
            )
        function = f"{name}_{label}_at"
        slot = Slot(
            f"{name}.{label}",
            function,
            "values",
            values.ravel(),
            value.dim,
            AT_START,
            values.size,
            shape=values.shape,
            low=0 if label == "rates" else None,
            step=float(value.dt),
        )
        slot.fit(values)
        self.slots.append(slot)
        return f"{function}(t, i)" if values.ndim == 2 else f"{function}(t)", {function: value}

    def _cells(self, name, part):
        cell = part.cell
        plan = GroupPlan(
            name,
            "cells",
            part.n,
            threshold=cell.threshold,
            reset=cell.reset,
            refractory=cell.refractory,
            method=cell.method,
            events={name: list(what) for name, what in cell.events.items()},
        )
        lines = [cell.equations]
        sums = {port: [text] for port, text in cell.adds.items()}
        dims = dict(cell.dimensions)
        for variable, value in cell.params.items():
            lines.append(self._declare(f"{name}.{variable}", name, variable, value, dims[variable], part.n))
        if part.positions is not None:
            for axis, label in enumerate("xyz"):
                if label in dims:
                    raise CircuitError(
                        f"Population {name!r} has positions, and its cell has a name {label!r} too. Rename "
                        "it in the cell."
                    )
                lines.append(
                    self._declare(
                        f"{name}.{label}", name, label, part.positions[:, axis], DIMENSIONLESS, part.n
                    )
                )
        for other, piece in self.parts.items():
            if isinstance(piece, Current) and self._target(other, piece.target)[0] == name:
                self._add_current(other, piece, plan, cell, lines, sums)
            elif isinstance(piece, Signal) and name in piece.targets:
                self._add_signal(other, piece, part, plan, dims, lines, sums)
        for other, piece in self.parts.items():
            if isinstance(piece, Projection) and self._target(other, piece.target)[0] == name:
                self._add_projection(other, piece, part, lines, sums, dims, plan)
            if isinstance(piece, Projection) and view(piece.source)[0] == name:
                self._add_source(other, part, dims, plan, lines)
        for port, unit in cell.inputs.items():
            dim = dimension(unit)
            total = " + ".join(sums.get(port, [])) or (
                f"0*{unit_text(dim)}" if dim != DIMENSIONLESS else "0.0"
            )
            lines.append(f"{port} = {total} : {unit_text(dim)}")
        for variable in cell.states:
            value = cell.init.get(variable, 0.0)
            value = value if kind(value) == "expression" else plain(value)
            size = 1 if "shared" in cell.parsed[variable].flags else part.n
            self._number(f"{name}.{variable}", name, variable, value, dims[variable], AT_START, size)
        plan.equations = _stripped(lines)
        _check_noise(f"Population {name!r}", plan)
        return plan

    def _add_signal(self, other, piece, part, plan, dims, lines, sums):
        """The name under which cells read a variable of another population."""
        where = f"Signal {other!r} ({piece.source}.{piece.variable})"
        source = self.parts.get(piece.source)
        if not isinstance(source, Population):
            known = [n for n, p in self.parts.items() if isinstance(p, Population)]
            raise CircuitError(
                f"{where}: there is no population {piece.source!r}.{nearest(piece.source, known)} "
                f"Populations: {listed(known)}."
            )
        known = [*source.cell.parsed, *source.cell.params]
        if piece.variable not in known:
            raise CircuitError(
                f"{where}: the cell {source.cell.name!r} has no variable {piece.variable!r}."
                f"{nearest(piece.variable, known)} Variables: {listed(known)}."
            )
        if source.n not in (1, part.n):
            raise CircuitError(
                f"{where}: {source.n} cells cannot be read by {part.n}. Give one cell, or one for each "
                "reader."
            )
        dim, inner = source.cell.dimensions[piece.variable], other
        if other in part.cell.inputs:
            same_dimension(1 * get_unit(dim), dims[other], f"{where}, input {other}")
            inner = f"{other}_signal"
            sums.setdefault(other, []).append(inner)
        elif other in dims:
            raise CircuitError(
                f"{where}: the cell {part.cell.name!r} has a variable {other!r} too. Give the signal "
                "another name."
            )
        else:
            refuse_generated(other, where, "signal")
            dims[other] = dim
        plan.links[inner] = [piece.source, piece.variable, unit_text(dim)]
        lines.append(f"{inner} : {unit_text(dim)}")

    def _add_current(self, other, piece, plan, cell, lines, sums):
        if not isinstance(piece.port, str) or piece.port not in cell.inputs:
            raise CircuitError(
                f"Current {other!r}: the cell {cell.name!r} of {piece.target!r} has no input {piece.port!r}."
                f"{nearest(str(piece.port), cell.inputs)} Inputs: {listed(cell.inputs)}."
            )
        dim, where = dimension(cell.inputs[piece.port]), f"Current {other!r}, amplitude"
        if isinstance(piece.amplitude, Timed):
            same_dimension(piece.amplitude.values, dim, where)
            expression, functions = self._timed(other, "amplitude", piece.amplitude, plan.n)
            plan.timed.update(functions)
        elif kind(piece.amplitude) == "expression" and "t" in get_identifiers(piece.amplitude):
            cell.scope(where).expression(piece.amplitude, dim, "expression")
            expression = f"({piece.amplitude})"  # changes in time: part of the equations
        else:
            if kind(piece.amplitude) != "expression":
                same_dimension(piece.amplitude, dim, where)
            else:
                cell.scope(where).expression(piece.amplitude, dim, "expression")
            expression = f"{other}_amplitude"
            if expression in cell.dimensions:
                raise CircuitError(
                    f"{where}: the cell {cell.name!r} has a name {expression!r} too. Rename one of them."
                )
            self.brought[plan.name, expression] = other
            lines.append(
                self._declare(f"{other}.amplitude", plan.name, expression, piece.amplitude, dim, plan.n)
            )
        sums.setdefault(piece.port, []).append(expression)

    def _add_projection(self, other, piece, part, lines, sums, dims, plan):
        """What a projection brings to its target cell: equations and parameters under names of its own."""
        synapse, cell = self.synapse[other], part.cell
        where = f"Projection {other!r} ({synapse.name} to {piece.target!r})"
        self._needs(
            where, synapse, {n: u for n, u in synapse.needs.items() if not n.endswith("_pre")}, cell, dims
        )
        private, scope = self._add_side(other, "post", synapse, part, dims, plan, lines, where)
        for port, expression in synapse.adds.items():
            if port not in cell.inputs:
                raise CircuitError(
                    f"{where}: it adds to {port!r}, which is no input of the cell "
                    f"{cell.name!r}.{nearest(port, cell.inputs)} "
                    f"Inputs: {listed(cell.inputs)}. Give the synapse port=... with one of them."
                )
            scope.expression(expression, dimension(cell.inputs[port]), f"addition to {port}")
            sums.setdefault(port, []).append(rename(expression, private))

    def _add_source(self, other, part, dims, plan, lines):
        """What a projection brings to its source cells."""
        synapse = self.synapse[other]
        where = f"Projection {other!r} ({synapse.name} from {plan.name!r})"
        needs = {n[: -len("_pre")]: u for n, u in synapse.needs.items() if n.endswith("_pre")}
        cell = part.cell if isinstance(part, Population) else None
        self._needs(where, synapse, needs, cell, dims, "_pre")
        if _acts_on_sources(synapse):
            self._add_side(other, "pre", synapse, part, dims, plan, lines, where)

    def _needs(self, where, synapse, needs, cell, dims, end=""):
        for variable, unit in needs.items():
            if dims.get(variable) == dimension(unit):
                continue
            owner = f"the cell {cell.name!r}" if cell else "the input"
            has = (
                f"has {variable} in {unit_text(dims[variable])}"
                if variable in dims
                else f"has no variable {variable!r}"
            )
            remedy = synapse.remedy.get(f"{variable}{end}", "Take another synapse or cell.")
            raise CircuitError(
                f"{where}: the synapse needs a variable {variable} in {unit_text(dimension(unit))}, but "
                f"{owner} {has}. Its variables: {listed(dims)}. {remedy}"
            )

    def _add_side(self, other, side, synapse, part, dims, plan, lines, where):
        """Equations, parameters and statements of the cells at one side of a projection.

        Returns the names that they get there, and the scope in which they were checked.
        """
        text = getattr(synapse, side)
        parsed = parse(text, where) if text.strip() else {}
        refuse_flags(parsed, where)
        used = self._side_params(synapse, side)
        private = {n: f"{n}_{other}" if side == "post" else f"{n}_of_{other}" for n in [*parsed, *used]}
        owner = f"the cell {part.cell.name!r}" if isinstance(part, Population) else "the input"
        taken = set(private.values()) & set(dims)
        if taken:
            raise CircuitError(
                f"{where}: {owner} has {listed(taken)} too, the name that this projection gives to what it "
                "brings. Rename the projection or the cell's variable."
            )
        for variable in private.values():
            before = self.brought.setdefault((plan.name, variable), other)
            if before != other:
                raise CircuitError(
                    f"{where}: {variable!r}, the name that it gives to what it brings to {plan.name!r}, is "
                    f"that of something that {before!r} brings. Rename one of the two."
                )
        own = {n: equation.dim for n, equation in parsed.items()}
        own.update({n: self._dim(synapse.params[n], where, n) for n in used})
        scope = Scope(where, {**dims, **own}, {"of the cell": list(dims), "of the projection": list(own)})
        if parsed:
            scope.equations(parsed)
        lines.append(rename(text, private))
        places = [
            *(self._side_params(synapse, end) for end in ("pre", "post")),
            self._synaptic_params(synapse),
        ]
        for variable in used:
            label = f"{other}.{variable}"
            lines.append(
                self._declare(
                    label, plan.name, private[variable], synapse.params[variable], own[variable], part.n
                )
            )
            if sum(variable in place for place in places) > 1:
                self.twice.add(label)
        for variable, equation in parsed.items():
            if equation.type in (DIFFERENTIAL_EQUATION, PARAMETER) and variable not in synapse.summed:
                value = synapse.init.get(variable)
                if value is None:
                    value = 0.0
                elif kind(value) == "expression":
                    scope.expression(value, equation.dim, f"start value of {variable}")
                    value = rename(value, private)
                else:
                    same_dimension(value, equation.dim, f"{where}, start value of {variable}")
                    value = plain(value)
                self._number(
                    f"{other}.{variable}", plan.name, private[variable], value, equation.dim, AT_START, part.n
                )
        step, at = getattr(synapse, f"step_{side}"), getattr(synapse, f"at_{side}")
        scope.code(step, "every step")
        same = fixed(parsed, {n: synapse.params[n] for n in used})
        if isinstance(part, Population):
            same |= fixed(part.cell.parsed, part.cell.params, part.cell.inputs) - set(own)
        scope.code(at, "spike of the cell", same)
        if step.strip():
            plan.steps.append(rename("\n".join(statements(step)), private))
        if at.strip():
            self.at_spikes[other, side] = rename("\n".join(statements(at)), private)
        for k, periodic in enumerate(p for p in synapse.periodic if p.on == side):
            scope.code(periodic.code, f"every {periodic.every}")
            self._periodic(f"{other}_{side}_{k}", plan.name, periodic, private)
        return private, scope

    def _periodic(self, label, owner, periodic, names):
        self.periodic.append(
            {
                "name": f"{label}_periodic",
                "on": owner,
                "code": rename("\n".join(statements(periodic.code)), names),
                "factor": periodic.factor,
                "period": names.get(periodic.period, periodic.period),
                "order": periodic.order,
            }
        )

    # ---------------------------------------------------------------- projections

    def events(self, name, plan):
        """What cells do at spikes of their own on behalf of a projection: one connection of each with
        itself.
        """
        made = {}
        for side, ends in (("pre", plan.source), ("post", plan.target)):
            code = self.at_spikes.get((name, side))
            if not code:
                continue
            label = f"{name}_{side}_traces"
            order = 0 if side == "pre" else 2  # of synapses: presynaptic events -1, postsynaptic ones 1
            event = self.synapse[name].event if side == "post" else "spike"
            made[label] = SynapsePlan(
                label, ends, ends, "", code, "", one_to_one(), {"j": "i"}, "shared", event=event, order=order
            )
            delay = next((s for s in self.slots if s.group == name and s.variable == "delay"), None)
            if side == "pre" and delay is not None:
                self.slots.append(dataclasses.replace(delay, group=label))
                if plan.on_pre:
                    self.twice.add(delay.number)
                else:
                    self.slots = [slot for slot in self.slots if slot is not delay]
        return made

    def synapses(self, name, part):
        synapse, wiring = self.synapse[name], part.wiring
        where = f"Projection {name!r} ({synapse.name})"
        source, target = self._source(name, part.source), self._target(name, part.target)
        cell = self.parts[target[0]].cell
        parsed = parse(synapse.equations, where) if synapse.equations.strip() else {}
        refuse_flags(parsed, where, synaptic=True)
        params = self._synaptic_params(synapse)
        for variable in (*parsed, *synapse.params):
            refuse_reserved(variable, where, "name")
        clash = (set(parsed) | set(params)) & set(wiring.params) | ({"delay"} & (set(parsed) | set(params)))
        if clash:
            raise CircuitError(
                f"{where}: {listed(clash)} is a number of the wiring or delay too. Rename it in the synapse."
            )
        own = {n: e.dim for n, e in parsed.items()}
        own.update({n: self._dim(synapse.params[n], where, n) for n in params})
        n_synapses, shape = self._count(wiring, source, target, where)
        mine = self._renamed(name, part)

        lines = [rename(synapse.equations, mine)]
        for variable in params:
            value = synapse.params[variable]
            value = rename(value, mine) if kind(value) == "expression" else value
            lines.append(
                self._declare(
                    f"{name}.{variable}",
                    name,
                    mine.get(variable, variable),
                    value,
                    own[variable],
                    n_synapses,
                    AFTER_WIRING,
                    shape,
                    where,
                )
            )
        for variable, value in wiring.params.items():
            inner = mine.get(variable, variable)
            lines.append(f"{inner} : 1 (shared, constant)")
            self.slots.append(
                Slot(
                    f"{name}.{variable}",
                    name,
                    inner,
                    plain(value),
                    DIMENSIONLESS,
                    BEFORE_WIRING,
                    1,
                    frozen=True,
                    shared=True,
                    low=0,
                    high={"p": 1, "in_degree": source[2] - source[1] - (not wiring.autapses)}.get(variable),
                    whole=variable == "in_degree",
                )
            )
        post_parsed = parse(synapse.post, where) if synapse.post.strip() else {}
        private = {n: f"{n}_{name}" for n in post_parsed}
        for variable, expression in synapse.summed.items():
            unit = unit_text(post_parsed[variable].dim)
            lines.append(f"{private[variable]}_post = {rename(expression, mine)} : {unit} (summed)")

        on_pre = [*statements(synapse.before)]
        for variable, expression in synapse.deliver.items():
            if variable not in private and variable not in cell.states:
                raise CircuitError(
                    f"{where}: spikes are delivered to {variable!r}, which the cell {cell.name!r} of "
                    f"{part.target!r} does not have.{nearest(variable, cell.states)} Its state variables: "
                    f"{listed(cell.states)}."
                )
            on_pre.append(f"{private.get(variable, variable)}_post += {expression}")
        on_pre += statements(synapse.after)
        on_post = statements(synapse.on_post)
        settle, unsettle = statements(synapse.settle), statements(synapse.unsettle)

        def settled(code):
            return [*settle, *code, *unsettle] if code else []

        on_pre, on_post, step = settled(on_pre), settled(on_post), settled(statements(synapse.step))
        follows = on_post or synapse.at_post.strip()
        if follows and synapse.event == "spike" and not cell.threshold:
            raise CircuitError(
                f"{where}: it acts on spikes of the cell {cell.name!r} of {part.target!r}, which has no "
                "threshold."
            )
        if follows and synapse.event not in ("spike", *cell.events):
            raise CircuitError(
                f"{where}: the cell {cell.name!r} of {part.target!r} has no event {synapse.event!r}."
                f"{nearest(synapse.event, cell.events)} Its events: {listed(['spike', *cell.events])}."
            )
        self._check_synapse(
            name, where, synapse, parsed, own, source, target, private, post_parsed, on_pre, on_post, wiring
        )
        for k, periodic in enumerate(p for p in synapse.periodic if p.on == "synapse"):
            code = dataclasses.replace(periodic, code="\n".join(settled(statements(periodic.code))))
            self._periodic(f"{name}_{k}", name, code, mine)
        for variable, equation in parsed.items():
            if equation.type in (DIFFERENTIAL_EQUATION, PARAMETER):
                value = synapse.init.get(variable, 0.0)
                value = rename(value, mine) if kind(value) == "expression" else plain(value)
                self._number(
                    f"{name}.{variable}",
                    name,
                    mine.get(variable, variable),
                    value,
                    equation.dim,
                    AT_START,
                    n_synapses,
                    shape,
                )
        delay = part.delay
        if not on_pre and not synapse.at_pre.strip():
            if kind(delay) != "scalar" or plain(delay) != 0:
                raise CircuitError(f"{where}: it has no spikes to delay. Leave delay out.")
        elif synapse.at_pre.strip() and kind(delay) != "scalar":
            raise CircuitError(
                f"{where}: its rules follow the spikes of the source cells, but each synapse has a delay "
                "of its own. Give one delay."
            )
        elif kind(delay) == "expression":
            Scope(f"{where}, delay", own, {"of the synapse": own}).expression(delay, second.dim, "expression")
            self.slots.append(Slot("", name, "delay", rename(delay, mine), second.dim, AFTER_WIRING))
        else:
            if kind(delay) == "array" and n_synapses is None:
                raise CircuitError(
                    f"{where}, delay: an array, but how many synapses there are is only known when they "
                    "are drawn. Give one delay, an expression, or explicit pairs."
                )
            size = 1 if kind(delay) == "scalar" else n_synapses
            self.slots.append(
                Slot(
                    f"{name}.delay",
                    name,
                    "delay",
                    plain(delay),
                    second.dim,
                    AFTER_WIRING,
                    size,
                    frozen=True,
                    shared=kind(delay) == "scalar",
                    shape=shape,
                    low=0,
                    high=MOST_STEPS * self.dt,
                )
            )
            self.slots[-1] = dataclasses.replace(self.slots[-1], value=self.slots[-1].fit(plain(delay)))
        pairs = 0 if wiring.i is None else len(wiring.i)
        if pairs:
            for variable, values in (("i", wiring.i), ("j", wiring.j)):
                self.slots.append(
                    Slot(
                        f"{name}.{variable}",
                        name,
                        variable,
                        values,
                        DIMENSIONLESS,
                        BEFORE_WIRING,
                        pairs,
                        integer=True,
                        frozen=True,
                        low=0,
                        high=(source if variable == "i" else target)[2]
                        - (source if variable == "i" else target)[1]
                        - 1,
                    )
                )
        return SynapsePlan(
            name,
            source,
            target,
            "\n".join(x.strip() for t in lines for x in t.splitlines() if x.strip()),
            rename("\n".join(on_pre), mine),
            rename("\n".join(on_post), mine),
            wiring,
            {k: rename(text, mine) for k, text in self._connect(wiring, source, target).items()},
            "shared" if kind(delay) == "scalar" else "each",
            pairs,
            settle=rename("\n".join(settle), mine),
            event=synapse.event,
            unsettle=rename("\n".join(unsettle), mine),
            step=rename("\n".join(step), mine),
        )

    def _renamed(self, name, part):
        """Names of the synapse that a cell at either end has too (w, u, R ...), or the generated code itself:
        inside the program they carry the projection's name.
        """
        taken = {"rates", "period", "spike_number", "neuron_index", "spike_time", "x", "y", "z"}
        taken |= {*BUILT_IN, *GENERATED}
        for end in (part.source, part.target):
            taken |= set(self._reach(view(end)[0])) | set(self._brought(view(end)[0]))
        synapse = self.synapse[name]
        parsed = parse(synapse.equations, name) if synapse.equations.strip() else {}
        own = [*parsed, *self._synaptic_params(synapse), *part.wiring.params]
        taken |= {f"{n}_{end}" for n in taken for end in ("pre", "post")}
        renamed, free = {}, set(own) - taken
        for variable in own:
            if variable in taken:
                inner = f"{variable}_{name}"
                while inner in taken or inner in free or inner in renamed.values():
                    inner += "_syn"
                renamed[variable] = inner
        # What cells at either end hold for this projection.
        for side, inner in (("pre", f"of_{name}"), ("post", name)):
            text = getattr(synapse, side)
            held = parse(text, name) if text.strip() else {}
            renamed |= {f"{n}_{side}": f"{n}_{inner}_{side}" for n in held}
        if (
            "lambda_" in part.wiring.params
        ):  # to Brian2 a name that ends in _ is the one without it, free of units
            renamed["lambda_"] = f"lambda_{name}"
        return renamed

    def _lazy(self, where, held, when, code):
        """Refuse what reads variables that are only brought up to date at spikes."""
        stale = sorted({n for n, e in held.items() if "event-driven" in e.flags} & get_identifiers(code))
        if stale:
            raise CircuitError(
                f"{where}, {when}: {stale[0]} is event-driven: between spikes it holds its old value. Keep "
                "it in a variable that is updated at every step, or in one that decays in statements of "
                "its own."
            )

    def _event_driven(self, where, held, outside):
        """Refuse event-driven equations without a solution between spikes, or tied to what moves between
        them: equations at every step, or variables of the cells (`outside`).
        """
        lazy = {n: e for n, e in held.items() if "event-driven" in e.flags}
        clocked = {n for n, e in held.items() if e.type == DIFFERENTIAL_EQUATION and n not in lazy}
        for name in sorted(clocked):
            self._lazy(where, held, f"equation of {name}", held[name].expr.code)
        each_step = {n for n, e in held.items() if "constant over dt" in e.flags}
        moving = carried(held, clocked | each_step | outside)
        for name, equation in lazy.items():
            read = sorted(moving & get_identifiers(equation.expr.code))
            if read:
                raise CircuitError(
                    f"{where}, equation of {name}: it is event-driven, and reads {read[0]!r}, which moves "
                    "at every step. "
                    + (
                        "Make both event-driven, or both clock-driven."
                        if read[0] in clocked
                        else "Write (clock-driven) instead of (event-driven)."
                    )
                )
        texts = {n: expanded(e.expr.code, held) for n, e in lazy.items()}
        text = "\n".join(f"d{n}/dt = {texts[n]} : {unit_text(e.dim)}" for n, e in lazy.items())
        if text and not linear(text):
            raise CircuitError(
                f"{where}: the event-driven equations of {listed(lazy)} are not linear with constant "
                "coefficients, and have no solution between spikes. Write (clock-driven) instead of "
                "(event-driven)."
            )

    def _brought(self, name):
        """Names that currents and projections give to what they bring to a group, and who brings each."""
        found = {}
        for other, piece in self.parts.items():
            if isinstance(piece, Current) and view(piece.target)[0] == name:
                found[f"{other}_amplitude"] = other
            if not isinstance(piece, Projection):
                continue
            synapse = self.synapse[other]
            for end, side, inner in ((piece.target, "post", other), (piece.source, "pre", f"of_{other}")):
                text = getattr(synapse, side)
                if view(end)[0] == name and (side == "post" or _acts_on_sources(synapse)):
                    held = parse(text, other) if text.strip() else {}
                    found |= {f"{n}_{inner}": other for n in (*held, *self._side_params(synapse, side))}
        return found

    def _reach(self, name):
        """Names and dimensions of what synapses can read of a group."""
        part = self.parts[name]
        if not isinstance(part, Population):
            return {"rates": hertz.dim} if isinstance(part, Poisson) else {}
        signals = {
            n: self.parts[p.source].cell.dimensions[p.variable]
            for n, p in self.parts.items()
            if isinstance(p, Signal) and name in p.targets
        }
        return {**part.cell.dimensions, **signals}

    def _moving(self, source, target, synapse, name):
        """The names under which a synapse reads what moves in the cells at its ends."""
        found = set()
        for side, (group, *_), inner in (("pre", source, f"of_{name}"), ("post", target, name)):
            part, moving = self.parts[group], set(NEVER_STILL)
            if isinstance(part, Population):
                signals = {
                    n
                    for n, p in self.parts.items()
                    if isinstance(p, Signal)
                    and group in p.targets
                    and p.variable not in self.parts[p.source].cell.params
                }
                moving |= {*part.cell.inputs, *signals}
                moving = carried(part.cell.parsed, moving | states(part.cell.parsed))
            text = getattr(synapse, side)
            brought = parse(text, name) if text.strip() else {}
            moving = carried(brought, moving | states(brought))
            found |= {f"{n}_{side}" for n in moving} | {f"{n}_{inner}_{side}" for n in moving & set(brought)}
            if side == "post":  # what bare names mean
                found |= moving - set(brought) | {f"{n}_{inner}" for n in moving & set(brought)}
        return found

    def _check_synapse(
        self, name, where, synapse, parsed, own, source, target, private, post_parsed, on_pre, on_post, wiring
    ):
        """Names and units of everything that a synapse computes, with the variables of both cells in
        reach.
        """
        pre = {n: d for n, d in self._reach(source[0]).items() if n != "rates"}
        pre_parsed = parse(synapse.pre, where) if synapse.pre.strip() else {}
        pre.update({n: e.dim for n, e in pre_parsed.items()})
        cells = self._reach(target[0])
        post = {**cells, **{n: e.dim for n, e in post_parsed.items()}}
        reach = {
            **cells,
            **{private[n]: e.dim for n, e in post_parsed.items()},
            **{f"{private[n]}_post": e.dim for n, e in post_parsed.items()},
            **own,
            **{f"{n}_pre": d for n, d in pre.items()},
            **{f"{n}_post": d for n, d in post.items()},
        }
        for number in wiring.params:
            reach[number] = DIMENSIONLESS
        scope = Scope(
            where,
            reach,
            {
                "of the synapse": list(own),
                "of the target": [f"{n}_post" for n in post],
                "of the source": [f"{n}_pre" for n in pre],
            },
        )
        if parsed:
            scope.equations(parsed)
        code = [*on_pre, *on_post, *statements(synapse.step)]
        for periodic in synapse.periodic:
            code += statements(periodic.code) if periodic.on == "synapse" else []
        stray = sorted(assigned("\n".join(code)) & set(cells) - set(own))
        if stray:
            raise CircuitError(
                f"{where}: its code gives {stray[0]!r} a value, and the cell "
                f"{self.parts[target[0]].cell.name!r} has "
                f"a variable of that name. Write {stray[0]}_post if that is meant; rename one of them if not."
            )
        same = {*fixed(parsed, {n: synapse.params[n] for n in own if n in synapse.params}), *wiring.params}
        for side, group in (("pre", source[0]), ("post", target[0])):
            part = self.parts[group]
            if isinstance(part, Population):
                there = fixed(part.cell.parsed, part.cell.params, part.cell.inputs)
                same |= {f"{n}_{side}" for n in there} | (there - set(own) if side == "post" else set())
        scope.code("\n".join(on_pre), "presynaptic spike", same)
        scope.code("\n".join(on_post), "postsynaptic spike", same)
        scope.code(synapse.step, "every step")
        given = self.parts[name].synapse
        held = parse(given.equations, where) if given.equations.strip() else {}
        outside = self._moving(source, target, given, name)
        self._event_driven(where, held, outside - set(held) - set(given.params))
        self._lazy(where, held, "every step", given.step)
        self._lazy(where, held, "settle", f"{given.settle}\n{given.unsettle}")
        self._lazy(where, held, "sum", "\n".join(given.summed.values()))
        for periodic in synapse.periodic:
            if periodic.on == "synapse":
                scope.code(periodic.code, f"every {periodic.every}")
        for periodic in given.periodic:
            if periodic.on == "synapse":
                self._lazy(where, held, f"every {periodic.every}", periodic.code)
            if own.get(periodic.period, second.dim) != second.dim or periodic.period not in synapse.params:
                raise CircuitError(
                    f"{where}: every={periodic.every!r} names no time among the parameters: "
                    f"{listed(synapse.params)}."
                )
            if kind(synapse.params[periodic.period]) != "scalar":
                raise CircuitError(
                    f"{where}: {periodic.period} says how often something happens to all synapses: give "
                    f"one time, not {describe(synapse.params[periodic.period])}."
                )
        for variable, expression in synapse.summed.items():
            scope.expression(expression, post_parsed[variable].dim, f"sum for {variable}")
        for variable, value in synapse.init.items():
            if variable in pre_parsed or variable in post_parsed:
                continue
            if variable not in parsed:
                raise CircuitError(
                    f"{where}: start value for {variable!r}, which is no variable of the synapse. "
                    f"Variables: {listed(parsed)}."
                )
            if kind(value) == "expression":
                scope.expression(value, parsed[variable].dim, f"start value of {variable}")
            else:
                same_dimension(value, parsed[variable].dim, f"{where}, start value of {variable}")

    def _connect(self, wiring, source, target):
        """The arguments of Brian2's connect; indices count within slices, so autapses are found from where
        the slices start.
        """
        same = source[0] == target[0]
        apart = "" if wiring.autapses or not same else f"k + {target[1]} != i + {source[1]}"
        when = f" if {apart}" if apart else ""
        if wiring.kind == "all_to_all":
            return {"j": f"k for k in range(N_post){when}"}
        if wiring.kind == "one_to_one":
            return {"j": "i"}
        if wiring.kind == "probability":
            return {"j": f"k for k in sample(N_post, p=p){when}"}
        if wiring.kind == "fixed_in_degree":
            if not apart:
                return {"i": "k for k in sample(N_pre, size=int(in_degree))"}
            # one source fewer to draw from; from the target's own place on, the next one is meant
            return {
                "i": f"k + int(k >= j + {target[1] - source[1]}) for k in sample(N_pre - 1, "
                "size=int(in_degree))"
            }
        if wiring.kind == "distance":
            condition = f"i + {source[1]} != j + {target[1]}" if apart else "True"
            return {"condition": condition, "p": DISTANCE}
        return {}

    def _count(self, wiring, source, target, where):
        """Number of synapses where the wiring fixes it (else None), and the matrix shape that weights may
        have.
        """
        n_source, n_target = source[2] - source[1], target[2] - target[1]
        if wiring.kind == "pairs":
            if wiring.i.max() >= n_source or wiring.j.max() >= n_target:
                raise CircuitError(
                    f"{where}: pairs go up to ({wiring.i.max()}, {wiring.j.max()}), but there are "
                    f"{n_source} sources and {n_target} targets (indices from 0)."
                )
            return len(wiring.i), None
        if wiring.kind == "one_to_one":
            if n_source != n_target:
                raise CircuitError(
                    f"{where}: one_to_one needs equal sizes, but there are {n_source} sources and "
                    f"{n_target} targets."
                )
            return n_source, None
        if wiring.kind == "all_to_all" and (wiring.autapses or source[0] != target[0]):
            return n_source * n_target, (n_source, n_target)
        if wiring.kind == "fixed_in_degree":
            within = source[0] == target[0] and not wiring.autapses
            if within and not source[1] <= target[1] < target[2] <= source[2]:
                raise CircuitError(
                    f"{where}: fixed_in_degree without autapses needs targets that are all among the "
                    "sources. Widen the source."
                )
            wanted, there = plain(wiring.params["in_degree"]), n_source - within
            if wanted != int(wanted) or wanted > there:
                raise CircuitError(
                    f"{where}: {wanted:g} sources for every target, but there are only {there} (a whole "
                    "number is needed)."
                )
        if wiring.kind == "distance":
            for name, part in ((source[0], self.parts[source[0]]), (target[0], self.parts[target[0]])):
                if getattr(part, "positions", None) is None:
                    raise CircuitError(
                        f"{where}: wiring by distance needs positions of {name!r}. Give population(..., "
                        "positions=wiring.grid(...))."
                    )
        return None, None

    # ---------------------------------------------------------------- recorders

    def recorders(self, record, dt):
        made, labels = [], set()
        for recorder in record:
            name, start, stop = view(recorder.part)
            label = f"{recorder.part}" + (f".{recorder.variable}" if recorder.variable else "")
            where = f"Recorder {recorder.kind}({label!r})"
            if (recorder.kind, label) in labels:
                raise CircuitError(f"{where}: given twice. Keep one.")
            labels.add((recorder.kind, label))
            part = self.parts.get(name)
            groups = [n for n, p in self.parts.items() if isinstance(p, (Population, Poisson, SpikeTrains))]
            projections = [n for n, p in self.parts.items() if isinstance(p, Projection)]
            wanted = projections if recorder.kind == "weights" else groups
            if name not in wanted:
                what = "projection" if recorder.kind == "weights" else "population or input"
                raise CircuitError(
                    f"{where}: there is no {what} {name!r}.{nearest(name, wanted)} There are: "
                    f"{listed(wanted)}."
                )
            every = None if recorder.every is None else _multiple(recorder.every, dt, where)
            known = self._recordable(name, part)
            if recorder.kind in ("trace", "weights") and recorder.variable not in known:
                raise CircuitError(
                    f"{where}: {name!r} has no variable "
                    f"{recorder.variable!r}.{nearest(recorder.variable, known)} "
                    f"Variables: {listed(known)}."
                )
            n = part.n if hasattr(part, "n") else None
            if n is not None:
                start, stop = self._bounds(where, part, start, stop)
                if recorder.index is not None and max(recorder.index) >= stop - start:
                    raise CircuitError(
                        f"{where}: index {max(recorder.index)}, but there are {stop - start} cells (0 to "
                        f"{stop - start - 1})."
                    )
            elif start is not None or stop is not None:
                raise CircuitError(f"{where}: a slice of a projection. Give index=... instead.")
            events = part.cell.events if isinstance(part, Population) else {}
            if recorder.kind == "spikes" and recorder.variable and recorder.variable not in events:
                raise CircuitError(
                    f"{where}: there is no event {recorder.variable!r}.{nearest(recorder.variable, events)} "
                    f"Events: {listed(['spike', *events])}."
                )
            silent = isinstance(part, Population) and not part.cell.threshold and not recorder.variable
            if recorder.kind in ("spikes", "rate") and silent:
                raise CircuitError(
                    f"{where}: the cell {part.cell.name!r} has no threshold and never spikes. Give it one."
                )
            made.append(
                {
                    "kind": recorder.kind,
                    "part": name,
                    "label": label,
                    "variable": known.get(recorder.variable, recorder.variable),
                    "start": start,
                    "stop": stop,
                    "index": None if recorder.index is None else list(recorder.index),
                    "every": every,
                }
            )
        return made

    def _recordable(self, name, part):
        """Public variable name to the name in the built group."""
        if isinstance(part, Projection):
            synapse = self.synapse[name]
            parsed = parse(synapse.equations, name) if synapse.equations.strip() else {}
            mine = self._renamed(name, part)
            delay = ("delay",) if synapse.deliver or synapse.before or synapse.after else ()
            return {n: mine.get(n, n) for n in (*parsed, *self._synaptic_params(synapse), *delay)}
        if not isinstance(part, Population):
            return {"rates": "rates"} if isinstance(part, Poisson) else {}
        known = {n: n for n in (*part.cell.parsed, *part.cell.inputs, *part.cell.params)}
        for other, piece in self.parts.items():
            if isinstance(piece, Signal) and name in piece.targets:
                known[other] = other
            if isinstance(piece, Projection):
                for end, text, inner in (
                    (piece.target, self.synapse[other].post, other),
                    (piece.source, self.synapse[other].pre, f"of_{other}"),
                ):
                    if view(end)[0] == name and text.strip():
                        known.update({f"{n}_{inner}": f"{n}_{inner}" for n in parse(text, other)})
        return known

    # ---------------------------------------------------------------- helpers

    def _bounds(self, where, part, start, stop):
        start, stop = start or 0, part.n if stop is None else stop
        if not 0 <= start < stop <= part.n:
            raise CircuitError(f"{where}: the slice [{start}:{stop}] is empty or beyond the {part.n} cells.")
        if isinstance(part, SpikeTrains) and (start, stop) != (0, part.n):
            raise CircuitError(
                f"{where}: a list of spikes has no slices. Name the whole, with the sources in "
                f"wiring.pairs(...), or make a list of its own for [{start}:{stop}]."
            )
        return start, stop

    def _source(self, where, text):
        name, start, stop = view(text)
        part = self.parts.get(name)
        synapse = self.synapse[where]
        needs = [n for n in synapse.needs if n.endswith("_pre")]
        if isinstance(part, SpikeTrains) and (_acts_on_sources(synapse) or needs):
            raise CircuitError(
                f"Projection {where!r}: its synapses read variables of the source cells, and {name!r} is a "
                "list of spikes. Relay them: a population of cells that fire when they get one of these "
                "spikes."
            )
        known = [n for n, p in self.parts.items() if isinstance(p, (Population, Poisson, SpikeTrains))]
        if name not in known:
            raise CircuitError(
                f"Projection {where!r}: there is no source {name!r}.{nearest(name, known)} Sources: "
                f"{listed(known)}."
            )
        if isinstance(part, Population) and not part.cell.threshold and _on_spikes(self.synapse[where]):
            raise CircuitError(
                f"Projection {where!r}: the cell {part.cell.name!r} of {name!r} has no threshold and never "
                "spikes."
            )
        return (name, *self._bounds(f"Projection {where!r}", part, start, stop))

    def _target(self, where, text):
        name, start, stop = view(text)
        part = self.parts.get(name)
        known = [n for n, p in self.parts.items() if isinstance(p, Population)]
        if name not in known:
            raise CircuitError(
                f"Part {where!r}: there is no target population {name!r}.{nearest(name, known)} "
                f"Populations: {listed(known)}."
            )
        if isinstance(self.parts[where], Current) and (start is not None or stop is not None):
            raise CircuitError(
                f"Current {where!r}: it goes to a whole population; give an array with zeros for cells that "
                "get none."
            )
        return (name, *self._bounds(f"Part {where!r}", part, start, stop))

    def _side_params(self, synapse, side):
        """Parameters that the cells at one side hold: those which what they compute uses."""
        texts = [getattr(synapse, side), getattr(synapse, f"at_{side}"), getattr(synapse, f"step_{side}")]
        texts += [f"{p.code}\n{p.period}" for p in synapse.periodic if p.on == side]
        if side == "post":
            texts += synapse.adds.values()
        used = get_identifiers("\n".join(texts))
        return [n for n in synapse.params if n in used]

    def _synaptic_params(self, synapse):
        """Parameters that live with the synapses: all that only cells use are left out."""
        text = "\n".join(
            [
                synapse.equations,
                synapse.before,
                synapse.after,
                synapse.on_post,
                synapse.step,
                synapse.settle,
                synapse.unsettle,
                *synapse.deliver.values(),
                *synapse.summed.values(),
                *(f"{p.code}\n{p.period}" for p in synapse.periodic if p.on == "synapse"),
                *(
                    v
                    for n, v in synapse.init.items()
                    if isinstance(v, str) and re.search(rf"(?m)^\s*d?{n}\b", synapse.equations)
                ),
            ]
        )
        used = get_identifiers(text)
        elsewhere = {n for side in ("pre", "post") for n in self._side_params(synapse, side)}
        return [n for n in synapse.params if n in used or n not in elsewhere]

    def _dim(self, value, where, name):
        if kind(value) != "expression":
            return dimension(value)

        return expression_dimension(value, Scope(where, {}, {}), f"parameter {name}")

    def _declare(self, label, group, variable, value, dim, n, phase=BEFORE_WIRING, shape=None, where=""):
        """Declare a parameter in the group's equations and make its slot; one number is shared, anything
        else is per cell.
        """
        unit = unit_text(dim)
        if kind(value) == "scalar":
            slot = Slot(label, group, variable, None, dim, BEFORE_WIRING, 1, shared=True)
            self.slots.append(dataclasses.replace(slot, value=slot.fit(plain(value))))
            return f"{variable} : {unit} (shared, constant)"
        if kind(value) == "expression":
            self.slots.append(Slot("", group, variable, plain(value), dim, phase, n))
        else:
            if n is None:
                raise CircuitError(
                    f"{where or label}: {variable} is an array, but how many synapses there are is only "
                    "known when they are drawn. Give one number, an expression, or explicit pairs."
                )
            slot = Slot(label, group, variable, None, dim, phase, n, shape=shape)
            self.slots.append(dataclasses.replace(slot, value=slot.fit(plain(value))))
        return f"{variable} : {unit} (constant)"

    def _number(self, label, group, variable, value, dim, phase, n, shape=None, low=None):
        """A slot of a variable that exists in the group anyway (start values, rates)."""
        text = isinstance(value, str)
        slot = Slot("" if text else label, group, variable, value, dim, phase, n, shape=shape, low=low)
        if not text:
            value = plain(value)
            if np.ndim(value) and n is None:
                raise CircuitError(
                    f"{label}: an array, but the number of synapses is only known when they are drawn. Give "
                    "one number or an expression."
                )
            slot = dataclasses.replace(slot, size=1 if n is None else n, value=value)
            slot = dataclasses.replace(slot, value=slot.fit(value))
        self.slots.append(slot)


def _check_noise(where, plan):
    """Refuse noise that the method of a population cannot integrate."""
    if not any(name == "xi" or name.startswith("xi_") for name in get_identifiers(plan.equations)):
        return
    equations = parse(plan.equations, where)

    def integrates(method):
        try:
            StateUpdateMethod.stateupdaters[method](equations, {})
            return True
        except UnsupportedEquationsException:
            return False

    try:
        if any(integrates(method) for method in METHODS[plan.method]):
            return
        able = [name for name in METHODS if len(METHODS[name]) == 1 and integrates(name)]
    except EquationError as error:  # one xi in two equations
        raise CircuitError(
            f"{where}: {' '.join(str(error).split())} Noises that differ are called xi_1, xi_2 and so on."
        ) from None
    raise CircuitError(
        f"{where}: the method {plan.method!r} cannot integrate the noise of its equations. Methods that can: "
        f"{listed(able)}."
    )


def _on_spikes(synapse):
    """Whether anything happens at a presynaptic spike."""
    return bool(synapse.deliver or synapse.before or synapse.after or synapse.at_pre.strip())


def _acts_on_sources(synapse):
    """Whether a synapse brings equations or statements to the source cells."""
    text = synapse.pre + synapse.at_pre + synapse.step_pre
    return bool(text.strip()) or any(p.on == "pre" for p in synapse.periodic)


def _stripped(texts):
    return "\n".join(line.strip() for text in texts for line in text.splitlines() if line.strip())


def _multiple(every, dt, where):
    """A recorder's step in seconds, checked to be a whole number of time steps."""

    positive_time(every, f"{where}, every")
    steps = float(every) / float(dt)
    if abs(steps - round(steps)) > 1e-6 or round(steps) < 1:
        raise CircuitError(
            f"{where}: every = {every} is no multiple of dt = {dt}. Choose a whole number of time steps."
        )
    return round(steps) * float(dt)
