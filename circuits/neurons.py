"""Library of cells: integrate-and-fire neurons, adaptive ones, and Hodgkin-Huxley.

Every function returns a `Cell`; its keywords are the parameters, open at run time, with the paper's values as
defaults. Names are the same everywhere: v membrane potential, V_t threshold, V_r reset, E_L resting or leak
potential, t_ref refractory period, C_m capacity, g_L leak conductance, tau_m membrane time constant, R
membrane resistance, I the input (its unit is stated for each cell).

What time means here: a step leads from t to t + dt; a threshold crossed on the way is a spike with time t,
and the reset takes place at t + dt. A cell that needs T from reset to threshold fires every ceil(T/dt) steps
without refractory period, and every k - 1 + ceil(T/dt) steps with one of k >= 1 steps: the interval exceeds T
by less than a step, or falls short of t_ref + T by less than a step. Rates inherit an error of up to
rate**2 dt: choose dt for the rate.

`izhikevich_patterns` and `adaptive_exponential_patterns` hold the firing patterns of two papers: parameters,
start values and input.
"""

from dataclasses import dataclass

import numpy as np
from brian2 import Mohm, cm, ms, msiemens, mV, nF, nS, pA, pF, uF, uS
from brian2.units import Quantity, amp, meter, second, volt

from .cell import Cell
from .errors import guard

__all__ = [
    "Pattern", "adaptive_exponential", "adaptive_exponential_patterns", "adaptive_threshold", "cuba",
    "hodgkin_huxley", "integrate_and_fire", "izhikevich", "izhikevich_patterns", "leaky",
    "leaky_conductance", "traub_miles",
]


def integrate_and_fire(*, C_m=0.2 * nF, V_t=-50 * mV, V_r=-60 * mV, t_ref=0 * ms):
    """Perfect integrator: charge accumulates without leak until the threshold.

        C_m dv/dt = I                                             v > V_t:  v -> V_r, silent for t_ref

    Lapicque 1907 without its leak, as in Gerstner et al. 2014, Neuronal Dynamics, section 1.3. Input I in
    amp. Under a constant current it fires at rate 1/(t_ref + C_m (V_t - V_r)/I). Integrated exactly. Starts
    at V_r.
    """
    return Cell(
        "integrate_and_fire",
        "dv/dt = I/C_m : volt (unless refractory)",
        params=dict(C_m=C_m, V_t=V_t, V_r=V_r, t_ref=t_ref),
        inputs={"I": amp},
        threshold="v > V_t",
        reset="v = V_r",
        refractory="t_ref",
        method="exact",
        init={"v": "V_r"},
        source="Lapicque 1907; Gerstner et al. 2014, section 1.3",
    )


def leaky(*, tau_m=20 * ms, R=100 * Mohm, E_L=-70 * mV, V_t=-50 * mV, V_r=-60 * mV, t_ref=2 * ms):
    """Leaky integrate-and-fire neuron with current input.

        tau_m dv/dt = E_L - v + R I                               v > V_t:  v -> V_r, held there for t_ref

    Lapicque 1907; Gerstner et al. 2014, Neuronal Dynamics, section 1.3. Input I in amp. Under a constant
    current with R I > V_t - E_L it fires at rate 1/(t_ref + tau_m ln((E_L + R I - V_r)/(E_L + R I - V_t))).
    Integrated exactly for currents that are constant over a step. Starts at E_L. The values are ordinary ones
    for cortex, of no single paper.
    """
    return Cell(
        "leaky",
        "dv/dt = (E_L - v + R*I)/tau_m : volt (unless refractory)",
        params=dict(tau_m=tau_m, R=R, E_L=E_L, V_t=V_t, V_r=V_r, t_ref=t_ref),
        inputs={"I": amp},
        threshold="v > V_t",
        reset="v = V_r",
        refractory="t_ref",
        method="exact",
        init={"v": "E_L"},
        source="Lapicque 1907; Gerstner et al. 2014, section 1.3",
    )


