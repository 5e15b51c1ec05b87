"""The microcircuit of Potjans & Diesmann: its table against the paper's totals, scaling, synapses drawn."""

import numpy as np
import pytest
from brian2.units import ms, mV, pA

import engine
from circuits import (
    Circuit,
    CircuitError,
    neurons,
    population,
    projection,
    spike_trains,
    synapses,
    trace,
    wiring,
)
from circuits import microcircuit as column


def test_the_table_gives_the_totals_of_the_paper():
    assert column.SIZES.sum() == 77169
    assert column.number_of_synapses().sum() == pytest.approx(0.299e9, rel=2e-3)
    assert float(column.current_of(column.PSP, column.cell()) / pA) == pytest.approx(87.8, abs=0.02)
    # no inhibition leaves layer 6, and the strongest connection is that within the inhibition of layer 5
    assert (column.PROBABILITIES[:6, 7] == 0).all() and column.PROBABILITIES.max() == 0.3726


def test_the_probability_is_that_of_at_least_one_synapse():
    """K synapses drawn at random leave a pair without any with probability (1 - 1/pairs)^K."""
    pairs = np.outer(column.SIZES, column.SIZES)
    there = -np.expm1(column.number_of_synapses() * np.log1p(-1 / pairs))
    np.testing.assert_allclose(there, column.PROBABILITIES, atol=2e-7)


def test_one_spike_raises_the_voltage_by_the_paper_s_amplitude():
    cell = column.cell(V_0=-65 * mV, V_spread=0 * mV)
    w = column.current_of(0.15 * mV, cell)
    net = Circuit(
        cells=population(cell, 1), source=spike_trains(1, i=[0], t=[1] * ms),
        syn=projection("source", "cells", synapses.delta("I_syn", w=w), wiring.one_to_one()),
        record=[trace("cells", "v")], dt=0.02 * ms,
    )  # fmt: skip
    v = engine.run(net, 10 * ms, backend="interpreted").traces["cells.v"].values
    assert 1e3 * (v.max() + 65e-3) == pytest.approx(0.15, rel=1e-3)


@pytest.mark.parametrize("in_degrees", [1.0, 0.3, 0.05])
@pytest.mark.parametrize("kind", ["poisson", "dc"])
def test_scaling_keeps_the_mean_input_of_the_whole_circuit(kind, in_degrees):
    """And, of Poisson input, the variance: K w^2 stays while w grows as 1/sqrt(in_degrees)."""
    cell = column.cell()
    tau, w = float(cell.params["tau_syn"]), float(column.current_of(column.PSP, cell))
    strength = np.tile([1, -4.0], (8, 4))
    strength[0, 2] = 2
    k = column.number_of_synapses() / column.SIZES[:, None]
    whole = tau * w * ((k * strength * column.RATES).sum(axis=1) + 8 * column.EXTERNAL)
    rates, w_ext, constant = column.background(in_degrees, kind)
    recurrent = tau * w / np.sqrt(in_degrees) * (in_degrees * k * strength * column.RATES).sum(axis=1)
    # external in-degrees are whole numbers
    np.testing.assert_allclose(recurrent + tau * w_ext * rates + constant, whole, atol=4 * tau * w_ext)
    if kind == "poisson":
        np.testing.assert_allclose(rates * w_ext**2, 8 * column.EXTERNAL * w**2, rtol=0.02)
    else:
        assert (rates == 0).all()


def test_synapses_are_drawn_as_the_table_says():
    scale = 0.03
    i, j, strength, delay = column.connections(scale, 0.1, seed=3)
    counts, where = column.number_of_synapses(scale, 0.1), column.slices(scale)
    for a, target in enumerate(column.POPULATIONS):
        for b, source in enumerate(column.POPULATIONS):
            inside = (j >= where[target].start) & (j < where[target].stop)
            inside &= (i >= where[source].start) & (i < where[source].stop)
            n = np.count_nonzero(inside)
            assert n == counts[a, b]
            if n > 1000:
                mean = (-4 if b % 2 else 1) * (2 if (target, source) == ("L23E", "L4E") else 1)
                assert abs(strength[inside].mean() / mean - 1) < 4.5 * 0.1 / np.sqrt(n)
                assert abs(strength[inside].std() / abs(mean) / 0.1 - 1) < 4.5 / np.sqrt(2 * n)
                middle = np.median(delay[inside])  # a normal distribution cut below shifts little
                assert abs(middle - (0.75e-3 if b % 2 else 1.5e-3)) < 0.1e-3
    assert np.allclose(delay / 1e-4, np.rint(delay / 1e-4)) and delay.min() == pytest.approx(1e-4)
    assert (np.sign(strength) == np.where(np.isin(i, inhibitory(where)), -1, 1)).all()


def inhibitory(where):
    return np.concatenate([np.arange(s.start, s.stop) for name, s in where.items() if name.endswith("I")])


def test_another_seed_is_the_same_structure_and_it_runs():
    net, other = column.microcircuit(0.01, seed=1), column.microcircuit(0.01, seed=2, kind="dc")
    assert net.structure() == other.structure()
    assert (net.numbers()["recurrent.w"] != other.numbers()["recurrent.w"]).any()
    found = engine.run(net, 30 * ms, seed=1, backend="interpreted").spikes["cells"]
    assert found.n == sum(s.stop - s.start for s in column.slices(0.01).values()) and len(found.t) > 10


def test_bad_scales_are_refused():
    for wrong in (dict(scale=0), dict(scale=2), dict(in_degrees=-1), dict(kind="noise"), dict(scale=1e-4)):
        with pytest.raises(CircuitError, match="microcircuit, "):
            column.microcircuit(**{"scale": 0.01, **wrong})


@pytest.mark.parametrize(
    "given, name",
    [(dict(scale="x"), "scale"), (dict(in_degrees=1e-9), "in_degrees"), (dict(of=neurons.leaky()), "of")],
)
def test_what_makes_no_circuit_is_refused_by_name(given, name):
    with pytest.raises(CircuitError, match=f"microcircuit, {name}"):
        column.microcircuit(**{"scale": 0.01, **given})


@pytest.mark.parametrize("tau_m", [0.5, 0.5 * (1 + 1e-9), 0.5 * (1 - 1e-13), 0.2])
def test_the_current_of_an_amplitude_has_a_value_for_any_time_constants(tau_m):
    """Against the largest value of the difference of exponentials, which is t exp(-t/tau)/C_m where equal."""
    w = float(column.current_of(0.15 * mV, column.cell(tau_m=tau_m * ms)) / pA)
    t = np.linspace(0, 3, 300001)
    apart = abs(tau_m - 0.5) > 1e-3
    course = (np.exp(-t / tau_m) - np.exp(-t / 0.5)) / (1 / 0.5 - 1 / tau_m) if apart else t * np.exp(-2 * t)
    assert w * course.max() / 250 == pytest.approx(0.15, rel=1e-8)
