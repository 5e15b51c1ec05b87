"""Progress of a running program with the remaining time, in a terminal or a notebook; silent when nobody is
watching.
"""

import sys

QUIET_SECONDS = 2.0  # a run shorter than this shows nothing


class Progress:
    """Follows the lines "@fraction" that a program prints and shows them with tqdm.

    `wanted`: True shows always, False never, None when the error channel is a terminal or a notebook and
    the run takes a while.
    """

    def __init__(self, wanted, model_seconds):
        self.model_seconds = model_seconds
        self.shown = wanted if wanted is not None else _watched()
        self.period = (0.25 if wanted else QUIET_SECONDS / 4) if self.shown else 0.0
        self.always = bool(wanted)
        self._bar = None
        self._reports = 0

    def follow(self, stream):
        """Read the program's output to its end."""
        for line in stream:
            if line.startswith(b"@"):
                self._show(float(line[1:]))

    def _show(self, fraction):
        self._reports += 1
        if not self.always and self._reports * self.period < QUIET_SECONDS:
            return
        if self._bar is None:
            from tqdm.auto import tqdm

            self._bar = tqdm(
                total=round(self.model_seconds, 6),
                unit="s",
                desc="model time",
                bar_format="{desc} {percentage:3.0f}%|{bar}| {n:.4g}/{total:.4g} s, {remaining} left",
            )
        self._bar.update(min(fraction, 1.0) * self.model_seconds - self._bar.n)

    def close(self, finished=True):
        """Take the bar away; a run that finished ends at 100 %."""
        if finished and (self._bar is not None or self.always):
            self._show(1.0)
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _watched():
    if "ipykernel" in sys.modules:
        return True
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False
