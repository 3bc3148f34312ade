"""Wall time and peak memory of `forecast predict`, as cron runs it: a fresh process each time.

    python benchmarks/predict_speed.py     # about three minutes on 2 cores, writes benchmarks/results/predict_speed.csv

The sample: the model of `make demo`, in turns with `python -c "import tensorflow"`; the ratio is the median of the
pairs' ratios, so that a machine that is busy for a while slows both down. Many series: 10,000 hourly series, a window
of 168, a network of the default size with the default members, trained for few steps (what it has learnt changes no
time), on a table of the 240 hours that it may read, as CSV and as Parquet. Megabytes are 10^6 bytes.
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

import record

FORECAST = str(Path(sys.executable).with_name("forecast"))
DATA = Path(__file__).parent.parent / "data"
SAMPLE = "data/bike_sharing.csv --target rentals --future holiday --future workingday --preset fast"
SERIES, HISTORY, SHOWN = 10_000, 500, 240


def measure(*command: str) -> tuple[float, int]:
    """Run a command to its end; return its seconds and its peak memory in MB. This process must be small itself."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=DATA.parent)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    return time.monotonic() - begin, used.ru_maxrss * 1024 // 10**6


def sample(folder: Path, runs: int) -> dict[str, Any]:
    """Measure the demo's prediction against the import of TensorFlow."""
    models = str(folder / "sample")
    measure(FORECAST, "train", *SAMPLE.split(), "--models", models)
    words = ["predict", "--future-data", "data/bike_sharing_future.csv"]
    predict = [FORECAST, *words, "--models", models, "-o", str(folder / "predictions.csv")]
    pairs = [(measure(*predict), measure(sys.executable, "-c", "import tensorflow")) for _ in range(runs)]
    return {
        "what": "the sample",
        "series": 1,
        "runs": runs,
        "median_seconds": f"{statistics.median(ours[0] for ours, _ in pairs):.2f}",
        "limit_seconds": "",
        "median_ratio": f"{statistics.median(ours[0] / theirs[0] for ours, theirs in pairs):.3f}",
        "limit_ratio": 0.25,
        "tensorflow_seconds": f"{statistics.median(theirs[0] for _, theirs in pairs):.2f}",
        "peak_mb": max(ours[1] for ours, _ in pairs),
        "limit_mb": 200,
        "measured": " ".join(["forecast", *words]),
    }


def many(folder: Path, suffix: str, runs: int) -> dict[str, Any]:
    """Measure the prediction of the many series from one table."""
    words = ["predict", f"many{suffix}", "-o", f"predictions{suffix}"]
    command = [FORECAST, "predict", str(folder / f"many{suffix}"), "--models", str(folder / "many")]
    found = [measure(*command, "-o", str(folder / f"predictions{suffix}")) for _ in range(runs)]
    return {
        "what": f"many series, {suffix.lstrip('.')}",
        "series": SERIES,
        "runs": runs,
        "median_seconds": f"{statistics.median(seconds for seconds, _ in found):.2f}",
        "limit_seconds": 10,
        "median_ratio": "",
        "limit_ratio": "",
        "tensorflow_seconds": "",
        "peak_mb": max(peak for _, peak in found),
        "limit_mb": "",
        "measured": " ".join(["forecast", *words]),
    }


def make_many(folder: Path) -> None:
    """Train a network on many series and write the table to forecast from, in both forms."""
    import numpy as np
    import pandas as pd
    from memory import hourly_panel

    from forecast import ReadOptions, TrainOptions, pipeline, publish
    from forecast.options import Forecaster

    panel = hourly_panel(SERIES, HISTORY)
    read = ReadOptions(id=("unique_id",), time=("ds",), target=("y",), freq="h", season=(24,))
    options = TrainOptions(epochs=1, window=168, forecaster=Forecaster.NETWORK)
    publish(folder / "many", "many", pipeline.train(panel, options, read).trained, lambda _: {})
    times = panel.calendar.times(panel.last[0] + np.arange(1 - SHOWN, 1)).astype("datetime64[ns]")
    table = pd.DataFrame(
        {
            "unique_id": np.repeat(np.array(panel.ids, dtype=object), SHOWN),
            "ds": np.tile(times, SERIES),
            "y": panel.tail(SHOWN).ravel().round(4),
        }
    )
    table.to_csv(folder / "many.csv", index=False)
    table.to_parquet(folder / "many.parquet", index=False)


def main() -> None:
    """Measure all of it and write a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make:
        make_many(arguments.make)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [sample(folder, arguments.runs)]
        measure(sys.executable, __file__, "--make", name)
        rows += [many(folder, suffix, arguments.runs) for suffix in (".csv", ".parquet")]
    command = f"python benchmarks/predict_speed.py --runs {arguments.runs}"
    record.write("predict_speed.csv", [{**row, "commit": record.commit(), "command": command} for row in rows])


if __name__ == "__main__":
    main()
