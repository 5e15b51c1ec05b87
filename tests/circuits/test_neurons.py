"""Cells against closed forms and adaptive integration of the same equations.

The references here are written independently of the library, in numbers of mV, ms, nS, pA. For comparisons
with NEST and NEURON see tests/oracles/test_cells.py.
"""

import numpy as np
import pytest
from brian2 import Mohm, amp, cm, meter, ms, msiemens, mV, nS, pA, second, uA, volt
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import engine
from circuits import Circuit, current, neurons, population, spikes, timed, trace
from circuits.errors import CircuitError

CELLS = [
    neurons.integrate_and_fire, neurons.leaky, neurons.leaky_conductance, neurons.cuba,
    neurons.adaptive_threshold, neurons.adaptive_exponential, neurons.izhikevich, neurons.hodgkin_huxley,
    neurons.traub_miles,
]


def simulate(cell, duration, dt, n=1, drive=None, record=()):
    """The recording of n uncoupled cells (duration and dt in ms) with `drive` on the input I."""
    parts = {"cells": population(cell, n)}
    if drive is not None:
        parts["drive"] = current("cells", "I", drive)
    record = [spikes("cells"), *(trace("cells", variable) for variable in record)]
    return engine.run(Circuit(**parts, record=record, dt=dt * ms), duration * ms, backend="interpreted")


def trains(recording, scale=1e3):
    """Spike times in ms by cell."""
    found = recording.spikes["cells"]
    return [scale * found.t[found.i == k] for k in range(found.n)]


@pytest.mark.parametrize("make", CELLS, ids=lambda make: make.__name__)
def test_every_keyword_is_an_open_number_with_its_unit(make):
    cell = make()
    defaults = {k: v for k, v in make.__kwdefaults__.items() if k != "method"}
    assert set(defaults) == set(cell.params), "a keyword that is no parameter, or a parameter without keyword"
    assert all(np.all(cell.params[k] == v) for k, v in defaults.items())
    other = make(**{k: 1.01 * v for k, v in defaults.items()})
    assert all(abs(other.params[k] - 1.01 * v) <= 1e-12 * abs(v) for k, v in defaults.items())
    for name, value in defaults.items():
        with pytest.raises(CircuitError, match=name):
            make(**{name: value * amp * second})
    assert cell.source and make.__doc__.count("\n") > 4


# ------------------------------------------------------------------------------------- linear cells


def steps(needed, t_ref, dt):
    """Interval in steps by the rule in the docstring of the library."""
    return np.ceil(needed / dt - 1e-9) + np.where(t_ref > 0, np.round(t_ref / dt) - 1, 0)


@pytest.mark.parametrize("dt", [0.1, 0.03])
def test_leaky_fires_at_the_closed_form_up_to_the_step(dt):
    amplitude = np.repeat([0.2013, 0.21, 0.25, 0.4, 0.8, 1.7], 2)  # nA
    t_ref = np.tile([0.0, 3.0], 6)
    cell = neurons.leaky(t_ref=t_ref * ms)
    found = trains(simulate(cell, 300, dt, n=12, drive=amplitude * 1e-9 * amp))
    above = -70 + 100 * amplitude
    needed = 20 * np.log((above + 60) / (above + 50))
    for k, train in enumerate(found):
        assert len(train) > 2
        assert np.allclose(np.diff(train), dt * steps(needed, t_ref, dt)[k], atol=1e-9)
        closed_form = 1e3 / (t_ref[k] + needed[k])
        assert abs(1e3 / np.diff(train)[-1] - closed_form) <= 1.1e-3 * closed_form**2 * dt
    first = 20 * np.log((above + 70) / (above + 50))
    assert np.allclose([train[0] for train in found], dt * (np.ceil(first / dt - 1e-9) - 1), atol=1e-9)


def test_leaky_below_threshold_follows_the_exponential():
    recording = simulate(neurons.leaky(tau_m=7 * ms, R=55 * Mohm), 40, 0.5, drive=100 * pA, record=["v"])
    found = recording.traces["cells.v"]
    expected = -0.070 + 0.0055 * (1 - np.exp(-found.t / 0.007))
    assert np.allclose(found.values[:, 0], expected, rtol=0, atol=1e-12)
    assert len(recording.spikes["cells"]) == 0


