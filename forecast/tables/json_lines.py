"""JSON lines as a table: an object per line, its values as the text that stands there.

A number stays as it is written, so that an id 1e5 or 007 is not turned into another one.
"""

import io
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa

from forecast.errors import DataError
from forecast.options import ReadOptions
from forecast.tables.arrow import text_columns
from forecast.tables.phrases import short
from forecast.tables.source import Source
from forecast.tables.typed import SAMPLE_ROWS, TypedTable

BLOCK_ROWS = 10_000
MEND = "Write each row as an object on a line of its own."


def json_table(source: Source, options: ReadOptions) -> TypedTable:
    """Read all lines; the columns are the names in all objects, and what an object lacks is missing.

    Raises DataError, with the line, for a line that is no object, and for a name that occurs twice in one.
    """
    blocks, numbers = [], []
    for lines in _blocks(source.data):
        blocks.append(_columns(source.path, lines))
        numbers += [number for number, _ in lines]
    table = pa.concat_tables(blocks, promote_options="default")
    return TypedTable(
        source.path,
        tuple(table.column_names),
        options,
        source.size,
        source.sha256,
        table.slice(0, SAMPLE_ROWS),
        table.select,
        source.notices,
        np.array(numbers, dtype=np.int64),
        "line",
    )


def _blocks(data: memoryview) -> Iterator[list[tuple[int, str]]]:
    """Yield the lines that are not empty, each with its 1-based number, many at a time; any line end will do."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
    lines = ((number, line.strip()) for number, line in enumerate(text, 1) if not line.isspace())
    while block := list(islice(lines, BLOCK_ROWS)):
        yield block


def _columns(path: str, lines: Sequence[tuple[int, str]]) -> Any:
    """Return the objects on these lines as an Arrow table of text."""
    # All lines in one go take a third of the time of one after the other.
    whole = all(line[0] == "{" and line[-1] == "}" for _, line in lines)
    try:
        rows = DECODER.decode(f"[{','.join(line for _, line in lines)}]") if whole else []
    except (ValueError, RecursionError):
        rows = []
    if len(rows) != len(lines):
        rows = [_row(path, number, line) for number, line in lines]
    if not all(rows):
        number = next(number for (number, _), row in zip(lines, rows, strict=True) if not row)
        raise DataError(f"{path}:{number}: the object is empty.\nGive it a time and a value, or remove the line.")
    names = dict.fromkeys(name for keys in dict.fromkeys(map(tuple, rows)) for name in keys)
    try:
        return text_columns({name: _texts([row.get(name) for row in rows]) for name in names})
    except UnicodeEncodeError:
        number = next(number for (number, _), row in zip(lines, rows, strict=True) if _is_broken(row))
        raise DataError(f"{path}:{number}: a text holds half a character (\\ud800 to \\udfff).\nCorrect it.") from None


def _row(path: str, number: int, line: str) -> dict[str, Any]:
    """Return the object on a line; DataError where there is none."""
    try:
        found = DECODER.decode(line)
    except json.JSONDecodeError as error:
        reason = error.msg.removesuffix(" starting at").removesuffix(" at")
        raise DataError(
            f"{path}:{number}: the line is no JSON object: {reason} at character {error.pos + 1}.\n{MEND}"
        ) from None
    except RecursionError:
        raise DataError(f"{path}:{number}: the line is nested too deeply.\n{MEND}") from None
    except ValueError as error:
        raise DataError(
            f"{path}:{number}: the name {short(error)} occurs twice in the object.\nGive each column a name of its own."
        ) from None
    if not isinstance(found, dict):
        raise DataError(f"{path}:{number}: the line is no JSON object, but {short(line)}.\n{MEND}")
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; ValueError with a name that occurs twice in it."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(next(name for name in names if names.count(name) > 1))
    return found


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=str)


def _texts(values: list[Any]) -> list[str | None]:
    """Return values as text, None for null; true, false, lists and objects as JSON writes them."""
    if all(value is None or isinstance(value, str) for value in values):
        return values
    return [value if value is None or isinstance(value, str) else _json(value) for value in values]


def _json(value: Any) -> str:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def _is_broken(row: dict[str, Any]) -> bool:
    """Tell whether an object holds text that cannot be encoded."""
    try:
        _json(row).encode()
    except UnicodeEncodeError:
        return True
    return False
