"""The inferior olive: cells that oscillate below threshold, coupled by gap junctions that nuclei close.

`subthreshold` is the two-variable cell (leak and a low-threshold calcium current), `spiking` the same cell
with synaptic noise and complex spikes. `network` makes clusters of them with their gap junctions and the
slow inhibition by the deep nuclei, as parts for a circuit:

    net = Circuit(**olive.network(4, 12, nuclei="nuclei", seed=3), nuclei=poisson(20, rates=0*Hz),
                  record=[trace("olive", "v"), spikes("olive")], dt=0.5*ms)
    net.but({"olive_gap.scale": 0.5, "nuclei.rates": 30*Hz, "olive.sigma": 0*pA})

Sizes, the number of junctions and the kind of nuclei are structure; everything else is open at run time, the
conductances of single cells and single junctions included.
"""

import dataclasses

import numpy as np
from brian2.units import Hz, amp, cm, ms, msiemens, mV, nS, pA, siemens, uF, um

from . import synapses, wiring
from .cell import Cell
from .circuit import population, projection
from .errors import CircuitError
from .values import describe, dimension, kind, number, same_dimension

__all__ = ["gap_junction", "network", "nucleo_olivary", "spiking", "subthreshold"]


def subthreshold(
    *, g_L=0.15 * msiemens / cm**2, g_Ca=0.40 * msiemens / cm**2, C_m=1 * uF / cm**2, E_L=-63 * mV,
    E_Ca=120 * mV, area=np.pi * (25 * um) ** 2, E_i=-75 * mV, g_0=0.25 * nS,
):
    """An olivary cell without spikes: leak and a low-threshold calcium current that inactivates slowly.

        C_m dv/dt = (I + g_i (E_i - v))/area - g_L (v - E_L) - g_Ca m**3 h (v - E_Ca)
        dh/dt = (h_inf - h)/tau_h              m = 1/(1 + exp(-(v + 61)/4.2))
        h_inf = 1/(1 + exp((v + 85.5)/8.6))    tau_h = 40 + 30/(1 + exp((v + 84)/7.3)) exp((v + 160)/30)
        coupling = 1/(1 + g_i/g_0)                                                       (in mV and ms)

    Manor, Rinzel, Segev & Yarom 1997 (J. Neurophysiol. 77:2736), in the form of Torben-Nielsen, Segev &
    Yarom 2012 (PLoS Comput. Biol. 8:e1002580, ModelDB 144502): conductances per membrane area, `area` the
    side of a cylinder of 25 x 25 um (1963 um2, so that C is 19.6 pF and g_L 2.9 nS). Of the 2012 parameters,
    0.15 and 0.40 mS/cm2 oscillate at 5.96 Hz, 0.25 and 0.72 at 8.28 Hz, 0.35 and 0.70 rest at -59.8 mV; it
    oscillates for g_Ca/g_L from 2.3 to 2.9 and with currents from -4 to +0.5 pA (at 0.15 mS/cm2).

    Inputs: I in amp (currents, gap junctions) and g_i in siemens, the conductance that nucleo-olivary fibres
    open. It inhibits the cell and closes its gap junctions, which `gap_junction` multiplies with `coupling`
    of both cells. That factor is the one of a junction between the heads of two spines (a glomerulus) whose
    necks have conductance g_n and which receive g_i: eliminating the heads leaves a junction between the
    dendrites of g_gap/((1 + g_i1/g_n) (1 + g_i2/g_n)) where g_gap is far below g_n (shunting of the junctions
    as in Llinas, Baker & Sotelo 1974). All of g_i counts as inhibition of the cell, although what enters at a
    head reaches it through the neck. E_i and g_0 are choices of this project for which no number was found:
    at g_i = g_0 half of a cell's coupling is left.

    Runge-Kutta of 4th order: at a step of 1 ms frequency and extremes are those of 0.05 ms to 0.02 % and
    0.001 mV; exponential Euler would be 1 % slow at 0.25 ms and 4 to 6 % at 1 ms. It stays stable up to 50 nS
    at 1 ms. v starts uniform between -60 and -53 mV, h at its steady state there.
    """
    return Cell(
        "olive_subthreshold",
        """dv/dt = ((I + g_i*(E_i - v))/area - g_L*(v - E_L) - g_Ca*m**3*h*(v - E_Ca))/C_m : volt
           dh/dt = (h_inf - h)/tau_h : 1
           m = 1/(1 + exp(-(v + 61*mV)/(4.2*mV))) : 1
           h_inf = 1/(1 + exp((v + 85.5*mV)/(8.6*mV))) : 1
           tau_h = (40 + 30/(1 + exp((v + 84*mV)/(7.3*mV)))*exp((v + 160*mV)/(30*mV)))*ms : second
           coupling = 1/(1 + g_i/g_0) : 1""",
        params=dict(g_L=g_L, g_Ca=g_Ca, C_m=C_m, E_L=E_L, E_Ca=E_Ca, area=area, E_i=E_i, g_0=g_0),
        inputs={"I": amp, "g_i": siemens},
        method="rk4",
        init={"v": "-60*mV + 7*mV*rand()", "h": "h_inf"},
        source="Manor et al. 1997; Torben-Nielsen et al. 2012",
    )


