"""What the reflex can bear: delays of the error, caps of the climbing fibres, nucleo-olivary inhibition.

Maps of the error that is left and of the learning time, over all three.

The loop of `vor_adaptation`, once per point and seed. The rule expects its error after 100 ms. The cap is
that of bursts; depression per spike stays the same, so that below some cap potentiation wins, however large
the error is: a weight is held by 12.4 climbing-fibre spikes per second. Without inhibition the error is
small too, but climbing fibres keep most of their rate (`nucleo_olivary`). Learning time is the number of
trials until the mean error is within a tenth of its way to where it ends, where the error falls by half at
least; elsewhere nothing was learnt, and there is none.
"""

import tempfile

import numpy as np
from brian2 import Hz, ms, second

from analysis import plots
from circuits import spikes, trace
from experiments import Claim, reflex, sweep

SOURCE = "parameters of Luque, Naveros, Carrillo, Ros & Arleo 2019"
QUICK = dict(n_trials=150, delays=(60, 100, 200), caps=(5, 25), strengths=(0.0, 0.18), n_seeds=1)

TRIAL, AMPLITUDE = 1.0, 0.9


def measure(recording):
    """Error left, learning time in trials, and what is left of the climbing fibres' rate."""
    eye = recording.traces["plant.eye"].values[:, 0]
    per_trial = round(TRIAL / float(reflex.EYE_EVERY))
    eye = eye[: len(eye) // per_trial * per_trial].reshape(-1, per_trial)
    head = AMPLITUDE * np.sin(2 * np.pi * np.arange(per_trial) / per_trial)
    error = np.abs(head - eye).mean(axis=1)
    fired = recording.spikes["olive"]
    cf = np.histogram(fired.t, np.arange(len(error) + 1) * TRIAL)[0] / fired.n / TRIAL
    final = error[-30:].mean() / error[:5].mean()
    return {
        "left": final,
        "trials": float(reflex.learning_time(error, last=3)) if final < 0.5 else np.nan,
        "cf": cf[-30:].mean() / max(cf[:5].mean(), 1e-9),
    }


def run(
    *,
    n_trials=400,
    delays=(40, 70, 100, 130, 160, 200),
    caps=(5, 12, 25, 50),
    strengths=(0.0, 0.09, 0.18, 0.36, 0.72),
    n_seeds=2,
    seed=1,
):
    net = reflex.loop().with_(record=[trace("plant", "eye", every=reflex.EYE_EVERY), spikes("olive")])
    seeds = [seed + k for k in range(n_seeds)]
    with tempfile.TemporaryDirectory() as folder:
        table = sweep(
            net,
            {
                ("plant.delay", "felt.delay"): [(d * ms, d * ms) for d in delays],
                "olive.cap": np.array(caps) * Hz,
                "nucleo_olivary.w": list(strengths),
            },
            seeds=seeds,
            duration=n_trials * TRIAL * second,
            measure="experiments.vor_sensitivity:measure",
            folder=folder,
        )
    return {
        "table": table,
        "delays": np.array(delays),
        "caps": np.array(caps),
        "strengths": np.array(strengths),
        "n_trials": n_trials,
        "seeds": seeds,
    }


def _mean(results, measure):
    """Mean over the seeds: cap x strength x delay. NaN where a seed has none."""
    table = results["table"]
    shape = [len(results[name]) for name in ("caps", "strengths", "delays")]
    keys = ["olive.cap", "nucleo_olivary.w", "plant.delay"]
    means = table.groupby(keys)[measure].agg(lambda values: values.mean(skipna=False)).sort_index()
    return means.to_numpy().reshape(shape)


def figure(results):
    caps, seeds = results["caps"], results["seeds"]
    letters = "ABCDEFGHIJKLMNOP"
    n = len(caps)
    rows = (
        ("left", "error left", 0.0, 1.0, ".2f"),
        ("trials", "learning time (trials)", 0.0, float(results["n_trials"]), ".0f"),
    )
    fig, axes = plots.figure(
        ";".join(letters[k * n : (k + 1) * n] for k in range(len(rows))),
        4.6,
        titles={letters[k]: f"cap {cap:g} Hz" for k, cap in enumerate(caps)},
        title=f"Reflex after {results['n_trials']} trials, mean of {plots.seeds(seeds)}; "
        "grey: nothing learnt",
    )
    for row, (measure, label, low, high, numbers) in enumerate(rows):
        values = _mean(results, measure)
        for k in range(n):
            plots.heat_map(
                values[k], results["delays"], results["strengths"], ax=axes[letters[row * n + k]],
                low=low, high=high, x_label="delay of the error (ms)",
                y_label="inhibition of the olive" if k == 0 else "", value_label=label if k == n - 1 else "",
                annotate=numbers,
            )  # fmt: skip
    return fig


def claims(results):
    own = "tolerance of this project"
    left, trials, cf = (_mean(results, measure) for measure in ("left", "trials", "cf"))
    cap = int(np.argmin(np.abs(results["caps"] - 25)))
    strength = int(np.argmin(np.abs(results["strengths"] - 0.18)))
    delay = int(np.argmin(np.abs(results["delays"] - 100)))
    low, late = int(np.argmin(results["caps"])), int(np.argmax(results["delays"]))
    made = [
        Claim("error left at the standard point", left[cap, strength, delay], None, 0.25, "", own),
        Claim("learning time there (trials)", trials[cap, strength, delay], None, 120, "", own),
        Claim(
            f"error left with a cap of {results['caps'][low]:g} Hz",
            left[low, strength, delay], None, 0.25, "", own, True,
        ),
        Claim(
            f"error left with a delay of {results['delays'][late]:g} ms, over that with the rule's",
            left[cap, strength, late] / left[cap, strength, delay], 1.2, None, "", own,
        ),
        Claim("climbing-fibre spikes, last over first", cf[cap, strength, delay], None, 0.6, "", own),
    ]  # fmt: skip
    if results["strengths"][0] == 0:
        made.append(Claim("the same without inhibition", cf[cap, 0, delay], None, 0.6, "", own, True))
    return made
