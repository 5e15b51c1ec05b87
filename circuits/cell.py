"""A cell: equations, threshold, reset and numbers with units, as plain data that pure functions change.

`cell.but(tau_m=10*ms)` changes numbers, `cell.plus("da/dt = -a/tau_a : volt", reset="a += b", ...)` adds
mechanism, and `cell.edit(old, new)` replaces text. Names and units are checked at once, before anything is
built.
"""

import copy
import dataclasses
from dataclasses import dataclass, field

from brian2.units.fundamentalunits import DIMENSIONLESS

from . import display
from .equations import (
    DIFFERENTIAL_EQUATION,
    PARAMETER,
    Scope,
    fixed,
    parse,
    refuse_flags,
    refuse_generated,
    refuse_moving,
    refuse_reserved,
)
from .errors import CircuitError, listed, nearest
from .values import dimension, is_unit, kind, number, of_their_kinds, refuse_no_text, same_dimension

# Methods of integration, and which of Brian2's are tried for each, in this order.
METHODS = {
    "exact": ("exact", "exponential_euler", "rk2", "euler", "milstein"),
    "exponential_euler": ("exponential_euler", "rk2", "euler", "milstein"),
    **{name: (name,) for name in ("euler", "rk2", "rk4", "heun", "milstein")},
}

_EXAMPLES = {
    "params": "{'tau_m': 20*ms}",
    "inputs": "{'I': amp}",
    "events": "{'complex': ('c > 0.5', 'c = 0')}",
    "init": "{'v': -70*mV}",
    "adds": "{'I': '-a'}",
}


