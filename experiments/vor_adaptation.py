"""The vestibulo-ocular reflex learns to hold the image still: a cerebellum in a closed loop with its eye.

The head turns as a sine of 1 Hz, trial by trial. 2000 granule cells tell the time within a trial, 20 Purkinje
cells (half of them for either direction) inhibit the nuclei that turn the eye, and what the eye misses comes
back 100 ms later over the climbing fibres, which depress the parallel fibres that were active then. The
nuclei inhibit the olive, so that it fires for what is not yet predicted (Luque, Naveros, Carrillo, Ros &
Arleo 2019, PLoS Comput. Biol. 15:e1006298, and their program, ModelDB 256140). Later the reflex is reversed:
the eye must follow the head. Plant, error and olive are equations, so that all of it is one program.

Controls: without climbing fibres; with as many climbing-fibre spikes as in the intact loop, of the same
trials in another order and each at another time of its trial; and with an error that comes 50 ms later than
the rule expects.

Deviations from the source: mossy fibres are Poisson; cells are integrate-and-fire at a step of 1 ms with
conductances of their own (the detailed Purkinje cell is left out; complex spikes cause a short pause); ten
nuclear cells and ten climbing fibres for either direction in place of one; nuclear cells are spontaneously
active; the olive has a tonic excitability which the nuclei balance, so that the drive of the source is
shifted by both; the inhibition of the nuclei has soft bounds (`reflex`); there are molecular-layer
interneurons. The rate cap of climbing fibres is 25 Hz, of which dead time leaves at most 12.5 bursts a
second of one to four spikes (in the source, too). What falls with the error are the spikes, from 23 to 11 a
second: bursts shrink from three spikes to one, while their number rises from 7.8 to 9 a second, because a
rate of A_plus/(A_minus 38 ms) = 12.4 spikes/s holds a weight that lies within its bounds. (With the
oscillating olive of `nucleo_olivary`, which fires one spike at a time, complex spikes themselves fall by more
than half.) 1000 trials of learning, not 2500.

The rule expects the error after `teaching_delay`; `late` is what it is late by in the control. Measured
beyond the standard values: frequencies of 0.5 to 2 Hz, amplitudes of 0.5 to 1.2 and delays of 60 to 130 ms
meet the bounds of gain, phase and error; at 3 Hz, at a delay of 50 ms, and with a tenth of the cells the
error left is 0.27 to 0.32 of its start after 400 trials. Drift is that of parallel-fibre weights; nuclear
weights change more slowly and go on changing: by a fifth of their first rate in the last 200 of 1000 trials.
"""

import numpy as np
import pandas as pd
from brian2 import Hz, ms, second

from analysis import plots
from circuits import cerebellum as circuit
from circuits import projection, spike_trains, wiring
from experiments import Claim, keep, progress, reflex

SOURCE = "Luque, Naveros, Carrillo, Ros & Arleo 2019, fig. 4, and ModelDB 256140"
QUICK = dict(n_trials=300, n_reversal=0, n_control=100, n_seeds=1, n_half_step_seeds=0)

LATE = 50  # trials over which the end of learning is judged
LONG = 800  # trials from which the drift of weights can be told from their fluctuation
CONTROLS = ("no climbing fibre", "climbing fibre shuffled", "error late")


def circuit_of(dt, frequency, amplitude, teaching_delay, cap, inhibition):
    """The loop, and a second source of climbing-fibre spikes for the replay."""
    net = reflex.loop(frequency=frequency, dt=dt)
    n = net.parts["olive"].n
    net = net.with_(
        replay=spike_trains(n),
        replayed=projection("replay", "purkinje", circuit.climbing(), wiring.one_to_one()),
    )
    return net.but(
        {
            "plant.amplitude": amplitude,
            "olive.cap": cap,
            "nucleo_olivary.w": inhibition,
            "parallel.peak_climbing_fibre": teaching_delay,
            **circuit.teaching_delay(teaching_delay),
        }
    )


def shuffled(found, n_trials, trial, dt, rng):
    """Climbing-fibre spikes in trials put in another order, each at another time of its trial."""
    order = rng.permutation(n_trials)
    which = np.minimum((found["cf_t"] / trial).astype(int), n_trials - 1)
    steps = round(trial / dt)
    step = order[which] * steps + rng.integers(0, steps, len(which))
    i, step = np.unique(np.stack([found["cf_i"], step]), axis=1)  # no two spikes of a cell in one step
    return {"replay.i": i, "replay.t": step * dt * second}


