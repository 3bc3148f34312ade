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
