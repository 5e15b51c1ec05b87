"""Spike statistics from plain arrays.

Everywhere `t` holds spike times in seconds, `i` the index of the cell that fired (same length, any order) and
`n` the number of cells, silent ones included.  Results are arrays with one entry per cell; a value that the
spikes do not determine (the CV of a cell with one interval) is NaN, never 0.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Simulated spikes lie on a grid of time steps, so they fall exactly on bin edges and sampling instants, where
# the last bit of k*dt would decide the bin.  Times closer than this (s) count as the same instant.
SAME_INSTANT = 1e-9


def check_spikes(t: ArrayLike, i: ArrayLike, n: int) -> tuple[NDArray, NDArray]:
    """Return `t` as floats and `i` as integers, or raise ValueError saying what does not fit."""
    t, i = np.asarray(t, dtype=float), np.asarray(i)
    if t.ndim != 1 or t.shape != i.shape:
        raise ValueError(
            f"Spike times and indices must be one-dimensional and of one length; got {t.shape} and {i.shape}."
        )
    if not np.isfinite(t).all():
        raise ValueError(f"{np.count_nonzero(~np.isfinite(t))} of {t.size} spike times are NaN or infinite.")
    if i.size and not np.issubdtype(i.dtype, np.integer):
        raise ValueError(
            f"Cell indices must be integers, got {i.dtype}; did times and indices change places?"
        )
    if i.size and (i.min() < 0 or i.max() >= n):
        raise ValueError(
            f"Cell indices run from {i.min()} to {i.max()}, but there are {n} cells (0 to {n - 1})."
        )
    return t, i.astype(np.intp, copy=False)


def whole_bins(start: float, duration: float, bin: float) -> int:
    """Return the number of bins in the window, which must be whole."""
    if not (duration > start and bin > 0):
        raise ValueError(
            f"The window from {start} s to {duration} s and the bin of {bin} s must both be longer than 0."
        )
    n_bins = round((duration - start) / bin)
    if n_bins < 1 or abs(n_bins * bin - (duration - start)) > 1e-6 * bin + SAME_INSTANT:
        raise ValueError(
            f"A window of {duration - start:g} s does not hold a whole number of bins of {bin:g} s."
        )
    return n_bins


def _bin_of(t: NDArray, start: float, n_bins: int, bin: float) -> tuple[NDArray, NDArray]:
    """Return which spikes lie in the window, and the bin of each of those."""
    index = np.floor((t - start + SAME_INSTANT) / bin).astype(np.intp)
    inside = (index >= 0) & (index < n_bins)
    return inside, index[inside]


def trains(t: ArrayLike, i: ArrayLike, n: int) -> list[NDArray]:
    """Return one sorted array of spike times (s) per cell."""
    t, i = check_spikes(t, i, n)
    order = np.lexsort((t, i))
    return np.split(t[order], np.cumsum(np.bincount(i, minlength=n))[:-1]) if n else []


def counts(t: ArrayLike, i: ArrayLike, n: int, duration: float, bin: float, start: float = 0.0) -> NDArray:
    """Return spike counts (n x bins) in bins of `bin` s over [start, duration); edges open the later bin."""
    t, i = check_spikes(t, i, n)
    n_bins = whole_bins(start, duration, bin)
    inside, index = _bin_of(t, start, n_bins, bin)
    return np.bincount(i[inside] * n_bins + index, minlength=n * n_bins).reshape(n, n_bins)


def firing_rates(t: ArrayLike, i: ArrayLike, n: int, duration: float, start: float = 0.0) -> NDArray:
    """Return the mean rate (Hz) of each cell over [start, duration)."""
    return counts(t, i, n, duration, duration - start, start)[:, 0] / (duration - start)


def population_rate(
    t: ArrayLike, n: int, duration: float, bin: float = 1e-3, sigma: float = 0.0, start: float = 0.0
) -> tuple[NDArray, NDArray]:
    """Return bin centres (s) and the rate per cell (Hz) of a population over [start, duration).

    A `sigma` above 0 smooths with a Gaussian of that SD in s; the ends are mirrored, which conserves the
    number of spikes.
    """
    if n < 1:
        raise ValueError("A rate per cell needs at least one cell.")
    t = np.asarray(t, dtype=float)
    n_bins = whole_bins(start, duration, bin)
    rate = np.bincount(_bin_of(t, start, n_bins, bin)[1], minlength=n_bins) / (n * bin)
    if sigma > 0:
        from scipy.ndimage import gaussian_filter1d

        rate = gaussian_filter1d(rate, sigma / bin, mode="reflect")
    return start + (np.arange(n_bins) + 0.5) * bin, rate


def intervals(t: ArrayLike, i: ArrayLike, n: int) -> tuple[NDArray, NDArray]:
    """Return all inter-spike intervals (s), cell after cell and in time order, and the cell of each."""
    t, i = check_spikes(t, i, n)
    order = np.lexsort((t, i))
    t, i = t[order], i[order]
    same_cell = i[1:] == i[:-1]
    return np.diff(t)[same_cell], i[1:][same_cell]


def _mean_per_cell(values: NDArray, cell: NDArray, n: int, at_least: int) -> NDArray:
    number = np.bincount(cell, minlength=n)
    total = np.bincount(cell, values, minlength=n)
    return np.divide(total, number, out=np.full(n, np.nan), where=number >= at_least)


def cv(t: ArrayLike, i: ArrayLike, n: int) -> NDArray:
    """Return the coefficient of variation of each cell's intervals: 0 for a clock, 1 for a Poisson process.

    SD / mean, the SD with 1/N.  NaN below two intervals.
    """
    interval, cell = intervals(t, i, n)
    mean = _mean_per_cell(interval, cell, n, at_least=2)
    # Centred before squaring: the difference of two large squares would not give 0 for a regular train.
    return np.sqrt(_mean_per_cell((interval - mean[cell]) ** 2, cell, n, at_least=2)) / mean


def cv2(t: ArrayLike, i: ArrayLike, n: int) -> NDArray:
    """Return each cell's mean of 2 |I_(k+1) - I_k| / (I_(k+1) + I_k), a CV that ignores slow changes of rate.

    Holt, Softky, Koch & Douglas 1996, J Neurophysiol 75:1806.  NaN below two intervals.
    """
    interval, cell = intervals(t, i, n)
    same_cell = cell[1:] == cell[:-1]
    first, second = interval[:-1][same_cell], interval[1:][same_cell]
    return _mean_per_cell(2 * np.abs(second - first) / (second + first), cell[1:][same_cell], n, at_least=1)


def fano_factor(counts: ArrayLike, axis: int = -1) -> NDArray:
    """Return variance / mean of spike counts along `axis` (windows or trials; variance with 1/N): 1 for
    Poisson.

    NaN where nothing fired.
    """
    counts = np.asarray(counts, dtype=float)
    if counts.ndim == 0 or counts.shape[axis] < 2:
        raise ValueError("A Fano factor needs counts from at least two windows or trials along its axis.")
    mean = counts.mean(axis)
    return np.divide(counts.var(axis), mean, out=np.full(np.shape(mean), np.nan), where=mean > 0)


def synchrony(values: ArrayLike) -> float:
    """Return chi of the signals `values` (time x cell): 1 in unison, about 1/sqrt(n) when independent.

    chi^2 = var_t <x_i>_i / <var_t x_i>_i.  Golomb & Rinzel 1994, Physica D 72:259, there for membrane
    potentials, here for any signal, such as `low_pass_state`.  NaN when no signal varies.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2:
        raise ValueError(f"Synchrony needs signals as time x cell, got shape {values.shape}.")
    single = values.var(axis=0).mean()
    return float(np.sqrt(values.mean(axis=1).var() / single)) if single > 0 else float("nan")