def leaky_conductance(
    *, C_m=200 * pF, g_L=10 * nS, E_L=-60 * mV, V_t=-50 * mV, V_r=-60 * mV, t_ref=5 * ms,
    E_e=0 * mV, E_i=-80 * mV, tau_e=5 * ms, tau_i=10 * ms,
):
    """Leaky integrate-and-fire neuron with exponential excitatory and inhibitory conductances (COBA).

        C_m dv/dt = g_L (E_L - v) + g_e (E_e - v) + g_i (E_i - v) + I
        tau_e dg_e/dt = -g_e     tau_i dg_i/dt = -g_i             v > V_t:  v -> V_r, held there for t_ref

    Vogels & Abbott 2005 as benchmark 1 of Brette et al. 2007 (J. Comput. Neurosci. 23:349, appendix B), whose
    weights are `delta("g_e", 6*nS)` and `delta("g_i", 67*nS)`. Input I in amp. Conductances go on decaying
    while the cell is refractory. Runge-Kutta of 4th order, because exponential Euler holds conductances
    constant over a step, an error of dt/(2 tau_e).
    """
    return Cell(
        "leaky_conductance",
        """dv/dt = (g_L*(E_L - v) + g_e*(E_e - v) + g_i*(E_i - v) + I)/C_m : volt (unless refractory)
           dg_e/dt = -g_e/tau_e : siemens
           dg_i/dt = -g_i/tau_i : siemens""",
        params=dict(
            C_m=C_m, g_L=g_L, E_L=E_L, V_t=V_t, V_r=V_r, t_ref=t_ref, E_e=E_e, E_i=E_i, tau_e=tau_e,
            tau_i=tau_i,
        ),
        inputs={"I": amp},
        threshold="v > V_t",
        reset="v = V_r",
        refractory="t_ref",
        method="rk4",
        init={"v": "E_L"},
        source="Vogels & Abbott 2005; Brette et al. 2007, benchmark 1",
    )


def cuba(
    *, tau_m=20 * ms, tau_e=5 * ms, tau_i=10 * ms, E_L=-49 * mV, V_t=-50 * mV, V_r=-60 * mV, t_ref=5 * ms
):
    """Leaky integrate-and-fire neuron with exponential synaptic currents, in units of voltage (CUBA).

        tau_m dv/dt = g_e + g_i - (v - E_L)
        tau_e dg_e/dt = -g_e     tau_i dg_i/dt = -g_i             v > V_t:  v -> V_r, held there for t_ref

    Vogels & Abbott 2005 as benchmark 2 of Brette et al. 2007 (J. Comput. Neurosci. 23:349, appendix B), whose
    weights are `delta("g_e", 1.62*mV)` and `delta("g_i", -9*mV)`. g_e and g_i (volt) are currents times the
    membrane resistance; there is no other input. E_L lies above the threshold, so that the cell fires by
    itself. Integrated exactly. Starts at V_r.
    """
    return Cell(
        "cuba",
        """dv/dt = (g_e + g_i - (v - E_L))/tau_m : volt (unless refractory)
           dg_e/dt = -g_e/tau_e : volt
           dg_i/dt = -g_i/tau_i : volt""",
        params=dict(tau_m=tau_m, tau_e=tau_e, tau_i=tau_i, E_L=E_L, V_t=V_t, V_r=V_r, t_ref=t_ref),
        threshold="v > V_t",
        reset="v = V_r",
        refractory="t_ref",
        method="exact",
        init={"v": "V_r"},
        source="Vogels & Abbott 2005; Brette et al. 2007, benchmark 2",
    )


