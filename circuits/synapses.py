"""How a spike acts on its target: the record `Synapse`, and the library of synapses.

Names in `post` and `adds` are private to the projection (the circuit adds the projection's name to them),
so that many projections meet on one cell without a clash; the input they add to is the cell's.
"""

import dataclasses
import re
from dataclasses import dataclass, field

from brian2.units import mmolar, ms, mV, nA, nS

from . import display
from .errors import CircuitError, guard
from .values import (
    dimension,
    number,
    of_their_kinds,
    refuse_no_text,
    unit_text,
    units_of_needs,
    with_numbers,
)


@dataclass(frozen=True)
class Periodic:
    """Statements that are run every so often: by each synapse, or by each source or target cell ("pre",
    "post").

    `every` names a parameter (a time, rounded to whole steps), or a multiple of one: "5*tau_c". What is due
    at the same time runs by ascending `order`, before the step of the cells.
    """

    code: str
    every: str
    order: int = 0
    on: str = "synapse"

    def __post_init__(self):
        for label in ("code", "every", "on"):
            if not isinstance(getattr(self, label), str):
                raise CircuitError(
                    f"Periodic, {label}: got {getattr(self, label)!r}, but it is text. A time goes into "
                    "params, and its name here (every='T', params={'T': 10*ms})."
                )
        if self.on not in ("synapse", "pre", "post"):
            raise CircuitError(f"Periodic: on={self.on!r}, but it can be 'synapse', 'pre' or 'post'.")
        if not re.fullmatch(r"\s*(?:(\d+\.?\d*|\.\d+)\s*\*\s*)?[A-Za-z_]\w*\s*", self.every):
            raise CircuitError(
                f"Periodic: every={self.every!r}; give the name of a parameter, or a number times it, such "
                "as '5*tau'."
            )
        if not self.factor:
            raise CircuitError(f"Periodic: every={self.every!r} is no time. Give a number above 0.")

    @property
    def factor(self):
        """The number that the parameter is multiplied with."""
        head, _, _ = self.every.rpartition("*")
        return float(head) if head else 1.0

    @property
    def period(self):
        """The name of the parameter."""
        return self.every.rpartition("*")[2].strip()


def _periodics(given, where, error=CircuitError):
    """What happens every so often, as a tuple of `Periodic`."""
    made = (given,) if isinstance(given, Periodic) else given
    if not isinstance(made, (tuple, list)) or not all(isinstance(p, Periodic) for p in made):
        raise error(
            f"{where}, periodic: got {given!r}; give Periodic(statements, every='T') or a tuple of them."
        )
    return tuple(made)


_EXAMPLES = {
    "params": "{'w': 1*nA}",
    "deliver": "{'v': 'w'}",
    "adds": "{'I': 'g*(E - v)'}",
    "summed": "{'I_gap': 'w*(v_pre - v_post)'}",
    "init": "{'x': 0.5}",
    "needs": "{'v': volt}",
    "remedy": "{'v': 'Take a cell with a membrane.'}",
}


@dataclass(frozen=True, eq=False)
class Synapse:
    """What a presynaptic spike does, as equation text with the values of its parameters.

    Parameters
    ----------
    name : str
        Names the synapse in messages and tables.
    deliver : dict
        Variable of the target (its own, or one of `post`) to the expression added to it at every spike.
    params : dict
        Name to value: one number, an array (one per synapse, or per target cell for those in `post`), or an
        expression.
    post : str
        Equations that the target cell gets for this projection.
    adds : dict
        Input of the cell to the expression added to it.
    equations : str
        Equations of every single synapse (event-driven where they can be).
    before, after : str
        Statements of a presynaptic spike before and after delivery.
    on_post : str
        Statements of a postsynaptic spike, or of the target's event of the kind `event`.
    step : str
        Statements of every synapse at the end of every time step (costs all synapses at each step).
    settle, unsettle : str
        Statements that bring what is integrated lazily up to date, and those that put it away again: first
        and last at every spike, around periodic code, and around the recording of weights.
    pre : str
        Equations that the source cell gets for this projection; synaptic code reads x of them as x_pre.
    at_pre, at_post : str
        Statements of a source or target cell at its spike, after all synapses have acted.
    step_pre, step_post : str
        Statements of the source or target cells at the start of every time step.
    periodic : tuple of Periodic
        What happens every so often.
    summed : dict
        Variable of `post` to an expression summed over all synapses at every step (gap junctions).
    init : dict
        Start values of variables of `equations`, `pre` and `post`.
    needs : dict
        Variable that the target cell must have, to its unit; with _pre at its end, one of the source cell.
    remedy : dict
        Name in `needs` to what a user can do where a cell lacks it.
    per_neuron : bool
        Whether traces that depend on one side only live with that side's cells (see `traces`).
    source : str
        Paper and equation number.
    """

    name: str
    deliver: dict = field(default_factory=dict)
    params: dict = field(default_factory=dict)
    post: str = ""
    adds: dict = field(default_factory=dict)
    equations: str = ""
    before: str = ""
    after: str = ""
    on_post: str = ""
    event: str = "spike"
    step: str = ""
    settle: str = ""
    unsettle: str = ""
    pre: str = ""
    at_pre: str = ""
    at_post: str = ""
    step_pre: str = ""
    step_post: str = ""
    periodic: tuple = ()
    summed: dict = field(default_factory=dict)
    init: dict = field(default_factory=dict)
    needs: dict = field(default_factory=dict)
    remedy: dict = field(default_factory=dict)
    per_neuron: bool = True
    source: str = ""

    def __post_init__(self):
        where = f"Synapse {self.name!r}"
        of_their_kinds(self, where, _EXAMPLES, texts=("deliver", "adds", "summed", "remedy"))
        units_of_needs(self.needs, where)
        object.__setattr__(self, "periodic", _periodics(self.periodic, where))
        for attribute in ("params", "init"):
            values = {k: number(v, f"{where}, {k}") for k, v in getattr(self, attribute).items()}
            object.__setattr__(self, attribute, values)

    def but(self, **values):
        """The same synapse with other numbers; unknown names and wrong units are refused."""
        params = with_numbers(self.params, values, f"Synapse {self.name!r}")
        return dataclasses.replace(self, params=params)

    def __repr__(self):
        return display.synapse_text(self)

    def _repr_html_(self):
        return display.synapse_html(self)


