"""Circuits that once broke something, each with what it broke; what must hold is in `boundary`."""

import numpy as np
import pytest

import engine
from tests.fuzz import boundary
from tests.fuzz.boundary import arrays, compare_compiled, differences, made, ran
from tests.fuzz.strategies import GOOD, Case, Spoiled, template

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
    "negative time constant": (circuit() + ".but({'cells.tau': -3*ms})", "it must be above 0"),
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
        "Give finite ones",
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
    for source in (GOOD, template({}, {}, {})):
        net, why = made(source)
        assert net is not None, why


def test_a_run_of_below_is_a_build_error(monkeypatch):
    """What Brian2 says when a circuit is run comes as ours."""
    import engine.interpreted as interpreted

    def fails(*_):
        raise KeyError("something below")

    monkeypatch.setattr(interpreted, "lower", fails)
    with pytest.raises(engine.BuildError, match="something below"):
        engine.run(made(circuit())[0], 1 * boundary.NAMES["ms"], backend="interpreted")
