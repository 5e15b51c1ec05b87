"""Cells, synapses, rules and circuits made by hypothesis, as Python source.

A case is text that a person can paste: what fails is printed as the script that fails. `~` in a name stands
for the place of the case among those that are compiled into one program.
"""

# ruff: noqa: E501  the texts of cases stay in one piece

import ast
import inspect
import re
from dataclasses import dataclass, field

from hypothesis import strategies as st

from circuits import neurons, synapses
from plasticity import catalogue

HEAD = """\
import numpy as np
from brian2 import *
from circuits import (Cell, Circuit, Synapse, current, neurons, poisson, population, projection, rate, signal,
    spike_trains, spikes, synapses, timed, trace, weights, wiring)
from circuits.synapses import Periodic
from plasticity import (Rule, cerebellar, compose, consolidation, hard, hebbian, homeostasis, metaplasticity,
    neuromodulation, power_law, soft, stdp, unbounded)
"""


@dataclass
class Case:
    """The source of a circuit: parts by name, recorders, step; numbers changed afterwards; steps to run."""

    parts: dict
    record: list = field(default_factory=list)
    dt: str = "0.1*ms"
    changes: dict = field(default_factory=dict)
    steps: int = 30
    seed: int = 0

    def source(self):
        """The circuit as text that Python can read."""
        parts = "".join(f"\n    {name}={text}," for name, text in self.parts.items())
        record = "".join(f"\n        {text}," for text in self.record)
        made = f"Circuit({parts}\n    record=[{record}],\n    dt={self.dt})"
        if self.changes:
            made += ".but({" + ", ".join(f"{k!r}: {v}" for k, v in self.changes.items()) + "})"
        return made

    def __repr__(self):
        text = self.source().replace("~", "")
        return f"{HEAD}net = {text}\nengine.run(net, {self.steps}*{self.dt}, seed={self.seed}, backend=...)\n"

    @property
    def deterministic(self):
        """Whether both backends must give the same numbers: nothing is drawn."""
        return not re.search(
            r"\brandn?\(|\bxi\w*|probability\((?![01][,)])|fixed_in_degree\(|distance\("
            r"|\bpoisson\((?!\d, 0\*Hz\))|consolidation\.cascade|tag_and_capture",
            self.source(),
        )


# ---- numbers

UNITS = {"volt": "mV", "amp": "nA", "second": "ms", "1": "", "siemens": "nS", "hertz": "Hz"}


def quantity(value, unit):
    return f"{value!r}*{unit}" if unit else f"{value!r}"


def numbers(low, high, unit=""):
    """A number with digits that no sum of others meets by chance."""
    return st.integers(1, 97).map(lambda k: quantity(round(low + (high - low) * (k + 0.137) / 98, 6), unit))


@st.composite
def values(draw, low, high, unit="", n=None, text=True):
    """A number, an array of n, or an expression."""
    form = draw(st.sampled_from(["one"] * 4 + (["array"] if n else []) + (["text", "drawn"] if text else [])))
    one = draw(numbers(low, high, unit))
    if form == "one":
        return one
    if form == "array":
        return f"np.linspace(0.9, 1.1, {n})*{one}"
    if form == "text":
        return repr(f"{one}*(1 + 0.1*i/N)") if n else repr(one)
    return repr(f"{one}*(1 + 0.1*rand())")


# ---- cells


@dataclass
class CellSource:
    text: str
    ports: dict  # input -> unit
    states: dict  # state variable -> unit
    params: list
    spikes: bool = True
    events: tuple = ()


LIBRARY = {
    "neurons.leaky()": ({"I": "nA"}, {"v": "mV"}),
    "neurons.leaky(tau_m=13.1*ms, t_ref=0*ms)": ({"I": "nA"}, {"v": "mV"}),
    "neurons.integrate_and_fire()": ({"I": "nA"}, {"v": "mV"}),
    "neurons.leaky_conductance()": ({"I": "nA"}, {"v": "mV"}),
    "neurons.cuba()": ({}, {"v": "mV", "g_e": "mV", "g_i": "mV"}),
    "neurons.adaptive_threshold()": ({}, {"v": "mV"}),
    "neurons.adaptive_exponential()": ({"I": "nA"}, {"v": "mV"}),
    "neurons.izhikevich()": ({}, {"v": "mV"}),
    "neurons.hodgkin_huxley()": ({}, {"v": "mV"}),
    "neurons.traub_miles()": ({"I": "nA"}, {"v": "mV"}),
    "neurons.leaky(tau_m='20*ms*(1 + 0.1*i/N)', V_t='-50*mV + rand()*mV')": ({"I": "nA"}, {"v": "mV"}),
    "neurons.leaky().plus('da/dt = -a/tau_a : amp', adds={'I': '-a'}, reset='a += 0.1*nA', "
    "params={'tau_a': 30.3*ms}).but(t_ref=0*ms)": ({"I": "nA"}, {"v": "mV", "a": "nA"}),
    "neurons.leaky().plus('x : 1', threshold='v > V_t + x*mV', reset='x += 0.3')": ({"I": "nA"}, {"v": "mV"}),
    "neurons.cuba().edit('v = V_r', 'v = V_r + 0.1*mV').but(v=-61.3*mV)": (
        {},
        {"v": "mV", "g_e": "mV", "g_i": "mV"},
    ),
}


