"""Metaplasticity against recursions by hand, against plain Brian2, and in what it must not do."""

import brian2
import numpy as np
import pytest
from brian2 import Hz, ms, second

import engine
from circuits import Cell, Circuit, population, projection, spike_trains, synapses, trace, weights, wiring
from plasticity import compose, hard, metaplasticity, neuromodulation, soft, stdp

DT = 1e-3
RELAY = Cell("relay", "x : 1", threshold="x > 0.5", reset="x = 0")


def one_synapse(*rules, pre=(), post=(), record=("w",), bounds=None, w=0.2, seconds=1.0, every=None):
    """Weights (or other variables) of one synapse with given spikes; times of the snapshots."""
    circuit = Circuit(
        source=spike_trains(1, np.zeros(len(pre), int), np.asarray(pre) * second),
        teacher=spike_trains(1, np.zeros(len(post), int), np.asarray(post) * second),
        cells=population(RELAY, 1),
        drive=projection("teacher", "cells", synapses.delta("x", 1.0), wiring.one_to_one()),
        plastic=projection(
            "source", "cells", compose(*rules, bounds=bounds or hard(0, 2), w=w), wiring.all_to_all()
        ),
        record=[weights("plastic", name, every=every) for name in record],
        dt=DT * second,
    )
    found = engine.run(circuit, seconds * second, backend="interpreted").weights
    return [found[f"plastic.{name}"].values[:, 0] for name in record]


SPIKES = np.sort(np.random.default_rng(5).choice(np.arange(3, 990), 60, replace=False)) * DT


def by_hand(gate_of, advance, state, A, every, w=0.2, w_max=2.0):
    """w over the spikes, with a gate that changes every `every` (first at 0, before the spikes of a step)."""
    due = 0.0
    for at in SPIKES:
        while due <= at + DT / 2:
            state = advance(state, w / w_max)
            due += every
        w = min(max(w + A * gate_of(state, w / w_max), 0), w_max)
    return w


def test_falling_rate_follows_its_recursion():
    tau_h, h_0, every = 0.5, 0.05, 0.1

    def advance(state, p):
        h, last = state
        return h * np.exp(-every / tau_h) + abs(p - last), p

    expected = by_hand(lambda s, p: 1 / (1 + s[0] / h_0), advance, (0.0, 0.1), 0.02, every)
    rule = metaplasticity.falling_rate(tau_h=tau_h * second, h_0=h_0, every=every * second)
    (w,) = one_synapse(neuromodulation.presynaptic(A=0.02), rule, pre=SPIKES)
    assert w[-1] == pytest.approx(expected, rel=1e-9)
    assert w[-1] < 0.2 + 0.6 * 0.02 * 60


def test_falling_rate_slows_a_steady_drift_to_the_closed_form():
    """v' (1 + v' tau_h/h_0) = v, of p = w/2; h decays within `every`, hence the factor."""
    tau_h, h_0, every, A, period = 1.0, 0.02, 0.1, 2e-3, 0.02
    spikes = np.arange(5e-3, 10, period)
    rule = metaplasticity.falling_rate(tau_h=tau_h * second, h_0=h_0, every=every * second)
    options = dict(record=("w", "h_falling_rate"), seconds=10.0, w=0.0, every=2 * second)
    w, h = one_synapse(neuromodulation.presynaptic(A=A), rule, pre=spikes, **options)
    v = A / period / 2
    lag = every / (1 - np.exp(-every / tau_h)) / tau_h
    slowed = (-1 + np.sqrt(1 + 4 * v * lag * tau_h / h_0)) / (2 * lag * tau_h / h_0)
    assert np.diff(w)[-1] / 2 / 2 == pytest.approx(slowed, rel=1e-3)
    assert h[-1] == pytest.approx(slowed * lag * tau_h, rel=1e-3)
    assert slowed < v / 2


