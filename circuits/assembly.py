"""From a circuit's parts to its plan: what cells, synapses and currents say about each other, put together.

Inputs of a cell are summed, private names of projections renamed everywhere together, parameters declared,
and everything is checked for names, units and sizes; nothing is left for the engine to refuse.
"""

import dataclasses

import numpy as np
from brian2.units import hertz, second
from brian2.units.fundamentalunits import DIMENSIONLESS
from brian2.utils.stringtools import get_identifiers

from .cell import expression_dimension
from .circuit import Current, Poisson, Population, Projection, SpikeTrains, Timed, positive_time, view
from .equations import (
    BUILT_IN,
    DIFFERENTIAL_EQUATION,
    PARAMETER,
    Scope,
    parse,
    refuse_reserved,
    rename,
    statements,
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
)
from .values import dimension, kind, plain, same_dimension, unit_text
from .wiring import DISTANCE


def make_plan(circuit):
    """The plan of a circuit; every check across parts happens here."""
    parts = circuit.parts
    if not any(isinstance(p, (Population, Poisson, SpikeTrains)) for p in parts.values()):
        raise CircuitError(
            "The circuit has no population and no input. Give at least one: Circuit(cells=population(cell, "
            "100))."
        )
    maker = Assembly(parts, float(circuit.dt))
    groups = {
        name: maker.group(name, part)
        for name, part in parts.items()
        if isinstance(part, (Population, Poisson, SpikeTrains))
    }
    synapses = {
        name: maker.synapses(name, part) for name, part in parts.items() if isinstance(part, Projection)
    }
    plan = Plan(groups, synapses, maker.slots, maker.recorders(circuit.record, circuit.dt), float(circuit.dt))
    freeze(plan)
    plan.slots = in_order(plan.slots)
    double = [s.number for s in plan.slots if s.number]
    double = {n for n in double if double.count(n) > 1}
    if double - maker.twice:
        raise CircuitError(f"Two numbers of one name: {listed(double - maker.twice)}. Rename a parameter.")
    plan.structure = structure_text(plan)
    return plan


