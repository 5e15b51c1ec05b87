"""Rules of spike timing against closed forms, event-by-event references and hand-written Brian2 models."""

import numpy as np
import pytest
from brian2 import Hz, ms, mV, nS, second, volt

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
)
from experiments.pairings import all_pairs, bare, nearest_pairs, poisson_trains, weight_changes
from experiments.triplet_frequency import by_events
from plasticity import RuleError, compose, hard, power_law, soft, stdp, unbounded

DT = 1e-3
ASYMMETRIC = dict(A_plus=0.777, A_minus=0.273, tau_plus=16.8 * ms, tau_minus=33.7 * ms)


def asymmetric(lag):
    return np.where(lag > -1e-9, 0.777 * decay(lag, 16.8e-3), -0.273 * decay(lag, 33.7e-3))


def decay(lag, tau):
    return np.exp(-np.abs(lag) / tau)


@pytest.fixture(scope="module")
def trains():
    """Four pairs of Poisson trains, and three that miss one side or both."""
    random = np.random.default_rng(7)
    some = [poisson_trains(random, 30, 20, 1.5, DT) for _ in range(4)]
    none = np.zeros(0)
    return [*some, (some[0][0], none), (none, some[0][1]), (none, none)]


RULES = {
    "all": stdp.pair(**ASYMMETRIC),
    "near": stdp.pair(**ASYMMETRIC, nearest=True),
    "symmetric": stdp.symmetric(A_near=1, A_far=0.5, tau_near=10 * ms, tau_far=30 * ms),
    "symmetric_near": stdp.symmetric(A_near=1, A_far=0.5, tau_near=10 * ms, tau_far=30 * ms, nearest=True),
    "correlation": stdp.correlation(eta=0.3, tau=15 * ms),
    "covariance": stdp.covariance(eta=0.3, tau=15 * ms, tau_mean=200 * ms),
    "inhibitory": stdp.inhibitory(eta=0.3, rho=8 * Hz, tau=15 * ms),
    "rossum": stdp.van_rossum(c_plus=0.05, c_minus=0.1),
    **{f"triplet_{k}": stdp.triplet(**row) for k, row in enumerate(stdp.PFISTER_GERSTNER_2006.values())},
}
START = 0.4
CALCIUM = stdp.GRAUPNER_BRUNEL_2012["DP"] | {"sigma": 0.0}


def composed():
    options = dict(bounds=unbounded(), w=START)
    made = {name: compose(rule, **options) for name, rule in RULES.items()}
    return made | {"calcium": bare(stdp.calcium(**CALCIUM), w=START, bounds=hard(0, 1))}


@pytest.fixture(scope="module")
def changes(trains):
    return weight_changes(composed(), trains, dt=DT * second, backend="interpreted")


def near(lag):
    return decay(lag, 10e-3) - 0.5 * decay(lag, 30e-3)


CLOSED = {
    "all": lambda pre, post: all_pairs(pre, post, asymmetric),
    "near": lambda pre, post: nearest_pairs(pre, post, asymmetric),
    "symmetric": lambda pre, post: all_pairs(pre, post, near),
    "symmetric_near": lambda pre, post: nearest_pairs(pre, post, near),
    "correlation": lambda pre, post: 0.3 * all_pairs(pre, post, lambda s: decay(s, 15e-3)),
    "covariance": lambda pre, post: 0.3
    * all_pairs(pre, post, lambda s: decay(s, 15e-3) - 0.075 * decay(s, 0.2)),
    "inhibitory": lambda pre, post: 0.3
    * (all_pairs(pre, post, lambda s: decay(s, 15e-3)) - 2 * 8 * 15e-3 * len(pre)),
    **{
        f"triplet_{k}": lambda pre, post, row=row: by_events(pre, post, **row)
        for k, row in enumerate(stdp.PFISTER_GERSTNER_2006.values())
    },
}


@pytest.mark.parametrize("name", CLOSED)
def test_change_is_the_closed_form(name, changes, trains):
    expected = np.array([CLOSED[name](pre, post) for pre, post in trains])
    np.testing.assert_allclose(changes[name], expected, atol=1e-11)
    # what the test could miss: pairs that never meet
    assert np.abs(expected[:4]).min() > 1e-3


def test_schemes_differ_where_spikes_are_many(changes):
    assert np.abs(changes["all"] - changes["near"])[:4].min() > 1e-3


