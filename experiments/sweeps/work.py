"""What a worker does: run points and measure them. Imports no Brian2 unless the experiment does.

A job is what many points share (a program, an experiment, a measure); it reaches each worker once. A point is
its row in the table, its seed and its arguments. What a point does wrong becomes the error of its row.
"""

import io
import os
import shutil
import signal
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

LONGEST_ERROR = 500  # characters of an error in the table


@dataclass
class Outcome:
    """A row as it comes back: numbers by name (SI units), their units, and what went wrong."""

    row: int
    measures: dict = field(default_factory=dict)
    units: dict = field(default_factory=dict)
    error: str = ""
    seconds: float = 0.0
    loop_seconds: float = 0.0
    kept: bytes | None = None
    worker: str = ""


def run_points(job, points, keep):
    """Run `points`, tuples (row, seed, arguments), one after another; if one fails, the rest goes on."""
    _let_threads_import_brian2()
    return [_run_point(job, *point, keep) for point in points]


def _let_threads_import_brian2():
    """Brian2 takes Ctrl-C over when it is imported, which only the main thread may do; dask runs tasks in
    another one, where asking for it shall do nothing.
    """
    if getattr(signal.signal, "of_worker", False):
        return
    real = signal.signal

    def in_main_thread(number, handler):
        if threading.current_thread() is threading.main_thread():
            return real(number, handler)
        return signal.getsignal(number)

    in_main_thread.of_worker = True
    signal.signal = in_main_thread


def _run_point(job, row, seed, arguments, keep):
    outcome = Outcome(row, worker=f"{os.uname().nodename}:{os.getpid()}")
    start = time.perf_counter()
    try:
        job.run(outcome, seed, arguments, keep)
    except (Exception, SystemExit) as error:
        outcome.error = one_line(error)
    outcome.seconds = time.perf_counter() - start
    return outcome


def one_line(error):
    """An error as it stands in the table: its kind and message on one line."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= LONGEST_ERROR else text[: LONGEST_ERROR - 3] + "..."


@dataclass
class Simulation:
    """Runs of one program: the points differ in numbers, duration and seed.

    The program comes along as bytes. A worker takes the one in its cache; where there is none (another host)
    it puts it there, once.
    """

    key: str
    files: dict = field(repr=False)  # path in the program's folder to content
    numbers: dict = field(repr=False)
    duration: float
    measure: bytes = field(repr=False)
    measure_name: str
    reserved: frozenset

    def run(self, outcome, seed, arguments, keep):
        arguments = dict(arguments)
        duration = arguments.pop("duration", self.duration)
        recording = self._program().run({**self.numbers, **arguments}, duration, seed, progress=False)
        outcome.loop_seconds = recording.loop_seconds
        if keep:
            outcome.kept = _bytes_of(recording.save, ".npz")
        measured = _loaded(self, self.measure)(recording)
        outcome.measures, outcome.units = numbers_of(measured, self.measure_name, self.reserved)

    def _program(self):
        program = self.__dict__.get("_found")
        if program is None or not (program.folder / "main").exists():
            program = self._found = self._installed()
        return program

    def _installed(self):
        """The program from this host's cache, put there if it is new to it."""
        from filelock import FileLock

        from engine.cache import cache_folder, temporary
        from engine.program import load

        folder = cache_folder("programs") / self.key
        with FileLock(folder.with_name(f".{self.key}.lock")):
            program = load(self.key, folder)
            if program is None:
                shutil.rmtree(folder, ignore_errors=True)
                draft = temporary(folder.parent, self.key[:12])
                for path, content in self.files.items():
                    (draft / path).parent.mkdir(exist_ok=True)
                    (draft / path).write_bytes(content)
                (draft / "main").chmod(0o700)
                draft.rename(folder)
                program = load(self.key, folder)
        if program is None:
            raise RuntimeError(f"the program was put into {folder}, but cannot be read from there")
        return program

    def __getstate__(self):
        return {key: value for key, value in self.__dict__.items() if not key.startswith("_")}