@st.composite
def cells(draw, n, library=True, noisy=True):
    """A cell of the library, or one with equations put together from pieces."""
    if library and draw(st.integers(0, 3)) == 0:
        text = draw(st.sampled_from(sorted(LIBRARY)))
        ports, states = LIBRARY[text]
        return CellSource(text, dict(ports), dict(states), [])
    cores = ["linear", "linear", "quadratic", "cubic", "exponential", "rate"]
    core = draw(st.sampled_from(cores + ["noise"] * noisy))
    free = core in ("cubic", "rate")  # variables without unit
    unit, name = ("", "1") if free else ("mV", "volt")
    one = "1" if free else "mV"
    lines, params, ports = [], {}, {}
    drive = ""
    if draw(st.booleans()):
        ports["I"] = "" if free else "nA"
        drive = " + I" if free else " + R*I"
        if not free:
            params["R"] = draw(values(5, 50, "Mohm", n))
    if draw(st.integers(0, 3)) == 0:
        ports["J"] = unit
        drive += " + J"
    params["tau"] = draw(values(3, 30, "ms", n))
    E = draw(values(0.1, 0.9, "", n)) if free else draw(values(-72, -65, "mV", n))
    stop = draw(st.sampled_from(["", " (unless refractory)"]))
    noise = ""
    if core == "noise":
        noise = draw(
            st.sampled_from(
                [
                    " + sigma*xi/sqrt(tau)",
                    " + sigma*sqrt(2/tau)*xi_1 + sigma*xi_2/sqrt(tau)",
                    " + sigma*xi/sqrt(tau)",
                ]
            )
        )
        params["sigma"] = draw(numbers(0.1, 1, "mV"))
    if core in ("linear", "noise"):
        params["E"] = E
        lines.append(f"dv/dt = (E - v{drive}@)/tau{noise} : {name}{stop}")
    elif core == "quadratic":
        params["E"] = E
        lines.append(f"dv/dt = ((v - E)*(v + 40.3*mV)/(20*mV){drive}@)/tau : {name}{stop}")
    elif core == "exponential":
        params["E"] = E
        params["Delta"] = draw(numbers(1, 3, "mV"))
        lines.append(
            f"dv/dt = (E - v + Delta*exp(clip((v + 50*mV)/Delta, -20, 5)){drive}@)/tau : {name}{stop}"
        )
    elif core == "cubic":
        lines.append(f"dv/dt = (v - v**3/3{drive}@)/tau : {name}{stop}")
    else:
        lines.append(f"dv/dt = (-v + tanh(v{drive}@))/tau : {name}{stop}")
    states = {"v": unit}
    extra = draw(
        st.lists(
            st.sampled_from(
                [
                    "adaptation",
                    "expression",
                    "held",
                    "free",
                    "shared",
                    "wave",
                    "second",
                    "flag",
                    "whole",
                    "signals",
                    "signals",
                ]
            ),
            max_size=3,
            unique=True,
        )
    )
    add, reset = "", []
    for piece in extra:
        if piece == "adaptation":
            lines.append(f"du/dt = -u/tau_u : {name}")
            params["tau_u"] = draw(values(10, 60, "ms", n))
            states["u"] = unit
            add += " - u"
            reset.append(f"u += {draw(numbers(0.1, 1, unit))}")
        elif piece == "second":
            params.setdefault("tau_u", draw(numbers(10, 60, "ms")))
            lines.append(f"dm/dt = (k_m*(v - m) - m)/tau_u : {name}")
            params["k_m"] = draw(numbers(0.1, 1))
            states["m"] = unit
        elif piece == "expression":
            lines.append(
                f"f = {draw(st.sampled_from(['exp(-abs(v)/(50*one))', 'clip(v/one, -1, 1)', '1/(1 + (v/(80*one))**2)', 'int(v > 0*one)*0.5', 'sin(v/(10*one))', 'floor(v/(7.3*one))*0.01', 'exprel(v/(60*one))', 'sqrt(abs(v/one))*0.1', 'log(2 + abs(v/one))', 'abs(v/one)%7*0.01', 'cosh(v/(90*one))', 'sign(v)*0.1', 'arctan(v/one)'])).replace('one', one)} : 1"
            )
            add += f" + 0.5*f*{one}" if not free else " + 0.05*f"
        elif piece == "held":
            lines.append(f"h = v/(100*{one}) : 1 (constant over dt)")
            add += f" + 0.1*h*{one}" if not free else " + 0.01*h"
        elif piece == "free":
            lines.append(f"q : {name}" + draw(st.sampled_from(["", " (constant)"])))
            states["q"] = unit
            add += " + q"
        elif piece == "shared":
            lines.append("s : 1 (shared)")
            states["s"] = ""
            add += f" + 0.1*s*{one}"
        elif piece == "signals":  # what rules of the library may need
            lines += [
                "da : 1",
                "err : 1",
                "attention : 1",
                "x : 1",
                "y : 1",
                "recent : 1",
                "learn : 1",
                "arrived : 1",
            ]
        elif piece == "wave":
            add += f" + 0.3*{one}*sin(2*pi*t/(7.3*ms))"
        elif piece == "flag":
            lines.append(f"on = v > -60.1*{one} : boolean")
            add += f" + int(on)*0.2*{one}"
        elif piece == "whole":
            lines.append("count : integer")
            reset.append("count += 1")
    lines[0] = lines[0].replace("@", add)
    spiking = draw(st.integers(0, 6)) > 0
    fields, events = {}, ()
    if spiking:
        params["V_t"] = draw(values(0.2, 1.2, "", n)) if free else draw(values(-62, -50, "mV", n))
        params["V_r"] = draw(numbers(-0.9, 0.1)) if free else draw(values(-80, -63, "mV", n))
        fields["threshold"] = draw(
            st.sampled_from(
                ["v > V_t"] * 4
                + [
                    "v > V_t and t > 0.35*ms",
                    "not (v < V_t)",
                    "v >= V_t or v > 3*V_t*int(V_t > V_r)",
                    "rand() < 0.1",
                ]
            )
        )
        reset.insert(
            0,
            draw(
                st.sampled_from(
                    [
                        "v = V_r",
                        "v = V_r",
                        "v -= (V_t - V_r)",
                        "gap = v - V_t\nv = V_r + 0.1*gap",
                        "v = V_r  # after a spike",
                    ]
                )
            ),
        )
        fields["reset"] = (
            draw(st.sampled_from(["\n", "; "])).join(reset) if "#" not in reset[0] else "\n".join(reset)
        )
        rest = draw(
            st.sampled_from(
                [
                    "",
                    "",
                    "t_ref",
                    "t_ref",
                    "1.05*ms",
                    "v > V_t",
                    "t_ref*(1 + 0.5*rand())",
                    "timestep(t - lastspike, dt) <= 3",
                ]
            )
        )
        if stop and not rest:
            rest = "t_ref"
        if "t_ref" in rest:
            params["t_ref"] = draw(values(0.2, 2, "ms", n))
        if rest:
            fields["refractory"] = rest
        if "adaptation" in extra and draw(st.integers(0, 2)) == 0:
            fields["events"] = {
                "burst": (f"u > 0.7*{one}", draw(st.sampled_from(["u = 0*" + one, "u *= 0.5", ""])))
            }
            events = ("burst",)
    else:
        lines[0] = lines[0].replace(" (unless refractory)", "")
        lines = [line for line in lines if "lastspike" not in line]
    able = ["exact", "euler", "heun", "milstein"]
    fields["method"] = draw(
        st.sampled_from(able if "xi_1" not in noise else able[:3])
        if noise and draw(st.integers(0, 19))
        else st.sampled_from(["exact", "exponential_euler", "euler", "rk2", "rk4", "heun", "milstein"])
        if draw(st.integers(0, 3)) == 0
        else st.sampled_from(["exact", "exponential_euler", "euler"])
    )
    init = {}
    for state, its in states.items():
        if state == "v":
            init["v"] = draw(values(-0.5, 1.9, "", n)) if free else draw(values(-75, -40, "mV", n))
        elif draw(st.booleans()):
            init[state] = draw(numbers(0.01, 0.5, its) if state == "s" else values(0.01, 0.5, its, n))
    if spiking and draw(st.integers(0, 5)) == 0:
        init["v"] = repr("V_r + (V_t - V_r)*rand()")
    body = "; ".join([])
    order = draw(st.permutations(lines))
    body = "\n".join(order)
    texts = [f"'{draw(st.sampled_from(['cell', 'a cell', 'v', 'Ω']))}'", repr(body)]
    texts.append("params={" + ", ".join(f"{k!r}: {v}" for k, v in params.items()) + "}")
    if ports:
        texts.append(
            "inputs={"
            + ", ".join(f"{k!r}: {({'nA': 'amp', 'mV': 'volt', '': '1'})[u]}" for k, u in ports.items())
            + "}"
        )
    texts += [f"{k}={v!r}" for k, v in fields.items()]
    texts.append("init={" + ", ".join(f"{k!r}: {v}" for k, v in init.items()) + "}")
    return CellSource(f"Cell({', '.join(texts)})", ports, states, list(params), spiking, events)


# ---- synapses

SOME = {"linear": (0.05, 0.3), "nA": (0.05, 0.9), "mV": (0.2, 3), "": (0.02, 0.3), "nS": (0.5, 5)}


