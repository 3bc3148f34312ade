"""The report of a backtest as plain text: what was measured, the tables, the verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forecast.report.table import BACKTEST, groups_table, metrics_table

STEPS = 10  # of the horizon that a table shows
SERIES = 5  # worst and best series that a table shows, each


def report_text(
    head: Sequence[str],
    overall: Mapping[str, Any],
    steps: Mapping[str, Sequence[Any]],
    series: Mapping[str, Sequence[Any]],
    titles: Mapping[str, str],
) -> str:
    """Return the report, ending with the verdict.

    head: its first lines; overall, steps and series as `metrics.overall`, `by_step` and `by_series` make them, overall
    with "verdict" and "comparison", and with several targets "targets" as `metrics.by_target` makes it.
    """
    of_targets = {name: scores["model"] for name, scores in overall.get("targets", {}).items()}
    parts = ["\n".join(head), metrics_table(overall["scores"], titles, BACKTEST, of_targets)]
    horizon = int(max(steps["step"]))
    places = [first + step for first in range(0, len(steps["step"]), horizon) for step in shown_steps(horizon)]
    table = groups_table(steps, places, "step", titles)
    parts.append(f"By step; on the right the MASE of each single forecaster\n{table}")
    count = len(series["series"])
    if count > 1:
        chosen = shown_series(series["skill"], series["mase"])
        table = groups_table(series, chosen, "series", titles)
        if len(chosen) < count:
            lines = table.splitlines()
            rest = f"... {count - len(chosen):,} more (--json) ..."
            table = "\n".join([*lines[: SERIES + 1], rest, *lines[SERIES + 1 :]])
        parts.append(f"By series, the lowest skill first\n{table}")
    tested = [_tested(titles.get(name, name), one) for name, one in overall["comparison"].items()]
    return "\n\n".join([*parts, "\n".join([*tested, overall["verdict"]])]) + "\n"


def shown_steps(horizon: int) -> list[int]:
    """Return the rows of a table by step that are shown: evenly spread, the first and the last among them."""
    return [int(step) for step in np.unique(np.linspace(0, horizon - 1, min(horizon, STEPS)).round())]


def shown_series(skill: Sequence[float], mase: Sequence[float]) -> list[int]:
    """Return the rows of a table by series that are shown, by rising skill: some of the worst, some of the best.

    Where the skill is undefined seasonal naive made no error and the model did, so these are the worst; series without
    a MASE, of zeros alone, cannot be compared with others and come last, and only where there is room for all.
    """
    compared = np.isfinite(np.asarray(mase, dtype=np.float64))
    rank = np.where(compared, np.nan_to_num(np.asarray(skill, dtype=np.float64), nan=-np.inf), np.inf)
    order: list[int] = np.argsort(rank, kind="stable").tolist()
    if len(order) <= 2 * SERIES:
        return order
    order = order[: max(int(compared.sum()), 2 * SERIES)]
    return [*order[:SERIES], *order[-SERIES:]]


def _tested(title: str, comparison: Mapping[str, Any]) -> str:
    """Return one line about the test against another forecast."""
    unit, count, p_value = comparison["unit"], comparison["observations"], comparison["p_value"]
    units = str(unit) if count == 1 or unit == "series" else f"{unit}s"
    what = f"Diebold-Mariano test against {title}, {count:,} {units}"
    if p_value is None:
        return f"{what}: cannot be told"
    return f"{what}: p = {p_value:.3f}" if p_value >= 0.001 else f"{what}: p < 0.001"
