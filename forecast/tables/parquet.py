"""A Parquet file as a table: columns are read when they are asked for."""

from typing import Any

import pyarrow as pa

from forecast.errors import DataError
from forecast.options import ReadOptions
from forecast.tables.source import Source
from forecast.tables.typed import SAMPLE_ROWS, TypedTable


def parquet_table(source: Source, options: ReadOptions) -> TypedTable:
    """Read the schema and the first rows of a Parquet file. Raises DataError for a damaged file."""
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(pa.BufferReader(pa.py_buffer(source.data)))
        names = tuple(file.schema_arrow.names)
        first = next(file.iter_batches(batch_size=SAMPLE_ROWS), None)
        if first is not None:
            first.validate(full=True)  # text that is no UTF-8 is found by nobody else
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(f"{source.path}: the Parquet file cannot be read: {_line(error)}.\nWrite it again.") from None
    head = file.schema_arrow.empty_table() if first is None else pa.Table.from_batches([first])

    def fetch(columns: list[str]) -> Any:
        try:
            table = file.read(columns=columns)
            table.validate(full=True)
            return table
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{source.path}: the Parquet file is damaged: {_line(error)}.\nWrite it again.") from None

    return TypedTable(source.path, names, options, source.size, source.sha256, head, fetch, source.notices)


def _line(error: Exception) -> str:
    """Return the first sentence of a library's message, without the bytes of a damaged file that it may quote."""
    text = "".join(character if character.isprintable() else " " for character in str(error).partition("\n")[0])
    return " ".join(text[:120].split()).rstrip(" .:")
