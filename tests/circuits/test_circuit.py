"""Circuits as data: what fits together, numbers by dotted name, and what each mistake is answered with."""

import numpy as np
import pytest
from brian2 import Hz, amp, ms, mV, nA, nS

import engine
from circuits import (
    Cell,
    Circuit,
    CircuitError,
    Synapse,
    current,
    poisson,
    population,
    projection,
    rate,
    signal,
    spike_trains,
    spikes,
    synapses,
    timed,
    trace,
    weights,
    wiring,
)

LEAKY = Cell(
    "leaky",
    "dv/dt = (R*I - v)/tau : volt",
    params={"R": 10 * mV / nA, "tau": 20 * ms, "V_t": 10 * mV},
    inputs={"I": amp},
    threshold="v > V_t",
    reset="v = 0*mV",
    method="exact",
)
CALCIUM = Cell(
    "calcium",
    "dv/dt = -v/tau : volt\ndw/dt = (v/mV - w)/tau : 1\nu = w**2 : 1",
    params={"tau": 10 * ms},
    threshold="w > 2",
    reset="w = 0",
)


def make(**changes):
    parts = dict(
        a=population(LEAKY, 10),
        b=population(LEAKY, 5),
        input=poisson(4, 10 * Hz),
        ab=projection("a", "b", synapses.delta("v", 1 * mV), wiring.probability(0.5), delay=1 * ms),
        record=[spikes("a")],
    )
    parts.update(changes)
    return Circuit(**{k: v for k, v in parts.items() if v is not None})


def test_numbers_are_named_by_part():
    numbers = make().numbers()
    assert (
        numbers["a.tau"] == 0.02
        and numbers["ab.w"] == 1e-3
        and numbers["ab.p"] == 0.5
        and numbers["ab.delay"] == 1e-3
    )
    assert numbers["input.rates"] == 10 and numbers["a.v"] == 0


def test_but_checks_names_units_and_shapes():
    net = make()
    assert net.but({"ab.p": 0.1, "input.rates": [1, 2, 3, 4] * Hz}).numbers()["input.rates"].tolist() == [
        1,
        2,
        3,
        4,
    ]
    assert net.numbers()["ab.p"] == 0.5
    for changes, message in [
        ({"ab.q": 1}, r"no number 'ab\.q'\. Did you mean"),
        ({"ab.w": 1 * nA}, r"ab\.w: got 1 nA, but the unit must be volt"),
        ({"ab.w": [1, 2] * mV}, r"ab\.w: got shape \(2,\), but it takes one number"),
        ({"input.rates": [1, 2] * Hz}, r"one number or \(4,\) values"),
        ({"ab.w": "1*mV"}, r"text is structure"),
        ({"ab.p": 1.5}, r"ab\.p: got 1\.5; it must be between 0 and 1"),
        ({"ab.w": float("nan") * mV}, r"ab\.w: a value is not a number"),
        ({"ab.delay": -1 * ms}, r"ab\.delay: got -0\.001; it must be between 0 and"),
    ]:
        with pytest.raises(CircuitError, match=message):
            net.but(changes)


def test_inputs_of_a_cell_are_summed():
    """Two currents and two projections meet at one input; a cell without any has zero there."""
    net = make(
        i1=current("a", "I", 1 * nA),
        i2=current("a", "I", timed(np.array([0.0, 1.0]) * nA, 5 * ms)),
        s1=projection("input", "a", synapses.exponential_current(1 * nA, 5 * ms), wiring.all_to_all()),
        s2=projection("input", "a", synapses.alpha_current(1 * nA, 5 * ms), wiring.all_to_all()),
        record=[trace("a", "I"), trace("b", "I")],
    )
    equations = {g: p.equations for g, p in net.plan.groups.items()}
    assert (
        "I = i1_amplitude + i2_amplitude_at(t) + I_syn_s1 + I_syn_s2 : amp" in equations["a"]
        and "I = 0*amp : amp" in equations["b"]
    )
    got = engine.run(net.but({"input.rates": 0 * Hz}), 10 * ms, backend="interpreted")
    assert np.allclose(
        got.traces["a.I"].values[:, 0], np.where(got.traces["a.I"].t < 5e-3 - 1e-9, 1e-9, 2e-9)
    )
    assert not got.traces["b.I"].values.any()


