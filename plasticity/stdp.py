"""Rules of spike timing: what pairs, triplets, voltage and calcium make of one synapse.

Amplitudes have the unit of the weight they change. Lags are s = t_post - t_pre; at s = 0 the presynaptic
spike counts as the earlier one. A trace jumps after it has been read: a spike never pairs with itself.
Spikes count when they arrive; the delay of a projection is axonal, that of presynaptic spikes only.
Soft bounds and power laws are not rules but bounds: `compose(stdp.pair(), bounds=power_law(0, 1, mu=0.4))`.
"""

from brian2 import ms, mV, second, volt

from circuits.errors import guard

from .rule import Periodic, Rule, RuleError

# Two traces that every rule here shares: of presynaptic (x) and of postsynaptic spikes (y).
_TRACES = """dx/dt = -x/tau_plus : 1 (event-driven)
             dy/dt = -y/tau_minus : 1 (event-driven)"""


def _jump(trace, nearest):
    """All spikes add up, or only the last one counts."""
    return f"{trace} = 1" if nearest else f"{trace} += 1"


def pair(
    *, A_plus=0.01, A_minus=0.0105, tau_plus=20 * ms, tau_minus=20 * ms, nearest=False, name="stdp"
):
    """Pair-based STDP: every pair of spikes, or every spike with the nearest earlier one of the other side.

        dw = A_plus exp(-s/tau_plus)   for s >= 0        dw = -A_minus exp(s/tau_minus)   for s < 0

    Song, Miller & Abbott 2000 (Nat. Neurosci. 3:919), eq. 1; pairings as in Morrison, Diesmann & Gerstner
    2008 (Biol. Cybern. 98:459), all-to-all and symmetric nearest-neighbour. With `hard` bounds it is the
    additive rule, with `soft` ones the multiplicative, with `power_law` that of Guetig et al. 2003
    (J. Neurosci. 23:3697; there A_plus is lambda, A_minus alpha lambda).
    """
    return Rule(
        name,
        synapse=_TRACES,
        propose_pre="-A_minus*y",
        propose_post="A_plus*x",
        on_pre=_jump("x", nearest),
        on_post=_jump("y", nearest),
        params=dict(A_plus=A_plus, A_minus=A_minus, tau_plus=tau_plus, tau_minus=tau_minus),
        source="Song, Miller & Abbott 2000, eq. 1",
    )


def van_rossum(
    *, c_plus=0.002, c_minus=0.003, tau_plus=20 * ms, tau_minus=20 * ms, noise=0.0, name="stdp"
):
    """Pair-based STDP with depression in proportion to the weight and potentiation independent of it.

        dw = (c_plus + n w) exp(-s/tau_plus)    for s >= 0
        dw = (-c_minus + n) w exp(s/tau_minus)  for s < 0

    with n a Gaussian number of standard deviation `noise`, drawn anew for each change. van Rossum, Bi &
    Turrigiano 2000 (J. Neurosci. 20:8812), Methods. c_plus has the unit of w, c_minus none. Without
    noise nothing is drawn; pairs are all-to-all.
    """
    drawn = dict(noise=noise) if float(noise) else {}
    return Rule(
        name,
        synapse=_TRACES,
        propose_pre="(noise*randn() - c_minus)*w*y" if drawn else "-c_minus*w*y",
        propose_post="(c_plus + noise*randn()*w)*x" if drawn else "c_plus*x",
        on_pre="x += 1",
        on_post="y += 1",
        params=dict(c_plus=c_plus, c_minus=c_minus, tau_plus=tau_plus, tau_minus=tau_minus, **drawn),
        source="van Rossum, Bi & Turrigiano 2000, Methods",
    )


def symmetric(
    *, A_near=0.01, A_far=0.0, tau_near=20 * ms, tau_far=40 * ms, nearest=False, name="symmetric"
):
    """STDP that does not ask which spike came first.

        dw = A_near exp(-|s|/tau_near) - A_far exp(-|s|/tau_far)

    The window of coincidence that Woodin, Ganguly & Poo 2003 (Neuron 39:807) measured at inhibitory synapses,
    written as a difference of exponentials; with A_far = 0 it is the plain correlation of the two spike
    trains. Defaults are ours.
    """
    return Rule(
        name,
        synapse="""dx_near/dt = -x_near/tau_near : 1 (event-driven)
                   dx_far/dt = -x_far/tau_far : 1 (event-driven)
                   dy_near/dt = -y_near/tau_near : 1 (event-driven)
                   dy_far/dt = -y_far/tau_far : 1 (event-driven)""",
        propose_pre="A_near*y_near - A_far*y_far",
        propose_post="A_near*x_near - A_far*x_far",
        on_pre="\n".join(_jump(trace, nearest) for trace in ("x_near", "x_far")),
        on_post="\n".join(_jump(trace, nearest) for trace in ("y_near", "y_far")),
        params=dict(A_near=A_near, A_far=A_far, tau_near=tau_near, tau_far=tau_far),
        source="Woodin, Ganguly & Poo 2003, as a difference of exponentials",
    )


