"""What a command says beside its result: on stderr, one line at a time, nothing with -q or --json."""

import sys
from collections.abc import Callable

from forecast.options import CommonOptions

Say = Callable[[str], None]


def speaker(common: CommonOptions) -> Say:
    """Return what says a line to the user, or keeps silent if that was asked for."""
    if common.quiet or common.json:
        return lambda _: None
    return lambda text: print(text, file=sys.stderr, flush=True)
