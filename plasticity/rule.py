"""The algebra of plasticity: a rule is a fragment of equations, `compose` puts any set of them on one
synapse.

    compose(stdp.pair(), homeostasis.scaling(), synapse=synapses.exponential_current(w=1*nA),
    bounds=hard(0*nA, 2*nA))

Proposals add, gates multiply, one sink absorbs what is proposed, periodic steps carry an order. Names of a
rule are its own: each gets the rule's name, everywhere at once. The result is a `circuits.Synapse` that
prints itself as the equations a person would have written.
"""

import ast
import dataclasses
import html
import re
from dataclasses import dataclass, field

import numpy as np
from brian2.units import second
from brian2.units.fundamentalunits import DIMENSIONLESS
from brian2.utils.stringtools import get_identifiers

from circuits.cell import expression_dimension
from circuits.equations import RESERVED, Scope, assigned, parse, refuse_reserved, rename, statements
from circuits.errors import CircuitError, listed, nearest
from circuits.synapses import Periodic, Synapse, _periodics  # noqa: F401  rules take Periodic from here
from circuits.values import (
    describe,
    dimension,
    kind,
    number,
    of_their_kinds,
    plain,
    refuse_no_text,
    same_dimension,
    unit_text,
    units_of_needs,
    with_numbers,
)

PUBLIC = ("w", "w_min", "w_max", "dw")
_EXAMPLES = {
    "params": "{'tau': 20*ms}",
    "init": "{'x': 0.5}",
    "needs": "{'v_post': volt}",
    "remedy": "{'v_post': 'Take a cell with a membrane.'}",
}
_SYNAPTIC = (
    "propose_pre",
    "propose_post",
    "gate",
    "factor",
    "drift",
    "sink",
    "settle",
    "unsettle",
    "on_pre",
    "on_post",
)


class RuleError(CircuitError):
    """A rule, or a composition of rules, that cannot be: the message names the rule and the remedy."""


