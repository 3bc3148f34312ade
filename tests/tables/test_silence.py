from datetime import datetime, timedelta
from pathlib import Path

from forecast.options import ReadOptions
from forecast.tables import read_panel

DAYS = [f"2024-01-{day:02d}" for day in range(1, 21)]


def notices(path: Path, last: dict[str, str], **options: str) -> list[str]:
    """Return what is said of the end of a table whose series have values up to these days, and empty rows after."""
    rows = [f"{name},{day},{'' if day > end else 5}\n" for name, end in last.items() for day in DAYS]
    path.write_text("id,date,y\n" + "".join(rows))
    found = read_panel(str(path), ReadOptions(id=("id",), target=("y",), **options)).notices  # type: ignore[arg-type]
    return [line for line in found if "begins after them" in line]


def test_newest_rows_without_a_value_in_any_series_are_noticed(tmp_path: Path) -> None:
    path, last = tmp_path / "t.csv", {"a": "2024-01-12", "b": "2024-01-15"}
    assert notices(path, last) == [
        "the last 5 steps have no value in any series, and the forecast begins after them; if they are yet to come: "
        "--as-of 2024-01-15"
    ]
    assert notices(path, last, as_of="2024-01-15") == []
    assert notices(path, last, fill="zero") == []


def test_a_series_that_ends_early_is_not(tmp_path: Path) -> None:
    assert notices(tmp_path / "t.csv", {"a": "2024-01-12", "b": "2024-01-20"}) == []


def closed(path: Path, step: timedelta, count: int, open_at: object, **options: str) -> list[str]:
    """Return what is said of a table that has a row only where open_at(time) holds."""
    begin = datetime(2024, 1, 1)  # a Monday
    times = [begin + number * step for number in range(count)]
    path.write_text("date,y\n" + "".join(f"{time:%Y-%m-%d %H:%M},5\n" for time in times if open_at(time)))  # type: ignore[operator]
    found = read_panel(str(path), ReadOptions(**options)).notices  # type: ignore[arg-type]
    return [line for line in found if "no value ever" in line]


def test_days_on_which_nothing_is_ever_seen_are_named(tmp_path: Path) -> None:
    day, open_at = timedelta(days=1), lambda time: time.weekday() not in (2, 6)
    assert closed(tmp_path / "t.csv", day, 60, open_at) == [
        "no value ever on Wednesdays and Sundays: forecast like other steps; if they mean nothing happened: --fill zero"
    ]
    assert closed(tmp_path / "t.csv", day, 60, open_at, fill="zero") == []


def test_hours_at_which_nothing_is_ever_seen_are_named(tmp_path: Path) -> None:
    said = closed(tmp_path / "t.csv", timedelta(hours=1), 24 * 9, lambda time: time.hour >= 3)
    assert [line.partition(":00:")[0] for line in said] == ["no value ever at 0:00, 1:00 and 2"]


def test_few_days_and_a_single_value_make_no_rule(tmp_path: Path) -> None:
    day = timedelta(days=1)
    assert closed(tmp_path / "t.csv", day, 21, lambda time: time.weekday() != 6) == []
    assert closed(tmp_path / "t.csv", day, 60, lambda time: time.weekday() != 6 or time.day == 14) == []


def test_a_model_has_been_told_what_a_missing_day_means(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    assert closed(path, timedelta(days=1), 60, lambda time: time.weekday() != 6) != []
    found = read_panel(str(path), ReadOptions(time=("date",), target=("y",), freq="D"), model=True).notices
    assert not any("no value ever" in line for line in found)
