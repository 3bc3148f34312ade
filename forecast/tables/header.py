"""The header of delimited text: which columns there are, or a refusal of what stands in its place."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from forecast.errors import DataError
from forecast.tables.numerals import is_number
from forecast.tables.phrases import listed, short, typed

SEPARATOR = "sep="  # a line for spreadsheets
COMMENTS = ("#", "//", "%", SEPARATOR)
DATE = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}([-/.][0-9]{1,4})?([T ].*)?")
YEAR = re.compile(r"(1[6-9]|2[01])[0-9]{2}")
NEAR = 20  # rows in which a header below others, or rows unlike the one above, are looked for

Cells = tuple[tuple[str, ...], ...]  # rows of stripped cells


@dataclass(frozen=True)
class Line:
    """A line of a text, as messages show it."""

    place: str  # file and 1-based number
    text: str

    @property
    def mark(self) -> str:
        """What --comment takes to leave the line out, quoted for a shell."""
        begins = self.text.lstrip(" \t").removeprefix('"')
        found = re.match(r"\W*\w+", begins)
        return typed(found[0] if found else begins)


@dataclass(frozen=True)
class Header:
    """The columns of a text that are read."""

    names: tuple[str, ...]  # unique
    places: tuple[int, ...]  # which field of a record each of them is, rising
    width: int  # fields of a record
    notices: tuple[str, ...] = ()


def find_header(lines: Sequence[Line], rows: Cells) -> Header:
    """Return the columns that the first row names.

    lines: the first one or two of these rows as they stand in the file. Raises DataError for a title or a comment, for
    a second line of names or units, and for a name that occurs twice.
    """
    rows = (_completed(rows), *rows[1:])
    _refuse_title(lines[0], rows)
    if len(rows) > 2:
        _refuse_second(lines[1], rows)
    first, below = rows[0], rows[1:]
    out, notices = _left_out(first, below)
    places = tuple(place for place in range(len(first)) if place not in out)
    names = tuple(first[place] or str(place + 1) for place in places)
    if len(set(names)) < len(names):
        twice = next(column for column in names if names.count(column) > 1)
        raise DataError(
            f"{lines[0].place}: the column name {twice!r} occurs {names.count(twice)} times.\n"
            "Give each column a name of its own."
        )
    return Header(names, places, len(first), notices)


def numbered(rows: Cells) -> Header:
    """Return the columns of a text without a header: they are called by their numbers."""
    width = len(rows[0])
    return Header(tuple(str(number) for number in range(1, width + 1)), tuple(range(width)), width)


def refuse_comment(line: Line, rows: Cells) -> None:
    """Refuse a comment above the header, and the line that tells a spreadsheet the delimiter."""
    first = rows[0][0]
    mark = next((mark for mark in COMMENTS if first.startswith(mark)), None)
    if mark is None or len(rows) < 3:
        return
    # `#date,y` above rows of data is a header; above a line of names it is none.
    named = not any(map(_is_plain, rows[1]))
    if mark == SEPARATOR or len(rows[0]) < len(rows[-1]) or (named and any(map(_is_plain, rows[2]))):
        raise DataError(
            f"{line.place}: a comment stands where the header should be: {short(first)}.\n"
            f"Remove the line, or leave out lines that begin so with --comment {typed(mark)}."
        )


def refuse_data_as_header(line: Line, names: tuple[str, ...], rows: Cells, decimal: str, nulls: set[str]) -> None:
    """Refuse a first row that looks like all the others; 0..n-1, 1..n and years are names of columns."""
    numbers = [str(number) for number in range(len(names) + 1)]
    if list(names) in (numbers[:-1], numbers[1:]) or _are_years(names[-3:]):
        return
    alike = 0
    for position, column in enumerate(names):
        cells = column_cells(rows[:50], position, nulls)
        kinds = {_kind(cell, decimal) for cell in cells}
        if cells and "" not in kinds:
            if column not in nulls and _kind(column, decimal) not in kinds:
                return
            alike += 1
    if alike:
        raise DataError(
            f"{line.place}: there is no header: the first row holds {listed(names, 3)} like the rows below it.\n"
            "Add a header, or use --no-header: the columns are then named 1, 2, 3, ..."
        )


def column_cells(rows: Cells, position: int, nulls: set[str]) -> list[str]:
    """Return the cells of a column, missing ones left out."""
    return [row[position] for row in rows if position < len(row) and row[position] not in nulls]


def _completed(rows: Cells) -> tuple[str, ...]:
    """Return the first row with an empty name for each delimiter that only ends the lines below."""
    first, below = rows[0], rows[1:]
    usual = Counter(map(len, below)).most_common(1)[0][0] if below else 0
    more = usual - len(first)
    return first if more <= 0 or any(any(row[len(first) :]) for row in below) else (*first, *[""] * more)


def _refuse_title(line: Line, rows: Cells) -> None:
    """Refuse a first line of fewer or more cells than most rows below, or of one where names stand below.

    It is a title, or a header that lacks names.
    """
    first, widths = rows[0], Counter(len(row) for row in rows[1:])
    usual, count = widths.most_common(1)[0] if widths else (len(first), 0)
    mend = f"Remove the lines above the header, or leave them out with --comment {line.mark}."
    if len(first) != usual and 2 * count > len(rows) - 1:
        found = f"{len(first)} field{'s' if len(first) > 1 else ''}"
        if len(first) > 1:
            mend = "Give each column a name; lines above the header can be left out with --comment."
        raise DataError(f"{line.place}: {found}, where the rows below have {usual}: {short(first[0])}.\n{mend}")
    # Spreadsheets fill the line of a title up with delimiters.
    named = (row for row in rows[1:NEAR] if len(row) == len(first) and all(row) and not any(map(_is_plain, row)))
    if len(first) > 1 and not any(first[1:]) and any(named):
        found = f"a title stands where the header should be: {short(first[0])}" if first[0] else "the line has no names"
        raise DataError(f"{line.place}: {found}.\n{mend}")


def _refuse_second(line: Line, rows: Cells) -> None:
    """Refuse a second line that holds no data: units, or names below those of groups.

    None of its cells looks like one below it, and where it has a word there are numbers or dates below.
    """
    second, below = rows[1], rows[2:NEAR]
    if any(map(_is_plain, second)):
        return
    words = 0
    for place, cell in enumerate(second):
        cells = [row[place] for row in below if place < len(row) and row[place]]
        if _shape(cell) in map(_shape, cells) and any(map(str.isalnum, cell)):
            return
        words += bool(cell) and not any(map(str.isdigit, cell)) and 2 * sum(map(_is_plain, cells)) > len(cells)
    if words:
        found = listed([cell for cell in second if cell], 3)
        mend = f"Remove the line, or leave it out with --comment {line.mark}"
        raise DataError(
            f"{line.place}: names or units stand where the first row of data should be: {found}.\n"
            f"{mend}; where it is the true header, do so with the line above it."
        )


def _left_out(first: tuple[str, ...], below: Cells) -> tuple[set[int], tuple[str, ...]]:
    """Return the columns without a name that hold nothing, or that count the rows, and what to say about them."""
    cells = {place: column_cells(below, place, set()) for place, name in enumerate(first) if not name}
    empty = [place for place, column in cells.items() if below and not any(column)]
    numbers = [str(number) for number in range(len(below) + 1)]
    counts = [0] if len(below) > 1 and cells.get(0) in (numbers[:-1], numbers[1:]) else []
    shown = ", ".join(str(place + 1) for place in empty)
    noun = "columns" if len(empty) > 1 else "column"
    notices = [f"{noun} {shown} without a name and without values: left out"] if empty else []
    notices += ["column 1 has no name and counts the rows: left out"] * len(counts)
    return {*empty, *counts}, tuple(notices)


def _shape(cell: str) -> str:
    """Return a cell with a number in it with every word as a and every number as 9; any other as it is."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", cell)) if any(map(str.isdigit, cell)) else cell


def _are_years(names: Sequence[str]) -> bool:
    """Say whether names are three years that follow each other."""
    years = [int(name) for name in names if YEAR.fullmatch(name)]
    return len(years) == 3 and years == list(range(years[0], years[0] + 3))


def _is_plain(cell: str) -> bool:
    """Say whether a cell is a number or a date, whatever its decimal mark: data, and hardly a name."""
    return bool(_kind(cell, ",") or _kind(cell, "."))


def _kind(cell: str, decimal: str) -> str:
    """Say whether a cell is a number, a date or, with '', neither."""
    return "number" if is_number(cell, decimal) else "date" if DATE.fullmatch(cell) else ""
