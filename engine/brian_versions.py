"""Everything that depends on how a particular Brian2 version writes its C++ project.

Tested with Brian2 2.9.0 (Python 3.11) and 2.10.1 (Python 3.12). Texts that are searched for in generated
sources stand here, so that another version fails here, by name, and not somewhere in a simulation.
"""

import functools
import inspect
import re

import brian2
from brian2.core import clocks
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from brian2.stateupdaters.base import StateUpdateMethod
from brian2.synapses import synapses
from brian2.utils import caching

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
    "brianlib/loop_arrays.h",
    "brianlib/loop_math.h",
    "brianlib/loop_random.h",
    "brianlib/loop_twister.h",
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

# The sources that are not code objects; besides those in brianlib (spikequeue.cpp since Brian2 2.10).
PROGRAM_SOURCES = ("objects.cpp", "synapses_classes.cpp", "network.cpp", "run.cpp", "main.cpp")

# Those of which most are the same for all circuits, by how their names begin.
FIXED_SOURCES = ("brianlib/", "synapses_classes.cpp", "network.cpp")

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


def quicken_cache_keys():
    """Let Brian2 find the keys of its caches of parsed text faster: the same keys.

    Of its function that makes a key of any object, the most frequent kinds take a shorter way here.
    """
    standard = getattr(caching, "_hashable", None)
    if standard is None or hasattr(standard, "standard"):
        return

    def hashable(thing):
        kind = type(thing)
        if kind in (str, int, float, bool, type(None)):
            return thing
        if kind is dict:
            return frozenset([(hashable(key), hashable(value)) for key, value in thing.items()])
        if kind is tuple or kind is list:
            return tuple([hashable(part) for part in thing])
        if isinstance(thing, caching.CacheKey):
            return hashable(thing._state_tuple)
        return standard(thing)

    hashable.standard = standard
    caching._hashable = hashable


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


# What Brian2 writes for each array, and the call that does the same (brianlib/loop_arrays.h): files and texts
# are most of what objects.cpp takes to compile. A name with $ stands for what _PARTS says of it, for the same
# text wherever it occurs.
_PARTS = {
    "array": r"\w+",
    "name": r"\"[^\"\n]+\"",
    "type": r"double|float|int32_t|int64_t|char",
    "place": r"&?\w+(?:\[0\])?",
    "size": r"[^;\n]+?",
    "start": r"\d+",
    "any": r"[^;\n]+",
    "if": r"(?:if \(! \w+\.empty\(\) \)\s*\{)?",
    "end": r"(?:\})?",
}
_SHORT_FORMS = [
    (
        """
        if (name == $name) {
            var_size = $size;
            data_size = $any;
            if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
                // set from single value
                set_variable_from_value$any, var_size, ($type)$any;
            } else {
                // set from file
                set_variable_from_file(name, $place, data_size, s_value);
            }
            return;
        }
        """,
        "if (name == {name})\n        return fast_loop::set_array<{type}>(name, {place}, {size}, s_value);",
    ),
    (
        "$array = new $type[$size];  for(int i=0; i<$size; i++) $array[i] = 0;",
        "{array} = fast_loop::zeros<{type}>({size});",
    ),
    (
        "$array = new $type[$size];  for(int i=0; i<$size; i++) $array[i] = $start + i;",
        "{array} = fast_loop::range<{type}>({size}, {start});",
    ),
    (
        """
        ifstream f$array;
        f$array.open("static_arrays/$array", ios::in | ios::binary);
        if(f$array.is_open())
        {
            f$array.read(reinterpret_cast<char*>($place), $size*sizeof($type));
        } else
        {
            std::cout << "Error opening static array $array." << endl;
        }
        """,
        'fast_loop::load_array("{array}", {place}, {size});',
    ),
    (
        """
        ofstream outfile_$array;
        outfile_$array.open(results_dir + $name, ios::binary | ios::out);
        if(outfile_$array.is_open())
        {
            $if
            outfile_$array.write(reinterpret_cast<char*>($place), $size*sizeof($array[0]));
            outfile_$array.close();
            $end
        } else
        {
            std::cout << "Error writing output file for $array." << endl;
        }
        """,
        'fast_loop::write_array(results_dir, {name}, "{array}", {place}, {size});',
    ),
]


@functools.cache
def _pattern(form):
    """The regular expression of a form, in which any white space stands for any other."""
    known, pieces = set(), [r"\b"] if form.startswith("$") else []
    for piece in re.split(r"(\$[a-z]+|\s+)", form.strip()):
        name = piece[1:]
        if not piece.startswith("$"):
            pieces.append(r"\s*" if piece.isspace() else re.escape(piece))
        elif name in ("any", "if", "end"):
            pieces.append(_PARTS[name])
        else:
            pieces.append(f"(?P={name})" if name in known else f"(?P<{name}>{_PARTS[name]})")
            known.add(name)
    return re.compile("".join(pieces))


def with_short_arrays(objects_source):
    """The text of objects.cpp in which one call per array replaces what Brian2 writes for it.

    What this Brian2 writes in another way stays as it is.
    """
    for form, call in _SHORT_FORMS:
        objects_source = _pattern(form).sub(
            lambda found, call=call: call.format(**found.groupdict()), objects_source
        )
    return f'#include "brianlib/loop_arrays.h"\n{objects_source}'


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
        int seedings() const {
            return gen.seedings;
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
