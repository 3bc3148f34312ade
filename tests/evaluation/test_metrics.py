import json
from dataclasses import replace

import numpy as np
import pytest

from forecast.evaluation import metrics
from forecast.evaluation.backtest import Backtest
from forecast.evaluation.metrics import Groups
from forecast.forecasters.fitted import Kind
from forecast.panels.panel import panel_of
from forecast.plan import QUANTILES, Plan
from forecast.report.figures import columns_as_csv

NAN = float("nan")
TRUTH = np.array([[1.0, 2.0, NAN], [10.0, 20.0, 30.0]])
POINT = np.array([[2.0, 2.0, 5.0], [10.0, 15.0, 40.0]])
UNITS = np.array([0.5, 5.0])


def test_mae_is_the_mean_over_observed_steps() -> None:
    assert metrics.mae(TRUTH, POINT)[0] == 16 / 5


def test_rmse_is_the_root_of_the_mean_square_over_observed_steps() -> None:
    assert metrics.rmse(TRUTH, POINT)[0] == pytest.approx(np.sqrt(126 / 5))


def test_wape_is_a_share_of_the_absolute_truth() -> None:
    assert metrics.wape(-TRUTH, -POINT)[0] == pytest.approx(16 / 63)


def test_bias_is_above_zero_for_forecasts_that_are_too_high() -> None:
    assert metrics.bias(TRUTH, POINT)[0] == pytest.approx((1 - 5 + 10) / 63)


def test_smape_is_that_of_the_m4_competition() -> None:
    found = metrics.smape(TRUTH, POINT)[0]
    assert found == pytest.approx(200 / 5 * (1 / 3 + 5 / 35 + 10 / 70))


def test_mase_counts_each_row_equally_however_many_steps_it_has() -> None:
    assert metrics.mase(TRUTH, POINT, UNITS)[0] == pytest.approx((0.5 / 0.5 + 5 / 5) / 2)


def test_rmsse_is_the_mean_of_the_rows_scaled_roots() -> None:
    expected = (np.sqrt(1 / 2) / 0.5 + np.sqrt(125 / 3) / 5) / 2
    assert metrics.rmsse(TRUTH, POINT, UNITS)[0] == pytest.approx(expected)


def test_the_pinball_loss_of_a_point_forecast_is_its_mase() -> None:
    quantiles = np.repeat(POINT[:, :, None], len(QUANTILES), axis=2)
    found = metrics.pinball(TRUTH, quantiles, QUANTILES, UNITS)[0]
    assert found == pytest.approx(metrics.mase(TRUTH, POINT, UNITS)[0])


def test_the_pinball_loss_punishes_the_likely_side_more() -> None:
    truth, quantile, unit = np.array([[3.0], [-3.0]]), np.zeros((2, 1, 1)), np.ones(2)
    groups = Groups(np.array([[0], [1]]), 2)
    np.testing.assert_allclose(metrics.pinball(truth, quantile, (0.9,), unit, groups), [2 * 0.9 * 3, 2 * 0.1 * 3])


def test_coverage_counts_the_bounds_as_inside_and_missing_truth_nowhere() -> None:
    assert metrics.coverage(TRUTH, np.full((2, 3), 2.0), np.full((2, 3), 20.0))[0] == 3 / 5


def test_skill_is_the_share_of_the_reference_error_that_is_saved() -> None:
    assert metrics.skill(np.array([0.88]), np.array([1.0]))[0] == pytest.approx(0.12)


@pytest.mark.parametrize(
    ("error", "reference", "expected"), [(0.0, 0.0, 0.0), (1.0, 0.0, NAN), (NAN, 1.0, NAN), (1.0, NAN, NAN)]
)
def test_skill_is_never_infinite(error: float, reference: float, expected: float) -> None:
    np.testing.assert_equal(metrics.skill(np.array([error]), np.array([reference]))[0], expected)


@pytest.mark.parametrize(("forecast", "expected"), [(0.0, 0.0), (1.0, NAN)])
def test_shares_of_zero_truth_are_zero_or_undefined(forecast: float, expected: float) -> None:
    zero = np.zeros((1, 2))
    np.testing.assert_equal(metrics.wape(zero, zero + forecast)[0], expected)
    np.testing.assert_equal(metrics.bias(zero, zero + forecast)[0], expected)


