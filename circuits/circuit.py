"""A circuit: named populations, projections, inputs and recorders, as plain data; no Brian2 object exists
yet.

    net = Circuit(
        cells=population(neurons.cuba(), 4000),
        exc=projection("cells[:3200]", "cells", synapses.delta("g_e", w=1.62*mV), wiring.probability(0.02)),
        record=[spikes("cells")], dt=0.1*ms)

The keyword is the name of the part. Every number of every part is open at run time and goes by its dotted
name ("exc.w"); sizes, kinds of wiring, equation text, recorders and dt are structure. Everything is checked
when the circuit is made.
"""

import re
import reprlib
from dataclasses import dataclass, field

import numpy as np
from brian2.units import hertz, ms, second
from brian2.units.fundamentalunits import DIMENSIONLESS, Quantity

from . import display
from .cell import Cell
from .equations import refuse_reserved
from .errors import CircuitError
from .synapses import Synapse
from .values import describe, dimension, kind, number, same_dimension, whole_numbers
from .wiring import Wiring


@dataclass(frozen=True, eq=False)
class Timed:
    """Values over time: shape (T,) for all cells alike, or (T, n); each row holds for dt, the last one from
    then on.
    """

    values: object
    dt: Quantity

    def __post_init__(self):
        values = number(self.values, "timed, values")
        if isinstance(values, str) or np.ndim(values) not in (1, 2) or np.size(values) == 0:
            raise CircuitError(
                f"timed: values must be an array of shape (T,) or (T, n), not {describe(values)}."
            )
        positive_time(self.dt, "timed, dt")
        object.__setattr__(self, "values", values)

    @property
    def dim(self):
        return dimension(self.values)


@dataclass(frozen=True, eq=False)
class Population:
    cell: Cell
    n: int
    positions: object = None
    init: dict = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Poisson:
    n: int
    rates: object


@dataclass(frozen=True, eq=False)
class SpikeTrains:
    n: int
    i: object
    t: object


@dataclass(frozen=True, eq=False)
class Current:
    target: str
    port: str
    amplitude: object


@dataclass(frozen=True, eq=False)
class Projection:
    source: str
    target: str
    synapse: Synapse
    wiring: Wiring
    delay: object


@dataclass(frozen=True, eq=False)
class Signal:
    source: str
    variable: str
    targets: tuple


@dataclass(frozen=True, eq=False)
class Recorder:
    kind: str
    part: str
    variable: str = ""
    index: object = None
    every: object = None

    def __post_init__(self):
        if not isinstance(self.variable, str):
            raise CircuitError(
                f"Recorder {self.kind}({self.part!r}): got {self.variable!r}; give one name as text, and a "
                "recorder for each."
            )


def population(cell, n=None, positions=None, init=None):
    """n cells of one kind; `positions` (n x 3, from `wiring.grid` or drawn) for distance-dependent wiring;
    `init` replaces start values.
    """
    if not isinstance(cell, Cell):
        raise CircuitError(
            f"population: {cell!r} is no Cell. Take one from circuits.neurons, such as neurons.leaky()."
        )
    if positions is not None:
        positions = number(positions, "population, positions")
        same_dimension(positions, DIMENSIONLESS, "population, positions")
        if np.ndim(positions) != 2 or np.shape(positions)[1] != 3:
            raise CircuitError(
                f"population: positions must be an array n x 3, not of shape {np.shape(positions)}."
            )
        n = len(positions) if n is None else _size(n, "population")
        if n != len(positions):
            raise CircuitError(
                f"population: {len(positions)} positions for {n} cells; give one position for every cell."
            )
    if init is not None and not (isinstance(init, dict) and all(isinstance(name, str) for name in init)):
        raise CircuitError(
            f"population, init: got {init!r}; give variables with their values, such as init={{'v': -60*mV}}."
        )
    return Population(cell.but(**(init or {})), _size(n, "population"), positions)


def poisson(n, rates):
    """n independent Poisson sources; rates: one rate, an array of n, or `timed(...)`."""
    if not isinstance(rates, Timed):
        rates = number(rates, "poisson, rates")
        if kind(rates) == "expression":
            raise CircuitError(
                "poisson, rates: give a rate, an array of rates, or timed(values, dt), not text."
            )
        if np.any(np.asarray(rates) < 0):
            raise CircuitError("poisson, rates: a rate is negative; rates must be at least 0.")
    same_dimension(rates if not isinstance(rates, Timed) else rates.values, hertz.dim, "poisson, rates")
    return Poisson(_size(n, "poisson"), rates)