def run(
    *,
    n_trials=1000,
    n_reversal=600,
    n_control=400,
    amplitude=0.9,
    frequency=1 * Hz,
    teaching_delay=100 * ms,
    late=50 * ms,
    cap=25 * Hz,
    inhibition=0.18,
    dt=1 * ms,
    n_seeds=5,
    n_half_step_seeds=1,
    seed=1,
):
    seeds = [seed + k for k in range(n_seeds)]
    given = (frequency, amplitude, teaching_delay, cap, inhibition)
    net = circuit_of(dt, *given)
    trial = reflex.trial_of(net)
    goal = np.r_[np.ones(n_trials), -np.ones(n_reversal)]
    tables, shown, drift, speed = [], {}, [], []

    def add(condition, one, found):
        tables.append(found["trials"].assign(condition=condition, seed=one))
        keep(trials=pd.concat(tables, ignore_index=True))
        speed.append(found["model_seconds"] / found["loop_seconds"])

    for one in progress(seeds, "seeds"):
        learning = reflex.learned(net, n_trials, seed=one)
        drift.append(reflex.drift(learning))
        add("intact", one, learning)
        if one == seed:
            shown = learning
        if n_reversal:
            add("reversal", one, reflex.learned(net, len(goal), goal=goal, n_snapshots=2, seed=one))
        rng = np.random.default_rng(one)
        silent = net.but({"olive.cap": 0 * Hz})
        replay = silent.but(shuffled(learning, n_trials, trial, float(dt), rng))
        delayed = net.but(circuit.teaching_delay(teaching_delay + late))
        for condition, changed, n in (
            (CONTROLS[0], silent, n_control),
            (CONTROLS[1], replay, n_control),
            (CONTROLS[2], delayed, n_trials),
        ):
            add(condition, one, reflex.learned(changed, n, n_snapshots=2, seed=one))
        if one < seed + n_half_step_seeds:
            half = circuit_of(dt / 2, *given)
            add("half step", one, reflex.learned(half, n_trials, n_snapshots=2, seed=one))
    return {
        "trials": pd.concat(tables, ignore_index=True),
        "seeds": seeds,
        "drift": np.array(drift),
        "eye_first": shown["eye"][:5],
        "eye_last": shown["eye"][-LATE:],
        "head": shown["head"],
        "weights": shown["weights"][[0, -1]],
        "mossy": shown["mossy"][-1],
        "cf_t": shown["cf_t"],
        "cf_i": shown["cf_i"],
        "trial": trial,
        "late": float(late / ms),
        "frequency": float(frequency),
        "dt": float(dt / ms),
        "speed": float(np.median(speed)),
    }


def ends(results, condition="intact"):
    """By seed: gain, phase, error over its start, climbing-fibre rate over its start, correlation of both."""
    rows = []
    table = results["trials"]
    for one, found in table[table.condition == condition].groupby("seed"):
        first, last = found.iloc[:5], found.iloc[-LATE:]
        cf, error = reflex.block_mean(found.cf), reflex.block_mean(found.error)
        rows.append(
            {
                "seed": one,
                "first_gain": first.gain.mean(),
                "gain": last.along.mean(),
                "phase": last.phase.mean(),
                "error": last.error.mean() / first.error.mean(),
                "cf": last.cf.mean() / first.cf.mean() if first.cf.any() else np.nan,
                "correlation": np.corrcoef(cf, error)[0, 1] if np.ptp(cf) and np.ptp(error) else np.nan,
            }
        )
    return pd.DataFrame(rows).set_index("seed")


def _rate_in_trial(t, trial, first, last, n_cells, bins=25):
    """Spikes per second and cell over the time in the trial, for trials from first to last."""
    chosen = t[(t >= first * trial) & (t < last * trial)]
    counts, _ = np.histogram(chosen % trial, bins, (0, trial))
    return counts / n_cells / (last - first) / (trial / bins)


