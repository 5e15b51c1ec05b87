"""The olive: cells against independent solutions of their equations, junctions and noise in closed form."""

import numpy as np
import pytest
from brian2.units import Hz, cm, mA, ms, msiemens, mV, nS, pA, second, uF, volt
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import engine
from circuits import (
    Circuit,
    CircuitError,
    current,
    neurons,
    olive,
    poisson,
    population,
    projection,
    spike_trains,
    spikes,
    synapses,
    trace,
    wiring,
)

AREA = np.pi * 25e-4**2  # cm2
UNIT = msiemens / cm**2


def slopes(v, h, g_L, g_Ca, pA=0.0, g_i=0.0):
    """dv/dt and dh/dt in mV and ms; current in pA, g_i in nS (mA/cm2 and mS/cm2 need 1e-9 and 1e-6)."""
    m = 1 / (1 + np.exp((-61 - v) / 4.2))
    h_inf = 1 / (1 + np.exp((v + 85.5) / 8.6))
    tau = 40 + 30 / (1 + np.exp((v + 84) / 7.3)) * np.exp((v + 160) / 30)
    outside = (pA * 1e-6 + g_i * 1e-6 * (-75 - v)) / AREA
    return outside - g_L * (v + 63) - g_Ca * m**3 * h * (v - 120), (h_inf - h) / tau


def run(net, duration, **options):
    return engine.run(net, duration, seed=1, backend="interpreted", **options)


def rests(g_L, g_Ca, **outside):
    """The potential (mV) at which nothing changes."""

    def slope(v):
        return slopes(v, 1 / (1 + np.exp((v + 85.5) / 8.6)), g_L, g_Ca, **outside)[0]

    return brentq(slope, -95, -40)


