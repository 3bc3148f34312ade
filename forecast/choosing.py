"""What the validation origins settle: how long each network trains, and what is mixed with which weights."""

from typing import Any, NamedTuple

import numpy as np

from forecast.evaluation.backtest import Rolling, Split, split
from forecast.evaluation.metrics import mase
from forecast.forecasters import mixing, registry
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.intermittent import is_intermittent
from forecast.forecasters.lstm import network
from forecast.options import Forecaster
from forecast.pacing import Pace
from forecast.panels import channels, scaling
from forecast.panels.panel import Floats, Panel
from forecast.panels.units import seasonal_difference
from forecast.panels.windows import origins_for_training
from forecast.plan import MEDIAN, Plan
from forecast.progress import Look
from forecast.surroundings import Checkpoint, Surroundings

# Share of the error that seeing the other targets must save. Where they were noise, a second training differed from
# the first one by up to 1.1 % either way (5 trainings on 600 steps).
MIXING_GAIN = 0.02
Weights = dict[Kind, tuple[float, float]]  # in the mix of ordinary series, and in that of series that are mostly zero


class Choice(NamedTuple):
    """What was chosen, and the forecasters of the first training, which have seen the fit rows alone."""

    plan: Plan
    parts: Split
    fitted: list[Fitted]
    steps: tuple[int, ...]  # of each network of the plan
    weights: Weights
    history: tuple[dict[str, Any], ...]  # of all members, also of those that are left out
    pace: Pace  # what is left of the time limit

    @property
    def kept(self) -> list[Kind]:
        """The forecasters that have a weight."""
        return [kind for kind, weights in self.weights.items() if max(weights) > 0]

    def error(self) -> float:
        """Return the mean absolute error of the mix on the validation origins, in units of error, rows alike."""
        rows = self.parts.validation
        used = [one for one in self.fitted if one.kind in self.kept]
        weights = row_weights(self.weights, used, rows.panel, self.plan)
        medians = (run(one, rows, self.plan)[:, :, MEDIAN, None] for one in used)
        median = mixing.mix(medians, weights)[:, :, 0]
        return float(mase(rows.panel.truth(self.plan.horizon), median, units_of(self.parts, rows, self.plan))[0])


def choose(parts: Split, plan: Plan, around: Surroundings, listen: Look, phase: str = "choosing") -> Choice:
    """Fit every forecaster on the fit rows, and choose among them on the validation origins."""
    pace = Pace(around.clock, parts, plan)
    fitted, steps, found = fit_all(parts, plan, pace.choosing(listen), around.checkpoint)
    fitted, plan = pace.keep(fitted, len(steps))
    if fitted[0].kind is Kind.NETWORK:
        shares = choose_shares(fitted[0], parts, plan)
        fitted[0], plan = network.keep(fitted[0], plan, shares), plan.with_shares(shares)
        steps = tuple(step for step, share in zip(steps, shares, strict=False) if share)
        pace.plan = plan
    history = tuple({"phase": phase, **row} for row in found)
    return Choice(plan, parts, fitted, steps, choose_weights(fitted, parts, plan), history, pace)


def try_mixed_targets(
    panel: Panel, alone: Choice, plan: Plan, around: Surroundings, listen: Look
) -> tuple[Choice, dict[str, Any]]:
    """Train again with the other targets of each id in sight, and keep what the validation origins show to be better.

    panel: as read; plan: the one that `alone` was chosen for. Returns the choice, and for the run record what decided.
    Equal within chance, the targets stay independent.
    """
    plan, rows = channels.with_mixed_targets(plan), alone.parts.rows
    known = np.full(len(panel), -1)
    known[rows] = np.arange(len(rows))
    scales = scaling.align(scaling.fit(alone.parts.fit, channels.TRANSFORM), panel, known)
    parts = split(channels.with_other_targets(panel, scales), plan)
    both = choose(parts, plan, around, listen, "choosing, mixed targets")
    before, after = alone.error(), both.error()
    mixed = Kind.NETWORK in both.kept and after < before * (1 - MIXING_GAIN)
    chosen = (both if mixed else alone)._replace(history=(*alone.history, *both.history))
    return chosen, {"mixed": mixed, "independent_error": before, "mixed_error": after}


def steps_on_all(choice: Choice, panel: Panel) -> tuple[int, ...]:
    """Return how long each network trains on all rows: for as many passes over their windows as validation found.

    In whole epochs, and no longer than a plan says. On short series the first part may hold a fifth of all windows: as
    many steps on all of them as on those would leave a network that has learned too little.
    """
    plan, found = choice.plan, []
    for number, steps in enumerate(choice.steps):
        own = plan.member(number)
        first, whole = (int(origins_for_training(rows, own)[1].sum()) for rows in (choice.parts.fit, panel))
        epochs = -(-steps * whole // (max(first, 1) * plan.epoch))
        found.append(min(epochs * plan.epoch, max(plan.steps, steps)))
    return tuple(found)


def fit_all(
    parts: Split, plan: Plan, listen: Look, checkpoint: Checkpoint | None = None
) -> tuple[list[Fitted], tuple[int, ...], tuple[dict[str, Any], ...]]:
    """Fit every forecaster on the fit rows; return them, the best step of each network, the training history."""
    fitted = registry.fit_all(parts.fit, plan)
    origins = network.Origins(parts.validation.series, parts.validation.panel.lengths)
    result = network.fit(parts.fit, plan, origins, listen, checkpoint=checkpoint)
    return [result.fitted, *fitted], result.steps, result.history


def choose_shares(fitted: Fitted, parts: Split, plan: Plan) -> tuple[float, ...]:
    """Return the share of each member of the network that the validation origins show to be best; some are 0."""
    rows = parts.validation
    found = network.medians(fitted, rows.panel, rows.series, plan)
    return mixing.choose_weights(rows.panel.truth(plan.horizon), found, units_of(parts, rows, plan), rows.series)


def choose_weights(fitted: list[Fitted], parts: Split, plan: Plan) -> Weights:
    """Return the mix that the validation origins show to be best; the network alone if that was asked for."""
    kinds = [one.kind for one in fitted]
    if plan.forecaster is Forecaster.NETWORK:
        return {kind: (float(kind is Kind.NETWORK),) * 2 for kind in kinds}
    rows = parts.validation
    truth, units = rows.panel.truth(plan.horizon), units_of(parts, rows, plan)
    medians = [run(one, rows, plan)[:, :, MEDIAN].copy() for one in fitted]  # a view would keep all quantiles
    zeros = is_intermittent(rows.panel, plan)
    mixes = [
        mixing.choose_weights(truth[group], [median[group] for median in medians], units[group], rows.series[group])
        for group in (~zeros, zeros)
        if group.any()
    ]
    return dict(zip(kinds, zip(mixes[0], mixes[-1], strict=True), strict=True))


def row_weights(weights: Weights, fitted: list[Fitted], panel: Panel, plan: Plan) -> list[Floats]:
    """Return the weight of each forecaster in each row of a panel: (rows,) each."""
    zeros = is_intermittent(panel, plan)
    return [np.where(zeros, weights[one.kind][1], weights[one.kind][0]) for one in fitted]


def run(fitted: Fitted, rows: Rolling, plan: Plan) -> Floats:
    """Forecast from each origin: (rows, horizon, quantiles)."""
    return registry.run(fitted, rows.panel, rows.series, plan)


def units_of(parts: Split, rows: Rolling, plan: Plan) -> Floats:
    """Return the unit of error of each row, from the fit rows of its series: (rows,)."""
    return seasonal_difference(parts.fit, plan.season)[rows.series]
