"""Nine speakers told apart by the last state of a liquid: Japanese Vowels.

An utterance (7 to 29 frames of 12 coefficients) becomes spikes and drives a liquid of 450 cells. When it
ends, a linear readout sees one thing: the spikes of the liquid's cells, low-pass filtered with 75 ms, which
is one and a half frames. What was said before must be in the liquid's own state.

Encoding: each coefficient, in standard deviations of the training frames, excites five afferents with
Gaussian receptive fields, which fire as Poisson processes. A frame lasts 50 ms: speech is slowed down about
eight times, so that a frame gives every cell some spikes.

Liquid: the column of Maass, Natschlaeger & Markram 2002 with its cells, wiring and dynamic synapses, on a
grid of 15 x 6 x 5. Deviations from it: every cell has one afferent through a fast synapse (3 ms) and three
through slow ones, and excitation within the liquid is slow too. Slow stands for currents like those of NMDA
receptors with NR2B subunits, 300 ms; the weight is that of the paper times 3/300, for the same charge.
The table shows what recurrence adds, and the liquid without recurrence and with all time constants of
membranes and synaptic currents cut to 5 ms.

Readout: logistic regression on states seen with a noise of 0.02 spikes; its penalty is chosen by
cross-validation on the training utterances. The same readout gets the last frame, the frames averaged in 3
to 5 bins of time (memory unrolled by hand), the input's own spikes, filtered like the liquid's, and the last
state of a rate reservoir (reservoirpy) with as many units.

Fading memory: after the first half of an utterance another speaker goes on. A readout of its own for every
time since then tells who was first.

All choices were made on the training utterances alone. `tune=40` repeats the last of them, which gave the
defaults: 40 random settings from `SPACE` for the liquid and 40 for the reservoir, judged by the
cross-validated log loss of the readout on two seeds (1001 and 1002), and the best five of each on four more.
Test utterances come in when everything is chosen.
"""

import dataclasses
import os
from functools import partial

import numpy as np
import pandas as pd
from brian2 import Hz, ms, nA, second

import engine
from analysis import plots, readouts
from circuits import encodings, projection, wiring
from circuits.liquid import CONNECTIONS, column, liquid
from experiments import Claim, keep, progress
from experiments import liquid_trials as lab
from experiments.data import japanese_vowels

SOURCE = (
    "recordings: Kudo, Toyama & Shimbo 1999; circuit: Maass, Natschlaeger & Markram 2002; "
    "bounds: this project"
)
QUICK = dict(seeds=(1,), n_fading_seeds=1)

BOUND = 97.0  # % correct, mean over seeds
PUBLISHED = 94.1  # % correct, Kudo, Toyama & Shimbo 1999
PENALTIES = (0.03, 0.3, 3.0)  # inverse penalties of the readout to choose from
BINS = (3, 4, 5)
AFTER = (0.0, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4)  # s since the middle of an utterance
N_SHUFFLES = 5  # of the labels, per seed
FINALISTS = 5  # settings that `tune` judges on more seeds
LATER = 0.15  # s since the middle: the readout's own filter keeps exp(-2) = 14 % of what it had
EXAMPLES = (0, 8)  # speakers whose first test utterance is drawn
CONDITIONS = {
    "bins 5": "frames in 5 bins of time",
    "bins 4": "frames in 4 bins of time",
    "bins 3": "frames in 3 bins of time",
    "reservoir": "rate reservoir",
    "liquid": "liquid",
    "no recurrence": "liquid, no recurrence",
    "last frame": "last frame",
    "input": "input spikes",
    "no memory": "liquid, no recurrence, all 5 ms",
    "shuffled": "liquid, labels shuffled",
}

# What `tune` draws from, for the liquid and for the reservoir.
SPACE = {
    "liquid": dict(
        w_fast=[w * nA for w in (2.5, 4.0, 6.0, 8.0)],
        w_slow=[w * nA for w in (0.015, 0.025, 0.04, 0.06)],
        tau_slow=[tau * ms for tau in (150, 200, 300)],
        recurrence=[0.5, 1.0, 1.5, 2.0],
        field_width=[0.7, 0.9, 1.1, 1.4],
    ),
    "reservoir": dict(
        leak=[0.05, 0.1, 0.2, 0.4, 0.8],
        spectral_radius=[0.5, 0.8, 0.95, 1.1, 1.3],
        input_scaling=[0.02, 0.05, 0.1, 0.2, 0.5],
        input_connectivity=[0.1, 0.3, 1.0],
    ),
}


