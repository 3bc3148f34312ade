"""Forecasts as a Parquet file: numbers unrounded, times as timestamps."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from forecast.panels.calendar import OWN_OFFSET, Calendar
from forecast.panels.panel import Floats, Integers
from forecast.tables.arrow import number_array, row_array, text_array
from forecast.trained import Forecasts


def parquet_bytes(forecasts: Forecasts, header: Sequence[str], values: Floats, ordinals: Integers, model: str) -> bytes:
    """Return the file: one row per series and step.

    values: (rows, columns of numbers), NaN becomes null; ordinals: (rows,) the calendar ordinal of each row.
    """
    series, horizon = forecasts.quantiles.shape[:2]
    of_series = row_array(np.repeat(np.arange(series), horizon))
    columns = [
        text_array(forecasts.ids).take(of_series),
        moments(forecasts.calendar, ordinals),
        *([text_array(forecasts.targets).take(of_series)] if forecasts.targets else []),
        *(number_array(column) for column in values.T),
        row_array(np.tile(np.arange(1, horizon + 1), series)).cast(pa.int32()),
        moments(forecasts.calendar, forecasts.cutoffs).take(of_series),
        text_array(forecasts.status).take(of_series),
        text_array([model]).take(row_array(np.zeros(len(values), dtype=np.int64))),
    ]
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(columns, names=list(header)), sink)
    return sink.getvalue()


def columns_as_parquet(columns: Mapping[str, Any]) -> bytes:
    """Return columns of equal length as a Parquet file: text, numbers (NaN becomes null), or what `moments` made."""
    arrays = [column if isinstance(column, pa.Array) else _array(column) for column in columns.values()]
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(arrays, names=list(columns)), sink)
    return sink.getvalue()


def _array(column: Any) -> Any:
    """Return a column of text or of numbers as an Arrow array."""
    if not isinstance(column, np.ndarray):
        return text_array(column)
    return number_array(column) if column.dtype == np.float64 else row_array(column)


def moments(calendar: Calendar, ordinals: Integers) -> Any:
    """Return the times of ordinals: timestamps, of a zone with its own offsets; integers or text as in the input."""
    if calendar.form == "step":
        return row_array(np.array([int(text) for text in calendar.render(ordinals)], dtype=np.int64))
    if calendar.zone.strip() in OWN_OFFSET:
        return row_array(calendar.instants(ordinals)).view(pa.timestamp("ns", tz=calendar.tz))
    if calendar.zone:
        return text_array(calendar.render(ordinals))
    return row_array(calendar.times(ordinals).view(np.int64)).view(pa.timestamp("ns"))
