"""Kill, fill the disk and break it while results are published: a reader must find the old result or the new one.

    python benchmarks/faults.py                        # writes benchmarks/results/faults.csv, a line per kind of fault
    python benchmarks/faults.py --part predict --part promote    # some of it: words in the names of the parts

Each command of victims.py runs once undisturbed, then again and again, each time with one fault (injecting.py): killed,
told that the disk is full, or that it is broken, at each write, fsync, rename and mkdir that it makes in the store, for
the output or for the log. Then it is killed at random moments of its life. After each: every version passes `models
verify`, `predict` works with the current one, the output and the log are the old ones or the new ones, whole, nothing
lies there that docs/reliability.md does not name, and the same command, run again, succeeds. Two programs that write in
place are the control: they must be found broken. Last, whole processes that overlap (crowds.py).
A line that is there without a fault is left out, so a run that was stopped goes on; --again does them all.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

import injecting
import record
from crowds import CROWDS, rounds
from injecting import KINDS, Point
from running import one_process
from victims import (
    BROKEN,
    CONTROLS,
    MISSED,
    NEW,
    OLD,
    REPOSITORY,
    VICTIMS,
    BrokenError,
    Outcome,
    Stage,
    left_over,
    set_up,
)

DONE, UNWRITTEN, KILLED = 0, 15, -9  # how a run may end
RANDOM_KIND, TOGETHER = "kill -9", "together"
TRIES = 5  # to meet a call again: how often a thread writes elsewhere varies a little
RANDOM = {"predict --log": 1000, "models promote": 1000, "train": 50}  # kill -9 at any moment
CONTROL_NAMES = tuple(victim.name for victim in CONTROLS)
RESULTS, KEY = record.RESULTS / "faults.csv", ("what", "syscall", "kind")
FIELDS = (*KEY, "trials", OLD, NEW, BROKEN, MISSED, "refused", "seconds", "commit", "command")


@dataclass(frozen=True)
class Ended:
    """How a disturbed run ended."""

    code: int
    said: str = ""


Trial = Callable[[], Outcome]
Trials = Callable[[], list[Trial]]


class MissedError(Exception):
    """The run did not come to the call that was to fail."""


def attempt(stage: Stage, disturbed: Callable[[list[str], Path], Ended]) -> Outcome:
    """Run a victim once in a fresh folder, disturbed; look at what it left, and run it again.

    disturbed: runs a command line in a folder.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve() / "here"
        shutil.copytree(stage.template, folder)
        ended = disturbed(stage.victim.command(folder), folder)
        try:
            state = stage.judge(folder)
            if ended.code not in (DONE, UNWRITTEN, KILLED) or (ended.code == DONE and state == OLD):
                return Outcome(BROKEN, f"{state}, and exit code {ended.code}: {ended.said}")
            if ended.code != KILLED and (left := left_over(folder)):
                return Outcome(BROKEN, f"{state}, and exit code {ended.code}, but it leaves {left}")
            wrong = stage.victim.run(folder)
            if wrong or stage.judge(folder) == OLD:
                return Outcome(BROKEN, f"{state}, but run again: {wrong or 'it changes nothing'}")
        except BrokenError as error:
            return Outcome(BROKEN, str(error))
        return Outcome(state)


def injected(point: Point, kind: str, command: list[str], folder: Path) -> Ended:
    """Run a command line with a fault at a call. Raises MissedError where that did not happen, or elsewhere."""
    log = folder.parent / "calls"
    done = injecting.traced(command, log, injecting.fault_at(point, kind))
    if not injecting.was_met(log, done, kind) or point not in injecting.points(log, folder):
        raise MissedError(f"{point} was not met")
    return Ended(done.returncode, done.stderr)