@st.composite
def chemical(draw, cell, w, plastic=False, electrical=True):
    """A synapse that suits a cell, its weight being `w(unit)`; (text, unit of the weight)."""
    choices = [("delta", v) for v, u in cell.states.items() if v in ("v", "u", "g_e", "g_i", "m", "q")]
    for port, unit in cell.ports.items():
        choices += [("exponential", port), ("alpha", port), ("hand", port)]
        if unit == "nA" and cell.states.get("v") == "mV":
            choices += [("conductance", port), ("double", port), ("nmda", port)]
            if electrical and not plastic:
                choices += [("gap", port)]
        if electrical and not plastic:
            choices += [("linear", port), ("summed", port)]
    if not choices:
        choices = [("delta", next(iter(cell.states)))]
    kind, where = draw(st.sampled_from(choices))
    if kind == "delta":
        unit = cell.states[where]
        return f"synapses.delta({where!r}, w={w(unit)})", unit
    unit = cell.ports[where]
    port = f"port={where!r}"
    tau = draw(numbers(1, 9, "ms"))
    if kind == "exponential":
        return f"synapses.exponential_current(w={w(unit)}, tau={tau}, {port})", unit
    if kind == "alpha":
        return f"synapses.alpha_current(w={w(unit)}, tau={tau}, {port})", unit
    if kind == "conductance":
        return f"synapses.exponential_conductance(w={w('nS')}, tau={tau}, E=0.3*mV, {port})", "nS"
    if kind == "double":
        return (
            f"synapses.double_exponential_conductance(w={w('nS')}, tau_rise=0.7*ms, tau_decay={tau}, {port})",
            "nS",
        )
    if kind == "nmda":
        return f"synapses.nmda(w={w('nS')}, {port})", "nS"
    if kind == "gap":
        return f"synapses.gap_junction(w={w('nS')}, {port})", "nS"
    if kind == "linear":
        its = cell.states["v"]
        scale = {
            ("nA", "mV"): "nS",
            ("mV", "mV"): "",
            ("", ""): "",
            ("nA", ""): "nA",
            ("", "mV"): "mV**-1",
            ("mV", ""): "mV",
        }[unit, its]
        return (
            f"synapses.linear(w={draw(numbers(0.05, 0.3, scale))}, variable='v', unit={its or '1'}, {port})",
            "linear",
        )
    name = {"nA": "amp", "mV": "volt", "": "1"}[unit]
    if kind == "summed":
        return (
            f"Synapse('summed', post='all_of_it : {name}', adds={{{where!r}: 'all_of_it'}}, "
            "summed={'all_of_it': 'w*z'}, equations='dz/dt = -z/tau : 1 (clock-driven)', before='z += 0.3', "
            f"init={{'z': 0.1}}, params={{'w': {w(unit)}, 'tau': {tau}}})",
            unit,
        )
    post = draw(
        st.sampled_from(
            [
                f"dI_syn/dt = -I_syn/tau : {name}",
                f"dI_syn/dt = (b_syn - I_syn)/tau : {name}\ndb_syn/dt = -b_syn/tau : {name}",
            ]
        )
    )
    extra = draw(
        st.sampled_from(
            [
                "",
                "equations='dz/dt = -z/tau : 1 (event-driven)', before='z += 0.3', after='z *= 0.9', ",
                "equations='z : 1', on_post='z += 1', ",
                "equations='dz/dt = (0.5 - z)/tau : 1 (clock-driven)', init={'z': 0.2}, ",
                "step='z = z + dt/tau', equations='z : 1', ",
                "equations='z : 1', periodic=Periodic('z += 0.1', every='0.13*tau'), ",
                *(f"equations='z : 1', on_post='z += 1', event={event!r}, " for event in cell.events),
            ]
        )
    )
    factor = "*(1 + z)" if extra else ""
    return (
        f"Synapse('hand made', post={post!r}, adds={{{where!r}: 'I_syn'}}, deliver={{'I_syn': 'w{factor}'}}, "
        f"{extra}params={{'w': {w(unit)}, 'tau': {tau}}})",
        unit,
    )


# {A}: a small change of the weight, {B}: a weight, both in its unit; {o}: such a unit by itself.
RULES = """\
stdp.pair(A_plus={A}, A_minus={A}, tau_plus=7*ms)
stdp.pair(A_plus={A}, A_minus={A}, nearest=True)
stdp.symmetric(A_near={A}, A_far=-{A})
stdp.van_rossum(c_plus={A})
stdp.correlation(eta={A})
stdp.covariance(eta={A}, tau_mean=9*ms)
stdp.inhibitory(eta={A})
stdp.triplet(w_ref={o})
stdp.clopath(w_ref={o})
stdp.calcium()
hebbian.oja()
hebbian.bcm()
hebbian.sanger()
hebbian.spiking_oja()
homeostasis.scaling(every=0.7*ms, tau=8*ms)
homeostasis.normalisation(total={B}, every=1.13*ms)
homeostasis.intrinsic()
homeostasis.triplet_ltd(A_plus={A})
neuromodulation.coincidence(A={A})
neuromodulation.presynaptic(A={A})
neuromodulation.supervised(eta={A})
neuromodulation.gating(tonic=0.4)
neuromodulation.eligibility(tau_c=5*ms)
neuromodulation.eligibility(modulator="attention", tau_c=5*ms)
metaplasticity.falling_rate(every=0.8*ms)
metaplasticity.sliding_threshold(tau_r=9*ms)
metaplasticity.state_dependent(every=1*ms)
metaplasticity.state_dependent(tau_z=5*ms, every=0.3*ms)
consolidation.reference(every=0.9*ms, tau_w=7*ms)
consolidation.synaptic_intelligence(every=0.5*ms, task=1.7*ms)
consolidation.benna_fusi(m=3, tau=2*ms)
consolidation.cascade()
consolidation.tag_and_capture()
cerebellar.climbing_fibre(A_plus={A}, A_minus={A})
cerebellar.purkinje_gated(A_plus={A}, A_minus={A})
cerebellar.purkinje_nuclei(A_plus={A}, A_minus={A})
cerebellar.window(A_plus={A})""".splitlines()


@st.composite
def rule_fragments(draw, unit, name=None):
    """A rule made by hand."""
    name = name or draw(st.sampled_from(["mine", "r", "stdp", "Hebb", "x", "tau"]))
    form = draw(
        st.sampled_from(["trace", "both", "gate", "sink", "periodic", "cells", "factor", "lazy", "steps"])
    )
    A = draw(numbers(0.001, 0.05, unit))
    tau = draw(numbers(2, 30, "ms"))
    p = f"params={{'tau': {tau}, 'A': {A}}}"
    if form == "trace":
        return f"Rule('{name}', synapse='dx/dt = -x/tau : 1 (event-driven)', propose_post='A*x', on_pre='x += 1', {p})"
    if form == "both":
        return (
            f"Rule('{name}', synapse='dx/dt = -x/tau : 1 (event-driven)\\ndy/dt = -y/tau : 1 (event-driven)', "
            f"propose_post='A*x', propose_pre='-A*y', on_pre='x += 1', on_post='y = 1', {p})"
        )
    if form == "gate":
        return f"Rule('{name}', gate='g', synapse='g : 1', init={{'g': 0.7}}, on_post='g *= 0.9')"
    if form == "sink":
        return (
            f"Rule('{name}', synapse='dc/dt = -c/tau : weight (event-driven)', sink='c += dw', "
            f"on_post='w += 0.1*c', params={{'tau': {tau}}})"
        )
    if form == "periodic":
        on = draw(st.sampled_from(["synapse", "post", "pre"]))
        if on == "synapse":
            return f"Rule('{name}', periodic=Periodic('w = w*0.99', every='T'), params={{'T': {draw(numbers(0.15, 2, 'ms'))}}})"
        return (
            f"Rule('{name}', {on}='c : 1', at_{on}='c += 1', periodic=Periodic('c *= 0.5', every='2*T', on='{on}'), "
            f"propose_pre='A*c_{on}', params={{'T': {draw(numbers(0.15, 2, 'ms'))}, 'A': {A}}})"
        )
    if form == "cells":
        return (
            f"Rule('{name}', post='dr/dt = -r/tau : 1', pre='ds/dt = -s/tau : 1', at_post='r += 1', at_pre='s += 1', "
            f"propose_pre='-A*r_post', propose_post='A*s_pre', {p})"
        )
    if form == "factor":
        return f"Rule('{name}', factor='(1 + k)', synapse='dk/dt = -k/tau : 1 (event-driven)', on_pre='k += 0.5', params={{'tau': {tau}}})"
    if form == "lazy":
        return (
            f"Rule('{name}', synapse='since : second\\nl : weight', settle='l = l*exp(-(t - since)/tau)\\nsince = t', "
            f"on_pre='l += A', propose_post='0.1*l', {p})"
        )
    return f"Rule('{name}', step_post='n += dt/tau', post='n : 1', propose_pre='A*n_post', {p})"


