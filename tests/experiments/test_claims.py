"""A claim holds inside its bounds, a control outside of them, and a missing number never."""

import math

import numpy as np
import pytest
from brian2 import ms, mV

from experiments import Claim


@pytest.mark.parametrize(
    ("measured", "inside"),
    [(1.0, True), (0.999, False), (1.5, True), (2.0, True), (2.001, False), (-1, False)],
)
def test_a_control_is_the_opposite_of_its_claim(measured, inside):
    assert Claim("x", measured, 1, 2).holds is inside
    assert Claim("x", measured, 1, 2, control=True).holds is not inside


@pytest.mark.parametrize("control", [False, True])
@pytest.mark.parametrize("measured", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_a_number_that_is_not_finite_never_holds(measured, control):
    assert Claim("x", measured, None, 2, control=control).holds is False
    assert Claim("x", measured, 1, None, control=control).holds is False


def test_open_bounds():
    assert Claim("x", 1e9, 3, None).holds
    assert not Claim("x", 2.9, 3, math.inf).holds
    assert Claim("x", -1e9, None, 3).holds
    assert not Claim("x", 3.1, -math.inf, 3).holds


@pytest.mark.parametrize(
    ("low", "high", "what"),
    [(2, 1, "above"), (math.nan, 1, "NaN"), (1, math.nan, "NaN"), (None, None, "no bound")],
)
def test_bounds_that_say_nothing_are_refused(low, high, what):
    with pytest.raises(ValueError, match=what):
        Claim("x", 1.5, low, high)


def test_quantities_are_compared_in_the_unit_of_the_claim():
    assert Claim("rest", -60 * mV, -61, -59, "mV").holds
    assert not Claim("rest", -58 * mV, -61 * mV, -59 * mV, "mV").holds
    assert Claim("rest", -60 * mV, -61, -59, "mV").measured == pytest.approx(-60)
    with pytest.raises(ValueError, match="cannot be given in"):
        Claim("rest", -60 * mV, -61, -59)  # would have been -0.06
    with pytest.raises(ValueError, match="cannot be given in"):
        Claim("rest", 10 * ms, -61, -59, "mV")


@pytest.mark.parametrize("measured", [None, "high", [1.0, 2.0], np.array([1.0, 2.0])])
def test_what_is_not_one_number_is_refused(measured):
    with pytest.raises(TypeError, match="one number"):
        Claim("x", measured, 0, 1)


def test_a_record_has_the_keys_of_the_report():
    record = Claim("x", np.float32(1.5), 1, None, "mV", "here", True).as_record()
    assert record == {
        "name": "x", "measured": 1.5, "low": 1.0, "high": math.inf, "unit": "mV",
        "source": "here", "control": True, "holds": False,
    }  # fmt: skip
    assert type(record["measured"]) is float and type(record["control"]) is bool


def test_bounds_as_text():
    assert Claim("x", 1, 1, 2, "mV").bounds == "1 to 2 mV"
    assert Claim("x", 1, 0.97, None).bounds == ">= 0.97"
    assert Claim("x", 1, None, 3, "Hz", control=True).bounds == "not <= 3 Hz"
