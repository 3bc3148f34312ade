"""Peak memory of training on a panel of ten million values in memory: the whole process, TensorFlow included.

    python benchmarks/memory.py            # about two minutes on 2 cores, writes benchmarks/results/memory.csv

10,000 hourly series of 1,000 steps go through `pipeline.train` with few training steps and everything else as it comes:
baselines, ridge, smoothing, backtest, calibration, context. Twice, each time in a process of its own: with whatever mix
the origins choose, and with the network alone, which is then also refitted on all rows. Megabytes are 10^6 bytes.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np
import record

LIMIT_MB = 1500


def train(forecaster: str, series: int, steps: int, epochs: int) -> dict[str, Any]:
    """Train in this process; return what it took."""
    from forecast import ReadOptions, TrainOptions, pipeline
    from forecast.options import Forecaster

    panel = hourly_panel(series, steps)
    begin = time.monotonic()
    options = TrainOptions(epochs=epochs, forecaster=Forecaster(forecaster))
    trained = pipeline.train(panel, options, ReadOptions(season=(24,))).trained
    seconds = time.monotonic() - begin
    parts = zip(trained.fitted, trained.weights, strict=True)
    return {
        "forecaster": forecaster,
        "series": series,
        "steps": steps,
        "seed": options.seed,
        "train_seconds": round(seconds),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // 10**6,
        "limit_mb": LIMIT_MB,
        "mix": " ".join(f"{one.kind}:{weight:.2f}" for one, weight in parts),
    }


def hourly_panel(series: int, steps: int) -> Any:
    """Return series of one day's season, each with a level and a phase of its own, and noise."""
    from forecast.panels.calendar import Calendar
    from forecast.panels.panel import Panel

    rng, hours = np.random.default_rng(1), np.arange(steps)
    target = np.empty(series * steps)
    for begin in range(0, len(target), steps):
        wave = 10 + 3 * np.sin(2 * np.pi * (hours + rng.integers(24)) / 24) + rng.normal(0, 1, steps)
        target[begin : begin + steps] = np.exp(rng.normal(3, 1)) * wave
    begins = np.arange(series, dtype=np.int64) * steps
    lengths, starts = np.full(series, steps, dtype=np.int64), np.full(series, 400_000, dtype=np.int64)
    ids = tuple(f"s{number}" for number in range(series))
    return Panel(ids, Calendar("h"), starts, begins, lengths, begins + steps, target)


def main() -> None:
    """Train in two fresh processes and write a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--here", choices=["auto", "network"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(train(arguments.here, arguments.series, arguments.steps, arguments.epochs)))
        return
    sizes = [f"--{name}={getattr(arguments, name)}" for name in ("series", "steps", "epochs")]
    rows = []
    for forecaster in ("auto", "network"):
        command = [sys.executable, __file__, *sizes, f"--here={forecaster}"]
        found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        shown = " ".join(["python benchmarks/memory.py", *sizes])
        rows.append({**json.loads(found.splitlines()[-1]), "commit": record.commit(), "command": shown})
    record.write("memory.csv", rows)


if __name__ == "__main__":
    main()
