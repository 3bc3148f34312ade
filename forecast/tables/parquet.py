"""A Parquet file as columns, of the same form as delimited text."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from forecast.errors import DataError
from forecast.options import ReadOptions
from forecast.tables.arrow import floats_of, number_array
from forecast.tables.dialect import NULLS
from forecast.tables.numbers import numbers_of
from forecast.tables.source import Source

SAMPLE_ROWS = 500


class ParquetTable:
    """A Parquet file whose columns are read on demand; nothing in it changes after it is made."""

    decimal, unit = ".", "row"
    delimiter: str | None = None

    def __init__(self, source: Source, options: ReadOptions) -> None:
        """Read the schema and the first rows. Raises DataError for a damaged file."""
        from pyarrow import parquet

        self.path, self.notices = source.path, source.notices
        self.nulls = (*NULLS, *options.null_value)
        try:
            self._file = parquet.ParquetFile(pa.BufferReader(pa.py_buffer(source.data)))
            self.names = tuple(self._file.schema_arrow.names)
            first = next(self._file.iter_batches(batch_size=SAMPLE_ROWS), None)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            raise DataError(
                f"{source.path}: the Parquet file cannot be read: {_line(error)}.\nWrite it again."
            ) from None
        if len(set(self.names)) < len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise DataError(
                f"{source.path}: the column name {twice!r} occurs twice.\nGive each column a name of its own."
            )
        self._head = first

    def sample(self, name: str) -> list[str]:
        """Return the first cells of a column as text, missing ones left out."""
        if self._head is None:
            return []
        cells = [str(cell).strip() for cell in self._head.column(name).to_pylist() if cell is not None]
        return [cell for cell in cells if cell not in self.nulls and cell != "nan"]

    def read(self, text: Sequence[str], categories: Sequence[str], numbers: Sequence[str]) -> dict[str, Any]:
        """Return columns by name: text (or times) and categories as Arrow arrays, numbers as float64 arrays.

        Raises DataError with row, column and value for a number that cannot be read.
        """
        try:
            table = self._file.read(columns=[*text, *categories, *numbers] or [self.names[0]])
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{self.path}: the Parquet file is damaged: {_line(error)}.\nWrite it again.") from None
        columns: dict[str, Any] = {name: _plain(table.column(name)) for name in text}
        columns |= {name: _plain(table.column(name)).cast(pa.string()).dictionary_encode() for name in categories}
        for name in numbers:
            column = _plain(table.column(name))
            if (
                pa.types.is_decimal(column.type)
                or pa.types.is_integer(column.type)
                or pa.types.is_floating(column.type)
            ):
                column = _as_double(column)
            elif not pa.types.is_null(column.type):
                column = column.cast(pa.string())
            else:
                column = column.cast(pa.float64())
            columns[name] = numbers_of(self, name, column)
        return columns

    def texts(self, name: str) -> Any:
        """Return one column as Arrow text."""
        return _plain(self._file.read(columns=[name]).column(name)).cast(pa.string())

    def place(self, row: int) -> str:
        """Return file and 1-based row."""
        return f"{self.path}: row {row + 1}"

    def lines(self, rows: Sequence[int]) -> list[int]:
        """Return the 1-based rows."""
        return [row + 1 for row in rows]


def _plain(column: Any) -> Any:
    """Return a column without dictionary and without large or view types."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    return column


def _as_double(column: Any) -> Any:
    """Return numbers as doubles; a NaN of a Parquet file is a missing value."""
    return number_array(floats_of(column.cast(pa.float64(), safe=False))[0])


def _line(error: Exception) -> str:
    """Return the first sentence of a library's message."""
    return str(error).splitlines()[0][:120].rstrip(".")
