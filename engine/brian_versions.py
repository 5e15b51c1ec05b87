"""Everything that depends on how a particular Brian2 version writes its C++ project.

Tested with Brian2 2.9.0 (Python 3.11) and 2.10.1 (Python 3.12). Texts that are searched for in generated
sources stand here, so that another version fails here, by name, and not somewhere in a simulation.
"""

import inspect

import brian2
from brian2.core import clocks
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from brian2.stateupdaters.base import StateUpdateMethod
from brian2.synapses import synapses

TESTED = ("2.9.0", "2.10.1")

# The standard headers that every generated source includes, directly or through objects.h. Not more: with
# "using namespace std" (spikequeue.h) each further header adds names that a user's own C++ functions could
# clash with.
STANDARD_HEADERS = (
    "stdlib.h",
    "stdint.h",
    "math.h",
    "time.h",
    "assert.h",
    "algorithm",
    "climits",
    "cmath",
    "ctime",
    "fstream",
    "iostream",
    "iterator",
    "limits",
    "map",
    "random",
    "set",
    "string",
    "utility",
    "vector",
)

# Headers of a project that are the same for all circuits and that nearly every source includes.
COMMON_HEADERS = (
    "brianlib/stdint_compat.h",
    "brianlib/common_math.h",
    "brianlib/clocks.h",
    "brianlib/dynamic_array.h",
    "synapses_classes.h",
    "network.h",
)

# The kind of work a code object does, by the template it was made from; what is not listed counts as
# "events".
KINDS = {
    "stateupdate": "neurons",
    "spatialstateupdate": "neurons",
    "threshold": "spikes",
    "reset": "spikes",
    "synapses_create_generator": "start",
    "synapses_create_array": "start",
    "group_variable_set": "start",
    "group_variable_set_conditional": "start",
    "group_get_indices": "start",
}

# The sources that are not code objects; brianlib/spikequeue.cpp since Brian2 2.10.
PROGRAM_SOURCES = (
    "objects.cpp",
    "synapses_classes.cpp",
    "network.cpp",
    "run.cpp",
    "main.cpp",
    "brianlib/spikequeue.cpp",
)

# The methods of the standard device that are extended here, with the parameters relied on.
_HOOKS = {
    "build": ("directory", "results_directory", "compile", "run", "run_args", "direct_call"),
    "write_static_arrays": ("directory",),
    "generate_objects_source": ("writer",),
    "generate_makefile": ("writer", "compiler", "compiler_flags", "linker_flags", "nb_threads", "debug"),
    "compile_source": ("directory", "compiler", "debug", "clean"),
    "delete": ("code", "data", "run_args", "directory", "force"),
}


def missing_hooks():
    """The standard device's methods that this Brian2 lacks in the form relied on (empty: all is well)."""
    missing = []
    for name, parameters in _HOOKS.items():
        method = getattr(CPPStandaloneDevice, name, None)
        if method is None or not set(parameters) <= set(inspect.signature(method).parameters):
            missing.append(name)
    return missing


def modules_with_exact_updates():
    """Modules of Brian2 that call the exact state updater by the name `linear` of their own."""
    return [
        module for module in (synapses,) if isinstance(getattr(module, "linear", None), StateUpdateMethod)
    ]


_SEED_ANCHOR = "void seed(unsigned long seed) {"
_SEED_SEQUENCE = """void seed(std::seed_seq& sequence) {
            gen.seed(sequence);
            has_stored_gauss = false;
        }
        """


def with_seed_sequence(objects_header):
    """The text of objects.h with a random generator that can also be seeded from a std::seed_seq.

    Raises
    ------
    NotImplementedError
        If this Brian2 writes the generator in another way.
    """
    if objects_header.count(_SEED_ANCHOR) != 1:
        raise NotImplementedError(
            f"Brian2 {brian2.__version__} writes its random generator (class RandomGenerator in objects.h) "
            f"differently from the versions this was tested with ({', '.join(TESTED)}): "
            f"{_SEED_ANCHOR!r} was not found exactly once. Install one of those versions, "
            f"or adapt engine/brian_versions.py."
        )
    return objects_header.replace(_SEED_ANCHOR, _SEED_SEQUENCE + _SEED_ANCHOR)


# ---- what the loop relies on
# ------------------------------------------------------------------------------------------------------------

_GENERATOR_STATE = "std::mt19937 gen;"
_GENERATOR_RAND = "double rand() {"
_GENERATOR_FILL = """void fill_rand(double* numbers, int n) {
            gen.fill(numbers, n);
        }
        void fill_randn(double* numbers, int n) {
            fast_loop::fill_normal(gen, stored_gauss, has_stored_gauss, numbers, n);
        }
        """


def generator_can_fill():
    """Whether this Brian2's class RandomGenerator can be given functions that make many numbers at once."""
    template = CPPStandaloneCodeObject.templater.objects.template_source
    parts = (_GENERATOR_STATE, _GENERATOR_RAND, "double stored_gauss;", "bool has_stored_gauss = false;")
    return all(template.count(part) == 1 for part in parts)


def with_fast_generator(objects_header):
    """The text of objects.h with the same random numbers from a generator that can make many at once."""
    if not generator_can_fill():
        return objects_header
    include = '#include "brianlib/loop_twister.h"\n\nnamespace brian {'
    return (
        objects_header.replace("namespace brian {", include, 1)
        .replace(_GENERATOR_STATE, "fast_loop::Twister gen;")
        .replace(_GENERATOR_RAND, _GENERATOR_FILL + _GENERATOR_RAND)
    )


def clock_class():
    """The C++ class of which all clocks are."""
    return "BaseClock" if hasattr(clocks, "BaseClock") else "Clock"


def runs_take_processor_time():
    """Whether Brian2 reports the processor time of a run (else the time on the clock)."""
    return "std::clock()" in CPPStandaloneCodeObject.templater.network.template_source
