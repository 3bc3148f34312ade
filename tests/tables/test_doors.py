"""Every door leads to the same table, and what must be refused at one is refused at all of them."""

import gzip
import io
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pyarrow import csv, parquet

from forecast.errors import DataError, UsageError
from forecast.options import ReadOptions
from forecast.tables import Reading, is_there, read_panel

ROWS = [("007", f"2024-01-{day:02d}", str(day * 37 % 11 / 4)) for day in range(1, 21)]
ROWS += [("NA", f"2024-01-{day:02d}", "" if day == 3 else "1e2") for day in range(1, 11)]
HEADER = ("id", "ds", "y")
CSV = "".join(",".join(row) + "\n" for row in (HEADER, *ROWS)).encode()
JSON = "".join(json.dumps(dict(zip(HEADER, row, strict=True))) + "\n" for row in ROWS).encode()
PARTS = [slice(0, 9), slice(9, 10), slice(10, 30)]


def columns(rows: list[tuple[str, ...]] = ROWS) -> pa.Table:
    """Return rows as typed columns."""
    text = "".join(",".join(row) + "\n" for row in (HEADER, *rows)).encode()
    kinds = {"id": pa.string(), "ds": pa.date32(), "y": pa.float64()}
    return csv.read_csv(io.BytesIO(text), convert_options=csv.ConvertOptions(column_types=kinds))


