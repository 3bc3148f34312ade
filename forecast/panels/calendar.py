"""The calendar: whole numbers to times and back, one step of the panel for one step of the frequency.

Only NumPy and the standard library: `predict` starts with this module.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.panels.frequencies import (
    DAY,
    FIRST,
    FIRST_BUSINESS,
    HOUR,
    LAST,
    LAST_BUSINESS,
    SECOND,
    Step,
    parse_frequency,
)
from forecast.panels.zones import clock_of

Integers = NDArray[np.int64]
Times = NDArray[np.datetime64]

EPOCH_FORMS = {"s": SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}
EXCEL_EPOCH = int(np.datetime64("1899-12-30", "ns").astype(np.int64))
NEW_YEAR = int(np.datetime64("2020-01-01", "ns").astype(np.int64))
OWN_OFFSET = ("%z", "%:z")  # in Calendar.zone: the offset that the zone has at that time, +0200 or +02:00


@dataclass(frozen=True)
class Calendar:
    """A regular time axis; ordinal k is the k-th step after the anchor, and neighbours differ by one.

    freq "step" (or "5step"): times are integers, anchor + k x size. Any other freq is a pandas offset alias, and a
    time is a local `datetime64[ns]`; anchor is then the time of ordinal 0 in nanoseconds since 1970, a time near 1970
    that depends on the phase alone, so that two tables on the same grid have equal calendars.
    """

    freq: str = "step"
    anchor: int = 0
    form: str = "step"  # how the input writes a time: strftime, %q (quarter), %3f; or step, s, ms, us, ns, excel
    zone: str = ""  # what the input writes behind a time: Z, an offset such as +02:00, or OWN_OFFSET
    tz: str = ""  # IANA name of the zone whose clock the steps follow; none: times are taken as they stand
    elapsed: bool = False  # steps are of equal duration, counted in UTC, so that days of 23 and 25 hours stay true

    def __post_init__(self) -> None:
        """Refuse elapsed time that nothing is said about."""
        if self.elapsed and (not self.tz or parse_frequency(self.freq).unit != "fixed"):
            raise ValueError("elapsed time needs a zone, and steps of equal duration")

    def times(self, ordinals: Integers) -> Times:
        """Return the local time of each ordinal, same shape, `datetime64[ns]`; ValueError for integer steps."""
        step, ordinals = parse_frequency(self.freq), np.asarray(ordinals, dtype=np.int64)
        if step.unit == "step":
            raise ValueError("integer steps have no times")
        if step.unit == "fixed":
            return np.asarray(self._shown(self.anchor + ordinals * step.size).view("M8[ns]"))
        first_day, clock = self._anchor_day()
        if step.unit == "business":
            days = np.busday_offset(first_day, ordinals * step.size)
        elif step.unit == "half":
            days = _half_months(first_day.astype("M8[M]"), ordinals, step)
        else:
            days = named_days(first_day.astype("M8[M]") + ordinals * step.size, step, _day_of_month(first_day))
        return np.asarray(days.astype("M8[ns]") + clock, dtype="M8[ns]")

    def ordinals(self, times: Times) -> Integers:
        """Return the ordinal of the step that each local time belongs to, same shape; of UTC where steps are elapsed.

        A time off the grid belongs to the step that began before it; weeks and month ends to that which ends after it.
        """
        step, instants = parse_frequency(self.freq), np.asarray(times).astype("M8[ns]", copy=False)
        if step.unit == "step":
            raise ValueError("integer steps have no times")
        if step.unit == "fixed":
            late = step.size - DAY if step.weekly else 0
            return np.asarray((instants.view(np.int64) - self.anchor + late) // step.size, dtype=np.int64)
        first_day, clock = self._anchor_day()
        if step.unit == "business":
            days = np.busday_offset((instants - clock).astype("M8[D]"), 0, roll="backward")
            return np.asarray(np.busday_count(first_day, days) // step.size, dtype=np.int64)
        found = (instants.astype("M8[M]") - first_day.astype("M8[M]")).astype(np.int64)
        # The step of this month, or half, or one of its neighbours.
        found = 2 * found + 1 if step.unit == "half" else found // step.size
        if step.ends:
            found, days = found - 1, instants.astype("M8[D]")
            for _ in range(2):
                found = found + (self.times(found).astype("M8[D]") < days)
        else:
            for _ in range(2):
                found = found - (self.times(found) > instants)
        return np.asarray(found, dtype=np.int64)

    def steps(self, values: Integers) -> Integers:
        """Return the ordinal of each integer time of a table without dates, rounded down."""
        ordinals: Integers = (np.asarray(values, dtype=np.int64) - self.anchor) // parse_frequency(self.freq).size
        return ordinals

    def _anchor_day(self) -> tuple[np.datetime64, np.timedelta64]:
        """Return the day of ordinal 0 and the time of day of every step."""
        day = np.datetime64(self.anchor // DAY, "D")
        return day, np.timedelta64(self.anchor % DAY, "ns")

    def _shown(self, moments: Integers) -> Integers:
        """Return what the clock of the zone shows where steps are elapsed time; else the times as they are."""
        return clock_of(self.tz, moments).shown(moments) if self.elapsed else moments

    def instants(self, ordinals: Integers) -> Integers:
        """Return the nanoseconds since 1970 UTC of each ordinal of a calendar with a zone, same shape."""
        if self.elapsed:
            return np.asarray(self.anchor + np.asarray(ordinals, np.int64) * parse_frequency(self.freq).size)
        times = self.times(ordinals).view(np.int64)
        return clock_of(self.tz, times).earlier(times)

    def same_steps(self, other: "Calendar") -> bool:
        """Say whether two calendars have the same ordinal for the same time, however their inputs write it."""
        ours, theirs = parse_frequency(self.freq), parse_frequency(other.freq)
        return (ours, self.anchor, self.tz, self.elapsed) == (theirs, other.anchor, other.tz, other.elapsed)

    @property
    def on_clock(self) -> "Calendar":
        """The calendar whose steps are those of the zone's clock: every day has as many of them."""
        if not self.elapsed:
            return self
        # Any offset of the zone does: by the same one, equal calendars stay equal.
        start = np.array([NEW_YEAR])
        ahead = int(clock_of(self.tz, start).offsets_at(start)[0])
        return replace(self, anchor=(self.anchor + ahead) % parse_frequency(self.freq).size, elapsed=False)

    def days(self, ordinals: Integers) -> tuple[Integers, Integers]:
        """Return the first and the last day that belong to each step, in days since 1970."""
        step = parse_frequency(self.freq)
        own = self.times(ordinals).astype("M8[D]").astype(np.int64)
        if step.unit == "business":
            return own, own
        if step.ends:
            return self.times(ordinals - 1).astype("M8[D]").astype(np.int64) + 1, own
        return own, np.maximum(own, self.times(ordinals + 1).astype("M8[D]").astype(np.int64) - 1)

    def render(self, ordinals: Integers) -> list[str]:
        """Return each time as the input writes it, in its zone; ordinals of any shape, flattened."""
        unique, places = np.unique(np.asarray(ordinals, dtype=np.int64).ravel(), return_inverse=True)
        step = parse_frequency(self.freq)
        if step.unit == "step":
            texts = [str(value) for value in (self.anchor + unique * step.size).tolist()]
        else:
            texts = self._write(unique)
        return [texts[place] for place in places.tolist()]

    def _write(self, ordinals: Integers) -> list[str]:
        """Return each time as the input writes it."""
        times = self.times(ordinals)
        if not self.tz:
            return _render(times, self.form, [self.zone] * len(times))
        instants = self.instants(ordinals)
        if self.form in EPOCH_FORMS:
            return _render(instants.view("M8[ns]"), self.form, [])
        if self.zone.strip() in OWN_OFFSET:
            ahead = clock_of(self.tz, instants).offsets_at(instants) // SECOND
            return _render(times, self.form, [_offset(seconds, self.zone) for seconds in ahead.tolist()])
        if self.zone:
            times = (instants + offset_of(self.zone)).view("M8[ns]")
        return _render(times, self.form, [self.zone] * len(times))

    @property
    def zone_name(self) -> str:
        """The zone in a sentence; empty where there is none."""
        return self.tz or self.zone.strip()

    @property
    def period(self) -> float | None:
        """Seconds in one step, the mean where steps differ in length; None for integer steps."""
        step = parse_frequency(self.freq)
        month = 365.2425 / 12 * 86400
        seconds = {"fixed": 1 / SECOND, "month": month, "half": month / 2, "business": 86400 * 7 / 5}
        return step.size * seconds[step.unit] if step.unit in seconds else None

    def seasons(self) -> tuple[int, ...]:
        """Return the seasons that the frequency suggests, in steps, rising; (1,) where it suggests none."""
        step = parse_frequency(self.freq)
        if step.unit in ("month", "half"):
            spans = [12 if step.unit == "month" else 24]
        elif step.unit == "business":
            spans = [5]
        elif step.unit == "step":
            spans = []
        elif step.weekly:
            return (52 * 7 * DAY // step.size,) if step.size <= 26 * 7 * DAY else (1,)
        elif step.size <= 60 * SECOND:
            spans = [
                60 * (SECOND if step.size < 60 * SECOND else 60 * SECOND),
                (3600 if step.size < 60 * SECOND else 86400) * SECOND,
            ]
        else:
            spans = [DAY, 7 * DAY]
        return tuple(span // step.size for span in spans if span % step.size == 0 and span > step.size) or (1,)

    def default_horizon(self) -> int | None:
        """Return the number of steps that people of this frequency usually ask for; None where there is no custom."""
        step = parse_frequency(self.freq)
        customs = {("fixed", HOUR): 48, ("fixed", DAY): 14, ("fixed", 7 * DAY): 13}
        customs |= {("month", 1): 18, ("month", 3): 8, ("month", 12): 6}
        return customs.get((step.unit, step.size))

    def word(self, horizon: int) -> str:
        """Return the noun for this many steps in a sentence, such as 'hours' or 'day'."""
        step = parse_frequency(self.freq)
        nouns = {("fixed", SECOND): "second", ("fixed", 60 * SECOND): "minute", ("fixed", HOUR): "hour"}
        nouns |= {("fixed", 1800 * SECOND): "half hour", ("fixed", DAY): "day", ("fixed", 7 * DAY): "week"}
        nouns |= {
            ("month", 1): "month",
            ("month", 3): "quarter",
            ("month", 12): "year",
            ("business", 1): "business day",
            ("half", 1): "half month",
        }
        noun = nouns.get((step.unit, step.size), "step")
        return noun if horizon == 1 else noun + "s"


def offset_of(zone: str) -> int:
    """Return the nanoseconds east of UTC that a written zone means: Z, UTC, +02:00, -0330, +02."""
    found = re.search(r"([+-])(\d\d):?(\d\d)?", zone)
    if not found:
        return 0
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    return (-minutes if found[1] == "-" else minutes) * 60 * SECOND


def _offset(seconds: int, zone: str) -> str:
    """Return an offset from UTC in the place of %z or %:z."""
    hours, minutes = divmod(abs(seconds) // 60, 60)
    text = f"{'-' if seconds < 0 else '+'}{hours:02d}{':' if ':' in zone else ''}{minutes:02d}"
    return zone.replace("%:z", text).replace("%z", text)


def named_days(months: Any, step: Step, day: int) -> Any:
    """Return the day by which a step names each month; `day` of the month where it is a fixed one."""
    first = months.astype("M8[D]")
    last = (months + 1).astype("M8[D]") - 1
    if step.day == FIRST:
        return np.minimum(first + (day - 1), last)
    if step.day == LAST:
        return last
    if step.day == FIRST_BUSINESS:
        return np.busday_offset(first, 0, roll="forward")
    if step.day == LAST_BUSINESS:
        return np.busday_offset(last, 0, roll="backward")
    wanted = step.phase or 0
    if step.nth < 0:
        return last - (_weekday(last) - wanted) % 7
    return first + ((wanted - _weekday(first)) % 7 + 7 * step.nth)


def _half_months(month: np.datetime64, ordinals: Integers, step: Step) -> Any:
    """Return the day of each half of a month, the first of which is ordinal 0 in this month."""
    months = month + ordinals // 2
    middle = months.astype("M8[D]") + ((step.phase or 15) - 1)
    if step.day == LAST:
        return np.where(ordinals % 2 == 0, middle, (months + 1).astype("M8[D]") - 1)
    return np.where(ordinals % 2 == 0, months.astype("M8[D]"), middle)


def _weekday(days: Any) -> Any:
    """Return the day of the week, 0 for Monday: day 0, 1 January 1970, was a Thursday."""
    return (days.astype(np.int64) + 3) % 7


def _day_of_month(day: np.datetime64) -> int:
    """Return the day of the month, 1 to 31."""
    return int((day - day.astype("M8[M]").astype("M8[D]")).astype(np.int64)) + 1


def _count(nanoseconds: int, unit: int) -> str:
    """Write a time as a count of units, with a fraction where it has one."""
    whole, rest = divmod(abs(nanoseconds), unit)
    return ("-" if nanoseconds < 0 else "") + f"{whole}.{rest * 10**9 // unit:09d}".rstrip("0").rstrip(".")


def _render(times: Times, form: str, zones: list[str]) -> list[str]:
    """Write times as text, each with what stands behind it."""
    nanoseconds = times.view(np.int64)
    if form in EPOCH_FORMS:
        return [_count(value, EPOCH_FORMS[form]) for value in nanoseconds.tolist()]
    if form == "excel":
        return [f"{value:.10g}" for value in ((nanoseconds - EXCEL_EPOCH) / DAY).tolist()]
    fraction, texts = re.search(r"%([1-9])f", form), []
    moments = zip(times.astype("M8[us]").tolist(), nanoseconds.tolist(), zones, strict=True)
    for moment, nanosecond, zone in moments:
        pattern = form.replace("%q", str((moment.month + 2) // 3)) if "%q" in form else form
        if fraction:
            digits = f"{nanosecond % SECOND:09d}"[: int(fraction[1])]
            pattern = pattern.replace(fraction[0], digits)
        texts.append(moment.strftime(pattern) + zone)
    return texts
