"""The liquid column of Maass, Natschlaeger & Markram 2002 (Neural Comput 14:2531, section 3.1) as a circuit.

Leaky integrate-and-fire cells on a grid, a fifth of them inhibitory, wired with probability
C exp(-(D/lambda)^2) by synapses with short-term plasticity; spike trains come in through static synapses.
`column` deals the places of the grid out to the two kinds of cell, `liquid` makes the circuit:

    net = liquid(1, column(seed=3))
    recording = engine.run(net.but({"input.i": i, "input.t": t}), 0.5*second, seed=3)

`recording.spikes["cells"]` holds all cells, the excitatory ones first.

Deviations from the paper: U, D and F are drawn from a normal distribution with an SD of half the mean, as
there, but clipped at 0.02 and 1.98 of the mean, which keeps the mean, where the paper replaces negative ones
by uniform values; no cell connects to itself; delays are whole time steps (1 ms and 2 ms at a step of 1 ms).
"""

import dataclasses
from dataclasses import dataclass

import numpy as np
from brian2.units import Mohm, ms, mV, nA, second

from . import neurons, synapses, wiring
from .circuit import Circuit, Poisson, SpikeTrains, population, projection, spike_trains, spikes
from .errors import CircuitError

__all__ = ["CONNECTIONS", "Column", "Connection", "cell", "column", "liquid"]


@dataclass(frozen=True)
class Connection:
    """A kind of recurrent synapse: probability C at no distance, mean weight, plasticity U, D, F, delay."""

    C: float
    A: object
    U: float
    D: object
    F: object
    delay: object


# Maass, Natschlaeger & Markram 2002, footnotes to section 3.1; source and target, excitatory or inhibitory.
CONNECTIONS = {
    "ee": Connection(0.3, 30 * nA, 0.5, 1.1 * second, 0.05 * second, 1.5 * ms),
    "ei": Connection(0.2, 60 * nA, 0.05, 0.125 * second, 1.2 * second, 0.8 * ms),
    "ie": Connection(0.4, -19 * nA, 0.25, 0.7 * second, 0.02 * second, 0.8 * ms),
    "ii": Connection(0.1, -19 * nA, 0.32, 0.144 * second, 0.06 * second, 0.8 * ms),
}

GAMMA = "-log(1 - rand())"  # a gamma distribution whose SD equals its mean is an exponential one
HALF = "clip(1 + 0.5*randn(), 0.02, 1.98)"


@dataclass(frozen=True, eq=False)
class Column:
    """Places of the cells (n x 3, in grid steps): the first `n_exc` are the excitatory ones."""

    positions: np.ndarray
    n_exc: int

    @property
    def n(self):
        return len(self.positions)


def column(shape=(15, 3, 3), *, inhibitory=0.2, seed=0):
    """Deal the places of a grid out to excitatory and inhibitory cells; `seed`: a number or a SeedSequence.

    Another seed is another arrangement of the same structure: its circuit runs in the same compiled program.
    """
    places = wiring.grid(*shape)
    if not 0 <= inhibitory < 1:
        raise CircuitError(
            f"column, inhibitory: got {inhibitory}; it is a fraction of the cells, at least 0, below 1."
        )
    order = np.random.default_rng(seed).permutation(len(places))
    return Column(places[order], len(places) - round(inhibitory * len(places)))


def cell(t_ref=3 * ms):
    """The cell of Maass, Natschlaeger & Markram 2002: leaky integrate-and-fire with two synaptic currents.

        tau_m dv/dt = -v + R (I_b + I_e + I_i + I),    tau_e dI_e/dt = -I_e,    tau_i dI_i/dt = -I_i

    v is measured from rest. The background current I_b alone brings it to 13.5 mV, where it is reset to, too;
    the threshold is 1.5 mV above. It starts anywhere in between.
    """
    leaky = neurons.leaky(tau_m=30 * ms, R=1 * Mohm, E_L=0 * mV, V_t=15 * mV, V_r=13.5 * mV, t_ref=t_ref)
    leaky = leaky.plus(
        """dI_e/dt = -I_e/tau_e : amp
           dI_i/dt = -I_i/tau_i : amp""",
        adds={"I": "I_b + I_e + I_i"},
        params=dict(I_b=13.5 * nA, tau_e=3 * ms, tau_i=6 * ms),
        init={"v": "V_r + rand()*(V_t - V_r)"},
        name="liquid",
    )
    return dataclasses.replace(leaky, source="Maass, Natschlaeger & Markram 2002, section 3.1")


