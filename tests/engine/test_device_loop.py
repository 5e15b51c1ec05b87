"""The loop of the device: what it computes is what Brian2's own loop computes, and how it is generated.

The reference, "standard_loop", is Brian2's own standalone device with its loop untouched (only the
compilation is ours, to save time).
"""

import re
import subprocess
from pathlib import Path

import brian2
import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    defaultclock,
    ms,
    mV,
    prefs,
    second,
    seed,
    set_device,
)
from brian2.core.functions import implementation
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from brian2.devices.device import all_devices, get_device, reset_device
from brian2.units import check_units
from scipy import stats

import engine  # noqa: F401  (registers the device)
from engine import loop
from engine.compile import CompileMixin


class StandardLoop(CompileMixin, CPPStandaloneDevice):
    """Brian2's standalone device, compiled as ours is."""


all_devices["standard_loop"] = StandardLoop()


def simulate(device, make, folder, compile=True, **options):
    """Build and run `make()` on a device; returns what the function returned by `make` gives afterwards."""
    set_device(device, directory=str(folder), build_on_run=False, **options)
    get_device().reinit()
    get_device().activate(directory=str(folder), build_on_run=False, **options)
    try:
        defaultclock.dt = 0.1 * ms
        results = make()
        get_device().build(directory=str(folder), compile=compile, run=compile, with_output=False)
        return results() if compile else None
    finally:
        get_device().reinit()
        reset_device()


def on_both(make, tmp_path, **options):
    ours = simulate("fast_standalone", make, tmp_path / "ours", **options)
    return ours, simulate("standard_loop", make, tmp_path / "standard")


def assert_equal(ours, standard, close=()):
    """Integers and times are equal; values named in `close` may differ by rounding."""
    assert ours.keys() == standard.keys()
    for name in ours:
        assert np.size(ours[name]) > 0, name
        if name.split(".")[-1] in close:
            np.testing.assert_allclose(ours[name], standard[name], rtol=1e-10, atol=1e-10, err_msg=name)
        else:
            np.testing.assert_array_equal(ours[name], standard[name], err_msg=name)


def source(folder, name):
    """The source of a code object, of the first run if there are several."""
    return sorted(Path(folder, "code_objects").glob(f"{name}_codeobject*.cpp"))[0].read_text()


# ---- state updates and thresholds
# ------------------------------------------------------------------------------------------------------------

LEAKY = """
dv/dt = (drive + g - v)/(10*ms) : volt (unless refractory)
dg/dt = -g/(5*ms) : volt
drive : volt
"""
NOISY = """
dv/dt = (drive - v)/(10*ms) + 5*mV*xi/sqrt(10*ms) : volt (unless refractory)
drive : volt
"""
CHANNEL = """
dv/dt = (20*mV*(1 + m) - v - 2*v*n**4*exprel(v/(10*mV)))/(10*ms) : volt
dm/dt = (1/(1 + exp(-v/(5*mV))) - m)/(3*ms) : 1
dn/dt = (tanh(v/(20*mV))**2 - n)/(7*ms) : 1
"""
METHODS = {  # name: equations, method, refractory
    "exact": (LEAKY, "exact", "2*ms"),
    "euler": (LEAKY, "euler", "v > 8*mV"),
    "rk2": (CHANNEL, "rk2", False),
    "rk4": (CHANNEL, "rk4", "1*ms"),
    "exponential_euler": (CHANNEL, "exponential_euler", 3 * ms),
    "noise_euler": (NOISY, "euler", "2*ms"),
    "noise_heun": (NOISY, "heun", "1*ms + 0.5*ms*rand()"),
}