def test_integrate_and_fire_counts_charge():
    amplitude = np.array([5.1, 10.3, 33.0, 210.0])
    found = trains(simulate(neurons.integrate_and_fire(), 900, 0.1, n=4, drive=amplitude * pA))
    for train, pico in zip(found, amplitude, strict=True):
        needed = 200 * 10 / pico
        assert len(train) >= 2
        assert np.allclose(np.diff(train), 0.1 * np.ceil(needed / 0.1 - 1e-6), atol=1e-9)
    late = trains(simulate(neurons.integrate_and_fire(t_ref=7 * ms), 500, 0.1, drive=33 * pA))[0]
    assert abs(np.mean(np.diff(late)) - (7 + 2000 / 33)) <= 0.1


def test_cuba_fires_by_itself_and_sums_its_currents():
    cell = neurons.cuba(E_L=[-49, -60] * mV).but(g_e=[0, 9] * mV, g_i=[0, -4] * mV)
    found = simulate(cell, 120, 0.1, n=2, record=["v", "g_i"])
    active, quiet = trains(found)
    assert len(active) >= 2 and len(quiet) == 0
    assert np.allclose(np.diff(active), 0.1 * steps(20 * np.log(11), 5.0, 0.1), atol=1e-9)
    t = 1e3 * found.traces["cells.v"].t

    def response(weight, tau):
        return weight * tau / (20 - tau) * (np.exp(-t / 20) - np.exp(-t / tau))

    v = 1e3 * found.traces["cells.v"].values[:, 1]
    assert np.allclose(v, -60 + response(9, 5) + response(-4, 10), rtol=0, atol=1e-9)
    assert np.allclose(1e3 * found.traces["cells.g_i"].values[:, 1], -4 * np.exp(-t / 10), rtol=0, atol=1e-9)


def test_leaky_conductance_follows_the_equations():
    cell = neurons.leaky_conductance().but(g_e=30 * nS, g_i=80 * nS, v=-66 * mV)
    found = simulate(cell, 40, 0.1, drive=50 * pA, record=["v"]).traces["cells.v"]

    def slope(t, v):
        return (10 * (-60 - v) + 30 * np.exp(-t / 5) * (0 - v) + 80 * np.exp(-t / 10) * (-80 - v) + 50) / 200

    expected = solve_ivp(slope, (0, 40), [-66.0], t_eval=1e3 * found.t, rtol=1e-10, atol=1e-10).y[0]
    assert np.abs(1e3 * found.values[:, 0] - expected).max() < 1e-5
    spike = trains(simulate(neurons.leaky_conductance().but(g_e=120 * nS), 12, 0.05, record=["v"]))[0]
    assert len(spike) >= 2 and np.diff(spike).min() >= 5.0 - 1e-9


def test_adaptive_threshold_slows_down_to_the_closed_form():
    amplitude = np.array([0.3, 0.5, 1.0])
    cell = neurons.adaptive_threshold()
    recording = simulate(cell, 600, 0.05, n=3, drive=amplitude * 1e-9 * amp)
    for train, nano in zip(trains(recording), amplitude, strict=True):
        target = -70 + 100 * nano

        def excess(T, target=target):
            return target + (-60 - target) * np.exp(-(T - 2) / 20) + 50 - 2 / np.expm1(T / 100)

        interval = brentq(excess, 2.001, 500)
        assert abs(np.diff(train)[-5:].mean() - interval) < 0.05
        assert np.diff(train)[-1] > 1.3 * np.diff(train)[0]


# ------------------------------------------------------------------------------- adaptive exponential

def stacked(cells, names):
    """One cell with arrays of the parameters of several."""
    return cells[0].but(**{k: [cell.params[k] for cell in cells] for k in names})


