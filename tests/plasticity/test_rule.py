"""The algebra: what compose makes of rules, what it refuses, and that the result is the model by hand."""

import dataclasses
import re

import brian2
import numpy as np
import pytest
from brian2 import Hz, ms, mV, nS, second, volt

import engine
from circuits import (
    Cell,
    Circuit,
    CircuitError,
    Synapse,
    neurons,
    poisson,
    population,
    projection,
    signal,
    spike_trains,
    synapses,
    weights,
    wiring,
)
from plasticity import Periodic, Rule, RuleError, compose, hard, power_law, soft, unbounded

RELAY = Cell("relay", "x : 1", threshold="x > 0.5", reset="x = 0")


def pair(name="pair", **numbers):
    numbers = {"A_plus": 0.1, "A_minus": 0.12, "tau": 20 * ms} | numbers
    return Rule(
        name,
        synapse="""dx/dt = -x/tau : 1 (event-driven)
                   dy/dt = -y/tau : 1 (event-driven)""",
        propose_pre="-A_minus*y",
        propose_post="A_plus*x",
        on_pre="x += 1",
        on_post="y += 1",
        params=numbers,
    )


def gate(name="gate", value=0.5):
    return Rule(name, gate="level", params=dict(level=value))


def sink(name="sink", tau=100 * ms):
    return Rule(name, synapse="c : weight", sink="c += dw", params=dict(tau=tau), on_post="c = 0.5*c")


def trains(seed, n, rate=20.0, seconds=1.0, dt=1e-4):
    """Random spikes of n sources on the grid of time steps, at most one each per step."""
    random = np.random.default_rng(seed)
    raster = random.random((int(seconds / dt) - 30, n)) < rate * dt
    steps, i = np.nonzero(raster)
    return i, steps * dt * second


def network(synapse, record=("w",), seconds=1.0, delay=0 * ms, **parts):
    """5 sources and 3 targets with given spikes, all to all."""
    (i, t), (j, u) = trains(1, 5, seconds=seconds), trains(2, 3, seconds=seconds)
    return Circuit(
        source=spike_trains(5, i, t),
        teacher=spike_trains(3, j, u),
        cells=population(RELAY, 3),
        drive=projection("teacher", "cells", synapses.delta("x", 1.0), wiring.one_to_one()),
        plastic=projection("source", "cells", synapse, wiring.all_to_all(), delay=delay),
        record=[weights("plastic", name) for name in record],
        **parts,
    )


def final(circuit, seconds=1.0, name="w", backend="interpreted"):
    return (
        engine.run(circuit, seconds * second, seed=1, backend=backend).weights[f"plastic.{name}"].values[-1]
    )


def by_hand(equations, on_pre, on_post, start=0.5, seconds=1.0, **names):
    """The same network written in plain Brian2; returns the weights."""
    brian2.start_scope()
    brian2.set_device("runtime")
    brian2.prefs.codegen.target = "numpy"
    brian2.defaultclock.dt = 0.1 * ms
    (i, t), (j, u) = trains(1, 5, seconds=seconds), trains(2, 3, seconds=seconds)
    # times in the middle of their step: no rounding can move them
    source = brian2.SpikeGeneratorGroup(5, i, t + 0.05 * ms)
    teacher = brian2.SpikeGeneratorGroup(3, j, u + 0.05 * ms)
    cells = brian2.NeuronGroup(3, "v : 1", threshold="v > 0.5", reset="v = 0")
    drive = brian2.Synapses(teacher, cells, on_pre="v_post += 1")
    drive.connect(j="i")
    plastic = brian2.Synapses(source, cells, equations, on_pre=on_pre, on_post=on_post, namespace=names)
    plastic.connect()
    plastic.w = start
    brian2.Network(source, teacher, cells, drive, plastic).run(seconds * second, namespace={})
    return np.array(plastic.w)


PAIR = """w : 1
          dx/dt = -x/tau : 1 (event-driven)
          dy/dt = -y/tau : 1 (event-driven)"""


# ---- what composition means


def test_the_composed_text_is_what_a_person_would_write():
    rule = pair(A_plus=0.1 * mV, A_minus=0.12 * mV)
    synapse = compose(rule, synapse=synapses.delta("v", w=1 * mV), bounds=hard(0 * mV, 2 * mV))
    text = repr(synapse)
    assert "w = clip(w - A_minus_pair*y_pair, w_min, w_max)" in text
    assert "w = clip(w + A_plus_pair*x_pair, w_min, w_max)" in text
    assert text.index("v += w") < text.index("w = clip(w - ") < text.index("x_pair += 1")


