"""Equation text: reading it, checking names and units before anything is built, and renaming private
names.
"""

import ast
import keyword
import operator
import re
import sys
from functools import cache

import numpy as np
from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.core.namespace import DEFAULT_CONSTANTS, DEFAULT_UNITS
from brian2.core.variables import Constant, Variable
from brian2.equations.equations import (
    DIFFERENTIAL_EQUATION,
    PARAMETER,
    SUBEXPRESSION,
    Equations,
)
from brian2.equations.unitcheck import check_units_statements
from brian2.parsing.expressions import is_boolean_expression, parse_expression_dimensions
from brian2.stateupdaters.base import UnsupportedEquationsException
from brian2.stateupdaters.exact import get_linear_system
from brian2.units import second
from brian2.units.fundamentalunits import DIMENSIONLESS, DimensionMismatchError
from brian2.utils.stringtools import get_identifiers, word_substitute

from .errors import CircuitError, listed, nearest
from .values import kind, unit_text

__all__ = [
    "DIFFERENTIAL_EQUATION",
    "PARAMETER",
    "SUBEXPRESSION",
    "BUILT_IN",
    "Scope",
    "parse",
    "rename",
    "statements",
]

# Names that mean something to Brian2 in every equation, with their dimensions.
BUILT_IN = {
    "t": second.dim,
    "dt": second.dim,
    "t_in_timesteps": DIMENSIONLESS,
    "lastspike": second.dim,
    "lastupdate": second.dim,
    "not_refractory": DIMENSIONLESS,
    "i": DIMENSIONLESS,
    "j": DIMENSIONLESS,
    "N": DIMENSIONLESS,
    "N_pre": DIMENSIONLESS,
    "N_post": DIMENSIONLESS,
    "N_incoming": DIMENSIONLESS,
    "N_outgoing": DIMENSIONLESS,
    "xi": (second**-0.5).dim,
}
_FUNCTIONS = DEFAULT_FUNCTIONS
_CONSTANTS = {**DEFAULT_CONSTANTS, **DEFAULT_UNITS}
_OPERATORS = {"and", "or", "not", "True", "False", "if", "else", "for", "in", "int"}
# Words of C++ (those of Python that it shares are refused as such), and one of Brian2's code templates.
GENERATED = set(
    """alignas alignof asm auto bitand bitor bool case catch char compl const const_cast constexpr decltype
    default delete do double dynamic_cast enum explicit export extern float friend goto inline long mutable
    namespace new noexcept nullptr operator private protected public register reinterpret_cast short signed
    sizeof static static_assert static_cast struct switch template this thread_local throw typedef typeid
    typename union unsigned using virtual void volatile wchar_t xor variables""".split()
)
# Names that have another value at every step, wherever they are read.
NEVER_STILL = {"t", "t_in_timesteps", "xi", "lastspike", "not_refractory", "rand", "randn", "poisson"}
RESERVED = set(BUILT_IN) | set(_FUNCTIONS) | set(_CONSTANTS) | _OPERATORS

_KNOWN = {
    **_FUNCTIONS,
    **{
        name: value
        if isinstance(value, (Function, Constant))
        else Constant(name, value=float(value), dimensions=value.dim)
        for name, value in _CONSTANTS.items()
    },
    **{name: Variable(name, dimensions=dim) for name, dim in BUILT_IN.items()},
}


def parse(text, where):
    """The equations of a text as Brian2's `Equations`; an error naming `where` if they do not parse."""
    try:
        equations = Equations(text)
    except Exception as error:  # of the parser, and of the algebra below it
        said, cause = _first_line(error), error.__cause__
        if cause is not None and str(cause).strip() not in str(error):  # some versions keep the reason there
            said += f" {_first_line(cause)}"
        said = re.sub(r" does not evaluate to a unit, the result has.*", " is no unit.", said)
        raise CircuitError(f"{where}: the equations do not parse. {said}\n{_numbered(text)}") from None
    for name in equations:
        refuse_reserved(name, where, "variable")
    return equations


@cache
def linear(text):
    """Whether differential equations are linear in what they define, and do not name the time."""
    equations = Equations(text)
    if "t" in equations.identifiers:
        return False
    try:
        get_linear_system(equations, {})
        return True
    except UnsupportedEquationsException:
        return False


