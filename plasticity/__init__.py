"""Plasticity that composes: rules as fragments of equations, and the algebra that puts them on one synapse."""

from circuits.synapses import Periodic

from .rule import Bounds, Rule, RuleError, compose, hard, power_law, soft, unbounded

__all__ = [
    "Bounds",
    "Periodic",
    "Rule",
    "RuleError",
    "compose",
    "hard",
    "power_law",
    "soft",
    "unbounded",
]
