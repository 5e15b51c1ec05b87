"""Sweeps: a table with a row for every run, and columns for what was varied and what was measured.

    from experiments import sweep

    table = sweep(net, over={"exc.w": "1:2:8 mV", "exc.p": [0.01, 0.02]}, seeds=5, duration=1*second,
                  measure=lambda recording: {"rate": len(recording.spikes["cells"])/4000*Hz})

A circuit is compiled once and run with other numbers; where parameters change its structure, every structure
is compiled once, while another one runs. Rows are on disk as they arrive; the same call goes on where it
stopped.
"""

from .errors import SweepError, SweepStopped

__all__ = [
    "SweepError",
    "SweepStopped",
    "figure",
    "kept",
    "read",
    "search",
    "sensitivity",
    "sweep",
    "timings",
]

_PUBLIC = {
    "figure": "plot",
    "kept": "table",
    "read": "table",
    "search": "adaptive",
    "sensitivity": "indices",
    "sweep": "runner",
    "timings": "table",
}


def __getattr__(name):
    # Not imported at once: a worker needs none of it.
    if name in _PUBLIC:
        from importlib import import_module

        return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
