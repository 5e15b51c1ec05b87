"""Third factors: signals against closed forms, rules against sums over spikes, and what must not change."""

import brian2
import numpy as np
import pytest
from brian2 import Hz, ms, second

import engine
from circuits import (
    Cell,
    Circuit,
    CircuitError,
    current,
    population,
    projection,
    signal,
    spike_trains,
    synapses,
    timed,
    trace,
    weights,
    wiring,
)
from plasticity import compose, hard, neuromodulation, soft, stdp, unbounded

DT = 1e-3
RELAY = Cell("relay", "x : 1", threshold="x > 0.5", reset="x = 0")
HELD = Cell("held", "d : 1")


def trains(seed, n, rate=10.0, seconds=1.0):
    """Random spikes on the grid, at most one per source and step, none in the first and last 5 steps."""
    raster = np.random.default_rng(seed).random((round(seconds / DT), n)) < rate * DT
    raster[:5] = raster[-5:] = False
    steps, i = np.nonzero(raster)
    return i, steps * DT


PRE, POST = trains(1, 4), trains(2, 3)


def network(synapse, cell=RELAY, record=("w",), **parts):
    """4 sources and 3 targets with given spikes, all to all; further parts by name."""
    return Circuit(
        source=spike_trains(4, PRE[0], PRE[1] * second),
        teacher=spike_trains(3, POST[0], POST[1] * second),
        cells=population(cell, 3),
        drive=projection("teacher", "cells", synapses.delta("x", 1.0), wiring.one_to_one()),
        plastic=projection("source", "cells", synapse, wiring.all_to_all()),
        record=[weights("plastic", name, every=1 * second) for name in record],
        dt=DT * second,
        **parts,
    )


def change(circuit, seconds=1.0, backend="interpreted"):
    """Change of the weights (source x target)."""
    found = engine.run(circuit, seconds * second, seed=1, backend=backend).weights["plastic.w"].values
    return (found[-1] - found[0]).reshape(4, 3)


def held(value, n=1):
    return population(HELD.but(d=value), n)


def traces(cell, seconds, *variables, dt=DT, seed=1, **parts):
    circuit = Circuit(
        cell=population(cell, 1), record=[trace("cell", v) for v in variables], dt=dt * second, **parts
    )
    found = engine.run(circuit, seconds * second, seed=seed, backend="interpreted").traces
    return [found[f"cell.{v}"].t for v in variables[:1]] + [
        found[f"cell.{v}"].values[:, 0] for v in variables
    ]


def pulses(variable, times, size=1.0):
    return dict(
        pulse=spike_trains(1, np.zeros(len(times), int), np.asarray(times) * second),
        to=projection("pulse", "cell", synapses.delta(variable, size), wiring.all_to_all()),
    )


# ---- signals


def test_dopamine_decays_from_pulses_and_settles_under_release():
    t, d = traces(neuromodulation.dopamine(tau_d=0.2 * second), 1.0, "d", **pulses("d", [0.1, 0.3], 0.5))
    # a pulse within the step from 0.1 s counts from the end of that step
    expected = sum(0.5 * np.exp(-(t - at - DT) / 0.2) * (t > at + DT / 2) for at in (0.1, 0.3))
    np.testing.assert_allclose(d, expected, rtol=1e-9, atol=1e-12)
    steady = dict(steady=current("cell", "release", 3 * Hz))
    _, d = traces(neuromodulation.dopamine(tau_d=0.2 * second), 4.0, "d", **steady)
    assert d[-1] == pytest.approx(3 * 0.2, rel=1e-8)


def test_prediction_error_integrates_to_what_the_baseline_gains():
    random = np.random.default_rng(3)
    times = np.sort(random.choice(np.arange(1, 3900), 60, replace=False)) * 5e-3
    cell = neuromodulation.prediction_error(tau_r=0.1 * second, tau_b=3 * second)
    t, d, b, r = traces(cell, 20.0, "d", "b", "r", dt=5e-3, **pulses("r", times))
    # r - b is smooth between pulses; each pulse stands at the end of its step
    step = np.diff(t)
    smooth = np.diff(r) < 0.5
    whole = np.where(smooth, (d[1:] + d[:-1]) / 2, (d[:-1] + d[1:] - 1) / 2)
    assert np.sum(whole * step) == pytest.approx(3 * (b[-1] - b[0]), rel=5e-3)  # of the trapezia
    assert b[-1] > 0.1


