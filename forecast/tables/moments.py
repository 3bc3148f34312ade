"""Text to moments: every way of writing a time that can mean one thing only, read with NumPy for all rows at once.

The shape of a cell is the cell with every digit replaced by 9. A pattern recognises shapes and says where year, month,
... stand; all cells of one shape are then read by position.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.errors import UsageError
from forecast.panels.calendar import EPOCH_FORMS
from forecast.panels.panel import Integers
from forecast.tables.arrow import chunks_of, spans_of
from forecast.tables.forms import Places, form_of

CLOCK = r"(?:(?P<gap>[ T])(?P<H>9{1,2})(?::(?P<M>99)(?::(?P<S>99)(?P<F>[.,]9{1,9})?)?|(?P<M2>99)(?P<S2>99)?)?)?"
ZONE = r"(?P<zone> ?Z| ?UTC| ?[+-]99:?(?:99)?)"
BEHIND_CLOCK = f"(?(gap)(?:{ZONE})?)"  # a day alone is of no zone: 2024-01-09-01 is a slip
ISO = [
    re.compile(rf"(?P<Y>9999)(?P<s>[-/.])(?P<m>9{{1,2}})(?P=s)(?P<d>9{{1,2}}){CLOCK}{BEHIND_CLOCK}"),
    re.compile(rf"(?P<Y>9999)(?P<m>99)(?P<d>99)T(?P<H>99)(?::(?P<M>99)(?::(?P<S>99))?|(?P<M2>99)(?P<S2>99)?)?{ZONE}?"),
    re.compile(r"(?P<Y>9999)(?P<s>[-/.])(?P<m>99)"),
    re.compile(r"(?P<Y>9999)(?P<s>[- ]?)Q(?P<q>9)"),
    re.compile(r"Q(?P<q>9)(?P<s>[-/ ]?)(?P<Y>9999)"),
    re.compile(r"(?P<G>9999)(?P<s>-?)W(?P<V>99)"),
]
WHOLE = re.compile(r"[+-]?(?P<N>9{1,18})")
COMPACT = re.compile(r"(?P<Y>99999999)")
DAY_FIRST = [
    re.compile(rf"(?P<d>9{{1,2}})(?P<s>[-/. ])(?P<m>9{{1,2}})(?P=s)(?P<Y>9999){CLOCK}{BEHIND_CLOCK}"),
    *ISO,
    COMPACT,
]
EITHER = re.compile(r"(9{1,2})([-/. ])(9{1,2})\2(9999|99)(\D.*)?")
DIGITS = {"Y": "9999", "y": "99", "f": "9{1,6}", "G": "9999", **dict.fromkeys("mdHMSV", "9{1,2}")}
WORDS = ("day-first", "excel", "step", *EPOCH_FORMS)  # of --date-format
EARLIEST, LATEST = 1678, 2261  # what nanoseconds since 1970 can hold
FARTHEST = 14 * 60  # minutes that a clock on Earth is ahead of or behind UTC
WIDEST = 64  # characters of a cell that could be a time

Shapes = Iterator[tuple[Integers, NDArray[np.uint8], str]]


@dataclass(frozen=True, eq=False)
class Moments:
    """Cells read as local times, or as whole numbers where `whole` is set."""

    values: Integers  # (rows,) ns since 1970, local; or the number
    whole: NDArray[np.bool_]  # (rows,)
    offsets: Integers  # (rows,) minutes east of UTC
    zones: tuple[str, ...]  # the different ways in which the zone is written, "" where there is none
    form: str  # strftime pattern of the longest shape
    bad: Integers  # (bad,) rows that could not be read, rising


def patterns_of(date_format: str | None) -> list[re.Pattern[str]] | None:
    """Return the patterns of a --date-format; None where only strptime understands it."""
    if date_format is None:
        return [*ISO, WHOLE]
    if date_format == "day-first":
        return DAY_FIRST
    pieces: list[str] = []
    for directive, literal in re.findall(r"%(.)|([^%]+)", date_format):
        if literal:
            pieces.append(re.escape(_decoded(re.sub(r"[0-9]", "9", literal).encode())))
        elif directive in DIGITS and not any(f"<{directive}>" in piece for piece in pieces):
            pieces.append(f"(?P<{'F' if directive == 'f' else directive}>{DIGITS[directive]})")
        elif directive == "z":
            pieces.append(ZONE)
        else:
            return None
    return [re.compile("".join(pieces))]


def check_format(date_format: str) -> None:
    """Refuse what is no format, a strptime format without a year, of which Python makes 1900, or half of a week."""
    if date_format in WORDS:
        return
    names = set(re.findall(r"%(.)", date_format))
    if not names:
        raise UsageError(
            f"--date-format {date_format!r} is no format.\nUse one of strptime such as %d.%m.%Y, or {', '.join(WORDS)}."
        )
    try:
        datetime.strptime("", date_format)
    except re.error:
        raise UsageError(f"--date-format {date_format!r} names a part twice.\nName each part of a time once.") from None
    except ValueError as error:
        if "bad directive" in str(error) or "stray" in str(error):
            raise UsageError(f"--date-format {date_format!r} is no format of strptime: {error}.\nCorrect it.") from None
    half_of_iso, half_of_other = len(names & set("GV")) == 1, names & set("UW") and not names & set("aAwu")
    if half_of_iso or half_of_other:
        raise UsageError(
            f"--date-format {date_format!r} names a week, which needs its year and day.\n"
            "Write %G and %V for the Monday of an ISO week."
        )
    if not names & set("YyGcx"):
        raise UsageError(
            f"--date-format {date_format!r} names no year.\n"
            "Name the column of the year as well, with --time for each, or write the year into the times."
        )


def read_moments(cells: Any, patterns: list[re.Pattern[str]]) -> Moments:
    """Read an Arrow text column by its shapes."""
    values, offsets = np.zeros(len(cells), dtype=np.int64), np.zeros(len(cells), dtype=np.int64)
    good, whole = np.zeros(len(cells), dtype=bool), np.zeros(len(cells), dtype=bool)
    zones: dict[str, None] = {}
    form, begin = "", 0
    for chunk in chunks_of(cells):
        for rows, matrix, shape in _shapes(chunk):
            match = next((found for pattern in patterns if (found := pattern.fullmatch(shape))), None)
            if match is None:
                continue
            fields = {name: match.span(name) for name, text in match.groupdict().items() if text is not None}
            values[begin + rows], good[begin + rows] = _read_shape(matrix, fields)
            if "N" in fields:
                whole[begin + rows] = True
                continue
            if "zone" in fields:
                start, stop = fields["zone"]
                offsets[begin + rows], written = _offsets(matrix[:, start:stop], shape[start:stop])
                zones |= dict.fromkeys(written)
                good[begin + rows] &= np.abs(offsets[begin + rows]) <= FARTHEST
            else:
                zones[""] = None
            form = max(form, form_of(shape, fields), key=len)
        begin += len(chunk)
    return Moments(values, whole, offsets, tuple(zones), form, np.flatnonzero(~good))


def _shapes(chunk: Any) -> Shapes:
    """Yield (rows, characters (rows, width) uint8, shape) for every shape in an Arrow text array."""
    data, spans = spans_of(chunk)
    lengths, starts = np.diff(spans), spans[:-1]
    for width in np.flatnonzero(np.bincount(np.minimum(lengths, WIDEST + 1))).tolist():
        if not 0 < width <= WIDEST:
            continue
        rows = np.flatnonzero(lengths == width)
        if len(rows) == len(lengths):
            matrix = data[starts[0] : starts[0] + len(rows) * width].reshape(len(rows), width)
        else:
            matrix = data[starts[rows, None] + np.arange(width, dtype=np.int32)]
        masked = np.where((matrix >= ord("0")) & (matrix <= ord("9")), np.uint8(ord("9")), matrix)
        if (masked == masked[0]).all():
            yield rows, matrix, _decoded(masked[0])
            continue
        unique, places = np.unique(masked.view(f"V{width}").ravel(), return_inverse=True)
        for index, shape in enumerate(unique):
            chosen = np.flatnonzero(places == index)
            yield rows[chosen], matrix[chosen], _decoded(shape)


def _decoded(characters: Any) -> str:
    """Return bytes as text of the same length, which a pattern can be matched with."""
    return bytes(characters).decode("latin-1")


def _read_shape(matrix: NDArray[np.uint8], fields: Places) -> tuple[Integers, NDArray[np.bool_]]:
    """Return nanoseconds since 1970 (or the number) and whether each row is a real date: (rows,), (rows,)."""

    def field(name: str, default: int) -> Integers:
        start, stop = fields.get(name) or fields.get(name + "2") or (0, 0)
        return _number(matrix[:, start:stop]) if stop else np.full(len(matrix), default, dtype=np.int64)

    if "N" in fields:
        numbers = field("N", 0)
        return np.where(matrix[:, 0] == ord("-"), -numbers, numbers), np.ones(len(matrix), dtype=bool)
    hour, minute, second = field("H", 0), field("M", 0), field("S", 0)
    if "G" in fields:
        days, good = days_of_week(field("G", 1970), field("V", 1))
    else:
        year, month, day = field("Y", 1970), field("m", 1), field("d", 1)
        if "y" in fields:
            year = field("y", 0)
            year = year + np.where(year < 69, 2000, 1900)  # as strptime does
        if fields.get("Y", (0, 4)) == (0, 8):
            year, month, day = split_date(year)
        if "q" in fields:
            month = month_of(field("q", 1))
        days, good = days_of(year, month, day)
    good = good & (hour < 24) & (minute < 60) & (second < 60)
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    return np.where(good, seconds * 1_000_000_000 + _fraction(matrix, fields), 0), good


def split_date(number: Integers) -> tuple[Integers, Integers, Integers]:
    """Return year, month and day of numbers such as 19580329."""
    return number // 10_000, number // 100 % 100, number % 100


def days_of(year: Integers, month: Integers, day: Integers) -> tuple[Integers, NDArray[np.bool_]]:
    """Return days since 1970 and whether each date exists, within the years that nanoseconds can hold."""
    good = (year >= EARLIEST) & (year <= LATEST) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(good, (year - 1970) * 12 + month - 1, 0).astype("M8[M]")
    days = months.astype("M8[D]").astype(np.int64) + day - 1
    return days, good & (days < (months + 1).astype("M8[D]").astype(np.int64))


def month_of(quarter: Integers) -> Integers:
    """Return the first month of each quarter, 0 where there is no such quarter."""
    return np.where((quarter >= 1) & (quarter <= 4), quarter * 3 - 2, 0)


def days_of_week(year: Integers, week: Integers) -> tuple[Integers, NDArray[np.bool_]]:
    """Return the Monday of each ISO week: the first week of a year is the one that holds the 4th of January."""
    fourth, good = days_of(year, np.ones_like(year), np.full_like(year, 4))
    following, _ = days_of(np.minimum(year + 1, LATEST), np.ones_like(year), np.full_like(year, 4))
    days = fourth - (fourth + 3) % 7 + (week - 1) * 7  # day 0, 1 January 1970, was a Thursday
    return days, good & (week >= 1) & (days < following - (following + 3) % 7)


def _fraction(matrix: NDArray[np.uint8], fields: Places) -> Any:
    """Return the fraction of a second in nanoseconds."""
    if "F" not in fields:
        return 0
    start, stop = fields["F"]
    start += int(matrix[0, start]) in b".,"
    return _number(matrix[:, start:stop]) * 10 ** (9 - (stop - start))


def _number(digits: NDArray[np.uint8]) -> Integers:
    """Return each row of digits as a number."""
    total = np.zeros(len(digits), dtype=np.int64)
    for column in range(digits.shape[1]):
        total = total * 10 + (digits[:, column] - np.uint8(ord("0")))
    return total


def _offsets(matrix: NDArray[np.uint8], shape: str) -> tuple[Any, list[str]]:
    """Return minutes east of UTC, and the different ways in which the zone is written."""
    written = np.unique(np.ascontiguousarray(matrix).view(f"V{matrix.shape[1]}").ravel())
    texts = [_decoded(text) for text in written]
    places = [place for place, character in enumerate(shape) if character == "9"]
    if not places:
        return 0, texts
    minutes = _number(matrix[:, places[:2]]) * 60 + _number(matrix[:, places[2:]])
    return np.where(matrix[:, places[0] - 1] == ord("-"), -minutes, minutes), texts
