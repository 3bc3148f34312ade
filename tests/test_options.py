import math

import pytest

from forecast.errors import UsageError
from forecast.options import TrainOptions
from forecast.plan import Plan

BOUNDS = [
    ((5.0, 3.0, None), "--min 5 is above --max 3.\nCorrect one of them."),
    ((math.nan, None, None), "--min nan is no bound.\nUse a number, or leave --min out."),
    ((None, -math.inf, None), "--max -inf is no bound.\nUse a number, or leave --max out."),
    (
        (0.25, None, 1),
        "--min 0.25 has more decimals than --round 1 leaves.\nGive a bound with as few, or round to more.",
    ),
    ((None, None, -1), "--round -1 is no number of decimals.\nUse 0 to 12."),
    ((None, None, 13), "--round 13 is no number of decimals.\nUse 0 to 12."),
]


@pytest.mark.parametrize(("bounds", "message"), BOUNDS)
def test_bounds_that_no_forecast_can_obey_are_refused(
    bounds: tuple[float | None, float | None, int | None], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        TrainOptions(min=bounds[0], max=bounds[1], round=bounds[2])
    assert str(refused.value) == message


@pytest.mark.parametrize(("bounds", "message"), BOUNDS)
def test_a_plan_cannot_hold_such_bounds_either(
    bounds: tuple[float | None, float | None, int | None], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        Plan(1, 1, 1, (1,), 1, 1, minimum=bounds[0], maximum=bounds[1], decimals=bounds[2])
    assert str(refused.value) == message


@pytest.mark.parametrize("bounds", [(0.0, 0.0, 0), (0.1, 0.3, 1), (None, None, 12), (-1e9, 1e-9, None)])
def test_bounds_that_can_be_obeyed_are_taken(bounds: tuple[float | None, float | None, int | None]) -> None:
    assert TrainOptions(min=bounds[0], max=bounds[1], round=bounds[2]).max == bounds[1]
