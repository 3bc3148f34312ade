"""Records and lines of delimited text, exactly: where the fast reader refuses, this one says why and on which line.

A record may span lines (a quoted cell with a line break), and an empty line is no record, except in a table of one
column, where it is a missing value.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from forecast.errors import DataError
from forecast.panels.panel import Integers

QUOTE, LF, CR = ord('"'), ord("\n"), ord("\r")
CHUNK = 16 << 20
SAMPLE_BYTES, SAMPLE_ROWS, BLOCK_ROWS = 1 << 18, 500, 10_000


@dataclass(frozen=True)
class Layout:
    """What decides where a record ends."""

    delimiter: str
    quoted: bool  # whether the text holds any quote
    blanks: bool = False  # whether an empty line is a record


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive records of a text: all (records,)."""

    lines: Integers  # 1-based line on which each begins
    starts: Integers  # byte at which each begins
    ends: Integers  # byte after its last, without the line end
    fields: Integers  # -1 for a last record whose quote is never closed


def holds_quote(text: memoryview) -> bool:
    """Say whether a quote occurs, a chunk at a time."""
    data = np.frombuffer(text, dtype=np.uint8)
    return any(bool((data[start : start + CHUNK] == QUOTE).any()) for start in range(0, len(data), CHUNK))


def blocks_of(text: memoryview, layout: Layout) -> Iterator[Block]:
    """Yield all records of a text."""
    if not layout.quoted:
        yield from _plain_blocks(text, layout)
        return
    records = quoted_records(text, layout)
    while rows := list(islice(records, BLOCK_ROWS)):
        yield Block(*(np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)))


def _plain_blocks(text: memoryview, layout: Layout) -> Iterator[Block]:
    """Yield the records of a text without quotes, chunk by chunk; every chunk begins with a line."""
    data = np.frombuffer(text, dtype=np.uint8)
    line, begin, size = 1, 0, CHUNK
    while begin < len(data):
        piece, final = data[begin : begin + size], begin + size >= len(data)
        breaks = np.flatnonzero((piece == LF) | (piece == CR))
        following = data[np.minimum(begin + breaks + 1, len(data) - 1)]
        breaks = breaks[(piece[breaks] == LF) | (following != LF)]
        if not final and not len(breaks):
            size *= 2  # one line is longer than the chunk
            continue
        starts = np.append(0, breaks + 1)
        ends = np.append(breaks, len(piece))
        count = len(starts) if final and starts[-1] < len(piece) else len(starts) - 1
        starts, ends = starts[:count], ends[:count]
        # Of CR LF the line ends before the CR.
        ends = ends - ((ends < len(piece)) & (ends > starts) & (piece[np.maximum(ends - 1, 0)] == CR))
        delimiters = np.flatnonzero(piece == ord(layout.delimiter))
        fields = np.searchsorted(delimiters, ends) - np.searchsorted(delimiters, starts) + 1
        kept = (starts < ends) | layout.blanks
        yield Block((line + np.arange(count))[kept], begin + starts[kept], begin + ends[kept], fields[kept])
        line += count
        begin += len(piece) if final else int(breaks[-1]) + 1
        size = CHUNK


def quoted_records(text: memoryview, layout: Layout) -> Iterator[tuple[int, int, int, int]]:
    """Yield (first line, start, end, fields) of each record; a quote opens only a whole field.

    A quote that is never closed yields a last record with fields = -1.
    """
    data, mark = bytes(text), layout.delimiter.encode()
    stops = re.escape(mark)
    token = re.compile(
        rb'"(?:[^"]|"")*("|\Z)|[^' + stops + rb'\r\n"][^' + stops + rb"\r\n]*|" + stops + rb"|\r\n|\r|\n"
    )
    line = first = 1
    start = offset = 0
    fields, fresh = 1, True  # fresh: at the beginning of a field
    while offset < len(data):
        match = token.match(data, offset) if fresh or data[offset] != QUOTE else None
        if match is None:
            offset += 1  # a quote inside a field is text
            continue
        piece = match[0]
        if piece[0] == QUOTE and not match[1]:
            yield first, start, len(data), -1
            return
        if piece in (b"\n", b"\r", b"\r\n"):
            if offset > start or layout.blanks:
                yield first, start, offset, fields
            line += 1
            first, start, fields, fresh = line, match.end(), 1, True
        elif piece == mark:
            fields, fresh = fields + 1, True
        else:
            fresh = False
            line += line_ends(piece) if piece[0] == QUOTE else 0
        offset = match.end()
    if offset > start:
        yield first, start, offset, fields


