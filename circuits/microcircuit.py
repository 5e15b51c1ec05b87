"""The cortical microcircuit of Potjans & Diesmann 2014 (Cereb. Cortex 24:785): all cells below 1 mm2.

Four layers (2/3, 4, 5, 6) with an excitatory and an inhibitory population each: 77,169 leaky
integrate-and-fire cells and 0.3 billion synapses with exponential currents, driven from outside by Poisson
processes. Only the probabilities of connections differ between populations.

    net = microcircuit(0.1, seed=3)
    recording = engine.run(net, 1*second, seed=3)
    for name, cells in slices(0.1).items():
        ...                                        # name "L23E", cells slice(0, 2068)

`scale` multiplies the number of cells, `in_degrees` (by default the same) that of the synapses of each.
Fewer synapses are stronger by 1/sqrt(in_degrees), which keeps the variance of a cell's input, and a constant
current makes up for the mean, computed with the rates of the whole circuit (van Albada, Helias & Diesmann
2015, PLoS Comput. Biol. 11:e1004490): rates and irregularity stay near those of the whole, correlations grow.

Sources: table 5 of the paper for sizes, probabilities, external in-degrees, weights and delays; the
implementation by its authors (github.com/INM-6/microcircuit-PD14-model) for rates, for the number of synapses
that a probability stands for, and for how normal distributions are cut. Not here: thalamic input.
"""

from numbers import Real

import numpy as np
from brian2 import Hz, amp, ms, mV, pA, pF, second
from brian2.units.fundamentalunits import Quantity

from . import synapses, wiring
from .cell import Cell
from .circuit import Circuit, population, positive_time, projection, spikes
from .errors import CircuitError, listed

__all__ = [
    "EXTERNAL", "POPULATIONS", "PROBABILITIES", "RATES", "SIZES", "background", "cell", "connections",
    "microcircuit", "number_of_synapses", "slices",
]  # fmt: skip

POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
EXTERNAL = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])  # external synapses of a cell
# Hz, in the whole circuit
RATES = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])
# of at least one synapse between two cells; a row per target, a column per source
PROBABILITIES = np.array([
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0000, 0.0076, 0.0000],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0000, 0.0042, 0.0000],
    [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0000],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0000, 0.1057, 0.0000],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0000],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0000],
    [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
])  # fmt: skip

PSP = 0.15 * mV  # peak of an excitatory postsynaptic potential, at full scale
G = -4.0  # inhibitory weights are so much stronger
STRONGER = {("L23E", "L4E"): 2.0}  # target, source: weights are so many times larger
BACKGROUND = 8 * Hz  # rate of each external source
DELAYS = 1.5 * ms, 0.75 * ms  # means of excitatory and inhibitory ones
WEIGHT_SPREAD, DELAY_SPREAD = 0.1, 0.5  # SD over mean


def cell(
    *, C_m=250 * pF, tau_m=10 * ms, tau_syn=0.5 * ms, E_L=-65 * mV, V_t=-50 * mV, V_r=-65 * mV, t_ref=2 * ms,
    w_ext=87.8 * pA, rate_ext=0 * Hz, I_dc=0 * pA, V_0=-58 * mV, V_spread=10 * mV,
):  # fmt: skip
    """Leaky integrate-and-fire neuron with an exponential synaptic current and a Poisson process of its own.

        C_m dv/dt = C_m (E_L - v)/tau_m + I_syn + I_dc            v > V_t:  v -> V_r, held there for t_ref
        tau_syn dI_syn/dt = -I_syn

    Potjans & Diesmann 2014, table 5. Synapses add to I_syn (amp), external spikes add w_ext at rate_ext, any
    number of them in one step. Starts at V_0 with an SD of V_spread. The refractory period is the time for
    which v is held, a step more than from spike to spike in `neurons`. Integrated exactly.
    """
    return Cell(
        "microcircuit",
        """dv/dt = (E_L - v)/tau_m + (I_syn + I_dc)/C_m : volt (unless refractory)
           dI_syn/dt = -I_syn/tau_syn : amp""",
        params=dict(
            C_m=C_m, tau_m=tau_m, tau_syn=tau_syn, E_L=E_L, V_t=V_t, V_r=V_r, t_ref=t_ref, w_ext=w_ext,
            rate_ext=rate_ext, I_dc=I_dc, V_0=V_0, V_spread=V_spread,
        ),
        threshold="v > V_t",
        reset="v = V_r",
        refractory="t_ref + dt",
        # at the end of every step, where spikes of other cells come in too
        events={"step": ("True", "I_syn += w_ext*poisson(rate_ext*dt)")},
        method="exact",
        init={"v": "V_0 + V_spread*randn()"},
        source="Potjans & Diesmann 2014, table 5",
    )  # fmt: skip


