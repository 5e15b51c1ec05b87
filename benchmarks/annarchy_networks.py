"""The networks of `networks` in ANNarchy 5, one thread, double precision. Times in ms, potentials in mV.

Each function takes the phases to fill in, the model time in seconds, a folder for the project, which a later
run finds again, and the change; it returns the spikes of its populations.

Of two spikes that reach a synapse in one step the postsynaptic one counts as the earlier, and the pair
depresses; in Brian2 and this project it potentiates. The sum of potentiation over lags is the same (its
window begins a step later here), that of depression is one over 0, 1, 2, ... steps here and 1, 2, ... there:
its amplitude is divided by exp(step/tau). What half a percent matters is said in `nest_networks`.
"""

import math
from pathlib import Path

import ANNarchy as ann
import liquid as column
import numpy as np
from scipy.sparse import csc_matrix

SEED = 1  # set from outside
FIRST_LAG = math.exp(0.1 / 20.0)  # what the sum over lags gains with that of 0, step and time constant in ms


def _currents(change, driven):
    """The membrane equation, or another one, and the two currents.

    What drives a cell are the spikes of 1000 sources of 4 Hz in a step. They are divided by what the method
    makes of a constant in a step, so that g_exc jumps by 0.7 mV for each. Driven cells fire at a few Hz, on
    which the error of first order of the exponential method shows.
    """
    tau = "2.0*taum" if change == "equation" else "taum"
    method, step = "midpoint" if driven else "exponential", 0.1 / 5
    jump = 0.7 / (step - step**2 / 2)
    drive = [ann.Variable(f"drive = {jump}*Binomial(1000, 0.0004)")] if driven else []
    return [
        *drive,
        ann.Variable(f"{tau}*dv/dt = g_exc + g_inh - (v - El)", method=method, init=-60.0),
        ann.Variable(
            "taue*dg_exc/dt = drive - g_exc" if driven else "taue*dg_exc/dt = -g_exc", method=method
        ),
        ann.Variable("taui*dg_inh/dt = -g_inh", method=method),
    ]


def _cell(El, refractory, change=None, driven=False):
    values = dict(taum=20.0, taue=5.0, taui=10.0, Vt=-50.0, Vr=-60.0, El=El)
    return ann.Neuron(
        parameters=values,
        equations=_currents(change, driven),
        spike="v > Vt",
        reset="v = Vr",
        refractory=refractory,
    )


def _network():
    return ann.Network(dt=0.1, seed=SEED)


def _compile(net, phases, folder):
    phases.done("generation")
    net.compile(directory=str(Path(folder) / "annarchy"), silent=True)
    phases.done("compilation")


def _finish(net, phases, seconds, folder, start=lambda: None, **populations):
    """Compiles, records, simulates and reads; (number of cells, spike times in s, indices) by population."""
    monitors = {name: net.monitor(population, ["spike"]) for name, population in populations.items()}
    _compile(net, phases, folder)
    start()
    phases.done("initial values")
    with phases.loop():
        net.simulate(seconds * 1000)
    return _read(phases, monitors, populations)


def _read(phases, monitors, populations):
    spikes = {}
    for name, monitor in monitors.items():
        times, index = monitor.raster_plot(monitor.get("spike"))
        spikes[name] = (populations[name].size, np.asarray(times) / 1000, np.asarray(index))
    phases.done("reading")
    return spikes


def cuba(phases, seconds, folder, change=None):
    net = _network()
    cells = net.create(4000, _cell(El=-49.0, refractory=5.0, change=change))
    net.connect(cells[:3200], cells, "exc").fixed_probability(
        0.02, weights=1.7 if change == "number" else 1.62
    )
    net.connect(cells[3200:], cells, "inh").fixed_probability(0.02, weights=-9.0)

    def start():
        cells.v = np.random.default_rng(SEED).uniform(-60.0, -50.0, 4000)

    return _finish(net, phases, seconds, folder, start, cells=cells)


