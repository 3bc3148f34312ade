"""The dialect of delimited text: delimiter, header and decimal mark, found out from the first records."""

import re
from collections import Counter
from dataclasses import dataclass

from forecast.errors import DataError
from forecast.options import ReadOptions
from forecast.tables.header import (
    Cells,
    Header,
    Line,
    column_cells,
    find_header,
    numbered,
    refuse_comment,
    refuse_data_as_header,
)
from forecast.tables.lines import first_spans, line_ends, sample_records
from forecast.tables.numerals import ungrouped
from forecast.tables.phrases import LEAST_ROWS

DELIMITERS = {";": "';'", "\t": "tab", "|": "'|'", ",": "','"}  # of two that cut equally well, the first
NULLS = ("", "NA", "N/A", "NaN", "null", "NULL", "None", "#N/A")
COMMA_NUMBER = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")
COMMA_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+")
WHOLE = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True)
class Dialect:
    """How the text is written, and its first rows."""

    delimiter: str
    decimal: str
    header: Header
    sample: Cells  # of the columns of the header, the first rows below it
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
    lines = _first_lines(name, text, delimiter)
    if delimiter == " " and "  " in lines[-1].text:
        raise DataError(
            f"{lines[-1].place}: several spaces separate columns.\nWrite one mark between them, such as a comma."
        )
    refuse_comment(lines[0], rows)
    header = numbered(rows) if options.no_header else find_header(lines, rows)
    if not options.no_header:
        rows = tuple(tuple(row[place] for place in header.places if place < len(row)) for row in rows[1:])
        spaced = sum(cell != cell.strip() for cell in records[0])
        notices += [f"spaces round {spaced} column name{'s' if spaced > 1 else ''} were removed"] if spaced else []
    nulls = {*NULLS, *options.null_value}
    decimal, found = decimal_mark(options), None
    if options.decimal is None and options.thousands not in (".", ",") and delimiter != ",":
        decimal, found = _decimal(name, header.names, rows, nulls)
    notices += [*header.notices, *([found] if found else [])]
    if not options.no_header:
        refuse_data_as_header(lines[0], header.names, rows, decimal, nulls)
    return Dialect(delimiter, decimal, header, rows, tuple(notices))


def decimal_mark(options: ReadOptions) -> str:
    """Return the decimal mark that the options name, or leave: what separates thousands is none."""
    return options.decimal or ("," if options.thousands == "." else ".")


def _first_lines(name: str, text: memoryview, delimiter: str) -> list[Line]:
    """Return the first two records of a text, or the only one."""
    return [
        Line(f"{name}:{1 + line_ends(bytes(text[:start]))}", bytes(text[start:end]).decode("utf-8", errors="replace"))
        for start, end in first_spans(text, delimiter, 2)
    ]


def _delimiter(text: memoryview) -> str:
    """Return the delimiter that cuts most of the first records into equally many fields; of several what cuts most."""
    scores = {}
    for delimiter in DELIMITERS:
        widths = Counter(len(record) for record in sample_records(text, delimiter, 100))
        usual, count = widths.most_common(1)[0]
        if usual > 1:
            scores[delimiter] = (count / widths.total(), usual)
    return max(scores, key=lambda delimiter: scores[delimiter], default=",")


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
