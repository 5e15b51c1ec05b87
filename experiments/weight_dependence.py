"""How STDP depends on the weight: from two peaks of weights to one, with one transition between.

The neuron and inputs of Song, Miller & Abbott 2000 (see `song_2000`) with the rule of Guetig, Aharonov,
Rotter & Sompolinsky 2003: steps up in proportion to (1 - w)^mu, down to alpha w^mu, with alpha = 1.05. At
mu = 0 (additive) the weights are bimodal, at mu = 1 (multiplicative) unimodal. Beside it the rule of van
Rossum, Bi & Turrigiano 2000: potentiation independent of the weight and depression in proportion to it,
unimodal around the weight where the two balance, c_plus/c_minus, raised by the spikes that an input causes.

Deviations: Guetig et al. have an integrate-and-fire neuron with steps of 0.001; here the neuron is that of
Song et al. and a step 0.005. Peaks are maxima of the smoothed histogram (Gaussian of 0.05, reflected at 0 and
1) that stand out by a tenth of the highest. van Rossum's noise is left out.
"""

import numpy as np
import pandas as pd
from brian2 import Hz, ms, second
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

import engine
from analysis import plots
from experiments import Claim, keep, progress
from experiments.song_2000 import G_MAX, measured, network, plastic
from plasticity import hard, power_law, stdp

SOURCE = "Guetig et al. 2003, fig. 2; van Rossum et al. 2000, fig. 4"
QUICK = dict(mus=(0.0, 0.1, 1.0), duration=300 * second, n_seeds=1, n_half_step_seeds=0, van_rossum=False)

SMOOTH = 0.05
PROMINENCE = 0.1
BINS = 100


def density(w):
    """Smoothed density of weights (0 to 1) over the middles of BINS bins."""
    counts, _ = np.histogram(w, BINS, (0, 1))
    return gaussian_filter1d(BINS * counts / len(w), SMOOTH * BINS, mode="reflect", truncate=6)


def peaks(w):
    """Number of peaks of the density of weights (0 to 1)."""
    height = density(w)
    padded = np.concatenate([[0], height, [0]])  # a maximum at a bound is one
    return len(find_peaks(padded, prominence=PROMINENCE * height.max())[0])


COLUMNS = ["condition", "mu", "seed", "peaks", "mean_weight", "sd_weight", "output_Hz"]


def run(
    *,
    mus=(0.0, 0.003, 0.01, 0.03, 0.1, 1.0),
    rate=20 * Hz,
    duration=500 * second,
    step=0.005,
    alpha=1.05,
    van_rossum=True,
    c_plus=0.5,
    dt=0.2 * ms,
    n_seeds=5,
    n_half_step_seeds=1,
    seed=1,
):
    seeds, rows, shown = [seed + k for k in range(n_seeds)], [], {}
    made = {
        divide: network(
            plastic(bounds=power_law(0, G_MAX, mu=0.0), A_plus=step, ratio=alpha), rate=rate, dt=dt / divide,
            every=duration,
        )
        for divide in (1, 2)
    }  # fmt: skip

    def row(condition, mu, one, net):
        found = measured(engine.run(net, duration, seed=one))
        w = found["w"]["free"][-1]
        rows.append((condition, mu, one, peaks(w), w.mean(), w.std(), found["late_rate"]))
        shown.setdefault(condition, {}).setdefault(mu, []).append(w)

    for one in progress(seeds, "seeds"):
        for mu in mus:
            row("power law", mu, one, made[1].but({"from_free.mu": mu}))
            if one < seed + n_half_step_seeds:
                row("half step", mu, one, made[2].but({"from_free.mu": mu}))
        if van_rossum:
            rule = stdp.van_rossum(c_plus=c_plus * alpha * step * G_MAX, c_minus=alpha * step)
            synapse = plastic(rule=rule, bounds=hard(0, G_MAX))
            row("van Rossum", np.nan, one, network(synapse, rate=rate, dt=dt, every=duration))
        table = pd.DataFrame(rows, columns=COLUMNS)
        keep(table=table)
    return {
        "table": table,
        "seeds": seeds,
        "mus": np.array(mus),
        "rate": float(rate),
        "c_plus": c_plus,
        "duration": float(duration),
        "dt": float(dt / ms),
        "densities": np.array([density(np.concatenate(shown["power law"][mu])) for mu in mus]),
        "density_van_rossum": density(np.concatenate([w for ws in shown["van Rossum"].values() for w in ws]))
        if van_rossum
        else np.zeros(0),
    }