def _unit(value, example, where):
    """The unit of a weight; one given as an expression takes the unit that such weights usually have."""
    return unit_text(dimension(example if isinstance(value, str) else number(value, where)))


def _to(port, expression):
    """What is added to an input, whose name is text."""
    refuse_no_text("Synapse, port", port)
    return {port: expression}


def delta(variable, w=1 * mV):
    """Each spike adds w to a variable of the target at once: variable += w."""
    refuse_no_text("delta, variable", variable)
    return Synapse(
        "delta", deliver={variable: "w"}, params={"w": w}, source="delta: definition of this project"
    )


def exponential_current(w=0.1 * nA, tau=5 * ms, port="I"):
    """A current that jumps by w and decays: dI_syn/dt = -I_syn/tau, added to the input `port`."""
    return Synapse(
        "exponential_current",
        post=f"dI_syn/dt = -I_syn/tau : {_unit(w, nA, 'exponential_current, w')}",
        adds=_to(port, "I_syn"),
        deliver={"I_syn": "w"},
        params={"w": w, "tau": tau},
        source="exponential current: definition of this project",
    )


def alpha_current(w=0.1 * nA, tau=5 * ms, port="I"):
    """A current w (t/tau) exp(1 - t/tau), whose peak is w at t = tau, added to the input `port` (Rall 1967).

    Exact in cells integrated exactly; in others it carries the error of their method (first order in dt/tau
    for exponential Euler).
    """
    unit = _unit(w, nA, "alpha_current, w")
    return Synapse(
        "alpha_current",
        post=f"""dI_syn/dt = (exp(1)*s_syn - I_syn)/tau : {unit}
                 ds_syn/dt = -s_syn/tau : {unit}""",
        adds=_to(port, "I_syn"),
        deliver={"s_syn": "w"},
        params={"w": w, "tau": tau},
        source="Rall 1967",
    )


def exponential_conductance(w=1 * nS, tau=5 * ms, E=0 * mV, port="I"):
    """A conductance that jumps by w and decays: dg/dt = -g/tau, with the current g (E - v) to the input
    `port`.
    """
    return Synapse(
        "exponential_conductance",
        post=f"dg/dt = -g/tau : {_unit(w, nS, 'exponential_conductance, w')}",
        adds=_to(port, "g*(E - v)"),
        deliver={"g": "w"},
        params={"w": w, "tau": tau, "E": E},
        needs={"v": mV},
        source="exponential conductance: definition of this project",
    )


# A spike of size w gives w (exp(-t/tau_decay) - exp(-t/rise)) times `peak`, so that the largest value is w;
# both are computed once a step. Equal time constants are set apart by a millionth: the difference is then the
# alpha function (t/tau) exp(1 - t/tau) to 1e-6.
_PEAK = """rise = tau_rise + 1e-6*tau_decay*int(abs(tau_rise - tau_decay) < 1e-6*tau_decay) : second
           peak = tau_decay/(tau_decay - rise)*(rise/tau_decay)**(rise/(rise - tau_decay)) : 1"""