def test_smape_of_zero_forecast_as_zero_is_zero() -> None:
    assert metrics.smape(np.zeros((1, 2)), np.zeros((1, 2)))[0] == 0


def test_without_any_truth_every_metric_is_undefined() -> None:
    truth = np.full((2, 3), NAN)
    for metric in (metrics.mae, metrics.rmse, metrics.smape, metrics.wape, metrics.bias):
        assert np.isnan(metric(truth, POINT)[0])
    for metric in (metrics.mase, metrics.rmsse):
        assert np.isnan(metric(truth, POINT, UNITS)[0])


def test_the_unit_of_error_is_the_mean_absolute_seasonal_difference() -> None:
    panel = panel_of({"a": [1.0, 5.0, 2.0, 8.0], "b": [0.0, 0.0, 10.0, NAN, 20.0]})
    np.testing.assert_allclose(metrics.seasonal_difference(panel, 2), [(1 + 3) / 2, (10 + 10) / 2])


def test_the_squared_unit_of_error_is_a_root_mean_square() -> None:
    panel = panel_of({"a": [1.0, 5.0, 2.0, 8.0]})
    assert metrics.seasonal_difference(panel, 2, power=2)[0] == pytest.approx(np.sqrt((1 + 9) / 2))


def test_steps_out_of_sight_do_not_change_the_unit_of_error() -> None:
    whole = panel_of({"a": [1.0, 5.0, 2.0, 8.0, 900.0]})
    views = whole.select([0, 0, 0], np.array([4, 5, 3]))
    np.testing.assert_allclose(metrics.seasonal_difference(views, 2), [2.0, (1 + 3 + 898) / 3, 1.0])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 2.0, 4.0], 1.5),  # shorter than a season: the mean step
        ([1.0, 3.0, 1.0, 3.0], 2.0),  # repeats itself exactly: the mean step
        ([5.0, 5.0, 5.0, 5.0, 5.0], 5.0),  # constant: its level
        ([0.1 + 0.2, 0.3, 0.1 + 0.2, 0.3], 0.3),  # constant but for rounding
        ([-4.0], 4.0),
        ([0.0, 0.0], 1.0),
        ([NAN, NAN], 1.0),
    ],
)
def test_the_unit_of_error_falls_back_until_it_is_above_zero(values: list[float], expected: float) -> None:
    season = 2 if len(values) == 4 else 4
    assert metrics.seasonal_difference(panel_of({"a": values}), season)[0] == pytest.approx(expected)


def test_the_unit_of_error_does_not_depend_on_the_neighbours() -> None:
    small = [1e-6, 3e-6, 2e-6]
    panel = panel_of({"large": [1e30, 3e30, 2e30], "small": small})
    alone = metrics.seasonal_difference(panel_of({"small": small}), 1)
    assert metrics.seasonal_difference(panel, 1)[1] == alone[0]
    assert metrics.seasonal_difference(panel.select([1, 0, 1]), 1)[0] == alone[0]


PLAN = Plan(horizon=2, window=2, segment=1, seasons=(1,), base=1, lookback=4)


def backtest(role: tuple[str, ...] = ("report", "calibration", "report", "report")) -> Backtest:
    panel = panel_of({"b": [4.0, 6.0, 5.0, 9.0], "a": [1.0, 2.0, 3.0]})
    point = np.array([[5.0, 9.0], [0.0, 0.0], [2.0, 3.0], [4.0, 3.0]])
    return Backtest(
        panel=panel.select([0, 0, 0, 1], np.array([2, 3, 4, 3])),
        role=role,
        truth=np.array([[5.0, 9.0], [9.0, NAN], [4.0, 3.0], [4.0, NAN]]),
        units=np.array([2.0, 2.0, 2.0, 1.0]),
        quantiles=point[:, :, None] + np.linspace(-2, 2, 13),
        medians={Kind.SEASONAL_NAIVE: point + 1, Kind.THETA: np.full((4, 2), 4.0)},
    )


