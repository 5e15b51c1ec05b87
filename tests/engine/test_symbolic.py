"""Exact updates without a Jordan form: Brian2's text, the right numbers also where rates meet, and a complete
key.
"""

import json

import mpmath
import numpy as np
import pytest

brian2 = pytest.importorskip("brian2")

from brian2 import Equations, Mohm, NeuronGroup, TimedArray, ms, mV, second  # noqa: E402
from brian2.core.functions import DEFAULT_FUNCTIONS, Function  # noqa: E402
from brian2.stateupdaters.base import StateUpdateMethod, UnsupportedEquationsException  # noqa: E402
from brian2.stateupdaters.exact import linear as standard  # noqa: E402
from brian2.stateupdaters.exponential_euler import exponential_euler  # noqa: E402
from scipy.integrate import solve_ivp  # noqa: E402
from scipy.linalg import expm  # noqa: E402
from scipy.special import exprel  # noqa: E402

import engine  # noqa: E402
from circuits import Cell, Circuit, neurons, population, trace  # noqa: E402
from engine import exponentials, symbolic  # noqa: E402

QUICK = {
    "leaky": "dv/dt = (El - v)/tau : 1",
    "driven": "dv/dt = (El - v + R*I)/tau : 1\nI : 1",
    "rates": "dv/dt = -al*v + g : 1\ndg/dt = -be*g : 1",
    "numbers": "dv/dt = (g - v)/(20*ms) : 1\ndg/dt = -g/(5*ms) : 1",
    "two traces": "dx/dt = -x/t1 : 1\ndy/dt = -y/t2 : 1",
    "three alike": "da/dt = -a/tau : 1\ndb/dt = -b/tau : 1\ndv/dt = (a + b - v)/tau : 1",
    "repeated": "dv/dt = (w - v)/tau : 1\ndw/dt = -w/tau : 1\ndx/dt = -x/tau : 1",
    "conductance": "dv/dt = (gl*(El - v) + I)/C : 1\ndI/dt = -I/t1 : 1",
    "reversed": "dg/dt = -g/t1 : 1\ndv/dt = (g*R - v*(1 + b))/t2 : 1",
    "function": "dv/dt = (El*sin(2*pi*f) - v)/tau : 1",
}
SLOW = {
    "cuba": "dv/dt = (ge + gi - (v - El))/tm : 1\ndge/dt = -ge/te : 1\ndgi/dt = -gi/ti : 1",
    "alpha": "dv/dt = (g - v)/tm : 1\ndg/dt = (x - g)/te : 1\ndx/dt = -x/te : 1",
    "two exponentials": "dg/dt = (x*s - g)/t1 : 1\ndx/dt = -x/t2 : 1\ndv/dt = (g - v)/tm : 1\ns : 1",
    "subexpression": "dv/dt = (I - v)/tm : 1\nI = g + h : 1\ndg/dt = -g/te : 1\ndh/dt = -h/ti : 1",
    "coupled": "dv/dt = (-v + w)/tm : 1\ndw/dt = (a*v - w)/tw : 1",
    "adaptive": "dv/dt = (El - v + I - w)/tm : 1\ndw/dt = (a*(v - El) - w)/tw : 1\nI : 1",
}


@pytest.mark.parametrize("name", QUICK)
def test_the_text_is_the_standard_one(name):
    equations = Equations(QUICK[name])
    assert symbolic.exact_update(equations, {}) == standard(equations, {})


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_the_text_is_the_standard_one_for_larger_systems(name):
    equations = Equations(SLOW[name])
    assert symbolic.exact_update(equations, {}) == standard(equations, {})


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_the_step_is_the_matrix_exponential(name):
    values = {"a": 0.01, "tw": 5.0} if name == "adaptive" else {}  # real eigenvalues
    if "20*ms" in (QUICK | SLOW)[name]:
        values["dt"] = 0.002
    check_against_the_matrix_exponential(symbolic.exact_update, (QUICK | SLOW)[name], **values)


