"""Weights between forecasters, found on origins that their fitting has not seen.

Greedy ensemble selection with replacement (Caruana et al., Ensemble Selection from Libraries of Models, 2004): again
and again the forecaster is added that helps the mean of those chosen most; how often each was chosen is its weight.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from forecast.forecasters.fitted import Kind
from forecast.panels.panel import Floats

ROUNDS = 20  # so weights are multiples of 1/20 at the finest
GAIN = 0.005  # a part that lowers the loss by less than this share is not worth its keep
BLOCK = 256  # series that are added at once
CELLS = 200_000  # truth values that are looked at, at most


def choose_weights(truth: Floats, forecasts: dict[Kind, Floats], units: Floats) -> dict[Kind, float]:
    """Return the weight of each forecaster in the best mix: above 0, together 1; the others are left out.

    truth and each forecast: (rows, horizon), units: (rows,). Each row counts equally. The loss is the absolute error
    in units of the row; where all truth is above 0, half of it is the relative error (sMAPE), each half as a share of
    what the first forecaster makes. Cells where the truth or any forecast is missing are left out; without any cell
    the first forecaster gets all.
    """
    kinds = list(forecasts)
    case = _prepare(truth, list(forecasts.values()), units)
    if case is None:
        return {kinds[0]: 1.0}
    counts = _select(case, range(len(kinds)))
    while len(counts) > 1:
        # Leave out the part that is missed least, as long as what remains, weighted anew, is nearly as good.
        smaller = [_select(case, [k for k in counts if k != out]) for out in counts]
        losses = [case.loss(_shares(part, len(kinds))) for part in smaller]
        best = int(np.argmin(losses))
        if losses[best] > case.loss(_shares(counts, len(kinds))) * (1 + GAIN):
            break
        counts = smaller[best]
    total = sum(counts.values())
    return {kinds[k]: counts[k] / total for k in sorted(counts)}


def mix(parts: Iterable[Floats], weights: Sequence[float]) -> Floats:
    """Return the weighted mean of quantiles, each (series, horizon, quantiles); a part of weight 0 is not looked at.

    Means of rising quantiles rise, so bands that did not cross do not cross now. Parts may be made as they are asked
    for: beside the sum, one of them is in memory.
    """
    total: Floats | None = None
    for part, weight in zip(parts, weights, strict=True):
        total = np.zeros(part.shape) if total is None else total
        for first in range(0, len(part) if weight > 0 else 0, BLOCK):  # a whole product would be as large as the sum
            total[first : first + BLOCK] += weight * part[first : first + BLOCK]
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

    def loss(self, shares: Floats) -> float:
        """Return the loss of the mix with these shares (forecasters,)."""
        return self.loss_of(shares @ self.parts)

    def loss_of(self, forecast: Floats) -> float:
        """Return the loss of one forecast (cells,)."""
        error = np.abs(forecast - self.truth)
        loss = float(error @ self.scaled)
        if self.relative.any():
            loss += float((error / (np.abs(self.truth) + np.abs(forecast))) @ self.relative)
        return loss


def _prepare(truth: Floats, forecasts: list[Floats], units: Floats) -> _Case | None:
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


def _select(case: _Case, allowed: Sequence[int]) -> dict[int, int]:
    """Return how often greedy selection took each allowed forecaster, at the round with the lowest loss."""
    counts: dict[int, int] = {}
    total = np.zeros(len(case.truth))
    best, best_loss = counts, np.inf
    for size in range(1, ROUNDS + 1):
        losses = {k: case.loss_of((total + case.parts[k]) / size) for k in allowed}
        chosen = min(losses, key=lambda k: losses[k])  # the first of equals
        total = total + case.parts[chosen]
        counts = counts | {chosen: counts.get(chosen, 0) + 1}
        if losses[chosen] < best_loss:
            best, best_loss = counts, losses[chosen]
    return best


def _shares(counts: dict[int, int], number: int) -> Floats:
    """Return counts as shares of all forecasters: (forecasters,)."""
    shares = np.zeros(number)
    shares[list(counts)] = list(counts.values())
    normalised: Floats = shares / shares.sum()
    return normalised
