"""Spike statistics against closed forms."""

import numpy as np
import pytest

from analysis import spikes


def poisson(rate, duration, n, seed):
    random = np.random.default_rng(seed)
    number = random.poisson(rate * duration * n)
    return random.uniform(0, duration, number), random.integers(0, n, number)


def test_trains_are_sorted_and_keep_silent_cells():
    trains = spikes.trains([0.3, 0.1, 0.2], [2, 2, 0], 4)
    assert [train.tolist() for train in trains] == [[0.2], [], [0.1, 0.3], []]


def test_counts_put_grid_times_into_the_bin_that_opens_at_them():
    # The quotient of a grid time and a bin misses some whole numbers by one bit, so that plain rounding down
    # would give bins of 49 and 51 spikes; all must hold 50.
    t = np.arange(10_000) * 1e-4
    assert np.unique(np.bincount(np.floor(t / 5e-3).astype(int))).size > 1
    counts = spikes.counts(t, np.zeros(t.size, int), 1, duration=1.0, bin=5e-3)
    assert counts.shape == (1, 200) and (counts == 50).all()


def test_counts_leave_out_spikes_beyond_the_window():
    counts = spikes.counts([0.05, 0.1, 0.19, 0.2], [0, 1, 1, 0], 3, duration=0.2, bin=0.1, start=0.1)
    assert counts.tolist() == [[0], [2], [0]]


def test_window_must_hold_whole_bins():
    with pytest.raises(ValueError, match="whole number of bins"):
        spikes.counts([], [], 1, duration=1.0, bin=0.3)
    with pytest.raises(ValueError, match="longer than 0"):
        spikes.firing_rates([], [], 1, duration=0.5, start=0.5)


def test_firing_rates():
    rates = spikes.firing_rates([0.1, 0.6, 0.7, 1.9], [0, 0, 0, 2], 3, duration=2.0, start=0.5)
    assert rates == pytest.approx([2 / 1.5, 0, 1 / 1.5])


@pytest.mark.parametrize("sigma", [0.0, 5e-3, 50e-3])
def test_population_rate_conserves_spikes(sigma):
    t, _ = poisson(20, 1.0, 10, seed=1)
    centres, rate = spikes.population_rate(t, 10, 1.0, bin=1e-3, sigma=sigma)
    assert rate.sum() * 1e-3 * 10 == pytest.approx(t.size)
    assert centres[0] == pytest.approx(0.5e-3) and centres[-1] == pytest.approx(0.9995)


def test_smoothed_spike_is_a_gaussian():
    centres, rate = spikes.population_rate([0.5005], 1, 1.0, bin=1e-3, sigma=10e-3)
    expected = np.exp(-((centres - 0.5005) ** 2) / (2 * 10e-3**2)) / (np.sqrt(2 * np.pi) * 10e-3)
    # The filter ends at 4 sigma and is renormalised, an error of 6e-5 relative to the peak.
    assert rate == pytest.approx(expected, abs=1e-3 * expected.max())


def test_intervals_stay_within_cells():
    interval, cell = spikes.intervals([0.5, 0.1, 0.2, 0.6], [1, 1, 0, 0], 2)
    assert cell.tolist() == [0, 1] and interval == pytest.approx([0.4, 0.4])


def test_regular_train_has_no_variation():
    t = np.tile(np.arange(100) * 0.01, 2)
    i = np.repeat([0, 2], 100)
    assert spikes.cv(t, i, 3)[[0, 2]] == pytest.approx(0, abs=1e-12)
    assert spikes.cv2(t, i, 3)[[0, 2]] == pytest.approx(0, abs=1e-12)
    assert np.isnan(spikes.cv(t, i, 3)[1]) and np.isnan(spikes.cv2(t, i, 3)[1])


def test_alternating_intervals_in_closed_form():
    # Intervals a, b, a, b: CV = |a - b| / (a + b), CV2 = 2 |a - b| / (a + b).
    t = np.concatenate([[0], np.cumsum([1.0, 3.0, 1.0, 3.0])])
    i = np.zeros(5, int)
    assert spikes.cv(t, i, 1) == pytest.approx([0.5])
    assert spikes.cv2(t, i, 1) == pytest.approx([1.0])


def test_poisson_is_irregular_within_its_standard_error():
    t, i = poisson(20, 50.0, 200, seed=2)
    # Over N exponential intervals the CV has an SD of 1/sqrt(N) and a bias of order 1/N: 200 cells of about
    # 1000 intervals leave a standard error of 0.0022 for their mean, and that bias; the band is five of them.
    assert spikes.cv(t, i, 200).mean() == pytest.approx(1.0, abs=5 * 0.0022 + 1e-3)
    # For independent exponentials |x - y|/(x + y) is uniform, so CV2 has the mean 1; its values have the SD
    # 1/sqrt(3), which the correlation of neighbours raises, to less than 1.
    assert spikes.cv2(t, i, 200).mean() == pytest.approx(1.0, abs=5 / np.sqrt(200 * 1000))


