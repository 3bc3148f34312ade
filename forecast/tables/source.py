"""The bytes of a table: opened once, fingerprinted, unpacked and brought to UTF-8."""

import codecs
import gzip
import hashlib
import io
import os
import stat
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

from forecast.errors import DataError

MAX_BYTES = 4 << 30  # unpacked: a small gzip can hold any number of rows
CHUNK = 1 << 20
FOREIGN = {
    b"PK\x03\x04": ("a zip archive or a spreadsheet (.xlsx)", "Unpack it, or save the sheet as CSV."),
    b"%PDF": ("a PDF document", "Export the table as CSV."),
    b"\xd0\xcf\x11\xe0": ("an old spreadsheet (.xls)", "Save the sheet as CSV."),
    b"\x28\xb5\x2f\xfd": ("a zstd archive", "Unpack it, or compress it with gzip."),
    b"\xfd7zXZ": ("an xz archive", "Unpack it, or compress it with gzip."),
    b"BZh": ("a bzip2 archive", "Unpack it, or compress it with gzip."),
    b"SQLite format 3": ("an SQLite database", "Export the table as CSV."),
    b"\x89HDF": ("an HDF5 file", "Export the table as CSV or Parquet."),
    b"\x80\x04": ("a Python pickle", "Export the table as CSV or Parquet."),
}
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True, eq=False)
class Source:
    """A table's bytes: UTF-8 text without a byte order mark, or a Parquet file as it is."""

    path: str  # as the user wrote it; "standard input" for -
    data: memoryview
    size: int  # bytes as stored
    sha256: str  # of the bytes as stored
    parquet: bool
    notices: tuple[str, ...] = ()


def open_source(path: str, encoding: str | None = None) -> Source:
    """Read, unpack and fingerprint a file, or standard input for '-'.

    Raises DataError when it cannot be opened, is no table, is cut off, or is not in its encoding.
    """
    raw = _read_stdin() if path == "-" else _read_file(path)
    name = "standard input" if path == "-" else path
    digest = hashlib.sha256(raw).hexdigest()
    data = _unpack(name, raw) if raw[:2] == b"\x1f\x8b" else raw
    if data[:4] == b"PAR1":
        return Source(name, memoryview(data), len(raw), digest, parquet=True)
    _refuse_foreign(name, data[:512])
    text, notices = _as_utf8(name, data, encoding)
    return Source(name, text, len(raw), digest, parquet=False, notices=notices)


def _read_stdin() -> bytes:
    """Return everything that standard input holds."""
    if sys.stdin is None or sys.stdin.closed:
        raise DataError("standard input: it is closed.\nPipe a table into the command, or name a file.")
    return sys.stdin.buffer.read()


