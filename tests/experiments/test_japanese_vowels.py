"""Japanese Vowels: recordings, the way to spikes and states, controls that are numbers, a small run."""

import importlib.util

import numpy as np
import pytest
from brian2.units import Hz, ms, nA

from experiments import data
from experiments import japanese_vowels as jv
from experiments.data import DataError, Utterances

FIXED = dict(
    shape=(4, 3, 3),
    n_fields=3,
    max_rate=300 * Hz,
    frame=50 * ms,
    degrees=(1, 3),
    tau_state=75 * ms,
    resolution=0.0,
    dt=1 * ms,
)
SETTING = dict(w_fast=6 * nA, w_slow=0.04 * nA, tau_slow=300 * ms, recurrence=1.0, field_width=1.0)


@pytest.fixture(scope="module")
def train():
    return data.japanese_vowels("train")


@pytest.fixture(scope="module")
def ear(train):
    return jv.Ear(train, 1, SETTING, **FIXED)


# The recordings


def test_recordings_are_those_of_the_data_set(train):
    test = data.japanese_vowels("test")
    assert np.bincount(train.speakers).tolist() == [30] * 9
    # The numbers of utterances per speaker in the test part, as the data set's documentation gives them.
    assert np.bincount(test.speakers).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    lengths = [len(frames) for part in (train, test) for frames in part.frames]
    assert (min(lengths), max(lengths)) == (7, 29)
    assert {frames.shape[1] for part in (train, test) for frames in part.frames} == {12}
    # Frame by coefficient, not the other way round: the first series of the file begins 1.860936,1.891651.
    assert train.frames[0].shape == (20, 12)
    assert train.frames[0][:2, 0].tolist() == [1.860936, 1.891651]


def test_a_missing_or_damaged_file_is_named(monkeypatch, tmp_path):
    with pytest.raises(DataError, match="parts are 'train' and 'test'"):
        data.japanese_vowels("validation")
    spec = importlib.util.spec_from_loader("sktime", loader=None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(DataError, match="JapaneseVowels_TRAIN.ts"):
        data.japanese_vowels("train")
    folder = tmp_path / "datasets" / "data" / "JapaneseVowels"
    folder.mkdir(parents=True)
    (folder / "JapaneseVowels_TRAIN.ts").write_text("@data\n" + "1,2,3:4,5,6:1\n" * 3)
    with pytest.raises(DataError, match="3 utterances of 1 speakers.*270"):
        data.japanese_vowels("train")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="pip install sktime"):
        data.japanese_vowels("train")


def test_ts_files_are_read_line_by_line():
    frames, labels = data.parse_ts("# a comment\n@problemName x\n@Data\n1,2,3:4,5,6:2\n\n7,8:9,10:1\n")
    assert [f.tolist() for f in frames] == [[[1, 4], [2, 5], [3, 6]], [[7, 9], [8, 10]]]
    assert labels.tolist() == [1, 0]
    for text, words in (
        ("1,2:1\n", "no line @data"),
        ("@data\n1,x:1\n", "line 2"),
        ("@data\n1,2:3:1\n", "line 2"),
        ("@data\n1,2:1\n1,NaN:1\n", "line 3: .*missing"),
    ):
        with pytest.raises(DataError, match=words):
            data.parse_ts(text)


# From frames to states


def test_training_frames_have_unit_variance_and_test_frames_do_not_enter(train, ear):
    every = np.concatenate([ear.normal(frames) for frames in train.frames])
    assert np.allclose(every.mean(axis=0), 0) and np.allclose(every.std(axis=0), 1)


def test_stimuli_last_as_long_as_their_frames_and_fit_the_time_step(train, ear):
    stimuli = ear.stimuli(train.frames[:4], 0, 0)
    for (t, i, end), frames in zip(stimuli, train.frames[:4], strict=True):
        assert end == pytest.approx(0.05 * len(frames))
        assert t.min() >= 0 and t.max() < end and i.min() >= 0 and i.max() < 36
        assert len(np.unique(np.round(t * 1000) * 100 + i)) == len(t)


