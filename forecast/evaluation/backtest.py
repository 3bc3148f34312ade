"""Rolling origins: which rows each number has seen, and the records of a backtest.

Each series is split once: [fit | validation | held back]. The held-back tail is horizon + K - 1 steps long, so that it
holds K origins, one step apart; the validation tail is as long, or longer where few but long series would otherwise
leave the choices to a handful of days. Training reads the fit rows; the validation origins, spread over their tail,
choose when to stop and how to mix; the held-back origins take turns: the even ones calibrate the bands, the odd ones
are reported. With fewer than 4 origins all calibrate, and all are reported without a claim about coverage.
"""

from dataclasses import dataclass

import numpy as np

from forecast.forecasters.fitted import Kind
from forecast.panels.panel import Floats, Integers, Panel
from forecast.panels.units import without_unit
from forecast.plan import Plan

CALIBRATION, REPORT, SEEN = "calibration", "report", "seen"
SEPARATE_FROM = 4  # origins: with fewer, calibration and report share them
VALIDATION_ROWS = 4096  # series x origins that validation looks at, about; at least K origins of each series
VALIDATION_NUMBERS = 50_000_000  # that a forecast of all of them may have
LARGEST = 6_000_000  # numbers in one array of backtest quantiles; beyond, series are left out evenly


@dataclass(frozen=True, eq=False)
class Backtest:
    """Forecasts at rolling origins that training never saw, with the truth: one row per series and origin.

    `panel` is the view cut at each origin (ids repeat), so its `last` are the cutoffs and `panel.calendar` the times.
    """

    panel: Panel  # (rows,)
    role: tuple[str, ...]  # (rows,) "calibration", "report", or "seen": the truth was among the rows of training
    truth: Floats  # (rows, horizon), NaN where missing
    units: Floats  # (rows,) the series' mean absolute seasonal difference on the fit rows; NaN where they are all 0
    quantiles: Floats  # (rows, horizon, quantiles): the published mix, calibrated
    medians: dict[Kind, Floats]  # (rows, horizon) of every single forecaster

    def select(self, rows: Integers) -> "Backtest":
        """Return these rows."""
        return Backtest(
            panel=self.panel.select(rows),
            role=tuple(self.role[row] for row in rows),
            truth=self.truth[rows],
            units=self.units[rows],
            quantiles=self.quantiles[rows],
            medians={kind: median[rows] for kind, median in self.medians.items()},
        )

    def report(self) -> Integers:
        """Return the rows that are reported."""
        chosen = np.flatnonzero(np.array(self.role) == REPORT)
        return chosen if len(chosen) else np.arange(len(self.role))


@dataclass(frozen=True, eq=False)
class Rolling:
    """A panel cut at rolling origins; row r is series[r] of the panel at its origin number order[r], oldest first."""

    panel: Panel  # (rows,)
    series: Integers
    order: Integers


@dataclass(frozen=True, eq=False)
class Split:
    """The three parts of the history, in the order of time."""

    fit: Panel
    rows: Integers  # (fit series,) their numbers in the whole panel
    validation: Rolling  # series: numbers in `fit`
    held: Rolling


def split(panel: Panel, plan: Plan) -> Split:
    """Split a panel into fit rows, validation origins and held-back origins.

    A series joins when, without both tails, enough of it remains to forecast from; the others are only refitted.
    """
    tails = plan.held_back + plan.validated
    rows = np.flatnonzero(panel.lengths - tails >= least_history(plan))
    whole = panel.select(rows)
    fit = whole.select(np.arange(len(rows)), whole.lengths - tails)
    every = max(1, -(-len(rows) * plan.origins * plan.horizon * len(plan.quantiles) // LARGEST))
    chosen = thinned(whole, every)
    last = plan.validated - plan.horizon
    numbers = max(1, len(chosen)) * plan.horizon * len(plan.quantiles)
    count = min(VALIDATION_ROWS // max(1, len(chosen)), VALIDATION_NUMBERS // numbers)
    count = min(last + 1, max(plan.origins, count))
    spread = np.unique(np.linspace(0, last, count).astype(np.int64))
    # Nothing is chosen by errors that cannot be compared with those of other series, as long as there are others.
    validation = rolling(whole, plan, chosen[~without_unit(fit)[chosen]], spread - tails)
    if not len(validation.series):
        validation = rolling(whole, plan, chosen, spread - tails)
    return Split(fit, rows, validation, rolling(whole, plan, chosen, np.arange(plan.origins) - plan.held_back))


def thinned(panel: Panel, every: int) -> Integers:
    """Return the series of every so many-th id, all targets of it: series themselves would be those of some targets."""
    if every == 1:
        return np.arange(len(panel))
    numbers = {name: number for number, name in enumerate(dict.fromkeys(panel.ids))}
    return np.flatnonzero(np.array([numbers[name] for name in panel.ids], dtype=np.int64) % every == 0)


def least_history(plan: Plan) -> int:
    """Return the fewest steps of a series that a forecast in a backtest may start from."""
    return max(min(plan.season, plan.window) + 1, 3)


def rolling(panel: Panel, plan: Plan, series: Integers, origins: Integers) -> Rolling:
    """Return the given series cut at each origin, (origins,) steps from the end of the series, so below 0.

    An origin with too little history, or without any value in its window or its horizon, is left out, and so is a
    second one at the same step: among steps that know what comes after them all move back to the last one before.
    """
    order = np.tile(np.arange(len(origins)), len(series))
    repeated = np.repeat(series, len(origins))
    lengths = panel.honest(repeated, np.maximum(panel.lengths[repeated] + origins[order], 1))
    again = np.r_[False, (np.diff(repeated) == 0) & (np.diff(lengths) == 0)][: len(lengths)]
    enough = (lengths >= least_history(plan)) & ~again
    order, repeated = order[enough], repeated[enough]
    cut = panel.select(repeated, lengths[enough])
    usable = np.flatnonzero(
        np.isfinite(cut.truth(plan.horizon)).any(axis=1) & np.isfinite(cut.tail(plan.window)).any(axis=1)
    )
    return Rolling(cut.select(usable), repeated[usable], order[usable])


def roles(held: Rolling, plan: Plan) -> tuple[str, ...]:
    """Return what each held-back origin is for."""
    if plan.origins < SEPARATE_FROM:
        return (CALIBRATION,) * len(held.order)
    return tuple(REPORT if order % 2 else CALIBRATION for order in held.order)
