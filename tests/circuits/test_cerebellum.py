"""Parts of the vestibulo-ocular loop against closed forms; the loop as a circuit whose parts change."""

import numpy as np
import pytest
from brian2 import Hz, amp, ms, mV, nA, nS, second

import engine
from circuits import (
    Cell,
    Circuit,
    CircuitError,
    cerebellum,
    current,
    neurons,
    poisson,
    population,
    projection,
    spike_trains,
    spikes,
    synapses,
    timed,
    trace,
    wiring,
)
from experiments import reflex

DT = 1e-3
LOOP = cerebellum.vestibulo_ocular()
SIZES = [(0.1, 1.0), (0.5, 1.0), (2.0, 1.0), (0.25, 0.7), (1.0, 0.5), (1.0, 2.0), (0.1, 0.5)]


def run(duration, dt=DT, seed=1, **parts):
    return engine.run(
        Circuit(**parts, dt=dt * second), duration * second, seed=seed, backend="interpreted"
    )  # fmt: skip


# ---- granule cells and mossy fibres -----------------------------------------------------------------------


@pytest.mark.parametrize("dt", [5e-4, 1e-3, 2e-3])
def test_every_granule_cell_fires_once_a_trial_at_its_time(dt):
    first = np.arange(0, 50, 2) * ms
    cells = population(cerebellum.granule_slots(first=first, trial=50 * ms), 25)
    fired = run(0.15, dt, cells=cells, record=[spikes("cells")]).spikes["cells"]
    for cell in range(25):
        np.testing.assert_allclose(fired.t[fired.i == cell], 2e-3 * cell + np.arange(3) * 0.05, atol=1e-9)


@pytest.mark.parametrize("frequency, trial", [(1.0, 1.0), (2.0, 1.0), (0.5, 2.0), (2.5, 1.2)])
def test_four_granule_cells_share_a_slot_of_two_milliseconds(frequency, trial):
    net = cerebellum.vestibulo_ocular(frequency=frequency * Hz)
    granule = net.parts["granule"]
    first = np.asarray(granule.cell.params["first"])
    assert net.numbers()["granule.trial"] == pytest.approx(trial)
    slot = np.round(first / 2e-3)
    np.testing.assert_allclose(first, slot * 2e-3, atol=1e-12)
    per_slot = np.bincount(slot.astype(int), minlength=round(trial / 2e-3))
    if trial == 1.0:
        assert np.all(per_slot == 4) and len(per_slot) == 500
    else:  # the same cells, spread over a longer trial
        assert per_slot.sum() == 2000 and np.ptp(per_slot) <= 1
    # and the head turns in whole periods a trial
    assert net.numbers()["plant.cycles"] == pytest.approx(frequency * trial)


