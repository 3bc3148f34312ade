"""Which versions of a model stay: the newest 3, all that are younger than a day, the current one and its previous.

A candidate, which was never current, is none of the 3: of candidates the newest stays, and those younger than a day.
"""

import os
import shutil
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forecast.errors import ForecastError
from forecast.store.finding import candidates_of, current_version, previous_version, versions_of
from forecast.store.lock import AT_ONCE, Locking, locked
from forecast.store.names import CURRENT, VERSIONS, time_of
from forecast.store.writing import TEMPORARY, failure, sync_folder, temporary_name

KEPT = 3  # versions, at least
KEPT_FOR = timedelta(days=1)  # and every one that is younger


def superseded(home: Path) -> tuple[str, ...]:
    """Return the versions that need not stay, oldest first.

    Raises ModelNotFoundError and BundleError where CURRENT names no version: then nobody knows which may go. Where
    there are only candidates there never was a current one.
    """
    candidates, needed = candidates_of(home), set[str | None]()
    promoted = [version for version in versions_of(home) if version not in candidates]
    if promoted or os.path.lexists(home / CURRENT):
        current = current_version(home)
        needed = {current, previous_version(home, current)}
    needed |= {*promoted[-KEPT:], *candidates[-1:]}
    limit = datetime.now(UTC) - KEPT_FOR
    old = [version for version in versions_of(home) if version not in needed]
    return tuple(version for version in old if (made := time_of(version)) is not None and made < limit)


def prune(home: Path, locking: Locking = AT_ONCE) -> tuple[str, ...]:
    """Remove what `superseded` names, and what dead runs have left; return the versions that are gone, oldest first.

    Raises LockedError where another run changes the model, OutputError where a version cannot be removed.
    """
    gone = []
    with locked(home, "models prune", locking):
        for version in superseded(home):
            try:
                discard(home / VERSIONS / version)
                sync_folder(home / VERSIONS)
            except OSError as error:
                raise failure(error, f"{home / VERSIONS / version}: the version cannot be removed") from error
            gone.append(version)
        _sweep(home)
    return tuple(gone)


def tidy(home: Path) -> None:
    """Do what `prune` does, for a run that holds the lock and has another purpose.

    Failing to drop something is no failure: the next run tries again.
    """
    with suppress(ForecastError, OSError):
        for version in superseded(home):
            discard(home / VERSIONS / version)
    _sweep(home)


def discard(version: Path) -> None:
    """Remove a version; renamed first, so that nobody finds half of it. Raises OSError."""
    hidden = version.with_name(temporary_name())
    os.rename(version, hidden)
    remove(hidden)


def remove(path: Path) -> None:
    """Remove a file or folder of our own, as far as possible."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _sweep(home: Path) -> None:
    """Remove what interrupted runs have left, once it is a day old: before, it may belong to one under way."""
    for folder in (home, home / VERSIONS):
        with suppress(OSError):
            for left in os.scandir(folder):
                if left.name.startswith(TEMPORARY) and left.stat(follow_symlinks=False).st_mtime < _a_day_ago():
                    remove(Path(left.path))


def _a_day_ago() -> float:
    return time.time() - KEPT_FOR.total_seconds()
