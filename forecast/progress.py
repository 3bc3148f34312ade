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
    gain: float | None = None  # 1 - error / error of the forecast that the network starts from, on validation rows


Listener = Callable[[Progress], None]
# Who is told of a training: steps done, steps in all, loss, gain; answers whether that is enough. See `network.fit`.
Look = Callable[[int, int, float | None, float | None], bool | None]


def stage(listen: Listener, name: str) -> Look:
    """Return who tells a listener of the looks at one stage; never stops it."""
    return lambda done, total, loss, gain: listen(Progress(name, done, total, loss, gain))


def silent(_: Progress) -> None:
    """Listen to nothing."""
