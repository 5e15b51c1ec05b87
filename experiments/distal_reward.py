"""Distal reward: dopamine that comes seconds late finds the one synapse of 80,000 that earned it.

1000 Izhikevich neurons fire at random, about once a second. Whenever neuron 0 is followed within 20 ms by
its first target, a reward comes 1 to 3 s later, and dopamine jumps by 0.5. By then both neurons have fired
with many others. The synapse between them starts at 0; spike timing makes synapses eligible for a second,
and dopamine turns what is still eligible into weight (Izhikevich 2007, Cereb. Cortex 17:2443, and the
author's program for its figure 1). The loop is closed within the equations: a detector of the pairing, a
queue of rewards that are on their way, and the dopamine cell.

Controls: without dopamine pulses, and with as many rewards as in the full run, but at random times.

The main claim is judged in the best five minutes, not at the end. Within the hour the rewarded synapse climbs
to the ceiling and stays near it, with dips; meanwhile other synapses wander up, too, and at the end one or
two in a hundred are at the ceiling. The author's scheme, programmed anew in C, does the same (four seeds: the
99th percentile is 2.8 to 3.9 when the synapse first passes 3.5, and 4.0 from about 30 min on). Over ten
minutes in place of five, 11 of 13 seeds passed. What holds at the end of the hour is claimed too, and the
percentile fails there.

Deviations from the program: eligibility and dopamine are integrated in continuous time, in place of every
10 ms; a spike arrives after 1 ms and acts on the step that follows, there in the same millisecond; the first
target is drawn among excitatory neurons. At half the time step the noise is drawn twice as often and larger
by the square root of 2; neurons then fire 1.7 times a second in place of 1.3. The quick form stops long
before the hour and makes a smaller claim.
"""

import numpy as np
import pandas as pd
from brian2 import Hz, ms, mV, second

import engine
from analysis import plots
from circuits import (
    Cell,
    Circuit,
    Synapse,
    neurons,
    population,
    projection,
    signal,
    spike_trains,
    spikes,
    synapses,
    weights,
    wiring,
)
from experiments import Claim, keep, progress
from plasticity import compose, hard, neuromodulation, stdp

SOURCE = "Izhikevich 2007, fig. 1, and the author's program for it"
QUICK = dict(duration=1000 * second, n_seeds=1, controls=("none",), n_half_step_seeds=0)

UNIT = 1 * mV / ms  # a weight of 1 in the paper
PLACES = 20  # rewards that can be on their way at once
CONDITIONS = {
    "rewarded": "earned reward",
    "random": "random reward",
    "none": "no dopamine",
    "half step": "half the step",
}


def neuron():
    """Izhikevich's neuron as his program advances it: two half steps for v, then u with the new v."""
    cell = neurons.izhikevich().plus(
        """slope = k2*v**2 + k1*v + k0 - u + I : volt/second
           half = v + 0.5*dt*slope : volt
           slope_2 = k2*half**2 + k1*half + k0 - u + I : volt/second
           noise = noise_max*sqrt(noise_step/dt)*(rand() - 0.5) : volt/second (constant over dt)""",
        adds={"I": "noise"},
        params=dict(noise_max=13 * mV / ms, noise_step=1 * ms),
        name="izhikevich_half_steps",
    )
    cell = cell.edit("dv/dt = k2*v**2 + k1*v + k0 - u + I", "dv/dt = 0.5*(slope + slope_2)")
    return cell.edit("a*(b*v - u)", "a*(b*(v + 0.5*dt*(slope + slope_2)) - u)")


def detector(window):
    """A cell that fires in the step after a hit, and goes round the places of the queue."""
    return Cell(
        "detector",
        """dopen/dt = -1 : second
           hit : 1
           place : 1""",
        params=dict(window=window),
        threshold="hit > 0.5",
        reset=f"hit = 0\nplace = (place + 1) % {PLACES}",
        method="euler",
    )


