"""The numbers of a training run as CSV files."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from forecast.evaluation.backtest import Backtest
from forecast.evaluation.calibration import at
from forecast.forecasters.fitted import Kind
from forecast.plan import Plan


def columns_as_csv(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Return columns of equal length as CSV: `%.6g`, an empty cell where a number is undefined."""
    names = [_cell(name) for name in columns]
    rows = zip(*(_cells(column) for column in columns.values()), strict=True)
    return "".join(",".join(row) + "\n" for row in (names, *rows)).encode("utf-8", "surrogateescape")


def rows_as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows of plain values as CSV; the columns are all keys, in the order in which they first come."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return columns_as_csv({name: [row.get(name) for row in rows] for name in names})


def backtest_as_csv(backtest: Backtest, plan: Plan) -> bytes:
    """Return every forecast of the backtest beside the truth: one row per series, origin and step that has a truth."""
    row, step = np.nonzero(np.isfinite(backtest.truth))
    calendar, cutoffs = backtest.panel.calendar, backtest.panel.last
    bands = at(backtest.quantiles, plan.quantiles, (0.5, 0.1, 0.9, 0.025, 0.975))[row, step]
    columns: dict[str, Any] = {
        "series": [backtest.panel.ids[one] for one in row.tolist()],
        "cutoff": calendar.render(cutoffs[row]),
        "time": calendar.render(cutoffs[row] + step + 1),
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
    columns |= {str(kind): median[row, step] for kind, median in backtest.medians.items() if kind in Kind}
    return columns_as_csv(columns)


def _cells(column: Iterable[Any]) -> list[str]:
    """Return a column as CSV cells."""
    values = column.tolist() if isinstance(column, np.ndarray) else list(column)
    return [_cell(value) for value in values]


def _cell(value: Any) -> str:
    """Return one CSV cell, in quotes only where it could be misread without."""
    if value is None or value != value:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    if any(mark in text for mark in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text