def adex_reference(cell, pico, duration):
    """Spike times (ms) by adaptive integration that stops at the peak."""
    scale = dict(C_m=1e12, g_L=1e9, a=1e9, b=1e12)
    p = {k: float(value) * scale.get(k, 1e3) for k, value in cell.params.items()}

    def slope(t, y):
        v, w = y
        upstroke = p["Delta_T"] * np.exp((min(v, p["V_peak"] + 5) - p["V_T"]) / p["Delta_T"])
        leak = p["g_L"] * (p["E_L"] - v + upstroke)
        return [(leak - w + pico) / p["C_m"], (p["a"] * (v - p["E_L"]) - w) / p["tau_w"]]

    def peak(t, y):
        return y[0] - p["V_peak"]

    peak.terminal, peak.direction = True, 1
    t, state, found = 0.0, [p["E_L"], 0.0], []
    while True:
        part = solve_ivp(slope, (t, duration), state, method="DOP853", events=peak, rtol=1e-8, atol=1e-8)
        if part.status != 1:
            return np.array(found)
        t, state = part.t[-1], [p["V_r"], part.y[1, -1] + p["b"]]
        found.append(t)


def test_adaptive_exponential_meets_adaptive_integration_at_other_currents():
    patterns = list(neurons.adaptive_exponential_patterns().values())
    cells = [pattern.cell for pattern in patterns] + [neurons.adaptive_exponential(V_peak=0 * mV)]
    amplitudes = [1.15 * float(pattern.baseline) * 1e12 for pattern in patterns] + [1000.0]
    cell = stacked(cells, cells[0].params)
    found = trains(simulate(cell, 80, 0.05, n=9, drive=np.array(amplitudes) * 1e-12 * amp))
    for cell, pico, train in zip(cells, amplitudes, found, strict=True):
        expected = adex_reference(cell, pico, 80)
        assert len(expected) >= 1 and abs(len(train) - len(expected)) <= 1
        compared = min(len(train), len(expected), 5)
        # every reset waits for the end of its step
        drift = train[:compared] - expected[:compared]
        assert np.all(drift > -0.08) and np.all(drift < 0.05 * (np.arange(compared) + 1.5))


# ---------------------------------------------------------------------------------------- Izhikevich


def test_izhikevich_is_forward_euler_of_its_equations():
    found = trains(simulate(neurons.izhikevich(), 300, 0.1, drive=9.5 * mV / ms))[0]
    v, u, expected = -65.0, -13.0, []
    for k in range(3000):
        v, u = v + 0.1 * (0.04 * v * v + 5 * v + 140 - u + 9.5), u + 0.1 * 0.02 * (0.2 * v - u)
        if v > 30:
            v, u = -65.0, u + 8
            expected.append(0.1 * k)
    assert len(expected) > 4
    assert np.allclose(found, expected, atol=1e-9)


# Number of spikes at the paper's steps with the paper's order of updates.
LETTERS = "ABCDEFGHIJKLMNOPQRST"
COUNTS = dict(zip(LETTERS, [5, 1, 28, 6, 6, 6, 10, 14, 1, 1, 1, 1, 1, 7, 1, 5, 1, 1, 3, 11], strict=True))


def program_of_2004(pattern, letter):
    """Spike times (ms) of a pattern: v first, then u with the new v."""
    p = {k: float(pattern.cell.params[k]) for k in "abcd"}
    a, b, c, d = p["a"] / 1e3, p["b"] / 1e3, p["c"] * 1e3, p["d"]
    k1, k0 = (4.1, 108) if letter in "GL" else (5, 140)
    dt = float(pattern.dt) * 1e3
    v = float(pattern.cell.init["v"]) * 1e3
    u = -16.0 if letter == "R" else b * v
    found = []
    for k, drive in enumerate(np.asarray(pattern.input(), dtype=float)):
        v += dt * (0.04 * v**2 + k1 * v + k0 - u + drive)
        u += dt * (a * b * (v + 65) if letter == "R" else a * (b * v - u))
        if v > 30:
            v, u = c, u + d
            found.append(k * dt)
    return np.array(found)


