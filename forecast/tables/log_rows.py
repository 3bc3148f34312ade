"""Forecasts as rows of the log, and back: rows that found their series and step in a table of what happened."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from forecast.panels.calendar import Calendar
from forecast.panels.panel import Floats, Integers, Panel
from forecast.panels.zones import clock_of
from forecast.tables.arrow import chunks_of, floats_of, integers_of, number_array, row_array, text_array
from forecast.trained import Benchmark, Forecasts

POINT = 0.5
QUANTILE = "q_"  # what the names of the other quantiles begin with


@dataclass(frozen=True, eq=False)
class LogRows:
    """Rows of a log of one version: (rows,) each, but where said otherwise."""

    series: Integers  # of the panel, -1 where it has none such
    ordinals: Integers  # the step of the panel's calendar that was forecast
    on_grid: NDArray[np.bool_]  # whether the calendar has that time
    steps: Integers  # ahead, from 1
    usual: NDArray[np.bool_]  # whether the status is ok or short: what a backtest speaks of
    quantiles: Floats  # (rows, probabilities)
    probabilities: tuple[float, ...]  # rising, 0.5 among them
    seasonal_naive: Floats
    units: Floats
    squares: Floats
    expected: Floats
    backtest_steps: int


def log_table(forecasts: Forecasts, benchmark: Benchmark, model: str) -> Any:
    """Return forecasts as an Arrow table, one row per series and step; every quantile, whatever the output shows.

    Times are whole numbers where steps are, instants in UTC where the calendar has a zone, else as the table has them.
    """
    series, horizon = forecasts.quantiles.shape[:2]
    of_series = row_array(np.repeat(np.arange(series), horizon))
    steps = np.arange(1, horizon + 1)
    columns = {
        "id": text_array(forecasts.ids).take(of_series),
        "target": text_array(forecasts.targets or [""] * series).take(of_series),
        "time": _times(forecasts.calendar, (forecasts.cutoffs[:, None] + steps).ravel()),
        "cutoff": _times(forecasts.calendar, forecasts.cutoffs).take(of_series),
        "step": row_array(np.tile(steps, series)),
        "status": text_array(forecasts.status).take(of_series),
        "model": text_array([model]).take(row_array(np.zeros(series * horizon, dtype=np.int64))),
    }
    for place, probability in enumerate(forecasts.probabilities):
        name = "forecast" if probability == POINT else f"{QUANTILE}{probability:g}"
        columns[name] = number_array(forecasts.quantiles[:, :, place].ravel() + 0.0)
    columns |= {
        "seasonal_naive": number_array(benchmark.seasonal_naive.ravel()),
        "unit": number_array(np.repeat(benchmark.units, horizon)),
        "unit_squared": number_array(np.repeat(benchmark.squares, horizon)),
        "backtest_mase": number_array(benchmark.expected.ravel()),
        "backtest_steps": row_array(np.full(series * horizon, benchmark.backtest_steps)),
    }
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def series_keys(panel: Panel) -> Any:
    """Return what the series of a panel are found by, as an Arrow array: id and target."""
    targets = panel.target_names or ("",) * len(panel)
    return text_array([f"{name}\0{target}" for name, target in zip(panel.ids, targets, strict=True)])


def read_rows(rows: Any, keys: Any, calendar: Calendar) -> dict[str, LogRows]:
    """Return rows of a log by NAME@VERSION; keys and calendar: of the panel that they are looked up in."""
    models = rows.column("model")
    return {name.as_py(): _read(rows.filter(pc.equal(models, name)), keys, calendar) for name in models.unique()}


def _read(rows: Any, keys: Any, calendar: Calendar) -> LogRows:
    """Return the rows of one version."""
    own = pc.binary_join_element_wise(rows.column("id"), rows.column("target"), text_array(["\0"])[0])
    place = pc.index_in(own, value_set=keys)
    ordinals, on_grid = _ordinals(rows.column("time"), calendar)
    names = {float(name.removeprefix(QUANTILE)): name for name in rows.column_names if name.startswith(QUANTILE)}
    names[POINT] = "forecast"
    probabilities = tuple(sorted(names))
    usual = pc.is_in(rows.column("status"), value_set=text_array(["ok", "short"]))
    numbers = {name: floats_of(rows.column(name))[0] for name in ("unit", "unit_squared", "backtest_mase")}
    return LogRows(
        series=integers_of(pc.fill_null(place.cast(pa.int64()), row_array(np.array([-1]))[0])),
        ordinals=ordinals,
        on_grid=on_grid,
        steps=integers_of(rows.column("step")),
        usual=integers_of(usual.cast(pa.int64())) > 0,
        quantiles=np.stack([floats_of(rows.column(names[one]))[0] for one in probabilities], axis=1),
        probabilities=probabilities,
        seasonal_naive=floats_of(rows.column("seasonal_naive"))[0],
        units=numbers["unit"],
        squares=numbers["unit_squared"],
        expected=numbers["backtest_mase"],
        backtest_steps=int(integers_of(rows.column("backtest_steps")).min()),
    )


def _times(calendar: Calendar, ordinals: Integers) -> Any:
    """Return the times of ordinals as they are logged."""
    if calendar.period is None:
        return row_array(np.array([int(text) for text in calendar.render(ordinals)], dtype=np.int64))
    if calendar.tz:
        return row_array(calendar.instants(ordinals)).view(pa.timestamp("ns", tz="UTC"))
    return row_array(calendar.times(ordinals).view(np.int64)).view(pa.timestamp("ns"))


def _ordinals(column: Any, calendar: Calendar) -> tuple[Integers, NDArray[np.bool_]]:
    """Return the steps of a calendar that logged times are, and which of them it has at all: (rows,), (rows,)."""
    values = np.concatenate([integers_of(chunk.view(pa.int64())) for chunk in chunks_of(column)])
    unique, places = np.unique(values, return_inverse=True)
    kind = column.type
    zoned = pa.types.is_timestamp(kind) and kind.tz is not None
    if pa.types.is_timestamp(kind) == (calendar.period is None) or zoned != bool(calendar.tz):
        return np.zeros(len(values), dtype=np.int64), np.zeros(len(values), dtype=bool)  # times of another kind
    if calendar.period is None:
        found = calendar.steps(unique)
    elif calendar.tz and not calendar.elapsed:
        found = calendar.ordinals(clock_of(calendar.tz, unique).shown(unique).view("M8[ns]"))
    else:
        found = calendar.ordinals(unique.view("M8[ns]"))
    again = integers_of(_times(calendar, found).view(pa.int64()))
    return found[places], (again == unique)[places]
