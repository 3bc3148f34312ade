"""Publishing: a new version appears whole and durable, or not at all, and readers never wait.

temporary folder -> every file, forced to the disk -> read back and checked -> rename to versions/VERSION
-> temporary pointer -> rename onto CURRENT              (each rename is followed by forcing its folder to the disk)

A candidate is noted as one before it gets its name, and CURRENT stays.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forecast.errors import BundleError, LockedError, OutputError
from forecast.store import bundle
from forecast.store.bundle import Shapes
from forecast.store.finding import candidates_of, versions_of
from forecast.store.loading import read_version
from forecast.store.lock import LOCK, Locking, locked
from forecast.store.manifest import Manifest, manifest_of, read_manifest
from forecast.store.names import CANDIDATES, PLAN, VERSIONS, check_name, is_other_file, new_version, time_of
from forecast.store.promoting import (
    FILE_MODE,
    current_or_none,
    point_back,
    pointer,
    state,
    write_candidates,
    write_pointer,
)
from forecast.store.retention import discard, remove, tidy
from forecast.store.writing import failure, sync_folder, temporary_name, write_new
from forecast.trained import Trained

FOLDER_MODE = 0o750  # less the umask: a version holds raw data
PATIENCE = 600.0  # seconds for which a model that may have taken hours to train waits for the lock
PATIENTLY = Locking(PATIENCE)


@dataclass(frozen=True)
class Published:
    """A version that was published."""

    name: str
    version: str
    path: Path
    sha256: str  # of the manifest, and so of the whole version

    @property
    def model(self) -> str:
        """NAME@VERSION, as outputs mention it."""
        return f"{self.name}@{self.version}"


def publish(
    models: str | Path,
    name: str,
    trained: Trained,
    files: Callable[[str], Mapping[str, bytes]],
    shapes: Shapes | None = None,
    now: datetime | None = None,
    candidate: bool = False,
    locking: Locking | None = PATIENTLY,
) -> Published:
    """Publish a trained model as the current version of models/name; then drop old versions.

    files: makes the files beside the model once it is told NAME@VERSION, which they may mention; nothing is on the disk
    yet. shapes: of each forecaster's arrays, by default those that the program's forecasters have. now: by default the
    present. candidate: whether the version is kept beside the current one, which stays. locking: by default a run waits
    for 10 minutes, in silence; None: the caller holds the lock of the model. Raises UsageError for a name that is none,
    LockedError where another run changes the model for longer, OutputError where the store cannot be written: then the
    version that was current still is, and nothing of the new one is left.
    """
    home = Path(models) / check_name(name)
    core = bundle.encode(trained)
    version = _next_version(home, now or datetime.now(UTC), core[PLAN])
    content = _content(core, files(f"{name}@{version}"), version, trained.source.get("sha256"))
    place = home / VERSIONS / version
    if os.path.lexists(place):
        raise OutputError(f"{place}: this version exists already.\nRun again: a version is never changed.")
    try:
        make_home(home)
        with nullcontext() if locking is None else locked(home, "publish", locking):
            manifest = _put(home, version, content, shapes, candidate)
            tidy(home)
    except LockedError:
        raise  # what is in the folder, or is not yet, is the business of another run
    except BaseException as error:
        _remove_empty(home)
        if isinstance(error, OSError):
            raise failure(error, _sentence(home, version)) from error
        raise
    return Published(name, version, place, manifest.sha256)


def _next_version(home: Path, now: datetime, plan: bytes) -> str:
    """Return a name that sorts behind those of the versions that are there, whatever the clock says."""
    times = filter(None, map(time_of, versions_of(home)))
    return new_version(max([now, *(time + timedelta(seconds=1) for time in times)]), plan)


def _put(home: Path, version: str, content: Mapping[str, bytes], shapes: Shapes | None, candidate: bool) -> Manifest:
    """Write a version, check it and make it current or a candidate, or bring the store back to where it was."""
    place, temporary = home / VERSIONS / version, home / VERSIONS / temporary_name()
    before, placed = pointer(home), False
    try:
        _write_folder(temporary, content)
        # What could not be loaded tomorrow must not replace what can be loaded today.
        manifest = read_manifest(temporary)
        read_version(temporary, manifest, shapes)
        if candidate:
            write_candidates(home, [*candidates_of(home), version])
        os.rename(temporary, place)
        placed = True
        sync_folder(place.parent)
        if not candidate:
            write_pointer(home, version)
    except BaseException as error:
        _undo(home, before, place if placed else None, temporary)
        if isinstance(error, OSError):
            raise failure(error, _sentence(home, version)) from error
        if isinstance(error, BundleError):
            raise OutputError(
                f"{_sentence(home, version)}: what was written does not read back: {error.message}\n"
                "Check the disk, then run again; if that does not help, report it as a bug."
            ) from error
        raise
    return manifest


def _content(core: Mapping[str, bytes], files: Mapping[str, bytes], version: str, data: object) -> dict[str, bytes]:
    """Return every file of a version by name, the manifest last. ValueError for names that a version cannot hold."""
    for name in files:
        if not is_other_file(name):
            raise ValueError(f"{name!r} is no name of a file that may lie beside a model")
    content = {**core, **files}
    return {**content, **manifest_of(version, content, data if isinstance(data, str) else None)}


def check_home(models: str | Path, name: str) -> None:
    """Raise OutputError where a model can hardly be published, UsageError for a name that is none: before training."""
    place = Path(models) / check_name(name) / VERSIONS
    while not os.path.lexists(place):
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK):
        raise OutputError(
            f"{place}: nothing can be written there, so what is trained could not be kept.\n"
            "Let this user write there, or choose another store with --models."
        )


def make_home(home: Path) -> None:
    """Make the model's folder and its parents where they are missing, durably."""
    if not home.parent.is_dir():
        home.parent.mkdir(parents=True, exist_ok=True)
    for folder in (home, home / VERSIONS):
        if not folder.is_dir():
            with suppress(FileExistsError):  # another run was faster
                folder.mkdir(FOLDER_MODE)
            sync_folder(folder.parent)


def _write_folder(folder: Path, content: Mapping[str, bytes]) -> None:
    folder.mkdir(FOLDER_MODE)
    for name, data in content.items():
        write_new(folder / name, data, new_mode=FILE_MODE)
    sync_folder(folder)


def _undo(home: Path, before: bytes | None, placed: Path | None, temporary: Path) -> None:
    """Bring the store back to where it was, as far as the disk allows."""
    remove(temporary)
    if placed is not None:
        if current_or_none(home) == placed.name:
            point_back(home, before)
        if current_or_none(home) != placed.name:
            with suppress(OSError):
                discard(placed)


def _remove_empty(home: Path) -> None:
    """Remove a model's folder where nothing is in it: its first version was not to be."""
    with suppress(OSError):
        (home / VERSIONS).rmdir()
        (home / CANDIDATES).unlink(missing_ok=True)
        os.unlink(home / LOCK)
    with suppress(OSError):
        home.rmdir()


def _sentence(home: Path, version: str) -> str:
    """Return the beginning of the message for a failed publish: what is current now."""
    found = state(home, version)
    if current_or_none(home) == version:
        return f"{home}: {found}"
    return f"{home}: the model cannot be published, {found}"
