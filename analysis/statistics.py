"""Effect sizes and bootstrap intervals over seeds: how large a difference is, and how well that is known.

Samples are one-dimensional, a value for each seed. Two samples may be paired, seed by seed: then seeds are
resampled together. Resampling draws from its own seed, so that a table comes out the same each time.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 10_000
FEWEST = 5  # seeds; an interval from fewer covers much less than it says


def _sample(values: ArrayLike, name: str = "the sample", least: int = 2) -> NDArray:
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or len(values) < least:
        raise ValueError(
            f"{name} must be one-dimensional with at least {least} values; it has the shape {values.shape}."
        )
    if not np.isfinite(values).all():
        raise ValueError(
            f"{name} holds NaN or infinity, {(~np.isfinite(values)).sum()} of {len(values)} values."
        )
    return values


def _pair(a: ArrayLike, b: ArrayLike, paired: bool, least: int = 2) -> tuple[NDArray, NDArray]:
    a, b = _sample(a, "the first sample", least), _sample(b, "the second sample", least)
    if paired and len(a) != len(b):
        raise ValueError(f"Paired samples have as many values each; got {len(a)} and {len(b)}.")
    return a, b


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable = np.mean,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Return a statistic of one sample and the low and high end of its bootstrap interval.

    The interval is the bias-corrected and accelerated one (BCa; Efron 1987, J. Am. Stat. Assoc. 82:171, eq.
    2.3 and 6.6): percentiles of the resampled statistic, shifted by its median bias and by the skewness that
    leaving out one value after another shows.

    Parameters
    ----------
    values : array (n,)
        One value for each seed; at least five, since resampling fewer understates the spread grossly.
    statistic : function
        Of an array and `axis`: numpy's mean, median, std ...

    Raises
    ------
    ValueError
        For fewer than five values, or NaN.
    """
    values = _sample(values, least=FEWEST)
    return _bca(lambda index: statistic(values[index], axis=-1), [len(values)], level, resamples, seed)


