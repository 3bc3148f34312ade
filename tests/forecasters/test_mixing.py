import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.forecasters import mixing
from forecast.forecasters.mixing import mix

ROWS, HORIZON = 60, 8


def setting(seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    random = np.random.default_rng(seed)
    return random.normal(0, 1, (ROWS, HORIZON)), np.ones(ROWS), random


def choose_weights(truth: np.ndarray, forecasts: list[np.ndarray], units: np.ndarray) -> tuple[float, ...]:
    """Return the weights where every row is of another series."""
    return mixing.choose_weights(truth, forecasts, units, np.arange(len(truth)))


def test_a_forecaster_that_is_always_right_gets_all() -> None:
    truth, units, _ = setting()
    assert choose_weights(truth, [truth + 1, truth, truth - 1.5], units) == (0.0, 1.0, 0.0)


def test_equally_good_forecasters_with_errors_of_their_own_share_the_weight() -> None:
    truth, units, random = setting()
    noise = random.normal(0, 1, (2, ROWS, HORIZON))
    assert choose_weights(truth, [truth + noise[0], truth + noise[1]], units)[0] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("series", "horizons"), [(np.arange(ROWS), 60), (np.zeros(ROWS, int), 67 / 8), (np.arange(ROWS) % 2, 74 / 8)]
)
def test_the_weight_falls_with_a_power_of_the_loss_that_grows_with_what_was_seen(
    series: np.ndarray, horizons: float
) -> None:
    truth, units, _ = setting()
    found = mixing.choose_weights(truth, [truth + 1, truth - 1.1], units, series)
    assert found[1] / found[0] == pytest.approx(1.1 ** (-15 * horizons / (horizons + 2)))


@pytest.mark.parametrize(("loss", "kept"), [(1.22, True), (1.24, False)])  # 0.056 and 0.044 of the best one's weight
def test_a_weight_below_a_twentieth_of_the_largest_is_none(loss: float, kept: bool) -> None:
    truth, units, _ = setting()
    assert (choose_weights(truth, [truth + 1, truth + loss], units)[1] > 0) == kept


def test_of_a_hundred_that_are_as_good_each_has_a_hundredth() -> None:
    truth, units, _ = setting()
    found = choose_weights(truth, [truth + (-1) ** k * (1 + 1e-9 * k) for k in range(100)], units)
    assert found == pytest.approx((0.01,) * 100)


def test_of_forecasters_that_say_the_same_the_first_alone_has_a_weight() -> None:
    truth, units, _ = setting()
    found = choose_weights(truth, [truth + 1, truth + 1, truth - 1], units)
    assert found == pytest.approx((0.5, 0.0, 0.5))


def test_each_row_counts_equally_whatever_its_scale() -> None:
    truth, _, _ = setting()
    units = np.where(np.arange(ROWS) < 40, 1.0, 1e6)
    most = np.where(units[:, None] == 1.0, 0.1, 1.0) * units[:, None]  # right in most rows
    few = np.where(units[:, None] == 1.0, 1.0, 0.1) * units[:, None]  # right in the large ones
    assert choose_weights(truth, [truth + few, truth + most], units) == (0.0, 1.0)


def test_relative_errors_count_half_where_all_truth_is_positive() -> None:
    units = np.array([1.0, 1.0])
    truth = np.array([[1.0] * 4, [1000.0] * 4])
    low = truth + np.array([[0.1], [4.0]])  # good where values are small: few percent, many units
    high = truth + np.array([[3.0], [1.0]])
    assert choose_weights(truth, [low, high], units)[0] > 0.5
    shifted = truth - 1.0 - 1e-9  # the same with a value below zero: absolute errors alone
    moved = [shifted + (low - truth), shifted + (high - truth) * 0.9]
    assert choose_weights(shifted, moved, units)[1] > 0.5


def test_missing_truth_and_forecasts_are_left_out() -> None:
    truth, units, _ = setting()
    good, bad = truth + 0.1, truth + 1.0
    truth[:30] = np.nan
    bad[:30] = 1e9
    good[40] = np.nan
    assert choose_weights(truth, [bad, good], units) == (0.0, 1.0)


def test_without_any_truth_the_first_gets_all() -> None:
    empty = np.full((3, 2), np.nan)
    assert choose_weights(empty, [empty, empty], np.ones(3)) == (1.0, 0.0)


def test_a_perfect_first_forecaster_of_positive_data_gets_all() -> None:
    truth = np.full((3, 2), 5.0)
    assert choose_weights(truth, [truth, truth + 1], np.ones(3)) == (1.0, 0.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_weights_are_positive_and_sum_to_one_and_are_not_worse_than_the_best_part(seed: int, count: int) -> None:
    truth, units, random = setting(seed)
    forecasts = [truth + random.normal(0, random.uniform(0.5, 2), truth.shape) for _ in range(count)]
    found = choose_weights(truth, forecasts, units)
    assert min(found) >= 0
    assert sum(found) == pytest.approx(1)
    mixed = mix([forecast[..., None] for forecast in forecasts], found)[..., 0]
    best = min(np.abs(forecast - truth).mean() for forecast in forecasts)
    assert np.abs(mixed - truth).mean() <= best * 1.03


def test_a_mix_is_the_weighted_mean_of_the_quantiles() -> None:
    parts = [np.array([[[1.0, 2.0]]]), np.array([[[5.0, 10.0]]])]
    np.testing.assert_allclose(mix(parts, [0.25, 0.75]), [[[4.0, 8.0]]])


def test_a_part_without_weight_is_not_looked_at() -> None:
    parts = [np.full((1, 1, 2), np.nan), np.array([[[5.0, 10.0]]])]
    np.testing.assert_array_equal(mix(parts, [0.0, 1.0]), [[[5.0, 10.0]]])