@dataclass(frozen=True, eq=False)
class Rule:
    """A fragment of plasticity.

    Parameters
    ----------
    name : str
        Ends every name that the rule brings: variable x of the rule stdp becomes x_stdp.
    synapse, pre, post : str
        Equations of the synapse, the source cell and the target cell. Synaptic text reads those of the cells
        with _pre or _post at their ends. The unit `weight` is that of w: "c : weight".
    propose_pre, propose_post : str
        What a pre- or postsynaptic spike adds to the change dw of the weight (in the unit of w).
    drift : str
        What is added to dw/dt at every time step (for neurons that have rates; costs all synapses per step).
    gate : str
        A factor of all that all rules propose.
    factor : str
        A factor of what the synapse delivers.
    sink : str
        Statements that take dw, instead of the weight.
    settle, unsettle : str
        Statements that bring what is integrated lazily, and w, up to date, and those that put it away again:
        run before and after whatever reads it.
    on_pre, on_post : str
        Statements of the synapse at a spike, after the change of the weight.
    at_pre, at_post : str
        Statements of the source or target cell at its spike, after all its synapses have acted.
    step_pre, step_post : str
        Statements of the source or target cells at the start of every time step.
    periodic : tuple of Periodic
        What happens every so often.
    params, init : dict
        Numbers with units, and start values of the variables.
    needs : dict
        Variables of the cells, ending in _pre or _post, to their units.
    remedy : dict
        Name in `needs` to what a user can do where a cell lacks it.
    source : str
        Paper and equation number.

    Raises
    ------
    RuleError
        For names that are unknown or given twice.
    CircuitError
        For names that are reserved, and text that does not parse.
    """

    name: str
    synapse: str = ""
    pre: str = ""
    post: str = ""
    propose_pre: str = ""
    propose_post: str = ""
    drift: str = ""
    gate: str = ""
    factor: str = ""
    sink: str = ""
    settle: str = ""
    unsettle: str = ""
    on_pre: str = ""
    on_post: str = ""
    at_pre: str = ""
    at_post: str = ""
    step_pre: str = ""
    step_post: str = ""
    periodic: tuple = ()
    params: dict = field(default_factory=dict)
    init: dict = field(default_factory=dict)
    needs: dict = field(default_factory=dict)
    remedy: dict = field(default_factory=dict)
    source: str = ""

    def __post_init__(self):
        where = f"Rule {self.name!r}"
        word = isinstance(self.name, str) and self.name.isascii() and self.name.isidentifier()
        if not word or self.name in ("pre", "post") or self.name.endswith(("_", "_pre", "_post")):
            raise RuleError(
                f"{where}: the name must be a word of plain letters that does not end in _, _pre or _post, "
                "since it ends the names that the rule brings."
            )
        of_their_kinds(self, where, _EXAMPLES, texts=("remedy",), error=RuleError)
        units_of_needs(self.needs, where, RuleError)
        for attribute in ("params", "init"):
            values = {k: number(v, f"{where}, {k}") for k, v in getattr(self, attribute).items()}
            object.__setattr__(self, attribute, values)
        object.__setattr__(self, "periodic", _periodics(self.periodic, where, RuleError))
        held = {end: self._parsed(end) for end in ("synapse", "pre", "post")}
        object.__setattr__(self, "_held", held)
        names = [*(n for variables in held.values() for n in variables), *self.params]
        for name in names:
            if name in PUBLIC:
                raise RuleError(
                    f"{where}: the name {name!r} is that of the weight itself. Choose another name."
                )
            refuse_reserved(name, where, "the")
            if names.count(name) > 1:
                raise RuleError(f"{where}: {name!r} is defined twice. Rename one of them.")
        for name in self.init:
            if name not in names or name in self.params:
                raise RuleError(
                    f"{where}: start value for {name!r}, which is no variable of the rule."
                    f"{nearest(name, names)} Variables: {listed(n for v in held.values() for n in v)}."
                )
        for name in self.needs:
            if not name.endswith(("_pre", "_post")):
                raise RuleError(
                    f"{where}: needs[{name!r}]: say whose variable it is: '{name}_pre' or '{name}_post'."
                )
            base, _, end = name.rpartition("_")
            if base in held[end] or base in self.params or name in names:
                raise RuleError(
                    f"{where}: it needs {name!r} of the cells and has a name {base!r} itself. Give the "
                    "signal, or what the rule calls so, another name."
                )
        self._check_names(where)

    def _texts(self):
        """(part, text) of all its code and equations."""
        besides = ("name", "periodic", "params", "init", "needs", "remedy", "source")
        names = [part.name for part in dataclasses.fields(self) if part.name not in besides]
        return [(name, getattr(self, name)) for name in names]

    def _parsed(self, end):
        text = _with_unit(getattr(self, end), "1")
        return parse(text, f"Rule {self.name!r}, {end}") if text.strip() else {}

    def for_weight(self, dim):
        """The rule for a weight of some dimension: with its unit where `weight` stands for it."""
        unit = unit_text(dim)
        texts = {end: _with_unit(getattr(self, end), unit) for end in ("synapse", "pre", "post")}
        return dataclasses.replace(self, **texts)

    def bounds_read(self, finite=False):
        """Which bounds of the weight it reads (`finite`: other than to keep something within them)."""
        texts = [*(text for _, text in self._texts()), *(p.code for p in self.periodic)]
        texts += [value for value in self.init.values() if isinstance(value, str)]
        text = "\n".join(texts)
        if finite:
            text = re.sub(r",\s*w_min\s*,\s*w_max\s*\)", ")", text)
        return {"w_min", "w_max"} & _identifiers(text)

    def but(self, **values):
        """The same rule with other numbers; unknown names and wrong units are refused."""
        return dataclasses.replace(self, params=with_numbers(self.params, values, f"Rule {self.name!r}"))

    def edit(self, old, new):
        """The same rule with a piece of its text replaced, wherever it stands.

        Raises `RuleError` if the text is not there.
        """
        refuse_no_text(f"Rule {self.name!r}, edit", old, new, error=RuleError)
        changed = {part: text.replace(old, new) for part, text in self._texts() if old in text}
        periodic = tuple(dataclasses.replace(p, code=p.code.replace(old, new)) for p in self.periodic)
        if not changed and periodic == self.periodic:
            raise RuleError(f"Rule {self.name!r}: {old!r} stands nowhere in it. Its text:\n{self!r}")
        return dataclasses.replace(self, periodic=periodic, **changed)

    # ---- names
    # ------------------------------------------------------------------------------------------------

    def synaptic_names(self):
        """What synaptic text may read, besides what Brian2 knows."""
        held = self._held
        ends = [f"{name}_{end}" for end in ("pre", "post") for name in held[end]]
        return [*held["synapse"], *self.params, *ends, *self.needs]

    def cell_names(self, end):
        """What text of the cells at one end may read."""
        needs = [n[: -len(end) - 1] for n in self.needs if n.endswith(f"_{end}")]
        return [*self._held[end], *self.params, *needs]

    def _check_names(self, where):
        synaptic = [*self.synaptic_names(), "w", "w_min", "w_max"]
        texts = [(part, getattr(self, part), synaptic) for part in ("synapse", *_SYNAPTIC)]
        for end in ("pre", "post"):
            known = self.cell_names(end)
            texts += [(p, getattr(self, p), known) for p in (end, f"at_{end}", f"step_{end}")]
        for p in self.periodic:
            known = synaptic if p.on == "synapse" else self.cell_names(p.on)
            texts.append((f"every {p.every}", p.code, known))
            if p.period not in self.params:
                raise RuleError(
                    f"{where}: every={p.every!r} names no parameter.{nearest(p.period, self.params)} "
                    f"Parameters: {listed(self.params)}."
                )
        for part, text, known in texts:
            local = assigned(text)
            unknown = _identifiers(text) - set(known) - local - RESERVED
            if part == "sink":
                unknown -= {"dw"}
                if text.strip() and "dw" not in _identifiers(text):
                    raise RuleError(f"{where}: its sink {text.strip()!r} does not take dw.")
            fixed = sorted(local & {*self.params, "w_min", "w_max"}) if part != "synapse" else []
            if fixed:
                raise RuleError(
                    f"{where}, {part}: {fixed[0]!r} is a number; its code cannot give it a value."
                )
            for name in sorted(unknown):
                raise RuleError(
                    f"{where}, {part}: {name!r} is not defined.{nearest(name, known)} The rule has: "
                    f"{listed(known)}. Give it an equation, a value in params, or, if it is a variable of "
                    "the cells, a unit in needs."
                )

    def check_units(self, dim):
        """Check everything against the unit of the weight, whose dimension is given."""
        where = f"Rule {self.name!r}"
        held, own = self._held, {}
        own.update({n: _dimension(v, f"{where}, {n}") for n, v in self.params.items()})
        needs = {n: dimension(u) for n, u in self.needs.items()}
        cells = {end: {n: e.dim for n, e in held[end].items()} for end in ("pre", "post")}
        synaptic = {
            **own,
            **needs,
            **dict.fromkeys(PUBLIC, dim),
            **{n: e.dim for n, e in held["synapse"].items()},
        }
        for end, variables in cells.items():
            synaptic.update({f"{n}_{end}": d for n, d in variables.items()})
        scope = Scope(where, synaptic, {"of the rule": [*self.synaptic_names(), *PUBLIC]})
        if held["synapse"]:
            scope.equations(held["synapse"])
        wanted = dict(propose_pre=dim, propose_post=dim, drift=dim / second.dim, gate=DIMENSIONLESS)
        for part, dimensions in {**wanted, "factor": DIMENSIONLESS}.items():
            text = getattr(self, part)
            if text.strip():
                if _is_condition(text):
                    raise RuleError(
                        f"{where}, {part}: {text.strip()!r} is a condition. Write int({text.strip()}), "
                        "which is 0 or 1."
                    )
                scope.expression(text, dimensions, part)
        for part in ("sink", "settle", "unsettle", "on_pre", "on_post"):
            scope.code(getattr(self, part), part)
        for end, variables in cells.items():
            outer = {n[: -len(end) - 1]: d for n, d in needs.items() if n.endswith(f"_{end}")}
            within = Scope(where, {**own, **outer, **variables}, {"of the rule": self.cell_names(end)})
            if held[end]:
                within.equations(held[end])
            for part in (f"at_{end}", f"step_{end}"):
                within.code(getattr(self, part), part)
            for p in self.periodic:
                if p.on == end:
                    within.code(p.code, f"every {p.every}")
        for p in self.periodic:
            if p.on == "synapse":
                scope.code(p.code, f"every {p.every}")
            if own[p.period] != second.dim:
                raise RuleError(
                    f"{where}: every={p.every!r}, but {p.period} is {describe(self.params[p.period])}; "
                    "give a time."
                )

    def _repr_html_(self):
        return f"<pre>{html.escape(repr(self))}</pre>"

    def __repr__(self):
        lines = [f"Rule {self.name}" + (f"  ({self.source})" if self.source else "")]
        for part, text in self._texts():
            if text.strip():
                lines.append(f"  {part}:")
                lines += [f"    {line.strip()}" for line in text.splitlines() if line.strip()]
        for p in sorted(self.periodic, key=lambda p: p.order):
            lines += [f"  every {p.every} ({p.on}):", *(f"    {s}" for s in statements(p.code))]
        lines += [f"  {k} = {describe(v)}" for k, v in self.params.items()]
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Bounds:
    """Where weights must stay: numbers, and the factors of what is proposed upwards and downwards."""

    params: dict
    up: str = ""
    down: str = ""

    def __post_init__(self):
        if "w_max" not in self.params:
            return
        low, high = (_one_number(self.params[name], f"bounds: {name}") for name in ("w_min", "w_max"))
        if self.up and not (np.isfinite(plain(low)) and np.isfinite(plain(high))):
            raise RuleError(f"bounds: {describe(low)} to {describe(high)}; soft bounds must be finite.")
        same_dimension(high, dimension(low), "bounds, w_max")
        if not plain(low) < plain(high):
            raise RuleError(
                f"bounds: w_max = {describe(high)} does not lie above w_min = {describe(low)}. Exchange them."
            )

    def infinite(self):
        """The bounds that no weight can reach."""
        return {n for n in ("w_min", "w_max") if n in self.params and not np.isfinite(plain(self.params[n]))}

    def middle(self):
        """A weight within the bounds: half way if they are finite, w_min if not, 0.5 if there are none."""
        if "w_max" not in self.params:
            return 0.5
        low, high = self.params["w_min"], self.params["w_max"]
        return (low + high) / 2 if np.isfinite(plain((low + high) / 2)) else low