def correlation(*, eta=0.01, tau=20 * ms, name="correlation"):
    """Hebb's rule for spikes: the change follows the raw correlation of pre- and postsynaptic spikes.

        dw = eta exp(-|s|/tau)   for every pair;    mean drift eta (2 tau r_pre r_post + covariances)

    Gerstner & Kistler 2002 (Biol. Cybern. 87:404), the term of second order alone. Two uncorrelated trains
    make it grow without end; `covariance` is the same rule that learns nothing from them.
    """
    return Rule(
        name,
        synapse="""dx/dt = -x/tau : 1 (event-driven)
                   dy/dt = -y/tau : 1 (event-driven)""",
        propose_pre="eta*y",
        propose_post="eta*x",
        on_pre="x += 1",
        on_post="y += 1",
        params=dict(eta=eta, tau=tau),
        source="Gerstner & Kistler 2002",
    )


def covariance(*, eta=0.01, tau=20 * ms, tau_mean=1 * second, name="covariance"):
    """Hebb's rule without what mere firing would change: covariance in place of correlation, no reward.

        dw = eta (y - <y>)  on a presynaptic spike        dw = eta (x - <x>)  on a postsynaptic spike

    where x, y are traces of time constant tau and <x>, <y> what they are on average: tau times the running
    rate, of time constant tau_mean, read before the spike itself counts. Sejnowski 1977 (J. Math. Biol.
    4:303) for spikes. In terms of lags, dw = eta (exp(-|s|/tau) - tau/tau_mean exp(-|s|/tau_mean)): a window
    whose integral is zero, so that trains that are independent and stationary leave the mean weight where it
    is. tau_mean must exceed tau.
    """
    return Rule(
        name,
        synapse="""dx/dt = -x/tau : 1 (event-driven)
                   dy/dt = -y/tau : 1 (event-driven)
                   dx_mean/dt = -x_mean/tau_mean : 1 (event-driven)
                   dy_mean/dt = -y_mean/tau_mean : 1 (event-driven)""",
        propose_pre="eta*(y - y_mean)",
        propose_post="eta*(x - x_mean)",
        on_pre="x += 1\nx_mean += tau/tau_mean",
        on_post="y += 1\ny_mean += tau/tau_mean",
        params=dict(eta=eta, tau=tau, tau_mean=tau_mean),
        source="Sejnowski 1977, for spikes",
    )


def inhibitory(*, eta=0.01, rho=3 / second, tau=20 * ms, name="inhibitory"):
    """Symmetric STDP of inhibitory synapses that holds the target's rate at rho.

        dw = eta (y - alpha)  on a presynaptic spike      dw = eta x  on a postsynaptic spike
        alpha = 2 rho tau

    Vogels, Sprekeler, Zenke, Clopath & Gerstner 2011 (Science 334:1569), supporting text. The mean
    drift under uncorrelated trains is 2 eta tau r_pre (r_post - rho): zero where the target fires at rho.
    """
    return Rule(
        name,
        synapse="""dx/dt = -x/tau : 1 (event-driven)
                   dy/dt = -y/tau : 1 (event-driven)""",
        propose_pre="eta*(y - 2*rho*tau)",
        propose_post="eta*x",
        on_pre="x += 1",
        on_post="y += 1",
        params=dict(eta=eta, rho=rho, tau=tau),
        source="Vogels et al. 2011, supporting text",
    )


PFISTER_GERSTNER_2006 = {
    "visual cortex, all-to-all, full": dict(
        A2_plus=5e-10, A3_plus=6.2e-3, A2_minus=7e-3, A3_minus=2.3e-4, tau_x=101 * ms, tau_y=125 * ms
    ),
    "visual cortex, all-to-all, minimal": dict(
        A2_plus=0.0, A3_plus=6.5e-3, A2_minus=7.1e-3, A3_minus=0.0, tau_x=None, tau_y=114 * ms
    ),
    "hippocampal, all-to-all, full": dict(
        A2_plus=6.1e-3, A3_plus=6.7e-3, A2_minus=1.6e-3, A3_minus=1.4e-3, tau_x=946 * ms, tau_y=27 * ms
    ),
    "hippocampal, all-to-all, minimal": dict(
        A2_plus=5.3e-3, A3_plus=8e-3, A2_minus=3.5e-3, A3_minus=0.0, tau_x=None, tau_y=40 * ms
    ),
    "hippocampal, nearest-spike, full": dict(
        A2_plus=4.6e-3, A3_plus=9.1e-3, A2_minus=3e-3, A3_minus=7.5e-9, tau_x=575 * ms, tau_y=47 * ms,
        nearest=True,
    ),
}  # fmt: skip


