"""Effect sizes against closed forms, intervals against the coverage that they claim and against scipy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.statistics import (
    bootstrap_interval,
    cliffs_delta,
    difference_interval,
    effects,
    hedges_g,
)


def test_the_interval_of_a_mean_is_scipys():
    values = np.random.default_rng(1).gamma(2.0, size=30)
    value, low, high = bootstrap_interval(values, seed=3)
    theirs = stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=20_000, random_state=np.random.default_rng(5)
    )
    assert value == values.mean()
    assert (low, high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.02)


def test_an_interval_covers_as_often_as_it_says():
    random = np.random.default_rng(2)
    hits = [
        low < 1.0 < high
        for _, low, high in (
            bootstrap_interval(random.exponential(size=40), resamples=1000, seed=k) for k in range(400)
        )
    ]
    # Of a skewed sample of 40 it covers a little less than 95 %; 400 trials have a standard error of 1.1 %.
    assert 0.89 < np.mean(hits) < 0.97


def test_an_interval_is_repeatable_and_widens_with_its_level():
    values = np.arange(10.0) ** 2
    assert bootstrap_interval(values, seed=1) == bootstrap_interval(values, seed=1)
    _, low, high = bootstrap_interval(values, level=0.5)
    _, lower, higher = bootstrap_interval(values, level=0.99)
    assert lower < low < values.mean() < high < higher


def test_a_statistic_of_choice_and_a_constant_sample():
    values = np.array([1.0, 2, 3, 4, 100])
    value, low, high = bootstrap_interval(values, np.median)
    assert value == 3 and low >= 1 and high <= 100
    assert bootstrap_interval(np.full(6, 2.5)) == (2.5, 2.5, 2.5)


def test_pairing_takes_out_what_seeds_have_in_common():
    random = np.random.default_rng(4)
    seeds = 10 * random.standard_normal(12)
    a, b = seeds, seeds + 1 + 0.1 * random.standard_normal(12)
    value, low, high = difference_interval(a, b, paired=True)
    assert value == pytest.approx(b.mean() - a.mean()) and 0.8 < low < 1 < high < 1.2
    _, low, high = difference_interval(a, b)
    assert low < -2 and high > 4


def test_an_unpaired_interval_is_that_of_welch_for_normal_samples():
    random = np.random.default_rng(6)
    a, b = random.standard_normal(40), 2 + 3 * random.standard_normal(60)
    _, low, high = difference_interval(a, b)
    theirs = stats.ttest_ind(b, a, equal_var=False).confidence_interval()
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.12)


def test_hedges_g_is_the_corrected_difference_in_standard_deviations():
    a, b = np.array([1.0, 2, 3]), np.array([3.0, 4, 5])
    assert hedges_g(a, b) == pytest.approx(2 * 0.7979, abs=1e-4)  # J(4) = 0.7979, Hedges 1981, table 1
    assert hedges_g(b, a) == -hedges_g(a, b)
    assert hedges_g(a, b, paired=True) == pytest.approx(2 * 0.5642, abs=1e-4)  # J(2) = 0.5642
    assert hedges_g([1, 1], [2, 2]) == np.inf and hedges_g([1, 1], [1, 1]) == 0


def test_hedges_g_is_unbiased():
    random = np.random.default_rng(7)
    found = [hedges_g(random.standard_normal(5), 0.8 + random.standard_normal(5)) for _ in range(4000)]
    assert np.mean(found) == pytest.approx(0.8, abs=4 * np.std(found) / np.sqrt(4000))


def test_cliffs_delta_counts_pairs():
    assert cliffs_delta([1, 2, 3], [4, 5]) == 1 and cliffs_delta([4, 5], [1, 2, 3]) == -1
    assert cliffs_delta([1, 2], [1, 2]) == 0
    assert cliffs_delta([1, 3], [2]) == 0 and cliffs_delta([1, 1, 3], [2]) == pytest.approx(1 / 3)


def test_effects_compare_levels_seed_by_seed():
    random = np.random.default_rng(8)
    rows = [
        {
            "tau": tau,
            "other": other,
            "seed": seed,
            "rate": 5 * seed + tau + other + 0.01 * random.standard_normal(),
        }
        for tau in (10.0, 20.0)
        for other in (0.0, 100.0)
        for seed in range(1, 9)
    ]
    found = effects(pd.DataFrame(rows), "rate", "tau")
    assert found.index.tolist() == [10.0, 20.0] and found["n"].tolist() == [8, 8]
    assert found.loc[20.0, "difference"] == pytest.approx(10, abs=0.02)
    assert 9.9 < found.loc[20.0, "low"] < 10 < found.loc[20.0, "high"] < 10.1
    assert found.loc[10.0, "mean"] == pytest.approx(22.5 + 10 + 50, abs=0.02)
    assert effects(pd.DataFrame(rows), "rate", "tau", reference=20.0).loc[10.0, "difference"] < 0


def test_effects_use_the_seeds_that_both_have_and_need_five_for_an_interval():
    rows = [{"kind": kind, "seed": s, "rate": s + (kind == "b")} for kind in "ab" for s in range(4)]
    rows[-1]["rate"] = np.nan
    found = effects(pd.DataFrame(rows), "rate", "kind")
    assert found.loc["b", "n"] == 3 and found.loc["b", "difference"] == 1 and np.isnan(found.loc["b", "low"])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: bootstrap_interval([1, 2, 3, 4]), "at least 5"),
        (lambda: bootstrap_interval([1, 2, 3, 4, np.nan]), "NaN"),
        (lambda: bootstrap_interval(range(9), level=95), "coverage"),
        (lambda: difference_interval(range(5), range(6), paired=True), "5 and 6"),
        (lambda: hedges_g([1], [2, 3]), "at least 2"),
        (lambda: effects(pd.DataFrame({"seed": [1]}), "rate", "tau"), "no column 'rate'"),
        (lambda: effects(pd.DataFrame({"seed": [1, 2], "r": [1, 2], "t": [1, 1]}), "r", "t"), "one value"),
        (
            lambda: effects(pd.DataFrame({"seed": [1, 1], "r": [1, 2], "t": [1, 2]}), "r", "t", reference=3),
            "never 3",
        ),
    ],
)
def test_what_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
