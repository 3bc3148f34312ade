"""The verdict: one sentence that a manager understands, made of numbers that were measured."""

from dataclasses import dataclass
from typing import Any

from forecast.evaluation.comparison import Comparison
from forecast.forecasters.fitted import Kind
from forecast.panels.calendar import Calendar
from forecast.trained import Trained

FAR_BELOW = -0.5  # of what happened: a median that leaves out so much misleads whoever adds forecasts up
MOST = 999  # percent: beyond, only the direction says anything
SPANS = {3600.0: "the last hour", 86400.0: "yesterday", 7 * 86400.0: "last week", 365.2425 * 86400: "last year"}
TITLES = {
    Kind.RIDGE: "ridge",
    Kind.SMOOTHING: "exponential smoothing",
    Kind.THETA: "Theta",
    Kind.SEASONAL_NAIVE: "seasonal naive",
    Kind.DRIFT: "drift",
    Kind.NAIVE: "naive",
    Kind.INTERMITTENT: "intermittent demand",
}


@dataclass(frozen=True)
class Facts:
    """What the verdict is made of."""

    skill: float | None  # 1 - error / error of the reference; None: the reference made no error, the model did
    reference: str  # what the reference does, such as "repeating last week"
    test: str  # what both were measured on, such as "10 x 48 hours"
    coverage: float | None  # share of the truth inside the 80 % band; None: not measured
    promised: bool  # whether enough scores stand behind the bands
    mix: dict[str, float]  # title and weight of each published forecaster, the weights adding up to 1
    network: str = "LSTM"  # title of the network
    compared: bool = True  # False: no series that was checked has a unit that errors could be counted in
    comparison: Comparison | None = None  # with the reference, on the same rows; None: not tested
    seen: bool = False  # whether the rows were among those of training
    bias: float | None = None  # the sum of the errors, as a share of what happened
    repeated: bool = False  # whether every series ends with too little to forecast from: its last season is repeated


def verdict(facts: Facts) -> str:
    """Return the sentence; it holds `N % better than` or `N % worse than` wherever the two could be compared."""
    result = f"{_compared(facts)} {facts.reference}, on {facts.test}"
    if facts.seen:
        return f"{result} it had seen in training, which is no proof"
    parts = [f"{result} it had not seen{luck(facts.comparison)}", _bands(facts)]
    return "; ".join(part for part in (*parts, _published(facts), _left_out(facts)) if part)


def gather(trained: Trained, metrics: dict[str, Any], comparison: Comparison | None = None) -> Facts:
    """Return the facts about a trained model, from the record that `metrics.overall` makes.

    comparison: with seasonal naive.
    """
    score = metrics["scores"]["model"]
    origins = max(1, round(metrics["rows"] / max(1, metrics["series"])))
    horizon, calendar = metrics["horizon"], trained.calendar
    series = f" of {metrics['series']:,} series" if metrics["series"] > 1 else ""
    title = title_of_network(trained)
    return Facts(
        skill=score["skill"],
        reference=reference(calendar, trained.plan.seasonal_lag),
        test=f"{origins} x {horizon} {calendar.word(horizon)}{series}",
        coverage=score["coverage_80"],
        promised=trained.calibration.promised,
        mix={
            TITLES.get(one.kind, title): weight
            for one, weight in zip(trained.fitted, trained.weights, strict=True)
            if weight > 0
        },
        network=title,
        compared=score["mase"] is not None,
        comparison=comparison,
        bias=score["bias"],
    )


def title_of_network(trained: Trained) -> str:
    """Return what the network is called: the name of its cell."""
    return trained.plan.cell.value.upper()


def reference(calendar: Calendar, season: int) -> str:
    """Return in words what the seasonal naive forecast does."""
    if season == 1:
        return "repeating the last value"
    seconds = (calendar.period or 0.0) * season
    for span, name in SPANS.items():
        if abs(seconds - span) < 0.02 * span:  # 52 weeks, 365 days and 12 months are all a year
            return f"repeating {name}"
    return f"repeating the last {season} {calendar.word(season)}"


def _compared(facts: Facts) -> str:
    """Return how much better or worse."""
    skill = facts.skill
    if not facts.compared:
        return "cannot be compared with"
    if skill is None:
        return f"over {MOST} % worse than"
    percent = round(100 * abs(skill))
    amount = f"over {MOST} %" if percent > MOST else f"{percent} %"
    return f"{amount} {'better' if skill >= 0 else 'worse'} than"


def luck(comparison: Comparison | None) -> str:
    """Return whether the difference may be chance, where there is one."""
    if comparison is None or not comparison.difference:
        return ""
    if comparison.p_value is None:
        return ", which are too few to rule out chance"
    if comparison.may_be_luck:
        return f", which may be chance (Diebold-Mariano p = {comparison.p_value:.2f})"
    exact = f"= {comparison.p_value:.3f}" if comparison.p_value >= 0.001 else "< 0.001"
    return f" (Diebold-Mariano p {exact})"


def _bands(facts: Facts) -> str:
    """Return what is known about the 80 % band."""
    if facts.coverage is None:
        held = "too few origins to measure what the 80 % band holds"
    else:
        held = f"the 80 % band held {round(100 * facts.coverage)} %"
    return held if facts.promised else f"{held}, and too few scores to promise its level"


def _left_out(facts: Facts) -> str:
    """Return how little the forecasts add up to, where most of what happened is rare: they are medians."""
    if facts.bias is None or facts.bias > FAR_BELOW:
        return ""
    share = max(0, round(100 * (1 + facts.bias)))
    return f"it is a median, and adds up to {share} % of what happened: to stock by, take an upper quantile"


def _published(facts: Facts) -> str:
    """Return what forecasts, where it is not the network alone."""
    if facts.repeated:
        return "now the last season is repeated instead, as over half of it is missing in every series"
    if list(facts.mix) == [facts.network]:
        return ""
    if len(facts.mix) == 1:
        return f"{next(iter(facts.mix))} did best and makes the forecast"
    shares = sorted(facts.mix.items(), key=lambda item: -item[1])
    parts = [f"{round(100 * weight)} % {name}" for name, weight in shares]
    return f"a mix of {', '.join(parts[:-1])} and {parts[-1]} makes the forecast"
