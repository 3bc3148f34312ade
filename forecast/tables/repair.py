"""What is done with several rows of one time, and with missing steps."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from forecast.errors import DataError
from forecast.options import Duplicates
from forecast.panels.panel import BESIDE, BETWEEN, CARRIED, Floats, Integers, Panel
from forecast.tables.phrases import and_more, short

MADE_UP = {"ffill": CARRIED, "interpolate": BETWEEN}  # a zero is what the user knows of a missing row: it is scored


def merge_rows(columns: Sequence[Floats], starts: Integers, policy: Duplicates, targets: int) -> list[Floats]:
    """Put rows of one time together: `starts` (groups,) are the first rows of each group, in order.

    The first `targets` columns follow the policy. Covariates are means under `sum` as well: a temperature does not add
    up. Missing values do not count; a group without any value stays missing.
    """
    if policy is Duplicates.FIRST:
        return [column[starts] for column in columns]
    ends = np.append(starts[1:], len(columns[0]) if columns else 0) - 1
    if policy is Duplicates.LAST:
        return [column[ends] for column in columns]
    merged = []
    for position, column in enumerate(columns):
        there = ~np.isnan(column)
        counts = np.add.reduceat(there.astype(np.int64), starts)
        sums = np.add.reduceat(np.where(there, column, 0.0), starts)
        divisor = 1 if policy is Duplicates.SUM and position < targets else np.maximum(counts, 1)
        merged.append(np.where(counts > 0, sums / divisor, np.nan))
    return merged


def missing_runs(values: Floats, begins: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    """Return where runs of missing visible values begin and how long they are: (runs,), (runs,)."""
    missing = np.isnan(values)
    if not missing.any():
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    inside = np.zeros(len(values) + 1, dtype=np.int64)
    np.add.at(inside, begins, 1)
    np.add.at(inside, begins + lengths, -1)
    missing &= np.cumsum(inside[:-1]) > 0
    first = missing.copy()
    first[1:] &= ~missing[:-1]
    first[begins] = missing[begins]  # a run never goes on into the next series
    starts = np.flatnonzero(first)
    counts = np.add.reduceat(missing.astype(np.int64), starts) if len(starts) else starts
    return starts, counts


def parse_fill(policy: str) -> tuple[str, int | None]:
    """Return the name of a --fill policy and its N."""
    match = re.fullmatch(r"(\w+?)(?::(\d+))?", policy)
    return (match[1], int(match[2]) if match[2] else None) if match else (policy, None)


def fill(values: Floats, begins: Integers, lengths: Integers, policy: str) -> tuple[Floats, Integers]:
    """Return the values with runs of at most N missing steps filled, and the flat index of the steps that were.

    Runs longer than N stay missing as a whole, and so do steps before the first observed value (except with zero).
    """
    name, limit = parse_fill(policy)
    starts, counts = missing_runs(values, begins, lengths)
    if name in ("mask", "error") or not len(starts):
        return values, np.empty(0, dtype=np.int64)
    series = np.searchsorted(begins, starts, side="right") - 1
    before = starts - 1 >= begins[series]  # a run begins after an observed value, or with its series
    after = starts + counts < begins[series] + lengths[series]
    chosen = np.ones(len(starts), dtype=bool) if limit is None else counts <= limit
    if name != "zero":
        chosen &= before if name == "ffill" else before & after
    starts, counts = starts[chosen], counts[chosen]
    places = np.repeat(starts, counts) + _positions(counts)
    filled = values.copy()
    if name == "zero":
        filled[places] = 0.0
    elif name == "ffill":
        filled[places] = np.repeat(values[starts - 1], counts)
    else:
        left, right = values[starts - 1], values[starts + counts]
        share = (_positions(counts) + 1) / np.repeat(counts + 1, counts)
        filled[places] = np.repeat(left, counts) * (1 - share) + np.repeat(right, counts) * share
    return filled, places


def _positions(counts: Integers) -> Integers:
    """Return 0, 1, ... within each run, one after the other."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def repair(path: str, panel: Panel, policy: str, without_row: int) -> tuple[Panel, list[str]]:
    """Return the panel with missing steps filled as the policy says, and a notice that counts them.

    without_row: steps of the grid for which the table has no row.
    Raises DataError, with the first gap, where the policy is error.
    """
    starts, counts = missing_runs(panel.target, panel.begins, panel.lengths)
    total = int(counts.sum())
    if not total:
        return panel, []
    name, limit = parse_fill(policy)
    wrong = np.flatnonzero(counts > (limit or 0))
    if name == "error" and len(wrong):
        first = int(wrong[0])
        series = int(np.searchsorted(panel.begins, starts[first], side="right") - 1)
        time = panel.calendar.render(panel.starts[series] + starts[first : first + 1] - panel.begins[series])[0]
        run = f"{counts[first]:,} steps have" if counts[first] > 1 else "1 step has"
        raise DataError(
            f"{path}: {run} no value from {time} on in {_column(panel, series)}series {short(panel.ids[series])}"
            f"{and_more(len(wrong), 'more gaps')}, and --fill is {policy}.\n"
            "Add the rows, or choose another --fill."
        )
    target, places = fill(panel.target, panel.begins, panel.lengths, policy)
    end = f"{len(places):,} were filled ({policy})" if len(places) else "they stay missing (--fill)"
    gaps = f" ({without_row:,} have no row)" if 0 < without_row <= total else ""  # more: some lie out of sight
    notice = (
        f"{total:,} of {int(panel.lengths.sum()):,} steps have no value{gaps}: {end}{_by_target(panel, starts, counts)}"
    )
    if name in MADE_UP and len(places):
        panel = replace(panel, filled=_marks(panel, places, MADE_UP[name]))
    panel = replace(panel, target=target)
    return panel, [notice]


def _marks(panel: Panel, places: Integers, made_up: int) -> NDArray[np.int8]:
    """Return the marks of the steps that were filled, and of those beside them: (steps,)."""
    marks = np.zeros(len(panel.target), dtype=np.int8)
    if made_up == BETWEEN and panel.targets:  # the targets of an id are stored one after the other, equally long
        count = len(panel.targets)
        series = np.searchsorted(panel.begins, places, side="right") - 1
        steps, first = places - panel.begins[series], series - series % count
        for other in range(count):
            marks[panel.begins[first + other] + steps] = BESIDE
    marks[places] = made_up
    return marks


def _by_target(panel: Panel, starts: Integers, counts: Integers) -> str:
    """Return how many steps each target misses, for a notice; nothing where there is one."""
    if not panel.targets:
        return ""
    channels = panel.channel[np.searchsorted(panel.begins, starts, side="right") - 1]
    missing = np.bincount(channels, counts, minlength=len(panel.targets)).astype(np.int64)
    parts = [f"{count:,} of {name!r}" for name, count in zip(panel.targets, missing.tolist(), strict=True) if count]
    return f"; {', '.join(parts)}"


def _column(panel: Panel, series: int) -> str:
    """Return which target of its id a series is, for a message; nothing where there is one."""
    return f"column {panel.targets[panel.channel[series]]!r} of " if panel.targets else ""