def _one_number(value, where):
    if isinstance(value, str) or value is None:
        raise RuleError(f"{where} is {value!r}; give one number.")
    value = number(value, where)
    if kind(value) != "scalar" or np.isnan(plain(value)):
        raise RuleError(f"{where} is {describe(value)}; give one number.")
    return value


def hard(w_min=0.0, w_max=1.0):
    """Weights are cut off at their bounds: w <- clip(w, w_min, w_max)."""
    return Bounds({"w_min": w_min, "w_max": w_max})


def soft(w_min=0.0, w_max=1.0):
    """What is proposed upwards is multiplied by (w_max - w)/(w_max - w_min), downwards by
    (w - w_min)/(w_max - w_min), so that steps vanish at the bounds.
    """
    return Bounds(
        {"w_min": w_min, "w_max": w_max}, "(w_max - w)/(w_max - w_min)", "(w - w_min)/(w_max - w_min)"
    )


def power_law(w_min=0.0, w_max=1.0, mu=0.5):
    """Soft bounds to the power mu: additive at mu = 0, multiplicative at mu = 1.

    Source: Guetig, Aharonov, Rotter & Sompolinsky 2003, eqs. 3 and 4.
    """
    value = _one_number(mu, "power_law: mu")
    if dimension(value) != DIMENSIONLESS or not 0 <= float(value) < np.inf:
        raise RuleError(f"power_law: mu is {mu!r}; it must be a number, without unit, of at least 0.")
    made = soft(w_min, w_max)
    # Rounding can carry a weight past a bound by a last digit: no power of a negative number.
    up, down = (f"clip({text}, 0, 1)**mu" for text in (made.up, made.down))
    return Bounds({**made.params, "mu": mu}, up, down)


