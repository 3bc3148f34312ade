"""The columns of a table in memory: ids as codes, times as numbers, values as floats."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecast.errors import DataError
from forecast.options import ReadOptions
from forecast.panels.encoding import Encoding, Role
from forecast.panels.panel import Floats
from forecast.panels.present import written
from forecast.tables.arrow import release_memory
from forecast.tables.columns import Roles, refuse_missing, refuse_retyped
from forecast.tables.covariates import encode, encode_static, note_unseen, settle_encodings, text_covariate
from forecast.tables.phrases import listed
from forecast.tables.rows import Rows, code_ids
from forecast.tables.table import Table
from forecast.tables.timeparts import combine_times
from forecast.tables.times import Times, read_times, zone_of
from forecast.tables.zoned import in_zone


@dataclass(frozen=True, eq=False)
class Content:
    """The rows of a table in the order of the file."""

    rows: Rows
    times: Times
    static: Floats  # (series, static covariates)
    encodings: tuple[Encoding, ...]
    notices: tuple[str, ...]  # one line each: values that training has not seen


@dataclass(frozen=True, eq=False)
class Future:
    """The rows of a --future-data table; targets and past covariates are missing."""

    table: Table
    rows: Rows
    notices: tuple[str, ...]


def refuse_no_rows(table: Table, least: int) -> None:
    """Refuse a table that is a header and nothing else; `least` is how many rows it should have."""
    if not any(map(table.sample, table.names)) and not len(table.texts(table.names[0])):
        raise DataError(
            f"{table.path}: there is a header ({listed(table.names, 5)}) and no row below it.\n"
            f"Add rows: at least {least} {'is' if least == 1 else 'are'} needed."
        )


def read_content(
    table: Table, roles: Roles, options: ReadOptions, encodings: tuple[Encoding, ...] | None = None
) -> Content:
    """Read the columns that play a role, all rows of them. Raises DataError for the first cell that cannot be read.

    encodings: those that a model has settled; None settles them, and the zone of typed times, by this table.
    """
    columns = table.read(roles.time, (*roles.id, *roles.texts), roles.numbers)
    release_memory()  # of what reading took beside the columns
    count = len(next(iter(columns.values())))
    # Columns are let go once they are understood: together they may take more memory than what is kept of them.
    ids, codes = code_ids(table, roles.id, [columns.pop(name) for name in roles.id], count)
    if options.tz is None and encodings is None and len(roles.time) == 1:
        options = replace(options, tz=zone_of(columns[roles.time[0]]))
    times = _times(table, roles, columns, codes, options)
    if options.tz is not None:
        times = in_zone(table, roles.time, times, codes, options.tz)
    targets = [columns[name] for name in roles.targets]
    covariates = {
        role: [text_covariate(table, columns[name]) if name in roles.texts else columns[name] for name in names]
        for role, names in roles.covariates.items()
    }
    encodings = settle_encodings(covariates) if encodings is None else encodings
    past, future = (encode(covariates[role], role, encodings) for role in (Role.PAST, Role.FUTURE))
    numbers = np.arange(count, dtype=np.min_scalar_type(-count))
    rows = Rows(ids, codes, times.values, numbers, targets, past, future)
    static = encode_static(table, roles.static, covariates[Role.STATIC], rows, encodings)
    unseen = [
        notice
        for one in encodings
        for notice in note_unseen(table, roles.covariates[one.role][one.place], covariates[one.role][one.place], one)
    ]
    return Content(rows, times, static, encodings, tuple(unseen))


def cut_rows(table: Table, roles: Roles, options: ReadOptions) -> Table:
    """Return the table without the rows after --as-of. Raises DataError where none is left.

    Ids are read only where they say what time a row has: those of the rows that are left out are not looked at.
    """
    needed = roles.id if not roles.time or options.tz else ()
    columns = table.read(roles.time, needed, ())
    count = len(table.texts(table.names[0])) if not columns else len(next(iter(columns.values())))
    _, codes = code_ids(table, needed, [columns.pop(name) for name in needed], count)
    times = _times(table, roles, columns, codes, options)
    if options.tz is not None:
        times = in_zone(table, roles.time, times, codes, options.tz)
    kept = times.values <= written(times.calendar, str(options.as_of), "--as-of")
    if not kept.any():
        raise DataError(
            f"{table.path}: no row is left up to --as-of {options.as_of}; the first is of "
            f"{times.write(int(times.values.min()))}.\nName a later time."
        )
    return table if kept.all() else table.keep(kept)


def read_future(table: Table, roles: Roles, options: ReadOptions, main: Content, model: bool = False) -> Future:
    """Read a --future-data table: the same ids and times, and the future-known covariates.

    Raises DataError (MismatchError where a model says what they are) for a column that it lacks, and DataError for
    times of another kind.
    """
    if not roles.future:
        raise DataError(f"{table.path}: no column is named with --future.\nName the covariates that are known ahead.")
    refuse_missing(table, (*roles.key, *roles.future), model)
    ahead = replace(roles, targets=(), past=(), static=())
    encodings = tuple(one for one in main.encodings if one.role is Role.FUTURE)
    ahead = replace(ahead, texts=tuple(roles.future[one.place] for one in encodings))
    if model:
        refuse_retyped(table, ahead, encodings)
    content = read_content(table, ahead, replace(options, tz=main.times.tz or None), encodings)
    rows, times = content.rows, content.times
    kinds = [(one.are_steps, one.elapsed, one.tz or one.zone) for one in (times, main.times)]
    if kinds[0] != kinds[1]:
        raise DataError(
            f"{table.path}: its times are not of the same kind, or not in the same zone, as those of the data.\n"
            "Write the times of both tables in the same way."
        )
    if not roles.time:
        # Steps go on where those of the data end.
        counts = np.bincount(main.rows.codes, minlength=len(main.rows.ids))
        ends = dict(zip(main.rows.ids, counts.tolist(), strict=True))
        rows = replace(rows, times=rows.times + np.array([ends.get(text, 0) for text in rows.ids])[rows.codes])
    missing = np.full(len(rows.times), np.nan)
    rows = replace(rows, targets=[missing] * len(roles.targets), past=[missing] * len(main.rows.past))
    return Future(table, rows, content.notices)


def _times(table: Table, roles: Roles, columns: dict[str, Any], codes: Any, options: ReadOptions) -> Times:
    """Return the time of every row, and take its columns out of `columns`."""
    if not roles.time:
        return Times(_steps(codes), "step")
    if len(roles.time) > 1:
        parts = [columns.pop(name) for name in roles.time]
        return combine_times(table, roles.time, parts, options.date_format, options.tz)
    return read_times(table, roles.time[0], columns.pop(roles.time[0]), options.date_format, options.tz)


def _steps(codes: Any) -> Any:
    """Return 1, 2, ... for the rows of each series, in the order of the file."""
    order, counts = np.argsort(codes, kind="stable"), np.bincount(codes)
    steps = np.empty(len(codes), dtype=np.int64)
    steps[order] = np.arange(1, len(codes) + 1) - np.repeat(np.cumsum(counts) - counts, counts)
    return steps
