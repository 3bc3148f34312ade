"""Between true hours and the hours of a clock: what lets a season line up with local time when the clock is changed.

A table of a zone is read with true hours: the day on which the clock is put forward has 23 of them, and the day on
which it is put back 25. Forecasters see it on the clock, where every day has 24, and the value 24 steps before is that
of the same hour: the hour that is skipped is missing there, and the one that comes twice is one step, the mean of both.
"""

from dataclasses import replace

import numpy as np

from forecast.panels.calendar import Calendar, Integers
from forecast.panels.frequencies import HOUR, parse_frequency
from forecast.panels.panel import Floats, Panel

LONGEST = 3 * HOUR  # by which a clock has ever been put back


def steps_again(calendar: Calendar) -> int:
    """Return how many steps of a calendar may come twice when the clock is put back; 0 where none can."""
    return -(-LONGEST // parse_frequency(calendar.freq).size) if calendar.elapsed else 0


def steps_on_clock(calendar: Calendar, ordinals: Integers) -> Integers:
    """Return the step of `calendar.on_clock` that each step of the calendar falls on, same shape."""
    return calendar.on_clock.ordinals(calendar.times(ordinals)) if calendar.elapsed else ordinals


def on_clock(panel: Panel) -> Panel:
    """Return the panel on the steps of its zone's clock; a panel whose steps are no elapsed time as it is.

    A step that the clock skips is missing; what is known ahead of it is what was known of the step before. The history
    ends before the first step that is to come again.
    """
    calendar = panel.calendar
    if not calendar.elapsed or not len(panel):
        return panel
    stored = np.stack([panel.begins, panel.limits, panel.starts])
    blocks, block = np.unique(stored, axis=1, return_inverse=True)  # views of one series share their rows
    begins, limits, starts = blocks
    sizes = limits - begins
    offsets = np.cumsum(sizes) - sizes
    within = np.arange(sizes.sum()) - np.repeat(offsets, sizes)
    clock = steps_on_clock(calendar, np.repeat(starts, sizes) + within)
    first = np.minimum.reduceat(clock, offsets)
    longer = np.maximum.reduceat(clock, offsets) - first + 1
    ends = np.cumsum(longer)
    source = np.repeat(begins, sizes) + within
    places = clock + np.repeat(ends - longer - first, sizes)
    skipped = np.bincount(places, minlength=ends[-1]) == 0
    own = block.ravel()
    filled = panel.filled
    if len(filled):
        filled = np.zeros(len(skipped), dtype=np.int8)
        np.maximum.at(filled, places, panel.filled[source])
        filled = filled[_before(skipped)]
    return replace(
        panel,
        calendar=calendar.on_clock,
        starts=first[own],
        begins=(ends - longer)[own],
        lengths=np.maximum(last_on_clock(panel) - first[own] + 1, 1),
        limits=ends[own],
        target=_means(panel.target, source, places, skipped),
        past=_each(panel.past, source, places, skipped),
        future=_held(_each(panel.future, source, places, skipped), skipped),
        filled=filled,
    )


def last_on_clock(panel: Panel) -> Integers:
    """Return the step on the clock up to which each series has been observed for good: (series,)."""
    calendar, last = panel.calendar, panel.last
    following = last[:, None] + 1 + np.arange(steps_again(calendar))
    here = steps_on_clock(calendar, last)
    coming = steps_on_clock(calendar, following).min(axis=1, initial=np.iinfo(np.int64).max)
    return np.asarray(np.minimum(here, coming - 1))


def columns_on_clock(panel: Panel, horizon: int) -> Integers:
    """Return which step of a forecast on the clock each true step after the origin is: (series, horizon), from 0."""
    ahead = steps_on_clock(panel.calendar, panel.last[:, None] + np.arange(1, horizon + 1))
    return np.asarray(ahead - last_on_clock(panel)[:, None] - 1)


def _each(columns: Floats, source: Integers, places: Integers, skipped: Integers) -> Floats:
    """Return covariates on the clock: (columns, steps)."""
    return np.stack([_means(column, source, places, skipped) for column in columns]) if len(columns) else columns


def _means(column: Floats, source: Integers, places: Integers, skipped: Integers) -> Floats:
    """Return the mean of what falls on each step, NaN where nothing does: (steps,)."""
    values = column[source]
    there = ~np.isnan(values)
    counts = np.bincount(places[there], minlength=len(skipped))
    sums = np.bincount(places[there], weights=values[there], minlength=len(skipped))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _held(columns: Floats, skipped: Integers) -> Floats:
    """Return covariates whose value before a skipped step holds on in it."""
    if not columns.size or not skipped.any():
        return columns
    return columns[:, _before(skipped)]


def _before(skipped: Integers) -> Integers:
    """Return the place of each step, of a skipped one that of the step before it: (steps,)."""
    return np.asarray(np.maximum.accumulate(np.where(skipped, 0, np.arange(len(skipped)))))
