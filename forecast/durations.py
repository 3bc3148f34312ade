"""Lengths of time as a user writes them: 90s, 10m, 1h30m, 36h, 2d."""

import re

from forecast.errors import UsageError

UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}  # seconds
_FORM = re.compile("".join(rf"(?:(?P<{unit}>\d+(?:\.\d+)?){unit})?" for unit in UNITS))


def seconds_of(text: str, option: str) -> float:
    """Return a length of time in seconds: whole or decimal numbers, each with its unit, the largest unit first.

    A number without a unit is refused: it is minutes to some and seconds to others. Raises UsageError, naming the
    option.

    >>> seconds_of("1h30m", "--time-limit")
    5400.0
    """
    found = _FORM.fullmatch(text.strip())
    seconds = sum(float(number) * UNITS[unit] for unit, number in found.groupdict("0").items()) if found else 0.0
    if not seconds > 0:
        raise UsageError(
            f"{option} {text!r} is no length of time.\n"
            "Give numbers with their units d, h, m and s, such as 90s, 10m or 1h30m."
        )
    return seconds


def in_words(seconds: float) -> str:
    """Return a length of time by its two largest units; from 100 of the largest on, by that one.

    >>> in_words(100_000), in_words(45.2), in_words(4_008.7 * 86_400)
    ('1d 3h', '45s', '4,008d')
    """
    left = max(round(seconds), 0)
    unit = next((unit for unit, size in UNITS.items() if left >= size), "s")
    count, left = divmod(left, UNITS[unit])
    smaller = next((other for other, size in UNITS.items() if UNITS[unit] > size), None)
    rest = left // UNITS[smaller] if smaller and count < 100 else 0
    return f"{count:,}{unit}" + (f" {rest}{smaller}" if rest else "")
