"""The story of a training, step by step. Which rows each number has seen: evaluation/backtest.py."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from forecast.errors import DataError, ForecastError
from forecast.evaluation import calibration
from forecast.evaluation.backtest import CALIBRATION, Backtest, Rolling, Split, roles, split
from forecast.evaluation.calibration import Calibration
from forecast.evaluation.metrics import mase
from forecast.forecasters import mixing, registry
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm import network
from forecast.options import Forecaster, ReadOptions, TrainOptions
from forecast.panels import channels, scaling
from forecast.panels.panel import Floats, Panel
from forecast.panels.units import seasonal_difference
from forecast.plan import MEDIAN, Plan
from forecast.planning import settle
from forecast.prediction import predict
from forecast.progress import Listener, Progress, silent
from forecast.trained import Forecasts, Trained

TOLERANCE = 1e-4  # of a series' scale, between Keras and the NumPy runtime; more, and nothing is published
GOLDEN_SERIES = 3  # series whose forecast a bundle carries as a proof
# Share of the error that seeing the other targets must save. Where they were noise, a second training differed from
# the first one by up to 1.1 % either way (5 trainings on 600 steps).
MIXING_GAIN = 0.02


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a training run found out, beside the model itself."""

    trained: Trained
    backtest: Backtest
    history: tuple[dict[str, Any], ...]  # rows of history.csv: phase, member, step, loss, validation error
    forecasts: Forecasts  # from the end of the panel
    agreement: float  # largest difference between Keras and the runtime on backtest windows, as a share of the scale
    device: dict[str, Any]  # device, cudnn, why_not
    targets: dict[str, Any] | None = None  # with several targets: mixed or not, and the errors that decided


def train(
    panel: Panel,
    options: TrainOptions | None = None,
    read: ReadOptions | None = None,
    source: dict[str, Any] | None = None,
    listen: Listener = silent,
    plan: Plan | None = None,
) -> Outcome:
    """Choose on the end of the data, check on rows nobody has seen, then train on everything: two trainings in all.

    read and source say how the table was read, for the bundle; a given plan is taken as it is. Raises DataError when
    the panel is too short, UsageError when options contradict each other, ForecastError when Keras and the NumPy
    runtime do not agree: then nothing may be published.
    """
    options, read = options or TrainOptions(), read or ReadOptions()
    if not any(np.isfinite(panel.values(series)).any() for series in range(len(panel))):
        raise DataError("every value of every series is missing.\nCheck the target column, or name it with --target.")
    names = {"past": read.past, "future": read.future, "static": read.static}
    plan = plan or settle(panel, options, read.season, names)
    plan = plan if plan.targets else channels.with_targets(plan, panel)
    parts = split(panel, plan)
    if not (len(parts.validation.series) and len(parts.held.series)):
        raise DataError(
            f"the last {plan.validated + plan.held_back} steps hold too few values to choose and to check a forecast "
            "on.\nGive rows with values up to the end, or fill the gaps with --fill."
        )
    device = choose_device(options)

    first, steps, history = fit_all(parts.fit, plan, parts.validation, _stage(listen, "choosing"))
    weights = choose_weights(first, parts, plan)
    targets = None
    if plan.targets:
        alone = Choice(plan, parts, first, steps, weights)
        (plan, parts, first, steps, weights), more, targets = try_mixed_targets(panel, alone, _stage(listen, "mixed"))
        history += more
    backtest, bands = check(first, weights, parts, plan)
    agreement = network_agreement(first, parts, plan)
    if not agreement < TOLERANCE:
        raise ForecastError(
            f"the NumPy runtime differs from Keras by {agreement:.1e} of a series' scale, more than {TOLERANCE:g}.\n"
            "This is a bug of this installation: report it, with the versions of numpy, keras and tensorflow."
        )

    kept = [kind for kind, weight in weights.items() if weight > 0]
    whole = channels.with_other_targets(panel, scaling.fit(panel, plan.transforms[0]) if plan.mixed_targets else None)
    final, last = refit(whole, plan, kept, steps, _stage(listen, "final"))
    if not all(np.isfinite(array).all() for one in final for array in one.arrays.values()):
        raise ForecastError(
            "training on all rows did not converge: a weight is not finite; nothing was published.\n"
            "Look for values of extreme size in the newest rows, or choose another --scaler."
        )
    trained = Trained(
        plan=plan,
        read=read,
        calendar=panel.calendar,
        ids=panel.ids,
        fitted=tuple(final),
        weights=tuple(weights[one.kind] for one in final),
        units=seasonal_difference(panel, plan.season),
        calibration=bands,
        context=context_of(panel, plan),
        source=source or {},
    )
    return Outcome(
        trained,
        backtest,
        (*history, *last),
        predict(trained, panel, assume_future=True),
        agreement,
        device,
        targets,
    )


