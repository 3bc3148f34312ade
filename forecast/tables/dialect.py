"""The dialect of delimited text: delimiter, header and decimal mark, found out from the first records."""

import re
from collections import Counter
from dataclasses import dataclass

from forecast.errors import DataError
from forecast.options import ReadOptions
from forecast.tables.lines import first_spans, line_ends, sample_records
from forecast.tables.numerals import is_number, ungrouped
from forecast.tables.phrases import LEAST_ROWS, listed, short, typed

DELIMITERS = {";": "';'", "\t": "tab", "|": "'|'", ",": "','"}  # of two that cut equally well, the first
SEPARATOR = "sep="  # a line for spreadsheets
COMMENTS = ("#", "//", "%", SEPARATOR)
NULLS = ("", "NA", "N/A", "NaN", "null", "NULL", "None", "#N/A")
COMMA_NUMBER = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")
COMMA_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+")
WHOLE = re.compile(r"[+-]?[0-9]+")
DATE = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}([-/.][0-9]{1,4})?([T ].*)?")

Cells = tuple[tuple[str, ...], ...]  # rows of stripped cells


@dataclass(frozen=True)
class Dialect:
    """How the text is written, and its first rows."""

    delimiter: str
    decimal: str
    names: tuple[str, ...]  # of the columns, stripped, unique
    header: bool  # whether the first record holds the names
    sample: Cells  # the first rows, without the header
    notices: tuple[str, ...]


def find_dialect(name: str, text: memoryview, options: ReadOptions) -> Dialect:
    """Find out delimiter, names and decimal mark.

    Raises DataError for an empty file, a missing header, names that occur twice, and commas that could be decimal
    marks or thousands separators.
    """
    if not bytes(text[:4096]).strip() and not bytes(text).strip():
        raise DataError(f"{name}: the file is empty.\nGive a table with a header and at least {LEAST_ROWS} rows.")
    delimiter = options.delimiter or _delimiter(text)
    delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
    if len(delimiter.encode()) != 1 or delimiter in '"\r\n':
        raise DataError(f"{name}: --delimiter {delimiter!r} is no single character.\nUse one such as ',' or ';'.")
    notices = [] if delimiter == "," or options.delimiter else [f"delimiter: {DELIMITERS[delimiter]}"]
    records = sample_records(text, delimiter)
    rows = tuple(tuple(ungrouped(cell.strip(), options.thousands) for cell in record) for record in records)
    ((start, _),) = first_spans(text, delimiter, 1)
    place = f"{name}:{1 + line_ends(bytes(text[:start]))}"
    _refuse_comment(place, rows)
    if options.no_header:
        names = tuple(str(number) for number in range(1, len(rows[0]) + 1))
    else:
        _refuse_title(place, rows)
        names, rows = _names(place, rows[0]), rows[1:]
        spaced = sum(cell != cell.strip() for cell in records[0])
        notices += [f"spaces round {spaced} column name{'s' if spaced > 1 else ''} were removed"] if spaced else []
    nulls = {*NULLS, *options.null_value}
    decimal, found = decimal_mark(options), None
    if options.decimal is None and options.thousands not in (".", ",") and delimiter != ",":
        decimal, found = _decimal(name, names, rows, nulls)
    notices += [found] if found else []
    if not options.no_header:
        _refuse_data_as_header(place, names, rows, decimal, nulls)
    return Dialect(delimiter, decimal, names, not options.no_header, rows, tuple(notices))


def decimal_mark(options: ReadOptions) -> str:
    """Return the decimal mark that the options name, or leave: what separates thousands is none."""
    return options.decimal or ("," if options.thousands == "." else ".")


def column_cells(rows: Cells, position: int, nulls: set[str]) -> list[str]:
    """Return the cells of a column, missing ones left out."""
    return [row[position] for row in rows if position < len(row) and row[position] not in nulls]


def _delimiter(text: memoryview) -> str:
    """Return the delimiter that cuts most of the first records into equally many fields; of several what cuts most."""
    scores = {}
    for delimiter in DELIMITERS:
        widths = Counter(len(record) for record in sample_records(text, delimiter, 100))
        usual, count = widths.most_common(1)[0]
        if usual > 1:
            scores[delimiter] = (count / widths.total(), usual)
    return max(scores, key=lambda delimiter: scores[delimiter], default=",")


