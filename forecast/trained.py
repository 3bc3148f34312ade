"""The records between pipeline, store and reports: what training leaves, what predicting gives."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.evaluation.calibration import Calibration, at
from forecast.forecasters.fitted import Fitted
from forecast.options import ReadOptions
from forecast.panels.bounds import Bounds
from forecast.panels.calendar import Calendar
from forecast.panels.encoding import Encoding
from forecast.panels.panel import Floats, Integers, Panel
from forecast.plan import Plan

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained model as data: everything a forecast depends on, and nothing that must be executed to load it."""

    plan: Plan
    read: ReadOptions  # settled: what was detected is filled in, so that predict reads the next table the same way
    calendar: Calendar
    ids: tuple[str, ...]  # (series,) the order of all per-series arrays; with several targets each id once for each
    fitted: tuple[Fitted, ...]
    weights: tuple[float, ...]  # (fitted,) the mix: >= 0, sum 1
    units: Floats  # (series,) the unit of error of each series: its mean absolute seasonal difference
    calibration: Calibration
    context: Panel | None  # the last `plan.lookback` steps of each series, in the order of ids
    source: dict[str, Any]  # path, bytes, sha256, rows, first and last time of the table: plain JSON values
    sparse_weights: tuple[float, ...] = ()  # (fitted,) the mix for series that are mostly zero; none: the same
    encodings: tuple[Encoding, ...] = ()  # of the covariates that are no numbers in the table
    ranges: Floats | None = None  # (series, 2) least and largest target of training; None: a model from before them
    last: Integers | None = None  # (series,) ordinal on the clock of the last step of training; None: as above


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Quantiles for every series and step; a series that could not be forecast holds NaN and says so in its status."""

    ids: tuple[str, ...]  # (series,) in input order
    calendar: Calendar
    cutoffs: Integers  # (series,) calendar ordinal of the last observed step; step k is at cutoff + k
    quantiles: Floats  # (series, horizon, probabilities), rising along the last axis; in units of the target
    probabilities: tuple[float, ...]  # the grid, 0.5 included
    status: tuple[str, ...]  # (series,) ok, new, short, fallback or skipped
    targets: tuple[str, ...] = ()  # (series,) the target of each series; () where there is one for all
    bounds: Bounds = field(default_factory=Bounds)  # the quantiles obey them, and so does what `at` reads off
    unbounded: Floats | None = None  # the quantiles before the bounds, where these are any: what `at` reads from

    def at(self, wanted: Sequence[float]) -> Floats:
        """Return the quantiles of these probabilities, within the bounds: (series, horizon, wanted).

        Between the points of the grid, what a bound has cut off would bend the line.
        """
        quantiles = self.quantiles if self.unbounded is None else self.unbounded
        return self.bounds.apply(at(quantiles, self.probabilities, wanted))

    def to_frame(self, wanted: Sequence[float] = (0.5, 0.1, 0.9)) -> "pd.DataFrame":
        """Return a pandas table, one row per series and step: unique_id, ds, step, q_0.5, ..., status.

        With several targets there is a column `target` after the time.
        """
        import pandas as pd  # for callers from Python alone: no command needs it

        horizon = self.quantiles.shape[1]
        steps = np.arange(1, horizon + 1)
        ordinals = (self.cutoffs[:, None] + steps).ravel()
        calendar = self.calendar
        times: Any = calendar.times(ordinals) if calendar.period else [int(text) for text in calendar.render(ordinals)]
        if calendar.tz:
            times = pd.to_datetime(calendar.instants(ordinals), utc=True).tz_convert(calendar.tz)
        columns = self.at(wanted).reshape(-1, len(wanted))
        return pd.DataFrame(
            {
                "unique_id": np.repeat(np.array(self.ids, dtype=object), horizon),
                "ds": times,
                **({"target": np.repeat(np.array(self.targets, dtype=object), horizon)} if self.targets else {}),
                "step": np.tile(steps, len(self.ids)),
                **{f"q_{quantile:g}": columns[:, place] for place, quantile in enumerate(wanted)},
                "status": np.repeat(np.array(self.status, dtype=object), horizon),
            }
        )


@dataclass(frozen=True, eq=False)
class Benchmark:
    """What forecasts are measured by when the truth arrives; the series as in the forecasts."""

    seasonal_naive: Floats  # (series, horizon) in units of the target
    units: Floats  # (series,) the mean absolute seasonal difference; NaN for a series of zeros alone
    squares: Floats  # (series,) its root mean square
    expected: (
        Floats  # (series, horizon) the error that the backtest measured at this step, in units; NaN where it did not
    )
    backtest_steps: int  # how long a time the backtest looked at
