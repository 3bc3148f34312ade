"""Arrow arrays to NumPy and back through their buffers.

pyarrow's own conversions import pandas where it is installed, 0.3 s and 50 MB that a nightly forecast does not need.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forecast.panels.panel import Floats, Integers


def release_memory() -> None:
    """Give back what Arrow keeps for itself of freed memory: as much as the columns were."""
    pa.default_memory_pool().release_unused()


def chunks_of(column: Any) -> list[Any]:
    """Return the parts of a column that lie in one piece of memory."""
    return list(column.chunks) if isinstance(column, pa.ChunkedArray) else [column]


def floats_of(column: Any) -> tuple[Floats, bool]:
    """Return doubles, NaN where null: (rows,), and whether a cell that is not null holds NaN.

    A column in one piece without nulls is a read-only view: no copy.
    """
    parts, spelled = [], False
    for chunk in chunks_of(column):
        values: Floats = _buffer(chunk, np.float64)
        if chunk.null_count:
            missing = ~valid_of(chunk)
            spelled = spelled or bool((np.isnan(values) & ~missing).any())
            values = np.where(missing, np.nan, values)
        else:
            spelled = spelled or bool(np.isnan(values).any())
        parts.append(values)
    return _joined(parts, np.float64), spelled


def integers_of(column: Any) -> Integers:
    """Return 64-bit integers (or times) without nulls: (rows,)."""
    return _joined([_buffer(chunk, np.int64) for chunk in chunks_of(column)], np.int64)


def codes_of(column: Any) -> NDArray[np.int32]:
    """Return the indices of a dictionary column whose chunks share one dictionary: (rows,)."""
    return _joined([_buffer(chunk.indices, np.int32) for chunk in chunks_of(column)], np.int32)


def distinct_of(column: Any) -> tuple[Any, NDArray[np.int32]]:
    """Return the different values of each chunk of a dictionary column without nulls, one chunk below the other, and
    the place of every row among them: (rows,)."""
    chunks = chunks_of(column)
    begins = np.cumsum([0, *(len(chunk.dictionary) for chunk in chunks)], dtype=np.int32)
    places = [_buffer(chunk.indices, np.int32) + begin for chunk, begin in zip(chunks, begins[:-1], strict=True)]
    return pa.chunked_array([chunk.dictionary for chunk in chunks], column.type.value_type), _joined(places, np.int32)


def flags_of(column: Any) -> NDArray[np.bool_]:
    """Return truth values, false where null: (rows,)."""
    parts = []
    for chunk in chunks_of(column):
        flags = _bits(chunk.buffers()[1], chunk.offset, len(chunk))
        parts.append(flags & valid_of(chunk) if chunk.null_count else flags)
    return _joined(parts, np.bool_)


def valid_of(column: Any) -> NDArray[np.bool_]:
    """Return which cells are not null: (rows,)."""
    return _joined([_bits(chunk.buffers()[0], chunk.offset, len(chunk)) for chunk in chunks_of(column)], np.bool_)


def spans_of(chunk: Any) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the characters of a text chunk and where its cells begin and end: (bytes,), (rows + 1,)."""
    _, offsets, data = chunk.buffers()
    if not len(chunk):
        return np.empty(0, dtype=np.uint8), np.zeros(1, dtype=np.int32)
    spans: NDArray[np.int32] = np.frombuffer(offsets, dtype=np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    return np.frombuffer(data if data is not None else b"", dtype=np.uint8), spans


def text_array(texts: Sequence[str | None]) -> Any:
    """Return text as an Arrow array, null for None."""
    encoded = [b"" if text is None else text.encode() for text in texts]
    offsets = np.cumsum([0, *(len(text) for text in encoded)]).astype(np.int32)
    missing = np.array([text is None for text in texts], dtype=bool)
    bits = pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing.any() else None
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)), bits)


def text_columns(columns: Mapping[str, Sequence[str | None]]) -> Any:
    """Return columns of text as an Arrow table."""
    return pa.Table.from_arrays([text_array(column) for column in columns.values()], names=list(columns))


def joined_columns(columns: Sequence[Any]) -> Any:
    """Return columns one below the other; as text where their types differ in more than the unit of times."""
    kinds = {_common(column.type) for column in columns}
    kind = kinds.pop() if len(kinds) == 1 else pa.string()
    return pa.chunked_array([chunk for column in columns for chunk in chunks_of(column.cast(kind, safe=False))], kind)


def _common(kind: Any) -> Any:
    """Return the type that times are joined in, any other as it is."""
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC" if kind.tz else None)
    return pa.timestamp("us") if pa.types.is_date(kind) else kind


def row_array(rows: Integers) -> Any:
    """Return row numbers as an Arrow array."""
    return pa.Array.from_buffers(
        pa.int64(), len(rows), [None, pa.py_buffer(np.ascontiguousarray(rows, dtype=np.int64))]
    )


def flag_array(flags: NDArray[np.bool_]) -> Any:
    """Return truth values as an Arrow array."""
    return pa.Array.from_buffers(pa.bool_(), len(flags), [None, pa.py_buffer(np.packbits(flags, bitorder="little"))])


def number_array(values: Floats) -> Any:
    """Return doubles as an Arrow array, null where NaN."""
    bits = np.packbits(~np.isnan(values), bitorder="little")
    buffers = [pa.py_buffer(bits), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.float64(), len(values), buffers)


def _buffer(chunk: Any, kind: Any) -> NDArray[Any]:
    """Return the values of a chunk of fixed width, whatever stands where it is null."""
    if not len(chunk):
        return np.empty(0, dtype=kind)
    return np.frombuffer(chunk.buffers()[1], dtype=kind)[chunk.offset : chunk.offset + len(chunk)]


def _bits(buffer: Any, offset: int, count: int) -> NDArray[np.bool_]:
    """Return a bitmap as truth values; without a bitmap all are true."""
    if buffer is None:
        return np.ones(count, dtype=bool)
    bits = np.unpackbits(np.frombuffer(buffer, dtype=np.uint8), bitorder="little", count=offset + count)
    return bits[offset:].astype(bool)


def _joined(parts: list[NDArray[Any]], kind: Any) -> NDArray[Any]:
    """Return parts as one array, a single part as it is."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, dtype=kind)
