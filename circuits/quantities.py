"""Numbers with units as text: read from the command line, written into reports and tables.

Text is read by a small grammar and never evaluated:

    quantity = number [*] units         units = unit { (* | / | space) unit }
    unit = ( name [ digits ] | "(" units ")" ) [ (** | ^) exponent ]

so "10 ms", "10*ms", "0.3 mS/cm2", "0.3*msiemens/cmetre**2", "5/second", "-60 mV" are quantities, "1e-3" is a
plain number. Unit names are Brian2's, long (msiemens) and short (mS), with any SI prefix. The value is
multiplied out from left to right, as Python does with the same text: it is the same number to the last bit.
"""

import difflib
import math
import re
from functools import cache

import numpy as np
from brian2.units import allunits
from brian2.units.fundamentalunits import (
    DIMENSIONLESS,
    Dimension,
    Quantity,
    Unit,
    get_dimensions,
)

from .errors import CircuitError

LONGEST = 10_000  # characters; more than any parameter needs

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z]+\d*)|(?P<number>\d+\.?\d*|\.\d+)|(?P<mark>\*\*|[*/^()+-]))")
_PLAIN = str.maketrans(  # both code points of micro and of ohm
    {"\u00b5": "u", "\u03bc": "u", "\u2126": "ohm", "\u03a9": "ohm", "\u2212": "-"}
    | {"\u00b7": "*", "\u00d7": "*", "\u00b2": "2", "\u00b3": "3"}
)
_DEEPEST, _LARGEST_EXPONENT, _MOST_TOKENS = 5, 9, 50


class QuantityError(CircuitError):
    """A text that is not a number with the unit that is needed."""


def parse_quantity(text, like=None):
    """The number, with its unit, that a text such as "10 ms" stands for.

    Parameters
    ----------
    text : str
    like : Quantity, Unit, Dimension or number, optional
        What the result must have the dimension of.

    Returns
    -------
    Quantity, or float if the text has no unit (or its units cancel)

    Raises
    ------
    QuantityError
        If the text breaks the grammar, names an unknown unit, is too large, or has another dimension.
    """
    if not isinstance(text, str):
        raise TypeError(f"a text is needed, such as '10 ms', and not {type(text).__name__}")
    if len(text) > LONGEST:
        raise QuantityError(f"{_shown(text)} is not a number with a unit: it has {len(text)} characters")
    plain = text.translate(_PLAIN).strip()
    found = _NUMBER.match(plain)
    if not found:
        raise QuantityError(
            f"{_shown(text)} does not begin with a number; write a number and its unit, such as '10 ms'"
        )
    value = float(found.group())
    rest = plain[found.end() :]
    if rest.strip():
        value = _Units(text, rest).applied_to(value)
    if not math.isfinite(float(value)):
        raise QuantityError(f"{_shown(text)} is too large for a number")
    # Never a Unit, which would print itself by name; and no quantity where the units cancel.
    dimension = get_dimensions(value)
    value = float(value) if dimension is DIMENSIONLESS else Quantity(float(value), dim=dimension)
    if like is not None and not same_dimension(value, like):
        raise QuantityError(_wrong_dimension(text, value, like))
    return value


def parse_tuple(text, like=None):
    """The tuple of numbers that a text such as "1, 2, 5 ms" stands for.

    The unit stands once at the end or with every number; brackets around the numbers are allowed, and one
    number gives a tuple of one. `like` and errors are those of `parse_quantity`.
    """
    if not isinstance(text, str):
        raise TypeError(f"a text is needed, such as '1, 2, 5 ms', and not {type(text).__name__}")
    if len(text) > LONGEST:
        raise QuantityError(f"{_shown(text)} is not a list of numbers: it has {len(text)} characters")
    plain = text.translate(_PLAIN).strip()
    bracket = re.fullmatch(r"\(([^()]*)\)(.*)|\[([^\[\]]*)\](.*)", plain, re.DOTALL)
    if bracket:
        inside, unit = bracket.group(1, 2) if bracket.group(1) is not None else bracket.group(3, 4)
        plain = inside.strip().removesuffix(",") + unit
    parts = [part.strip() for part in plain.split(",")]
    if not all(parts):
        raise QuantityError(
            f"{_shown(text)} has an empty place; write numbers between the commas, such as '1, 2, 5 ms'"
        )
    numbers = [_NUMBER.match(part) for part in parts]
    if not all(numbers):
        wrong = parts[numbers.index(None)]
        raise QuantityError(
            f"{_shown(wrong)} in {_shown(text)} is not a number; write numbers, such as '1, 2, 5 ms'"
        )
    units = [part[number.end() :] for part, number in zip(parts, numbers, strict=True)]
    if units[-1].strip() and not any(unit.strip() for unit in units[:-1]):
        parts = [part + units[-1] for part in parts[:-1]] + parts[-1:]
    elif any(units) and not all(units):
        raise QuantityError(
            f"{_shown(text)} has units with some numbers only; write the unit with each, or once at the end"
        )
    values = tuple(parse_quantity(part, like) for part in parts)
    if not all(same_dimension(value, values[0]) for value in values):
        raise QuantityError(f"{_shown(text)} mixes units of different kinds")
    return values