def transitions(table, condition="power law"):
    """How often the number of peaks changes along mu, for each seed."""
    rows = table[table.condition == condition].pivot(index="seed", columns="mu", values="peaks")
    return (np.diff(rows.to_numpy(), axis=1) != 0).sum(axis=1)


def figure(results):
    table, mus, seeds = results["table"], results["mus"], results["seeds"]
    van_rossum = results["density_van_rossum"].size > 0
    fig, axes = plots.figure(
        "AAB;CCD" if van_rossum else "AAB;CCC",
        4.4,
        titles={
            "A": "Density of weights (colour: per unit weight)",
            "B": "Number of peaks",
            "C": "The same, curves",
            **({"D": "van Rossum et al. 2000\n(dashed: c_plus/c_minus)"} if van_rossum else {}),
        },
        title=f"Weight dependence of STDP, {results['duration']:g} s of inputs at {results['rate']:g} Hz, "
        f"step {results['dt']:g} ms; {plots.seeds(seeds)}"
        + (f" ({'A, C, D' if van_rossum else 'A, C'}: pooled)" if len(seeds) > 1 else ""),
    )
    middle = (np.arange(BINS) + 0.5) / BINS
    plots.heat_map(
        np.log10(np.maximum(results["densities"], 1e-3)), middle, mus, ax=axes["A"], low=-2,
        x_label="weight (g$_{max}$)", y_label="exponent mu", value_label="log10 of the density",
    )  # fmt: skip
    places = {mu: k for k, mu in enumerate(mus)}
    with plots.style():
        ax = axes["B"]
        looks = (("power law", "o", plots.BLUE), ("half step", "x", plots.BLACK))
        for k, (condition, mark, color) in enumerate(looks):
            rows = table[table.condition == condition]
            if len(rows):
                x = [places[mu] + 0.25 * (one - seeds[0] - (len(seeds) - 1) / 2) / len(seeds) + 0.1 * k
                     for mu, one in zip(rows.mu, rows.seed, strict=True)]  # fmt: skip
                ax.plot(x, rows.peaks, mark, color=color, fillstyle="none", label=condition)
        ax.set_xticks(range(len(mus)), [f"{mu:g}" for mu in mus])
        ax.set(xlabel="exponent mu (points: seeds)", ylabel="peaks", yticks=[0, 1, 2, 3], ylim=(0, 3))
        ax.legend()
        shades = plots.matplotlib.colormaps["viridis"](np.linspace(0, 0.9, len(mus)))
        for mu, color, height in zip(mus, shades, results["densities"], strict=True):
            axes["C"].plot(middle, height, color=color, label=f"{mu:g}")
        plots.legend(axes["C"], title="mu", outside=True)
        axes["C"].set(xlabel="weight (g$_{max}$)", ylabel="density", yscale="log", ylim=(1e-2, 30))
        if van_rossum:
            axes["D"].plot(middle, results["density_van_rossum"], color=plots.VERMILLION)
            axes["D"].axvline(results["c_plus"], color=plots.GREY, linestyle="--", linewidth=0.9)
            axes["D"].set(xlabel="weight (g$_{max}$)", ylabel="density", xlim=(0, 1))
    return fig


def claims(results):
    table, source = results["table"], "Guetig et al. 2003"
    made = []
    for condition, at in (("power law", ""), ("half step", f" (dt {results['dt'] / 2:g} ms)")):
        rows = table[table.condition == condition]
        if rows.empty:
            continue
        for mu, count, name in ((0, 2, "additive (mu = 0)"), (1, 1, "multiplicative (mu = 1)")):
            found = rows[rows.mu == mu].peaks
            made += [
                Claim(f"peaks, {name}, {which} of seeds{at}", value, count, count, "", source)
                for which, value in (("fewest", found.min()), ("most", found.max()))
            ]
        changes = transitions(table, condition)
        made.append(Claim(f"transitions along mu, most of seeds{at}", changes.max(), 1, 1, "", source))
        made.append(Claim(f"transitions along mu, fewest of seeds{at}", changes.min(), 1, 1, "", source))
    rows = table[table.condition == "van Rossum"]
    if len(rows):
        source = "van Rossum et al. 2000"
        made.append(Claim("peaks, van Rossum's rule, most of seeds", rows.peaks.max(), 1, 1, "", source))
        balance, mean = results["c_plus"], rows.mean_weight.mean()
        name = "mean weight over c_plus/c_minus, van Rossum's rule"
        made.append(Claim(name, mean / balance, 1, 1.25, "", f"{source}; tolerance ours"))
    found = table[(table.condition == "power law") & (table.mu == 1)].peaks.max()
    made.append(Claim("two peaks, multiplicative", found, 2, 2, "", "Guetig et al. 2003", control=True))
    return made
