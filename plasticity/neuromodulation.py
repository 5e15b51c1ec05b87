"""Third factors: signals that tell a synapse when, or whether, its change counts.

Cells make the signals: `dopamine` (pulses that decay), `prediction_error` (reward minus a learned baseline)
and `td_error` (temporal differences of a spiking critic). A circuit brings a signal to the cells it concerns:

    Circuit(dopamine=population(neuromodulation.dopamine(), 1), da=signal("dopamine.d", "cells"), ...)

and rules read it as `da_post`. Rules that propose (`coincidence`, `presynaptic`, `supervised`), gates
(`gating`), and the sink `eligibility` compose: what is proposed goes through all gates into the eligibility
trace, and a modulator turns the trace into weight.
"""

from brian2 import Hz, ms, second
from brian2.core.functions import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS
from brian2.utils.stringtools import get_identifiers

from circuits import Cell
from circuits.errors import guard
from circuits.values import dimension, unit_text

from .rule import Periodic, Rule

__all__ = [
    "coincidence",
    "dopamine",
    "eligibility",
    "gating",
    "prediction_error",
    "presynaptic",
    "supervised",
    "td_error",
]


# Cells whose variable d is a signal.


def dopamine(*, tau_d=200 * ms):
    """Concentration of dopamine above its tonic level: pulses that decay.

        dd/dt = -d/tau_d + release                                 a reward adds to d

    Izhikevich 2007, Cereb. Cortex 17:2443 (there tau_d = 200 ms and rewards of 0.5 uM; d counts in uM).
    Phasic pulses come over a projection with `synapses.delta("d", 0.5)`, a sustained release through the
    input `release` (1/s). The tonic level is a number of the rule that reads d, not of this cell. Exact;
    `eligibility` takes d to decay within a step, so that for it a sustained release is exact to first order
    in the step only, and its tau_d must be the cell's.
    """
    return Cell(
        "dopamine",
        "dd/dt = -d/tau_d + release : 1",
        params=dict(tau_d=tau_d),
        inputs={"release": Hz},
        method="exact",
        source="Izhikevich 2007",
    )


def prediction_error(*, tau_r=200 * ms, tau_b=20 * second):
    """Reward minus its learned expectation, a running mean.

        dr/dt = -r/tau_r                                           a reward adds to r
        db/dt = (r - b)/tau_b
        d = r - b

    After Fremaux, Sprekeler & Gerstner 2010, J. Neurosci. 30:13326, whose baseline is a running mean over
    the rewards of the last trials; here it runs in time, so that it needs no trials. As tau_b db/dt = d,
    the signal integrates to tau_b times the change of the baseline: once the baseline rests, it is zero on
    average, and what a synapse would learn without any covariance of reward and activity is zero too.
    Rewards come over a projection with `synapses.delta("r", ...)`. Where several stimuli earn different
    rewards, each needs its own baseline (or the critic of `td_error`), as the paper shows. Exact.
    """
    return Cell(
        "prediction_error",
        """dr/dt = -r/tau_r : 1
           db/dt = (r - b)/tau_b : 1
           d = r - b : 1""",
        params=dict(tau_r=tau_r, tau_b=tau_b),
        method="exact",
        source="Fremaux, Sprekeler & Gerstner 2010",
    )


def td_error(
    *, tau_r=4 * second, tau_kappa=200 * ms, upsilon=50 * ms, nu=2 * second, V_0=-40.0, tau_R=200 * ms
):
    """Temporal-difference error of a critic that spikes, in continuous time.

        rho = spikes of the critic, filtered with (exp(-t/tau_kappa) - exp(-t/upsilon))/(tau_kappa - upsilon)
        V = V_0 + nu rho
        d = dV/dt - V/tau_r + r                                    (1/s, rewards counted as numbers)

    Fremaux, Sprekeler & Gerstner 2013, PLoS Comput. Biol. 9:e1003024, the equations of the critic and of
    the TD error. The kernel is a chain of two leaky integrators (s of upsilon, then rho of tau_kappa),
    which is the same function of time and gives dV/dt without a derivative. Each of n critic cells adds 1/n
    to s over a projection with `synapses.delta("s", 1/n)`; a critic that is a rate comes through the input
    `drive` (Hz). A reward of size 1 adds 1 to R and comes in over tau_R: r = R/tau_R, of integral 1 (the
    paper shapes its rewards with a difference of exponentials). d is zero where V = discounted future
    reward, that is V(t) = integral over s > t of r(s) exp(-(s - t)/tau_r). Exact.
    """
    return Cell(
        "td_error",
        """ds/dt = -s/upsilon + drive : 1
           drho/dt = (s/upsilon - rho)/tau_kappa : Hz
           dR/dt = -R/tau_R : 1
           V = V_0 + nu*rho : 1
           d = nu*(s/upsilon - rho)/tau_kappa - V/tau_r + R/tau_R : Hz""",
        params=dict(tau_r=tau_r, tau_kappa=tau_kappa, upsilon=upsilon, nu=nu, V_0=V_0, tau_R=tau_R),
        inputs={"drive": Hz},
        method="exact",
        source="Fremaux, Sprekeler & Gerstner 2013",
    )


# Rules that propose.


def coincidence(*, A=0.01, tau=20 * ms, name="coincidence"):
    """Hebbian coincidences: a postsynaptic spike proposes the trace that presynaptic spikes have left.

        dx/dt = -x/tau; pre: x += 1; post: dw = A x, then x = 0

    The factor Y (X o epsilon) of TD-LTP in Fremaux, Sprekeler & Gerstner 2013: with `eligibility` and the
    TD error as its modulator the learning rule of their critic and of their actor alike. Presynaptic spikes
    before the last postsynaptic one do not count. epsilon is one exponential here, not the difference of
    two of the neuron's response. A has the unit of the weight.
    """
    return Rule(
        name,
        synapse="dx/dt = -x/tau : 1 (event-driven)",
        propose_post="A*x",
        on_pre="x += 1",
        on_post="x = 0",
        params=dict(A=A, tau=tau),
        source="Fremaux, Sprekeler & Gerstner 2013",
    )


