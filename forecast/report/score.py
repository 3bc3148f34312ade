"""The report of stored forecasts that have met their truth, as plain text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecast.report.backtest import shown_steps
from forecast.report.table import COLUMNS, aligned, cell, groups_table

SCORES = ("mae", "rmse", "wape", "smape", "mase", "rmsse", "bias", "pinball", "coverage_80", "coverage_95", "skill")
TITLES = {"seasonal_naive": "seasonal naive"}


@dataclass(frozen=True)
class Line:
    """The scores of one version, or of all."""

    title: str
    counts: Mapping[str, int]  # forecasts, scored, pending, missing, skipped
    scores: Mapping[str, float | None]


def report_text(
    name: str,
    lines: Sequence[Line],
    whose: str,
    steps: Mapping[str, Sequence[Any]],
    bands: Mapping[str, float | None],
    drift: str,
) -> str:
    """Return the report, ending with the sentence about drift.

    lines: the versions, and all of them last where there are several; whose: what steps and bands are of; bands: their
    scores, `coverage_80` and so on.
    """
    head = f"{name}: {_counted(lines[-1].counts)}"
    if not lines[-1].counts["scored"]:
        return f"{head}\n"
    rows = [["version", "forecasts", "scored", *(COLUMNS[key][0] for key in SCORES)]]
    for line in lines:
        numbers = [f"{line.counts[key]:,}" for key in ("forecasts", "scored")]
        rows.append([line.title, *numbers, *(cell(line.scores.get(key), key) for key in SCORES)])
    shown = shown_steps(len(steps["step"]))
    by_step = f"By step, {whose}; on the right the MASE of seasonal naive\n{groups_table(steps, shown, 'step', TITLES)}"
    held = [
        f"{key.removeprefix('coverage_')} %: {100 * value:.0f} %"
        for key, value in bands.items()
        if key.startswith("coverage_") and value is not None
    ]
    return "\n\n".join([head, aligned(rows), by_step, f"Bands held, {whose}: {', '.join(held)}\n{drift}"]) + "\n"


def _counted(counts: Mapping[str, int]) -> str:
    """Return how many forecasts have met their truth, and what became of the others."""
    parts = [f"{counts['scored']:,} of {counts['forecasts']:,} forecasts in the log have met their truth"]
    for key, words in (
        ("pending", "wait for it"),
        ("missing", "have none in the table"),
        ("skipped", "were none, as there was no value to start from"),
    ):
        if counts[key]:
            parts.append(f"{counts[key]:,} {words}")
    return ", ".join(parts)
