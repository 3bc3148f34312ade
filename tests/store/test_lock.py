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
from forecast.store import locked, publishing
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
        "Run again when that has ended."
    )


def test_a_lock_is_free_once_its_holder_was_killed(tmp_path: Path, holder: Any) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    with locked(tmp_path, "publish", wait=30):
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


def test_publishing_waits_for_the_lock_and_changes_nothing_without_it(
    shelf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = shelf.publish()
    monkeypatch.setattr(publishing, "PATIENCE", 0.1)
    with locked(shelf.models / "sales", "models promote"), pytest.raises(LockedError):
        shelf.publish()
    assert shelf.load().version == old.version
    assert shelf.publish().version != old.version
