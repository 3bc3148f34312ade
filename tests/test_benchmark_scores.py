"""The scorer of the benchmarks gives known answers, and refuses forecasts that are not there."""

from dataclasses import replace

import numpy as np
import pytest
from scores import DECILES, Forecast, score
from sets import Case

from forecast import ReadOptions
from forecast.panels.panel import Floats, panel_of

GRID = (0.025, *DECILES, 0.975)


def case_of(*, spread: Floats | None = None, missing: bool = False) -> Case:
    """Return two series, forecast two steps ahead from their third step; the truth is 4, 8 and 40, 80."""
    one, ten = np.array([1.0, 3.0, 1.0, 4.0, 8.0]), np.array([10.0, 20.0, 30.0, 40.0, 80.0])
    if missing:
        one[4] = np.nan
    panel = panel_of({"one": one, "ten": ten})
    return Case(
        name="made_up",
        panel=panel,
        read=ReadOptions(),
        seasons=(1,),
        horizon=2,
        trained=np.array([3, 3]),
        series=np.array([0, 1]),
        lengths=np.array([3, 3]),
        unit=np.array([2.0, 10.0]),
        spread=spread,
        naive2=None,
    )


def points(*rows: list[float]) -> Forecast:
    """Return a forecast without bands."""
    point = np.array(rows)
    return Forecast(np.arange(len(point)), point, np.empty((*point.shape, 0)))


def bands(low: float, high: float) -> Forecast:
    """Return, for every step of both series, a median of 6 whose lower quantiles are low and whose upper are high."""
    values = [low if one < 0.5 else high if one > 0.5 else 6.0 for one in GRID]
    return Forecast(np.arange(2), np.full((2, 2), 6.0), np.broadcast_to(values, (2, 2, len(GRID))), GRID)


PERFECT = points([4, 8], [40, 80])
OFF = points([4, 6], [40, 50])  # absolute errors 0, 2 and 0, 30


def test_a_perfect_forecast_has_no_error() -> None:
    assert score(case_of(), [PERFECT]) == {"smape": 0, "mase": 0, "mae": 0}


def test_mase_is_the_mean_over_series_in_their_own_units() -> None:
    assert score(case_of(), [OFF])["mase"] == pytest.approx((1 / 2 + 15 / 10) / 2)


def test_smape_is_the_mean_over_steps() -> None:
    assert score(case_of(), [OFF])["smape"] == pytest.approx((200 * 2 / 14 + 200 * 30 / 130) / 4)


def test_owa_is_the_mean_of_both_as_shares_of_naive2() -> None:
    found = score(replace(case_of(), naive2=(10.0, 2.0)), [OFF])
    assert found["owa"] == pytest.approx((found["smape"] / 10 + 1.0 / 2) / 2)


def test_standardised_errors_are_in_units_of_the_spread() -> None:
    found = score(case_of(spread=np.array([2.0, 10.0])), [OFF])
    assert (found["mae"], found["mse"]) == (pytest.approx((1 + 3) / 4), pytest.approx((1 + 9) / 4))


def test_a_step_without_truth_counts_nowhere() -> None:
    assert score(case_of(missing=True), [OFF])["mase"] == pytest.approx((0 + 15 / 10) / 2)


def test_a_forecast_of_one_number_has_a_pinball_loss_equal_to_its_mase() -> None:
    same = replace(OFF, quantiles=np.repeat(OFF.point[:, :, None], len(GRID), axis=2), probabilities=GRID)
    assert score(case_of(), [same])["pinball"] == pytest.approx(1.0)


def test_pinball_weighs_the_sides_by_the_probability() -> None:
    case = replace(case_of(), series=np.array([0]), lengths=np.array([3]))
    quantiles = np.array([4.0 if one < 0.5 else 10.0 for one in GRID]) * np.ones((1, 2, 1))
    found = score(case, [Forecast(np.arange(1), np.full((1, 2), 10.0), quantiles, GRID)])
    lower = [(0.0, p * 4) for p in (0.1, 0.2, 0.3, 0.4)]  # quantile 4: the truth 4 is on it, 8 lies 4 above
    upper = [((1 - p) * 6, (1 - p) * 2) for p in (0.5, 0.6, 0.7, 0.8, 0.9)]  # quantile 10: 6 and 2 too high
    assert found["pinball"] == pytest.approx(2 * sum(a + b for a, b in lower + upper) / 9 / 2 / 2.0)


@pytest.mark.parametrize(("low", "high", "share"), [(0, 100, 100.0), (5, 50, 50.0), (5, 7, 0.0), (4, 8, 50.0)])
def test_coverage_is_the_share_of_the_truth_inside_edges_included(low: float, high: float, share: float) -> None:
    found = score(case_of(), [bands(low, high)])
    assert (found["cover_80"], found["cover_95"]) == (share, share)


def test_forecasts_in_blocks_have_the_scores_of_one() -> None:
    blocks = [Forecast(np.array([row]), OFF.point[[row]], OFF.quantiles[[row]]) for row in (1, 0)]
    assert score(case_of(), blocks) == score(case_of(), [OFF])


def test_a_row_that_is_missing_is_refused() -> None:
    block = Forecast(np.array([0]), OFF.point[:1], OFF.quantiles[:1])
    with pytest.raises(ValueError, match=r"^made_up: the forecasts do not hold each of the 2 rows once$"):
        score(case_of(), [block])


def test_a_forecast_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^made_up: a forecast is missing or not finite where the truth is known$"):
        score(case_of(), [points([4, np.nan], [40, 80])])
