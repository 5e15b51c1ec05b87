"""Hebbian rules against their equations, their fixed points, and the same written by hand in Brian2."""

import brian2
import numpy as np
import pytest
from brian2 import Hz, ms, mV, second

import engine
from circuits import (
    Cell,
    Circuit,
    CircuitError,
    current,
    population,
    projection,
    spike_trains,
    synapses,
    timed,
    weights,
    wiring,
)  # fmt: skip
from plasticity import compose, hard, hebbian, unbounded

DT = 1 * ms


def rate_circuit(rule, samples, w0):
    """Linear units (columns of w0) that see one sample per step."""
    n, units = w0.shape
    learning = compose(rule, synapse=synapses.linear(w0, port="drive"), bounds=unbounded())
    return Circuit(
        inputs=population(Cell("input", "x = sample : 1", inputs={"sample": 1}), n),
        unit=population(Cell("unit", "y = drive : 1", inputs={"drive": 1}), units),
        samples=current("inputs", "sample", timed(samples, DT)),
        learning=projection("inputs", "unit", learning, wiring.all_to_all()),
        record=[weights("learning", "w")],
        dt=DT,
    )


def learned(rule, samples, w0):
    net = rate_circuit(rule, samples, w0)
    recording = engine.run(net, len(samples) * DT, backend="interpreted")
    return recording.weights["learning.w"].values[-1].reshape(w0.shape)


def random_samples(n=300, inputs=4, seed=1):
    random = np.random.default_rng(seed)
    return random.standard_normal((n, inputs)) @ np.diag([2.0, 1.2, 0.8, 0.5])


def relay_circuit(learning, pre, post, dt=0.1 * ms, record=()):
    """One synapse between spike trains; a postsynaptic spike comes one step after its drive."""
    relay = Cell("relay", "u : 1", threshold="u > 0.5", reset="u = 0")
    return Circuit(
        source=spike_trains(1, i=np.zeros(len(pre)), t=np.asarray(pre) * ms),
        driver=spike_trains(1, i=np.zeros(len(post)), t=np.asarray(post) * ms - dt),
        cell=population(relay, 1),
        drive=projection("driver", "cell", synapses.delta("u", 1.0), wiring.one_to_one()),
        learning=projection("source", "cell", learning, wiring.one_to_one()),
        record=[weights("learning", "w"), *record],
        dt=dt,
    )


def change(learning, pre, post, duration=400 * ms):
    recording = engine.run(relay_circuit(learning, pre, post), duration, backend="interpreted")
    return float(recording.weights["learning.w"].values[-1, 0])


# Oja


def test_oja_is_its_equation():
    samples, w0 = random_samples(), np.array([[0.4, -0.3], [0.1, 0.5], [-0.2, 0.1], [0.3, 0.2]])
    w = w0.copy()
    for x in samples:
        y = x @ w
        w = w + 0.01 * y * (x[:, None] - y * w)
    assert np.allclose(learned(hebbian.oja(eta=10 * Hz), samples, w0), w, rtol=0, atol=1e-13)


def test_oja_ends_at_norm_one_along_the_first_component():
    samples = random_samples(6000)
    w = learned(hebbian.oja(eta=3 * Hz), samples, 0.1 * np.ones((4, 1)))[:, 0]
    first = np.linalg.svd(samples, full_matrices=False)[2][0]
    assert np.linalg.norm(w) == pytest.approx(1, abs=0.02)
    assert abs(w @ first) > 0.99


def test_oja_names_the_rates_it_lacks():
    with pytest.raises(CircuitError, match="x='x_pre'"):
        rate_circuit(hebbian.oja(y="z_post"), random_samples(2), np.ones((4, 1)))


# Sanger


