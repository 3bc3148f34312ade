"""The story of a training, step by step. Which rows each number has seen: evaluation/backtest.py."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.choosing import Choice, choose, row_weights, run, steps_on_all, try_mixed_targets, units_of
from forecast.errors import ForecastError
from forecast.evaluation import calibration
from forecast.evaluation.backtest import CALIBRATION, Backtest, Rolling, roles, split
from forecast.evaluation.calibration import Calibration
from forecast.fingerprint import fingerprint_of
from forecast.forecasters import mixing, registry
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.intermittent import is_intermittent
from forecast.forecasters.lstm import network
from forecast.matching import value_ranges
from forecast.options import ReadOptions, TrainOptions
from forecast.panels import channels, scaling
from forecast.panels.bounds import Bounds
from forecast.panels.clock import on_clock, steps_again
from forecast.panels.panel import Floats, Panel, nothing_filled
from forecast.panels.units import band_units, seasonal_difference, without_unit
from forecast.plan import MEDIAN, Plan
from forecast.planning import prepare
from forecast.prediction import expected_status, fallback, predict
from forecast.progress import Listener, Look, silent, stage
from forecast.surroundings import Checkpoint, Clock, Surroundings
from forecast.trained import Forecasts, Trained
from forecast.tuning import Search, tune

TOLERANCE = 1e-4  # of a series' scale, between Keras and the NumPy runtime; more, and nothing is published


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a training run found out, beside the model itself."""

    trained: Trained
    backtest: Backtest
    history: tuple[dict[str, Any], ...]  # rows of history.csv: phase, member, step, loss, validation error
    forecasts: Forecasts  # from the end of the panel
    agreement: float  # largest difference between Keras and the runtime on backtest windows, as a share of the scale
    device: dict[str, Any]  # device, cudnn, why_not
    limit: float = inf  # seconds that it might take
    cut: tuple[str, ...] = ()  # what the limit has cut, in words
    search: Search | None = None  # the trials, where there were any
    targets: dict[str, Any] | None = None  # with several targets: mixed or not, and the errors that decided

    def remarks(self, time_limit: str | None) -> list[str]:
        """Return what the trials have found, and what the time limit (as it was given) has cut: a line each."""
        found = [self.search.sentence] if self.search else []
        return found + ([f"--time-limit {time_limit}: {'; '.join(self.cut)}"] if self.cut else [])


def train(
    panel: Panel,
    options: TrainOptions | None = None,
    read: ReadOptions | None = None,
    source: dict[str, Any] | None = None,
    listen: Listener = silent,
    plan: Plan | None = None,
    around: Surroundings | None = None,
) -> Outcome:
    """Choose on the end of the data, check on rows nobody has seen, then train on everything: two trainings in all.

    read and source say how the table was read, for the bundle; a given plan is taken as it is. With a checkpoint around
    it, it goes on where another run has stopped, to the same result. Raises DataError when the panel is too short,
    UsageError when options contradict each other, TimeLimitError when there is no time for anything, ForecastError when
    Keras and the NumPy runtime do not agree: then nothing may be published.
    """
    options, read = options or TrainOptions(), read or ReadOptions()
    table, panel = panel, on_clock(panel)
    around = around or Surroundings(Clock(options.seconds))
    plan, parts = prepare(panel, options, read, plan)
    if around.checkpoint:
        around.checkpoint.begin(fingerprint_of(table, plan, options))
    device = choose_device(options)

    search = tune(plan, parts, options, around, listen) if options.trials else None
    if search:
        plan, parts = search.plan, split(panel, search.plan)
    choice, targets = choose(parts, plan, around, stage(listen, "choosing")), None
    if plan.targets and not isfinite(around.clock.limit):
        choice, targets = try_mixed_targets(panel, choice, plan, around, stage(listen, "mixed"))
    backtest, bands = check(choice)
    agreement = check_runtime(choice.fitted, choice.parts.fit, choice.parts.held, choice.plan)
    final, plan, history = refit(panel, choice, stage(listen, "final"), around.checkpoint)
    weights, sparse = (tuple(choice.weights[one.kind][group] for one in final) for group in (0, 1))
    trained = Trained(
        plan=plan,
        read=read,
        calendar=table.calendar,
        ids=panel.ids,
        fitted=tuple(final),
        weights=weights,
        units=band_units(panel, plan.season),
        calibration=bands,
        context=context_of(table, plan),
        source=source or {},
        sparse_weights=sparse if sparse != weights else (),
        encodings=panel.encodings,
        ranges=value_ranges(panel),
        last=panel.last,
    )
    forecasts = predict(trained, table, assume_future=True)
    found, limit, cut = (*choice.history, *history), around.clock.limit, choice.pace.cut()
    if plan.targets and isfinite(limit):
        cut += ("targets by themselves alone: mixing them takes another training",)
    return Outcome(trained, backtest, found, forecasts, agreement, device, limit, cut, search, targets)


