"""Where a liquid computes best: between order and chaos, over the reach and the strength of its connections.

A column of Maass, Natschlaeger & Markram 2002 (135 cells, `circuits.liquid`), swept over the reach lambda of
its connections and the scale of its recurrent weights. With short reach or weak weights cells do little more
than follow the input: few dimensions for different inputs, and few for jitter. With both large, every
jittered copy of an input leads to a state of its own. Kernel quality minus generalisation rank (Legenstein
& Maass 2007) is largest in between; so it should say where a linear readout does best. Memory capacity and
accuracy are measured independently of it (see `experiments.liquid_quality` for all four).

The measure is Legenstein & Maass's, the threshold for a rank 1e-3 of the largest singular value. Inputs and
task are ours: 12 Poisson channels of 20 Hz for 300 ms, jitter 4 ms, 100 templates divided at random into two
classes, 6 presentations of each to learn from; theirs, and the 540 cells of their columns, are quoted from
memory and were not followed.
Controls compare cells of the grid at random: accuracies permuted, and the kernel alone.

The bounds are not met by these columns and this task: over four columns (seeds 11 to 14) the rank
correlation is 0.34, and the two maxima lie two steps apart, along the ridge of weak reach and strong
weights. The difference tells where chaos spoils the readout; between columns that are not chaotic, accuracies
differ by 2 or 3 % only, and it does not order them.
"""

import numpy as np
import pandas as pd
from brian2 import ms
from scipy.stats import spearmanr

from analysis import plots
from experiments import Claim, liquid_quality, sweep
from experiments.runs import workspace

SOURCE = "Legenstein & Maass 2007; Jaeger 2001"
QUICK = dict(
    lambdas=(1.0, 2.0, 8.0), scales=(0.3, 1.0, 4.0), n_seeds=1, n_inputs=150, n_templates=50, n_steps=300
)  # fmt: skip

MEASURES = ("kernel", "generalisation", "difference", "memory", "accuracy", "firing")


def run(
    *,
    lambdas=(0.5, 1.0, 2.0, 4.0, 8.0),
    scales=(0.1, 0.3, 1.0, 2.0, 4.0),
    n_inputs=200,
    n_templates=100,
    n_steps=600,
    dt=1 * ms,
    n_seeds=4,
    seed=1,
):
    seeds = [seed + k for k in range(n_seeds)]
    settings = dict(n_inputs=n_inputs, n_templates=n_templates, n_steps=n_steps, dt=dt)
    with workspace("sweep") as folder:
        table = sweep(
            liquid_quality, {"lambda_": list(lambdas), "scale": list(scales)}, seeds=seeds,
            settings=settings, measure=liquid_quality.measured, folder=folder,
        )  # fmt: skip
    failed = table[table["error"] != ""]
    if len(failed):
        raise RuntimeError(f"{len(failed)} of {len(table)} runs failed: {failed['error'].iloc[0]}")
    return {
        "table": pd.DataFrame(table[["lambda_", "scale", "seed", *MEASURES]].reset_index(drop=True)),
        "lambdas": np.array(lambdas),
        "scales": np.array(scales),
        "n_cells": int(np.prod(liquid_quality.run.__kwdefaults__["shape"])),
        "seeds": seeds,
    }


def mean_map(results, measure):
    """Mean over seeds (lambda x scale)."""
    means = results["table"].groupby(["lambda_", "scale"])[measure].mean().unstack()
    return means.loc[results["lambdas"], results["scales"]].to_numpy()


def best(values):
    """Row and column of the largest value."""
    return np.array(np.unravel_index(np.argmax(values), values.shape))


def figure(results):
    lambdas, scales, seeds = results["lambdas"], results["scales"], results["seeds"]
    who = (
        f"mean of {len(seeds)} columns (seeds {seeds[0]} to {seeds[-1]})"
        if len(seeds) > 1
        else f"seed {seeds[0]}"
    )
    fig, axes = plots.figure(
        "ABC;DEF",
        4.6,
        titles={
            "A": "Kernel quality",
            "B": "Generalisation rank",
            "C": "Difference (ring: largest)",
            "D": "Accuracy (ring: largest)",
            "E": "Memory capacity",
            "F": "Every cell of the grid",
        },
        title=f"A liquid of {results['n_cells']} cells over reach and strength of its connections; {who}",
    )
    labels = [np.array([f"{value:g}" for value in values]) for values in (scales, lambdas)]
    shown = ("kernel", "generalisation", "difference", "accuracy", "memory")
    names = ("rank", "rank", "difference of ranks", "correct (%)", "capacity (steps)")
    for letter, measure, name in zip("ABCDE", shown, names, strict=True):
        values = mean_map(results, measure)
        plots.heat_map(
            values, *labels, ax=axes[letter], x_label="scale of weights", y_label="lambda (grid steps)",
            value_label=name,
        )  # fmt: skip
        if letter in "CD":
            row, column = best(values)
            axes[letter].plot(
                column, row, "o", color="white", fillstyle="none", markersize=11, markeredgewidth=1.6
            )
            axes[letter].plot(column, row, "o", color=plots.BLACK, fillstyle="none", markersize=9)
    with plots.style():
        x, y = mean_map(results, "difference"), mean_map(results, "accuracy")
        rates = mean_map(results, "firing")
        points = axes["F"].scatter(x, y, c=np.log10(rates), s=14, cmap="viridis", linewidths=0)
        bar = fig.colorbar(points, cax=axes["F"].inset_axes([1.03, 0, 0.045, 1]), label="firing rate (Hz)")
        ticks = [rate for rate in (5, 10, 20, 50, 100) if rates.min() <= rate <= rates.max()]
        bar.set_ticks(np.log10(ticks), labels=[str(rate) for rate in ticks])
        bar.outline.set_visible(False)
        axes["F"].set(xlabel="difference of ranks", ylabel="correct (%)")
        axes["F"].set_title(f"Every cell: Spearman {spearmanr(x.ravel(), y.ravel())[0]:.2f}", loc="left")
    return fig


def claims(results):
    own = "bound of this project"
    difference, accuracy, kernel = (mean_map(results, name) for name in ("difference", "accuracy", "kernel"))
    steps = int(np.abs(best(difference) - best(accuracy)).max())
    random = np.random.default_rng(0)
    shuffled = np.mean(
        [spearmanr(difference.ravel(), random.permutation(accuracy.ravel()))[0] for _ in range(200)]
    )
    edge = np.array(difference.shape) - 1
    memory = results["table"]["memory"]
    return [
        Claim("grid steps from the largest difference to the best accuracy", steps, 0, 1, "", own),
        Claim("rank correlation of difference and accuracy",
              spearmanr(difference.ravel(), accuracy.ravel())[0], 0.7, 1, "", own),
        Claim("most memory, of the number of cells", memory.max() / results["n_cells"], 0, 1, "",
              "Jaeger 2001: at most 1"),
        Claim("kernel quality, strongest over weakest", kernel[tuple(edge)] / kernel[0, 0], 1.1, None,
              "", "Legenstein & Maass 2007, as remembered: grows; bound ours"),
        Claim("accuracy, strongest column below the best", accuracy.max() - accuracy[tuple(edge)], 3, None,
              "%", "Legenstein & Maass 2007, as remembered: chaos costs; bound ours"),
        Claim("rank correlation, accuracies permuted", float(shuffled), 0.7, 1, "", own, control=True),
        Claim("rank correlation of kernel quality alone and accuracy",
              spearmanr(kernel.ravel(), accuracy.ravel())[0], 0.7, 1, "", own, control=True),
    ]  # fmt: skip
