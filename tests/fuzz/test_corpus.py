"""Circuits that once broke something, each with what it broke; what must hold is in `boundary`."""

import numpy as np
import pytest

import engine
from tests.fuzz import boundary
from tests.fuzz.boundary import arrays, compare_compiled, differences, made, ran
from tests.fuzz.strategies import GOOD, Case, Spoiled

LINEAR = (
    "Cell('lif', 'dv/dt = (E - v + I)/tau : volt', params={'E': -70.1*mV, 'tau': 17.3*ms, 'V_t': -52.3*mV}, "
    "inputs={'I': volt}, threshold='v > V_t', reset='v = E', method='exact')"
)
SILENT = "Cell('silent', 'dv/dt = -v/(9*ms) : volt', inputs={'I': volt})"
PAIR = "stdp.pair(A_plus=0.1*mV, A_minus=0.1*mV)"
PLASTIC = f"compose({PAIR}, synapse=synapses.exponential_current(w=1*mV), bounds=hard(0*mV, 2*mV))"
ALL = "wiring.all_to_all()"


def circuit(*lines, cell=LINEAR, n=2, more="", **options):
    text = "".join(f", {line}" for line in lines)
    return f"Circuit(cells=population({cell}, {n}){text}{more})"


def changed(part, rule_name="forgetting"):
    return f"{part}=projection('cells', 'cells', {PLASTIC}, {ALL})"


