"""From options and data to a plan: every number left open is settled here, from the data, never from a name."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np

from forecast.errors import DataError, UsageError
from forecast.evaluation.backtest import Split, split
from forecast.options import Preset, ReadOptions, Scaler, TrainOptions
from forecast.panels import channels, scaling
from forecast.panels.bounds import Bounds
from forecast.panels.clock import on_clock
from forecast.panels.encoding import encoded_names
from forecast.panels.features import calendar_names
from forecast.panels.holidays import YEARS_AHEAD, holiday_days
from forecast.panels.panel import Panel
from forecast.panels.windows import origins_for_training
from forecast.plan import LINEAR, Plan
from forecast.seasons import best_base, confirmed_seasons

MEMBERS = {Preset.FAST: 1, Preset.BALANCED: 4, Preset.BEST: 12}
STEPS = {Preset.FAST: 500, Preset.BALANCED: 2000, Preset.BEST: 3000}
PASSES, LEAST_EPOCH = 4, 5  # over the windows between two looks at the validation rows, at most; steps, at least
PATIENT = 300  # steps without improvement, at least: the validation error may rise and fall again
ENOUGH = 200  # horizons of validation rows, over all series, for choices that hold
LONGEST = 30  # seasons in a window
LINEAR_FROM = 100  # steps in half a window: on shorter ones, of months, a linear start won less than 0.2 %
# Targets in a batch, at most, of windows that are at least so many: those of a long horizon overlap more and more. On
# ETTh1's training rows, 336 steps ahead, 72 windows instead of 256 gave the same errors in two thirds of the time.
TARGETS, LEAST_BATCH = 256 * 96, 32


def prepare(panel: Panel, options: TrainOptions, read: ReadOptions, plan: Plan | None = None) -> tuple[Plan, Split]:
    """Settle the plan, unless one is given, and split the history: what `check` and `train` both do with a table.

    Raises DataError for a panel that cannot be trained on, UsageError for options that contradict each other.
    """
    panel = on_clock(panel)
    if not any(np.isfinite(panel.values(series)).any() for series in range(len(panel))):
        raise DataError("every value of every series is missing.\nCheck the target column, or name it with --target.")
    _refuse_bounds(panel, options)
    names = encoded_names({"past": read.past, "future": read.future, "static": read.static}, panel.encodings)
    plan = plan or settle(panel, options, read.season, names, read.holidays)
    plan = plan if plan.targets else channels.with_targets(plan, panel)
    if "log" in plan.transforms:
        scaling.refuse_non_positive(panel)
    parts = split(panel, plan)
    if not (len(parts.validation.series) and len(parts.held.series)):
        raise DataError(
            f"the last {plan.validated + plan.held_back} steps hold too few observed values to choose and to check a "
            "forecast on.\nGive rows with values up to the end, or say with --fill zero that a missing one is 0."
        )
    return plan, parts


def _refuse_bounds(panel: Panel, options: TrainOptions) -> None:
    """Raise UsageError where no value lies within --min and --max: every forecast would be the same bound."""
    bounds = Bounds(options.min, options.max)
    if bounds.allows_any(panel):
        return
    raise UsageError(
        f"no value of the table lies within {bounds.asked}: every forecast would be the bound.\n"
        "Give the bound in the unit of the target, or leave it out."
    )


def settle(
    panel: Panel,
    options: TrainOptions,
    seasons: Sequence[int] = (),
    names: dict[str, tuple[str, ...]] | None = None,
    holidays: str | None = None,
) -> Plan:
    """Settle the plan for a panel; `names` are the covariates' names by role, `holidays` the country of the holidays.

    Raises DataError when no series is long enough to learn from and to check on, UsageError when options contradict
    each other.
    """
    length = int(np.median(panel.lengths))
    horizon = _horizon(panel, options, seasons)
    given = tuple(sorted(set(seasons)))
    # Without the rows that are held back for the report (at most so many, see _origins): they choose nothing.
    open_rows = panel.without_end(max(horizon, min(horizon + options.origins - 1, length // 4)))
    found = given or confirmed_seasons(open_rows, panel.calendar.seasons())
    found = tuple(season for season in found if season == 1 or 2 * season <= length) or (1,)
    window, segment = _window(options, found, horizon, length)
    origins = _origins(panel, options, horizon, max(min(found[0], window) + 1, 3))
    validation = _validation(panel, horizon, origins)
    fitted = panel.without_end(horizon + origins - 1 + validation)
    positive = all((values[np.isfinite(values)] > 0).all() for values in map(panel.values, range(len(panel))))
    names = names or {}
    days = _holidays(panel, holidays)
    base = best_base(fitted, (1, *(season for season in found if season > 1)), horizon)
    members = _members(options, positive, _windows(options, window, segment, found), base, found)
    plan = Plan(
        horizon=horizon,
        window=window,
        segment=segment,
        seasons=found,
        base=base,
        lookback=max(window + max(found), 10 * found[0], 120),
        whole_spread=True,
        past=names.get("past", ()),
        future=names.get("future", ()),
        static=names.get("static", ()),
        calendar=(*_calendar(panel), *(("holiday",) if days else ())),
        holidays=days,
        transforms=tuple(member.transform for member in members),
        windows=tuple(member.window for member in members),
        bases=tuple(member.base for member in members),
        smoothings=tuple(member.smoothing for member in members),
        cell=options.cell,
        units=options.units or Plan.units,
        layers=options.layers or Plan.layers,
        forecaster=options.forecaster,
        origins=origins,
        validation=validation,
        seed=options.seed,
        batch=max(LEAST_BATCH, min(Plan.batch, TARGETS // horizon)),
        minimum=options.min,
        maximum=options.max,
        decimals=options.round,
    )
    return _with_epochs(plan, fitted, options)


def _horizon(panel: Panel, options: TrainOptions, seasons: Sequence[int]) -> int:
    """Return the horizon: as asked, else the frequency's, else two seasons, else 12; at most a fifth of the data."""
    longest = int(panel.lengths.max())
    if options.horizon:
        horizon = options.horizon
    else:
        season = min(seasons or panel.calendar.seasons())
        usual = panel.calendar.default_horizon() or (2 * season if season > 1 else 12)
        horizon = max(1, min(usual, longest // 5))
    needed = 3 * horizon + 3
    if longest < needed:
        raise DataError(
            f"the longest series has {longest} rows, but a horizon of {horizon} steps needs at least {needed}: "
            "to learn from, to choose on and to check on.\n"
            + ("Give more history, or a shorter horizon with -H." if options.horizon else "Give more history.")
        )
    return horizon


def _window(options: TrainOptions, seasons: tuple[int, ...], horizon: int, length: int) -> tuple[int, int]:
    """Return window and segment: two of the longest seasons or seven horizons, at most 40 % of a usual series.

    More than LONGEST of the shortest seasons are not looked at for horizons that are shorter: the cell would take more
    steps than it learns from.
    """
    longest = max(seasons)
    unit = longest if longest > 1 else max(1, horizon // 2)
    reach = min(7 * horizon, max(horizon, LONGEST * seasons[0])) if longest > 1 else 7 * horizon
    wanted = options.window or max(unit, min(max(2 * longest, reach), int(0.4 * length)) // unit * unit)
    segment = options.segment or _segment(options.window or (seasons[0] if longest > 1 else unit), wanted)
    if options.window and options.segment and options.window % segment:
        raise UsageError(
            f"--window {options.window} is no multiple of --segment {segment}.\n"
            f"Use --window {max(1, options.window // segment) * segment}, or another --segment."
        )
    return max(segment, wanted // segment * segment), segment


def _segment(season: int, window: int) -> int:
    """Return the longest divisor of the season that leaves the cell at least six steps of the window, else 1."""
    divisors = [size for size in range(1, season + 1) if season % size == 0]
    return max((size for size in divisors if window // size >= 6), default=1)


def _origins(panel: Panel, options: TrainOptions, horizon: int, least: int) -> int:
    """Return the number of origins in each tail: the tails take at most half of a usual series."""
    usual = min(options.origins, int(np.median(panel.lengths)) // 4 - horizon + 1)
    longest = int(panel.lengths.max())
    possible = (longest - least) // 2 - horizon + 1
    if possible < 1:
        raise DataError(
            f"the longest series has {longest} rows, but {least} to learn from and twice a horizon of {horizon}, to "
            f"choose on and to check on, make {least + 2 * horizon}.\nGive more history, or a shorter horizon with -H."
        )
    return max(1, min(usual, possible))


def _validation(panel: Panel, horizon: int, origins: int) -> int:
    """Return the steps in the validation tail: more than a horizon and its origins where there are few, long series.

    Choices need about ENOUGH horizons to look at, over all series; they take at most a fifth of a usual series.
    Measured on ETTh1 (7 series): with 115 validation hours seasonal naive got most of the weight, MSE 0.405.
    """
    usual = int(np.median(panel.lengths))
    wanted = -(-ENOUGH * horizon // len(panel))
    return max(horizon + origins - 1, min(wanted, usual // 5))


def _with_epochs(plan: Plan, fitted: Panel, options: TrainOptions) -> Plan:
    """Return the plan with the length of an epoch, the steps and the patience of training on these rows.

    A network that has few windows has learned them by heart within the 50 steps of a usual epoch.
    """
    windows = int(origins_for_training(fitted, plan)[1].sum())
    epoch = min(plan.epoch, max(LEAST_EPOCH, -(-PASSES * windows // plan.batch)))
    steps = options.epochs * epoch if options.epochs else STEPS[options.preset]
    patience = options.patience or max(plan.patience, -(-PATIENT // epoch))
    return replace(plan, epoch=epoch, steps=steps, patience=patience)


def _calendar(panel: Panel) -> tuple[str, ...]:
    """Return the calendar features for the panel's frequency and span."""
    if panel.calendar.period is None:
        return ()
    step = panel.calendar.period / 86_400  # days
    ends = np.array([int(panel.starts.min()), int(panel.last.max())])
    return calendar_names(panel.calendar.times(ends), step, step * float(ends[1] - ends[0]))


def _holidays(panel: Panel, code: str | None) -> tuple[str, ...]:
    """Return the holidays over the years of the panel, and long after; none where none are asked for."""
    if code is None:
        return ()
    if panel.calendar.period is None:
        raise UsageError("--holidays needs dates, and the time of this table counts steps.\nLeave it out.")
    ends = panel.calendar.times(np.array([int(panel.starts.min()), int(panel.last.max())]))
    first, last = (ends.astype("M8[Y]").astype(np.int64) + 1970).tolist()
    return holiday_days(code, first, last + YEARS_AHEAD)


class _Member(NamedTuple):
    """What tells members of the ensemble apart."""

    transform: str
    window: int
    base: int
    smoothing: bool


def _members(
    options: TrainOptions, positive: bool, windows: tuple[int, ...], base: int, seasons: tuple[int, ...]
) -> list[_Member]:
    """Return the members: of different kinds, in turns, for those complement each other.

    Half the window and the whole of it. Values of 0 or below have one scaling, others are seen as logarithms and as
    values. Half the members, those of half the window first, start from a linear forecast where windows are long, and
    else are shown that of exponential smoothing. With one scaling other halves start from the last value.
    """
    given = str(options.scaler.value)
    transforms = (given,) if options.scaler is not Scaler.AUTO else ("log", "standard") if positive else ("standard",)
    long = windows[0] >= LINEAR_FROM
    other = 1 if base > 1 else seasons[0]
    kinds = []
    for turn, (place, window) in product((0, 1), enumerate(windows)):
        smoothing = not long and place == turn
        if len(transforms) == 1:
            starts = dict.fromkeys((LINEAR, 1) if long else (base, other))
            kinds += [_Member(*transforms, window, start, smoothing) for start in starts]
        else:
            start = LINEAR if long and place == turn else base
            kinds += [_Member(transform, window, start, smoothing) for transform in transforms]
    count = options.members or MEMBERS[options.preset]
    return [kinds[member % len(kinds)] for member in range(count)]


def _windows(options: TrainOptions, window: int, segment: int, seasons: tuple[int, ...]) -> tuple[int, ...]:
    """Return the windows that members see: half of it, but all of the longest season, and the whole."""
    short = -(-max(seasons[-1], window // 2) // segment) * segment
    return (window,) if options.window or short >= window else (short, window)
