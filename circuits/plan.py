"""What has to be built for a circuit, still as data: equation text for every group, one slot for every
number, and the text by which the compiled program is found again. `assembly` makes it from the parts.
"""

import dataclasses
import json
import re
from dataclasses import dataclass, field

import numpy as np
from brian2.units import second
from brian2.utils.stringtools import get_identifiers

from .circuit import Timed
from .equations import constant
from .errors import CircuitError, listed, nearest
from .values import number, plain, same_dimension, unit_text, whole_numbers

# When a number is written into the running program: before the wiring is drawn, right after it, or when a
# trial starts.
BEFORE_WIRING, AFTER_WIRING, AT_START = "before wiring", "after wiring", "at start"

MOST_STEPS = 10_000_000  # the longest delay in time steps: a queue keeps a place for each


@dataclass(frozen=True, eq=False)
class Slot:
    """One value of a built group: a number that is open at run time, or an expression that the program
    evaluates.

    `number` is the public dotted name ("" for expressions), `group` and `variable` say where it goes,
    `size` how many there are (1 for a scalar, None for any number of values), `frozen` that it takes part
    in drawing the wiring, so that a trial cannot change it.
    """

    number: str
    group: str
    variable: str
    value: object
    dim: object
    phase: str
    size: int | None = 1
    integer: bool = False
    frozen: bool = False
    shared: bool = False
    shape: tuple | None = None
    low: float | None = None  # bounds, both included
    high: float | None = None
    whole: bool = False
    step: float | None = None  # of values over time

    @property
    def text(self):
        return isinstance(self.value, str)

    def fit(self, value):
        """The value as this slot takes it, or an error saying which shape, or which values, it takes."""
        array = np.asarray(value, dtype=np.int32 if self.integer else float)
        wrong = out_of_bounds(array, self.low, self.high, self.whole)
        if wrong:
            raise CircuitError(f"{self.number}: {wrong}")
        if self.size is None:
            if array.ndim != 1:
                raise CircuitError(f"{self.number}: got shape {array.shape}; give a list of values.")
            return array
        if array.ndim == 0 and self.step is not None:
            return np.full(self.size, float(array))  # one number at all times
        if array.ndim == 0 and (self.size == 1 or not self.integer):
            return float(array)
        if self.shape is not None and array.shape == self.shape:
            return np.ascontiguousarray(array).ravel()
        if array.ndim == 1 and len(array) == self.size and not self.shared:
            return array
        wanted = "one number" if self.shared else f"one number or {self.shape or (self.size,)} values"
        raise CircuitError(f"{self.number}: got shape {array.shape}, but it takes {wanted}.")


ABOVE_ZERO = float(np.nextafter(0, 1))  # the least number that is positive


def _allowed(low, high):
    if high is None:
        positive = "above 0, as time constants and periods are. Give a positive time, such as 10*ms"
        return positive if low == ABOVE_ZERO else f"at least {low:g}"
    return f"between {low:g} and {high:g}"


def out_of_bounds(array, low, high, whole):
    """What is wrong with numbers that must lie between bounds, as text; "" if nothing is."""
    if np.isnan(array).any():
        return "a value is not a number (NaN)."
    lowest, highest = (array.min(), array.max()) if array.size else (0, 0)
    if (low is not None and lowest < low) or (high is not None and highest > high):
        found = lowest if low is not None and lowest < low else highest
        return f"got {found:g}; it must be {_allowed(low, high)}."
    return "it must be a whole number." if whole and (array != np.round(array)).any() else ""


@dataclass(eq=False)
class GroupPlan:
    """A population or input to build."""

    name: str
    kind: str  # cells | poisson | spike_trains
    n: int
    equations: str = ""
    threshold: str = ""
    reset: str = ""
    refractory: str = ""
    method: str = ""
    timed: dict = field(default_factory=dict)  # function name -> Timed
    rates: str = ""
    events: dict = field(default_factory=dict)  # name -> [condition, statements]
    links: dict = field(default_factory=dict)  # variable -> [group, its variable, unit]
    steps: list = field(default_factory=list)  # statements at the start of every time step


