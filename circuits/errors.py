"""The error of the data layer, and the sentence every such error ends with: what exists and what is
nearest.
"""

import difflib


class CircuitError(ValueError):
    """A cell, synapse or circuit that cannot be: the message names the object, what was wrong, what exists
    and what to do.
    """


def listed(names):
    """The names as running text."""
    names = sorted(names)
    return ", ".join(names) if names else "none"


def nearest(name, known):
    """' Did you mean ...?' for the closest of the known names, or nothing."""
    close = difflib.get_close_matches(str(name), [str(k) for k in known], n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(close)}?" if close else ""
