"""Voltage-based STDP: the change of a synapse under five pairs of spikes, against their frequency and order.

The rule of Clopath, Buesing, Vasilaki & Gerstner 2010 with the parameters of visual cortex, on their neuron:
adaptive exponential, held at 33 mV for 2 ms in a spike, with a depolarizing after-current and a threshold
that jumps. A spike is forced by a step of 80 mV; the change of five pairs is multiplied by 15, as in the
protocol of Sjoestroem, Turrigiano & Nelson 2001 (75 pairs). The weight is read at a presynaptic spike: for
pre before post at the one that would begin a sixth pair.

The numbers to meet are those of NEST's test of its synapse (test_clopath_synapse, NEST 3.10), and those of
the same script at 20 and 40 Hz. Two things of that test are not in the paper: the filtered potentials come
4 ms late (so does the authors' program, ModelDB 144566), and spike-triggered adaptation is b = 0.0805 pA,
a thousandth of the neuron's 80.5 pA; with the latter the numbers are others (a control here). Spikes
fall on steps of 0.1 ms as in NEST's lists, which round the periods of 30 Hz, and those that force a spike
take 0.1 ms to arrive.
"""

import numpy as np
from brian2 import amp, ms, mV, nS, pA, pF, second

import engine
from analysis import plots
from circuits import Cell, Circuit, population, projection, spike_trains, synapses, trace, weights, wiring
from experiments.claims import Claim
from plasticity import compose, hard, stdp

SOURCE = "Clopath et al. 2010, fig. 2b; numbers: NEST 3.10, test_clopath_synapse"
QUICK = dict(without_delay=False, half=False)

# NEST 3.10, % of the initial weight: frequency (Hz) to (post before pre, pre before post), 10 ms apart.
NEST = {10: (57.826, 103.304), 20: (57.426, 112.536), 30: (72.167, 124.036), 40: (103.869, 138.947),
        50: (149.434, 157.029)}  # fmt: skip
TOLERANCE = 2.0  # % of the number
REPEATS = 15


def neuron(*, b=0.0805 * pA, t_clamp=2 * ms):
    """Adaptive exponential neuron with after-current z and moving threshold V_T, clamped during its spikes.

        C_m dv/dt = -g_L (v - E_L) + g_L Delta_T exp((v - V_T)/Delta_T) - w + z + I
        at a spike: u = V_clamp for t_clamp, then v = V_r; w += b, z = I_sp, V_T = V_T_max

    u is the membrane potential that the synapse sees. Clopath et al. 2010, table 1a; w rests in the clamp.
    """
    return Cell(
        "adaptive_exponential_clamped",
        """dv/dt = (g_L*(E_L - m + Delta_T*exp((m - V_T)/Delta_T)) - w + z + I)/C_m : volt (unless refractory)
           dw/dt = (a*(m - E_L) - w)/tau_w : amp (unless refractory)
           dz/dt = -z/tau_z : amp
           dV_T/dt = (V_T_rest - V_T)/tau_T : volt
           m = clip(v, -inf*volt, V_peak) : volt
           u = V_clamp + (m - V_clamp)*int(not_refractory) : volt""",
        params=dict(
            C_m=281 * pF, g_L=30 * nS, E_L=-70.6 * mV, Delta_T=2 * mV, tau_w=144 * ms, a=4 * nS, b=b,
            V_r=-49.6 * mV, V_peak=33 * mV, V_clamp=33 * mV, t_clamp=t_clamp, tau_z=40 * ms, I_sp=400 * pA,
            V_T_rest=-50.4 * mV, V_T_max=30.4 * mV, tau_T=50 * ms,
        ),
        inputs={"I": amp},
        threshold="v > V_peak",
        reset="v = V_r\nw += b\nz = I_sp\nV_T = V_T_max",
        refractory="t_clamp + dt",  # the clamp begins when the step ends in which v passes V_peak
        method="rk4",
        init={"v": "E_L", "V_T": "V_T_rest"},
        source="Clopath et al. 2010, table 1a",
    )  # fmt: skip