def test_a_composed_rule_equals_the_model_by_hand_bit_for_bit():
    expected = by_hand(
        PAIR,
        "w = clip(w - 0.12*y, 0, 1)\nx += 1",
        "w = clip(w + 0.1*x, 0, 1)\ny += 1",
        tau=20 * ms,
    )
    assert np.ptp(expected) > 0.1
    np.testing.assert_array_equal(final(network(compose(pair(), per_neuron=False))), expected)


def test_traces_of_one_side_live_with_the_cells_and_change_nothing():
    moved = network(compose(pair(), w=0.5), delay=1 * ms)
    assert "y_pair_plastic" in moved.plan.groups["cells"].equations
    assert "x_pair" in moved.plan.synapses["plastic"].equations  # sources given as spikes hold no variables
    stay = network(compose(pair(), w=0.5, per_neuron=False), delay=1 * ms)
    assert "y_pair" in stay.plan.synapses["plastic"].equations
    np.testing.assert_allclose(final(moved), final(stay), rtol=1e-12)


@pytest.mark.compiled
@pytest.mark.parametrize("bounds", [hard(), power_law(mu=0.3)])
def test_traces_move_to_poisson_sources_too(bounds):
    def circuit(per_neuron):
        synapse = compose(
            pair(A_plus=0.1 * mV, A_minus=0.09 * mV),
            synapse=synapses.delta("v", w=3 * mV),
            bounds=type(bounds)(
                {k: v if k == "mu" else v * 6 * mV for k, v in bounds.params.items()}, bounds.up, bounds.down
            ),
            w="rand()*w_max",
            per_neuron=per_neuron,
        )
        return Circuit(
            inputs=poisson(20, 40 * Hz),
            cells=population(neurons.leaky(), 4),
            plastic=projection("inputs", "cells", synapse, wiring.all_to_all(), delay=0.7 * ms),
            back=projection("cells", "cells", synapse, wiring.all_to_all(), delay=0.7 * ms),
            record=[weights("plastic", "w"), weights("back", "w")],
        )

    one, other = circuit(True), circuit(False)
    assert "x_pair_of_plastic" in one.plan.groups["inputs"].equations
    a, b = (engine.run(c, 2 * second, seed=3) for c in (one, other))
    for name in ("plastic.w", "back.w"):
        assert np.ptp(b.weights[name].values[-1]) > 1e-5
        np.testing.assert_allclose(a.weights[name].values[-1], b.weights[name].values[-1], rtol=1e-10)


def test_a_recorded_trace_stays_with_the_synapse():
    circuit = network(compose(pair()), record=("w", "y_pair"))
    assert "y_pair" in circuit.plan.synapses["plastic"].equations


@pytest.mark.parametrize(
    "changed, stay",
    [
        ({}, set()),
        (dict(init={"y": 1.0}), {"y"}),
        (dict(on_pre="x += 1; y *= 0.5"), {"y"}),
        (dict(on_post="y += 1; x *= 0.9"), {"x"}),
        (dict(on_post="y += 1; w = w*(1 - 0.1*y)"), {"y"}),
        (dict(on_post="y += x"), {"y"}),
        (dict(params=dict(A_plus=0.1, A_minus=0.12, tau="20*ms*(1 + rand())")), {"x", "y"}),
    ],
)
def test_traces_stay_where_synapses_would_differ(changed, stay):
    synapse = compose(dataclasses.replace(pair(), **changed))
    circuit = Circuit(
        inputs=poisson(5, 20 * Hz),
        cells=population(RELAY, 3),
        plastic=projection("inputs", "cells", synapse, wiring.all_to_all()),
    )
    equations = circuit.plan.synapses["plastic"].equations
    assert {name for name in "xy" if re.search(rf"\bd{name}_pair/dt", equations)} == stay


def test_proposals_add_and_gates_multiply():
    two = compose(pair("a"), pair("b", A_plus=0.05), gate("g", 0.5), gate("h", 0.4), bounds=unbounded())
    expected = by_hand(
        PAIR,
        "w += (-0.12*y - 0.12*y)*0.5*0.4\nx += 1",
        "w += (0.1*x + 0.05*x)*0.5*0.4\ny += 1",
        tau=20 * ms,
    )
    np.testing.assert_allclose(final(network(two)), expected, rtol=1e-12)


