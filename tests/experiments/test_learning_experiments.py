"""Experiments on Hebbian learning, homeostasis and memory: their theory, their claims, their quick forms."""

import numpy as np
import pandas as pd
import pytest
from brian2 import ms
from matplotlib import pyplot

from experiments import bcm_selectivity, benna_fusi, cascade, oja_natural_images, synaptic_scaling
from experiments import memory_traces as lab
from experiments.parameters import chosen
from plasticity import consolidation, unbounded


def verdicts(claims, word):
    return [claim.holds for claim in claims if word in claim.name]


# Memories


@pytest.mark.compiled
def test_overlaps_of_stored_memories_follow_the_theory():
    signs, weight = lab.store(
        consolidation.benna_fusi(m=3, tau=lab.STEP), 3000, 60, 1, bounds=unbounded(), w=0.0
    )
    assert set(np.unique(signs)) == {-1.0, 1.0} and not weight[0].any()
    assert (weight[1] == signs[0]).all()  # the first memory, and nothing else
    for lag in (0, 1, 5):
        found = lab.overlaps(signs, weight, lag)
        assert found.shape == (60 - lag, 1)
        others = np.sqrt(10 / 3000 / 55)
        assert found.mean() == pytest.approx(benna_fusi.signal(3, np.array(lag)), abs=4.5 * others)


def test_overlaps_of_groups_average_to_that_of_all():
    random = np.random.default_rng(1)
    signs, weight = random.choice([-1.0, 1.0], (20, 60)), random.standard_normal((21, 60))
    assert lab.overlaps(signs, weight, 3, 20).shape == (17, 3)
    assert np.allclose(lab.overlaps(signs, weight, 3, 20).mean(axis=1), lab.overlaps(signs, weight, 3)[:, 0])
    assert lab.overlaps(signs, weight, 3)[0, 0] == pytest.approx((signs[0] * weight[4]).mean())


@pytest.mark.parametrize(("m", "printed"), [(6, -0.482), (8, -0.491)])
def test_slopes_of_the_chain(m, printed):
    assert benna_fusi.slope(m) == pytest.approx(printed, abs=0.03)


@pytest.mark.parametrize("m", [7, 9, 12])
def test_other_chains_fade_with_the_root_of_time_too(m):
    assert benna_fusi.slope(m) == pytest.approx(-0.5, abs=0.03)


def test_lifetimes_of_the_chain():
    lives = benna_fusi.lifetimes(10, (1000, 10_000, 100_000))
    assert lives == pytest.approx([63, 638, 6349], rel=0.02)
    assert benna_fusi.exponent((1000, 10_000, 100_000), lives) == pytest.approx(1, abs=0.03)
    assert benna_fusi.exponent((300, 30_000), benna_fusi.lifetimes(10, (300, 30_000))) == pytest.approx(
        1, abs=0.03
    )


@pytest.mark.parametrize(("n", "printed"), [(10, -0.62), (15, -0.73)])
def test_slopes_of_the_cascade(n, printed):
    assert cascade.slope(n) == pytest.approx(printed, abs=0.03)


def test_one_state_forgets_exponentially():
    lags = np.arange(30)
    assert np.allclose(cascade.signal(1, lags, scale=0.2), 0.2 * 0.8**lags, rtol=1e-12)
    lives = [cascade.lifetime(1, n, scale=0.2) for n in (1e3, 1e4, 1e5)]
    assert lives[2] - lives[1] == pytest.approx(lives[1] - lives[0], rel=0.02)


def test_cascade_outlives_one_state():
    assert cascade.lifetime(10, 1e6) > 10 * cascade.lifetime(1, 1e6, scale=0.1)


# Claims


def chain_results(signal_of=6):
    lags = np.array([0, 1, 2, 4, 8, 16, 32, 64, 128, 200])
    rows = []
    for m, made_of in ((6, signal_of), (1, 1)):
        signals = benna_fusi.signal(made_of, lags)
        others = np.sqrt(benna_fusi.noise(6, 400) ** 2 - benna_fusi.signal(6, lags) ** 2)
        for seed in (1, 2):
            rows += [
                (m, seed, int(lag), one, noise / np.sqrt(500))
                for lag, one, noise in zip(lags, signals, others, strict=True)
            ]
    numbers = np.array([1000, 10_000])
    return {
        "simulated": pd.DataFrame(rows, columns=["m", "seed", "lag", "signal", "noise"]),
        "slopes": {6: benna_fusi.slope(6)},
        "numbers": numbers,
        "m_lifetime": 10,
        "m_simulated": 6,
        "age": 400,
        "n_group": 500,
        "lifetimes": benna_fusi.lifetimes(10, numbers),
        "lifetimes_leaky": benna_fusi.lifetimes(1, numbers),
        "lifetimes_equal": benna_fusi.lifetimes(10, numbers, equal=True),
    }


