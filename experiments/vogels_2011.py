"""Inhibitory plasticity: a recurrent network finds its balance and fires irregularly at the rate it is given.

Vogels, Sprekeler, Zenke, Clopath & Gerstner 2011: 8000 excitatory and 2000 inhibitory neurons, every pair
connected with probability 2 %, all weights fixed but those of inhibition onto excitatory cells, which change
by eta (y - 2 rho tau) at presynaptic and eta x at postsynaptic spikes. The excitatory rate then follows rho
with slope 1; without plasticity it does not.

The rate lies above rho by about 1 Hz up to 10 Hz, at every time step and however long one waits: the rule
balances 2 tau r_pre (r_post - rho) with the covariance of the two spike trains, which is negative. In the
window after a spike of an inhibitory cell (a target has 40 of them, of about 3 nS) come 0.04 to 0.05 spikes
fewer than by chance, and 0.04/(2 tau) is 1 Hz. So the rate is within 10 % of rho from 12 Hz on, not below:
6 Hz for a rho of 5 Hz. The claim of 10 % is made for all of them, and fails there.

Deviations: learning begins at 2.6 nS with eta 0.1 nS, to be stationary after 15 s (the paper learns for an
hour); no delays. The quick form has half of the cells with the same number of synapses each.
"""

import numpy as np
import pandas as pd
from brian2 import Hz, ms, nS, pA, second

import engine
from analysis import plots
from analysis.spikes import cv, firing_rates, population_rate
from circuits import Circuit, current, neurons, population, projection, spikes, synapses, weights, wiring
from experiments import Claim, keep, progress
from plasticity import compose, hard, stdp

SOURCE = "Vogels et al. 2011, fig. 4 and supporting text"
QUICK = dict(n=5000, rhos=(5.0, 12.0), duration=16 * second, n_seeds=1, n_half_step_seeds=0)

IN_DEGREE = 200  # synapses onto a cell, of which a fifth are inhibitory
LATE = 0.5  # the last part of a run, in which it is measured
COLUMNS = ["condition", "rho_Hz", "seed", "rate_Hz", "rate_inhibitory_Hz", "cv", "mean_weight_nS"]


def network(n, *, eta=0.1 * nS, w=2.6 * nS, every=1 * second, dt=0.1 * ms):
    """n cells, four fifths of them excitatory; numbers of the rule: "inh_exc.eta_inhibitory", "..rho..".

    Raises ValueError where fewer cells than synapses per cell are asked for.
    """
    if n < 2 * IN_DEGREE:
        least = 2 * IN_DEGREE
        raise ValueError(f"n = {n}: with {IN_DEGREE} synapses onto each cell take at least {least} cells.")
    n_e, p = round(0.8 * n), wiring.probability(IN_DEGREE / n)
    exc, inh = f"cells[:{n_e}]", f"cells[{n_e}:]"
    rule = stdp.inhibitory(eta=eta, rho=5 * Hz, tau=20 * ms)
    plastic = compose(rule, synapse=synapses.delta("g_i", w=w), bounds=hard(0 * nS, 100 * nS))
    return Circuit(
        cells=population(neurons.leaky_conductance(), n, init={"v": "E_L + rand()*(V_t - E_L)"}),
        background=current("cells", "I", 200 * pA),
        exc=projection(exc, "cells", synapses.delta("g_e", w=0.3 * nS), p),
        inh_inh=projection(inh, inh, synapses.delta("g_i", w=3 * nS), p),
        inh_exc=projection(inh, exc, plastic, p),
        record=[spikes("cells"), weights("inh_exc", every=every)],
        dt=dt,
    )


def run(
    *,
    n=10_000,
    rhos=(5.0, 10.0, 14.0),
    eta=0.1 * nS,
    duration=30 * second,
    dt=0.1 * ms,
    n_seeds=5,
    n_half_step_seeds=1,
    seed=1,
):
    seeds, rows, shown = [seed + k for k in range(n_seeds)], [], {}
    length, n_e = float(duration), round(0.8 * n)
    base = {divide: network(n, eta=eta, every=duration / 20, dt=dt / divide) for divide in (1, 2)}

    def row(condition, rho, one, net, length=length):
        recording = engine.run(net.but({"inh_exc.rho_inhibitory": rho * Hz}), length * second, seed=one)
        s, w = recording.spikes["cells"], recording.weights["inh_exc.w"]
        start = (1 - LATE) * length
        late, excitatory = s.t >= start, s.i < n_e
        rates = firing_rates(s.t, s.i, s.n, length, start)
        chosen = late & excitatory
        irregular = np.nanmean(cv(s.t[chosen], s.i[chosen], n_e))
        values = 1e9 * w.values
        both = rates[:n_e].mean(), rates[n_e:].mean()
        rows.append((condition, rho, one, *both, irregular, values[-1].mean()))
        if (condition, rho) not in shown:
            t, rate = population_rate(s.t[excitatory], n_e, length, length / 60)
            first = excitatory & (s.i < 100) & (s.t > length - 1)
            shown[condition, rho] = {
                "t": t, "rate": rate, "rates": rates[:n_e], "weights": values[-1], "w_t": w.t,
                "mean_weight": values.mean(axis=1), "raster_t": s.t[first], "raster_i": s.i[first],
            }  # fmt: skip

    for one in progress(seeds, "seeds"):
        for rho in rhos:
            row("plastic", rho, one, base[1])
            row("frozen", rho, one, base[1].but({"inh_exc.eta_inhibitory": 0 * nS}), length / 10)
            if one < seed + n_half_step_seeds:
                row("half step", rho, one, base[2])
        table = pd.DataFrame(rows, columns=COLUMNS)
        keep(table=table)
    return {
        "table": table,
        "seeds": seeds,
        "n": n,
        "n_exc": n_e,
        "rhos": np.array(rhos),
        "duration": length,
        "dt": float(dt / ms),
        "shown": {f"{condition} {rho:g}": one for (condition, rho), one in shown.items()},
    }


