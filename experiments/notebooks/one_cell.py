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
# # One cell, changed while you watch
#
# A cell is text with numbers. Changing a number compiles nothing; changing an equation compiles what it
# touches, some seconds.

# %%
import numpy as np
from brian2 import ms, mV, nA, pA, second

import engine
from analysis import plots
from analysis import spikes as measures
from circuits import Circuit, current, neurons, population, spikes, trace

cell = neurons.leaky(tau_m=20 * ms, t_ref=2 * ms)
cell

# %% [markdown]
# ## Rates over currents
#
# Forty cells at once, each with its own current: an array is a number like any other. The closed form of
# the leaky cell is $f = 1/(t_{ref} + \tau_m \ln\frac{RI - (V_r - E_L)}{RI - (V_t - E_L)})$.

# %%
currents = np.linspace(0, 0.6, 40) * nA


def f_i(cell, duration=2 * second):
    """Firing rates at the currents, without the first fifth of the run."""
    net = Circuit(
        cells=population(cell, len(currents)),
        drive=current("cells", "I", currents),
        record=[spikes("cells")],
        dt=0.02 * ms,
    )  # a rate f carries an error of up to f**2 dt
    recorded = engine.run(net, duration).spikes["cells"]
    start = float(duration) / 5
    return measures.firing_rates(
        recorded.t, recorded.i, recorded.n, float(duration), start=start
    )


def closed_form(cell, current):
    p = cell.params
    drive = np.asarray(p["R"] * current)
    with np.errstate(divide="ignore", invalid="ignore"):
        T = float(p["t_ref"]) + float(p["tau_m"]) * np.log(
            (drive - float(p["V_r"] - p["E_L"])) / (drive - float(p["V_t"] - p["E_L"]))
        )
    return np.where(drive > float(p["V_t"] - p["E_L"]), 1 / T, 0)


leaky = f_i(cell)
fig, axes = plots.figure("A", height=3)
plots.f_i_curve(
    np.asarray(currents),
    leaky,
    ax=axes["A"],
    label="leaky",
    theory=(np.asarray(currents), closed_form(cell, currents)),
)
assert (
    np.abs(leaky - closed_form(cell, currents)).max() < 1.2
)  # 1/1.6 s from counting, the rest from the step

# %% [markdown]
# ## A number: another time constant
#
# No compiler runs here.

# %%
for tau in (10, 40):
    plots.f_i_curve(
        np.asarray(currents), f_i(cell.but(tau_m=tau * ms)),
        ax=axes["A"], label=f"leaky, tau_m = {tau} ms",
    )
fig

# %% [markdown]
# ## An equation: the same cell with a quadratic current
#
# `edit` replaces a piece of text, which must stand exactly once; a new name gets its value beside it. A
# misspelt name or a wrong unit is an error here, before anything is built.

# %%
quadratic = cell.edit(
    "(E_L - v + R*I)/tau_m", "((v - E_L)*(v - V_c)/dV + R*I)/tau_m",
    V_c=-50 * mV, dV=10 * mV,
).but(V_t=-30 * mV)
plots.f_i_curve(np.asarray(currents), f_i(quadratic), ax=axes["A"], label="quadratic")
fig

# %% [markdown]
# ## A mechanism: adaptation
#
# `plus` adds equations, a reset statement, and what flows into an input.

# %%
adapting = cell.plus(
    "da/dt = -a/tau_a : amp",
    reset="a += b",
    adds={"I": "-a"},
    params={"tau_a": 150 * ms, "b": 40 * pA},
    name="leaky with adaptation",
)
adapting

# %%
fig, axes = plots.figure("A;B;C", height=6.5)
step = 0.35 * nA
for letter, kind in zip("AB", (cell, adapting), strict=True):
    net = Circuit(
        cells=population(kind, 20, init={"v": "V_r + rand()*(V_t - V_r)"}),
        drive=current("cells", "I", np.linspace(0.25, 0.45, 20) * nA),
        record=[spikes("cells"), trace("cells", "v", index=[10], every=0.5 * ms)],
    )
    recording = engine.run(net, 0.6 * second, seed=1)
    recorded = recording.spikes["cells"]
    plots.raster(recorded.t, recorded.i, ax=axes[letter], n=recorded.n, end=0.6)
    axes[letter].set_title(kind.name)
plots.f_i_curve(np.asarray(currents), leaky, ax=axes["C"], label="leaky")
adapted = f_i(adapting)
plots.f_i_curve(np.asarray(currents), adapted, ax=axes["C"], label="with adaptation")
assert adapted[-1] < 0.8 * leaky[-1]

# %% [markdown]
# ## A circuit shows itself as tables

# %%
net