def test_names_of_synapse_and_cell_may_be_equal():
    """w and u are variables of the cell and of the synapse; each keeps its own."""
    synapse = synapses.tsodyks_markram(synapses.delta("v", w=2 * mV), U=0.5)
    net = Circuit(
        source=spike_trains(1, i=[0, 0], t=[1, 3] * ms),
        c=population(CALCIUM, 1),
        s=projection("source", "c", synapse, wiring.all_to_all()),
        record=[trace("c", "v"), trace("c", "w"), weights("s", "u"), weights("s", "w")],
    )
    got = engine.run(net, 5 * ms, backend="interpreted")
    assert got.weights["s.w"].values[0, 0] == 2e-3
    assert 0 < got.traces["c.w"].values[-1, 0] < 2 and got.traces["c.v"].values.max() < 2e-3


@pytest.mark.parametrize(
    "kind, made",
    [
        (wiring.all_to_all(), 50),
        (wiring.all_to_all(autapses=False), 50),
        (wiring.fixed_in_degree(3), 15),
        (wiring.pairs([9, 0], [4, 4]), 2),
        (wiring.probability(1.0), 50),
        (wiring.probability(0.0), 0),
    ],
)
def test_number_of_synapses(kind, made):
    net = make(ab=projection("a", "b", synapses.delta("v", 1 * mV), kind), record=[weights("ab")])
    assert len(engine.run(net, 0 * ms, backend="interpreted").weights["ab.w"].i) == made


@pytest.mark.parametrize(
    "source, target, kind, made",
    [
        ("a", "a", wiring.all_to_all(autapses=False), 90),
        ("a[2:6]", "a[4:8]", wiring.all_to_all(autapses=False), 14),
        ("a", "a", wiring.fixed_in_degree(9, autapses=False), 90),
        ("a[3:7]", "a[3:7]", wiring.fixed_in_degree(2, autapses=False), 8),
        ("a", "a", wiring.probability(1.0, autapses=False), 90),
        ("a", "a", wiring.one_to_one(), 10),
    ],
)
def test_autapses(source, target, kind, made):
    net = make(ab=projection(source, target, synapses.delta("v", 1 * mV), kind), record=[weights("ab")])
    got = engine.run(net, 0 * ms, backend="interpreted", seed=3).weights["ab.w"]
    start = {"a": 0, "a[2:6]": 2, "a[3:7]": 3}[source], {"a": 0, "a[4:8]": 4, "a[3:7]": 3}[target]
    if not kind.autapses:
        assert (got.i + start[0] != got.j + start[1]).all()
    assert len(got.i) == made and len(set(zip(got.i.tolist(), got.j.tolist(), strict=True))) == made


def test_probability_and_distance_have_the_right_odds():
    """Counts within 5 standard deviations of the binomial mean; by distance, for each distance apart."""
    cells = population(LEAKY, positions=wiring.grid(30, 4))
    net = Circuit(
        a=cells,
        p=projection("a", "a", synapses.delta("v", 1 * mV), wiring.probability(0.2)),
        d=projection("a", "a", synapses.delta("v", 1 * mV), wiring.distance(C=0.7, lambda_=3.0)),
        record=[weights("p"), weights("d")],
    )
    got = engine.run(net, 0 * ms, seed=2, backend="interpreted")
    assert abs(len(got.weights["p.w"].i) - 2880) < 5 * np.sqrt(14400 * 0.2 * 0.8)
    positions = wiring.grid(30, 4)
    squared = ((positions[:, None] - positions[None]) ** 2).sum(axis=2)
    connected = np.zeros_like(squared, bool)
    connected[got.weights["d.w"].i, got.weights["d.w"].j] = True
    for s in (0, 1, 4, 9, 16):
        n, p = (squared == s).sum(), 0.7 * np.exp(-s / 9)
        assert abs(connected[squared == s].sum() - n * p) < 5 * np.sqrt(n * p * (1 - p)), s


