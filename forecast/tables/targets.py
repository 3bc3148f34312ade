"""Which columns hold numbers: the targets that nobody named, and the covariates that are text."""

from collections.abc import Sequence

from forecast.errors import DataError, ForecastError, MismatchError
from forecast.panels.encoding import TRUTH
from forecast.tables.numbers import is_disguised
from forecast.tables.numerals import is_number
from forecast.tables.phrases import how_to_name, listed
from forecast.tables.table import Table

TARGET_NAMES = ("y", "target", "value")


def wide_targets(table: Table, rest: Sequence[str]) -> tuple[str, ...]:
    """Return every numeric column; one without any value stays a series, whose forecast will be missing as well.

    A column such as 1,234.5 or 12% is one of them, and refused by whoever reads it: its series would not be missed.
    """
    found = tuple(name for name in rest if is_numeric(table, name, empty=True) or _means_numbers(table, name))
    if not found:
        raise DataError(
            f"{table.path}: no column is numeric; the columns are {listed(table.names)}.\n"
            "Give a table with a numeric column for each series."
        )
    return found


def find_target(table: Table, rest: Sequence[str], model: bool) -> str:
    """Return the target: one of the usual names, else the only numeric column.

    A column such as 1,234.5 or 12% is numeric too: another one must not be taken in its place.
    """
    kind: type[ForecastError] = MismatchError if model else DataError
    found = [name for name in TARGET_NAMES if name in rest][:1]
    found = found or [name for name in rest if is_numeric(table, name) or _means_numbers(table, name)]
    if not found:
        found = [name for name in rest if _is_disguised(table, name)]
        if len(found) != 1:
            nested = [name for name in rest if any(cell[0] in "{[" for cell in table.sample(name))]
            mend = f"{how_to_name(table, 'the column to forecast with --target')}."
            if nested:
                mend = f"Give each value within {listed(nested)} a column of its own."
            raise kind(f"{table.path}: no column is numeric; the columns are {listed(table.names)}.\n{mend}")
    if len(found) > 1:
        raise kind(
            f"{table.path}: several columns could be the target: {listed(found)}.\n"
            "Name one or several with --target, or say with --wide that each is a series."
        )
    return found[0]


def holds_text(table: Table, name: str) -> bool:
    """Say whether a covariate holds text or truth values: fewer than half of its first cells could mean a number.

    Cells such as - and ? say nothing of it: they mark missing numbers as often.
    """
    cells = [cell for cell in _cells(table, name) if any(character.isalnum() for character in cell)]
    return 2 * sum(is_number(cell, table.decimal) or is_disguised(cell) for cell in cells) < len(cells)


def is_numeric(table: Table, name: str, empty: bool = False) -> bool:
    """Say whether at least half of the first cells are numbers; where all are missing, of all cells, else `empty`.

    Half, not all: a column with one bad cell must be refused with its line, not passed over for another one.
    """
    cells = _cells(table, name)
    return 2 * sum(is_number(cell, table.decimal) for cell in cells) >= len(cells) if cells else empty


def _cells(table: Table, name: str) -> list[str]:
    """Return the first cells of a column; where all of those are missing, different cells of all its rows."""
    cells = table.sample(name)
    if not cells:
        different = [str(cell).strip() for cell in table.texts(name).unique().to_pylist() if cell is not None]
        cells = [cell for cell in different if cell not in table.nulls][:500]
    return cells


def _means_numbers(table: Table, name: str) -> bool:
    """Say whether most of the first cells are numbers that are not written plainly."""
    cells = table.sample(name)
    return 2 * sum(map(is_disguised, cells)) > len(cells)


def _is_disguised(table: Table, name: str) -> bool:
    """Say whether most of the first cells hold a digit or a truth value, so could mean numbers (1,234.5 or 12%).

    Such columns get a message about the cell, from whoever reads them.
    """
    cells = table.sample(name)
    meant = [any(character.isdigit() for character in cell) or cell.lower() in TRUTH for cell in cells]
    return 2 * sum(meant) > len(cells)
