"""Lines that are no rows: left out where --comment says how they begin."""

import re
from collections.abc import Sequence


def without_comments(text: memoryview, marks: Sequence[str]) -> memoryview:
    """Return the text in which every line that begins with one of the marks is empty.

    Empty, not gone: the lines below keep their numbers. Spaces and a quote may stand before the mark.
    """
    if not marks:
        return text
    begins = b"|".join(re.escape(mark.encode()) for mark in marks)
    return memoryview(re.sub(rb'(?:\A|(?<=[\r\n]))[ \t]*"?(?:' + begins + rb")[^\r\n]*", b"", bytes(text)))
