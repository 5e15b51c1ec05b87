"""One module per figure or question: source, parameters, circuit, measure, figure, claims.

`python -m experiments` lists them, `python -m experiments NAME` runs one, `--verify` judges their claims.
`sweep` (`python -m experiments sweep`) runs one, or a circuit, over many values of its parameters.
"""

from .claims import Claim
from .runs import keep, progress

__all__ = ["Claim", "keep", "progress", "sweep"]


def __getattr__(name):
    if name == "sweep":  # when it is asked for: a worker does not need it
        from .sweeps.runner import sweep

        return sweep
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