def test_the_order_of_rules_does_not_matter():
    rules = [pair("a"), pair("b", A_plus=0.03), gate("g", 0.7)]
    results = [
        final(network(compose(*(rules[k] for k in order)))) for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0))
    ]
    for other in results[1:]:
        np.testing.assert_allclose(other, results[0], rtol=1e-12)


def test_a_sink_takes_what_is_proposed():
    circuit = network(compose(pair(), sink()), record=("w", "c_sink"))
    np.testing.assert_array_equal(final(circuit), 0.5)
    assert np.ptp(final(circuit, name="c_sink")) > 0


def test_soft_bounds_scale_each_direction():
    expected = by_hand(
        PAIR,
        "w += -0.12*y*w\nx += 1",
        "w += 0.1*x*(1 - w)\ny += 1",
        tau=20 * ms,
    )
    np.testing.assert_allclose(final(network(compose(pair(), bounds=soft(0, 1)))), expected, rtol=1e-12)


def test_power_law_bounds_join_hard_and_soft_ones():
    ends = {mu: final(network(compose(pair(), bounds=power_law(0, 1, mu=mu)))) for mu in (0.0, 1.0)}
    np.testing.assert_allclose(ends[1.0], final(network(compose(pair(), bounds=soft(0, 1)))), rtol=1e-12)
    np.testing.assert_allclose(ends[0.0], final(network(compose(pair(), bounds=hard(0, 1)))), rtol=1e-12)


def test_hard_bounds_hold_whatever_is_written():
    pull = Rule("pull", on_post="w += 10", on_pre="w -= 20")
    values = final(network(compose(pull, bounds=hard(-1, 2))))
    assert set(np.unique(values)) <= {-1.0, 2.0}


def test_a_factor_multiplies_what_is_delivered_only():
    half = Rule("half", factor="f", params=dict(f=0.5))
    synapse = compose(half, synapse=synapses.delta("v", w=1 * mV), bounds=hard(0 * mV, 2 * mV))
    assert synapse.deliver == {"v": "(w*(f_half))"}


def test_drift_is_one_euler_step_of_every_synapse():
    rule = Rule("decay", drift="-w/tau", params=dict(tau=50 * ms))
    values = final(network(compose(rule, bounds=unbounded())), 0.1)
    np.testing.assert_allclose(values, 0.5 * (1 - 0.1 / 50) ** 1000, rtol=1e-10)


def test_periodic_steps_run_in_their_order_and_how_often_is_a_number():
    def rule(first, second_):
        return Rule(
            "clocked",
            synapse="n : 1",
            periodic=(
                Periodic("w = w + 0.001; n += 1", every="T", order=first),
                Periodic("w = w*1.5", every="T", order=second_),
            ),
            params=dict(T=100 * ms),
        )

    synapse = compose(rule(0, 1), bounds=unbounded())
    w = 0.5
    for _ in range(10):
        w = (w + 0.001) * 1.5
    np.testing.assert_allclose(final(network(synapse)), w, rtol=1e-12)
    w = 0.5
    for _ in range(10):
        w = w * 1.5 + 0.001
    np.testing.assert_allclose(final(network(compose(rule(1, 0), bounds=unbounded()))), w, rtol=1e-12)
    counting = Rule("clocked", synapse="n : 1", periodic=Periodic("n += 1", every="T"), params=dict(T=1 * ms))
    circuit = network(compose(counting), record=("n_clocked",))
    for every, times in ((250, 4), (1e9, 1), (0.1, 10000), (30.04, 34)):
        changed = circuit.but({"plastic.T_clocked": every * ms})
        np.testing.assert_array_equal(final(changed, name="n_clocked"), times)


@pytest.mark.compiled
def test_how_often_is_a_number_of_the_compiled_program_too():
    rule = Rule("clocked", synapse="n : 1", periodic=Periodic("n += 1", every="2*T"), params=dict(T=50 * ms))
    circuit = network(compose(rule), record=("n_clocked",))
    program = engine.build(circuit)
    for every, times in ((50, 10), (500, 1), (0.05, 10000)):
        changed = circuit.but({"plastic.T_clocked": every * ms})
        assert engine.build(changed).key == program.key
        np.testing.assert_array_equal(final(changed, name="n_clocked", backend="compiled"), times)
    with pytest.raises(CircuitError, match=r"plastic\.T_clocked: got 0; it must be above 0"):
        circuit.but({"plastic.T_clocked": 0 * ms})
    with pytest.raises(engine.NumbersError, match=r"plastic\.T_clocked.*must be above 0"):
        program.run({**circuit.numbers(), "plastic.T_clocked": 0.0}, 0.5)


