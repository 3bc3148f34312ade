"""The frequency of a table: the step that most rows of all series take, and the calendar that every row must fit."""

import numpy as np

from forecast.errors import DataError, ForecastError, MismatchError
from forecast.options import Duplicates, ReadOptions
from forecast.panels.calendar import EPOCH_FORMS, Calendar, Integers
from forecast.panels.frequencies import DAY, HOUR, SECOND, WEEKDAY, WEEKDAY_NAMES, parse_frequency
from forecast.tables.axis import Axis, most_frequent
from forecast.tables.phrases import LEAST_ROWS
from forecast.tables.recognise import days_of_month, half_anchor, month_anchor, recognise

COARSER = ("s", "min", "10min", "h", "D", "W-MON", "MS", "QS", "YS")
RARE = 0.1  # of all steps: the most frequent of them is not the usual one


def find_calendar(axis: Axis, options: ReadOptions, model: bool = False) -> tuple[Calendar, Integers]:
    """Return the calendar and the ordinal of every row: (rows,).

    Without --freq the most frequent step of all series is taken, and every time must lie on its grid; gaps may be any
    number of steps. Raises DataError for irregular times and too few rows, MismatchError where a model's frequency
    does not fit.
    """
    axis = _as_counted(axis, options)
    if options.freq is not None:
        return _given(axis, options, model)
    modal, share = _modal(axis)
    if axis.times.are_steps:
        freq, anchor = ("step" if modal == 1 else f"{modal}step"), int(axis.values[0]) % modal
    else:
        freq, anchor = recognise(axis, modal)
    calendar = axis.calendar(freq, anchor)
    ordinals, off = place_on(calendar, axis.values)
    if len(off):
        part = f"{share:.0%}" if share >= 0.01 else "less than 1%"
        raise DataError(
            f"{axis.at(off[0])}: column {axis.name!r} is irregular: the most frequent step, {freq}, "
            f"makes up {part} of the steps, and {len(off):,} of {len(axis.values):,} rows are off its grid, the "
            f"first at {axis.write(off[0])}.\n{_mend(axis, calendar, share)}"
        )
    return calendar, ordinals


def _as_counted(axis: Axis, options: ReadOptions) -> Axis:
    """Return the axis in elapsed time or in that of the zone's clock, whichever its steps count.

    Days and longer steps follow the clock. Steps that make up an hour are elapsed time. Others, such as 6 hours, are
    what their times are written in: elapsed where there is an offset behind them.
    """
    if not axis.times.elapsed:
        return axis
    local = axis.on_clock()
    if options.freq is not None:
        step = parse_frequency(options.freq)
        size = step.size if step.unit == "fixed" and not step.weekly else DAY
    elif (local.values % DAY == local.values[0] % DAY).all():
        size = DAY
    else:
        differences = axis.differences
        size = most_frequent(differences)[0] if len(differences) else DAY
    counts = HOUR % size == 0 or (size % DAY != 0 and bool(axis.times.zone or axis.times.form in EPOCH_FORMS))
    return axis if counts else local


def _modal(axis: Axis) -> tuple[int, float]:
    """Return the most frequent step and its share. Raises DataError where there are fewer than two."""
    differences = axis.differences
    if len(differences) < 2:
        raise _too_short(axis)
    return most_frequent(differences)


def _too_short(axis: Axis) -> DataError:
    """Return the error for series in which no step repeats."""
    rows, series = len(axis.values), 1 + int((~axis.same).sum())
    found = f"{rows:,} row{'s' if rows > 1 else ''}" + (f" of {series:,} series" if series > 1 else "")
    mend = f"Add rows: at least {LEAST_ROWS} of one series are needed."
    if series == rows > 1:
        mend = "Name the column of the series with --id, or say with --id none that there is one series."
    return DataError(f"{axis.path}: {found} cannot show how far the times of a series lie apart.\n{mend}")


def place_on(calendar: Calendar, values: Integers) -> tuple[Integers, Integers]:
    """Return the ordinal of every time, and which of them lie off the grid."""
    step = parse_frequency(calendar.freq)
    ordinals = calendar.steps(values) if step.unit == "step" else calendar.ordinals(values.view("M8[ns]"))
    if step.unit in ("step", "fixed"):
        return ordinals, np.flatnonzero(ordinals * step.size + calendar.anchor != values)
    return ordinals, np.flatnonzero(calendar.times(ordinals).view(np.int64) != values)


