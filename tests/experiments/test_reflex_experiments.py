"""The experiments with the reflex: measures of made-up data, what claims follow, and small runs."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from brian2 import Hz
from matplotlib import pyplot

from experiments import nucleo_olivary, reflex, vor_adaptation, vor_sensitivity


def table(n, *, gain=0.9, phase=3.0, left=0.1, cf_left=0.4, condition="intact", seed=1, goal=1.0):
    """Trials in which the error falls exponentially to `left` of its start, and the rate with it."""
    fall = np.exp(-np.arange(n) / (n / 10))
    error, cf = 0.57 * (left + (1 - left) * fall), 24 * (cf_left + (1 - cf_left) * fall)
    return pd.DataFrame(
        {
            "trial": np.arange(n),
            "goal": goal,
            "gain": gain * (1 - fall),
            "along": gain * (1 - fall),
            "phase": phase,
            "error": error,
            "cf": cf,
            "bursts": 8.0,
            "condition": condition,
            "seed": seed,
        }
    )


# ---- vor_adaptation


def adaptation(n=1000, drift=0.05, **intact):
    late, none, mixed = ("error late", "no climbing fibre", "climbing fibre shuffled")
    tables = [
        table(n, **intact),
        table(n, condition="half step", gain=intact.get("gain", 0.9)),
        table(n, condition="reversal", goal=-1.0),
        table(n, condition=late, phase=-12.0, left=0.6),
        table(n, condition=none, gain=0.0, left=1.0),
        table(n, condition=mixed, gain=0.01, left=1.0),
    ]
    return {
        "trials": pd.concat(tables, ignore_index=True),
        "seeds": [1],
        "drift": np.array([drift]),
        "late": 50.0,
        "dt": 1.0,
    }


def failing(claims):
    return {claim.name for claim in claims if not claim.holds}


def test_claims_hold_for_a_loop_that_learns():
    assert not failing(vor_adaptation.claims(adaptation()))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (dict(gain=0.6), "final gain"),
        (dict(phase=14.0), "phase error"),
        (dict(left=0.3), "error of the last 50"),
        (dict(cf_left=0.8), "climbing-fibre spikes"),
        (dict(drift=0.2), "drift"),
    ],
)
def test_each_claim_fails_for_a_loop_that_does_not(change, word):
    assert any(word in name for name in failing(vor_adaptation.claims(adaptation(**change))))


def test_a_control_that_learns_is_noticed():
    results = adaptation()
    other = results["trials"].condition == "no climbing fibre"
    results["trials"] = pd.concat(
        [results["trials"][~other], table(1000, condition="no climbing fibre")], ignore_index=True
    )
    assert any("no climbing fibre" in name for name in failing(vor_adaptation.claims(results)))


def test_shuffled_spikes_keep_their_number_and_lose_their_time():
    rng = np.random.default_rng(3)
    n_trials, dt = 50, 1e-3
    i = np.repeat(np.arange(4), 300)
    t = (rng.integers(0, n_trials, 1200) + 0.25) + rng.integers(0, 20, 1200) * dt  # all in 20 ms of a trial
    moved = vor_adaptation.shuffled({"cf_i": i, "cf_t": t}, n_trials, 1.0, dt, rng)
    at, cell = np.asarray(moved["replay.t"]), moved["replay.i"]
    steps = np.round(at / dt).astype(int)
    np.testing.assert_allclose(steps * dt, at, atol=1e-9)
    assert len({*zip(cell, steps, strict=True)}) == len(at)  # no two spikes of a cell in a step
    assert 1150 < len(at) <= 1200 and at.max() < n_trials
    inside = np.histogram(at % 1.0, 10, (0, 1))[0]
    assert inside.min() > 70  # 120 expected in each tenth of the trial; before, all were in one


@pytest.mark.compiled
def test_a_small_run_of_the_adaptation():
    results = vor_adaptation.run(
        n_trials=20, n_reversal=20, n_control=10, n_seeds=1, n_half_step_seeds=0
    )
    counts = results["trials"].groupby("condition").size()
    assert counts["reversal"] == 40 and counts["no climbing fibre"] == 10
    none = results["trials"][results["trials"].condition == "no climbing fibre"]
    assert (none.cf == 0).all() and (none.gain < 0.1).all()
    intact = results["trials"][results["trials"].condition == "intact"]
    assert intact.gain.iloc[-5:].mean() > intact.gain.iloc[:5].mean()  # it has begun to learn
    after = results["trials"][results["trials"].condition == "reversal"]
    np.testing.assert_array_equal(after.goal, np.repeat([1.0, -1.0], 20))
    figure = vor_adaptation.figure(results)
    assert vor_adaptation.claims(results)
    pyplot.close(figure)


@pytest.mark.compiled
@pytest.mark.slow
@pytest.mark.parametrize("frequency, amplitude, delay", [(1.0, 0.9, 100), (0.5, 0.9, 100), (2.0, 0.6, 80)])
def test_the_reflex_learns_at_other_frequencies_amplitudes_and_delays(frequency, amplitude, delay):
    from brian2 import ms

    from circuits import cerebellum

    net = reflex.loop(frequency=frequency * Hz).but(
        {"plant.amplitude": amplitude, **cerebellum.teaching_delay(delay * ms)}
    )
    found = reflex.learned(net, 400, seed=41)["trials"]
    assert 0.75 <= found.along[-50:].mean() <= 1.05
    assert abs(found.phase[-50:].mean()) < 10
    assert found.error[-50:].mean() < 0.25 * found.error[:5].mean()


# ---- nucleo_olivary


def test_the_rate_against_the_error_is_taken_at_the_time_the_error_arrives():
    """A fibre that fires at every step in which the delayed error of its side is positive, and never else."""
    n_trials, n = 5, 100
    t = np.arange(n) * 0.01
    head = 0.9 * np.sin(2 * np.pi * t)
    eye = np.zeros((n_trials, n))
    error = np.roll(np.tile(head, n_trials), 10)  # 100 ms late
    steps = np.flatnonzero(error > 0)
    found = {
        "eye": eye, "head": head, "cf_i": np.r_[np.zeros(len(steps), int), 1], "model_seconds": 5.0,
        "cf_t": np.r_[(steps + 0.5) * 0.01, 100.0], "trials": pd.DataFrame({"trial": range(5)}),
    }  # fmt: skip
    net = SimpleNamespace(numbers=lambda: {"plant.delay": 0.1, "plant.trial": 1.0})
    rate = nucleo_olivary.rate_of_error(found, net, n_trials)
    middle = (nucleo_olivary.EDGES[1:] + nucleo_olivary.EDGES[:-1]) / 2
    # Two fibres, of which only one ever fires: half its 100 spikes per second.
    measured = np.isfinite(rate)
    np.testing.assert_allclose(rate[measured & (middle > 0.1)], 50)
    np.testing.assert_allclose(rate[measured & (middle < -0.1)], 0)


@pytest.mark.parametrize("same", [True, False])
def test_order_of_equal_and_of_scattered_oscillations(same):
    t = np.arange(0, 60, float(nucleo_olivary.EVERY))
    shift = np.zeros(20) if same else np.tile(np.arange(10) / 10, 2)
    v = np.sin(2 * np.pi * (6 * t[:, None] + shift))
    found = {
        "recording": SimpleNamespace(traces={"olive.v": SimpleNamespace(values=v)}),
        "model_seconds": 60.0,
        "trials": pd.DataFrame({"trial": range(60)}),
    }
    assert nucleo_olivary.order(found, 50) == pytest.approx(1.0 if same else 0.0, abs=1e-6)


@pytest.mark.compiled
def test_a_small_run_with_the_loop_closed_open_and_opened():
    results = nucleo_olivary.run(n_trials=120, n_seeds=1)
    cf = results["trials"].groupby("condition").cf.mean()
    assert cf["open"] > cf["closed"]
    trials = results["trials"].set_index(["condition", "trial"])
    before = slice(0, 59)  # until it is opened, the loop is the closed one
    np.testing.assert_array_equal(trials.loc["opened"].cf[before], trials.loc["closed"].cf[before])
    figure = nucleo_olivary.figure(results)
    assert nucleo_olivary.claims(results)
    pyplot.close(figure)


# ---- vor_sensitivity


def recorded(left, n=100):
    """A recording in which the eye takes over the head's motion within ten trials or so."""
    head = 0.9 * np.sin(2 * np.pi * np.arange(100) / 100)
    missed = left + (1 - left) * np.exp(-np.arange(n) / 10)
    eye = (1 - missed)[:, None] * head
    return SimpleNamespace(
        traces={"plant.eye": SimpleNamespace(values=eye.reshape(-1, 1))},
        spikes={"olive": SimpleNamespace(t=np.arange(n) + 0.5, n=1)},
    )


