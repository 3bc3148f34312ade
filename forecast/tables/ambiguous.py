"""Times that people write and that can mean several things: which of them it is, and the option that says so."""

import re
import shlex
from collections.abc import Sequence

DATE = re.compile(r"([0-9]{1,2})([-/. ])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})(?![0-9])(.*)")
CLOCK = re.compile(r"(?P<gap>[T ])[0-9]{1,2}:[0-9]{2}(?P<S>:[0-9]{2})?(?P<f>\.[0-9]{1,6})?(?P<p> ?[AaPp][Mm])?")
NUMBER = re.compile(r"[0-9]+\.[0-9]+")


def in_doubt(cells: Sequence[str], alone: bool) -> tuple[str, str] | None:
    """Return what is to be said of cells that are no plain times, and the mend; None where they are none of these.

    alone: no other cell of the column could be read.
    """
    if all(NUMBER.fullmatch(cell) for cell in cells):
        return (
            "is a number with a fraction",
            "Say with --date-format excel that it counts days as spreadsheets do, or write dates or whole numbers.",
        )
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
    return f"--date-format {shlex.quote(date_format)}"


def _clock_format(text: str) -> str | None:
    """Return the strptime format of what follows a date; None where there is none."""
    found = CLOCK.fullmatch(text)
    if found is None:
        return None if text else ""
    half = found["p"] or ""  # of the day
    parts = [found["gap"], "%I" if half else "%H", ":%M", ":%S" if found["S"] else "", ".%f" if found["f"] else ""]
    return "".join([*parts, half[:-2], "%p" if half else ""])
