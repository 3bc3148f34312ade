"""What the data say of seasons: which of the usual ones they show, and whose repetition forecasts them best."""

from collections.abc import Sequence

import numpy as np

from forecast.forecasters.baselines import naive, seasonal_naive
from forecast.panels.panel import Floats, Panel
from forecast.panels.units import seasonal_difference

LEAST_CORRELATION = 0.2  # of steps one season apart, for a season to count as confirmed
LEAST_PEAK = 0.01  # by which that correlation stands out
SAMPLE = 200  # series looked at


def confirmed_seasons(panel: Panel, candidates: Sequence[int]) -> tuple[int, ...]:
    """Return the candidate seasons that the data show: changes a season apart are correlated, and more so than others.

    The others are half a season off or, where a shorter season is confirmed, one of those: a smooth trend is as
    correlated there, and a day repeats after six days as after seven unless there is a week.
    """
    chosen = _sample(panel)
    found: list[int] = []
    for season in sorted(set(candidates) - {1}):
        off = found[0] if found else max(1, season // 2)
        peak = _correlation(chosen, season)
        others = max(_correlation(chosen, season - off), _correlation(chosen, season + off))
        if peak > LEAST_CORRELATION and peak > others + LEAST_PEAK:
            found.append(season)
    return tuple(found)


def _sample(panel: Panel) -> Panel:
    """Return at most SAMPLE series of the panel, evenly spread."""
    return panel.select(np.unique(np.linspace(0, len(panel) - 1, min(len(panel), SAMPLE)).astype(np.int64)))


def _correlation(panel: Panel, lag: int) -> float:
    """Return the median over series of the correlation between changes `lag` steps apart; 0 where none can be told."""
    found = []
    for series in range(len(panel)):
        changes = np.diff(panel.values(series)[-20 * lag - 500 :])
        pairs = np.stack([changes[lag:], changes[:-lag]])
        pairs = pairs[:, np.isfinite(pairs).all(axis=0)]
        if pairs.shape[1] > max(lag, 8) and pairs.std(axis=1).min() > 0:
            found.append(float(np.corrcoef(pairs[0], pairs[1])[0, 1]))
    return float(np.median(found)) if found else 0.0


def best_base(panel: Panel, lags: Sequence[int], horizon: int, origins: int = 10) -> int:
    """Return the lag whose repetition forecasts the last rows of the panel best; 1 stands for the last value."""
    chosen = _sample(panel)
    unit = seasonal_difference(chosen, min((lag for lag in lags if lag > 1), default=1))
    errors = dict.fromkeys(lags, 0.0)
    for back in np.linspace(horizon, horizon + 2 * max(lags), origins).astype(np.int64):
        keep = np.flatnonzero(chosen.lengths > back + max(lags))
        cut = chosen.select(keep, chosen.lengths[keep] - back)
        for lag in lags:
            forecast = naive(cut, horizon) if lag == 1 else seasonal_naive(cut, lag, horizon)
            errors[lag] += float(np.nansum(_mean_error(cut.truth(horizon), forecast) / unit[keep]))
    return min(lags, key=lambda lag: (errors[lag], lag))


def _mean_error(truth: Floats, forecast: Floats) -> Floats:
    """Return the mean absolute error of each row over the steps whose truth is known; 0 where none is."""
    errors = np.abs(truth - forecast)
    seen = np.isfinite(errors)
    means: Floats = np.where(seen, errors, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return means
