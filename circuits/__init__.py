"""Circuits as data: cells, synapses, wiring, inputs and recorders; nothing here builds or runs anything."""

from . import synapses, wiring
from .cell import Cell
from .circuit import (
    Circuit,
    current,
    poisson,
    population,
    projection,
    rate,
    signal,
    spike_trains,
    spikes,
    timed,
    trace,
    weights,
)
from .errors import CircuitError
from .synapses import Periodic, Synapse

__all__ = [
    "Cell",
    "Circuit",
    "CircuitError",
    "Periodic",
    "Synapse",
    "current",
    "poisson",
    "population",
    "projection",
    "rate",
    "signal",
    "spike_trains",
    "spikes",
    "synapses",
    "timed",
    "trace",
    "weights",
    "wiring",
]