def test_claims_about_the_chain_notice_another_chain():
    assert all(claim.holds for claim in benna_fusi.claims(chain_results()))
    wrong = benna_fusi.claims(chain_results(signal_of=1))
    assert not any(verdicts(wrong, "simulated over expected signal"))
    assert False in verdicts(wrong, "slope of the simulated signal")


def scaling_results(missing=2.0, after=10.0):
    rates = {"scaling": [10, after, after], "fading": [10, 10, 10], "no scaling": [18, 80, 0]}
    rates["fading, no integral"] = [10 - missing] * 3
    rows = [(c, 1, False, k, rate) for c, found in rates.items() for k, rate in enumerate(found)]
    return {
        "table": pd.DataFrame(rows, columns=["condition", "seed", "half_step", "phase", "rate"]),
        "goal": 10.0,
        "residual": 2.0,
        "n_steps": 100,
        "ratio_error": 1e-13,
    }


def test_claims_about_scaling_need_both_recovery_and_residual():
    assert all(claim.holds for claim in synaptic_scaling.claims(scaling_results()))
    away = synaptic_scaling.claims(scaling_results(after=10.5))
    assert not verdicts(away, "after doubling the input")[0]
    late = synaptic_scaling.claims(scaling_results(missing=0.1))
    assert not any(verdicts(late, "while weights fade, without"))
    broken = scaling_results() | {"ratio_error": 1e-3}
    assert not any(verdicts(synaptic_scaling.claims(broken), "ratios"))


def test_growth_rate_is_read_from_a_course():
    t = np.arange(400) * 0.01
    for rate in (-0.8, 0.3):
        y = 4 + 0.01 * np.exp(rate * t) * np.cos(3 * t)
        theta = 4.1 + 0.01 * np.exp(rate * t) * np.sin(3 * t)
        assert bcm_selectivity.growth_rate(y, theta, 0.01) == pytest.approx(rate, abs=1e-6)
    assert bcm_selectivity.expected_growth(1.0, 2.0) == pytest.approx(0, abs=1e-12)
    assert bcm_selectivity.expected_growth(0.5, 2.0) < 0 < bcm_selectivity.expected_growth(1.5, 2.0)


def test_patterns_are_orthonormal():
    rows = bcm_selectivity.patterns(np.random.default_rng(1), 4, 9)
    assert np.allclose(rows @ rows.T, np.eye(4), atol=1e-12)


# Photographs


def test_patches_are_centred_and_their_components_apart():
    values = oja_natural_images.patches(np.random.default_rng(1), 20_000, (6, 12))
    assert values.shape == (20_000, 72)
    assert np.abs(values.mean(axis=0)).max() < 1e-10
    assert (values**2).sum(axis=1).mean() == pytest.approx(1)
    variance = np.linalg.eigvalsh(np.cov(values.T))[::-1]
    assert (variance[:3] / variance[1:4]).min() > 1.45
    weight = np.eye(72)[:2] * [[3.0], [-2.0]]
    assert np.allclose(oja_natural_images.cosines(weight, np.eye(72)[:2]), 1)


@pytest.mark.slow
@pytest.mark.compiled
def test_sanger_finds_three_components_of_few_patches():
    random = np.random.default_rng(1)
    values = oja_natural_images.patches(random, 6000, (6, 12))
    components = np.linalg.svd(values, full_matrices=False)[2][:3]
    start = 0.1 * random.standard_normal((3, 72))
    found = oja_natural_images.learn(random, values, start, 0.02 / ms, 3, 1 * ms)
    assert oja_natural_images.cosines(found["sanger"][-1], components).min() > 0.97
    side_by_side = oja_natural_images.cosines(found["oja"][-1], components)
    assert side_by_side[0] > 0.97 and side_by_side[1:].max() < 0.3


# Quick forms, on seeds other than the default


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize(
    ("experiment", "n_controls"),
    [
        (benna_fusi, 3), (cascade, 2), (bcm_selectivity, 1), (synaptic_scaling, 3), (oja_natural_images, 3),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)  # fmt: skip
def test_the_quick_form_holds_its_claims_and_draws(experiment, n_controls):
    results = experiment.run(**chosen(experiment, quick=True, seed=31))
    claims = experiment.claims(results)
    assert sum(claim.control for claim in claims) == n_controls
    assert not [claim for claim in claims if not claim.holds]
    figure = experiment.figure(results)
    assert len(figure.axes) >= 4
    pyplot.close(figure)