def expanded(text, equations):
    """The text with the subexpressions among `equations` put in for their names."""
    inner = {n: f"({e.expr.code})" for n, e in equations.items() if e.type == SUBEXPRESSION}
    while get_identifiers(text) & set(inner):
        text = word_substitute(text, inner)
    return text


def states(equations):
    """Names of the variables that keep a value which can change in a run."""
    return {
        name
        for name, equation in equations.items()
        if equation.type == DIFFERENTIAL_EQUATION
        or "constant over dt" in equation.flags
        or (equation.type == PARAMETER and "constant" not in equation.flags)
    }


def fixed(equations, params, inputs=()):
    """Names that code of single cells or synapses cannot change: one number for all, and expressions."""
    one = {name for name, value in params.items() if kind(value) == "scalar"}
    return {
        *one,
        *inputs,
        *(n for n, e in equations.items() if e.type == SUBEXPRESSION or "shared" in e.flags),
    }


def carried(equations, moving):
    """What moves: the names in `moving`, and the subexpressions that read them, also through others."""
    moving = set(moving)
    while True:
        found = {
            name
            for name, equation in equations.items()
            if equation.type == SUBEXPRESSION and get_identifiers(equation.expr.code) & moving
        }
        if found <= moving:
            return moving
        moving |= found


# What can stand in brackets behind an equation of a cell, or of a synapse.
_OF_CELLS = {
    DIFFERENTIAL_EQUATION: ("unless refractory",),
    SUBEXPRESSION: ("shared", "constant over dt"),
    PARAMETER: ("constant", "shared"),
}
_OF_SYNAPSES = {
    DIFFERENTIAL_EQUATION: ("event-driven", "clock-driven"),
    SUBEXPRESSION: ("shared", "constant over dt"),
    PARAMETER: ("constant", "shared"),
}


def refuse_flags(equations, where, synaptic=False):
    """Refuse flags that equations of their kind cannot have."""
    known = _OF_SYNAPSES if synaptic else _OF_CELLS
    for name, equation in equations.items():
        for flag in equation.flags:
            if flag not in known[equation.type]:
                possible = known[equation.type]
                raise CircuitError(
                    f"{where}, equation of {name}: '({flag})' cannot stand behind it."
                    f"{nearest(flag, possible)} Behind a {equation.type} can stand: {listed(possible)}."
                )
        if "event-driven" in equation.flags and "clock-driven" in equation.flags:
            raise CircuitError(f"{where}, equation of {name}: it is event-driven or clock-driven. Keep one.")


def refuse_reserved(name, where, what):
    """Names of units, functions and Brian2's own variables would be shadowed silently; refuse them."""
    if (
        name in RESERVED
        or not name.isidentifier()
        or not name.isascii()
        or keyword.iskeyword(name)
        or name.startswith(("_", "xi_"))
        or name.endswith(("_", "_pre", "_post"))
    ):
        kind = (
            "a unit or constant"
            if name in _CONSTANTS
            else "a function"
            if name in _FUNCTIONS
            else "not of the letters a to z, digits and _ alone"
            if not name.isascii()
            else "reserved or no valid name"
        )
        raise CircuitError(f"{where}: {what} name {name!r} is {kind}. Choose another name.")


def refuse_generated(name, where, what):
    """Variables of cells keep their names in the generated code, whose own words they cannot be."""
    if name in GENERATED:
        raise CircuitError(
            f"{where}: {what} name {name!r} is a word of the generated code. Choose another name."
        )


_ARITHMETIC = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


def _tree(text):
    """The syntax tree of an expression or a statement; one without nodes where it does not parse."""
    try:
        return ast.parse(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])  # said elsewhere


def _constant(node):
    """The value of a part of a syntax tree in which only numbers, constants and units stand, in SI units;
    None of any other.
    """
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return np.float64(node.value if abs(node.value) < sys.float_info.max else np.inf)
    if isinstance(node, ast.Name) and node.id in _CONSTANTS:
        return np.float64(_KNOWN[node.id].get_value())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        value = _constant(node.operand)
        return -value if value is not None and isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        left, right = _constant(node.left), _constant(node.right)
        if left is not None and right is not None:
            with np.errstate(all="ignore"):
                return _ARITHMETIC[type(node.op)](left, right)
    return None


