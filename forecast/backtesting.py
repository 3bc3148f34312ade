"""The story of a backtest: at each rolling origin the forecast that `predict` would have made there, and the baselines.

Origins are counted back from the end of each series, as in `train`; the last one leaves a whole horizon of truth. A fit
at an origin is what `train` would have done with the rows before it: choosing, then training on all of them. What comes
after the origin is its truth and nothing else. MASE counts in units of the rows before a series' first origin.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from forecast import pipeline
from forecast.errors import DataError, TimeLimitError
from forecast.evaluation.backtest import LARGEST, REPORT, SEEN, Backtest, Rolling, least_history, rolling, thinned
from forecast.evaluation.metrics import units_at_first_origin
from forecast.forecasters import registry
from forecast.forecasters.fitted import Fitted, Kind
from forecast.matching import known_rows, last_known
from forecast.options import BacktestOptions, ReadOptions, TrainOptions
from forecast.panels.bounds import Bounds
from forecast.panels.clock import on_clock
from forecast.panels.panel import Floats, Integers, Panel
from forecast.plan import MEDIAN, Plan
from forecast.planning import settle
from forecast.prediction import predict
from forecast.progress import Listener, Progress, silent
from forecast.surroundings import Clock, Surroundings
from forecast.trained import Trained

MOST = 10  # origins, where none are asked for
STAGES = {"choosing": "learning on its first part", "final": "learning on all its rows"}


@dataclass(frozen=True, eq=False)
class Rolled:
    """A backtest and how it came about."""

    backtest: Backtest
    plan: Plan  # of the first fit, with the horizon of the backtest
    models: tuple[Trained, ...]  # one for each fit, oldest first
    fits: tuple[int, ...]  # the origins at which they were fitted; none for a model that was there before
    origins: int  # asked for or allowed; those without any truth are not among the rows
    every: int  # steps between two origins
    series: Integers  # (rows,) their numbers in the panel, as it is on the clock
    order: tuple[int, ...]  # (rows,) the number of each row's origin, oldest first
    status: tuple[str, ...]  # (rows,) as in Forecasts
    stride: int  # every so many-th id is scored; 1: all are
    remarks: tuple[str, ...] = ()  # what a time limit has cut from a fit, and what a search has found


@dataclass(frozen=True, eq=False)
class _Model:
    """What forecasts from an origin on: the model, and each single forecaster with the series it was fitted on."""

    trained: Trained
    singles: tuple[tuple[Fitted, tuple[str, ...]], ...]


def backtest_model(trained: Trained, panel: Panel, ask: BacktestOptions, horizon: int | None = None) -> Rolled:
    """Measure a trained model without fitting it; the baselines are fitted on the rows before the first origin.

    A row whose series the model knows up to a later time has the role "seen". Raises DataError when the series are too
    short for the origins, MismatchError when the panel does not fit the model.
    """
    panel, plan = on_clock(panel), replace(trained.plan, horizon=horizon or trained.plan.horizon)
    every = ask.every or plan.horizon
    count = ask.origins or _origins_of_model(trained, panel, plan, every)
    _check_length(panel, plan.horizon, every, count, least_history(plan))
    backs = backs_of(plan.horizon, every, count)

    def model(_: int) -> _Model:
        before = panel.without_end(backs[0])
        baselines = registry.fit_all(before, plan)
        # Alone, beyond its horizon or with other targets in sight, it would have to be fed, as `predict` does it.
        alone = plan.horizon == trained.plan.horizon and not plan.mixed_targets
        network = [(one, trained.ids) for one in trained.fitted if alone and one.kind is Kind.NETWORK]
        return _Model(trained, (*network, *((one, before.ids) for one in baselines)))

    rolled = _roll(panel, plan, backs, every, (0,), model)
    rows = rolled.backtest.panel
    seen = rows.last < last_known(trained, rows)
    role = tuple(np.where(seen, SEEN, REPORT).tolist())
    return replace(rolled, backtest=replace(rolled.backtest, role=role), fits=())


def backtest_training(
    panel: Panel,
    ask: BacktestOptions,
    options: TrainOptions | None = None,
    read: ReadOptions | None = None,
    listen: Listener = silent,
    clock: Clock | None = None,
) -> Rolled:
    """Measure what `train` would have published before the first origin, and again at every `ask.refit_every`-th.

    clock: of the whole run; what is left of its limit is shared out evenly over the fits that are to come. Raises
    DataError when the series are too short for the origins or for training before the first of them, TimeLimitError
    where a fit has no time for anything.
    """
    options, read = options or TrainOptions(), read or ReadOptions()
    clock = clock or Clock(options.seconds)
    panel = on_clock(panel)
    horizon = settle(panel, options, read.season).horizon  # follows from frequency and number of rows alone
    options = replace(options, horizon=horizon)
    every, least = ask.every or horizon, 3 * horizon + 3
    half = int(np.median(panel.lengths)) // 2
    count = ask.origins or max(1, min(MOST, _allowed(panel, horizon, every, max(half, least))))
    _check_length(panel, horizon, every, count, least)
    backs = backs_of(horizon, every, count)
    fits = tuple(range(0, count, ask.refit_every or count))
    remarks: list[str] = []

    def model(origin: int) -> _Model:
        before = _newest(panel.without_end(backs[origin]), ask.sliding)
        number = fits.index(origin)
        place = f"Fit {number + 1} of {len(fits)}"
        coming = len(fits) - number
        around = Surroundings(Clock(round(clock.left / coming, 1)) if coming > 1 else clock)
        try:
            outcome = pipeline.train(before, options, read, {}, _renamed(listen, place), around=around)
        except DataError as error:
            raise DataError(
                f"the rows before an origin: {error.message}\n{error.hint} Or ask for fewer --origins."
            ) from None
        except TimeLimitError as error:
            if len(fits) == 1:
                raise
            raise TimeLimitError(
                f"{place}: {error.message}\n"
                f"--time-limit {options.time_limit} is for all {len(fits)} fits: give it more, or fit less often."
            ) from None
        remarks.extend(f"{place}: {remark}" for remark in outcome.remarks(options.time_limit))
        trained, plan = outcome.trained, outcome.trained.plan
        network = [one for one in trained.fitted if one.kind is Kind.NETWORK and not plan.mixed_targets]
        return _Model(trained, tuple((one, before.ids) for one in (*network, *registry.fit_all(before, plan))))

    rolled = _roll(panel, None, backs, every, fits, model)
    return replace(rolled, remarks=tuple(remarks))


def _roll(
    panel: Panel,
    plan: Plan | None,
    backs: tuple[int, ...],
    every: int,
    fits: tuple[int, ...],
    model_at: Callable[[int], _Model],
) -> Rolled:
    """Forecast every origin with the newest model; without a plan that of the first model is meant."""
    models = [model_at(0)]
    plan = plan or models[0].trained.plan
    rows, stride = rows_at(panel, plan, backs)
    shape = (len(rows.order), plan.horizon)
    quantiles = np.full((*shape, len(plan.quantiles)), np.nan)
    medians = {kind: np.full(shape, np.nan) for kind in Kind}
    status = np.full(len(rows.order), "", dtype=object)
    for origin in range(len(backs)):
        if origin in fits[1:]:
            models.append(model_at(origin))
        here = np.flatnonzero(rows.order == origin)
        if not len(here):
            continue
        cut, model = rows.panel.select(here), models[-1]
        quantiles[here], status[here] = forecast_at(model.trained, panel, rows.series[here], cut.lengths, plan.horizon)
        own = replace(model.trained.plan, horizon=plan.horizon)
        for one, ids in model.singles:
            median = registry.run(one, cut, known_rows(ids, cut), own)[:, :, MEDIAN]
            medians[one.kind][here] = Bounds.of(own).apply(median)
    everywhere = [{one.kind for one, _ in model.singles} for model in models]
    backtest = Backtest(
        panel=rows.panel,
        role=(REPORT,) * len(rows.order),
        truth=rows.panel.truth(plan.horizon),
        units=units_at_first_origin(rows.panel, plan.season),
        quantiles=quantiles,
        medians={kind: median for kind, median in medians.items() if all(kind in kinds for kinds in everywhere)},
    )
    trained = tuple(model.trained for model in models)
    order = tuple(rows.order.tolist())
    return Rolled(backtest, plan, trained, fits, len(backs), every, rows.series, order, tuple(status.tolist()), stride)


def forecast_at(
    trained: Trained, panel: Panel, series: Integers, lengths: Integers, horizon: int
) -> tuple[Floats, tuple[str, ...]]:
    """Return what `predict` forecasts of these series with so many steps in sight: (rows, horizon, quantiles), status.

    series, lengths: (rows,) of the panel. A model that mixes targets sees all of an id, those too that are no row here.
    """
    rows = list(zip(series.tolist(), lengths.tolist(), strict=True))
    shown = dict.fromkeys(rows)
    if trained.plan.mixed_targets:
        of_id: dict[str, list[int]] = {}
        for number, name in enumerate(panel.ids):
            of_id.setdefault(name, []).append(number)
        shown = dict.fromkeys((other, length) for one, length in rows for other in of_id[panel.ids[one]])
    numbers, visible = np.array(list(shown), dtype=np.int64).T
    forecasts = predict(trained, panel.select(numbers, visible), horizon, assume_future=True)
    places = {row: place for place, row in enumerate(shown)}
    chosen = [places[row] for row in rows]
    return forecasts.quantiles[chosen], tuple(forecasts.status[place] for place in chosen)


def rows_at(panel: Panel, plan: Plan, backs: tuple[int, ...]) -> tuple[Rolling, int]:
    """Return the series cut at the origins, and the stride at which ids were chosen, so that memory suffices."""
    stride = max(1, -(-len(panel) * len(backs) * plan.horizon * len(plan.quantiles) // LARGEST))
    stride = min(stride, len(set(panel.ids)))
    rows = rolling(panel, plan, thinned(panel, stride), -np.array(backs))
    if not len(rows.order):
        raise DataError(
            f"none of the {len(backs)} origins has a value in the {plan.window} steps before it and the {plan.horizon} "
            "after it.\nGive rows with values up to the end, or say with --fill zero that a missing one is 0."
        )
    return rows, stride


def backs_of(horizon: int, every: int, count: int) -> tuple[int, ...]:
    """Return the steps from each origin to the end of its series, oldest first."""
    return tuple(horizon + every * back for back in reversed(range(count)))


def _allowed(panel: Panel, horizon: int, every: int, history: int) -> int:
    """Return how many origins there can be when a usual series keeps so many rows before the first; 0: none."""
    return max(0, (int(np.median(panel.lengths)) - horizon - history) // every + 1)


def _check_length(panel: Panel, horizon: int, every: int, count: int, history: int) -> None:
    """Refuse origins for which no series is long enough."""
    longest = int(panel.lengths.max())
    needed = history + horizon + every * (count - 1)
    if longest < needed:
        most = max(0, (longest - horizon - history) // every + 1)
        origins = f"{count} origins, {every} steps apart," if count > 1 else "an origin"
        raise DataError(
            f"the longest series has {longest} rows, but {origins} with a horizon of {horizon} and {history} rows "
            f"before {'the first need' if count > 1 else 'it needs'} {needed}.\n"
            + (f"Ask for at most {most} --origins, or give more history." if most else "Give more history.")
        )


def _origins_of_model(trained: Trained, panel: Panel, plan: Plan, every: int) -> int:
    """Return how many origins to look at: those after the rows of training, else those with a whole window."""
    known = panel.select(np.flatnonzero(known_rows(trained.ids, panel) >= 0))
    new = known.last - last_known(trained, known)
    after = (int(np.median(new)) - plan.horizon) // every + 1 if len(new) else 0
    allowed = _allowed(panel, plan.horizon, every, min(plan.window, int(np.median(panel.lengths)) // 2))
    return max(1, min(MOST, allowed, after if after > 0 else MOST))


def _newest(panel: Panel, steps: int | None) -> Panel:
    """Return the panel with only the last `steps` visible steps of each series."""
    dropped = np.maximum(panel.lengths - (steps or panel.lengths), 0)
    return replace(
        panel,
        starts=panel.starts + dropped,
        begins=panel.begins + dropped,
        lengths=panel.lengths - dropped,
    )


def _renamed(listen: Listener, place: str) -> Listener:
    """Return a listener that says which fit a stage of training belongs to."""

    def tell(progress: Progress) -> None:
        listen(replace(progress, stage=f"{place}, {STAGES.get(progress.stage, progress.stage)}"))

    return tell
