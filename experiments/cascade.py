"""Synapses with a cascade of states trade the strength of a fresh memory for a long, power-law decay.

Memories arrive one per time step; each tries to potentiate or to depress every synapse, at random. A synapse
has two strengths and n states of each: attempts for the strength it has make it more stubborn, an attempt for
the other one succeeds with a probability that halves with every state. The signal of a memory is the overlap
of its signs with the strengths (-1 and 1). Theory: powers of the transition matrix of the 2 n states.
Simulation: an ensemble of synapses with the composed rule, drawn from the stationary distribution.

A fresh memory has the signal 2/n, and one further memory leaves a third of it (0.667/n), since every
attempt in the first states succeeds; from then on the signal falls as a power of time until about 2**n
memories. With one memory per step even and odd lags differ; for memories at random times (a Poisson
process, as in the paper) the curve is smooth. Slopes are fitted from lag 3 to 2**(n-3). Control: synapses
with one state of each strength, which switch with one probability: their signal falls exponentially, and
the lifetime of a memory grows as the logarithm of the number of synapses.
"""

import numpy as np
import pandas as pd

from analysis import plots
from experiments import Claim, progress
from experiments import memory_traces as lab
from plasticity import consolidation, hard

SOURCE = "Fusi, Drew & Abbott 2005"
QUICK = dict(n_simulated=8000, n_memories=150, seeds=(1, 2))

PRINTED_SLOPES = {10: -0.62, 15: -0.73}


def attempts(n, x=0.5, scale=1.0):
    """Matrices (columns: from, rows: to) of an attempt to potentiate and one to depress.

    States 0 to n-1 are the strong ones by depth, n to 2n-1 the weak ones.
    """
    depth = np.arange(1, n + 1)
    leave = x ** (depth - 1.0)
    leave[-1] = min(x ** (n - 1) / (1 - x), 1.0)
    deepen = x**depth / (1 - x)
    deepen[-1] = 0.0
    leave, deepen = scale * leave, scale * deepen
    up, down = np.zeros((2, 2 * n, 2 * n))
    for matrix, same, other in ((up, 0, n), (down, n, 0)):
        for k in range(n):
            matrix[same, other + k] += leave[k]
            matrix[other + k, other + k] += 1 - leave[k]
            matrix[same + k, same + k] += 1 - deepen[k]
            matrix[same + min(k + 1, n - 1), same + k] += deepen[k]
    return up, down


def signal(n, lags, x=0.5, scale=1.0, poisson=False):
    """The expected signal of a memory after `lags` further ones (or at a mean of `lags`, at random times)."""
    up, down = attempts(n, x, scale)
    step = (up + down) / 2
    stationary = np.full(2 * n, 0.5 / n)
    strength = np.repeat([1.0, -1.0], n)
    factors, vectors = np.linalg.eig(step)
    share = np.linalg.solve(vectors, ((up - down) / 2 @ stationary).astype(complex))
    lags = np.asarray(lags, dtype=float)[..., None]
    fade = np.exp((factors - 1) * lags) if poisson else np.power(factors.astype(complex), lags)
    return np.real(fade @ (strength @ vectors * share))


def slope(n):
    """The log-log slope of the signal between 3 and 2**(n-3) memories."""
    last = 2 ** (n - 3)
    return lab.log_slope(signal(n, np.arange(last + 1)), 3, last)


def lifetime(n, synapses, **options):
    """The lag at which the signal of so many synapses falls to the noise of a binary strength, 1."""
    lags = np.arange(2 ** (n + 3) if n > 1 else 20_000)
    return lab.lifetime(signal(n, lags, poisson=True, **options), 1.0, synapses)


