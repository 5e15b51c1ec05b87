"""The cerebellum as a circuit in a closed loop: mossy fibres, granule cells as a time basis, molecular-layer
interneurons, Purkinje cells, nuclei, climbing fibres, and the eye that they move.

`vestibulo_ocular` makes the loop of the vestibulo-ocular reflex after Luque, Naveros, Carrillo, Ros & Arleo
2019 (PLoS Comput. Biol. 15:e1006298; program: ModelDB 256140): the head turns, the nuclei turn the eye, what
is left of the motion on the retina drives the climbing fibres after a delay, and these teach the Purkinje
cells. Plant, error and climbing fibres are cells like all others, so that the loop is one program:

    rule = cerebellar.climbing_fibre(A_plus=0.00165*nS, A_minus=0.0035*nS)
    parallel = compose(rule, synapse=parallel_fibre(), bounds=hard(0*nS, 3.7*nS))
    net = vestibulo_ocular(parallel=parallel)
    recording = engine.run(net.but({"olive.cap": 10*Hz, **teaching_delay(80*ms)}), 300*second, seed=3)

Two channels pull in opposite directions: the first half of the Purkinje cells, nuclei and climbing fibres is
the agonist's, the second half the antagonist's. Every part can be replaced (`net.with_(granule=...)`); the
olive's error, block and nucleo-olivary inhibition hang on it, and `share` of the granule cells' synapses is
made for one spike of each of 2000 cells per second. `scale` multiplies the number of cells; what a cell
receives stays the same on average.

Rates before learning depend on the step, since interneurons fire every five steps of 1 ms: at 1, 0.5 and 0.25
ms interneurons have 200, 167 and 154 spikes/s, Purkinje cells 67, 83 and 87, nuclear cells 70, 44 and 38.
Learning evens this out: the final gain differs by less than 1 % between 1 and 0.5 ms, the share that the
nuclear weights take of it more.
"""

import dataclasses
import numbers

import numpy as np
from brian2 import Hz, amp, hertz, ms, mV, nA, nS, pA, pF, second

from . import olive, synapses, wiring
from .cell import Cell
from .circuit import Circuit, current, population, positive_time, projection, signal
from .errors import CircuitError
from .synapses import Synapse
from .values import kind, number, same_dimension

__all__ = [
    "climbing_fibre",
    "eye",
    "granule_slots",
    "interneuron",
    "mossy_fibre",
    "nuclear",
    "nucleo_olivary",
    "purkinje",
    "teaching_delay",
    "vestibulo_ocular",
    "with_oscillating_olive",
]

TO_EYE = 100 * Hz  # the mean rate of a channel's nuclei that turns the eye by 1


def mossy_fibre(*, r_max=160 * Hz, r_0=0 * Hz, preferred=0.0, width=0.1):
    """A mossy fibre that codes the position of the head: Poisson spikes, at the highest rate where the head
    is at its preferred place.

        rate = r_0 + r_max exp(-(head - preferred)^2/(2 width^2))

    After Luque et al. 2019, whose fibres fire in groups of four around the position in every 2 ms; here they
    are random, with as many spikes a second. `head` is a signal of the circuit.
    """
    return Cell(
        "mossy fibre",
        "rate = r_0 + r_max*exp(-(head - preferred)**2/(2*width**2)) : Hz",
        params=dict(r_max=r_max, r_0=r_0, preferred=preferred, width=width),
        inputs={"head": 1},
        threshold="rand() < rate*dt",
        source="after Luque, Naveros, Carrillo, Ros & Arleo 2019",
    )


def granule_slots(*, first=0 * ms, trial=1 * second):
    """A granule cell of a deterministic time basis: one spike in every trial, at its own time `first`.

    Luque et al. 2019 (there 4 of 2000 cells in each of 500 slots of 2 ms). Times are rounded to steps.
    """
    return Cell(
        "granule cell, slots",
        "",
        params=dict(first=first, trial=trial),
        threshold="timestep(t, dt) % timestep(trial, dt) == timestep(first, dt)",
        source="Luque, Naveros, Carrillo, Ros & Arleo 2019",
    )


