"""The commands that are disturbed: what each starts from, and what a reader may find after it, however it ended."""

import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import injecting
from injecting import FOLDERS, RENAMES, SYSCALLS, Point
from running import FORECAST, PATIENCE, run_here

from forecast import store
from forecast.errors import ForecastError
from forecast.forecasters import registry
from forecast.forecasters.fitted import Kind
from forecast.store.log import open_parts
from forecast.store.writing import TEMPORARY
from forecast.trained import Trained

REPOSITORY = Path(__file__).resolve().parent.parent
TABLE = REPOSITORY / "data" / "us_employment.csv"
LONGEST = 60.0  # seconds of the processor for a training
NIGHTS = 16  # in the log before the run: one more, and small parts are put together
OLD, NEW, BROKEN, MISSED = "old", "new", "broken", "missed"
FRESH = "a version that was not there before"
HERE, OLDEST = "{folder}", "{oldest}"  # in a command line: the folder it works in, the oldest version there
PROGRAM = tuple(FORECAST)
# What may lie in each folder of a model, a log and an output, finished or left by a process that was killed.
LEFT = rf"{re.escape(TEMPORARY)}.*|\.lock"
NAMES = {
    "models": r"m",
    "models/m": rf"CURRENT|CANDIDATES|versions|trials\.json|checkpoint|{LEFT}",
    "models/m/checkpoint": rf"finished-.*|under-way|{LEFT}",
    "models/m/versions": rf"\d{{8}}T\d{{6}}Z-[0-9a-f]{{8}}|{LEFT}",
    "log": rf"part-.*\.parquet|run\.json|{LEFT}",
    "out": rf"\w+\.csv|{LEFT}",
}


# What no result should be written by. Its first byte is gone before the first byte of the new result is there.
IN_PLACE = """
import os, sys
source, target = sys.argv[1:]
with open(source, "rb") as file:
    content = file.read()
half = len(content) // 2
try:
    with open(target, "wb", buffering=0) as file:
        file.write(content[:half])
        file.write(content[half:])
        os.fsync(file.fileno())
except OSError:
    sys.exit(15)
"""


class BrokenError(Exception):
    """What a reader finds is neither the old nor the new result, whole."""


@dataclass(frozen=True)
class Outcome:
    """What a reader found: OLD, NEW, or BROKEN and why; MISSED where there was no fault."""

    state: str
    why: str = ""
    refused: int = 0  # runs that another one kept out


@dataclass(frozen=True)
class Seen:
    """What a reader finds in a folder: the current version, the forecast, None for none, and the rows of the log."""

    current: str | None = None
    forecast: bytes | None = None
    log: tuple[str, ...] = ()


@dataclass(frozen=True)
class Victim:
    """A command line that is disturbed, and what makes the folder that it works in."""

    name: str
    words: tuple[str, ...]
    prepare: Callable[[Path], None]
    program: tuple[str, ...] = PROGRAM
    limit: float | None = None  # seconds of the processor, where it takes more than most
    calls: tuple[str, ...] = SYSCALLS  # at which faults are put

    def command(self, folder: Path) -> list[str]:
        """Return the command line for a folder."""
        return filled((*self.program, *self.words), folder)

    def run(self, folder: Path) -> str:
        """Run the command line to its end; return what is wrong with that, nothing where all is well."""
        if self.program == PROGRAM:  # in this process: it saves half of the time
            said = run_here(filled(self.words, folder), self.limit)
            return f"exit code {said.code}: {said.err}" if said.code else ""
        done = subprocess.run(
            self.command(folder), capture_output=True, check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL
        )
        return f"exit code {done.returncode}: {done.stderr.decode()}" if done.returncode else ""


@dataclass(frozen=True)
class Stage:
    """A victim with the folder it starts from, what a run that nobody disturbs makes of it, and where faults can be."""

    victim: Victim
    template: Path
    known: frozenset[str]
    old: Seen
    new: Seen
    points: tuple[Point, ...]

    def look(self, folder: Path) -> Seen:
        """Return what a reader finds; every version that was not there before is the same one."""
        found = look(folder)
        return replace(found, current=FRESH) if found.current and found.current not in self.known else found

    def judge(self, folder: Path) -> str:
        """Return OLD or NEW; BrokenError for anything between."""
        found, news = self.look(folder), []
        for part in ("log", "forecast", "current"):  # in the order in which they are written
            was, wanted, there = (getattr(seen, part) for seen in (self.old, self.new, found))
            if there not in (was, wanted):
                raise BrokenError(f"{part}: neither the old nor the new: {str(there)[:80]}")
            if was != wanted:
                news.append(there == wanted)
        if news != sorted(news, reverse=True):
            raise BrokenError("the forecast is published, and is not in the log")
        return NEW if news[-1] else OLD


