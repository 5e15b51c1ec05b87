# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A sweep: define it, run it, look at it, ask on
#
# A sweep is a table: a row for every run, columns for what was varied and what was measured. The circuit is
# compiled once; after that a run costs some milliseconds more than its simulation, on all processors of this
# machine or on a cluster.

# %%
import tempfile

import pandas as pd
from brian2 import Hz, mV, second

import engine
from analysis import plots
from analysis.statistics import effects
from circuits import (
    Circuit,
    neurons,
    poisson,
    population,
    projection,
    spikes,
    synapses,
    wiring,
)
from experiments import sweep
from experiments.sweeps import figure, kept, read

folder = tempfile.mkdtemp()

net = Circuit(
    input=poisson(100, 40 * Hz),
    cells=population(neurons.leaky(), 100),
    drive=projection(
        "input", "cells", synapses.delta("v", w=2 * mV), wiring.probability(0.2)
    ),
    exc=projection(
        "cells[:80]", "cells", synapses.delta("v", w=0.5 * mV), wiring.probability(0.1)
    ),
    inh=projection(
        "cells[80:]", "cells", synapses.delta("v", w=-2 * mV), wiring.probability(0.1)
    ),
    record=[spikes("cells")],
)
net

# %% [markdown]
# ## One parameter
#
# What is measured is a function of the recording. It returns a number, or several by name, with their units.


# %%
def activity(recording):
    found = recording.spikes["cells"]
    per_cell = pd.Series(found.i).value_counts().reindex(range(found.n), fill_value=0)
    return {
        "rate": (len(found) / found.n / recording.duration, "Hz"),
        "silent": float((per_cell == 0).mean()),
    }


table = sweep(
    net,
    over={"drive.w": "1:3:9 mV"},
    seeds=6,
    duration=0.3 * second,
    measure=activity,
    folder=f"{folder}/one",
)
table.head()

# %%
_ = figure(table)

# %% [markdown]
# The rows are on disk as they arrive. The same call finds them and runs nothing; had it been interrupted, it
# would go on where it stopped.

# %%
again = sweep(
    net, {"drive.w": "1:3:9 mV"}, seeds=6,
    duration=0.3 * second, measure=activity, folder=f"{folder}/one",
)
assert again.equals(table) and read(f"{folder}/one").equals(table)

# %% [markdown]
# Every row can be repeated alone: with its seed, `engine.run` gives the same spikes.

# %%
row = table.loc[17]
again = net.but({"drive.w": row["drive.w"] * mV})
recording = engine.run(again, 0.3 * second, seed=int(row["seed"]))
assert activity(recording)["rate"][0] == row["rate"]
row

# %% [markdown]
# ## How large is the effect?
#
# Seeds are the same at every point, so that points are compared seed by seed.

# %%
effects(table, "rate", "drive.w", reference=2.0).round(2)

# %% [markdown]
# ## A follow-up: does inhibition matter more where the drive is strong?
#
# Two parameters make a grid; the figure is a map.

# %%
grid = sweep(
    net,
    over={"drive.w": "1:3:6 mV", "inh.w": "-8:0:5 mV"},
    seeds=3,
    duration=0.3 * second,
    measure=activity,
    folder=f"{folder}/two",
    keep=True,
)
_ = figure(grid, "rate")

# %% [markdown]
# With `keep`, the recordings of all runs are there, one file each: here the one with the highest rate.

# %%
highest = kept(f"{folder}/two", grid["rate"].idxmax()).spikes["cells"]
fig, axes = plots.figure("A", height=2)
plots.raster(highest.t, highest.i, ax=axes["A"], n=highest.n, end=0.3)

# %% [markdown]
# ## Structure
#
# A function that makes a circuit has its keywords as parameters, and the numbers of its circuit besides.
# Where a value changes the structure (here the kind of wiring), each structure is compiled once,
# while another one runs. A point that fails is a row with its error; the others go on.


# %%
def column(kind="probability"):
    probability, fixed = wiring.probability(0.2), wiring.fixed_in_degree(10)
    wires = {"probability": probability, "fixed": fixed}
    return Circuit(
        input=poisson(50, 40 * Hz),
        cells=population(neurons.leaky(), 50),
        drive=projection("input", "cells", synapses.delta("v", w=3 * mV), wires[kind]),
        record=[spikes("cells")],
    )


structures = sweep(
    column,
    {"kind": "probability, fixed", "drive.w": "2:4:3 mV"},
    seeds=2,
    duration=0.3 * second,
    folder=f"{folder}/three",
)
structures.groupby(["kind", "drive.w"])["rate of cells"].mean()

# %% [markdown]
# ## Many parameters
#
# Spans instead of values are drawn from, here as a Latin hypercube; the figure shows pairs. With
# `design="saltelli"` or `"morris"` and the extra `sensitivity`, `sensitivity(folder)` tells how much of the
# variance each parameter explains; `search` looks for the point where a measure is largest.

# %%
sample = sweep(
    net,
    {"drive.w": "1:3 mV", "inh.w": "-8:0 mV", "cells.tau_m": "10:30 ms"},
    samples=60,
    duration=0.2 * second,
    measure=activity,
    folder=f"{folder}/four",
)
_ = figure(sample, "rate")
