"""Triplet STDP: how the change under pairs of spikes depends on their frequency, for all published fits.

Pairs 10 ms apart, 60 of them in one train at each frequency, weights without bounds: Pfister & Gerstner 2006,
whose five fits (tables 3 and 4) are run on compiled rules beside an event-by-event computation of eqs. 3 and
4. Under independent Poisson trains the minimal fit to visual cortex changes sign at a postsynaptic rate of
A2- tau- / (A3+ tau+ tau_y) = 19.2 Hz, whatever the presynaptic rate: a threshold like that of Bienenstock,
Cooper & Munro.

Deviations: the protocol of Sjoestroem, Turrigiano & Nelson 2001 that the paper fits has pauses between bursts
of pairs; here all pairs follow each other. Spikes fall on steps of `dt`, to which periods are rounded.
Controls: pairs alone (A3 = 0), and slow traces read after their own increment.
"""

import numpy as np
from brian2 import ms, second

from analysis import plots
from analysis.intervals import mean_interval
from experiments import Claim
from experiments.pairings import bare, pairing, poisson_trains, weight_changes
from plasticity import stdp

SOURCE = "Pfister & Gerstner 2006, tables 3 and 4, fig. 5; Sjoestroem et al. 2001"
QUICK = dict(frequencies=(0.5, 10, 20, 40, 50), trains_duration=30 * second, n_trains=12)

ROWS = stdp.PFISTER_GERSTNER_2006
MINIMAL = "visual cortex, all-to-all, minimal"
# From eqs. 3 and 4: 60 pairs, frequency (Hz) to (post 10 ms after pre, 10 ms before).
PRINTED = {0.1: (0.0, -0.3166), 10: (0.1186, -0.3322), 20: (0.2278, -0.3417), 40: (0.5321, 0.1737),
           50: (0.7627, 0.7492)}  # fmt: skip
SHORT = {name: f"row_{k}" for k, name in enumerate(ROWS)}  # names of parts


def by_events(pre, post, *, A2_plus, A3_plus, A2_minus, A3_minus, tau_y, tau_x=None, tau_plus=16.8 * ms,
              tau_minus=33.7 * ms, nearest=False):  # fmt: skip
    """Change of the weight by eqs. 3 and 4 of Pfister & Gerstner 2006, event by event."""
    taus = np.array([float(tau) for tau in (tau_plus, tau_x or 1 * second, tau_minus, tau_y)])
    events = sorted([*((time, 0) for time in pre), *((time, 1) for time in post)])
    traces, last, w = np.zeros(4), 0.0, 0.0
    for time, side in events:
        traces = traces * np.exp(-(time - last) / taus)
        last, (r1, r2, o1, o2) = time, traces
        w += r1 * (A2_plus + A3_plus * o2) if side else -o1 * (A2_minus + A3_minus * r2)
        mine = slice(2, 4) if side else slice(0, 2)
        traces[mine] = 1 if nearest else traces[mine] + 1
    return w


def after_own(row):
    """The rule with slow traces that count the spike itself, all-to-all: what must not be done."""
    rule = stdp.triplet(**row)
    return rule.edit("A3_plus*o2", "A3_plus*(o2 + 1)")


def run(
    *,
    rows=tuple(ROWS),
    frequencies=(0.1, 5, 10, 15, 20, 25, 40, 50),
    lag=10 * ms,
    n_pairs=60,
    post_rates=(10, 15, 20, 25, 30),
    pre_rate=20,
    trains_duration=100 * second,
    n_trains=20,
    dt=0.1 * ms,
    seed=1,
):
    step, lag = float(dt), float(lag)
    protocols = [
        [np.round(times / step) * step for times in pairing(sign * lag, f, n_pairs)]
        for sign in (1, -1)
        for f in frequencies
    ]
    seeds = [seed + k for k in range(n_trains)]
    random = {one: np.random.default_rng(one) for one in seeds}
    trains = [
        poisson_trains(random[one], pre_rate, rate, float(trains_duration), step)
        for rate in post_rates
        for one in seeds
    ]
    rules = {name: bare(stdp.triplet(**ROWS[name])) for name in rows}
    pair = {**ROWS[MINIMAL], "A2_plus": 5e-3, "A3_plus": 0.0}
    controls = {"pairs": bare(stdp.triplet(**pair)), "after": bare(after_own(ROWS[MINIMAL]))}
    parts = {SHORT.get(name, name): synapse for name, synapse in {**rules, **controls}.items()}
    changes = weight_changes(parts, [*protocols, *trains], dt=dt)
    changes = {name: changes[SHORT.get(name, name)] for name in (*rules, *controls)}
    drift = changes[MINIMAL][len(protocols) :] if MINIMAL in rules else np.zeros(0)
    changes = {name: values[: len(protocols)].reshape(2, -1) for name, values in changes.items()}
    return {
        "seeds": seeds,
        "frequencies": np.array(frequencies, dtype=float),
        "lag": lag,
        "n_pairs": n_pairs,
        "rows": list(rows),
        "changes": changes,
        "by_events": {
            name: np.array([by_events(*protocol, **ROWS[name]) for protocol in protocols]).reshape(2, -1)
            for name in rows
        },
        "post_rates": np.array(post_rates, dtype=float),
        "pre_rate": pre_rate,
        "drift": drift.reshape(len(post_rates), -1) / float(trains_duration),
    }


