"""Spike templates with jitter: the liquid tells which one was presented a quarter of a second ago.

Two templates for the first quarter of a second and two for the second, each of them Poisson trains of 20 Hz
in twelve channels; every trial plays one and then another, each spike moved by a Gaussian jitter. At the
end a linear readout tells which template the first was: it ended 250 ms ago, and meanwhile another came in.
The templates of a segment differ in number and time of their spikes; a further condition gives all of them
five spikes per channel, so that only time is left.

The task is after Maass, Natschlaeger & Markram 2002 (jittered templates in a row, earlier ones read out at
the end); its liquid is the column of that paper with twice its cells (15 x 3 x 6) and with every channel
reaching a cell with probability 0.12, with gamma-distributed weights. Jitter is reflected at the ends of a
segment, and a channel has at most one spike per ms. Beside it stand the column with static synapses,
weights scaled to the same firing rate, the column without recurrence, and the input filtered as the
liquid's spikes are. The readout sees states with a noise of 0.02 spikes; what an unlimited precision would
feign is shown for the column without recurrence. The time step is 1 ms, and half of it for some seeds.
"""

import numpy as np
import pandas as pd
from brian2 import Hz, ms

from analysis import plots
from circuits.liquid import column, liquid
from experiments import Claim, keep, progress
from experiments import liquid_trials as lab

SOURCE = "after Maass, Natschlaeger & Markram 2002; bounds: this project"
QUICK = dict(n_seeds=4, n_control_seeds=1, n_half_step_seeds=0, jitters=(4 * ms,), n_train=500, n_test=200)

COLUMNS = ["condition", "jitter_ms", "seed", "ago_ms", "accuracy_percent", "rate_Hz"]
CONDITIONS = {
    "dynamic": "dynamic synapses",
    "static": "static synapses, same rate",
    "no recurrence": "no recurrence",
    "input": "input trace",
}
BOUNDS = {4: 70.0, 7: 65.0, 10: 60.0}  # jitter (ms): accuracy (%), mean over seeds


def draw_templates(random, n_segments, n_templates, n_channels, rate, segment, equal_counts):
    """Spikes (t from the start of the segment, channel) of every template of every segment."""

    def template():
        expected = rate * segment
        count = np.full(n_channels, round(expected)) if equal_counts else random.poisson(expected, n_channels)
        return random.random(count.sum()) * segment, np.repeat(np.arange(n_channels), count)

    return [[template() for _ in range(n_templates)] for _ in range(n_segments)]


def play(random, templates, labels, jitter, segment):
    """One stimulus (t, i) per row of labels: its template in every segment, each spike with jitter."""
    stimuli = []
    for row in labels:
        t, i = [], []
        for k, label in enumerate(row):
            exact, channel = templates[k][label]
            moved = np.abs(exact + jitter * random.standard_normal(len(exact)))  # reflected at 0
            moved = segment - np.abs(segment - moved)  # and at the end of the segment
            t.append(k * segment + np.clip(moved, 0, segment - lab.GRID))
            i.append(channel)
        stimuli.append(lab.on_grid(np.concatenate(t), np.concatenate(i)))
    return stimuli