@pytest.mark.parametrize("letters", ["ABCEFGHJKLOP", "DIMN", "Q", "R", "ST"])
def test_izhikevich_patterns_are_the_program_of_the_paper(letters):
    patterns = neurons.izhikevich_patterns()
    chosen = [patterns[letter] for letter in letters]
    names = ["a", "b", "c", "d", "k1", "k0"]
    cell = stacked([p.cell for p in chosen], names).but(v=[float(p.cell.init["v"]) for p in chosen] * volt)
    length = max(len(p.input()) for p in chosen)
    inputs = [np.asarray(p.input()) for p in chosen]
    drive = np.stack([np.pad(x, (0, length - len(x)), "edge") for x in inputs], axis=1) * volt / second
    dt = float(chosen[0].dt) * 1e3
    recording = simulate(cell, length * dt, dt, n=len(chosen), drive=timed(drive, chosen[0].dt))
    for letter, pattern, train in zip(letters, chosen, trains(recording), strict=True):
        train = train[train < float(pattern.duration) * 1e3 + 0.5 * dt]
        expected = program_of_2004(pattern, letter)
        assert len(expected) == COUNTS[letter], letter
        assert len(train) == len(expected) and np.allclose(train, expected, atol=1e-9), letter


def test_pattern_inputs_stand_at_the_same_times_at_any_step():
    patterns = neurons.izhikevich_patterns()
    for dt in (0.25, 0.05):
        pulses = np.asarray(patterns["K"].input(dt * ms))
        assert len(pulses) == round(400 / dt) + 1
        on = dt * np.flatnonzero(pulses > 0)
        assert on[0] == pytest.approx(40 + dt) and on[-1] == pytest.approx(324 - dt)
        assert pulses.max() == pytest.approx(0.65)
    ramp = np.asarray(patterns["R"].input(1 * ms))
    assert ramp[150] == pytest.approx(6.0) and ramp[250] == 0 and ramp[310] == pytest.approx(3.2)
    assert ramp[320] == 0


# ------------------------------------------------------------------------------------ Hodgkin-Huxley


def ratio(x, y):
    """x/(1 - exp(-x/y)), whose limit at 0 is y."""
    return np.where(np.abs(x) < 1e-7, y + x / 2, x / -np.expm1(np.where(x == 0, -1, -x) / y))


def squid(v):
    return (
        0.1 * ratio(v + 40, 10), 4 * np.exp(-(v + 65) / 18), 0.07 * np.exp(-(v + 65) / 20),
        1 / (1 + np.exp(-(v + 35) / 10)), 0.01 * ratio(v + 55, 10), 0.125 * np.exp(-(v + 65) / 80),
    )


def pyramidal(v):
    v = v + 63
    return (
        0.32 * ratio(v - 13, 4), 0.28 * ratio(40 - v, 5), 0.128 * np.exp((17 - v) / 18),
        4 / (1 + np.exp((40 - v) / 5)), 0.032 * ratio(v - 15, 5), 0.5 * np.exp((10 - v) / 40),
    )


def gated(rates, C, g, E, drive, v0, crossing, duration):
    """Times of upward crossings (ms) by adaptive integration of a sodium, a potassium and a leak current."""

    def slope(t, y):
        v, m, h, n = y
        a_m, b_m, a_h, b_h, a_n, b_n = rates(v)
        total = drive - g[0] * m**3 * h * (v - E[0]) - g[1] * n**4 * (v - E[1]) - g[2] * (v - E[2])
        return [total / C, a_m * (1 - m) - b_m * m, a_h * (1 - h) - b_h * h, a_n * (1 - n) - b_n * n]

    def up(t, y):
        return y[0] - crossing

    up.direction = 1
    a_m, b_m, a_h, b_h, a_n, b_n = rates(v0)
    start = [v0, a_m / (a_m + b_m), a_h / (a_h + b_h), a_n / (a_n + b_n)]
    solved = solve_ivp(slope, (0, duration), start, method="LSODA", events=up, rtol=1e-9, atol=1e-10)
    return solved.t_events[0]


