"""What the network is shown of a window: channels, normalisation, the forecast it starts from, calendar features.

Written once for NumPy and Keras: `xp` is `numpy` (the runtime, float64) or `keras.ops` (training and export, float32).
In an expression the array that Keras may hold stands on the left: an export has symbols there, which NumPy cannot take.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.panels.panel import Floats
from forecast.plan import LINEAR, Plan

Array = Any  # a NumPy array or a Keras tensor
SPREAD_FLOOR = 1e-2  # of the series' own spread: a flat stretch must not blow noise up to full size
CLIP = 20.0  # spreads: an outlier further out says no more than that it is one


@dataclass(frozen=True, eq=False)
class Rows:
    """A batch of windows as gathered from the panel, scaled per series; B rows.

    values, mask: (B, reach + window), 0 where missing or before the series begins; `reach` is the longest season.
    inside: (B, window, covariates) past, future-known and calendar; ahead: (B, padded horizon, covariates) the latter.
    static: (B, static). smoothing: (B, padded horizon) the forecast of exponential smoothing, scaled as the values;
    (B, 0) where the plan does not show it.
    """

    values: Array
    mask: Array
    inside: Array
    ahead: Array
    static: Array
    smoothing: Array


@dataclass(frozen=True, eq=False)
class Inputs:
    """What the cell reads, and how to undo the normalisation; B rows."""

    encoder: Array  # (B, input segments, encoder width)
    decoder: Array  # (B, output segments, decoder width)
    base: Array  # (B, horizon), normalised: the forecast that the network corrects
    level: Array  # (B, 1)
    spread: Array  # (B, 1)


def reach(plan: Plan) -> int:
    """Return the steps before the window that its seasonal differences look back to."""
    return max(plan.seasons) if max(plan.seasons) > 1 else 0


def lags(plan: Plan) -> tuple[int, ...]:
    """Return the seasonal lags whose differences and repetitions the network is shown."""
    return tuple(season for season in plan.seasons if season > 1)


def widths(plan: Plan) -> tuple[int, int]:
    """Return the numbers of encoder and decoder inputs per segment."""
    known = len(plan.future) + len(plan.calendar)
    channels = 2 + len(lags(plan)) + len(plan.past) + known
    encoder = plan.segment * channels
    forecasts = 1 + len(lags(plan)) + plan.smoothing
    decoder = plan.segment * (forecasts + known) + len(plan.static) + plan.output_segments
    return encoder, decoder


def prepare(xp: Any, plan: Plan, rows: Rows, linear: Array) -> Inputs:
    """Turn gathered windows into what the cell reads: normalise each window by itself, cut segments.

    linear: (window + 1, horizon) the weights of the linear base; None where the plan starts from another.
    """
    scaled, level, spread = normalised(xp, plan, rows)
    last = _last(xp, plan, rows, level)
    window, padded = plan.window, plan.output_segments * plan.segment
    channels = [scaled[:, -window:], rows.mask[:, -window:]]
    forecasts = [
        xp.clip((last - level) / spread, -CLIP, CLIP)
        + xp.zeros_like(rows.values[:, :1]) * np.zeros((1, padded), "float32")
    ]
    for lag in lags(plan):
        before = slice(reach(plan) - lag, reach(plan) - lag + window)
        both = rows.mask[:, before] * rows.mask[:, -window:]
        channels.append((scaled[:, -window:] - scaled[:, before]) * both)
        forecasts.append(_repeat(xp, scaled, rows.mask, lag, forecasts[0]))
    if plan.smoothing:
        forecasts.append(xp.clip((rows.smoothing - level) / spread, -CLIP, CLIP))
    encoder = xp.concatenate([xp.stack(channels, axis=-1), rows.inside], axis=-1)  # (B, window, channels)
    if plan.base == LINEAR:
        base = xp.matmul(scaled[:, -window:], linear[:-1]) + linear[-1]
    else:
        base = forecasts[(1, *lags(plan)).index(plan.base)][:, : plan.horizon]
    decoder = xp.concatenate([xp.stack(forecasts, axis=-1), rows.ahead], axis=-1)  # (B, padded, known)
    return Inputs(
        encoder=xp.reshape(encoder, (-1, plan.input_segments, plan.segment * encoder.shape[-1])),
        decoder=_decoder(xp, plan, decoder, rows.static),
        base=base,
        level=level,
        spread=spread,
    )


def normalised(xp: Any, plan: Plan, rows: Rows) -> tuple[Array, Array, Array]:
    """Return the windows (B, reach + window) in spreads from their level, 0 where missing, with level and spread.

    Both are (B, 1): the mean of the last season, the standard deviation of it or of the whole window, as the plan says;
    both of the whole window where over half of that season is unseen.
    """
    season = min(max(plan.seasons), plan.window) if max(plan.seasons) > 1 else plan.window
    whole = _moments(xp, rows.values[:, -plan.window :], rows.mask[:, -plan.window :])
    recent = _moments(xp, rows.values[:, -season:], rows.mask[:, -season:])
    enough = recent[2] * 2 >= season
    level = xp.where(enough, recent[0], whole[0])
    spread = xp.maximum(whole[1] if plan.whole_spread else xp.where(enough, recent[1], whole[1]), SPREAD_FLOOR)
    return xp.clip((rows.values - level) / spread, -CLIP, CLIP) * rows.mask, level, spread


def _last(xp: Any, plan: Plan, rows: Rows, level: Array) -> Array:
    """Return the last observed value of each window, (B, 1), or its level where there is none."""
    order = np.arange(1, plan.window + reach(plan) + 1, dtype="float32")  # the last observed step has the highest
    newest = xp.max(rows.mask * order, axis=1, keepdims=True)
    here = xp.equal(newest, order) & (rows.mask > 0)
    last = xp.sum(xp.where(here, rows.values, xp.zeros_like(rows.values)), axis=1, keepdims=True)
    return xp.where(newest > 0, last, level)


def _moments(xp: Any, values: Array, mask: Array) -> tuple[Array, Array, Array]:
    """Return mean, standard deviation and number of the observed values of each row, each (B, 1); 0 where none is."""
    count = xp.sum(mask, axis=1, keepdims=True)
    some = xp.maximum(count, 1.0)
    mean = xp.sum(values * mask, axis=1, keepdims=True) / some
    variance = xp.sum(mask * (values - mean) ** 2, axis=1, keepdims=True) / some
    return mean, xp.sqrt(variance), count


def _repeat(xp: Any, scaled: Array, mask: Array, lag: int, last: Array) -> Array:
    """Return the last `lag` steps repeated over the horizon, the last value where one is missing: (B, padded)."""
    index = np.arange(last.shape[1]) % lag - lag  # steps before the end
    index = index + scaled.shape[1]
    return xp.where(xp.take(mask, index, axis=1) > 0, xp.take(scaled, index, axis=1), last)


def _decoder(xp: Any, plan: Plan, known: Array, static: Array) -> Array:
    """Return the decoder input: what is known of each segment, the static covariates, the position as one-hot."""
    count = plan.output_segments
    segments = xp.reshape(known, (-1, count, plan.segment * known.shape[-1]))
    empty = xp.zeros_like(segments[:, :, :1])
    position = empty + np.eye(count, dtype="float32")
    return xp.concatenate([segments, empty + static[:, None, :], position], axis=-1)


CALENDAR_FEATURES = (
    *("day_sin", "day_cos", *(f"weekday_{day}" for day in range(7)), "month_sin", "month_cos"),
    *("year_sin", "year_cos", "year_sin2", "year_cos2", "holiday"),
)


def calendar_names(times: NDArray[np.datetime64], step: float, span: float) -> tuple[str, ...]:
    """Return the calendar features worth having for steps of `step` days over a history of `span` days."""
    names: list[str] = []
    if step < 1:
        names += ["day_sin", "day_cos"]
    if step < 7 and span >= 14:
        names += [f"weekday_{day}" for day in range(7)]
    if step < 28 and span >= 2 * 365:
        names += ["month_sin", "month_cos"]
    if step < 360 and span >= 2 * 365:
        names += ["year_sin", "year_cos", "year_sin2", "year_cos2"]
    return tuple(names) if times.size else ()


def calendar_features(times: NDArray[np.datetime64], names: tuple[str, ...], holidays: Floats | None = None) -> Floats:
    """Return the named calendar features of local times: (times, names), each within -1..1 but that of the holidays.

    holidays: (times,) the number of holidays in each step, which is the feature `holiday`.
    """
    if not names:
        return np.empty((len(times), 0))
    moment = times.astype("datetime64[s]")
    day = moment.astype("datetime64[D]")
    month, year = moment.astype("datetime64[M]"), moment.astype("datetime64[Y]")
    within = (moment - day) / np.timedelta64(1, "D")
    of_month = (moment - month) / ((month + 1).astype("datetime64[s]") - month.astype("datetime64[s]"))
    of_year = (moment - year) / ((year + 1).astype("datetime64[s]") - year.astype("datetime64[s]"))
    weekday = (day.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    waves = {"day": within, "month": of_month, "year": of_year}
    columns = []
    for name in names:
        kind, _, what = name.partition("_")
        if kind == "holiday":
            columns.append(np.zeros(len(times)) if holidays is None else holidays)
        elif kind == "weekday":
            columns.append((weekday == int(what)).astype(float))
        else:
            turns = 2 * np.pi * waves[kind] * (2 if what.endswith("2") else 1)
            columns.append(np.sin(turns) if what.startswith("sin") else np.cos(turns))
    return np.stack(columns, axis=-1)
