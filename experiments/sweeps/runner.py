"""`sweep`: points in, a table out; what is on disk already is not run again."""

import os
import shlex
import socket
import sys
import time
from pathlib import Path

import numpy as np

from circuits import CircuitError

from .design import Points
from .errors import SweepError, SweepStopped
from .table import FIXED, TIMINGS, Folder, default_folder, read
from .targets import target_of

FORMAT = 1  # of the folder


def sweep(
    what,
    over,
    *,
    seeds=1,
    measure=None,
    duration=None,
    settings=(),
    quick=False,
    samples=None,
    design="latin",
    sample_seed=0,
    folder=None,
    workers=None,
    scheduler=None,
    keep=False,
    retry=False,
    progress=None,
):
    """Run `what` at all points of `over` with all seeds; returns the table (see `read`).

    Parameters
    ----------
    what : str, module, Circuit or function
        An experiment (by its name, or its module): parameters are the keywords of its `run`. A Circuit: its
        numbers by dotted name, and "duration". A function that makes a Circuit from its keywords (or
        "module:function"): these, which may change its structure, and the numbers of what it makes.
    over : dict
        Parameter to values: "10:40:8 ms" (a range), "log 0.1:10:5 mV", "1, 2, 5 mV", a sequence of values, or
        a span "10:40 ms" to draw `samples` from. Together they make a grid; parameters named together,
        "tau_m & w" or ("tau_m", "w"), go side by side.
    seeds : int or sequence
        How many (1, 2, ...), or which. Every point runs with each of them, so that points can be compared
        seed by seed; a row is what `engine.run`, or the experiment, gives with its seed.
    measure : function or "module:function"
        From a `Recording` (or the results of an experiment) to a number or a dict of numbers: plain ones,
        quantities (they become SI units), or pairs (12.5, "Hz"). Default: the mean rate of what is
        recorded; of an experiment, all numbers in its results and what its claims measure.
    duration : Quantity
        Model time of a circuit.
    settings : dict or list of "name=value"
        Parameters that stay the same, in place of their defaults.
    quick : bool
        The experiment's quick form.
    samples, design, sample_seed
        How many points are drawn from spans, how ("latin", "random", or for `sensitivity` "saltelli" and
        "morris"), and from which seed.
    folder : path
        Where the rows go; by default sweeps/NAME/<hash of the sweep>. If the same sweep is there, only what
        is missing is run.
    workers : int
        Processes on this machine; by default one for each processor.
    scheduler : str
        Address of a dask scheduler, in place of processes on this machine.
    keep : bool
        Also keep the recording (or the results) of each run, as a file: `kept(folder, row)`.
    retry : bool
        Run points that failed once more.
    progress : bool
        Show progress; by default where someone is watching.

    Raises
    ------
    SweepError
        For what cannot be done as asked: unknown names, wrong units, no values, the folder of another sweep
        or one that is in use, no scheduler.
    SweepStopped
        If it cannot go on: full disk, lost scheduler. What was finished is kept.
    """
    prepared = Sweep(
        what, over, seeds=seeds, measure=measure, duration=duration, settings=settings, quick=quick,
        samples=samples, design=design, sample_seed=sample_seed, keep=keep,
    )  # fmt: skip
    return prepared.run(folder, workers, scheduler, retry, progress)


