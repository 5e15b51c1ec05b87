"""Consolidation against closed forms: pulls, chains, cascades of states, tags and their capture."""

import numpy as np
import pytest
from brian2 import Hz, ms, mV, second

import engine
from circuits import (
    Cell,
    Circuit,
    poisson,
    population,
    projection,
    spike_trains,
    synapses,
    weights,
    wiring,
)  # fmt: skip
from experiments import benna_fusi, cascade
from experiments import memory_traces as lab
from plasticity import (
    Rule,
    compose,
    consolidation,
    hard,
    hebbian,
    homeostasis,
    neuromodulation,
    stdp,
    unbounded,
)  # fmt: skip

QUIET = Cell("quiet", "v : volt", threshold="v > 1e9*volt", reset="v = 0*volt")


def alone(learning, record, n=1, changes=None, dt=1 * ms, pre=(), cell=QUIET):
    """n synapses one to one between sources that spike at the times `pre` (s) and quiet cells."""
    i = np.tile(np.arange(n), len(pre))
    net = Circuit(
        inputs=spike_trains(n, i=i, t=np.repeat(np.asarray(pre, dtype=float), n) * second),
        cells=population(cell, n),
        learning=projection("inputs", "cells", learning, wiring.one_to_one()),
        record=record,
        dt=dt,
    )
    return net.but(changes or {})


def run(net, duration):
    recording = engine.run(net, duration, backend="interpreted")
    return {name: found.values for name, found in recording.weights.items()}


def step_rule(size):
    """A rule that adds `size` at every presynaptic spike."""
    return Rule("steps", propose_pre="size", params=dict(size=size))


# Reference and importance


def test_reference_pulls_and_follows_as_its_equations():
    """A step of 0.6 makes Omega = 3; then both equations, exactly, over the 49 intervals that follow."""
    rule = consolidation.reference(tau_w=2 * second, tau_r=5 * second, kappa=5.0, every=20 * ms)
    learning = compose(step_rule(0.6), rule, w=0.2)
    found = run(
        alone(learning, [weights("learning"), weights("learning", "r_reference")], pre=[0.005]), 1 * second
    )
    w, r = found["learning.w"][-1, 0], found["learning.r_reference"][-1, 0]
    pull, follow = 3 / 2, 1 / 5
    gone = 0.6 * (1 - np.exp(-(pull + follow) * 49 * 0.02))
    assert w == pytest.approx(0.8 - pull / (pull + follow) * gone, rel=1e-9)
    assert r == pytest.approx(0.2 + follow / (pull + follow) * gone, rel=1e-9)


def test_reference_counts_the_path_and_not_its_own_pull():
    rule = consolidation.reference(tau_w=0.5 * second, tau_r=1e9 * second, kappa=2.0, every=100 * ms)
    learning = compose(step_rule(0.1), rule, w=0.3)
    pre, record = [0.05, 0.15, 0.25], [weights("learning", "Omega_reference"), weights("learning")]
    found = run(alone(learning, record, pre=pre), 1 * second)
    assert found["learning.Omega_reference"][-1] == pytest.approx(2 * 3 * 0.1, rel=1e-9)
    assert found["learning.w"][-1] < 0.6 - 0.05  # pulled back towards 0.3
    # nothing without importance
    free = compose(step_rule(0.1), rule.but(kappa=0.0), w=0.3)
    found = run(alone(free, record, pre=pre), 1 * second)
    assert found["learning.w"][-1] == pytest.approx(0.6, rel=1e-12)


@pytest.mark.parametrize("order", [1, -1])
def test_reference_counts_what_an_eligibility_trace_brings_in_either_order(order):
    """Weight that comes late, through a sink, is a change too, whichever of the two rules stands first."""
    rules = [
        step_rule(0.02),
        neuromodulation.eligibility(tau_c=40 * ms, tonic=5.0),
        consolidation.reference(tau_w=1e9 * second, tau_r=1e9 * second, every=50 * ms),
    ]
    names = ("w", "Omega_reference")
    record = [weights("learning", name) for name in names]
    learning = compose(*rules[::order], w=0.3)
    net = alone(learning, record, pre=[0.055, 0.21], cell=QUIET.plus("da : 1"))
    found = run(net, 600 * ms)
    gained = found["learning.w"][-1, 0] - 0.3
    assert gained == pytest.approx(2 * 0.02 * 5 * 0.04, rel=0.03)
    assert found["learning.Omega_reference"][-1, 0] == pytest.approx(gained, rel=1e-3)


