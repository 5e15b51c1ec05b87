"""Programs: numbers without a rebuild, seeds, trials, and what happens when a run or a cache entry is
damaged.
"""

import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from brian2 import Hz, amp, ms, mV, nA, second

import engine
from circuits import (
    Cell,
    Circuit,
    current,
    poisson,
    population,
    projection,
    rate,
    spike_trains,
    spikes,
    synapses,
    timed,
    trace,
    weights,
    wiring,
)
from engine import cache

LEAKY = Cell(
    "leaky",
    "dv/dt = (E_L - v + R*I)/tau_m + sigma*sqrt(2/tau_m)*xi : volt (unless refractory)",
    params={
        "E_L": -70 * mV,
        "R": 10 * mV / nA,
        "tau_m": "20*ms*(1 + 0.1*rand())",
        "sigma": 0.5 * mV,
        "V_t": -50 * mV,
        "V_r": -65 * mV,
        "t_ref": 2 * ms,
    },
    inputs={"I": amp},
    threshold="v > V_t",
    reset="v = V_r",
    refractory="t_ref",
    method="euler",
    init={"v": "E_L + 10*mV*rand()"},
)


def small():
    """Everything a circuit can have, in a few cells."""
    return Circuit(
        noise=poisson(20, 300 * Hz),
        modulated=poisson(5, timed(np.array([0.0, 400.0]) * Hz, 20 * ms)),
        given=spike_trains(3, i=[0, 1, 1], t=[1, 2, 5] * ms),
        cells=population(LEAKY, 10, positions=wiring.grid(5, 2)),
        constant=current("cells", "I", 1.5 * nA),
        wave=current("cells", "I", timed(np.linspace(0, 0.2, 50) * nA, 1 * ms)),
        drive=projection(
            "noise", "cells", synapses.exponential_current(w=0.3 * nA, tau=3 * ms), wiring.probability(0.4)
        ),
        drive2=projection("modulated", "cells", synapses.delta("v", w=0.5 * mV), wiring.fixed_in_degree(2)),
        pulses=projection(
            "given",
            "cells",
            synapses.delta("v", w=[1, 2, 3, 4] * mV),
            wiring.pairs([0, 1, 2, 0], [0, 1, 2, 9]),
            delay=1 * ms,
        ),
        lateral=projection(
            "cells",
            "cells",
            synapses.tsodyks_markram(synapses.exponential_current(w="0.2*nA*rand()")),
            wiring.distance(C=0.8, lambda_=1.5, autapses=False),
            delay="0.5*ms + 1*ms*rand()",
        ),
        matrix=projection(
            "cells[:4]",
            "cells[4:]",
            synapses.delta("v", w=np.arange(24.0).reshape(4, 6) * 0.01 * mV),
            wiring.all_to_all(),
        ),
        record=[
            spikes("cells"),
            spikes("noise"),
            spikes("given"),
            spikes("modulated"),
            trace("cells", "v", index=[0, 9], every=1 * ms),
            trace("cells", "I"),
            trace("cells", "tau_m"),
            trace("cells", "E_L"),
            rate("cells", every=5 * ms),
            weights("lateral", "w"),
            weights("lateral", "delay"),
            weights("matrix", every=10 * ms),
            weights("pulses", index=[1, 3]),
            weights("drive"),
        ],
        dt=0.1 * ms,
    )


@pytest.fixture(scope="module")
def net():
    return small()


@pytest.fixture(scope="module")
def program(net):
    return engine.build(net)


def arrays(recording):
    found = {}
    for kind in ("spikes", "traces", "rates", "weights"):
        for label, record in getattr(recording, kind).items():
            found.update(
                {f"{kind}/{label}/{k}": v for k, v in vars(record).items() if isinstance(v, np.ndarray)}
            )
    return found


def same(one, other):
    a, b = arrays(one), arrays(other)
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


