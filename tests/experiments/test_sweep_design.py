"""Which points a sweep has: ranges, lists, spans, grids and what goes side by side; and what is refused."""

import types

import numpy as np
import pytest
from brian2 import ms, mV

from experiments.sweeps import SweepError
from experiments.sweeps.design import Points, parsed_over, unit_sample
from experiments.sweeps.targets import ExperimentTarget

TARGET = ExperimentTarget(
    types.SimpleNamespace(
        __name__="lab.line",
        run=lambda *, tau=20 * ms, w=1 * mV, gain=1.0, n=10, kind="static", noisy=True, gaps=(1.0, 2.0),
        seed=1: {},
        claims=lambda results: [],
    )
)  # fmt: skip


def points(over, **options):
    return Points(over, TARGET, **options)


def values(over, name="tau", **options):
    made = points(over, **options)
    return [made[k][name] for k in range(len(made))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:40:4 ms", [10 * ms, 20 * ms, 30 * ms, 40 * ms]),
        ("10 ms:0.04 second:4", [10 * ms, 20 * ms, 30 * ms, 40 * ms]),
        ("log 1:100:3 ms", [1 * ms, 10 * ms, 100 * ms]),
        ("40:10:2 ms", [40 * ms, 10 * ms]),
        ("10, 20, 50 ms", [10 * ms, 20 * ms, 50 * ms]),
        ("10 ms, 0.05 s", [10 * ms, 50 * ms]),
        ("10 ms", [10 * ms]),
        ([10 * ms, 0.02 * ms], [10 * ms, 0.02 * ms]),
        (np.array([1, 2]) * ms, [1 * ms, 2 * ms]),
    ],
)
def test_values_of_a_quantity(text, expected):
    found = values({"tau": text})
    assert [float(value) for value in found] == pytest.approx([float(value) for value in expected], rel=1e-12)
    assert all(value.dim == ms.dim for value in found)


def test_a_range_has_the_numbers_that_a_person_would_write():
    column, unit = points({"tau": "0.1:0.5:5 ms"}).columns()["tau"]
    assert column.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5] and unit == "ms"
    assert float(values({"tau": "0.1:0.5:5 ms"})[2]) == float(0.3 * ms)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("n", "1:9:3", [1, 5, 9]),
        ("n", "log 1:100:3", [1, 10, 100]),
        ("n", [3, np.int64(4)], [3, 4]),
        ("gain", "0.5, 2", [0.5, 2.0]),
        ("kind", "static, dynamic", ["static", "dynamic"]),
        ("kind", ("static", "dynamic"), ["static", "dynamic"]),
        ("noisy", "true, false", [True, False]),
        ("gaps", "(1, 2); (3, 4, 5)", [(1.0, 2.0), (3.0, 4.0, 5.0)]),
    ],
)
def test_values_of_other_kinds(name, given, expected):
    found = values({name: given}, name)
    assert found == expected and [type(value) for value in found] == [type(value) for value in expected]


def test_a_grid_has_every_combination_and_its_last_parameter_changes_fastest():
    made = points({"tau": "1, 2 ms", "n": [5, 6, 7]})
    assert len(made) == 6
    assert [(float(made[k]["tau"] / ms), made[k]["n"]) for k in range(6)] == [
        (1, 5), (1, 6), (1, 7), (2, 5), (2, 6), (2, 7),
    ]  # fmt: skip
    assert made.columns()["n"][0].tolist() == [5, 6, 7, 5, 6, 7]


@pytest.mark.parametrize(
    "over",
    [
        {"tau & n": "1, 2 ms & 5, 6"},
        {("tau", "n"): [(1 * ms, 5), (2 * ms, 6)]},
        {"tau & n": "1:2:2 ms & 5:6:2"},
    ],
)
def test_parameters_side_by_side(over):
    made = points(over | {"gain": "0, 1"})
    assert [(float(made[k]["tau"] / ms), made[k]["n"], made[k]["gain"]) for k in range(4)] == [
        (1, 5, 0), (1, 5, 1), (2, 6, 0), (2, 6, 1),
    ]  # fmt: skip


def test_a_latin_sample_has_one_point_in_each_interval_of_each_parameter():
    made = points({"tau": "10:40 ms", "gain": "log 1:100", "n": "1:10"}, samples=30)
    tau, gain, n = (made.columns()[name][0] for name in ("tau", "gain", "n"))
    assert np.array_equal(np.sort(np.floor(tau - 10)), np.arange(30))
    assert np.array_equal(np.sort(np.floor(np.log(gain) / np.log(100) * 30)), np.arange(30))
    assert np.array_equal(np.bincount(n)[1:], np.full(10, 3))  # the ends of a span of whole numbers included
    assert abs(np.corrcoef(tau, gain)[0, 1]) < 0.6


