"""The networks of `networks` in NEST, one thread. Times in ms, potentials in mV, currents in pA.

Each function takes the phases to fill in, the model time in seconds and the change ("number" or None), and
returns the spikes of its populations. NEST's shortest delay is one step: spikes take 0.1 ms where they take
no time in Brian2. Its stdp_synapse changes the weight before it delivers it, and so do the others here.

Two spikes that reach a synapse in one step do not pair in NEST; in Brian2 and this project the presynaptic
one counts as the earlier. Potentiation is then a sum over the lags 0, 1, 2, ... steps there and 1, 2, ...
here, where the amplitude is therefore larger by exp(step/tau_plus). That is half a percent of it, but weights
drift by the small difference of potentiation and depression (5 %): without the factor STDP-ff fires 7 % less,
as it does there once coincident pairs are left out, or once the step is short.
"""

import math

import liquid as column
import nest
import numpy as np

CELL = {"C_m": 200.0, "tau_m": 20.0, "V_th": -50.0, "V_reset": -60.0, "tau_syn_ex": 5.0, "tau_syn_in": 10.0}
PER_MV = 10.0
SEED = 1  # set from outside
PAUSE = 60.0  # between trials of the liquid
LEAK, MOST = 10.0, 0.01  # leak conductance (nS); the largest weight in units of it
FIRST_LAG = math.exp(0.1 / 20.0)  # what the sum over lags gains with that of 0, step and tau_plus in ms


def _begin():
    nest.ResetKernel()
    if hasattr(nest, "VerbosityLevel"):
        nest.verbosity = nest.VerbosityLevel.ERROR
    else:
        nest.set_verbosity("M_ERROR")
    nest.SetKernelStatus({"resolution": 0.1, "local_num_threads": 1, "rng_seed": SEED})


def _finish(phases, seconds, **populations):
    """Records, simulates and reads; returns (number of cells, spike times in s, indices) by population."""
    recorders = {name: nest.Create("spike_recorder") for name in populations}
    for name, population in populations.items():
        nest.Connect(population, recorders[name])
    nest.Prepare()
    phases.done("generation")
    with phases.loop():
        nest.Run(seconds * 1000)
    nest.Cleanup()
    return _read(phases, recorders, populations)


def _read(phases, recorders, populations):
    spikes = {}
    for name, recorder in recorders.items():
        events, cells = recorder.events, populations[name]
        spikes[name] = (len(cells), events["times"] / 1000, events["senders"] - cells[0].global_id)
    phases.done("reading")
    return spikes


def _random(pre, post, p, weight, delay=0.1, **synapse):
    rule = {"rule": "pairwise_bernoulli", "p": p}
    nest.Connect(pre, post, rule, {"weight": weight, "delay": delay} | synapse)


def cuba(phases, seconds, change=None):
    _begin()
    cells = nest.Create("iaf_psc_exp", 4000, CELL | {"E_L": -49.0, "t_ref": 5.0})
    cells.V_m = nest.random.uniform(-60.0, -50.0)
    _random(cells[:3200], cells, 0.02, (1.7 if change == "number" else 1.62) * PER_MV)
    _random(cells[3200:], cells, 0.02, -9.0 * PER_MV)
    return _finish(phases, seconds, cells=cells)


def coba(phases, seconds, change=None):
    _begin()
    values = {
        "g_Na": 20000.0,
        "g_K": 6000.0,
        "g_L": 10.0,
        "C_m": 200.0,
        "E_L": -60.0,
        "E_K": -90.0,
        "E_Na": 50.0,
    }
    values |= {"V_T": -63.0, "E_ex": 0.0, "E_in": -80.0, "tau_syn_ex": 5.0, "tau_syn_in": 10.0, "t_ref": 3.0}
    cells = nest.Create("hh_cond_exp_traub", 4000, values)
    cells.V_m = nest.random.normal(-65.0, 5.0)
    _random(cells[:3200], cells, 0.02, 6.0)
    _random(cells[3200:], cells, 0.02, -67.0)
    return _finish(phases, seconds, cells=cells)


def _learning(phases, seconds, rule):
    """1000 inputs of 15 Hz onto 100 cells; weights in nS, from 0 to a hundredth of the leak's 10 nS."""
    values = {"C_m": 100.0, "g_L": LEAK, "E_L": -74.0, "V_th": -54.0, "V_reset": -60.0, "E_ex": 0.0}
    values |= {"tau_syn_ex": 5.0, "t_ref": 0.0, "tau_minus": 20.0}
    cells = nest.Create("iaf_cond_exp", 100, values)
    cells.V_m = -70.0
    inputs = nest.Create("parrot_neuron", 1000)
    nest.Connect(
        nest.Create("poisson_generator", params={"rate": 15.0}), inputs, "all_to_all", {"delay": 0.1}
    )
    weight = nest.random.uniform(0.0, MOST * LEAK)
    nest.Connect(inputs, cells, "all_to_all", rule | {"weight": weight, "delay": 0.1})
    return _finish(phases, seconds, cells=cells, inputs=inputs)


def stdp_ff(phases, seconds, change=None):
    _begin()
    return _learning(phases, seconds, _stdp(MOST * LEAK))


