"""Divided differences of the exponential, as functions that equations of Brian2 can call.

What flows in a time h along a chain of linear equations with the rates r_0, ..., r_k is a number times

    h**k exp[x_0, ..., x_k],   x_i = r_i h,   exp[x] = exp(x),
    exp[x_0, ..., x_k] = (exp[x_1, ..., x_k] - exp[x_0, ..., x_{k-1}])/(x_k - x_0)

and exp(x)/k! where all arguments are x. Written out in exponentials this has a pole wherever two rates are
equal, and loses digits near it; the functions here have none, whatever the order of their arguments:
`exp_difference_2(x, y)` to `exp_difference_6(...)`. Arguments that span more than `_NEAR` are reduced by the
recursion above (sorted, so that at most a factor (k/2)**k of the rounding error is gained), others summed as

    exp[x_0, ..., x_k] = exp(c) sum_n h_n(x_0 - c, ..., x_k - c)/(n + k)!

with the complete homogeneous symmetric polynomials h_n and c in the middle of the arguments.

Two equations that depend on each other have the rates s +- sqrt(q), which may be complex. Their step is a
sum of two functions of s and q that are real and smooth for any sign of q: `exp_sinhc(s, q)` =
exp[s + sqrt(q), s - sqrt(q)] = exp(s) sinh(sqrt(q))/sqrt(q), and `exp_pair_difference(s, q)` =
exp[0, s + sqrt(q), s - sqrt(q)].
"""

import functools
import math

import numpy as np

MOST = 6
NAME = "exp_difference_{}"
_NEAR = 2.0
_TERMS = 20  # the last one is below 1e-17 of the first where no argument is further than 1 from the middle

_CODE = """
#include <math.h>
static inline double _exp_differences(const double* x, int k)
{
    if (k == 0) return exp(x[0]);
    const double span = x[k] - x[0];
    if (span > NEAR)
        return (_exp_differences(x + 1, k - 1) - _exp_differences(x, k - 1))/span;
    const double middle = 0.5*(x[0] + x[k]);
    double powers[MOST] = {1.0};
    for (int i = 1; i <= k; i++) powers[i] = 1.0;
    double factor = 1.0, sum = 0.0;
    for (int i = 2; i <= k; i++) factor /= i;
    for (int n = 0; n < TERMS; n++)
    {
        sum += powers[k]*factor;
        factor /= n + 1 + k;
        powers[0] *= x[0] - middle;
        for (int i = 1; i <= k; i++) powers[i] = powers[i - 1] + (x[i] - middle)*powers[i];
    }
    return exp(middle)*sum;
}
"""
for _name, _value in (("NEAR", _NEAR), ("MOST", MOST), ("TERMS", _TERMS)):
    _CODE = _CODE.replace(_name, repr(_value))

_OF = """
static inline double %(name)s(%(declared)s)
{
    double x[%(count)d] = {%(listed)s};
    for (int i = 1; i < %(count)d; i++)
        for (int j = i; j > 0 && x[j - 1] > x[j]; j--)
        {
            const double larger = x[j - 1];
            x[j - 1] = x[j];
            x[j] = larger;
        }
    return _exp_differences(x, %(count)d - 1);
}
"""


_PAIR = """
#include <math.h>
static inline double _exp_sinhc(double s, double q)
{
    const double r = sqrt(fabs(q));
    if (r == 0) return exp(s);
    return q < 0 ? exp(s)*sin(r)/r : -exp(s + r)*expm1(-2*r)/(2*r);
}
static inline double _exp_pair_difference(double s, double q)
{
    const double r = sqrt(fabs(q)), product = s*s - q;
    if (q >= 0) return _exp_difference_3(0.0, s - r, s + r);
    if (product >= 1) return (1 - exp(s)*(cos(r) - s*sin(r)/r))/product;
    double power = 1.0, before = 0.0, factor = 0.5, sum = 0.0;
    for (int n = 0; n < TERMS; n++)
    {
        sum += power*factor;
        factor /= n + 3;
        const double next = 2*s*power - product*before;
        before = power;
        power = next;
    }
    return sum;
}
""".replace("TERMS", repr(_TERMS))


