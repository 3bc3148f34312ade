"""The forecasts that need no fitting: the last value, the value one season before, and the line of drift."""

from collections.abc import Callable

import numpy as np

from forecast.forecasters.fitted import Fitted, Kind
from forecast.panels.blocks import blocks, last_observed
from forecast.panels.panel import Floats, Integers, Panel
from forecast.plan import Plan


def naive(panel: Panel, horizon: int, lookback: int | None = None) -> Floats:
    """Repeat the last observed value of the last `lookback` steps: (series, horizon); NaN where there is none."""
    return _by_blocks(panel, horizon, lookback, lambda values: last_observed(values)[:, None])


def seasonal_naive(panel: Panel, lag: int, horizon: int, lookback: int | None = None) -> Floats:
    """Repeat the last `lag` values: (series, horizon).

    A missing one gives way to the value one season earlier, and so on within the last `lookback` steps; where there is
    none, to the last observed value. A series without any gives NaN.
    """

    def forecast(values: Floats) -> Floats:
        count = -(-values.shape[1] // lag)
        front = np.full((len(values), count * lag - values.shape[1]), np.nan)
        seasons = np.hstack([front, values]).reshape(len(values), count, lag)
        newest = last_observed(seasons.transpose(0, 2, 1).reshape(-1, count)).reshape(-1, lag)
        filled = np.where(np.isnan(newest), last_observed(values)[:, None], newest)
        return filled[:, np.arange(horizon) % lag]

    return _by_blocks(panel, horizon, lookback, forecast)


def drift(panel: Panel, horizon: int, lookback: int | None = None) -> Floats:
    """Go on along the line through the first and the last observed value: (series, horizon).

    Of the last `lookback` steps; a series with one observed value repeats it, one without any gives NaN.
    """

    def forecast(values: Floats) -> Floats:
        width = values.shape[1]
        seen = ~np.isnan(values)
        first = seen.argmax(axis=1)
        last = width - 1 - seen[:, ::-1].argmax(axis=1)
        rows = np.arange(len(values))
        slope = (values[rows, last] - values[rows, first]) / np.maximum(last - first, 1)
        steps = width - last[:, None] + np.arange(horizon)  # counted from the last observed value
        line: Floats = values[rows, last][:, None] + slope[:, None] * steps
        return line

    return _by_blocks(panel, horizon, lookback, forecast)


def fit_naive(panel: Panel, plan: Plan) -> Fitted:
    """Return the record of a forecaster that needs no numbers."""
    return Fitted(Kind.NAIVE)


def run_naive(fitted: Fitted, panel: Panel, known: Integers, plan: Plan) -> Floats:
    """Forecast from the end of the panel: (series, horizon, quantiles), every quantile the point."""
    return _as_quantiles(naive(panel, plan.horizon, plan.lookback), plan)


def fit_seasonal_naive(panel: Panel, plan: Plan) -> Fitted:
    """Return the record of a forecaster that needs no numbers."""
    return Fitted(Kind.SEASONAL_NAIVE)


def run_seasonal_naive(fitted: Fitted, panel: Panel, known: Integers, plan: Plan) -> Floats:
    """Forecast from the end of the panel: (series, horizon, quantiles), every quantile the point."""
    return _as_quantiles(seasonal_naive(panel, plan.seasonal_lag, plan.horizon, plan.lookback), plan)


def fit_drift(panel: Panel, plan: Plan) -> Fitted:
    """Return the record of a forecaster that needs no numbers."""
    return Fitted(Kind.DRIFT)


def run_drift(fitted: Fitted, panel: Panel, known: Integers, plan: Plan) -> Floats:
    """Forecast from the end of the panel: (series, horizon, quantiles), every quantile the point."""
    return _as_quantiles(drift(panel, plan.horizon, plan.lookback), plan)


def shapes(plan: Plan, series: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays of any baseline: there are none."""
    return {}


def _as_quantiles(point: Floats, plan: Plan) -> Floats:
    """Return the point, (series, horizon), for every quantile, without taking memory for it."""
    return np.broadcast_to(point[:, :, None], (*point.shape, len(plan.quantiles)))


def _by_blocks(panel: Panel, horizon: int, lookback: int | None, forecast: Callable[[Floats], Floats]) -> Floats:
    """Forecast block by block: `forecast` takes values (rows, time) and gives what broadcasts to (rows, horizon)."""
    result = np.empty((len(panel), horizon))
    for rows, values in blocks(panel, lookback):
        result[rows] = forecast(values)
    return result
