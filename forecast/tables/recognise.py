"""Which frequency times have, recognised from the times themselves: the alias, and the time of ordinal 0."""

import numpy as np

from forecast.errors import DataError
from forecast.panels.calendar import Integers, named_days
from forecast.panels.frequencies import (
    DAY,
    FIRST,
    FIRST_BUSINESS,
    LAST,
    LAST_BUSINESS,
    WEEKDAY_NAMES,
    Step,
    fixed_alias,
    month_alias,
    parse_frequency,
)
from forecast.tables.axis import Axis, most_frequent

RETAIL_WEEKS = ({4, 5}, {13, 14}, {52, 53})  # in the months, quarters and years of a retail calendar


def recognise(axis: Axis, modal: int) -> tuple[str, int]:
    """Return alias and anchor of an axis of dates whose most frequent step is `modal` nanoseconds.

    Raises DataError for steps that have a name and are not regular: first and last days mixed, 4-4-5 weeks.
    """
    clock = int(axis.values[0]) % DAY
    days = axis.values // DAY
    if (days * DAY + clock == axis.values).all():
        found = _months(axis, days, modal) or _halves(axis, days, modal) or _business(axis, days, modal)
        if found is not None:
            freq, day = found
            return freq, day * DAY + clock
    del days  # as large as the column of times
    return _fixed(axis, modal)


def month_anchor(step: Step, phase: int, day: int) -> int:
    """Return the day of ordinal 0, in days since 1970: in month `phase`, or the first one that has the day."""
    months = np.array([phase], dtype="M8[M]")
    while step.day == FIRST and (months.astype("M8[D]") + (day - 1)).astype("M8[M]")[0] != months[0]:
        months += step.size  # the day of the anchor is the day of every month that has it: February may not
    return int(named_days(months, step, day).astype(np.int64)[0])


def half_anchor(step: Step) -> int:
    """Return the day of ordinal 0, in days since 1970: in January 1970."""
    return 0 if step.day == FIRST else (step.phase or 15) - 1


def days_of_month(days: Integers) -> tuple[Integers, Integers, Integers]:
    """Return month since 1970, day of the month and length of the month of every day."""
    months = days.view("M8[D]").astype("M8[M]")
    first = months.astype("M8[D]").view(np.int64)
    lengths = (months + 1).astype("M8[D]").view(np.int64) - first
    return months.view(np.int64), days - first + 1, lengths


def _months(axis: Axis, days: Integers, modal: int) -> tuple[str, int] | None:
    """Return frequency and anchor of months, quarters, years, by their first, last or any other day."""
    if modal < 28 * DAY:
        return None
    months, day, lengths = days_of_month(days)
    found = np.diff(months)[axis.same]
    found = found[found > 0]
    if not len(found):
        return None
    size = most_frequent(found)[0]
    phase, rule = int(months[0]) % size, _rule(days, months, day, lengths)
    if rule is not None:
        step = Step("month", size, day=rule)
        return month_alias(size, rule, phase), month_anchor(step, phase, int(day.max()))
    _refuse_mixed(axis, modal, day, lengths)
    differences = axis.differences
    if size == 1 and (differences != differences[0]).any():  # else every so many weeks
        weekday = (days + 3) % 7
        for name, nth, most in (("WOM", (day - 1) // 7, 3), ("LWOM", (lengths - day) // 7, 0)):
            if (weekday == weekday[0]).all() and (nth == nth[0]).all() and nth[0] <= most:
                freq = f"{name}-{nth[0] + 1 if name == 'WOM' else ''}{WEEKDAY_NAMES[weekday[0]]}"
                return freq, month_anchor(parse_frequency(freq), phase, 1)
    _refuse_retail(axis, differences)
    return None


def _rule(days: Integers, months: Integers, day: Integers, lengths: Integers) -> str | None:
    """Return by which day of the month all of these days are named; None where there is no such rule."""
    if (day == lengths).all():
        return LAST
    if (day == np.minimum(day.max(), lengths)).all():
        return FIRST
    for rule in (LAST_BUSINESS, FIRST_BUSINESS):
        named = named_days(months.view("M8[M]"), Step("month", 1, day=rule), 1)
        if (named.astype(np.int64) == days).all():
            return rule
    return None


def _refuse_mixed(axis: Axis, modal: int, day: Integers, lengths: Integers) -> None:
    """Refuse a table that names some months by their first and others by their last day."""
    if 28 * DAY <= modal <= 31 * DAY and ((day == 1) | (day == lengths)).all():
        wrong = int(np.flatnonzero((day == 1) != (day[0] == 1))[0])
        raise DataError(
            f"{axis.at(wrong)}: column {axis.name!r} mixes first and last days of months: {axis.write(wrong)}.\n"
            "Write all of them in one way, or put them into months with --freq MS --duplicates mean."
        )


def _refuse_retail(axis: Axis, differences: Integers) -> None:
    """Refuse the periods of a retail calendar: 4 or 5 weeks, 13 or 14, 52 or 53."""
    weeks, rest = np.divmod(differences, 7 * DAY)
    short, long = int(weeks.min()), int(weeks.max())
    if rest.any() or {short, long} not in RETAIL_WEEKS:
        return
    season = {4: ", --season 12", 13: ", --season 4"}.get(short, "")
    wrong = int(np.flatnonzero(axis.same & (np.diff(axis.values) == long * 7 * DAY))[0]) + 1
    counts = int((weeks == short).sum()), int((weeks == long).sum())
    raise DataError(
        f"{axis.at(wrong)}: column {axis.name!r} follows a retail calendar, which has no regular step: {counts[0]:,} "
        f"steps have {short} weeks and {counts[1]:,} have {long}, the first at {axis.write(wrong)}.\n"
        f"Give weekly rows, or number the periods: --time none{season}."
    )


def _halves(axis: Axis, days: Integers, modal: int) -> tuple[str, int] | None:
    """Return the frequency of two fixed days in every month: the first or the last one, and another."""
    differences = axis.differences
    if not 13 * DAY <= modal <= 17 * DAY or (differences == differences[0]).all():
        return None
    _, day, lengths = days_of_month(days)
    for name, outer in (("SMS", day == 1), ("SME", day == lengths)):
        inner = np.unique(day[~outer])
        if outer.any() and len(inner) == 1 and 2 <= inner[0] <= 27:
            freq = f"{name}-{inner[0]}"
            return freq, half_anchor(parse_frequency(freq))
    return None


def _business(axis: Axis, days: Integers, modal: int) -> tuple[str, int] | None:
    """Return business days where no row is on a weekend and weekends were passed over."""
    if modal != DAY or ((days + 3) % 7 > 4).any() or not (axis.differences == 3 * DAY).any():
        return None
    return "B", 0


def _fixed(axis: Axis, modal: int) -> tuple[str, int]:
    """Return frequency and anchor of a fixed number of nanoseconds; the anchor is the phase of the usual row."""
    anchor, _ = most_frequent(axis.values - axis.values // modal * modal)  # several times as fast as %
    if modal % (7 * DAY) == 0:
        weeks = modal // (7 * DAY)
        return f"{weeks if weeks > 1 else ''}W-{WEEKDAY_NAMES[(anchor // DAY + 3) % 7]}", anchor
    return fixed_alias(modal), anchor