# A spike of the first neuron opens the window; one of the second is a hit while it is open, but not in the
# step that opened it.
OPEN = Synapse("open", before="open_post = window_post", needs={"open": second})
LOOK = Synapse(
    "look",
    deliver={"hit": "int(open_post > 0.5*dt and open_post < window_post - 0.5*dt)"},
    needs={"open": second},
)
REWARD = Cell(
    "reward on its way",
    """dleft/dt = -waiting : second
       waiting : 1""",
    threshold="waiting > 0.5 and left < 0.5*dt",
    reset="waiting = 0\nleft = 0*second",
    method="euler",
)


def send(delay_min, delay_max):
    """A spike of the detector starts the clock of one place in the queue, with a delay drawn for it."""
    return Synapse(
        "send",
        deliver={
            "waiting": "int(place_pre == number)",
            "left": "int(place_pre == number)*(delay_min + (delay_max - delay_min)*rand())",
        },
        params=dict(number=np.arange(float(PLACES)), delay_min=delay_min, delay_max=delay_max),
        needs={"left": second, "waiting": 1},
    )


def wired(random, n, n_exc, n_out):
    """Sources and targets of excitatory and of inhibitory synapses; the first is the one to be rewarded."""
    source, target = np.repeat(np.arange(n), n_out), random.integers(0, n, n * n_out)
    inhibitory = source >= n_exc
    target[inhibitory] = random.integers(0, n_exc, inhibitory.sum())
    target[0] = random.integers(1, n_exc)
    again = np.flatnonzero(target[1:n_out] == target[0]) + 1  # one synapse between the two, no second one
    target[again] = target[0] + 1
    return [(source[part], target[part]) for part in (~inhibitory, inhibitory)]


def circuit(rule, pairs, n, n_exc, window, delay_min, delay_max, tau_d, every, dt):
    """The network, the loop from the pairing to dopamine, and a second source of rewards."""
    fast = np.arange(n) >= n_exc
    init = dict(a=np.where(fast, 0.1, 0.02) / ms, d=np.where(fast, 2, 8) * mV / ms)
    excitatory, inhibitory = pairs
    delay = 1 * ms
    return Circuit(
        cells=population(neuron(), n, init=init),
        exc=projection("cells", "cells", rule, wiring.pairs(*excitatory), delay=delay),
        inh=projection(
            "cells",
            "cells",
            synapses.exponential_current(w=-UNIT, tau=1 * ms),
            wiring.pairs(*inhibitory),
            delay=delay,
        ),
        detector=population(detector(window), 1),
        first=projection("cells", "detector", OPEN, wiring.pairs([0], [0])),
        then=projection("cells", "detector", LOOK, wiring.pairs([excitatory[1][0]], [0])),
        coming=population(REWARD, PLACES),
        send=projection("detector", "coming", send(delay_min, delay_max), wiring.all_to_all()),
        dopamine=population(neuromodulation.dopamine(tau_d=tau_d), 1),
        earned=projection("coming", "dopamine", synapses.delta("d", 0.5), wiring.all_to_all()),
        gift=spike_trains(1),
        given=projection("gift", "dopamine", synapses.delta("d", 0.5), wiring.all_to_all()),
        da=signal("dopamine.d", "cells"),
        record=[
            spikes("cells"),
            spikes("detector"),
            spikes("coming"),
            weights("exc", "w", every=every),
        ],
        dt=dt,
    )