def current_of(psp, cell):
    """The synaptic current (amp) that lets v rise by `psp` at most.

    With r = tau_m/tau_syn, a current w exp(-t/tau_syn) makes v rise by
    w tau_m/(C_m (r - 1)) (r**(-1/(r - 1)) - r**(-r/(r - 1))) = w tau_m/C_m r**(-r/(r - 1)), and by
    w tau_m/(C_m e) for r = 1.
    """
    p = cell.params
    above = float(p["tau_m"] / p["tau_syn"]) - 1
    # log(r)/(r - 1), whose limit is 1
    return psp * p["C_m"] / p["tau_m"] * np.exp((1 + above) * (np.log1p(above) / above if above else 1.0))


def slices(scale):
    """Name of each population to the slice of cells that it takes at this scale."""
    ends = np.cumsum(_sizes(scale))
    return {
        name: slice(int(a), int(b)) for name, a, b in zip(POPULATIONS, [0, *ends[:-1]], ends, strict=True)
    }


def number_of_synapses(scale=1.0, in_degrees=None):
    """How many synapses there are from each population (column) to each (row).

    K = log(1 - C)/log(1 - 1/(N_target N_source)), so that two cells are connected at least once with
    probability C when synapses are drawn at random; times `scale` and `in_degrees`.
    """
    pairs = np.outer(SIZES, SIZES).astype(float)
    full = np.log1p(-PROBABILITIES) / np.log1p(-1 / pairs)
    return np.rint(full * scale * (scale if in_degrees is None else in_degrees)).astype(int)


def background(in_degrees=1.0, kind="poisson", of=None):
    """Rate of external spikes, their weight and constant current (SI units) for cells of each population.

    What fewer or no external spikes and weaker recurrent input lack in the mean comes as constant current:

        I_dc = tau_syn ((1 - sqrt(in_degrees)) sum_source K w rate + what external spikes lack)
    """
    of = cell() if of is None else of
    w, tau_syn = float(current_of(PSP, of)), float(of.params["tau_syn"])
    root = np.sqrt(in_degrees)
    recurrent = (_strengths() * number_of_synapses() / SIZES[:, None] * RATES).sum(axis=1)
    outside = EXTERNAL * float(BACKGROUND)
    poisson = kind == "poisson"
    rates = np.rint(EXTERNAL * in_degrees) * float(BACKGROUND) if poisson else np.zeros(len(SIZES))
    lacking = (1 - root) * recurrent + (1 - root if poisson else 1) * outside
    return rates, w / root, w * tau_syn * lacking


