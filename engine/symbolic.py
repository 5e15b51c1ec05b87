"""Symbolic results that are kept on disk, and the exact update of linear equations without a Jordan form.

Most of the time in which Brian2 generates a program goes into symbolic algebra, the exponential of a matrix
above all. What a state updater returns is a text that depends on the equations, on the kinds of the variables
in them and on versions: it is kept in the cache folder `symbolic` under a key of all these. What is computed
anew for linear equations is computed directly:

    dX/dt = M X + B      X(t + dt) = exp(M dt) (X + b) - b,   b = M^-1 B

where the equations can be ordered such that each depends on earlier ones only (M triangular), they are solved
one after the other; two equations that depend on each other have the eigenvalues of a quadratic equation. The
matrix then goes through the same simplifications as in Brian2, so that the text comes out the same, letter by
letter; anything else is left to Brian2.

That text divides by differences of rates and by rates: it has no value where two time constants are equal.
In circuits, whose numbers are open at run time, it is written in another way wherever that can happen (see
`regular_update`).

A conductance makes the equation of a membrane non-linear, although each of the two is linear in itself. In
circuits "exact" then solves the conductances exactly and gives the membrane their averages over the step (see
`averaged_update`). Where it cannot do even that, the log says so.
"""

import ast
import functools
import hashlib
import json
import logging
import math
import re
import sys
from contextlib import contextmanager
from pathlib import Path

import brian2
import sympy
from brian2.core.functions import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS, Function
from brian2.devices.device import get_device
from brian2.parsing.sympytools import str_to_sympy, sympy_to_str
from brian2.stateupdaters.base import StateUpdateMethod, UnsupportedEquationsException
from brian2.stateupdaters.exact import LinearStateUpdater, get_linear_system, is_constant_over_dt
from brian2.utils.logger import get_logger

from . import brian_versions, exponentials
from .cache import cache_folder
from .errors import CacheError
from .toolchain import digest, write_atomically

logger = get_logger("brian2.fast_standalone")
notes = logging.getLogger("plastica")

# State updaters whose result is a text that depends on what `_key` covers, and on nothing else.
REMEMBERED = ("exact", "linear", "exponential_euler", "euler", "rk2", "rk4", "milstein", "heun")


# What is tried next for cells (`circuits.cell.METHODS`), and its error.
_FOLLOWERS = {
    "exact": "'exponential_euler', of first order in the time step",
    "exponential_euler": "'rk2', of second order in the time step",
}

_circuit = False  # whether a circuit is being built


@contextmanager
def of_circuit():
    """Here results are kept on disk, and taken from there, for Brian2's runtime device as well, and exact
    updates have a value for any time constants.
    """
    global _circuit
    before, _circuit = _circuit, True
    try:
        yield
    finally:
        _circuit = before


def _refuse_dropped_terms(name, expression, variables):
    """Brian2 takes v - v**3 for linear in v and forgets the cube: refuse it."""
    if _degree(ast.parse(expression.code, mode="eval").body, name) <= 1:
        return  # seen without algebra
    variable = sympy.Symbol(name, real=True)
    text = str_to_sympy(expression.code, variables).expand()
    powers = set(sympy.collect(text, variable, evaluate=False)) if text.has(variable) else set()
    if powers - {variable, sympy.S.One}:
        raise UnsupportedEquationsException(f"The equation of {name} is not linear in {name}.")


class _Alone:
    """One differential equation, for a state updater."""

    is_stochastic = False

    def __init__(self, name, expression):
        self.only = [(name, expression)]

    def get_substituted_expressions(self, variables=None):
        return self.only


def _degree(node, name):
    """The highest power of a variable in an expression as it is written; infinity: perhaps no polynomial."""
    if isinstance(node, ast.Name):
        return 1 if node.id == name else 0
    if isinstance(node, ast.BinOp):
        left, right = _degree(node.left, name), _degree(node.right, name)
        if isinstance(node.op, ast.Add | ast.Sub):
            return max(left, right)
        if isinstance(node.op, ast.Mult):
            return left + right
        if isinstance(node.op, ast.Div) and right == 0:
            return left
        return math.inf if left or right else 0
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        return _degree(node.operand, name)
    return math.inf if any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node)) else 0


