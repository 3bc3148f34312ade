"""Whether a table fits a model: its covariates, frequency, targets, ids and level, and what is known ahead."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecast.errors import DataError, MismatchError
from forecast.panels.blocks import blocks, observed
from forecast.panels.clock import on_clock
from forecast.panels.panel import Floats, Integers, Panel
from forecast.plan import Plan
from forecast.trained import Trained

SHOWN, LONGEST = 3, 60  # ids in a message, and characters of an id
FAR = 10.0  # times outside the range of training: a change of unit, not growth
NEAR = FAR**0.5  # times outside it, where another unit would bring the series back into it
UNITS = (10, 100, 1000)
LEAST_TAIL = 3  # steps whose median is the level at the end, where a season is shorter


@dataclass(frozen=True)
class Finding:
    """Something that a user should know of some of the series."""

    reason: str  # in a few words, always the same: what a run record counts by
    count: int
    line: str  # for people


def matching_panel(trained: Trained, panel: Panel | None) -> tuple[Panel, tuple[str, ...]]:
    """Return the panel to forecast from, which has the model's covariates, steps and targets, and their names in it."""
    if panel is None:
        if trained.context is None:
            raise DataError("the model was stored without its last rows.\nName the table to forecast from.")
        return trained.context, trained.plan.targets
    counts = {"past": len(panel.past), "future": len(panel.future), "static": panel.static.shape[1]}
    for role, found in counts.items():
        names = trained.plan.given[role]
        if found != len(names):
            mend = f"Give the columns {', '.join(names)} with --{role}" if names else f"Leave --{role} out"
            raise MismatchError(
                f"the model was trained with {len(names)} {role} covariates, the table has {found}.\n"
                f"{mend}, or train again."
            )
    if panel.encodings != trained.encodings:
        raise MismatchError(
            "the covariates that are no numbers were not read as the model knows them.\n"
            "Read the table with encodings=trained.encodings."
        )
    ours, theirs = trained.calendar, panel.calendar
    if ours.tz != theirs.tz:
        found = f"in the zone {theirs.tz}" if theirs.tz else "without a zone"
        raise MismatchError(
            f"the model was trained {f'in the zone {ours.tz}' if ours.tz else 'without a zone'}, the table was read "
            f"{found}.\nLeave --tz out, or train again."
        )
    if not (theirs.same_steps(ours) or theirs.same_steps(ours.on_clock)):
        moved = ", but at other moments" if ours.freq == theirs.freq else ""
        raise MismatchError(
            f"the model was trained on steps of {ours.freq!r}, the table has {theirs.freq!r}{moved}.\n"
            "Give a table of the same frequency, or train again."
        )
    return _with_targets_of(trained.plan, panel)


def _with_targets_of(plan: Plan, panel: Panel) -> tuple[Panel, tuple[str, ...]]:
    """Return the panel with the targets in the model's order, and what the table calls them in that order.

    Where the names are others, the place tells which is which.
    """
    ours, theirs = plan.targets, panel.targets
    known = [name for name in theirs if name in ours]
    moved = len(known) < len(ours) and any(theirs.index(name) != ours.index(name) for name in known)
    if len(ours) != len(theirs) or moved:
        wanted = ", ".join(map(repr, ours)) or "one target"
        found = ", ".join(map(repr, theirs)) or "one target"
        raise MismatchError(
            f"the model was trained on {wanted}, the table was read with {found}.\n"
            "Name a column for each target of the model with --target, in its order, or train again."
        )
    if len(known) < len(ours):
        return replace(panel, targets=ours), theirs
    place = np.array([ours.index(name) for name in theirs], dtype=np.int64)
    return replace(panel, targets=ours, channel=place[panel.channel] if ours else panel.channel), ours


def known_rows(ids: tuple[str, ...], panel: Panel) -> Integers:
    """Return the row of each series of the panel among the ids of a model, -1 where it has none.

    With several targets a model has each id once for each of them, in their order.
    """
    count = max(1, len(panel.targets))
    row = {name: number * count for number, name in enumerate(ids[::count])}
    first = np.array([row.get(name, -1) for name in panel.ids], dtype=np.int64)
    return np.where(first >= 0, first + panel.channel, -1) if panel.targets else first


def last_known(trained: Trained, panel: Panel) -> Integers:
    """Return the last step of each series that the model was trained on, as an ordinal on the clock: (series,).

    Of a series that it does not know: before all time. Where nothing can be told, of a model from before that was
    stored, without its rows: after all time.
    """
    known = known_rows(trained.ids, panel)
    never, always = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    last = trained.last
    if last is None:
        last = np.full(len(trained.ids), always) if trained.context is None else on_clock(trained.context).last
    return np.where(known >= 0, last[known], never)


