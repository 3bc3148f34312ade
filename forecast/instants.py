"""Points in time as a user writes them: 2024-06-30, 2024-06-30T18:00, 2024-06-30T18:00+02:00, 2014-06, 2020Q3, 1234."""

import re
from datetime import datetime

from forecast.errors import UsageError

EARLIEST, LATEST = 1678, 2261  # years that nanoseconds since 1970 can hold
_STEP = re.compile(r"[+-]?\d{1,18}")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-?Q([1-4])")


def instant_of(text: str, option: str) -> datetime | int:
    """Return a point in time, its offset from UTC kept where it has one; a whole number as the step that it counts.

    A day, a month or a quarter means its beginning. Raises UsageError, naming the option.

    >>> instant_of("2020Q3", "--as-of")
    datetime.datetime(2020, 7, 1, 0, 0)
    """
    day = text.strip()
    month, quarter = _MONTH.fullmatch(day), _QUARTER.fullmatch(day)
    if month:
        day = f"{month[0]}-01"
    elif quarter:
        day = f"{quarter[1]}-{3 * int(quarter[2]) - 2:02d}-01"
    try:
        found = datetime.fromisoformat(day)
    except ValueError:
        found = None
    if found is not None and EARLIEST <= found.year <= LATEST:
        return found
    if found is None and _STEP.fullmatch(day):
        return int(day)
    raise UsageError(
        f"{option} {text!r} is no point in time.\n"
        "Write it as 2024-06-30, 2024-06-30T18:00 or 2024-06-30T18:00+02:00; where rows have integer steps, as a step."
    )
