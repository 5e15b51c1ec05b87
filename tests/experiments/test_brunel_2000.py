"""Brunel's network as an experiment: the closed form, the spectrum, and a small run."""

import numpy as np
import pytest
from brian2 import ms
from matplotlib import pyplot

from experiments import brunel_2000


def test_closed_form_gives_what_the_paper_printed():
    for name, (_, printed, _) in brunel_2000.PRINTED.items():
        g, eta, _ = brunel_2000.REGIMES[name]
        assert brunel_2000.predicted_rate(g, eta, 0.1, 1000) == pytest.approx(printed, abs=0.06)


def test_without_noise_the_rate_is_that_of_a_constant_input():
    """1/nu = t_ref + tau ln((mu - V_r)/(mu - V_t)) for mu above the threshold."""
    expected = 1 / (2e-3 + 0.02 * np.log((30 - 10) / (30 - 20)))
    assert brunel_2000.stationary_rate(30.0, 0.05) == pytest.approx(expected, rel=1e-3)


def test_the_spectrum_peaks_at_the_frequency_of_the_activity():
    random = np.random.default_rng(1)
    t = random.uniform(0.1, 1.1, 60000)
    t = t[random.random(len(t)) < 0.5 * (1 + np.sin(2 * np.pi * 70 * t))]
    frequency, power, peak = brunel_2000.spectrum(t, 100, 0.1, 1.1)
    assert abs(peak - 70) <= frequency[1] and (power >= 0).all()


@pytest.mark.compiled
def test_a_small_network_leaves_a_figure_and_claims():
    results = brunel_2000.run(n_e=800, duration=200 * ms, slow_duration=400 * ms, settled=100 * ms, gs=(6.0,))
    table = results["table"].set_index("regime")
    assert set(table.index) == {*brunel_2000.REGIMES, "g = 6", "longer delay"}
    made = {claim.name: claim for claim in brunel_2000.claims(results)}
    assert made["SR: CV of intervals"].holds
    assert not any(name.endswith(": rate") for name in made)  # printed rates are for the paper's size
    pyplot.close(brunel_2000.figure(results))
