"""What the experiments with the vestibulo-ocular reflex share: the plastic loop, and what is measured of it
trial by trial.

`loop()` is the circuit of `circuits.cerebellum` with plasticity at its three sites, `learned(...)` runs it
and returns a table with a row per trial and the mean weights over time.
"""

import numpy as np
import pandas as pd
from brian2 import Hz, ms, nS, second

import engine
from circuits import cerebellum as circuit
from circuits import current, spikes, timed, trace, weights
from plasticity import cerebellar, compose, hard, soft

PLACES = 50  # parts of a trial over which the weights of granule cells are averaged
EYE_EVERY = 10 * ms


def parallel(*more, A_plus=0.00165, A_minus=0.0035, peak=100 * ms):
    """Plastic parallel fibres, with further rules on the same synapse."""
    rule = cerebellar.climbing_fibre(A_plus=A_plus * nS, A_minus=A_minus * nS, peak=peak)
    return compose(rule, *more, synapse=circuit.parallel_fibre(), bounds=hard(0 * nS, 3.7 * nS))


def mossy_nuclei(*more):
    """Plastic mossy fibres to the nuclei."""
    rule = cerebellar.purkinje_gated(A_plus=0.000625 * nS, A_minus=0.00025 * nS)
    return compose(rule, *more, synapse=circuit.mossy_nuclear(), bounds=hard(0 * nS, 10 * nS))


def purkinje_nuclei(*more):
    """Plastic inhibition of the nuclei.

    The source has hard bounds of 0 and 10 nS, under which potentiation wins and the weight grows to its
    ceiling within some 2000 s. Soft bounds let it rest near its start.
    """
    rule = cerebellar.purkinje_nuclei(A_plus=0.0005 * nS, A_minus=0.00015 * nS)
    return compose(rule, *more, synapse=circuit.purkinje_nuclear(), bounds=soft(0 * nS, 2.6 * nS))


def loop(*, frequency=1 * Hz, scale=1.0, dt=1 * ms, **synapses):
    """The loop of the reflex with its three kinds of plastic synapses, or others given by name."""
    plastic = dict(parallel=parallel(), mossy_nuclei=mossy_nuclei(), purkinje_nuclei=purkinje_nuclei())
    return circuit.vestibulo_ocular(**{**plastic, **synapses}, frequency=frequency, scale=scale, dt=dt)


def trial_of(net):
    """Duration of a trial, in seconds."""
    return float(net.numbers()["plant.trial"])


def schedule(values, net):
    """A value for each trial, as an amplitude for `current`; one number stays a number."""
    if np.ndim(values) == 0:
        return float(values)
    return timed(np.asarray(values, float), dt=trial_of(net) * second)


def learned(net, n_trials, *, goal=1.0, light=1.0, block=0.0, n_snapshots=20, record=(), seed=1):
    """Run trials of the loop and measure them.

    Parameters
    ----------
    net : Circuit
        From `loop`, with numbers changed at will.
    goal, light, block : float or array
        What the eye should do, in units of the head's motion; whether it sees; whether the inhibition of the
        olive is blocked: for all trials or each.
    n_snapshots : int
        How often the weights are looked at.
    record : list
        Further recorders; what they record is in `recording`.

    Returns
    -------
    dict with `trials` (DataFrame: gain and phase (degrees) of the eye against the head, signed gain along it,
    mean absolute error, climbing-fibre spikes and bursts per second and cell), `eye` (trial x time), the
    climbing-fibre spikes `cf_i`, `cf_t`, `weights` (snapshot x channel x place in the trial, parallel
    fibres), `change` (mean absolute change of a parallel-fibre weight between snapshots), `mossy` (snapshot x
    mossy fibre x channel), the whole `recording`, and `loop_seconds`.
    """
    for name, values in (("goal", goal), ("light", light), ("block", block)):
        if np.shape(values) not in ((), (n_trials,)):
            raise ValueError(
                f"learned, {name}: got {np.size(values)} values for {n_trials} trials; give one number, or "
                "one for each trial."
            )
    trial = trial_of(net)
    every = n_trials * trial / n_snapshots * second
    net = net.with_(
        goal=current("plant", "goal", schedule(goal, net)),
        light=current("plant", "light", schedule(light, net)),
        block=current("olive", "blocked", schedule(block, net)),
        record=[
            trace("plant", "eye", every=EYE_EVERY),
            spikes("olive"),
            weights("parallel", every=every),
            weights("mossy_nuclei", every=every),
            *record,
        ],
    )
    recording = engine.run(net, n_trials * trial * second, seed=seed)
    numbers = net.numbers()
    goal = np.broadcast_to(goal, n_trials).astype(float)
    eye = recording.traces["plant.eye"]
    per_trial = trial / float(EYE_EVERY)
    which = np.round(np.arange(n_trials)[:, None] * per_trial + np.arange(int(per_trial))).astype(int)
    moved = eye.values[:, 0][np.minimum(which, len(eye.values) - 1)]
    t = which * float(EYE_EVERY)
    angle = 2 * np.pi * numbers["plant.cycles"] * t / trial
    head = numbers["plant.amplitude"] * np.sin(angle)
    # The eye's response at the frequency of the head: 1 for an eye that follows the goal 1 at once.
    response = 2j * (moved * np.exp(-1j * angle)).mean(axis=1) / numbers["plant.amplitude"]
    fired = recording.spikes["olive"]
    edges = np.arange(n_trials + 1) * trial
    first = _burst_starts(fired.i, fired.t)
    sign = np.where(goal < 0, -1.0, 1.0)
    table = pd.DataFrame(
        {
            "trial": np.arange(n_trials),
            "goal": goal,
            "gain": np.abs(response),
            "along": response.real * sign,
            "phase": np.degrees(np.angle(response * sign)),
            "error": np.abs(goal[:, None] * head - moved).mean(axis=1),
            "cf": np.histogram(fired.t, edges)[0] / fired.n / trial,
            "bursts": np.histogram(fired.t[first], edges)[0] / fired.n / trial,
        }
    )
    return {
        "trials": table,
        "eye": moved,
        "head": head[0],
        "cf_i": fired.i,
        "cf_t": fired.t,
        **_of_weights(recording),
        "recording": recording,
        "loop_seconds": recording.loop_seconds,
        "model_seconds": n_trials * trial,
    }


