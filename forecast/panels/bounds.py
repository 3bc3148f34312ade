"""Bounds and rounding of a forecast: no value below --min or above --max, and no more decimals than --round."""

from dataclasses import dataclass

import numpy as np

from forecast.panels.panel import Floats, Panel
from forecast.plan import Plan


@dataclass(frozen=True)
class Bounds:
    """What every number of a forecast obeys; None asks for nothing.

    Clipping and rounding never turn two numbers round, so that bands stay around the forecast and within each other.
    """

    minimum: float | None = None
    maximum: float | None = None
    decimals: int | None = None  # 0: whole numbers

    @classmethod
    def of(cls, plan: Plan) -> "Bounds":
        """Return the bounds that a plan asks for."""
        return cls(plan.minimum, plan.maximum, plan.decimals)

    def apply(self, values: Floats) -> Floats:
        """Return the values, any shape, rounded half to even and within the bounds; a missing one stays missing."""
        if self.decimals is None:
            return self.clip(values)
        # A bound has no more decimals than are asked for, so what is clipped to it is rounded.
        return self.clip(np.round(values, self.decimals))

    def clip(self, values: Floats) -> Floats:
        """Return the values, any shape, within the bounds; a missing one stays missing."""
        if self.minimum is None and self.maximum is None:
            return values
        low = -np.inf if self.minimum is None else self.minimum
        high = np.inf if self.maximum is None else self.maximum
        clipped: Floats = np.clip(values, low, high)
        return clipped

    @property
    def asked(self) -> str:
        """What was asked for, as options: --min 0 and --max 9; nothing without bounds."""
        given = (("--min", self.minimum), ("--max", self.maximum))
        return " and ".join(f"{flag} {value:g}" for flag, value in given if value is not None)

    def allows_any(self, panel: Panel) -> bool:
        """Tell whether any visible value of a panel lies within the bounds."""
        return any((self.clip(values) == values).any() for values in _series(panel))

    def outside(self, panel: Panel) -> int:
        """Return how many visible values of a panel lie outside the bounds."""
        return sum(int((self.clip(values) != values)[~np.isnan(values)].sum()) for values in _series(panel))


def never_negative(panel: Panel) -> bool:
    """Tell whether no visible value of a panel is below 0."""
    return not any((values < 0).any() for values in _series(panel))


def _series(panel: Panel) -> list[Floats]:
    """Return the visible values of each series, as views."""
    return [panel.values(series) for series in range(len(panel))]
