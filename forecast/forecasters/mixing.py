"""Weights between forecasters, found on origins that their fitting has not seen.

Each weight falls with a high power of the forecaster's own loss. Weights that are chosen for the loss of the mix itself
(regression, greedy selection) trust a few origins too far: a mix of all that are nearly as good is hard to beat (Smith,
Wallis, A simple explanation of the forecast combination puzzle, 2009). docs/accuracy.md has the comparison.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from forecast.panels.panel import Floats

POWER = 15.0  # of the inverse loss: 5 % more loss halves the weight
LEAST = 0.05  # of the largest weight; a smaller one, of 22 % more loss, is not worth its keep
BLOCK = 256  # series that are added at once
CELLS = 200_000  # truth values that are looked at, at most


def choose_weights(truth: Floats, forecasts: Sequence[Floats], units: Floats) -> tuple[float, ...]:
    """Return the weight of each forecaster in the mix: 0 or at least LEAST of the largest, together 1.

    truth and each forecast: (rows, horizon), units: (rows,). Each row counts equally. The loss is the absolute error
    in units of the row; where all truth is above 0, half of it is the relative error (sMAPE), each half as a share of
    what the first forecaster makes. Cells where the truth or any forecast is missing are left out; without any cell
    the first forecaster gets all. Of equal forecasters the first alone has a weight: without a season, naive and
    seasonal naive are the same. Those that are perfect share all.
    """
    case = _prepare(truth, forecasts, units)
    if case is None:
        return (1.0, *(0.0,) * (len(forecasts) - 1))
    losses = np.array([case.loss_of(part) for part in case.parts])
    again = [any(np.array_equal(part, other) for other in case.parts[:k]) for k, part in enumerate(case.parts)]
    shares = (losses.min() / losses) ** POWER if losses.min() > 0 else (losses <= 0).astype(np.float64)
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


@dataclass(frozen=True, eq=False)
class _Case:
    """The cells that are scored, flat, each with what an error there weighs."""

    truth: Floats  # (cells,)
    parts: Floats  # (forecasters, cells)
    scaled: Floats  # (cells,) what an absolute error adds to the loss
    relative: Floats  # (cells,) what a relative error adds; all 0 where the data are not positive

    def loss_of(self, forecast: Floats) -> float:
        """Return the loss of one forecast (cells,)."""
        error = np.abs(forecast - self.truth)
        loss = float(error @ self.scaled)
        if self.relative.any():
            loss += float((error / (np.abs(self.truth) + np.abs(forecast))) @ self.relative)
        return loss


def _prepare(truth: Floats, forecasts: Sequence[Floats], units: Floats) -> _Case | None:
    """Lay out the usable cells of at most so many rows, drawn evenly; None where there is none."""
    rows = np.arange(len(truth))
    most = max(1, CELLS // max(1, truth.shape[1]))
    if len(rows) > most:  # a fixed draw: an even stride could hit one origin of each series only
        rows = np.sort(np.random.default_rng(0).choice(len(rows), most, replace=False))
    truth = truth[rows]
    parts = np.stack([forecast[rows] for forecast in forecasts])
    usable = np.isfinite(truth) & np.isfinite(parts).all(axis=0)
    count = usable.sum(axis=1)
    if not count.any():
        return None
    per_cell = np.repeat(1 / np.maximum(count, 1) / (count > 0).sum(), truth.shape[1]).reshape(truth.shape)[usable]
    scaled = per_cell / np.broadcast_to(units[rows, None], truth.shape)[usable]
    positive = bool((truth[usable] > 0).all())
    case = _Case(truth[usable], parts[:, usable], scaled, per_cell * 0)
    if not positive:
        return case
    absolute = _Case(case.truth, case.parts, scaled, per_cell * 0).loss_of(case.parts[0])
    relative = _Case(case.truth, case.parts, scaled * 0, per_cell).loss_of(case.parts[0])
    if min(absolute, relative) <= 0:  # the first forecaster is perfect: there is no share to measure by
        return case
    return _Case(case.truth, case.parts, scaled / absolute / 2, per_cell / relative / 2)
