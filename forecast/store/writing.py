"""Writing that either ends whole and durable or leaves what was there: https://lwn.net/Articles/457667/.

A new file is written beside its place under a name nobody reads, forced to the disk, and renamed onto its place; then
the folder is forced to the disk, which makes the rename durable. After a failed fsync nothing is tried again: the
kernel may have dropped the pages that it could not write, and would report the next fsync as a success.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from forecast.errors import ForecastError, OutputError, UsageError

TEMPORARY = ".forecast-"  # what the names of unfinished files and folders begin with

_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space, then run again."),
    errno.EDQUOT: ("the disk quota is used up", "Free some space, then run again."),
    errno.EFBIG: ("the file exceeds the size limit", "Raise the limit (ulimit -f), then run again."),
    errno.EACCES: ("permission denied", "Let this user write there, or choose another place."),
    errno.EPERM: ("permission denied", "Let this user write there, or choose another place."),
    errno.EROFS: ("the file system is read-only", "Choose a place that can be written."),
    errno.ENOENT: ("there is no such folder", "Make it, or choose another place."),
    errno.ENOTDIR: ("a part of the path is no folder", "Choose another place."),
    errno.EIO: ("the disk reports an error", "Check the disk, then run again."),
}


def write_file(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file whole or not at all: its readers see the old content or the new one.

    An existing file keeps its mode, a link leads to the file that is written. Raises UsageError for a target that is a
    folder, a device or a pipe, or lies in a version folder; OutputError, the old file intact, where writing fails.
    """
    target = Path(os.path.realpath(path))
    try:
        found = os.stat(target)
    except OSError:
        found = None
    if found and not stat.S_ISREG(found.st_mode):
        noun = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
        raise UsageError(f"{path}: the output is {noun}.\nName a file.")
    if os.path.lexists(target.parent / "manifest.sha256"):
        raise UsageError(f"{path}: the output lies inside a trained model.\nName a file elsewhere.")
    try:
        replace_file(target, content, stat.S_IMODE(found.st_mode) if found else None)
    except OSError as error:
        raise failure(error, f"{path}: the file cannot be written") from error


def replace_file(path: Path, content: bytes | Iterable[bytes], mode: int | None = None, new_mode: int = 0o644) -> None:
    """Write beside `path`, then rename onto it; after any failure the old file is in place and the new one gone.

    mode: of the file, exactly; None: `new_mode` less the umask. Raises OSError.
    """
    temporary = path.parent / temporary_name()
    try:
        write_new(temporary, content, mode, new_mode)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(path.parent)


def write_new(path: Path, content: bytes | Iterable[bytes], mode: int | None = None, new_mode: int = 0o640) -> None:
    """Write a file that must not exist, and force it to the disk. Raises OSError."""
    # O_EXCL also refuses a link that somebody has laid in the way.
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, new_mode)
    try:
        if mode is not None:
            os.fchmod(number, mode)
        for part in (content,) if isinstance(content, bytes) else content:
            _write_all(number, part)
        os.fsync(number)
    finally:
        os.close(number)


def sync_folder(path: Path) -> None:
    """Force the names in a folder to the disk. Raises OSError."""
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def temporary_name() -> str:
    """Return a name that nobody reads, and nobody else writes."""
    return f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(6)}.tmp"


def failure(error: OSError, what: str) -> ForecastError:
    """Return the error to raise where writing failed: what, why, and what to do."""
    known = _REASONS.get(error.errno or 0)
    reason, mend = known or ((error.strerror or str(error)).lower(), "Choose another place, or run again.")
    return OutputError(f"{what}: {reason}.\n{mend}")


def _write_all(number: int, part: bytes) -> None:
    """Write all of a part: the system may take less of it at once."""
    rest = memoryview(part)
    while rest:
        rest = rest[os.write(number, rest) :]
