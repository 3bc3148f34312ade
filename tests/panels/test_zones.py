from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import UsageError
from forecast.panels.zones import clock_of, rules_of

SECOND = 1_000_000_000
USUAL = "Use a name of the IANA data base, such as Europe/Berlin or America/New_York; UTC for UTC."
EPOCH = datetime(1970, 1, 1)
# Both hemispheres, half an hour, an odd offset, none, midnight, a pause in summer, a day that never was.
ZONES = ["Europe/Berlin", "Australia/Melbourne", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
ZONES += ["America/Havana", "Africa/Casablanca", "Africa/Cairo", "Pacific/Apia"]
MOMENTS = st.datetimes(datetime(1960, 1, 1), datetime(2080, 1, 1))


def nanoseconds(moment: datetime) -> np.ndarray:
    return np.array([np.datetime64(moment, "ns").astype(np.int64)])


def transitions(zone: str, year: int) -> list[datetime]:
    """Return the hours of a year, in UTC, after which the offset is another one: by looking at all of them."""
    hours = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(366 * 24)]
    offsets = [hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours]
    return [hours[place] for place in range(1, len(hours)) if offsets[place] != offsets[place - 1]]


@pytest.mark.parametrize("zone", ZONES)
@given(moment=MOMENTS)
def test_the_clock_shows_what_the_standard_library_says(zone: str, moment: datetime) -> None:
    expected = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    instant = nanoseconds(moment)
    assert clock_of(zone, instant).shown(instant) == nanoseconds(expected)


@pytest.mark.parametrize("zone", ZONES)
@given(moment=MOMENTS)
def test_the_instants_of_a_clock_time_are_those_of_the_standard_library(zone: str, moment: datetime) -> None:
    time = nanoseconds(moment)
    clock = clock_of(zone, time)
    first, second = (moment.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    back = first.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert clock.earlier(time) == nanoseconds(first.replace(tzinfo=None))
    assert clock.later(time) == nanoseconds(second.replace(tzinfo=None))
    assert clock.skipped(time).tolist() == [back != moment]


@pytest.mark.parametrize(
    ("zone", "year", "count"),
    [("Europe/Berlin", 2024, 2), ("Australia/Melbourne", 2024, 2), ("Africa/Casablanca", 2023, 2)],
)
def test_every_change_of_a_year_is_found(zone: str, year: int, count: int) -> None:
    changes = transitions(zone, year)
    assert len(changes) == count
    instants = np.concatenate([nanoseconds(change.replace(tzinfo=None)) for change in changes])
    clock = clock_of(zone, instants)
    assert set(instants) <= set(clock.changes)
    assert (clock.shown(instants) - clock.shown(instants - SECOND) != SECOND).all()


def test_the_hour_that_comes_twice_has_two_instants() -> None:
    time = nanoseconds(datetime(2024, 10, 27, 2, 30))
    clock = clock_of("Europe/Berlin", time)
    assert (clock.later(time) - clock.earlier(time)).tolist() == [3600 * SECOND]


def test_times_at_the_ends_of_what_nanoseconds_hold_have_an_offset() -> None:
    ends = np.array([np.datetime64("1678-01-01", "ns"), np.datetime64("2261-12-31", "ns")]).astype(np.int64)
    assert (np.abs(clock_of("Europe/Berlin", ends).offsets_at(ends)) < 3 * 3600 * SECOND).all()


@pytest.mark.parametrize(
    ("zone", "mend"),
    [
        ("Europe/Berln", "Did you mean Europe/Berlin?"),
        ("melbourne", "Did you mean Australia/Melbourne?"),
        ("New York", "Did you mean America/New_York?"),
        ("+02:00", USUAL),
        (
            "../../etc/passwd",
            USUAL,
        ),
        ("", USUAL),
        ("Europe", USUAL),
    ],
)
def test_an_unknown_zone_is_refused(zone: str, mend: str) -> None:
    with pytest.raises(UsageError) as caught:
        rules_of(zone)
    assert str(caught.value) == f"--tz {zone!r} is no time zone that this machine knows.\n{mend}"