def fit_all(
    panel: Panel, plan: Plan, validation: Rolling, listen: Callable[[int, int, float, float | None], None]
) -> tuple[list[Fitted], tuple[int, ...], list[dict[str, Any]]]:
    """Fit every forecaster on the visible rows; return them, the best step of each network, the training history."""
    fitted = [fit(panel, plan) for fit in registry.FIT.values()]
    origins = network.Origins(validation.series, validation.panel.lengths)
    result = network.fit(panel, plan, origins, listen)
    return [result.fitted, *fitted], result.steps, [{"phase": "choosing", **row} for row in result.history]


def refit(
    panel: Panel,
    plan: Plan,
    kinds: list[Kind],
    steps: tuple[int, ...],
    listen: Callable[[int, int, float, float | None], None],
) -> tuple[list[Fitted], list[dict[str, Any]]]:
    """Fit the chosen forecasters on all rows, the network for as many steps as validation found."""
    fitted, history = [], []
    for kind in kinds:
        if kind is Kind.NETWORK:
            result = network.fit(panel, plan, steps, listen)
            fitted.append(result.fitted)
            history = [{"phase": "final", **row} for row in result.history]
        else:
            fitted.append(registry.FIT[kind](panel, plan))
    return fitted, history


def choose_weights(fitted: list[Fitted], parts: Split, plan: Plan) -> dict[Kind, float]:
    """Return the mix that the validation origins show to be best; the network alone if that was asked for."""
    if plan.forecaster is Forecaster.NETWORK:
        return {one.kind: float(one.kind is Kind.NETWORK) for one in fitted}
    rows = parts.validation
    medians = {one.kind: _run(one, rows, plan)[:, :, MEDIAN] for one in fitted}
    units = seasonal_difference(parts.fit, plan.season)[rows.series]
    chosen = mixing.choose_weights(rows.panel.truth(plan.horizon), medians, units)
    return {one.kind: chosen.get(one.kind, 0.0) for one in fitted}


class Choice(NamedTuple):
    """What the validation origins settled: how many steps each network trains, the mix, and for which plan."""

    plan: Plan
    parts: Split
    fitted: list[Fitted]
    steps: tuple[int, ...]
    weights: dict[Kind, float]

    def error(self) -> float:
        """Return the mean absolute error of the mix on the validation origins, in units of error, rows alike."""
        rows = self.parts.validation
        used = [one for one in self.fitted if self.weights[one.kind] > 0]
        medians = (_run(one, rows, self.plan)[:, :, MEDIAN, None] for one in used)
        median = mixing.mix(medians, [self.weights[one.kind] for one in used])[:, :, 0]
        units = seasonal_difference(self.parts.fit, self.plan.season)[rows.series]
        return float(mase(rows.panel.truth(self.plan.horizon), median, units)[0])


def try_mixed_targets(
    panel: Panel, alone: Choice, listen: Callable[[int, int, float, float | None], None]
) -> tuple[Choice, list[dict[str, Any]], dict[str, Any]]:
    """Train again with the other targets of each id in sight, and keep what the validation origins show to be better.

    panel: as read. Returns the choice, the history of this training, and for the run record what decided. Equal within
    chance, the targets stay independent.
    """
    plan, rows = channels.with_mixed_targets(alone.plan), alone.parts.rows
    known = np.full(len(panel), -1)
    known[rows] = np.arange(len(rows))
    scales = scaling.align(scaling.fit(alone.parts.fit, plan.transforms[0]), panel, known)
    parts = split(channels.with_other_targets(panel, scales), plan)
    fitted, steps, history = fit_all(parts.fit, plan, parts.validation, listen)
    both = Choice(plan, parts, fitted, steps, choose_weights(fitted, parts, plan))
    before, after = alone.error(), both.error()
    mixed = both.weights[Kind.NETWORK] > 0 and after < before * (1 - MIXING_GAIN)
    return (
        both if mixed else alone,
        [row | {"phase": "choosing, mixed targets"} for row in history],
        {"mixed": mixed, "independent_error": before, "mixed_error": after},
    )


