"""All rules there are, by name, and a card for each: what it does, its numbers, its text and its source.

    python -m plasticity              the list
    python -m plasticity NAME         a card

The documentation has the same cards as pages, with equations in LaTeX (`make docs`).
"""

import inspect
import re

from circuits.values import describe

from . import cerebellar, consolidation, hebbian, homeostasis, metaplasticity, neuromodulation, stdp
from .rule import Rule

MODULES = (stdp, hebbian, homeostasis, neuromodulation, metaplasticity, consolidation, cerebellar)


def rules():
    """Dotted name to the function that makes the rule, in the order of the modules."""
    found = {}
    for module in MODULES:
        for name, function in vars(module).items():
            public = inspect.isfunction(function) and not name.startswith("_")
            if public and function.__module__ == module.__name__ and _makes_a_rule(function):
                found[f"{module.__name__.rpartition('.')[2]}.{name}"] = function
    return found


def _makes_a_rule(function):
    required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    return not required and isinstance(function(), Rule)


def card(name, function):
    """The card of a rule as Markdown."""
    rule = function()
    lines = [f"### {name}", "", inspect.getdoc(function), ""]
    if rule.source:
        lines += [f"Source: {rule.source}.", ""]
    if rule.params:
        lines += ["| number | default |", "|---|---|"]
        lines += [f"| `{k}` | {describe(v)} |" for k, v in rule.params.items()]
        lines += [""]
    if rule.needs:
        needs = [f"`{n}`" + (f" ({rule.remedy[n]})" if n in rule.remedy else "") for n in rule.needs]
        lines += ["Needs " + "; ".join(needs), ""]
    body = [line for line in repr(rule).splitlines()[1:] if not re.match(r"  \w+ = ", line)]
    lines += ["```", *(line.removeprefix("  ") for line in body), "```", ""]
    return "\n".join(lines)

