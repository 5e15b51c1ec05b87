"""The cerebellum in its loop with the eye, written by hand as a Brian2 script.

The same model as `experiments.reflex.loop()` (equations, sources and numbers: `circuits.cerebellum` and
`plasticity.cerebellar`): 100 mossy fibres, 2000 granule cells, 20 interneurons, Purkinje cells, nuclear cells
and climbing fibres each, the eye and what is seen of it 100 ms later; three kinds of plastic synapses.
"""

from math import atan, comb, cos, exp, sin

import numpy as np
from brian2 import (
    Network,
    NeuronGroup,
    SpikeMonitor,
    Synapses,
    defaultclock,
    linked_var,
    ms,
    mV,
    nA,
    nS,
    pF,
)

HALF = 10  # cells of a channel: agonist, antagonist
SIDES = np.where(np.arange(2 * HALF) < HALF, 1.0, -1.0)
HEAD = "0.9*sin(2*pi*(t - {delay})/second)"


def kernel(peak=100.0, exponent=20, dt=1.0):
    """(states, code of a step, of a spike, K) of exp(-s/tau) sin(s/tau)^20: a decay and ten oscillations."""
    tau, norm = peak / atan(exponent), exp(-atan(exponent)) * sin(atan(exponent)) ** exponent
    half, decay = exponent // 2, exp(-dt / tau)
    terms = [
        (-1) ** k * (2 - (k == 0)) * comb(exponent, half - k) / 2**exponent / norm for k in range(half + 1)
    ]
    step = [f"c0 *= {decay!r}"]
    for k in range(1, half + 1):
        a, b = decay * cos(2 * k * dt / tau), decay * sin(2 * k * dt / tau)
        step += [f"turned = {a!r}*c{k} - {b!r}*s{k}", f"s{k} = {b!r}*c{k} + {a!r}*s{k}", f"c{k} = turned"]
    states = ["c0", *(f"{letter}{k}" for k in range(1, half + 1) for letter in "cs")]
    total = " + ".join(f"({term!r})*c{k}" for k, term in enumerate(terms))
    spike = [f"c{k} += 1" for k in range(half + 1)]
    return "\n".join(f"{name} : 1" for name in states), "\n".join(step), "\n".join(spike), total


def group(n, equations, numbers, **more):
    options = dict(threshold="v > V_t", reset="v = E_L", refractory="t_ref", method="exponential_euler")
    made = NeuronGroup(n, equations, namespace=numbers, **{**options, **more})
    made.v = "E_L + rand()*(V_t - E_L)"
    return made


def connect(source, target, on_pre, model="", where=None, **more):
    made = Synapses(source, target, model, on_pre=on_pre, **more)
    made.connect(where)
    return made