def adaptive_threshold(
    *, tau_m=20 * ms, R=100 * Mohm, E_L=-70 * mV, V_t=-50 * mV, V_r=-60 * mV, t_ref=2 * ms,
    tau_theta=100 * ms, theta_step=2 * mV,
):
    """Leaky integrate-and-fire neuron whose threshold rises with every spike and decays back.

        tau_m dv/dt = E_L - v + R I          tau_theta dtheta/dt = V_t - theta
        v > theta:  v -> V_r, held there for t_ref;  theta -> theta + theta_step

    The dynamic threshold of Chacron, Longtin & Maler 2001 (J. Neurosci. 21:5328), without the noise and the
    sensory input of that paper; theta decays also while v is held. Input I in amp. Integrated exactly. Starts
    at E_L with theta = V_t. Under a constant current the interval approaches the T that solves

        E_L + R I + (V_r - E_L - R I) exp(-(T - t_ref)/tau_m) = V_t + theta_step/(exp(T/tau_theta) - 1)

    The values of the membrane are those of `leaky`, the others chosen for visible adaptation.
    """
    return Cell(
        "adaptive_threshold",
        """dv/dt = (E_L - v + R*I)/tau_m : volt (unless refractory)
           dtheta/dt = (V_t - theta)/tau_theta : volt""",
        params=dict(
            tau_m=tau_m, R=R, E_L=E_L, V_t=V_t, V_r=V_r, t_ref=t_ref, tau_theta=tau_theta,
            theta_step=theta_step,
        ),
        inputs={"I": amp},
        threshold="v > theta",
        reset="v = V_r\ntheta += theta_step",
        refractory="t_ref",
        method="exact",
        init={"v": "E_L", "theta": "V_t"},
        source="Chacron, Longtin & Maler 2001",
    )


def adaptive_exponential(
    *, C_m=281 * pF, g_L=30 * nS, E_L=-70.6 * mV, V_T=-50.4 * mV, Delta_T=2 * mV, tau_w=144 * ms, a=4 * nS,
    b=80.5 * pA, V_r=-70.6 * mV, V_peak=20 * mV, t_ref=0 * ms,
):
    """Adaptive exponential integrate-and-fire neuron.

        C_m dv/dt = -g_L (v - E_L) + g_L Delta_T exp((v - V_T)/Delta_T) - w + I
        tau_w dw/dt = a (v - E_L) - w          v > V_peak:  v -> V_r, held there for t_ref, w -> w + b

    Brette & Gerstner 2005 (J. Neurophysiol. 94:3637), eqs. 1 to 3. Input I in amp. Starts at E_L with w = 0.

    The right-hand sides take u = min(v, V_peak): v runs away within the last step, and an integrator that
    looks ahead must not carry that into w (nor overflow). The solution up to the spike is the same.
    Runge-Kutta of 4th order: at 0.1 ms the first spike comes within 0.08 ms of the exact solution, with Euler
    0.1 to 0.3 ms late. What remains is of first order: a reset waits for the end of its step, and the
    upstroke may take one step more, which together lengthen an interval by dt/2 to dt on average.
    """
    return Cell(
        "adaptive_exponential",
        """dv/dt = (g_L*(E_L - u + Delta_T*exp((u - V_T)/Delta_T)) - w + I)/C_m : volt (unless refractory)
           dw/dt = (a*(u - E_L) - w)/tau_w : amp
           u = clip(v, -inf*volt, V_peak) : volt""",
        params=dict(
            C_m=C_m, g_L=g_L, E_L=E_L, V_T=V_T, Delta_T=Delta_T, tau_w=tau_w, a=a, b=b, V_r=V_r,
            V_peak=V_peak, t_ref=t_ref,
        ),
        inputs={"I": amp},
        threshold="v > V_peak",
        reset="v = V_r\nw += b",
        refractory="t_ref",
        method="rk4",
        init={"v": "E_L"},
        source="Brette & Gerstner 2005, eqs. 1 to 3",
    )


def izhikevich(
    *, a=0.02 / ms, b=0.2 / ms, c=-65 * mV, d=8 * mV / ms, k2=0.04 / ms / mV, k1=5 / ms, k0=140 * mV / ms,
    V_peak=30 * mV,
):
    """Izhikevich's simple model; the defaults are a regular spiking cell.

        dv/dt = k2 v**2 + k1 v + k0 - u + I          du/dt = a (b v - u)
        v > V_peak:  v -> c, u -> u + d

    Izhikevich 2003 (IEEE Trans. Neural Netw. 14:1569), eqs. 1 to 3, where voltages are numbers of mV and
    times numbers of ms: a and b carry 1/ms; u, d and the input I are rates of voltage (volt/second), so that
    the paper's I = 10 is 10*mV/ms. Starts at v = -65 mV, u = b v. Forward Euler, as in Brian2's examples and
    in NEST's `izhikevich` with consistent_integration; the paper's program takes two half steps for v. The
    model has no time scale for the upstroke of a spike: intervals depend on the step.
    """
    return Cell(
        "izhikevich",
        """dv/dt = k2*v**2 + k1*v + k0 - u + I : volt
           du/dt = a*(b*v - u) : volt/second""",
        params=dict(a=a, b=b, c=c, d=d, k2=k2, k1=k1, k0=k0, V_peak=V_peak),
        inputs={"I": volt / second},
        threshold="v > V_peak",
        reset="v = c\nu += d",
        method="euler",
        init={"v": -65 * mV, "u": "b*v"},
        source="Izhikevich 2003, eqs. 1 to 3",
    )