class RememberingStateUpdater(StateUpdateMethod):
    """A state updater of Brian2 whose results are kept on disk, under `device_class` or in `of_circuit`."""

    def __init__(self, name, standard, device_class):
        self.name, self.standard, self.device_class = name, standard, device_class

    def __call__(self, equations, variables=None, method_options=None):
        if not (_circuit or isinstance(get_device(), self.device_class)):
            return self.standard(equations, variables, method_options)
        path = self._path(equations, variables or {}, method_options)
        kept = _read(path)
        if kept is None:
            try:
                kept = {"code": self._compute(equations, variables, method_options)}
            except UnsupportedEquationsException as reason:
                kept = {"unsupported": str(reason)}
            _write(path, kept)
        if "unsupported" in kept:
            self._say_what_follows(equations, variables or {}, kept["unsupported"])
            raise UnsupportedEquationsException(kept["unsupported"])
        return kept["code"]

    def _say_what_follows(self, equations, variables, reason):
        """A line in the log for a cell of a circuit whose method does not go: which method takes its place.

        A warning where a person would expect an exact step, since all equations are linear. Equations of
        synapses are tried for an exact step whatever they are.
        """
        follower = _FOLLOWERS.get(self.name)
        names = sorted(equations.diff_eq_names)
        if not _circuit or follower is None or not names or "_synaptic_pre" in variables:
            return
        if equations.is_stochastic:
            follower = "a method for noise"
        linear = self.name == "exact" and _constant_system(equations, variables) is not None
        notes.log(
            logging.WARNING if linear else logging.INFO,
            "A cell of the circuit with the equations of %s cannot be integrated by the method %r: %s In its "
            "place comes %s.", ", ".join(names), self.name, reason.rstrip(".") + ".", follower,
        )  # fmt: skip

    def _compute(self, equations, variables, method_options):
        if isinstance(self.standard, LinearStateUpdater) and not method_options:
            code = None
            if _circuit:
                code = regular_update(equations, variables or {})
                if code is None:
                    code = averaged_update(equations, variables or {})
            if code is None:
                code = exact_update(equations, variables or {})
            if code is not None:
                return code
        if self.name == "exponential_euler" and not method_options and not equations.is_stochastic:
            return self._equation_by_equation(equations, variables or {})
        return self.standard(equations, variables, method_options)

    def _equation_by_equation(self, equations, variables):
        """The update of conditionally linear equations, of which each is kept by itself: one may change."""
        updates, assignments = [], []
        for name, expression in equations.get_substituted_expressions(variables):
            described = [(name, expression.code)]
            path = self._path_of(described, expression.identifiers, variables, [])
            kept = _read(path)
            if kept is None or "code" not in kept:
                _refuse_dropped_terms(name, expression, variables)
                kept = {"code": self.standard(_Alone(name, expression), variables)}
                _write(path, kept)
            *lines, last = kept["code"].split("\n")
            updates += lines
            assignments.append(last)
        return "\n".join(updates + assignments)

    def _path(self, equations, variables, method_options):
        return self._path_of(*_described(equations), variables, sorted((method_options or {}).items()))

    def _path_of(self, described, identifiers, variables, options):
        folder = _folder()
        if folder is None:
            return None
        try:
            name = f"{self.name} of a circuit" if _circuit else self.name
            key = _key(name, self.standard, described, identifiers, variables, options)
            return folder / f"{key}.json"
        except Exception as reason:  # a kind of variable that the key does not know: computed, not kept
            logger.debug(f"State update not kept on disk: {reason!r}")
            return None

    def __repr__(self):
        return repr(self.standard)


def register(device_class):
    """Put remembering state updaters in the places of Brian2's; under another device they only pass on."""
    known = StateUpdateMethod.stateupdaters
    for name in REMEMBERED:
        standard = known.get(name)
        if standard is not None and not isinstance(standard, RememberingStateUpdater):
            known[name] = RememberingStateUpdater(name, standard, device_class)
    exponentials.register()
    # Equations of synapses that are solved between events do not go through the table.
    for module in brian_versions.modules_with_exact_updates():
        module.linear = known["linear"]


