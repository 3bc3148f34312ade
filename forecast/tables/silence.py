"""Steps at which no series has a value: the newest ones, or all of a day of the week or an hour of the day."""

import numpy as np
from numpy.typing import NDArray

from forecast.panels.panel import Integers, Panel

DAY, HOUR = 86_400, 3_600  # seconds
DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
OFTEN = 4  # times that a day or an hour comes without a value before that is taken for a rule


def note_silence(panel: Panel, model: bool) -> list[str]:
    """Return a notice for each kind of steps at which nothing was observed, and what the forecast makes of them.

    model: the table is read as that of a trained model, which has been told what a missing step means.
    """
    inside, steps = _steps(panel)
    seen = inside & np.isfinite(panel.target)
    if not seen.any():
        return []
    closed = [] if model else _closed(panel, steps[inside], seen[inside])
    return [*closed, *_empty_end(panel, int(steps[seen].max()))]


def _steps(panel: Panel) -> tuple[NDArray[np.bool_], Integers]:
    """Return which stored rows are visible, and the ordinal of each: (steps,) both; series lie one after the other."""
    stored = panel.limits - panel.begins
    number = np.arange(len(panel.target)) - np.repeat(panel.begins, stored)
    return number < np.repeat(panel.lengths, stored), number + np.repeat(panel.starts, stored)


def _closed(panel: Panel, steps: Integers, seen: NDArray[np.bool_]) -> list[str]:
    """Return a notice about days of the week, or hours of the day, that never have a value though others do.

    A network that masks them learns nothing of them: it forecasts them like the others.
    """
    if panel.calendar.period not in (DAY, HOUR):
        return []
    times = panel.calendar.times(steps)
    if panel.calendar.period == DAY:
        names: tuple[str, ...] = DAYS
        numbers = (times.astype("M8[D]").astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    else:
        names = tuple(f"{hour}:00" for hour in range(24))
        numbers = times.astype("M8[h]").astype(np.int64) % 24
    count, known = (np.bincount(numbers[some], minlength=len(names)) for some in (np.ones_like(seen), seen))
    never = np.flatnonzero((count >= OFTEN) & (known == 0))
    usual = np.delete(np.arange(len(names)), never)
    if not len(never) or (2 * known[usual] < count[usual]).any():
        return []
    shown = [names[number] for number in never]
    listed = " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
    at = "on" if panel.calendar.period == DAY else "at"
    return [f"no value ever {at} {listed}: forecast like other steps; if they mean nothing happened: --fill zero"]


def _empty_end(panel: Panel, newest: int) -> list[str]:
    """Return a notice where the newest steps of the table have no value in any series: they may be rows to fill in."""
    empty = int(panel.last.max()) - newest
    if empty < 1:
        return []
    last = panel.calendar.render(np.array([newest]))[0]
    what = f"the last {empty:,} steps have" if empty > 1 else "the last step has"
    return [
        f"{what} no value in any series, and the forecast begins after them; if they are yet to come: --as-of {last}"
    ]
