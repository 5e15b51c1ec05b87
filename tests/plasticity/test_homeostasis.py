"""Homeostatic rules against their equations, with what they must keep: ratios, sums, the count of spikes."""

import brian2
import numpy as np
import pytest
from brian2 import Hz, ms, mV, second

import engine
from circuits import (
    Cell,
    Circuit,
    CircuitError,
    neurons,
    poisson,
    population,
    projection,
    spike_trains,
    spikes,
    synapses,
    trace,
    weights,
    wiring,
)  # fmt: skip
from plasticity import compose, hard, homeostasis, stdp, unbounded

RELAY = Cell("relay", "u : 1\nv : volt", threshold="u > 0.5", reset="u = 0")


def driven(learning, pre, post, *, record, cell=RELAY, n=1, dt=0.1 * ms):
    """n cells that spike at the times `post` (ms), with one source that spikes at the times `pre`."""
    return Circuit(
        source=spike_trains(1, i=np.zeros(len(pre)), t=np.asarray(pre, dtype=float) * ms),
        driver=spike_trains(1, i=np.zeros(len(post)), t=np.asarray(post, dtype=float) * ms - dt),
        cells=population(cell, n),
        drive=projection("driver", "cells", synapses.delta("u", 1.0), wiring.all_to_all()),
        learning=projection("source", "cells", learning, wiring.all_to_all()),
        record=record,
        dt=dt,
    )


def run(net, duration, **options):
    return engine.run(net, duration, backend="interpreted", **options)


# Scaling

SCALING = dict(goal=10 * Hz, beta=0.02, gamma=0.01 * Hz, tau=0.5 * second, every=20 * ms)


def test_scaling_is_its_equation():
    """The factor follows a, which decays and jumps by 1/tau at every spike, and the integral of goal - a."""
    post = [105.0, 110.0, 333.0]
    learning = compose(
        homeostasis.scaling(**SCALING), synapse=synapses.delta("v", 1 * mV), bounds=unbounded()
    )
    record = [trace("cells", "s_scaling_learning", every=20 * ms), trace("cells", "v", every=20 * ms)]
    recording = run(driven(learning, [399.95], post, record=record), 420 * ms)
    s, error = 1.0, 0.0
    expected = []
    for step in range(21):
        t = 20.0 * step
        # a spike of step k acts on what is read from step k + 1 on
        a = 10 * np.exp(-t / 500) + sum(2 * np.exp(-(t - p) / 500) for p in post if p < t)
        error += (10 - a) * 0.02
        s *= np.exp((0.02 * (10 - a) + 0.01 * error) * 0.02)
        expected.append(s)
    found = recording.traces["cells.s_scaling_learning"].values[:, 0]
    # what is due every so often comes first in a step, then what is recorded
    np.testing.assert_allclose(found, expected, rtol=2e-5)
    assert recording.traces["cells.v"].values[-1, 0] == pytest.approx(1e-3 * found[-2], rel=2e-3)


def test_scaling_leaves_the_ratios_of_weights():
    """Inputs over two synapses of 1 and 3 mV raise v in that ratio at all times, while the factor changes."""
    cell = Cell("relay", "u : 1\nv : volt", threshold="u > 0.5", reset="u = 0")
    learning = compose(
        homeostasis.scaling(**SCALING), synapse=synapses.delta("v", 1 * mV), bounds=unbounded()
    )
    heights = []
    for w in (1 * mV, 3 * mV):
        net = driven(learning, [350.0], [5.0], cell=cell, record=[trace("cells", "v"), weights("learning")])
        recording = run(net.but({"learning.w": w}), 360 * ms)
        heights.append(recording.traces["cells.v"].values[-1, 0])
        assert recording.weights["learning.w"].values[-1, 0] == float(w)
    assert heights[1] / heights[0] == pytest.approx(3, rel=1e-12)
    assert abs(heights[0] / 1e-3 - 1) > 0.005  # the factor has moved


