"""Whole networks here and in NEST, as distributions over seeds (the criterion: `test_networks_criterion`).

Both are given the same model in discrete time; where conventions differ, NEST's numbers are changed:

- A cell of NEST is held for t_ref after the end of the step of its spike; a library cell here fires again a
  step earlier (`circuits.neurons`), so that NEST gets t_ref - dt. The cells of `brunel` and `microcircuit`
  count as NEST does.
- In iaf_psc_delta a spike makes the voltage jump where the threshold sees it at once, `delay` after the
  spike; `brunel` arranges the same. In iaf_psc_exp it adds to a current that acts from the next step on, as
  here.
- NEST has no delay below one step.
- A Poisson generator gives every target a train of its own, with any number of spikes in a step; so do
  `brunel` and `microcircuit`.
- NEST dates spikes at the end of the step, this project at its start. They are shifted before measuring.
- Thresholds are >= there and > here: the same for voltages that take all values.
"""

import numpy as np
import pytest
from brian2 import amp, ms, mV, second
from test_networks_criterion import compared, measures, told_apart

import engine
from circuits import microcircuit as column
from circuits.balanced import brunel, vogels_abbott

pytestmark = pytest.mark.timeout(1800)  # half a minute to a minute of CPU each, on a machine that may be busy

DT = 0.1  # ms
CRITERION = (
    "over all pairs of runs across simulators, 8 seeds each; Kolmogorov-Smirnov where a distribution; bound "
    "from all 6435 divisions of these runs, false alarms 1/6435 per network"
)


@pytest.fixture
def seeds(request):
    """Eight seeds for each simulator; other eight for another --oracle-seed."""
    first = 8 * request.config.getoption("--oracle-seed") - 7
    return range(first, first + 8)


def begin(nest, seed):
    nest.ResetKernel()
    nest.SetKernelStatus({"resolution": DT, "rng_seed": seed})


def recorded(nest, populations, milliseconds):
    """Simulates; name to times (s, at the start of the step), indices, number of cells."""
    recorders = {}
    for name, cells in populations.items():
        recorders[name] = nest.Create("spike_recorder")
        nest.Connect(cells, recorders[name])
    nest.Simulate(milliseconds)
    found = {}
    for name, recorder in recorders.items():
        events, cells = recorder.events, populations[name]
        times = (np.asarray(events["times"]) - DT) * 1e-3
        found[name] = (times, np.asarray(events["senders"]) - cells[0].global_id, len(cells))
    return found


def divided(recording, sizes, part="cells"):
    """The spikes of one population of a recording as those of the named slices that follow each other."""
    t, i, first, found = recording.spikes[part].t, recording.spikes[part].i, 0, {}
    for name, n in sizes.items():
        inside = (i >= first) & (i < first + n)
        found[name] = (t[inside], i[inside] - first, n)
        first += n
    return found


CONVENTIONS = {
    "circuits.balanced.brunel": "cells are held for the same steps and jump in the same step as NEST's",
    "circuits.balanced.vogels_abbott": "NEST gets t_ref less a step, since its cells are held a step longer, "
    "and both get delays of one step, the least in NEST",
    "circuits.microcircuit.microcircuit": "cells are held for the same steps as NEST's; on both sides "
    "a fixed total number of synapses, multapses allowed, delays rounded to steps",
}


def judge(agrees, subject, oracle, ours, theirs, network):
    """A row per measure, each within the bound that the seeds give."""
    for found in compared(ours, theirs):
        within = "among seeds here {:.3g}, there {:.3g}".format(*found.within)
        agrees(subject, oracle, f"{network}; {found.measure}, mean distance", found.across, found.bound,
               unit=found.unit, note=f"{CRITERION}; {within}; {CONVENTIONS[subject]}")  # fmt: skip


def judge_controls(agrees, subject, oracle, changed, theirs, network):
    """A row per network with another parameter: the same criterion must tell it apart."""
    for name, ours in changed.items():
        agrees(subject, oracle, f"{network}; control, {name}: largest distance over its bound",
               told_apart(compared(ours, theirs)), np.inf, low=1,
               note="told apart by the criterion that the same model meets")  # fmt: skip


# ------------------------------------------------------------------------------------------------ Brunel 2000

REGIMES = {"SR": (3, 2), "SI, fast": (6, 4), "AI": (5, 2), "SI, slow": (4.5, 0.9)}


