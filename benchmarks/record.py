"""What every benchmark notes beside its figures: the commit, and the lines of a file of results."""

import csv
import fcntl
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def commit() -> str:
    """Return the commit that is measured, with -dirty where files other than results differ from it."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], check=True, capture_output=True, text=True, cwd=RESULTS.parent.parent)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results")
    return git("describe", "--always") + ("-dirty" if changed else "")


def write(name: str, rows: list[dict[str, Any]]) -> None:
    """Write the lines of one run to benchmarks/results/NAME, in place of those of the last, and print them."""
    RESULTS.mkdir(exist_ok=True)
    _write(RESULTS / name, rows, list(rows[0]))
    for row in rows:
        print(row, flush=True)


def read(path: Path) -> list[dict[str, str]]:
    """Return the lines of a file of results; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def has(path: Path, key: dict[str, Any]) -> bool:
    """Tell whether a file of results has a line with these values."""
    return any(all(row.get(name) == str(value) for name, value in key.items()) for row in read(path))


def merge(
    path: Path, rows: list[dict[str, Any]], fields: Sequence[str], key: Sequence[str], quiet: bool = False
) -> None:
    """Add lines to a file of results, in place of those that have the same key, and print them unless quiet."""
    fresh = [{name: str(row.get(name, "")) for name in fields} for row in rows]
    replaced = {tuple(row[name] for name in key) for row in fresh}
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # two models of one set may end at the same moment
        kept = [row for row in read(path) if tuple(row[name] for name in key) not in replaced]
        _write(path, [*kept, *fresh], fields)
    finally:
        os.close(folder)
    for row in () if quiet else fresh:
        print({name: value for name, value in row.items() if value}, flush=True)


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Return a line with its fractions written to a tenth of a percent or better."""
    return {name: f"{value:.5g}" if isinstance(value, float) else value for name, value in row.items()}


def _write(path: Path, rows: Sequence[dict[str, Any]], fields: Sequence[str]) -> None:
    """Write a file of results whole or not at all: a benchmark that is stopped must find what it had."""
    new = path.with_name(f"{path.name}.new")
    with new.open("w", newline="") as file:
        writer = csv.DictWriter(file, fields, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(new, path)