def _mend(axis: Axis, calendar: Calendar, share: float) -> str:
    """Return what can be done about irregular times."""
    if axis.times.are_steps:
        return "Correct the steps, or say with --time none that rows are steps in the order of the file."
    step = parse_frequency(calendar.freq)
    if axis.times.elapsed:
        shown = axis.on_clock().values
        if (shown % step.size == shown[0] % step.size).all():
            return "Its steps follow the clock of the zone: write the times without an offset, and keep --tz."
    usual = (calendar.period or 0) * 1.0001
    if share < RARE:  # clocks that are not quite on time: the middle of all steps tells more than one of them
        usual = 0.9 * float(np.median(axis.differences)) / SECOND
    return (
        f"Aggregate to a coarser frequency, such as --freq {coarser(calendar, usual) or COARSER[-1]} --duplicates mean "
        "(sum for what adds up), or name the true one with --freq."
    )


def coarser(calendar: Calendar, at_least: float) -> str | None:
    """Return a usual frequency whose step has at least so many seconds; None for integer steps, or above a year."""
    if calendar.period is None:
        return None
    return next((freq for freq in COARSER if (Calendar(freq).period or 0) >= at_least), None)


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
    calendar = axis.calendar(*_anchored(freq, axis, aligned=False))
    ordinals, off = place_on(calendar, axis.values)
    if len(off) and options.duplicates not in (None, Duplicates.ERROR):
        calendar = axis.calendar(*_anchored(freq, axis, aligned=True))
        return calendar, place_on(calendar, axis.values)[0]
    if len(off):
        raise kind(
            f"{axis.at(off[0])}: column {axis.name!r} is off the grid of frequency {freq}: "
            f"{axis.write(off[0])} ({len(off):,} of {len(axis.values):,} rows).\n"
            "Name the true frequency with --freq, or say with --duplicates mean, sum, first or last how rows of one "
            "step are put together."
        )
    differences = np.diff(ordinals)[axis.same]
    differences = differences[differences > 0]
    modal = most_frequent(differences)[0] if len(differences) > 1 else 1
    if model and modal > 1:
        raise MismatchError(
            f"{axis.path}: the model was trained on steps of {freq}, but the most frequent step of column "
            f"{axis.name!r} is {modal} of them.\n"
            "Give a table of the model's frequency, or train again."
        )
    return calendar, ordinals


def _anchored(freq: str, axis: Axis, aligned: bool) -> tuple[str, int]:
    """Return a frequency by its full name and its anchor, with the phase of the rows or `aligned` to whole days."""
    step, first = parse_frequency(freq), int(axis.values[0])
    if step.unit == "step":
        return freq, first % step.size
    if step.unit == "fixed" and not step.weekly:
        if aligned and axis.times.elapsed:
            return freq, -axis.calendar(freq, 0).on_clock.anchor % step.size  # whole days of the clock
        return freq, 0 if aligned else first % step.size
    day, clock = first // DAY, 0 if aligned else first % DAY
    if step.unit == "business":
        return freq, _business_phase(day, 1 if aligned else step.size) * DAY + clock
    if step.unit == "half":
        return freq, half_anchor(step) * DAY + clock
    if step.weekly:
        weekday = step.phase if step.phase is not None else (6 if aligned else (day + 3) % 7)
        day -= (day + 3 - weekday) % 7
        return freq.split("-")[0] + "-" + WEEKDAY_NAMES[weekday], (day * DAY + clock) % step.size
    months, days, _ = days_of_month(axis.values // DAY)
    named = None if step.day == WEEKDAY else step.phase
    if not aligned:
        phase = int(months[0] - (0 if named is None else (months[0] - named) % step.cycle))
    elif named is not None:
        phase = named
    else:
        phase = step.size - 1 if step.ends else 0
    return freq, month_anchor(step, phase % step.size, 1 if aligned else int(days.max())) * DAY + clock


def _business_phase(day: int, size: int) -> int:
    """Return the business day, in days since 1970, from which every `size`-th one leads to this day."""
    start = np.datetime64(0, "D")
    count = int(np.busday_count(start, np.busday_offset(np.datetime64(day, "D"), 0, roll="forward")))
    return int(np.busday_offset(start, count % size).astype(np.int64))