def every_method():
    seed(5)
    groups, monitors = [], []
    for name, (equations, method, refractory) in METHODS.items():
        group = NeuronGroup(
            1100,
            equations,
            threshold="v > 12*mV",
            reset="v = 0*mV",
            refractory=refractory,
            method=method,
            name=name,
        )
        group.v = "12*mV*rand()"
        if "drive" in equations:
            group.drive = "30*mV*rand()"
        if "g" in group.variables:
            group.g = "5*mV*rand()"
        groups.append(group)
        monitors.append(SpikeMonitor(group, name=f"spikes_{name}"))
    # a shared parameter, changed between two runs, and one that the network itself changes
    shared = NeuronGroup(
        50,
        """
        dv/dt = (scale*drive - v)/tau : volt
        tau : second (shared, constant)
        scale : 1 (shared)
        drive : volt
        """,
        threshold="v > 10*mV",
        reset="v = 0*mV",
        method="exact",
        name="shared",
    )
    shared.tau, shared.scale, shared.drive = 10 * ms, 1, "30*mV*i/N"
    shared.run_regularly("scale = 1 + 0.1*sin(t/(10*ms))", dt=1 * ms)
    groups.append(shared)
    monitors.append(SpikeMonitor(shared, name="spikes_shared"))
    Network(*groups[:-1], *monitors[:-1]).run(30 * ms, namespace={})
    network = Network(shared, monitors[-1])
    network.run(30 * ms, namespace={})
    shared.tau = 4 * ms
    network.run(30 * ms, namespace={})

    def results():
        found = {}
        for group, monitor in zip(groups, monitors, strict=True):
            found |= {
                f"{group.name}.i": monitor.i[:],
                f"{group.name}.t": monitor.t_[:],
                f"{group.name}.v": group.v_[:],
            }
        return found

    return results


@pytest.mark.compiled
def test_every_method_gives_the_standard_spikes(tmp_path):
    ours, standard = on_both(every_method, tmp_path)
    assert_equal(ours, standard, close=("v",))
    # and was indeed computed by vectorised loops
    for name in METHODS:
        assert "FAST_LOOP_INDEPENDENT" in source(tmp_path / "ours", f"{name}_stateupdater"), name


def test_readable_loop(tmp_path):
    """The equations stand in the loop as Brian2 writes them, and constants are computed once per run."""
    simulate("fast_standalone", every_method, tmp_path, compile=False)
    text = source(tmp_path, "exact_stateupdater")
    assert "// the same at each step of a run" in text
    assert re.search(r"if\(not_refractory\)\s+v = _v;", text)
    assert "fill_randn(_draw_1_of" in source(tmp_path, "noise_euler_stateupdater")
    # `scale` changes during a run: what depends on it is not kept
    kept = source(tmp_path, "shared_stateupdater").split("_computed_in = Network::_runs")[-1]
    assert "scale" not in kept.split("}")[0]


def test_arrays_take_one_call_each(tmp_path):
    """All that this Brian2 writes for arrays in objects.cpp is recognised."""
    simulate("fast_standalone", every_synapse, tmp_path, compile=False)
    text = (tmp_path / "objects.cpp").read_text()
    assert min(text.count(f"fast_loop::{name}") for name in ("set_array", "write_array", "load_array")) > 2
    left = r"data_size = |ofstream outfile__(array|dynamic_array_(?!weights_w))|ifstream f_"
    assert not re.search(left, text)  # `weights_w` has two dimensions


# ---- synapses
# ------------------------------------------------------------------------------------------------------------

STDP = """
w : volt
dx/dt = -x/(20*ms) : volt (event-driven)
dy/dt = -y/(25*ms) : volt (event-driven)
"""


