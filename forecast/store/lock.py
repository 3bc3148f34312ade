"""The lock of a model or of a forecast log: whoever changes what lies in its folder holds it; readers take none.

`flock` on a file that stays: the system frees it however the process ends. What the file says is for the message alone.
"""

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from forecast.errors import LockedError
from forecast.store.writing import failure

LOCK = ".lock"
_MODE, _PAUSE = 0o640, 0.05  # seconds between two tries


@contextmanager
def locked(home: Path, command: str, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock of this folder, which must be there.

    command: what for, shown to whom it keeps waiting; wait: seconds to try for. Raises LockedError where another run
    holds it all that time, OutputError where the folder cannot be written.
    """
    end = time.monotonic() + wait
    try:
        while (number := _try(home)) is None:
            if time.monotonic() >= end:
                raise LockedError(f"{home} is locked by {_holder(home)}.\nRun again when that has ended.")
            time.sleep(_PAUSE)
    except OSError as error:
        raise failure(error, f"{home}: it cannot be locked") from error
    try:
        try:
            _sign(number, command)
        except OSError as error:
            raise failure(error, f"{home}: it cannot be locked") from error
        yield
    finally:
        os.close(number)


def _try(home: Path) -> int | None:
    """Return the descriptor that holds the lock; None where another has it. Raises OSError."""
    number = os.open(home / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another may have removed the file, and the model with it, between the two lines above.
        if os.path.samestat(os.fstat(number), os.lstat(home / LOCK)):
            return number
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES, errno.ENOENT):
            os.close(number)
            raise
    except BaseException:
        os.close(number)
        raise
    os.close(number)
    return None


def _sign(number: int, command: str) -> None:
    """Write into the file who holds the lock."""
    since = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "command": command}
    os.ftruncate(number, 0)
    os.write(number, json.dumps(holder).encode() + b"\n")


def _holder(home: Path) -> str:
    """Return who holds the lock, as far as its file says so."""
    with suppress(OSError, ValueError, TypeError, KeyError), open(home / LOCK, "rb") as file:
        found = json.loads(file.read(1000))
        return f"process {found['pid']} on {found['host']} ({found['command']}, since {found['since']})"
    return "another run"
