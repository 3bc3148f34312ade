"""Cells that must be numbers: checked all at once; the first that is none is named with its line."""

import re
from typing import Any

import numpy as np
import pyarrow as pa

from forecast.errors import DataError
from forecast.panels.encoding import TRUTH
from forecast.panels.panel import Floats, Integers
from forecast.tables.arrow import flags_of, floats_of, text_array
from forecast.tables.numerals import NUMBER, SPACES, grouped, is_number, mark_of
from forecast.tables.phrases import and_more, short
from forecast.tables.table import Table

LARGEST = float(np.finfo(np.float32).max)  # weights and inputs of the network are float32
USUAL = "Correct the cell, leave it empty to mark a missing value, or name it with --null-value."
NESTED = "Give each value within a column of its own."
THOUSANDS = re.compile(rf"[+-]?\d{{1,3}}(?:(?P<mark>[,.'\u2019_{SPACES}])\d{{3}})+(?P<fraction>[.,]\d+)?")
MENDS = {
    r"[+-]?\d*,\d+": "If the comma is the decimal mark, say so with --decimal ','.",
    r".*\u2212.*": "Replace the minus sign U+2212 by a hyphen.",
    r"\([$\u00a2-\u00a5\u20a0-\u20cf].*\d.*\)": "Write a minus sign before a negative number, and no currency sign.",
    r".*[$\u00a2-\u00a5\u20a0-\u20cf].*": "Remove the currency sign.",
    r".*%": "Remove the percent sign.",
    r"\d+(_\d+)+": "Remove the underscores.",
    r"\d{1,2}(,\d{2})+,\d{3}(\.\d+)?": "Remove the commas.",
    r"\(\d.*\)|\d+-": "Write a minus sign before a negative number.",
    r"(?i)true|false": "Write 1 for true and 0 for false.",
    r".*(?![0-9])\d.*": "Write numbers with the digits 0 to 9.",
    r"(?i)[+-]?inf(inity)?": "Numbers must be finite: correct the cell, or leave it empty to mark a missing value.",
}


def numbers_of(table: Table, name: str, column: Any) -> Floats:
    """Return a column as float64, NaN where missing: (rows,).

    column: Arrow doubles, or Arrow text where the fast reader refused.
    Raises DataError for text, infinite values and values beyond float32.
    """
    if pa.types.is_string(column.type):
        column = _convert(table, name, column)
    values, spelled = floats_of(column)
    values = _without_nulls(values, table)
    largest = np.fmax.reduce(values, initial=0.0)
    smallest = np.fmin.reduce(values, initial=0.0)
    if largest > LARGEST or smallest < -LARGEST:
        raise _refusal(table, name, table.texts(name), np.flatnonzero(np.abs(values) > LARGEST))
    if spelled:
        _convert(table, name, table.texts(name))  # finds the cell: nan in a spelling that is not agreed on
    return values


def _without_nulls(values: Floats, table: Table) -> Floats:
    """Return numbers, NaN for those that mark a missing one however they are written: -999 as well as -999.0."""
    marks = [float(mark.replace(table.decimal, ".")) for mark in table.nulls if is_number(mark, table.decimal)]
    return np.where(np.isin(values, marks), np.nan, values) if marks else values


def is_disguised(cell: str) -> bool:
    """Say whether a cell means a number that is not written plainly, such as 1,234.5 or 12%; a truth value does not."""
    return cell.lower() not in TRUTH and _mend(cell) != USUAL


def _convert(table: Table, name: str, column: Any) -> Any:
    """Return text as Arrow doubles, or raise for the first cell that is no number."""
    import pyarrow.compute as pc

    cells = pc.utf8_trim_whitespace(column)
    missing = pc.or_(pc.is_null(cells), pc.is_in(cells, value_set=text_array(table.nulls)))
    if table.thousands is not None:
        together = pc.replace_substring_regex(cells, mark_of(table.thousands), "")
        cells = pc.if_else(pc.match_substring_regex(cells, grouped(table.thousands)), together, cells)
    if table.decimal == ",":
        # A dot beside a decimal comma would be a thousands separator: leave the cell unreadable, to be refused.
        plain = pc.replace_substring(pc.replace_substring(cells, ".", "?"), ",", ".")
        cells = pc.if_else(missing, cells, plain)
    good = pc.or_kleene(missing, pc.match_substring_regex(cells, f"^({NUMBER.pattern})$"))
    bad = np.flatnonzero(~flags_of(good))
    if len(bad):
        raise _refusal(table, name, column, bad)
    unsigned = pc.replace_substring_regex(cells, r"^\+", "")
    return pc.cast(pc.if_else(missing, pa.nulls(1, pa.string())[0], unsigned), pa.float64())


def _refusal(table: Table, name: str, column: Any, rows: Integers) -> DataError:
    """Return the error for cells that are no numbers."""
    cell = str(column[int(rows[0])].as_py()).strip()
    wish, mend = "should be a number", _mend(cell) if cell[:1] not in ("{", "[") else NESTED
    if NUMBER.fullmatch(cell.replace(table.decimal, ".")):
        wish, mend = "should be a number below 3.4e38", USUAL
    place = table.place(int(rows[0]))
    return DataError(f"{place}: column {name!r} {wish}, but is {short(cell)}{and_more(len(rows))}.\n{mend}")


def _mend(cell: str) -> str:
    """Return what to do about a cell that is no number."""
    found = THOUSANDS.fullmatch(cell)
    if found is None:
        return next((mend for form, mend in MENDS.items() if re.fullmatch(form, cell)), USUAL)
    mark, fraction = " " if found["mark"] in SPACES else found["mark"], found["fraction"] or ""
    say = f"--thousands {mark!r}" + (" --decimal ','" if mark != "." and fraction.startswith(",") else "")
    if mark == "," and cell.count(mark) == 1 and not fraction:
        return f"Say with {say} that the comma separates thousands, or with --decimal ',' that it is the decimal mark."
    return f"Say with {say} what separates thousands, or remove it."
