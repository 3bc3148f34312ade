"""A file becomes a Panel: the story of reading, step by step."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecast.errors import DataError, UsageError
from forecast.options import Duplicates, ReadOptions
from forecast.panels.calendar import Calendar
from forecast.panels.encoding import Encoding
from forecast.panels.frequencies import parse_frequency
from forecast.panels.holidays import holiday_days
from forecast.panels.panel import Panel
from forecast.panels.zones import rules_of
from forecast.tables.arrow import release_memory
from forecast.tables.axis import Axis
from forecast.tables.columns import NO_ID, NO_TIME, Roles, settle_columns
from forecast.tables.content import Content, Future, cut_rows, read_content, read_future, refuse_no_rows
from forecast.tables.covariates import append_ahead
from forecast.tables.doors import open_table, size_of
from forecast.tables.files import STDIN
from forecast.tables.frequency import find_calendar
from forecast.tables.grid import lay_grid, long_panel, wide_panel
from forecast.tables.joined import JoinedTable
from forecast.tables.memory import within_memory
from forecast.tables.moments import check_format
from forecast.tables.notes import note_covariates, note_encodings, note_numbers, note_panel, note_roles
from forecast.tables.phrases import LEAST_ROWS
from forecast.tables.repair import merge_rows, repair
from forecast.tables.repeated import mend_repeated
from forecast.tables.rows import Rows, refuse_duplicates, sort_rows
from forecast.tables.silence import note_silence
from forecast.tables.source import name_of
from forecast.tables.table import Table
from forecast.tables.times import Times
from forecast.urls import shown


@dataclass(frozen=True, eq=False)
class Reading:
    """A table as read: the panel, and everything about the file that a run must remember."""

    panel: Panel
    options: ReadOptions  # settled: what was found out is filled in, so that the next table is read the same way
    notices: tuple[str, ...]  # one line each
    source: dict[str, Any]  # path, bytes, sha256, rows, series, first, last: plain JSON values


def read_panel(
    path: str, options: ReadOptions, *, model: bool = False, encodings: tuple[Encoding, ...] = ()
) -> Reading:
    """Read a table into a panel.

    path: delimited text, Parquet or JSON lines, also compressed, told apart by content rather than by name; - is
        standard input; a folder of Parquet parts, a glob, or a URL of a remote file or of a database.
    model: the options are those of a trained model, so that columns or a frequency that do not fit are a mismatch;
    encodings: its covariates that are no numbers.
    Raises DataError for a table that cannot be opened, read or trusted, MismatchError for one that does not fit,
    ResourceError for one that needs more memory than is free.
    """
    if path == options.future_data == STDIN:
        raise UsageError("both tables cannot come from standard input.\nName a file for one of them.")
    _refuse_unknown(options, model)
    with within_memory(name_of(path), size_of(path)):
        return _read(path, options, model, encodings)


def _read(path: str, options: ReadOptions, model: bool, encodings: tuple[Encoding, ...]) -> Reading:
    """Read a table into a panel, see `read_panel`."""
    table = open_table(path, options)
    refuse_no_rows(table, 1 if model else LEAST_ROWS)
    if options.as_of is not None:
        table = _cut(table, options, model, encodings)
    roles = settle_columns(table, options, model, encodings)
    content = read_content(table, roles, options, encodings if model else None)
    notices = [*table.notices, *content.times.notices, *note_roles(roles, options, model), *content.notices]
    notices += [] if model else note_encodings(roles, content.encodings)
    future = None
    if options.future_data is not None:
        future_table = open_table(options.future_data, replace(options, query=None))
        future = read_future(future_table, roles, options, content, model)
        notices += future.notices
    release_memory()
    count, newest = len(content.rows.rows), _newest_by_file(table, content)
    rows, found = _in_order(table, content, future, roles, options, model)
    # From here on rows are in order, and what was read is let go.
    content = replace(content, rows=rows, times=replace(content.times, values=rows.times))
    axis = _axis(table, content, count, future, roles)
    calendar, ordinals = find_calendar(axis, options, model)
    rows, ordinals, merged = _merge(rows, ordinals, options)
    grid = lay_grid(axis, rows, ordinals, calendar)
    lay = wide_panel if options.wide else long_panel
    panel = replace(lay(rows, grid, calendar, roles.targets, content.static), encodings=content.encodings)
    panel, left_out = _last_steps(panel, options)
    _refuse_empty(table, panel, roles, options, model)
    # How many of the last steps have no row is not counted.
    without_row = grid.total - len(rows.times) if options.last is None else 0
    panel, gaps = repair(table.path, panel, options.fill or "mask", without_row)
    notices += [
        *found,
        *merged,
        *left_out,
        *gaps,
        *(note_silence(panel, model) if gaps else []),
        *note_numbers(panel),
        *note_covariates(panel, roles),
        *note_panel(panel, options),
    ]
    settled = _settled(options, roles, content.times, table, calendar)
    return Reading(panel, settled, tuple(notices), _described(path, options, table, count, panel) | newest)


def output_names(options: ReadOptions) -> tuple[str, str]:
    """Return the names of the id and the time column in outputs: the table's own, where there is one of each."""
    has_id = len(options.id) == 1 and options.id != NO_ID and not options.wide
    has_time = len(options.time) == 1 and options.time != NO_TIME
    return options.id[0] if has_id else "unique_id", options.time[0] if has_time else "ds"


