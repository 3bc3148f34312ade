"""Publishing: a new version appears whole and durable, or not at all, and readers never wait.

temporary folder -> every file, forced to the disk -> read back and checked -> rename to versions/VERSION
-> temporary pointer -> rename onto CURRENT              (each rename is followed by forcing its folder to the disk)
"""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forecast.errors import BundleError, ForecastError, OutputError
from forecast.store import bundle
from forecast.store.bundle import Shapes
from forecast.store.finding import current_version, versions_of
from forecast.store.loading import read_version
from forecast.store.manifest import MIB, manifest_of, read_manifest, read_regular
from forecast.store.names import CURRENT, PLAN, VERSIONS, check_name, is_other_file, new_version, time_of
from forecast.store.writing import TEMPORARY, failure, replace_file, sync_folder, temporary_name, write_new
from forecast.trained import Trained

KEPT = 3  # versions, at least
KEPT_FOR = timedelta(days=1)  # and every one that is younger
FOLDER_MODE, FILE_MODE = 0o750, 0o640  # less the umask: a version holds raw data


@dataclass(frozen=True)
class Published:
    """A version that was published, and is now the current one."""

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
) -> Published:
    """Publish a trained model as the current version of models/name; then drop old versions.

    files: makes the files beside the model once it is told NAME@VERSION, which they may mention; nothing is on the disk
    yet. shapes: of each forecaster's arrays, by default those that the program's forecasters have. now: by default the
    present. Raises UsageError for a name that is none, OutputError where the store cannot be written: then the version
    that was current still is, and nothing of the new one is left.
    """
    home = Path(models) / check_name(name)
    core = bundle.encode(trained)
    version = new_version(now, core[PLAN])
    content = _content(core, files(f"{name}@{version}"), version, trained.source.get("sha256"))
    place, temporary = home / VERSIONS / version, home / VERSIONS / temporary_name()
    if os.path.lexists(place):
        raise OutputError(f"{place}: this version exists already.\nRun again: a version is never changed.")
    before, placed = _pointer(home), False
    try:
        make_home(home)
        _write_folder(temporary, content)
        # What could not be loaded tomorrow must not replace what can be loaded today.
        manifest = read_manifest(temporary)
        read_version(temporary, manifest, shapes)
        os.rename(temporary, place)
        placed = True
        sync_folder(place.parent)
        _point(home, version)
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
    tidy(home)
    return Published(name, version, place, manifest.sha256)


def tidy(home: Path) -> None:
    """Drop a model's old versions and what interrupted runs have left; keep the current one, 3, and what is a day old.

    Failing to drop something is no failure: the next run tries again.
    """
    with suppress(ForecastError, OSError):
        current = current_version(home)
        limit = datetime.now(UTC) - KEPT_FOR
        for version in versions_of(home)[:-KEPT]:
            made = time_of(version)
            if version != current and made is not None and made < limit:
                _discard(home / VERSIONS / version)
    for folder in (home, home / VERSIONS):
        with suppress(OSError):
            for left in os.scandir(folder):
                # A young one may belong to a run that is under way.
                if left.name.startswith(TEMPORARY) and left.stat(follow_symlinks=False).st_mtime < _a_day_ago():
                    _remove(Path(left.path))


def _content(core: Mapping[str, bytes], files: Mapping[str, bytes], version: str, data: object) -> dict[str, bytes]:
    """Return every file of a version by name, the manifest last. ValueError for names that a version cannot hold."""
    for name in files:
        if not is_other_file(name):
            raise ValueError(f"{name!r} is no name of a file that may lie beside a model")
    content = {**core, **files}
    return {**content, **manifest_of(version, content, data if isinstance(data, str) else None)}


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


def _point(home: Path, version: str) -> None:
    replace_file(home / CURRENT, version.encode() + b"\n", new_mode=FILE_MODE)


def _pointer(home: Path) -> bytes | None:
    """Return what CURRENT holds, sense or nonsense; None where there is none. Raises BundleError."""
    pointer = home / CURRENT
    return read_regular(pointer, MIB) if os.path.lexists(pointer) else None


def _current(home: Path) -> str | None:
    """Return the version that CURRENT names; None where it names none."""
    try:
        return current_version(home)
    except (ForecastError, OSError):
        return None


def _undo(home: Path, before: bytes | None, placed: Path | None, temporary: Path) -> None:
    """Bring the store back to where it was, as far as the disk allows."""
    _remove(temporary)
    if placed is not None:
        if _current(home) == placed.name:
            _point_back(home, before)
        if _current(home) != placed.name:
            with suppress(OSError):
                _discard(placed)
    for folder in (home / VERSIONS, home):
        with suppress(OSError):
            folder.rmdir()  # only where it is empty: the first version of a model was not to be


def _point_back(home: Path, before: bytes | None) -> None:
    """Let CURRENT name the version before again; durability has failed already, so that no fsync may stop this."""
    with suppress(OSError):
        if before is None:
            os.unlink(home / CURRENT)
            return
        temporary = home / temporary_name()
        temporary.write_bytes(before)
        temporary.chmod(FILE_MODE)
        os.replace(temporary, home / CURRENT)


def _discard(version: Path) -> None:
    """Remove a version; renamed first, so that nobody finds half of it. Raises OSError."""
    hidden = version.with_name(temporary_name())
    os.rename(version, hidden)
    _remove(hidden)


def _remove(path: Path) -> None:
    """Remove a file or folder of our own, as far as possible."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _a_day_ago() -> float:
    return time.time() - KEPT_FOR.total_seconds()


def _sentence(home: Path, version: str) -> str:
    """Return the beginning of the message for a failed publish: what is current now."""
    current = _current(home)
    if current == version:
        return f"{home}: {home.name}@{version} is current, but the disk has not confirmed it"
    kept = f"{home.name}@{current} stays current" if current else "it has no current version"
    return f"{home}: the model cannot be published, {kept}"
