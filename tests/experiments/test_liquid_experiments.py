"""The liquid's experiments: stimuli as described, a readout that cannot cheat, claims, small runs."""

import numpy as np
import pandas as pd
import pytest
from brian2.units import ms

from analysis import distances
from circuits.liquid import column, liquid
from experiments import liquid_trials as lab
from experiments import separation_property, spike_templates, temporal_xor


def random(seed=1):
    return np.random.default_rng(seed)


# What they share


def test_balanced_labels_hold_every_combination_equally_often():
    labels = lab.balanced(random(), 3, 90, 2)
    found, count = np.unique(labels, axis=0, return_counts=True)
    assert len(found) == 9 and (count == 10).all()
    assert (labels[:9] != np.sort(labels[:9], axis=0)).any()
    with pytest.raises(ValueError, match="100 trials are no multiple of 9"):
        lab.balanced(random(), 3, 100, 2)


def test_spikes_on_the_grid_are_unique_and_not_later():
    t, i = np.array([0.0101, 0.0109, 0.0109, 0.0120, 0.01299]), np.array([0, 0, 1, 1, 1])
    moved, source = lab.on_grid(t, i)
    found = sorted(zip(source, np.round(moved / lab.GRID).astype(int), strict=True))
    assert found == [(0, 10), (1, 10), (1, 12)]


def test_poisson_spikes_have_the_rate_and_stay_inside():
    t, i = lab.poisson_on_grid(random(), 200.0, 0.3, 5.0, [4, 7, 9])
    assert set(i) == {4, 7, 9} and t.min() >= 0.3 - 1e-12 and t.max() < 5.3 - 1e-12
    # Binomial: 5000 steps, p = 0.2, three sources.
    assert len(t) == pytest.approx(3000, abs=4.5 * np.sqrt(15000 * 0.2 * 0.8))
    assert len(np.unique(np.round(t / lab.GRID) * 10 + i)) == len(t)


def test_scale_multiplies_all_recurrent_weights_and_nothing_else():
    net = liquid(1, column((3, 3, 3), seed=1))
    whole, half = net.numbers(), lab.with_scale(net, 0.5).numbers()
    changed = {name for name in whole if not np.array_equal(whole[name], half[name])}
    assert changed == {"ee.w", "ei.w", "ie.w", "ii.w"}
    assert all(half[name] == 0.5 * whole[name] for name in changed)


def test_readout_of_finite_precision_does_not_see_what_is_too_small():
    """A trace of 2e-4 spikes is all an exact readout needs; with a noise of 0.02 it is at chance."""
    labels = lab.balanced(random(2), 2, 1200, 1)[:, 0]
    states = np.zeros((1200, 20))
    states[:, 0] = 2e-4 * labels
    assert lab.accuracy(states, labels, 800, 0.0, random()) == 100
    assert lab.accuracy(states, labels, 800, 0.02, random()) == pytest.approx(50, abs=12)
    states[:, 0] = labels
    assert lab.accuracy(states, labels, 800, 0.02, random()) == 100


# Temporal XOR


