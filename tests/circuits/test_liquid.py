"""The liquid column: wiring, weights and plasticity by the paper's numbers, its cell in closed form."""

import numpy as np
import pytest
from brian2.units import ms, mV, nA, second

import engine
from circuits import CircuitError, poisson, trace, weights, wiring
from circuits.liquid import CONNECTIONS, column, liquid

DRAWN = ("w", "spread", "U", "tau_rec", "tau_facil", "delay")


def test_column_deals_all_places_out():
    drawn = column((15, 3, 3), seed=4)
    assert drawn.n == 135 and drawn.n_exc == 108
    assert sorted(map(tuple, drawn.positions)) == sorted(map(tuple, wiring.grid(15, 3, 3)))
    same, other = column(seed=4), column(seed=5)
    assert (drawn.positions == same.positions).all() and (drawn.positions != other.positions).any()
    assert (column(seed=np.random.SeedSequence(4)).positions == drawn.positions).all()


def test_numbers_are_no_structure():
    plain = liquid(2, column(seed=1)).structure()
    other = liquid(2, column(seed=2), scale=0, lambda_=3, input_probability=0.3, w_exc=1 * nA)
    assert plain == other.structure()
    assert plain != liquid(2, column(seed=1), dynamic=False).structure()
    assert plain != liquid(2, column(seed=1), dt=0.5 * ms).structure()


@pytest.fixture(scope="module")
def drawn():
    """The places and synapses of a large column, as the program draws them."""
    places = column((20, 8, 8), seed=3)
    net = liquid(1, places, record=[weights(name, variable) for name in CONNECTIONS for variable in DRAWN])
    return places, engine.run(net, 0 * ms, seed=3, backend="interpreted").weights


@pytest.mark.parametrize("name", CONNECTIONS)
def test_probability_falls_with_distance(drawn, name):
    """Synapses per shell of distance against the sum of C exp(-(D/lambda)^2) over its pairs, to 4.5 SD."""
    places, synapses = drawn
    found = synapses[f"{name}.w"]
    side = {"e": places.positions[: places.n_exc], "i": places.positions[places.n_exc :]}
    apart = np.linalg.norm(side[name[0]][:, None] - side[name[1]], axis=-1)
    p = CONNECTIONS[name].C * np.exp(-((apart / 2) ** 2)) * (apart > 0)
    edges = [0.5, 1.2, 1.6, 2.1, 3.0, 30.0]
    expected, variance = (np.histogram(apart, edges, weights=x)[0] for x in (p, p * (1 - p)))
    count = np.histogram(apart[found.i, found.j], edges)[0]
    assert (np.abs(count - expected) < 4.5 * np.sqrt(variance)).all()
    assert count.sum() == len(found.i)  # all in the shells: no cell reaches itself


@pytest.mark.parametrize("name", CONNECTIONS)
def test_weights_and_plasticity_are_spread_as_in_the_paper(drawn, name):
    kind, value = CONNECTIONS[name], {v: drawn[1][f"{name}.{v}"].values[-1] for v in DRAWN}
    error = 4.5 / np.sqrt(len(value["spread"]))
    size = value["w"] * value["spread"] / float(kind.A)
    # Exponential: mean 1, SD 1, median ln 2, with standard errors of 1, sqrt(2) and 1 by the root of n.
    assert (size > 0).all()
    assert size.mean() == pytest.approx(1, abs=error)
    assert size.std() == pytest.approx(1, abs=1.42 * error)
    assert np.median(size) == pytest.approx(np.log(2), abs=error)
    for variable, mean in (("U", kind.U), ("tau_rec", kind.D), ("tau_facil", kind.F)):
        relative = value[variable] / float(mean)
        assert 0.02 - 1e-9 <= relative.min() and relative.max() <= 1.98 + 1e-9
        assert relative.mean() == pytest.approx(1, abs=0.5 * error)
        assert relative.std() == pytest.approx(0.48, abs=0.5 * error)  # 0.5, less what is clipped


def risen(t, w, tau_m=30e-3, tau_e=3e-3, R=1e6):
    """The potential above its start at time t (s) after an exponential current of size w (A) has set in."""
    return R * w * tau_e / (tau_m - tau_e) * (np.exp(-t / tau_m) - np.exp(-t / tau_e)) * (t > 0)


@pytest.mark.parametrize("backend", ["interpreted", pytest.param("compiled", marks=pytest.mark.compiled)])
def test_one_input_spike_without_recurrence(backend):
    """One spike lifts excitatory cells by 1.39 mV, inhibitory ones by half; two make the former fire."""
    places = column((3, 2, 2), inhibitory=0.25, seed=1)
    net = liquid(1, places, scale=0, v=np.full(places.n, 13.5) * mV, dt=0.1 * ms)
    net = net.with_(record=[trace("cells", "v"), *net.record])
    once = net.but({"input.i": np.array([0]), "input.t": np.array([10.0]) * ms})
    recording = engine.run(once, 60 * ms, seed=1, backend=backend)
    found = recording.traces["cells.v"]
    since = found.t - 10e-3 - 0.1e-3  # a spike acts from the end of its step on
    for k in range(places.n):
        size = 18e-9 if k < places.n_exc else 9e-9
        assert np.allclose(found.values[:, k], 13.5e-3 + risen(since, size), atol=1e-9)
    assert len(recording.spikes["cells"]) == 0
    twice = net.but({"input.i": np.array([0, 0]), "input.t": np.array([10.0, 13.0]) * ms})
    recording = engine.run(twice, 60 * ms, seed=1, backend=backend)
    assert sorted(recording.spikes["cells"].i) == list(range(places.n_exc))


def test_recurrence_and_plasticity_act():
    """Static synapses without U and depression drive it much harder; without recurrence it fires least."""
    t = np.flatnonzero(np.random.default_rng(1).random(200) < 0.03)
    spikes = {"input.i": np.zeros(len(t), int), "input.t": t * ms}
    count = {}
    for name, options in {"none": dict(scale=0), "dynamic": {}, "static": dict(dynamic=False)}.items():
        net = liquid(1, column(seed=2), **options).but(spikes)
        count[name] = len(engine.run(net, 0.2 * second, seed=2, backend="interpreted").spikes["cells"])
    assert 0 < 1.2 * count["none"] < count["dynamic"] < 0.5 * count["static"]


def test_any_input_part_may_drive_it():
    net = liquid(poisson(3, rates=np.array([10.0, 20.0, 30.0]) / second), column((3, 2, 2), seed=1))
    assert net.parts["input"].n == 3


def test_what_does_not_fit_is_refused():
    with pytest.raises(CircuitError, match="none of the 4 cells is inhibitory"):
        liquid(1, column((2, 2, 1), inhibitory=0.1))
    with pytest.raises(CircuitError, match="fraction of the cells"):
        column(inhibitory=1.0)
    with pytest.raises(CircuitError, match="'noise' is no input"):
        liquid("noise")
