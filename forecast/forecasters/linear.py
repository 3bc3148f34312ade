"""Ridge regression from the window to the horizon, in closed form: one matrix for all series.

    u = (window - level) / spread        forecast = level + spread x (u, 1) W

Level: the mean of the window's last season; spread: its mean absolute seasonal difference, the unit in which errors are
scored. A linear forecast of this form is hard to beat on long windows (Zeng et al., Are Transformers Effective for Time
Series Forecasting?, 2023; Toner, Darlow, An Analysis of Linear Time Series Forecasting Models, 2024). Windows are never
laid out as a whole: chunks of them are gathered by index and added to the products Z'Z of their inputs and targets, and
everything, the choice of the penalty included, follows from these products.
"""

from dataclasses import dataclass

import numpy as np

from forecast.forecasters.baselines import naive
from forecast.forecasters.fitted import Fitted, Kind
from forecast.panels.blocks import fill_forward
from forecast.panels.panel import Floats, Integers, Panel
from forecast.plan import Plan

MOST = 100_000  # windows that are fitted on, drawn evenly
CHUNK = 2_048  # windows in one product
BLOCK = 256  # series in one product when forecasting, always: a row's rounding depends on the shape it is computed in
PENALTIES = tuple(10.0**power for power in range(-5, 2))  # in units of the mean diagonal of Z'Z
DEFAULT = 1e-1  # where there are too few windows to choose
JUDGES = 10  # windows, at least, that choose the penalty
SHARE = 0.1  # of the windows, the latest, choose it
FLOOR = 0.01  # least spread, in standard deviations of the window
TINY = 1e-9  # a deviation below this share of the level is rounding, not movement


def fit(panel: Panel, plan: Plan) -> Fitted:
    """Fit the matrix on the visible steps: the penalty chosen on the latest windows, then refitted on all.

    Arrays: weights (window + 1, horizon), float32 values, the last row the constant. Without a single usable window
    they are zero, and the forecast is the level.
    """
    early, gap, late = _products(panel, plan)
    everything = early + gap + late
    size = plan.window + 1
    if everything[size - 1, size - 1] == 0:  # the constant's product with itself: the number of windows
        return Fitted(Kind.RIDGE, {"weights": np.zeros((size, plan.horizon))})
    penalty = DEFAULT
    if min(early[size - 1, size - 1], late[size - 1, size - 1]) >= JUDGES:
        errors = [_squared_error(late, size, _solve(early, size, each)) for each in PENALTIES]
        penalty = PENALTIES[int(np.argmin(errors))]
    weights = _solve(everything, size, penalty).astype(np.float32)
    return Fitted(Kind.RIDGE, {"weights": weights.astype(np.float64)})


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
        windows[: len(rows)] = _fill(_values(part, part.history(plan.window)), plan.season)
        inputs, level, spread = _normalise(windows, plan)
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
    """Return every origin whose targets are visible, at most so many, drawn evenly.

    A series too short for a whole window and horizon has one, with its window padded in front.
    """
    last = panel.lengths - plan.horizon
    first = np.minimum(plan.window, last)
    counts = np.where(last >= 1, last - first + 1, 0)
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    flat = np.arange(total)
    if total > MOST:
        # Evenly spaced, and shifted by an irrational share: a stride of whole seasons would see one phase alone.
        flat = ((np.arange(MOST) + (np.arange(MOST) * 0.6180339887498949) % 1) * (total / MOST)).astype(np.int64)
    series = np.searchsorted(ends, flat, side="right")
    steps = first[series] + flat - (ends - counts)[series]
    return _Origins(series, steps, panel.starts[series] + steps - 1)


def _products(panel: Panel, plan: Plan) -> tuple[Floats, Floats, Floats]:
    """Return Z'Z of the early windows, of those whose targets reach into the late ones, and of the late ones.

    Z = (inputs, 1, targets), normalised: each product is (window + 1 + horizon) squared.
    """
    origins = _origins(panel, plan)
    threshold = np.quantile(origins.times, 1 - SHARE) if len(origins.times) else 0
    group = (origins.times > threshold - plan.horizon).astype(np.int64) + (origins.times > threshold)
    size = plan.window + 1 + plan.horizon
    products = np.zeros((3, size, size))
    for part in range(3):
        chosen = np.flatnonzero(group == part)
        for first in range(0, len(chosen), CHUNK):
            rows = chosen[first : first + CHUNK]
            z = _rows(panel.select(origins.series[rows], origins.steps[rows]), plan)
            products[part] += z.T @ z
    return products[0], products[1], products[2]


def _rows(cut: Panel, plan: Plan) -> Floats:
    """Return (inputs, 1, targets) of the usable windows among series cut at their origins: (windows, ...).

    The targets lie ahead of the cut and yet within sight, for the origins were chosen so. A window whose inputs or
    targets are mostly missing, or whose inputs do not move, teaches nothing and is left out.
    """
    index = np.hstack([cut.history(plan.window), cut.ahead(plan.horizon)])
    values = _values(cut, index)
    observed = ~np.isnan(values)
    begun = index[:, : plan.window] >= 0
    enough = observed[:, : plan.window].sum(axis=1) * 2 >= begun.sum(axis=1)
    enough &= observed[:, plan.window :].sum(axis=1) * 2 >= plan.horizon
    filled = _fill(values[enough], plan.season)
    inputs, level, spread = _normalise(filled[:, : plan.window], plan)
    targets = (filled[:, plan.window :] - level) / spread
    moving = inputs[:, :-1].any(axis=1)
    return np.hstack([inputs, targets])[moving]


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


def _fill(values: Floats, season: int) -> Floats:
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


def _solve(product: Floats, size: int, penalty: float) -> Floats:
    """Return the ridge weights (size, horizon); the constant is penalised like the rest."""
    inputs, cross = product[:size, :size], product[:size, size:]
    return np.linalg.solve(inputs + np.eye(size) * (penalty * np.trace(inputs) / size), cross)


def _squared_error(product: Floats, size: int, weights: Floats) -> float:
    """Return the sum of squared errors on the windows of a product: |Y|^2 - 2 <W, X'Y> + <W, X'X W>."""
    inputs, cross = product[:size, :size], product[:size, size:]
    return float(np.trace(product[size:, size:]) - 2 * (weights * cross).sum() + (weights * (inputs @ weights)).sum())
