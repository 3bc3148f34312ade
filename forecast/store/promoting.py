"""Promoting: letting CURRENT name another version, once that has been checked, durably or not at all."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from forecast.errors import BundleError, ForecastError, UsageError
from forecast.store.bundle import Shapes
from forecast.store.finding import PREVIOUS, candidates_of, current_version, find_home, select
from forecast.store.loading import Loaded, load_place, verify
from forecast.store.lock import AT_ONCE, Locking, locked
from forecast.store.manifest import MIB, read_regular
from forecast.store.names import CANDIDATES, CURRENT
from forecast.store.writing import failure, replace_file, temporary_name

FILE_MODE = 0o640  # less the umask


@dataclass(frozen=True)
class Promoted:
    """A version that is current now, and the one that was current before: the same, another, or none."""

    loaded: Loaded
    before: str | None


def promote(
    models: str | Path,
    model: str,
    check: Callable[[Loaded], object],
    shapes: Shapes | None = None,
    locking: Locking = AT_ONCE,
) -> Promoted:
    """Make a version the current one: NAME@VERSION, or a path to a model with @VERSION.

    Its files are all checked first, and `check` may raise: then nothing changes. shapes: as for `load`. Raises
    UsageError where no version is named, ModelNotFoundError, BundleError, LockedError, and OutputError where the store
    cannot be written.
    """
    home, selector = find_home(Path(models), model)
    if selector is None:
        raise UsageError(
            f"{model!r} names no version.\n"
            f"Name it as {model}@VERSION; 'forecast models list {model}' prints those that there are."
        )
    return _promote(home, selector, check, shapes, "models promote", locking)


def roll_back(
    models: str | Path,
    model: str,
    check: Callable[[Loaded], object],
    shapes: Shapes | None = None,
    locking: Locking = AT_ONCE,
) -> Promoted:
    """Make the version before the current one the current one. Raises as `promote` does."""
    home, selector = find_home(Path(models), model)
    if selector is not None:
        raise UsageError(
            f"{model!r} names a version, and a rollback goes to the one before the current one.\n"
            f"Name the model alone, or run 'forecast models promote {model}'."
        )
    return _promote(home, PREVIOUS, check, shapes, "models rollback", locking)


def _promote(
    home: Path,
    selector: str,
    check: Callable[[Loaded], object],
    shapes: Shapes | None,
    command: str,
    locking: Locking,
) -> Promoted:
    select(home, selector)  # what is not there needs no lock
    with locked(home, command, locking):
        loaded = load_place(select(home, selector), shapes)
        verify(loaded)
        check(loaded)
        before = current_or_none(home)
        if before != loaded.version:
            point(home, loaded.version)
    return Promoted(loaded, before)


def point(home: Path, version: str) -> None:
    """Let CURRENT name this version, durably, or what it named before. The lock must be held. Raises OutputError."""
    before = pointer(home)
    try:
        write_pointer(home, version)
    except BaseException as error:
        point_back(home, before)
        if isinstance(error, OSError):
            raise failure(error, f"{home}: the version {version} cannot be promoted, {state(home, version)}") from error
        raise


def write_pointer(home: Path, version: str) -> None:
    """Let CURRENT name this version. Raises OSError; CURRENT then names the one or the other."""
    candidates = candidates_of(home)
    replace_file(home / CURRENT, version.encode() + b"\n", new_mode=FILE_MODE)
    if version in candidates:
        write_candidates(home, [one for one in candidates if one != version])


def write_candidates(home: Path, versions: Sequence[str]) -> None:
    """Note which versions were never current. Raises OSError; the old or the new list is then there, whole."""
    replace_file(home / CANDIDATES, "".join(f"{version}\n" for version in versions).encode(), new_mode=FILE_MODE)


def pointer(home: Path) -> bytes | None:
    """Return what CURRENT holds, sense or nonsense; None where there is none. Raises BundleError."""
    path = home / CURRENT
    return read_regular(path, MIB) if os.path.lexists(path) else None


def point_back(home: Path, before: bytes | None) -> None:
    """Let CURRENT hold again what it held; durability has failed already, so that no fsync may stop this."""
    temporary = home / temporary_name()
    with suppress(OSError, BundleError):
        if pointer(home) == before:
            return  # and a full disk has no room for it twice
        if before is None:
            os.unlink(home / CURRENT)
            return
        try:
            temporary.write_bytes(before)
            temporary.chmod(FILE_MODE)
            os.replace(temporary, home / CURRENT)
        except OSError:
            temporary.unlink(missing_ok=True)


def current_or_none(home: Path) -> str | None:
    """Return the version that CURRENT names; None where it names none."""
    try:
        return current_version(home)
    except (ForecastError, OSError):
        return None


def state(home: Path, version: str) -> str:
    """Return for the message of a failure which version is current now, where `version` should have been."""
    found = current_or_none(home)
    if found == version:
        return f"{home.name}@{version} is current, but the disk has not confirmed it"
    return f"{home.name}@{found} stays current" if found else "it has no current version"