def _integrate_and_fire(name, params, source, more="", **rest):
    return Cell(
        name,
        "dv/dt = (g_L*(E_L - v) + I)/C_m : volt (unless refractory)\n" + more,
        params=params,
        inputs={"I": amp},
        threshold="v > V_t",
        reset="v = E_L",
        refractory="t_ref",
        init={"v": "E_L"},
        source=source,
        **rest,
    )


def purkinje(
    *, C_m=400 * pF, g_L=16 * nS, E_L=-70 * mV, V_t=-52 * mV, t_ref=2 * ms,
    g_pause=8 * nS, tau_pause=20 * ms, E_K=-95 * mV,
):  # fmt: skip
    """Purkinje cell with simple and complex spikes: integrate-and-fire, with an event `complex` at each spike
    of its climbing fibre, after which simple spikes pause.

        C_m dv/dt = g_L (E_L - v) + g (E_K - v) + I,      tau_pause dg/dt = -g;  at `complex` g -> g_pause

    Membrane: Carrillo, Ros, Boucheny & Coenen 2008 (BioSystems 94:18), from memory. The depolarisation that
    a climbing fibre brings comes with its synapse, and makes the cell fire once or twice more; the pause
    stands for the muscarinic current of the detailed cell of Luque et al. 2019. It is set, not added to, so
    that a burst of the climbing fibre prolongs the pause and does not deepen it. With the values here a
    complex spike adds about as many simple spikes as it takes away, so that climbing fibres teach the eye
    and hardly move it; with the strong climbing fibre of the source (40 nS) they are most of its noise.
    """
    cell = _integrate_and_fire(
        "Purkinje cell",
        dict(C_m=C_m, g_L=g_L, E_L=E_L, V_t=V_t, t_ref=t_ref, g_pause=g_pause, tau_pause=tau_pause, E_K=E_K),
        "Carrillo, Ros, Boucheny & Coenen 2008, as remembered",
        more="""dg/dt = -g/tau_pause : siemens
                climbing : 1
                climbed = climbing : 1 (constant over dt)""",
        events={"complex": ("climbed > 0.5", "g = g_pause\nclimbing -= climbed")},
    )
    return cell.plus(adds={"I": "g*(E_K - v)"})


def interneuron(*, C_m=20 * pF, g_L=1 * nS, E_L=-65 * mV, V_t=-50 * mV, t_ref=2 * ms):
    """Molecular-layer interneuron (basket or stellate cell): leaky integrate-and-fire.

        C_m dv/dt = g_L (E_L - v) + I                             v > V_t:  v -> E_L

    The values are ordinary ones for small interneurons, of no single paper. In the loop all interneurons get
    the same volley of granule cells every 2 ms and fire at one rate: a constant inhibition of both channels.
    """
    return _integrate_and_fire(
        "molecular-layer interneuron",
        dict(C_m=C_m, g_L=g_L, E_L=E_L, V_t=V_t, t_ref=t_ref),
        "definition of this project; ordinary values, of no single paper",
    )


def nuclear(*, C_m=150 * pF, g_L=5 * nS, E_L=-70 * mV, V_t=-40 * mV, t_ref=2 * ms, I_0=0.87 * nA):
    """Cell of the vestibular or deep cerebellar nuclei: leaky integrate-and-fire, with an event `inhibited`
    in the step after Purkinje spikes; `arrived` counts those of that one step.

        C_m dv/dt = g_L (E_L - v) + I_0 + I                       v > V_t:  v -> E_L

    I_0 keeps it firing while Purkinje cells inhibit it. Time constant and potentials as in Carrillo, Ros,
    Boucheny & Coenen 2008 (BioSystems 94:18, from memory), scaled to the size of a nuclear cell.
    """
    cell = _integrate_and_fire(
        "nuclear cell",
        dict(C_m=C_m, g_L=g_L, E_L=E_L, V_t=V_t, t_ref=t_ref, I_0=I_0),
        "after Carrillo, Ros, Boucheny & Coenen 2008, as remembered",
        more="arriving : 1\narrived = arriving : 1 (constant over dt)",
        events={"inhibited": ("arrived > 1e-6", "arriving -= arrived")},
    )
    return cell.plus(adds={"I": "I_0"})