def test_error_left_and_learning_time():
    found = vor_sensitivity.measure(recorded(0.1))
    assert found["left"] == pytest.approx(0.1 / (0.1 + 0.9 * np.exp(-np.arange(5) / 10).mean()), abs=0.01)
    assert found["trials"] == 40  # over blocks the error falls as exp(-k), to a tenth in the fourth
    assert found["cf"] == pytest.approx(1)
    assert np.isnan(vor_sensitivity.measure(recorded(0.9))["trials"])


def test_maps_are_laid_out_by_cap_strength_and_delay():
    rows = [
        {"plant.delay": d, "olive.cap": c, "nucleo_olivary.w": w, "seed": s, "left": c + w + d / 1000 + s,
         "trials": np.nan if c == 5 else d}
        for d in (60.0, 100.0) for c in (5.0, 25.0) for w in (0.0, 0.18) for s in (1, 2)
    ]  # fmt: skip
    results = {
        "table": pd.DataFrame(rows),
        "caps": np.array([5, 25]),
        "strengths": np.array([0.0, 0.18]),
        "delays": np.array([60, 100]),
        "n_trials": 200,
        "seeds": [1, 2],
    }
    left = vor_sensitivity._mean(results, "left")
    assert left[1, 0, 1] == pytest.approx(25 + 0 + 0.1 + 1.5)
    assert left[0, 1, 0] == pytest.approx(5.18 + 0.06 + 1.5)
    assert np.isnan(vor_sensitivity._mean(results, "trials")[0]).all()
    pyplot.close(vor_sensitivity.figure(results))
