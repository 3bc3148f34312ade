"""The linear forecast that a member may start from, so that its network learns only what is not linear.

    base = (scaled window, 1) W        both normalised by the window's own level and spread, see panels/features.py

A ridge regression in closed form, of errors in the scale of the series: windows of little movement, which normalisation
blows up, would else outweigh all others. Zhang, Time series forecasting using a hybrid ARIMA and neural network model
(2003), fits a network to the residuals of a linear model, too.
"""

import numpy as np

from forecast.forecasters import least_squares
from forecast.forecasters.lstm.examples import Examples
from forecast.panels.blocks import fill_gaps
from forecast.panels.features import normalised
from forecast.panels.panel import Floats, Integers
from forecast.panels.windows import drawn, gather
from forecast.plan import Plan


def fit(examples: Examples, plan: Plan) -> Floats:
    """Return the weights of a member's linear base: (window + 1, horizon), float32 values, the last row the constant.

    A window whose targets are mostly missing teaches it nothing; without any other, the weights are zero.
    """
    chosen = drawn(len(examples.windows.series), least_squares.MOST)
    series, lengths = examples.windows.series[chosen], examples.windows.lengths[chosen]
    inputs = np.arange(plan.window + 1)

    def rows(some: Integers) -> Floats:
        return _rows(examples, plan, series[some], lengths[some])

    times = examples.starts[series] + lengths
    return least_squares.solve(least_squares.products(times, len(inputs), plan.horizon, rows), [inputs])


def _rows(examples: Examples, plan: Plan, series: Integers, lengths: Integers) -> Floats:
    """Return (inputs, 1, targets) of the usable windows, normalised, weighted by their spread: (windows, ...)."""
    begins, limits = examples.begins[series], examples.limits[series]
    ends = begins + lengths
    places = (begins, ends, limits, examples.starts[series] + lengths)
    window = gather(np, plan, examples.columns, places, examples.static[series])
    scaled, level, spread = normalised(np, plan, window)
    steps = np.minimum(ends[:, None] + np.arange(-plan.window, plan.horizon), limits[:, None] - 1)
    values = np.where(steps >= begins[:, None], examples.columns.values[steps], np.nan)
    usable = 2 * np.isfinite(values[:, plan.window :]).sum(axis=1) >= plan.horizon
    truth = fill_gaps(values, plan.season)[:, plan.window :]
    z = np.hstack([scaled[:, -plan.window :], np.ones_like(level), (truth - level) / spread])
    rows: Floats = (z * spread)[usable].astype(np.float64)
    return rows
