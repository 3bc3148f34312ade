"""Tables with known values, written as all kinds of software do, are read back equal, or refused as ambiguous."""

import csv
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.errors import DataError
from forecast.options import ReadOptions
from forecast.tables import Reading, read_panel

UNSEEN = {"Cs", "Cn"}  # half characters, and what stands for none
AWKWARD = (
    "007",
    "NA",
    "null",
    "1e5",
    "1,5",
    "a;b",
    'say "x"',
    '"',
    "'",
    "a\nb",
    "a\r\nb",
    "=1+1",
    "../x",
    "#",
    " x ",
    "-0",
)
LEAST = 6  # rows of a series from which its step can be told whatever is absent
ISO = [form for form in written.FORMS if form.startswith("%Y")]
ZONES = ("", "", "Z", " UTC", "+02:00", "-0330", "+05:45")
GROUPED = re.compile(r"[0-9](?P<mark>[,.' ])[0-9]{3}")


def ids(encoding: str) -> st.SearchStrategy[tuple[str, ...]]:
    """Return one to four ids that an encoding can hold."""
    codec = "utf-8" if encoding.startswith("utf") else encoding
    text = st.text(
        st.characters(codec=codec, exclude_categories=UNSEEN, exclude_characters="\0"), min_size=1, max_size=8
    )
    return st.lists(st.one_of(st.sampled_from(AWKWARD), text), min_size=1, max_size=4, unique=True).map(tuple)


NUMBERS = st.one_of(
    st.integers(-(2**53), 2**53).map(float),
    st.floats(-1e6, 1e6).map(lambda number: round(number, 3)),
    st.floats(-3e38, 3e38, allow_subnormal=False),
)


