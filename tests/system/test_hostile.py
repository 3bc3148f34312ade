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
    faketime = shutil.which("faketime")
    assert faketime is not None, "faketime is missing: `apt-get install faketime`, or run `make test-system` as root"
    # What jumps is the time of day; seconds since the start of the machine never do.
    done = run_job(folder, faketime, "-f", clock, FAKETIME_DONT_FAKE_MONOTONIC="1")
    assert (done.returncode, done.stdout) == (0, "")
    assert (folder / "out" / "predictions.csv").read_bytes() == expected
    assert json.loads((folder / "record.json").read_text())["wall_seconds"] >= 0
