"""What there is in a store, from manifests and plans alone: no array is loaded, and damage is a line, not an end."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from forecast.errors import ForecastError
from forecast.store import records
from forecast.store.finding import candidates_of, models_in, previous_version, select, versions_of
from forecast.store.manifest import Manifest, damaged, read_listed, read_manifest
from forecast.store.names import MANIFEST, PLAN, VERSIONS
from forecast.store.outline import Outline, read_outline

Part = TypeVar("Part")

METRICS = "metrics.json"


@dataclass(frozen=True)
class Listed:
    """A version as it is listed; where it is damaged there is no outline, and `problem` says what is wrong."""

    version: str
    bytes: int = 0  # of its files
    outline: Outline | None = None
    skill: float | None = None  # against seasonal naive, as measured in training
    problem: str | None = None


@dataclass(frozen=True)
class Shelf:
    """A model in a store: its versions, and which of them count."""

    home: Path
    versions: tuple[str, ...]  # oldest first
    current: str | None
    previous: str | None
    error: ForecastError | None  # why there is no current version
    candidates: tuple[str, ...] = ()  # published without being promoted, and never current since

    @property
    def name(self) -> str:
        """Return the name of the model."""
        return self.home.name

    def role(self, version: str) -> str | None:
        """Return whether a version is the current one, the previous one or a candidate; None for any other."""
        named = {self.previous: "previous", self.current: "current"}.get(version)
        return named or ("candidate" if version in self.candidates else None)


def shelves(models: str | Path) -> tuple[Shelf, ...]:
    """Return the models of a store, by name. Raises ModelNotFoundError where there is no store."""
    return tuple(shelf_of(Path(models) / name) for name in models_in(Path(models)))


def shelf_of(home: Path) -> Shelf:
    """Return the model in this folder."""
    versions = versions_of(home)
    candidates: tuple[str, ...] = ()
    try:
        candidates = candidates_of(home)
        current = str(select(home, None).version)
    except ForecastError as error:
        return Shelf(home, versions, None, None, error, candidates)
    return Shelf(home, versions, current, previous_version(home, current), None, candidates)


def list_version(home: Path, version: str) -> Listed:
    """Return what a version's manifest and plan say, checked; the other files are left alone."""
    folder = home / VERSIONS / version
    try:
        manifest = read_manifest(folder)
        if manifest.version != version:
            raise damaged(folder / MANIFEST, f"is that of the version {manifest.version}")
        outline = _parsed(folder, manifest, PLAN, read_outline)
        skill = skill_of(folder, manifest)
    except ForecastError as error:
        return Listed(version, problem=error.message)
    return Listed(version, manifest.bytes, outline, skill)


def skill_of(folder: Path, manifest: Manifest) -> float | None:
    """Return the skill against seasonal naive that metrics.json tells of; None where there is none. BundleError."""
    return _parsed(folder, manifest, METRICS, _skill) if METRICS in manifest.files else None


def _parsed(folder: Path, manifest: Manifest, name: str, parse: Callable[[bytes], Part]) -> Part:
    """Return what a file says; BundleError where it says nothing that it could."""
    content = read_listed(folder, manifest, name)
    try:
        return parse(content)
    except ValueError as error:
        raise damaged(folder / name, str(error)) from None


def _skill(content: bytes) -> float | None:
    found = records.parse(content)
    for key in ("scores", "model", "skill"):
        found = found.get(key) if isinstance(found, dict) else None
    return float(found) if isinstance(found, int | float) else None
