"""Every synapse against its closed form after one spike, on both backends."""

import numpy as np
import pytest
from brian2 import amp, mmolar, ms, mV, nA, nS

import engine
from circuits import (
    Cell,
    Circuit,
    CircuitError,
    population,
    projection,
    spike_trains,
    synapses,
    trace,
    wiring,
)

DT = 0.05e-3
AT = 5e-3  # time of the spike
V = -40e-3
CLAMPED = Cell("clamped", "v : volt", inputs={"I": amp}, init={"v": V * 1000 * mV}, method="exact")

KINDS = {
    "exponential": synapses.exponential_current(w=2 * nA, tau=7 * ms),
    "alpha": synapses.alpha_current(w=2 * nA, tau=4 * ms),
    "conductance": synapses.exponential_conductance(w=3 * nS, tau=6 * ms, E=10 * mV),
    "double": synapses.double_exponential_conductance(
        w=3 * nS, tau_rise=1.5 * ms, tau_decay=8 * ms, E=-80 * mV
    ),
    "nmda": synapses.nmda(w=1 * nS, tau_rise=2 * ms, tau_decay=60 * ms, E=0 * mV, Mg=1.2 * mmolar),
}


def circuit():
    parts = {"source": spike_trains(1, i=[0], t=[AT * 1000] * ms)}
    record = []
    for name, synapse in KINDS.items():
        parts[name] = population(CLAMPED, 1)
        parts[f"to_{name}"] = projection("source", name, synapse, wiring.all_to_all())
        record.append(trace(name, "I"))
    return Circuit(**parts, record=record, dt=DT * 1000 * ms)


def expected(name, s):
    """The current at time s after the spike (s > 0)."""

    def double(w, rise, decay):
        peak_at = decay * rise / (decay - rise) * np.log(decay / rise)
        peak = np.exp(-peak_at / decay) - np.exp(-peak_at / rise)
        return w * (np.exp(-s / decay) - np.exp(-s / rise)) / peak

    if name == "exponential":
        return 2e-9 * np.exp(-s / 7e-3)
    if name == "alpha":
        return 2e-9 * s / 4e-3 * np.exp(1 - s / 4e-3)
    if name == "conductance":
        return 3e-9 * np.exp(-s / 6e-3) * (10e-3 - V)
    if name == "double":
        return double(3e-9, 1.5e-3, 8e-3) * (-80e-3 - V)
    return double(1e-9, 2e-3, 60e-3) * (0 - V) / (1 + np.exp(-0.062 * V * 1000) * 1.2 / 3.57)


@pytest.fixture(scope="module", params=["interpreted", pytest.param("compiled", marks=pytest.mark.compiled)])
def recording(request):
    return engine.run(circuit(), 60 * ms, backend=request.param)


@pytest.mark.parametrize("name", KINDS)
def test_current_after_one_spike(recording, name):
    got = recording.traces[f"{name}.I"]
    # Brian2 delivers within the step of the spike, after the state update: the effect decays from the start
    # of the next step on.
    s = got.t - AT - DT
    after = s > -DT / 2
    assert np.allclose(got.values[~after], 0)
    size = np.abs(got.values).max()
    assert np.allclose(got.values[after, 0], expected(name, s[after]), atol=1e-9 * size, rtol=1e-6)
    assert size > 1e-12


def test_peak_of_double_exponential_is_the_weight(recording):
    g = recording.traces["double.I"].values / (-80e-3 - V)
    assert g.max() == pytest.approx(3e-9, rel=1e-3)


@pytest.mark.parametrize("rise", [4.0, 4.0 * (1 + 1e-9), 4.0 * (1 - 1e-12), 4.0 * (1 + 1e-5), 30.0])
def test_time_constants_of_a_double_exponential_may_meet_and_cross(rise):
    net = circuit().but({"to_double.tau_rise": rise * ms, "to_double.tau_decay": 4 * ms})
    got = engine.run(net, 60 * ms, backend="interpreted").traces["double.I"]
    s, g = got.t - AT - DT, got.values[:, 0] / (-80e-3 - V)
    s, g = s[s > -DT / 2], g[s > -DT / 2]
    alpha = 3e-9 * s / 4e-3 * np.exp(1 - s / 4e-3)
    if rise == 30.0:  # the slower one is then the decay
        scale = (np.exp(-s / 30e-3) - np.exp(-s / 4e-3)).max()
        alpha = 3e-9 * (np.exp(-s / 30e-3) - np.exp(-s / 4e-3)) / scale
    # the peak of the sampled curve is a little below that of the continuous one
    assert np.allclose(g, alpha, rtol=0, atol=3e-9 * max(abs(rise / 4 - 1) if rise < 5 else 1e-5, 2e-6))