def format_quantity(value):
    """The shortest text that `parse_quantity` (of a tuple: `parse_tuple`) reads as exactly this value.

    Long arrays are summarised: "array (100, 3) from 0 mV to 20 mV".
    """
    if isinstance(value, str) or value is None:
        return str(value)
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (tuple, list)):
        texts = [format_quantity(item) for item in value]
        return "()" if not texts else texts[0] + "," if len(texts) == 1 else ", ".join(texts)
    if np.ndim(value):
        return _format_array(value)
    if not isinstance(value, Quantity) or value.dim is DIMENSIONLESS:
        return (
            _shortest(float(value), "") if isinstance(value, (float, np.floating, Quantity)) else str(value)
        )
    return _shortest(value, unit_name(value))


def unit_name(what):
    """A short name: of the best fitting unit for a quantity ("uF/cm2"), of the SI unit for a dimension ("V").

    Numbers and dimensionless things have the unit "1". Every other name is one that `parse_quantity` reads.
    """
    dimension = _dimension(what)
    if dimension is DIMENSIONLESS:
        return "1"
    if isinstance(what, Unit) and what.dispname in _units():
        return what.dispname
    if isinstance(what, Quantity) and not isinstance(what, Unit):
        return _fitting_name(what, dimension)
    return _si_name(dimension)


def in_unit(value, name):
    """The plain number (or array) that `value` is in the unit called `name`.

    Raises
    ------
    QuantityError
        If the unit is unknown or of another dimension than the value.
    """
    unit = 1.0 if name in ("", "1") else parse_quantity("1 " + name)
    if not same_dimension(value, unit):
        raise QuantityError(f"{format_quantity(value)} cannot be given in {name or 'plain numbers'}")
    ratio = np.asarray(value, dtype=float) / float(unit)
    return ratio if np.ndim(ratio) else float(ratio)


def same_dimension(first, second):
    """Whether two quantities, units, dimensions or plain numbers could be added, whatever their values."""
    return _dimension(first) == _dimension(second)


def _dimension(what):
    return what if isinstance(what, Dimension) else get_dimensions(what)


# Reading