@pytest.mark.parametrize("dt", [0.05, 0.02])
def test_hodgkin_huxley_meets_adaptive_integration(dt):
    amplitude = np.array([1.5, 4.0, 10.0, 17.0, 60.0])
    found = trains(simulate(neurons.hodgkin_huxley(), 35, dt, n=5, drive=amplitude * uA / cm**2))
    for micro, train in zip(amplitude, found, strict=True):
        expected = gated(squid, 1, (120, 36, 0.3), (50, -77, -54.402), micro, -65.0, 0.0, 35)
        assert len(train) == len(expected)
        # a spike carries the start of its step; the method itself adds less than 0.01 ms
        assert np.all(train - expected < 0.01) and np.all(train - expected > -dt - 0.01)
    assert [len(train) for train in found[:3]] == [0, 1, 3]


def test_hodgkin_huxley_parameters_reach_their_currents():
    cell = neurons.hodgkin_huxley(g_Na=100 * msiemens / cm**2, g_K=30 * msiemens / cm**2, E_L=-55 * mV)
    found = trains(simulate(cell, 30, 0.05, drive=12 * uA / cm**2))[0]
    expected = gated(squid, 1, (100, 30, 0.3), (50, -77, -55), 12, -65.0, 0.0, 30)
    assert len(found) == len(expected) > 1 and np.abs(found - expected).max() < 0.06


def test_gates_are_finite_and_right_where_the_rates_have_their_singularities():
    voltages = np.array([-40.0, -40.0 + 1e-9, -55.0, -55.0 - 1e-9, -65.0])
    found = simulate(neurons.hodgkin_huxley().but(v=voltages * mV), 0.02, 0.01, n=5, record=["m", "h", "n"])
    for k, v in enumerate(voltages):
        a_m, b_m, a_h, b_h, a_n, b_n = squid(v)
        gates = [found.traces[f"cells.{x}"].values[0, k] for x in "mhn"]
        assert np.allclose(gates, [a_m / (a_m + b_m), a_h / (a_h + b_h), a_n / (a_n + b_n)], rtol=1e-9)
    voltages = np.array([-50.0, -23.0, -48.0])
    found = simulate(neurons.traub_miles().but(v=voltages * mV), 0.02, 0.01, n=3, record=["m", "h", "n"])
    for k, v in enumerate(voltages):
        a_m, b_m, a_h, b_h, a_n, b_n = pyramidal(v)
        gates = [found.traces[f"cells.{x}"].values[0, k] for x in "mhn"]
        assert np.allclose(gates, [a_m / (a_m + b_m), a_h / (a_h + b_h), a_n / (a_n + b_n)], rtol=1e-9)


def test_traub_miles_meets_adaptive_integration():
    amplitude = np.array([-100.0, 250.0, 700.0])
    found = trains(simulate(neurons.traub_miles(), 30, 0.05, n=3, drive=amplitude * pA))
    for pico, train in zip(amplitude, found, strict=True):
        expected = gated(pyramidal, 200, (20000, 6000, 10), (50, -90, -60), pico, -60.0, -20.0, 30)
        assert len(train) == len(expected)
        assert np.all(np.abs(train - expected + 0.025) < 0.035)
    assert [len(train) for train in found][0] == 0 and len(found[2]) == 3


def test_a_crossing_is_one_spike_however_long_it_lasts():
    held = neurons.hodgkin_huxley(g_K=0 * msiemens / cm**2, g_L=0 * msiemens / cm**2)  # nothing repolarizes
    recording = simulate(held, 20, 0.05, drive=10 * uA / cm**2, record=["v"])
    assert (recording.traces["cells.v"].values[-100:] > 0).all()
    assert len(recording.spikes["cells"]) == 1


def test_densities_and_currents_are_not_confused():
    with pytest.raises(CircuitError, match="unit"):
        simulate(neurons.hodgkin_huxley(), 1, 0.01, drive=1 * pA)
    with pytest.raises(CircuitError, match="unit"):
        simulate(neurons.traub_miles(), 1, 0.01, drive=1 * uA / meter**2)