def test_scaling_composes_with_stdp_without_touching_it():
    """What STDP makes of a weight that is not read by it does not depend on the factor."""
    pre, post = [10.0, 50.0, 90.0], [15.0, 45.0, 99.0]
    rules = [stdp.pair(A_plus=0.1 * mV, A_minus=0.1 * mV)]
    ends = []
    for more in ([], [homeostasis.scaling(**SCALING)]):
        learning = compose(*rules, *more, synapse=synapses.delta("v", 1 * mV), bounds=hard(0 * mV, 2 * mV))
        net = driven(learning, pre, post, record=[weights("learning")])
        ends.append(run(net, 120 * ms).weights["learning.w"].values[-1, 0])
    assert ends[0] == ends[1] != 1e-3


# Normalisation


def test_normalisation_makes_sums_and_keeps_ratios():
    w = np.array([[1.0, 0.0], [2.0, 0.0], [5.0, 0.0]])
    learning = compose(homeostasis.normalisation(total=4.0, every=10 * ms), w=w, bounds=hard(0, 10))
    net = Circuit(
        inputs=poisson(3, 0 * Hz),
        cells=population(neurons.leaky(), 2),
        learning=projection("inputs", "cells", learning, wiring.all_to_all()),
        record=[weights("learning", "w", every=5 * ms)],
    )
    found = run(net, 25 * ms).weights["learning.w"].values.reshape(-1, 3, 2)
    assert np.allclose(found[-1, :, 0], [0.5, 1.0, 2.5], rtol=1e-14)
    assert not found[-1, :, 1].any()  # a neuron without weights is left alone


def test_normalisation_stops_at_bounds():
    w = np.array([[1.0], [1.0], [8.0]])
    learning = compose(homeostasis.normalisation(total=20.0, every=10 * ms), w=w, bounds=hard(0, 10))
    net = Circuit(
        inputs=poisson(3, 0 * Hz),
        cells=population(neurons.leaky(), 1),
        learning=projection("inputs", "cells", learning, wiring.all_to_all()),
        record=[weights("learning")],
    )
    found = run(net, 1 * second).weights["learning.w"].values[-1]
    assert found[2] == 10 and found[:2].sum() == pytest.approx(10, rel=1e-6)


# Intrinsic plasticity

THRESHOLD = neurons.leaky().plus("theta : volt").edit("v > V_t", "v > V_t + theta")


def test_intrinsic_counts_spikes():
    learning = compose(
        homeostasis.intrinsic(goal=20 * Hz, step=0.3 * mV),
        synapse=synapses.delta("v", 6 * mV),
        bounds=unbounded(),
    )
    net = Circuit(
        inputs=poisson(20, 40 * Hz),
        cells=population(THRESHOLD, 3),
        learning=projection("inputs", "cells", learning, wiring.all_to_all()),
        record=[spikes("cells"), trace("cells", "theta")],
        dt=0.5 * ms,
    )
    recording = run(net, 1 * second, seed=3)
    theta = recording.traces["cells.theta"].values
    counted = recording.spikes["cells"]
    count = np.bincount(counted.i[counted.t < 0.9995 - 1e-9], minlength=3)
    assert count.min() > 5
    # the last value is that of the beginning of the last step
    fall = 0.3e-3 * 20 * (1 - 0.5e-3)
    assert theta[-1] == pytest.approx(0.3e-3 * count - fall, abs=0.3e-3 * 20 * 1e-3)


@pytest.mark.compiled
def test_intrinsic_reaches_its_goal():
    learning = compose(
        homeostasis.intrinsic(goal=8 * Hz, step=0.1 * mV),
        synapse=synapses.delta("v", 1 * mV),
        bounds=unbounded(),
    )
    net = Circuit(
        inputs=poisson(40, 40 * Hz),
        cells=population(THRESHOLD, 10),
        learning=projection("inputs", "cells", learning, wiring.all_to_all()),
        record=[spikes("cells")],
        dt=0.5 * ms,
    )
    counted = engine.run(net, 60 * second, seed=1).spikes["cells"]
    late = (counted.t > 20).sum() / 40 / 10
    assert late == pytest.approx(8, rel=0.05)
    still = engine.run(net.but({"learning.step_intrinsic": 0 * mV}), 60 * second, seed=1).spikes["cells"]
    assert not (still.t > 20).sum() / 40 / 10 == pytest.approx(8, rel=0.2)


def test_intrinsic_says_how_to_get_a_threshold():
    learning = compose(homeostasis.intrinsic(), synapse=synapses.delta("v", 1 * mV), bounds=unbounded())
    with pytest.raises(CircuitError, match="theta : volt"):
        driven(learning, [1.0], [1.0], cell=neurons.leaky().plus("u : 1"), record=[])


