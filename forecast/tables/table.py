"""What a table is to the rest: columns on demand, and the place of every row for messages."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


class Table(Protocol):
    """What a door leads to: text, typed columns, or several of them as one; nothing in it changes after it is made."""

    path: str  # as messages name it: without passwords
    size: int  # bytes as stored
    sha256: str  # of these bytes
    names: tuple[str, ...]
    nulls: tuple[str, ...]  # cells that mark a missing number
    decimal: str
    thousands: str | None  # what separates thousands in numbers that are text
    delimiter: str | None  # None where there is none
    unit: str  # what `lines` names: line, row, or place where there are several files
    notices: tuple[str, ...]  # one line each

    def sample(self, name: str) -> list[str]:
        """Return the first cells of a column as text, stripped, missing ones left out."""

    def read(self, text: Sequence[str], categories: Sequence[str], numbers: Sequence[str]) -> dict[str, Any]:
        """Return columns by name: text (or typed times) and categories as Arrow arrays, numbers as float64 arrays.

        Raises DataError with place, column and value for a row or a number that cannot be read.
        """

    def texts(self, name: str) -> Any:
        """Return one column as Arrow text, as it stands in the file."""

    def place(self, row: int) -> str:
        """Return file and line (or row) of a row, 0 being the first below the header."""

    def lines(self, rows: Sequence[int]) -> list[str]:
        """Return the 1-based line (or row) of each of these rows, with its file where there are several."""

    def keep(self, rows: Flags) -> "Table":
        """Return the table without the rows that are not set: of their cells nothing is read, but for their places."""