# What was accepted and failed when it was built or run, or failed with an error from below: (source, what the
# refusal says now).
REFUSED = {
    "mean rate of cells that never spike": (
        circuit(cell=SILENT, more=", record=[rate('cells')]"),
        "has no threshold and never spikes",
    ),
    "method that needs other equations": (
        circuit(cell="Cell('c', 'dv/dt = (1 - v**2)/(9*ms) : 1', method='independent')"),
        "Methods: euler, exact, exponential_euler",
    ),
    "method without noise": (
        circuit(cell="Cell('c', 'dv/dt = -v/tau + xi/tau**0.5 : 1', params={'tau': 9*ms}, method='rk4')"),
        "cannot integrate the noise",
    ),
    "noise that no method can integrate in turn": (
        circuit(
            cell="Cell('c', 'dv/dt = -v/tau + v*xi_1/tau**0.5 + xi_2/tau**0.5 : 1', params={'tau': 9*ms}, "
            "method='milstein')"
        ),
        "Methods that can: heun",
    ),
    "one name brought by two projections": (
        circuit(
            f"a=projection('cells', 'cells', Synapse('s', post='x_b : volt', adds={{'I': 'x_b'}}), {ALL})",
            f"b_a=projection('cells', 'cells', Synapse('s', post='x : volt', adds={{'I': 'x'}}), {ALL})",
        ),
        "Rename one of the two",
    ),
    "flag that does not exist": (
        circuit(cell="Cell('c', 'dv/dt = -v/tau : 1 (unles refractory)', params={'tau': 9*ms})"),
        "Did you mean unless refractory",
    ),
    "flag of a synapse in a cell": (
        circuit(cell="Cell('c', 'dv/dt = -v/tau : 1 (event-driven)', params={'tau': 9*ms})"),
        "cannot stand behind it",
    ),
    "linked variable": (circuit(cell="Cell('c', 'v : volt (linked)')"), "cannot stand behind it"),
    "number for a unit": (circuit(cell="Cell('c', 'v : 0')"), "'0' is no unit"),
    "division by nothing": (
        circuit(cell="Cell('c', 'dv/dt = -v/tau : 1', params={'tau': '2*ms/0'})"),
        "divides by 0",
    ),
    **{
        f"division by nothing, {text}": (
            circuit(cell=f"Cell('c', 'dv/dt = {text} : 1', params={{'tau': 9*ms}})"),
            "divides by 0",
        )
        for text in ("v/(1-1)/tau", "v/(0*ms)", "v%(2*0)/tau", "(3-3)**-1*v/tau", "v/(1e-320*ms)")
    },
    "division by nothing in a statement": (circuit().replace("v = E'", "v /= 2-2'"), "divides by 0"),
    "time constant of 0 as text": (
        circuit().replace("17.3*ms", "'0*ms'"),
        "cells.tau, '0*ms': got 0; it must be above 0",
    ),
    "negative time constant as text": (circuit().replace("17.3*ms", "'(2 - 3)*ms'"), "Give a positive time"),
    "time constant of 0 as text in a rule": (
        circuit(changed("syn").replace("A_minus=", "tau_plus='0*ms', A_minus=")),
        "it must be above 0",
    ),
    **{
        f"{what}, {label} is {value}": (f"{what}('n', **{{{label!r}: {value}}})", says)
        for what in ("Synapse", "Rule")
        for label, value, says in (
            ("params", "None", "give names with their values, such as params="),
            ("init", "[3]", "give names with their values, such as init="),
            ("needs", "'v'", "give names with their values, such as needs="),
            ("needs", "{'v_post': 'volt'}", "give its unit"),
            ("remedy", "{'v_post': 3}", "but it is text"),
            ("pre", "None", "but it is text"),
            ("on_post", "3", "but it is text"),
            ("periodic", "None", "give Periodic(statements, every='T')"),
            ("periodic", "['w = 0']", "give Periodic(statements, every='T')"),
        )
    },
    "delivery that is no text": ("Synapse('s', deliver={'v': 3})", "A number goes into params"),
    "variable that is no text": ("synapses.delta(3)", "but it is text"),
    "argument that a rule does not have": ("stdp.pair(tau_pre=20*ms)", "Did you mean tau_plus"),
    "argument that a cell does not have": ("neurons.leaky(tau=20*ms)", "Did you mean tau_m"),
    "arguments without their names": ("stdp.pair(0.1)", "A_plus=0.01"),
    "amplitude that cannot be multiplied": ("stdp.clopath(A_LTD=None)", "can be made with A_LTD=None"),
    "stages without end": ("stdp.clopath(stages=2**70)", "whole number from 1 to 1000"),
    "chain without end": ("consolidation.benna_fusi(m=2**70)", "whole number from 1 to 100"),
    "power without end": ("cerebellar.climbing_fibre(exponent=2**70)", "from 2 to 100"),
    "unit that is none": ("synapses.linear(unit='mV')", "give its unit"),
    "input that is no text": ("synapses.gap_junction(port=np.ones(3))", "but it is text"),
    "short-term plasticity of nothing": ("synapses.tsodyks_markram(synapses.delta)", "is no Synapse"),
    "period that is no text": ("Periodic('w = 0', every=3*ms)", "A time goes into params"),
    "period of no time": ("Periodic('w = 0', every='0*T')", "is no time"),
    "period with two points": ("Periodic('w = 0', every='1.2.3*T')", "give the name of a parameter"),
    "name of a cell that is no text": ("Cell(3, 'v : 1')", "but it is text"),
    "names of parameters that are no text": ("Cell('c', 'v : 1', params={3: 3})", "give names with"),
    "start values without names": (f"population({LINEAR}, 2, init=[3])", "give variables with their values"),
    "mechanism without names": (f"{LINEAR}.plus(params=3)", "give names with their values"),
    "mechanism that is no text": (f"{LINEAR}.plus(3)", "but it is text"),
    "edited with what is no text": (f"{LINEAR}.edit('v', None)", "but it is text"),
    "rule edited with what is no text": ("stdp.pair().edit(None, 'v')", "but it is text"),
    "two variables for one recorder": (
        circuit(more=", record=[trace('cells', ['v', 'w'])]"),
        "a recorder for each",
    ),
    "grid without numbers": ("wiring.grid('a')", "is no shape of a grid"),
    "size with a unit": (f"population({LINEAR}, mV, positions=wiring.grid(1))", "must be a whole number"),
    "whole number beyond all numbers": (
        circuit(cell="Cell('c', 'dv/dt = a/ms : 1', params={'a': 10**400})"),
        "is too large",
    ),
    "index beyond all numbers": (circuit("inp=spike_trains(2, i=10**400, t=1*ms)"), "give a list of indices"),
    "more cells than can be counted": (circuit(n="10**400"), "the size must be a whole number"),
    "time constant of 0": (
        circuit(more="").replace("17.3*ms", "0*ms"),
        "cells.tau: got 0; it must be above 0",
    ),
    "negative time constant": (circuit() + ".but({'cells.tau': -3*ms})", "Give a positive time, such as"),
    "one time constant of 0 in a rule": (
        circuit(changed("syn")) + ".but({'syn.tau_plus_stdp': 0*ms})",
        "it must be above 0",
    ),
    "one of many time constants": (
        circuit().replace("17.3*ms", "[9, 0]*ms"),
        "cells.tau: got 0; it must be above 0",
    ),
    "event-driven equation without a solution": (
        circuit(
            "syn=projection('cells', 'cells', Synapse('s', equations='dx/dt = -x**2/tau : 1 (event-driven)', "
            f"before='x += 1', params={{'tau': 9*ms}}), {ALL})"
        ),
        "Write (clock-driven) instead",
    ),
    "event-driven equation that reads what moves": (
        circuit(
            "syn=projection('cells', 'cells', Synapse('s', "
            "equations='dx/dt = (y - x)/tau : 1 (event-driven)\\n"
            "dy/dt = -y/tau : 1 (clock-driven)', before='y += 1', params={'tau': 9*ms}), " + ALL + ")"
        ),
        "which moves at every step",
    ),
    **{
        f"event-driven equation that reads {what}": (
            circuit(
                f"syn=projection('cells', 'cells', Synapse('s', equations='{equations}', before='x += 1', "
                f"params={{'tau': 9*ms, 'k': 1*mV}}), {ALL})"
            ),
            "which moves at every step",
        )
        for what, equations in {
            "a variable of the target": "dx/dt = -x*v_post/(k*tau) : 1 (event-driven)",
            "a variable of the source": "dx/dt = -x*v_pre/(k*tau) : 1 (event-driven)",
            "a variable of the target by its bare name": "dx/dt = -x*v/(k*tau) : 1 (event-driven)",
            "an input of the target": "dx/dt = -x*I_post/(k*tau) : 1 (event-driven)",
            "a subexpression of what moves": "dx/dt = -y*x/tau : 1 (event-driven)\\ny = z/k : 1\\n"
            "z = v_post : volt",
            "what is drawn at every step": "dx/dt = -y*x/tau : 1 (event-driven)\\n"
            "y = rand() : 1 (constant over dt)",
        }.items()
    },
    "event-driven equation that is not linear through a subexpression": (
        circuit(
            "syn=projection('cells', 'cells', Synapse('s', equations='dx/dt = -y*x/tau : 1 (event-driven)"
            f"\\ny = x**2 : 1', before='x += 1', params={{'tau': 9*ms}}), {ALL})"
        ),
        "Write (clock-driven) instead",
    ),
    "spike of the source that changes what is not there": (
        circuit(f"syn=projection('cells', 'cells', Synapse('s', at_pre='nonsense += 1'), {ALL})"),
        "'nonsense' is not defined",
    ),
    "power with the sign of other languages": (
        circuit(cell="Cell('c', 'dv/dt = (v^2 - v)/(9*ms) : 1')"),
        "a power is written **, not ^",
    ),
    "power of other languages in a reset": (circuit().replace("v = E'", "v = E*2^2'"), "is written **"),
    "operator that equations do not know": (
        circuit(cell="Cell('c', 'dv/dt = (1 << 2)/(9*ms) : 1')"),
        "there is no operator <<",
    ),
    **{
        f"spike that changes {what}": (
            circuit(
                f"syn=projection('cells', 'cells', Synapse('s', {when}={code!r}, equations='y = 2 : 1', "
                f"params={{'k': 1, 'w': 1*mV}}), {ALL})"
            ),
            says,
        )
        for what, when, code, says in (
            ("a function", "before", "sign += k", "'sign' is a function"),
            ("a function, as a name of its own", "after", "cos = k", "'cos' is a function"),
            ("an index", "before", "i = k", "'i' is reserved"),
            ("a unit", "at_post", "mV = k", "'mV' is a unit"),
            ("a word of the generated code", "on_post", "short = k", "word of the generated code"),
            ("one number for all synapses", "before", "w += k*mV", "one number for all"),
            ("one number for all cells", "on_post", "V_t_post += w", "one number for all"),
            ("an input", "before", "I_post += w", "one number for all"),
            ("an expression", "before", "y += k", "or an expression"),
            ("a number of the projection in its cells", "at_post", "w += k*mV", "one number for all"),
        )
    },
    "letters that the generated code does not have, in an equation": (
        circuit(cell="Cell('c', 'größe : 1')"),
        "do not parse",
    ),
    "letters that the generated code does not have, in a parameter": (
        circuit(cell="Cell('c', 'v : 1', params={'τ': 3*ms})"),
        "not of the letters a to z",
    ),
    "letters that the generated code does not have, in a part": (
        f"Circuit(größe=population({LINEAR}, 2))",
        "not of the letters a to z",
    ),
    "complex number": (circuit().replace("-52.3*mV", "1j*mV"), "is complex"),
    "complex current": (circuit("drive=current('cells', 'I', [1j, 2]*mV)"), "is complex"),
    "no list of recorders": (circuit(more=", record=None"), "is no list of recorders"),
    "name without its number": (circuit() + ".but('cells.tau')", "give dotted names with their values"),
    "no parameters": ("Cell('c', 'v : 1', params=None)", "or leave it out"),
    "parameters without names": ("Cell('c', 'v : 1', params=[3])", "give names with their values"),
    "reset of a parameter": (circuit().replace("reset='v = E'", "reset='V_t += 1*mV'"), "one number for all"),
    "reset of an input": (circuit().replace("reset='v = E'", "reset='I = 0*mV'"), "one number for all"),
    "period of 0": (
        circuit(
            "syn=projection('cells', 'cells', compose(Rule('r', periodic=Periodic('w = w*0.9', every='T'), "
            f"params={{'T': 0*ms}}), bounds=hard()), {ALL})"
        ),
        "it must be above 0",
    ),
    "bounds exchanged by but": (
        circuit(changed("syn")) + ".but({'syn.w_min': 3*mV})",
        "the smaller one first",
    ),
    "distance to an infinite bound": (
        circuit(
            f"syn=projection('cells', 'cells', compose({PAIR}, consolidation.synaptic_intelligence(), "
            f"synapse=synapses.exponential_current(w=1*mV), bounds=hard(0*mV, inf*mV)), {ALL})"
        ),
        "Give a finite one",
    ),
}