def triplet(
    *, A2_plus=0.0, A3_plus=6.5e-3, A2_minus=7.1e-3, A3_minus=0.0, tau_plus=16.8 * ms, tau_minus=33.7 * ms,
    tau_x=None, tau_y=114 * ms, nearest=False, w_ref=1, name="triplet",
):  # fmt: skip
    """Triplet rule: pairs, weighed by slow traces of the spike's own side.

        dw = -o1 (A2_minus + A3_minus r2)   on a presynaptic spike
        dw =  r1 (A2_plus + A3_plus o2)     on a postsynaptic spike

    with presynaptic traces r1 (tau_plus), r2 (tau_x) and postsynaptic o1 (tau_minus), o2 (tau_y); r2 and o2
    are read before the spike itself adds to them. Pfister & Gerstner 2006 (J. Neurosci. 26:9673), eqs. 3 and
    4; the fits of their tables 3 and 4 are in `PFISTER_GERSTNER_2006`, each with its own pairing scheme
    (nearest: a spike sets all its traces to 1): `triplet(**PFISTER_GERSTNER_2006["visual cortex, all-to-all,
    minimal"])`, which is the default. Amplitudes count in units of w_ref. tau_x=None leaves r2 and A3_minus
    out.
    """
    if tau_x is None and float(A3_minus):
        raise RuleError(f"triplet: A3_minus = {A3_minus:g} needs tau_x, the time constant of its trace r2.")
    slow = tau_x is not None
    params = dict(A2_plus=A2_plus, A3_plus=A3_plus, A2_minus=A2_minus)
    params |= dict(A3_minus=A3_minus) if slow else {}
    params = {amplitude: value * w_ref for amplitude, value in params.items()}
    params |= dict(tau_plus=tau_plus, tau_minus=tau_minus, tau_y=tau_y) | (dict(tau_x=tau_x) if slow else {})
    equations = """dr1/dt = -r1/tau_plus : 1 (event-driven)
                   do1/dt = -o1/tau_minus : 1 (event-driven)
                   do2/dt = -o2/tau_y : 1 (event-driven)"""
    return Rule(
        name,
        synapse=equations + ("\ndr2/dt = -r2/tau_x : 1 (event-driven)" if slow else ""),
        propose_pre="-o1*(A2_minus + A3_minus*r2)" if slow else "-o1*A2_minus",
        propose_post="r1*(A2_plus + A3_plus*o2)",
        on_pre="\n".join(_jump(trace, nearest) for trace in (("r1", "r2") if slow else ("r1",))),
        on_post=f"{_jump('o1', nearest)}\n{_jump('o2', nearest)}",
        params=params,
        source="Pfister & Gerstner 2006, eqs. 3 and 4",
    )