@pytest.mark.compiled
class TestNumbers:
    def test_what_is_recorded(self, net, program):
        got = engine.run(net, 50 * ms, seed=1)
        assert len(got.spikes["cells"]) > 10
        assert (np.diff(got.spikes["cells"].t) >= 0).all()
        assert got.traces["cells.v"].values.shape == (50, 2) and got.traces["cells.v"].unit == "volt"
        assert got.traces["cells.tau_m"].values.shape == (500, 10)
        assert np.allclose(got.traces["cells.E_L"].values, -0.07)
        assert len(got.rates["cells"].t) == 10
        assert got.weights["matrix.w"].t == pytest.approx([0, 0.01, 0.02, 0.03, 0.04, 0.05])
        expected = np.arange(24) * 1e-5
        assert np.allclose(got.weights["matrix.w"].values, expected)
        i, j = got.weights["matrix.w"].i, got.weights["matrix.w"].j
        assert np.array_equal(i, np.repeat(np.arange(4), 6)) and np.array_equal(j, np.tile(np.arange(6), 4))
        pulses = got.weights["pulses.w"]
        assert (
            np.allclose(pulses.values, [[2e-3, 4e-3]])
            and list(pulses.i) == [1, 0]
            and list(pulses.j) == [1, 9]
        )
        assert np.allclose(got.spikes["given"].t, [1e-3, 2e-3, 5e-3]) and list(got.spikes["given"].i) == [
            0,
            1,
            1,
        ]
        lateral = got.weights["lateral.w"]
        assert (
            (lateral.i != lateral.j).all() and (lateral.values >= 0).all() and lateral.values.max() <= 0.2e-9
        )
        delay = got.weights["lateral.delay"].values
        assert delay.min() >= 0.5e-3 and delay.max() <= 1.5e-3 and delay.std() > 0.1e-3
        assert (got.spikes["modulated"].t >= 0.02).all() and len(got.spikes["modulated"]) > 0

    def test_equal_seeds_equal_arrays(self, net):
        assert same(engine.run(net, 30 * ms, seed=5), engine.run(net, 30 * ms, seed=5))

    def test_different_seeds_differ_in_everything_drawn(self, net):
        a, b = (arrays(engine.run(net, 30 * ms, seed=s)) for s in (5, 6))
        for name in (
            "weights/drive.w/i",
            "weights/lateral.w/values",
            "weights/lateral.delay/values",
            "traces/cells.tau_m/values",
            "traces/cells.v/values",
            "spikes/noise/t",
        ):
            assert not np.array_equal(a[name], b[name]), name
        assert a["traces/cells.v/values"][0, 0] != b["traces/cells.v/values"][0, 0]  # start values

    def test_a_changed_number_builds_nothing(self, net, program, monkeypatch):
        import engine.standalone

        monkeypatch.setattr(
            engine.standalone, "compile_plan", lambda *a: pytest.fail("a number compiled something")
        )
        changed = net.but(
            {
                "cells.E_L": -60 * mV,
                "drive.p": 1.0,
                "noise.rates": np.linspace(0, 100, 20) * Hz,
                "lateral.lambda_": 0.3,
                "given.i": [2] * 7,
                "given.t": np.arange(7) * ms,
                "pulses.delay": 3 * ms,
                "pulses.w": 1 * mV,
                "matrix.w": np.ones((4, 6)) * mV,
                "wave.amplitude": np.zeros(50) * nA,
                "pulses.j": [5, 5, 6, 6],
            }
        )
        got = engine.run(changed, 30 * ms, seed=5)
        assert got.program == program.key
        assert np.allclose(got.traces["cells.E_L"].values, -0.06)
        assert len(got.weights["drive.w"].i) == 200
        assert len(got.weights["lateral.w"].i) < 5
        assert list(got.spikes["given"].i) == [2] * 7
        assert np.allclose(got.weights["matrix.w"].values, 1e-3)
        assert list(got.weights["pulses.w"].j) == [5, 6] and np.allclose(got.weights["pulses.w"].values, 1e-3)
        assert 0 not in got.spikes["noise"].i
        assert (
            np.allclose(net.but({"cells.E_L": -60 * mV}).numbers()["cells.E_L"], -0.06)
            and net.numbers()["cells.E_L"] == -0.07
        )

    def test_structure_tells_programs_apart(self, net):
        assert net.but({"cells.E_L": -1 * mV}).structure() == net.structure()
        assert small().structure() == net.structure()
        assert net.with_(dt=0.2 * ms).structure() != net.structure()
        assert net.with_(record=[spikes("cells")]).structure() != net.structure()
        assert net.with_(noise=poisson(21, 300 * Hz)).structure() != net.structure()

    @pytest.mark.parametrize(
        "numbers, message",
        [
            ({"exc.w": 1.0}, "unknown.*exc.w"),
            ({"cells.E_L": None}, "missing.*cells.E_L"),
            ({"cells.E_L": [1.0, 2.0]}, "cells.E_L: got shape"),
            ({"matrix.w": np.ones(23)}, "matrix.w: got shape"),
            ({"given.i": [3], "given.t": [0.0]}, "indices run from 3 to 3"),
            ({"given.i": [0], "given.t": [-1.0]}, "at least 0"),
            ({"given.i": [0, 0], "given.t": [1e-3, 1.01e-3]}, "more than one spike in the time step"),
            ({"given.i": [0, 1], "given.t": [1e-3]}, "one time for every index"),
            ({"cells.E_L": "abc"}, "no number"),
            ({"cells.E_L": float("nan")}, "not a number"),
            ({"drive.p": 1.5}, "drive.p: got values from 1.5 to 1.5; they must be between 0 and 1"),
            ({"drive2.in_degree": 6}, "between 0 and 5"),
            ({"drive2.in_degree": 1.5}, "whole number"),
            ({"pulses.delay": -1e-3}, "pulses.delay.*between 0 and"),
            ({"pulses.j": [0, 0, 0, 10]}, "between 0 and 9"),
            ({"noise.rates": -1.0}, "at least 0"),
            ({"cells.E_L": 3 * second}, "unit must be volt"),
        ],
    )
    def test_numbers_that_do_not_fit(self, net, program, numbers, message):
        given = net.numbers() | numbers
        given = {k: v for k, v in given.items() if v is not None}
        with pytest.raises(engine.NumbersError, match=message):
            program.run(given, 0.01)

    def test_a_duration_has_the_unit_of_time(self, net, program):
        with pytest.raises(engine.NumbersError, match="duration"):
            program.run(net.numbers(), 5 * mV)

    def test_indices_are_not_rounded(self, net, program):
        with pytest.raises(engine.NumbersError, match="whole numbers"):
            program.run(net.numbers() | {"given.i": [0.7], "given.t": [0.0]}, 0.01)

    @pytest.mark.parametrize("jobs", [0, -1, None, 1.5])
    def test_impossible_jobs(self, net, program, jobs):
        with pytest.raises(engine.NumbersError, match="jobs"):
            program.run(net.numbers(), 0.01, trials=[{}, {}], jobs=jobs)

    def test_seeds_of_numpy_can_be_saved(self, net, program, tmp_path):
        got = program.run(net.numbers(), 0.001, seed=np.int64(3))
        got.save(tmp_path / "new" / "run.npz")
        assert engine.Recording.load(tmp_path / "new" / "run.npz").seed == 3

    @pytest.mark.parametrize("duration", [-1.0, float("nan"), float("inf"), "x"])
    def test_impossible_duration(self, net, program, duration):
        with pytest.raises(engine.NumbersError, match="duration"):
            program.run(net.numbers(), duration)

    @pytest.mark.parametrize("seed", [-1, 1.5, None, True])
    def test_impossible_seed(self, net, program, seed):
        with pytest.raises(engine.NumbersError, match="seed"):
            program.run(net.numbers(), 0.01, seed)

    def test_zero_duration(self, net):
        got = engine.run(net, 0 * ms, seed=1)
        assert len(got.spikes["cells"]) == 0 and got.weights["matrix.w"].t == pytest.approx([0])


