"""The manifest: which files make a version, with size and fingerprint; and reading no file but those."""

import errno
import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from forecast.errors import BundleError
from forecast.store import records
from forecast.store.names import CONTEXT, CORE, IDS, MANIFEST, PLAN, SEAL, is_other_file, is_version

FORMAT = 1
MEND = "Copy the version folder again from where it was made, choose another version, or train again."
TOOLS = ("forecast-lstm", "numpy", "pandas", "scikit-learn", "keras", "tensorflow")

MIB = 1 << 20
LARGEST = 8192 * MIB  # bytes, of any file
_LIMITS = {MANIFEST: MIB, SEAL: 65, PLAN: 4 * MIB, IDS: 256 * MIB}
_MOST_FILES = 64


@dataclass(frozen=True)
class Listed:
    """What the manifest says about one file."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A version's list of files. Guarantees: the core files are in it, all names are ones that a version may hold."""

    version: str
    files: Mapping[str, Listed]
    tools: Mapping[str, str]  # versions of what made the model
    data: str | None  # fingerprint of the table it was trained on
    sha256: str  # fingerprint of the manifest, and so of the whole version

    @property
    def bytes(self) -> int:
        """Return the size of all its files."""
        return sum(one.bytes for one in self.files.values())


def manifest_of(version: str, files: Mapping[str, bytes], data: str | None) -> dict[str, bytes]:
    """Return the manifest of these files, and its seal, by file name."""
    document = {
        "format": FORMAT,
        "version": version,
        "data": data,
        "tools": tools(),
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(files.items())
        },
    }
    text = records.as_json(document)
    return {MANIFEST: text, SEAL: _seal(text)}


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest of a version folder, its seal first, and that the folder holds just its files.

    Raises BundleError naming the file and what is wrong with it.
    """
    text = read_regular(folder / MANIFEST, LARGEST)
    if read_regular(folder / SEAL, LARGEST) != _seal(text):
        raise damaged(folder / MANIFEST, f"is not the file that {SEAL} stands for")
    try:
        document = records.parse(text)
        if isinstance(document, dict) and records.typed(int, document.get("format"), "format") != FORMAT:
            raise BundleError(
                f"{folder / MANIFEST}: the format is {document['format']}; this forecast reads format {FORMAT}.\n"
                "Install a newer forecast, or train again."
            )
        manifest = _manifest(document, hashlib.sha256(text).hexdigest())
    except ValueError as error:
        raise damaged(folder / MANIFEST, str(error)) from None
    _check_folder(folder, manifest)
    return manifest


def read_listed(folder: Path, manifest: Manifest, name: str, most: int = LARGEST) -> bytes:
    """Read a file that the manifest lists, of at most `most` bytes. Raises BundleError unless it is that very file."""
    listed = manifest.files[name]
    path = folder / name
    if listed.bytes > most:
        raise damaged(path, f"has {listed.bytes} bytes, more than the {most} that the plan asks for")
    content = read_regular(path, listed.bytes)
    if len(content) != listed.bytes:
        raise damaged(path, f"has {len(content)} bytes, not the {listed.bytes} of the manifest")
    if hashlib.sha256(content).hexdigest() != listed.sha256:
        raise damaged(path, "does not have the sha256 of the manifest")
    return content


def read_regular(path: Path, most: int) -> bytes:
    """Read a regular file; BundleError for a link, a pipe, a device, or more bytes than `most` or its own limit."""
    most = min(most, _LIMITS.get(path.name, LARGEST))
    try:
        # A link is not followed, and a pipe without a writer does not hold the program up.
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(number, "rb") as file:
            status = os.fstat(number)
            if not stat.S_ISREG(status.st_mode):
                raise damaged(path, "is no regular file")
            if status.st_size > most:
                raise damaged(path, f"has {status.st_size} bytes, more than the {most} allowed")
            # Not `most`: reading asks for that much memory at once, and a forged manifest may say any number.
            return file.read(min(most, status.st_size + 1))
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise damaged(path, "is a link") from None
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise damaged(path, "is missing") from None
        raise unreadable(path, error) from None


def damaged(path: Path, what: str) -> BundleError:
    """Return the error for a file of a bundle that is not what it should be."""
    return BundleError(f"{path} {what}.\n{MEND}")


def unreadable(path: Path, error: OSError) -> BundleError:
    """Return the error for a file of a bundle that the system does not give out."""
    reason = (error.strerror or str(error)).lower()
    return BundleError(f"{path} cannot be read: {reason}.\nLet this user read the file, or {MEND[0].lower()}{MEND[1:]}")


def _manifest(document: Any, sha256: str) -> Manifest:
    """Return a manifest from its JSON; ValueError where it is none."""
    fields = records.take(document, ("format", "version", "data", "tools", "files"), "the manifest")
    version = records.typed(str, fields["version"], "version")
    if not is_version(version):
        raise ValueError(f"names the version {version[:40]!r}, which is no name of a version")
    if not isinstance(fields["tools"], dict) or not isinstance(fields["files"], dict):
        raise ValueError("should have objects as 'tools' and 'files'")
    tools = {name: records.typed(str, one, f"tools.{name}") for name, one in fields["tools"].items()}
    files = {name: records.record_of(Listed, one, f"files.{name}") for name, one in fields["files"].items()}
    for name in CORE:
        if name not in files:
            raise ValueError(f"does not list {name}")
    for name in files:
        if name not in (*CORE, CONTEXT) and not is_other_file(name):
            raise ValueError(f"lists {name[:60]!r}, which no version holds")
    if len(files) > _MOST_FILES:
        raise ValueError(f"lists {len(files)} files, more than {_MOST_FILES}")
    return Manifest(version, files, tools, records.typed(str | None, fields["data"], "data"), sha256)


def _check_folder(folder: Path, manifest: Manifest) -> None:
    """Refuse a folder that holds anything but the regular files of its manifest."""
    try:
        with os.scandir(folder) as found:
            regular = {one.name: one.is_file(follow_symlinks=False) for one in found}
    except OSError as error:
        raise unreadable(folder, error) from None
    for name in sorted(regular):
        if name not in (*manifest.files, MANIFEST, SEAL):
            raise BundleError(f"{folder / name} does not belong to the model.\nMove it out of the version folder.")
        if not regular[name]:
            raise damaged(folder / name, "is no regular file")
    for name in manifest.files:
        if name not in regular:
            raise damaged(folder / name, "is missing")


def _seal(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode() + b"\n"


def tools() -> dict[str, str]:
    """Return the versions of what can have a part in a model, without importing it."""
    found = {}
    for name in TOOLS:
        try:
            found[name] = installed_version(name)
        except PackageNotFoundError:
            continue
    return found
