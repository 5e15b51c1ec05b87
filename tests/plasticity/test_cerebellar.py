"""Rules of the cerebellum against their closed forms, alone and composed."""

from math import atan

import numpy as np
import pytest
from brian2 import Hz, ms, nS, second

import engine
from circuits import (
    Circuit,
    cerebellum,
    population,
    projection,
    spike_trains,
    spikes,
    synapses,
    trace,
    weights,
    wiring,
)
from experiments.pairings import all_pairs, poisson_trains, relay, weight_changes
from experiments.reflex import mossy_nuclei, parallel
from plasticity import (
    RuleError,
    cerebellar,
    compose,
    consolidation,
    hard,
    homeostasis,
    metaplasticity,
    stdp,
    unbounded,
)

DT = 1e-3


def driven(name, trains):
    """Parts of a circuit: cells called `name` that fire the trains (times in s), one step later."""
    i = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    t = np.concatenate([np.asarray(train, float) for train in trains])
    return {
        f"{name}_times": spike_trains(len(trains), i, t * second),
        name: population(relay(), len(trains)),
        f"{name}_drive": projection(
            f"{name}_times", name, synapses.delta("v", 1.0), wiring.one_to_one()
        ),
    }  # fmt: skip


def changes(rule, pairs, *, w=0.0, bounds=None, dt=DT, last=0.5):
    """What a rule makes of the weight of each pair of trains (pre, post), which meet in their own synapse."""
    net = Circuit(
        **driven("source", [pre for pre, _ in pairs]),
        **driven("target", [post for _, post in pairs]),
        plastic=projection(
            "source", "target", compose(rule, bounds=bounds or unbounded(), w=w), wiring.one_to_one()
        ),
        record=[weights("plastic")],
        dt=dt * second,
    )
    recording = engine.run(net, (last + 3 * dt) * second, backend="interpreted")
    return recording.weights["plastic.w"].values[-1] - w


# ---- climbing fibres --------------------------------------------------------------------------------------


def kernel(s, peak=0.1, exponent=20):
    """K of the docstring, from its definition."""
    tau = peak / atan(exponent)
    norm = np.exp(-atan(exponent)) * np.sin(atan(exponent)) ** exponent
    return np.where(s < 0, 0.0, np.exp(-s / tau) * np.sin(s / tau) ** exponent / norm)


LAGS = np.arange(-20, 401) * DT


@pytest.mark.parametrize("peak, exponent", [(0.1, 20), (0.05, 20), (0.1, 2), (0.06, 8)])
def test_one_pair_moves_the_weight_by_the_kernel(peak, exponent):
    rule = cerebellar.climbing_fibre(A_plus=0.0, A_minus=1.0, peak=peak * second, exponent=exponent)
    moved = changes(rule, [([0.05], [0.05 + lag]) for lag in LAGS])
    np.testing.assert_allclose(-moved, kernel(LAGS, peak, exponent), rtol=0, atol=1e-12)
    assert LAGS[np.argmax(-moved)] == pytest.approx(peak)
    assert -moved.min() == pytest.approx(1, abs=1e-12)


def test_the_kernel_does_not_depend_on_the_step():
    rule, lags = cerebellar.climbing_fibre(A_plus=0.0, A_minus=1.0), np.array([4e-3, 0.06, 0.1, 0.16])
    for dt in (5e-4, 2e-3):
        moved = changes(rule, [([0.01], [0.01 + lag]) for lag in lags], dt=dt, last=0.2)
        np.testing.assert_allclose(-moved, kernel(lags), rtol=0, atol=1e-12)


def test_its_next_lobe():
    """K repeats itself after pi tau, lower by exp(-pi)."""
    tau = 0.1 / atan(20)
    assert 0.1 + np.pi * tau == pytest.approx(0.3065, abs=1e-4)
    lags = np.round((0.1 + np.pi * tau) / 1e-4) * 1e-4 + np.arange(-20, 21) * 1e-4
    moved = changes(
        cerebellar.climbing_fibre(A_plus=0.0, A_minus=1.0), [([0], [s]) for s in lags], dt=1e-4, last=0.31
    )
    assert -moved.min() == pytest.approx(np.exp(-np.pi), rel=1e-5)  # 0.043
    assert lags[np.argmin(moved)] == pytest.approx(0.1 + np.pi * tau, abs=1e-4)