def every_synapse():
    """Delays of all kinds, plasticity, synapses made in several steps, sums, changed delay and time step."""
    seed(8)
    sources = NeuronGroup(
        150,
        "dv/dt = (25*mV*(1 + 0.5*sin(2*pi*t/(50*ms) + i)) - v)/(10*ms) : volt",
        threshold="v > 15*mV",
        reset="v = 0*mV",
        method="euler",
        name="sources",
    )
    sources.v = "15*mV*rand()"
    cells = NeuronGroup(
        700,
        "dv/dt = (15*mV*x0 + g + total - v)/(10*ms) : volt (unless refractory)\n"
        "dg/dt = -g/(5*ms) : volt\ntotal : volt\nx0 : 1",
        threshold="v > 10*mV",
        reset="v = 0*mV",
        refractory=2 * ms,
        method="euler",
        name="cells",
    )
    cells.x0, cells.v = "rand()", "10*mV*rand()"
    parts = []

    def synapses(name, source, target, model, **effects):
        parts.append(Synapses(source, target, model, name=name, **effects))
        return parts[-1]

    plain = synapses("plain", sources, cells, "w : volt", on_pre="g += w")
    plain.connect("i < 100", p=0.2)
    plain.connect(i=[120, 3, 3, 149, 0], j=[1, 2, 2, 699, 5])  # no longer in order, one pair twice
    delayed = synapses("delayed", cells[:300], cells[200:], "w : volt", on_pre="v += w", delay=1.5 * ms)
    delayed.connect(p=0.05)
    learning = synapses(
        "learning",
        sources,
        cells,
        STDP,
        on_pre="g += w\nx += 0.1*mV\nw = clip(w - y, 0*mV, 2*mV)",
        on_post="y += 0.1*mV\nw = clip(w + x, 0*mV, 2*mV)",
    )
    learning.connect()
    recurrent = synapses(
        "recurrent",
        cells,
        cells,
        STDP,
        on_pre="v_post += w\nx += 0.2*mV\nw = clip(w - y*exp(-v_pre/(10*mV))*0.1, 0*mV, 1*mV)",
        on_post="y += 0.2*mV\nw = clip(w + x, 0*mV, 1*mV)",
    )
    recurrent.connect(p=0.02)
    recurrent.pre.delay = "0.1*ms + 3*ms*rand()"
    recurrent.post.delay = "1*ms*rand()"
    several = synapses(
        "several",
        sources[50:],
        cells,
        "w : volt\nu : 1",
        on_pre={"up": "g += w*u", "change": "u = 0.9*u + 0.1*exp(-u)"},
        delay={"up": 2 * ms},
    )
    several.connect(j="k for k in range(i, N_post, 7)")
    gap = synapses(
        "gap",
        cells,
        cells,
        "w : volt\ntotal_post = 0.01*w*(1 - exp((v_pre - v_post)/(30*mV))) : volt (summed)",
    )
    gap.connect(p=0.01)
    for part in parts:
        part.w = "0.5*mV*rand()"
    several.u = 1
    spikes = SpikeMonitor(cells, name="spikes")
    weights = StateMonitor(learning, "w", record=[0, 17, 4000], dt=5 * ms, name="weights")
    network = Network(sources, cells, *parts, spikes, weights)
    network.run(40 * ms, namespace={})
    delayed.delay = 3 * ms
    learning.w["j < 10"] = 0.1 * mV
    defaultclock.dt = 0.05 * ms
    network.run(30 * ms, namespace={})

    def results():
        found = {"i": spikes.i[:], "t": spikes.t_[:], "recorded": weights.w_[:], "v": cells.v_[:]}
        for part in parts:
            for name in ("w", "x", "y", "u", "lastupdate"):
                if name in part.variables:
                    found[f"{part.name}.{name}"] = part.variables[name].get_value()
        return found

    return results


@pytest.mark.compiled
def test_every_synapse_gives_the_standard_spikes_and_weights(tmp_path):
    ours, standard = on_both(every_synapse, tmp_path)
    assert_equal(ours, standard, close=("v", "w", "x", "y", "u", "recorded"))
    assert len(ours["i"]) > 1000