def set_up(victim: Victim, folder: Path) -> Stage:
    """Make the folder that a victim starts from, and watch one run that nobody disturbs."""
    template, sound, log = folder / "template", folder / "sound", folder / "calls"
    template.mkdir(parents=True)
    victim.prepare(template)
    shutil.copytree(template, sound)
    done = injecting.traced(victim.command(sound), log)
    if done.returncode:
        raise SystemExit(f"{victim.name} fails without a fault ({done.returncode}): {done.stderr}")
    points = tuple(point for point in injecting.points(log, sound) if point.syscall in victim.calls)
    stage = Stage(victim, template, frozenset(versions(template)), Seen(), Seen(), points)
    stage = replace(stage, old=stage.look(template), new=stage.look(sound))
    if stage.judge(sound) != NEW:
        raise SystemExit(f"{victim.name} changes nothing.")
    return stage


def filled(words: Sequence[str], folder: Path) -> list[str]:
    """Return words with the folder, and the oldest version in it, where they have a place for these."""
    oldest = next(iter(versions(folder)), "")
    return [word.replace(HERE, str(folder)).replace(OLDEST, oldest) for word in words]


def look(folder: Path) -> Seen:
    """Return what a reader finds in a folder; BrokenError where it is not whole, or holds what no document names."""
    for place, pattern in NAMES.items():
        for path in sorted((folder / place).iterdir()) if (folder / place).is_dir() else ():
            if not re.fullmatch(pattern, path.name):
                raise BrokenError(f"{path.relative_to(folder)} lies there")
    forecast = folder / "out" / "predictions.csv"
    return Seen(_current(folder), forecast.read_bytes() if forecast.exists() else None, _log(folder / "log"))


def left_over(folder: Path) -> list[str]:
    """Return the unfinished files in a folder: a process that was not killed leaves none."""
    return [str(path.relative_to(folder)) for path in folder.rglob(f"{TEMPORARY}*")]


def versions(folder: Path) -> tuple[str, ...]:
    """Return the versions of the model in a folder."""
    return store.versions_of(folder / "models" / "m")


def _current(folder: Path) -> str | None:
    """Verify every version, and forecast with the current one; return that."""
    for version in versions(folder):
        _sound(("models", "verify", f"m@{version}", *MODEL[2:]), folder)
    if not (folder / "models" / "m" / "CURRENT").exists():
        return None  # a first version that was not to be
    if _sound(("predict", *MODEL, "-o", "-", "-q"), folder).count(b"\n") < 2:
        raise BrokenError("predict makes an empty forecast")
    return (folder / "models" / "m" / "CURRENT").read_text().strip()


def _sound(words: Sequence[str], folder: Path) -> bytes:
    """Run a command line that must succeed; return its standard output."""
    said = run_here(filled(words, folder))
    if said.code:
        raise BrokenError(f"{' '.join(words[:2])} leaves with {said.code}: {said.err.strip()}")
    return said.out


def _log(folder: Path) -> tuple[str, ...]:
    """Read every part of a log and its record, as far as they are there; return the rows, sorted."""
    if not folder.is_dir():
        return ()
    try:
        if (folder / "run.json").exists():
            json.loads((folder / "run.json").read_bytes())
        tables = [table for part in open_parts(folder) for table in part.read()]
    except (ForecastError, ValueError, OSError) as error:
        raise BrokenError(f"the log: {error}") from None
    return tuple(sorted(str(row) for table in tables for row in table.to_pylist()))


def publish(folder: Path, count: int) -> None:
    """Publish the reference model as `m`, that often."""
    loaded = store.load(REPOSITORY / "models", "reference-1")
    _publish_as_m(folder, loaded.trained, {"golden.json": store.read_file(loaded, "golden.json")}, count)


def _publish_as_m(folder: Path, trained: Trained, files: dict[str, bytes], count: int) -> None:
    """Publish a model once for each day of a year that begins; the last is the current version."""
    for day in range(1, count + 1):
        store.publish(folder / "models", "m", trained, lambda _: files, now=datetime(2026, 1, day, tzinfo=UTC))


