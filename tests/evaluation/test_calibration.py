from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forecast.evaluation import calibration
from forecast.evaluation.calibration import Calibration
from forecast.plan import MEDIAN, QUANTILES, Plan

BANDS = [(q, len(QUANTILES) - 1 - q) for q in range(MEDIAN)]  # places of the lower and upper bound
NORMAL = np.array([NormalDist().inv_cdf(p) for p in QUANTILES])


def exchangeable(rows: int, horizon: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw truth, quantiles that are far too narrow, and units."""
    random = np.random.default_rng(seed)
    units = random.uniform(0.1, 100, rows)
    point = random.normal(0, 50, (rows, horizon))
    truth = point + units[:, None] * random.standard_t(3, (rows, horizon)) * np.sqrt(np.arange(1, horizon + 1))
    return truth, point[:, :, None] + 0.1 * units[:, None, None] * NORMAL, units


def test_bands_hold_their_level_on_exchangeable_data() -> None:
    truth, quantiles, units = exchangeable(4000, 3, seed=1)
    half = slice(0, 2000), slice(2000, None)
    fitted = calibration.fit_calibration(truth[half[0]], quantiles[half[0]], units[half[0]], QUANTILES)
    bands = calibration.apply(fitted, quantiles[half[1]], units[half[1]])
    for low, high in BANDS:
        inside = (bands[..., low] <= truth[half[1]]) & (truth[half[1]] <= bands[..., high])
        level = QUANTILES[high] - QUANTILES[low]
        error = 4 * np.sqrt(2 * level * (1 - level) / 2000)  # four standard errors, of calibration and of measuring
        np.testing.assert_allclose(inside.mean(axis=0), level, atol=error)


def test_the_shift_is_the_finite_sample_quantile_of_the_scores() -> None:
    truth = np.arange(1.0, 100.0)[:, None]  # 99 scores, 1 .. 99, and one step: nothing to pool with
    fitted = calibration.fit_calibration(truth, np.zeros((99, 1, 13)), np.ones(99), QUANTILES)
    # The k-th smallest of 99 scores is k: floor(100 p) below the middle, ceil(100 p) above.
    np.testing.assert_array_equal(fitted.shift[0], [2, 5, 10, 20, 30, 40, 0, 60, 70, 80, 90, 95, 98])


def test_scores_are_measured_in_units_of_the_row() -> None:
    truth = np.outer(np.arange(1.0, 100.0), [1.0]) * 7.0
    fitted = calibration.fit_calibration(truth, np.zeros((99, 1, 13)), np.full(99, 7.0), QUANTILES)
    assert fitted.shift[0, -1] == 98


@pytest.mark.parametrize(("rows", "promised"), [(39, False), (40, True)])
def test_a_level_is_promised_from_forty_scores_on(rows: int, promised: bool) -> None:
    truth, quantiles, units = exchangeable(rows, 1, seed=2)
    assert calibration.fit_calibration(truth, quantiles, units, QUANTILES).promised is promised


def test_few_scores_are_pooled_with_those_of_neighbouring_steps() -> None:
    truth, quantiles, units = exchangeable(30, 9, seed=3)
    pooled = calibration.fit_calibration(truth, quantiles, units, QUANTILES).pooled
    # One step on either side makes 90, two make 150; at the ends three are needed for 100.
    np.testing.assert_array_equal(pooled, [120, 120, 150, 150, 150, 150, 150, 120, 120])


def test_enough_scores_are_not_pooled() -> None:
    truth, quantiles, units = exchangeable(100, 3, seed=4)
    truth[0, 1] = np.nan
    np.testing.assert_array_equal(
        calibration.fit_calibration(truth, quantiles, units, QUANTILES).pooled, [100, 299, 100]
    )


def test_without_any_truth_nothing_is_shifted_or_promised() -> None:
    _, quantiles, units = exchangeable(5, 2, seed=5)
    fitted = calibration.fit_calibration(np.full((5, 2), np.nan), quantiles, units, QUANTILES)
    assert not fitted.shift.any()
    assert not fitted.promised


def test_the_empty_calibration_changes_nothing() -> None:
    plan = Plan(horizon=2, window=4, segment=2, seasons=(1,), base=1, lookback=4)
    _, quantiles, units = exchangeable(5, 2, seed=6)
    np.testing.assert_array_equal(calibration.apply(calibration.none(plan), quantiles, units), quantiles)


finite = st.floats(-1e6, 1e6)


@settings(max_examples=200, deadline=None)
@given(
    quantiles=hnp.arrays(np.float64, (2, 3, 13), elements=finite),
    shift=hnp.arrays(np.float64, (2, 13), elements=finite),
)
def test_calibrated_bands_are_nested_round_the_unmoved_point(quantiles: np.ndarray, shift: np.ndarray) -> None:
    fitted = Calibration(shift, np.zeros(2, dtype=np.int64), promised=False)
    found = calibration.apply(fitted, quantiles, np.array([0.5, 20.0]))
    assert (np.diff(found, axis=2) >= 0).all()
    np.testing.assert_array_equal(found[..., MEDIAN], quantiles[..., MEDIAN])


def test_steps_beyond_the_calibrated_ones_are_widened_as_a_random_walk() -> None:
    shift = np.tile(NORMAL, (4, 1))
    fitted = Calibration(shift, np.full(4, 100), promised=True)
    found = calibration.apply(fitted, np.zeros((1, 16, 13)), np.ones(1))
    np.testing.assert_allclose(found[0, 15], 2 * NORMAL, atol=1e-12)
    np.testing.assert_allclose(found[0, 3], NORMAL, atol=1e-12)


def test_a_series_without_a_forecast_stays_without_one() -> None:
    fitted = Calibration(np.ones((2, 13)), np.full(2, 100), promised=True)
    assert np.isnan(calibration.apply(fitted, np.full((1, 2, 13), np.nan), np.ones(1))).all()


def test_probabilities_of_the_grid_are_returned_as_they_are() -> None:
    _, quantiles, _ = exchangeable(3, 2, seed=7)
    np.testing.assert_array_equal(calibration.at(quantiles, QUANTILES, QUANTILES), quantiles)


@pytest.mark.parametrize("probability", [0.001, 0.03, 0.15, 0.5, 0.77, 0.96, 0.999])
def test_other_probabilities_of_normal_errors_are_met_exactly(probability: float) -> None:
    quantiles = (5 + 3 * NORMAL)[None, None]
    found = calibration.at(quantiles, QUANTILES, [probability])
    assert found[0, 0, 0] == pytest.approx(5 + 3 * NormalDist().inv_cdf(probability))


@settings(max_examples=200, deadline=None)
@given(
    quantiles=hnp.arrays(np.float64, (1, 2, 13), elements=finite).map(lambda values: np.sort(values, axis=2)),
    levels=st.lists(st.floats(0.1, 99.9), min_size=2, max_size=4).map(sorted),
)
def test_bands_of_any_levels_are_nested(quantiles: np.ndarray, levels: list[float]) -> None:
    shares = [level / 200 for level in levels]
    wanted = [0.5 - share for share in reversed(shares)] + [0.5] + [0.5 + share for share in shares]
    found = calibration.at(quantiles, QUANTILES, wanted)
    assert (np.diff(found, axis=2) >= 0).all()
    np.testing.assert_array_equal(found[..., len(levels)], quantiles[..., MEDIAN])


def test_a_level_on_the_grid_is_its_quantile_to_the_last_digit() -> None:
    quantiles = np.arange(13.0)[None, None] ** 2
    wanted = [0.5 - level / 200 for level in (95, 90, 80, 60)] + [0.5 + level / 200 for level in (95, 90, 80, 60)]
    assert calibration.at(quantiles, QUANTILES, wanted)[0, 0].tolist() == [0, 1, 4, 9, 144, 121, 100, 81]


def groups() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return 300 rows of ordinary errors, and 100 rows of zeros among which a twentieth are a hundred units high."""
    random = np.random.default_rng(4)
    truth = np.concatenate([random.normal(0, 1, (300, 1)), 100.0 * (random.random((100, 1)) < 0.05)])
    return truth, np.zeros((400, 1, 13)), np.ones(400), np.arange(400) >= 300


def test_series_that_are_mostly_zero_do_not_widen_the_bands_of_the_others() -> None:
    truth, quantiles, units, sparse = groups()
    fitted = calibration.fit_groups(truth, quantiles, units, QUANTILES, sparse)
    bands = calibration.apply(fitted, quantiles, units, sparse)
    assert fitted.promised
    assert bands[:300, 0, -1].max() < 3
    assert bands[300:, 0, -1].tolist() == [100.0] * 100


def test_each_group_has_the_calibration_of_its_own_rows() -> None:
    truth, quantiles, units, sparse = groups()
    fitted = calibration.fit_groups(truth, quantiles, units, QUANTILES, sparse)
    for shift, rows in ((fitted.shift, ~sparse), (fitted.sparse.shift, sparse)):
        alone = calibration.fit_calibration(truth[rows], quantiles[rows], units[rows], QUANTILES)
        assert shift.tolist() == alone.shift.tolist()


@pytest.mark.parametrize("few", [0, 39])
def test_a_group_with_too_few_scores_shares_the_calibration_of_all(few: int) -> None:
    truth, quantiles, units, _ = groups()
    fitted = calibration.fit_groups(truth, quantiles, units, QUANTILES, np.arange(400) >= 400 - few)
    assert fitted.sparse is None
    assert fitted.shift.tolist() == calibration.fit_calibration(truth, quantiles, units, QUANTILES).shift.tolist()


def test_rows_without_a_unit_do_not_calibrate() -> None:
    truth, quantiles, units, _ = groups()
    units[300:] = np.nan
    fitted = calibration.fit_calibration(truth, quantiles, units, QUANTILES)
    alone = calibration.fit_calibration(truth[:300], quantiles[:300], units[:300], QUANTILES)
    assert fitted.shift.tolist() == alone.shift.tolist()
    assert fitted.pooled.tolist() == [300]


def test_a_few_origins_that_err_to_one_side_give_bands_on_both() -> None:
    truth = np.random.default_rng(1).normal(-2, 0.5, (6, 8))  # all below the forecast
    given = truth, np.zeros((6, 8, 13)), np.ones(6), QUANTILES
    shift = calibration.fit_calibration(*given).shift
    np.testing.assert_allclose(shift, -shift[:, ::-1])
    assert shift[:, QUANTILES.index(0.9)].min() > 1.5
    sold = calibration.fit_groups(*given, np.ones(6, dtype=bool)).shift  # mostly zero: errors are of one side
    assert sold[:, MEDIAN + 1 :].max() < 0
    many = np.tile(truth, (4, 1)), np.zeros((24, 8, 13)), np.ones(24), QUANTILES
    assert calibration.fit_calibration(*many).shift[:, MEDIAN + 1 :].max() < 0
