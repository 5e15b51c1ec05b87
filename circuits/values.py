"""Numbers with units: what kind a value is (scalar, array, expression), its dimension, and its plain SI
form.
"""

import dataclasses
import numbers
import re
import reprlib

import numpy as np
from brian2.units import amp, farad, meter, second, siemens, volt
from brian2.units.fundamentalunits import DIMENSIONLESS, Quantity, Unit, get_dimensions, get_unit

from .errors import CircuitError, listed, nearest
from .quantities import format_quantity

# Where the repr of a dimension is not what an electrophysiologist would write.
_PREFERRED = {(volt * second).dim: "volt * second", (amp * second).dim: "amp * second"}
_PREFERRED |= {(unit / meter**2).dim: f"{unit!r} / metre ** 2" for unit in (amp, siemens, farad)}
_PLAIN = {
    "metre", "kilogram", "second", "amp", "kelvin", "mole", "candle", "volt", "siemens", "ohm", "farad",
    "coulomb", "hertz", "joule", "watt", "newton", "pascal", "molar", "weber", "tesla", "henry", "gram",
}  # fmt: skip
_BASE_UNITS = ("metre", "kilogram", "second", "amp", "kelvin", "mole", "candle")


def dimension(value):
    """The physical dimension of a number, array, quantity or unit."""
    return value.dim if isinstance(value, (Quantity, Unit)) else get_dimensions(value)


def unit_text(dim):
    """The SI unit of a dimension as Brian2 reads it in equations: "volt", "1", "siemens * metre ** -2"."""
    if dim is DIMENSIONLESS or dim == DIMENSIONLESS:
        return "1"
    if dim in _PREFERRED:
        return _PREFERRED[dim]
    text = repr(get_unit(dim))
    # Equations cannot read brackets in units, and what has been multiplied before may come as "mvolt /
    # msecond".
    if not re.fullmatch(r"[a-z]+( \*\* -?[\d.]+)?( [*/] [a-z]+( \*\* -?[\d.]+)?)*", text) or _scaled(text):
        text = " * ".join(
            name if power == 1 else f"{name} ** {power:g}"
            for name, power in zip(_BASE_UNITS, dim._dims, strict=True)
            if power
        )
    return text


def _scaled(text):
    """Whether a unit is written with prefixes."""
    return any(word not in _PLAIN for word in re.findall(r"[a-z]+", text))


def kind(value):
    """'scalar' for one number, 'array' for one number per cell or synapse, 'expression' for text drawn by
    the program.
    """
    if isinstance(value, str):
        return "expression"
    return "scalar" if np.ndim(value) == 0 else "array"


def plain(value):
    """The value in SI base units: a float, an array of floats, or the text of an expression."""
    if isinstance(value, str):
        return value.strip()
    if np.ndim(value) == 0:
        return float(value)
    return np.array(value, dtype=float)


def number(value, where):
    """The value if it is a number, an array of numbers, a quantity of either, or text; an error naming
    `where` otherwise.
    """
    if isinstance(value, str):
        if not value.strip():
            raise CircuitError(
                f"{where}: the expression is empty. Give a number with its unit, or an expression as text."
            )
        return value
    if isinstance(value, (bool, np.bool_)):
        raise CircuitError(f"{where}: {value!r} is not a number. Give 1 or 0.")
    if np.iscomplexobj(value):
        raise CircuitError(f"{where}: {value!r} is complex. Give real numbers.")
    if isinstance(value, Unit):  # `ms` where `1*ms` was meant
        return Quantity(float(value), dim=value.dim)
    if isinstance(value, Quantity):
        return value
    if isinstance(value, numbers.Real):
        try:
            return float(value)
        except OverflowError:
            raise CircuitError(f"{where}: a whole number of {len(str(value))} digits is too large.") from None
    try:
        items = list(value)
        if items and any(isinstance(item, Quantity) for item in items):
            return Quantity(items)  # a list of quantities; mixed dimensions raise below
        array = np.asarray(value, dtype=float)
    except Exception:
        raise CircuitError(
            f"{where}: {value!r} is not a number. Give a number with its unit (20*ms), an array of them, or "
            "an expression as text."
        ) from None
    return array


