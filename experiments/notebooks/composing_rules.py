# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Rules of plasticity, one after another on one network
#
# A rule is a fragment of equations with numbers. `compose` puts any set of rules on one synapse: what they
# propose is added, gates multiply, one sink may absorb. Ten cells with 200 Poisson inputs each keep the same
# cells and inputs throughout; only the synapse between them changes, and with it the distribution of weights.

# %%
import numpy as np
from brian2 import Hz, ms, pA, second

import engine
from analysis import plots
from circuits import (
    Circuit,
    neurons,
    poisson,
    population,
    projection,
    signal,
    spikes,
    synapses,
    weights,
    wiring,
)
from plasticity import compose, hard, homeostasis, metaplasticity, neuromodulation, stdp

cell = neurons.leaky()
cell

# %%
W_MAX, SECONDS = 24 * pA, 60
current = synapses.exponential_current(w=12 * pA, tau=5 * ms)


def network(*rules, **parts):
    """The network with these rules on its synapses, and the parts that they need."""
    plastic = compose(
        *rules, synapse=current, bounds=hard(0 * pA, W_MAX), w="24*pA*rand()"
    )
    return Circuit(
        inputs=poisson(200, 15 * Hz),
        cells=population(cell, 10),
        exc=projection("inputs", "cells", plastic, wiring.all_to_all()),
        record=[spikes("cells"), weights("exc", "w", every=20 * second)],
        dt=0.5 * ms,
        **parts,
    )


def weights_over_time(net, title):
    """Weights (pA) and firing rate (Hz) of a run; draws the weights every 20 s."""
    recording = engine.run(net, SECONDS * second, seed=1)
    found = recording.weights["exc.w"]
    fig, axes = plots.figure("A", height=2.4, width=5, titles={"A": title})
    for k, (t, values) in enumerate(zip(found.t, found.values, strict=True)):
        count, edges = np.histogram(values * 1e12, np.linspace(0, 24, 41))
        axes["A"].stairs(count, edges, color=plots.PALETTE[k], label=f"{t:.0f} s")
    axes["A"].set(xlabel="weight (pA)", ylabel="synapses")
    plots.legend(axes["A"], outside=True)
    rate = recording.spikes["cells"].t.size / 10 / SECONDS
    mean = found.values[-1].mean() * 1e12
    print(f"{title}: firing rate {rate:.1f} Hz, mean weight {mean:.1f} pA")
    return found.values * 1e12, rate


# %% [markdown]
# ## Spike timing alone
#
# Additive pair rule, depression slightly stronger than potentiation: weights compete, and leave the middle
# for the bounds.

# %%
pair = stdp.pair(A_plus=0.48 * pA, A_minus=0.504 * pA)
pair

# %%
net = network(pair)
alone, rate = weights_over_time(net, "STDP")


def at_the_bounds(values):
    """Fraction of weights in the outer fifths of the range at the end."""
    return np.mean((values[-1] < 4.8) | (values[-1] > 19.2))


assert at_the_bounds(alone) > at_the_bounds(alone[:1]) + 0.2

# %% [markdown]
# The composed synapse prints itself as the equations that a person would have written.

# %%
print(net.parts["exc"].synapse)

# %% [markdown]
# ## A number, and then an equation
#
# A number by its dotted name compiles nothing. An edited equation is another rule: here depression in
# proportion to the weight, after which weights gather around one value.

# %%
less = net.but({"exc.A_minus_stdp": 0.4 * pA})
weaker, _ = weights_over_time(less, "STDP, less depression")
assert weaker[-1].mean() > alone[-1].mean()

# %%
proportional = pair.edit("-A_minus*y", "-A_minus*y*2*w/w_max")
gathered, _ = weights_over_time(network(proportional), "depression in proportion to w")
assert at_the_bounds(gathered) < 0.2

# %% [markdown]
# ## With homeostasis
#
# Synaptic scaling multiplies what each cell's synapses deliver by a factor of the cell, until it fires at its
# goal; the weights themselves, and their ratios, are left to the other rules. (Much faster here than in
# nature, where it takes hours.)

# %%
goal = 4 * Hz
scaling = homeostasis.scaling(
    goal=goal, beta=0.02, gamma=0 * Hz, tau=5 * second, every=100 * ms
)
scaled, scaled_rate = weights_over_time(network(pair, scaling), "STDP + scaling")
assert abs(scaled_rate - 4) < 2

# %% [markdown]
# ## With a third factor
#
# An eligibility trace takes what spike timing proposes, and dopamine decides whether it becomes weight. The
# dopamine cell is a part of the circuit like any other; `da` is the name under which the cells read it.
# Without rewards nothing changes at all; the rate of rewards is a number.

# %%
eligibility = neuromodulation.eligibility(tau_c=1 * second, eta=2 * Hz)
rewards = dict(
    reward=poisson(1, 0 * Hz),
    dopamine=population(neuromodulation.dopamine(), 1),
    paid=projection(
        "reward", "dopamine", synapses.delta("d", 0.5), wiring.all_to_all()
    ),
    da=signal("dopamine.d", "cells"),
)
net = network(pair, eligibility, scaling, **rewards)
net

# %%
unpaid, _ = weights_over_time(net, "STDP + scaling + dopamine, no rewards")
assert np.array_equal(unpaid[0], unpaid[-1])
rewarded = net.but({"reward.rates": 2 * Hz})
paid, _ = weights_over_time(rewarded, "STDP + scaling + dopamine, rewards at 2 Hz")
assert np.abs(paid[-1] - paid[0]).mean() > 1

# %% [markdown]
# ## With metaplasticity
#
# A gate multiplies all that is proposed: synapses that have changed much lately change less.

# %%
slowing = metaplasticity.falling_rate(tau_h=100 * second, h_0=0.05)
net = network(pair, eligibility, scaling, slowing, **rewards)
rewarded = net.but({"reward.rates": 2 * Hz})
slowed, _ = weights_over_time(rewarded, "STDP + scaling + dopamine + falling rate")
assert np.abs(slowed[-1] - slowed[0]).mean() < 0.8 * np.abs(paid[-1] - paid[0]).mean()
