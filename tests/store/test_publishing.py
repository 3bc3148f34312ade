"""Publishing: a whole new version, or the old one as it was and nothing else."""

import errno
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast import store
from forecast.errors import BundleError, ModelNotFoundError, OutputError, UsageError
from forecast.forecasters.fitted import Fitted, Kind
from forecast.store import publishing
from forecast.store.names import new_version
from forecast.trained import Trained

STEPS = ["mkdir", "open", "write", "fsync", "rename", "replace"]
FULL = errno.ENOSPC
CORE = ["context.safetensors", "ids.json", "manifest.json", "manifest.sha256", "plan.json"]
CORE += ["scaling.safetensors", "weights.safetensors"]


class Fault:
    """A function of `os` that fails at its n-th call, or from it on; it counts the calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: str, number: int, lasting: bool = False) -> None:
        self.real: Callable[..., Any] = getattr(os, step)
        self.number, self.lasting, self.calls = number, lasting, 0
        monkeypatch.setattr(os, step, self)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.calls += 1
        if self.calls == self.number or (self.lasting and self.calls > self.number):
            raise OSError(FULL, os.strerror(FULL))
        return self.real(*arguments, **options)


def each_fault(step: str, publish: Callable[[], Any], lasting: bool) -> Any:
    """Yield after each failed publish, with the fault at the first call, the second, ..., until one passes."""
    for number in range(1, 200):
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(publishing, "tidy", lambda home: None)  # its failures are none
            fault = Fault(monkeypatch, step, number, lasting)
            try:
                publish()
            except (OutputError, BundleError) as error:  # 14 where the old pointer cannot be read
                failed = error
            else:
                assert fault.calls < number
                assert number > 1, f"publishing never called os.{step}"
                return
        yield failed
    pytest.fail(f"publishing calls os.{step} without end")


def tree(folder: Path) -> list[str]:
    """Return every path in a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# A process that cannot open anything any more cannot look into the folders that it should remove.
@pytest.mark.parametrize(
    ("step", "lasting"), [*((step, False) for step in STEPS), *((step, True) for step in STEPS if step != "open")]
)
def test_a_fault_at_any_step_leaves_the_store_as_it_was(shelf: Any, step: str, lasting: bool) -> None:
    old = shelf.publish()
    before = tree(shelf.models)
    for _ in each_fault(step, shelf.publish, lasting):
        assert tree(shelf.models) == before
        assert shelf.load().version == old.version


@pytest.mark.parametrize("step", STEPS)
def test_a_fault_while_publishing_the_first_version_leaves_no_model(shelf: Any, step: str) -> None:
    shelf.models.mkdir()
    for _ in each_fault(step, shelf.publish, lasting=False):
        assert tree(shelf.models) == []


