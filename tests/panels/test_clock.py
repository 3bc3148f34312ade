"""True hours and the hours of the clock, around the last Sundays of March and October 2024 in Berlin."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.panels.calendar import Calendar
from forecast.panels.clock import columns_on_clock, on_clock, steps_on_clock
from forecast.panels.panel import BETWEEN, Panel, panel_of

HOURS = Calendar("h", 0, "%Y-%m-%d %H:%M", "%:z", "Europe/Berlin", elapsed=True)
QUARTERS = replace(HOURS, freq="15min")
SPRING, AUTUMN = "2024-03-30T22:00", "2024-10-26T22:00"  # UTC: two or three hours before the change


def true_panel(first: str, steps: int, calendar: Calendar = HOURS) -> Panel:
    start = int(calendar.ordinals(np.array([first], dtype="M8[ns]"))[0])
    return panel_of({"a": np.arange(float(steps))}, calendar, [start])


def clock_times(panel: Panel) -> list[str]:
    return [text[11:16] for text in panel.calendar.render(panel.starts[0] + np.arange(len(panel.target)))]


def test_a_true_day_has_23_hours_in_spring_and_25_in_autumn() -> None:
    for day, hours in (("2024-03-31", 23), ("2024-10-27", 25), ("2024-06-01", 24)):
        texts = HOURS.render(HOURS.ordinals(np.array([day], dtype="M8[ns]")) + np.arange(-3, 30))
        assert sum(text.startswith(day) for text in texts) == hours


def test_the_skipped_hour_is_missing_on_the_clock() -> None:
    panel = on_clock(true_panel(SPRING, 6))
    assert clock_times(panel) == ["23:00", "00:00", "01:00", "02:00", "03:00", "04:00", "05:00"]
    np.testing.assert_array_equal(panel.target, [0, 1, 2, np.nan, 3, 4, 5])
    assert panel.lengths.tolist() == [7]


def test_no_cut_ends_in_a_gap_that_was_filled_over_the_skipped_hour() -> None:
    marks = np.array([0, 0, 0, BETWEEN, BETWEEN, 0], dtype=np.int8)
    panel = on_clock(replace(true_panel(SPRING, 6), filled=marks))
    again = on_clock(replace(true_panel(AUTUMN, 7), filled=np.array([0, 0, 0, BETWEEN, 0, 0, 0], dtype=np.int8)))
    assert panel.filled.tolist() == [0, 0, 0, 0, BETWEEN, BETWEEN, 0]
    assert again.filled.tolist() == [0, 0, BETWEEN, 0, 0, 0]
    earlier = on_clock(
        replace(true_panel(SPRING, 6), filled=np.array([0, 0, BETWEEN, BETWEEN, BETWEEN, 0], dtype=np.int8))
    )
    assert earlier.filled.tolist() == [0, 0, BETWEEN, BETWEEN, BETWEEN, BETWEEN, 0]
    lengths = np.arange(1, 8)
    assert earlier.honest(np.zeros(7, dtype=np.int64), lengths).tolist() == [1, 2, 2, 2, 2, 2, 7]


def test_the_hour_that_comes_twice_is_the_mean_of_both_on_the_clock() -> None:
    panel = on_clock(true_panel(AUTUMN, 7))
    assert clock_times(panel) == ["00:00", "01:00", "02:00", "03:00", "04:00", "05:00"]
    assert panel.target.tolist() == [0, 1, 2.5, 4, 5, 6]


def test_four_quarters_that_come_twice_are_four_means() -> None:
    panel = on_clock(true_panel("2024-10-26T23:45", 10, QUARTERS))
    assert clock_times(panel)[:6] == ["01:45", "02:00", "02:15", "02:30", "02:45", "03:00"]
    assert panel.target.tolist() == [0, (1 + 5) / 2, (2 + 6) / 2, (3 + 7) / 2, (4 + 8) / 2, 9]


def test_days_beside_a_change_have_24_steps_on_the_clock() -> None:
    for first, hours in (("2024-03-30T23:00", 23), ("2024-10-26T22:00", 25)):
        panel = on_clock(true_panel(first, hours))
        assert len(panel.target) == 24


@pytest.mark.parametrize(
    ("steps", "seen", "next_steps"),
    [
        (2, 2, ["02:00", "02:00", "03:00"]),  # up to 01:00
        (3, 2, ["02:00", "03:00", "04:00"]),  # up to the first 02:00, which is to come again
        (4, 3, ["03:00", "04:00", "05:00"]),  # up to the second one
    ],
)
def test_the_history_ends_before_an_hour_that_is_to_come_again(steps: int, seen: int, next_steps: list[str]) -> None:
    panel = true_panel(AUTUMN, steps)
    assert on_clock(panel).lengths.tolist() == [seen]
    ordinals = on_clock(panel).last[:, None] + 1 + columns_on_clock(panel, 3)
    assert [text[11:16] for text in panel.calendar.on_clock.render(ordinals)] == next_steps


def test_a_forecast_of_true_steps_reaches_one_step_further_over_the_skipped_hour() -> None:
    assert columns_on_clock(true_panel(SPRING, 2), 4).tolist() == [[0, 2, 3, 4]]
    assert columns_on_clock(true_panel(AUTUMN, 2), 4).tolist() == [[0, 0, 1, 2]]
    assert columns_on_clock(true_panel("2024-06-01T00:00", 2), 4).tolist() == [[0, 1, 2, 3]]


def test_a_history_that_ends_before_the_skipped_hour_does_not_hold_it() -> None:
    assert on_clock(true_panel(SPRING, 3)).lengths.tolist() == [3]


def test_what_is_known_ahead_is_known_of_the_skipped_hour_too() -> None:
    panel = true_panel(SPRING, 6)
    panel = replace(panel, past=panel.target[None, :], future=10 * panel.target[None, :])
    clock = on_clock(panel)
    np.testing.assert_array_equal(clock.past, [[0, 1, 2, np.nan, 3, 4, 5]])
    np.testing.assert_array_equal(clock.future, [[0, 10, 20, 20, 30, 40, 50]])


def test_views_of_one_series_share_its_rows_and_keep_their_origins() -> None:
    panel = true_panel(SPRING, 6).select([0, 0, 0], np.array([2, 4, 6]))
    clock = on_clock(panel)
    assert len(clock.target) == 7
    assert clock.lengths.tolist() == [2, 5, 7]
    assert clock.truth(2)[0].tolist()[:1] == [2]


def test_series_of_different_ages_go_on_the_clock_one_by_one() -> None:
    spring, autumn = true_panel(SPRING, 6), true_panel(AUTUMN, 7)
    both = panel_of({"a": spring.target, "b": autumn.target}, HOURS, [int(spring.starts[0]), int(autumn.starts[0])])
    clock = on_clock(both)
    np.testing.assert_array_equal(clock.values(0), on_clock(spring).target)
    np.testing.assert_array_equal(clock.values(1), on_clock(autumn).target)


def test_a_panel_without_elapsed_time_is_on_the_clock_already() -> None:
    panel = panel_of({"a": [1.0, 2.0]}, Calendar("D", 0, "%Y-%m-%d", "", "Europe/Berlin"), [3])
    assert on_clock(panel) is panel
    assert columns_on_clock(panel, 3).tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "America/New_York"])
def test_every_true_hour_has_a_step_of_its_own_away_from_changes(zone: str) -> None:
    calendar = replace(HOURS, tz=zone)
    steps = steps_on_clock(calendar, calendar.ordinals(np.array(["2024-06-01"], dtype="M8[ns]")) + np.arange(100))
    assert (np.diff(steps) == 1).all()
