from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from forecast.evaluation.backtest import Backtest
from forecast.evaluation.comparison import (
    Comparison,
    Unit,
    compare,
    compare_losses,
    diebold_mariano,
    loss_differences,
    separate_times,
)
from forecast.forecasters.fitted import Kind
from forecast.panels.panel import panel_of
from forecast.plan import QUANTILES

NAN = float("nan")
CASES = 1500


def differences(rng: Any, count: int, horizon: int, mean: float = 0.0) -> Any:
    """Return loss differences at `count` origins one step apart, each the mean over its horizon of shared steps."""
    steps = np.abs(rng.standard_normal(count + horizon - 1)) - np.abs(rng.standard_normal(count + horizon - 1))
    return np.convolve(steps, np.ones(horizon) / horizon, "valid") + mean


def rejections(count: int, horizon: int, mean: float = 0.0) -> float:
    """Return in which share of simulated cases the test rejects at the 5 % level."""
    rng = np.random.default_rng(7)
    times = np.arange(count)
    found = [diebold_mariano(differences(rng, count, horizon, mean), times, horizon) for _ in range(CASES)]
    return sum(one is not None and one[1] < 0.05 for one in found) / CASES


def test_without_overlap_it_is_the_t_test() -> None:
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(1).standard_normal(12) + 0.3
    expected = stats.ttest_1samp(values, 0.0)
    assert diebold_mariano(values, 7 * np.arange(12), 7) == pytest.approx((expected.statistic, expected.pvalue))


def test_the_variance_counts_the_covariances_of_overlapping_origins() -> None:
    values = differences(np.random.default_rng(2), 40, 4, 0.2)
    errors = values - values.mean()
    variance = errors @ errors + 2 * sum(errors[lag:] @ errors[:-lag] for lag in (1, 2, 3))
    factor = (40 + 1 - 8 + 4 * 3 / 40) / 40  # Harvey, Leybourne and Newbold with n = 40 and h = 4
    expected = values.mean() / np.sqrt(variance / 40**2) * np.sqrt(factor)
    found = diebold_mariano(values, np.arange(40), 4)
    assert found is not None
    assert found[0] == pytest.approx(expected)


@pytest.mark.parametrize(("count", "horizon"), [(10, 1), (31, 4), (109, 12), (190, 12)])
def test_equal_forecasts_are_called_different_in_about_5_percent_of_cases(count: int, horizon: int) -> None:
    assert 0.03 < rejections(count, horizon) < 0.085


@pytest.mark.parametrize(("count", "horizon", "mean"), [(10, 1, 1.2), (109, 12, 0.4)])
def test_a_clear_difference_is_found(count: int, horizon: int, mean: float) -> None:
    assert rejections(count, horizon, mean) > 0.9


def test_many_series_that_are_equally_good_are_called_different_in_about_5_percent_of_cases() -> None:
    rng = np.random.default_rng(3)
    series, cutoffs = np.repeat(np.arange(30), 10), np.tile(np.arange(10), 30)
    found = []
    for _ in range(CASES):
        # All origins of a series share their steps: what one says, nearly all say.
        values = np.concatenate([differences(rng, 10, 12) for _ in range(30)])
        found.append(compare_losses(values, series, cutoffs, 12).p_value)
    assert 0.03 < np.mean(np.array(found) < 0.05) < 0.075


@pytest.mark.parametrize(("series", "unit", "count"), [(30, Unit.SERIES, 30), (29, Unit.ORIGIN, 8)])
def test_from_30_series_on_a_series_is_an_observation(series: int, unit: Unit, count: int) -> None:
    values = np.random.default_rng(4).standard_normal(series * 8)
    found = compare_losses(values, np.repeat(np.arange(series), 8), np.tile(5 * np.arange(8), series), 5)
    assert (found.unit, found.observations, found.separate) == (unit, count, count)


def test_fewer_than_eight_separate_horizons_cannot_be_told() -> None:
    values = np.random.default_rng(5).standard_normal(85) - 5
    one = np.zeros(85, dtype=np.int64)
    assert compare_losses(values, one, np.arange(85), 12).p_value is not None
    assert compare_losses(values[:84], one[:84], np.arange(84), 12).p_value is None


def test_origins_far_apart_do_not_share_steps() -> None:
    assert separate_times(np.array([0, 1, 11, 12, 24, 30, 40]), 12) == 4


def test_two_forecasts_that_are_the_same_cannot_be_told_apart() -> None:
    assert diebold_mariano(np.zeros(10), np.arange(10), 1) is None


def test_a_difference_that_is_always_the_same_is_no_chance() -> None:
    found = compare_losses(np.full(10, -0.1), np.zeros(10, dtype=np.int64), np.arange(10), 1)
    assert (found.statistic, found.p_value) == (None, 0.0)


def test_a_variance_below_zero_cannot_be_told() -> None:
    values = np.tile([1.0, -1.0], 20)
    values[0] += 0.1
    assert diebold_mariano(values, np.arange(40), 2) is None


def test_nothing_to_compare_gives_no_number() -> None:
    nothing = np.zeros(3, dtype=np.int64)
    assert compare_losses(np.full(3, NAN), nothing, nothing, 2) == Comparison(None, None, None, Unit.ORIGIN, 0, 0)


def test_a_row_counts_the_steps_that_all_know_in_units_of_its_series() -> None:
    truth = np.array([[1.0, 2.0, NAN], [0.0, 0.0, 0.0]])
    model = np.array([[2.0, 2.0, 9.0], [NAN, NAN, NAN]])
    other = np.array([[4.0, 4.0, 9.0], [1.0, 1.0, 1.0]])
    np.testing.assert_allclose(loss_differences(truth, model, other, np.array([2.0, 1.0])), [(-1 - 1) / 2, NAN])


@pytest.fixture
def backtest() -> Backtest:
    rng = np.random.default_rng(6)
    panel = panel_of({"a": np.arange(30.0)}).select([0] * 20, np.arange(8, 28))
    truth = rng.standard_normal((20, 1))
    quantiles = np.broadcast_to(truth[:, :, None] + 0.1, (20, 1, len(QUANTILES)))
    medians = {Kind.SEASONAL_NAIVE: truth + rng.uniform(0.5, 1.5, (20, 1))}
    return Backtest(panel, ("calibration", "report") * 10, truth, np.ones(20), quantiles, medians)


def test_only_reported_rows_are_compared(backtest: Backtest) -> None:
    found = compare(backtest, [Kind.SEASONAL_NAIVE])[Kind.SEASONAL_NAIVE]
    assert found.observations == 10
    assert compare(replace(backtest, role=("report",) * 20), [Kind.SEASONAL_NAIVE])["seasonal_naive"].observations == 20


def test_a_better_model_has_a_difference_below_zero(backtest: Backtest) -> None:
    found = compare(backtest, [Kind.SEASONAL_NAIVE])["seasonal_naive"]
    assert found.difference is not None
    assert found.statistic is not None
    assert found.difference < 0 > found.statistic
    assert not found.may_be_luck


def test_a_forecaster_that_is_not_there_is_left_out(backtest: Backtest) -> None:
    assert list(compare(backtest, [Kind.THETA, Kind.SEASONAL_NAIVE])) == ["seasonal_naive"]