# Synaptic intelligence


def test_intelligence_weighs_contribution_against_displacement():
    """Three steps of 0.1 give Omega = (3 0.1**2/eta)/(0.3**2 + damping); a later step is pulled back."""
    rule = consolidation.synaptic_intelligence(
        c=2.0, eta=0.05, damping=0.01, tau_w=1 * second, task=1 * second, every=50 * ms
    )
    times = [0.1, 0.2, 0.3, 1.1]
    learning = compose(step_rule(0.1), rule, w=0.2)
    names = ("w", "Omega_synaptic_intelligence", "r_synaptic_intelligence")
    record = [weights("learning", name, every=1 * second) for name in names]
    found = run(alone(learning, record, pre=times), 1.4 * second)
    importance = 0.03 / 0.05 / (0.09 + 0.01)
    assert found["learning.Omega_synaptic_intelligence"][1, 0] == 0
    assert found["learning.Omega_synaptic_intelligence"][-1, 0] == pytest.approx(importance, rel=1e-9)
    assert found["learning.r_synaptic_intelligence"][-1, 0] == pytest.approx(0.5, rel=1e-9)
    # the step of the second task fades: one 50 ms interval after another, from the first one after it
    w = found["learning.w"][:, 0]
    assert w[1] == pytest.approx(0.5, rel=1e-12)
    away = w[-1] - 0.5
    passed = np.log(0.1 / away) / (2.0 * importance * 0.05)
    assert passed == pytest.approx(round(passed), abs=1e-6) and 4 <= round(passed) <= 6


# The chain of Benna & Fusi


@pytest.mark.parametrize("m", [1, 4])
def test_chain_is_its_matrix(m):
    """A step at once, then powers of the transition matrix; exactly, and nothing else moves."""
    learning = compose(step_rule(1.0), consolidation.benna_fusi(m=m, tau=1 * ms), w=0.0, bounds=unbounded())
    names = ["w", *(f"u_{k}_benna_fusi" for k in range(2, m + 1))]
    net = alone(learning, [weights("learning", name, every=20 * ms) for name in names], pre=[0.004])
    found = run(net, 40 * ms)
    chain = np.array([found[f"learning.{name}"][:, 0] for name in names])
    matrix = benna_fusi.transition(m)
    for snapshot in (1, 2):
        power = np.linalg.matrix_power(matrix, 20 * snapshot - 5)[:, 0]
        assert np.allclose(chain[:, snapshot], power, rtol=1e-12, atol=1e-15)
    assert chain[0, 1] == pytest.approx(benna_fusi.signal(m, np.array(15)), rel=1e-12)


def test_chain_only_loses_at_its_end():
    matrix, widths = benna_fusi.transition(6), 2.0 ** np.arange(6)
    lost = widths - widths @ matrix
    assert np.allclose(lost[:-1], 0, atol=1e-15) and lost[-1] == pytest.approx(2.0**-8)


def test_noise_is_the_sum_over_memories():
    signals = benna_fusi.signal(4, np.arange(500.0))
    assert benna_fusi.noise(4, age=500) == pytest.approx(np.sqrt((signals**2).sum()), rel=1e-12)
    assert benna_fusi.noise(4) == pytest.approx(benna_fusi.noise(4, age=100_000), rel=1e-9)


def test_chain_keeps_the_unit_of_the_weight():
    learning = compose(
        step_rule(1 * mV), consolidation.benna_fusi(m=3, tau=1 * ms), synapse=synapses.delta("v", 0 * mV),
        bounds=unbounded(),
    )  # fmt: skip
    found = run(alone(learning, [weights("learning")], pre=[0.004]), 10 * ms)["learning.w"][-1, 0]
    assert found == pytest.approx(1e-3 * benna_fusi.signal(3, np.array(5)), rel=1e-12)


