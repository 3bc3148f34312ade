from dataclasses import replace

import numpy as np
import pytest

from forecast.panels.features import Rows, calendar_features, calendar_names, prepare, widths
from forecast.plan import Plan

PLAN = Plan(horizon=5, window=8, segment=4, seasons=(4,), base=4, lookback=12, quantiles=(0.5,))


def rows(values, plan=PLAN, missing=()):
    past = np.asarray(values, dtype=float)[None, :]
    mask = np.ones_like(past)
    mask[0, list(missing)] = 0
    padded = plan.output_segments * plan.segment
    nothing = np.zeros((1, 0))
    return Rows(past * mask, mask, np.zeros((1, plan.window, 0)), np.zeros((1, padded, 0)), nothing, nothing)


def season_of(level):
    return [level, level + 1, level + 4, level + 3]


def test_the_base_is_the_last_season_repeated_over_the_horizon():
    inputs = prepare(np, PLAN, rows(season_of(0) + season_of(2) + season_of(10)), None)
    base = inputs.base * inputs.spread + inputs.level
    np.testing.assert_allclose(base, [[10, 11, 14, 13, 10]])


def test_the_level_and_spread_are_those_of_the_last_season():
    inputs = prepare(np, PLAN, rows(season_of(0) + season_of(2) + season_of(10)), None)
    assert inputs.level[0, 0] == pytest.approx(12)
    assert inputs.spread[0, 0] == pytest.approx(np.std(season_of(10)))


def test_the_spread_may_be_that_of_the_whole_window():
    values = season_of(0) + season_of(2) + season_of(10)
    inputs = prepare(np, replace(PLAN, whole_spread=True), rows(values), None)
    assert inputs.level[0, 0] == pytest.approx(12)
    assert inputs.spread[0, 0] == pytest.approx(np.std(values[-8:]))


def test_where_most_of_the_last_season_is_missing_the_whole_window_gives_level_and_spread():
    values = season_of(0) + season_of(2) + season_of(10)
    inputs = prepare(np, PLAN, rows(values, missing=[8, 9, 10]), None)
    seen = [*season_of(2), values[-1]]
    assert inputs.level[0, 0] == pytest.approx(np.mean(seen))
    assert inputs.spread[0, 0] == pytest.approx(np.std(seen))


def test_a_missing_step_of_the_last_season_is_replaced_by_the_last_value():
    inputs = prepare(np, PLAN, rows(season_of(0) + season_of(2) + season_of(10), missing=[9]), None)
    base = inputs.base * inputs.spread + inputs.level
    np.testing.assert_allclose(base, [[10, 13, 14, 13, 10]])


def test_shifting_and_stretching_a_window_changes_nothing_that_the_cell_sees():
    values = np.array(season_of(0) + season_of(2) + season_of(10))
    one, other = prepare(np, PLAN, rows(values), None), prepare(np, PLAN, rows(1000 + 7 * values), None)
    np.testing.assert_allclose(one.encoder, other.encoder, atol=1e-9)
    np.testing.assert_allclose(one.decoder, other.decoder, atol=1e-9)


def test_the_inputs_have_the_widths_that_the_weights_are_made_for():
    inputs = prepare(np, PLAN, rows(range(12)), None)
    encoder, decoder = widths(PLAN)
    assert inputs.encoder.shape == (1, 2, encoder)
    assert inputs.decoder.shape == (1, 2, decoder)


def test_a_window_without_any_observation_gives_finite_inputs():
    inputs = prepare(np, PLAN, rows([0.0] * 12, missing=range(12)), None)
    assert np.isfinite(inputs.encoder).all()
    assert np.isfinite(inputs.base).all()


def test_a_constant_window_does_not_blow_noise_up():
    assert prepare(np, PLAN, rows([3.0] * 12), None).spread[0, 0] == pytest.approx(0.01)


HOURS = np.datetime64("2024-01-01T00", "h") + np.arange(24 * 400)


def test_hourly_data_over_a_year_have_day_and_weekday_features():
    names = calendar_names(HOURS, 1 / 24, 400)
    assert names == ("day_sin", "day_cos", *(f"weekday_{day}" for day in range(7)))


def test_daily_data_over_three_years_have_the_year_too():
    names = calendar_names(HOURS, 1.0, 1100)
    assert names[-4:] == ("year_sin", "year_cos", "year_sin2", "year_cos2")


def test_the_first_of_january_2024_is_a_monday():
    features = calendar_features(HOURS[:25], ("weekday_0", "weekday_1"))
    assert features[0].tolist() == [1.0, 0.0]
    assert features[24].tolist() == [0.0, 1.0]


def test_the_day_feature_turns_once_a_day():
    day = calendar_features(HOURS[:25], ("day_sin", "day_cos"))
    np.testing.assert_allclose(day[[0, 6, 24]], [[0, 1], [1, 0], [0, 1]], atol=1e-12)


def test_the_middle_of_a_year_is_its_middle_in_leap_years_too():
    middle = np.array(["2024-07-02T00:00", "2023-07-02T12:00"], dtype="datetime64[s]")
    np.testing.assert_allclose(calendar_features(middle, ("year_cos",)), -1, atol=1e-9)


def test_the_forecast_of_smoothing_is_one_more_input_of_the_steps_ahead():
    plan = replace(PLAN, smoothing=True)
    given = replace(rows(season_of(0) + season_of(2) + season_of(10)), smoothing=np.arange(8.0)[None, :])
    inputs, without = prepare(np, plan, given, None), prepare(np, PLAN, given, None)
    shown = inputs.decoder[0, :, : 4 * 3].reshape(8, 3)
    np.testing.assert_allclose(shown[:, 2] * inputs.spread[0] + inputs.level[0], np.arange(8.0))
    np.testing.assert_array_equal(shown[:, :2], without.decoder[0, :, : 4 * 2].reshape(8, 2))
    np.testing.assert_array_equal(inputs.base, without.base)
    assert (inputs.encoder.shape[-1], inputs.decoder.shape[-1]) == widths(plan)
