"""The story of an update: a trained model goes on learning from the rows that have come since.

What training has chosen stays: the plan, the mix, the calibration of the bands. What it has fitted is fitted again: the
networks go on from their weights, for a tenth of the steps and at a fifth of the rate, the others begin anew.

    rows of training | new rows ...... | newest new rows     of each series
    ---------- the candidate ----------|- o - o - o ---->    compared with the current model: neither has seen the truth
    ------------------- what is published ------------->     fitted in the same way on all rows

The current model has seen the rows of its training: only origins after them are fair. So nothing can be compared until
a whole horizon of new rows is there. None of them is spent on choosing how long to learn: there are too few for both.
"""

from dataclasses import dataclass, replace
from math import gcd
from typing import Any

import numpy as np

from forecast.adapting import LARGEST
from forecast.backtesting import backs_of, backtest_model, forecast_at, rows_at
from forecast.errors import DataError, MismatchError
from forecast.evaluation.backtest import REPORT, SEEN, Backtest, Rolling
from forecast.evaluation.comparison import Comparison, compare_losses, loss_differences
from forecast.evaluation.metrics import mae, mase
from forecast.forecasters import registry
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm import network
from forecast.matching import known_rows, last_known, matching_panel, some, value_ranges
from forecast.options import BacktestOptions, Device, ReadOptions, TrainOptions
from forecast.panels import channels, scaling
from forecast.panels.clock import on_clock
from forecast.panels.panel import Floats, Panel
from forecast.panels.units import band_units
from forecast.panels.windows import origins_for_training
from forecast.pipeline import Outcome, check_convergence, check_runtime, choose_device, context_of
from forecast.plan import MEDIAN, Plan
from forecast.prediction import band_scale, predict
from forecast.progress import Listener, silent, stage
from forecast.trained import Trained

MOST = 20  # origins
STEPS, RATE = 0.1, 0.2  # of the steps and of the learning rate of training
NO_NETWORK = {"device": "cpu", "cudnn": False, "why_not": "the model has no network"}


@dataclass(frozen=True)
class Fair:
    """Where a candidate and the current model can be compared, so that neither has seen the truth."""

    new: int  # steps by which the series of the model go beyond its training, at most; below 0 where they end before
    ask: BacktestOptions | None  # the origins; None where there is none


@dataclass(frozen=True, eq=False)
class Candidate:
    """What was fitted on the rows before the origins, and how it compares with the current model there."""

    trained: Trained
    backtest: Backtest  # of the candidate; rows whose truth the current model has seen have the role "seen"
    measure: str  # of the errors: MASE, or MAE where no series has a unit of error
    error: float  # of the candidate
    before: float  # of the current model on the same rows
    comparison: Comparison
    origins: tuple[str, str, int]  # the first and the last, as the table writes times, and how many
    series: int  # that were compared
    history: tuple[dict[str, Any], ...]
    agreement: float
    device: dict[str, Any]

    @property
    def promoted(self) -> bool:
        """Tell whether the candidate is not worse than the current model."""
        return self.error <= self.before


