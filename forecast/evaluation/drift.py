"""Drift: whether the errors of late are larger than those that the backtest led to expect, or may be chance.

Each forecast that has met its truth is compared with what the backtest measured at the same step: ratio = sum of the
errors / sum of the expected errors. Errors that are close in time resemble each other, whatever the number of series
and of forecasts for one day, so one observation is a span of time as long as the horizon. The newest 8 spans count.

The logarithms of their ratios are taken for draws of one distribution, of which the backtest is a draw too, worth as
many spans as it is long: without drift, mean / (deviation x sqrt(1 / spans + 1 / spans of the backtest)) follows
Student's t. Where the lower end of the one-sided 99 % interval is above 1, the errors have grown.
Hahn, Meeker, Statistical Intervals (1991), 4.8: the interval for the mean of a further sample.

After a sudden change the newest spans are of before and of after, and vary so much that they say little. So the spans
before them, where there are enough, also say by how much spans vary: each deviation has an interval of 99.5 %, and the
higher of the two lower ends counts.
"""

from dataclasses import dataclass

import numpy as np

from forecast.evaluation.student import quantile
from forecast.panels.panel import Floats, Integers

RECENT, EARLIER = 8, 60  # spans that are compared; before them, at most so many that say how much spans vary
FEWEST = 4  # spans: with fewer nothing is said
SHORTEST = 7  # steps of a span: shorter ones would look at a few days, and sound the alarm too often in a year
CONFIDENCE = 0.99
SMALLEST = 0.01  # ratio of a span: a perfect one must not be infinitely good


@dataclass(frozen=True)
class Drift:
    """Errors of late against the backtest; plain values, so that `vars` of it is ready for JSON."""

    ratio: float | None  # sum of the errors / sum of the expected ones; None: no forecast has met its truth
    at_least: float | None  # the lower end of its 99 % interval; None: too few spans to tell
    spans: int  # of `span_steps` steps each
    span_steps: int

    def above(self, threshold: float) -> bool:
        """Tell whether the errors are above so many times the backtest's, as good as surely."""
        return self.at_least is not None and self.at_least > threshold


def find_drift(times: Integers, errors: Floats, expected: Floats, horizon: int, backtest_steps: int) -> Drift:
    """Compare errors with expected ones, sums over all forecasts for each time, all (times,); times are ordinals.

    horizon: of the forecasts; backtest_steps: how long a time the expected errors were measured over.
    """
    steps = max(horizon, SHORTEST)
    if not len(times):
        return Drift(None, None, 0, steps)
    age = (times.max() - times) // steps
    whole = max(1, int(times.max() - times.min() + 1) // steps)  # the oldest span may have just begun
    chosen = age < min(RECENT + EARLIER, whole)
    sums = [np.bincount(age[chosen], values[chosen]) for values in (errors, expected)]
    seen = sums[1] > 0
    recent = seen & (np.arange(len(seen)) < RECENT)
    if not recent.any():
        return Drift(None, None, 0, steps)
    ratio, count = float(sums[0][recent].sum() / sums[1][recent].sum()), int(recent.sum())
    if count < FEWEST:
        return Drift(ratio, None, count, steps)
    logarithms = np.log(np.maximum(sums[0] / np.where(seen, sums[1], 1.0), SMALLEST))
    samples = [logarithms[recent], logarithms[seen & ~recent]]
    samples = [sample for sample in samples if len(sample) >= FEWEST]
    confidence = 1 - (1 - CONFIDENCE) / len(samples)
    margins = [quantile(confidence, len(sample) - 1) * sample.std(ddof=1) for sample in samples]
    length = np.sqrt(1 / count + steps / max(backtest_steps, 1))
    lowest = float(np.exp(logarithms[recent].mean() - min(margins) * length))
    return Drift(ratio, lowest, count, steps)
