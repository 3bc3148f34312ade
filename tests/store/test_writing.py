"""Single files: replaced whole, or left as they were."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forecast.errors import OutputError, UsageError
from forecast.store import write_file


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return a file that holds an old result."""
    path = tmp_path / "out" / "predictions.csv"
    path.parent.mkdir()
    path.write_bytes(b"old")
    return path


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o7777)


def test_a_file_is_replaced(target: Path) -> None:
    write_file(target, b"new")
    assert target.read_bytes() == b"new"
    assert os.listdir(target.parent) == ["predictions.csv"]


def test_parts_are_written_one_after_the_other(target: Path) -> None:
    write_file(target, iter([b"a", b"", b"bc"]))
    assert target.read_bytes() == b"abc"


def test_a_short_write_is_gone_on_with(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda number, data: real(number, data[:2]))
    write_file(target, b"abcdefg")
    assert target.read_bytes() == b"abcdefg"


def test_an_existing_file_keeps_its_mode(target: Path) -> None:
    target.chmod(0o604)
    write_file(target, b"new")
    assert mode(target) == "0o604"


def test_a_new_file_follows_the_umask(target: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(target.with_name("new.csv"), b"new")
    finally:
        os.umask(before)
    assert mode(target.with_name("new.csv")) == "0o640"


def test_an_open_reader_goes_on_with_the_old_file(target: Path) -> None:
    with target.open("rb") as reader:
        write_file(target, b"new")
        assert reader.read() == b"old"


def test_a_link_leads_to_the_file_that_is_written(target: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    write_file(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("step", ["open", "write", "fsync", "replace"])
def test_a_fault_before_the_rename_leaves_the_old_file(
    target: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as faulty:
        faulty.setattr(os, step, fail)
        with pytest.raises(OutputError) as caught:
            write_file(target, b"new")
    assert str(caught.value) == (
        f"{target}: the file cannot be written: the disk is full.\nFree some space, then run again."
    )
    assert target.read_bytes() == b"old"
    assert os.listdir(target.parent) == ["predictions.csv"]


def test_an_error_while_the_content_is_made_leaves_the_old_file(target: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_file(target, parts())
    assert target.read_bytes() == b"old"
    assert os.listdir(target.parent) == ["predictions.csv"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.EACCES, "permission denied.\nLet this user write there, or choose another place."),
        (errno.EROFS, "the file system is read-only.\nChoose a place that can be written."),
        (errno.EFBIG, "the file exceeds the size limit.\nRaise the limit (ulimit -f), then run again."),
        (errno.EBUSY, f"{os.strerror(errno.EBUSY).lower()}.\nChoose another place, or run again."),
    ],
)
def test_the_reason_comes_with_a_mend(target: Path, monkeypatch: pytest.MonkeyPatch, code: int, reason: str) -> None:
    def fail(*_: Any) -> Any:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OutputError) as caught:
        write_file(target, b"new")
    assert str(caught.value) == f"{target}: the file cannot be written: {reason}"


def test_a_missing_folder_is_named(target: Path) -> None:
    path = target.parent / "none" / "x.csv"
    with pytest.raises(OutputError) as caught:
        write_file(path, b"new")
    assert str(caught.value) == (
        f"{path}: the file cannot be written: there is no such folder.\nMake it, or choose another place."
    )


def test_a_folder_is_refused(target: Path) -> None:
    with pytest.raises(UsageError) as caught:
        write_file(target.parent, b"new")
    assert str(caught.value) == f"{target.parent}: the output is a folder.\nName a file."


def test_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(UsageError) as caught:
        write_file(path, b"new")
    assert str(caught.value) == f"{path}: the output is no regular file.\nName a file."


def test_a_version_folder_is_refused(target: Path) -> None:
    (target.parent / "manifest.sha256").write_bytes(b"")
    with pytest.raises(UsageError) as caught:
        write_file(target, b"new")
    assert str(caught.value) == f"{target}: the output lies inside a trained model.\nName a file elsewhere."
