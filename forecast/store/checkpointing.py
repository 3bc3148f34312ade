"""The checkpoint of a training: its networks in files beside the versions of the model, for a run that goes on.

    models/NAME/checkpoint/finished-MARK    the result of a network, written once
                           under-way        what the network that learns needs to go on, replaced as a whole

Each file says which training it is of. So files of another training, or of none, count for nothing wherever they come
from, and what a run finds is as good as what it would compute: a file that is damaged costs time, and no more.
"""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from forecast.errors import BundleError, ForecastError, MismatchError, OutputError, UsageError
from forecast.fingerprint import Fingerprint
from forecast.store import retention
from forecast.store.lock import LOCK, Locking, locked
from forecast.store.manifest import MIB, read_regular, tools
from forecast.store.names import check_name
from forecast.store.promoting import FILE_MODE
from forecast.store.publishing import FOLDER_MODE, make_home
from forecast.store.sealed import encode, head_of, open_sealed
from forecast.store.writing import failure, replace_file, sync_folder
from forecast.surroundings import Arrays, Kept

FOLDER, UNDER_WAY, FINISHED = "checkpoint", "under-way", "finished-"
LARGEST = 1024 * MIB  # bytes of a file, read or written: a network of 50 million weights is kept
SHARE = 100  # writing takes at most one part in so many of the time: on a slow disk it is done less often
LEFT = "A checkpoint of the training is kept: the same command with --resume goes on from it."
ANEW = "Train without --resume: that begins anew, and replaces the checkpoint."


