"""Whole trainings that are killed, stopped and gone on with: `make test-system`, for they take minutes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SHORT = ["--members", "2", "--epochs", "6", "--units", "8", "-H", "7", "--forecaster", "network"]  # so it is published
ENDLESS = ["--members", "2", "--epochs", "100000", "--patience", "100000", "--units", "8", "-H", "7"]
KEPT = "A checkpoint of the training is kept: the same command with --resume goes on from it."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a table of one shop that sells more on some weekdays."""
    rng = np.random.default_rng(0)
    days = np.datetime64("2024-01-01") + np.arange(120)
    sales = 20 * (1 + 0.3 * np.sin(2 * np.pi * np.arange(120) / 7) + 0.05 * rng.standard_normal(120))
    rows = [f"{day},{value:.4f}" for day, value in zip(days, sales, strict=True)]
    (tmp_path / "sales.csv").write_text("\n".join(["day,sales", *rows]) + "\n", encoding="utf-8")
    return tmp_path


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a training in a folder with nothing in its environment."""
    command = ["env", "-i", sys.executable, "-B", str(REPOSITORY / "cli.py"), "train", "sales.csv", *arguments]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def train(folder: Path, *arguments: str) -> list[str]:
    """Train to the end; return what it said."""
    with started(folder, *arguments) as process:
        _, said = process.communicate(timeout=600)
    assert process.returncode == 0, said
    return said.splitlines()


def wait_for(process: subprocess.Popen[str], happened: Callable[[], bool]) -> None:
    """Wait until something has happened while the process runs."""
    while not happened():
        assert process.poll() is None, "it ended before that"
        time.sleep(0.01)


def checkpoint(folder: Path) -> Path:
    return folder / "models" / "sales" / "checkpoint"


def finished(folder: Path) -> int:
    """Return how many networks the checkpoint holds that have finished."""
    return len(list(checkpoint(folder).glob("finished-*")))


def weights(folder: Path) -> dict[str, bytes]:
    """Return what the published model forecasts with."""
    (version,) = (folder / "models" / "sales" / "versions").iterdir()
    return {name: (version / name).read_bytes() for name in ("weights.safetensors", "scaling.safetensors")}


def test_a_training_that_is_killed_and_resumed_gives_the_weights_of_one_that_was_not(folder: Path) -> None:
    train(folder, *SHORT)
    whole = weights(folder)
    os.rename(folder / "models", folder / "whole")
    for networks in (0, 1, 2, 3):  # in each training, while the first network learns and while the second one does
        with started(folder, *SHORT, "--resume") as process:
            wait_for(process, lambda networks=networks: finished(folder) >= networks)
            before = last_write(folder)
            wait_for(process, lambda before=before: last_write(folder) != before)
            process.send_signal(signal.SIGKILL)
    said = train(folder, *SHORT, "--resume")
    assert "--resume: sales goes on from its checkpoint, of 3 finished networks and one under way." in said
    assert weights(folder) == whole
    assert sorted(os.listdir(folder / "models" / "sales")) == [".lock", "CURRENT", "versions"]


def last_write(folder: Path) -> tuple[int, int] | None:
    """Return which file is under way; None where none is."""
    try:
        found = os.stat(checkpoint(folder) / "under-way")
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


@pytest.mark.parametrize("seconds", [1, 3, 8])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_training_that_is_told_to_stop_is_gone_within_ten_seconds(
    folder: Path, number: signal.Signals, code: int, seconds: int
) -> None:
    with started(folder, *ENDLESS) as process:
        time.sleep(seconds)
        begun = time.monotonic()
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert time.monotonic() - begun < 10
    assert process.returncode == code
    kept = [KEPT] * checkpoint(folder).exists()
    assert said.splitlines()[-1 - len(kept) :] == [
        f"Error: stopped by {number.name}; the last complete result is in place.",
        *kept,
    ]


def test_a_training_that_was_stopped_while_it_learned_has_a_checkpoint(folder: Path) -> None:
    with started(folder, *ENDLESS) as process:
        wait_for(process, lambda: last_write(folder) is not None)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said.splitlines()[-1]) == (143, KEPT)
    assert sorted(os.listdir(checkpoint(folder))) == [".lock", "under-way"]