def test_prediction_error_of_steady_reward_vanishes():
    times = np.arange(0.05, 40, 0.2)
    cell = neuromodulation.prediction_error(tau_r=0.1 * second, tau_b=4 * second)
    t, d = traces(cell, 40.0, "d", dt=10e-3, **pulses("r", times, 0.4))
    assert d[t < 1].mean() > 0.1
    last = t >= 36  # 20 whole periods
    without = 0.4 * 0.1 / 0.2
    # samples at the start of each step miss half a step of every jump
    assert abs(d[last].mean() - 0.4 / 2 * 10e-3 / 0.2) < 0.02 * without
    assert np.abs(d[last]).max() > without / 2  # it still answers to every single one


def value_ramp(tau_r, seconds):
    """A critic whose rate makes V = exp((t - T)/tau_r), the value of a reward of 1 at T, and its start."""
    tau_kappa, upsilon = 0.2, 0.05
    t = (np.arange(round(seconds / DT)) + 0.5) * DT
    grow = (1 + tau_kappa / tau_r) * (1 + upsilon / tau_r)
    drive = np.exp((t - seconds) / tau_r) * grow
    rho = np.exp(-seconds / tau_r)
    return drive, dict(rho=rho * Hz, s=upsilon * rho * (1 + tau_kappa / tau_r))


def test_td_error_is_zero_where_the_value_is_right():
    drive, start = value_ramp(1.5, 3.0)
    cell = neuromodulation.td_error(tau_r=1.5 * second, nu=1 * second, V_0=0.0).but(**start)
    current_ = dict(critic=current("cell", "drive", timed(drive * Hz, DT * second)))
    t, d, V = traces(cell, 3.0, "d", "V", **current_)
    np.testing.assert_allclose(V, np.exp((t - 3.0) / 1.5), rtol=1e-5)
    assert np.abs(d).max() < 2e-4 * V.max()
    # ... and not where rewards are discounted otherwise
    wrong = neuromodulation.td_error(tau_r=4 * second, nu=1 * second, V_0=0.0).but(**start)
    _, d = traces(wrong, 3.0, "d", **current_)
    assert np.abs(d).max() > 0.3


def test_td_errors_add_up_to_reward_less_expectation():
    """The integral of d exp(-t/tau_r) is what comes in, discounted, plus the value at the end less that at
    the start, whatever the critic does.
    """
    tau_r, n = 1.0, 3000
    i, t_spike = trains(7, 1, rate=30.0, seconds=3.0)
    cell = neuromodulation.td_error(tau_r=tau_r * second, nu=0.1 * second, V_0=0.2)
    parts = pulses("s", t_spike)
    parts["reward"] = spike_trains(1, [0], [1.7] * second)
    parts["pay"] = projection("reward", "cell", synapses.delta("R", 1.0), wiring.all_to_all())
    t, d, V, R = traces(cell, n * DT, "d", "V", "R", **parts)
    fine = np.exp(-t / tau_r)
    # d jumps at spikes, which stand at the end of a step: the value before the jump belongs to the step
    jumps = np.zeros(n)
    jumps[np.round(t_spike / DT).astype(int) + 1] += 0.1 / (0.05 * 0.2)  # nu/(upsilon tau_kappa)
    jumps[1701] += 1 / 0.2
    left, right = (d * fine)[:-1], ((d - jumps) * fine)[1:]
    total = np.sum((left + right) / 2) * DT
    inflow = R / 0.2 * fine
    before = np.zeros(n)
    before[1701] = 1 / 0.2
    reward = np.sum((inflow[:-1] + ((R / 0.2 - before) * fine)[1:]) / 2) * DT
    assert total == pytest.approx(reward + V[-1] * fine[-1] - V[0], abs=1e-3)
    assert abs(total) > 0.05


# ---- rules that propose


def test_coincidence_counts_what_came_since_the_last_postsynaptic_spike():
    rule = neuromodulation.coincidence(A=0.01, tau=30 * ms)
    got = change(network(compose(rule, bounds=unbounded(), w=0.0)))
    expected = np.zeros((4, 3))
    for source in range(4):
        for target in range(3):
            last = -1.0
            for at in POST[1][POST[0] == target]:
                # the relay turns a teacher's spike into one of its own a step later, after that step's inputs
                at += DT
                seen = PRE[1][(PRE[0] == source) & (PRE[1] > last + DT / 2) & (PRE[1] < at + DT / 2)]
                expected[source, target] += 0.01 * np.exp(-(at - seen) / 0.03).sum()
                last = at
    np.testing.assert_allclose(got, expected, rtol=1e-9)
    assert expected.max() > 0.05


