"""Compressed tables: unpacked by what their first bytes say, not by their name."""

import gzip
import io
import zlib
from typing import Any

from forecast.errors import DataError
from forecast.tables.files import read_capped

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def unpack(name: str, raw: bytes, limit: int) -> bytes:
    """Return what a gzip or zstd file holds, anything else as it is.

    Raises DataError for one that is incomplete, damaged, or unpacks to more than `limit` bytes: a few bytes can hold
    any number of rows.
    """
    if raw.startswith(GZIP):
        return _unpack_gzip(name, raw, limit)
    return _unpack_zstd(name, raw, limit) if raw.startswith(ZSTD) else raw


def _unpack_gzip(name: str, raw: bytes, limit: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            return read_capped(name, file.read, limit, "unpacked it")
    except EOFError:
        raise _incomplete(name, "gzip") from None
    except (gzip.BadGzipFile, zlib.error):
        raise _damaged(name, "gzip") from None


def _unpack_zstd(name: str, raw: bytes, limit: int) -> bytes:
    import pyarrow as pa  # Python itself unpacks zstd from 3.14 on

    try:
        stream: Any = pa.CompressedInputStream(pa.BufferReader(raw), "zstd")
        # Not read: it loses its megabyte for good where the archive is damaged.
        return read_capped(name, stream.read_buffer, limit, "unpacked it")
    except OSError as error:
        if "Truncated" in str(error):
            raise _incomplete(name, "zstd archive") from None
        if "too much memory" in str(error):
            raise DataError(
                f"{name}: the zstd archive needs a window of more than 128 MiB.\nCompress it again without --long."
            ) from None
        raise _damaged(name, "zstd archive") from None


def _incomplete(name: str, noun: str) -> DataError:
    return DataError(f"{name}: the {noun} is incomplete: its end is missing.\nCopy or download the file again.")


def _damaged(name: str, noun: str) -> DataError:
    return DataError(f"{name}: the {noun} is damaged.\nCopy or download the file again.")