def of_their_kinds(record, where, examples, texts=(), error=CircuitError):
    """Refuse fields of a dataclass whose values are not what they are declared as: text, or names with their
    values, which are text too for the fields in `texts`; `examples` has some of the latter by field.
    """
    for part in dataclasses.fields(record):
        value, its = getattr(record, part.name), f"{where}, {part.name}"
        if part.type is str and not isinstance(value, str):
            raise error(
                f"{its}: got {value!r}, but it is text. A number goes into params, and its name here."
            )
        if part.type is not dict:
            continue
        if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
            raise error(
                f"{its}: got {reprlib.repr(value)}; give names with their values, such as "
                f"{part.name}={examples[part.name]}, or leave it out."
            )
        for name, text in value.items() if part.name in texts else ():
            if not isinstance(text, str):
                raise error(
                    f"{its}: got {text!r} for {name!r}, but it is text, such as {examples[part.name]}. A "
                    "number goes into params, and its name here."
                )


def refuse_no_text(where, *texts, error=CircuitError):
    """Refuse what is no text."""
    for text in texts:
        if not isinstance(text, str):
            raise error(f"{where}: got {text!r}, but it is text.")


def is_unit(value):
    """Whether a value is a unit, a quantity that has it, or 1."""
    return isinstance(value, (Unit, Quantity)) and not np.ndim(value) or (
        isinstance(value, numbers.Real) and value == 1
    )


def units_of_needs(needs, where, error=CircuitError):
    """Refuse variables that cells must have whose units are none."""
    for name, unit in needs.items():
        if not is_unit(unit):
            raise error(f"{where}, needs: got {unit!r} for {name!r}; give its unit, such as {{'v': volt}}.")


def same_dimension(value, dim, where):
    """Refuse a value whose dimension is not `dim`."""
    found = dimension(value)
    if found != dim:
        example = "" if dim == DIMENSIONLESS else f", such as 1*{unit_text(dim)}"
        raise CircuitError(f"{where}: got {describe(value)}, but the unit must be {unit_text(dim)}{example}.")


def with_numbers(params, changes, owner):
    """Parameters with some of their values changed; unknown names and wrong units are refused."""
    params = dict(params)
    for name, value in changes.items():
        if name not in params:
            raise CircuitError(
                f"{owner} has no parameter {name!r}.{nearest(name, params)} Parameters: {listed(params)}."
            )
        value = number(value, f"{owner}, {name}")
        if "expression" not in (kind(value), kind(params[name])):
            same_dimension(value, dimension(params[name]), f"{owner}, {name}")
        params[name] = value
    return params


def whole_numbers(values, where):
    """Indices as an int32 array; anything that is not a list of whole numbers from 0 is refused."""
    wrong = f"{where}: give a list of indices (whole numbers from 0), not {reprlib.repr(values)}."
    if isinstance(values, (str, Quantity)):
        raise CircuitError(wrong)
    try:
        array = np.atleast_1d(np.asarray(values if len(np.shape(values)) else [values]))
        exact = array.astype(float)
    except (TypeError, ValueError, OverflowError):
        raise CircuitError(wrong) from None
    if (
        array.ndim != 1
        or (exact != np.floor(exact)).any()
        or (exact < 0).any()
        or (exact > np.iinfo(np.int32).max).any()
    ):
        raise CircuitError(wrong)
    return array.astype(np.int32)


def describe(value):
    """The value as text for messages and tables: '20 ms', 'array of 100 (mV)', or the expression."""
    if isinstance(value, str):
        return value
    if np.ndim(value) == 0:
        return format_quantity(value) if isinstance(value, Quantity) else f"{value:g}"
    return f"array of shape {np.shape(value)} ({unit_text(dimension(value))})"
