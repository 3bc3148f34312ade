"""Covariates that need more than their column: text, constants of a series, rows of a second table that lie ahead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecast.errors import DataError
from forecast.panels.encoding import TRUTH, Encoding, Role, settle_encoding
from forecast.panels.panel import Floats, Integers, no_columns
from forecast.tables.arrow import codes_of, valid_of
from forecast.tables.phrases import and_more, listed, short
from forecast.tables.rows import Rows
from forecast.tables.table import Table


@dataclass(frozen=True, eq=False)
class Text:
    """A column that holds no numbers."""

    texts: tuple[str, ...]  # different ones, stripped, in order of first appearance
    codes: Integers  # (rows,) the text of each row; -1 where missing


Covariate = Floats | Text


def text_covariate(table: Table, column: Any) -> Text:
    """Return a dictionary column as its different texts; cells that mark a missing number are missing here too."""
    whole = column.unify_dictionaries()
    places: dict[str, int] = {}
    kept = []  # the place of each text of the dictionary
    for text in whole.chunk(0).dictionary.to_pylist():
        cell = (text or "").strip()
        kept.append(-1 if cell in table.nulls else places.setdefault(cell, len(places)))
    codes = np.where(valid_of(whole), codes_of(whole), len(kept))
    return Text(tuple(places), np.array([*kept, -1], dtype=np.int64)[codes])


def settle_encodings(covariates: Mapping[Role, Sequence[Covariate]]) -> tuple[Encoding, ...]:
    """Settle by the rows of a table how each covariate that holds text is encoded."""
    found = []
    for role, columns in covariates.items():
        for place, column in enumerate(columns):
            if isinstance(column, Text):
                counts = np.bincount(column.codes + 1, minlength=len(column.texts) + 1).tolist()
                found.append(settle_encoding(role, place, column.texts, counts[1:], counts[0]))
    return tuple(found)


def encode(columns: Sequence[Covariate], role: Role, encodings: Sequence[Encoding]) -> list[Floats]:
    """Return the numbers that stand for the covariates of a role: each (rows,), NaN where missing."""
    known = {encoding.place: encoding for encoding in encodings if encoding.role is role}
    found: list[Floats] = []
    for place, column in enumerate(columns):
        if isinstance(column, Text):
            found += list(known[place].rows(column.texts)[column.codes].T)
        else:
            found.append(column)
    return found


def encode_static(
    table: Table, names: tuple[str, ...], columns: Sequence[Covariate], rows: Rows, encodings: Sequence[Encoding]
) -> Floats:
    """Return the constants of each series as numbers: (series, columns); NaN where a series has none.

    Raises DataError, with both lines, where a column changes within a series.
    """
    if not names:
        return no_columns()
    constants: list[Covariate] = []
    for name, column in zip(names, columns, strict=True):
        if isinstance(column, Text):
            places = _constant(table, name, np.where(column.codes < 0, np.nan, column.codes), rows, column.texts)
            constants.append(Text(column.texts, np.nan_to_num(places, nan=-1).astype(np.int64)))
        else:
            constants.append(_constant(table, name, column, rows))
    return np.stack(encode(constants, Role.STATIC, encodings), axis=1)


def _constant(table: Table, name: str, column: Floats, rows: Rows, texts: Sequence[str] = ()) -> Floats:
    """Return what each series has in a column in all its rows: (series,); the numbers are places where texts are given.

    Raises DataError where it changes within a series.
    """
    codes = rows.codes
    constants = np.full(len(rows.ids), np.nan)
    there = np.flatnonzero(~np.isnan(column))
    constants[codes[there][::-1]] = column[there][::-1]  # the first row of a series is written last
    wrong = there[column[there] != constants[codes[there]]]
    if len(wrong):
        row = int(wrong[0])
        now, before = (
            short(texts[int(value)]) if texts else f"{value:g}" for value in (column[row], constants[codes[row]])
        )
        raise DataError(
            f"{table.place(row)}: static column {name!r} changes within series {short(rows.ids[codes[row]])}: "
            f"{now}, and {before} before.\nName it with --past or --future."
        )
    return constants


def note_unseen(table: Table, name: str, column: Covariate, encoding: Encoding) -> list[str]:
    """Say which values of a covariate training has not seen, and what they count as.

    Raises DataError for a truth value that is none.
    """
    assert isinstance(column, Text)
    unseen = encoding.unseen(column.texts)
    if not unseen:
        return []
    named = set(unseen)
    rows = np.flatnonzero(np.append([text in named for text in column.texts], False)[column.codes])
    if encoding.boolean:
        row = int(rows[0])
        raise DataError(
            f"{table.place(row)}: column {name!r} should be {' or '.join(TRUTH)}, but is "
            f"{short(column.texts[column.codes[row]])}{and_more(len(rows))}.\n"
            "Correct the cell, leave it empty to mark a missing value, or name it with --null-value."
        )
    hold = "row holds" if len(rows) == 1 else "rows hold"
    return [
        f"{table.path}: covariate {name!r}: {len(rows):,} {hold} what training has not seen, {listed(unseen, 5)}: "
        f"counted as {encoding.rest}"
    ]


def append_ahead(main: Rows, extra: Rows) -> tuple[Rows, int]:
    """Return the main rows with those of the --future-data table behind them, and how many ids of it were unknown.

    Where both tables have a row for one series and time, the main one stays, and takes the covariates it lacks.
    """
    known = {text: code for code, text in enumerate(main.ids)}
    codes = np.array([known.get(text, -1) for text in extra.ids], dtype=np.int32)[extra.codes]
    unknown = sum(text not in known for text in extra.ids)
    extra = replace(extra, ids=main.ids, codes=codes).take(np.flatnonzero(codes >= 0))
    moments = np.unique(np.concatenate([main.times, extra.times]))
    main_keys, extra_keys = (_keys(rows, moments) for rows in (main, extra))
    order = np.argsort(main_keys, kind="stable")
    found = np.searchsorted(main_keys[order], extra_keys)
    place = order[np.minimum(found, len(order) - 1)]
    both = main_keys[place] == extra_keys
    future = []
    for column, more in zip(main.future, extra.future, strict=True):
        filled = column.copy()
        filled[place[both]] = np.where(np.isnan(column[place[both]]), more[both], column[place[both]])
        future.append(filled)
    new = extra.take(np.flatnonzero(~both))
    empty = np.full(len(new.times), np.nan)
    return (
        replace(
            main,
            codes=np.concatenate([main.codes, new.codes]),
            times=np.concatenate([main.times, new.times]),
            rows=np.concatenate([main.rows, new.rows]),
            targets=[np.concatenate([column, empty]) for column in main.targets],
            past=[np.concatenate([column, empty]) for column in main.past],
            future=[np.concatenate([column, more]) for column, more in zip(future, new.future, strict=True)],
        ),
        unknown,
    )


def _keys(rows: Rows, moments: Integers) -> Integers:
    """Return one number for each series and time."""
    return rows.codes.astype(np.int64) * len(moments) + np.searchsorted(moments, rows.times)
