"""A compiled circuit: a binary and a manifest of the numbers it takes; runs without Brian2, compiler or
code generation.

A `Program` is found by `engine.build`, pickles, and runs in any process on this kind of machine that can
read its folder.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from . import container
from .errors import NonFiniteError, NumbersError, RunError
from .progress import Progress
from .recording import Recording, assemble

_EXIT_NUMBERS, _EXIT_NOT_WRITTEN, _EXIT_TRIAL = 3, 4, 5


class Program:
    """A compiled circuit in a folder of the cache.

    Attributes
    ----------
    key : str
        Hash of the circuit's structure, the engine, Brian2 and the compiler.
    folder : Path
        Holds the binary `main`, `manifest.json` and the generated sources.
    manifest : dict
        `numbers` (name to unit, size, phase), `recorders`, `dt`, versions.
    """

    def __init__(self, key, folder, manifest):
        self.key, self.folder, self.manifest = key, Path(folder), manifest

    def __repr__(self):
        return f"Program {self.key[:12]} with {len(self.manifest['numbers'])} numbers in {self.folder}"

    @property
    def numbers(self):
        """Name of every number to its description: unit, size (1: one number, null: any number of values),
        phase.
        """
        return self.manifest["numbers"]

    def run(self, numbers, duration, seed=0, trials=None, jobs=1, progress=None):
        """Run with numbers and return the `Recording` (a list of them, one per trial, if `trials` is given).

        Parameters
        ----------
        numbers : dict
            Every number of the program by name, as plain SI floats or arrays (from `Circuit.numbers()`).
        duration : float
            Model time in seconds.
        seed : int
            Draws wiring, parameters, start values and noise; equal seeds give equal arrays.
        trials : list of dict, optional
            Numbers that differ, per trial, "duration" among them. All trials share wiring and drawn
            parameters; start values and noise come from the seed and the position of the trial.
        jobs : int
            Trials that run side by side; the environment variable PLASTICA_JOBS limits them.
        progress : bool, optional
            Show progress with remaining time; by default on runs longer than a few seconds when somebody is
            watching.

        Raises
        ------
        NumbersError
            For numbers that are missing, unknown, of a wrong shape, or that a trial cannot change.
        RunError
            If the program was killed, crashed, or could not write. `error.recordings` holds the trials that
            finished.
        NonFiniteError
            If a state ended as NaN or infinity; `error.recording` holds what was recorded.
        """
        sections, durations = self._sections(numbers, duration, seed, trials, jobs)
        watch = Progress(progress, sum(durations))
        sections[0]["progress"] = watch.period
        try:
            folder = Path(tempfile.mkdtemp(prefix="plastica-"))
        except OSError as error:
            raise RunError(
                f"There is no folder for temporary files ({error.strerror}). Set TMPDIR to one."
            ) from None
        try:
            try:
                (folder / "numbers").write_bytes(container.pack(sections))
            except OSError as error:
                raise RunError(
                    f"The numbers cannot be written to {folder}: {error.strerror}. Make room or set TMPDIR."
                ) from None
            code, said = self._start(folder, watch)
            recordings, bad = [], []
            for k, length in enumerate(durations):
                recording = self._read(
                    folder / str(k),
                    length,
                    seed,
                    k,
                    _overlaid(sections[0], sections[k + 1] if trials else {}),
                    bad,
                )
                if recording is not None:
                    recordings.append(recording)
            if code != 0 or len(recordings) < len(durations):
                raise self._failure(code, said, recordings, len(durations))
            if bad:
                raise NonFiniteError(bad[0][1], bad[0][0], recordings)
            return recordings if trials is not None else recordings[0]
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # ---------------------------------------------------------------- numbers

    def _sections(self, numbers, duration, seed, trials, jobs):
        known = self.numbers
        unknown = [name for name in numbers if name not in known]
        missing = [name for name in known if name not in numbers]
        if unknown or missing:
            raise NumbersError(
                f"The numbers do not fit this program: unknown {sorted(unknown) or 'none'}, missing "
                f"{sorted(missing) or 'none'}. Take them from the circuit that it was built from: "
                "circuit.numbers()."
            )
        base = {}
        for name, value in numbers.items():
            base.update(self._fitting(name, value))
        base.update(_spike_bins(known, base, self.manifest["dt"], self.manifest["sources"], ""))
        base["duration"] = _duration(duration, "duration")
        if isinstance(jobs, bool) or not isinstance(jobs, (int, np.integer)) or jobs < 1:
            raise NumbersError(f"jobs: got {jobs!r}; give a whole number of at least 1.")
        base["jobs"] = float(min(jobs, _most_jobs()))
        base["seed.wiring"] = _words(seed, (0,))
        base["seed.start"] = _words(seed, (1, 0))
        if trials is None:
            return [base], [base["duration"]]
        sections, durations = [base], []
        for k, trial in enumerate(trials):
            section = {}
            for name, value in trial.items():
                if name == "duration":
                    section[name] = _duration(value, f"trial {k}, duration")
                elif name not in known:
                    raise NumbersError(
                        f"Trial {k}: the program has no number {name!r}. It takes: "
                        f"{', '.join(sorted(known))}."
                    )
                elif known[name]["frozen"]:
                    raise NumbersError(
                        f"Trial {k}: {name} takes part in drawing the wiring or parameters, which all "
                        "trials share. Run it apart."
                    )
                else:
                    section.update(self._fitting(name, value))
            section.update(
                _spike_bins(known, section, self.manifest["dt"], self.manifest["sources"], f"Trial {k}: ")
            )
            section["seed.start"] = _words(seed, (1, k))
            sections.append(section)
            durations.append(section.get("duration", base["duration"]))
        if not durations:
            raise NumbersError("There are no trials: the list is empty. Give at least one, such as [{}].")
        return sections, durations

    def _fitting(self, name, value):
        about = self.numbers[name]
        dims = getattr(value, "dim", None)
        if dims is not None:
            if [float(d) for d in getattr(dims, "_dims", ())] != about["dims"]:
                raise NumbersError(f"{name}: got {value}, but the unit must be {about['unit']}.")
            value = np.asarray(value)
        try:
            array = np.asarray(value, dtype=float)
            exact = array
            array = array.astype(np.int32) if about["integer"] else array
        except (TypeError, ValueError):
            raise NumbersError(f"{name}: {value!r} is no number.") from None
        if about["integer"] and (array != exact).any():
            raise NumbersError(f"{name}: indices must be whole numbers (below 2**31).")
        size, shape = about["size"], about["shape"]
        fits = (
            array.ndim == 1
            if size is None
            else array.size == 1
            or (array.shape == (size,) or (shape is not None and list(array.shape) == shape))
            and not about["shared"]
        )
        if not fits:
            wanted = (
                "a list of values"
                if size is None
                else "one number"
                if about["shared"]
                else f"one number or {shape or [size]} values"
            )
            raise NumbersError(f"{name}: got shape {array.shape}, but it takes {wanted}.")
        low, high, whole = about["bounds"]
        if np.isnan(array).any():
            raise NumbersError(f"{name}: a value is not a number (NaN).")
        if (low is not None and (array < low).any()) or (high is not None and (array > high).any()):
            allowed = f"at least {low:g}" if high is None else f"between {low:g} and {high:g}"
            if high is None and 0 < low < 1e-300:
                allowed = "above 0"
            raise NumbersError(
                f"{name}: got values from {array.min():g} to {array.max():g}; they must be {allowed}."
            )
        if whole and (array != np.round(array)).any():
            raise NumbersError(f"{name}: it must be a whole number.")
        return {name: array.ravel()}

    # ---------------------------------------------------------------- running

    def _start(self, folder, watch):
        """Run the binary; returns its exit code and what it said on the error channel."""
        errors = folder / "errors"
        with open(errors, "wb") as stream:
            try:
                process = subprocess.Popen(
                    [str(self.folder / "main"), str(folder / "numbers"), str(folder)],
                    cwd=self.folder,
                    stdout=subprocess.PIPE,
                    stderr=stream,
                    stdin=subprocess.DEVNULL,
                )
            except OSError as error:
                raise RunError(
                    f"The program {self.folder / 'main'} cannot be started: {error.strerror}. Build it "
                    "again: python -m engine cache clear, then run the circuit."
                ) from None
            try:
                watch.follow(process.stdout)
                code = process.wait()
            except BaseException:
                process.terminate()
                process.wait()
                watch.close(finished=False)
                raise
            watch.close(finished=code == 0)
        return code, errors.read_text(errors="replace").strip()

    def _read(self, path, duration, seed, trial, numbers, bad):
        """The recording of one trial, or None if it did not finish; what is not finite is appended to
        `bad`.
        """
        if not path.is_file():
            return None
        try:
            results = container.unpack(path.read_bytes())[0]
        except (OSError, ValueError, IndexError):
            return None
        if "completed" not in results or abs(results["completed"][0] - duration) > 0.5 * self.manifest["dt"]:
            return None
        plain = {
            n: (float(v[0]) if self.numbers[n]["size"] == 1 else v)
            for n, v in numbers.items()
            if n in self.numbers
        }
        recording = Recording(
            duration, self.manifest["dt"], int(seed), trial, numbers=plain, program=self.key
        )
        recording.loop_seconds = float(results["loop"][0])
        assemble(recording, self.manifest["recorders"], results)
        wrong = [name[10:] for name in results if name.startswith("nonfinite:")]
        if wrong:
            details = []
            for name in wrong:
                count, first = results[f"nonfinite:{name}"]
                details.append(f"{name} ({count:.0f} values, the first at index {first:.0f})")
            bad.append(
                (
                    recording,
                    f"After {duration:g} s these states are NaN or infinite: {', '.join(details)}. The "
                    "equations ran away: take a smaller dt, another method, or bounded parameters. What "
                    "was recorded is in error.recording.",
                )
            )
        return recording

    def _failure(self, code, said, recordings, n):
        said = said.removeprefix("plastica: ")
        if code == _EXIT_NUMBERS:
            error = NumbersError(f"The program refused its numbers: {said}.")
        elif code == _EXIT_NOT_WRITTEN:
            error = RunError(
                f"The results could not be written: {said}. Make room on the disk or set TMPDIR to a folder "
                "with room."
            )
        elif code < 0:
            name = signal.Signals(-code).name
            hint = (
                "it was built for another processor"
                if name == "SIGILL"
                else "somebody, or the system for want of memory, ended it"
            )
            error = RunError(f"The program was killed by {name} ({hint}). {said}".strip())
        elif code == 0:
            error = RunError(f"The program stopped before the end of its model time. {said}".strip())
        else:
            error = RunError(f"The program failed with exit code {code}. {said}".strip())
        if len(recordings) and n > 1:
            error.args = (
                f"{error.args[0]} {len(recordings)} of {n} trials finished; they are in error.recordings.",
            )
        error.recordings = recordings
        return error


def load(key, folder):
    """The program in a folder of the cache, or None if it is not there or not whole."""
    folder = Path(folder)
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        if manifest["key"] != key or (folder / "main").stat().st_size != manifest["binary_size"]:
            return None
        if file_digest(folder / "main") != manifest["binary"]:
            return None
        os.utime(folder / "manifest.json")  # the time of last use, for eviction
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Program(key, folder, manifest)


def file_digest(path):
    """SHA-256 of a file."""
    import hashlib

    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _words(seed, key):
    """Random words for a generator: different for every seed and purpose (numpy's SeedSequence)."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise NumbersError(f"seed: got {seed!r}; give a whole number of at least 0.")
    return np.random.SeedSequence(entropy=int(seed), spawn_key=key).generate_state(8)


def _duration(value, where):
    dims = getattr(value, "dim", None)
    if dims is not None and [float(d) for d in dims._dims] != [0, 0, 1, 0, 0, 0, 0]:
        raise NumbersError(f"{where}: got {value}; give a time in seconds.")
    try:
        value = float(value)
    except (TypeError, ValueError):
        raise NumbersError(f"{where}: got {value!r}; give a time in seconds.") from None
    if not 0 <= value < float("inf"):
        raise NumbersError(f"{where}: got {value:g} s; a duration must be at least 0.")
    return value


def _spike_bins(known, section, dt, sources, where):
    """Sorted indices and time steps of given spike trains, from the public numbers NAME.i and NAME.t of a
    section.
    """
    made = {}
    for source, n in sources.items():
        have = [f"{source}.{x}" in section for x in "it"]
        if not any(have):
            continue
        if not all(have):
            raise NumbersError(f"{where}{source}: give {source}.i and {source}.t together.")
        i, t = section[f"{source}.i"], section[f"{source}.t"]
        if len(i) != len(t):
            raise NumbersError(
                f"{where}{source}: {len(i)} indices and {len(t)} times; give one time for every index."
            )
        if len(i) and (i.min() < 0 or i.max() >= n):
            raise NumbersError(
                f"{where}{source}.i: indices run from {i.min()} to {i.max()}, but there are {n} sources (0 "
                f"to {n - 1})."
            )
        if len(t) and not (np.isfinite(t).all() and t.min() >= 0):
            raise NumbersError(f"{where}{source}.t: times must be finite and at least 0.")
        # Brian2's convention: a spike at a multiple of dt belongs to the step that starts there, rounding
        # errors aside.
        bins = np.floor(t / dt + 1e-3).astype(np.int64)
        if len(bins) and bins.max() > np.iinfo(np.int32).max:
            raise NumbersError(
                f"{where}{source}.t: times up to {t.max():g} s are too long for steps of {dt:g} s."
            )
        order = np.lexsort((i, bins))
        i, bins = i[order].astype(np.int32), bins[order].astype(np.int32)
        double = (np.diff(bins) == 0) & (np.diff(i) == 0)
        if double.any():
            k = int(np.flatnonzero(double)[0])
            raise NumbersError(
                f"{where}{source}: source {i[k]} has more than one spike in the time step at "
                f"{bins[k] * dt:g} s ({double.sum()} such pairs). "
                f"Take a smaller dt, or keep one of them."
            )
        made[f"{source}.who"], made[f"{source}.bins"] = i, bins
    return made


def _most_jobs():
    """The limit that PLASTICA_JOBS sets, as where many programs run side by side already."""
    text = os.environ.get("PLASTICA_JOBS", "")
    if text and not (text.isdecimal() and int(text)):
        raise NumbersError(f"PLASTICA_JOBS is {text!r}; give a whole number of at least 1.")
    return int(text) if text else float("inf")


def _overlaid(base, trial):
    return {**base, **trial}