class ModelCheckpoint:
    """The checkpoint of one model, for one run: `with` it, what was not yet written is written when the run fails.

    Nothing that happens to it ends a training, but a `resume` that cannot be: what goes wrong is said, once, and the
    training goes on without.
    """

    def __init__(self, folder: Path, resume: bool, say: Callable[[str], None], locks: Path | None) -> None:
        self.folder, self.model, self.resume = folder, folder.parent.name, resume
        self.notices: list[str] = []  # what was said
        self.left = False  # whether a later run could go on from here
        self._say, self._locks, self._lock, self._held, self._off = say, locks, ExitStack(), False, False
        self._training: dict[str, Any] = {}
        self._others = False  # whether the folder holds files that this run does not go on from
        self._pending: tuple[str, Arrays, bool] | None = None  # the newest network, where it is not written yet
        self._due = 0.0  # when writing is allowed again

    def __enter__(self) -> "ModelCheckpoint":
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is pending, and say in the error that there is something to go on from."""
        if error is not None:
            self._write_pending()
        if error is not None and self.left:
            error.add_note(LEFT)
        if self._held and not self.left and not self._others:
            self._remove()
        self._lock.close()

    def begin(self, training: Fingerprint) -> None:
        """Look for what an interrupted run has left, and say what becomes of it.

        Raises, where this run is to go on from it: LockedError while the other is still under way, MismatchError for
        other data, UsageError for other settings or packages, OutputError where the folder cannot be used.
        """
        self._training = asdict(training) | {"tools": tools()}
        try:
            heads, damage = self._look() if self.folder.is_dir() else ([], [])
        except ForecastError as error:
            if self.resume:
                raise
            self._give_up(error)
            return
        mine = [head for head in heads if _training_of(head) == self._training]
        self.left, self._others = bool(mine), bool(heads or damage)
        if self.resume:
            self._go_on(mine, heads, damage)
        elif mine:
            self._tell(
                f"{self.model}: an interrupted training has left a checkpoint, which this one replaces. To go on from "
                "it, stop this one and run it again with --resume."
            )
        elif heads or damage:
            self._tell(
                f"{self.model}: the checkpoint of an interrupted training on other data or settings is replaced."
            )

    def read(self, mark: str) -> Kept | None:
        """Return what was kept of a network; None where nothing was, or nothing that can be used."""
        if not (self.resume and self.left):
            return None
        for name in (_finished(mark), UNDER_WAY):
            with suppress(BundleError, ValueError):
                head, arrays = open_sealed(read_regular(self.folder / name, LARGEST))
                if _training_of(head) == self._training and head["network"] == mark:
                    return Kept(arrays, head["finished"])
        return None

    def write(self, mark: str, arrays: Arrays, finished: bool) -> None:
        """Keep a network: at once where it has finished, else as often as writing may take time."""
        if self._off or sum(array.nbytes for array in arrays.values()) > LARGEST - 2 * MIB:
            return
        self._pending = (mark, arrays, finished)
        if finished or time.monotonic() >= self._due:
            self._write_pending()

    def discard(self) -> None:
        """Remove it: the training is done."""
        self._pending, self.left = None, False
        if self._held:
            self._remove()

    def _go_on(self, mine: list[dict[str, Any]], heads: list[dict[str, Any]], damage: list[str]) -> None:
        """Go on from the files of this training, given the heads of all files and what is wrong with others."""
        if not mine and heads:
            raise _refusal(self.folder, _training_of(heads[0]), self._training)
        if not mine:
            why = damage[0] if damage else f"{self.model} has no checkpoint"
            self._tell(f"--resume: {why}; training begins anew.")
            return
        self._others = False
        finished = sum(head["finished"] for head in mine)
        parts = [f"{finished} finished network{'s' * (finished != 1)}"] * (finished > 0)
        parts += ["one under way"] * (len(mine) > finished)
        self._tell(
            f"--resume: {self.model} goes on from its checkpoint, of {' and '.join(parts)}"
            + (f"; {damage[0]}, and is not used." if damage else ".")
        )

    def _look(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Take the lock; return what the files say of themselves, and what is wrong with those that say nothing."""
        heads, damage = [], []
        try:
            self._hold()
            names = sorted(os.listdir(self.folder), reverse=True)
        except OSError as error:
            raise failure(error, f"{self.folder}: the checkpoint cannot be read") from error
        for path in (self.folder / name for name in names if name.startswith((UNDER_WAY, FINISHED))):
            try:
                heads.append(head_of(read_regular(path, LARGEST)))
            except BundleError as error:
                damage.append(error.message.removesuffix("."))
            except ValueError as error:
                damage.append(f"{path} {error}")
        return heads, damage

    def _hold(self) -> None:
        """Make the folder where it is missing, and take its lock. Raises LockedError, OutputError and OSError."""
        if self._held:
            return
        make_home(self.folder.parent)
        if self.folder.is_symlink():
            raise OutputError(f"{self.folder} is a link.\nRemove it.")
        if not self.folder.is_dir():
            with suppress(FileExistsError):  # another training was faster
                self.folder.mkdir(FOLDER_MODE)
            sync_folder(self.folder.parent)
        self._lock.enter_context(locked(self.folder, "train", Locking(folder=self._locks)))
        self._held = True

    def _write_pending(self) -> None:
        """Write the newest network, where it is not written yet; what goes wrong is said."""
        if self._pending is None:
            return
        begun, (mark, arrays, finished) = time.monotonic(), self._pending
        data = encode(self._training | {"network": mark, "finished": finished}, arrays)
        try:
            self._hold()
            self._remove_others()
            replace_file(self.folder / (_finished(mark) if finished else UNDER_WAY), data, new_mode=FILE_MODE)
            self.left = True
        except OSError as error:
            self._warn(failure(error, f"{self.folder}: the checkpoint cannot be written"))
        except ForecastError as error:
            self._give_up(error)
        self._pending, now = None, time.monotonic()
        self._due = now + SHARE * (now - begun)

    def _remove_others(self) -> None:
        """Remove the files of another training. Raises OSError."""
        for name in os.listdir(self.folder) if self._others else ():
            if name != LOCK:
                retention.remove(self.folder / name)
        self._others = False

    def _remove(self) -> None:
        """Remove the folder, whole: nobody finds half of it. Another training that waits for its lock makes its own."""
        with suppress(OSError):
            retention.discard(self.folder)

    def _give_up(self, error: ForecastError) -> None:
        """Keep nothing any more."""
        self._off = True
        self._warn(error)

    def _warn(self, error: ForecastError) -> None:
        """Say, once, that the training goes on without what it could not keep."""
        text = f"{error.message.removesuffix('.')}; the training goes on without a checkpoint."
        if text not in self.notices:
            self._tell(text)

    def _tell(self, text: str) -> None:
        self.notices.append(text)
        self._say(text)


def checkpoint(
    models: str | Path,
    name: str,
    resume: bool = False,
    say: Callable[[str], None] = lambda _: None,
    locks: Path | None = None,
) -> ModelCheckpoint:
    """Return the checkpoint of the model's next version.

    resume: go on from what an interrupted run has left; locks: a folder for its lock, as in `Locking`.
    """
    return ModelCheckpoint(Path(models) / check_name(name) / FOLDER, resume, say, locks)


def _finished(mark: str) -> str:
    return f"{FINISHED}{mark[:16]}"


def _training_of(head: Mapping[str, Any]) -> dict[str, Any]:
    """Return which training a file is of."""
    return {key: head[key] for key in ("data", "settings", "tools")}


def _refusal(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> ForecastError:
    """Return the error for a checkpoint of another training, with what differs."""
    if before["data"] != now["data"]:
        return MismatchError(
            f"{folder} is of a training on other data: the table has changed, or is read in another way.\n{ANEW}"
        )
    kind = "settings" if before["settings"] != now["settings"] else "tools"
    old, new = before[kind], now[kind]
    differing = [
        f"{key.replace('_', ' ')} {_shown(old.get(key))}, now {_shown(new.get(key))}"
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]
    what = "with other settings" if kind == "settings" else "by other versions of packages"
    return UsageError(f"{folder} is of a training {what}: {'; '.join(differing[:5])}.\n{ANEW}")


def _shown(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