def exact_update(equations, variables):
    """The abstract code of an exact step of linear equations, as Brian2's "exact" writes it, or None.

    Covered are equations of which each depends on itself and on earlier ones in some order, and two equations
    that depend on each other, with coefficients that are constant over a time step and a matrix M that is not
    singular.
    """
    system = _constant_system(equations, variables)
    if system is None:
        return None
    names, matrix, constants = system
    symbols = [sympy.Symbol(name, real=True) for name in names]
    fixed_point = sympy.solve_linear_system(matrix.row_join(constants), *symbols)
    if fixed_point is None or set(symbols) != set(fixed_point):
        return None
    dt = sympy.Symbol("dt", real=True, positive=True)
    flow = exponential(matrix, dt)
    if flow is None:
        return None
    flow = flow.applyfunc(lambda entry: sympy.factor_terms(sympy.cancel(sympy.signsimp(entry))))
    b = sympy.ImmutableMatrix([fixed_point[symbol] for symbol in symbols])
    shift = sympy.ImmutableMatrix(flow * b) - b
    if any(entry.has(sympy.I, sympy.re, sympy.im) for entry in [*flow, *shift]):
        return None
    state = [sympy.sympify(name) for name in names]  # as in Brian2, where "I" becomes the imaginary unit here
    lines = []
    for row, name in enumerate(names):
        update = sympy.Add(*[flow[row, column] * state[column] for column in range(len(names))], shift[row])
        lines.append(f"_{name} = {sympy_to_str(update)}")
    return "\n".join(lines + [f"{name} = _{name}" for name in names])


def _constant_system(equations, variables):
    """(names, M, B) of equations dX/dt = M X + B whose M and B are constant over a time step, or None."""
    if equations.is_stochastic:
        return None
    try:
        names, matrix, constants = get_linear_system(equations, variables)
    except UnsupportedEquationsException:
        return None
    if not names:
        return None
    dt_value = variables["dt"].get_value()[0] if "dt" in variables else None
    if not all(is_constant_over_dt(entry, variables, dt_value) for entry in [*matrix, *constants]):
        return None
    return names, matrix, constants


def regular_update(equations, variables):
    """The abstract code of an exact step that has a value whatever the rates are, or None.

    B counts as the effect of a further variable, 1, that never changes. Equations that can be ordered such
    that each depends on itself and earlier ones only then form chains, and

        X_i(t + dt) = sum_j X_j(t) sum_paths m_1 ... m_k dt**k exp[r_j dt, ..., r_i dt]

    over all paths from j to i through variables with the rates r (diagonal entries of M), m being the entries
    of M and B along the path and exp[...] the divided difference of the exponential (see `exponentials`).

    Two equations that depend on each other: see `_pair_update`. Left to the usual text (None) are equations
    for which that text divides by nothing but what the equations divide by: those where all rates along each
    path are the same, and none can be 0 where it matters.

    Raises
    ------
    UnsupportedEquationsException
        For a system of three or more equations that cannot be ordered (two of them depend on each other, or
        more in a circle), and for paths through more than `exponentials.MOST` variables, the 1 included, that
        would need divided differences. "exact" then falls back to the next method of a cell: exponential
        Euler. Seen from which entries of M are 0 alone; the algebra for it may take hours.
    """
    system = _constant_system(equations, variables)
    if system is None:
        return None
    names, matrix, constants = system
    size = len(names)
    order = _evaluation_order(matrix)
    if order is None and size == 2:
        return _pair_update(names, matrix, constants)
    if order is None:
        raise UnsupportedEquationsException(f"Too many equations depend on each other: {', '.join(names)}.")
    rates = _distinct([*(matrix[k, k] for k in range(size)), sympy.S.Zero])
    mixed = any(
        matrix[row, k] != 0 and rates[row] != rates[k] for row in range(size) for k in range(size) if k != row
    )
    if not (mixed or _can_vanish(matrix, constants, order)):
        return None
    whole = matrix.row_join(constants).col_join(sympy.zeros(1, size + 1))
    if _longest_path(whole, order) > exponentials.MOST:
        raise UnsupportedEquationsException(f"A chain of equations is too long: {', '.join(names)}.")
    paths = {(row, start): _paths(whole, start, row) for row in range(size) for start in range(size + 1)}
    dt = sympy.Symbol("dt", real=True, positive=True)
    state = [*(sympy.sympify(name) for name in names), sympy.S.One]
    lines = []
    for row, name in enumerate(names):
        update = sympy.S.Zero
        for start in range(size + 1):
            for path in paths[row, start]:
                along = sympy.Mul(*[whole[b, a] for a, b in zip(path, path[1:], strict=False)])
                update += state[start] * along * _flow([rates[k] * dt for k in path], dt)
        lines.append(f"_{name} = {sympy_to_str(update)}")
    return "\n".join(lines + [f"{name} = _{name}" for name in names])


