"""What a user calls a model, and which version that is."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from forecast import store
from forecast.errors import BundleError, ModelNotFoundError, UsageError
from forecast.store.manifest import MEND


@pytest.fixture
def versions(shelf: Any, at: Any) -> list[str]:
    """Publish three versions of the model `sales`; return their names, oldest first."""
    return [shelf.publish(now=at(2026, 1, day)).version for day in (1, 2, 3)]


def found(shelf: Any, name: str | None) -> tuple[str, str]:
    """Return model and version folder that a name stands for."""
    place = store.find(shelf.models, name)
    return place.name, place.folder.name


def refusal(shelf: Any, name: str | None, kind: type[Exception] = ModelNotFoundError) -> str:
    """Return the message with which a name is refused."""
    with pytest.raises(kind) as caught:
        store.find(shelf.models, name)
    return str(caught.value)


def test_a_name_stands_for_its_current_version(shelf: Any, versions: list[str]) -> None:
    assert found(shelf, "sales") == ("sales", versions[2])


def test_a_version_can_be_named(shelf: Any, versions: list[str]) -> None:
    assert found(shelf, f"sales@{versions[0]}") == ("sales", versions[0])


def test_previous_is_the_version_before_the_current_one(shelf: Any, versions: list[str]) -> None:
    (shelf.models / "sales" / "CURRENT").write_text(versions[1])
    assert found(shelf, "sales@previous") == ("sales", versions[0])


def test_a_pointer_that_was_written_by_hand_counts(shelf: Any, versions: list[str]) -> None:
    (shelf.models / "sales" / "CURRENT").write_text(f"{versions[0]}\n")
    assert found(shelf, "sales") == ("sales", versions[0])


def test_a_path_leads_to_a_model(shelf: Any, versions: list[str]) -> None:
    assert found(shelf, f"{shelf.models}/sales/") == ("sales", versions[2])


def test_a_path_takes_a_version_too(shelf: Any, versions: list[str]) -> None:
    assert found(shelf, f"{shelf.models}/sales@previous") == ("sales", versions[1])


def test_a_path_leads_to_a_version(shelf: Any, versions: list[str]) -> None:
    assert found(shelf, f"{shelf.models}/sales/versions/{versions[0]}") == ("sales", versions[0])


def test_a_dot_is_a_path(shelf: Any, versions: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shelf.models / "sales")
    assert found(shelf, ".") == ("sales", versions[2])


def test_without_a_name_the_only_model_is_meant(shelf: Any, versions: list[str]) -> None:
    assert found(shelf, None) == ("sales", versions[2])


def test_a_reference_model_does_not_count_beside_another(shelf: Any, versions: list[str]) -> None:
    shelf.publish("reference-1")
    assert found(shelf, None) == ("sales", versions[2])


def test_a_reference_model_counts_where_there_is_no_other(shelf: Any) -> None:
    version = shelf.publish("reference-1").version
    assert found(shelf, None) == ("reference-1", version)


def test_other_things_in_the_store_are_no_models(shelf: Any, versions: list[str]) -> None:
    (shelf.models / "README.md").write_text("")
    (shelf.models / "notes").mkdir()
    (shelf.models / ".git").mkdir()
    assert store.models_in(shelf.models) == ("sales",)


def test_several_models_are_listed(shelf: Any, versions: list[str]) -> None:
    shelf.publish("costs")
    assert refusal(shelf, None, UsageError) == (
        f"the store {str(shelf.models)!r} holds several models: costs, sales.\nName one with -m."
    )


def test_an_unknown_model_is_answered_with_those_there_are(shelf: Any, versions: list[str]) -> None:
    assert refusal(shelf, "sale") == (
        f"the store {str(shelf.models)!r} holds no model 'sale'; it holds sales.\n"
        "Name one of these, train it first, or give a path with a '/' in it."
    )


@pytest.mark.parametrize("name", ["sale", "reference-1"])
def test_an_empty_store_says_so(shelf: Any, name: str) -> None:
    shelf.models.mkdir()
    assert refusal(shelf, name) == (
        f"the store {str(shelf.models)!r} holds no model {name!r}, nor any other.\n"
        "Train it first (forecast train DATA), or name its folder with --models."
    )


def test_nothing_to_choose_from_says_so(shelf: Any) -> None:
    shelf.models.mkdir()
    assert refusal(shelf, None) == (
        f"the store {str(shelf.models)!r} holds no model.\n"
        "Train one first (forecast train DATA), or name its folder with --models."
    )


@pytest.mark.parametrize("name", [None, "sales"])
def test_a_missing_store_says_so(shelf: Any, name: str | None) -> None:
    assert refusal(shelf, name) == (
        f"there is no store {str(shelf.models)!r}.\n"
        "Train a model first (forecast train DATA), or name its folder with --models."
    )


def test_a_store_that_may_not_be_read_says_so(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    assert refusal(shelf, "sales") == (
        f"the store {str(shelf.models)!r} cannot be read: permission denied.\nName a readable folder with --models."
    )


def test_a_name_that_is_none_is_refused(shelf: Any, versions: list[str]) -> None:
    assert refusal(shelf, "sa les", UsageError) == (
        "'sa les' is no name for a model.\n"
        "Use letters, digits, '.', '_' and '-', at most 100 bytes, the first one a letter, a digit or '_'."
    )


@pytest.mark.parametrize("version", ["20200101T000000Z-00000000", "..", "CURRENT"])
def test_an_unknown_version_is_answered_with_those_there_are(shelf: Any, versions: list[str], version: str) -> None:
    assert refusal(shelf, f"sales@{version}") == (
        f"the model 'sales' has no version {version!r}; it has {', '.join(versions)}.\n"
        "Name one of these as sales@VERSION, or train again."
    )


def test_the_oldest_version_has_none_before_it(shelf: Any, versions: list[str]) -> None:
    (shelf.models / "sales" / "CURRENT").write_text(versions[0])
    assert refusal(shelf, "sales@previous") == (
        f"the model 'sales' has no version before the current one; it has {', '.join(versions)}.\n"
        "Name one of these as sales@VERSION, or train again."
    )


def test_a_model_without_pointer_says_so(shelf: Any, versions: list[str]) -> None:
    (shelf.models / "sales" / "CURRENT").unlink()
    assert refusal(shelf, "sales") == (
        f"the model 'sales' has no current version; it has {', '.join(versions)}.\n"
        "Name one of these as sales@VERSION, or train again."
    )


def test_a_pointer_to_nothing_is_a_broken_bundle(shelf: Any, versions: list[str]) -> None:
    pointer = shelf.models / "sales" / "CURRENT"
    pointer.write_text("20200101T000000Z-00000000\n")
    assert refusal(shelf, "sales", BundleError) == (
        f"{pointer} names the version 20200101T000000Z-00000000, which is not there.\n"
        f"Choose a version with 'forecast models promote sales@VERSION' (there are {', '.join(versions)}), "
        "or train again."
    )


@pytest.mark.parametrize("text", ["", "../../etc", "20200101T000000Z-00000000\n\n", "versions"])
def test_a_pointer_that_holds_no_version_is_a_broken_bundle(shelf: Any, versions: list[str], text: str) -> None:
    pointer = shelf.models / "sales" / "CURRENT"
    pointer.write_text(text)
    assert refusal(shelf, "sales", BundleError) == (
        f"{pointer} holds {text.removesuffix(chr(10))!r}, which is no name of a version.\n"
        f"Choose a version with 'forecast models promote sales@VERSION' (there are {', '.join(versions)}), "
        "or train again."
    )


def test_a_pointer_that_is_a_link_is_a_broken_bundle(shelf: Any, versions: list[str], tmp_path: Path) -> None:
    pointer = shelf.models / "sales" / "CURRENT"
    pointer.rename(tmp_path / "CURRENT")
    pointer.symlink_to(tmp_path / "CURRENT")
    assert refusal(shelf, "sales", BundleError) == f"{pointer} is a link.\n{MEND}"


def test_a_path_to_nothing_says_so(shelf: Any) -> None:
    assert refusal(shelf, "./nothing") == (
        "./nothing: there is no such folder.\nName a folder that `forecast train` has made."
    )


def test_a_folder_without_a_model_says_so(shelf: Any, tmp_path: Path) -> None:
    assert refusal(shelf, f"{tmp_path}/") == (
        f"{tmp_path}/: the folder holds no model.\nName a folder with a file CURRENT or manifest.json in it."
    )
