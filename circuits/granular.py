"""The granular layer of the cerebellum as a recurrent network that tells time, and the cells behind it.

Clusters of granule cells on a torus excite Golgi cells, and Golgi cells inhibit clusters of granule cells,
at random and through slow conductances. While a stimulus lasts, the set of active granule cells changes from
moment to moment, and it runs through the same sequence every time: a code for the time since the stimulus
began (Yamazaki & Tanaka 2007, Eur. J. Neurosci. 26:2279). `layer` makes the parts of such a network, and
`conditioning` those of the loop that learns from it, by name:

    parts = granular.layer(2*second, shape=(32, 32), per_cluster=10, seed=3)
    net = Circuit(**parts, record=[spikes("granule"), spikes("golgi")], dt=1*ms)
    twice = granular.stimuli(2*second, [0.25, 1.25]*second, 0.5*second)
    recording = engine.run(net.but(twice), 2*second, seed=3)

Cells are leaky integrators with a conductance that follows each spike (afterhyperpolarisation): it is set to
1, not incremented, and the voltage is not reset. Equations and numbers come from two programs of the first
author, that of Yamazaki & Nagao 2012 (PLoS ONE 7:e33319) and a later one for delay eyeblink conditioning (the
code of his textbook on spiking networks); where they differ (weights in the layer), the second is followed,
and nucleus and olive are from the first.

Deviations. Both programs hold conductances during a step of 1 ms, so that an input of size 1 carries a charge
of dt/(1 - exp(-dt/tau)) instead of tau. Exponential Euler does the same; at steps other than `held` = 1 ms
conductances are scaled such that they carry the charge of a step of 1 ms. The voltage follows exponential
Euler instead of Heun's method. The number of synapses is fixed at its expectation, so that another seed is
another network for the same compiled program.
"""

import dataclasses

import numpy as np
from brian2.units import Hz, amp, ms, mV, nS, pA, pF, second

from . import wiring
from .cell import Cell
from .circuit import poisson, population, projection, seconds_of, timed
from .errors import CircuitError
from .synapses import Synapse, delta
from .values import number, same_dimension

__all__ = [
    "airpuffs",
    "beam",
    "conditioning",
    "golgi",
    "granule",
    "layer",
    "nucleus",
    "olive",
    "parallel_fibre",
    "purkinje",
    "receptor",
    "stimuli",
]

INHIBITION, EXCITATION = 4, 3  # reach in clusters to each side: fields of 9 x 9 and 7 x 7
BEAM = 4  # of a Purkinje cell, along the first axis


# ---- cells


def _cell(name, receptors, membrane, rates, source):
    """A leaky integrator with an afterhyperpolarisation `a` and receptors, each (name, time constant,
    conductance as text, reversal potential as text). `rates`: further parameters.
    """
    lines, terms, params = [], ["g_L*(E_L - v)"], {**membrane, **rates}
    for x, tau, g, E in [("a", None, "g_ahp", "E_ahp"), *receptors]:
        if tau is not None:
            params[f"tau_{x}"] = tau
        constant = "tau_ahp" if x == "a" else f"tau_{x}"
        lines += [
            f"d{x}/dt = -{x}/{constant} : 1",
            # the charge of a step of `held`, whatever the step is
            f"held_{x} = held/dt*(1 - exp(-dt/{constant}))/(1 - exp(-held/{constant})) : 1",
        ]
        terms.append(f"{g}*held_{x}*{x}*({E} - v)")
    lines.insert(0, f"dv/dt = ({' + '.join([*terms, 'I'])})/C_m : volt")
    return Cell(
        name,
        "\n".join(lines),
        params={**params, "held": 1 * ms},
        inputs={"I": amp},
        threshold="v > V_t",
        reset="a = 1",
        init={"v": "E_L"},
        source=source,
    )