def test_falling_rate_recovers_when_nothing_changes():
    burst = np.arange(0.01, 0.2, 0.01)
    rule = metaplasticity.falling_rate(tau_h=0.5 * second, h_0=0.01, every=0.05 * second)
    rested = one_synapse(neuromodulation.presynaptic(A=0.02), rule, pre=[*burst, 9.0], seconds=10.0)[0]
    alone = one_synapse(neuromodulation.presynaptic(A=0.02), rule, pre=burst, seconds=10.0)[0]
    assert rested[-1] - alone[-1] == pytest.approx(0.02, rel=1e-3)
    tired = one_synapse(neuromodulation.presynaptic(A=0.02), rule, pre=[*burst, 0.3], seconds=10.0)[0]
    assert tired[-1] - alone[-1] < 0.01


@pytest.mark.parametrize("tau_z", [None, 0.4])
def test_state_dependent_rate_follows_its_recursion(tau_z):
    m, rest, every = 3.0, 0.2, 0.05
    if tau_z is None:
        rule = metaplasticity.state_dependent(m=m, rest=rest)
        expected = by_hand(lambda s, p: 1 - np.tanh(m * (p - rest)) ** 2, lambda s, p: s, None, 0.03, 10.0)
    else:
        rule = metaplasticity.state_dependent(m=m, rest=rest, tau_z=tau_z * second, every=every * second)
        expected = by_hand(
            lambda z, p: 1 - np.tanh(m * (z - rest)) ** 2,
            lambda z, p: p + (z - p) * np.exp(-every / tau_z),
            0.1,
            0.03,
            every,
        )
    (w,) = one_synapse(neuromodulation.presynaptic(A=0.03), rule, pre=SPIKES)
    assert w[-1] == pytest.approx(expected, rel=1e-9)
    assert w[-1] < 0.2 + 0.9 * 0.03 * 60


def test_a_consolidated_state_keeps_a_synapse_slow_after_its_weight_has_left():
    """Two synapses at the same weight: the one that was strong for long changes less."""
    rules = [
        metaplasticity.state_dependent(m=2.0, tau_z=5 * second, every=0.1 * second),
        neuromodulation.presynaptic(A=-0.5),
    ]
    fall = [2.0, 2.001, 2.002, 2.003]
    long_strong = one_synapse(*rules, pre=fall, w=2.0, seconds=3.0)[0]
    by_weight = one_synapse(metaplasticity.state_dependent(m=2.0), rules[1], pre=fall, w=2.0, seconds=3.0)[0]
    steps = 4 * 0.5 * (1 - np.tanh(2) ** 2)
    assert long_strong[-1] == pytest.approx(2 - steps, rel=1e-9)
    assert by_weight[-1] < long_strong[-1] - 0.01


def rate_and_threshold(rate, seconds=16.0):
    """r and theta of a cell that fires regularly, and the change of its synapse per proposal at the end."""
    post = np.arange(0.02, seconds - 0.01, 1 / rate)
    pre = np.arange(seconds - 4, seconds - 0.05, 0.037)  # against the rhythm of the cell
    rules = (
        neuromodulation.presynaptic(A=1e-3),
        metaplasticity.sliding_threshold(r_0=5 * Hz, tau_r=400 * ms, tau_theta=2 * second),
    )
    circuit = Circuit(
        source=spike_trains(1, np.zeros(len(pre), int), pre * second),
        teacher=spike_trains(1, np.zeros(len(post), int), post * second),
        cells=population(RELAY, 1),
        drive=projection("teacher", "cells", synapses.delta("x", 1.0), wiring.one_to_one()),
        plastic=projection("source", "cells", compose(*rules, w=0.5), wiring.all_to_all()),
        record=[
            weights("plastic", "w"),
            *(trace("cells", f"{name}_sliding_threshold_plastic", every=4 * ms) for name in ("r", "theta")),
        ],
        dt=4 * DT * second,
    )
    found = engine.run(circuit, seconds * second, backend="interpreted")
    late = [t.values[t.t > seconds - 4, 0].mean() for t in (found.traces[k] for k in sorted(found.traces))]
    w = found.weights["plastic.w"].values[:, 0]
    return *late, (w[-1] - 0.5) / (1e-3 * len(pre))


