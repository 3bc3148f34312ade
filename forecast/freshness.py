"""How old data is: its newest value against the clock or --as-of, and series that end before the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from forecast.durations import in_words, seconds_of
from forecast.errors import DataError, StaleError
from forecast.matching import SHOWN, Finding, some
from forecast.panels.blocks import blocks
from forecast.panels.calendar import Calendar
from forecast.panels.panel import Integers, Panel
from forecast.panels.present import has_steps, moments, shown_by_clock, written

LONGEST = 100 * 366 * 86_400.0  # seconds: what is older is too old in any case, and nanoseconds end in 2262
STEPS = 2  # that may pass after the newest value: one until the next is over, one for it to arrive
FARTHEST = 14 * 3600  # s that a clock on Earth is ahead of UTC: times without a zone may be of that one
SECOND = 1_000_000_000
NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Freshness:
    """How old the values of a panel are."""

    newest: str | None  # time of the newest value, as the input writes it; None where nothing was observed
    age: float | None  # seconds from then to the present; None for integer steps
    notice: str | None = None  # what is wrong with it
    findings: tuple[Finding, ...] = ()  # about series that ended before the others


def assess(
    panel: Panel, name: str, max_age: str | None, as_of: str | None, now: datetime, files: Mapping[str, str]
) -> Freshness:
    """Say how old a panel is.

    name: what messages call the data; max_age, as_of: as the options; now: with an offset, the clock of the machine;
    files: the time of the newest value of each file, where there are several, the newest first.
    Raises StaleError when max_age is 'error:DUR' and the newest value is older; DataError for a max_age of integer
    steps.
    """
    calendar, last = panel.calendar, last_values(panel)
    if max_age is not None and has_steps(calendar):
        raise DataError(f"{name}: --max-age needs times, and the rows have integer steps.\nLeave --max-age out.")
    newest = int(last.max(initial=NEVER))
    if newest == NEVER:
        return Freshness(None, None)
    limit = None if max_age is None else seconds_of(max_age.removeprefix("error:"), "--max-age")
    shown = calendar.render(np.array([newest]))[0]
    late = ended_early(panel, last, limit)
    if has_steps(calendar):
        return Freshness(shown, None, findings=late)
    present = shown_by_clock(calendar, now) if as_of is None else written(calendar, as_of, "--as-of")
    age = (present - int(moments(calendar, np.array([newest]))[0])) / SECOND
    notice = f"{name}: the newest value is of {shown}, {in_words(abs(age))}"
    if age < 0:
        too_new = -age > (0 if calendar.zone_name else FARTHEST)
        return Freshness(shown, age, f"{notice} after now. Is the clock right?" if too_new else None, late)
    if present <= int(_deadline(calendar, np.array([newest]), limit)[0]):
        return Freshness(shown, age, findings=late)
    notice += f" before {'now' if as_of is None else f'--as-of {as_of}'}: more than {_allowed(calendar, limit)}"
    notice += _by_file(files)
    if max_age is not None and max_age.startswith("error:"):
        raise StaleError(f"{notice}.\nBring newer rows, or allow more with --max-age.")
    return Freshness(shown, age, f"{notice}.", late)


def last_values(panel: Panel) -> Integers:
    """Return the ordinal of the last value of each series, NEVER where it has none: (series,)."""
    found = np.full(len(panel), NEVER)
    waiting = np.arange(len(panel))
    for steps in (1, None):  # nearly all series end with a value: the whole history is looked through for the others
        part = panel.select(waiting)
        for rows, values in blocks(part, steps):
            seen = np.isfinite(values)
            back = np.argmax(seen[:, ::-1], axis=1)
            found[waiting[rows]] = np.where(seen.any(axis=1), part.last[rows] - back, NEVER)
        waiting = np.flatnonzero(found == NEVER)
    return found


def _deadline(calendar: Calendar, ordinals: Integers, limit: float | None) -> Integers:
    """Return until when values of these steps are fresh, on the axis of the calendar: same shape."""
    if limit is None:
        return moments(calendar, ordinals + STEPS)
    return moments(calendar, ordinals) + int(min(limit, LONGEST) * SECOND)


def ended_early(panel: Panel, last: Integers, limit: float | None = None) -> tuple[Finding, ...]:
    """Return what is to be said of series whose last value was not fresh any more when the newest one came.

    last: (series,), see `last_values`; limit: seconds that a value stays fresh, None: STEPS steps.
    """
    calendar, seen, newest = panel.calendar, np.flatnonzero(last > NEVER), int(last.max(initial=NEVER))
    if limit is None:
        late = seen[last[seen] < newest - STEPS]
    else:
        late = seen[_deadline(calendar, last[seen], limit) < moments(calendar, np.array([newest]))]
    if not len(late):
        return ()
    times = calendar.render(last[late[:SHOWN]])
    shown = ", ".join(f"{some([panel.ids[row]])} at {time}" for row, time in zip(late, times, strict=False))
    more = f" and {len(late) - SHOWN:,} more" if len(late) > SHOWN else ""
    line = (
        f"{len(late):,} of {len(panel):,} series end more than {_allowed(calendar, limit)} before the newest value: "
        f"{shown}{more}."
    )
    return (Finding("ended early", len(late), f"{line} Their forecasts begin there."),)


def _allowed(calendar: Calendar, limit: float | None) -> str:
    """Return in words how long a value stays fresh."""
    return f"{STEPS} steps of {calendar.freq}" if limit is None else in_words(limit)


def _by_file(files: Mapping[str, str]) -> str:
    """Return the newest times by file, in their order."""
    shown = ", ".join(f"{path} {time}" for path, time in list(files.items())[:SHOWN])
    more = f" and {len(files) - SHOWN:,} more" if len(files) > SHOWN else ""
    return f" (by file: {shown}{more})" if files else ""