def run(
    *,
    n_slope=(10, 15),
    n_early=(5, 10, 15),
    n_states=10,
    single=0.1,
    n_simulated=20_000,
    n_memories=400,
    seeds=(1, 2, 3, 4, 5),
):
    lags = np.unique(np.r_[0, 1, 2, 3, np.geomspace(4, 0.6 * n_memories, 14).round()]).astype(int)
    rows = []
    for seed in progress(seeds, "seeds"):
        for name, rule in (
            ("cascade", consolidation.cascade(n=n_states)),
            ("single", consolidation.cascade(n=1, scale=single)),
        ):
            signs, weight = lab.store(
                rule, n_simulated, n_memories, seed, bounds=hard(0, 1), w="int(rand() < 0.5)"
            )
            strength = 2 * weight - 1
            rows += [(name, seed, int(lag), lab.overlaps(signs, strength, int(lag)).mean()) for lag in lags]
    numbers = np.array([1e3, 1e4, 1e5, 1e6, 1e7])
    return {
        "simulated": pd.DataFrame(rows, columns=["synapse", "seed", "lag", "signal"]),
        "seeds": list(seeds),
        "slopes": {n: slope(n) for n in n_slope},
        "early": {n: signal(n, np.arange(2)) for n in n_early},
        "n_states": n_states,
        "single": single,
        "n_simulated": n_simulated,
        "n_memories": n_memories,
        "numbers": numbers,
        "lifetimes": {n: np.array([lifetime(n, k) for k in numbers]) for n in n_slope},
        "lifetimes_single": np.array([lifetime(1, k, scale=single) for k in numbers]),
    }


def _measured(results, name):
    """Lags and simulated signals, seed x lag."""
    table = results["simulated"]
    wide = table[table.synapse == name].pivot(index="seed", columns="lag", values="signal")
    return wide.columns.to_numpy(), wide.to_numpy()


def figure(results):
    n, single, seeds = results["n_states"], results["single"], results["seeds"]
    fig, axes = plots.figure(
        "AB;CD",
        5.4,
        titles={
            "A": "Signal, memories at random times",
            "B": "Fresh memories",
            "C": f"One memory per step, {results['n_simulated']} synapses",
            "D": "Lifetime of a memory",
        },
        title=f"Cascades of n states per strength; simulation: n = {n}, {plots.seeds(seeds)}, "
        f"{results['n_memories']} memories each",
    )
    colors = (plots.SKY, plots.BLUE, plots.GREEN, plots.PURPLE)
    with plots.style():
        ax = axes["A"]
        lags = np.geomspace(0.1, 1e5, 400)
        for color, k in zip(colors, results["early"], strict=False):
            ax.plot(lags, signal(k, lags, poisson=True), color=color, label=f"n = {k}")
        for scale, style in ((single, "-"), (0.01, ":")):
            ax.plot(lags, signal(1, lags, scale=scale, poisson=True), style, color=plots.VERMILLION)
        ax.text(0.12, 1e-4, f"one state, probability\n{single:g}, or 0.01 (dotted)", color=plots.VERMILLION)
        ax.plot(lags, 0.6 * lags**-0.75, "--", color=plots.GREY, label="slope -3/4")
        ax.set(xscale="log", yscale="log", ylim=(1e-5, 2), xlabel="lag (memories)", ylabel="signal")
        plots.legend(ax)
        ax = axes["B"]
        sizes = np.arange(2, 21)
        early = np.array([signal(k, np.arange(2)) for k in sizes])
        ax.plot(sizes, early[:, 0], "o-", color=plots.BLUE, label="fresh: 2/n")
        ax.plot(sizes, early[:, 1], "s-", color=plots.GREEN, label="one memory later: about 0.667/n")
        ax.axhline(
            signal(1, 0, scale=single), linestyle="--", color=plots.VERMILLION, label=f"one state, {single:g}"
        )
        ax.set(ylim=(0, 1.05), xlabel="states per strength, n", ylabel="signal")
        ax.xaxis.get_major_locator().set_params(integer=True)
        plots.legend(ax)
        ax = axes["C"]
        for name, color, label, options in (
            ("cascade", plots.BLUE, f"n = {n}", dict(n=n)),
            ("single", plots.VERMILLION, f"one state, {single:g}", dict(n=1, scale=single)),
        ):
            lags, signals = _measured(results, name)
            steps = np.arange(lags[-1] + 1)
            ax.plot(
                steps + 1, signal(lags=steps, **options), color=color, linewidth=0.8, label=f"{label}, theory"
            )
            ax.plot(lags + 1, signals.T, ".", color=color, alpha=0.5, markersize=4)
        ax.plot([], [], ".", color=plots.GREY, label=f"simulation, each of {len(seeds)} seeds")
        ax.set(xscale="log", yscale="log", ylim=(2e-3, 0.4), xlabel="1 + lag (memories)", ylabel="signal")
        plots.legend(ax)
        ax = axes["D"]
        for color, (k, lives) in zip(colors[1:], results["lifetimes"].items(), strict=False):
            ax.plot(results["numbers"], lives, "o-", color=color, label=f"n = {k}")
        ax.plot(
            results["numbers"],
            results["lifetimes_single"],
            "o-",
            color=plots.VERMILLION,
            label=f"one state, {single:g}",
        )
        ax.set(
            xscale="log",
            yscale="log",
            xlabel="number of synapses",
            ylabel="lag at signal = noise (memories)",
        )
        plots.legend(ax)
    return fig


