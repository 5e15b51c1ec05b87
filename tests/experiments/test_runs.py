"""What a run leaves in its folder, also when it is cut short or the disk is full."""

import errno
import json
import math
import os

import numpy as np
import pandas as pd
import pytest
from brian2 import Quantity, ms, mV, siemens

from experiments import keep, progress, runs

RESULTS = {
    "array": np.arange(6.0).reshape(2, 3),
    "file": np.array([1, 2], dtype=np.int8),
    "empty": np.zeros((0, 3)),
    "zero_d": np.array(3.5),
    "flags": np.array([True, False]),
    "names": np.array(["one", "zwei"]),
    "waves": np.array([1 + 2j]),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "voltage": np.array([1.0, 2.0]) * mV,
    "tau": 30 * ms,
    "conductance": 3 * siemens / Quantity(1.0, dim=(1 * ms).dim),
    "count": 3,
    "big": 2**70,
    "ratio": 0.1 + 0.2,
    "numpy_number": np.float64(0.3),
    "numpy_whole": np.int64(7),
    "not_a_number": math.nan,
    "infinite": -math.inf,
    "yes": True,
    "nothing": None,
    "text": 'two\nlines, "quoted" and µ',
    "seeds": [1, 2, 3],
    "pair": (1, "a", 2.5),
    "rasters": [np.array([0.1, 0.2]), np.array([])],
    "by_gap": {20: np.array([1.0]), "late": {"deep": (1, [2])}},
    "ragged": np.array([np.zeros(1), np.zeros(2), "x"], dtype=object),
}


def same(one, other):
    assert type(one) is type(other) or isinstance(one, float), (one, other)
    if isinstance(other, dict):
        assert list(one) == list(other)
        return all(same(one[key], other[key]) for key in other)
    if isinstance(other, (list, tuple)) or (isinstance(other, np.ndarray) and other.dtype == object):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(other, Quantity):
        return one.dim == other.dim and np.array_equal(np.asarray(one), np.asarray(other))
    if isinstance(other, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and np.array_equal(one, other)
    return one == other or (isinstance(other, float) and math.isnan(one) and math.isnan(other))


@pytest.mark.parametrize("key", RESULTS)
def test_results_come_back_as_they_were(key, tmp_path):
    runs.save_data({key: RESULTS[key]}, tmp_path)
    assert same(runs.load_data(tmp_path)[key], RESULTS[key])


def test_everything_together_keeps_its_order(tmp_path):
    runs.save_data(RESULTS, tmp_path)
    assert list(runs.load_data(tmp_path)) == list(RESULTS)


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"n": [1, 2], "x": [0.1 + 0.2, math.nan], "who": ["a", "NA"], "ok": [True, False]}),
        pd.DataFrame({"x": [1.5, 2.5]}, index=pd.Index(["liquid", "raw, last"], name="readout")),
        pd.DataFrame(
            {"x": [1.5, math.inf, 3.0]}, index=pd.MultiIndex.from_product([[1], [1, 2, 3]], names=["a", "b"])
        ),
        pd.DataFrame({"x": np.arange(3, dtype=np.int16)}, index=[4, 5, 6]),
        pd.DataFrame({"x": []}),
    ],
    ids=["plain", "named index", "two levels", "unnamed index", "empty"],
)
def test_tables_come_back_as_they_were(table, tmp_path):
    runs.save_data({"a table/of mine": table}, tmp_path)
    pd.testing.assert_frame_equal(runs.load_data(tmp_path)["a table/of mine"], table)
    assert len(list((tmp_path / "data").glob("*.csv"))) == 1


def test_two_tables_whose_names_make_the_same_file_name(tmp_path):
    one, two = pd.DataFrame({"x": [1]}), pd.DataFrame({"x": [2]})
    runs.save_data({"a b": one, "a/b": two}, tmp_path)
    found = runs.load_data(tmp_path)
    assert found["a b"].x[0] == 1 and found["a/b"].x[0] == 2


def test_what_cannot_be_written_is_named_and_the_rest_is_written(tmp_path):
    with pytest.raises(runs.ResultError, match=r"strange \(object\).*deep\.1 \(set\)"):
        runs.save_data({"strange": object(), "deep": [1, {2}], "x": np.ones(3)}, tmp_path)
    assert np.array_equal(runs.load_data(tmp_path)["x"], np.ones(3))


