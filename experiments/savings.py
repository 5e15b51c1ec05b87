"""What was learnt once and extinguished is learnt faster again, if the nuclei kept a part of it.

The vestibulo-ocular reflex (`circuits.cerebellum`, after Luque, Naveros, Carrillo, Ros & Arleo 2019) learns
to turn the eye against the head, is taught to hold the eye still (extinction), and learns again. Savings are
1 - (trials to 0.8 of the first learning's final gain, the second time)/(the first time).

Mechanism, of Medina, Garcia & Mauk 2001 (J. Neurosci. 21:4081; there for the eyelid): cortex learns at once,
and where its Purkinje cells pause the mossy fibres to the nuclei grow slowly; while Purkinje cells fire as
at rest the nuclear weights stay. The memory in the cortex fades, that in the nuclei lasts (Shutoh et al.
2006, Neuroscience 139:767): weights of parallel fibres go back to where they started with `tau_forgetting`.
What cortex can hold against that is only a part of the gain, the nuclei add the rest. After extinction the
Purkinje cells hide what the nuclei hold. Savings come from cortex having to do less.

Conditions: nuclei that do not learn; nuclear weights erased at the end of extinction, all else as it is; a
rest in the dark in place of learning and extinction; a cortex that does not forget. Without forgetting there
are no savings in this model, though the nuclei keep some weight: the eye moves by the sum of both, so that
Purkinje cells which first have to undo what hides the nuclear memory have the same way to go. A loop whose
parameters are those of `vor_adaptation` is of this kind.

Deviations. Numbers of this project: the rule of the parallel fibres is twice as fast as in the source, that
of the nuclei eight times, and rests at 60 spikes/s of each Purkinje cell in place of 46 (they fire at about
65 before learning); forgetting takes 20 s in place of hours, so that the gain ends lower than in
`vor_adaptation`. Extinction has a set number of trials. What the nuclei hold leaves a part of the gain after
it; a count that begins at 0.2 of the gain both times leaves that head start out. Deviations of the loop
itself: see `vor_adaptation`.

At half the step untrained Purkinje cells fire faster (`START_AT_HALF_STEP`), too fast for nuclear weights to
grow, and there are no savings: a cortex that forgets goes back to those rates, where one that does not forget
learns them away. The claim at half the step, which belongs to the full form only, fails for that reason; it
holds if the weights start where the rates are the same.
"""

import numpy as np
import pandas as pd
from brian2 import Hz, ms, nS, second

from analysis import plots
from experiments import Claim, keep, progress, reflex
from plasticity import Periodic, Rule

SOURCE = "Medina, Garcia & Mauk 2001; Shutoh, Ohki, Kitazawa, Itohara & Nagao 2006"
QUICK = dict(
    n_first=200, n_extinction=80, n_again=40, conditions=("nuclei learn", "nuclei fixed"), n_seeds=1,
    n_half_step_seeds=0,
)  # fmt: skip

CONDITIONS = ("nuclei learn", "nuclei fixed", "nuclei erased", "rest before", "no forgetting")
HALF_STEP = ("half the step", "half the step and the same rates before learning")
NEVER = 1e7 * second
START = 3.45 * nS  # of the parallel fibres
# Interneurons, which the granule cells drive every 2 ms, fire at 167 Hz in place of 200 at a step of 0.5 ms,
# and untrained Purkinje cells at 83 Hz in place of 67. From these weights they fire at 67 Hz again.
START_AT_HALF_STEP = 3.23 * nS
STAGES = ("before", "learnt", "extinguished", "learnt again")


def forgetting(w_0, tau, every=1 * second):
    """Weights go back to where they started: dw/dt = (w_0 - w)/tau, exact at whole `every`."""
    return Rule(
        "forgetting",
        periodic=Periodic("w = w_0 + (w - w_0)*exp(-every/tau)", every="every"),
        params=dict(w_0=w_0, tau=tau, every=every),
    )


def erasure():
    """All weights are 0 after each interval `every`: a lesion at a set time."""
    return Rule("erasure", periodic=Periodic("w = 0*w", every="every"), params=dict(every=NEVER))


