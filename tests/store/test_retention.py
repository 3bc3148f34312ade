"""What is removed, and what never is."""

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from forecast import store
from forecast.errors import BundleError, LockedError, OutputError
from forecast.store import publishing


@pytest.fixture
def old(shelf: Any, at: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Publish six old versions, of which none was removed; return their names, oldest first."""
    with monkeypatch.context() as patched:
        patched.setattr(publishing, "tidy", lambda home: None)
        return [shelf.publish(now=at(2020, 1, day)).version for day in range(1, 7)]


def test_the_newest_three_stay(shelf: Any, old: list[str]) -> None:
    home = shelf.models / "sales"
    assert store.prune(home) == tuple(old[:3])
    assert list(store.versions_of(home)) == old[3:]
    assert shelf.left_over() == []
    assert shelf.load().version == old[-1]


def test_the_current_version_and_the_one_before_it_stay(shelf: Any, old: list[str]) -> None:
    shelf.promote(f"sales@{old[1]}")
    assert store.prune(shelf.models / "sales") == (old[2],)
    assert shelf.roll_back().loaded.version == old[0]


def test_what_is_younger_than_a_day_stays(shelf: Any) -> None:
    now = datetime.now(UTC)
    ages = [timedelta(hours=hours) for hours in (23, 3, 2, 1, 0)]
    published = [shelf.publish(now=now - age).version for age in ages]
    assert store.superseded(shelf.models / "sales") == ()
    assert list(store.versions_of(shelf.models / "sales")) == published


def test_what_would_go_is_told_without_a_change(shelf: Any, old: list[str]) -> None:
    assert store.superseded(shelf.models / "sales") == tuple(old[:3])
    assert list(store.versions_of(shelf.models / "sales")) == old


def test_nothing_goes_while_nobody_knows_what_is_current(shelf: Any, old: list[str]) -> None:
    (shelf.models / "sales" / "CURRENT").write_text("nonsense")
    with pytest.raises(BundleError):
        store.prune(shelf.models / "sales")
    assert list(store.versions_of(shelf.models / "sales")) == old


def test_nothing_goes_while_another_run_changes_the_model(shelf: Any, old: list[str]) -> None:
    with store.locked(shelf.models / "sales", "publish"), pytest.raises(LockedError):
        store.prune(shelf.models / "sales")
    assert list(store.versions_of(shelf.models / "sales")) == old


def test_a_version_that_cannot_be_removed_is_named(shelf: Any, old: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "rename", fail)
    path: Path = shelf.models / "sales" / "versions" / old[0]
    with pytest.raises(OutputError) as caught:
        store.prune(shelf.models / "sales")
    assert str(caught.value) == (
        f"{path}: the version cannot be removed: the file system is read-only.\nChoose a place that can be written."
    )
    assert list(store.versions_of(shelf.models / "sales")) == old


def test_candidates_do_not_push_out_what_was_current(shelf: Any, at: Any) -> None:
    real = [shelf.publish(now=at(2020, 1, day)).version for day in (1, 2, 3)]
    candidates = [shelf.publish(now=at(2020, 2, day), candidate=True).version for day in (1, 2, 3, 4)]
    assert list(store.versions_of(shelf.models / "sales")) == [*real, candidates[-1]]
    assert (shelf.models / "sales" / "CANDIDATES").read_text().split()[-1] == candidates[-1]


def test_candidates_without_any_current_version_do_not_pile_up(shelf: Any, at: Any) -> None:
    candidates = [shelf.publish(now=at(2020, 1, day), candidate=True).version for day in (1, 2, 3)]
    assert list(store.versions_of(shelf.models / "sales")) == candidates[-1:]


def test_a_lost_pointer_beside_versions_that_were_current_removes_nothing(shelf: Any, at: Any, old: list[str]) -> None:
    (shelf.models / "sales" / "CURRENT").unlink()
    shelf.publish(now=at(2020, 2, 1), candidate=True)
    shelf.publish(now=at(2020, 2, 2), candidate=True)
    assert len(store.versions_of(shelf.models / "sales")) == 8
