from dataclasses import replace

import numpy as np
import pytest

from forecast.forecasters import intermittent
from forecast.forecasters.baselines import run_seasonal_naive
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.intermittent import is_intermittent
from forecast.panels.panel import Panel, panel_of
from forecast.plan import MEDIAN, QUANTILES, Plan

NAN = float("nan")
PLAN = Plan(horizon=7, window=14, segment=7, seasons=(7,), base=7, lookback=140)
BUSY = 5  # the day of the week on which something is sold


def fitted(half_life: float = 1e6, boost: float = 0.0) -> Fitted:
    return Fitted(Kind.INTERMITTENT, {"half_life": np.array([half_life]), "boost": np.array([boost])})


def forecast(panel: Panel, plan: Plan = PLAN, numbers: Fitted | None = None) -> np.ndarray:
    return intermittent.run(numbers or fitted(), panel, np.full(len(panel), -1), plan)


def sales(rate: float, series: int = 40, length: int = 147, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.random((series, length)) < rate) * (1.0 + rng.poisson(2, (series, length)))


def weekly(series: int = 40, length: int = 140, seed: int = 0) -> np.ndarray:
    return np.where(np.arange(length) % 7 == BUSY, sales(0.8, series, length, seed), sales(0.05, series, length, seed))


def panel_from(rows: np.ndarray) -> Panel:
    return panel_of({f"s{number}": row for number, row in enumerate(rows)})


def pinball(truth: np.ndarray, quantiles: np.ndarray) -> float:
    error, levels = truth[:, :, None] - quantiles, np.array(QUANTILES)
    return float(np.maximum(levels * error, (levels - 1) * error).mean())


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.0, 3.0, 4.0], True),
        ([0.0, 2.0, 3.0, 4.0], False),
        ([0.0, 0.0, NAN, NAN, NAN, 3.0], True),
        ([0.0, 0.0, 0.0, -1e-9], False),
        ([0.0, 0.0], True),
        ([NAN, NAN], False),
        ([5.0], False),
    ],
)
def test_a_series_is_intermittent_when_half_of_what_is_observed_is_zero_and_nothing_below(
    values: list[float], expected: bool
) -> None:
    assert is_intermittent(panel_of({"a": values}), PLAN).tolist() == [expected]


def test_only_the_last_steps_that_may_be_read_make_a_series_intermittent() -> None:
    panel = panel_of({"a": [*np.ones(100), *np.zeros(3), 1.0]})
    assert is_intermittent(panel, replace(PLAN, lookback=4)).tolist() == [True]
    assert is_intermittent(panel, replace(PLAN, lookback=104)).tolist() == [False]


def test_the_quantiles_are_those_of_the_past() -> None:
    values = np.repeat([0.0, 1.0, 2.0, 9.0], [55, 22, 16, 7])  # a share of 0.55, 0.77, 0.93 lies at 0, 1, 2 or below
    found = forecast(panel_of({"a": np.random.default_rng(0).permutation(values)}))[0, 0]
    assert found.tolist() == [0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 9, 9]


def test_the_newest_values_weigh_most() -> None:
    fading = panel_of({"a": np.where((np.arange(120) % 2 == 0) & (np.arange(120) < 90), 4.0, 0.0)})
    late = QUANTILES.index(0.8)
    assert forecast(fading, numbers=fitted(1e6))[0, 0, late] == 4
    assert forecast(fading, numbers=fitted(10))[0, 0, late] == 0


def test_missing_values_count_nowhere() -> None:
    rng = np.random.default_rng(3)
    row = sales(0.3, 1)[0]
    gaps = np.insert(row, np.sort(rng.choice(len(row), 60, replace=False)), NAN)
    found = [forecast(panel_of({"a": values}), replace(PLAN, lookback=300)) for values in (row, gaps)]
    assert found[0].tolist() == found[1].tolist()


def test_a_weekly_pattern_is_found_and_forecast() -> None:
    panel = panel_from(weekly())
    numbers = intermittent.fit(panel, PLAN)
    assert numbers.arrays["boost"][0] > 0
    medians = forecast(panel, numbers=numbers)[:, :, MEDIAN].mean(axis=0)
    assert medians[BUSY] > 2 > 0.1 > np.delete(medians, BUSY).max()


