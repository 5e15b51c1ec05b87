"""The points of a sweep: which values each parameter takes, and how they are combined.

A value is written as on the command line or given as a sequence:

    "10:40:8 ms"            eight values from 10 to 40 ms, both included
    "log 0.1:10:5 mV"       five values, equally spaced in their logarithm
    "10, 20, 50 ms"         these ("static, dynamic" and "true, false" too; tuples are separated by ";")
    "10:40 ms", "log 1:5"   a span, from which `samples` points are drawn
    np.linspace(10, 40, 8)*ms, [1*mV, 3*mV], ["a", "b"]

Parameters combine to a grid. Those that are named together, "tau_m & w" (or the key ("tau_m", "w")), go side
by side: "10:40:4 ms & 1:4:4 mV". All spans together make one sample, which is combined with the rest.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from brian2.units.fundamentalunits import Quantity, get_dimensions

from circuits.quantities import (
    QuantityError,
    format_quantity,
    in_unit,
    parse_quantity,
    same_dimension,
    unit_name,
)

from .errors import SweepError

DESIGNS = ("latin", "random", "saltelli", "morris")
LEVELS = 4  # of a Morris design


@dataclass(frozen=True)
class Span:
    """Everything between two values, in plain numbers of `unit`."""

    low: float
    high: float
    log: bool
    unit: str
    whole: bool

    def at(self, u):
        """The values at fractions `u` of the span."""
        if self.whole:
            return np.minimum(np.floor(self.low + u * (self.high - self.low + 1)), self.high).astype(int)
        if self.log:
            return np.exp(np.log(self.low) + u * (np.log(self.high) - np.log(self.low)))
        return self.low + u * (self.high - self.low)


@dataclass(frozen=True)
class Column:
    """The values of one parameter along an axis: plain numbers in `unit`, or other values as they are."""

    values: list
    unit: str | None  # None: no numbers
    given: list | None = None  # the values themselves, where they were not read from text

    def value(self, k):
        """The value as a parameter takes it."""
        if self.given is not None:
            return self.given[k]
        value = self.values[k]
        if self.unit in (None, "1"):
            return value
        return value * parse_quantity(f"1 {self.unit}")


class Points:
    """All points in order: the first parameter changes slowest.

    Parameters
    ----------
    over : dict
        Parameter to values, as the module's docstring says.
    target : object
        Says which parameters there are: `default(name)` and `checked(name, value)`.
    samples, design, sample_seed
        How many points spans give and how they are drawn.
    """

    def __init__(self, over, target, samples=None, design="latin", sample_seed=0):
        axes, spans = [], {}
        for key, given in _pairs(over, target).items():
            columns = {name: _column(name, one, target) for name, one in zip(key, given, strict=True)}
            if any(isinstance(column, Span) for column in columns.values()):
                if len(key) > 1:
                    raise SweepError(f"{' & '.join(key)}: spans cannot go side by side; give each by itself.")
                if not spans:
                    axes.append(None)  # the place of the sample
                spans.update(columns)
                continue
            sizes = {len(column.values) for column in columns.values()}
            if len(sizes) > 1:
                each = ", ".join(f"{len(column.values)} of {name}" for name, column in columns.items())
                raise SweepError(f"{' & '.join(key)} go side by side: as many values of each; got {each}.")
            axes.append(columns)
        if spans:
            axes[axes.index(None)] = _sampled(spans, samples, design, sample_seed)
        elif samples is not None:
            raise SweepError(
                f"samples={samples} needs parameters with a span, such as '10:40 ms'; all of "
                f"{', '.join(over)} have lists of values. Leave samples out."
            )
        self.spans, self.samples, self.design = spans, samples, design if spans else "grid"
        self.axes, self.shape = axes, tuple(len(next(iter(axis.values())).values) for axis in axes)
        self.names = [name for axis in axes for name in axis]
        for name in self.names:
            for column in (axis[name] for axis in axes if name in axis):
                self._check(name, column, target)

    def _check(self, name, column, target):
        """Every value that a parameter takes, once."""
        for k in range(len(column.values)):
            target.checked(name, column.value(k))

    def __len__(self):
        return int(np.prod(self.shape, dtype=int))

    def __getitem__(self, point):
        """The parameters of a point by name."""
        places = np.unravel_index(point, self.shape) if self.shape else ()
        return {
            name: column.value(int(place))
            for axis, place in zip(self.axes, places, strict=True)
            for name, column in axis.items()
        }

    def columns(self):
        """Name of every varied parameter to its values at all points, and its unit."""
        found = {}
        places = np.unravel_index(np.arange(len(self)), self.shape) if self.shape else ()
        for axis, place in zip(self.axes, places, strict=True):
            for name, column in axis.items():
                values = column.values
                if column.unit is None and not all(isinstance(value, (bool, np.bool_)) for value in values):
                    values = np.array([_text(value) for value in values], dtype=object)
                found[name] = np.asarray(values)[place], column.unit or "1"
        return found

    def digest(self):
        """A hash of all values in their order."""
        state = hashlib.sha256(repr(self.shape).encode())
        for axis in self.axes:
            for name, column in axis.items():
                state.update(repr((name, column.unit)).encode())
                for k in range(len(column.values)):
                    array = np.asarray(column.value(k))
                    state.update(array.tobytes() if array.dtype.kind in "biuf" else repr(array).encode())
        return state.hexdigest()

    def described(self):
        """Parameter to what it takes, as text."""
        table = {}
        for axis in self.axes:
            for name, column in axis.items():
                unit = "" if column.unit in (None, "1") else f" {column.unit}"
                if name in self.spans:
                    span = self.spans[name]
                    log = "log " if span.log else ""
                    table[name] = f"{log}{span.low:g}:{span.high:g}{unit} ({self.design}, {self.samples})"
                elif len(column.values) > 8 and column.unit is not None:
                    first, last = column.values[0], column.values[-1]
                    table[name] = f"{len(column.values)} values, {_text(first)} to {_text(last)}{unit}"
                else:
                    between = "; " if any(isinstance(value, tuple) for value in column.values) else ", "
                    table[name] = between.join(_text(value) for value in column.values) + unit
        return table


def parsed_over(texts):
    """Options "name=values" of the command line as a dict, for `sweep(over=...)`."""
    over = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not equals or not name.strip() or not values.strip():
            raise SweepError(f'--over needs NAME=VALUES and got {text!r}; such as --over "tau_m=10:40:8 ms".')
        if name.strip() in over:
            raise SweepError(f"--over names {name.strip()} twice; give all its values at once.")
        over[name.strip()] = values.strip()
    return over


def _pairs(over, target):
    """Tuples of names to tuples of what was given for each."""
    if not isinstance(over, Mapping):
        raise SweepError(f"over: give a dict of parameter to values, not {type(over).__name__}.")
    found = {}
    for key, given in over.items():
        names = tuple(n.strip() for n in key.split("&")) if isinstance(key, str) else tuple(key)
        if len(names) == 1:
            given = (given,)
        elif isinstance(given, str):
            given = tuple(part.strip() for part in given.split("&"))
            if len(given) != len(names):
                raise SweepError(
                    f"{' & '.join(names)} are {len(names)} parameters, and {len(given)} lists of values "
                    "were given; separate them by '&'."
                )
        else:  # values of the parameters side by side: pairs of one point each
            given = list(given)
            if not all(isinstance(one, (tuple, list)) and len(one) == len(names) for one in given):
                raise SweepError(f"{' & '.join(names)}: give a list with {len(names)} values for each point.")
            given = tuple(list(column) for column in zip(*given, strict=True)) or ([],) * len(names)
        for name in names:
            target.default(name)  # an unknown name is an error
            if any(name in other for other in found):
                raise SweepError(f"over: {name} stands there twice; give all its values at once.")
        if len(set(names)) < len(names):
            raise SweepError(f"over: {' & '.join(names)} names a parameter twice.")
        found[names] = given
    return found


def _column(name, given, target):
    default = target.default(name)
    try:
        column = _read(given, default) if isinstance(given, str) else _given(name, given)
    except QuantityError as error:
        raise SweepError(f"{name} = {error}. Its default is {format_quantity(default)}.") from None
    if isinstance(column, Column) and not column.values:
        raise SweepError(f"{name}: there are no values to sweep over; give at least one.")
    return column


_RANGE = re.compile(r"(?P<log>log\s+)?(?P<start>[^:;,]+):(?P<stop>[^:;,]+)(?::(?P<count>[^:;,]+))?")


def _read(text, default):
    """Values from text, of the kind of the parameter's default."""
    from experiments.parameters import _parse as parse

    text = text.strip()
    if not text:
        raise SweepError("there are no values to sweep over; give at least one.")
    if isinstance(default, (str, bool, np.bool_, tuple)):
        items = text.split(";" if isinstance(default, tuple) or ";" in text else ",")
        return Column([parse(item.strip(), default) for item in items if item.strip()], None)
    found = _RANGE.fullmatch(text)
    whole = isinstance(default, (int, np.integer))
    if not found:
        return _listed([parse(item, default) for item in _items(text)], text)
    pieces = [piece.strip() for piece in found.group("start", "stop", "count") if piece is not None]
    numbers, units = zip(*(_split(piece, text) for piece in pieces), strict=True)
    unit = next((u for u in reversed(units) if u), "")
    scale = parse_quantity(f"1 {unit}") if unit else 1.0
    for start, own in zip(numbers[:2], units[:2], strict=True):
        parse_quantity(f"{start!r} {own or unit}".strip(), like=default)  # a wrong unit is an error
    low, high = (
        in_unit(n * (parse_quantity(f"1 {u}") if u else scale), unit) if u and u != unit else n
        for n, u in zip(numbers[:2], units[:2], strict=True)
    )
    unit = unit or "1"
    if found["log"] and not (low > 0 and high > 0):
        raise QuantityError(f"{text!r}: a log range needs two values above 0")
    if whole and (low != int(low) or high != int(high)):
        raise QuantityError(f"{text!r}: the parameter takes whole numbers")
    if found["count"] is None:
        if not low < high:
            raise QuantityError(f"{text!r} is an empty span: the first value must be below the second")
        if whole and found["log"]:
            raise QuantityError(f"{text!r}: there is no log span of whole numbers; list the values")
        return Span(low, high, bool(found["log"]), unit, whole)
    count = numbers[2]
    if count != int(count) or count < 1:
        raise QuantityError(f"{text!r}: the number of values must be a whole number of at least 1")
    values = (np.geomspace if found["log"] else np.linspace)(low, high, int(count))
    values[-1:] = high if count > 1 else values[-1:]
    if whole:
        if (np.abs(values - np.round(values)) > 1e-9).any():
            raise QuantityError(f"{text!r} gives {values[1]:g}; the parameter takes whole numbers")
        return Column([int(value) for value in np.round(values)], "1")
    return Column([_short(value) for value in values], unit)


