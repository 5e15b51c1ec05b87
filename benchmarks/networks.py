"""The networks of the benchmark as plain Brian2, for its own standalone device and for ours.

Each function returns the network and its spike monitors by population. `change` is None, "number" (a weight
is another) or "equation" (the membrane has another equation).
"""

import liquid as column
import numpy as np
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    SpikeGeneratorGroup,
    SpikeMonitor,
    Synapses,
    ms,
    mV,
    nS,
    pF,
    second,
    uS,
)
from cerebellum_brian2 import cerebellum


def edit(equations, change):
    """The equations with another membrane time constant, or capacitance, written into them."""
    if change != "equation":
        return equations
    return equations.replace("/taum : volt", "/(2*taum) : volt").replace("/Cm : volt", "/(2*Cm) : volt")


EXPONENTIAL_CURRENTS = """
dv/dt = (ge + gi - (v - El))/taum : volt (unless refractory)
dge/dt = -ge/taue : volt
dgi/dt = -gi/taui : volt
"""


def cuba(change=None):
    """Vogels & Abbott's current-based network as in Brette et al. 2007, benchmark 2: 4000 cells, 2 %."""
    names = dict(taum=20 * ms, taue=5 * ms, taui=10 * ms, Vt=-50 * mV, Vr=-60 * mV, El=-49 * mV)
    names |= dict(we=(1.7 if change == "number" else 1.62) * mV, wi=-9 * mV)
    cells = NeuronGroup(
        4000,
        edit(EXPONENTIAL_CURRENTS, change),
        threshold="v > Vt",
        reset="v = Vr",
        refractory=5 * ms,
        method="exact",
        namespace=names,
    )
    cells.v = "Vr + rand()*(Vt - Vr)"
    exc = Synapses(cells[:3200], cells, on_pre="ge += we", namespace=names)
    inh = Synapses(cells[3200:], cells, on_pre="gi += wi", namespace=names)
    exc.connect(p=0.02)
    inh.connect(p=0.02)
    spikes = SpikeMonitor(cells)
    return Network(cells, exc, inh, spikes), {"cells": spikes}


def coba(change=None):
    """Conductance-based Hodgkin-Huxley cells (Traub & Miles) as in Brette et al. 2007, benchmark 3."""
    names = dict(Cm=200 * pF, gl=10 * nS, g_na=20 * uS, g_kd=6 * uS, taue=5 * ms, taui=10 * ms)
    names |= dict(El=-60 * mV, EK=-90 * mV, ENa=50 * mV, VT=-63 * mV, Ee=0 * mV, Ei=-80 * mV)
    names |= dict(we=6 * nS, wi=67 * nS, mV=mV, ms=ms)
    equations = edit(
        """
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
        """,
        change,
    )
    cells = NeuronGroup(
        4000,
        equations,
        threshold="v > -20*mV",
        refractory=3 * ms,
        method="exponential_euler",
        namespace=names,
    )
    exc = Synapses(cells[:3200], cells, on_pre="ge += we", namespace=names)
    inh = Synapses(cells[3200:], cells, on_pre="gi += wi", namespace=names)
    exc.connect(p=0.02)
    inh.connect(p=0.02)
    cells.v = "El + (randn()*5 - 5)*mV"
    cells.ge = "(randn()*1.5 + 4)*10.*nS"
    cells.gi = "(randn()*12 + 20)*10.*nS"
    spikes = SpikeMonitor(cells)
    return Network(cells, exc, inh, spikes), {"cells": spikes}


STDP = """
w : {unit}
dApre/dt = -Apre/taupre : {unit} (event-driven)
dApost/dt = -Apost/taupost : {unit} (event-driven)
"""


def stdp_ff(change=None):
    """Song, Miller & Abbott's plasticity, 1000 Poisson inputs of 15 Hz onto each of 100 cells."""
    names = dict(taum=10 * ms, taue=5 * ms, Ee=0 * mV, Vt=-54 * mV, Vr=-60 * mV, El=-74 * mV)
    names |= dict(taupre=20 * ms, taupost=20 * ms, gmax=0.01, dApre=0.0001, dApost=-0.000105)
    inputs = PoissonGroup(1000, rates=15 * Hz)
    cells = NeuronGroup(
        100,
        edit("dv/dt = (ge*(Ee - v) + El - v)/taum : volt\ndge/dt = -ge/taue : 1", change),
        threshold="v > Vt",
        reset="v = Vr",
        method="euler",
        namespace=names,
    )
    synapses = Synapses(
        inputs,
        cells,
        STDP.format(unit="1"),
        on_pre="Apre += dApre\nw = clip(w + Apost, 0, gmax)\nge += w",
        on_post="Apost += dApost\nw = clip(w + Apre, 0, gmax)",
        namespace=names,
    )
    synapses.connect()
    synapses.w = "rand()*gmax"
    cells.v = -70 * mV
    spikes, input_spikes = SpikeMonitor(cells), SpikeMonitor(inputs)
    monitors = {"cells": spikes, "inputs": input_spikes}
    return Network(inputs, cells, synapses, *monitors.values()), monitors