def refit(
    panel: Panel, choice: Choice, listen: Look, checkpoint: Checkpoint | None = None
) -> tuple[list[Fitted], Plan, list[dict[str, Any]]]:
    """Fit the chosen forecasters on all rows; return them, the plan of what there was time for, the training history.

    Raises ForecastError where training does not converge.
    """
    plan, steps, pace = choice.plan, steps_on_all(choice, panel), choice.pace
    shown = channels.with_other_targets(panel, scaling.fit(panel, channels.TRANSFORM) if plan.mixed_targets else None)
    fitted = [registry.FIT[kind](shown, plan) for kind in choice.kept if kind is not Kind.NETWORK]
    history: list[dict[str, Any]] = []
    if Kind.NETWORK in choice.kept:
        result = network.fit(shown, plan, steps, pace.final(steps, listen), checkpoint=checkpoint)
        history = [{"phase": "final", **row} for row in result.history]
        fitted, plan = pace.trained([result.fitted, *fitted], len(result.steps))
    check_convergence(fitted)
    return fitted, plan, history


def check_convergence(fitted: Sequence[Fitted]) -> None:
    """Raise ForecastError where a weight is no number."""
    if not all(np.isfinite(array).all() for one in fitted for array in one.arrays.values()):
        raise ForecastError(
            "training on all rows did not converge: a weight is not finite; nothing was published.\n"
            "Look for values of extreme size in the newest rows, or choose another --scaler."
        )


def check(choice: Choice) -> tuple[Backtest, Calibration]:
    """Forecast the held-back origins, calibrate the bands on the even ones, and lay out all of them for the report."""
    plan, parts, rows = choice.plan, choice.parts, choice.parts.held
    truth, units = rows.panel.truth(plan.horizon), units_of(parts, rows, plan)
    medians: dict[Kind, Floats] = {}
    bounds = Bounds.of(plan)  # for the single forecasters as well: all are compared by the same rule

    def quantiles() -> Iterator[Floats]:
        for one in choice.fitted:
            found = run(one, rows, plan)
            medians[one.kind] = bounds.apply(found[:, :, MEDIAN].copy())
            yield found

    total = mixing.mix(quantiles(), row_weights(choice.weights, choice.fitted, rows.panel, plan))
    role, sparse = roles(rows, plan), is_intermittent(rows.panel, plan)
    counted = np.where(without_unit(parts.fit)[rows.series], np.nan, units)
    used = np.flatnonzero(np.array(role) == CALIBRATION)
    bands = _calibrate(choice, (truth[used], total[used], counted[used], sparse[used]))
    least = np.fmin.reduce(counted, initial=1.0)  # as when forecasting, see `band_units`
    sizes = np.where(np.isnan(counted), least, units)
    published = calibration.apply(bands, total, sizes, sparse)
    # The errors of the mix at these origins have calibrated its bands all the same: where series are full of gaps there
    # may be no others, and no band would hold.
    repeated = np.flatnonzero(np.array(expected_status(rows.panel, plan)) == "fallback")
    published[repeated] = fallback(rows.panel.select(repeated), plan, sizes[repeated], plan.horizon)
    return Backtest(rows.panel, role, truth, counted, bounds.apply(published), medians), bands