def exp_sinhc(s, q):
    """exp(s) sinh(sqrt(q))/sqrt(q) of numbers or arrays; exp(s) for q = 0."""
    r = np.sqrt(np.abs(q))
    up, below = np.where(q < 0, 0.0, r), np.where(r == 0, 1.0, r)
    grown = np.where(r == 0, np.exp(s), -np.exp(s + up) * np.expm1(-2 * up) / (2 * below))
    return np.where(q < 0, np.exp(s) * np.sin(r) / below, grown)


def exp_pair_difference(s, q):
    """exp[0, s + sqrt(q), s - sqrt(q)] of numbers or arrays.

    For complex rates of a modulus below 1 by the series above about 0, which has real terms: the polynomials
    of z and its conjugate are h_n = 2 s h_{n-1} - |z|**2 h_{n-2}.
    """
    r = np.sqrt(np.abs(q))
    up, product, below = np.where(q < 0, 0.0, r), s * s - q, np.where(r == 0, 1.0, r)
    apart = exp_difference(0.0, s - up, s + up)
    far = (1 - np.exp(s) * (np.cos(r) - s * np.sin(r) / below)) / np.where(product < 1, 1.0, product)
    small = (q < 0) & (product < 1)
    near_s, near_product = np.where(small, s, 0.0), np.where(small, product, 0.0)
    power, before, factor, total = np.ones_like(near_s), np.zeros_like(near_s), 0.5, 0.0
    for n in range(_TERMS):
        total = total + power * factor
        factor /= n + 3
        power, before = 2 * near_s * power - near_product * before, power
    return np.where(q < 0, np.where(small, total, far), apart)


def exp_difference(*points):
    """exp[x_0, ..., x_k] of numbers or arrays.

    Parameters
    ----------
    points : float or array
        The arguments in any order.

    Returns
    -------
    array of their common shape
    """
    return _sorted_difference(np.sort(np.stack(np.broadcast_arrays(*points)).astype(float), axis=0))


def _sorted_difference(x):
    k = len(x) - 1
    if k == 0:
        return np.exp(x[0])
    span = x[k] - x[0]
    far = span > _NEAR
    middle = 0.5 * (x[0] + x[k])
    y = np.where(far, 0.0, x - middle)
    powers, total, factor = [np.ones_like(span) for _ in x], 0.0, 1 / math.factorial(k)
    for n in range(_TERMS):
        total = total + powers[k] * factor
        factor /= n + 1 + k
        powers[0] = powers[0] * y[0]
        for i in range(1, k + 1):
            powers[i] = powers[i - 1] + y[i] * powers[i]
    near = np.exp(middle) * total
    if not np.any(far):
        return near
    apart = (_sorted_difference(x[1:]) - _sorted_difference(x[:-1])) / np.where(far, span, 1.0)
    return np.where(far, apart, near)


@functools.cache
def functions():
    """The functions as Brian2 knows them, by name."""
    from brian2.core.functions import Function

    shared = Function(exp_difference, arg_units=[1], return_unit=1)
    shared.implementations.add_implementation("cpp", code=_CODE, name="_exp_differences")
    made = {}
    for count in range(2, MOST + 1):
        name = NAME.format(count)
        arguments = [f"x{k}" for k in range(count)]
        code = _OF % dict(
            name=f"_{name}", count=count, listed=", ".join(arguments),
            declared=", ".join(f"double {each}" for each in arguments),
        )  # fmt: skip
        made[name] = Function(exp_difference, arg_units=[1] * count, return_unit=1)
        made[name].implementations.add_implementation(
            "cpp", code=code, dependencies={"_exp_differences": shared}, name=f"_{name}"
        )
    # both in one code, which each of the two depends on
    pair = Function(exp_sinhc, arg_units=[1, 1], return_unit=1)
    three = NAME.format(3)
    pair.implementations.add_implementation(
        "cpp", code=_PAIR, dependencies={f"_{three}": made[three]}, name="_exp_sinhc"
    )
    for function in (exp_sinhc, exp_pair_difference):
        name = function.__name__
        made[name] = Function(function, arg_units=[1, 1], return_unit=1)
        made[name].implementations.add_implementation(
            "cpp", code="", dependencies={"_exp_pair": pair}, name=f"_{name}"
        )
    return made


def register():
    """Make the functions known to Brian2 by name."""
    from brian2.core.functions import DEFAULT_FUNCTIONS

    DEFAULT_FUNCTIONS.update(functions())
