"""The loop half of the device "fast_standalone": which code is generated, and where Brian2's own stays."""

import filecmp
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from brian2.codegen.cpp_prefs import get_compiler_and_args
from brian2.core.preferences import prefs
from brian2.core.variables import ArrayVariable
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.utils.logger import get_logger

from .. import brian_versions
from .codeobject import LoopCodeObject
from .together import HEADER as TOGETHER
from .together import find_together

logger = get_logger("brian2.fast_standalone")

_PRECISIONS = {"single": np.float32, "double": np.float64}
PARTS = Path(__file__).parent / "cpp"


class LoopMixin:
    """Replaces the generated code of the simulation loop of Brian2's C++ standalone device.

    Options of `set_device`: `keep_draws=True` draws random numbers as the standard device does, for each
    element and step, so that a seed gives the same spikes also where they come from Poisson sources.
    `precision="single"` ("double") is short for setting the preference core.default_float_dtype to float32
    (float64): states, weights and parameters take half the memory and have 7 digits, the time keeps 16.
    """

    def __init__(self):
        super().__init__()
        self.keep_draws = False

    def activate(self, build_on_run=True, keep_draws=False, precision=None, **options):
        if precision is not None:
            if precision not in _PRECISIONS:
                known = " or ".join(map(repr, _PRECISIONS))
                raise ValueError(f"precision is {precision!r}, but can be {known}")
            prefs.core.default_float_dtype = _PRECISIONS[precision]
        super().activate(build_on_run, **options)
        self.keep_draws = keep_draws

    def code_object_class(self, codeobj_class=None, fallback_pref=None):
        chosen = super().code_object_class(codeobj_class, fallback_pref)
        return LoopCodeObject if chosen is CPPStandaloneCodeObject and not _not_covered() else chosen

    # ---- what depends on the whole program
    # ------------------------------------------------------------------------------------------------

    def _code_objects_called(self, in_runs):
        """The code objects that take part in the loop of some network, or those that main calls itself."""
        if in_runs:
            lines = (line for what, args in self.main_queue if what == "run_network" for line in args[1])
            names = [name for line in lines for name in re.findall(r"\.add\(&\w+, _run_(\w+)\);", line)]
            return [self.code_objects[name] for name in dict.fromkeys(names) if name in self.code_objects]
        return [args[0] for what, args in self.main_queue if what == "run_code_object"]

    def generate_codeobj_source(self, writer):
        self._together = []
        reason = _not_covered()
        if reason:  # perhaps only since the code was generated
            logger.info(f"The simulation loop is that of the standard device: {reason}.", "standard_loop")
            for code_object in self.code_objects.values():
                if isinstance(code_object, LoopCodeObject):
                    code_object.code = code_object.code.standard()
        else:
            self._arrange(writer)
        super().generate_codeobj_source(writer)

    def _arrange(self, writer):
        """Generate again what depends on more than one code object."""
        running = self._code_objects_called(in_runs=True)
        changes = {}
        # Scalar values are computed once per run where nothing changes what they depend on.
        written = set().union(*map(_written_scalars, running))
        for code_object in self.code_objects.values():
            facts = getattr(code_object.code, "facts", None)
            if facts is not None:
                once = code_object in running and code_object not in self._code_objects_called(in_runs=False)
                kept = {n for n in facts.fixed if once and facts.generator.variables[n] not in written}
                if kept != facts.fixed:
                    changes[code_object] = {"facts": replace(facts, fixed=frozenset(kept))}
        for together, code_objects in find_together(self, running):
            self._together.append(together)
            for code_object in code_objects:
                changes.setdefault(code_object, {})["together"] = together
        for code_object, changed in changes.items():
            code_object.code = code_object.code.again(**changed)
        definitions = "\n".join(together.definition() for together in self._together)
        writer.write(TOGETHER, f"{_TOGETHER_HEAD}\n{definitions}\n#endif\n")

    def generate_network_source(self, writer, compiler):
        if _not_covered():
            super().generate_network_source(writer, compiler)
            return
        limit = self._maximum_run_time
        writer.write(
            "network.*",
            LoopCodeObject.templater.network(
                None,
                None,
                maximum_run_time=None if limit is None else float(limit),
                together=self._together,
                together_header=TOGETHER,
            ),
        )

    def generate_objects_source(self, writer, *args, **kwds):
        super().generate_objects_source(Extended(writer), *args, **kwds)

    def copy_source_files(self, writer, directory):
        super().copy_source_files(writer, directory)
        for path in sorted(PARTS.iterdir()):
            known = {".h": writer.header_files, ".cpp": writer.source_files}.get(path.suffix)
            if known is not None:
                copy = Path(directory, "brianlib", path.name)
                if not (copy.exists() and filecmp.cmp(path, copy)):
                    shutil.copy2(path, copy)
                known.add(f"brianlib/{path.name}")


def _not_covered():
    """Why the standard loop is used, or None."""
    if prefs.devices.cpp_standalone.openmp_threads:
        return "OpenMP is switched on (devices.cpp_standalone.openmp_threads)"
    if get_compiler_and_args()[0] != "unix":
        return f"the compiler is {get_compiler_and_args()[0]}"
    return None


def _written_scalars(code_object):
    """The scalar variables that a code object may write."""
    facts = getattr(code_object.code, "facts", None)
    names = code_object.variables
    if facts is not None:
        names = {statement.var for statement in (*facts.scalar, *facts.vector)}
    variables = (code_object.variables.get(name) for name in names)
    return {v for v in variables if isinstance(v, ArrayVariable) and v.scalar and not v.read_only}


_TOGETHER_HEAD = """\
// Variables of synapses that stand next to each other during runs: spikes reach synapses in scattered places.
#ifndef FAST_LOOP_SYNAPSES_TOGETHER_H
#define FAST_LOOP_SYNAPSES_TOGETHER_H

#include "objects.h"
#include "brianlib/loop_together.h"
"""


class Extended:
    """Hands everything to another writer; objects.* gets what the generated code needs beside it."""

    def __init__(self, writer):
        self.writer = writer

    def write(self, filename, contents):
        if filename == "objects.*":
            head, end, tail = contents.h_file.rpartition("#endif")
            contents.h_file = brian_versions.with_fast_generator(
                f'{head}#include "brianlib/loop_random.h"\n\n{end}{tail}'
            )
            contents.cpp_file = brian_versions.with_short_arrays(contents.cpp_file)
        self.writer.write(filename, contents)

    def __getattr__(self, name):
        return getattr(self.writer, name)