@st.composite
def tables(draw: st.DrawFn, encoding: str, frequencies: Sequence[str], shown: bool = False) -> written.Table:
    """Return a table in which most steps of every series have a row, and most rows a value.

    shown: one series is there without a gap for long enough to show the frequency.
    """
    numbers, series = NUMBERS, []
    if shown:
        series.append(written.Series("whole", 0, (1.5, 2.0, None, 4.25, -1.0) * 8))
    for name in draw(ids(encoding).filter(lambda names: "whole" not in names)):
        count = draw(st.integers(LEAST, 16))
        values = draw(st.lists(st.one_of(st.none(), numbers, numbers), min_size=count, max_size=count))
        values[count // 2] = draw(numbers)
        absent = draw(st.frozensets(st.integers(1, count - 2), max_size=count // 5))
        series.append(written.Series(name, draw(st.integers(0, 40)), tuple(values), absent))
    return written.Table(draw(st.sampled_from(frequencies)), tuple(series))


@st.composite
def styles(draw: st.DrawFn, forms: Sequence[str] = written.FORMS) -> written.Style:
    """Return a way to write a table that says everything in it, dates with a clock where the form has one."""
    kind = draw(st.sampled_from(("csv", "csv", "csv", "json", "parquet")))
    encoding = (
        draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"))) if kind == "csv" else "utf-8"
    )
    decimal = draw(st.sampled_from(".,")) if kind == "csv" else "."
    form = draw(st.sampled_from(forms))
    return written.Style(
        kind=kind,
        packing=draw(st.sampled_from(("", "", "gz", "zst"))),
        encoding=encoding,
        delimiter=draw(st.sampled_from(",;\t|")),
        decimal=decimal,
        thousands=draw(st.sampled_from(("", {".": ",", ",": "."}[decimal], " ", "'"))) if kind == "csv" else "",
        quoting=draw(st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC))),
        newline=draw(st.sampled_from(("\n", "\r\n", "\r"))) if kind == "csv" else "\n",
        final_newline=draw(st.booleans()),
        missing=draw(st.sampled_from(("", "NA", "NaN", "null"))),
        order=tuple(draw(st.permutations(("id", "ds", "y")))),
        form=form,
        zone=draw(st.sampled_from(ZONES)) if form in ISO and "%H" in form else "",
        by_time=draw(st.booleans()),
    )


def can_say(style: written.Style, freq: str) -> bool:
    """Tell whether a form of times tells the steps of a frequency apart."""
    return freq not in ("min", "h", "6h") or "%H" in style.form


def told(table: written.Table, style: written.Style) -> ReadOptions:
    """Return the options with which nothing about the table is left to be found out."""
    text = style.kind == "csv"
    day_first = {"%d.%m.%Y": "day-first", "%d/%m/%Y %H:%M": "day-first"}
    return ReadOptions(
        id=("id",),
        time=("ds",),
        target=("y",),
        freq=table.freq,
        date_format="step" if table.freq == "step" else day_first.get(style.form),
        delimiter=style.delimiter if text else None,
        decimal=style.decimal if text else None,
        thousands=style.thousands or None,
        encoding=style.encoding if text else None,
    )


def ambiguous(table: written.Table, style: written.Style) -> tuple[str, ...]:
    """Return what a refusal of an untold table may speak of; nothing where it must be read."""
    typed = style.kind == "parquet" and style.quoting != csv.QUOTE_ALL
    day_first = style.form.startswith("%d") and table.freq != "step" and not typed
    cells = [written.number_text(value, style) for _, _, value in table.rows() if value is not None]
    text = style.kind == "csv"
    reasons = {
        "--date-format": day_first,
        "--thousands": text and any(map(GROUPED.search, cells)),
        "--decimal": text and style.decimal == ",",
    }
    return tuple(option for option, holds in reasons.items() if holds)


def put(table: written.Table, style: written.Style, folder: Path) -> str:
    """Write a table, and return where it is."""
    path = folder / f"table{style.suffix}"
    path.write_bytes(written.write(table, style))
    return str(path)


def read_or_refuse(path: str, options: ReadOptions) -> Reading | DataError:
    """Read a table, or return why it is refused."""
    try:
        return read_panel(path, options)
    except DataError as refusal:
        return refusal


def assert_equal(reading: Reading, table: written.Table, style: written.Style) -> None:
    """Compare what was read with what was written: ids, first and last time, frequency, and every value."""
    panel = reading.panel
    order = [name for name, step, _ in sorted(table.rows(), key=lambda row: row[1])] if style.by_time else None
    series = {one.id: one for one in table.series}
    names = list(dict.fromkeys(order)) if order else list(series)
    assert list(panel.ids) == names
    typed = style.kind == "parquet" and style.quoting != csv.QUOTE_ALL
    assert panel.calendar.freq in (table.freq, f"{table.freq}-JAN")  # quarters and years, found
    firsts, lasts = panel.calendar.render(panel.starts), panel.calendar.render(panel.last)
    for row, name in enumerate(names):
        one = series[name]
        ends = one.first, one.first + len(one.values) - 1
        if typed and table.freq != "step":
            read = np.array([firsts[row], lasts[row]], dtype="M8[s]")
            assert read.tolist() == [written.moment(table.freq, step) for step in ends]
        else:
            assert [firsts[row], lasts[row]] == [written.time_text(table.freq, step, style) for step in ends]
        expected = [None if place in one.absent else value for place, value in enumerate(one.values)]
        found = [None if np.isnan(value) else value for value in panel.values(row).tolist()]
        assert found == expected


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_table_whose_form_is_told_is_read_back_equal(data: st.DataObject, folder: Path) -> None:
    style = written.plain(data.draw(styles()))
    frequencies = [freq for freq in written.FREQUENCIES if can_say(style, freq)]
    table = data.draw(tables(style.encoding, frequencies))
    assert_equal(read_panel(put(table, style, folder), told(table, style)), table, style)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_table_whose_form_is_not_told_is_read_back_equal_or_refused_as_ambiguous(
    data: st.DataObject, folder: Path
) -> None:
    style = written.plain(data.draw(styles()))
    table = data.draw(
        tables(style.encoding, [freq for freq in written.FREQUENCIES if can_say(style, freq)], shown=True)
    )
    named = style.encoding if style.encoding in ("latin-1", "cp1252") else None
    reasons = ambiguous(table, style)
    reading = read_or_refuse(put(table, style, folder), ReadOptions(encoding=named))
    if isinstance(reading, DataError):
        assert any(reason in reading.hint for reason in reasons), reading
    else:
        assert "--date-format" not in reasons
        assert_equal(reading, table, style)


@settings(max_examples=60)
@given(
    zone=st.sampled_from(("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")),
    start=st.datetimes(datetime(2023, 1, 1), datetime(2024, 12, 31)),
    minutes=st.sampled_from((15, 30, 60)),
    count=st.integers(LEAST, 400),
    offset=st.booleans(),
)
def test_the_hours_of_a_zone_are_read_back_with_those_that_come_twice(
    zone: str, start: datetime, minutes: int, count: int, offset: bool, folder: Path
) -> None:
    begin = start.replace(tzinfo=UTC, minute=0, second=0, microsecond=0)
    moments = [(begin + timedelta(minutes=minutes * step)).astimezone(ZoneInfo(zone)) for step in range(count)]
    texts = [moment.isoformat() if offset else moment.strftime(written.ISO_T) for moment in moments]
    path = folder / "zone.csv"
    path.write_text("ds,y\n" + "".join(f"{text},{step}\n" for step, text in enumerate(texts)))
    panel = read_panel(str(path), ReadOptions(tz=zone)).panel
    assert panel.values(0).tolist() == list(range(count))
    assert panel.calendar.render(panel.starts + np.arange(count)) == texts
