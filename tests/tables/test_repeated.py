from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from forecast.errors import DataError
from forecast.options import ReadOptions
from forecast.tables import read_panel

DAYS = [f"2024-01-{day:02d}" for day in range(1, 11)]
ELSE = (
    "Say with --duplicates first, last, mean or sum what to do with them; or name all columns of the series with --id, "
    "or of the time with --time."
)


def advice(path: Path, text: str, model: bool = False, **options: Any) -> str:
    path.write_text(text)
    with pytest.raises(DataError) as refused:
        read_panel(str(path), ReadOptions(target=("y",), **options), model=model)
    return refused.value.hint


def shops(names: list[str]) -> str:
    return "shop,date,y\n" + "".join(f"{name},{day},5\n" for name in names for day in DAYS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


def test_the_column_that_tells_repeated_rows_apart_is_named(path: Path) -> None:
    assert advice(path, shops(["a", "b"])).startswith("With --id shop no row repeats another;")


def test_whole_numbers_may_be_ids(path: Path) -> None:
    assert advice(path, shops(["1", "2"])).startswith("With --id shop no row repeats another;")


def test_numbers_with_a_fraction_are_no_ids(path: Path) -> None:
    assert advice(path, shops(["1.5", "2.5"])) == ELSE


@pytest.mark.parametrize("name", ["shop" * 20, "sh\x1bop"])
def test_a_name_that_no_message_can_show_is_not_advised(path: Path, name: str) -> None:
    assert advice(path, shops(["a", "b"]).replace("shop", name)) == ELSE


def test_a_column_with_empty_cells_is_no_id(path: Path) -> None:
    assert advice(path, shops(["a", ""])) == ELSE


def test_a_column_that_differs_from_row_to_row_is_no_id(path: Path) -> None:
    rows = "".join(f"note {day}{row},{day},{row}\n" for day in DAYS for row in range(2))
    assert advice(path, "remark,date,y\n" + rows) == ELSE


def test_columns_that_leave_repeated_rows_are_not_named(path: Path) -> None:
    assert advice(path, shops(["a", "b"]) + "a,2024-01-01,6\n") == ELSE


def test_the_columns_of_a_model_stay(path: Path) -> None:
    settled = {"time": ("date",), "id": ("none",), "freq": "D"}
    assert advice(path, shops(["a", "b"]), model=True, **settled) == ELSE


def test_ids_are_looked_for_in_other_kinds_of_files_too(tmp_path: Path) -> None:
    table = {"shop": ["a"] * 10 + ["b"] * 10, "date": DAYS * 2, "y": list(range(20))}
    parquet.write_table(pa.table(table), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="With --id shop no row repeats another"):
        read_panel(str(tmp_path / "t.parquet"), ReadOptions(target=("y",)))


def test_rows_to_come_that_repeat_others_are_refused(path: Path, tmp_path: Path) -> None:
    ahead = tmp_path / "ahead.csv"
    ahead.write_text("date,promo\n2024-01-11,1\n2024-01-11,0\n")
    text = "date,y,promo\n" + "".join(f"{day},5,0\n" for day in DAYS)
    assert advice(path, text, future=("promo",), future_data=str(ahead)) == "Keep one row for each."


@pytest.mark.parametrize(
    ("twice", "told"), [("2025-10-26 02:00", True), ("2025-10-25 02:00", False), ("2025-10-26 12:00", False)]
)
def test_an_hour_that_comes_twice_on_a_sunday_night_may_be_the_change_of_the_clock(
    path: Path, twice: str, told: bool
) -> None:
    hours = [f"2025-10-{day} {hour:02d}:00" for day in range(20, 28) for hour in range(24)]
    hours.insert(hours.index(twice), twice)
    found = advice(path, "time,y\n" + "".join(f"{hour},{row}\n" for row, hour in enumerate(hours)))
    assert ("--tz ZONE" in found) == told
    assert found.endswith(("sum what to do with them.", "or of the time with --time."))
