"""Time and memory of reading a long table of ten million rows into a Panel, beside pyarrow's own reader of CSV.

    python benchmarks/reading.py     # three minutes on 2 cores, writes benchmarks/results/reading.csv

100,000 hourly series of 100 rows each, as an id, a time and a number: a file sorted by id and time, and the same rows
shuffled. `pyarrow.csv.read_csv` as it comes reads columns and knows nothing of series; `read_panel`, what check, train
and predict read with, finds the dialect and the columns, checks every row and lays the series on a regular axis. Each
measurement is a process of its own, the two in turns; the seconds are those of the call, packages imported before; the
peak is that of the whole process, interpreter and packages included. Megabytes are 10^6 bytes.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import record

MOST_TIMES = {"sorted": 2.5, "shuffled": 5.0}  # the time of pyarrow's reader
MOST_MEMORY = 3.0  # the size of the file
READERS = ("pyarrow", "forecast")


def write(path: Path, series: int, steps: int, shuffled: bool) -> None:
    """Write the table."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    rng = np.random.default_rng(1)
    order = np.arange(series * steps)
    if shuffled:
        rng.shuffle(order)
    names = pa.array([f"item_{number:06d}" for number in range(series)])
    hours = pa.array((np.datetime64("2024-01-01T00", "h") + np.arange(steps)).astype("M8[s]"))
    values = np.round(rng.gamma(2.0, 50.0, series * steps), 2)
    columns = {
        "id": names.take(pa.array(order // steps)),
        "ds": hours.take(pa.array(order % steps)),
        "y": pa.array(values[order]),
    }
    csv.write_csv(pa.table(columns), path, csv.WriteOptions(quoting_style="none", quoting_header="none"))


def read(reader: str, path: str) -> dict[str, float]:
    """Read the table in this process; return seconds, those of the processor, and the peak memory in MB."""
    if reader == "pyarrow":
        from pyarrow import csv

        call: Any = csv.read_csv
    else:
        from forecast.options import ReadOptions
        from forecast.tables import read_panel

        def call(path: str) -> Any:
            return read_panel(path, ReadOptions())

    before, begin = time.process_time(), time.monotonic()
    result = call(path)
    found = {"seconds": time.monotonic() - begin, "processor_seconds": time.process_time() - before}
    del result
    return found | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}


def measure(path: Path, runs: int) -> dict[str, dict[str, float]]:
    """Return the medians of each reader."""
    found: dict[str, list[dict[str, float]]] = {reader: [] for reader in READERS}
    for _ in range(runs):
        for reader in READERS:
            command = [sys.executable, __file__, "--here", reader, str(path)]
            found[reader].append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
    return {
        reader: {name: statistics.median(one[name] for one in own) for name in own[0]} for reader, own in found.items()
    }


def main() -> None:
    """Measure both tables and write a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--here", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here and arguments.here[0] == "write":
        write(Path(arguments.here[1]), arguments.series, arguments.steps, arguments.here[2] == "shuffled")
        return
    if arguments.here:
        print(json.dumps(read(*arguments.here)))
        return
    sizes = [f"--{name}={getattr(arguments, name)}" for name in ("series", "steps", "runs")]
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for order, most in MOST_TIMES.items():
            path = Path(folder) / f"{order}.csv"
            # In a process of its own: what a process has held counts as the peak of those that it starts.
            subprocess.run([sys.executable, __file__, *sizes, "--here", "write", str(path), order], check=True)
            found, megabytes = measure(path, arguments.runs), path.stat().st_size / 1e6
            ours, theirs = found["forecast"], found["pyarrow"]
            rows.append(
                record.rounded(
                    {
                        "rows": arguments.series * arguments.steps,
                        "series": arguments.series,
                        "order": order,
                        "runs": arguments.runs,
                        "file_mb": megabytes,
                        **{f"pyarrow_{name}": value for name, value in theirs.items()},
                        **ours,
                        "times": ours["seconds"] / theirs["seconds"],
                        "times_processor": ours["processor_seconds"] / theirs["processor_seconds"],
                        "limit_times": most,
                        "memory": ours["peak_mb"] / megabytes,
                        "limit_memory": MOST_MEMORY,
                        "commit": record.commit(),
                        "command": " ".join(["python benchmarks/reading.py", *sizes]),
                    }
                )
            )
            path.unlink()
    record.write("reading.csv", rows)


if __name__ == "__main__":
    main()