class Sweep:
    """A sweep whose parameters have been checked, before anything runs; see `sweep`."""

    def __init__(
        self, what, over, *, seeds, measure, duration, settings, quick, samples, design, sample_seed, keep
    ):
        from experiments.parameters import ParameterError

        self.keep = keep
        try:
            self.target = target_of(what, measure=measure, duration=duration, settings=settings, quick=quick)
            self.points = Points(over, self.target, samples, design, sample_seed)
        except (ParameterError, CircuitError) as error:
            raise SweepError(str(error)) from None
        self.seeds = _seeds(seeds, self.target)
        self._check_names()
        self.n_rows = len(self.points) * len(self.seeds)
        self.identity = self.target.identity() | {
            "over": self.points.described(),
            "points": self.points.digest()[:16],
            "seeds": _seed_text(self.seeds),
        }
        self.plan = {
            "sweep": self.target.name,
            "format": FORMAT,
            "parameters": self.points.described(),
            "points": len(self.points),
            "rows": self.n_rows,
            "seeds": _seed_text(self.seeds),
            "design": self.points.design,
            "samples": self.points.samples,
            "sample_seed": sample_seed,
            "spans": {name: [s.low, s.high, s.log, s.unit] for name, s in self.points.spans.items()},
        }

    def _check_names(self):
        clash = [name for name in self.points.names if name in ("row", *FIXED, *TIMINGS)]
        if clash:
            raise SweepError(f"{clash[0]} is the name of a column of every table; it cannot be swept over.")

    def _rounds(self, store):
        """The rows that are missing, in one or several rounds."""
        yield in_order(np.flatnonzero(~store.done))

    best = None  # a text about the best point, for a search

    def folder(self, given=None):
        """Where the rows go: what was given, or the default."""
        return Path(given) if given is not None else default_folder(self.target.name, self.identity)

    def run(self, folder=None, workers=None, scheduler=None, retry=False, progress=None):
        """Run what is missing; returns the table."""
        _check_workers(workers, scheduler)
        path = self.folder(folder)
        store = Folder(path, self.identity, self.plan, self.points.columns(), self.seeds)
        try:
            if retry:
                store.forget_failed()
            if not store.done.all():
                self._work(store, workers, scheduler, progress)
            store.finish()
        finally:
            store.close()
        return read(path)

    def _work(self, store, workers, scheduler, progress):
        from .cluster import Loop, open_workers

        started = time.perf_counter()
        cluster = open_workers(scheduler, workers)
        loop, bar = None, None
        try:
            store.begin(_session(store, scheduler, workers))
            reserved = frozenset((*self.points.names, "row", *FIXED))
            bar = _Bar(store, progress)
            for rows in self._rounds(store):
                if not len(rows):
                    continue
                batches = self.target.batches(self.points, rows, len(self.seeds), self.seeds, reserved)
                loop = Loop(cluster, batches, self.keep)
                for outcomes in loop.outcomes():
                    for outcome in outcomes:
                        store.add(outcome)
                        bar.add(outcome)
                    store.flush()
            store.flush(now=True)
        except BaseException as error:
            if loop is not None:
                loop.cancel()
            if not isinstance(error, SweepStopped):
                store.flush(now=True)
            raise
        finally:
            if bar is not None:
                bar.close()
            cluster.close()
            if loop is not None:
                loop.ahead.stop()
            if store.manifest["sessions"]:
                store.end(
                    rows_after=int(store.done.sum()), failed=store.errors,
                    seconds=round(time.perf_counter() - started, 3),
                )  # fmt: skip


def in_order(rows):
    """The order in which rows are run; what they give does not depend on it."""
    return rows


class _Bar:
    """Rows done, rate and remaining time, and the first error as soon as it is there."""

    def __init__(self, store, wanted):
        from tqdm.auto import tqdm

        self.store, self.said = store, False
        disable = None if wanted is None else not wanted
        self.bar = tqdm(
            total=store.n_rows, initial=store.known, desc=store.manifest["sweep"], unit="row",
            disable=disable, smoothing=0.1,
        )  # fmt: skip

    def add(self, outcome):
        self.bar.update()
        if outcome.error:
            self.bar.set_postfix(failed=self.store.errors)
            if not self.said:
                self.said = True
                self.bar.write(f"row {outcome.row} failed: {outcome.error}", file=sys.stderr)

    def close(self):
        self.bar.close()


def _seeds(seeds, target):
    if isinstance(seeds, (int, np.integer)) and not isinstance(seeds, bool):
        if seeds < 1:
            raise SweepError(f"seeds: got {seeds}; give how many (at least 1), or a list of seeds.")
        chosen = list(range(1, int(seeds) + 1))
    else:
        try:
            chosen = [int(seed) for seed in seeds]
            whole = all(a == b and not isinstance(b, bool) for a, b in zip(chosen, seeds, strict=True))
        except (TypeError, ValueError):
            whole = False
        if not whole or not chosen or min(chosen) < 0 or len(set(chosen)) < len(chosen):
            raise SweepError(
                f"seeds: got {seeds!r}; give how many, or a list of different whole numbers from 0 on."
            )
    if len(chosen) > 1 and not target.has_seed:
        raise SweepError(f"{target.name} has no seed: nothing in it is random; leave seeds out.")
    return chosen


def _seed_text(seeds):
    if seeds == list(range(seeds[0], seeds[0] + len(seeds))) and len(seeds) > 2:
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))


def _check_workers(workers, scheduler):
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise SweepError(f"workers: got {workers!r}; give a whole number of at least 1.")
    if workers is not None and scheduler is not None:
        raise SweepError("workers are processes on this machine; those of a scheduler are started beside it.")


def _session(store, scheduler, workers):
    from experiments.runs import environment

    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "rows_before": store.known,
        "command": shlex.join(sys.argv),
        "scheduler": scheduler or "local",
        "workers": workers,
        "host": socket.gethostname(),
        "process": os.getpid(),
        "environment": environment(),
    }
