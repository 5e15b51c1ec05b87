"""From numbers to spikes: rate, latency and delta encoding, and receptive fields (one number, several cells).

A signal is an array (frames x channels); frame k lasts from k*frame to (k + 1)*frame. Every encoding returns
`Spikes(i, t)`: the channel of each spike (whole numbers) and its time (in seconds, with the unit), ordered by
time. They are data and go as they are into `spike_trains(n, i=..., t=...)`.
"""

from typing import NamedTuple

import numpy as np
from brian2.units import Hz, Quantity, ms, second
from brian2.units.fundamentalunits import DIMENSIONLESS

from .errors import CircuitError
from .values import kind, number, same_dimension


class Spikes(NamedTuple):
    """Spike trains of several channels: the channel and the time of every spike, ordered by time."""

    i: np.ndarray
    t: Quantity


def receptive_fields(values, n=5, low=-2.0, high=2.0, width=None):
    """Each value as the activities, 0 to 1, of n cells with Gaussian receptive fields.

    a_k = exp(-(x - c_k)^2/(2 width^2))

    Source: population coding after Bohte, La Poutre & Kok 2002.

    Parameters
    ----------
    values : array (frames x channels)
        The signal; without units.
    n : int
        Fields per channel, their centres c_k evenly from `low` to `high` (one alone stands midway).
    width : float
        Standard deviation of a field; without it the distance of two centres (for n = 1 half the range).

    Returns
    -------
    array (frames x n*channels)
        Channel c takes the columns c*n to c*n + n - 1.
    """
    where = "Encoding receptive_fields"
    signal = _signal(values, where)
    if int(n) != n or n < 1:
        raise CircuitError(f"{where}: n = {n!r}; give a whole number of fields of at least 1.")
    if not high > low:
        raise CircuitError(f"{where}: low = {low:g}, high = {high:g}; high must be the larger.")
    centres = np.linspace(low, high, int(n)) if n > 1 else np.array([(low + high) / 2])
    if width is None:
        width = (high - low) / max(n - 1, 2)
    if not width > 0:
        raise CircuitError(f"{where}: width = {width!r} must be positive.")
    return np.exp(-((signal[:, :, None] - centres) ** 2) / (2 * width**2)).reshape(len(signal), -1)


def rate(values, frame=20 * ms, maximum=100 * Hz, minimum=0 * Hz, regular=True, seed=None):
    """Rate code: channel c fires at minimum + (maximum - minimum) x_c(t), x from 0 to 1.

    Regular: a spike falls where the integral of the rate from the start passes phase, phase + 1, ..., one
    random phase in [0, 1) per channel (the train of a perfect integrator). Otherwise the trains are
    inhomogeneous Poisson processes, exactly.

    Parameters
    ----------
    values : array (frames x channels)
        From 0 to 1, constant within a frame.
    frame : time
    maximum, minimum : rate
        At x = 1 and x = 0.
    seed : int, SeedSequence or Generator
        Draws the phases or the Poisson process.
    """
    where = "Encoding rate"
    signal = _signal(values, where)
    frame = _time(frame, "frame", where)
    maximum, minimum = _rate(maximum, "maximum", where), _rate(minimum, "minimum", where)
    if maximum < minimum:
        raise CircuitError(f"{where}: maximum ({maximum:g} Hz) is below minimum ({minimum:g} Hz).")
    if signal.size and (signal.min() < 0 or signal.max() > 1):
        raise CircuitError(
            f"{where}: values must lie between 0 and 1 and go from {signal.min():g} to {signal.max():g}. "
            "Scale them, or spread them over receptive_fields()."
        )
    random = np.random.default_rng(seed)
    expected = (minimum + (maximum - minimum) * signal) * frame  # spikes per frame and channel
    return _regular(expected, frame, random) if regular else _poisson(expected, frame, random)


def _regular(expected, frame, random):
    """Spikes where the integral of the rate of each channel passes phase, phase + 1, ..."""
    n_frames, n_channels = expected.shape
    integral = np.concatenate([np.zeros((1, n_channels)), np.cumsum(expected, axis=0)])
    phase = random.random(n_channels)
    count = np.maximum(np.ceil(integral[-1] - phase), 0).astype(int)
    channel = np.repeat(np.arange(n_channels), count)
    level = phase[channel] + np.arange(len(channel)) - np.repeat(np.cumsum(count) - count, count)
    # The frame in which a level is passed: how many frames end below it or at it (a rest ends with its last
    # frame).
    at = np.zeros(len(channel), dtype=int)
    for k in range(1, n_frames):
        at += integral[k, channel] <= level
    return _spikes([channel], [(at + (level - integral[at, channel]) / expected[at, channel]) * frame])


def _poisson(expected, frame, random):
    """Poisson numbers of spikes in every frame, each anywhere in it."""
    at, channel = np.nonzero(count := random.poisson(expected))
    count = count[at, channel]
    at, channel = np.repeat(at, count), np.repeat(channel, count)
    return _spikes([channel], [(at + random.random(len(at))) * frame])