def _names(place: str, record: tuple[str, ...]) -> tuple[str, ...]:
    """Return the column names; a column without a name is called by its number."""
    names = tuple(cell or str(number) for number, cell in enumerate(record, 1))
    if len(set(names)) < len(names):
        twice = next(column for column in names if names.count(column) > 1)
        times = names.count(twice)
        raise DataError(
            f"{place}: the column name {twice!r} occurs {times} times.\nGive each column a name of its own."
        )
    return names


def _refuse_comment(place: str, rows: Cells) -> None:
    """Refuse a comment above the header, and the line that tells a spreadsheet the delimiter."""
    first = rows[0][0]
    mark = next((mark for mark in COMMENTS if first.startswith(mark)), None)
    if mark is None or len(rows) < 3:
        return
    # `#date,y` above rows of data is a header; above a line of names it is none.
    named = not any(map(_is_plain, rows[1]))
    if mark == SEPARATOR or len(rows[0]) < len(rows[-1]) or (named and any(map(_is_plain, rows[2]))):
        raise DataError(
            f"{place}: a comment stands where the header should be: {short(first)}.\n"
            f"Remove the line, or leave out lines that begin so with --comment {typed(mark)}."
        )


def _refuse_title(place: str, rows: Cells) -> None:
    """Refuse a first line of fewer or more cells than most rows below: a title, or a header that lacks names."""
    first, widths = rows[0], Counter(len(row) for row in rows[1:])
    usual, count = widths.most_common(1)[0] if widths else (len(first), 0)
    if len(first) != usual and 2 * count > len(rows) - 1:
        found = f"{len(first)} field{'s' if len(first) > 1 else ''}"
        mend = "Give each column a name; lines above the header can be left out with --comment."
        if len(first) == 1:
            begins = typed((re.findall(r"^\W*\w+", first[0]) or ["TEXT"])[0])
            mend = f"Remove the lines above the header, or leave them out with --comment {begins}."
        raise DataError(f"{place}: {found}, where the rows below have {usual}: {short(first[0])}.\n{mend}")


def _decimal(name: str, names: tuple[str, ...], rows: Cells, nulls: set[str]) -> tuple[str, str | None]:
    """Return the decimal mark, a comma where whole columns can only be read that way, and what to say about it."""
    unclear = None
    for position, column in enumerate(names):
        cells = column_cells(rows, position, nulls)
        commas = [cell for cell in cells if COMMA_NUMBER.fullmatch(cell)]
        if not commas or not all(COMMA_NUMBER.fullmatch(cell) or WHOLE.fullmatch(cell) for cell in cells):
            continue
        if not all(COMMA_THOUSANDS.fullmatch(cell) for cell in commas):
            return ",", f"decimal mark: ',' (column {column!r} holds {commas[0]!r})"
        unclear = unclear or (column, commas[0])
    if unclear:
        raise DataError(
            f"{name}: column {unclear[0]!r} holds {unclear[1]!r}: a decimal comma or a thousands separator.\n"
            "Say with --decimal ',' that it is the decimal mark, or with --thousands ',' that it separates thousands."
        )
    return ".", None


def _is_plain(cell: str) -> bool:
    """Say whether a cell is a number or a date, whatever its decimal mark."""
    return _looks_like_data(cell, ",") or _looks_like_data(cell, ".")


def _looks_like_data(cell: str, decimal: str) -> bool:
    """Say whether a cell is a number or a date, so hardly a name."""
    return is_number(cell, decimal) or bool(DATE.fullmatch(cell))


def _refuse_data_as_header(place: str, names: tuple[str, ...], rows: Cells, decimal: str, nulls: set[str]) -> None:
    """Refuse a first row that looks like all the others; 0..n-1 and 1..n are names of columns."""
    numbers = [str(number) for number in range(len(names) + 1)]
    if list(names) in (numbers[:-1], numbers[1:]):
        return
    alike = 0
    for position, column in enumerate(names):
        cells = column_cells(rows[:50], position, nulls)
        if cells and all(_looks_like_data(cell, decimal) for cell in cells):
            if column not in nulls and not _looks_like_data(column, decimal):
                return
            alike += 1
    if alike:
        raise DataError(
            f"{place}: there is no header: the first row holds {listed(names, 3)} like the rows below it.\n"
            "Add a header, or use --no-header: the columns are then named 1, 2, 3, ..."
        )
