"""A BCM neuron becomes selective to one of K orthogonal patterns; a slow threshold makes it oscillate.

A linear unit, y = sum of w x, sees K orthonormal patterns in turn, one per time step, and learns by

    dw/dt = eta x y (y - theta),     tau_theta dtheta/dt = y**2 - theta.

Averaged over the patterns, the stable fixed points are those where y = K for one pattern and 0 for all others
(theta = K). There eta tau_theta decides: a small perturbation grows or decays at the rate
(eta - 1/tau_theta)/2, so that with a threshold slower than 1/eta the response oscillates.

Patterns and start weights are random and drawn per seed; the patterns come in a fixed cycle. The growth
rate is that of a linear map fitted to y and theta, once per cycle, after a start 1 % away from the fixed
point. Deviations: the threshold is that of Intrator & Cooper 1992 (a running mean of y**2; Bienenstock,
Cooper & Munro 1982 take a power of the mean of y), and weights may have both signs. Control: thresholds
slower than the boundary.
"""

import numpy as np
import pandas as pd
from brian2 import Hz, ms, second

import engine
from analysis import plots
from circuits import Cell, Circuit, current, population, projection, synapses, timed, trace, weights, wiring
from experiments import Claim, progress
from plasticity import compose, hebbian, unbounded

SOURCE = "Bienenstock, Cooper & Munro 1982; Intrator & Cooper 1992"
QUICK = dict(
    n_patterns=(4,), ratios=(0.6, 0.9, 1.1, 1.6), duration=20 * second, linear=5 * second, seeds=(1, 2)
)


def patterns(random, n_patterns, n_inputs):
    """Orthonormal rows."""
    return np.linalg.qr(random.standard_normal((n_inputs, n_patterns)))[0].T


def circuit(n_inputs, n_samples, eta, dt, every):
    """A linear unit with BCM synapses; samples, start weights and tau_theta are given per trial."""
    inputs = Cell("input", "x = sample : 1", inputs={"sample": 1})
    unit = Cell("unit", "y = drive : 1", inputs={"drive": 1})
    learning = compose(
        hebbian.bcm(eta=eta), synapse=synapses.linear(np.zeros(n_inputs), port="drive"), bounds=unbounded()
    )
    return Circuit(
        inputs=population(inputs, n_inputs),
        unit=population(unit, 1),
        samples=current("inputs", "sample", timed(np.zeros((n_samples, n_inputs)), dt)),
        learning=projection("inputs", "unit", learning, wiring.all_to_all()),
        record=[weights("learning", "w", every=every), trace("unit", "theta_bcm_learning", every=every)],
        dt=dt,
    )