def hodgkin_huxley(
    *, C_m=1 * uF / cm**2, g_Na=120 * msiemens / cm**2, g_K=36 * msiemens / cm**2, g_L=0.3 * msiemens / cm**2,
    E_Na=50 * mV, E_K=-77 * mV, E_L=-54.402 * mV, V_spike=0 * mV, method="rk4",
):
    """Squid giant axon (space clamp, 6.3 degrees Celsius), per membrane area.

        C_m dv/dt = I - g_Na m**3 h (v - E_Na) - g_K n**4 (v - E_K) - g_L (v - E_L)
        dx/dt = alpha_x(v) (1 - x) - beta_x(v) x,  x = m, h, n

    Hodgkin & Huxley 1952 (J. Physiol. 117:500), eqs. 26 and 7, 15, 16 with the rates of eqs. 20, 21, 23, 24,
    12, 13; voltages as they are written today: rest at -65 mV, sign turned. Input I in amp/metre**2
    (10*uamp/cm**2). A spike is an upward crossing of V_spike, one per crossing. Starts at v = -65 mV with
    gates at their steady state for that voltage; E_L makes it the rest. The singularities of alpha_m at -40
    mV and alpha_n at -55 mV are removed: x/(1 - exp(-x)) = 1/exprel(-x).

    At 10 uA/cm2 the first five spikes (up to 61 ms) come at most 0.03 ms early with "rk4" at 0.05 ms and
    0.006 ms at 0.01 ms; with "exponential_euler" they come 1.6 ms late at 0.05 ms and 0.3 ms at 0.01 ms, at a
    rate 2.4 and 0.5 % low. "rk4" needs dt <= 0.05 ms; "exponential_euler" stays stable at larger steps.
    """
    return Cell(
        "hodgkin_huxley",
        """dv/dt = (I - g_Na*m**3*h*(v - E_Na) - g_K*n**4*(v - E_K) - g_L*(v - E_L))/C_m : volt
           dm/dt = alpha_m*(1 - m) - beta_m*m : 1
           dh/dt = alpha_h*(1 - h) - beta_h*h : 1
           dn/dt = alpha_n*(1 - n) - beta_n*n : 1
           alpha_m = 1/exprel(-(v + 40*mV)/(10*mV))/ms : Hz
           beta_m = 4*exp(-(v + 65*mV)/(18*mV))/ms : Hz
           alpha_h = 0.07*exp(-(v + 65*mV)/(20*mV))/ms : Hz
           beta_h = 1/(1 + exp(-(v + 35*mV)/(10*mV)))/ms : Hz
           alpha_n = 0.1/exprel(-(v + 55*mV)/(10*mV))/ms : Hz
           beta_n = 0.125*exp(-(v + 65*mV)/(80*mV))/ms : Hz""",
        params=dict(C_m=C_m, g_Na=g_Na, g_K=g_K, g_L=g_L, E_Na=E_Na, E_K=E_K, E_L=E_L, V_spike=V_spike),
        inputs={"I": amp / meter**2},
        threshold="v > V_spike",
        refractory="v > V_spike",
        method=method,
        init={"v": -65 * mV, **_STEADY_GATES},
        source="Hodgkin & Huxley 1952, eqs. 26, 7, 15, 16",
    )