def _pair_update(names, matrix, constants):
    """The same for two equations that depend on each other, whose rates may be complex.

    With F = M X + B, the mean s of the diagonal of M, q = s**2 - det M, and r = s +- sqrt(q) for the rates,

        X(t + dt) = X + dt (exp[r dt] F - dt exp[0, r dt] adj(M) F)

    where exp[r dt] and exp[0, r dt] are over both rates and adj(M) = 2 s - M. Nothing is divided by, so that
    M may be singular.
    """
    dt = sympy.Symbol("dt", real=True, positive=True)
    (a, b), (c, d) = matrix.tolist()
    arguments = (a + d) / 2 * dt, (((a - d) / 2) ** 2 + b * c) * dt**2
    between = sympy.Function("exp_sinhc", real=True)(*arguments)
    from_rest = dt * sympy.Function("exp_pair_difference", real=True)(*arguments)
    x, y = (sympy.sympify(name) for name in names)
    f, g = a * x + b * y + constants[0], c * x + d * y + constants[1]
    updates = (
        x + dt * (between * f - from_rest * (d * f - b * g)),
        y + dt * (between * g - from_rest * (a * g - c * f)),
    )
    lines = [f"_{name} = {sympy_to_str(update)}" for name, update in zip(names, updates, strict=True)]
    return "\n".join(lines + [f"{name} = _{name}" for name in names])


def averaged_update(equations, variables):
    """The abstract code of a step of second order for equations that a conductance makes non-linear, or None.

    Variables whose equations are linear, have constant coefficients and depend on each other alone, such as
    conductances, take their exact steps. Each other variable v with dv/dt = a v + b, where a and b depend on
    those g and on nothing else that moves, takes the step

        v(t + dt) = v + dt (a v + b) exprel(a dt),     exprel(x) = (exp(x) - 1)/x

    with the averages of g over the step in a and b. Exponential Euler is the same with g at its start: of
    first order, a conductance being dt/(2 tau) too large. Its error here is of second order, and nothing is
    divided by a.

    None for equations of another form: all linear, or v that depend on each other or on a chain of g that is
    too long, or g that do.
    """
    if equations.is_stochastic:
        return None
    dt_value = variables["dt"].get_value()[0] if "dt" in variables else None
    rates, texts = {}, dict(equations.get_substituted_expressions(variables))
    for name, expression in texts.items():
        rates[sympy.Symbol(name, real=True)] = str_to_sympy(expression.code, variables).expand()

    steps = (sympy.core.relational.Relational, sympy.logic.boolalg.BooleanFunction)
    if any(step.free_symbols & set(rates) for rate in rates.values() for step in rate.atoms(*steps)):
        return None  # a condition on a variable has no slope

    def constant(entry):
        return not entry.free_symbols & set(rates) and is_constant_over_dt(entry, variables, dt_value)

    def rest(symbol, among):
        return rates[symbol].subs(dict.fromkeys(among, 0))

    inner = set(rates)
    while True:
        kept = {
            g for g in inner
            if all(constant(rates[g].diff(other)) for other in inner) and constant(rest(g, inner))
        }  # fmt: skip
        if kept == inner:
            break
        inner = kept
    outer = [v for v in rates if v not in inner]
    if not inner or not outer:
        return None
    for v in outer:
        slope = rates[v].diff(v)
        moving = (slope.free_symbols | rates[v].subs(v, 0).free_symbols) & set(rates)
        if not moving or moving - inner:
            return None
    inner = [g for g in rates if g in inner]
    matrix = sympy.Matrix(len(inner), len(inner), lambda i, j: rates[inner[i]].diff(inner[j]))
    constants = sympy.Matrix([rest(g, inner) for g in inner])
    order = _evaluation_order(matrix)
    if order is None:
        return None
    whole = matrix.row_join(constants).col_join(sympy.zeros(1, len(inner) + 1))
    if _longest_path(whole, order) >= exponentials.MOST:
        return None
    points = _distinct([*(matrix[k, k] for k in range(len(inner))), sympy.S.Zero])
    dt, exprel = sympy.Symbol("dt", real=True, positive=True), sympy.Function("exprel", real=True)
    state, lines = [*inner, sympy.S.One], []
    for row, g in enumerate(inner):
        update = average = sympy.S.Zero
        for start in range(len(inner) + 1):
            for path in _paths(whole, start, row):
                along = state[start] * sympy.Mul(*[whole[b, a] for a, b in zip(path, path[1:], strict=False)])
                along_path = [points[k] * dt for k in path]
                update += along * _flow(along_path, dt)
                # what has been there adds up in one more variable, which does not decay
                total = _flow([*along_path, sympy.S.Zero], dt) / dt
                average += along * (exprel(along_path[0]) if len(path) == 1 else total)
        lines += [f"_{g} = {sympy_to_str(update)}", f"_average_{g} = {sympy_to_str(average)}"]
    averages = {g: sympy.Symbol(f"_average_{g}", real=True) for g in inner}
    for v in outer:
        rate = rates[v].subs(averages)
        lines.append(f"_{v} = {sympy_to_str(v + dt * rate * exprel(rate.diff(v) * dt))}")
    return "\n".join(lines + [f"{name} = _{name}" for name in texts])


