"""Times with a word in them, such as the name of a month: which strptime format reads them."""

import re
from calendar import day_name, month_name
from collections.abc import Sequence
from datetime import datetime

MONTHS, WEEKDAYS = list(month_name)[1:], list(day_name)  # English: nobody sets another locale
TOKEN = re.compile(
    r"(?P<clock>\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?( ?[AaPp][Mm])?)|(?P<zone>[+-]\d{2}:?\d{2}$)|(?P<year>\d{4})"
    r"|(?P<number>\d{1,2})|(?P<word>[A-Za-z]+)|(?P<percent>%)"
)
MOST = 100  # cells that a format is tried on


def spelled_format(cells: Sequence[str]) -> str | None:
    """Return a format that reads all of these cells, with names of months or weekdays; None where there is none.

    >>> spelled_format(["Mon, 01 May 2024 10:30 PM", "Tue, 02 Jun 2024 11:30 PM"])
    '%a, %d %b %Y %I:%M %p'
    >>> spelled_format(["May-24", "June-24"]), spelled_format(["Mai-24"])
    ('%B-%y', None)
    """
    tried = list(dict.fromkeys(cells))[:MOST]
    # Of May alone nobody can tell whether it is cut.
    form = _format(max(tried, key=len))
    return form if form is not None and all(_reads(form, cell) for cell in tried) else None


def is_spelled(cell: str) -> bool:
    """Say whether a cell is made of numbers and of names of months or weekdays, and has both."""
    words = [token["word"] for token in TOKEN.finditer(cell) if token["word"] not in (None, "GMT", "UTC")]
    return bool(words) and all(map(_name, words)) and any(character.isdigit() for character in cell)


def week_format(cells: Sequence[str]) -> str | None:
    """Return the format of weeks that are not written as 2024-W03; None where the cells are no such weeks.

    >>> week_format(["KW 03/2024", "KW 04/2024"])
    'KW %V/%G'
    """
    frames = {re.sub(r"[0-9]+", "9", cell) for cell in cells}
    lengths = {tuple(map(len, re.findall(r"[0-9]+", cell))) for cell in cells}
    if len(frames) > 1 or "w" not in cells[0].lower() or not lengths <= {(4, 1), (4, 2), (1, 4), (2, 4)}:
        return None
    return re.sub(r"[0-9]+", lambda number: "%G" if len(number[0]) == 4 else "%V", cells[0].replace("%", "%%"))


def _format(cell: str) -> str | None:
    """Return the format of one cell; None where its words are no names of months or weekdays, or none is."""
    tokens = list(TOKEN.finditer(cell))
    kinds = [_name(token["word"]) if token["word"] else None for token in tokens]
    if not any(kinds):
        return None
    numbers = [place for place, token in enumerate(tokens) if token["number"]]
    parts = dict.fromkeys(numbers, "%d")
    if not {"%b", "%B"} & set(kinds):
        parts = dict(zip(numbers, ("%m", "%d"), strict=False))  # behind the year, as in Mon 2024-01-31
    elif numbers and not any(token["year"] for token in tokens):
        parts[numbers[-1]] = "%y"
    form, end = "", 0
    for place, token in enumerate(tokens):
        form += cell[end : token.start()] + (kinds[place] or parts.get(place) or _other(token))
        end = token.end()
    return form + cell[end:]


def _other(token: re.Match[str]) -> str:
    """Return what stands in a format for a piece of text that is no name and no day."""
    if token["clock"]:
        half = token[4] or ""  # of the day
        parts = ["%I" if half else "%H", ":%M", ":%S" if token[2] else "", ".%f" if token[3] else ""]
        return "".join([*parts, half[:-2], "%p" if half else ""])
    return "%z" if token["zone"] else "%Y" if token["year"] else "%%" if token["percent"] else token[0]


def _name(word: str) -> str | None:
    """Return the directive of a month or a weekday."""
    for names, long, short in ((MONTHS, "%B", "%b"), (WEEKDAYS, "%A", "%a")):
        if word.title() in names and len(word) > 3:
            return long
        if word.title() in (name[:3] for name in names):
            return short
    return None


def _reads(form: str, cell: str) -> bool:
    """Say whether a format reads a cell."""
    try:
        datetime.strptime(cell, form)
    except (ValueError, re.error):
        return False
    return True
