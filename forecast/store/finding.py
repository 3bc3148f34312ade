"""From what a user calls a model to the version folder: a name, NAME@VERSION, NAME@previous, a path, or nothing."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from forecast.errors import BundleError, ModelNotFoundError, UsageError
from forecast.store.manifest import MEND, MIB, damaged, read_regular, unreadable
from forecast.store.names import CANDIDATES, CURRENT, MANIFEST, REFERENCE, VERSIONS, check_name, is_version

PREVIOUS = "previous"
_LONGEST_POINTER = 64  # bytes


@dataclass(frozen=True)
class Place:
    """A version that was chosen: the model's name, the version folder, and the version it must be (None: any)."""

    name: str
    folder: Path
    version: str | None


def find(models: Path, model: str | None = None) -> Place:
    """Return the version that `model` stands for; None stands for the only model of the store.

    Models named reference-* count only where there is no other. Raises UsageError where there are several,
    ModelNotFoundError, with what there is, for a model or version that is not there, BundleError for a broken CURRENT.
    """
    if model is None:
        return select(models / _only_model(models), None)
    folder, selector = _folder(models, model)
    if not _is_path(model) or _is_home(folder):
        return select(folder, selector)
    if selector is not None or not os.path.lexists(folder / MANIFEST):
        raise _no_model(model)
    if folder.parent.name == VERSIONS:
        return Place(folder.parent.parent.name, folder, folder.name)
    return Place(folder.name, folder, None)


def find_home(models: Path, model: str | None) -> tuple[Path, str | None]:
    """Return the folder of a model, and what stands behind the @: a version, previous, or None for nothing.

    None for a model is the only one of the store. Raises ModelNotFoundError for a model that is not there, UsageError
    where there are several. Whether the version is there, `select` says.
    """
    if model is None:
        return models / _only_model(models), None
    folder, selector = _folder(models, model)
    if not _is_home(folder):
        raise _no_model(model)
    return folder, selector


def models_in(models: Path) -> tuple[str, ...]:
    """Return the names of the store's models, sorted; ModelNotFoundError where there is no store to look into."""
    try:
        with os.scandir(models) as found:
            return tuple(sorted(one.name for one in found if _is_model(one)))
    except FileNotFoundError:
        raise ModelNotFoundError(
            f"there is no store {str(models)!r}.\n"
            "Train a model first (forecast train DATA), or name its folder with --models."
        ) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ModelNotFoundError(
            f"the store {str(models)!r} cannot be read: {reason}.\nName a readable folder with --models."
        ) from None


def versions_of(home: Path) -> tuple[str, ...]:
    """Return the versions in a model's folder, oldest first; none where it cannot be read."""
    try:
        with os.scandir(home / VERSIONS) as found:
            return tuple(
                sorted(one.name for one in found if is_version(one.name) and one.is_dir(follow_symlinks=False))
            )
    except OSError:
        return ()


def current_version(home: Path) -> str:
    """Return the version that CURRENT names, whether or not it is there.

    Raises ModelNotFoundError where there is no CURRENT, BundleError where it holds anything but a version's name.
    """
    pointer = home / CURRENT
    if not os.path.lexists(pointer):
        raise ModelNotFoundError(f"the model {home.name!r} has no current version{_listed_versions(home)}")
    text = read_regular(pointer, _LONGEST_POINTER).decode("ascii", "replace").removesuffix("\n")
    if not is_version(text):
        raise BundleError(f"{pointer} holds {text[:40]!r}, which is no name of a version.\n{_mend_pointer(home)}")
    return text


def candidates_of(home: Path) -> tuple[str, ...]:
    """Return the versions that were published without being promoted, and never were since, oldest first.

    Nobody's forecast came from them: they are no previous version. BundleError where the list of them is no file.
    """
    place = home / CANDIDATES
    text = read_regular(place, MIB).decode("ascii", "replace") if os.path.lexists(place) else ""
    noted = set(text.split())
    return tuple(version for version in versions_of(home) if version in noted)


def previous_version(home: Path, version: str) -> str | None:
    """Return the newest version that is older than this one and was current once; None where there is none."""
    kept = set(candidates_of(home))
    return max((one for one in versions_of(home) if one < version and one not in kept), default=None)


