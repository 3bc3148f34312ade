"""Ridge regression from the window to the horizon, in closed form: one matrix for all series.

    u = (window - level) / spread        forecast = level + spread x (u, 1) W

Level: the mean of the window's last season; spread: its mean absolute seasonal difference. A linear forecast of this
form is hard to beat on long windows (Zeng et al., Are Transformers Effective for Time Series Forecasting?, 2023; Toner,
Darlow, An Analysis of Linear Time Series Forecasting Models, 2024).

Errors count in the geometric mean of the window's spread and the unit of its series, in which forecasts are scored: in
the spread alone, calm windows outweigh those whose errors are scored most; in the unit alone, the wild ones rule.
"""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from forecast.forecasters import least_squares
from forecast.forecasters.baselines import naive
from forecast.forecasters.fitted import Fitted, Kind
from forecast.panels.blocks import fill_gaps
from forecast.panels.panel import Floats, Integers, Panel
from forecast.panels.units import seasonal_difference
from forecast.panels.windows import drawn_origins
from forecast.plan import Plan

BLOCK = 256  # series in one product when forecasting, always: a row's rounding depends on the shape it is computed in
FLOOR = 0.01  # least spread, in standard deviations of the window
TINY = 1e-13  # a deviation below this share of the level is rounding, not movement


def fit(panel: Panel, plan: Plan) -> Fitted:
    """Fit the matrix on the visible steps: the penalty chosen by cross-validation, then fitted to all windows.

    Arrays: weights (window + 1, horizon), float32 values, the last row the constant. Where the newer half of the window
    is enough, by cross-validation, the older half has zeros. Without a single usable window all are zero, and the
    forecast is the level.
    """
    origins, inputs = _origins(panel, plan), np.arange(plan.window + 1)
    units = seasonal_difference(panel, plan.season)

    def rows(chosen: Integers) -> Floats:
        series = origins.series[chosen]
        return _rows(panel.select(series, origins.steps[chosen]), units[series], plan)

    found = least_squares.products(origins.times, len(inputs), plan.horizon, rows)
    return Fitted(Kind.RIDGE, {"weights": least_squares.solve(found, [inputs, inputs[plan.window // 2 :]])})


def run(fitted: Fitted, panel: Panel, known: Integers, plan: Plan) -> Floats:
    """Forecast from the end of the panel: (series, horizon, quantiles), every quantile the point.

    A series whose whole window is missing repeats its last observed value.
    """
    weights = fitted.arrays["weights"]
    point = np.empty((len(panel), plan.horizon))
    for first in range(0, len(panel), BLOCK):
        rows = np.arange(first, min(first + BLOCK, len(panel)))
        part = panel.select(rows)
        windows = np.zeros((BLOCK, plan.window))
        windows[: len(rows)] = fill_gaps(_values(part, part.history(plan.window)), plan.season)
        inputs, level, spread = _normalise(windows, plan)
        with threadpool_limits(1, user_api="blas"):  # rounding must not depend on the number of threads
            point[rows] = (level + spread * (inputs @ weights))[: len(rows)]
    empty = np.flatnonzero(np.isnan(point).any(axis=1))
    if len(empty):
        point[empty] = naive(panel.select(empty), plan.horizon, plan.lookback)
    return np.broadcast_to(point[:, :, None], (*point.shape, len(plan.quantiles)))


def shapes(plan: Plan, series: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays."""
    return {"weights": (plan.window + 1, plan.horizon)}


@dataclass(frozen=True, eq=False)
class _Origins:
    """Where the windows end that are fitted on."""

    series: Integers  # (windows,)
    steps: Integers  # (windows,) steps of the series before the origin
    times: Integers  # (windows,) calendar ordinal of the last step before the origin


def _origins(panel: Panel, plan: Plan) -> _Origins:
    """Return every origin whose targets are visible, or as many as are fitted on.

    A series too short for a whole window and horizon has one, with its window padded in front.
    """
    last = panel.lengths - plan.horizon
    first = np.minimum(plan.window, last)
    counts = np.where(last >= 1, last - first + 1, 0)
    series, steps = drawn_origins(first, counts, least_squares.MOST)
    return _Origins(series, steps, panel.starts[series] + steps - 1)


def _rows(cut: Panel, units: Floats, plan: Plan) -> Floats:
    """Return (inputs, 1, targets), weighted, of the usable windows among series cut at their origins: (windows, ...).

    units: (windows,) of their series.
    The targets lie ahead of the cut and yet within sight, for the origins were chosen so. A window whose inputs or
    targets are mostly missing, or whose inputs do not move, teaches nothing and is left out.
    """
    index = np.hstack([cut.history(plan.window), cut.ahead(plan.horizon)])
    values = _values(cut, index)
    observed = ~np.isnan(values)
    begun = index[:, : plan.window] >= 0
    enough = observed[:, : plan.window].sum(axis=1) * 2 >= begun.sum(axis=1)
    enough &= observed[:, plan.window :].sum(axis=1) * 2 >= plan.horizon
    filled = fill_gaps(values[enough], plan.season)
    inputs, level, spread = _normalise(filled[:, : plan.window], plan)
    targets = (filled[:, plan.window :] - level) / spread
    moving = inputs[:, :-1].any(axis=1)
    weights = np.sqrt(spread / units[enough, None])
    return (np.hstack([inputs, targets]) * weights)[moving]


def _normalise(windows: Floats, plan: Plan) -> tuple[Floats, Floats, Floats]:
    """Return the inputs (rows, window + 1), each window's level (rows, 1) and its spread (rows, 1).

    The last input is 1. A window that does not move has inputs 0, the constant included, so its forecast is its level.
    """
    level = windows[:, -min(plan.seasons[-1], plan.window) :].mean(axis=1, keepdims=True)
    deviation = windows.std(axis=1, keepdims=True)
    moves = deviation > TINY * np.abs(level)
    lag = plan.season if plan.season < plan.window else 1
    change = np.zeros_like(level)
    if plan.window > lag:
        change = np.abs(windows[:, lag:] - windows[:, :-lag]).mean(axis=1, keepdims=True)
    # A window that repeats itself exactly must not outweigh all others.
    spread = np.where(moves, np.maximum(change, FLOOR * deviation), 1.0)
    inputs = np.hstack([(windows - level) / spread, np.ones_like(level)])
    return np.where(moves, inputs, 0.0), level, spread


def _values(panel: Panel, index: Integers) -> Floats:
    """Return the target at a flat index (series, steps), NaN where it is -1."""
    return np.where(index >= 0, panel.target[index], np.nan)