def test_a_rule_needs_those_bounds_finite_that_it_reads():
    down, up = (Rule("r", propose_pre=f"A*({b} - w)", params=dict(A=0.1)) for b in ("w_min", "w_max"))
    compose(down, bounds=hard(0, np.inf), w=1.0)
    with pytest.raises(RuleError, match="'r' measures the weight by its bounds, and w_max is infinite"):
        compose(up, bounds=hard(0, np.inf), w=1.0)


def test_bounds_that_cross_are_refused_only_where_they_are_bounds():
    net = network(compose(pair(), bounds=hard(0, 1), w=0.5), record=())
    with pytest.raises(CircuitError, match=r"plastic\.w_min: with this, the weights of 'plastic' .* 2 and 1"):
        net.but({"plastic.w_min": 2.0})
    net.but({"plastic.w_min": 2.0, "plastic.w_max": 3.0})
    cell = Cell("range", "x : 1", params=dict(w_min=1.0, w_max=1.0))
    Circuit(cells=population(cell, 2)).but({"cells.w_min": 2.0})


@pytest.mark.compiled
def test_periodic_steps_stay_in_step_over_long_times():
    """Products of step number and step length differ by roundings between clocks: none may be missed."""
    rule = Rule("clocked", synapse="n : 1", periodic=Periodic("n += 1", every="T"), params=dict(T=0.7 * ms))
    relay = Cell("clocked", "x : 1", threshold="False", reset="x = 0")
    circuit = Circuit(
        source=spike_trains(1),
        cells=population(relay, 1),
        plastic=projection("source", "cells", compose(rule), wiring.all_to_all()),
        record=[weights("plastic", "n_clocked")],
    )
    assert final(circuit, 70.0, "n_clocked", "compiled") == 100_000


# ---- signals


def test_a_signal_is_read_by_all_cells_or_one_by_one():
    slow = Cell("slow", "dd/dt = -d/tau : 1", params=dict(tau=100 * ms), init={"d": 1.0}, method="exact")
    read = Rule("read", on_pre="w = d_post", needs={"d_post": 1})
    for n, start in ((1, 1.0), (3, np.array([1.0, 2.0, 3.0]))):
        parts = dict(slow=population(slow, n, init={"d": start}), d=signal("slow.d", "cells"))
        circuit = network(compose(read, bounds=unbounded()), **parts)
        values = final(circuit).reshape(5, 3)
        expected = np.broadcast_to(start, 3)
        np.testing.assert_allclose(
            values / values[:, :1], np.tile(expected / expected[0], (5, 1)), rtol=1e-12
        )
        last = trains(1, 5)[1][[np.flatnonzero(trains(1, 5)[0] == i)[-1] for i in range(5)]] / second
        np.testing.assert_allclose(values[:, 0], np.exp(-last / 0.1), rtol=1e-9)


def test_a_signal_fills_an_input_of_the_cell():
    source = Cell("source", "s : volt", init={"s": 3 * mV})
    reader = Cell("reader", "dv/dt = (I - v)/tau : volt", params=dict(tau=1 * ms), inputs={"I": volt})
    circuit = Circuit(
        source=population(source, 1),
        cells=population(reader, 4),
        I=signal("source.s", "cells"),
        record=[],
    )
    assert "I = I_signal" in circuit.plan.groups["cells"].equations
    engine.run(circuit, 0 * second, backend="interpreted")


@pytest.mark.parametrize(
    "part, message",
    [
        (lambda: signal("nobody.d", "cells"), "no population 'nobody'"),
        (lambda: signal("cells.nothing", "cells"), "no variable 'nothing'"),
        (lambda: signal("two.d", "cells"), "2 cells cannot be read by 3"),
        (lambda: signal("two.d", "nowhere"), "no target population 'nowhere'"),
    ],
)
def test_signals_that_cannot_be(part, message):
    two = population(Cell("two", "d : 1"), 2)
    with pytest.raises(CircuitError, match=message):
        network(compose(pair()), two=two, d=part())