def test_the_cosines_are_the_power_of_the_sine():
    x = np.linspace(-4, 9, 500)
    for exponent in (2, 4, 10, 20, 30):
        terms = cerebellar.kernel_terms(exponent)
        total = sum(a * np.cos(2 * k * x) for k, a in enumerate(terms))
        np.testing.assert_allclose(total, np.sin(x) ** exponent, rtol=0, atol=1e-14)


def test_spikes_add_up_and_every_parallel_fibre_spike_potentiates():
    random = np.random.default_rng(3)
    trains = [poisson_trains(random, rate, 10, 1.0, DT) for rate in (5, 40, 200)]  # Hz
    trains += [(trains[0][0], []), ([], trains[0][1])]
    moved = changes(cerebellar.climbing_fibre(A_plus=0.002, A_minus=0.006), trains, last=1.0)
    expected = [
        0.002 * len(pre)
        - 0.006 * all_pairs(np.asarray(pre, float), np.asarray(post, float), kernel)
        for pre, post in trains
    ]  # fmt: skip
    np.testing.assert_allclose(moved, expected, rtol=0, atol=1e-11)
    assert expected[2] < -0.1 and expected[3] > 0 and expected[4] == 0


@pytest.mark.parametrize("exponent", [3, 0, -2, 20.0, "20", True, None])
def test_exponents_that_cannot_be(exponent):
    with pytest.raises(RuleError, match="climbing_fibre: exponent=.*even whole number"):
        cerebellar.climbing_fibre(exponent=exponent)


def test_bounds_are_kept():
    both = [([0.05, 0.06], [0.15, 0.16, 0.17]), ([0.05, 0.06, 0.07, 0.08], [])]
    down, up = changes(
        cerebellar.climbing_fibre(A_plus=0.3, A_minus=0.9), both, w=0.5, bounds=hard(0, 1), last=0.3
    )
    assert (down, up) == (-0.5, 0.5)
    down, up = changes(cerebellar.climbing_fibre(A_plus=0.3, A_minus=0.9), both, w=0.5, last=0.3)
    assert down < -0.6 and up == pytest.approx(1.2)


# ---- mossy fibres to nuclei -------------------------------------------------------------------------------


def gate(s, tau=5e-3):
    """The kernel of the docstring."""
    return np.exp(-np.abs(s) / tau) * np.cos(np.pi * s / (2 * tau)) ** 2


def nuclear_changes(mossy, purkinje, rule, duration, share=1.0):
    """Weights from every mossy fibre (rows) to one nuclear cell that all Purkinje cells reach."""
    net = Circuit(
        **driven("mossy", mossy),
        **driven("purkinje", purkinje),
        nuclei=population(cerebellum.nuclear(), 1),
        inhibition=projection(
            "purkinje", "nuclei", cerebellum.purkinje_nuclear(share=share), wiring.all_to_all()
        ),
        plastic=projection(
            "mossy",
            "nuclei",
            compose(rule, synapse=cerebellum.mossy_nuclear(), bounds=hard(-1 * nS, 1 * nS)),
            wiring.all_to_all(),
        ),
        record=[weights("plastic"), spikes("nuclei", event="inhibited")],
        dt=DT * second,
    )
    recording = engine.run(net, duration * second, backend="interpreted")
    return recording.weights["plastic.w"].values[-1] * 1e9, recording.spikes["nuclei.inhibited"].t


GATED = cerebellar.purkinje_gated(A_plus=0.003 * nS, A_minus=0.002 * nS)
# Inhibition is felt, and its event raised, in the step after the Purkinje spike.
FELT = DT


def gated(mossy, purkinje, share=1.0):
    lags = np.concatenate(purkinje)[:, None] + FELT - np.asarray(mossy)[None, :]
    return 0.003 * len(mossy) - 0.002 * share * gate(lags).sum()


