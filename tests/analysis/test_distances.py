"""Spike-train distances against closed forms."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from analysis import distances


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        # The first import of elephant may meet deprecations that are not ours; our calls must be silent.
        warnings.simplefilter("ignore")
        import elephant.conversion
        import elephant.spike_train_correlation
        import elephant.spike_train_dissimilarity  # noqa: F401
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


A, B = np.array([0.010, 0.020, 0.030]), np.array([0.012, 0.024, 0.030])


def test_importing_analysis_is_light():
    code = (
        "import sys, analysis, analysis.spikes, analysis.distances, analysis.readouts, analysis.intervals\n"
        "heavy = {'elephant', 'neo', 'sklearn', 'matplotlib', 'scipy', 'brian2'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_identical_trains_are_at_distance_zero():
    trains = [A, A, A[::-1]]
    assert distances.van_rossum(trains, 0.01) == pytest.approx(np.zeros((3, 3)), abs=1e-7)
    assert distances.victor_purpura(trains, 100.0) == pytest.approx(np.zeros((3, 3)), abs=1e-12)
    assert distances.gaussian_distance(A, A, 0.5) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("apart", [0.0, 1e-3, 10e-3, 1.0])
def test_van_rossum_of_two_spikes(apart):
    distance = distances.van_rossum([[0.1], [0.1 + apart]], 0.01)[0, 1]
    assert distance == pytest.approx(np.sqrt(2 * (1 - np.exp(-apart / 0.01))), abs=1e-7)


def test_van_rossum_against_the_integral():
    tau, dt = 0.01, 2e-6
    t = np.arange(0, 0.3, dt)

    def filtered(train):
        return sum(np.where(t >= spike, np.exp(-(t - spike) / tau), 0) for spike in train)

    expected = np.sqrt(2 / tau * np.sum((filtered(A) - filtered(B)) ** 2) * dt)
    assert distances.van_rossum([A, B], tau)[0, 1] == pytest.approx(expected, rel=1e-3)
    assert distances.van_rossum([A, []], 1e-5)[0, 1] == pytest.approx(np.sqrt(3))  # unmatched spikes add up


def test_van_rossum_takes_silent_trains():
    assert distances.van_rossum([[], []], 0.01) == pytest.approx(np.zeros((2, 2)))


def test_victor_purpura_limits():
    trains = [A, B, [], [0.02]]
    n = np.array([3, 3, 0, 1])
    assert distances.victor_purpura(trains, 0.0) == pytest.approx(np.abs(n[:, None] - n))
    # All but exactly coincident spikes (30 ms of A and B, 20 ms of A and the last) are removed and added.
    coincident = np.array([[3, 1, 0, 1], [1, 3, 0, 0], [0, 0, 0, 0], [1, 0, 0, 1]])
    assert distances.victor_purpura(trains, 1e9) == pytest.approx(n[:, None] + n - 2 * coincident)


def test_victor_purpura_shifts_while_it_is_cheaper_than_replacing():
    assert distances.victor_purpura([A, B], 100.0)[0, 1] == pytest.approx(100 * 0.006)
    assert distances.victor_purpura([[0.1], [0.1 + 0.019]], 100.0)[0, 1] == pytest.approx(1.9)
    assert distances.victor_purpura([[0.1], [0.1 + 0.021]], 100.0)[0, 1] == pytest.approx(2.0)


def test_correlation_of_counts():
    #           bins of 10 ms:  1 0 1 0      1 0 1 0        0 1 0 1
    trains = [[0.001, 0.021], [0.005, 0.028], [0.011, 0.031], []]
    matrix = distances.correlation(trains, duration=0.04, bin=0.01)
    assert matrix[:3, :3] == pytest.approx(np.array([[1, 1, -1], [1, 1, -1], [-1, -1, 1]]))
    assert np.isnan(matrix[3]).all() and np.isnan(matrix[:, 3]).all()
    assert distances.correlation(trains[:1], 0.04, 0.01) == pytest.approx(np.ones((1, 1)))


def test_correlation_equals_pearsons_for_sparse_and_dense_counts():
    random = np.random.default_rng(1)
    for rate, bin in ((5, 1e-3), (200, 20e-3)):
        trains = [np.sort(random.uniform(0, 2.0, rate * 2)) for _ in range(4)]
        counts = [np.histogram(train, np.arange(0, 2 + bin / 2, bin))[0] for train in trains]
        assert distances.correlation(trains, 2.0, bin) == pytest.approx(np.corrcoef(counts))


def test_correlation_refuses_spikes_outside_and_broken_bins():
    with pytest.raises(ValueError, match="do not fit"):
        distances.correlation([[0.5]], 0.4, 0.1)
    with pytest.raises(ValueError, match="whole number of bins"):
        distances.correlation([[0.5]], 1.0, 0.3)
    with pytest.raises(ValueError, match="two bins"):
        distances.correlation([[0.5]], 1.0, 1.0)


@pytest.mark.parametrize("apart", [1e-3, 5e-3, 20e-3])
def test_gaussian_distance_of_two_spikes(apart):
    tau, duration = 5e-3, 0.5
    expected = 2 * tau * np.sqrt(np.pi / 2) * (1 - np.exp(-(apart**2) / (2 * tau**2))) / duration
    assert distances.gaussian_distance([0.2], [0.2 + apart], duration) == pytest.approx(expected, rel=1e-9)


def test_gaussian_distance_against_the_integral_with_its_edges():
    random = np.random.default_rng(2)
    u, v = np.r_[0.0, random.uniform(0, 0.5, 9), 0.4995], random.uniform(0, 0.5, 10)
    dt = 1e-5
    t = np.arange(0, 0.5, dt) + dt / 2
    filtered = [np.exp(-(((t[:, None] - train) / 5e-3) ** 2)).sum(axis=1) for train in (u, v)]
    expected = np.sum((filtered[0] - filtered[1]) ** 2) * dt / 0.5
    assert distances.gaussian_distance(u, v, 0.5) == pytest.approx(expected, rel=1e-6)
    assert distances.gaussian_distance(v, u, 0.5) == pytest.approx(expected, rel=1e-6)


def test_independent_poisson_trains_are_a_quarter_apart():
    # The scale of the published input distances 0.1, 0.2 and 0.4: 2 r tau sqrt(pi/2) = 0.2507 at 20 Hz.
    random = np.random.default_rng(3)
    values = [
        distances.gaussian_distance(*(random.uniform(0, 2.0, random.poisson(40)) for _ in range(2)), 2.0)
        for _ in range(400)
    ]
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    # What the kernels lose beyond both ends is tau^2/(2 T) of each train's rate.
    expected = 40 * (5e-3 * np.sqrt(np.pi / 2) - 5e-3**2 / (2 * 2.0))
    assert np.mean(values) == pytest.approx(expected, abs=4 * error) and error < 0.005


@pytest.mark.parametrize(
    "call",
    [
        lambda: distances.van_rossum([A, B], 0.0),
        lambda: distances.victor_purpura([A, B], -1.0),
        lambda: distances.victor_purpura([A, B], np.inf),
        lambda: distances.gaussian_distance(A, B, 0.0),
        lambda: distances.gaussian_distance(A[None], B, 0.5),
        lambda: distances.van_rossum([[0.1, np.nan]], 0.01),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ValueError, match="above 0|0 or above|one-dimensional"):
        call()