def _burst_starts(i, t, pause=0.01):
    """Whether a spike comes more than `pause` seconds after the last one of its cell."""
    order = np.lexsort((t, i))
    since = np.diff(t[order], prepend=-1.0)
    new_cell = np.diff(i[order], prepend=-1) != 0
    starts = np.zeros(len(t), bool)
    starts[order] = (since > pause) | new_cell
    return starts


def _of_weights(recording):
    found = recording.weights["parallel.w"]
    values = np.asarray(found.values) * 1e9  # nS
    n_granule, n_purkinje = found.i.max() + 1, found.j.max() + 1
    place = (found.i * PLACES // n_granule) * 2 + (found.j >= n_purkinje // 2)
    n_places = 2 * PLACES
    count = np.bincount(place, minlength=n_places)
    mean = np.array([np.bincount(place, row, n_places) / count for row in values])
    mossy = recording.weights["mossy_nuclei.w"]
    n_mossy, n_nuclei = mossy.i.max() + 1, mossy.j.max() + 1
    grid = np.asarray(mossy.values).reshape(-1, n_mossy, n_nuclei) * 1e9
    half = n_nuclei // 2
    return {
        "weights": mean.reshape(len(values), -1, 2).transpose(0, 2, 1),
        "change": np.abs(np.diff(values, axis=0)).mean(axis=1),
        "away": np.array([np.abs(row - values[0]).mean() for row in values]),
        "late_change": np.abs(values[-1] - values[-1 - (len(values) - 1) // 5]).mean(),
        "snapshots": np.asarray(found.t),
        "mossy": np.stack([grid[:, :, :half].mean(axis=2), grid[:, :, half:].mean(axis=2)], axis=2),
    }


def block_mean(values, size=10):
    """Means of consecutive blocks, the rest left out."""
    values = np.asarray(values)
    n = len(values) // size
    return values[: n * size].reshape(n, size, *values.shape[1:]).mean(axis=1)


def blocks(values, size=10):
    """The middles of blocks of trials, and the means of values over them."""
    means = block_mean(values, size)
    return size * (np.arange(len(means)) + 0.5), means


def learning_time(error, last=5, block=10):
    """Trials until the mean error of a block is within a tenth of its way to where the last blocks end."""
    error = block_mean(error, block)
    start, end = error[0], error[-last:].mean()
    return int(block * (1 + np.flatnonzero(error <= end + 0.1 * (start - end))[0]))


def drift(found):
    """Change of the parallel-fibre weights per trial in the last fifth over that until learning was done."""
    trials, n = found["trials"], len(found["snapshots"]) - 1
    per_snapshot = len(trials) / n
    k = int(np.clip(round(learning_time(trials.error) / per_snapshot), 1, n))
    return float((found["late_change"] / (n // 5)) / (found["away"][k] / k))