@pytest.mark.parametrize("backend", ["compiled", "interpreted"])
@pytest.mark.compiled
def test_drawn_delays_must_be_possible(backend):
    net = Circuit(
        cells=population(LEAKY, 10),
        s=projection(
            "cells", "cells", synapses.delta("v", 1 * mV), wiring.all_to_all(), delay="1*ms - 3*ms*rand()"
        ),
    )
    with pytest.raises(engine.NumbersError, match=r"s\.delay.*must be"):
        engine.run(net, 1 * ms, backend=backend)


@pytest.mark.compiled
class TestTrials:
    def test_trials_share_wiring_and_differ_in_noise(self, net):
        a, b = engine.run(net, 20 * ms, seed=3, trials=[{}, {}])
        for name in ("drive.w", "lateral.w", "lateral.delay"):
            assert np.array_equal(a.weights[name].values, b.weights[name].values) and np.array_equal(
                a.weights[name].i, b.weights[name].i
            )
        assert np.array_equal(a.traces["cells.tau_m"].values, b.traces["cells.tau_m"].values)
        assert not np.array_equal(a.traces["cells.v"].values, b.traces["cells.v"].values)

    def test_first_trial_is_the_plain_run(self, net):
        assert same(engine.run(net, 20 * ms, seed=3), engine.run(net, 20 * ms, seed=3, trials=[{}])[0])

    def test_trials_do_not_depend_on_how_many_run_at_once(self, net):
        trials = [{"constant.amplitude": k * 0.5 * nA} for k in range(5)]
        for a, b in zip(
            engine.run(net, 20 * ms, trials=trials),
            engine.run(net, 20 * ms, trials=trials, jobs=2),
            strict=True,
        ):
            assert same(a, b)

    def test_numbers_of_a_trial(self, net):
        trials = [
            {"given.i": [0, 2], "given.t": [3, 4] * ms, "duration": 10 * ms},
            {"cells.E_L": -80 * mV, "cells.V_t": -40 * mV},
            {},
        ]
        got = engine.run(net, 20 * ms, trials=trials)
        assert [r.duration for r in got] == [0.01, 0.02, 0.02]
        assert list(got[0].spikes["given"].i) == [0, 2] and list(got[1].spikes["given"].i) == [0, 1, 1]
        assert [r.traces["cells.E_L"].values[0, 0] for r in got] == [-0.07, -0.08, -0.07]
        assert [r.numbers["cells.E_L"] for r in got] == [-0.07, -0.08, -0.07]

    @pytest.mark.parametrize(
        "trial, message",
        [
            ({"drive.p": 0.1}, "drive.p takes part in drawing"),
            ({"nothing": 1.0}, "no number 'nothing'"),
            ({"cells.E_L": 1 * nA}, "unit must be volt"),
        ],
    )
    def test_what_a_trial_cannot_change(self, net, trial, message):
        for backend in ("compiled", "interpreted"):
            with pytest.raises(engine.NumbersError, match=message):
                engine.run(net, 10 * ms, trials=[{}, trial], backend=backend)

    def test_no_trials(self, net):
        with pytest.raises(engine.NumbersError, match="no trials"):
            engine.run(net, 10 * ms, trials=[])