def test_overall_scores_the_report_rows_of_the_mix_and_of_every_forecaster() -> None:
    found = metrics.overall(backtest(), PLAN)
    assert (found["rows"], found["series"], found["coverage_measured"]) == (3, 2, True)
    assert list(found["scores"]) == ["model", "seasonal_naive", "theta"]
    model = found["scores"]["model"]
    assert model["mase"] == pytest.approx((0 + 1 / 2 + 0) / 3)
    assert model["mae"] == pytest.approx(2 / 5)
    assert model["skill"] == pytest.approx(1 - model["mase"] / found["scores"]["seasonal_naive"]["mase"])
    assert found["scores"]["seasonal_naive"]["skill"] == 0
    assert found["scores"]["theta"]["pinball"] == found["scores"]["theta"]["mase"]


def test_every_forecaster_has_the_same_metrics() -> None:
    scores = metrics.overall(backtest(), PLAN)["scores"]
    assert len({frozenset(columns) for columns in scores.values()}) == 1
    expected = [
        "mae",
        "rmse",
        "wape",
        "smape",
        "mase",
        "rmsse",
        "bias",
        "pinball",
        "coverage_80",
        "coverage_95",
        "skill",
    ]
    assert set(scores["model"]) == set(expected)


def test_the_coverage_of_report_rows_is_reported_for_the_mix_alone() -> None:
    scores = metrics.overall(backtest(), PLAN)["scores"]
    assert scores["model"]["coverage_80"] == pytest.approx(4 / 5)  # off by 2 once, where the band reaches 1.33
    assert scores["model"]["coverage_95"] == 1  # and here 2
    assert scores["theta"]["coverage_95"] is None


def test_coverage_is_not_reported_where_every_row_calibrated() -> None:
    found = metrics.overall(backtest(("calibration",) * 4), PLAN)
    assert found["coverage_measured"] is False
    assert found["scores"]["model"]["coverage_80"] is None
    assert found["rows"] == 4


def test_overall_is_strict_json() -> None:
    silent = backtest()
    silent.truth[:] = NAN
    text = json.dumps(metrics.overall(silent, PLAN), allow_nan=False)
    assert json.loads(text)["scores"]["model"]["mase"] is None


def test_rmsse_is_scaled_by_what_came_before_the_first_origin_that_is_scored() -> None:
    scores = metrics.overall(backtest(), PLAN)["scores"]
    assert scores["model"]["rmsse"] == pytest.approx((0 + np.sqrt(4 / 2) / 2 + 0) / 3)  # b: only 4, 6 were seen


def test_by_series_has_a_row_for_each_series_in_the_order_they_come() -> None:
    found = metrics.by_series(backtest(), PLAN)
    assert found["series"] == ["b", "a"]
    np.testing.assert_array_equal(found["origins"], [2, 1])
    np.testing.assert_allclose(found["mae"], [2 / 4, 0])
    np.testing.assert_allclose(found["mase"], [(0 + 0.5) / 2, 0])
    np.testing.assert_allclose(found["skill"], 1 - found["mase"] / found["mase_seasonal_naive"])


def test_by_step_has_a_row_for_each_step() -> None:
    found = metrics.by_step(backtest(), PLAN)
    np.testing.assert_array_equal(found["step"], [1, 2])
    np.testing.assert_allclose(found["mae"], [2 / 3, 0])
    np.testing.assert_allclose(found["mase"], [1 / 3, 0])
    np.testing.assert_allclose(found["rmsse"], [np.sqrt(1 / 3), 0])


def test_all_columns_of_a_table_are_equally_long() -> None:
    for table in (metrics.by_series(backtest(), PLAN), metrics.by_step(backtest(), PLAN)):
        assert {len(column) for column in table.values()} == {2}


def test_a_series_without_a_unit_counts_in_no_scaled_error() -> None:
    made = backtest()
    without = replace(made, units=np.array([2.0, 2.0, 2.0, NAN]))
    with_all, found = (metrics.overall(one, PLAN)["scores"]["model"] for one in (made, without))
    assert found["mase"] == pytest.approx((0 + 1 / 2) / 2)
    assert found["mae"] == with_all["mae"]
    assert found["skill"] is not None