def granule():
    """Granule cell of Yamazaki & Tanaka 2007.

        C_m dv/dt = g_L (E_L - v) + g_ahp a (E_ahp - v) + g_exc (0.88 ampa + 0.12 nmda) (E_exc - v)
                    + g_inh (0.43 gaba_fast + 0.57 gaba_slow) (E_inh - v) + I          v > V_t:  a = 1

    Receptors decay with 1.2, 52, 7 and 59 ms, a with 5 ms; a mossy fibre adds to `ampa` and `nmda`, a Golgi
    cell to the two of GABA. Input I in amp. `recent` counts the cell's spikes of late, if the circuit takes
    them away again (see `layer`); the climbing-fibre rule `plasticity.cerebellar.window` reads it.
    """
    cell = _cell(
        "granule",
        [
            ("ampa", 1.2 * ms, "g_exc*share_ampa", "E_exc"),
            ("nmda", 52 * ms, "g_exc*(1 - share_ampa)", "E_exc"),
            ("gaba_fast", 7 * ms, "g_inh*share_fast", "E_inh"),
            ("gaba_slow", 59 * ms, "g_inh*(1 - share_fast)", "E_inh"),
        ],
        dict(C_m=3.1 * pF, g_L=0.43 * nS, E_L=-58 * mV, V_t=-35 * mV, g_ahp=1 * nS, E_ahp=-82 * mV)
        | dict(tau_ahp=5 * ms),
        dict(
            g_exc=0.18 * nS, E_exc=0 * mV, g_inh=0.028 * nS, E_inh=-82 * mV, share_ampa=0.88, share_fast=0.43
        ),
        "Yamazaki & Tanaka 2007; Yamazaki & Nagao 2012, table 1",
    )
    return cell.plus("recent : 1", reset="recent += 1")


def golgi():
    """Golgi cell of Yamazaki & Tanaka 2007; equation as for `granule`, with excitation by granule cells only.

    `ampa` (share 0.8) decays with 1.5 ms, `nmda` (0.066) with 31 ms, `nmda_slow` (0.134) with 170 ms.
    """
    return _cell(
        "golgi",
        [
            ("ampa", 1.5 * ms, "g_exc*share_ampa", "E_exc"),
            ("nmda", 31 * ms, "g_exc*share_nmda", "E_exc"),
            ("nmda_slow", 170 * ms, "g_exc*(1 - share_ampa - share_nmda)", "E_exc"),
        ],
        dict(C_m=28 * pF, g_L=nS / 0.428, E_L=-55 * mV, V_t=-52 * mV, g_ahp=20 * nS, E_ahp=-72.7 * mV)
        | dict(tau_ahp=5 * ms),
        dict(g_exc=45.5 * nS, E_exc=0 * mV, share_ampa=0.8, share_nmda=0.066),
        "Yamazaki & Tanaka 2007; Yamazaki & Nagao 2012, table 1",
    )


def purkinje():
    """Purkinje cell of Yamazaki & Tanaka 2007; equation as for `granule`, with parallel fibres only.

    `ampa` decays with 8.3 ms, the afterhyperpolarisation with 2.5 ms. Spikes are simple spikes. A climbing
    fibre adds to `climbing` and so makes an event of the kind "complex" in the next step, which plasticity
    follows; it does not touch the voltage. No current flows at rest, so that the cell is silent without
    parallel fibres (Yamazaki & Nagao 2012, who add an inhibitory interneuron, let 250 pA flow: the input I
    takes it).
    """
    cell = _cell(
        "purkinje",
        [("ampa", 8.3 * ms, "g_exc", "E_exc")],
        dict(C_m=106 * pF, g_L=nS / 0.431, E_L=-68 * mV, V_t=-55 * mV, g_ahp=100 * nS, E_ahp=-70 * mV)
        | dict(tau_ahp=2.5 * ms),
        dict(g_exc=0.7 * nS, E_exc=0 * mV),
        "Yamazaki & Tanaka 2007; Yamazaki & Nagao 2012, table 1",
    )
    # What arrives while a step's event is handled belongs to the next one.
    cell = cell.plus("climbing : 1\nclimbed = climbing : 1 (constant over dt)")
    return dataclasses.replace(cell, events={"complex": ("climbed > 0.5", "climbing -= climbed")})


def nucleus():
    """Cell of the vestibular or interpositus nucleus of Yamazaki & Nagao 2012; equation as for `granule`.

    Mossy fibres excite it (`ampa`, share 0.66, 9.9 ms; `nmda`, 30.5 ms), Purkinje cells inhibit it (`gaba`,
    42.3 ms), and a current I_0 = 700 pA makes it fire without either.
    """
    cell = _cell(
        "nucleus",
        [
            ("ampa", 9.9 * ms, "g_exc*share_ampa", "E_exc"),
            ("nmda", 30.5 * ms, "g_exc*(1 - share_ampa)", "E_exc"),
            ("gaba", 42.3 * ms, "g_inh", "E_inh"),
        ],
        dict(C_m=122.3 * pF, g_L=nS / 0.61, E_L=-56 * mV, V_t=-38.8 * mV, g_ahp=50 * nS, E_ahp=-70 * mV)
        | dict(tau_ahp=5 * ms),
        dict(g_exc=50 * nS, E_exc=0 * mV, g_inh=30 * nS, E_inh=-88 * mV, share_ampa=0.66),
        "Yamazaki & Nagao 2012, table 1",
    )
    return cell.plus("", adds={"I": "I_0"}, params={"I_0": 700 * pA})


