"""Seconds in which exponential smoothing and Theta are fitted to 100,000 monthly series of 120 points.

    python benchmarks/fit_speed.py       # half a minute, writes benchmarks/results/fit_speed.csv

Made series with a trend, noise and, two of three, a season that grows with the level. Fitted as `forecast train` does,
from a panel in memory, one forecaster after the other; the next 18 months are forecast, too.
"""

import argparse
import resource
import time
from typing import Any

import numpy as np
import record

from forecast import TrainOptions
from forecast.forecasters import registry
from forecast.forecasters.fitted import Kind
from forecast.panels.calendar import Calendar
from forecast.panels.panel import Panel
from forecast.planning import settle

SERIES, STEPS, HORIZON, LIMIT = 100_000, 120, 18, 60.0  # seconds to fit both


def monthly_panel(series: int, steps: int) -> Panel:
    """Return monthly series, each with a level, a trend, a season and noise of its own."""
    rng, months = np.random.default_rng(1), np.arange(steps)
    level = np.exp(rng.normal(8, 1, (series, 1)))
    trend = 1 + rng.normal(0, 0.003, (series, 1)) * months
    season = np.where(np.arange(series) % 3, 0.15, 0.0)[:, None] * np.sin(
        2 * np.pi * (months + rng.integers(12, size=(series, 1))) / 12
    )
    target = (level * np.maximum(trend * (1 + season + rng.normal(0, 0.05, (series, steps))), 0.05)).ravel()
    begins, lengths = np.arange(series, dtype=np.int64) * steps, np.full(series, steps, dtype=np.int64)
    ids = tuple(f"s{number}" for number in range(series))
    return Panel(ids, Calendar("M"), np.full(series, 400, dtype=np.int64), begins, lengths, begins + steps, target)


def main() -> None:
    """Fit both, forecast with both, and write a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=SERIES)
    count = parser.parse_args().series
    panel = monthly_panel(count, STEPS)
    plan = settle(panel, TrainOptions(horizon=HORIZON), (12,))
    rows: list[dict[str, Any]] = []
    for kind in (Kind.SMOOTHING, Kind.THETA):
        wall, processor = time.monotonic(), time.process_time()
        fitted = registry.FIT[kind](panel, plan)
        wall, processor = time.monotonic() - wall, time.process_time() - processor
        begin = time.monotonic()
        found = registry.run(fitted, panel, np.arange(count), plan)
        assert found.shape[:2] == (count, HORIZON)
        assert np.isfinite(found).all()
        rows.append(
            {
                "what": kind.value,
                "series": count,
                "steps": STEPS,
                "fit_seconds": f"{wall:.1f}",
                "processor_seconds": f"{processor:.1f}",
                "limit_seconds_both": LIMIT,
                "forecast_seconds": f"{time.monotonic() - begin:.1f}",
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // 10**6,
                "commit": record.commit(),
                "command": f"python benchmarks/fit_speed.py --series {count}",
            }
        )
    record.write("fit_speed.csv", rows)


if __name__ == "__main__":
    main()