@pytest.mark.parametrize(
    "mistake, message",
    [
        (lambda: Circuit(), r"no population and no input"),
        (lambda: Circuit(a=LEAKY), r"Part 'a' is a Cell.*made by population"),
        (lambda: make(dt=0 * ms), r"dt: got 0 s; it must be positive"),
        (lambda: make(dt=0.1), r"dt: got 0\.1, but the unit must be second"),
        (lambda: population(LEAKY, 0), r"got 0 cells; the size must be a whole number of at least 1"),
        (lambda: population(LEAKY, 2.5), r"got 2\.5 cells"),
        (lambda: population("lif", 2), r"is no Cell"),
        (lambda: population(LEAKY, 2, init={"q": 1}), r"no parameter or state variable 'q'"),
        (lambda: population(LEAKY, 3, positions=wiring.grid(2, 2)), r"4 positions for 3 cells"),
        (lambda: poisson(3, -1 * Hz), r"a rate is negative"),
        (lambda: poisson(3, 5 * ms), r"poisson, rates: got 5 ms, but the unit must be hertz"),
        (lambda: make(input=poisson(3, [1, 2] * Hz)), r"input\.rates: got shape \(2,\)"),
        (lambda: spike_trains(2, [0, 2], [1, 2] * ms), r"indices run from 0 to 2, but there are 2 sources"),
        (lambda: spike_trains(2, [0], [1, 2] * ms), r"1 indices and 2 times"),
        (lambda: timed([], 1 * ms), r"values must be an array of shape"),
        (
            lambda: make(x=current("a", "J", 1 * nA)),
            r"has no input 'J'\. Did you mean|has no input 'J'\. Inputs: I",
        ),
        (lambda: make(x=current("a", "I", 1 * mV)), r"amplitude: got 1 mV, but the unit must be amp"),
        (lambda: make(x=current("a", "I", [1, 2] * nA)), r"x\.amplitude: got shape \(2,\)"),
        (
            lambda: make(x=current("a", "I", timed(np.zeros((3, 4)) * nA, 1 * ms))),
            r"shape \(3, 4\), but there are 10 cells",
        ),
        (lambda: make(x=current("c", "I", 1 * nA)), r"no target population 'c'"),
        (
            lambda: make(ab=projection("a", "c", synapses.delta("v", 1 * mV), wiring.one_to_one())),
            r"no target population 'c'",
        ),
        (
            lambda: make(ab=projection("c", "a", synapses.delta("v", 1 * mV), wiring.one_to_one())),
            r"no source 'c'",
        ),
        (
            lambda: make(ab=projection("a", "b", synapses.delta("v", 1 * mV), wiring.one_to_one())),
            r"one_to_one needs equal sizes, but there are 10 sources and 5",
        ),
        (
            lambda: make(ab=projection("a[8:12]", "b", synapses.delta("v", 1 * mV), wiring.all_to_all())),
            r"slice \[8:12\] is empty or beyond the 10 cells",
        ),
        (
            lambda: make(ab=projection("a[", "b", synapses.delta("v", 1 * mV), wiring.all_to_all())),
            r"names no part",
        ),
        (
            lambda: make(ab=projection("a", "b", synapses.delta("v", 1 * nA), wiring.all_to_all())),
            r"Projection 'ab' \(delta\), presynaptic spike: the units do not fit",
        ),
        (
            lambda: make(ab=projection("a", "b", synapses.delta("g", 1 * nS), wiring.all_to_all())),
            r"delivered to 'g', which the cell 'leaky'.*State variables|variables: v",
        ),
        (
            lambda: make(
                ab=projection(
                    "a", "b", synapses.exponential_conductance(1 * nS, port="g"), wiring.all_to_all()
                )
            ),
            r"adds to 'g', which is no input",
        ),
        (
            lambda: make(ab=projection("a", "b", synapses.delta("v", [1, 2] * mV), wiring.probability(0.1))),
            r"only known when they are drawn",
        ),
        (
            lambda: make(
                ab=projection(
                    "a", "b", synapses.delta("v", 1 * mV), wiring.probability(0.1), delay=[1, 2] * ms
                )
            ),
            r"delay: an array, but how many",
        ),
        (
            lambda: make(ab=projection("a", "b", synapses.delta("v", 1 * mV), wiring.distance(0.1, 2))),
            r"needs positions of 'a'",
        ),
        (
            lambda: make(ab=projection("a", "b", synapses.delta("v", 1 * mV), wiring.fixed_in_degree(11))),
            r"11 sources for every target, but there are only 10",
        ),
        (
            lambda: make(ab=projection("a", "b", synapses.delta("v", 1 * mV), wiring.pairs([10], [0]))),
            r"pairs go up to \(10, 0\)",
        ),
        (
            lambda: projection("a", "b", synapses.delta("v", 1 * mV), wiring.one_to_one(), delay=-1 * ms),
            r"a delay must be at least 0",
        ),
        (
            lambda: projection("a", "b", synapses.delta("v", 1 * mV), wiring.one_to_one(), delay=1 * mV),
            r"delay: got 1 mV, but the unit must be second",
        ),
        (lambda: projection("a", "b", LEAKY, wiring.one_to_one()), r"is no Synapse"),
        (lambda: projection("a", "b", synapses.delta("v", 1 * mV), "random"), r"is no Wiring"),
        (lambda: wiring.probability(1.2), r"p: got 1\.2; it must be between 0 and 1"),
        (lambda: wiring.probability(float("nan")), r"must be between 0 and 1"),
        (lambda: wiring.distance(1, 0), r"a length must be positive"),
        (lambda: wiring.pairs([0, 1], [0]), r"2 sources and 1 targets"),
        (lambda: wiring.pairs([0.5], [0]), r"whole numbers from 0"),
        (lambda: wiring.grid(0), r"no shape of a grid"),
        (lambda: synapses.delta("v", 1 * mV).but(q=1), r"no parameter 'q'"),
        (lambda: synapses.delta("v", 1 * mV).but(w=1 * nA), r"unit must be volt"),
        (lambda: make(record=[spikes("c")]), r"no population or input 'c'"),
        (
            lambda: make(record=[trace("a", "u")]),
            r"'a' has no variable 'u'\. .*Variables: I, R, V_t, tau, v|'a' has no variable 'u'",
        ),
        (lambda: make(record=[trace("a", "v", index=[10])]), r"index 10, but there are 10 cells"),
        (lambda: make(record=[trace("a", "v", index=[])]), r"list of one or more indices"),
        (
            lambda: make(record=[trace("a", "v", every=0.25 * ms)]),
            r"every = 0\.25 ms is no multiple of dt|no multiple of dt",
        ),
        (lambda: make(record=[spikes("a"), spikes("a")]), r"given twice"),
        (lambda: make(record=[weights("a")]), r"no projection 'a'"),
        (lambda: make(record=[weights("ab", "q")]), r"'ab' has no variable 'q'"),
        (lambda: make(record=[rate("ab")]), r"no population or input 'ab'"),
        (
            lambda: Circuit(a=population(Cell("mute", "v : volt"), 2), record=[spikes("a")]),
            r"has no threshold and never spikes",
        ),
        (lambda: Circuit(dt=1 * ms, ms=population(LEAKY, 2)), r"part name 'ms' is a unit"),
    ],
)
def test_mistakes(mistake, message):
    with pytest.raises(CircuitError, match=message):
        mistake()


