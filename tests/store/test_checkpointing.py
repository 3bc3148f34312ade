"""The checkpoint of a training: found again, never half, refused where it is of another one, never in the way."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecast.errors import LockedError, MismatchError, OutputError, UsageError
from forecast.fingerprint import Fingerprint
from forecast.store import checkpoint, checkpointing, models_in
from forecast.store.checkpointing import LEFT, ModelCheckpoint

TRAINING = Fingerprint("ab" * 32, {"units": 64, "windows": [14, 28], "minimum": None})
ONE, TWO = "1" * 64, "2" * 64  # marks of networks
ARRAYS = {
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
    "seed": np.array([3, 2**40]),
    "history": np.ones((1, 4)),
}


class Killed(BaseException):
    """The end of a run in the middle of it."""


@contextmanager
def run(folder: Path, resume: bool = False, training: Fingerprint = TRAINING) -> Iterator[ModelCheckpoint]:
    """Begin a training of the model `sales`, and let it be interrupted by Killed."""
    try:
        with checkpoint(folder, "sales", resume, lambda _: None) as found:
            found.begin(training)
            yield found
    except Killed:
        pass


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """Return a store with the checkpoint of a training of which one network has finished and the next one learns."""
    with run(tmp_path) as one:
        one.write(ONE, ARRAYS, finished=True)
        one.write(TWO, ARRAYS, finished=False)
        raise Killed
    return tmp_path


def place(folder: Path) -> Path:
    return folder / "sales" / "checkpoint"


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_a_later_run_finds_what_an_interrupted_one_has_kept(interrupted: Path) -> None:
    with run(interrupted, resume=True) as later:
        one, two = later.read(ONE), later.read(TWO)
    assert one is not None
    assert two is not None
    assert (one.finished, two.finished) == (True, False)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(one.arrays[name], array)
        np.testing.assert_array_equal(two.arrays[name], array)


def test_a_network_that_nobody_kept_is_not_found(interrupted: Path) -> None:
    with run(interrupted, resume=True) as later:
        assert later.read("3" * 64) is None


def test_going_on_is_said(interrupted: Path) -> None:
    with run(interrupted, resume=True) as later:
        assert later.notices == [
            "--resume: sales goes on from its checkpoint, of 1 finished network and one under way."
        ]


def test_without_a_checkpoint_training_begins_anew_and_it_is_said(tmp_path: Path) -> None:
    with run(tmp_path, resume=True) as found:
        assert found.notices == ["--resume: sales has no checkpoint; training begins anew."]
        assert found.read(ONE) is None
    assert names(tmp_path) == []


def test_without_resume_a_checkpoint_is_named_and_then_replaced(interrupted: Path) -> None:
    with run(interrupted) as other:
        assert other.notices == [
            "sales: an interrupted training has left a checkpoint, which this one replaces. "
            "To go on from it, stop this one and run it again with --resume."
        ]
        assert other.read(ONE) is None
        other.write(TWO, ARRAYS, finished=True)
        assert names(place(interrupted)) == [".lock", f"finished-{TWO[:16]}"]


def test_a_run_that_is_stopped_before_it_has_kept_anything_leaves_the_old_checkpoint(interrupted: Path) -> None:
    before = names(place(interrupted))
    with pytest.raises(KeyboardInterrupt) as stopped, run(interrupted):
        raise KeyboardInterrupt
    assert names(place(interrupted)) == before
    assert stopped.value.__notes__ == [LEFT]


def test_a_network_is_kept_once_and_the_one_under_way_replaced(tmp_path: Path) -> None:
    with run(tmp_path) as found:
        found.write(ONE, ARRAYS, finished=False)
        found.write(ONE, ARRAYS, finished=True)
        found.write(TWO, ARRAYS, finished=False)
        assert names(place(tmp_path)) == [".lock", f"finished-{ONE[:16]}", "under-way"]


def test_writing_takes_a_small_share_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, written = [0.0], []

    def replace_file(path: Path, data: bytes, new_mode: int) -> None:
        written.append(now[0])
        now[0] += 0.2

    monkeypatch.setattr(checkpointing.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(checkpointing, "replace_file", replace_file)
    with run(tmp_path) as found:
        while now[0] < 100:
            found.write(ONE, ARRAYS, finished=False)
            now[0] += 1
    assert 0.2 * len(written) < 0.011 * now[0]
    assert len(written) == 5


def test_what_is_not_yet_written_is_written_when_a_run_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointing, "SHARE", 1e9)
    with run(tmp_path) as found:
        found.write(ONE, ARRAYS, finished=False)
        found.write(ONE, ARRAYS | {"seed": np.array([5, 6])}, finished=False)
        raise Killed
    with run(tmp_path, resume=True) as later:
        kept = later.read(ONE)
    assert kept is not None
    assert kept.arrays["seed"].tolist() == [5, 6]


def test_an_error_says_that_a_checkpoint_is_left(tmp_path: Path) -> None:
    def publish() -> None:
        with run(tmp_path) as found:
            found.write(ONE, ARRAYS, finished=True)
            raise OutputError("the disk is full.")

    with pytest.raises(OutputError) as full:
        publish()
    assert full.value.__notes__ == [LEFT]


def test_an_error_before_anything_was_kept_says_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as full, run(tmp_path):
        raise OutputError("the disk is full.")
    assert not hasattr(full.value, "__notes__")
    assert names(tmp_path) == []


def test_nothing_is_left_when_a_training_is_done(interrupted: Path) -> None:
    with run(interrupted, resume=True) as later:
        later.write(TWO, ARRAYS, finished=True)
        later.discard()
    assert names(interrupted / "sales") == ["versions"]


def test_other_data_are_refused(interrupted: Path) -> None:
    before = names(place(interrupted))
    with pytest.raises(MismatchError) as refused, run(interrupted, True, replace(TRAINING, data="cd" * 32)):
        pass
    assert str(refused.value.args[0]) == (
        f"{place(interrupted)} is of a training on other data: the table has changed, or is read in another way.\n"
        "Train without --resume: that begins anew, and replaces the checkpoint."
    )
    assert names(place(interrupted)) == before


def test_other_settings_are_refused_and_named(interrupted: Path) -> None:
    settings = {"units": 32, "windows": [14, 28], "minimum": 0.0}
    with pytest.raises(UsageError) as refused, run(interrupted, True, replace(TRAINING, settings=settings)):
        pass
    assert str(refused.value.args[0]) == (
        f"{place(interrupted)} is of a training with other settings: minimum none, now 0.0; units 64, now 32.\n"
        "Train without --resume: that begins anew, and replaces the checkpoint."
    )


def test_other_packages_are_refused_and_named(interrupted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = checkpointing.tools()
    monkeypatch.setattr(checkpointing, "tools", lambda: before | {"keras": "99.0"})
    with pytest.raises(UsageError) as refused, run(interrupted, True):
        pass
    assert refused.value.message == (
        f"{place(interrupted)} is of a training by other versions of packages: keras {before['keras']}, now 99.0."
    )


def test_a_checkpoint_of_another_training_is_replaced_without_a_word_of_going_on(interrupted: Path) -> None:
    with run(interrupted, training=replace(TRAINING, data="cd" * 32)) as other:
        assert other.notices == [
            "sales: the checkpoint of an interrupted training on other data or settings is replaced."
        ]


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    path.unlink()
    if how == "link":
        path.symlink_to("/etc/hostname")
    elif how == "folder":
        path.mkdir()
    elif how == "pipe":
        os.mkfifo(path)
    else:
        flipped = bytes([data[len(data) // 2] ^ 1])
        middle = len(data) // 2
        path.write_bytes(
            {
                "empty": b"",
                "truncated": data[:-1],
                "half": data[:middle],
                "flipped": data[:middle] + flipped + data[middle + 1 :],
                "longer": data + b"0",
                "text": b"no checkpoint\n",
            }[how]
        )


@pytest.mark.parametrize(
    "how", ["empty", "truncated", "half", "flipped", "longer", "text", "link", "pipe", "folder", "huge"]
)
def test_a_damaged_file_is_said_and_its_network_trained_anew(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path = place(interrupted) / "under-way"
    if how == "huge":
        monkeypatch.setattr(checkpointing, "LARGEST", path.stat().st_size - 1)
    else:
        damage(path, how)
    with run(interrupted, resume=True) as later:
        (said,) = later.notices
        assert later.read(TWO) is None
        assert how == "huge" or later.read(ONE) is not None
    assert "under-way " in said
    assert said.endswith(("anew.", "and is not used."))


def test_a_checkpoint_of_which_nothing_is_whole_is_said_and_training_begins_anew(interrupted: Path) -> None:
    for path in place(interrupted).iterdir():
        damage(path, "truncated")
    with run(interrupted, resume=True) as later:
        assert later.notices == [f"--resume: {place(interrupted) / 'under-way'} is damaged; training begins anew."]
        later.write(ONE, ARRAYS, finished=True)
        assert names(place(interrupted)) == [".lock", f"finished-{ONE[:16]}"]


def test_every_flipped_bit_and_every_cut_is_found(interrupted: Path) -> None:
    path = place(interrupted) / "under-way"
    whole = path.read_bytes()
    with run(interrupted, resume=True) as later:
        for byte in range(len(whole)):
            for data in (whole[:byte], whole[:byte] + bytes([whole[byte] ^ 4]) + whole[byte + 1 :]):
                path.write_bytes(data)
                assert later.read(TWO) is None, byte


def test_a_file_under_the_name_of_another_network_is_not_taken_for_it(interrupted: Path) -> None:
    (place(interrupted) / f"finished-{ONE[:16]}").rename(place(interrupted) / f"finished-{TWO[:16]}")
    (place(interrupted) / "under-way").unlink()
    with run(interrupted, resume=True) as later:
        assert later.read(TWO) is None


def test_while_one_training_keeps_a_checkpoint_another_keeps_none(interrupted: Path) -> None:
    with run(interrupted, resume=True):
        before = {name: (place(interrupted) / name).read_bytes() for name in names(place(interrupted))}
        with run(interrupted) as other:
            other.write(ONE, ARRAYS, finished=True)
            other.write(TWO, ARRAYS, finished=False)
            other.discard()
        (said,) = other.notices
        assert {name: (place(interrupted) / name).read_bytes() for name in names(place(interrupted))} == before
    assert said.startswith(f"{place(interrupted)} is locked by process {os.getpid()} on ")
    assert said.endswith("; the training goes on without a checkpoint.")


def test_nobody_goes_on_from_a_training_that_is_still_under_way(interrupted: Path) -> None:
    with run(interrupted, resume=True), pytest.raises(LockedError), run(interrupted, resume=True):
        pass


def test_a_store_that_cannot_be_written_stops_no_training(tmp_path: Path) -> None:
    (tmp_path / "sales").write_text("a file")
    with run(tmp_path) as found:
        for _ in range(3):
            found.write(ONE, ARRAYS, finished=True)
    assert found.notices == [
        f"{place(tmp_path)}: the checkpoint cannot be written: a part of the path is no folder; "
        "the training goes on without a checkpoint."
    ]


def test_a_link_in_the_place_of_the_checkpoint_is_not_followed(interrupted: Path) -> None:
    place(interrupted).rename(interrupted / "elsewhere")
    place(interrupted).symlink_to(interrupted / "elsewhere")
    before = names(interrupted / "elsewhere")
    with pytest.raises(OutputError), run(interrupted, resume=True):
        pass
    with run(interrupted) as other:
        other.write(TWO, ARRAYS, finished=True)
        other.discard()
    assert names(interrupted / "elsewhere") == before


def test_a_model_with_a_checkpoint_alone_is_no_model(interrupted: Path) -> None:
    assert models_in(interrupted) == ()


def test_nobody_else_reads_a_checkpoint(interrupted: Path) -> None:
    for path in (place(interrupted), *place(interrupted).iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0


def test_a_network_that_is_too_large_for_a_checkpoint_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointing, "LARGEST", 2 * checkpointing.MIB)
    with run(tmp_path) as found:
        found.write(ONE, ARRAYS, finished=True)
    assert names(tmp_path) == []


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        checkpoint(tmp_path, "../sales")


def test_no_error_of_a_forged_file_reaches_the_user(interrupted: Path) -> None:
    # The seal fits, what is in it does not.
    path, heads = place(interrupted) / "under-way", []
    for content in (b"", b"{}", b"[1]\n", b'{"format": 1}\n', b'{"format": 2}\nx', b"{" * 100, b"\xff\n\xff"):
        path.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        with run(interrupted, resume=True) as later:
            heads.append(later.notices[0])
            assert later.read(TWO) is None
    assert all("under-way " in head for head in heads)