def climbing_fibre(*, cap=25 * Hz, tonic=0.5, side=1.0, spacing=2 * ms):
    """A cell of the inferior olive as a random source of climbing-fibre bursts.

        u = side*error + tonic - (1 - blocked) inhibition
        i = 0.15 + 0.85/(1 + exp(-10 u + 4))
        a burst begins with probability cap*i*dt, 1/cap after the last one at the earliest
        it has 1 spike, 2 from i > 0.75, 3 from i > 0.85 and 4 from i >= 0.95, `spacing` apart

    Luque et al. 2019 and their program: drive, cap, dead time and bursts. There u is the error alone, and
    the fibre whose side it is not is silent; here inhibition by the nuclei and a tonic excitability that it
    balances are added, and a fibre keeps its 0.15 on either side. At most cap/2 bursts come per second.
    `error` is a signal of the circuit; `inhibition` and `blocked` (1 while inhibition is blocked) are inputs.
    """
    return Cell(
        "climbing fibre",
        """u = side*error + tonic - (1 - blocked)*inhibition : 1
           i_cf = 0.15 + 0.85/(1 + exp(4 - 10*u)) : 1
           more = int(i_cf > 0.75) + int(i_cf > 0.85) + int(i_cf >= 0.95) : 1
           chance = rand() : 1 (constant over dt)
           dwait/dt = -1 : second
           left : 1""",
        params=dict(cap=cap, tonic=tonic, side=side, spacing=spacing),
        inputs={"error": 1, "inhibition": 1, "blocked": 1},
        threshold="wait < 0.5*dt and (left > 0.5 or chance < cap*i_cf*dt)",
        reset="""left = int(left > 0.5)*(left - 1) + int(left <= 0.5)*more
                 wait = int(left > 0.5)*spacing + int(left <= 0.5)/cap""",
        method="euler",
        source="Luque, Naveros, Carrillo, Ros & Arleo 2019",
    )


def eye(*, amplitude=0.9, cycles=1, trial=1 * second, delay=100 * ms, tau_eye=60 * ms, per_spike=1 * ms):
    """The plant: a head that turns, an eye that the nuclei turn against it, and the slip that the olive is
    told of, as it was `delay` ago.

        head = amplitude sin(2 pi cycles t/trial)
        tau_eye dx/dt = -x, +-1 at each nuclear spike;   eye = x per_spike/tau_eye
        error(t) = light (goal head(t - delay) - eye(t - delay))

    Luque et al. 2019. `goal` is what the eye should do in units of the motion of the head (1 holds the image
    still, -1 is the reversed reflex), `light` switches the error; both are inputs. `felt` follows the same
    spikes as x, which arrive later by the delay of their projection (`teaching_delay` sets both). `goal` and
    `light` act on the error at once, not after the delay.
    """
    return Cell(
        "eye",
        """phase = (timestep(t, dt) % timestep(trial, dt))*dt : second
           head = amplitude*sin(2*pi*cycles*phase/trial) : 1
           dx/dt = -x/tau_eye : 1
           dfelt/dt = -felt/tau_eye : 1
           eye = x*per_spike/tau_eye : 1
           seen = goal*amplitude*sin(2*pi*cycles*(phase - delay)/trial) : 1
           error = light*(seen - felt*per_spike/tau_eye) : 1""",
        params=dict(
            amplitude=amplitude, cycles=cycles, trial=trial, delay=delay, tau_eye=tau_eye, per_spike=per_spike
        ),
        inputs={"goal": 1, "light": 1},
        method="exponential_euler",
        source="Luque, Naveros, Carrillo, Ros & Arleo 2019",
    )