def traub_miles(
    *, C_m=200 * pF, g_L=10 * nS, g_Na=20 * uS, g_K=6 * uS, E_L=-60 * mV, E_Na=50 * mV, E_K=-90 * mV,
    V_T=-63 * mV, E_e=0 * mV, E_i=-80 * mV, tau_e=5 * ms, tau_i=10 * ms, V_spike=-20 * mV, method="rk4",
):
    """Hodgkin-Huxley neuron of the hippocampus with exponential conductances (COBAHH).

        C_m dv/dt = I_g + I - g_L (v - E_L) - g_Na m**3 h (v - E_Na) - g_K n**4 (v - E_K)
        dx/dt = alpha_x(v) (1 - x) - beta_x(v) x,  x = m, h, n
        I_g = g_e (E_e - v) + g_i (E_i - v)      tau_e dg_e/dt = -g_e      tau_i dg_i/dt = -g_i

    Traub & Miles 1991 as simplified for benchmark 3 of Brette et al. 2007 (J. Comput. Neurosci. 23:349,
    appendix B): whole cell of 20000 um2; its weights are `delta("g_e", 6*nS)` and `delta("g_i", 67*nS)`.
    Input I in amp. A spike is an upward crossing of V_spike, one per crossing; there is no other refractory
    period (the benchmark's program in Brian2 has 3 ms, NEST's model a maximum with 2 ms). Starts at E_L with
    gates at their steady state (NEST starts them at theirs for E_L + V_T, -123 mV). E_L is that of the
    programs in Brian2 and NEST; at this value the cell fires by itself, at 14 Hz. Singularities are removed
    with exprel.

    "rk4" needs dt <= 0.05 ms and its intervals are then within a step of NEST's adaptive integration.
    "exponential_euler" is stable at the benchmark's 0.1 ms, but lengthens the intervals there by 8 to 13 %
    (4 to 6 % at 0.05 ms).
    """
    return Cell(
        "traub_miles",
        """dv/dt = (I_g + I - g_L*(v - E_L) - g_Na*m**3*h*(v - E_Na) - g_K*n**4*(v - E_K))/C_m : volt
           dm/dt = alpha_m*(1 - m) - beta_m*m : 1
           dh/dt = alpha_h*(1 - h) - beta_h*h : 1
           dn/dt = alpha_n*(1 - n) - beta_n*n : 1
           dg_e/dt = -g_e/tau_e : siemens
           dg_i/dt = -g_i/tau_i : siemens
           I_g = g_e*(E_e - v) + g_i*(E_i - v) : amp
           alpha_m = 1.28/exprel(-(v - V_T - 13*mV)/(4*mV))/ms : Hz
           beta_m = 1.4/exprel((v - V_T - 40*mV)/(5*mV))/ms : Hz
           alpha_h = 0.128*exp(-(v - V_T - 17*mV)/(18*mV))/ms : Hz
           beta_h = 4/(1 + exp(-(v - V_T - 40*mV)/(5*mV)))/ms : Hz
           alpha_n = 0.16/exprel(-(v - V_T - 15*mV)/(5*mV))/ms : Hz
           beta_n = 0.5*exp(-(v - V_T - 10*mV)/(40*mV))/ms : Hz""",
        params=dict(
            C_m=C_m, g_L=g_L, g_Na=g_Na, g_K=g_K, E_L=E_L, E_Na=E_Na, E_K=E_K, V_T=V_T,
            E_e=E_e, E_i=E_i, tau_e=tau_e, tau_i=tau_i, V_spike=V_spike,
        ),
        inputs={"I": amp},
        threshold="v > V_spike",
        refractory="v > V_spike",
        method=method,
        init={"v": "E_L", **_STEADY_GATES},
        source="Traub & Miles 1991; Brette et al. 2007, benchmark 3",
    )


# Rates depend on v, which is set first: start values follow the order of the equations.
_STEADY_GATES = {gate: f"alpha_{gate}/(alpha_{gate} + beta_{gate})" for gate in "mhn"}


@dataclass(frozen=True)
class Pattern:
    """A cell with the input that shows one of its firing patterns.

    Parameters
    ----------
    name : str
    cell : Cell
        With the pattern's parameters and start values.
    dt, duration : Quantity
        Time step and length of the recording in the paper.
    baseline : Quantity
        Input where no piece is on.
    pieces : tuple of (start, stop, level, slope)
        In milliseconds and in the input's unit (per millisecond); between start and stop, both excluded,
        level + slope (t - start) is added.
    """

    name: str
    cell: Cell
    dt: Quantity
    duration: Quantity
    baseline: Quantity
    pieces: tuple = ()

    def input(self, dt=None):
        """The input at the start of every step of `dt` (the paper's by default): `timed(p.input(dt), dt)`."""
        step = float((self.dt if dt is None else dt) / ms)
        t = np.arange(round(float(self.duration / ms) / step) + 1) * step
        added = np.zeros(len(t))
        for start, stop, level, slope in self.pieces:
            on = (t > start + 1e-9) & (t < stop - 1e-9)
            added[on] += level + slope * (t[on] - start)
        unit = next(iter(self.cell.inputs.values()))
        return self.baseline + added * _PATTERN_UNITS[unit.dim]


