"""What there is to make cards of: functions that make cells, synapses and rules by their own defaults."""

import importlib
import inspect
from dataclasses import dataclass
from functools import cache

from circuits import Cell, Synapse, granular, synapses
from plasticity import Rule
from plasticity.catalogue import MODULES, rules

# Where cells and synapses are found: the library first, then those of the larger circuits.
PLACES = ("neurons", "synapses", "cerebellum", "granular", "olive", "liquid", "balanced", "microcircuit")
# Functions that need an argument before they make something, and one that shows what they do.
EXAMPLES = {
    "circuits.synapses.delta": ('synapses.delta("g_e")', lambda: synapses.delta("g_e")),
    "circuits.synapses.tsodyks_markram": (
        "synapses.tsodyks_markram(synapses.exponential_current())",
        lambda: synapses.tsodyks_markram(synapses.exponential_current()),
    ),
    "circuits.granular.receptor": ('granular.receptor("ampa")', lambda: granular.receptor("ampa")),
}


@dataclass(frozen=True)
class Item:
    """One cell, synapse or rule."""

    kind: str
    subject: str  # by the name under which it is imported
    function: object
    made: object
    call: str

    @property
    def name(self):
        return self.subject.partition(".")[2]

    @property
    def page(self):
        return self.name.replace(".", "-")


@cache
def items():
    """All of them: cells, synapses, rules, each in the order of the modules."""
    found = []
    modules = [importlib.import_module(f"circuits.{place}") for place in PLACES]
    for module in [*modules, *MODULES]:
        for name, function in vars(module).items():
            public = inspect.isfunction(function) and not name.startswith("_")
            if public and function.__module__ == module.__name__:
                item = _item(f"{module.__name__}.{name}", function)
                if item is not None:
                    found.append(item)
    order = ("cell", "synapse", "rule")
    rule_names = {f"plasticity.{name}" for name in rules()}
    if rule_names != {item.subject for item in found if item.kind == "rule"}:
        raise RuntimeError("the catalogue of rules and the cards do not have the same rules")
    return sorted(found, key=lambda item: order.index(item.kind))


def _item(subject, function):
    _, short = subject.split(".", 1)
    call, make = EXAMPLES.get(subject, (f"{short}()", function))
    parameters = inspect.signature(function).parameters.values()
    required = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    if required and subject not in EXAMPLES:
        return None
    # Builders of whole circuits take long; what they return is told by their names for sizes.
    if "dt" in inspect.signature(function).parameters:
        return None
    made = make()
    for kind, type_ in (("cell", Cell), ("synapse", Synapse), ("rule", Rule)):
        if isinstance(made, type_):
            return Item(kind, subject, function, made, call)
    return None
