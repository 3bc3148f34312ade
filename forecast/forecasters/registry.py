"""Everything that can forecast, by kind: how each is fitted, run, and which arrays it leaves."""

from collections.abc import Callable

from forecast.forecasters import baselines, intermittent, linear, smoothing
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm import network, smoothed
from forecast.panels.panel import Floats, Integers, Panel
from forecast.plan import Plan

FIT: dict[Kind, Callable[[Panel, Plan], Fitted]] = {
    Kind.RIDGE: linear.fit,
    Kind.SMOOTHING: smoothing.fit_smoothing,
    Kind.THETA: smoothing.fit_theta,
    Kind.SEASONAL_NAIVE: baselines.fit_seasonal_naive,
    Kind.DRIFT: baselines.fit_drift,
    Kind.NAIVE: baselines.fit_naive,
    Kind.INTERMITTENT: intermittent.fit,
}  # the network is fitted by lstm.network.fit, which also needs to know when to stop

RUN: dict[Kind, Callable[[Fitted, Panel, Integers, Plan], Floats]] = {
    Kind.NETWORK: network.run,
    Kind.RIDGE: linear.run,
    Kind.SMOOTHING: smoothing.run_smoothing,
    Kind.THETA: smoothing.run_theta,
    Kind.SEASONAL_NAIVE: baselines.run_seasonal_naive,
    Kind.DRIFT: baselines.run_drift,
    Kind.NAIVE: baselines.run_naive,
    Kind.INTERMITTENT: intermittent.run,
}

SHAPES: dict[Kind, Callable[[Plan, int], dict[str, tuple[int, ...]]]] = {
    Kind.NETWORK: network.shapes,
    Kind.RIDGE: linear.shapes,
    Kind.SMOOTHING: smoothing.shapes_smoothing,
    Kind.THETA: smoothing.shapes_theta,
    Kind.SEASONAL_NAIVE: baselines.shapes,
    Kind.DRIFT: baselines.shapes,
    Kind.NAIVE: baselines.shapes,
    Kind.INTERMITTENT: intermittent.shapes,
}


def fit_all(panel: Panel, plan: Plan) -> list[Fitted]:
    """Fit everything but the network; what is meant for series that are mostly zero only where there is one."""
    zeros = intermittent.is_intermittent(panel, plan).any()
    return [fit(panel, plan) for kind, fit in FIT.items() if kind is not Kind.INTERMITTENT or zeros]


def run(fitted: Fitted, panel: Panel, known: Integers, plan: Plan) -> Floats:
    """Forecast from the end of each series with a fitted forecaster: (series, horizon, quantiles), target units."""
    return RUN[fitted.kind](fitted, panel, known, plan)


def check_stored(fitted: Fitted) -> None:
    """Raise ValueError for arrays of the right shapes that no fit leaves: a scaling that cannot be undone, a NaN."""
    if fitted.kind is Kind.NETWORK:
        parts = (name.split(".") for name in fitted.arrays)
        for transform in {part[1] for part in parts if part[0] == "series" and part[-1] == "centre"}:
            network.scaling_of(fitted, transform)
        smoothed.check(fitted.arrays)


def shapes_of(kind: Kind, plan: Plan, series: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays that a fitted forecaster of this kind has."""
    return SHAPES[kind](plan, series)
