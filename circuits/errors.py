"""The error of the data layer, and the sentence every such error ends with: what exists and what is
nearest.
"""

import difflib
import functools
import inspect
import reprlib


class CircuitError(ValueError):
    """A cell, synapse or circuit that cannot be: the message names the object, what was wrong, what exists
    and what to do.
    """


def listed(names):
    """The names as running text."""
    names = sorted(names)
    return ", ".join(names) if names else "none"


def nearest(name, known):
    """' Did you mean ...?' for the closest of the known names, or nothing."""
    close = difflib.get_close_matches(str(name), [str(k) for k in known], n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(close)}?" if close else ""


def guard(names):
    """Give the public functions of a module of the library (its `globals()`) errors of ours for arguments
    that do not exist, or with which nothing can be made.
    """
    for name, function in list(names.items()):
        public = inspect.isfunction(function) and function.__module__ == names["__name__"] and name[0] != "_"
        if public and not hasattr(function, "__wrapped__"):
            names[name] = _guarded(function, name)


def _shown(value):
    """A default value as a person would write it."""
    from .quantities import format_quantity

    return repr(value) if isinstance(value, (str, type(None))) else format_quantity(value)


def _guarded(function, name):
    parameters = inspect.signature(function).parameters.values()
    takes = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)

    @functools.wraps(function)
    def guarded(*args, **given):
        unknown = [] if open_ended else sorted(set(given) - set(takes))
        if unknown:
            raise CircuitError(
                f"{name}: there is no {unknown[0]!r}.{nearest(unknown[0], takes)} It takes: "
                f"{', '.join(takes)}."
            )
        try:
            return function(*args, **given)
        except (CircuitError, MemoryError, RecursionError):
            raise
        except Exception as error:
            values = [*map(reprlib.repr, args), *(f"{k}={reprlib.repr(v)}" for k, v in given.items())]
            defaults = [
                p.name + ("" if p.default is p.empty else f"={_shown(p.default)}") for p in parameters
            ]
            raise CircuitError(
                f"{name}: nothing can be made with {', '.join(values) or 'nothing'}. Give values of the "
                f"kinds that it has by default: {', '.join(defaults)}."
            ) from error

    guarded.__defaults__, guarded.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
    return guarded