# What was accepted and failed when it was built, or gave NaN, and must run.
ACCEPTED = {
    "projection named like its rule": Case(
        {
            "cells": f"population({LINEAR}, 2)",
            "forgetting": "projection('cells', 'cells', compose(Rule('forgetting', "
            "synapse='dx/dt = -x/tau : 1 (event-driven)', on_pre='x += 1', propose_post='A*x', "
            "params={'tau': 3*ms, 'A': 0.1*mV}), synapse=synapses.exponential_current(w=1*mV), "
            f"bounds=unbounded()), {ALL})",
            "drive": "current('cells', 'I', 31.7*mV)",
        },
        ["weights('forgetting', 'x_forgetting', every=1*ms)", "trace('cells', 'v')", "spikes('cells')"],
        steps=300,
    ),
    "parameter that the synapse and its target use, and the cell has too": Case(
        {
            "cells~": f"population({LINEAR}, 2)",
            "inp~": "spike_trains(1, i=[0, 0], t=[0.13, 1.13]*ms)",
            "hand~": "projection('inp~', 'cells~', Synapse('hand', post='dI_syn/dt = -I_syn/tau : volt', "
            "adds={'I': 'I_syn'}, deliver={'I_syn': 'w*(1 + z)'}, equations='dz/dt = -z/tau : 1 "
            "(event-driven)', "
            f"before='z += 0.3', params={{'w': 1.3*mV, 'tau': 3*ms}}), {ALL})",
        },
        ["trace('cells~', 'v')", "weights('hand~', 'z', every=0.5*ms)"],
    ),
    "event-driven equation that reads numbers of the cells, and its own subexpression": Case(
        {
            "cells~": f"population({LINEAR}, 2)",
            "inp~": "spike_trains(1, i=[0, 0], t=[0.13, 1.13]*ms)",
            "hand~": "projection('inp~', 'cells~', Synapse('hand', deliver={'v': 'k*x'}, before='x += 1', "
            "equations='dx/dt = y/tau_post : 1 (event-driven)\\ny = E_post/k - x : 1', "
            f"params={{'k': 1.1*mV}}), {ALL})",
        },
        ["trace('cells~', 'v')", "weights('hand~', 'x')"],
    ),
    "condition on a variable of a cell that is otherwise linear": Case(
        {
            "cells~": "population(Cell('c', 'dv/dt = (E - v + int(on)*0.2*mV)/tau : volt\\n"
            "on = v > -60.1*mV : boolean', params={'tau': 3.3*ms, 'E': -71.9*mV}, method='exact', "
            "init={'v': -59.6*mV}), 2)",
        },
        ["trace('cells~', 'v')"],
    ),
    "one number for values over time": Case(
        {
            "cells~": f"population({LINEAR}, 2)",
            "ramp~": "current('cells~', 'I', timed([1, 2, 3]*mV, 1*ms))",
            "each~": "current('cells~', 'I', timed([[1, 2], [3, 4]]*mV, 1*ms))",
        },
        ["trace('cells~', 'v')"],
        changes={"ramp~.amplitude": "5.3*mV", "each~.amplitude": "1.7*mV"},
    ),
    "no spikes, and weights at every step": Case(
        {
            "cells~": f"population({LINEAR}, 2)",
            "inp~": "spike_trains(3)",
            "syn~": f"projection('inp~', 'cells~', {PLASTIC}, {ALL})",
        },
        ["weights('syn~', every=0.1*ms)", "spikes('inp~')"],
        steps=500,
    ),
    "rule with equations at Poisson sources": Case(
        {
            "cells~": f"population({LINEAR}, 2)",
            "inp~": "poisson(2, 0*Hz)",
            "syn~": "projection('inp~', 'cells~', compose(Rule('r', pre='ds/dt = -s/tau : 1', "
            f"at_pre='s += 1', "
            f"propose_post='A*s_pre', params={{'tau': 4*ms, 'A': 0.01}}), bounds=hard(), w=0.3), {ALL})",
        },
        ["weights('syn~')"],
    ),
}


