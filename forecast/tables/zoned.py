"""Times of a zone: the hour that its clock skips is refused, the hour that comes twice is paired."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from forecast.errors import DataError
from forecast.panels.calendar import EPOCH_FORMS, OWN_OFFSET, offset_of
from forecast.panels.frequencies import DAY
from forecast.panels.panel import Integers
from forecast.panels.zones import Clock, clock_of
from forecast.tables.phrases import and_more
from forecast.tables.rows import Codes
from forecast.tables.table import Table
from forecast.tables.times import Times, own_offset


def in_zone(table: Table, names: Sequence[str], times: Times, codes: Codes, tz: str) -> Times:
    """Return the times as instants of a zone, where they have a time of day; whole days are those of the zone.

    names: of the time columns; codes: the series of every row. Raises DataError for integer steps, and for times that
    the clock of the zone skips.
    """
    if times.are_steps:
        raise DataError(f"{table.path}: --tz {tz} needs times, and the rows have integer steps.\nLeave --tz out.")
    if times.form in EPOCH_FORMS or times.zone.strip() in OWN_OFFSET:
        return replace(times, tz=tz, elapsed=True)
    if times.zone:
        offset = offset_of(times.zone)
        instants = times.values - offset
        # One offset may be the zone's own of a summer: it then changes with the zone. Z and UTC stay what they are.
        own = (clock_of(tz, instants).offsets_at(instants) == offset).all() and any(map(str.isdigit, times.zone))
        zone = own_offset(times.zone) if own else times.zone
        return replace(times, values=instants, zone=zone, tz=tz, elapsed=True)
    if (times.values % DAY == 0).all():
        return replace(times, tz=tz)
    clock = clock_of(tz, times.values)
    skipped = np.flatnonzero(clock.skipped(times.values))
    if len(skipped):
        row = int(skipped[0])
        raise DataError(
            f"{table.place(row)}: column {' '.join(names)!r} holds a time that the clock of {tz} skips, for it is put "
            f"forward over it: {times.write(int(times.values[row]))}{and_more(len(skipped))}.\n"
            "Correct or remove the row, or leave --tz out if its times follow no such change."
        )
    return replace(times, values=_paired(clock, times.values, codes), tz=tz, elapsed=True)


def _paired(clock: Clock, values: Integers, codes: Codes) -> Integers:
    """Return the instants of clock times: of two rows of a series with a time that comes twice, the second is later."""
    instants = clock.earlier(values)
    later = clock.later(values)
    twice = np.flatnonzero(instants != later)
    if not len(twice):
        return instants
    steps = np.diff(values)[codes[1:] == codes[:-1]]
    if 2 * (steps < 0).sum() > len(steps):
        twice = twice[::-1]  # the newest row comes first
    ordered = twice[np.lexsort((values[twice], codes[twice]))]
    again = (np.diff(values[ordered]) == 0) & (np.diff(codes[ordered]) == 0)
    second = ordered[1:][again]
    instants[second] = later[second]
    return instants
