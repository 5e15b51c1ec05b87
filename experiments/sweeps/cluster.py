"""Workers of a sweep, and what keeps them busy: dask's scheduler, a bounded number of tasks in flight.

The local cluster is made of worker processes that listen on the loopback interface only; `scheduler=ADDRESS`
uses one that is there.
"""

import contextlib
import logging
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque

from .errors import SweepError, SweepStopped
from .work import Outcome, one_line, run_points

TASK_SECONDS = 0.2  # runs that are shorter go together into one task
MOST_POINTS = 200  # of a task
ANSWER = 10.0  # seconds for a scheduler to answer
PATIENCE = 60.0  # seconds for one that went away to come back
MOST_RESTARTS = 50  # of local workers, before something else must be wrong


def cores():
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalWorkers:
    """A scheduler in this process and `n` worker processes on this machine, for as long as it is open."""

    def __init__(self, n):
        self.n, self.restarts, self.address = n, 0, None
        self.folder = tempfile.mkdtemp(prefix="plastica-workers-")
        # Before dask is imported here, which takes them as long.
        self.processes = [self._started() for _ in range(n)]
        try:
            import dask
            from distributed import Client, LocalCluster

            # For good, not only while the cluster lives: connections that end with it are reported later.
            for handler in logging.getLogger("distributed").handlers:
                handler.setLevel(logging.CRITICAL)
            # A point that killed two workers is tried once more alone, at the end.
            with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
                self.cluster = LocalCluster(
                    n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=False
                )
            self.client = Client(self.cluster, set_as_default=False)
        except BaseException:
            self._end()
            raise
        self.address = self.cluster.scheduler_address
        for process in self.processes:
            self._introduce(process)

    def _started(self):
        paths = [path or os.getcwd() for path in sys.path]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment = {
            **os.environ,
            **threads,
            "PLASTICA_JOBS": "1",
            "MPLBACKEND": "agg",
            "PYTHONPATH": os.pathsep.join(paths),
            "DASK_LOGGING__DISTRIBUTED": "critical",
        }
        return subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker"],
            stdin=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # Ctrl-C is for this process
        )

    def _introduce(self, process):
        with contextlib.suppress(OSError):
            process.stdin.write(f"{self.address}\n{self.folder}\n".encode())
            process.stdin.flush()

    def tend(self):
        """Start a new worker for each that died."""
        for k, process in enumerate(self.processes):
            if process.poll() is not None:
                self.restarts += 1
                if self.restarts > MOST_RESTARTS:
                    raise SweepStopped(
                        f"workers ended {MOST_RESTARTS} times (the last one with code {process.returncode}); "
                        "what they say stands above. Finished rows are kept."
                    )
                process.stdin.close()
                self.processes[k] = self._started()
                self._introduce(self.processes[k])

    def threads(self):
        return self.n

    def close(self):
        with contextlib.suppress(Exception):
            self.client.close(timeout=5)
        self._end()
        with contextlib.suppress(Exception):
            self.cluster.close(timeout=5)

    def _end(self):
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
            process.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class RemoteWorkers:
    """The workers of a scheduler that is running somewhere; TLS and the like are dask's own settings."""

    def __init__(self, address):
        from distributed import Client

        self.asked = 0.0
        try:
            self.client = Client(address, timeout=ANSWER, set_as_default=False)
            self.client.scheduler_info()
        except (OSError, TimeoutError, ValueError, ImportError) as error:
            raise SweepError(
                f"no dask scheduler answers at {address} ({one_line(error)}). Start one (dask scheduler "
                "--host HOST, then dask worker ADDRESS on each host), check the address, or leave it out to "
                "use this machine."
            ) from None

    def tend(self):
        pass

    def threads(self):
        """How many points can run at a time."""
        if time.monotonic() - self.asked > 2:
            self.asked = time.monotonic()
            with contextlib.suppress(Exception):
                self.known = max(sum(self.client.nthreads().values()), 1)
        return getattr(self, "known", 1)

    def close(self):
        with contextlib.suppress(Exception):
            self.client.close(timeout=5)


def open_workers(scheduler, workers):
    return LocalWorkers(workers or cores()) if scheduler is None else RemoteWorkers(scheduler)


def same(job):
    """A job, on a worker: a task, so that another worker can have it when this one dies."""
    return job


class Ahead:
    """What a generator of batches makes, made in a thread one ahead of what is taken from it."""

    def __init__(self, batches):
        self._ready, self._error = queue.Queue(maxsize=1), None
        self._stopped = threading.Event()
        self.exhausted = False
        self._thread = threading.Thread(target=self._make, args=(batches,), daemon=True)
        self._thread.start()

    def _make(self, batches):
        try:
            for batch in batches:
                if not self._hand_over(batch):
                    return
        except BaseException as error:
            self._error = error
        self._hand_over(None)

    def _hand_over(self, batch):
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Full):
                self._ready.put(batch, timeout=0.1)
                return True
        return False

    def stop(self):
        """Make no further batch, and wait for the one being made: a build leaves Brian2 as it was at its end
        only.
        """
        self._stopped.set()
        self._thread.join()

    def take(self):
        """The next batch, or None: not ready yet, or (then `exhausted`) there are no more."""
        if self.exhausted:
            return None
        try:
            batch = self._ready.get_nowait()
        except queue.Empty:
            return None
        if batch is None:
            self.exhausted = True
            if self._error is not None:
                raise self._error
        return batch


