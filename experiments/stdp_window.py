"""Windows of spike timing: what pairs of spikes change, measured on compiled rules and in closed form.

One synapse per lag, and one per pair of Poisson trains, which put many spikes within reach of each other:
there the closed form is a sum over all pairs (all-to-all) or over each spike and the nearest earlier one of
the other side (nearest). The asymmetric window is a fit to the data of Bi & Poo 1998: time constants 16.8
and 33.7 ms, amplitudes 0.777 and -0.273. The others are those of rules of this library. Calcium (Graupner &
Brunel 2012): four of the paper's parameter sets, 60 pairs at 1 Hz, without noise, against the mean that the
authors derive from the fraction of time above the thresholds.

Nothing but the Poisson trains is random. Spikes fall on steps of `dt`.
"""

import numpy as np
from brian2 import Hz, ms, second

from analysis import plots
from experiments import Claim
from experiments.pairings import all_pairs, bare, nearest_pairs, pairing, poisson_trains, weight_changes
from plasticity import hard, stdp

SOURCE = "Bi & Poo 1998; Morrison et al. 2008; Graupner & Brunel 2012, fig. 2"
QUICK = dict(n_lags=21, n_pairs=20, trains_duration=4 * second)

BI_POO = dict(A_plus=0.777, A_minus=0.273, tau_plus=16.8 * ms, tau_minus=33.7 * ms)
CALCIUM = ("DP", "DPD", "P", "D")
FORMS = {"all-to-all": all_pairs, "nearest": nearest_pairs}
PART = {name: name.replace("-", "_") for name in ("all-to-all", "nearest", *CALCIUM)}  # names of parts


def window(lag, *, A_plus, A_minus, tau_plus, tau_minus):
    """The asymmetric window at lags in s; a hair before 0 is still 0 (sums of decimal steps)."""
    up, down = float(tau_plus), float(tau_minus)
    return np.where(lag > -1e-9, A_plus * np.exp(-np.abs(lag) / up), -A_minus * np.exp(-np.abs(lag) / down))


# Others, of one pair: rule and closed form, times in s.
OTHERS = {
    "symmetric": (
        stdp.symmetric(A_near=1, A_far=0.5, tau_near=10 * ms, tau_far=20 * ms),
        lambda lag: np.exp(-np.abs(lag) / 0.01) - 0.5 * np.exp(-np.abs(lag) / 0.02),
    ),
    "covariance": (
        stdp.covariance(eta=1, tau=20 * ms, tau_mean=100 * ms),
        lambda lag: np.exp(-np.abs(lag) / 0.02) - 0.2 * np.exp(-np.abs(lag) / 0.1),
    ),
    "inhibitory": (
        stdp.inhibitory(eta=1, rho=5 * Hz, tau=20 * ms),
        lambda lag: np.exp(-np.abs(lag) / 0.02) - 2 * 5 * 0.02,
    ),
}


def time_above(lag, row, frequency, delay, n=20000):
    """Fractions of time that calcium spends above both thresholds under pairs for ever (theta_d, theta_p)."""
    tau, period = float(row.get("tau_Ca", 20 * ms)), 1 / frequency
    t = (np.arange(n) + 0.5) * period / n
    calcium = np.zeros(n)
    for jump, at in ((row["C_source"], delay % period), (row["C_target"], lag % period)):
        calcium += jump * np.exp(-((t - at) % period) / tau) / -np.expm1(-period / tau)
    return [(calcium > row.get(name, value)).mean() for name, value in (("theta_d", 1.0), ("theta_p", 1.3))]


def calcium_means(lags, name, frequency, n, start=0.5, steps=2000):
    """Mean change of rho by n pairs at each lag (s), for a parameter set of Graupner & Brunel 2012.

    Their supporting text: rates of potentiation and depression in proportion to the time above thresholds;
    here with the double well, in small steps.
    """
    row, delay = stdp.GRAUPNER_BRUNEL_2012[name], float(stdp.CALCIUM_DELAYS[name])
    down, up = np.array([time_above(lag, row, frequency, delay) for lag in lags]).T
    rho, step = np.full(len(lags), start), n / frequency / float(row.get("tau", 150 * second)) / steps
    for _ in range(steps):
        well = -rho * (1 - rho) * (0.5 - rho)
        rho = rho + step * (well + row["gamma_p"] * up * (1 - rho) - row["gamma_d"] * down * rho)
    return rho - start