def run(
    *,
    n=1000,
    n_exc=800,
    n_out=100,
    duration=3600 * second,
    A_plus=0.1,
    A_minus=0.15 / 0.95,
    tau_stdp=19.5 * ms,
    tau_c=1 * second,
    tau_d=200 * ms,
    tonic=0.002,
    eta=100 * Hz,
    w_max=4.0,
    window=20 * ms,
    delay_min=1 * second,
    delay_max=3 * second,
    average=300 * second,
    every=60 * second,
    dt=1 * ms,
    n_seeds=5,
    controls=("random", "none"),
    n_control_seeds=3,
    n_half_step_seeds=2,
    seed=1,
):
    seeds = [seed + k for k in range(n_seeds)]
    start = np.ones(n_exc * n_out)
    start[0] = 0
    rule = compose(
        stdp.pair(
            A_plus=A_plus * UNIT, A_minus=A_minus * UNIT, tau_plus=tau_stdp, tau_minus=tau_stdp, nearest=True
        ),
        neuromodulation.eligibility(tau_c=tau_c, eta=eta, tau_d=tau_d, tonic=tonic),
        synapse=synapses.exponential_current(w=UNIT, tau=1 * ms),
        bounds=hard(0 * UNIT, w_max * UNIT),
        w=start * UNIT,
    )
    rows, curves, final, n_rewards = [], {}, {}, 0
    for one in progress(seeds, "seeds"):
        random = np.random.default_rng([one, 0])
        pairs = wired(random, n, n_exc, n_out)
        options = (rule, pairs, n, n_exc, window, delay_min, delay_max, tau_d, every)
        net = circuit(*options, dt)
        conditions = ["rewarded"]
        conditions += list(controls) if one < seed + n_control_seeds else []
        conditions += ["half step"] if one < seed + n_half_step_seeds else []
        for condition in conditions:
            changes = {"earned.w": 0.0} if condition in ("random", "none") else {}
            if condition == "random":
                times = np.sort(random.uniform(0, float(duration), n_rewards))
                changes |= {"gift.t": times * second, "gift.i": np.zeros(n_rewards, dtype=int)}
            used = circuit(*options, dt / 2) if condition == "half step" else net
            recording = engine.run(used.but(changes), duration, seed=one)
            if condition == "rewarded":
                n_rewards = recording.spikes["coming"].t.size
            found = recording.weights["exc.w"]
            weight = found.values / float(UNIT)
            curves.setdefault(condition, []).append(weight[:, 0])
            final.setdefault(condition, weight[-1])
            if condition == "rewarded":
                curves.setdefault("99th percentile", []).append(np.quantile(weight, 0.99, axis=1))
                curves.setdefault("mean", []).append(weight.mean(axis=1))
            rate = recording.spikes["cells"].t.size / n / recording.duration
            rows.append((condition, one, *_summary(found.t, weight, float(average)), n_rewards, rate))
        keep(table=pd.DataFrame(rows, columns=COLUMNS))
    return {
        "table": pd.DataFrame(rows, columns=COLUMNS),
        "t": found.t,
        "bins": np.linspace(0, w_max, 41),
        "histogram": np.histogram(final["rewarded"], np.linspace(0, w_max, 41))[0],
        "example_weight": final["rewarded"][0],
        **{f"curves {name}": np.array(values) for name, values in curves.items()},
        "seeds": seeds,
        "average": float(average),
        "duration": float(duration),
        "w_max": w_max,
    }


COLUMNS = ["condition", "seed", "best", "best_percentile", "later_half", "mean_at_end", "rewards", "rate_Hz"]


def _summary(t, weight, average):
    """The best average of the rewarded synapse over a stretch of that length, with its percentile among all
    synapses in the same stretch; its average over the later half; the mean of all at the end.
    """
    size = round(average / (t[1] - t[0]))
    total = np.concatenate([np.zeros((1, weight.shape[1])), np.cumsum(weight[1:], axis=0)])
    smooth = (total[size:] - total[:-size]) / size
    target = smooth[:, 0]
    percentile = 100 * (smooth < target[:, None]).mean(axis=1)
    # The stretch that speaks most for the synapse: as strong as it is wanted, and of the highest percentile.
    strong = np.where(target >= 3.5, 1000, 0) + np.where(target >= 3.5, percentile, target)
    best = int(strong.argmax())
    later = weight[t > t[-1] / 2, 0].mean()
    return target[best], percentile[best], later, weight[-1].mean()