def brunel_here(n_e, J, g, eta, start, end, seeds, delay=1.5, t_ref=2.0):
    """Measures per seed; J in mV, delay and t_ref in ms, start and end in s."""
    sizes = {"exc": n_e, "inh": n_e // 4}
    net = brunel(n_e, J=J * mV).but(
        {"inh.g": g, "cells.eta": eta, "cells.t_ref": t_ref * ms}
        | {f"{name}.delay": (delay - DT) * ms for name in ("exc", "inh")}
    )
    made = []
    for seed in seeds:
        recording = engine.run(net, end * second, seed=seed)
        made.append(measures(divided(recording, sizes), start, end))
    return made


def brunel_in_nest(nest, n_e, J, g, eta, start, end, seeds, delay=1.5, t_ref=2.0):
    cell = {"C_m": 1.0, "tau_m": 20.0, "E_L": 0.0, "V_th": 20.0, "V_reset": 10.0, "t_ref": t_ref}
    made = []
    for seed in seeds:
        begin(nest, seed)
        exc, inh = (nest.Create("iaf_psc_delta", n, cell) for n in (n_e, n_e // 4))
        everyone = exc + inh
        everyone.V_m = nest.random.uniform(10.0, 20.0)
        outside = nest.Create("poisson_generator", params={"rate": 1e3 * eta * 20.0 / (J * 20.0)})
        nest.Connect(outside, everyone, "all_to_all", {"weight": J, "delay": DT})
        for cells, weight in ((exc, J), (inh, -g * J)):
            rule = {"rule": "fixed_indegree", "indegree": round(0.1 * len(cells)), "allow_multapses": False}
            nest.Connect(cells, everyone, rule, {"weight": weight, "delay": delay})
        made.append(measures(recorded(nest, {"exc": exc, "inh": inh}, end * 1e3), start, end))
    return made

# excitatory cells and J in mV, window in s, controls (by what each regime depends on most)
CASES = {
    "SR": (2000, 0.25, (0.1, 0.3), {"refractory period a step shorter": {"t_ref": 1.9}}),
    "SI, fast": (2000, 0.25, (0.1, 1.1), {"delay a step longer": {"delay": 1.6}}),
    "AI": (2000, 0.25, (0.1, 0.9), {"g 5 % larger": {"g": 5.25}}),
    "SI, slow": (2000, 0.25, (0.1, 1.1), {"g 10 % larger": {"g": 4.95}}),
}


@pytest.mark.parametrize("name", CASES)
def test_brunel(nest, agrees, seeds, name):
    (g, eta), (n_e, J, window, others) = REGIMES[name], CASES[name]
    here, there = "circuits.balanced.brunel", "NEST iaf_psc_delta"
    span = dict(zip(("start", "end"), window, strict=True))
    theirs = brunel_in_nest(nest, n_e, J, g, eta, *window, seeds)
    ours = brunel_here(n_e, J, g, eta, *window, seeds)
    what = f"{name} (g = {g}, eta = {eta}), {n_e * 5 // 4} cells"
    judge(agrees, here, there, ours, theirs, what)
    changed = {}
    for control, numbers in others.items():
        changed[control] = brunel_here(n_e, J, eta=eta, seeds=seeds, **{"g": g, **numbers}, **span)
    judge_controls(agrees, here, there, changed, theirs, what)


# -------------------------------------------------------------------------------- Vogels & Abbott 2005 (CUBA)


def cuba_here(n, p, start, end, seeds, **numbers):
    net = vogels_abbott(n, p).but({"exc.delay": DT * ms, "inh.delay": DT * ms, **numbers})
    sizes = {"exc": round(0.8 * n), "inh": n - round(0.8 * n)}
    return [measures(divided(engine.run(net, end * second, seed=s), sizes), start, end) for s in seeds]


def cuba_in_nest(nest, n, p, start, end, seeds, w_e=1.62, w_i=-9.0):
    cell = {"C_m": 20.0, "tau_m": 20.0, "E_L": -49.0, "V_th": -50.0, "V_reset": -60.0, "t_ref": 5.0 - DT,
            "tau_syn_ex": 5.0, "tau_syn_in": 10.0}  # fmt: skip
    made = []
    for seed in seeds:
        begin(nest, seed)
        n_e = round(0.8 * n)
        exc, inh = nest.Create("iaf_psc_exp", n_e, cell), nest.Create("iaf_psc_exp", n - n_e, cell)
        everyone = exc + inh
        everyone.V_m = nest.random.uniform(-60.0, -50.0)
        for cells, weight in ((exc, w_e), (inh, w_i)):  # C_m/tau_m = 1 pF/ms: pA are mV
            rule = {"rule": "pairwise_bernoulli", "p": p}
            nest.Connect(cells, everyone, rule, {"weight": weight, "delay": DT})
        made.append(measures(recorded(nest, {"exc": exc, "inh": inh}, end * 1e3), start, end))
    return made


@pytest.mark.parametrize("n, p", [(4000, 0.02)])
def test_cuba(nest, agrees, seeds, n, p):
    here, there, window = "circuits.balanced.vogels_abbott", "NEST iaf_psc_exp", (0.2, 1.7)
    theirs = cuba_in_nest(nest, n, p, *window, seeds)
    what = f"{n} cells, delays of one step"
    judge(agrees, here, there, cuba_here(n, p, *window, seeds), theirs, what)
    changed = {
        "inhibition 20 % stronger": cuba_here(n, p, *window, seeds, **{"inh.w": -10.8 * mV}),
        "tau_i 10 % longer": cuba_here(n, p, *window, seeds, **{"cells.tau_i": 11 * ms}),
    }
    judge_controls(agrees, here, there, changed, theirs, what)


# ------------------------------------------------------------------------------------ Potjans & Diesmann 2014


def microcircuit_here(scale, start, end, seeds, inhibition=1.0, **numbers):
    """Measures per seed; inhibitory weights times `inhibition`, further keywords are numbers of the cell."""
    made = []
    for seed in seeds:
        net = column.microcircuit(scale, seed=100 + seed, of=column.cell(**numbers))
        w = net.numbers()["recurrent.w"]
        net = net.but({"recurrent.w": np.where(w < 0, inhibition * w, w) * amp})
        recording = engine.run(net, end * second, seed=seed)
        sizes = {name: cells.stop - cells.start for name, cells in column.slices(scale).items()}
        made.append(measures(divided(recording, sizes), start, end))
    return made


def microcircuit_in_nest(nest, scale, start, end, seeds):
    """From the paper's numbers in units of NEST; sizes and probabilities are those of the table."""
    cell = {"C_m": 250.0, "tau_m": 10.0, "E_L": -65.0, "V_th": -50.0, "V_reset": -65.0, "t_ref": 2.0,
            "tau_syn_ex": 0.5, "tau_syn_in": 0.5}  # fmt: skip
    psc = current_for_one_mv(nest, cell) * 0.15
    # strength of what comes from each population, and the mean input of the whole circuit (pA/s)
    weights = np.where(np.arange(8) % 2, -4.0, 1.0) * np.ones((8, 1)) * psc
    weights[0, 2] *= 2
    pairs = np.outer(column.SIZES, column.SIZES)
    synapses = np.log(1 - column.PROBABILITIES) / np.log(1 - 1 / pairs)
    recurrent = (weights * synapses / column.SIZES[:, None] * column.RATES).sum(axis=1)
    lacking = (1 - np.sqrt(scale)) * (recurrent + psc * column.EXTERNAL * 8.0) * 0.5e-3
    made = []
    for seed in seeds:
        begin(nest, seed)
        groups = []
        for k, n in enumerate(np.rint(column.SIZES * scale).astype(int)):
            group = nest.Create("iaf_psc_exp", n, cell | {"I_e": lacking[k]})
            group.V_m = nest.random.normal(-58.0, 10.0)
            rate = 8.0 * np.rint(column.EXTERNAL[k] * scale)
            outside = nest.Create("poisson_generator", params={"rate": rate})
            nest.Connect(outside, group, "all_to_all", {"weight": psc / np.sqrt(scale), "delay": 1.5})
            groups.append(group)
        for target, source in zip(*np.nonzero(column.PROBABILITIES), strict=True):
            w, d = weights[target, source] / np.sqrt(scale), (1.5, 0.75)[source % 2]
            normal, redraw = nest.random.normal, nest.math.redraw
            of_sign = {"min": 0.0, "max": np.inf} if w > 0 else {"min": -np.inf, "max": 0.0}
            how = {"rule": "fixed_total_number", "N": round(synapses[target, source] * scale**2)}
            what = {
                "weight": redraw(normal(w, 0.1 * abs(w)), **of_sign),
                "delay": redraw(normal(d, 0.5 * d), min=0.5 * DT, max=np.inf),
            }
            if how["N"]:
                nest.Connect(groups[source], groups[target], how, what)
        named = dict(zip(column.POPULATIONS, groups, strict=True))
        made.append(measures(recorded(nest, named, end * 1e3), start, end))
    return made


def current_for_one_mv(nest, cell):
    """pA of a synaptic current whose potential peaks at 1 mV, from one spike."""
    begin(nest, 1)
    one = nest.Create("iaf_psc_exp", params=cell | {"V_th": 1000.0, "V_m": -65.0})
    meter = nest.Create("voltmeter", params={"interval": DT})
    spike = nest.Create("spike_generator", params={"spike_times": [1.0]})
    nest.Connect(spike, one, syn_spec={"weight": 1000.0})
    nest.Connect(meter, one)
    nest.Simulate(20.0)
    return 1000.0 / (np.max(meter.events["V_m"]) + 65.0)


@pytest.mark.parametrize("scale", [0.05])
def test_microcircuit(nest, agrees, seeds, scale):
    here, there, window = "circuits.microcircuit.microcircuit", "NEST iaf_psc_exp", (0.2, 1.0)
    theirs = microcircuit_in_nest(nest, scale, *window, seeds)
    what = f"scale {scale} of cells and in-degrees, Poisson input"
    judge(agrees, here, there, microcircuit_here(scale, *window, seeds), theirs, what)
    changed = {
        "tau_m 5 % longer": microcircuit_here(scale, *window, seeds, tau_m=10.5 * ms),
        "inhibition 20 % stronger": microcircuit_here(scale, *window, seeds, inhibition=1.2),
    }
    judge_controls(agrees, here, there, changed, theirs, what)