def test_stimuli_tell_the_coefficients_by_rate(train, ear):
    """Over many repetitions counts are those of the receptive fields, less those that share a step."""
    utterance = train.frames[5]
    counts = np.zeros(36)
    for repeat in range(60):
        ((t, i, end),) = ear.stimuli([utterance], 7, repeat)
        counts += np.bincount(i, minlength=36)
    z = ear.normal(utterance)[:, :, None] - np.array([-2.0, 0.0, 2.0])
    rate = 300 * np.exp(-(z**2) / 2).reshape(len(utterance), 36)
    expected = 60 * 50 * (1 - np.exp(-rate / 1000)).sum(axis=0)  # 50 steps a frame
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected.max())


def test_stimuli_are_drawn_from_seed_and_purpose(train, ear):
    one = ear.stimuli(train.frames[:1], 0, 0)[0]
    again = jv.Ear(train, 1, SETTING, **FIXED).stimuli(train.frames[:1], 0, 0)[0]
    assert np.array_equal(one[0], again[0]) and np.array_equal(one[1], again[1])
    for other in (
        ear.stimuli(train.frames[:1], 0, 1)[0],
        jv.Ear(train, 2, SETTING, **FIXED).stimuli(train.frames[:1], 0, 0)[0],
    ):
        assert len(one[0]) != len(other[0]) or not np.array_equal(one[0], other[0])


def test_bins_are_means_of_equal_stretches():
    frames = np.arange(12.0)[:, None] * [1, 10]
    assert jv.in_bins(frames, 3).tolist() == [1.5, 15, 5.5, 55, 9.5, 95]
    assert jv.in_bins(np.array([[1.0], [2.0], [4.0]]), 2).tolist() == [1.5, 3.0]


def test_interrupted_utterances_keep_their_first_half_and_go_on_with_another_speaker():
    random = np.random.default_rng(0)
    speakers = np.repeat(np.arange(3), 4)
    frames = [np.full((n, 2), 100.0 * s + n) for s, n in zip(speakers, [3, 8, 9, 12] * 3, strict=True)]
    utterances = Utterances(frames, speakers)
    made, halves = jv.interrupted(utterances, utterances, 8, random)
    assert halves.tolist() == [2, 4, 5, 6] * 3
    for new, old, half, speaker in zip(made, frames, halves, speakers, strict=True):
        assert len(new) == half + 8 and np.array_equal(new[:half], old[:half])
        assert (new[half:] // 100 != speaker).all() and len(np.unique(new[half:])) == 1


def test_log_loss_is_small_where_states_tell_and_large_where_they_do_not():
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(9), 12)
    telling = np.eye(9)[labels] + 0.05 * random.standard_normal((108, 9))
    assert jv.log_loss(telling, labels)[0] < 0.2 and jv.log_loss(telling, labels)[1] == 100
    loss, correct = jv.log_loss(random.standard_normal((108, 9)), labels)
    assert loss > 2 and correct < 35


def test_reservoir_has_as_many_units_as_cells_and_starts_from_rest(train, ear):
    setting = dict(leak=0.3, spectral_radius=0.9, input_scaling=0.1, input_connectivity=0.5)
    both = ear.reservoir_states(train.frames[:2], **setting)
    alone = ear.reservoir_states(train.frames[1:2], **setting)
    assert both.shape == (2, 36) and np.allclose(both[1], alone[0])
    other = jv.Ear(train, 2, {}, **FIXED).reservoir_states(train.frames[:1], **setting)
    assert not np.allclose(other[0], both[0])


# The circuit and its controls


def test_slow_weights_carry_the_charge_of_the_paper(ear):
    numbers = ear.net.numbers()
    assert numbers["ee.w"] * numbers["cells.tau_s"] == pytest.approx(30e-9 * 3e-3)
    assert numbers["ei.w"] * numbers["cells.tau_s"] == pytest.approx(60e-9 * 3e-3)
    assert numbers["ie.w"] == numbers["ii.w"] == pytest.approx(-19e-9)
    assert numbers["fast.in_degree"] == 1 and numbers["slow.in_degree"] == 3


