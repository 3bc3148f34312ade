"""How far the training of a network has come, and its place in a checkpoint, from which another run can go on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from forecast.options import as_record
from forecast.panels.panel import Floats, Integers
from forecast.plan import Plan
from forecast.surroundings import Arrays, Checkpoint

HISTORY, STANDING = "history", "standing"  # names of arrays in a checkpoint
_COLUMNS = 4  # of the history: the fields of Epoch


@dataclass(frozen=True)
class Epoch:
    """One look at the validation windows: a row of history.csv."""

    step: int
    loss: float  # mean training loss since the last look
    validation: float | None  # mean error on the validation windows, in the same unit; None without them
    reference: float | None  # the same for the base forecast that the network starts from

    @property
    def gain(self) -> float | None:
        """1 - error / error of the base forecast on the validation windows."""
        return None if self.validation is None or not self.reference else 1 - self.validation / self.reference


@dataclass
class Course:
    """The looks so far, and which of them was best."""

    history: list[Epoch] = field(default_factory=list)
    best: float = np.inf  # lowest error on the validation windows
    since: int = 0  # looks since then

    @property
    def done(self) -> int:
        """Training steps."""
        return self.history[-1].step if self.history else 0

    def add(self, epoch: Epoch) -> bool:
        """Add a look; tell whether it is the best one."""
        self.history.append(epoch)
        if epoch.validation is None:
            return False
        better = epoch.validation < self.best
        self.best, self.since = (epoch.validation, 0) if better else (self.best, self.since + 1)
        return better


@dataclass(frozen=True)
class Slot:
    """The place of one network in a checkpoint. What is there and does not fit the network counts as nothing."""

    checkpoint: Checkpoint
    mark: str
    validated: bool  # whether there are validation windows to look at

    def result(self, shapes: Mapping[str, tuple[int, ...]]) -> tuple[dict[str, Floats], list[Epoch]] | None:
        """Return the weights and the history of a network that has finished; None where it has not.

        shapes: of its weights, by name.
        """
        kept = self.checkpoint.read(self.mark)
        if kept is None or not kept.finished:
            return None
        weights = {name: array for name, array in kept.arrays.items() if name != HISTORY}
        history = _history_of(kept.arrays, self.validated)
        fits = bool(history) and {name: array.shape for name, array in weights.items()} == dict(shapes)
        return (weights, history) if fits else None

    def state(self, shapes: Mapping[str, tuple[int, ...]]) -> tuple[Arrays, Course] | None:
        """Return what a network needs to go on learning, arrays of these shapes and its course; None: it must begin."""
        kept = self.checkpoint.read(self.mark)
        if kept is None or kept.finished:
            return None
        found = {name: array.shape for name, array in kept.arrays.items() if name not in (HISTORY, STANDING)}
        course = _course_of(kept.arrays, self.validated)
        return (kept.arrays, course) if course and found == dict(shapes) else None

    def keep(self, arrays: Arrays, course: Course) -> None:
        """Keep what the network needs to go on from here."""
        standing = np.array([course.best, course.since], dtype=np.float64)
        numbers = {**arrays, HISTORY: _history_array(course.history), STANDING: standing}
        self.checkpoint.write(self.mark, numbers, finished=False)

    def finish(self, weights: Mapping[str, Floats], history: list[Epoch]) -> None:
        """Keep the result; weights are rounded to float32, as they are in a bundle."""
        rounded = {name: weight.astype(np.float32) for name, weight in weights.items()}
        self.checkpoint.write(self.mark, {**rounded, HISTORY: _history_array(history)}, finished=True)


def mark_of(plan: Plan, seed: int, until: tuple[Integers, Integers] | int) -> str:
    """Return what tells a network from the others that are trained on the same data: 64 hex digits.

    A network with validation origins is told by its plan, for those origins follow from it and the data.
    """
    steps = until if isinstance(until, int) else None
    return hashlib.sha256(json.dumps([as_record(plan), seed, steps]).encode()).hexdigest()


def _course_of(arrays: Arrays, validated: bool) -> Course | None:
    """Return a course from its numbers; None where they are none."""
    history, standing = _history_of(arrays, validated), arrays.get(STANDING, np.empty(0))
    if not history or standing.shape != (2,) or not 0 <= standing[1] <= len(history):
        return None
    return Course(history, float(standing[0]), int(standing[1]))


def _history_array(history: list[Epoch]) -> Floats:
    """Return looks as numbers: (looks, 4); NaN where there is none."""
    rows = [[one.step, one.loss, one.validation, one.reference] for one in history]
    return np.array(rows, dtype=np.float64).reshape(-1, _COLUMNS)


def _history_of(arrays: Arrays, validated: bool) -> list[Epoch]:
    """Return looks from their numbers; none where these are none."""
    rows = arrays.get(HISTORY, np.empty(0))
    if rows.ndim != 2 or rows.shape[1] != _COLUMNS or not ((rows[:, 0] >= 1) & (rows[:, 0] < 2**53)).all():
        return []
    return [Epoch(int(step), loss, *(errors if validated else (None, None))) for step, loss, *errors in rows.tolist()]
