"""What a long run says while it works: one small record per look, to whoever listens."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a run is: `done` of `total` units of the named stage."""

    stage: str  # "choosing" (first training), "final" (second training), "baselines", ...
    done: int
    total: int
    loss: float | None = None  # training loss, smoothed
    skill: float | None = None  # skill so far on the validation rows against seasonal naive


Listener = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Listen to nothing."""