def circuit(n_inputs, places, n_fast, n_slow, dt):
    """The column with a slow excitatory current I_s, and n_fast and n_slow afferents to every cell."""
    base = liquid(n_inputs, places, input_spread=True, dt=dt)
    cells, afferent = base.parts["cells"], base.parts["to_exc"].synapse
    cell = cells.cell.plus("dI_s/dt = -I_s/tau_s : amp", adds={"I": "I_s"}, params={"tau_s": 300 * ms})
    inner = {name: base.parts[name] for name in ("ee", "ei")}
    return base.with_(
        cells=dataclasses.replace(cells, cell=cell),
        to_exc=None,
        to_inh=None,
        fast=projection("input", "cells", afferent, wiring.fixed_in_degree(n_fast)),
        slow=projection("input", "cells", slowly(afferent), wiring.fixed_in_degree(n_slow)),
        **{name: dataclasses.replace(part, synapse=slowly(part.synapse)) for name, part in inner.items()},
    )


def slowly(synapse):
    """The same synapse, delivering to I_s in place of I_e."""
    return dataclasses.replace(synapse, deliver={"I_s": synapse.deliver["I_e"]})


def with_numbers(net, w_fast, w_slow, tau_slow, recurrence):
    """The circuit with these numbers; `recurrence` multiplies the charge that the paper's weights carry."""
    weight = {name: recurrence * kind.A for name, kind in CONNECTIONS.items()}
    for name in ("ee", "ei"):
        weight[name] *= net.numbers()["cells.tau_e"] / float(tau_slow)
    numbers = {"fast.w": w_fast, "slow.w": w_slow, "cells.tau_s": tau_slow}
    return net.but(numbers | {f"{name}.w": w for name, w in weight.items()})


def without_recurrence(net):
    return lab.with_scale(net, 0)


def without_memory(net, tau):
    """No recurrence, and all time constants of membranes and synaptic currents cut to tau."""
    # The closed form of the membrane's response divides by the difference of the two time constants.
    short = 0.999 * tau
    cut = {"cells.tau_m": tau, "cells.tau_e": short, "cells.tau_i": short, "cells.tau_s": short}
    return without_recurrence(net).but(cut)


class Ear:
    """One liquid, drawn from `seed`, and the way from utterances to its states.

    `setting` holds the numbers that `tune` may choose; the other arguments are those of `run`. Nothing but
    the mean and the SD of coefficients is taken from the training frames.
    """

    def __init__(
        self, train, seed, setting, *, shape, n_fields, max_rate, frame, degrees, tau_state, resolution, dt
    ):
        every = np.concatenate(train.frames)
        self.mean, self.sd = every.mean(axis=0), every.std(axis=0)
        setting = dict(setting)
        self.n_fields, self.field_width = n_fields, setting.pop("field_width", 1.0)
        self.max_rate, self.frame, self.tau, self.resolution = max_rate, frame, float(tau_state), resolution
        self.n_channels = n_fields * every.shape[1]
        self.seed = seed
        places = column(shape, seed=np.random.SeedSequence(seed, spawn_key=(0,)))
        self.n_cells, self.n_exc = places.n, places.n_exc
        if setting:
            self.net = with_numbers(circuit(self.n_channels, places, *degrees, dt), **setting)

    def normal(self, frames):
        """Frames in standard deviations of the training frames."""
        return (frames - self.mean) / self.sd

    def stimuli(self, utterances, *purpose):
        """Per utterance spike times (s), their afferents, and how long it lasts (s); drawn for a purpose."""
        made = []
        for k, frames in enumerate(utterances):
            activity = encodings.receptive_fields(self.normal(frames), self.n_fields, width=self.field_width)
            random = lab.generator(self.seed, 1, *purpose, k)
            i, t = encodings.rate(activity, self.frame, self.max_rate, regular=False, seed=random)
            # An afferent fires once per time step at most: so much a step can take.
            made.append((*lab.on_grid(np.asarray(t), i), len(frames) * float(self.frame)))
        return made

    def listen(self, stimuli, net):
        """Recordings of the liquid, one per stimulus."""
        trials = [{"input.i": i, "input.t": t * second, "duration": end * second} for t, i, end in stimuli]
        return engine.run(net, 1 * second, seed=self.seed, trials=trials, jobs=os.cpu_count() or 1)

    def states(self, recordings, times=None):
        """Filtered spikes of the cells: at the end of every recording, or at its times (a row each)."""
        times = [recording.duration for recording in recordings] if times is None else times
        pairs = zip(recordings, times, strict=True)
        return self._seen([lab.states([recording], at, self.tau)[0] for recording, at in pairs])

    def input_states(self, stimuli, times=None):
        """The same of the input's spikes."""
        times = [end for _, _, end in stimuli] if times is None else times
        pairs, n = zip(stimuli, times, strict=True), self.n_channels
        return self._seen([lab.input_states([(t, i)], n, at, self.tau)[0] for (t, i, _), at in pairs])

    def _seen(self, states):
        states = np.array(states)
        return states + self.resolution * lab.generator(self.seed, 2).standard_normal(states.shape)

    def reservoir_states(self, utterances, leak, spectral_radius, input_scaling, input_connectivity):
        """The last state of a reservoir of leaky tanh units, as many as cells (utterance x unit)."""
        from reservoirpy.nodes import Reservoir

        seed = int(np.random.SeedSequence(self.seed, spawn_key=(4,)).generate_state(1)[0])
        reservoir = Reservoir(
            self.n_cells,
            lr=leak,
            sr=spectral_radius,
            input_scaling=input_scaling,
            input_connectivity=input_connectivity,
            seed=seed,
        )
        return np.array([states[-1] for states in reservoir.run([self.normal(f) for f in utterances])])


