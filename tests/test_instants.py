"""Points in time as a user writes them."""

from datetime import UTC, datetime

import pytest

from forecast.errors import UsageError
from forecast.instants import instant_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2024-06-30", datetime(2024, 6, 30)),
        ("20240630", datetime(2024, 6, 30)),
        ("2024-06-30 18:00", datetime(2024, 6, 30, 18)),
        ("2024-06-30T18:00:30Z", datetime(2024, 6, 30, 18, 0, 30, tzinfo=UTC)),
        ("2014-06", datetime(2014, 6, 1)),
        ("2020Q3", datetime(2020, 7, 1)),
        ("2020-W07", datetime(2020, 2, 10)),
        ("2014", 2014),
        ("-3", -3),
    ],
)
def test_a_point_in_time_is_what_it_begins_with(text: str, found: datetime | int) -> None:
    assert instant_of(text, "--as-of") == found


@pytest.mark.parametrize(
    "text", ["", "now", "30/06/2024", "2024-13", "2020Q5", "2024-02-30", "0001-01-01", "9999-01-01"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        instant_of(text, "--as-of")
    assert str(refused.value) == (
        f"--as-of {text!r} is no point in time.\n"
        "Write it as 2024-06-30, 2024-06-30T18:00 or 2024-06-30T18:00+02:00; where rows have integer steps, as a step."
    )