def run(
    *,
    n_lags=41,
    reach=100 * ms,
    rate=20 * Hz,
    trains_duration=20 * second,
    n_seeds=5,
    n_pairs=60,
    pair_frequency=1 * Hz,
    dt=0.1 * ms,
    seed=1,
):
    step, frequency = float(dt), float(pair_frequency)
    lags = np.round(np.linspace(-float(reach), float(reach), n_lags) / step) * step
    seeds = [seed + k for k in range(n_seeds)]
    random = [np.random.default_rng(one) for one in seeds]
    trains = [poisson_trains(r, float(rate), float(rate), float(trains_duration), step) for r in random]
    single, repeated = [pairing(lag) for lag in lags], [pairing(lag, frequency, n_pairs) for lag in lags]
    rows = {name: stdp.GRAUPNER_BRUNEL_2012[name] for name in CALCIUM}
    rules = {
        "all-to-all": bare(stdp.pair(**BI_POO)),
        "nearest": bare(stdp.pair(**BI_POO, nearest=True)),
        **{name: bare(rule) for name, (rule, _) in OTHERS.items()},
        **{
            name: bare(stdp.calcium(**{**row, "sigma": 0.0}), w=0.5, bounds=hard(0, 1))
            for name, row in rows.items()
        },
    }
    delays = {PART[name]: stdp.CALCIUM_DELAYS[name] for name in CALCIUM}
    measured = weight_changes(
        {PART.get(name, name): synapse for name, synapse in rules.items()},
        [*single, *trains, *repeated],
        delays=delays,
        dt=dt,
    )
    parts = np.split(np.arange(2 * n_lags + n_seeds), [n_lags, n_lags + n_seeds])
    measured = {name: [measured[PART.get(name, name)][part] for part in parts] for name in rules}
    sums = {
        name: np.array([form(pre, post, lambda s: window(s, **BI_POO)) for pre, post in trains])
        for name, form in FORMS.items()
    }
    return {
        "seeds": seeds,
        "lags": lags,
        "rate": float(rate),
        "trains_duration": float(trains_duration),
        "n_pairs": n_pairs,
        "pair_frequency": frequency,
        "windows": {name: measured[name][0] for name in (*FORMS, *OTHERS)},
        "trains": {name: measured[name][1] for name in FORMS},
        "sums": sums,
        "calcium": {name: measured[name][2] for name in CALCIUM},
        "calcium_mean": {name: calcium_means(lags, name, frequency, n_pairs) for name in CALCIUM},
        "fine_lags": (fine := np.linspace(lags[0], lags[-1], 401)),
        "fine_calcium_mean": {name: calcium_means(fine, name, frequency, n_pairs) for name in CALCIUM},
    }


def figure(results):
    lags, seeds = results["lags"], results["seeds"]
    fig, axes = plots.figure(
        "AB;CD",
        5.0,
        titles={
            "A": "Asymmetric window",
            "B": f"Poisson trains at {results['rate']:g} Hz, {results['trains_duration']:g} s",
            "C": "Other windows, one pair",
            "D": f"Calcium, {results['n_pairs']} pairs at {results['pair_frequency']:g} Hz",
        },
        title=f"Windows of spike timing: marks are measured, lines are closed forms; trains "
        f"of {plots.seeds(seeds)}",
    )
    fine = np.linspace(lags[0], lags[-1], 2001)
    zero = dict(color=plots.GREY, linewidth=0.8, zorder=0)
    with plots.style():
        for letter in "ACD":
            axes[letter].axhline(0, **zero)
            axes[letter].axvline(0, **zero)
            axes[letter].set(xlabel="lag, post after pre (ms)", ylabel="change of the weight")
        for side in (fine[fine < 0], fine[fine >= 0]):
            axes["A"].plot(1e3 * side, window(side, **BI_POO), color=plots.BLACK)
        for name, mark, color in (("all-to-all", "o", plots.BLUE), ("nearest", "x", plots.VERMILLION)):
            size = 5 if mark == "o" else 4
            values = results["windows"][name]
            looks = dict(color=color, fillstyle="none", label=name)
            axes["A"].plot(1e3 * lags, values, mark, markersize=size, **looks)
            axes["B"].plot(results["sums"][name], results["trains"][name], mark, markersize=size + 1, **looks)
        axes["A"].legend(title="pairing")
        every = np.concatenate([*results["sums"].values()])
        axes["B"].plot([every.min(), every.max()], [every.min(), every.max()], color=plots.BLACK, zorder=0)
        axes["B"].set(xlabel="sum over the window (closed form)", ylabel="change of the weight")
        axes["B"].legend(title="pairing")
        for k, (name, (_, form)) in enumerate(OTHERS.items()):
            color, mark = plots.PALETTE[k], "osD"[k]
            axes["C"].plot(1e3 * fine, form(fine), color=color)
            axes["C"].plot(1e3 * lags, results["windows"][name], mark, color=color, markersize=3, label=name)
        axes["C"].legend()
        for k, name in enumerate(CALCIUM):
            color, mark = plots.PALETTE[k], "osD^"[k]
            axes["D"].plot(1e3 * results["fine_lags"], results["fine_calcium_mean"][name], color=color)
            axes["D"].plot(1e3 * lags, results["calcium"][name], mark, color=color, markersize=3, label=name)
        plots.legend(axes["D"], outside=True, title="set")
    return fig


def claims(results):
    lags, windows = results["lags"], results["windows"]
    source = "closed form; tolerance of this project"
    made = []
    for name in FORMS:
        off = np.abs(windows[name] - window(lags, **BI_POO)).max()
        made.append(Claim(f"single pairs, {name}: off by", off, 0, 1e-6, "", source))
        off = np.abs(results["trains"][name] - results["sums"][name]).max()
        made.append(Claim(f"Poisson trains, {name}: off by", off, 0, 1e-6, "", source))
        other = next(form for form in FORMS if form != name)
        off = np.abs(results["trains"][name] - results["sums"][other]).min()
        title = f"Poisson trains, {name}, against the form of {other}: off by"
        made.append(Claim(title, off, 0, 1e-6, "", source, control=True))
    for name, (_, form) in OTHERS.items():
        off = np.abs(windows[name] - form(lags)).max()
        made.append(Claim(f"single pairs, {name}: off by", off, 0, 1e-6, "", source))
    for name in CALCIUM:
        off = np.abs(results["calcium"][name] - results["calcium_mean"][name]).max()
        title = f"calcium {name}: off the authors' mean by"
        made.append(Claim(title, off, 0, 0.005, "", "Graupner & Brunel 2012, SI"))
    wrong = np.abs(results["calcium"]["DP"] - results["calcium_mean"]["P"]).max()
    name = "calcium DP: off the mean of set P by"
    made.append(Claim(name, wrong, 0, 0.005, "", "Graupner & Brunel 2012, SI", control=True))
    return made
