"""Consolidation: memory that outlives the plasticity that made it.

`reference` and `synaptic_intelligence` pull weights back to where they were once they have mattered;
`benna_fusi` hides a chain of slower and slower variables behind the weight; `cascade` gives a synapse of two
strengths states of different stubbornness; `tag_and_capture` keeps an early change for good if the neuron
makes proteins in time. All take what other rules propose.
"""

from brian2 import ms, mV, second

from circuits.errors import guard

from .rule import Periodic, Rule, RuleError

__all__ = ["benna_fusi", "cascade", "reference", "synaptic_intelligence", "tag_and_capture"]

# The weight as a fraction of its range.
P = "(w - w_min)/(w_max - w_min)"


def reference(*, tau_w=100 * second, tau_r=1000 * second, kappa=1.0, every=1 * second, name="reference"):
    """A slow reference that follows the weight, and pulls it back the more, the more important it is.

        dw/dt = -Omega (w - r)/tau_w        dr/dt = (w - r)/tau_r
        every `every`:  Omega += kappa |change of p since|,   p = (w - w_min)/(w_max - w_min)

    The importance Omega is the path that plasticity has moved the weight, as a fraction of its range and
    sampled every `every`: where a third factor gates or scales what is proposed, the path counts what was
    rewarded. The pull alone is the quadratic penalty of elastic weight consolidation (Kirkpatrick et al.
    2017, PNAS 114:3521, eq. 3); the moving reference is ours. Omega and the pull advance every `every`, the
    pull exactly for the weight that it finds, so that an event costs nothing more. What the pull itself
    moves does not count. Bounds must be finite. The reference starts at the weight.
    """
    return Rule(
        name,
        synapse="""r : 1
                   Omega : 1
                   last : 1""",
        periodic=Periodic(
            f"""Omega += kappa*abs({P} - last)
                pull = Omega/tau_w
                away = ({P} - r)*(1 - exp(-(pull + 1/tau_r)*every))/(pull + 1/tau_r)
                w = w - (w_max - w_min)*pull*away
                r = r + away/tau_r
                last = {P}""",
            every="every",
        ),
        params=dict(tau_w=tau_w, tau_r=tau_r, kappa=kappa, every=every),
        init={"r": P, "last": P},
        source="after Kirkpatrick et al. 2017, eq. 3",
    )


def synaptic_intelligence(
    *, c=1.0, eta=0.01, damping=0.01, tau_w=10 * second, task=100 * second, every=1 * second,
    name="synaptic_intelligence",
):  # fmt: skip
    """Weights that contributed to a task are held near where the task left them.

        every `every`:  omega += (change of p since)**2/eta            p = (w - w_min)/(w_max - w_min)
        every `task`:   Omega += omega/((p - start)**2 + damping),  omega = 0,  start = r = p
        dp/dt = -c Omega (p - r)/tau_w

    Zenke, Poole & Ganguli 2017 (ICML, arXiv:1703.04200), eqs. 3 to 5. There omega sums minus the gradient
    times the change of the weight. The local form takes a change as eta times minus the gradient, so that the
    product is (change)**2/eta, without a gradient; noise in the changes counts too. What the pull itself
    moves does not count. The pull advances every `every`, exactly for the weight that it finds. Bounds must
    be finite.
    """
    track = f"omega += ({P} - last)**2/eta"
    return Rule(
        name,
        synapse="""omega : 1
                   Omega : 1
                   start : 1
                   r : 1
                   last : 1""",
        periodic=(
            Periodic(
                f"{track}\nw = w - (w_max - w_min)*({P} - r)*(1 - exp(-c*Omega*every/tau_w))\nlast = {P}",
                every="every",
            ),
            Periodic(
                f"{track}\nOmega += omega/(({P} - start)**2 + damping)\nomega = 0\nstart = {P}\nr = {P}\n"
                f"last = {P}",
                every="task",
                order=1,
            ),
        ),
        params=dict(c=c, eta=eta, damping=damping, tau_w=tau_w, task=task, every=every),
        init={"start": P, "r": P, "last": P},
        source="Zenke, Poole & Ganguli 2017, eqs. 3 to 5",
    )