def test_sanger_is_the_generalised_hebbian_algorithm():
    samples = random_samples(120)
    w = np.random.default_rng(2).standard_normal((3, 4)) * 0.3
    parts = hebbian.sanger_parts(timed(samples, 2 * DT), w, eta=10 * Hz)
    names = ["forward_1", "forward_2", "forward_3", "back_1", "back_2"]
    net = Circuit(**parts, record=[weights(name) for name in names], dt=DT)
    recording = engine.run(net, 2 * len(samples) * DT, backend="interpreted")
    found = {name: recording.weights[f"{name}.w"].values[-1] for name in names}
    for x in samples:
        y = w @ x
        # Sanger's matrix form: the lower triangle of y y^T
        w = w + 0.01 * (np.outer(y, x) - np.tril(np.outer(y, y)) @ w)
    for k in range(3):
        assert np.allclose(found[f"forward_{k + 1}"], w[k], rtol=0, atol=1e-13)
    assert np.array_equal(found["forward_1"], found["back_1"])
    assert np.array_equal(found["forward_2"], found["back_2"])


def test_sanger_refuses_samples_that_do_not_fit():
    with pytest.raises(CircuitError, match=r"samples of shape \(5, 3\) and weights of shape \(2, 4\)"):
        hebbian.sanger_parts(timed(np.zeros((5, 3)), DT), np.zeros((2, 4)))


# BCM


