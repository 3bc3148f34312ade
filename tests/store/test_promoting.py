"""Promoting and rolling back: CURRENT names the old version or the new one, and never one that does not load."""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from forecast import store
from forecast.errors import BundleError, LockedError, ModelNotFoundError, OutputError, UsageError
from forecast.store.manifest import MEND


@pytest.fixture
def versions(shelf: Any, at: Any) -> list[str]:
    """Publish three versions of the model `sales`; return their names, oldest first."""
    return [shelf.publish(now=at(2026, 1, day)).version for day in (1, 2, 3)]


def test_a_promoted_version_is_the_current_one(shelf: Any, versions: list[str]) -> None:
    promoted = shelf.promote(f"sales@{versions[0]}")
    assert (promoted.loaded.version, promoted.before) == (versions[0], versions[2])
    assert shelf.load().version == versions[0]


def test_a_rollback_goes_one_version_back_each_time(shelf: Any, versions: list[str]) -> None:
    assert [shelf.roll_back().loaded.version for _ in range(2)] == [versions[1], versions[0]]
    assert shelf.load().version == versions[0]


def test_the_oldest_version_cannot_be_rolled_back(shelf: Any, versions: list[str]) -> None:
    shelf.promote(f"sales@{versions[0]}")
    with pytest.raises(ModelNotFoundError, match=r"^the model 'sales' has no version before the current one; it has "):
        shelf.roll_back()


def test_a_model_is_promoted_by_its_path_as_well(shelf: Any, versions: list[str]) -> None:
    shelf.promote(f"{shelf.models / 'sales'}@previous")
    assert shelf.load().version == versions[1]


def test_what_is_current_already_stays_so(shelf: Any, versions: list[str]) -> None:
    pointer = shelf.models / "sales" / "CURRENT"
    before = pointer.stat().st_ino
    promoted = shelf.promote(f"sales@{versions[2]}")
    assert (promoted.before, pointer.stat().st_ino) == (versions[2], before)


@pytest.mark.parametrize("pointer", [b"nonsense", b"20260101T000000Z-00000000\n", None])
def test_promoting_mends_a_pointer_to_nothing(shelf: Any, versions: list[str], pointer: bytes | None) -> None:
    path = shelf.models / "sales" / "CURRENT"
    path.unlink()
    if pointer:
        path.write_bytes(pointer)
    shelf.promote(f"sales@{versions[1]}")
    assert shelf.load().version == versions[1]


def test_promoting_needs_a_version(shelf: Any, versions: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        shelf.promote("sales")
    assert str(caught.value) == (
        "'sales' names no version.\nName it as sales@VERSION; 'forecast models list sales' prints those that there are."
    )


def test_a_rollback_takes_no_version(shelf: Any, versions: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        shelf.roll_back("sales@previous")
    assert str(caught.value) == (
        "'sales@previous' names a version, and a rollback goes to the one before the current one.\n"
        "Name the model alone, or run 'forecast models promote sales@previous'."
    )


@pytest.mark.parametrize("name", ["weights.safetensors", "predictions.csv"])
def test_a_damaged_version_is_not_promoted(shelf: Any, versions: list[str], name: str) -> None:
    path = shelf.models / "sales" / "versions" / versions[0] / name
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(BundleError) as caught:
        shelf.promote(f"sales@{versions[0]}")
    assert str(caught.value) == f"{path} does not have the sha256 of the manifest.\n{MEND}"
    assert shelf.load().version == versions[2]


def test_a_version_that_fails_the_check_is_not_promoted(shelf: Any, versions: list[str]) -> None:
    def check(loaded: store.Loaded) -> None:
        raise BundleError(f"{loaded.version} forecasts otherwise.")

    with pytest.raises(BundleError, match=f"^{versions[0]} forecasts otherwise.$"):
        shelf.promote(f"sales@{versions[0]}", check)
    assert shelf.load().version == versions[2]


def test_promoting_waits_for_nobody(shelf: Any, versions: list[str]) -> None:
    with store.locked(shelf.models / "sales", "publish"), pytest.raises(LockedError):
        shelf.promote(f"sales@{versions[0]}")
    assert shelf.load().version == versions[2]


@pytest.mark.parametrize("step", ["open", "write", "fsync", "replace"])
def test_a_fault_at_any_step_leaves_the_old_version_current(
    shelf: Any, versions: list[str], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    real, calls = getattr(os, step), 0

    for number in range(1, 40):
        calls = 0

        def fail(*arguments: Any, number: int = number, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            # Reading is no fault of the disk: what is opened to be read is not counted.
            if step == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR):
                calls -= 1
            elif calls == number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*arguments, **options)

        with monkeypatch.context() as patched:
            patched.setattr(os, step, fail)
            with suppress(OutputError):
                shelf.promote(f"sales@{versions[0]}")
        if calls < number:
            break
        assert shelf.load().version == versions[2]
        assert shelf.left_over() == []
    assert number > 1
    assert shelf.load().version == versions[0]


def test_a_full_disk_is_named_with_what_stays(shelf: Any, versions: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError) as caught:
        shelf.promote(f"sales@{versions[0]}")
    assert str(caught.value) == (
        f"{shelf.models / 'sales'}: the version {versions[0]} cannot be promoted, sales@{versions[2]} stays current: "
        "the disk is full.\nFree some space, then run again."
    )


def test_a_version_that_is_not_there_leaves_no_lock_behind(shelf: Any, versions: list[str]) -> None:
    lock = shelf.models / "sales" / ".lock"
    lock.unlink()
    with pytest.raises(ModelNotFoundError):
        shelf.promote("sales@20260101T000000Z-00000000")
    assert not lock.exists()


def test_a_reader_of_the_old_version_is_not_disturbed(shelf: Any, versions: list[str]) -> None:
    loaded = shelf.load()
    shelf.promote(f"sales@{versions[0]}")
    assert store.read_file(loaded, "golden.json") == (loaded.path / "golden.json").read_bytes()
    assert Path(loaded.path).name == versions[2]


def test_a_candidate_is_no_previous_version_until_it_was_current(shelf: Any, at: Any) -> None:
    one, candidate, two = (shelf.publish(now=at(2026, 1, day), candidate=day == 2).version for day in (1, 2, 3))
    assert store.shelf_of(shelf.models / "sales").previous == one
    assert [store.shelf_of(shelf.models / "sales").role(name) for name in (one, candidate, two)] == [
        *("previous", "candidate", "current"),
    ]
    shelf.promote(f"sales@{candidate}")
    assert store.shelf_of(shelf.models / "sales").role(candidate) == "current"
    shelf.promote(f"sales@{two}")
    assert store.shelf_of(shelf.models / "sales").previous == candidate
    assert shelf.roll_back().loaded.version == candidate
