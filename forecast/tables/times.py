"""The time column of a table: dates, integer steps, epoch numbers; never guessed, and never 1970 by accident."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from forecast.errors import DataError
from forecast.panels.calendar import EPOCH_FORMS, EXCEL_EPOCH, OWN_OFFSET, Calendar
from forecast.panels.frequencies import DAY
from forecast.panels.panel import Integers
from forecast.tables.arrow import (
    chunks_of,
    codes_of,
    distinct_of,
    flags_of,
    floats_of,
    integers_of,
    spans_of,
    valid_of,
)
from forecast.tables.forms import as_padded
from forecast.tables.moments import (
    COMPACT,
    EARLIEST,
    EITHER,
    ISO,
    LATEST,
    Moments,
    days_of,
    patterns_of,
    read_moments,
    split_date,
)
from forecast.tables.no_times import refusal, unreadable
from forecast.tables.phrases import typed
from forecast.tables.spelled import is_spelled
from forecast.tables.table import Table

STEP_LIMIT = 10_000  # below: integer steps; from here on a number could be a date or a count
SHOWN = 200  # cells that tell how times are written
YEAR = 365.2425 * DAY
NUMBER_OR_MONTH = re.compile(r"[0-9]{4}\.[0-9]{2}")
OFFSET = r"[T ].*(Z|UTC|[+-][0-9]{2}:?([0-9]{2})?)$"
COUNTS = {"step": r"^[+-]?[0-9]{1,18}$", "excel": r"^[0-9]{1,7}(\.[0-9]+)?$"}  # the others may have a fraction
CLOCK_FORM, DAY_FORM = "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"


@dataclass(frozen=True, eq=False)
class Times:
    """The time of every row: integer steps, or local nanoseconds since 1970; of UTC where times are elapsed."""

    values: Integers  # (rows,)
    form: str  # as Calendar.form; "step" for integer steps
    zone: str = ""
    date_format: str | None = None  # settled; None where ISO 8601 or a compact form
    notices: tuple[str, ...] = ()
    tz: str = ""  # as Calendar.tz
    elapsed: bool = False  # values are nanoseconds since 1970 UTC

    def write(self, value: int) -> str:
        """Return a value as the table writes it."""
        return str(value) if self.are_steps else self.calendar.render(np.array([value]))[0]

    @property
    def calendar(self) -> Calendar:
        """The calendar whose ordinals are the values."""
        if self.are_steps:
            return Calendar()
        return Calendar("ns", 0, self.form, self.zone, self.tz, self.elapsed)

    @property
    def are_steps(self) -> bool:
        """Say whether times are integer steps."""
        return self.form == "step"


def kind_of(cells: list[str]) -> str:
    """Say what a sample of cells reads as: date, ambiguous, step, or '' for none of them.

    Half of the shapes decide: one stray cell (a footer, a typing error) must not hide the time column.
    """
    shapes = {re.sub(r"[0-9]", "9", cell) for cell in cells}
    if not cells or all(re.fullmatch(r"[+-]?9{1,18}", shape) for shape in shapes):
        eight = np.array([int(cell) for cell in cells])
        return "" if not cells else "date" if days_of(*split_date(eight))[1].all() else "step"
    dates = sum(any(pattern.fullmatch(shape) for pattern in (*ISO, COMPACT)) for shape in shapes)
    if "9999.99" in shapes and not all(0 < int(cell[5:]) < 13 for cell in cells if NUMBER_OR_MONTH.fullmatch(cell)):
        dates -= 1  # numbers with two decimals, and no months
    either = sum(bool(EITHER.fullmatch(shape)) or is_spelled(shape) for shape in shapes)
    return "date" if 2 * dates >= len(shapes) else "ambiguous" if 2 * either >= len(shapes) else ""


def read_times(table: Table, name: str, column: Any, date_format: str | None, tz: str | None = None) -> Times:
    """Read one time column: Arrow text, also as categories, or timestamps. tz: whose offsets it has, where they differ.

    Raises DataError with line and value for what is missing, no time, ambiguous, or outside the years 1678-2261.
    """
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return _typed(table, name, column, tz)
    times = _coded(table, name, column, date_format, tz) if pa.types.is_dictionary(column.type) else None
    times = times or _read_cells(table, name, text_cells(column), date_format, tz)
    if "%" not in times.form:
        return times
    rows = np.linspace(0, len(column) - 1, SHOWN).astype(np.int64).tolist()
    return replace(times, form=as_padded(times.form, [str(column[row].as_py()).strip() for row in rows]))


def _coded(table: Table, name: str, column: Any, date_format: str | None, tz: str | None) -> Times | None:
    """Read categories, each different text once; None where one is no time: what is said of it counts rows."""
    if column.null_count:
        return None
    cells, places = distinct_of(column)
    try:
        times = _read_cells(table, name, cells, date_format, tz)
    except DataError:
        return None
    return replace(times, values=times.values[places])


def _read_cells(table: Table, name: str, cells: Any, date_format: str | None, tz: str | None) -> Times:
    """Read text."""
    empty = np.flatnonzero(np.concatenate([np.diff(spans_of(chunk)[1]) == 0 for chunk in chunks_of(cells)]))
    if len(empty):
        mend = "Give every row a time, or remove it."
        if name == table.names[0] and table.delimiter is not None:
            comment = f"--comment {typed(table.delimiter)}"
            mend = f"Give every row a time, or leave out lines that begin so with {comment}."
        raise refusal(table, name, cells, empty, "is empty", mend)
    if date_format in ("step", "excel", *EPOCH_FORMS):
        return _counted(table, name, cells, str(date_format))
    patterns = patterns_of(date_format)
    if patterns is None:
        return _by_strptime(table, name, cells, str(date_format))
    moments = read_moments(cells, patterns)
    if len(moments.bad):
        cells = trimmed(cells)
        moments = read_moments(cells, patterns)
    if moments.whole.any():
        return _whole(table, name, cells, moments)
    if len(moments.bad):
        raise unreadable(table, name, cells, moments.bad, date_format)
    if moments.zones == ("",):
        return Times(moments.values, moments.form, date_format=date_format)
    return _zoned(table, name, cells, moments, date_format, tz)


def text_cells(column: Any) -> Any:
    """Return a column as Arrow text; null becomes empty text."""
    if not pa.types.is_string(column.type):
        column = column.cast(pa.string())
    return column.fill_null("") if column.null_count else column


def trimmed(cells: Any) -> Any:
    """Return text without spaces at both ends."""
    import pyarrow.compute as pc

    return pc.utf8_trim_whitespace(cells)


def _whole(table: Table, name: str, cells: Any, moments: Moments) -> Times:
    """Take whole numbers as steps where all are small, as dates where all have eight digits that are a date."""
    values, whole = moments.values, moments.whole
    if not whole.all():
        odd = np.flatnonzero(whole if 2 * whole.sum() <= len(whole) else ~whole)
        raise unreadable(table, name, cells, odd, None)
    if values.max() < STEP_LIMIT:
        return Times(values, "step", date_format="step")
    days, good = days_of(*split_date(values))
    if good.all():
        return Times(days * DAY, "%Y%m%d")
    wish = "could be a step, a date or a count since 1970"
    mend = "Say what it is with --date-format step, excel, s, ms, us, ns or a strptime format such as %Y%m%d%H."
    if good.any():
        wish, mend = "is no date", "Correct or remove the row."
    raise refusal(table, name, cells, np.flatnonzero(~good if good.any() else values >= STEP_LIMIT), wish, mend)


def _counted(table: Table, name: str, cells: Any, date_format: str) -> Times:
    """Read integer steps, counts since 1970, or the days of a spreadsheet."""
    import pyarrow.compute as pc

    pattern = COUNTS.get(date_format, r"^[+-]?[0-9]{1,18}(\.[0-9]{1,9})?$")
    good = flags_of(pc.match_substring_regex(cells, pattern))
    if not good.all():
        cells = trimmed(cells)
        good = flags_of(pc.match_substring_regex(cells, pattern))
    if not good.all():
        raise unreadable(table, name, cells, np.flatnonzero(~good), date_format)
    if flags_of(pc.starts_with(cells, "+")).any():  # else no copy
        cells = pc.replace_substring_regex(cells, r"^\+", "")
    if date_format == "step":
        return Times(integers_of(pc.cast(cells, pa.int64())), "step", date_format="step")
    numbers = floats_of(pc.cast(cells, pa.float64()))[0]
    # A spreadsheet keeps the time of day as a fraction: a millisecond is the finest that survives.
    excel = date_format == "excel"
    moments = np.round(numbers * 86_400_000) * 1e6 + EXCEL_EPOCH if excel else numbers * EPOCH_FORMS[date_format]
    outside = np.flatnonzero(np.abs(moments / YEAR + 1970 - (EARLIEST + LATEST + 1) / 2) > (LATEST - EARLIEST) / 2)
    if len(outside):
        wish = f"lies outside the years {EARLIEST} to {LATEST} when it is read as {date_format}"
        raise refusal(table, name, cells, outside, wish, "Name another --date-format.")
    if excel:
        return Times(moments.astype(np.int64), date_format, date_format=date_format)
    return Times(_exact(cells, EPOCH_FORMS[date_format]), date_format, date_format=date_format)


def _exact(cells: Any, unit: int) -> Integers:
    """Return counts of so many nanoseconds, which a float64 could not hold: digits, with a fraction or without."""
    import pyarrow.compute as pc

    if not flags_of(pc.match_substring(cells, ".")).any():
        return integers_of(pc.cast(cells, pa.int64())) * unit
    whole = integers_of(pc.cast(pc.replace_substring_regex(cells, r"\..*$", ""), pa.int64())) * unit
    digits = pc.utf8_rpad(pc.replace_substring_regex(cells, r"^[^.]*\.?", ""), 9, "0")
    fraction = integers_of(pc.cast(digits, pa.int64())) * unit // 10**9
    return np.where(flags_of(pc.starts_with(cells, "-")), whole - fraction, whole + fraction)


def _by_strptime(table: Table, name: str, cells: Any, date_format: str) -> Times:
    """Read with strptime, each different cell once: names of months need it."""
    coded = trimmed(cells).dictionary_encode().unify_dictionaries()
    values, bad = [], []
    for code, text in enumerate(coded.chunk(0).dictionary.to_pylist()):
        try:
            moment = datetime.strptime(text, date_format)
            # An offset that strptime has read is applied: the time is then in UTC.
            moment = (moment - (moment.utcoffset() or timedelta())).replace(tzinfo=None)
        except (ValueError, OverflowError):
            moment = datetime.min
        if not EARLIEST <= moment.year <= LATEST:
            bad.append(code)
            moment = datetime(1970, 1, 1)
        values.append(int(np.datetime64(moment, "us").astype(np.int64)) * 1000)
    codes = codes_of(coded)
    if bad:
        raise unreadable(table, name, cells, np.flatnonzero(np.isin(codes, bad)), date_format)
    form, zone = date_format.replace("%z", ""), "+0000" if "%z" in date_format else ""
    return Times(np.array(values, dtype=np.int64)[codes], form, zone, date_format)


def zone_of(column: Any) -> str | None:
    """Return the zone of typed times, where it is a place and not an offset or UTC; else None."""
    name = getattr(column.type, "tz", None)
    return name if name and "/" in name and not name.startswith("Etc/") else None


def own_offset(zone: str) -> str:
    """Return how a zone's own offsets are written, in the way of one of them."""
    return (" " if zone.startswith(" ") else "") + ("%:z" if ":" in zone else "%z")


