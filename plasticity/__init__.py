"""Plasticity that composes: rules are fragments of equations, an algebra puts them on one synapse."""

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
