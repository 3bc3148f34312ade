"""The arithmetic that exponential smoothing and Theta share: the recursion of the states, seasonal profiles, lines.

Every array holds series that begin in column 0, whatever their length: (rows, time), NaN where a value is missing and
after a series ends. Sums over time run from the left, so that the zeros after the end of a short series change no bit
of its result, and a series does not depend on its neighbours.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.panels.blocks import fill_forward
from forecast.panels.panel import Floats, Integers

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class States:
    """What smoothing remembers of each series, for one or many candidates of its weights."""

    level: Floats  # (rows, candidates)
    trend: Floats  # (rows, candidates), per step
    season: Floats  # (season, rows, candidates), by phase: steps since the series began, modulo the season


@dataclass(frozen=True, eq=False)
class Weights:
    """How much of each one-step error the states take in; each (rows or 1, candidates)."""

    alpha: Floats  # level
    beta: Floats  # trend
    phi: Floats  # what of the trend is left after a step; 0: no trend
    gamma: Floats  # season


def smooth(values: Floats, lengths: Integers, states: States, weights: Weights) -> tuple[Floats, States]:
    """Run the states through the values: (sum of squared one-step errors (rows, candidates), the states at the end).

    e = y - (l + phi b + s)      l' = l + phi b + alpha e      b' = phi b + beta e      s' = s + gamma e
    A missing value counts as one that was forecast without an error. lengths: (rows,) steps of each series.
    """
    shape = (len(values), weights.alpha.shape[1])
    level, trend = np.broadcast_to(states.level, shape), np.broadcast_to(states.trend, shape)
    season = np.broadcast_to(states.season, (len(states.season), *shape)).copy()
    squares = np.zeros(shape)
    shortest = lengths.min()
    for step in range(values.shape[1]):
        phase = step % len(season)
        damped = weights.phi * trend
        base = level + damped
        value = values[:, step, None]
        error = np.where(np.isnan(value), 0.0, value - base - season[phase])
        squares += error * error
        season[phase] += weights.gamma * error
        base += weights.alpha * error
        damped += weights.beta * error
        if step >= shortest:  # some series have ended: theirs stay
            on = (step < lengths)[:, None]
            base, damped = np.where(on, base, level), np.where(on, damped, trend)
        level, trend = base, damped
    return squares, States(level, trend, season)


def ahead(states: States, phi: Floats, lengths: Integers, horizon: int) -> Floats:
    """Forecast from the states of one candidate at the end of each series: (rows, horizon). phi: (rows, 1)."""
    steps = np.arange(1, horizon + 1)
    damping = np.add.accumulate(phi**steps, axis=1)  # phi + phi^2 + ... + phi^h
    phase = (lengths[:, None] + steps - 1) % len(states.season)
    season = states.season[phase, np.arange(len(lengths))[:, None], 0]
    forecast: Floats = states.level + damping * states.trend + season
    return forecast


def first_states(values: Floats, season: Floats, steps: int) -> States:
    """Return the states before the first step: the line of regression through the first `steps`, and the season given.

    values: (rows, time), season: (rows, season). Each state has one candidate.
    """
    start = values[:, :steps] - tile(season, min(steps, values.shape[1]))
    level, slope = line(start)
    return States((level - slope)[:, None], slope[:, None], season.T[:, :, None])


def line(values: Floats) -> tuple[Floats, Floats]:
    """Return level at step 0 and slope of the line of regression through the observed values: each (rows,)."""
    seen = ~np.isnan(values)
    number = np.maximum(total(seen.astype(np.float64)), 1)
    steps = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    middle, mean = total(np.where(seen, steps, 0.0)) / number, total(np.where(seen, values, 0.0)) / number
    apart = np.where(seen, steps - middle[:, None], 0.0)
    width = total(apart * apart)
    slope = total(apart * np.where(seen, values - mean[:, None], 0.0)) / np.where(width > 0, width, 1.0)
    return mean - slope * middle, slope


def seasonal_profile(values: Floats, lengths: Integers, season: int) -> Floats:
    """Return the mean distance of each phase from the centred moving average: (rows, season), mean 0.

    Classical decomposition; 0 for a series shorter than two seasons.
    """
    rows, width = values.shape
    count = -(-width // season)
    padded = np.full((rows, count * season), np.nan)
    if season > 1 and width > season:
        # Sums of `season` values from the differences of the running sum; those of an even season are centred by pairs.
        running = np.zeros((rows, width + 1))
        np.add.accumulate(np.nan_to_num(fill_forward(values)), axis=1, out=running[:, 1:])
        sums = running[:, season:] - running[:, :-season]  # (rows, width - season + 1)
        if season % 2 == 0:
            sums = (sums[:, 1:] + sums[:, :-1]) / 2
        half = season // 2
        middle = slice(half, half + sums.shape[1])
        inside = np.arange(width)[middle] + half < lengths[:, None]
        padded[:, middle] = np.where(inside, values[:, middle] - sums / season, np.nan)
    by_phase = padded.reshape(rows, count, season)
    seen = ~np.isnan(by_phase)
    number = np.add.accumulate(seen, axis=1, dtype=np.float64)[:, -1]
    means = np.add.accumulate(np.where(seen, by_phase, 0.0), axis=1)[:, -1] / np.maximum(number, 1)
    profile = means - means.mean(axis=1, keepdims=True)
    return np.where((lengths >= 2 * season)[:, None], profile, 0.0)


def has_season(values: Floats, lengths: Integers, season: int) -> Flags:
    """Return where the autocorrelation at the season is significant at 90 % (the M4 benchmark's test): (rows,) bool.

    Series shorter than three seasons have none.
    """
    if season < 2 or values.shape[1] < 3 * season:
        return np.zeros(len(values), dtype=np.bool_)
    seen = ~np.isnan(values)
    mean = total(np.where(seen, values, 0.0)) / np.maximum(total(seen.astype(np.float64)), 1)
    apart = np.where(seen, values - mean[:, None], 0.0)
    power = total(apart * apart)
    squares, correlation = np.zeros(len(values)), np.zeros(len(values))
    for lag in range(1, season + 1):
        squares += 2 * correlation**2
        correlation = total(apart[:, lag:] * apart[:, :-lag]) / np.where(power > 0, power, 1.0)
    limit = 1.645 * np.sqrt((1 + squares) / np.maximum(lengths, 1))
    significant: Flags = (correlation > limit) & (lengths >= 3 * season)
    return significant


def tile(profile: Floats, width: int, first: Integers | int = 0) -> Floats:
    """Repeat a profile (rows, season) over `width` steps, the first of them at phase `first`: (rows, width)."""
    phase = (np.reshape(first, (-1, 1)) + np.arange(width)) % profile.shape[1]
    return np.take_along_axis(profile, np.broadcast_to(phase, (len(profile), width)), axis=1)


def total(values: Floats) -> Floats:
    """Sum each row from the left: (rows, time) -> (rows,)."""
    return np.add.accumulate(values, axis=1)[:, -1]


def within_reach(forecast: Floats, values: Floats) -> Floats:
    """Return the forecast, kept within one range of the values beyond them: (rows, horizon)."""
    low, high = np.nanmin(values, axis=1, keepdims=True), np.nanmax(values, axis=1, keepdims=True)
    return np.clip(forecast, low - (high - low), high + (high - low))
