"""The build of a standalone project in a fraction of the standard time.

The standard device writes about twenty small C++ files and hands them to make, which parses the same standard
headers twenty times and once more for the dependencies. Here the same files, unchanged, are put together into
a few units (see `units`). These are compiled side by side, start from a precompiled header, and are named by
a hash of everything that goes into them, so that only what no project compiled before is compiled. The folder
keeps the standard layout: code_objects/*.cpp is what is compiled, and `make` in it still works.
"""

import os
import re
import shlex
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import jinja2
from brian2.codegen import cpp_prefs
from brian2.core.preferences import prefs
from brian2.devices.cpp_standalone.device import CPPWriter
from brian2.utils.logger import get_logger
from filelock import FileLock, Timeout

from . import brian_versions, objects, units
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

OBJECTS = "build"  # the folder of compiled units in the project
LOCK = ".building"
_BUILD_POSITIONS = ("debug", "clean", "with_output", "additional_source_files", "run_args", "direct_call")


class CompileMixin:
    """Replaces the compilation step of Brian2's C++ standalone device; all else stays as it is there.

    `compiled_units` lists the units that the last build compiled, and did not find.
    """

    def __init__(self):
        super().__init__()
        self.compiled_units = []
        self._probes = None
        self._flags = ([], [])  # for the compiler and for the linker, as they stand in the makefile

    def run_function(self, name, include_in_parent=True):
        return RunFunction(self, name, include_in_parent)

    # ---- what is generated ----

    def activate(self, *args, **options):
        self._probes = CompilerProbes()  # first, since the choice of code asks for the compiler
        super().activate(*args, **options)
        for code_object_class in self.code_object_class().__mro__:
            templater = vars(code_object_class).get("templater")
            if templater is not None and templater.env.bytecode_cache is None:
                templater.env.bytecode_cache = TemplateCache()

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
            check_compiler()
        os.makedirs(directory, exist_ok=True)
        arguments = dict(zip(_BUILD_POSITIONS, args, strict=False)) | options
        with alone_in(directory):
            super().build(directory, results_directory, compile, False, **arguments)
        if self._probes:
            self._probes.keep()
        if compile and run:
            self.run(
                directory,
                results_directory,
                arguments.get("with_output", True),
                arguments.get("run_args"),
            )

    def write_static_arrays(self, directory):
        self.writer = AtomicWriter(self.writer)  # the first step after the standard device has made its own
        # A program that was built here before may be reading the arrays now.
        with tempfile.TemporaryDirectory(prefix=".arrays-", dir=directory) as drafts:
            os.mkdir(os.path.join(drafts, "static_arrays"))
            super().write_static_arrays(drafts)
            for draft in Path(drafts, "static_arrays").iterdir():
                os.replace(draft, Path(directory, "static_arrays", draft.name))

    def generate_objects_source(self, writer, *args, **kwds):
        transforming = ObjectsWriter(writer, brian_versions.with_seed_sequence)
        super().generate_objects_source(transforming, *args, **kwds)

    def generate_makefile(self, writer, compiler, compiler_flags, linker_flags, *args, **kwds):
        self._flags = (shlex.split(compiler_flags), shlex.split(linker_flags))
        super().generate_makefile(writer, compiler, compiler_flags, linker_flags, *args, **kwds)

    # ---- the compilation ----

    def compile_source(self, directory, compiler, debug, clean):
        """Compile the units that changed and link them to the program `main`.

        Raises
        ------
        BuildError
            With the relevant lines of the compiler's output and the place of the sources.
        """
        self.compiled_units = []
        obstacle, command, parallel = make_settings()
        obstacle = obstacle or self._obstacle(compiler)
        chosen = None if obstacle else find_compiler(command)
        if chosen and chosen.family == "other":
            obstacle = f"{chosen} is neither gcc nor clang"
        if obstacle:
            logger.info(f"Building with make, as the standard device does: {obstacle}.", "standard_build")
            super().compile_source(directory, compiler, debug, clean)
            return
        started = time.time()
        compilation = Compilation(directory, chosen, *self._all_flags(debug), parallel)
        if clean:
            compilation.clean()
            self.timers["compile"]["clean"] = time.time() - started
            started = time.time()
        added = [line.strip('<">') for line in self.headers + prefs["codegen.cpp.headers"]]
        try:
            self.compiled_units = compilation.run(self.code_objects.values(), self.writer.source_files, added)
        finally:
            log = compilation.write_log()
            if debug and log:
                print(log)
        self.timers["compile"]["make"] = time.time() - started

    def _obstacle(self, compiler):
        """What stands against a build without make, or None."""
        if compiler != "unix":
            return f"the compiler is {compiler!r}"
        missing = brian_versions.missing_hooks()
        if missing:
            return f"this Brian2 version changed {', '.join(missing)}"
        if any(name.endswith(".c") for name in self.writer.source_files):
            return "there are sources in C"
        return None

    def _all_flags(self, debug):
        """Flags of the compiler and of the linker, in the order of the standard makefile."""
        compiling, linking = self._flags
        openmp = ["-fopenmp"] if prefs.devices.cpp_standalone.openmp_threads else []
        debugging = ["-g", "-DDEBUG"] if debug else []
        compiling = ["-Wno-write-strings", *compiling, "-I.", *openmp, *debugging]
        return compiling, [*openmp, *linking, *debugging[:1]]

    # ---- cleaning up ----

    def delete(self, code=True, data=True, run_args=True, directory=True, force=False):
        if code and self.project_dir is not None and self.writer is not None:
            project = Path(self.project_dir)
            for name in (units.FOLDER, OBJECTS):
                shutil.rmtree(project / name, ignore_errors=True)
            (project / LOCK).unlink(missing_ok=True)
            # The standard device warns about each file of its own build that is not there.
            for name in [
                "make.deps",
                *(f"{os.path.splitext(name)[0]}.o" for name in self.writer.source_files),
            ]:
                if (project / name).parent.is_dir():
                    (project / name).touch()
        super().delete(code, data, run_args, directory, force)