def slope(table, condition):
    """Slope of the excitatory rate over rho: the mean over seeds."""
    rows = table[table.condition == condition]
    fits = [np.polyfit(g.rho_Hz, g.rate_Hz, 1)[0] for _, g in rows.groupby("seed") if len(g) > 1]
    return float(np.mean(fits)) if fits else np.nan


def figure(results):
    table, rhos, shown = results["table"], results["rhos"], results["shown"]
    top = rhos[-1]
    one = shown[f"plastic {top:g}"]
    fig, axes = plots.figure(
        "AAB;CDE",
        4.6,
        titles={
            "A": "Excitatory rate while inhibition learns",
            "B": "Rate against target",
            "C": f"100 cells, target {top:g} Hz",
            "D": "Rates of cells",
            "E": "Plastic weights",
        },
        title=f"Inhibitory plasticity in a network of {results['n']} cells; "
        f"{plots.seeds(results['seeds'])}, {results['duration']:g} s each"
        + (f", A and C to E seed {results['seeds'][0]}" if len(results["seeds"]) > 1 else ""),
    )
    end = results["duration"]
    plots.raster(one["raster_t"], one["raster_i"], ax=axes["C"], start=end - 1, end=end)
    with plots.style():
        for k, rho in enumerate(rhos):
            color, part = plots.PALETTE[k], shown[f"plastic {rho:g}"]
            axes["A"].plot(part["t"], part["rate"], color=color, label=f"{rho:g} Hz")
            axes["A"].axhline(rho, color=color, linestyle=":", linewidth=0.8)
            axes["D"].hist(part["rates"], 60, range=(0, 1.4 * top), color=color, alpha=0.7)
            most = np.percentile(part["weights"], 99.5)
            axes["E"].hist(part["weights"], 60, range=(0, most), color=color, histtype="step")
            axes["D"].axvline(rho, color=color, linestyle=":", linewidth=0.8)
        axes["A"].set(xlabel="time (s)", ylabel="mean rate (Hz)", ylim=(0, 1.7 * top))
        axes["A"].legend(title="target (dotted)", ncols=len(rhos), loc="upper right")
        ax = axes["B"]
        for condition, mark, color in (("plastic", "o", plots.BLUE), ("half step", "x", plots.BLACK),
                                       ("frozen", "s", plots.GREY)):  # fmt: skip
            rows = table[table.condition == condition]
            if len(rows):
                ax.plot(rows.rho_Hz, rows.rate_Hz, mark, color=color, fillstyle="none", label=condition)
        ax.plot([0, top], [0, top], color=plots.GREY, linewidth=0.8, label="rate = target", zorder=0)
        highest = 2.1 * table.rate_Hz.max()
        ax.set(xlabel="target rho (Hz)", ylabel="excitatory rate (Hz)", ylim=(0, highest), xlim=(0, None))
        ax.legend(loc="upper left")
        axes["D"].set(xlabel="rate (Hz)", ylabel="cells", yscale="log")
        axes["E"].set(xlabel="weight (nS)", ylabel="synapses")
    return fig


def claims(results):
    table, rhos = results["table"], results["rhos"]
    source, own = "Vogels et al. 2011", "Vogels et al. 2011; bounds of this project"
    made = []
    for condition, name in (("plastic", ""), ("half step", f" (dt {results['dt'] / 2:g} ms)")):
        rows = table[table.condition == condition]
        if rows.empty:
            continue
        made.append(Claim(f"slope of the rate over rho{name}", slope(table, condition), 0.9, 1.1, "", source))
        for rho in rhos:
            part = rows[rows.rho_Hz == rho]
            excess = part.rate_Hz.mean() - rho
            made.append(Claim(f"rate over rho, rho = {rho:g} Hz{name}", 1 + excess / rho, 0.9, 1.1, "", own))
            if rho < 12:
                title = f"excess over rho, rho = {rho:g} Hz{name}"
                made.append(Claim(title, excess, 0, 1.5, "Hz", "tolerance of this project"))
            made.append(Claim(f"CV of intervals, rho = {rho:g} Hz{name}", part.cv.mean(), 0.8, 1.2, "", own))
    frozen = table[(table.condition == "frozen") & (table.rho_Hz == rhos[-1])].rate_Hz.mean() / rhos[-1]
    name = f"rate over rho, rho = {rhos[-1]:g} Hz, without plasticity"
    return [
        *made,
        Claim("slope without plasticity", slope(table, "frozen"), 0.9, 1.1, "", source, control=True),
        Claim(name, frozen, 0.9, 1.1, "", own, control=True),
    ]
