"""The same spike trains on pairs of neurons here and in NEST, and the weight after every presynaptic spike.

Trains are arrays of whole steps. A pair has one synapse; each pair may have numbers of its own, so that a
comparison over many parameters is one run on each side.

Conventions in which the two differ, and what is done about them:

 - The delay of NEST's plastic synapses lies in the dendrite: what a postsynaptic spike changes, it changes a
   delay later, while presynaptic spikes are there at once. Here it lies in the axon. A rule sees arrivals, so
   the two are the same model once postsynaptic spikes come `lag` steps later here than in NEST.
 - NEST brings a weight up to date at presynaptic spikes; it is compared there, after the spike has acted, and
   every pair has a last presynaptic spike after all others.
 - Where both spikes arrive in one step, the presynaptic one is the earlier here; in NEST they do not pair.
   Trains have no such steps unless they are asked for.
"""

import numpy as np
from brian2 import second

import engine
from circuits import Circuit, population, projection, spike_trains, synapses, weights, wiring
from experiments.pairings import relay

STEP = 0.5  # ms
LEAD = 20  # steps before the first spike, which NEST's generators and relays need
DELAY = (
    "NEST's delay is dendritic, ours axonal: postsynaptic spikes come later here by NEST's delay. Where both "
    "spikes arrive in one step the presynaptic one is the earlier here, and they do not pair in NEST; the "
    "trains of this row have no such steps."
)


def draw_trains(draw, n=20, seconds=2.0, lag=2, coincident=0.0, rates=(4, 50), step=STEP):
    """n pairs (pre, post) of Poisson trains in steps, of a rate (Hz) for each, and a last presynaptic spike.

    No postsynaptic spike arrives, `lag` steps late, together with a presynaptic one, except for the share
    `coincident` of presynaptic spikes that get a partner.
    """
    length, made = round(1e3 * seconds / step), []
    for _ in range(n):
        pre, post = (
            LEAD + lag + np.flatnonzero(draw.random(length) < draw.uniform(*rates) * step * 1e-3)
            for _ in range(2)
        )
        partners = pre[draw.random(len(pre)) < coincident] - lag
        post = np.union1d(np.setdiff1d(post, pre - lag), partners)
        made.append((np.append(pre, length + LEAD + lag + round(50 / step)), post))
    return made


def later(trains, lag):
    """Postsynaptic spikes `lag` steps later."""
    return [(pre, post + lag) for pre, post in trains]


def source(trains, shift=1, step=STEP):
    """A part that fires the given trains (in steps), one source each."""
    i = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    return spike_trains(len(trains), i=i, t=(np.concatenate(trains) + shift) * step * 1e-3 * second)


def here(synapse, trains, *, delay=0, step=STEP, parts=None, only_at_the_end=False):
    """The weight after each presynaptic spike, an array for each pair.

    delay (steps) is that of the projection; `parts` are further parts of the circuit, with spikes moved by
    a step, as the relays take one. Weights are recorded at every step, or once at the end (an array of one).
    """
    n, dt = len(trains), step * 1e-3 * second
    last = max(pre[-1] for pre, _ in trains) + delay
    net = Circuit(
        pre=source([pre for pre, _ in trains], 1, step),
        drive=source([post for _, post in trains], 0, step),
        post=population(relay(), n),
        force=projection("drive", "post", synapses.delta("v", 1), wiring.one_to_one()),
        plastic=projection("pre", "post", synapse, wiring.one_to_one(), delay=delay * dt),
        **(parts or {}),
        record=[weights("plastic", every=None if only_at_the_end else dt)],
        dt=dt,
    )
    found = engine.run(net, (last + 2) * dt).weights["plastic.w"].values
    if only_at_the_end:
        return list(found[-1:].T)
    # relays take one step, and a snapshot is taken before the spikes of its step
    return [found[pre + delay + 2, k] for k, (pre, _) in enumerate(trains)]


def parrots(nest, trains, step=STEP, delay=1):
    """Neurons of NEST that fire the given trains (in steps), one for each, `delay` steps after generators."""
    cells = nest.Create("parrot_neuron", len(trains))
    times = [{"spike_times": np.round((train - delay) * step, 6)} for train in trains]
    generators = nest.Create("spike_generator", len(trains), params=times)
    nest.Connect(generators, cells, "one_to_one", {"delay": delay * step})
    return cells


def in_nest(nest, model, trains, numbers, *, w, lag=2, target=None, common=None, step=STEP, slice=1):
    """The weight at each presynaptic spike, an array for each pair, in NEST.

    Parameters
    ----------
    model : str
        Synapse model.
    numbers : list of dict
        Its parameters in NEST's names and units, for each pair.
    w : array
        Start weights.
    lag : int
        Delay in steps.
    target : list of dict, optional
        Parameters of the postsynaptic neurons.
    common : function, optional
        common(k) gives further parameters of pair k, once the kernel is set up.
    slice : int
        The shortest delay, in steps, after which NEST exchanges spikes; not longer than lag.
    """
    nest.ResetKernel()
    nest.resolution = step
    pre, post = (parrots(nest, [pair[side] for pair in trains], step, slice) for side in (0, 1))
    if target is not None:
        post.set(target)
    recorder = nest.Create("weight_recorder")
    for k in range(len(trains)):
        own = {**numbers[k], **(common(k) if common else {}), "weight_recorder": recorder}
        nest.CopyModel(model, f"{model}_{k}", own)
        spec = {"synapse_model": f"{model}_{k}", "weight": w[k], "delay": lag * step, "receptor_type": 1}
        nest.Connect(pre[k], post[k], "one_to_one", spec)
    nest.Simulate((max(train[-1] for train, _ in trains) + 8) * step)
    events = recorder.events
    return [events["weights"][events["senders"] == cell] for cell in pre.tolist()]


def largest(found, other, scale):
    """Largest difference between two courses of weights, over `scale` (a number, or one for each pair)."""
    scale = np.broadcast_to(scale, len(found))
    assert [len(course) for course in found] == [len(course) for course in other]
    return max(np.abs(a - b).max() / s for a, b, s in zip(found, other, scale, strict=True))


def by_events(
    pre, post, w, *, before, after, up, down, nearest=False, low=-np.inf, high=np.inf, together="pre first"
):
    """The weight after each step with a presynaptic spike, event by event and without either simulator.

    Parameters
    ----------
    before, after : dict
        Traces of the pre- and postsynaptic side: name to time constant in steps.
    up, down : functions of (traces, w)
        The change on a postsynaptic and on a presynaptic spike; traces are read before they jump.
    together : {"pre first", "neither"}
        Which spike of one step counts as the earlier: the presynaptic one, or none of the two.
    """
    taus, course, last = before | after, [], 0
    x = dict.fromkeys(taus, 0.0)

    def jump(names):
        for name in names:
            x[name] = 1.0 if nearest else x[name] + 1.0

    for t in np.union1d(pre, post):
        for name, tau in taus.items():
            x[name] *= np.exp((last - t) / tau)
        last = t
        for side in "pre", "post":
            both = t in pre and t in post and together == "neither"
            # without an order: what the postsynaptic spike changes comes first, traces of both follow
            kind = {"pre": "post", "post": "pre"}[side] if both else side
            if t in (pre if kind == "pre" else post):
                w = np.clip(w + (down if kind == "pre" else up)(x, w), low, high)
                if not both:
                    jump(before if kind == "pre" else after)
            if both and side == "post":
                jump(taus)
        if t in pre:
            course.append(w)
    return np.array(course)
