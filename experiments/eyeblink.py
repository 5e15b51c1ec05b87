"""Delay eyeblink conditioning: Purkinje cells learn when to pause, and the nucleus then quiets the olive.

A tone (conditioned stimulus) drives mossy fibres; the recurrent network of granule and Golgi cells answers
with a sequence of states that codes the time since the tone began (`circuits.granular`). An airpuff
(unconditioned stimulus) makes the olive fire, and climbing fibres depress the parallel fibres that were
active just before. After 50 trials Purkinje cells pause when the airpuff is due, at each of three intervals;
when the tone then comes alone, they fire again. In the closed loop the nucleus, freed by the pause, inhibits
the olive, so that the airpuff evokes fewer complex spikes once it is predicted; learning then comes to rest
at a shallower pause. Stimuli and intervals are numbers of one program.

Source: Yamazaki & Tanaka 2007 with the numbers of the first author's program for delay conditioning; nucleus,
olive and their weights from Yamazaki & Nagao 2012. Deviations: 10 granule cells per cluster, not 100, with
weights in proportion. The tone lasts 1 s at all intervals (500 ms in the source, whose interval is 250 ms),
so that its end favours none. Depression takes place at the climbing-fibre spike, not at the end of the trial;
as cells that were active go on firing for some time, this lowers the rate of Purkinje cells after the airpuff
of the same trial. Timing is therefore measured in probe trials: the tone alone, with plasticity off. Volleys
from the airpuff to the olive vary in size (see `circuits.granular.conditioning`).

Latency: the minimum of the rate of all Purkinje cells in probe trials, smoothed by a Gaussian, from 50 ms
after the onset of the tone to its end. Control for timing: Golgi cells that fire at random at the rates they
have in the network, without input from granule cells.
"""

import numpy as np
import pandas as pd
from brian2 import Hz, ms, second
from scipy.ndimage import gaussian_filter1d

import engine
from analysis import plots
from circuits import Circuit, granular, poisson, spikes, timed, weights
from experiments import Claim, keep, progress
from plasticity import cerebellar, compose, hard

SOURCE = "Yamazaki & Tanaka 2007; Yamazaki & Nagao 2012"
QUICK = dict(
    intervals=(250 * ms, 750 * ms), shape=(16, 16), n_extinction=80, n_probe=20, n_basis=6, n_seeds=1,
    n_control_seeds=0, n_half_step_seeds=0,
)  # fmt: skip

BEFORE = 100  # ms before the unconditioned stimulus in which suppression is measured
ONSET = 50  # ms after the onset of the tone that the search for the minimum leaves out
BIN = 20  # ms, of the activity of granule cells
EVOKED = 0.05  # s after the airpuff in which a complex spike counts as evoked
LAST = 10  # trials at the end of a phase that are averaged
COLUMNS = ["condition", "interval", "seed", "naive_Hz", "trained_Hz", "extinguished_Hz", "latency",
           "cf_first", "cf_last"]  # fmt: skip
NAMES = {
    "open loop": "loop open",
    "half step": "half step",
    "random Golgi": "Golgi cells fire at random",
    "no climbing fibre": "no climbing fibre",
    "closed loop": "loop closed",
}


