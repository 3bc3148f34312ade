"""Time zones: between instants and what the clocks of a zone show, for whole arrays at once.

All times are int64 nanoseconds: instants since 1970 UTC, clock times as if the clock showed UTC. The rules come from
the standard library's `zoneinfo`; an offset is looked up once a week, and each change found by halving.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.errors import UsageError

Integers = NDArray[np.int64]

SECOND = 1_000_000_000  # ns
YEAR, WEEK = 31_556_952, 7 * 86_400  # s
FIRST_YEAR, LAST_YEAR = 1677, 2263  # a little more than nanoseconds can hold


@dataclass(frozen=True, eq=False)
class Clock:
    """The clock of a zone over some years."""

    changes: Integers  # (changes,) instants from which on the next offset holds, rising
    offsets: Integers  # (changes + 1,) ns that the clock is ahead of UTC before, between and after the changes

    def offsets_at(self, instants: Integers) -> Integers:
        """Return how far the clock is ahead of UTC, same shape."""
        return self.offsets[np.searchsorted(self.changes, instants, side="right")]

    def shown(self, instants: Integers) -> Integers:
        """Return what the clock shows, same shape."""
        return instants + self.offsets_at(instants)

    def earlier(self, times: Integers) -> Integers:
        """Return the instant of each clock time: the first of two; of a time that the clock skips, as long after."""
        ends = self.changes + np.maximum(self.offsets[:-1], self.offsets[1:])  # where the old offset is over
        return times - self.offsets[np.searchsorted(ends, times, side="right")]

    def later(self, times: Integers) -> Integers:
        """Return the instant of each clock time: the second of two; of a time that the clock skips, as long before."""
        starts = self.changes + np.minimum(self.offsets[:-1], self.offsets[1:])  # where the new offset begins
        return times - self.offsets[np.searchsorted(starts, times, side="right")]

    def skipped(self, times: Integers) -> NDArray[np.bool_]:
        """Say which clock times never come, because the clock is put forward over them."""
        return np.asarray(self.shown(self.earlier(times)) != times)


def clock_of(zone: str, times: Integers) -> Clock:
    """Return the clock of a zone over the years of these times, a year more on either side.

    Raises UsageError for a zone that is not known.
    """
    years = np.array([times.min(), times.max()]) // (YEAR * SECOND) + 1970 if times.size else np.array([1970, 1970])
    # Whole decades, so that tables of one age share what has been looked up.
    first, last = (int(years[0]) - 1) // 10 * 10, (int(years[1]) + 1) // 10 * 10 + 10
    return _clock(zone, max(first, FIRST_YEAR), min(last, LAST_YEAR))


@lru_cache(maxsize=16)
def _clock(zone: str, first: int, last: int) -> Clock:
    """Return the clock from one year to another."""
    rules = rules_of(zone)
    instants = np.arange((first - 1970) * YEAR, (last - 1970) * YEAR + WEEK, WEEK).tolist()
    offsets = [_offset(rules, instant) for instant in instants]
    changes: list[int] = []
    kept = offsets[:1]
    for place in range(1, len(instants)):
        if offsets[place] != offsets[place - 1]:
            changes.append(_change(rules, instants[place - 1], instants[place]))
            kept.append(offsets[place])
    return Clock(*(np.array(values, dtype=np.int64) * SECOND for values in (changes, kept)))


def _change(rules: Any, before: int, after: int) -> int:
    """Return the first second, after `before` and up to `after`, with the offset of `after`."""
    new = _offset(rules, after)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(rules, middle) == new:
            after = middle
        else:
            before = middle
    return after


def _offset(rules: Any, instant: int) -> int:
    """Return the seconds that the clock is ahead of UTC at an instant in seconds."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=instant)
    ahead = moment.astimezone(rules).utcoffset()
    return int(ahead.total_seconds()) if ahead is not None else 0


def rules_of(zone: str) -> Any:
    """Return the rules of a zone by its IANA name; UsageError for a name that is not known."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"--tz {zone!r} is no time zone that this machine knows.\n{_mend(zone)}") from None


def _mend(zone: str) -> str:
    """Return which zone may have been meant."""
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    names = available_timezones()
    if not names:
        return "It has no time zones at all: install the package tzdata."
    tails = {name.rpartition("/")[2].lower(): name for name in sorted(names)}
    close = get_close_matches(zone.rpartition("/")[2].lower().replace(" ", "_"), tails, n=1, cutoff=0.7)
    if close and not re.match(r"(UTC|GMT)?[+-]\d", zone):
        return f"Did you mean {tails[close[0]]}?"
    return "Use a name of the IANA data base, such as Europe/Berlin or America/New_York; UTC for UTC."