def unbounded():
    """Weights go wherever the rules take them."""
    return Bounds({})


def compose(*rules, synapse=None, bounds=None, w=None, per_neuron=True):
    """One synapse with all these rules on it.

    Parameters
    ----------
    rules : Rule
        In any order: what they propose is added, and gates multiply all of it.
    synapse : Synapse, optional
        What a spike does; its parameter w becomes the plastic weight. Without one, w is a number that
        delivers nothing.
    bounds : Bounds
        `hard`, `soft`, `power_law` or `unbounded`; hard bounds of 0 and 1 for a weight without unit.
    w : number, array or text
        Start values of the weight, if not the synapse's own.
    per_neuron : bool
        Whether traces that depend on one side only live with that side's cells (same results, less work).

    Raises
    ------
    RuleError
        Two rules of one name, two sinks, units that do not fit, bounds that are missing.
    """
    base = synapse
    if base is None:
        middle = bounds.middle() if isinstance(bounds, Bounds) else hard().middle()
        base = Synapse("plastic", params={"w": middle if w is None else w})
    _check_composition(rules, base)
    start = number(base.params["w"] if w is None else w, "compose, w")
    dim, bounds = _weight_dimension(start, base, bounds)
    _check_start(start, bounds)
    rules = [rule.for_weight(dim) for rule in rules]
    for rule in rules:
        if "w_max" not in bounds.params and rule.bounds_read():
            raise RuleError(
                f"compose: the rule {rule.name!r} measures the weight by its bounds. Give bounds=hard(...) "
                "or others."
            )
        beyond = sorted(rule.bounds_read(finite=True) & bounds.infinite())
        if beyond:
            raise RuleError(
                f"compose: the rule {rule.name!r} measures the weight by its bounds, and {beyond[0]} is "
                "infinite. Give a finite one."
            )
        rule.check_units(dim)
    texts = [_Renamed(rule) for rule in rules]
    code = _Events(texts, bounds)
    # Statements that could depend on each other stand in an order that does not depend on that of the rules;
    # what keeps the weight in another form comes first, since all others read it as it is.
    ordered = sorted(texts, key=lambda text: text.name)
    inner = sorted(ordered, key=lambda text: not text.unsettle.strip())
    factor = "*".join(f"({t.factor})" for t in texts if t.factor)
    weighted = {"w": f"(w*{factor})"} if factor else {}
    params = {n: v for n, v in base.params.items() if n != "w"} | bounds.params
    for text in texts:
        params |= text.params
    clash = [
        n for n in params if sum(n in p for p in (base.params, bounds.params, *(t.params for t in texts))) > 1
    ]
    if clash:
        raise RuleError(f"compose: {listed(clash)} is a number of two of them. Rename it.")
    return dataclasses.replace(
        base,
        name=" + ".join([*(r.name for r in rules), *([base.name] if synapse is not None else [])]),
        equations=_lines(f"w : {unit_text(dim)}", base.equations, *(t.synapse for t in texts)),
        pre=_lines(base.pre, *(t.pre for t in texts)),
        post=_lines(base.post, *(t.post for t in texts)),
        deliver={variable: rename(text, weighted) for variable, text in base.deliver.items()},
        summed={variable: rename(text, weighted) for variable, text in base.summed.items()},
        settle=_lines(base.settle, *(code.bounded(t.settle) for t in inner)),
        unsettle=_lines(*(t.unsettle for t in reversed(inner)), base.unsettle),
        after=_lines(base.after, code.change("pre"), *(code.bounded(t.on_pre) for t in ordered)),
        on_post=_lines(base.on_post, code.change("post"), *(code.bounded(t.on_post) for t in ordered)),
        step=_lines(base.step, code.drift()),
        at_pre=_lines(base.at_pre, *(t.at_pre for t in texts)),
        at_post=_lines(base.at_post, *(t.at_post for t in texts)),
        step_pre=_lines(base.step_pre, *(t.step_pre for t in texts)),
        step_post=_lines(base.step_post, *(t.step_post for t in texts)),
        periodic=(*base.periodic, *(code.periodic(p) for t in ordered for p in t.periodic)),
        params=params,
        init={**base.init, "w": start, **{n: v for t in texts for n, v in t.init.items()}},
        needs={**base.needs, **{n: u for t in texts for n, u in t.needs.items()}},
        remedy={**base.remedy, **{n: u for t in texts for n, u in t.remedy.items()}},
        per_neuron=per_neuron,
        source="; ".join(dict.fromkeys(x for x in (*(r.source for r in rules), base.source) if x)),
    )


