"""Which cells a projection connects: all-to-all, one-to-one, probability, fixed in-degree, distance,
explicit pairs.

The kind of wiring is structure; its numbers (p, in_degree, C, lambda_, the pairs themselves) are given at
run time, so another seed or another probability draws other synapses without compiling anything.
"""

from dataclasses import dataclass, field
from numbers import Real

import numpy as np
from brian2.units.fundamentalunits import DIMENSIONLESS

from .errors import CircuitError, guard
from .values import kind, number, same_dimension, whole_numbers

# The connection probability at distance D, for the kinds that need one per pair.
DISTANCE = "C*exp(-((x_pre - x_post)**2 + (y_pre - y_post)**2 + (z_pre - z_post)**2)/lambda_**2)"


@dataclass(frozen=True, eq=False)
class Wiring:
    """A kind of wiring with its numbers; made by the functions of this module."""

    kind: str
    params: dict = field(default_factory=dict)
    autapses: bool = True
    i: object = None
    j: object = None

    def __post_init__(self):
        checked = {}
        for name, value in self.params.items():
            where = f"Wiring {self.kind}, {name}"
            value = number(value, where)
            if kind(value) != "scalar":
                raise CircuitError(f"{where}: got {value!r}, but it must be one number.")
            same_dimension(value, DIMENSIONLESS, where)
            if not value >= 0 or (name == "p" and value > 1):
                raise CircuitError(
                    f"{where}: got {value:g}; it must be "
                    f"{'between 0 and 1' if name == 'p' else 'at least 0'}."
                )
            checked[name] = value
        object.__setattr__(self, "params", checked)


def all_to_all(autapses=True):
    """Every source to every target; weights may then be given as an array (sources x targets)."""
    return Wiring("all_to_all", autapses=autapses)


def one_to_one():
    """Source k to target k; both sides must have the same size."""
    return Wiring("one_to_one")


def probability(p, autapses=True):
    """Every pair with probability p, independently."""
    return Wiring("probability", {"p": p}, autapses)


def fixed_in_degree(k, autapses=True):
    """Every target receives from exactly k different sources, drawn uniformly; without autapses never from
    itself.
    """
    return Wiring("fixed_in_degree", {"in_degree": k}, autapses)


def distance(C, lambda_, autapses=True):
    """A pair at distance D with probability C exp(-(D/lambda)^2) (Maass, Natschlaeger & Markram 2002); D in
    the units of `positions`.
    """
    wiring = Wiring("distance", {"C": C, "lambda_": lambda_}, autapses)
    if wiring.params["lambda_"] == 0:
        raise CircuitError(
            "Wiring distance, lambda_: got 0; a length must be positive (a very small one leaves only "
            "autapses)."
        )
    return wiring


def pairs(i, j):
    """The given pairs, synapse by synapse; weights and delays may be arrays in the same order. The number
    of pairs is structure.
    """
    arrays = []
    for name, values in (("i", i), ("j", j)):
        array = whole_numbers(values, f"Wiring pairs, {name}")
        if len(array) == 0:
            raise CircuitError(
                f"Wiring pairs, {name}: give a list of one or more indices (whole numbers from 0), not "
                f"{values!r}."
            )
        arrays.append(array)
    if len(arrays[0]) != len(arrays[1]):
        raise CircuitError(
            f"Wiring pairs: {len(arrays[0])} sources and {len(arrays[1])} targets; give one target for "
            "every source."
        )
    return Wiring("pairs", i=arrays[0], j=arrays[1])


def grid(*shape):
    """Positions of a grid as an array n x 3, the last axis fastest; missing axes are 0: grid(15, 3, 3) has
    135 places.
    """
    full = tuple(shape) + (1,) * (3 - len(shape))
    if len(full) != 3 or not all(isinstance(s, Real) and int(s) == s and s >= 1 for s in full):
        raise CircuitError(
            f"grid: {shape} is no shape of a grid; give one to three whole numbers of at least 1."
        )
    return (
        np.stack(np.meshgrid(*(np.arange(s) for s in full), indexing="ij"), axis=-1)
        .reshape(-1, 3)
        .astype(float)
    )


guard(globals())
