"""The window of stability: Hebbian plasticity needs homeostasis that is faster the faster it learns.

A network whose recurrent excitation learns by the triplet rule, with depression that follows a running
average of each neuron's rate (Zenke, Hennequin & Gerstner 2013; `plasticity.homeostasis.triplet_ltd`).
The average has the time constant tau. If it is short, the rate stays near kappa = 3 Hz; if it is long,
depression comes too late, weights and rates run away. Linearised in the mean field, the fixed point is
lost at tau = 1/(eta h), with the rate eta h at which weights alone would grow: the critical time constant
falls as 1/eta. Here it falls faster, with an exponent between -1.5 and -2: the gain of the network rises
steeply with the weights, so that fluctuations, which grow with eta, end in a runaway before the fixed point
is lost. A run is a runaway if the excitatory rate, in bins of 1 s, once exceeds five times kappa.

tau_c is estimated on the first half of the seeds, halfway (in the logarithm) between the longest tau up to
which all runs are stable and the next; the other seeds are judged by it.

Parameters of the rule are the paper's (A3+ 6.5e-3 in units of the leak conductance times eta, time constants
16.8, 33.7 and 114 ms, kappa 3 Hz). The network is ours: 400 excitatory and 100 inhibitory leaky cells with
conductances, where the paper has 20,000 and 5000 with NMDA and adaptation, probability of a connection 0.1,
excitatory weights 0.7 nS, inhibitory ones 8 nS, and an own Poisson input of 200 Hz and 1.25 nS to every
cell, which gives about 3 Hz. With so few inputs a step of a weight is larger than the paper's relative to
what a cell receives; absolute values of tau_c are those of this network.
"""

import numpy as np
import pandas as pd
from brian2 import Hz, ms, nS, second

from analysis import plots
from circuits import Circuit, neurons, poisson, population, projection, rate, synapses, weights, wiring
from experiments import Claim, sweep
from experiments.runs import workspace
from plasticity import compose, hard, homeostasis

SOURCE = "Zenke, Hennequin & Gerstner 2013"
QUICK = dict(
    etas=(0.5, 2.0), taus=tuple(tau * second for tau in (1, 2, 4, 8, 16, 32)), duration=30 * second,
    dt=0.2 * ms, n_seeds=2,
)  # fmt: skip

KAPPA = 3.0  # Hz
RUNAWAY = 5 * KAPPA
LEAK = 10 * nS
A3_PLUS = 6.5e-3  # per leak conductance
RULE = "ee.A_plus_triplet_ltd", "ee.tau_nu_triplet_ltd"


def network(n=500, dt=0.1 * ms):
    """The network at eta = 1; what is swept are the numbers of RULE."""
    n_e = round(0.8 * n)
    exc, inh, p = f"cells[:{n_e}]", f"cells[{n_e}:]", wiring.probability(50 / n)
    rule = homeostasis.triplet_ltd(A_plus=A3_PLUS * LEAK, kappa=KAPPA * Hz)
    plastic = compose(rule, synapse=synapses.delta("g_e", w=0.7 * nS), bounds=hard(0 * nS, 50 * nS))
    inhibition = synapses.delta("g_i", w=8 * nS)
    return Circuit(
        cells=population(neurons.leaky_conductance(), n, init={"v": "E_L + rand()*(V_t - E_L)"}),
        input=poisson(n, 200 * Hz),
        drive=projection("input", "cells", synapses.delta("g_e", w=1.25 * nS), wiring.one_to_one()),
        ee=projection(exc, exc, plastic, p),
        ei=projection(exc, inh, synapses.delta("g_e", w=0.7 * nS), p),
        ie=projection(inh, exc, inhibition, p),
        ii=projection(inh, inh, inhibition, p),
        record=[rate(exc, every=1 * second), weights("ee")],
        dt=dt,
    )