@pytest.mark.parametrize("label", REFUSED)
def test_refused(label):
    source, says = REFUSED[label]
    net, why = made(source, Spoiled(source))
    assert net is None and says in why


@pytest.mark.parametrize("at", ["at_pre", "step_pre"])
def test_statements_of_source_cells_need_no_equations_there(at):
    """Synapses whose only equations are their own change the source cells: once per spike, or every step."""
    cell = "Cell('c', 'dv/dt = 1/ms : 1\\na : 1', threshold='v > 0.25', reset='v = 0')"
    source = circuit(
        f"syn=projection('cells', 'cells', Synapse('s', {at}='a += k', params={{'k': 7}}), {ALL})",
        cell=cell,
        more=", record=[trace('cells', 'a')]",
    )
    net, why = made(source)
    assert not why
    run = engine.run(net, 0.5 * boundary.NAMES["ms"], backend="interpreted")
    assert run.traces["cells.a"].values[-1].min() >= 7


def test_a_trial_needs_a_duration():
    """What the program refuses, the interpreted backend refuses too."""
    ms = boundary.NAMES["ms"]
    trials = [{}, {"duration": float("nan") * ms}]
    with pytest.raises(engine.NumbersError, match="Trial 1, duration: got nan"):
        engine.run(made(circuit())[0], 1 * ms, backend="interpreted", trials=trials)


