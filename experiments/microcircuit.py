"""The cortical microcircuit of Potjans & Diesmann: activity by layer, rates, irregularity and synchrony.

Potjans & Diesmann 2014, fig. 6, with `circuits.microcircuit` at a fraction `scale` of the cells and of their
synapses (the defaults have 7717 cells and 3 million synapses). Weights and a constant current make up for the
missing synapses, so that the order of the rates stays, while their values do not quite: the smaller, the more
correlated, and the weakest population, L2/3E, loses most (half of its rate at a scale of 0.1). Reference
rates are those of the whole circuit in the implementation by its authors (`circuits.microcircuit.RATES`).

CVs are those of cells with at least five intervals (so few make them small); synchrony is the variance of a
population's count in bins of 3 ms over its mean (1 for independent Poisson processes), of 100 cells a
population, where the paper takes 1000. The control does without the constant current, and the rates are lost.
"""

import numpy as np
import pandas as pd
from brian2 import amp, ms

import engine
from analysis import plots
from analysis.spikes import counts, cv, firing_rates
from circuits import microcircuit as column
from experiments.claims import Claim

SOURCE = "Potjans & Diesmann 2014, fig. 6"
QUICK = dict(duration=700 * ms)

SAMPLE = 100  # cells of each population whose synchrony is measured
LEAST = 5  # intervals of a cell whose CV counts
DRAWN = 0.02  # fraction of all cells of the whole circuit in the raster
COLORS = {"E": plots.BLUE, "I": plots.VERMILLION}


def run(*, scale=0.1, in_degrees=0.0, duration=3200 * ms, settled=200 * ms, kind="poisson", seed=1):
    """Simulate the circuit and the control; in_degrees: 0 for those of `scale`, kind: "poisson" or "dc"."""
    net = column.microcircuit(scale, in_degrees=in_degrees or None, kind=kind, seed=seed)
    start, end = float(settled), float(duration)
    results = {
        "seeds": [seed], "scale": scale, "kind": kind, "n": int(net.parts["cells"].n), "start": start,
        "end": end, "synapses": int(column.number_of_synapses(scale, in_degrees or None).sum()),
    }  # fmt: skip
    results |= measured(engine.run(net, duration, seed=seed), scale, start, end)
    net = net.but({"cells.I_dc": np.zeros(results["n"]) * amp})
    control = measured(engine.run(net, min(duration, 500 * ms), seed=seed), scale, start, min(end, 0.5))
    return {**results, "control": control["table"]}


def measured(recording, scale, start, end):
    """Rates and CVs by population, a table of means, and spikes of some cells to draw."""
    t, i, rows, rates, irregular, raster = (
        recording.spikes["cells"].t, recording.spikes["cells"].i, [], {}, {}, {}
    )  # fmt: skip
    for name, cells in column.slices(scale).items():
        n = cells.stop - cells.start
        inside = (t >= start) & (i >= cells.start) & (i < cells.stop)
        own_t, own_i = t[inside], i[inside] - cells.start
        rates[name] = firing_rates(own_t, own_i, n, end, start)
        enough = np.rint(rates[name] * (end - start)) > LEAST
        irregular[name] = cv(own_t, own_i, n)[enough]
        bins = int((end - start) / 3e-3)
        some = min(SAMPLE, n)
        population = counts(own_t, own_i, n, start + 3e-3 * bins, 3e-3, start)[:some].sum(axis=0)
        shown = own_i < max(2, round(DRAWN * column.SIZES[column.POPULATIONS.index(name)]))
        raster[name] = {"t": own_t[shown], "i": own_i[shown]}
        rows.append({
            "population": name, "cells": n, "rate_Hz": rates[name].mean(),
            "reference_Hz": column.RATES[column.POPULATIONS.index(name)],
            "cv": irregular[name].mean() if len(irregular[name]) else np.nan,
            "synchrony": population.var() / population.mean() if population.any() else np.nan,
        })  # fmt: skip
    return {"table": pd.DataFrame(rows), "rates": rates, "irregular": irregular, "raster": raster}


def label(name):
    """L23E as L2/3E."""
    return name.replace("23", "2/3")


