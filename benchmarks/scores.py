"""The one scorer: of ours and of rivals, on every set, from the truth alone; it shares no code with what it scores.

sMAPE: mean of 200 |y - f| / (|y| + |f|) over series, origins and steps. MASE: mean over series and origins of the mean
absolute error divided by the series' mean absolute seasonal difference before the first origin. OWA: the mean of both
as shares of Naive2's. MAE and MSE over all steps, of standardised values where the set has such a protocol. Pinball:
twice the mean loss of the quantiles 0.1, 0.2 ... 0.9, divided and averaged as MASE is, so that it equals the MASE where
all quantiles are one number. Coverage: the share of the truth inside the bands, percent. A step whose truth is missing
counts nowhere; a forecast that is missing is an error, not a lower score.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sets import Case

Floats = NDArray[np.float64]
DECILES = tuple(k / 10 for k in range(1, 10))
BANDS = {"cover_80": (0.1, 0.9), "cover_95": (0.025, 0.975)}


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is forecast for some rows of a case; without probabilities there are no bands."""

    rows: NDArray[np.int64]  # (rows,) of the case
    point: Floats  # (rows, horizon)
    quantiles: Floats  # (rows, horizon, probabilities)
    probabilities: tuple[float, ...] = ()

    def quantile(self, probability: float) -> Floats:
        """Return one quantile: (rows, horizon). Raises ValueError where it was not forecast."""
        return self.quantiles[:, :, [round(one, 6) for one in self.probabilities].index(round(probability, 6))]


def score(case: "Case", forecasts: Iterable[Forecast]) -> dict[str, float]:
    """Return the scores of forecasts that come in blocks of rows and together hold every row of the case once.

    Raises ValueError where a row is missing or comes twice, or where a forecast of known truth is not finite.
    """
    blocks = []
    rows = [np.empty(0, dtype=np.int64)]
    for forecast in forecasts:
        blocks.append(_sums(case, forecast))
        rows.append(forecast.rows)
    if not np.array_equal(np.sort(np.concatenate(rows)), np.arange(len(case.series))):
        raise ValueError(f"{case.name}: the forecasts do not hold each of the {len(case.series)} rows once")
    return _means(case, {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]})


def _sums(case: "Case", forecast: Forecast) -> dict[str, Floats]:
    """Return the sum over the known steps of each row, of everything that is averaged: each (rows,)."""
    truth, point = case.cut(forecast.rows).truth(case.horizon), forecast.point
    known = np.isfinite(truth)
    if not np.isfinite(point[known]).all() or not np.isfinite(forecast.quantiles[known]).all():
        raise ValueError(f"{case.name}: a forecast is missing or not finite where the truth is known")
    series = case.series[forecast.rows]
    spread = np.ones(len(series)) if case.spread is None else case.spread[series]
    error = np.abs(point - truth)
    size = np.abs(point) + np.abs(truth)
    cells = {
        "steps": known.astype(float),
        "smape": 200 * error / np.where(size > 0, size, 1),
        "scaled": error / case.unit[series, None],
        "mae": error / spread[:, None],
        "mse": (error / spread[:, None]) ** 2,
    }
    if forecast.probabilities:
        losses = [_loss(probability, truth - forecast.quantile(probability)) for probability in DECILES]
        cells["pinball"] = 2 * np.mean(losses, axis=0) / case.unit[series, None]
        for name, (low, high) in BANDS.items():
            inside = (forecast.quantile(low) <= truth) & (truth <= forecast.quantile(high))
            cells[name] = 100 * inside.astype(float)
    return {name: np.where(known, values, 0).sum(axis=1) for name, values in cells.items()}


def _loss(probability: float, error: Floats) -> Floats:
    """Return the pinball loss of truth - quantile."""
    return np.maximum(probability * error, (probability - 1) * error)


def _means(case: "Case", sums: dict[str, Floats]) -> dict[str, float]:
    """Return the scores from the sums of all rows; a row without any known truth counts nowhere."""
    seen = sums["steps"] > 0
    steps = sums["steps"][seen]

    def over_steps(name: str) -> float:
        return float(sums[name].sum() / steps.sum())

    def over_rows(name: str) -> float:
        return float(np.mean(sums[name][seen] / steps))

    scores = {"smape": over_steps("smape"), "mase": over_rows("scaled"), "mae": over_steps("mae")}
    if case.naive2:
        scores["owa"] = (scores["smape"] / case.naive2[0] + scores["mase"] / case.naive2[1]) / 2
    if case.spread is not None:
        del scores["smape"]  # of standardised values, which lie around 0, it means nothing
        scores["mse"] = over_steps("mse")
    if "pinball" in sums:
        scores["pinball"] = over_rows("pinball")
        scores |= {name: over_steps(name) for name in BANDS}
    return scores