def olive():
    """Cell of the inferior olive of Yamazaki & Nagao 2012; equation as for `granule`.

    The unconditioned stimulus excites it (`ampa`, 10 ms), the nucleus inhibits it (`gaba`, 10 ms). A volley
    of size 1 makes one spike after 2 to 3 ms. It has no subthreshold oscillation and no gap junctions.
    """
    return _cell(
        "olive",
        [("ampa", 10 * ms, "g_exc", "E_exc"), ("gaba", 10 * ms, "g_inh", "E_inh")],
        dict(C_m=1 * pF, g_L=0.015 * nS, E_L=-60 * mV, V_t=-50 * mV, g_ahp=1 * nS, E_ahp=-70 * mV)
        | dict(tau_ahp=5 * ms),
        dict(g_exc=0.1 * nS, E_exc=0 * mV, g_inh=0.018 * nS, E_inh=-75 * mV),
        "Yamazaki & Nagao 2012, table 1",
    )


def receptor(*variables, w=1.0):
    """Each spike adds w to receptor variables of the target, which its cell weighs against each other."""
    return Synapse(
        "receptor",
        deliver=dict.fromkeys(variables, "w"),
        params={"w": w},
        source="after Yamazaki & Nagao 2012",
    )


# ---- the layer


def _fields(random, shape, reach, p):
    """Sources and targets on a torus: each of the pairs within reach of each other with probability p, their
    number fixed at the expectation.
    """
    side = 2 * reach + 1
    pairs = shape[0] * shape[1] * side**2
    target, field = np.divmod(np.sort(random.choice(pairs, round(p * pairs), replace=False)), side**2)
    x, y = np.divmod(target, shape[1])
    dx, dy = np.divmod(field, side)
    source = (x + dx - reach) % shape[0] * shape[1] + (y + dy - reach) % shape[1]
    return source, target


def _cells(clusters, per_cluster):
    """Indices of all cells of clusters, cluster by cluster."""
    return (np.asarray(clusters)[:, None] * per_cluster + np.arange(per_cluster)).ravel()


def _checked(shape, per_cluster):
    least = 2 * INHIBITION + 1
    if len(shape) != 2 or any(int(s) != s or s < least for s in shape):
        raise CircuitError(
            f"granular, shape: got {shape}; give two whole numbers of at least {least}, the width of the "
            "field from which a cluster is inhibited."
        )
    if int(per_cluster) != per_cluster or per_cluster < 1:
        raise CircuitError(f"granular, per_cluster: got {per_cluster}; give a whole number of at least 1.")
    return (int(shape[0]), int(shape[1])), int(per_cluster)


