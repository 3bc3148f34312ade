"""What every benchmark notes beside its figures: the commit, and the lines of a file of results."""

import csv
import io
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def commit() -> str:
    """Return the commit that is measured, with -dirty where files other than results differ from it."""
    root = RESULTS.parent.parent
    describe = ["git", "describe", "--always"]
    name = subprocess.run(describe, check=True, capture_output=True, text=True, cwd=root).stdout.strip()
    differ = ["git", "diff", "--quiet", "HEAD", "--", ".", ":(exclude)benchmarks/results"]
    return f"{name}-dirty" if subprocess.run(differ, check=False, cwd=root).returncode else name


def write(name: str, rows: list[dict[str, Any]]) -> None:
    """Write the lines of one run to benchmarks/results/NAME, in place of those of the last, and print them."""
    _store(name, rows)
    for row in rows:
        print(row, flush=True)


def read(name: str) -> list[dict[str, str]]:
    """Return the lines of benchmarks/results/NAME, none where there is no such file."""
    path = RESULTS / name
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def replace(name: str, rows: list[dict[str, Any]], key: Sequence[str]) -> None:
    """Write rows to benchmarks/results/NAME, in place of the lines that agree with one of them in the key."""
    new = {tuple(str(row[column]) for column in key) for row in rows}
    kept = [row for row in read(name) if tuple(row[column] for column in key) not in new]
    _store(name, [*kept, *rows])


def _store(name: str, rows: list[dict[str, Any]]) -> None:
    """Write a file of results whole or not at all: a benchmark that is stopped must find what it had."""
    RESULTS.mkdir(exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    fresh = RESULTS / f"{name}.new"
    fresh.write_text(text.getvalue())
    os.replace(fresh, RESULTS / name)