class Assembly:
    """Collects slots while groups and synapses are put together."""

    def __init__(self, parts, dt):
        self.parts, self.dt = parts, dt
        self.slots = []
        self.twice = set()  # numbers that go to both the target group and the synapses, by design

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
            elif isinstance(piece, Projection) and self._target(other, piece.target)[0] == name:
                self._add_projection(other, piece, part, lines, sums, dims)
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
        plan.equations = "\n".join(
            line.strip() for text in lines for line in text.splitlines() if line.strip()
        )
        return plan

    def _add_current(self, other, piece, plan, cell, lines, sums):
        if piece.port not in cell.inputs:
            raise CircuitError(
                f"Current {other!r}: the cell {cell.name!r} of {piece.target!r} has no input {piece.port!r}."
                f"{nearest(piece.port, cell.inputs)} Inputs: {listed(cell.inputs)}."
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
            lines.append(
                self._declare(f"{other}.amplitude", plan.name, expression, piece.amplitude, dim, plan.n)
            )
        sums.setdefault(piece.port, []).append(expression)

    def _add_projection(self, other, piece, part, lines, sums, dims):
        """What a projection brings to its target cell: equations and parameters under names of its own."""
        synapse, cell = piece.synapse, part.cell
        where = f"Projection {other!r} ({synapse.name} to {piece.target!r})"
        for variable, unit in synapse.needs.items():
            if dims.get(variable) != dimension(unit):
                has = (
                    f"has {variable} in {unit_text(dims[variable])}"
                    if variable in dims
                    else f"has no variable {variable!r}"
                )
                raise CircuitError(
                    f"{where}: the synapse needs a variable {variable} in {unit_text(dimension(unit))}, but "
                    "the cell "
                    f"{cell.name!r} {has}. Its variables: {listed(cell.parsed)}. Take another synapse or "
                    "cell."
                )
        parsed = parse(synapse.post, where) if synapse.post.strip() else {}
        used = self._post_params(synapse, parsed)
        private = {n: f"{n}_{other}" for n in [*parsed, *used]}
        taken = set(private.values()) & set(dims)
        if taken:
            raise CircuitError(
                f"{where}: the cell {cell.name!r} has {listed(taken)} too, the name that this projection "
                "gives to what "
                "it brings. Rename the projection or the cell's variable."
            )
        own = {n: equation.dim for n, equation in parsed.items()}
        own.update({n: self._dim(synapse.params[n], where, n) for n in used})
        scope = cell.scope(where, own)
        if parsed:
            scope.equations(parsed)
        for port, expression in synapse.adds.items():
            if port not in cell.inputs:
                raise CircuitError(
                    f"{where}: it adds to {port!r}, which is no input of the cell "
                    f"{cell.name!r}.{nearest(port, cell.inputs)} "
                    f"Inputs: {listed(cell.inputs)}. Give the synapse port=... with one of them."
                )
            scope.expression(expression, dimension(cell.inputs[port]), f"addition to {port}")
            sums.setdefault(port, []).append(rename(expression, private))
        lines.append(rename(synapse.post, private))
        for variable in used:
            label = f"{other}.{variable}"
            lines.append(
                self._declare(
                    label,
                    self._target(other, piece.target)[0],
                    private[variable],
                    synapse.params[variable],
                    own[variable],
                    part.n,
                )
            )
            if variable in self._synaptic_params(synapse):
                self.twice.add(label)
        for variable, equation in parsed.items():
            if equation.type in (DIFFERENTIAL_EQUATION, PARAMETER) and variable not in synapse.summed:
                target = self._target(other, piece.target)[0]
                self._number(
                    f"{other}.{variable}", target, private[variable], 0.0, equation.dim, AT_START, part.n
                )

    # ---------------------------------------------------------------- projections

    def synapses(self, name, part):
        synapse, wiring = part.synapse, part.wiring
        where = f"Projection {name!r} ({synapse.name})"
        source, target = self._source(name, part.source), self._target(name, part.target)
        cell = self.parts[target[0]].cell
        parsed = parse(synapse.equations, where) if synapse.equations.strip() else {}
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
                    f"{part.target!r} does not "
                    f"have.{nearest(variable, cell.states)} Its state variables: {listed(cell.states)}."
                )
            on_pre.append(f"{private.get(variable, variable)}_post += {expression}")
        on_pre += statements(synapse.after)
        on_post = statements(synapse.on_post)
        if on_post and not cell.threshold:
            raise CircuitError(
                f"{where}: it acts on spikes of the cell {cell.name!r} of {part.target!r}, which has no "
                "threshold."
            )
        self._check_synapse(
            where, synapse, parsed, own, source, cell, private, post_parsed, on_pre, on_post, wiring
        )
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
        if not on_pre:
            if kind(delay) != "scalar" or plain(delay) != 0:
                raise CircuitError(f"{where}: it has no spikes to delay. Leave delay out.")
        elif kind(delay) == "expression":
            Scope(f"{where}, delay", own, {"of the synapse": own}).expression(delay, second.dim, "expression")
            self.slots.append(Slot("", name, "delay", rename(delay, mine), second.dim, AFTER_WIRING))
        else:
            if kind(delay) == "array" and n_synapses is None:
                raise CircuitError(
                    f"{where}, delay: an array, but how many synapses there are is only known when they are "
                    "drawn. Give one delay, "
                    f"an expression, or explicit pairs."
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
            self.slots[-1].fit(plain(delay))
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
        )

    def _renamed(self, name, part):
        """Names of the synapse that a cell at either end has too (w, u, R ...): inside the program they
        carry the projection's name.
        """
        taken = {"rates", "period", "spike_number", "neuron_index", "spike_time", "x", "y", "z", *BUILT_IN}
        for end in (part.source, part.target):
            group = view(end)[0]
            if isinstance(self.parts[group], Population):
                taken |= set(self.parts[group].cell.dimensions)
        synapse = part.synapse
        parsed = parse(synapse.equations, name) if synapse.equations.strip() else {}
        own = [*parsed, *self._synaptic_params(synapse), *part.wiring.params]
        renamed = {n: f"{n}_{name}" for n in own if n in taken}
        if (
            "lambda_" in part.wiring.params
        ):  # to Brian2 a name that ends in _ is the one without it, free of units
            renamed["lambda_"] = f"lambda_{name}"
        return renamed

    def _check_synapse(
        self, where, synapse, parsed, own, source, cell, private, post_parsed, on_pre, on_post, wiring
    ):
        """Names and units of everything that a synapse computes, with the variables of both cells in
        reach.
        """
        pre_part = self.parts[source[0]]
        pre = dict(pre_part.cell.dimensions) if isinstance(pre_part, Population) else {}
        post = {**cell.dimensions, **{private[n]: e.dim for n, e in post_parsed.items()}}
        reach = {
            **post,
            **own,
            **{f"{n}_pre": d for n, d in pre.items()},
            **{f"{n}_post": d for n, d in post.items()},
        }
        for name in wiring.params:
            reach[name] = DIMENSIONLESS
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
        scope.code("\n".join(on_pre), "presynaptic spike")
        scope.code("\n".join(on_post), "postsynaptic spike")
        for variable, expression in synapse.summed.items():
            scope.expression(expression, post_parsed[variable].dim, f"sum for {variable}")
        for variable, value in synapse.init.items():
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
                    f"{n_source} sources and "
                    f"{n_target} targets (indices from 0)."
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
            if recorder.kind == "spikes" and isinstance(part, Population) and not part.cell.threshold:
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
            parsed = parse(part.synapse.equations, name) if part.synapse.equations.strip() else {}
            mine = self._renamed(name, part)
            delay = ("delay",) if _on_spikes(part.synapse) else ()
            return {n: mine.get(n, n) for n in (*parsed, *self._synaptic_params(part.synapse), *delay)}
        if not isinstance(part, Population):
            return {"rates": "rates"} if isinstance(part, Poisson) else {}
        known = {n: n for n in (*part.cell.parsed, *part.cell.inputs, *part.cell.params)}
        for other, piece in self.parts.items():
            if isinstance(piece, Projection) and view(piece.target)[0] == name and piece.synapse.post.strip():
                known.update({f"{n}_{other}": f"{n}_{other}" for n in parse(piece.synapse.post, other)})
        return known

    # ---------------------------------------------------------------- helpers

    def _bounds(self, where, part, start, stop):
        start, stop = start or 0, part.n if stop is None else stop
        if not 0 <= start < stop <= part.n:
            raise CircuitError(f"{where}: the slice [{start}:{stop}] is empty or beyond the {part.n} cells.")
        return start, stop

    def _source(self, where, text):
        name, start, stop = view(text)
        part = self.parts.get(name)
        known = [n for n, p in self.parts.items() if isinstance(p, (Population, Poisson, SpikeTrains))]
        if name not in known:
            raise CircuitError(
                f"Projection {where!r}: there is no source {name!r}.{nearest(name, known)} Sources: "
                f"{listed(known)}."
            )
        if isinstance(part, Population) and not part.cell.threshold and _on_spikes(self.parts[where].synapse):
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

    def _post_params(self, synapse, parsed):
        """Parameters that live with the target cell: those which its equations and additions use."""

        text = "\n".join([synapse.post, *synapse.adds.values()])
        return [n for n in synapse.params if n in get_identifiers(text)]

    def _synaptic_params(self, synapse):
        """Parameters that live with the synapses: all that the target's equations do not use, and those
        that both use.
        """

        text = "\n".join(
            [
                synapse.equations,
                synapse.before,
                synapse.after,
                synapse.on_post,
                *synapse.deliver.values(),
                *synapse.summed.values(),
                *(v for v in synapse.init.values() if isinstance(v, str)),
            ]
        )
        used, post = get_identifiers(text), self._post_params(synapse, None)
        return [n for n in synapse.params if n in used or n not in post]

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
            self.slots.append(Slot(label, group, variable, plain(value), dim, BEFORE_WIRING, 1, shared=True))
            return f"{variable} : {unit} (shared, constant)"
        if kind(value) == "expression":
            self.slots.append(Slot("", group, variable, plain(value), dim, phase, n))
        else:
            if n is None:
                raise CircuitError(
                    f"{where or label}: {variable} is an array, but how many synapses there are is only "
                    "known when they are drawn. "
                    f"Give one number, an expression, or explicit pairs."
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


def _on_spikes(synapse):
    """Whether anything happens at a presynaptic spike."""
    return bool(synapse.deliver or synapse.before or synapse.after)


def _multiple(every, dt, where):
    """A recorder's step in seconds, checked to be a whole number of time steps."""

    positive_time(every, f"{where}, every")
    steps = float(every) / float(dt)
    if abs(steps - round(steps)) > 1e-6 or round(steps) < 1:
        raise CircuitError(
            f"{where}: every = {every} is no multiple of dt = {dt}. Choose a whole number of time steps."
        )
    return round(steps) * float(dt)