def clopath(
    *, A_LTD=14e-5 / mV, A_LTP=8e-5 / mV**2, theta_minus=-70.6 * mV, theta_plus=-45.3 * mV, tau_minus=10 * ms,
    tau_plus=7 * ms, tau_x=15 * ms, delay=4 * ms, stages=40, voltage="v", w_ref=1, name="clopath",
):  # fmt: skip
    """Voltage-based STDP.

        dw = -A_LTD [u_minus(t - delay) - theta_minus]+       on a presynaptic spike
        dw/dt = A_LTP x [u - theta_plus]+ [u_plus(t - delay) - theta_minus]+

    where u is the membrane potential, u_minus and u_plus are u filtered with tau_minus and tau_plus, and the
    trace x decays with tau_x and jumps by 1/(tau_x in ms) at presynaptic spikes. Clopath, Buesing, Vasilaki &
    Gerstner 2010 (Nat. Neurosci. 13:344), eqs. 1 to 3, parameters of visual cortex. The delay of the filtered
    potentials stands in the authors' program (ModelDB 144566) and not in the paper; delay=0*ms leaves it out.

    A neuron keeps the delayed values in a register of `stages` values, shifted every delay/stages: that must
    be a multiple of the time step. Between spikes nothing is done per synapse: the neuron integrates
    F = int k [..]+ [..]+ dt with k = exp(-(t - t_sweep)/tau_x), and a synapse that keeps c = x/k has gained
    A_LTP c (F - F0) since it last looked. Every 10 tau_x a sweep starts F and k anew. F and k follow the
    method of the cell: with Euler's, potentiation is off by a part of order dt/tau_x.

    `voltage` names the cell's membrane potential (a cell that is clamped during its spikes may have another
    variable for it); filtered potentials start at theta_minus. Amplitudes count in units of w_ref. Left out:
    the homeostatic A_LTD, which depends on the mean potential.
    """
    if not isinstance(stages, int) or not 1 <= stages <= 1000:
        raise RuleError(f"clopath: stages is {stages!r}; give a whole number from 1 to 1000.")
    delayed = bool(float(delay))
    late = {k: f"u_{k}_{stages}" if delayed else f"u_{k}" for k in ("plus", "minus")}
    register, shift, start = "", (), {}
    if delayed:
        names = [[f"u_{k}_{n}" for n in range(1, stages + 1)] for k in ("plus", "minus")]
        register = "".join(f"\n{variable} : volt" for line in names for variable in line)
        moves = [
            f"{new} = {old}"
            for k, line in zip(("plus", "minus"), names, strict=True)
            for old, new in reversed(list(zip([f"u_{k}", *line[:-1]], line, strict=True)))
        ]
        shift = (Periodic("\n".join(moves), every=f"{1/stages!r}*delay", on="post"),)
        start = {variable: "theta_minus" for line in names for variable in line}
    return Rule(
        name,
        synapse="c : 1\nF0 : volt**2*second",
        post=f"""du_minus/dt = ({voltage} - u_minus)/tau_minus : volt
                 du_plus/dt = ({voltage} - u_plus)/tau_plus : volt
                 dk/dt = -k/tau_x : 1
                 over = clip({voltage} - theta_plus, 0*volt, inf*volt) : volt
                 dF/dt = k*over*clip({late["plus"]} - theta_minus, 0*volt, inf*volt) : volt**2*second"""
        + register,
        settle="w += A_LTP*c*(F_post - F0)/tau_x\nF0 = F_post",
        propose_pre=f"-A_LTD*clip({late['minus']}_post - theta_minus, 0*volt, inf*volt)",
        on_pre="c += 1/k_post",
        periodic=(
            *shift,
            Periodic("c *= k_post\nF0 = 0*volt**2*second", every="10*tau_x", order=1),
            Periodic("F = 0*volt**2*second\nk = 1", every="10*tau_x", order=2, on="post"),
        ),
        params=dict(
            A_LTD=A_LTD * w_ref, A_LTP=A_LTP * w_ref, theta_minus=theta_minus, theta_plus=theta_plus,
            tau_minus=tau_minus, tau_plus=tau_plus, tau_x=tau_x, **(dict(delay=delay) if delayed else {}),
        ),
        init={"u_minus": "theta_minus", "u_plus": "theta_minus", "k": 1, **start},
        needs={f"{voltage}_post": volt},
        source="Clopath et al. 2010, eqs. 1 to 3",
    )  # fmt: skip


GRAUPNER_BRUNEL_2012 = {
    "DP": dict(C_source=1.0, C_target=2.0, gamma_d=200.0, gamma_p=321.808, sigma=2.8284),
    "DPD": dict(C_source=0.9, C_target=0.9, gamma_d=250.0, gamma_p=550.0, sigma=2.8284),
    "DPD'": dict(C_source=1.0, C_target=2.0, theta_p=2.5, gamma_d=50.0, gamma_p=600.0, sigma=2.8284),
    "P": dict(C_source=2.0, C_target=2.0, gamma_d=160.0, gamma_p=257.447, sigma=2.8284),
    "D": dict(C_source=0.6, C_target=0.6, gamma_d=500.0, gamma_p=550.0, sigma=5.6568),
    "D'": dict(C_source=1.0, C_target=2.0, theta_p=3.5, gamma_d=60.0, gamma_p=600.0, sigma=2.8284),
    "hippocampal slices": dict(
        tau_Ca=48.8373 * ms, C_source=1.0, C_target=0.275865, gamma_d=313.0965, gamma_p=1645.59, sigma=9.1844,
        tau=688.355 * second,
    ),
    "hippocampal cultures": dict(
        tau_Ca=11.9536 * ms, C_source=0.58156, C_target=1.76444, gamma_d=61.141, gamma_p=113.6545,
        sigma=2.5654, tau=33.7596 * second,
    ),
    "cortical slices": dict(
        tau_Ca=22.6936 * ms, C_source=0.5617539, C_target=1.23964, gamma_d=331.909, gamma_p=725.085,
        sigma=3.3501, tau=346.3615 * second,
    ),
}  # fmt: skip
# How long after a presynaptic spike its calcium comes, for the rows above: the delay of the projection.
CALCIUM_DELAYS = {
    "DP": 13.7 * ms, "DPD": 4.6 * ms, "DPD'": 2.2 * ms, "P": 0 * ms, "D": 0 * ms, "D'": 0 * ms,
    "hippocampal slices": 18.8008 * ms, "hippocampal cultures": 10 * ms, "cortical slices": 4.6098 * ms,
}  # fmt: skip