POLES = {  # equations, and values at which the usual text divides by 0
    "cuba": (SLOW["cuba"], dict(tm=1.0, te=1.0, ti=1.0)),
    "cuba, one": (SLOW["cuba"], dict(tm=1.0, te=0.3, ti=1.0)),
    "cuba, nearly": (SLOW["cuba"], dict(tm=1.0, te=1.0 + 1e-13, ti=1.0 - 1e-9)),
    "alpha": (SLOW["alpha"], dict(tm=0.7, te=0.7)),
    "two exponentials": (SLOW["two exponentials"], dict(t1=0.5, t2=0.5, tm=0.5)),
    "two exponentials, nearly": (SLOW["two exponentials"], dict(t1=0.5, t2=0.5 + 1e-6, tm=0.5 - 2e-12)),
    "no leak": (QUICK["conductance"], dict(gl=0.0)),
    "no leak, not exactly": (QUICK["conductance"], dict(gl=1e-14)),
    "perfect integrator": ("dv/dt = I/C : 1\ndI/dt = (s - I)/tau : 1\nds/dt = -s/tau : 1", {}),
    "stiff": (SLOW["cuba"], dict(tm=1.0, te=1e-6, ti=1e9)),
    "five in a row": (
        "da/dt = -a/t1 : 1\ndb/dt = (a - b)/t2 : 1\ndc/dt = b - c/t3 : 1\ndd/dt = (a + c - d)/t4 : 1\n"
        "dv/dt = (d - v + E)/t5 : 1",
        dict(t1=1.0, t2=1.0, t3=1.0 + 1e-5, t4=1.0, t5=0.02),
    ),
}


@pytest.mark.parametrize("name", POLES)
def test_a_step_of_circuits_has_a_value_for_any_rates(name):
    equations, values = POLES[name]
    check_against_the_matrix_exponential(symbolic.regular_update, equations, **values)


@pytest.mark.parametrize(
    "values", [dict(a=-2.0), dict(a=-50.0, tm=0.3), dict(a=0.4), dict(a=-0.125, tm=1.0, tw=0.5)]
)
@pytest.mark.parametrize("name", ["coupled", "adaptive"])
def test_two_equations_that_depend_on_each_other_may_oscillate(name, values):
    """Complex rates, real ones, and the border between the two (where the usual text divides by 0)."""
    check_against_the_matrix_exponential(symbolic.regular_update, SLOW[name], **values)


@pytest.mark.parametrize(
    "s, q", [(-0.3, -0.4), (-1e-9, -1e-18), (0, -30.0), (-2, -9.0), (0.4, -0.01), (-3, 9.0)]
)
def test_the_divided_difference_of_two_complex_rates_and_zero(s, q):
    with mpmath.workdps(40):
        root = mpmath.sqrt(mpmath.mpf(q))
        chain = mpmath.matrix([[0, 1, 0], [0, s + root, 1], [0, 0, s - root]])
        expected = float(mpmath.expm(chain)[0, 2].real)
    assert float(exponentials.exp_pair_difference(s, q)) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("k", [-1.0, -1.0 + 1e-12, -1.0 - 1e-9, -0.9])
def test_two_equations_may_have_a_line_of_fixed_points(k):
    """At k = -1 there is no fixed point or a line of them: nothing is divided by 1 + k."""
    text = "dv/dt = (E - v - w)/tau : 1\ndw/dt = (k*v - w)/tau : 1"
    check_against_the_matrix_exponential(symbolic.regular_update, text, k=k, tau=0.7)