# Triplet rule with homeostatic depression


def triplet_by_hand(pre, post, w, A=6.5e-3, kappa=3.0, tau_nu=10.0):
    """Event by event; times in ms, kappa in Hz, tau_nu in s."""

    def trail(times, t, tau):
        return sum(np.exp(-(t - s) / tau) for s in times if s < t)

    for t, kind in sorted([(t, 0) for t in pre] + [(t, 1) for t in post]):
        if kind:
            w += A * trail(pre, t, 16.8) * trail(post, t, 114)
        else:
            nu = kappa * np.exp(-(t + 0.1) / 1000 / tau_nu)  # the cell's step comes first
            nu += sum(np.exp(-(t - s) / 1000 / tau_nu) for s in post if s < t) / tau_nu
            w -= A * 16.8 * 114 / 33.7 / kappa * 1e-3 * nu**2 * trail(post, t, 33.7)
    return w


def test_triplet_ltd_is_its_equation():
    random = np.random.default_rng(1)
    pre, post = (np.unique(np.round(random.uniform(1, 390, 25), 1)) for _ in range(2))
    post = np.setdiff1d(post, pre)
    learning = compose(homeostasis.triplet_ltd(tau_nu=1 * second), w=0.5, bounds=unbounded())
    found = run(driven(learning, pre, post, record=[weights("learning")]), 400 * ms)
    expected = triplet_by_hand(pre, post, 0.5, tau_nu=1.0)
    assert found.weights["learning.w"].values[-1, 0] == pytest.approx(expected, rel=1e-4)
    assert abs(expected - 0.5) > 0.02


def test_triplet_ltd_equals_the_model_written_by_hand():
    random = np.random.default_rng(2)
    pre, post = (np.unique(np.round(random.uniform(1, 290, 30), 1)) for _ in range(2))
    brian2.start_scope()
    brian2.set_device("runtime")
    brian2.prefs.codegen.target = "numpy"
    brian2.defaultclock.dt = 0.1 * ms
    source = brian2.SpikeGeneratorGroup(1, np.zeros(len(pre), int), pre * ms)
    target = brian2.NeuronGroup(
        1, "u : 1\ndnu/dt = -nu/(1*second) : Hz", threshold="u > 0.5", reset="u = 0\nnu += 1*Hz",
        method="exact",
    )  # fmt: skip
    driver = brian2.SpikeGeneratorGroup(1, np.zeros(len(post), int), post * ms - 0.1 * ms)
    drive = brian2.Synapses(driver, target, on_pre="u_post += 1")
    drive.connect()
    by_hand = brian2.Synapses(
        source,
        target,
        """w : 1
           dx/dt = -x/(16.8*ms) : 1 (event-driven)
           dy/dt = -y/(33.7*ms) : 1 (event-driven)
           dslow/dt = -slow/(114*ms) : 1 (event-driven)""",
        on_pre="""w = clip(w - 0.0065*16.8*114/33.7*ms/(3*Hz)*nu_post**2*y, 0, 1)
                  x += 1""",
        on_post="""w = clip(w + 0.0065*x*slow, 0, 1)
                   y += 1
                   slow += 1""",
    )
    by_hand.connect()
    by_hand.w = 0.4
    target.nu = 3 * Hz
    brian2.Network(source, target, driver, drive, by_hand).run(300 * ms, namespace={})
    learning = compose(homeostasis.triplet_ltd(tau_nu=1 * second), w=0.4)
    found = run(driven(learning, pre, post, record=[weights("learning")]), 300 * ms)
    assert found.weights["learning.w"].values[-1, 0] == pytest.approx(float(by_hand.w[0]), rel=1e-11)


def test_triplet_ltd_balances_at_kappa():
    """For Poisson trains of rates r and nu the mean drift is A tau+ tau_y r nu**2 (1 - nu/kappa)."""
    for nu, sign in ((1.5, 1), (3.0, 0), (6.0, -1)):
        potentiation = 16.8e-3 * 114e-3 * nu**2
        depression = 16.8e-3 * 114e-3 / (33.7e-3 * 3.0) * nu**2 * 33.7e-3 * nu
        assert np.sign(round(potentiation - depression, 12)) == sign