class _Renamed:
    """The texts of a rule under the names that they have in a composition."""

    def __init__(self, rule):
        held, end = rule._held, rule.name
        self.name = rule.name
        own = {n: f"{n}_{end}" for n in (*held["synapse"], *rule.params, *_local(rule))}
        sides = {side: {n: f"{n}_{end}" for n in held[side]} for side in ("pre", "post")}
        synaptic = {**own, **{f"{n}_{s}": f"{new}_{s}" for s in sides for n, new in sides[s].items()}}
        for part in ("synapse", *_SYNAPTIC):
            setattr(self, part, rename(getattr(rule, part), synaptic))
        for side, names in sides.items():
            for part in (side, f"at_{side}", f"step_{side}"):
                setattr(self, part, rename(getattr(rule, part), {**own, **names}))
        self.periodic = [
            dataclasses.replace(
                p,
                code=rename(p.code, synaptic if p.on == "synapse" else {**own, **sides[p.on]}),
                every=rename(p.every, own),
            )
            for p in rule.periodic
        ]
        self.params = {own[n]: v for n, v in rule.params.items()}
        names = {**own, **sides["pre"], **sides["post"]}
        self.init = {names[n]: rename(v, names) if isinstance(v, str) else v for n, v in rule.init.items()}
        self.needs = {n.removesuffix("_post"): unit for n, unit in rule.needs.items()}
        self.remedy = {n.removesuffix("_post"): text for n, text in rule.remedy.items()}


