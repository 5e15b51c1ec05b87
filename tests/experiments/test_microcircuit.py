"""The microcircuit as an experiment: what is measured of spikes that are known, and the figure."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from circuits import microcircuit as column
from experiments import microcircuit


def recording(random, scale, end):
    """Poisson spikes at the rates of the whole circuit."""
    t, i = [], []
    for rate, cells in zip(column.RATES, column.slices(scale).values(), strict=True):
        n = cells.stop - cells.start
        t.append(random.uniform(0, end, random.poisson(rate * n * end)))
        i.append(random.integers(cells.start, cells.stop, len(t[-1])))
    t, i = np.concatenate(t), np.concatenate(i)
    order = np.argsort(t)
    return SimpleNamespace(spikes={"cells": SimpleNamespace(t=t[order], i=i[order])})


@pytest.fixture
def results():
    scale, start, end = 0.02, 0.2, 4.2
    found = microcircuit.measured(recording(np.random.default_rng(1), scale, end), scale, start, end)
    control = found["table"].assign(rate_Hz=0.0)
    extra = dict(seeds=[1], scale=scale, n=1543, synapses=10**5, kind="poisson", start=start, end=end)
    return {**found, **extra, "control": control}


def test_poisson_spikes_have_their_rates_and_no_synchrony(results):
    table = results["table"]
    error = np.sqrt(table["reference_Hz"] / table["cells"] / 4)
    assert (np.abs(table["rate_Hz"] - table["reference_Hz"]) < 4.5 * error).all()
    assert (np.abs(table["synchrony"] - 1) < 0.25).all()  # 4.5 SDs of a variance over 1333 bins
    # 1, less some percent where 20 to 30 intervals are all there is
    assert table["cv"][table["reference_Hz"] > 5].between(0.85, 1.05).all()


def test_claims_hold_for_the_rates_of_the_whole_circuit_and_not_for_silence(results):
    assert all(claim.holds for claim in microcircuit.claims(results))
    silent = microcircuit.claims({**results, "table": results["control"], "control": results["table"]})
    assert not any(claim.holds for claim in silent if "rates off" in claim.name)


def test_figure(results):
    fig = microcircuit.figure(results)
    assert isinstance(results["table"], pd.DataFrame) and len(fig.axes) == 5
    pyplot.close(fig)