def dopamine(change=None):
    """STDP-ff with eligibility traces of 1 s and a reward in the middle of every second.

    dc/dt = -c/tauc + what STDP proposes, dw/dt = eta c (d + 0.1), dd/dt = -d/taud + 0.5 per reward.
    Event-driven: the cells integrate F = u (d + 0.1) over time, with u = exp(-t/tauc), and c counts in units
    of u, so that it does not change between spikes and w grows by eta c times the growth of F. (Good for some
    30 tauc, beyond which F would have to start anew.)
    """
    names = dict(taum=10 * ms, taue=5 * ms, Ee=0 * mV, Vt=-54 * mV, Vr=-60 * mV, El=-74 * mV)
    names |= dict(taupre=20 * ms, taupost=20 * ms, gmax=0.01, dApre=0.0001, dApost=-0.000105)
    names |= dict(tauc=1 * second, taud=200 * ms, eta=1 * Hz)
    inputs = PoissonGroup(1000, rates=15 * Hz)
    cells = NeuronGroup(
        100,
        edit(
            """dv/dt = (ge*(Ee - v) + El - v)/taum : volt
               dge/dt = -ge/taue : 1
               dd/dt = -d/taud : 1
               dF/dt = u*(d + 0.1) : second
               du/dt = -u/tauc : 1""",
            change,
        ),
        threshold="v > Vt",
        reset="v = Vr",
        method="euler",
        namespace=names,
    )
    learn = "w = clip(w + eta*c*(F_post - seen), 0, gmax)\nseen = F_post\n"
    synapses = Synapses(
        inputs,
        cells,
        STDP.format(unit="1") + "c : 1\nseen : second",
        on_pre=learn + "ge += w\nApre += dApre\nc += Apost/u_post",
        on_post=learn + "Apost += dApost\nc += Apre/u_post",
        namespace=names,
    )
    synapses.connect()
    synapses.w = "rand()*gmax"
    cells.v, cells.u = -70 * mV, 1
    rewards = SpikeGeneratorGroup(1, np.zeros(100, int), (np.arange(100) + 0.5) * second)
    reward = Synapses(rewards, cells, on_pre="d += 0.5")
    reward.connect()
    monitors = {"cells": SpikeMonitor(cells), "inputs": SpikeMonitor(inputs)}
    return Network(inputs, cells, synapses, rewards, reward, *monitors.values()), monitors


def stdp_rec(change=None):
    """2000 excitatory cells with plasticity on 10 % of their pairs, 500 inhibitory, all delays 1.5 ms."""
    names = dict(taum=20 * ms, taue=5 * ms, taui=10 * ms, Vt=-50 * mV, Vr=-60 * mV, El=-60 * mV)
    names |= dict(wmax=1 * mV, wi=-4 * mV, wei=0.5 * mV, taupre=20 * ms, taupost=20 * ms)
    names |= dict(dApre=0.01 * mV, dApost=-0.0105 * mV)
    exc, inh = (
        NeuronGroup(
            size,
            edit(EXPONENTIAL_CURRENTS, change),
            threshold="v > Vt",
            reset="v = Vr",
            refractory=2 * ms,
            method="exact",
            namespace=names,
        )
        for size in (2000, 500)
    )
    objects = [exc, inh]
    for group in (exc, inh):
        group.v = "Vr + rand()*(Vt - Vr)"
        objects.append(PoissonInput(group, "ge", 1000, 4 * Hz, weight=0.7 * mV))
    plastic = Synapses(
        exc,
        exc,
        STDP.format(unit="volt"),
        on_pre="Apre += dApre\nw = clip(w + Apost, 0*mV, wmax)\nge += w",
        on_post="Apost += dApost\nw = clip(w + Apre, 0*mV, wmax)",
        delay=1.5 * ms,
        namespace=names,
    )
    plastic.connect(p=0.1)
    plastic.w = "rand()*0.4*mV"
    objects.append(plastic)
    for source, target, effect in ((exc, inh, "ge += wei"), (inh, exc, "gi += wi"), (inh, inh, "gi += wi")):
        fixed = Synapses(source, target, on_pre=effect, delay=1.5 * ms, namespace=names)
        fixed.connect(p=0.1)
        objects.append(fixed)
    monitors = {"exc": SpikeMonitor(exc), "inh": SpikeMonitor(inh)}
    return Network(*objects, *monitors.values()), monitors


