"""The present as a calendar counts it."""

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from forecast.errors import DataError
from forecast.panels.calendar import Calendar
from forecast.panels.present import shown_by_clock, written

EAST = timezone(timedelta(hours=5))
NOW = datetime(2024, 7, 1, 15, 0, tzinfo=EAST)  # 10:00 UTC, 12:00 in Berlin
CALENDARS = {
    "none": Calendar("h", 0, "%Y-%m-%d %H:%M"),
    "offset": Calendar("h", 0, "%Y-%m-%d %H:%M", "-03:00"),
    "utc": Calendar("h", 0, "%Y-%m-%dT%H:%M", "Z"),
    "epoch": Calendar("h", 0, "s"),
    "zone": Calendar("h", 0, "%Y-%m-%d %H:%M", "", "Europe/Berlin", elapsed=True),
    "days of a zone": Calendar("D", 0, "%Y-%m-%d", "", "Europe/Berlin"),
}


def at(text: str) -> int:
    """Return nanoseconds since 1970."""
    return int(np.datetime64(text, "ns").astype(np.int64))


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("none", "2024-07-01T15:00"),  # what the clock of the machine shows
        ("offset", "2024-07-01T07:00"),
        ("utc", "2024-07-01T10:00"),
        ("epoch", "2024-07-01T10:00"),
        ("zone", "2024-07-01T10:00"),  # counted in UTC
        ("days of a zone", "2024-07-01T12:00"),
    ],
)
def test_the_clock_is_read_in_the_zone_of_the_table(kind: str, shown: str) -> None:
    assert shown_by_clock(CALENDARS[kind], NOW) == at(shown)


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("none", "2024-07-01T12:00", "2024-07-01T12:00"),
        ("offset", "2024-07-01T12:00", "2024-07-01T12:00"),
        ("offset", "2024-07-01T12:00Z", "2024-07-01T09:00"),
        ("epoch", "2024-07-01T12:00+02:00", "2024-07-01T10:00"),
        ("zone", "2024-07-01T12:00", "2024-07-01T10:00"),
        ("zone", "2024-07-01T12:00Z", "2024-07-01T12:00"),
        ("zone", "2024-10-27T02:30", "2024-10-27T00:30"),  # comes twice: the first time
        ("days of a zone", "2024-06-30T23:00Z", "2024-07-01T01:00"),
    ],
)
def test_a_written_time_is_in_the_zone_of_the_table_or_in_its_own(kind: str, text: str, found: str) -> None:
    assert written(CALENDARS[kind], text, "--as-of") == at(found)


def test_integer_steps_are_named_by_their_number() -> None:
    assert written(Calendar(), "20240630", "--as-of") == 20240630
    assert written(Calendar(), "-3", "--as-of") == -3


@pytest.mark.parametrize(
    ("calendar", "text", "message"),
    [
        (
            Calendar(),
            "2024-06-30",
            "--as-of 2024-06-30 is a time, and the rows have integer steps.\nName the last step instead.",
        ),
        (
            CALENDARS["none"],
            "12",
            "--as-of 12 is a step, and the rows have times.\nName a time, such as 2024-06-30.",
        ),
        (
            CALENDARS["none"],
            "2024-06-30T12:00Z",
            "--as-of 2024-06-30T12:00Z has an offset from UTC, and the times of the table have none.\n"
            "Write it as the table does, without the offset.",
        ),
    ],
)
def test_a_time_that_the_table_does_not_count_in_is_refused(calendar: Calendar, text: str, message: str) -> None:
    with pytest.raises(DataError) as refused:
        written(calendar, text, "--as-of")
    assert str(refused.value) == message