def test_van_rossum_is_additive_upwards_and_proportional_downwards(changes, trains):
    for change, (pre, post) in zip(changes["rossum"], trains, strict=True):
        w, x, y, last = START, 0.0, 0.0, 0.0
        for time, side in sorted([*((t, 0) for t in pre), *((t, 1) for t in post)]):
            x, y, last = x * np.exp(-(time - last) / 0.02), y * np.exp(-(time - last) / 0.02), time
            if side:
                w, y = w + 0.05 * x, y + 1
            else:
                w, x = w - 0.1 * w * y, x + 1
        assert change == pytest.approx(w - START, abs=1e-12)


def rho_by_small_steps(pre, post, end, row, rho, h=2e-5):
    """Euler integration of Graupner & Brunel's equation without noise."""
    tau = float(row.get("tau", 150 * second))
    events = sorted([*((t, row["C_source"]) for t in pre), *((t, row["C_target"]) for t in post), (end, 0.0)])
    calcium, last = 0.0, 0.0
    for time, jump in events:
        n = max(1, int(round((time - last) / h)))
        step = (time - last) / n
        for k in range(n):
            now = calcium * np.exp(-(k + 0.5) * step / 20e-3)
            slope = -rho * (1 - rho) * (0.5 - rho)
            slope += row["gamma_p"] * (1 - rho) * (now > 1.3) - row["gamma_d"] * rho * (now > 1.0)
            rho += step / tau * slope
        calcium, last = calcium * np.exp(-(time - last) / 20e-3) + jump, time
    return rho


def test_calcium_equals_small_steps(changes, trains):
    end = max(max(train.max(initial=0) for train in pair) for pair in trains) + 3 * DT
    for change, (pre, post) in zip(changes["calcium"], trains, strict=True):
        # presynaptic spikes of the protocol come one step late
        expected = rho_by_small_steps(pre + DT, post + DT, end, CALCIUM, START) - START
        assert change == pytest.approx(expected, abs=2e-4)
    assert np.abs(changes["calcium"][:4]).min() > 5e-3
    # no spikes: the double well alone, from 0.4 towards 0
    s = (START - 0.5) ** 2
    well = 0.5 - np.sqrt(s / (4 * s + (1 - 4 * s) * np.exp(-end / 300)))
    assert changes["calcium"][-1] == pytest.approx(well - START, rel=1e-9)


def test_calcium_noise_has_the_stationary_spread():
    """Calcium above both thresholds all the time: an Ornstein-Uhlenbeck process."""
    n = 200
    often = np.arange(0.002, 2.0, 0.002)
    rule = stdp.calcium(sigma=1.5, gamma_p=300.0, gamma_d=300.0, tau=50 * second)
    made = {"noisy": bare(rule, w=0.5, bounds=hard(0, 1))}
    protocols = [(often, often + DT)] * n
    found = weight_changes(made, protocols, dt=DT * second, backend="interpreted")["noisy"]
    expected = np.sqrt(2 * 1.5**2 / (2 * 600))
    assert found.std() == pytest.approx(expected, rel=0.2)
    assert found.mean() == pytest.approx(0, abs=4 * expected / np.sqrt(n))


def test_covariance_has_no_drift_under_independent_trains_and_correlation_has():
    random = np.random.default_rng(3)
    protocols = [poisson_trains(random, 20, 30, 5.0, DT) for _ in range(60)]
    made = {name: bare(RULES[name]) for name in ("covariance", "correlation")}
    made["inhibitory"] = bare(stdp.inhibitory(eta=0.3, rho=30 * Hz, tau=15 * ms))
    found = weight_changes(made, protocols, dt=DT * second, backend="interpreted")
    error = {name: values.std() / np.sqrt(len(values)) for name, values in found.items()}
    drift = 0.3 * 2 * 15e-3 * 20 * 30 * 5
    assert abs(found["covariance"].mean()) < 4 * error["covariance"] < 0.3 * drift
    assert found["correlation"].mean() == pytest.approx(drift, rel=0.1)
    assert abs(found["inhibitory"].mean()) < 4 * error["inhibitory"]  # it fires at rho


def test_the_window_of_covariance_has_no_area():
    lag = np.linspace(-4, 4, 2_000_001)
    area = np.trapezoid(decay(lag, 0.02) - 0.02 / 0.3 * decay(lag, 0.3), lag)
    assert area == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("kind", [hard, soft, power_law])