def write(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def a_folder(path: Path) -> str:
    for number, part in enumerate(PARTS):
        parquet.write_table(columns(ROWS[part]), path / f"part-{number}.parquet")
    return str(path)


def csv_files(path: Path) -> str:
    for number, part in enumerate(PARTS):
        lines = [HEADER, *ROWS[part]]
        (path / f"{number}.csv").write_text("".join(",".join(row) + "\n" for row in lines))
    return str(path / "*.csv")


def files_of_all_kinds(path: Path) -> str:
    csv_files(path)
    (path / "1.csv").unlink()
    lines = [";".join(row[::-1]) + "\n" for row in (HEADER, *ROWS[PARTS[1]])]
    (path / "1.txt").write_bytes(gzip.compress("".join(lines).encode()))
    return str(path / "*")


def a_database(path: Path) -> str:
    with sqlite3.connect(path / "sales.db") as connection:
        connection.execute("create table sales (id text, ds date, y real)")
        connection.executemany("insert into sales values (?, ?, nullif(?, ''))", ROWS)
    connection.close()
    return f"sqlite:///{path / 'sales.db'}?table=sales"


def memory(path: Path) -> str:
    MemoryFileSystem().pipe(f"/{path.name}/sales.csv", CSV)
    return f"memory://{path.name}/sales.csv"


def memory_parts(path: Path) -> str:
    a_folder(path)
    for part in path.iterdir():
        MemoryFileSystem().pipe(f"/{path.name}/parts/{part.name}", part.read_bytes())
    return f"memory://{path.name}/parts/"


def memory_files(path: Path) -> str:
    csv_files(path)
    for file in path.iterdir():
        MemoryFileSystem().pipe(f"/{path.name}/{file.name}", file.read_bytes())
    return f"memory://{path.name}/*.csv"


def parquet_file(path: Path) -> str:
    parquet.write_table(columns(), path / "sales.parquet")
    return str(path / "sales.parquet")


DOORS: dict[str, Callable[[Path], str]] = {
    "csv": lambda path: write(path / "sales.csv", CSV),
    "csv.gz": lambda path: write(path / "sales.csv.gz", gzip.compress(CSV)),
    "csv.zst": lambda path: write(path / "sales.csv.zst", pa.compress(CSV, "zstd", asbytes=True)),
    "tsv": lambda path: write(path / "sales.tsv", CSV.replace(b",", b"\t")),
    "tsv.zst": lambda path: write(path / "sales.tsv.zst", pa.compress(CSV.replace(b",", b"\t"), "zstd", asbytes=True)),
    "jsonl": lambda path: write(path / "sales.jsonl", JSON),
    "jsonl.gz": lambda path: write(path / "sales.jsonl.gz", gzip.compress(JSON)),
    "parquet": parquet_file,
    "folder": a_folder,
    "glob": csv_files,
    "glob of all kinds": files_of_all_kinds,
    "database": a_database,
    "file URL": lambda path: "file://" + write(path / "sales.csv", CSV),
    "memory": memory,
    "memory folder": memory_parts,
    "memory glob": memory_files,
}


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Empty the file system in memory, which is one for the whole process."""
    yield
    MemoryFileSystem.store.clear()


def assert_same(one: Reading, other: Reading) -> None:
    """Compare two panels."""
    assert one.panel.ids == other.panel.ids == ("007", "NA")
    assert one.panel.calendar == other.panel.calendar
    for name in ("target", "begins", "limits", "starts"):
        np.testing.assert_array_equal(getattr(one.panel, name), getattr(other.panel, name))


@pytest.mark.parametrize("door", DOORS)
def test_every_door_leads_to_the_same_panel(door: str, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    path = DOORS[door](tmp_path / "here")
    reading = read_panel(path, ReadOptions())
    assert_same(reading, read_panel(write(tmp_path / "expected.csv", CSV), ReadOptions()))
    assert reading.source["path"] == path
    assert reading.source["rows"] == 30
    assert reading.source["bytes"] > 100
    assert reading.source["sha256"] == read_panel(path, ReadOptions()).source["sha256"]


@pytest.mark.parametrize("data", [CSV, gzip.compress(CSV), JSON], ids=["csv", "csv.gz", "jsonl"])
def test_standard_input_is_a_door(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    reading = read_panel("-", ReadOptions())
    assert_same(reading, read_panel(write(tmp_path / "expected.csv", CSV), ReadOptions()))
    assert reading.source["path"] == "-"


@pytest.mark.parametrize("door", DOORS)
def test_future_data_comes_through_every_door(door: str, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    ahead = DOORS[door](tmp_path / "here")
    history = [(*row, "5") for row in ROWS[:10]]
    lines = [("id", "ds", "z", "y"), *history]
    data = write(tmp_path / "data.csv", "".join(",".join(row) + "\n" for row in lines).encode())
    panel = read_panel(data, ReadOptions(target=("z",), future=("y",), future_data=ahead)).panel
    assert panel.future.shape == (1, 20)
    assert panel.future[0, 10:].tolist() == [day * 37 % 11 / 4 for day in range(11, 21)]


def refusal(path: str) -> str:
    with pytest.raises(DataError) as caught:
        read_panel(path, ReadOptions())
    return str(caught.value)


def test_standard_input_cannot_be_both_tables() -> None:
    with pytest.raises(UsageError, match=r"^both tables cannot come from standard input\.\n"):
        read_panel("-", ReadOptions(future_data="-"))


SPECIAL: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "this is a pipe, not a file.\nUse - and redirect it to standard input."),
    "device": (lambda path: path.symlink_to("/dev/zero"), "this is a device, not a file.\nName a file."),
    "loop": (
        lambda path: path.symlink_to(path),
        "it cannot be opened: Too many levels of symbolic links.\nName a file that can be read.",
    ),
    "cut off": (
        lambda path: path.write_bytes(gzip.compress(CSV)[:-3]),
        "the gzip is incomplete: its end is missing.\nCopy or download the file again.",
    ),
}


FILES = ("{path}", "{folder}/*.parquet", "{folder}", "file://{path}")
DATABASE = "sqlite:///{path}?table=a"  # says itself what it makes of a file


@pytest.mark.parametrize(
    ("door", "special"),
    [*product(FILES, SPECIAL), *product([DATABASE], ("pipe", "device", "loop"))],
)
def test_what_is_no_whole_file_is_refused_at_every_door(door: str, special: str, tmp_path: Path) -> None:
    make, message = SPECIAL[special]
    path = tmp_path / "here" / "a.parquet"
    path.parent.mkdir()
    make(path)
    shown = f"file://{path}" if door.startswith("file") and special == "cut off" else path
    assert refusal(door.format(path=path, folder=path.parent)) == f"{shown}: {message}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("door", [*FILES, DATABASE])
def test_a_file_without_permission_is_refused_at_every_door(door: str, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_text("x")
    path.chmod(0)
    assert refusal(door.format(path=path, folder=path.parent)) == (
        f"{path}: permission to read it is denied.\nGive the user of this command read access."
    )


@pytest.mark.parametrize("door", [door for door in DOORS if "memory" not in door and door != "file URL"])
def test_a_table_of_more_bytes_than_allowed_is_refused_at_every_door(door: str, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"holds? more than 150 bytes\.\nSplit the table, or raise --max-input-bytes\.$"
    ):
        read_panel(DOORS[door](tmp_path), ReadOptions(max_input_bytes=150))


def test_an_error_in_one_of_several_files_names_that_file_and_its_line(tmp_path: Path) -> None:
    pattern = csv_files(tmp_path)
    path = tmp_path / "2.csv"
    path.write_text(path.read_text().replace("1e2", "many", 1))
    assert refusal(pattern).startswith(f"{path}:12: column 'y' should be a number, but is 'many'.\n")
    path.write_text(path.read_text().replace("many", "1").replace("2024-01-09", "9th of May", 1))
    assert refusal(pattern).startswith(f"{path}:20: column 'ds' is no time: '9th of May'.\n")


def test_rows_that_repeat_those_of_another_file_are_named_with_both_places(tmp_path: Path) -> None:
    pattern = csv_files(tmp_path)
    (tmp_path / "3.csv").write_text("id,ds,y\n007,2024-01-10,3\n")
    assert refusal(pattern).startswith(
        f"{pattern}: 1 row repeats the 'id' and 'ds' of an earlier row: "
        f"'007' 2024-01-10 (places {tmp_path}/1.csv:2 and {tmp_path}/3.csv:2).\n"
    )


def test_several_files_are_said(tmp_path: Path) -> None:
    pattern = csv_files(tmp_path)
    assert read_panel(pattern, ReadOptions()).notices[0] == f"{pattern}: 3 files, read as one table"


def test_a_file_of_other_columns_is_refused(tmp_path: Path) -> None:
    pattern = csv_files(tmp_path)
    (tmp_path / "1.csv").write_text("id,ds,value,note\n007,2024-01-10,3,\n")
    assert refusal(pattern) == (
        f"{tmp_path}/1.csv: its columns are not those of {tmp_path}/0.csv: without 'y' and with 'value', 'note'.\n"
        "Name files of the same columns."
    )


def test_a_decimal_comma_in_one_file_is_that_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "0.csv").write_text("ds;y\n2024-01-01;1\n2024-01-02;2\n")
    (tmp_path / "1.csv").write_text("ds;y\n2024-01-03;1,5\n2024-01-04;2,5\n")
    reading = read_panel(str(tmp_path / "*.csv"), ReadOptions())
    assert reading.panel.target.tolist() == [1, 2, 1.5, 2.5]
    assert (reading.options.decimal, reading.options.delimiter) == (",", ";")


def test_steps_count_on_from_file_to_file_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, cells in (("b", "4\n5\n"), ("a", "1\n2\n3\n")):
        (tmp_path / f"{name}.csv").write_text(f"y\n{cells}")
    reading = read_panel(str(tmp_path / "?.csv"), ReadOptions(time=("none",)))
    assert reading.panel.target.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_parts_that_write_times_in_different_units_are_one_table(unit: str, tmp_path: Path) -> None:
    kinds = (pa.date32(), pa.timestamp(unit))
    for number, (part, kind) in enumerate(zip((slice(0, 12), slice(12, 20)), kinds, strict=True)):
        table = columns(ROWS[part])
        parquet.write_table(table.set_column(1, "ds", table.column("ds").cast(kind)), tmp_path / f"{number}.parquet")
    panel = read_panel(str(tmp_path), ReadOptions()).panel
    assert panel.calendar.freq == "D"
    assert len(panel.target) == 20


def test_a_part_without_rows_does_no_harm(tmp_path: Path) -> None:
    a_folder(tmp_path)
    parquet.write_table(columns([]), tmp_path / "empty.parquet")
    assert len(read_panel(str(tmp_path), ReadOptions()).panel.ids) == 2


def test_a_pattern_without_a_match_is_refused(tmp_path: Path) -> None:
    assert refusal(f"{tmp_path}/*.csv") == (
        f"{tmp_path}/*.csv: no file matches.\nCheck the pattern, and the folder it is used in."
    )


def test_a_folder_without_parts_is_refused(tmp_path: Path) -> None:
    csv_files(tmp_path)
    assert refusal(str(tmp_path)) == (
        f"{tmp_path}: this is a folder without Parquet parts (*.parquet).\n"
        f"Name one table in it, or a pattern such as '{tmp_path}/*.csv'."
    )


def test_parts_in_folders_below_are_refused_until_they_are_named(tmp_path: Path) -> None:
    (tmp_path / "year=2024").mkdir()
    a_folder(tmp_path / "year=2024")
    assert refusal(str(tmp_path)) == (
        f"{tmp_path}: there are Parquet parts in folders below, such as '{tmp_path}/year=2024/part-0.parquet'.\n"
        f"Name '{tmp_path}/**/*.parquet' to read them all; what the names of folders say (year=2024) is then left out."
    )
    assert len(read_panel(f"{tmp_path}/**/*.parquet", ReadOptions()).panel.ids) == 2


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    path = write(tmp_path / "sales[1]*.csv", CSV)
    (tmp_path / "sales1.csv").write_text("x")
    assert read_panel(path, ReadOptions()).source["rows"] == 30


def test_whether_a_path_still_leads_somewhere(tmp_path: Path) -> None:
    assert not is_there(str(tmp_path))
    pattern = csv_files(tmp_path)
    assert is_there(pattern)
    assert is_there(f"{tmp_path}/0.csv")
    assert not is_there(f"{tmp_path}/*.parquet")
    assert not is_there(a_database(tmp_path))
    a_folder(tmp_path)
    assert is_there(str(tmp_path))
