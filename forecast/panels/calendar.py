"""The calendar: whole numbers to times and back, one step of the panel for one step of the frequency.

Only NumPy and the standard library: `predict` starts with this module.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.errors import UsageError

Integers = NDArray[np.int64]
Times = NDArray[np.datetime64]

SECOND, DAY = 1_000_000_000, 86_400_000_000_000  # ns
UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": SECOND, "min": 60 * SECOND, "h": 3600 * SECOND, "D": DAY}
OLD_NAMES = {"N": "ns", "U": "us", "L": "ms", "S": "s", "T": "min", "H": "h", "d": "D", "A": "YE", "AS": "YS"}
OLD_NAMES |= {"M": "ME", "Q": "QE", "Y": "YE"}
MONTHS = {"MS": 1, "ME": 1, "QS": 3, "QE": 3, "YS": 12, "YE": 12}
MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAY_NAMES = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
EPOCH_FORMS = {"s": SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}
EXCEL_EPOCH = int(np.datetime64("1899-12-30", "ns").astype(np.int64))


@dataclass(frozen=True)
class Step:
    """One step of a frequency: `size` integer steps, nanoseconds, months or business days."""

    unit: str  # step, fixed, month or business
    size: int
    weekly: bool = False
    end: bool = False  # of months: the last day
    phase: int | None = None  # month of the year (0 = January) or weekday (0 = Monday) that the alias fixes


@lru_cache(maxsize=64)
def parse_frequency(freq: str) -> Step:
    """Return the step that a pandas alias (old or new), 'step' or a multiple such as '5step' stands for.

    Raises UsageError for an alias that is not known.
    """
    match = re.fullmatch(r"(\d*)(step|[A-Za-z]+)(?:-([A-Z]{3}))?", freq.strip())
    count, name, suffix = (int(match[1] or 1), match[2], match[3]) if match else (0, "", None)
    name = OLD_NAMES.get(name, name)
    if count and name in ("step", "B") and not suffix and (name == "step" or count == 1):
        return Step("step" if name == "step" else "business", count)
    if count and name in UNITS and not suffix:
        return Step("fixed", count * UNITS[name])
    if count and name == "W" and (not suffix or suffix in WEEKDAY_NAMES):
        phase = WEEKDAY_NAMES.index(suffix) if suffix else None
        return Step("fixed", count * 7 * DAY, weekly=True, phase=phase)
    if count and name in MONTHS and (not suffix or (suffix in MONTH_NAMES and MONTHS[name] > 1)):
        phase = MONTH_NAMES.index(suffix) if suffix else None
        return Step("month", count * MONTHS[name], end=name.endswith("E"), phase=phase)
    raise UsageError(
        f"--freq {freq!r} is no frequency.\nUse a pandas alias such as 10min, h, D, B, W-SUN, MS, ME, QS, YS, or step."
    )


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
    zone: str = ""  # what the input writes behind a time: Z or a fixed offset such as +02:00

    def times(self, ordinals: Integers) -> Times:
        """Return the local time of each ordinal, same shape, `datetime64[ns]`; ValueError for integer steps."""
        step, ordinals = parse_frequency(self.freq), np.asarray(ordinals, dtype=np.int64)
        if step.unit == "step":
            raise ValueError("integer steps have no times")
        if step.unit == "fixed":
            return np.asarray((self.anchor + ordinals * step.size).view("M8[ns]"))
        first_day, clock = self._anchor_day()
        if step.unit == "business":
            days = np.busday_offset(first_day, ordinals)
        else:
            months = first_day.astype("M8[M]") + ordinals * step.size
            length = _month_length(months)
            day = length if step.end else np.minimum(_day_of_month(first_day), length)
            days = months.astype("M8[D]") + (day - 1)
        return np.asarray(days.astype("M8[ns]") + clock, dtype="M8[ns]")

    def ordinals(self, times: Times) -> Integers:
        """Return the ordinal of the step that each time belongs to, same shape.

        A time off the grid belongs to the step that began before it; weeks and month ends to that which ends after it.
        """
        step, nanoseconds = parse_frequency(self.freq), np.asarray(times).astype("M8[ns]").view(np.int64)
        if step.unit == "step":
            raise ValueError("integer steps have no times")
        if step.unit == "fixed":
            late = step.size - DAY if step.weekly else 0
            return np.asarray((nanoseconds - self.anchor + late) // step.size, dtype=np.int64)
        first_day, clock = self._anchor_day()
        instants = np.asarray(times).astype("M8[ns]")
        if step.unit == "business":
            days = np.busday_offset((instants - clock).astype("M8[D]"), 0, roll="backward")
            return np.asarray(np.busday_count(first_day, days), dtype=np.int64)
        months = (instants.astype("M8[M]") - first_day.astype("M8[M]")).astype(np.int64)
        if step.end:
            return np.asarray(-(-months // step.size), dtype=np.int64)
        found = months // step.size
        return np.asarray(found - (self.times(found) > instants), dtype=np.int64)

    def steps(self, values: Integers) -> Integers:
        """Return the ordinal of each integer time of a table without dates, rounded down."""
        ordinals: Integers = (np.asarray(values, dtype=np.int64) - self.anchor) // parse_frequency(self.freq).size
        return ordinals

    def _anchor_day(self) -> tuple[np.datetime64, np.timedelta64]:
        """Return the day of ordinal 0 and the time of day of every step."""
        day = np.datetime64(self.anchor // DAY, "D")
        return day, np.timedelta64(self.anchor % DAY, "ns")

    def render(self, ordinals: Integers) -> list[str]:
        """Return each time as the input writes it, in its zone; ordinals of any shape, flattened."""
        unique, places = np.unique(np.asarray(ordinals, dtype=np.int64).ravel(), return_inverse=True)
        step = parse_frequency(self.freq)
        if step.unit == "step":
            texts = [str(value) for value in (self.anchor + unique * step.size).tolist()]
        else:
            texts = _render(self.times(unique), self.form, self.zone)
        return [texts[place] for place in places.tolist()]

    @property
    def period(self) -> float | None:
        """Seconds in one step, the mean where steps differ in length; None for integer steps."""
        step = parse_frequency(self.freq)
        seconds = {"fixed": step.size / SECOND, "month": step.size * 365.2425 / 12 * 86400, "business": 86400 * 7 / 5}
        return seconds.get(step.unit)

    def seasons(self) -> tuple[int, ...]:
        """Return the seasons that the frequency suggests, in steps, rising; (1,) where it suggests none."""
        step = parse_frequency(self.freq)
        if step.unit == "month":
            spans = [12]
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
        size = 1 if step.unit == "business" else step.size
        return tuple(span // size for span in spans if span % size == 0 and span > size) or (1,)

    def default_horizon(self) -> int | None:
        """Return the number of steps that people of this frequency usually ask for; None where there is no custom."""
        step = parse_frequency(self.freq)
        customs = {("fixed", 3600 * SECOND): 48, ("fixed", DAY): 14, ("fixed", 7 * DAY): 13}
        customs |= {("month", 1): 18, ("month", 3): 8, ("month", 12): 6}
        return customs.get((step.unit, step.size))

    def word(self, horizon: int) -> str:
        """Return the noun for this many steps in a sentence, such as 'hours' or 'day'."""
        step = parse_frequency(self.freq)
        nouns = {("fixed", SECOND): "second", ("fixed", 60 * SECOND): "minute", ("fixed", 3600 * SECOND): "hour"}
        nouns |= {("fixed", 1800 * SECOND): "half hour", ("fixed", DAY): "day", ("fixed", 7 * DAY): "week"}
        nouns |= {
            ("month", 1): "month",
            ("month", 3): "quarter",
            ("month", 12): "year",
            ("business", 1): "business day",
        }
        noun = nouns.get((step.unit, step.size), "step")
        return noun if horizon == 1 else noun + "s"


def _day_of_month(days: Any) -> Any:
    """Return the day of the month, 1 to 31."""
    return (days - days.astype("M8[M]").astype("M8[D]")).astype(np.int64) + 1


def _month_length(months: Any) -> Any:
    """Return the number of days in each month."""
    return ((months + 1).astype("M8[D]") - months.astype("M8[D]")).astype(np.int64)


def _render(times: Times, form: str, zone: str) -> list[str]:
    """Write times as text."""
    nanoseconds = times.view(np.int64)
    if form in EPOCH_FORMS:
        return [str(value) for value in (nanoseconds // EPOCH_FORMS[form]).tolist()]
    if form == "excel":
        return [f"{value:.10g}" for value in ((nanoseconds - EXCEL_EPOCH) / DAY).tolist()]
    fraction, texts = re.search(r"%([1-9])f", form), []
    for moment, nanosecond in zip(times.astype("M8[us]").tolist(), nanoseconds.tolist(), strict=True):
        pattern = form.replace("%q", str((moment.month + 2) // 3)) if "%q" in form else form
        if fraction:
            digits = f"{nanosecond % SECOND:09d}"[: int(fraction[1])]
            pattern = pattern.replace(fraction[0], digits)
        texts.append(moment.strftime(pattern) + zone)
    return texts
