"""The forecast log: each forecast once, whole or not at all, in few files, whoever else is writing."""

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from forecast.errors import DataError, LockedError, OutputError, UsageError
from forecast.store import log
from forecast.store.lock import locked
from forecast.store.log import append, check_folder, open_parts


def night(cutoff: int, *ids: str, model: str = "sales@v1", horizon: int = 2, forecast: float = 1.0) -> Any:
    """Return the rows of one run: every series forecast from the same last step."""
    count = len(ids or ("a",)) * horizon
    return pa.table(
        {
            "id": [name for name in ids or ("a",) for _ in range(horizon)],
            "target": [""] * count,
            "cutoff": pa.array([cutoff] * count, pa.timestamp("ns")),
            "step": list(range(1, horizon + 1)) * (count // horizon),
            "model": [model] * count,
            "forecast": [forecast] * count,
        }
    )


def rows_in(folder: Path) -> list[tuple[Any, ...]]:
    """Return what a reader finds: id, cutoff, step, model and forecast of every row, sorted."""
    names = ("id", "cutoff", "step", "model", "forecast")
    found = []
    for part in open_parts(folder):
        for rows in part.read(names):
            columns = [rows["cutoff"].cast("int64") if name == "cutoff" else rows[name] for name in names]
            found += list(zip(*(column.to_pylist() for column in columns), strict=True))
    return sorted(found)


def files_in(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if name != ".lock")


def test_the_same_run_twice_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    assert append(tmp_path / "log", night(1, "a", "b")) == 4
    before = files_in(tmp_path / "log")
    assert append(tmp_path / "log", night(1, "a", "b")) == 0
    assert files_in(tmp_path / "log") == before


def test_of_a_night_that_overlaps_only_what_is_new_is_added(tmp_path: Path) -> None:
    append(tmp_path, night(1, "a", "b"))
    later = pa.concat_tables([night(1, "b"), night(2, "a")])  # nothing new has come of b
    assert append(tmp_path, later) == 2
    assert rows_in(tmp_path) == [
        *(("a", cutoff, step, "sales@v1", 1.0) for cutoff in (1, 2) for step in (1, 2)),
        *(("b", 1, step, "sales@v1", 1.0) for step in (1, 2)),
    ]


def test_what_was_said_first_stays(tmp_path: Path) -> None:
    append(tmp_path, night(1, forecast=1.0))
    append(tmp_path, night(1, horizon=3, forecast=2.0))
    assert [row[-1] for row in rows_in(tmp_path)] == [1.0, 1.0, 2.0]


def test_another_version_speaks_for_itself(tmp_path: Path) -> None:
    append(tmp_path, night(1))
    assert append(tmp_path, night(1, model="sales@v2")) == 2


def test_a_year_of_nights_stays_a_few_files(tmp_path: Path) -> None:
    for cutoff in range(40):
        append(tmp_path, night(cutoff, "a", "b"))
    assert len(files_in(tmp_path)) <= log.MOST_SMALL + 1
    assert len(rows_in(tmp_path)) == 40 * 4
    assert append(tmp_path, night(7, "a", "b")) == 0


def test_parts_of_other_columns_are_not_put_together(tmp_path: Path) -> None:
    for cutoff in range(log.MOST_SMALL + 1):
        rows = night(cutoff) if cutoff % 2 else night(cutoff).append_column("q_0.1", pa.array([0.0, 0.0]))
        append(tmp_path, rows)
    assert len(rows_in(tmp_path)) == 2 * (log.MOST_SMALL + 1)


def test_a_part_is_never_changed(tmp_path: Path) -> None:
    append(tmp_path, night(1))
    (part,) = (tmp_path / name for name in files_in(tmp_path))
    before = part.stat()
    append(tmp_path, night(2))
    after = part.stat()
    assert (before.st_ino, before.st_mtime_ns, before.st_size) == (after.st_ino, after.st_mtime_ns, after.st_size)


def killed_at(call: str, count: int, folder: Path, rows: Any) -> None:
    """Append in a process of its own that is gone, without any clean-up, at the count-th call of this name."""
    child = os.fork()
    if child == 0:
        real, calls = getattr(os, call), 0

        def last(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == count:
                os._exit(9)
            return real(*arguments, **options)

        setattr(os, call, last)
        append(folder, rows)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_run_that_is_killed_leaves_the_old_log_whole(tmp_path: Path, call: str) -> None:
    append(tmp_path, night(1))
    before = rows_in(tmp_path)
    killed_at(call, 1, tmp_path, night(2))
    assert rows_in(tmp_path) == before
    assert append(tmp_path, night(2)) == 2
    assert len(rows_in(tmp_path)) == 4


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize(("call", "count"), [("replace", 2), ("unlink", 1), ("unlink", 9)])
def test_a_run_that_is_killed_while_parts_are_put_together_doubles_nothing(
    tmp_path: Path, call: str, count: int
) -> None:
    for cutoff in range(log.MOST_SMALL):
        append(tmp_path, night(cutoff))
    killed_at(call, count, tmp_path, night(99))
    assert len(rows_in(tmp_path)) == 2 * (log.MOST_SMALL + 1)
    assert append(tmp_path, night(100)) == 2
    assert len(rows_in(tmp_path)) == 2 * (log.MOST_SMALL + 2)
    assert len([name for name in files_in(tmp_path) if name.startswith("part-")]) <= 3


def test_a_reader_keeps_what_it_has_opened(tmp_path: Path) -> None:
    for cutoff in range(log.MOST_SMALL):
        append(tmp_path, night(cutoff))
    parts = open_parts(tmp_path)
    append(tmp_path, night(99))  # puts them together, and removes them
    assert sum(rows.num_rows for part in parts for rows in part.read()) == 2 * log.MOST_SMALL


def test_a_reader_holds_a_part_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.append(tmp_path / "log", night(1, "a", "b", "c"))
    monkeypatch.setattr(log, "ROWS", 4)
    (part,) = log.open_parts(tmp_path / "log")
    assert [rows.num_rows for rows in part.read()] == [4, 2]


def test_only_one_run_adds_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path, "test"), pytest.raises(LockedError) as caught:
        append(tmp_path, night(1))
    assert str(caught.value).startswith(f"{tmp_path} is locked by process {os.getpid()} on ")
    assert str(caught.value).endswith("\nRun again when that has ended, or wait for it (--lock-wait 10m).")
    assert append(tmp_path, night(1)) == 2


def test_a_full_disk_leaves_the_log_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(tmp_path, night(1))
    before = files_in(tmp_path)

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError) as caught:
        append(tmp_path, night(2))
    assert str(caught.value) == (
        f"{tmp_path}: the log cannot be written: the disk is full.\nFree some space, then run again."
    )
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("flaw", ["empty", "short", "foreign"])
def test_a_damaged_part_is_named(tmp_path: Path, flaw: str) -> None:
    append(tmp_path, night(1))
    (part,) = (tmp_path / name for name in files_in(tmp_path))
    if flaw == "foreign":
        parquet.write_table(night(1), part)
    else:
        part.write_bytes(part.read_bytes()[:-9] if flaw == "short" else b"")
    with pytest.raises(DataError) as caught:
        open_parts(tmp_path)
    assert str(caught.value).startswith(f"{part}: this part of the log cannot be read (")
    assert str(caught.value).endswith(").\nMove it out of the folder.")


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    append(tmp_path, night(1, *map(str, range(500))))
    (part,) = (tmp_path / name for name in files_in(tmp_path))
    content = bytearray(part.read_bytes())
    content[len(content) // 4] ^= 1
    part.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        rows_in(tmp_path)


def test_a_log_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        open_parts(tmp_path / "lgo")
    assert str(caught.value) == f"{tmp_path}/lgo: there is no such log.\nName the folder that --log was given."


def test_a_folder_in_none_or_in_a_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "CURRENT").write_text("v1")
    for place in ("file", "none/log", "log"):
        with pytest.raises(UsageError):
            check_folder(tmp_path / place)