def test_weights_stay_within_bounds(kind, trains):
    bounds = kind(0, 1)
    made = {
        "up": bare(stdp.pair(A_plus=0.9, A_minus=0.1), w=0.9, bounds=bounds),
        "down": bare(stdp.pair(A_plus=0.1, A_minus=0.9), w=0.1, bounds=bounds),
    }
    found = weight_changes(made, trains, dt=DT * second, backend="interpreted")
    for name, start in (("up", 0.9), ("down", 0.1)):
        w = start + found[name]
        assert np.all((w >= 0) & (w <= 1))
        assert np.all(w[4:] == start)  # one side silent: nothing changes
    assert np.all(found["up"][:4] != 0) and np.all(found["down"][:4] != 0)


def test_soft_bounds_scale_single_steps():
    pre, post = np.array([0.1]), np.array([0.11])
    step = 0.2 * np.exp(-0.5)
    rule = stdp.pair(A_plus=0.2, A_minus=0.2)
    made = {
        "hard": bare(rule, w=0.3, bounds=hard(0, 1)),
        "soft": bare(rule, w=0.3, bounds=soft(0, 1)),
        "power": bare(rule, w=0.3, bounds=power_law(0, 1, mu=0.4)),
    }
    found = weight_changes(made, [(pre, post), (post, pre)], dt=DT * second, backend="interpreted")
    np.testing.assert_allclose(found["hard"], [step, -step], atol=1e-13)
    np.testing.assert_allclose(found["soft"], [0.7 * step, -0.3 * step], atol=1e-13)
    np.testing.assert_allclose(found["power"], [0.7**0.4 * step, -(0.3**0.4) * step], atol=1e-13)


def by_hand(trains, w):
    """All-to-all pairs in Brian2 as a person writes them, with the protocol's own timing."""
    from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, Synapses, defaultclock, prefs

    before, prefs.codegen.target = prefs.codegen.target, "numpy"
    step = defaultclock.dt
    defaultclock.dt = DT * second
    try:
        n = len(trains)
        i = [np.repeat(np.arange(n), [len(pair[side]) for pair in trains]) for side in (0, 1)]
        t = [np.concatenate([pair[side] for pair in trains]) for side in (0, 1)]
        source = SpikeGeneratorGroup(n, i[0], (np.round(t[0] / DT) + 1) * DT * second)
        drive = SpikeGeneratorGroup(n, i[1], np.round(t[1] / DT) * DT * second)
        target = NeuronGroup(n, "v : 1", threshold="v > 0.5", reset="v -= 1")
        push = Synapses(drive, target, on_pre="v_post += 1")
        push.connect(j="i")
        plastic = Synapses(
            source,
            target,
            """w : 1
               dx/dt = -x/(16.8*ms) : 1 (event-driven)
               dy/dt = -y/(33.7*ms) : 1 (event-driven)""",
            on_pre="""w = clip(w - 0.273*y, 0, 1)
                      x += 1""",
            on_post="""w = clip(w + 0.777*x, 0, 1)
                       y += 1""",
        )
        plastic.connect(j="i")
        plastic.w = w
        Network(source, drive, target, push, plastic).run(1.51 * second, namespace={"ms": ms})
        return np.array(plastic.w)
    finally:
        prefs.codegen.target, defaultclock.dt = before, step


def test_pair_rule_equals_the_hand_written_model(trains):
    made = {
        name: compose(stdp.pair(**ASYMMETRIC), bounds=hard(0, 1), w=START, per_neuron=per_neuron)
        for name, per_neuron in (("cells", True), ("each", False))
    }
    found = weight_changes(made, trains, dt=DT * second, backend="interpreted")
    expected = by_hand(trains, START)
    np.testing.assert_allclose(START + found["each"], expected, atol=1e-13)
    np.testing.assert_allclose(START + found["cells"], expected, atol=1e-12)


@pytest.mark.compiled
@pytest.mark.slow
def test_compiled_rules_equal_interpreted_ones(changes, trains):
    found = weight_changes(composed(), trains, dt=DT * second)
    for name, values in found.items():
        np.testing.assert_allclose(values, changes[name], atol=1e-10, err_msg=name)


# --------------------------------------------------------------------------------------------- voltage

CLAMP = Cell("clamped", "v = command : volt\ndq/dt = -q/(10*ms) : 1", inputs={"command": volt}, method="rk4")