@pytest.mark.parametrize("rate", [2.5, 5.0, 10.0])
def test_sliding_threshold_settles_where_the_closed_form_has_it(rate):
    """theta -> <r**2>/r_0 and gate -> <r>/theta - 1. For regular spikes <r**2> is rate coth(1/(2 rate tau))/
    (2 tau), a little above rate**2.
    """
    r, theta, gate = rate_and_threshold(rate)
    square = rate / (2 * 0.4) / np.tanh(1 / (2 * rate * 0.4))
    assert r == pytest.approx(rate, rel=0.02)
    assert theta == pytest.approx(square / 5, rel=0.02)
    assert gate == pytest.approx(rate / (square / 5) - 1, abs=0.05)


def test_the_threshold_turns_potentiation_into_depression_above_its_rate():
    low, high = rate_and_threshold(2.5)[2], rate_and_threshold(10.0)[2]
    assert low > 0.3 and high < -0.3


RULES = {
    "falling_rate": lambda: metaplasticity.falling_rate(every=50 * ms),
    "sliding_threshold": lambda: metaplasticity.sliding_threshold(),
    "state_dependent": lambda: metaplasticity.state_dependent(),
    "consolidated": lambda: metaplasticity.state_dependent(tau_z=1 * second, every=50 * ms),
}


@pytest.mark.parametrize("bounds", [hard(0, 1), soft(0, 1)])
@pytest.mark.parametrize("name", RULES)
def test_bounds_hold_and_without_proposals_nothing_changes(name, bounds):
    post = SPIKES[::2] + 2 * DT
    strong = stdp.pair(A_plus=0.4, A_minus=0.4)
    (w,) = one_synapse(strong, RULES[name](), pre=SPIKES, post=post, bounds=bounds, every=250 * ms)
    assert w.min() >= 0 and w.max() <= 1 and np.ptp(w) > 0.05
    (w,) = one_synapse(RULES[name](), pre=SPIKES, post=post, bounds=bounds, every=500 * ms)
    assert np.ptp(w) == 0


def test_state_dependent_stdp_equals_the_model_by_hand():
    post = SPIKES[::3] + 4 * DT
    rules = stdp.pair(A_plus=0.05, A_minus=0.04), metaplasticity.state_dependent(m=2.0, rest=0.3)
    (w,) = one_synapse(*rules, pre=SPIKES, post=post, bounds=hard(0, 1), w=0.4)
    brian2.start_scope()
    brian2.set_device("runtime")
    brian2.prefs.codegen.target = "numpy"
    step = DT * second
    source = brian2.SpikeGeneratorGroup(1, np.zeros(len(SPIKES), int), (SPIKES + DT / 2) * second, dt=step)
    teacher = brian2.SpikeGeneratorGroup(1, np.zeros(len(post), int), (post + DT / 2) * second, dt=step)
    cell = brian2.NeuronGroup(1, "v : 1", threshold="v > 0.5", reset="v = 0", dt=step)
    drive = brian2.Synapses(teacher, cell, on_pre="v_post += 1", dt=step)
    drive.connect()
    plastic = brian2.Synapses(
        source,
        cell,
        """w : 1
           dx/dt = -x/(20*ms) : 1 (event-driven)
           dy/dt = -y/(20*ms) : 1 (event-driven)""",
        on_pre="w = clip(w - 0.04*y*(1 - tanh(2*(w - 0.3))**2), 0, 1)\nx += 1",
        on_post="w = clip(w + 0.05*x*(1 - tanh(2*(w - 0.3))**2), 0, 1)\ny += 1",
        dt=step,
    )
    plastic.connect()
    plastic.w = 0.4
    brian2.Network(source, teacher, cell, drive, plastic).run(1 * second, namespace={"ms": ms})
    assert w[-1] == pytest.approx(float(plastic.w[0]), rel=1e-12)
    assert abs(w[-1] - 0.4) > 0.01
