"""The frequency of a table: the step that most rows of all series take, and the calendar that every row must fit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.errors import DataError, ForecastError, MismatchError
from forecast.options import Duplicates, ReadOptions
from forecast.panels.calendar import DAY, MONTH_NAMES, UNITS, WEEKDAY_NAMES, Calendar, Integers, parse_frequency
from forecast.tables.times import Times

COARSER = ("min", "10min", "h", "D", "W-MON", "MS", "QS", "YS")


@dataclass(frozen=True, eq=False)
class Axis:
    """Times of one table in the order of series and time."""

    place: Callable[[int], str]  # row -> file and line
    path: str
    name: str  # of the time column
    times: Times
    values: Integers  # (rows,) sorted
    rows: Integers  # (rows,) row in the file
    same: NDArray[np.bool_]  # (rows - 1,) whether the next row is of the same series

    @property
    def differences(self) -> Integers:
        """Return the steps between different times of one series."""
        differences = np.diff(self.values)[self.same]
        return differences[differences > 0]


def find_calendar(axis: Axis, options: ReadOptions, model: bool = False) -> tuple[Calendar, Integers]:
    """Return the calendar and the ordinal of every row: (rows,).

    Without --freq the most frequent step of all series is taken, and every time must lie on its grid; gaps may be any
    number of steps. Raises DataError for irregular times and too few rows, MismatchError where a model's frequency
    does not fit.
    """
    if options.freq is not None:
        return _given(axis, options, model)
    differences = axis.differences
    if len(differences) < 2:
        raise DataError(
            f"{axis.path}: {len(axis.values):,} row{'s' if len(axis.values) > 1 else ''} cannot show the frequency: at "
            "least 3 different times of one series are needed.\nAdd rows, or name the frequency with --freq."
        )
    modal, share = _most_frequent(differences)
    if axis.times.are_steps:
        freq, anchor = ("step" if modal == 1 else f"{modal}step"), int(axis.values[0]) % modal
    else:
        freq, anchor = _monthly(axis, modal) or _business(axis, modal) or _fixed(axis, modal)
    calendar = Calendar(freq, anchor, axis.times.form, axis.times.zone)
    ordinals, off = place_on(calendar, axis.values)
    if len(off):
        row = off[0]
        raise DataError(
            f"{axis.place(int(axis.rows[row]))}: column {axis.name!r} is irregular: the most frequent step, {freq}, "
            f"makes up {share:.0%} of the steps, and {len(off):,} of {len(axis.values):,} rows are off its grid, the "
            f"first at {_written(calendar, axis.values[row])}.\n{_coarser(axis, calendar)}"
        )
    return calendar, ordinals


def _most_frequent(values: Integers) -> tuple[int, float]:
    """Return the most frequent value, of several the smallest, and its share."""
    if (values == values[0]).all():
        return int(values[0]), 1.0  # the usual case, without the sort
    different, counts = np.unique(values, return_counts=True)
    return int(different[np.argmax(counts)]), float(counts.max() / counts.sum())


def place_on(calendar: Calendar, values: Integers) -> tuple[Integers, Integers]:
    """Return the ordinal of every time, and which of them lie off the grid."""
    if parse_frequency(calendar.freq).unit == "step":
        ordinals = calendar.steps(values)
        return ordinals, np.flatnonzero(ordinals * parse_frequency(calendar.freq).size + calendar.anchor != values)
    ordinals = calendar.ordinals(values.view("M8[ns]"))
    return ordinals, np.flatnonzero(calendar.times(ordinals).view(np.int64) != values)


def _written(calendar: Calendar, value: int) -> str:
    """Return a time that need not be on the grid, as the table writes it."""
    if calendar.freq.endswith("step"):
        return str(value)
    return Calendar("ns", 0, calendar.form, calendar.zone).render(np.array([value]))[0]


def _coarser(axis: Axis, calendar: Calendar) -> str:
    """Name a coarser frequency to aggregate to."""
    if axis.times.are_steps:
        return "Correct the steps, or say with --time none that rows are steps in the order of the file."
    period = (calendar.period or 0) * 1.0001
    freq = next((freq for freq in COARSER if (Calendar(freq).period or 0) > period), "YS")
    return (
        f"Aggregate to a coarser frequency, such as --freq {freq} --duplicates mean, or name the true one with --freq."
    )


def _month_parts(values: Integers) -> tuple[Integers, Integers, Integers, Integers]:
    """Return month since 1970, day of the month, length of the month and time of day (ns) of every time."""
    days, clock = np.divmod(values, DAY)
    months = days.view("M8[D]").astype("M8[M]")
    first = months.astype("M8[D]").view(np.int64)
    lengths = (months + 1).astype("M8[D]").view(np.int64) - first
    return months.view(np.int64), days - first + 1, lengths, clock


def _monthly(axis: Axis, modal: int) -> tuple[str, int] | None:
    """Return frequency and anchor of months, quarters, years, on their first, last or any fixed day."""
    if modal < 28 * DAY:
        return None
    months, day, length, clock = _month_parts(axis.values)
    if (clock != clock[0]).any():
        return None
    end, fixed = bool((day == length).all()), bool((day == np.minimum(day.max(), length)).all())
    if not end and not fixed:
        if 28 * DAY <= modal <= 31 * DAY and ((day == 1) | (day == length)).all():
            wrong = int(np.flatnonzero((day == 1) != (day[0] == 1))[0])
            raise DataError(
                f"{axis.place(int(axis.rows[wrong]))}: column {axis.name!r} mixes first and last days of months: "
                f"{_written(Calendar('D', 0, axis.times.form), axis.values[wrong])}.\n"
                "Write all of them in one way, or put them into months with --freq MS --duplicates mean."
            )
        return None
    differences = np.diff(months)[axis.same]
    size, _ = _most_frequent(differences[differences > 0])
    letter = "E" if end else "S"
    name, unit = next((name, unit) for name, unit in (("Y", 12), ("Q", 3), ("M", 1)) if size % unit == 0)
    phase = int(months[0]) % size
    month = phase % 12 if name == "Y" else phase % 3 + (9 if name == "Q" and end else 0)
    suffix = "" if name == "M" else f"-{MONTH_NAMES[month]}"
    freq = f"{size // unit if size > unit else ''}{name}{letter}{suffix}"
    return freq, _month_anchor(phase, size, 1 if end else int(day.max()), end, int(clock[0]))


def _month_anchor(phase: int, size: int, day: int, end: bool, clock: int) -> int:
    """Return the time of ordinal 0: in a month that is long enough for the day."""
    while True:
        month = np.datetime64(phase, "M")
        length = int(((month + 1).astype("M8[D]") - month.astype("M8[D]")).astype(np.int64))
        if end or day <= length:
            break
        phase += size  # the day of the anchor is the day of every month that has it: February may not
    return int(month.astype("M8[D]").astype(np.int64) + (length if end else day) - 1) * DAY + clock


def _business(axis: Axis, modal: int) -> tuple[str, int] | None:
    """Return business days where no row is on a weekend and weekends were passed over."""
    days, clock = np.divmod(axis.values, DAY)
    weekday = (days + 3) % 7
    if modal != DAY or (weekday > 4).any() or (clock != clock[0]).any() or not (axis.differences == 3 * DAY).any():
        return None
    return "B", int(clock[0])


def _fixed(axis: Axis, modal: int) -> tuple[str, int]:
    """Return frequency and anchor of a fixed number of nanoseconds; the anchor is the phase of the usual row."""
    anchor, _ = _most_frequent(axis.values % modal)
    if modal % (7 * DAY) == 0:
        weeks = modal // (7 * DAY)
        return f"{weeks if weeks > 1 else ''}W-{WEEKDAY_NAMES[(anchor // DAY + 3) % 7]}", anchor
    name, unit = next((name, unit) for name, unit in reversed(UNITS.items()) if modal % unit == 0)
    return f"{modal // unit if modal > unit else ''}{name}", anchor


def _given(axis: Axis, options: ReadOptions, model: bool) -> tuple[Calendar, Integers]:
    """Return the calendar of a --freq; rows between its steps are put into them where --duplicates says how."""
    freq, step = str(options.freq), parse_frequency(str(options.freq))
    kind: type[ForecastError] = MismatchError if model else DataError
    if (step.unit == "step") != axis.times.are_steps:
        found = "integer steps" if axis.times.are_steps else "dates"
        raise kind(
            f"{axis.path}: the frequency is {freq}, but column {axis.name!r} holds {found}.\n"
            "Name the time column with --time, or another frequency with --freq."
        )
    calendar = Calendar(*_anchored(freq, axis.values, aligned=False), axis.times.form, axis.times.zone)
    ordinals, off = place_on(calendar, axis.values)
    if len(off) and options.duplicates not in (None, Duplicates.ERROR):
        calendar = Calendar(*_anchored(freq, axis.values, aligned=True), axis.times.form, axis.times.zone)
        return calendar, place_on(calendar, axis.values)[0]
    if len(off):
        raise kind(
            f"{axis.place(int(axis.rows[off[0]]))}: column {axis.name!r} is off the grid of frequency {freq}: "
            f"{_written(calendar, axis.values[off[0]])} ({len(off):,} of {len(axis.values):,} rows).\n"
            "Name the true frequency with --freq, or say with --duplicates mean, sum, first or last how rows of one "
            "step are put together."
        )
    differences = np.diff(ordinals)[axis.same]
    differences = differences[differences > 0]
    modal = _most_frequent(differences)[0] if len(differences) > 1 else 1
    if model and modal > 1:
        raise MismatchError(
            f"{axis.path}: the model was trained on steps of {freq}, but the most frequent step of column "
            f"{axis.name!r} is {modal} of them.\n"
            "Give a table of the model's frequency, or train again."
        )
    return calendar, ordinals


def _anchored(freq: str, values: Integers, aligned: bool) -> tuple[str, int]:
    """Return a frequency by its full name and its anchor, with the phase of the rows or `aligned` to whole days."""
    step = parse_frequency(freq)
    if step.unit == "step":
        return freq, int(values[0]) % step.size
    clock = 0 if aligned else int(values[0]) % DAY
    if step.unit == "business":
        return "B", clock
    if step.unit == "fixed" and not step.weekly:
        return freq, 0 if aligned else int(values[0]) % step.size
    if step.weekly:
        weekday = step.phase if step.phase is not None else (6 if aligned else (int(values[0]) // DAY + 3) % 7)
        day = int(values[0]) // DAY
        day -= (day + 3 - weekday) % 7
        anchor = (day * DAY + clock) % step.size
        return freq.split("-")[0] + "-" + WEEKDAY_NAMES[weekday], anchor
    months, day_of_month, _, _ = _month_parts(values)
    phase = (
        step.phase
        if step.phase is not None
        else (step.size - 1 if aligned and step.end else 0 if aligned else int(months[0]))
    )
    return freq, _month_anchor(phase % step.size, step.size, 1 if aligned else int(day_of_month.max()), step.end, clock)