_PATTERN_UNITS = {pA.dim: pA, (mV / ms).dim: mV / ms}
_END = 1e9  # a piece that lasts to the end

_TWO_EQUAL = [(10, 15, 1, 0), (70, 75, -6, 0), (80, 85, 1, 0)]
_RELEASED = [(-1, 50, 5, 0), (250, _END, 5, 0)]


def _pulses(length, level, starts):
    return [(start, start + length, level, 0) for start in starts]


# name, a, b, c, d, v at the start, step and duration (ms), baseline, pieces (start, stop, level, slope)
_IZHIKEVICH_2004 = {
    "A": ("tonic spiking", 0.02, 0.2, -65, 6, -70, 0.25, 100, 0, [(10, _END, 14, 0)]),
    "B": ("phasic spiking", 0.02, 0.25, -65, 6, -64, 0.25, 200, 0, [(20, _END, 0.5, 0)]),
    "C": ("tonic bursting", 0.02, 0.2, -50, 2, -70, 0.25, 220, 0, [(22, _END, 15, 0)]),
    "D": ("phasic bursting", 0.02, 0.25, -55, 0.05, -64, 0.2, 200, 0, [(20, _END, 0.6, 0)]),
    "E": ("mixed mode", 0.02, 0.2, -55, 4, -70, 0.25, 160, 0, [(16, _END, 10, 0)]),
    "F": ("spike frequency adaptation", 0.01, 0.2, -65, 8, -70, 0.25, 85, 0, [(8.5, _END, 30, 0)]),
    "G": ("class 1 excitable", 0.02, -0.1, -55, 6, -60, 0.25, 300, 0, [(30, _END, 0, 0.075)]),
    "H": ("class 2 excitable", 0.2, 0.26, -65, 0, -64, 0.25, 300, -0.5, [(30, _END, 0, 0.015)]),
    "I": ("spike latency", 0.02, 0.2, -65, 6, -70, 0.2, 100, 0, [(10, 13, 7.04, 0)]),
    "J": ("subthreshold oscillations", 0.05, 0.26, -60, 0, -62, 0.25, 200, 0, [(20, 25, 2, 0)]),
    "K": ("resonator", 0.1, 0.26, -60, -1, -62, 0.25, 400, 0, _pulses(4, 0.65, (40, 60, 280, 320))),
    "L": ("integrator", 0.02, -0.1, -55, 6, -60, 0.25, 100, 0, _pulses(2, 9, (100 / 11, 155 / 11, 70, 80))),
    "M": ("rebound spike", 0.03, 0.25, -60, 4, -64, 0.2, 200, 0, [(20, 25, -15, 0)]),
    "N": ("rebound burst", 0.03, 0.25, -52, 0, -64, 0.2, 200, 0, [(20, 25, -15, 0)]),
    "O": ("threshold variability", 0.03, 0.25, -60, 4, -64, 0.25, 100, 0, _TWO_EQUAL),
    "P": ("bistability", 0.1, 0.26, -60, 0, -61, 0.25, 300, 0.24, _pulses(5, 1, (37.5, 216))),
    "Q": ("depolarizing after-potential", 1, 0.2, -60, -21, -70, 0.1, 50, 0, [(9, 11, 20, 0)]),
    "R": ("accommodation", 0.02, 1, -55, 4, -65, 0.5, 400, 0, [(0, 200, 0, 0.04), (300, 312.5, 0, 0.32)]),
    "S": ("inhibition-induced spiking", -0.02, -1, -60, 8, -63.8, 0.5, 350, 75, _RELEASED),
    "T": ("inhibition-induced bursting", -0.026, -1, -45, 0, -63.8, 0.5, 350, 75, _RELEASED),
}


