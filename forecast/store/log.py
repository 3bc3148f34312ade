"""The forecast log: a folder of Parquet parts that is only ever added to, each forecast once.

A part appears whole or not at all, and is never changed. An append takes the lock of the folder, leaves out the rows
that are there already, and writes the rest as a new part. When small parts have become many, they are written again as
one, which names those it stands for: from its rename on readers pass over these, so that being killed before they are
removed loses nothing and doubles nothing. Readers take no lock.
"""

import io
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from forecast.errors import DataError, UsageError
from forecast.store.lock import AT_ONCE, Locking, locked
from forecast.store.names import new_version
from forecast.store.retention import KEPT_FOR
from forecast.store.writing import TEMPORARY, failure, replace_file, sync_folder

KEY = ("id", "target", "cutoff", "step", "model")  # cutoff and step give the time
ABOUT = b"forecast"  # what a part says about itself, in the metadata of its schema
SMALL = 4 << 20  # bytes of a part that may be put together with others
MOST_SMALL = 16  # parts
# Made of its bytes: pyarrow imports pandas to turn a Python value into one of its own.
BETWEEN = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\0"))[0]
ROWS = 1 << 14  # that are written together, and that a reader holds at a time
MODE, FOLDER_MODE = 0o644, 0o755  # less the umask


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a log, open: it can be read even where it has been removed since."""

    path: Path
    bytes: int
    file: Any  # parquet.ParquetFile
    cutoffs: Mapping[str, list[int]]  # NAME@VERSION -> the cutoffs of its forecasts, rising
    replaces: tuple[str, ...]  # names of the parts that this one stands for

    def read(self, columns: tuple[str, ...] | None = None) -> Iterator[Any]:
        """Yield the rows as tables of at most 16,384 rows. Raises DataError for a damaged part."""
        try:
            for batch in self.file.iter_batches(ROWS, columns=columns, use_threads=False):
                yield pa.Table.from_batches([batch]).replace_schema_metadata(None)
        except (OSError, pa.ArrowException) as error:
            raise _damaged(self.path, error) from None


def append(folder: Path, rows: Any, locking: Locking = AT_ONCE) -> int:
    """Add the forecasts of one run that the log does not hold yet; return how many rows that were.

    rows: an Arrow table with the columns of KEY, all of one model. Raises LockedError, OutputError where the log cannot
    be written, DataError where it is damaged.
    """
    try:
        if not folder.is_dir():
            with suppress(FileExistsError):  # another run was faster
                folder.mkdir(FOLDER_MODE)
            sync_folder(folder.absolute().parent)
        with locked(folder, "predict --log", locking):
            parts = _tidied(folder, open_parts(folder))
            new = _without_known(rows, parts)
            if new.num_rows:
                _write(folder, new, ())
                _merge(folder, open_parts(folder))
            return int(new.num_rows)
    except OSError as error:
        raise failure(error, f"{folder}: the log cannot be written") from error


def open_parts(folder: Path) -> list[Part]:
    """Open every part that counts, the oldest first. Raises DataError for what is no log, or a damaged one."""
    while True:
        try:
            found = [_open(folder / name) for name in sorted(os.listdir(folder)) if _is_part(name)]
        except FileNotFoundError:
            if folder.is_dir():
                continue  # one of the parts has been put together with others, between looking and opening
            raise DataError(f"{folder}: there is no such log.\nName the folder that --log was given.") from None
        except NotADirectoryError:
            raise DataError(f"{folder} is no folder.\nName the folder that --log was given.") from None
        replaced = {name for part in found for name in part.replaces}
        return [part for part in found if part.path.name not in replaced]


def check_folder(folder: Path) -> None:
    """Refuse a folder for a log that cannot be meant. Raises UsageError."""
    if not folder.is_dir() and (os.path.lexists(folder) or not folder.absolute().parent.is_dir()):
        found = "is no folder" if os.path.lexists(folder) else f"there is no folder {str(folder.parent)!r}"
        raise UsageError(f"{folder}: {found}.\nName a folder for the log; its parent must be there.")
    if any(
        (one / "manifest.json").exists() or (one / "CURRENT").exists() for one in (folder, *folder.resolve().parents)
    ):
        raise UsageError(f"{folder}: the log lies inside a trained model.\nName a folder elsewhere.")


def _is_part(name: str) -> bool:
    return name.startswith("part-") and name.endswith(".parquet")


def _open(path: Path) -> Part:
    """Open one part and read what it says about itself."""
    try:
        source = pa.OSFile(str(path))
        file = parquet.ParquetFile(source, page_checksum_verification=True)
        about = json.loads((file.schema_arrow.metadata or {})[ABOUT])
        return Part(path, source.size(), file, about["cutoffs"], tuple(about["replaces"]))
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> DataError:
    """Return the error for a part that cannot be read."""
    reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    return DataError(f"{path}: this part of the log cannot be read ({reason}).\nMove it out of the folder.")


def _tidied(folder: Path, parts: list[Part]) -> list[Part]:
    """Remove what earlier runs were killed before removing; return the parts."""
    for name in {name for part in parts for name in part.replaces}:
        with suppress(FileNotFoundError):
            os.unlink(folder / name)
    for left in os.scandir(folder):
        # A young one may be a run record that is being written: that needs no lock.
        if left.name.startswith(TEMPORARY) and left.stat().st_mtime < time.time() - KEPT_FOR.total_seconds():
            os.unlink(left.path)
    return parts


def _without_known(rows: Any, parts: list[Part]) -> Any:
    """Return the rows that no part holds yet."""
    cutoffs = {model: set(ours) for model, ours in _cutoffs(rows).items()}
    keys = _keys(rows)
    for part in parts:
        if any(ours.intersection(part.cutoffs.get(model, ())) for model, ours in cutoffs.items()):
            for known in part.read(KEY):
                new = pc.invert(pc.is_in(keys, value_set=_keys(known)))
                rows, keys = rows.filter(new), keys.filter(new)
    return rows


def _keys(rows: Any) -> Any:
    """Return the key of each row as one text; no id holds a NUL character."""
    columns = [rows.column(name) for name in KEY]
    texts = [column if column.type == pa.string() else column.cast(pa.int64()).cast(pa.string()) for column in columns]
    return pc.binary_join_element_wise(*texts, BETWEEN).combine_chunks()


def _cutoffs(rows: Any) -> dict[str, list[int]]:
    """Return the cutoffs of each model in the rows, rising."""
    found = {}
    for model in rows.column("model").unique():
        cutoffs = rows.column("cutoff").filter(pc.equal(rows.column("model"), model))
        found[model.as_py()] = sorted(cutoffs.cast(pa.int64()).unique().to_pylist())
    return found


def _write(folder: Path, rows: Any, replaces: tuple[str, ...]) -> None:
    """Write rows as a new part, whole or not at all."""
    about = json.dumps({"format": 1, "cutoffs": _cutoffs(rows), "replaces": replaces}).encode()
    sink = io.BytesIO()
    parquet.write_table(
        rows.replace_schema_metadata({ABOUT: about}),
        sink,
        row_group_size=ROWS,
        compression="zstd",
        write_page_checksum=True,
    )
    name = new_version(datetime.now(UTC), os.urandom(8))
    replace_file(folder / f"part-{name}.parquet", sink.getvalue(), new_mode=MODE)


def _merge(folder: Path, parts: list[Part]) -> None:
    """Put small parts of one schema together when there are many."""
    groups: dict[str, list[Part]] = {}
    for part in parts:
        if part.bytes < SMALL:
            groups.setdefault(str(part.file.schema_arrow.remove_metadata()), []).append(part)
    for group in groups.values():
        if len(group) > MOST_SMALL:
            _write(folder, pa.concat_tables(rows for part in group for rows in part.read()), _names(group))
            for part in group:
                os.unlink(part.path)
            sync_folder(folder)


def _names(parts: list[Part]) -> tuple[str, ...]:
    return tuple(part.path.name for part in parts)