def scaling(cells, targets):
    """`cells` leaky cells that fire at 10 Hz each, with `targets` synapses per cell that change nothing."""
    group = NeuronGroup(
        cells,
        "dv/dt = (drive - v)/(20*ms) : 1\ndg/dt = -g/(5*ms) : 1\ndrive : 1 (constant)",
        threshold="v > 1",
        reset="v = 0",
        method="exact",
    )
    group.drive = 1 / (1 - 2.718281828459045 ** (-100 / 20))  # reaches the threshold 100 ms after a reset
    group.v = "drive*(1 - exp(-rand()*5))"
    objects = [group]
    if targets:
        synapses = Synapses(group, group, on_pre="g += 1e-9", delay=1.5 * ms)
        synapses.connect(j=f"int(N_post*rand()) for _ in range({targets})")
        objects.append(synapses)
    spikes = SpikeMonitor(group, record=False)
    return Network(*objects, spikes), {"cells": spikes}


def liquid(change=None, seconds=column.TRIAL):
    """Trials one after the other in one run, which compiles once; cells and synapses are set back."""
    start, drawn = column.draw()
    names = dict(taum=30 * ms, taue=3 * ms, taui=6 * ms, Ib=13.5 * mV, Vt=15 * mV, Vr=13.5 * mV)
    cells = NeuronGroup(
        column.N,
        edit(
            """dv/dt = (Ib + Ie + Ii - v)/taum : volt (unless refractory)
               dIe/dt = -Ie/taue : volt
               dIi/dt = -Ii/taui : volt
               rest : second (constant)
               v_start : volt (constant)""",
            change,
        ),
        threshold="v > Vt",
        reset="v = Vr",
        refractory="rest",
        method="exact",
        namespace=names,
    )
    cells.v_start = cells.v = start * mV
    cells.rest = np.where(np.arange(column.N) < column.N_EXC, 3, 2) * ms
    trial = column.TRIAL * second
    cells.run_regularly("v = v_start\nIe = 0*volt\nIi = 0*volt", dt=trial)
    objects = [cells]
    side = {"e": cells[: column.N_EXC], "i": cells[column.N_EXC :]}
    for kind, (*_, delay) in column.KINDS.items():
        numbers = drawn[kind]
        synapses = Synapses(
            side[kind[0]],
            side[kind[1]],
            """dx/dt = (1 - x)/D : 1 (event-driven)
               du/dt = -u/F : 1 (event-driven)
               w : volt (constant)
               U : 1 (constant)
               D : second (constant)
               F : second (constant)""",
            on_pre=f"u += U*(1 - u)\nI{kind[0]} += w*u*x\nx *= 1 - u",
            delay=delay * ms,
        )
        synapses.connect(i=numbers["i"], j=numbers["j"])
        synapses.w, synapses.U = numbers["w"] * mV, numbers["U"]
        synapses.D, synapses.F = numbers["D"] * ms, numbers["F"] * ms
        synapses.x = 1
        synapses.run_regularly("x = 1\nu = 0", dt=trial)
        objects.append(synapses)
    inputs = column.inputs(round(seconds / column.TRIAL))
    times = np.concatenate([1000 * column.TRIAL * k + t for k, t in enumerate(inputs)])
    source = SpikeGeneratorGroup(1, np.zeros(len(times), int), times * ms)
    objects.append(source)
    for name, w in column.INPUT.items():
        static = Synapses(source, side[name], on_pre="Ie += strength", namespace={"strength": w * mV})
        static.connect()
        objects.append(static)
    spikes = SpikeMonitor(cells)
    return Network(*objects, spikes), {"cells": spikes}


NETWORKS = {
    "CUBA": cuba,
    "COBA": coba,
    "STDP-ff": stdp_ff,
    "STDP-rec": stdp_rec,
    "dopamine": dopamine,
    "liquid": liquid,
    "cerebellum": cerebellum,
}
