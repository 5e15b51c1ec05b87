"""Nucleo-olivary inhibition: without it, climbing fibres fire on when the error is gone, and weights drift.

The loop of `vor_adaptation` with the nucleo-olivary inhibition closed, blocked from the start, and blocked
once learning is done. The olive is excitable by itself; what the nuclei command, delayed by a slow synapse
as long as the error, balances it (Bengtsson & Hesslow 2006, Cerebellum 5:7; Kenyon, Medina & Mauk 1998,
J. Comput. Neurosci. 5:17). With the loop closed the climbing fibres settle at the rate at which depression
and potentiation of the parallel fibres cancel. With it open the eye still learns, because the error still
tells the two directions apart, but both sides' climbing fibres fire fast, all Purkinje cells lose weight
together, and the drive lies where the olive saturates, so that it tells errors less well.

The same with an olive of coupled cells that oscillate (`circuits.olive`), in the place of the random one: ten
for either direction, of 1 to 3 complex spikes a second, with potentiation and depression that balance at 1.5
Hz. It teaches as well. Its synchrony is judged in the dark, in the last trials, where no error drives the
cells together: nuclear inhibition shunts their gap junctions, so that they go their own ways, and slows
them; with the loop open they oscillate together. While errors come, open and closed loop differ little in
that, since the error is a common drive.

Parameters and deviations as in `vor_adaptation`. Order is Kuramoto's, of the ten cells of a direction, whose
phases are taken between 3 and 12 Hz over the last trials.
"""

import numpy as np
import pandas as pd
from brian2 import Hz, ms

from analysis import plots
from analysis.phases import order_parameter, phases
from circuits import cerebellum as circuit
from circuits import trace
from experiments import Claim, keep, progress, reflex

SOURCE = "Kenyon, Medina & Mauk 1998; Bengtsson & Hesslow 2006"
QUICK = dict(n_trials=400, n_seeds=1)

CONDITIONS = ("closed", "open", "opened")
EDGES = np.linspace(-0.9, 0.9, 13)  # of the error, for the tuning of climbing fibres
LATE = 50  # trials over which an end is judged
DARK = 50  # trials without error at the end, for the oscillating olive
EVERY = 10 * ms  # of the potentials of the oscillating olive
BALANCED = dict(A_plus=0.001, A_minus=0.018)  # nS; at complex spikes of 1.5 Hz


def run(*, n_trials=1000, frequency=1 * Hz, inhibition=0.18, dt=1 * ms, n_seeds=5, seed=1):
    seeds = [seed + k for k in range(n_seeds)]
    net = reflex.loop(frequency=frequency, dt=dt).but({"nucleo_olivary.w": inhibition})
    coupled = reflex.loop(frequency=frequency, dt=dt, parallel=reflex.parallel(**BALANCED))
    coupled = circuit.with_oscillating_olive(coupled)
    seen = [trace("olive", "v", every=EVERY)]
    light = (np.arange(n_trials) < n_trials - DARK).astype(float)
    opened = np.arange(n_trials) >= n_trials // 2
    tables, rows, tuning, changes = [], [], {}, {}
    for one in progress(seeds, "seeds"):
        for condition, which, block, record in (
            ("closed", net, 0.0, ()),
            ("open", net, 1.0, ()),
            ("opened", net, opened.astype(float), ()),
            ("coupled, closed", coupled, 0.0, seen),
            ("coupled, open", coupled, 1.0, seen),
        ):
            lit = light if record else 1.0
            found = reflex.learned(which, n_trials, block=block, light=lit, record=record, seed=one)
            tables.append(found["trials"].assign(condition=condition, seed=one))
            rows.append(
                {
                    "condition": condition,
                    "seed": one,
                    "drift": np.nan if record else reflex.drift(found),  # those end in the dark
                    "order": order(found, DARK) if record else np.nan,
                    "mean_weight_change": found["weights"][-1].mean() - found["weights"][0].mean(),
                }
            )
            if which is net:
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


def order(found, n_trials):
    """Order of the oscillating olive over the last n_trials, mean of its two clusters."""
    trial = found["model_seconds"] / len(found["trials"])
    v = found["recording"].traces["olive.v"].values[-round(n_trials * trial / float(EVERY)) :]
    half = v.shape[1] // 2
    clusters = (v[:, :half], v[:, half:])
    return float(np.mean([order_parameter(phases(part, float(EVERY), 3, 12)).mean() for part in clusters]))