# The cascade


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_cascade_moves_with_its_probabilities(sign):
    """From every depth, 4000 synapses of each strength and one attempt: where they are then."""
    n, each = 4, 4000
    up, down = cascade.attempts(n)
    matrix = up if sign > 0 else down
    depth = np.repeat(np.arange(1, n + 1), 2 * each).astype(float)
    strong = np.tile(np.repeat([1.0, 0.0], each), n)
    learning = compose(step_rule(sign), consolidation.cascade(n=n, depth=depth), w=strong)
    names = ("w", "depth_cascade")
    record = [weights("learning", name) for name in names]
    found = run(alone(learning, record, len(depth), pre=[0.002]), 5 * ms)
    w, after = found["learning.w"][-1], found["learning.depth_cascade"][-1]
    assert set(w) == {0.0, 1.0} and set(after) <= set(range(1, n + 1))
    state = (after - 1 + n * (w == 0)).astype(int)
    for k in range(n):
        for weak in (0, 1):
            chosen = (depth == k + 1) & (strong == 1 - weak)
            frequency = np.bincount(state[chosen], minlength=2 * n) / each
            expected = matrix[:, k + n * weak]
            spread = np.sqrt(expected * (1 - expected) / each)
            assert (np.abs(frequency - expected) <= 4.5 * spread + 1e-12).all()


@pytest.mark.parametrize("n", [1, 3, 8])
def test_states_of_the_cascade_are_equally_occupied(n):
    up, down = cascade.attempts(n)
    assert np.allclose(up.sum(axis=0), 1) and np.allclose(down.sum(axis=0), 1)
    assert np.allclose((up + down) / 2 @ np.full(2 * n, 0.5 / n), 0.5 / n)


@pytest.mark.parametrize("n", [5, 9, 12])
def test_a_fresh_memory_has_the_signal_two_over_n(n):
    fresh, later = cascade.signal(n, np.arange(2))
    assert fresh == pytest.approx(2 / n, rel=1e-9)
    assert later == pytest.approx(0.667 / n, rel=0.03)
    matrix = sum(cascade.attempts(n)) / 2
    difference = np.subtract(*cascade.attempts(n)) / 2 @ np.full(2 * n, 0.5 / n)
    strength = np.repeat([1, -1], n)
    assert cascade.signal(n, 7) == pytest.approx(strength @ np.linalg.matrix_power(matrix, 7) @ difference)


def test_no_proposal_no_move():
    learning = compose(step_rule(0.0), consolidation.cascade(n=5), w="int(rand() < 0.5)")
    found = run(
        alone(
            learning, [weights("learning", v, every=10 * ms) for v in ("w", "depth_cascade")], 50, pre=[0.005]
        ),
        30 * ms,
    )
    assert all((values[-1] == values[1]).all() for values in found.values())


def test_cascade_refuses_sizes_that_make_no_sense():
    for wrong in (dict(n=0), dict(n=2.5), dict(x=1.0)):
        with pytest.raises(ValueError, match="whole number"):
            consolidation.cascade(**wrong)
    with pytest.raises(ValueError, match="whole number"):
        consolidation.benna_fusi(m=0)


def test_lifetimes_are_read_off_where_signal_meets_noise():
    assert lab.lifetime([3.0, 2.0, 1.0, 0.5], 1.5, 1) == pytest.approx(1.5)
    assert lab.lifetime([0.5, 0.4], 1.0, 1) == 0 and np.isnan(lab.lifetime([3.0, 2.0], 1.0, 1))
    assert lab.log_slope(np.r_[9.0, np.arange(1, 200.0) ** -0.5], 4, 150) == pytest.approx(-0.5)


# Tag and capture

H0 = 4.20075e-3  # V


def captured_circuit(trains, cells, delay=18.8 * ms, dt=2 * ms, every=None, **numbers):
    """Synapses with the given spike times (s) onto the given quiet cells."""
    i = np.concatenate([np.full(len(times), k) for k, times in enumerate(trains)])
    t = np.concatenate(trains)
    order = np.argsort(t, kind="stable")
    learning = compose(
        consolidation.tag_and_capture(**numbers), synapse=synapses.delta("v", H0 * 1e3 * mV),
        bounds=unbounded(),
    )  # fmt: skip
    return Circuit(
        inputs=spike_trains(len(trains), i=i[order], t=t[order] * second),
        cells=population(QUIET, max(cells) + 1),
        learning=projection(
            "inputs", "cells", learning, wiring.pairs(np.arange(len(trains)), cells), delay=delay
        ),
        record=[weights("learning", v, every=every) for v in ("w", "z_capture", "Ca_capture")],
        dt=dt,
    )


