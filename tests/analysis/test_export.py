"""Exported runs hold what was recorded: times, cells, units."""

import json

import numpy as np
import pytest

from analysis.export import to_neo, to_nwb
from engine.recording import Rate, Recording, Spikes, Trace, Weights


@pytest.fixture
def recording():
    made = Recording(
        duration=1.0, dt=1e-4, seed=3, numbers={"exc.w": 1e-3, "in.i": np.array([1, 2])}, program="abc"
    )
    made.spikes["cells"] = Spikes(np.array([0.1, 0.2, 0.3, 0.3]), np.array([2, 0, 0, 2], dtype=np.int32), 4)
    made.traces["cells.v"] = Trace(
        np.arange(5) * 1e-3, np.arange(10.0).reshape(5, 2) * 1e-3, np.array([0, 3]), "V"
    )
    made.rates["cells[:2]"] = Rate(np.array([0.0, 0.5]), np.array([3.0, 1.0]))
    made.weights["ee.w"] = Weights(
        np.array([0.0, 0.4, 1.0]), np.arange(6.0).reshape(3, 2), np.array([0, 1]), np.array([2, 3]), "V"
    )
    return made


TRAINS = [[0.2, 0.3], [], [0.1, 0.3], []]


def test_neo(recording):
    pytest.importorskip("neo")
    block = to_neo(recording)
    (segment,) = block.segments
    assert [np.asarray(train.rescale("s")).tolist() for train in segment.spiketrains] == TRAINS
    assert [train.annotations["cell"] for train in segment.spiketrains] == [0, 1, 2, 3]
    assert all(float(train.t_stop) == 1.0 for train in segment.spiketrains)
    signals = {signal.name: signal for signal in [*segment.analogsignals, *segment.irregularlysampledsignals]}
    v = signals["cells.v"]
    assert v.units.dimensionality.string == "V" and v.annotations["cells"] == [0, 3]
    assert np.allclose(v.magnitude, recording.traces["cells.v"].values)
    assert np.allclose(v.times.rescale("s").magnitude, recording.traces["cells.v"].t)
    w = signals["ee.w"]
    assert np.allclose(w.times.magnitude, [0, 0.4, 1]) and w.annotations["target"] == [2, 3]
    assert block.annotations["seed"] == 3 and block.annotations["numbers"]["exc.w"] == 1e-3


def test_nwb(recording, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    path = tmp_path / "run.nwb"
    to_nwb(recording, path)
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        file = io.read()
        assert [list(file.units["spike_times"][k]) for k in range(4)] == TRAINS
        assert list(file.units["population"][:]) == ["cells"] * 4 and list(file.units["cell"][:]) == [
            0,
            1,
            2,
            3,
        ]
        series = file.processing["simulation"].data_interfaces
        v = series["cells.v"]
        assert v.unit == "volts" and np.allclose(v.data[:], recording.traces["cells.v"].values)
        assert np.allclose(v.timestamps[:], recording.traces["cells.v"].t)
        assert np.allclose(series["cells[ to 2]"].data[:], [3, 1])
        assert json.loads(series["ee.w"].comments)["source"] == [0, 1]
        assert json.loads(file.notes)["numbers"] == {"exc.w": 1e-3, "in.i": [1, 2]}
    assert not pynwb.validate(path=str(path))


def test_nwb_of_a_run_without_spikes(tmp_path):
    pytest.importorskip("pynwb")
    to_nwb(Recording(duration=1.0, dt=1e-4, seed=0), tmp_path / "empty.nwb")
    assert (tmp_path / "empty.nwb").exists()
