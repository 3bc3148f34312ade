"""Tables with known values, and the bytes that the software of all kinds of people would write for them."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import pyarrow as pa
from pyarrow import parquet

START = datetime(2023, 12, 25)  # a Monday
STEPS = {
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "D": timedelta(days=1),
    "W-MON": timedelta(days=7),
}
MONTHS = {"MS": 1, "QS": 3, "YS": 12}
FREQUENCIES = (*STEPS, *MONTHS, "B", "step")

ISO_DAY, ISO_SPACE, ISO_T = "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"
FORMS = (ISO_DAY, ISO_SPACE, ISO_T, "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y %H:%M")


@dataclass(frozen=True)
class Series:
    """One series: a value or None for each step that has a row; a step that is absent has none."""

    id: str
    first: int  # step at which it begins
    values: tuple[float | None, ...]
    absent: frozenset[int] = frozenset()  # places in `values` without a row; never the first or the last


@dataclass(frozen=True)
class Table:
    """What a table says, however it is written."""

    freq: str
    series: tuple[Series, ...]

    def rows(self) -> Iterator[tuple[str, int, float | None]]:
        """Yield id, step and value of every row, series by series."""
        for one in self.series:
            for place, value in enumerate(one.values):
                if place not in one.absent:
                    yield one.id, one.first + place, value


@dataclass(frozen=True)
class Style:
    """How a table is written."""

    kind: str = "csv"  # csv, json, parquet
    packing: str = ""  # gz or zst
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    thousands: str = ""
    quoting: Literal[0, 1, 2] = csv.QUOTE_MINIMAL
    newline: str = "\n"
    final_newline: bool = True
    missing: str = ""
    order: tuple[str, ...] = ("id", "ds", "y")
    form: str = ISO_DAY  # of times, strptime
    zone: str = ""  # behind every time
    by_time: bool = False  # rows step by step instead of series by series

    @property
    def suffix(self) -> str:
        """The end of the file's name."""
        return {"csv": ".csv", "json": ".jsonl", "parquet": ".parquet"}[self.kind] + (
            self.packing and "." + self.packing
        )


def moment(freq: str, step: int) -> datetime:
    """Return the time of a step."""
    if freq in STEPS:
        return START + step * STEPS[freq]
    if freq == "B":
        weeks, day = divmod(step, 5)
        return START + timedelta(days=7 * weeks + day)
    years, month = divmod(step * MONTHS[freq], 12)
    return datetime(2001 + years, 1 + month, 1)


def time_text(freq: str, step: int, style: Style) -> str:
    """Return a time as the table writes it."""
    return str(step) if freq == "step" else moment(freq, step).strftime(style.form) + style.zone


def number_text(value: float | None, style: Style) -> str:
    """Return a number as the table writes it."""
    if value is None:
        return style.missing
    text = f"{value:,}" if style.thousands and abs(value) < 1e15 else repr(value)
    return text.replace(",", "t").replace(".", style.decimal).replace("t", style.thousands)


def write(table: Table, style: Style) -> bytes:
    """Return the bytes of a table in a style."""
    rows = list(table.rows())
    if style.by_time:
        rows.sort(key=lambda row: row[1])
    data = {"csv": _csv, "json": _json, "parquet": _parquet}[style.kind](table.freq, rows, style)
    if style.packing == "gz":
        return gzip.compress(data, 1, mtime=0)
    return bytes(pa.compress(data, codec="zstd", asbytes=True)) if style.packing == "zst" else data


def _csv(freq: str, rows: list[Any], style: Style) -> bytes:
    # Python quotes the line end of the table alone; other software quotes all kinds.
    breaks = any(character in name for name, _, _ in rows for character in "\r\n")
    quoting = style.quoting or (csv.QUOTE_NONNUMERIC if breaks else csv.QUOTE_MINIMAL)
    text = io.StringIO(newline="")
    out = csv.writer(
        text,
        delimiter=style.delimiter,
        quoting=quoting,
        lineterminator=style.newline,
    )
    out.writerow(style.order)
    for name, step, value in rows:
        cells = {"id": name, "ds": time_text(freq, step, style), "y": number_text(value, style)}
        out.writerow([cells[column] for column in style.order])
    whole = text.getvalue()
    return (whole if style.final_newline else whole.removesuffix(style.newline)).encode(style.encoding)


def _json(freq: str, rows: list[Any], style: Style) -> bytes:
    lines = []
    for name, step, value in rows:
        time: Any = step if freq == "step" else time_text(freq, step, style)
        cells = {"id": name, "ds": time, "y": value}
        found = {column: cells[column] for column in style.order if style.missing or cells[column] is not None}
        lines.append(json.dumps(found, ensure_ascii=style.quoting == csv.QUOTE_ALL))
    return (style.newline.join(lines) + (style.newline if style.final_newline else "")).encode()


def _parquet(freq: str, rows: list[Any], style: Style) -> bytes:
    names, steps, values = zip(*rows, strict=True)
    if freq == "step":
        times = pa.array(steps, pa.int64())
    elif style.quoting == csv.QUOTE_ALL:
        times = pa.array([time_text(freq, step, style) for step in steps])
    else:
        unit = {",": "s", ";": "ms", "\t": "us", "|": "ns"}[style.delimiter]
        times = pa.array([moment(freq, step) for step in steps], pa.timestamp(unit))
    ids = pa.array(names)
    cells = {
        "id": ids if style.final_newline else ids.dictionary_encode(),
        "ds": times,
        "y": pa.array(values, pa.float64()),
    }
    found = io.BytesIO()
    parquet.write_table(pa.table({column: cells[column] for column in style.order}), found)
    return found.getvalue()


def plain(style: Style) -> Style:
    """Return a style in which only what its kind can vary differs from the usual."""
    if style.kind == "csv":
        return style
    return replace(style, encoding="utf-8", decimal=".", thousands="")
