"""`forecast models`: what is in the store, whether it is whole, and which version counts."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from forecast.commands.export import export
from forecast.commands.help import Command
from forecast.commands.locking import locking
from forecast.commands.speaking import speaker
from forecast.commands.spread import spread
from forecast.errors import BundleError, UsageError
from forecast.options import RUN, CommonOptions, LockOptions

if TYPE_CHECKING:
    from forecast.store import Listed, Loaded, Promoted, Shelf

models = typer.Typer(rich_markup_mode=None, help="See, check and choose what is in the store of trained models.")


def list_models(
    common: CommonOptions,
    model: Annotated[
        str | None, Argument(metavar="MODEL", help="List the versions of this model. Default: all models.")
    ] = None,
) -> None:
    """List the models, or the versions of one.

    Manifests and plans alone are read; 'forecast models verify' checks everything.
    """
    from forecast import store
    from forecast.report.models import models_text, versions_text

    if model is None:
        found = [_row_of_model(shelf) for shelf in store.shelves(common.models)]
        return _report(common, models_text(found), {"models": found})
    home, selector = store.find_home(Path(common.models), model)
    if selector is not None:
        raise UsageError(f"{model!r} names one version.\nRun 'forecast models show {model}', or name the model alone.")
    shelf = store.shelf_of(home)
    versions = [_row_of_version(shelf, store.list_version(home, version)) for version in shelf.versions]
    return _report(common, versions_text(versions), {"model": shelf.name, "listed": versions})


def show(
    common: CommonOptions,
    model: Annotated[
        str | None,
        Argument(metavar="MODEL", help="A name, NAME@VERSION, or a path. Default: the only model there is."),
    ] = None,
) -> None:
    """Show what a version is and was trained on."""
    from forecast import store
    from forecast.report.models import model_text

    loaded = store.load(common.models, model, context=False)
    document = _document(loaded)
    _report(common, model_text(document), document)


def verify(
    common: CommonOptions,
    model: Annotated[
        str | None,
        Argument(metavar="MODEL", help="A name, NAME@VERSION, or a path. Default: every version of every model."),
    ] = None,
) -> None:
    """Check every file, and forecast again.

    For after a copy, an upgrade or a bad night: size and checksum of every file, then the golden forecast that a
    version carries, made anew and compared to 1e-5 of the scale of each series. Exit code 14 where anything differs.
    """
    from forecast.report.models import verified_text

    results, errors = [], []
    for name, load in _to_verify(common.models, model):
        try:
            results.append(_verified(load()))
        except BundleError as error:
            results.append({"model": name, "files": None, "replayed": None, "problem": error.message})
            errors.append(error)
    _report(common, verified_text(results), {"verified": results}, BundleError.exit_code if errors else 0)
    if len(errors) > 1:
        found = f"{len(errors)} of {len(results)} versions are damaged"
        raise BundleError(f"{found}; the first: {errors[0].message}\n{errors[0].hint}")
    if errors:
        raise errors[0]


def promote(
    common: CommonOptions,
    lock: LockOptions,
    model: Annotated[str, Argument(metavar="NAME@VERSION", help="The version, as 'forecast models list NAME' has it.")],
) -> None:
    """Make a version the current one.

    It is checked first, as 'forecast models verify' does, and what fails is not promoted. A run that predicts at that
    moment ends with the version it began with.
    """
    from forecast import golden, store

    held = locking(lock, speaker(common))
    _promoted(common, store.promote(common.models, model, golden.verify, locking=held))


def rollback(
    common: CommonOptions,
    lock: LockOptions,
    model: Annotated[str, Argument(metavar="NAME", help="The model.")],
) -> None:
    """Go back to the version before.

    The same as 'forecast models promote NAME@previous': the newest version that is older than the current one and was
    current once.
    """
    from forecast import golden, store

    held = locking(lock, speaker(common))
    _promoted(common, store.roll_back(common.models, model, golden.verify, locking=held))


def prune(
    common: CommonOptions,
    lock: LockOptions,
    model: Annotated[str | None, Argument(metavar="NAME", help="The model. Default: all models of the store.")] = None,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Say what would be removed, and remove nothing.", rich_help_panel=RUN)
    ] = False,
) -> None:
    """Remove old versions.

    What stays: the newest 3 versions, every one that is younger than a day, the current one and the one before it; of
    candidates, which were never current, the newest. Every training does the same after it has published.
    """
    from forecast import store

    say = speaker(common)
    held = locking(lock, say)
    names = store.models_in(Path(common.models)) if model is None else (model,)
    homes = [_home(common, name) for name in names]
    old = {home: store.superseded(home) for home in homes}  # of all, before anything is removed of one
    gone = {home: old[home] if dry_run else store.prune(home, held) for home in homes}
    found = [f"{home.name}@{version}" for home, versions in gone.items() for version in versions]
    verb = "Would remove" if dry_run else "Removed"
    for one in found or ("nothing: no version is superseded",):
        say(f"{verb} {one}")
    _record(common, {"dry_run": dry_run, "removed": found})


for command, name in ((list_models, "list"), (show, ""), (verify, ""), (promote, ""), (rollback, ""), (prune, "")):
    models.command(name or None, cls=Command)(spread(command))
models.command(cls=Command)(spread(export))


def _home(common: CommonOptions, name: str) -> Path:
    """Return the folder of a model that is named without a version."""
    from forecast import store

    home, selector = store.find_home(Path(common.models), name)
    if selector is not None:
        raise UsageError(f"{name!r} names a version.\nName the model alone.")
    return home


def _to_verify(models: str, model: str | None) -> Iterator[tuple[str, Callable[[], "Loaded"]]]:
    """Yield the name of each version to verify, and what loads it."""
    from forecast import store

    if model is not None:
        yield model, partial(store.load, models, model)
        return
    for shelf in store.shelves(models):
        # A CURRENT that names no version is damage of its own.
        names = [f"{shelf.name}@{version}" for version in shelf.versions]
        for name in names if shelf.current else [shelf.name, *names]:
            yield name, partial(store.load, models, name)


def _verified(loaded: "Loaded") -> dict[str, Any]:
    """Verify a version; return what was done."""
    from forecast import golden

    replayed = golden.verify(loaded)
    return {"model": loaded.model, "files": len(loaded.manifest.files), "replayed": replayed, "problem": None}


def _promoted(common: CommonOptions, promoted: "Promoted") -> None:
    """Say which version is current now, and how to go back."""
    loaded, before, say = promoted.loaded, promoted.before, speaker(common)
    if before == loaded.version:
        say(f"{loaded.model} is the current version already.")
    else:
        say(f"{loaded.model} is the current version now" + (f"; it was {before}." if before else "."))
    _record(common, {"model": loaded.model, "before": before, "sha256": loaded.sha256})


def _row_of_model(shelf: "Shelf") -> dict[str, Any]:
    """Return what the list says of a model."""
    from forecast import store

    found = store.list_version(shelf.home, shelf.current) if shelf.current else None
    problem = shelf.error.message if shelf.error else found.problem if found else None
    return {
        "name": shelf.name,
        "version": shelf.current,
        "previous": shelf.previous,
        "versions": len(shelf.versions),
        **_facts(found),
        "problem": problem,
    }


def _row_of_version(shelf: "Shelf", found: "Listed") -> dict[str, Any]:
    """Return what the list of a model says of a version."""
    last = found.outline.source.get("last") if found.outline else None
    return {
        "version": found.version,
        "role": shelf.role(found.version),
        **_facts(found),
        "last": last,
        "problem": found.problem,
    }


def _facts(found: "Listed | None") -> dict[str, Any]:
    """Return what both lists say of a version; None for what is not known."""
    outline = found.outline if found else None
    return {
        "series": outline.series if outline else None,
        "horizon": outline.plan.horizon if outline else None,
        "frequency": outline.calendar.freq if outline else None,
        "skill": found.skill if found else None,
        "bytes": found.bytes if found else None,
    }


def _document(loaded: "Loaded") -> dict[str, Any]:
    """Return what there is to say of a version as plain values."""
    from forecast import store
    from forecast.options import as_record

    trained, manifest, made = loaded.trained, loaded.manifest, store.time_of(loaded.version)
    parts = zip(trained.fitted, trained.weights, strict=True)
    return {
        "model": loaded.model,
        "role": store.shelf_of(loaded.path.parent.parent).role(loaded.version),
        "path": str(loaded.path),
        "sha256": loaded.sha256,
        "published": f"{made:%Y-%m-%dT%H:%M:%SZ}" if made else None,
        "tools": dict(manifest.tools),
        "source": trained.source,
        "series": len(trained.ids),
        "frequency": trained.calendar.freq,
        "forecasters": [{"kind": str(one.kind), "weight": weight} for one, weight in parts],
        "skill": store.skill_of(loaded.path, manifest),
        "plan": as_record(trained.plan),
        "read": as_record(trained.read),
        "context": "context.safetensors" in manifest.files,
        "bytes": manifest.bytes,
        "files": {name: {"bytes": one.bytes, "sha256": one.sha256} for name, one in manifest.files.items()},
    }


def _report(common: CommonOptions, text: str, parts: dict[str, Any], exit_code: int = 0) -> None:
    """Print a report, as text or as JSON."""
    from forecast.commands.outputs import put

    _record(common, parts, exit_code)
    if not common.json and not common.quiet:
        put("-", text.encode("utf-8", "surrogateescape"))


def _record(common: CommonOptions, parts: dict[str, Any], exit_code: int = 0) -> None:
    """Print the run record where JSON was asked for."""
    from forecast.commands import record
    from forecast.commands.outputs import put

    if common.json:
        put("-", record.as_json(record.finished(record.begin(), record.PREDICTING, parts, exit_code)))