def run(
    *,
    jitters=(4 * ms, 7 * ms, 10 * ms),
    n_templates=2,
    n_segments=2,
    segment=250 * ms,
    rate=20 * Hz,
    n_channels=12,
    input_probability=0.12,
    shape=(15, 3, 6),
    dt=1 * ms,
    tau_state=30 * ms,
    resolution=0.02,
    n_train=800,
    n_test=400,
    n_seeds=10,
    n_control_seeds=5,
    n_half_step_seeds=5,
    seed=1,
):
    seeds = [seed + k for k in range(n_seeds)]
    segment, tau, end = float(segment), float(tau_state), n_segments * float(segment)
    # The first template is asked for from its end on, up to the end of the last.
    at = np.linspace(segment, end, 6)
    rows, example = [], {}
    for one in progress(seeds, "seeds"):
        place = column(shape, seed=np.random.SeedSequence(one, spawn_key=(0,)))
        options = dict(input_probability=input_probability, input_spread=True)
        net = liquid(n_channels, place, dt=dt, **options)
        random = lab.generator(one, 1)
        labels = np.concatenate([lab.balanced(random, n_templates, n, n_segments) for n in (n_train, n_test)])
        first = labels[:, 0]

        def enter(condition, jitter, states, firing=np.nan, precision=resolution, first=first, one=one):
            for k, time in enumerate(at):
                percent = lab.accuracy(states[:, k], first, n_train, precision, lab.generator(one, 2, k))
                ago = round(1e3 * (time - segment))
                rows.append((condition, round(1e3 * jitter, 6), one, ago, percent, firing))

        def measure(condition, jitter, net, stimuli, one=one):
            recordings = lab.run_trials(net, stimuli, end, one)
            states = lab.states(recordings, at, tau)
            enter(condition, jitter, states, firing=lab.rate(recordings))
            return states, recordings

        drawn = {
            equal: draw_templates(random, n_segments, n_templates, n_channels, float(rate), segment, equal)
            for equal in (False, True)
        }
        for jitter in map(float, jitters):
            stimuli = play(random, drawn[False], labels, jitter, segment)
            states, recordings = measure("dynamic", jitter, net, stimuli)
            enter("input", jitter, lab.input_states(stimuli, n_channels, at, tau))
            if jitter != float(min(jitters)):
                continue
            # Ablations and variants: with the smallest jitter only, where the liquid does best.
            percent = lab.shuffled_accuracy(states[:, -1], first, n_train, resolution, lab.generator(one, 3))
            ago = round(1e3 * (end - segment))
            rows.append(("shuffled labels", round(1e3 * jitter, 6), one, ago, percent, np.nan))
            measure("equal counts", jitter, net, play(random, drawn[True], labels, jitter, segment))
            if not example:
                example = _example(stimuli, first, recordings[0], n_channels, place.n_exc)
            if one < seed + n_control_seeds:
                without, _ = measure("no recurrence", jitter, lab.with_scale(net, 0), stimuli)
                enter("no recurrence, exact trace", jitter, without, precision=0.0)
                static = liquid(n_channels, place, dt=dt, dynamic=False, **options)
                aim = lab.rate(recordings[:50])
                measure("static", jitter, lab.with_matched_rate(static, aim, stimuli[:50], end, one), stimuli)
            if one < seed + n_half_step_seeds:
                measure("half step", jitter, liquid(n_channels, place, dt=dt / 2, **options), stimuli)
        table = pd.DataFrame(rows, columns=COLUMNS)
        keep(table=table)
    return {
        **example,
        "table": table,
        "seeds": seeds,
        "segment": segment,
        "end": end,
        "n_templates": n_templates,
        "n_train": n_train,
        "n_test": n_test,
    }


def _example(stimuli, first, recording, n_channels, n_exc):
    """Three trials that begin with the first template, three with the second, and the liquid in one."""
    trials = np.concatenate([np.flatnonzero(first == label)[:3] for label in (0, 1)])
    spikes = recording.spikes["cells"]
    return {
        "input_t": np.concatenate([stimuli[trial][0] for trial in trials]),
        "input_i": np.concatenate([k * n_channels + stimuli[trial][1] for k, trial in enumerate(trials)]),
        "n_channels": n_channels,
        "cells_t": spikes.t,
        "cells_i": spikes.i,
        "n_exc": n_exc,
        "n_cells": spikes.n,
    }


def _accuracies(table, condition, jitter, ago=None):
    """Accuracies (%) of one condition: per seed at one time (ms ago), or seed x time."""
    rows = table[(table.condition == condition) & (table.jitter_ms == jitter)]
    wide = rows.pivot(index="seed", columns="ago_ms", values="accuracy_percent")
    return wide if ago is None else wide[ago].to_numpy() if ago in wide else np.zeros(0)


