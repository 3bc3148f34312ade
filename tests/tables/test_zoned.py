"""Tables of a zone: true hours, whatever the times are written in, and forecasts written in the same way."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from forecast.errors import DataError, UsageError
from forecast.options import ReadOptions
from forecast.panels.clock import on_clock
from forecast.tables import Reading, read_panel
from forecast.tables.write_parquet import moments

BERLIN = "Europe/Berlin"
NAIVE, OFFSET = "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S%z"


def hours(first: str, count: int, freq: str = "h", zone: str = BERLIN) -> pd.DatetimeIndex:
    return pd.date_range(first, periods=count, freq=freq, tz=zone)


def read(folder: Path, times: list[str], **options: Any) -> Reading:
    path = folder / "t.csv"
    path.write_text("ds,y\n" + "".join(f"{time},{row}\n" for row, time in enumerate(times)), encoding="utf-8")
    return read_panel(str(path), ReadOptions(**{"tz": BERLIN, **options}))


def written(times: pd.DatetimeIndex, form: str) -> list[str]:
    return [str(text) for text in times.strftime(form)]


WAYS = [
    (lambda times: written(times, NAIVE), {}),
    (lambda times: written(times, OFFSET), {}),
    (lambda times: [time.isoformat() for time in times], {}),
    (lambda times: written(times.tz_convert("UTC"), "%Y-%m-%d %H:%M:%SZ"), {}),
    (lambda times: written(times.tz_convert("Asia/Kolkata"), OFFSET), {}),
    (lambda times: [str(int(time.timestamp())) for time in times], {"date_format": "s"}),
]


@pytest.mark.parametrize(("write", "options"), WAYS, ids=["naive", "offset", "iso", "utc", "other", "epoch"])
@pytest.mark.parametrize("first", ["2024-03-30 20:00", "2024-10-26 20:00"])
@pytest.mark.parametrize("freq", ["h", "30min"])
def test_true_steps_are_regular_across_a_change_and_go_on_in_the_form_of_the_table(
    tmp_path: Path, write: Any, options: dict[str, Any], first: str, freq: str
) -> None:
    times = hours(first, 90, freq)
    texts = write(times)
    panel = read(tmp_path, texts[:60], **options).panel
    assert panel.calendar.freq == freq
    assert panel.target.tolist() == list(range(60))
    assert panel.calendar.render(panel.last[0] + np.arange(1, 31)) == texts[60:]
    again = read(tmp_path, texts[:60], freq=freq, **options).panel
    assert (again.calendar, again.starts.tolist()) == (panel.calendar, panel.starts.tolist())


@pytest.mark.parametrize("first", ["2024-03-30 20:00", "2024-10-26 20:00"])
def test_a_table_that_ends_before_a_change_goes_on_across_it(tmp_path: Path, first: str) -> None:
    times = hours(first, 30)
    for write in (lambda times: written(times, NAIVE), lambda times: [time.isoformat() for time in times]):
        texts = write(times)
        panel = read(tmp_path, texts[:4]).panel
        assert panel.calendar.render(panel.last[0] + np.arange(1, 27)) == texts[4:]


def test_rows_in_falling_order_pair_the_hour_that_comes_twice_from_the_end(tmp_path: Path) -> None:
    texts = written(hours("2024-10-27 00:00", 24, "15min"), NAIVE)[::-1]
    assert read(tmp_path, texts).panel.target.tolist() == list(range(24))[::-1]


def test_the_hour_that_comes_twice_may_stand_there_once(tmp_path: Path) -> None:
    texts = list(dict.fromkeys(written(hours("2024-10-27 00:00", 7), NAIVE)))
    panel = read(tmp_path, texts).panel
    np.testing.assert_array_equal(panel.target, [0, 1, 2, np.nan, 3, 4, 5])
    assert np.isfinite(on_clock(panel).target).all()


def test_each_series_has_its_own_hour_that_comes_twice(tmp_path: Path) -> None:
    texts = written(hours("2024-10-27 00:00", 7), NAIVE)
    path = tmp_path / "t.csv"
    rows = [f"{name},{text},{row}\n" for row, text in enumerate(texts) for name in "ab"]
    path.write_text("id,ds,y\n" + "".join(rows), encoding="utf-8")
    panel = read_panel(str(path), ReadOptions(tz=BERLIN)).panel
    assert panel.values(0).tolist() == panel.values(1).tolist() == list(range(7))


def test_a_third_row_of_the_hour_that_comes_twice_is_a_duplicate(tmp_path: Path) -> None:
    texts = ["2024-10-27 01:00", *["2024-10-27 02:00"] * 3, "2024-10-27 03:00"]
    with pytest.raises(
        DataError, match=r"1 row repeats the 'ds' of an earlier row: 2024-10-27 02:00 \(lines 4 and 5\)"
    ):
        read(tmp_path, texts)


def test_a_time_that_the_clock_skips_is_refused_with_its_line_and_can_be_mended(tmp_path: Path) -> None:
    texts = [f"2024-03-31 {hour:02d}:00" for hour in range(6)]
    with pytest.raises(DataError) as caught:
        read(tmp_path, texts)
    assert str(caught.value) == (
        f"{tmp_path}/t.csv:4: column 'ds' holds a time that the clock of Europe/Berlin skips, for it is put forward "
        "over it: 2024-03-31 02:00.\n"
        "Correct or remove the row, or leave --tz out if its times follow no such change."
    )
    assert len(read(tmp_path, texts[:2] + texts[3:]).panel.target) == 5
    assert len(read(tmp_path, texts, tz=None).panel.target) == 6


def test_days_are_days_of_the_zone_however_many_hours_they_have(tmp_path: Path) -> None:
    times = hours("2024-03-28", 10, "D")
    for texts in ([time.isoformat() for time in times], written(times, "%Y-%m-%d"), written(times, "%Y-%m-%d 07:30")):
        panel = read(tmp_path, texts[:3]).panel
        assert panel.calendar.freq == "D"
        assert not panel.calendar.elapsed
        assert panel.calendar.render(panel.last[0] + np.arange(1, 8)) == texts[3:]


def test_a_day_that_begins_in_the_skipped_hour_is_a_day(tmp_path: Path) -> None:
    texts = [f"2024-04-{day}" for day in range(24, 29)]  # in Cairo, 26 April 2024 begins at 01:00
    panel = read(tmp_path, texts, tz="Africa/Cairo").panel
    assert panel.calendar.render(panel.starts[0] + np.arange(5)) == texts


def test_six_hours_follow_the_clock_without_an_offset_and_time_with_one(tmp_path: Path) -> None:
    clock = [f"2024-{day} {hour:02d}:00" for day in ("03-30", "03-31", "04-01") for hour in (0, 6, 12, 18)]
    panel = read(tmp_path, clock[:6]).panel
    assert panel.calendar.render(panel.last[0] + np.arange(1, 7)) == clock[6:]
    true = [time.isoformat() for time in hours("2024-03-30 01:00", 12, "6h")]
    panel = read(tmp_path, true[:6]).panel
    assert panel.calendar.render(panel.last[0] + np.arange(1, 7)) == true[6:]
    assert [text[11:13] for text in true[4:8]] == ["01", "08", "14", "20"]


def test_six_hours_of_the_clock_with_an_offset_are_refused_with_what_to_do(tmp_path: Path) -> None:
    times = [
        pd.Timestamp(f"2024-{day} {hour:02d}:00", tz=BERLIN) for day in ("03-30", "03-31") for hour in (0, 6, 12, 18)
    ]
    with pytest.raises(DataError) as caught:
        read(tmp_path, [time.isoformat() for time in times])
    assert str(caught.value).splitlines()[1] == (
        "Its steps follow the clock of the zone: write the times without an offset, and keep --tz."
    )
    assert len(read(tmp_path, [time.strftime(NAIVE) for time in times]).panel.target) == 8


def test_true_hours_are_put_into_days_of_the_zone(tmp_path: Path) -> None:
    texts = [time.isoformat() for time in hours("2024-03-30", 24 + 23 + 24)]
    path = tmp_path / "t.csv"
    path.write_text("ds,y\n" + "".join(f"{text},1\n" for text in texts), encoding="utf-8")
    panel = read_panel(str(path), ReadOptions(tz=BERLIN, freq="D", duplicates="sum")).panel  # type: ignore[arg-type]
    assert panel.target.tolist() == [24, 23, 24]


def test_quarters_are_put_into_hours_of_a_zone_with_half_an_hour(tmp_path: Path) -> None:
    texts = [time.isoformat() for time in hours("2024-03-30", 12, "15min", "Asia/Kolkata")]
    panel = read(tmp_path, texts, tz="Asia/Kolkata", freq="h", duplicates="sum").panel
    assert panel.target.tolist() == [0 + 1 + 2 + 3, 4 + 5 + 6 + 7, 8 + 9 + 10 + 11]


def test_one_offset_that_is_not_the_zones_own_is_kept(tmp_path: Path) -> None:
    texts = [f"2024-03-31T{hour:02d}:00+05:30" for hour in range(3, 9)]
    panel = read(tmp_path, texts[:4]).panel
    assert panel.calendar.render(panel.last[0] + np.arange(1, 3)) == texts[4:]


def test_parquet_keeps_the_zone_of_its_times_without_an_option(tmp_path: Path) -> None:
    times = hours("2024-10-26 20:00", 40)
    path = str(tmp_path / "t.parquet")
    column = pa.array([int(time.timestamp()) * 10**6 for time in times]).view(pa.timestamp("us", BERLIN))
    parquet.write_table(pa.table({"ds": column, "y": pa.array(np.arange(40.0))}), path)
    reading = read_panel(path, ReadOptions())
    panel = reading.panel
    assert reading.options.tz == BERLIN
    assert panel.target.tolist() == list(range(40))
    assert panel.calendar.render(panel.starts[0] + np.arange(2)) == [
        "2024-10-26 20:00:00+02:00",
        "2024-10-26 21:00:00+02:00",
    ]
    again = moments(panel.calendar, panel.starts[0] + np.arange(40))
    assert again.type == pa.timestamp("ns", BERLIN)
    assert again.cast(pa.timestamp("us", BERLIN)).equals(column)


def test_integer_steps_have_no_zone(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--tz Europe/Berlin needs times, and the rows have integer steps\.\nLeave"):
        read(tmp_path, ["1", "2", "3"])


def test_an_unknown_zone_is_refused_before_the_table_is_opened() -> None:
    with pytest.raises(UsageError, match=r"--tz 'Berlin/Europe' is no time zone"):
        read_panel("there is no such file", ReadOptions(tz="Berlin/Europe"))


def test_the_zone_is_settled_for_the_next_table(tmp_path: Path) -> None:
    texts = [time.isoformat() for time in hours("2024-03-30 20:00", 40)]
    settled = read(tmp_path, texts[:30]).options
    assert settled.tz == BERLIN
    panel = read_panel(str(tmp_path / "t.csv"), settled, model=True).panel
    assert panel.calendar == read(tmp_path, texts[:30]).panel.calendar


def test_a_future_table_is_of_the_same_zone(tmp_path: Path) -> None:
    times = hours("2024-10-26 20:00", 14)
    main, ahead = tmp_path / "t.csv", tmp_path / "ahead.csv"
    main.write_text("ds,y,f\n" + "".join(f"{t.isoformat()},1,{k}\n" for k, t in enumerate(times[:4])))
    ahead.write_text("ds,f\n" + "".join(f"{t.isoformat()},{k}\n" for k, t in enumerate(times[4:], 4)))
    panel = read_panel(str(main), ReadOptions(tz=BERLIN, future=("f",), future_data=str(ahead))).panel
    assert panel.future.tolist() == [list(range(14))]
    assert panel.lengths.tolist() == [4]
