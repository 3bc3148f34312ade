"""Whole processes that overlap: started together, each changes the model or leaves, and every forecast is whole."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from running import run_here
from victims import (
    BROKEN,
    MODEL,
    NEW,
    OLD,
    OLDEST,
    PATIENCE,
    PROGRAM,
    UPDATE,
    BrokenError,
    Outcome,
    before_promote,
    before_update,
    filled,
    look,
)

ROUNDS = 100
PREDICTIONS = 2  # at once
DONE, LOCKED = 0, 11  # exit codes


@dataclass(frozen=True)
class Crowd:
    """Command lines that change the same model, started together with some that predict with it."""

    name: str
    changes: tuple[tuple[str, ...], ...]
    prepare: Callable[[Path], None]


def rounds(crowd: Crowd, folder: Path, count: int = ROUNDS) -> list[Callable[[], Outcome]]:
    """Return what runs a crowd in a fresh folder, that often."""
    folder.mkdir()
    crowd.prepare(folder)
    (folder / "out").mkdir()
    return [partial(one_round, crowd, folder)] * count


def one_round(crowd: Crowd, template: Path) -> Outcome:
    """Start all at once, and predict until the model is changed; OLD or NEW as the first forecast is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve() / "here"
        shutil.copytree(template, folder)
        try:
            before = look(folder).current
            changes = [started((*PROGRAM, *words), folder) for words in crowd.changes]
            outputs = predicted(folder, changes)
            codes = [change.wait(PATIENCE) for change in changes]
            refused = codes.count(LOCKED)
            if not {DONE} <= set(codes) <= {DONE, LOCKED}:
                return Outcome(BROKEN, f"exit codes {codes}", refused)
            made_by = [_made_by(folder, output) for output in outputs]
            if look(folder).current in (before, None) or made_by[-1] == before:
                return Outcome(BROKEN, "nobody changed the model", refused)
        except BrokenError as error:
            return Outcome(BROKEN, str(error))
        return Outcome(OLD if made_by[0] == before else NEW, refused=refused)


def predicted(folder: Path, changes: list[subprocess.Popen[bytes]]) -> list[Path]:
    """Predict with some processes at once, again and again, the last time when the changes have ended."""
    outputs: list[Path] = []
    busy = True
    while busy:
        busy = any(change.poll() is None for change in changes)
        fresh = [folder / "out" / f"{len(outputs) + number}.csv" for number in range(PREDICTIONS)]
        runs = [started((*PROGRAM, "predict", *MODEL, "-o", str(output), "-q"), folder) for output in fresh]
        codes = [run.wait(PATIENCE) for run in runs]
        if any(codes):
            raise BrokenError(f"predict: exit codes {codes}")
        outputs += fresh
    return outputs


def started(words: tuple[str, ...], folder: Path) -> subprocess.Popen[bytes]:
    """Start a command line."""
    quiet = subprocess.DEVNULL
    return subprocess.Popen(filled(words, folder), stdin=quiet, stdout=quiet, stderr=quiet)


def _made_by(folder: Path, output: Path) -> str:
    """Return the version that a forecast names; BrokenError where it is not, whole, what that version forecasts."""
    content = output.read_bytes()
    model = content.decode().strip().rpartition(",")[2]
    said = run_here(filled(("predict", *MODEL[2:], "-m", model, "-o", "-", "-q"), folder))
    if said.code or said.out != content:
        raise BrokenError(f"{output.name} is not what {model} forecasts")
    return model.rpartition("@")[2]


CROWDS = (
    Crowd("2 predict, 1 promote", (("models", "promote", f"m@{OLDEST}", *MODEL[2:], "-q"),), before_promote),
    Crowd("2 predict, 2 rollback", (("models", "rollback", "m", *MODEL[2:], "-q"),) * 2, before_promote),
    Crowd("2 predict, 2 update", (UPDATE.words,) * 2, before_update),
)
