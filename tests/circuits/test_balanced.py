"""Balanced networks: in-degrees; the cell of Brunel's network, its delay and refractory period."""

import numpy as np
import pytest
from brian2.units import Hz, ms, mV

import engine
from circuits import Circuit, CircuitError, population, rate, spikes, trace, weights
from circuits.balanced import brunel, brunel_cell, vogels_abbott
from circuits.microcircuit import microcircuit


def test_every_cell_receives_from_so_many_different_ones():
    net = brunel(80, epsilon=0.2, record=[weights("exc"), weights("inh")])
    drawn = engine.run(net, 0 * ms, seed=2, backend="interpreted").weights
    for name, sources, k in (("exc", 80, 16), ("inh", 20, 4)):
        found = drawn[f"{name}.w"]
        assert (np.bincount(found.j, minlength=100) == k).all()
        assert len(set(zip(found.i, found.j, strict=True))) == 100 * k
        assert np.bincount(found.i).size == sources
        np.testing.assert_allclose(found.values[-1], 1e-4)


def test_numbers_are_no_structure():
    plain = brunel(400, J=0.5 * mV)
    other = brunel(400, J=1 * mV, g=3, eta=4, delay=1 * ms)
    assert plain.structure() == other.structure()
    assert plain.but({"inh.g": 3, "cells.eta": 4}).structure() == plain.structure()


@pytest.mark.parametrize("eta, J", [(0.5, 0.1), (2.0, 0.5)])
def test_external_input_has_the_mean_and_variance_of_a_poisson_process(eta, J):
    """Jumps of J at rate r per step on a voltage that decays by q: J r/(1 - q), J^2 r/(1 - q^2)."""
    n, q, rate_of_steps = 2000, np.exp(-0.1 / 20), eta * 20 * 0.1 / (J * 20)
    net = Circuit(
        cells=population(brunel_cell(J_ext=J * mV, eta=eta, V_t=20 * mV).edit("v > V_t", "v > 10*V_t"), n),
        record=[trace("cells", "v", every=60 * ms)],
    )
    v = 1e3 * engine.run(net, 181 * ms, seed=4, backend="interpreted").traces["cells.v"].values[-1]
    mean, variance = J * rate_of_steps / (1 - q), J**2 * rate_of_steps / (1 - q**2)
    assert abs(v.mean() - mean) < 4.5 * np.sqrt(variance / n)
    assert abs(v.var() / variance - 1) < 4.5 * np.sqrt(2 / n)


def volleys(delay, t_ref):
    """Step to cells that fire in it: the first starts above the threshold, nothing comes from outside."""
    cell = brunel_cell(eta=0.0, t_ref=t_ref * ms)
    net = brunel(4, epsilon=1, J=30 * mV, g=0, delay=delay * ms, record=[spikes("cells")])
    net = net.with_(cells=population(cell, 5, init={"v": np.array([21.0, 0, 0, 0, 0]) * mV}))
    found = engine.run(net, 7 * ms, backend="interpreted").spikes["cells"]
    steps = np.rint(found.t * 1e4).astype(int)
    return {int(step): sorted(found.i[steps == step].tolist()) for step in np.unique(steps)}


def test_a_spike_is_felt_after_the_delay_and_lost_while_a_cell_is_held():
    """Spike to spike it takes exactly the delay; what arrives in one of the steps of t_ref is lost."""
    first, others, everyone = [0], [1, 2, 3, 4], [0, 1, 2, 3, 4]
    assert volleys(2.0, 1.5) == {0: first, 20: everyone, 40: everyone, 60: everyone}
    assert volleys(1.5, 1.4) == {0: first, 15: everyone, 30: everyone, 45: everyone, 60: everyone}
    # the first cell still is held when its own spike comes back, and so it goes on
    assert volleys(1.5, 1.5) == {0: first, 15: others, 30: first, 45: others, 60: first}


def test_bad_networks_are_refused():
    for wrong in (dict(n_e=10), dict(n_e=0), dict(epsilon=1.2), dict(delay=0.05 * ms)):
        with pytest.raises(CircuitError, match="brunel, "):
            brunel(**{"n_e": 40, **wrong})
    with pytest.raises(CircuitError):
        brunel(40, J=1 * Hz)


def test_cuba_fires():
    net = vogels_abbott(400, 0.1, record=[rate("cells", every=1 * ms)])
    found = engine.run(net, 60 * ms, seed=1, backend="interpreted").rates["cells"].rate
    assert 1 < found.mean() < 100


@pytest.mark.parametrize(
    "values",
    [dict(delay=5 * mV), dict(delay=5), dict(J=1 * ms), dict(n_e="3"), dict(n_e=8.0), dict(epsilon="x")],
)
def test_what_is_no_such_number_is_refused_by_name(values):
    (name,) = values
    with pytest.raises(CircuitError, match=f"brunel, {name}"):
        brunel(**values)


@pytest.mark.parametrize("n", ["x", 1, 100.5])
def test_a_network_has_a_whole_number_of_cells(n):
    with pytest.raises(CircuitError, match="vogels_abbott, n"):
        vogels_abbott(n)


@pytest.mark.parametrize("dt", [5, 1 * mV, 0 * ms, -1 * ms])
def test_steps_that_are_none_are_refused_by_name(dt):
    with pytest.raises(CircuitError, match="brunel, dt"):
        brunel(dt=dt)
    with pytest.raises(CircuitError, match="microcircuit, dt"):
        microcircuit(0.01, dt=dt)