# Synapses. Conductances that jump and decay; what else a spike brings is delivered with it.


def parallel_fibre(*, w=3.45 * nS, tau=4 * ms, share=1.0):
    """Parallel fibre to Purkinje cell: an excitatory conductance of w*share (w as in Luque et al. 2019)."""
    synapse = synapses.exponential_conductance(w=w, tau=tau, E=0 * mV)
    return dataclasses.replace(
        synapse,
        deliver={"g": "w*share"},
        params={**synapse.params, "share": share},
        event="complex",
        source="weight of parallel fibres: Luque, Naveros, Carrillo, Ros & Arleo 2019",
    )


def mossy_nuclear(*, w=0 * nS, tau=5 * ms, share=0.06):
    """Mossy fibre to nuclear cell: an excitatory conductance of w*share."""
    synapse = synapses.exponential_conductance(w=w, tau=tau, E=0 * mV)
    return dataclasses.replace(
        synapse,
        deliver={"g": "w*share"},
        params={**synapse.params, "share": share},
        event="inhibited",
        source="mossy fibre to nuclear cell: definition of this project",
    )


def purkinje_nuclear(*, w=2 * nS, tau=10 * ms, share=1.0):
    """Purkinje cell to nuclear cell: an inhibitory conductance of w*share, and share more to count."""
    synapse = synapses.exponential_conductance(w=w, tau=tau, E=-80 * mV)
    return dataclasses.replace(
        synapse,
        deliver={"g": "w*share", "arriving": "share"},
        params={**synapse.params, "share": share},
        needs={**synapse.needs, "arriving": 1},
        source="Purkinje to nuclear cell: definition of this project",
    )


def climbing(*, w=17 * nS, tau=2 * ms):
    """Climbing fibre to Purkinje cell: a strong conductance and the event of a complex spike."""
    synapse = synapses.exponential_conductance(w=w, tau=tau, E=0 * mV)
    return dataclasses.replace(
        synapse,
        deliver={"g": "w", "climbing": "1"},
        needs={**synapse.needs, "climbing": 1},
        source="climbing fibre to Purkinje cell: definition of this project",
        remedy={"climbing": "Take a Purkinje cell with complex spikes (circuits.cerebellum.purkinje)."},
    )


def nucleo_olivary(*, w=0.18, tau_rise=30 * ms, tau_decay=70 * ms, per_spike=1 * ms):
    """Nuclear cell to olive: slow inhibition, w times the rate of the channel's nuclei as the eye weighs it.

        tau_rise dx/dt = -x, +1 at each spike,   tau_decay ds/dt = x per_spike/tau_rise - s
        inhibition = w s

    The release is asynchronous and lasts for about 100 ms (Best & Regehr 2009, Neuron 62:555); the mean delay
    of the filters is tau_rise + tau_decay, as late as the error comes.
    """
    return Synapse(
        "nucleo-olivary",
        post="""dx/dt = -x/tau_rise : 1
                ds/dt = (x*per_spike/tau_rise - s)/tau_decay : 1""",
        adds={"inhibition": "w*s"},
        deliver={"x": "1"},
        params=dict(w=w, tau_rise=tau_rise, tau_decay=tau_decay, per_spike=per_spike),
        source="after Best & Regehr 2009",
    )


