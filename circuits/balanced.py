"""Balanced random networks of excitatory and inhibitory cells."""

from numbers import Integral, Real

from brian2 import ms, mV, second, volt

from . import neurons, synapses, wiring
from .cell import Cell
from .circuit import Circuit, population, positive_time, projection, spikes
from .errors import CircuitError
from .synapses import Synapse
from .values import number, same_dimension

__all__ = ["brunel", "brunel_cell", "vogels_abbott"]


def vogels_abbott(n=4000, p=0.02, w_e=1.62 * mV, w_i=-9 * mV, cell=None, record=(), dt=0.1 * ms):
    """The current-based network of Vogels & Abbott 2005 in the form of the benchmark of Brette et al. 2007
    (CUBA).

    Four fifths of the n cells are excitatory, every pair is connected with probability p, a spike adds w_e
    or w_i to the synaptic variable of its target. Start values are drawn between reset and threshold; all
    delays are zero.

    Raises
    ------
    CircuitError
        If n is no whole number of at least two cells.
    """
    if not isinstance(n, Integral) or n < 2:
        raise CircuitError(f"vogels_abbott, n: got {n!r}; it is a number of cells, at least 2.")
    n_e = round(0.8 * n)
    return Circuit(
        cells=population(cell or neurons.cuba(), n, init={"v": "V_r + rand()*(V_t - V_r)"}),
        exc=projection(f"cells[:{n_e}]", "cells", synapses.delta("g_e", w=w_e), wiring.probability(p)),
        inh=projection(f"cells[{n_e}:]", "cells", synapses.delta("g_i", w=w_i), wiring.probability(p)),
        record=record or [spikes("cells")],
        dt=dt,
    )


def brunel_cell(*, tau_m=20 * ms, V_t=20 * mV, V_r=10 * mV, t_ref=2 * ms, J_ext=0.1 * mV, eta=2.0):
    """Leaky integrate-and-fire neuron whose voltage jumps with each spike that it receives, driven by a
    Poisson process of its own.

        tau_m dv/dt = -v + tau_m sum_k J_k delta(t - t_k)         v > V_t:  v -> V_r, held there for t_ref

    Brunel 2000 (J. Comput. Neurosci. 8:183), eqs. 1 and 2. v is measured from rest. Synapses deliver to
    `arriving` (volt). External spikes of size J_ext come at the rate eta V_t/(J_ext tau_m): with
    eta = nu_ext/nu_thr = 1 the external input alone brings the mean voltage to the threshold. Any number of
    them may fall into one step.

    All that arrives in a step makes v jump at the end of the next one, where the threshold sees it at once:
    v(t + dt) = v(t) exp(-dt/tau_m) + jump. What arrives while v is held is lost. The refractory period is the
    time for which v is held, a step more than from spike to spike in `neurons`.
    """
    return Cell(
        "brunel",
        # exponential_euler takes the jump for a current over the step: the factor makes it whole again
        """dv/dt = (jump/(1 - exp(-dt/tau_m)) - v)/tau_m : volt (unless refractory)
           arriving : volt
           jump : volt""",
        params=dict(tau_m=tau_m, V_t=V_t, V_r=V_r, t_ref=t_ref, J_ext=J_ext, eta=eta),
        threshold="v > V_t",
        reset="v = V_r",
        refractory="t_ref + dt",
        # at the end of every step, when all spikes of the step are in
        events={
            "step": ("True", "jump = arriving + J_ext*poisson(eta*V_t/(J_ext*tau_m)*dt)\narriving = 0*volt")
        },
        method="exponential_euler",
        init={"v": "V_r + rand()*(V_t - V_r)"},
        source="Brunel 2000, eqs. 1 and 2",
    )  # fmt: skip


def brunel(
    n_e=10000, *, g=5.0, eta=2.0, J=0.1 * mV, epsilon=0.1, delay=1.5 * ms, cell=None, record=(), dt=0.1 * ms
):
    """The sparsely connected network of Brunel 2000 (J. Comput. Neurosci. 8:183), model A.

    n_e excitatory and n_e/4 inhibitory cells; each receives from C_E = epsilon n_e of the former with weight
    J and from C_E/4 of the latter with weight -g J, all different and drawn at random, and from outside a
    Poisson process of eta times the rate that alone reaches the threshold. A spike is felt by the threshold
    of its targets `delay` after it was sent: the projections wait for one step less, since all that arrives
    in a step acts in the next one (`brunel_cell`).

    The regimes of the paper's figure 8, without a build between them:

        net = brunel()
        net.but({"inh.g": 3, "cells.eta": 2})       SR, synchronous regular
        net.but({"inh.g": 6, "cells.eta": 4})       SI, synchronous irregular, fast oscillation
        net.but({"inh.g": 5, "cells.eta": 2})       AI, asynchronous irregular
        net.but({"inh.g": 4.5, "cells.eta": 0.9})   SI, slow oscillation

    With fewer cells J C_E must be kept (J = 0.1 mV * 10000/n_e) for the same mean input; its fluctuations
    then grow as sqrt(10000/n_e), and rates of the irregular regimes with them. Voltages start anywhere
    between reset and threshold.

    Raises
    ------
    CircuitError
        If n_e is no multiple of four, epsilon no fraction, a unit is wrong, or the delay shorter than a step.
    """
    positive_time(dt, "brunel, dt")
    J, delay = number(J, "brunel, J"), number(delay, "brunel, delay")
    same_dimension(J, volt.dim, "brunel, J")
    same_dimension(delay, second.dim, "brunel, delay")
    if not isinstance(n_e, Integral) or n_e < 4 or n_e % 4:
        raise CircuitError(f"brunel, n_e: got {n_e!r}; there is one inhibitory for four excitatory cells.")
    if not isinstance(epsilon, Real) or not 0 <= epsilon <= 1:
        raise CircuitError(f"brunel, epsilon: got {epsilon!r}; it is a fraction of the cells, from 0 to 1.")
    if delay < dt:
        raise CircuitError(f"brunel, delay: got {delay}; it cannot be shorter than the step of {dt}.")
    n = n_e + n_e // 4
    inhibitory = Synapse("delta", deliver={"arriving": "-g*w"}, params={"g": g, "w": J})
    return Circuit(
        cells=population(cell or brunel_cell(J_ext=J, eta=eta), n),
        exc=projection(
            f"cells[:{n_e}]", "cells", synapses.delta("arriving", w=J),
            wiring.fixed_in_degree(round(epsilon * n_e)), delay=delay - dt,
        ),
        inh=projection(
            f"cells[{n_e}:]", "cells", inhibitory, wiring.fixed_in_degree(round(epsilon * n_e / 4)),
            delay=delay - dt,
        ),
        record=record or [spikes("cells")],
        dt=dt,
    )  # fmt: skip
