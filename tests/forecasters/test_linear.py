from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from forecast.forecasters import least_squares, linear
from forecast.forecasters.baselines import seasonal_naive
from forecast.forecasters.fitted import Fitted, Kind
from forecast.panels.panel import BETWEEN, Panel, panel_of
from forecast.panels.units import seasonal_difference
from forecast.plan import MEDIAN, Plan

NAN = float("nan")
PLAN = Plan(horizon=6, window=24, segment=1, seasons=(6, 12), base=6, lookback=48)


def waves(steps: int, seed: int = 1, noise: float = 0.05) -> np.ndarray:
    random = np.random.default_rng(seed)
    time = np.arange(steps)
    return np.sin(time * np.pi / 6) + 0.5 * np.cos(time * np.pi / 3) + 0.01 * time + random.normal(0, noise, steps)


def forecast(panel: Panel, fitted_on: Panel | None = None, plan: Plan = PLAN) -> np.ndarray:
    fitted = linear.fit(fitted_on or panel, plan)
    return linear.run(fitted, panel, np.arange(len(panel)), plan)[..., MEDIAN]


def test_waves_on_a_trend_are_continued() -> None:
    whole = panel_of({"a": waves(300), "b": 1000 + 50 * waves(306, seed=2)})
    cut = whole.select([0, 1], whole.lengths - 6)
    error = np.abs(forecast(cut) - whole.tail(6)).mean(axis=1)
    assert (error < 0.5 * np.abs(seasonal_naive(cut, 12, 6) - whole.tail(6)).mean(axis=1)).all()


def test_the_forecast_follows_level_and_scale_of_the_series() -> None:
    values = waves(200)
    fitted = linear.fit(panel_of({"a": values}), PLAN)
    panel = panel_of({"a": values, "b": 7000 + 300 * values})
    found = linear.run(fitted, panel, np.zeros(2), PLAN)[..., MEDIAN]
    np.testing.assert_allclose(found[1], 7000 + 300 * found[0], rtol=1e-9)


def test_steps_out_of_sight_do_not_change_the_weights() -> None:
    values = waves(200)
    spoilt = np.append(values, np.full(50, 1e6))
    cut = panel_of({"a": spoilt}).select([0], np.array([200]))
    expected = linear.fit(panel_of({"a": values}), PLAN).arrays["weights"]
    np.testing.assert_array_equal(linear.fit(cut, PLAN).arrays["weights"], expected)


def test_a_strong_penalty_is_chosen_for_noise_and_a_weak_one_for_waves() -> None:
    noise = panel_of({"a": np.random.default_rng(1).normal(size=300)})
    pure = panel_of({"a": waves(300, noise=0.0)})
    size = [np.abs(linear.fit(panel, PLAN).arrays["weights"]).sum() for panel in (noise, pure)]
    assert size[0] < 0.5 * size[1]


def test_only_a_series_without_any_value_has_no_forecast() -> None:
    gaps = waves(120)
    gaps[[0, 5, 6, 7, 60, 61, 119]] = NAN
    series = {
        "plain": waves(200),
        "gaps": gaps,
        "short": waves(9),
        "single": [4.0],
        "constant": [3.5] * 60,
        "silent": np.append(waves(20), np.full(26, NAN)),  # observed in the lookback, but not in the window
        "empty": [NAN] * 40,
    }
    found = forecast(panel_of(series))
    for row, name in enumerate(series):
        assert np.isfinite(found[row]).all() == (name != "empty"), name
    np.testing.assert_allclose(found[list(series).index("constant")], 3.5)
    np.testing.assert_allclose(found[list(series).index("single")], 4.0)
    np.testing.assert_array_equal(found[list(series).index("silent")], waves(20)[-1])


def test_without_a_single_window_the_level_is_forecast() -> None:
    panel = panel_of({"a": [1.0, 5.0, 3.0]})
    np.testing.assert_allclose(forecast(panel, plan=replace(PLAN, seasons=(3,), base=3)), [[3.0] * 6])


def test_series_shorter_than_window_and_horizon_are_fitted_on_all_the_same() -> None:
    panel = panel_of({str(seed): waves(20, seed) for seed in range(30)})
    assert np.abs(linear.fit(panel, PLAN).arrays["weights"]).max() > 0.01


