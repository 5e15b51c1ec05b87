"""Translation units: which generated sources are compiled together, and what each of them depends on.

    neurons   state updates
    spikes    thresholds, resets
    events    what spikes and clocks set off: synapses, monitors, inputs
    start     what happens once: initial values, wiring
    queues    the order in which synapses wait for spikes, set up once
    program   main, objects, run
    loop      the simulation loop, where that needs nothing from the circuit
    library   what is the same for all circuits: the sources in brianlib
    plastica  the numbers, recordings and trials of a circuit, where it is one

A unit includes the sources of its code objects, each within a namespace of its own, since their helpers have
the same names.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from . import brian_versions
from .toolchain import digest, write_atomically

FOLDER = "units"  # in the project
LARGEST = 16  # code objects in a unit: more of them make another unit, so that big models use all processors
OF_CIRCUITS = "plastica.cpp"  # compiled with little optimisation too
LIGHT = ("queues", "program")  # no inner loops, compiled with little optimisation


@dataclass(frozen=True)
class Unit:
    """One translation unit: its name, its source and the generated files that it is made of."""

    name: str
    source: str
    sources: tuple
    light: bool = False


def make_units(directory, code_objects, source_files, includes):
    """The units of a project, their sources written into its folder `units`; the light ones come last.

    Parameters
    ----------
    code_objects : Brian2's code objects
    source_files : names of all generated and added sources, relative to the project
    includes : `Includes` of the project
    """
    groups, alone, known = {}, [], set(brian_versions.PROGRAM_SOURCES)
    for code_object in code_objects:
        kind = brian_versions.KINDS.get(code_object.template_name, "events")
        before = "queues" if code_object.template_name == "synapses_push_spikes" else kind
        for prefix, block_kind in [("", kind), ("before_run_", before), ("after_run_", kind)]:
            name = f"{prefix}{code_object.name}"
            source = f"code_objects/{name}.cpp"
            if source not in source_files:
                continue
            known.add(source)
            if _can_share_a_unit(name, includes):
                groups.setdefault(block_kind, []).append(name)
            else:
                alone.append(Unit(name, source, (source,)))
    fixed = [
        source
        for source in sorted(source_files)
        if source.startswith(brian_versions.FIXED_SOURCES) and "objects.h" not in includes.reached([source])
    ]
    known |= set(fixed)
    others = [_other(source) for source in sorted(source_files - known)]
    units = [*alone, *others]
    for kind, names in groups.items():
        units += _group(directory, kind, sorted(names), includes)
    program = [name for name in brian_versions.PROGRAM_SOURCES if name in source_files and name not in fixed]
    library = [name for name in fixed if name.startswith("brianlib/")]
    network = [name for name in fixed if name not in library]
    for title, sources in (("program", program), ("library", library), ("loop", network)):
        if sources:
            text = "".join(f'#include "{source}"\n' for source in sources)
            units.append(_write(directory, title, tuple(sources), text))
    written = {unit.source for unit in units}
    for path in (directory / FOLDER).glob("*.cpp"):
        if f"{FOLDER}/{path.name}" not in written:
            path.unlink(missing_ok=True)
    return sorted(units, key=lambda unit: (unit.light, unit.name))


def _group(directory, kind, names, includes):
    parts = -(-len(names) // LARGEST)
    for part in range(parts):
        members = names[part * len(names) // parts : (part + 1) * len(names) // parts]
        title = kind if parts == 1 else f"{kind}_{part + 1}"
        sources = tuple(f"code_objects/{name}.cpp" for name in members)
        yield _write(directory, title, sources, code_objects_text(members, includes), kind)


def _write(directory, title, sources, text, kind=None):
    name = kind or title
    unit = Unit(title, f"{FOLDER}/{title}.cpp", sources, light=name in LIGHT)
    path = directory / unit.source
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or path.read_text() != text:
        write_atomically(path, text)
    return unit


def _other(source):
    name = re.sub(r"[^A-Za-z0-9]+", "_", os.path.splitext(source)[0])[-60:]
    return Unit(name, source, (source,), light=source == OF_CIRCUITS)


def _can_share_a_unit(name, includes):
    """Whether a code object may be included within a namespace: its headers must be harmless there.

    Each header is included once before all namespaces, so that it must not matter to meet it again. All that
    the code object offers to the rest of the program must be functions without arguments.
    """
    files = [found for _, found in includes.of(f"code_objects/{name}.cpp") if found]
    if not all(includes.is_guarded(path) for path in files):
        return False
    declarations = re.sub(r"^\s*#.*$", "", includes.text(f"code_objects/{name}.h"), flags=re.M)
    return not _DECLARATION.sub("", declarations).strip()


_DECLARATION = re.compile(r"\bvoid\s+(\w+)\s*\(\s*\)\s*;")


def code_objects_text(names, includes):
    """The text of a unit: the headers of all its code objects, then each of them within its own namespace."""
    headers = []
    for name in names:
        headers += [directive.strip() for directive, _ in includes.of(f"code_objects/{name}.cpp")]
    text = [
        "// Compiled as one unit; each code object has its own namespace, since their helpers share names.\n"
    ]
    text += [f"{line}\n" for line in dict.fromkeys(headers)]
    for name in names:
        functions = _DECLARATION.findall(includes.text(f"code_objects/{name}.h"))
        macros = re.findall(
            r"^[ \t]*#[ \t]*define[ \t]+(\w+)", includes.text(f"code_objects/{name}.cpp"), re.M
        )
        # The outer namespace keeps the names to this unit: otherwise each function would be compiled twice,
        # by itself and within the one that calls it.
        text.append(f'\nnamespace {{ namespace in_{name} {{\n#include "code_objects/{name}.cpp"\n}} }}\n')
        text += [f"void {function}() {{ in_{name}::{function}(); }}\n" for function in functions]
        text += [f"#undef {macro}\n" for macro in dict.fromkeys(macros)]
    return "".join(text)


class Includes:
    """Which files of the project, or of the folders given with -I, a source includes, and what is in them."""

    _OTHER_DIRECTIVE = re.compile(r'^[ \t]*#[ \t]*include(?:_next\b.*|[ \t]*[^"<\s].*)$', re.M)
    _DIRECTIVE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)

    def __init__(self, directory, flags):
        self.directory = Path(directory)
        self.folders = [flag[2:] for flag in flags if flag.startswith("-I") and flag != "-I."]
        self._texts, self._found, self._included = {}, {}, {}

    def text(self, path):
        if path not in self._texts:
            self._texts[path] = (self.directory / path).read_text(errors="replace")
        return self._texts[path]

    def of(self, path):
        """(the directive's text, the file or None for one of the system), in order."""
        if path not in self._included:
            folder = os.path.dirname(path)
            self._included[path] = [
                (match.group(0), self._find(folder, *match.groups()))
                for match in self._DIRECTIVE.finditer(self.text(path))
            ]
        return self._included[path]

    def _find(self, folder, bracket, name):
        key = (folder if bracket == '"' else None, name)
        if key not in self._found:
            places = [*([folder] if bracket == '"' else []), "", *self.folders]
            candidates = (os.path.normpath(os.path.join(place, name)) for place in places)
            self._found[key] = next(
                (path for path in candidates if os.path.isfile(self.directory / path)), None
            )
        return self._found[key]

    def reached(self, paths):
        """All files that these include, directly or not, themselves among them, sorted."""
        seen, waiting = set(), list(paths)
        while waiting:
            current = waiting.pop()
            if current not in seen:
                seen.add(current)
                waiting += [found for _, found in self.of(current) if found]
        return sorted(seen)

    def closure(self, path):
        """The contents of all files that `path` includes, directly or not, itself among them, as one key."""
        return digest(*(part for name in self.reached([path]) for part in (name, self.text(name))))

    def not_in_the_project(self, path):
        """Names of the headers that `path` includes, directly or not, and that are found nowhere here."""
        files = self.reached([path])
        directives = (found for name in files for found in self.of(name))
        names = {
            self._DIRECTIVE.match(directive).group(2) for directive, inner in directives if inner is None
        }
        # A name that only the preprocessor knows (#include NAME) is one that is not known here.
        return names | {line for name in files for line in self._OTHER_DIRECTIVE.findall(self.text(name))}

    def of_the_system(self, names):
        """Headers of the system among `names` and in all that these include, sorted."""
        files = {name: self._find("", '"', name) for name in names}
        found = {name for name, path in files.items() if path is None}
        for path in self.reached(filter(None, files.values())):
            for directive, inner in self.of(path):
                if inner is None and "<" in directive:
                    found.add(self._DIRECTIVE.match(directive).group(2))
        return sorted(found)

    def is_guarded(self, path, by_macro=False):
        """Whether including a file twice is the same as including it once; `by_macro`, also a copy of it."""
        if not (self.directory / path).is_file():
            return False
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", self.text(path), flags=re.S).lstrip()
        once = "" if by_macro else r"pragma\s+once|"
        return bool(re.match(rf"#\s*({once}ifndef|if\s+!\s*defined)\b", text))