def check(fitted: list[Fitted], weights: dict[Kind, float], parts: Split, plan: Plan) -> tuple[Backtest, Calibration]:
    """Forecast the held-back origins, calibrate the bands on the even ones, and lay out all of them for the report."""
    rows = parts.held
    truth, units = rows.panel.truth(plan.horizon), seasonal_difference(parts.fit, plan.season)[rows.series]
    medians: dict[Kind, Floats] = {}

    def quantiles() -> Iterator[Floats]:
        for one in fitted:
            found = _run(one, rows, plan)
            medians[one.kind] = found[:, :, MEDIAN].copy()
            yield found

    total = mixing.mix(quantiles(), [weights[one.kind] for one in fitted])
    role = roles(rows, plan)
    used = np.flatnonzero(np.array(role) == CALIBRATION)
    bands = calibration.fit_calibration(truth[used], total[used], units[used], plan.quantiles)
    calibrated = calibration.apply(bands, total, units)
    return Backtest(rows.panel, role, truth, units, calibrated, medians), bands


def network_agreement(fitted: list[Fitted], parts: Split, plan: Plan) -> float:
    """Return the largest difference between Keras and the runtime on some backtest windows, as a share of the scale.

    The scale of a series is its range up to the origin: Keras computes in float32, whose rounding grows with how far
    values lie apart, not with the unit of error, which is a thousand times smaller where a long series grows steadily.
    """
    from forecast.forecasters.lstm.model import largest_difference  # Keras runs already

    rows = np.unique(np.linspace(0, len(parts.held.series) - 1, min(64, len(parts.held.series))).astype(np.int64))
    panel, known = parts.held.panel.select(rows), parts.held.series[rows]
    ranges = [np.nanmax(values) - np.nanmin(values) for values in map(panel.values, range(len(panel)))]
    scale = np.maximum(seasonal_difference(parts.fit, plan.season)[known], ranges)
    return largest_difference(next(one for one in fitted if one.kind is Kind.NETWORK), panel, known, plan, scale)


def context_of(panel: Panel, plan: Plan) -> Panel:
    """Return the last `plan.lookback` steps of each series as a panel of its own, with what is known ahead."""
    kept = np.minimum(panel.lengths, plan.lookback)
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
    )


def golden(trained: Trained) -> bytes:
    """Return the proof that a bundle carries: the forecast of its first series from the stored context."""
    assert trained.context is not None
    # A series without any value has no forecast, and NaN is no JSON.
    seen = (row for row in range(len(trained.ids)) if np.isfinite(trained.context.values(row)).any())
    some = trained.context.select(list(islice(seen, GOLDEN_SERIES)))
    forecasts = predict(trained, some, assume_future=True)
    document = {
        "ids": list(some.ids),
        **({"targets": list(forecasts.targets)} if forecasts.targets else {}),
        "quantiles": forecasts.quantiles.tolist(),
        "probabilities": list(forecasts.probabilities),
    }
    return json.dumps(document).encode()


def _stage(listen: Listener, name: str) -> Callable[[int, int, float, float | None], None]:
    return lambda done, total, loss, skill: listen(Progress(name, done, total, loss, skill))


def _run(fitted: Fitted, rows: Rolling, plan: Plan) -> Floats:
    return registry.run(fitted, rows.panel, rows.series, plan)


def choose_device(options: TrainOptions) -> dict[str, Any]:
    """Return where training will run and whether cuDNN is used; ResourceError when a GPU is asked for and absent."""
    from forecast.forecasters.lstm.training import device_report  # TensorFlow starts here, after the data were checked

    return device_report(options.device, options.cell)
