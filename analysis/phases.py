"""Phases of oscillating signals: how fast each one turns and how far many of them agree.

Signals are arrays time x cell, sampled every `dt` seconds.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def phases(values: ArrayLike, dt: float, low: float, high: float, trim: float = 0.5) -> NDArray:
    """Return the phase (radians, unwrapped along time) of each signal between `low` and `high` Hz.

    The angle of the analytic signal after a Butterworth band pass of 2nd order that runs forwards and
    backwards; 0 at a maximum. `trim` seconds, where filter and transform feel the ends, are cut off at both.
    Signals that do not vary have NaN.
    """
    from scipy.signal import butter, hilbert, sosfiltfilt

    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ValueError(f"Phases need finite signals as time x cell, got shape {values.shape}.")
    if not 0 < low < high < 0.5 / dt:
        raise ValueError(
            f"The band from {low} to {high} Hz must lie between 0 and half of {1 / dt:g} samples a second."
        )
    cut = round(trim / dt)
    if len(values) <= 2 * cut + 1 / (low * dt):
        raise ValueError(
            f"{len(values) * dt:g} s are too short: give more than {2 * trim + 1 / low:g} s ({trim:g} s are "
            f"cut off at both ends, and a period at {low:g} Hz must remain)."
        )
    band = sosfiltfilt(butter(2, (low, high), "bandpass", fs=1 / dt, output="sos"), values, axis=0)
    angle = np.unwrap(np.angle(hilbert(band, axis=0)), axis=0)[cut : len(values) - cut]
    return np.where(np.ptp(values, axis=0) > 0, angle, np.nan)


def order_parameter(phases: ArrayLike) -> NDArray:
    """Return Kuramoto's order parameter |<exp(i phase)>| over the cells, one value per time.

    1 when all phases are equal; sqrt(pi/(4 n)) on average for n independent ones. Kuramoto 1984, Chemical
    Oscillations, Waves, and Turbulence, chapter 5. NaN where a cell has no phase.
    """
    phases = np.asarray(phases, dtype=float)
    if phases.ndim != 2 or phases.shape[1] < 1:
        raise ValueError(f"An order parameter needs phases as time x cell, got shape {phases.shape}.")
    return np.abs(np.exp(1j * phases).mean(axis=1))


def mean_frequency(phases: ArrayLike, dt: float) -> NDArray:
    """Return how many times a second each phase turns (Hz): the mean slope from first to last sample."""
    phases = np.asarray(phases, dtype=float)
    if phases.ndim != 2 or len(phases) < 2:
        raise ValueError(f"A frequency needs phases as time x cell, two or more times; got {phases.shape}.")
    return (phases[-1] - phases[0]) / (2 * np.pi * dt * (len(phases) - 1))
