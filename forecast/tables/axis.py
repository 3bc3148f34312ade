"""The times of all rows of a table, by series and time: what a frequency is looked for in."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecast.panels.calendar import Calendar, Integers
from forecast.panels.zones import clock_of
from forecast.tables.times import Times


@dataclass(frozen=True, eq=False)
class Axis:
    """Times of one table in the order of series and time."""

    place: Callable[[int], str]  # row -> file and line
    path: str
    name: str  # of the time column
    times: Times
    values: Integers  # (rows,) sorted; as in Times
    rows: NDArray[np.signedinteger]  # (rows,) row in the file
    same: NDArray[np.bool_]  # (rows - 1,) whether the next row is of the same series

    @property
    def differences(self) -> Integers:
        """Return the steps between different times of one series."""
        differences = np.diff(self.values)
        return differences[self.same & (differences > 0)]

    def on_clock(self) -> "Axis":
        """Return the axis with the times that the clock of the zone shows instead of elapsed time."""
        shown = clock_of(self.times.tz, self.values).shown(self.values)
        return replace(self, values=shown, times=replace(self.times, values=shown, elapsed=False))

    def calendar(self, freq: str, anchor: int) -> Calendar:
        """Return the calendar of this frequency, which writes times as the table does."""
        times = self.times
        return Calendar(freq, anchor, times.form, times.zone, times.tz, times.elapsed)

    def write(self, row: int) -> str:
        """Return the time of a row as the table writes it."""
        return self.times.write(int(self.values[row]))

    def at(self, row: int) -> str:
        """Return file and line of a row."""
        return self.place(int(self.rows[row]))


def most_frequent(values: Integers) -> tuple[int, float]:
    """Return the most frequent value, of several the smallest, and its share."""
    if (values == values[0]).all():
        return int(values[0]), 1.0  # the usual case, without the sort
    different, counts = np.unique(values, return_counts=True)
    return int(different[np.argmax(counts)]), float(counts.max() / counts.sum())
