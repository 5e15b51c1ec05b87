"""Eyeblink conditioning: its protocol and measures by themselves, what its claims follow, and a small run."""

import numpy as np
import pandas as pd
import pytest
from brian2 import Hz, ms, second
from matplotlib import pyplot

from circuits.circuit import Poisson
from engine.recording import Spikes
from experiments import eyeblink
from experiments.parameters import chosen

PROTOCOL = eyeblink.Protocol(1 * second, 250 * ms, 4)


def train(t, i=None, n=1):
    t = np.asarray(t, dtype=float)
    return Spikes(t=t, i=np.zeros(len(t), int) if i is None else np.asarray(i), n=n)


def test_airpuffs_and_tones_come_when_they_are_due():
    tones = PROTOCOL.tones()
    tonic = np.asarray(tones["tonic_fibre.rates"]).reshape(4, 1500)
    assert (tonic == tonic[0]).all()
    assert np.array_equal(np.flatnonzero(tonic[0] == 40), np.arange(250, 1250))
    puffs = np.asarray(PROTOCOL.airpuffs(2, 750 * ms)["airpuff.rates"]).reshape(4, 1500)
    assert np.array_equal(np.argwhere(puffs), [[0, 1000], [1, 1000]])
    assert not np.asarray(PROTOCOL.airpuffs(0)["airpuff.rates"]).any()
    assert PROTOCOL.at(500 * ms) == 750


def test_rates_by_trial_count_each_spike_once():
    rng = np.random.default_rng(1)
    k = np.sort(rng.integers(0, 6000, 400))
    for dt in (1e-3, 0.5e-3):  # a spike in a half step belongs to its ms
        t = k * 1e-3 + (dt if dt < 1e-3 else 0) * rng.integers(0, 2, 400)
        rates = PROTOCOL.by_trial(train(t), 4, 5)
        assert rates.shape == (4, 1500)
        assert np.array_equal(rates.ravel(), np.bincount(k, minlength=6000) / (5 * 1e-3))
    trial, since = PROTOCOL.since(np.array([0.25, 1.75, 3.3]), 100 * ms)
    assert np.array_equal(trial, [0, 1, 2])
    np.testing.assert_allclose(since, [-0.1, -0.1, -0.05], atol=1e-12)


@pytest.mark.parametrize("dip", [120, 250, 500, 750, 900])
def test_latency_is_that_of_the_dip(dip):
    t = np.arange(1000)
    rate = 100 * np.exp(-t / 30) + 60 - 40 * np.exp(-((t - dip) ** 2) / (2 * 60**2))
    assert abs(eyeblink.latency(rate, 20 * ms) - dip) <= 10
    noisy = np.random.default_rng(dip).poisson(rate)
    assert abs(eyeblink.latency(noisy, 40 * ms) - dip) <= 60


def test_one_silent_bin_at_the_end_is_no_minimum():
    rate = np.full(1000, 50.0)
    rate[300:400] = 20
    rate[-1] = 0
    assert abs(eyeblink.latency(rate, 40 * ms) - 350) < 10


def test_similarity_is_a_cosine_that_noise_does_not_lower():
    rng = np.random.default_rng(0)
    states = np.zeros((4, 300))
    states[0, :100] = states[1, :100] = states[2, 100:200] = 1  # 0 and 1 alike, 2 apart from them
    states[3, 50:150] = 2  # half with each
    expected = np.array([[1, 1, 0, 0.5], [1, 1, 0, 0.5], [0, 0, 1, 0.5], [0.5, 0.5, 0.5, 1]])
    found = eyeblink.similarity(np.stack([states, states]))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    noisy = states + 0.3 * rng.standard_normal((2, 4, 300))
    np.testing.assert_allclose(eyeblink.similarity(noisy), expected, atol=0.15)
    index = np.subtract.outer(np.arange(20), np.arange(20)) * float(eyeblink.BIN)
    assert eyeblink.by_lag(np.abs(index), 100) == 100


def table(slope=1.0, trained=10.0, extinguished=90.0, cf_last=0.4):
    rows = []
    for seed in (1, 2):
        for interval in (250.0, 500.0, 750.0):
            latency = 40 + slope * interval + (-1) ** seed
            rows.append(("open loop", interval, seed, 100.0, trained, extinguished, latency, 1.0, 1.0))
            rows.append(("random Golgi", interval, seed, 100.0, trained, np.nan, 500.0, 1.0, 1.0))
        rows.append(("closed loop", 250.0, seed, 100.0, 30.0, np.nan, np.nan, 1.0, cf_last))
        rows.append(("no climbing fibre", 250.0, seed, 100.0, 99.0, np.nan, np.nan, 0.0, 0.0))
    return pd.DataFrame(rows, columns=eyeblink.COLUMNS)


