"""The rows of a table by series and time: ids as codes, sorted, each time once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.errors import DataError
from forecast.panels.panel import Floats, Integers
from forecast.tables.arrow import codes_of, valid_of
from forecast.tables.phrases import and_more, short
from forecast.tables.table import Table

SHOWN = 5
Codes = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a table; `targets`, `past` and `future` are lists of columns, each (rows,), NaN where missing."""

    ids: tuple[str, ...]  # by code, in order of first appearance
    codes: Codes  # (rows,)
    times: Integers  # (rows,) as in Times.values
    rows: NDArray[np.signedinteger]  # (rows,) row in the file
    targets: list[Floats]
    past: list[Floats]
    future: list[Floats]

    def take(self, order: Integers) -> "Rows":
        """Return these rows, in this order."""
        return replace(
            self,
            codes=self.codes[order],
            times=self.times[order],
            rows=self.rows[order],
            targets=[column[order] for column in self.targets],
            past=[column[order] for column in self.past],
            future=[column[order] for column in self.future],
        )

    @property
    def same(self) -> NDArray[np.bool_]:
        """Say for each row but the last whether the next one is of the same series: (rows - 1,)."""
        return np.asarray(self.codes[1:] == self.codes[:-1])


def code_ids(table: Table, names: tuple[str, ...], columns: list[Any], count: int) -> tuple[tuple[str, ...], Codes]:
    """Return the ids, in order of first appearance, and the code of every row.

    Several id columns are joined with '/'. Raises DataError for an empty id, and for two composite ids that read alike.
    """
    if not names:
        return ("1",), np.zeros(count, dtype=np.int32)
    ids, codes = _codes(table, names[0], columns[0])
    parts = [(text,) for text in ids]
    for name, column in zip(names[1:], columns[1:], strict=True):
        more, other = _codes(table, name, column)
        pairs = codes.astype(np.int64) * len(more) + other
        unique, first, places = np.unique(pairs, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty(len(order), dtype=np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        codes = rank[places]
        parts = [(*parts[pair // len(more)], more[pair % len(more)]) for pair in unique[order].tolist()]
    joined = tuple("/".join(part) for part in parts)
    if len(set(joined)) < len(joined):
        twice = next(text for text in joined if joined.count(text) > 1)
        both = [part for part, text in zip(parts, joined, strict=True) if text == twice]
        raise DataError(
            f"{table.path}: two composite ids read the same, {twice!r}: {both[0]} and {both[1]}.\n"
            "Replace the '/' in the id columns, or name fewer columns with --id."
        )
    return joined, codes


def _codes(table: Table, name: str, column: Any) -> tuple[list[str], Codes]:
    """Return the different texts of one column, in order of first appearance, and the code of every row."""
    whole = column.unify_dictionaries()
    texts, codes = whole.chunk(0).dictionary.to_pylist(), codes_of(whole)
    empty = ~valid_of(whole) if whole.null_count else np.zeros(len(codes), dtype=bool)
    if "" in texts:
        empty |= codes == texts.index("")
    rows = np.flatnonzero(empty)
    if len(rows):
        place = table.place(int(rows[0]))
        raise DataError(f"{place}: column {name!r} is empty{and_more(len(rows))}.\nGive every row an id, or remove it.")
    odd = next((code for code, text in enumerate(texts) if "\0" in text), None)
    if odd is not None:
        place = table.place(int(np.argmax(codes == odd)))
        raise DataError(f"{place}: column {name!r} holds a NUL character: {short(texts[odd])}.\nRemove it.")
    return texts, codes


def sort_rows(rows: Rows, time: Sequence[str]) -> tuple[Rows, tuple[str, ...]]:
    """Return the rows by series and time, equal times in file order, and a notice where times did not rise."""
    if (rows.codes[1:] >= rows.codes[:-1]).all() and not (rows.same & (rows.times[1:] < rows.times[:-1])).any():
        return rows, ()
    order = _order(rows.codes, rows.times)
    ordered = rows.take(order)
    rose = not (ordered.same & (order[1:] < order[:-1])).any()
    return ordered, () if rose else (f"rows were not in the order of {' '.join(time)!r}: sorted",)


def _order(codes: Codes, times: Integers) -> Integers:
    """Return the rows by series and time, equal times in file order: (rows,)."""
    since = (times - times.min()).view(np.uint64)  # of 584 years in nanoseconds more than an int64 holds
    since //= max(np.gcd.reduce(since), np.uint64(1))
    widths = [int(greatest).bit_length() for greatest in (codes.max(), since.max(), len(times) - 1)]
    if sum(widths) > 64:
        return np.lexsort((times, codes))
    # Series, time and row as one number: sorting numbers takes a fifth of the time of sorting by two columns.
    keys = codes.astype(np.uint64)
    for part, width in zip((since, np.arange(len(times), dtype=np.uint64)), widths[1:], strict=True):
        keys <<= np.uint64(width)
        keys |= part
    keys.sort()
    keys &= np.uint64((1 << widths[2]) - 1)
    return keys.view(np.int64)


def refuse_duplicates(
    table: Table, rows: Rows, write: Callable[[int], str], names: Sequence[str], mend: Callable[[], str]
) -> None:
    """Refuse several rows of one series and time; the first five are listed, with their lines.

    rows: sorted; write: a time -> text; names: of the columns that must be unique together; mend: what can be done.
    """
    again = np.flatnonzero(rows.same & (rows.times[1:] == rows.times[:-1])) + 1
    if not len(again):
        return
    pairs = [(int(rows.rows[place - 1]), int(rows.rows[place])) for place in again[:SHOWN]]
    lines = table.lines([row for pair in pairs for row in pair])
    several = len(rows.ids) > 1
    shown = [
        (f"{short(rows.ids[rows.codes[place]])} " if several else "")
        + f"{write(int(rows.times[place]))} ({table.unit}s {lines[2 * index]} and {lines[2 * index + 1]})"
        for index, place in enumerate(again[:SHOWN])
    ]
    count = f"{len(again):,} rows repeat" if len(again) > 1 else "1 row repeats"
    more = f" and {len(again) - SHOWN:,} more" if len(again) > SHOWN else ""
    key = " and ".join(repr(name) for name in names)
    raise DataError(f"{table.path}: {count} the {key} of an earlier row: {', '.join(shown)}{more}.\n{mend()}")