@dataclass(eq=False)
class SynapsePlan:
    """A projection to build."""

    name: str
    source: tuple
    target: tuple
    equations: str
    on_pre: str
    on_post: str
    wiring: object
    connect: dict
    delay: str  # shared | each
    pairs: int = 0
    event: str = (
        "spike"  # of the target, that on_post follows; for connections of cells with themselves, theirs
    )
    order: int | None = None  # of presynaptic events in a time step, if not the usual one
    settle: str = ""  # statements that bring synapses up to date before they are recorded,
    unsettle: str = ""  # and those that come after it
    step: str = ""  # statements at the end of every time step


@dataclass(eq=False)
class Plan:
    groups: dict
    synapses: dict
    slots: list
    recorders: list
    dt: float
    periodic: list = field(default_factory=list)
    structure: str = ""

    def fitted(self, changes):
        """Numbers given with units, by dotted name, as the plain arrays that their slots take."""
        slots = {slot.number: slot for slot in self.slots if slot.number}
        given = {}
        for name, value in changes.items():
            if name not in slots:
                raise CircuitError(
                    f"The circuit has no number {name!r}.{nearest(name, slots)} Numbers: {listed(slots)}."
                )
            slot = slots[name]
            if isinstance(value, Timed):
                if slot.step is None or abs(float(value.dt) - slot.step) > 1e-9 * slot.step:
                    step = (
                        f"values over time with a step of {slot.step:g} s"
                        if slot.step
                        else "no values over time"
                    )
                    raise CircuitError(
                        f"{name}: got values with a step of {float(value.dt):g} s, but it takes {step}; "
                        "the step is structure. Replace the part with with_(...)."
                    )
                value = value.values
            if slot.integer:
                given[name] = slot.fit(whole_numbers(value, name))
                continue
            value = number(value, name)
            if isinstance(value, str):
                raise CircuitError(
                    f"{name}: text is structure, not a number. Put the expression into the cell or synapse "
                    "itself."
                )
            same_dimension(value, slot.dim, name)
            given[name] = slot.fit(plain(value))
        for part in {name.rpartition(".")[0] for name in given if name.endswith((".w_min", ".w_max"))}:
            self._check_bounds(part, slots, given)
        return given

    def _check_bounds(self, part, slots, given):
        """Weights that are kept within bounds need a lower one below the upper one."""
        both = [f"{part}.w_min", f"{part}.w_max"]
        if part not in self.synapses or not all(name in slots for name in both):
            return
        synapses = self.synapses[part]
        code = f"{synapses.on_pre}\n{synapses.on_post}\n{synapses.step}"
        if not re.search(r"\bclip\([^\n]*,\s*w_min\s*,\s*w_max\s*\)", code):
            return
        low, high = (np.asarray(given.get(name, slots[name].value), float) for name in both)
        if not np.all(low < high):
            raise CircuitError(
                f"{' and '.join(name for name in both if name in given)}: with this, the weights of {part!r} "
                f"are to stay between {low.max():g} and {high.min():g} (SI). Give w_min and w_max together, "
                "the smaller one first."
            )

    def with_values(self, values):
        slots = [
            dataclasses.replace(s, value=values[s.number]) if s.number in values else s for s in self.slots
        ]
        return dataclasses.replace(self, slots=slots)