def unknown_ahead(panel: Panel, plan: Plan, horizon: int | None = None) -> int:
    """Return how many of the steps to forecast, over all series, lack a future-known covariate.

    A series without any value to forecast from needs none.
    """
    if not len(panel.future):
        return 0
    index = panel.ahead(horizon or plan.horizon)
    unknown = (index < 0) | np.isnan(panel.future[:, index]).any(axis=0)
    return int(unknown[observed(panel, plan.lookback) > 0].sum())


def value_ranges(panel: Panel) -> Floats:
    """Return the least and the largest visible target of each series: (series, 2); NaN where there is none."""
    found = np.full((len(panel), 2), np.nan)
    for rows, values in blocks(panel):
        found[rows, 0] = np.fmin.reduce(values, axis=1)
        found[rows, 1] = np.fmax.reduce(values, axis=1)
    return found


def differences(trained: Trained, panel: Panel) -> list[Finding]:
    """Return what a user should know of a table that fits the model: lost series, another level.

    Raises MismatchError when fewer than half of its ids are known to the model: they are then hardly the same series.
    """
    ours, theirs = (tuple(dict.fromkeys(ids)) for ids in (trained.ids, panel.ids))
    known, there = set(ours), set(theirs)
    new, gone = [name for name in theirs if name not in known], [name for name in ours if name not in there]
    if 2 * len(new) > len(theirs):
        raise MismatchError(
            f"{len(new):,} of the {len(theirs):,} ids of the table are not known to the model: {some(new)}; "
            f"the model was trained on {some(gone or ours)}.\n"
            "Write ids as in the table of training (they are text: 7, 007 and 7.0 are three), name their column with "
            "--id, or train again."
        )
    lost = f"{len(gone):,} of the {len(ours):,} series of the model are not in the table: {some(gone)}."
    return [*([Finding("not in the table", len(gone), lost)] if gone else []), *_other_level(trained, panel)]


def _other_level(trained: Trained, panel: Panel) -> list[Finding]:
    """Return what is to be said of the series that end far outside their range in training: their unit may be another.

    Far is 10 times outside, or 3.2 times where the same values in a unit of 10, 100 or 1,000 would lie inside.
    """
    if trained.ranges is None:
        return []
    known = known_rows(trained.ids, panel)
    low, high = np.where(known[:, None] >= 0, trained.ranges[known], np.nan).T
    level = np.full(len(panel), np.nan)
    for rows, values in blocks(panel, max(trained.plan.season, LEAST_TAIL)):
        seen = np.isfinite(values).any(axis=1)
        level[rows[seen]] = np.nanmedian(values[seen], axis=1)
    factor = _factor(level, low, high)
    far = np.flatnonzero(_outside(level, low, high, FAR) | (factor != 1))
    if not len(far):
        return []
    shown = ", ".join(
        f"{some([panel.ids[row]])} at {level[row]:.3g} (training {low[row]:.3g} to {high[row]:.3g})"
        for row in far[:SHOWN]
    )
    more = f" and {len(far) - SHOWN:,} more" if len(far) > SHOWN else ""
    line = f"{len(far):,} of {len(panel):,} series end far outside their range in training: {shown}{more}."
    return [Finding("at another level than in training", len(far), f"{line} Has the unit changed?{_by(factor[far])}")]


def _outside(level: Floats, low: Floats, high: Floats, times: float) -> NDArray[np.bool_]:
    """Tell which levels lie so many times outside a range: (series,); never, where one of them is not known."""
    least = np.where(low > 0, low / times, low * times)
    most = np.where(high > 0, high * times, high / times)
    return np.asarray((level < least) | (level > most))


def _factor(level: Floats, low: Floats, high: Floats) -> Floats:
    """Return by what a changed unit has multiplied each series, 1 where nothing speaks for one: (series,)."""
    found = np.ones(len(level))
    candidates = _outside(level, low, high, NEAR) & (low > 0)
    for factor in (*UNITS, *(1 / unit for unit in UNITS)):
        fits = candidates & (found == 1) & (level >= low * factor) & (level <= high * factor)
        found[fits] = factor
    return found


def _by(factors: Floats) -> str:
    """Return by which factors the levels of how many series would be explained."""
    parts = []
    for factor in np.unique(factors[factors != 1]).tolist():
        by = f"multiplied by {factor:,.0f}" if factor > 1 else f"divided by {1 / factor:,.0f}"
        parts.append(f"{int((factors == factor).sum()):,} as if {by}")
    return f" ({', '.join(parts)})" if parts else ""


def some(names: Sequence[str]) -> str:
    """Return the first names in quotes, and how many there are beside them."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name[:LONGEST]) for name in names[:SHOWN]) + more
