"""Stored forecasts against the truth that has arrived since: the story of `score`, version by version."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from forecast.evaluation.drift import Drift, find_drift
from forecast.evaluation.tally import Tally, measures, tally
from forecast.panels.panel import Floats, Integers, Panel
from forecast.tables.log_rows import LogRows, read_rows, series_keys

COUNTS = ("forecasts", "scored", "pending", "missing", "skipped")


@dataclass(frozen=True, eq=False)
class Course:
    """Errors in the course of time, where the backtest said what to expect; sums over all forecasts for each time."""

    times: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # ordinals, rising
    errors: Floats = field(default_factory=lambda: np.zeros(0))
    expected: Floats = field(default_factory=lambda: np.zeros(0))
    horizon: int = 1  # the furthest step that is among them
    backtest_steps: int = 0  # the shortest of the backtests; 0: none

    def plus(self, other: "Course") -> "Course":
        """Return both together."""
        lengths = [course.backtest_steps for course in (self, other) if course.backtest_steps]
        times = np.concatenate([self.times, other.times])
        return _summed(
            times,
            np.concatenate([self.errors, other.errors]),
            np.concatenate([self.expected, other.expected]),
            max(self.horizon, other.horizon),
            min(lengths, default=0),
        )

    def drift(self) -> Drift:
        """Compare the newest errors with the expected ones."""
        return find_drift(self.times, self.errors, self.expected, self.horizon, self.backtest_steps)


@dataclass(frozen=True, eq=False)
class Scored:
    """What came of the forecasts of one version, or of several."""

    counts: Mapping[str, int]  # forecasts = scored + pending + missing + skipped
    sums: Tally
    course: Course

    def plus(self, other: "Scored") -> "Scored":
        """Return both together."""
        counts = {name: self.counts[name] + other.counts[name] for name in COUNTS}
        return Scored(counts, self.sums.plus(other.sums), self.course.plus(other.course))


def score(pieces: Iterable[Any], panel: Panel, name: str) -> dict[str, Scored]:
    """Score the forecasts of the model `name`, by version, the oldest first.

    pieces: of a log, as Arrow tables; panel: what happened. A forecast for a time after the newest value of its series
    is pending; where the panel has no value, series or such time, its truth is missing; skipped: there was no forecast.
    """
    found: dict[str, Scored] = {}
    keys = series_keys(panel)
    for piece in pieces:
        for model, rows in read_rows(piece, keys, panel.calendar).items():
            before, _, version = model.rpartition("@")
            if before == name:
                new = _scored(rows, panel)
                found[version] = found[version].plus(new) if version in found else new
    return dict(sorted(found.items()))


def _scored(rows: LogRows, panel: Panel) -> Scored:
    """Score the rows of one version."""
    place = rows.ordinals - panel.starts[rows.series]
    within = (rows.series >= 0) & rows.on_grid & (place >= 0) & (place < panel.lengths[rows.series])
    flat = np.where(within, panel.begins[rows.series] + place, -1)
    truth = panel.observed(flat)
    point = rows.quantiles[:, rows.probabilities.index(0.5)]
    skipped, known = np.isnan(point), np.isfinite(truth)
    pending = (rows.series >= 0) & rows.on_grid & (place >= _observed(panel)[rows.series])
    scored = known & ~skipped
    counts = {
        "forecasts": len(truth),
        "scored": int(scored.sum()),
        "pending": int((pending & ~skipped).sum()),
        "missing": int((~known & ~pending & ~skipped).sum()),
        "skipped": int(skipped.sum()),
    }
    found = measures(truth, rows.quantiles, rows.probabilities, rows.seasonal_naive, rows.units, rows.squares)
    return Scored(counts, tally(rows.steps, found), _course(rows, found["scaled"]))


def _observed(panel: Panel) -> Integers:
    """Return how many steps each series has up to its newest value: (series,)."""
    seen = np.flatnonzero(np.isfinite(panel.observed(np.arange(len(panel.target)))))
    newest = np.searchsorted(seen, panel.ends) - 1  # the last value before the end of the series, maybe of another one
    last = np.where(newest >= 0, seen[newest] if len(seen) else 0, -1)
    return np.maximum(last - panel.begins + 1, 0)


def _course(rows: LogRows, errors: Floats) -> Course:
    """Return the errors (rows,), in units, of rows of which the backtest says what to expect."""
    used = np.flatnonzero(np.isfinite(errors) & (rows.expected > 0) & rows.usual)
    if not len(used):
        return Course()
    horizon = int(rows.steps[used].max())
    return _summed(rows.ordinals[used], errors[used], rows.expected[used], horizon, rows.backtest_steps)


def _summed(times: Integers, errors: Floats, expected: Floats, horizon: int, backtest_steps: int) -> Course:
    """Return a course with one entry for each time."""
    unique, places = np.unique(times, return_inverse=True)
    sums = [np.bincount(places, values, minlength=len(unique)) for values in (errors, expected)]
    return Course(unique, sums[0].astype(np.float64), sums[1].astype(np.float64), horizon, backtest_steps)


def together(found: Mapping[str, Scored]) -> Scored | None:
    """Return all versions as one; None where there is none."""
    total: Scored | None = None
    for one in found.values():
        total = one if total is None else total.plus(one)
    return total