def claims(results):
    source, own = "computed from Fusi, Drew & Abbott 2005", "tolerance of this project"
    made = []
    for n, found in results["slopes"].items():
        # Others: steeper with n, towards -1.
        low, high = (
            (PRINTED_SLOPES[n] - 0.03, PRINTED_SLOPES[n] + 0.03) if n in PRINTED_SLOPES else (-1, -0.4)
        )
        made.append(Claim(f"log-log slope of the signal, n = {n}", found, low, high, "", source))
    for n, (fresh, later) in results["early"].items():
        made.append(Claim(f"signal of a fresh memory times n, n = {n}", n * fresh, 1.999, 2.001, "", source))
        made.append(Claim(f"signal one memory later times n, n = {n}", n * later, 0.647, 0.687, "", source))
    single = results["single"]
    lags = np.arange(1, 60)
    gone = np.log(signal(1, lags, scale=single))
    straight = np.polyfit(lags, gone, 1)
    made.append(
        Claim(
            "one state: decay rate over -ln(1 - probability), exponential",
            straight[0] / np.log(1 - single), 0.999, 1.001, "", own,
        )
    )  # fmt: skip
    numbers = np.log10(results["numbers"])
    grows = np.diff(results["lifetimes_single"]) / np.diff(numbers)
    made.append(
        Claim("one state: lifetime gained per tenfold synapses, last over first", grows[-1] / grows[0], 0.99,
              1.01, "", own)
    )  # fmt: skip
    grows = np.diff(results["lifetimes"][max(results["lifetimes"])]) / np.diff(numbers)
    made.append(
        Claim("the same for the longest cascade: not logarithmic", grows[-1] / grows[0], 0.99, 1.01, "", own,
              control=True)
    )  # fmt: skip
    n = results["n_states"]
    lags, signals = _measured(results, "cascade")
    expected, found = signal(n, lags), signals.mean(axis=0)
    made.append(
        Claim(
            "simulated over expected signal",
            (found * expected).sum() / (expected**2).sum(),
            0.97,
            1.03,
            "",
            own,
        )
    )
    made.append(
        Claim(f"simulated signal of a fresh memory times n, n = {n}", n * found[0], 1.94, 2.06, "", own)
    )
    made.append(
        Claim(f"simulated signal one memory later times n, n = {n}", n * found[1], 0.627, 0.707, "", own)
    )
    use = (lags >= 3) & (lags <= min(2 ** (n - 3), lags[-1]))
    fit = np.polyfit(np.log(lags[use]), np.log(np.maximum(found[use], 1e-9)), 1)[0]
    ideal = np.polyfit(np.log(lags[use]), np.log(expected[use]), 1)[0]
    made.append(Claim("slope of the simulated signal minus that expected", fit - ideal, -0.06, 0.06, "", own))
    _, signals = _measured(results, "single")
    alone = np.polyfit(np.log(lags[use]), np.log(np.maximum(np.abs(signals.mean(axis=0)[use]), 1e-9)), 1)[0]
    made.append(
        Claim("slope of the simulated signal, one state", alone - ideal, -0.06, 0.06, "", own, control=True)
    )
    return made
