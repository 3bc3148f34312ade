"""Intermittent demand: series that are mostly zero get the distribution of their own past, the newest weighing most.

    P(y at step h <= x) = sum of w over the past values <= x / sum of w      w = 0.5 ** (age / half-life) x (1 + boost)

with the boost for values as many whole seasons back alone. This is the demand probability of Teunter, Syntetos and
Babai (Intermittent demand: linking forecasting to inventory obsolescence, 2011), exponentially smoothed, times the
empirical distribution of the sizes, smoothed alike; docs/accuracy.md has what was measured against other forms.
Half-life and boost are one pair for all such series, picked by the pinball loss on the latest visible steps. For all
other series the forecast is the seasonal naive one, so that whoever compares forecasters has a number everywhere.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from forecast.forecasters.baselines import run_seasonal_naive
from forecast.forecasters.fitted import Fitted, Kind
from forecast.panels.blocks import blocks
from forecast.panels.panel import Floats, Integers, Panel
from forecast.panels.units import seasonal_difference
from forecast.plan import Plan

SHARE = 0.5  # of the observed values: so many zeros, none below, make a series intermittent
HALF_LIVES = (100.0, 30.0, 300.0, 1e6)  # steps; the first is taken where nothing can be measured
BOOSTS = (0.0, 3.0, 10.0, 1000.0)  # how much more the same step of the season counts
SAMPLE = 500  # series that choose the two, evenly spread
ORIGINS = 4  # of each, a horizon apart
CELLS = 50_000  # numbers in one block: what the processor's cache holds
MOST_HALVINGS = 900.0  # a weight of 2 ** -900 is still no zero
ROUNDING = 1e-12  # of a sum of weights


def is_intermittent(panel: Panel, plan: Plan) -> NDArray[np.bool_]:
    """Tell which series are mostly zero and never below, of what is observed in the last `lookback` steps: (series,).

    A series of zeros alone is one of them, a series without any value is not.
    """
    found = np.zeros(len(panel), dtype=np.bool_)
    for rows, values in blocks(panel, plan.lookback):
        seen = np.isfinite(values).sum(axis=1)
        found[rows] = ((values == 0).sum(axis=1) >= SHARE * seen) & (seen > 0) & ~(values < 0).any(axis=1)
    return found


def fit(panel: Panel, plan: Plan) -> Fitted:
    """Pick half-life and boost for the intermittent series of the panel. Arrays: half_life (1,), boost (1,)."""
    chosen = panel.select(np.flatnonzero(is_intermittent(panel, plan)))
    chosen = chosen.select(np.unique(np.linspace(0, len(chosen) - 1, min(len(chosen), SAMPLE)).astype(np.int64)))
    pairs = list(product(HALF_LIVES, BOOSTS if plan.season > 1 else BOOSTS[:1]))
    losses = np.zeros(len(pairs))
    for cut, units in _origins(chosen, plan):
        truth = cut.truth(plan.horizon)
        for place, (half_life, boost) in enumerate(pairs):
            losses[place] += _pinball(truth, _quantiles(cut, plan, half_life, boost), plan) @ (1 / units)
    half_life, boost = pairs[int(np.argmin(losses))]  # the first of equals
    return Fitted(Kind.INTERMITTENT, {"half_life": np.array([half_life]), "boost": np.array([boost])})


def run(fitted: Fitted, panel: Panel, known: Integers, plan: Plan) -> Floats:
    """Forecast from the end of the panel: (series, horizon, quantiles), rising along the last axis."""
    others = run_seasonal_naive(fitted, panel, known, plan)
    rows = np.flatnonzero(is_intermittent(panel, plan))
    if not len(rows):
        return others
    quantiles = others.copy()
    numbers = (float(fitted.arrays[name][0]) for name in ("half_life", "boost"))
    quantiles[rows] = _quantiles(panel.select(rows), plan, *numbers)
    return quantiles


def shapes(plan: Plan, series: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays."""
    return {"half_life": (1,), "boost": (1,)}


def _origins(panel: Panel, plan: Plan) -> Iterator[tuple[Panel, Floats]]:
    """Yield the panel cut at each origin, the series that are long enough, and the unit of error of each of them."""
    units = seasonal_difference(panel, plan.season)
    for back in range(plan.horizon, (ORIGINS + 1) * plan.horizon, plan.horizon):
        keep = np.flatnonzero(panel.lengths - back >= max(2 * plan.season, plan.horizon))
        cut = panel.select(keep, panel.lengths[keep] - back)
        seen = np.array([bool(np.isfinite(cut.values(row)[-plan.lookback :]).any()) for row in range(len(cut))], bool)
        yield cut.select(np.flatnonzero(seen)), units[keep[seen]]


def _quantiles(panel: Panel, plan: Plan, half_life: float, boost: float) -> Floats:
    """Return the weighted quantiles of each series' past: (series, horizon, quantiles). Every series has a value."""
    result = np.empty((len(panel), plan.horizon, len(plan.quantiles)))
    season = plan.season if boost > 0 else 1
    for rows, values in blocks(panel, plan.lookback, CELLS):
        ages = np.arange(values.shape[1], 0, -1)  # steps from a value to the first step of the horizon
        fading = 0.5 ** np.minimum(ages / half_life, MOST_HALVINGS)
        order = np.argsort(values, axis=1, kind="stable")  # missing ones last
        rising = np.take_along_axis(values, order, axis=1)
        for first in range(min(season, plan.horizon)):  # steps a season apart have the same distribution
            same = (ages + first) % season == 0
            weights = (fading * (1 + boost * same))[order]
            weights[np.isnan(rising)] = 0.0
            result[rows, first::season] = _weighted(rising, weights, plan)[:, None]
    return result


def _weighted(rising: Floats, weights: Floats, plan: Plan) -> Floats:
    """Return the smallest value of each row below or at which a share of the weights lies: (rows, quantiles)."""
    sums = np.cumsum(weights, axis=1)
    rows = np.arange(len(rising))
    found = np.empty((len(rising), len(plan.quantiles)))
    for k, probability in enumerate(plan.quantiles):
        least = (probability - ROUNDING) * sums[:, -1:]
        found[:, k] = rising[rows, (sums < least).sum(axis=1)]
    return found


def _pinball(truth: Floats, quantiles: Floats, plan: Plan) -> Floats:
    """Return the pinball loss of each row, the sum over its observed steps: (rows,)."""
    error = truth[:, :, None] - quantiles
    levels = np.array(plan.quantiles)
    loss: Floats = np.nansum(np.maximum(levels * error, (levels - 1) * error), axis=(1, 2))
    return loss