def call(states, train):
    """Speakers by a readout fitted on the training states, for the test states: `states` holds both."""
    return readouts.fit_logistic(states[0], train.speakers, PENALTIES).predict(states[1])


def percent(states, train, test):
    return 100 * readouts.accuracy(test.speakers, call(states, train))


def in_bins(frames, n):
    """Means of n stretches of equal length, one after the other; a frame on an edge counts in both."""
    edges = np.linspace(0, len(frames), n + 1)
    starts, ends = np.floor(edges[:-1]).astype(int), np.ceil(edges[1:]).astype(int)
    return np.concatenate([frames[start:end].mean(axis=0) for start, end in zip(starts, ends, strict=True)])


def interrupted(utterances, others, n_after, random):
    """First halves of utterances, each followed by n_after frames of another speaker; and their lengths.

    Who goes on is drawn from the utterances `others` that are long enough.
    """
    made, halves = [], []
    long = [k for k, frames in enumerate(others.frames) if len(frames) >= n_after]
    for frames, speaker in zip(utterances.frames, utterances.speakers, strict=True):
        half = (len(frames) + 1) // 2
        who = random.choice([k for k in long if others.speakers[k] != speaker])
        made.append(np.concatenate([frames[:half], others.frames[who][:n_after]]))
        halves.append(half)
    return made, np.array(halves)


def fading_memory(ear, nets, train, test):
    """Accuracy by time since the middle of the utterance, for every net and for the input: table rows."""
    frame = float(ear.frame)
    n_after = int(np.ceil(round(max(AFTER) / frame, 6)))
    stimuli, times = [], []
    for k, part in enumerate((train, test)):
        # Who goes on is always a training utterance.
        utterances, halves = interrupted(part, train, n_after, lab.generator(ear.seed, 5, k))
        stimuli.append(ear.stimuli(utterances, 1, k))
        times.append(halves[:, None] * frame + np.array(AFTER))
    seen = {"input": [ear.input_states(*both) for both in zip(stimuli, times, strict=True)]}
    for name, net in nets.items():
        seen[name] = [ear.states(ear.listen(part, net), at) for part, at in zip(stimuli, times, strict=True)]
    return [
        dict(
            condition=name,
            seed=ear.seed,
            after=after,
            accuracy_percent=percent([x[:, k] for x in both], train, test),
        )
        for name, both in seen.items()
        for k, after in enumerate(AFTER)
    ]


