"""The networks of the benchmark as circuits of this project.

Each function returns a circuit. `change` is None, "number" (a weight is another) or "equation" (the membrane
has another equation).
"""

import dataclasses

import liquid as column
import numpy as np
from brian2 import Hz, ms, mV, nS, pF, second, uS

from circuits import (
    Cell,
    Circuit,
    poisson,
    population,
    projection,
    signal,
    spike_trains,
    spikes,
    synapses,
    wiring,
)
from plasticity import compose, hard, neuromodulation, stdp

EXPONENTIAL_CURRENTS = """
dv/dt = (ge + gi - (v - El))/taum : volt (unless refractory)
dge/dt = -ge/taue : volt
dgi/dt = -gi/taui : volt
"""


def _changed(equations, change):
    """The equations with another membrane time constant, or capacitance, written into them."""
    if change != "equation":
        return equations
    return equations.replace("/taum : volt", "/(2*taum) : volt").replace("/Cm : volt", "/(2*Cm) : volt")


def cuba(change=None):
    cell = Cell(
        "leaky",
        _changed(EXPONENTIAL_CURRENTS, change),
        params=dict(taum=20 * ms, taue=5 * ms, taui=10 * ms, Vt=-50 * mV, Vr=-60 * mV, El=-49 * mV)
        | dict(rest=5 * ms),
        threshold="v > Vt",
        reset="v = Vr",
        refractory="rest",
        method="exact",
        init={"v": "Vr + rand()*(Vt - Vr)"},
    )
    we = (1.7 if change == "number" else 1.62) * mV
    return Circuit(
        cells=population(cell, 4000),
        exc=projection("cells[:3200]", "cells", synapses.delta("ge", we), wiring.probability(0.02)),
        inh=projection("cells[3200:]", "cells", synapses.delta("gi", -9 * mV), wiring.probability(0.02)),
        record=[spikes("cells")],
        dt=0.1 * ms,
    )


def coba(change=None):
    equations = """
        dv/dt = (gl*(El - v) + ge*(Ee - v) + gi*(Ei - v)
                 - g_na*(m*m*m)*h*(v - ENa) - g_kd*(n*n*n*n)*(v - EK))/Cm : volt
        dm/dt = alpha_m*(1 - m) - beta_m*m : 1
        dn/dt = alpha_n*(1 - n) - beta_n*n : 1
        dh/dt = alpha_h*(1 - h) - beta_h*h : 1
        dge/dt = -ge*(1./taue) : siemens
        dgi/dt = -gi*(1./taui) : siemens
        alpha_m = 0.32*(mV**-1)*4*mV/exprel((13*mV - v + VT)/(4*mV))/ms : Hz
        beta_m = 0.28*(mV**-1)*5*mV/exprel((v - VT - 40*mV)/(5*mV))/ms : Hz
        alpha_h = 0.128*exp((17*mV - v + VT)/(18*mV))/ms : Hz
        beta_h = 4./(1 + exp((40*mV - v + VT)/(5*mV)))/ms : Hz
        alpha_n = 0.032*(mV**-1)*5*mV/exprel((15*mV - v + VT)/(5*mV))/ms : Hz
        beta_n = .5*exp((10*mV - v + VT)/(40*mV))/ms : Hz
        """
    numbers = dict(Cm=200 * pF, gl=10 * nS, g_na=20 * uS, g_kd=6 * uS, taue=5 * ms, taui=10 * ms)
    numbers |= dict(El=-60 * mV, EK=-90 * mV, ENa=50 * mV, VT=-63 * mV, Ee=0 * mV, Ei=-80 * mV, rest=3 * ms)
    cell = Cell(
        "Hodgkin-Huxley",
        _changed(equations, change),
        params=numbers,
        threshold="v > -20*mV",
        refractory="rest",
        method="exponential_euler",
        init={
            "v": "El + (randn()*5 - 5)*mV",
            "ge": "(randn()*1.5 + 4)*10*nS",
            "gi": "(randn()*12 + 20)*10*nS",
        },
    )
    return Circuit(
        cells=population(cell, 4000),
        exc=projection("cells[:3200]", "cells", synapses.delta("ge", 6 * nS), wiring.probability(0.02)),
        inh=projection("cells[3200:]", "cells", synapses.delta("gi", 67 * nS), wiring.probability(0.02)),
        record=[spikes("cells")],
        dt=0.1 * ms,
    )


def _changed_first(synapse):
    """A presynaptic spike changes the weight and then delivers it, as in NEST."""
    change, trace = synapse.after.split("\n")
    return dataclasses.replace(synapse, before=change, after=trace)


def _learning(*rules, change=None, **more):
    """1000 inputs of 15 Hz onto 100 cells, additive STDP."""
    cell = Cell(
        "leaky",
        _changed(
            """dv/dt = (ge*(Ee - v) + El - v)/taum : volt
               dge/dt = -ge/taue : 1""",
            change,
        ),
        params=dict(taum=10 * ms, taue=5 * ms, Ee=0 * mV, Vt=-54 * mV, Vr=-60 * mV, El=-74 * mV),
        threshold="v > Vt",
        reset="v = Vr",
        method="euler",
        init={"v": -70 * mV},
    )
    plastic = compose(
        stdp.pair(A_plus=0.0001, A_minus=0.000105),
        *rules,
        synapse=synapses.delta("ge", "rand()*w_max"),
        bounds=hard(0, 0.01),
    )
    plastic = plastic if rules else _changed_first(plastic)
    return Circuit(
        inputs=poisson(1000, 15 * Hz),
        cells=population(cell, 100),
        plastic=projection("inputs", "cells", plastic, wiring.all_to_all()),
        record=[spikes("cells"), spikes("inputs")],
        dt=0.1 * ms,
        **more,
    )


