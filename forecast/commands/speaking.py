"""How a command speaks: lines beside its result on stderr, none with -q or --json; and JSON that can be printed."""

import json
import re
import sys
from collections.abc import Callable
from typing import Any

from forecast.options import CommonOptions

Say = Callable[[str], None]
CONTROL = re.compile(r"[\x7f-\x9f\u2028\u2029]")  # which JSON allows in text as they are


def speaker(common: CommonOptions) -> Say:
    """Return what says a line to the user, or keeps silent if that was asked for."""
    if common.quiet or common.json:
        return lambda _: None
    return lambda text: print(text, file=sys.stderr, flush=True)


def json_text(document: Any) -> str:
    """Return a JSON document as it is written or printed, without any character that a terminal would obey."""
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"
