"""What memory experiments share: synapses that store a stream of random memories, one at every time step.

A memory is a random sign for each synapse, proposed to it as a change. The signal of a memory is the mean
over the synapses of its signs times the weights at a later time; its lag is the number of memories stored
since.
"""

import numpy as np
from brian2 import ms

import engine
from circuits import Cell, Circuit, population, projection, trace, weights, wiring
from plasticity import Rule, compose

STEP = 1 * ms  # between two memories; nothing else has a time scale


def store(rule, n, n_memories, seed, *, bounds, w):
    """Store memories in n synapses with `rule`: signs (memory x synapse), weights (before each memory)."""
    sign = "2*int(rand() < 0.5) - 1"
    source = Cell("memory", "c : 1", threshold="c**2 > 0", reset=f"c = {sign}", init={"c": sign})
    proposal = Rule("memory", propose_pre="c_pre", needs={"c_pre": 1})
    net = Circuit(
        memories=population(source, n),
        cells=population(Cell("silent", "v : 1"), n),
        synapses=projection(
            "memories", "cells", compose(proposal, rule, bounds=bounds, w=w), wiring.one_to_one()
        ),
        record=[trace("memories", "c", every=STEP), weights("synapses", "w", every=STEP)],
        dt=STEP,
    )
    recording = engine.run(net, n_memories * STEP, seed=seed)
    return recording.traces["memories.c"].values, recording.weights["synapses.w"].values


def overlaps(signs, weight, lag, n_group=None):
    """Signals at a lag (0: right after storage): pairs of memory and time x groups of n_group synapses."""
    n_memories, n = signs.shape
    later = weight[lag + 1 : n_memories + 1]
    product = signs[: len(later)] * later
    n_group = n if n_group is None else n_group
    groups = n // n_group
    return product[:, : groups * n_group].reshape(len(later), groups, n_group).mean(axis=2)


def log_slope(signal, first, last, points=60):
    """The slope of a signal (given at lags 0, 1, 2, ...) against the lag on logarithmic axes."""
    lags = np.unique(np.geomspace(first, last, points).round().astype(int))
    return float(np.polyfit(np.log(lags), np.log(np.asarray(signal)[lags]), 1)[0])


def lifetime(signal, noise, n):
    """The lag at which the signal of n synapses falls to its noise (`noise` is that of one synapse).

    NaN if it never does so among the lags given; between two lags it is interpolated.
    """
    ratio = np.sqrt(n) * np.asarray(signal) / noise
    below = np.flatnonzero(ratio < 1)
    if not len(below):
        return np.nan
    k = below[0]
    return 0.0 if k == 0 else float(k - 1 + (ratio[k - 1] - 1) / (ratio[k - 1] - ratio[k]))