def circuit_of(dt, speed_cortex, speed_nuclei, resting_rate, tau_forgetting, start=START):
    """The loop with forgetting at the parallel fibres; what differs between conditions is numbers."""
    parallel = reflex.parallel(
        forgetting(start, tau_forgetting), A_plus=0.00165 * speed_cortex, A_minus=0.0035 * speed_cortex
    )
    net = reflex.loop(dt=dt, parallel=parallel, mossy_nuclei=reflex.mossy_nuclei(erasure()))
    return net.but({"parallel.w": start, **nuclear_rule(net, speed_nuclei, resting_rate)})


def nuclear_rule(net, speed, resting_rate):
    """Amplitudes of the nuclear rule, whose weights rest while each Purkinje cell fires at a rate.

    A_plus = A_minus n resting_rate tau (1 + 1/(1 + pi^2)),    n Purkinje cells on a nuclear cell
    """
    n = net.parts["purkinje"].n // 2
    area = net.numbers()["mossy_nuclei.tau_purkinje_gated"] * (1 + 1 / (1 + np.pi**2))
    A_minus = 0.00025 * speed
    return {
        "mossy_nuclei.A_minus_purkinje_gated": A_minus * nS,
        "mossy_nuclei.A_plus_purkinje_gated": A_minus * n * float(resting_rate) * area * nS,
    }


def first_at(values, level, width=5):
    """First trial at which the running mean of `width` trials reaches a level, infinite if none does."""
    smooth = np.convolve(np.asarray(values), np.ones(width) / width, "valid")
    reached = np.flatnonzero(smooth >= level)
    return reached[0] + width // 2 if len(reached) else np.inf