def test_code_in_the_data_is_never_executed(tmp_path):
    runs.save_data({"x": np.ones(3)}, tmp_path)
    np.savez(tmp_path / "data" / "arrays.npz", x=np.array([object()], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        runs.load_data(tmp_path)


def test_a_folder_without_data_is_refused(tmp_path):
    with pytest.raises(runs.FolderError, match="no results"):
        runs.load_data(tmp_path)


def test_new_data_take_the_place_of_the_old_ones_and_of_what_was_made_from_them(tmp_path):
    runs.save_data({"old": np.ones(1)}, tmp_path)
    for name in ("report.json", "figure.png", "figure.pdf", "notes.txt"):
        (tmp_path / name).write_text("old")
    runs.save_data({"new": np.ones(1)}, tmp_path)
    assert list(runs.load_data(tmp_path)) == ["new"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "notes.txt"]


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "report.json"
    runs.save_json(path, {"a": 1})
    with pytest.raises(TypeError):
        runs.save_json(path, {"a": object()})
    with pytest.raises(OSError), runs.replacing(path) as temporary:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert json.loads(path.read_text()) == {"a": 1}
    assert [item.name for item in tmp_path.iterdir()] == ["report.json"]


def test_json_is_strict(tmp_path):
    runs.save_json(tmp_path / "x.json", {"a": math.nan, "b": [math.inf, 1.0], "c": {"d": (-math.inf,)}})

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    found = json.loads((tmp_path / "x.json").read_text(), parse_constant=refuse)
    assert found == {"a": None, "b": [None, 1.0], "c": {"d": [None]}}


def test_new_folders_never_collide(tmp_path):
    folders = [runs.new_folder(tmp_path, "decay") for _ in range(4)]
    assert len(set(folders)) == 4
    assert all(folder.parent == tmp_path / "runs" / "decay" and folder.is_dir() for folder in folders)


def test_a_folder_that_cannot_be_made_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(runs.FolderError, match=r"--out DIR"):
        runs.prepare(tmp_path / "file" / "below")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(runs.FolderError, match="No space left"):
        runs.prepare(tmp_path)


def test_a_nearly_full_disk_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(
        runs.shutil, "disk_usage", lambda _folder: runs.shutil._ntuple_diskusage(1e9, 1e9, 1e6)
    )
    with pytest.raises(runs.FolderError, match="1 MB left"):
        runs.prepare(tmp_path)


def test_keep_writes_at_intervals_and_when_the_run_breaks(tmp_path, monkeypatch):
    keep(x=1)  # outside of a run: nothing happens
    clock = [0.0]
    monkeypatch.setattr(runs.time, "monotonic", lambda: clock[0])
    with pytest.raises(RuntimeError), runs.keeping(tmp_path):
        keep(done=np.arange(1))
        assert not (
            tmp_path / "data"
        ).exists()  # too early: writing at every step would cost more than the step
        clock[0] += runs.KEEP_EVERY
        keep(done=np.arange(2))
        assert runs.load_data(tmp_path)["done"].tolist() == [0, 1]
        keep(done=np.arange(3), other="text")
        raise RuntimeError
    assert runs.load_data(tmp_path)["done"].tolist() == [0, 1, 2]
    assert runs.load_data(tmp_path)["other"] == "text"
    keep(done=np.arange(9))  # the run is over
    assert len(runs.load_data(tmp_path)["done"]) == 3


def test_a_run_that_ends_well_leaves_the_writing_to_the_caller(tmp_path):
    with runs.keeping(tmp_path):
        keep(x=1)
    assert not (tmp_path / "data").exists()


def test_progress_passes_the_items_on(capsys):
    assert list(progress(range(3), "seeds")) == [0, 1, 2]
    assert capsys.readouterr().err == ""  # nobody is watching


def test_the_environment_tells_what_the_run_was_made_with(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler -O3")
    found = runs.environment()
    assert found["compiler"] is None
    assert found["versions"]["brian2"].startswith("2.")
    assert found["python"] == ".".join(str(part) for part in os.sys.version_info[:3])
    git = found["git"]
    assert git is None or len(git["commit"]) == 40
    json.dumps(found, allow_nan=False)


def test_parameters_as_text_and_the_time_of_the_last_run_with_them(tmp_path):
    parameters = {
        "tau": 30 * ms,
        "gaps": (20 * ms, 0.5 * ms),
        "n": 3,
        "kind": "x",
        "ok": True,
        "x": np.float64(0.5),
    }
    texts = runs.parameter_texts(parameters)
    assert texts == {"tau": "30 ms", "gaps": ["20 ms", "0.5 ms"], "n": 3, "kind": "x", "ok": True, "x": 0.5}
    assert runs.last_runtime(tmp_path, "decay", parameters) is None
    for stamp, seconds, n in [("1", 5.0, 3), ("2", 7.0, 3), ("3", 9.0, 4)]:
        folder = tmp_path / "runs" / "decay" / stamp
        folder.mkdir(parents=True)
        runs.save_json(folder / "report.json", {"parameters": texts | {"n": n}, "runtime_s": seconds})
    (tmp_path / "runs" / "decay" / "4").mkdir()
    (tmp_path / "runs" / "decay" / "4" / "report.json").write_text("{ half")
    assert runs.last_runtime(tmp_path, "decay", parameters) == 7.0


@pytest.mark.parametrize(
    ("results", "parameters", "seeds"),
    [
        ({"seeds": np.array([3, 4])}, {"seed": 1}, [3, 4]),
        ({"seeds": 5}, {}, [5]),
        ({}, {"seed": 7}, [7]),
        ({}, {"seeds": (1, 2)}, [1, 2]),
        ({}, {}, []),
    ],
)
def test_used_seeds(results, parameters, seeds):
    assert runs.used_seeds(results, parameters) == seeds