class Compilation:
    """Compiles the units of one project, and links them.

    Parameters
    ----------
    directory : the project
    compiler : toolchain.Compiler
    flags, link_flags : lists of options
    parallel : number of compilers at a time
    """

    def __init__(self, directory, compiler, flags, link_flags, parallel):
        self.directory = Path(directory).absolute()
        self.compiler, self.flags, self.link_flags, self.parallel = compiler, flags, link_flags, parallel
        self.objects = self.directory / OBJECTS
        self.kept = folder("objects")  # where compiled units are kept for other projects, or None
        self.from_scratch = False
        self.done = []  # calls of the compiler

    def clean(self):
        """Remove what was compiled here; what other projects compiled is not used either."""
        self.from_scratch = True
        shutil.rmtree(self.objects, ignore_errors=True)
        (self.directory / "main").unlink(missing_ok=True)

    def run(self, code_objects, source_files, added_headers):
        """Bring the program up to date; returns the names of the units that were compiled.

        Raises
        ------
        BuildError
            If the compiler or the linker reports an error.
        """
        self.objects.mkdir(exist_ok=True)
        includes = units.Includes(self.directory, self.flags)
        wanted = units.make_units(self.directory, code_objects, source_files, includes)
        targets = {unit: self._targets(unit, includes) for unit in wanted}
        shared = self._shared(wanted, targets, includes, added_headers)
        for path in shared:
            if not (self.from_scratch or path.exists()):
                objects.recall(path, self.kept)
        jobs = {
            unit: self._job(
                unit.name, unit.source, targets[unit][0][0], _light(self.flags) if unit.light else []
            )
            for unit in wanted
            if not any(all(path.exists() for path in paths) for paths in targets[unit])
        }
        if jobs:
            weight = {u.name: u.light * 1e6 + sum(len(includes.text(s)) for s in u.sources) for u in jobs}
            early = [jobs[unit] for unit in jobs if unit.name == "library" and self.parallel > 1]
            header = self._header(includes, added_headers, early)
            waiting = [job for job in jobs.values() if job not in self.done]
            for job in waiting:
                after = len(self.compiler.command)
                job.command[after:after] = header
            # What takes longest comes first: the light ones, which are large, then the largest.
            self._run(sorted(waiting, key=lambda job: -weight[job.name]))
        made = [job.target for job in jobs.values() if not job.failed and job.target in shared]
        if made:
            objects.keep(made, self.kept)
        for unit, job in jobs.items():
            if job.failed:
                self._compile_apart(unit, targets[unit][1], job)
        files = []
        for unit in wanted:
            files += next(paths for paths in targets[unit] if all(path.exists() for path in paths))
        self._link(files)
        for path in self.objects.iterdir():  # what was there before, and drafts of builds that were killed
            if path.suffix == ".o" and path not in files or path.name.startswith("."):
                path.unlink(missing_ok=True)
        return [unit.name for unit in jobs]

    def _shared(self, wanted, targets, includes, added_headers):
        """The compiled units that are the same in all projects: all that goes into them is in their names."""
        # Headers that were added are in the precompiled one; debuggers and profilers are told of folders.
        personal = ("-g", "--coverage", "-fprofile")
        if (
            not self.kept
            or not objects.can_be_shared(includes.of_the_system(added_headers))
            or any(flag.startswith(personal) for flag in self.flags)
        ):
            return set()
        return {
            targets[unit][0][0]
            for unit in wanted
            if objects.can_be_shared(includes.not_in_the_project(unit.source))
        }

    def _targets(self, unit, includes):
        """Compiled files by content: that of the whole unit, and those of its sources one by one."""
        flags = [*self.flags, *_light(self.flags)] if unit.light else self.flags
        key = digest(self.compiler.identity, *flags, *unit.sources, includes.closure(unit.source))
        apart = [self.objects / f"apart-{digest(key, source)[:20]}.o" for source in unit.sources]
        return [self.objects / f"{unit.name}-{key[:20]}.o"], apart

    def _job(self, name, source, target, more=()):
        return Job(name, [*self.compiler.command, "-c", *self.flags, *more, source], target)

    def _run(self, jobs):
        self.done += jobs
        run_jobs(list(jobs), self.directory, self.parallel)

    def _compile_apart(self, unit, targets, failed):
        """A unit that does not compile: its sources one by one, without the header, as the standard build."""
        jobs = [
            self._job(source, source, target) for source, target in zip(unit.sources, targets, strict=True)
        ]
        self._run(jobs)
        wrong = [job for job in jobs if job.failed]
        if wrong:
            self._fail(f"could not compile {' and '.join(job.name for job in wrong)}", wrong[0])
        logger.info(
            f"The sources of unit {unit.name!r} were compiled one by one, since together they gave: "
            f"{relevant_lines(failed.output, 2)}",
            "unit_apart",
        )

    def _link(self, files):
        """Link with the optimised units first: of a function compiled twice, the first copy is kept."""
        program, record = self.directory / "main", self.objects / "linked"
        names = [str(path.relative_to(self.directory)) for path in files]
        key = digest(self.compiler.identity, *names, "", *self.link_flags)
        try:
            if record.read_text() == f"{key} {program.stat().st_mtime_ns}":
                return
        except OSError:
            pass
        for linker in dict.fromkeys([quick_linker(self.link_flags), ()]):
            job = Job("main", [*self.compiler.command, *linker, *names, *self.link_flags], program)
            self._run([job])
            if not job.failed:
                break
        else:
            self._fail("could not link the program", job)
        write_atomically(record, f"{key} {program.stat().st_mtime_ns}")

    def _header(self, includes, added, early):
        """Options for a header with what every source includes: standard headers, Brian2's, added ones.

        To make it takes one processor two seconds, in which the jobs `early` are done without it.
        """

        def make(header):
            self.done += early
            run_jobs([header, *early], self.directory, self.parallel)

        place = folder("headers")
        if place is None:
            return []
        # Where a project's own headers are does not matter to standard headers.
        flags = [flag for flag in self.flags if not flag.startswith("-I")]
        standard = dict.fromkeys([*brian_versions.STANDARD_HEADERS, *includes.of_the_system(added)])
        first = [name for name in brian_versions.COMMON_HEADERS if includes.is_guarded(name, by_macro=True)]
        own = {name: includes.text(name) for name in includes.reached(first)}
        if any(os.path.isabs(name) for name in own):  # found in a folder given with -I
            own, first = {}, []
        try:
            return precompiled_header(self.compiler, flags, list(standard), place, own, first, make)
        except CacheError as error:
            logger.info(f"Building without a precompiled header: {error}.", "no_header")
            return []

    def _fail(self, what, job):
        self.write_log()
        raise BuildError(
            f"{self.compiler} {what} in {self.directory}:\n{relevant_lines(job.output)}\n"
            f"All commands and messages are in {self.objects / 'commands.log'}."
        )

    def write_log(self):
        """Write the commands of this build and what the compiler said to build/commands.log; returns it."""
        log = "\n".join(
            f"{shlex.join(job.command)} -o {job.target.relative_to(self.directory)}\n{job.output}".strip()
            for job in self.done
        )
        if log:
            write_atomically(self.objects / "commands.log", log + "\n")
        return log