def test_supervised_sums_the_error_of_its_own_target():
    cell = RELAY.plus("err : 1", init={"err": np.array([0.5, 0.0, -1.0])})
    rule = neuromodulation.supervised(eta=0.01)
    got = change(network(compose(rule, bounds=unbounded(), w=0.0), cell=cell))
    count = np.bincount(PRE[0], minlength=4)
    np.testing.assert_allclose(got, 0.01 * count[:, None] * [0.5, 0.0, -1.0], rtol=1e-9)


def test_supervised_takes_a_signal_for_its_error_and_names_the_remedy():
    rule = neuromodulation.supervised(eta=0.01, error="cf")
    synapse = compose(rule, bounds=unbounded(), w=0.0)
    errors = np.array([0.2, -0.3, 0.0])
    got = change(network(synapse, fibres=held(errors, 3), cf=signal("fibres.d", "cells")))
    np.testing.assert_allclose(got, 0.01 * np.bincount(PRE[0], minlength=4)[:, None] * errors, rtol=1e-9)
    with pytest.raises(CircuitError, match=r'add cf=signal\("errors.d"'):
        network(synapse)


def test_supervised_learns_until_the_error_is_gone():
    """A linear output with four inputs of different rates: the error decays as 1 - y to zero."""
    cell = RELAY.plus(
        "dy/dt = -y/tau_y : 1\nerr = goal - y : 1",
        params=dict(tau_y=100 * ms, goal=np.array([0.3, 0.6, 0.0])),
    )
    synapse = compose(
        neuromodulation.supervised(eta=0.01), synapse=synapses.delta("y", w=0.0), bounds=hard(-1, 1)
    )
    i, t = trains(5, 4, rate=60.0, seconds=10.0)
    circuit = Circuit(
        source=spike_trains(4, i, t * second),
        cells=population(cell, 3),
        plastic=projection("source", "cells", synapse, wiring.all_to_all()),
        record=[trace("cells", "y"), weights("plastic")],
        dt=DT * second,
    )
    found = engine.run(circuit, 10 * second, seed=1, backend="interpreted")
    y = found.traces["cells.y"]
    np.testing.assert_allclose(y.values[y.t > 5].mean(axis=0), [0.3, 0.6, 0.0], atol=0.04)
    assert (found.weights["plastic.w"].values[-1].reshape(4, 3)[:, 2] == 0).all()


# ---- gates


@pytest.mark.parametrize("bounds", [hard(), soft()])
def test_without_attention_nothing_changes_and_with_it_everything_does(bounds):
    rules = stdp.pair(A_plus=0.05, A_minus=0.05), neuromodulation.gating()
    gated = compose(*rules, bounds=bounds)
    assert np.all(change(network(gated, top=held(0.0), attention=signal("top.d", "cells"))) == 0)
    full = change(network(gated, top=held(1.0), attention=signal("top.d", "cells")))
    np.testing.assert_allclose(full, change(network(compose(rules[0], bounds=bounds))), rtol=1e-12)
    assert np.abs(full).max() > 0.01


def test_attention_reaches_one_target_and_gates_multiply():
    proposed = neuromodulation.presynaptic(A=0.01)
    gates = (
        neuromodulation.gating(),
        neuromodulation.gating(signal="ach", tonic=0.5, gain=0.25),
    )
    synapse = compose(proposed, *gates, bounds=unbounded(), w=0.0)
    parts = dict(
        top=held(np.array([0.0, 1.0, 2.0]), 3),
        attention=signal("top.d", "cells"),
        basal=held(3.0),
        ach=signal("basal.d", "cells"),
    )
    count = np.bincount(PRE[0], minlength=4)[:, None]
    np.testing.assert_allclose(
        change(network(synapse, **parts)), 0.01 * count * np.array([0, 1, 2]) * 1.25, rtol=1e-9
    )


# ---- eligibility and what modulates it


def eligible(modulator="da", tau_c=0.4 * second, **numbers):
    return compose(
        neuromodulation.presynaptic(A=0.01),
        neuromodulation.eligibility(modulator=modulator, tau_c=tau_c, **numbers),
        bounds=unbounded(),
        w=0.2,
    )


