"""Savings: what is measured, the rules that are added to the loop, and the effect on seeds of its own."""

import numpy as np
import pandas as pd
import pytest
from brian2 import Hz, ms, nS, second
from matplotlib import pyplot

import engine
from circuits import Circuit, population, projection, spike_trains, weights, wiring
from circuits import cerebellum as circuit
from experiments import reflex
from experiments import savings as experiment
from experiments.parameters import chosen
from plasticity import compose, hard


def test_trials_to_criterion():
    """A gain that approaches 0.8 with 20 trials, and again with 10 from 0.1."""
    trial = np.arange(400)
    first = 0.8 * (1 - np.exp(-trial[:300] / 20))
    again = 0.8 - 0.7 * np.exp(-trial[:100] / 10)
    found = experiment.measure(np.r_[first, np.full(80, 0.1), again], 300, 80)
    assert found["final"] == pytest.approx(0.8, abs=1e-4)
    assert found["extinguished"] == pytest.approx(0.1)
    assert found["trials_first"] == pytest.approx(20 * np.log(5), abs=1.1)
    assert found["trials_again"] == pytest.approx(10 * np.log(0.7 / 0.16), abs=1.1)
    assert found["rise_first"] == pytest.approx(20 * np.log(4), abs=1.5)


def test_a_criterion_that_is_not_met_is_no_saving():
    found = experiment.measure(np.r_[np.full(100, 0.8), np.zeros(150)], 100, 50)
    assert found["trials_again"] == np.inf
    table = pd.DataFrame([{"condition": "nuclei learn", "seed": 1, **found, "trials_first": 30}])
    assert experiment.savings({"runs": table}, "nuclei learn")[0] == -np.inf


def test_nuclear_weights_rest_at_the_rate_that_is_asked_for():
    """Against the kernel, integrated numerically."""
    net = reflex.loop()
    numbers = experiment.nuclear_rule(net, 3.0, 60 * Hz)
    plus, minus = (float(numbers[f"mossy_nuclei.A_{sign}_purkinje_gated"] / nS) for sign in ("plus", "minus"))
    s = np.arange(-100e-3, 100e-3, 1e-6)
    area = np.sum(np.exp(-np.abs(s) / 5e-3) * np.cos(np.pi * s / 10e-3) ** 2) * 1e-6
    assert minus == pytest.approx(3 * 0.00025)
    assert plus / (minus * area * 10) == pytest.approx(60, rel=1e-4)


def test_forgetting_is_exact_and_erasure_happens_at_its_time():
    """Every second the distance to 2 nS shrinks by exp(2); erased at 0 and 1.5 s, a snapshot comes first."""
    rules = [experiment.forgetting(2 * nS, 0.5 * second)]
    net = Circuit(
        source=spike_trains(1, i=[], t=[] * second),
        target=population(circuit.nuclear(), 1),
        **{
            name: projection(
                "source",
                "target",
                compose(*some, synapse=circuit.mossy_nuclear(w=3 * nS), bounds=hard(0 * nS, 4 * nS)),
                wiring.all_to_all(),
            )
            for name, some in {"forgets": rules, "erased": [*rules, experiment.erasure()]}.items()
        },
        record=[weights(name, every=0.5 * second) for name in ("forgets", "erased")],
        dt=1 * ms,
    ).but({"erased.every_erasure": 1.5 * second})
    found = engine.run(net, 2.1 * second, seed=1, backend="interpreted").weights
    once, twice, thrice = np.exp([-2, -4, -6])
    values = found["forgets.w"].values[:, 0] * 1e9
    assert values == pytest.approx([3, 2 + once, 2 + once, 2 + twice, 2 + twice, 2 + thrice])
    values = found["erased.w"].values[:, 0] * 1e9
    assert values == pytest.approx([3, 2 - 2 * once, 2 - 2 * once, 2 - 2 * twice, 0, 2 - 2 * once])


def test_conditions_that_do_not_exist():
    with pytest.raises(ValueError, match="no condition 'nuclei lean'. There are: nuclei learn"):
        experiment.run(conditions=("nuclei learn", "nuclei lean"))
    with pytest.raises(ValueError, match="first of the conditions"):
        experiment.run(conditions=("nuclei fixed",))


@pytest.mark.compiled
@pytest.mark.slow
def test_the_quick_form_holds_its_claims_and_draws():
    results = experiment.run(**chosen(experiment, quick=True, seed=60))
    made = experiment.claims(results)
    assert not [claim.name for claim in made if not claim.holds]
    assert sum(claim.control for claim in made) == 2
    pyplot.close(experiment.figure(results))
