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
PREDICTIONS = 2  # in each round
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
    """Start all at once; NEW where a forecast is one of the version that is new, OLD where none is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve() / "here"
        shutil.copytree(template, folder)
        outputs = [folder / "out" / f"{number}.csv" for number in range(PREDICTIONS)]
        predictions = [("predict", *MODEL, "-o", str(output), "-q") for output in outputs]
        try:
            before = look(folder).current
            codes = together([filled((*PROGRAM, *words), folder) for words in (*predictions, *crowd.changes)])
            refused = codes.count(LOCKED)
            if set(codes[:PREDICTIONS]) != {DONE} or not {DONE} <= set(codes[PREDICTIONS:]) <= {DONE, LOCKED}:
                return Outcome(BROKEN, f"exit codes {codes}", refused)
            if look(folder).current == before:
                return Outcome(BROKEN, "nobody changed the model", refused)
            made_by = [_made_by(folder, output) for output in outputs]
        except BrokenError as error:
            return Outcome(BROKEN, str(error))
        return Outcome(OLD if set(made_by) == {before} else NEW, refused=refused)


def together(commands: list[list[str]]) -> list[int]:
    """Start command lines at the same moment; return their exit codes when all have ended."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen(command, **quiet) for command in commands]
    return [process.wait(PATIENCE) for process in processes]


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
