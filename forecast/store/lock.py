"""The lock of a model or of a forecast log: whoever changes what lies in its folder holds it; readers take none.

`flock` on a file that stays: the system frees it however the process ends. What the file says is for the message alone.
The file lies in the folder, or, for drives whose locks do not hold, in a folder for locks on a disk of the machine.
"""

import errno
import fcntl
import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from forecast.durations import in_words
from forecast.errors import LockedError
from forecast.store.writing import failure

LOCK = ".lock"
_MODE, _PAUSE = 0o640, 0.05  # seconds between two tries


@dataclass(frozen=True)
class Locking:
    """Where a run locks, and what it does while another one holds the lock."""

    wait: float = 0.0  # seconds to try for
    folder: Path | None = None  # of lock files; None: what is locked
    say: Callable[[str], object] = lambda _: None  # is told, once, that the run waits, and for whom

    def path(self, home: Path) -> Path:
        """Return the file that is locked for a model or log; in a folder for locks it is named after the whole path."""
        if self.folder is None:
            return home / LOCK
        place = os.path.realpath(home)
        return self.folder / f"{os.path.basename(place)}-{hashlib.sha256(os.fsencode(place)).hexdigest()[:16]}.lock"


AT_ONCE = Locking()


@contextmanager
def locked(home: Path, command: str, locking: Locking = AT_ONCE) -> Iterator[None]:
    """Hold the lock of this folder, which must be there.

    command: what for, shown to whom it keeps waiting. Raises LockedError where another run holds it all the time that
    may be waited, OutputError where the lock cannot be written.
    """
    path = locking.path(home)
    try:
        number = _held(home, path, locking)
    except OSError as error:
        raise failure(error, f"{path.parent}: it cannot be locked") from error
    try:
        try:
            _sign(number, command)
        except OSError as error:
            raise failure(error, f"{path.parent}: it cannot be locked") from error
        yield
    finally:
        os.close(number)


def _held(home: Path, path: Path, locking: Locking) -> int:
    """Return the descriptor that holds the lock, once no other run does. Raises LockedError and OSError."""
    end, waits = time.monotonic() + locking.wait, False
    while (number := _try(path)) is None:
        if time.monotonic() >= end:
            raise LockedError(
                f"{home} is locked by {_holder(path)}.\n"
                "Run again when that has ended, or wait for it (--lock-wait 10m)."
            )
        if not waits:
            locking.say(f"{home} is locked by {_holder(path)}: waiting for up to {in_words(locking.wait)}.")
            waits = True
        time.sleep(_PAUSE)
    return number


def _try(path: Path) -> int | None:
    """Return the descriptor that holds the lock; None where another has it. Raises OSError."""
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another may have removed the file, and the model with it, between the two lines above.
        if os.path.samestat(os.fstat(number), os.lstat(path)):
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


def _holder(path: Path) -> str:
    """Return who holds the lock, as far as its file says so."""
    with suppress(OSError, ValueError, TypeError, KeyError), open(path, "rb") as file:
        found = json.loads(file.read(1000))
        return f"process {found['pid']} on {found['host']} ({found['command']}, since {found['since']})"
    return "another run"
