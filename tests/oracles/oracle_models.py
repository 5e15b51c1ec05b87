"""The same cells and synapses, with the same numbers and input, here and in NEST; and how to compare them.

A case is a dictionary of plain numbers in mV, ms, pA, nS, pF. The cases of a comparison are the cells of one
population (numbers per cell) and as many cells in NEST, so that a comparison is one run of each.

Conventions in which the two differ, and what is done about them:

 - A step leads from t to t + dt. A threshold crossed on the way is a spike with time t here and t + dt in
   NEST, whose spike times are therefore moved by a step before they are compared.
 - The refractory period is counted from the spike time: t_ref here holds the cell until t + t_ref, in NEST
   until t + dt + t_ref, which is therefore given one step less.
 - A spike of time t with a delay of d acts at t + d in NEST (d at least a step), at t + d + dt here (d at
   least 0): delays here are one step shorter.
"""

import numpy as np
from brian2 import ms, second

import engine
from circuits import Circuit, population, projection, spike_trains, spikes, trace, wiring

SEEN = "Spike times of NEST are moved by a step (it stamps the end of a step)."


def steps(times, dt):
    """Times in ms in whole steps of dt."""
    return np.round(np.asarray(times, dtype=float) / dt).astype(int)


def column(cases, name):
    return np.array([case[name] for case in cases], dtype=float)


def simulate(cell, n, duration, dt, record=(), backend="compiled", **parts):
    """(spike times in ms by cell, {variable: values in SI units, time x cell}) of n cells called `cells`.

    Values are those at 0, dt, 2 dt, ... up to the duration, which is not included.
    """
    parts = {"cells": population(cell, n), **parts}
    recorders = [spikes("cells"), *(trace("cells", variable) for variable in record)]
    recording = engine.run(Circuit(**parts, record=recorders, dt=dt * ms), duration * ms, backend=backend)
    found = recording.spikes["cells"]
    trains = [1e3 * found.t[found.i == k] for k in range(n)]
    return trains, {variable: recording.traces[f"cells.{variable}"].values for variable in record}


def sources(trains):
    """A part that fires the given trains (ms), one source each."""
    i = np.concatenate([np.full(len(train), k) for k, train in enumerate(trains)]).astype(int)
    return spike_trains(len(trains), i=i, t=np.concatenate(trains) * 1e-3 * second)


def inputs(cases, trains_e, trains_i, dt, excitatory, inhibitory):
    """Two parts that fire the trains, and a projection of each, one source per cell, with NEST's delays."""
    delays = [column(cases, f"d_{kind}") - dt for kind in "ei"]
    return dict(
        exciting=sources(trains_e),
        inhibiting=sources(trains_i),
        exc=projection("exciting", "cells", excitatory, wiring.one_to_one(), delay=delays[0] * ms),
        inh=projection("inhibiting", "cells", inhibitory, wiring.one_to_one(), delay=delays[1] * ms),
    )


def connections(cases, scale=1.0):
    """The same for `in_nest`, with the trains of excitatory sources before those of inhibitory ones."""
    n, scale = len(cases), np.broadcast_to(scale, len(cases))
    return [
        (
            k + n * (kind == "i"),
            k,
            {"weight": sign * scale[k] * case[f"w_{kind}"], "delay": case[f"d_{kind}"]},
        )
        for k, case in enumerate(cases)
        for kind, sign in (("e", 1), ("i", -1))
    ]


def draw_input(draw, w_e, w_i):
    """Weights up to the given ones, delays of 0.1 to 5 ms."""
    return dict(
        w_e=w_e * draw.uniform(0.2, 1),
        w_i=w_i * draw.uniform(0.2, 1),
        d_e=0.1 * draw.integers(1, 50),
        d_i=0.1 * draw.integers(1, 50),
    )


