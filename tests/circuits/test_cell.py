"""Cells as data: numbers, added mechanism, edited text, and what each mistake is answered with."""

import dataclasses

import numpy as np
import pytest
from brian2 import Mohm, amp, ms, mV, nA, second, volt

from circuits import Cell, CircuitError

LEAKY = Cell(
    "leaky",
    "dv/dt = (E_L - v + R*I)/tau_m : volt (unless refractory)",
    params={
        "E_L": -70 * mV,
        "R": 10 * Mohm,
        "tau_m": 20 * ms,
        "V_t": -50 * mV,
        "V_r": -60 * mV,
        "t_ref": 2 * ms,
    },
    inputs={"I": amp},
    threshold="v > V_t",
    reset="v = V_r",
    refractory="t_ref",
    init={"v": "E_L + rand()*mV"},
)


def test_but_changes_numbers_and_nothing_else():
    changed = LEAKY.but(tau_m=10 * ms, v=-65 * mV)
    assert changed.params["tau_m"] == 10 * ms and LEAKY.params["tau_m"] == 20 * ms
    assert changed.init["v"] == -65 * mV
    assert changed.equations == LEAKY.equations and changed.params["R"] == LEAKY.params["R"]


def test_but_takes_arrays_and_expressions():
    assert LEAKY.but(tau_m=[10, 20] * ms).params["tau_m"].shape == (2,)
    drawn = LEAKY.but(tau_m="20*ms*(1 + 0.1*randn())")
    assert drawn.dimensions["tau_m"] == second.dim


def test_plus_adds_mechanism():
    adapted = LEAKY.plus(
        "da/dt = -a/tau_a : amp", reset="a += b", params={"tau_a": 100 * ms, "b": 0.1 * nA}, adds={"I": "-a"}
    )
    assert adapted.equations.splitlines()[1].startswith("da/dt") and adapted.reset.splitlines() == [
        "v = V_r",
        "a += b",
    ]
    assert adapted.adds == {"I": "(-a)"} and set(adapted.states) == {"v", "a"}
    assert adapted.plus(adds={"I": "a/2"}).adds == {"I": "(-a) + (a/2)"}


def test_edit_replaces_one_piece_of_text():
    edited = LEAKY.edit(
        "(E_L - v + R*I)/tau_m", "(E_L - v)/tau_m + k*(v - E_L)**2/tau_m + R*I/tau_m", k=0.1 / mV
    )
    assert "k*(v - E_L)**2" in edited.equations and edited.params["k"] == 0.1 / mV
    assert LEAKY.edit("v > V_t", "v >= V_t").threshold == "v >= V_t"


def test_a_cell_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        LEAKY.threshold = "v > 0*mV"


def test_display_shows_equations_and_every_number():
    text, html = repr(LEAKY), LEAKY._repr_html_()
    for name in LEAKY.params:
        assert f"{name} = " in text and f"<td style='text-align:left'>{name}</td>" in html
    assert "20 ms" in text and "drawn: E_L + rand()*mV" in text and r"\frac{\mathrm{d}v}{\mathrm{d}t}" in html


@pytest.mark.parametrize(
    "mistake, message",
    [
        (
            lambda: LEAKY.but(tau=1 * ms),
            r"'leaky' has no parameter or state variable 'tau'\. Did you mean tau_m\? Parameters: E_L",
        ),
        (lambda: LEAKY.but(tau_m=1 * mV), r"'leaky', tau_m: got 1 mV, but the unit must be second"),
        (lambda: LEAKY.but(tau_m=5), r"tau_m: got 5, but the unit must be second, such as 1\*second"),
        (lambda: LEAKY.but(tau_m=None), r"tau_m: None is not a number"),
        (lambda: LEAKY.but(tau_m=True), r"tau_m: True is not a number"),
        (lambda: LEAKY.but(tau_m=""), r"expression is empty"),
        (lambda: LEAKY.but(tau_m="20*mz"), r"parameter tau_m: 'mz' is not defined"),
        (lambda: LEAKY.but(tau_m="20*mV"), r"units do not fit|is needed"),
        (lambda: LEAKY.but(v="3*ms"), r"start value of v: '3\*ms' has unit second, but volt is needed"),
        (
            lambda: LEAKY.edit("tau_m", "tau_x"),
            r"equation of v: 'tau_x' is not defined\. Did you mean tau_m\?",
        ),
        (lambda: LEAKY.edit("nothing", "x"), r"does not stand in it.*\n.*equations: dv/dt"),
        (lambda: LEAKY.edit("v", "x"), r"stands \d+ times"),
        (lambda: LEAKY.plus("da/dt = -a/tau_a : volt"), r"'tau_a' is not defined"),
        (lambda: LEAKY.plus("da/dt = -a/tau_m : 1", reset="a += 1*mV"), r"reset: the units do not fit"),
        (lambda: LEAKY.plus("da/dt = -a/tau_m"), r"the equations do not parse"),
        (lambda: LEAKY.plus("da/dt = -(a/tau_m : 1"), r"the equations do not parse"),
        (lambda: LEAKY.plus("da/dt = -a : 1"), r"equation of a: '-a' has unit 1, but hertz is needed"),
        (lambda: LEAKY.plus("da/dt = -a/tau_m : 1", params={"R": 1.0}), r"has a parameter R already"),
        (lambda: LEAKY.plus("dexp/dt = -exp/tau_m : 1"), r"exp"),
        (lambda: LEAKY.plus("da/dt = -a/tau_m : 1", params={"ms": 1.0}), r"parameter name 'ms' is a unit"),
        (lambda: LEAKY.plus("da/dt = -a/tau_m : 1", params={"a_pre": 1.0}), r"reserved or no valid name"),
        (
            lambda: LEAKY.plus("da/dt = -a/tau_m : 1", adds={"J": "a"}),
            r"it adds to 'J', which is no input\. Inputs: I",
        ),
        (
            lambda: LEAKY.plus("da/dt = -a/tau_m : 1", adds={"I": "a"}),
            r"addition to I: '\(a\)' has unit 1, but amp is needed",
        ),
        (lambda: LEAKY.plus(threshold="v"), r"threshold: 'v' is not a condition"),
        (lambda: LEAKY.plus(threshold="v > I"), r"threshold: the units do not fit"),
        (lambda: LEAKY.plus(reset="v + 1*mV"), r"reset: 'v \+ 1\*mV' is not an assignment"),
        (lambda: LEAKY.plus(refractory="R"), r"refractory: 'R' has unit ohm, but second is needed"),
        (
            lambda: Cell("x", "v : volt", reset="v = 0*mV"),
            r"there is a reset or refractory period but no threshold",
        ),
        (
            lambda: Cell("x", "v : volt", init={"w": 0 * volt}),
            r"start value for 'w', which is no state variable",
        ),
        (
            lambda: Cell("x", "v : volt", params={"v": 1 * mV}),
            r"parameter 'v' is a variable of the equations too",
        ),
        (
            lambda: Cell("x", "v : volt", params={"a": 1.0}, inputs={"a": amp}),
            r"a is given as parameter and as input",
        ),
    ],
)
def test_mistakes(mistake, message):
    with pytest.raises(CircuitError, match=message):
        mistake()


def test_but_is_quick_enough_for_a_loop():
    """No equation is read again when only numbers differ: the parsed equations stay the same object."""
    assert LEAKY.but(tau_m=3 * ms).parsed is LEAKY.parsed


def test_quantities_in_lists():
    assert np.allclose(LEAKY.but(tau_m=[10 * ms, 20 * ms]).params["tau_m"] / ms, [10, 20])
