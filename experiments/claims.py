"""What a figure should show, as a number with bounds, and whether it does."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """A measured number and the interval it must lie in; for a control, must lie outside of.

    Parameters
    ----------
    name : str
        The statement, such as "accuracy of the liquid's last state".
    measured : float
        A number, or a quantity if `unit` is named. NaN and infinity never hold, not even in a control: an
        ablation that produced no number has shown nothing.
    low, high : float
        The bounds, included in the interval, in `unit`; None leaves a side open, but not both.
    unit : str
        The unit of the three numbers, such as "mV" ("" for a plain number).
    source : str
        Where the bounds come from: a publication with figure or table, or the tolerance and its reason.
    control : bool
        The same statement measured under an ablation: it holds where the claim would not.
    """

    name: str
    measured: float
    low: float | None
    high: float | None
    unit: str = ""
    source: str = ""
    control: bool = False

    def __post_init__(self):
        for field in ("measured", "low", "high"):
            object.__setattr__(self, field, self._plain(field))
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        if math.isnan(low) or math.isnan(high):
            raise ValueError(f"claim {self.name!r}: a bound is NaN ({low}, {high})")
        if low > high:
            raise ValueError(
                f"claim {self.name!r}: the lower bound {low:g} is above the upper bound {high:g}"
            )
        if low == -math.inf and high == math.inf:
            raise ValueError(f"claim {self.name!r} has no bound, so nothing could contradict it")

    def _plain(self, field):
        value = getattr(self, field)
        if value is None and field != "measured":
            return None
        if hasattr(value, "dim"):  # a quantity: its float would silently be in SI base units
            from circuits.quantities import in_unit

            value = in_unit(value, self.unit)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise TypeError(f"claim {self.name!r}: {field} must be one number and is {value!r}") from None

    @property
    def holds(self):
        """Whether the measured number is where it must be."""
        if not math.isfinite(self.measured):
            return False
        return (self.low <= self.measured <= self.high) != bool(self.control)

    @property
    def bounds(self):
        """The interval as text: "3 to 5 mV", ">= 3 mV", "not >= 3 mV" for a control."""
        if self.low == -math.inf:
            text = f"<= {self.high:.5g}"
        elif self.high == math.inf:
            text = f">= {self.low:.5g}"
        else:
            text = f"{self.low:.5g} to {self.high:.5g}"
        return f"{'not ' if self.control else ''}{text} {self.unit}".strip()

    def as_record(self):
        """The claim as it stands in report.json."""
        return {
            "name": self.name,
            "measured": self.measured,
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "source": self.source,
            "control": bool(self.control),
            "holds": self.holds,
        }