def connections(scale, in_degrees=None, *, seed=0, dt=0.1 * ms):
    """Source, target, strength in units of an excitatory weight, and delay (s) of every synapse.

    Their total number from population to population is fixed and both ends are drawn independently, so that
    cells may be connected several times, also to themselves. Strengths and delays are normal; strengths of
    the wrong sign and delays that would be rounded to no step are drawn again, the others rounded to steps.
    """
    random = np.random.default_rng(seed)
    where, counts = list(slices(scale).values()), number_of_synapses(scale, in_degrees)
    strengths, parts, step = _strengths(), [], float(dt)
    for target, source in zip(*np.nonzero(counts), strict=True):
        n, mean, delay = counts[target, source], strengths[target, source], float(DELAYS[source % 2])
        parts.append((
            random.integers(where[source].start, where[source].stop, n),
            random.integers(where[target].start, where[target].stop, n),
            mean * _above(random, 0.0, 1.0, WEIGHT_SPREAD, n),
            step * np.rint(_above(random, step / 2, delay, DELAY_SPREAD * delay, n) / step),
        ))  # fmt: skip
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def microcircuit(scale=0.1, *, in_degrees=None, kind="poisson", seed=0, of=None, record=(), dt=0.1 * ms):
    """The microcircuit at a fraction `scale` of its cells and `in_degrees` of the synapses of each.

    Parameters
    ----------
    scale : float
        Fraction of the 77,169 cells.
    in_degrees : float
        Fraction of the synapses that a cell receives; as `scale` if not given.
    kind : str
        External input: "poisson", or "dc" (the same mean as constant current).
    seed : int
        Draws the synapses. Another seed is the same structure: it runs in the same compiled program.
    of : Cell
        Another `cell`; w_ext, rate_ext and I_dc are set here.

    All cells are one population `cells` (`slices` says where each of the eight lies) and all synapses one
    projection `recurrent`, whose pairs, weights and delays are numbers. At scale 1 these arrays take 10 GB.

    Raises
    ------
    CircuitError
        For a fraction outside of 0 to 1, a scale that leaves a population empty, in_degrees that leave no
        synapse, an unknown kind of input, or a cell without the parameters of `cell`.
    """
    positive_time(dt, "microcircuit, dt")
    in_degrees = scale if in_degrees is None else in_degrees
    for name, value in (("scale", scale), ("in_degrees", in_degrees)):
        if not isinstance(value, Real) or not 0 < value <= 1:
            raise CircuitError(f"microcircuit, {name}: got {value!r}; it is a fraction above 0, at most 1.")
    if kind not in ("poisson", "dc"):
        raise CircuitError(f"microcircuit, kind: got {kind!r}; external input is 'poisson' or 'dc'.")
    sizes, of = _sizes(scale), cell() if of is None else of
    if missing := cell().params.keys() - of.params.keys():
        raise CircuitError(f"microcircuit, of: the cell has no {listed(sorted(missing))}.")
    if not number_of_synapses(scale, in_degrees).any():
        raise CircuitError(f"microcircuit, in_degrees: {in_degrees} of the synapses are none at all.")
    rates, w, constant = background(in_degrees, kind, of)
    i, j, strength, delay = connections(scale, in_degrees, seed=seed, dt=dt)
    cells = of.but(
        rate_ext=np.repeat(rates, sizes) * Hz, w_ext=w * amp, I_dc=np.repeat(constant, sizes) * amp
    )
    return Circuit(
        cells=population(cells, int(sizes.sum())),
        recurrent=projection(
            "cells", "cells", synapses.delta("I_syn", w=Quantity(w * strength, dim=amp.dim)),
            wiring.pairs(i, j), delay=delay * second,
        ),
        record=record or [spikes("cells")],
        dt=dt,
    )  # fmt: skip


def _sizes(scale):
    sizes = np.rint(SIZES * scale).astype(int)
    if sizes.min() < 1:
        raise CircuitError(f"microcircuit, scale: {scale} leaves no cell of {POPULATIONS[sizes.argmin()]}.")
    return sizes


def _strengths():
    """Mean weights over an excitatory one, a row per target and a column per source."""
    made = np.tile([1.0, G], (len(SIZES), len(SIZES) // 2))
    for (target, source), factor in STRONGER.items():
        made[POPULATIONS.index(target), POPULATIONS.index(source)] *= factor
    return made


def _above(random, low, mean, spread, n):
    """n normal numbers, drawn again where they are not above `low`."""
    drawn = random.normal(mean, spread, n)
    while len(wrong := np.flatnonzero(drawn <= low)):
        drawn[wrong] = random.normal(mean, spread, len(wrong))
    return drawn
