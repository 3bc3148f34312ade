"""Exponential smoothing and Theta, fitted for all series at once: the loop runs over time, the arrays over series.

Smoothing: a level, a damped trend and an additive season, on the values or their logarithms (Gardner, McKenzie 1985;
Hyndman, Koehler, Ord, Snyder, Forecasting with Exponential Smoothing, 2008). Theta: seasonally adjusted where a test
says so, then the mean of the line of regression and of simple smoothing of the series with twice its distance from that
line (Assimakopoulos, Nikolopoulos, The theta model, 2000; adjustment and test as in the M4 competition's benchmark).
Weights are picked per series from a grid, then refined, by the squared one-step errors. Both forget: only the last
`plan.lookback` steps are read, when fitting and when forecasting.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.states import (
    Flags,
    States,
    Weights,
    ahead,
    first_states,
    has_season,
    line,
    seasonal_profile,
    smooth,
    tile,
    total,
    within_reach,
)
from forecast.panels.blocks import blocks
from forecast.panels.panel import Floats, Integers, Panel
from forecast.plan import Plan

LONGEST = 24  # steps of a season that is smoothed; a longer one is taken off as a fixed profile
CELLS = 150_000  # numbers in one step of one block: what the processor's cache holds
MOST = 500_000  # numbers in one block
WEIGHTS = ("alpha", "beta", "phi", "gamma")
USUAL = {"alpha": 0.3, "beta": 0.0, "phi": 0.0, "gamma": 0.0, "season": 0.0, "log": 0.0}  # where nothing is known
ALPHAS = (0.05, 0.15, 0.3, 0.5, 0.8)
# beta / alpha and phi: a trend that learns faster fits one step ahead better, and many steps ahead worse.
TRENDS = ((0.0, 0.0), (0.0, 0.9), (0.05, 0.9), (0.0, 0.97), (0.05, 0.97))
GAMMAS = (0.0, 0.05, 0.2)
STEPS = (0.4, 0.2, 0.1)  # of refinement, as shares
THETA_ALPHAS = (0.05, *(k / 10 for k in range(1, 10)), 0.97)
STARTS = 5  # values whose mean is the first level of Theta
FIRST = 10  # steps, at least, through which the line for the first level and trend is drawn
DETAIL = 1e-12  # errors below this share of the level are rounding


@dataclass(frozen=True, eq=False)
class _Block:
    """Series laid so that each begins in column 0."""

    rows: Integers  # (rows,) which series of the panel
    values: Floats  # (rows, time), NaN where missing and after the end; 0 where nothing was ever observed
    lengths: Integers  # (rows,) steps from the first observed one to the end of the series
    empty: Flags  # (rows,) nothing was ever observed


def fit_smoothing(panel: Panel, plan: Plan) -> Fitted:
    """Fit damped, seasonal exponential smoothing. Arrays (series,): series.alpha, beta, phi, gamma, season, log.

    A series begins with a season where its autocorrelation says so; whether it learns one, whether it has a trend, and
    whether its values or their logarithms are smoothed, is what gives the lowest corrected AIC.
    """
    numbers = {name: np.full(len(panel), np.nan) for name in USUAL}
    for block in _blocks(panel, plan, _grid(True).alpha.shape[1]):
        seasonal = has_season(block.values, block.lengths, plan.season)
        plain, score = _pick(block.values, block.lengths, seasonal, plan)
        logs, positive = _logs(block.values)
        logged, score_of_logs = _pick(logs, block.lengths, seasonal, plan)
        # A density of logarithms becomes one of values by the slope of the logarithm, 1 / y.
        score_of_logs = score_of_logs + 2 * total(np.where(np.isnan(logs), 0.0, logs))
        better = positive & (score_of_logs < score)
        found = {name: np.where(better, logged[name], plain[name]) for name in WEIGHTS} | {
            "season": seasonal,
            "log": better,
        }
        for name, column in found.items():
            numbers[name][block.rows] = np.where(block.empty, np.nan, column)
    return Fitted(Kind.SMOOTHING, _complete(numbers))


def run_smoothing(fitted: Fitted, panel: Panel, known: Integers, plan: Plan) -> Floats:
    """Forecast from the end of the panel: (series, horizon, quantiles), every quantile the point.

    A forecast goes beyond the history by the range of that at most (in logarithms, if it is made of them), so that no
    trend runs away.
    """
    numbers = {name: _of(fitted, name, known) for name in USUAL}
    point = np.empty((len(panel), plan.horizon))
    for block in _blocks(panel, plan, 1):
        own = {name: column[block.rows] for name, column in numbers.items()}
        logs, positive = _logs(block.values)
        log = (positive & (own["log"] > 0.5))[:, None]
        values = np.where(log, logs, block.values)
        fixed, states = _begin(values, block.lengths, own["season"] > 0.5, plan)
        weights = Weights(*(own[name][:, None] for name in WEIGHTS))
        _, states = smooth(values - tile(fixed, values.shape[1]), block.lengths, states, weights)
        found = ahead(states, weights.phi, block.lengths, plan.horizon)
        found = within_reach(found + tile(fixed, plan.horizon, block.lengths), values)
        found = np.where(log, np.exp(np.where(log, found, 0.0)), found)
        point[block.rows] = np.where(block.empty[:, None], np.nan, found)
    return np.broadcast_to(point[:, :, None], (*point.shape, len(plan.quantiles)))


def fit_theta(panel: Panel, plan: Plan) -> Fitted:
    """Fit the Theta method. Arrays, each (series,): series.alpha, series.season (1 where it is adjusted)."""
    numbers = {name: np.full(len(panel), np.nan) for name in ("alpha", "season")}
    for block in _blocks(panel, plan, len(THETA_ALPHAS)):
        seasonal = has_season(block.values, block.lengths, plan.season)
        curved, states = _bend(_adjust(block, seasonal, plan)[0])[:2]
        alpha = np.array([THETA_ALPHAS])
        for step in (0.05, 0.025, 0.0):
            squares, _ = smooth(curved, block.lengths, states, _simple(alpha))
            best = _best(np.broadcast_to(alpha, squares.shape), squares)
            alpha = np.clip(best + np.array([[0.0, -step, step]]), 0.01, 0.99)
        numbers["alpha"][block.rows] = np.where(block.empty, np.nan, best[:, 0])
        numbers["season"][block.rows] = np.where(block.empty, np.nan, seasonal)
    return Fitted(Kind.THETA, _complete(numbers))


def run_theta(fitted: Fitted, panel: Panel, known: Integers, plan: Plan) -> Floats:
    """Forecast from the end of the panel: (series, horizon, quantiles), every quantile the point."""
    alpha, season = _of(fitted, "alpha", known), _of(fitted, "season", known)
    point = np.empty((len(panel), plan.horizon))
    for block in _blocks(panel, plan, 1):
        adjusted, profile, positive = _adjust(block, season[block.rows] > 0.5, plan)
        curved, states, level, slope = _bend(adjusted)
        _, states = smooth(curved, block.lengths, states, _simple(alpha[block.rows][:, None]))
        found = (_straight(level, slope, block.lengths, plan.horizon) + states.level) / 2
        found = within_reach(found, adjusted)
        waves = tile(profile, plan.horizon, block.lengths)
        found = np.where(positive[:, None], found * np.exp(np.where(positive[:, None], waves, 0.0)), found + waves)
        point[block.rows] = np.where(block.empty[:, None], np.nan, found)
    return np.broadcast_to(point[:, :, None], (*point.shape, len(plan.quantiles)))


def shapes_smoothing(plan: Plan, series: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays of smoothing."""
    return {f"series.{name}": (series,) for name in USUAL}


