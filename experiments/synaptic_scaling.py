"""Synaptic scaling brings a neuron back to its goal rate; it takes the integral term to resist a drift.

Leaky integrate-and-fire neurons receive Poisson inputs over synapses of random weights. Each neuron
multiplies all its synapses by one factor, by the rule of van Rossum, Bi & Turrigiano: proportional to the
difference of its mean activity to the goal, and to the integral of that difference. After a first phase the
inputs fire at twice the rate, then at half the rate. In other runs all weights fade all the time, by the
same relative amount: the proportional rule then rests below the goal by (rate of fading)/beta, the integral
term removes that.

Deviations. The paper's time constants make a day of every run: here everything about scaling is `speed`
times as fast (beta x speed, gamma x speed**2, tau / speed). The paper combines scaling with STDP; here the
fading stands for what opposes it. Neuron and inputs are ours. Controls: no scaling; fading without the
integral term.
"""

import numpy as np
import pandas as pd
from brian2 import Hz, ms, mV, second

import engine
from analysis import plots
from circuits import (
    Circuit,
    neurons,
    poisson,
    population,
    projection,
    rate,
    synapses,
    timed,
    trace,
    weights,
    wiring,
)  # fmt: skip
from experiments import Claim, progress
from plasticity import Periodic, Rule, compose, homeostasis, unbounded

SOURCE = "van Rossum, Bi & Turrigiano 2000"
QUICK = dict(seeds=(1, 2), n_half_step_seeds=0, phase=450 * second)

CONDITIONS = ("scaling", "fading", "fading, no integral", "no scaling")
BIN = 1 * second


def fading(tau, every=1 * second):
    """All weights shrink: dw/dt = -w/tau."""
    return Rule(
        "fading", periodic=Periodic("w *= exp(-every/tau)", every="every"), params=dict(tau=tau, every=every)
    )


def circuit(n_inputs, n_cells, goal, beta, gamma, tau, weight, phase, dt):
    """Neurons whose synapses scale and fade; what differs between conditions is numbers."""
    learning = compose(
        homeostasis.scaling(goal=goal, beta=beta, gamma=gamma, tau=tau),
        fading(1e12 * second),
        synapse=synapses.delta("v", weight),
        bounds=unbounded(),
        w=f"{float(weight / mV)}*mV*(0.5 + rand())",
    )
    return Circuit(
        inputs=poisson(n_inputs, timed(np.ones(3) * Hz, phase)),
        cells=population(neurons.leaky(), n_cells),
        learning=projection("inputs", "cells", learning, wiring.all_to_all()),
        record=[
            rate("cells", every=BIN),
            trace("cells", "s_scaling_learning", every=10 * BIN),
            weights("learning", every=phase),
        ],
        dt=dt,
    )