def spike_trains(n, i=(), t=()):
    """n sources that emit the given spikes: source index i and time t for each; how many there are is open
    at run time.
    """
    i = whole_numbers(i, "spike_trains, i")
    t = number(t, "spike_trains, t") if np.size(t) else np.zeros(0) * second
    if isinstance(t, str):
        raise CircuitError(f"spike_trains, t: got {t!r}; give times with their unit, such as [1, 2]*ms.")
    same_dimension(t, second.dim, "spike_trains, t")
    t, n = t.reshape(-1) if np.ndim(t) else Quantity([t]), _size(n, "spike_trains")
    if len(i) != len(t):
        raise CircuitError(
            f"spike_trains: {len(i)} indices and {len(t)} times; give one time for every index."
        )
    if len(i) and (i.min() < 0 or i.max() >= n):
        raise CircuitError(
            f"spike_trains, i: indices run from {i.min()} to {i.max()}, but there are {n} sources (0 to "
            f"{n - 1})."
        )
    if len(t) and not np.asarray(t).min() >= 0:
        raise CircuitError("spike_trains, t: a time is negative or not a number; times must be at least 0.")
    return SpikeTrains(n, i, t)


def current(target, port, amplitude):
    """A current (or whatever the input `port` of the target takes): one amplitude, one per cell, or
    `timed(...)`.
    """
    if not isinstance(amplitude, Timed):
        amplitude = number(amplitude, "current, amplitude")
    return Current(target, port, amplitude)


def timed(values, dt):
    """Values over time for `poisson` and `current`: shape (T,) or (T, n), each row holding for dt."""
    return Timed(values, dt)


def signal(source, *targets):
    """A variable of another population that the cells of `targets` read, under the name of this part, as it
    is at the start of each time step: `da=signal("dopamine.d", "cells")`.

    One source cell is read by all cells, as many as there are targets one by one. Equations and plasticity
    rules of the targets can use the name (synaptic code as da_post).
    """
    name, _, variable = source.partition(".") if isinstance(source, str) else ("", "", "")
    if not (name.isidentifier() and variable.isidentifier()):
        raise CircuitError(f"signal: {source!r} names no variable. Write 'population.variable'.")
    if not targets or not all(isinstance(t, str) and t.isidentifier() for t in targets):
        raise CircuitError(f"signal: {targets!r} names no populations. Write signal('a.x', 'cells').")
    return Signal(name, variable, targets)


def projection(source, target, synapse, wiring, delay=0 * ms):
    """Synapses from one population (or input) to another; slices such as "cells[:3200]" name a part of a
    population.

    delay: one delay, an array (one per synapse) or an expression ("1*ms + 4*ms*rand()").
    """
    if not isinstance(synapse, Synapse):
        raise CircuitError(
            f"projection: {synapse!r} is no Synapse. Take one from circuits.synapses, such as "
            "synapses.delta('v', 1*mV)."
        )
    if not isinstance(wiring, Wiring):
        raise CircuitError(
            f"projection: {wiring!r} is no Wiring. Take one from circuits.wiring, such as "
            "wiring.probability(0.1)."
        )
    delay = number(delay, "projection, delay")
    if kind(delay) != "expression":
        same_dimension(delay, second.dim, "projection, delay")
        if not np.all(np.asarray(delay) >= 0):
            raise CircuitError(f"projection, delay: got {describe(delay)}; a delay must be at least 0.")
    return Projection(source, target, synapse, wiring, delay)


def spikes(part, event=""):
    """Record all spikes of a population or input (or of a slice of it), or its events of another kind: then
    they are found under "part.event".
    """
    return Recorder("spikes", part, event)


def trace(part, variable, index=None, every=None):
    """Record a variable over time: of all cells, or of those in `index`; at every step, or `every` so
    often.
    """
    return Recorder("trace", part, variable, _indices(index), every)


def rate(part, every=None):
    """Record the mean firing rate of a population (or slice) in bins of `every` (one time step if not
    given).
    """
    return Recorder("rate", part, "", None, every)


def weights(part, variable="w", index=None, every=None):
    """Record a variable of the synapses of a projection: at the end, or at start, end and `every` so often
    in between. An event-driven variable holds the value of its synapse's last spike.
    """
    return Recorder("weights", part, variable, _indices(index), every)


