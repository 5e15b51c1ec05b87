"""Sweeps on a dask scheduler of its own: what dies, what restarts, and a worker on another host."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from brian2 import Hz, ms, mV

import engine
from circuits import Circuit, neurons, poisson, population, projection, spikes, synapses, wiring
from experiments.sweeps import SweepStopped, cluster, read, sweep, table

ROOT = Path(__file__).parents[2]
LAB = '''
    """Takes its time."""

    import time

    import numpy as np


    def run(*, x=1.0, wait=0.1, log="", seed=1):
        if log:
            with open(log, "a") as file:
                file.write(f"{x} {seed}\\n")
        time.sleep(wait)
        return {"y": x + np.random.default_rng(seed).standard_normal()}


    def figure(results):
        pass


    def claims(results):
        return []
'''
OVER = {"x": "1:30:30"}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Processes:
    """A scheduler and workers, each a process that can be killed."""

    def __init__(self, folder, paths, host="127.0.0.1"):
        self.folder, self.host, self.port = folder, host, free_port()
        self.address = f"tcp://{host}:{self.port}"
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*paths, ROOT)))}
        self.running = []

    def start(self, kind, *arguments, before=(), **environment):
        command = [
            *before,
            sys.executable,
            "-m",
            f"distributed.cli.dask_{kind}",
            *arguments,
            "--no-dashboard",
        ]
        quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        process = subprocess.Popen(command, env=self.environment | environment, cwd=self.folder, **quiet)
        self.running.append(process)
        return process

    def scheduler(self):
        return self.start("scheduler", "--host", self.host, "--port", str(self.port))

    def worker(self, **options):
        return self.start("worker", self.address, "--nthreads", "1", "--no-nanny", **options)

    def close(self):
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def processes(tmp_path, lab):
    made = Processes(tmp_path, [tmp_path / "code"])
    yield made
    made.close()


def when(monkeypatch, n, act):
    """Do something when row n arrives."""
    real, done = table.Folder.add, []

    def add(self, outcome):
        real(self, outcome)
        if self.done.sum() >= n and not done:
            done.append(True)
            act()

    monkeypatch.setattr(table.Folder, "add", add)


def whole(lab):
    sweep(lab, OVER, folder="whole", workers=2)
    return Path("whole/table.parquet").read_bytes()


@pytest.mark.slow
def test_a_worker_that_is_killed_is_made_up_for(lab, processes, monkeypatch):
    expected = whole(lab)
    processes.scheduler()
    victim, _ = processes.worker(), processes.worker()
    when(monkeypatch, 8, victim.kill)
    made = sweep(lab, OVER, folder="out", scheduler=processes.address)
    assert len(made) == 30 and victim.wait() == -signal.SIGKILL
    assert Path("out/table.parquet").read_bytes() == expected


@pytest.mark.slow
def test_a_local_worker_that_is_killed_is_replaced(lab, monkeypatch):
    expected, pids = whole(lab), []
    real = cluster.LocalWorkers.__init__

    def noted(self, n):
        real(self, n)
        pids.extend(process.pid for process in self.processes)

    monkeypatch.setattr(cluster.LocalWorkers, "__init__", noted)
    when(monkeypatch, 8, lambda: [os.kill(pid, signal.SIGKILL) for pid in pids])
    sweep(lab, OVER, folder="out", workers=2)
    assert Path("out/table.parquet").read_bytes() == expected


@pytest.mark.slow
def test_a_scheduler_that_restarts_gets_the_rest_of_the_points(lab, processes, monkeypatch):
    expected = whole(lab)
    scheduler = processes.scheduler()
    processes.worker()

    def restart():
        scheduler.kill()
        scheduler.wait()
        processes.scheduler()
        processes.worker()

    when(monkeypatch, 8, restart)
    sweep(lab, OVER, folder="out", scheduler=processes.address)
    assert Path("out/table.parquet").read_bytes() == expected


@pytest.mark.slow
def test_without_its_scheduler_a_sweep_stops_and_goes_on_elsewhere(lab, processes, monkeypatch):
    expected = whole(lab)
    scheduler = processes.scheduler()
    processes.worker()
    with monkeypatch.context() as patched:
        patched.setattr(cluster, "PATIENCE", 2.0)
        when(patched, 8, scheduler.kill)
        with pytest.raises(SweepStopped, match="connection to the scheduler is lost"):
            sweep(lab, OVER, folder="out", scheduler=processes.address)
    recorded = read("out")
    assert 8 <= len(recorded) < 30
    sweep(lab, OVER, folder="out", workers=2)
    assert Path("out/table.parquet").read_bytes() == expected


def network(tag):
    """A network namespace joined to this host by a pair of interfaces; None where that is not allowed."""
    name, here, there = f"plastica{tag}", f"pl{tag}a", f"pl{tag}b"
    commands = [
        f"ip netns add {name}",
        f"ip link add {here} type veth peer name {there}",
        f"ip link set {there} netns {name}",
        f"ip addr add 10.213.{tag}.1/24 dev {here}",
        f"ip link set {here} up",
        f"ip netns exec {name} ip addr add 10.213.{tag}.2/24 dev {there}",
        f"ip netns exec {name} ip link set {there} up",
        f"ip netns exec {name} ip link set lo up",
    ]
    for command in commands:
        if shutil.which("ip") is None or subprocess.run(command.split(), capture_output=True).returncode:
            subprocess.run(["ip", "netns", "del", name], capture_output=True) if shutil.which("ip") else None
            return None
    return name


@pytest.mark.slow
@pytest.mark.compiled
def test_a_worker_on_another_host_needs_nothing_but_the_project(tmp_path, monkeypatch):
    """The worker has another network and another cache: the program comes to it with the points."""
    monkeypatch.chdir(tmp_path)
    tag = os.getpid() % 250
    name = network(tag)
    if name is None:
        pytest.skip("network namespaces need rights that this user does not have")
    made = Processes(tmp_path, [], host=f"10.213.{tag}.1")
    net = Circuit(
        input=poisson(30, 100 * Hz),
        cells=population(neurons.leaky(), 30),
        drive=projection("input", "cells", synapses.delta("v", w=5 * mV), wiring.probability(0.3)),
        record=[spikes("cells")],
    )
    over = {"drive.w": "2:8:5 mV"}
    try:
        here = sweep(net, over, seeds=2, duration=100 * ms, folder="here", workers=1)
        made.scheduler()
        inside = ("ip", "netns", "exec", name)
        made.worker(before=inside, PLASTICA_CACHE=str(tmp_path / "cache"))
        sweep(net, over, seeds=2, duration=100 * ms, folder="there", scheduler=made.address)
        assert Path("there/table.parquet").read_bytes() == Path("here/table.parquet").read_bytes()
        assert here["rate of cells"].nunique() > 5
        (program,) = [path for path in (tmp_path / "cache/programs").iterdir() if path.is_dir()]
        assert program.name == engine.build(net).key
        assert not list(program.glob("*.cpp"))  # the binary came; nothing was compiled
    finally:
        made.close()
        subprocess.run(["ip", "netns", "del", name], capture_output=True)