@st.composite
def plastic(draw, cell):
    """A composition of one to four rules on a synapse."""

    def w(unit):
        return draw(numbers(*SOME[unit], unit))

    synapse, unit = draw(chemical(cell, w, plastic=True))
    bare = draw(st.integers(0, 4)) == 0
    if bare:
        unit = ""
        bare = draw(numbers(*SOME[""]))
    rules, names = [], ["one", "two", "three", "four"]
    for k in range(draw(st.integers(1, 3))):
        which = draw(st.sampled_from(["hand", "library"]))
        if which == "hand":
            rules.append(
                draw(rule_fragments(unit, draw(st.sampled_from([names[k], names[k], names[k], None]))))
            )
        else:
            text = draw(st.sampled_from(RULES))
            one = quantity(1.0, unit)
            text = text.replace("{A}", draw(numbers(0.001, 0.05, unit))).replace("{o}", one)
            rules.append(text.replace("{B}", draw(numbers(1, 5, unit))))
    if any("sink=" in rule or "eligib" in rule or "cascade" in rule for rule in rules) and draw(
        st.integers(0, 4)
    ):
        rules.append(
            f"stdp.pair(A_plus={draw(numbers(0.001, 0.05, unit))}, A_minus={draw(numbers(0.001, 0.05, unit))}, name='proposes')"
        )
    high = SOME.get(unit, (0, 1))[1] * draw(st.sampled_from([1.3, 3]))
    top = quantity(high, unit)
    zero = quantity(0.0, unit)
    bounds = draw(
        st.sampled_from(
            [
                f"hard({zero}, {top})",
                f"soft({zero}, {top})",
                f"power_law({zero}, {top}, 0.4)",
                "unbounded()",
                f"hard(-{top}, {top})",
                f"hard({zero}, inf*{zero.replace('0.0', '1')})",
            ]
        )
    )
    texts = [*rules, f"bounds={bounds}"]
    texts.append(f"w={bare}" if bare else f"synapse={synapse}")
    if draw(st.integers(0, 5)) == 0:
        texts.append("per_neuron=False")
    return f"compose({', '.join(texts)})"


# ---- circuits


def sliced(draw, name, n):
    """The name of a population, or of a slice of it; and how many cells it has."""
    if n < 2 or draw(st.integers(0, 3)):
        return name, n
    a = draw(st.integers(0, n - 1))
    b = draw(st.integers(a + 1, n))
    form = draw(st.sampled_from([f"[{a}:{b}]", f"[{a}:]", f"[:{b}]"]))
    size = {f"[{a}:{b}]": b - a, f"[{a}:]": n - a, f"[:{b}]": b}[form]
    return name + form, size


@st.composite
def wirings(draw, n, m, same, positions=False, noisy=True):
    """A wiring from n to m cells; and the number of synapses where it is fixed."""
    kinds = ["all", "all", "pairs", "pairs", "p0", "p1"] + (["one"] * 2 if n == m else [])
    kinds += ["p", "in_degree"] * noisy + ["distance"] * 2 * (noisy and positions)
    kind = draw(st.sampled_from(kinds))
    autapses = ", autapses=False" if same and draw(st.booleans()) else ""
    if kind == "all":
        return f"wiring.all_to_all({autapses[2:]})", None if autapses else n * m
    if kind == "one":
        return "wiring.one_to_one()", n
    if kind == "pairs":
        k = draw(st.integers(1, 5))
        i = draw(st.lists(st.integers(0, n - 1), min_size=k, max_size=k))
        j = draw(st.lists(st.integers(0, m - 1), min_size=k, max_size=k))
        return f"wiring.pairs({i}, {j})", k
    if kind == "in_degree":
        return f"wiring.fixed_in_degree({draw(st.integers(0, max(n - bool(autapses), 0)))}{autapses})", None
    if kind == "distance":
        return f"wiring.distance(C={draw(numbers(0.1, 1))}, lambda_=1.5{autapses})", None
    p = {"p0": "0", "p1": "1", "p": "0.4"}[kind]
    return f"wiring.probability({p}{autapses})", None


