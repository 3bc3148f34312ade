"""Forecasts as a Parquet file: numbers unrounded, times as timestamps."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

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
        _moments(forecasts, ordinals),
        *([text_array(forecasts.targets).take(of_series)] if forecasts.targets else []),
        *(number_array(column) for column in values.T),
        row_array(np.tile(np.arange(1, horizon + 1), series)).cast(pa.int32()),
        _moments(forecasts, forecasts.cutoffs).take(of_series),
        text_array(forecasts.status).take(of_series),
        text_array([model]).take(row_array(np.zeros(len(values), dtype=np.int64))),
    ]
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(columns, names=list(header)), sink)
    return sink.getvalue()


def _moments(forecasts: Forecasts, ordinals: Integers) -> Any:
    """Return the times of ordinals: timestamps; integers, or text in a zone, where the input has those."""
    calendar = forecasts.calendar
    if calendar.form == "step":
        return row_array(np.array([int(text) for text in calendar.render(ordinals)], dtype=np.int64))
    if calendar.zone:
        return text_array(calendar.render(ordinals))
    return row_array(calendar.times(ordinals).view(np.int64)).view(pa.timestamp("ns"))