def test_traces_that_other_equations_read_stay_with_their_synapses():
    """An equation that is solved from spike to spike needs all of a trace, not its value at the end."""

    def last(**options):
        source = circuit(
            "inp=spike_trains(1, i=[0, 0], t=[0.1, 20.1]*ms)",
            "syn=projection('inp', 'cells', Synapse('s', equations='dx/dt = -x/tau : 1 (event-driven)\\n"
            "dy/dt = (x - y)/tau : 1 (event-driven)', on_post='x += 1', before='y += 1', "
            f"per_neuron={options['per_neuron']}, params={{'tau': 9*ms}}), {ALL})",
            "drive=current('cells', 'I', 31.7*mV)",
            more=", record=[weights('syn', 'y')]",
        )
        run = engine.run(made(source)[0], 30 * boundary.NAMES["ms"], backend="interpreted")
        return run.weights["syn.y"].values[-1]

    assert (last(per_neuron=True) == last(per_neuron=False)).all()


@pytest.mark.parametrize("label", ACCEPTED)
def test_accepted(label):
    case = ACCEPTED[label]
    net, why = made(case.source(), case)
    assert not why
    recording, finite = ran(net, case, "interpreted")
    assert finite and arrays(recording)


@pytest.mark.compiled
def test_backends_agree_on_all_that_is_accepted():
    cases = []
    for case in ACCEPTED.values():
        cases.append((case, ran(made(case.source())[0], case, "interpreted")))
    compare_compiled(cases)