FULL = "\n".join(
    f"dx{k}/dt = ({' + '.join(f'w{k}{j}*x{j}' for j in range(6) if j != k)} - x{k})/tm : 1" for k in range(6)
)
CHAIN = "dx0/dt = -x0/t0 : 1\n" + "\n".join(f"dx{k}/dt = (x{k - 1} - x{k})/t{k} : 1" for k in range(1, 7))
DENSE = "\n".join(
    f"dx{k}/dt = ({' + '.join(f'x{j}' for j in range(k)) or 'E'} - x{k})/t{k} : 1" for k in range(9)
)
TOO_LARGE = {
    "adaptive, with a current": "dv/dt = (E - v - w + s)/tm : 1\ndw/dt = (a*v - w)/tw : 1\nds/dt = -s/ts : 1",
    "seven in a row": CHAIN,
    "nine, each driven by all before": DENSE,
    "six that depend on each other": FULL,
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_is_too_large_is_refused_at_once_in_circuits(name, tmp_path, monkeypatch):
    """By its structure, before any algebra: neither the usual text nor Brian2's updater is tried."""
    monkeypatch.setenv("PLASTICA_CACHE", str(tmp_path / "cache"))

    def never(*_):
        raise AssertionError("tried")

    monkeypatch.setattr(symbolic, "exact_update", never)
    monkeypatch.setattr(symbolic, "_paths", never)
    updater = symbolic.RememberingStateUpdater("exact", standard, ActiveDevice)
    with symbolic.of_circuit(), pytest.raises(UnsupportedEquationsException, match="depend on each|too long"):
        updater(Equations(TOO_LARGE[name]), {})


def test_a_cell_that_is_too_large_falls_back_to_exponential_euler():
    """An adaptive cell with a synaptic current: of first order in the step, here and there."""
    text = "dv/dt = (E - v - w + s)/tm : volt\ndw/dt = (a*v - w)/tw : volt\nds/dt = -s/ts : volt"
    values = dict(E=5 * mV, a=0.5, tm=10 * ms, tw=50 * ms, ts=5 * ms)
    found = {}
    for method in ("exact", "exponential_euler"):
        cell = Cell("adaptive", text, params=values, method=method, init={"s": 3 * mV})
        net = Circuit(cells=population(cell, 1), record=[trace("cells", "v")])
        found[method] = engine.run(net, 20 * ms, backend="interpreted").traces["cells.v"].values
    np.testing.assert_array_equal(found["exact"], found["exponential_euler"])
    assert np.ptp(found["exact"]) > 1e-3


@pytest.mark.parametrize(
    "text",
    [
        "dv/dt = (E - v)/tau + mu : 1",
        "dv/dt = (E - v)/tau : 1\ndw/dt = v - w/tau : 1",
        "dv/dt = (R*I - v)/(R*C) : 1\nI : 1",
    ],
)
def test_a_time_constant_may_be_infinite(text):
    """A perfect integrator: nothing decays."""
    check_against_the_matrix_exponential(symbolic.regular_update, text, tau=np.inf, R=1e300)
    alone = "dv/dt = (E - v)/tau : 1"  # at rest everywhere: the usual text has a value
    check_against_the_matrix_exponential(symbolic.exact_update, alone, tau=np.inf)


@pytest.mark.parametrize("backend", ["interpreted", pytest.param("compiled", marks=pytest.mark.compiled)])
def test_a_resonator_rings_in_a_circuit(backend):
    cell = Cell(
        "resonator",
        "dv/dt = -(v + R*w)/tau : volt\ndw/dt = (v/R - w)/tau : amp",
        params=dict(tau=10 * ms, R=100 * Mohm),
        method="exact",
        init={"v": 5 * mV},
    )
    net = Circuit(cells=population(cell, 1), record=[trace("cells", "v")], dt=0.5 * ms)
    found = engine.run(net, 60 * ms, backend=backend).traces["cells.v"]
    t = found.t * 1e2
    np.testing.assert_allclose(1e3 * found.values[:, 0], 5 * np.exp(-t) * np.cos(t), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["leaky", "driven", "two traces", "repeated"])
def test_what_has_no_pole_keeps_the_usual_text(name):
    assert symbolic.regular_update(Equations(QUICK[name]), {}) is None


@pytest.mark.parametrize("backend", ["interpreted", pytest.param("compiled", marks=pytest.mark.compiled)])
def test_time_constants_may_meet_in_a_circuit(backend):
    """Membrane and current with the same time constant, or nearly: v = w (t/tau) exp(-t/tau) above rest."""
    cell = neurons.cuba(E_L=-60 * mV).but(g_e=9 * mV, g_i=-4 * mV)
    net = Circuit(cells=population(cell, 1), record=[trace("cells", "v")], dt=0.1 * ms)
    for tau_e, tau_i in ((20, 20), (20 * (1 + 1e-14), 20), (5, 20 * (1 - 1e-10))):
        numbers = {"cells.tau_e": tau_e * ms, "cells.tau_i": tau_i * ms}
        found = engine.run(net.but(numbers), 60 * ms, backend=backend).traces["cells.v"]
        t = found.t * 1e3
        excitation = 9 * (t / 20 * np.exp(-t / 20) if tau_e > 19 else (np.exp(-t / 20) - np.exp(-t / 5)) / 3)
        expected = -60 + excitation - 4 * t / 20 * np.exp(-t / 20)
        np.testing.assert_allclose(1e3 * found.values[:, 0], expected, rtol=0, atol=2e-9)


@pytest.mark.parametrize("count", range(2, exponentials.MOST + 1))
def test_divided_differences_of_the_exponential(count):
    """Against the corner of exp of the matrix with the points on its diagonal and 1 beside it (Opitz)."""
    draw = np.random.default_rng(count)
    points = -draw.uniform(0, 6, (12, count))
    points[:3, 1:] = points[:3, :1] * (1 + 1e-9 * draw.standard_normal((3, count - 1)))
    points[3:6, 1] = points[3:6, 0]
    points[6] = 0.0
    with mpmath.workdps(40):  # the routines in double precision have poles of their own here
        chains = [mpmath.matrix(np.diag(row) + np.eye(count, k=1)) for row in points]
        expected = [float(mpmath.expm(chain)[0, count - 1]) for chain in chains]
    np.testing.assert_allclose(exponentials.exp_difference(*points.T), expected, rtol=1e-13)
    assert exponentials.exp_difference(*([-1e5] * (count - 1)), -1.0) > 0


def check_against_the_matrix_exponential(update, text, **given):
    """A step against the exponential of the numerical matrix of X' = M X + B, 1."""
    equations = Equations(text)
    names = [key for key, _ in equations.get_substituted_expressions({})]
    draw = np.random.default_rng(sum(map(ord, text)))
    values = {key: draw.uniform(0.5, 1.5) for key in sorted(equations.identifiers | equations.names)}
    values |= {"ms": 0.001, "pi": np.pi, "dt": 0.1, "sin": np.sin, "exp": np.exp, "sqrt": np.sqrt}
    values |= {exponentials.NAME.format(k): exponentials.exp_difference for k in range(2, 7)}
    values |= {"exp_sinhc": exponentials.exp_sinhc} | given
    values.setdefault("exp_pair_difference", exponentials.exp_pair_difference)

    def derivative(state):
        at = values | dict(zip(names, state, strict=True))
        return np.array([eval(rhs.code, {}, at) for _, rhs in equations.get_substituted_expressions({})])

    size = len(names)
    system = np.zeros((size + 1, size + 1))
    system[:size, size] = derivative(np.zeros(size))
    system[:size, :size] = (np.array([derivative(unit) for unit in np.eye(size)]) - system[:size, size]).T
    start = draw.uniform(0.5, 1.5, size)
    expected = (expm(system * values["dt"]) @ [*start, 1.0])[:size]
    found = values | dict(zip(names, start, strict=True))
    exec(update(equations, {}), {}, found)
    np.testing.assert_allclose([found[key] for key in names], expected, rtol=1e-10)


CONDUCTANCES = {
    "one": "dv/dt = (E - v)/tm + g*(A - v)/c : 1\ndg/dt = -g/ts : 1",
    "two, of which one rises": """dv/dt = (E - v)/tm + g*(A - v)/c + h*(B - v)/c : 1
        dg/dt = (s - g)/ts : 1\nds/dt = -s/ts : 1\ndh/dt = (k - h)/tr : 1""",
    "without a leak": "dv/dt = I/c + g*(A - v)/c : 1\ndg/dt = -g/ts : 1\nI : 1",
    "two membranes": "dv/dt = -v/tm + g*(A - v)/c : 1\ndw/dt = (E + g*(B - w))/tr : 1\ndg/dt = -g/ts : 1",
}


@pytest.mark.parametrize("name", CONDUCTANCES)
def test_conductances_are_exact_and_what_they_drive_of_second_order(name):
    """One step against an adaptive integration: the error of v falls with the third power of the step."""
    equations = Equations(CONDUCTANCES[name])
    names = [key for key, _ in equations.get_substituted_expressions({})]
    draw = np.random.default_rng(7)
    values = {key: draw.uniform(0.5, 1.5) for key in sorted(equations.identifiers | equations.names)}
    values |= {exponentials.NAME.format(k): exponentials.exp_difference for k in range(2, 7)}
    values |= {"exp": np.exp, "exprel": exprel, "A": 5.0, "B": -2.0}
    start, code = draw.uniform(0.5, 1.5, len(names)), symbolic.averaged_update(equations, {})

    def derivative(_, state):
        at = values | dict(zip(names, state, strict=True))
        return [eval(rhs.code, {}, at) for _, rhs in equations.get_substituted_expressions({})]

    off = {}
    for dt in (0.1, 0.05):
        solved = solve_ivp(derivative, (0, dt), start, rtol=1e-12, atol=1e-12).y[:, -1]
        found = values | dict(zip(names, start, strict=True)) | {"dt": dt}
        exec(code, {}, found)
        off[dt] = {key: abs(found[key] - one) for key, one in zip(names, solved, strict=True)}
    for key in names:
        if key in "vw":
            assert 6.5 < off[0.1][key] / off[0.05][key] < 9.5
        else:
            assert off[0.1][key] < 1e-11


def test_a_membrane_without_leak_and_conductance_stays():
    """Exponential Euler divides 0 by 0 there."""
    at = dict(v=0.3, g=0.0, I=0.0, A=1.0, c=1.0, ts=1.0, dt=0.1, exp=np.exp, exprel=exprel)
    exec(symbolic.averaged_update(Equations(CONDUCTANCES["without a leak"]), {}), {}, at)
    assert at["v"] == 0.3


@pytest.mark.parametrize(
    "text",
    [
        SLOW["cuba"],  # linear: exact
        "dv/dt = (g*(E - v) - w - v)/tm : 1\ndw/dt = (v - w)/tw : 1\ndg/dt = -g/ts : 1",  # v and w circle
        "dv/dt = (g*(E - v) - v**2)/tm : 1\ndg/dt = -g/ts : 1",
        "dv/dt = (g*(E - v) - v)/tm : 1\ndg/dt = h/ts : 1\ndh/dt = -g/ts : 1",  # g and h in a circle
        "dv/dt = (sin(t) - v)/tm : 1\ndg/dt = -g/ts : 1",
    ],
)
def test_what_has_no_averages_is_left_to_exponential_euler(text):
    assert symbolic.averaged_update(Equations(text), {}) is None


@pytest.mark.parametrize(
    "text, level, said",
    [
        (TOO_LARGE["adaptive, with a current"], "WARNING", ["s, v, w", "'exact'", "'exponential_euler'"]),
        ("dv/dt = (k*w - v)/tm : 1\ndw/dt = -v*w/tw : 1", "INFO", ["v, w", "'exact'", "'exponential_euler'"]),
    ],
)
def test_the_log_says_what_takes_the_place_of_a_method(text, level, said, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("PLASTICA_CACHE", str(tmp_path / "cache"))
    updater = symbolic.RememberingStateUpdater("exact", standard, ActiveDevice)
    with caplog.at_level("INFO", "plastica"), symbolic.of_circuit():
        for _ in range(2):  # computed, and taken from disk
            caplog.clear()
            with pytest.raises(UnsupportedEquationsException):
                updater(Equations(text), {})
            [record] = [one for one in caplog.records if one.name == "plastica"]
            assert record.levelname == level
            assert all(part in record.getMessage() for part in said)


@pytest.mark.parametrize(
    "text",
    [
        "dv/dt = -v**2/tau : 1",  # not linear
        "dv/dt = -w/tau : 1\ndw/dt = v/tau : 1",  # complex
        "dv/dt = 1/second : 1",  # singular
        "dv/dt = (sin(t) - v)/tau : 1",  # changes within a step
        "dv/dt = -v/tau + xi*tau**-0.5 : 1",  # stochastic
        "da/dt = b/t1 : 1\ndb/dt = c/t2 : 1\ndc/dt = -a/t3 - b/t3 : 1",  # three that depend on each other
        "v : 1",
    ],
)
def test_what_is_not_covered_is_left_to_the_standard_updater(text):
    assert symbolic.exact_update(Equations(text), {}) is None


class ActiveDevice:
    pass


@pytest.fixture
def remembering(tmp_path, monkeypatch):
    """A remembering updater around one that counts its calls."""
    monkeypatch.setenv("PLASTICA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(symbolic, "get_device", ActiveDevice)

    class Counting(StateUpdateMethod):
        calls = 0

        def __call__(self, equations, variables=None, method_options=None):
            self.calls += 1
            if "refused" in equations.names:
                raise UnsupportedEquationsException("No.")
            return f"code {self.calls}"

    return lambda: symbolic.RememberingStateUpdater("euler", Counting(), ActiveDevice)


def test_results_are_kept_for_the_next_process(remembering):
    equations = Equations("dv/dt = -v/tau : 1")
    first, second_process = remembering(), remembering()
    assert first(equations, {}) == second_process(equations, {}) == "code 1"
    assert first.standard.calls == 1 and second_process.standard.calls == 0


def test_a_refusal_is_kept_too(remembering):
    equations = Equations("drefused/dt = -refused/tau : 1")
    first, second_process = remembering(), remembering()
    for updater in (first, second_process):
        with pytest.raises(UnsupportedEquationsException, match="No."):
            updater(equations, {})
    assert second_process.standard.calls == 0


def test_another_device_is_not_affected(remembering, monkeypatch):
    updater = remembering()
    updater.device_class = int
    assert updater(Equations("dv/dt = -v/tau : 1")) == "code 1"
    assert updater(Equations("dv/dt = -v/tau : 1")) == "code 2"


def test_all_ways_to_an_exact_update_are_the_remembering_one():
    from brian2.synapses import synapses

    from engine import device

    device.register()
    assert isinstance(StateUpdateMethod.stateupdaters["exact"], symbolic.RememberingStateUpdater)
    assert synapses.linear is StateUpdateMethod.stateupdaters["linear"]


HODGKIN = """
dv/dt = (g*m**3*h*(E - v) - v)/tau : 1
dm/dt = (1 - m)*exprel(v) - m*exp(v/3) : 1
dh/dt = (1 - h)*exp(-v) - h/(1 + exp(-v)) : 1
dx/dt = (y**2 - y)/tau : 1
dy/dt = -y/tau : 1
"""


def test_equations_that_depend_on_themselves_linearly_are_kept_one_by_one(tmp_path, monkeypatch):
    """The text is Brian2's; after one equation changed, the others are not computed again."""
    monkeypatch.setenv("PLASTICA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(symbolic, "get_device", ActiveDevice)
    updater = symbolic.RememberingStateUpdater("exponential_euler", exponential_euler, ActiveDevice)
    for changed, files in ((HODGKIN, 6), (HODGKIN.replace("exp(-v) - h", "exp(-2*v) - h"), 8)):
        equations = Equations(changed)
        assert updater(equations, {}) == exponential_euler(equations, {})
        assert len(list((tmp_path / "cache" / "symbolic").iterdir())) == files


@pytest.mark.parametrize("rate", ["v - v**3", "1 - v*v/tau", "exp(v)", "v*(1 - v)"])
def test_what_is_not_linear_is_refused(tmp_path, monkeypatch, rate):
    monkeypatch.setenv("PLASTICA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(symbolic, "get_device", ActiveDevice)
    updater = symbolic.RememberingStateUpdater("exponential_euler", exponential_euler, ActiveDevice)
    with pytest.raises(UnsupportedEquationsException):
        updater(Equations(f"dv/dt = {rate} : 1"), {})


def test_a_damaged_file_is_computed_again(remembering, tmp_path):
    equations = Equations("dv/dt = -v/tau : 1")
    remembering()(equations, {})
    (path,) = (tmp_path / "cache" / "symbolic").iterdir()
    for damage in ("{", '{"other": 1}', "[]"):
        path.write_text(damage)
        assert remembering()(equations, {}) == "code 1"
        assert json.loads(path.read_text()) == {"code": "code 1"}


def test_the_key_has_every_input(monkeypatch):
    def key(name="euler", text="dv/dt = (I + f(t) - v)/tau : 1\nI : 1", options=(), updater="x", **variables):
        described = symbolic._described(Equations(text))
        return symbolic._key(name, updater, *described, variables, list(options))

    group = NeuronGroup(1, "v : 1\nk : 1 (constant)\ns : 1 (shared)\nn : integer")
    clock = {"dt": group.variables["dt"]}
    slow, fast = TimedArray([1, 2], dt=1 * second), TimedArray([1, 2], dt=1e-6 * second)
    noisy = Function(lambda x: x, arg_units=[None], return_unit=1, stateless=False)
    keys = [
        key(),
        key(name="rk2"),
        key(updater="y"),
        key(text="dv/dt = (I + f(t) - 2*v)/tau : 1\nI : 1"),
        key(text="dv/dt = (I + f(t) - v)/tau : 1\nI = 3 : 1"),
        key(text="dv/dt = (I + f(t) - v)/tau : 1\nI : 1 (constant)"),
        key(options=[("simplify", False)]),
        key(I=group.variables["v"]),
        key(I=group.variables["k"]),
        key(I=group.variables["s"]),
        key(I=group.variables["n"]),
        key(f=slow),
        key(f=slow, **clock),
        key(f=fast, **clock),
        key(f=noisy),
        key(**clock),
    ]
    monkeypatch.setitem(DEFAULT_FUNCTIONS, "mine", noisy)
    keys.append(key())
    monkeypatch.setattr(symbolic, "_versions", lambda: "other versions")
    keys.append(key())
    assert len(set(keys)) == len(keys)
    assert key() == key() and key(unrelated=group.variables["v"]) == key()