@dataclass(frozen=True, eq=False, repr=False)
class Cell:
    """Equations of one kind of cell with the values of their parameters.

    Parameters
    ----------
    name : str
        Names the cell in messages and tables.
    equations : str
        Brian2 equations; parameters are not declared in them, their unit comes from `params`.
    params : dict
        Name to value. One number is open at run time; an array (one number per cell) too; text is an
        expression that the program evaluates when it starts, such as "20*ms*(1 + 0.1*randn())".
    inputs : dict
        Name to unit of the variables to which synapses and currents add; zero where nothing does.
    threshold, reset : str
        The condition for a spike and what a spike changes; no threshold means that the cell does not spike.
    refractory : str
        A duration or condition during which no spike follows and `(unless refractory)` equations rest.
    events : dict
        Name of a further kind of event to (condition, statements): {"complex": ("c > 0.5", "c = 0")}.
        Synapses can follow it (`Synapse.event`), and `spikes("cells", event="complex")` records it.
    method : str
        "exact", "exponential_euler", "euler", "rk2", "rk4", "heun" or "milstein". "exact" solves linear
        equations, and conductances that only make another equation non-linear, which then gets their average
        over the step (second order). Other equations that are not linear fall back to "exponential_euler"
        (first order), and so do linear ones that depend on each other in a circle, unless these are two and
        all there are. "exponential_euler" falls back to "rk2", or, with noise, to "euler". The logger
        "plastica" says so when the program is built, with a warning if all equations are linear.
    init : dict
        Start values of variables (zero where not given): number, array or expression.
    adds : dict
        Input name to an expression that the cell itself adds there (see `plus`).
    source : str
        Paper and equation number.

    Raises
    ------
    CircuitError
        For equations that do not parse, unknown or reserved names, and units that do not fit.
    """

    name: str
    equations: str
    params: dict = field(default_factory=dict)
    inputs: dict = field(default_factory=dict)
    threshold: str = ""
    reset: str = ""
    refractory: str = ""
    method: str = "exponential_euler"
    events: dict = field(default_factory=dict)
    init: dict = field(default_factory=dict)
    adds: dict = field(default_factory=dict)
    source: str = ""

    def __post_init__(self):
        where = f"Cell {self.name!r}"
        of_their_kinds(self, where, _EXAMPLES, texts=("adds",))
        if self.method not in METHODS:
            raise CircuitError(
                f"{where}, method: there is no {self.method!r}.{nearest(self.method, METHODS)} Methods: "
                f"{listed(METHODS)}."
            )
        for port, unit in self.inputs.items():
            if not is_unit(unit):
                raise CircuitError(
                    f"{where}, input {port}: got {unit!r}; give its unit, such as inputs={{'I': amp}}."
                )
        lines = [line.strip() for line in self.equations.strip().splitlines() if line.strip()]
        object.__setattr__(self, "equations", "\n".join(lines))
        parsed = parse(self.equations, where)
        object.__setattr__(self, "parsed", parsed)
        refuse_flags(parsed, where)
        for name in parsed:
            refuse_generated(name, where, "variable")
        for group, what in ((self.params, "parameter"), (self.inputs, "input")):
            for name in group:
                refuse_reserved(name, where, what)
                refuse_generated(name, where, what)
                if name in parsed:
                    raise CircuitError(
                        f"{where}: {what} {name!r} is a variable of the equations too. Rename one of them."
                    )
        clash = set(self.params) & set(self.inputs)
        if clash:
            raise CircuitError(
                f"{where}: {listed(clash)} is given as parameter and as input. Keep one of them."
            )
        object.__setattr__(
            self, "params", {k: number(v, f"{where}, parameter {k}") for k, v in self.params.items()}
        )
        object.__setattr__(
            self, "init", {k: number(v, f"{where}, start value of {k}") for k, v in self.init.items()}
        )
        self._check(where)

    def _check(self, where):
        scope = self.scope(where)
        scope.equations(self.parsed)
        if self.threshold:
            scope.expression(self.threshold, DIMENSIONLESS, "threshold", boolean=True)
        elif self.reset or self.refractory:
            raise CircuitError(
                f"{where}: there is a reset or refractory period but no threshold. Give threshold='v > V_t'."
            )
        same = fixed(self.parsed, self.params, self.inputs)
        scope.code(self.reset, "reset", same)
        for name, what in self.events.items():
            if not (isinstance(what, tuple) and len(what) == 2 and all(isinstance(x, str) for x in what)):
                raise CircuitError(
                    f"{where}, event {name!r}: got {what!r}; give a condition and statements, such as "
                    "('c > 0.5', 'c = 0')."
                )
            refuse_reserved(name, where, "event")
            if name == "spike":
                raise CircuitError(
                    f"{where}: the event 'spike' is that of the threshold. Choose another name."
                )
            scope.expression(what[0], DIMENSIONLESS, f"event {name}", boolean=True)
            scope.code(what[1], f"event {name}", same)
        if self.refractory:
            self._check_refractory(scope)
        for port, expression in self.adds.items():
            if port not in self.inputs:
                raise CircuitError(
                    f"{where}: it adds to {port!r}, which is no input. Inputs: {listed(self.inputs)}."
                )
            scope.expression(expression, dimension(self.inputs[port]), f"addition to {port}")
        dims = self.dimensions
        for name, value in self.params.items():
            if kind(value) == "expression":
                unit = expression_dimension(value, scope, f"parameter {name}")
                dims[name] = unit
        for name, value in self.init.items():
            if name not in self.states:
                raise CircuitError(
                    f"{where}: start value for {name!r}, which is no state "
                    f"variable.{nearest(name, self.states)} "
                    f"State variables: {listed(self.states)}."
                )
            if kind(value) == "expression":
                scope.expression(value, dims[name], f"start value of {name}")
                refuse_moving(value, f"{where}, start value of {name}")
            else:
                same_dimension(value, dims[name], f"{where}, start value of {name}")

    def _check_refractory(self, scope):
        try:
            scope.expression(self.refractory, None, "refractory", boolean=True)
        except CircuitError:
            from brian2.units import second

            scope.expression(self.refractory, second.dim, "refractory")

    @property
    def states(self):
        """Names of the variables with a value of their own: differential equations and free variables, not
        expressions.
        """
        return [n for n, e in self.parsed.items() if e.type in (DIFFERENTIAL_EQUATION, PARAMETER)]

    @property
    def dimensions(self):
        """Name to dimension of every variable, parameter and input."""
        found = {name: equation.dim for name, equation in self.parsed.items()}
        found.update({name: dimension(unit) for name, unit in self.inputs.items()})
        bare = {**found, **{n: dimension(v) for n, v in self.params.items() if kind(v) != "expression"}}
        found.update(bare)
        for name, value in self.params.items():
            if kind(value) == "expression":
                scope = Scope(f"Cell {self.name!r}", bare, {"parameters": self.params})
                found[name] = expression_dimension(value, scope, f"parameter {name}")
        return found

    def scope(self, where=None, extra=None, functions=None):
        """The names that text about this cell may use (`extra`: further names with dimensions)."""
        kinds = {"variables": list(self.parsed), "parameters": list(self.params), "inputs": list(self.inputs)}
        if extra:
            kinds["of this projection"] = list(extra)
        return Scope(where or f"Cell {self.name!r}", {**self.dimensions, **(extra or {})}, kinds, functions)

    def but(self, **values):
        """The same cell with other numbers: parameters or start values by name.

        Raises `CircuitError` for a name that does not exist, listing those that do, and for a wrong unit.
        """
        params, init, text_changed = dict(self.params), dict(self.init), False
        for name, value in values.items():
            where = f"Cell {self.name!r}, {name}"
            value = number(value, where)
            if name in params or name in self.states:
                if kind(value) != "expression":
                    same_dimension(value, self.dimensions[name], where)
                (params if name in params else init)[name] = value
                text_changed |= "expression" in (kind(value), kind(self.params.get(name, 0.0)))
            else:
                known = [*params, *self.states]
                raise CircuitError(
                    f"Cell {self.name!r} has no parameter or state variable {name!r}.{nearest(name, known)} "
                    f"Parameters: {listed(params)}. State variables: {listed(self.states)}."
                )
        if text_changed:
            return dataclasses.replace(self, params=params, init=init)
        same = copy.copy(self)  # only numbers differ: what was checked stays true
        object.__setattr__(same, "params", params)
        object.__setattr__(same, "init", init)
        return same

    def plus(
        self,
        equations="",
        *,
        reset="",
        params=None,
        init=None,
        inputs=None,
        adds=None,
        threshold=None,
        refractory=None,
        name=None,
    ):
        """The same cell with more mechanism: further equations, reset statements, parameters and start
        values.

        `adds={"I": "-a"}` lets an expression add to an input of the cell; a given `threshold` or
        `refractory` takes the place of the old one.
        """
        for label, names in (("params", params), ("init", init), ("inputs", inputs), ("adds", adds)):
            if names is not None and not isinstance(names, dict):
                raise CircuitError(
                    f"Cell {self.name!r}, plus, {label}: got {names!r}; give names with their values, such "
                    f"as {label}={_EXAMPLES[label]}."
                )
        refuse_no_text(f"Cell {self.name!r}, plus", equations, reset)
        merged = dict(self.adds)
        for port, expression in (adds or {}).items():
            merged[port] = f"{merged[port]} + ({expression})" if port in merged else f"({expression})"
        for label, old, new in (("parameter", self.params, params), ("input", self.inputs, inputs)):
            double = set(old) & set(new or {})
            if double:
                raise CircuitError(
                    f"Cell {self.name!r} has a {label} {listed(double)} already. Use but() to change it, or "
                    "another name."
                )
        return dataclasses.replace(
            self,
            name=name or self.name,
            equations=f"{self.equations}\n{equations}",
            reset="\n".join(filter(None, (self.reset, reset))),
            params={**self.params, **(params or {})},
            init={**self.init, **(init or {})},
            inputs={**self.inputs, **(inputs or {})},
            adds=merged,
            threshold=self.threshold if threshold is None else threshold,
            refractory=self.refractory if refractory is None else refractory,
        )

    def edit(self, old, new, **params):
        """The same cell with a piece of its text replaced, in the equations, threshold or reset where it
        stands.

        `old` must stand exactly once; `params` gives values to names that the new text introduces.
        """
        fields = ("equations", "threshold", "reset", "refractory")
        refuse_no_text(f"Cell {self.name!r}, edit", old, new)
        found = [(f, getattr(self, f).count(old)) for f in fields]
        total = sum(count for _, count in found)
        if not old or total != 1:
            stands = "does not stand" if total == 0 else f"stands {total} times"
            text = "\n".join(f"  {f}: {line}" for f in fields for line in getattr(self, f).splitlines())
            raise CircuitError(
                f"Cell {self.name!r}: the text {old!r} {stands} in it; it must stand exactly once. Its "
                f"text:\n{text}"
            )
        changed = {f: getattr(self, f).replace(old, new) for f, count in found if count}
        draft = {**self.params, **params}
        return dataclasses.replace(self, params=draft, **changed)

    def __repr__(self):
        return display.cell_text(self)

    def _repr_html_(self):
        return display.cell_html(self)


def expression_dimension(text, scope, what):
    """The dimension of an expression that may be of any (a parameter drawn by the program)."""
    from brian2.parsing.expressions import parse_expression_dimensions

    scope._known(text, what)
    refuse_moving(text, f"{scope.where}, {what}")
    try:
        return parse_expression_dimensions(text, scope.variables)
    except Exception as error:
        raise CircuitError(
            f"{scope.where}, {what}: '{text}' does not parse or its units do not fit. {error}"
        ) from None
