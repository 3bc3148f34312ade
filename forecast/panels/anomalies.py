"""What stands out in a series: single values that fit neither their neighbours nor their season, and lasting shifts.

Both rules compare a series with itself, by quantiles alone: no unit, no normal distribution, and nothing that one bad
value could move. They are made to say little: what is reported should be worth a look.

An outlier lies on one side of all of these, and far from each: the median of the 3 values before it, of the 3 after
it, and, for each season, of the 4 values one and two seasons before and after. Far: FAR times what 9 of 10 values of
the series depart from theirs. (The two sides apart, since a step or a slope is no outlier; neighbours and season, since
a regular peak departs from its neighbours, and a holiday from its season.)

A level shift is a change between the median of three blocks' means and that of the next three which is more than
UNUSUAL times the median of all such changes, and more than the standard deviation within blocks. A block is of whole
seasons and a fiftieth of the series or more, so a shift lasts. (A trend, a yearly cycle and a random walk, where every
change is as large, have none.)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.panels.blocks import blocks
from forecast.panels.panel import Floats, Integers, Panel
from forecast.panels.units import TINY

FAR = 5.0
USUAL = 0.9  # the share of departures that sets their scale
UNUSUAL = 8.0
LEAST_VALUES = 20  # with fewer nothing is called an outlier
LEAST_CHANGES = 8  # with fewer nothing is called a shift
LEAST_BLOCK = 7  # steps
MOST_BLOCKS = 50  # of a series
CELLS = 100_000  # numbers worked on at once: each has up to 6 others to compare with

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Outliers:
    """Values that stand out, by series and time."""

    series: Integers  # (outliers,)
    steps: Integers  # (outliers,) from the beginning of the series
    values: Floats  # (outliers,)
    expected: Floats  # (outliers,) the median of the 6 values around
    told: Flags  # (series,) whether there were values enough to tell


@dataclass(frozen=True, eq=False)
class Shifts:
    """Lasting changes of level, by series and time."""

    series: Integers  # (shifts,)
    steps: Integers  # (shifts,) the first step of the new level, from the beginning of the series
    before: Floats  # (shifts,) the median of three blocks' means
    after: Floats  # (shifts,)
    told: Flags  # (series,) whether there were blocks enough to tell


def find_outliers(panel: Panel, seasons: Sequence[int] = ()) -> Outliers:
    """Return the visible values of each series that fit neither their neighbours nor any of the seasons (in steps)."""
    before, after = (1, 2, 3), (-1, -2, -3)
    sides = [before, after, *((one, 2 * one, -one, -2 * one) for one in seasons if one > 1)]
    told = np.zeros(len(panel), dtype=np.bool_)
    found = []
    for rows, values in blocks(panel, cells=CELLS):
        told[rows] = np.isfinite(values).sum(axis=1) >= LEAST_VALUES
        around = median(_moved(values, (*before, *after)))
        above, below = values > around, values < around
        for lags in sides:
            departures = values - median(_moved(values, lags))
            limits = FAR * _usual(departures)[:, None]
            # What cannot be compared, at an end or beside a gap, speaks neither for nor against.
            above &= ~(departures <= limits)
            below &= ~(departures >= -limits)
        row, place = np.nonzero((above | below) & told[rows, None])
        steps = place - (values.shape[1] - panel.lengths[rows[row]])
        found.append((rows[row], steps, values[row, place], around[row, place]))
    return Outliers(*_by_series(found), told)


def find_shifts(panel: Panel, season: int = 1) -> Shifts:
    """Return the lasting changes of level of each series; season: the longest one, in steps."""
    told = np.zeros(len(panel), dtype=np.bool_)
    sizes = -(-np.maximum(LEAST_BLOCK, panel.lengths // MOST_BLOCKS) // season) * season
    found = []
    for size in np.unique(sizes).tolist():
        same = np.flatnonzero(sizes == size)
        for some, values in blocks(panel.select(same), cells=CELLS):
            rows = same[some]
            before, after, limits, told[rows] = _changes(values, size)
            flags = (np.abs(after - before) > limits[:, None]) & told[rows, None]
            for row, boundary in _peaks(np.abs(after - before), flags):
                old, new = before[row, boundary], after[row, boundary]
                # The blocks are counted from the end; the shift lies in one of the two beside the boundary.
                first = values.shape[1] - (before.shape[1] - boundary + 3) * size
                place = first + _turn(values[row, first : first + 2 * size], old, new)
                step = place - (values.shape[1] - panel.lengths[rows[row]])
                found.append((rows[row : row + 1], np.array([step]), np.array([old]), np.array([new])))
    return Shifts(*_by_series(found), told)


def _changes(values: Floats, size: int) -> tuple[Floats, Floats, Floats, Flags]:
    """Return the level before and after each boundary of blocks, (rows, boundaries), and for each row what a change
    must exceed, and whether there are enough of them: (rows,). The first boundary has three blocks before it."""
    padding = np.full((len(values), -values.shape[1] % size), np.nan)
    cells = np.concatenate([padding, values], axis=1).reshape(len(values), -1, size)
    if cells.shape[1] < 6:
        nothing = np.empty((len(values), 0))
        return nothing, nothing, np.zeros(len(values)), np.zeros(len(values), dtype=np.bool_)
    means = np.where(2 * np.isfinite(cells).sum(axis=2) >= size, _mean(cells), np.nan)
    threes = np.median(np.lib.stride_tricks.sliding_window_view(means, 3, axis=1), axis=2)
    before, after = threes[:, :-3], threes[:, 3:]
    changes = np.abs(after - before)
    spread = np.sqrt(_mean(((cells - means[:, :, None]) ** 2).reshape(len(values), -1)))
    rounding = TINY * _mean(np.abs(means))
    limits = np.maximum.reduce([UNUSUAL * np.nan_to_num(median(changes)), spread, rounding])
    return before, after, limits, np.isfinite(changes).sum(axis=1) >= LEAST_CHANGES


def _moved(values: Floats, lags: Sequence[int]) -> Floats:
    """Return the values so many steps before each one, after it where below 0: (rows, time, lags); NaN at the ends."""
    moved = np.full((*values.shape, len(lags)), np.nan)
    for place, lag in enumerate(lags):
        if 0 < lag < values.shape[1]:
            moved[:, lag:, place] = values[:, :-lag]
        elif 0 < -lag < values.shape[1]:
            moved[:, :lag, place] = values[:, -lag:]
    return moved


def _usual(departures: Floats) -> Floats:
    """Return the size that 9 of 10 departures (rows, time) of a row do not exceed: (rows,)."""
    sizes = np.sort(np.abs(departures), axis=1)  # NaN last
    counts = np.isfinite(sizes).sum(axis=1)
    place = np.maximum(np.ceil(USUAL * counts).astype(np.int64) - 1, 0)
    usual = np.nan_to_num(np.take_along_axis(sizes, place[:, None], axis=1)[:, 0])
    # Where 9 of 10 are 0, as in a series that is mostly zero: the root of the mean square of all.
    return np.where(usual > 0, usual, np.sqrt(_mean(sizes**2)))


def median(values: Floats) -> Floats:
    """Return the median along the last axis of what is not missing; NaN where all is."""
    ordered = np.sort(values, axis=-1)  # NaN last; many times as fast as nanmedian on short rows
    last = np.maximum(np.isfinite(ordered).sum(axis=-1, keepdims=True) - 1, 0)
    low, high = (np.take_along_axis(ordered, place, axis=-1)[..., 0] for place in (last // 2, (last + 1) // 2))
    return np.asarray(low / 2 + high / 2)


def _mean(values: Floats) -> Floats:
    """Return the mean along the last axis of what is not missing; 0 where all is."""
    seen = np.isfinite(values)
    return np.asarray(np.where(seen, values, 0.0).sum(axis=-1) / np.maximum(seen.sum(axis=-1), 1))


def _peaks(changes: Floats, flags: Flags) -> Iterator[tuple[int, int]]:
    """Yield row and place of the largest change in each run of flags."""
    for row in np.flatnonzero(flags.any(axis=1)).tolist():
        places = np.flatnonzero(flags[row])
        for run in np.split(places, 1 + np.flatnonzero(np.diff(places) > 1)):
            yield row, int(run[np.argmax(changes[row, run])])


def _turn(values: Floats, before: float, after: float) -> int:
    """Return the step up to which the values are nearer to the old level, as far as possible, and then to the new."""
    nearer = np.nan_to_num(np.abs(values - after) - np.abs(values - before))
    return int(np.argmax(np.append(0.0, np.cumsum(nearer))))


def _by_series(found: Sequence[tuple[NDArray[np.generic], ...]]) -> tuple[Integers, Integers, Floats, Floats]:
    """Return what was found as four arrays, by series and time."""
    kinds = (np.int64, np.int64, np.float64, np.float64)
    columns = [np.concatenate([np.empty(0, kind), *(one[place] for one in found)]) for place, kind in enumerate(kinds)]
    order = np.lexsort((columns[1], columns[0]))
    series, steps, first, second = (column[order] for column in columns)
    return series.astype(np.int64), steps.astype(np.int64), first, second