def low_pass_state(t: ArrayLike, i: ArrayLike, n: int, at: ArrayLike, tau: float) -> NDArray:
    """Return low-pass filtered spikes ("liquid state") at the times `at` (s): (len(at), n), or (n,) at one.

    x_i(s) = sum over the cell's spikes t_k <= s of exp(-(s - t_k)/tau).  Exact at any sampling: between
    samples the state decays in closed form and every spike is carried to the first sample after it, so the
    cost follows samples and spikes, and no exponential grows.
    """
    t, i = check_spikes(t, i, n)
    at = np.asarray(at, dtype=float)
    if at.ndim > 1 or not np.isfinite(at).all():
        raise ValueError(f"Sampling times must be finite and one-dimensional, got shape {at.shape}.")
    if not tau > 0:
        raise ValueError(f"The time constant must be above 0 s, got {tau}.")
    samples, back = np.unique(at, return_inverse=True)
    first = np.searchsorted(samples, t - SAME_INSTANT)  # the first sample that sees the spike
    seen = first < samples.size
    first, age = first[seen], np.maximum(samples[first[seen]] - t[seen], 0.0)
    state = np.zeros((samples.size, n))
    np.add.at(state, (first, i[seen]), np.exp(-age / tau))
    decay = np.exp(-np.diff(samples) / tau)
    for k in range(1, samples.size):
        state[k] += decay[k - 1] * state[k - 1]
    return state[back].reshape(at.shape + (n,))
