"""Bands that follow a model's own later errors: how much wider or narrower than at training they have to be.

What calibration has found holds as long as the world errs like the rows it was found on. Every row after those of
training tells how well the forecasts before it would have held: at past origins, half a horizon apart, the model
forecasts what is known by now. Where too much of that lies outside the bands, they grow about the point forecast, where
too little, they shrink. The aim is that of adaptive conformal inference (Gibbs, Candes, Adaptive Conformal Inference
Under Distribution Shift, 2021), without a state: each run finds what it needs in the table.
"""

from dataclasses import dataclass
from math import gcd

import numpy as np

from forecast.panels.panel import Floats, Integers, Panel
from forecast.plan import MEDIAN, Plan

REACH = 10  # horizons: how far back errors count
PRIOR = 1.0  # horizons: for so long a time alone, half of what the errors say is believed
LARGEST = 5.0  # times, by which bands grow or shrink at most
ROWS = 500  # past origins behind one forecast, about: more say the same


@dataclass(frozen=True, eq=False)
class Past:
    """Origins of the past, of which the truth is known by now, in part at least."""

    series: Integers  # (rows,) of the panel
    lengths: Integers  # (rows,) steps in sight

    def panel(self, panel: Panel) -> Panel:
        """Return the panel as it was at these origins."""
        return panel.select(self.series, panel.honest(self.series, self.lengths))


def past_origins(panel: Panel, known: Integers, trained_to: Integers, plan: Plan, count: int) -> Past:
    """Return the origins since training that tell how wide the bands of a panel have to be.

    known: (series,) the row of each series in the model, -1 where it has none; trained_to: (series,) the last step that
    the model has learned from, as an ordinal; count: series of the model. Origins lie at the same steps of the calendar
    whenever they are asked for, and have a whole window before them: a table of recent rows alone shows less to them
    than to the forecast. Of many series each origin has a part, another one each time.
    """
    apart = spacing(plan)
    each = max(1, len(plan.targets))
    stride = max(1, -(-count // each * _per_series(plan) // ROWS))
    _, views, of = np.unique(np.stack([panel.begins, panel.starts]), axis=1, return_index=True, return_inverse=True)
    limits = np.iinfo(np.int64)
    newest, oldest = np.full(len(views), limits.min), np.full(len(views), limits.max)
    np.maximum.at(newest, of.ravel(), panel.last)
    np.minimum.at(oldest, of.ravel(), panel.last)
    whole = panel.starts[views] + plan.window - 1
    low = np.maximum(np.maximum(trained_to[views], whole), oldest // apart * apart - REACH * plan.horizon)
    first, last = -(-low // apart), (newest - 1) // apart
    number = np.where(known[views] >= 0, np.maximum(last - first + 1, 0), 0)
    view = np.repeat(np.arange(len(views)), number)
    place = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number) + first[view]
    kept = (known[views][view] // each + place) % stride == 0
    series = views[view[kept]]
    return Past(series, place[kept] * apart - panel.starts[series] + 1)


def spacing(plan: Plan) -> int:
    """Return the steps between two past origins: half a horizon, and not always the same hour of the day."""
    steps = max(1, plan.horizon // 2)
    while gcd(steps, plan.season) > 1:
        steps -= 1
    return steps


def band_scales(past: Panel, quantiles: Floats, plan: Plan, cutoffs: Integers) -> Floats:
    """Return by which factor the bands at each cutoff have to grow about the point forecast: (cutoffs,).

    past: the panel at past origins, quantiles: (rows, horizon, quantiles) calibrated forecasts from there, NaN in rows
    to leave out; cutoffs: ordinals of the last known step. Only what was known then is looked at, as of the last step
    at which origins lie, so that the bands do not move with every row. 1 where nothing is known.
    """
    scales, apart, reach = np.ones(len(cutoffs)), spacing(plan), REACH * plan.horizon
    if not len(past):
        return scales
    scores, levels = _scores(past.truth(plan.horizon), quantiles, plan)
    origins = past.last[:, None]
    times = origins + np.arange(1, plan.horizon + 1)
    usable = np.isfinite(scores[0])
    moments, of = np.unique(cutoffs // apart * apart, return_inverse=True)
    for number, moment in enumerate(moments.tolist()):
        seen = usable & (times <= moment) & (origins >= moment - reach)
        if seen.any():
            horizons = (moment + 1 - times[seen].min()) / plan.horizon
            series = len(np.unique(past.begins[seen.any(axis=1)]))
            weight = horizons * np.sqrt(series)  # series that err together say less than as many that do not
            found = [np.quantile(score[seen], level) for score, level in zip(scores, levels, strict=True)]
            change = np.log(np.clip(found, 1 / LARGEST, LARGEST)).mean()
            scales[of.ravel() == number] = np.exp(change * weight / (weight + PRIOR))
    return scales


def _per_series(plan: Plan) -> int:
    """Return how many past origins of a series lie within reach."""
    return -(-REACH * plan.horizon // spacing(plan))


def _scores(truth: Floats, quantiles: Floats, plan: Plan) -> tuple[Floats, list[float]]:
    """Return how far the truth lies from the point forecast, as a share of each band's half there, and the levels.

    (bands, rows, horizon): if a band holds, as many of its scores are below 1 as its level says.
    """
    error = truth - quantiles[..., MEDIAN]
    scores, levels = [], []
    for low in range(MEDIAN):
        high = len(plan.quantiles) - 1 - low
        half = np.abs(quantiles[..., low] - quantiles[..., MEDIAN])
        half = np.where(error > 0, quantiles[..., high] - quantiles[..., MEDIAN], half)
        outside = np.where(error == 0, 0.0, LARGEST)  # of a band without width
        scores.append(np.where(np.isnan(error), np.nan, np.divide(np.abs(error), half, out=outside, where=half > 0)))
        levels.append(plan.quantiles[high] - plan.quantiles[low])
    return np.stack(scores), levels