def vestibulo_ocular(
    *,
    parallel=None,
    mossy_nuclei=None,
    purkinje_nuclei=None,
    scale=1.0,
    frequency=1 * Hz,
    record=(),
    dt=1 * ms,
):
    """The closed loop of the vestibulo-ocular reflex.

    Parts: mossy, granule, interneuron, purkinje, nuclei, olive and plant (populations); parallel,
    parallel_interneuron, interneuron_purkinje, climbing, mossy_nuclei, purkinje_nuclei, nucleo_olivary,
    pull and felt (projections); head and error (signals); goal, light and block (currents).

    Parameters
    ----------
    parallel, mossy_nuclei, purkinje_nuclei : Synapse
        The plastic synapses, composed on `parallel_fibre`, `mossy_nuclear` and `purkinje_nuclear`; without
        one, these themselves with fixed weights.
    scale : float
        Number of cells, in units of 2000 granule, 100 mossy, 20 Purkinje, 20 nuclear, 20 olivary cells and 20
        interneurons; `share` in the synapses makes up for it.
    frequency : Quantity
        Of the head; a trial is the shortest whole number of periods that lasts a second or more.

    Raises
    ------
    CircuitError
        For sizes that leave a channel without cells, frequencies that are none, steps into which the slots
        of 2 ms cannot be divided, and what is given as a synapse and is none.
    """
    for name, given in dict(
        parallel=parallel, mossy_nuclei=mossy_nuclei, purkinje_nuclei=purkinje_nuclei
    ).items():
        if given is not None and not isinstance(given, Synapse):
            raise CircuitError(
                f"vestibulo_ocular, {name}: got {given!r}; give a Synapse, such as a rule composed on "
                "circuits.cerebellum.parallel_fibre()."
            )
    positive_time(dt, "vestibulo_ocular, dt")
    steps = 2e-3 / float(dt)
    if round(steps) < 1 or abs(steps - round(steps)) > 1e-6 * steps:
        raise CircuitError(
            f"vestibulo_ocular, dt: granule cells fire in slots of 2 ms, which {dt} does not divide. Give "
            "1 ms, 0.5 ms, 0.25 ms or another part of it."
        )
    if isinstance(scale, bool) or not isinstance(scale, numbers.Real) or not 0.1 <= scale < np.inf:
        raise CircuitError(
            f"vestibulo_ocular: scale={scale!r} leaves a channel without cells. Give 0.1 or more."
        )
    frequency = number(frequency, "vestibulo_ocular, frequency")
    if kind(frequency) == "scalar":
        same_dimension(frequency, hertz.dim, "vestibulo_ocular, frequency")
    if kind(frequency) != "scalar" or not 0 < float(frequency) < np.inf:
        raise CircuitError(f"vestibulo_ocular, frequency: got {frequency}; give one positive frequency.")
    n_granule, n_mossy, half = round(2000 * scale), round(100 * scale), round(10 * scale)
    cycles = max(1, int(np.ceil(float(frequency) - 1e-9)))
    trial = np.round(cycles / float(frequency) / 2e-3) * 2 * ms
    per_spike = 1 / (TO_EYE * half)
    sides = np.where(np.arange(2 * half) < half, 1.0, -1.0)
    # What is shared among more cells, or spread over a longer trial, acts less each.
    granule_share = float(trial) * 2000 / n_granule
    channels = _channels(half)
    # Cells of one kind that get the same input are kept from firing as one.
    anywhere = {"v": "E_L + rand()*(V_t - E_L)"}
    spontaneous = nuclear().params["I_0"] * np.tile(np.linspace(0.8, 1.2, half) if half > 1 else 1.0, 2)
    slots = np.floor(np.arange(n_granule) * float(trial) / 2e-3 / n_granule) * 2 * ms
    return Circuit(
        mossy=population(mossy_fibre(preferred=np.linspace(-1.2, 1.2, n_mossy)), n_mossy),
        granule=population(granule_slots(first=slots, trial=trial), n_granule),
        interneuron=population(interneuron(), 2 * half, init=anywhere),
        purkinje=population(purkinje(), 2 * half, init=anywhere),
        nuclei=population(nuclear(I_0=spontaneous), 2 * half, init=anywhere),
        olive=population(climbing_fibre(side=sides), 2 * half),
        plant=population(eye(cycles=cycles, trial=trial, per_spike=per_spike), 1),
        head=signal("plant.head", "mossy"),
        error=signal("plant.error", "olive"),
        goal=current("plant", "goal", 1.0),
        light=current("plant", "light", 1.0),
        block=current("olive", "blocked", 0.0),
        parallel=projection(
            "granule",
            "purkinje",
            (parallel or parallel_fibre()).but(share=granule_share),
            wiring.all_to_all(),
        ),
        parallel_interneuron=projection(
            "granule",
            "interneuron",
            synapses.exponential_conductance(w=0.3 * nS * granule_share, tau=2 * ms, E=0 * mV),
            wiring.all_to_all(),
        ),
        interneuron_purkinje=projection(
            "interneuron",
            "purkinje",
            synapses.exponential_conductance(w=1.05 * nS * 10 / half, tau=10 * ms, E=-80 * mV),
            wiring.all_to_all(),
        ),
        climbing=projection("olive", "purkinje", climbing(), wiring.one_to_one()),
        mossy_nuclei=projection(
            "mossy",
            "nuclei",
            (mossy_nuclei or mossy_nuclear()).but(share=0.06 * 99 / (n_mossy - 1)),  # as their distance
            wiring.all_to_all(),
        ),
        purkinje_nuclei=projection(
            "purkinje", "nuclei", (purkinje_nuclei or purkinje_nuclear()).but(share=10 / half), channels
        ),
        nucleo_olivary=projection("nuclei", "olive", nucleo_olivary(per_spike=per_spike), channels),
        pull=projection("nuclei", "plant", synapses.delta("x", sides), wiring.all_to_all()),
        felt=projection(
            "nuclei", "plant", synapses.delta("felt", sides), wiring.all_to_all(), delay=100 * ms
        ),
        record=record,
        dt=dt,
    )