class Loop:
    """Keeps the workers busy with the points of `batches` and hands over every outcome.

    Parameters
    ----------
    workers : LocalWorkers or RemoteWorkers
    batches : iterable of (job, points)
        Points are tuples (row, seed, arguments); a text in place of a job is the error of its rows.
    keep : bool
    """

    def __init__(self, workers, batches, keep):
        self.workers, self.client, self.keep = workers, workers.client, keep
        self.ahead = Ahead(batches)
        self.current = None  # job (as a future), its points
        self.pending = {}  # future to (job, its points)
        self.again = deque()  # tasks to submit anew: (job, points, alone)
        self.arrived = queue.Queue()
        self.mean = None  # seconds of a run
        self.lost = None  # since when there is no scheduler

    def outcomes(self):
        """Lists of outcomes as they arrive; an empty list now and then while nothing does."""
        while True:
            failed = self._fill()
            if failed:
                yield failed
            if not self.pending and not self.again and self.ahead.exhausted and self.current is None:
                return
            yield self._collect()
            self.workers.tend()

    def cancel(self):
        with contextlib.suppress(Exception):
            self.client.cancel(list(self.pending), force=True)

    def _fill(self):
        """Submit as much as the workers need; returns outcomes of rows that have no program."""
        failed = []
        limit = 2 * self.workers.threads() + 1
        alone = any(len(entry) == 3 and entry[2] for entry in self.pending.values())
        while len(self.pending) < limit and not alone:
            if self.current is None:
                batch = self.ahead.take()
                if batch is None:
                    break
                job, points = batch
                if isinstance(job, str):
                    failed += [Outcome(int(row), error=job) for row in points]
                    continue
                self.current = self._sent(job), iter(points)
            job, points = self.current
            chunk = [point for _, point in zip(range(self._chunk()), points, strict=False)]
            if not chunk:
                self.current = None
                continue
            self._submit(job, chunk)
        self._fill_again(limit)
        return failed

    def _fill_again(self, limit):
        """Tasks that were lost come again; those that killed their workers last, each alone."""
        while self.again and len(self.pending) < limit:
            job, points, alone = self.again[0]
            others = self.pending or self.current is not None or not self.ahead.exhausted
            if alone and others:
                suspects_only = all(entry[2] for entry in self.again)
                if suspects_only:
                    return
                self.again.rotate(-1)
                continue
            self.again.popleft()
            self._submit(job, points, alone)

    def _sent(self, job):
        return _Job(self.client, job)

    def _submit(self, job, points, alone=False):
        future = self.client.submit(run_points, job.future, points, self.keep, pure=False)
        self.pending[future] = job, points, alone
        future.add_done_callback(self.arrived.put)

    def _chunk(self):
        """Points of a task: one until it is known how long they take."""
        if self.mean is None or self.keep:
            return 1
        return int(min(max(TASK_SECONDS / max(self.mean, 1e-6), 1), MOST_POINTS))

    def _collect(self):
        try:
            future = self.arrived.get(timeout=0.1)
        except queue.Empty:
            self._look_for_lost()
            return []
        if future not in self.pending:
            return []
        job, points, alone = self.pending.pop(future)
        if future.status == "finished":
            try:
                outcomes = future.result(timeout=PATIENCE if self.keep else 2)
            except Exception:  # the worker died with the result: it is made again, by a new worker
                self.pending[future] = job, points, alone
                future.add_done_callback(self.arrived.put)
                return []
            self.lost = None
            seconds = sum(one.seconds for one in outcomes) / len(outcomes)
            self.mean = seconds if self.mean is None else 0.8 * self.mean + 0.2 * seconds
            return outcomes
        if future.status == "error":
            return self._failed(future.exception(), job, points, alone)
        self._was_lost(job, points)
        return []

    def _failed(self, error, job, points, alone):
        """A task that killed its workers is split and tried alone; only then are its points to blame."""
        if type(error).__name__ == "KilledWorker":
            if alone:
                text = "WorkerDied: the worker process ended while it ran this point, whenever it was tried"
                return [Outcome(row, error=text) for row, _, _ in points]
            self.again.extend((job, [point], True) for point in points)
            return []
        raise SweepStopped(
            f"the workers cannot run points: {one_line(error)}. They need this project and what the measure "
            "imports, in the same versions."
        ) from None

    def _was_lost(self, job, points):
        job.renew = True
        self.again.append((job, points, False))

    def _look_for_lost(self):
        """A scheduler that restarts has forgotten its tasks: they are submitted anew."""
        running = self.client.status == "running"
        for future in [f for f in self.pending if f.status in ("cancelled", "lost")]:
            job, points, _ = self.pending.pop(future)
            self._was_lost(job, points)
        if running:
            self.lost = None
            return
        self.lost = self.lost or time.monotonic()
        if self.client.status == "closed" or time.monotonic() - self.lost > PATIENCE:
            raise SweepStopped(
                "the connection to the scheduler is lost. Finished rows are kept: once it is there again, "
                "repeat the command."
            )


class _Job:
    """A job on the cluster, sent again after a scheduler has forgotten it."""

    def __init__(self, client, job):
        self.client, self.job, self.renew = client, job, True

    @property
    def future(self):
        if self.renew:
            self._future = self.client.submit(same, self.job, pure=False)
            self.renew = False
        return self._future
