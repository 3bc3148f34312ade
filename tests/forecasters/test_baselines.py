from dataclasses import replace

import numpy as np
import pytest

from forecast.forecasters import baselines
from forecast.forecasters.baselines import drift, naive, seasonal_naive
from forecast.panels.panel import panel_of
from forecast.plan import Plan

NAN = float("nan")
PLAN = Plan(horizon=5, window=3, segment=1, seasons=(3, 6), base=3, lookback=12)
RUNS = [baselines.run_naive, baselines.run_seasonal_naive, baselines.run_drift]
FITS = [baselines.fit_naive, baselines.fit_seasonal_naive, baselines.fit_drift]


def test_naive_repeats_the_last_observed_value() -> None:
    np.testing.assert_array_equal(naive(panel_of({"a": [1.0, 7.0, NAN]}), 2), [[7.0, 7.0]])


def test_seasonal_naive_repeats_the_last_season() -> None:
    panel = panel_of({"a": [9.0, 9.0, 1.0, 2.0, 3.0]})
    np.testing.assert_array_equal(seasonal_naive(panel, 3, 7), [[1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0]])


def test_a_missing_value_of_the_last_season_is_taken_from_the_season_before() -> None:
    panel = panel_of({"a": [0.0, 5.0, 6.0, 7.0, NAN, 9.0]})
    np.testing.assert_array_equal(seasonal_naive(panel, 3, 3), [[7.0, 5.0, 9.0]])


def test_a_value_missing_in_every_season_is_the_last_observed() -> None:
    panel = panel_of({"a": [NAN, 6.0, 7.0, NAN, 9.0, NAN]})
    np.testing.assert_array_equal(seasonal_naive(panel, 3, 3), [[9.0, 9.0, 7.0]])


def test_a_series_shorter_than_a_season_repeats_what_it_has() -> None:
    np.testing.assert_array_equal(seasonal_naive(panel_of({"a": [4.0, 8.0]}), 3, 3), [[8.0, 4.0, 8.0]])


def test_drift_goes_on_along_the_line_from_first_to_last() -> None:
    np.testing.assert_allclose(drift(panel_of({"a": [1.0, 9.0, 5.0]}), 2), [[7.0, 9.0]])


def test_drift_counts_from_the_observed_values() -> None:
    np.testing.assert_allclose(drift(panel_of({"a": [NAN, 1.0, 3.0, NAN]}), 2), [[7.0, 9.0]])


@pytest.mark.parametrize(("fit", "run"), list(zip(FITS, RUNS, strict=True)))
def test_a_series_without_any_value_gives_nothing_and_any_other_a_number(fit, run) -> None:
    panel = panel_of({"empty": [NAN, NAN], "single": [3.0], "gap": [NAN, 3.0, NAN, NAN]})
    found = run(fit(panel, PLAN), panel, np.arange(3), PLAN)
    assert found.shape == (3, 5, 13)
    assert np.isnan(found[0]).all()
    np.testing.assert_array_equal(found[1:], 3.0)


@pytest.mark.parametrize("run", RUNS)
def test_nothing_before_the_lookback_is_read(run) -> None:
    values = np.random.default_rng(1).normal(size=40)
    values[[30, 33]] = NAN
    other = np.append(np.full(28, 1e9), values[28:])
    panel = panel_of({"a": values, "b": other, "c": values[28:]})
    found = run(baselines.fit_naive(panel, PLAN), panel, np.arange(3), PLAN)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


@pytest.mark.parametrize("run", RUNS)
def test_the_same_series_can_be_forecast_from_many_origins(run) -> None:
    values = np.random.default_rng(2).normal(size=30)
    lengths = np.array([30, 7, 1, 18])
    views = panel_of({"a": values}).select([0, 0, 0, 0], lengths)
    found = run(baselines.fit_naive(views, PLAN), views, np.zeros(4, dtype=np.int64), PLAN)
    for row, length in enumerate(lengths):
        alone = panel_of({"a": values[:length]})
        np.testing.assert_array_equal(found[row], run(baselines.fit_naive(alone, PLAN), alone, np.zeros(1), PLAN)[0])


def test_the_seasonal_lag_is_the_base_or_else_one_season() -> None:
    assert replace(PLAN, base=6).seasonal_lag == 6
    assert replace(PLAN, base=1).seasonal_lag == 3


def test_every_quantile_is_the_point_without_taking_memory() -> None:
    panel = panel_of({"a": [1.0, 2.0, 3.0]})
    found = baselines.run_drift(baselines.fit_drift(panel, PLAN), panel, np.zeros(1), PLAN)
    assert found.strides[2] == 0
    np.testing.assert_array_equal(found[0, 0], 4.0)


def test_a_baseline_leaves_no_arrays() -> None:
    panel = panel_of({"a": [1.0]})
    assert all(not fit(panel, PLAN).arrays for fit in FITS)
    assert baselines.shapes(PLAN, 1) == {}
