"""The errors of building and running programs; every message names the object, what was wrong and what to
do.
"""


class EngineError(RuntimeError):
    """Anything that goes wrong between a circuit and its recording."""


class CacheError(EngineError):
    """The cache folder cannot be used: not writable, not private, or full."""


class BuildError(EngineError):
    """The circuit could not be turned into a program (no compiler, compiler error, unsupported equation)."""


class NumbersError(EngineError, ValueError):
    """The numbers handed to a program do not fit it (unknown name, shape, unit, value)."""


class RunError(EngineError):
    """A program started and did not finish: killed, crashed, disk full, stopped early."""


class NonFiniteError(RunError):
    """A run finished with NaN or infinity in a state: `recording` is that run, `recordings` all that
    finished.
    """

    def __init__(self, message, recording=None, recordings=()):
        super().__init__(message)
        self.recording, self.recordings = recording, list(recordings)

    def __reduce__(self):  # keeps the recordings when the error crosses a process boundary
        return (type(self), (self.args[0], self.recording, self.recordings))


def said(error):
    """The messages of a chain of Brian2's errors, which name objects from outside in, in one line."""
    messages = []
    while error is not None and len(messages) < 4:
        text = " ".join(str(error).split())
        if text and text not in messages:
            messages.append(text)
        error = error.__cause__
    return " / ".join(messages)[:1500]