def figure(results):
    table, measures, seeds = results["trials"], results["measures"], results["seeds"]
    fig, axes = plots.figure(
        "ABC;DEF;GHI",
        7.0,
        titles={
            "A": "Error",
            "B": "Climbing fibres",
            "C": "Change of weights",
            "D": "Firing against error",
            "E": "Tuning to the error",
            "F": "Error left",
            "G": "Oscillating olive",
            "H": "Complex spikes",
            "I": "Order in the dark",
        },
        title=f"Nucleo-olivary inhibition, reflex at {results['frequency']:g} Hz, step {results['dt']:g} ms; "
        f"{plots.seeds(seeds)} (lines; points in D)",
    )
    looks = dict(zip(CONDITIONS, (plots.BLUE, plots.VERMILLION, plots.ORANGE), strict=True))
    names = {"closed": "closed", "open": "open", "opened": f"opened at {results['opened_at']}"}
    n_trials = 2 * results["opened_at"]

    def curves(condition, color, label, errors, rates, both=None):
        for k, (_, found) in enumerate(table[table.condition == condition].groupby("seed")):
            (x, error), (_, cf) = reflex.blocks(found.error), reflex.blocks(found.cf)
            look = dict(color=color, linewidth=0.8, alpha=0.8, label="" if k else label)
            axes[errors].plot(x, error, **look)
            axes[rates].plot(x, cf, **look)
            if both:
                axes[both].plot(error, cf, ".", color=color, markersize=2.5, alpha=0.6)

    with plots.style():
        for condition, color in looks.items():
            curves(condition, color, names[condition], "A", "B", None if condition == "opened" else "D")
            place = CONDITIONS.index(condition)
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
        for condition, color in (("coupled, closed", plots.BLUE), ("coupled, open", plots.VERMILLION)):
            curves(condition, color, condition.removeprefix("coupled, "), "G", "H")
        axes["G"].set(xlabel="trial", ylabel="mean absolute error (1)", ylim=(0, 0.85))
        axes["H"].set(xlabel="trial", ylabel="spikes/s and cell", ylim=(0, None))
        for panel in "GH":
            axes[panel].axvspan(n_trials - DARK, n_trials, color=plots.GREY, alpha=0.2, linewidth=0)
        plots.legend(axes["G"], title="grey: dark")
    every = {**names, "coupled, closed": "oscillating, closed", "coupled, open": "oscillating, open"}
    left = {label: measured(results, c).error.to_numpy() for c, label in every.items()}
    plots.comparison(left, ax=axes["F"], x_label="over its start", format=".2f", low=0)
    orders = {
        c: measures[measures.condition == f"coupled, {c}"].order.to_numpy() for c in ("closed", "open")
    }
    plots.comparison(orders, ax=axes["I"], x_label="order parameter", format=".2f", low=0, high=1)
    return fig


def measured(results, condition):
    """By seed: error and climbing-fibre rate at the end over those at the start, and at the opening."""
    rows = []
    table, at = results["trials"], results["opened_at"]
    for one, found in table[table.condition == condition].groupby("seed"):
        end = len(found) - (DARK if condition.startswith("coupled") else 0)
        first, last, before = found.iloc[:5], found.iloc[end - LATE : end], found.iloc[at - LATE : at]
        rows.append(
            {
                "seed": one,
                "error": last.error.mean() / first.error.mean(),
                "cf": last.cf.mean() / first.cf.mean(),
                "jump": last.cf.mean() / before.cf.mean(),
                "rate": last.cf.mean(),
                "very_last": found.cf.iloc[-DARK:].mean(),
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
    coupled, apart = (measured(results, f"coupled, {c}") for c in ("closed", "open"))
    orders = measures.order.loc["coupled, closed"] / measures.order.loc["coupled, open"]
    slowed = coupled.very_last / apart.very_last
    name, fell = "oscillating olive", "complex spikes, last over first, closed"
    made += [
        Claim(f"{name}: {fell}", coupled.cf.max(), None, 0.6, "", source),
        Claim(f"{name}: complex spikes at the end, closed", coupled.rate.max(), 0.5, 2, "Hz", "1 Hz in vivo"),
        Claim(f"{name}: order in the dark, closed over open", orders.max(), None, 0.7, "", own),
        Claim(f"{name}: complex spikes in the dark, closed over open", slowed.max(), None, 0.9, "", source),
    ]
    if 2 * results["opened_at"] >= 800:
        made += [
            Claim("drift after learning, closed", measures.loc["closed"].drift.max(), None, 0.1, "", own),
            Claim("drift after learning, open", measures.loc["open"].drift.min(), None, 0.1, "", own, True),
            Claim("error left, open, most of seeds", blocked.error.max(), None, 0.25, "", own),
            Claim(f"{name}: error left, closed", coupled.error.max(), None, 0.25, "", own),
        ]
    weight = measures.mean_weight_change
    made.append(Claim("weight lost in common, open (nS)", weight.loc["open"].max(), None, -0.1, "", own))
    made.append(
        Claim("weight lost in common, closed (nS)", weight.loc["closed"].min(), None, -0.1, "", own, True)
    )
    return made
