"""The steps to forecast as a table: ids, times and future-known covariates, filled in where known, empty where not.

It is written as the table of the model is: the same columns, delimiter, decimal mark, encoding and form of times. So it
can be filled in and given back as --future-data.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecast.errors import DataError
from forecast.options import ReadOptions
from forecast.panels.calendar import Calendar
from forecast.panels.encoding import Encoding, Role, columns_by_covariate
from forecast.panels.panel import Floats, Integers, Panel
from forecast.tables.columns import NO_ID, NO_TIME
from forecast.tables.phrases import short
from forecast.tables.timeparts import split_times

SHOWN = 5
NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class Ahead:
    """Steps to forecast, each once; without ids where covariates belong to every series (--wide)."""

    names: tuple[str, ...]  # of the future-known covariates
    ids: tuple[str, ...] | None  # (rows,)
    ordinals: Integers  # (rows,)
    calendar: Calendar
    cells: list[list[str]]  # of each covariate: (rows,) as the table would hold them
    missing: NDArray[np.bool_]  # (covariates, rows) what predict does not know
    stored: NDArray[np.bool_]  # (rows,) whether the table has a row for the step

    def lacking(self) -> "Ahead":
        """Return the steps for which a covariate is missing."""
        return self.take(np.flatnonzero(self.missing.any(axis=0)))

    def take(self, rows: Integers) -> "Ahead":
        """Return some of the steps."""
        return replace(
            self,
            ids=tuple(self.ids[row] for row in rows) if self.ids is not None else None,
            ordinals=self.ordinals[rows],
            cells=[[column[row] for row in rows] for column in self.cells],
            missing=self.missing[:, rows],
            stored=self.stored[rows],
        )

    @property
    def to_fill(self) -> dict[str, int]:
        """The number of empty cells of each covariate that has some."""
        counts = self.missing.sum(axis=1).tolist()
        return {name: count for name, count in zip(self.names, counts, strict=True) if count}

    def first(self) -> str:
        """Return the first steps in words, and how many there are beside them."""
        times = self.calendar.render(self.ordinals[:SHOWN])
        several = self.ids is not None and len(set(self.ids)) > 1
        texts = [f"{short(self.ids[row])} {time}" if several and self.ids else time for row, time in enumerate(times)]
        more = f" and {len(self.ordinals) - SHOWN:,} more" if len(self.ordinals) > SHOWN else ""
        return ", ".join(texts) + more


def steps_ahead(panel: Panel, options: ReadOptions, horizon: int) -> Ahead:
    """Return the steps to forecast from the last observed target of each id on, with the covariates known there.

    options: settled, those that the panel was read with. Rows that carry covariates beyond the last observed target
    move the beginning of the forecast there, whatever rows without a value stand between.
    """
    series, ordinals = _steps(panel, options.wide, horizon)
    places = panel.begins[series] + ordinals - panel.starts[series]
    stored = places < panel.limits[series]
    known = np.where(stored, panel.future[:, np.where(stored, places, 0)], np.nan)
    encodings = {one.place: one for one in panel.encodings if one.role is Role.FUTURE}
    columns = columns_by_covariate(Role.FUTURE, len(options.future), panel.encodings)
    return Ahead(
        names=options.future,
        ids=None if options.wide else tuple(panel.ids[row] for row in series),
        ordinals=ordinals,
        calendar=panel.calendar,
        cells=[_cells(known[own], encodings.get(place), options.decimal) for place, own in enumerate(columns)],
        missing=np.array([np.isnan(known[own]).any(axis=0) for own in columns]),
        stored=stored,
    )


def template_bytes(ahead: Ahead, options: ReadOptions) -> bytes:
    """Return the steps as delimited text that reads like the table of these options.

    Raises DataError for a composite id whose parts cannot be told apart.
    """
    if options.time == NO_TIME:
        # Rows without a time go on where the table ends: what it holds already cannot be given again.
        ahead = ahead.take(np.flatnonzero(~ahead.stored))
    columns: dict[str, Sequence[str]] = {}
    if options.id not in ((), NO_ID) and ahead.ids is not None:
        columns |= _id_columns(ahead.ids, options.id)
    if options.time != NO_TIME:
        columns |= split_times(options.time, ahead.calendar, ahead.ordinals)
    columns |= dict(zip(ahead.names, ahead.cells, strict=True))
    header = list(columns)
    if options.no_header:  # columns are known by their place
        header = [str(number) for number in range(1, max(map(int, header)) + 1)]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=_delimiter(options), lineterminator="\n")
    if not options.no_header:
        writer.writerow(header)
    empty = [""] * len(ahead.ordinals)
    writer.writerows(zip(*(columns.get(name, empty) for name in header), strict=True))
    return text.getvalue().encode(options.encoding or "utf-8", "surrogateescape")


def _steps(panel: Panel, wide: bool, horizon: int) -> tuple[Integers, Integers]:
    """Return series and ordinal of every step to forecast, each id and time once: (rows,), (rows,).

    A series of which nothing was observed has none. All targets of an id begin after the last of their values; in a
    wide table every time counts once.
    """
    codes: dict[str, int] = {}
    code = np.array([codes.setdefault("" if wide else name, len(codes)) for name in panel.ids])
    last = np.full(len(panel), NEVER)
    for row in range(len(panel)):
        observed = np.flatnonzero(~np.isnan(panel.values(row)))
        last[row] = panel.starts[row] + observed[-1] if len(observed) else NEVER
    if not wide:
        latest = np.full(len(codes), NEVER)
        np.maximum.at(latest, code, last)
        last = latest[code]
    seen = np.flatnonzero(last > NEVER)
    series = np.repeat(seen, horizon)
    ordinals = (last[seen, None] + np.arange(1, horizon + 1)).ravel()
    order = np.lexsort((ordinals, code[series]))
    series, ordinals = series[order], ordinals[order]
    new = np.append(True, (np.diff(code[series]) != 0) | (np.diff(ordinals) != 0))[: len(series)]
    return series[new], ordinals[new]


def _cells(columns: Floats, encoding: Encoding | None, decimal: str | None) -> list[str]:
    """Return the cells of a covariate whose columns in the panel are (width, rows)."""
    if encoding is not None:
        return [encoding.text(row) for row in columns.T]
    texts = ["" if value != value else f"{value:.15g}" for value in columns[0].tolist()]
    return [text.replace(".", decimal or ".") for text in texts]


def _id_columns(ids: Sequence[str], names: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return the id columns; the parts of a composite id stand between slashes."""
    if len(names) == 1:
        return {names[0]: ids}
    parts = [name.split("/") for name in ids]
    wrong = next((name for name, part in zip(ids, parts, strict=True) if len(part) != len(names)), None)
    if wrong is not None:
        raise DataError(
            f"the id {short(wrong)} cannot be cut into {' and '.join(map(repr, names))}: a part holds a '/'.\n"
            "Replace the '/' in the id columns."
        )
    return {name: [part[place] for part in parts] for place, name in enumerate(names)}


def _delimiter(options: ReadOptions) -> str:
    """Return the delimiter of the table; of a Parquet file a comma."""
    return {"\\t": "\t", "tab": "\t", None: ","}.get(options.delimiter, options.delimiter or ",")
