"""Times that several columns make up: year, month, day, hour, minute, second, or a date and a clock."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from forecast.errors import DataError
from forecast.panels.calendar import Calendar
from forecast.panels.panel import Integers
from forecast.tables.moments import WHOLE, days_of, days_of_week, month_of, read_moments
from forecast.tables.no_times import refusal
from forecast.tables.phrases import and_more, listed, short
from forecast.tables.table import Table
from forecast.tables.times import CLOCK_FORM, DAY_FORM, Times, kind_of, read_times, text_cells, trimmed

UNITS = ("year", "month", "day", "hour", "minute", "second")
PERIODS = ("quarter", "week")  # of a year; weeks as ISO 8601 counts them


def combine_times(
    table: Table, names: Sequence[str], columns: Sequence[Any], date_format: str | None, tz: str | None = None
) -> Times:
    """Make the time of every row from several columns, known by their names, else taken in the order of UNITS.

    A first column of dates is no unit, whatever its name: the others are its clock. Raises DataError with line and
    value for what is no time.
    """
    cells = [trimmed(text_cells(column)) for column in columns]
    units = [name.lower() for name in names]
    first = kind_of([cells[0][0].as_py()])
    if first == "date":
        return _joined(table, names, cells, date_format, tz)
    if not _are_units(units):
        if len(names) > len(UNITS) or date_format is not None or first != "step":
            return _joined(table, names, cells, date_format, tz)
        units = list(UNITS[: len(names)])
    if "year" not in units:
        raise DataError(f"{table.path}: --time {' '.join(names)} gives no year.\nName the column of the year as well.")
    values = {unit: _number(table, name, unit, column) for name, unit, column in zip(names, units, cells, strict=True)}
    zeros = np.zeros(len(cells[0]), dtype=np.int64)
    days, good = _days(values)
    hour, minute, second = (values.get(unit, zeros) for unit in ("hour", "minute", "second"))
    good &= (hour < 24) & (minute < 60) & (second < 60) & (np.minimum(np.minimum(hour, minute), second) >= 0)
    if not good.all():
        bad = np.flatnonzero(~good)
        shown = " ".join(column[int(bad[0])].as_py() for column in cells)
        raise DataError(
            f"{table.place(int(bad[0]))}: the columns {listed(names)} make no time: {short(shown)}"
            f"{and_more(len(bad))}.\nCorrect or remove the row."
        )
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    return Times(seconds * 1_000_000_000, CLOCK_FORM if "hour" in values else DAY_FORM)


def name_parts(names: Sequence[str]) -> list[str]:
    """Return those of the columns that are called as parts of a time; [] where none is the year."""
    known = {name.lower(): name for name in reversed(names)}
    units = UNITS if "month" in known else ("year", *PERIODS)
    return [known[unit] for unit in units if unit in known] if "year" in known else []


def _are_units(units: Sequence[str]) -> bool:
    """Say whether these are parts of a time that go together."""
    return set(units) <= set(UNITS) or set(units) in [{"year", period} for period in PERIODS]


def _days(values: dict[str, Integers]) -> tuple[Integers, Any]:
    """Return days since 1970, of a period the first one, and whether there is such a day."""
    year = values["year"]
    if "week" in values:
        return days_of_week(year, values["week"])
    first = np.ones_like(year)
    month = month_of(values["quarter"]) if "quarter" in values else values.get("month", first)
    return days_of(year, month, values.get("day", first))


def _joined(table: Table, names: Sequence[str], cells: list[Any], date_format: str | None, tz: str | None) -> Times:
    """Read the columns one after the other, with a space between, as one text."""
    import pyarrow.compute as pc

    return read_times(table, " ".join(names), pc.binary_join_element_wise(*cells, " "), date_format, tz)


def _number(table: Table, name: str, unit: str, cells: Any) -> Integers:
    """Return one column of whole numbers."""
    moments = read_moments(cells, [WHOLE])
    if len(moments.bad):
        raise refusal(table, name, cells, moments.bad, f"is no {unit}", "Correct or remove the row.")
    return moments.values


def split_times(names: Sequence[str], calendar: Calendar, ordinals: Integers) -> dict[str, list[str]]:
    """Return the time columns that `combine_times` reads as these steps: what a table of such columns holds."""
    texts = calendar.render(ordinals)
    if len(names) == 1:
        return {names[0]: texts}
    units = [name.lower() for name in names]
    if not _are_units(units) or "year" not in units:
        joined = [text.split(" ") for text in texts]
        if all(len(part) == len(names) for part in joined):
            return {name: [part[place] for part in joined] for place, name in enumerate(names)}
        units = list(UNITS[: len(names)])
    moments = calendar.times(ordinals).astype("M8[s]").tolist()
    weekly = "week" in units
    return {
        name: [str(_part(moment, unit, weekly)) for moment in moments] for name, unit in zip(names, units, strict=True)
    }


def _part(moment: datetime, unit: str, weekly: bool) -> int:
    """Return a part of a time; beside a week the year is that of the week."""
    if weekly:
        return int(getattr(moment.isocalendar(), unit))
    return (moment.month + 2) // 3 if unit == "quarter" else int(getattr(moment, unit))