class _Units:
    """Recursive descent over what follows the number; applies unit after unit to it."""

    def __init__(self, text, rest):
        self.text = text
        self.tokens = list(self._split(rest))
        if len(self.tokens) > _MOST_TOKENS:
            raise self._error("there are too many units")
        self.next = 0

    def applied_to(self, value):
        value = self._factors(value, self._peek() not in ("*", "/"), 0)
        if self._peek() is not None:
            raise self._error(f"{self._peek()!r} is not expected there")
        return value

    def _factors(self, value, implicit, depth):
        """Units, each multiplied or divided; `implicit` says that no sign stands before the first."""
        sign = "*" if implicit else self._take()
        while True:
            unit = self._power(depth)
            try:
                with np.errstate(all="ignore"):  # infinity is refused at the end
                    value = value * unit if sign == "*" else value / unit
            except (OverflowError, ZeroDivisionError):
                raise self._error("the number becomes too large") from None
            token = self._peek()
            if token is None or token == ")":
                return value
            sign = self._take() if token in ("*", "/") else "*"

    def _power(self, depth):
        token = self._take()
        if token == "(":
            if depth >= _DEEPEST:
                raise self._error("there are too many brackets")
            unit = self._factors(1.0, True, depth + 1)
            if self._take() != ")":
                raise self._error("a closing bracket is missing")
        elif token is not None and token[0].isalpha():
            name = token.rstrip("0123456789")
            unit = _unit(name, self.text)
            if name != token:  # cm2
                unit = self._raised(unit, float(token[len(name) :]))
        elif token == "1" and self._peek() == "/":  # 300 1/s
            unit = 1.0
        else:
            raise self._error("a unit is missing" if token is None else f"a unit is expected at {token!r}")
        exponent = self._peek()
        if exponent in ("**", "^"):
            self._take()
            return self._raised(unit, self._exponent())
        return unit

    def _exponent(self):
        bracket = self._peek() == "("
        if bracket:
            self._take()
        sign = -1.0 if self._peek() == "-" else 1.0
        if self._peek() in ("-", "+"):
            self._take()
        token = self._take()
        try:
            exponent = sign * float(token)
        except (TypeError, ValueError):
            raise self._error("an exponent must be a number") from None
        if bracket and self._take() != ")":
            raise self._error("a closing bracket is missing")
        return exponent

    def _raised(self, unit, exponent):
        if abs(exponent) > _LARGEST_EXPONENT:
            raise self._error(f"the exponent {exponent:g} is beyond {_LARGEST_EXPONENT}")
        return unit ** (int(exponent) if exponent == int(exponent) else exponent)

    def _split(self, rest):
        position = 0
        while rest[position:].strip():
            found = _TOKEN.match(rest, position)
            if not found:
                raise self._error(f"{rest[position:].strip()[0]!r} is not part of a unit")
            yield found.group().strip()
            position = found.end()

    def _peek(self):
        return self.tokens[self.next] if self.next < len(self.tokens) else None

    def _take(self):
        token = self._peek()
        self.next += 1
        return token

    def _error(self, what):
        return QuantityError(
            f"{_shown(self.text)} cannot be read: {what}; write a number and its unit, such as '0.3 mS/cm2'"
        )


@cache
def _units():
    """Every unit of Brian2 under its long and its short name; ready-made squares are left to the grammar."""
    table = {}
    for name, unit in vars(allunits).items():
        if isinstance(unit, Unit) and name.isalpha():
            table[name] = unit
            table.setdefault(unit.dispname, unit)
    return table


@cache
def _common_names():
    """The names worth suggesting: the units of this field with their usual prefixes."""
    short = ("s", "V", "A", "S", "F", "ohm", "Hz", "m", "g", "M", "mol", "J", "W", "N", "C", "K", "Pa")
    long = ("second", "volt", "amp", "siemens", "farad", "ohm", "hertz", "metre", "molar")
    names = [
        prefix + unit for unit in (*short, *long) for prefix in ("", "m", "u", "n", "p", "k", "M", "c", "G")
    ]
    return [name for name in dict.fromkeys(names) if name in _units()]


def _unit(name, text):
    unit = _units().get(name)
    if unit is None:
        spellings = (name.lower(), name.lower().removesuffix("s"))
        near = [other for other in _common_names() if other.lower() in spellings]
        near += difflib.get_close_matches(name, _common_names(), n=4, cutoff=0.6)
        near = list(dict.fromkeys(near))[:4]
        hint = (
            f"did you mean {' or '.join(near)}?"
            if near
            else "there are s, V, A, S, F, ohm, Hz, m, M with prefixes, such as ms, mV, nA, uS, Mohm, cm2"
        )
        raise QuantityError(f"unknown unit {_shown(name)} in {_shown(text)}: {hint}")
    return unit


def _shown(text):
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _wrong_dimension(text, value, like):
    wanted = unit_name(like)
    if wanted == "1":
        return f"{_shown(text)} has the unit {unit_name(value)}, but a plain number is needed"
    if not isinstance(value, Quantity):
        return f"{_shown(text)} has no unit; write it, such as '{_shown(text)[1:-1]} {wanted}'"
    return f"{_shown(text)} has the unit {unit_name(value)}, which cannot be {wanted}"


# Writing