class Circuit:
    """Parts by name, recorders and the time step.

    Parameters
    ----------
    record : list
        Recorders from `spikes`, `trace`, `rate` and `weights`.
    dt : Quantity
        Time step.
    parts
        Populations, inputs and projections; the keyword is the name of the part.

    Raises
    ------
    CircuitError
        For anything that does not fit together; the message names the part and the remedy.
    """

    def __init__(self, *, record=(), dt=0.1 * ms, **parts):
        positive_time(dt, "Circuit, dt")
        self.dt = dt
        if not isinstance(record, (Recorder, list, tuple)):
            raise CircuitError(
                f"record: {record!r} is no list of recorders. Give record=[spikes('cells')], or leave it out."
            )
        self.record = (record,) if isinstance(record, Recorder) else tuple(record)
        for recorder in self.record:
            if not isinstance(recorder, Recorder):
                raise CircuitError(
                    f"record: {recorder!r} is no recorder. Take spikes, trace, rate or weights."
                )
        self.parts = dict(parts)
        self.changes = {}  # numbers given by `but`, by dotted name
        for name, part in parts.items():
            if not isinstance(part, (Population, Poisson, SpikeTrains, Current, Projection, Signal)):
                raise CircuitError(
                    f"Part {name!r} is a {type(part).__name__}. A part is made by population, projection, "
                    "poisson, spike_trains, current or signal."
                )
            refuse_reserved(name, f"Part {name!r}", "part")
            if name.startswith("recorder_"):
                raise CircuitError(
                    f"Part {name!r}: names that begin with recorder_ are taken. Choose another name."
                )
        self.plan  # noqa: B018  everything is checked while the plan is made

    @property
    def plan(self):
        """What has to be built, as text and names (see `plan`); made once."""
        if "_plan" not in self.__dict__:
            from .assembly import make_plan

            self._plan = make_plan(self)
        return self._plan

    def with_(self, *, record=None, dt=None, **parts):
        """The same circuit with parts added or replaced (None removes one), other recorders or another time
        step.
        """
        merged = {k: v for k, v in {**self.parts, **parts}.items() if v is not None}
        made = Circuit(
            record=self.record if record is None else record, dt=self.dt if dt is None else dt, **merged
        )
        # A replaced part brings its own numbers; elsewhere those that `but` changed stay changed.
        there = {slot.number for slot in made.plan.slots}
        kept = {n: v for n, v in self.changes.items() if n in there and n.partition(".")[0] not in parts}
        return made.but(kept) if kept else made

    def numbers(self):
        """All numbers that a program of this circuit takes: dotted name to float or array in SI units."""
        return {slot.number: slot.value for slot in self.plan.slots if slot.number}

    def but(self, changes):
        """The same circuit with other numbers, by dotted name: `net.but({"exc.w": 2*mV})`.

        Raises `CircuitError` for a name that does not exist, a wrong unit, or a shape that does not fit.
        """
        if not isinstance(changes, dict):
            raise CircuitError(
                f"but: got {changes!r}; give dotted names with their values, such as "
                "but({'cells.tau_m': 20*ms})."
            )
        given = self.plan.fitted(changes)
        same = object.__new__(Circuit)
        changed = {**self.changes, **changes}
        same.__dict__.update(self.__dict__, _plan=self.plan.with_values(given), changes=changed)
        return same

    def structure(self):
        """Everything that the compiled program depends on, as text; equal text, equal program."""
        return self.plan.structure

    def __repr__(self):
        return display.circuit_text(self)

    def _repr_html_(self):
        return display.circuit_html(self)


def view(text):
    """'cells[10:20]' as ('cells', 10, 20); open ends are None."""
    match = (
        re.fullmatch(r"\s*([A-Za-z_]\w*)\s*(?:\[\s*(\d*)\s*:\s*(\d*)\s*\])?\s*", text)
        if isinstance(text, str)
        else None
    )
    if not match:
        raise CircuitError(f"{text!r} names no part. Write 'cells', or a slice such as 'cells[:3200]'.")
    name, start, stop = match.groups()
    return name, int(start) if start else None, int(stop) if stop else None


def _size(n, where):
    if isinstance(n, bool) or not isinstance(n, (int, float, np.number)) or not 1 <= n < 2**31 or int(n) != n:
        raise CircuitError(
            f"{where}: got {reprlib.repr(n)} cells; the size must be a whole number of at least 1 (below "
            "2**31)."
        )
    return int(n)


def _indices(index):
    if index is None:
        return None
    if isinstance(index, slice):
        if index.stop is None:
            raise CircuitError(
                f"recorder, index: {index} has no end. Give a list of indices, such as range(10)."
            )
        index = range(*index.indices(index.stop))
    array = np.atleast_1d(np.asarray(index))
    if array.ndim != 1 or array.size == 0 or not np.issubdtype(array.dtype, np.integer) or array.min() < 0:
        raise CircuitError(
            f"recorder, index: give a list of one or more indices (whole numbers from 0), not {index!r}."
        )
    return tuple(int(k) for k in array)


def seconds_of(value, where="duration"):
    """A duration in seconds, its unit checked."""
    value = number(value, where)
    if isinstance(value, str) or np.ndim(value) != 0:
        raise CircuitError(f"{where}: got {value!r}; give one time, such as 1*second.")
    same_dimension(value, second.dim, where)
    return float(value)


def positive_time(value, where):
    value = number(value, where)
    if isinstance(value, str) or np.ndim(value) != 0:
        raise CircuitError(f"{where}: got {value!r}; give one time, such as 0.1*ms.")
    same_dimension(value, second.dim, where)
    if not 0 < float(value) < float("inf"):
        raise CircuitError(f"{where}: got {describe(value)}; it must be positive.")
