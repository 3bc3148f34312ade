"""What the data say of seasons: which of the usual ones they show, and whose repetition forecasts them best."""

from collections.abc import Sequence

import numpy as np

from forecast.forecasters.baselines import naive, seasonal_naive
from forecast.panels.panel import Floats, Panel
from forecast.panels.units import seasonal_difference

LEAST_SHARE = 0.15  # of the variation about the trend that a profile explains, for a season to count as confirmed
LEAST_LEAD = 0.02  # by which it explains more than those of other lengths do
CYCLES, STEPS = 20, 500  # seasons, and steps beside them, that are looked at
ROUNDING = 1e-12  # of the largest value: what varies less does not vary
SAMPLE = 200  # series looked at
LEAST = 8  # steps with a profile to compare them with


def confirmed_seasons(panel: Panel, candidates: Sequence[int]) -> tuple[int, ...]:
    """Return the candidate seasons that the data show: what other cycles were like tells what a cycle is like.

    And it tells more than cycles a quarter longer or shorter do, whose profile is that of a curve, or, where a shorter
    season is confirmed, one of those longer or shorter: a day repeats after six days as after seven unless there is a
    week.
    """
    chosen = _sample(panel)
    found: list[int] = []
    for season in sorted(set(candidates) - {1}):
        off = found[0] if found else max(1, season // 4)
        others = (_explained(chosen, length) for length in (season - off, season + off))
        share = _explained(chosen, season)
        if share > LEAST_SHARE and share > LEAST_LEAD + max(others):
            found.append(season)
    return tuple(found)


def _sample(panel: Panel) -> Panel:
    """Return at most SAMPLE series of the panel, evenly spread."""
    return panel.select(np.unique(np.linspace(0, len(panel) - 1, min(len(panel), SAMPLE)).astype(np.int64)))


def _explained(panel: Panel, season: int) -> float:
    """Return the median over series of the share that `_explained_by_cycles` tells; 0 where none can be told."""
    if season < 2:
        return 0.0
    values = (panel.values(series)[-CYCLES * season - STEPS :] for series in range(len(panel)))
    shares = [share for one in values if (share := _explained_by_cycles(one, season)) is not None]
    return float(np.median(shares)) if shares else 0.0


def _explained_by_cycles(values: Floats, season: int) -> float | None:
    """Return the share of the variation about the trend that the mean of all other cycles explains; None: unknown.

    The trend is the centred mean over a season. Below 0 where other cycles mislead, as where there is no season.
    """
    rest = values[season // 2 : len(values) - season // 2] - _centred_means(values, season)
    cycles = np.concatenate([np.full(-len(rest) % season, np.nan), rest]).reshape(-1, season)
    seen = np.isfinite(cycles)
    filled = np.where(seen, cycles, 0.0)
    count = seen.sum(axis=0) - seen
    usable = seen & (count > 0)
    if usable.sum() < max(season, LEAST):
        return None
    profile = (filled.sum(axis=0) - filled) / np.maximum(count, 1)
    left, whole = (float(np.mean(one[usable] ** 2)) for one in (filled - profile, filled))
    return 1 - left / whole if whole > (ROUNDING * np.nanmax(np.abs(values))) ** 2 else None


def _centred_means(values: Floats, season: int) -> Floats:
    """Return the mean over a season about each step that has half a one on both sides; NaN where half of it is missing.

    An even season has no middle: the mean of its two places.
    """
    seen = np.isfinite(values)
    total, count = (
        np.concatenate([[0.0], np.cumsum(one)]) for one in (np.where(seen, values, 0.0), seen.astype(np.float64))
    )
    if len(values) < season:
        return np.empty(0)
    counts = count[season:] - count[:-season]
    sums = total[season:] - total[:-season]
    means = np.where(2 * counts >= season, sums / np.maximum(counts, 1), np.nan)
    return means if season % 2 else (means[:-1] + means[1:]) / 2


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
