"""Columns that have types of their own, from Parquet, a database or JSON lines, in the form of delimited text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from forecast.errors import DataError
from forecast.options import ReadOptions
from forecast.panels.panel import Integers
from forecast.tables.arrow import flag_array, floats_of, number_array
from forecast.tables.dialect import NULLS, decimal_mark
from forecast.tables.numbers import numbers_of
from forecast.tables.table import Flags

SAMPLE_ROWS = 500


@dataclass(eq=False)
class TypedTable:
    """A table of typed columns, see `Table`; a place in it is a row, or a line where `numbers` says which."""

    path: str
    names: tuple[str, ...]
    options: ReadOptions  # what they say of numbers holds for those that are text
    size: int
    sha256: str
    head: Any  # Arrow: the first rows of every column; None: fetched when they are asked for
    fetch: Callable[[list[str]], Any]  # names -> Arrow table of these columns
    notices: tuple[str, ...] = ()
    numbers: Integers | None = None  # (rows,) 1-based line, or row, of each row; None: rows 1, 2, 3, ...
    unit: str = "row"  # what these numbers count
    delimiter: str | None = None
    nulls: tuple[str, ...] = field(init=False)
    decimal: str = field(init=False)
    thousands: str | None = field(init=False)

    def __post_init__(self) -> None:
        """Refuse names that occur twice."""
        self.nulls, self.thousands = (*NULLS, *self.options.null_value), self.options.thousands
        self.decimal = decimal_mark(self.options)
        if len(set(self.names)) < len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise DataError(
                f"{self.path}: the column name {twice!r} occurs twice.\nGive each column a name of its own."
            )

    def sample(self, name: str) -> list[str]:
        """Return the first cells of a column as text, missing ones left out."""
        head = self.fetch([name]).slice(0, SAMPLE_ROWS) if self.head is None else self.head
        column = head.column(name)
        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            return []
        cells = [cell.strip() for cell in self._text(name, column).to_pylist() if cell is not None]
        return [cell for cell in cells if cell not in self.nulls and cell != "nan"]

    def read(self, text: Sequence[str], categories: Sequence[str], numbers: Sequence[str]) -> dict[str, Any]:
        """Return columns by name: text (or times) and categories as Arrow arrays, numbers as float64 arrays.

        Raises DataError with place, column and value for a number that cannot be read.
        """
        table = self.fetch([*text, *categories, *numbers] or [self.names[0]])
        columns: dict[str, Any] = {}
        for name in text:
            kind = table.column(name).type
            typed = pa.types.is_timestamp(kind) or pa.types.is_date(kind)
            columns[name] = table.column(name) if typed else self._text(name, table.column(name))
        for name in categories:
            columns[name] = self._text(name, table.column(name)).dictionary_encode()
        for name in numbers:
            columns[name] = numbers_of(self, name, self._number(name, table.column(name)))
        return columns

    def texts(self, name: str) -> Any:
        """Return one column as Arrow text."""
        return self._text(name, self.fetch([name]).column(name))

    def place(self, row: int) -> str:
        """Return file and 1-based row or line."""
        (number,) = self.lines([row])
        return f"{self.path}: row {number}" if self.unit == "row" else f"{self.path}:{number}"

    def lines(self, rows: Sequence[int]) -> list[str]:
        """Return the 1-based row or line of each of these rows."""
        return [str(row + 1 if self.numbers is None else self.numbers[row]) for row in rows]

    def keep(self, rows: Flags) -> "TypedTable":
        """Return the table without the rows that are not set."""
        kept, fetch = flag_array(rows), self.fetch
        numbers = np.flatnonzero(rows) + 1 if self.numbers is None else self.numbers[rows]
        return replace(self, head=None, fetch=lambda names: fetch(names).filter(kept), numbers=numbers)

    def _text(self, name: str, column: Any) -> Any:
        """Return a column as Arrow text. Raises DataError for a type that cannot be written as text."""
        try:
            return column.cast(pa.string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise DataError(
                f"{self.path}: column {name!r} holds neither text nor numbers nor times, but {column.type}.\n"
                "Write it as one of these, or name another column."
            ) from None

    def _number(self, name: str, column: Any) -> Any:
        """Return a column of numbers as Arrow doubles, where a NaN is missing; any other as Arrow text."""
        kind = column.type
        if pa.types.is_null(kind):
            return column.cast(pa.float64())
        if not (pa.types.is_decimal(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            return self._text(name, column)
        return number_array(floats_of(column.cast(pa.float64(), safe=False))[0])
