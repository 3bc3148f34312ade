"""What a training run found out, as the files that are published beside the model."""

import json
from dataclasses import dataclass, replace
from typing import Any

from forecast.choosing import MIXING_GAIN
from forecast.commands.findings import BAD
from forecast.evaluation import metrics
from forecast.evaluation.backtest import Backtest
from forecast.evaluation.comparison import Comparison, compare
from forecast.forecasters.fitted import Kind
from forecast.options import PredictOptions, ReadOptions, as_record
from forecast.panels.panel import Panel
from forecast.pipeline import Outcome
from forecast.report.figures import backtest_as_csv, columns_as_csv, rows_as_csv
from forecast.report.plot import forecast_plot
from forecast.report.table import metrics_table
from forecast.report.verdict import TITLES, gather, title_of_network, verdict
from forecast.tables.write import table_bytes
from forecast.trained import Trained


@dataclass(frozen=True)
class Judgement:
    """What the held-back origins say about a model."""

    metrics: dict[str, Any]  # overall, plain values
    table: str
    verdict: str
    settled: str  # what was settled from the data, in a line, and what for several targets, in another
    details: str  # the same to the last number

    @property
    def skill(self) -> float | None:
        """Return the skill against seasonal naive; None where it is not defined."""
        skill: float | None = self.metrics["scores"]["model"]["skill"]
        return skill


def judge(outcome: Outcome) -> Judgement:
    """Score the backtest of a training run."""
    trained = outcome.trained
    overall = metrics.overall(outcome.backtest, trained.plan)
    found = comparisons(outcome.backtest, overall["scores"])
    facts, status = gather(trained, overall, found.get(Kind.SEASONAL_NAIVE)), set(outcome.forecasts.status)
    sentence = verdict(replace(facts, repeated="fallback" in status and status <= set(BAD)))
    targets = metrics.by_target(outcome.backtest, trained.plan)
    of_targets = {name: scores["model"] for name, scores in targets.items()}
    table = metrics_table(overall["scores"], titles_of(trained), targets=of_targets)
    overall |= {"comparison": {name: vars(one) for name, one in found.items()}, "verdict": sentence}
    overall |= {"targets": targets} if targets else {}
    settled = "\n".join([_settled(trained), *_mixing(outcome)])
    return Judgement(overall, table, sentence, settled, "\n".join([_details(trained), *_mixing(outcome)]))


def comparisons(backtest: Backtest, scores: dict[str, Any]) -> dict[str, Comparison]:
    """Return how the model compares with seasonal naive, and with the baseline that did best on the same rows."""
    baselines = {kind: scores[kind]["mase"] for kind in TITLES if kind in scores}
    known = {kind: error for kind, error in baselines.items() if error is not None}
    best = [min(known, key=lambda kind: known[kind])] if known else []
    return compare(backtest, [Kind.SEASONAL_NAIVE, *best])


def titles_of(trained: Trained) -> dict[str, str]:
    """Return how each forecaster is called in a table."""
    return {str(kind): title for kind, title in TITLES.items()} | {"network": title_of_network(trained)}


def result_files(
    outcome: Outcome, judgement: Judgement, panel: Panel, names: tuple[str, str], columns: PredictOptions, model: str
) -> dict[str, bytes]:
    """Return the files of a published version that are no part of the model itself, but run.json.

    names: the user's id and time column; model: NAME@VERSION.
    """
    plan = outcome.trained.plan
    trials = {"trials.csv": rows_as_csv(outcome.search.rows())} if outcome.search and outcome.search.trials else {}
    return {
        "predictions.csv": table_bytes(outcome.forecasts, names, columns, model),
        "metrics.json": (json.dumps(judgement.metrics, indent=2, ensure_ascii=False) + "\n").encode(),
        "metrics_by_series.csv": columns_as_csv(metrics.by_series(outcome.backtest, plan)),
        "metrics_by_step.csv": columns_as_csv(metrics.by_step(outcome.backtest, plan)),
        "backtest.csv": backtest_as_csv(outcome.backtest, plan),
        "history.csv": rows_as_csv(outcome.history),
        **trials,
        "forecast.png": forecast_plot(panel, outcome.forecasts, plan, model, judgement.verdict),
    }


def _settled(trained: Trained) -> str:
    """Return the numbers that the data settled, as one line."""
    plan, word = trained.plan, trained.calendar.word(trained.plan.horizon)
    seasons = " and ".join(map(str, plan.seasons)) if plan.season > 1 else "none"
    count = plan.members if Kind.NETWORK in {one.kind for one in trained.fitted} else "no"
    networks = f"{count} network{'' if count == 1 else 's'}"
    dropped = sorted(set(trained.read.season) - set(plan.seasons))
    left_out = " and ".join(map(str, dropped))
    note = f"; --season {left_out} left out: a usual series does not hold it twice" if dropped else ""
    return f"Horizon {plan.horizon} {word}, window {plan.window}, season {seasons}, {networks}{note}"


def _mixing(outcome: Outcome) -> list[str]:
    """Return the line that says whether the other targets are in sight; nothing where there is one target."""
    if outcome.targets is None:
        return []
    before, after = outcome.targets["independent_error"], outcome.targets["mixed_error"]
    change = 100 * (after / before - 1) if before else 0.0
    if outcome.targets["mixed"]:
        return [f"Targets: mixed, {-change:.1f} % better on the validation rows than each by itself"]
    word = "worse" if change >= 0 else f"better, less than the {100 * MIXING_GAIN:g} % that count"
    return [f"Targets: each by itself; mixed was {abs(change):.1f} % {word} on the validation rows"]


def _details(trained: Trained) -> str:
    """Return how the table was read and the whole plan."""
    usual = as_record(ReadOptions())
    read = {name: value for name, value in as_record(trained.read).items() if value != usual[name]}
    return f"Read {json.dumps(read)}\nPlan {json.dumps(as_record(trained.plan))}"
