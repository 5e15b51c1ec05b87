"""Hebbian neurons with rates and with spikes find the principal components of photographs.

Patches of the two photographs that come with scikit-learn (grey values, the mean of each patch removed) are
the samples; scikit-learn's PCA of the same patches is the reference. Linear units learn by Oja's rule (the
first component), by Sanger's (one component after the other, as a circuit of local rules), and side by side
by Oja's rule, the control: all of them find the first component. The learning rate halves with every pass
over the patches.

A spiking neuron learns the same with `hebbian.spiking_oja`: STDP with balanced lobes plus a decay. Each
pixel is a Poisson input that fires at base_rate (1 + contrast x grey value / standard deviation), cut off
at 0 and twice the base rate; each patch is shown for 100 ms. The neuron fires at random, at a rate that is
a constant plus its filtered input, and weights have both signs (deviation: a spiking neuron with separate
excitation and inhibition would need ON and OFF cells). The reference is the PCA of the input rates.
Control: every pixel sees the patches in an order of its own, which leaves rates as they are but no
covariance.

Patches of 6 x 12 pixels, not square ones, because the components of square patches come in pairs of nearly
equal variance, which no rule can tell apart: here the gaps between the first four are above 1.5.
"""

import numpy as np
import pandas as pd
from brian2 import Hz, ms, second
from sklearn.datasets import load_sample_image
from sklearn.decomposition import PCA

import engine
from analysis import plots
from circuits import (
    Cell,
    Circuit,
    poisson,
    population,
    projection,
    rate,
    synapses,
    timed,
    weights,
    wiring,
)  # fmt: skip
from experiments import Claim, progress
from plasticity import compose, hebbian, unbounded

SOURCE = "Oja 1982; Sanger 1989"
QUICK = dict(n_patches=16_000, dt=2 * ms, seeds=(1, 2))

IMAGES = ("china.jpg", "flower.jpg")
COLUMNS = ["rule", "seed", "component", "cosine", "norm"]
SNAPSHOTS = 10  # per pass


