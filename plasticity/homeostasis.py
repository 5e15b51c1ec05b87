"""Homeostasis: what keeps a neuron's activity, or its weights, near a goal.

`scaling` and `normalisation` act on all weights of a neuron alike, `intrinsic` on its threshold, and
`triplet_ltd` makes the depression of a Hebbian rule follow the neuron's rate. A rule that belongs to the
neuron goes onto one of the projections to it, once.
"""

from brian2 import Hz, ms, mV, second, volt

from circuits.errors import guard

from .rule import Periodic, Rule

__all__ = ["intrinsic", "normalisation", "scaling", "triplet_ltd"]


def scaling(*, goal=10 * Hz, beta=4e-5, gamma=1e-7 * Hz, tau=100 * second, every=1 * second, name="scaling"):
    """Multiplicative synaptic scaling: all synapses of a neuron grow or shrink in proportion, towards a rate.

        tau da/dt = -a + spikes             dE/dt = goal - a
        ds/dt = s (beta (goal - a) + gamma E)        what a spike delivers: s w

    van Rossum, Bi & Turrigiano 2000 (J. Neurosci. 20:8812), the activity-dependent scaling; gamma=0*Hz leaves
    out the integral term. beta is per second and Hz, and gamma, per second**2 and Hz, is given in Hz; their
    values and tau are as commonly quoted from the paper, the goal is ours.
    Under a drift that shrinks all weights at the rate k the firing rate rests at goal - k/beta without the
    integral term, and at the goal with it. The feedback is stable if beta > gamma tau.

    The paper scales each weight. Here one factor per neuron does, which is the same as long as no bound is
    met (bounds limit w, not s w), keeps ratios exactly, and costs nothing per synapse. Recorded weights are
    w. s and E advance every `every`, exactly for the a of that moment. a starts at the goal.
    """
    return Rule(
        name,
        post="""da/dt = -a/tau : Hz
                E : 1
                s : 1""",
        factor="s_post",
        at_post="a += 1/tau",
        periodic=Periodic(
            "E += (goal - a)*every\ns *= exp((beta*(goal - a) + gamma*E)*every)", every="every", on="post"
        ),
        params=dict(goal=goal, beta=beta, gamma=gamma, tau=tau, every=every),
        init={"a": "goal", "s": 1.0},
        source="van Rossum, Bi & Turrigiano 2000",
    )


def normalisation(*, total=1.0, every=1 * second, name="normalisation"):
    """The weights onto a neuron are multiplied so that their sum is `total`.

        every `every`:  w <- w total / (sum over the synapses of the projection onto that neuron of w)

    von der Malsburg 1973 (Kybernetik 14:85). Ratios stay, except where a bound cuts a weight off. Neurons
    whose weights sum to 0 are left alone. total has the unit of the weights.
    """
    return Rule(
        name,
        post="W : 1",
        periodic=(
            Periodic("W = 0", every="every", order=10, on="post"),
            Periodic("W_post += w/total", every="every", order=11),
            Periodic("w = w/(W_post + int(W_post == 0))", every="every", order=12),
        ),
        params=dict(total=total, every=every),
        source="von der Malsburg 1973",
    )


_THRESHOLD = (
    "The threshold must be a variable. Take as the cell: cell.plus('theta : volt').edit('v > V_t', "
    "'v > V_t + theta')."
)


def intrinsic(*, goal=5 * Hz, step=0.1 * mV, name="intrinsic"):
    """Intrinsic plasticity: the threshold rises with each spike and falls in between, up to the right rate.

        dtheta/dt = step (spikes - goal)

    so that theta(T) = theta(0) + step (number of spikes - goal T), and the mean rate is the goal wherever
    theta stays bounded. The adaptive threshold of Diehl & Cook 2015 (Front. Comput. Neurosci. 9:99) with a
    steady fall in place of an exponential one, which leaves no residual. The cell must hold its threshold in
    a variable theta.
    """
    return Rule(
        name,
        at_post="theta += step",
        step_post="theta -= step*goal*dt",
        params=dict(goal=goal, step=step),
        needs={"theta_post": volt},
        remedy={"theta_post": _THRESHOLD},
        source="after Diehl & Cook 2015",
    )


def triplet_ltd(
    *, A_plus=6.5e-3, tau_plus=16.8 * ms, tau_minus=33.7 * ms, tau_y=114 * ms, kappa=3 * Hz,
    tau_nu=10 * second, name="triplet_ltd",
):  # fmt: skip
    """Triplet STDP whose depression follows the neuron's rate, so that the rate has a fixed point.

        post:  dw = A_plus x y_slow
        pre:   dw = -A_minus(nu) y,   A_minus(nu) = A_plus tau_plus tau_y/(tau_minus kappa) nu**2
        tau_nu dnu/dt = -nu + spikes of the neuron

    Zenke, Hennequin & Gerstner 2013 (PLoS Comput. Biol. 9:e1003330), the triplet rule of Pfister & Gerstner
    2006 with the homeostatic amplitude of depression; x (tau_plus), y (tau_minus) and y_slow (tau_y) count
    spikes, and y_slow is read before the spike is added to it. For Poisson trains of rates r and nu the mean
    change is A_plus tau_plus tau_y r nu**2 (1 - nu/kappa): zero at kappa. It is stable only if nu follows
    the rate fast enough, the paper's point. A_plus has the unit of the weight. nu starts at kappa.
    """
    return Rule(
        name,
        synapse="""dx/dt = -x/tau_plus : 1 (event-driven)
                   dy/dt = -y/tau_minus : 1 (event-driven)
                   dy_slow/dt = -y_slow/tau_y : 1 (event-driven)""",
        post="dnu/dt = -nu/tau_nu : Hz",
        propose_pre="-A_plus*tau_plus*tau_y/(tau_minus*kappa)*nu_post**2*y",
        propose_post="A_plus*x*y_slow",
        on_pre="x += 1",
        on_post="y += 1\ny_slow += 1",
        at_post="nu += 1/tau_nu",
        params=dict(
            A_plus=A_plus, tau_plus=tau_plus, tau_minus=tau_minus, tau_y=tau_y, kappa=kappa, tau_nu=tau_nu
        ),
        init={"nu": kappa},
        source="Zenke, Hennequin & Gerstner 2013",
    )


guard(globals())