def difference_interval(
    a: ArrayLike,
    b: ArrayLike,
    statistic: Callable = np.mean,
    *,
    paired: bool = False,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Return statistic(b) - statistic(a) and its bootstrap interval (BCa); paired: seeds are drawn together.

    Parameters and errors are those of `bootstrap_interval`; paired samples must be equally long.
    """
    a, b = _pair(a, b, paired, FEWEST)
    if paired:
        return _bca(
            lambda i: statistic(b[i], axis=-1) - statistic(a[i], axis=-1), [len(a)], level, resamples, seed
        )
    return _bca(
        lambda i, j: statistic(b[j], axis=-1) - statistic(a[i], axis=-1),
        [len(a), len(b)],
        level,
        resamples,
        seed,
    )


def hedges_g(a: ArrayLike, b: ArrayLike, *, paired: bool = False) -> float:
    """Return the difference of means (b - a) in standard deviations, corrected for small samples.

        g = J(f) (mean b - mean a)/s,   J(f) = Gamma(f/2)/(sqrt(f/2) Gamma((f - 1)/2))

    Hedges 1981 (J. Educ. Stat. 6:107), eq. 6e. s is the pooled standard deviation with f = n_a + n_b - 2
    degrees of freedom. Paired: s^2 is the mean of the two variances, so that g means the same, with f = n - 1
    (the correction of Gibbons, Hedeker & Davis 1993). 0.2 counts as small, 0.8 as large. Infinite where
    nothing varies and the means differ, 0 where they do not.
    """
    from scipy.special import gammaln

    a, b = _pair(a, b, paired)
    f = len(a) - 1 if paired else len(a) + len(b) - 2
    weights = np.array([len(a) - 1, len(b) - 1]) / (len(a) + len(b) - 2)
    s = np.sqrt(weights @ [a.var(ddof=1), b.var(ddof=1)])
    difference = b.mean() - a.mean()
    if s == 0:
        return float(np.sign(difference) * np.inf) if difference else 0.0
    correction = np.exp(gammaln(f / 2) - gammaln((f - 1) / 2)) / np.sqrt(f / 2) if f > 1 else np.nan
    return float(correction * difference / s)


def cliffs_delta(a: ArrayLike, b: ArrayLike) -> float:
    """Return how much more often a value of b exceeds one of a than the reverse: P(b > a) - P(b < a).

    Cliff 1993 (Psychol. Bull. 114:494): -1 to 1, without assumptions on distributions; 0 is no effect, 1 that
    all values of b exceed all of a.
    """
    a, b = _pair(a, b, False, 1)
    return float(np.mean(np.sign(b[:, None] - a[None, :])))


def effects(table, measure: str, parameter: str, *, reference=None, level: float = 0.95, seed: int = 0):
    """Return how a measure differs between the values of a parameter, as a table with a row for each value.

    Seeds are paired: for each, the measure is averaged over everything else that varies. Columns: `mean`,
    `difference` from the reference with `low` and `high` (BCa), Hedges' `g`, Cliff's `delta` and `n`, the
    number of seeds that both have. With fewer than five seeds there is no interval.

    Parameters
    ----------
    table : DataFrame
        Rows with a column `seed`, as a sweep gives.
    reference
        The value to compare with; the first one if not given.

    Raises
    ------
    ValueError
        For a column or a reference that does not exist, and a parameter with one value.
    """
    import pandas as pd

    for name in (measure, parameter, "seed"):
        if name not in table:
            raise ValueError(
                f"The table has no column {name!r}; it has {', '.join(map(str, table.columns))}."
            )
    means = table.groupby([parameter, "seed"], sort=False)[measure].mean().unstack(parameter)
    levels = list(means.columns)
    if len(levels) < 2:
        raise ValueError(f"{parameter} has one value only; there is nothing to compare.")
    reference = levels[0] if reference is None else reference
    if reference not in levels:
        raise ValueError(f"{parameter} is never {reference!r}; it is {', '.join(map(str, levels))}.")
    rows = []
    for one in levels:
        both = means[[reference, one]].dropna() if one != reference else means[[one]].dropna()
        a, b = both[reference].to_numpy(), both[one].to_numpy()
        row = {parameter: one, "mean": float(b.mean()) if len(b) else np.nan, "n": len(b)}
        if one == reference:
            row |= {"difference": 0.0, "low": np.nan, "high": np.nan, "g": 0.0, "delta": 0.0}
        elif len(a) > 1:
            low = high = np.nan
            if len(a) >= FEWEST:
                _, low, high = difference_interval(a, b, paired=True, level=level, seed=seed)
            row |= {"difference": float(b.mean() - a.mean()), "low": low, "high": high}
            row |= {"g": hedges_g(a, b, paired=True), "delta": cliffs_delta(a, b)}
        rows.append(row)
    columns = [parameter, "mean", "difference", "low", "high", "g", "delta", "n"]
    return pd.DataFrame(rows, columns=columns).set_index(parameter)


def _bca(statistic, sizes, level, resamples, seed):
    """A statistic of indices (one array for each sample) and its BCa interval."""
    from scipy.stats import norm

    if not 0 < level < 1:
        raise ValueError(f"level: got {level}; give a coverage between 0 and 1.")
    random = np.random.default_rng(seed)
    value = float(statistic(*(np.arange(n) for n in sizes)))
    drawn = np.sort(statistic(*(random.integers(0, n, (resamples, n)) for n in sizes)))
    if drawn[0] == drawn[-1]:
        return value, float(drawn[0]), float(drawn[-1])
    # Half of the ties count as below.
    below = (np.mean(drawn < value) + np.mean(drawn <= value)) / 2
    bias = norm.ppf(np.clip(below, 1 / resamples, 1 - 1 / resamples))
    # Infinitesimal jackknife: each sample's values left out in turn.
    cubes = squares = 0.0
    for k, n in enumerate(sizes):
        indices = [np.tile(np.arange(m), (n, 1)) for m in sizes]
        indices[k] = np.array([np.delete(np.arange(n), j) for j in range(n)])
        left_out = statistic(*indices)
        influence = (n - 1) * (left_out.mean() - left_out) / n
        cubes, squares = cubes + np.sum(influence**3), squares + np.sum(influence**2)
    acceleration = cubes / (6 * squares**1.5) if squares > 0 else 0.0
    ends = norm.ppf([(1 - level) / 2, (1 + level) / 2])
    places = norm.cdf(bias + (bias + ends) / (1 - acceleration * (bias + ends)))
    low, high = np.quantile(drawn, places)
    return value, float(low), float(high)