@st.composite
def circuits(draw, names=("cells~", "others~", "third~"), rules=True):
    """A circuit of one to three populations with inputs, projections, signals and recorders."""
    parts, record = {}, []
    noisy = draw(st.integers(0, 3)) == 0  # what is drawn differs between backends, so that most draw nothing
    dt = draw(st.sampled_from(["0.1*ms"] * 6 + ["0.25*ms", "1*ms"]))
    step = float(dt.split("*")[0])
    made, sources, placed = {}, {}, {}
    for name in names[: draw(st.sampled_from([1, 1, 1, 2, 2, 3]))]:
        n = draw(st.sampled_from([1, 2, 3, 3, 4, 5]))
        cell = draw(cells(n, noisy=noisy))
        made[name], sources[name] = (cell, n), n
        grid = ""
        if "x : 1" not in cell.text and draw(st.integers(0, 4)) == 0:
            grid, placed[name] = f", positions=wiring.grid({n})", True
        parts[name] = f"population({cell.text}, {n}{grid})"
        if cell.spikes:
            record.append(f"spikes({name!r})")
        chosen = draw(st.sampled_from(sorted(cell.states)))
        options = draw(st.sampled_from(["", "", ", index=[0]", f", every=5*{dt}"]))
        record.append(f"trace({name!r}, {chosen!r}{options})")
        if draw(st.integers(0, 3 if cell.spikes else 30)) == 0:
            record.append(
                f"rate({sliced(draw, name, n)[0]!r}" + draw(st.sampled_from(["", f", every=3*{dt}"])) + ")"
            )
        for event in cell.events:
            record.append(f"spikes({name!r}, event={event!r})")
    for k in range(draw(st.integers(0, 2))):
        name, n = f"in{k}~", draw(st.sampled_from([1, 2, 3]))
        form = draw(st.sampled_from(["trains", "trains", "none", "silent"] + ["poisson", "timed"] * noisy))
        if form == "trains":
            at = sorted(
                draw(st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, 55)), min_size=3, max_size=12))
            )
            times = [round((t + 0.3) * step, 6) for _, t in at]
            parts[name] = f"spike_trains({n}, i={[i for i, _ in at]}, t={times}*ms)"
        elif form == "none":
            parts[name] = f"spike_trains({n})"
        elif form == "timed":
            parts[name] = f"poisson({n}, timed([0, 700.5]*Hz, 1.3*ms))"
        else:
            parts[name] = (
                f"poisson({n}, {draw(values(100, 900, 'Hz', n, text=False)) if form == 'poisson' else '0*Hz'})"
            )
        sources[name] = n
        if form != "silent":
            record.append(f"spikes({name!r})")
    for k in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(sorted(made)))
        cell, n = made[name]
        if not cell.ports:
            continue
        port, unit = draw(st.sampled_from(sorted(cell.ports.items())))
        low, high = {"nA": (0.1, 2), "mV": (1, 20), "": (0.1, 1)}[unit]
        amplitude = draw(values(low, high, unit, n))
        form = draw(st.integers(0, 3))
        if form == 0:
            amplitude = f"timed(np.linspace(0, 1.7, 4)*{draw(numbers(low, high, unit))}, 0.77*ms)"
        elif form == 1:
            amplitude = f"timed(np.ones((3, {n}))*{draw(numbers(low, high, unit))}, 1*ms)"
        elif form == 2 and draw(st.booleans()):
            amplitude = repr(f"{draw(numbers(low, high, unit))}*sin(2*pi*t/(3.3*ms))")
        parts[f"drive{k}~"] = f"current({name!r}, {port!r}, {amplitude})"
    for k in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(["syn", "proj", "w", "exc"])) + f"{k}~"
        target = draw(st.sampled_from(sorted(made)))
        able = [s for s in sources if s not in made or made[s][0].spikes]
        if not able:
            continue
        source = draw(st.sampled_from(able))
        cell, m = made[target]
        from_, n = (
            (source, sources[source])
            if source.startswith("in") and "trains" in parts[source]
            else sliced(draw, source, sources[source])
        )
        to, m = sliced(draw, target, m)
        wired, count = draw(wirings(n, m, source == target, source in placed and target in placed, noisy))
        variables = ["w"]
        if rules and draw(st.integers(0, 1)) and cell.spikes:
            synapse = draw(plastic(cell))
        else:
            synapse, unit = draw(
                chemical(
                    cell,
                    lambda u, c=count: draw(values(*SOME[u], u, c, text=u[:1] == "n")),
                    electrical=source in made and made[source][0].states.get("v") == cell.states.get("v"),
                )
            )
            if draw(st.integers(0, 4)) == 0 and unit != "linear" and "gap_junction" not in synapse:
                synapse = f"synapses.tsodyks_markram({synapse})"
                variables += ["u", "R"]
            if not cell.spikes and "on_post" in synapse:
                synapse, unit = draw(chemical(cell, lambda u: draw(numbers(*SOME[u], u)), plastic=True))
                synapse = synapse.replace("on_post='z += 1', ", "")
            variables = variables[: 1 + 2 * ("tsodyks" in synapse)]
        delay = ""
        if "gap_junction" not in synapse and "linear(" not in synapse:
            delay = draw(
                st.sampled_from(
                    [
                        "",
                        "",
                        "",
                        ", delay=0.5*ms",
                        ", delay=1.03*ms",
                        ", delay='0.2*ms + 1*ms*rand()'",
                        ", delay='0.35*ms'",
                    ]
                )
            )
            if count and not delay and draw(st.integers(0, 3)) == 0:
                delay = f", delay=np.linspace(0, 1.13, {count})*ms"
        parts[name] = f"projection({from_!r}, {to!r}, {synapse}, {wired}{delay})"
        variable = draw(st.sampled_from(variables))
        record.append(
            f"weights({name!r}, {variable!r}"
            + draw(st.sampled_from(["", f", every=7*{dt}", f", every=7*{dt}", f", every={dt}"]))
            + ")"
        )
    if len(made) > 1 and draw(st.integers(0, 2)) == 0:
        first, second_ = list(made)[:2]
        if made[first][1] in (1, made[second_][1]):
            variable = draw(st.sampled_from(sorted(made[first][0].states)))
            parts["seen~"] = f"signal('{first}.{variable}', {second_!r})"
            record.append(f"trace({second_!r}, 'seen~')")
    wanted = recordable(made, parts)
    record += draw(st.lists(st.sampled_from(wanted), max_size=2, unique=True))
    record = list({re.sub(r", (every|index)=.*", ")", text): text for text in record}.values())
    if not noisy:
        parts = {name: text.replace("rand()", "0.37") for name, text in parts.items()}
    changes = {}
    if draw(st.integers(0, 2)) == 0:
        given = numbers_of(parts)
        for name in draw(st.lists(st.sampled_from(sorted(given)), max_size=2, unique=True)) if given else ():
            changes[name] = f"1.07*({given[name]})"
    # a run may end within a step
    steps = draw(st.sampled_from([60] * 9 + [59.6, 60.4]))
    return Case(parts, record, dt, changes, steps=steps, seed=draw(st.integers(0, 3)))


def numbers_of(parts):
    """Dotted name to text of the parameters that are given as one number."""
    found = {}
    for name, text in parts.items():
        pattern = {"population": r"'(\w+)': (-?[\d.]+\*\w+)", "projection": r"\b(w)=([\d.]+(?:\*\w+)?)[,)]"}
        pattern = pattern.get(text.partition("(")[0])
        if pattern and (text.startswith("projection") or "params={" in text):
            params = text if text.startswith("projection") else re.search(r"params=\{([^}]*)\}", text).group(1)
            found.update({f"{name}.{number}": value for number, value in re.findall(pattern, params)})
    return found


def recordable(made, parts):
    """Recorders of what is not recorded anyway: inputs, parameters, expressions, slices, delays."""
    found = []
    for name, (cell, n) in made.items():
        found += [f"trace({name!r}, {what!r})" for what in (*cell.ports, *cell.states, *cell.params)]
        found += [f"trace({name!r}, {what!r}, index=[{n - 1}])" for what in (*cell.ports, *cell.params)]
        found += [f"trace('{name}[{n - 1}:]', {what!r})" for what in (*cell.states, *cell.params)]
        if cell.spikes:
            found += [f"spikes('{name}[:1]')", f"spikes('{name}[{n - 1}:]')", f"rate('{name}[{n - 1}:]')"]
    for name, text in parts.items():
        if text.startswith("poisson("):
            found += [f"trace({name!r}, 'rates')", f"spikes('{name}[:1]')", f"rate({name!r})"]
        elif text.startswith("projection("):
            delayed = "deliver=" in text or "synapses." in text and not re.search(r"gap_j|linear\(", text)
            found += [f"weights({name!r}, 'delay')"] if delayed else []
            found += [f"weights({name!r}, 'w')"]
            if "wiring.pairs" in text or "wiring.one_to_one" in text:
                found += [f"weights({name!r}, index=[0])"]
            if "post='dI_syn" in text:
                target = re.match(r"projection\('[^']*', '(\w+~)", text).group(1)
                found += [f"trace({target!r}, 'I_syn_{name}')"]
    return found


# ---- what should not be: names, texts and values

NASTY_NAMES = """\
mV ms second volt siemens e pi inf exp clip rand randn xi dt t i j N N_pre w w_min w_max dw p C lambda_ delay rates
lastspike lastupdate not_refractory refractory spike spikes source target active variables init events state name
and not or if for lambda class None True False int bool double float namespace default template static const
main std plastica numbers results trial duration brian defaultclock network_ clock run NULL M_PI INFINITY errno stdin
assert EOF x_pre x_post _x x_ xi_1 x__y recorder_0 traces I E S D Q Eq zeta beta gamma Lambda re im sign floor
synapses clocks int32_t uint64_t size_t vector size begin end abs log sqrt timestep poisson_ binomial shared
constant boolean integer event weight dv v0 tau_ τ é ñandú μ x² 1x a-b a.b a[0:1] "a b" '' cells syn inp hand
stateupdater thresholder resetter cells_stateupdater syn_pre syn_post traces_ exc_pre_traces _spikespace
cells_v v_cells tau_syn x_rule A_rule rule_post signal_signal I_signal drive_amplitude summed linked
""".split()
NASTY_NAMES = [name.strip("'\"") for name in NASTY_NAMES] + [
    "",
    " ",
    "x" * 300,
    "a\nb",
    "x#y",
    "v ",
    "__class__",
]

