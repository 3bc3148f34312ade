"""Frequencies: what a pandas alias, old or new, stands for, as one step of a regular axis."""

import re
from dataclasses import dataclass
from functools import lru_cache

from forecast.errors import UsageError

SECOND, DAY = 1_000_000_000, 86_400_000_000_000  # ns
HOUR = 3600 * SECOND
UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": SECOND, "min": 60 * SECOND, "h": HOUR, "D": DAY}
MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAY_NAMES = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
# The day of a month, quarter or year that a step is named by. FIRST may be any fixed day: the data say which.
FIRST, LAST, FIRST_BUSINESS, LAST_BUSINESS, WEEKDAY = "first", "last", "first business", "last business", "weekday"
RULES = {"S": FIRST, "E": LAST, "BS": FIRST_BUSINESS, "BE": LAST_BUSINESS}
MONTHS = {"M": 1, "Q": 3, "Y": 12}
OLD_NAMES = {"N": "ns", "U": "us", "L": "ms", "S": "s", "T": "min", "H": "h", "d": "D", "b": "B", "w": "W"}
OLD_NAMES |= {"M": "ME", "BM": "BME", "Q": "QE", "BQ": "BQE", "A": "YE", "Y": "YE", "BA": "BYE", "BY": "BYE"}
OLD_NAMES |= {"AS": "YS", "BAS": "BYS", "SM": "SME"}
USUAL = "Use a pandas alias such as 10min, h, D, B, W-SUN, MS, ME, QS, YS, or step."
RETAIL = "Give weekly rows (--freq W-SAT), or number the periods: --time none, and --season 12 for months."


@dataclass(frozen=True)
class Step:
    """One step of a frequency: `size` integer steps, nanoseconds, business days, months, or one half of a month."""

    unit: str  # step, fixed, business, month or half
    size: int
    weekly: bool = False
    day: str = FIRST  # of months and halves; halves have FIRST or LAST
    phase: int | None = None  # that the alias fixes: month of the year (0 = January), weekday (0 = Monday), or the day
    #                           of the month by which its other half is named
    cycle: int = 1  # of months: 3 where the phase names a month of the quarter, 12 where it names one of the year
    nth: int = 0  # of WEEKDAY: 0 for the first one in a month, -1 for the last; the weekday is the phase

    @property
    def ends(self) -> bool:
        """Say whether a step is named by its last day, so that the days before it belong to it."""
        return self.weekly or self.day in (LAST, LAST_BUSINESS)


@lru_cache(maxsize=64)
def parse_frequency(freq: str) -> Step:
    """Return the step that a pandas alias (old or new), 'step' or a multiple such as '5step' stands for.

    Raises UsageError for an alias that is not known, and for one whose steps no rule makes.
    """
    text = freq.strip()
    single = re.fullmatch(r"(\d*)(step|[A-Za-z]+)(?:-([A-Za-z0-9-]+))?", text)
    if single:
        name, suffix = OLD_NAMES.get(single[2], single[2]), (single[3] or "").upper()
        _refuse_unsupported(freq, name)
        step = _single(int(single[1] or 1), name, suffix)
        if step is not None:
            return step
    size = _duration(text)
    if size:
        return Step("fixed", size)
    raise UsageError(f"--freq {freq!r} is no frequency.\n{USUAL}")


def fixed_alias(size: int) -> str:
    """Return the alias of so many nanoseconds, in the longest unit that divides them."""
    name, unit = next((name, unit) for name, unit in reversed(UNITS.items()) if size % unit == 0)
    return f"{size // unit if size > unit else ''}{name}"


def month_alias(size: int, day: str, month: int) -> str:
    """Return the alias of so many months (named by this day), one of them being this month of the year."""
    name, unit = next((name, unit) for name, unit in reversed(MONTHS.items()) if size % unit == 0)
    letter = next(letter for letter, rule in RULES.items() if rule == day)
    count = size // unit if size > unit else ""
    if name == "M":
        return f"{count}{letter[:-1]}M{letter[-1]}"
    # pandas names quarters by their first or last month: of the four that mean the same, the usual one.
    month = month % 3 + (9 if letter.endswith("E") else 0) if name == "Q" else month % 12
    return f"{count}{letter[:-1]}{name}{letter[-1]}-{MONTH_NAMES[month]}"


def _single(count: int, name: str, suffix: str) -> Step | None:
    """Return the step of one name with a count before it and a suffix behind it; None where there is none such."""
    if not count:
        return None
    if name == "W" and (not suffix or suffix in WEEKDAY_NAMES):
        return Step("fixed", count * 7 * DAY, weekly=True, phase=_place(WEEKDAY_NAMES, suffix))
    if name in ("WOM", "LWOM"):
        nth = re.fullmatch(r"([1-4])([A-Z]{3})" if name == "WOM" else r"()([A-Z]{3})", suffix)
        weekday = _place(WEEKDAY_NAMES, nth[2]) if nth else None
        if nth is None or weekday is None:
            return None
        return Step("month", count, day=WEEKDAY, phase=weekday, nth=int(nth[1]) - 1 if nth[1] else -1)
    if name in ("SMS", "SME") and count == 1 and re.fullmatch(r"\d{0,2}", suffix) and 2 <= int(suffix or 15) <= 27:
        return Step("half", 1, day=RULES[name[2]], phase=int(suffix or 15))
    month = re.fullmatch(r"(B?)([MQY])([SE])", name)
    if month and (not suffix or (suffix in MONTH_NAMES and month[2] != "M")):
        cycle, day = MONTHS[month[2]], RULES[month[1] + month[3]]
        return Step("month", count * cycle, day=day, phase=_place(MONTH_NAMES, suffix), cycle=cycle)
    if suffix:
        return None
    if name in ("step", "B"):
        return Step("step" if name == "step" else "business", count)
    return Step("fixed", count * UNITS[name]) if name in UNITS else None


def _place(names: tuple[str, ...], suffix: str) -> int | None:
    """Return the place of a name, None where it is none of them."""
    return names.index(suffix) if suffix in names else None


def _duration(text: str) -> int:
    """Return the nanoseconds of several units after each other, such as 1h30min or 1.5h; 0 where it is no such text."""
    parts = re.findall(r"(\d*(?:\.\d+)?)([A-Za-z]+)", text)
    if not parts or "".join(count + name for count, name in parts) != text:
        return 0
    names = [OLD_NAMES.get(name, name) for _, name in parts]
    if not all(name in UNITS for name in names):
        return 0
    total = sum(float(count or 1) * UNITS[name] for (count, _), name in zip(parts, names, strict=True))
    return round(total) if abs(total - round(total)) < 1e-3 else 0


def _refuse_unsupported(freq: str, name: str) -> None:
    """Refuse what pandas has a name for and what is no regular step, each with what to do instead."""
    upper = name.upper()
    if upper in ("RE", "REQ", "445", "454", "544"):
        raise UsageError(
            f"--freq {freq!r} is a retail calendar (4-4-5 weeks), whose months and quarters differ in length by a "
            f"week: no regular step.\n{RETAIL}"
        )
    if upper in ("BH", "CBH"):
        raise UsageError(
            f"--freq {freq!r} counts business hours, which differ from place to place.\n"
            "Number the rows with --time none, and give the business hours of a day with --season."
        )
    if upper == "C" or upper.startswith("CBM"):
        raise UsageError(
            f"--freq {freq!r} needs a list of days off, which no alias holds.\n"
            "Use B, BMS or BME: days off without rows stay missing, and --holidays tells the network of them."
        )
