"""The C++ compiler: which one it is, what it accepts, its precompiled header, and running it.

What is asked of a compiler once is remembered in the cache folder `headers`, under a key of the compiler (its
path, its own account of its version and configuration, the processor if it compiles for this one). A cache
that cannot be used costs time, never a build.
"""

import functools
import hashlib
import json
import os
import platform
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from .errors import BuildError, CacheError

OBJECT_FORMAT = 1  # raise this when what is compiled from the same text with the same flags changes

MONTH = 30 * 86400  # seconds
_HEADER_WAIT = 120  # seconds to wait for another process that is making the same header


def digest(*parts):
    """A hexadecimal key over texts and bytes; where one part ends and the next begins counts."""
    state = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        state.update(b"%d:" % len(data))
        state.update(data)
    return state.hexdigest()


def write_atomically(path, data):
    """Write text or bytes to `path`: a reader, or an interruption, finds the old file or the new one."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data if isinstance(data, bytes) else data.encode())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@functools.cache
def _umask():
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


@dataclass(frozen=True)
class Compiler:
    """A C++ compiler: the command that starts it, its family ("gcc", "clang", "other"), a key for caches."""

    command: tuple
    family: str
    version: str
    identity: str

    def __str__(self):
        return f"{' '.join(self.command)} ({self.version})"


def find_compiler(command=None):
    """The compiler that `make` would use too: CXX from the environment, else g++.

    Raises
    ------
    BuildError
        If there is none.
    """
    command = command or os.environ.get("CXX") or "g++"
    words = shlex.split(command)
    path = shutil.which(words[0]) if words else None
    if path is None:
        chosen = " (chosen by the environment variable CXX)" if os.environ.get("CXX") == command else ""
        raise BuildError(
            f"There is no C++ compiler: {command!r}{chosen} is not on the path. Install one "
            f"(Debian, Ubuntu: apt-get install g++; Fedora: dnf install gcc-c++; "
            f"macOS: xcode-select --install; conda: conda install cxx-compiler), "
            f"or set CXX to the one to use, such as CXX=clang++."
        )
    info = os.stat(path)
    return _identify(tuple(words), path, info.st_mtime_ns, info.st_size)


@functools.lru_cache(maxsize=16)
def _identify(words, path, modified, size):
    try:
        answer = subprocess.run([*words, "-v"], capture_output=True, text=True, errors="replace", timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"The C++ compiler {' '.join(words)!r} cannot be started: {error}.") from None
    text = answer.stdout + answer.stderr
    lines = [line.strip() for line in text.splitlines()]
    version = next((line for line in lines if " version " in line), lines[0] if lines else "unknown version")
    if "clang version" in text:  # Apple's calls itself "Apple clang version"
        family = "clang"
    elif any(line.startswith("gcc version") for line in lines):
        family = "gcc"
    else:
        family = "other"
    # With -march=native the same command compiles other code on another processor; caches are found on shared
    # homes.
    searched = [os.environ.get(name, "") for name in ("CPATH", "CPLUS_INCLUDE_PATH", "GCC_EXEC_PREFIX")]
    identity = digest(path, *words[1:], *searched, modified, size, text, _processor(), OBJECT_FORMAT)[:24]
    return Compiler(words, family, version, identity)


def _processor():
    try:
        with open("/proc/cpuinfo") as stream:
            lines = {
                line for line in stream if line.startswith(("model name", "flags", "Features", "CPU part"))
            }
        return platform.machine() + "".join(sorted(lines))
    except OSError:
        return platform.machine() + platform.processor() + platform.node()


class Remembered:
    """Facts about one compiler, kept on disk: strings, each true for good once it was seen to be true."""

    def __init__(self, folder, name):
        self.path = Path(folder) / f"{name}.json" if folder else None
        self.facts = set()
        if self.path:
            try:
                self.facts = set(json.loads(self.path.read_text()))
            except (OSError, ValueError, TypeError):
                pass

    def add(self, facts):
        new = set(facts) - self.facts
        if not new:
            return
        self.facts |= new
        if self.path:
            try:
                write_atomically(self.path, json.dumps(sorted(self.facts)))
            except OSError:
                pass  # asked again next time


def precompiled_header(compiler, flags, standard, folder, own=None, first=(), run=None):
    """The options that let compilations with these flags start from headers that are already parsed.

    Made on the first call, found in `folder` afterwards. It stands for exactly this compiler, these flags and
    the very files that it was made from: another compiler version has another key, and a changed system
    header has another time stamp.

    Parameters
    ----------
    standard : names of standard headers, without brackets
    folder : pathlib.Path of the cache
    own : texts of further headers by name; only those in `first` are included by themselves
    run : runs the `Job` that makes it, perhaps with others beside it

    Raises
    ------
    CacheError
        If the folder cannot be written (a full disk), or another process has been making this header for
        minutes.
    """
    own = own or {}
    text = "// Headers that all programs share, parsed once.\n"
    text += "".join(f"#include <{name}>\n" for name in standard)
    text += "".join(f'#include "{name}"\n' for name in first)
    home = Path(folder) / digest(compiler.identity, *flags, text, *sorted(own.items()))[:32]
    source, made = home / "common.h", home / "made.json"
    option = ["-include", str(source)]
    if _is_current(made):
        _touch(made)
        return option
    try:
        home.mkdir(mode=0o700, exist_ok=True)
        with FileLock(home / "lock", timeout=_HEADER_WAIT):
            if _is_current(made):  # another process was faster
                return option
            _sweep(home)
            for name, content in {**own, source.name: text}.items():
                (home / name).parent.mkdir(exist_ok=True)
                write_atomically(home / name, content)
            _make_header(compiler, flags, source, made, run or (lambda job: run_jobs([job], home, 1)))
        _forget_old(Path(folder), home)
    except Timeout:
        raise CacheError(f"Another process has been making {home} for {_HEADER_WAIT} s") from None
    except OSError as error:
        raise CacheError(f"{home}: {error.strerror or error}") from None
    return option


def _sweep(home):
    """Remove what processes that were killed left, and what says that a header is there; the lock is held."""
    (home / "made.json").unlink(missing_ok=True)
    for leftover in home.glob(".*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _make_header(compiler, flags, source, made, run):
    target = source.with_name(source.name + (".pch" if compiler.family == "clang" else ".gch"))
    with tempfile.TemporaryDirectory(prefix=".making-", dir=source.parent) as scratch:
        draft, dependencies = Path(scratch) / target.name, Path(scratch) / "dependencies"
        command = [*compiler.command, *flags, f"-I{source.parent}", "-x", "c++-header", str(source)]
        command += ["-MD", "-MF", str(dependencies)]
        job = Job("header", command, draft)
        run(job)
        if job.failed:
            raise CacheError(f"{shlex.join(command)} failed: {_first_lines(job.output, 3)}")
        files = shlex.split(dependencies.read_text().replace("\\\n", " ").split(":", 1)[1])
        os.replace(draft, target)
        stamps = []
        for name in [*files, str(target)]:
            info = os.stat(name)
            stamps.append([name, info.st_mtime_ns, info.st_size])
        write_atomically(made, json.dumps({"compiler": str(compiler), "files": stamps}))


def _touch(made):
    try:
        os.utime(made)
    except OSError:
        pass


def _forget_old(folder, present):
    """A header takes some 50 MB: those of other compilers and flags are removed after a month without use."""
    for made in folder.glob("*/made.json"):
        if made.parent != present and time.time() - made.stat().st_mtime > MONTH:
            shutil.rmtree(made.parent, ignore_errors=True)


def _is_current(made):
    try:
        stamps = json.loads(made.read_text())["files"]
        for name, modified, size in stamps:
            info = os.stat(name)
            if info.st_mtime_ns != modified or info.st_size != size:
                return False
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


@dataclass
class Job:
    """One call of the compiler: what it makes; afterwards, what it said and whether it worked."""

    name: str
    command: list
    target: Path
    output: str = ""
    failed: bool = False


def run_jobs(jobs, directory, parallel):
    """Run compiler calls side by side, each into a temporary file that takes its final name when complete.

    An exception, an interruption from the keyboard among them, ends the compilers and leaves no partial file.
    """
    running, stop, lock = set(), threading.Event(), threading.Lock()

    def work(job):
        draft = job.target.with_name(f".{job.target.name}-{os.getpid()}-{threading.get_ident()}")
        within = draft.is_relative_to(directory)
        command = [*job.command, "-o", str(draft.relative_to(directory) if within else draft)]
        try:
            with lock:
                if stop.is_set():
                    return job
                process = subprocess.Popen(
                    command,
                    cwd=directory,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                    process_group=0,  # what is called the compiler starts the one that compiles
                )
                running.add(process)
            job.output = process.communicate()[0]
            with lock:
                running.discard(process)
            job.failed = process.returncode != 0
            if not job.failed and not stop.is_set():
                os.replace(draft, job.target)
        finally:
            draft.unlink(missing_ok=True)
        return job

    pool = ThreadPoolExecutor(max_workers=max(1, parallel))
    try:
        for future in as_completed([pool.submit(work, job) for job in jobs]):
            future.result()
    except BaseException:
        with lock:
            stop.set()
            for process in running:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return jobs


def processors():
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _first_lines(text, n):
    return "\n".join(text.strip().splitlines()[:n])


def relevant_lines(output, limit=12):
    """The errors in what a compiler said, with the lines they point at; if there are none, the beginning."""
    lines = output.strip().splitlines()
    picked = []
    for number, line in enumerate(lines):
        if "error" in line.lower() or "undefined reference" in line or "terminated" in line:
            picked += [k for k in range(number, min(number + 3, len(lines))) if k not in picked]
    chosen = [lines[k] for k in picked] or lines
    if len(chosen) > limit:
        chosen = [*chosen[:limit], f"... ({len(lines) - limit} more lines)"]
    return "\n".join(chosen)
