"""From a circuit (data) to a compiled program and its recordings: the only package that knows Brian2's
groups and devices.

`run(circuit, duration, seed=...)` is all that most users need. Nothing here imports Brian2 until a circuit
is built, so that workers which are handed a `Program` and numbers start fast. Brian2, whether imported before
`engine` or after it, knows the device "fast_standalone" for plain Brian2 scripts.
"""

import atexit
import gc
import importlib.util
import io
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


def _register():
    from .device import register

    register()


@atexit.register
def _leave_quickly():
    """At the end of the process, flush the files that are still open, and leave the rest to the system.

    Python would search all that sympy, matplotlib and Brian2 made for cycles, some 200,000 objects, which
    takes scripts 0.4 s.
    """
    for thing in gc.get_objects():
        if issubclass(type(thing), io.IOBase):
            try:
                thing.flush()
            except (OSError, ValueError):  # closed, or not to be written
                pass
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
