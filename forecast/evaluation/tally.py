"""Scores of stored forecasts from sums by step, which add up piece by piece: a log need not fit into memory.

The metrics are those of `metrics.by_step`: every forecast that has met its truth counts equally, and the scores of
several steps together are those of all their forecasts, not the mean of the steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.evaluation.metrics import share, skill
from forecast.panels.panel import Floats, Integers

Sums = Mapping[str, Floats]  # measure -> (steps,)


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums of measures by step: total[name][k] over counts[name][k] forecasts of step k + 1."""

    totals: Sums
    counts: Sums

    def plus(self, other: "Tally") -> "Tally":
        """Return the sums of both; a measure that one of them lacks counts there as never observed."""
        return Tally(_added(self.totals, other.totals), _added(self.counts, other.counts))


def tally(steps: Integers, measures: Mapping[str, Floats]) -> Tally:
    """Sum measures (rows,) by the step of each row, from 1; what is NaN counts nowhere."""
    totals, counts = {}, {}
    for name, values in measures.items():
        seen = np.isfinite(values)
        totals[name] = np.bincount(steps[seen] - 1, values[seen]).astype(np.float64)
        counts[name] = np.bincount(steps[seen] - 1).astype(np.float64)
    return Tally(totals, counts)


def measures(
    truth: Floats, quantiles: Floats, probabilities: Sequence[float], naive: Floats, units: Floats, squares: Floats
) -> dict[str, Floats]:
    """Return what is summed for each forecast: (rows,) each, NaN where truth or forecast is missing.

    truth, naive: (rows,) in units of the target; quantiles: (rows, probabilities); units, squares: (rows,) the unit of
    MASE and that of RMSSE.
    """
    middle = list(probabilities).index(0.5)
    error = quantiles[:, middle] - truth
    size = np.abs(truth) + np.abs(quantiles[:, middle])
    found = {
        "absolute": np.abs(error),
        "squared": error**2,
        "signed": error,
        "truth": np.where(np.isfinite(error), np.abs(truth), np.nan),
        "symmetric": 200 * np.abs(error) / np.where(size > 0, size, 1),
        "scaled": np.abs(error) / units,
        "scaled_squared": (error / squares) ** 2,
        "naive_absolute": np.where(np.isfinite(error), np.abs(naive - truth), np.nan),
        "naive_scaled": np.where(np.isfinite(error), np.abs(naive - truth), np.nan) / units,
    }
    loss = np.zeros(len(truth))
    for place, probability in enumerate(probabilities):
        below = truth - quantiles[:, place]
        loss += np.maximum(probability * below, (probability - 1) * below)
    found["pinball"] = 2 * loss / len(probabilities) / units
    for level, (low, high) in bands(probabilities).items():
        inside = (quantiles[:, low] <= truth) & (truth <= quantiles[:, high])
        found[f"coverage_{level}"] = np.where(np.isfinite(error), inside, np.nan)
    return found


def bands(probabilities: Sequence[float]) -> dict[str, tuple[int, int]]:
    """Return the bands that a grid of quantiles holds, by level in percent, rising: the places of their limits."""
    places = {round(probability, 9): place for place, probability in enumerate(probabilities)}
    pairs = [(low, round(1 - low, 9)) for low in sorted(places, reverse=True) if low < 0.5]
    return {f"{100 * (high - low):g}": (places[low], places[high]) for low, high in pairs if high in places}


def scores(sums: Tally, by_step: bool = False) -> dict[str, Floats]:
    """Return the scores under the names of metrics.json: (steps,) each by step, else (1,); NaN where undefined."""

    def total(name: str) -> Floats:
        return sums.totals[name] if by_step else sums.totals[name].sum(keepdims=True)

    def mean(name: str) -> Floats:
        count = sums.counts[name] if by_step else sums.counts[name].sum(keepdims=True)
        found: Floats = np.divide(total(name), count, out=np.full(len(count), np.nan), where=count > 0)
        return found

    found = {
        "mae": mean("absolute"),
        "rmse": np.sqrt(mean("squared")),
        "wape": _where(mean("absolute"), share(total("absolute"), total("truth"))),
        "smape": mean("symmetric"),
        "mase": mean("scaled"),
        "rmsse": np.sqrt(mean("scaled_squared")),
        "bias": _where(mean("absolute"), share(total("signed"), total("truth"))),
        "pinball": mean("pinball"),
    }
    found |= {name: mean(name) for name in sums.totals if name.startswith("coverage_")}
    found |= {"mae_seasonal_naive": mean("naive_absolute"), "mase_seasonal_naive": mean("naive_scaled")}
    return found | {"skill": skill(found["mase"], found["mase_seasonal_naive"])}


def _where(known: Floats, values: Floats) -> Floats:
    """Return values where there is anything to tell: a sum over nothing is no perfect score."""
    return np.where(np.isfinite(known), values, np.nan)


def _added(one: Sums, other: Sums) -> dict[str, Any]:
    """Return the sums of arrays by name, the shorter one taken to go on with zeros."""
    found = {}
    for name in dict.fromkeys((*one, *other)):
        a, b = one.get(name, np.zeros(0)), other.get(name, np.zeros(0))
        longer = np.zeros(max(len(a), len(b)))
        longer[: len(a)] += a
        longer[: len(b)] += b
        found[name] = longer
    return found