def double_exponential_conductance(w=1 * nS, tau_rise=1 * ms, tau_decay=5 * ms, E=0 * mV, port="I"):
    """A conductance exp(-t/tau_decay) - exp(-t/tau_rise), scaled to a peak of w, with the current g (E - v)
    to the input `port`.

    Equal time constants give its limit, the alpha function w (t/tau) exp(1 - t/tau), to 1e-6.
    """
    unit = _unit(w, nS, "double_exponential_conductance, w")
    return Synapse(
        "double_exponential_conductance",
        # two separate exponentials, not a cascade: exact under exponential Euler too
        post=f"""{_PEAK}
                 dg_decay/dt = -g_decay/tau_decay : {unit}
                 dg_rise/dt = -g_rise/rise : {unit}
                 g = peak*(g_decay - g_rise) : {unit}""",
        adds=_to(port, "g*(E - v)"),
        deliver={"g_decay": "w", "g_rise": "w"},
        params={"w": w, "tau_rise": tau_rise, "tau_decay": tau_decay, "E": E},
        needs={"v": mV},
        source="Roth & van Rossum 2009",
    )


def nmda(w=1 * nS, tau_rise=2 * ms, tau_decay=100 * ms, E=0 * mV, Mg=1 * mmolar, port="I"):
    """A double-exponential conductance with magnesium block: g B(v) (E - v), B = 1/(1 + exp(-0.062 v/mV)
    [Mg]/3.57 mM).

    Source: Jahr & Stevens 1990, eq. 4a.
    """
    synapse = double_exponential_conductance(w, tau_rise, tau_decay, E, port)
    return dataclasses.replace(
        synapse,
        name="nmda",
        adds=_to(port, "g*(E - v)/(1 + exp(-beta*v)*Mg/K_Mg)"),
        params={**synapse.params, "Mg": Mg, "K_Mg": 3.57 * mmolar, "beta": 0.062 / mV},
        source="Jahr & Stevens 1990, eq. 4a",
    )


def linear(w=1.0, variable="x", unit=1, port="I"):
    """A synapse between rate neurons: the sum over the sources of w*variable, at every step, added to the
    input `port`. `unit` is that of the source's variable.
    """
    refuse_no_text("linear, variable", variable)
    units_of_needs({variable: unit}, "linear")
    example = number(1.0 if isinstance(w, str) else w, "linear, w") * unit
    return Synapse(
        "linear",
        post=f"I_lin : {unit_text(dimension(example))}",
        adds=_to(port, "I_lin"),
        summed={"I_lin": f"w*{variable}_pre"},
        params={"w": w},
        needs={f"{variable}_pre": unit},
        source="linear: definition of this project",
    )


def gap_junction(w=1 * nS, port="I"):
    """An electrical synapse: the current w (v_pre - v_post), summed at every step.

    One direction; for a symmetric junction wire both (for example pairs i, j and j, i).
    """
    return Synapse(
        "gap_junction",
        post="I_gap : "
        f"{unit_text(dimension(number(nS if isinstance(w, str) else w, 'gap_junction, w') * mV))}",
        adds=_to(port, "I_gap"),
        summed={"I_gap": "w*(v_pre - v_post)"},
        params={"w": w},
        needs={"v": mV},
        source="gap junction (Ohm's law): definition of this project",
    )


def tsodyks_markram(synapse, U=0.5, tau_rec=800 * ms, tau_facil=1 * ms):
    """Short-term plasticity on top of a synapse: what it delivers is multiplied by u R.

    At a spike u <- u + U (1 - u), the delivery is w u R, then R <- R (1 - u); between spikes u decays to 0
    with tau_facil and R recovers to 1 with tau_rec (Markram, Wang & Tsodyks 1998, eqs. 1 to 3, with u
    before the first spike 0 and R 1).
    """
    if not isinstance(synapse, Synapse):
        raise CircuitError(
            f"tsodyks_markram: {synapse!r} is no Synapse. Give it one, such as "
            "tsodyks_markram(synapses.exponential_current(w=1*nA))."
        )
    taken = {"U", "tau_rec", "tau_facil"} & set(synapse.params)
    if taken or "u" in synapse.init:
        raise CircuitError(
            f"tsodyks_markram: synapse {synapse.name!r} has short-term plasticity already. Apply it once."
        )
    if not synapse.deliver:
        raise CircuitError(
            f"tsodyks_markram: synapse {synapse.name!r} delivers nothing at a spike. Take a chemical synapse."
        )
    return dataclasses.replace(
        synapse,
        name=f"tsodyks_markram {synapse.name}",
        equations="\n".join(
            filter(
                None,
                (
                    synapse.equations,
                    "du/dt = -u/tau_facil : 1 (event-driven)",
                    "dR/dt = (1 - R)/tau_rec : 1 (event-driven)",
                ),
            )
        ),
        before="\n".join(filter(None, (synapse.before, "u += U*(1 - u)"))),
        deliver={variable: f"({expression})*u*R" for variable, expression in synapse.deliver.items()},
        after="\n".join(filter(None, ("R -= u*R", synapse.after))),
        init={**synapse.init, "u": 0.0, "R": 1.0},
        params={**synapse.params, "U": U, "tau_rec": tau_rec, "tau_facil": tau_facil},
        source="Markram, Wang & Tsodyks 1998",
    )


guard(globals())