def figure(results):
    table, seeds, end = results["table"], results["seeds"], results["end"]
    least, ago, chance = table.jitter_ms.min(), table.ago_ms.max(), 100 / results["n_templates"]
    fig, axes = plots.figure(
        "AACCC;BBCCC;BBDDD",
        4.8,
        heights=[1.0, 0.6, 1.6],
        titles={
            "A": f"Six trials, jitter of {least:g} ms",
            "B": "Liquid in one of them",
            "C": "Which template was the first?",
            "D": f"{ago} ms after its end",
        },
        title=f"Spike templates on a liquid of {results['n_cells']} cells; {plots.seeds(seeds)}, "
        f"each {results['n_train']} training and {results['n_test']} test trials",
    )
    rows = np.arange(3 * results["n_channels"])
    groups = {"template 1": rows, "template 2": rows + len(rows)}
    plots.raster(results["input_t"], results["input_i"], ax=axes["A"], groups=groups, end=end)
    axes["A"].set_yticks(
        axes["A"].get_yticks(), list(groups)
    )  # rows are channels of trials, no number of cells
    n_exc = results["n_exc"]
    groups = {"excitatory": np.arange(n_exc), "inhibitory": np.arange(n_exc, results["n_cells"])}
    plots.raster(results["cells_t"], results["cells_i"], ax=axes["B"], groups=groups, end=end)
    axes["A"].set_xlabel("")
    for letter in "AB":
        axes[letter].axvline(1e3 * results["segment"], color=plots.GREY, linewidth=0.8, linestyle=":")
    for condition, label in CONDITIONS.items():
        wide = _accuracies(table, condition, least)
        if len(wide):
            plots.curve_with_band(
                wide.columns, wide.to_numpy(), ax=axes["C"], x_label="time since it ended (ms)",
                y_label="accuracy on test trials (%)", label=label, reference=chance, marker="o",
            )  # fmt: skip
    axes["C"].set_ylim(chance - 10, 102)
    plots.legend(axes["C"], outside=True)
    samples = {}
    for jitter in sorted(table.jitter_ms.unique()):
        samples[f"dynamic, jitter {jitter:g} ms"] = _accuracies(table, "dynamic", jitter, ago)
    names = {
        "half step": "half the time step",
        "equal counts": "equal numbers of spikes",
        "shuffled labels": "labels shuffled",
        **{name: label for name, label in CONDITIONS.items() if name != "dynamic"},
        "no recurrence, exact trace": "no recurrence, exact trace",
    }
    samples |= {label: _accuracies(table, condition, least, ago) for condition, label in names.items()}
    plots.comparison(
        {label: values for label, values in samples.items() if len(values)},
        ax=axes["D"], x_label="accuracy on test trials (%)", reference=chance, reference_label="chance",
        highlight=[f"dynamic, jitter {least:g} ms"], low=chance - 10, high=102,
    )  # fmt: skip
    return fig


def claims(results):
    table, chance, made = results["table"], 100 / results["n_templates"], []
    least, ago = table.jitter_ms.min(), table.ago_ms.max()

    def claim(name, condition, low, high=None, control=False, jitter=least):
        values = _accuracies(table, condition, jitter, ago)
        if len(values):
            source = "bound of this project, mean over seeds"
            made.append(Claim(f"accuracy, {name}", values.mean(), low, high, "%", source, control))

    for jitter, bound in BOUNDS.items():
        claim(f"liquid, jitter {jitter} ms", "dynamic", bound, jitter=jitter)
        if jitter == least:
            claim(f"liquid, jitter {jitter} ms, half the time step", "half step", bound)
    claim("liquid, templates of equal numbers of spikes", "equal counts", 55)
    claim("input trace", "input", chance - 5, chance + 5)
    claim("training on shuffled labels", "shuffled labels", chance - 5, chance + 5)
    claim("without recurrence", "no recurrence", 65, control=True)
    claim("with static synapses", "static", 65, control=True)
    return made