def spiking(
    *, V_t=-37 * mV, Delta_V=4 * mV, rho=100 * Hz, G_K=3 * nS, tau_K=50 * ms, E_K=-75 * mV, t_ref=10 * ms,
    sigma=3 * pA, tau_n=5 * ms, **subthreshold_numbers,
):
    """An olivary cell with complex spikes, which ride on its oscillation, and with synaptic noise.

        spike with probability 1 - exp(-hazard dt) in each step,   hazard = rho exp((v - V_t)/Delta_V)
        I += g_K (E_K - v) + I_n      dg_K/dt = -g_K/tau_K      at a spike: g_K += G_K
        I_n: Ornstein-Uhlenbeck current of mean 0, SD sigma and correlation time tau_n, one for each cell

    on top of `subthreshold`, whose parameters it takes too; calcium and its inactivation keep their own
    dynamics. The Manor cell has no spikes: all of the above is this project's. A spike stands for the whole
    complex (the fast sodium spike and the depolarisation of 10 to 15 ms after it, in which the cell fires no
    other) and does not move v; the potassium conductance that it opens takes the cell to -68 mV for some 100
    ms, a rebound of the calcium current follows, and the phase of the oscillation is set anew (after Llinas &
    Yarom 1981, 1986, from memory). The threshold is soft (escape noise, Gerstner & Kistler 2002, chapter 5):
    with a hard one the rate would hang on fluctuations of v that gap junctions average out, and inhibition,
    which closes them, would raise it. V_t was set for 1 Hz in a network at rest (complex spikes come at 0.5
    to 2 Hz); Delta_V, G_K and sigma were chosen so that the rate rises with I and falls with g_i throughout.
    In a network it is 0.9, 1.2, 1.6, 2.8, 5.6 and 12.5 Hz at 0, 5, 10, 20, 40 and 80 pA (flat from -4 to 2
    pA, 0.07 Hz at -10 pA), and at 0 pA 0.9, 0.7, 0.55, 0.16 and 0.08 Hz at 0.13, 0.27, 0.4, 0.67 and 1 nS.

    I_n is exact at any step; the rest is as accurate as `subthreshold`.
    """
    cell = subthreshold(**subthreshold_numbers).plus(
        """dg_K/dt = -g_K/tau_K : siemens
           dI_n/dt = (sigma*kick/sqrt(tanh(0.5*dt/tau_n)) - I_n)/tau_n : amp
           kick = randn() : 1 (constant over dt)
           hazard = rho*exp((v - V_t)/Delta_V) : Hz""",
        adds={"I": "g_K*(E_K - v) + I_n"},
        threshold="rand() < 1 - exp(-hazard*dt)",
        reset="g_K += G_K",
        refractory="t_ref",
        params=dict(
            V_t=V_t, Delta_V=Delta_V, rho=rho, G_K=G_K, tau_K=tau_K, E_K=E_K, t_ref=t_ref, sigma=sigma,
            tau_n=tau_n,
        ),
        name="olive_spiking",
    )
    spikes = "spikes: this project, after Llinas & Yarom 1981, 1986, as remembered"
    return dataclasses.replace(cell, source=f"{cell.source}; {spikes}")


def gap_junction(w=0.15 * nS, scale=1.0, port="I"):
    """A gap junction in a glomerulus: the current scale w coupling_pre coupling_post (v_pre - v_post).

    `coupling` is that of the two cells (see `subthreshold`); `scale` multiplies all junctions of a
    projection, 0 removes them. One direction, like `synapses.gap_junction`, which also works here but is not
    closed by inhibition.
    """
    junction = synapses.gap_junction(w, port)
    return dataclasses.replace(
        junction,
        name="olive.gap_junction",
        summed={"I_gap": "scale*w*coupling_pre*coupling_post*(v_pre - v_post)"},
        params={**junction.params, "scale": scale},
        needs={**junction.needs, "coupling": 1, "coupling_pre": 1},
        remedy={name: "Take cells from circuits.olive, or synapses.gap_junction."
                for name in ("coupling", "coupling_pre")},
        source="after Llinas, Baker & Sotelo 1974; the form is this project's",
    )  # fmt: skip