def constant(text):
    """The value of an expression of numbers and units alone, in SI units; None of any other."""
    body = _tree(text).body
    return _constant(body[0].value) if len(body) == 1 and isinstance(body[0], ast.Expr) else None


def _divides_by_nothing(text):
    """Whether something is divided by an expression that is always 0, or so small that quotients overflow."""
    if not re.search(r"[/%]|\*\*", text):
        return False
    for node in ast.walk(_tree(text)):
        if isinstance(node, ast.BinOp | ast.AugAssign):
            by = node.right if isinstance(node, ast.BinOp) else node.value
            if isinstance(node.op, ast.Pow):
                base = _constant(node.left) if isinstance(node, ast.BinOp) else None
                power = _constant(by)
                found = base == 0 and power is not None and power < 0
            else:
                value = _constant(by) if isinstance(node.op, ast.Div | ast.Mod | ast.FloorDiv) else None
                found = value is not None and abs(value) < sys.float_info.min
            if found:
                return True
    return False


def refuse_moving(text, where):
    """Text that is evaluated once, when a run starts, must not name what moves on while it runs."""
    moving = sorted({"t", "dt", "xi", "t_in_timesteps"} & set(get_identifiers(text)))
    if moving:
        raise CircuitError(
            f"{where}: '{text.strip()}' is evaluated once, when the run starts, so {moving[0]} cannot "
            "stand in it. Put it into the equations, or give values over time with timed(...)."
        )


def statements(code):
    """The single statements of event code: lines, or parts divided by semicolons, without comments."""
    parts = (part.split("#")[0].strip() for line in (code or "").splitlines() for part in line.split(";"))
    return [part for part in parts if part]


def assigned(code):
    """The names that event code gives a value with a plain =, so that they can be names of its own."""
    found = (re.match(r"(\w+)\s*=(?!=)", statement) for statement in statements(code))
    return {match.group(1) for match in found if match}


def rename(text, names):
    """The text with whole words replaced by a mapping old -> new; of `x` goes also the `dx` of dx/dt."""
    text = re.sub(r"\bd(\w+)(?=\s*/\s*dt\s*=)", lambda m: f"d{names.get(m.group(1), m.group(1))}", text)
    return word_substitute(text, names) if names else text