class Protocol:
    """Trials in a row: the tone comes `rest` after a trial's start, the next trial `rest` after its end."""

    def __init__(self, tone, rest, most):
        self.tone, self.rest, self.trial, self.most = tone, rest, tone + 2 * rest, most
        self.onsets = rest + self.trial * np.arange(most)

    def tones(self, **rates):
        """Rates of mossy fibres over all trials, as numbers of a circuit."""
        return granular.stimuli(self.most * self.trial, self.onsets, self.tone, **rates)

    def airpuffs(self, n, interval=0 * second):
        """Numbers of the first n trials that end with an airpuff."""
        return granular.airpuffs(self.most * self.trial, self.onsets[:n] + interval)

    def by_trial(self, train, n, n_cells):
        """Rate (trial x ms) of the spikes of some cells."""
        step, length = float(1 * ms), round(float(self.trial / ms))
        k = np.floor(train.t / step + 1e-6).astype(int)
        counts = np.bincount(k[k < n * length], minlength=n * length)
        return counts.reshape(n, length) / (n_cells * step)

    def since(self, t, interval=0 * second):
        """Trials that times (s) fall into, and the time since the onset plus an interval."""
        trial = np.floor(t / float(self.trial) + 1e-9).astype(int)
        return trial, t - trial * float(self.trial) - float(self.rest + interval)

    def at(self, interval):
        """The ms of a trial at a time after the tone's onset."""
        return round(float((self.rest + interval) / ms))


def network(protocol, shape, per_cluster, n_purkinje, seed, A_plus, kept, every, dt):
    """The circuit; weights of parallel fibres are recorded `every` so often."""
    plastic = compose(
        cerebellar.window(A_plus=A_plus, kept=kept),
        synapse=granular.parallel_fibre(shape, per_cluster),
        bounds=hard(0, 1),
    )
    net = Circuit(
        **granular.layer(protocol.most * protocol.trial, shape, per_cluster, seed=seed),
        **granular.conditioning(protocol.most * protocol.trial, plastic, shape, per_cluster, n=n_purkinje),
        record=[
            spikes("purkinje"),
            spikes("purkinje", event="complex"),
            weights("parallel", every=every),
        ],
        dt=dt,
    )
    return net.but(protocol.tones())


def random_golgi(net, protocol, low, high):
    """The circuit with Golgi cells that fire at random, at `high` while the tone is on."""
    rates = protocol.tones(base=low, tonic=high)["tonic_fibre.rates"]
    return net.with_(golgi=poisson(net.parts["golgi"].n, timed(rates, 1 * ms)), excitation=None)


def latency(rate, smooth):
    """Time (ms) of the minimum of a rate that begins at the onset of the tone, in steps of 1 ms."""
    smoothed = gaussian_filter1d(rate, float(smooth / ms))  # reflected at both ends
    return ONSET + int(smoothed[ONSET:].argmin())


