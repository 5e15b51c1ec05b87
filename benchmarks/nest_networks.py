"""The networks of `networks` in NEST, one thread.

NEST's shortest delay is one step: spikes take 0.1 ms where they take no time in Brian2.
Weights in mV of the postsynaptic current become pA by the factor C/tau_m of the cells (10 pF/ms).
"""

import nest

CELL = {"C_m": 200.0, "tau_m": 20.0, "V_th": -50.0, "V_reset": -60.0, "tau_syn_ex": 5.0, "tau_syn_in": 10.0}
PER_MV = 10.0


def _begin():
    nest.ResetKernel()
    if hasattr(nest, "VerbosityLevel"):
        nest.verbosity = nest.VerbosityLevel.ERROR
    else:
        nest.set_verbosity("M_ERROR")
    nest.SetKernelStatus({"resolution": 0.1, "local_num_threads": 1, "rng_seed": 1})


def _finish(phases, seconds, populations):
    """Records, simulates and reads; returns the number of spikes."""
    recorders = []
    for population in populations:
        recorders.append(nest.Create("spike_recorder"))
        nest.Connect(population, recorders[-1])
    nest.Prepare()
    phases.done("generation")
    nest.Run(seconds * 1000)
    phases.done("loop")
    nest.Cleanup()
    spikes = sum(len(recorder.events["times"]) for recorder in recorders)
    phases.done("reading")
    return spikes


def _random(pre, post, p, weight, delay=0.1, **synapse):
    rule = {"rule": "pairwise_bernoulli", "p": p}
    nest.Connect(pre, post, rule, {"weight": weight, "delay": delay} | synapse)


def cuba(phases, seconds, folder):
    _begin()
    cells = nest.Create("iaf_psc_exp", 4000, CELL | {"E_L": -49.0, "t_ref": 5.0})
    cells.V_m = nest.random.uniform(-60.0, -50.0)
    _random(cells[:3200], cells, 0.02, 1.62 * PER_MV)
    _random(cells[3200:], cells, 0.02, -9.0 * PER_MV)
    return _finish(phases, seconds, [cells])


def coba(phases, seconds, folder):
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
    return _finish(phases, seconds, [cells])


def stdp_ff(phases, seconds, folder):
    _begin()
    leak, most = 10.0, 0.01
    values = {"C_m": 100.0, "g_L": leak, "E_L": -74.0, "V_th": -54.0, "V_reset": -60.0, "E_ex": 0.0}
    values |= {"tau_syn_ex": 5.0, "t_ref": 0.0, "tau_minus": 20.0}
    cells = nest.Create("iaf_cond_exp", 100, values)
    cells.V_m = -70.0
    inputs = nest.Create("parrot_neuron", 1000)
    nest.Connect(
        nest.Create("poisson_generator", params={"rate": 15.0}), inputs, "all_to_all", {"delay": 0.1}
    )
    rule = {"synapse_model": "stdp_synapse", "tau_plus": 20.0, "lambda": 0.01, "alpha": 1.05, "mu_plus": 0.0}
    rule |= {"mu_minus": 0.0, "Wmax": most * leak, "delay": 0.1}
    nest.Connect(inputs, cells, "all_to_all", rule | {"weight": nest.random.uniform(0.0, most * leak)})
    return _finish(phases, seconds, [cells, inputs])


def stdp_rec(phases, seconds, folder):
    _begin()
    cell = CELL | {"E_L": -60.0, "t_ref": 2.0, "tau_minus": 20.0}
    exc, inh = nest.Create("iaf_psc_exp", 2000, cell), nest.Create("iaf_psc_exp", 500, cell)
    drive = nest.Create("poisson_generator", params={"rate": 4000.0})
    for group in (exc, inh):
        group.V_m = nest.random.uniform(-60.0, -50.0)
        nest.Connect(drive, group, "all_to_all", {"weight": 0.7 * PER_MV, "delay": 0.1})
    plastic = {"synapse_model": "stdp_synapse", "tau_plus": 20.0, "lambda": 0.01, "alpha": 1.05}
    plastic |= {"mu_plus": 0.0, "mu_minus": 0.0, "Wmax": PER_MV}
    _random(exc, exc, 0.1, nest.random.uniform(0.0, 0.4 * PER_MV), 1.5, **plastic)
    _random(exc, inh, 0.1, 0.5 * PER_MV, 1.5)
    _random(inh, exc, 0.1, -4.0 * PER_MV, 1.5)
    _random(inh, inh, 0.1, -4.0 * PER_MV, 1.5)
    return _finish(phases, seconds, [exc, inh])


NETWORKS = {"CUBA": cuba, "COBA": coba, "STDP-ff": stdp_ff, "STDP-rec": stdp_rec}
