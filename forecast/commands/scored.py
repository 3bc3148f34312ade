"""What the log says about a model: scores by version, the signal of drift, and how both are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.evaluation.drift import FEWEST, Drift
from forecast.evaluation.tally import scores
from forecast.panels.calendar import Calendar
from forecast.report.score import Line, report_text
from forecast.scoring import COUNTS, Scored, together


@dataclass(frozen=True, eq=False)
class Judged:
    """The scores of all versions of a model."""

    versions: Mapping[str, Scored]  # the oldest first
    current: str  # the version that -m names
    total: Scored
    drifts: Mapping[str, Drift]  # by version
    drift: Drift  # what --max-drift looks at
    of_current: bool  # whether that is of the current version alone, not of all
    calendar: Calendar


def judge(found: Mapping[str, Scored], current: str, calendar: Calendar) -> Judged:
    """Settle what the log says; while the current version is too young, drift is that of all versions together."""
    total = together(found)
    assert total is not None  # the command has refused a log without forecasts
    drifts = {version: one.course.drift() for version, one in found.items()}
    own = drifts.get(current)
    old_enough = own is not None and own.at_least is not None
    drift = own if own is not None and old_enough else total.course.drift()
    return Judged(found, current, total, drifts, drift, old_enough, calendar)


def describe(judged: Judged, name: str) -> str:
    """Return the report as text."""
    lines = [
        Line(f"{version} (current)" if version == judged.current else version, one.counts, _plain(scores(one.sums)))
        for version, one in judged.versions.items()
    ]
    if len(lines) > 1:
        lines.append(Line("all versions", judged.total.counts, _plain(scores(judged.total.sums))))
    shown, title = judged.total, "all versions"
    mine = judged.versions.get(judged.current)
    if mine is not None and mine.counts["scored"]:
        shown, title = mine, "the current version"
    return report_text(name, lines, title, _steps(shown), _plain(scores(shown.sums)), _told(judged))


def parts_of(judged: Judged, threshold: float | None) -> dict[str, Any]:
    """Return the parts of the run record, ready for JSON."""
    versions = [
        {"version": version, "current": version == judged.current}
        | _part(one, judged.drifts[version])
        | {"by_step": _rows(_steps(one))}
        for version, one in judged.versions.items()
    ]
    scope = "current" if judged.of_current else "all"
    passed = None if threshold is None else not judged.drift.above(threshold)
    drift = {**vars(judged.drift), "of": scope, "threshold": threshold, "passed": passed}
    return {"versions": versions, "all": _part(judged.total, judged.total.course.drift()), "drift": drift}


def table_of(judged: Judged, output: str) -> bytes:
    """Return one row per version and step in the format that the output asks for."""
    from forecast.report.figures import columns_as_csv, columns_as_json_lines
    from forecast.tables import write
    from forecast.tables.write_parquet import columns_as_parquet

    tables = [(version, _steps(one)) for version, one in judged.versions.items()]
    names = list(dict.fromkeys(name for _, table in tables for name in table))
    columns: dict[str, Any] = {"version": [version for version, table in tables for _ in table["step"]]}
    for name in names:
        parts = [table.get(name, np.full(len(table["step"]), np.nan)) for _, table in tables]
        columns[name] = np.concatenate(parts)
    suffix = write.suffix_of(output)
    if suffix == ".parquet":
        return columns_as_parquet(columns)
    return columns_as_json_lines(columns) if suffix == ".jsonl" else columns_as_csv(columns)


def _steps(one: Scored) -> dict[str, Any]:
    """Return the scores by step as columns, with the number of forecasts that were scored."""
    found = scores(one.sums, by_step=True)
    count = one.sums.counts["absolute"].astype(np.int64)
    return {"step": np.arange(1, len(count) + 1), "scored": count} | found


def _part(one: Scored, drift: Drift) -> dict[str, Any]:
    """Return the scores of one version, or of all, under the names of metrics.json."""
    found = _plain(scores(one.sums))
    naive = {key: found.pop(f"{key}_seasonal_naive") for key in ("mae", "mase")}
    return {name: one.counts[name] for name in COUNTS} | {
        "scores": {"model": found, "seasonal_naive": naive},
        "drift": vars(drift),
    }


def _told(judged: Judged) -> str:
    """Return the sentence about drift."""
    drift = judged.drift
    whose = "" if judged.of_current or len(judged.versions) == 1 else " of all versions"
    if drift.ratio is None:
        return "Drift cannot be told: no forecast that the backtest speaks of has met its truth"
    span = f"{drift.spans} x {drift.span_steps} {judged.calendar.word(drift.span_steps)}"
    ratio = f"the errors{whose} over the last {span} are {drift.ratio:.2f} times those of the backtest"
    if drift.at_least is None:
        return f"Drift cannot be told yet: {ratio}; {FEWEST} such spans are needed"
    if drift.above(1.0):
        return f"Drift: {ratio}, with 99 % certainty more than {drift.at_least:.2f} times"
    return f"No drift: {ratio}{', which may be chance' if drift.ratio > 1 else ''}"


def _plain(found: Mapping[str, Any]) -> dict[str, float | None]:
    """Return scores of one group as numbers that JSON can hold."""
    return {name: float(values[0]) if np.isfinite(values[0]) else None for name, values in found.items()}


def _rows(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a table of columns as rows that JSON can hold."""
    rows = zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True)
    return [{name: None if cell != cell else cell for name, cell in zip(columns, row, strict=True)} for row in rows]
