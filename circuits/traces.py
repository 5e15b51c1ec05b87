"""Traces that depend on the spikes of one side only live with that side's cells, not with every synapse.

A variable of a synapse moves to the source cell if it decays exponentially, changes at presynaptic spikes
only, by numbers that all synapses share, and nothing later in the same event reads it: then it has the same
value in all synapses of that cell. The same holds for postsynaptic spikes and the target cell. What is read
before and what after an increment stays as it was: in a step come presynaptic events, increments of the
sources' traces, postsynaptic events, increments of the targets' traces.
"""

import dataclasses
import re

from brian2.utils.stringtools import get_identifiers

from .equations import BUILT_IN, DIFFERENTIAL_EQUATION, RESERVED, parse, rename, statements
from .values import kind, unit_text

# Names that mean the same at all synapses of a cell: units, constants, and functions that draw nothing.
_SAME_FOR_ALL = (RESERVED - set(BUILT_IN) - {"rand", "randn", "poisson"}) | {"t", "dt"}
_TEXTS = ("before", "after", "on_post", "step", "settle", "unsettle")


def per_neuron(synapse, where, sides=("pre", "post"), kept=()):
    """The synapse with its one-sided traces moved to the cells of `sides`, except for those in `kept`."""
    if not synapse.per_neuron or not synapse.equations.strip():
        return synapse
    parsed = parse(synapse.equations, where)
    for side in sides:
        moving = _movable(synapse, parsed, side, set(kept))
        if moving:
            synapse = _moved(synapse, parsed, side, moving)
            parsed = parse(synapse.equations, where) if synapse.equations.strip() else {}
    return synapse


def _events(synapse, side):
    """The statements of a side's event: (those that may not change the trace, those that may)."""
    if side == "post":
        return statements(synapse.settle), [*statements(synapse.on_post), *statements(synapse.unsettle)]
    deliveries = [f"{variable} += {text}" for variable, text in synapse.deliver.items()]
    first = [*statements(synapse.settle), *statements(synapse.before), *deliveries]
    return first, [*statements(synapse.after), *statements(synapse.unsettle)]


def _changes(statement, name):
    return re.match(rf"{name}\s*[-+*/]?=(?!=)", statement)


def _movable(synapse, parsed, side, kept):
    """Names of variables that can live with the cells of one side."""
    shared = {name for name, value in synapse.params.items() if kind(value) == "scalar"}
    first, last = _events(synapse, side)
    other = [line for part in _events(synapse, "post" if side == "pre" else "pre") for line in part]
    elsewhere = [
        *other,
        *statements(synapse.step),
        *(x for p in synapse.periodic for x in statements(p.code)),
    ]
    texts = "\n".join([*synapse.summed.values(), *(v for v in synapse.init.values() if isinstance(v, str))])
    found = {}
    for name, equation in parsed.items():
        if equation.type != DIFFERENTIAL_EQUATION or "event-driven" not in equation.flags or name in kept:
            continue
        decay = re.fullmatch(r"-\s*(\w+)\s*/\s*(\w+)", equation.expr.code.strip())
        start = synapse.init.get(name, 0.0)
        if not decay or decay.group(1) != name or decay.group(2) not in shared:
            continue
        if isinstance(start, str) or kind(start) != "scalar" or float(start) != 0.0:
            continue  # an event-driven variable waits for its first event with decaying, a cell's does not
        if any(_changes(line, name) for line in [*first, *elsewhere]) or name in get_identifiers(texts):
            continue
        places = [k for k, line in enumerate(last) if _changes(line, name)]
        if not places:
            continue
        later = "\n".join(line for line in last[places[0] :] if not _changes(line, name))
        if name in get_identifiers(later):
            continue
        found[name] = decay.group(2)
    # What changes a trace may read numbers, and traces that move with it.
    while True:
        wrong = [
            name
            for name in found
            for line in last
            if _changes(line, name) and get_identifiers(line) - set(found) - shared - _SAME_FOR_ALL
        ]
        if not wrong:
            return found
        for name in set(wrong):
            del found[name]


def _moved(synapse, parsed, side, moving):
    names = {name: f"{name}_{side}" for name in moving}
    event = "after" if side == "pre" else "on_post"
    stay = [x for x in statements(getattr(synapse, event)) if not any(_changes(x, n) for n in moving)]
    move = [x for x in statements(getattr(synapse, event)) if any(_changes(x, n) for n in moving)]
    texts = {text: rename(getattr(synapse, text), names) for text in _TEXTS}
    texts[event] = rename("\n".join(stay), names)
    kept = [line for line in synapse.equations.splitlines() if line.strip() and not _defines(line, moving)]
    units = [f"{name} : {unit_text(parsed[name].dim)}" for name in moving]
    decays = [f"{name} *= exp(-dt/{tau})" for name, tau in moving.items()]
    return dataclasses.replace(
        synapse,
        equations=rename("\n".join(kept), names),
        deliver={variable: rename(text, names) for variable, text in synapse.deliver.items()},
        periodic=tuple(
            dataclasses.replace(p, code=rename(p.code, names)) if p.on == "synapse" else p
            for p in synapse.periodic
        ),
        init={name: value for name, value in synapse.init.items() if name not in moving},
        **{
            **texts,
            side: _joined(getattr(synapse, side), units),
            f"at_{side}": _joined(getattr(synapse, f"at_{side}"), move),
            f"step_{side}": _joined(getattr(synapse, f"step_{side}"), decays),
        },
    )


def _defines(line, names):
    match = re.match(r"\s*d(\w+)\s*/\s*dt\s*=", line)
    return bool(match) and match.group(1) in names


def _joined(text, lines):
    return "\n".join([*(line for line in text.splitlines() if line.strip()), *lines])