def test_a_sample_depends_on_its_seed_alone():
    over = {"tau": "10:40 ms", "gain": "1:2"}
    one, same, other = (points(over, samples=8, design="random", sample_seed=seed) for seed in (1, 1, 2))
    assert one.digest() == same.digest() != other.digest()


def test_a_random_sample_fills_the_span_evenly():
    u = unit_sample("random", 1, 4000, 3)[:, 0]
    assert u.min() >= 0 and u.max() < 1
    assert np.abs(np.histogram(u, 10, (0, 1))[0] - 400).max() < 5 * np.sqrt(400)


def test_a_sample_goes_with_every_value_of_a_list():
    made = points({"kind": "a, b", "tau": "10:40 ms"}, samples=5)
    assert len(made) == 10
    assert [made[k]["tau"] for k in range(5)] == [made[k]["tau"] for k in range(5, 10)]


def test_the_digest_changes_with_every_value_and_the_order():
    assert points({"tau": "1, 2 ms"}).digest() == points({"tau": [1 * ms, 2 * ms]}).digest()
    different = [
        {"tau": "1, 2 ms"}, {"tau": "2, 1 ms"}, {"tau": "1, 2.0000000000000004 ms"}, {"tau & n": "1 ms & 2"},
        {"kind": "a, b"}, {"kind": "ab"},
    ]  # fmt: skip
    assert len({points(over).digest() for over in different}) == len(different)


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"taum": "1:2:2 ms"}, ["no parameter 'taum'", "Did you mean tau?", "kind"]),
        ({"tau": "1:2:2 mV"}, ["mV", "20 ms"]),
        ({"tau": "1:2:2"}, ["unit"]),
        ({"tau": [1 * mV]}, ["1 mV", "20 ms"]),
        ({"tau": [1 * mV, 1 * ms]}, ["different units"]),
        ({"tau": [np.nan * ms]}, ["nan"]),
        ({"gain": "1 ms"}, ["plain number"]),
        ({"tau": ""}, ["no values"]),
        ({"tau": []}, ["no values"]),
        ({"kind": []}, ["no values"]),
        ({"tau": "10:40:0 ms"}, ["at least 1"]),
        ({"tau": "10:40:2.5 ms"}, ["whole number"]),
        ({"tau": "log 0:40:5 ms"}, ["above 0"]),
        ({"tau": "fast"}, ["not a number"]),
        ({"tau": 5 * ms}, ["list of values", "Quantity"]),
        ({"n": "1:2:3"}, ["1.5", "whole numbers"]),
        ({"n": "1.5, 2"}, ["whole number"]),
        ({"n": [1.5]}, ["1.5"]),
        ({"noisy": "perhaps"}, ["neither true nor false"]),
        ({"kind": [1]}, ["static"]),
        ({"tau & n": "1, 2 ms"}, ["2 parameters", "1 lists"]),
        ({"tau & n": "1, 2 ms & 1"}, ["2 of tau, 1 of n"]),
        ({"tau & tau": "1 ms & 1 ms"}, ["twice"]),
        ({"tau & n": "1:2 ms & 1"}, ["span"]),
        ({"tau": "1 ms", "tau & n": "1 ms & 1"}, ["twice"]),
        ({("tau", "n"): [(1 * ms,)]}, ["2 values for each point"]),
        ({"tau": "10:40 ms"}, ["samples=100"]),
        ({"tau": "40:10 ms"}, ["empty span"]),
        ({"seed": "1, 2"}, ["seeds=5"]),
        ("tau=1 ms", ["dict"]),
    ],
)
def test_what_cannot_be_swept_over_is_refused_with_a_remedy(over, said):
    with pytest.raises(SweepError) as error:
        points(over)
    for text in said:
        assert text in str(error.value), (text, str(error.value))


@pytest.mark.parametrize(
    ("over", "options", "said"),
    [
        ({"tau": "1, 2 ms"}, dict(samples=4), "Leave samples out"),
        ({"tau": "1:2 ms"}, dict(samples=0), "at least 1"),
        ({"tau": "1:2 ms"}, dict(samples=4, design="sobol"), "saltelli"),
    ],
)
def test_samples_that_cannot_be_drawn(over, options, said):
    with pytest.raises(SweepError, match=said):
        points(over, **options)


def test_options_of_the_command_line():
    assert parsed_over(["tau=1:2:2 ms", "a.b = 3"]) == {"tau": "1:2:2 ms", "a.b": "3"}
    for wrong in (["tau"], ["tau="], ["=1"], ["tau=1 ms", "tau=2 ms"]):
        with pytest.raises(SweepError, match="--over"):
            parsed_over(wrong)
