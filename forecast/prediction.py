"""From a trained model to forecasts: what `predict` runs, in NumPy alone."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from forecast import adapting
from forecast.errors import MissingAheadError
from forecast.evaluation import calibration
from forecast.forecasters import mixing, registry
from forecast.forecasters.baselines import seasonal_naive
from forecast.forecasters.fitted import Kind
from forecast.forecasters.intermittent import is_intermittent
from forecast.forecasters.lstm.network import scaling_of
from forecast.matching import known_rows, last_known, matching_panel, unknown_ahead
from forecast.panels import channels, scaling
from forecast.panels.blocks import observed
from forecast.panels.bounds import Bounds
from forecast.panels.clock import columns_on_clock, on_clock
from forecast.panels.holidays import refuse_unknown_days
from forecast.panels.panel import Floats, Integers, Panel, nothing_filled
from forecast.panels.units import band_units
from forecast.plan import MEDIAN, Plan
from forecast.trained import Forecasts, Trained


def predict(
    trained: Trained, panel: Panel | None = None, horizon: int | None = None, assume_future: bool = False
) -> Forecasts:
    """Forecast from the end of each series; without a panel from the context stored with the model.

    A series may be new (own scale), short (padded), a fallback (seasonal naive, when over half of its last season is
    missing) or skipped (nothing observed). Beyond the trained horizon the median is fed back, and the bands of the last
    trained step widen. Bands follow the errors that the model has made since training (adapting.py). All obey the
    bounds of the plan. Raises MismatchError when the panel's columns or frequency are not those of the model,
    MissingAheadError when future-known covariates of the steps to forecast are missing: `assume_future` takes their
    means instead.
    """
    table, names = matching_panel(trained, panel)
    plan = trained.plan
    steps = horizon or plan.horizon
    refuse_unknown_days(plan, table.calendar, table.last + steps)
    missing = unknown_ahead(table, plan, horizon)
    if missing and not assume_future:
        raise MissingAheadError(
            f"{missing} of the {len(table) * steps} steps to forecast have no value of "
            f"{', '.join(plan.future)}, which the model reads ahead.\n"
            "Give them with --future-data, or as rows of the table after the last value of the target."
        )
    panel = on_clock(table)
    columns = None if panel is table else columns_on_clock(table, steps)
    known = known_rows(trained.ids, panel)
    quantiles, status = _banded(trained, panel, known, steps if columns is None else int(columns.max()) + 1)
    quantiles = calibration.scaled(quantiles, _scales_since_training(trained, panel, known, status))
    if columns is not None:
        quantiles = np.take_along_axis(quantiles, columns[..., None], 1)
    bounds = Bounds.of(plan)
    return Forecasts(
        ids=table.ids,
        calendar=table.calendar,
        cutoffs=table.last,
        quantiles=bounds.apply(quantiles),
        probabilities=plan.quantiles,
        status=tuple(status.tolist()),
        bounds=bounds,
        unbounded=quantiles if bounds != Bounds() else None,
        targets=tuple(names[channel] for channel in panel.channel),
    )


def evaluate(trained: Trained, panel: Panel, origins: int = 20) -> tuple[Forecasts, Floats]:
    """Forecast the last `origins` origins of each series whose whole horizon is in the panel, without a refit.

    Only rows that came after training say how good a model is. Missing future covariates are taken as their means.
    Returns the forecasts, one row per series and origin, and the truth (rows, horizon). For other origins, cut the
    panel with `panel.select(series, lengths)`, where a series may repeat, and call `predict` and `truth`.
    """
    back = trained.plan.horizon + np.arange(origins)[::-1]
    series = np.repeat(np.arange(len(panel)), origins)
    lengths = panel.lengths[series] - np.tile(back, len(panel))
    keep = lengths >= 1
    cut = panel.select(series[keep], panel.honest(series[keep], lengths[keep]))
    return predict(trained, cut, assume_future=True), cut.truth(trained.plan.horizon)


def _mixed(trained: Trained, panel: Panel, known: Integers) -> Floats:
    """Return the weighted quantiles of the published forecasters: (series, horizon, quantiles)."""
    weights: Sequence[float | Floats] = trained.weights
    if trained.sparse_weights:
        zeros = is_intermittent(panel, trained.plan)
        pairs = zip(trained.weights, trained.sparse_weights, strict=True)
        weights = [np.where(zeros, sparse, ordinary) for ordinary, sparse in pairs]
    return mixing.mix((registry.run(one, panel, known, trained.plan) for one in trained.fitted), weights)


def _banded(trained: Trained, panel: Panel, known: Integers, horizon: int) -> tuple[Floats, NDArray[np.str_]]:
    """Return the quantiles with the bands of training, and the status of each series: (series, horizon, quantiles)."""
    plan, new = trained.plan, np.flatnonzero(known < 0)
    units = trained.units[known]
    units[new] = band_units(panel.select(new), plan.season, np.fmin.reduce(trained.units, initial=1.0))
    raw = _raw_quantiles(trained, panel, known, horizon)
    status = _status(panel, plan, known, raw)
    calibrated = calibration.apply(trained.calibration, raw, units, is_intermittent(panel, plan))
    quantiles = _widened(calibrated, plan.horizon)
    bad = np.flatnonzero(status == "fallback")
    if len(bad):
        quantiles[bad] = fallback(panel.select(bad), plan, units[bad], horizon)
    return quantiles, status


def band_scale(trained: Trained, panel: Panel) -> float:
    """Return by which factor the bands of a model have to grow to hold what came after training, as a whole.

    panel: on the clock. 1 where nothing is known.
    """
    status = np.array(expected_status(panel, trained.plan))
    usual = ~is_intermittent(panel, trained.plan) & (status != "fallback")
    scales = _scales_since_training(trained, panel, known_rows(trained.ids, panel), status)[usual]
    return float(np.median(scales)) if len(scales) else 1.0


def _scales_since_training(trained: Trained, panel: Panel, known: Integers, status: NDArray[np.str_]) -> Floats:
    """Return by which factor the bands of each series have to grow to hold what came after training: (series,).

    Fallbacks follow their own errors; bands of series that are mostly zero stay as they are.
    """
    plan = trained.plan
    chosen = adapting.past_origins(panel, known, last_known(trained, panel), plan, len(trained.ids))
    if not len(chosen.series):
        return np.ones(len(panel))
    past = chosen.panel(panel)
    found, then = _banded(trained, past, known[chosen.series], plan.horizon)
    moving, usable = ~is_intermittent(panel, plan), ~is_intermittent(past, plan)
    scales = np.ones(len(panel))
    for alike, was_alike in ((status == "fallback", then == "fallback"), (status != "fallback", then != "fallback")):
        shown = np.where((usable & was_alike)[:, None, None], found, np.nan)
        scales = np.where(moving & alike, adapting.band_scales(past, shown, plan, panel.last), scales)
    return scales


def _raw_quantiles(trained: Trained, panel: Panel, known: Integers, horizon: int) -> Floats:
    """Return uncalibrated quantiles for any horizon; beyond the trained one the median is fed back as if observed."""
    scales, bounds = _scales(trained, panel, known), Bounds.of(trained.plan)
    parts = [_mixed(trained, channels.with_other_targets(panel, scales), known)]
    while sum(part.shape[1] for part in parts) < horizon:
        panel = _extended(panel, bounds.clip(parts[-1][:, :, MEDIAN]))
        parts.append(_mixed(trained, channels.with_other_targets(panel, scales), known))
    return (np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0])[:, :horizon]


def _scales(trained: Trained, panel: Panel, known: Integers) -> scaling.Scaling | None:
    """Return the scaling in which forecasters see other targets; None where they do not.

    A series that training has not seen is scaled by its own history.
    """
    if not trained.plan.mixed_targets:
        return None
    network = next(one for one in trained.fitted if one.kind is Kind.NETWORK)
    return scaling.align(scaling_of(network, channels.TRANSFORM), panel, known)


def _extended(panel: Panel, values: Floats) -> Panel:
    """Return the panel with these values (series, steps) appended to each series as if they had been observed.

    Covariates go on as far as they are stored, and are missing beyond.
    """
    steps = values.shape[1]
    ahead = panel.limits - panel.begins
    lengths = panel.lengths + steps
    ends = np.cumsum(np.maximum(ahead, lengths))
    begins = ends - np.maximum(ahead, lengths)

    def moved(columns: Floats, counts: Integers) -> Floats:
        longer = np.full((*columns.shape[:-1], ends[-1]), np.nan)
        longer[..., _places(begins, counts)] = columns[..., _places(panel.begins, counts)]
        return longer

    target = moved(panel.target, panel.lengths)
    target[(begins + panel.lengths)[:, None] + np.arange(steps)] = values
    return replace(
        panel,
        begins=begins,
        lengths=lengths,
        limits=ends,
        target=target,
        # What lies ahead of the panel may be stored, in a backtest, but only the future-known columns may be read.
        past=moved(panel.past, panel.lengths) if len(panel.past) else panel.past,
        future=moved(panel.future, ahead) if len(panel.future) else panel.future,
        filled=nothing_filled(),
    )


def _places(begins: Integers, counts: Integers) -> Integers:
    """Return the flat index of the first `counts` steps of each series, one series after the other."""
    before = np.cumsum(counts) - counts
    index: Integers = np.arange(counts.sum()) + np.repeat(begins - before, counts)
    return index


def _widened(quantiles: Floats, horizon: int) -> Floats:
    """Return the quantiles with the bands beyond the trained horizon at least sqrt(step / horizon) times its last.

    As a random walk's error grows. Fed with its own forecast, a forecaster starts anew each time, and its own bands
    know nothing of the error that is in what it was fed.
    """
    if quantiles.shape[1] <= horizon:
        return quantiles
    distance = quantiles - quantiles[..., MEDIAN, None]
    growth = np.sqrt(np.arange(horizon + 1, quantiles.shape[1] + 1) / horizon)
    least = distance[:, horizon - 1, None] * growth[:, None]
    widest = np.where(np.abs(least) > np.abs(distance[:, horizon:]), least, distance[:, horizon:])
    far = quantiles[:, horizon:, MEDIAN, None] + widest
    return np.concatenate([quantiles[:, :horizon], far], axis=1)


def fallback(panel: Panel, plan: Plan, units: Floats, horizon: int) -> Floats:
    """Return seasonal naive with bands of normal errors, units: (series,) of error: (series, horizon, quantiles).

    The unit of error is what repeating the last season errs by on average, sqrt(2 / pi) standard deviations; it grows
    with the root of the number of seasons ahead. The calibration of the mix says nothing about these errors.
    """
    lag = plan.seasonal_lag
    point = seasonal_naive(panel, lag, horizon, plan.lookback)
    seasons = np.ceil(np.arange(1, horizon + 1) / lag)
    deviation = units[:, None] * np.sqrt(np.pi / 2 * seasons)
    scores = np.array([NormalDist().inv_cdf(probability) for probability in plan.quantiles])
    quantiles: Floats = point[:, :, None] + deviation[:, :, None] * scores
    return quantiles


def expected_status(panel: Panel, plan: Plan) -> tuple[str, ...]:
    """Return the status that the history of each series leads to, the gravest that holds: a model may add to it."""
    recent = min(max(plan.season, plan.segment), plan.window)
    # What lies before a short series begins is not missing.
    missing = 2 * observed(panel, recent) < np.minimum(recent, panel.lengths)
    nothing = observed(panel, plan.lookback) == 0
    short = panel.lengths < plan.window
    return tuple(np.select([nothing, missing, short], ["skipped", "fallback", "short"], "ok").tolist())


def _status(panel: Panel, plan: Plan, known: Integers, quantiles: Floats) -> NDArray[np.str_]:
    """Return the status of each series, the gravest that holds."""
    status = np.array(expected_status(panel, plan), dtype=np.str_)
    failed = ~np.isfinite(quantiles).all(axis=(1, 2))
    conditions = [status == "skipped", failed | (status == "fallback"), known < 0]
    found: NDArray[np.str_] = np.select(conditions, ["skipped", "fallback", "new"], status)
    return found