def measure(gain, n_first, n_extinction):
    """What one run shows: gains at the ends, and trials to criterion and from 0.2 to 0.8, both times.

    The criterion is 0.8 of the gain at the end of the first learning, for both.
    """
    n_before = n_first + n_extinction
    final = gain[n_first - min(50, n_first // 4) : n_first].mean()
    found = {"final": final, "extinguished": gain[n_before - min(20, n_extinction // 4) : n_before].mean()}
    for name, values in (("first", gain[:n_first]), ("again", gain[n_before:])):
        found[f"trials_{name}"] = first_at(values, 0.8 * final)
        found[f"rise_{name}"] = found[f"trials_{name}"] - first_at(values, 0.2 * final)
    return found


def run(
    *,
    n_first=300,
    n_extinction=100,
    n_again=100,
    speed_cortex=2.0,
    speed_nuclei=8.0,
    resting_rate=60 * Hz,
    tau_forgetting=20 * second,
    conditions=CONDITIONS,
    dt=1 * ms,
    n_half_step_seeds=1,
    n_seeds=5,
    seed=1,
):
    seeds = [seed + k for k in range(n_seeds)]
    given = (speed_cortex, speed_nuclei, resting_rate, tau_forgetting)
    net = circuit_of(dt, *given)
    trial = reflex.trial_of(net)
    n_before = n_first + n_extinction
    n_trials = n_before + n_again
    goal = np.r_[np.ones(n_first), np.zeros(n_extinction), np.ones(n_again)]
    light = np.ones(n_trials)
    dark = np.r_[np.zeros(n_before), np.ones(n_again)]
    changed = {
        "nuclei learn": {},
        "nuclei fixed": {f"mossy_nuclei.A_{sign}_purkinje_gated": 0 * nS for sign in ("plus", "minus")},
        "nuclei erased": {"mossy_nuclei.every_erasure": n_before * trial * second},
        "rest before": {},
        "no forgetting": {"parallel.tau_forgetting": NEVER},
    }
    unknown = [name for name in conditions if name not in changed]
    if conditions[0] != CONDITIONS[0]:
        raise ValueError(f"savings: the first of the conditions is {CONDITIONS[0]!r}, not {conditions[0]!r}.")
    if unknown:
        raise ValueError(f"savings: no condition {unknown[0]!r}. There are: {', '.join(CONDITIONS)}.")
    tables, rows, shown, every = [], [], {}, np.gcd.reduce([n_first, n_extinction, n_again])

    def add(condition, one, loop):
        found = reflex.learned(
            loop.but(changed.get(condition, {})), n_trials, goal=goal,
            light=dark if condition == "rest before" else light, n_snapshots=n_trials // every, seed=one,
        )  # fmt: skip
        gain = found["trials"].along.to_numpy()
        stages = np.array([0, n_first, n_before, n_trials]) // every
        held = found["mossy"][stages].max(axis=(1, 2))
        tables.append(found["trials"].assign(condition=condition, seed=one))
        rows.append(
            {"condition": condition, "seed": one, **measure(gain, n_first, n_extinction)}
            | {f"nuclei, {name}": value for name, value in zip(STAGES, held, strict=True)}
        )
        keep(runs=pd.DataFrame(rows))
        if one == seed and condition == conditions[0]:
            shown.update(weights=found["weights"][stages], mossy=found["mossy"][stages])

    for one in progress(seeds, "seeds"):
        for condition in conditions:
            add(condition, one, net)
        if one < seed + n_half_step_seeds:
            add(HALF_STEP[0], one, circuit_of(dt / 2, *given))
            add(HALF_STEP[1], one, circuit_of(dt / 2, *given, START_AT_HALF_STEP))
    return {
        "trials": pd.concat(tables, ignore_index=True),
        "runs": pd.DataFrame(rows),
        **shown,
        "seeds": seeds,
        "phases": np.array([n_first, n_extinction, n_again]),
        "trial": trial,
        "dt": float(dt / ms),
    }


def savings(results, condition, kind="trials"):
    """By seed: 1 - trials of learning again over trials of learning; -inf where it does not succeed again.

    After a rest nothing was learnt before: the trials are those that it then takes to the gain that the
    same seed reached without the rest.
    """
    table = results["runs"].set_index(["condition", "seed"])
    found = table.loc[condition]
    if condition != "rest before":
        return (1 - found[f"{kind}_again"] / found[f"{kind}_first"]).to_numpy()
    n_first, n_extinction, _ = results["phases"]
    first = table.loc[CONDITIONS[0]]
    values = []
    for one, row in first.iterrows():
        chosen = results["trials"]
        chosen = chosen[(chosen.condition == condition) & (chosen.seed == one)]
        gain = chosen.along.to_numpy()[n_first + n_extinction :]
        needed = first_at(gain, 0.8 * row.final)
        if kind == "rise":
            needed -= first_at(gain, 0.2 * row.final)
        values.append(1 - needed / row[f"{kind}_first"])
    return np.array(values)


def _curves(results, condition, size=5):
    """Gain of every seed in blocks of trials: seed x block."""
    table = results["trials"]
    chosen = table[table.condition == condition]
    return np.array([reflex.block_mean(found.along, size) for _, found in chosen.groupby("seed")])


def _aligned(ax, results, condition, size=5):
    """First and second learning of one condition, from their starts."""
    n_first, n_extinction, n_again = results["phases"]
    for name, start, color in (
        ("learning", 0, plots.GREY),
        ("learning again", n_first + n_extinction, plots.BLUE),
    ):
        table = results["trials"]
        chosen = table[(table.condition == condition) & (table.trial >= start)]
        chosen = chosen[chosen.trial < start + n_again]
        curves = np.array([reflex.block_mean(found.along, size) for _, found in chosen.groupby("seed")])
        x = size * (np.arange(curves.shape[1]) + 0.5)
        ax.plot(x, curves.T, color=color, linewidth=0.5, alpha=0.5)
        ax.plot(x, curves.mean(axis=0), color=color, linewidth=1.6, label=name)
    runs = results["runs"]
    final = runs[runs.condition == condition].final.mean()
    ax.axhline(0.8 * final, color=plots.GREY, linestyle="--", linewidth=0.8, label="criterion")
    ax.set(xlabel="trial since the start", ylabel="gain", ylim=(-0.1, 1.25), xlim=(0, n_again))
    ax.legend(loc="upper left", frameon=False)


def figure(results):
    seeds, (n_first, n_extinction, n_again) = results["seeds"], results["phases"]
    drawn = [name for name in CONDITIONS if name in set(results["runs"].condition)]
    aligned = {"B": "nuclei learn", "C": "nuclei fixed", "D": "nuclei erased"}
    aligned = {letter: name for letter, name in aligned.items() if name in drawn}
    titles = {
        "A": "Learning, extinction, learning again",
        "B": "Nuclei learn",
        "C": "Nuclei fixed",
        "D": "Nuclei erased",
        "E": "Savings",
        "F": "Mossy fibres to nuclei",
        "G": "Parallel fibres",
    }
    row = "".join(aligned).ljust(3, ".")
    fig, axes = plots.figure(
        f"AAA;{row};EFG",
        7.2,
        widths=[1.15, 1, 1],
        titles={letter: text for letter, text in titles.items() if letter in "AEFG" or letter in aligned},
        title=f"Vestibulo-ocular reflex, 1 Hz, step {results['dt']:g} ms; {plots.seeds(seeds)} "
        f"(thin lines); F, G: agonist's, nuclei learn, seed {seeds[0]}",
    )
    looks = {"nuclei learn": plots.BLUE, "nuclei fixed": plots.VERMILLION, "no forgetting": plots.GREEN}
    with plots.style():
        ax = axes["A"]
        for condition, color in looks.items():
            if condition in drawn:
                curves = _curves(results, condition)
                x = 5 * (np.arange(curves.shape[1]) + 0.5)
                ax.plot(x, curves.T, color=color, linewidth=0.4, alpha=0.5)
                ax.plot(x, curves.mean(axis=0), color=color, linewidth=1.4, label=condition)
        ax.axvspan(n_first, n_first + n_extinction, color=plots.GREY, alpha=0.15, linewidth=0)
        ax.text(n_first + n_extinction / 2, 1.02, "extinction", ha="center", va="bottom", fontsize=7.5)
        ax.set(xlabel="trial (1 s)", ylabel="gain (along the head)", ylim=(-0.1, 1.15))
        ax.set_xlim(0, n_first + n_extinction + n_again)
        ax.legend(loc="upper left", ncols=3, frameon=False)
        for letter, condition in aligned.items():
            _aligned(axes[letter], results, condition)
        tint = dict(zip(STAGES, (plots.GREY, plots.BLUE, plots.VERMILLION, plots.SKY), strict=True))
        line = dict(zip(STAGES, (":", "-", "-", "--"), strict=True))
        place = np.linspace(-1.2, 1.2, results["mossy"].shape[1])
        t = (np.arange(results["weights"].shape[2]) + 0.5) * results["trial"] / results["weights"].shape[2]
        for ax, x, values, label in (
            (axes["F"], place, results["mossy"][:, :, 0], "place of the head (1)"),
            (axes["G"], t, results["weights"][:, 0], "time of the spike (s)"),
        ):
            for k, stage in enumerate(STAGES):
                ax.plot(x, values[k], color=tint[stage], linestyle=line[stage], label=stage)
            low, high = ax.get_ylim()
            ax.set(xlabel=label, ylabel="weight (nS)", ylim=(low, high + 0.75 * (high - low)))
            handles, names = ax.get_legend_handles_labels()
            ax.legend(handles, names, loc="upper left", frameon=False)
    samples = {name: np.maximum(savings(results, name), -1) for name in drawn}
    plots.comparison(
        samples, ax=axes["E"], x_label="1 - trials again/trials first", reference=0, reference_label="none",
        format=".2f", highlight=[name for name in drawn if name != "nuclei learn"],
    )  # fmt: skip
    return fig


def claims(results):
    own, runs = "tolerance of this project", results["runs"].set_index("condition")
    kept = runs.loc[["nuclei learn"]]
    made = []
    for kind, text in (("trials", "savings to 0.8 of gain"), ("rise", "savings from 0.2 to 0.8 of gain")):
        for condition in CONDITIONS:
            if condition in runs.index:
                values = savings(results, condition, kind)
                control = condition != "nuclei learn"
                worst, which = (values.max(), "highest") if control else (values.min(), "lowest")
                made.append(
                    Claim(f"{text}, {condition}, {which} of seeds", worst, 0.25, None, "", SOURCE, control)
                )
    part = kept["nuclei, extinguished"] / kept["nuclei, learnt"]
    left = kept.extinguished / kept.final
    made += [
        Claim("nuclear weight left after extinction, lowest", part.min(), 0.5, 1.0, "", SOURCE),
        Claim("gain left after extinction over that learnt, highest", left.max(), None, 0.25, "", own),
        Claim("gain learnt, lowest", kept.final.min(), 0.5, 1.0, "", own),
    ]
    for condition in HALF_STEP:
        if condition in runs.index:
            half = savings(results, condition)
            made.append(Claim(f"savings to 0.8 of gain, {condition}", half.min(), 0.25, None, "", SOURCE))
    return made