NASTY_VALUES = """\
nan inf -inf 0 -1 1e300 1e-300 '' 'nan' '1/0' 'rand(' 'x' 'v' 't' '1*mV' 'rand()*mV' True None [] {} 'i*mV'
np.ones((2,2)) np.ones(3) np.ones(0) np.ones(3)*mV [1*mV,2*ms] 1j np.array(['a']) mV ms 1*mV 0*mV -5*mV
nan*mV inf*mV 0*ms -3*ms 1e9*second 1e-12*second 1*nA 1*metre 1*mV**2 '-5*ms' '0*ms' 'inf*ms' 1e200*mV -inf*mV
'xi*mV' '"' '1*mV#c' '1*mV;2' 'exp(1*mV)' 2**70 np.nan*np.ones(3)*mV (1*mV,) {1} 10**300 10**400
np.float32(1) np.int64(1) np.bool_(True) 1*Hz 0*Hz -1*Hz 1e7*Hz 'lambda:0' b'1' range(3) slice(3)""".split()
NASTY_VALUES.append("'1*mV if t > 0*ms else 2*mV'")
NASTY_VALUES += ["'0*ms*rand()'", "'v/(1-1)'", "1e-3*ms", "'(2-2)*ms'", "'20*ms*(1 + 0.1*i/N)'", "1e12*mV"]
# The same number in another unit of its kind.
PREFIXES = {"mV": "volt uvolt", "ms": "second us", "nA": "amp mA pA", "Mohm": "ohm kohm Gohm", "Hz": "kHz MHz"}
# What else may stand where a value or a part is wanted.
OTHERS = """\
neurons.leaky() neurons.leaky stdp.pair() stdp.pair hard() hard synapses.delta('v') synapses.delta spikes('cells')
wiring.one_to_one() wiring.all_to_all timed([1,2]*nA,1*ms) current('cells','I',1*nA) Periodic('w=w','T') ms.dim
Circuit(cells=population(neurons.leaky(),1)) {'v':-60*mV} {'tau':3*ms} {'I':amp} {'I':'v'} {3:3} 'cells' 'I' 'v'
['v','u'] ('v>0','v=0') ['cells'] 'exact' 'w' lambda:1 ... -1 1.5""".split()

ROLES = dict(
    cells="cells", others="others", inp="inp", drive="drive", syn="syn", hand="hand", sig="sig", v="v", sub="f", I="I",
    tau="tau", event="burst", rule="rule", x="x", taux="taux", A="A", z="z", k="k", label="lif", post="I_syn",
)  # fmt: skip

PARTS = ("cells", "others", "inp", "drive", "syn", "hand", "sig")

TEXTS = dict(
    equations="d{v}/dt = (E - {v} + R*{I})/{tau} : volt (unless refractory)\n{sub} = {v}/mV : 1",
    threshold="{v} > V_t", reset="{v} = V_r", refractory="2*ms", condition="{v} > V_t - 3*mV", statements="{v} -= 0.1*mV",
    synapse="d{x}/dt = -{x}/{taux} : 1 (event-driven)", propose="{A}*{x}", on_pre="{x} += 1",
    hand="{z} : 1", before="{z} += {k}", deliver="w*{z}", post="d{post}/dt = -{post}/(3*ms) : volt", adds="{post}/R",
    amplitude="1*nA*sin(2*pi*t/(5*ms))", delay="0.5*ms*rand()", heterogeneous="20*ms*(1 + 0.1*rand())",
    every="2*{taux}", step="w = w*0.99", seen="{cells}.{v}", view="{cells}[:2]", target="{others}",
)  # fmt: skip

VALUES = dict(
    E="-70.3*mV", R="10.1*Mohm", tau="20.7*ms", V_t="-52.3*mV", V_r="-63.1*mV", start="-60.1*mV", taux="5.3*ms",
    A="0.01*nA", w="0.11*mV", k="0.51", low="0*nA", high="1*nA", weight="0.51*nA", tau_s="4.9*ms", delay="0.3*ms",
    n="3", m="2", i="[0, 1, 0]", t="[0.13, 0.33, 1.23]*ms", amplitude="3.3*nA", dt="0.1*ms", p="1", rates="0*Hz",
    steps="[1, 2]*nA", step="0.5*ms", pi="[0, 1]", pj="[1, 1]", every="1*ms", index="[0]", E_l="0.2",
)  # fmt: skip


def template(names, texts, values):
    """A circuit with one of everything, its names, texts and values replaced; nothing in it is drawn."""
    n = {**ROLES, **names}

    def text(label):
        return repr(texts.get(label, TEXTS[label].format(**n)))

    v = {**VALUES, **values}
    return (
        f"Circuit(**{{{n['cells']!r}: population(Cell({n['label']!r}, {text('equations')}, params={{'E': {v['E']}, "
        f"'R': {v['R']}, {n['tau']!r}: {v['tau'] if 'tau' in values else text('heterogeneous') if 'heterogeneous' in texts else v['tau']}, "
        f"'V_t': {v['V_t']}, 'V_r': {v['V_r']}}}, "
        f"inputs={{{n['I']!r}: amp}}, threshold={text('threshold')}, reset={text('reset')}, "
        f"refractory={text('refractory')}, events={{{n['event']!r}: ({text('condition')}, {text('statements')})}}, "
        f"init={{{n['v']!r}: {v['start']}}}, method='exact'), {v['n']}),\n"
        f"{n['others']!r}: population(Cell('other', 'dq/dt = -q/(9*ms) : volt', inputs={{'J': volt}}), {v['n']}),\n"
        f"{n['inp']!r}: spike_trains({v['m']}, i={v['i']}, t={v['t']}), "
        f"'noise': poisson(2, {v['rates']}),\n"
        f"{n['drive']!r}: current({n['cells']!r}, {n['I']!r}, {v['amplitude'] if 'amplitude' not in texts else text('amplitude')}), "
        f"'ramp': current({n['cells']!r}, {n['I']!r}, timed({v['steps']}, {v['step']})),\n"
        f"{n['syn']!r}: projection({n['inp']!r}, {n['cells']!r}, compose(Rule({n['rule']!r}, synapse={text('synapse')}, "
        f"propose_post={text('propose')}, on_pre={text('on_pre')}, periodic=Periodic({text('step')}, every={text('every')}), "
        f"params={{{n['taux']!r}: {v['taux']}, {n['A']!r}: {v['A']}}}), "
        f"bounds=hard({v['low']}, {v['high']}), synapse=synapses.exponential_current(w={v['weight']}, tau={v['tau_s']}, "
        f"port={n['I']!r})), wiring.all_to_all(), delay={v['delay'] if 'delay' not in texts else text('delay')}),\n"
        f"{n['hand']!r}: projection({text('view')}, {n['cells']!r}, Synapse('hand', equations={text('hand')}, "
        f"before={text('before')}, deliver={{{n['v']!r}: {text('deliver')}}}, post={text('post')}, "
        f"adds={{{n['I']!r}: {text('adds')}}}, params={{'w': {v['w']}, {n['k']!r}: {v['k']}}}), "
        f"wiring.pairs({v['pi']}, {v['pj']})),\n"
        f"'sparse': projection('noise', {text('target')}, synapses.delta('q', w=0.3*mV), wiring.probability({v['p']})),\n"
        f"{n['sig']!r}: signal({text('seen')}, {n['others']!r})}},\n"
        f"    record=[spikes({n['cells']!r}), trace({n['cells']!r}, {n['v']!r}, index={v['index']}), "
        f"weights({n['syn']!r}, every={v['every']}), spikes({n['cells']!r}, event={n['event']!r})], dt={v['dt']})"
    )


