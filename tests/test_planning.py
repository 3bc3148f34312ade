from itertools import product

import numpy as np
import pytest

from forecast.errors import DataError, UsageError
from forecast.evaluation.backtest import least_history, split
from forecast.options import Preset, Scaler, TrainOptions
from forecast.panels.calendar import Calendar
from forecast.panels.panel import panel_of
from forecast.plan import LINEAR
from forecast.planning import LEAST_EPOCH, PASSES, PATIENT, STEPS, settle
from forecast.seasons import best_base, confirmed_seasons

DAILY = Calendar("D", 0, "%Y-%m-%d", "")


def noise(length, seed=0):
    return np.random.default_rng(seed).standard_normal(length)


def wave(length, season=7, level=50.0):
    return level + 10 * np.sin(2 * np.pi * np.arange(length) / season) + noise(length)


def walk(length):
    return 1000 + np.cumsum(noise(length))


def plan_for(values, options=None, seasons=(), calendar=None):
    return settle(panel_of({"a": values}, calendar), options or TrainOptions(), seasons)


@pytest.mark.parametrize(
    ("frequency", "horizon"), [("h", 48), ("D", 14), ("W-SUN", 13), ("MS", 18), ("QS", 8), ("YS", 6), ("step", 12)]
)
def test_the_horizon_is_what_people_of_the_frequency_ask_for(frequency, horizon):
    assert plan_for(walk(400), calendar=Calendar(frequency)).horizon == horizon


def test_without_a_custom_the_horizon_is_two_of_the_shortest_season_of_the_frequency():
    assert plan_for(walk(600), calendar=Calendar("30min")).horizon == 96


def test_without_a_frequency_the_horizon_is_two_of_the_shortest_season():
    assert plan_for(wave(400), seasons=(28, 7)).horizon == 14


def test_a_horizon_that_was_not_asked_for_takes_a_fifth_of_the_data_at_most():
    assert plan_for(walk(50), calendar=DAILY).horizon == 10


def test_a_horizon_that_was_asked_for_is_kept():
    assert plan_for(walk(100), TrainOptions(horizon=30), calendar=DAILY).horizon == 30


def test_too_few_rows_for_the_horizon_are_refused_with_the_number_that_is_needed():
    with pytest.raises(DataError) as refused:
        plan_for(walk(20), TrainOptions(horizon=6))
    assert str(refused.value) == (
        "the longest series has 20 rows, but a horizon of 6 steps needs at least 21: to learn from, to choose on and "
        "to check on.\nGive more history, or a shorter horizon with -H."
    )


def test_the_number_of_rows_that_is_needed_is_enough():
    assert plan_for(walk(21), TrainOptions(horizon=6)).origins == 1


def test_too_few_rows_for_anything_are_refused_without_a_word_of_the_option():
    with pytest.raises(DataError) as refused:
        plan_for(walk(5))
    assert str(refused.value) == (
        "the longest series has 5 rows, but a horizon of 1 steps needs at least 6: to learn from, to choose on and "
        "to check on.\nGive more history."
    )


def test_too_few_rows_for_a_season_before_the_origins_are_refused_with_the_number_that_is_needed():
    with pytest.raises(DataError) as refused:
        plan_for(wave(24, 12), TrainOptions(horizon=7), seasons=(12,))
    assert str(refused.value) == (
        "the longest series has 24 rows, but 13 to learn from and twice a horizon of 7, to choose on and to check on, "
        "make 27.\nGive more history, or a shorter horizon with -H."
    )


def test_a_season_that_the_data_show_is_confirmed():
    assert confirmed_seasons(panel_of({"a": wave(200)}), (7, 10)) == (7,)


def test_white_noise_confirms_no_season():
    panel = panel_of({str(n): noise(200, n) for n in range(5)})
    assert confirmed_seasons(panel, (7, 12, 24)) == ()


def test_a_random_walk_confirms_no_season():
    assert confirmed_seasons(panel_of({"a": walk(300)}), (7, 12)) == ()


def test_a_season_is_confirmed_by_most_series_not_by_one():
    panel = panel_of({"a": wave(200), "b": noise(200, 1), "c": noise(200, 2)})
    assert confirmed_seasons(panel, (7,)) == ()


