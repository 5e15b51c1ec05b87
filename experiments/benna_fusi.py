"""A chain of variables behind every synapse makes memories fade as one over the square root of time.

Memories arrive one per time step; each proposes +1 or -1 to every synapse. In the chain of Benna & Fusi the
weight is the first of m variables, coupled like beakers of growing width by tubes of shrinking width. The
signal of a memory is the overlap of its signs with the weights, the noise is what all other memories leave.
Theory: the chain is linear, so the signal is a power of its transition matrix and the noise the root of the
sum of the squared signals of all earlier memories. Simulation: an ensemble of synapses with the composed
rule.

Deviations. The paper also bounds and discretises the variables; here they are real numbers. The slope is
fitted from lag 4 to 4**(m-2) memories, before the leak at the end shows. The simulated ensemble starts with
empty chains and is compared with the theory of the same age; lifetimes for m = 10 are the theory's, as a
chain of that length takes a million memories to fill. Controls: m = 1 (a leaky weight), and beakers of
equal width, whose signal dies exponentially after about m**2 memories.
"""

import numpy as np
import pandas as pd

from analysis import plots
from experiments import Claim, progress
from experiments import memory_traces as lab
from plasticity import consolidation, unbounded

SOURCE = "Benna & Fusi 2016"
QUICK = dict(n_simulated=4000, n_memories=300, seeds=(1, 2))

PRINTED_SLOPES = {6: -0.482, 8: -0.491}  # chain length: slope
PRINTED_LIFETIMES = {1000: 63, 10000: 638, 100000: 6349}  # synapses: memories, for m = 10
LONGEST = 200_000  # memories, in curves


def transition(m, equal=False):
    """What one time step does to the chain: a matrix m x m (all widths and tubes `equal` for the control)."""
    widths = np.ones(m) if equal else 2.0 ** np.arange(m)
    tubes = np.full(m, 1 / 8) if equal else 2.0 ** (-np.arange(m) - 3)
    flow = np.zeros((m, m))  # of the u_k into the beakers
    for k in range(m):
        flow[k, k] -= tubes[k]
        if k + 1 < m:
            flow[k, k + 1] += tubes[k]
            flow[k + 1, k] += tubes[k]
            flow[k + 1, k + 1] -= tubes[k]
    return np.eye(m) + flow / widths[:, None]


def modes(m, equal=False):
    """Weights and factors per step of the modes in which a change of the weight fades."""
    widths = np.ones(m) if equal else 2.0 ** np.arange(m)
    root = np.sqrt(widths)
    factors, vectors = np.linalg.eigh(root[:, None] * transition(m, equal) / root)  # symmetric
    return vectors[0] ** 2, factors


def signal(m, lags, equal=False):
    """The expected signal of a memory after `lags` further ones."""
    share, factors = modes(m, equal)
    return sum(a * np.power(f, lags) for a, f in zip(share, factors, strict=True))


def noise(m, age=None, equal=False):
    """The standard deviation of a weight after `age` memories; without one, in the long run."""
    share, factors = modes(m, equal)
    ratio = np.outer(factors, factors)
    sums = np.outer(share, share) / (1 - ratio)
    return np.sqrt((sums if age is None else sums * (1 - ratio**age)).sum())


def slope(m, last=None):
    """The log-log slope of the signal between 4 and 4**(m-2) (or `last`) memories."""
    last = 4 ** (m - 2) if last is None else last
    return lab.log_slope(signal(m, np.arange(last + 1.0)), 4, last)


def lifetimes(m, numbers, equal=False):
    """Lags at which the signal falls to the noise, for numbers of synapses."""
    found = []
    for n in numbers:
        lags = np.arange(1 + 2 ** int(np.ceil(np.log2(n) + 2)), dtype=float)
        found.append(lab.lifetime(signal(m, lags, equal), noise(m, equal=equal), n))
    return np.array(found)


def exponent(numbers, lives):
    """The power of the number of synapses with which lifetimes grow."""
    return float(np.polyfit(np.log(numbers), np.log(lives), 1)[0])


