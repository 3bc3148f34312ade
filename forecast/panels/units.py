"""The unit that errors are counted in: the mean absolute seasonal difference of each series, as in MASE and RMSSE."""

import numpy as np
from numpy.typing import NDArray

from forecast.panels.blocks import blocks
from forecast.panels.panel import Floats, Integers, Panel

STRETCH = 500_000  # steps that are worked on at once, about
TINY = 1e-13  # a difference below this share of the level is rounding, not movement


def seasonal_difference(panel: Panel, season: int, power: int = 1) -> Floats:
    """Return the unit of error of each series: mean |x_t - x_(t-season)| over its visible observed pairs, (series,).

    power=2 gives the root of the mean square instead. Where that is zero or there is no pair: the same at season 1,
    then the mean of |x| (its root mean square), then 1; so the unit is finite and above 0.
    """
    units = np.empty(len(panel))
    order = np.argsort(panel.begins, kind="stable")
    # Stretch by stretch of the flat column: a panel of 10 million steps needs little memory beside it.
    for rows in np.split(order, 1 + np.flatnonzero(np.diff(panel.begins[order] // STRETCH))):
        if len(rows):
            first, last = int(panel.begins[rows[0]]), int(panel.ends[rows].max())
            units[rows] = _units(
                panel.target[first:last], panel.begins[rows] - first, panel.ends[rows] - first, season, power
            )
    return units


def band_units(panel: Panel, season: int, least: float | None = None) -> Floats:
    """Return the unit of the bands of each series: its unit of error, (series,); one of zeros alone gets the least.

    least: of the series of the model; None: of this panel, at most 1.
    """
    units, zeros = seasonal_difference(panel, season), _zeros_alone(panel)
    return np.where(zeros, units[~zeros].min(initial=1.0) if least is None else least, units)


def without_unit(panel: Panel) -> NDArray[np.bool_]:
    """Tell which series hold nothing but zeros and so have no unit of error: (series,); none, where all are so.

    The 1 that they are given instead compares with nothing: errors of a series that sells thousands after months of
    zeros, counted in it, would outweigh all others.
    """
    zeros = _zeros_alone(panel)
    return zeros & ~zeros.all()


def _zeros_alone(panel: Panel) -> NDArray[np.bool_]:
    """Tell which series hold nothing but zeros, or nothing: (series,)."""
    found = np.empty(len(panel), dtype=np.bool_)
    for rows, values in blocks(panel):
        found[rows] = ~(np.nan_to_num(values) != 0).any(axis=1)
    return found


def _units(values: Floats, begins: Integers, ends: Integers, season: int, power: int) -> Floats:
    """Return the unit of error of the series that lie at begins..ends of the values: (series,)."""
    level = _mean_of_spans(np.abs(values) ** power, begins, ends) ** (1 / power)
    unit = np.full(len(begins), np.nan)
    for lag in (season, 1):
        steps = np.full(len(values), np.nan)
        steps[lag:] = np.abs(values[lag:] - values[:-lag]) ** power
        found = _mean_of_spans(steps, np.minimum(begins + lag, ends), ends) ** (1 / power)
        unit = np.where(unit > 0, unit, np.where(found > TINY * level, found, 0.0))
    unit = np.where(unit > 0, unit, level)
    return np.where(unit > 0, unit, 1.0)


def _mean_of_spans(values: Floats, begins: Integers, ends: Integers) -> Floats:
    """Return the mean of the observed values from begins to ends of each series: (series,), 0 where there is none.

    Each span is summed by itself: differences of one running sum would let a large series blur a small one.
    """
    order = np.argsort(begins, kind="stable")  # rising, so that what lies between two spans is summed once at most
    spans = np.stack([begins[order], ends[order]], axis=1).ravel()
    seen = np.isfinite(values)
    total = np.add.reduceat(np.append(np.where(seen, values, 0.0), 0.0), spans)[::2]
    number = np.add.reduceat(np.append(seen, False).astype(np.int64), spans)[::2]
    number = np.where(ends[order] > begins[order], number, 0)  # reduceat gives one element for an empty span
    means = np.empty(len(begins))
    means[order] = np.divide(total, number, out=np.zeros(len(begins)), where=number > 0)
    return means
