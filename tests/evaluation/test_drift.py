"""Drift: how often the alarm is false, how often a planted change is found, and what is said while there is little."""

import numpy as np
import pytest

from forecast.evaluation.drift import Drift, find_drift
from forecast.panels.panel import Floats

HORIZON, ORIGINS, WORLDS = 7, 20, 300


def errors_of(rng: np.random.Generator, count: int, memory: float) -> Floats:
    """Return |errors| of the best forecast of a series that keeps `memory` of each shock: (origins, horizon)."""
    shocks, error = rng.normal(size=count + HORIZON), np.zeros(count)
    errors = np.empty((count, HORIZON))
    for step in range(HORIZON):
        error = memory * error + shocks[step + 1 : step + 1 + count]
        errors[:, step] = np.abs(error)
    return errors


def drift_in(world: int, memory: float, growth: float, nights: int = 8 * HORIZON, since: int | None = None) -> Drift:
    """Return the drift after so many nights: the backtest a while before, live errors `growth` times as large.

    since: for how many nights they are; None: for all.
    """
    errors = errors_of(np.random.default_rng(world), ORIGINS + 100 + nights, memory)
    expected = errors[:ORIGINS].mean(axis=0)  # one stretch of overlapping origins, as the backtest has
    live = errors[-nights:].copy()
    live[-(since or nights) :] *= growth
    times = np.arange(nights)[:, None] + np.arange(1, HORIZON + 1)
    known = times <= nights  # the last night is the newest truth
    sums = [np.bincount(times[known], np.broadcast_to(one, live.shape)[known])[1:] for one in (live, expected)]
    return find_drift(np.arange(1, nights + 1), *sums, HORIZON, HORIZON + ORIGINS - 1)


def alarms(memory: float, growth: float, nights: int = 8 * HORIZON, since: int | None = None) -> float:
    return float(np.mean([drift_in(world, memory, growth, nights, since).above(1.0) for world in range(WORLDS)]))


@pytest.mark.parametrize("memory", [0.0, 0.7, 1.0])  # 1: a random walk, whose errors resemble each other for long
@pytest.mark.parametrize("spans", [8, 40])
def test_without_drift_the_alarm_is_rarely_given(memory: float, spans: int) -> None:
    assert alarms(memory, 1.0, spans * HORIZON) <= 0.03


@pytest.mark.parametrize(("growth", "least"), [(2.0, 0.6), (3.0, 0.8)])
def test_errors_of_one_series_that_have_grown_are_mostly_found(growth: float, least: float) -> None:
    assert alarms(0.0, growth) >= least


def test_a_sudden_change_is_found_while_half_of_the_newest_spans_are_of_before() -> None:
    assert alarms(0.0, 4.0, 40 * HORIZON, since=4 * HORIZON) >= 0.6
    assert alarms(0.0, 4.0, 8 * HORIZON, since=4 * HORIZON) <= 0.1  # a young log cannot tell


def test_errors_that_have_shrunk_are_no_alarm() -> None:
    assert alarms(0.7, 0.5) == 0


def test_the_ratio_is_that_of_the_sums() -> None:
    found = find_drift(np.arange(70), np.full(70, 3.0), np.full(70, 2.0), HORIZON, 26)
    assert found == Drift(ratio=1.5, at_least=pytest.approx(1.5), spans=8, span_steps=7)


def test_what_is_long_ago_is_left_alone() -> None:
    errors = np.where(np.arange(140) < 70, 100.0, 1.0)
    assert find_drift(np.arange(140), errors, np.ones(140), HORIZON, 26).ratio == 1.0


def test_the_threshold_is_held_against_the_lower_end() -> None:
    found = Drift(ratio=1.5, at_least=1.2, spans=8, span_steps=7)
    assert found.above(1.1)
    assert not found.above(1.2)


def test_with_three_spans_nothing_is_said() -> None:
    found = find_drift(np.arange(27), np.full(27, 9.0), np.ones(27), HORIZON, 26)
    assert (found.ratio, found.at_least, found.spans) == (9.0, None, 3)
    assert not found.above(0.0)


def test_without_any_error_there_is_no_ratio() -> None:
    nothing = np.zeros(0)
    assert find_drift(nothing.astype(np.int64), nothing, nothing, HORIZON, 0) == Drift(None, None, 0, 7)


def test_a_span_of_perfect_forecasts_is_no_infinite_win() -> None:
    errors = np.where(np.arange(56) < 7, 0.0, 1.0)
    found = find_drift(np.arange(56), errors, np.ones(56), HORIZON, 26)
    assert found.at_least is not None
    assert np.isfinite(found.at_least)
