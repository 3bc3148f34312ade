"""Forecasts to a table: the user's own id and time columns, then ours; CSV, Parquet or JSON lines by suffix.

No clock and no setting of the machine enters: the same forecasts give the same bytes.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from forecast.errors import UsageError
from forecast.options import PredictOptions
from forecast.panels.panel import Floats, Integers
from forecast.tables.doors import pattern_of
from forecast.trained import Forecasts
from forecast.urls import is_url, shown

LEVELS = (80.0, 95.0)  # percent, where none is asked for
FORMATS = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl"}
STDOUT = "-"


def suffix_of(output: str) -> str:
    """Return the suffix that decides the format of an output; standard output is CSV. UsageError for an unknown one."""
    suffix = ".csv" if output == STDOUT else Path(output).suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(
            f"{output}: the suffix {suffix!r} is no known format.\nUse .csv, .parquet or .jsonl, or - for CSV."
        )
    return suffix


def check_output(output: str, inputs: Sequence[str] = ()) -> None:
    """Refuse an output of an unknown format, or one that would destroy something. Raises UsageError."""
    if is_url(output):
        raise UsageError(f"{shown(output)}: this output is a local file.\nWrite one, and copy it.")
    suffix_of(output)
    if output != STDOUT:
        check_place(output, inputs)


def check_place(output: str, inputs: Sequence[str] = ()) -> None:
    """Refuse a file that is an input, lies inside a bundle, is a folder or is in none. Raises UsageError."""
    path = Path(output)
    if path.is_dir():
        raise UsageError(f"{output}: the output is a folder.\nName a file in it.")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{output}: there is no folder {str(path.parent)!r}.\nMake it, or write elsewhere.")
    if any(_same_file(output, one) for one in inputs):
        raise UsageError(f"{output}: the output is the input.\nName another output with -o.")
    patterns = [pattern for one in inputs if (pattern := pattern_of(one)) is not None]
    if any(Path(os.path.abspath(output)).match(os.path.abspath(pattern)) for pattern in patterns):
        raise UsageError(f"{output}: the output would be one of the input files.\nName another output with -o.")
    if any((folder / "manifest.json").exists() or (folder / "CURRENT").exists() for folder in path.resolve().parents):
        raise UsageError(f"{output}: the output lies inside a trained model.\nName a file elsewhere.")


def _same_file(one: str, other: str) -> bool:
    """Tell whether two paths lead to the same existing file."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def value_columns(options: PredictOptions) -> dict[str, float]:
    """Return the columns of numbers in their order, each with its probability."""
    columns = {"forecast": 0.5}
    if options.quantile:
        return columns | {f"q_{probability:g}": probability for probability in sorted(set(options.quantile))}
    for level in sorted(set(options.level or LEVELS)):
        columns |= {f"lo_{level:g}": 0.5 - level / 200, f"hi_{level:g}": 0.5 + level / 200}
    return columns