def figure(results):
    table, seeds, trial = results["trials"], results["seeds"], results["trial"]
    fig, axes = plots.figure(
        "AAB;CCD;EFG",
        6.8,
        titles={
            "A": "Gain of the eye",
            "B": "Eye and head",
            "C": "Error and climbing fibres",
            "D": "Agonist's climbing fibres",
            "E": "Parallel fibres",
            "F": "Mossy fibres to nuclei",
            "G": "Other climbing fibres",
        },
        title=f"Vestibulo-ocular reflex, {results['frequency']:g} Hz, step {results['dt']:g} ms; "
        f"{plots.seeds(seeds)}; B, D, E, F: seed {seeds[0]}",
    )
    with plots.style():
        ax = axes["A"]
        looks = {
            "reversal": ("intact, then reversed", plots.BLUE),
            "intact": ("intact", plots.BLUE),
            "no climbing fibre": ("no climbing fibre", plots.GREY),
            "climbing fibre shuffled": ("shuffled in time", plots.ORANGE),
            "error late": (f"error {results['late']:g} ms late", plots.VERMILLION),
        }
        drawn = set(table.condition)
        for condition, (label, color) in looks.items():
            if condition not in drawn or (condition == "intact" and "reversal" in drawn):
                continue
            for k, (_, found) in enumerate(table[table.condition == condition].groupby("seed")):
                x, signed = reflex.blocks(found.along * np.sign(found.goal))
                ax.plot(x, signed, color=color, linewidth=0.9, alpha=0.7, label="" if k else label)
        ax.axhspan(0.75, 1, color=plots.GREEN, alpha=0.12, linewidth=0)
        if "reversal" in drawn:
            ax.axhspan(-1, -0.75, color=plots.GREEN, alpha=0.12, linewidth=0)
        ax.axhline(0, color=plots.GREY, linewidth=0.6)
        ax.set(xlabel="trial (lines are seeds)", ylabel="gain (along the head)", ylim=(None, 1.7))
        ax.legend(ncols=2, loc="upper center", frameon=False)

        t = np.linspace(0, trial, len(results["head"]), endpoint=False)
        ax = axes["B"]
        ax.plot(t, results["head"], color=plots.BLACK, label="wanted")
        ax.plot(t, results["eye_first"].mean(axis=0), color=plots.ORANGE, label="first 5 trials")
        ax.plot(t, results["eye_last"].mean(axis=0), color=plots.BLUE, label=f"last {LATE}")
        ax.set(xlabel="time in the trial (s)", ylabel="position (1)", ylim=(-1.1, 2.1))
        plots.legend(ax)

        ax = axes["C"]
        for k, (_, found) in enumerate(table[table.condition == "intact"].groupby("seed")):
            for values, color, label in (
                (found.error / found.error.iloc[:5].mean(), plots.VERMILLION, "mean absolute error"),
                (found.cf / found.cf.iloc[:5].mean(), plots.PURPLE, "climbing-fibre spikes"),
                (found.bursts / found.bursts.iloc[:5].mean(), plots.SKY, "climbing-fibre bursts"),
            ):
                look = dict(color=color, linewidth=0.8, alpha=0.7, label="" if k else label)
                ax.plot(*reflex.blocks(values), **look)
        ax.set(xlabel="trial (lines are seeds)", ylabel="over the first 5 trials", ylim=(0, 1.9))
        ax.legend(ncols=2, loc="upper center", frameon=False)

        ax = axes["D"]
        half = (results["cf_i"].max() + 1) // 2
        fired = results["cf_t"][results["cf_i"] < half]
        n_trials = int(np.ceil(results["cf_t"].max() / trial))
        x = (np.arange(25) + 0.5) * trial / 25
        for first, last, color, label in (
            (0, 20, plots.ORANGE, "first 20 trials"),
            (n_trials - LATE, n_trials, plots.BLUE, f"last {LATE}"),
        ):
            ax.plot(x, _rate_in_trial(fired, trial, first, last, half), color=color, label=label)
        ax.set(xlabel="time in the trial (s)", ylabel="spikes/s and cell", ylim=(0, 1.5 * ax.get_ylim()[1]))
        plots.legend(ax)

        ax = axes["E"]
        x = (np.arange(results["weights"].shape[2]) + 0.5) * trial / results["weights"].shape[2]
        ax.plot(x, results["weights"][0, 0], color=plots.GREY, linestyle="--", label="before")
        for channel, (name, color) in enumerate((("agonist", plots.BLUE), ("antagonist", plots.VERMILLION))):
            ax.plot(x, results["weights"][1, channel], color=color, label=name)
        low, high = ax.get_ylim()
        ax.set(xlabel="time of the spike (s)", ylabel="weight (nS)", ylim=(low, high + 0.7 * (high - low)))
        plots.legend(ax)

        ax = axes["F"]
        x = np.linspace(-1.2, 1.2, len(results["mossy"]))
        for channel, (name, color) in enumerate((("agonist", plots.BLUE), ("antagonist", plots.VERMILLION))):
            ax.plot(x, results["mossy"][:, channel], color=color, label=name)
        ax.set(xlabel="place of the head (1)", ylabel="weight (nS)", ylim=(None, 1.5 * ax.get_ylim()[1]))
        plots.legend(ax)
    names = {"intact": "intact", "half step": "half step", CONTROLS[0]: "none", CONTROLS[1]: "shuffled"}
    names[CONTROLS[2]] = f"{results['late']:g} ms late"
    samples = {
        label: ends(results, condition).error.to_numpy()
        for condition, label in names.items()
        if condition in drawn
    }
    plots.comparison(
        samples, ax=axes["G"], x_label="error over its start", reference=0.25, reference_label="bound",
        format=".2f", low=0, highlight=[names[c] for c in CONTROLS if c in drawn],
    )  # fmt: skip
    return fig


