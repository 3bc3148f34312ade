"""The metrics as a table of plain text: the model first, then the baselines, the best on top."""

from collections.abc import Mapping
from typing import Any

COLUMNS = {  # key in the scores: heading, sign in front, digits, in percent
    "mase": ("MASE", "", 3, False),
    "rmsse": ("RMSSE", "", 3, False),
    "wape": ("WAPE", "", 1, True),
    "smape": ("sMAPE", "", 2, False),
    "bias": ("bias", "+", 1, True),
    "pinball": ("pinball", "", 3, False),
    "coverage_80": ("in 80 %", "", 0, True),
    "coverage_95": ("in 95 %", "", 0, True),
    "skill": ("skill", "+", 0, True),
}


def metrics_table(
    scores: Mapping[str, Mapping[str, Any]],
    titles: Mapping[str, str],
    targets: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Return one line per forecaster: `scores` by name as `metrics.overall` makes them, "model" among them.

    titles: how a name is shown where it is not shown as it is. targets: the scores of the model for each target by
    name, which follow those for all of them. What was not measured is a dash.
    """
    others = sorted((name for name in scores if name != "model"), key=lambda name: _rank(scores[name]["mase"]))
    rows = [["", *(heading for heading, *_ in COLUMNS.values())]]
    lines_of = [("model", scores["model"])]
    lines_of += [(f"  {_short(name)}", of_target) for name, of_target in (targets or {}).items()]
    lines_of += [(titles.get(name, name), scores[name]) for name in others]
    rows += [[title, *(_cell(found.get(key), key) for key in COLUMNS)] for title, found in lines_of]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _short(name: str) -> str:
    """Return the name of a target as it fits in front of its scores."""
    text = " ".join(name.split())
    return text if len(text) <= 40 else text[:39] + "…"


def _cell(value: float | None, key: str) -> str:
    """Return a score as text."""
    _, sign, digits, percent = COLUMNS[key]
    if value is None:
        return "-"
    # Rounded first, so that a small negative number does not read as "-0".
    rounded = round(100 * value if percent else value, digits) + 0.0
    return f"{rounded:{sign}.{digits}f}" + (" %" if percent else "")


def _rank(error: float | None) -> float:
    """Return the place of an error: what is undefined comes last."""
    return float("inf") if error is None else error