def test_snapshots_of_one_run_are_those_of_its_stretches():
    """Interpreted, weights are kept without stopping: at each time they are what a run up to it ends with."""
    case = ACCEPTED["projection named like its rule"]
    net = made(case.source())[0]
    ms = boundary.NAMES["ms"]
    whole = engine.run(net, 20 * ms, backend="interpreted").weights["forgetting.x_forgetting"]
    part = engine.run(net, 7 * ms, backend="interpreted").weights["forgetting.x_forgetting"]
    assert np.allclose(whole.t, np.append(np.arange(20), 20) * 1e-3) and whole.values[7].max() > 0
    assert np.array_equal(whole.values[7], part.values[-1])


def test_a_difference_is_seen():
    """The comparison can fail: another weight, another spike, one value that is not a number."""
    one = {"traces of cells.v, values": np.array([[1.0, 2.0]]), "spikes of cells, i": np.array([0, 1])}
    assert not differences(one, {k: v.copy() for k, v in one.items()}, True)
    for label, value in (
        ("traces of cells.v, values", np.array([[1.0, 2.0 + 1e-7]])),
        ("traces of cells.v, values", np.array([[1.0, np.nan]])),
        ("spikes of cells, i", np.array([0, 1, 1])),
        ("spikes of cells, i", np.array([0, 0])),
    ):
        assert differences(one, {**one, label: value}, True)
    assert not differences(one, {**one, "spikes of cells, i": np.array([0])}, False)


def test_the_good_circuit_is_accepted():
    """What is spoiled is good before."""
    net, why = made(GOOD)
    assert net is not None, why


def test_a_run_of_below_is_a_build_error(monkeypatch):
    """What Brian2 says when a circuit is run comes as ours."""
    import engine.interpreted as interpreted

    def fails(*_):
        raise KeyError("something below")

    monkeypatch.setattr(interpreted, "lower", fails)
    with pytest.raises(engine.BuildError, match="something below"):
        engine.run(made(circuit())[0], 1 * boundary.NAMES["ms"], backend="interpreted")
