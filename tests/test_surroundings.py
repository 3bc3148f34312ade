"""The clock of a run."""

import pytest

from forecast.surroundings import Clock


def test_a_clock_tells_what_is_spent_and_left() -> None:
    clock = Clock(60.0, 100.0, lambda: 112.0)
    assert (clock.spent, clock.left) == (12.0, 48.0)


@pytest.mark.parametrize(("limit", "overrun"), [(20.0, 5.0), (600.0, 60.0)])
def test_a_limit_may_be_missed_by_a_tenth_or_five_seconds(limit: float, overrun: float) -> None:
    assert Clock(limit).overrun == overrun


@pytest.mark.parametrize(("computed", "crowding"), [(4.0, 3.0), (12.0, 1.0), (20.0, 1.0)])
def test_a_run_that_waits_for_others_is_crowded(computed: float, crowding: float) -> None:
    assert Clock(60.0, 0.0, lambda: 12.0, lambda: 7.0 + computed, 7.0).crowding == crowding