def with_oscillating_olive(net, *, tonic=7 * pA, drive=60 * pA, w=0.0028 * nS, seed=0):
    """The loop with an olive of coupled oscillating cells (`circuits.olive`) in the place of the random one.

        I = tonic + drive max(side*error, 0)

    One cluster for either direction, whose junctions the nuclei shunt. Errors of the other side do not
    inhibit: on hyperpolarisation these cells fire in rebound. A cell fires complex spikes at 1 to 3 Hz, one
    at a time, so that a climbing-fibre rule with A_plus/(A_minus 38 ms) at about 1.5 Hz balances it. `w` is
    the peak conductance of a nuclear spike; `seed` draws cells and junctions.
    """
    half = net.parts["olive"].n // 2
    cell = olive.spiking().plus(
        inputs={"error": 1, "blocked": 1},
        adds={"I": "tonic + drive*clip(side*error, 0, 1000)"},
        params=dict(tonic=tonic, drive=drive, side=np.repeat([1.0, -1.0], half)),
    )
    inhibition = dataclasses.replace(
        olive.nucleo_olivary(w=w * 10 / half), adds={"g_i": "(1 - blocked)*g"}
    )
    return net.with_(
        **olive.network(2, half, cell=cell, seed=seed),
        nucleo_olivary=projection("nuclei", "olive", inhibition, net.parts["nucleo_olivary"].wiring),
    )


def teaching_delay(delay):
    """The numbers of the loop that hold the delay of the error: `net.but(teaching_delay(80*ms))`.

    When the rule expects it is a number of the rule (`parallel.peak_climbing_fibre`).
    """
    return {"plant.delay": delay, "felt.delay": delay}


def _channels(half):
    """All pairs within the agonist's channel, and all within the antagonist's."""
    i, j = np.meshgrid(np.arange(2 * half), np.arange(2 * half), indexing="ij")
    same = (i < half) == (j < half)
    return wiring.pairs(i[same], j[same])
