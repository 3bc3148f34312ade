"""Lengths of time as a user writes them."""

import pytest

from forecast.durations import seconds_of
from forecast.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1h30m", 5400), ("36h", 129_600), ("2d", 172_800), ("1.5h", 5400), ("1d1s", 86_401)],
)
def test_a_length_of_time_is_numbers_with_units(text: str, seconds: float) -> None:
    assert seconds_of(text, "--time-limit") == seconds


@pytest.mark.parametrize("text", ["90", "", "s", "0s", "-5m", "5 m", "30m1h", "1h1h", "5min", "infs", "1e3s", "٣s\n9"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        seconds_of(text, "--time-limit")
    assert str(refused.value) == (
        f"--time-limit {text!r} is no length of time.\n"
        "Give numbers with their units d, h, m and s, such as 90s, 10m or 1h30m."
    )
