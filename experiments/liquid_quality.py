"""What a liquid is good for, in four numbers: kernel quality, generalisation rank, memory capacity, accuracy.

One column, one seed; `criticality` sweeps over these.

Kernel quality (Legenstein & Maass 2007): rank of the states (input x cell) that different inputs lead to, at
their end. Generalisation rank: the same for inputs that are one template with jitter, which a good liquid
leaves in few dimensions. A singular value counts if it exceeds 1e-3 of the largest. Memory capacity (Jaeger
2001): the sum over delays of the squared correlation of a linear readout with a past value of a random
input; at most the number of cells. Accuracy: a linear readout tells to which of two classes a jittered
template belongs; templates are divided at random, so that the readout needs as many dimensions as there
are, but none for jitter.
"""

import numpy as np
from brian2 import Hz, ms

from circuits.liquid import column, liquid
from experiments import liquid_trials as lab
from experiments.spike_templates import draw_templates, play

THRESHOLD = 1e-3  # of the largest singular value
PENALTIES = np.logspace(-4, 4, 9)


def run(
    *,
    lambda_=2.0,
    scale=1.0,
    shape=(15, 3, 3),
    n_channels=12,
    input_probability=0.12,
    rate=20 * Hz,
    duration=300 * ms,
    jitter=4 * ms,
    n_inputs=200,
    n_templates=100,
    n_train=6,
    n_test=3,
    n_divisions=10,
    step=15 * ms,
    analogue_rate=100 * Hz,
    n_steps=600,
    n_delays=15,
    tau_state=30 * ms,
    dt=1 * ms,
    seed=1,
):
    """n_train and n_test count the presentations of a template."""
    end, tau, rate = float(duration), float(tau_state), float(rate)
    place = column(shape, seed=np.random.SeedSequence(seed, spawn_key=(0,)))
    net = liquid(
        n_channels, place, lambda_=lambda_, scale=scale, input_probability=input_probability,
        input_spread=True, dt=dt,
    )  # fmt: skip
    random = lab.generator(seed, 1)

    def templates(n):
        return draw_templates(random, 1, n, n_channels, rate, end, False)

    different = play(random, templates(n_inputs), np.arange(n_inputs)[:, None], 0.0, end)
    alike = play(random, templates(1), np.zeros((n_inputs, 1), int), float(jitter), end)
    labels = np.concatenate(
        [random.permutation(np.tile(np.arange(n_templates), n)) for n in (n_train, n_test)]
    )
    shown = play(random, templates(n_templates), labels[:, None], float(jitter), end)
    recordings = lab.run_trials(net, different + alike + shown, end, seed)
    states = lab.states(recordings, end, tau)
    kernel, generalisation = rank(states[:n_inputs]), rank(states[n_inputs : 2 * n_inputs])
    accuracy = class_accuracy(states[2 * n_inputs :], labels, n_train * n_templates, n_divisions, random)
    values, signal = analogue(random, n_steps, float(step), float(analogue_rate), n_channels)
    (long,) = lab.run_trials(net, [signal], n_steps * float(step), seed)
    at = np.arange(1, n_steps + 1) * float(step)
    return {
        "kernel": kernel,
        "generalisation": generalisation,
        "difference": kernel - generalisation,
        "accuracy": accuracy,
        "memory": memory_capacity(lab.states([long], at, tau)[0], values, n_delays),
        "firing": lab.rate(recordings),
        "n_cells": place.n,
    }


def measured(results):
    """The numbers of a run, with their units."""
    units = {"accuracy": "%", "firing": "Hz"}
    names = ("kernel", "generalisation", "difference", "accuracy", "memory", "firing")
    return {name: (results[name], units.get(name, "1")) for name in names}


def rank(states):
    """The number of singular values above THRESHOLD times the largest."""
    values = np.linalg.svd(states, compute_uv=False)
    return int((values > THRESHOLD * values[0]).sum()) if values[0] > 0 else 0


def class_accuracy(states, labels, n_train, n_divisions, random):
    """Mean accuracy (%) over random divisions of the templates into two classes of equal size."""
    found = []
    for _ in range(n_divisions):
        classes = random.permutation(np.arange(labels.max() + 1) % 2)
        found.append(lab.accuracy(states, classes[labels], n_train, 0.0, random))
    return float(np.mean(found))


def analogue(random, n_steps, step, rate, n_channels):
    """Values in [0, 1), one for each step, and Poisson spikes (t, i) of all channels at 2 rate value."""
    values = random.random(n_steps)
    pieces = [
        lab.poisson_on_grid(random, 2 * rate * value, k * step, step, np.arange(n_channels))
        for k, value in enumerate(values)
    ]
    return values, tuple(np.concatenate(part) for part in zip(*pieces, strict=True))


def memory_capacity(states, values, n_delays):
    """The sum over delays 1 ... n_delays (steps) of the squared correlation, on the second half of the steps,
    of a ridge regression fitted on the first; less what chance gives, 1/n for n steps.
    """
    from sklearn.linear_model import RidgeCV

    total, half = 0.0, (len(values) + n_delays) // 2
    spread = states.std(axis=0)
    states = (states - states.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    for delay in range(1, n_delays + 1):
        past = np.roll(values, delay)
        fitted = RidgeCV(alphas=PENALTIES * len(values)).fit(states[n_delays:half], past[n_delays:half])
        predicted = fitted.predict(states[half:])
        if np.ptp(predicted) > 0:
            total += np.corrcoef(predicted, past[half:])[0, 1] ** 2 - 1 / (len(values) - half)
    return float(total)