def _local(rule):
    """Names that a rule's code gives values for itself; left as they are, they could be a cell's
    variables.
    """
    code = [text for part, text in rule._texts() if part not in ("synapse", "pre", "post")]
    known = {*rule.synaptic_names(), *rule.cell_names("pre"), *rule.cell_names("post"), *PUBLIC}
    return sorted(assigned("\n".join([*code, *(p.code for p in rule.periodic)])) - known)


class _Events:
    """The statements that change the weight."""

    def __init__(self, texts, bounds):
        self.texts, self.bounds = texts, bounds
        self.numbers = {name for text in texts for name in text.params}
        self.gates = [t.gate for t in texts if t.gate.strip()]
        self.sink = next((t.sink for t in texts if t.sink.strip()), "")

    def change(self, side):
        return self._taken([getattr(t, f"propose_{side}") for t in self.texts])

    def drift(self):
        return self._taken([t.drift for t in self.texts], "dt")

    def _taken(self, proposals, *factors):
        proposals = [p.strip() for p in proposals if p.strip()]
        if not proposals:
            return ""
        factors = [*self.gates, *factors]
        total = _sum(proposals)
        if factors:
            total = "*".join([f"({total})", *(f"({f})" if re.search(r"\W", f) else f for f in factors)])
        # Brian2 wants statements with one value for all synapses before all others: this makes one for each.
        each = " + 0*w" if _identifiers(total) <= self.numbers else ""
        weigh = []
        if self.bounds.up:
            weigh = [
                f"dw = {total}{each}",
                f"dw = dw*(int(dw/(w_max - w_min) > 0)*({self.bounds.up}) "
                f"+ int(dw/(w_max - w_min) <= 0)*({self.bounds.down}))",
            ]
            total = "dw"
        if self.sink:
            return _lines(*(weigh or [f"dw = {total}{each}"]), self.bounded(self.sink))
        return _lines(
            *weigh, self.bounded(f"w = w - {total[1:]}" if _negative(total) else f"w = w + {total}")
        )

    def bounded(self, code):
        """Code in which whatever is written to w stays within the bounds."""
        if "w_max" not in self.bounds.params:
            return "\n".join(statements(code))
        done = []
        for statement in statements(code):
            match = re.match(r"w\s*([-+*/]?)=(?!=)\s*(.*)", statement)
            if match:
                sign, text = match.groups()
                value = text if not sign else f"w {sign} {text if sign == '+' else f'({text})'}"
                statement = f"w = clip({value}, w_min, w_max)"
            done.append(statement)
        return "\n".join(done)

    def periodic(self, periodic):
        return (
            dataclasses.replace(periodic, code=self.bounded(periodic.code))
            if periodic.on == "synapse"
            else periodic
        )