@pytest.mark.compiled
class TestProcesses:
    def test_a_worker_needs_no_brian2(self, net, program, tmp_path):
        """A fresh process that unpickles a program and runs it imports no Brian2, pandas or sympy."""
        (tmp_path / "job").write_bytes(pickle.dumps((program, net.numbers())))
        code = f"""
            import pickle, sys
            program, numbers = pickle.load(open({str(tmp_path / "job")!r}, "rb"))
            recording = program.run(numbers, 0.03, seed=5)
            heavy = {{"brian2", "sympy", "pandas", "scipy"}} & set(sys.modules)
            assert not heavy, heavy
            recording.save({str(tmp_path / "out.npz")!r})
        """
        root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            check=True,
            cwd=root,
            env={**os.environ, "PYTHONPATH": root},
        )
        assert same(engine.Recording.load(tmp_path / "out.npz"), engine.run(net, 0.03 * second, seed=5))

    def test_two_processes_build_one_circuit(self, tmp_path):
        """Both get the same program, and it was built once."""
        net = Circuit(
            cells=population(
                Cell("still", "dv/dt = -v/tau : 1", params={"tau": 10 * ms}, init={"v": 1.0}), 3
            ),
            record=[trace("cells", "v")],
        )
        context = multiprocessing.get_context("spawn")
        with context.Pool(2) as pool:
            results = pool.starmap(
                _build_in, [(str(tmp_path), net.but({"cells.tau": k * ms})) for k in (5, 10)]
            )
        assert results[0][0] == results[1][0]
        assert sum(built for _, built, _ in results) == 1
        for (_, _, values), tau in zip(results, (5e-3, 10e-3), strict=True):
            assert values[-1, 0] == pytest.approx(np.exp(-(10e-3 - 1e-4) / tau))

    def test_killed_run_names_the_signal(self, net, program, monkeypatch, tmp_path):
        broken = engine.Program(program.key, tmp_path, program.manifest)
        (tmp_path / "main").write_text("#!/bin/sh\nkill -9 $$\n")
        (tmp_path / "main").chmod(0o755)
        with pytest.raises(engine.RunError, match="killed by SIGKILL"):
            broken.run(net.numbers(), 0.01)

    def test_program_that_stops_early(self, net, program, tmp_path):
        (tmp_path / "main").write_text("#!/bin/sh\nexit 0\n")
        (tmp_path / "main").chmod(0o755)
        with pytest.raises(engine.RunError, match="stopped before the end"):
            engine.Program(program.key, tmp_path, program.manifest).run(net.numbers(), 0.01)

    def test_program_that_is_gone(self, net, program, tmp_path):
        with pytest.raises(engine.RunError, match="cannot be started"):
            engine.Program(program.key, tmp_path, program.manifest).run(net.numbers(), 0.01)

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
    def test_full_disk_while_writing_results(self, net, program, monkeypatch, tmp_path):
        folder = tmp_path / "out"
        folder.mkdir()
        (folder / "0").symlink_to("/dev/full")
        monkeypatch.setattr("engine.program.tempfile.mkdtemp", lambda **k: str(folder))
        with pytest.raises(engine.RunError, match="could not be written.*No space left"):
            program.run(net.numbers(), 0.01)

    def test_finished_trials_survive_a_failed_one(self, net, program, monkeypatch, tmp_path):
        folder = tmp_path / "out"
        folder.mkdir()
        (folder / "2").symlink_to("/dev/full")
        monkeypatch.setattr("engine.program.tempfile.mkdtemp", lambda **k: str(folder))
        with pytest.raises(engine.RunError, match="2 of 3 trials finished") as caught:
            program.run(net.numbers(), 0.01, trials=[{}, {}, {}])
        assert [r.trial for r in caught.value.recordings] == [0, 1]

    def test_progress_is_reported(self, net, program, monkeypatch, capsys):
        engine.run(net, 2 * second, progress=True)
        assert "model time" in capsys.readouterr().err