def in_nest(nest, model, cases, duration, dt, record=(), trains=(), connect=(), drive=None):
    """(spike times in ms by cell, moved by a step, {recordable: values, time x cell}) of NEST's cells.

    Parameters
    ----------
    cases : list of dict
        Parameters and start values in NEST's names and units, one per cell.
    trains : list of arrays
        Spike times of the sources (ms).
    connect : list of (source, cell, {"weight", "delay", "receptor_type", ...})
    drive : array
        Current of a generator per cell (pA), for models that have none of their own; it acts from 2 dt on.

    The first row of values stands for time dt, as NEST does not record the start.
    """
    nest.ResetKernel()
    nest.resolution = dt
    cells = [nest.Create(model, params=case) for case in cases]
    recorders = [nest.Create("spike_recorder") for _ in cells]
    meter = None
    if record:
        meter = nest.Create("multimeter", params={"record_from": list(record), "interval": dt})
    for cell, recorder in zip(cells, recorders, strict=True):
        nest.Connect(cell, recorder)
        if meter is not None:
            nest.Connect(meter, cell)
    for cell, amplitude in zip(cells, drive if drive is not None else (), strict=False):
        nest.Connect(
            nest.Create("dc_generator", params={"amplitude": amplitude}), cell, syn_spec={"delay": dt}
        )
    generators = [generator(nest, train, dt) for train in trains]
    relays = {}
    for source, target, synapse in connect:
        made = generators[source]
        if synapse.get("synapse_model", "static_synapse") != "static_synapse":
            # plastic synapses leave from a cell, not from a device
            if source not in relays:
                relays[source] = nest.Create("parrot_neuron")
                nest.Connect(made, relays[source], syn_spec={"delay": dt})
            made, synapse = relays[source], {**synapse, "delay": synapse["delay"] - dt}
        nest.Connect(made, cells[target], syn_spec=synapse)
    # A multimeter (delay 1 ms) does not give what it has seen since the last exchange, a shortest delay ago.
    longest = max([1.0, *(synapse["delay"] for _, _, synapse in connect)])
    nest.Simulate(dt * steps(duration + longest + 3 * dt, dt))
    found = [np.asarray(recorder.events["times"]) - dt for recorder in recorders]
    found = [train[train < duration - dt / 2] for train in found]
    values = {}
    if meter is not None:
        events = meter.events
        order = np.lexsort((events["senders"], events["times"]))
        for name in record:
            values[name] = np.asarray(events[name])[order].reshape(-1, len(cells))
            values[name] = values[name][: steps(duration, dt) + 2]
            assert len(values[name]) == steps(duration, dt) + 2
    return found, values


def generator(nest, train, dt):
    return nest.Create("spike_generator", params={"spike_times": np.round(steps(train, dt) * dt, 6)})


def same_grid(ours, theirs):
    """Both traces over the times that both have: dt, 2 dt, ..."""
    length = min(len(ours) - 1, len(theirs))
    return ours[1 : length + 1], theirs[:length]


def apart(ours, theirs):
    """The largest difference of a spike time in ms; infinite where there are not equally many."""
    if any(len(a) != len(b) for a, b in zip(ours, theirs, strict=True)):
        return np.inf
    return max((np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True) if len(a)), default=0.0)


def aligned(ours, theirs):
    """Which cells have the same spike times in both."""
    return np.array(
        [len(a) == len(b) and np.allclose(a, b, rtol=0, atol=1e-6) for a, b in zip(ours, theirs, strict=True)]
    )


def counted(trains):
    return sum(len(train) for train in trains)


def crossings(values, level, dt):
    """Times (ms) at the start of the steps on which the columns of a trace cross a level upwards.

    `values` begin at time 0.
    """
    up = (values[1:] > level) & (values[:-1] <= level)
    return [dt * np.flatnonzero(column) for column in up.T]


def away_from(trains, length, distance, dt):
    """A mask over the times 0, dt, ... (per train): further than `distance` (ms) from all its spikes."""
    t = dt * np.arange(length)
    mask = np.ones((length, len(trains)), dtype=bool)
    for k, train in enumerate(trains):
        for spike in train:
            mask[np.abs(t - spike) <= distance, k] = False
    return mask


def drawn_trains(draw, n, duration, dt):
    """n trains (ms) on the grid, the first spike after 2 ms: regular, Poisson, and bursts in turn."""
    made = []
    for k in range(n):
        if k % 3 == 0:
            train = np.arange(draw.uniform(3, 8), duration, draw.uniform(4, 15))
        elif k % 3 == 1:
            train = 3 + np.cumsum(draw.exponential(draw.uniform(5, 12), size=int(duration)))
        else:
            starts = np.arange(draw.uniform(3, 8), duration, draw.uniform(20, 40))
            train = (starts[:, None] + np.arange(4) * draw.uniform(0.5, 2.5)).ravel()
        train = dt * np.unique(steps(train, dt))
        made.append(train[(train > 2) & (train < duration - dt / 2)])
    return made


def two_kinds(draw, n, duration, dt):
    """Trains of excitatory and of inhibitory sources; every second cell gets both at the same times."""
    exciting, inhibiting = (drawn_trains(draw, n, duration, dt) for _ in "ei")
    return exciting, [exciting[k] if k % 2 else inhibiting[k] for k in range(n)]


def fine_crossings(values, level, dt):
    """Times (ms) at which the columns of a trace cross a level upwards, by linear interpolation."""
    found = []
    for column, starts in zip(values.T, crossings(values, level, dt), strict=True):
        k = steps(starts, dt)
        found.append(starts + dt * (level - column[k]) / (column[k + 1] - column[k]))
    return found