def early_by_steps(arrivals, until, step=2e-6):
    """The early phase without noise, by Euler steps; times in s, weight in V."""
    h, calcium, k = H0, 0.0, 0
    for n in range(round(until / step)):
        while k < len(arrivals) and n * step >= arrivals[k] - 1e-9:
            calcium += 1
            k += 1
        change = 0.1 * (H0 - h) + 1645.6 * (0.01 - h) * (calcium > 3) - 313.1 * h * (calcium > 1.2)
        h += step * change / 688.4
        calcium -= step * calcium / 0.0488
    return h, calcium


def test_early_phase_is_exact_between_spikes():
    arrivals = np.r_[0.01 + 0.008 * np.arange(8), 0.16, 0.165, 0.3]
    net = captured_circuit([arrivals], [0], delay=0 * ms, dt=1 * ms, sigma=0 * mV, every=200 * ms)
    recording = engine.run(net, 400 * ms, backend="interpreted")
    for snapshot, until in ((1, 0.2), (2, 0.4)):
        h, calcium = early_by_steps(arrivals, until)
        found = recording.weights["learning.w"].values[snapshot, 0]
        assert found - H0 == pytest.approx(h - H0, rel=2e-3)
        assert recording.weights["learning.Ca_capture"].values[snapshot, 0] == pytest.approx(
            calcium, rel=1e-3
        )
    assert abs(h - H0) > 0.05 * H0


def test_noise_of_the_early_phase_has_its_variance():
    """While calcium is above both thresholds h spreads to sigma/sqrt(gamma_p + gamma_d + 0.1)."""
    n = 400
    trains = [np.arange(0.01, 1.9, 0.008)] * n
    net = captured_circuit(trains, [0] * n, delay=0 * ms, dt=1 * ms)
    w = engine.run(net, 1.9 * second, seed=2, backend="interpreted").weights["learning.w"].values[-1]
    k = (1645.6 + 313.1 + 0.1) / 688.4
    expected = 2.90436e-3 / np.sqrt(1645.6 + 313.1 + 0.1) * np.sqrt(1 - np.exp(-2 * k * 1.85))
    assert w.std() == pytest.approx(expected, rel=4.5 / np.sqrt(2 * n))
    assert w.mean() == pytest.approx(0.01 * 1645.6 / (1645.6 + 313.2), rel=0.01)


TETANUS = np.arange(100) * 0.01
STRONG = np.concatenate([TETANUS + 1, TETANUS + 601, TETANUS + 1201])
WEAK = np.arange(21) * 0.01 + 1801


@pytest.mark.compiled
def test_the_four_gates_of_tag_and_capture():
    """Cells with a strong pathway of three synapses, one strong synapse, a weak one, and weak with strong.

    The equations give z = 0.76 after 8 h for a single strong synapse: its change falls below the threshold
    of protein synthesis, half of h_0, after 80 minutes. A pathway of two or more keeps the synthesis going
    while the tags stand.
    """
    trains, cells = [], []
    for cell, kinds in enumerate(("sss", "s", "w", "sssw")):
        trains += [STRONG if kind == "s" else WEAK for kind in kinds]
        cells += [cell] * len(kinds)
    net = captured_circuit(trains, cells, every=1202 * second)
    found = engine.run(net, 28800 * second, seed=3).weights
    w, z = found["learning.w"].values, found["learning.z_capture"].values
    h = w / H0 - z
    pathway, single, alone_, with_strong = [0, 1, 2], 3, 4, 8
    assert h[1, pathway].min() > 1.8 and h[1, single] > 1.8  # at the end of the last tetanus
    assert z[-1, pathway].min() > 0.9
    assert z[-1, single] == pytest.approx(0.76, abs=0.03)
    assert z[-1, alone_] == 0 and h[-1, alone_] == pytest.approx(1, abs=0.02)
    assert z[-1, with_strong] > 0.4
    assert z.min() >= -0.5 and z.max() <= 1


def test_late_phase_grows_with_protein_and_tag():
    """With p and the tag held, z goes to 1 (or to -0.5 under depression) with tau_z."""
    for start, goal in ((2.0, 1.0), (0.2, -0.5)):
        learning = compose(
            consolidation.tag_and_capture(
                sigma=0 * mV, tau_z=2 * second, tau_p=1e9 * second, tau_h=1e9 * second, every=50 * ms
            ),
            synapse=synapses.delta("v", start * H0 * 1e3 * mV),
            bounds=unbounded(),
        )
        net = alone(learning, [weights("learning", "z_capture"), weights("learning")], changes={
            "learning.p_capture": [0.8]})  # fmt: skip
        found = run(net, 1 * second)
        expected = goal * (1 - np.exp(-0.8 * 1.0 / 2))
        z = found["learning.z_capture"][-1, 0]
        assert z == pytest.approx(expected, rel=0.03)
        # the early phase is left alone
        assert found["learning.w"][-1, 0] - H0 * z == pytest.approx(start * H0, rel=1e-6)