class Scope:
    """The names that equations and event code may use, with their dimensions; checks text against them.

    Parameters
    ----------
    where : str
        Names the object in messages, such as "Cell 'lif'".
    names : dict
        Name to dimension of every variable, parameter and input.
    kinds : dict
        What to list in messages: label ("variables", "parameters") to names.
    functions : dict
        Further functions by name (time-dependent arrays).
    """

    def __init__(self, where, names, kinds, functions=None):
        self.where = where
        self.names = dict(names)
        self.kinds = kinds
        self.functions = functions or {}
        own = {name: Variable(name, dimensions=dim) for name, dim in self.names.items()}
        self.variables = {**_KNOWN, **self.functions, **own}

    def expression(self, text, dim, what, boolean=False):
        """Check that an expression uses known names and has dimension `dim` (or is a condition)."""
        self._known(text, what)
        try:
            found = parse_expression_dimensions(text, self.variables)
            if boolean and not is_boolean_expression(text, self.variables):
                raise CircuitError(
                    f"{self.where}, {what}: '{text.strip()}' is not a condition. Write a comparison, such "
                    "as v > V_t."
                )
        except DimensionMismatchError as error:
            raise CircuitError(
                f"{self.where}, {what}: the units do not fit in '{text.strip()}'. {_first_line(error)}"
            ) from None
        except CircuitError:
            raise
        except Exception as error:
            raise CircuitError(
                f"{self.where}, {what}: '{text.strip()}' does not parse. {_first_line(error)}"
            ) from None
        if not boolean and found != dim:
            raise CircuitError(
                f"{self.where}, {what}: '{text.strip()}' has unit {unit_text(found)}, but {unit_text(dim)} "
                "is needed."
            )

    def code(self, text, what, same=()):
        """Check event code (reset, on_pre): every statement assigns to a known variable with the right
        unit, and to none of the names in `same`, which have one value for all (see `fixed`).
        """
        local = set()  # names that the code gives values of its own
        for statement in statements(text):
            if not re.match(r"^[A-Za-z_]\w*\s*([-+*/]?)=(?!=)", statement):
                raise CircuitError(
                    f"{self.where}, {what}: '{statement}' is not an assignment. Write 'v = V_r' or 'v += "
                    "w', one per line."
                )
            target = re.match(r"\w+", statement).group()
            if target in same:
                raise CircuitError(
                    f"{self.where}, {what}: '{statement}' changes {target}, which is one number for all, or "
                    "an expression. Only variables change: give it a line of its own in the equations, such "
                    "as 'x : 1', with its start value in init."
                )
            if target not in self.names and not target.endswith(("_pre", "_post")):
                refuse_reserved(target, f"{self.where}, {what}", "variable")
                refuse_generated(target, f"{self.where}, {what}", "variable")
                local |= assigned(statement)
            self._known(statement, what, besides=local)
        try:
            used = get_identifiers(text)  # Brian2 hashes the whole dictionary: hand over what is needed
            check_units_statements(
                "\n".join(statements(text)), {k: v for k, v in self.variables.items() if k in used}
            )
        except DimensionMismatchError as error:
            raise CircuitError(f"{self.where}, {what}: the units do not fit. {_first_line(error)}") from None
        except Exception as error:
            raise CircuitError(
                f"{self.where}, {what}: '{text.strip()}' does not parse. {_first_line(error)}"
            ) from None

    def equations(self, equations):
        """Check every equation of a parsed set: known names, and units of both sides equal."""
        for name, equation in equations.items():
            if equation.expr is None:
                continue
            what = f"equation of {name}"
            dim = equation.dim
            if equation.type == DIFFERENTIAL_EQUATION:
                dim = (equation.unit / second).dim
            if equation.type == SUBEXPRESSION and equation.var_type == "boolean":
                self.expression(equation.expr.code, dim, what, boolean=True)
            else:
                self.expression(equation.expr.code, dim, what)

    def _known(self, text, what, besides=()):
        if _divides_by_nothing(text):
            raise CircuitError(f"{self.where}, {what}: '{text.strip()}' divides by 0. Mend the divisor.")
        for name in sorted(get_identifiers(text)):
            if name in self.variables or name in _OPERATORS or name in besides or name.startswith("xi_"):
                if name.startswith("xi_"):
                    self.variables[name] = Variable(name, dimensions=BUILT_IN["xi"])
                continue
            exists = "; ".join(f"{label}: {listed(names)}" for label, names in self.kinds.items())
            raise CircuitError(
                f"{self.where}, {what}: '{name}' is not defined.{nearest(name, self.names)} It exists: "
                f"{exists}. Give it a value in params={{'{name}': ...}} or an equation of its own."
            )


# Operators of Python that equations do not know, by the names of its syntax tree.
_OPERATOR = {
    "BitXor": "a power is written **, not ^",
    "BitOr": "conditions are joined by or, not |",
    "BitAnd": "conditions are joined by and, not &",
    "Invert": "a condition is turned round by not, not ~",
    **{
        name: f"there is no operator {sign}"
        for name, sign in {
            "LShift": "<<", "RShift": ">>", "MatMult": "@", "Is": "is", "IsNot": "is not", "In": "in",
            "NotIn": "not in",
        }.items()
    },
}  # fmt: skip


def _first_line(error):
    if isinstance(error, KeyError) and error.args[0] in _OPERATOR:
        return f"In equations {_OPERATOR[error.args[0]]}."
    if isinstance(error, ZeroDivisionError):
        return "Something divides by 0."
    if isinstance(error, RecursionError):
        return "It is nested too deeply."
    text = str(error).strip() or repr(error)
    return text.split("\n")[0] if len(text) > 400 else " ".join(text.split())


def _numbered(text):
    return "\n".join(f"  {k}: {line.strip()}" for k, line in enumerate(text.strip().splitlines(), 1))
