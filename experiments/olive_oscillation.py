"""The inferior olive oscillates, gap junctions synchronise it, and the deep nuclei undo that.

Single cells of Manor et al. 1997 in the form of Torben-Nielsen et al. 2012, and networks of 4 clusters of 12
of them with noise and complex spikes (`circuits.olive`). Kuramoto's order parameter, over the cells of a
cluster and then over clusters and time, of phases between 3 and 12 Hz; it is 0.26 for 12 independent cells.

- Single cells: three pairs of conductances, by frequency and extremes.
- Coupling: all junctions scaled by one factor from 0 on. Coupled cells turn together, uncoupled ones keep
  frequency and amplitude and are uncorrelated, and so are their complex spikes (Long et al. 2002, in mice
  without connexin 36). Coupling coefficients as Devor & Yarom 2002 measured them: -50 pA into one cell
  without noise or spikes, the response of the cells joined to it over its own, means over 2 s.
- Nuclei: 20 Poisson sources inhibit all cells. The same inhibition with junctions that it does not close
  (g_0 set to 1 S) lowers the rate no less, and the order much less: that is the control. It holds for
  moderate inhibition; at twice this strength shunting alone ends the oscillation, and with it the order.

Deviations: junctions have 0.05 to 0.25 nS (times `scales`, so that the last of them covers the 0.7 nS of
Torben-Nielsen et al., with which coupling coefficients reach 0.3), clusters are alike and not joined to each
other, and conductances of cells are spread by 2 % so that nearly all oscillate alone (theirs by up to 25 %).
Noise, spikes and the effect of inhibition on junctions are this project's (see `circuits.olive`), chosen on
seeds 0 to 4 with other junctions and looked at on 1 to 5 and 11 to 17. From -4 to +2 pA the rate stays the
same to about a tenth, as the oscillation is largest at -4 pA: the claim that current excites begins at 0.
"""

import numpy as np
import pandas as pd
from brian2 import Hz, cm, ms, msiemens, mV, nS, pA, second, siemens
from scipy.signal import butter, sosfiltfilt

import engine
from analysis import plots
from analysis.phases import mean_frequency, order_parameter, phases
from analysis.spikes import counts
from circuits import Circuit, current, olive, poisson, population, spikes, timed, trace
from experiments import Claim, keep, progress

SOURCE = "Torben-Nielsen et al. 2012; Long et al. 2002; Devor & Yarom 2002; Best & Regehr 2009"
QUICK = dict(
    scales=(0.0, 0.5, 1.0, 2.0), drives=(-20 * pA, 0 * pA, 20 * pA, 80 * pA),
    rates=(0 * Hz, 12 * Hz, 24 * Hz), n_seeds=2, duration=32 * second, n_step_seeds=0, n_injected=2,
    dt=1 * ms,
)  # fmt: skip

# g_L and g_Ca (mS/cm2): frequency (Hz), minimum and maximum (mV). The first two oscillate, the last rests.
ROWS = {
    (0.15, 0.40): (5.963, -59.09, -53.16),
    (0.25, 0.72): (8.283, -58.96, -51.46),
    (0.35, 0.70): (0.0, -59.776, -59.776),
}
BAND = (3.0, 12.0)  # Hz
SAMPLE = 4 * ms
START = 1.5  # s, not measured
COINCIDENT = 0.05  # s
THIRD = 4 * second
UNIT = msiemens / cm**2
NO_SPIKES = {"olive.sigma": 0 * pA, "olive.V_t": 1000 * mV}
COLUMNS = [
    "condition", "seed", "scale", "drive_pA", "nuclei_Hz", "order", "frequency_Hz", "amplitude_mV",
    "correlation", "rate_Hz", "coincidence", "depolarised", "shifted",
]  # fmt: skip


