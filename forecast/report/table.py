"""The metrics as a table of plain text: the model first, then the baselines, the best on top."""

from collections.abc import Mapping, Sequence
from typing import Any

COLUMNS = {  # key in the scores: heading, sign in front, digits, in percent
    "mae": ("MAE", "", 4, False),
    "rmse": ("RMSE", "", 4, False),
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
TRAINING = ("mase", "rmsse", "wape", "smape", "bias", "pinball", "coverage_80", "coverage_95", "skill")
BACKTEST = ("mae", "rmse", "wape", "smape", "mase", "pinball", "coverage_80", "coverage_95", "skill")
BY_GROUP = ("mae", "mase", "coverage_80", "coverage_95", "skill")
LONGEST = 28  # characters of an id
IN_UNITS = ("mae", "rmse")  # of the target: digits are significant ones


def metrics_table(
    scores: Mapping[str, Mapping[str, Any]],
    titles: Mapping[str, str],
    columns: Sequence[str] = TRAINING,
    targets: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Return one line per forecaster: `scores` by name as `metrics.overall` makes them, "model" among them.

    titles: how a name is shown where it is not shown as it is. targets: the scores of the model for each target by
    name, which follow those for all of them. What was not measured is a dash.
    """
    others = sorted((name for name in scores if name != "model"), key=lambda name: _rank(scores[name]["mase"]))
    rows = [["", *(heading for heading, *_ in (COLUMNS[key] for key in columns))]]
    lines_of = [("model", scores["model"])]
    lines_of += [(f"  {fitted(name, 40)}", of_target) for name, of_target in (targets or {}).items()]
    lines_of += [(titles.get(name, name), scores[name]) for name in others]
    rows += [[title, *(cell(found.get(key), key) for key in columns)] for title, found in lines_of]
    return aligned(rows)


def groups_table(
    table: Mapping[str, Sequence[Any]], rows: Sequence[int], heading: str, titles: Mapping[str, str]
) -> str:
    """Return some rows of a table by step or by series, as `metrics.by_step` and `by_series` make them.

    The column `heading` says what a row is about, with several targets `target` as well; on the right stands the MASE
    of each forecaster.
    """
    others = {key: key.removeprefix("mase_") for key in table if key.startswith("mase_")}
    groups = [fitted(str(group)) for group in table[heading]]
    if "target" in table:
        heading = f"target, {heading}"
        groups = [f"{fitted(str(name))}, {group}" for name, group in zip(table["target"], groups, strict=True)]
    lines = [[heading, *(COLUMNS[key][0] for key in BY_GROUP), *(titles.get(name, name) for name in others.values())]]
    for row in rows:
        cells = [cell(_known(table[key][row]), key) for key in BY_GROUP]
        lines.append([groups[row], *cells, *(cell(_known(table[key][row]), "mase") for key in others)])
    return aligned(lines)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as lines: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def fitted(name: str, most: int = LONGEST) -> str:
    """Return a name as it fits in a table: on one line, with ? for what a terminal would obey and nobody could see."""
    text = "".join(character if character.isprintable() else "?" for character in " ".join(name.split()))
    return text if len(text) <= most else text[: most - 1] + "…"


def cell(value: float | None, key: str) -> str:
    """Return a score as text."""
    _, sign, digits, percent = COLUMNS[key]
    if value is None:
        return "-"
    if key in IN_UNITS:
        return f"{value:.{digits}g}"
    # Rounded first, so that a small negative number does not read as "-0".
    rounded = round(100 * value if percent else value, digits) + 0.0
    return f"{rounded:{sign}.{digits}f}" + (" %" if percent else "")


def _known(value: float) -> float | None:
    """Return a number, None where it is undefined."""
    return None if value != value else float(value)


def _rank(error: float | None) -> float:
    """Return the place of an error: what is undefined comes last."""
    return float("inf") if error is None else error