@dataclass
class Calls:
    """Runs of one experiment: the points differ in the parameters of its `run`.

    Without a measure these are the plain numbers of the results and what the claims measure.
    """

    module: str
    parameters: dict
    seed_name: str
    measure: bytes | None
    measure_name: str
    reserved: frozenset

    def run(self, outcome, seed, arguments, keep):
        from importlib import import_module

        module = import_module(self.module)
        parameters = {**self.parameters, **arguments}
        if self.seed_name:
            parameters[self.seed_name] = seed if self.seed_name == "seed" else (seed,)
        results = module.run(**parameters)
        if not isinstance(results, dict):
            raise TypeError(f"run() must return a dict of results, not {type(results).__name__}")
        if keep:
            outcome.kept = _bytes_of(lambda path: _zipped(results, path), ".zip")
        if self.measure is not None:
            measured = _loaded(self, self.measure)(results)
            outcome.measures, outcome.units = numbers_of(measured, self.measure_name, self.reserved)
            return
        for name, value in results.items():
            if name not in parameters and name not in self.reserved and _is_number(value):
                outcome.measures[name], outcome.units[name] = _number(value)
        for claim in module.claims(results):
            name = f"control: {claim.name}" if claim.control else claim.name
            outcome.measures[name], outcome.units[name] = float(claim.measured), claim.unit or "1"

    def __getstate__(self):
        return {key: value for key, value in self.__dict__.items() if not key.startswith("_")}


def _loaded(job, pickled):
    if "_measure" not in job.__dict__:
        import cloudpickle

        job._measure = cloudpickle.loads(pickled)
    return job._measure


def numbers_of(measured, name, reserved=frozenset()):
    """What a measure returned as numbers and units by name: a number, or a dict of numbers.

    Numbers are plain, quantities, or pairs such as (12.5, "Hz").

    Raises
    ------
    TypeError
        For arrays, texts and whatever else is not one number.
    ValueError
        For a name that the table has already.
    """
    items = measured if isinstance(measured, dict) else {name: measured}
    if not items:
        raise TypeError("the measure returned no numbers")
    values, units = {}, {}
    for key, value in items.items():
        unit = None
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], str):
            value, unit = value
        if not _is_number(value):
            shape = np.shape(value) if not isinstance(value, (str, dict, type(None))) else ()
            what = f"an array of shape {shape}" if shape else f"a {type(value).__name__}"
            raise TypeError(
                f"the measure returned {what} as {key!r}; a row takes numbers: return one, or a dict of them"
            )
        if str(key) in reserved:
            raise ValueError(f"the measure calls a number {key!r}, which is a column already; rename it")
        values[str(key)], units[str(key)] = _number(value)
        if unit is not None:
            units[str(key)] = unit
    return values, units


def _is_number(value):
    if isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
        return True
    return hasattr(value, "dtype") and np.ndim(value) == 0 and np.asarray(value).dtype.kind in "biuf"


def _number(value):
    """The value as a plain Python number in SI units, and its unit."""
    unit = "1"
    if hasattr(value, "get_best_unit"):
        from circuits.quantities import unit_name

        unit = unit_name(value.dim)
    return np.asarray(value).item(), unit


def mean_rates(recording):
    """The mean firing rate (Hz) of every recorded population: measured if nothing else is asked for."""
    found = {label: len(s) / s.n / recording.duration for label, s in recording.spikes.items()}
    found |= {label: float(r.rate.mean()) for label, r in recording.rates.items()}
    if not found:
        raise TypeError("the circuit records neither spikes nor rates; give a measure")
    return {f"rate of {label}": (rate, "Hz") for label, rate in found.items()}


def _bytes_of(save, suffix):
    with tempfile.TemporaryDirectory(prefix="plastica-") as folder:
        path = Path(folder) / f"kept{suffix}"
        save(path)
        return path.read_bytes()


def _zipped(results, path):
    from experiments.runs import save_data

    with tempfile.TemporaryDirectory(prefix="plastica-") as folder:
        save_data(results, folder)
        shutil.make_archive(str(path.with_suffix("")), "zip", folder)


def as_kept(content, kind):
    """What `keep` kept of one row, read again: a Recording, or the results of an experiment."""
    if kind == "npz":
        from engine.recording import Recording

        with tempfile.TemporaryDirectory(prefix="plastica-") as folder:
            path = Path(folder) / "kept.npz"
            path.write_bytes(content)
            return Recording.load(path)
    import zipfile

    from experiments.runs import load_data

    with tempfile.TemporaryDirectory(prefix="plastica-") as folder:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(folder)
        return load_data(folder)
