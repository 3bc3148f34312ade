"""Covariates that need more than their column: constants of a series, and rows of a second table that lie ahead."""

from dataclasses import replace

import numpy as np

from forecast.errors import DataError
from forecast.panels.panel import Floats, Integers, no_columns
from forecast.tables.phrases import short
from forecast.tables.rows import Rows
from forecast.tables.table import Table


def static_values(table: Table, names: tuple[str, ...], columns: list[Floats], rows: Rows) -> Floats:
    """Return the constant of each series: (series, names); NaN where a series has none.

    Raises DataError, with both lines, where a column changes within a series.
    """
    if not names:
        return no_columns()
    codes = rows.codes
    constants = np.full((len(rows.ids), len(names)), np.nan)
    for position, (name, column) in enumerate(zip(names, columns, strict=True)):
        there = np.flatnonzero(~np.isnan(column))
        constants[codes[there][::-1], position] = column[there][::-1]  # the first row of a series is written last
        wrong = there[column[there] != constants[codes[there], position]]
        if len(wrong):
            row = int(wrong[0])
            raise DataError(
                f"{table.place(row)}: static column {name!r} changes within series {short(rows.ids[codes[row]])}: "
                f"{column[row]:g}, and {constants[codes[row], position]:g} before.\nName it with --past or --future."
            )
    return constants


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
