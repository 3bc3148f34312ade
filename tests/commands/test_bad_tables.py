"""Every case in tests/bad_tables: what is said, that nothing else is written, and that the advice works."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from forecast import pipeline, planning, store, tables
from forecast.commands import app, run
from forecast.evaluation import calibration
from forecast.forecasters.fitted import Fitted, Kind
from forecast.matching import value_ranges
from forecast.options import ReadOptions, TrainOptions
from forecast.panels.clock import on_clock
from forecast.panels.panel import Panel
from forecast.panels.units import seasonal_difference
from forecast.pipeline import context_of
from forecast.trained import Trained
from tests.commands.bad_tables import FILES, FOLDER, Case, Mend, Words, flags_in, read_cases

CASES = read_cases()
COMMAND = typer.main.get_command(app)  # made once: it takes as long as most of the runs
# What is written with -o differs between the two.
REFUSED = [case for case in CASES if case.words[0] == "check" and case.code and "-o" not in case.words]
MENDED = [pytest.param(case, mend, id=f"{case.name}-{n}") for case in CASES for n, mend in enumerate(case.mends)]


class World:
    """A folder in which command lines are run, and what they say."""

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str], case: Case
    ) -> None:
        """Lay out the case, and train its model."""
        self._patch, self._capture, self._readings = patch, capture, list[Any]()
        patch.chdir(folder)
        patch.setattr(typer.main, "get_command", lambda _: COMMAND)
        case.lay_out(folder)
        if case.train:
            self._train(case.train)
        self._keep_readings()

    def run(self, words: Words) -> tuple[int, str, str]:
        """Run a command line; return its exit code and what it said on both streams."""
        words, files = (words[: words.index("<")], words[words.index("<") + 1 :]) if "<" in words else (words, ())
        self._readings.clear()
        if files:
            with open(files[0], encoding="utf-8") as stream:
                self._patch.setattr("sys.stdin", stream)
                code = run(words)
        else:
            code = run(words)
        said = self._capture.readouterr()
        return code, said.out, re.sub(r"[\d,]+ MB are free", "N MB are free", said.err)

    def read(self) -> list[list[Any]]:
        """Return id, first time and values of each series that the last command line has read."""
        panel = self._readings[-1].panel
        firsts = panel.calendar.render(panel.starts)
        return [
            [name, first, *(None if np.isnan(value) else value for value in panel.values(row).tolist())]
            for row, (name, first) in enumerate(zip(panel.ids, firsts, strict=True))
        ]

    def _train(self, words: Words) -> None:
        """Publish what repeats the last season, where the command would train a network."""

        def train(panel: Panel, options: TrainOptions, read: ReadOptions, source: Any, *_: Any, **__: Any) -> None:
            store.publish("models", words[1].partition(".")[0], _naive(panel, options, read, source), lambda _: {})
            raise KeyboardInterrupt  # there is no more to see of this command

        with self._patch.context() as patch:
            patch.setattr(pipeline, "train", train)
            assert run(words) == 130
        self._capture.readouterr()

    def _keep_readings(self) -> None:
        """Keep what is read."""
        real = tables.read_panel

        def read_panel(*arguments: Any, **options: Any) -> Any:
            self._readings.append(real(*arguments, **options))
            return self._readings[-1]

        self._patch.setattr(tables, "read_panel", read_panel)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], case: Case) -> World:
    return World(tmp_path, monkeypatch, capsys, case)


def _naive(panel: Panel, options: TrainOptions, read: ReadOptions, source: dict[str, Any]) -> Trained:
    panel = on_clock(panel)
    plan, _ = planning.prepare(panel, options, read)
    return Trained(
        plan=plan,
        read=read,
        calendar=panel.calendar,
        ids=panel.ids,
        fitted=(Fitted(Kind.SEASONAL_NAIVE),),
        weights=(1.0,),
        units=seasonal_difference(panel, plan.season),
        calibration=calibration.none(plan),
        context=context_of(panel, plan),
        source=source,
        encodings=panel.encodings,
        ranges=value_ranges(panel),
    )


def files_of(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return every path below a folder, with what changes when it is written to."""
    found = {}
    for path in folder.rglob("*"):
        one = path.lstat()
        written = () if path.is_dir() else (one.st_size, one.st_mtime_ns)  # of a folder it follows from what is in it
        found[path.relative_to(folder).as_posix()] = (one.st_mode, one.st_ino, *written)
    return found


def error_of(said: str) -> list[str]:
    """Return the lines from the error on."""
    return said[max(0, said.find("Error: ")) :].splitlines()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_command_says_what_is_expected_and_writes_nothing_else(case: Case, world: World, tmp_path: Path) -> None:
    before = files_of(tmp_path)
    code, out, err = world.run(case.words)
    if case.code == 0 and case.words[0] == "check":
        lines = [line.strip() for line in out.splitlines()]
        assert [line for line in case.said if line not in lines] == []
        assert err == ""
    else:
        assert err.splitlines() == list(case.said)
    assert code == case.code
    after = files_of(tmp_path)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert sorted(changed) == sorted(case.writes)
    if case.reads:
        assert world.read() == list(case.reads)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_train_refuses_in_the_words_of_check_and_writes_nothing(case: Case, world: World, tmp_path: Path) -> None:
    before = files_of(tmp_path)
    code, _, err = world.run(("train", *case.words[1:], "-m", "models/any"))
    assert (code, error_of(err)) == (case.code, list(case.said))
    assert files_of(tmp_path) == before


@pytest.mark.parametrize(("case", "mend"), MENDED)
def test_what_the_message_advises_mends_it(case: Case, mend: Mend, world: World, tmp_path: Path) -> None:
    case.mend(mend, tmp_path)
    code, out, err = world.run(mend.words)
    assert (code, error_of(err) if code else []) == (0, []), out
    if mend.reads:
        assert world.read() == list(mend.reads)


@pytest.mark.parametrize("case", [case for case in CASES if case.code], ids=lambda case: case.name)
def test_a_mend_uses_only_what_the_message_names(case: Case) -> None:
    named = flags_in("\n".join(case.said)) | set(filter(flags_in, case.words))
    assert case.mends, f"write {case.name}.mend: what the message advises"
    assert {word for mend in case.mends for word in mend.words if flags_in(word) == {word}} <= named


def test_every_option_that_a_message_names_is_tried() -> None:
    named = {flag for case in CASES if case.code for flag in flags_in("\n".join(case.said))}
    tried = {word for case in CASES for mend in case.mends for word in (*mend.words, *case.words)}
    assert sorted(named - tried) == []


def test_every_row_of_the_list_has_two_cases() -> None:
    listed = [int(row) for row in re.findall(r"^\| (\d+) \|", (FOLDER / "README.md").read_text(), re.MULTILINE)]
    assert listed == list(range(1, 41))
    assert {row: [case.name for case in CASES if row in case.rows] for row in listed if _count(row) < 2} == {}


def _count(row: int) -> int:
    return sum(row in case.rows for case in CASES)


def test_no_file_is_there_for_nothing() -> None:
    used = {name for case in CASES for name in (case.table, f"{case.name}.expect", f"{case.name}.mend") if name}
    assert {entry.name for entry in os.scandir(FOLDER)} - used == {"README.md", "files"}
    assert [case.name for case in CASES if case.mends and not case.code] == []
    words = {word for case in CASES for one in (case, *case.mends) for word in one.words}
    words |= {word for case in CASES for word in case.train} | {mend.file for case in CASES for mend in case.mends}
    assert {entry.name for entry in os.scandir(FILES)} - words == set()