def clopath_by_small_steps(command, step, pre, rule, delay, w, h=2e-5):
    """Clock-driven reference: every filter, the trace and the weight, in steps of h."""
    p = {name: float(value) for name, value in rule.params.items()}
    n = round(len(command) * step / h)
    v = np.repeat(command, round(step / h))
    plus, minus = np.empty(n + 1), np.empty(n + 1)
    plus[0] = minus[0] = p["theta_minus"]
    for k in range(n):
        plus[k + 1] = v[k] + (plus[k] - v[k]) * np.exp(-h / p["tau_plus"])
        minus[k + 1] = v[k] + (minus[k] - v[k]) * np.exp(-h / p["tau_minus"])
    late = round(delay / h)
    at = {round(time / h) for time in pre}
    x = 0.0
    for k in range(n):
        before = max(k - late, 0)
        if k in at:
            w -= p["A_LTD"] * max(minus[before] - p["theta_minus"], 0)
            x += 1
        over = max(v[k] - p["theta_plus"], 0) * max(plus[before] - p["theta_minus"], 0)
        w += h / p["tau_x"] * x * p["A_LTP"] * over
        x *= np.exp(-h / p["tau_x"])
    return w


@pytest.mark.parametrize("delay", [0 * ms, 4 * ms])
def test_clopath_equals_small_steps(delay):
    """An irregular potential over several sweeps, on which both terms act."""
    random = np.random.default_rng(5)
    step, end = 1e-3, 0.6
    command = np.repeat(random.choice([-70.0, -60.0, -30.0, 20.0], 120), 5) * 1e-3
    pre = np.array([0.03, 0.11, 0.13, 0.2, 0.21, 0.35, 0.46, 0.47, 0.58])
    rule = stdp.clopath(delay=delay)
    dt = 0.1 * ms
    net = Circuit(
        pre=spike_trains(1, i=np.zeros(len(pre), int), t=(pre - 1e-4) * second),
        cell=population(CLAMP, 1),
        command=current("cell", "command", timed(command * 1e3 * mV, step * second)),
        plastic=projection("pre", "cell", bare(rule, w=0.5), wiring.one_to_one()),
        record=[weights("plastic")],
        dt=dt,
    )
    found = engine.run(net, end * second, backend="interpreted").weights["plastic.w"].values[-1, 0] - 0.5
    expected = clopath_by_small_steps(command, step, pre, rule, float(delay), 0.5) - 0.5
    assert abs(expected) > 0.05
    assert found == pytest.approx(expected, rel=0.03)


# ------------------------------------------------------------------------------------------ text, units


def test_the_text_is_what_a_person_would_have_written():
    text = repr(compose(stdp.triplet()))
    assert "w = clip(w - o1_triplet*A2_minus_triplet, w_min, w_max)" in text
    assert "w = clip(w + r1_triplet*(A2_plus_triplet + A3_plus_triplet*o2_triplet), w_min, w_max)" in text
    assert "r2" not in text and "tau_x" not in text


def test_rules_take_weights_with_units():
    base = synapses.exponential_conductance(w=0.5 * nS)
    for rule in (
        stdp.pair(A_plus=0.01 * nS, A_minus=0.0105 * nS),
        stdp.van_rossum(c_plus=0.01 * nS),
        stdp.symmetric(A_near=1 * nS, A_far=0 * nS),
        stdp.correlation(eta=1 * nS),
        stdp.covariance(eta=1 * nS),
        stdp.inhibitory(eta=1 * nS),
        stdp.triplet(**stdp.PFISTER_GERSTNER_2006["visual cortex, all-to-all, full"], w_ref=1 * nS),
        stdp.clopath(w_ref=1 * nS),
        stdp.calcium(),
    ):
        compose(rule, synapse=base, bounds=hard(0 * nS, 1 * nS))
    with pytest.raises(CircuitError, match="Rule 'stdp', propose_pre"):
        compose(stdp.pair(A_plus=0.01), synapse=base, bounds=hard(0 * nS, 1 * nS))


def test_noise_is_drawn_only_where_there_is_some():
    assert "rand" not in repr(compose(stdp.calcium())) + repr(compose(stdp.van_rossum()))
    assert "randn" in repr(compose(stdp.calcium(sigma=1.0)))
    assert "randn" in repr(compose(stdp.van_rossum(noise=0.1)))


def test_two_rules_of_one_kind_need_two_names():
    with pytest.raises(RuleError, match="two rules are named"):
        compose(stdp.pair(), stdp.pair())
    compose(stdp.pair(), stdp.pair(name="slow", tau_plus=100 * ms))


def test_triplet_depression_needs_its_trace():
    with pytest.raises(ValueError, match="tau_x"):
        stdp.triplet(A3_minus=1e-3)


def test_parameter_sets_are_complete():
    assert len(stdp.PFISTER_GERSTNER_2006) == 5
    assert set(stdp.CALCIUM_DELAYS) == set(stdp.GRAUPNER_BRUNEL_2012)
    for row in stdp.GRAUPNER_BRUNEL_2012.values():
        assert "rho" in compose(stdp.calcium(**row)).settle