def test_a_season_is_confirmed_in_spite_of_gaps():
    values = wave(200)
    values[::9] = np.nan
    assert confirmed_seasons(panel_of({"a": values}), (7,)) == (7,)


@pytest.mark.parametrize(("values", "seasons"), [(wave(200), (7,)), (walk(200), (1,))])
def test_the_seasons_of_the_frequency_are_kept_where_the_data_show_them(values, seasons):
    assert plan_for(values, calendar=DAILY).seasons == seasons


def test_seasons_that_were_given_are_not_questioned():
    assert plan_for(walk(200), seasons=(12, 5)).seasons == (5, 12)


def test_a_given_season_that_does_not_fit_twice_is_left_out():
    assert plan_for(wave(60), seasons=(7, 31)).seasons == (7,)


def test_the_rows_that_are_held_back_choose_nothing():
    values = walk(120)
    plan = plan_for(values, calendar=DAILY)
    values[-plan.held_back :] += 500 * np.sin(2 * np.pi * np.arange(plan.held_back) / 7)  # a season, but too late
    assert plan.seasons == (1,)
    assert plan_for(values, calendar=DAILY) == plan


def test_the_rows_before_them_do_choose():
    values = walk(120)
    plan = plan_for(values, calendar=DAILY)
    values[: -plan.held_back] = wave(120 - plan.held_back)
    assert plan_for(values, calendar=DAILY).seasons == (7,)


@pytest.mark.parametrize(("season", "horizon", "length"), list(product((1, 4, 7, 12, 24), (1, 5, 18), (65, 97, 300))))
def test_the_window_is_a_multiple_of_the_segment(season, horizon, length):
    plan = plan_for(wave(length), TrainOptions(horizon=horizon), seasons=(season,))
    assert (plan.window % plan.segment, plan.window >= plan.segment) == (0, True)


@pytest.mark.parametrize(("horizon", "window"), [(4, 28), (20, 140), (40, 210), (300, 294)])
def test_the_window_is_seven_horizons_but_thirty_seasons_are_enough_for_one_that_is_shorter(horizon, window):
    assert plan_for(wave(2000), TrainOptions(horizon=horizon), seasons=(7,)).window == window


@pytest.mark.parametrize(("horizon", "batch"), [(1, 256), (96, 256), (192, 128), (500, 49), (1000, 32)])
def test_a_batch_of_long_horizons_has_fewer_windows(horizon, batch):
    assert plan_for(wave(4000), TrainOptions(horizon=horizon), seasons=(7,)).batch == batch


def test_a_window_that_was_asked_for_is_kept_and_its_segment_divides_it():
    plan = plan_for(wave(300), TrainOptions(window=45), seasons=(7,))
    assert (plan.window, plan.segment) == (45, 5)


def test_a_window_and_a_segment_that_do_not_go_together_are_refused():
    with pytest.raises(UsageError) as refused:
        plan_for(wave(300), TrainOptions(window=45, segment=7))
    assert str(refused.value) == ("--window 45 is no multiple of --segment 7.\nUse --window 42, or another --segment.")


def test_a_window_and_a_segment_that_go_together_are_kept():
    plan = plan_for(wave(300), TrainOptions(window=40, segment=5), seasons=(7,))
    assert (plan.window, plan.segment) == (40, 5)


def test_a_random_walk_starts_from_its_last_value():
    assert best_base(panel_of({"a": walk(300)}), (1, 7), 7) == 1


def test_a_strong_season_starts_from_the_last_one():
    assert best_base(panel_of({"a": wave(300)}), (1, 7), 7) == 7