def _longest_path(whole, order):
    """Variables, 1 included, on the longest path through a matrix that is triangular in this order."""
    size = len(order)
    longest = {size: 1}
    for row in order:
        longest[row] = 1 + max((longest[k] for k in longest if whole[row, k] != 0), default=0)
    return max(longest.values())


def _can_vanish(matrix, constants, order):
    """Whether a rate is 0 for some values at which the fixed point, which the usual text has, is infinite.

    A rate of one over something is 0 where that is infinite: this matters if the fixed point grows with it.
    """
    fixed = {}
    for row in order:
        rate = sympy.together(matrix[row, row])
        if rate == 0 or sympy.numer(rate).free_symbols:
            return True
        drive = constants[row] + sum(matrix[row, k] * fixed[k] for k in fixed)
        fixed[row] = sympy.cancel(-drive / rate)
        if sympy.numer(fixed[row]).free_symbols & sympy.denom(rate).free_symbols:
            return True
    return False


def _paths(matrix, start, end):
    """All ways from one variable to another along the entries of a matrix that has no loops but of one."""
    if start == end:
        return [[end]]
    found = []
    for before in range(matrix.rows):
        if before != end and matrix[end, before] != 0:
            found += [[*path, end] for path in _paths(matrix, start, before)]
    return found


def _flow(points, dt):
    """dt**k exp[points], by the exponential alone where the points are the same."""
    k = len(points) - 1
    if len(set(points)) == 1:
        return dt**k * sympy.exp(points[0]) / sympy.factorial(k)
    return dt**k * sympy.Function(exponentials.NAME.format(k + 1), real=True)(*points)


def exponential(matrix, dt):
    """exp(M dt), not simplified, of a matrix that is triangular after a reordering, or 2 x 2; else None."""
    order = _evaluation_order(matrix)
    if order is not None:
        result = _triangular_exponential(matrix, dt, order)
    elif matrix.rows == 2:
        result = _coupled_exponential(matrix * dt)
    else:
        return None
    if result is not None and all(entry.is_real for entry in (matrix * dt).values()):
        result = sympy.re(result)
    return result


def _evaluation_order(matrix):
    """The equations in an order in which each depends on itself and earlier ones only, or None."""
    size, order = matrix.rows, []
    while len(order) < size:
        ready = [
            row
            for row in range(size)
            if row not in order
            and all(matrix[row, k] == 0 for k in range(size) if k != row and k not in order)
        ]
        if not ready:
            return None
        order += ready
    return order


def _triangular_exponential(matrix, dt, order):
    """Column j is the solution that starts at e_j: variables are sums of c t^p exp(mu t), as {(mu, p): c}.

    A term c t^p exp(mu t) that drives a variable with own rate lambda adds the integral of c s^p exp(mu s +
    lambda (t - s)) over s from 0 to t, which is c t^(p+1)/(p+1) exp(lambda t) for mu = lambda and otherwise,
    with d = mu - lambda, c p! [exp(mu t) sum_q (-1)^(p-q) t^q d^(q-p-1) / q!  -  (-1)^p exp(lambda t)
    d^(-p-1)].
    """
    size = matrix.rows
    rate = _distinct([matrix[k, k] for k in range(size)])
    result = sympy.zeros(size, size)
    for start in range(size):
        solution = {}
        for row in order:
            terms = {}

            def add(mu, power, factor, terms=terms):
                terms[mu, power] = terms.get((mu, power), 0) + factor

            if row == start:
                add(rate[row], 0, sympy.S.One)
            for column, driver in solution.items():
                if matrix[row, column] == 0:
                    continue
                for (mu, power), factor in driver.items():
                    factor = factor * matrix[row, column]
                    if mu == rate[row]:
                        add(mu, power + 1, factor / (power + 1))
                        continue
                    d, all_factor = mu - rate[row], sympy.factorial(power)
                    for q in range(power + 1):
                        sign = (-1) ** (power - q)
                        add(mu, q, sign * factor * all_factor / sympy.factorial(q) * d ** (q - power - 1))
                    add(rate[row], 0, -((-1) ** power) * factor * all_factor * d ** (-power - 1))
            solution[row] = terms
        for row, terms in solution.items():
            sums = [factor * dt**power * sympy.exp(mu * dt) for (mu, power), factor in terms.items()]
            result[row, start] = sympy.Add(*sums)
    return result


