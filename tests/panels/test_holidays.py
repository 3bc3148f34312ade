"""Holidays: days from the package, steps that they fall into, and what becomes of them in plan and forecast."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from forecast.errors import MismatchError, UsageError
from forecast.options import TrainOptions
from forecast.panels.calendar import Calendar
from forecast.panels.holidays import YEARS_AHEAD, holiday_days, holidays_in, refuse_unknown_days
from forecast.panels.panel import panel_of
from forecast.panels.windows import columns_of
from forecast.plan import Plan
from forecast.planning import settle

DAYS = ("2024-12-25", "2024-12-26", "2025-01-01")


def counts(freq: str, first: str, steps: int, anchor: str = "1970-01-01") -> list[float]:
    calendar = Calendar(freq, int(np.datetime64(anchor, "ns").astype(np.int64)), "%Y-%m-%d")
    start = int(calendar.ordinals(np.array([first], dtype="M8[ns]"))[0])
    return holidays_in(calendar, start + np.arange(steps), DAYS).tolist()


def test_the_days_of_a_country_are_those_of_the_package() -> None:
    assert holiday_days("AU-VIC", 2024, 2024) == (
        *("2024-01-01", "2024-01-26", "2024-03-11", "2024-03-29", "2024-03-30", "2024-03-31", "2024-04-01"),
        *("2024-04-25", "2024-06-10", "2024-09-27", "2024-11-05", "2024-12-25", "2024-12-26"),
    )


def test_a_part_of_a_country_has_days_of_its_own() -> None:
    assert set(holiday_days("de-by", 2024, 2024)) - set(holiday_days("DE", 2024, 2024)) >= {"2024-01-06", "2024-11-01"}


@pytest.mark.parametrize(
    ("freq", "first", "steps", "anchor", "expected"),
    [
        ("D", "2024-12-24", 4, "1970-01-01", [0, 1, 1, 0]),
        ("12h", "2024-12-24", 6, "1970-01-01", [0, 0, 1, 1, 1, 1]),
        ("B", "2024-12-24", 7, "1970-01-01", [0, 1, 1, 0, 0, 0, 1]),
        ("W-SUN", "2024-12-22", 3, "1970-01-04", [0, 2, 1]),  # a week that ends on Sunday
        ("MS", "2024-11-01", 3, "1970-01-01", [0, 2, 1]),
        ("ME", "2024-11-30", 3, "1970-01-31", [0, 2, 1]),
        ("SMS-15", "2024-12-01", 3, "1970-01-01", [0, 2, 1]),
        ("3D", "2024-12-24", 3, "1970-01-03", [2, 0, 1]),
    ],
)
def test_a_step_has_as_many_holidays_as_days_of_them_belong_to_it(
    freq: str, first: str, steps: int, anchor: str, expected: list[float]
) -> None:
    assert counts(freq, first, steps, anchor) == expected


def test_a_holiday_begins_and_ends_at_local_midnight() -> None:
    calendar = Calendar("h", 0, "%Y-%m-%d %H:%M", "", "Australia/Melbourne")
    start = int(calendar.ordinals(np.array(["2024-12-24T22:00"], dtype="M8[ns]"))[0])
    assert holidays_in(calendar, start + np.arange(52), DAYS).tolist() == [0, 0, *[1] * 48, 0, 0]


def test_the_plan_holds_the_days_and_the_network_is_shown_them() -> None:
    calendar = Calendar("D", 0, "%Y-%m-%d")
    start = int(calendar.ordinals(np.array(["2024-01-01"], dtype="M8[ns]"))[0])
    panel = panel_of({"a": np.random.default_rng(0).normal(size=300)}, calendar, [start])
    plan = settle(panel, TrainOptions(), holidays="AU-VIC")
    assert plan.calendar[-1] == "holiday"
    assert plan.holidays[0] == "2024-01-01"
    assert plan.holidays[-1][:4] == str(2024 + YEARS_AHEAD)
    columns = columns_of(panel, plan, panel.target, (panel.past, panel.future), "float64")
    days = np.flatnonzero(columns.calendar[:60, -1])  # of the panel, which begins on New Year's Day
    assert days.tolist() == [0, 25]
    assert settle(panel, TrainOptions()).holidays == ()


def test_a_forecast_beyond_the_known_days_is_refused() -> None:
    plan = Plan(horizon=2, window=2, segment=1, seasons=(1,), base=1, lookback=2, calendar=("holiday",), holidays=DAYS)
    calendar = Calendar("D", 0, "%Y-%m-%d")
    last = calendar.ordinals(np.array(["2025-12-31", "2025-06-01"], dtype="M8[ns]"))
    refuse_unknown_days(plan, calendar, last)
    refuse_unknown_days(replace(plan, holidays=()), calendar, last + 1)
    with pytest.raises(MismatchError) as caught:
        refuse_unknown_days(plan, calendar, last + 1)
    assert str(caught.value) == "the forecast ends in 2026, and the model knows the holidays up to 2025.\nTrain again."


def test_integer_steps_have_no_holidays() -> None:
    with pytest.raises(UsageError, match=r"--holidays needs dates, and the time of this table counts steps\."):
        settle(panel_of({"a": np.arange(100.0)}), TrainOptions(), holidays="DE")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "Germany",
            "--holidays 'Germany': the package holidays does not know the country 'Germany'.\n"
            "Use a code of ISO 3166, such as DE or US, with a part of the country behind it where you like: DE-BY.",
        ),
        (
            "AU-BY",
            "--holidays 'AU-BY': the package holidays does not know 'BY'; the parts of AU are ACT, NSW, NT, QLD, SA, "
            "TAS, VIC, WA, NSW Western.\nName one of them, or --holidays AU for the days of the whole country.",
        ),
    ],
)
def test_a_code_that_the_package_does_not_know_is_refused(code: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        holiday_days(code, 2024, 2024)
    assert str(caught.value) == message


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(UsageError) as caught:
        holiday_days("DE", 2024, 2024)
    assert str(caught.value) == (
        "--holidays needs the package holidays, which is not installed.\n"
        "Install it with: pip install 'forecast-lstm[holidays]'"
    )
