"""Surroundings that only root can make: a full disk, a store and a home that cannot be written, a clock that jumps.

Needs root (mount) and faketime: `make test-system`.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import victims
from night_program import FAKETIME

REPOSITORY = Path(__file__).resolve().parents[2]
JOB = f"""
[forecast]
models = 'store'
model = 'reference-1'
[data]
path = '{REPOSITORY / "data" / "us_employment.csv"}'
[predict]
output = 'out/predictions.csv'
record = 'record.json'
[job.nightly]
steps = ["predict"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a job, a store of its own and an old forecast."""
    (tmp_path / "forecast.toml").write_text(JOB, encoding="utf-8")
    (tmp_path / "out").mkdir()
    shutil.copytree(REPOSITORY / "models" / "reference-1", tmp_path / "store" / "reference-1")
    return tmp_path


@contextmanager
def mounted(*words: str | Path) -> Iterator[None]:
    """Mount what `mount` is told, the mount point last, and take it away again."""
    subprocess.run(["mount", *map(str, words)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(words[-1])], check=True)


def run_job(folder: Path, *before: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the job with this environment and no other."""
    variables = [f"{name}={value}" for name, value in environment.items()]
    program = [sys.executable, "-B", str(REPOSITORY / "cli.py"), "run", "nightly", "-q"]
    return subprocess.run(
        ["env", "-i", *variables, *before, *program, "--config", str(folder / "forecast.toml")],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_full_disk_leaves_the_old_forecast_and_nothing_else(folder: Path) -> None:
    out = folder / "out"
    with mounted("-t", "tmpfs", "-o", "size=8k", "tmpfs", out):
        (out / "predictions.csv").write_bytes(b"the old forecast\n")
        done = run_job(folder)
        assert (done.returncode, done.stdout) == (15, "")
        assert done.stderr.startswith("Error: out/predictions.csv: the file cannot be written: ")
        assert [path.name for path in out.iterdir()] == ["predictions.csv"]
        assert (out / "predictions.csv").read_bytes() == b"the old forecast\n"
    assert run_job(folder).returncode == 0  # with room, the retry succeeds


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a store with four versions of a model, beside it a small table to train on."""
    victims.TRAIN.prepare(tmp_path)
    return tmp_path / "models"


def forecast(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command line."""
    program = [sys.executable, "-B", str(REPOSITORY / "cli.py"), *map(str, words)]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=300)


def test_a_training_onto_a_full_disk_leaves_the_old_model_and_what_it_has_learned(store: Path, tmp_path: Path) -> None:
    before, disk = store_files(store), tmp_path / "disk"
    disk.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=420k", "tmpfs", disk):
        shutil.copytree(store, disk / "models")
        words = [word.replace(victims.HERE, str(disk)) for word in victims.TRAIN.words]
        shutil.copy(tmp_path / "table.csv", disk / "table.csv")
        done = forecast(*words)
        assert (done.returncode, done.stdout) == (15, "")
        message, _, checkpoint = done.stderr.splitlines()
        assert checkpoint == "A checkpoint of the training is kept: the same command with --resume goes on from it."
        assert message.startswith(f"Error: {disk}/models/m: the model cannot be published, m@20260104T000000Z-")
        assert message.endswith(" stays current: the disk is full.")
        kept = store_files(disk / "models")
        assert {name: data for name, data in kept.items() if "/checkpoint/" not in name} == before
        subprocess.run(["mount", "-o", "remount,size=10m", str(disk)], check=True)
        assert forecast(*words, "--resume").returncode == 0  # with room, the retry succeeds
        assert not (disk / "models" / "m" / "checkpoint").exists()
        assert forecast("models", "verify", "--models", disk / "models").returncode == 0


def test_a_version_cannot_be_promoted_on_a_full_disk(store: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=1m", "tmpfs", disk):
        models = disk / "models"
        shutil.copytree(store, models)
        before = store_files(models)
        with pytest.raises(OSError, match="No space"):
            (disk / "filler").write_bytes(bytes(1 << 21))
        done = forecast("models", "rollback", "m", "--models", models)
        assert (done.returncode, done.stdout) == (15, "")
        assert ": the disk is full.\n" in done.stderr
        assert store_files(models) == before
        (disk / "filler").unlink()
        assert forecast("models", "rollback", "m", "--models", models).returncode == 0


def test_a_store_that_cannot_be_written_is_read_and_not_changed(store: Path) -> None:
    with mounted("--bind", "-o", "ro", store, store):
        for words in (["rollback", "m"], ["prune"]):
            done = forecast("models", *words, "--models", store)
            assert (done.returncode, done.stdout) == (15, "")
            assert done.stderr.startswith(f"Error: {store}/m: it cannot be locked: the file system is read-only.\n")
        done = forecast("models", "verify", "-q", "--models", store)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        for name in ("m", "new"):
            done = forecast("train", REPOSITORY / "data" / "us_employment.csv", "--models", store, "-m", name)
            assert (done.returncode, done.stdout) == (15, "")
            place = f"{store}/m/versions" if name == "m" else store
            assert done.stderr.startswith(
                f"Error: {place}: nothing can be written there, so what is trained"
            )  # at once


def store_files(models: Path) -> dict[str, bytes]:
    """Return every file of a store but its locks."""
    found = (path for path in models.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(models)): path.read_bytes() for path in found}


def test_a_store_a_home_and_a_temp_folder_that_cannot_be_written_are_no_obstacle(folder: Path) -> None:
    store, home = folder / "store", folder / "home"
    home.mkdir()
    with mounted("--bind", "-o", "ro", store, store), mounted("-t", "tmpfs", "-o", "ro", "tmpfs", home):
        with pytest.raises(OSError, match="Read-only"):
            (store / "probe").touch()
        done = run_job(folder, HOME=str(home), TMPDIR=str(home))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_output_that_cannot_be_written_keeps_the_old_forecast(folder: Path) -> None:
    out = folder / "out"
    (out / "predictions.csv").write_bytes(b"the old forecast\n")
    with mounted("--bind", "-o", "ro", out, out):
        done = run_job(folder)
    assert done.returncode == 15
    assert (out / "predictions.csv").read_bytes() == b"the old forecast\n"


@pytest.mark.parametrize("clock", ["-20y", "+20y", "+0 i-3600", "+0 i+86400"], ids=["past", "future", "back", "on"])
def test_a_clock_that_is_wrong_or_jumps_changes_no_byte(folder: Path, clock: str) -> None:
    assert run_job(folder).returncode == 0
    expected = (folder / "out" / "predictions.csv").read_bytes()
    assert shutil.which("faketime"), "faketime is missing: run `make test-system` as root"
    # What jumps is the time of day; seconds since the start of the machine never do.
    done = run_job(folder, *FAKETIME, clock, FAKETIME_DONT_FAKE_MONOTONIC="1")
    assert (done.returncode, done.stdout) == (0, "")
    assert (folder / "out" / "predictions.csv").read_bytes() == expected
    assert json.loads((folder / "record.json").read_text())["wall_seconds"] >= 0
