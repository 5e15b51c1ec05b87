"""Distal reward and continual learning: their parts, what their claims follow, and small runs."""

import numpy as np
import pandas as pd
import pytest
from brian2 import ms, mV, second
from matplotlib import pyplot

import engine
from circuits import Circuit, population, projection, spike_trains, spikes, synapses, trace, wiring
from experiments import continual_learning, distal_reward
from experiments.parameters import chosen
from plasticity import neuromodulation

# ---- distal reward


def test_wiring_has_one_synapse_between_the_two_neurons_and_none_from_inhibitory_to_inhibitory():
    for seed in range(20):
        (i, j), (k, m) = distal_reward.wired(np.random.default_rng(seed), 50, 40, 10)
        assert (i < 40).all() and (k >= 40).all() and (m < 40).all() and len(i) == 400 and len(k) == 100
        assert i[0] == 0 and 0 < j[0] < 40
        assert np.sum((i == 0) & (j == j[0])) == 1


def loop(first, then, seconds, seed=1):
    """The closed loop alone: two sources in place of the two neurons."""
    circuit = Circuit(
        a=spike_trains(1, np.zeros(len(first), int), np.array(first) * second),
        b=spike_trains(1, np.zeros(len(then), int), np.array(then) * second),
        detector=population(distal_reward.detector(20 * ms), 1),
        first=projection("a", "detector", distal_reward.OPEN, wiring.all_to_all()),
        then=projection("b", "detector", distal_reward.LOOK, wiring.all_to_all()),
        coming=population(distal_reward.REWARD, distal_reward.PLACES),
        send=projection(
            "detector", "coming", distal_reward.send(1 * second, 3 * second), wiring.all_to_all()
        ),
        dopamine=population(neuromodulation.dopamine(), 1),
        earned=projection("coming", "dopamine", synapses.delta("d", 0.5), wiring.all_to_all()),
        record=[spikes("detector"), spikes("coming"), trace("dopamine", "d")],
        dt=1 * ms,
    )
    found = engine.run(circuit, seconds * second, seed=seed, backend="interpreted")
    return found.spikes["detector"].t, np.sort(found.spikes["coming"].t), found.traces["dopamine.d"]


def test_the_detector_takes_pairs_in_order_and_within_the_window():
    """Lags of 1, 19, 20, 0 and -5 ms; a second spike of the first neuron restarts the window."""
    first = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.615]
    then = [0.101, 0.219, 0.32, 0.4, 0.495, 0.63]
    at, rewards, _ = loop(first, then, 4.0)
    np.testing.assert_allclose(at, [0.102, 0.22, 0.631], atol=1e-9)
    assert len(rewards) == 3
    assert (rewards - at.min() >= 1 - 2e-3).all() and (rewards - at.max() <= 3 + 2e-3).all()


def test_every_pairing_earns_one_reward_one_to_three_seconds_later():
    """Ten pairings a second, so that many rewards are on their way at once."""
    first = np.arange(0.05, 6.0, 0.2)
    at, rewards, d = loop(first, first + 5e-3, 10.0)
    assert len(at) == len(first) and len(rewards) == len(first)
    # Delays are uniform: their sum is 2 s each, with a standard deviation of 2/sqrt(12) s.
    spread = 2 / np.sqrt(12 * len(first))
    assert np.mean(rewards) - np.mean(at) == pytest.approx(2, abs=4 * spread)
    assert d.values.max() > 0.5 and d.values[d.t < 1].max() == 0
    mean = d.values[:, 0].sum() * 1e-3
    assert mean == pytest.approx(0.5 * 0.2 * len(first), rel=0.01)


def test_the_neuron_is_advanced_as_the_program_does():
    """A step of v in two halves, then u with the new v, and the noise kept away."""
    cell = distal_reward.neuron().but(noise_max=0 * mV / ms, v=-60 * mV)
    circuit = Circuit(
        cells=population(cell, 1),
        push=spike_trains(1, [0], [3] * ms),
        to=projection(
            "push", "cells", synapses.exponential_current(w=12 * mV / ms, tau=1 * ms), wiring.all_to_all()
        ),
        record=[trace("cells", "v"), trace("cells", "u")],
        dt=1 * ms,
    )
    found = engine.run(circuit, 40 * ms, backend="interpreted").traces
    v, u, vs, us = -60.0, -12.0, [], []
    for k in range(40):
        vs.append(v)
        us.append(u)
        drive = 12.0 if k == 4 else 0.0  # arrives at the end of step 3, and lasts a step
        for _ in range(2):
            v += 0.5 * (0.04 * v * v + 5 * v + 140 - u + drive)
        u += 0.02 * (0.2 * v - u)
        if v > 30:
            v, u = -65.0, u + 8
    np.testing.assert_allclose(found["cells.v"].values[:, 0] * 1e3, vs, rtol=1e-6)
    np.testing.assert_allclose(found["cells.u"].values[:, 0], us, rtol=1e-6)


