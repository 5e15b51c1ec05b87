"""Balanced random networks of excitatory and inhibitory cells."""

from brian2 import ms, mV

from . import neurons, synapses, wiring
from .circuit import Circuit, population, projection, spikes


def vogels_abbott(n=4000, p=0.02, w_e=1.62 * mV, w_i=-9 * mV, cell=None, record=(), dt=0.1 * ms):
    """The current-based network of Vogels & Abbott 2005 in the form of the benchmark of Brette et al. 2007
    (CUBA).

    Four fifths of the n cells are excitatory, every pair is connected with probability p, a spike adds w_e
    or w_i to the synaptic variable of its target. Start values are drawn between reset and threshold; all
    delays are zero.
    """
    n_e = round(0.8 * n)
    return Circuit(
        cells=population(cell or neurons.cuba(), n, init={"v": "V_r + rand()*(V_t - V_r)"}),
        exc=projection(f"cells[:{n_e}]", "cells", synapses.delta("g_e", w=w_e), wiring.probability(p)),
        inh=projection(f"cells[{n_e}:]", "cells", synapses.delta("g_i", w=w_i), wiring.probability(p)),
        record=record or [spikes("cells")],
        dt=dt,
    )