def test_the_pattern_keeps_its_place_in_the_week_wherever_the_series_ends() -> None:
    whole = weekly()
    numbers = fitted(boost=1000.0)
    found = forecast(panel_from(whole[:, :-3]), numbers=numbers)[:, :, MEDIAN].mean(axis=0)
    assert found.argmax() == (BUSY + 3) % 7


def test_without_a_pattern_no_step_of_the_season_is_preferred() -> None:
    assert intermittent.fit(panel_from(sales(0.2, 200)), PLAN).arrays["boost"][0] == 0


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.35])
def test_the_bands_hold_their_level_without_any_calibration(rate: float) -> None:
    rows = sales(rate, 2000)
    panel = panel_from(rows[:, :-7])
    bands = forecast(panel, numbers=intermittent.fit(panel, PLAN))
    below = (rows[:, -7:, None] <= bands).mean(axis=(0, 1))
    assert (below >= np.array(QUANTILES) - 0.02).all()  # more where the next value has a probability of its own
    assert 0.9 < below[QUANTILES.index(0.9)] < 0.96


def test_the_pinball_loss_is_half_of_that_of_seasonal_naive() -> None:
    rows = sales(0.2, 500)
    panel = panel_from(rows[:, :-7])
    naive = run_seasonal_naive(fitted(), panel, np.full(500, -1), PLAN)
    assert pinball(rows[:, -7:], forecast(panel)) < 0.55 * pinball(rows[:, -7:], naive)


def test_other_series_get_the_seasonal_naive_forecast() -> None:
    panel = panel_of({"plain": np.arange(1.0, 60.0), "sparse": sales(0.2, 1)[0], "empty": [NAN] * 20})
    expected = run_seasonal_naive(fitted(), panel, np.full(3, -1), PLAN)
    found = forecast(panel)
    assert found[0].tolist() == expected[0].tolist()
    assert found[1].tolist() != expected[1].tolist()
    assert np.isnan(found[2]).all()


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(100),
        np.where(np.arange(100) == 7, 1e9, 0.0),
        np.where(np.arange(100) < 80, sales(0.3, 1, 100)[0], 0.0),
        np.array([0.0]),
        np.array([0.0, 5.0]),
    ],
    ids=["all zero", "one value", "zero in the last seasons", "one step", "two steps"],
)
def test_odd_series_have_finite_forecasts_that_rise_from_zero(values: np.ndarray) -> None:
    panel = panel_of({"a": values})
    found = forecast(panel, numbers=intermittent.fit(panel, PLAN))
    assert np.isfinite(found).all()
    assert found.min() == 0
    assert (np.diff(found, axis=2) >= 0).all()


def test_a_series_of_zeros_is_forecast_as_zero_in_every_quantile() -> None:
    assert not forecast(panel_of({"a": np.zeros(50)})).any()


def test_a_weight_that_has_faded_away_is_still_a_weight() -> None:
    panel = panel_of({"a": [0.0, 3.0, 0.0, *[NAN] * 60_000]})
    assert forecast(panel, replace(PLAN, lookback=70_000), fitted(30))[0, 0, -1] == 3


def test_a_forecast_is_the_same_alone_and_among_others() -> None:
    rows = sales(0.3, 30)
    panel = panel_of({f"s{n}": row[: 100 + n] for n, row in enumerate(rows)})
    together = forecast(panel, numbers=fitted(30.0, 3.0))
    for row in (0, 13, 29):
        alone = forecast(panel.select([row]), numbers=fitted(30.0, 3.0))
        assert together[row].tobytes() == alone[0].tobytes()


def test_fitting_reads_visible_steps_alone() -> None:
    rows = weekly(length=147)
    wild = rows.copy()
    wild[:, -7:] = 1e6
    fits = [intermittent.fit(panel_from(one).without_end(7), PLAN).arrays for one in (rows, wild)]
    assert fits[0] == fits[1]


def test_without_any_intermittent_series_there_is_nothing_to_fit() -> None:
    numbers = intermittent.fit(panel_of({"a": np.arange(50.0)}), PLAN)
    assert {name: array.shape for name, array in numbers.arrays.items()} == intermittent.shapes(PLAN, 1)
    assert numbers.arrays["half_life"][0] == 100