def cerebellum(change=None):
    defaultclock.dt = 1 * ms
    same = f"(i < {HALF}) == (j < {HALF})"

    mossy = NeuronGroup(
        100,
        f"""rate = 160*Hz*exp(-({HEAD.format(delay="0*second")} - preferred)**2/(2*0.1**2)) : Hz
            preferred : 1 (constant)
            m0 : 1
            m1 : 1
            m2 : 1""",
        threshold="rand() < rate*dt",
        reset="m0 += 1\nm1 += 1",
    )
    mossy.preferred = np.linspace(-1.2, 1.2, 100)
    a, b, fall = exp(-1 / 5) * cos(np.pi / 5), exp(-1 / 5) * sin(np.pi / 5), exp(-1 / 5)
    turn = f"""{{x}}0 *= {fall!r}
               turned = {a!r}*{{x}}1 - {b!r}*{{x}}2
               {{x}}2 = {b!r}*{{x}}1 + {a!r}*{{x}}2
               {{x}}1 = turned"""
    mossy.run_regularly(turn.format(x="m"))

    states, step, spike, K = kernel()
    granule = NeuronGroup(
        2000,
        f"{states}\nK = {K} : 1\nfirst : second (constant)",
        threshold="timestep(t, dt) % 1000 == timestep(first, dt)",
        reset=spike,
    )
    granule.first = np.floor(np.arange(2000) / 4) * 2 * ms
    granule.run_regularly(step)

    interneuron = group(
        2 * HALF,
        """dv/dt = (g_L*(E_L - v) - g*v)/C_m : volt (unless refractory)
           dg/dt = -g/(2*ms) : siemens""",
        dict(C_m=20 * pF, g_L=1 * nS, E_L=-65 * mV, V_t=-50 * mV, t_ref=2 * ms),
    )
    purkinje = group(
        2 * HALF,
        """dv/dt = (g_L*(E_L - v) - (g_pf + g_cf)*v + g_in*(E_i - v)
                    + g*(E_K - v))/C_m : volt (unless refractory)
           dg_pf/dt = -g_pf/(4*ms) : siemens
           dg_cf/dt = -g_cf/(2*ms) : siemens
           dg_in/dt = -g_in/(10*ms) : siemens
           dg/dt = -g/(20*ms) : siemens
           climbing : 1
           climbed = climbing : 1 (constant over dt)""",
        dict(C_m=400 * pF, g_L=16 * nS, E_L=-70 * mV, V_t=-52 * mV, t_ref=2 * ms, E_i=-80 * mV, E_K=-95 * mV),
        events={"complex": "climbed > 0.5"},
    )
    purkinje.run_on_event("complex", "g = 8*nS\nclimbing -= climbed")
    nuclei = group(
        2 * HALF,
        """dv/dt = (g_L*(E_L - v) + I_0 - g_mf*v + g_pc*(E_i - v))/C_m : volt (unless refractory)
           dg_mf/dt = -g_mf/(5*ms) : siemens
           dg_pc/dt = -g_pc/(10*ms) : siemens
           I_0 : amp (constant)
           arriving : 1
           arrived = arriving : 1 (constant over dt)
           p0 : 1
           p1 : 1
           p2 : 1""",
        dict(C_m=150 * pF, g_L=5 * nS, E_L=-70 * mV, V_t=-40 * mV, t_ref=2 * ms, E_i=-80 * mV),
        events={"inhibited": "arrived > 1e-6"},
    )
    nuclei.I_0 = 0.87 * nA * np.tile(np.linspace(0.8, 1.2, HALF), 2)
    nuclei.run_on_event("inhibited", "arriving -= arrived\np0 += arrived\np1 += arrived")
    nuclei.run_regularly(turn.format(x="p"))

    plant = NeuronGroup(1, "dx/dt = -x/(60*ms) : 1\ndfelt/dt = -felt/(60*ms) : 1", method="exact")
    olive = NeuronGroup(
        2 * HALF,
        f"""error = {HEAD.format(delay="100*ms")} - felt/60 : 1
            felt : 1 (linked)
            side : 1 (constant)
            dx/dt = -x/(30*ms) : 1
            ds/dt = (x/30 - s)/(70*ms) : 1
            u = side*error + 0.5 - 0.18*s : 1
            i_cf = 0.15 + 0.85/(1 + exp(4 - 10*u)) : 1
            more = int(i_cf > 0.75) + int(i_cf > 0.85) + int(i_cf >= 0.95) : 1
            chance = rand() : 1 (constant over dt)
            dwait/dt = -1 : second
            left : 1""",
        threshold="wait < 0.5*dt and (left > 0.5 or chance < 25*Hz*i_cf*dt)",
        reset="""left = int(left > 0.5)*(left - 1) + int(left <= 0.5)*more
                 wait = int(left > 0.5)*2*ms + int(left <= 0.5)/(25*Hz)""",
        method="euler",
    )
    olive.side, olive.felt = SIDES, linked_var(plant, "felt")

    parallel = connect(
        granule,
        purkinje,
        "g_pf += w\nw = clip(w + 0.00165*nS, 0*nS, 3.7*nS)",
        "w : siemens",
        on_post="w = clip(w - 0.0035*nS*K_pre, 0*nS, 3.7*nS)",
        on_event={"post": "complex"},
    )
    parallel.w = 3.45 * nS
    mossy_nuclei = connect(
        mossy,
        nuclei,
        "g_mf += 0.06*w\nw = clip(w + 0.000625*nS - 0.00025*nS*(p0_post + p1_post)/2, 0*nS, 10*nS)",
        "w : siemens",
        on_post="w = clip(w - 0.00025*nS*arrived_post*(m0_pre + m1_pre)/2, 0*nS, 10*nS)",
        on_event={"post": "inhibited"},
    )
    purkinje_nuclei = connect(
        purkinje,
        nuclei,
        """g_pc += w
           arriving += 1
           w = clip(w - 0.00015*nS*apost*w/(2.6*nS), 0*nS, 2.6*nS)
           apre += 1""",
        """w : siemens
           dapre/dt = -apre/(5*ms) : 1 (event-driven)
           dapost/dt = -apost/(5*ms) : 1 (event-driven)""",
        same,
        on_post="w = clip(w + 0.0005*nS*apre*(2.6*nS - w)/(2.6*nS), 0*nS, 2.6*nS)\napost += 1",
    )
    purkinje_nuclei.w = 2 * nS
    fixed = [
        connect(granule, interneuron, "g += 0.3*nS"),
        connect(interneuron, purkinje, "g_in += 1.05*nS"),
        connect(olive, purkinje, "g_cf += 17*nS\nclimbing += 1", where="i == j"),
        connect(nuclei, olive, "x_post += 1", where=same),
    ]
    pull = connect(nuclei, plant, "x_post += direction", "direction : 1 (constant)")
    feel = connect(nuclei, plant, "felt_post += direction", "direction : 1 (constant)", delay=100 * ms)
    pull.direction = feel.direction = SIDES
    monitors = {
        "purkinje": SpikeMonitor(purkinje),
        "nuclei": SpikeMonitor(nuclei),
        "olive": SpikeMonitor(olive),
    }
    groups = [mossy, granule, interneuron, purkinje, nuclei, plant, olive]
    plastic = [parallel, mossy_nuclei, purkinje_nuclei]
    return Network(*groups, *plastic, *fixed, pull, feel, *monitors.values()), monitors