class CompilerProbes:
    """What Brian2 found out about the compiler by compiling with each flag: recalled, and kept, on disk.

    Only what works is kept: a flag that is refused is tried, and reported, again.
    """

    def __init__(self):
        self.facts = None
        obstacle, command, _ = make_settings()
        if obstacle or os.name != "posix" or prefs["codegen.cpp.compiler"] not in ("", "unix", "gcc"):
            return
        try:
            compiler = find_compiler(command)
        except BuildError:
            return
        self.facts = Remembered(folder("headers"), f"compiler-{compiler.identity}")
        for fact in self.facts.facts:
            executable, _, flag = fact.rpartition("\n")
            if flag != "C99":
                cpp_prefs._compiler_flag_compatibility.setdefault((executable, flag), True)
            elif executable == os.environ.get("CC", "cc"):
                cpp_prefs._compiler_supports_c99 = True

    def keep(self):
        if self.facts is None:
            return
        flags = cpp_prefs._compiler_flag_compatibility
        found = [f"{executable}\n{flag}" for (executable, flag), works in flags.items() if works]
        if cpp_prefs._compiler_supports_c99:
            found.append(f"{os.environ.get('CC', 'cc')}\nC99")
        self.facts.add(found)


def check_compiler():
    """Refuse to begin a build that has no compiler.

    Raises
    ------
    BuildError
        If there is none.
    """
    obstacle, command, _ = make_settings()
    if not obstacle and os.name == "posix" and prefs["codegen.cpp.compiler"] in ("", "unix", "gcc"):
        find_compiler(command)