def test_purkinje_spikes_close_to_a_mossy_fibre_spike_depress_in_both_orders():
    """One Purkinje spike and mossy fibres that fire before it, with it and after it."""
    times = 0.1 + np.arange(-30, 31) * DT
    moved, _ = nuclear_changes([[t] for t in times], [[0.1]], GATED, 0.2)
    np.testing.assert_allclose(moved, [gated([t], [[0.1]]) for t in times], rtol=0, atol=1e-12)
    assert moved.min() == pytest.approx(0.001)  # the pair within one step counts once
    assert times[np.argmin(moved)] == pytest.approx(0.1 + FELT)
    same = np.abs(times - 0.1 - FELT).round(4)  # symmetric about it
    for lag in (1e-3, 4e-3, 7e-3, 12e-3):
        one, other = moved[same == lag]
        assert one == pytest.approx(other, abs=1e-12)


def test_several_purkinje_spikes_in_a_step_count_each():
    """Three in one step, and as many in successive ones."""
    for purkinje in ([[0.1], [0.1], [0.1]], [[0.1], [0.101], [0.102]], [[0.1, 0.101, 0.104], [0.101], []]):
        times = 0.1 + np.arange(-12, 13) * DT
        moved, _ = nuclear_changes([[t] for t in times], purkinje, GATED, 0.2)
        np.testing.assert_allclose(moved, [gated([t], purkinje) for t in times], rtol=0, atol=1e-12)


def test_shares_of_purkinje_spikes_add_up():
    """Twice the cells at half the share act as the cells they stand for."""
    times = 0.1 + np.arange(-12, 13) * DT
    mossy, purkinje = [[t] for t in times], [[0.1], [0.1], [0.104]]
    whole, _ = nuclear_changes(mossy, purkinje, GATED, 0.2)
    half, _ = nuclear_changes(mossy, purkinje * 2, GATED, 0.2, share=0.5)
    np.testing.assert_allclose(half, whole, rtol=0, atol=1e-12)
    one, felt = nuclear_changes(mossy, [[0.1]], GATED, 0.2, share=0.1)
    np.testing.assert_allclose(one, [gated([t], [[0.1]], 0.1) for t in times], rtol=0, atol=1e-12)
    np.testing.assert_allclose(felt, [0.102])


def test_trains_add_up():
    random = np.random.default_rng(4)
    mossy = [poisson_trains(random, 80, 0, 1.0, DT)[0] for _ in range(5)]
    purkinje = [poisson_trains(random, 50, 0, 1.0, DT)[0] for _ in range(10)]
    moved, felt = nuclear_changes(mossy, purkinje, GATED, 1.01)
    np.testing.assert_allclose(moved, [gated(train, purkinje) for train in mossy], rtol=0, atol=1e-10)
    np.testing.assert_allclose(felt, np.unique(np.concatenate(purkinje).round(4)) + 2 * DT, atol=1e-9)


def test_where_the_nuclear_weight_rests():
    """Ten Purkinje cells at 46 Hz hold it: A_plus/(A_minus times the area of the kernel, 5.46 ms)."""
    s = np.arange(-200, 200, 1e-2) * 1e-3
    area = gate(s).sum() * 1e-5
    assert area == pytest.approx(5e-3 * (1 + 1 / (1 + np.pi**2)), rel=1e-5)
    assert area == pytest.approx(5.46e-3, rel=1e-3)
    rule = mossy_nuclei().params  # as the reflex has it
    at = {n.removesuffix("_purkinje_gated"): float(v) for n, v in rule.items() if "purkinje_gated" in n}
    rest = at["A_plus"] / (at["A_minus"] * area)
    assert rest / 10 == pytest.approx(46, abs=0.5)
    random = np.random.default_rng(6)
    rule = cerebellar.purkinje_gated(A_plus=0.000625 * nS, A_minus=0.00025 * nS)
    mossy = [poisson_trains(random, 50, 0, 3.0, DT)[0] for _ in range(60)]
    purkinje = [poisson_trains(random, rest / 10, 0, 3.0, DT)[0] for _ in range(20)]
    for n, drift in ((10, 0), (20, -1)):  # of what a mossy fibre adds
        moved, _ = nuclear_changes(mossy, purkinje[:n], rule, 3.0)
        assert moved.sum() / (0.000625 * sum(map(len, mossy))) == pytest.approx(drift, abs=0.08)


def test_a_nuclear_cell_that_does_not_count_is_refused_with_the_remedy():
    from circuits import CircuitError

    with pytest.raises(CircuitError, match="arrived.*circuits.cerebellum.nuclear"):
        changes(cerebellar.purkinje_gated(), [([0], [0])])