def _build_in(folder, net):
    os.environ["PLASTICA_CACHE"] = folder
    import engine.standalone as standalone

    built = []
    original = standalone.compile_plan
    standalone.compile_plan = lambda *a: (built.append(1), original(*a))
    recording = engine.run(net, 10 * ms)
    return recording.program, len(built), recording.traces["cells.v"].values


@pytest.mark.compiled
class TestNonFinite:
    RUNAWAY = Cell("runaway", "dv/dt = v**2/tau : 1", params={"tau": 1 * ms}, init={"v": 1.0}, method="euler")

    def test_integer_states_and_infinite_parameters_are_no_accident(self):
        cell = LEAKY.plus("count : integer", reset="count += 1").but(V_t=np.inf * mV)
        got = engine.run(Circuit(cells=population(cell, 2), record=[trace("cells", "count")]), 5 * ms)
        assert not got.traces["cells.count"].values.any()

    @pytest.mark.parametrize("backend", ["compiled", "interpreted"])
    def test_finished_trials_survive_one_that_runs_away(self, backend):
        net = Circuit(cells=population(self.RUNAWAY, 2), record=[trace("cells", "v")])
        with pytest.raises(engine.NonFiniteError) as caught:
            engine.run(net, 20 * ms, trials=[{"cells.v": 0.0}, {}], backend=backend)
        assert caught.value.recording.trial == 1 and [r.trial for r in caught.value.recordings] == [0, 1]

    @pytest.mark.parametrize("backend", ["compiled", "interpreted"])
    def test_names_the_state_and_keeps_the_recording(self, backend):
        net = Circuit(cells=population(self.RUNAWAY, 2), record=[trace("cells", "v")])
        with pytest.raises(engine.NonFiniteError, match=r"cells\.v \(2 values") as caught:
            engine.run(net, 20 * ms, backend=backend)
        assert caught.value.recording.traces["cells.v"].values[0, 0] == 1.0
        assert np.isfinite(engine.run(net, 0.5 * ms, backend=backend).traces["cells.v"].values).all()