def latency(values, frame=20 * ms, threshold=0.2, tau=10 * ms):
    """Latency code: a channel with x > threshold fires once a frame, at tau ln(x/(x - threshold)) in it.

    This is when a leaky integrator with time constant tau, at rest when the frame begins and driven to x,
    reaches the threshold: the larger x, the earlier, by the logarithm. There is no spike for x <= threshold,
    nor where it would come after the frame.
    """
    where = "Encoding latency"
    signal = _signal(values, where)
    frame, tau = _time(frame, "frame", where), _time(tau, "tau", where)
    if not threshold > 0:
        raise CircuitError(f"{where}: threshold = {threshold!r} must be positive (at 0 all fire at once).")
    fires = signal > threshold
    delay = np.full(signal.shape, np.inf)
    delay[fires] = -tau * np.log1p(-threshold / signal[fires])
    at, channels = np.nonzero(delay < frame)
    return _spikes([channels], [at * frame + delay[at, channels]])


def delta(values, frame=20 * ms, threshold=0.1, start=None):
    """Delta modulation: output 2c fires when channel c has risen by `threshold`, 2c + 1 when it has fallen.

    Between the middles of two frames the signal is a straight line. With level = start + threshold (spikes of
    2c minus spikes of 2c + 1), |signal - level| < threshold at every time, so the signal can be rebuilt from
    the spikes (as the pixels of an event camera do; Lichtsteiner, Posch & Delbruck 2008).

    Parameters
    ----------
    values : array (frames x channels)
    frame : time
    threshold : float
        In the units of the signal.
    start : float or array (channels)
        The level before the first spike; without it the first frame, which is then never told. The distance
        from `start` to the first frame is sent as a burst, spread evenly over the first half frame.
    """
    where = "Encoding delta"
    signal = _signal(values, where)
    frame = _time(frame, "frame", where)
    if not threshold > 0:
        raise CircuitError(f"{where}: threshold = {threshold!r} must be positive.")
    n_frames, n_channels = signal.shape
    knots = np.concatenate([[0.0], (np.arange(n_frames) + 0.5) * frame])
    first = signal[:1] if start is None else np.broadcast_to(np.asarray(start, dtype=float), (1, n_channels))
    path = np.concatenate([first, signal]) if n_frames else np.zeros((1, n_channels))
    channels, times = [], []
    for channel in range(n_channels):
        steps = (path[:, channel] - path[0, channel]) / threshold
        level = 0
        for knot, (before, after) in enumerate(zip(steps[:-1], steps[1:], strict=True)):
            sign = 1 if after > before else -1
            # a hair of tolerance: a rise by exactly the threshold counts, however its last digit was rounded
            count = int(np.floor(sign * (after - level) + 1e-9))
            if count > 0:
                levels = level + sign * np.arange(1, count + 1)
                share = np.clip((levels - before) / (after - before), 0, 1)
                times.append(knots[knot] + share * (knots[knot + 1] - knots[knot]))
                channels.append(np.full(count, 2 * channel + (sign < 0)))
                level += sign * count
    return _spikes(channels, times)


def _spikes(channels, times):
    channels = np.concatenate(channels) if channels else np.zeros(0)
    times = np.concatenate(times) if times else np.zeros(0)
    order = np.lexsort((channels, times))
    return Spikes(channels[order].astype(np.int32), times[order] * second)


def _signal(values, where):
    try:
        signal = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise CircuitError(f"{where}: values must be an array of numbers (frames x channels).") from None
    if signal.ndim != 2:
        raise CircuitError(
            f"{where}: values must be an array of frames x channels and have shape {signal.shape}. "
            "One channel: values[:, None]; one frame: values[None, :]."
        )
    if isinstance(values, Quantity):
        same_dimension(values, DIMENSIONLESS, f"{where}, values")
    bad = np.argwhere(~np.isfinite(signal))
    if len(bad):
        first = "frame {}, channel {}".format(*bad[0])
        raise CircuitError(f"{where}: {len(bad)} values are NaN or infinite, the first in {first}.")
    return signal


def _quantity(value, unit, name, where):
    where = f"{where}, {name}"
    value = number(value, where)
    if kind(value) != "scalar":
        raise CircuitError(f"{where}: got {value!r}, but it must be one number.")
    same_dimension(value, unit.dim, where)
    return float(value)


def _time(value, name, where):
    value = _quantity(value, second, name, where)
    if not 0 < value < np.inf:
        raise CircuitError(f"{where}, {name}: got {value:g} s; it must be positive.")
    return value


def _rate(value, name, where):
    value = _quantity(value, Hz, name, where)
    if not 0 <= value < np.inf:
        raise CircuitError(f"{where}, {name}: got {value:g} Hz; it must be at least 0.")
    return value