def _spread(synapse):
    """The synapse with gamma-distributed weights: w is their mean, `spread` the factor of each of them."""
    deliver = {variable: f"spread*({expression})" for variable, expression in synapse.deliver.items()}
    return dataclasses.replace(synapse, deliver=deliver, params={**synapse.params, "spread": GAMMA})


def _recurrent(name, dynamic, scale):
    """The synapse of the table; it adds to I_e or I_i of its target, by the kind of its source."""
    kind = CONNECTIONS[name]
    synapse = _spread(synapses.delta("I_e" if name[0] == "e" else "I_i", w=scale * kind.A))
    if not dynamic:
        return synapse
    return synapses.tsodyks_markram(
        synapse,
        U=f"{kind.U}*{HALF}",
        tau_rec=f"{kind.D / second}*second*{HALF}",
        tau_facil=f"{kind.F / second}*second*{HALF}",
    )


def liquid(
    source,
    places=None,
    *,
    lambda_=2.0,
    scale=1.0,
    dynamic=True,
    input_probability=1.0,
    w_exc=18 * nA,
    w_inh=9 * nA,
    input_spread=False,
    v=None,
    record=None,
    dt=1 * ms,
):
    """The circuit: `input`, `cells`, projections `ee`, `ei`, `ie`, `ii`, from the input `to_exc`, `to_inh`.

    Parameters
    ----------
    source : int or input
        How many spike trains come in, their spikes being the run-time numbers "input.i" and "input.t"; or an
        input made by `spike_trains` or `poisson`.
    places : Column
        Which cell stands where; the paper's grid of 15 x 3 x 3 if not given.
    lambda_ : float
        Reach of connections in grid steps.
    scale : float
        Multiplies all recurrent weights; 0 removes recurrence. Weights are run-time numbers too ("ee.w" ...).
    dynamic : bool
        Short-term plasticity. Without it every spike delivers the whole weight, as if U were 1 and recovery
        immediate.
    input_probability : float
        Probability with which a spike train reaches a cell.
    w_exc, w_inh : Quantity
        Weight of the input onto excitatory and inhibitory cells.
    input_spread : bool
        Draw the input's weights from a gamma distribution with SD = mean, as the recurrent ones are.
    v : array
        Start potentials of all cells, which are then the run-time number "cells.v"; if not given, the program
        draws them between reset and threshold.
    record : list
        Recorders; the spikes of all cells if not given.
    dt : Quantity
        Time step.

    Raises
    ------
    CircuitError
        For a column without inhibitory cells and for a source that is none.
    """
    places = column() if places is None else places
    n, n_exc = places.n, places.n_exc
    if n_exc == n:
        raise CircuitError(
            f"liquid: none of the {n} cells is inhibitory. Give column(inhibitory=...) a larger fraction."
        )
    source = spike_trains(source) if isinstance(source, (int, np.integer)) else source
    if not isinstance(source, (SpikeTrains, Poisson)):
        raise CircuitError(
            f"liquid: {source!r} is no input. Give a number of spike trains, or spike_trains or poisson."
        )
    side = {"e": f"cells[:{n_exc}]", "i": f"cells[{n_exc}:]"}

    def incoming(target, w):
        synapse = synapses.delta("I_e", w=w)
        return projection(
            "input",
            target,
            _spread(synapse) if input_spread else synapse,
            wiring.probability(input_probability),
        )

    recurrent = {
        name: projection(
            side[name[0]],
            side[name[1]],
            _recurrent(name, dynamic, scale),
            wiring.distance(kind.C, lambda_, autapses=False),
            delay=kind.delay,
        )
        for name, kind in CONNECTIONS.items()
    }
    t_ref = np.where(np.arange(n) < n_exc, 3.0, 2.0) * ms
    return Circuit(
        input=source,
        cells=population(cell(t_ref), n, positions=places.positions, init=None if v is None else {"v": v}),
        **recurrent,
        to_exc=incoming(side["e"], w_exc),
        to_inh=incoming(side["i"], w_inh),
        record=[spikes("cells")] if record is None else record,
        dt=dt,
    )
