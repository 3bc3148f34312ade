"""Loading: from a version folder to a trained model, everything checked, nothing executed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from forecast.errors import ModelNotFoundError
from forecast.store import bundle, tensors
from forecast.store.bundle import Shapes
from forecast.store.finding import Place, find
from forecast.store.manifest import LARGEST, Manifest, damaged, read_listed, read_manifest
from forecast.store.names import CONTEXT, IDS, MANIFEST, PLAN, SCALING, WEIGHTS
from forecast.store.outline import read_outline
from forecast.trained import Trained

Part = TypeVar("Part")


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model that was loaded, and where from."""

    trained: Trained
    name: str
    version: str
    path: Path  # the version folder
    sha256: str  # of the manifest, and so of the whole version
    manifest: Manifest

    @property
    def model(self) -> str:
        """NAME@VERSION, as outputs mention it."""
        return f"{self.name}@{self.version}"


def load(models: str | Path, model: str | None = None, shapes: Shapes | None = None, context: bool = True) -> Loaded:
    """Load a model: a name in the store, NAME@VERSION, NAME@previous, a path, or None for the only one.

    The manifest, plan, ids, weights and scaling are checked at every load; the context too, unless context is False,
    which leaves it out. shapes: of each forecaster's arrays, by default those that the program's forecasters have.
    Raises ModelNotFoundError, BundleError, or UsageError where None could be several.
    """
    return load_place(find(Path(models), model), shapes, context)


def load_place(place: Place, shapes: Shapes | None = None, context: bool = True) -> Loaded:
    """Load the version that was found. Raises BundleError naming the file and what is wrong with it."""
    manifest = read_manifest(place.folder)
    if place.version not in (None, manifest.version):
        raise damaged(place.folder / MANIFEST, f"is that of the version {manifest.version}")
    trained = read_version(place.folder, manifest, shapes, context)
    return Loaded(trained, place.name, manifest.version, place.folder, manifest.sha256, manifest)


def read_version(folder: Path, manifest: Manifest, shapes: Shapes | None = None, context: bool = True) -> Trained:
    """Return the model in a version folder. Raises BundleError naming the file and what is wrong with it."""
    from forecast.forecasters import registry  # here: whoever gives shapes needs no forecaster

    ours = shapes is None
    shapes = shapes or registry.shapes_of

    def read(name: str, make: Callable[[bytes], Part], most: int = LARGEST) -> Part:
        """Read one file and make of it what it stands for."""
        content = read_listed(folder, manifest, name, most)
        try:
            return make(content)
        except ValueError as error:
            raise damaged(folder / name, str(error)) from None

    outline = read(PLAN, read_outline)
    ids = read(IDS, lambda content: bundle.names_of_series(content, outline))
    for_weights, for_scaling = bundle.array_shapes(outline, shapes)
    weights = read(WEIGHTS, lambda content: bundle.weights_of(content, for_weights), tensors.size_limit(for_weights))
    scaling = read(SCALING, lambda content: bundle.scaling_of(content, for_scaling), tensors.size_limit(for_scaling))
    panel = None
    if context and CONTEXT in manifest.files:
        panel = read(CONTEXT, lambda content: bundle.context_of(content, outline, ids))
    trained = bundle.trained_of(outline, ids, weights, scaling, panel)
    for one in trained.fitted if ours else ():
        try:
            registry.check_stored(one)
        except ValueError as error:
            raise damaged(folder / SCALING, f"holds what {one.kind} cannot have: {error}") from None
    return trained


def read_file(loaded: Loaded, name: str) -> bytes:
    """Return the content of a file of a loaded version, checked. ModelNotFoundError where the version has none such."""
    if name not in loaded.manifest.files:
        raise ModelNotFoundError(
            f"{loaded.model} holds no {name!r}; it holds {', '.join(sorted(loaded.manifest.files))}.\n"
            "Name one of these."
        )
    return read_listed(loaded.path, loaded.manifest, name)


def verify(loaded: Loaded) -> None:
    """Check every file of a loaded version, also those that loading leaves alone. Raises BundleError."""
    for name in loaded.manifest.files:
        read_listed(loaded.path, loaded.manifest, name)
