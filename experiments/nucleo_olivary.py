"""The nuclei inhibit the olive: without it, climbing fibres go on firing when the error is gone, and weights
do not come to rest.

The loop of `vor_adaptation` with the nucleo-olivary inhibition closed, blocked from the start, and blocked
once learning is done. The olive is excitable by itself; what the nuclei command, delayed by a slow synapse
as long as the error, balances it (Bengtsson & Hesslow 2006, Cerebellum 5:7; Kenyon, Medina & Mauk 1998,
J. Comput. Neurosci. 5:17). With the loop closed the climbing fibres settle at the rate at which depression
and potentiation of the parallel fibres cancel. With it open the eye still learns, because the error still
tells the two directions apart, but both sides' climbing fibres fire fast, all Purkinje cells lose weight
together, and the drive lies where the olive saturates, so that it tells errors less well.

Parameters and deviations as in `vor_adaptation`. Synchrony is the mean correlation of the spikes of two
climbing fibres of one channel in bins of 20 ms: with this random olive it is only that of a common drive
(what gap junctions do is in `olive_oscillation`).
"""

import numpy as np
import pandas as pd
from brian2 import Hz, ms

from analysis import plots
from experiments import Claim, keep, progress, reflex

SOURCE = "Kenyon, Medina & Mauk 1998; Bengtsson & Hesslow 2006"
QUICK = dict(n_trials=400, n_seeds=1)

CONDITIONS = ("closed", "open", "opened")
EDGES = np.linspace(-0.9, 0.9, 13)  # of the error, for the tuning of climbing fibres
LATE = 50