def test_bcm_is_its_equation():
    samples, w0 = random_samples(200), np.array([[0.2], [0.1], [-0.1], [0.3]])
    w, theta = w0[:, 0].copy(), 0.0
    for x in samples:
        y = x @ w
        theta = y**2 + (theta - y**2) * np.exp(-1 / 50)
        w = w + 0.002 * x * y * (y - theta)
    found = learned(hebbian.bcm(eta=2 * Hz, tau_theta=50 * ms), samples, w0)
    assert np.allclose(found[:, 0], w, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_patterns", [2, 5])
def test_bcm_rests_where_one_pattern_gets_all(n_patterns):
    rows = np.linalg.qr(np.random.default_rng(3).standard_normal((6, n_patterns)))[0].T
    net = rate_circuit(
        hebbian.bcm(eta=2 * Hz, tau_theta=100 * ms),
        np.tile(rows, (600, 1)),
        1.2 * n_patterns * rows[:1].T + 0.1 * rows[1:].sum(axis=0)[:, None],
    ).but({"learning.theta_bcm": [1.0 * n_patterns]})
    recording = engine.run(net, 600 * n_patterns * DT * 2, backend="interpreted")
    response = rows @ recording.weights["learning.w"].values[-1]
    assert response[0] / n_patterns == pytest.approx(1, abs=0.05)
    assert np.abs(response[1:]).max() < 0.05 * n_patterns


# Spiking Oja


def test_spiking_oja_pairs():
    """One pre, two posts: x exp(-s/tau), then the same less the decay with z; last pre sees y of both."""
    A, alpha, tau, tau_mean = 0.01, 0.7, 20.0, 1000.0
    rule = hebbian.spiking_oja(A=A, alpha=alpha)
    start, step = 0.5, 0.1
    w = start + A * np.exp(-10 / tau)
    assert change(compose(rule, w=start), [10], [20]) == pytest.approx(w, rel=1e-10)
    w += A * (np.exp(-25 / tau) - alpha * np.exp(-15 / tau) * w)
    assert change(compose(rule, w=start), [10], [20, 35]) == pytest.approx(w, rel=1e-10)
    depression = A * np.expm1(step / tau_mean) / (1 - np.exp(-step / tau))
    w -= depression * (np.exp(-40 / tau_mean) + np.exp(-25 / tau_mean))
    assert change(compose(rule, w=start), [10, 60], [20, 35]) == pytest.approx(w, rel=1e-10)


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_spiking_oja_has_no_area(dt):
    """Over all lags on the grid, a coincidence included, potentiation and depression cancel."""
    rule = hebbian.spiking_oja(A=1.0, alpha=0.0)
    lags = np.arange(0, 30_000 / dt) * dt
    up = np.exp(-lags / 20).sum()
    down = np.expm1(dt / 1000) / (1 - np.exp(-dt / 20)) * np.exp(-lags[1:] / 1000).sum()
    assert up == pytest.approx(down, rel=1e-9)
    # that these are the numbers of the rule: one lag of each side
    net = relay_circuit(compose(rule, w=0.0, bounds=unbounded()), [30.0], [30.0], dt=dt * ms)
    found = engine.run(net, 60 * ms, backend="interpreted").weights["learning.w"].values[-1, 0]
    assert found == pytest.approx(1.0, rel=1e-12)
    net = relay_circuit(compose(rule, w=0.0, bounds=unbounded()), [30.0 + dt], [30.0], dt=dt * ms)
    found = engine.run(net, 60 * ms, backend="interpreted").weights["learning.w"].values[-1, 0]
    expected = -np.expm1(dt / 1000) / (1 - np.exp(-dt / 20)) * np.exp(-dt / 1000)
    assert found == pytest.approx(expected, rel=1e-9)


def random_trains(seed, n, mean, until):
    random = np.random.default_rng(seed)
    return np.unique(np.round(np.cumsum(random.exponential(mean, n)), 1))[:n]


def test_spiking_oja_equals_the_model_written_by_hand():
    pre, post = (random_trains(seed, 30, 12.0, 400) + 1 for seed in (4, 5))
    pre, post = pre[pre < 390], post[post < 390]
    brian2.start_scope()
    brian2.set_device("runtime")
    brian2.prefs.codegen.target = "numpy"
    brian2.defaultclock.dt = 0.1 * ms
    source = brian2.SpikeGeneratorGroup(1, np.zeros(len(pre), int), pre * ms)
    target = brian2.SpikeGeneratorGroup(1, np.zeros(len(post), int), post * ms)
    by_hand = brian2.Synapses(
        source,
        target,
        """w : 1
           dx/dt = -x/(20*ms) : 1 (event-driven)
           dz/dt = -z/(20*ms) : 1 (event-driven)
           dy/dt = -y/second : 1 (event-driven)""",
        on_pre="""w = clip(w - 0.02*expm1(dt/second)/(1 - exp(-dt/(20*ms)))*y, 0, 1)
                  x += 1""",
        on_post="""w = clip(w + 0.02*(x - 0.5*z*w), 0, 1)
                   z += 1
                   y += 1""",
    )
    by_hand.connect()
    by_hand.w = 0.4
    net = brian2.Network(source, target, by_hand)
    net.run(400 * ms, namespace={})
    found = change(compose(hebbian.spiking_oja(A=0.02, alpha=0.5), bounds=hard(0, 1), w=0.4), pre, post)
    assert found == pytest.approx(float(by_hand.w[0]), rel=1e-11)
    assert found != pytest.approx(0.4, abs=0.05)  # something was learned


def test_spiking_oja_stays_within_bounds():
    pre, post = (random_trains(seed, 60, 5.0, 400) + 1 for seed in (6, 7))
    learning = compose(
        hebbian.spiking_oja(A=0.5 * mV, alpha=0.3 / mV, tau_mean=1 * second),
        synapse=synapses.delta("v", 1.5 * mV),
        bounds=hard(1 * mV, 2 * mV),
    )
    relay = Cell("relay", "u : 1\nv : volt", threshold="u > 0.5", reset="u = 0")
    net = relay_circuit(compose(hebbian.spiking_oja()), pre[pre < 290], post[post < 290])
    net = net.with_(
        cell=population(relay, 1),
        learning=projection("source", "cell", learning, wiring.one_to_one()),
        record=[weights("learning", "w", every=100 * ms)],
    )
    w = engine.run(net, 300 * ms, backend="interpreted").weights["learning.w"].values
    assert w.min() >= 1e-3 and w.max() == 2e-3  # the upper bound is met
