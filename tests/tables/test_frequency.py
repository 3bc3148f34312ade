"""Frequencies as pandas makes them: recognised, or given by --freq, and gone on with as pandas goes on."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.errors import DataError
from forecast.options import ReadOptions
from forecast.panels.frequencies import MONTH_NAMES, WEEKDAY_NAMES, parse_frequency
from forecast.panels.panel import Panel
from forecast.tables import read_panel

ANCHORED = [
    *(f"W-{day}" for day in WEEKDAY_NAMES),
    *(f"{kind}-{month}" for kind in ("QS", "QE", "BQS", "BQE") for month in MONTH_NAMES[-3:]),
    *(f"{kind}-{month}" for kind in ("YS", "YE", "BYS", "BYE") for month in MONTH_NAMES),
]
RECOGNISED = ["h", "2h", "15min", "90min", "D", "3D", "B", "2W-TUE", "MS", "ME", "BMS", "BME", "2MS", "6ME", "3YS-MAY"]
RECOGNISED += ["SMS-15", "SME-15", "SMS-16", "WOM-3FRI", "WOM-1MON", "LWOM-THU", "2QS-OCT"]
GIVEN = ["2B", "5B", "SMS", "SME", "1h30min", "1D12h", "1.5h", "W", "2BME", "BQE-FEB", "2QE-JAN", "3WOM-2TUE"]


def read(folder: Path, times: Any, form: str = "%Y-%m-%d %H:%M", **options: Any) -> Panel:
    path = folder / "t.csv"
    rows = (f"{time.strftime(form)},{row}\n" for row, time in enumerate(times))
    path.write_text("ds,y\n" + "".join(rows), encoding="utf-8")
    return read_panel(str(path), ReadOptions(**options)).panel


def following(panel: Panel, count: int) -> list[str]:
    return panel.calendar.render(panel.last[0] + np.arange(1, count + 1))


@pytest.mark.parametrize("freq", [*RECOGNISED, *ANCHORED])
def test_a_frequency_is_recognised_and_goes_on_as_in_pandas(tmp_path: Path, freq: str) -> None:
    times = pd.date_range("1996-03-07", periods=80, freq=freq)
    panel = read(tmp_path, times[:40])
    assert len(panel.target) == 40
    assert np.isfinite(panel.target).all()
    assert following(panel, 40) == [time.strftime("%Y-%m-%d %H:%M") for time in times[40:]]
    assert parse_frequency(panel.calendar.freq).size == parse_frequency(freq).size


@pytest.mark.parametrize("freq", [*GIVEN, *RECOGNISED, *ANCHORED])
def test_a_given_frequency_goes_on_as_in_pandas(tmp_path: Path, freq: str) -> None:
    times = pd.date_range("2019-12-05", periods=30, freq=freq)
    panel = read(tmp_path, times[:2], freq=freq)
    assert following(panel, 28) == [time.strftime("%Y-%m-%d %H:%M") for time in times[2:]]


@pytest.mark.parametrize(
    "freq", ["D", "B", "W-WED", "MS", "ME", "BME", "BMS", "SME-15", "SMS-15", "QE-DEC", "WOM-3FRI"]
)
def test_two_tables_on_one_grid_have_equal_calendars(tmp_path: Path, freq: str) -> None:
    times = pd.date_range("2011-01-03", periods=90, freq=freq)
    early, late = read(tmp_path, times[:40]), read(tmp_path, times[47:])
    assert early.calendar == late.calendar
    assert late.starts[0] - early.starts[0] == 47


@pytest.mark.parametrize(
    ("freq", "first", "second"),
    [
        ("2B", "2024-01-05", "2024-01-09"),
        ("BME", "2024-03-29", "2024-04-30"),
        ("SME", "2024-02-15", "2024-02-29"),
        ("SMS", "2024-02-01", "2024-02-15"),
    ],
)
def test_the_phase_of_a_given_frequency_is_that_of_the_rows(tmp_path: Path, freq: str, first: str, second: str) -> None:
    panel = read(tmp_path, pd.to_datetime([first, second]), form="%Y-%m-%d", freq=freq)
    assert panel.calendar.render(panel.starts[0] + np.arange(2)) == [first, second]


@pytest.mark.parametrize(("freq", "weekday"), [("BME", "2024-03-30"), ("BME", "2024-03-28"), ("B", "2024-03-30")])
def test_rows_off_a_business_calendar_are_refused(tmp_path: Path, freq: str, weekday: str) -> None:
    with pytest.raises(DataError, match=rf"is off the grid of frequency {freq}: {weekday} \(1 of 3 rows\)"):
        read(tmp_path, pd.to_datetime(["2024-01-31", "2024-02-29", weekday]), "%Y-%m-%d", freq=freq)


def test_weekend_rows_are_put_into_friday_where_duplicates_says_how(tmp_path: Path) -> None:
    times = pd.date_range("2024-01-01", periods=14)
    panel = read(tmp_path, times, "%Y-%m-%d", freq="B", duplicates="sum")
    assert panel.target.tolist() == [0, 1, 2, 3, 4 + 5 + 6, 7, 8, 9, 10, 11 + 12 + 13]


def retail(pattern: tuple[int, ...], years: int, first: str = "2022-01-29") -> pd.DatetimeIndex:
    """Return the last days of the periods of a retail calendar, given in weeks."""
    return pd.Timestamp(first) + pd.to_timedelta(np.cumsum([7 * weeks for weeks in pattern * years]), unit="D")


@pytest.mark.parametrize(
    ("pattern", "years", "said", "season"),
    [
        ((4, 4, 5), 8, "15 steps have 4 weeks and 8 have 5, the first at 2022-04-30", ", --season 12"),
        ((13, 13, 13, 14), 3, "8 steps have 13 weeks and 3 have 14, the first at 2023-02-04", ", --season 4"),
        ((52, 52, 52, 53), 2, "5 steps have 52 weeks and 2 have 53, the first at 2026-01-31", ""),
    ],
)
def test_a_retail_calendar_is_refused_and_the_mend_works(
    tmp_path: Path, pattern: tuple[int, ...], years: int, said: str, season: str
) -> None:
    times = retail(pattern, years)
    with pytest.raises(DataError) as caught:
        read(tmp_path, times, "%Y-%m-%d")
    found, mend = str(caught.value).splitlines()
    assert found.endswith(f"column 'ds' follows a retail calendar, which has no regular step: {said}.")
    assert mend == f"Give weekly rows, or number the periods: --time none{season}."
    assert len(read(tmp_path, times, "%Y-%m-%d", time=("none",), target=("y",)).target) == len(times)


def test_rows_every_four_weeks_are_regular(tmp_path: Path) -> None:
    panel = read(tmp_path, pd.date_range("2024-01-05", periods=3, freq="4W-FRI"), "%Y-%m-%d")
    assert panel.calendar.freq == "4W-FRI"
    assert following(panel, 1) == ["2024-03-29"]