def _stdp(most):
    """Additive STDP with A_plus = most/100 and A_minus = 1.05 A_plus."""
    rule = {"synapse_model": "stdp_synapse", "tau_plus": 20.0, "mu_plus": 0.0, "mu_minus": 0.0, "Wmax": most}
    return rule | {"lambda": 0.01 * FIRST_LAG, "alpha": 1.05 / FIRST_LAG}


def dopamine(phases, seconds, change=None):
    """STDP-ff with eligibility traces of 1 s and a reward in the middle of every second.

    NEST's concentration n jumps by 1/tau_n = 0.005/ms at a reward where eta d has 0.5/s = 0.0005/ms: a tenth,
    which the amplitudes carry. The tonic 0.1/s becomes -b = 0.001/ms.
    """
    _begin()
    rewards = nest.Create("spike_generator", params={"spike_times": [1000.0 * k + 500.0 for k in range(100)]})
    neuron, transmitter = nest.Create("parrot_neuron"), nest.Create("volume_transmitter")
    # How often all weights are brought up to date, whatever happens: every 100 ms.
    transmitter.deliver_interval = 1000
    nest.Connect(rewards, neuron, syn_spec={"delay": 0.1})
    nest.Connect(neuron, transmitter, syn_spec={"delay": 0.1})
    rule = {"volume_transmitter": transmitter, "tau_plus": 20.0, "tau_c": 1000.0, "tau_n": 200.0, "b": -0.001}
    amplitudes = {"A_plus": 0.0001 * FIRST_LAG * LEAK / 10, "A_minus": 0.000105 * LEAK / 10}
    rule |= amplitudes | {"Wmin": 0.0, "Wmax": MOST * LEAK}
    nest.CopyModel("stdp_dopamine_synapse", "three_factor", rule)
    return _learning(phases, seconds, {"synapse_model": "three_factor"})


def stdp_rec(phases, seconds, change=None):
    _begin()
    cell = CELL | {"E_L": -60.0, "t_ref": 2.0, "tau_minus": 20.0}
    exc, inh = nest.Create("iaf_psc_exp", 2000, cell), nest.Create("iaf_psc_exp", 500, cell)
    drive = nest.Create("poisson_generator", params={"rate": 4000.0})
    for group in (exc, inh):
        group.V_m = nest.random.uniform(-60.0, -50.0)
        nest.Connect(drive, group, "all_to_all", {"weight": 0.7 * PER_MV, "delay": 0.1})
    _random(exc, exc, 0.1, nest.random.uniform(0.0, 0.4 * PER_MV), 1.5, **_stdp(PER_MV))
    _random(exc, inh, 0.1, 0.5 * PER_MV, 1.5)
    _random(inh, exc, 0.1, -4.0 * PER_MV, 1.5)
    _random(inh, inh, 0.1, -4.0 * PER_MV, 1.5)
    return _finish(phases, seconds, exc=exc, inh=inh)


def liquid(phases, seconds, change=None):
    """Trials one after the other; potentials and synapses are set back in between. Currents cannot be set: 60
    ms of pause let them decay, and what happens in these does not count.

    tsodyks2_synapse takes the start of time for a spike; with u = 0 that leaves nothing.
    """
    _begin()
    v, synapses = column.draw()
    values = {"C_m": 30_000.0, "tau_m": 30.0, "E_L": 0.0, "I_e": 13_500.0, "V_th": 15.0, "V_reset": 13.5}
    values |= {"tau_syn_ex": 3.0, "tau_syn_in": 6.0}
    cells = nest.Create("iaf_psc_exp", column.N, values)
    cells.set(t_ref=np.where(np.arange(column.N) < column.N_EXC, 3.0, 2.0), V_m=v)
    side = {"e": cells[: column.N_EXC], "i": cells[column.N_EXC :]}
    for kind, (*_, delay) in column.KINDS.items():
        s = synapses[kind]
        nest.Connect(
            np.array(side[kind[0]].tolist())[s["i"]],
            np.array(side[kind[1]].tolist())[s["j"]],
            "one_to_one",
            {
                "synapse_model": "tsodyks2_synapse",
                "weight": 1000 * s["w"],
                "delay": np.full(len(s["i"]), delay),
            }
            | {"U": s["U"], "tau_rec": s["D"], "tau_fac": s["F"], "u": np.zeros(len(s["i"]))},
        )
    recurrent = nest.GetConnections(synapse_model="tsodyks2_synapse")
    source = nest.Create("spike_generator")
    for name, w in column.INPUT.items():
        nest.Connect(source, side[name], syn_spec={"weight": 1000 * w, "delay": 0.1})
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    length, trials = 1000 * column.TRIAL, column.inputs(round(seconds / column.TRIAL))
    phases.done("generation")
    with phases.loop():
        for k, times in enumerate(trials):
            source.spike_times = k * (length + PAUSE) + times
            nest.Simulate(length + PAUSE)
            cells.set(V_m=v)
            recurrent.set(x=1.0, u=0.0)
    n, t, i = _read(phases, {"cells": recorder}, {"cells": cells})["cells"]
    trial, since = np.divmod(1000 * t - 0.05, length + PAUSE)
    counts = since < length
    return {"cells": (n, (trial * length + since)[counts] / 1000, i[counts])}


NETWORKS = {
    "CUBA": cuba,
    "COBA": coba,
    "STDP-ff": stdp_ff,
    "STDP-rec": stdp_rec,
    "dopamine": dopamine,
    "liquid": liquid,
}
