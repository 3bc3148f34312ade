"""The Panel: many series on one regular time axis, as flat arrays and the places where each series begins and ends."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from forecast.errors import DataError
from forecast.panels.calendar import Calendar
from forecast.panels.encoding import Encoding

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# A value that was made up from what was before it; one that was observed beside one of another target of the id that
# was made up on a line to what comes after it; and such a one itself.
CARRIED, BESIDE, BETWEEN = 1, 2, 3


def one_channel() -> Integers:
    """Return the channels of a panel with one target: (0,)."""
    return np.empty(0, dtype=np.int64)


def nothing_filled() -> NDArray[np.int8]:
    """Return the marks of a panel in which no value is made up: (0,)."""
    return np.empty(0, dtype=np.int8)


def no_columns() -> Floats:
    """Return the empty covariate array of a panel without covariates: (0, 0)."""
    return np.empty((0, 0))


@dataclass(frozen=True, eq=False)
class Panel:
    """Series as views into flat columns; a forecast starts one step after the last visible step of each series.

    The flat columns hold every step of every stored series, one after the other. A series of the panel is a view:
    its steps begin at `begins`, `lengths` of them are visible (history), and its stored rows end before `limits`.
    Rows between begin + length and limit lie ahead: of them only the future-known covariates may be read. So cutting
    the history, repeating a series at many origins and choosing series copy no values: they only change the views.

    With several targets each target of an id is a series: `targets` names them, `channel` says which one a series is,
    and the series of one id share their times.

    Guarantees: times are regular, rising and unique (step k of series s is at ordinal starts[s] + k of the calendar);
    a missing value is NaN; no value is infinite; every series has at least one step.
    """

    ids: tuple[str, ...]  # (series,)
    calendar: Calendar
    starts: Integers  # (series,) calendar ordinal of each series' first step
    begins: Integers  # (series,) flat index of each series' first step
    lengths: Integers  # (series,) visible steps
    limits: Integers  # (series,) flat index after the last stored row
    target: Floats  # (steps,)
    past: Floats = field(default_factory=no_columns)  # (past covariates, steps)
    future: Floats = field(default_factory=no_columns)  # (future-known covariates, steps)
    static: Floats = field(default_factory=no_columns)  # (series, static covariates)
    targets: tuple[str, ...] = ()  # names of the targets, where there are several
    channel: Integers = field(default_factory=one_channel)  # (series,) place in `targets`; (0,) where there is one
    encodings: tuple[Encoding, ...] = ()  # of the covariates that are no numbers in the table
    filled: NDArray[np.int8] = field(default_factory=nothing_filled)  # (steps,) 0 or a mark from above; (0,): all are 0

    def __post_init__(self) -> None:
        """Check the guarantees that can be checked without reading every value."""
        count = len(self.ids)
        if not (len(self.starts) == len(self.begins) == len(self.lengths) == len(self.limits) == count):
            raise ValueError("a panel needs one id, start, begin, length and limit per series")
        if count and ((self.lengths < 1).any() or (self.begins + self.lengths > self.limits).any()):
            raise ValueError("every series of a panel needs 1 <= length <= limit - begin")
        if count and (self.begins.min() < 0 or self.limits.max() > len(self.target)):
            raise ValueError("a series of the panel lies outside its columns")
        if len(self.targets) == 1 or len(self.channel) != (count if self.targets else 0):
            raise ValueError("a panel of several targets needs the channel of each series, a panel of one has none")
        if len(self.channel) and not (self.channel.min() >= 0 and self.channel.max() < len(self.targets)):
            raise ValueError("a channel of the panel is none of its targets")
        if len(self.filled) not in (0, len(self.target)):
            raise ValueError(f"{len(self.filled)} steps of the panel are marked, the target has {len(self.target)}")
        for name in ("past", "future"):
            columns = getattr(self, name)
            if len(columns) and columns.shape[1] != len(self.target):
                raise ValueError(f"the {name} covariates have {columns.shape[1]} steps, the target {len(self.target)}")

    def __len__(self) -> int:
        """Return the number of series."""
        return len(self.ids)

    @property
    def ends(self) -> Integers:
        """Flat index after the last visible step: (series,)."""
        return self.begins + self.lengths

    @property
    def last(self) -> Integers:
        """Calendar ordinal of the last visible step, the origin of a forecast: (series,)."""
        return self.starts + self.lengths - 1

    @property
    def target_names(self) -> tuple[str, ...]:
        """The target that each series is: (series,); () where there is one target."""
        return tuple(self.targets[channel] for channel in self.channel)

    def values(self, series: int) -> Floats:
        """Return the visible target of one series: (length,), a view."""
        return self.target[self.begins[series] : self.begins[series] + self.lengths[series]]

    def select(self, series: Sequence[int] | Integers, lengths: Integers | None = None) -> "Panel":
        """Return these series, in this order, each cut to `lengths` visible steps where given; a series may repeat."""
        chosen = np.asarray(series, dtype=np.int64)
        return replace(
            self,
            ids=tuple(self.ids[i] for i in chosen),
            starts=self.starts[chosen],
            begins=self.begins[chosen],
            lengths=self.lengths[chosen] if lengths is None else np.asarray(lengths, dtype=np.int64),
            limits=self.limits[chosen],
            static=self.static[chosen] if self.static.size else self.static,
            channel=self.channel[chosen] if self.targets else self.channel,
        )

    def honest(self, series: Integers, lengths: Integers) -> Integers:
        """Return the lengths (rows,) of these series, cut back to before steps that know what comes after them."""
        found = np.array(lengths, dtype=np.int64)
        rows = np.arange(len(found) if len(self.filled) else 0)
        while len(rows):
            last = self.filled[self.begins[series[rows]] + found[rows] - 1]
            rows = rows[((last == BETWEEN) | (last == BESIDE)) & (found[rows] > 1)]
            found[rows] -= 1
        return found

    def without_end(self, steps: int) -> "Panel":
        """Return the series that are longer than `steps`, with their last `steps` steps out of sight."""
        keep = np.flatnonzero(self.lengths > steps)
        return self.select(keep, self.lengths[keep] - steps)

    def last_steps(self, steps: int) -> "Panel":
        """Return the panel with the last `steps` visible steps of each series and what lies ahead; nothing else."""
        begins = np.maximum(self.begins, self.ends - steps)
        sizes = self.limits - begins
        limits = np.cumsum(sizes)
        places = np.arange(sizes.sum()) + np.repeat(begins - limits + sizes, sizes)
        return replace(
            self,
            starts=self.starts + begins - self.begins,
            begins=limits - sizes,
            lengths=self.ends - begins,
            limits=limits,
            target=self.target[places],
            past=self.past[:, places] if len(self.past) else self.past,
            future=self.future[:, places] if len(self.future) else self.future,
            filled=self.filled[places] if len(self.filled) else self.filled,
        )

    def observed(self, index: Integers) -> Floats:
        """Return the target at these flat places, any shape; NaN where it was made up, and where the place is -1."""
        values = np.where(index >= 0, self.target[index], np.nan)
        if len(self.filled):
            made_up = (self.filled[index] == CARRIED) | (self.filled[index] == BETWEEN)
            values[made_up] = np.nan
        return values

    def ahead(self, horizon: int) -> Integers:
        """Return the flat index of the steps after each origin: (series, horizon); -1 where no row is stored."""
        index = self.ends[:, None] + np.arange(horizon)
        return np.where(index < self.limits[:, None], index, -1)

    def history(self, steps: int) -> Integers:
        """Return the flat index of the last `steps` visible steps: (series, steps); -1 before a series begins."""
        index = self.ends[:, None] + np.arange(-steps, 0)
        return np.where(index >= self.begins[:, None], index, -1)

    def truth(self, horizon: int) -> Floats:
        """Return what was observed after each origin, for scoring: (series, horizon); NaN where nothing was."""
        return self.observed(self.ahead(horizon))

    def tail(self, horizon: int) -> Floats:
        """Return the last `horizon` visible target values: (series, horizon); NaN before a series begins."""
        index = self.history(horizon)
        return np.where(index >= 0, self.target[index], np.nan)


def panel_of(
    series: dict[str, Sequence[float] | Floats],
    calendar: Calendar | None = None,
    starts: Sequence[int] | None = None,
) -> Panel:
    """Make a panel without covariates from named sequences of numbers (NaN or None where a value is missing).

    Raises DataError when a series is empty or holds an infinite value.
    """
    arrays = [np.array(values, dtype=np.float64) for values in series.values()]
    for name, values in zip(series, arrays, strict=True):
        if not len(values) or np.isinf(values).any():
            raise DataError(f"series {name!r} is empty or holds an infinite value.\nLeave it out, or mark it missing.")
    lengths = np.array([len(values) for values in arrays], dtype=np.int64)
    ends = np.cumsum(lengths)
    return Panel(
        ids=tuple(series),
        calendar=calendar or Calendar(),
        starts=np.array(starts if starts is not None else [1] * len(arrays), dtype=np.int64),
        begins=ends - lengths,
        lengths=lengths,
        limits=ends,
        target=np.concatenate(arrays) if arrays else np.empty(0),
    )
