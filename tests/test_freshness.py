"""How old data is."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from forecast.errors import DataError, StaleError
from forecast.freshness import NEVER, Freshness, assess, last_values
from forecast.matching import Finding
from forecast.panels.calendar import Calendar
from forecast.panels.panel import Panel, panel_of

NAN = float("nan")
ZONE = timezone(timedelta(hours=2))
DAYS, HOURS = Calendar("D", 0, "%Y-%m-%d"), Calendar("h", 0, "%Y-%m-%d %H:%M")


def days(lengths: dict[str, int]) -> Panel:
    """Return series that begin on 2 January 1970."""
    return panel_of({name: np.arange(1.0, length + 1) for name, length in lengths.items()}, DAYS)


def told(panel: Panel, now: str, max_age: str | None = None, as_of: str | None = None) -> Freshness:
    return assess(panel, "sales.csv", max_age, as_of, datetime.fromisoformat(now).replace(tzinfo=ZONE), {})


def test_the_last_value_counts_and_not_the_last_row() -> None:
    panel = panel_of({"a": [1, 2, NAN], "b": [NAN, NAN], "c": [NAN, 5], "d": [4, NAN, NAN, NAN]})
    assert last_values(panel).tolist() == [2, NEVER, 2, 1]


def test_what_lies_ahead_or_behind_another_series_is_not_seen() -> None:
    panel = panel_of({"a": [1, 2, 3], "b": [NAN, NAN, 6]})
    assert last_values(panel.select([1, 0], np.array([2, 2]))).tolist() == [NEVER, 2]


def test_two_steps_may_pass_and_no_more() -> None:
    panel = days({"a": 9})  # the last value is of 10 January
    assert told(panel, "1970-01-12T00:00") == Freshness("1970-01-10", 2 * 86400)
    assert told(panel, "1970-01-12T00:01").notice == (
        "sales.csv: the newest value is of 1970-01-10, 2d before now: more than 2 steps of D."
    )


def test_two_months_are_those_of_the_calendar() -> None:
    panel = panel_of({"a": [1, 2, 3]}, Calendar("MS", 0, "%Y-%m-%d"), [-6])  # July, August and September of 1969
    assert told(panel, "1969-11-01T00:00").notice is None
    assert told(panel, "1969-11-01T00:01").notice is not None


def test_an_age_that_is_allowed_is_no_notice_and_an_older_one_is() -> None:
    panel = days({"a": 9})
    assert told(panel, "1970-01-13T12:00", "3d12h").notice is None
    assert told(panel, "1970-01-13T12:01", "3d12h").notice == (
        "sales.csv: the newest value is of 1970-01-10, 3d 12h before now: more than 3d 12h."
    )


def test_an_older_value_may_be_an_error() -> None:
    files = {f"{name}.csv": f"1970-01-{10 - place:02d}" for place, name in enumerate("abcde")}
    with pytest.raises(StaleError) as refused:
        assess(days({"a": 9}), "*.csv", "error:36h", None, datetime(1970, 1, 14, tzinfo=ZONE), files)
    assert refused.value.exit_code == 17
    assert str(refused.value) == (
        "*.csv: the newest value is of 1970-01-10, 4d before now: more than 1d 12h (by file: a.csv 1970-01-10, b.csv "
        "1970-01-09, c.csv 1970-01-08 and 2 more).\n"
        "Bring newer rows, or allow more with --max-age."
    )


def test_age_is_counted_from_as_of_where_that_is_given() -> None:
    panel = days({"a": 9})
    assert told(panel, "2024-01-01", "error:36h", "1970-01-11T12:00") == Freshness("1970-01-10", 1.5 * 86400)
    with pytest.raises(StaleError, match="the newest value is of 1970-01-10, 2d before --as-of 1970-01-12: more than"):
        told(panel, "1970-01-10", "error:36h", "1970-01-12")


def test_a_value_after_now_is_said_where_no_clock_on_earth_shows_it() -> None:
    panel = panel_of({"a": [1, 2]}, HOURS)  # until 02:00
    assert told(panel, "1969-12-31T12:00").notice is None
    assert told(panel, "1969-12-31T11:59").notice == (
        "sales.csv: the newest value is of 1970-01-01 02:00, 14h 1m after now. Is the clock right?"
    )
    zoned = replace(panel, calendar=Calendar("h", 0, "%Y-%m-%d %H:%M", "+02:00"))
    assert told(zoned, "1970-01-01T01:59").notice == (
        "sales.csv: the newest value is of 1970-01-01 02:00+02:00, 1m after now. Is the clock right?"
    )


def test_series_that_ended_before_the_others_are_named() -> None:
    panel = days({"a": 9, "b": 7, "c": 6, "d": 2, "e": 2, "f": 1})
    assert told(panel, "1970-01-11").findings == (
        Finding(
            "ended early",
            4,
            "4 of 6 series end more than 2 steps of D before the newest value: 'c' at 1970-01-07, 'd' at 1970-01-03, "
            "'e' at 1970-01-03 and 1 more. Their forecasts begin there.",
        ),
    )
    assert [finding.count for finding in told(panel, "1970-01-11", "7d").findings] == [1]


def test_integer_steps_have_no_age_but_may_end_early() -> None:
    panel = panel_of({"a": [1.0] * 9, "b": [1.0] * 3})
    found = told(panel, "2024-01-01")
    assert (found.newest, found.age, found.notice, len(found.findings)) == ("9", None, None, 1)
    with pytest.raises(DataError) as refused:
        told(panel, "2024-01-01", "36h")
    assert str(refused.value) == (
        "sales.csv: --max-age needs times, and the rows have integer steps.\nLeave --max-age out."
    )


def test_a_panel_without_values_has_no_age() -> None:
    assert told(panel_of({"a": [NAN]}, DAYS), "2024-01-01", "error:1d") == Freshness(None, None)
