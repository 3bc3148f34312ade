"""The numbers of a training run as CSV files."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from forecast.evaluation.backtest import Backtest
from forecast.evaluation.calibration import at
from forecast.forecasters.fitted import Kind
from forecast.panels.calendar import Calendar
from forecast.panels.panel import Integers
from forecast.plan import Plan


def columns_as_csv(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Return columns of equal length as CSV: `%.6g`, an empty cell where a number is undefined."""
    names = [_cell(name) for name in columns]
    rows = zip(*(_cells(column) for column in columns.values()), strict=True)
    return "".join(",".join(row) + "\n" for row in (names, *rows)).encode("utf-8", "surrogateescape")


def columns_as_json_lines(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Return columns of equal length as JSON lines: numbers as in CSV, null where one is undefined."""
    names = [json.dumps(name, ensure_ascii=False) for name in columns]
    texts = ([_json(value) for value in _plain(column)] for column in columns.values())
    lines = (
        ", ".join(f"{name}: {text}" for name, text in zip(names, row, strict=True)) for row in zip(*texts, strict=True)
    )
    return "".join(f"{{{line}}}\n" for line in lines).encode("utf-8", "surrogateescape")


def rows_as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows of plain values as CSV; the columns are all keys, in the order in which they first come."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return columns_as_csv({name: [row.get(name) for row in rows] for name in names})


def backtest_as_csv(backtest: Backtest, plan: Plan) -> bytes:
    """Return every forecast of the backtest beside the truth as CSV, see `backtest_columns`."""
    return columns_as_csv(backtest_columns(backtest, plan))


def backtest_columns(
    backtest: Backtest, plan: Plan, moments: Callable[[Calendar, Integers], Any] = Calendar.render
) -> dict[str, Any]:
    """Return every forecast of the backtest beside the truth: one row per series, origin and step that has a truth.

    moments: makes a column of times of their ordinals.
    """
    row, step = np.nonzero(np.isfinite(backtest.truth))
    calendar, cutoffs = backtest.panel.calendar, backtest.panel.last
    bands = at(backtest.quantiles, plan.quantiles, (0.5, 0.1, 0.9, 0.025, 0.975))[row, step]
    columns: dict[str, Any] = {
        "series": [backtest.panel.ids[one] for one in row.tolist()],
        "cutoff": moments(calendar, cutoffs[row]),
        "time": moments(calendar, cutoffs[row] + step + 1),
    }
    if backtest.panel.targets:
        names = backtest.panel.target_names
        columns["target"] = [names[one] for one in row.tolist()]
    columns |= {
        "step": step + 1,
        "role": [backtest.role[one] for one in row.tolist()],
        "truth": backtest.truth[row, step],
    }
    columns |= dict(zip(("forecast", "lo_80", "hi_80", "lo_95", "hi_95"), bands.T, strict=True))
    return columns | {str(kind): median[row, step] for kind, median in backtest.medians.items() if kind in Kind}


def _cells(column: Iterable[Any]) -> list[str]:
    """Return a column as CSV cells."""
    return [_cell(value) for value in _plain(column)]


def _plain(column: Iterable[Any]) -> list[Any]:
    """Return a column as a list of plain values."""
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def _json(value: Any) -> str:
    """Return one value of a line of JSON."""
    if isinstance(value, float):
        return "null" if value != value else f"{value:.6g}"
    return json.dumps(value, ensure_ascii=False)


def _cell(value: Any) -> str:
    """Return one CSV cell, in quotes only where it could be misread without."""
    if value is None or value != value:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    if any(mark in text for mark in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text
