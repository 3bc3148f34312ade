"""The bytes of a table: opened once, fingerprinted, unpacked and brought to UTF-8."""

import codecs
import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from forecast.errors import DataError
from forecast.options import MAX_INPUT_BYTES
from forecast.tables.files import CHUNK, STDIN, read_file, read_stdin
from forecast.tables.packing import unpack
from forecast.urls import is_url, shown

FOREIGN = {
    b"PK\x03\x04": ("a zip archive or a spreadsheet (.xlsx, .ods)", "Unpack it, or save the sheet as CSV."),
    b"PK\x05\x06": ("an empty zip archive", "Copy or download the file again."),
    b"%PDF": ("a PDF document", "Export the table as CSV."),
    b"\xd0\xcf\x11\xe0": ("an old spreadsheet (.xls)", "Save the sheet as CSV."),
    b"\xfd7zXZ": ("an xz archive", "Unpack it, or compress it with gzip."),
    b"7z\xbc\xaf": ("a 7z archive", "Unpack it, or compress it with gzip."),
    b"BZh": ("a bzip2 archive", "Unpack it, or compress it with gzip."),
    b"\x1f\x8b": ("a gzip archive within an archive", "Unpack it once."),
    b"SQLite format 3": ("an SQLite database", "Name a table in it, as in sqlite:///PATH?table=NAME."),
    b"\x89HDF": ("an HDF5 file", "Export the table as CSV or Parquet."),
    b"ARROW1\0\0": ("an Arrow or Feather file", "Export the table as CSV or Parquet."),
    b"\x93NUMPY": ("a NumPy array", "Export the table as CSV or Parquet."),
    b"\x89PNG": ("a picture", "Export the table as CSV."),
    b"\xff\xd8\xff": ("a picture", "Export the table as CSV."),
    b"\x80\x04": ("a Python pickle", "Export the table as CSV or Parquet."),
}
# Not any <name>: exports of stock prices write their header as <DATE>,<CLOSE>.
PAGE = re.compile(rb"<(!doctype|!--|\?xml|(html|head|body|title|table|div|svg|script)[ >])")
MARKS = {  # the longer first: UTF-32 begins as UTF-16 does
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class Form(StrEnum):
    """What the bytes of a table are."""

    TEXT = "delimited text"
    JSON = "JSON lines"
    PARQUET = "Parquet"


@dataclass(frozen=True, eq=False)
class Source:
    """A table's bytes: UTF-8 text without a byte order mark, or a Parquet file as it is."""

    path: str  # as messages name it: without passwords; "standard input" for -
    data: memoryview
    size: int  # bytes as stored
    sha256: str  # of the bytes as stored
    form: Form
    notices: tuple[str, ...] = ()


def name_of(path: str) -> str:
    """Return what messages call a table."""
    return "standard input" if path == STDIN else shown(path)


def open_source(path: str, encoding: str | None = None, limit: int = MAX_INPUT_BYTES) -> Source:
    """Read, unpack and fingerprint a file, a remote file, or standard input for '-'.

    limit: the bytes it may hold, unpacked. Raises DataError when it cannot be opened, holds more, is no table, is cut
    off, or is not in its encoding.
    """
    name = name_of(path)
    raw = _read(path, name, limit)
    digest = hashlib.sha256(raw).hexdigest()
    data = unpack(name, raw, limit)
    if data[:4] == b"PAR1":
        return Source(name, memoryview(data), len(raw), digest, Form.PARQUET)
    _refuse_foreign(name, data[:512])
    text, notices = _as_utf8(name, data, encoding)
    form = Form.JSON if bytes(text[:512]).lstrip().startswith(b"{") else Form.TEXT
    return Source(name, text, len(raw), digest, form, notices)


def _read(path: str, name: str, limit: int) -> bytes:
    """Return the bytes as they are stored."""
    if path == STDIN:
        return read_stdin(name, limit)
    if is_url(path):
        from forecast.tables.remote import read_remote

        return read_remote(path, limit)
    return read_file(path, limit)


def _refuse_foreign(name: str, head: bytes) -> None:
    """Refuse files of another kind, by their first bytes."""
    for mark, (kind, mend) in FOREIGN.items():
        if head.startswith(mark):
            raise DataError(f"{name}: this is {kind}, not a table.\n{mend}")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if PAGE.match(start):
        raise DataError(f"{name}: this is an HTML or XML page, not a table.\nCheck the address it was downloaded from.")
    if re.match(rb"\[\s*[\[{]", start):
        raise DataError(
            f"{name}: this is a JSON array, not a table.\nWrite each row as an object on a line of its own."
        )


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
        text = _decoded(name, data, codec, named=encoding is not None)
        _refuse_nul(name, text)
        return memoryview(text), (f"encoding: {codec}",)
    if not data.isascii():
        _check_utf8(name, data)
    _refuse_nul(name, data)
    skipped = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    return memoryview(data)[skipped:], ()


def _decoded(name: str, data: bytes, codec: str, named: bool) -> bytes:
    """Return text of another encoding as UTF-8; `named` where an option says what it is, else its first bytes do."""
    try:
        return data.decode(codec).removeprefix("\ufeff").encode()
    except UnicodeDecodeError as error:
        if error.reason == "truncated data":
            raise DataError(
                f"{name}: the file ends in the middle of a character of {codec}.\nCopy or download the file again."
            ) from None
        if not named:
            raise DataError(
                f"{name}: it begins as {codec} does, and is not.\nWrite the file again, as UTF-8."
            ) from None
        found = f"the byte 0x{data[error.start]:02x} is not {codec}"
        raise DataError(f"{_place(name, data, error.start)}: {found}.\nName another --encoding.") from None


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
                "Name the encoding, such as --encoding cp1252 or --encoding latin-1."
            ) from None


def _refuse_nul(name: str, data: bytes) -> None:
    """Refuse NUL bytes: they mean a file that was cut off by a crash, or no text at all."""
    place = data.find(b"\0")
    if place >= 0:
        hint = "Write the file again: it was cut off, or it is no text."
        odd, even = data[:200:2].count(b"\0"), data[1:200:2].count(b"\0")
        if max(odd, even) > 20 and not min(odd, even):  # every other byte
            hint = "If the text is UTF-16, name it: --encoding utf-16-le or --encoding utf-16-be."
        raise DataError(f"{_place(name, data, place)}: the line holds a NUL byte.\n{hint}")


def _place(name: str, data: bytes, offset: int) -> str:
    """Return file and 1-based line of a byte."""
    before = data[:offset].replace(b"\r\n", b"\n")
    line = 1 + before.count(b"\n") + before.count(b"\r")
    return f"{name}:{line}"
