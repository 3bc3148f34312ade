import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.forecasters.fitted import Kind
from forecast.forecasters.mixing import choose_weights, mix

ROWS, HORIZON = 60, 8


def setting(seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    random = np.random.default_rng(seed)
    return random.normal(0, 1, (ROWS, HORIZON)), np.ones(ROWS), random


def test_a_forecaster_that_is_always_right_gets_all() -> None:
    truth, units, _ = setting()
    found = choose_weights(truth, {Kind.NAIVE: truth + 1, Kind.THETA: truth, Kind.DRIFT: truth - 1.5}, units)
    assert found == {Kind.THETA: 1.0}


def test_equally_good_forecasters_with_errors_of_their_own_share_the_weight() -> None:
    truth, units, random = setting()
    noise = random.normal(0, 1, (2, ROWS, HORIZON))
    found = choose_weights(truth, {Kind.THETA: truth + noise[0], Kind.NETWORK: truth + noise[1]}, units)
    assert found[Kind.THETA] == pytest.approx(0.5, abs=0.15)


def test_opposite_errors_cancel_at_the_weights_that_balance_them() -> None:
    truth, units, _ = setting()
    found = choose_weights(truth, {Kind.THETA: truth + 1, Kind.NETWORK: truth - 3}, units)
    assert found == {Kind.THETA: 0.75, Kind.NETWORK: 0.25}


@pytest.mark.parametrize(("gain", "parts"), [(0.003, 1), (0.007, 2)])
def test_a_part_that_helps_by_less_than_half_a_percent_is_left_out(gain: float, parts: int) -> None:
    truth, units, _ = setting()
    helper = truth + 1 + (1 - 8 * gain) / 3.5  # worse at seven of eight steps, and at the first wrong the other way:
    helper[:, 0] = truth[:, 0] - 1  # half of it takes 1/8 off the loss and adds 1/8 - gain
    found = choose_weights(truth, {Kind.THETA: truth + 1, Kind.NETWORK: helper}, units)
    assert len(found) == parts
    assert found[Kind.THETA] >= 0.5


def test_of_equal_forecasters_the_first_is_taken() -> None:
    truth, units, _ = setting()
    found = choose_weights(truth, {Kind.RIDGE: truth + 1, Kind.THETA: truth + 1}, units)
    assert found == {Kind.RIDGE: 1.0}


def test_each_row_counts_equally_whatever_its_scale() -> None:
    truth, _, _ = setting()
    units = np.where(np.arange(ROWS) < 40, 1.0, 1e6)
    most = np.where(units[:, None] == 1.0, 0.1, 1.0) * units[:, None]  # right in most rows
    few = np.where(units[:, None] == 1.0, 1.0, 0.1) * units[:, None]  # right in the large ones
    found = choose_weights(truth, {Kind.NAIVE: truth + few, Kind.THETA: truth + most}, units)
    assert found == {Kind.THETA: 1.0}


def test_relative_errors_count_half_where_all_truth_is_positive() -> None:
    units = np.array([1.0, 1.0])
    truth = np.array([[1.0] * 4, [1000.0] * 4])
    low = truth + np.array([[0.1], [4.0]])  # good where values are small: few percent, many units
    high = truth + np.array([[3.0], [1.0]])
    assert choose_weights(truth, {Kind.NAIVE: low, Kind.THETA: high}, units)[Kind.NAIVE] == 1.0
    shifted = truth - 1.0 - 1e-9  # the same with a value below zero: absolute errors alone
    moved = {Kind.NAIVE: shifted + (low - truth), Kind.THETA: shifted + (high - truth) * 0.9}
    assert choose_weights(shifted, moved, units)[Kind.THETA] == 1.0


def test_missing_truth_and_forecasts_are_left_out() -> None:
    truth, units, _ = setting()
    good, bad = truth + 0.1, truth + 1.0
    truth[:30] = np.nan
    bad[:30] = 1e9
    good[40] = np.nan
    assert choose_weights(truth, {Kind.NAIVE: bad, Kind.THETA: good}, units) == {Kind.THETA: 1.0}


def test_without_any_truth_the_first_gets_all() -> None:
    empty = np.full((3, 2), np.nan)
    assert choose_weights(empty, {Kind.NETWORK: empty, Kind.THETA: empty}, np.ones(3)) == {Kind.NETWORK: 1.0}


def test_a_perfect_first_forecaster_of_positive_data_gets_all() -> None:
    truth = np.full((3, 2), 5.0)
    assert choose_weights(truth, {Kind.NAIVE: truth, Kind.THETA: truth + 1}, np.ones(3)) == {Kind.NAIVE: 1.0}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_weights_are_positive_and_sum_to_one_and_are_not_worse_than_the_best_part(seed: int, count: int) -> None:
    truth, units, random = setting(seed)
    kinds = list(Kind)[:count]
    forecasts = {kind: truth + random.normal(0, random.uniform(0.5, 2), truth.shape) for kind in kinds}
    found = choose_weights(truth, forecasts, units)
    assert min(found.values()) > 0
    assert sum(found.values()) == pytest.approx(1)
    mixed = mix([forecasts[kind][..., None] for kind in found], list(found.values()))[..., 0]
    best = min(np.abs(forecast - truth).mean() for forecast in forecasts.values())
    assert np.abs(mixed - truth).mean() <= best * 1.03


def test_a_mix_is_the_weighted_mean_of_the_quantiles() -> None:
    parts = [np.array([[[1.0, 2.0]]]), np.array([[[5.0, 10.0]]])]
    np.testing.assert_allclose(mix(parts, [0.25, 0.75]), [[[4.0, 8.0]]])


def test_a_part_without_weight_is_not_looked_at() -> None:
    parts = [np.full((1, 1, 2), np.nan), np.array([[[5.0, 10.0]]])]
    np.testing.assert_array_equal(mix(parts, [0.0, 1.0]), [[[5.0, 10.0]]])