def izhikevich_patterns():
    """The 20 firing patterns by letter, each with its cell, step and input.

        dv/dt = k2 v**2 + k1 v + k0 - u + I          du/dt = a (b v - u)
        v > V_peak:  v -> c, u -> u + d

    Izhikevich 2004 (IEEE Trans. Neural Netw. 15:1063), fig. 1; start values, inputs and steps as in the
    author's program for that figure. Like there, G and L take 4.1 v + 108 for 5 v + 140, and R takes du/dt =
    a b (v + 65). T has d = 0 (the program's d = -2 drives u down without bound at any other step).

    The patterns belong to a scheme: the program advances v first and u with the new v. Here u takes v + dt
    dv/dt, which gives that scheme exactly under Euler's method, and the model as dt goes to 0. Spike counts
    of C, D, E, H, N, P, Q, S and T change with the step. P is switched off only by a pulse 7 to 10 ms after a
    spike, and the spikes move with the step; Q fires more than once at smaller steps.
    """
    made = {}
    for letter, (name, a, b, c, d, v, dt, duration, baseline, pieces) in _IZHIKEVICH_2004.items():
        cell = izhikevich(a=a / ms, b=b / ms, c=c * mV, d=d * mV / ms)
        cell = cell.plus("slope = k2*v**2 + k1*v + k0 - u + I : volt/second", name="izhikevich_2004")
        cell = cell.edit("dv/dt = k2*v**2 + k1*v + k0 - u + I", "dv/dt = slope")
        if letter == "R":
            cell = cell.edit("a*(b*v - u)", "a*b*(v + dt*slope - V_R)", V_R=-65 * mV)
            cell = cell.but(u=-16 * mV / ms)
        else:
            cell = cell.edit("a*(b*v - u)", "a*(b*(v + dt*slope) - u)")
        if letter in "GL":
            cell = cell.but(k1=4.1 / ms, k0=108 * mV / ms)
        cell = cell.but(v=v * mV)
        made[letter] = Pattern(name, cell, dt * ms, duration * ms, baseline * mV / ms, tuple(pieces))
    return made


# name: C_m (pF), g_L (nS), E_L (mV), a (nS), tau_w (ms), b (pA), V_r (mV), I (pA); V_T -50 mV, Delta_T 2 mV
_NAUD_2008 = {
    "tonic spiking": (200, 10, -70, 2, 30, 0, -58, 500),
    "adaptation": (200, 12, -70, 2, 300, 60, -58, 500),
    "initial burst": (130, 18, -58, 4, 150, 120, -50, 400),
    "regular bursting": (200, 10, -58, 2, 120, 100, -46, 210),
    "delayed accelerating": (200, 12, -70, -10, 300, 0, -58, 300),
    "delayed regular bursting": (100, 10, -65, -10, 90, 30, -47, 110),
    "transient spiking": (100, 10, -65, 10, 90, 100, -47, 180),
    "irregular spiking": (100, 12, -60, -11, 130, 30, -48, 160),
}


def adaptive_exponential_patterns():
    """The 8 firing patterns of the adaptive exponential neuron by name, each with its cell and input step.

    Naud, Marcille, Clopath & Gerstner 2008 (Biol. Cybern. 99:335), table 1 and fig. 4; the rows of delayed
    regular bursting and transient spiking as corrected by P. Mueller (the values that Brian2's example of
    this paper uses; the rows in circulation as the printed table, with I = 110 and 350 pA, give no spike and
    adapting tonic spikes). V_peak 0 mV, no refractory period, current from the start at v = E_L, w = 0. The
    step is ours.
    """
    made = {}
    for name, (C_m, g_L, E_L, a, tau_w, b, V_r, current) in _NAUD_2008.items():
        cell = adaptive_exponential(
            C_m=C_m * pF, g_L=g_L * nS, E_L=E_L * mV, V_T=-50 * mV, Delta_T=2 * mV, a=a * nS,
            tau_w=tau_w * ms, b=b * pA, V_r=V_r * mV, V_peak=0 * mV,
        )
        made[name] = Pattern(name, cell, 0.025 * ms, 500 * ms, current * pA)
    return made


guard(globals())