def _before_predict(folder: Path) -> None:
    """Make a model, a log of some nights and the forecast of the last of them."""
    _before_first_predict(folder)
    for night in range(NIGHTS):
        said = run_here([*filled(NIGHT, folder), "--as-of", f"{2013 + night // 12}-{1 + night % 12:02d}-15"])
        assert said.code == 0, said.err


def _before_first_predict(folder: Path) -> None:
    """Make a model, and a folder for the output."""
    publish(folder, 1)
    (folder / "out").mkdir()


def _before_predict_in_place(folder: Path) -> None:
    """Make an old forecast, and the new one that is to take its place."""
    _before_predict(folder)
    old = (folder / "out" / "predictions.csv").read_bytes()
    (folder / "new").write_bytes(old.replace(b"2014", b"2015"))


def before_promote(folder: Path) -> None:
    publish(folder, 3)


def _before_promote_in_place(folder: Path) -> None:
    """Make a model, and what its CURRENT is to hold."""
    publish(folder, 3)
    (folder / "new").write_text(f"{versions(folder)[0]}\n")


def _before_train(folder: Path) -> None:
    """Make a small table, and a model with versions that are due to go."""
    publish(folder, 4)
    _table(folder, 120)


def before_update(folder: Path) -> None:
    """Make a model without a network, and its table with another year in it."""
    trained = store.load(REPOSITORY / "models", "reference-1").trained
    naive = registry.FIT[Kind.SEASONAL_NAIVE](trained.context, trained.plan)
    _publish_as_m(folder, replace(trained, fitted=(naive,), weights=(1.0,)), {}, 4)
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    year = [line.replace(",2015-", ",2016-") for line in lines if ",2015-" in line]
    (folder / "table.csv").write_text("\n".join([*lines, *year, ""]), encoding="utf-8")


def _before_first_train(folder: Path) -> None:
    _table(folder, 120)


def _table(folder: Path, days: int) -> None:
    """Write a daily series with a week in it."""
    values = (10 + day / 50 + 3 * math.sin(2 * math.pi * day / 7) for day in range(days))
    rows = (f"{date(2024, 1, 1) + timedelta(day)},{value:.3f}\n" for day, value in enumerate(values))
    (folder / "table.csv").write_text("ds,y\n" + "".join(rows), encoding="utf-8")


MODEL = ("-m", "m", "--models", f"{HERE}/models")
SMALL = ("--window", "8", "--units", "4", "--members", "1", "--epochs", "1", "--origins", "2", "--horizon", "2")
TRAINING = ("train", f"{HERE}/table.csv", *MODEL, *SMALL, "--preset", "fast", "--forecaster", "network", "-q")
OUTPUT = ("-o", f"{HERE}/out/predictions.csv")
NIGHT = ("predict", str(TABLE), *MODEL, *OUTPUT, "--log", f"{HERE}/log", "-q")
PREDICT = Victim("predict --log", NIGHT, _before_predict)
PROMOTE = Victim("models promote", ("models", "promote", f"m@{OLDEST}", *MODEL[2:], "-q"), before_promote)
# Of a model without a network: what is written is the same, and it takes a second.
UPDATE = Victim("update", ("update", f"{HERE}/table.csv", *MODEL, "-q"), before_update, limit=LONGEST)
TRAIN = Victim("train", TRAINING, _before_train, limit=LONGEST)
VICTIMS = (
    PREDICT,
    # Beyond what a later night does, this one makes the folder of the log.
    Victim("predict --log, a first time", NIGHT, _before_first_predict, calls=(*RENAMES, *FOLDERS)),
    PROMOTE,
    UPDATE,
    TRAIN,
    # Beyond what a later training does, this one makes the folders of the model.
    Victim("train, a first time", TRAINING, _before_first_train, limit=LONGEST, calls=(*RENAMES, *FOLDERS)),
)
# The harness must find these broken: what it says of the others is worth as much.
CONTROL = (sys.executable, "-c", IN_PLACE, f"{HERE}/new")
CONTROLS = (
    Victim("control: predict in place", (OUTPUT[1],), _before_predict_in_place, CONTROL),
    Victim("control: promote in place", (f"{HERE}/models/m/CURRENT",), _before_promote_in_place, CONTROL),
)