def network(seed, *, clusters=4, size=12, n_nuclei=20, dt=0.5 * ms):
    """An olive with a current into all cells (`drive`) and one into each (`probe`), and nuclei whose rate has
    three values: for THIRD, for THIRD, and from then on.
    """
    return Circuit(
        **olive.network(clusters, size, nuclei="nuclei", seed=seed),
        nuclei=poisson(n_nuclei, rates=timed(np.zeros(3) * Hz, THIRD)),
        drive=current("olive", "I", 0 * pA),
        probe=current("olive", "I", np.zeros(clusters * size) * pA),
        record=[trace("olive", "v", every=SAMPLE), spikes("olive")],
        dt=dt,
    )


def single_cells(dt, length=4.0):
    """Potentials (time x row of ROWS, mV) after 2 s of settling, and frequency, minimum, maximum of each."""
    g_L, g_Ca = np.array(list(ROWS)).T
    net = Circuit(
        cells=population(olive.subthreshold(g_L=g_L * UNIT, g_Ca=g_Ca * UNIT), len(ROWS)),
        record=trace("cells", "v", every=SAMPLE),
        dt=dt,
    )
    found = engine.run(net, (2 + length) * second, seed=1).traces["cells.v"]
    v = 1e3 * found.values[found.t >= 2]
    turning = np.ptp(v, axis=0) > 0.1
    f = np.where(turning, mean_frequency(phases(v, float(SAMPLE / second), 1, 20), float(SAMPLE / second)), 0)
    return v, np.stack([f, v.min(axis=0), v.max(axis=0)], axis=1)