def test_cv_notices_slow_changes_of_rate_and_cv2_does_not():
    slow = np.cumsum(np.linspace(0.01, 0.1, 200))
    i = np.zeros(200, int)
    assert spikes.cv(slow, i, 1)[0] > 0.4 and spikes.cv2(slow, i, 1)[0] < 0.02


def test_variation_equals_elephants():
    from elephant import statistics

    t, i = poisson(20, 5.0, 3, seed=3)
    for measure, reference in (
        (spikes.cv, lambda x: np.std(x) / np.mean(x)),
        (spikes.cv2, statistics.cv2),
    ):
        expected = [reference(np.diff(train)) for train in spikes.trains(t, i, 3)]
        assert measure(t, i, 3) == pytest.approx(expected)


def test_cv_is_undefined_below_two_intervals():
    for measure in (spikes.cv, spikes.cv2):
        assert np.isnan(measure([0.1, 0.2, 0.1], [0, 0, 1], 2)).all()
        assert np.isfinite(measure([0.1, 0.2, 0.4], [0, 0, 0], 1)).all()


def test_fano_factor():
    assert spikes.fano_factor([[3, 3, 3], [0, 0, 0], [0, 2, 4]]) == pytest.approx(
        [0, np.nan, 4 / 3], nan_ok=True
    )
    t, i = poisson(20, 100.0, 50, seed=4)
    fano = spikes.fano_factor(spikes.counts(t, i, 50, 100.0, 0.1))
    # var(F) of a Poisson process over m windows is 2/m: standard error of the mean over cells 0.0063.
    assert fano.mean() == pytest.approx(1.0, abs=5 * np.sqrt(2 / 1000 / 50))
    with pytest.raises(ValueError, match="at least two"):
        spikes.fano_factor([[3], [4]])


def test_synchrony_of_unison_and_of_independence():
    random = np.random.default_rng(5)
    common = random.normal(size=(2000, 1))
    assert spikes.synchrony(np.repeat(common, 20, axis=1)) == pytest.approx(1.0)
    independent = random.normal(size=(20_000, 100))
    # chi = 1/sqrt(n) up to the sampling error of a variance, sqrt(2/T)/2 = 0.5 %.
    assert spikes.synchrony(independent) == pytest.approx(0.1, rel=0.025)
    assert np.isnan(spikes.synchrony(np.ones((10, 3))))


def test_low_pass_state_is_the_sum_of_exponentials():
    t, i = poisson(30, 0.5, 7, seed=6)
    at = np.array([0.1, 0.5, 0.3, 0.3, 0.0, 2.0])
    age = at[:, None] - t
    kernel = np.where(age >= 0, np.exp(-age / 0.03), 0.0)
    expected = np.stack([kernel[:, i == cell].sum(axis=1) for cell in range(7)], axis=1)
    assert spikes.low_pass_state(t, i, 7, at, 0.03) == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert spikes.low_pass_state(t, i, 7, 0.3, 0.03) == pytest.approx(expected[2], rel=1e-12)


def test_low_pass_state_includes_a_spike_at_the_sample_whatever_its_last_bit():
    late = 3 * 0.1
    assert late > 0.3
    assert spikes.low_pass_state([late], [0], 1, 0.3, 0.03) == pytest.approx([1.0])
    assert spikes.low_pass_state([0.3001], [0], 1, 0.3, 0.03) == pytest.approx([0.0])


def test_low_pass_state_survives_long_recordings_with_short_time_constants():
    state = spikes.low_pass_state([0.0, 1000.0], [0, 0], 1, [1000.0, 1000.001], 1e-3)
    assert state[:, 0] == pytest.approx([1.0, np.exp(-1)])


def test_no_spikes():
    empty = np.array([]), np.array([], dtype=int)
    assert (spikes.counts(*empty, 3, 1.0, 0.5) == 0).all()
    assert (spikes.low_pass_state(*empty, 3, [0.1, 0.2], 0.03) == 0).all()
    assert np.isnan(spikes.cv(*empty, 3)).all() and np.isnan(spikes.cv2(*empty, 3)).all()
    assert [train.size for train in spikes.trains(*empty, 3)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("t", "i", "message"),
    [
        ([0.1], [0, 1], "one length"),
        ([0.1], [3], "3 cells"),
        ([0.1], [-1], "3 cells"),
        ([0.1, np.nan], [0, 1], "1 of 2 spike times"),
        ([0.1], [0.5], "change places"),
    ],
)
def test_bad_spikes_are_refused(t, i, message):
    with pytest.raises(ValueError, match=message):
        spikes.trains(t, i, 3)