def make_settings():
    """(what stands against a build without make or None, the compiler or None, the number of parallel jobs).

    The preferences for make hold here too: -j, and CXX=... .
    """
    settings = prefs.devices.cpp_standalone
    if settings.make_cmd_unix != "make":
        return f"the preference make_cmd_unix is {settings.make_cmd_unix!r}", None, 1
    command, parallel = None, 1
    for word in settings.extra_make_args_unix:
        if re.fullmatch(r"-j\d*", word):
            parallel = int(word[2:] or processors())
        elif word.startswith("CXX="):
            command = word[4:]
        else:
            return f"the preference extra_make_args_unix has {word!r}", None, 1
    return None, command, parallel


def quick_linker(flags):
    """The option for a linker faster than the usual one, if there is one and the user did not choose."""
    if sys.platform != "linux" or any(flag.startswith("-fuse-ld") for flag in flags):
        return ()
    return next(((f"-fuse-ld={name}",) for name in ("lld", "gold") if shutil.which(f"ld.{name}")), ())


def _light(flags):
    """What is added to flags for sources without inner loops, unless they ask for little optimisation."""
    level = [flag for flag in flags if re.fullmatch(r"-O(\d|s|g|z|fast)?", flag)][-1:]
    return [] if level in ([], ["-O0"], ["-Og"]) else ["-O1"]


def folder(name):
    """The folder of the cache, or None, with one line in the log, where there cannot be one."""
    try:
        return cache_folder(name)
    except CacheError as error:
        logger.info(f"Building without a cache: {error}", "no_cache", once=True)
        return None


@contextmanager
def alone_in(directory):
    """Two processes that build into one directory do so one after the other."""
    lock = FileLock(Path(directory).absolute() / LOCK)
    try:
        try:
            lock.acquire(timeout=5)
        except Timeout:
            logger.info(f"Waiting for another process that builds in {directory}.", "waiting")
            lock.acquire()
    except NotImplementedError:  # a file system without locks
        pass
    try:
        yield
    finally:
        lock.release()


class AtomicWriter(CPPWriter):
    """Stands in for a standard writer of generated files; files become visible only when complete."""

    def __init__(self, standard):
        super().__init__(standard.project_dir)
        self.source_files |= standard.source_files
        self.header_files |= standard.header_files

    def write(self, filename, contents):
        if filename.endswith(".*"):
            super().write(filename, contents)  # calls this for each of the two files
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
        place = folder("templates")
        key = digest(bucket.key, bucket.checksum, sys.version, jinja2.__version__)
        return place / key[:40] if place else None


class RunFunction:
    """Within this context, code goes into a function of the program instead of main."""

    def __init__(self, device, name, include_in_parent):
        self.device, self.arguments = device, (name, include_in_parent)

    def __enter__(self):
        self.device.main_queue.append(("start_run_func", self.arguments))

    def __exit__(self, *exception):
        self.device.main_queue.append(("end_run_func", self.arguments))
