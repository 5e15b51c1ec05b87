"""Mean and confidence interval over seeds."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def mean_interval(values: ArrayLike, axis: int = 0, level: float = 0.95) -> tuple[NDArray, NDArray, NDArray]:
    """Return the mean along `axis` (seeds) and the low and high end of its confidence interval (Student's t).

    `level` is the coverage.  NaN bounds with a single seed: one run says nothing about its spread.
    """
    from scipy.stats import t as student

    values = np.asarray(values, dtype=float)
    n = values.shape[axis]
    mean = values.mean(axis)
    if n < 2:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    half = student.ppf((1 + level) / 2, n - 1) * values.std(axis, ddof=1) / np.sqrt(n)
    return mean, mean - half, mean + half