def _read_file(path: str) -> bytes:
    """Return the bytes of a regular file; links are followed."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            before = os.fstat(file.fileno())
            _refuse_special(path, before.st_mode)
            data = file.read()
            after = os.fstat(file.fileno())
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file.\n{_suggestion(path)}") from None
    except IsADirectoryError:
        raise DataError(f"{path}: this is a folder.\nName one table in it.") from None
    except PermissionError:
        raise DataError(
            f"{path}: permission to read it is denied.\nGive the user of this command read access."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path}: it cannot be opened: {reason}.\nName a file that can be read.") from None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(data) != after.st_size:
        raise DataError(
            f"{path}: the file changed while it was read.\n"
            "Wait until it is complete, or write it elsewhere and rename it."
        )
    return data


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file for `open`; a FIFO without a writer must not make the command wait for ever."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _refuse_special(path: str, mode: int) -> None:
    """Refuse what is no regular file: it could be endless, or different when read again."""
    if stat.S_ISDIR(mode):
        raise DataError(f"{path}: this is a folder.\nName one table in it.")
    if stat.S_ISFIFO(mode):
        raise DataError(f"{path}: this is a pipe, not a file.\nUse - and redirect it to standard input.")
    if not stat.S_ISREG(mode):
        raise DataError(f"{path}: this is a device, not a file.\nName a file.")


def _suggestion(path: str) -> str:
    """Name a file of nearly the same name, where there is one."""
    from difflib import get_close_matches

    folder = Path(path).parent
    try:
        names = sorted(entry.name for entry in folder.iterdir())[:1000]
    except OSError:
        return f"There is no folder {str(folder)!r} either: check the path."
    close = get_close_matches(Path(path).name, names, n=1)
    return f"Did you mean {str(folder / close[0])!r}?" if close else "Check the path."


def _unpack(name: str, raw: bytes) -> bytes:
    """Return what a gzip holds; the marks at its beginning decide, not its name."""
    parts, total = [], 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            while part := file.read(CHUNK):
                parts.append(part)
                total += len(part)
                if total > MAX_BYTES:
                    raise DataError(f"{name}: unpacked it holds more than {MAX_BYTES:,} bytes.\nSplit the table.")
    except EOFError:
        raise DataError(
            f"{name}: the gzip is incomplete: its end is missing.\nCopy or download the file again."
        ) from None
    except (gzip.BadGzipFile, zlib.error):
        raise DataError(f"{name}: the gzip is damaged.\nCopy or download the file again.") from None
    return b"".join(parts)


def _refuse_foreign(name: str, head: bytes) -> None:
    """Refuse files of another kind, by their first bytes."""
    for mark, (kind, mend) in FOREIGN.items():
        if head.startswith(mark):
            raise DataError(f"{name}: this is {kind}, not a table.\n{mend}")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise DataError(f"{name}: this is an HTML or XML page, not a table.\nCheck the address it was downloaded from.")
    if start.startswith((b"{", b"[{")):
        raise DataError(f"{name}: this is JSON, not a table.\nExport it as CSV or Parquet.")


def _as_utf8(name: str, data: bytes, encoding: str | None) -> tuple[memoryview, tuple[str, ...]]:
    """Return the text as UTF-8 without its byte order mark, and what was noticed."""
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    found = MARKS.get(mark, "utf-8")
    codec = encoding or found
    try:
        codec = codecs.lookup(codec).name
    except LookupError:
        raise DataError(
            f"{name}: --encoding {encoding!r} is not known.\nUse a name such as utf-8, latin-1 or cp1252."
        ) from None
    if codec not in ("utf-8", "ascii", "utf-8-sig"):
        try:
            return memoryview(data.decode(codec).removeprefix("\ufeff").encode()), (f"encoding: {codec}",)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{_place(name, data, error.start)}: {error.reason} for {codec}.\nName another --encoding."
            ) from None
    if not data.isascii():
        _check_utf8(name, data)
    _refuse_nul(name, data)
    skipped = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    return memoryview(data)[skipped:], ()


def _check_utf8(name: str, data: bytes) -> None:
    """Refuse text that is not UTF-8, a chunk at a time: a decoded copy would take up to four times the memory."""
    decoder, view = codecs.getincrementaldecoder("utf-8")(), memoryview(data)
    for start in range(0, len(data), CHUNK):
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(view[start : start + CHUNK], final=start + CHUNK >= len(data))
        except UnicodeDecodeError as error:
            place = start - waiting + error.start
            raise DataError(
                f"{_place(name, data, place)}: the byte 0x{data[place]:02x} is not UTF-8.\n"
                "Name the encoding, such as --encoding latin-1 or --encoding cp1252."
            ) from None


def _refuse_nul(name: str, data: bytes) -> None:
    """Refuse NUL bytes: they mean a file that was cut off by a crash, or no text at all."""
    place = data.find(b"\0")
    if place >= 0:
        hint = "Write the file again: it was cut off, or it is no text."
        if data[:200].count(b"\0") > 20:
            hint = "If the text is UTF-16, name it: --encoding utf-16-le or --encoding utf-16-be."
        raise DataError(f"{_place(name, data, place)}: the line holds a NUL byte.\n{hint}")


def _place(name: str, data: bytes, offset: int) -> str:
    """Return file and 1-based line of a byte."""
    before = data[:offset].replace(b"\r\n", b"\n")
    line = 1 + before.count(b"\n") + before.count(b"\r")
    return f"{name}:{line}"
