from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from forecast.forecasters import smoothing
from forecast.forecasters.baselines import naive, seasonal_naive
from forecast.forecasters.fitted import Fitted, Kind
from forecast.panels.panel import Panel, panel_of
from forecast.plan import MEDIAN, Plan

NAN = float("nan")
PLAN = Plan(horizon=12, window=12, segment=1, seasons=(12,), base=12, lookback=96)
BOTH = [
    pytest.param(smoothing.fit_smoothing, smoothing.run_smoothing, id="smoothing"),
    pytest.param(smoothing.fit_theta, smoothing.run_theta, id="theta"),
]
Fit, Run = Callable[..., Fitted], Callable[..., np.ndarray]


def forecast(fit: Fit, run: Run, panel: Panel, plan: Plan = PLAN, fitted: Fitted | None = None) -> np.ndarray:
    return run(fitted or fit(panel, plan), panel, np.arange(len(panel)), plan)[..., MEDIAN]


def monthly(steps: int = 96, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    time = np.arange(steps)
    return (100 + time) * np.exp(0.3 * np.sin(time * np.pi / 6) + random.normal(0, 0.02, steps))


def odd_series() -> dict[str, np.ndarray]:
    gaps = monthly(seed=2)
    gaps[[0, 1, 20, 21, 22, 40, 95]] = NAN
    return {
        "plain": monthly(),
        "gaps": gaps,
        "short": monthly(30, seed=3),
        "negative": monthly(60, seed=4) - 150,
        "two": np.array([3.0, 4.0]),
        "single": np.array([5.0]),
        "constant": np.full(50, 7.25),
        "zero": np.zeros(40),
        "sparse": np.where(np.arange(60) % 9 == 0, 4.0, 0.0),
        "late": np.append(np.full(40, NAN), [2.0, 3.0, NAN]),
        "large": monthly(seed=5) * 1e30,
        "tiny": monthly(seed=6) * 1e-30,
        "empty": np.full(3, NAN),
    }


@pytest.mark.parametrize(("fit", "run"), BOTH)
def test_growth_with_a_season_is_forecast_much_better_than_by_repeating_the_last_season(fit: Fit, run: Run) -> None:
    whole = panel_of({str(seed): monthly(108, seed) for seed in range(10)})
    panel = whole.select(np.arange(10), np.full(10, 96))
    error = np.abs(forecast(fit, run, panel) - whole.tail(12)).mean()
    assert error < 0.6 * np.abs(seasonal_naive(panel, 12, 12) - whole.tail(12)).mean()


@pytest.mark.parametrize(("fit", "run"), BOTH)
def test_noise_round_a_level_is_forecast_by_the_level(fit: Fit, run: Run) -> None:
    noise = np.random.default_rng(1).normal(50, 5, (20, 96))
    panel = panel_of({str(row): values for row, values in enumerate(noise)})
    found = np.abs(forecast(fit, run, panel) - 50).mean()
    assert found < 0.5 * np.abs(naive(panel, 12) - 50).mean()


@pytest.mark.parametrize(("fit", "run"), BOTH)
def test_only_a_series_without_any_value_has_no_forecast(fit: Fit, run: Run) -> None:
    series = odd_series()
    found = forecast(fit, run, panel_of(series))
    for row, name in enumerate(series):
        assert np.isfinite(found[row]).all() == (name != "empty"), name


@pytest.mark.parametrize(("fit", "run"), BOTH)
def test_a_constant_series_stays_constant(fit: Fit, run: Run) -> None:
    found = forecast(fit, run, panel_of({"constant": np.full(50, 7.25), "zero": np.zeros(50)}))
    np.testing.assert_allclose(found, [[7.25] * 12, [0.0] * 12], rtol=1e-12)


@pytest.mark.parametrize(("fit", "run"), BOTH)
def test_a_series_is_fitted_and_forecast_the_same_among_any_others(fit: Fit, run: Run) -> None:
    series = odd_series()
    together = panel_of(series)
    fitted = fit(together, PLAN)
    found = forecast(fit, run, together, fitted=fitted)
    for row, (name, values) in enumerate(series.items()):
        if name == "empty":
            continue
        alone = panel_of({name: values})
        own = fit(alone, PLAN)
        assert {key: column[row] for key, column in fitted.arrays.items()} == {
            key: column[0] for key, column in own.arrays.items()
        }, name
        np.testing.assert_array_equal(forecast(fit, run, alone, fitted=own)[0], found[row])


@pytest.mark.parametrize(("fit", "run"), BOTH)
def test_nothing_before_the_lookback_is_read(fit: Fit, run: Run) -> None:
    values = monthly(96)
    longer = panel_of({"a": np.append(np.full(50, 1e6), values)})
    np.testing.assert_array_equal(forecast(fit, run, longer), forecast(fit, run, panel_of({"a": values})))


@pytest.mark.parametrize(("fit", "run"), BOTH)
def test_the_same_series_can_be_forecast_from_many_origins(fit: Fit, run: Run) -> None:
    whole = panel_of({"a": monthly(), "b": monthly(seed=2)})
    fitted = fit(whole, PLAN)
    rows, lengths = np.array([1, 0, 1, 0]), np.array([96, 80, 50, 1])
    found = run(fitted, whole.select(rows, lengths), rows, PLAN)
    for place in range(4):
        alone = whole.select(rows[[place]], lengths[[place]])
        np.testing.assert_array_equal(found[place], run(fitted, alone, rows[[place]], PLAN)[0])


@pytest.mark.parametrize(("fit", "run"), BOTH)
def test_a_new_series_takes_the_median_of_the_known(fit: Fit, run: Run) -> None:
    fitted = fit(panel_of({str(seed): monthly(seed=seed) for seed in range(3)}), PLAN)
    new = panel_of({"new": monthly(seed=9)})
    middle = Fitted(fitted.kind, {name: np.median(column, keepdims=True) for name, column in fitted.arrays.items()})
    expected = run(middle, new, np.array([0]), PLAN)
    np.testing.assert_array_equal(run(fitted, new, np.array([-1]), PLAN), expected)


@pytest.mark.parametrize(("fit", "run"), BOTH)
def test_a_series_that_has_sunk_below_zero_is_forecast_without_logarithms(fit: Fit, run: Run) -> None:
    fitted = fit(panel_of({"a": monthly()}), PLAN)
    sunk = panel_of({"a": monthly() - 120})
    found = forecast(fit, run, sunk, fitted=fitted)
    assert np.isfinite(found).all()
    assert found.min() < 80


@pytest.mark.parametrize(("fit", "run"), BOTH)
def test_a_long_season_is_taken_off_as_a_profile(fit: Fit, run: Run) -> None:
    plan = Plan(horizon=52, window=52, segment=1, seasons=(52,), base=52, lookback=208)
    time = np.arange(260)
    values = 200 + 50 * np.sin(time * 2 * np.pi / 52) + np.random.default_rng(1).normal(0, 5, 260)
    found = forecast(fit, run, panel_of({"a": values[:208]}), plan)
    assert np.abs(found - values[208:]).mean() < 10


@pytest.mark.parametrize(("fit", "run"), BOTH)
def test_series_without_a_season_need_none_in_the_plan(fit: Fit, run: Run) -> None:
    plan = Plan(horizon=4, window=4, segment=1, seasons=(1,), base=1, lookback=40)
    found = forecast(fit, run, panel_of({"a": np.arange(40.0)}), plan)
    assert (found > 38.5).all()


@pytest.mark.parametrize(
    ("kind", "fit", "shapes"),
    [
        (Kind.SMOOTHING, smoothing.fit_smoothing, smoothing.shapes_smoothing),
        (Kind.THETA, smoothing.fit_theta, smoothing.shapes_theta),
    ],
)
def test_the_arrays_have_the_shapes_that_the_loader_expects(kind: Kind, fit: Fit, shapes: Callable[..., dict]) -> None:
    fitted = fit(panel_of({"a": monthly(), "b": np.full(3, NAN)}), PLAN)
    assert fitted.kind is kind
    assert {name: column.shape for name, column in fitted.arrays.items()} == shapes(PLAN, 2)
    assert all(column.dtype == np.float64 and np.isfinite(column).all() for column in fitted.arrays.values())


def test_a_series_without_a_season_is_fitted_and_forecast_the_same_alone_and_among_seasonal_ones() -> None:
    rng, steps = np.random.default_rng(1), np.arange(96)
    walks = [50 + np.cumsum(rng.normal(0, 1, 96)) * (number % 3) + rng.normal(0, 4, 96) for number in range(40)]
    waves = [50 + 10 * np.sin(steps * np.pi / 6) + rng.normal(0, 1, 96) for _ in range(10)]
    series = {str(number): values for number, values in enumerate(walks + waves)}
    panel, plan = panel_of(series), replace(PLAN, seasons=(12,), base=12, lookback=120)
    fitted = smoothing.fit_smoothing(panel, plan)
    assert fitted.arrays["series.gamma"][fitted.arrays["series.season"] == 0].any()  # a season may be learned
    among = smoothing.run_smoothing(fitted, panel, np.arange(50), plan)
    for number in range(40):
        alone = panel.select([number])
        for name, array in smoothing.fit_smoothing(alone, plan).arrays.items():
            assert array[0] == fitted.arrays[name][number], name
        found = smoothing.run_smoothing(fitted, alone, np.array([number]), plan)
        assert found[0].tobytes() == among[number].tobytes()