def _check_composition(rules, base):
    for rule in rules:
        if not isinstance(rule, Rule):
            remedy = "Give rules one by one, such as compose(stdp.pair(), synapse=...)."
            if callable(rule):
                remedy = f"Call it: {getattr(rule, '__name__', 'rule')}()."
            raise RuleError(f"compose: {type(rule).__name__} {str(rule)[:60]!r} is no Rule. {remedy}")
    names = [rule.name for rule in rules]
    double = sorted({n for n in names if names.count(n) > 1})
    if double:
        raise RuleError(
            f"compose: two rules are named {double[0]!r}, so that their variables would be the same. Give "
            "one of them another name."
        )
    sinks = [rule.name for rule in rules if rule.sink.strip()]
    if len(sinks) > 1:
        raise RuleError(
            f"compose: {listed(sinks)} are sinks, each of which takes all that is proposed. Keep one of them."
        )
    if sinks and not any(r.propose_pre or r.propose_post or r.drift for r in rules):
        raise RuleError(
            f"compose: {sinks[0]} takes what is proposed, but no rule proposes anything. Add one."
        )
    if not isinstance(base, Synapse):
        raise RuleError(f"compose: synapse={base!r} is no Synapse. Take one from circuits.synapses.")
    lazy = [rule.name for rule in rules if rule.settle.strip() or rule.unsettle.strip()]
    if base.summed and lazy:
        raise RuleError(
            f"compose: the synapse {base.name!r} reads its weight at every step, but {lazy[0]!r} brings "
            "the weight up to date at spikes only. Take a synapse that delivers at spikes."
        )
    put_away = [rule.name for rule in rules if rule.unsettle.strip()]
    if len(put_away) > 1:
        raise RuleError(f"compose: {listed(put_away)} each keep the weight in a form of their own. Keep one.")
    if "w" in base.init:
        raise RuleError(
            f"compose: the synapse {base.name!r} is composed already. Give all its rules to one compose."
        )
    if "w" not in base.params:
        raise RuleError(
            f"compose: the synapse {base.name!r} has no parameter w that could be plastic. Parameters: "
            f"{listed(base.params)}."
        )
    taken = {
        name: f"the synapse {base.name}"
        for text in (base.equations, base.pre, base.post)
        for name in (parse(text, base.name) if text.strip() else ())
    }
    for rule in rules:
        for name in [*(n for v in rule._held.values() for n in v), *rule.params]:
            full = f"{name}_{rule.name}"
            if full in taken:
                raise RuleError(
                    f"compose: {name!r} of {rule.name!r} and a name of {taken[full]!r} both become {full!r}. "
                    "Rename one of the rules."
                )
            taken[full] = rule.name