def pairs(frequency, lag, n=5):
    """Spike times (pre, post) in s, relative to the last presynaptic one: n pairs, post `lag` (s) after pre.

    With pre before post one more presynaptic spike follows, at which the weight is read.
    """
    period = np.round(1e4 / frequency) * 1e-4
    pre = -period * np.arange(n + (lag > 0))[::-1]
    return pre, pre[:n] + lag


def percent(protocols, *, rule=None, cell=None, dt=0.1 * ms, w=0.5 * mV):
    """Weight (% of the first) at the last presynaptic spike of each protocol, times REPEATS; the recording.

    Protocols are pairs (pre, post) of spike times in s relative to that spike; each has its own neuron.
    """
    rule = rule or stdp.clopath(voltage="u", w_ref=1 * mV)
    synapse = compose(rule, synapse=synapses.delta("v", w=w), bounds=hard(0 * mV, 100 * mV))
    n, begin = len(protocols), 20e-3 - min(min(pre.min(), post.min()) for pre, post in protocols)
    spikes = [
        dict(
            i=np.repeat(np.arange(n), [len(protocol[side]) for protocol in protocols]),
            t=(begin + np.concatenate([protocol[side] for protocol in protocols])) * second,
        )
        for side in (0, 1)
    ]
    net = Circuit(
        pre=spike_trains(n, **spikes[0]),
        post=spike_trains(n, **spikes[1]),
        cells=population(cell or neuron(), n),
        force=projection(
            "post", "cells", synapses.delta("v", w=80 * mV), wiring.one_to_one(), delay=0.1 * ms
        ),
        plastic=projection("pre", "cells", synapse, wiring.one_to_one()),
        record=[weights("plastic"), trace("cells", "u", index=range(n), every=0.1 * ms)],
        dt=dt,
    )
    recording = engine.run(net, begin * second + 2 * dt)
    changed = 1e3 * recording.weights["plastic.w"].values[-1] / float(w / mV)
    return 100 * (1 + REPEATS * (changed - 1)), recording


def run(
    *,
    frequencies=(10, 20, 30, 40, 50),
    lag=10 * ms,
    n_pairs=5,
    window_frequency=20,
    n_lags=25,
    b=0.0805 * pA,
    dt=0.1 * ms,
    without_delay=True,
    half=True,
):
    lag, reach = float(lag), 0.48 / window_frequency
    lags = 1e-4 * np.round(1e4 * np.linspace(-reach, reach, n_lags))
    lags = lags[lags != 0]
    orders = [pairs(f, sign * lag, n_pairs) for sign in (-1, 1) for f in frequencies]
    protocols = orders + [pairs(window_frequency, at, n_pairs) for at in lags]

    def measured(rule=None, cell=None, dt=dt):
        values, recording = percent(protocols, rule=rule, cell=cell or neuron(b=b), dt=dt)
        return values[: len(orders)].reshape(2, -1), values[len(orders) :], recording

    found, window, recording = measured()
    conditions = {
        "the rule": found,
        "clamp of one step": measured(cell=neuron(b=b, t_clamp=dt))[0],
        "b = 80.5 pA": measured(cell=neuron(b=80.5 * pA))[0],
    }
    if without_delay:
        rule = stdp.clopath(voltage="u", w_ref=1 * mV, delay=0 * ms)
        conditions["no delay"] = measured(rule=rule)[0]
    if half:
        conditions["half step"] = measured(dt=dt / 2)[0]
    u = recording.traces["cells.u"]
    return {
        "seeds": [],
        "dt": float(dt / ms),
        "frequencies": np.array(frequencies),
        "lag": lag,
        "n_pairs": n_pairs,
        "conditions": conditions,
        "window_frequency": window_frequency,
        "lags": lags,
        "window": window,
        "t": u.t - u.t[-1],
        "u": u.values[:, : len(orders)],
    }