def time_constants(plan):
    """Times that equations and statements divide by must be positive: at 0 they give NaN, below they grow."""
    for owner in [*plan.groups.values(), *plan.synapses.values()]:
        texts = [owner.equations]
        if hasattr(owner, "steps"):
            texts += owner.steps
        else:
            texts += [owner.on_pre, owner.on_post, owner.settle, owner.unsettle, owner.step]
        texts += [p["code"] for p in plan.periodic if p["on"] == owner.name]
        divisors = _divisors("\n".join(texts))
        divisors |= {p["period"] for p in plan.periodic if p["on"] == owner.name}
        for k, slot in enumerate(plan.slots):
            is_time = slot.group == owner.name and slot.dim == second.dim
            if not is_time or slot.variable not in divisors:
                continue
            if slot.text:
                value = constant(slot.value)
                wrong = value is not None and out_of_bounds(np.asarray(value), ABOVE_ZERO, None, False)
                if wrong:
                    raise CircuitError(f"{slot.group}.{slot.variable}, '{slot.value}': {wrong}")
            elif slot.number:
                plan.slots[k] = slot = dataclasses.replace(slot, low=ABOVE_ZERO)
                slot.fit(np.asarray(slot.value))


def _divisors(text):
    """Names that stand by themselves, or as factors, behind a division."""
    found = set()
    for chain in re.findall(r"/\s*([A-Za-z_]\w*)(?![\w(])", text):
        found.add(chain)
    for inside in re.findall(r"/\s*\(([\w\s.*]+)\)(?!\s*\*\*)", text):
        found |= get_identifiers(inside)
    return found


def freeze(plan):
    """Numbers that expressions for wiring or parameters read cannot differ between trials: what they made
    is already there.
    """
    for group in {s.group for s in plan.slots}:
        texts = [s.value for s in plan.slots if s.text and s.group == group and s.phase != AT_START]
        used = get_identifiers("\n".join(texts))
        for k, slot in enumerate(plan.slots):
            if slot.group == group and slot.variable in used and slot.number:
                plan.slots[k] = dataclasses.replace(slot, frozen=True)
    placed = {
        end[0] for s in plan.synapses.values() if s.wiring.kind == "distance" for end in (s.source, s.target)
    }
    for k, slot in enumerate(plan.slots):
        if slot.group in placed and slot.variable in ("x", "y", "z"):
            plan.slots[k] = dataclasses.replace(slot, frozen=True)


def in_order(slots):
    """Expressions such that each comes after those whose variables it reads; the order of equations plays
    no part.
    """
    waiting, ordered = [s for s in slots if s.text], []
    while waiting:
        ready = [
            s
            for s in waiting
            if not any(
                o is not s
                and o.group == s.group
                and o.phase == s.phase
                and o.variable in get_identifiers(s.value)
                for o in waiting
            )
        ]
        if not ready:
            names = listed(f"{s.group}.{s.variable}" for s in waiting)
            raise CircuitError(
                f"The expressions for {names} read each other. Give one of them a value that does not."
            )
        ordered += ready
        waiting = [s for s in waiting if not any(s is o for o in ready)]
    return [s for s in slots if not s.text] + ordered


def structure_text(plan):
    """The text by which a compiled program is found: all that shapes generated code, nothing that is a
    number.
    """

    def timed(functions):
        return {n: [list(v.values.shape), float(v.dt), unit_text(v.dim)] for n, v in functions.items()}

    groups = [
        {**{k: v for k, v in vars(g).items() if k != "timed"}, "timed": timed(g.timed)}
        for g in plan.groups.values()
    ]
    synapses = [
        {**{k: v for k, v in vars(s).items() if k != "wiring"}, "wiring": [s.wiring.kind, s.wiring.autapses]}
        for s in plan.synapses.values()
    ]
    slots = [
        [
            s.number,
            s.group,
            s.variable,
            s.value if s.text else None,
            unit_text(s.dim),
            s.phase,
            s.size,
            s.integer,
            s.shared,
        ]
        for s in plan.slots
    ]
    return json.dumps(
        {
            "groups": groups,
            "synapses": synapses,
            "slots": slots,
            "periodic": plan.periodic,
            "recorders": plan.recorders,
            "dt": plan.dt,
        },
        sort_keys=True,
    )
