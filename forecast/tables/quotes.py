"""Quotes that do not pair up: they would swallow rows without a word."""

import re

import numpy as np

from forecast.errors import DataError
from forecast.tables.lines import CHUNK, CR, LF, QUOTE, Layout, line_ends, quoted_records
from forecast.tables.phrases import short


def check_quotes(name: str, text: memoryview, layout: Layout) -> bool:
    """Say whether quotes stand at the ends of fields alone.

    Raises DataError, with the opening line, for a quote that is not closed at the end of its field.

    In well-formed text every odd quote stands at the beginning of a field and every even one at its end. Where that
    does not hold, the exact scan decides: a quote inside an unquoted field (5" pipe) is text.
    """
    if _well_quoted(text, layout.delimiter):
        return True
    data, mark = bytes(text), layout.delimiter.encode()
    begins = rb"(?:\A|(?<=[\r\n" + re.escape(mark) + rb"]))"
    field = re.compile(begins + rb'"((?:[^"]|"")*)("|\Z)')
    for line, start, end, fields in quoted_records(text, layout):
        record = data[start:end]
        if QUOTE not in record:
            continue
        for match in field.finditer(record):
            opening = line + line_ends(record[: match.start()])
            after = record[match.end() : match.end() + 1]
            if not match[2] and fields < 0:
                raise DataError(
                    f"{name}:{opening}: a quote is opened and never closed.\nClose it, or write the file again."
                )
            if after and after not in (mark, b"\r", b"\n"):
                tail = re.split(rb"[\r\n]", record[match.end() :])[0].decode("utf-8", errors="replace")
                raise DataError(
                    f"{name}:{opening}: a quote is opened here and closed before {short(tail)}, within a field.\n"
                    "Close it at the end of its field, and write a quote inside a quoted field twice."
                )
    return False


def _well_quoted(text: memoryview, delimiter: str) -> bool:
    """Say whether the quotes alternate between the beginning and the end of a field, a chunk at a time."""
    data = np.frombuffer(text, dtype=np.uint8)
    allowed = np.zeros(256, dtype=bool)
    allowed[[QUOTE, ord(delimiter), LF, CR]] = True
    seen = 0
    for begin in range(0, len(data), CHUNK):
        places = np.flatnonzero(data[begin : begin + CHUNK] == QUOTE) + begin
        parity = (np.arange(len(places)) + seen) % 2
        seen += len(places)
        opens, closes = places[parity == 0], places[parity == 1]
        before, after = opens[opens > 0] - 1, closes[closes < len(data) - 1] + 1
        if not allowed[data[before]].all() or not allowed[data[after]].all():
            return False
    return seen % 2 == 0
