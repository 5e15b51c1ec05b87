"""Shared by the experiments on the liquid: many trials on a column, states, a readout of finite precision."""

import os

import numpy as np
from brian2 import second, volt

import engine
from analysis import readouts, spikes
from circuits.liquid import CONNECTIONS

GRID = 1e-3  # s; no source has two spikes in one step of this grid, so a time step of 1 ms holds every train


def generator(seed, *purpose):
    """A random generator of its own for every seed and purpose (whole numbers)."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=purpose))


def balanced(random, n_classes, n_trials, n_digits):
    """Labels (trial x digit), every combination equally often: then majority alone predicts nothing."""
    combinations = np.indices((n_classes,) * n_digits).reshape(n_digits, -1).T
    if n_trials % len(combinations):
        raise ValueError(f"{n_trials} trials are no multiple of {len(combinations)} label combinations.")
    return random.permutation(np.tile(combinations, (n_trials // len(combinations), 1)))


def on_grid(t, i):
    """Spikes (times t in s of sources i) moved down to the grid; of those that coincide one stays."""
    step = np.floor(np.asarray(t) / GRID + 1e-3).astype(np.int64)
    step, i = np.unique(np.column_stack([step, np.asarray(i, dtype=np.int64)]), axis=0).T
    return step * GRID, i


def poisson_on_grid(random, rate, start, duration, sources):
    """Poisson spikes (t, i): in every grid step of [start, start + duration) sources fire with rate*GRID."""
    step, k = np.nonzero(random.random((round(duration / GRID), len(sources))) < rate * GRID)
    return start + step * GRID, np.asarray(sources)[k]


def with_scale(net, scale):
    """The same column with all recurrent weights at `scale` times the paper's; 0 removes recurrence."""
    return net.but({f"{name}.w": scale * kind.A for name, kind in CONNECTIONS.items()})


def with_matched_rate(net, aim, stimuli, duration, seed):
    """The column `net` with recurrent weights scaled so that it fires at `aim` (Hz), by bisection."""
    low, high = 0.005, 1.0
    for _ in range(9):
        scale = np.sqrt(low * high)
        low, high = (
            (scale, high)
            if rate(run_trials(with_scale(net, scale), stimuli, duration, seed)) < aim
            else (low, scale)
        )
    return with_scale(net, np.sqrt(low * high))


def run_trials(net, stimuli, duration, seed, start=None):
    """Recordings of a column under stimuli (t, i); `start`: potentials (trial x cell, V) to start from."""
    trials = [{"input.i": i, "input.t": t * second} for t, i in stimuli]
    if start is not None:
        trials = [{**trial, "cells.v": v * volt} for trial, v in zip(trials, start, strict=True)]
    return engine.run(net, duration * second, seed=seed, trials=trials, jobs=os.cpu_count() or 1)


def rate(recordings, start=0.0, end=None):
    """Mean firing rate of the cells (Hz), from `start` to `end` (s; the end of the trial if not given)."""
    end = recordings[0].duration if end is None else end
    if end <= start:
        return float("nan")
    count = [((r.spikes["cells"].t >= start) & (r.spikes["cells"].t < end)).sum() for r in recordings]
    return float(np.mean(count) / recordings[0].spikes["cells"].n / (end - start))


def states(recordings, at, tau):
    """Low-pass filtered spikes of the cells at times `at` (s): trial x time x cell (at one: trial x cell)."""
    found = [recording.spikes["cells"] for recording in recordings]
    return np.array([spikes.low_pass_state(s.t, s.i, s.n, at, tau) for s in found])


def input_states(stimuli, n, at, tau):
    """The same filter on the spike trains that came in: all that a readout without a liquid has."""
    return np.array([spikes.low_pass_state(t, i, n, at, tau) for t, i in stimuli])


def accuracy(states, labels, n_train, resolution, random):
    """Accuracy (%) of a linear readout, fitted on the first `n_train` trials, on the others.

    Noise with an SD of `resolution` spikes is added to the states. An exponential trace never quite
    forgets: of a cell that last fired 250 ms ago exp(-250/30) = 2e-4 of a spike is left, and a readout
    that scales every cell to unit variance would find the past there, in digits that no synapse
    transmits.
    """
    seen = states + resolution * random.standard_normal(states.shape)
    readout = readouts.fit_ridge(seen[:n_train], labels[:n_train])
    return 100 * readouts.accuracy(labels[n_train:], readout.predict(seen[n_train:]))


def shuffled_accuracy(states, labels, n_train, resolution, random, repeats=20):
    """The mean accuracy (%) of `repeats` such readouts, each fitted on permuted training labels.

    Several, because states form clusters (one per combination of labels) that a readout calls right or wrong
    as a whole: a single permutation may be far from chance.
    """
    seen = states + resolution * random.standard_normal(states.shape)
    train, test = slice(None, n_train), slice(n_train, None)
    found = readouts.shuffled_accuracies(
        seen[train],
        labels[train],
        seen[test],
        labels[test],
        repeats=repeats,
        seed=int(random.integers(2**31)),
    )
    return 100 * float(found.mean())
