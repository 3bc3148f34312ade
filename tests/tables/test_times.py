from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.options import ReadOptions
from forecast.panels.calendar import Calendar
from forecast.tables import read_panel
from forecast.tables.arrow import text_array
from forecast.tables.moments import patterns_of, read_moments
from forecast.tables.timeparts import split_times


def read(folder: Path, times: list[str], **options: Any) -> Any:
    path = folder / "t.csv"
    path.write_text("ds,y\n" + "".join(f'"{time}",{row}\n' for row, time in enumerate(times)), encoding="utf-8")
    return read_panel(str(path), ReadOptions(**options))


@pytest.mark.parametrize(
    ("times", "freq", "options"),
    [
        (["19580329", "19580405", "19580412"], "W-SAT", {}),
        (["1949-01", "1949-02", "1949-03"], "MS", {}),
        (["2020Q3", "2020Q4", "2021Q1"], "QS-JAN", {}),
        (["2020-W52", "2020-W53", "2021-W01"], "W-MON", {}),
        (["2024-01-31", "2024-02-29", "2024-03-31"], "ME", {}),
        (["2023-12-31", "2024-03-31", "2024-06-30"], "QE-DEC", {}),
        (["2021-06-30", "2022-06-30", "2023-06-30"], "YE-JUN", {}),
        (["2024-01-15", "2024-02-15", "2024-04-15", "2024-05-15"], "MS", {}),
        (["2024-01-30", "2024-02-29", "2024-03-30"], "MS", {}),
        (["2021-07-01", "2022-07-01", "2023-07-01"], "YS-JUL", {}),
        (["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"], "B", {}),
        (["2024-01-01", "2024-01-03", "2024-01-05"], "2D", {}),
        (["2024-01-01T00:00Z", "2024-01-01T01:00Z", "2024-01-01T02:00Z"], "h", {}),
        (["2024-01-01 00:00:00.000", "2024-01-01 00:00:00.250", "2024-01-01 00:00:00.500"], "250ms", {}),
        (["2024/01/01 00:10", "2024/01/01 00:20", "2024/01/01 00:30"], "10min", {}),
        (["20240101T0000", "20240101T0100", "20240101T0200"], "h", {}),
        (["2024-01-01T00:00+05:30", "2024-01-01T01:00+05:30", "2024-01-01T02:00+05:30"], "h", {}),
        (["13/01/2024", "14/01/2024", "15/01/2024"], "D", {"date_format": "day-first"}),
        (["01/02/2024", "01/03/2024", "01/04/2024"], "D", {"date_format": "%m/%d/%Y"}),
        (["01 Jan 2024", "02 Jan 2024", "03 Jan 2024"], "D", {"date_format": "%d %b %Y"}),
        (["1700000000", "1700003600", "1700007200"], "h", {"date_format": "s"}),
        (["1700000000000", "1700003600000", "1700007200000"], "h", {"date_format": "ms"}),
        (["45292", "45292.5", "45293"], "12h", {"date_format": "excel"}),
        (["12000", "12001", "12003"], "step", {"date_format": "step"}),
        (["1949", "1950", "1951"], "step", {}),
        (["0", "10", "20", "40"], "10step", {}),
    ],
)
def test_times_are_read_and_written_in_the_same_form(
    tmp_path: Path, times: list[str], freq: str, options: dict[str, Any]
) -> None:
    panel = read(tmp_path, times, **options).panel
    assert panel.calendar.freq == freq
    observed = panel.starts[0] + np.flatnonzero(~np.isnan(panel.target))
    assert panel.calendar.render(observed) == times


def test_settled_options_of_every_form_read_it_again(tmp_path: Path) -> None:
    for times, options in [
        (["1", "2", "3"], {}),
        (["0", "10", "20"], {}),
        (["2024-01-30", "2024-02-29", "2024-03-30"], {}),
        (["2024-01-04", "2024-01-05", "2024-01-08"], {}),
        (["45292", "45292.5", "45293"], {"date_format": "excel"}),
        (["2020Q3", "2020Q4", "2021Q1"], {}),
    ]:
        first = read(tmp_path, times, **options)
        second = read_panel(str(tmp_path / "t.csv"), first.options, model=True)
        assert (second.panel.calendar, second.options) == (first.panel.calendar, first.options)
        assert second.panel.starts.tolist() == first.panel.starts.tolist()