# ---- Purkinje cells to nuclei -----------------------------------------------------------------------------


def test_purkinje_nuclei_is_the_rule_of_pairs():
    random = np.random.default_rng(8)
    trains = [poisson_trains(random, 30, 30, 1.0, DT) for _ in range(3)]
    numbers = dict(A_plus=0.4, A_minus=0.15, tau_plus=5 * ms, tau_minus=8 * ms)
    moved = weight_changes(
        {
            "own": compose(cerebellar.purkinje_nuclei(**numbers), bounds=unbounded(), w=0.0),
            "pair": compose(stdp.pair(**numbers), bounds=unbounded(), w=0.0),
        },
        trains,
        dt=DT * second,
        backend="interpreted",
    )
    np.testing.assert_array_equal(moved["own"], moved["pair"])

    def window(s):
        return np.where(s > -1e-9, 0.4 * np.exp(-s / 5e-3), -0.15 * np.exp(s / 8e-3))

    expected = [all_pairs(pre, post, window) for pre, post in trains]
    np.testing.assert_allclose(moved["own"], expected, rtol=0, atol=1e-11)
    assert np.abs(expected).min() > 0.1


# ---- composed at the parallel fibre -----------------------------------------------------------------------

OTHERS = {
    "consolidation": lambda on: consolidation.reference(tau_w=(0.2 if on else 1e12) * second, every=20 * ms),
    "metaplasticity": lambda on: metaplasticity.state_dependent(m=2.0 if on else 0.0),
    "scaling": lambda on: homeostasis.scaling(
        beta=0.4 if on else 0.0, gamma=0 * Hz, tau=200 * ms, every=20 * ms, goal=60 * Hz
    ),
}


@pytest.fixture(scope="module")
def side_by_side():
    """Weights (nS, snapshot x synapse) on the same cells under several compositions, and their factors."""
    random = np.random.default_rng(9)
    fibres = [poisson_trains(random, 30, 0, 0.6, DT)[0] for _ in range(6)]
    made = {
        name: parallel(*rules, A_plus=0.05, A_minus=0.1)
        for name, rules in {
            "alone": [],
            **{name: [rule(True)] for name, rule in OTHERS.items()},
            "several": [rule(True) for rule in OTHERS.values()],
            "off": [rule(False) for rule in OTHERS.values()],
        }.items()
    }
    net = Circuit(
        **driven("granule", fibres),
        **driven("olive", [[0.2, 0.33, 0.5, 0.502], [0.4, 0.41]]),
        purkinje=population(cerebellum.purkinje(), 2),
        climbing=projection("olive", "purkinje", cerebellum.climbing(), wiring.one_to_one()),
        **{name: projection("granule", "purkinje", s, wiring.all_to_all()) for name, s in made.items()},
        record=[
            *(weights(name, every=300 * ms) for name in made),
            *(trace("purkinje", f"s_scaling_{name}") for name in ("scaling", "off")),
        ],
        dt=DT * second,
    )
    recording = engine.run(net, 600 * ms, backend="interpreted")
    found = {name: recording.weights[f"{name}.w"].values * 1e9 for name in made}
    factor = [recording.traces[f"purkinje.s_scaling_{name}"].values for name in ("scaling", "off")]
    return found, factor


def test_other_rules_at_the_parallel_fibre_act_and_keep_the_bounds(side_by_side):
    found, (scaled, unscaled) = side_by_side
    for name, values in found.items():
        assert values.min() >= 0 and values.max() <= 3.7 + 1e-12
        if name in ("consolidation", "metaplasticity", "several"):
            assert np.abs(values - found["alone"]).max() > 1e-3, name
    # scaling acts on what is delivered, not on the weight
    assert np.ptp(scaled) > 0.1 and np.all(unscaled == 1)
    np.testing.assert_array_equal(found["scaling"], found["alone"])


def test_rules_that_are_off_leave_the_climbing_fibre_rule_as_it_is(side_by_side):
    found, _ = side_by_side
    assert np.ptp(found["alone"]) > 0.2  # it does learn
    np.testing.assert_allclose(found["off"], found["alone"], rtol=0, atol=1e-9)
