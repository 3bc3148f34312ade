"""Rows onto a regular grid: from sorted rows to the flat columns of a Panel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.errors import DataError
from forecast.panels.calendar import Calendar
from forecast.panels.panel import Floats, Integers, Panel, no_columns
from forecast.tables.axis import Axis
from forecast.tables.frequency import coarser
from forecast.tables.rows import Rows

MOST = 10  # steps of the grid for each row: one wrong year must not ask for a terabyte


@dataclass(frozen=True, eq=False)
class Grid:
    """Where each row stands on the regular axis of its series."""

    starts: Integers  # (series,) ordinal of the first step
    begins: Integers  # (series,) flat index of the first step
    sizes: Integers  # (series,) steps, rows ahead included
    flat: Integers | None  # (rows,) flat index of each row; None where rows and steps are the same

    @property
    def total(self) -> int:
        """Number of steps of all series."""
        return int(self.sizes.sum())

    def spread(self, column: Floats) -> Floats:
        """Return a column of the rows as a column of the steps, NaN between."""
        if self.flat is None:
            return column
        spread = np.full(self.total, np.nan)
        spread[self.flat] = column
        return spread


def lay_grid(axis: Axis, rows: Rows, ordinals: Integers, calendar: Calendar) -> Grid:
    """Return the grid of rows sorted by series and time, each time once.

    Raises DataError where the grid would have more than 10 steps for each row.
    """
    first = np.flatnonzero(np.append(True, ~rows.same))
    last = np.append(first[1:], len(ordinals)) - 1
    starts, sizes = ordinals[first], ordinals[last] - ordinals[first] + 1
    total = int(sizes.sum())
    if total > MOST * len(ordinals):
        widest = int(np.argmax(np.where(rows.same, np.diff(ordinals), 0)))
        before, after = calendar.render(ordinals[widest : widest + 2])
        coarse = coarser(calendar, at_least=0.9 * (calendar.period or 0) * total / len(ordinals))
        mend = f", or put rows together with --freq {coarse} --duplicates mean" if coarse else ""
        raise DataError(
            f"{axis.place(int(rows.rows[widest + 1]))}: column {axis.name!r} leaps from {before} to {after}: "
            f"steps of {calendar.freq} would be {total:,} for {len(ordinals):,} rows.\n"
            f"Correct the time{mend}."
        )
    begins = np.cumsum(sizes) - sizes
    if total == len(ordinals):
        return Grid(starts, begins, sizes, None)
    flat = ordinals + np.repeat(begins - starts, last - first + 1)
    return Grid(starts, begins, sizes, flat)


def visible_lengths(target: Floats, future: Floats, grid: Grid) -> Integers:
    """Return how many steps of each series are history; what follows the last observed target lies ahead.

    Only where future-known covariates go on after the last observed target: a series that merely ends with missing
    values keeps them. A series without any observed value has no rows ahead.
    """
    if not len(future):
        return grid.sizes
    position = np.arange(grid.total)
    last_target = _last(~np.isnan(target), position, grid.begins)
    last_future = _last(np.any(~np.isnan(future), axis=0), position, grid.begins)
    ahead = (last_target >= 0) & (last_future > last_target)
    return np.where(ahead, last_target - grid.begins + 1, grid.sizes)


def _last(flags: NDArray[np.bool_], position: Integers, begins: Integers) -> Integers:
    """Return the flat index of the last set flag of each series, -1 where none is set."""
    return np.maximum.reduceat(np.where(flags, position, -1), begins)


def long_panel(rows: Rows, grid: Grid, calendar: Calendar, names: tuple[str, ...], static: Floats) -> Panel:
    """Return the panel of a table whose targets are columns; `ids` of the rows are those of the grid, in order.

    names: of the targets. Where there are several, each target of an id is a series, with the covariates of the id.
    """
    if len(names) > 1:
        return _channels(rows, grid, calendar, names, static)
    target, future = grid.spread(rows.targets[0]), _stack(grid, rows.future)
    return Panel(
        ids=rows.ids,
        calendar=calendar,
        starts=grid.starts,
        begins=grid.begins,
        lengths=visible_lengths(target, future, grid),
        limits=grid.begins + grid.sizes,
        target=target,
        past=_stack(grid, rows.past),
        future=future,
        static=static,
    )


def _channels(rows: Rows, grid: Grid, calendar: Calendar, names: tuple[str, ...], static: Floats) -> Panel:
    """Return the panel of a table with several targets: id by id, target by target, all of an id equally long."""
    count, targets, future = len(names), _stack(grid, rows.targets), _stack(grid, rows.future)
    # What lies ahead begins after the last observed value of any target, so that an id has one origin for all of them.
    seen = np.where(np.isnan(targets).all(axis=0), np.nan, 0.0)
    sizes, channel = np.repeat(grid.sizes, count), np.tile(np.arange(count), len(grid.sizes))
    begins = np.cumsum(sizes) - sizes
    places = np.arange(grid.total * count) - np.repeat(begins - np.repeat(grid.begins, count), sizes)
    past = _stack(grid, rows.past)
    return Panel(
        ids=tuple(name for name in rows.ids for _ in names),
        calendar=calendar,
        starts=np.repeat(grid.starts, count),
        begins=begins,
        lengths=np.repeat(visible_lengths(seen, future, grid), count),
        limits=begins + sizes,
        target=targets[np.repeat(channel, sizes), places],
        past=past[:, places] if len(past) else past,
        future=future[:, places] if len(future) else future,
        static=np.repeat(static, count, axis=0) if static.size else static,
        targets=names,
        channel=channel,
    )


def wide_panel(rows: Rows, grid: Grid, calendar: Calendar, names: tuple[str, ...], static: Floats) -> Panel:
    """Return the panel of a table in which every target column is a series; covariates belong to all of them."""
    count, size = len(names), grid.total
    target = np.concatenate([grid.spread(column) for column in rows.targets])
    begins = np.arange(count, dtype=np.int64) * size
    whole = Grid(np.repeat(grid.starts, count), begins, np.full(count, size, dtype=np.int64), None)
    past, future = (np.tile(_stack(grid, columns), count) for columns in (rows.past, rows.future))
    return Panel(
        ids=names,
        calendar=calendar,
        starts=whole.starts,
        begins=begins,
        lengths=visible_lengths(target, future, whole),
        limits=begins + size,
        target=target,
        past=past if len(rows.past) else no_columns(),
        future=future if len(rows.future) else no_columns(),
        static=np.repeat(static, count, axis=0) if static.size else static,
    )


def _stack(grid: Grid, columns: list[Floats]) -> Floats:
    """Return columns on the grid: (columns, steps)."""
    return np.stack([grid.spread(column) for column in columns]) if columns else no_columns()