def test_controls_change_numbers_only_so_that_one_program_serves_all(train, ear):
    cut = jv.without_memory(ear.net, 5 * ms)
    numbers = cut.numbers()
    assert all(numbers[f"{name}.w"] == 0 for name in ("ee", "ei", "ie", "ii"))
    for name in ("tau_m", "tau_e", "tau_i", "tau_s"):
        assert 4.9e-3 < numbers[f"cells.{name}"] <= 5e-3
    assert numbers["fast.w"] == ear.net.numbers()["fast.w"]
    other = jv.Ear(train, 2, {**SETTING, "tau_slow": 200 * ms}, **FIXED).net
    structure = ear.net.structure()
    for net in (cut, jv.without_recurrence(ear.net), other, jv.without_memory(other, 5 * ms)):
        assert net.structure() == structure
    assert jv.circuit(36, jv.column((4, 3, 4)), 1, 3, 1 * ms).structure() != structure


@pytest.mark.compiled
def test_the_last_state_holds_the_past_only_in_the_liquid(train, ear):
    """Two stimuli differ in their first half alone: the state at the end differs, but not without memory."""
    first, other = (ear.stimuli([train.frames[k][:8]], 3, 0)[0] for k in (0, 100))
    t, i, end = ear.stimuli([train.frames[0][:10]], 4, 0)[0]

    def joined(head):
        moved = np.concatenate([head[0], t + head[2]]), np.concatenate([head[1], i]), head[2] + end
        return moved

    def difference(net):
        a, b = ear.states(ear.listen([joined(first), joined(other)], net))
        return np.abs(a - b).mean()

    # Start potentials and the filter's own tail, exp(-500/75), differ in either case.
    assert difference(jv.without_memory(ear.net, 5 * ms)) < 0.05
    assert difference(ear.net) > 0.25


@pytest.mark.compiled
def test_a_small_run_gives_figure_and_claims(train, monkeypatch):
    def few(part):
        places = range(6) if part == "train" else range(6, 10)
        keep = [k for k in range(270) if k % 30 in places]
        return Utterances([train.frames[k] for k in keep], train.speakers[keep])

    monkeypatch.setattr(jv, "japanese_vowels", few)
    monkeypatch.setattr(jv, "AFTER", (0.0, 0.15, 0.4))
    monkeypatch.setattr(jv, "N_SHUFFLES", 2)
    small = dict(shape=(4, 3, 3), n_fields=3)
    results = jv.run(seeds=(1, 2), n_fading_seeds=1, **small)
    table = results["table"]
    assert set(table.condition) == set(jv.CONDITIONS) and results["programs"] == 1
    assert results["confusion"].sum() == 2 * 36
    mean = table.groupby("condition").accuracy_percent.mean()
    assert mean["last frame"] > 60 and mean["liquid"] > 30 > mean["shuffled"]
    again = jv.run(seeds=(2,), n_fading_seeds=0, **small)["table"]
    same = table[table.seed == 2].reset_index(drop=True)
    assert same.equals(again[again.seed == 2].reset_index(drop=True))
    assert set(results["fading"].condition) == {"liquid", "no memory", "input"}
    assert len(jv.figure(results).axes) >= 8
    names = [claim.name for claim in jv.claims(results)]
    assert len(names) == len(set(names)) and any(claim.control for claim in jv.claims(results))


@pytest.mark.compiled
def test_tuning_hears_training_utterances_only_and_takes_the_least_loss(train, monkeypatch):
    few = Utterances(train.frames[::5], train.speakers[::5])
    best, table = jv.tuned(few, 2, 1, FIXED)
    assert list(table.system) == ["liquid"] * 2 + ["reservoir"] * 2
    for system in ("liquid", "reservoir"):
        rows = table[table.system == system]
        winner = rows.loc[rows.log_loss.idxmin()]
        assert all(str(value) == winner[name] for name, value in best[system].items())
        assert set(best[system]) == set(jv.SPACE[system])
