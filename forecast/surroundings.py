"""What a training may use beside its data and options: time, a place for notes, and one for its networks."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from forecast.fingerprint import Fingerprint

Arrays = Mapping[str, NDArray[Any]]  # float32, float64 or int64


@dataclass(frozen=True)
class Clock:
    """How long a run may take, and how much of that is left; without a limit there is always time."""

    limit: float = math.inf  # seconds from the beginning of the run to its files on the disk
    begin: float = field(default_factory=time.monotonic)
    now: Callable[[], float] = time.monotonic
    computed: Callable[[], float] = time.process_time  # seconds that the process has computed
    computed_before: float = field(default_factory=time.process_time)

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return self.now() - self.begin

    @property
    def left(self) -> float:
        """Seconds to the limit; below 0 beyond it."""
        return self.limit - self.spent

    @property
    def crowding(self) -> float:
        """How many times longer the run has taken than it computed: above 1 where it waits for other programs."""
        return max(1.0, self.spent / max(self.computed() - self.computed_before, 0.1))

    @property
    def overrun(self) -> float:
        """Seconds by which a run may miss its limit: what is promised of --time-limit."""
        return max(5.0, 0.1 * self.limit)


class Notes(Protocol):
    """A place where a run writes down what the next one can use if it is interrupted."""

    def read(self) -> bytes | None:
        """Return what was written last; None where there is nothing."""

    def write(self, data: bytes) -> None:
        """Replace what was written, whole or not at all."""


@dataclass(frozen=True)
class Kept:
    """What was kept of a network: its result, or what it needs to go on learning."""

    arrays: Arrays
    finished: bool


class Checkpoint(Protocol):
    """A place where a training keeps its networks, so that another run can go on with them.

    A network is known by its mark, which stands for all that its weights depend on beside the data.
    """

    def begin(self, training: Fingerprint) -> None:
        """Look for what an interrupted run has left; raises ForecastError where this one cannot go on from it."""

    def read(self, mark: str) -> Kept | None:
        """Return what was kept of a network; None where nothing was."""

    def write(self, mark: str, arrays: Arrays, finished: bool) -> None:
        """Keep a network; what is not finished replaces what was not finished before."""


@dataclass(frozen=True)
class Surroundings:
    """The clock of a run, its place for notes and its checkpoint (None: it keeps none)."""

    clock: Clock = field(default_factory=Clock)
    notes: Notes | None = None
    checkpoint: Checkpoint | None = None