def test_no_reward_no_change():
    parts = dict(vta=population(neuromodulation.dopamine(), 1), da=signal("vta.d", "cells"))
    assert np.all(change(network(eligible(), **parts)) == 0)
    drifting = change(network(eligible(tonic=0.1), **parts))
    # the trace of a spike, integrated to the end of the run
    left = 1.0 - (PRE[1] + DT)
    drift = 0.01 * 0.1 * 0.4 * (1 - np.exp(-left / 0.4))
    expected = np.bincount(PRE[0], weights=drift, minlength=4)
    np.testing.assert_allclose(drifting, np.tile(expected[:, None], 3), rtol=1e-9)


def overlap(spike, pulse, end, tau_c, tau_d):
    """The integral of exp(-(t - spike)/tau_c) exp(-(t - pulse)/tau_d) from the later of them to end."""
    start, rate = np.maximum(spike, pulse), 1 / tau_c + 1 / tau_d
    first = np.exp(-(start - spike) / tau_c - (start - pulse) / tau_d)
    return first * (1 - np.exp(-rate * np.maximum(end - start, 0))) / rate


def test_a_pulse_turns_into_weight_what_is_still_eligible():
    """Longer than 5 tau_c, so that the sweep takes place; spikes before and after the pulses."""
    parts = dict(
        vta=population(neuromodulation.dopamine(tau_d=0.05 * second), 1),
        da=signal("vta.d", "cells"),
        reward=spike_trains(1, [0, 0], [0.3, 0.71] * second),
        pay=projection("reward", "vta", synapses.delta("d", 0.5), wiring.all_to_all()),
    )
    got = change(network(eligible(tau_c=0.1 * second, tau_d=0.05 * second, eta=2 * Hz), **parts))
    expected = np.zeros(4)
    for source, at in zip(*PRE, strict=True):
        for pulse in (0.3, 0.71):
            expected[source] += 2 * 0.01 * 0.5 * overlap(at + DT, pulse + DT, 1.0, 0.1, 0.05)
    np.testing.assert_allclose(got, np.tile(expected[:, None], 3), rtol=1e-9)
    assert expected.max() > 1e-4


def test_two_neuromodulators_add_within_one_trace():
    parts = dict(a=held(0.3), b=held(0.5), da=signal("a.d", "cells"), aversion=signal("b.d", "cells"))
    long = dict(tau_d=1e6 * second)
    both = change(network(eligible("da - 0.2*aversion", **long), **parts))
    one = change(network(eligible("da", **long), **parts))
    np.testing.assert_allclose(both, one * (0.3 - 0.1) / 0.3, rtol=1e-9)


def test_an_error_for_each_neuron_reads_the_trace_of_earlier_spikes():
    """The climbing fibre's form: presynaptic spikes leave a trace, each target's own fibre reads it later."""
    parts = dict(
        fibre=spike_trains(3, [0, 2], [0.4, 0.8] * second),
        error=population(neuromodulation.dopamine(tau_d=0.02 * second), 3),
        climb=projection("fibre", "error", synapses.delta("d", -1.0), wiring.one_to_one()),
        cf=signal("error.d", "cells"),
    )
    got = change(network(eligible("cf", tau_c=0.1 * second, tau_d=0.02 * second), **parts))
    expected = np.zeros((4, 3))
    for source, at in zip(*PRE, strict=True):
        for target, pulse in ((0, 0.4), (2, 0.8)):
            expected[source, target] -= 0.01 * overlap(at + DT, pulse + DT, 1.0, 0.1, 0.02)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-15)
    assert np.all(got[:, 1] == 0) and got.min() < -1e-5