def _refuse_unknown(options: ReadOptions, model: bool) -> None:
    """Refuse a frequency, a zone or a country of holidays that nobody knows, before anything is read."""
    if options.freq is not None:
        parse_frequency(options.freq)
    if options.tz is not None:
        rules_of(options.tz)
    if options.date_format is not None:
        check_format(options.date_format)
    if options.holidays is not None and not model:  # a model knows the days
        holiday_days(options.holidays, 2020, 2020)


def _refuse_empty(table: Table, panel: Panel, roles: Roles, options: ReadOptions, model: bool) -> None:
    """Refuse a table without any value to forecast from; to train on, every target needs some."""
    missing = np.isnan(panel.target)
    if options.wide:
        found = ["no numeric column"] if missing.all() else []
    else:
        empty = [missing.all()]
        if panel.targets:
            steps = np.repeat(panel.channel, panel.limits - panel.begins)  # the channel of each step
            empty = [missing[steps == k].all() for k in range(len(panel.targets))]
        names = [name for name, without in zip(roles.targets, empty, strict=True) if without]
        # A model forecasts the targets that have values; the others are skipped, and marked.
        found = [f"column {names[0]!r}, the target, never"] if names and (not model or all(empty)) else []
    if found:
        mend = "Give a table with values." if options.wide else "Name another column with --target."
        raise DataError(f"{table.path}: {found[0]} holds a number, only missing values.\n{mend}")


def _in_order(
    table: Table, content: Content, future: Future | None, roles: Roles, options: ReadOptions, model: bool
) -> tuple[Rows, list[str]]:
    """Return the rows of both tables by series and time, and what was noticed; refuse those that repeat another."""
    write = content.times.write
    rows, found = sort_rows(content.rows, roles.time)
    notices = [*found]
    if options.duplicates in (None, Duplicates.ERROR):
        refuse_duplicates(table, rows, write, roles.key, lambda: mend_repeated(table, roles, options, rows, model))
    if future is not None:
        ordered, _ = sort_rows(future.rows, roles.time)
        refuse_duplicates(future.table, ordered, write, roles.key, lambda: "Keep one row for each.")
        rows, unknown = append_ahead(content.rows, future.rows)
        rows, _ = sort_rows(rows, roles.time)
        if unknown:
            notices.append(f"{future.table.path}: {unknown:,} series that the data does not have were left out")
    return rows, notices