def trial(rows, w0, theta0, tau_theta, n_samples, dt, duration=None):
    """The numbers of one run over the rows in turn."""
    samples = np.tile(rows, (n_samples // len(rows) + 1, 1))[:n_samples]
    made = {
        "samples.amplitude": timed(samples, dt),
        "learning.w": w0,
        "learning.theta_bcm": [theta0],
        "learning.tau_theta_bcm": tau_theta,
    }
    return made if duration is None else {**made, "duration": duration}


def growth_rate(y, theta, step):
    """Growth rate (1/s) of a deviation: the largest eigenvalue of the affine map fitted to its course."""
    seen = np.column_stack([y, theta])
    known = np.column_stack([seen[:-1], np.ones(len(seen) - 1)])
    solution, *_ = np.linalg.lstsq(known, seen[1:], rcond=None)
    return float(np.log(np.abs(np.linalg.eigvals(solution[:2])).max()) / step)


def run(
    *,
    n_patterns=(3, 4, 6),
    n_inputs=12,
    eta=2 * Hz,
    ratio=0.4,
    slow_ratio=1.2,
    ratios=(0.5, 0.7, 0.9, 0.95, 1.05, 1.1, 1.3, 1.6),
    duration=40 * second,
    linear=8 * second,
    dt=1 * ms,
    seeds=(1, 2, 3, 4, 5),
):
    """`ratio` is eta tau_theta where neurons learn, `ratios` those at which growth rates are measured."""
    n_samples, cycle = round(float(duration / dt)), max(n_patterns)
    every = cycle * dt
    net = circuit(n_inputs, n_samples, eta, dt, every)
    rows, examples = [], {}
    for k in progress(n_patterns, "numbers of patterns"):
        for condition, eta_tau in (("fast", ratio), ("slow", slow_ratio)):
            shown, trials = [], []
            for seed in seeds:
                random = np.random.default_rng((seed, k))
                shown.append(patterns(random, k, n_inputs))
                start = random.uniform(0.2, 1.8, k) @ shown[-1] + 0.1 * random.standard_normal(n_inputs)
                trials.append(trial(shown[-1], start, 0.0, eta_tau / eta, n_samples, dt))
            recordings = engine.run(net, duration, seed=0, trials=trials)
            for seed, seen, recording in zip(seeds, shown, recordings, strict=True):
                response = recording.weights["learning.w"].values @ seen.T
                last = response[-len(response) // 4 :]
                chosen = int(np.abs(last).mean(axis=0).argmax())
                rest = np.delete(last, chosen, axis=1)
                # The value of the last quarter that is farthest from the fixed point.
                far = last[:, chosen][np.abs(last[:, chosen] - k).argmax()]
                rows.append((k, condition, seed, chosen, far / k, np.abs(rest).max() / k))
                if seed == seeds[0] and k == n_patterns[len(n_patterns) // 2]:
                    examples[condition] = response
                    examples["t"] = recording.weights["learning.w"].t
                    examples["n"] = k
    k = n_patterns[len(n_patterns) // 2]
    net = circuit(n_inputs, n_samples, eta, dt, k * dt)
    growth = []
    for seed in seeds:
        random = np.random.default_rng((seed, 100))
        seen = patterns(random, k, n_inputs)
        trials = [trial(seen, 1.01 * k * seen[0], k, r / eta, n_samples, dt, linear) for r in ratios]
        for r, recording in zip(ratios, engine.run(net, duration, seed=0, trials=trials), strict=True):
            response = recording.weights["learning.w"].values @ seen[0]
            theta = recording.traces["unit.theta_bcm_learning"].values[:, 0]
            n = min(len(response), len(theta))
            growth.append((seed, r, growth_rate(response[:n], theta[:n], k * float(dt))))
    return {
        "fixed_points": pd.DataFrame(
            rows, columns=["patterns", "threshold", "seed", "chosen", "response", "others"]
        ),
        "growth": pd.DataFrame(growth, columns=["seed", "ratio", "rate"]),
        "eta": float(eta),
        "ratio": ratio,
        "slow_ratio": slow_ratio,
        "seeds": list(seeds),
        **{f"example_{name}": value for name, value in examples.items()},
    }


def expected_growth(ratio, eta):
    """Growth rate (1/s) of a small deviation from the selective fixed point, averaged over patterns."""
    trace, determinant = eta - eta / ratio, eta**2 / ratio
    root = np.sqrt(np.asarray(trace**2 / 4 - determinant, dtype=complex))
    return np.real(trace / 2 + root)


def figure(results):
    growth, table, seeds = results["growth"], results["fixed_points"], results["seeds"]
    k, t = results["example_n"], results["example_t"]
    fig, axes = plots.figure(
        "AB;CD",
        4.8,
        titles={
            "A": f"Fast threshold, eta tau = {results['ratio']:g}",
            "B": f"Slow threshold, eta tau = {results['slow_ratio']:g}",
            "C": "Responses at the end, fast threshold",
            "D": "Growth of a small deviation",
        },
        title=f"BCM neuron and K orthonormal patterns (A, B: K = {k}); {plots.seeds(seeds)}",
    )
    with plots.style():
        for name, ax in (("fast", axes["A"]), ("slow", axes["B"])):
            for pattern, color in zip(results[f"example_{name}"].T, plots.PALETTE * 2, strict=False):
                ax.plot(t, pattern, color=color, linewidth=0.9)
            ax.axhline(k, linestyle="--", color=plots.GREY, linewidth=0.9, label="K")
            ax.set(xlabel="time (s)", ylabel="response to each pattern", xlim=(0, t[-1]))
            plots.legend(ax)
        ax = axes["C"]
        fast = table[table.threshold == "fast"]
        for offset, column, color, label in (
            (-0.12, "response", plots.BLUE, "the chosen pattern"),
            (0.12, "others", plots.ORANGE, "largest of the others"),
        ):
            spread = offset + 0.015 * (fast.seed - np.mean(seeds))
            ax.plot(fast.patterns + spread, fast[column], "o", color=color, alpha=0.7, label=label)
        ax.axhspan(0.95, 1.05, color=plots.GREY, alpha=0.2, linewidth=0, label="± 5 %")
        ax.axhspan(-0.05, 0.05, color=plots.GREY, alpha=0.2, linewidth=0)
        ax.set(xlabel="patterns, K", ylabel="response / K", ylim=(-0.1, 1.15))
        ax.set_xticks(sorted(set(fast.patterns)))
        ax.set_xlim(fast.patterns.min() - 0.6, fast.patterns.max() + 0.6)
        plots.legend(ax)
        ax = axes["D"]
        line = np.linspace(growth.ratio.min(), growth.ratio.max(), 200)
        ax.plot(line, expected_growth(line, results["eta"]), color=plots.GREY, label="theory")
        ax.plot(
            growth.ratio,
            growth.rate,
            "o",
            color=plots.BLUE,
            alpha=0.6,
            label=f"simulation, {len(seeds)} seeds",
        )
        ax.axhline(0, linestyle="--", color=plots.GREY, linewidth=0.9)
        ax.axvline(1, linestyle="--", color=plots.GREY, linewidth=0.9)
        ax.set(xlabel="eta tau_theta", ylabel="growth rate (1/s)")
        plots.legend(ax)
    return fig


def claims(results):
    source, own = "fixed points of the averaged rule", "tolerance of this project"
    table, made = results["fixed_points"], []
    for (k, threshold), part in table.groupby(["patterns", "threshold"]):
        control = threshold == "slow"
        far = part.response.iloc[(part.response - 1).abs().argmax()]
        name = f"response to the chosen pattern over K, K = {k}"
        if control:
            far = part.response.iloc[(part.response - 1).abs().argmin()]  # the seed that comes closest
            made.append(Claim(f"{name}, slow threshold", far, 0.95, 1.05, "", own, True))
        else:
            made.append(Claim(f"{name}, farthest of all seeds", far, 0.95, 1.05, "", source))
            made.append(
                Claim(
                    f"largest response to the others over K, K = {k}",
                    part.others.max(),
                    -0.05,
                    0.05,
                    "",
                    source,
                )
            )
    growth = results["growth"].groupby("ratio").rate.mean()
    boundary = np.interp(0.0, growth.to_numpy(), growth.index.to_numpy())
    made.append(Claim("eta tau_theta at which oscillations start", boundary, 0.95, 1.05, "", source))
    wrong = (growth - expected_growth(growth.index.to_numpy(), results["eta"])).abs().max() / results["eta"]
    made.append(Claim("largest error of a growth rate over eta", wrong, None, 0.05, "", own))
    return made
