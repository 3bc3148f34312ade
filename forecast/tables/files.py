"""The bytes of a local file or of standard input: whole, unchanged while they were read, and no more than allowed."""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from forecast.errors import DataError

CHUNK = 1 << 20
STDIN = "-"


def read_capped(name: str, read: Callable[[int], bytes], limit: int, what: str = "it") -> bytes:
    """Return all that a stream holds; DataError as soon as that is more than `limit` bytes.

    read: returns up to so many bytes of the stream, none at the end.
    """
    parts, total = [], 0
    while part := read(CHUNK):
        parts.append(part)
        total += len(part)
        if total > limit:
            raise too_large(name, limit, what)
    return b"".join(parts)


def too_large(name: str, limit: int, what: str = "it") -> DataError:
    """Return the error for a table of more bytes than are allowed."""
    return DataError(f"{name}: {what} holds more than {limit:,} bytes.\nSplit the table, or raise --max-input-bytes.")


def read_stdin(name: str, limit: int) -> bytes:
    """Return everything that standard input holds. Raises DataError when it is closed or holds too much."""
    if sys.stdin is None or sys.stdin.closed:
        raise DataError(f"{name}: it is closed.\nPipe a table into the command, or name a file.")
    return read_capped(name, sys.stdin.buffer.read, limit)


def read_file(path: str, limit: int) -> bytes:
    """Return the bytes of a regular file; links are followed.

    Raises DataError for what cannot be opened, is no regular file, holds too much or changes while it is read.
    """
    with open(_regular(path), "rb") as file:
        before = os.fstat(file.fileno())
        if before.st_size > limit:
            raise too_large(path, limit)
        try:
            data = file.read()
        except OSError as error:
            raise _unreadable(path, error) from None
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(data) != after.st_size:
        raise changed(path)
    return data


def check_file(path: str) -> None:
    """Raise DataError for what cannot be opened or is no regular file."""
    os.close(_regular(path))


def changed(name: str) -> DataError:
    """Return the error for a table that changed while it was read."""
    return DataError(
        f"{name}: the file changed while it was read.\nWait until it is complete, or write it elsewhere and rename it."
    )


def _regular(path: str) -> int:
    """Return the descriptor of a regular file, open for reading. Raises DataError."""
    try:
        # A FIFO without a writer must not make the command wait for ever.
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file.\n{_suggestion(path)}") from None
    except PermissionError:
        raise DataError(
            f"{path}: permission to read it is denied.\nGive the user of this command read access."
        ) from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    try:
        _refuse_special(path, os.fstat(number).st_mode)
    except DataError:
        os.close(number)
        raise
    return number


def _refuse_special(path: str, mode: int) -> None:
    """Refuse what is no regular file: it could be endless, or different when read again."""
    if stat.S_ISDIR(mode):
        raise DataError(f"{path}: this is a folder.\nName one table in it.")
    if stat.S_ISFIFO(mode):
        raise DataError(f"{path}: this is a pipe, not a file.\nUse - and redirect it to standard input.")
    if not stat.S_ISREG(mode):
        raise DataError(f"{path}: this is a device, not a file.\nName a file.")


def _unreadable(path: str, error: OSError | ValueError) -> DataError:
    """Return the error for a file that the system does not open or read."""
    reason = getattr(error, "strerror", None) or str(error)
    return DataError(f"{path}: it cannot be opened: {reason}.\nName a file that can be read.")


def _suggestion(path: str) -> str:
    """Name a file of nearly the same name, where there is one."""
    from difflib import get_close_matches

    folder = Path(path).parent
    try:
        names = sorted(entry.name for entry in folder.iterdir())[:1000]
    except OSError:
        return f"There is no folder {str(folder)!r} either: check the path."
    close = get_close_matches(Path(path).name, names, n=1, cutoff=0.75)  # four letters are ".csv"
    return f"Did you mean {str(folder / close[0])!r}?" if close else "Check the path."
