"""The lock of a model: one run at a time, free as soon as its holder is gone, and a word on who has it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from forecast.errors import LockedError, OutputError
from forecast.store import Locking, locked, prune
from forecast.store.lock import LOCK

REPOSITORY = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from forecast.store.lock import locked
with locked(Path(sys.argv[1]), "models prune"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Any:
    """Start a process that holds the lock of tmp_path until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_lock_that_another_run_holds_says_who(tmp_path: Path, holder: Any) -> None:
    said = json.loads((tmp_path / LOCK).read_text())
    with pytest.raises(LockedError) as caught, locked(tmp_path, "publish"):
        pass
    assert str(caught.value) == (
        f"{tmp_path} is locked by process {holder.pid} on {said['host']} (models prune, since {said['since']}).\n"
        "Run again when that has ended, or wait for it (--lock-wait 10m)."
    )


def test_a_lock_is_free_once_its_holder_was_killed(tmp_path: Path, holder: Any) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    with locked(tmp_path, "publish", Locking(30)):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()


def test_a_lock_is_free_after_an_error(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(RuntimeError), locked(tmp_path, "publish"):
            raise RuntimeError


def test_a_holder_that_did_not_say_who_it_is_is_another_run(tmp_path: Path) -> None:
    with locked(tmp_path, "publish"):
        (tmp_path / LOCK).write_text("[1")
        with pytest.raises(LockedError, match=f"^{tmp_path} is locked by another run.\n"), locked(tmp_path, "publish"):
            pass


def test_a_lock_whose_file_was_removed_meanwhile_does_not_count(tmp_path: Path) -> None:
    with locked(tmp_path, "publish"):
        (tmp_path / LOCK).unlink()
        with locked(tmp_path, "publish"):
            assert (tmp_path / LOCK).exists()


@pytest.mark.parametrize("target", ["elsewhere", "."])
def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path, target: str) -> None:
    (tmp_path / LOCK).symlink_to(tmp_path / target)
    with pytest.raises(OutputError, match=f"^{tmp_path}: it cannot be locked: "), locked(tmp_path, "publish"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_others_may_not_write_the_lock(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with locked(tmp_path, "publish"):
            assert oct((tmp_path / LOCK).stat().st_mode & 0o777) == "0o640"
    finally:
        os.umask(before)


def test_publishing_waits_for_the_lock_and_changes_nothing_without_it(shelf: Any) -> None:
    old = shelf.publish()
    with locked(shelf.models / "sales", "models promote"), pytest.raises(LockedError):
        shelf.publish(locking=Locking(0.1))
    assert shelf.load().version == old.version
    assert shelf.publish().version != old.version


def test_a_first_publication_that_does_not_get_the_lock_leaves_the_folder_to_the_run_that_has_it(shelf: Any) -> None:
    home = shelf.models / "sales"
    (home / "versions").mkdir(parents=True)
    with locked(home, "publish"), pytest.raises(LockedError):
        shelf.publish(locking=Locking())
    assert (home / "versions").is_dir()


def test_a_run_that_waits_says_so_once_and_for_whom(tmp_path: Path, holder: Any) -> None:
    said: list[str] = []
    since = json.loads((tmp_path / LOCK).read_text())["since"]

    def free(line: str) -> None:
        said.append(line)
        holder.kill()

    with locked(tmp_path, "publish", Locking(90, say=free)):
        (line,) = said
    assert line.startswith(f"{tmp_path} is locked by process {holder.pid} on ")
    assert line.endswith(f" (models prune, since {since}): waiting for up to 1m 30s.")


def test_a_lock_in_a_folder_for_locks_is_one_for_each_place_however_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/sales", "b/sales", "locks"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    elsewhere = Locking(folder=tmp_path / "locks")
    with locked(tmp_path / "a" / "sales", "publish", elsewhere):
        for same in ("a/sales", "link/sales"):
            with (
                pytest.raises(LockedError, match=rf"^{same} is locked by process {os.getpid()} "),
                locked(Path(same), "publish", elsewhere),
            ):
                pass
        with locked(Path("b/sales"), "publish", elsewhere):
            assert len(list((tmp_path / "locks").iterdir())) == 2
    assert [list((tmp_path / name / "sales").iterdir()) for name in "ab"] == [[], []]


def test_whoever_changes_a_model_takes_the_lock_in_the_folder_for_locks(shelf: Any, tmp_path: Path, at: Any) -> None:
    elsewhere = Locking(folder=tmp_path)
    old, _ = (shelf.publish(now=at(2026, 1, day), locking=elsewhere).version for day in (1, 2))
    home = shelf.models / "sales"
    assert not (home / LOCK).exists()
    with locked(home, "publish", elsewhere):
        for change in (
            lambda: shelf.publish(locking=elsewhere),
            lambda: shelf.promote(f"sales@{old}", locking=elsewhere),
            lambda: shelf.roll_back(locking=elsewhere),
            lambda: prune(home, elsewhere),
        ):
            with pytest.raises(LockedError):
                change()
