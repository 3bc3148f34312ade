"""What has a line is not run again, and no process of a rival computes for ever."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import accuracy
import pytest
import record
import rivals

from forecast.options import Preset


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the words of each training that is started: it writes its lines at once, in a folder of its own."""
    words: list[list[str]] = []

    def run(command: list[str], check: bool) -> None:
        words.append(command[2:])
        cut = "--cut-recurrence" in command
        one = accuracy.Run(accuracy.SETS[command[2]], tmp_path, Preset.BALANCED, 1, "--parts" in command, cut)
        lines = [{"set": command[2], "part": part, "preset": "balanced", "seed": 1} for part in one.names]
        record.merge(tmp_path / "accuracy" / f"{command[2]}.csv", lines, accuracy.FIELDS, accuracy.KEY)

    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(subprocess, "run", run)
    return words


def measure(monkeypatch: pytest.MonkeyPatch, module: Any, *words: str) -> None:
    """Run a benchmark with these words."""
    monkeypatch.setattr(sys, "argv", [f"{module.__name__}.py", *words])
    module.main()


def test_a_set_that_has_its_lines_is_not_trained_again(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        measure(monkeypatch, accuracy, "nyc_taxi")
    assert len(started) == 1


@pytest.mark.parametrize("words", [["--seed", "2"], ["--preset", "best"], ["--parts"], ["--cut-recurrence"]])
def test_what_has_no_line_yet_is_trained(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    measure(monkeypatch, accuracy, "nyc_taxi")
    measure(monkeypatch, accuracy, "nyc_taxi", *words)
    assert len(started) == 2


def test_a_line_is_measured_again_when_that_is_asked_for(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(monkeypatch, accuracy, "nyc_taxi")
    measure(monkeypatch, accuracy, "nyc_taxi", "--again")
    assert len(started) == 2


def test_a_rival_that_has_its_line_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = []
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(record, "commit", lambda: "abc")
    monkeypatch.setattr(rivals, "load_case", lambda one, folder: one)
    monkeypatch.setattr(rivals, "run_model", lambda case, model, seed, minutes: run.append(model) or {"mase": 0.5})
    measure(monkeypatch, rivals, "nyc_taxi", "--model", "MSTL")
    measure(monkeypatch, rivals, "nyc_taxi", "--model", "MSTL", "--model", "AutoETS")
    assert run == ["MSTL", "AutoETS"]


def test_a_process_that_computes_for_too_long_is_ended_and_named_so() -> None:
    assert rivals.run_limited([sys.executable, "-c", "while True: pass"], 1 / 60)["outcome"] == "over 0.0166667 minutes"


def test_a_process_that_fails_is_named_so(capfd: pytest.CaptureFixture[str]) -> None:
    assert rivals.run_limited([sys.executable, "-c", "1 / 0"], 1)["outcome"] == "failed"


def test_a_process_that_ends_is_named_so() -> None:
    assert rivals.run_limited([sys.executable, "-c", ""], 1)["outcome"] == "done"