def stdp_ff(change=None):
    return _learning(change=change)


def dopamine(change=None):
    """STDP-ff with eligibility traces of 1 s and a reward in the middle of every second."""
    rewards = [k + 0.5 for k in range(100)]
    return _learning(
        neuromodulation.eligibility(tau_c=1 * second, tau_d=200 * ms, eta=1 * Hz, tonic=0.1),
        change=change,
        rewards=spike_trains(1, [0] * len(rewards), rewards * second),
        dopamine=population(neuromodulation.dopamine(tau_d=200 * ms), 1),
        da=signal("dopamine.d", "cells"),
        reward=projection("rewards", "dopamine", synapses.delta("d", 0.5), wiring.all_to_all()),
    )


def stdp_rec(change=None):
    """2000 excitatory cells with plasticity on 10 % of their pairs, 500 inhibitory, all delays 1.5 ms.

    In every step a cell gets as many spikes as 4000 a second bring by chance.
    """
    cell = Cell(
        "leaky, driven",
        _changed(EXPONENTIAL_CURRENTS, change),
        params=dict(taum=20 * ms, taue=5 * ms, taui=10 * ms, Vt=-50 * mV, Vr=-60 * mV, El=-60 * mV)
        | dict(rest=2 * ms, drive=4000 * Hz, jump=0.7 * mV),
        threshold="v > Vt",
        reset="v = Vr",
        refractory="rest",
        method="exact",
        init={"v": "Vr + rand()*(Vt - Vr)"},
        events={"driven": ("drive > 0*Hz", "ge += jump*poisson(drive*dt)")},
    )
    plastic = compose(
        stdp.pair(A_plus=0.01 * mV, A_minus=0.0105 * mV),
        synapse=synapses.delta("ge", "rand()*0.4*mV"),
        bounds=hard(0 * mV, 1 * mV),
    )
    plastic = _changed_first(plastic)
    fixed = {
        "ei": synapses.delta("ge", 0.5 * mV),
        "ie": synapses.delta("gi", -4 * mV),
        "ii": synapses.delta("gi", -4 * mV),
    }
    side = {"e": "exc", "i": "inh"}
    return Circuit(
        exc=population(cell, 2000),
        inh=population(cell, 500),
        ee=projection("exc", "exc", plastic, wiring.probability(0.1), delay=1.5 * ms),
        **{
            name: projection(side[name[0]], side[name[1]], synapse, wiring.probability(0.1), delay=1.5 * ms)
            for name, synapse in fixed.items()
        },
        record=[spikes("exc"), spikes("inh")],
        dt=0.1 * ms,
    )


def liquid(change=None):
    """The circuit of one trial; `trials` are the numbers of many. nA stand for mV (the cells have 1 MOhm)."""
    start, drawn = column.draw()
    cell = Cell(
        "liquid",
        _changed(
            """dv/dt = (Ib + Ie + Ii - v)/taum : volt (unless refractory)
               dIe/dt = -Ie/taue : volt
               dIi/dt = -Ii/taui : volt""",
            change,
        ),
        params=dict(taum=30 * ms, taue=3 * ms, taui=6 * ms, Ib=13.5 * mV, Vt=15 * mV, Vr=13.5 * mV)
        | dict(rest=np.where(np.arange(column.N) < column.N_EXC, 3, 2) * ms),
        threshold="v > Vt",
        reset="v = Vr",
        refractory="rest",
        method="exact",
        init={"v": start * mV},
    )
    side = {"e": f"cells[:{column.N_EXC}]", "i": f"cells[{column.N_EXC}:]"}
    recurrent = {}
    for kind, (*_, delay) in column.KINDS.items():
        numbers = drawn[kind]
        synapse = synapses.tsodyks_markram(
            synapses.delta(f"I{kind[0]}", numbers["w"] * mV),
            U=numbers["U"],
            tau_rec=numbers["D"] * ms,
            tau_facil=numbers["F"] * ms,
        )
        pairs = wiring.pairs(numbers["i"], numbers["j"])
        recurrent[kind] = projection(side[kind[0]], side[kind[1]], synapse, pairs, delay=delay * ms)
    return Circuit(
        input=spike_trains(1),
        cells=population(cell, column.N),
        **recurrent,
        **{
            f"to_{name}": projection("input", side[name], synapses.delta("Ie", w * mV), wiring.all_to_all())
            for name, w in column.INPUT.items()
        },
        record=[spikes("cells")],
        dt=0.1 * ms,
    )


def cerebellum(change=None):
    """The loop of the vestibulo-ocular reflex with its three kinds of plastic synapses."""
    from experiments import reflex  # with pandas, which no other network needs

    recorders = [spikes(name) for name in ("purkinje", "nuclei", "olive")]
    return reflex.loop().with_(record=recorders)


def trials(seconds):
    """The numbers of the trials of the liquid."""
    inputs = column.inputs(round(seconds / column.TRIAL))
    return [{"input.i": np.zeros(len(t), int), "input.t": t * ms} for t in inputs]


NETWORKS = {
    "CUBA": cuba,
    "COBA": coba,
    "STDP-ff": stdp_ff,
    "STDP-rec": stdp_rec,
    "dopamine": dopamine,
    "liquid": liquid,
    "cerebellum": cerebellum,
}