def plastic(duration=0.35 * second):
    """Long and large enough that variables of synapses move next to each other during a run."""
    seed(3)
    source = NeuronGroup(
        300,
        "dv/dt = (20*mV + 10*mV*x0 - v)/(20*ms) : volt\nx0 : 1",
        threshold="v > 15*mV",
        reset="v = 0*mV",
        method="exact",
        name="source",
    )
    source.x0 = "rand()"
    cells = NeuronGroup(
        200,
        "dv/dt = -v/(10*ms) : volt",
        threshold="v > 10*mV",
        reset="v = 0*mV",
        method="exact",
        name="cells",
    )
    synapses = Synapses(
        source,
        cells,
        STDP,
        on_pre="v_post += w\nx += 0.1*mV\nw = clip(w - y, 0*mV, 2*mV)",
        on_post="y += 0.1*mV\nw = clip(w + x, 0*mV, 2*mV)",
        name="synapses",
    )
    synapses.connect()
    synapses.w = "0.5*mV*rand()"
    spikes = SpikeMonitor(cells, name="spikes")
    network = Network(source, cells, synapses, spikes)
    network.run(duration, namespace={})
    synapses.w = "0.9*w"  # the arrays hold the values between two runs
    network.run(duration, namespace={})
    return lambda: {"i": spikes.i[:], "t": spikes.t_[:], "w": synapses.w_[:], "x": synapses.x_[:]}


@pytest.mark.compiled
def test_variables_of_synapses_move_together(tmp_path):
    ours, standard = on_both(plastic, tmp_path)
    assert_equal(ours, standard, close=("w", "x"))
    assert "lastupdate, w, x, y" in (tmp_path / "ours" / "synapses_together.h").read_text()


# ---- random sources
# ------------------------------------------------------------------------------------------------------------

STEPS = 20000


def poisson_sources():
    seed(11)
    course = TimedArray(np.array([20.0, 80.0]) * Hz, dt=1 * second)
    groups = {
        "equal": PoissonGroup(500, rates=30 * Hz, name="equal"),
        "graded": PoissonGroup(500, rates="100*Hz*i/N", name="graded"),
        "timed": PoissonGroup(500, rates="course(t)", name="timed", namespace={"course": course}),
        "frequent": PoissonGroup(50, rates=4000 * Hz, name="frequent"),
        "silent": PoissonGroup(50, rates=0 * Hz, name="silent"),
        "waiting": NeuronGroup(
            500, "p : 1", threshold="rand() < 0.02 and i % 2 == 0", refractory=5 * ms, name="waiting"
        ),
    }
    target = NeuronGroup(1, "v : 1", name="target")
    inputs = PoissonInput(target, "v", 1000, 3 * Hz, weight=1)
    monitors = {name: SpikeMonitor(group, name=f"{name}_spikes") for name, group in groups.items()}
    network = Network(*groups.values(), target, inputs, *monitors.values())
    network.run(STEPS * 0.1 * ms, namespace={})
    return lambda: (
        {
            f"{name}.{v}": monitor.variables[v].get_value()
            for name, monitor in monitors.items()
            for v in ("i", "t")
        }
        | {"input": target.v_[:]}
    )


def fits(values, distribution):
    """Kolmogorov-Smirnov test of whole numbers, each spread evenly over its step of the distribution."""
    spread = np.random.default_rng(1).random(len(values))
    level = distribution.cdf(values - 1) + spread * distribution.pmf(values)
    return stats.kstest(level, "uniform").pvalue > 0.01


def counts(found, name, n):
    return np.bincount(found[f"{name}.i"], minlength=n)


def steps(found, name):
    return np.rint(found[f"{name}.t"] / 1e-4).astype(int)