def test_pulses_tell_nothing_by_their_number_and_lie_where_they_should():
    bits = lab.balanced(random(), 2, 400, 2)
    made = temporal_xor.stimuli(random(), bits, 0.1, 0.03, 200.0, 20)
    for (t, i), (first, second) in zip(made, bits, strict=True):
        early = t < 0.01 + 0.03 - 1e-9
        assert (t[early] >= 0.01 - 1e-9).all() and (i[early] // 10 == first).all()
        assert (
            (t[~early] >= 0.14 - 1e-9).all() and (t < 0.17 - 1e-9).all() and (i[~early] // 10 == second).all()
        )
    count, different = np.array([len(t) for t, _ in made]), bits[:, 0] ^ bits[:, 1]
    # 600 draws of p = 0.2 per trial, 200 trials of either kind.
    tolerance = 4.5 * np.sqrt(600 * 0.2 * 0.8 * 2 / 200)
    assert count[different == 1].mean() == pytest.approx(count[different == 0].mean(), abs=tolerance)


def xor_table(dynamic, without, given=50.0):
    """A table as the experiment makes it, with these accuracies at 100 and 200 ms."""
    rows = []
    accuracies = {"dynamic": dynamic, "no recurrence": without, "static": without}
    accuracies |= {"input": given, "shuffled labels": 50.0}
    for condition, accuracy in accuracies.items():
        for one in (1, 2):
            rows += [(condition, one, gap, accuracy + one - 1.5, 20.0, 0.0) for gap in (100, 200)]
    return {"table": pd.DataFrame(rows, columns=temporal_xor.COLUMNS)}


@pytest.mark.parametrize(
    "table, holding",
    [
        (xor_table(97.0, 50.0), {True}),
        (xor_table(94.0, 50.0), {True, False}),
        (xor_table(97.0, 70.0), {True, False}),
        (xor_table(97.0, 50.0, given=58.0), {True, False}),
    ],
)
def test_claims_of_xor_follow_the_gates(table, holding):
    assert {claim.holds for claim in temporal_xor.claims(table)} == holding


# Spike templates


def test_jitter_moves_spikes_within_their_segment():
    """Spikes 50 ms apart, which jitter of 4 ms does not exchange, are followed one by one."""
    exact, channel = np.tile([0.05, 0.1, 0.15, 0.2], 2), np.repeat([0, 1], 4)
    templates = [[(exact, channel), (exact[:4], channel[:4])], [(exact, channel)]]
    labels = np.tile([[0, 0], [1, 0]], (150, 1))
    shift = []
    for (t, i), row in zip(
        spike_templates.play(random(), templates, labels, 4e-3, 0.25), labels, strict=True
    ):
        assert np.bincount(i).tolist() == ([8, 8] if row[0] == 0 else [8, 4])
        there = np.concatenate([exact[:4], 0.25 + exact[:4]])
        shift += list(np.sort(t[i == 0]) - there)
    # Moved down to the grid: by half a step on average, with a variance of 1/12 ms^2.
    spread = np.sqrt(16 + 1 / 12) * 1e-3
    assert np.mean(shift) == pytest.approx(-0.5e-3, abs=4.5 * spread / np.sqrt(len(shift)))
    assert np.std(shift) == pytest.approx(spread, abs=4.5 * spread / np.sqrt(2 * len(shift)))


def test_jitter_is_reflected_at_the_ends_of_a_segment():
    edges = np.array([0.0, 0.2499]), np.array([0, 1])
    for t, i in spike_templates.play(random(), [[edges], [edges]], np.zeros((200, 2), int), 10e-3, 0.25):
        assert (np.sort(t[i == 0]) >= [0, 0.25]).all() and (np.sort(t[i == 0]) < [0.1, 0.35]).all()
        assert (np.sort(t[i == 1]) >= [0.15, 0.4]).all() and (np.sort(t[i == 1]) < [0.25, 0.5]).all()


def test_templates_are_poisson_unless_counts_are_equal():
    drawn = spike_templates.draw_templates(random(), 50, 4, 10, 20.0, 0.25, equal_counts=False)
    count = np.array([np.bincount(c, minlength=10) for segment in drawn for _, c in segment])
    assert count.mean() == pytest.approx(5, abs=4.5 * np.sqrt(5 / count.size))
    assert count.var() == pytest.approx(5, abs=4.5 * np.sqrt((2 * 25 + 5) / count.size))


# Separation


def test_pairs_have_the_distance_they_are_asked_for():
    pairs = separation_property.input_pairs(random(), (0.1, 0.4), 8, 20.0, 0.5, 5e-3, 0.01)
    assert {d: len(found) for d, found in pairs.items()} == {0.0: 8, 0.1: 8, 0.4: 8}
    assert all(u is v for u, v in pairs[0.0])
    for d in (0.1, 0.4):
        found = [distances.gaussian_distance(u, v, 0.5, 5e-3) for u, v in pairs[d]]
        assert np.allclose(found, d, atol=0.01) and len(set(found)) == 8


def test_gaps_are_between_an_interval_and_the_next_smaller_one():
    low, high = np.array([0.0, 1.0, 1.5]), np.array([0.5, 1.8, 2.0])
    assert np.allclose(separation_property.gaps(low, high), [0.5, -0.3])


# Small runs, from the circuit to the figure


@pytest.mark.compiled
def test_small_run_of_separation():
    results = separation_property.run(n_seeds=1, n_control_seeds=0, n_half_step_seeds=0, n_pairs=25, seed=7)
    mean = results["table"].query("condition == 'dynamic'").set_index("d")["mean"]
    assert mean.is_monotonic_increasing and mean[0.0] > 1e-3
    assert (results["curves, equal start"] == 0).all()
    separation_property.figure(results)
    assert len(separation_property.claims(results)) >= 7


@pytest.mark.compiled
def test_small_run_of_xor():
    few = dict(n_seeds=1, n_control_seeds=0, n_half_step_seeds=0, n_train=300, n_test=100, seed=7)
    results = temporal_xor.run(gaps=(100 * ms,), **few)
    accuracy = results["table"].set_index("condition").accuracy_percent
    assert accuracy["dynamic"] > 90
    assert accuracy[["input", "shuffled labels"]].between(30, 70).all()
    temporal_xor.figure(results)
    assert {claim.name for claim in temporal_xor.claims(results)} >= {"accuracy of the liquid, gap 100 ms"}


@pytest.mark.compiled
def test_small_run_of_templates():
    few = dict(n_seeds=1, n_control_seeds=0, n_half_step_seeds=0, n_train=200, n_test=100, seed=7)
    results = spike_templates.run(jitters=(4 * ms,), **few)
    wide = results["table"].pivot(index="condition", columns="ago_ms", values="accuracy_percent")
    assert (wide.loc[["dynamic", "input"], 0] > 95).all()
    assert wide.loc["input", 250] < 70
    spike_templates.figure(results)
    assert len(spike_templates.claims(results)) >= 3


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize(
    "module", [separation_property, spike_templates, temporal_xor], ids=lambda m: m.__name__
)
def test_claims_hold_in_the_quick_form_with_other_seeds(module):
    results = module.run(**module.QUICK, seed=101)
    failed = [claim.name for claim in module.claims(results) if not claim.holds]
    assert not failed
