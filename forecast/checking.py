"""The story of a check: read a table as training would, and say what is in it, series by series."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from forecast import tables
from forecast.errors import DataError
from forecast.freshness import ended_early, last_values
from forecast.options import PredictOptions, ReadOptions, TrainOptions, as_record
from forecast.panels.anomalies import Outliers, Shifts, find_outliers, find_shifts
from forecast.panels.clock import on_clock
from forecast.panels.panel import Panel
from forecast.panels.summary import Summary, summarise
from forecast.plan import Plan
from forecast.planning import prepare
from forecast.prediction import expected_status
from forecast.tables import Reading
from forecast.tables.phrases import short
from forecast.tables.write import forecast_columns

MOST = 5  # outliers and shifts of a series that are listed: the largest
Fact = tuple[int, str, str, str]  # how many, of what where it is one, of what where they are more, what would be done
FORMULA = re.compile(r"[=+\-@\t\r](?![\d.,]+$)")  # what a spreadsheet would run; a negative number is none


@dataclass(frozen=True, eq=False)
class Checked:
    """A table that could be read, and what training would do with it."""

    reading: Reading
    plan: Plan | None  # None where training refuses
    refusal: DataError | None


def check(path: str, read: ReadOptions, options: TrainOptions, columns: PredictOptions) -> Checked:
    """Read a table and settle a plan for it, as training does before it starts.

    Raises what `train` raises for a table that cannot be read, and for names that collide; what is wrong with a table
    that can be read is the refusal.
    """
    reading = tables.read_panel(path, read)
    forecast_columns(tables.output_names(reading.options), columns, reading.panel.targets)
    try:
        plan, _ = prepare(reading.panel, options, reading.options)
    except DataError as refusal:
        return Checked(reading, None, refusal)
    return Checked(reading, plan, None)


def profile(reading: Reading, plan: Plan | None) -> dict[str, Any]:
    """Return what a table holds as plain JSON values: `profile.json`, see docs/profile.md.

    Without a plan, where training refuses, no season is confirmed and no series has a status.
    """
    panel, seasons = reading.panel, plan.seasons if plan else (1,)
    outliers, shifts = find_outliers(panel, seasons), find_shifts(panel, max(seasons))
    summary = summarise(panel)
    minimum = _suggested_minimum(summary) if plan and plan.minimum is None else None
    status = expected_status(on_clock(panel), plan) if plan else (None,) * len(panel)
    return {
        "table": reading.source,
        "read": as_record(reading.options),
        "time": {
            "form": panel.calendar.form,
            "zone": panel.calendar.zone_name,
            "frequency": panel.calendar.freq,
        },
        "seasons": {
            "given": list(reading.options.season),
            "suggested": [season for season in panel.calendar.seasons() if season > 1],
            "confirmed": [season for season in seasons if season > 1] if plan else None,
        },
        "plan": {"horizon": plan.horizon, "window": plan.window, "lookback": plan.lookback} if plan else None,
        "suggested_min": minimum,
        "notices": list(reading.notices),
        "findings": _findings(panel, plan, summary, status, outliers, shifts, minimum),
        "series": _series(panel, summary, status, outliers, shifts),
    }


def _series(
    panel: Panel, summary: Summary, status: Sequence[str | None], outliers: Outliers, shifts: Shifts
) -> list[dict[str, Any]]:
    """Return one record for each series."""
    starts, ends = panel.calendar.render(panel.starts), panel.calendar.render(panel.last)
    gaps = panel.calendar.render(panel.starts + summary.longest_from)
    far, moved = _listed_outliers(panel, outliers), _listed_shifts(panel, shifts)
    targets = panel.target_names or (None,) * len(panel)
    return [
        {
            "id": panel.ids[row],
            **({"target": targets[row]} if panel.targets else {}),
            "status": status[row],
            "start": starts[row],
            "end": ends[row],
            "steps": int(panel.lengths[row]),
            "missing": int(summary.missing[row]),
            "gaps": int(summary.gaps[row]),
            "longest_gap": int(summary.longest_gap[row]),
            "longest_gap_from": gaps[row] if summary.gaps[row] else None,
            "constant": bool(summary.lowest[row] == summary.highest[row]),
            "lowest": _plain(summary.lowest[row]),
            "median": _plain(summary.middle[row]),
            "highest": _plain(summary.highest[row]),
            "outliers": len(far.get(row, [])) if outliers.told[row] else None,
            "level_shifts": len(moved.get(row, [])) if shifts.told[row] else None,
            "largest_outliers": _largest(far.get(row, []), "value", "expected"),
            "largest_level_shifts": _largest(moved.get(row, []), "after", "before"),
        }
        for row in range(len(panel))
    ]


def _listed_outliers(panel: Panel, outliers: Outliers) -> dict[int, list[dict[str, Any]]]:
    """Return the outliers by series, in the order of time."""
    return _by_series(panel, outliers.series, outliers.steps, value=outliers.values, expected=outliers.expected)


def _listed_shifts(panel: Panel, shifts: Shifts) -> dict[int, list[dict[str, Any]]]:
    """Return the level shifts by series, in the order of time."""
    return _by_series(panel, shifts.series, shifts.steps, before=shifts.before, after=shifts.after)


def _by_series(panel: Panel, series: Any, steps: Any, **columns: Any) -> dict[int, list[dict[str, Any]]]:
    """Return rows of numbers by series, each with its time."""
    times = panel.calendar.render(panel.starts[series] + steps)
    found: dict[int, list[dict[str, Any]]] = {}
    for place, (row, time) in enumerate(zip(series.tolist(), times, strict=True)):
        numbers = {name: _plain(column[place]) for name, column in columns.items()}
        found.setdefault(row, []).append({"time": time, **numbers})
    return found


def _largest(rows: list[dict[str, Any]], one: str, other: str) -> list[dict[str, Any]]:
    """Return the rows in which two numbers differ most, in the order of time."""
    chosen = sorted(range(len(rows)), key=lambda place: -abs(rows[place][one] - rows[place][other]))[:MOST]
    return [rows[place] for place in sorted(chosen)]


def _plain(number: Any) -> float | None:
    """Return a number as JSON can hold it, with 6 digits; None where it is missing."""
    return None if np.isnan(number) else float(f"{number:.6g}")


def _findings(
    panel: Panel,
    plan: Plan | None,
    summary: Summary,
    status: Sequence[str | None],
    outliers: Outliers,
    shifts: Shifts,
    minimum: float | None,
) -> list[dict[str, str]]:
    """Return what stands out in the whole table, and what would be done about it."""
    facts = [*_series_facts(panel, plan, summary, status), *_value_facts(panel, outliers, shifts)]
    found = [
        {"what": f"{count:,} {one if count == 1 else many}", "done": done} for count, one, many, done in facts if count
    ]
    if minimum is not None:
        done = f"where none can be, --min {minimum:g} keeps the forecast and its bands from it"
        found.append({"what": f"no value is below {minimum:g}", "done": done})
    return found


def _series_facts(panel: Panel, plan: Plan | None, summary: Summary, status: Sequence[str | None]) -> list[Fact]:
    """Return how many series are out of the ordinary as a whole."""
    back, window = (plan.lookback, plan.window) if plan else (0, 0)
    late = _after(panel, np.datetime64(datetime.now(UTC).replace(tzinfo=None)))
    return [
        (
            status.count("skipped"),
            f"series has no value in its last {back} steps",
            f"series have no value in their last {back} steps",
            "no forecast, status skipped",
        ),
        (
            status.count("fallback"),
            "series misses over half of its last season",
            "series miss over half of their last season",
            "forecast by seasonal naive, status fallback",
        ),
        (
            status.count("short"),
            f"series is shorter than the window of {window} steps",
            f"series are shorter than the window of {window} steps",
            "padded and masked, status short",
        ),
        (
            int((summary.lowest == summary.highest).sum()),
            "series is constant",
            "series are constant",
            "the forecast is the constant",
        ),
        (
            sum(finding.count for finding in ended_early(panel, last_values(panel))),
            "series ends before the others",
            "series end before the others",
            "forecast from where they end; leave out those that have ended for good",
        ),
        (
            late,
            "series has rows after now",
            "series have rows after now",
            "taken as history; correct their times, or the clock of this machine",
        ),
    ]


def _value_facts(panel: Panel, outliers: Outliers, shifts: Shifts) -> list[Fact]:
    """Return how many values, levels and ids stand out."""
    formulas = [name for name in dict.fromkeys(panel.ids) if FORMULA.match(name)]
    far, moved = (len(np.unique(found.series)) for found in (outliers, shifts))
    return [
        (
            len(outliers.series),
            "value stands out",
            f"values stand out, in {far:,} series",
            "learned as they are; correct those that are wrong, or leave their cells empty: missing",
        ),
        (
            len(shifts.series),
            "lasting change of level",
            f"lasting changes of level, in {moved:,} series",
            "learned as they are; leave out the rows before, where they no longer tell anything",
        ),
        (
            len(formulas),
            f"id would be run by a spreadsheet: {short(formulas[0]) if formulas else ''}",
            f"ids would be run by a spreadsheet, such as {short(formulas[0]) if formulas else ''}",
            "written as in the table",
        ),
    ]


def _after(panel: Panel, now: np.datetime64) -> int:
    """Return how many series end more than a day after `now` (UTC); by less may be a matter of the zone."""
    if panel.calendar.period is None:
        return 0
    return int((panel.calendar.times(panel.last) > now + np.timedelta64(1, "D")).sum())


def _suggested_minimum(summary: Summary) -> float | None:
    """Return 0 where no value is below it, and a band could be: a series comes nearer to 0 than its values differ."""
    never = not (summary.lowest < 0).any()
    return 0.0 if never and (summary.lowest < summary.highest - summary.lowest).any() else None