@pytest.mark.compiled
def test_backends_agree_where_nothing_is_drawn():
    rng = np.random.default_rng(1)
    i, j = rng.integers(0, 20, 60), rng.integers(0, 8, 60)
    net = Circuit(
        source=spike_trains(20, i=np.arange(20), t=np.sort(rng.uniform(0, 60, 20)) * ms),
        cells=population(LEAKY, 8),
        drive=current("cells", "I", np.linspace(0.5, 1.6, 8) * nA),
        s=projection(
            "source",
            "cells",
            synapses.tsodyks_markram(synapses.alpha_current(w=rng.uniform(0, 3, 60) * nA)),
            wiring.pairs(i, j),
            delay=rng.uniform(0, 3, 60) * ms,
        ),
        lateral=projection(
            "cells", "cells", synapses.delta("v", -1 * mV), wiring.all_to_all(autapses=False), delay=0.5 * ms
        ),
        record=[spikes("cells"), trace("cells", "v"), weights("s", "R", every=10 * ms)],
    )
    a, b = engine.run(net, 80 * ms), engine.run(net, 80 * ms, backend="interpreted")
    assert len(a.spikes["cells"]) > 5
    assert np.array_equal(a.spikes["cells"].t, b.spikes["cells"].t) and np.array_equal(
        a.spikes["cells"].i, b.spikes["cells"].i
    )
    assert np.allclose(a.traces["cells.v"].values, b.traces["cells.v"].values, rtol=0, atol=1e-12)
    assert (
        np.allclose(a.weights["s.R"].values, b.weights["s.R"].values, rtol=1e-10)
        and len(a.weights["s.R"].t) == 9
    )


