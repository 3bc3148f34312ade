"""Windows: gathered from the flat panel by index, never materialised as a table of overlapping copies.

Like the features, written once for NumPy and Keras (`xp`), so that training and the runtime read the same steps.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.panels.features import Array, Rows, calendar_features, reach
from forecast.panels.holidays import holidays_in
from forecast.panels.panel import Floats, Integers, Panel
from forecast.plan import Plan

BLOCK = 2**16  # steps whose calendar features are made at once


@dataclass(frozen=True, eq=False)
class Columns:
    """The flat arrays that windows are gathered from; `steps` are the stored rows of the panel."""

    values: Array  # (steps,) scaled target, NaN where missing
    past: Array  # (steps, past covariates) standardised, 0 where missing
    future: Array  # (steps, future-known covariates) standardised, 0 where missing
    calendar: Array  # (ordinals, calendar features)
    first: int  # ordinal of calendar[0]


def columns_of(panel: Panel, plan: Plan, values: Array, covariates: tuple[Floats, Floats], dtype: str) -> Columns:
    """Gather-ready columns: values (steps,) scaled with NaN where missing; covariates (past, future) standardised.

    Values that are of the wanted type are taken as they are: a panel of ten million steps is not copied to be read.
    """
    first = int(panel.starts.min()) if len(panel) else 0
    stored = panel.starts + panel.limits - panel.begins  # origins may move on into the rows ahead
    last = int(stored.max()) + plan.output_segments * plan.segment if len(panel) else 0
    past, future = (np.nan_to_num(columns).T.astype(dtype) for columns in covariates)
    return Columns(
        values=values.astype(dtype, copy=False),
        past=past if past.size else np.zeros((len(values), 0), dtype),
        future=future if future.size else np.zeros((len(values), 0), dtype),
        calendar=_calendar(panel, plan, np.arange(first, last + 1), dtype),
        first=first,
    )


def _calendar(panel: Panel, plan: Plan, ordinals: Integers, dtype: str) -> Array:
    """Return the calendar features of these steps: (ordinals, calendar features).

    In blocks: in float64, those of the minutes of a few years would take a gigabyte on the way.
    """
    found = np.empty((len(ordinals), len(plan.calendar)), dtype)
    for begin in range(0, len(ordinals) if plan.calendar else 0, BLOCK):
        part = ordinals[begin : begin + BLOCK]
        holidays = holidays_in(panel.calendar, part, plan.holidays) if plan.holidays else None
        found[begin : begin + BLOCK] = calendar_features(panel.calendar.times(part), plan.calendar, holidays)
    return found


def gather(xp: Any, plan: Plan, columns: Columns, places: tuple[Array, Array, Array, Array], static: Array) -> Rows:
    """Gather the windows that end at the given places.

    places: begins, ends, limits (B,) flat indices and `ordinals` (B,) of the step after the origin, counted from
    columns.first; static: (B, static covariates). Future-known covariates beyond the horizon or a series' stored rows
    are 0. The forecast of exponential smoothing is not gathered: it is left empty.
    """
    begins, ends, limits, ordinals = (place[:, None] for place in places)
    behind = ends + np.arange(-plan.window - reach(plan), 0)
    inside = (behind >= begins) & (behind >= 0)
    index = xp.where(inside, behind, xp.zeros_like(behind))
    seen = xp.where(inside, 1.0, 0.0)
    window, steps = index[:, -plan.window :], np.arange(plan.output_segments * plan.segment)
    ahead = ends + steps
    # Not beyond the horizon, where the last segment reaches further: a forecast must not need what nobody gives it.
    stored = (ahead < limits) & (steps < plan.horizon)
    after = xp.where(stored, ahead, xp.zeros_like(ahead))
    known = seen[:, -plan.window :, None]
    kept = xp.where(stored, 1.0, 0.0)
    behind_dates = xp.maximum(ordinals + np.arange(-plan.window, 0), 0)
    values = xp.take(columns.values, index, axis=0)
    missing = xp.isnan(values)
    parts = [xp.take(columns.past, window, axis=0) * known, xp.take(columns.future, window, axis=0) * known]
    return Rows(
        values=xp.where(missing, xp.zeros_like(values), values) * seen,
        mask=xp.where(missing, xp.zeros_like(seen), seen),
        inside=xp.concatenate([*parts, xp.take(columns.calendar, behind_dates, axis=0)], axis=-1),
        ahead=xp.concatenate(
            [
                xp.take(columns.future, after, axis=0) * kept[:, :, None],
                xp.take(columns.calendar, ordinals + steps, axis=0),
            ],
            axis=-1,
        ),
        static=static,
        smoothing=values[:, :0],
    )


def origins_for_training(panel: Panel, plan: Plan) -> tuple[Integers, Integers]:
    """Return per series the first origin (steps seen before it) and the number of origins with a whole visible horizon.

    The shortest past is a season and a segment, or a third of a short series, or what a horizon leaves of it: shorter
    ones are padded and masked.
    """
    least = np.minimum(max(plan.season + 1, plan.segment, 2), np.maximum(panel.lengths // 3, 1))
    least = np.minimum(np.maximum(least, np.minimum(plan.window, panel.lengths // 2)), plan.window)
    least = np.minimum(least, np.maximum(panel.lengths - plan.horizon, 1))
    counts = np.maximum(panel.lengths - plan.horizon - least + 1, 0)
    return least.astype(np.int64), counts.astype(np.int64)


def drawn(total: int, most: int) -> Integers:
    """Return numbers of windows out of so many: all of them, or at most `most`, drawn evenly."""
    if total <= most:
        return np.arange(total)
    # Evenly spaced, and shifted by an irrational share: a stride of whole seasons would see one phase alone.
    return ((np.arange(most) + (np.arange(most) * 0.6180339887498949) % 1) * (total / most)).astype(np.int64)


def drawn_origins(first: Integers, counts: Integers, most: int) -> tuple[Integers, Integers]:
    """Return series and steps seen before the origin, (origins,) each, at most `most` of them, drawn evenly.

    first: (series,) steps before the first origin of a series; counts: (series,) its origins.
    """
    ends = np.cumsum(counts)
    chosen = drawn(int(ends[-1]) if len(ends) else 0, most)
    series = np.searchsorted(ends, chosen, side="right")
    return series, first[series] + chosen - (ends - counts)[series]
