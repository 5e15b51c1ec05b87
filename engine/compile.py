"""The build of a standalone project in a fraction of the standard time.

The standard device writes about twenty small C++ files and hands them to make, which parses the same standard
headers twenty times and once more for the dependencies. Here the same files, unchanged, are put together into
four units:

    neurons   state updates, thresholds, resets
    events    what spikes and clocks set off: synapses, monitors, inputs
    start     what happens once: initial values, wiring
    queues    the order in which synapses wait for spikes, set up once
    program   main, objects, run, network

A unit includes the sources of its code objects, each within a namespace of its own, since their helpers have
the same names. Units are compiled side by side, start from a precompiled header, and are named by a hash of
everything that goes into them, so that only those that changed are compiled again. The folder keeps the
standard layout: code_objects/*.cpp is what is compiled, and `make` in it still works.
"""

import os
import re
import shlex
import sys
import tempfile
import time
from pathlib import Path

import jinja2
from brian2.codegen import cpp_prefs
from brian2.core.preferences import prefs
from brian2.devices.cpp_standalone.device import CPPWriter
from brian2.utils.logger import get_logger
from filelock import FileLock

from . import brian_versions
from .cache import cache_folder
from .errors import BuildError, CacheError
from .toolchain import (
    Job,
    Remembered,
    digest,
    find_compiler,
    precompiled_header,
    processors,
    relevant_lines,
    run_jobs,
    write_atomically,
)

logger = get_logger("brian2.fast_standalone")

UNITS, OBJECTS = "units", "build"  # subfolders of the project: sources of the units, compiled units
LARGEST_GROUP = (
    16  # code objects in a unit: more of them make another unit, so that big models use all processors
)


class AtomicWriter(CPPWriter):
    """Stands in for a standard writer of generated files; files become visible only when complete."""

    def __init__(self, standard):
        super().__init__(standard.project_dir)
        self.source_files |= standard.source_files
        self.header_files |= standard.header_files

    def write(self, filename, contents):
        if filename.endswith(".*"):
            super().write(filename, contents)
            return
        if filename.lower().endswith((".cpp", ".c")):
            self.source_files.add(filename)
        elif filename.lower().endswith(".h"):
            self.header_files.add(filename)
        path = Path(self.project_dir, filename)
        try:
            if path.read_text() == contents:
                return
        except (OSError, UnicodeDecodeError):
            pass
        write_atomically(path, contents)


class ObjectsWriter:
    """Hands everything to another writer, and the header of objects.* through a function first."""

    def __init__(self, writer, transform):
        self.writer, self.transform = writer, transform

    def write(self, filename, contents):
        if filename == "objects.*":
            contents.h_file = self.transform(contents.h_file)
        self.writer.write(filename, contents)

    def __getattr__(self, name):
        return getattr(self.writer, name)


class TemplateCache(jinja2.BytecodeCache):
    """Keeps compiled templates on disk, by their text and the versions of Python and Jinja."""

    def load_bytecode(self, bucket):
        path = self._path(bucket)
        try:
            if path:
                bucket.bytecode_from_string(path.read_bytes())
        except (OSError, ValueError, EOFError, TypeError):
            bucket.reset()

    def dump_bytecode(self, bucket):
        path = self._path(bucket)
        try:
            if path:
                write_atomically(path, bucket.bytecode_to_string())
        except OSError:
            pass

    def _path(self, bucket):
        folder = _folder("templates")
        key = digest(bucket.key, bucket.checksum, sys.version, jinja2.__version__)
        return folder / key[:40] if folder else None


class RunFunction:
    """Within this context, code goes into a function of the program instead of main."""

    def __init__(self, device, name, include_in_parent):
        self.device, self.arguments = device, (name, include_in_parent)

    def __enter__(self):
        self.device.main_queue.append(("start_run_func", self.arguments))

    def __exit__(self, *exception):
        self.device.main_queue.append(("end_run_func", self.arguments))


