"""Metaplasticity: the readiness to change depends on what has happened before; gates for any rule.

Bounds must be finite: states are measured as a fraction of the range of the weight,
p = (w - w_min)/(w_max - w_min).
"""

from brian2 import Hz, ms, second

from circuits.errors import guard

from .rule import Periodic, Rule

__all__ = ["falling_rate", "sliding_threshold", "state_dependent"]

P = "(w - w_min)/(w_max - w_min)"


def falling_rate(*, tau_h=100 * second, h_0=0.1, every=1 * second, name="falling_rate"):
    """A learning rate that falls with recent change.

        every `every`: h <- h exp(-every/tau_h) + |change of p since|        gate = 1/(1 + h/h_0)

    h is the path that the weight has gone lately, as a fraction of its range, whichever rule moved it. A
    synapse that the bare rule would move at speed v (of p, per time) slows down to the v' with
    v' (1 + v' tau_h/h_0) = v. With tau_h longer than the experiment the rate falls with all past change, as
    the step sizes of Duchi, Hazan & Singer 2011 do with squares in place of amounts. That plasticity depends
    on earlier plasticity is Abraham & Bear 1996 (Trends Neurosci. 19:126); the formula is ours. The gate is
    computed when h is, so that a spike reads one number; changes to and fro within `every` do not count.
    """
    return Rule(
        name,
        synapse="""h : 1
                   last : 1
                   g : 1""",
        gate="g",
        periodic=Periodic(
            f"h = h*exp(-every/tau_h) + abs({P} - last)\nlast = {P}\ng = 1/(1 + h/h_0)",
            every="every",
            order=10,
        ),
        params=dict(tau_h=tau_h, h_0=h_0, every=every),
        init={"last": P, "g": 1.0},
        source="after Abraham & Bear 1996",
    )


def sliding_threshold(*, r_0=5 * Hz, tau_r=200 * ms, tau_theta=10 * second, name="sliding_threshold"):
    """A threshold between depression and potentiation that slides with the neuron's activity.

        dr/dt = -r/tau_r, a spike of the neuron adds 1/tau_r
        dtheta/dt = (r**2/r_0 - theta)/tau_theta
        gate = r/theta - 1   for a proposal above zero

    The BCM factor (Bienenstock, Cooper & Munro 1982, eqs. 4 and 5; theta follows the mean square as in
    Intrator & Cooper 1992) as a gate on Hebbian proposals, which it turns into depression below the
    threshold; divided by theta, so that it has no unit. At a steady rate r it goes to r_0/r - 1: zero at
    r_0. Compose it with rules that only potentiate; a rule that depresses would potentiate below the
    threshold. Without activity theta decays; it is kept above r_0/1000.
    """
    return Rule(
        name,
        post="""dr/dt = -r/tau_r : Hz
                dtheta/dt = (r**2/r_0 - theta)/tau_theta : Hz""",
        gate="r_post/clip(theta_post, r_0/1000, 1e9*r_0) - 1",
        at_post="r += 1/tau_r",
        params=dict(r_0=r_0, tau_r=tau_r, tau_theta=tau_theta),
        init={"theta": "r_0"},
        source="Bienenstock, Cooper & Munro 1982; Intrator & Cooper 1992",
    )


def state_dependent(*, m=2.0, rest=0.0, tau_z=None, every=1 * second, name="state_dependent"):
    """A learning rate that depends on the state of the synapse: far from rest it is slow.

        gate = 1 - tanh(m (p - rest))**2                          by the weight itself (tau_z=None)
        dz/dt = (p - z)/tau_z; gate = 1 - tanh(m (z - rest))**2   by a consolidated variable z

    Laborieux et al. 2021, Nat. Commun. 12:2549, where the metaplastic function slows changes of strong hidden
    weights towards zero; here it slows changes of both directions, because a gate does not know the sign. z
    is what the weight has been for long: it keeps a synapse slow after its weight has left. z and its gate
    advance every `every`, as if the weight had been what it is then.
    """
    slow = "1 - tanh(m*({} - rest))**2"
    if tau_z is None:
        return Rule(
            name,
            gate=slow.format(f"({P})"),
            params=dict(m=m, rest=rest),
            source="after Laborieux et al. 2021",
        )
    return Rule(
        name,
        synapse="""z : 1
                   g : 1""",
        gate="g",
        periodic=Periodic(
            f"z = {P} + (z - {P})*exp(-every/tau_z)\ng = {slow.format('z')}", every="every", order=10
        ),
        params=dict(m=m, rest=rest, tau_z=tau_z, every=every),
        init={"z": P},
        source="after Laborieux et al. 2021",
    )


guard(globals())
