"""A lock on a folder: `flock`, so that the kernel frees it when its holder ends, in whatever way."""

import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from forecast.errors import LockedError
from forecast.store.writing import failure

LOCK = ".lock"
MODE = 0o640
PAUSE = 0.05  # seconds between two attempts


@contextmanager
def locked(folder: Path, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock of a folder; what the file says about its holder is for the message alone.

    wait: seconds. Raises LockedError where another run holds it for longer, OutputError where it cannot be made.
    """
    path = folder / LOCK
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, MODE)
    except OSError as error:
        raise failure(error, f"{path}: the lock cannot be made") from error
    try:
        _take(number, folder, time.monotonic() + wait)
        os.ftruncate(number, 0)
        os.pwrite(number, _holder(), 0)
        yield
    finally:
        os.close(number)


def _take(number: int, folder: Path, until: float) -> None:
    """Take the lock, trying again until the time is over."""
    while True:
        try:
            return fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                found = os.pread(number, 4096, 0).decode("utf-8", "replace").strip()
                raise LockedError(
                    f"{folder} is locked by another run{f': {found}' if found else ''}.\n"
                    "Wait until it has ended, or give --lock-wait."
                ) from None
            time.sleep(PAUSE)


def _holder() -> bytes:
    """Return who holds the lock, as one line of JSON without options, which may hold the password of a URL."""
    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    command = " ".join(["forecast", *sys.argv[1:2]])
    document = {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "command": command}
    return (json.dumps(document) + "\n").encode()