def fair_origins(trained: Trained, panel: Panel) -> Fair:
    """Return the origins in the new rows: at most 20, over the newer half of them, or over more where they are few.

    Raises MismatchError for a panel that does not fit the model, or that has lost most of its series.
    """
    panel, _ = matching_panel(trained, panel)
    if trained.context is None:
        raise MismatchError(
            "the model was stored without its last rows, so that nobody can tell which rows are new.\nTrain it anew."
        )
    _refuse_lost_series(trained, panel)
    panel, plan = on_clock(panel), trained.plan
    known = panel.select(np.flatnonzero(known_rows(trained.ids, panel) >= 0))
    new = int((known.last - last_known(trained, known)).max())
    if new < plan.horizon:
        return Fair(new, None)
    every = max(1, (new // 2 - plan.horizon) // (MOST - 1))
    while gcd(every, plan.season) > 1:  # else all origins would be of the same hour
        every -= 1
    ask = BacktestOptions(origins=min(MOST, (new - plan.horizon) // every + 1), every=every)
    try:
        rows = rows_at(panel, plan, _backs(plan, ask))[0].panel
    except DataError:  # nothing but gaps there
        return Fair(new, None)
    return Fair(new, ask if (rows.last >= last_known(trained, rows)).any() else None)


def try_update(
    trained: Trained, panel: Panel, ask: BacktestOptions, device: Device = Device.AUTO, listen: Listener = silent
) -> Candidate:
    """Fit the candidate on the rows before the origins, and compare it with the current model there.

    Raises DataError where there are too few rows to learn from, ForecastError as `pipeline.train` does.
    """
    table, _ = matching_panel(trained, panel)
    panel, plan = on_clock(table), trained.plan
    before = panel.without_end(_backs(plan, ask)[0])
    used: dict[str, Any] = NO_NETWORK
    if not len(before):
        raise DataError(
            "no series has rows before those to compare on: there is nothing to learn from.\n"
            "Give a table that also has the rows that the model was trained on."
        )
    if _network(trained) is not None:
        _check_rows(plan, panel, before)
        used = choose_device(TrainOptions(device=device, cell=plan.cell))
    candidate, history = _go_on(trained, before, "candidate", listen)
    rolled = backtest_model(candidate, panel, ask)
    rows = rolled.backtest.panel
    held = Rolling(rows, known_rows(before.ids, rows), np.array(rolled.order))
    agreement = check_runtime(candidate.fitted, before, held, plan)
    seen = rows.last < last_known(trained, rows)
    backtest = replace(rolled.backtest, role=tuple(np.where(seen, SEEN, REPORT).tolist()))
    current = forecast_at(trained, panel, rolled.series, rows.lengths, plan.horizon)[0][:, :, MEDIAN]
    measure, error, other, comparison = _compared(backtest, current)
    cutoffs = rows.last[~seen]
    first, last = panel.calendar.render(np.array([cutoffs.min(), cutoffs.max()]))
    return Candidate(
        trained=candidate,
        backtest=backtest,
        measure=measure,
        error=error,
        before=other,
        comparison=comparison,
        origins=(first, last, len(np.unique(np.array(rolled.order)[~seen]))),
        series=len(np.unique(rows.begins[~seen])),
        history=history,
        agreement=agreement,
        device=used,
    )


def finish(
    trained: Trained,
    panel: Panel,
    candidate: Candidate,
    read: ReadOptions,
    source: dict[str, Any],
    listen: Listener = silent,
) -> Outcome:
    """Fit what the candidate stands for on all rows: what is published.

    read and source say how the table was read, for the bundle. Raises ForecastError where learning does not converge.
    """
    table, _ = matching_panel(trained, panel)
    final, history = _go_on(trained, table, "final", listen)
    before = trained.calibration  # the candidate has made errors since its last row, which the final one has learned
    scale = np.clip(before.scale * band_scale(candidate.trained, on_clock(table)), 1 / LARGEST, LARGEST)
    final = replace(final, read=read, source=source, calibration=replace(before, scale=float(scale)))
    found = (*candidate.history, *history)
    forecasts = predict(final, table, assume_future=True)
    return Outcome(final, candidate.backtest, found, forecasts, candidate.agreement, candidate.device)


def _go_on(trained: Trained, table: Panel, name: str, listen: Listener) -> tuple[Trained, tuple[dict[str, Any], ...]]:
    """Fit every forecaster of a model on all visible rows of a table, its networks from where they stand.

    Series that are not in the table are forgotten, new ones are learned with the others. Returns the model and the
    rows of history.csv.
    """
    panel, plan, found = on_clock(table), trained.plan, _network(trained)
    shown = channels.with_other_targets(panel, scaling.fit(panel, channels.TRANSFORM) if plan.mixed_targets else None)
    history: tuple[dict[str, Any], ...] = ()
    networks: list[Fitted] = []
    if found is not None:
        shorter = _shorter(plan)
        result = network.fit(shown, shorter, (shorter.steps,) * plan.members, stage(listen, name), start=found)
        networks, history = [result.fitted], tuple({"phase": name, **row} for row in result.history)
    fitted = tuple(
        networks[0] if one.kind is Kind.NETWORK else registry.FIT[one.kind](shown, plan) for one in trained.fitted
    )
    check_convergence(fitted)
    model = replace(
        trained,
        calendar=table.calendar,
        ids=panel.ids,
        fitted=fitted,
        units=band_units(panel, plan.season),
        context=context_of(table, plan),
        ranges=value_ranges(panel),
        last=panel.last,
    )
    return model, history


def _shorter(plan: Plan) -> Plan:
    """Return how the networks of a plan go on learning."""
    epochs = max(1, round(STEPS * plan.steps / Plan.epoch))  # which are shorter where windows are few
    return replace(plan, steps=epochs * plan.epoch, learning_rate=RATE * plan.learning_rate)


def _network(trained: Trained) -> Fitted | None:
    return next((one for one in trained.fitted if one.kind is Kind.NETWORK), None)


def _backs(plan: Plan, ask: BacktestOptions) -> tuple[int, ...]:
    """Return the steps from each origin to the end of its series, oldest first."""
    assert ask.origins is not None
    assert ask.every is not None
    return backs_of(plan.horizon, ask.every, ask.origins)


def _compared(backtest: Backtest, current: Floats) -> tuple[str, float, float, Comparison]:
    """Return the measure, the errors of the candidate and of the current model on the fair rows, and the test."""
    rows = backtest.report()
    panel, units, other = backtest.panel.select(rows), backtest.units[rows], current[rows]
    ours = backtest.quantiles[rows, :, MEDIAN]
    truth = np.where(np.isfinite(ours) & np.isfinite(other), backtest.truth[rows], np.nan)
    losses = loss_differences(truth, ours, other, units)
    comparison = compare_losses(losses, panel.begins, panel.last, truth.shape[1])
    error, before = (float(mase(truth, median, units)[0]) for median in (ours, other))
    if np.isfinite(error) and np.isfinite(before):
        return "MASE", error, before, comparison
    error, before = (float(mae(truth, median)[0]) for median in (ours, other))
    return "MAE", error, before, comparison


def _refuse_lost_series(trained: Trained, panel: Panel) -> None:
    """Refuse a table without most series of the model: the updated one would not know them any more."""
    ours, theirs = tuple(dict.fromkeys(trained.ids)), set(panel.ids)
    gone = [name for name in ours if name not in theirs]
    if 2 * len(gone) > len(ours):
        raise MismatchError(
            f"{len(gone):,} of the {len(ours):,} series of the model are not in the table: {some(gone)}; an update "
            "would forget them.\nGive a table with all series, or train anew."
        )


def _check_rows(plan: Plan, panel: Panel, before: Panel) -> None:
    """Refuse rows that the networks cannot learn from: values that a transform cannot take, or too few before."""
    if "log" in plan.transforms:
        try:
            scaling.refuse_non_positive(panel)
        except DataError as error:
            raise MismatchError(
                f"{error.message}\nThe model was trained on values above 0 alone: train it anew."
            ) from None
    for member in range(plan.members):
        if not origins_for_training(before, plan.member(member))[1].any():
            raise DataError(
                "no series is long enough before the rows to compare on: the networks learn from a window and the "
                f"{plan.horizon} steps after it.\nGive a table that also has the rows that the model was trained on."
            )