def test_a_series_is_forecast_the_same_bytes_among_any_others() -> None:
    series = {str(seed): waves(60 + seed % 9, seed) for seed in range(300)}
    together = panel_of(series)
    fitted = linear.fit(together, PLAN)
    found = linear.run(fitted, together, np.arange(300), PLAN)
    for row in (0, 7, 255, 256, 299):
        np.testing.assert_array_equal(linear.run(fitted, together.select([row]), np.array([row]), PLAN)[0], found[row])


def test_nothing_before_the_lookback_is_read() -> None:
    values = waves(48)
    fitted = linear.fit(panel_of({"a": waves(200)}), PLAN)
    other = panel_of({"a": np.append(np.full(30, 1e6), values), "b": values})
    found = linear.run(fitted, other, np.zeros(2), PLAN)
    np.testing.assert_array_equal(found[0], found[1])


def test_many_windows_are_sampled_evenly_and_give_much_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = panel_of({str(seed): waves(400, seed) for seed in range(5)})
    whole = forecast(panel)
    monkeypatch.setattr(least_squares, "MOST", 500)
    np.testing.assert_allclose(forecast(panel), whole, atol=0.1)


def test_an_error_counts_in_the_mean_of_the_spread_of_its_window_and_the_unit_of_its_series() -> None:
    values = np.concatenate([waves(60), 4 * waves(60, seed=2)])
    units = seasonal_difference(panel_of({"a": values}), PLAN.season)
    cuts = panel_of({"calm": values[:60], "wild": values[60:]}).select([0, 1], np.array([40, 40]))
    rows = linear._rows(cuts, np.repeat(units, 2), PLAN)
    windows = values.reshape(2, 60)[:, 16:40]
    spread = np.abs(windows[:, 6:] - windows[:, :-6]).mean(axis=1)
    np.testing.assert_allclose(rows[:, PLAN.window], np.sqrt(spread / units))


@pytest.mark.parametrize(("lag", "half"), [(8, True), (20, False)])
def test_the_older_half_of_the_window_is_left_out_where_it_is_of_no_use(lag: int, half: bool) -> None:
    random = np.random.default_rng(5)
    values = random.normal(size=900)
    for step in range(lag, len(values)):
        values[step] += 0.8 * values[step - lag]
    weights = linear.fit(panel_of({"a": values}), replace(PLAN, horizon=2)).arrays["weights"]
    assert weights[12:].all()
    assert weights[:12].any() != half


def test_the_number_of_threads_changes_no_bit() -> None:
    panel = panel_of({str(row): waves(1200, row) for row in range(40)})
    plan = replace(PLAN, window=720, horizon=96)
    weights = np.random.default_rng(0).normal(size=(721, 96)).astype(np.float32).astype(np.float64)
    fitted, known = Fitted(Kind.RIDGE, {"weights": weights}), np.arange(40)
    found = []
    for threads in (1, 2, 4):
        with threadpool_limits(threads, user_api="blas"):
            found.append(linear.run(fitted, panel, known, plan).tobytes())
    assert found[0] == found[1] == found[2]


def test_the_weights_are_float32_values_of_the_shape_that_the_loader_expects() -> None:
    weights = linear.fit(panel_of({"a": waves(200)}), PLAN).arrays["weights"]
    assert {"weights": weights.shape} == linear.shapes(PLAN, 1)
    np.testing.assert_array_equal(weights, weights.astype(np.float32))


@pytest.mark.parametrize("window", [1, 3, 6])
def test_a_window_no_longer_than_a_season_will_do(window: int) -> None:
    found = forecast(panel_of({"a": waves(200)}), plan=replace(PLAN, window=window))
    assert np.abs(found - found.mean()).max() < 5


def test_what_was_filled_is_fitted_on_like_any_other_value() -> None:
    panel, marks = panel_of({"a": waves(300)}), np.zeros(300, dtype=np.int8)
    marks[100:150] = BETWEEN
    one, other = (linear.fit(each, PLAN).arrays["weights"] for each in (panel, replace(panel, filled=marks)))
    assert one.tobytes() == other.tobytes()