def nucleo_olivary(w=0.01 * nS, tau_rise=30 * ms, tau_decay=100 * ms):
    """Inhibition of the olive by the deep nuclei: each spike adds a slow conductance of peak w to g_i.

    Difference of two exponentials with area 167 ms at the default time constants: 20 fibres at 30 Hz open
    1 nS. GABA is released almost only asynchronously there, so that above 10 Hz the inhibition is steady
    (Best & Regehr 2009, Neuron 62:555, abstract). The time constants are this project's and make it so; they
    are fitted to no recording. That low rates release next to nothing (facilitation) is left out, for which
    `synapses.tsodyks_markram` can be put around this synapse.
    """
    kernel = synapses.double_exponential_conductance(w, tau_rise, tau_decay)
    params = {name: value for name, value in kernel.params.items() if name != "E"}
    return dataclasses.replace(
        kernel, name="nucleo_olivary", adds={"g_i": "g"}, params=params, needs={}, source="Best & Regehr 2009"
    )


def network(
    clusters=4, size=12, *, cell=None, gap=(0.05, 0.25) * nS, partners=4, spread=0.02, nuclei=None,
    name="olive", seed=0,
):
    """Parts of a circuit: cells `name`, junctions `name`_gap, and, from `nuclei`, `name`_inhibition.

    Clusters stand one after the other (cells k*size to (k + 1)*size - 1); no junction leaves a cluster.

    Parameters
    ----------
    clusters, size : int
        How many clusters, and cells in each (Torben-Nielsen et al. 2012: 4 of 12).
    cell : Cell
        `spiking()` if not given.
    gap : two conductances
        Bounds of the uniform distribution of junctions. Torben-Nielsen et al. 2012 go up to 0.7 nS, which in
        a cell of this size gives coupling coefficients up to 0.3; those that Devor & Yarom 2002 measured lie
        between 0.002 and 0.17, as those of the default do (0.03 to 0.15).
    partners : int
        Junctions in a cluster, over its cells: size*partners different pairs are drawn (all pairs where there
        are fewer). Torben-Nielsen et al. 2012 let every cell choose 4 partners, so that some pairs have two
        junctions, and join clusters to each other.
    spread : float
        Relative SD of g_L and g_Ca over cells, normal, independent, cut at 3 SD. Torben-Nielsen et al. have
        1 to 3 % for g_L and 8 to 25 % for g_Ca; of cells with 25 % most do not oscillate alone.
    nuclei : str
        The part whose spikes inhibit all of the cells; None leaves the inhibition out.
    name : str
        Name of the population and beginning of the other names, so that a circuit may hold several olives.
    seed : int or SeedSequence
        Draws junctions and cells. Another seed is another network of the same structure: it runs in the same
        program.

    Raises
    ------
    CircuitError
        For sizes that are not whole, spreads outside of 0 to 0.3, and bounds that are not
        two conductances in order.
    """
    for label, value, least in (("clusters", clusters, 1), ("size", size, 1), ("partners", partners, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise CircuitError(
                f"olive.network, {label}: got {value!r}; give a whole number of at least {least}."
            )
    if not 0 <= spread <= 0.3:
        raise CircuitError(f"olive.network, spread: got {spread!r}; it is a relative SD, 0 to 0.3.")
    gap = number(gap, "olive.network, gap")
    if kind(gap) != "array" or np.shape(gap) != (2,) or not 0 <= gap[0] <= gap[1]:
        raise CircuitError(
            f"olive.network, gap: got {describe(gap)}; give the smallest and the largest conductance, such "
            "as (0.05, 0.7)*nS."
        )
    same_dimension(gap, dimension(nS), "olive.network, gap")
    cell = spiking() if cell is None else cell
    random = np.random.default_rng(seed)
    first, second = np.triu_indices(size, 1)
    joined = min(size * partners, len(first))
    i, j, w = [], [], []
    for start in range(0, clusters * size, size):
        chosen = random.permutation(len(first))[:joined]
        a, b, g = first[chosen] + start, second[chosen] + start, random.uniform(*np.asarray(gap), joined)
        i, j, w = [*i, *a, *b], [*j, *b, *a], [*w, *g, *g]
    drawn = {}
    for label in ("g_L", "g_Ca"):
        factor = 1 + spread * np.clip(random.standard_normal(clusters * size), -3, 3)
        if label not in cell.params or kind(cell.params[label]) == "expression":
            raise CircuitError(
                f"olive.network, cell: {cell.name!r} has no number {label} to spread. Take a cell from "
                "circuits.olive."
            )
        drawn[label] = cell.params[label] * factor
    parts = {name: population(cell.but(**drawn), clusters * size)}
    if joined:
        parts[f"{name}_gap"] = projection(name, name, gap_junction(w * siemens), wiring.pairs(i, j))
    if nuclei is not None:
        parts[f"{name}_inhibition"] = projection(nuclei, name, nucleo_olivary(), wiring.all_to_all())
    return parts
