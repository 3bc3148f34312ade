"""Faults in the middle of publishing, made with strace: a reader finds the old result or the new one, whole.

Thirty of the faults of `make bench-faults`, by the same code. Needs strace and the right to trace one's own processes:
`make test-system`.
"""

import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import faults
import injecting
import pytest
from crowds import CROWDS, Crowd, rounds
from running import one_process
from victims import BROKEN, CONTROLS, HERE, PREDICT, PROMOTE, REPOSITORY, Stage, Victim, publish, set_up

from forecast import store

# What a training does when it has trained.
PUBLISH = """
import sys
from forecast import ForecastError, store
source, models = sys.argv[1:]
loaded = store.load(source, "reference-1")
golden = (loaded.path / "golden.json").read_bytes()
try:
    store.publish(models, "m", loaded.trained, lambda model: {"golden.json": golden})
except ForecastError as error:
    sys.exit(error.exit_code)
"""
PROGRAM = (sys.executable, "-c", PUBLISH, str(REPOSITORY / "models"))
COUNT = 10  # faults for each command


PUBLICATION = Victim("publish", (f"{HERE}/models",), partial(publish, count=4), PROGRAM)


@pytest.fixture(scope="module", autouse=True)
def in_one_process() -> Iterator[None]:
    """Let the benchmark look at what is left with commands that run in this process."""
    with one_process("ignore"):
        yield


@pytest.fixture(scope="module")
def stage_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Victim], Stage]:
    """Return what sets up a command, once for all its faults."""
    made: dict[str, Stage] = {}

    def stage(victim: Victim) -> Stage:
        if victim.name not in made:
            made[victim.name] = set_up(victim, tmp_path_factory.mktemp("victim").resolve())
        return made[victim.name]

    return stage


@pytest.mark.parametrize("number", range(COUNT))
@pytest.mark.parametrize("victim", [PREDICT, PROMOTE, PUBLICATION], ids=lambda victim: victim.name)
def test_a_fault_leaves_the_old_result_or_the_new_one_and_a_retry_succeeds(
    stage_of: Callable[[Victim], Stage], victim: Victim, number: int
) -> None:
    stage = stage_of(victim)
    kind = list(injecting.KINDS)[number % len(injecting.KINDS)]
    found = faults.at_point(stage, kind, stage.points[number * len(stage.points) // COUNT])
    assert (found.state != BROKEN, found.why) == (True, "")


@pytest.mark.parametrize("victim", CONTROLS, ids=lambda victim: victim.name)
def test_who_writes_in_place_is_found_broken(stage_of: Callable[[Victim], Stage], victim: Victim) -> None:
    stage = stage_of(victim)
    for kind in injecting.KINDS:
        assert faults.at_point(stage, kind, stage.points[0]).state == BROKEN


@pytest.mark.parametrize("crowd", CROWDS, ids=lambda crowd: crowd.name)
def test_whole_processes_may_overlap(tmp_path: Path, crowd: Crowd) -> None:
    for trial in rounds(crowd, tmp_path / "crowd", count=2):
        found = trial()
        assert (found.state != BROKEN, found.why) == (True, "")


def test_a_forecast_is_flushed_before_it_replaces_the_old_one_and_its_folder_after(
    stage_of: Callable[[Victim], Stage],
) -> None:
    folder = stage_of(PREDICT).template.parent
    (*_, before), source, (after, *_) = split_at_rename(folder, "predictions.csv")
    assert before == source
    assert after == str(folder / "sound" / "out")


def test_a_version_is_flushed_before_it_becomes_the_current_one(stage_of: Callable[[Victim], Stage]) -> None:
    stage = stage_of(PUBLICATION)
    home = stage.template.parent / "sound" / "models" / "m"
    (version,) = set(store.versions_of(home)) - stage.known
    before, _, after = split_at_rename(stage.template.parent, "CURRENT")
    flushed = {Path(path).name for path in before}
    assert {path.name for path in (home / "versions" / version).iterdir()} - flushed == set()
    assert after[0] == str(home)


def split_at_rename(folder: Path, target: str) -> tuple[list[str], str, list[str]]:
    """Return what was flushed before the rename onto a target, what was renamed, and what was flushed after."""
    log = (folder / "calls").read_text()
    (place,) = re.finditer(rf'rename\w*\("([^"]+)", "[^"]*/{target}"\)', log)
    flushes = [re.findall(r"sync\(\d+<([^>]+)>", part) for part in (log[: place.start()], log[place.end() :])]
    return flushes[0], place[1], flushes[1]
