"""Delimited text as columns: the fast reader for every row, the exact one to say on which line something is wrong."""

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from forecast.options import ReadOptions
from forecast.tables.arrow import flag_array
from forecast.tables.comments import without_comments
from forecast.tables.dialect import NULLS, find_dialect
from forecast.tables.header import column_cells
from forecast.tables.lines import (
    CR,
    LF,
    SAMPLE_ROWS,
    Layout,
    first_spans,
    holds_quote,
    line_ends,
    lines_of,
    pieces_of,
    refuse_ragged,
)
from forecast.tables.memory import refuse_beyond
from forecast.tables.numbers import numbers_of
from forecast.tables.quotes import check_quotes
from forecast.tables.source import Source
from forecast.tables.table import Flags

SMALL = 8 << 20  # bytes up to which one thread and one block are quickest and leanest
BLOCK = 8 << 20
PIECE = 64 << 20  # bytes read at once: cells take more memory than the columns that are made of them
TIMES = 4  # the size of a piece that reading it may take at most, in tables of usual cells
CATEGORIES = pa.dictionary(pa.int32(), pa.string())


class TextTable:
    """A delimited text whose columns are read on demand; nothing in it changes after it is made."""

    unit = "line"
    delimiter: str | None

    def __init__(self, source: Source, options: ReadOptions) -> None:
        """Find out the dialect. Raises DataError for text that is no table."""
        text = without_comments(source.data, options.comment)
        dialect = find_dialect(source.path, text, options)
        self.path, self.notices = source.path, source.notices + dialect.notices
        self.size, self.sha256 = source.size, source.sha256
        self.names, self.decimal, self.delimiter = dialect.header.names, dialect.decimal, dialect.delimiter
        self._places, self._width = dict(zip(self.names, dialect.header.places, strict=True)), dialect.header.width
        self.thousands = options.thousands
        self.nulls = (*NULLS, *options.null_value)
        self._sample = dialect.sample
        # Where lines are left out, an empty line is one of them.
        blanks = self._width == 1 and not options.comment
        self._layout = Layout(dialect.delimiter, holds_quote(text), blanks)
        paired = not self._layout.quoted or check_quotes(source.path, text, self._layout)
        self._piece = PIECE if paired else len(text)
        self._text, self._first = (text, 1) if options.no_header else self._body(text)
        self._kept: Flags | None = None  # of the records of the text; None: all of them

    def _body(self, text: memoryview) -> tuple[memoryview, int]:
        """Return the text below the header, and the line on which it begins."""
        ((_, end),) = first_spans(text, self._layout.delimiter, 1)  # empty lines above the header are no records
        rest = bytes(text[end : end + 2])
        end += 2 if rest == b"\r\n" else min(len(rest), 1)
        return text[end:], 1 + line_ends(bytes(text[:end]))

    def sample(self, name: str) -> list[str]:
        """Return the first cells of a column, stripped, missing ones left out."""
        if self._kept is not None:
            cells = [str(cell).strip() for cell in self.texts(name).slice(0, SAMPLE_ROWS).to_pylist()]
            return [cell for cell in cells if cell not in self.nulls]
        return column_cells(self._sample, self.names.index(name), set(self.nulls))

    def read(self, text: Sequence[str], categories: Sequence[str], numbers: Sequence[str]) -> dict[str, Any]:
        """Return columns by name: text and categories as Arrow arrays, numbers as float64 arrays (NaN where missing).

        Where there are categories text is read as such too: several series share their times.
        Raises DataError with line, column and value for a row or a number that cannot be read.
        """
        kinds = dict.fromkeys(text, CATEGORIES if categories else pa.string()) | dict.fromkeys(categories, CATEGORIES)
        try:
            table = self._parse(kinds | {name: pa.float64() for name in numbers})
        except pa.ArrowInvalid:
            table = self._parse_text(kinds | {name: pa.string() for name in numbers})
        columns: dict[str, Any] = {name: table.column(name) for name in kinds}
        for name in numbers:
            columns[name] = numbers_of(self, name, table.column(name))
        return columns

    def texts(self, name: str) -> Any:
        """Return one column as Arrow text, as it stands in the file."""
        return self._parse_text({name: pa.string()}).column(name)

    def place(self, row: int) -> str:
        """Return file and 1-based line of a row, 0 being the first below the header."""
        return f"{self.path}:{self.lines([row])[0]}"

    def lines(self, rows: Sequence[int]) -> list[str]:
        """Return the 1-based line of each of these rows."""
        records = np.array(rows, dtype=np.int64)
        records = records if self._kept is None else np.flatnonzero(self._kept)[records]
        found = lines_of(self._text, self._layout, records) + self._first - 1
        return [str(line) for line in found]

    def keep(self, rows: Flags) -> "TextTable":
        """Return the table without the rows that are not set; every row must still have its fields."""
        less = copy(self)
        less._kept = rows
        return less

    def _parse_text(self, kinds: dict[str, Any]) -> Any:
        """Return an Arrow table of columns of text. Raises DataError for a row of fewer or more fields."""
        try:
            return self._parse(kinds)
        except pa.ArrowInvalid:
            refuse_ragged(self.path, self._text, self._layout, self._width, self._first)
            raise

    def _parse(self, kinds: dict[str, Any]) -> Any:
        """Return an Arrow table of these columns in these types; of the first column where none is named."""
        kinds, text = kinds or {self.names[0]: pa.string()}, self._text
        while self._layout.blanks and len(text) and text[-1] in (CR, LF):
            text = text[:-1]  # an empty line is a missing value, except at the end of the file
        nothing = pa.table({name: pa.chunked_array([], kind) for name, kind in kinds.items()})
        pieces = filter(self._holds_records, pieces_of(text, self._layout, self._piece))
        table = pa.concat_tables([nothing, *(self._parse_piece(piece, kinds) for piece in pieces)])
        return table if self._kept is None else _without_unused(table.filter(flag_array(self._kept)))

    def _holds_records(self, piece: memoryview) -> bool:
        """Say whether there is more in a piece than empty lines that are no records: Arrow refuses one without."""
        return self._layout.blanks or bool(bytes(piece[:4096]).strip(b"\r\n") or bytes(piece).strip(b"\r\n"))

    def _parse_piece(self, piece: memoryview, kinds: dict[str, Any]) -> Any:
        """Return the records of a piece of the text as an Arrow table."""
        refuse_beyond(TIMES * len(piece))
        small = len(piece) <= SMALL
        places = {name: f"c{self._places[name]}" for name in kinds}
        table = pacsv.read_csv(
            pa.BufferReader(pa.py_buffer(piece)),
            read_options=pacsv.ReadOptions(
                column_names=[f"c{position}" for position in range(self._width)],
                use_threads=not small,
                block_size=len(piece) + 1 if small else BLOCK,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self._layout.delimiter,
                newlines_in_values=self._layout.quoted,
                ignore_empty_lines=not self._layout.blanks,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={places[name]: kind for name, kind in kinds.items()},
                include_columns=list(places.values()),
                null_values=list(self.nulls),
                strings_can_be_null=False,
                decimal_point=self.decimal,
            ),
        )
        return table.rename_columns(list(kinds))


def _without_unused(table: Any) -> Any:
    """Return a table whose categories are those of its rows, in order of first appearance."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(pa.string()).dictionary_encode())
    return table