def shapes_theta(plan: Plan, series: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays of Theta."""
    return {"series.alpha": (series,), "series.season": (series,)}


def _pick(values: Floats, lengths: Integers, seasonal: Flags, plan: Plan) -> tuple[dict[str, Floats], Floats]:
    """Return the best weights of each series, and their corrected AIC: ({name: (rows,)}, (rows,))."""
    fixed, states = _begin(values, lengths, seasonal, plan)
    rest = values - tile(fixed, values.shape[1])
    # A series whose season the test has missed may still learn one. (M3's training ends: 1 to 3 % better than without.)
    weights, score = _search(rest, lengths, states, _grid(1 < plan.season <= LONGEST))
    return {name: column[:, 0] for name, column in zip(WEIGHTS, _columns(weights), strict=True)}, score


def _search(values: Floats, lengths: Integers, states: States, candidates: Weights) -> tuple[Weights, Floats]:
    """Return each series' best weights, (rows, 1), and their score, (rows,): of the grid, then of smaller steps."""
    for step in (*STEPS, 0.0):
        squares, _ = smooth(values, lengths, states, candidates)
        scores = _corrected_aic(values, squares, _parts(candidates))
        best = Weights(*(_best(column, scores) for column in _columns(candidates)))
        candidates = _around(best, step)
    return best, scores.min(axis=1)


def _grid(seasonal: bool) -> Weights:
    """Return every combination of the starting weights, simplest first: each (1, candidates)."""
    grid = product(GAMMAS if seasonal else GAMMAS[:1], TRENDS, ALPHAS)
    rows = [(alpha, share * alpha, phi, gamma) for gamma, (share, phi), alpha in grid]
    return Weights(*(np.array([column]) for column in zip(*rows, strict=True)))


def _around(weights: Weights, step: float) -> Weights:
    """Return weights (rows, 1) and, beside them, each one alone made smaller and larger: (rows, 9)."""
    factors = np.ones((4, 9))  # what is 0 stays 0
    for place in range(4):
        factors[place, 2 * place + 1 : 2 * place + 3] = 1 - step, 1 + step
    alpha, beta, gamma = (
        column * factor
        for column, factor in zip((weights.alpha, weights.beta, weights.gamma), factors[:3], strict=True)
    )
    phi = np.where(weights.phi > 0, np.clip(1 - (1 - weights.phi) * factors[3], 0.8, 0.98), 0.0)
    alpha = np.clip(alpha, 0.01, 0.99)
    return Weights(alpha, np.minimum(beta, alpha), phi, np.minimum(gamma, 0.95))


def _columns(weights: Weights) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the four weights in the order of WEIGHTS."""
    return weights.alpha, weights.beta, weights.phi, weights.gamma


def _parts(weights: Weights) -> Floats:
    """Return how many numbers each candidate has that were fitted: (rows or 1, candidates)."""
    trend = weights.phi > 0
    # The level and its weight; the trend, its damping and its weight; the weight of the season.
    parts = 2.0 + 2.0 * trend + (trend & (weights.beta > 0)) + (weights.gamma > 0)
    return np.asarray(parts, dtype=np.float64)


def _corrected_aic(values: Floats, squares: Floats, parts: Floats) -> Floats:
    """Return the corrected AIC of normal errors for each candidate: (rows, candidates); lower is better."""
    seen = ~np.isnan(values)
    count = np.maximum(total(seen.astype(np.float64)), 1)[:, None]
    size = np.abs(np.where(seen, values, 0.0)).max(axis=1, keepdims=True)
    floor = (DETAIL * size) ** 2 + np.finfo(np.float64).tiny
    correction: Floats = 2 * parts * (parts + 1) / np.maximum(count - parts - 1, 1)
    scores: Floats = count * np.log(np.maximum(squares / count, floor)) + 2 * parts + correction
    return scores


def _best(candidates: Floats, scores: Floats) -> Floats:
    """Return the candidate with the lowest score of each row, the first of equals: (rows, 1)."""
    return np.take_along_axis(np.broadcast_to(candidates, scores.shape), scores.argmin(axis=1)[:, None], axis=1)


def first_steps(plan: Plan) -> int:
    """Return the steps through which the line for the first level and trend is drawn."""
    return max(FIRST, min(plan.season, LONGEST))


def _begin(values: Floats, lengths: Integers, seasonal: Flags, plan: Plan) -> tuple[Floats, States]:
    """Return the fixed profile, (rows, season or 1), and the states before the first step."""
    season = plan.season
    zero = np.zeros((len(values), 1))
    fixed = moving = zero
    if season > 1:  # whoever else is in the block
        profile = np.where(seasonal[:, None], seasonal_profile(values, lengths, season), 0.0)
        fixed, moving = (zero, profile) if season <= LONGEST else (profile, zero)
    return fixed, first_states(values - tile(fixed, values.shape[1]), moving, first_steps(plan))


def _adjust(block: _Block, seasonal: Flags, plan: Plan) -> tuple[Floats, Floats, Flags]:
    """Return the values without their season, the profile that was taken off, and where it is one of logarithms."""
    logs, positive = _logs(block.values)
    base = np.where(positive[:, None], logs, block.values)
    profile = np.where(seasonal[:, None], seasonal_profile(base, block.lengths, plan.season), 0.0)
    waves = tile(profile, base.shape[1])
    ratio = np.exp(np.where(positive[:, None], waves, 0.0))
    return np.where(positive[:, None], block.values / ratio, block.values - waves), profile, positive


def _bend(values: Floats) -> tuple[Floats, States, Floats, Floats]:
    """Return the values at twice their distance from their line, their first level; level and slope of the line."""
    level, slope = line(values)
    bent = 2 * values - _straight(level, slope, 0, values.shape[1])
    start = bent[:, :STARTS]
    seen = ~np.isnan(start)
    first = total(np.where(seen, start, 0.0)) / np.maximum(total(seen.astype(np.float64)), 1)
    return bent, States(first[:, None], np.zeros((len(bent), 1)), np.zeros((1, len(bent), 1))), level, slope


def _simple(alpha: Floats) -> Weights:
    """Return the weights of simple smoothing: a level alone."""
    none = np.zeros_like(alpha)
    return Weights(alpha, none, none, none)


def _straight(level: Floats, slope: Floats, first: Integers | int, width: int) -> Floats:
    """Return the line at `width` steps from `first` on: (rows, width)."""
    return level[:, None] + slope[:, None] * (np.reshape(first, (-1, 1)) + np.arange(width))


def _logs(values: Floats) -> tuple[Floats, Flags]:
    """Return the logarithms, 0 where there is none, and which rows have them throughout."""
    logs = np.where(np.isnan(values), np.nan, np.log(np.where(values > 0, values, 1.0)))
    return logs, np.asarray(~(values <= 0).any(axis=1), dtype=np.bool_)


def _blocks(panel: Panel, plan: Plan, candidates: int) -> Iterator[_Block]:
    """Yield the last `plan.lookback` steps of all series, so many that one step of all candidates fits the cache."""
    longest = int(min(plan.lookback, panel.lengths.max(initial=1)))
    for rows, values in blocks(panel, plan.lookback, min(MOST, max(1, CELLS // candidates) * longest)):
        width = values.shape[1]
        seen = ~np.isnan(values)
        empty = ~np.asarray(seen.any(axis=1), dtype=np.bool_)
        first = seen.argmax(axis=1)
        place = first[:, None] + np.arange(width)
        moved = np.take_along_axis(values, np.minimum(place, width - 1), axis=1)
        moved = np.where(place < width, moved, np.nan)
        moved[empty] = 0.0
        yield _Block(rows, moved, width - first, empty)


def _complete(numbers: dict[str, Floats]) -> dict[str, Floats]:
    """Return arrays by their stored names, with the usual number where a series taught nothing."""
    return {f"series.{name}": np.where(np.isnan(column), USUAL[name], column) for name, column in numbers.items()}


def _of(fitted: Fitted, name: str, known: Integers) -> Floats:
    """Return a number of each series of the panel: (series,); of a new one the median of those known."""
    column = fitted.arrays[f"series.{name}"]
    middle = float(np.median(column)) if len(column) else USUAL[name]
    if not len(column):
        return np.full(len(known), middle)
    return np.where(known >= 0, column[np.maximum(known, 0)], middle)
