"""The experiment on single cells: its classes tell patterns apart, its quick form holds what it claims."""

import numpy as np
import pytest
from matplotlib import pyplot

from experiments import single_cells as experiment
from experiments.parameters import chosen


@pytest.fixture(scope="module")
def patterns():
    return experiment.izhikevich_patterns(1)


def test_patterns_have_the_programs_counts_and_their_class(patterns):
    table = patterns["izhikevich"]
    assert list(table["spikes"]) == list(table["in the program"])
    assert table["in class"].all()
    # latency and integration come from v alone
    assert set(table["letter"][table["in class without recovery"]]) == {"I", "L"}


def test_every_pattern_is_of_its_own_class_only(patterns):
    for name, holds in experiment.IZHIKEVICH_CLASSES.items():
        if name == "P":  # judged with further pulses, which only P has
            continue
        for letter, one in patterns["izhikevich_traces"].items():
            assert bool(holds(**one)) == (letter == name), f"pattern {letter} as {name}"


BURST = np.array([0.0, 3.0, 7.0])
TRAINS = {
    "tonic spiking": 10 + 9.5 * np.arange(40),
    "adaptation": 10 + np.cumsum([10, 13, 18, 26, 40, 55, 65, 70]),
    "initial burst": np.concatenate([10 + BURST, 80 + 60.0 * np.arange(7)]),
    "regular bursting": np.concatenate([10 + 100 * k + BURST for k in range(5)]),
    "delayed accelerating": 50 + np.cumsum([22, 20, 18, 16, 14, 12, 11, 10.5, 10.2]),
    "delayed regular bursting": np.concatenate([60 + 80 * k + BURST for k in range(5)]),
    "transient spiking": np.array([12.0, 20.0]),
    "irregular spiking": 10 + np.cumsum([5, 31, 8, 22, 14, 40, 6, 17, 28, 9, 36, 12, 20, 7, 33, 25, 11, 38]),
}


def test_adaptive_classes_tell_trains_apart():
    for name, holds in experiment.ADAPTIVE_CLASSES.items():
        for other, train in TRAINS.items():
            also = (name, other) == ("regular bursting", "delayed regular bursting")
            assert bool(holds(train)) == (name == other or also), f"{other} as {name}"
        assert not holds(np.zeros(0))


def test_rate_deviation_and_closed_form():
    assert experiment.rate(np.array([5.0, 15.0, 25.0])) == 100 and experiment.rate(np.array([5.0])) == 0
    assert experiment.largest(np.array([1.0, 2.5]), (1.0, 2.0)) == 0.5
    assert experiment.largest(np.array([1.0]), (1.0, 2.0)) == np.inf
    assert np.isnan(experiment.first(np.arange(3), np.zeros(3, bool)))
    rates = experiment.leaky_rate([0.1, 0.2, 0.4])
    assert rates[0] == rates[1] == 0 and rates[2] == pytest.approx(1e3 / (2 + 20 * np.log(30 / 20)))


@pytest.mark.compiled
def test_the_quick_form_holds_its_claims_and_draws():
    results = experiment.run(**chosen(experiment, quick=True))
    claims = experiment.claims(results)
    assert sum(claim.control for claim in claims) == 5
    assert not [claim for claim in claims if not claim.holds]
    figure = experiment.figure(results)
    assert len(figure.axes) >= 5
    pyplot.close(figure)
