"""The same bundle, data and machine: the same bytes, whatever the environment says."""

import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
TABLE = (REPOSITORY / "data" / "us_employment.csv").read_text(encoding="utf-8").splitlines()
HEAD, ROWS = TABLE[0], TABLE[1:]
IDS = list(dict.fromkeys(row.split(",")[0] for row in ROWS))
# A horizon beyond the trained one, so that the forecast is fed back; a series that is new, and one that is short.
TONIGHT = [row.replace(f"{IDS[2]},", "brand new,") for row in ROWS if not row.startswith(f"{IDS[4]},200")]


def predicted(folder: Path, rows: Sequence[str], **environment: str) -> bytes:
    """Return the bytes that a process of its own writes."""
    (folder / "new.csv").write_text("\n".join([HEAD, *rows]) + "\n", encoding="utf-8")
    command = [sys.executable, str(REPOSITORY / "cli.py"), "predict", "new.csv", "-q", "-H", "15", "-o", "out.csv"]
    command += ["--models", str(REPOSITORY / "models"), "-m", "reference-1"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return (folder / "out.csv").read_bytes()


@pytest.fixture(scope="module")
def tonight(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return predicted(tmp_path_factory.mktemp("tonight"), TONIGHT)


@pytest.mark.parametrize(("threads", "seed"), [("1", "0"), ("2", "1"), ("4", "random")])
def test_threads_and_hashes_change_no_byte(tmp_path: Path, tonight: bytes, threads: str, seed: str) -> None:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    assert predicted(tmp_path, TONIGHT, **dict.fromkeys(names, threads), PYTHONHASHSEED=seed) == tonight


def test_the_order_of_the_rows_of_a_series_changes_no_byte(tmp_path: Path, tonight: bytes) -> None:
    rows = sorted(TONIGHT, key=lambda row: row.split(",")[1], reverse=True)
    order = [row.split(",")[0] for row in TONIGHT]
    rows.sort(key=lambda row: order.index(row.split(",")[0]))  # newest first, the series as they were
    assert rows != TONIGHT
    assert predicted(tmp_path, rows) == tonight


def test_the_order_and_the_number_of_series_change_no_line_of_the_others(tmp_path: Path, tonight: bytes) -> None:
    rows = [row for row in TONIGHT if not row.startswith(f"{IDS[7]},")]
    random.Random(1).shuffle(rows)
    first = list(dict.fromkeys(row.split(",")[0] for row in rows))
    found = predicted(tmp_path, rows).decode().splitlines()
    assert list(dict.fromkeys(line.split(",")[0] for line in found[1:])) == first  # ids in the order of the input
    lines = tonight.decode().splitlines()
    assert sorted(found) == sorted(line for line in lines if not line.startswith(f"{IDS[7]},"))
