"""Values given as text are read by the type of the default, and nothing else."""

import types

import numpy as np
import pytest
from brian2 import Hz, ms, mV
from brian2.units.fundamentalunits import Quantity

from experiments.parameters import ParameterError, chosen, defaults, described, has_seed


def module(run, **attributes):
    made = types.ModuleType("lab.decay")
    made.run = run
    vars(made).update(attributes)
    return made


def run(
    *, n=200, tau=30 * ms, rates=(5 * Hz, 20 * Hz), sizes=(135, 270), levels=(0.4, 0.2), names=("a", "b"),
    mixed=(10 * ms, 3), slope=0.5, kind="dynamic", noisy=True, none=(), seed=1,
):  # fmt: skip
    return {}


DECAY = module(run, QUICK=dict(n=20, tau=10 * ms))

GOOD = [
    ("n=40", 40),
    ("n=1e3", 1000),
    ("n=-3", -3),
    ("tau=10 ms", 10 * ms),
    ("tau = 0.01*second", 10 * ms),
    ("rates=1, 2 kHz", (1000 * Hz, 2000 * Hz)),
    ("rates=7 Hz", (7 * Hz,)),
    ("sizes=1,2,3", (1, 2, 3)),
    ("sizes=()", ()),
    ("levels=1, 0.5", (1.0, 0.5)),
    ("names=c, d", ("c", "d")),
    ("mixed=20 ms, 4", (20 * ms, 4)),
    ("slope=2", 2.0),
    ("kind=static = x", "static = x"),
    ("kind=__import__('os')", "__import__('os')"),
    ("noisy=no", False),
    ("noisy=True", True),
    ("none=1, 2", (1.0, 2.0)),
    ("seed=7", 7),
]


@pytest.mark.parametrize(("setting", "value"), GOOD, ids=[setting for setting, _ in GOOD])
def test_text_is_read_by_the_type_of_the_default(setting, value):
    key = setting.partition("=")[0].strip()
    found = chosen(DECAY, settings=[setting])
    others = {name: other for name, other in found.items() if name != key}
    assert all(others[name] == other for name, other in defaults(DECAY).items() if name != key)
    found = found[key]
    assert type(found) is type(value)
    for one, other in zip(
        found if isinstance(value, tuple) else [found],
        value if isinstance(value, tuple) else [value],
        strict=True,
    ):
        assert type(one) is type(other)
        assert np.all(one == other)
        if isinstance(other, Quantity):
            assert one.dim == other.dim


BAD = [
    ("n=2.5", "not a whole number"),
    ("n=ten", "number"),
    ("n=3 ms", "plain number"),
    ("n=", "number"),
    ("tau=10", "'10 ms'"),
    ("tau=10 mV", "cannot be ms"),
    ("tau=10 mss", "ms"),
    ("tau=__import__('os')", "number"),
    ("rates=1, 2 ms", "cannot be"),
    ("rates=1,,2 Hz", "empty place"),
    ("rates=a, b", "number"),
    ("sizes=1.5, 2", "whole number"),
    ("mixed=20 ms", "2 are needed"),
    ("mixed=4, 20 ms", "unit"),
    ("slope=x", "number"),
    ("noisy=maybe", "neither true nor false"),
    ("tua=10 ms", "Did you mean tau"),
    ("tau", "key=value"),
    ("ms", "quotes"),
    ("=3", "does not have"),
]


@pytest.mark.parametrize(("setting", "message"), BAD, ids=[setting for setting, _ in BAD])
def test_what_does_not_fit_is_refused_with_the_remedy(setting, message):
    with pytest.raises(ParameterError, match=message.replace("(", r"\(")) as caught:
        chosen(DECAY, settings=[setting])
    key = setting.partition("=")[0].strip()
    if key in defaults(DECAY) and "=" in setting:
        assert key in str(caught.value)


def test_settings_win_over_seed_and_quick_form():
    assert chosen(DECAY, quick=True)["n"] == 20
    assert chosen(DECAY, quick=True)["tau"] == 10 * ms
    assert chosen(DECAY, quick=True, seed=4, settings=["n=7"])["n"] == 7
    assert chosen(DECAY, seed=4)["seed"] == 4
    assert chosen(DECAY, seed=4, settings=["seed=5"])["seed"] == 5
    assert defaults(DECAY)["n"] == 200  # untouched


def test_a_seed_shifts_a_tuple_of_seeds():
    def seeds(*, seeds=(1, 2, 3)):
        return {}

    assert chosen(module(seeds), seed=10)["seeds"] == (10, 11, 12)
    assert has_seed(module(seeds)) and has_seed(DECAY)


def test_a_seed_where_nothing_is_random_is_refused():
    def still(*, n=3):
        return {}

    assert not has_seed(module(still))
    with pytest.raises(ParameterError, match="has no seed"):
        chosen(module(still), seed=1)


def test_an_unknown_name_in_the_quick_form_is_refused():
    with pytest.raises(ParameterError, match="QUICK names 'm'"):
        chosen(module(run, QUICK=dict(m=3)), quick=True)


@pytest.mark.parametrize("default", [None, [1, 2], {"a": 1}, (1, (2, 3)), (None,), np.ones(3) * mV, object()])
def test_a_default_that_cannot_be_typed_is_refused(default):
    def strange(*, x=default):
        return {}

    with pytest.raises(ParameterError, match="'x'"):
        defaults(module(strange))


def test_parameters_need_a_default_and_a_name():
    with pytest.raises(ParameterError, match="behind the star"):
        defaults(module(lambda n: {}))
    with pytest.raises(ParameterError, match="behind the star"):
        defaults(module(lambda **others: {}))


def test_the_table_shows_units_and_the_quick_form():
    lines = described(DECAY).splitlines()
    assert lines[0].split() == ["n", "200", "quick:", "20"]
    assert lines[1].split() == ["tau", "30", "ms", "quick:", "10", "ms"]
    assert len(lines) == len(defaults(DECAY))
