"""From a trained model to forecasts: what `predict` runs, in NumPy alone."""

from dataclasses import replace

import numpy as np

from forecast.errors import DataError, MismatchError
from forecast.evaluation import calibration
from forecast.forecasters import registry
from forecast.forecasters.baselines import seasonal_naive
from forecast.panels.panel import Floats, Integers, Panel, panel_of
from forecast.panels.units import seasonal_difference
from forecast.plan import MEDIAN, Plan
from forecast.trained import Forecasts, Trained


def predict(trained: Trained, panel: Panel | None = None, horizon: int | None = None) -> Forecasts:
    """Forecast from the end of each series; without a panel from the context stored with the model.

    A series may be new (own scale), short (padded), a fallback (seasonal naive, when over half of its last season is
    missing) or skipped (nothing observed). Beyond the trained horizon the median is fed back. Raises MismatchError when
    the panel's columns or frequency are not those of the model.
    """
    panel = _matching(trained, panel)
    known = known_rows(trained.ids, panel)
    plan = trained.plan
    units = np.where(known >= 0, trained.units[known], seasonal_difference(panel, plan.season))
    wanted = horizon or plan.horizon
    quantiles = _raw_quantiles(trained, panel, known, wanted)
    status = _status(panel, plan, known, quantiles)
    bad = np.flatnonzero(np.array(status) == "fallback")
    if len(bad):
        point = seasonal_naive(panel.select(bad), max(plan.base, plan.season), wanted)
        quantiles[bad] = point[:, :, None]
    return Forecasts(
        ids=panel.ids,
        calendar=panel.calendar,
        cutoffs=panel.last,
        quantiles=calibration.apply(trained.calibration, quantiles, units),
        probabilities=plan.quantiles,
        status=status,
    )


def evaluate(trained: Trained, panel: Panel, origins: int = 20) -> tuple[Forecasts, Floats]:
    """Forecast the last `origins` origins of each series whose whole horizon is in the panel, without a refit.

    Returns the forecasts, one row per series and origin, and the truth (rows, horizon). For other origins, cut the
    panel with `panel.select(series, lengths)`, where a series may repeat, and call `predict` and `truth`.
    """
    back = trained.plan.horizon + np.arange(origins)[::-1]
    series = np.repeat(np.arange(len(panel)), origins)
    lengths = panel.lengths[series] - np.tile(back, len(panel))
    keep = lengths >= 1
    cut = panel.select(series[keep], lengths[keep])
    return predict(trained, cut), cut.truth(trained.plan.horizon)


def known_rows(ids: tuple[str, ...], panel: Panel) -> Integers:
    """Return the row of each series of the panel among the ids of a model, -1 where it has none."""
    row = {name: number for number, name in enumerate(ids)}
    return np.array([row.get(name, -1) for name in panel.ids], dtype=np.int64)


def _mixed(trained: Trained, panel: Panel, known: Integers) -> Floats:
    """Return the weighted quantiles of the published forecasters: (series, horizon, quantiles)."""
    total = np.zeros((len(panel), trained.plan.horizon, len(trained.plan.quantiles)))
    for one, weight in zip(trained.fitted, trained.weights, strict=True):
        total += weight * registry.run(one, panel, known, trained.plan)
    return total


def _raw_quantiles(trained: Trained, panel: Panel, known: Integers, horizon: int) -> Floats:
    """Return uncalibrated quantiles for any horizon; beyond the trained one the median is fed back as if observed."""
    parts = [_mixed(trained, panel, known)]
    while sum(part.shape[1] for part in parts) < horizon:
        panel = _extended(panel, parts[-1][:, :, MEDIAN])
        parts.append(_mixed(trained, panel, known))
    return np.concatenate(parts, axis=1)[:, :horizon]


def _extended(panel: Panel, values: Floats) -> Panel:
    """Return the panel with these values (series, steps) appended to each series as if they had been observed."""
    longer = panel_of(
        {str(row): np.concatenate([panel.values(row), values[row]]) for row in range(len(panel))}, panel.calendar
    )
    return replace(longer, ids=panel.ids, starts=panel.starts, static=panel.static)


def _status(panel: Panel, plan: Plan, known: Integers, quantiles: Floats) -> tuple[str, ...]:
    """Return the status of each series, the gravest that holds."""
    recent = panel.tail(min(max(plan.season, plan.segment), plan.window))
    missing = np.isnan(recent).mean(axis=1) > 0.5
    nothing = ~np.isfinite(panel.tail(plan.lookback)).any(axis=1)
    failed = ~np.isfinite(quantiles).all(axis=(1, 2))
    short = panel.lengths < plan.window
    conditions = [nothing, failed | missing & ~short, known < 0, short]
    return tuple(np.select(conditions, ["skipped", "fallback", "new", "short"], "ok").tolist())


def _matching(trained: Trained, panel: Panel | None) -> Panel:
    """Return the panel to forecast from, which has the model's covariates and steps."""
    if panel is None:
        if trained.context is None:
            raise DataError("the model was stored without its last rows.\nName the table to forecast from.")
        return trained.context
    for role, names in (("past", trained.plan.past), ("future", trained.plan.future)):
        found = len(getattr(panel, role))
        if found != len(names):
            raise MismatchError(
                f"the model was trained with {len(names)} {role} covariates, the table has {found}.\n"
                f"Give the columns {', '.join(names)} with --{role}, or train again."
            )
    ours, theirs = trained.calendar, panel.calendar
    if (ours.freq, ours.anchor) != (theirs.freq, theirs.anchor):
        moved = ", but at other moments" if ours.freq == theirs.freq else ""
        raise MismatchError(
            f"the model was trained on steps of {ours.freq!r}, the table has {theirs.freq!r}{moved}.\n"
            "Give a table of the same frequency, or train again."
        )
    return panel