def test_by_series_leaves_the_cells_of_a_series_without_a_unit_empty() -> None:
    found = metrics.by_series(replace(backtest(), units=np.array([2.0, 2.0, 2.0, NAN])), PLAN)
    for name in ("mase", "pinball", "skill", "mase_theta"):
        assert np.isfinite(found[name]).tolist() == [True, False], name
    assert np.isfinite(found["mae"]).all()


def zeros_before(values: dict[str, list[float]]) -> Backtest:
    """Return a backtest of series from step 3 on, two steps ahead, forecast as 1."""
    panel = panel_of(values)
    cut = panel.select(np.arange(len(panel)), np.full(len(panel), 3))
    units = np.where(metrics.without_unit(cut), NAN, metrics.seasonal_difference(cut, 1))
    point = np.ones((len(panel), 2))
    quantiles = np.repeat(point[:, :, None], 13, axis=2)
    return Backtest(cut, ("report",) * len(panel), cut.truth(2), units, quantiles, {Kind.SEASONAL_NAIVE: point * 0})


def test_zeros_that_turn_into_thousands_do_not_outweigh_all_other_series() -> None:
    made = zeros_before({"born": [0, 0, 0, 5000, 6000], "plain": [1, 2, 3, 2, 2]})
    found = metrics.overall(made, PLAN)["scores"]["model"]
    assert (found["mase"], found["rmsse"], found["pinball"]) == (1, 1, 1)
    assert found["mae"] == pytest.approx((4999 + 5999 + 1 + 1) / 4)


def test_where_all_series_are_zero_the_unit_is_one() -> None:
    found = metrics.overall(zeros_before({"a": [0, 0, 0, 0, 0], "b": [0, 0, 0, 0, 0]}), PLAN)["scores"]
    assert (found["model"]["mase"], found["model"]["rmsse"]) == (1, 1)
    assert (found["model"]["wape"], found["model"]["bias"], found["model"]["skill"]) == (None, None, None)
    assert (found["seasonal_naive"]["smape"], found["seasonal_naive"]["skill"]) == (0, 0)


def test_an_undefined_metric_is_an_empty_cell_in_the_tables() -> None:
    lines = columns_as_csv(metrics.by_series(zeros_before({"a": [0, 0, 0, 0, 0]}), PLAN)).decode().splitlines()
    cells = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert (cells["wape"], cells["bias"], cells["skill"], cells["smape"]) == ("", "", "", "200")


def several() -> Backtest:
    """Return the backtest with b as the target y and a as the target z of one id."""
    made = backtest()
    channel = np.array([int(name == "a") for name in made.panel.ids])
    return replace(made, panel=replace(made.panel, ids=("1",) * 4, targets=("y", "z"), channel=channel))


def test_each_target_has_scores_of_its_own() -> None:
    found, whole = metrics.by_target(several(), PLAN), metrics.by_series(backtest(), PLAN)
    assert {name: scores["model"]["mae"] for name, scores in found.items()} == {
        "y": whole["mae"][0],
        "z": whole["mae"][1],
    }


def test_a_target_that_was_only_seen_has_no_scores_where_others_have_some() -> None:
    made = several()
    role = tuple("seen" if channel else "report" for channel in made.panel.channel)
    assert list(metrics.by_target(replace(made, role=role), PLAN)) == ["y"]
    assert list(metrics.by_target(replace(made, role=("seen",) * 4), PLAN)) == ["y", "z"]


def test_one_target_has_no_scores_beside_the_overall_ones() -> None:
    assert metrics.by_target(backtest(), PLAN) == {}


def test_by_series_names_the_target_of_each() -> None:
    found = metrics.by_series(several(), PLAN)
    assert (found["series"], found["target"]) == (["1", "1"], ["y", "z"])


def test_by_step_has_the_steps_of_each_target() -> None:
    found = metrics.by_step(several(), PLAN)
    assert (found["target"].tolist(), found["step"].tolist()) == (["y", "y", "z", "z"], [1, 2, 1, 2])
    alone = metrics.by_step(several().select(np.flatnonzero(several().panel.channel == 1)), PLAN)
    np.testing.assert_array_equal(found["mase"][2:], alone["mase"][2:])
