"""Where a result goes: a file, replaced whole, or standard output."""

import sys
from pathlib import Path

from forecast.commands import stopping


def put(output: str, data: bytes) -> None:
    """Write a result; '-' is standard output. A reader of the file sees the old or the new one, never a part."""
    stopping.check()
    if output == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    from forecast import store

    store.write_file(Path(output), data)