def layer(
    duration,
    shape=(32, 32),
    per_cluster=10,
    *,
    seed=0,
    p_inhibition=0.025,
    p_excitation=0.05,
    w_mossy=3.0,
    w_inhibition=20.0,
    w_excitation=0.005,
    window=50 * ms,
):
    """The parts of a granular layer with its mossy fibres, by name, for `Circuit(**layer(...), ...)`.

    Golgi cells inhibit glomeruli within 9 x 9 clusters with probability 0.025, and all granule cells of a
    cluster are inhibited through the four glomeruli at their cluster and beside it; granule cells of a
    cluster, all of them, excite a Golgi cell within 7 x 7 clusters with probability 0.05. Each granule cell
    has four mossy fibres of its own, two of each kind. The parts:

    tonic_fibre, phasic_fibre   mossy fibres, fibre k on granule cell k // 2; their rates over time are
                numbers, made by `stimuli`, and 5 Hz if not given
    granule, golgi              cells; granule cell k belongs to cluster k // per_cluster
    inhibition, excitation      golgi to granule, granule to golgi
    tonic_input, phasic_input   mossy fibres to granule
    forget      takes spikes away from the count `recent` of a granule cell after `window`

    Parameters
    ----------
    duration : Quantity
        For how long rates of mossy fibres can be given; later the last ones hold.
    shape : tuple of int
        Clusters (and Golgi cells) of the torus: 32 x 32 in the paper.
    per_cluster : int
        Granule cells in a cluster: 100 in the paper. The weight of each onto Golgi cells is w_excitation
        divided by this number, so that rates stay.
    seed : int
        Draws the wiring. Another seed is another network of the same structure.
    p_inhibition, p_excitation : float
        Probabilities of connection.
    w_mossy, w_inhibition, w_excitation : float
        What a spike adds to the receptors of the target (w_excitation: a whole cluster of spikes).
    window : Quantity
        For how long `recent` counts a spike: at ages below it, from one step on.

    Raises
    ------
    CircuitError
        For fewer than 9 clusters along a side.
    """
    shape, per_cluster = _checked(shape, per_cluster)
    random = np.random.default_rng([seed, 0])
    n_golgi = shape[0] * shape[1]
    n = n_golgi * per_cluster
    axon, glomerulus = _fields(random, shape, INHIBITION, p_inhibition)
    x, y = np.divmod(glomerulus, shape[1])
    inhibited = np.concatenate(
        [(x - dx) % shape[0] * shape[1] + (y - dy) % shape[1] for dx in (0, 1) for dy in (0, 1)]
    )
    exciting, excited = _fields(random, shape, EXCITATION, p_excitation)
    rest = timed(np.full(_steps(duration), 5.0) * Hz, 1 * ms)
    own, mossy = np.arange(2 * n), receptor("ampa", "nmda", w=w_mossy)
    return dict(
        tonic_fibre=poisson(2 * n, rest),
        phasic_fibre=poisson(2 * n, rest),
        granule=population(granule(), n),
        golgi=population(golgi(), n_golgi),
        tonic_input=projection("tonic_fibre", "granule", mossy, wiring.pairs(own, own // 2)),
        phasic_input=projection("phasic_fibre", "granule", mossy, wiring.pairs(own, own // 2)),
        inhibition=projection(
            "golgi",
            "granule",
            receptor("gaba_fast", "gaba_slow", w=w_inhibition),
            wiring.pairs(np.repeat(np.tile(axon, 4), per_cluster), _cells(inhibited, per_cluster)),
        ),
        excitation=projection(
            "granule",
            "golgi",
            receptor("ampa", "nmda", "nmda_slow", w=w_excitation / per_cluster),
            wiring.pairs(_cells(exciting, per_cluster), np.repeat(excited, per_cluster)),
        ),
        forget=projection("granule", "granule", delta("recent", w=-1.0), wiring.one_to_one(), delay=window),
    )


def _steps(duration):
    """How many rates, one each ms, fill a time."""
    steps = round(seconds_of(duration, "granular, duration") / float(ms))
    if steps < 1:
        raise CircuitError(f"granular, duration: got {duration!r}; give a time of at least 1 ms.")
    return steps


def stimuli(duration, onsets, lengths, *, base=5 * Hz, tonic=40 * Hz, phasic=200 * Hz):
    """Rates of mossy fibres, as numbers of a circuit, for stimuli from `onsets` on that take `lengths`.

    Tonic fibres fire at `tonic` while a stimulus is on, phasic ones at `phasic` for its first ms, and both at
    `base` at all other times. In a step a fibre fires with probability rate dt, as in the source.

    Parameters
    ----------
    duration : Quantity
        That of the `layer`.
    onsets, lengths : Quantity
        Any number of onsets, and one length or one for each, in whole ms.
    base, tonic, phasic : Quantity
        Rates (Yamazaki & Tanaka 2007).

    Raises
    ------
    CircuitError
        For values that are no times, and for stimuli that end after `duration`.
    """
    for name, value in {"onsets": onsets, "lengths": lengths}.items():
        same_dimension(number(value, f"stimuli, {name}"), second.dim, f"stimuli, {name}")
    steps = _steps(duration)
    starts = np.round(np.atleast_1d(np.asarray(onsets / ms, dtype=float))).astype(int)
    ends = starts + np.round(np.asarray(lengths / ms, dtype=float)).astype(int)
    if len(starts) and (starts.min() < 0 or ends.max() > steps):
        raise CircuitError(
            f"stimuli: they take place from {starts.min()} to {ends.max()} ms, but there are {steps} ms. "
            "Give layer and stimuli a longer duration."
        )
    rates = {name: np.full(steps, float(base)) for name in ("tonic_fibre.rates", "phasic_fibre.rates")}
    for start, end in zip(starts, np.broadcast_to(ends, starts.shape), strict=True):
        rates["tonic_fibre.rates"][start:end] = float(tonic)
        rates["phasic_fibre.rates"][start : start + 1] = float(phasic)
    return {name: values * Hz for name, values in rates.items()}


def airpuffs(duration, times, *, rate=500 * Hz):
    """Rates of the part `airpuff`, as a number of a circuit: for a ms at each of `times`, `rate`.

    duration : that of the `layer`; times : any number of times, in whole ms.
    Raises `CircuitError` as `stimuli`.
    """
    rates = stimuli(duration, times, 1 * ms, base=0 * Hz, tonic=rate)["tonic_fibre.rates"]
    return {"airpuff.rates": rates}


# ---- what it teaches


def beam(shape=(32, 32), per_cluster=10, n=16):
    """Sources and targets of parallel fibres: each of n Purkinje cells, spread evenly over the first axis,
    gets those of all granule cells at most 4 clusters away along it (28,800 in the paper).
    """
    shape, per_cluster = _checked(shape, per_cluster)
    column = np.arange(shape[1])
    reached = []
    for k in range(n):
        rows = (k * shape[0] // n + np.arange(-BEAM, BEAM + 1)) % shape[0]
        reached.append(_cells((rows[:, None] * shape[1] + column).ravel(), per_cluster))
    return np.concatenate(reached), np.repeat(np.arange(n), [len(cells) for cells in reached])


def parallel_fibre(shape=(32, 32), per_cluster=10):
    """A parallel fibre onto a Purkinje cell: a spike adds g w to `ampa`, w from 0 to 1 and plastic.

    g = 0.005 for 28,800 fibres per cell (9 x 32 clusters of 100 cells), and in proportion more for fewer. Its
    plasticity follows the complex spikes of the target.
    """
    shape, per_cluster = _checked(shape, per_cluster)
    fibres = (2 * BEAM + 1) * shape[1] * per_cluster
    return Synapse(
        "parallel_fibre",
        deliver={"ampa": "g*w"},
        params=dict(w=1.0, g=0.005 * 28800 / fibres),
        event="complex",
        source="Yamazaki & Tanaka 2007",
    )


def conditioning(
    duration, parallel, shape=(32, 32), per_cluster=10, *, n=16, afferents=20, w_volley=0.1, feedback=4.0
):
    """The parts of delay conditioning behind a `layer` of this shape: the olive tells Purkinje cells of the
    unconditioned stimulus, and what they learn lets the nucleus fire, which inhibits the olive.

    purkinje    n cells; `parallel` from granule cells, wired by `beam`
    nucleus     one cell; tonic mossy fibres excite it, Purkinje cells inhibit it
    olive       n cells, one for each Purkinje cell
    airpuff     fibres that the unconditioned stimulus excites, `afferents` for each cell of the olive; their
                rates over time are numbers, made by `airpuffs`, and 0 if not given
    volley      airpuff to olive
    climbing    olive to purkinje
    nucleo_olivary   nucleus to olive; its number "nucleo_olivary.w" = 0 opens the loop
    and to_nucleus (mossy fibres), purkinje_nucleus.

    Weights onto nucleus and olive are those of Yamazaki & Nagao 2012: 0.2/100 for each of 100 mossy fibres,
    0.12/16 for each of 16 Purkinje cells, 4 from nucleus to olive. There, one olive cell serves all Purkinje
    cells and gets volleys of size 1; here, a fibre fires with probability 0.5 at an airpuff, and a volley
    is of size 1 on average.

    Parameters
    ----------
    duration : Quantity
        That of the layer.
    parallel : Synapse
        `parallel_fibre` with its plasticity.
    shape, per_cluster : tuple, int
        Those of the layer.
    n : int
        Purkinje cells.
    afferents : int
        Fibres of the airpuff for each cell of the olive.
    w_volley, feedback : float
        What a spike of such a fibre, and of the nucleus, adds to a receptor of the olive.
    """
    source, target = beam(shape, per_cluster, n)
    fibres = min(100, 2 * shape[0] * shape[1] * per_cluster)
    own = np.arange(n * afferents)
    return dict(
        purkinje=population(purkinje(), n),
        parallel=projection("granule", "purkinje", parallel, wiring.pairs(source, target)),
        nucleus=population(nucleus(), 1),
        to_nucleus=projection(
            f"tonic_fibre[:{fibres}]",
            "nucleus",
            receptor("ampa", "nmda", w=0.2 / fibres),
            wiring.all_to_all(),
        ),
        purkinje_nucleus=projection("purkinje", "nucleus", receptor("gaba", w=0.12 / n), wiring.all_to_all()),
        olive=population(olive(), n),
        airpuff=poisson(n * afferents, timed(np.zeros(_steps(duration)) * Hz, 1 * ms)),
        volley=projection(
            "airpuff", "olive", receptor("ampa", w=w_volley), wiring.pairs(own, own // afferents)
        ),
        nucleo_olivary=projection("nucleus", "olive", receptor("gaba", w=feedback), wiring.all_to_all()),
        climbing=projection("olive", "purkinje", delta("climbing", w=1.0), wiring.one_to_one()),
    )
