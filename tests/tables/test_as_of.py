"""--as-of: a table is read as if its later rows were not there."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import csv, parquet

from forecast.errors import DataError
from forecast.options import ReadOptions
from forecast.tables import read_panel
from forecast.tables.reading import Reading

HEAD = "shop,day,sales,weather\n"
ROWS = [
    f"{shop},2024-01-{day:02d},{10 * day + place},{day % 3}" for day in range(1, 21) for place, shop in enumerate("ab")
]
LATER = ["new,2024-01-15,5,1", "a,2024-01-21,closed,?", ",2024-01-22,1,1", "b,2024-01-20,7,7"]  # nothing to read
OPTIONS = {"id": ("shop",), "time": ("day",), "target": ("sales",), "past": ("weather",)}


def same(one: Reading, other: Reading) -> None:
    """Compare all that was read, but for what is said of the file itself."""
    assert one.options == other.options
    for field in fields(one.panel):
        mine, theirs = getattr(one.panel, field.name), getattr(other.panel, field.name)
        if isinstance(mine, np.ndarray):
            np.testing.assert_array_equal(mine, theirs, field.name)
        else:
            assert mine == theirs, field.name
    ours: dict[str, Any] = {
        key: value for key, value in one.source.items() if key in ("rows", "series", "first", "last")
    }
    assert ours == {key: other.source[key] for key in ours}


@pytest.fixture
def cut(tmp_path: Path) -> Reading:
    """Return the table of which the later rows were taken away."""
    rows = [row for row in ROWS if row.split(",")[1] <= "2024-01-14"]
    (tmp_path / "cut.csv").write_text(HEAD + "\n".join(rows) + "\n")
    return read_panel(str(tmp_path / "cut.csv"), ReadOptions(**OPTIONS))


@pytest.mark.parametrize("order", ["as it is", "newest first"])
def test_later_rows_are_not_read_whatever_they_hold(tmp_path: Path, cut: Reading, order: str) -> None:
    rows = [*ROWS[:30], *LATER, *ROWS[30:]]
    rows = rows if order == "as it is" else [*ROWS[28:], *LATER, *ROWS[:28]]
    (tmp_path / "all.csv").write_text(HEAD + "\n".join(rows) + "\n")
    found = read_panel(str(tmp_path / "all.csv"), ReadOptions(**OPTIONS, as_of="2024-01-14"))
    same(found, cut)
    assert found.source["as_of"] == "2024-01-14"
    with pytest.raises(DataError):
        read_panel(str(tmp_path / "all.csv"), ReadOptions(**OPTIONS))


def test_columns_are_found_without_the_later_rows(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text("ds,y\n2024-01-03,x\n2024-01-01,1\n2024-01-02,2\n2023-12-31,0\n")
    options = ReadOptions(time=("ds",), as_of="2024-01-02")
    assert read_panel(str(tmp_path / "all.csv"), options).panel.values(0).tolist() == [0, 1, 2]


def test_parquet_and_json_lines_are_cut_as_well(tmp_path: Path, cut: Reading) -> None:
    (tmp_path / "all.csv").write_text(HEAD + "\n".join(ROWS) + "\n")
    table = csv.read_csv(tmp_path / "all.csv")
    parquet.write_table(table, tmp_path / "all.parquet")
    lines = [json.dumps(row, default=str) for row in table.to_pylist()]
    (tmp_path / "all.jsonl").write_text("\n".join([*lines, '{"day": "2024-02-01", "sales": "x"}']) + "\n")
    for name in ("all.parquet", "all.jsonl"):
        found = read_panel(str(tmp_path / name), ReadOptions(**OPTIONS, as_of="2024-01-14"))
        np.testing.assert_array_equal(found.panel.target, cut.panel.target)
        assert (found.panel.ids, found.source["rows"]) == (("a", "b"), 28)


def test_files_are_cut_as_one_table(tmp_path: Path, cut: Reading) -> None:
    for number, rows in enumerate((ROWS[:10], ROWS[10:32], [*ROWS[32:], *LATER])):
        (tmp_path / f"part{number}.csv").write_text(HEAD + "\n".join(rows) + "\n")
    found = read_panel(str(tmp_path / "part*.csv"), ReadOptions(**OPTIONS, as_of="2024-01-14"))
    same(found, cut)
    assert found.source["newest"] == {
        str(tmp_path / "part1.csv"): "2024-01-14",
        str(tmp_path / "part0.csv"): "2024-01-05",
    }


@pytest.mark.parametrize(("name", "place"), [("bad.csv", "bad.csv:4"), ("bad.jsonl", "bad.jsonl:3")])
def test_a_message_names_the_line_in_the_whole_file(tmp_path: Path, name: str, place: str) -> None:
    rows = [("2024-02-01", "9"), ("2024-01-01", "1"), ("2024-01-02", "x"), ("2024-01-03", "3")]
    if name.endswith(".csv"):
        text = "ds,y\n" + "\n".join(",".join(row) for row in rows)
    else:
        text = "\n".join(json.dumps(dict(zip(("ds", "y"), row, strict=True))) for row in rows)
    (tmp_path / name).write_text(text + "\n")
    with pytest.raises(DataError, match=place + ": column 'y' should be a number, but is 'x'"):
        read_panel(str(tmp_path / name), ReadOptions(time=("ds",), target=("y",), as_of="2024-01-31"))


def test_steps_are_counted_within_their_series(tmp_path: Path) -> None:
    (tmp_path / "steps.csv").write_text("id,y\na,1\na,2\na,3\na,4\nb,5\nb,6\nb,7\n")
    options = ReadOptions(time=("none",), as_of="2")
    panel = read_panel(str(tmp_path / "steps.csv"), options).panel
    assert [panel.values(row).tolist() for row in range(2)] == [[1, 2], [5, 6]]


def test_of_an_hour_that_comes_twice_the_second_is_later(tmp_path: Path) -> None:
    hours = ["2024-10-27 00:00", "2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"]
    (tmp_path / "h.csv").write_text("ds,y\n" + "\n".join(f"{hour},{place}" for place, hour in enumerate(hours)) + "\n")

    def values(as_of: str) -> list[float]:
        options = ReadOptions(tz="Europe/Berlin", freq="h", as_of=as_of)
        return read_panel(str(tmp_path / "h.csv"), options).panel.values(0).tolist()

    assert values("2024-10-27 02:00") == values("2024-10-27T00:30Z") == [0, 1, 2]
    assert values("2024-10-27T01:00Z") == [0, 1, 2, 3]


def test_covariates_that_were_known_ahead_come_from_a_table_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text(
        "ds,y,promo\n" + "".join(f"2024-01-{day:02d},{day},{day}\n" for day in range(1, 13))
    )
    options = ReadOptions(time=("ds",), target=("y",), future=("promo",), as_of="2024-01-08")
    without = read_panel(str(tmp_path / "all.csv"), options).panel
    assert (without.lengths.tolist(), without.limits.tolist()) == ([8], [8])
    options = ReadOptions(**{**vars(options), "future_data": str(tmp_path / "all.csv")})
    ahead = read_panel(str(tmp_path / "all.csv"), options).panel
    assert (ahead.lengths.tolist(), ahead.future[0, 8:].tolist()) == ([8], [9, 10, 11, 12])
    assert np.isnan(ahead.target[8:]).all()


def test_a_time_before_all_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text("ds,y\n2024-01-01,1\n2024-01-02,2\n")
    with pytest.raises(DataError) as refused:
        read_panel(str(tmp_path / "all.csv"), ReadOptions(as_of="2023-12-31"))
    assert str(refused.value) == (
        f"{tmp_path}/all.csv: no row is left up to --as-of 2023-12-31; the first is of 2024-01-01.\nName a later time."
    )