@pytest.mark.compiled
def test_poisson_sources_by_gaps_have_the_right_distributions(tmp_path):
    """Counts are binomial, steps uniform, intervals geometric; neighbours and next steps independent."""
    found = simulate("fast_standalone", poisson_sources, tmp_path)
    n = counts(found, "equal", 500)
    assert fits(n, stats.binom(STEPS, 30e-4))
    assert fits(steps(found, "equal"), stats.randint(0, STEPS))
    k = np.arange(500)
    expected = STEPS * 1e-4 * 100 * k / 500
    n = counts(found, "graded", 500)
    assert n[0] == 0
    chi2 = np.sum((n[50:] - expected[50:]) ** 2 / (expected[50:] * (1 - 0.01 * k[50:] / 500)))
    assert 1e-3 < stats.chi2(450).cdf(chi2) < 1 - 1e-3
    n = counts(found, "timed", 500)
    early = np.bincount(found["timed.i"][steps(found, "timed") < STEPS // 2], minlength=500)
    assert fits(early, stats.binom(STEPS // 2, 20e-4))
    assert fits(n - early, stats.binom(STEPS // 2, 80e-4))
    assert abs(np.corrcoef(early, n - early)[0, 1]) < 4 / np.sqrt(500)
    n = counts(found, "frequent", 50)
    assert fits(n, stats.binom(STEPS, 0.4))
    assert len(found["silent.i"]) == 0
    # refractory for 50 steps after each event, then a geometric time with p = 0.02
    waits = np.concatenate(
        [np.diff(steps(found, "waiting")[found["waiting.i"] == j]) for j in range(0, 500, 2)]
    )
    assert not (found["waiting.i"] % 2).any()
    assert fits(waits - 50, stats.geom(0.02, loc=-1))
    # a step in which one element has an event is no likelier to have one in its neighbour
    train = np.zeros((500, STEPS), bool)
    train[found["equal.i"], steps(found, "equal")] = True
    for shifted in (train[1:, :] & train[:-1, :], train[:, 1:] & train[:, :-1]):
        assert abs(shifted.sum() - shifted.size * 9e-6) < 4 * np.sqrt(shifted.size * 9e-6)


@pytest.mark.compiled
@pytest.mark.slow
def test_keep_draws_gives_the_standard_spikes(tmp_path):
    ours, standard = on_both(poisson_sources, tmp_path, keep_draws=True)
    for found in (ours, standard):
        assert found.pop("silent.i").size == found.pop("silent.t").size == 0
    assert_equal(ours, standard)


# ---- clocks, stopping, what is not covered
# ------------------------------------------------------------------------------------------------------------


def several_clocks():
    cells = NeuronGroup(3, "dv/dt = 1/second : 1", method="euler", name="cells")
    slow = NeuronGroup(2, "dv/dt = 1/second : 1", method="euler", dt=0.3 * ms, name="slow")
    often = StateMonitor(cells, "v", record=0, name="often")
    seldom = StateMonitor(cells, "v", record=0, dt=0.7 * ms, name="seldom")
    network = Network(cells, slow, often, seldom)
    network.run(5 * ms, namespace={})
    network.run(0 * ms, namespace={})
    network.run(3.3 * ms, namespace={})
    return lambda: {
        "cells": cells.v[:],
        "slow": slow.v[:],
        "often": often.t_[:],
        "seldom": seldom.t_[:],
        "v": seldom.v[0],
        "t": np.array(float(network.t)),
    }


@pytest.mark.compiled
def test_clocks_of_different_steps(tmp_path):
    assert_equal(*on_both(several_clocks, tmp_path), close=("cells", "v"))


@pytest.mark.compiled
def test_a_run_out_of_time_stops_and_says_how_far_it_came(tmp_path):
    def endless():
        get_device()._set_maximum_run_time(0.05 * second)
        group = NeuronGroup(10, "dv/dt = 1/second : 1", method="euler", name="group")
        Network(group).run(
            1e5 * second, report='std::cout << "completed " << completed << std::endl;', namespace={}
        )
        return lambda: (get_device()._last_run_completed_fraction, get_device()._last_run_time, group.v[0])

    fraction, seconds, v = simulate("fast_standalone", endless, tmp_path)
    assert 0 < fraction < 1
    assert 0.05 < seconds < 1
    assert v == pytest.approx(fraction * 1e5, rel=1e-3)


@pytest.mark.compiled
def test_nan_is_found(tmp_path):
    """Values that are not finite stay so in the vectorised loops, and are not taken for events."""

    def broken():
        group = NeuronGroup(
            600,
            "dv/dt = v**2/second : 1",
            threshold="v > 1e300",
            reset="v = log(-v)",
            method="euler",
            name="group",
        )
        group.v = "i*1e140"
        spikes = SpikeMonitor(group, name="spikes")
        Network(group, spikes).run(3 * ms, namespace={})
        return lambda: {"v": group.v[:], "i": spikes.i[:], "nan": np.isnan(group.v[:]).sum()}

    ours, standard = on_both(broken, tmp_path)
    assert_equal(ours, standard)
    assert ours["nan"] > 500


@implementation(
    "cpp", "static double counted(double x) { static int calls = 0; calls++; return x + 0.001*(calls % 7); }"
)
@check_units(x=1, result=1)
def counted(x):
    raise NotImplementedError


def with_memory():
    group = NeuronGroup(600, "dv/dt = (counted(v) - v)/second : 1", method="euler", name="group")
    group.namespace["counted"] = counted
    other = NeuronGroup(3, "u : 1\nv : 1 (linked)", name="other")
    group.v = "i"
    other.v = brian2.linked_var(group, "v", index=[5, 1, 1])
    other.run_regularly("u += v")
    Network(group, other).run(1 * ms, namespace={})
    return lambda: {"v": group.v[:], "u": other.u[:]}


@pytest.mark.compiled
def test_a_function_with_a_memory_is_called_in_the_standard_order(tmp_path):
    assert_equal(*on_both(with_memory, tmp_path))
    text = source(tmp_path / "ours", "group_stateupdater")
    assert "one by one, since the function counted" in text and "INDEPENDENT" not in text


def test_openmp_gets_the_standard_loop(tmp_path):
    prefs.devices.cpp_standalone.openmp_threads = 2
    try:
        simulate("fast_standalone", with_memory, tmp_path, compile=False)
    finally:
        prefs.devices.cpp_standalone.openmp_threads = 0
    assert "#pragma omp" in source(tmp_path, "group_stateupdater")
    assert "CSpikeQueue" in (tmp_path / "synapses_classes.h").read_text()


def test_options_are_checked():
    try:
        with pytest.raises(ValueError, match="'half'.*'single' or 'double'"):
            set_device("fast_standalone", precision="half")
    finally:
        reset_device()  # Brian2 chooses the device before it looks at the options


@pytest.mark.compiled
@pytest.mark.slow
def test_single_precision(tmp_path):
    """Half the bytes, seven digits; time keeps its sixteen."""
    try:
        ours = simulate("fast_standalone", plastic, tmp_path / "ours", precision="single")
    finally:
        prefs.core.default_float_dtype = np.float64
    standard = simulate("standard_loop", plastic, tmp_path / "standard")
    assert ours["w"].dtype == ours["x"].dtype == np.float32 and ours["t"].dtype == np.float64
    first = slice(0, 100)  # later, a rounding error decides about some spike, and spikes drift apart
    np.testing.assert_array_equal(ours["i"][first], standard["i"][first])
    assert len(ours["i"]) == pytest.approx(len(standard["i"]), rel=0.02)
    assert ours["w"].mean() == pytest.approx(standard["w"].mean(), rel=0.05)


# ---- the parts in C++
# ------------------------------------------------------------------------------------------------------------

PARTS = r"""
#include <cstdio>
#include <sstream>
#include "brianlib/spikequeue.h"
#include "brianlib/loop_twister.h"
#include "brianlib/loop_pathway.h"

static double standard_rand(std::mt19937& gen)
{
    const long a = gen() >> 5;
    const long b = gen() >> 6;
    return (a*67108864.0 + b)/9007199254740992.0;
}

// The generator gives the numbers of the standard library's, one by one or many at once, from any seed.
static int generator()
{
    int wrong = 0;
    std::mt19937 standard;
    fast_loop::Twister ours;
    for (int round = 0; round < 3; round++)
    {
        uint32_t words[] = {1, 2, 3};
        std::seed_seq sequence(words, words + round), same(words, words + round);
        standard.seed(sequence);
        ours.seed(same);
        if (round == 2) { standard.seed(77ul); ours.seed(77ul); }
        for (int k = 0; k < 2001; k++)
            wrong += standard() != ours();
        double numbers[1501];
        ours.fill(numbers, 1501);
        for (double number : numbers)
            wrong += number != standard_rand(standard);
        std::stringstream a, b;
        a << standard;
        b << ours;
        wrong += a.str() != b.str();
        a >> ours;
        wrong += ours() != standard();
    }
    return wrong;
}

// Spikes reach the synapses in the order in which Brian2's queue delivers them.
static int pathway()
{
    int wrong = 0;
    std::mt19937 random(5);
    for (int round = 0; round < 60; round++)
    {
        const int start = random() % 5, stop = start + 1 + random() % 20, n = random() % 200;
        std::vector<int> sources(n);
        std::vector<double> delays(round % 3 == 0 ? (n ? n : 1) : 1, round % 3 == 1 ? 1e-3 : 0.0);
        for (int& source : sources)
            source = start + random() % (stop - start);
        if (round % 2)
            std::sort(sources.begin(), sources.end());
        if (delays.size() > 1)
            for (double& delay : delays)
                delay = (random() % 9)*0.5e-4;
        if (n == 0)
            delays.clear();
        SynapticPathway ours(sources, start, stop);
        CSpikeQueue standard(start, stop);
        double dt = 1e-4;
        for (int run = 0; run < 3; run++)
        {
            if (run == 2)
                dt = 0.5e-4;
            ours.prepare(stop, 10, delays.data(), (int)delays.size(), sources.data(), n, dt);
            if (n > 0)
                standard.prepare(delays.data(), (int)delays.size(), sources.data(), n, dt);
            for (int step = 0; step < 30; step++)
            {
                std::vector<int32_t> events;
                for (int k = 0; k < stop + 3; k++)
                    if (random() % 3 == 0)
                        events.push_back(k);
                ours.advance();
                standard.advance();
                ours.push(events.data(), (int)events.size());
                if (n > 0)
                    standard.push(events.data(), (int)events.size());
                const std::vector<int32_t> expected = *standard.peek();
                wrong += *ours.peek() != expected;
                std::vector<int32_t> due, blocks;
                for (const DueSynapses& d : ours.due())
                    for (int k = d.begin; k < d.end; k++)
                        due.push_back(d.index ? d.index[k] : k);
                wrong += due != expected;
                DueBlocks block(ours);
                while (const int size = block.next())
                {
                    std::vector<int32_t> once;
                    for (int k = 0; k < size; k++)
                        once.push_back((int32_t)block[k]);
                    blocks.insert(blocks.end(), once.begin(), once.end());
                    std::sort(once.begin(), once.end());
                    wrong += std::unique(once.begin(), once.end()) != once.end();
                }
                wrong += blocks != expected;
            }
            delays.assign(delays.size(), (random() % 9)*0.5e-4);
        }
    }
    return wrong;
}

int main()
{
    std::printf("%d %d\n", generator(), pathway());
    return 0;
}
"""


@pytest.mark.compiled
def test_parts_in_cpp(tmp_path):
    """The generator and the delivery of spikes agree with the standard library's and Brian2's."""
    simulate("fast_standalone", several_clocks, tmp_path, compile=False)
    (tmp_path / "parts.cpp").write_text(PARTS)
    library = [str(path) for path in (tmp_path / "brianlib").glob("*.cpp")]
    command = ["g++", "-std=c++11", "-O1", "-w", "-I.", "parts.cpp", *library, "-o", "parts"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert subprocess.check_output([str(tmp_path / "parts")], text=True).split() == ["0", "0"]


def test_headers_are_packaged():
    """Templates and headers lie beside the module that uses them."""
    folder = Path(loop.__file__).parent
    assert {path.name for path in (folder / "templates").iterdir()} >= {"stateupdate.cpp", "network.cpp"}
    assert (folder / "cpp" / "loop_pathway.h").exists()