def run(
    *,
    n_inputs=100,
    n_cells=20,
    input_rate=20 * Hz,
    weight=0.5 * mV,
    goal=10 * Hz,
    beta=4e-5,
    gamma=1e-7 * Hz,
    tau=100 * second,
    speed=20.0,
    residual=2 * Hz,
    phase=600 * second,
    dt=1 * ms,
    n_half_step_seeds=1,
    seeds=(1, 2, 3, 4, 5),
):
    """`residual` is what the proportional rule should leave: weights fade at the rate beta residual."""
    beta, gamma, tau = beta * speed, gamma * speed**2, tau / speed
    steps = timed(np.array([1, 2, 0.5]) * input_rate, phase)
    steady = timed(np.ones(3) * input_rate, phase)
    fade = {"learning.tau_fading": 1 / (beta * residual), "inputs.rates": steady}
    numbers = {
        "scaling": {"inputs.rates": steps},
        "fading": fade,
        "fading, no integral": {**fade, "learning.gamma_scaling": 0 * Hz},
        "no scaling": {
            "inputs.rates": steps, "learning.beta_scaling": 0.0, "learning.gamma_scaling": 0 * Hz,
        },
    }  # fmt: skip
    rows, curves, factors, ratios = [], {c: [] for c in CONDITIONS}, [], []
    for seed in progress(seeds, "seeds"):
        for half in (False, True):
            if half and seed not in seeds[:n_half_step_seeds]:
                continue
            net = circuit(n_inputs, n_cells, goal, beta, gamma, tau, weight, phase, dt / (1 + half))
            trials = [numbers[condition] for condition in CONDITIONS]
            for condition, recording in zip(
                CONDITIONS, engine.run(net, 3 * phase, seed=seed, trials=trials), strict=True
            ):
                found = recording.rates["cells"].rate
                n = len(found) // 3
                for k in range(3):
                    # the last third of each phase
                    rows.append((condition, seed, half, k, found[k * n + 2 * n // 3 : (k + 1) * n].mean()))
                first, last = recording.weights["learning.w"].values[[0, -1]]
                change = last / first
                ratios.append(np.ptp(change) / change.mean())
                if not half:
                    curves[condition].append(found)
                    if condition == "scaling":
                        factors.append(recording.traces["cells.s_scaling_learning"].values.mean(axis=1))
    return {
        "table": pd.DataFrame(rows, columns=["condition", "seed", "half_step", "phase", "rate"]),
        "curves": {condition: np.array(found) for condition, found in curves.items()},
        "factor": np.array(factors),
        "ratio_error": float(np.max(ratios)),
        "n_steps": round(float(3 * phase / dt)),
        "seeds": list(seeds),
        "goal": float(goal),
        "residual": float(residual),
        "phase": float(phase),
        "speed": speed,
        "n_cells": n_cells,
        "n_inputs": n_inputs,
    }


def figure(results):
    curves, goal, phase, seeds = results["curves"], results["goal"], results["phase"], results["seeds"]
    fig, axes = plots.figure(
        "AA;BB;CD",
        6.0,
        titles={
            "A": "Inputs change, synapses scale",
            "B": "Weights fade",
            "C": "Factor of all synapses of a neuron",
            "D": "Rate at the end of each phase",
        },
        title=f"{results['n_cells']} neurons, {results['n_inputs']} inputs; {plots.seeds(seeds)}; "
        f"scaling sped up {results['speed']:g} times",
        heights=[1, 1, 1.1],
    )
    width = max(round(phase / 60), 1)
    with plots.style():
        for ax, shown in (
            (axes["A"], {"scaling": plots.BLUE, "no scaling": plots.VERMILLION}),
            (axes["B"], {"fading": plots.BLUE, "fading, no integral": plots.VERMILLION}),
        ):
            for condition, color in shown.items():
                values = curves[condition]
                bins = values.shape[1] // width
                smooth = values[:, : bins * width].reshape(len(values), bins, width).mean(axis=2)
                t = (np.arange(bins) + 0.5) * width
                label = {"scaling": "with scaling", "fading": "with integral term"}.get(condition, condition)
                ax.plot(t, smooth.T, color=color, linewidth=0.7, alpha=0.6)
                ax.plot([], [], color=color, label=label.removeprefix("fading, "))
            ax.axhline(goal, linestyle="--", color=plots.GREY, linewidth=0.9, label="goal")
            ax.set(xlabel="time (s)", ylabel="firing rate (Hz)", xlim=(0, 3 * phase), ylim=(0, 3.2 * goal))
        axes["B"].axhline(
            goal - results["residual"], linestyle=":", color=plots.VERMILLION, linewidth=1.2,
            label="expected without integral",
        )  # fmt: skip
        axes["B"].set_ylim(0, 1.7 * goal)
        for k, text in enumerate(("input x 1", "input x 2", "input x 0.5")):
            axes["A"].text((k + 0.35) * phase, 2.8 * goal, text)
            if k:
                axes["A"].axvline(k * phase, color=plots.GREY, linewidth=0.6)
        plots.legend(axes["A"], outside=True)
        plots.legend(axes["B"], outside=True)
        ax = axes["C"]
        t = np.arange(results["factor"].shape[1]) * 10
        ax.plot(t, results["factor"].T, color=plots.BLUE, linewidth=0.9)
        ax.set(xlabel="time (s)", ylabel="factor (mean over neurons)", yscale="log")
        ax.set_yticks([0.3, 0.5, 1, 2], ["0.3", "0.5", "1", "2"])
        ax.set_yticks([], minor=True)
    table = results["table"]
    table = table[~table.half_step]
    samples = {}
    for name, condition, k in (
        ("scaling, input x 1", "scaling", 0),
        ("scaling, input x 2", "scaling", 1),
        ("scaling, input x 0.5", "scaling", 2),
        ("fading", "fading", 2),
        ("fading, no integral", "fading, no integral", 2),
    ):
        samples[name] = table[(table.condition == condition) & (table.phase == k)].rate.to_numpy()
    plots.comparison(
        samples, ax=axes["D"], x_label="firing rate (Hz)", reference=goal, reference_label="goal",
        highlight=["fading, no integral"],
    )  # fmt: skip
    return fig


def claims(results):
    source, own = "van Rossum, Bi & Turrigiano 2000", "tolerance of this project"
    goal, table, steps = results["goal"], results["table"], results["n_steps"]

    def mean(condition, phase, half=False):
        chosen = (table.condition == condition) & (table.phase == phase) & (table.half_step == half)
        return table[chosen].rate.mean() / goal

    made = [
        Claim("rate over goal, with integral term", mean("scaling", 0), 0.98, 1.02, "", source),
        Claim("after doubling the input", mean("scaling", 1), 0.98, 1.02, "", source),
        Claim("after halving it", mean("scaling", 2), 0.98, 1.02, "", source),
        Claim("while weights fade, with integral term", mean("fading", 2), 0.98, 1.02, "", source),
        Claim("while weights fade, without", mean("fading, no integral", 2), 0.98, 1.02, "", source, True),
        Claim(
            "what is missing without integral term, over the closed form",
            (1 - mean("fading, no integral", 2)) * goal / results["residual"], 0.85, 1.15, "", source,
        ),
        Claim("without scaling, after doubling the input", mean("no scaling", 1), 0.98, 1.02, "", own, True),
        Claim("without scaling, after halving it", mean("no scaling", 2), 0.98, 1.02, "", own, True),
        Claim(f"change of weight ratios, {steps} steps", results["ratio_error"], None, 1e-6, "", own),
    ]  # fmt: skip
    if table.half_step.any():
        name = "with integral term, half the step"
        made.append(Claim(name, mean("scaling", 0, True), 0.98, 1.02, "", source))
        made.append(Claim(f"fading, {name}", mean("fading", 2, True), 0.98, 1.02, "", source))
    return made
