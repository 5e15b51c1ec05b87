"""Confidence intervals over seeds."""

import numpy as np
import pytest

from analysis.intervals import mean_interval


def test_half_width_of_two_values():
    # t(0.975, 1) = tan(0.475 pi), and two values 2d apart have the standard error d.
    mean, low, high = mean_interval([[1.0, 10.0], [3.0, 10.0]])
    half = np.tan(0.475 * np.pi)
    assert mean == pytest.approx([2, 10]) and low == pytest.approx([2 - half, 10])
    assert high == pytest.approx([2 + half, 10])


def test_coverage():
    samples = np.random.default_rng(1).normal(3.0, 2.0, size=(8, 4000))
    _, low, high = mean_interval(samples, level=0.9)
    covered = np.mean((low < 3.0) & (3.0 < high))
    assert covered == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / 4000))


def test_one_seed_has_no_interval():
    mean, low, high = mean_interval([0.5])
    assert mean == 0.5 and np.isnan(low) and np.isnan(high)