def test_a_full_disk_is_named_with_what_stays(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    old = shelf.publish()
    Fault(monkeypatch, "fsync", 1)
    with pytest.raises(OutputError) as caught:
        shelf.publish()
    assert str(caught.value) == (
        f"{shelf.models / 'sales'}: the model cannot be published, {old.model} stays current: the disk is full.\n"
        "Free some space, then run again."
    )


def test_a_full_disk_at_the_first_version_says_that_there_is_none(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Fault(monkeypatch, "rename", 1)
    with pytest.raises(OutputError) as caught:
        shelf.publish()
    assert str(caught.value) == (
        f"{shelf.models / 'sales'}: the model cannot be published, it has no current version: the disk is full.\n"
        "Free some space, then run again."
    )


def test_a_version_that_the_disk_keeps_against_our_will_is_whole(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.publish()
    real, synced = os.fsync, []

    def fail_behind_the_pointer(number: int) -> None:
        synced.append(number)
        if len(synced) >= 13:  # 9 files, 2 folders and the pointer before it
            monkeypatch.setattr(os, "replace", Fault(monkeypatch, "replace", 1, lasting=True))
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(number)

    monkeypatch.setattr(os, "fsync", fail_behind_the_pointer)
    with pytest.raises(OutputError) as caught:
        shelf.publish()
    version = shelf.load().model
    assert str(caught.value) == (
        f"{shelf.models / 'sales'}: {version} is current, but the disk has not confirmed it: "
        "the disk reports an error.\nCheck the disk, then run again."
    )


@pytest.mark.parametrize("step", ["write", "fsync", "rename", "replace"])
def test_a_signal_at_any_step_leaves_the_store_as_it_was(
    shelf: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    shelf.publish()
    before, real = tree(shelf.models), getattr(os, step)

    def interrupt(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(os, step, real)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, step, interrupt)
    with pytest.raises(KeyboardInterrupt):
        shelf.publish()
    assert tree(shelf.models) == before


def test_a_version_holds_its_files_and_the_pointer_names_it(shelf: Any) -> None:
    published = shelf.publish()
    home = shelf.models / "sales"
    files = sorted([*CORE, "golden.json", "predictions.csv"])
    expected = [".lock", "CURRENT", "versions", f"versions/{published.version}"]
    assert tree(home) == sorted([*expected, *(f"versions/{published.version}/{name}" for name in files)])
    assert (home / "CURRENT").read_text() == f"{published.version}\n"
    assert published.path == home / "versions" / published.version


def test_the_files_beside_the_model_are_told_its_name(shelf: Any) -> None:
    published = shelf.publish(files=lambda model: {"run.json": model.encode()})
    assert (published.path / "run.json").read_text() == published.model


def test_nobody_else_may_read_a_version(shelf: Any) -> None:
    before = os.umask(0)
    try:
        path = shelf.publish().path
    finally:
        os.umask(before)
    folders = [path.parent.parent, path.parent, path]
    assert {oct(folder.stat().st_mode & 0o777) for folder in folders} == {"0o750"}
    assert {oct(file.stat().st_mode & 0o777) for file in path.iterdir()} == {"0o640"}


def test_a_stricter_umask_holds(shelf: Any) -> None:
    before = os.umask(0o077)
    try:
        path = shelf.publish().path
    finally:
        os.umask(before)
    assert {oct(one.stat().st_mode & 0o777) for one in (path, path / "plan.json")} == {"0o700", "0o600"}


def test_equal_models_give_equal_bytes(shelf: Any, at: Any) -> None:
    one, other = (shelf.publish(name, now=at(2026, 1, 1)) for name in ("one", "other"))
    assert {file.name: file.read_bytes() for file in one.path.iterdir()} == {
        file.name: file.read_bytes() for file in other.path.iterdir()
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_store_that_cannot_be_written_is_refused_before_training(tmp_path: Path) -> None:
    store.check_home(tmp_path / "not" / "there", "sales")
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="nothing can be written there"):
        store.check_home(tmp_path / "not" / "there", "sales")


def test_a_version_is_never_written_over(shelf: Any, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    published = shelf.publish(now=at(2026, 1, 1))
    monkeypatch.setattr(publishing, "versions_of", lambda _: ())  # another run was faster by a moment
    with pytest.raises(OutputError) as caught:
        shelf.publish(now=at(2026, 1, 1))
    assert (
        str(caught.value) == f"{published.path}: this version exists already.\nRun again: a version is never changed."
    )
    assert shelf.load().version == published.version


@pytest.mark.parametrize(
    "name", ["", "a/b", "..", ".hidden", "-x", "versions", "CURRENT", "a b", "a@b", "ü\n", "x" * 101]
)
def test_what_is_no_name_of_a_model_is_refused(shelf: Any, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        shelf.publish(name)
    assert str(caught.value) == (
        f"{name[:100]!r} is no name for a model.\n"
        "Use letters, digits, '.', '_' and '-', at most 100 bytes, the first one a letter, a digit or '_'."
    )
    assert not shelf.models.exists()


@pytest.mark.parametrize("name", ["plan.json", "CURRENT", "a/b.csv", "../x.csv", ".x.csv", "model.pkl", "X.JSON"])
def test_a_version_takes_no_file_of_another_kind(shelf: Any, name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a file that may lie beside a model"):
        shelf.publish(files=lambda _: {name: b""})
    assert not shelf.models.exists()


def test_a_model_that_could_not_be_loaded_is_not_published(shelf: Any, trained: Trained) -> None:
    old = shelf.publish()
    before = tree(shelf.models)
    with pytest.raises(OutputError) as caught:
        shelf.publish(trained=replace(trained, units=np.ones(2)))
    home = shelf.models / "sales"
    start, found, path = str(caught.value).partition(f"{home / 'versions'}/.forecast-")
    assert found
    assert start == (
        f"{home}: the model cannot be published, {old.model} stays current: what was written does not read back: "
    )
    assert path.partition("/")[2] == (
        "scaling.safetensors holds 'units' with shape (2,); the plan asks for (3,).\n"
        "Check the disk, then run again; if that does not help, report it as a bug."
    )
    assert tree(shelf.models) == before
    assert shelf.load().version == old.version


@pytest.mark.parametrize("value", [0.1, 1e39, np.nan])
def test_a_weight_that_would_change_when_stored_is_a_bug(shelf: Any, trained: Trained, value: float) -> None:
    fitted = (Fitted(Kind.NETWORK, {"bias": np.array([value])}), *trained.fitted[1:])
    with pytest.raises(ValueError, match="the array 'network/bias' holds a number that is no finite float32"):
        shelf.publish(trained=replace(trained, fitted=fitted))


def test_two_forecasters_of_one_kind_are_a_bug(shelf: Any, trained: Trained) -> None:
    with pytest.raises(ValueError, match="one weight for each forecaster, and one forecaster of each kind"):
        shelf.publish(trained=replace(trained, fitted=trained.fitted[:1] * 3))


def test_a_context_of_other_series_is_a_bug(shelf: Any, trained: Trained) -> None:
    with pytest.raises(ValueError, match="the context must hold the series of the model, in their order"):
        shelf.publish(trained=replace(trained, ids=("a", "b", "c")))


def test_three_old_versions_are_kept(shelf: Any, at: Any) -> None:
    published = [shelf.publish(now=at(2020, 1, day)).version for day in range(1, 6)]
    assert list(store.versions_of(shelf.models / "sales")) == published[-3:]


def test_versions_of_the_last_day_are_kept(shelf: Any) -> None:
    now = datetime.now(UTC)
    ages = [timedelta(hours=hours) for hours in (30, 23, 3, 2, 1, 0)]
    published = [shelf.publish(now=now - age).version for age in ages]
    assert list(store.versions_of(shelf.models / "sales")) == published[1:]


def test_versions_of_one_second_or_of_a_clock_put_back_are_in_the_order_of_publication(shelf: Any, at: Any) -> None:
    moments = [at(2026, 1, 2), at(2026, 1, 2), at(2026, 1, 1)]
    published = [shelf.publish(now=moment).version for moment in moments]
    assert list(store.versions_of(shelf.models / "sales")) == published
    assert shelf.load("sales@previous").version == published[1]


def test_a_failure_to_tidy_up_is_no_failure(shelf: Any, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    oldest, *_ = [shelf.publish(now=at(2020, 1, day)) for day in range(1, 4)]
    real = os.rename

    def keep_the_oldest(source: Path, target: Path) -> None:
        if source == oldest.path:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        real(source, target)

    monkeypatch.setattr(os, "rename", keep_the_oldest)
    version = shelf.publish(now=at(2020, 1, 4)).version
    assert shelf.load().version == version
    assert store.versions_of(shelf.models / "sales")[0] == oldest.version


def test_what_a_dead_run_left_goes_after_a_day(shelf: Any) -> None:
    home = shelf.publish().path.parent.parent
    for place, age in ((home / "versions" / ".forecast-1", 90_000), (home / "versions" / ".forecast-2", 80_000)):
        place.mkdir()
        (place / "weights.safetensors").write_bytes(b"half")
        os.utime(place, (time.time() - age,) * 2)
    shelf.publish()
    assert shelf.left_over() == [".forecast-2"]


def test_publishing_mends_a_broken_pointer(shelf: Any) -> None:
    pointer = shelf.publish().path.parent.parent / "CURRENT"
    pointer.write_bytes(b"nonsense")
    assert shelf.load(f"sales@{shelf.publish().version}").version == pointer.read_text().strip()


def test_readers_see_whole_versions_while_others_are_published(shelf: Any, at: Any) -> None:
    published, seen, failures = [shelf.publish(now=at(2020, 1, 1)).version], set(), []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                seen.add(shelf.load().version)
            except Exception as error:
                failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    later = (datetime.now(UTC) + timedelta(minutes=minute) for minute in range(15))
    published.extend(shelf.publish(now=moment).version for moment in later)
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert seen <= set(published)
    assert len(seen) > 1


def test_the_name_of_a_version_is_its_time_and_a_fingerprint(at: Any) -> None:
    one, later = (new_version(at(2026, 11, 21, 3, 0, 0, micro), b"seed") for micro in (1, 2))
    assert one[:17] == "20261121T030000Z-"
    assert len(one) == 25
    assert one != later


def test_a_candidate_lies_beside_the_current_version(shelf: Any) -> None:
    current = shelf.publish().version
    candidate = shelf.publish(candidate=True)
    assert shelf.load().version == current
    assert shelf.load(candidate.model).version == candidate.version
    assert (shelf.models / "sales" / "CANDIDATES").read_text() == f"{candidate.version}\n"


def test_a_first_version_that_is_a_candidate_is_no_current_version(shelf: Any) -> None:
    candidate = shelf.publish(candidate=True)
    with pytest.raises(ModelNotFoundError, match=f"has no current version; it has {candidate.version}"):
        shelf.load()
    assert shelf.promote(candidate.model).loaded.version == candidate.version
    assert shelf.load().version == candidate.version


def test_whoever_holds_the_lock_can_publish(shelf: Any) -> None:
    shelf.publish()
    with store.locked(shelf.models / "sales", "update"):
        later = shelf.publish(locking=None)
    assert shelf.load().version == later.version


@pytest.mark.parametrize("step", STEPS)
def test_a_fault_at_any_step_of_a_candidate_leaves_the_store_as_it_was(shelf: Any, step: str) -> None:
    before = shelf.publish().version
    for _ in each_fault(step, lambda: shelf.publish(candidate=True), lasting=False):
        assert store.versions_of(shelf.models / "sales") == (before,)
        assert shelf.load().version == before
        assert shelf.left_over() == []


def test_a_fault_while_a_first_candidate_is_published_leaves_no_model(shelf: Any) -> None:
    for _ in each_fault("fsync", lambda: shelf.publish(candidate=True), lasting=False):
        assert tree(shelf.models) == []