def run(*, n_trials=1000, frequency=1 * Hz, strength=0.18, dt=1 * ms, n_seeds=5, seed=1):
    seeds = [seed + k for k in range(n_seeds)]
    net = reflex.loop(frequency=frequency, dt=dt).but({"nucleo_olivary.w": strength})
    opened = np.arange(n_trials) >= n_trials // 2
    tables, rows, tuning, changes = [], [], {}, {}
    for one in progress(seeds, "seeds"):
        for condition, block in zip(CONDITIONS, (0.0, 1.0, opened.astype(float)), strict=True):
            found = reflex.learned(net, n_trials, block=block, n_snapshots=20, seed=one)
            tables.append(found["trials"].assign(condition=condition, seed=one))
            rows.append(
                {
                    "condition": condition,
                    "seed": one,
                    "drift": reflex.drift(found),
                    "synchrony": synchrony(found, n_trials // 10),
                    "mean_weight_change": found["weights"][-1].mean() - found["weights"][0].mean(),
                }
            )
            tuning.setdefault(condition, []).append(rate_of_error(found, net, n_trials // 10))
            changes.setdefault(condition, []).append(found["change"])
            keep(trials=pd.concat(tables, ignore_index=True), measures=pd.DataFrame(rows))
    return {
        "trials": pd.concat(tables, ignore_index=True),
        "measures": pd.DataFrame(rows),
        "seeds": seeds,
        "tuning": np.array([tuning[c] for c in CONDITIONS]),
        "changes": np.array([changes[c] for c in CONDITIONS]) / (n_trials / 20),
        "opened_at": n_trials // 2,
        "frequency": float(frequency),
        "dt": float(dt / ms),
    }


def rate_of_error(found, net, n_trials):
    """Climbing-fibre spikes per second against the error of its side when it reached the olive.

    Over the first n_trials, in which errors of all sizes come. NaN where an error does not occur.
    """
    trial = reflex.trial_of(net)
    every = float(reflex.EYE_EVERY)
    eye, numbers = found["eye"][:n_trials], net.numbers()
    shift = round(numbers["plant.delay"] / every)
    error = np.roll((found["head"][None, :] - eye).ravel(), shift)
    step = np.minimum((found["cf_t"] / every).astype(int), error.size)
    n = found["cf_i"].max() + 1
    early = step < error.size
    spikes, time = np.zeros(len(EDGES) - 1), np.zeros(len(EDGES) - 1)
    for side, mine in ((1, found["cf_i"] < n // 2), (-1, found["cf_i"] >= n // 2)):
        spikes += np.histogram(side * error[step[early & mine]], EDGES)[0]
        time += np.histogram(side * error, EDGES)[0] * every * (n // 2)
    return np.where(time > trial, spikes / np.maximum(time, every), np.nan)


def synchrony(found, n_trials, width=0.02):
    """Mean correlation of two climbing fibres of a channel, over the last n_trials."""
    end = found["model_seconds"]
    start = end * (1 - n_trials / len(found["trials"]))
    n = found["cf_i"].max() + 1
    edges = np.arange(start, end + width / 2, width)
    counts = [np.histogram(found["cf_t"][found["cf_i"] == k], edges)[0] for k in range(n)]
    pairs = []
    for cells in (counts[: n // 2], counts[n // 2 :]):
        matrix = np.corrcoef(cells)
        pairs += list(matrix[np.triu_indices(len(cells), 1)])
    return float(np.mean(pairs))


def figure(results):
    table, measures, seeds = results["trials"], results["measures"], results["seeds"]
    fig, axes = plots.figure(
        "ABC;DEF",
        4.9,
        titles={
            "A": "Error",
            "B": "Climbing fibres",
            "C": "Change of weights",
            "D": "Firing against error",
            "E": "Tuning to the error",
            "F": "Synchrony",
        },
        title=f"Nucleo-olivary inhibition, reflex at {results['frequency']:g} Hz, step {results['dt']:g} ms; "
        f"{plots.seeds(seeds)} (lines in A to C, points in D)",
    )
    looks = dict(zip(CONDITIONS, (plots.BLUE, plots.VERMILLION, plots.ORANGE), strict=True))
    names = {"closed": "closed", "open": "open", "opened": f"opened at {results['opened_at']}"}
    with plots.style():
        for condition, color in looks.items():
            for k, (_, found) in enumerate(table[table.condition == condition].groupby("seed")):
                error, cf = reflex.block_mean(found.error), reflex.block_mean(found.cf)
                x = 10 * np.arange(len(cf)) + 5
                look = dict(color=color, linewidth=0.8, alpha=0.8, label="" if k else names[condition])
                axes["A"].plot(x, error, **look)
                axes["B"].plot(x, cf, **look)
                if condition != "opened":
                    axes["D"].plot(error, cf, ".", color=color, markersize=2.5, alpha=0.6,
                                   label="" if k else condition)  # fmt: skip
            place = CONDITIONS.index(condition)
            n_trials = 2 * results["opened_at"]
            change = results["changes"][place]
            x = (np.arange(change.shape[1]) + 0.5) * n_trials / change.shape[1]
            axes["C"].plot(x, 1e3 * change.T, color=color, linewidth=0.8, alpha=0.8)
            if condition != "opened":
                middle = (EDGES[1:] + EDGES[:-1]) / 2
                axes["E"].plot(middle, np.nanmean(results["tuning"][place], axis=0), "o-", color=color,
                               markersize=3, label=condition)  # fmt: skip
        axes["A"].set(xlabel="trial", ylabel="mean absolute error (1)", ylim=(0, 0.85))
        axes["B"].set(xlabel="trial", ylabel="spikes/s and cell", ylim=(0, None))
        axes["C"].set(xlabel="trial", ylabel="change per trial (pS)", ylim=(0, None))
        axes["D"].set(xlabel="mean absolute error (1)", ylabel="spikes/s and cell", xlim=(0, None))
        axes["E"].set(xlabel="error of its side (1)", ylabel="spikes/s and cell", ylim=(0, None))
        for panel in "AE":
            plots.legend(axes[panel])
    samples = {
        names[c]: measures[measures.condition == c].synchrony.to_numpy() for c in CONDITIONS
    }
    plots.comparison(samples, ax=axes["F"], x_label="correlation, 20 ms", format=".3f", low=0)
    return fig


def measured(results, condition):
    """By seed: error and climbing-fibre rate at the end over those at the start, and at the opening."""
    rows = []
    table, at = results["trials"], results["opened_at"]
    for one, found in table[table.condition == condition].groupby("seed"):
        first, last, before = found.iloc[:5], found.iloc[-LATE:], found.iloc[at - LATE : at]
        rows.append(
            {
                "seed": one,
                "error": last.error.mean() / first.error.mean(),
                "cf": last.cf.mean() / first.cf.mean(),
                "jump": last.cf.mean() / before.cf.mean(),
            }
        )
    return pd.DataFrame(rows).set_index("seed")


def modulation(results, condition):
    """Rate at errors above a half over that at errors within a tenth, by seed."""
    tuning = results["tuning"][CONDITIONS.index(condition)]
    middle = (EDGES[1:] + EDGES[:-1]) / 2
    return np.nanmean(tuning[:, middle > 0.5], axis=1) / np.nanmean(tuning[:, np.abs(middle) < 0.1], axis=1)


def claims(results):
    own, source = "tolerance of this project", SOURCE
    closed, opened, blocked = (measured(results, c) for c in ("closed", "opened", "open"))
    measures = results["measures"].set_index(["condition", "seed"])
    made = [
        Claim("error left with the loop closed, most of seeds", closed.error.max(), None, 0.25, "", own),
        Claim("climbing-fibre spikes, last over first, closed", closed.cf.max(), None, 0.6, "", source),
        Claim("the same, open", blocked.cf.min(), None, 0.6, "", source, True),
        Claim("climbing-fibre rate after opening over before", opened.jump.min(), 1.5, None, "", source),
        Claim("the same, closed all along", closed.jump.max(), 1.5, None, "", source, True),
    ]
    ratio = modulation(results, "closed") / modulation(results, "open")
    made.append(
        Claim("contrast of large to small errors, closed over open", ratio.min(), 1.3, None, "", own)
    )
    if 2 * results["opened_at"] >= 800:
        made += [
            Claim("drift after learning, closed", measures.loc["closed"].drift.max(), None, 0.1, "", own),
            Claim("drift after learning, open", measures.loc["open"].drift.min(), None, 0.1, "", own, True),
            Claim("error left, open, most of seeds", blocked.error.max(), None, 0.25, "", own),
        ]
    weight = measures.mean_weight_change
    made.append(Claim("weight lost in common, open (nS)", weight.loc["open"].max(), None, -0.1, "", own))
    made.append(
        Claim("weight lost in common, closed (nS)", weight.loc["closed"].min(), None, -0.1, "", own, True)
    )
    return made