def _calibrate(choice: Choice, held: tuple[Floats, Floats, Floats, NDArray[np.bool_]]) -> Calibration:
    """Calibrate the mix on the validation origins and on those held-back ones that are not reported.

    held: truth, quantiles, units and whether they are mostly zero, of the latter. The validation rows have chosen the
    mix, but reach further back: on few long series, the held-back ones alone know one stretch of days.
    """
    plan, rows = choice.plan, choice.parts.validation
    weights = row_weights(choice.weights, choice.fitted, rows.panel, plan)
    total = mixing.mix((run(one, rows, plan) for one in choice.fitted), weights)
    units = np.where(without_unit(choice.parts.fit)[rows.series], np.nan, units_of(choice.parts, rows, plan))
    before = (rows.panel.truth(plan.horizon), total, units, is_intermittent(rows.panel, plan))
    truth, quantiles, counted, sparse = (np.concatenate(pair) for pair in zip(before, held, strict=True))
    return calibration.fit_groups(truth, quantiles, counted, plan.quantiles, sparse)


def check_runtime(fitted: Sequence[Fitted], fit: Panel, origins: Rolling, plan: Plan) -> float:
    """Return how far the runtime is from Keras, see `network_agreement`; ForecastError where that is too far."""
    agreement = network_agreement(fitted, fit, origins, plan)
    if not agreement < TOLERANCE:
        raise ForecastError(
            f"the NumPy runtime differs from Keras by {agreement:.1e} of a series' scale, more than {TOLERANCE:g}.\n"
            "This is a bug of this installation: report it, with the versions of numpy, keras and tensorflow."
        )
    return agreement


def network_agreement(fitted: Sequence[Fitted], fit: Panel, origins: Rolling, plan: Plan) -> float:
    """Return the largest difference between Keras and the runtime on some backtest windows, as a share of the scale.

    fit: what was learned from; origins: of its series. The scale of a series is its range up to the origin: Keras
    computes in float32, whose rounding grows with how far values lie apart, not with the unit of error, which is a
    thousand times smaller where a long series grows steadily.
    """
    found = next((one for one in fitted if one.kind is Kind.NETWORK), None)
    if found is None:
        return 0.0
    from forecast.forecasters.lstm.model import largest_difference  # Keras runs already

    rows = np.unique(np.linspace(0, len(origins.series) - 1, min(64, len(origins.series))).astype(np.int64))
    panel, known = origins.panel.select(rows), origins.series[rows]
    ranges = [np.nanmax(values) - np.nanmin(values) for values in map(panel.values, range(len(panel)))]
    scale = np.maximum(seasonal_difference(fit, plan.season)[known], ranges)
    return largest_difference(found, panel, known, plan, scale)


def context_of(panel: Panel, plan: Plan) -> Panel:
    """Return the last `plan.lookback` steps of each series as a panel of its own, with what is known ahead."""
    # On the clock, steps that come twice are one.
    kept = np.minimum(panel.lengths, plan.lookback + steps_again(panel.calendar))
    stored = np.minimum(panel.limits - panel.ends, plan.horizon) + kept
    begins = panel.ends - kept
    places = np.concatenate([np.arange(begin, begin + count) for begin, count in zip(begins, stored, strict=True)])
    ends = np.cumsum(stored)
    seen = np.concatenate([np.arange(count) < length for count, length in zip(stored, kept, strict=True)])
    return replace(
        panel,
        starts=panel.starts + panel.lengths - kept,
        begins=ends - stored,
        lengths=kept,
        limits=ends,
        target=np.where(seen, panel.target[places], np.nan),  # ahead, only covariates are known
        past=panel.past[:, places] if panel.past.size else panel.past,
        future=panel.future[:, places] if panel.future.size else panel.future,
        filled=nothing_filled(),  # nothing is scored on it, and its end is that of the table
    )


def choose_device(options: TrainOptions) -> dict[str, Any]:
    """Return where training will run and whether cuDNN is used; ResourceError when a GPU is asked for and absent."""
    from forecast.forecasters.lstm.training import device_report  # TensorFlow starts here, after the data were checked

    return device_report(options.device, options.cell)
