"""Every rule with every other on one synapse: what the algebra allows is a circuit, and runs."""

import itertools

import numpy as np
import pytest
from brian2 import ms

import engine
from circuits import Cell, Circuit, population, projection, spike_trains, synapses, weights, wiring
from circuits.values import dimension, unit_text
from plasticity import RuleError, catalogue, compose, hard

RULES = catalogue.rules()
# Its weights are membrane potentials by default; here they have no unit.
WITHOUT_UNIT = {
    "consolidation.tag_and_capture": dict(h_0=0.42, h_max=1.0, sigma=0.029, theta_tag=0.084, theta_pro=0.21)
}
SINKS = [name for name, make in RULES.items() if make().sink]
PAIRS = list(itertools.combinations(RULES, 2))


def rules_of(names):
    made = [RULES[name](name=name.rpartition(".")[2], **WITHOUT_UNIT.get(name, {})) for name in names]
    if any(r.sink for r in made) and not any(r.propose_pre or r.propose_post or r.drift for r in made):
        made.append(RULES["stdp.pair"]())
    return made


def circuit(names):
    """5 sources and 2 targets with every variable that some rule needs; all spikes are given."""
    rules = rules_of(names)
    cells = {}
    for end in ("pre", "post"):
        needed = {
            n.removesuffix(f"_{end}"): u for r in rules for n, u in r.needs.items() if n.endswith(f"_{end}")
        }
        lines = [f"{n} : {unit_text(dimension(u))}" for n, u in needed.items()]
        cells[end] = Cell(end, "\n".join(["f : 1", *lines]), threshold="f > 0.5", reset="f = 0")
    synapse = compose(*rules, bounds=hard(0, 1), w="int(rand() < 0.5)" if "cascade" in str(names) else 0.5)
    i, t = np.arange(40) % 5, (1 + np.arange(40)) * 1.1 * ms
    return Circuit(
        inputs=spike_trains(5, i, t),
        teacher=spike_trains(2, i % 2, t + 0.3 * ms),
        sources=population(cells["pre"], 5),
        cells=population(cells["post"], 2),
        up=projection("inputs", "sources", synapses.delta("f", 1.0), wiring.one_to_one()),
        down=projection("teacher", "cells", synapses.delta("f", 1.0), wiring.one_to_one()),
        plastic=projection("sources", "cells", synapse, wiring.all_to_all()),
        record=[weights("plastic", "w")],
    )


def run(names, backend="interpreted"):
    values = engine.run(circuit(names), 50 * ms, seed=1, backend=backend).weights["plastic.w"].values
    assert np.all((values >= 0) & (values <= 1))
    return values[-1]


@pytest.mark.parametrize("name", RULES)
def test_each_rule_alone_runs_and_keeps_the_bounds(name):
    run([name])


@pytest.mark.parametrize("sink", SINKS)
def test_all_rules_at_once(sink):
    """No two private names meet, whatever is put together."""
    names = [name for name in RULES if name == sink or name not in SINKS]
    run(names)


def test_each_pair_composes_and_prints_itself():
    for pair in PAIRS:
        rules = rules_of(pair)
        if all(name in SINKS for name in pair):
            with pytest.raises(RuleError, match="are sinks"):
                compose(*rules)
            continue
        text = repr(compose(*rules))
        for rule in rules:
            for name in rule.params:
                assert f"{name}_{rule.name} = " in text


@pytest.mark.slow
@pytest.mark.parametrize("pair", [p for p in PAIRS if not set(p) <= set(SINKS)], ids=" + ".join)
def test_each_pair_runs_whatever_its_order(pair):
    one, other = run(pair), run(pair[::-1])
    if not any(
        "rand" in text for rule in rules_of(pair) for text in vars(rule).values() if isinstance(text, str)
    ):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("name", RULES)
def test_each_rule_is_the_same_compiled(name):
    random = any("rand" in text for text in vars(RULES[name]()).values() if isinstance(text, str))
    if random:
        pytest.skip("draws random numbers, in another order")
    np.testing.assert_allclose(run([name], "compiled"), run([name]), rtol=1e-9, atol=1e-12)