def measured(recording):
    """The largest and the late excitatory rate, and the mean weight at the end."""
    (bins,) = recording.rates.values()
    late = bins.rate[len(bins.rate) * 3 // 4 :]
    return {
        "largest_rate": (float(bins.rate.max()), "Hz"),
        "late_rate": (float(late.mean()), "Hz"),
        "weight": (1e9 * float(recording.weights["ee.w"].values[-1].mean()), "nS"),
    }


def run(
    *,
    etas=(0.5, 1.0, 2.0),
    taus=tuple(tau * second for tau in (0.5, 1, 2, 4, 8, 16, 32, 64)),
    duration=100 * second,
    dt=0.1 * ms,
    n_seeds=4,
    seed=1,
):
    seeds = [seed + k for k in range(n_seeds)]
    given = dict(seeds=seeds, duration=duration, measure=measured)
    net = network(dt=dt)
    with workspace("sweep") as folder:
        over = {RULE[0]: [eta * A3_PLUS * LEAK for eta in etas], RULE[1]: list(taus)}
        table = sweep(net, over, folder=folder, **given)
    with workspace("controls") as folder:  # no learning; depression that stays as it is at kappa
        never = 1e9 * second
        pairs = [(0 * nS, min(taus)), *((eta * A3_PLUS * LEAK, never) for eta in etas)]
        controls = sweep(net, {RULE: pairs}, folder=folder, **given)
    return {
        "table": _plain(table),
        "controls": _plain(controls),
        "etas": np.array(etas),
        "taus": np.array([float(tau) for tau in taus]),
        "seeds": seeds,
        "duration": float(duration),
    }


def _plain(table):
    """The table in the words of the experiment: eta, tau (s), seed, rates, whether the run ran away."""
    failed = table[table["error"] != ""]
    if len(failed):
        raise RuntimeError(f"{len(failed)} of {len(table)} runs failed: {failed['error'].iloc[0]}")
    units = table.attrs["units"]
    scale = {"nS": 1.0, "pS": 1e-3, "S": 1e9}[units[RULE[0]]]
    seconds = {"s": 1.0, "ms": 1e-3}[units[RULE[1]]]
    eta = table[RULE[0]].to_numpy() * scale / (A3_PLUS * float(LEAK / nS))
    columns = {
        "eta": np.round(eta, 9),
        "tau": table[RULE[1]].to_numpy() * seconds,
        "seed": table["seed"].to_numpy(),
    }
    made = pd.DataFrame(columns)
    for name in ("largest_rate", "late_rate", "weight"):
        made[name] = table[name].to_numpy()
    made["runaway"] = made["largest_rate"] > RUNAWAY
    return made


def halves(results):
    """The seeds that tau_c is estimated on, and those that it is tested on."""
    seeds, n = results["seeds"], max(len(results["seeds"]) // 2, 1)
    return seeds[:n], seeds[n:]


def critical(table, taus, seeds):
    """tau_c (s) by eta: between the longest tau up to which all runs are stable and the next."""
    found = {}
    for eta, rows in table[table["seed"].isin(seeds)].groupby("eta"):
        stable = [not rows[rows["tau"] == tau]["runaway"].any() for tau in taus]
        n = stable.index(False) if False in stable else len(taus)
        found[eta] = np.sqrt(taus[n - 1] * taus[n]) if 0 < n < len(taus) else np.nan
    return found


def judged(results):
    """Fractions of runs of the other seeds: stable up to tau_c/2, runaway from 2 tau_c on."""
    learn, test = halves(results)
    table, tau_c = results["table"], critical(results["table"], results["taus"], learn)
    rows = table[table["seed"].isin(test)]
    ratio = rows["tau"] / rows["eta"].map(tau_c)
    below, above = rows[ratio <= 0.5], rows[ratio >= 2]
    return 1 - below["runaway"].mean(), above["runaway"].mean()


def shrinkage(tau_c):
    """The largest ratio of tau_c from one eta to the next: below 1 where it shrinks all along."""
    found = np.array([tau_c[eta] for eta in sorted(tau_c)])
    return float(np.max(found[1:] / found[:-1])) if len(found) > 1 else np.nan


def figure(results):
    table, etas, taus, seeds = (results[key] for key in ("table", "etas", "taus", "seeds"))
    tau_c = critical(table, taus, seeds)
    fig, axes = plots.figure(
        "AABB",
        2.9,
        titles={"A": "Runs that run away (diamonds: tau$_c$; dashed: 1/eta)", "B": "Largest excitatory rate"},
        title=f"Homeostatic time constant against learning rate, {results['duration']:g} s each; "
        f"seeds {seeds[0]} to {seeds[-1]}",
    )
    fraction = table.groupby(["tau", "eta"])["runaway"].mean().unstack().reindex(taus)[list(etas)]
    names = [f"{eta:g}" for eta in etas], [f"{tau:g}" for tau in taus]
    plots.heat_map(
        fraction.to_numpy(), *map(np.array, names), ax=axes["A"], low=0, high=1, annotate=".2f",
        x_label="learning rate eta", y_label="tau (s)", value_label="fraction of seeds",
    )  # fmt: skip
    with plots.style():
        ax = axes["A"]
        column = np.arange(len(etas))
        row = np.interp(np.log([tau_c[eta] for eta in etas]), np.log(taus), np.arange(len(taus)))
        ax.plot(column, row, "D", color=plots.VERMILLION, markeredgecolor="white")
        first = np.flatnonzero(np.isfinite(row))
        if len(first):
            k = first[0]
            line = np.log(tau_c[etas[k]] * etas[k] / etas)
            fitted = np.interp(line, np.log(taus), np.arange(len(taus)), left=np.nan, right=np.nan)
            ax.plot(column, fitted, "--", color=plots.VERMILLION, linewidth=0.9)
        ax = axes["B"]
        shades = plots.matplotlib.colormaps["viridis"](np.linspace(0, 0.85, len(etas)))
        for eta, color in zip(etas, shades, strict=True):
            rows = table[table["eta"] == eta]
            ax.plot(rows["tau"], rows["largest_rate"], "o", color=color, markersize=2.5, alpha=0.6)
            ax.plot(
                taus,
                rows.groupby("tau")["largest_rate"].median().reindex(taus),
                color=color,
                label=f"{eta:g}",
            )
        ax.axhline(RUNAWAY, linestyle=":", color=plots.GREY, linewidth=0.9)
        ax.set(xscale="log", yscale="log", xlabel="tau (s)", ylabel="largest rate in 1 s (Hz)")
        ax.set_xticks(taus, names[1])
        ax.minorticks_off()
        ax.legend(title="eta", loc="upper left", bbox_to_anchor=(1.0, 1.02))
    return fig


def claims(results):
    taus, (learn, _) = results["taus"], halves(results)
    own, paper = "bound of this project", "Zenke et al. 2013"
    tau_c = critical(results["table"], taus, learn)
    stable, runaway = judged(results)
    ratio = shrinkage(tau_c)
    defined = np.isfinite(list(tau_c.values())).mean()
    made = [
        Claim("learning rates with a critical tau, of all", defined, 1, 1, "", own),
        Claim("other seeds, tau up to half of critical: stable", stable, 1, 1, "", own),
        Claim("other seeds, tau from twice critical on: runaway", runaway, 1, 1, "", own),
        Claim("critical tau over that of the eta before, largest", ratio, 0, 0.9, "", f"{paper}: shrinks"),
    ]
    table, controls = results["table"], results["controls"]
    shortest = table[(table["tau"] == taus.min())]
    made.append(
        Claim("late rate, shortest tau", shortest["late_rate"].mean() / KAPPA, 0.5, 1.5, "kappa", own)
    )
    without, fixed = controls[controls["eta"] == 0], controls[controls["eta"] > 0]
    return [
        *made,
        Claim("stable, depression that does not follow the rate", 1 - fixed["runaway"].mean(), 1, 1, "", own,
              control=True),
        Claim("runaway, no learning", without["runaway"].mean(), 1, 1, "", own, control=True),
    ]  # fmt: skip
