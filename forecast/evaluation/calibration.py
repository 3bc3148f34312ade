"""Bands that hold their level: split-conformal calibration of each quantile, and other levels read off the grid.

Vovk et al., Algorithmic Learning in a Random World (2005); Romano, Patterson, Candes, Conformalized Quantile
Regression (2019), one side at a time: the scores (truth - quantile) / unit of rows that fitting has not seen say by how
much each quantile has to move so that the right share of the truth lies below it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from forecast.panels.panel import Floats, Integers
from forecast.plan import Plan

ENOUGH = 100  # scores: fewer are pooled with those of the neighbouring steps
FEW = 20  # forecasts: the errors of fewer, which share a bias, do not tell above from below
PROMISED = 40  # scores: fewer cannot hold a level of 95 %: (n + 1) x 0.975 > n below 39
TINY = 1e-9  # 0.5 - 0.8 / 2 is not quite 0.1, and a whole number must stay one
MOST = 50_000  # scores: more change the third digit of nothing


@dataclass(frozen=True, eq=False)
class Calibration:
    """By how many units of error each quantile moves at each step; the middle one, the point forecast, never does."""

    shift: Floats  # (horizon, quantiles)
    pooled: Integers  # (horizon,) scores behind each step's shift
    promised: bool  # False where a step has too few scores to promise its level
    sparse: "Calibration | None" = None  # that of series that are mostly zero, whose errors are of another kind
    scale: float = 1.0  # by which the bands of all others have grown about the point forecast, up to the last update


def none(plan: Plan) -> Calibration:
    """Return the calibration that changes nothing and promises nothing."""
    zeros = np.zeros(plan.horizon, dtype=np.int64)
    return Calibration(np.zeros((plan.horizon, len(plan.quantiles))), zeros, promised=False)


def fit_calibration(
    truth: Floats, quantiles: Floats, units: Floats, probabilities: Sequence[float], one_sided: bool = False
) -> Calibration:
    """Find the shift of each quantile at each step from forecasts whose truth is known.

    truth: (rows, horizon), quantiles: (rows, horizon, quantiles) in units of the target, units: (rows,), NaN for
    rows to leave out. Steps with fewer than 100 scores borrow those of their neighbours, one step further on both sides
    until there are enough. Of fewer than 20 rows an error above counts as one below, too, unless errors are one-sided
    by nature: a few origins all err to the same side, and bands on that side alone would leave out the other.
    """
    horizon, grid = quantiles.shape[1:]
    usable = np.isfinite(truth) & np.isfinite(quantiles).all(axis=2) & np.isfinite(units)[:, None]
    shift, pooled = np.zeros((horizon, grid)), np.zeros(horizon, dtype=np.int64)
    alike = usable.any(axis=1).sum() < FEW and not one_sided
    for step in range(horizon):
        steps = _neighbours(usable.sum(axis=0), step)
        rows, columns = np.nonzero(usable[:, steps])
        if not len(rows):
            continue
        if len(rows) > MOST:  # evenly, over series and origins alike
            keep = np.linspace(0, len(rows) - 1, MOST).astype(np.int64)
            rows, columns = rows[keep], columns[keep]
        columns = columns + steps.start
        scores = (truth[rows, columns, None] - quantiles[rows, columns]) / units[rows, None]
        if alike:
            scores = np.concatenate([scores, -scores[:, ::-1]])
        shift[step] = _conformal_quantiles(np.sort(scores, axis=0), probabilities)
        pooled[step] = len(rows)
    return Calibration(shift, pooled, promised=bool(horizon and pooled.min() >= PROMISED))


def fit_groups(
    truth: Floats, quantiles: Floats, units: Floats, probabilities: Sequence[float], sparse: NDArray[np.bool_]
) -> Calibration:
    """Find the shifts of the rows that are mostly zero, sparse (rows,), and of the others, each group for itself.

    A sale among many zeros is an error of tens of units: pooled, it would make the bands of all other series as wide.
    Where one group has too few scores to promise its level, all rows share one calibration.
    """
    if sparse.any() and not sparse.all():
        usual, own = (
            fit_calibration(truth[rows], quantiles[rows], units[rows], probabilities, one_sided)
            for rows, one_sided in ((~sparse, False), (sparse, True))
        )
        if usual.promised and own.promised:
            return replace(usual, sparse=own)
    return fit_calibration(truth, quantiles, units, probabilities, one_sided=bool(sparse.any()))


def apply(
    calibration: Calibration, quantiles: Floats, units: Floats, sparse: NDArray[np.bool_] | None = None
) -> Floats:
    """Return the quantiles moved by their shift: (rows, horizon, quantiles), rising; the point forecast stays.

    sparse: (rows,) which rows are of series that are mostly zero. Steps beyond the calibrated horizon h use its last
    shift, widened by sqrt(step / h), as a random walk's error grows.
    """
    moved = scaled(_moved(calibration, quantiles, units), np.full(len(quantiles), calibration.scale))
    if calibration.sparse is not None and sparse is not None:
        moved[sparse] = _moved(calibration.sparse, quantiles[sparse], units[sparse])
    return moved


def scaled(quantiles: Floats, scales: Floats) -> Floats:
    """Return the quantiles with their distance from the point forecast times a factor of each row, (rows,)."""
    if (scales == 1).all():
        return quantiles
    point = quantiles[..., quantiles.shape[2] // 2, None]
    wider: Floats = point + (quantiles - point) * scales[:, None, None]
    return wider


def _moved(calibration: Calibration, quantiles: Floats, units: Floats) -> Floats:
    """Return the quantiles moved by the shift of one group."""
    horizon, middle = quantiles.shape[1], quantiles.shape[2] // 2
    known = len(calibration.shift)
    steps = np.arange(1, horizon + 1)
    growth = np.sqrt(np.maximum(steps / known, 1.0))
    shift = calibration.shift[np.minimum(steps, known) - 1] * growth[:, None]  # (horizon, quantiles)
    moved: Floats = shift * units[:, None, None]
    moved += quantiles
    point = quantiles[..., middle : middle + 1]
    moved[..., :middle] = np.minimum(moved[..., :middle], point)
    moved[..., middle : middle + 1] = point
    moved[..., middle + 1 :] = np.maximum(moved[..., middle + 1 :], point)
    moved.sort(axis=2)
    return moved


def at(quantiles: Floats, probabilities: Sequence[float], wanted: Sequence[float]) -> Floats:
    """Return the quantiles of other probabilities: (series, horizon, wanted), none crossing another.

    Between the points of the grid the value is linear in the quantile of the normal distribution, so that normal errors
    are met exactly; beyond the grid the line from the middle through its outermost point goes on.
    """
    normal = NormalDist()
    grid = np.array([normal.inv_cdf(p) for p in probabilities])
    middle = len(grid) // 2
    result = np.empty((*quantiles.shape[:2], len(wanted)))
    for k, probability in enumerate(wanted):
        score = normal.inv_cdf(probability)
        exact = np.flatnonzero(np.abs(np.array(probabilities) - probability) < TINY)
        if len(exact):
            result[..., k] = quantiles[..., exact[0]]
            continue
        right = int(np.searchsorted(grid, score))
        if right in (0, len(grid)):
            edge = min(right, len(grid) - 1)
            value = _between(
                quantiles[..., middle], quantiles[..., edge], (score - grid[middle]) / (grid[edge] - grid[middle])
            )
            outward = np.minimum if right == 0 else np.maximum
            result[..., k] = outward(value, quantiles[..., edge])  # rounding must not bring it back inside
        else:
            low, high = quantiles[..., right - 1], quantiles[..., right]
            share = (score - grid[right - 1]) / (grid[right] - grid[right - 1])
            result[..., k] = np.clip(_between(low, high, share), low, high)
    return result


def _between(low: Floats, high: Floats, share: float) -> Floats:
    """Return low + share x (high - low), which rounding cannot take past high at a share of 1."""
    return high + 0.0 if share == 1 else low + share * (high - low)


def _neighbours(counts: Integers, step: int) -> slice:
    """Return the steps around `step` that hold enough scores together."""
    reach = 0
    while True:
        steps = slice(max(0, step - reach), min(len(counts), step + reach + 1))
        if counts[steps].sum() >= ENOUGH or (steps.start == 0 and steps.stop == len(counts)):
            return steps
        reach += 1


def _conformal_quantiles(scores: Floats, probabilities: Sequence[float]) -> Floats:
    """Return the finite-sample quantile of each column of rising scores, (scores, quantiles) -> (quantiles,).

    An upper quantile p takes the ceil((n + 1) p)-th smallest score, a lower one the floor((n + 1) p)-th, so that either
    side errs outwards; where n is too small for that, the outermost score. The middle one is left where it is.
    """
    count = len(scores)
    shift = np.zeros(len(probabilities))
    for k, probability in enumerate(probabilities):
        if k != len(probabilities) // 2:
            rank = (count + 1) * probability
            # The small number keeps 20 x 0.05 from being 1.0000000000000002.
            place = ceil(rank - 1e-9) if probability > 0.5 else floor(rank + 1e-9)
            shift[k] = scores[min(max(place, 1), count) - 1, k]
    return shift