# ---- what is refused


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: compose(pair("a"), pair("a")), "two rules are named 'a'"),
        (lambda: compose(pair(), sink("s"), sink("r")), "r, s are sinks"),
        (lambda: compose(sink()), "no rule proposes anything"),
        (lambda: compose(pair(A_plus=0.1 * mV)), "units do not fit|has unit"),
        (lambda: compose(Rule("r", gate="g", params=dict(g=1 * volt))), "'g' has unit volt"),
        (lambda: Rule("r", propose_pre="A*x", params=dict(A=1.0)), "'x' is not defined"),
        (lambda: Rule("r", propose_pre="rate_post"), "'rate_post' is not defined.*needs"),
        (lambda: Rule("r", synapse="w : 1"), "name 'w' is that of the weight"),
        (lambda: Rule("r", params=dict(dt=1 * ms)), "name 'dt'"),
        (lambda: Rule("r", synapse="ms : 1"), "ms"),
        (lambda: Rule("not a word"), "must be a word"),
        (lambda: Rule("r", synapse="a : 1", params=dict(a=1.0)), "'a' is defined twice"),
        (lambda: Rule("r", sink="c += 1", synapse="c : 1"), "does not take dw"),
        (lambda: Rule("r", init=dict(b=1.0)), "start value for 'b'"),
        (lambda: Rule("r", needs=dict(v=volt)), "whose variable"),
        (lambda: Rule("r", periodic=Periodic("w = 0", every="T")), "names no parameter"),
        (lambda: Periodic("w = 0", every="T + 1"), "number times it"),
        (lambda: Periodic("w = 0", every="T", on="moon"), "'synapse', 'pre' or 'post'"),
        (
            lambda: compose(Rule("r", periodic=Periodic("w = 0", every="T"), params=dict(T=1.0))),
            "give a time",
        ),
        (lambda: hard(0, -1), "does not lie above"),
        (lambda: hard(0 * mV, 1 * ms), "unit"),
        (lambda: power_law(mu=-1), "at least 0"),
        (lambda: compose(pair(), synapse=synapses.delta("v", 1 * mV)), "between which bounds"),
        (
            lambda: compose(pair(A_plus=0.1 * mV), synapse=synapses.delta("v", 1 * mV), bounds=hard(0, 1)),
            "unit",
        ),
        (lambda: compose("stdp"), "is no Rule"),
        (lambda: compose(pair), r"Call it: pair\(\)"),
        (lambda: compose([pair()]), "one by one"),
        (lambda: compose(pair(), synapse=compose(pair("other"))), "composed already"),
        (lambda: compose(pair(), w=2.0), "outside of their bounds"),
        (lambda: compose(Rule("r", gate="w > 0.5")), r"is a condition. Write int\(w > 0.5\)"),
        (lambda: compose(Rule("r", gate="w/w_max"), bounds=unbounded()), "by its bounds"),
        (lambda: compose(Rule("r", settle="w += 0.1"), synapse=synapses.linear(0.5)), "at every step"),
        (lambda: compose(Rule("r", unsettle="w += 0"), Rule("s", unsettle="w += 0")), "form of their own"),
        (
            lambda: compose(pair(), synapse=Synapse("s", post="x_pair : 1", params={"w": 0.5})),
            "'x' of 'pair'",
        ),
        (lambda: Rule("r", post="d : 1", gate="d_post", needs={"d_post": 1}), "has a name 'd' itself"),
        (lambda: Rule("r", on_pre="tau = 2*ms", params=dict(tau=1 * ms)), "'tau' is a number"),
        (lambda: Rule("r", propose_pre=0.1), "it is text"),
        (lambda: Rule("post"), "does not end in"),
        (lambda: hard(None, 1), "w_min is None"),
        (lambda: soft(0, np.inf), "must be finite"),
        (lambda: power_law(mu="0.5"), "one number"),
        (lambda: compose(pair(), synapse=pair()), "is no Synapse"),
        (lambda: pair().but(B=1.0), "no parameter 'B'"),
        (lambda: pair().but(tau=1 * mV), "unit"),
        (lambda: pair().edit("nothing like it", ""), "stands nowhere"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(CircuitError, match=message):
        make()


def test_a_missing_signal_is_refused_with_its_remedy():
    rule = Rule(
        "r", gate="reward_post", needs={"reward_post": 1}, remedy={"reward_post": "Add reward=signal(...)."}
    )
    with pytest.raises(CircuitError, match=r"needs a variable reward.*Add reward=signal"):
        network(compose(pair(), rule))


def test_needs_of_the_source_are_checked_there():
    synapse = compose(Rule("r", propose_post="v_pre/volt", needs={"v_pre": volt}))
    with pytest.raises(CircuitError, match="read variables of the source cells.*Relay them"):
        network(synapse)
    cells = population(RELAY, 3)
    for source, has in ((poisson(3, 20 * Hz), "the input has"), (cells, "the cell 'relay' has")):
        with pytest.raises(CircuitError, match=f"needs a variable v in volt, but {has} no variable 'v'"):
            Circuit(a=source, b=cells, plastic=projection("a", "b", synapse, wiring.all_to_all()))


def test_event_driven_variables_are_not_read_by_the_clock():
    rule = Rule(
        "r",
        synapse="dc/dt = -c/tau : 1 (event-driven)",
        on_pre="c += 1",
        on_post="c += 1",
        periodic=Periodic("w = w + c", every="tau"),
        params=dict(tau=10 * ms),
    )
    with pytest.raises(CircuitError, match="event-driven"):
        network(compose(rule))


@pytest.mark.parametrize("backend", ["interpreted", pytest.param("compiled", marks=pytest.mark.compiled)])
def test_a_gate_that_is_not_a_number_is_found(backend):
    rule = Rule("broken", gate="log(g)", params=dict(g=-1.0))
    with pytest.raises(engine.NonFiniteError, match="plastic.w"):
        final(network(compose(pair(), rule, bounds=unbounded())), backend=backend)


def test_an_edited_rule_is_another_model():
    edited = pair().edit("-A_minus*y", "-A_minus*y*w")
    assert not np.allclose(final(network(compose(edited))), final(network(compose(pair()))))


def test_weights_with_units_and_of_their_own_for_each_synapse():
    start = np.linspace(0.1, 1.4, 15).reshape(5, 3) * nS
    base = synapses.exponential_conductance(w=1 * nS, port="I")
    synapse = compose(Rule("still", gate="1.0"), synapse=base, bounds=hard(0 * nS, 2 * nS), w=start)
    cell = Cell(
        "cell",
        "dv/dt = I/C : volt",
        params=dict(C=100 * brian2.pF),
        inputs={"I": brian2.amp},
        threshold="v > 1*volt",
        reset="v = 0*volt",
    )
    circuit = Circuit(
        source=spike_trains(5),
        cells=population(cell, 3),
        plastic=projection("source", "cells", synapse, wiring.all_to_all()),
        record=[weights("plastic", "w")],
    )
    np.testing.assert_allclose(final(circuit, 0.01), start.ravel() / nS * 1e-9)


@pytest.mark.compiled
def test_lazily_integrated_weights_do_not_depend_on_when_they_are_looked_at():
    """Long stretches keep the variables of synapses together in memory, short ones do not."""
    lazy = Rule(
        "lazy",
        synapse="c : weight",
        post="F : second",
        sink="c += dw",
        settle="w += c*F_post/tau",
        unsettle="w -= c*F_post/tau",
        step_post="F += dt",
        periodic=Periodic("c *= 0.9", every="tau"),
        params=dict(tau=0.1 * second),
    )
    inputs = poisson(150, 20 * Hz)

    def circuit(**options):
        synapse = compose(pair(A_plus=0.001, A_minus=0.001), lazy, w="rand()", bounds=hard(-9, 9))
        return Circuit(
            inputs=inputs,
            cells=population(Cell("ticking", "f : 1", threshold="rand() < 30*Hz*dt", reset="f = 0"), 150),
            plastic=projection("inputs", "cells", synapse, wiring.all_to_all()),
            record=[weights("plastic", "w", **options)],
        )

    whole, pieces = (engine.run(circuit(**o), 0.5 * second, seed=2) for o in ({}, {"every": 0.05 * second}))
    assert len(pieces.weights["plastic.w"].t) == 11
    a, b = (r.weights["plastic.w"].values for r in (whole, pieces))
    assert np.abs(a[-1] - b[0]).max() > 1e-3
    np.testing.assert_allclose(a[-1], b[-1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "increment", ["y += i", "y += 1.0/N_incoming", "y += rand()", "y += 1 + j", "y += 1.0/N_post"]
)
def test_traces_whose_increments_differ_between_synapses_stay(increment):
    rule = dataclasses.replace(pair(), on_post=increment)
    assert "y_pair" in network(compose(rule)).plan.synapses["plastic"].equations


def test_what_keeps_the_weight_in_another_form_is_settled_first():
    lag = dict(synapse="c : weight", sink="c += dw", settle="w += 2*c", unsettle="w -= c")
    pull = Rule("pull", settle="w = 0.9*w")
    results = [
        final(network(compose(*order, bounds=hard(-9, 9))))
        for order in ([pair(), Rule("lag", **lag), pull], [pull, pair(), Rule("lag", **lag)])
    ]
    assert np.ptp(results[0]) > 0
    np.testing.assert_allclose(results[1], results[0], rtol=1e-12)


def test_event_driven_variables_are_read_at_events_only():
    held = dict(synapse="dc/dt = -c/tau : 1 (event-driven)", on_pre="c += 1", params=dict(tau=10 * ms))
    for text in (
        dict(drift="c/tau"),
        dict(settle="w += 0*c"),
        dict(periodic=Periodic("w = w + c", every="tau")),
    ):
        with pytest.raises(CircuitError, match="event-driven"):
            network(compose(Rule("r", **held, **text)))


def test_a_rule_without_delivery_can_have_a_delay():
    rule = Rule(
        "late",
        synapse="dx/dt = -x/tau : 1 (event-driven)",
        propose_post="A*x",
        on_pre="x += 1",
        params=dict(A=0.01, tau=20 * ms),
    )

    def weights_after(delay, per_neuron):
        return Circuit(
            inputs=poisson(5, 50 * Hz),
            cells=population(Cell("ticking", "f : 1", threshold="rand() < 50*Hz*dt", reset="f = 0"), 3),
            plastic=projection(
                "inputs", "cells", compose(rule, per_neuron=per_neuron), wiring.all_to_all(), delay=delay
            ),
            record=[weights("plastic", "w")],
        )

    late, here = final(weights_after(5 * ms, True)), final(weights_after(5 * ms, False))
    np.testing.assert_allclose(late, here, rtol=1e-10)
    assert not np.allclose(late, final(weights_after(0 * ms, True)))


def test_numbers_per_synapse_and_target_have_their_places():
    rule = Rule(
        "r",
        post="a : Hz",
        init={"a": "goal"},
        params=dict(goal=np.array([1, 2, 3]) * Hz),
        at_post="a += goal",
    )
    circuit = network(compose(pair(), rule), record=("w",))
    assert "goal_r" not in circuit.plan.synapses["plastic"].equations
    delays = np.full((5, 3), 1e-3) * second
    np.testing.assert_allclose(
        final(network(compose(pair()), delay=delays)), final(network(compose(pair()), delay=1 * ms))
    )
    clocked = Rule("c", periodic=Periodic("w = w", every="T"), params=dict(T=np.ones(15) * ms))
    with pytest.raises(CircuitError, match="give one time"):
        network(compose(pair(), clocked))
    with pytest.raises(CircuitError, match="Relay them"):
        network(compose(Rule("r", pre="a : 1", at_pre="a += 1", propose_post="a_pre")))


@pytest.mark.parametrize("backend", ["interpreted", pytest.param("compiled", marks=pytest.mark.compiled)])
def test_a_gate_that_is_not_a_number_is_found_in_discrete_synapses(backend):
    from plasticity import consolidation

    broken = Rule("broken", gate="log(g)", params=dict(g=-1.0))
    with pytest.raises(engine.NonFiniteError, match="plastic.depth"):
        final(
            network(compose(pair(), broken, consolidation.cascade(), w="int(rand() < 0.5)")), backend=backend
        )


def test_a_proposal_that_is_one_number_for_all_synapses():
    constant = Rule("constant", propose_pre="A", synapse="n : 1", on_pre="n += 1", params=dict(A=0.01))
    sources, _ = trains(1, 5, seconds=0.3)
    wanted = np.full(5, 0.3)
    for i in sources:
        wanted[i] += 0.01 * (1 - wanted[i]) ** 0.4
    found = final(network(compose(constant, bounds=power_law(0, 1, 0.4), w=0.3), seconds=0.3), 0.3)
    np.testing.assert_allclose(found.reshape(5, 3), np.repeat(wanted[:, None], 3, axis=1), rtol=1e-12)
    eligible = network(compose(constant, sink(), bounds=hard(0, 1), w=0.3), ("c_sink",), seconds=0.3)
    assert (final(eligible, 0.3, "c_sink") > 0).any()