def forecast_columns(names: tuple[str, str], options: PredictOptions, targets: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of all columns: the user's id and time, then ours with the prefix.

    targets: of the forecast, where there are several: then the first of ours says which one a row is of.
    Raises UsageError where one of the user's names is one of ours.
    """
    which = ("target",) if targets else ()
    ours = [options.prefix + name for name in (*which, *value_columns(options), "step", "cutoff", "status", "model")]
    for name in names:
        if name in ours:
            raise UsageError(
                f"the column {name!r} of the data has the name of a column of the forecast.\n"
                "Give --prefix TEXT to set the forecast's columns apart, such as --prefix fc_."
            )
    return (*names, *ours)


def table_bytes(
    forecasts: Forecasts, names: tuple[str, str], options: PredictOptions, model: str, suffix: str = ".csv"
) -> bytes:
    """Return the table: one row per series and step, series in input order; of a series that was skipped no numbers.

    names: the id and the time column; model: NAME@VERSION.
    """
    header, flat = _header_and_numbers(forecasts, names, options)
    if FORMATS[suffix] == "parquet":
        from forecast.tables.write_parquet import parquet_bytes  # pyarrow is not needed for the other formats

        return parquet_bytes(forecasts, header, flat, _ordinals(forecasts), model)
    style = CSV if FORMATS[suffix] == "csv" else JSON_LINES
    return b"".join(text.encode("utf-8", "surrogateescape") for text in _text(forecasts, header, flat, model, style))


def write_to_database(
    output: str, forecasts: Forecasts, names: tuple[str, str], options: PredictOptions, model: str
) -> int:
    """Write the table to a database, rows of the same series and time replaced; return the number of rows.

    Raises OutputError, the old rows intact, where the database refuses.
    """
    from forecast.tables.database import place_of
    from forecast.tables.write_database import upsert

    header, flat = _header_and_numbers(forecasts, names, options)
    return upsert(place_of(output), forecasts, header, flat, _ordinals(forecasts), model)


def _header_and_numbers(
    forecasts: Forecasts, names: tuple[str, str], options: PredictOptions
) -> tuple[tuple[str, ...], Floats]:
    """Return the names of all columns, and the columns of numbers: (rows, columns)."""
    header = forecast_columns(names, options, forecasts.targets)
    values = forecasts.at(tuple(value_columns(options).values()))
    # Nothing is below zero by rounding alone: -0.0 becomes 0.0.
    return header, values.reshape(-1, values.shape[2]) + 0.0


def _csv_cell(text: str) -> str:
    """Return a CSV cell, in quotes only where it could be misread without."""
    if any(mark in text for mark in ',"\n\r') or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text


@dataclass(frozen=True)
class Style:
    """How a row of text is put together."""

    quote: Callable[[str], str]
    missing: str  # instead of a number that is not there
    between: str = ","
    begin: str = ""
    end: str = "\n"
    keyed: bool = False  # each cell behind its column's name, instead of a header

    def labels(self, header: Sequence[str]) -> list[str]:
        """Return what comes before each cell of a row."""
        return [f"{self.quote(name)}: " if self.keyed else "" for name in header]


CSV = Style(_csv_cell, "")
JSON_LINES = Style(partial(json.dumps, ensure_ascii=False), "null", ", ", "{", "}\n", keyed=True)


def _text(forecasts: Forecasts, header: Sequence[str], values: Floats, model: str, style: Style) -> Iterator[str]:
    """Yield the header and the rows of each series as text: its constant cells are made once, a row is one join."""
    series, horizon = forecasts.quantiles.shape[:2]
    labels, join, quote = style.labels(header), style.between, style.quote
    first = 3 if forecasts.targets else 2  # column of numbers
    moments, places = np.unique(_ordinals(forecasts), return_inverse=True)  # series mostly share their times
    texts = [labels[1] + quote(text) for text in forecasts.calendar.render(moments)]
    times = [texts[place] for place in places.tolist()]
    steps = [f"{labels[-4]}{step}" for step in range(1, horizon + 1)]
    cutoffs = forecasts.calendar.render(forecasts.cutoffs)
    decimals = forecasts.bounds.decimals
    form = "%.6g" if decimals is None else f"%.{decimals}f"
    if not style.keyed:
        yield join.join(map(quote, header)) + style.end
    for row in range(series):
        begin = style.begin + labels[0] + quote(forecasts.ids[row]) + join
        target = join + (labels[2] + quote(forecasts.targets[row]) + join if forecasts.targets else "")
        ending = zip(labels[-3:], (cutoffs[row], forecasts.status[row], model), strict=True)
        end = join + join.join(label + quote(text) for label, text in ending) + style.end
        here = slice(row * horizon, (row + 1) * horizon)
        numbers = _numbers(values[here], labels[first:-4], style, form)
        yield "".join(
            f"{begin}{time}{target}{number}{join}{step}{end}"
            for time, number, step in zip(times[here], numbers, steps, strict=True)
        )


def _numbers(values: Floats, labels: Sequence[str], style: Style, form: str) -> list[str]:
    """Return the numbers of each row as text: one pattern for a whole row is three times faster than one per cell."""
    pattern = style.between.join(label.replace("%", "%%") + form for label in labels)
    texts = list(map(pattern.__mod__, map(tuple, values.tolist())))
    for row in np.flatnonzero(np.isnan(values).any(axis=1)).tolist():
        cells = (style.missing if value != value else form % value for value in values[row].tolist())
        texts[row] = style.between.join(label + cell for label, cell in zip(labels, cells, strict=True))
    return texts


def _ordinals(forecasts: Forecasts) -> Integers:
    """Return the calendar ordinal of every row: (series x horizon,)."""
    horizon = forecasts.quantiles.shape[1]
    ordinals: Integers = (forecasts.cutoffs[:, None] + np.arange(1, horizon + 1)).ravel()
    return ordinals
