"""What to do about rows that repeat the series and time of others: which columns would tell them apart."""

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.options import ReadOptions
from forecast.panels.panel import Integers
from forecast.tables.arrow import codes_of
from forecast.tables.columns import TIME_NAMES, Roles
from forecast.tables.numerals import is_number
from forecast.tables.phrases import LONGEST_CELL, typed
from forecast.tables.rows import Rows
from forecast.tables.table import Table
from forecast.tables.timeparts import PERIODS, UNITS
from forecast.tables.times import kind_of

MOST_COLUMNS, MOST_TOGETHER = 5, 3  # that are looked at, and that are named together
MOST_WAYS = 3
HEAD = 20_000  # rows that are looked at before all are
SPARSE = 2  # steps of all series for each row, at most: what is remarked of a few rows is no id
LARGEST = 2**62  # that numbers may become
HOUR = re.compile(r"he|hr|h|.*hour.*")
HOUR_NS = 3_600 * 10**9
DAY, SUNDAY = 24 * HOUR_NS, 3  # 1 January 1970 was a Thursday
CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?")


def mend_repeated(table: Table, roles: Roles, options: ReadOptions, rows: Rows, model: bool) -> str:
    """Return what can be done about rows, by series and time, of which some repeat others.

    model: the roles are those of a trained model, and stay.
    """
    merge = "ay with --duplicates first, last, mean or sum what to do with them"
    if options.tz is None and _put_back(rows):
        return f"If a clock was put back there, --tz ZONE, such as --tz Europe/Berlin, tells them apart; else s{merge}."
    ways = [] if model else telling_columns(table, roles, rows)
    if options.wide:
        ways = [(ids, time) for ids, time in ways if not ids]
    if ways:
        named = " or ".join(" ".join((*_named("--id", ids), *_named("--time", time))) for ids, time in ways[:MOST_WAYS])
        return f"With {named} no row repeats another; else s{merge}."
    if options.wide:
        return f"S{merge}; or name all columns of the time with --time; or name the series with --id, without --wide."
    return f"S{merge}; or name all columns of the series with --id, or of the time with --time."


def _put_back(rows: Rows) -> bool:
    """Tell whether what is repeated is the hour that comes twice when a clock is put back: on Sunday nights alone."""
    again = rows.times[1:][rows.same & (rows.times[1:] == rows.times[:-1])]
    days, left = np.divmod(again, DAY)
    spaced = np.diff(np.unique(rows.times)).min(initial=DAY)
    return bool(len(again) and spaced <= HOUR_NS and (days % 7 == SUNDAY).all() and (left < 4 * HOUR_NS).all())


def telling_columns(table: Table, roles: Roles, rows: Rows) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return the smallest sets of columns with which no row repeats another, as id and time; one that stays is ().

    rows: by series and time, as they are now. Columns that play a role are no candidates.
    """
    options = {name: _option(table, name) for name in roles.unused}
    names = [name for name, option in options.items() if option][:MOST_COLUMNS]
    whole = {name: column.unify_dictionaries() for name, column in table.read((), names, ()).items()} if names else {}
    codes = {name: codes_of(column)[rows.rows] for name, column in whole.items() if not _has_empty(column)}
    head, steps = rows.rows < HEAD, np.unique(rows.times, return_inverse=True)[1]
    found: list[tuple[str, ...]] = []
    for count in range(1, MOST_TOGETHER + 1):
        for chosen in combinations(codes, count):
            series: list[Any] = [rows.codes, *(codes[name] for name in chosen if options[name] == "--id")]
            times: list[Any] = [steps, *(codes[name] for name in chosen if options[name] == "--time")]
            both = [*series, *times]
            known = any(set(one) <= set(chosen) for one in found)
            if not known and _differ([column[head] for column in both]) and _differ(both) and _dense(series, times):
                found.append(chosen)
    split = [[tuple(name for name in chosen if options[name] == one) for one in ("--id", "--time")] for chosen in found]
    return [(ids and (*roles.id, *ids), time and (*roles.time, *time)) for ids, time in split]


def _named(option: str, names: Sequence[str]) -> list[str]:
    """Return an option with each of these columns, quoted for a shell."""
    return [f"{option} {typed(name)}" for name in names]


def _option(table: Table, name: str) -> str | None:
    """Return what a column of text or whole numbers may be: --time where it is a part of a time, else --id."""
    cells = table.sample(name)
    kind = kind_of(cells)
    if not cells or kind not in ("", "step") or len(name) > LONGEST_CELL or not name.isprintable():
        return None
    if all(map(CLOCK.fullmatch, cells)) or (kind and _is_part(name.lower())):
        return "--time"
    return "--id" if kind or 2 * sum(is_number(cell, table.decimal) for cell in cells) < len(cells) else None


def _is_part(name: str) -> bool:
    """Say whether whole numbers that are called so are a part of a time."""
    return name in (*TIME_NAMES, *UNITS, *PERIODS) or bool(HOUR.fullmatch(name))


def _has_empty(column: Any) -> bool:
    """Say whether some cells of a column of categories are empty: ids must not be."""
    return bool(column.null_count) or "" in column.chunk(0).dictionary.to_pylist()


def _differ(columns: Sequence[NDArray[Any]]) -> bool:
    """Say whether no row is equal to another in all columns."""
    return len(np.unique(_numbered(columns))) == len(columns[0])


def _dense(series: Sequence[NDArray[Any]], times: Sequence[NDArray[Any]]) -> bool:
    """Say whether series that these columns name have rows at most of the times that those make up."""
    size = len(np.unique(_numbered(series))) * len(np.unique(_numbered(times)))
    return size <= SPARSE * len(series[0])


def _numbered(columns: Sequence[NDArray[Any]]) -> Integers:
    """Return one number for each row, the same where all columns are the same: columns of codes from 0 on."""
    numbers, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        count = int(column.max()) + 1
        if size * count > LARGEST:
            numbers = np.unique(numbers, return_inverse=True)[1]
            size = int(numbers.max()) + 1
        numbers, size = numbers * count + column, size * count
    return numbers