def coba(phases, seconds, folder, change=None):
    net = _network()
    values = dict(Cm=200.0, gl=10.0, gna=20000.0, gkd=6000.0, El=-60.0, EK=-90.0, ENa=50.0, VT=-63.0)
    values |= dict(Ee=0.0, Ei=-80.0, taue=5.0, taui=10.0)
    cell = ann.Neuron(
        parameters=values,
        equations=[
            "before = v",
            "u = v - VT",
            "am = 0.32*(13.0 - u)/(exp((13.0 - u)/4.0) - 1.0)",
            "bm = 0.28*(u - 40.0)/(exp((u - 40.0)/5.0) - 1.0)",
            "ah = 0.128*exp((17.0 - u)/18.0)",
            "bh = 4.0/(1.0 + exp((40.0 - u)/5.0))",
            "an = 0.032*(15.0 - u)/(exp((15.0 - u)/5.0) - 1.0)",
            "bn = 0.5*exp((10.0 - u)/40.0)",
            ann.Variable(
                "Cm*dv/dt = gl*(El - v) + g_exc*(Ee - v) + g_inh*(Ei - v)"
                " - gna*m*m*m*h*(v - ENa) - gkd*n*n*n*n*(v - EK)",
                method="exponential",
                init=-65.0,
            ),
            ann.Variable("dm/dt = am*(1.0 - m) - bm*m", method="exponential"),
            ann.Variable("dn/dt = an*(1.0 - n) - bn*n", method="exponential"),
            ann.Variable("dh/dt = ah*(1.0 - h) - bh*h", method="exponential"),
            ann.Variable("taue*dg_exc/dt = -g_exc", method="exponential"),
            ann.Variable("taui*dg_inh/dt = -g_inh", method="exponential"),
        ],
        # A refractory cell would rest altogether, in the middle of its spike: crossings count instead.
        spike="(v > -20.0) and (before <= -20.0)",
        reset="",
    )
    cells = net.create(4000, cell)
    net.connect(cells[:3200], cells, "exc").fixed_probability(0.02, weights=6.0)
    net.connect(cells[3200:], cells, "inh").fixed_probability(0.02, weights=67.0)

    def start():
        draw = np.random.default_rng(SEED).normal
        cells.v = draw(-65.0, 5.0, 4000)
        cells.g_exc = draw(40.0, 15.0, 4000)
        cells.g_inh = draw(200.0, 120.0, 4000)

    return _finish(net, phases, seconds, folder, start, cells=cells)


def _stdp(most, d_pre, d_post):
    return ann.Synapse(
        parameters=dict(taupre=20.0, taupost=20.0, most=most, dpre=d_pre, dpost=d_post / FIRST_LAG),
        equations=[
            ann.Variable("taupre*dApre/dt = -Apre", method="event-driven"),
            ann.Variable("taupost*dApost/dt = -Apost", method="event-driven"),
        ],
        # What is delivered is computed first, whatever the order of the lines.
        pre_spike="g_target += clip(w + Apost, 0.0, most)\nApre += dpre\nw = clip(w + Apost, 0.0, most)",
        post_spike="Apost += dpost\nw = clip(w + Apre, 0.0, most)",
    )


def _learning(phases, seconds, folder, synapse, learning=()):
    """1000 inputs of 15 Hz onto 100 cells; `learning` are further equations of the cells."""
    own = dict(taud=200.0, tauc=1000.0) if learning else {}
    net = _network()
    inputs = net.create(ann.PoissonPopulation(geometry=1000, rates=15.0))
    cell = ann.Neuron(
        parameters=dict(taum=10.0, taue=5.0, Ee=0.0, Vt=-54.0, Vr=-60.0, El=-74.0) | own,
        equations=[
            ann.Variable("taum*dv/dt = g_exc*(Ee - v) + El - v", init=-70.0),
            ann.Variable("taue*dg_exc/dt = -g_exc"),
            *learning,
        ],
        spike="v > Vt",
        reset="v = Vr",
    )
    cells = net.create(100, cell)
    net.connect(inputs, cells, "exc", synapse).all_to_all(weights=ann.Uniform(0.0, 0.01))
    if learning:
        rewards = net.create(ann.SpikeSourceArray([[1000.0 * k + 500.0 for k in range(100)]]))
        net.connect(rewards, cells, "da").all_to_all(weights=0.5)
    return _finish(net, phases, seconds, folder, cells=cells, inputs=inputs)


def stdp_ff(phases, seconds, folder, change=None):
    return _learning(phases, seconds, folder, _stdp(0.01, 0.0001, -0.000105))


def dopamine(phases, seconds, folder, change=None):
    """STDP-ff with eligibility traces of 1 s and a reward in the middle of every second.

    Event-driven, as in `networks.dopamine`: the cells integrate u (d + 0.1), u being the decay of traces
    since the start, and c counts in units of that decay.
    """
    synapse = ann.Synapse(
        parameters=dict(taupre=20.0, taupost=20.0, most=0.01, dpre=0.0001, eta=0.001)
        | {"dpost": -0.000105 / FIRST_LAG},
        equations=[
            ann.Variable("taupre*dApre/dt = -Apre", method="event-driven"),
            ann.Variable("taupost*dApost/dt = -Apost", method="event-driven"),
            ann.Variable("c = c", init=0.0),
            ann.Variable("seen = seen", init=0.0),
        ],
        pre_spike="""
            g_target += clip(w + eta*c*(post.F - seen), 0.0, most)
            w = clip(w + eta*c*(post.F - seen), 0.0, most)
            seen = post.F
            Apre += dpre
            c += Apost/post.u
        """,
        post_spike="""
            w = clip(w + eta*c*(post.F - seen), 0.0, most)
            seen = post.F
            Apost += dpost
            c += Apre/post.u
        """,
    )
    learning = [
        ann.Variable("taud*dg_da/dt = -g_da", method="exponential"),
        ann.Variable("dF/dt = u*(g_da + 0.1)"),
        ann.Variable("du/dt = -u/tauc", method="exponential", init=1.0),
    ]
    return _learning(phases, seconds, folder, synapse, learning)


