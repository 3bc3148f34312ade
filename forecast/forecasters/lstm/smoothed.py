"""The forecast of exponential smoothing, as a member may be shown it: what all that came before its window amounts to.

A network reads one short window. Level, trend and season of the longer history are what Smyl's ES-RNN adds to it (A
hybrid method of exponential smoothing and recurrent neural networks, 2020); here they reach the decoder as one more
forecast, beside the repetition of the last season, and each origin's is made of what lies before it alone.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from forecast.forecasters import smoothing
from forecast.forecasters.fitted import Fitted, Kind
from forecast.panels.panel import Floats, Integers, Panel
from forecast.plan import Plan

PREFIX = "series.smoothing"  # of the names of its arrays among those of the network


def fit(panel: Panel, plan: Plan) -> dict[str, Floats]:
    """Fit exponential smoothing on the visible steps; return its arrays, (series,) each, by the names they are kept by.

    None where no member of the plan is shown it.
    """
    found = smoothing.fit_smoothing(panel, plan).arrays if plan.smoothed else {}
    return {name.replace("series", PREFIX): array for name, array in found.items()}


def shapes(plan: Plan, series: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays by name; none where no member is shown it."""
    found = smoothing.shapes_smoothing(plan, series) if plan.smoothed else {}
    return {name.replace("series", PREFIX): shape for name, shape in found.items()}


def check(arrays: Mapping[str, Floats]) -> None:
    """Raise ValueError where one of its numbers is not finite."""
    if not all(np.isfinite(array).all() for name, array in arrays.items() if name.startswith(PREFIX)):
        raise ValueError("exponential smoothing needs finite numbers")


def forecasts(arrays: Mapping[str, Floats], panel: Panel, known: Integers, plan: Plan) -> Floats:
    """Forecast from the end of each series over whole segments: (series, padded horizon), in units of the target.

    NaN where nothing was observed. Where the plan does not show it: (series, 0).
    """
    if not plan.smoothed:
        return np.empty((len(panel), 0))
    own = {name.replace(PREFIX, "series"): array for name, array in arrays.items() if name.startswith(PREFIX)}
    padded = replace(plan, horizon=plan.output_segments * plan.segment, quantiles=plan.quantiles[:1])
    return smoothing.run_smoothing(Fitted(Kind.SMOOTHING, own), panel, known, padded)[:, :, 0]