def benna_fusi(*, m=6, tau=1 * second, name="benna_fusi"):
    """A chain of m coupled variables of which the weight is the first: fast and plastic, then ever slower.

        C_k du_k/dt = g_(k-1) (u_(k-1) - u_k) - g_k (u_k - u_(k+1)),   C_k = 2**(k-1), g_k = 2**(-k-2)/tau
        u_1 = w, u_(m+1) = 0

    Benna & Fusi 2016 (Nat. Neurosci. 19:1697): beakers of growing width joined by thinner and thinner
    tubes, with a leak at the end. A change of w fades as 1/sqrt(t) between tau and about 4**m tau. Every
    tau all variables take one explicit step of length tau, as in the paper's simulations, where tau is the
    time between two memories; m is structure. The hidden variables have no bounds, and w should have none
    that it meets.
    """
    if not isinstance(m, int) or not 1 <= m <= 100:
        raise RuleError(f"benna_fusi: m is {m!r}; the chain needs a whole number from 1 to 100.")
    u = ["w", *(f"u_{k}" for k in range(2, m + 1))]
    level = [*u, f"0*{u[-1]}"]
    flows = [f"flow_{k + 1} = ({level[k]} - {level[k + 1]})/{2 ** (k + 3)}" for k in range(m)]
    steps = ["w = w - flow_1"]
    steps += [f"{u[k]} = {u[k]} + (flow_{k} - flow_{k + 1})/{2**k}" for k in range(1, m)]
    return Rule(
        name,
        synapse="\n".join(f"{one} : weight" for one in u[1:]),
        periodic=Periodic("\n".join(flows + steps), every="tau"),
        params=dict(tau=tau),
        source="Benna & Fusi 2016",
    )


def cascade(*, n=10, x=0.5, scale=1.0, depth=None, name="cascade"):
    """A synapse of two strengths, each with n states that are harder and harder to leave.

        a proposal for the other strength switches with probability q_i and leads to depth 1;
        one for the same strength deepens i by 1 with probability p_i
        q_i = x**(i-1), q_n = x**(n-1)/(1 - x);   p_i = x**i/(1 - x), p_n = 0

    Fusi, Drew & Abbott 2005 (Neuron 45:599), with their transition probabilities for balanced potentiation
    and depression, under which all 2 n states are equally occupied. The strengths are w_min and w_max, where
    the weights must start (w="int(rand() < 0.5)" for bounds of 0 and 1). The rule is a sink: any proposal
    above zero is an attempt to potentiate, any below zero one to depress, whatever its size. `scale`
    multiplies all probabilities; with n=1 it is that of a switch. depth is the depth at the start, by default
    drawn from the stationary distribution.
    """
    if not isinstance(n, int) or n < 1 or not 0 < float(x) < 1:
        raise RuleError(f"cascade: n is {n!r} and x is {x!r}; n is a whole number of at least 1, 0 < x < 1.")
    return Rule(
        name,
        synapse="depth : 1",
        sink="""agrees = sign(dw/(w_max - w_min))*sign((2*w - w_min - w_max)/(w_max - w_min))
                chance = rand()/scale
                leaves = clip(x**(depth - 1)/(1 - x*int(depth >= n_states)), 0, 1)
                moves = int(agrees < 0)*int(chance < leaves)
                deepen = int(agrees > 0)*int(chance < x**depth/(1 - x))*int(depth < n_states)
                w = w + moves*(w_min + w_max - 2*w)
                depth = moves + (1 - moves)*(depth + deepen) + clip(dw/(w_max - w_min), 0, 0)""",
        params=dict(n_states=n, x=x, scale=scale),
        init={"depth": "1 + floor(n_states*rand())" if depth is None else depth},
        source="Fusi, Drew & Abbott 2005",
    )