def test_different_offsets_become_utc_and_that_is_said(tmp_path: Path) -> None:
    reading = read(tmp_path, ["2024-03-31T01:00+01:00", "2024-03-31T03:00+02:00", "2024-03-31T04:00+02:00"])
    panel = reading.panel
    assert panel.calendar.render(panel.last) == ["2024-03-31T02:00+00:00"]
    assert (
        "times of 'ds' have 2 different UTC offsets (+01:00, +02:00): taken as UTC; if they are of a clock that is put "
        "forward in spring, name its zone with --tz, such as Europe/Berlin"
    ) in reading.notices


def test_steps_beyond_ten_thousand_are_read_once_training_has_settled_them(tmp_path: Path) -> None:
    settled = read(tmp_path, ["9997", "9998", "9999"]).options
    panel = read(tmp_path, ["9999", "10000", "10001"], **vars(settled)).panel
    assert panel.calendar.render(panel.last) == ["10001"]


def test_year_month_day_and_hour_may_stand_in_columns_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Year,Month,Day,Hour,y\n2024,2,28,23,1\n2024,2,29,0,2\n2024,2,29,1,3\n")
    panel = read_panel(str(path), ReadOptions(time=("Year", "Month", "Day", "Hour"))).panel
    assert panel.calendar.render(panel.last) == ["2024-02-29 01:00:00"]


def test_a_date_and_a_clock_may_stand_in_two_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("d,t,y\n2024-02-28,22:00,1\n2024-02-28,23:00,2\n2024-02-29,00:00,3\n")
    panel = read_panel(str(path), ReadOptions(time=("d", "t"), target=("y",))).panel
    assert panel.calendar.render(panel.last) == ["2024-02-29 00:00"]


def test_a_day_of_dates_is_no_number_of_a_day_beside_its_hour(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("day,hour,y\n2024-02-28,22,1\n2024-02-28,23,2\n2024-02-29,0,3\n")
    panel = read_panel(str(path), ReadOptions(time=("day", "hour"), target=("y",))).panel
    assert panel.calendar.render(panel.last) == ["2024-02-29 0"]
    assert split_times(("day", "hour"), panel.calendar, panel.last + 1) == {"day": ["2024-02-29"], "hour": ["1"]}


def test_the_modal_step_of_all_series_survives_gaps(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,ds,y\na,2024-01-01,1\na,2024-01-08,1\nb,2024-01-01,1\nb,2024-01-02,1\nb,2024-01-03,1\n")
    panel = read_panel(str(path), ReadOptions()).panel
    assert panel.calendar.freq == "D"
    assert panel.lengths.tolist() == [8, 3]


@given(st.datetimes(datetime(1700, 1, 1), datetime(2250, 1, 1)))
def test_iso_times_are_read_exactly(moment: datetime) -> None:
    text = moment.isoformat()
    moments = read_moments(text_array([text]), patterns_of(None) or [])
    assert moments.values[0] == np.datetime64(moment, "ns").astype(np.int64)
    assert Calendar("ns", 0, moments.form).render(moments.values) == [text]


def test_a_year_and_its_week_or_quarter_are_written_as_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    weeks = [f"2020,{week},{week}" for week in range(48, 54)]  # 2020 had 53
    path.write_text("year,week,y\n" + "\n".join(weeks) + "\n")
    panel = read_panel(str(path), ReadOptions(time=("year", "week"))).panel
    assert split_times(("year", "week"), panel.calendar, panel.last + 1) == {"year": ["2021"], "week": ["1"]}
    quarters = [f"{2022 + step // 4},{step % 4 + 1},{step}" for step in range(8)]
    path.write_text("year,quarter,y\n" + "\n".join(quarters) + "\n")
    panel = read_panel(str(path), ReadOptions(time=("year", "quarter"), target=("y",))).panel
    assert split_times(("year", "quarter"), panel.calendar, panel.last + 1) == {"year": ["2024"], "quarter": ["1"]}


def test_counts_with_a_fraction_are_exact_and_written_again(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{1704067200 + step // 4}.{(step % 4) * 25:02d},{step}" for step in range(8)]
    path.write_text("ds,y\n" + "\n".join(rows) + "\n")
    panel = read_panel(str(path), ReadOptions(date_format="s")).panel
    assert panel.calendar.freq == "250ms"
    assert panel.calendar.render(panel.last + 1) == ["1704067202"]
    assert panel.calendar.render(panel.last) == ["1704067201.75"]
