"""From a circuit (data) to a compiled program and its recordings: the only package that knows Brian2's
groups and devices.

`run(circuit, duration, seed=...)` is all that most users need. Nothing here imports Brian2 until a circuit
is built, so that workers which are handed a `Program` and numbers start fast. Importing `engine` after
Brian2 registers the device "fast_standalone" for plain Brian2 scripts.
"""

import sys

_PUBLIC = {
    "run": "simulate",
    "build": "simulate",
    "Program": "program",
    "Recording": "recording",
    "EngineError": "errors",
    "CacheError": "errors",
    "BuildError": "errors",
    "NumbersError": "errors",
    "RunError": "errors",
    "NonFiniteError": "errors",
}
__all__ = sorted(_PUBLIC)


def __getattr__(name):
    if name in _PUBLIC:
        from importlib import import_module

        return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(f"module 'engine' has no attribute {name!r}")


if "brian2" in sys.modules:
    from .device import register

    register()
