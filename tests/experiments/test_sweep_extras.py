"""Adaptive search and tables of sensitivity, on functions whose answers are known."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("optuna")
pytest.importorskip("SALib")

from experiments.__main__ import main
from experiments.sweeps import SweepError, search, sensitivity, sweep, table

LAB = '''
    """Functions with a known maximum and known indices."""

    import numpy as np


    def run(*, x=0.0, y=0.0, z=0.0, kind="good", seed=1):
        if x > 2.9:
            raise RuntimeError("too far")
        noise = 0.01*np.random.default_rng(seed).standard_normal()
        # Ishigami's function (Ishigami & Homma 1990) with a = 7, b = 0.1
        ishigami = np.sin(x) + 7*np.sin(y)**2 + 0.1*z**4*np.sin(x)
        return {"hill": -(x - 1)**2 - (y - 2)**2 - (kind == "bad") + noise, "ishigami": ishigami,
                "linear": 3*x - y}


    def figure(results):
        pass


    def claims(results):
        return []
'''
SPANS = {"x": "-3:3", "y": "-3:3"}
PI = {name: f"{-np.pi!r}:{np.pi!r}" for name in "xyz"}


class TestSearch:
    @pytest.mark.slow
    def test_finds_a_maximum_and_avoids_points_that_fail(self, lab):
        over = SPANS | {"kind": "good, bad"}
        found = search(lab, over, maximise="hill", trials=48, seeds=2, folder="out", workers=2)
        assert len(found) == 96
        means = found.groupby("point")[["x", "y", "hill"]].mean()
        best = means.loc[means["hill"].idxmax()]
        assert best["hill"] > -0.3 and abs(best["x"] - 1) < 0.5 and abs(best["y"] - 2) < 0.5
        assert found["kind"][found["hill"].idxmax()] == "good"
        late = means["hill"].iloc[-16:].median()
        assert late > means["hill"].iloc[:16].median()

    def test_the_same_search_has_the_same_points_however_it_is_run(self, lab, monkeypatch):
        run = dict(maximise="hill", trials=20, seeds=2)
        search(lab, SPANS, folder="one", workers=1, **run)
        real = table.Folder.add

        def add(self, outcome):
            if self.done.sum() >= 21:
                self._buffer.clear()
                raise KeyboardInterrupt
            real(self, outcome)
            self.flush(now=True)

        with monkeypatch.context() as patched:
            patched.setattr(table.Folder, "add", add)
            with pytest.raises(KeyboardInterrupt):
                search(lab, SPANS, folder="two", workers=2, **run)
        search(lab, SPANS, folder="two", workers=2, **run)
        assert Path("one/table.parquet").read_bytes() == Path("two/table.parquet").read_bytes()

    def test_more_trials_go_on_where_it_ended(self, lab):
        run = dict(minimise="hill", folder="out", workers=1)
        first = search(lab, SPANS, trials=8, **run)
        more = search(lab, SPANS, trials=16, **run)
        assert len(more) == 16 and more.iloc[:8].equals(first)
        with pytest.raises(SweepError, match="more than 8 rows"):
            search(lab, SPANS, trials=8, **run)

    @pytest.mark.parametrize(
        ("over", "options", "said"),
        [
            (SPANS, dict(trials=8), "which to minimise"),
            (SPANS, dict(maximise="hill", minimise="hill", trials=8), "not both"),
            (SPANS, dict(maximise="hill", trials=0), "at least 1"),
            ({"x & y": "1, 2 & 1, 2"}, dict(maximise="hill", trials=8), "side by side"),
            ({"w": "1:2"}, dict(maximise="hill", trials=8), "no parameter 'w'"),
        ],
    )
    def test_what_is_refused(self, lab, over, options, said):
        with pytest.raises(SweepError, match=said):
            search(lab, over, folder="out", **options)

    def test_a_number_that_is_not_measured(self, lab):
        with pytest.raises(SweepError, match="no number 'mountain'.*hill"):
            search(lab, SPANS, maximise="mountain", trials=16, folder="out", workers=1)

    def test_on_the_command_line(self, lab, capsys, monkeypatch):
        monkeypatch.setattr("experiments.sweeps.targets._named", lambda name: lab)
        assert main("sweep known --over x=-1:2 --maximise linear --trials 9 --out out".split()) == 0
        assert "best: linear = " in capsys.readouterr().out


class TestSensitivity:
    def test_sobol_indices_of_ishigamis_function(self, lab):
        over = {name: f"{-np.pi + 6!r}:{np.pi + 6!r}" for name in "yz"} | {"x": f"{-2 * np.pi!r}:0"}
        sweep(lab, over, samples=128, design="saltelli", folder="out", workers=1)
        found = sensitivity("out", "ishigami").loc["ishigami"]
        assert list(found.index) == ["y", "z", "x"]
        assert json.loads(Path("out/sweep.json").read_text())["points"] == 128 * 8
        # Only y adds to the rest, so that its part is known; z multiplies sin(x), whose mean is 0.
        y = 7 * np.sin(np.linspace(0, np.pi, 10_001)[:-1]) ** 2
        total = table.read("out")["ishigami"].var()
        assert found.loc["y", "S1"] == pytest.approx(y.var() / total, abs=0.1)
        assert found.loc["z", "S1"] == pytest.approx(0, abs=0.1)
        assert found.loc["x", "S1"] + found.loc["y", "S1"] + found.loc["z", "S1"] < 1.15
        assert (found["ST"] >= found["S1"] - found["S1 +-"]).all()

    def test_morris_effects_of_a_linear_function_are_its_slopes(self, lab):
        sweep(lab, {"x": "0:2", "y": "0:1"}, samples=10, design="morris", folder="out", workers=1)
        found = sensitivity("out", "linear").loc["linear"]
        assert found["mu"].tolist() == pytest.approx([6, -1]) and found["mu_star"].tolist() == pytest.approx(
            [6, 1]
        )
        assert found["sigma"].tolist() == pytest.approx([0, 0], abs=1e-9)

    def test_what_is_refused(self, lab):
        sweep(lab, {"x": "0, 1"}, folder="grid", workers=1)
        with pytest.raises(SweepError, match="design 'grid'"):
            sensitivity("grid")
        sweep(lab, {"x": "2:3", "y": "0:1"}, samples=4, design="morris", folder="failed", workers=1)
        with pytest.raises(SweepError, match="missing or failed"):
            sensitivity("failed")
        with pytest.raises(SweepError, match="power of 2"):
            sweep(lab, {"x": "2:3"}, samples=5, design="saltelli")
        with pytest.raises(SweepError, match="holds no sweep"):
            sensitivity("nowhere")