def test_eligibility_equals_a_trace_and_a_weight_advanced_by_the_clock():
    """Against plain Brian2 with dc/dt, dd/dt and dw/dt in the synapse (fourth order, step of 0.1 ms)."""
    spikes, paid, step = [10, 60, 110] * ms, [80, 150] * ms, 0.1 * ms
    brian2.start_scope()
    brian2.set_device("runtime")
    brian2.prefs.codegen.target = "numpy"
    source = brian2.SpikeGeneratorGroup(1, [0, 0, 0], spikes, dt=step)
    reward = brian2.SpikeGeneratorGroup(1, [0, 0], paid, dt=step)
    plastic = brian2.Synapses(
        source,
        reward,
        """dc/dt = -c/(30*ms) : 1 (clock-driven)
           dd/dt = -d/(50*ms) : 1 (clock-driven)
           dw/dt = c*(d + 0.1)*Hz : 1 (clock-driven)""",
        on_pre="c += 0.01",
        on_post="d += 0.5",
        method="rk4",
        dt=step,
    )
    plastic.connect()
    brian2.Network(source, reward, plastic).run(0.25 * second, namespace={"ms": ms, "Hz": Hz})
    circuit = Circuit(
        source=spike_trains(1, [0, 0, 0], spikes),
        cells=population(RELAY, 1),
        plastic=projection(
            "source", "cells", eligible(tau_c=30 * ms, tau_d=50 * ms, tonic=0.1), wiring.all_to_all()
        ),
        vta=population(neuromodulation.dopamine(tau_d=50 * ms), 1),
        da=signal("vta.d", "cells"),
        reward=spike_trains(1, [0, 0], paid),
        pay=projection("reward", "vta", synapses.delta("d", 0.5), wiring.all_to_all()),
        record=[weights("plastic", "w")],
        dt=step,
    )
    found = engine.run(circuit, 0.25 * second, backend="interpreted").weights["plastic.w"].values
    assert found[-1, 0] - 0.2 == pytest.approx(float(plastic.w[0]), rel=1e-9)
    assert found[-1, 0] > 0.2 + 1e-5


def drift_under(cell, variable, seconds=60.0, dt=10e-3):
    """Mean weight change where rewards have nothing to do with the spikes."""
    random = np.random.default_rng(11)
    n, steps = 40, round(seconds / dt)
    step, i = np.nonzero(random.random((steps, n)) < 5.0 * dt)
    paid = np.flatnonzero(random.random(steps) < 2.0 * dt)
    synapse = compose(
        neuromodulation.presynaptic(A=0.01),
        neuromodulation.eligibility(tau_c=0.2 * second, tau_d=1e6 * second),
        bounds=unbounded(),
        w=0.0,
    )
    circuit = Circuit(
        source=spike_trains(n, i, step * dt * second),
        cells=population(RELAY, 1),
        plastic=projection("source", "cells", synapse, wiring.all_to_all()),
        critic=population(cell, 1),
        da=signal("critic.d", "cells"),
        reward=spike_trains(1, np.zeros(len(paid), int), paid * dt * second),
        pay=projection("reward", "critic", synapses.delta(variable, 1.0), wiring.all_to_all()),
        record=[weights("plastic", "w", every=seconds / 3 * second)],
        dt=dt * second,
    )
    found = engine.run(circuit, seconds * second, backend="interpreted").weights["plastic.w"].values
    return (found[-1] - found[1]) / (2 / 3 * seconds)  # after the baseline has settled


def test_a_learned_baseline_removes_the_drift_that_has_no_covariance():
    """Fremaux, Sprekeler & Gerstner 2010: without a baseline reward alone moves the weights."""
    plain = drift_under(neuromodulation.dopamine(tau_d=0.2 * second), "d")
    # rate * A * tau_c * mean of d
    assert plain.mean() == pytest.approx(5 * 0.01 * 0.2 * 2 * 0.2, rel=0.15)
    critic = neuromodulation.prediction_error(tau_r=0.2 * second, tau_b=5 * second)
    # What is left is tau_b times the change of the baseline over the time: 4 % of plain (one deviation).
    assert abs(drift_under(critic, "r").mean()) < 0.15 * plain.mean()


@pytest.mark.parametrize("surprise", [0.8, -0.5])
def test_a_td_error_changes_the_synapse_of_the_action_that_was_taken_only(surprise):
    """The actor's rule: of two actors seeing the same place, the one that fired learns, in the TD error's
    direction.
    """
    synapse = compose(
        neuromodulation.coincidence(A=0.01, tau=30 * ms),
        neuromodulation.eligibility(modulator="td", tau_c=0.4 * second, tau_d=0.1 * second),
        bounds=unbounded(),
        w=0.2,
    )
    circuit = Circuit(
        place=spike_trains(2, [0], [100] * ms),
        choice=spike_trains(2, [0], [110] * ms),
        cells=population(RELAY, 2),
        drive=projection("choice", "cells", synapses.delta("x", 1.0), wiring.one_to_one()),
        plastic=projection("place", "cells", synapse, wiring.all_to_all()),
        outcome=spike_trains(1, [0], [300] * ms),
        critic=population(neuromodulation.dopamine(tau_d=0.1 * second), 1),
        tell=projection("outcome", "critic", synapses.delta("d", surprise), wiring.all_to_all()),
        td=signal("critic.d", "cells"),
        record=[weights("plastic", "w")],
        dt=DT * second,
    )
    w = engine.run(circuit, 1 * second, backend="interpreted").weights["plastic.w"].values[-1]
    c = 0.01 * np.exp(-11 / 30)  # the actor fires a step after it was told to
    expected = surprise * c * overlap(0.111 + DT, 0.3 + DT, 1.0, 0.4, 0.1)
    np.testing.assert_allclose(w.reshape(2, 2) - 0.2, [[expected, 0], [0, 0]], rtol=1e-9, atol=1e-15)


