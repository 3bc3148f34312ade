"""A trained network for other programs, as one Keras model, and how to prepare what it reads: output only."""

from typing import Any

from forecast.errors import UsageError
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm.network import input_shapes
from forecast.forecasters.lstm.smoothed import PREFIX
from forecast.forecasters.smoothing import USUAL, first_steps
from forecast.panels.channels import TRANSFORM
from forecast.plan import Plan
from forecast.trained import Trained

CALENDAR = (
    "calendar features, of the time that the clock shows: _sin and _cos of 2 pi times the share of the day, month or "
    "year that has passed (_sin2, _cos2: of 4 pi), weekday_0 (Monday) to weekday_6 as 0 and 1, the number of holidays"
)
COVARIATES = "(value - centre) / spread of their column, 0 where missing"
FORMULAS = {
    "log": "(log(value) - centre) / spread, and -10 where value <= 0; back: exp(output * spread + centre)",
    "power": "(p(value) - centre) / spread, p being Yeo and Johnson's transform with `power`; back: its inverse",
}
SMOOTHING = (
    "y the last `lookback` steps of the series from its first value on, their logarithms where `log` is 1. Where "
    "`season` is 1, the profile is the mean distance, by phase, of y from its moving average over m steps (centred by "
    "pairs where m is even), less the mean of these; else 0. l and b begin as the line of regression through the first "
    "`first` steps of y less the profile, one step before them; s begins as the profile. Each step: e = y - (l + phi b "
    "+ s[phase]), 0 where y is missing; l = l + phi b + alpha e; b = phi b + beta e; s[phase] = s[phase] + gamma e. "
    "Forecast h steps ahead: l + (phi + ... + phi^h) b + s[phase], no further than max(y) - min(y) beyond y, and back "
    "from the logarithm. The profile of an m above 24 is taken off before and added after, and s is 0. No "
    "logarithms where a value is 0 or below; moving averages carry the last value over gaps; of less than 2 m steps "
    "the profile is 0. A series that is not in `series` has the median of each number; `season` and `log` count above "
    "0.5."
)
PLAIN = "(value - centre) / spread; back: output * spread + centre"
STEPS = (
    "Take the last steps of a series up to the origin, as `inputs` says; the last one is the origin.",
    "Scale them with the numbers of the series in `scales`, by its place in `series`. A series that is not there is "
    "scaled by its own history.",
    "The model gives for each member quantiles (rows, horizon, quantiles) in the scale of `outputs`: bring them back.",
    "The forecast of the network is the mean of the members, weighted with `share`, sorted along the quantiles.",
    "`forecast predict` goes on from there: it mixes in the other forecasters of `mix`, moves the quantiles by the "
    "calibration of the model, keeps to its bounds, and feeds the forecast back beyond the horizon. That is not here.",
)


def export(trained: Trained, name: str) -> tuple[Any, dict[str, Any]]:
    """Return the Keras model of the network of a trained model, and as plain values how to use it.

    name: what messages call the model. Raises UsageError where it has no network, and without Keras and TensorFlow.
    """
    network = next((one for one in trained.fitted if one.kind is Kind.NETWORK), None)
    if network is None:
        raise UsageError(
            f"{name} has no network: {', '.join(one.kind for one in trained.fitted)} did better when it was trained.\n"
            "Choose another version, or train with --forecaster network."
        )
    try:
        from forecast.forecasters.lstm.model import ensemble  # Keras and TensorFlow start here
    except ModuleNotFoundError as error:
        raise UsageError(
            f"a model for Keras needs Keras and TensorFlow, and {error.name} is not installed.\n"
            "Export on a machine that trains, or install them with: pip install forecast-lstm"
        ) from None
    return ensemble(network, trained.plan), describe(trained, network)


def describe(trained: Trained, network: Fitted) -> dict[str, Any]:
    """Return what the model reads and gives, and every number that is needed to prepare the one and use the other."""
    plan = trained.plan
    shares = plan.shares or (1 / plan.members,) * plan.members
    shape = [None, plan.horizon, len(plan.quantiles)]
    outputs = {
        f"member_{member}": {"shape": shape, "scale": transform, "share": share}
        for member, (transform, share) in enumerate(zip(plan.transforms, shares, strict=True))
    }
    parts = zip(trained.fitted, trained.weights, strict=True)
    return {
        "steps": list(STEPS),
        "frequency": trained.calendar.freq,
        "horizon": plan.horizon,
        "quantiles": list(plan.quantiles),
        "inputs": _inputs(plan),
        "outputs": outputs,
        "mix": [{"kind": str(one.kind), "weight": weight} for one, weight in parts],
        "covariates": _covariates(plan, network),
        "scales": {
            transform: {
                "formula": FORMULAS.get(transform, PLAIN),
                **{
                    name: network.arrays[f"series.{transform}.{name}"].tolist()
                    for name in ("centre", "spread", "power")
                },
            }
            for transform in dict.fromkeys((*plan.transforms, *([TRANSFORM] if plan.mixed_targets else ())))
        },
        **({"smoothing": _smoothing(plan, network)} if plan.smoothed else {}),
        "series": _series(trained),
    }


def _inputs(plan: Plan) -> dict[str, Any]:
    """Return shape and meaning of each input."""
    known = f"known ahead: {COVARIATES}; then {CALENDAR}"
    others = f"; target:NAME is another target of the same id in the scale {TRANSFORM!r}, 0 for the series' own"
    holds = {
        "mask": "1 where a value is there, 0 where it is missing or the series has not begun",
        "inside": f"of the steps of the window: past covariates and those {known}"
        + (others if plan.mixed_targets else ""),
        "ahead": f"of the steps to forecast: covariates {known}. Covariates beyond the horizon are 0",
        "static": f"static covariates: {COVARIATES}",
    }
    kinds = {
        "values": "the last values in the scale {!r}, 0 where mask is 0",
        "smoothing": "the forecast of exponential smoothing, see `smoothing`, in the scale {!r}, 0 where there is none",
    }
    columns = {
        "inside": [*plan.past, *plan.future, *plan.calendar],
        "ahead": [*plan.future, *plan.calendar],
        "static": list(plan.static),
    }
    return {
        name: {
            "shape": [None, *shape],
            "holds": holds.get(name) or kinds[name.partition("_")[0]].format(name.partition("_")[2]),
            **({"columns": columns[name]} if name in columns else {}),
        }
        for name, shape in input_shapes(plan).items()
    }


def _covariates(plan: Plan, network: Fitted) -> dict[str, Any]:
    """Return names, centre and spread of the covariates of each role that has some."""
    roles = {"past": plan.past, "future": plan.future, "static": plan.static}
    return {
        role: {
            "names": list(names),
            **{name: network.arrays[f"{role}.{name}"].tolist() for name in ("centre", "spread")},
        }
        for role, names in roles.items()
        if names
    }


def _smoothing(plan: Plan, network: Fitted) -> dict[str, Any]:
    """Return how exponential smoothing forecasts, with its numbers for each series."""
    numbers = {name: network.arrays[f"{PREFIX}.{name}"].tolist() for name in USUAL}
    return {"formula": SMOOTHING, "lookback": plan.lookback, "m": plan.season, "first": first_steps(plan), **numbers}


def _series(trained: Trained) -> list[dict[str, str]]:
    """Return id, and target where there are several, of each series in the order of the scales."""
    targets = trained.plan.targets
    return [
        {"id": name, **({"target": targets[row % len(targets)]} if targets else {})}
        for row, name in enumerate(trained.ids)
    ]
