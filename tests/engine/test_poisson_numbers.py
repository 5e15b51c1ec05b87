"""poisson() in equations and event code has the distribution of its mean, by table and one by one."""

import numpy as np
import pytest
from brian2 import ms
from scipy.stats import chisquare, poisson

import engine
from circuits import Cell, Circuit, population, trace

N, STEPS = 500, 400


def drawn(mean):
    """Numbers drawn in a circuit whose mean is a run-time number, one for all cells or one for each."""
    count = "count = poisson(mean) : 1 (constant over dt)"
    cell = Cell("counting", count, params=dict(mean=mean), method="euler")
    net = Circuit(cells=population(cell, N), record=[trace("cells", "count")], dt=1 * ms)
    return engine.run(net, STEPS * ms, seed=5).traces["cells.count"].values


def p_value(numbers, mean):
    """Of Pearson's test against the Poisson distribution, rare classes put together."""
    numbers = numbers.ravel().astype(int)
    likely = [k for k in range(200) if poisson.pmf(k, mean) * numbers.size > 10]
    low, high = likely[0], likely[-1]
    found = np.bincount(np.clip(numbers, low, high) - low, minlength=high - low + 1)
    expected = poisson.pmf(likely, mean)
    expected[0], expected[-1] = poisson.cdf(low, mean), poisson.sf(high - 1, mean)
    return chisquare(found, expected * numbers.size).pvalue


@pytest.mark.compiled
def test_one_mean_for_all():
    for mean in (0.004, 0.4, 3.0, 9.99, 12.0):  # a table below 10, after a thousand draws
        assert p_value(drawn(mean), mean) > 1e-4, mean
    assert not drawn(0.0).any()


@pytest.mark.compiled
def test_a_mean_for_each_cell():
    means = np.repeat([0.3, 2.0], N // 2)
    numbers = drawn(means)
    assert p_value(numbers[:, : N // 2], 0.3) > 1e-4
    assert p_value(numbers[:, N // 2 :], 2.0) > 1e-4


@pytest.mark.compiled
@pytest.mark.parametrize("mean", [-1.0, 2.2e9])
def test_impossible_means_are_refused(mean):
    with pytest.raises(engine.NumbersError, match=r"poisson\(\) was given the mean"):
        drawn(mean)
