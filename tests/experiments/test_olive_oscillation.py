"""The olive's measurements on circuits whose answer is known, and the experiment on seeds of its own."""

import numpy as np
import pytest
from brian2.units import cm, ms, msiemens, nS, pA, second
from matplotlib import pyplot

import engine
from circuits import Circuit, current, olive, spikes, trace
from experiments import olive_oscillation as experiment
from experiments.parameters import chosen


class Found:
    """The parts of a recording that `measure` reads."""

    def __init__(self, v, t, i, duration):
        step = 4e-3
        times = np.arange(len(v)) * step
        self.traces = {"olive.v": type("Trace", (), dict(t=times, values=v))}
        self.spikes = {"olive": type("Spikes", (), dict(t=t, i=i, n=v.shape[1]))}
        self.duration = duration


def turning(shifts, f=6.0, duration=30.0):
    t = np.arange(0, duration, 4e-3)
    return t, -57e-3 + 3e-3 * np.cos(2 * np.pi * f * t[:, None] + np.asarray(shifts))


def test_measures_of_cells_in_step_and_out_of_step():
    """Two clusters of 4: one in unison, one spread over the cycle."""
    t, v = turning([0, 0, 0, 0, 0, np.pi / 2, np.pi, 3 * np.pi / 2])
    peaks = np.arange(12, 174, 6) / 6.0  # of the first cell, at its maximum, once a second
    at = np.concatenate([peaks, peaks])
    found = Found(v, at, np.repeat([0, 1], len(peaks)), 30.0)
    order, f, amplitude, correlation, rate, together, up, shifted = experiment.measure(found, 4)
    assert order == pytest.approx(0.5, abs=1e-3)
    assert f == pytest.approx(6, rel=1e-3)
    assert amplitude == pytest.approx(3, rel=0.02)
    assert correlation == pytest.approx((1 + (-2 / 6)) / 2, abs=0.01)
    assert rate == pytest.approx(2 * np.sum(peaks >= 1.5) / 28.5 / 8)
    # Both spike together in n of 570 bins of 50 ms: n/570 against (n/570)**2 by chance.
    assert together == pytest.approx(570 / np.sum(peaks >= 1.5))
    assert up == 1.0 and 0 <= shifted <= 1


def test_independent_spikes_coincide_as_often_as_by_chance():
    random = np.random.default_rng(3)
    _, v = turning(random.uniform(0, 6, 8), duration=60.0)
    spike, i = random.uniform(0, 60, 8 * 300), np.repeat(np.arange(8), 300)
    together, up = np.array(experiment.measure(Found(v, spike, i, 60.0), 4))[[5, 6]]
    assert together == pytest.approx(1, abs=0.06)
    assert up == pytest.approx(0.5, abs=0.04)


def test_silent_cells_have_no_coincidences():
    _, v = turning(np.zeros(4))
    values = experiment.measure(Found(v, np.zeros(0), np.zeros(0, int), 30.0), 4)
    assert values[4] == 0 and np.isnan(values[5:]).all()


@pytest.mark.compiled
def test_coupling_coefficient_of_a_passive_pair():
    """Without calcium currents it is g/(g + g_L), the same in both directions."""
    cell = olive.spiking(g_Ca=0 * msiemens / cm**2, g_L=0.3 * msiemens / cm**2)
    parts = olive.network(1, 2, cell=cell, spread=0, gap=(0.4, 0.4) * nS)
    net = Circuit(
        **parts,
        probe=current("olive", "I", np.zeros(2) * pA),
        record=[trace("olive", "v", every=2 * ms), spikes("olive")],
        dt=1 * ms,
    )
    g_L = 0.3e-3 * np.pi * 25e-4**2 * 1e9
    found = experiment.coupling_coefficients(net, 1, 0.5, 2, length=0.6)
    np.testing.assert_allclose(found, 0.2 / (0.2 + g_L), rtol=1e-3)


@pytest.mark.compiled
@pytest.mark.slow
def test_the_quick_form_holds_its_claims_and_draws():
    results = experiment.run(**chosen(experiment, quick=True, seed=60))
    made = experiment.claims(results)
    assert not [claim.name for claim in made if not claim.holds]
    assert sum(claim.control for claim in made) == 11
    figure = experiment.figure(results)
    assert len(figure.axes) >= 10
    pyplot.close(figure)


@pytest.mark.compiled
@pytest.mark.slow
def test_other_sizes_and_strengths():
    """Clusters of 8 and 20, at a step of 1 ms, with 8 and 40 nuclear cells that open as much."""
    for clusters, size, n_nuclei, seed in ((3, 8, 8, 71), (2, 20, 40, 72)):
        net = experiment.network(seed, clusters=clusters, size=size, n_nuclei=n_nuclei, dt=1 * ms)
        def order_and_rate(size=size, net=net, seed=seed, **numbers):
            found = experiment.measure(engine.run(net.but(numbers), 30 * second, seed=seed), size)
            return np.array([found[0], found[4]])

        rest = order_and_rate()
        inhibited = order_and_rate(**{"nuclei.rates": np.full(3, 240 / n_nuclei) / second})
        assert rest[0] > 0.7 and 0.5 < rest[1] < 2
        assert inhibited[0] < 0.7 * rest[0] and inhibited[1] < 0.8 * rest[1]
        assert order_and_rate(**{"olive_gap.scale": 0.0})[0] < 0.5
