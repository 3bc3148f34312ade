"""The plan checks itself, and knows what each member of the ensemble is."""

from dataclasses import replace

import pytest

from forecast.errors import UsageError
from forecast.plan import Plan

PLAN = Plan(horizon=3, window=8, segment=4, seasons=(4,), base=4, lookback=16, transforms=("log", "none", "standard"))


def test_a_member_has_its_own_window_and_transform():
    plan = replace(PLAN, windows=(4, 8, 4), bases=(4, 4, 1), smoothings=(False, False, True), shares=(0.5, 0.0, 0.5))
    assert plan.member(2) == replace(PLAN, window=4, base=1, smoothing=True, transforms=("standard",))


def test_members_without_windows_of_their_own_have_that_of_the_plan():
    assert PLAN.member(1) == replace(PLAN, transforms=("none",))


def test_members_without_a_share_are_left_out():
    plan = replace(PLAN, windows=(4, 8, 4), bases=(4, 4, 1), smoothings=(False, True, False)).with_shares(
        (0.2, 0.0, 0.6)
    )
    assert (plan.transforms, plan.windows, plan.bases) == (("log", "standard"), (4, 4), (4, 1))
    assert plan.smoothings == (False, False)
    assert not plan.smoothed
    assert plan.shares == pytest.approx((0.25, 0.75))


@pytest.mark.parametrize(
    "change",
    [
        *(
            {"windows": (8,)},
            {"bases": (4,)},
            {"smoothings": (True,)},
            {"bases": (4, 4, 3)},
            {"base": 2},
            {"windows": (4, 8, 12)},
            {"windows": (4, 8, 6)},
            {"windows": (4, 8, 0)},
        ),
        *({"shares": (1.0,)}, {"shares": (0.5, 0.5, 0.5)}, {"shares": (1.5, -0.5, 0.0)}, {"segment": 3}),
        *({"horizon": 0}, {"shares": (float("nan"), 0.5, 0.5)}),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(change):
    with pytest.raises(UsageError):
        replace(PLAN, **change)