def test_summary_finds_the_stretch_that_speaks_for_the_synapse():
    t = np.arange(0, 101.0)
    weight = np.zeros((101, 1000))
    weight[:, 1:21] = 3.9  # others at the ceiling, two in a hundred
    weight[40:51, 0] = 4.0
    best, percentile, later, mean = distal_reward._summary(t, weight, 10.0)
    assert best == pytest.approx(4.0) and percentile == pytest.approx(99.9)
    assert later == pytest.approx(0.0) and mean == pytest.approx(weight[-1].mean())
    weight[40:51, 0] = 3.0
    best, percentile, *_ = distal_reward._summary(t, weight, 10.0)
    assert best == pytest.approx(3.0) and percentile < 99


def reward_results(best, percentile, mean, none=0.1, duration=3600.0):
    rows = [("rewarded", k, b, percentile, b, mean, 100, 1.3) for k, b in enumerate(best)]
    rows += [("none", 0, none, 5.0 if none < 1 else 99.5, none, mean, 100, 1.3)]
    return {
        "table": pd.DataFrame(rows, columns=distal_reward.COLUMNS),
        "average": 600.0,
        "duration": duration,
    }


@pytest.mark.parametrize(
    "results, failing",
    [
        (reward_results([3.9, 3.8, 3.9, 3.7, 2.0], 99.5, 0.8), 0),
        (reward_results([3.9, 3.8, 3.9, 3.0, 2.0], 99.5, 0.8), 1),
        (reward_results([3.9, 3.8, 3.9, 3.7, 3.9], 98.0, 0.8), 1),
        (reward_results([3.9, 3.8, 3.9, 3.7, 3.9], 99.5, 1.1), 1),
        (reward_results([3.9, 3.8, 3.9, 3.7, 3.9], 99.5, 0.8, none=3.9), 2),
    ],
)
def test_claims_of_distal_reward_follow_the_gates(results, failing):
    assert sum(not claim.holds for claim in distal_reward.claims(results)) == failing


# ---- continual learning


def test_digits_are_split_by_task_and_tests_are_not_taught():
    images, labels, tasks = continual_learning.digits(3, 500)
    (first, first_test), (second_, second_test) = tasks
    assert images.min() == 0 and images.max() == 1
    assert set(labels[first]) == set(labels[first_test]) == {0, 1, 2, 3, 4}
    assert set(labels[second_]) == set(labels[second_test]) == {5, 6, 7, 8, 9}
    every = np.concatenate([first, first_test, second_, second_test])
    assert len(every) == len(set(every)) == 1797 and len(first_test) + len(second_test) == 500
    assert not np.array_equal(continual_learning.digits(4, 500)[2][0][0], first)


def learning_table(both=(8, 95), shuffled=24, slow=80):
    rows = []
    values = dict(
        plain=(25, 97), consolidation=(9, 95.5), metaplasticity=(20, 97), both=both, shuffled=(shuffled, 95)
    )
    for condition, (forgetting, accuracy) in (values | {"slow": (3, slow)}).items():
        for seed, more in enumerate((-1, 1, -2, 2, 0)):
            rows.append((condition, seed, 98, 98 - forgetting - more, accuracy, forgetting + more))
    return {"table": pd.DataFrame(rows, columns=continual_learning.COLUMNS)}


@pytest.mark.parametrize(
    "results, failing",
    [
        (learning_table(), 0),
        (learning_table(both=(13, 95)), 1),
        (learning_table(both=(8, 93)), 1),
        (learning_table(shuffled=10), 1),
        (learning_table(slow=96), 1),
    ],
)
def test_claims_of_continual_learning_follow_the_gates(results, failing):
    assert sum(not claim.holds for claim in continual_learning.claims(results)) == failing


# ---- small runs


@pytest.mark.compiled
@pytest.mark.parametrize(
    "experiment", [continual_learning, distal_reward], ids=lambda e: e.__name__.rpartition(".")[2]
)
def test_the_quick_form_holds_what_it_claims(experiment):
    results = experiment.run(**chosen(experiment, quick=True))
    failing = [claim.name for claim in experiment.claims(results) if not claim.holds]
    assert not failing
    pyplot.close(experiment.figure(results))
