"""Plasticity of the cerebellum: parallel fibres to Purkinje cells under the climbing fibre, and the two
inputs of the nuclei.

What a climbing fibre teaches is told by an event of the Purkinje cell, not by its simple spikes: give the
composed synapse `event="complex"` (`circuits.cerebellum.purkinje` has that event), and the nuclear synapse
of mossy fibres `event="inhibited"`.
"""

import dataclasses
from math import atan, comb, exp, sin

from brian2 import ms

from circuits.errors import guard

from .rule import Rule, RuleError
from .stdp import pair

__all__ = ["climbing_fibre", "purkinje_gated", "purkinje_nuclei", "window"]


def kernel_terms(exponent):
    """sin(x)^exponent as a sum of cosines: the factor of cos(2 k x) for k = 0, 1, ..., exponent/2."""
    half = exponent // 2
    terms = [(-1) ** k * 2 * comb(exponent, half - k) / 2**exponent for k in range(half + 1)]
    return [terms[0] / 2, *terms[1:]]


def climbing_fibre(*, A_plus=0.00165, A_minus=0.0035, peak=100 * ms, exponent=20, name="climbing_fibre"):
    """A climbing-fibre spike depresses the parallel fibres that were active about 100 ms before it; every
    parallel-fibre spike potentiates.

        dw = A_plus                                      at a spike of the parallel fibre
        dw = -A_minus sum over its earlier spikes of K(t_CF - t_PF)      at a climbing-fibre spike
        K(s) = exp(-s/tau) sin(s/tau)^exponent / norm,   tau = peak/atan(exponent),   K(peak) = 1

    Luque, Naveros, Carrillo, Ros & Arleo 2019, PLoS Comput. Biol. 15:e1006298 (rule and numbers as in their
    program, ModelDB 256140, with weights in nS; the amplitudes carry the unit of the weight). tau is 65.8 ms
    for a peak at 100 ms. A power of a sine is a finite sum of cosines, so K is the output of linear filters,
    a decay and exponent/2 damped oscillations in every source cell; they are rotated exactly at each step,
    so that K at whole steps has no error but rounding. As in the source, K repeats itself: its next lobe, at
    306 ms, is exp(-pi) = 0.043 as high. The exponent is even and belongs to the text; all else is a number.
    """
    if not isinstance(exponent, int) or not 2 <= exponent <= 100 or exponent % 2:
        raise RuleError(
            f"climbing_fibre: exponent={exponent!r}; give an even whole number from 2 to 100, such as 20."
        )
    angle = atan(exponent)
    norm = exp(-angle) * sin(angle) ** exponent
    terms = [term / norm for term in kernel_terms(exponent)]
    orders = range(1, exponent // 2 + 1)
    turn = [
        f"turned = exp(-dt*angle/peak)*(cos({2 * k}*dt*angle/peak)*c{k} - sin({2 * k}*dt*angle/peak)*s{k})\n"
        f"s{k} = exp(-dt*angle/peak)*(sin({2 * k}*dt*angle/peak)*c{k} + cos({2 * k}*dt*angle/peak)*s{k})\n"
        f"c{k} = turned"
        for k in orders
    ]
    states = ["c0 : 1", *(f"{letter}{k} : 1" for k in orders for letter in "cs")]
    total = " + ".join(f"({term!r})*c{k}" for k, term in enumerate(terms))
    return Rule(
        name,
        pre="\n".join([*states, f"K = {total} : 1"]),
        step_pre="\n".join(["c0 *= exp(-dt*angle/peak)", *turn]),
        at_pre="\n".join(f"c{k} += 1" for k in range(exponent // 2 + 1)),
        propose_pre="A_plus",
        propose_post="-A_minus*K_pre",
        params=dict(A_plus=A_plus, A_minus=A_minus, peak=peak, angle=angle),
        source="Luque, Naveros, Carrillo, Ros & Arleo 2019",
    )


def purkinje_gated(*, A_plus=0.000625, A_minus=0.00025, tau=5 * ms, name="purkinje_gated"):
    """Mossy fibres to nuclear cells: every mossy-fibre spike potentiates, and depresses as many Purkinje
    spikes as reach the nuclear cell close to it, before or after.

        dw = A_plus - A_minus sum over Purkinje spikes of K(t_MF - t_PC)   at a mossy-fibre spike, and
        dw = -A_minus sum over mossy-fibre spikes of K(t_PC - t_MF)        at a Purkinje spike
        K(s) = exp(-|s|/tau) cos(pi s/(2 tau))^2

    Luque, Naveros, Carrillo, Ros & Arleo 2019, PLoS Comput. Biol. 15:e1006298 (numbers of their program,
    ModelDB 256140, with weights in nS). The weight rests where the Purkinje cells that reach the nuclear
    cell fire A_plus/(A_minus 5.46 ms) spikes per second in all, for tau = 5 ms: 46 Hz each if they are ten.
    The nuclear cell counts the Purkinje spikes of a step in `arrived` and raises the event of the synapse
    (`circuits.cerebellum.nuclear` does). Exact at whole steps; a pair in one step counts once.
    """
    turns = [
        f"{x}0 *= exp(-dt/tau)\n"
        f"turned = exp(-dt/tau)*(cos(pi*dt/tau)*{x}1 - sin(pi*dt/tau)*{x}2)\n"
        f"{x}2 = exp(-dt/tau)*(sin(pi*dt/tau)*{x}1 + cos(pi*dt/tau)*{x}2)\n"
        f"{x}1 = turned"
        for x in "mp"
    ]
    return Rule(
        name,
        pre="m0 : 1\nm1 : 1\nm2 : 1",
        post="p0 : 1\np1 : 1\np2 : 1",
        step_pre=turns[0],
        step_post=turns[1],
        at_pre="m0 += 1\nm1 += 1",
        at_post="p0 += arrived\np1 += arrived",
        propose_pre="A_plus - A_minus*(p0_post + p1_post)/2",
        propose_post="-A_minus*arrived_post*(m0_pre + m1_pre)/2",
        params=dict(A_plus=A_plus, A_minus=A_minus, tau=tau),
        needs={"arrived_post": 1},
        remedy={"arrived_post": "Take a nuclear cell that counts them (circuits.cerebellum.nuclear)."},
        source="Luque, Naveros, Carrillo, Ros & Arleo 2019",
    )


def purkinje_nuclei(
    *, A_plus=0.0005, A_minus=0.00015, tau_plus=5 * ms, tau_minus=5 * ms, name="purkinje_nuclei"
):
    """Purkinje cells to nuclear cells: pair-based timing, all to all, on an inhibitory synapse.

        dw = A_plus exp(-s/tau_plus) for a Purkinje spike s before a nuclear one,
        dw = -A_minus exp(-s/tau_minus) for one s after it

    `stdp.pair` with the numbers of Luque, Naveros, Carrillo, Ros & Arleo 2019, PLoS Comput. Biol.
    15:e1006298, for weights in nS.
    """
    rule = pair(A_plus=A_plus, A_minus=A_minus, tau_plus=tau_plus, tau_minus=tau_minus, name=name)
    return dataclasses.replace(rule, source="Luque, Naveros, Carrillo, Ros & Arleo 2019")


def window(*, A_plus=0.001, kept=0.8, name="window"):
    """A climbing-fibre spike scales the weight down once for every spike of its parallel fibre shortly
    before; every parallel-fibre spike potentiates towards the upper bound.

        w <- w + A_plus (w_max - w)                      at a spike of the parallel fibre
        w <- w kept^n                                    at a climbing-fibre spike

    n: how many spikes the parallel fibre fired less than 50 ms before, and not in the same step. After
    Yamazaki & Tanaka 2007, Eur. J. Neurosci. 26:2279, with the numbers of the first author's program for
    delay eyeblink conditioning, where w lies between 0 and 1 and is a factor of the conductance. That program
    depresses all weights at the end of a trial, this rule at the climbing-fibre spike. The source counts its
    spikes in `recent`, and a circuit takes them away again after 50 ms (`circuits.granular.layer` does).
    Exact.
    """
    return Rule(
        name,
        propose_pre="A_plus*(w_max - w)",
        propose_post="-w*(1 - kept**recent_pre)",
        params=dict(A_plus=A_plus, kept=kept),
        needs={"recent_pre": 1},
        remedy={"recent_pre": "Take granule cells that count (circuits.granular.layer)."},
        source="Yamazaki & Tanaka 2007",
    )


guard(globals())
