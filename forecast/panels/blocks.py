"""Cut the history of a panel into NaN-padded blocks of series, so that vectorised arithmetic needs bounded memory."""

from collections.abc import Iterator

import numpy as np

from forecast.panels.panel import Floats, Integers, Panel

CELLS = 500_000  # numbers in one block: 4 MB, and a few times that while it is worked on


def blocks(panel: Panel, steps: int | None = None, cells: int = CELLS) -> Iterator[tuple[Integers, Floats]]:
    """Yield (rows, values): which series of the panel, and their visible target, (rows, time), the newest step last.

    Series of similar length share a block; a shorter one has NaN in front. `steps`: only the last so many steps of each
    series. A block holds at most `cells` numbers, or one series where that alone is longer.
    """
    lengths = panel.lengths if steps is None else np.minimum(panel.lengths, steps)
    order = np.argsort(lengths, kind="stable")[::-1]  # longest first, so the first of a block tells its width
    first = 0
    while first < len(order):
        width = int(lengths[order[first]])
        rows = order[first : first + max(1, cells // width)]
        index = panel.ends[rows, None] + np.arange(-width, 0)  # (rows, width)
        inside = np.arange(width) >= width - lengths[rows, None]
        yield rows, np.where(inside, panel.target[np.where(inside, index, 0)], np.nan)
        first += len(rows)


def observed(panel: Panel, steps: int) -> Integers:
    """Return how many of the last `steps` visible values of each series are not missing: (series,)."""
    counts = np.empty(len(panel), dtype=np.int64)
    for rows, values in blocks(panel, steps):
        counts[rows] = np.isfinite(values).sum(axis=1)
    return counts


def fill_forward(values: Floats) -> Floats:
    """Return the values, (series, time), with each missing one replaced by the last observed one before it."""
    place = np.where(np.isnan(values), 0, np.arange(values.shape[1]))
    np.maximum.accumulate(place, axis=1, out=place)
    return np.take_along_axis(values, place, axis=1)


def last_observed(values: Floats) -> Floats:
    """Return the newest observed value of each row of (series, time): (series,), NaN where there is none."""
    return fill_forward(values)[:, -1]


def fill_gaps(values: Floats, season: int) -> Floats:
    """Return rows without missing values: that of one season before, else the last observed, else the first.

    values: (rows, time). A row without any observed value stays empty.
    """
    if not np.isnan(values).any():
        return values
    filled = values.copy()
    if season > 1:
        for first in range(season, values.shape[1], season):  # rising, so that a filled season fills the next
            now, before = filled[:, first : first + season], filled[:, first - season : first]
            np.copyto(now, before[:, : now.shape[1]], where=np.isnan(now))
    filled = fill_forward(filled)
    return fill_forward(filled[:, ::-1])[:, ::-1]