def basis(shape, per_cluster, protocol, n, seed, dt, golgi=None):
    """Rate of clusters from the onset of the tone on, in two halves of n trials (half x bin x cluster)."""
    trials = 2 * n + 1  # the first begins at rest and is left out
    protocol = Protocol(protocol.tone, protocol.rest, trials)
    parts = granular.layer(trials * protocol.trial, shape, per_cluster, seed=seed)
    net = Circuit(**parts, record=[spikes("granule")], dt=dt).but(protocol.tones())
    net = random_golgi(net, protocol, *golgi) if golgi else net
    found = engine.run(net, trials * protocol.trial, seed=seed).spikes["granule"]
    trial, since = protocol.since(found.t)
    k = np.floor(since / float(BIN * ms) + 1e-6).astype(int)
    bins = round(float(protocol.tone / ms)) // BIN
    counted = (trial > 0) & (k >= 0) & (k < bins)
    rates = np.zeros((2, bins, shape[0] * shape[1]))
    np.add.at(rates, (trial[counted] % 2, k[counted], found.i[counted] // per_cluster), 1)
    return rates / (n * per_cluster * float(BIN * ms))


def similarity(rates):
    """Similarity index of all pairs of times: cosine of the angle between the clusters' rates at both.

    Products are taken between the two halves of the trials, so that noise does not count: 1 where the same
    clusters are active at the same rates.
    """
    products = np.einsum("tc,uc->tu", *rates)
    products = (products + products.T) / 2
    size = np.sqrt(np.clip(np.diag(products), 1e-12, None))
    return products / np.outer(size, size)


def by_lag(index, lag):
    """Mean similarity of states a lag (ms) apart, once the response to the onset is over."""
    settled = index[100 // BIN :, 100 // BIN :]
    return np.diag(settled, lag // BIN).mean()


def run(
    *,
    intervals=(250 * ms, 500 * ms, 750 * ms),
    shape=(32, 32),
    per_cluster=10,
    n_purkinje=16,
    n_acquisition=50,
    n_extinction=80,
    n_probe=30,
    n_basis=8,
    after=250 * ms,
    rest=250 * ms,
    A_plus=0.001,
    kept=0.8,
    feedback=4.0,
    golgi_low=0.3 * Hz,
    golgi_high=6.8 * Hz,
    smooth=40 * ms,
    dt=1 * ms,
    n_seeds=5,
    n_control_seeds=2,
    n_half_step_seeds=1,
    seed=1,
):
    seeds = [seed + k for k in range(n_seeds)]
    most = max(n_acquisition + n_extinction, n_probe + 1)
    protocol = Protocol(max(intervals) + after, rest, most)
    rows, shown = [], {}
    onset, end = protocol.at(0 * ms), protocol.at(protocol.tone)

    def built(one, dt):
        every = n_acquisition * protocol.trial
        return network(protocol, shape, per_cluster, n_purkinje, one, A_plus, kept, every, dt)

    def probe(net, one, w=1.0):
        """Rate of Purkinje cells over a trial with the tone alone and plasticity off."""
        frozen = protocol.airpuffs(0) | {"parallel.w": w, "parallel.A_plus_window": 0.0}
        found = engine.run(net.but(frozen), (n_probe + 1) * protocol.trial, seed=10_000 + one)
        return protocol.by_trial(found.spikes["purkinje"], n_probe + 1, n_purkinje)[1:].mean(0)

    def trained(condition, net, one, interval, naive, n_extinction=0, probed=True):
        """Condition, extinguish and probe; one row of the table."""
        n = n_acquisition + n_extinction
        found = engine.run(net.but(protocol.airpuffs(n_acquisition, interval)), n * protocol.trial, seed=one)
        due = protocol.at(interval)
        before = protocol.by_trial(found.spikes["purkinje"], n, n_purkinje)[:, due - BEFORE : due].mean(1)
        paired = slice(max(n_acquisition - LAST, 0), n_acquisition)
        complex_spikes = found.spikes["purkinje.complex"]
        trial, since = protocol.since(complex_spikes.t, interval)
        evoked = np.zeros((n, n_purkinje))
        evoked[trial[since < EVOKED], complex_spikes.i[since < EVOKED]] = 1
        evoked = evoked[:n_acquisition].mean(1)
        rate = None
        if probed:
            rate = probe(net, one, found.weights["parallel.w"].values[1])
            shown.setdefault(f"probe {condition}", {}).setdefault(float(interval / ms), []).append(rate)
        shown.setdefault(f"before {condition}", {}).setdefault(float(interval / ms), []).append(before)
        shown.setdefault(f"evoked {condition}", {}).setdefault(float(interval / ms), []).append(evoked)
        rows.append((
            condition, float(interval / ms), one,
            naive[due - BEFORE : due].mean(),
            before[paired].mean(),
            before[-LAST:].mean() if n_extinction else np.nan,
            latency(rate[onset:end], smooth) if probed else np.nan,
            evoked[:2].mean(), evoked[paired].mean(),
        ))  # fmt: skip
        keep(table=pd.DataFrame(rows, columns=COLUMNS))

    for one in progress(seeds, "seeds"):
        net = built(one, dt)
        isolated = net.but({"nucleo_olivary.w": 0.0})
        naive = probe(net, one)
        shown.setdefault("naive", []).append(naive)
        for interval in intervals:
            more = n_extinction if interval == intervals[0] else 0
            trained("open loop", isolated, one, interval, naive, more)
        closed = net.but({"nucleo_olivary.w": feedback})
        trained("closed loop", closed, one, intervals[0], naive, probed=False)
        shown.setdefault("basis", []).append(basis(shape, per_cluster, protocol, n_basis, one, dt))
        if one < seed + n_control_seeds:
            silent = isolated.but({"climbing.w": 0.0})
            trained("no climbing fibre", silent, one, intervals[0], naive, probed=False)
            fixed = random_golgi(isolated, protocol, golgi_low, golgi_high)
            unstructured = probe(fixed, one)
            for interval in intervals:
                trained("random Golgi", fixed, one, interval, unstructured)
            shown.setdefault("basis, random", []).append(
                basis(shape, per_cluster, protocol, n_basis, one, dt, (golgi_low, golgi_high))
            )
        if one < seed + n_half_step_seeds:
            fine = built(one, dt / 2).but({"nucleo_olivary.w": 0.0})
            naive = probe(fine, one)
            for interval in intervals:
                trained("half step", fine, one, interval, naive)
    table = pd.DataFrame(rows, columns=COLUMNS)
    half = shown["basis"][0]
    results = {
        "table": table,
        "seeds": seeds,
        "intervals": np.array([float(interval / ms) for interval in intervals]),
        "tone": float(protocol.tone / ms),
        "rest": float(rest / ms),
        "n_acquisition": n_acquisition,
        "n_granule": shape[0] * shape[1] * per_cluster,
        "dt": float(dt / ms),
        "naive": np.array(shown["naive"])[:, onset:end],
        "clusters": half[1][:, _ordered(half[0])],
        "similarity": np.mean([similarity(rates) for rates in shown["basis"]], axis=0),
        "similarity_by_seed": np.array([[by_lag(similarity(rates), lag) for lag in _lags(half)]
                                        for rates in shown["basis"]]),
        "lags": np.array(_lags(half)),
    }  # fmt: skip
    if "basis, random" in shown:
        results["similarity_random"] = np.array(
            [[by_lag(similarity(rates), lag) for lag in _lags(half)] for rates in shown["basis, random"]]
        )
    for kind in ("probe", "before", "evoked"):
        for name, by_interval in ((k, v) for k, v in shown.items() if k.startswith(f"{kind} ")):
            for interval, curves in by_interval.items():
                curves = np.array(curves)
                results[f"{name} {interval:g}"] = curves[:, onset:end] if kind == "probe" else curves
    return results


def _lags(rates):
    return range(0, BIN * (rates.shape[1] - 100 // BIN), BIN)


def _ordered(rates, n=150):
    """Some clusters in the order in which they are most active, the most modulated ones."""
    settled = rates[100 // BIN :]
    smooth = gaussian_filter1d(settled, 2, axis=0)
    chosen = np.argsort(-(smooth.max(0) - smooth.min(0)))[:n]
    return chosen[np.argsort(smooth[:, chosen].argmax(0), kind="stable")]


def slopes(table, condition="open loop"):
    """Slope of latency over interval, for each seed."""
    rows = table[table.condition == condition].pivot(index="seed", columns="interval", values="latency")
    return np.array([np.polyfit(rows.columns, row, 1)[0] for row in rows.to_numpy()])


def figure(results):
    table, seeds, intervals = results["table"], results["seeds"], results["intervals"]
    first, tone = intervals[0], results["tone"]
    fig, axes = plots.figure(
        "AB;CD;EF",
        7.4,
        titles={
            "A": "Clusters of granule cells tell the time",
            "B": "Similarity of the population",
            "C": "Purkinje cells in probe trials" + (", mean of seeds" if len(seeds) > 1 else ""),
            "D": "The pause comes when the airpuff is due",
            "E": f"Acquisition and extinction, interval {first:g} ms",
            "F": f"Complex spikes evoked, interval {first:g} ms",
        },
        title=f"Delay conditioning, {results['n_granule']} granule cells, step {results['dt']:g} ms; "
        + plots.seeds(seeds),
    )
    colours = (plots.BLUE, plots.VERMILLION, plots.GREEN, plots.PURPLE, plots.SKY)
    with plots.style():
        clusters = results["clusters"].T
        smooth = gaussian_filter1d(clusters, 1, axis=1)
        peak = smooth[:, 100 // BIN :].max(axis=1, keepdims=True)  # not that of the response to the onset
        peak[peak == 0] = 1  # clusters that are silent from then on
        times = BIN * (np.arange(clusters.shape[1]) + 0.5)
        plots.heat_map(
            smooth / peak, times, np.arange(len(clusters)) + 1, ax=axes["A"],
            x_label="time from the tone's onset (ms)", y_label="cluster, by time of peak",
            value_label="rate / peak after 100 ms", low=0, high=1,
        )  # fmt: skip
        plots.curve_with_band(
            results["lags"], results["similarity_by_seed"], ax=axes["B"], x_label="time between states (ms)",
            y_label="similarity index", label="network", color=plots.BLUE,
        )  # fmt: skip
        if "similarity_random" in results:
            plots.curve_with_band(
                results["lags"], results["similarity_random"], ax=axes["B"],
                x_label="time between states (ms)",
                y_label="similarity index", label="Golgi cells at random", color=plots.GREY,
            )  # fmt: skip
        axes["B"].set_ylim(0, 1.03)
        ax, t = axes["C"], np.arange(results["naive"].shape[1])
        ax.plot(t, gaussian_filter1d(results["naive"].mean(0), 10), color=plots.BLACK, label="naive")
        for interval, color in zip(intervals, colours, strict=False):
            rate = gaussian_filter1d(results[f"probe open loop {interval:g}"].mean(0), 10)
            ax.plot(t, rate, color=color, label=f"{interval:g} ms")
            ax.plot([interval], [3], "^", color=color, clip_on=False, markersize=4)
        ax.set(xlabel="time from the tone's onset (ms)", ylabel="rate (spikes/s)", ylim=(3, 2000),
               xlim=(0, tone), yscale="log")  # fmt: skip
        ax.set_yticks([3, 10, 30, 100, 300], ["3", "10", "30", "100", "300"])
        ax.minorticks_off()
        ax.legend(title="interval (triangle: airpuff was due)", alignment="left", ncols=2, loc="upper right")
        ax = axes["D"]
        ax.plot([0, tone], [0, tone], color=plots.GREY, linestyle="--", linewidth=0.9)
        looks = (("open loop", "o", plots.BLUE), ("half step", "x", plots.BLACK),
                 ("random Golgi", "s", plots.VERMILLION))  # fmt: skip
        for k, (condition, mark, color) in enumerate(looks):
            rows = table[table.condition == condition]
            if len(rows):
                spread = 14 * (k - 1) + 5 * (rows.seed - seeds[0] - (len(seeds) - 1) / 2)
                label = {"open loop": "network", "random Golgi": "Golgi cells at random"}.get(
                    condition, f"network, step {results['dt'] / 2:g} ms"
                )
                x = rows.interval + spread
                ax.plot(x, rows.latency, mark, color=color, fillstyle="none", label=label)
        ax.set(xlabel="interval (ms)", ylabel="latency of the minimum (ms)", xlim=(0, tone),
               ylim=(0, tone * 1.3), xticks=intervals, yticks=[0, *intervals])  # fmt: skip
        plots.legend(ax, title="points: seeds; dashed: equality")
        axis = dict(x_label="trial", y_label="rate before the airpuff is due\n(% of naive)")
        looks = (("open loop", plots.BLUE, "loop open"), ("closed loop", plots.GREEN, "loop closed"),
                 ("no climbing fibre", plots.VERMILLION, "no climbing fibre"))  # fmt: skip
        for condition, color, label in looks:
            rows = table[(table.condition == condition) & (table.interval == first)]
            if len(rows):
                curves = 100 * results[f"before {condition} {first:g}"] / rows.naive_Hz.to_numpy()[:, None]
                x = np.arange(curves.shape[1]) + 1
                plots.curve_with_band(x, curves, ax=axes["E"], color=color, label=label, **axis)
        axes["E"].axvline(results["n_acquisition"] + 0.5, color=plots.GREY, linestyle="--", linewidth=0.9)
        axes["E"].set_ylim(0, 175)
        for condition, color, label in looks[:2]:
            curves = results[f"evoked {condition} {first:g}"]
            plots.curve_with_band(
                np.arange(curves.shape[1]) + 1, curves, ax=axes["F"], color=color, label=label,
                x_label="trial", y_label="probability per Purkinje cell",
            )  # fmt: skip
        axes["F"].set_ylim(0, 1.5)
        axes["F"].set_yticks([0, 0.5, 1])
    return fig


def claims(results):
    table, first, made = results["table"], results["intervals"][0], []
    project, bound = "tolerance of this project", "bound of this project"
    source = "Yamazaki & Tanaka 2007"

    def of(condition):
        return table[table.condition == condition]

    for condition, note in (("open loop", ""), ("half step", "; half step"),
                            ("no climbing fibre", "; no climbing fibre")):  # fmt: skip
        rows = of(condition)
        for interval in sorted(rows.interval.unique()):
            some = rows[rows.interval == interval]
            suppression = 100 * (1 - some.trained_Hz / some.naive_Hz)
            made.append(
                Claim(
                    f"suppression in the {BEFORE} ms before the airpuff, interval {interval:g} ms, "
                    f"{'most' if condition == 'no climbing fibre' else 'least'} of seeds{note}",
                    suppression.min() if condition != "no climbing fibre" else suppression.max(),
                    70, None, "%", f"{source}; {bound}", control=condition == "no climbing fibre",
                )  # fmt: skip
            )
    for condition, note in (("open loop", ""), ("half step", "; half step"),
                            ("random Golgi", "; Golgi cells fire at random")):  # fmt: skip
        if len(of(condition)) and len(results["intervals"]) > 1:
            value = slopes(table, condition).mean()
            name = f"slope of latency over interval, mean of seeds{note}"
            control = condition == "random Golgi"
            made.append(Claim(name, value, 0.85, 1.15, "", f"{source}; {bound}", control=control))
    rows = of("open loop")
    rows = rows[rows.interval == first]
    made += [
        Claim(
            "rate after extinction, share of the naive one, least of seeds",
            100 * (rows.extinguished_Hz / rows.naive_Hz).min(),
            70, None, "%", bound,
        ),
        Claim(
            "the same without extinction (end of acquisition), most of seeds",
            100 * (rows.trained_Hz / rows.naive_Hz).max(),
            70, None, "%", bound, control=True,
        ),
    ]  # fmt: skip
    for condition, control in (("closed loop", False), ("open loop", True)):
        rows = of(condition)
        rows = rows[rows.interval == first]
        fall = 100 * (1 - rows.cf_last / rows.cf_first)
        made.append(
            Claim(
                f"fall of the probability of an evoked complex spike, "
                f"{'least' if not control else 'most'} of seeds; {NAMES[condition]}",
                fall.max() if control else fall.min(),
                30, None, "%", f"after Yamazaki & Nagao 2012; {project}", control=control,
            )  # fmt: skip
        )
    lag = int(np.argmin(np.abs(results["lags"] - 500)))
    text = f"similarity of the granule cells' states {results['lags'][lag]:g} ms apart"
    made.append(
        Claim(f"{text}, most of seeds", results["similarity_by_seed"][:, lag].max(), None, 0.95, "", project)
    )
    if "similarity_random" in results:
        value = results["similarity_random"][:, lag].min()
        name = f"{text}, least of seeds; Golgi cells fire at random"
        made.append(Claim(name, value, None, 0.95, "", project, control=True))
    return made