def select(home: Path, selector: str | None) -> Place:
    """Return a version of the model whose folder is `home`: the current one, the one before it, or a named one."""
    version = current_version(home) if selector in (None, PREVIOUS) else str(selector)
    if selector == PREVIOUS:
        older = previous_version(home, version)
        if older is None:
            raise ModelNotFoundError(
                f"the model {home.name!r} has no version before the current one{_listed_versions(home)}"
            )
        version = older
    if is_version(version) and _is_real_folder(home / VERSIONS, version):
        return Place(home.name, home / VERSIONS / version, version)
    if selector is None:
        raise BundleError(f"{home / CURRENT} names the version {version}, which is not there.\n{_mend_pointer(home)}")
    raise ModelNotFoundError(f"the model {home.name!r} has no version {version!r}{_listed_versions(home)}")


def _folder(models: Path, model: str) -> tuple[Path, str | None]:
    """Return the folder that a name or a path stands for, and what stands behind the @."""
    if _is_path(model):
        path, selector = Path(os.path.abspath(model)), None
        if not os.path.isdir(path) and "@" in path.name:
            name, _, selector = path.name.rpartition("@")
            path = path.parent / name
        if not os.path.isdir(path):
            raise ModelNotFoundError(
                f"{model}: there is no such folder.\nName a folder that `forecast train` has made."
            )
        return path, selector
    name, _, selector = model.partition("@")
    if check_name(name) not in models_in(models):
        raise ModelNotFoundError(f"the store {str(models)!r} holds no model {name!r}{_listed(models)}")
    return models / name, selector or None


def _is_path(model: str) -> bool:
    return os.sep in model or model in (os.curdir, os.pardir)


def _is_home(folder: Path) -> bool:
    return os.path.lexists(folder / CURRENT) or os.path.lexists(folder / VERSIONS)


def _no_model(model: str) -> ModelNotFoundError:
    return ModelNotFoundError(
        f"{model}: the folder holds no model.\nName a folder with a file {CURRENT} or {MANIFEST} in it."
    )


def _is_real_folder(versions: Path, version: str) -> bool:
    """Tell whether a version is there; BundleError where it, or the folder above, is a link or no folder."""
    for path in (versions, versions / version):
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise unreadable(path, error) from None
        if not stat.S_ISDIR(status.st_mode):
            raise damaged(path, "is no folder")
    return True


def _is_model(found: "os.DirEntry[str]") -> bool:
    """Tell whether an entry of the store is a model: a plain name, and in it a version or CURRENT."""
    try:
        check_name(found.name)
    except UsageError:
        return False
    return os.path.lexists(os.path.join(found.path, CURRENT)) or bool(versions_of(Path(found.path)))


def _only_model(models: Path) -> str:
    """Return the name of the only model; UsageError where there are several."""
    every = models_in(models)
    if not every:
        raise ModelNotFoundError(
            f"the store {str(models)!r} holds no model.\n"
            "Train one first (forecast train DATA), or name its folder with --models."
        )
    own = [name for name in every if not name.startswith(REFERENCE)] or list(every)
    if len(own) > 1:
        raise UsageError(f"the store {str(models)!r} holds several models: {', '.join(own)}.\nName one with -m.")
    return own[0]


def _listed(models: Path) -> str:
    """Return the end of a message that a model is not there: which there are."""
    every = models_in(models)
    if not every:
        return ", nor any other.\nTrain it first (forecast train DATA), or name its folder with --models."
    return f"; it holds {', '.join(every)}.\nName one of these, train it first, or give a path with a {os.sep!r} in it."


def _listed_versions(home: Path) -> str:
    """Return the end of a message that a version is not there: which there are."""
    every = versions_of(home)
    if not every:
        return ", nor any version at all.\nTrain it again."
    return f"; it has {', '.join(every)}.\nName one of these as {home.name}@VERSION, or train again."


def _mend_pointer(home: Path) -> str:
    """Return how to mend a pointer that leads nowhere."""
    every = versions_of(home)
    if not every:
        return MEND
    return (
        f"Choose a version with 'forecast models promote {home.name}@VERSION' (there are {', '.join(every)}), "
        "or train again."
    )