def figure(results):
    frequencies, conditions = results["frequencies"], results["conditions"]
    fig, axes = plots.figure(
        "AB;CC",
        4.4,
        widths=[1.25, 1],
        titles={
            "A": f"{results['n_pairs']} pairs, {1e3 * results['lag']:g} ms apart",
            "B": f"Window at {results['window_frequency']} Hz",
            "C": "The neuron",
        },
        title=f"Voltage-based STDP of Clopath et al. 2010; no randomness, step {results['dt']:g} ms",
    )
    shared = dict(color=plots.GREY, linewidth=0.8)
    with plots.style():
        ax = axes["A"]
        orders = (("post before pre", plots.VERMILLION), ("pre before post", plots.BLUE))
        for k, (name, color) in enumerate(orders):
            ax.plot(frequencies, conditions["the rule"][k], "o-", color=color, label=name)
            ax.plot(list(NEST), [both[k] for both in NEST.values()], "x", color=plots.BLACK, markersize=6)
            ax.plot(frequencies, conditions["b = 80.5 pA"][k], ":", color=color)
        ax.plot([], [], "x", color=plots.BLACK, markersize=6, label="NEST")
        ax.plot([], [], ":", color=plots.BLACK, label="b = 80.5 pA")
        ax.axhline(100, zorder=0, **shared)
        top = max(160, conditions["the rule"].max())
        ax.set(xlabel="frequency of pairs (Hz)", ylabel="weight (% of the first)", ylim=(None, 1.25 * top))
        ax.legend(loc="upper left", ncols=2)
        ax = axes["B"]
        ax.axhline(100, zorder=0, **shared)
        ax.axvline(0, zorder=0, **shared)
        for side, color in ((results["lags"] < 0, plots.VERMILLION), (results["lags"] > 0, plots.BLUE)):
            ax.plot(1e3 * results["lags"][side], results["window"][side], ".-", color=color)
        ax.set(xlabel="lag, post after pre (ms)", ylabel="weight (% of the first)")
        ax = axes["C"]
        shown = [f for f in (10, 50) if f in frequencies] or list(frequencies[:1])
        for f, color in zip(shown, (plots.SKY, plots.BLUE), strict=False):
            column = len(frequencies) + list(frequencies).index(f)
            ax.plot(1e3 * results["t"], 1e3 * results["u"][:, column], color=color, label=f"{f} Hz")
        ax.set(xlabel="time before the weight is read (ms)", ylabel="membrane potential (mV)", xlim=(-220, 2))
        ax.legend(title="pre before post", loc="upper left")
    return fig


def claims(results):
    names = ("post before pre", "pre before post")
    source = f"NEST 3.10, test_clopath_synapse; tolerance {TOLERANCE:g} %"
    made = []
    for condition, values in results["conditions"].items():
        if condition not in ("the rule", "half step"):
            continue
        at = "" if condition == "the rule" else f" (dt {results['dt'] / 2:g} ms)"
        for k, f in enumerate(results["frequencies"]):
            for order in (0, 1):
                if f in NEST and results["n_pairs"] == 5:
                    low, high = (NEST[f][order] * (1 + sign * TOLERANCE / 100) for sign in (-1, 1))
                    name = f"{names[order]}, {f} Hz{at}"
                    made.append(Claim(name, values[order, k], low, high, "%", source))
    if 50 in results["frequencies"] and results["n_pairs"] == 5:
        low, high = (NEST[50][1] * (1 + sign * TOLERANCE / 100) for sign in (-1, 1))
        k = list(results["frequencies"]).index(50)
        for condition in ("clamp of one step", "b = 80.5 pA", "no delay"):
            if condition in results["conditions"]:
                value = results["conditions"][condition][1, k]
                name = f"{names[1]}, 50 Hz: {condition}"
                made.append(Claim(name, value, low, high, "%", source, control=True))
    return made