def killed(delay: float, command: list[str], _: Path) -> Ended:
    """Run a command line, and kill it after some seconds."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.kill()
        said = process.communicate()[1]
    return Ended(process.returncode, said)


def at_point(stage: Stage, kind: str, point: Point) -> Outcome:
    """Put one fault at one call of a victim."""
    for _ in range(TRIES):
        try:
            return attempt(stage, partial(injected, point, kind))
        except MissedError as error:
            missed = Outcome(MISSED, str(error))
    return missed


def at_random(stage: Stage, life: float, number: int) -> Outcome:
    """Kill a victim at a random moment of its life, of so many seconds."""
    return attempt(stage, partial(killed, random.Random(number).uniform(0, life)))


def life_of(stage: Stage) -> float:
    """Return how many seconds a victim takes, beside as many others as there will be: the longest of some runs."""

    def once(_: int) -> float:
        with tempfile.TemporaryDirectory() as name:
            shutil.copytree(stage.template, Path(name).resolve() / "here")
            begin = time.monotonic()
            subprocess.run(stage.victim.command(Path(name).resolve() / "here"), check=True, capture_output=True)
            return time.monotonic() - begin

    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        return max(pool.map(once, range(3 * workers)))


def at_any_moment(stage: Stage, count: int) -> list[Trial]:
    """Return what kills a victim at so many random moments."""
    life = life_of(stage)
    return [partial(at_random, stage, life, number) for number in range(count)]


def lines(stage: Stage) -> Iterator[tuple[str, str, Trials]]:
    """Yield the lines of a victim: the calls, the kind of fault, and what makes the trials of it."""
    for syscall, points in groupby(sorted(stage.points), key=lambda point: point.syscall):
        places = list(points)
        for kind in KINDS:
            yield (
                syscall,
                kind,
                lambda kind=kind, places=places: [partial(at_point, stage, kind, one) for one in places],
            )
    count = RANDOM.get(stage.victim.name, 0)
    if count:
        yield "any", RANDOM_KIND, partial(at_any_moment, stage, count)


def every_line(
    folder: Path, wanted: Callable[[str], bool]
) -> Iterator[tuple[str, str, str, Callable[[], list[Trial]]]]:
    """Yield what there is to try: the command, the calls, the kind of fault, and what makes the trials."""
    for victim in (*CONTROLS, *VICTIMS):
        if wanted(victim.name):
            stage = set_up(victim, folder / victim.name)
            yield from ((victim.name, *line) for line in lines(stage))
    for crowd in CROWDS:
        if wanted(crowd.name):
            yield crowd.name, "any", TOGETHER, partial(rounds, crowd, folder / crowd.name)


def run_line(key: tuple[str, str, str], trials: list[Trial], pool: ProcessPoolExecutor) -> bool:
    """Make all trials of a line and write it; tell whether it is as it should be."""
    begin, commit = time.monotonic(), record.commit()
    outcomes = list(pool.map(call, trials))
    counts = Counter(one.state for one in outcomes)
    control = key[0] in CONTROL_NAMES
    for number, one in enumerate(outcomes):
        if one.state == BROKEN and not control:
            print(f"{', '.join(key)}, {number}: {one.why}", file=sys.stderr, flush=True)
    row = {
        **dict(zip(KEY, key, strict=True)),
        "trials": len(trials),
        **{state: counts[state] for state in (OLD, NEW, BROKEN, MISSED)},
        "refused": sum(one.refused for one in outcomes),
        "seconds": round(time.monotonic() - begin),
        "commit": commit,
        "command": f"python benchmarks/faults.py --part '{key[0]}'",
    }
    record.merge(RESULTS, [row], FIELDS, KEY)
    return control or not counts[BROKEN]


def table(rows: list[dict[str, str]]) -> str:
    """Return the results as a table in Markdown: a line for each command, with empty cells for what was not tried."""
    kinds = {**{kind: kind for kind in KINDS}, RANDOM_KIND: "`kill -9`, any moment", TOGETHER: "overlaps"}
    sums = {OLD: "old", NEW: "new", BROKEN: "**broken**", "refused": "left with 11"}
    lines = [["", *kinds.values(), *sums.values()], ["---"] + ["--:"] * (len(kinds) + len(sums))]
    for what in (*(one.name for one in (*VICTIMS, *CROWDS)), *CONTROL_NAMES):
        found = [row for row in rows if row["what"] == what]
        tried = [sum(int(row["trials"]) - int(row[MISSED]) for row in found if row["kind"] == kind) for kind in kinds]
        ended = [f"{sum(int(row[name]) for row in found):,}" if found else "" for name in sums]
        lines.append([f"`{what}`", *(f"{count:,}" if count else "" for count in tried), *ended])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def call(trial: Trial) -> Outcome:
    """Make one trial."""
    return trial()


def prepare_worker() -> None:
    """Let this process run command lines itself."""
    ExitStack().enter_context(one_process("ignore"))


def main() -> None:
    """Disturb everything that was asked for, and write a line for each kind of fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", metavar="WORD", help="only what has a name that begins like this")
    parser.add_argument("--again", action="store_true", help="also what has its line")
    parser.add_argument("--table", action="store_true", help="only print the results as docs/reliability.md shows them")
    given = parser.parse_args()
    if given.table:
        print(table(record.read(RESULTS)))
        return
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, (REPOSITORY, REPOSITORY / "benchmarks")))
    workers = ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), prepare_worker)
    failed = []
    with one_process("ignore"), workers as pool, tempfile.TemporaryDirectory() as name:
        for *words, trials in every_line(Path(name).resolve(), lambda one: one.startswith(tuple(given.part or ("",)))):
            key = tuple(words)
            sound = {} if key[0] in CONTROL_NAMES else {BROKEN: 0}
            done = not given.again and record.has(RESULTS, dict(zip(KEY, key, strict=True)) | sound)
            if not done and not run_line(key, trials(), pool):
                failed.append(" ".join(key))
    broken = {row["what"] for row in record.read(RESULTS) if int(row[BROKEN])}
    failed += [f"{name} is not found broken" for name in CONTROL_NAMES if name not in broken]
    if failed:
        raise SystemExit("\n".join(["Failed:", *failed]))


if __name__ == "__main__":
    main()
