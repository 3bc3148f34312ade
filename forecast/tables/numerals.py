"""How a number is written: plainly, or with something between its thousands."""

import re

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
SPACES = " \u00a0\u2009\u202f"  # common, no-break, thin and narrow: a reader cannot tell them apart


def is_number(cell: str, decimal: str) -> bool:
    """Say whether a cell is a plain decimal number."""
    if decimal == "," and "." not in cell:
        cell = cell.replace(",", ".")
    return bool(NUMBER.fullmatch(cell))


def mark_of(thousands: str) -> str:
    """Return the pattern of a mark between thousands; a space stands for all kinds of them."""
    return f"[{SPACES}]" if thousands in SPACES else re.escape(thousands)


def grouped(thousands: str) -> str:
    """Return the pattern of a number whose digits are in threes, with a fraction or without."""
    fraction = {",": "[.]", ".": "[,]"}.get(thousands, "[.,]")
    return rf"^[+-]?[0-9]{{1,3}}({mark_of(thousands)}[0-9]{{3}})+({fraction}[0-9]*)?$"


def ungrouped(cell: str, thousands: str | None) -> str:
    """Return a cell without what separates its thousands; one that is no such number stays as it is.

    >>> ungrouped("-1,234,567.5", ","), ungrouped("12,34", ",")
    ('-1234567.5', '12,34')
    """
    if thousands is None or not re.match(grouped(thousands), cell):
        return cell
    return re.sub(mark_of(thousands), "", cell)
