"""What a backtest found out: its scores, what is worth a notice, and the report."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecast.backtesting import Rolled
from forecast.commands.results import comparisons, titles_of
from forecast.evaluation import metrics
from forecast.evaluation.backtest import REPORT, SEEN
from forecast.forecasters.fitted import Kind
from forecast.report.backtest import report_text
from forecast.report.verdict import TITLES, gather, title_of_network, verdict

MEANINGS = {
    "new": "of a series that the fit did not know",
    "short": "from less history than the window",
    "fallback": "seasonal naive, as too much of the last season was missing",
    "skipped": "none made, as there was no value to start from",
}


@dataclass(frozen=True, eq=False)
class Measured:
    """The scores of a backtest."""

    rolled: Rolled
    overall: dict[str, Any]  # as metrics.json
    steps: dict[str, Any]  # columns, one row per step
    series: dict[str, Any]  # columns, one row per series
    origins: list[dict[str, Any]]  # number, first and last cutoff, forecasts, forecasts that are scored
    notices: tuple[str, ...]

    @staticmethod
    def rows(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
        """Return a table of columns as rows that JSON can hold."""
        plain = [np.asarray(column).tolist() for column in columns.values()]
        rows = zip(*plain, strict=True)
        return [{name: None if cell != cell else cell for name, cell in zip(columns, row, strict=True)} for row in rows]


def measure(rolled: Rolled, model: str | None) -> Measured:
    """Score a backtest; model: NAME@VERSION of one that was there before."""
    overall = metrics.overall(rolled.backtest, rolled.plan)
    seen = REPORT not in rolled.backtest.role
    found = {} if seen else comparisons(rolled.backtest, overall["scores"])
    facts = gather(rolled.models[-1], overall, found.get(Kind.SEASONAL_NAIVE))
    promised = all(one.calibration.promised for one in rolled.models)
    sentence = verdict(replace(facts, seen=seen, mix=_mean_mix(rolled), promised=promised))
    targets = metrics.by_target(rolled.backtest, rolled.plan)
    overall |= {"targets": targets} if targets else {}
    overall |= {"comparison": {name: vars(one) for name, one in found.items()}, "verdict": sentence}
    steps, series = (made(rolled.backtest, rolled.plan) for made in (metrics.by_step, metrics.by_series))
    return Measured(rolled, overall, steps, series, _origins(rolled), _notices(rolled, model))


def describe(measured: Measured) -> str:
    """Return the report as text."""
    rolled, origins = measured.rolled, measured.origins
    word, horizon = rolled.backtest.panel.calendar.word, rolled.plan.horizon
    first, last = (origins[place]["last_cutoff"] for place in (0, -1))
    moved = any(one["first_cutoff"] != one["last_cutoff"] for one in origins)
    apart = f", {rolled.every} {word(rolled.every)} apart" if len(origins) > 1 else ""
    number = f"{len(origins)} origin{'s' if len(origins) > 1 else ''}"
    span = f"from {first} to {last}" if first != last else f"at {last}"
    if moved:
        span += " (earlier for series that end earlier)"
    head = [f"{number} {span}{apart}, each forecast {horizon} {word(horizon)} ahead", *measured.notices]
    return report_text(head, measured.overall, measured.steps, measured.series, titles_of(rolled.models[-1]))


def _mean_mix(rolled: Rolled) -> dict[str, float]:
    """Return title and weight of each forecaster in the mix, the mean over the fits."""
    mix: dict[str, float] = {}
    for trained in rolled.models:
        for one, weight in zip(trained.fitted, trained.weights, strict=True):
            title = TITLES.get(one.kind, title_of_network(trained))
            mix[title] = mix.get(title, 0.0) + weight / len(rolled.models)
    return {title: weight for title, weight in mix.items() if weight > 0}


def _origins(rolled: Rolled) -> list[dict[str, Any]]:
    """Return what is known about each origin that has a forecast, oldest first."""
    panel, order = rolled.backtest.panel, np.array(rolled.order)
    scored = np.array(rolled.backtest.role) == REPORT
    found = []
    for origin in np.unique(order):
        here = order == origin
        first, last = panel.calendar.render(np.array([panel.last[here].min(), panel.last[here].max()]))
        found.append(
            {
                "origin": int(origin) + 1,
                "first_cutoff": first,
                "last_cutoff": last,
                "fitted": int(origin) in rolled.fits,
                "forecasts": int(here.sum()),
                "after_training": int(scored[here].sum()),
            }
        )
    return found


def _notices(rolled: Rolled, model: str | None) -> tuple[str, ...]:
    """Return what a reader of the tables has to know, one line each."""
    lines = [_about_fits(rolled) if model is None else _about_training(rolled, model), *rolled.remarks]
    if rolled.stride > 1:
        what = "id" if rolled.plan.targets else "series"
        lines.append(f"One {what} in {rolled.stride} is scored, evenly spread, so that memory suffices.")
    count = Counter(rolled.status)
    lines += [
        f"{count[status]:,} of {len(rolled.status):,} forecasts {status} ({meaning})."
        for status, meaning in MEANINGS.items()
        if count[status]
    ]
    return tuple(lines)


def _about_fits(rolled: Rolled) -> str:
    """Return how often was fitted."""
    if len(rolled.fits) == 1:
        return "Fitted once, on the rows before the first origin."
    return f"Fitted {len(rolled.fits)} times, each time on the rows before the origin."


def _about_training(rolled: Rolled, model: str) -> str:
    """Return which forecasts lie after the rows that the model was trained on."""
    role, order = np.array(rolled.backtest.role), np.array(rolled.order)
    after, seen = set(order[role == REPORT].tolist()), set(order[role == SEEN].tolist())
    trained = f"the rows that {model} was trained on"
    if not seen:
        return f"All origins lie after {trained}."
    if not after:
        return (
            f"Warning: no origin lies after {trained}. It has seen what it forecasts here, so the errors are too small."
        )
    if after & seen:  # series end at different times
        count = int((role == REPORT).sum())
        return (
            f"{count:,} of {len(role):,} forecasts lie after {trained}; the others, which it has seen, are not scored."
        )
    first = rolled.backtest.panel.calendar.render(rolled.backtest.panel.last[np.isin(order, list(after))].min())[0]
    return (
        f"{len(after)} of {len(after | seen)} origins, from {first} on, lie after {trained}; the others, which it has "
        "seen, are not scored."
    )
