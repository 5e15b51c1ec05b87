"""Shared by the experiments on spike timing: protocols of paired spikes, and what a rule makes of them."""

import numpy as np
from brian2 import ms, second

import engine
from circuits import Cell, Circuit, population, projection, spike_trains, synapses, weights, wiring
from plasticity import compose, unbounded


def relay():
    """A cell that fires whenever something adds 1 to its v, one time step later."""
    # v -= 1: the next spike may have arrived before the reset
    return Cell("relay", "v : 1", threshold="v > 0.5", reset="v -= 1")


def pairing(lag, frequency=1.0, n=1, start=0.2):
    """Spike times (pre, post) in s: n pairs at a frequency (Hz), post `lag` (s) after pre (or before)."""
    pre = start + np.arange(n) / frequency
    if start + min(lag, 0) < 0:
        raise ValueError(f"A lag of {lag:g} s puts the first spike before 0; start later than {start:g} s.")
    return pre, pre + lag


def poisson_trains(random, rate_pre, rate_post, duration, dt=1e-4):
    """Spike times (pre, post) in s of two independent Poisson processes (Hz), in steps of dt (s)."""
    steps = round(duration / dt)
    return tuple(np.flatnonzero(random.random(steps) < rate * dt) * dt for rate in (rate_pre, rate_post))


def on_steps(times, dt):
    """Times as whole steps of dt, and refused where two fall into one step."""
    step = np.round(np.asarray(times, dtype=float) / dt).astype(np.int64)
    if len(np.unique(step)) < len(step):
        raise ValueError(f"Two spikes of one train share a step of {1e3 * dt:g} ms; take a smaller step.")
    return step


def bare(*rules, w=0.0, bounds=None):
    """Rules on a synapse that delivers nothing, its weight a number without bounds if none are given."""
    return compose(*rules, bounds=bounds or unbounded(), w=w)


def weight_changes(synapses_by_name, protocols, *, delays=None, dt=0.1 * ms, backend="compiled"):
    """What each synapse (name to composed synapse, see `bare`) changes by under each protocol: name to array.

    A protocol is a pair of arrays of spike times (pre, post) in s, which are rounded to steps of dt. All
    synapses see all protocols, side by side in one circuit. `delays`: name to time that presynaptic spikes
    take.
    """
    step = float(dt)
    trains = [[on_steps(times, step) for times in protocol] for protocol in protocols]
    n, last = len(trains), max(max(train.max(initial=0) for train in pair) for pair in trains)
    i = [np.repeat(np.arange(n), [len(pair[side]) for pair in trains]) for side in (0, 1)]
    # The relays need a step for the spikes they pass on, so the others come a step later too.
    pre, post = (np.concatenate([pair[side] for pair in trains]) * step for side in (0, 1))
    wait = {name: (delays or {}).get(name, 0 * ms) for name in synapses_by_name}
    plastic = {
        name: projection("source", "target", synapse, wiring.one_to_one(), delay=wait[name])
        for name, synapse in synapses_by_name.items()
    }
    net = Circuit(
        source=spike_trains(n, i=i[0], t=(pre + step) * second),
        drive=spike_trains(n, i=i[1], t=post * second),
        target=population(relay(), n),
        pass_on=projection("drive", "target", synapses.delta("v", 1), wiring.one_to_one()),
        **plastic,
        record=[weights(name) for name in plastic],
        dt=dt,
    )
    longest = max(float(time) for time in wait.values())
    recording = engine.run(net, ((last + 3) * step + longest) * second, backend=backend)
    return {
        name: recording.weights[f"{name}.w"].values[-1] - float(synapse.init["w"])
        for name, synapse in synapses_by_name.items()
    }


def all_pairs(pre, post, window):
    """Sum of window(lag) over all pairs of spikes: the closed form of all-to-all pairing."""
    return window(post[np.newaxis, :] - pre[:, np.newaxis]).sum()


def nearest_pairs(pre, post, window):
    """Sum of window(lag) over every spike and the nearest earlier one of the other side."""
    ends = np.searchsorted(pre, post, "right") - 1  # at equal times the presynaptic spike is the earlier one
    causal = window(post[ends >= 0] - pre[ends[ends >= 0]]).sum()
    ends = np.searchsorted(post, pre, "left") - 1
    return causal + window(post[ends[ends >= 0]] - pre[ends >= 0]).sum()
