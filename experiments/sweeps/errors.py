"""What goes wrong with a sweep, apart from the points that fail: those are rows with their error."""


class SweepError(ValueError):
    """A sweep that cannot be done as it was asked for; nothing was run. The message says what can."""


class SweepStopped(RuntimeError):
    """A sweep that stopped before its end; what was finished is on disk, and the same call goes on there."""