def _check_start(start, bounds):
    """Weights that are given as numbers must start within the bounds."""
    if kind(start) == "expression" or "w_max" not in bounds.params:
        return
    low, high = (plain(number(bounds.params[n], f"bounds, {n}")) for n in ("w_min", "w_max"))
    values = np.asarray(plain(start))
    if values.size and not (values.min() >= low and values.max() <= high):
        raise RuleError(
            f"compose: weights start between {values.min():g} and {values.max():g} (SI), outside of their "
            f"bounds {low:g} to {high:g}. Change w or the bounds."
        )


def _weight_dimension(start, base, bounds):
    """The dimension of the weight, and the bounds: those of a number without unit if none are given."""
    if kind(start) != "expression":
        dim = dimension(start)
    elif bounds is not None and "w_max" in bounds.params:
        dim = dimension(bounds.params["w_max"])
    else:
        dim = _dimension(start, "compose, w")
    if bounds is None:
        if dim != DIMENSIONLESS:
            raise RuleError(
                f"compose: the weight is in {unit_text(dim)}; say between which bounds it stays, such as "
                f"bounds=hard(0*{unit_text(dim)}, ...), or bounds=unbounded()."
            )
        bounds = hard()
    if not isinstance(bounds, Bounds):
        raise RuleError(f"compose: bounds={bounds!r}; take hard, soft, power_law or unbounded.")
    if "w_max" in bounds.params:
        same_dimension(number(bounds.params["w_max"], "bounds, w_max"), dim, "compose, bounds")
    if kind(base.params["w"]) != "expression":
        same_dimension(base.params["w"], dim, "compose, w")
    return dim, bounds


def _is_condition(text):
    """Whether a comparison or a logical operation stands in a text, outside of int(...)."""
    try:
        waiting = [ast.parse(text.strip(), mode="eval").body]
    except SyntaxError:
        return False  # said elsewhere
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Compare | ast.BoolOp):
            return True
        if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "int"):
            waiting += ast.iter_child_nodes(node)
    return False


def _with_unit(text, unit):
    """Equations in which the unit `weight` is replaced."""
    return re.sub(r"(?m):([^:\n]*)$", lambda m: ":" + re.sub(r"\bweight\b", unit, m.group(1)), text)


def _dimension(value, where):
    if kind(value) != "expression":
        return dimension(value)
    return expression_dimension(value, Scope(where, {}, {}), where)


def _sum(terms):
    """Terms added, without brackets where none are needed."""
    text = terms[0]
    for term in terms[1:]:
        text += f" - {term[1:].lstrip()}" if _negative(term) else f" + {term}"
    return text


def _negative(term):
    """Whether a term is minus a product: the minus can become that of a difference."""
    if not term.startswith("-"):
        return False
    depth = 0
    for character in term[1:]:
        depth += (character in "([") - (character in ")]")
        if depth == 0 and character in "+-<>=":
            return False
    return True


def _lines(*texts):
    return "\n".join(line.strip() for text in texts for line in text.splitlines() if line.strip())


def _identifiers(text):
    """The names in a text; of dx/dt = ... the x."""
    text = re.sub(r"#.*", "", text)
    text = re.sub(r"(?m)^\s*d(\w+)\s*/\s*dt\s*=", r"\1 = ", text)
    # flags and units of equations are no names
    text = re.sub(r"(?m)^(\s*\w+\s*)(=[^:\n]*)?:[^\n]*$", r"\1 \2", text)
    return set(get_identifiers(text))