def _axis(table: Table, content: Content, count: int, future: Future | None, roles: Roles) -> Axis:
    """Return the time axis of all rows; from number `count` on they stand in --future-data."""
    rows = content.rows

    def place(row: int) -> str:
        return table.place(row) if future is None or row < count else future.table.place(row - count)

    return Axis(place, table.path, " ".join(roles.time) or "step", content.times, rows.times, rows.rows, rows.same)


def _merge(rows: Rows, ordinals: Any, options: ReadOptions) -> tuple[Rows, Any, list[str]]:
    """Put rows of one series and step together."""
    new = np.append(True, ~(rows.same & (np.diff(ordinals) == 0)))
    if new.all():
        return rows, ordinals, []
    policy, starts = Duplicates(options.duplicates or "error"), np.flatnonzero(new)
    columns = [*rows.targets, *rows.past, *rows.future]
    merged = merge_rows(columns, starts, policy, len(rows.targets))
    kept = replace(
        rows,
        codes=rows.codes[starts],
        times=rows.times[starts],
        rows=rows.rows[starts],
        targets=merged[: len(rows.targets)],
        past=merged[len(rows.targets) : len(merged) - len(rows.future)],
        future=merged[len(merged) - len(rows.future) :],
    )
    notice = f"{len(new) - len(starts):,} rows were put together with another one of the same step ({policy})"
    return kept, ordinals[starts], [notice]


def _settled(options: ReadOptions, roles: Roles, times: Times, table: Table, calendar: Calendar) -> ReadOptions:
    """Return the options with what was found out filled in; what belongs to one run is left out."""
    return replace(
        options,
        id=NO_ID if options.id == NO_ID else roles.id,
        time=roles.time or NO_TIME,
        target=() if options.wide else roles.targets,
        future_data=None,
        query=None,
        as_of=None,
        last=None,
        freq=calendar.freq,
        tz=calendar.tz or None,
        date_format=times.date_format,
        delimiter=table.delimiter or options.delimiter,
        decimal=table.decimal if table.delimiter else options.decimal,  # each of several kinds of files has its own
        fill=options.fill or "mask",
        duplicates=Duplicates(options.duplicates or "error"),
    )


def _cut(table: Table, options: ReadOptions, model: bool, encodings: tuple[Encoding, ...]) -> Table:
    """Return the table without the rows after --as-of; the columns are then found without them."""
    if options.time and options.tz is None and set(options.time) <= set(table.names):
        return cut_rows(table, Roles((), options.time, (), (), (), ()), options)
    return cut_rows(table, settle_columns(table, options, model, encodings), options)


def _last_steps(panel: Panel, options: ReadOptions) -> tuple[Panel, list[str]]:
    """Return the panel without the steps that --last leaves out, and a notice that counts them.

    All rows have been read: earlier ones still say what the frequency is, and which values a text has.
    """
    if options.last is None:
        return panel, []
    cut = panel.last_steps(options.last)
    count = int(panel.lengths.sum() - cut.lengths.sum())
    return cut, [f"{count:,} steps before the last {options.last:,} of their series were left out"] if count else []


def _newest_by_file(table: Table, content: Content) -> dict[str, Any]:
    """Return the time of the newest value in each file, where there are several, the newest file first."""
    if not isinstance(table, JoinedTable):
        return {}
    seen = np.zeros(len(content.times.values), dtype=bool)
    for column in content.rows.targets:
        seen |= ~np.isnan(column)
    latest = table.latest(content.times.values, seen)
    order = sorted(latest, key=lambda path: latest[path], reverse=True)
    return {"newest": {path: content.times.write(latest[path]) for path in order}}


def _described(path: str, options: ReadOptions, table: Table, count: int, panel: Panel) -> dict[str, Any]:
    """Return what a run record says about the input."""
    first, last = panel.calendar.render(np.array([panel.starts.min(), panel.last.max()]))
    return {
        "path": shown(path),
        "bytes": table.size,
        "sha256": table.sha256,
        "rows": count,
        "series": len(panel),
        "first": first,
        "last": last,
        **({} if options.as_of is None else {"as_of": options.as_of}),
        **({} if options.last is None else {"last_steps": options.last}),
    }