def patches(random, n, shape):
    """Grey-value patches (n x pixels) of both photographs, without their means, and of variance 1 in all."""
    height, width = shape
    found = []
    for name in IMAGES:
        image = load_sample_image(name).mean(axis=2)
        top = random.integers(0, image.shape[0] - height + 1, n // 2)
        left = random.integers(0, image.shape[1] - width + 1, n // 2)
        rows, columns = np.arange(height)[:, None], np.arange(width)
        found.append(image[top[:, None, None] + rows, left[:, None, None] + columns].reshape(n // 2, -1))
    values = random.permutation(np.concatenate(found))
    values -= values.mean(axis=1, keepdims=True)
    values -= values.mean(axis=0)
    return values / np.sqrt((values**2).sum(axis=1).mean())


def variance_ratios(shape, n, stride=2):
    """Ratios of successive variances of the first n + 1 components of all patches (on a grid of `stride`)."""
    found = []
    for name in IMAGES:
        image = load_sample_image(name).mean(axis=2)
        windows = np.lib.stride_tricks.sliding_window_view(image, shape)[::stride, ::stride]
        found.append(windows.reshape(-1, int(np.prod(shape))))
    values = np.concatenate(found)
    values = values - values.mean(axis=1, keepdims=True)
    variance = np.linalg.eigvalsh(np.cov(values.T))[::-1]
    return variance[:n] / variance[1 : n + 1]


def cosines(weight, components):
    """|cos| between rows of `weight` (... x components x inputs) and the components of the same number."""
    norm = np.linalg.norm(weight, axis=-1)
    return np.abs((weight * components).sum(axis=-1)) / np.maximum(norm, 1e-300)


def linear_circuit(n_samples, start, eta, dt):
    """Sanger's circuit, and units side by side that learn by Oja's rule from the same inputs.

    A sample stays for two steps. Oja's units learn in both, so they get half the learning rate.
    """
    samples = timed(np.zeros((n_samples, start.shape[1])), 2 * dt)
    side_by_side = compose(
        hebbian.oja(eta=eta / 2), synapse=synapses.linear(start.T, port="drive"), bounds=unbounded()
    )
    names = ["side_by_side", *(f"forward_{k}" for k in range(1, len(start) + 1))]
    return Circuit(
        **hebbian.sanger_parts(samples, start, eta=eta),
        units=population(Cell("unit", "y = drive : 1", inputs={"drive": 1}), len(start)),
        side_by_side=projection("inputs", "units", side_by_side, wiring.all_to_all()),
        record=[weights(name, "w", every=(n_samples // SNAPSHOTS) * 2 * dt) for name in names],
        dt=dt,
    )


def learn(random, values, start, eta, n_passes, dt):
    """Weights by rule ("sanger", "oja") at snapshots of all passes: snapshot x component x input."""
    n, (n_components, n_inputs) = len(values), start.shape
    net = linear_circuit(n, start, eta, dt)
    forward = [f"forward_{k}" for k in range(1, n_components + 1)]
    back = [f"back_{k}" for k in range(1, n_components)]
    weight, found = {"sanger": start, "oja": start}, {"sanger": [], "oja": []}
    for k in range(n_passes):
        rate = eta / 2**k
        numbers = {"samples.amplitude": timed(random.permutation(values), 2 * dt)}
        for j, name in enumerate([*forward, *back]):
            numbers |= {f"{name}.w": weight["sanger"][j % n_components], f"{name}.eta_sanger": rate}
        numbers |= {"side_by_side.w": weight["oja"].T, "side_by_side.eta_oja": rate / 2}
        recorded = engine.run(net.but(numbers), 2 * n * dt).weights
        together = recorded["side_by_side.w"].values.reshape(-1, n_inputs, n_components)
        seen = {
            "sanger": np.stack([recorded[f"{name}.w"].values for name in forward], axis=1),
            "oja": together.transpose(0, 2, 1),
        }
        for rule, course in seen.items():
            found[rule].append(course[1:])
            weight[rule] = course[-1]
    return {rule: np.concatenate(courses) for rule, courses in found.items()}


def spiking_circuit(n_inputs, n_cells, n_shown, show, A, alpha, baseline, dt):
    """Neurons that fire at a rate of baseline plus filtered input, and learn by spiking Oja."""
    cell = Cell(
        "linear_poisson",
        "dv/dt = -v/tau : Hz",
        params=dict(tau=20 * ms, baseline=baseline),
        threshold="rand() < (baseline + v)*dt",
        method="exact",
    )
    learning = compose(
        hebbian.spiking_oja(A=A, alpha=alpha),
        synapse=synapses.delta("v", 1 * Hz),
        bounds=unbounded(),
        w="0.3*Hz*randn()",
    )
    return Circuit(
        inputs=poisson(n_inputs, timed(np.ones((n_shown, n_inputs)) * Hz, show)),
        cells=population(cell, n_cells),
        learning=projection("inputs", "cells", learning, wiring.all_to_all()),
        record=[weights("learning", "w", every=n_shown * show / SNAPSHOTS), rate("cells", every=1 * second)],
        dt=dt,
    )


def run(
    *,
    shape=(6, 12),
    n_patches=40_000,
    n_passes=4,
    n_components=3,
    step=0.01,
    n_shown=16_000,
    show=100 * ms,
    base_rate=100 * Hz,
    contrast=1.0,
    n_cells=4,
    A=0.0015 * Hz,
    alpha=0.8 / Hz,
    baseline=20 * Hz,
    dt=1 * ms,
    seeds=(1, 2, 3, 4, 5),
):
    """`step` is the learning rate per sample (eta dt) in the first pass."""
    if n_shown > n_patches:
        raise ValueError(f"n_shown = {n_shown}: spiking neurons are shown some of the {n_patches} patches.")
    n_inputs = int(np.prod(shape))
    eta = step / dt
    net = spiking_circuit(n_inputs, n_cells, n_shown, show, A, alpha, baseline, dt)
    rows, curves, images, spiking, rates = [], {}, {}, [], []
    for seed in progress(seeds, "seeds"):
        random = np.random.default_rng((seed, 0))
        values = patches(random, n_patches, shape)
        components = PCA(n_components).fit(values).components_
        start = 0.1 * random.standard_normal((n_components, n_inputs))
        for rule, found in learn(random, values, start, eta, n_passes, dt).items():
            curves.setdefault(rule, []).append(cosines(found, components))
            norm = np.linalg.norm(found[-1], axis=1)
            for k in range(n_components):
                rows.append((rule, seed, k + 1, curves[rule][-1][-1, k], norm[k]))
            if seed == seeds[0]:
                images[rule] = found[-1]
        shown = values[:n_shown]
        relative = np.clip(contrast * shown / shown.std(), -1, 1)
        first = PCA(1).fit(relative).components_[0]
        apart = np.column_stack([random.permutation(column) for column in relative.T])
        for rule, drive in (("spiking", relative), ("spiking, no covariance", apart)):
            drive = timed((1 + drive) * base_rate, show)
            recording = engine.run(net.but({"inputs.rates": drive}), n_shown * show, seed=seed)
            found = recording.weights["learning.w"].values
            found = found.reshape(len(found), n_inputs, n_cells).transpose(0, 2, 1)
            course = cosines(found, first)
            for k in range(n_cells):
                rows.append((rule, seed, k + 1, course[-1, k], np.linalg.norm(found[-1, k])))
            if rule == "spiking":
                spiking.append(course.mean(axis=1))
                rates.append(recording.rates["cells"].rate[-20:].mean())
                if seed == seeds[0]:
                    images |= {"spiking": found[-1, 0], "rates": first}
        if seed == seeds[0]:
            images["pca"] = components
    return {
        "table": pd.DataFrame(rows, columns=COLUMNS),
        "gaps": variance_ratios(shape, n_components),
        "curves": {rule: np.array(found) for rule, found in curves.items()},
        "spiking": np.array(spiking),
        "rates": np.array(rates),
        "images": images,
        "shape": np.array(shape),
        "n_patches": n_patches,
        "n_passes": n_passes,
        "n_cells": n_cells,
        "shown_seconds": float(n_shown * show),
        "seeds": list(seeds),
    }


def _tiles(ax, rows, shape):
    """Small images in rows: (name, weights of each column)."""
    ax.axis("off")
    n_columns = max(len(tiles) for _, tiles in rows)
    height, width, left = 1 / len(rows), 0.78 / n_columns, 0.22
    for k, (name, tiles) in enumerate(rows):
        top = 1 - (k + 1) * height
        ax.text(left - 0.02, top + 0.5 * height, name, ha="right", va="center", transform=ax.transAxes)
        for j, tile in enumerate(tiles):
            small = ax.inset_axes([left + j * width, top + 0.06 * height, 0.92 * width, 0.88 * height])
            reach = np.abs(tile).max()
            small.imshow(tile.reshape(shape), cmap="RdBu_r", vmin=-reach, vmax=reach)
            small.set_xticks([])
            small.set_yticks([])


def figure(results):
    images, shape, seeds = results["images"], tuple(results["shape"]), results["seeds"]
    table, curves = results["table"], results["curves"]
    fig, axes = plots.figure(
        "AB;CD",
        5.6,
        heights=[1, 1.05],
        titles={
            "A": f"Weights (seed {seeds[0]}; red positive, blue negative)",
            "B": "Linear units",
            "C": "All seeds, at the end",
            "D": "Spiking neurons",
        },
        title=f"{results['n_patches']} patches of {shape[0]} x {shape[1]} pixels of two photographs, "
        f"{results['n_passes']} passes; {plots.seeds(seeds)}",
    )

    def aligned(weight, reference):
        return weight * np.where((weight * reference).sum(axis=-1) < 0, -1, 1)[..., None]

    first = images["rates"]
    rows = [
        ("PCA", images["pca"]),
        ("Sanger", aligned(images["sanger"], images["pca"])),
        ("Oja, side\nby side", aligned(images["oja"], images["pca"][:1])),
        ("spiking;\nPCA of rates", [aligned(images["spiking"], first), first]),
    ]
    with plots.style():
        _tiles(axes["A"], rows, shape)
        ax = axes["B"]
        n = curves["sanger"].shape[1]
        seen = (np.arange(n) + 1) / SNAPSHOTS * results["n_patches"] / 1000
        for k, color in enumerate(
            (plots.BLUE, plots.GREEN, plots.PURPLE, plots.SKY)[: curves["sanger"].shape[2]]
        ):
            for rule, style, name in (("sanger", "-", "Sanger"), ("oja", ":", "Oja, unit")):
                ax.plot(
                    seen, curves[rule][:, :, k].mean(axis=0), style, color=color, label=f"{name} {k + 1}"
                )  # fmt: skip
        ax.set(xlabel="patches seen (thousands)", ylabel="|cos| with the PCA component", ylim=(0, 1.02))
        plots.legend(ax)
        samples = {}
        for rule, name, each in (
            ("sanger", "Sanger", True),
            ("oja", "Oja, unit", True),
            ("spiking", "", False),
        ):
            part = table[table.rule == rule]
            for k in sorted(set(part.component)) if each else ():
                samples[f"{name} {k}"] = part[part.component == k].cosine.to_numpy()
        for rule, name in (("spiking", "spiking"), ("spiking, no covariance", "spiking, control")):
            samples[name] = table[table.rule == rule].groupby("seed").cosine.mean().to_numpy()
        plots.comparison(
            samples, ax=axes["C"], x_label="|cos| with the PCA component", format=".3f", low=0, high=1.02,
            highlight=[n for n in samples if n == "spiking, control" or n.startswith("Oja") and n[-1] > "1"],
        )  # fmt: skip
        ax = axes["D"]
        t = np.linspace(0, results["shown_seconds"], results["spiking"].shape[1])
        plots.curve_with_band(
            t, results["spiking"], ax=ax, x_label="time (s)", y_label="|cos| with PC 1 of the rates",
            label=f"mean of {results['n_cells']} cells", reference=0.9, reference_label="bound",
        )  # fmt: skip
        ax.set_ylim(0, 1.02)
    return fig


def claims(results):
    own, pca = "tolerance of this project", "scikit-learn's PCA of the same patches"
    table = results["table"]
    gap = results["gaps"].min()
    made = [Claim("smallest ratio of successive variances, all patches", gap, 1.5, None, "", own)]
    oja = table[(table.rule == "oja") & (table.component == 1)]
    made.append(
        Claim("Oja: |cos| with the first component, worst seed", oja.cosine.min(), 0.99, None, "", pca)
    )
    for name, value in (("least", oja.norm.min()), ("greatest", oja.norm.max())):
        made.append(Claim(f"Oja: norm of the weights, {name}", value, 0.98, 1.02, "", "Oja 1982"))
    for k in sorted(set(table[table.rule == "sanger"].component)):
        worst = table[(table.rule == "sanger") & (table.component == k)].cosine.min()
        made.append(Claim(f"Sanger: |cos| with component {k}, worst seed", worst, 0.98, None, "", pca))
        if k > 1:
            best = table[(table.rule == "oja") & (table.component == k)].cosine.max()
            name = f"Oja side by side: |cos| of unit {k} with component {k}, best seed"
            made.append(Claim(name, best, 0.98, None, "", pca, True))
    spiking = table[table.rule == "spiking"].groupby("seed").cosine.mean()
    made.append(
        Claim("spiking: |cos| with PC 1 of the rates, worst seed", spiking.min(), 0.9, None, "", pca)
    )
    control = table[table.rule == "spiking, no covariance"].groupby("seed").cosine.mean()
    name = "spiking: the same without covariance of the inputs, best seed"
    made.append(Claim(name, control.max(), 0.9, None, "", pca, True))
    return made