def claims(results):
    source, own = SOURCE, "tolerance of this project"
    intact = ends(results)
    inside = ((intact.gain >= 0.75) & (intact.gain <= 1)).mean()
    made = [
        Claim("gain of the first 5 trials, highest of seeds", intact.first_gain.max(), 0, 0.2, "", source),
        Claim("share of seeds whose gain ends in 0.75 to 1", inside, 0.8, None, "", source),
        Claim("final gain, mean of seeds", intact.gain.mean(), 0.75, 1, "", source),
        Claim("phase error, largest of seeds (degrees)", intact.phase.abs().max(), None, 10, "", own),
        Claim("error of the last 50 trials over the first", intact.error.max(), None, 0.25, "", own),
        Claim("climbing-fibre spikes (in bursts), last over first", intact.cf.max(), None, 0.6, "", own),
        Claim("correlation of climbing-fibre rate and error", intact.correlation.min(), 0.8, None, "", own),
    ]
    drawn, table = set(results["trials"].condition), results["trials"]
    if (table.condition == "intact").sum() >= LONG * len(results["seeds"]):
        name = "drift of parallel-fibre weights, last fifth over learning"
        made.append(Claim(name, results["drift"].max(), None, 0.1, "", own))
    if "reversal" in drawn:
        reversed_ = ends(results, "reversal")
        made += [
            Claim("gain after reversal, lowest of seeds", reversed_.gain.min(), 0.75, 1, "", source),
            Claim("gain after reversal, highest of seeds", reversed_.gain.max(), 0.75, 1, "", source),
        ]
    if "half step" in drawn:
        half = ends(results, "half step")
        ratio = (half.gain / intact.gain.loc[half.index]).mean()
        made.append(Claim("final gain at half the step over that at the step", ratio, 0.97, 1.03, "", own))
    for condition in ("no climbing fibre", "climbing fibre shuffled"):
        found = ends(results, condition)
        made += [
            Claim(f"final gain, {condition}, nearest", found.gain.max(), 0.75, 1, "", source, True),
            Claim(f"error over the first, {condition}", found.error.min(), None, 0.25, "", own, True),
        ]
    late = ends(results, "error late")
    shift = (late.phase - intact.phase.loc[late.index]).abs()
    name = f"with the error {results['late']:g} ms late"
    worse = (late.error / intact.error.loc[late.index]).min()
    made.append(Claim(f"error {name} over that in time, least", worse, 1.3, None, "", own))
    if (table.condition == "error late").sum() >= LONG * len(results["seeds"]):
        made.append(Claim(f"shift of the phase {name}, least (degrees)", shift.min(), 3, None, "", own))
        made.append(Claim(f"error over the first, {name}", late.error.min(), None, 0.25, "", own, True))
    return made