def test_a_day_that_depends_on_the_weekday_starts_from_the_last_week():
    hours = np.arange(24 * 7 * 8)
    values = 50 + 10 * np.sin(2 * np.pi * hours / 24) * np.where(hours // 24 % 7 < 5, 1, -1) + noise(len(hours))
    assert best_base(panel_of({"a": values}), (1, 24, 168), 24) == 168


@pytest.mark.parametrize(("lowest", "transforms"), [(0.5, ("log", "standard") * 2), (0.0, ("standard",) * 4)])
def test_a_member_works_on_logarithms_where_all_values_are_above_zero(lowest, transforms):
    values = wave(100)
    values[50] = lowest
    assert plan_for(values).transforms == transforms


def test_values_that_lie_ahead_of_the_panel_forbid_no_logarithm():
    values = wave(120)
    values[100:] = -1.0
    cut = panel_of({"a": values}).without_end(20)
    assert settle(cut, TrainOptions(members=2)).transforms == ("log", "standard")


def test_a_scaler_that_was_asked_for_is_that_of_every_member():
    assert plan_for(wave(100), TrainOptions(scaler=Scaler.ROBUST, members=3)).transforms == ("robust",) * 3


def test_members_see_half_the_window_or_the_whole_of_it_in_turns():
    plan = plan_for(wave(1000), TrainOptions(horizon=14, members=8), (7,))
    assert plan.window == 98
    assert plan.windows == (49, 49, 98, 98) * 2
    assert plan.transforms == ("log", "standard") * 4


def test_half_a_window_holds_the_longest_season():
    plan = plan_for(wave(200), TrainOptions(horizon=2, members=4), (7, 28))
    assert plan.windows == (28, 28, 56, 56)


def test_a_window_that_was_asked_for_is_that_of_every_member():
    assert plan_for(wave(300), TrainOptions(horizon=14, window=56, members=2), (7,)).windows == (56, 56)


def test_members_that_share_one_scaling_start_from_a_linear_forecast_and_the_last_value():
    plan = plan_for(wave(2000) - 100, TrainOptions(horizon=30, members=4), (7,))
    assert plan.transforms == ("standard",) * 4
    assert (plan.windows, plan.bases) == ((105, 105, 210, 210), (LINEAR, 1, LINEAR, 1))


def test_members_that_share_one_scaling_and_see_short_windows_start_from_two_repetitions():
    plan = plan_for(wave(1000) - 100, TrainOptions(horizon=14, members=4), (7,))
    assert (plan.transforms, plan.base) == (("standard",) * 4, 7)
    assert (plan.windows, plan.bases) == ((49, 49, 98, 98), (7, 1, 7, 1))
    assert plan.smoothings == (True, True, False, False)


def test_without_a_season_members_of_one_scaling_start_from_the_last_value():
    assert plan_for(walk(300) - 1e3, TrainOptions(members=4)).bases == (1,) * 4


def test_members_of_two_scalings_start_from_the_linear_forecast_of_half_the_window_first():
    plan = plan_for(wave(2000), TrainOptions(horizon=30, members=8), (7,))
    assert plan.windows == (105, 105, 210, 210) * 2
    assert plan.bases == (LINEAR, LINEAR, 7, 7, 7, 7, LINEAR, LINEAR)
    assert not any(plan.smoothings)


def test_members_that_see_short_windows_start_from_the_best_repetition_and_half_are_shown_smoothing():
    plan = plan_for(wave(1000), TrainOptions(horizon=14, members=8), (7,))
    assert (plan.windows, plan.bases) == ((49, 49, 98, 98) * 2, (7,) * 8)
    assert plan.smoothings == (True, True, False, False, False, False, True, True)


def test_members_of_two_scalings_that_see_one_window_start_from_both():
    plan = plan_for(wave(500), TrainOptions(horizon=14, window=112, members=4), (7,))
    assert (plan.transforms, plan.bases) == (("log", "standard") * 2, (LINEAR, LINEAR, 7, 7))


def test_a_slower_preset_trains_more_networks():
    members = [plan_for(wave(100), TrainOptions(preset=preset)).members for preset in Preset]
    assert members == sorted(set(members))


@pytest.mark.parametrize(("length", "horizon"), list(product((9, 20, 47, 80, 200, 1000), (1, 2))))
def test_there_is_an_origin_at_least_and_twenty_at_most(length, horizon):
    assert 1 <= plan_for(walk(length), TrainOptions(horizon=horizon)).origins <= 20


@pytest.mark.parametrize("length", [40, 60, 90, 130, 300])
def test_the_two_tails_take_half_of_a_series_at_most(length):
    plan = plan_for(wave(length), TrainOptions(horizon=7), seasons=(7,))
    assert plan.held_back + plan.validated <= length / 2


@pytest.mark.parametrize(("length", "season", "horizon"), [(27, 12, 7), (21, 1, 6), (6, 1, 1), (300, 24, 48)])
def test_what_is_left_of_a_series_is_enough_to_forecast_from(length, season, horizon):
    panel = panel_of({"a": wave(length)})
    plan = settle(panel, TrainOptions(horizon=horizon), (season,))
    assert split(panel, plan).fit.lengths.min() >= least_history(plan)


def test_fewer_origins_can_be_asked_for():
    assert plan_for(wave(300), TrainOptions(origins=3)).origins == 3


def test_any_forecaster_may_look_back_over_the_window_and_the_longest_season_before_it():
    plan = plan_for(wave(300, 30), seasons=(7, 30))
    assert plan.lookback >= plan.window + 30


def test_epochs_limit_the_steps_of_training():
    plan = plan_for(wave(100), TrainOptions(epochs=3))
    assert plan.steps == 3 * plan.epoch


def test_an_epoch_is_four_passes_over_the_windows_of_the_first_training_where_they_are_few():
    few, some, many = (plan_for(wave(length), TrainOptions(horizon=7)) for length in (100, 2_000, 20_000))
    assert (few.epoch, many.epoch) == (LEAST_EPOCH, 50)
    rows = 2_000 - some.held_back - some.validated  # of the first training
    assert some.epoch == -(-PASSES * (rows - some.window - some.horizon + 1) // some.batch)
    assert LEAST_EPOCH < some.epoch < 50
    assert {plan.steps for plan in (few, some, many)} == {STEPS[Preset.BALANCED]}
    assert all(plan.patience * plan.epoch >= PATIENT for plan in (few, some, many))
    assert plan_for(wave(100), TrainOptions(patience=3)).patience == 3


def test_a_smooth_trend_confirms_no_season() -> None:
    steps = np.arange(300)
    for values in (1.02**steps, 50 + 10 * np.sin(2 * np.pi * steps / 90), 1 / (1 + np.exp(-(steps - 150) / 30))):
        assert confirmed_seasons(panel_of({"a": values}), (12,)) == ()


def test_a_day_without_a_week_confirms_the_day_alone() -> None:
    rng, steps = np.random.default_rng(1), np.arange(24 * 60)
    day = 10 * np.sin(2 * np.pi * steps / 24)
    week = np.where(steps // 24 % 7 < 5, 1.0, 0.3)
    noise = rng.normal(0, 1, len(steps))
    assert confirmed_seasons(panel_of({"a": day + noise}), (24, 168)) == (24,)
    assert confirmed_seasons(panel_of({"a": day * week + noise}), (24, 168)) == (24, 168)


@pytest.mark.parametrize(("season", "cycles", "deviation"), [(52, 5, 20), (24, 100, 40), (12, 10, 40), (7, 30, 60)])
def test_a_season_below_noise_is_confirmed(season: int, cycles: int, deviation: float) -> None:
    steps = np.arange(season * cycles)
    values = 100 * np.sin(2 * np.pi * steps / season) + np.random.default_rng(1).normal(0, deviation, len(steps))
    assert confirmed_seasons(panel_of({"a": values}), (season,)) == (season,)


def test_short_series_of_noise_confirm_no_season() -> None:
    found = [confirmed_seasons(panel_of({"a": noise(40, seed)}), (12,)) for seed in range(40)]
    assert found.count(()) >= 39


@pytest.mark.parametrize("slope", [0.1, 2.2, 1e9])
def test_rounding_confirms_no_season(slope: float) -> None:
    line = slope * np.arange(120)
    assert confirmed_seasons(panel_of({"a": line, "b": np.full(120, slope)}), (12, 24)) == ()


def test_two_and_a_half_seasons_can_be_told_two_cannot() -> None:
    values = 10 * np.sin(2 * np.pi * np.arange(30) / 12) + noise(30)
    assert confirmed_seasons(panel_of({"a": values}), (12,)) == (12,)
    assert confirmed_seasons(panel_of({"a": values[:24], "b": values[:10], "c": np.full(40, np.nan)}), (12,)) == ()
