"""Weights between forecasters, found on origins that their fitting has not seen.

Each weight falls with a high power of the forecaster's own loss, lower where little was seen. Weights that are chosen
for the loss of the mix itself (regression, greedy selection) trust a few origins too far: a mix of all that are nearly
as good is hard to beat (Smith, Wallis, A simple explanation of the forecast combination puzzle, 2009). docs/accuracy.md
has the comparison.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from forecast.panels.panel import Floats, Integers

POWER = 15.0  # of the inverse loss where much was seen: 5 % more loss halves the weight
FEW = 2.0  # horizons of truth that halve the power
LEAST = 0.05  # of the largest weight; a smaller one, of 22 % more loss, is not worth its keep
BLOCK = 256  # series that are added at once
CELLS = 200_000  # truth values that are looked at, at most


def choose_weights(truth: Floats, forecasts: Sequence[Floats], units: Floats, series: Integers) -> tuple[float, ...]:
    """Return the weight of each forecaster in the mix: 0 or at least LEAST of the largest, together 1.

    truth and each forecast: (rows, horizon), units and series: (rows,). Each row counts equally. The loss is the
    absolute error in units of the row; where all truth is above 0, half of it is the relative error (sMAPE), each half
    as a share of what the first forecaster makes. Cells where the truth or any forecast is missing are left out;
    without any cell the first forecaster gets all. Of equal forecasters the first alone has a weight: without a season,
    naive and seasonal naive are the same. Those that are perfect share all.
    """
    rows = _drawn(*truth.shape)
    truth, parts = truth[rows], np.stack([forecast[rows] for forecast in forecasts])
    usable = np.isfinite(truth) & np.isfinite(parts).all(axis=0)
    if not usable.any():
        return (1.0, *(0.0,) * (len(forecasts) - 1))
    losses = _losses(truth, parts, units[rows], usable)
    again = [any(np.array_equal(parts[k][usable], other[usable]) for other in parts[:k]) for k in range(len(parts))]
    shares = (losses.min() / losses) ** _power(series, truth.shape[1]) if losses.min() > 0 else losses <= 0
    weights = np.where(again | (shares < LEAST), 0.0, shares)
    return tuple(float(weight) for weight in weights / weights.sum())


def mix(parts: Iterable[Floats], weights: Sequence[float | Floats]) -> Floats:
    """Return the weighted mean of quantiles, each (series, horizon, quantiles); a part of weight 0 is not looked at.

    The weight of a part is one for all series, or one for each: (series,).

    Means of rising quantiles rise, so bands that did not cross do not cross now. Parts may be made as they are asked
    for: beside the sum, one of them is in memory.
    """
    total: Floats | None = None
    for part, weight in zip(parts, weights, strict=True):
        total = np.zeros(part.shape) if total is None else total
        of_rows = np.broadcast_to(np.asarray(weight, dtype=np.float64), len(part))
        for first in range(0, len(part), BLOCK):  # a whole product would be as large as the sum
            rows = first + np.flatnonzero(of_rows[first : first + BLOCK])
            total[rows] += of_rows[rows, None, None] * part[rows]
    if total is None:
        raise ValueError("a mix needs at least one part")
    return total


def _power(series: Integers, horizon: int) -> float:
    """Return the power of the inverse loss for rows of these series, (rows,), whose origins are one step apart."""
    origins = np.unique(series, return_counts=True)[1]
    horizons = float((origins + horizon - 1).sum() / horizon)  # of truth that do not overlap
    return POWER * horizons / (horizons + FEW)


def _drawn(rows: int, horizon: int) -> Integers:
    """Return the rows that are looked at: all, or so many that CELLS are not exceeded, drawn evenly."""
    most = max(1, CELLS // max(1, horizon))
    if rows <= most:
        return np.arange(rows)
    # A fixed draw: an even stride could hit one origin of each series only.
    return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))


def _losses(truth: Floats, parts: Floats, units: Floats, usable: NDArray[np.bool_]) -> Floats:
    """Return the loss of each forecaster, (forecasters,): truth (rows, horizon), parts (forecasters, rows, horizon)."""
    count = usable.sum(axis=1)
    shares = 1 / np.maximum(count, 1) / (count > 0).sum()  # of each cell of a row
    share, unit = (np.broadcast_to(of_rows[:, None], truth.shape)[usable] for of_rows in (shares, units))
    truth, parts = truth[usable], parts[:, usable]
    errors = np.abs(parts - truth)
    absolute: Floats = errors @ (share / unit)
    if not (truth > 0).all():
        return absolute
    relative = (errors / (truth + np.abs(parts))) @ share
    if min(absolute[0], relative[0]) <= 0:  # the first forecaster is perfect: there is no share to measure by
        return absolute
    both: Floats = absolute / absolute[0] / 2 + relative / relative[0] / 2
    return both
