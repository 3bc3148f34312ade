"""How a column writes its times: the strftime pattern that writes others in the same way."""

import re
from collections.abc import Sequence

PADDED = ("d", "m", "H", "I", "V")  # of a strftime pattern: two digits, or one where nothing is filled up
DIGITS = {**dict.fromkeys(("Y", "G"), r"\d{4}"), **dict.fromkeys(("y", "M", "S"), r"\d\d"), "q": r"\d"}

Places = dict[str, tuple[int, int]]  # field -> where its digits begin and end


def form_of(shape: str, fields: Places) -> str:
    """Return the strftime pattern that writes times as this shape does, without the zone."""
    names = {"M2": "%M", "S2": "%S", "zone": "", "Y": "%Y%m%d" if fields.get("Y") == (0, 8) else "%Y"}
    form, place = "", 0
    for name, (start, stop) in sorted(fields.items(), key=lambda item: item[1]):
        if name in ("s", "gap"):
            continue
        form += shape[place:start]
        if name == "F":
            mark = shape[start] if shape[start] in ".," else ""
            form += mark + f"%{stop - start - len(mark)}f"
        else:
            form += names.get(name, f"%{name}")
        place = stop
    return (form + shape[place:]).encode("latin-1").decode("utf-8", errors="replace")


def as_padded(form: str, cells: Sequence[str]) -> str:
    """Return a pattern that fills up days, months, hours and weeks with zeros only where these cells do.

    >>> as_padded("%m/%d/%Y %H:%M", ["1/31/2024 09:00", "12/5/2024 10:00"])
    '%-m/%-d/%Y %H:%M'
    """
    pieces = re.split(r"%(\df|.)", form)  # text and names of parts in turns
    texts, names = pieces[::2], pieces[1::2]
    padded = [place for place, name in enumerate(names) if name in PADDED]
    parts = [r"(\d\d?)" if name in PADDED else DIGITS.get(name, ".+?") for name in names]
    written = re.compile("".join(re.escape(text) + part for text, part in zip(texts, [*parts, ""], strict=True)))
    matches = [match.groups() for match in map(written.match, cells) if match]
    short = {place for digits in matches for place, one in zip(padded, digits, strict=True) if len(one) == 1}
    names = [f"%-{name}" if place in short else f"%{name}" for place, name in enumerate(names)]
    return "".join(text + name for text, name in zip(texts, [*names, ""], strict=True))
