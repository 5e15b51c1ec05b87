"""One module per figure or question: source, parameters, circuit, measure, figure, claims.

`python -m experiments` lists them, `python -m experiments NAME` runs one, `--verify` judges their claims.
"""

from .claims import Claim
from .runs import keep, progress

__all__ = ["Claim", "keep", "progress"]
