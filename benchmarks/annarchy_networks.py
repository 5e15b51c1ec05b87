"""The networks of `networks` in ANNarchy 5, one thread, double precision. Times in ms, potentials in mV."""

from pathlib import Path

import ANNarchy as ann
import numpy as np

EXPONENTIAL_CURRENTS = [
    ann.Variable("taum*dv/dt = g_exc + g_inh - (v - El)", method="exponential", init=-60.0),
    ann.Variable("taue*dg_exc/dt = -g_exc", method="exponential"),
    ann.Variable("taui*dg_inh/dt = -g_inh", method="exponential"),
]


def _cell(El, refractory, drive=()):
    values = dict(taum=20.0, taue=5.0, taui=10.0, Vt=-50.0, Vr=-60.0, El=El)
    return ann.Neuron(
        parameters=values,
        equations=[*drive, *EXPONENTIAL_CURRENTS],
        spike="v > Vt",
        reset="v = Vr",
        refractory=refractory,
    )


def _network():
    return ann.Network(dt=0.1, seed=1)


def _finish(net, phases, seconds, folder, populations, start=lambda: None):
    """Compiles, records, simulates and reads; returns the number of spikes."""
    monitors = [net.monitor(population, ["spike"]) for population in populations]
    phases.done("generation")
    net.compile(directory=str(Path(folder) / "annarchy"), clean=True, silent=True)
    phases.done("compilation")
    start()
    phases.done("initial values")
    net.simulate(seconds * 1000)
    phases.done("loop")
    spikes = sum(len(times) for monitor in monitors for times in monitor.get("spike").values())
    phases.done("reading")
    return spikes


def cuba(phases, seconds, folder):
    net = _network()
    cells = net.create(4000, _cell(El=-49.0, refractory=5.0))
    net.connect(cells[:3200], cells, "exc").fixed_probability(0.02, weights=1.62)
    net.connect(cells[3200:], cells, "inh").fixed_probability(0.02, weights=-9.0)

    def start():
        cells.v = np.random.default_rng(1).uniform(-60.0, -50.0, 4000)

    return _finish(net, phases, seconds, folder, [cells], start)


def coba(phases, seconds, folder):
    net = _network()
    values = dict(Cm=200.0, gl=10.0, gna=20000.0, gkd=6000.0, El=-60.0, EK=-90.0, ENa=50.0, VT=-63.0)
    values |= dict(Ee=0.0, Ei=-80.0, taue=5.0, taui=10.0)
    cell = ann.Neuron(
        parameters=values,
        equations=[
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
        spike="v > -20.0",
        reset="",
        refractory=3.0,
    )
    cells = net.create(4000, cell)
    net.connect(cells[:3200], cells, "exc").fixed_probability(0.02, weights=6.0)
    net.connect(cells[3200:], cells, "inh").fixed_probability(0.02, weights=67.0)

    def start():
        draw = np.random.default_rng(1).normal
        cells.v = draw(-65.0, 5.0, 4000)
        cells.g_exc = draw(40.0, 15.0, 4000)
        cells.g_inh = draw(200.0, 120.0, 4000)

    return _finish(net, phases, seconds, folder, [cells], start)


def _stdp(most, d_pre, d_post):
    return ann.Synapse(
        parameters=dict(taupre=20.0, taupost=20.0, most=most, dpre=d_pre, dpost=d_post),
        equations=[
            ann.Variable("taupre*dApre/dt = -Apre", method="event-driven"),
            ann.Variable("taupost*dApost/dt = -Apost", method="event-driven"),
        ],
        pre_spike="g_target += w\nApre += dpre\nw = clip(w + Apost, 0.0, most)",
        post_spike="Apost += dpost\nw = clip(w + Apre, 0.0, most)",
    )


def stdp_ff(phases, seconds, folder):
    net = _network()
    inputs = net.create(ann.PoissonPopulation(geometry=1000, rates=15.0))
    cell = ann.Neuron(
        parameters=dict(taum=10.0, taue=5.0, Ee=0.0, Vt=-54.0, Vr=-60.0, El=-74.0),
        equations=[
            ann.Variable("taum*dv/dt = g_exc*(Ee - v) + El - v", init=-70.0),
            ann.Variable("taue*dg_exc/dt = -g_exc"),
        ],
        spike="v > Vt",
        reset="v = Vr",
    )
    cells = net.create(100, cell)
    synapse = _stdp(0.01, 0.0001, -0.000105)
    net.connect(inputs, cells, "exc", synapse).all_to_all(weights=ann.Uniform(0.0, 0.01))
    return _finish(net, phases, seconds, folder, [cells, inputs])


NETWORKS = {"CUBA": cuba, "COBA": coba, "STDP-ff": stdp_ff}
