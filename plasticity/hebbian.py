"""Hebbian learning that finds structure: principal components, selectivity.

`oja`, `sanger` and `bcm` work with rates: they change weights at every time step, by the rates of the two
cells (which need no threshold). `spiking_oja` works with spikes.
"""

import numpy as np
from brian2 import Hz, ms, second

from circuits import Cell, CircuitError, current, population, projection, synapses, wiring
from circuits.errors import guard

from .rule import Rule, compose, unbounded

__all__ = ["bcm", "oja", "sanger", "sanger_parts", "spiking_oja"]

_RATES = "The rates are variables of the cells: say which, such as x='x_pre', y='y_post'."


def oja(*, eta=1 * Hz, x="x_pre", y="y_post", name="oja"):
    """Hebbian learning with a decay that keeps the norm of the weights at 1.

        dw/dt = eta y (x - y w)

    Oja 1982 (J. Math. Biol. 15:267). For a linear unit, y = sum of w x, the weights turn into the
    first principal component of the (centred) inputs, of norm 1. x and y are variables of the two cells;
    rates and weights are numbers without unit. A sample is what the rates are during one time step: it moves
    the weights by eta dt, and eta dt times the variance of the input must be well below 1.
    """
    return Rule(
        name,
        drift=f"eta*{y}*({x} - {y}*w)",
        params=dict(eta=eta),
        needs={x: 1, y: 1},
        remedy={x: _RATES, y: _RATES},
        source="Oja 1982",
    )


def sanger(*, eta=1 * Hz, x="r_1_pre", y="y_post", learn="learn_post", name="sanger"):
    """The generalised Hebbian algorithm: Oja's rule on what earlier components have left of the input.

        dw_k/dt = eta learn y_k (r_k - y_k w_k),   r_k = x - sum over m < k of y_m w_m

    Sanger 1989 (Neural Networks 2:459). As printed it needs the weights of other synapses; it is local
    when r_k, the input minus what earlier units explain, is a variable of the input cells, as in the circuit
    that `sanger_parts` makes: there the weights from a unit back to the inputs follow the same rule with the
    roles exchanged, and stay equal to the forward ones. learn (0 or 1) opens the rule once rates have
    settled.
    """
    made = "hebbian.sanger_parts makes a circuit whose cells have it."
    return Rule(
        name,
        drift=f"eta*{learn}*{y}*({x} - {y}*w)",
        params=dict(eta=eta),
        needs={x: 1, y: 1, learn: 1},
        remedy={x: made, y: made, learn: made},
        source="Sanger 1989",
    )


def sanger_parts(samples, weights, *, eta=1 * Hz):
    """The parts of a circuit that learns one principal component for each row of `weights`.

        net = Circuit(**sanger_parts(timed(x, 2*ms), w), record=[weights("forward_1")], dt=1*ms)

    Parameters
    ----------
    samples : Timed
        Samples x inputs, each held for two time steps: in the first all rates settle, in the second the
        weights learn (the step is eta dt).
    weights : array, components x inputs
        Start values.
    eta : Quantity
        Learning rate.

    Returns
    -------
    dict
        Populations inputs (x the sample, r_k what units before k leave of it) and unit_1, unit_2, ... (rate
        y), projections forward_k and back_k, and the current samples.
    """
    weights = np.asarray(weights, dtype=float)
    shape = np.shape(samples.values)
    if weights.ndim != 2 or len(shape) != 2 or shape[1] != weights.shape[1]:
        raise CircuitError(
            f"sanger_parts: samples of shape {shape} and weights of shape {weights.shape}; give samples x "
            "inputs and components x inputs."
        )
    n_components, n = weights.shape
    learn = "learn = int(timestep(t, dt) % 2 == 1) : 1"
    left = [f"r_{k + 1} = r_{k} - explained_{k} : 1" for k in range(1, n_components)]
    inputs = Cell(
        "input",
        "\n".join(["x = sample : 1", "r_1 = x : 1", *left, learn]),
        inputs={"sample": 1, **{f"explained_{k}": 1 for k in range(1, n_components)}},
    )
    unit = Cell("unit", f"y = drive : 1\n{learn}", inputs={"drive": 1})
    parts = {"inputs": population(inputs, n), "samples": current("inputs", "sample", samples)}
    for k, start in enumerate(weights, 1):
        parts[f"unit_{k}"] = population(unit, 1)
        there = synapses.linear(start, variable="x", port="drive")
        forward = compose(sanger(eta=eta, x=f"r_{k}_pre"), synapse=there, bounds=unbounded())
        parts[f"forward_{k}"] = projection("inputs", f"unit_{k}", forward, wiring.all_to_all())
        if k < n_components:
            there = synapses.linear(start, variable="y", port=f"explained_{k}")
            back = compose(sanger(eta=eta, x=f"r_{k}_post", y="y_pre"), synapse=there, bounds=unbounded())
            parts[f"back_{k}"] = projection(f"unit_{k}", "inputs", back, wiring.all_to_all())
    return parts


