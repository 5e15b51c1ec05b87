"""Encodings against their closed forms: counts, times, and the signal rebuilt from the spikes."""

import numpy as np
import pytest
from brian2.units import Hz, ms, mV, second

from circuits import encodings
from circuits.errors import CircuitError


def times_of(spikes, channel):
    return np.asarray(spikes.t / second)[spikes.i == channel]


def test_receptive_fields_are_gaussians_at_even_centres():
    values = np.array([[0.3, -1.0], [2.0, 5.0]])
    activity = encodings.receptive_fields(values, n=5, low=-2, high=2, width=0.7)
    for frame in range(2):
        for channel in range(2):
            for k, centre in enumerate([-2, -1, 0, 1, 2]):
                expected = np.exp(-((values[frame, channel] - centre) ** 2) / 2 / 0.49)
                assert activity[frame, 5 * channel + k] == pytest.approx(expected, rel=1e-12)


def test_receptive_fields_default_width_is_the_distance_of_centres():
    activity = encodings.receptive_fields([[0.0]], n=3, low=-1, high=1)
    assert activity[0] == pytest.approx([np.exp(-0.5), 1, np.exp(-0.5)])


def test_regular_rate_at_constant_rate_is_an_even_train():
    spikes = encodings.rate(np.full((10, 3), 0.5), frame=100 * ms, maximum=80 * Hz, seed=1)
    starts = []
    for channel in range(3):
        times = times_of(spikes, channel)
        assert len(times) == 40
        assert np.diff(times) == pytest.approx(1 / 40)
        starts.append(times[0])
    assert len(set(starts)) == 3 and 0 <= min(starts) and max(starts) < 1 / 40


def test_regular_rate_follows_a_changing_rate():
    """For any rate the integral of the rate between two neighbouring spikes is 1."""
    random = np.random.default_rng(0)
    values = random.random((30, 4))
    values[10:14, 1] = 0  # a rest: no spike, and the integral waits
    spikes = encodings.rate(values, frame=20 * ms, maximum=300 * Hz, seed=2)
    grid = np.arange(31) * 0.02
    for channel in range(4):
        integral = np.concatenate([[0], np.cumsum(values[:, channel] * 300 * 0.02)])
        at_spikes = np.interp(times_of(spikes, channel), grid, integral)
        assert np.diff(at_spikes) == pytest.approx(1, abs=1e-9)
        assert len(at_spikes) in (int(integral[-1]), int(integral[-1]) + 1)
        assert 0 <= at_spikes[0] < 1 and integral[-1] - at_spikes[-1] < 1
    rest = times_of(spikes, 1)
    assert not np.any((rest > 0.2 + 1e-9) & (rest < 0.28 - 1e-9))


def test_minimum_rate_adds_a_floor():
    spikes = encodings.rate(np.zeros((10, 1)), frame=100 * ms, maximum=90 * Hz, minimum=25 * Hz, seed=0)
    assert len(spikes.i) == 25


def test_poisson_rate_has_the_statistics_of_a_poisson_process():
    values = np.tile([[0.25], [1.0]], (1, 400))
    spikes = encodings.rate(values, frame=500 * ms, maximum=40 * Hz, regular=False, seed=5)
    times, channels = np.asarray(spikes.t / second), spikes.i
    first = np.bincount(channels[times < 0.5], minlength=400)
    second_half = np.bincount(channels[times >= 0.5], minlength=400)
    for counts, mean in ((first, 5.0), (second_half, 20.0)):
        assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / 400))
        # the variance of a Poisson count is its mean; that of 400 samples has an SD of about mean*sqrt(2/400)
        assert counts.var() == pytest.approx(mean, rel=0.3)
    assert abs(np.corrcoef(first, second_half)[0, 1]) < 0.2
    regular = encodings.rate(values, frame=500 * ms, maximum=40 * Hz, seed=5)
    assert np.bincount(regular.i, minlength=400).var() < 1  # so the test above can fail


def test_rate_is_drawn_from_its_seed():
    values = np.random.default_rng(1).random((5, 6))
    for regular in (True, False):
        a, b, c = (encodings.rate(values, maximum=200 * Hz, regular=regular, seed=s) for s in (3, 3, 4))
        assert np.array_equal(a.i, b.i) and np.array_equal(a.t, b.t)
        assert len(a.t) != len(c.t) or not np.allclose(a.t, c.t)


