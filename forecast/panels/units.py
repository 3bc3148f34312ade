"""The unit that errors are counted in: the mean absolute seasonal difference of each series, as in MASE and RMSSE."""

import numpy as np

from forecast.panels.panel import Floats, Panel

TINY = 1e-9  # a difference below this share of the level is rounding, not movement


def seasonal_difference(panel: Panel, season: int, power: int = 1) -> Floats:
    """Return the unit of error of each series: mean |x_t - x_(t-season)| over its visible observed pairs, (series,).

    power=2 gives the root of the mean square instead. Where that is zero or there is no pair: the same at season 1,
    then the mean of |x| (its root mean square), then 1; so the unit is finite and above 0.
    """
    level = _mean_of_spans(panel, np.abs(panel.target) ** power, 0) ** (1 / power)
    unit = np.full(len(panel), np.nan)
    for lag in (season, 1):
        steps = np.full(len(panel.target), np.nan)
        steps[lag:] = np.abs(panel.target[lag:] - panel.target[:-lag]) ** power
        found = _mean_of_spans(panel, steps, lag) ** (1 / power)
        unit = np.where(unit > 0, unit, np.where(found > TINY * level, found, 0.0))
    unit = np.where(unit > 0, unit, level)
    return np.where(unit > 0, unit, 1.0)


def _mean_of_spans(panel: Panel, values: Floats, skip: int) -> Floats:
    """Return the mean of the observed values of each series, its first `skip` steps left out: (series,), 0 for none.

    Each span is summed by itself: differences of one running sum would let a large series blur a small one.
    """
    begins, ends = np.minimum(panel.begins + skip, panel.ends), panel.ends
    order = np.argsort(begins, kind="stable")  # rising, so that what lies between two spans is summed once at most
    spans = np.stack([begins[order], ends[order]], axis=1).ravel()
    seen = np.isfinite(values)
    total = np.add.reduceat(np.append(np.where(seen, values, 0.0), 0.0), spans)[::2]
    number = np.add.reduceat(np.append(seen, False).astype(np.int64), spans)[::2]
    number = np.where(ends[order] > begins[order], number, 0)  # reduceat gives one element for an empty span
    means = np.empty(len(panel))
    means[order] = np.divide(total, number, out=np.zeros(len(panel)), where=number > 0)
    return means