def presynaptic(*, A=0.01, name="presynaptic"):
    """Every presynaptic spike proposes A (the unit of the weight), whatever the target does.

    With `eligibility` and an error of the target neuron as modulator this is the three-factor form of
    supervised learning: dw/dt = error(t) (A spikes filtered by the trace). A climbing fibre that reports an
    error late needs it: the trace keeps what was active before.
    """
    return Rule(
        name, propose_pre="A", params=dict(A=A), source="presynaptic term: definition of this project"
    )


def supervised(*, eta=0.01, error="err", name="supervised"):
    """Delta rule of spiking neurons: at a presynaptic spike dw = eta error, with the target neuron's own
    error.

        pre: dw = eta err_post

    Widrow & Hoff 1960, sampled by presynaptic spikes, so that the expected change per time is eta times
    presynaptic rate times error. The error is a variable of the target cell (`cell.plus("err = goal - y :
    1")`) or a signal with one value for each target. eta has the unit of the weight over that of the error.
    """
    return Rule(
        name,
        propose_pre=f"eta*{error}_post",
        params=dict(eta=eta),
        needs={f"{error}_post": 1},
        remedy={
            f"{error}_post": f'Give the target cells a variable {error}, or add {error}=signal("errors.d", '
            '"cells") to the circuit, with one value for each target.'
        },
        source="Widrow & Hoff 1960",
    )


# Gates.


def gating(*, signal="attention", tonic=0.0, gain=1.0, name=None):
    """A signal multiplies every change: attention, or a modulator without a memory.

        gate = tonic + gain signal_post

    With a signal of 0 or 1 for each target neuron this is the attentional feedback of Roelfsema & van Ooyen
    2005, Neural Comput. 17:2176: only neurons that take part in what was selected learn. With one signal
    for all it is a neuromodulator that acts at the time of the spikes (tonic is its level); several
    of them multiply, each under its own name (by default that of its signal). A gate that turns negative
    exchanges potentiation and depression. Together with `eligibility` it decides what becomes eligible.
    """
    return Rule(
        name or signal,
        gate=f"tonic + gain*{signal}_post",
        params=dict(tonic=tonic, gain=gain),
        needs={f"{signal}_post": 1},
        remedy={f"{signal}_post": f'Add {signal}=signal("{signal}_cells.d", "cells") to the circuit.'},
        source="Roelfsema & van Ooyen 2005",
    )


# The sink.


def eligibility(
    *,
    tau_c=1 * second,
    eta=1 * Hz,
    tau_d=200 * ms,
    tonic=0.0,
    modulator="da",
    unit=1,
    name="eligibility",
):
    """What is proposed becomes eligible, and a modulator turns it into weight while it lasts.

        dc/dt = -c/tau_c + what is proposed at spikes              dw/dt = eta c (d + tonic)

    Izhikevich 2007, Cereb. Cortex 17:2443, eqs. in "Methods". Exact and without a clock for the synapses:
    with u = exp(-(t - t_0)/tau_c) = 1/g, the target cell integrates F = integral of u (d + tonic), and the
    synapse keeps c g, which does not change between spikes, so that w grows by eta c g times the growth of
    F from one spike to the next, whatever d did; what is stored between spikes is w - eta c g F. Every 5
    tau_c c is brought up to date and t_0 moves on. Between steps of time d is taken to decay with tau_d, as
    that of `dopamine` does; for a signal of any other shape give a tau_d that is long, and d counts as
    constant within a step. Bounds act when a spike or a recorder asks for the weight, and every 5 tau_c: one
    that has left its range in between can come back, and a recorder that asks often cuts it off earlier.
    c_eligibility, as it is kept, is c g. `unit` is that of the modulator; eta has 1/s over it. Several
    modulators add up: modulator="da - 0.5*aversion" reads two signals.
    """
    integral = unit_text(dimension(second * unit))
    tonic = 0.0 * unit if isinstance(tonic, (int, float)) and tonic == 0 else tonic
    modulators = sorted(get_identifiers(modulator) - {*DEFAULT_FUNCTIONS, *DEFAULT_CONSTANTS})
    return Rule(
        name,
        synapse="c : weight",
        post=f"""g : 1
                 u : 1
                 F : {integral}""",
        sink="c += dw*g_post",
        settle="w += eta*c*F_post",
        unsettle="w -= eta*c*F_post",
        step_post=f"""during = tau_c*tau_d/(tau_c + tau_d)*(1 - exp(-dt/tau_c - dt/tau_d))
                      F += u*(({modulator})*during + tonic*tau_c*(1 - exp(-dt/tau_c)))
                      u *= exp(-dt/tau_c)
                      g *= exp(dt/tau_c)""",
        periodic=(
            Periodic("c /= g_post", every="5*tau_c", order=-2),
            Periodic("u = 1; g = 1", every="5*tau_c", order=-1, on="post"),
        ),
        init={"u": 1.0, "g": 1.0},
        params=dict(tau_c=tau_c, eta=eta, tau_d=tau_d, tonic=tonic),
        needs={f"{one}_post": unit for one in modulators},
        remedy={
            f"{one}_post": f'Add {one}=signal("dopamine.d", "cells") to the circuit, and a population with '
            "that variable, such as dopamine=population(neuromodulation.dopamine(), 1)."
            for one in modulators
        },
        source="Izhikevich 2007",
    )


guard(globals())