# ---- the critic on a track


def run_track(trials, seed, eta, reward=1.0, wait=1.0, lap=2.0, period=6.0, tau_r=1.5):
    """A rat waits, runs along a track, and is rewarded at its end, again and again. Place cells drive critic
    cells that spike at random; their synapses learn by TD-LTP.

    Returns the value and the TD error (trial x time, every 10 ms).
    """
    random, dt, n_place, n_critic = np.random.default_rng(seed), 2e-3, 40, 20
    critic_times = dict(tau_kappa=100 * ms, upsilon=30 * ms, tau_R=130 * ms)
    steps = round(trials * period / dt)
    where = ((np.arange(steps) * dt) % period - wait) / lap
    where = np.where(where < 0, 0, where)
    rates = 60 * np.exp(-((where[:, None] - np.linspace(0, 1, n_place)) ** 2) / (2 * 0.04**2))
    step, i = np.nonzero(random.random((steps, n_place)) < rates * dt)
    critic = Cell(
        "critic",
        """dv/dt = -v/tau_m : 1
           rate = rate_0*clip(v, 0, 10) : Hz""",
        params=dict(tau_m=20 * ms, rate_0=20 * Hz),
        threshold="rand() < rate*dt",
        method="exact",
    )
    synapse = compose(
        neuromodulation.coincidence(A=1.0, tau=20 * ms),
        neuromodulation.eligibility(
            modulator="td", unit=Hz, eta=eta, tau_c=tau_r * second, tau_d=1e6 * second
        ),
        synapse=synapses.delta("v", w=0.03),
        bounds=hard(0, 2),
    )
    times = (np.arange(trials) * period + wait + lap) * second
    circuit = Circuit(
        place=spike_trains(n_place, i, step * dt * second),
        cells=population(critic, n_critic),
        plastic=projection("place", "cells", synapse, wiring.all_to_all()),
        error=population(
            neuromodulation.td_error(tau_r=tau_r * second, nu=0.05 * second, V_0=0.0, **critic_times), 1
        ),
        sees=projection("cells", "error", synapses.delta("s", 1 / n_critic), wiring.all_to_all()),
        reward=spike_trains(1, np.zeros(trials, int), times),
        pay=projection("reward", "error", synapses.delta("R", reward), wiring.all_to_all()),
        td=signal("error.d", "cells"),
        record=[trace("error", v, every=10 * ms) for v in ("V", "d")],
        dt=dt * second,
    )
    found = engine.run(circuit, trials * period * second, seed=seed).traces
    return [found[f"error.{v}"].values[:, 0].reshape(trials, -1) for v in ("V", "d")]


@pytest.mark.compiled
def test_the_critic_learns_the_discounted_reward_and_the_prediction_error_vanishes():
    """The value must go as exp((t - T)/tau_r) along the track; over the last 40 of 300 laps, tolerances
    for 20 spiking cells and for the lag of V behind them.
    """
    tau_r = 1.5
    V, d = run_track(300, seed=1, eta=1e-3)
    t = np.arange(V.shape[1]) * 10e-3
    lap, paid = (t > 1.2) & (t < 3), (t >= 2.9) & (t < 4)
    due = np.exp((t[lap] - 3) / tau_r)
    learned = V[-40:].mean(axis=0)[lap]
    assert np.corrcoef(learned, due)[0, 1] > 0.9
    assert learned.mean() / due.mean() == pytest.approx(1, abs=0.25)
    first, last = (part[:, paid].sum(axis=1).mean() * 10e-3 for part in (d[:5], d[-40:]))
    assert first > 0.6 and abs(last) < 0.15 * first
    assert abs(d[-40:][:, lap].mean()) < 0.1


@pytest.mark.compiled
def test_the_critic_expects_nothing_where_nothing_comes():
    V, _ = run_track(200, seed=1, eta=4e-3, reward=0.0)
    assert V[-40:].mean() < 0.7 * V[:5].mean()