@dataclass
class Spoiled:
    """The source of a circuit that was good until something in it was replaced."""

    text: str
    dt: str = "0.1*ms"
    steps: int = 12
    seed: int = 0

    def source(self):
        return self.text

    __repr__ = Case.__repr__
    deterministic = Case.deterministic


@st.composite
def renamed(draw):
    """A circuit with a name (or two) that something else has, or that nothing can have."""
    roles = draw(st.lists(st.sampled_from(sorted(ROLES)), min_size=1, max_size=2, unique=True))
    # `dt` and `record` are arguments of Circuit itself
    names = {
        role: draw(st.sampled_from([n for n in NASTY_NAMES if n != "dt" or role not in PARTS]))
        for role in roles
    }
    if len(roles) == 2 and draw(st.booleans()):
        names = dict.fromkeys(roles, draw(st.sampled_from(["same", "a", "x"])))
    return Spoiled(template(names, {}, {}))


@st.composite
def misspelt(draw):
    """A circuit with a text into which something has been put, or from which something is gone."""
    label = draw(st.sampled_from(sorted(TEXTS)))
    text = TEXTS[label].format(**ROLES)
    for _ in range(draw(st.integers(1, 2))):
        form = draw(st.sampled_from(["cut", "put", "unit", "number", "line", "word", "whole"]))
        at = draw(st.integers(0, max(len(text) - 1, 0)))
        if form == "cut":
            text = text[:at] + text[at + draw(st.integers(1, 3)) :]
        elif form == "put":
            text = (
                text[:at]
                + draw(
                    st.sampled_from(
                        list("():;=*/^%&@#'\"`~!?<>|[]{} \n\t,.\\$")
                        + ["é", "\0", "0", "1e400", "**", "//", "==", " if ", "\n\n", "# note\n", "_", "xi"]
                    )
                )
                + text[at:]
            )
        elif form == "unit":
            text = re.sub(
                r"\b(mV|ms|volt|nA)\b",
                draw(st.sampled_from(["ms", "mV", "second", "furlong", "1", "Hz", "amp", "volt**2", "kg"])),
                text,
                count=1,
            )
        elif form == "number":
            text = re.sub(
                r"\d+(\.\d+)?",
                draw(st.sampled_from(["0", "-1", "1e400", "nan", "inf", "1e-320", "0.0", "1/0"])),
                text,
                count=1,
            )
        elif form == "line":
            lines = text.split("\n")
            text = "\n".join(
                [
                    *lines,
                    draw(
                        st.sampled_from(
                            [
                                *lines,
                                "u : volt",
                                "u = v : volt",
                                "du/dt = -u/tau : volt",
                                "v : 1",
                                "g = h : 1\nh = g : 1",
                                "u = rand() : 1",
                                "k : integer (shared)",
                                "k : boolean",
                                "k : volt (constant, shared)",
                                "u = v : volt (linked)",
                                "u : 1 (linked)",
                                "u = sum(v) : volt",
                                "du/dt = xi/tau**0.5 : 1",
                                "u = i : 1",
                                "u = N*v : volt",
                                "u = lastspike : second",
                                "z = v_pre : volt",
                                "v += 1*mV",
                                "if v > 0*mV: v = V_r",
                                "u = 3 # comment : 1",
                                "u = f(v) : 1",
                                "u = v**v : 1",
                                "u = True : boolean",
                                "u = int(v > 0*mV) : integer",
                                "u = 1 : 1 (shared)",
                                "du/dt = -u/tau : volt (shared)",
                                "du/dt = -u/tau : volt (clock-driven)",
                                "u = v/mV : 1 (event-driven)",
                            ]
                        )
                    ),
                ]
            )
        elif form == "word":
            text = re.sub(
                r"\b[a-z]\w*\b", draw(st.sampled_from(NASTY_NAMES)).replace("\\", ""), text, count=1
            )
        else:
            text = draw(
                st.sampled_from(
                    [
                        "",
                        " ",
                        "v",
                        "v > V_t",
                        "v = V_r",
                        "x = 1",
                        "rand()",
                        "1",
                        "0",
                        "True",
                        "t",
                        "1*ms",
                        "-1*ms",
                        "0*ms",
                        "inf*ms",
                        "None",
                        "lambda: 1",
                        "__import__('os')",
                        "v.real",
                        "v[0]",
                        "'v'",
                        "v, v",
                        "(" * 200,
                        "(" * 60 + "v" + ")" * 60,
                        "v" * 5000,
                        "v=",
                        "=",
                        ":",
                        "a : b : c",
                        "dv/dt",
                        "d/dt = 1 : 1",
                        "dv/dt = dv/dt : volt",
                        "x" + " + x" * 400,
                        "cells",
                        "a.b",
                        "a.b.c",
                        "cells[1:1]",
                        "cells[5:1]",
                        "cells[9:]",
                        "cells[-1:]",
                        "cells[::2]",
                        "cells[:2",
                    ]
                )
            )
    return Spoiled(template({}, {label: text}, {}))


@st.composite
def misvalued(draw):
    """A circuit with a number (or two) that is something else."""
    labels = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=2, unique=True))
    found = {}
    for label in labels:
        unit = VALUES[label].rpartition("*")[2]
        if unit in PREFIXES and draw(st.integers(0, 2)) == 0:
            found[label] = VALUES[label].replace(unit, draw(st.sampled_from(PREFIXES[unit].split())))
        else:
            found[label] = draw(st.sampled_from(NASTY_VALUES))
    return Spoiled(template({}, {}, found), steps=8)


ALTERED = "0 0.7 -1.3 1e6 1e-9 nan inf 3 np.linspace(0.5,1.5,3) np.linspace(0.5,1.5,2) [0.4]".split()


