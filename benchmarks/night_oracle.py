"""What a night must leave, from the rows that were delivered alone: the exit code, the forecast's form, the scores.

Nothing of the program is used here. An instant is looked up in the standard library's zones, a score is added up value
by value.
"""

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from night_feed import HOUR, ZONE, Event, World, written

HORIZON = 48
WINDOW = 336  # steps that training looks back for such a horizon: seven of them
COLUMNS = ["shop", "time", "forecast", "lo_80", "hi_80", "lo_95", "hi_95", "step", "cutoff", "status", "model"]
RISING = ["lo_95", "lo_80", "forecast", "hi_80", "hi_95"]
DONE, MARKED, LOCKED, REFUSED, MISMATCH, FULL, DRIFTED, STALE, KILLED = 0, 3, 11, 12, 13, 15, 16, 17, -9
CODES = {
    Event.ABSENT: STALE,
    Event.CUT: REFUSED,
    Event.GARBAGE: REFUSED,
    Event.RENAMED: REFUSED,
    Event.RENAMED_ALL: MISMATCH,
    Event.OUTAGE: MARKED,
    Event.KILLED: KILLED,
    Event.FULL: FULL,
}
CLOSE = 1e-4  # relative: outputs have six digits

Key = tuple[str, str, int, str]  # shop, cutoff as it is written, step, NAME@VERSION


@dataclass(frozen=True)
class Said:
    """A forecast as the output had it."""

    time: datetime
    point: float
    low: float  # of the 80 % band
    high: float


@dataclass
class Oracle:
    """What is known of the nights so far."""

    world: World
    values: dict[tuple[str, datetime], float | None] = field(default_factory=dict)
    first: dict[str, datetime] = field(default_factory=dict)  # of each shop the oldest row
    last: dict[str, datetime] = field(default_factory=dict)  # and the newest one; both in the order of the table
    taken: int = -1  # the newest night whose file counts
    said: dict[Key, Said] = field(default_factory=dict)

    def code(self, night: int) -> int:
        """Return the exit code that a night must have, drift apart."""
        return CODES.get(self.world.event(night), DONE)

    def has_forecast(self, night: int) -> bool:
        """Tell whether a night must leave a forecast."""
        return self.code(night) in (DONE, MARKED, KILLED)

    def take(self, night: int) -> None:
        """Take the files up to this night as they come in the end: a later row stands for an earlier one."""
        rows = self.world.past() if self.taken < 0 else []
        for one in range(self.taken + 1, night + 1):
            rows += self.world.rows(one)
        self.taken = night
        for shop, hour, value in rows:
            self.values[shop, hour] = value
            self.first[shop] = min(hour, self.first.get(shop, hour))
            self.last[shop] = max(hour, self.last.get(shop, hour))

    def name(self) -> str:
        """Return the name of the output: the newest cutoff."""
        return f"{max(self.last.values()).astimezone(ZONE):%Y%m%dT%H%M}.csv"

    def faults_of_output(self, text: bytes, model: str, known: Iterable[str]) -> list[str]:
        """Return what is wrong with an output; known: the shops of which the model has learnt."""
        lines = list(csv.reader(io.StringIO(text.decode(), newline="")))
        if not lines or lines[0] != COLUMNS:
            return [f"the columns are {lines[:1]}"]
        expected = list(self.expected(set(known)))
        if len(lines) - 1 != len(expected):
            return [f"{len(lines) - 1} rows, not {len(expected)}"]
        found = [fault for row, facts in zip(lines[1:], expected, strict=True) if (fault := _fault(row, facts, model))]
        return found[:3]

    def expected(self, known: set[str]) -> Iterator[dict[str, str]]:
        """Yield what is known of each row beforehand."""
        for shop, cutoff in self.last.items():
            short = cutoff - self.first[shop] < (WINDOW - 1) * HOUR
            status = "new" if shop not in known else "short" if short else "ok"
            hours = [cutoff - step * HOUR for step in range(24)]
            if sum(self.values.get((shop, hour)) is not None for hour in hours) < 12:
                status = "fallback"
            for step in range(1, HORIZON + 1):
                time = {"time": written(cutoff + step * HOUR), "step": str(step), "cutoff": written(cutoff)}
                yield {"shop": shop, "status": status, **time}

    def log(self, text: bytes) -> None:
        """Keep the forecasts of an output: what was said first stays."""
        for row in csv.DictReader(io.StringIO(text.decode(), newline="")):
            key = (row["shop"], row["cutoff"], int(row["step"]), row["model"])
            time = self.last[row["shop"]] + int(row["step"]) * HOUR
            self.said.setdefault(key, Said(time, *(float(row[name]) for name in ("forecast", "lo_80", "hi_80"))))

    def faults_of_scores(self, text: bytes) -> list[str]:
        """Return what is wrong with the scores by version and step."""
        rows = csv.DictReader(io.StringIO(text.decode(), newline=""))
        found = {(row["version"], int(row["step"])): row for row in rows if int(row["scored"])}
        expected: dict[tuple[str, int], list[float]] = defaultdict(lambda: [0.0] * 5)
        for (_, _, step, model), truth, said in self.met():
            sums = expected[model.partition("@")[2], step]
            error, inside = said.point - truth, said.low <= truth <= said.high
            for place, term in enumerate((1, abs(error), error, truth, inside)):
                sums[place] += term
        if found.keys() != expected.keys():
            return [f"{len(found)} versions and steps are scored, not {len(expected)}"]
        faults = []
        for key, (count, absolute, signed, truth, inside) in expected.items():
            values = {"scored": count, "mae": absolute / count, "bias": signed / truth, "coverage_80": inside / count}
            # A truth at the very limit of a band may lie on the other side of its six digits.
            nearly = {"scored": 0, "mae": CLOSE * absolute / count, "bias": CLOSE * absolute / truth}
            for name, value in values.items():
                if not abs(float(found[key][name]) - value) <= nearly.get(name, 1.5 / count):
                    faults.append(f"{name} of {key} is {found[key][name]}, not {value:.6g}")
        return faults[:3]

    def met(self) -> Iterator[tuple[Key, float, Said]]:
        """Yield key, truth and forecast where the truth has come."""
        for key, said in self.said.items():
            truth = self.values.get((key[0], said.time))
            if truth is not None:
                yield key, truth, said


def _fault(row: list[str], facts: dict[str, str], model: str) -> str:
    """Return what is wrong with a row of an output; nothing where all is well."""
    cells = dict(zip(COLUMNS, row, strict=False))
    for name, value in {**facts, "model": model}.items():
        if cells.get(name) != value:
            return f"{name} of {facts['shop']} {facts['time']} is {cells.get(name)!r}, not {value!r}"
    numbers = [float(cells[name]) for name in RISING]
    if not all(map(math.isfinite, numbers)) or numbers != sorted(numbers):
        return f"the bands of {facts['shop']} {facts['time']} are {numbers}"
    return ""