def calcium(
    *, tau_Ca=20 * ms, C_source=1.0, C_target=2.0, theta_d=1.0, theta_p=1.3, gamma_d=200.0, gamma_p=321.808,
    tau=150 * second, sigma=0.0, name="calcium",
):  # fmt: skip
    """Calcium-based plasticity: potentiation and depression while calcium is above their thresholds.

        tau drho/dt = -rho (1 - rho) (1/2 - rho) + gamma_p (1 - rho) P - gamma_d rho D
                      + sigma sqrt(tau (P + D)) xi
        P = 1 while c > theta_p, else 0             D = 1 while c > theta_d, else 0
        dc/dt = -c/tau_Ca    c += C_source on a presynaptic spike    c += C_target on a postsynaptic spike
        w = w_min + (w_max - w_min) rho

    Graupner & Brunel 2012 (PNAS 109:3991), eqs. 1 and 2, noise as corrected (doi 10.1073/pnas.1220044110);
    their parameter sets are in `GRAUPNER_BRUNEL_2012`. Calcium of a presynaptic spike comes D later: give the
    projection that delay (`CALCIUM_DELAYS`), which then delays transmission too.

    Event-driven: between spikes calcium falls, so that the time above a threshold is a logarithm, and the
    linear terms and the noise have closed forms over it. The double well is kept, with its barrier at 1/2, by
    its own exact flow over the whole interval, after the calcium's part: the two do not commute, an error of
    order interval/tau. theta_d must not exceed theta_p. The weight itself is the state, so the rule needs
    bounds w_min and w_max; without sigma nothing is drawn and rho stays between 0 and 1, with sigma it is cut
    off there, as the paper's is not.
    """
    drawn = dict(sigma=sigma) if float(sigma) else {}
    return Rule(
        name,
        synapse="calcium : 1\nsince : second",
        # over: the time above each threshold since the last event; 1e-300 keeps the logarithm finite
        settle=f"""over_p = clip(tau_Ca*log(calcium/theta_p + 1e-300), 0*second, t - since)
                   over_d = clip(tau_Ca*log(calcium/theta_d + 1e-300), 0*second, t - since) - over_p
                   keep_p = exp(-over_p*(gamma_p + gamma_d)/tau)
                   keep_d = exp(-over_d*gamma_d/tau)
                   goal = gamma_p/(gamma_p + gamma_d)
                   rho = (w - w_min)/(w_max - w_min)
                   rho = goal + (rho - goal)*keep_p{_NOISE_P if drawn else ""}
                   rho *= keep_d{_NOISE_D if drawn else ""}
                   off = (rho - 0.5)**2
                   rho = 0.5 + (rho - 0.5)/sqrt(4*off + (1 - 4*off)*exp(-(t - since)/(2*tau)))
                   calcium *= exp(-(t - since)/tau_Ca)
                   since = t
                   w = w_min + (w_max - w_min)*rho""",
        on_pre="calcium += C_source",
        on_post="calcium += C_target",
        params=dict(
            tau_Ca=tau_Ca, C_source=C_source, C_target=C_target, theta_d=theta_d, theta_p=theta_p,
            gamma_d=gamma_d, gamma_p=gamma_p, tau=tau, **drawn,
        ),
        source="Graupner & Brunel 2012, eqs. 1 and 2",
    )  # fmt: skip


# Above n thresholds there are n units of noise, and the stationary variance is n sigma^2/(2 Gamma).
_NOISE_P = " + sigma*sqrt((1 - keep_p**2)/(gamma_p + gamma_d))*randn()"
_NOISE_D = "\nrho += sigma*sqrt((1 - keep_d**2)/(2*gamma_d))*randn()"


guard(globals())
