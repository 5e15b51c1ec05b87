"""When two simulators count as the same: the criterion for whole networks, and what it lets pass.

A network is run with several seeds in both simulators. Every run is reduced to what the verification of the
microcircuit of Potjans & Diesmann compares (van Albada et al. 2018, Senk et al. 2018; reference data of the
INM-6's implementation): per population the distributions over cells of rate and CV of the intervals, that of
the spike-count correlations over pairs, and here also mean rate, synchrony and the centre of the spectrum of
the population's activity. Two runs are as far apart as the Kolmogorov-Smirnov distance of the distributions,
or the difference of the numbers, says.

The two simulators should be no further apart than seeds of one are. For each measure the mean distance
across simulators over the mean distance within them is compared with what all other divisions of the same
runs into two groups give. Logarithms of these ratios are divided by their SD over the divisions, so that
measures can be compared, and the largest over all measures counts. If both simulate the same model, all
divisions are alike, and the true one has the largest ratio of all with probability 1/(number of divisions),
whatever the distributions are and however measures depend on each other: 1/6435 with eight seeds each, and
0.1 % over six networks. A difference is found when it exceeds about four SDs over seeds of what it changes
most.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy.stats import ks_2samp

from analysis import spikes

PAIRS_OF = 60  # cells per population whose pairs are correlated
HIGHEST = 500.0  # Hz, of that spectrum
BIN = 2e-3  # s, of the counts that are correlated
FINE = 5e-4  # s, of the population's activity whose spectrum is taken


def measures(populations, start, end):
    """What is compared of one run: name to distribution (array) or number.

    populations: name to spike times (s), cell indices, number of cells.
    """
    found = {}
    for name, (t, i, n) in populations.items():
        t, i = np.asarray(t), np.asarray(i)
        inside = (t >= start - 1e-9) & (t < end - 1e-9)
        t, i = t[inside], i[inside]
        counted = spikes.counts(t, i, n, end, BIN, start)
        rates = counted.sum(axis=1) / (end - start)
        irregular = spikes.cv(t, i, n)
        active = np.flatnonzero(rates > 0)[:PAIRS_OF]
        together = np.corrcoef(counted[active])[np.triu_indices(len(active), 1)]
        population = counted.sum(axis=0)
        activity = spikes.population_rate(t, n, end, FINE, start=start)[1]
        power = np.abs(np.fft.rfft(activity - activity.mean())) ** 2
        frequency = np.fft.rfftfreq(len(activity), FINE)
        power[frequency > HIGHEST] = 0
        found |= {
            f"{name}: rates of cells": rates,
            f"{name}: CV of intervals": irregular[np.isfinite(irregular)],
            f"{name}: correlations of pairs": together,
            f"{name}: mean rate (Hz)": rates.mean(),
            f"{name}: variance of the population's count over its mean": population.var() / population.mean(),
            f"{name}: centre of the spectrum (Hz)": (power * frequency).sum() / power.sum(),
        }
    return found


@dataclass
class Comparison:
    """One measure: mean distance across simulators, within each, and the largest that counts as the same."""

    measure: str
    across: float
    within: tuple
    bound: float
    unit: str


def compared(ours, theirs):
    """A `Comparison` per measure, from the measures of runs with different seeds in both simulators."""
    n, k = len(ours) + len(theirs), len(ours)
    pairs, same = _divisions(n, k)
    size, inner = len(same), same.sum(axis=1)
    assert size > 1000, f"{k} and {n - k} runs have {size} divisions only: take eight seeds each"
    names, table = list(ours[0]), []
    for name in names:
        values = [np.sort(run[name]) if np.ndim(run[name]) else run[name] for run in (*ours, *theirs)]
        distance = _kolmogorov if np.ndim(values[0]) else _difference
        d = np.array([distance(values[a], values[b]) for a, b in zip(*pairs, strict=True)])
        across = (d.sum() - same @ d) / (len(d) - inner)
        # above 0, so that two groups of equal values each are apart; where all are equal, the ratio is 1
        inside = np.maximum(same @ d / inner, 1e-9 * d.max())
        ratio = np.log(np.divide(across, inside, out=np.ones(size), where=inside > 0))
        table.append((d, across[0], inside[0], ratio))
    ratios = np.array([ratio for *_, ratio in table])
    mean, spread = ratios.mean(axis=1, keepdims=True), ratios.std(axis=1, keepdims=True)
    scores = np.divide(ratios - mean, spread, out=np.zeros_like(ratios), where=spread > 0)
    limit = scores[:, 1:].max()
    made = []
    for name, (d, across, inside, _), m, s in zip(names, table, mean[:, 0], spread[:, 0], strict=True):
        own = [d[(pairs[0] < k) & (pairs[1] < k)].mean(), d[(pairs[0] >= k) & (pairs[1] >= k)].mean()]
        unit = "Hz" if "(Hz)" in name else "1"
        made.append(Comparison(name, across, tuple(own), inside * np.exp(m + limit * s), unit))
    return made


@lru_cache
def _divisions(n, k):
    """Pairs of n runs, and per division into groups of k and n - k which of them stay together (0 or 1); the
    first division is that of the first k.
    """
    groups = np.zeros((comb(n, k), n), dtype=int)
    for row, chosen in enumerate(combinations(range(n), k)):
        groups[row, list(chosen)] = 1
    if 2 * k == n:
        groups = groups[groups[:, 0] == 1]  # which group is called the first does not matter
    pairs = np.triu_indices(n, 1)
    return pairs, (groups[:, pairs[0]] == groups[:, pairs[1]]).astype(float)


def _kolmogorov(a, b):
    """The largest difference of two empirical distributions, given as sorted values."""
    if not (len(a) and len(b)):
        return float(len(a) != len(b))
    at = np.concatenate([a, b])
    shares = (np.searchsorted(x, at, side="right") / len(x) for x in (a, b))
    return np.abs(np.subtract(*shares)).max()


def _difference(a, b):
    return abs(a - b)


def told_apart(comparisons):
    """The largest distance across simulators in units of its bound: above 1 they are told apart."""
    return max(c.across / c.bound if c.bound > 0 else 0.0 for c in comparisons)


# ------------------------------------------------------------------------------------------ what it lets pass


def imitated(random, shift=0.0, n=200, seeds=8):
    """Measures of runs that do not exist: every seed has a level of its own, `shift` its SDs higher."""
    made = []
    for _ in range(seeds):
        level = random.standard_normal() + shift
        cells = 10 + random.standard_normal(n) + 0.3 * level
        made.append({"rates": cells, "mean": cells.mean(), "CV": random.gamma(9, 1 / 9, n), "level": level})
    return made


def test_distance_is_that_of_kolmogorov_and_smirnov():
    random = np.random.default_rng(4)
    a, b = np.sort(random.standard_normal(50)).round(1), np.sort(random.standard_normal(70)).round(1)
    assert _kolmogorov(a, b) == pytest.approx(ks_2samp(a, b).statistic)


def test_seeds_of_one_model_pass():
    random = np.random.default_rng(1)
    for _ in range(20):
        assert told_apart(compared(imitated(random), imitated(random))) <= 1


@pytest.mark.parametrize("shift", [6, -8])
def test_another_model_is_told_apart(shift):
    random = np.random.default_rng(1)
    for _ in range(5):
        assert told_apart(compared(imitated(random), imitated(random, shift))) > 1


def test_values_without_any_spread_are_told_apart():
    random = np.random.default_rng(3)
    ours, theirs = imitated(random), imitated(random)
    for group, value in ((ours, 1.0), (theirs, 1.0 + 1e-6)):
        for run in group:
            run["same"] = value
    assert told_apart(compared(ours, theirs)) > 1
    for run in theirs:
        run["same"] = 1.0
    assert told_apart(compared(ours, theirs)) <= 1


def test_false_alarms_come_at_the_stated_rate():
    """Every division of the runs of one model is alike, and is the most extreme as often as any other."""
    random = np.random.default_rng(2)
    alarms = 0
    for _ in range(200):
        runs = [{"a": a, "b": b} for a, b in random.standard_normal((16, 2))]
        alarms += told_apart(compared(runs[:8], runs[8:])) > 1
    assert alarms <= 2  # 0.03 expected; more than two in one of 300,000 repetitions