def stdp_rec(phases, seconds, folder, change=None):
    net = _network()
    cell = _cell(El=-60.0, refractory=2.0, change=change, driven=True)
    exc, inh = net.create(2000, cell), net.create(500, cell)
    plastic = _stdp(1.0, 0.01, -0.0105)
    connections = [
        (exc, exc, "exc", plastic, ann.Uniform(0.0, 0.4)),
        (exc, inh, "exc", None, 0.5),
        (inh, exc, "inh", None, -4.0),
        (inh, inh, "inh", None, -4.0),
    ]
    for pre, post, target, synapse, weights in connections:
        # In Brian2 and NEST as drawn here, a cell may reach itself.
        net.connect(pre, post, target, synapse).fixed_probability(
            0.1, weights=weights, delays=1.5, allow_self_connections=True
        )

    def start():
        random = np.random.default_rng(SEED)
        exc.v, inh.v = random.uniform(-60.0, -50.0, 2000), random.uniform(-60.0, -50.0, 500)

    return _finish(net, phases, seconds, folder, start, exc=exc, inh=inh)


def liquid(phases, seconds, folder, change=None):
    """Trials one after the other; cells and synapses are set back in between."""
    net = _network()
    v, synapses = column.draw()
    cell = ann.Neuron(
        parameters=dict(taum=30.0, taue=3.0, taui=6.0, Ib=13.5, Vt=15.0, Vr=13.5)
        | dict(rest=ann.Parameter(3.0, locality="local")),
        equations=[
            ann.Variable("taum*dv/dt = Ib + g_exc + g_inh - v", method="exponential"),
            ann.Variable("taue*dg_exc/dt = -g_exc", method="exponential"),
            ann.Variable("taui*dg_inh/dt = -g_inh", method="exponential"),
        ],
        spike="v > Vt",
        reset="v = Vr",
        refractory="rest",
    )
    cells = net.create(column.N, cell)
    each = {name: ann.Parameter(1.0, locality="local") for name in ("U", "tau_rec", "tau_facil")}
    dynamic = ann.Synapse(
        parameters=each,
        equations=[
            ann.Variable("dx/dt = (1 - x)/tau_rec", init=1.0, method="event-driven"),
            ann.Variable("du/dt = (U - u)/tau_facil", init=0.5, method="event-driven"),
        ],
        # The same as in the other simulators, with u as it will be at the next spike.
        pre_spike="g_target += w*u*x\nx *= 1.0 - u\nu += U*(1.0 - u)",
    )
    side = {"e": cells[: column.N_EXC], "i": cells[column.N_EXC :]}
    projections = {}
    for kind, (*_, delay) in column.KINDS.items():
        s, shape = synapses[kind], (side[kind[0]].size, side[kind[1]].size)
        projection = net.connect(side[kind[0]], side[kind[1]], "exc" if kind[0] == "e" else "inh", dynamic)
        weights = csc_matrix((s["w"], (s["i"], s["j"])), shape)
        projections[kind] = projection.from_sparse(weights, delays=delay)
    length = 1000 * column.TRIAL
    inputs = column.inputs(round(seconds / column.TRIAL))
    source = net.create(
        ann.SpikeSourceArray([np.concatenate([length * k + t for k, t in enumerate(inputs)]).tolist()])
    )
    for name, w in column.INPUT.items():
        net.connect(source, side[name], "exc").all_to_all(weights=w)
    monitor = net.monitor(cells, ["spike"])
    _compile(net, phases, folder)
    cells.rest = np.where(np.arange(column.N) < column.N_EXC, 3.0, 2.0)
    for kind, projection in projections.items():
        s = synapses[kind]
        for name, values in (("U", s["U"]), ("tau_rec", s["D"]), ("tau_facil", s["F"])):
            columns = [values[s["j"] == j].tolist() for j in range(side[kind[1]].size)]
            setattr(projection, name, [values for values in columns if values])
    phases.done("initial values")
    with phases.loop():
        for _ in inputs:
            cells.v, cells.g_exc, cells.g_inh = v, 0.0, 0.0
            for projection in projections.values():
                projection.x, projection.u = 1.0, projection.U
            net.simulate(length)
    return _read(phases, {"cells": monitor}, {"cells": cells})


NETWORKS = {
    "CUBA": cuba,
    "COBA": coba,
    "STDP-ff": stdp_ff,
    "STDP-rec": stdp_rec,
    "dopamine": dopamine,
    "liquid": liquid,
}
