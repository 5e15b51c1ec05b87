"""The animation of a learning run: which trials it shows, what is in the file, and wrong usage."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from PIL import Image

from experiments import animation


@pytest.fixture(autouse=True)
def closed():
    yield
    pyplot.close("all")


def found(n_trials=60, tau=10):
    random = np.random.default_rng(1)
    gain = 0.9 * (1 - np.exp(-np.arange(n_trials) / tau))
    head = 0.9 * np.sin(2 * np.pi * np.linspace(0, 1, 100, endpoint=False))
    t = np.sort(random.uniform(0, n_trials, 160 * n_trials))
    return {
        "trials": pd.DataFrame({"along": gain}),
        "eye": gain[:, None] * head,
        "head": head,
        "cf_t": t,
        "cf_i": random.integers(0, 20, len(t)),
        "model_seconds": float(n_trials),
    }


def test_trials_from_the_start_to_the_end():
    gain = found(200, 30)["trials"].along.to_numpy()
    shown = animation.shown_trials(gain)
    assert shown[:2] == [0, 1] and shown[-2:] == [198, 199]
    assert np.diff(shown).min() > 0
    for level in (0.25, 0.5, 0.75, 0.9):
        assert np.abs(gain[shown] / 0.9 - level).min() < 0.07


def test_file_has_a_frame_for_every_moment_shown(tmp_path):
    run = found()
    path = animation.animate(run, tmp_path / "new" / "run.gif", shown=[0, 59], fps=4)
    with Image.open(path) as image:
        assert image.n_frames == 8
        frames = []
        for k in (0, 7):  # a quarter into the first trial, and the end of the last
            image.seek(k)
            frames.append(np.asarray(image.convert("RGB"), int))
    assert frames[0].shape == frames[1].shape
    assert np.abs(frames[0] - frames[1]).max() > 100


def test_the_line_of_sight_stays_on_the_target_if_the_eye_is_perfect():
    run = found()
    run["eye"] = np.tile(run["head"], (60, 1))
    scene = animation._Scene(pyplot.figure().add_subplot())
    for head in (-0.9, 0.4):
        scene.turn(head, head)
        x, y = scene.sight.get_data()
        assert np.ptp(x) == pytest.approx(0, abs=1e-12) and y[1] > y[0]
        scene.turn(head, 0.0)
        x, y = scene.sight.get_data()
        assert np.degrees(np.arctan2(x[0] - x[1], y[1] - y[0])) == pytest.approx(30 * head)


def test_wrong_usage(tmp_path, monkeypatch, capsys):
    with pytest.raises(ValueError, match="ends in .txt; give a .gif or .mp4"):
        animation.animate(found(), tmp_path / "run.txt")
    with pytest.raises(ValueError, match="give trials from 0 to 59"):
        animation.animate(found(), tmp_path / "run.gif", shown=[60])
    monkeypatch.setattr(animation.animation.FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    with pytest.raises(ValueError, match="needs ffmpeg, which is not installed"):
        animation.animate(found(), tmp_path / "run.mp4")
    assert animation.main(["--trials", "5"]) == 2
    assert "give 20 or more" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.compiled
@pytest.mark.slow
def test_a_run_of_the_loop_is_written(tmp_path, capsys):
    path = tmp_path / "run.gif"
    assert animation.main(["--out", str(path), "--trials", "100", "--seed", "7"]) == 0
    assert path.stat().st_size < 5e6
    assert "gain 0." in capsys.readouterr().out