def test_circuit_shows_its_tables():
    text, html = repr(make()), make()._repr_html_()
    assert (
        "a  b  delta  probability  w = 1 mV, p = 0.5, delay = 1 ms" in text and "<b>Projections</b>" in html
    )


def test_changed_numbers_stay_when_parts_are_added():
    net = make(x=current("a", "I", 1 * nA)).but({"x.amplitude": 2 * nA, "ab.w": 3 * mV})
    assert net.with_(record=[]).numbers()["x.amplitude"] == 2e-9
    assert net.with_(x=current("a", "I", 5 * nA)).numbers()["x.amplitude"] == 5e-9
    assert net.with_(x=None).numbers()["ab.w"] == 3e-3
    assert "2 nA" in repr(net) and "w = 3 mV" in repr(net)


def test_current_given_as_a_function_of_time():
    net = make(x=current("a", "I", "1*nA*sin(2*pi*50*Hz*t)"), record=[trace("a", "I", index=[0])])
    got = engine.run(net, 20 * ms, backend="interpreted").traces["a.I"]
    assert np.allclose(got.values[:, 0], 1e-9 * np.sin(2 * np.pi * 50 * got.t), atol=1e-15)


def test_values_over_time_keep_their_step():
    net = make(x=current("a", "I", timed([1, 2, 3] * nA, 1 * ms)), y=current("a", "I", 1 * nA))
    assert net.but({"x.amplitude": timed([4, 5, 6] * nA, 1 * ms)}).numbers()["x.amplitude"][0] == 4e-9
    for changes in (
        {"x.amplitude": timed([1, 2, 3] * nA, 2 * ms)},
        {"y.amplitude": timed(np.ones(10) * nA, 1 * ms)},
    ):
        with pytest.raises(CircuitError, match="the step is structure"):
            net.but(changes)