def test_unit_of_the_weight_decides_the_unit_of_the_current():
    with pytest.raises(CircuitError, match=r"addition to I.*volt.*amp is needed"):
        Circuit(
            a=spike_trains(1),
            b=population(CLAMPED, 1),
            ab=projection("a", "b", synapses.exponential_current(w=1 * mV), wiring.all_to_all()),
        )


def tsodyks_markram_amplitudes(times, w, U, rec, facil):
    """The recursion of Markram, Wang & Tsodyks 1998, eqs. 1 to 3."""
    u, R, amplitudes, last = U, 1.0, [], None
    for t in times:
        if last is not None:
            R = 1 + (R - R * u - 1) * np.exp(-(t - last) / rec)
            u = U + u * (1 - U) * np.exp(-(t - last) / facil)
        amplitudes.append(w * u * R)
        last = t
    return np.array(amplitudes)


@pytest.mark.parametrize("U, rec, facil", [(0.5, 1.1, 0.05), (0.05, 0.125, 1.2), (0.25, 0.7, 0.02)])
def test_short_term_plasticity_follows_the_recursion(U, rec, facil):
    times = np.array([10, 60, 80, 95, 250, 300]) * 1e-3
    counter = Cell("counter", "x : 1")
    synapse = synapses.tsodyks_markram(
        synapses.delta("x", w=3.0), U=U, tau_rec=rec * 1000 * ms, tau_facil=facil * 1000 * ms
    )
    net = Circuit(
        a=spike_trains(1, i=np.zeros(6, int), t=times * 1000 * ms),
        b=population(counter, 1),
        ab=projection("a", "b", synapse, wiring.all_to_all()),
        record=[trace("b", "x")],
        dt=1 * ms,
    )
    x = engine.run(net, 320 * ms, backend="interpreted").traces["b.x"].values[:, 0]
    assert np.allclose(
        np.diff(x)[np.diff(x) > 0], tsodyks_markram_amplitudes(times, 3.0, U, rec, facil), rtol=1e-9
    )


def test_short_term_plasticity_only_once():
    with pytest.raises(CircuitError, match="already"):
        synapses.tsodyks_markram(synapses.tsodyks_markram(synapses.delta("x", w=1.0)))


def test_gap_junction_pulls_two_cells_together():
    """C dv/dt = g (v_other - v): the difference decays with C/(2 g), the mean stays."""
    from brian2 import pF

    cell = Cell("capacitor", "dv/dt = I/C : volt", params={"C": 100 * pF}, inputs={"I": amp}, method="rk4")
    net = Circuit(
        a=population(cell.but(v=[-70, -50] * mV), 2),
        gap=projection("a", "a", synapses.gap_junction(w=5 * nS), wiring.pairs([0, 1], [1, 0])),
        record=[trace("a", "v")],
        dt=0.01 * ms,
    )
    got = engine.run(net, 20 * ms, backend="interpreted").traces["a.v"]
    difference, mean = np.diff(got.values, axis=1)[:, 0], got.values.mean(axis=1)
    assert np.allclose(mean, -60e-3, atol=1e-12)
    assert difference[-1] == pytest.approx(20e-3 * np.exp(-got.t[-1] * 2 * 5e-9 / 100e-12), rel=2e-3)


def test_delivery_to_a_variable_that_does_not_exist():
    with pytest.raises(CircuitError, match=r"Projection 'ab'.*'w_e'.*State variables|state variables: v"):
        Circuit(
            a=spike_trains(1),
            b=population(CLAMPED, 1),
            ab=projection("a", "b", synapses.delta("w_e", 1 * mV), wiring.all_to_all()),
        )
