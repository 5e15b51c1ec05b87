"""What is measured of the reflex, on eyes, spikes and weights of which the answer is known."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from brian2 import Hz, nS

import engine
from circuits.circuit import Timed
from experiments import reflex

NET = reflex.loop(scale=0.1)
SLOW = reflex.loop(scale=0.1, frequency=0.5 * Hz)  # trials of two seconds


def recorded(net, eye, *, fired=((), ()), parallel=None, mossy=None, n_snapshots=1):
    """What a run would have recorded: eye is a function of time, fired (i, t), weights (snapshot x i x j)."""

    def synaptic(values, shape):
        values = np.zeros((n_snapshots + 1, *shape)) if values is None else np.asarray(values)
        i, j = (k.ravel() for k in np.indices(values.shape[1:]))
        return SimpleNamespace(
            values=values.reshape(len(values), -1) * 1e-9, i=i, j=j, t=np.arange(len(values), dtype=float)
        )

    def run(made, duration, **_):
        t = np.arange(0, float(duration) - 1e-9, 0.01)
        return SimpleNamespace(
            circuit=made,
            traces={"plant.eye": SimpleNamespace(values=eye(t)[:, None])},
            spikes={"olive": SimpleNamespace(i=np.array(fired[0], int), t=np.array(fired[1], float), n=2)},
            weights={
                "parallel.w": synaptic(parallel, (200, 2)),
                "mossy_nuclei.w": synaptic(mossy, (10, 2)),
            },
            loop_seconds=1.0,
        )

    return run


def measured(monkeypatch, net, n_trials, eye, *, options=None, **kept):
    monkeypatch.setattr(engine, "run", recorded(net, eye, **kept))
    return reflex.learned(net, n_trials, **(options or {}))


@pytest.mark.parametrize("net, frequency, trial", [(NET, 1.0, 1.0), (SLOW, 0.5, 2.0)])
@pytest.mark.parametrize("gain, phase", [(1.0, 0.0), (0.6, 25.0), (0.3, -70.0)])
def test_gain_phase_and_error_of_an_eye(monkeypatch, net, frequency, trial, gain, phase):
    def eye(t):  # with a harmonic and an offset that are not the head's frequency
        angle = 2 * np.pi * frequency * t
        return 0.9 * gain * np.sin(angle + np.radians(phase)) + 0.1 * np.sin(3 * angle) + 0.2

    table = measured(monkeypatch, net, 3, eye)["trials"]
    np.testing.assert_allclose(table.gain, gain, rtol=1e-9)
    np.testing.assert_allclose(table.phase, phase, atol=1e-7)
    np.testing.assert_allclose(table.along, gain * np.cos(np.radians(phase)), rtol=1e-9)
    t = np.arange(0, trial, 0.01)
    error = np.abs(0.9 * np.sin(2 * np.pi * frequency * t) - eye(t)).mean()
    np.testing.assert_allclose(table.error, error, rtol=1e-9)


def test_a_reversed_reflex_is_measured_along_its_goal(monkeypatch):
    """The eye turns with the goal in the second trial, and still as before in the third; in the fourth it
    should rest."""

    def eye(t):
        return 0.9 * np.sin(2 * np.pi * t) * np.array([1.0, -1.0, 0.5, 0.5])[t.astype(int)]

    goal = [1.0, -1.0, -1.0, 0.0]
    table = measured(monkeypatch, NET, 4, eye, options=dict(goal=goal))["trials"]
    np.testing.assert_allclose(table.gain, [1, 1, 0.5, 0.5], rtol=1e-9)
    np.testing.assert_allclose(table.along, [1, 1, -0.5, 0.5], rtol=1e-9)
    np.testing.assert_allclose(np.abs(table.phase), [0, 0, 180, 0], atol=1e-6)
    mean = 0.9 * np.abs(np.sin(2 * np.pi * np.arange(100) / 100)).mean()
    np.testing.assert_allclose(table.error, np.array([0, 0, 1.5, 0.5]) * mean, atol=1e-9)


def test_an_eye_at_rest_is_as_wrong_as_the_head_moves(monkeypatch):
    found = measured(monkeypatch, NET, 2, np.zeros_like)
    np.testing.assert_allclose(found["head"], 0.9 * np.sin(2 * np.pi * np.arange(100) / 100))
    np.testing.assert_allclose(found["trials"].error, np.abs(found["head"]).mean())
    np.testing.assert_allclose(found["trials"].gain, 0)


def test_bursts_and_spikes_of_climbing_fibres(monkeypatch):
    i = [0, 0, 0, 1, 0, 1, 1, 0]
    t = [0.1, 0.102, 0.104, 0.105, 0.15, 1.2, 1.202, 1.9]  # bursts of 3, 1, 1, 2 and 1 spikes
    table = measured(monkeypatch, NET, 2, np.zeros_like, fired=(i, t))["trials"]
    np.testing.assert_allclose(table.cf, np.array([5, 3]) / 2)  # per cell
    np.testing.assert_allclose(table.bursts, np.array([3, 2]) / 2)
    table = measured(monkeypatch, SLOW, 1, np.zeros_like, fired=(i, t))["trials"]
    np.testing.assert_allclose([table.cf[0], table.bursts[0]], [8 / 2 / 2, 5 / 2 / 2])


def test_burst_starts_in_any_order_of_cells():
    i = np.array([2, 0, 0, 2, 1, 0])
    t = np.array([0.0, 0.0, 0.009, 0.02, 0.021, 0.0195])
    np.testing.assert_array_equal(reflex._burst_starts(i, t), [True, True, False, True, True, True])
    assert reflex._burst_starts(np.zeros(0, int), np.zeros(0)).shape == (0,)


def test_weights_by_place_and_channel(monkeypatch):
    """A weight that says which granule cell, Purkinje cell and snapshot it belongs to is found there."""
    cell, channel = np.arange(200.0)[:, None], np.array([0.0, 1000.0])
    parallel = np.stack([cell + channel + 1e4 * k for k in range(6)])
    fibre = np.arange(10.0)[:, None] + 100 * np.arange(2)
    mossy = np.stack([fibre, 2 * fibre] * 3)
    found = measured(monkeypatch, NET, 5, np.zeros_like, parallel=parallel, mossy=mossy, n_snapshots=5)
    assert found["weights"].shape == (6, 2, 50)
    place = np.arange(50) * 4 + 1.5  # four granule cells in each fiftieth of a trial
    for k in range(6):
        np.testing.assert_allclose(found["weights"][k], np.stack([place, place + 1000]) + 1e4 * k, rtol=1e-12)
    np.testing.assert_allclose(found["change"], 1e4)
    np.testing.assert_allclose(found["away"], 1e4 * np.arange(6), atol=1e-6)
    np.testing.assert_allclose(found["late_change"], 1e4)
    np.testing.assert_allclose(found["mossy"][0], fibre, atol=1e-12)
    np.testing.assert_allclose(found["mossy"][1], 2 * fibre, atol=1e-12)


def test_block_means_leave_out_what_fills_no_block():
    np.testing.assert_allclose(reflex.block_mean(np.arange(23.0), 10), [4.5, 14.5])
    rows = np.arange(24.0).reshape(6, 4)
    np.testing.assert_allclose(reflex.block_mean(rows, 3), [rows[:3].mean(axis=0), rows[3:].mean(axis=0)])
    assert reflex.block_mean(np.zeros(3), 10).shape == (0,)


def test_a_schedule_holds_each_value_for_a_trial():
    assert reflex.schedule(0.5, NET) == 0.5 and isinstance(reflex.schedule(np.float64(1), NET), float)
    for net, trial in ((NET, 1.0), (SLOW, 2.0)):
        values = reflex.schedule([1.0, -1.0, 0.0], net)
        assert isinstance(values, Timed) and float(values.dt) == pytest.approx(trial)
        np.testing.assert_array_equal(values.values, [1, -1, 0])


def test_what_is_scheduled_reaches_the_circuit(monkeypatch):
    seen = []
    fake = recorded(NET, np.zeros_like)
    monkeypatch.setattr(engine, "run", lambda net, duration, **k: (seen.append(net), fake(net, duration))[1])
    reflex.learned(
        NET.but({"olive.cap": 10 * Hz}), 3, goal=[1.0, 0.5, -1.0], light=0.25, block=[0.0, 1.0, 0.0]
    )
    numbers = seen[0].numbers()
    np.testing.assert_array_equal(numbers["goal.amplitude"], [1, 0.5, -1])
    np.testing.assert_array_equal(numbers["block.amplitude"], [0, 1, 0])
    assert numbers["light.amplitude"] == 0.25 and numbers["olive.cap"] == 10


def test_learning_time_of_an_exponential_approach():
    """Within a tenth after tau ln 10 trials, seen in blocks of ten."""
    trials = np.arange(600)
    for tau in (20, 60):
        table = pd.DataFrame({"error": 0.1 + 0.5 * np.exp(-trials / tau)})
        assert reflex.learning_time(table.error) == pytest.approx(tau * np.log(10) + 10, abs=10)


def test_drift_compares_late_change_with_learning():
    """Weights go 1 per snapshot of 10 trials while learning (5 of them), and 0.1 afterwards."""
    error = np.where(np.arange(300) < 40, 1.0, 0.0)
    away = np.concatenate([np.arange(6.0), 5 + 0.1 * np.arange(1, 26)])
    found = {
        "trials": pd.DataFrame({"error": error}),
        "snapshots": np.arange(31),
        "away": away,
        "late_change": 0.1 * 6,
    }
    assert reflex.drift(found) == pytest.approx(0.1)


@pytest.mark.compiled
def test_the_loop_learns_what_it_is_shown_and_numbers_build_nothing(monkeypatch):
    options = dict(goal=[1.0] * 8 + [0.0] * 2, n_snapshots=2, seed=2)
    usual = reflex.learned(NET, 10, **options)
    monkeypatch.setattr(
        "engine.standalone.compile_plan", lambda *a: pytest.fail("a number compiled something")
    )
    again = reflex.learned(NET, 10, **options)
    np.testing.assert_array_equal(usual["eye"], again["eye"])
    quick = reflex.learned(
        NET.but({"olive.cap": 100 * Hz, "parallel.A_minus_climbing_fibre": 0 * nS}), 10, **options
    )
    assert quick["trials"].bursts.mean() > 1.5 * usual["trials"].bursts.mean()
    assert quick["weights"][-1].min() >= usual["weights"][0].min()  # nothing depresses
    assert usual["weights"][-1].min() < usual["weights"][0].min() - 0.01