def _typed(table: Table, name: str, column: Any, tz: str | None) -> Times:
    """Take timestamps as they are; those with a zone are in UTC, and with --tz are written in its own offsets."""
    if column.null_count:
        empty = np.flatnonzero(~valid_of(column))
        raise refusal(table, name, column, empty, "is empty", "Give every row a time, or remove it.")
    zone = getattr(column.type, "tz", None)
    microseconds = integers_of(column.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64()))
    years = microseconds / (YEAR / 1000) + 1970
    outside = np.flatnonzero((years < EARLIEST) | (years > LATEST))
    if len(outside):
        wish = f"lies outside the years {EARLIEST} to {LATEST}"
        raise refusal(table, name, column.cast(pa.string()), outside, wish, "Correct or remove the row.")
    form = CLOCK_FORM if zone or (microseconds % (DAY // 1000)).any() else DAY_FORM
    if zone and tz is not None:
        return Times(microseconds * 1000, form, OWN_OFFSET[1])
    notices = (f"times of {name!r} are written in UTC",) if zone else ()
    return Times(microseconds * 1000, form, "+00:00" if zone else "", None, notices)


def _zoned(table: Table, name: str, cells: Any, moments: Moments, date_format: str | None, tz: str | None) -> Times:
    """Keep a single offset; bring different ones to UTC, and say so where they are no zone's own."""
    import pyarrow.compute as pc

    zones = [zone for zone in moments.zones if zone]
    example = ", ".join(zone.strip() for zone in zones[:3])
    if "" in moments.zones:
        with_offset = flags_of(pc.match_substring_regex(cells, OFFSET))
        odd = np.flatnonzero(with_offset if 2 * with_offset.sum() <= len(with_offset) else ~with_offset)
        has = "has a UTC offset, which others lack" if with_offset[odd[0]] else f"lacks a UTC offset ({example})"
        raise refusal(table, name, cells, odd, has, "Write all of them with an offset, or all without.")
    if len(np.unique(moments.offsets)) == 1:
        return Times(moments.values, moments.form, zones[0], date_format)
    instants = moments.values - moments.offsets * 60_000_000_000
    if tz is not None:
        return Times(instants, moments.form, own_offset(zones[0]), date_format)
    notice = (
        f"times of {name!r} have {len(zones)} different UTC offsets ({example}): taken as UTC; if they are of a clock "
        "that is put forward in spring, name its zone with --tz, such as Europe/Berlin"
    )
    zone = "+00:00" if any(":" in zone for zone in zones) else "+0000"
    return Times(instants, moments.form, zone, date_format, (notice,))