def test_start_values_do_not_depend_on_the_order_of_equations():
    for equations in ("du/dt = -u/tau : 1\ndv/dt = -v/tau : 1", "dv/dt = -v/tau : 1\ndu/dt = -u/tau : 1"):
        cell = Cell("pair", equations, params={"tau": 1 * ms}, init={"u": "2*v", "v": "1 + 0*rand()"})
        net = Circuit(c=population(cell, 2), record=[trace("c", "u")])
        assert engine.run(net, 0.1 * ms, backend="interpreted").traces["c.u"].values[0, 0] == 2
    with pytest.raises(CircuitError, match="read each other"):
        Circuit(c=population(cell.but(v="u"), 2))


def test_positions_that_drew_the_wiring_cannot_differ_between_trials():
    net = Circuit(
        c=population(LEAKY, positions=wiring.grid(3, 3)),
        s=projection("c", "c", synapses.delta("v", 1 * mV), wiring.distance(1, 1)),
    )
    with pytest.raises(engine.NumbersError, match="c.x takes part in drawing"):
        engine.run(net, 1 * ms, trials=[{"c.x": np.zeros(9)}], backend="interpreted")


def test_noise_and_nonlinear_equations_find_a_method_of_their_own():
    noisy = Cell("noisy", "dv/dt = -v/tau + xi*sqrt(2/tau) : 1", params={"tau": 5 * ms})
    cubic = Cell("cubic", "dv/dt = (v - v**3)/tau : 1", params={"tau": 5 * ms}, init={"v": 0.1})
    net = Circuit(a=population(noisy, 3), b=population(cubic, 1), record=[trace("a", "v"), trace("b", "v")])
    got = engine.run(net, 50 * ms, backend="interpreted")
    assert got.traces["a.v"].values.std() > 0.1
    assert got.traces["b.v"].values[-1, 0] == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize(
    "mistake, message",
    [
        (
            lambda: population(LEAKY.but(tau="10*ms + t"), 2),
            r"evaluated once, when the run starts, so t cannot",
        ),
        (lambda: population(LEAKY.but(v="1*mV*(t/ms)"), 2), r"start value of v.*evaluated once"),
        (lambda: population(LEAKY, positions=wiring.grid(3, 3) * mV), r"positions: .*unit must be 1"),
        (lambda: spike_trains(3, [0.7], [1] * ms), r"whole numbers from 0"),
        (lambda: spike_trains(3, ["a"], [1] * ms), r"whole numbers from 0"),
        (lambda: spike_trains(3, [1], "1*ms"), r"give times with their unit"),
        (lambda: wiring.pairs([2**32], [0]), r"whole numbers from 0"),
        (lambda: make(g=spike_trains(3, [1], [1] * ms)).but({"g.i": [0.5]}), r"g\.i: .*whole numbers"),
        (lambda: make(g=spike_trains(3, [1], [1] * ms)).but({"g.i": [1] * mV}), r"g\.i: .*whole numbers"),
        (
            lambda: make(input=poisson(4, timed([-1, 5] * Hz, 1 * ms))),
            r"input\.rates: got -1; it must be at least 0",
        ),
        (
            lambda: make(input=poisson(4, timed([float("nan"), 5] * Hz, 1 * ms))),
            r"input\.rates: a value is not a number",
        ),
        (lambda: population(LEAKY, float("nan")), r"the size must be a whole number"),
        (lambda: population(LEAKY, [3]), r"the size must be a whole number"),
        (lambda: make(record=["a"]), r"record: 'a' is no recorder"),
        (lambda: make(recorder_0=population(LEAKY, 1)), r"names that begin with recorder_"),
        (
            lambda: Cell("x", "v : volt", threshold="v > 1*mV", refractory=2 * ms),
            r"refractory: got .*it is text",
        ),
        (lambda: Cell("x", "dv/dt = -v/(5*ms) : volt", method="rk44"), r"there is no 'rk44'\. Did you mean"),
        (lambda: Cell("x", "v : volt", inputs={"I": "amp"}), r"input I: got 'amp'; give its unit"),
        (lambda: Cell("x", "v : volt", params={"lambda": 1.0}), r"no valid name"),
        (lambda: Cell("x", "v : volt", params={"namespace": 1.0}), r"'namespace' is a word of the generated"),
        (lambda: Cell("x", "default : volt"), r"variable name 'default' is a word of the generated code"),
        (
            lambda: make(new=signal("b.v", "b")),
            r"Signal 'new'.*signal name 'new' is a word of the generated code",
        ),
        (
            lambda: make(
                g=spike_trains(3),
                gb=projection("g[0:2]", "b", synapses.delta("v", 1 * mV), wiring.all_to_all()),
            ),
            r"Projection 'gb': a list of spikes has no slices.*wiring\.pairs.*\[0:2\]",
        ),
        (
            lambda: make(g=spike_trains(3), record=[spikes("g[1:]")]),
            r"'g\[1:\]'.*a list of spikes has no slices",
        ),
        (
            lambda: make(
                g=population(Cell("x", "v : volt", threshold="v > 1*mV", reset="v = 0*mV"), 2),
                gb=projection(
                    "g",
                    "b",
                    Synapse("x", deliver={"v": "1*mV"}, pre="n : 1", at_pre="n += 1"),
                    wiring.all_to_all(),
                    delay="1*ms*rand()",
                ),
            ),
            r"each synapse has a delay of its own\. Give one delay",
        ),
    ],
)
def test_more_mistakes(mistake, message):
    with pytest.raises(CircuitError, match=message):
        mistake()