def test_rates_of_mossy_fibres():
    preferred, head = np.linspace(-1.2, 1.2, 25), 0.33
    cell = cerebellum.mossy_fibre(preferred=np.repeat(preferred, 200), r_0=20 * Hz, width=0.2)
    found = run(
        0.6,
        cells=population(cell, 5000),
        head=current("cells", "head", head),
        record=[trace("cells", "rate", every=300 * ms), spikes("cells")],
    )
    expected = 20 + 160 * np.exp(-((head - preferred) ** 2) / 2 / 0.2**2)
    np.testing.assert_allclose(found.traces["cells.rate"].values[-1, ::200], expected, rtol=1e-12)
    counts = np.bincount(found.spikes["cells"].i // 200, minlength=25)
    away = (counts - expected * 0.6 * 200) / np.sqrt(expected * 0.6 * 200)
    assert np.abs(away).max() < 4 and np.sqrt(np.mean(away**2)) < 1.5


# ---- the eye ----------------------------------------------------------------------------------------------


def plant(times, which, *, goal=1.0, light=1.0, delay=100 * ms, **numbers):
    """The eye under given nuclear spikes, of the agonist (0) and of the antagonist (1)."""
    sides = np.array([1.0, -1.0])
    return Circuit(
        nuclei=spike_trains(2, which, np.asarray(times) * second),
        plant=population(cerebellum.eye(**numbers), 1),
        goal=current("plant", "goal", goal),
        light=current("plant", "light", light),
        pull=projection("nuclei", "plant", synapses.delta("x", sides), wiring.all_to_all()),
        felt=projection(
            "nuclei", "plant", synapses.delta("felt", sides), wiring.all_to_all(), delay=100 * ms
        ),
        record=[trace("plant", name) for name in ("head", "eye", "error")],
        dt=DT * second,
    ).but(cerebellum.teaching_delay(delay))  # fmt: skip


def traces(net, duration):
    found = engine.run(net, duration * second, backend="interpreted").traces
    return [found[f"plant.{name}"].values[:, 0] for name in ("head", "eye", "error")]


def test_a_nuclear_spike_turns_the_eye_by_its_impulse_response():
    net = plant([0.1, 0.3], [0, 1], tau_eye=40 * ms, per_spike=2 * ms)
    _, eye, _ = traces(net, 0.3)
    t = np.arange(300) * DT
    felt = t > 0.1 + 1e-9  # what is recorded is the state at the start of a step
    expected = felt * np.exp(-(t - 0.1 - DT) / 0.04) * 2e-3 / 0.04
    np.testing.assert_allclose(eye[:101], 0)
    np.testing.assert_allclose(eye, expected, rtol=1e-9)
    assert (eye * DT).sum() == pytest.approx(2e-3, rel=0.03)  # a spike turns it by per_spike, in all
    _, both, _ = traces(net, 0.5)
    np.testing.assert_allclose(both[301:], eye[101] * np.exp(-t[:199] / 0.04) * (np.exp(-0.2 / 0.04) - 1))


def test_the_head():
    head, _, _ = traces(plant([0], [0], amplitude=0.7, cycles=3, trial=600 * ms), 0.9)
    t = np.arange(900) * DT
    np.testing.assert_allclose(head, 0.7 * np.sin(2 * np.pi * 5 * t), atol=1e-9)


@pytest.mark.parametrize("delay", [0.1, 0.08, 0.03])
def test_the_error_is_what_was_seen_a_delay_ago(delay):
    random = np.random.default_rng(2)
    times = np.sort(random.choice(700, 300, replace=False)) * DT
    goal, light = random.normal(size=7), np.array([1, 1, 0, 1, 0.5, 1, 1])
    net = plant(
        times,
        random.integers(0, 2, 300),
        goal=timed(goal, dt=100 * ms),
        light=timed(light, dt=100 * ms),
        delay=delay * second,
        trial=500 * ms,
        per_spike=5 * ms,
    )
    head, eye, error = traces(net, 0.7)
    late, every = round(delay / DT), np.arange(700) // 100
    expected = light[every][late:] * (goal[every][late:] * head[:-late] - eye[:-late])
    np.testing.assert_allclose(error[late:], expected, rtol=0, atol=1e-12)
    assert np.abs(eye).max() > 0.2 and np.ptp(expected) > 1


# ---- Purkinje cells and nuclei ----------------------------------------------------------------------------


def purkinje(burst, *, dt=DT, I=0.6 * nA, **numbers):  # noqa: E741
    found = run(
        0.3,
        dt,
        olive=spike_trains(1, [0] * len(burst), np.asarray(burst) * second),
        cells=population(cerebellum.purkinje(**numbers), 1),
        drive=current("cells", "I", I),
        climbing=projection("olive", "cells", cerebellum.climbing(), wiring.one_to_one()),
        record=[spikes("cells"), spikes("cells", event="complex"), trace("cells", "g")],
    )
    return found.spikes["cells"].t, found.spikes["cells.complex"].t, found.traces["cells.g"].values[:, 0]


@pytest.mark.parametrize(
    "dt, burst", [(1e-3, [0.1, 0.102, 0.104]), (2e-3, [0.1, 0.102, 0.104]), (5e-4, [0.1])]
)
def test_every_climbing_fibre_spike_brings_a_complex_spike_one_step_later(dt, burst):
    _, complex_spikes, _ = purkinje(burst, dt=dt)
    np.testing.assert_allclose(complex_spikes, np.asarray(burst) + dt, atol=1e-9)


def test_simple_spikes_pause_after_a_complex_spike():
    simple, _, g = purkinje([0.1, 0.102])
    regular = np.diff(simple[simple < 0.1])
    assert np.ptp(regular) < 1.5 * DT  # simple spikes are regular before it
    around = simple[(simple > 0.1) & (simple < 0.112)]
    assert 1 <= len(around) <= 4  # the complex spike itself
    after = simple[simple > around[-1]]
    assert after[0] - around[-1] > 1.25 * regular.mean()
    without, _, none = purkinje([0.1, 0.102], g_pause=0 * nS)
    last = without[(without > 0.1) & (without < 0.112)][-1]
    assert without[without > last][0] - last < 1.1 * regular.mean() and none.max() == 0
    # a burst prolongs the pause and does not deepen it
    assert g.max() == pytest.approx(8e-9)
    t = np.arange(len(g)) * DT
    np.testing.assert_allclose(g[t > 0.1045], 8e-9 * np.exp(-(t[t > 0.1045] - 0.104) / 0.02), rtol=1e-9)


def test_purkinje_cells_fire_at_the_rate_of_a_leaky_cell():
    """Refractory period plus the time from rest to threshold, for a current step."""
    simple, complex_spikes, _ = purkinje([], dt=1e-4)
    assert len(complex_spikes) == 0
    up = 400e-12 / 16e-9 * np.log(1 / (1 - 18e-3 * 16e-9 / 0.6e-9))
    assert np.diff(simple).mean() == pytest.approx(2e-3 + up, abs=2e-4)


def test_nuclear_cells_fire_on_their_own_and_inhibition_slows_them():
    cell, times = cerebellum.nuclear(), np.arange(0.3, 0.6, 5e-3)
    found = run(
        0.6,
        1e-4,
        source=spike_trains(1, [0] * len(times), times * second),
        cells=population(cell, 1),
        inhibition=projection("source", "cells", cerebellum.purkinje_nuclear(), wiring.one_to_one()),
        record=[spikes("cells"), spikes("cells", event="inhibited")],
    )
    t = found.spikes["cells"].t
    free, held = (t < 0.3).sum() / 0.3, (t > 0.35).sum() / 0.25
    up = 150e-12 / 5e-9 * np.log(1 / (1 - 30e-3 * 5e-9 / 0.87e-9))
    assert free == pytest.approx(1 / (2e-3 + up), rel=0.03) and 0 < held < 0.95 * free
    np.testing.assert_allclose(found.spikes["cells.inhibited"].t, times + 1e-4, atol=1e-9)


# ---- climbing fibres --------------------------------------------------------------------------------------


def drive(u):
    return 0.15 + 0.85 / (1 + np.exp(-10 * u + 4))


def bursts(t):
    """Times of the first and last spikes of bursts, and their sizes."""
    starts = np.flatnonzero(np.diff(t, prepend=-1.0) > 5e-3)
    ends = np.append(starts[1:], len(t)) - 1
    return t[starts], t[ends], ends - starts + 1


LEVELS = np.array([-1.0, 0.2, 0.4, 0.5, 0.55, 0.6, 0.65, 1.5])  # of u


@pytest.fixture(scope="module", params=[25.0, 10.0])
def climbing_fibres(request):
    """Spikes of 60 climbing fibres at each drive, made up of error, tonic excitation and inhibition."""
    cap, each = request.param, 60
    side = np.where(np.arange(8) % 2 == 0, 1.0, -1.0)
    error = side * (LEVELS - 0.2)  # tonic - inhibition + blocked inhibition: 0.5 - 0.6/2
    cell = cerebellum.climbing_fibre(cap=cap * Hz, side=np.repeat(side, each))
    found = run(
        6.0,
        cells=population(cell, 8 * each),
        error=current("cells", "error", np.repeat(error, each)),
        inhibition=current("cells", "inhibition", 0.6),
        blocked=current("cells", "blocked", 0.5),
        record=[spikes("cells")],
    ).spikes["cells"]
    by_level = [
        [found.t[found.i == cell] for cell in range(k * each, (k + 1) * each)] for k in range(len(LEVELS))
    ]
    return cap, by_level


def test_a_burst_has_as_many_spikes_as_the_drive_says(climbing_fibres):
    i = drive(LEVELS)
    sizes = 1 + (i > 0.75) + (i > 0.85) + (i >= 0.95)
    assert set(sizes) == {1, 2, 3, 4}  # all kinds are tried
    for size, cells in zip(sizes, climbing_fibres[1], strict=True):
        for t in cells:
            assert np.all(bursts(t)[2][:-1] == size)  # the run may end within the last
            within = np.diff(t)[np.diff(t) < 5e-3]
            np.testing.assert_allclose(within, 2e-3, atol=1e-9)


def test_a_burst_never_comes_sooner_than_the_cap_allows(climbing_fibres):
    cap, by_level = climbing_fibres
    gaps = []
    for cells in by_level:
        for t in cells:
            first, last, _ = bursts(t)
            gaps.extend(first[1:] - last[:-1])
    assert min(gaps) == pytest.approx(1 / cap, abs=1e-6)


def test_the_rate_of_bursts_is_that_of_a_process_with_dead_time(climbing_fibres):
    """The mean interval is dead time 1/cap, waiting (1 - p)/p steps with p = cap i dt, and the burst."""
    cap, by_level = climbing_fibres
    for u, cells in zip(LEVELS, by_level, strict=True):
        p = cap * drive(u) * DT
        size = bursts(cells[0])[2][0]
        expected = 1 / cap + (1 - p) / p * DT + (size - 1) * 2e-3
        intervals = np.concatenate([np.diff(bursts(t)[0]) for t in cells])
        # long intervals are missed at the end of a run: count instead
        first = np.array([bursts(t)[0][0] for t in cells])
        n = sum(len(bursts(t)[0]) for t in cells) - len(cells)
        rate = n / (6.0 - first).sum()
        assert rate == pytest.approx(1 / expected, rel=4 * DT + 4 * intervals.std() / expected / n**0.5)
        assert rate < cap / 2 * 1.03


# ---- nucleo-olivary inhibition ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def inhibition():
    """What a nuclear spike at 10 ms brings to the olive, in steps of 0.2 ms."""
    dt = 2e-4
    found = run(
        1.5,
        dt,
        source=spike_trains(1, [0], [10] * ms),
        cells=population(cerebellum.climbing_fibre(), 1),
        nucleo=projection("source", "cells", cerebellum.nucleo_olivary(w=0.4), wiring.one_to_one()),
        record=[trace("cells", "inhibition"), trace("cells", "u")],
    ).traces
    values = found["cells.inhibition"].values[:, 0]
    np.testing.assert_allclose(found["cells.u"].values[:, 0], 0.5 - values, atol=1e-12)
    return (np.arange(len(values)) * dt - 0.01, values, dt)


def test_nucleo_olivary_inhibition_is_two_exponentials(inhibition):
    t, values, dt = inhibition
    kernel = np.where(t > 0, np.exp(-t / 0.07) - np.exp(-t / 0.03), 0) / (0.07 - 0.03)
    expected = 0.4 * 1e-3 * kernel
    np.testing.assert_allclose(values, expected, rtol=0, atol=0.02 * expected.max())
    assert t[values.argmax()] == pytest.approx(0.03 * 0.07 / 0.04 * np.log(7 / 3), abs=1e-3)


def test_its_area_is_the_weight_and_its_mean_delay_the_sum_of_its_time_constants(inhibition):
    t, values, dt = inhibition
    assert values.sum() * dt == pytest.approx(0.4 * 1e-3, rel=1e-6)
    assert (t * values).sum() / values.sum() == pytest.approx(0.03 + 0.07, abs=2 * dt)


# ---- the loop ---------------------------------------------------------------------------------------------


def test_channels_do_not_cross():
    for scale in (0.1, 0.5, 1.0):
        net = cerebellum.vestibulo_ocular(scale=scale)
        half = round(10 * scale)
        for name in ("purkinje_nuclei", "nucleo_olivary"):
            wired = net.parts[name].wiring
            pairs = set(zip(wired.i.tolist(), wired.j.tolist(), strict=True))
            assert pairs == {
                (i, j) for i in range(2 * half) for j in range(2 * half) if (i < half) == (j < half)
            }
            assert len(wired.i) == 2 * half**2
        assert net.parts["climbing"].wiring.kind == "one_to_one"
        sides = np.asarray(net.parts["olive"].cell.params["side"])
        np.testing.assert_array_equal(sides, [1] * half + [-1] * half)
        for name in ("pull", "felt"):
            np.testing.assert_array_equal(np.asarray(net.parts[name].synapse.params["w"]), sides)


def received(net):
    """What the parts of a loop send to one target cell, per second or on average over a turn of the head."""
    numbers, parts = net.numbers(), net.parts
    trial, head = numbers["plant.trial"], 0.9 * np.sin(np.linspace(0, 2 * np.pi, 2000, endpoint=False))
    preferred = np.asarray(numbers["mossy.preferred"])
    mossy = 160 * np.exp(-((head[:, None] - preferred) ** 2) / 2 / 0.1**2).mean(axis=0).sum()
    granule, channel = parts["granule"].n / trial, parts["purkinje"].n / 2
    return {
        "parallel": numbers["parallel.w"] * numbers["parallel.share"] * granule,
        "parallel_interneuron": numbers["parallel_interneuron.w"] * granule,
        "interneuron_purkinje": numbers["interneuron_purkinje.w"] * parts["interneuron"].n,
        "mossy_nuclei": numbers["mossy_nuclei.share"] * mossy,
        "purkinje_nuclei": numbers["purkinje_nuclei.w"] * numbers["purkinje_nuclei.share"] * channel,
        "nucleo_olivary": numbers["nucleo_olivary.w"] * numbers["nucleo_olivary.per_spike"] * channel,
        "pull": numbers["plant.per_spike"] * channel,
    }


@pytest.mark.parametrize("scale, frequency", SIZES)
def test_cells_receive_the_same_whatever_the_number_of_cells_and_the_length_of_a_trial(scale, frequency):
    net, usual = cerebellum.vestibulo_ocular(scale=scale, frequency=frequency * Hz), received(LOOP)
    assert net.parts["granule"].n == round(2000 * scale)
    for name, value in received(net).items():
        # few mossy fibres cover the positions of the head unevenly
        assert value == pytest.approx(usual[name], rel=0.01 if name == "mossy_nuclei" else 1e-9), name


@pytest.mark.parametrize("scale, frequency", [(0.1, 1.0), (0.3, 2.0)])
def test_the_conductance_of_parallel_fibres_as_it_runs(scale, frequency):
    net = cerebellum.vestibulo_ocular(scale=scale, frequency=frequency * Hz)
    net = net.with_(record=[trace("purkinje", "g_parallel", index=[0])])
    g = engine.run(net, 1.1 * second, backend="interpreted").traces["purkinje.g_parallel"].values[100:, 0]
    per_step = 1 / (1 - np.exp(-1 / 4))  # what is left of a sum of decaying steps
    assert g.mean() == pytest.approx(3.45e-9 * 2000 * 1e-3 * per_step, rel=0.01)


@pytest.mark.parametrize("scale", [0.0, 0.04, -1, float("nan"), float("inf"), "big", None])
def test_sizes_that_cannot_be(scale):
    with pytest.raises(CircuitError, match="vestibulo_ocular: scale=.*0.1 or more"):
        cerebellum.vestibulo_ocular(scale=scale)


@pytest.mark.parametrize("name", ["parallel", "mossy_nuclei", "purkinje_nuclei"])
def test_what_is_no_synapse_is_refused_by_name(name):
    with pytest.raises(CircuitError, match=f"vestibulo_ocular, {name}: got 7; give a Synapse"):
        cerebellum.vestibulo_ocular(**{name: 7})


@pytest.mark.parametrize("dt", [0.3 * ms, 5 * ms, 0 * ms, -1 * ms, 1 * mV, 1])
def test_steps_that_do_not_divide_the_slots_are_refused(dt):
    with pytest.raises(CircuitError, match="vestibulo_ocular, dt"):
        cerebellum.vestibulo_ocular(dt=dt)



@pytest.mark.parametrize("frequency", [0 * Hz, -1 * Hz, 1 * ms, float("nan") * Hz, 1.0, "fast"])
def test_frequencies_that_cannot_be(frequency):
    with pytest.raises(CircuitError, match="vestibulo_ocular, frequency"):
        cerebellum.vestibulo_ocular(frequency=frequency)


LISTENING = Cell(
    "relay with current",
    "I_all = I : amp\nv : volt",
    inputs={"I": amp},
    threshold="v > 1*mV",
    reset="v = 0*mV",
)
OTHERS = {
    "mossy": lambda n: dict(mossy=poisson(n, 30 * Hz), head=None),
    "granule": lambda n: dict(granule=poisson(n, 1 * Hz)),
    "interneuron": lambda n: dict(interneuron=population(LISTENING, n)),
    "purkinje": lambda n: dict(purkinje=population(LISTENING.plus("climbing : 1"), n)),
    "nuclei": lambda n: dict(nuclei=population(neurons.leaky().plus("arriving : 1"), n)),
    "olive": lambda n: dict(olive=poisson(n, 2 * Hz), error=None, nucleo_olivary=None, block=None),
    "plant": lambda n: dict(
        plant=population(
            Cell(
                "other eye",
                "dx/dt = -x/tau : 1\ndfelt/dt = -felt/tau : 1\nhead = 0.5 : 1\nerror = light*goal - felt : 1",
                params=dict(tau=50 * ms),
                inputs={"goal": 1, "light": 1},
            ),
            n,
        )
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_each_population_can_be_replaced(name):
    net = cerebellum.vestibulo_ocular(scale=0.1)
    made = net.with_(**OTHERS[name](net.parts[name].n))
    assert made.structure() != net.structure()
    engine.run(made, 3 * ms, backend="interpreted")


def test_a_population_that_lacks_what_its_synapses_need_is_refused():
    with pytest.raises(CircuitError, match="nuclei.*arriving"):
        LOOP.with_(nuclei=population(neurons.leaky(), 20))


def test_the_whole_loop_is_accepted_by_brian2():
    """Units of all equations, with plasticity at all three places; and it runs on."""
    net = reflex.loop(scale=0.1).with_(record=[spikes(n) for n in LOOP.parts if n in SPIKING])
    engine.run(net, 0 * ms, backend="interpreted")
    found = engine.run(net, 200 * ms, backend="interpreted").spikes
    for name in SPIKING:
        assert len(found[name].t) > 0, name


SPIKING = ("mossy", "granule", "interneuron", "purkinje", "nuclei", "olive")


def test_numbers_are_no_structure():
    """Every single number of the plastic loop can change without another program."""
    net = reflex.loop(scale=0.1)
    numbers = net.numbers()
    assert {"olive.cap", "plant.delay", "nucleo_olivary.w", "parallel.peak_climbing_fibre"} <= set(numbers)
    changed = net.but(
        {
            "olive.cap": 10 * Hz,
            "nucleo_olivary.w": 0.0,
            "parallel.peak_climbing_fibre": 80 * ms,
            "parallel.w_max": 3 * nS,
            "purkinje.g_pause": 40 * nS,
            "mossy.preferred": np.linspace(-1, 1, 10),
            "granule.first": np.zeros(200) * ms,
            "nuclei.I_0": 0.8 * nA,
            "purkinje.V_t": -50 * mV,
            **cerebellum.teaching_delay(50 * ms),
        }
    )
    assert changed.structure() == net.structure()
    now = changed.numbers()
    assert now["plant.delay"] == now["felt.delay"] == pytest.approx(0.05)
    assert now["nucleo_olivary.w"] == 0 and now["parallel.peak_climbing_fibre"] == pytest.approx(0.08)
    assert numbers["plant.delay"] == numbers["felt.delay"] == pytest.approx(0.1)
    assert reflex.loop(scale=0.1, frequency=2 * Hz).structure() == net.structure()
    assert reflex.loop(scale=0.2).structure() != net.structure()
