"""Wall time of `forecast check` on 100,000 rows, start-up included: a fresh process each time.

    python benchmarks/check_speed.py     # half a minute on 2 cores, writes benchmarks/results/check_speed.csv

Three tables of an id, a date and a number, as CSV: 1 series, 100 and 1,000. The processor's seconds stand beside the
wall time, since a busy machine makes only that longer.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import record

FORECAST = str(Path(sys.executable).with_name("forecast"))
ROWS, LIMIT = 100_000, 1.0  # seconds


def write(path: Path, series: int) -> None:
    """Write ROWS rows of hourly series with a season of a day."""
    steps = ROWS // series
    hours = (np.datetime64("2010-01-01T00", "h") + np.arange(steps)).astype("datetime64[s]").astype(str)
    noise = np.random.default_rng(1).normal(size=(series, steps))
    values = 100 + 10 * np.sin(2 * np.pi * np.arange(steps) / 24) + noise
    with path.open("w") as table:
        table.write("id,ds,y\n")
        for number, row in enumerate(values):
            table.writelines(f"s{number},{hour},{value:.3f}\n" for hour, value in zip(hours, row, strict=True))


def measure(path: Path) -> tuple[float, float]:
    """Check a table; return wall time and the processor's, in seconds."""
    begin = time.monotonic()
    process = subprocess.Popen([FORECAST, "check", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"forecast check: exit code {process.returncode}")
    return time.monotonic() - begin, used.ru_utime + used.ru_stime


def main() -> None:
    """Measure the three tables and write a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        for series in (1, 100, 1_000):
            path = Path(name) / f"{series}.csv"
            write(path, series)
            measure(path)  # the first one also reads the program from the disk
            found = [measure(path) for _ in range(runs)]
            rows.append(
                {
                    "what": "check",
                    "rows": ROWS,
                    "series": series,
                    "runs": runs,
                    "median_seconds": f"{statistics.median(wall for wall, _ in found):.2f}",
                    "least_seconds": f"{min(wall for wall, _ in found):.2f}",
                    "limit_seconds": LIMIT,
                    "processor_seconds": f"{statistics.median(cpu for _, cpu in found):.2f}",
                    "commit": record.commit(),
                    "command": f"python benchmarks/check_speed.py --runs {runs}",
                }
            )
    record.write("check_speed.csv", rows)


if __name__ == "__main__":
    main()