def examples(ear, stimuli, recordings, speakers):
    """Spikes of two utterances, and the way of the state in four by each of their speakers."""
    made = {}
    for which, speaker in enumerate(EXAMPLES):
        mine = np.flatnonzero(speakers == speaker)[:4]
        t, i, end = stimuli[mine[0]]
        made |= {f"input_t_{which}": t, f"input_i_{which}": i, f"end_{which}": end}
        spikes = recordings[mine[0]].spikes["cells"]
        made |= {f"cells_t_{which}": spikes.t, f"cells_i_{which}": spikes.i}
        for k, one in enumerate(mine):
            at = np.arange(float(ear.frame), recordings[one].duration + 1e-9, 0.01)
            made[f"path_{which}_{k}"] = lab.states([recordings[one]], at, ear.tau)[0]
    return made


def log_loss(states, labels):
    """Cross-validated log loss (nats per utterance) and accuracy (%) of the readout."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    folds = StratifiedKFold(6, shuffle=True, random_state=0)
    best = np.inf, 0.0
    for penalty in PENALTIES:
        readout = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=500))
        with threadpool_limits(1):  # at these sizes several threads only wait for each other
            p = cross_val_predict(readout, states, labels, cv=folds, method="predict_proba")
        loss = -np.log(np.maximum(p[np.arange(len(labels)), labels], 1e-6)).mean()
        best = min(best, (loss, 100 * readouts.accuracy(labels, p.argmax(axis=1))))
    return best


def tuned(train, n_settings, n_seeds, fixed):
    """The best settings of liquid and reservoir on the training utterances, and a table of all tried.

    n_settings random ones each are judged on n_seeds seeds, and the best FINALISTS of them on twice as many
    further seeds, since the losses of two seeds differ by more than those of good settings.
    """
    tried, best = [], {}
    for system, space in SPACE.items():
        random = lab.generator(0, 9)
        settings = [
            {name: values[random.integers(len(values))] for name, values in space.items()}
            for _ in range(n_settings)
        ]
        scores = [[] for _ in settings]
        seeds = [range(1001, 1001 + n_seeds), range(1001 + n_seeds, 1001 + 3 * n_seeds)]
        for stage, some in enumerate(seeds):
            order = np.argsort([np.mean(score, axis=0)[0] if score else 0 for score in scores], kind="stable")
            for k in progress(order[:FINALISTS] if stage else order, f"settings of the {system}"):
                scores[k] += [_judged(system, settings[k], train, seed, fixed) for seed in some]
                keep(tuning=_tuning_table(tried, system, settings, scores))
        tried = _tuning_table(tried, system, settings, scores).to_dict("records")
        finalists = [k for k, score in enumerate(scores) if len(score) == max(map(len, scores))]
        best[system] = settings[min(finalists, key=lambda k: np.mean(scores[k], axis=0)[0])]
    return best, pd.DataFrame(tried)


def _judged(system, setting, train, seed, fixed):
    if system == "liquid":
        ear = Ear(train, seed, setting, **fixed)
        states = ear.states(ear.listen(ear.stimuli(train.frames, 0, 0), ear.net))
    else:
        states = Ear(train, seed, {}, **fixed).reservoir_states(train.frames, **setting)
    return log_loss(states, train.speakers)


def _tuning_table(tried, system, settings, scores):
    rows = []
    for setting, score in zip(settings, scores, strict=True):
        if score:
            loss, correct = np.mean(score, axis=0)
            judged = {"system": system, "n_seeds": len(score), "log_loss": loss, "accuracy_percent": correct}
            rows.append(judged | {name: str(value) for name, value in setting.items()})
    return pd.DataFrame([*tried, *rows])


def run(
    *,
    seeds=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    n_fading_seeds=3,
    shape=(15, 6, 5),
    n_fields=5,
    field_width=0.9,
    max_rate=300 * Hz,
    frame=50 * ms,
    fast_inputs=1,
    slow_inputs=3,
    w_fast=2.5 * nA,
    w_slow=0.04 * nA,
    tau_slow=300 * ms,
    recurrence=0.5,
    tau_state=75 * ms,
    resolution=0.02,
    tau_cut=5 * ms,
    leak=0.4,
    spectral_radius=0.95,
    input_scaling=0.05,
    input_connectivity=1.0,
    dt=1 * ms,
    tune=0,
    n_tuning_seeds=2,
):
    train = japanese_vowels("train")
    fixed = dict(
        shape=shape, n_fields=n_fields, max_rate=max_rate, frame=frame, degrees=(fast_inputs, slow_inputs),
        tau_state=tau_state, resolution=resolution, dt=dt,
    )  # fmt: skip
    setting = {
        "liquid": dict(
            w_fast=w_fast, w_slow=w_slow, tau_slow=tau_slow, recurrence=recurrence, field_width=field_width
        ),
        "reservoir": dict(
            leak=leak,
            spectral_radius=spectral_radius,
            input_scaling=input_scaling,
            input_connectivity=input_connectivity,
        ),
    }
    tuning = {}
    if tune:
        setting, tuning["tuning"] = tuned(train, tune, n_tuning_seeds, fixed)

    test = japanese_vowels("test")
    rows, fading, shown, confusion, programs = [], [], {}, 0, set()
    raw = {"last frame": lambda frames: frames[-1]} | {f"bins {n}": partial(in_bins, n=n) for n in BINS}
    for name, feature in raw.items():
        states = [np.array([feature(frames) for frames in part.frames]) for part in (train, test)]
        rows.append((name, -1, percent(states, train, test), np.nan))
    for place, seed in enumerate(progress(seeds, "seeds")):
        ear = Ear(train, seed, setting["liquid"], **fixed)
        nets = {
            "liquid": ear.net,
            "no recurrence": without_recurrence(ear.net),
            "no memory": without_memory(ear.net, tau_cut),
        }
        stimuli = [ear.stimuli(part.frames, 0, k) for k, part in enumerate((train, test))]
        for name, one in nets.items():
            recordings = [ear.listen(part, one) for part in stimuli]
            states = [ear.states(part) for part in recordings]
            called = call(states, train)
            firing = np.mean([lab.rate([recording]) for recording in recordings[1]])
            rows.append((name, seed, 100 * readouts.accuracy(test.speakers, called), firing))
            programs |= {recording.program for part in recordings for recording in part}
            if name == "liquid":
                confusion = confusion + readouts.confusion(test.speakers, called, classes=range(9))
                random = lab.generator(seed, 3)
                for _ in range(N_SHUFFLES):
                    wrong = train._replace(speakers=random.permutation(train.speakers))
                    rows.append(("shuffled", seed, percent(states, wrong, test), np.nan))
                shown = shown or examples(ear, stimuli[1], recordings[1], test.speakers)
        rows.append(
            ("input", seed, percent([ear.input_states(part) for part in stimuli], train, test), np.nan)
        )
        states = [ear.reservoir_states(part.frames, **setting["reservoir"]) for part in (train, test)]
        rows.append(("reservoir", seed, percent(states, train, test), np.nan))
        if place < n_fading_seeds:
            fading += fading_memory(ear, {name: nets[name] for name in ("liquid", "no memory")}, train, test)
        table = pd.DataFrame(rows, columns=["condition", "seed", "accuracy_percent", "rate_Hz"])
        keep(table=table, fading=pd.DataFrame(fading), confusion=confusion)
    return {
        **tuning,
        **shown,
        "table": table,
        "fading": pd.DataFrame(fading),
        "confusion": confusion,
        "seeds": list(seeds),
        "n_train": len(train.speakers),
        "n_test": len(test.speakers),
        "n_cells": ear.n_cells,
        "n_exc": ear.n_exc,
        "n_channels": ear.n_channels,
        "programs": len(programs),
    }


def accuracies(results, condition):
    """Test accuracy (%) of a condition, seed by seed."""
    table = results["table"]
    return table[table.condition == condition].groupby("seed").accuracy_percent.mean().to_numpy()


def remembered(results, condition):
    """Accuracy (%) by time since the middle (seed x time)."""
    rows = results["fading"]
    return rows[rows.condition == condition].pivot(index="seed", columns="after", values="accuracy_percent")


def figure(results):
    seeds, names = results["seeds"], [f"speaker {speaker + 1}" for speaker in EXAMPLES]
    fig, axes = plots.figure(
        "AACC;BBDD;EEFF;GGHH",
        9.0,
        heights=[0.6, 1.15, 1.5, 1.35],
        titles={
            "A": f"Input spikes, {names[0]}",
            "B": "Liquid, the same utterance",
            "C": f"Input spikes, {names[1]}",
            "D": "Liquid, the same utterance",
            "E": "State of the liquid, four utterances each",
            "F": "All decisions of the liquid's readout",
            "G": "Which of nine speakers?",
            "H": "First half heard, then another speaker",
        },
        title=f"Japanese Vowels on a liquid of {results['n_cells']} cells, read when the utterance ends;\n"
        f"{results['n_train']} training and {results['n_test']} test utterances, {plots.seeds(seeds)}",
    )
    n_exc, n_cells = results["n_exc"], results["n_cells"]
    kinds = {"excitatory": np.arange(n_exc), "inhibitory": np.arange(n_exc, n_cells)}
    longest = max(results["end_0"], results["end_1"])
    for which, (top, bottom) in enumerate(("AB", "CD")):
        t, i = results[f"input_t_{which}"], results[f"input_i_{which}"]
        plots.raster(t, i, ax=axes[top], n=results["n_channels"], end=longest)
        t, i = results[f"cells_t_{which}"], results[f"cells_i_{which}"]
        plots.raster(t, i, ax=axes[bottom], groups=kinds, end=longest)
        axes[top].set(xlabel="", ylabel="afferent")
        for ax in (axes[top], axes[bottom]):
            ax.axvline(1e3 * results[f"end_{which}"], color=plots.GREY, linestyle="--", linewidth=0.9)
    paths = [(names[which], results[f"path_{which}_{k}"]) for which in range(2) for k in range(4)]
    plots.state_space([path for _, path in paths], ax=axes["E"], labels=[name for name, _ in paths])
    plots.confusion_matrix(results["confusion"], ax=axes["F"], name="speaker")
    samples = {label: accuracies(results, name) for name, label in CONDITIONS.items()}
    plots.comparison(
        samples,
        ax=axes["G"],
        x_label="accuracy on test utterances (%)",
        reference=BOUND,
        reference_label="bound",
        highlight=["liquid"],
        low=88,
        high=100,
    )
    for condition in ("liquid", "no memory", "input"):
        wide = remembered(results, condition)
        plots.curve_with_band(
            1e3 * wide.columns.to_numpy(),
            wide.to_numpy(),
            ax=axes["H"],
            x_label="time since the middle (ms)",
            y_label="accuracy on test utterances (%)",
            label=CONDITIONS[condition],
            reference=100 / 9,
            marker="o",
        )
    axes["H"].set(ylim=(0, 205), yticks=range(0, 101, 20))  # the legend has room above the curves
    axes["H"].get_legend().set_loc("upper left")
    return fig


def claims(results):
    bound, own = "bound of this project", "tolerance of this project"
    speakers = "one of nine speakers, of whom some say more than others"
    liquid, last = accuracies(results, "liquid"), accuracies(results, "last frame")[0]
    mean = {name: accuracies(results, name).mean() for name in CONDITIONS}
    above = {name: np.mean(accuracies(results, name) > last) for name in ("liquid", "no memory")}
    left = {name: remembered(results, name).mean() for name in ("liquid", "no memory")}
    ahead, lost = left["liquid"] - left["no memory"], left["liquid"].iloc[0] - left["liquid"].iloc[-1]
    name, cut = "accuracy, mean over seeds", "no recurrence, time constants 5 ms"
    return [
        Claim(name, mean["liquid"], BOUND, None, "%", bound),
        Claim(f"{name}: {cut}", mean["no memory"], BOUND, None, "%", bound, True),
        Claim(f"{name}: labels shuffled", mean["shuffled"], BOUND, None, "%", bound, True),
        Claim(f"{name}: labels shuffled, chance", mean["shuffled"], 3, 20, "%", speakers),
        Claim("seeds above the raw last frame", above["liquid"], 0.8, 1, "", bound),
        Claim(f"seeds above the raw last frame: {cut}", above["no memory"], 0.8, 1, "", bound, True),
        Claim("accuracy, worst seed", liquid.min(), PUBLISHED, None, "%", "Kudo, Toyama & Shimbo 1999"),
        Claim(f"memory: ahead of the cut liquid, {1e3 * LATER:.0f} ms on", ahead[LATER], 10, None, "%", own),
        Claim(f"memory fades: lost after {1e3 * AFTER[-1]:.0f} ms", lost, 20, None, "%", own),
        Claim("programs for all utterances, seeds, ablations", results["programs"], 1, 1, "", bound),
    ]