@pytest.mark.compiled
class TestCache:
    NET = Circuit(
        cells=population(Cell("still", "dv/dt = -v/tau : 1", params={"tau": 10 * ms}, init={"v": 1.0}), 3),
        record=[trace("cells", "v")],
    )

    @pytest.fixture
    def own_cache(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PLASTICA_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr("engine.simulate._programs", {})
        return tmp_path / "cache"

    @pytest.mark.parametrize("damage", ["half a binary", "no manifest", "half a manifest", "other bytes"])
    def test_damaged_entry_is_built_again(self, own_cache, damage, monkeypatch):
        program = engine.build(self.NET)
        before = engine.run(self.NET, 5 * ms)
        binary, manifest = program.folder / "main", program.folder / "manifest.json"
        if damage == "half a binary":
            os.truncate(binary, binary.stat().st_size // 2)
        elif damage == "other bytes":
            data = bytearray(binary.read_bytes())
            data[-100] ^= 255
            binary.write_bytes(data)
        elif damage == "no manifest":
            manifest.unlink()
        else:
            os.truncate(manifest, manifest.stat().st_size // 2)
        monkeypatch.setattr("engine.simulate._programs", {})
        assert same(engine.run(self.NET, 5 * ms), before)

    def test_unwritable_cache(self, own_cache):
        own_cache.mkdir()
        own_cache.chmod(0o777)
        with pytest.raises(engine.CacheError, match="may be written by others"):
            engine.build(self.NET)

    def test_full_disk_while_building(self, own_cache, monkeypatch):
        def full(*arguments):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("engine.standalone.compile_plan", full)
        with pytest.raises(engine.CacheError, match="No space left on device.*cache clear"):
            engine.build(self.NET)
        assert [p for p in (own_cache / "programs").iterdir() if p.is_dir()] == []

    def test_compiler_error_shows_its_lines_and_keeps_the_sources(self, own_cache, monkeypatch, tmp_path):
        compiler = tmp_path / "g++"
        compiler.write_text(
            '#!/bin/sh\ncase "$*" in *-v*) exec g++ "$@";; esac\n'
            "echo 'main.cpp:1: error: no such thing' >&2\nexit 1\n"
        )
        compiler.chmod(0o755)
        monkeypatch.setenv("CXX", str(compiler))
        from engine import simulate

        simulate._fingerprint.cache_clear()
        try:
            with pytest.raises(engine.BuildError, match="error: no such thing") as caught:
                engine.build(self.NET)
        finally:
            simulate._fingerprint.cache_clear()
        (kept,) = (own_cache / "failed").iterdir()
        assert str(kept) in str(caught.value) and (kept / "main.cpp").exists()

    def test_no_compiler(self, own_cache, monkeypatch):
        monkeypatch.setenv("CXX", "no-such-compiler")
        from engine import simulate

        simulate._fingerprint.cache_clear()
        try:
            with pytest.raises(engine.BuildError, match="no C.. compiler.*Install"):
                engine.build(self.NET)
        finally:
            simulate._fingerprint.cache_clear()
        got = engine.run(self.NET, 5 * ms, backend="interpreted")
        assert got.traces["cells.v"].values[-1, 0] == pytest.approx(np.exp(-4.9e-3 / 10e-3))

    def test_eviction_keeps_what_was_used_last(self, own_cache, monkeypatch):
        programs = cache.cache_folder("programs")
        for k, key in enumerate("abc"):
            (programs / key).mkdir()
            (programs / key / "main").write_bytes(b"x" * 1000)
            (programs / key / "manifest.json").write_text("{}")
            os.utime(programs / key / "manifest.json", (1000 + k, 1000 + k))
        monkeypatch.setenv("PLASTICA_CACHE_SIZE", "2.5K")
        cache.evict()
        assert sorted(e.key for e in cache.entries()) == ["b", "c"]
        assert cache.clear() == 2 and cache.entries() == []

    @pytest.mark.parametrize("text", ["much", "-1", "1X", "nan"])
    def test_impossible_size_limit(self, own_cache, monkeypatch, text):
        monkeypatch.setenv("PLASTICA_CACHE_SIZE", text)
        with pytest.raises(engine.CacheError, match="PLASTICA_CACHE_SIZE"):
            cache.size_limit()

    def test_cache_of_somebody_else(self, own_cache, monkeypatch):
        own_cache.mkdir(mode=0o700)
        monkeypatch.setattr(cache.os, "geteuid", lambda: os.getuid() + 1)
        with pytest.raises(engine.CacheError, match="belongs to another user"):
            cache.cache_folder("programs")

    def test_cache_below_a_folder_that_everybody_may_write_to(self, tmp_path, monkeypatch):
        public = tmp_path / "public"
        public.mkdir()
        public.chmod(0o777)
        monkeypatch.setenv("PLASTICA_CACHE", str(public / "cache"))
        with pytest.raises(engine.CacheError, match="everybody may write to"):
            cache.cache_folder("programs")
        shutil.rmtree(public)


def test_all_that_shapes_programs_is_part_of_their_key():
    from engine import simulate

    here = Path(simulate.__file__).parent
    named = {str(path.relative_to(here)) for path in simulate._generating(here)}
    assert {"lower.py", "loop/kernels.py", "cpp/plastica.h", "loop/templates/network.cpp"} <= named
    assert {str(path.relative_to(here)) for path in (here / "loop" / "cpp").iterdir()} <= named
    assert not {"program.py", "recording.py"} & named  # these only run what was built