@cache
def _named_dimensions():
    """The most familiar SI name of each dimension met in practice: V, S/m2, A/s, V*s**0.5 and so on."""
    first = ("s", "Hz", "V", "A", "S", "F", "ohm", "m", "kg", "mol", "C", "J", "W", "N", "Pa", "K", "H", "T")
    table = {}

    def add(name):
        value = parse_quantity("1 " + name) if not name.startswith("1/") else parse_quantity(name)
        if isinstance(value, Quantity):
            table.setdefault(value.dim, name)

    for name in first:
        add(name)
    for name in ("m2", "m3", "m/s", "m/s2", "mol/m3"):
        add(name)
    for one in first:
        for per in ("m2", "m", "s", "m3", "V", "s2"):
            add(f"{one}/{per}")
    for one in first:
        add(f"{one}2")
        for two in ("s", "m", "V", "s**0.5"):
            add(f"{one}*{two}")
        add(f"{one}/s**0.5")
        add(f"1/{one}")
        add(f"1/{one}2")
    return table


def _si_name(dimension):
    name = _named_dimensions().get(dimension)
    if name is not None:
        return name
    # No familiar name: the product of base units.
    powers = [(base, dimension.get_dimension(base)) for base in ("m", "kg", "s", "A", "K", "mol", "cd")]
    return "*".join(base if power == 1 else f"{base}**{power:g}" for base, power in powers if power)


_PREFIXES = ("G", "M", "k", "", "m", "u", "n", "p", "f")
_LARGEST = {"s": "", "V": "", "A": "", "F": "", "m": "", "M": "m"}  # nobody writes ks
_USUAL = ("ms", "mV", "nA", "nS", "uF/cm2", "mS/cm2", "mM")  # from 0.1 on: 0.5 ms, not 500 us


def _names(dimension):
    """The names under which values of this dimension are shown, the largest unit first."""
    name = _si_name(dimension)
    if name in ("m2", "m3"):
        return [prefix + name for prefix in ("", "c", "m", "u")]
    name = "M" if name == "mol/m3" else name
    if name.endswith("/m2"):  # densities on a membrane are per square centimetre everywhere
        name = name.removesuffix("m2") + "cm2"
    head = re.match(r"[A-Za-z]*", name).group()
    tail = name[len(head) :]
    if not head or head in ("kg", "K"):
        return [name]
    if tail[:1].isdigit():  # mV2 is (mV)2
        return [name] if len(tail) > 1 else [prefix + name for prefix in ("", "m", "u", "n")]
    prefixes = _PREFIXES[_PREFIXES.index(_LARGEST.get(head, "G")) :]
    return [prefix + head + tail for prefix in prefixes if prefix + head in _units()]


def _fitting_name(quantity, dimension):
    """The largest unit that shows the largest value as at least 1, or, in the usual units, 0.1."""
    size = np.asarray(quantity, dtype=float)
    size = float(np.max(np.abs(size), initial=0.0))
    if not size or not math.isfinite(size):
        return _si_name(dimension)
    names = _names(dimension)
    for name in names:
        if size / float(parse_quantity("1 " + name)) >= (0.1 if name in _USUAL else 1) * (1 - 1e-9):
            return name
    return names[-1]


def _shortest(value, unit):
    """The fewest digits that are read back as exactly this value."""
    exact = float(value)
    if not math.isfinite(exact):
        return f"{exact} {unit}".strip()
    if not unit:
        return repr(exact).removesuffix(".0")
    text = _exact_text(exact, unit)
    if text is None or len(text) > 14:  # 0.05*nA is 5.0000000000000005e-11 A: exactly 0.05 nA, but not 50 pA
        for other in (*_names(value.dim), _si_name(value.dim)):
            candidate = _exact_text(exact, other)
            familiar = candidate is not None and 0.01 <= abs(float(candidate.split()[0])) < 10_000
            if familiar and (text is None or len(candidate) < len(text)):
                text = candidate
    return text or f"{exact!r} {_si_name(value.dim)}"


def _exact_text(exact, unit):
    scale = float(parse_quantity("1 " + unit))
    for digits in (6, 9, 12, 15, 16, 17):
        text = f"{exact / scale:.{digits}g} {unit}"
        if float(parse_quantity(text)) == exact:
            return text
    return None


def _format_array(value):
    array = np.asarray(value)
    if array.ndim == 1 and array.size <= 8:
        return format_quantity(tuple(value))
    if array.size == 0 or array.dtype.kind not in "iuf":
        return f"array {array.shape}"
    return f"array {array.shape} from {format_quantity(value.min())} to {format_quantity(value.max())}"