def _items(text):
    """Items between commas; a unit at the end of the last one holds for all that have none."""
    items = [item.strip() for item in text.replace(";", ",").strip("()[] ,").split(",")]
    if not all(items):
        raise QuantityError(f"{text!r} has an empty place; write values between the commas")
    last = _split(items[-1], text)[1]
    if last and not any(_split(item, text)[1] for item in items[:-1]):
        items = [f"{item} {last}" for item in items[:-1]] + items[-1:]
    return items


def _split(piece, text):
    """A number and the unit behind it."""
    found = re.match(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*\*?\s*(.*)", piece, re.DOTALL)
    if not found:
        raise QuantityError(f"{piece!r} in {text!r} is not a number")
    return float(found[1]), found[2].strip()


def _short(value):
    """The value without the last digits where these are rounding errors of a range: 0.3, not 0.30...04."""
    rounded = float(f"{value:.12g}")
    return rounded if np.isclose(rounded, value, rtol=1e-14, atol=0) else float(value)


def _listed(values, text):
    """Numbers in the unit that the text ends with."""
    if all(isinstance(value, Quantity) for value in values):
        typed = [_split(item, text) for item in _items(text)]
        unit = typed[-1][1]
        pairs = zip(values, typed, strict=True)
        return Column([n if own == unit else _short(in_unit(v, unit)) for v, (n, own) in pairs], unit)
    return Column(values, "1")


def _given(name, given):
    """Values from a sequence: numbers with one unit, or anything that the parameter takes."""
    if isinstance(given, Mapping) or not isinstance(given, Iterable) or np.shape(given) == ():
        raise SweepError(
            f"{name}: give a list of values or a text such as '10:40:8 ms', not {type(given).__name__} "
            f"({given!r})."
        )
    values = list(given)
    scalars = [v for v in values if np.ndim(v) == 0 and not isinstance(v, (str, bool, np.bool_, type(None)))]
    if len(scalars) < len(values) or any(isinstance(value, tuple) for value in values):
        return Column([v.item() if isinstance(v, (np.bool_, np.str_)) else v for v in values], None)
    if not values:
        return Column([], "1")
    if not all(same_dimension(value, values[0]) for value in values):
        raise SweepError(f"{name}: the values have different units ({', '.join(map(str, values[:4]))}).")
    if not isinstance(values[0], Quantity) or get_dimensions(values[0]).is_dimensionless:
        return Column([np.asarray(value).item() for value in values], "1")
    unit = unit_name(Quantity([np.max(np.abs(np.asarray(values, float)))], dim=values[0].dim)[0])
    return Column([_short(in_unit(value, unit)) for value in values], unit, values)


def _text(value):
    return f"{value:g}" if isinstance(value, float) else format_quantity(value)


# Samples


def _sampled(spans, samples, design, seed):
    """The columns of `samples` points drawn from spans."""
    if design not in DESIGNS:
        raise SweepError(f"design: got {design!r}; there are {', '.join(DESIGNS)}.")
    if samples is None:
        raise SweepError(
            f"{', '.join(spans)}: a span such as '10:40 ms' is sampled; say how often (samples=100), or give "
            "a number of values ('10:40:8 ms')."
        )
    if isinstance(samples, bool) or not isinstance(samples, (int, np.integer)) or samples < 1:
        raise SweepError(f"samples: got {samples!r}; give a whole number of at least 1.")
    u = unit_sample(design, len(spans), int(samples), seed)
    return {
        name: Column([value.item() for value in span.at(u[:, k])], span.unit)
        for k, (name, span) in enumerate(spans.items())
    }


def unit_sample(design, d, n, seed):
    """Points in the unit cube (n x d; Saltelli: n (2d + 2), Morris: n (d + 1) points).

    latin: in every dimension one point in each of n equal intervals. saltelli and morris are SALib's designs,
    from which `sensitivity` computes its tables; a Saltelli sample needs a power of 2.
    """
    if design in ("saltelli", "morris"):
        salib = salib_module()
        problem = unit_problem(d)
        if design == "morris":
            return salib.sample.morris.sample(problem, n, num_levels=LEVELS, seed=seed)
        if n & (n - 1):
            raise SweepError(f"samples: a Saltelli design needs a power of 2 (64, 128 ...), not {n}.")
        return salib.sample.sobol.sample(problem, n, calc_second_order=True, seed=seed)
    random = np.random.default_rng(np.random.SeedSequence(seed))
    u = random.random((n, d))
    if design == "random":
        return u
    strata = np.array([random.permutation(n) for _ in range(d)]).T
    return (strata + u) / n


def unit_problem(d):
    """SALib's description of a unit cube."""
    return {"num_vars": d, "names": [f"x{k}" for k in range(d)], "bounds": [[0.0, 1.0]] * d}


def salib_module():
    try:
        import SALib
        import SALib.analyze.morris
        import SALib.analyze.sobol
        import SALib.sample.morris
        import SALib.sample.sobol
    except ImportError:
        raise SweepError("Sobol and Morris tables need SALib: pip install 'plastica[sensitivity]'.") from None
    return SALib