def arguments(tree):
    """The places of a circuit's syntax tree where something is handed over: (node, field, index)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if re.match(r"np\.|Circuit$", ast.unparse(node.func)):
                continue
            yield from ((node, "args", k) for k in range(len(node.args)))
            yield from ((keyword, "value", None) for keyword in node.keywords if keyword.arg)
        elif isinstance(node, ast.Dict):
            yield from ((node, "values", k) for k in range(len(node.values)))


def held(node, where, k):
    """What stands at such a place, as text."""
    value = getattr(node, where)
    return ast.unparse(value if k is None else value[k])


@st.composite
def mistaken(draw):
    """A circuit, put together or of what the library makes, with one argument that is something else."""
    value = draw(st.sampled_from([*NASTY_VALUES, *OTHERS]))
    if draw(st.integers(0, 2)) == 0:
        return Spoiled(draw(made_by_the_library(value)), steps=8)
    case = draw(circuits())
    tree = ast.parse(case.source().replace("~", ""), mode="eval")
    places = list(arguments(tree))
    numeric = [place for place in places if re.fullmatch(r"-?[\d.]+( \* \w+)?", held(*place))]
    if numeric and draw(st.integers(0, 2)):  # of the right kind, or nearly so
        place = node, where, k = draw(st.sampled_from(numeric))
        number, _, unit = held(*place).partition(" * ")
        units = [unit, unit, *PREFIXES.get(unit, "1").split()]
        value = draw(st.sampled_from([number, *ALTERED])) + (f"*{draw(st.sampled_from(units))}" if unit else "")
    else:
        node, where, k = draw(st.sampled_from(places))
    new = ast.parse(value, mode="eval").body
    if k is None:
        setattr(node, where, new)
    else:
        getattr(node, where)[k] = new
    return Spoiled(ast.unparse(tree), case.dt, 8)


def public(module, example):
    """Name to the arguments of the functions of a module that make what the example is."""
    found = {}
    for name, function in vars(module).items():
        if inspect.isfunction(function) and function.__module__ == module.__name__ and name[0] != "_":
            parameters = inspect.signature(function).parameters.values()
            given = [p.name for p in parameters if p.default is not p.empty]
            if len(given) == len(parameters) and given and isinstance(function(), example):
                found[f"{module.__name__.rpartition('.')[2]}.{name}"] = given
    return found


CELLS = public(neurons, type(neurons.leaky()))
SYNAPSES = public(synapses, type(synapses.delta("v"))) | {"synapses.delta": ["variable", "w"]}
LEARNING = {name: list(inspect.signature(make).parameters) for name, make in catalogue.rules().items()}
# A cell with whatever synapses and rules may read.
RICH = (
    "Cell('rich', 'dv/dt = (E - v + R*I)/tau : volt (unless refractory)\\nda : 1\\nerr : 1\\nattention : 1\\nx : 1\\n"
    "y : 1\\nrecent : 1\\nlearn : 1\\narrived : 1\\ntheta : volt', inputs={'I': amp}, params={'E': -70*mV, 'R': 9*Mohm, "
    "'tau': 9*ms}, threshold='v > -50*mV + theta', reset='v = E', refractory='0.3*ms', init={'v': -45*mV, 'x': 0.3, 'y': 0.4})"
)


@st.composite
def made_by_the_library(draw, value):
    """A circuit with a cell, a synapse or a rule of the library, one of whose numbers is something else."""
    kind = draw(st.sampled_from([CELLS, SYNAPSES, LEARNING, LEARNING]))
    name = draw(st.sampled_from(sorted(kind)))
    given = {draw(st.sampled_from(kind[name])): value}
    cell, synapse = RICH, "synapses.exponential_current(w=0.3*nA)"
    if name == "synapses.delta":
        given.setdefault("variable", "'v'")
    text = f"{name}({', '.join(f'{k}={v}' for k, v in given.items())})"
    if kind is CELLS:
        cell, synapse = text, "synapses.delta('v')"
    elif kind is SYNAPSES:
        synapse = text
    else:
        besides = "" if name == "stdp.pair" else ", stdp.pair()"
        synapse = f"compose({text}{besides}, bounds=hard(), w=0.3)"
    return (
        f"Circuit(cells=population({cell}, 3), syn=projection('cells', 'cells', {synapse}, wiring.all_to_all()), "
        "record=[spikes('cells'), trace('cells', 'v'), weights('syn')])"
    )


GOOD = template({}, {}, {})
NUMBERS = {
    "mV": "cells.E cells.V_t cells.V_r cells.v hand.w sparse.w others.q hand.I_syn",
    "ms": "cells.tau syn.tau syn.taux_rule syn.delay hand.delay sparse.delay inp.t",
    "nA": "drive.amplitude ramp.amplitude syn.w syn.w_min syn.w_max syn.A_rule syn.I_syn",
    "Mohm": "cells.R", "Hz": "noise.rates", "": "inp.i hand.i hand.j hand.k hand.z syn.x_rule sparse.p",
    "kilogram": "cells syn nothing.w .w syn. syn.w.w",
}  # fmt: skip
MAGNITUDES = """\
0 1 -1 0.3 1.7 -0.4 60.3 -65.2 -55.1 0.05 0.07 0.15 0.25 0.35 1.0499999 500 1e-3 1e6 1e12 nan inf -inf
np.linspace(-70,-58,3) np.linspace(2,9,3) np.linspace(0.1,0.9,6) np.linspace(0,0.9,6).reshape(2,3) np.array([0,1,0])
np.array([0,0,0]) np.array([0.1,0.4,0.9]) np.array([0.2,0.2,0.3]) np.array([5,2,1]) np.array([1,0]) np.zeros(0)
np.array([0.5]) np.array([0,nan,1])""".split()


@st.composite
def renumbered(draw):
    """The good circuit with other numbers: of the right kind or not."""
    known = [(name, unit) for unit, text in NUMBERS.items() for name in text.split()]
    changes = {}
    for name, unit in draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True)):
        nasty = draw(st.integers(0, 4)) == 0
        changes[name] = draw(st.sampled_from(NASTY_VALUES if nasty else MAGNITUDES)) + (
            f"*{unit}" if unit and not nasty else ""
        )
    text = ", ".join(f"{name!r}: {value}" for name, value in changes.items())
    return Spoiled(f"{GOOD}.but({{{text}}})", steps=25)


RUN = dict(
    duration="0*ms 0.05*ms 1.23*ms 1e-9*second -1*ms nan*ms inf*ms 3 None 'x' [1,2]*ms 1*mV ms True 1e30*second".split(),
    seed="0 1 2**40 10**30 -1 1.0 1.5 None 'x' True np.int64(3) nan".split(),
    trials="None [] [{}] {} [{},{}] 3 'x' [None] [3] [{'duration':2*ms}] [{'duration':-2*ms}] [{'syn.w':0.2*nA}] "
    "[{'syn.w':0.2*mV}] [{'syn.delay':1*ms}] [{'no':1}] [{'inp.i':[0]}] [{'inp.i':[0],'inp.t':[1]*ms}] "
    "[{'inp.i':[0,0],'inp.t':[1,1]*ms}] [{'inp.i':[5],'inp.t':[1]*ms}] [{'cells.tau':0*ms}] [{'syn.w':nan*nA}] "
    "[{'inp.i':[],'inp.t':[]}] [{'syn.w_min':7*nA}]".split(),
    jobs="1 2 0 -1 1.5 None 'x' True".split(),
    backend="'compiled' 'interpreted' 'numpy' None 3 ''".split(),
    progress="None False 0".split(),
)  # fmt: skip


@st.composite
def runs(draw):
    """The arguments of a run of the good circuit."""
    given = {
        name: draw(st.sampled_from(RUN[name]))
        for name in draw(st.lists(st.sampled_from(sorted(RUN)), max_size=3, unique=True))
    }
    given.setdefault("duration", "1.2*ms")
    return given


@st.composite
def trials(draw):
    """Trials of the good circuit, each with numbers of its own: of the right kind or not."""
    known = [(name, unit) for unit, text in NUMBERS.items() for name in text.split()]
    free = [(name, unit) for name, unit in known if not name.endswith((".p", ".i", ".j", ".delay"))]
    several = []
    for _ in range(draw(st.integers(1, 3))):
        given = {}
        for name, unit in draw(st.lists(st.sampled_from(free * 3 + known), max_size=2, unique=True)):
            nasty = draw(st.integers(0, 9)) == 0
            value = draw(st.sampled_from(NASTY_VALUES if nasty else MAGNITUDES))
            given[name] = value if nasty or not unit else f"{value}*{unit}"
        if draw(st.integers(0, 2)) == 0:
            given["duration"] = draw(st.sampled_from(["0*ms", "1*ms", "2.3*ms", "0.05*ms", "nan*ms", "3"]))
        several.append("{" + ", ".join(f"{k!r}: {v}" for k, v in given.items()) + "}")
    return f"1.7*ms, seed={draw(st.integers(0, 2))}, trials=[{', '.join(several)}]"
