"""The two calls that users need: `build(circuit)` finds or makes the Program, `run(circuit, duration)` runs
it.

A program is found by the hash of the circuit's structure, so a plain loop over parameters compiles once.
"""

import hashlib
import logging
import shutil
from collections.abc import Iterable
from functools import cache as remembered
from pathlib import Path

from . import cache
from .errors import BuildError, CacheError, NonFiniteError, NumbersError
from .program import Program, _duration, load

logger = logging.getLogger("plastica")
_programs = {}

# The modules of this package that have no part in what a program becomes; all others are part of its key.
_NOT_GENERATING = {
    "__init__",
    "__main__",
    "cache",
    "container",
    "errors",
    "interpreted",
    "objects",
    "program",
    "progress",
    "recording",
    "simulate",
}


def build(circuit):
    """The `Program` of a circuit: from this process, else from the cache, else built now (some seconds).

    Safe when several processes build the same circuit: one builds, the others wait and take it.

    Raises
    ------
    BuildError
        If there is no compiler or the circuit cannot be compiled.
    CacheError
        If the cache folder is not private, not writable, or the disk is full.
    """
    structure = circuit.structure()
    found = _programs.get(structure)
    if found is not None and _whole(found):
        return found
    key = _key(structure)
    folder = cache.cache_folder("programs") / key
    program = load(key, folder) or _build_locked(circuit, key, folder)
    _programs[structure] = program
    return program


def _whole(program):
    """Whether the binary of a program loaded earlier still has its size; its content was checked when it
    was loaded.
    """
    try:
        return (program.folder / "main").stat().st_size == program.manifest["binary_size"]
    except OSError:
        return False


def _build_locked(circuit, key, folder):
    from filelock import FileLock

    with FileLock(folder.with_name(f".{key}.lock")):
        program = load(key, folder)  # another process may have built it meanwhile
        if program is not None:
            return program
        if folder.exists():
            logger.warning("The program %s in the cache is damaged; building it again.", key[:12])
            shutil.rmtree(folder, ignore_errors=True)
        try:
            draft = cache.temporary(folder.parent, key[:12])
        except OSError as error:
            raise CacheError(
                f"The cache folder {folder.parent} cannot be written ({error.strerror}). {_room()}"
            ) from None
        try:
            from .standalone import compile_plan

            compile_plan(circuit.plan, key, draft)
            _lighten(draft)
            draft.rename(folder)
        except BuildError as error:
            raise _with_sources_kept(error, draft, key) from error.__cause__
        except OSError as error:
            raise CacheError(
                f"The program cannot be stored in {folder.parent} ({error.strerror}). {_room()}"
            ) from None
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        cache.evict(keep={key})
        return load(key, folder) or _lost(folder)


def _with_sources_kept(error, draft, key):
    """The error, with the sources that it speaks of moved to where they stay until the next failure."""
    if str(draft) not in str(error):
        return error
    kept = cache.cache_folder("failed") / key[:12]
    shutil.rmtree(kept, ignore_errors=True)
    draft.rename(kept)
    return BuildError(str(error).replace(str(draft), str(kept)))


def _room():
    return "Make room (python -m engine cache clear), or set PLASTICA_CACHE to a folder on another disk."


def _lost(folder):
    raise CacheError(f"The program was stored in {folder} but cannot be read from there. {_room()}")


def _lighten(folder):
    """Keep the sources, which people read, and drop object files, which nothing uses again."""
    for path in [*folder.rglob("*.o"), *folder.rglob("*.gch")]:
        path.unlink(missing_ok=True)


def run(circuit, duration, seed=0, *, trials=None, jobs=1, backend="compiled", progress=None):
    """Run a circuit and return its `Recording`, or one per trial.

    Parameters
    ----------
    circuit : Circuit
    duration : Quantity
        Model time.
    seed : int
        Draws wiring, parameters, start values and noise; equal seeds give equal arrays.
    trials : list of dict, optional
        Numbers per trial by dotted name, with units, "duration" among them; all trials share what the seed
        drew for wiring and parameters.
    jobs : int
        Trials side by side.
    backend : str
        "compiled" (C++), or "interpreted" (Brian2's runtime with numpy: no compiler, slower, other random
        draws).
    progress : bool, optional
        Show progress with remaining time; by default when a run is long and somebody is watching.
    """
    duration = _seconds(duration)
    if trials is not None and (
        not isinstance(trials, Iterable)
        or isinstance(trials, dict)
        or not all(isinstance(trial, dict) for trial in trials)
    ):
        raise NumbersError(
            "trials: give a list of dictionaries, one per trial, such as [{'exc.w': 1*mV}, {}]."
        )
    trials = None if trials is None else [_plain(circuit, trial, k) for k, trial in enumerate(trials)]
    if backend == "interpreted":
        from .interpreted import run_interpreted

        return run_interpreted(circuit, duration, seed, trials)
    if backend != "compiled":
        raise NumbersError(f"backend: got {backend!r}; there are 'compiled' and 'interpreted'.")
    return build(circuit).run(circuit.numbers(), duration, seed, trials, jobs, progress)


def _seconds(duration):
    from circuits.circuit import seconds_of

    return _duration(seconds_of(duration), "duration")


def _plain(circuit, trial, k):
    """A trial's numbers in SI units, checked against the circuit."""
    from circuits.circuit import seconds_of
    from circuits.errors import CircuitError

    trial, made = dict(trial), {}
    try:
        if "duration" in trial:
            made["duration"] = _duration(seconds_of(trial.pop("duration")), f"Trial {k}, duration")
        made.update(circuit.plan.fitted(trial))
    except CircuitError as error:
        raise NumbersError(f"Trial {k}: {error}") from None
    return made


def _generating(here):
    """The files of the engine that shape programs: all but the modules that only run them."""
    files = sorted(path for path in here.rglob("*.*") if path.suffix in (".py", ".h", ".cpp"))
    return [path for path in files if path.parent != here or path.stem not in _NOT_GENERATING]


@remembered
def _fingerprint():
    """What a program depends on besides the circuit: this engine, Brian2 and the compiler."""
    from importlib.metadata import version

    from .toolchain import find_compiler

    state = hashlib.sha256()
    here = Path(__file__).parent
    for path in _generating(here):
        state.update(path.read_bytes())
    for package in ("brian2", "sympy", "numpy"):
        state.update(version(package).encode())
    state.update(find_compiler().identity.encode())
    return state.hexdigest()


def _key(structure):
    return hashlib.sha256((_fingerprint() + structure).encode()).hexdigest()[:40]


__all__ = ["BuildError", "NonFiniteError", "Program", "build", "run"]
