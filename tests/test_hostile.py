"""Surroundings in which cron may start a job: each leaves the same bytes in the output, and nothing anywhere else.

An empty environment and closed streams are in test_session.py; what needs root or another clock is in tests/system.
"""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
JOB = f"""
[forecast]
models = '{REPOSITORY / "models"}'
model = 'reference-1'
[data]
path = '{REPOSITORY / "data" / "us_employment.csv"}'
[predict]
output = 'out/predictions.csv'
record = 'out/record.json'
[job.nightly]
steps = ["predict"]
"""


def run_job(folder: Path, umask: str = "022", streams: str = "<&-", **environment: str) -> str:
    """Run the job of the folder from /, with this environment and no other; return what it said."""
    (folder / "out").mkdir(exist_ok=True)
    (folder / "forecast.toml").write_text(JOB, encoding="utf-8")
    variables = [f"{name}={value}" for name, value in environment.items()]
    script = f'umask {umask}; exec "$0" "$@" {streams}'
    program = [sys.executable, "-B", str(REPOSITORY / "cli.py"), "run", "nightly", "-q"]
    done = subprocess.run(
        ["env", "-i", *variables, "/bin/sh", "-c", script, *program, "--config", str(folder / "forecast.toml")],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir() if path.name != "home") == ["forecast.toml", "out"]
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["predictions.csv", "record.json"]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the forecast that is written when nothing is hostile."""
    folder = tmp_path_factory.mktemp("friendly")
    run_job(folder, **os.environ)
    return (folder / "out" / "predictions.csv").read_bytes()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LANG": "C", "LC_ALL": "C"},
        {"LANG": "de_DE.ISO-8859-1", "PYTHONUTF8": "0"},
        {"TZ": "Pacific/Apia"},
        {"HOME": "/nonexistent"},
        {"HOME": "relative", "PATH": ""},
        {"TMPDIR": "/nonexistent", "TMP": "/nonexistent", "TEMP": "/nonexistent"},
        {"OMP_NUM_THREADS": "64", "PYTHONHASHSEED": "7"},
    ],
    ids=lambda environment: " ".join(environment) or "nothing",
)
def test_a_job_does_not_depend_on_its_environment(tmp_path: Path, environment: dict[str, str], expected: bytes) -> None:
    assert run_job(tmp_path, **environment) == ""
    assert (tmp_path / "out" / "predictions.csv").read_bytes() == expected


@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "</dev/full", ">/dev/full"])
def test_a_job_does_not_depend_on_its_streams(tmp_path: Path, streams: str, expected: bytes) -> None:
    assert run_job(tmp_path, streams=streams) == ""
    assert (tmp_path / "out" / "predictions.csv").read_bytes() == expected


@pytest.mark.parametrize(("umask", "mode"), [("077", 0o600), ("000", 0o644)])
def test_a_job_leaves_no_file_that_others_may_write(tmp_path: Path, umask: str, mode: int, expected: bytes) -> None:
    assert run_job(tmp_path, umask=umask) == ""
    written = tmp_path / "out" / "predictions.csv"
    assert written.read_bytes() == expected
    assert stat.S_IMODE(written.stat().st_mode) == mode


def test_nothing_is_left_in_the_home_or_the_temp_folder(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    run_job(tmp_path, HOME=str(tmp_path / "home"), TMPDIR=str(tmp_path / "home"))
    assert list((tmp_path / "home").iterdir()) == []


def test_a_disk_that_is_full_leaves_the_old_forecast(tmp_path: Path) -> None:
    run_job(tmp_path)
    written = tmp_path / "out" / "predictions.csv"
    written.write_bytes(b"the old forecast\n")
    program = [
        sys.executable,
        str(REPOSITORY / "cli.py"),
        "run",
        "nightly",
        "--config",
        str(tmp_path / "forecast.toml"),
    ]
    done = subprocess.run(  # no file may be larger than 4 blocks of 512 bytes
        ["env", "-i", "PYTHONDONTWRITEBYTECODE=1", "/bin/sh", "-c", 'ulimit -f 4; exec "$0" "$@"', *program],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 15
    message = "Error: out/predictions.csv: the file cannot be written: the file exceeds the size limit."
    assert message in done.stderr.splitlines()
    assert written.read_bytes() == b"the old forecast\n"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["predictions.csv", "record.json"]
