"""The parameters of an experiment: the keyword defaults of its `run`, and values for them given as text.

A value is read by the type of its default: a quantity must have the same dimension, a tuple the same kind of
elements. Nothing is evaluated.
"""

import inspect
import re

import numpy as np
from brian2.units.fundamentalunits import Quantity

from circuits.errors import listed, nearest
from circuits.quantities import QuantityError, format_quantity, parse_quantity, parse_tuple, same_dimension

_TRUTH = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


class ParameterError(ValueError):
    """A parameter that the experiment does not have, or a value that does not fit it."""


def defaults(module):
    """The parameters of the experiment in `module`, name to default value."""
    name = module.__name__.rpartition(".")[2]
    table = {}
    for parameter in inspect.signature(module.run).parameters.values():
        if (
            parameter.kind is not inspect.Parameter.KEYWORD_ONLY
            or parameter.default is inspect.Parameter.empty
        ):
            raise ParameterError(f"{name}.run: write {parameter.name!r} behind the star, with a default")
        if not _is_value(parameter.default):
            raise ParameterError(
                f"{name}.run: the default of {parameter.name!r} is {parameter.default!r}; use "
                f"a number, a quantity, true or false, a text, or a tuple of these, which can be typed"
            )
        table[parameter.name] = parameter.default
    return table


def chosen(module, quick=False, seed=None, settings=()):
    """The parameters of one run: defaults, then QUICK if `quick`, then the seed, then settings ("key=value").

    Raises
    ------
    ParameterError
        For an unknown name, a text that does not fit the default, or a seed where the experiment has none.
    """
    table = defaults(module)
    name = module.__name__.rpartition(".")[2]
    if quick:
        for key, value in getattr(module, "QUICK", {}).items():
            _known(name, key, table, "QUICK names")
            table[key] = value
    if seed is not None:
        table.update(_seeded(name, table, seed))
    for setting in settings:
        key, equals, text = setting.partition("=")
        key = key.strip()
        if not equals:
            raise ParameterError(
                f"--set needs key=value and got {setting!r}; "
                f'put quotes around a value with a space: --set "tau=10 ms"'
            )
        _known(name, key, table, "--set names")
        table[key] = parse(text.strip(), table[key], key)
    return table


def has_seed(module):
    """Whether `--seed` means something to the experiment."""
    return any(key in defaults(module) for key in ("seed", "seeds"))


def parse(text, default, key):
    """The value that `text` stands for, of the type of `default`."""
    try:
        return _parse(text, default)
    except QuantityError as error:
        raise ParameterError(f"{key} = {error}. The default is {format_quantity(default)}.") from None


def described(module):
    """The parameter table as text: name, default and, where it differs, the value of the quick form."""
    table, quick = defaults(module), getattr(module, "QUICK", {})
    rows = [
        (key, format_quantity(value), f"quick: {format_quantity(quick[key])}" if key in quick else "")
        for key, value in table.items()
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    return "\n".join(f"  {a:<{widths[0]}}  {b:<{widths[1]}}  {c}".rstrip() for a, b, c in rows) or "  (none)"


def _parse(text, default):
    if isinstance(default, (bool, np.bool_)):
        if text.lower() not in _TRUTH:
            raise QuantityError(f"{text!r} is neither true nor false")
        return _TRUTH[text.lower()]
    if isinstance(default, str):
        return text
    if isinstance(default, tuple):
        return _parse_tuple(text, default)
    if isinstance(default, (int, np.integer)):
        return _whole(text)
    return parse_quantity(text, like=default)


def _parse_tuple(text, default):
    kinds = {str if isinstance(item, str) else bool if isinstance(item, bool) else float for item in default}
    inner = text.removeprefix("(").removesuffix(")").removesuffix(",")
    if not text or not inner.strip():
        return ()
    if kinds <= {float} and (not default or all(same_dimension(item, default[0]) for item in default)):
        whole = all(isinstance(item, (int, np.integer)) for item in default)
        if default and whole:
            return tuple(_whole(item.strip()) for item in inner.split(","))
        return parse_tuple(text, like=default[0] if default else None)
    items = [item.strip() for item in inner.split(",")]
    if len(kinds) == 1 and kinds <= {str, bool}:
        return tuple(_parse(item, default[0]) for item in items)
    if len(items) != len(default):  # of mixed kinds: each place has its own
        raise QuantityError(f"{text!r} has {len(items)} elements, and {len(default)} are needed")
    return tuple(_parse(item, like) for item, like in zip(items, default, strict=True))


def _whole(text):
    if re.fullmatch(r"[+-]?\d{1,18}", text):
        return int(text)
    value = parse_quantity(text, like=1.0)  # 1e3
    if value != int(value) or abs(value) > 2**53:
        raise QuantityError(f"{text!r} is not a whole number")
    return int(value)


def _is_value(value):
    if isinstance(value, tuple):
        return all(_is_value(item) and not isinstance(item, tuple) for item in value)
    return isinstance(value, (str, bool, int, float, np.bool_, np.integer, np.floating)) or (
        isinstance(value, Quantity) and np.ndim(value) == 0
    )


def _known(name, key, table, who):
    if key not in table:
        raise ParameterError(
            f"{who} {key!r}, which {name} does not have.{nearest(key, table)} "
            f"Its parameters are: {listed(table)}."
        )


def _seeded(name, table, seed):
    if "seed" in table:
        return {"seed": seed}
    if "seeds" in table and isinstance(table["seeds"], tuple):
        return {"seeds": tuple(range(seed, seed + len(table["seeds"])))}
    raise ParameterError(f"{name} has no seed: nothing in it is random. Its parameters are: {listed(table)}.")