def figure(results):
    table, seeds, t = results["table"], results["seeds"], results["t"] / 60
    conditions = [name for name in CONDITIONS if (table.condition == name).any()]
    several = plots.seeds(seeds)
    fig, axes = plots.figure(
        "AB;CD",
        5.6,
        titles={
            "A": "The rewarded synapse and all others",
            "B": f"All synapses after {results['duration'] / 60:.0f} min (seed {seeds[0]})",
            "C": "The same synapse under controls",
            "D": f"The synapse in its best {results['average'] / 60:.0f} min",
        },
        title=f"Reward 1 to 3 s after the pairing of two neurons among 1000; {several}",
    )
    axis = dict(x_label="time (min)", y_label="weight (mV/ms)")
    for name, label in (
        ("rewarded", "rewarded"),
        ("99th percentile", "99th percentile of all"),
        ("mean", "mean of all"),
    ):
        plots.curve_with_band(t, results[f"curves {name}"], ax=axes["A"], label=label, **axis)
    ax = axes["B"]
    ax.stairs(results["histogram"], results["bins"], fill=True, color=plots.BLUE, alpha=0.6)
    ax.plot([results["example_weight"]], [1], "v", color=plots.VERMILLION, clip_on=False, label="rewarded")
    ax.set(yscale="log", xlabel="weight (mV/ms)", ylabel="number of synapses", ylim=(0.8, 1e5))
    plots.legend(ax)
    for name in conditions:
        plots.curve_with_band(t, results[f"curves {name}"], ax=axes["C"], label=CONDITIONS[name], **axis)
    for letter in "AC":
        axes[letter].set_ylim(0, 1.9 * results["w_max"])  # room for the legend
        axes[letter].set_yticks(range(int(results["w_max"]) + 1))
    plots.comparison(
        {CONDITIONS[name]: table.best[table.condition == name].to_numpy() for name in conditions},
        ax=axes["D"],
        x_label="weight (mV/ms)",
        reference=3.5,
        reference_label="bound",
        format=".2f",
        highlight=[CONDITIONS["rewarded"]],
        low=0,
        high=results["w_max"] * 1.02,
    )
    return fig


def claims(results):
    table, minutes = results["table"], results["average"] / 60
    bound = "bound of this project: at least 4 of 5 seeds"
    made = []
    for name in ("rewarded", "half step", "none", "random"):
        some, control = table[table.condition == name], name in ("none", "random")
        if not len(some):
            continue
        if results["duration"] >= 3600:
            share = 100 * ((some.best >= 3.5) & (some.best_percentile > 99)).mean()
            text = f"seeds whose synapse stays at 3.5 and above the 99th percentile for {minutes:g} min"
            made.append(Claim(f"{text}; {CONDITIONS[name]}", share, 80, None, "%", bound, control=control))
        else:
            text = f"percentile of the synapse in its best {minutes:g} min, lowest of the seeds"
            least, own = some.best_percentile.min(), "tolerance of this project for the quick form"
            made.append(Claim(f"{text}; {CONDITIONS[name]}", least, 50, None, "%", own, control=control))
    some = table[table.condition == "rewarded"]
    made.append(
        Claim(
            "mean of all excitatory weights at the end (1 at the start), largest of the seeds",
            some.mean_at_end.max(),
            None,
            1.0,
            "",
            "Izhikevich 2007, fig. 1d: weights do not rise",
        )  # fmt: skip
    )
    if results["duration"] >= 3600 and "curves rewarded" in results:
        end = results["curves rewarded"][:, -1]
        above = end > results["curves 99th percentile"][:, -1]
        for text, share in (("3.5 or more", end >= 3.5), ("above the 99th percentile", above)):
            text = f"seeds whose synapse is {text} at the end of the hour"
            made.append(Claim(text, 100 * share.mean(), 80, None, "%", bound))
    if results["duration"] >= 3600:
        for name in ("rewarded", "none", "random"):
            later = table.later_half[table.condition == name]
            if len(later):
                text = "weight of the synapse in the later half, median of the seeds"
                made.append(
                    Claim(
                        f"{text}; {CONDITIONS[name]}",
                        later.median(),
                        3.0,
                        None,
                        "mV/ms",
                        "tolerance of this project",
                        control=name != "rewarded",
                    )  # fmt: skip
                )
    return made