def _distinct(rates):
    """The same rates, those that are equal in value written in the same way."""
    found = []
    for rate in rates:
        found.append(next((other for other in found if _equal(rate, other)), rate))
    return found


def _equal(a, b):
    if a == b:
        return True
    # Two rational functions that differ at one point differ; where they agree, algebra decides.
    difference = a - b
    symbols = sorted(difference.free_symbols, key=str)
    primes = [sympy.prime(40 + k) for k in range(len(symbols))]
    value = difference.subs(dict(zip(symbols, primes, strict=True)))
    if value.is_Rational and value != 0:
        return False
    return sympy.cancel(difference) == 0


def _coupled_exponential(matrix):
    """P exp(D) P^-1 of a 2 x 2 matrix that is not triangular; columns of P are (-b / (a - lambda), 1)."""
    a, b = matrix[0, 0], matrix[0, 1]
    first, second = matrix.eigenvals(multiple=True)
    if _equal(first, second):
        return None
    # Columns and inverse as Brian2's route through the Jordan form has them, for the same text in the end.
    columns = sympy.Matrix([[-b / (a - first), -b / (a - second)], [1, 1]])
    exponentials = sympy.diag(sympy.exp(first), sympy.exp(second))
    return columns.multiply(exponentials, dotprodsimp=None).multiply(columns.inv(), dotprodsimp=None)


# ---- keys and files
# -------------------------------------------------------------------------------------------------


@functools.cache
def _versions():
    source = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return source, brian2.__version__, sympy.__version__, sys.version_info[:2]


def _described(equations):
    """(what tells equations apart, the identifiers in them)."""
    described, identifiers = [], set()
    for equation in equations.values():
        code = None if equation.expr is None else equation.expr.code
        if code is not None:
            identifiers |= equation.expr.identifiers
        flags = sorted(str(flag) for flag in equation.flags)
        described.append((equation.varname, equation.type, equation.var_type, code, flags))
    return described, identifiers


def _key(name, standard, described, identifiers, variables, options):
    """A key of all that the result depends on.

    Raises
    ------
    Exception
        If something among it is of an unknown kind.
    """
    dt = _dt_value(variables)
    kinds = [
        (identifier, _kind(variables.get(identifier), dt)) for identifier in sorted({"dt", "t", *identifiers})
    ]
    functions = [(key, _text(value.sympy_func)) for key, value in sorted(DEFAULT_FUNCTIONS.items())]
    constants = [(key, _text(value.sympy_obj)) for key, value in sorted(DEFAULT_CONSTANTS.items())]
    parts = (_versions(), name, _text(standard), described, kinds, dt is None, options, functions, constants)
    return digest(*parts)[:40]


def _text(thing):
    """What an object shows of itself, without its address in memory."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", str(thing))


def _dt_value(variables):
    return variables["dt"].get_value()[0] if "dt" in variables else None


def _kind(variable, dt):
    if variable is None:
        return None
    if isinstance(variable, Function):
        constant = None if dt is None else bool(variable.is_locally_constant(dt))
        return type(variable).__name__, bool(variable.stateless), _text(variable.sympy_func), constant
    return (
        type(variable).__name__,
        bool(variable.constant),
        bool(variable.scalar),
        bool(variable.read_only),
        str(variable.dtype),
    )


def _folder():
    try:
        return cache_folder("symbolic")
    except CacheError as error:
        logger.debug(f"Symbolic results are not kept: {error}")
        return None


def _read(path):
    if path is None:
        return None
    try:
        kept = json.loads(path.read_text())
        if set(kept) == {"code"} or set(kept) == {"unsupported"}:
            return kept
    except (OSError, ValueError, TypeError):
        pass
    return None


def _write(path, kept):
    if path is None:
        return
    try:
        write_atomically(path, json.dumps(kept))
    except OSError as error:
        logger.debug(f"Symbolic result not kept: {error}")