def test_latency_is_logarithmic():
    values = np.array([[1.0, 0.5, 0.2, 0.1], [0.25, 0.0, -3.0, 1.0]])
    spikes = encodings.latency(values, frame=50 * ms, threshold=0.2, tau=10 * ms)
    expected = {
        0: [10 * np.log(1 / 0.8), 50 + 10 * np.log(0.25 / 0.05)],
        1: [10 * np.log(0.5 / 0.3)],
        2: [],  # at the threshold the integrator never arrives
        3: [50 + 10 * np.log(1 / 0.8)],
    }
    for channel, times in expected.items():
        assert times_of(spikes, channel) * 1000 == pytest.approx(times)


def test_latency_is_that_of_a_leaky_integrator():
    x, step = 0.7, 1e-6
    v, elapsed = 0.0, 0.0
    while v < 0.3:
        v, elapsed = v + step / 0.01 * (x - v), elapsed + step
    spikes = encodings.latency([[x]], frame=50 * ms, threshold=0.3, tau=10 * ms)
    assert float(spikes.t[0]) == pytest.approx(elapsed, abs=1e-5)


def test_latency_drops_what_comes_after_the_frame():
    spikes = encodings.latency([[0.2001, 1.0]], frame=20 * ms, threshold=0.2, tau=10 * ms)
    assert spikes.i.tolist() == [1]


def test_delta_spikes_where_the_line_crosses_a_level():
    spikes = encodings.delta([[0.0], [1.0], [0.5]], frame=10 * ms, threshold=0.25)
    # middles at 5, 15 and 25 ms: up at 0.25, 0.5, 0.75, 1 and down at 0.75, 0.5
    assert times_of(spikes, 0) * 1000 == pytest.approx([7.5, 10, 12.5, 15])
    assert times_of(spikes, 1) * 1000 == pytest.approx([20, 25])


def test_delta_lets_the_signal_be_rebuilt():
    random = np.random.default_rng(3)
    values = np.cumsum(random.normal(size=(40, 5)), axis=0)
    spikes = encodings.delta(values, frame=10 * ms, threshold=0.3, start=0.0)
    middles = (np.arange(40) + 0.5) * 0.01
    for channel in range(5):
        up, down = times_of(spikes, 2 * channel), times_of(spikes, 2 * channel + 1)
        level = 0.3 * (np.searchsorted(up, middles + 1e-9) - np.searchsorted(down, middles + 1e-9))
        assert np.abs(values[:, channel] - level).max() <= 0.3 * (1 + 1e-6)


def test_delta_of_a_constant_is_silent_and_a_start_level_is_sent_first():
    constant = np.full((5, 2), 0.9)
    assert len(encodings.delta(constant, threshold=0.2).i) == 0
    spikes = encodings.delta(constant, frame=20 * ms, threshold=0.2, start=[0.0, 2.0])
    assert np.bincount(spikes.i, minlength=4).tolist() == [4, 0, 0, 5]
    assert float(spikes.t.max()) <= 0.010


def test_spikes_are_ordered_and_empty_signals_give_empty_trains():
    values = np.random.default_rng(0).random((8, 20))
    for spikes in (
        encodings.rate(values, seed=0),
        encodings.latency(values),
        encodings.delta(values, start=0.0),
    ):
        assert len(spikes.i) and np.all(np.diff(np.asarray(spikes.t)) >= 0)
        assert spikes.i.dtype.kind == "i" and len(spikes.i) == len(spikes.t)
    for encode in (encodings.rate, encodings.latency, encodings.delta):
        assert len(encode(np.zeros((0, 3))).i) == 0


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: encodings.rate([[1.5]]), "between 0 and 1"),
        (lambda: encodings.rate([[0.5]], maximum=100), "rate, maximum"),
        (lambda: encodings.rate([[0.5]], maximum=10 * Hz, minimum=20 * Hz), "below minimum"),
        (lambda: encodings.rate([[0.5]], frame=5 * mV), "rate, frame"),
        (lambda: encodings.rate([0.5, 0.2]), "frames x channels"),
        (lambda: encodings.rate([[0.5, np.nan]]), "frame 0, channel 1"),
        (lambda: encodings.latency([[0.5]], threshold=0), "must be positive"),
        (lambda: encodings.latency([[0.5]], tau=-1 * ms), "latency, tau"),
        (lambda: encodings.delta([[0.5]], threshold=-1), "must be positive"),
        (lambda: encodings.delta([["a"]]), "array of numbers"),
        (lambda: encodings.delta([[0.5]] * mV), "values"),
        (lambda: encodings.receptive_fields([[0.5]], n=0), "at least 1"),
        (lambda: encodings.receptive_fields([[0.5]], low=1, high=-1), "must be the larger"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(CircuitError, match=words):
        call()