def bcm(*, eta=1 * Hz, tau_theta=1 * second, x="x_pre", y="y_post", name="bcm"):
    """Hebbian learning with a threshold between depression and potentiation that slides.

        dw/dt = eta x y (y - theta)           tau_theta dtheta/dt = y**2 - theta

    Bienenstock, Cooper & Munro 1982 (J. Neurosci. 2:32) with the threshold of Intrator & Cooper 1992 (Neural
    Networks 5:3), the running mean of y**2. With K orthonormal patterns in turn, the selective fixed points
    are y = K for one pattern and 0 for the others; there a perturbation decays as long as eta tau_theta < 1
    (patterns of norm g: eta g**2 tau_theta < 1), and beyond that y and theta oscillate. x and y are
    variables of the two cells, without unit, as the weights.
    """
    return Rule(
        name,
        post=f"dtheta/dt = ({y.removesuffix('_post')}**2 - theta)/tau_theta : 1",
        drift=f"eta*{x}*{y}*({y} - theta_post)",
        params=dict(eta=eta, tau_theta=tau_theta),
        needs={x: 1, y: 1},
        remedy={x: _RATES, y: _RATES},
        source="Bienenstock, Cooper & Munro 1982; Intrator & Cooper 1992",
    )


def spiking_oja(*, A=1e-3, alpha=1.0, tau=20 * ms, tau_mean=1 * second, name="spiking_oja"):
    """STDP whose two halves balance, plus a decay with the activity of the neuron.

        dx/dt = -x/tau, dz/dt = -z/tau, dy/dt = -y/tau_mean; a presynaptic spike adds 1 to x, a postsynaptic 1
        to z and to y
        pre:   dw = -A (tau/tau_mean) y                  (in steps: (exp(dt/tau_mean) - 1)/(1 - exp(-dt/tau)))
        post:  dw = A (x - alpha z w)

    The lobes of the window have equal areas, so that rates which do not vary together cancel, and the mean
    change follows the covariance of the rates on times between tau and tau_mean: Oja's rule on centred
    rates, with the second term as its decay. A spike of both sides in one step counts as pre before post,
    and the areas are equal with that. Postsynaptic spikes read z before they add to it. The weights turn
    into the first principal component of the covariance of the inputs; alpha sets their size. A has the
    unit of w, alpha that of 1/w.

    Source: Oja 1982, in spikes as by Kempter, Gerstner & van Hemmen 1999 (Phys. Rev. E 59:4498), where
    the window's integral and the rates give the mean change. The window and the decay are ours.
    """
    return Rule(
        name,
        synapse="""dx/dt = -x/tau : 1 (event-driven)
                   dz/dt = -z/tau : 1 (event-driven)
                   dy/dt = -y/tau_mean : 1 (event-driven)""",
        propose_pre="-A*expm1(dt/tau_mean)/(1 - exp(-dt/tau))*y",
        propose_post="A*(x - alpha*z*w)",
        on_pre="x += 1",
        on_post="z += 1\ny += 1",
        params=dict(A=A, alpha=alpha, tau=tau, tau_mean=tau_mean),
        source="after Oja 1982 and Kempter, Gerstner & van Hemmen 1999",
    )


guard(globals())