def run(
    *,
    m_slope=(6, 8),
    m_lifetime=10,
    n_synapses=(1000, 10_000, 100_000),
    m_simulated=6,
    n_simulated=10_000,
    n_memories=600,
    n_group=500,
    seeds=(1, 2, 3, 4, 5),
):
    rows = []
    lags = np.unique(np.geomspace(1, n_memories / 2, 24).round().astype(int)) - 1
    for seed in progress(seeds, "seeds"):
        for m in (m_simulated, 1):
            signs, weight = lab.store(
                consolidation.benna_fusi(m=m, tau=lab.STEP), n_simulated, n_memories, seed,
                bounds=unbounded(), w=0.0,
            )  # fmt: skip
            for lag in lags:
                found = lab.overlaps(signs, weight, int(lag), n_group)
                # The second half: chains as full as they get here.
                found = found[len(found) // 2 :]
                rows.append((m, seed, int(lag), found.mean(), found.std()))
    age = int(0.75 * n_memories)  # of the memories in the second half, on average
    return {
        "simulated": pd.DataFrame(rows, columns=["m", "seed", "lag", "signal", "noise"]),
        "seeds": list(seeds),
        "slopes": {m: slope(m) for m in m_slope},
        "m_lifetime": m_lifetime,
        "m_simulated": m_simulated,
        "age": age,
        "n_group": n_group,
        "n_simulated": n_simulated,
        "n_memories": n_memories,
        "numbers": np.array(n_synapses),
        "lifetimes": lifetimes(m_lifetime, n_synapses),
        "lifetimes_leaky": lifetimes(1, n_synapses),
        "lifetimes_equal": lifetimes(m_lifetime, n_synapses, equal=True),
    }


def _measured(results, m):
    """Lags, and simulated signal and noise of a group, seed x lag."""
    table = results["simulated"]
    table = table[table.m == m]
    wide = [table.pivot(index="seed", columns="lag", values=column) for column in ("signal", "noise")]
    return wide[0].columns.to_numpy(), wide[0].to_numpy(), wide[1].to_numpy()


def _expected_ratio(m, lags, age):
    """The signal of a memory over the noise that all others leave, for one synapse."""
    own = signal(m, lags)
    return own / np.sqrt(noise(m, age) ** 2 - own**2)


def _simulated_slope(lags, signals, last):
    """The slope of the mean signal over lags from 4 to `last`."""
    use = (lags >= 4) & (lags <= last)
    means = signals.mean(axis=0)[use]
    return float(np.polyfit(np.log(lags[use]), np.log(means), 1)[0]) if (means > 0).all() else np.nan


def _simulated_lifetime(lags, signals, noises):
    """The lag at which the mean signal of a group falls to its noise."""
    ratio = signals.mean(axis=0) / noises.mean(axis=0)
    steps = np.arange(lags[-1] + 1)
    return lab.lifetime(np.interp(steps, lags, ratio), 1.0, 1)


def figure(results):
    m, length, seeds = results["m_simulated"], results["m_lifetime"], results["seeds"]
    lags, signals, noises = _measured(results, m)
    fig, axes = plots.figure(
        "AB;CD",
        5.4,
        titles={
            "A": "Signal of one memory",
            "B": "Lifetime of a memory",
            "C": f"The same in {results['n_simulated']} synapses",
            "D": f"Signal over noise, {results['n_group']} synapses",
        },
        title=f"Chains of m variables; simulation: m = {m}, {plots.seeds(seeds)}, "
        f"{results['n_memories']} memories each",
    )
    with plots.style():
        ax = axes["A"]
        long = np.unique(np.geomspace(1, LONGEST, 300).round())
        for color, k in zip((plots.SKY, plots.BLUE, plots.GREEN), (*results["slopes"], length), strict=False):
            ax.plot(long, signal(k, long), color=color, label=f"m = {k}")
        ax.plot(long, signal(1, long), color=plots.VERMILLION)
        ax.text(70, 2e-3, "m = 1", color=plots.VERMILLION)
        ax.plot(long, signal(length, long, equal=True), color=plots.ORANGE)
        ax.text(3000, 2.5e-4, f"m = {length},\nequal widths", color=plots.ORANGE)
        ax.plot(long, 0.8 / np.sqrt(long), "--", color=plots.GREY, label="slope -1/2")
        ax.set(xscale="log", yscale="log", ylim=(1e-4, 1.5), xlabel="lag (memories)", ylabel="signal (steps)")
        plots.legend(ax)
        ax = axes["B"]
        numbers = results["numbers"]
        for key, color, label in (
            ("lifetimes", plots.GREEN, f"m = {length}"),
            ("lifetimes_equal", plots.ORANGE, f"m = {length}, equal widths"),
            ("lifetimes_leaky", plots.VERMILLION, "m = 1"),
        ):
            ax.plot(numbers, results[key], "o-", color=color, label=label)
        if length == 10:
            printed = np.array(list(PRINTED_LIFETIMES.items())).T
            ax.plot(*printed, "+", color=plots.BLACK, markersize=9, label="reference")
        ax.set(
            xscale="log",
            yscale="log",
            xlabel="number of synapses",
            ylabel="lag at signal = noise (memories)",
        )
        plots.legend(ax)
        x = lags + 1  # so that the lag 0 has a place on a logarithmic axis
        ax = axes["C"]
        steps = np.arange(lags[-1] + 1)
        for k, color in ((m, plots.BLUE), (1, plots.VERMILLION)):
            _, found, _ = _measured(results, k)
            ax.plot(steps + 1, signal(k, steps), color=color, label=f"m = {k}, theory")
            ax.plot(x, found.T, ".", color=color, alpha=0.5, markersize=4)
        ax.plot([], [], ".", color=plots.GREY, label=f"simulation, each of {len(seeds)} seeds")
        ax.set(
            xscale="log", yscale="log", ylim=(5e-3, 1.3), xlabel="1 + lag (memories)", ylabel="signal (steps)"
        )
        plots.legend(ax)
        ax = axes["D"]
        of_group = np.sqrt(results["n_group"])
        for k, color in ((m, plots.BLUE), (1, plots.VERMILLION)):
            _, found, spread = _measured(results, k)
            ax.plot(steps + 1, of_group * _expected_ratio(k, steps, results["age"]), color=color)
            ax.plot(x, (found / spread).T, ".", color=color, alpha=0.5, markersize=4)
        ax.axhline(1, linestyle="--", color=plots.GREY, linewidth=0.9, label="signal = noise")
        ax.set(
            xscale="log", yscale="log", ylim=(0.1, 40), xlabel="1 + lag (memories)", ylabel="signal / noise"
        )
        plots.legend(ax)
    return fig


def claims(results):
    source, own = "computed from the equations of Benna & Fusi 2016", "tolerance of this project"
    made = []
    for m, found in results["slopes"].items():
        printed = PRINTED_SLOPES.get(m, -0.5)
        made.append(
            Claim(f"log-log slope of the signal, m = {m}", found, printed - 0.03, printed + 0.03, "", source)
        )
    numbers, lives = results["numbers"], results["lifetimes"]
    for n, life in zip(numbers, lives, strict=True):
        printed = PRINTED_LIFETIMES.get(int(n)) if results["m_lifetime"] == 10 else None
        if printed:
            name = f"lifetime, m = 10, {n} synapses"
            made.append(Claim(name, life, 0.98 * printed, 1.02 * printed, "memories", source))
    if len(numbers) > 1:
        for key, name, control in (
            ("lifetimes", f"m = {results['m_lifetime']}", False),
            ("lifetimes_leaky", "a leaky weight, m = 1", True),
            ("lifetimes_equal", "beakers of equal width", True),
        ):
            value = exponent(numbers, results[key])
            made.append(
                Claim(f"exponent of lifetime over synapses, {name}", value, 0.97, 1.03, "", source, control)
            )
    m = results["m_simulated"]
    lags, signals, noises = _measured(results, m)
    expected = signal(m, lags)
    ratio = (signals.mean(axis=0) * expected).sum() / (expected**2).sum()
    made.append(Claim(f"simulated over expected signal, m = {m}", ratio, 0.97, 1.03, "", own))
    others = np.sqrt(noise(m, results["age"]) ** 2 - expected**2)
    level = np.sqrt(results["n_group"]) * (noises.mean(axis=0) / others).mean()
    made.append(Claim(f"simulated over expected noise, m = {m}", level, 0.95, 1.05, "", own))
    steps = np.arange(lags[-1] + 1)
    alive = lab.lifetime(_expected_ratio(m, steps, results["age"]), 1.0, results["n_group"])
    found = _simulated_lifetime(lags, signals, noises)
    made.append(Claim("simulated over expected lifetime", found / alive, 0.85, 1.15, "", own))
    for k, control in ((m, False), (1, True)):
        lags, signals, _ = _measured(results, k)
        value = _simulated_slope(lags, signals, 64)
        if control and not np.isfinite(value):
            # The signal is gone within the window; as far as it reaches, the decay is steeper than any power.
            value = _simulated_slope(lags, np.abs(signals), 64)
        made.append(
            Claim(
                f"slope of the simulated signal, lags 4 to 64, m = {k}", value, -0.56, -0.42, "", own, control
            )
        )
    return made
