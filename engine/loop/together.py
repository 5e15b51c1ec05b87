"""Which variables of synapses stand next to each other in memory during a run.

A presynaptic spike reaches synapses in successive places, a postsynaptic one reaches synapses scattered over
all memory: with a separate array for each variable, it fetches a cache line per variable and synapse.
"""

import re
from dataclasses import dataclass

import numpy as np
from brian2.codegen.generators.cpp_generator import c_data_type
from brian2.core.variables import DynamicArrayVariable
from brian2.synapses.synapses import Synapses

from .codeobject import LoopCodeObject

HEADER = "synapses_together.h"


@dataclass
class Together:
    """Variables of the synapses `name`, in the order in which they stand together."""

    name: str
    variables: list
    arrays: list  # their C++ names
    time_step: str  # the C++ expression of the time step
    header = HEADER

    @property
    def call(self):
        return f"{self.name}_together()"

    @property
    def class_name(self):
        return f"Together_{self.name}"

    @property
    def type(self):
        return c_data_type(self.variables[0].dtype)

    def pointers(self, facts):
        """C++ lines that declare where the variables that some statements touch stand."""
        used = [v for v in self.variables if any(v is other for other in facts.generator.variables.values())]
        return [
            f"// these variables may stand next to each other ({HEADER})",
            f"const size_t _apart = {self.call}.stride();",
            *(f"{self.type}* const _at_{v.name} = {self.call}.at({self.variables.index(v)});" for v in used),
        ]

    def place(self, variable):
        """The place of a variable among these, or None."""
        return next((k for k, v in enumerate(self.variables) if v is variable), None)

    def redirected(self, lines, facts):
        """Lines of C++ with accesses to the variables' own arrays replaced."""
        for variable in self.variables:
            array = re.escape(facts.generator.get_array_name(variable))
            place = f"_at_{variable.name}[_idx*_apart]"
            lines = [re.sub(rf"\b{array}\[_idx\]", place, text) for text in lines]
        return lines

    def definition(self):
        pointers = ", ".join(f"&brian::{array}" for array in self.arrays)
        return (
            f"// {self.name}: {', '.join(variable.name for variable in self.variables)}\n"
            f"typedef fast_loop::Together<{self.type}, {len(self.variables)}> {self.class_name};\n"
            f"inline {self.class_name}& {self.call}\n"
            "{\n"
            f"    static {self.class_name} variables({{{pointers}}});\n"
            "    return variables;\n"
            "}\n"
        )


def find_together(device, running):
    """For each Synapses with effects of both pre- and postsynaptic spikes: the variables that both touch.

    `running` are the code objects that take part in runs. A variable that anything else touches in a run (a
    monitor) keeps its own array; what synapses do at time steps of their own finds them together.
    """
    effects, others, elsewhere = {}, {}, set()
    for code_object in running:
        arrays = {v for v in code_object.variables.values() if isinstance(v, DynamicArrayVariable)}
        if code_object.template_name == "synapses" and isinstance(code_object, LoopCodeObject):
            pathway = code_object.code.pathway
            effects.setdefault(pathway.synapses.name, []).append((pathway, code_object, arrays))
            elsewhere |= {
                variable
                for name, variable in code_object.variables.items()
                if variable in arrays and code_object.variable_indices[name] != "_idx"
            }
        elif code_object.template_name == "stateupdate" and _of_synapses(code_object):
            others.setdefault(code_object.owner.name, []).append((code_object, arrays))
        elif code_object.template_name != "synapses_push_spikes":
            elsewhere |= arrays
    for name, parts in others.items():
        for code_object, arrays in parts:
            alone = name not in effects or getattr(code_object.code, "facts", None) is None
            elsewhere |= {
                v
                for key, v in code_object.variables.items()
                if v in arrays and (alone or code_object.variable_indices[key] != "_idx")
            }
    found = []
    for name, parts in sorted(effects.items()):
        sides = {
            side: set().union(*(arrays for pathway, _, arrays in parts if pathway.prepost == side))
            for side in ("pre", "post")
        }
        shared = [
            variable
            for variable in sorted((sides["pre"] & sides["post"]) - elsewhere, key=lambda v: v.name)
            if variable.owner.name == name and not variable.scalar and np.dtype(variable.dtype).kind == "f"
        ]
        shared = [variable for variable in shared if variable.dtype == shared[0].dtype]
        clock = parts[0][0].clock
        if len(shared) < 2 or "dt" not in clock.variables:
            continue
        together = Together(
            name,
            shared,
            [device.get_array_name(variable, access_data=False) for variable in shared],
            f"brian::{device.get_array_name(clock.variables['dt'])}[0]",
        )
        users = [code_object for _, code_object, _ in parts]
        found.append((together, users + [code_object for code_object, _ in others.get(name, [])]))
    return found


def _of_synapses(code_object):
    """Whether it is code that synapses run at time steps, and of ours."""
    return isinstance(code_object.owner, Synapses) and isinstance(code_object, LoopCodeObject)