def pieces_of(text: memoryview, layout: Layout, size: int) -> Iterator[memoryview]:
    """Yield a text in pieces of about so many bytes, each of whole records; its quotes must pair up."""
    data, begin = np.frombuffer(text, dtype=np.uint8), 0
    while begin < len(text):
        end = begin + size
        inside = bool(layout.quoted and np.count_nonzero(data[begin:end] == QUOTE) % 2)
        for mark in re.finditer(rb'"|\r\n?|\n', text[end:]):
            if mark[0] == b'"':
                inside = not inside
            elif not inside:
                end += mark.end()
                break
        else:
            end = len(text)
        yield text[begin:end]
        begin = end


def line_ends(piece: bytes) -> int:
    """Return the number of line ends, CR LF counted once."""
    return piece.count(b"\n") + piece.count(b"\r") - piece.count(b"\r\n")


def sample_records(text: memoryview, delimiter: str, most: int = SAMPLE_ROWS) -> list[list[str]]:
    """Return the cells of the first records that lie within 256 kB; the first record is always whole."""
    spans = first_spans(text, delimiter, most)
    return [cells_of(bytes(text[start:end]).decode("utf-8", errors="replace"), delimiter) for start, end in spans]


def first_spans(text: memoryview, delimiter: str, most: int) -> list[tuple[int, int]]:
    """Return where the first records within 256 kB begin and end; more is read until there is one."""
    size = SAMPLE_BYTES
    while True:
        piece = text[:size]
        spans = _spans(piece, Layout(delimiter, holds_quote(piece)), most + 1)
        # The last record of a piece may be cut in the middle: it counts only when the text ends there.
        spans = spans if len(spans) > most or size >= len(text) else spans[:-1]
        if spans or size >= len(text):
            return spans[:most]
        size *= 8


def _spans(text: memoryview, layout: Layout, most: int) -> list[tuple[int, int]]:
    """Return where the first records begin and end."""
    if layout.quoted:
        return [(start, end) for _, start, end, _ in islice(quoted_records(text, layout), most)]
    block = next(_plain_blocks(text, layout), None)
    return [] if block is None else list(zip(block.starts[:most].tolist(), block.ends[:most].tolist(), strict=True))


def cells_of(record: str, delimiter: str) -> list[str]:
    """Return the cells of one record, without the quotes round them."""
    if '"' not in record:
        return record.split(delimiter)
    stop = re.escape(delimiter)
    pattern = re.compile(rf'"((?:[^"]|"")*)"?([^{stop}]*)(?:{stop}|\Z)|([^{stop}]*)(?:{stop}|\Z)')
    cells, offset = [], 0
    while match := pattern.match(record, offset):
        cells.append(match[3] if match[1] is None else match[1].replace('""', '"') + match[2])
        if match.end() == len(record) and not record.endswith(delimiter):
            break
        if match.end() == offset:
            break
        offset = match.end()
    return cells


def lines_of(text: memoryview, layout: Layout, records: Integers) -> Integers:
    """Return the 1-based lines on which records (0 = the first of the text) begin."""
    found, seen = np.zeros(len(records), dtype=np.int64), 0
    for block in blocks_of(text, layout):
        inside = (records >= seen) & (records < seen + len(block.lines))
        found[inside] = block.lines[records[inside] - seen]
        seen += len(block.lines)
        if seen > records.max():
            break
    return found


def refuse_ragged(name: str, text: memoryview, layout: Layout, columns: int, first: int) -> None:
    """Raise DataError for the first record whose number of fields is not that of the header.

    first: the line of the file on which the text begins.
    """
    worst: tuple[int, int, int] | None = None
    count = 0
    for block in blocks_of(text, layout):
        wrong = np.flatnonzero(block.fields != columns)
        count += len(wrong)
        if len(wrong) and worst is None:
            worst = (int(block.lines[wrong[0]]), int(block.fields[wrong[0]]), int(block.ends[wrong[0]]))
    if worst is None:
        return
    line, fields, end = worst
    more = f" (and {count - 1:,} more lines)" if count > 1 else ""
    mend = (
        "Correct the line, or leave it out with --comment and its beginning; a cell that holds the delimiter must "
        "stand in double quotes."
    )
    if end == len(text) and fields < columns:
        mend = "Write the file again: its end seems to be missing."
    found = f"{fields} field{'s' if fields > 1 else ''}"
    raise DataError(f"{name}:{line + first - 1}: {found} instead of {columns}{more}.\n{mend}")
