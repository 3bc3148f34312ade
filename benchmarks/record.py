"""What every benchmark notes beside its figures: the commit, and the lines of a file of results."""

import csv
import subprocess
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def commit() -> str:
    """Return the commit that is measured, with -dirty where files differ from it."""
    describe = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(describe, check=True, capture_output=True, text=True, cwd=RESULTS.parent).stdout.strip()


def write(name: str, rows: list[dict[str, Any]]) -> None:
    """Write the lines of one run to benchmarks/results/NAME, in place of those of the last, and print them."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(row, flush=True)
