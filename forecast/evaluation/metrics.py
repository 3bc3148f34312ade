"""Errors of forecasts as pure functions, and the tables of a backtest that are made of them.

A step whose truth is missing counts nowhere. What would be 0 / 0 is 0 (a perfect forecast of nothing); what would be
x / 0 is undefined: NaN in arrays and columns, None in the record for JSON. Nothing is ever infinite. A series of zeros
alone before its origins has no unit of error: it counts in MAE, RMSE, WAPE, sMAPE and bias, not in what is scaled.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.evaluation.backtest import Backtest
from forecast.evaluation.calibration import at
from forecast.forecasters.fitted import Kind
from forecast.panels.panel import Floats, Integers, Panel
from forecast.panels.units import seasonal_difference, without_unit
from forecast.plan import MEDIAN, Plan

LEVELS = (80, 95)  # percent


@dataclass(frozen=True, eq=False)
class Groups:
    """Which group each cell of (rows, horizon) counts for, and how much."""

    index: Integers  # broadcasts to (rows, horizon)
    count: int
    steps: bool = False  # whether a group is one step of many rows, not whole rows

    def total(self, values: Floats) -> Floats:
        """Return the sum of the observed values of each group: (groups,), NaN where there is none."""
        seen = np.isfinite(values)
        index = np.broadcast_to(self.index, values.shape)[seen]
        sums = np.bincount(index, values[seen], minlength=self.count)
        return np.where(np.bincount(index, minlength=self.count) > 0, sums, np.nan)

    def mean(self, values: Floats) -> Floats:
        """Return the mean of the observed values of each group: (groups,), NaN where there is none."""
        return self.total(values) / self.total(np.where(np.isfinite(values), 1.0, np.nan))


WHOLE = Groups(np.zeros((1, 1), dtype=np.int64), 1)


def mae(truth: Floats, forecast: Floats, groups: Groups = WHOLE) -> Floats:
    """Return the mean absolute error of each group, in units of the target.

    truth, forecast: (rows, horizon) -> (groups,); so in all functions below. Without `groups` all cells are one group.
    """
    return groups.mean(np.abs(forecast - truth))


def rmse(truth: Floats, forecast: Floats, groups: Groups = WHOLE) -> Floats:
    """Return the root of the mean squared error, in units of the target."""
    return np.sqrt(groups.mean((forecast - truth) ** 2))


def wape(truth: Floats, forecast: Floats, groups: Groups = WHOLE) -> Floats:
    """Return the sum of the absolute errors as a share of the sum of the absolute truth (0.1 = 10 %)."""
    return share(groups.total(np.abs(forecast - truth)), groups.total(np.abs(truth)))


def bias(truth: Floats, forecast: Floats, groups: Groups = WHOLE) -> Floats:
    """Return the sum of (forecast - truth) as a share of the sum of the absolute truth: above 0 is too high."""
    return share(groups.total(forecast - truth), groups.total(np.abs(truth)))


def smape(truth: Floats, forecast: Floats, groups: Groups = WHOLE) -> Floats:
    """Return the mean of 200 |y - f| / (|y| + |f|), percent, as in the M4 competition; a step of 0 / 0 counts 0."""
    size = np.abs(truth) + np.abs(forecast)
    return groups.mean(200 * np.abs(forecast - truth) / np.where(size > 0, size, 1))


def mase(truth: Floats, forecast: Floats, units: Floats, groups: Groups = WHOLE) -> Floats:
    """Return the mean absolute error in units (rows,) of the mean absolute seasonal difference (Hyndman, Koehler 2006).

    Each row counts equally, however many of its steps are observed; in groups of single steps that is the mean.
    """
    return groups.mean(_row_means(np.abs(forecast - truth) / units[:, None], groups))


def rmsse(truth: Floats, forecast: Floats, units: Floats, groups: Groups = WHOLE) -> Floats:
    """Return the mean over rows of the root mean squared error in units (rows,) of `seasonal_difference(..., power=2)`.

    In groups of single steps: the root of the mean over rows.
    """
    squares = ((forecast - truth) / units[:, None]) ** 2
    if groups.steps:
        return np.sqrt(groups.mean(squares))
    return groups.mean(np.sqrt(_row_means(squares, groups)))


def pinball(
    truth: Floats, quantiles: Floats, probabilities: tuple[float, ...], units: Floats, groups: Groups = WHOLE
) -> Floats:
    """Return twice the mean pinball loss over the probabilities, in units (rows,), rows counting as in `mase`.

    quantiles: (rows, horizon, probabilities). On a symmetric grid a point forecast's value equals its MASE, so that
    forecasts with and without bands compare.
    """
    loss = np.zeros(truth.shape)
    for k, probability in enumerate(probabilities):
        error = truth - quantiles[:, :, k]
        loss += np.maximum(probability * error, (probability - 1) * error)
    return groups.mean(_row_means(2 * loss / len(probabilities) / units[:, None], groups))


def coverage(truth: Floats, low: Floats, high: Floats, groups: Groups = WHOLE) -> Floats:
    """Return the share of the observed truth that lies inside low <= truth <= high."""
    known = np.isfinite(truth) & np.isfinite(low) & np.isfinite(high)
    inside = ((low <= truth) & (truth <= high)).astype(np.float64)
    return groups.mean(np.where(known, inside, np.nan))


def skill(error: Floats, reference: Floats) -> Floats:
    """Return 1 - error / reference: 0.12 is 12 % better than the reference, below 0 is worse; 0 where both are 0."""
    both = (np.asarray(error) == 0) & (np.asarray(reference) == 0)
    return np.where(both, 0.0, 1 - share(error, reference))


def overall(backtest: Backtest, plan: Plan) -> dict[str, Any]:
    """Return the scores of the published mix ("model") and of each single forecaster, as plain values for JSON.

    Rows of the role "report" count; where there is none, all rows do and the coverage is None, for it was not measured.
    """
    chosen = _Chosen.of(backtest, plan)
    columns = {name: _columns(chosen, forecast, WHOLE) for name, forecast in chosen.medians.items()}
    columns["model"] |= _band_columns(chosen, WHOLE)
    reference = columns[Kind.SEASONAL_NAIVE]["mase"] if Kind.SEASONAL_NAIVE in columns else np.full(1, np.nan)
    scores = {}
    for name, column in columns.items():
        column["skill"] = skill(column["mase"], reference)
        column.setdefault("pinball", column["mase"])  # of a forecast without bands the two are the same
        scores[str(name)] = {key: _plain(values[0]) for key, values in column.items()}
        scores[str(name)] |= {key: None for key in _coverage_names() if key not in column}
    return {
        "rows": len(chosen.truth),
        "series": len(np.unique(chosen.panel.begins)),
        "horizon": plan.horizon,
        "season": plan.season,
        "coverage_measured": chosen.measured,
        "scores": scores,
    }


def by_target(backtest: Backtest, plan: Plan) -> dict[str, dict[str, Any]]:
    """Return the scores of `overall` for each target by itself, by name; nothing where there is one.

    A target without a row of the role "report" is left out where others have some.
    """
    found, backtest = {}, backtest.select(backtest.report())
    for channel, name in enumerate(backtest.panel.targets):
        rows = np.flatnonzero(backtest.panel.channel == channel)
        if len(rows):
            found[name] = overall(backtest.select(rows), plan)["scores"]
    return found


def by_series(backtest: Backtest, plan: Plan) -> dict[str, Any]:
    """Return one row per series as columns: series, origins, the scores of the mix, and the MASE of each forecaster.

    With several targets `target` follows `series`.
    """
    chosen = _Chosen.of(backtest, plan)
    _, first, inverse = np.unique(chosen.panel.begins, return_index=True, return_inverse=True)
    place = np.argsort(np.argsort(first))[inverse]  # series in the order in which they come
    groups = Groups(place[:, None].astype(np.int64), len(first))
    names = {"series": [chosen.panel.ids[i] for i in np.sort(first)]}
    if chosen.panel.targets:
        names |= {"target": [chosen.panel.targets[chosen.panel.channel[i]] for i in np.sort(first)]}
    return names | {"origins": np.bincount(place, minlength=len(first))} | _table(chosen, groups)


def by_step(backtest: Backtest, plan: Plan) -> dict[str, Any]:
    """Return one row per step of the horizon as columns: step, the scores of the mix, the MASE of each forecaster.

    With several targets there are so many rows for each, and `target` comes first.
    """
    chosen = _Chosen.of(backtest, plan)
    horizon, targets = chosen.truth.shape[1], chosen.panel.targets
    steps, count = np.arange(horizon), max(1, len(targets))
    place = chosen.panel.channel[:, None] * horizon + steps if targets else steps[None, :]
    names = {"target": np.repeat(np.array(targets, dtype=object), horizon)} if targets else {}
    table = _table(chosen, Groups(place, horizon * count, steps=True))
    return names | {"step": np.tile(steps + 1, count)} | table


@dataclass(frozen=True, eq=False)
class _Chosen:
    """The rows of a backtest that are scored."""

    panel: Panel
    truth: Floats
    quantiles: Floats
    medians: dict[str, Floats]  # "model" first
    units: Floats
    squares: Floats  # (rows,) the unit of RMSSE
    measured: bool  # whether calibration has not seen these rows
    probabilities: tuple[float, ...]

    @classmethod
    def of(cls, backtest: Backtest, plan: Plan) -> "_Chosen":
        """Choose the report rows, or all where there is none."""
        report = np.flatnonzero(np.array(backtest.role) == "report")
        rows = report if len(report) else np.arange(len(backtest.role))
        panel = backtest.panel.select(rows)
        medians = {"model": backtest.quantiles[rows, :, MEDIAN]}
        medians |= {kind: values[rows] for kind, values in backtest.medians.items()}
        return cls(
            panel=panel,
            truth=backtest.truth[rows],
            quantiles=backtest.quantiles[rows],
            medians=medians,
            units=backtest.units[rows],
            squares=units_at_first_origin(panel, plan.season, power=2),
            measured=bool(len(report)),
            probabilities=plan.quantiles,
        )


def units_at_first_origin(panel: Panel, season: int, power: int = 1) -> Floats:
    """Return the seasonal difference (its root mean square) before the first origin of each row's series: (rows,).

    NaN where there was nothing but zeros, as in `Backtest.units`.
    """
    _, first, inverse = np.unique(panel.begins, return_index=True, return_inverse=True)
    shortest = panel.lengths[first].copy()
    np.minimum.at(shortest, inverse, panel.lengths)
    before = panel.select(first, shortest)
    units = np.where(without_unit(before), np.nan, seasonal_difference(before, season, power))
    found: Floats = units[inverse]
    return found


def _table(chosen: _Chosen, groups: Groups) -> dict[str, Any]:
    """Return the scores of the mix by group, then the MASE of every forecaster and the skill."""
    columns: dict[str, Any] = _columns(chosen, chosen.medians["model"], groups) | _band_columns(chosen, groups)
    if not chosen.measured:
        columns |= {name: np.full(groups.count, np.nan) for name in _coverage_names()}
    for name, forecast in chosen.medians.items():
        if name != "model":
            columns[f"mase_{name}"] = mase(chosen.truth, forecast, chosen.units, groups)
    reference = columns.get(f"mase_{Kind.SEASONAL_NAIVE}", np.full(groups.count, np.nan))
    return columns | {"skill": skill(columns["mase"], reference)}


def _columns(chosen: _Chosen, forecast: Floats, groups: Groups) -> dict[str, Floats]:
    """Return the scores of one point forecast by group."""
    truth = chosen.truth
    return {
        "mae": mae(truth, forecast, groups),
        "rmse": rmse(truth, forecast, groups),
        "wape": wape(np.where(np.isfinite(forecast), truth, np.nan), forecast, groups),
        "smape": smape(truth, forecast, groups),
        "mase": mase(truth, forecast, chosen.units, groups),
        "rmsse": rmsse(truth, forecast, chosen.squares, groups),
        "bias": bias(np.where(np.isfinite(forecast), truth, np.nan), forecast, groups),
    }


def _band_columns(chosen: _Chosen, groups: Groups) -> dict[str, Floats]:
    """Return the pinball loss of the mix and, where it was measured, the coverage of its bands."""
    columns = {"pinball": pinball(chosen.truth, chosen.quantiles, chosen.probabilities, chosen.units, groups)}
    if not chosen.measured:
        return columns
    for name, level in zip(_coverage_names(), LEVELS, strict=True):
        bounds = at(chosen.quantiles, chosen.probabilities, (0.5 - level / 200, 0.5 + level / 200))
        columns[name] = coverage(chosen.truth, bounds[..., 0], bounds[..., 1], groups)
    return columns


def _coverage_names() -> list[str]:
    """Return the names of the columns that hold the coverage of each level."""
    return [f"coverage_{level}" for level in LEVELS]


def _row_means(values: Floats, groups: Groups) -> Floats:
    """Return the mean of each row's observed values, (rows, 1), unless a group is made of single steps."""
    if groups.steps:
        return values
    seen = np.isfinite(values)
    number = seen.sum(axis=1)
    total = np.where(seen, values, 0).sum(axis=1)
    means: Floats = np.divide(total, number, out=np.full(len(values), np.nan), where=number > 0)
    return means[:, None]


def share(part: Floats, whole: Floats) -> Floats:
    """Return part / whole; 0 / 0 is 0 and x / 0 is NaN."""
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    nothing = np.where(part == 0, 0.0, np.nan)
    share: Floats = np.divide(part, whole, out=nothing, where=whole != 0)
    return share


def _plain(value: float) -> float | None:
    """Return a float that JSON can hold: None for what is undefined."""
    return float(value) if np.isfinite(value) else None