def tag_and_capture(
    *, h_0=4.20075 * mV, tau_h=688.4 * second, h_max=10 * mV, gamma_p=1645.6, gamma_d=313.1, theta_p=3.0,
    theta_d=1.2, tau_Ca=48.8 * ms, C_source=1.0, C_target=0.2758, sigma=2.90436 * mV, theta_tag=0.840149 * mV,
    theta_pro=2.10037 * mV, tau_p=3600 * second, tau_z=3600 * second, every=1 * second, name="capture",
):  # fmt: skip
    """Early-phase plasticity by calcium, and its capture by the proteins that the neuron makes.

        w = h + h_0 z
        tau_h dh/dt = 0.1 (h_0 - h) + gamma_p (h_max - h) [Ca > theta_p] - gamma_d h [Ca > theta_d] + noise
        noise: sigma sqrt(tau_h ([Ca > theta_p] + [Ca > theta_d])) times Gaussian white noise
        dCa/dt = -Ca/tau_Ca, a presynaptic spike adds C_source, a postsynaptic one C_target
        tau_p dp/dt = -p + [sum over the neuron's synapses of |h - h_0| > theta_pro]
        tau_z dz/dt = p (1 - z) [h - h_0 > theta_tag] - p (z + 0.5) [h_0 - h > theta_tag]

    Luboeinski & Tetzlaff 2021 (Commun. Biol. 4:275), with the calcium-based early phase after Graupner &
    Brunel 2012; constants as in the authors' published program (memory-consolidation-stc). Calcium arrives
    18.8 ms after a presynaptic spike: give the projection that delay (deviation: transmission through the
    same projection is delayed by as much). theta_p must not lie below theta_d.

    Between events the early phase is solved exactly, noise included: calcium decays, so the times above the
    two thresholds are known (two logarithms, four exponentials and a Gaussian number per event). p and z
    take a step every `every`, exact for the tag and synthesis found at its start. What other rules propose
    moves h. Weights start at h_0 (w=4.20075*mV). After three tetani (100 pulses at 100 Hz, 10 minutes apart)
    z is 0.76 after 8 hours in a synapse that is alone, and above 0.9 where two or more were stimulated
    together, since their sum keeps the synthesis above its threshold for longer.
    """
    return Rule(
        name,
        synapse="""Ca : 1
                   z : 1
                   since : second""",
        post="""p : 1
                S : 1""",
        settle="""high = clip(tau_Ca*log(clip(Ca/theta_p, 1, inf)), 0*second, t - since)
                  some = clip(tau_Ca*log(clip(Ca/theta_d, 1, inf)), 0*second, t - since) - high
                  in_high = exp(-(0.1 + gamma_p + gamma_d)*high/tau_h)
                  in_some = exp(-(0.1 + gamma_d)*some/tau_h)
                  rest = exp(-0.1*(t - since - high - some)/tau_h)
                  h = (0.1*h_0 + gamma_p*h_max)/(0.1 + gamma_p + gamma_d)*(1 - in_high) + (w - h_0*z)*in_high
                  h = h_0 + (0.1*h_0/(0.1 + gamma_d)*(1 - in_some) + h*in_some - h_0)*rest
                  spread = (1 - in_high**2)*in_some**2/(0.1 + gamma_p + gamma_d)
                  spread = sqrt(spread + (1 - in_some**2)/(0.2 + 2*gamma_d))*rest
                  w = h + h_0*z + sigma*spread*randn()
                  Ca = Ca*exp(-(t - since)/tau_Ca)
                  since = t""",
        on_pre="Ca += C_source",
        on_post="Ca += C_target",
        periodic=(
            Periodic("S = 0", every="every", order=20, on="post"),
            Periodic("S_post += abs(w - h_0*z - h_0)/theta_pro", every="every", order=21),
            Periodic(
                """up = int(w - h_0*z - h_0 > theta_tag)
                   down = int(h_0 + h_0*z - w > theta_tag)
                   change = ((1 - z)*up - (z + 0.5)*down)*(1 - exp(-p_post*every/tau_z))
                   w = w + h_0*change
                   z = z + change""",
                every="every",
                order=22,
            ),
            Periodic("p += (int(S > 1) - p)*(1 - exp(-every/tau_p))", every="every", order=23, on="post"),
        ),
        params=dict(
            h_0=h_0, tau_h=tau_h, h_max=h_max, gamma_p=gamma_p, gamma_d=gamma_d, theta_p=theta_p,
            theta_d=theta_d, tau_Ca=tau_Ca, C_source=C_source, C_target=C_target, sigma=sigma,
            theta_tag=theta_tag, theta_pro=theta_pro, tau_p=tau_p, tau_z=tau_z, every=every,
        ),
        source="Luboeinski & Tetzlaff 2021",
    )  # fmt: skip


guard(globals())
