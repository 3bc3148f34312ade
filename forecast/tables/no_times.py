"""Cells that are no times, or that can mean several: what is said of them, and the option that says which."""

import re
from collections.abc import Sequence
from typing import Any

from forecast.errors import DataError
from forecast.panels.panel import Integers
from forecast.tables.arrow import row_array
from forecast.tables.moments import EARLIEST, LATEST
from forecast.tables.phrases import and_more, short, typed
from forecast.tables.spelled import spelled_format, week_format
from forecast.tables.table import Table

DATE = re.compile(r"([0-9]{1,2})([-/. ])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})(?![0-9])(.*)")
CLOCK = re.compile(r"(?P<gap>[T ])[0-9]{1,2}:[0-9]{2}(?P<S>:[0-9]{2})?(?P<f>\.[0-9]{1,6})?(?P<p> ?[AaPp][Mm])?")
SPAN = re.compile(r"(\S.*\S) (-|\u2013|to|/) (\S.*\S)")
NUMBER = re.compile(r"[0-9]+\.[0-9]+")


def unreadable(table: Table, name: str, cells: Any, bad: Integers, date_format: str | None) -> DataError:
    """Return the error for cells that are no times; those that could mean several get a message of their own."""
    chosen = cells.take(row_array(bad[:100_000])).to_pylist()
    doubt = _in_doubt(chosen, alone=len(bad) == len(cells)) if date_format is None else None
    if doubt is not None:
        return refusal(table, name, cells, bad, *doubt)
    year = re.match(r"([0-9]{4})-[0-9]{2}", chosen[0])
    if year and not EARLIEST <= int(year[1]) <= LATEST:
        wish = f"lies outside the years {EARLIEST} to {LATEST}"
        return refusal(table, name, cells, bad, wish, "Correct or remove the row.")
    wish = "is no time" + (f" of --date-format {date_format}" if date_format else "")
    mend, word = "Correct or remove the row", re.match(r"\W*[^\W\d]\w*", chosen[0])
    if word and word[0].isprintable() and name == table.names[0]:  # a footer
        mend += f", or leave out lines that begin so with --comment {typed(word[0])}"
    mend += "."
    if len(bad) == len(cells):
        mend = f"Say with {'another ' if date_format else ''}--date-format how times are written"
        mend += "; names of months are read in English." if word else "."
    return refusal(table, name, cells, bad, wish, mend)


def refusal(table: Table, name: str, cells: Any, rows: Integers, wish: str, mend: str) -> DataError:
    """Return the error for these rows of a time column."""
    value = cells[int(rows[0])].as_py()
    shown = "" if value in (None, "") else f": {short(value)}"
    return DataError(f"{table.place(int(rows[0]))}: column {name!r} {wish}{shown}{and_more(len(rows))}.\n{mend}")


def _in_doubt(cells: Sequence[str], alone: bool) -> tuple[str, str] | None:
    """Return what is to be said of cells that are no plain times, and the mend; None where they are none of these.

    alone: no other cell of the column could be read.
    """
    if all(NUMBER.fullmatch(cell) for cell in cells):
        return (
            "is a number with a fraction",
            "Say with --date-format what it counts: excel (days as in a spreadsheet), s or ms (since 1970).",
        )
    spelled = spelled_format(cells)
    if spelled is not None:
        return "has a name in it", f"Say with {_option(spelled)} how times are written."
    week = week_format(cells)
    if week is not None:
        return "is no week as 2024-W03 is", f"Say with {_option(week)} that it is one."
    if all(SPAN.fullmatch(cell) for cell in cells):
        return "holds a beginning and an end", "Keep one of the two in the column."
    dates = [match for match in map(DATE.fullmatch, cells) if match]
    if 2 * len(dates) <= len(cells):  # else a footer, or a typing error: it is named next
        return None
    clock = _clock_format(dates[0][5])
    if clock is None:
        return None
    day_late, month_late = (any(int(date[place]) > 12 for date in dates) for place in (1, 3))
    if day_late and month_late:
        return "mixes dates with the day first and dates with the month first", "Write all of them in one way."
    mark, year = dates[0][2], "%Y" if len(dates[0][4]) == 4 else "%y"
    day_first = f"%d{mark}%m{mark}{year}{clock}" if year == "%y" or "%p" in clock else "day-first"
    month_first = f"%m{mark}%d{mark}{year}{clock}"
    if not alone and (month_late or day_first != "day-first"):
        return "is not written as the other times", "Write all of them in one way."
    if day_late:
        return "has the day first", f"Say so with {_option(day_first)}."
    if month_late:
        return "has the month first", f"Say so with {_option(month_first)}."
    other = _option(month_first) if alone else "write all of them in one way"
    return "could have the day or the month first", f"Say so with {_option(day_first)} or {other}."


def _option(date_format: str) -> str:
    return f"--date-format {typed(date_format)}"


def _clock_format(text: str) -> str | None:
    """Return the strptime format of what follows a date; None where there is none."""
    found = CLOCK.fullmatch(text)
    if found is None:
        return None if text else ""
    half = found["p"] or ""  # of the day
    parts = [found["gap"], "%I" if half else "%H", ":%M", ":%S" if found["S"] else "", ".%f" if found["f"] else ""]
    return "".join([*parts, half[:-2], "%p" if half else ""])