def judged(change=0.75, **more):
    results = {
        "table": table(**more),
        "intervals": np.array([250.0, 500.0, 750.0]),
        "lags": np.array([0, 500]),
        "similarity_by_seed": np.array([[1.0, change]]),
        "similarity_random": np.array([[1.0, 0.99]]),
        "dt": 1.0,
    }
    return eyeblink.claims(results)


def test_claims_follow_the_table():
    assert all(claim.holds for claim in judged())
    assert sum(claim.control for claim in judged()) == 5

    def failing(**more):
        return {claim.name.split(",")[0] for claim in judged(**more) if not claim.holds}

    assert failing(slope=0.8) == {"slope of latency over interval"}
    assert failing(trained=31.0) == {"suppression in the 100 ms before the airpuff"}
    assert failing(extinguished=60.0) == {"rate after extinction"}
    assert failing(cf_last=0.8) == {"fall of the probability of an evoked complex spike"}
    assert failing(change=0.97) == {"similarity of the granule cells' states 500 ms apart"}
    np.testing.assert_allclose(eyeblink.slopes(table(slope=0.9)), 0.9)


def small():
    return eyeblink.network(PROTOCOL, (9, 9), 4, 3, 1, 0.001, 0.8, 1 * second, 1 * ms)


def test_the_interval_is_a_number_and_random_golgi_cells_hear_nobody():
    net = small()
    assert net.but(PROTOCOL.airpuffs(3, 500 * ms)).structure() == net.structure()
    fixed = eyeblink.random_golgi(net, PROTOCOL, 0.3 * Hz, 6.8 * Hz)
    assert isinstance(fixed.parts["golgi"], Poisson) and fixed.parts["golgi"].n == 81
    assert "excitation" not in fixed.parts and "inhibition" in fixed.parts
    rates = fixed.numbers()["golgi.rates"]
    assert set(np.round(rates, 6)) == {0.3, 6.8} and np.mean(rates == 6.8) == pytest.approx(2 / 3)
    assert np.array_equal(fixed.numbers()["tonic_fibre.rates"], net.numbers()["tonic_fibre.rates"])


SMALL = dict(
    intervals=(200 * ms, 400 * ms), after=100 * ms, shape=(9, 9), per_cluster=12, n_purkinje=4,
    n_acquisition=20, n_extinction=40, n_probe=4, n_basis=2, n_seeds=1, n_half_step_seeds=0,
)  # fmt: skip


@pytest.mark.compiled
def test_a_small_run_conditions_extinguishes_and_draws_itself():
    results = eyeblink.run(**SMALL, n_control_seeds=0)
    rows = results["table"].set_index(["condition", "interval"])
    paired, closed = rows.loc[("open loop", 200.0)], rows.loc[("closed loop", 200.0)]
    assert paired.trained_Hz < 0.6 * paired.naive_Hz
    assert paired.extinguished_Hz > 1.3 * paired.trained_Hz
    assert paired.cf_first == paired.cf_last == 1
    assert closed.cf_last < 1 and closed.trained_Hz > paired.trained_Hz
    assert len(eyeblink.claims(results)) == 8
    figure = eyeblink.figure(results)
    assert len(figure.axes) >= 6
    pyplot.close(figure)


@pytest.mark.compiled
@pytest.mark.slow
def test_controls_of_a_small_run():
    results = eyeblink.run(**SMALL, n_control_seeds=1)
    rows = results["table"].set_index(["condition", "interval"])
    silent, random = rows.loc[("no climbing fibre", 200.0)], rows.loc[("random Golgi", 200.0)]
    assert 0.8 < silent.trained_Hz / silent.naive_Hz < 1.2 and silent.cf_first == 0
    assert random.trained_Hz < 0.6 * random.naive_Hz  # it learns, but not when
    assert results["similarity_random"][:, -1].min() > results["similarity_by_seed"][:, -1].max()
    assert len(eyeblink.claims(results)) == 11
    pyplot.close(eyeblink.figure(results))


@pytest.mark.compiled
@pytest.mark.slow
def test_quick_form_holds():
    results = eyeblink.run(**chosen(eyeblink, quick=True))
    assert all(claim.holds for claim in eyeblink.claims(results))


@pytest.mark.compiled
@pytest.mark.slow
@pytest.mark.parametrize("seed", [31, 32, 33])
def test_other_seeds_time_other_intervals(seed):
    """Intervals of 300 and 650 ms, in the same network."""
    intervals = (300 * ms, 650 * ms)
    results = eyeblink.run(
        intervals=intervals, after=350 * ms, n_extinction=0, n_seeds=1, n_control_seeds=0,
        n_half_step_seeds=0, seed=seed,
    )  # fmt: skip
    rows = results["table"][results["table"].condition == "open loop"]
    assert np.all(rows.trained_Hz < 0.3 * rows.naive_Hz)
    assert np.all(np.abs(rows.latency - rows.interval) < 120)