def expected_drift(pre, post):
    """Mean dw/dt (1/s) of the minimal fit under independent Poisson trains (Hz)."""
    row = ROWS[MINIMAL]
    return pre * post * (-row["A2_minus"] * 33.7e-3 + row["A3_plus"] * 16.8e-3 * float(row["tau_y"]) * post)


def threshold(results):
    """Rate (Hz) at which the drift, over rate, changes sign: a line through all trains, per seed and mean."""
    slope = results["drift"] / results["post_rates"][:, np.newaxis]
    fits = np.polyfit(results["post_rates"], slope, 1)
    return float(-fits[1].mean() / fits[0].mean())


def figure(results):
    frequencies, rows = results["frequencies"], results["rows"]
    fig, axes = plots.figure(
        "ABC;DEF",
        4.6,
        titles={
            **{letter: name.replace(", ", ",\n", 1) for letter, name in zip("ABCDE", rows, strict=False)},
            "F": "Poisson trains,\nvisual cortex, minimal",
        },
        title=f"Triplet rule: {results['n_pairs']} pairs {1e3 * results['lag']:g} ms apart (points: "
        f"measured, lines: event by event); F: {plots.seeds(results['seeds'])}",
    )
    orders = (("pre before post", plots.BLUE), ("post before pre", plots.VERMILLION))
    with plots.style():
        for letter, name in zip("ABCDE", rows, strict=False):
            ax = axes[letter]
            ax.axhline(0, color=plots.GREY, linewidth=0.8, zorder=0)
            for k, (order, color) in enumerate(orders):
                ax.plot(frequencies, results["by_events"][name][k], color=color)
                ax.plot(frequencies, results["changes"][name][k], "o", color=color, label=order)
                if name == MINIMAL:
                    ax.plot(frequencies, results["changes"]["pairs"][k], ":", color=color)
            ax.set(xlabel="frequency (Hz)", ylabel="change of the weight")
            if name == MINIMAL:
                (line,) = ax.plot([], [], ":", color=plots.BLACK, label="pairs alone")
                ax.legend(handles=[line], loc="upper left")
            if letter == "A":
                ax.legend(loc="upper left")
        ax = axes["F"]
        rates, drift = results["post_rates"], 1e3 * results["drift"]
        ax.axhline(0, color=plots.GREY, linewidth=0.8, zorder=0)
        if drift.size:
            mean, low, high = mean_interval(drift.T)
            ax.errorbar(rates, mean, [mean - low, high - mean], fmt="o", color=plots.BLACK, capsize=2)
        fine = np.linspace(rates[0], rates[-1], 200)
        expected = 1e3 * expected_drift(results["pre_rate"], fine)
        ax.plot(fine, expected, color=plots.GREEN, label="eqs. 3 and 4")
        ax.set(xlabel="postsynaptic rate (Hz)", ylabel="drift (10$^{-3}$/s)")
        ax.legend(title=f"pre {results['pre_rate']:g} Hz; mean, 95 %\nn = {drift.shape[-1]}")
    return fig


def claims(results):
    frequencies, changes = list(results["frequencies"]), results["changes"]
    own = "eqs. 3 and 4 event by event; tolerance of this project"
    made = []
    for name in results["rows"]:
        off = np.abs(changes[name] - results["by_events"][name]).max()
        made.append(Claim(f"{name}: off by", off, 0, 1e-6, "", own))
    if MINIMAL not in results["rows"]:
        return made
    standard = results["n_pairs"] == 60 and results["lag"] == 0.01
    source = "Pfister & Gerstner 2006, eqs. 3 and 4"
    names = ("pre before post", "post before pre")
    for f in frequencies:
        for k in (0, 1):
            if standard and f in PRINTED:
                low, high = PRINTED[f][k] - 1e-3, PRINTED[f][k] + 1e-3
                value = changes[MINIMAL][k, frequencies.index(f)]
                made.append(Claim(f"{names[k]}, {f:g} Hz", value, low, high, "", source))
    expected = 7.1e-3 * 33.7 / (6.5e-3 * 16.8 * 0.114)
    made.append(
        Claim("Poisson trains: threshold", threshold(results), 0.93 * expected, 1.07 * expected, "Hz", source)
    )
    if standard and 50 in frequencies:
        low, high = PRINTED[50][1] - 1e-3, PRINTED[50][1] + 1e-3
        for name, title in (("pairs", "pairs alone"), ("after", "slow traces that count the spike itself")):
            value = changes[name][1, frequencies.index(50)]
            made.append(Claim(f"{names[1]}, 50 Hz: {title}", value, low, high, "", source, control=True))
    return made