def measure(recording, size):
    """What COLUMNS hold from "order" on, of one run."""
    found, s, step = recording.traces["olive.v"], recording.spikes["olive"], float(SAMPLE / second)
    v = 1e3 * found.values[found.t >= START]
    turned = phases(v, step, *BAND)
    band = sosfiltfilt(butter(2, BAND, "bandpass", fs=1 / step, output="sos"), v, axis=0)
    clusters = [slice(k, k + size) for k in range(0, v.shape[1], size)]
    pairs = np.triu_indices(size, 1)
    # Spikes in bins: how often two cells fire together, over what their rates alone would give.
    end = START + np.floor((recording.duration - START) / COINCIDENT) * COINCIDENT
    n = counts(s.t, s.i, s.n, end, COINCIDENT, START).astype(float)
    together = sum((n[c] @ n[c].T)[pairs].sum() for c in clusters) / n.shape[1]
    chance = sum(np.outer(n[c].mean(axis=1), n[c].mean(axis=1))[pairs].sum() for c in clusters)
    # Spikes at depolarised phases, among those where there is a phase.
    at = np.round((s.t - START) / step).astype(int) - round(0.5 / step)

    def depolarised(later):
        inside = (at >= 0) & (at < len(turned))
        angles = turned[(at[inside] + later) % len(turned), s.i[inside]]
        return np.mean(np.cos(angles) > 0) if len(angles) else np.nan

    return (
        np.mean([order_parameter(turned[:, c]).mean() for c in clusters]),
        np.median(mean_frequency(turned, step)),
        np.sqrt(2) * band.std(axis=0).mean(),
        np.mean([np.corrcoef(band[:, c].T)[pairs] for c in clusters]),
        np.sum(s.t >= START) / (recording.duration - START) / s.n,
        together / chance if chance > 0 else np.nan,
        depolarised(0),
        depolarised(len(turned) // 2),
    )


def coupling_coefficients(net, seed, scale, n_injected, amplitude=-50 * pA, length=4):
    """Response of every joined cell over that of the cell which gets the current, for the first cells."""
    base = net.but({**NO_SPIKES, "olive_gap.scale": scale})
    wired, n = net.parts["olive_gap"].wiring, net.parts["olive"].n

    def mean(into=None):
        amplitudes = np.zeros(n)
        if into is not None:
            amplitudes[into] = 1
        found = engine.run(base.but({"probe.amplitude": amplitudes * amplitude}), length * second, seed=seed)
        v = found.traces["olive.v"]
        return v.values[v.t >= length / 2].mean(axis=0)

    rest, made = mean(), []
    for k in range(n_injected):
        response = mean(k) - rest
        made += list(response[wired.j[wired.i == k]] / response[k])
    return np.array(made)


def run(
    *,
    clusters=4,
    size=12,
    scales=(0.0, 0.25, 0.5, 1.0, 2.0, 2.8),
    drives=(-20 * pA, -10 * pA, 0 * pA, 5 * pA, 10 * pA, 20 * pA, 40 * pA, 80 * pA),
    rates=(0 * Hz, 4 * Hz, 8 * Hz, 12 * Hz, 16 * Hz, 24 * Hz, 36 * Hz),
    nuclei_rate=12 * Hz,
    n_nuclei=20,
    n_injected=12,
    duration=60 * second,
    dt=0.5 * ms,
    n_seeds=5,
    n_step_seeds=5,
    seed=1,
):
    seeds, rows, coefficients, uncoupled = [seed + k for k in range(n_seeds)], [], [], []
    found, shown = {}, {}
    options = dict(clusters=clusters, size=size, n_nuclei=n_nuclei)
    on = float(nuclei_rate / Hz)

    def row(condition, net, one, scale=1.0, drive=0.0, rate=0.0, **numbers):
        given = {"olive_gap.scale": scale, "drive.amplitude": drive * pA, **numbers}
        given["nuclei.rates"] = np.full(3, rate) * Hz
        key = (one, str(net.dt), str(given))
        if key not in found:  # some conditions are the same run
            recording = engine.run(net.but(given), duration, seed=one)
            found[key] = measure(recording, size)
            if one == seed and condition == "coupling" and scale in (0, 1):
                v = recording.traces["olive.v"]
                shown[f"v {scale:g}"] = v.values[v.t >= v.t[-1] - 2, :size] * 1e3
        rows.append((condition, one, scale, drive, rate, *found[key]))

    for one in progress(seeds, "seeds"):
        net = network(one, **options, dt=dt)
        for scale in scales:
            row("coupling", net, one, scale=scale)
        for drive in drives:
            row("drive", net, one, drive=float(drive / pA))
        for rate in rates:
            row("nuclei", net, one, rate=float(rate / Hz))
            row("junctions stay open", net, one, rate=float(rate / Hz), **{"olive.g_0": 1 * siemens})
        row("on", net, one, rate=on)
        row("on, junctions stay open", net, one, rate=on, **{"olive.g_0": 1 * siemens})
        row("on, strength 0", net, one, rate=on, **{"olive_inhibition.w": 0 * nS})
        if one < seed + n_step_seeds:
            for name, factor in (("half step", 0.5), ("double step", 2)):
                other = network(one, **options, dt=dt * factor)
                row(name, other, one)
                row(f"{name}, on", other, one, rate=on)
        coefficients.append(coupling_coefficients(net, one, 1.0, n_injected))
        uncoupled.append(coupling_coefficients(net, one, 0.0, 1))
        # Without noise, spikes and junctions: which cells oscillate by themselves? Some start near a focus
        # and take 20 s to leave it.
        alone = net.but({**NO_SPIKES, "olive_gap.scale": 0.0})
        resting = alone.but({"olive.g_L": 0.35 * UNIT * np.ones(clusters * size),
                             "olive.g_Ca": 0.70 * UNIT * np.ones(clusters * size)})  # fmt: skip
        for name, which in (("oscillate alone", alone), ("resting cells oscillate alone", resting)):
            v = engine.run(which, 30 * second, seed=one).traces["olive.v"]
            shown.setdefault(name, []).append(np.mean(np.ptp(v.values[v.t > 28], axis=0) > 1e-3))
        keep(table=pd.DataFrame(rows, columns=COLUMNS))

    # The nuclei fall silent at first, fire in the second third of the time and fall silent again.
    switched = network(seed, **options, dt=dt).but({"nuclei.rates": np.array([0, on, 0]) * Hz})
    recording = engine.run(switched, 3 * THIRD, seed=seed)
    turned = phases(1e3 * recording.traces["olive.v"].values, float(SAMPLE / second), *BAND, trim=0)
    starts = range(0, clusters * size, size)
    order = np.mean([order_parameter(turned[:, k : k + size]) for k in starts], axis=0)
    traced, steps = {}, {}
    for divide in (1, 2) if n_step_seeds else (1,):
        traced[divide], steps[divide] = single_cells(dt / divide)
    return {
        "table": pd.DataFrame(rows, columns=COLUMNS),
        "seeds": seeds,
        "duration": float(duration / second),
        "dt": float(dt / ms),
        "n_cells": clusters * size,
        "size": size,
        "mean_gap": float(np.mean(net.parts["olive_gap"].synapse.params["w"]) / nS),
        "on": on,
        "third": float(THIRD / second),
        "single_v": traced[1],
        "single": steps[1],
        "single_half": steps.get(2, np.zeros((0, 3))),
        "coefficients": np.concatenate(coefficients),
        "coefficients_uncoupled": np.concatenate(uncoupled),
        "alone": np.array(shown["oscillate alone"]),
        "alone_resting": np.array(shown["resting cells oscillate alone"]),
        "v_coupled": shown.get("v 1", np.zeros((0, size))),
        "v_uncoupled": shown.get("v 0", np.zeros((0, size))),
        "switched_t": recording.traces["olive.v"].t,
        "switched_order": order,
        "switched_spikes_t": recording.spikes["olive"].t,
        "switched_spikes_i": recording.spikes["olive"].i,
    }


def of(table, condition, column, **where):
    """The values of a column over seeds."""
    rows = table[table.condition == condition]
    for name, value in where.items():
        rows = rows[rows[name] == value]
    return rows[column].to_numpy()


def grid(table, condition, along, column):
    """Values as seed x point, and the points."""
    made = table[table.condition == condition].pivot(index="seed", columns=along, values=column)
    return made.to_numpy(), made.columns.to_numpy()


def figure(results):
    table, seeds, on, third = results["table"], results["seeds"], results["on"], results["third"]
    shown = "mean and 95 % interval" if len(seeds) >= plots.FEW else "mean, and seeds (thin)"
    fig, axes = plots.figure(
        "ABC;DEF;GGG;HIJ",
        7.8,
        heights=(1, 1, 1.15, 1),
        titles={
            "A": "Single cells",
            "B": "Cluster, no junctions",
            "C": "Cluster, junctions",
            "D": "Synchrony",
            "E": "Synchrony of spikes",
            "F": "Coupling",
            "G": f"Nuclei at {on:g} Hz from {third:g} to {2 * third:g} s: complex spikes by cluster, and "
            "order (line)",
            "H": "Nuclei: synchrony",
            "I": "Nuclei: spikes",
            "J": "Current: spikes",
        },
        title=f"Inferior olive: {results['n_cells']} cells in clusters of {results['size']}, step "
        f"{results['dt']:g} ms. D, E, H to J: {shown}, n = {len(seeds)},\n"
        f"{plots.seeds(seeds)}, {results['duration']:g} s each; F: all seeds; B, C, G: seed {seeds[0]}. "
        "Grey: 0.5 to 2 Hz",
    )
    step = float(SAMPLE / second)
    with plots.style():
        v = results["single_v"][: round(1 / step)]
        for k, ((g_L, g_Ca), color) in enumerate(zip(ROWS, plots.PALETTE, strict=False)):
            axes["A"].plot(np.arange(len(v)) * step, v[:, k], color=color, label=f"{g_L:.2f}, {g_Ca:.2f}")
        axes["A"].set(xlabel="time (s)", ylabel="potential (mV)", xlim=(0, 1), ylim=(-61, -38))
        axes["A"].legend(title="g$_L$, g$_{Ca}$ (mS/cm$^2$)", loc="upper left", borderaxespad=0)
        for letter, name in (("B", "v_uncoupled"), ("C", "v_coupled")):
            v = results[name]
            image = axes[letter].imshow(v.T, aspect="auto", origin="lower", vmin=-68, vmax=-48,
                                        extent=(0, len(v) * step, 0.5, v.shape[1] + 0.5))  # fmt: skip
            axes[letter].set(xlabel="time (s)", ylabel="cell")
        bar = fig.colorbar(image, cax=axes["C"].inset_axes([1.04, 0, 0.06, 1]), label="potential (mV)")
        bar.outline.set_visible(False)

    def curve(letter, condition, along, column, color=plots.BLUE, factor=1.0):
        values, x = grid(table, condition, along, column)
        plots.curve_with_band(factor * x, values, ax=axes[letter], x_label=labels[along], color=color,
                              y_label=labels[column], marker="o")  # fmt: skip
        axes[letter].get_legend().remove()

    labels = {"scale": "mean junction (nS)", "order": "order R", "coincidence": "coincidence/chance",
              "nuclei_Hz": "rate of the nuclei (Hz)", "rate_Hz": "complex spikes (Hz)",
              "drive_pA": "current (pA)"}  # fmt: skip
    curve("D", "coupling", "scale", "order", factor=results["mean_gap"])
    curve("E", "coupling", "scale", "coincidence", factor=results["mean_gap"])
    curve("J", "drive", "drive_pA", "rate_Hz")
    for letter, column in (("H", "order"), ("I", "rate_Hz")):
        curve(letter, "nuclei", "nuclei_Hz", column)
        curve(letter, "junctions stay open", "nuclei_Hz", column, plots.VERMILLION)
    with plots.style():
        independent = np.sqrt(np.pi / (4 * results["size"]))
        for letter in "DH":
            axes[letter].axhline(independent, color=plots.GREY, linestyle="--", linewidth=0.9, zorder=0)
            axes[letter].text(1, 0.9 * independent, "independent", color=plots.GREY, va="top", ha="right",
                              transform=axes[letter].get_yaxis_transform())  # fmt: skip
        axes["E"].axhline(1, color=plots.GREY, linestyle="--", linewidth=0.9, zorder=0)
        place = dict(transform=axes["I"].transAxes, ha="right", va="top")
        axes["I"].text(1, 0.98, "junctions\nstay open", color=plots.VERMILLION, **place)
        axes["I"].text(1, 0.62, "closed by\nthe nuclei", color=plots.BLUE, **place)
        axes["I"].axhspan(0.5, 2, color=plots.GREY, alpha=0.12, linewidth=0, zorder=0)
        axes["J"].axhspan(0.5, 2, color=plots.GREY, alpha=0.12, linewidth=0, zorder=0)
        for letter, top in (("D", 1.03), ("E", None), ("H", 1.03), ("I", None), ("J", None)):
            axes[letter].set_ylim(0, top)
        found = results["coefficients"]
        axes["F"].hist(found, np.arange(0, 0.2, 0.01), color=plots.BLUE)
        top = 1.35 * axes["F"].get_ylim()[1]
        for bound in (0.002, 0.17):
            axes["F"].axvline(bound, color=plots.GREY, linestyle="--", linewidth=0.9)
        axes["F"].text(0.086, 0.97 * top, "Devor & Yarom 2002", color=plots.GREY, ha="center", va="top")
        axes["F"].set(xlabel="coefficient", ylabel=f"pairs (n = {len(found)})", xlim=(-0.005, 0.18),
                      ylim=(0, top))  # fmt: skip
    _switched(results, axes["G"])
    return fig


def _switched(results, ax):
    """Spikes of all cells while the nuclei are silent, fire and are silent again, and the order on top."""
    third, size, n = results["third"], results["size"], results["n_cells"]
    plots.raster(results["switched_spikes_t"], results["switched_spikes_i"], ax=ax, n=n, end=3 * third)
    with plots.style():
        for k in range(size, n, size):
            ax.axhline(k - 0.5, color=plots.GREY, linewidth=0.5)
        ax.axvspan(third, 2 * third, color=plots.ORANGE, alpha=0.2, linewidth=0)
        t, order = results["switched_t"], results["switched_order"]
        width = round(0.5 / (t[1] - t[0]))
        smooth = np.convolve(order, np.ones(width) / width, mode="valid")
        beside = ax.twinx()
        beside.plot(t[width // 2 :][: len(smooth)], smooth, color=plots.VERMILLION, linewidth=1.6)
        beside.set(ylim=(0, 1.02), ylabel="order R (0.5 s)")
        beside.yaxis.label.set_color(plots.VERMILLION)
        beside.spines["right"].set_visible(True)


def claims(results):
    table, on = results["table"], results["on"]
    ours = "tolerance of this project"
    made = []

    def claim(*given, **keywords):
        made.append(Claim(*given, **keywords))

    half = f" (dt {results['dt'] / 2:g} ms)"
    for suffix, found in (("", results["single"]), (half, results["single_half"])):
        for ((g_L, g_Ca), (f, low, high)), row in zip(ROWS.items(), found, strict=False):
            name, source = f"{g_L:.2f}/{g_Ca:.2f} mS/cm2{suffix}", f"{SOURCE.split(';')[0]}, equations"
            if f:
                claim(f"frequency, {name}", row[0], 0.98 * f, 1.02 * f, "Hz", source)
                claim(f"minimum, {name}", row[1], low - 0.3, low + 0.3, "mV", source)
            claim(f"maximum, {name}", row[2], high - 0.3, high + 0.3, "mV", source)
    oscillating, resting = results["single"][0], results["single"][2]
    claim("peak to peak, 0.15/0.40", oscillating[2] - oscillating[1], 1, None, "mV", ours)
    claim("peak to peak, 0.35/0.70", resting[2] - resting[1], 1, None, "mV", ours, control=True)

    order, _ = grid(table, "coupling", "scale", "order")
    coupled = {c: of(table, "coupling", c, scale=1) for c in COLUMNS[5:]}
    alone = {c: of(table, "coupling", c, scale=0) for c in COLUMNS[5:]}
    rises = np.diff(order, axis=1)
    monotone = "Torben-Nielsen et al. 2012; Long et al. 2002"
    claim("order: smallest rise from one gap conductance to the next, any seed", rises.min(), 0, None, "",
          monotone)  # fmt: skip
    claim("order, coupled, lowest of seeds", coupled["order"].min(), 0.7, 1, "", ours)
    claim("order, uncoupled, highest of seeds", alone["order"].max(), 0.7, 1, "", ours, control=True)
    long = "Long et al. 2002; bounds of this project"
    name = "cells that oscillate without coupling and noise, lowest of seeds"
    claim(name, results["alone"].min(), 0.9, 1, "", long)
    claim(f"{name}, at 0.35/0.70", results["alone_resting"].min(), 0.9, 1, "", long, control=True)
    for column, name in (("frequency_Hz", "frequency"), ("amplitude_mV", "amplitude")):
        ratio = alone[column] / coupled[column]
        for which, value in (("lowest", ratio.min()), ("highest", ratio.max())):
            low, high = (0.9, 1.1) if name == "frequency" else (0.67, 1.5)
            claim(f"{name} uncoupled over coupled, {which} of seeds", value, low, high, "", long)
    largest = np.abs(alone["correlation"]).max()
    claim("correlation of cells, uncoupled, largest", largest, 0, 0.1, "", long)
    smallest = coupled["correlation"].min()
    claim("correlation of cells, coupled, lowest", smallest, 0, 0.1, "", long, control=True)
    name = "coincident spikes over chance"
    claim(f"{name}, coupled, mean of seeds", coupled["coincidence"].mean(), 1.1, None, "", long)
    claim(f"{name}, uncoupled, mean of seeds", alone["coincidence"].mean(), 1.1, None, "", long, control=True)
    name = "spikes in the depolarised half cycle"
    claim(f"{name}, lowest of seeds", coupled["depolarised"].min(), 0.6, 1, "", long)
    claim(f"{name}, phases half a run later, mean of seeds", coupled["shifted"].mean(), 0.6, 1, "", long,
          control=True)  # fmt: skip

    found, devor = results["coefficients"], "Devor & Yarom 2002, abstract"
    claim("coupling coefficient, smallest", found.min(), 0.002, 0.17, "", devor)
    claim("coupling coefficient, largest", found.max(), 0.002, 0.17, "", devor)
    largest = np.abs(results["coefficients_uncoupled"]).max()
    claim("coupling coefficient, junctions removed", largest, 0.002, 0.17, "", devor, control=True)

    rest = {c: of(table, "nuclei", c, nuclei_Hz=0) for c in COLUMNS[5:]}
    lang, falls = "Lang 2002; Best & Regehr 2009; bounds of this project", {}
    for condition, text in (("on", ""), ("on, junctions stay open", ", junctions stay open"),
                            ("on, strength 0", ", strength 0")):  # fmt: skip
        falls[condition] = 1 - of(table, condition, "order") / rest["order"]
        value = falls[condition].max() if text else falls[condition].min()
        which = "largest" if text else "smallest"
        claim(f"fall of the order by nuclei at {on:g} Hz{text}, {which} of seeds", value, 0.3, 1, "", lang,
              control=bool(text))  # fmt: skip
    ratio = of(table, "on", "rate_Hz") / rest["rate_Hz"]
    name = f"complex spikes with nuclei at {on:g} Hz over those without"
    claim(f"{name}, highest of seeds", ratio.max(), 0, 0.8, "", lang)
    ratio = of(table, "on, strength 0", "rate_Hz") / rest["rate_Hz"]
    claim(f"{name}, strength 0, lowest of seeds", ratio.min(), 0, 0.8, "", lang, control=True)

    biology = "complex spikes at rest; 0.5 to 2 Hz"
    for which, value in (("lowest", rest["rate_Hz"].min()), ("highest", rest["rate_Hz"].max())):
        claim(f"complex spikes per cell, {which} of seeds", value, 0.5, 2, "Hz", biology)
    rates, drives = grid(table, "drive", "drive_pA", "rate_Hz")
    name = f"complex spikes per cell at {drives[0]:g} pA, mean of seeds"
    claim(name, rates[:, 0].mean(), 0.5, 2, "Hz", biology, control=True)
    rise = np.diff(rates[:, drives >= 0].mean(axis=0)).min()
    name = "complex spikes: smallest rise from one current to the next from 0 on, mean of seeds"
    claim(name, rise, 0, None, "Hz", ours)
    rates, _ = grid(table, "nuclei", "nuclei_Hz", "rate_Hz")
    claim("complex spikes: smallest fall from one rate of the nuclei to the next, mean of seeds",
          -np.diff(rates.mean(axis=0)).max(), 0, None, "Hz", ours)  # fmt: skip

    for name, factor in (("half step", 0.5), ("double step", 2)):
        same = table[table.condition == name].seed.unique()
        if not len(same):
            continue
        at = f"at dt {results['dt'] * factor:g} ms over that at {results['dt']:g} ms"
        for condition, other, column, low, high in (
            (name, "nuclei", "order", 0.95, 1.05), (name, "nuclei", "rate_Hz", 0.85, 1.15),
            (f"{name}, on", "on", "order", 0.9, 1.1),
        ):  # fmt: skip
            base = table[(table.condition == other) & table.seed.isin(same)]
            base = base[base.nuclei_Hz == (on if other == "on" else 0)][column].mean()
            value = of(table, condition, column).mean() / base
            what = "order" if column == "order" else "rate"
            claim(f"{what} {at}{', nuclei on' if other == 'on' else ''}", value, low, high, "", ours)
    return made
