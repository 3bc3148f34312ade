"""The present on the axis of a calendar: what the clock shows, or a time that a user has written."""

from datetime import UTC, datetime

import numpy as np

from forecast.errors import DataError
from forecast.instants import instant_of
from forecast.panels.calendar import EPOCH_FORMS, Calendar, Integers, offset_of
from forecast.panels.frequencies import parse_frequency
from forecast.panels.zones import clock_of


def has_steps(calendar: Calendar) -> bool:
    """Say whether times are integer steps, which no clock shows."""
    return parse_frequency(calendar.freq).unit == "step"


def moments(calendar: Calendar, ordinals: Integers) -> Integers:
    """Return where each step stands on the axis: nanoseconds since 1970, of UTC where steps are elapsed time."""
    return calendar.instants(ordinals) if calendar.elapsed else calendar.times(ordinals).view(np.int64)


def shown_by_clock(calendar: Calendar, now: datetime) -> int:
    """Return where a point in time stands on the axis; times without a zone are those of the clock of `now`."""
    instant = _nanoseconds(now.astimezone(UTC))
    if calendar.elapsed:
        return instant
    if calendar.tz:
        return int(clock_of(calendar.tz, np.array([instant])).shown(np.array([instant]))[0])
    if calendar.form in EPOCH_FORMS:
        return instant
    return instant + offset_of(calendar.zone) if calendar.zone else _nanoseconds(now)


def written(calendar: Calendar, text: str, option: str) -> int:
    """Return where a time that a user has written stands on the axis, or the step that it is.

    Without an offset it is in the zone of the calendar. Raises DataError where the calendar counts in another way.
    """
    found = instant_of(text, option)
    if has_steps(calendar):
        if isinstance(found, int) or text.strip().isdigit():
            return int(text)
        raise DataError(f"{option} {text} is a time, and the rows have integer steps.\nName the last step instead.")
    if isinstance(found, int):
        raise DataError(f"{option} {text} is a step, and the rows have times.\nName a time, such as 2024-06-30.")
    if found.tzinfo is not None:
        if not (calendar.tz or calendar.zone or calendar.form in EPOCH_FORMS):
            raise DataError(
                f"{option} {text} has an offset from UTC, and the times of the table have none.\n"
                "Write it as the table does, without the offset."
            )
        return shown_by_clock(calendar, found)
    local = _nanoseconds(found)
    return int(clock_of(calendar.tz, np.array([local])).earlier(np.array([local]))[0]) if calendar.elapsed else local


def _nanoseconds(moment: datetime) -> int:
    """Return what a clock shows as nanoseconds since 1970."""
    return int(np.datetime64(moment.replace(tzinfo=None), "us").astype(np.int64)) * 1000
