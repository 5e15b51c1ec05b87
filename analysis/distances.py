"""Distances between spike trains; a train is an array of spike times in seconds (see `spikes.trains`).

van Rossum, Victor-Purpura and correlation are elephant's.  It takes seconds to import, so it is imported on
first use.
"""

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.spikes import SAME_INSTANT, whole_bins


def _neo_trains(trains: Sequence[ArrayLike], duration: float | None = None) -> list:
    """Return trains as neo objects in milliseconds (elephant rounds worse in seconds)."""
    import neo

    times = [np.sort(np.asarray(train, dtype=float)) for train in trains]
    for k, train in enumerate(times):
        if train.ndim != 1 or not np.isfinite(train).all():
            raise ValueError(f"Spike train {k} must be a one-dimensional array of finite times in seconds.")
    ends = [(train[0], train[-1]) for train in times if train.size]
    first, last = min([a for a, _ in ends], default=0.0), max([b for _, b in ends], default=0.0)
    if duration is not None:
        if first < -SAME_INSTANT or last > duration + SAME_INSTANT:
            raise ValueError(
                f"Spikes from {first:g} s to {last:g} s do not fit into a duration of {duration:g} s."
            )
        times = [np.clip(train, 0.0, duration) for train in times]
        first, last = 0.0, duration
    return [
        neo.SpikeTrain(1e3 * train, units="ms", t_start=1e3 * min(first, 0.0), t_stop=1e3 * last)
        for train in times
    ]


def van_rossum(trains: Sequence[ArrayLike], tau: float) -> NDArray:
    """Return the van Rossum distance of every pair of trains, filtered exponentially with `tau` s.

    D^2 = (2/tau) int (f - g)^2 dt: one spike against none is 1, two spikes s apart are
    sqrt(2 (1 - exp(-s/tau))).
    van Rossum 2001, Neural Comput 13:751, has no factor 2: divide by sqrt(2) for the numbers of that paper.
    """
    from elephant.spike_train_dissimilarity import van_rossum_distance
    from quantities import ms

    if not tau > 0:
        raise ValueError(f"The time constant must be above 0 s, got {tau}.")
    with warnings.catch_warnings():
        # Equal trains give -1e-16 before the root, which elephant sets to 0 and announces.
        warnings.filterwarnings("ignore", "van_rossum_distance: very small negative", RuntimeWarning)
        return np.asarray(van_rossum_distance(_neo_trains(trains), 1e3 * tau * ms), dtype=float)


def victor_purpura(trains: Sequence[ArrayLike], cost: float) -> NDArray:
    """Return the Victor-Purpura distance of every pair of trains.

    Adding or removing a spike costs 1, moving it `cost` per second.  A cost of 0 compares spike counts, a
    large one counts every spike without an exactly coincident partner.
    Victor & Purpura 1996, J Neurophysiol 76:1310.  Computed in O(length^2) per pair.
    """
    from elephant.spike_train_dissimilarity import victor_purpura_distance
    from quantities import Hz

    if not 0 <= cost < np.inf:
        # At infinity elephant adds all spikes up, coincident ones too, which is not the limit.
        raise ValueError(f"The cost must be 0 or above and finite, in 1/s, got {cost}.")
    return np.asarray(victor_purpura_distance(_neo_trains(trains), cost * Hz, sort=False), dtype=float)


def correlation(trains: Sequence[ArrayLike], duration: float, bin: float) -> NDArray:
    """Return Pearson's correlation of counts in bins of `bin` s over [0, duration] for every pair of trains.

    Rows and columns of a train without spikes are NaN.
    """
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import correlation_coefficient
    from quantities import ms

    if whole_bins(0.0, duration, bin) < 2:
        raise ValueError(f"A correlation over {duration:g} s needs at least two bins; the bin is {bin:g} s.")
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.filterwarnings("ignore", "Detected empty spike trains")
        warnings.filterwarnings("ignore", "The 'copy' argument in Quantity is deprecated")
        warnings.filterwarnings("ignore", "the matrix subclass", PendingDeprecationWarning)
        binned = BinnedSpikeTrain(_neo_trains(trains, duration), bin_size=1e3 * bin * ms)
        return np.atleast_2d(correlation_coefficient(binned))


def gaussian_distance(u: ArrayLike, v: ArrayLike, duration: float, tau: float = 5e-3) -> float:
    """Return d(u, v) = (1/T) int_0^T (u_G - v_G)^2 dt, the trains filtered with exp(-(t/tau)^2).

    Input distance of the liquid, Maass, Natschlaeger & Markram 2002, Neural Comput 14:2531, figure 2
    (tau = 5 ms, T = 0.5 s, d = 0.1, 0.2, 0.4).  These numbers come out with a kernel of height 1, divided by
    T and without the root of an L2 norm: independent Poisson trains of rate r are 2 r tau sqrt(pi/2) apart on
    average (0.25 at 20 Hz), less the kernel's parts beyond 0 and T.
    Exact: spikes a and b with m = (a + b)/2 add +-exp(-(a-b)^2 / (2 tau^2)) times
    tau sqrt(pi/8) (erf(sqrt2 (T-m)/tau) + erf(sqrt2 m/tau)) to the integral.
    """
    from scipy.special import erf

    u, v = np.asarray(u, dtype=float), np.asarray(v, dtype=float)
    if u.ndim != 1 or v.ndim != 1:
        raise ValueError(
            f"Trains must be one-dimensional arrays of times, got shapes {u.shape} and {v.shape}."
        )
    if not (duration > 0 and tau > 0):
        raise ValueError(f"Duration and tau must be above 0 s, got {duration} and {tau}.")
    time, sign = np.concatenate([u, v]), np.repeat([1.0, -1.0], [u.size, v.size])
    difference, middle = time[:, None] - time, (time[:, None] + time) / 2
    inside = erf(np.sqrt(2) * (duration - middle) / tau) + erf(np.sqrt(2) * middle / tau)
    overlap = np.exp(-(difference**2) / (2 * tau**2)) * tau * np.sqrt(np.pi / 8) * inside
    return max(float(sign @ overlap @ sign), 0.0) / duration
