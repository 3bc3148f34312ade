"""Truth values and text as numbers: which columns of a panel stand for a covariate that is no number.

A text has an indicator for each frequent value, one for all rarer values together (other), and one for cells without a
value where those are many. All of it is settled when a model is trained, and stored with it: at predict a value that
training has not seen counts as other, or, where training saw too few rare values to learn from, as the average of all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST = 20  # values with an indicator each: the network reads every one of them at every step of a segment
LEAST = 5  # rows of a value: from fewer nothing can be learned
MISSING = 0.1  # of the rows without a value: then that is a case of its own (no holiday), below it is a gap
MOST_RARE, LONGEST = 200, 100  # rarer values, and characters of a value, that a model remembers
OTHER = "other"
TRUTH = {"true": 1.0, "false": 0.0}


class Role(StrEnum):
    """What is known of a covariate, and when."""

    PAST = "past"
    FUTURE = "future"
    STATIC = "static"


@dataclass(frozen=True)
class Encoding:
    """How one covariate that is no number becomes columns: in their order the values, other, missing."""

    role: Role
    place: int  # among the covariates of the role, as they were named
    boolean: bool = False  # truth values: one column of 0 and 1, NaN where missing
    values: tuple[str, ...] = ()  # with an indicator each, the most frequent first
    other: bool = False  # whether rarer values have an indicator
    missing: bool = False  # whether cells without a value have one; else they are NaN
    shares: tuple[float, ...] = ()  # of the training rows in each column
    rare: tuple[str, ...] = ()  # what training saw and counts as other, as far as it is remembered

    @property
    def rest(self) -> str:
        """What any other value counts as, in words."""
        return OTHER if self.other else "the average of all values"

    @property
    def width(self) -> int:
        """Number of columns."""
        return 1 if self.boolean else len(self.values) + self.other + self.missing

    def names(self, column: str) -> tuple[str, ...]:
        """Return the names of the columns that stand for a column of the table."""
        if self.boolean:
            return (column,)
        ends = [f"={value}" for value in self.values]
        return tuple(f"{column}{end}" for end in [*ends, *[" other"] * self.other, *[" missing"] * self.missing])

    def rows(self, texts: Sequence[str]) -> Floats:
        """Return the columns for each text, and in the last row those for a missing cell: (texts + 1, width)."""
        if self.boolean:
            return np.array([TRUTH.get(text.lower(), np.nan) for text in texts] + [np.nan])[:, None]
        places = {value: place for place, value in enumerate(self.values)}
        found = np.zeros((len(texts) + 1, self.width))
        for row, text in enumerate(texts):
            if text in places or self.other:
                found[row, places.get(text, len(self.values))] = 1.0
            else:
                found[row] = self.shares
        found[-1, -1 if self.missing else slice(None)] = 1.0 if self.missing else np.nan
        return found

    def unseen(self, texts: Sequence[str]) -> list[str]:
        """Return which of the texts training has not seen, as far as a model remembers."""
        known = {*self.values, *self.rare, OTHER} if not self.boolean else set()
        return [text for text in texts if text not in known and not (self.boolean and text.lower() in TRUTH)]

    def text(self, row: Floats) -> str:
        """Return a cell that has these columns, (width,); '' where it is missing, 'other' where it cannot be told."""
        if self.boolean:
            return {1.0: "true", 0.0: "false"}.get(float(row[0]), "")
        if np.isnan(row).any():
            return ""
        texts = [*self.values, *[OTHER] * self.other, *[""] * self.missing]
        return next((text for text, one in zip(texts, row.tolist(), strict=True) if one == 1.0), OTHER)


def settle_encoding(role: Role, place: int, texts: Sequence[str], counts: Sequence[int], missing: int) -> Encoding:
    """Settle how a covariate is encoded: by its different texts, the rows of each, and the rows without a value.

    Equally frequent values stand in the order of the texts.
    """
    if texts and all(text.lower() in TRUTH for text in texts):
        return Encoding(role, place, boolean=True)
    order = sorted(range(len(texts)), key=lambda text: -counts[text])
    frequent = [
        text for text in order if counts[text] >= LEAST and len(texts[text]) <= LONGEST and texts[text] != OTHER
    ]
    values, kept = frequent[:MOST], set(frequent[:MOST])
    rest = [text for text in order if text not in kept]
    rarer = sum(counts[text] for text in rest)
    other = rarer >= LEAST or not values
    own = missing >= MISSING * (sum(counts) + missing)
    rows = [*(counts[text] for text in values), *[rarer] * other, *[missing] * own]
    return Encoding(
        role=role,
        place=place,
        values=tuple(texts[text] for text in values),
        other=other,
        missing=own,
        shares=tuple(count / sum(rows) for count in rows),
        rare=tuple(texts[text] for text in rest if len(texts[text]) <= LONGEST)[:MOST_RARE],
    )


def columns_by_covariate(role: Role, covariates: int, encodings: Sequence[Encoding]) -> list[slice]:
    """Return which columns of the panel stand for each of so many covariates of a role."""
    widths = {encoding.place: encoding.width for encoding in encodings if encoding.role is role}
    ends = np.cumsum([widths.get(place, 1) for place in range(covariates)]).tolist()
    return [slice(end - widths.get(place, 1), end) for place, end in enumerate(ends)]


def encoded_names(names: Mapping[str, tuple[str, ...]], encodings: Sequence[Encoding]) -> dict[str, tuple[str, ...]]:
    """Return the names of the panel's columns by role, from those of the covariates by role."""
    known = {(encoding.role, encoding.place): encoding for encoding in encodings}
    found = {}
    for role in Role:
        parts = [
            known[role, place].names(name) if (role, place) in known else (name,)
            for place, name in enumerate(names[role])
        ]
        found[str(role)] = tuple(name for part in parts for name in part)
    return found
