"""Phases of known oscillations, and the order of known phases."""

import numpy as np
import pytest

from analysis.phases import mean_frequency, order_parameter, phases

DT = 2e-3
T = np.arange(0, 10, DT)


def test_phase_of_a_cosine_is_its_argument():
    f, start = np.array([4.3, 6.0, 8.7]), np.array([0.0, 1.0, -2.0])
    found = phases(-57 + 3 * np.cos(2 * np.pi * f * T[:, None] + start), DT, 3, 12, trim=1.0)
    assert found.shape == (4000, 3)
    wanted = 2 * np.pi * f * T[500:4500, None] + start
    assert np.abs(np.exp(1j * found) - np.exp(1j * wanted)).max() < 0.02
    np.testing.assert_allclose(mean_frequency(found, DT), f, rtol=1e-3)


def test_band_leaves_slow_drift_and_fast_noise_out():
    noise = np.random.default_rng(1).standard_normal((len(T), 1))
    drifting = np.cos(2 * np.pi * 6 * T[:, None]) + 5 * np.sin(2 * np.pi * 0.1 * T[:, None]) + noise
    assert mean_frequency(phases(drifting, DT, 3, 12), DT)[0] == pytest.approx(6, rel=0.01)


def test_cells_that_do_not_vary_have_no_phase():
    found = phases(np.stack([np.cos(40 * T), np.full(len(T), -60.0)], axis=1), DT, 3, 12)
    assert np.isfinite(found[:, 0]).all() and np.isnan(found[:, 1]).all()
    assert np.isnan(order_parameter(found)).all()


def test_order_of_equal_opposite_and_spread_phases():
    angle = np.linspace(0, 30, 50)[:, None]
    np.testing.assert_allclose(order_parameter(angle + np.zeros(7)), 1)
    np.testing.assert_allclose(order_parameter(angle + np.array([0, np.pi])), 0, atol=1e-12)
    np.testing.assert_allclose(order_parameter(angle + 2 * np.pi * np.arange(5) / 5), 0, atol=1e-12)
    # Of two cells it is the cosine of half the difference.
    np.testing.assert_allclose(order_parameter(angle + np.array([0, 0.8])), np.cos(0.4))


@pytest.mark.parametrize("n", [12, 100])
def test_order_of_independent_phases(n):
    drawn = np.random.default_rng(n).uniform(-np.pi, np.pi, (20_000, n))
    assert order_parameter(drawn).mean() == pytest.approx(np.sqrt(np.pi / (4 * n)), rel=0.02)


def test_frequency_counts_turns_and_keeps_their_sign():
    np.testing.assert_allclose(mean_frequency(np.outer(T, [2 * np.pi * 5, -2 * np.pi]), DT), [5, -1])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: phases(np.cos(T), DT, 3, 12), "time x cell"),
        (lambda: phases(np.full((5000, 1), np.nan), DT, 3, 12), "finite"),
        (lambda: phases(np.cos(T)[:, None], DT, 12, 3), "band"),
        (lambda: phases(np.cos(T)[:, None], DT, 3, 300), "500 samples a second"),
        (lambda: phases(np.cos(T)[:600, None], DT, 3, 12), "more than 1.33333 s"),
        (lambda: order_parameter(np.zeros(4)), "time x cell"),
        (lambda: mean_frequency(np.zeros((1, 4)), DT), "two or more times"),
    ],
)
def test_errors_say_what_does_not_fit(call, says):
    with pytest.raises(ValueError, match=says):
        call()
