"""Several files of the same columns as one table: the rows of the first, then those of the next."""

from collections.abc import Sequence
from copy import copy
from hashlib import sha256
from typing import Any

import numpy as np

from forecast.errors import DataError
from forecast.panels.panel import Integers
from forecast.tables.arrow import joined_columns
from forecast.tables.phrases import listed
from forecast.tables.table import Flags, Table

SAMPLED = 10  # files: enough to tell what a column holds


class JoinedTable:
    """Tables one below the other, see `Table`; every message names the file."""

    unit = "place"

    def __init__(self, path: str, tables: Sequence[Table]) -> None:
        """Refuse tables whose columns differ. Raises DataError."""
        first = tables[0]
        for table in tables[1:]:
            _refuse_other_columns(first, table)
        self.path, self.names, self.nulls, self.thousands = path, first.names, first.nulls, first.thousands
        delimiters = {table.delimiter for table in tables}
        self.delimiter = first.delimiter if len(delimiters) == 1 else None
        self.decimal = "," if any(table.decimal == "," for table in tables) else "."
        self.size = sum(table.size for table in tables)
        self.sha256 = sha256("".join(table.sha256 for table in tables).encode()).hexdigest()
        said = dict.fromkeys(notice for table in tables for notice in table.notices)
        self.notices = (f"{path}: {len(tables):,} files, read as one table", *said)
        self._tables = tuple(tables)
        self._counts: list[int] | None = None  # of rows, once they have been read

    def sample(self, name: str) -> list[str]:
        """Return the first cells of a column in the first files."""
        return [cell for table in self._tables[:SAMPLED] for cell in table.sample(name)]

    def read(self, text: Sequence[str], categories: Sequence[str], numbers: Sequence[str]) -> dict[str, Any]:
        """Return columns by name, see `Table`."""
        parts = [table.read(text, categories, numbers) for table in self._tables]
        self._counts = [len(next(iter(part.values()))) for part in parts]
        joined = {name: joined_columns([part[name] for part in parts]) for name in (*text, *categories)}
        return joined | {name: np.concatenate([part[name] for part in parts]) for name in numbers}

    def texts(self, name: str) -> Any:
        """Return one column as Arrow text."""
        return joined_columns([table.texts(name) for table in self._tables])

    def place(self, row: int) -> str:
        """Return file and line (or row) of a row."""
        table, within = self._find(row)
        return table.place(within)

    def lines(self, rows: Sequence[int]) -> list[str]:
        """Return file and line (or row) of each of these rows."""
        return [self.place(row) for row in rows]

    def _find(self, row: int) -> tuple[Table, int]:
        """Return the file of a row, and its row there."""
        ends = self._ends()
        number = int(np.searchsorted(ends, row, side="right"))
        return self._tables[number], row - int(ends[number - 1] if number else 0)

    def keep(self, rows: Flags) -> "JoinedTable":
        """Return the table without the rows that are not set, and without the files that have none of the others."""
        flags = np.split(rows, self._ends()[:-1])
        less = copy(self)
        less._tables = tuple(table.keep(own) for table, own in zip(self._tables, flags, strict=True) if own.any())
        less._counts = None
        return less

    def latest(self, times: Integers, seen: Flags) -> dict[str, int]:
        """Return the largest time of each file, by its name, over the rows where `seen` is set: both (rows,)."""
        spans = zip(*(np.split(column, self._ends()[:-1]) for column in (times, seen)), strict=True)
        return {
            table.path: int(own[there].max())
            for table, (own, there) in zip(self._tables, spans, strict=True)
            if there.any()
        }

    def _ends(self) -> Integers:
        """Return how many rows there are up to the end of each file."""
        counts = self._counts or [len(table.texts(table.names[0])) for table in self._tables]
        return np.cumsum(counts, dtype=np.int64)


def _refuse_other_columns(first: Table, other: Table) -> None:
    """Refuse a file that lacks a column of the first one, or has one more. Raises DataError."""
    missing = [name for name in first.names if name not in other.names]
    extra = [name for name in other.names if name not in first.names]
    if missing or extra:
        found = [f"without {listed(missing)}"] if missing else []
        found += [f"with {listed(extra)}"] if extra else []
        raise DataError(
            f"{other.path}: its columns are not those of {first.path}: {' and '.join(found)}.\n"
            "Name files of the same columns."
        )
