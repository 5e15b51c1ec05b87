"""From a circuit (data) to a compiled program and its recordings: the only package that knows Brian2's
groups and devices.

`run(circuit, duration, seed=...)` is all that most users need. Nothing here imports Brian2 until a circuit
is built, so that workers which are handed a `Program` and numbers start fast. Brian2, whether imported before
`engine` or after it, knows the device "fast_standalone" for plain Brian2 scripts.
"""

import gc
import importlib.util
import sys
import time

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


def _register():
    from .device import register

    register()
    if time.process_time() < 5 and not hasattr(sys, "ps1") and "IPython" not in sys.modules:
        # A script that has done little but import: what sympy and Brian2 made lives as long as the process.
        # To search it for cycles would take 0.4 s at the end.
        gc.freeze()


class _AfterBrian2:
    """Registers the device at the end of the first import of Brian2."""

    def find_spec(self, name, path=None, target=None):
        if name != "brian2":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def and_register(module):
                execute(module)
                _register()

            spec.loader.exec_module = and_register
        return spec


if "brian2" in sys.modules:
    _register()
else:
    sys.meta_path.insert(0, _AfterBrian2())
