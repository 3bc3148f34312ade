"""The words that messages about tables share."""

import re
import shlex
from collections.abc import Sequence
from typing import Any

from forecast.tables.table import Table

LONGEST_CELL, MOST_NAMES = 60, 10
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
LEAST_ROWS = 6  # of a series that training can use: a horizon of one step, see planning


def short(cell: Any) -> str:
    """Return a cell in quotes, cut where it is long."""
    text = str(cell)
    return repr(text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 3] + "...")


def and_more(count: int, noun: str = "more") -> str:
    """Return ' (and 12 more)' for what is left after the first of `count`; nothing for one."""
    return f" (and {count - 1:,} {noun})" if count > 1 else ""


def listed(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Return up to ten names in quotes, cut where they are long, and how many are left out."""
    shown = ", ".join(map(short, names[:most]))
    return (shown or "none") + (f" and {len(names) - most:,} more" if len(names) > most else "")


def typed(word: str) -> str:
    """Return a word quoted for a shell; control characters, which a terminal would obey, as bash and zsh read them."""
    if not CONTROL.search(word):
        return shlex.quote(word)
    plain = word.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", plain) + "'"


def is_uncut(table: Table) -> bool:
    """Say whether a text has a single column, so that its columns may not have been told apart."""
    return table.delimiter is not None and len(table.names) == 1


def how_to_name(table: Table, what: str) -> str:
    """Return how a column can be named, or told from the others."""
    if is_uncut(table):
        return f"Say with --delimiter what separates columns, or name {what}"
    return f"Name {what}"
