import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import UsageError
from forecast.panels.calendar import Calendar
from forecast.panels.frequencies import parse_frequency


def anchor(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


CALENDARS = [
    Calendar("h", 0, "%Y-%m-%d %H:%M:%S"),
    Calendar("10min", anchor("1970-01-01T00:03"), "%Y-%m-%dT%H:%M", "Z"),
    Calendar("D", anchor("1970-01-01T07:00"), "%Y-%m-%d"),
    Calendar("W-SAT", anchor("1970-01-03"), "%Y%m%d"),
    Calendar("2W-MON", anchor("1970-01-05"), "%Y-%m-%d"),
    Calendar("B", 0, "%Y-%m-%d"),
    Calendar("MS", 0, "%Y-%m"),
    Calendar("MS", anchor("1970-01-31"), "%Y-%m-%d"),
    Calendar("ME", anchor("1970-01-31"), "%Y-%m-%d"),
    Calendar("QS-FEB", anchor("1970-02-01"), "%YQ%q"),
    Calendar("QE-DEC", anchor("1970-03-31"), "%Y-%m-%d"),
    Calendar("YE-JUN", anchor("1970-06-30"), "%Y-%m-%d"),
    Calendar("2YS-JAN", anchor("1970-01-01"), "%Y-%m-%d"),
]


@pytest.mark.parametrize("calendar", CALENDARS, ids=lambda calendar: calendar.freq)
@given(ordinal=st.integers(-100, 130))
def test_the_ordinal_of_the_time_of_an_ordinal_is_the_ordinal(calendar: Calendar, ordinal: int) -> None:
    ordinals = np.array([[ordinal, ordinal + 1]])
    assert calendar.ordinals(calendar.times(ordinals)).tolist() == ordinals.tolist()


@pytest.mark.parametrize("calendar", CALENDARS, ids=lambda calendar: calendar.freq)
def test_times_rise(calendar: Calendar) -> None:
    assert (np.diff(calendar.times(np.arange(-100, 130)).astype(np.int64)) > 0).all()


@pytest.mark.parametrize(
    ("calendar", "ordinals", "expected"),
    [
        (Calendar("h", 0, "%Y-%m-%d %H:%M:%S"), [24, 25], ["1970-01-02 00:00:00", "1970-01-02 01:00:00"]),
        (Calendar("10min", 0, "%Y-%m-%dT%H:%M", "+02:00"), [1], ["1970-01-01T00:10+02:00"]),
        (Calendar("ME", anchor("1970-01-31"), "%Y-%m-%d"), [1, 25], ["1970-02-28", "1972-02-29"]),
        (Calendar("MS", anchor("1970-01-30"), "%Y-%m-%d"), [1, 2], ["1970-02-28", "1970-03-30"]),
        (Calendar("QS-JAN", 0, "%YQ%q"), [-1, 0, 5], ["1969Q4", "1970Q1", "1971Q2"]),
        (Calendar("B", 0, "%a %d"), [0, 1, 2], ["Thu 01", "Fri 02", "Mon 05"]),
        (Calendar("W-MON", anchor("1970-01-05"), "%G-W%V"), [0, 52], ["1970-W02", "1971-W01"]),
        (Calendar("500ms", 0, "%H:%M:%S.%3f"), [3], ["00:00:01.500"]),
        (Calendar("h", 0, "s"), [2], ["7200"]),
        (Calendar("12h", 0, "excel"), [0, 1], ["25569", "25569.5"]),
        (Calendar(), [-1, 7], ["-1", "7"]),
        (Calendar("5step", 3), [0, 2], ["3", "13"]),
    ],
)
def test_a_time_is_written_as_the_input_writes_it(calendar: Calendar, ordinals: list[int], expected: list[str]) -> None:
    assert calendar.render(np.array(ordinals)) == expected


@pytest.mark.parametrize(
    ("freq", "origin", "time", "step"),
    [
        ("h", "1970-01-01", "2024-05-05T10:59", "2024-05-05T10"),
        ("W-SUN", "1970-01-04", "2024-05-06", "2024-05-12"),
        ("ME", "1970-01-31", "2024-05-06T12", "2024-05-31"),
        ("QE-DEC", "1970-03-31", "2024-05-06", "2024-06-30"),
        ("MS", "1970-01-01", "2024-05-06", "2024-05-01"),
        ("QS-JAN", "1970-01-01", "2024-05-06", "2024-04-01"),
        ("B", "1970-01-01", "2024-05-05", "2024-05-03"),
    ],
)
def test_a_time_off_the_grid_belongs_to_the_step_around_it(freq: str, origin: str, time: str, step: str) -> None:
    calendar = Calendar(freq, anchor(origin))
    assert calendar.times(calendar.ordinals(np.array([time], dtype="M8[ns]")))[0] == np.datetime64(step)


@pytest.mark.parametrize(
    ("freq", "seasons"),
    [
        ("h", (24, 168)),
        ("30min", (48, 336)),
        ("10min", (144, 1008)),
        ("D", (7,)),
        ("B", (5,)),
        ("W-SUN", (52,)),
        ("MS", (12,)),
        ("QE-DEC", (4,)),
        ("YS-JAN", (1,)),
        ("step", (1,)),
        ("6h", (4, 28)),
        ("7h", (24,)),
        ("5D", (1,)),
    ],
)
def test_the_frequency_suggests_seasons(freq: str, seasons: tuple[int, ...]) -> None:
    assert Calendar(freq).seasons() == seasons


def test_horizons_are_those_of_the_manual() -> None:
    wanted = {"h": 48, "D": 14, "W-SUN": 13, "MS": 18, "ME": 18, "QS-JAN": 8, "YE-DEC": 6, "30min": None, "step": None}
    assert {freq: Calendar(freq).default_horizon() for freq in wanted} == wanted


def test_a_step_has_a_noun() -> None:
    assert [Calendar(freq).word(2) for freq in ("h", "D", "W", "ME", "QS", "YE", "B", "30min", "7h", "step")] == [
        *("hours", "days", "weeks", "months", "quarters", "years", "business days", "half hours", "steps", "steps")
    ]
    assert Calendar("h").word(1) == "hour"


@pytest.mark.parametrize(
    ("old", "new"), [("H", "h"), ("T", "min"), ("15T", "15min"), ("M", "ME"), ("A-JUN", "YE-JUN"), ("Q", "QE")]
)
def test_old_and_new_aliases_mean_the_same(old: str, new: str) -> None:
    assert parse_frequency(old) == parse_frequency(new)


@pytest.mark.parametrize("freq", ["", "fortnight", "0h", "W-XXX", "MS-JAN", "D-SUN", "1.3ns", "h h", "-h"])
def test_what_is_no_frequency_is_refused(freq: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_frequency(freq)
    assert str(caught.value) == (
        f"--freq {freq!r} is no frequency.\nUse a pandas alias such as 10min, h, D, B, W-SUN, MS, ME, QS, YS, or step."
    )


def test_integer_steps_have_no_times() -> None:
    with pytest.raises(ValueError, match=r"^integer steps have no times$"):
        Calendar().times(np.array([1]))


def test_a_calendar_survives_json() -> None:
    calendar = Calendar("W-SAT", 172_800_000_000_000, "%Y%m%d", "Z")
    assert Calendar(**json.loads(json.dumps(asdict(calendar)))) == calendar