def test_names_that_a_projection_or_current_would_double():
    taken = LEAKY.plus("I_syn_ab : amp\nx_amplitude : amp")
    with pytest.raises(CircuitError, match=r"I_syn_ab too.*Rename"):
        make(
            b=population(taken, 5),
            ab=projection("a", "b", synapses.exponential_current(), wiring.all_to_all()),
        )
    with pytest.raises(CircuitError, match=r"'x_amplitude' too"):
        make(a=population(taken, 10), x=current("a", "I", 1 * nA))


BACKENDS = ["interpreted", pytest.param("compiled", marks=pytest.mark.compiled)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_variables_may_be_called_like_attributes_of_groups(backend):
    names = ["active", "source", "spikes", "start", "name", "events", "clock", "state", "run", "order"]
    taken = [*names, "double", "namespace", "variables"]  # in synapses, which the circuit renames
    held = "\n".join(f"d{name}/dt = -{name}/tau : 1" for name in names)
    init = {name: "0.5 + 0*rand()" for name in names} | {"spikes": 0.5}
    cell = Cell("states", held, params={"tau": 10 * ms}, init=init)
    numbers = Cell("numbers", "total = " + " + ".join(names) + " : 1", params=dict.fromkeys(names, 3.0))
    synapse = Synapse(
        "same names",
        equations="\n".join(f"{name} : 1" for name in taken),
        deliver={name: name for name in names},
        init=dict.fromkeys(taken, 1.0),
    )
    net = Circuit(
        g=spike_trains(1, [0], [1] * ms),
        cells=population(cell, 2),
        numbers=population(numbers, 2),
        plastic=projection("g", "cells", synapse, wiring.all_to_all()),
        record=[
            trace("numbers", "total"),
            *(trace("cells", name) for name in names),
            weights("plastic", "run"),
        ],
    ).but({"numbers.active": 4.0, "cells.spikes": 0.25, "plastic.run": 2.0})
    got = engine.run(net, 3 * ms, backend=backend)
    np.testing.assert_array_equal(got.traces["numbers.total"].values, 31)
    np.testing.assert_array_equal(got.weights["plastic.run"].values, 2)
    for name in names:
        start, jump = (0.25 if name == "spikes" else 0.5), (2 if name == "run" else 1)
        decay = np.exp(-np.arange(30) * 0.01)
        # the jump at 1 ms is seen one step later
        expected = start * decay + np.where(
            np.arange(30) > 10, jump * np.exp(-(np.arange(30) - 11) * 0.01), 0
        )
        np.testing.assert_allclose(
            got.traces[f"cells.{name}"].values[:, 0], expected, atol=1e-9, err_msg=name
        )


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_signal_may_follow_values_over_time(backend):
    """Of one cell, or of as many as there are readers, whatever their own values are."""
    values = np.arange(12.0).reshape(4, 3)
    source, reader = (
        Cell("source", "x = 2*I : 1", inputs={"I": 1}),
        Cell("reader", "z = s + u : 1", inputs={"s": 1, "u": 1}),
    )
    net = Circuit(
        one=population(source, 1),
        many=population(source, 3),
        cells=population(reader, 3),
        to_one=current("one", "I", timed(100 * values[:, 0], 1 * ms)),
        to_many=current("many", "I", timed(values, 1 * ms)),
        s=signal("one.x", "cells"),
        u=signal("many.x", "cells"),
        record=[trace("cells", "z")],
        dt=0.5 * ms,
    )
    expected = np.repeat(2 * (100 * values[:, :1] + values), 2, axis=0)
    np.testing.assert_array_equal(engine.run(net, 4 * ms, backend=backend).traces["cells.z"].values, expected)


def complex_cell():
    return Cell(
        "two kinds",
        "v : 1\nc : 1",
        threshold="v > 0.5",
        reset="v = 0",
        events={"complex": ("c > 0.5", "c = 0")},
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_events_of_another_kind_are_recorded_and_followed(backend):
    teach = Synapse(
        "teach",
        equations="w : 1",
        before="w += 0",
        on_post="w += 1",
        event="complex",
        at_post="n += 1",
        post="n : 1",
    )
    net = Circuit(
        simple=spike_trains(2, [0, 1, 1], [1, 1, 2] * ms),
        climbing=spike_trains(2, [1, 1, 1], [1, 3, 5] * ms),
        cells=population(complex_cell(), 2),
        drive=projection("simple", "cells", synapses.delta("v", 1.0), wiring.one_to_one()),
        climb=projection("climbing", "cells", synapses.delta("c", 1.0), wiring.one_to_one()),
        plastic=projection("simple", "cells", teach, wiring.all_to_all()),
        record=[
            spikes("cells"),
            spikes("cells", event="complex"),
            weights("plastic", "w"),
            trace("cells", "n_plastic"),
        ],
    )
    r = engine.run(net, 10 * ms, seed=1, backend=backend)
    np.testing.assert_allclose(r.spikes["cells"].t, [1.1e-3, 1.1e-3, 2.1e-3])
    np.testing.assert_allclose(r.spikes["cells.complex"].t, [1.1e-3, 3.1e-3, 5.1e-3])
    np.testing.assert_array_equal(r.spikes["cells.complex"].i, 1)
    np.testing.assert_array_equal(r.weights["plastic.w"].values[-1], [0, 3, 0, 3])
    np.testing.assert_array_equal(r.traces["cells.n_plastic"].values[-1], [0, 3])


def test_events_that_are_not_there_are_refused():
    with pytest.raises(CircuitError, match="no event 'complx'. Did you mean complex"):
        Circuit(cells=population(complex_cell(), 2), record=[spikes("cells", event="complx")])
    with pytest.raises(CircuitError, match="'spike' is that of the threshold"):
        Cell("x", "v : 1", events={"spike": ("v > 1", "v = 0")})
    with pytest.raises(CircuitError, match="has unit|not a condition"):
        Cell("x", "v : 1", events={"high": ("v + 1", "v = 0")})


@pytest.mark.parametrize("value", [np.nan, [0.1, np.nan, 0.1]])
def test_parameters_that_are_no_numbers_are_refused(value):
    with pytest.raises(CircuitError, match=r"cells\.a: a value is not a number"):
        Circuit(cells=population(Cell("one", "x : 1", params=dict(a=value)), 3))