@pytest.mark.parametrize(("g_L", "g_Ca"), [(0.15, 0.40), (0.25, 0.72), (0.35, 0.70)])
def test_subthreshold_cell_solves_its_equations(g_L, g_Ca):
    cell = olive.subthreshold(g_L=g_L * UNIT, g_Ca=g_Ca * UNIT).but(v=-55 * mV, h=0.04)
    net = Circuit(cell=population(cell, 1), record=[trace("cell", "v"), trace("cell", "h")], dt=1 * ms)
    found = run(net, 400 * ms).traces
    t = found["cell.v"].t * 1e3
    exact = solve_ivp(
        lambda t, y: slopes(*y, g_L, g_Ca), (0, 400), (-55, 0.04), t_eval=t, rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(1e3 * found["cell.v"].values[:, 0], exact.y[0], atol=0.01)
    np.testing.assert_allclose(found["cell.h"].values[:, 0], exact.y[1], atol=1e-5)


def test_current_and_inhibition_are_those_of_a_whole_cell():
    """30 pA out of a cell and 2 nS towards -75 mV shift its rest as its area says."""
    cell = olive.subthreshold(g_L=0.35 * UNIT, g_Ca=0.70 * UNIT)
    net = Circuit(
        cell=population(cell, 2),
        I=current("cell", "I", np.array([-30, 0]) * pA),
        g=current("cell", "g_i", np.array([0, 2]) * nS),
        record=[trace("cell", "v"), trace("cell", "coupling")],
        dt=1 * ms,
    )
    found = run(net, 1 * second).traces
    wanted = [rests(0.35, 0.70, pA=-30), rests(0.35, 0.70, g_i=2)]
    np.testing.assert_allclose(1e3 * found["cell.v"].values[-1], wanted, atol=1e-3)
    np.testing.assert_allclose(found["cell.coupling"].values[-1], [1, 1 / (1 + 2 / 0.25)])


def test_coupling_is_that_of_a_junction_between_two_spines():
    """Four nodes: dendrite, head, head, dendrite; heads eliminated, for a junction far below the necks."""
    g_n, g_gap, g_i = 5.0, 0.001, np.array([3.0, 11.0])
    heads = np.array([[g_n + g_gap + g_i[0], -g_gap], [-g_gap, g_n + g_gap + g_i[1]]])
    between = g_n**2 * np.linalg.inv(heads)[0, 1]  # current into one dendrite per volt of the other
    assert between == pytest.approx(g_gap / ((1 + g_i[0] / g_n) * (1 + g_i[1] / g_n)), rel=1e-3)


@pytest.mark.parametrize("junction", ["olive", "plain"])
def test_current_through_junctions(junction):
    """Only the olive's own junction is closed by inhibition: by both of its cells."""
    of_olive = olive.gap_junction(0.3 * nS, scale=2.0)
    synapse = of_olive if junction == "olive" else synapses.gap_junction(0.6 * nS)
    g_i = np.array([0, 0.25, 0.75])
    net = Circuit(
        cell=population(olive.subthreshold(), 3),
        gap=projection("cell", "cell", synapse, wiring.pairs([0, 1, 1, 2], [1, 0, 2, 1])),
        g=current("cell", "g_i", g_i * nS),
        record=[trace("cell", "v"), trace("cell", "I_gap_gap")],
        dt=1 * ms,
    )
    found = run(net, 50 * ms).traces
    v, flows = found["cell.v"].values, found["cell.I_gap_gap"].values
    left = 1 / (1 + g_i / 0.25) if junction == "olive" else np.ones(3)
    wanted = np.stack(
        [
            left[0] * left[1] * (v[:, 1] - v[:, 0]),
            left[1] * (left[0] * (v[:, 0] - v[:, 1]) + left[2] * (v[:, 2] - v[:, 1])),
            left[1] * left[2] * (v[:, 1] - v[:, 2]),
        ],
        axis=1,
    )
    np.testing.assert_allclose(flows[1:], 0.6e-9 * wanted[:-1], atol=1e-16)  # of the step before
    assert np.abs(flows).max() > 1e-13


def test_inhibition_has_its_kernel():
    net = Circuit(
        nucleus=spike_trains(1, i=[0], t=[10] * ms),
        cell=population(olive.subthreshold(), 1),
        nuclear=projection("nucleus", "cell", olive.nucleo_olivary(w=0.02 * nS), wiring.all_to_all()),
        record=trace("cell", "g_i"),
        dt=1 * ms,
    )
    found = run(net, 1 * second).traces["cell.g_i"]
    s = found.t - 11e-3  # a spike acts from the end of its step on
    peak_at = 0.1 * 0.03 / 0.07 * np.log(0.1 / 0.03)
    peak = np.exp(-peak_at / 0.1) - np.exp(-peak_at / 0.03)
    wanted = np.where(s >= 0, 0.02e-9 * (np.exp(-s / 0.1) - np.exp(-s / 0.03)) / peak, 0)
    np.testing.assert_allclose(found.values[:, 0], wanted, atol=1e-16)
    assert found.values.max() == pytest.approx(0.02e-9, rel=1e-4)
    assert found.values.sum() * 1e-3 == pytest.approx(0.02e-9 * 0.167, rel=0.01)


@pytest.mark.parametrize("dt", [0.25, 1.0])
def test_noise_is_an_ornstein_uhlenbeck_process_at_any_step(dt):
    cell = olive.spiking(sigma=5 * pA, tau_n=4 * ms, V_t=1 * volt)
    net = Circuit(cell=population(cell, 800), record=trace("cell", "I_n", every=4 * ms), dt=dt * ms)
    found = run(net, 200 * ms).traces["cell.I_n"].values[10:] * 1e12
    assert found.std() == pytest.approx(5, rel=0.02)
    assert np.mean(found[1:] * found[:-1]) / 25 == pytest.approx(np.exp(-1), abs=0.02)


@pytest.mark.parametrize("dt", [0.25, 1.0])
def test_spikes_come_with_their_hazard(dt):
    """Cells held at a potential: intervals are the refractory time and an exponential one."""
    v = np.array([-45.0, -37.0])
    cell = olive.spiking(C_m=1e9 * uF / cm**2).but(v=np.repeat(v, 100) * mV)
    net = Circuit(cell=population(cell, 200), record=spikes("cell"), dt=dt * ms)
    found = run(net, 1 * second).spikes["cell"]
    for k, hazard in enumerate(100 * np.exp((v + 37) / 4)):
        n = np.sum(found.i // 100 == k) / 100
        # Once a step, from the end of t_ref on, a spike is drawn with 1 - exp(-hazard dt).
        mean = 0.01 + dt * 1e-3 * (1 / (1 - np.exp(-hazard * dt * 1e-3)) - 1)
        assert n == pytest.approx(1 / mean, rel=0.05)


def test_spikes_hyperpolarise():
    """After a spike g_K has jumped by G_K and decays; without noise the cell goes below -67 mV."""
    cell = olive.spiking(sigma=0 * pA, V_t=1 * volt).but(g_K=3 * nS)
    net = Circuit(cell=population(cell, 1), record=[trace("cell", "v"), trace("cell", "g_K")], dt=1 * ms)
    found = run(net, 200 * ms).traces
    t = found["cell.g_K"].t
    np.testing.assert_allclose(found["cell.g_K"].values[:, 0], 3e-9 * np.exp(-t / 0.05), rtol=1e-4)
    assert -0.069 < found["cell.v"].values.min() < -0.067
    firing = olive.spiking(V_t=-70 * mV, sigma=0 * pA)
    net = Circuit(cell=population(firing, 1), record=[spikes("cell"), trace("cell", "g_K")], dt=1 * ms)
    found = run(net, 30 * ms)
    first = round(found.spikes["cell"].t[0] / 1e-3)
    assert found.traces["cell.g_K"].values[first : first + 2, 0] == pytest.approx([0, 3e-9])
    assert np.diff(found.spikes["cell"].t).min() >= 10e-3 - 1e-9


def test_network_joins_pairs_within_clusters():
    parts = olive.network(3, 12, seed=2)
    assert sorted(parts) == ["olive", "olive_gap"] and parts["olive"].n == 36
    wired, w = parts["olive_gap"].wiring, np.asarray(parts["olive_gap"].synapse.params["w"])
    pairs = dict(zip(zip(wired.i, wired.j, strict=True), w, strict=True))
    assert len(pairs) == len(w) == 3 * 2 * 48  # no pair twice
    assert all(a // 12 == b // 12 and a != b and pairs[b, a] == g for (a, b), g in pairs.items())
    assert w.min() >= 0.05e-9 and w.max() <= 0.25e-9
    assert np.unique(w).size == 3 * 48 and w.mean() == pytest.approx(0.15e-9, rel=0.1)


def test_network_spreads_its_cells():
    params = olive.network(20, 50, spread=0.05, seed=1)["olive"].cell.params
    for name, mean in (("g_L", 0.15), ("g_Ca", 0.40)):
        values = np.asarray(params[name] / UNIT)
        assert values.mean() == pytest.approx(mean, rel=0.01)
        assert values.std() == pytest.approx(0.05 * mean, rel=0.1)
    assert abs(np.corrcoef(params["g_L"], params["g_Ca"])[0, 1]) < 0.1
    alike = olive.network(2, 3, spread=0)["olive"].cell.params
    np.testing.assert_allclose(np.asarray(alike["g_L"] / UNIT), 0.15)


def test_seeds_and_numbers_are_no_structure():
    def net(seed, **options):
        parts = olive.network(2, 6, nuclei="nuclei", seed=seed, **options)
        return Circuit(**parts, nuclei=poisson(3, rates=10 * Hz), dt=1 * ms)

    one, other = net(1), net(2, spread=0.1, gap=(0.1, 0.7) * nS)
    assert one.structure() == other.structure() == net(np.random.SeedSequence(5)).structure()
    assert np.array_equal(net(1).numbers()["olive_gap.w"], one.numbers()["olive_gap.w"])
    assert not np.array_equal(one.numbers()["olive_gap.w"], other.numbers()["olive_gap.w"])
    open_at_run_time = {"olive.g_L", "olive.g_0", "olive.E_i", "olive.sigma", "olive.V_t", "olive.G_K",
                        "olive_gap.w", "olive_gap.scale", "olive_gap.i", "olive_inhibition.w",
                        "olive_inhibition.tau_rise", "olive_inhibition.tau_decay"}  # fmt: skip
    assert open_at_run_time <= set(one.numbers())


def test_few_cells_have_as_many_junctions_as_there_are_pairs():
    assert len(olive.network(2, 3, partners=4)["olive_gap"].wiring.i) == 2 * 2 * 3
    assert list(olive.network(5, 1, name="io")) == ["io"]
    assert list(olive.network(1, 4, partners=0)) == ["olive"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (dict(clusters=0), "clusters: got 0"),
        (dict(size=2.5), "size: got 2.5"),
        (dict(partners=-1), "partners: got -1"),
        (dict(spread=-0.1), "spread: got -0.1"),
        (dict(gap=(0.2, 0.1) * nS), "smallest and the largest"),
        (dict(gap=0.2 * nS), "smallest and the largest"),
        (dict(gap=(0.1, 0.2) * mA), "siemens"),
        (dict(cell=neurons.cuba()), "no number g_L"),
        (dict(cell=olive.spiking(g_L="0.15*msiemens/cm**2*(1 + 0.1*rand())")), "no number g_L"),
    ],
)
def test_network_refuses(options, says):
    with pytest.raises(CircuitError, match=says):
        olive.network(**options)


def test_junctions_need_cells_of_the_olive():
    with pytest.raises(CircuitError, match="circuits.olive, or synapses.gap_junction"):
        Circuit(
            cell=population(neurons.leaky(), 2),
            gap=projection("cell", "cell", olive.gap_junction(), wiring.all_to_all()),
        )


@pytest.mark.compiled
def test_two_olives_with_nuclei_of_their_own_at_a_millisecond():
    """As in a closed loop: each group is inhibited by its nuclei only and excited by its own current."""
    net = Circuit(
        **olive.network(1, 12, name="agonist", nuclei="nuclei[:10]", seed=1),
        **olive.network(1, 12, name="antagonist", nuclei="nuclei[10:]", seed=2),
        nuclei=poisson(20, rates=0 * Hz),
        excite=current("agonist", "I", 0 * pA),
        record=[spikes("agonist"), spikes("antagonist"), trace("agonist", "v")],
        dt=1 * ms,
    )

    def rates(**numbers):
        found = engine.run(net.but(numbers), 60 * second, seed=5)
        assert np.abs(found.traces["agonist.v"].values + 0.057).max() < 0.03
        return np.array([len(found.spikes[name]) / 60 / 12 for name in ("agonist", "antagonist")])

    rest = rates()
    assert ((rest > 0.5) & (rest < 2)).all()
    excited = rates(**{"excite.amplitude": 30 * pA})
    assert excited[0] > 2.5 * rest[0] and excited[1] == pytest.approx(rest[1], rel=0.3)
    inhibited = rates(**{"nuclei.rates": np.repeat([60.0, 0.0], 10) * Hz})
    assert inhibited[0] < 0.3 * rest[0] and inhibited[1] == pytest.approx(rest[1], rel=0.3)