def figure(results):
    table = results["table"].set_index("population")
    fig, axes = plots.figure(
        "AABC;AADE", 4.8, widths=[1, 1, 1.1, 1.1],
        titles={"A": f"Raster, 1 in {round(results['scale'] / DRAWN)} cells" if results["scale"] > 1.5 * DRAWN
                else "Raster", "B": "Rates (star: mean)", "C": "Mean rates",
                "D": "CV of intervals", "E": f"Synchrony of {SAMPLE} cells"},
        title=f"Microcircuit at a scale of {results['scale']:g}: {results['n']} cells, "
        f"{results['synapses'] / 1e6:.2g} million synapses; {plots.seeds(results['seeds'])}",
    )  # fmt: skip
    names = list(column.POPULATIONS)
    places = -np.arange(len(names))
    colors = [COLORS[name[-1]] for name in names]
    with plots.style():
        row, ticks, window = 0, [], min(0.4, results["end"] - results["start"])
        for name, color in zip(reversed(names), reversed(colors), strict=True):
            one = results["raster"][name]
            n = min(table.loc[name, "cells"], max(2, round(DRAWN * column.SIZES[names.index(name)])))
            late = one["t"] >= results["end"] - window
            axes["A"].plot(1e3 * (one["t"][late] - results["end"] + window), row + one["i"][late], "|",
                           color=color, markersize=1.4, markeredgewidth=0.6, rasterized=True)  # fmt: skip
            ticks.append(row + n / 2)
            row += n + 12
        axes["A"].set(xlim=(0, 1e3 * window), ylim=(-12, row), xlabel="time (ms)")
        axes["A"].set_yticks(ticks, [label(name) for name in reversed(names)])
        axes["A"].tick_params(axis="y", length=0)
        for tick, color in zip(axes["A"].get_yticklabels(), reversed(colors), strict=True):
            tick.set_color(color)
        for letter, values, text in (("B", "rates", "rate (Hz)"), ("D", "irregular", "CV")):
            boxes = axes[letter].boxplot(
                [results[values][name] for name in names], orientation="horizontal", positions=places,
                widths=0.6, showfliers=False, patch_artist=True, medianprops=dict(color="white"),
            )  # fmt: skip
            for box, color in zip(boxes["boxes"], colors, strict=True):
                box.set(facecolor=color, edgecolor=color)
            axes[letter].set_yticks(places, [label(name) for name in names])
            axes[letter].set_xlabel(text)
            axes[letter].set_xlim(left=0)
        axes["B"].plot(table["rate_Hz"], places, "*", color=plots.BLACK, markersize=5)
        top = 1.1 * max(table["rate_Hz"].max(), table["reference_Hz"].max())
        axes["C"].plot([0, top], [0, top], color=plots.GREY, linewidth=0.8, linestyle="--")
        for name, color in zip(names, colors, strict=True):
            at = table.loc[name, "reference_Hz"], table.loc[name, "rate_Hz"]
            axes["C"].plot(*at, "o", color=color)
            lower = {"L23E": -3, "L6E": 1, "L5E": -6}.get(name, -2)
            axes["C"].annotate(label(name), at, xytext=(5, lower), color=color, fontsize=6.5,
                               textcoords="offset points")  # fmt: skip
        axes["C"].set(xlabel="whole circuit (Hz)", ylabel="here (Hz)", xlim=(0, 1.15 * top), ylim=(0, top))
        axes["E"].barh(places, table["synchrony"], color=colors, height=0.6)
        axes["E"].axvline(1, color=plots.GREY, linestyle="--", linewidth=0.8)
        axes["E"].set_yticks(places, [label(name) for name in names])
        axes["E"].set_xlabel("variance over mean")
    return fig


def claims(results):
    table, control = results["table"].set_index("population"), results["control"].set_index("population")
    rate, off = table["rate_Hz"], (table["rate_Hz"] - table["reference_Hz"]).abs()
    layers = ("L23", "L4", "L5", "L6")
    paper = "Potjans & Diesmann 2014, fig. 6"
    more = sum(rate[f"{layer}I"] > rate[f"{layer}E"] for layer in layers)
    excitatory = rate[[f"{layer}E" for layer in layers]]
    own = "bound ours"
    others, low = excitatory.drop("L5E").max(), rate[["L23E", "L6E"]].max()
    top = rate["L5E"] / others if others > 0 else np.nan
    return [
        Claim("layers in which inhibition fires more than excitation", more, 4, 4, "", paper),
        Claim("L5E: rate over the next excitatory one", top, 1.1, None, "", f"{paper}: highest; {own}"),
        Claim("higher rate of L2/3E and L6E", low, 0, 2, "Hz", f"{paper}: below 2 Hz"),
        Claim("rates off those of the whole circuit, mean", off.mean(), 0, 1, "Hz", f"RATES; {own}"),
        Claim("rate of all cells", np.average(rate, weights=table["cells"]), 1, 4, "Hz", f"{paper}; {own}"),
        Claim("synchrony, largest", table["synchrony"].max(), 0, 3, "", f"{SAMPLE} in unison; {own}"),
        Claim("rates off, mean, without constant current",
              (control["rate_Hz"] - control["reference_Hz"]).abs().mean(), 0, 1, "Hz", own, control=True),
    ]  # fmt: skip