def test_no_protein_no_late_phase():
    net = captured_circuit([WEAK - 1801], [0], dt=1 * ms, every=500 * ms)
    found = engine.run(net, 2 * second, seed=1, backend="interpreted").weights
    assert not found["learning.z_capture"].values.any()
    assert found["learning.w"].values[-1, 0] > 1.2 * H0  # although the tag is there


# All of them with a rule that proposes


@pytest.mark.parametrize(
    "rule",
    [
        consolidation.reference(every=50 * ms),
        consolidation.synaptic_intelligence(every=50 * ms, task=100 * ms),
        consolidation.cascade(n=3),
        consolidation.benna_fusi(m=3, tau=20 * ms),
    ],
    ids=lambda rule: rule.name,
)
def test_weights_stay_within_bounds(rule):
    learning = compose(
        stdp.pair(A_plus=0.3, A_minus=0.3), rule, bounds=hard(0.25, 0.75), w="0.25 + 0.5*int(rand() < 0.5)"
    )
    cell = Cell("noisy", "v : volt", threshold="rand() < 0.05", reset="v = 0*volt")
    net = Circuit(
        inputs=poisson(20, 60 * Hz),
        cells=population(cell, 3),
        learning=projection("inputs", "cells", learning, wiring.all_to_all()),
        record=[weights("learning", "w", every=150 * ms)],
        dt=1 * ms,
    )
    w = engine.run(net, 300 * ms, seed=1, backend="interpreted").weights["learning.w"].values
    assert w.min() >= 0.25 and w.max() <= 0.75
    assert (w[-1] != w[0]).any()


@pytest.mark.slow
@pytest.mark.compiled
def test_compiled_programs_learn_what_interpreted_ones_learn():
    """All deterministic rules of three modules side by side, between the same given spikes."""
    pair = stdp.pair(A_plus=0.05, A_minus=0.05)
    sides = {
        "spiking_oja": [hebbian.spiking_oja(A=0.05)],
        "scaling": [pair, homeostasis.scaling(every=10 * ms, beta=0.1)],
        "normalisation": [pair, homeostasis.normalisation(total=1.5, every=30 * ms)],
        "triplet": [homeostasis.triplet_ltd(A_plus=0.1)],
        "reference": [pair, consolidation.reference(every=20 * ms, tau_w=100 * ms)],
        "intelligence": [
            pair, consolidation.synaptic_intelligence(every=10 * ms, task=70 * ms, tau_w=1 * second)
        ],
        "chain": [pair, consolidation.benna_fusi(m=4, tau=5 * ms)],
        "capture": [
            consolidation.tag_and_capture(
                h_0=0.4, h_max=1.0, sigma=0.0, theta_tag=0.01, theta_pro=0.02, every=10 * ms,
                tau_h=20 * second, tau_p=1 * second, tau_z=1 * second,
            )
        ],
    }  # fmt: skip
    random = np.random.default_rng(4)
    i, k = random.integers(0, 3, 120), random.integers(0, 2, 80)
    t, s = (np.sort(random.choice(np.arange(10, 2900), n, replace=False)) / 10 * ms for n in (120, 80))
    relay = Cell("relay", "u : 1", threshold="u > 0.5", reset="u = 0")
    net = Circuit(
        source=spike_trains(3, i=i, t=t),
        driver=spike_trains(2, i=k, t=s),
        cells=population(relay, 2),
        drive=projection("driver", "cells", synapses.delta("u", 1.0), wiring.one_to_one()),
        **{
            name: projection("source", "cells", compose(*rules, w=0.4), wiring.all_to_all())
            for name, rules in sides.items()
        },
        record=[weights(name) for name in sides],
    )
    ends = [engine.run(net, 300 * ms, backend=backend).weights for backend in ("interpreted", "compiled")]
    for name in sides:
        one, other = (end[f"{name}.w"].values[-1] for end in ends)
        assert np.allclose(one, other, rtol=1e-9, atol=1e-12), name
        assert np.abs(one - 0.4).max() > 1e-3, name