class CompileMixin:
    """Replaces the compilation step of Brian2's C++ standalone device; all else stays as it is there.

    `compiled_units` lists the units that the last build really compiled.
    """

    def __init__(self):
        super().__init__()
        self.compiled_units = []
        self._flags = ([], [])  # for the compiler and for the linker, as they stand in the makefile

    def run_function(self, name, include_in_parent=True):
        return RunFunction(self, name, include_in_parent)

    # ---- what is generated
    # ------------------------------------------------------------------------------------------

    def code_object(self, *args, **kwds):
        environment = self.code_object_class().templater.env
        if environment.bytecode_cache is None:
            environment.bytecode_cache = TemplateCache()
        return super().code_object(*args, **kwds)

    def build(
        self, directory="output", results_directory="results", compile=True, run=True, *args, **options
    ):
        """Build the project, with the arguments of `CPPStandaloneDevice.build`, alone in its directory.

        Raises
        ------
        BuildError
            If there is no compiler, or the compiler reports an error.
        """
        if directory is None:
            directory = tempfile.mkdtemp(prefix="brian_standalone_")
        if compile:
            self._remember_compiler_probes()
        os.makedirs(directory, exist_ok=True)
        arguments = dict(zip(_BUILD_POSITIONS, args, strict=False)) | options
        with _alone_in(directory):
            super().build(directory, results_directory, compile, False, **arguments)
        if compile and run:
            self.run(
                directory,
                results_directory,
                arguments.get("with_output", True),
                arguments.get("run_args"),
            )

    def write_static_arrays(self, directory):
        self.writer = AtomicWriter(self.writer)  # the first step after the standard device has made its own
        super().write_static_arrays(directory)

    def generate_objects_source(self, writer, *args, **kwds):
        transforming = ObjectsWriter(writer, brian_versions.with_seed_sequence)
        super().generate_objects_source(transforming, *args, **kwds)

    def generate_makefile(self, writer, compiler, compiler_flags, linker_flags, *args, **kwds):
        self._flags = (shlex.split(compiler_flags), shlex.split(linker_flags))
        super().generate_makefile(writer, compiler, compiler_flags, linker_flags, *args, **kwds)

    # ---- the compilation
    # --------------------------------------------------------------------------------------------

    def compile_source(self, directory, compiler, debug, clean):
        """Compile the units that changed and link them to the program `main`.

        Raises
        ------
        BuildError
            With the relevant lines of the compiler's output and the place of the sources.
        """
        self.compiled_units = []
        reason, chosen, parallel = self._standard_build_needed(compiler)
        if reason:
            logger.info(f"Building with make, as the standard device does: {reason}.", "standard_build")
            super().compile_source(directory, compiler, debug, clean)
            return
        started = time.time()
        directory = Path(directory).absolute()
        objects = directory / OBJECTS
        if clean:
            for path in [*objects.glob("*"), directory / "main"]:
                path.unlink(missing_ok=True)
            self.timers["compile"]["clean"] = time.time() - started
            started = time.time()
        objects.mkdir(exist_ok=True)
        flags, link = self._all_flags(debug)
        log = []
        targets = self._compile_units(directory, chosen, flags, parallel, log)
        self._link(directory, chosen, link, targets, log)
        for path in objects.glob("*.o"):
            if path not in targets:
                path.unlink(missing_ok=True)
        if log:
            write_atomically(objects / "commands.log", "\n".join(log) + "\n")
            if debug:
                print("\n".join(log))
        self.timers["compile"]["make"] = time.time() - started

    def _standard_build_needed(self, compiler):
        """(reason or None, the compiler, number of parallel jobs): what make was configured to do decides."""
        if compiler != "unix":
            return f"the compiler is {compiler!r}", None, 0
        missing = brian_versions.missing_hooks()
        if missing:
            return f"this Brian2 version changed {', '.join(missing)}", None, 0
        settings = prefs.devices.cpp_standalone
        if settings.make_cmd_unix != "make":
            return f"the preference make_cmd_unix is {settings.make_cmd_unix!r}", None, 0
        command, parallel = None, 1
        for word in settings.extra_make_args_unix:
            if re.fullmatch(r"-j\d*", word):
                parallel = int(word[2:] or processors())
            elif word.startswith("CXX="):
                command = word[4:]
            else:
                return f"the preference extra_make_args_unix has {word!r}", None, 0
        if any(name.endswith(".c") for name in self.writer.source_files):
            return "there are sources in C", None, 0
        chosen = find_compiler(command)
        if chosen.family == "other":
            return f"{chosen} is neither gcc nor clang", None, 0
        return None, chosen, parallel

    def _all_flags(self, debug):
        compile_flags, link_flags = self._flags
        openmp = ["-fopenmp"] if prefs.devices.cpp_standalone.openmp_threads else []
        debugging = ["-g"] if debug else []
        # In the order of the standard makefile.
        flags = [
            "-Wno-write-strings",
            *compile_flags,
            "-I.",
            *openmp,
            *debugging,
            *(["-DDEBUG"] if debug else []),
        ]
        return flags, [*openmp, *link_flags, *debugging]

    def _compile_units(self, directory, compiler, flags, parallel, log):
        includes = Includes(directory, flags)
        units = self._units(directory, includes)
        jobs, targets = [], []
        for unit in units:
            unit_flags = [*flags, "-O1"] if unit.light else flags
            key = digest(compiler.identity, *unit_flags, *unit.sources, includes.closure(unit.source))
            target = directory / OBJECTS / f"{unit.name}-{key[:20]}.o"
            targets.append(target)
            if not target.exists():
                command = [*compiler.command, "-c", *unit_flags, unit.source]
                jobs.append(Job(unit.name, command, target))
        if not jobs:
            return targets
        header = self._header(compiler, flags, includes)
        for job in jobs:
            job.command[len(compiler.command) : len(compiler.command)] = header
        run_jobs(jobs, directory, parallel)
        by_name = {unit.name: unit for unit in units}
        for job in jobs:
            log.append(
                f"{shlex.join(job.command)} -o {job.target.relative_to(directory)}\n{job.output}".strip()
            )
            self.compiled_units.append(job.name)
            if job.failed:
                position = targets.index(job.target)
                targets[position : position + 1] = self._compile_apart(
                    directory, compiler, flags, parallel, by_name[job.name], job, log
                )
        return targets

    def _compile_apart(self, directory, compiler, flags, parallel, unit, failed, log):
        """A unit that does not compile: its sources one by one, without the header, as the standard build."""
        objects = directory / OBJECTS
        jobs = [
            Job(
                source,
                [*compiler.command, "-c", *flags, source],
                objects / f"apart-{digest(failed.target, source)[:20]}.o",
            )
            for source in unit.sources
        ]
        run_jobs(jobs, directory, parallel)
        log.extend(
            f"{shlex.join(job.command)} -o {job.target.relative_to(directory)}\n{job.output}".strip()
            for job in jobs
        )
        wrong = [job for job in jobs if job.failed]
        if wrong:
            write_atomically(objects / "commands.log", "\n".join(log) + "\n")
            raise BuildError(
                f"{compiler} could not compile {' and '.join(job.name for job in wrong)} in {directory}:\n"
                f"{relevant_lines(wrong[0].output)}\n"
                f"All commands and messages are in {objects / 'commands.log'}."
            )
        logger.info(
            f"The sources of unit {unit.name!r} were compiled one by one, since together they gave: "
            f"{relevant_lines(failed.output, 2)}",
            "unit_apart",
        )
        return [job.target for job in jobs]

    def _link(self, directory, compiler, link, targets, log):
        """Link with the optimised units first: of a function compiled twice, the first copy is kept."""
        program, record = directory / "main", directory / OBJECTS / "linked"
        names = [str(path.relative_to(directory)) for path in targets]
        key = digest(compiler.identity, *names, "", *link)
        try:
            if record.read_text() == f"{key} {program.stat().st_mtime_ns}":
                return
        except OSError:
            pass
        job = Job("main", [*compiler.command, *names, *link], program)
        run_jobs([job], directory, 1)
        log.append(f"{shlex.join(job.command)} -o main\n{job.output}".strip())
        if job.failed:
            write_atomically(directory / OBJECTS / "commands.log", "\n".join(log) + "\n")
            raise BuildError(
                f"{compiler} could not link the program in {directory}:\n{relevant_lines(job.output)}\n"
                f"All commands and messages are in {directory / OBJECTS / 'commands.log'}."
            )
        write_atomically(record, f"{key} {program.stat().st_mtime_ns}")

    def _units(self, directory, includes):
        """The units of this project, their sources written into the folder `units`; the last one has main."""
        groups, alone, known = {}, [], set(brian_versions.PROGRAM_SOURCES)
        for code_object in self.code_objects.values():
            kind = brian_versions.KINDS.get(code_object.template_name, "events")
            prepares_queue = code_object.template_name == "synapses_push_spikes"
            before = "queues" if prepares_queue else kind
            for prefix, block_kind in [("", kind), ("before_run_", before), ("after_run_", kind)]:
                name = f"{prefix}{code_object.name}"
                source = f"code_objects/{name}.cpp"
                if source not in self.writer.source_files:
                    continue
                known.add(source)
                if _can_share_a_unit(directory, name, includes):
                    groups.setdefault(block_kind, []).append(name)
                else:
                    alone.append(Unit(name, source, (source,)))
        units = []
        for kind in ("start", "events", "neurons", "queues"):
            names = sorted(groups.get(kind, ()))
            parts = max(1, -(-len(names) // LARGEST_GROUP))
            for part in range(parts):
                members = names[part * len(names) // parts : (part + 1) * len(names) // parts]
                if members:
                    title = kind if parts == 1 else f"{kind}_{part + 1}"
                    sources = tuple(f"code_objects/{name}.cpp" for name in members)
                    units.append(Unit(title, f"{UNITS}/{title}.cpp", sources, light=kind == "queues"))
                    _write_unit(directory, units[-1], _code_objects_unit(directory, members, includes))
        others = sorted(self.writer.source_files - known)
        units += alone + [Unit(_unit_name(source), source, (source,)) for source in others]
        units.sort(key=lambda unit: unit.light)
        sources = tuple(name for name in brian_versions.PROGRAM_SOURCES if name in self.writer.source_files)
        units.append(Unit("program", f"{UNITS}/program.cpp", sources, light=True))
        _write_unit(directory, units[-1], "".join(f'#include "{source}"\n' for source in sources))
        for path in (directory / UNITS).glob("*.cpp"):
            if not any(unit.source == f"{UNITS}/{path.name}" for unit in units):
                path.unlink(missing_ok=True)
        return units

    def _header(self, compiler, flags, includes):
        folder = _folder("headers")
        if folder is None:
            return []
        # What every source includes: the standard headers, and those in headers that were added for all
        # sources.
        added = [line.strip('<">') for line in self.headers + prefs["codegen.cpp.headers"]]
        headers = dict.fromkeys([*brian_versions.STANDARD_HEADERS, *includes.of_the_system(added)])
        try:
            return precompiled_header(compiler, _header_flags(flags), list(headers), folder)
        except CacheError as error:
            logger.info(f"Building without a precompiled header: {error}.", "no_header")
            return []

    def _remember_compiler_probes(self):
        """Spare the standard build the compilations that find out which flags the compiler accepts."""
        if prefs["codegen.cpp.compiler"] not in ("", "unix", "gcc") or os.name != "posix":
            return
        compiler = find_compiler()
        folder = _folder("headers")
        facts = Remembered(folder, f"compiler-{compiler.identity}")
        for fact in facts.facts:
            executable, _, flag = fact.rpartition("\n")
            if flag == "C99":
                if executable == os.environ.get("CC", "cc"):
                    cpp_prefs._compiler_supports_c99 = True
            else:
                cpp_prefs._compiler_flag_compatibility.setdefault((executable, flag), True)
        cpp_prefs.get_compiler_and_args()  # makes the probes that are still missing
        # Only what works is kept: a flag refused is asked for, and reported, again.
        found = [
            f"{exe}\n{flag}" for (exe, flag), works in cpp_prefs._compiler_flag_compatibility.items() if works
        ]
        if cpp_prefs._compiler_supports_c99:
            found.append(f"{os.environ.get('CC', 'cc')}\nC99")
        facts.add(found)

    # ---- cleaning up
    # ------------------------------------------------------------------------------------------------

    def delete(self, code=True, data=True, run_args=True, directory=True, force=False):
        if code and self.project_dir is not None and self.writer is not None:
            project = Path(self.project_dir)
            for folder in (project / UNITS, project / OBJECTS):
                for path in folder.glob("*"):
                    path.unlink(missing_ok=True)
                if folder.is_dir():
                    folder.rmdir()
            (project / _LOCK).unlink(missing_ok=True)
            # The standard device warns about each file of its own build that is not there.
            for name in [
                "make.deps",
                *(f"{os.path.splitext(name)[0]}.o" for name in self.writer.source_files),
            ]:
                if (project / name).parent.is_dir():
                    (project / name).touch()
        super().delete(code, data, run_args, directory, force)


_BUILD_POSITIONS = ("debug", "clean", "with_output", "additional_source_files", "run_args", "direct_call")
_LOCK = ".building"


class Unit:
    """One translation unit: its name, its source (relative to the project), the files that it is made of."""

    def __init__(self, name, source, sources, light=False):
        self.name, self.source, self.sources, self.light = name, source, sources, light


class Includes:
    """Which files of the project, or of the folders given with -I, a source includes, and what is in them."""

    _DIRECTIVE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)

    def __init__(self, directory, flags):
        self.directory = Path(directory)
        self.folders = [flag[2:] for flag in flags if flag.startswith("-I") and flag != "-I."]
        self._texts, self._found = {}, {}

    def text(self, path):
        if path not in self._texts:
            self._texts[path] = (self.directory / path).read_text(errors="replace")
        return self._texts[path]

    def of(self, path):
        """(the directive's text, the file or None for one of the system), in order."""
        folder = os.path.dirname(path)
        return [
            (match.group(0), self._find(folder, *match.groups()))
            for match in self._DIRECTIVE.finditer(self.text(path))
        ]

    def _find(self, folder, bracket, name):
        key = (folder if bracket == '"' else None, name)
        if key not in self._found:
            places = [*([folder] if bracket == '"' else []), "", *self.folders]
            candidates = (os.path.normpath(os.path.join(place, name)) for place in places)
            self._found[key] = next(
                (path for path in candidates if os.path.isfile(self.directory / path)), None
            )
        return self._found[key]

    def closure(self, path):
        """The contents of all files that `path` includes, directly or not, itself among them, as one key."""
        seen, waiting = {}, [path]
        while waiting:
            current = waiting.pop()
            if current not in seen:
                seen[current] = self.text(current)
                waiting += [found for _, found in self.of(current) if found]
        return digest(*(part for item in sorted(seen.items()) for part in item))

    def of_the_system(self, names):
        """Headers of the system among `names` and in all that these include, sorted."""
        found, seen, waiting = set(), set(), []
        for name in names:
            path = self._find("", '"', name)
            waiting.append(path) if path else found.add(name)
        while waiting:
            current = waiting.pop()
            if current not in seen:
                seen.add(current)
                for directive, path in self.of(current):
                    if path:
                        waiting.append(path)
                    elif "<" in directive:
                        found.add(self._DIRECTIVE.match(directive).group(2))
        return sorted(found)

    def is_guarded(self, path):
        """Whether including a file twice is the same as including it once."""
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", self.text(path), flags=re.S).lstrip()
        return bool(re.match(r"#\s*(pragma\s+once|ifndef|if\s+!\s*defined)\b", text))


def _can_share_a_unit(directory, name, includes):
    """Whether a code object may be included within a namespace: its headers must be harmless there.

    spikequeue.h has no guard of its own, but is only included by synapses_classes.h, which has.
    """
    source = f"code_objects/{name}.cpp"
    files = [found for _, found in includes.of(source) if found]
    if not all(includes.is_guarded(path) for path in files):
        return False
    declarations = re.sub(r"^\s*#.*$", "", includes.text(f"code_objects/{name}.h"), flags=re.M)
    return not re.sub(r"\bvoid\s+\w+\s*\(\s*\)\s*;", "", declarations).strip()


def _code_objects_unit(directory, names, includes):
    """The text of a unit: the headers of all its code objects, then each of them within its own namespace."""
    headers = []
    for name in names:
        headers += [directive.strip() for directive, _ in includes.of(f"code_objects/{name}.cpp")]
    text = [
        "// Compiled as one unit; each code object has its own namespace, since their helpers share names.\n"
    ]
    text += [f"{line}\n" for line in dict.fromkeys(headers)]
    for name in names:
        functions = re.findall(r"\bvoid\s+(\w+)\s*\(\s*\)\s*;", includes.text(f"code_objects/{name}.h"))
        macros = re.findall(
            r"^[ \t]*#[ \t]*define[ \t]+(\w+)", includes.text(f"code_objects/{name}.cpp"), re.M
        )
        text.append(f'\nnamespace in_{name} {{\n#include "code_objects/{name}.cpp"\n}}\n')
        text += [f"void {function}() {{ in_{name}::{function}(); }}\n" for function in functions]
        text += [f"#undef {macro}\n" for macro in dict.fromkeys(macros)]
    return "".join(text)


def _write_unit(directory, unit, text):
    path = directory / unit.source
    path.parent.mkdir(exist_ok=True)
    try:
        if path.read_text() == text:
            return
    except OSError:
        pass
    write_atomically(path, text)


def _unit_name(source):
    return f"{re.sub(r'[^A-Za-z0-9]+', '_', os.path.splitext(source)[0])[-60:]}"


def _header_flags(flags):
    """The flags on which standard headers depend: not where a project's own headers are."""
    return [flag for flag in flags if not flag.startswith("-I")]


def _folder(name):
    try:
        return cache_folder(name)
    except CacheError as error:
        logger.info(f"Building without a cache: {error}", "no_cache", once=True)
        return None


def _alone_in(directory):
    """Two processes that build into one directory do so one after the other."""
    return FileLock(Path(directory).absolute() / _LOCK)
