"""What is logged beside a forecast, so that it can be judged when the truth arrives, even without the model."""

import csv
import io

import numpy as np

from forecast.forecasters.baselines import seasonal_naive
from forecast.matching import known_rows, matching_panel
from forecast.panels.bounds import Bounds
from forecast.panels.clock import columns_on_clock, on_clock
from forecast.panels.panel import Floats, Panel
from forecast.panels.units import seasonal_difference, without_unit
from forecast.plan import Plan
from forecast.trained import Benchmark, Trained


def benchmark(trained: Trained, panel: Panel | None, horizon: int | None, by_step: bytes | None) -> Benchmark:
    """Return what the forecasts of `prediction.predict` for the same arguments are to be measured by.

    by_step: the file metrics_by_step.csv of the model; None where it has none: then nothing is expected.
    """
    table, _ = matching_panel(trained, panel)
    plan, steps = trained.plan, horizon or trained.plan.horizon
    panel = on_clock(table)
    columns = np.broadcast_to(np.arange(steps), (len(table), steps))
    if panel is not table:
        columns = columns_on_clock(table, steps)
    naive = seasonal_naive(panel, plan.seasonal_lag, int(columns.max()) + 1, plan.lookback)
    known = known_rows(trained.ids, panel)
    units = np.where(known >= 0, trained.units[known], seasonal_difference(panel, plan.season))
    expected = _expected(by_step, plan, steps)
    return Benchmark(
        seasonal_naive=Bounds.of(plan).apply(np.take_along_axis(naive, columns, axis=1)),
        units=np.where(without_unit(panel), np.nan, units),
        squares=np.where(without_unit(panel), np.nan, seasonal_difference(panel, plan.season, power=2)),
        expected=expected[panel.channel if plan.targets else np.zeros(len(panel), dtype=np.int64)],
        backtest_steps=plan.held_back,
    )


def _expected(by_step: bytes | None, plan: Plan, steps: int) -> Floats:
    """Return the mean absolute scaled error of the backtest: (targets, steps); beyond its horizon NaN."""
    expected = np.full((max(1, len(plan.targets)), steps), np.nan)
    rows = csv.DictReader(io.StringIO((by_step or b"").decode("utf-8", "surrogateescape"), newline=""))
    for row in rows:
        step, channel = int(row["step"]) - 1, plan.targets.index(row["target"]) if plan.targets else 0
        if step < steps and row["mase"]:
            expected[channel, step] = float(row["mase"])
    return expected
