from dataclasses import replace

import numpy as np
import pytest

from forecast.errors import DataError, UsageError
from forecast.matching import known_rows
from forecast.panels import scaling
from forecast.panels.channels import with_mixed_targets, with_other_targets, with_targets
from forecast.panels.panel import Panel, panel_of
from forecast.plan import Plan

NAN = float("nan")
PLAN = Plan(horizon=2, window=4, segment=2, seasons=(2,), base=2, lookback=6, past=("rain",), static=("size",))


def two_shops() -> Panel:
    """Two ids of three steps with two targets each; of the second id's sales one value is missing."""
    panel = panel_of({"0": [1, 2, 3], "1": [10, 20, 30], "2": [5, NAN, 7], "3": [50, 60, 70]})
    return replace(
        panel,
        ids=("a", "a", "b", "b"),
        targets=("sales", "visits"),
        channel=np.array([0, 1, 0, 1]),
        past=np.zeros((1, 12)),
        static=np.array([[1.0], [1.0], [2.0], [2.0]]),
    )


def as_it_is(panel: Panel) -> scaling.Scaling:
    return scaling.Scaling("none", np.zeros(len(panel)), np.ones(len(panel)), np.ones(len(panel)))


def mixed() -> Plan:
    return with_mixed_targets(with_targets(PLAN, two_shops()))


def test_the_covariates_that_stand_for_targets_come_after_those_of_the_table() -> None:
    assert mixed().past == ("rain", "target:sales", "target:visits")
    assert mixed().given == {"past": ("rain",), "future": (), "static": ("size",)}


def test_a_panel_of_one_target_stays_as_it_is() -> None:
    panel = panel_of({"a": [1, 2, 3]})
    assert with_targets(PLAN, panel) is PLAN
    assert with_other_targets(panel, None) is panel


def test_mixed_a_series_sees_the_other_target_of_its_id_and_not_itself() -> None:
    panel = with_other_targets(two_shops(), as_it_is(two_shops()))
    sales = [NAN, NAN, NAN, 1, 2, 3, NAN, NAN, NAN, 5, NAN, 7]
    visits = [10, 20, 30, NAN, NAN, NAN, 50, 60, 70, NAN, NAN, NAN]
    np.testing.assert_array_equal(panel.past, [[0.0] * 12, sales, visits])


def test_another_target_is_seen_in_its_own_scale() -> None:
    scales = scaling.Scaling("none", np.array([0.0, 10, 0, 0]), np.array([1.0, 5, 1, 1]), np.ones(4))
    assert with_other_targets(two_shops(), scales).past[2, :3].tolist() == [0, 2, 4]


def test_cut_at_several_origins_a_series_sees_the_other_target_at_its_own_origin() -> None:
    panel = two_shops().select([0, 0, 1, 1], np.array([2, 3, 2, 3]))
    moved = replace(  # each row with values of its own, as when forecasts are fed back
        panel, target=np.arange(12.0), begins=np.arange(4) * 3, limits=np.arange(1, 5) * 3, past=np.zeros((1, 12))
    )
    seen = with_other_targets(moved, as_it_is(moved)).past[2]
    assert seen[:6].tolist() == [6, 7, 8, 9, 10, 11]


def test_a_target_that_is_not_beside_a_series_is_missing() -> None:
    alone = two_shops().select([0])
    assert np.isnan(with_other_targets(alone, as_it_is(alone)).past[1:]).all()


@pytest.mark.parametrize("rows", [[0, 1, 2], [1, 0, 3, 2], [0, 3]])
def test_a_panel_without_every_target_of_each_id_is_refused(rows: list[int]) -> None:
    with pytest.raises(DataError) as caught:
        with_targets(PLAN, two_shops().select(rows))
    assert str(caught.value) == (
        "the panel does not hold the targets 'sales', 'visits' of each id, one after the other.\n"
        "Train on the panel as it was read."
    )


def test_a_plan_that_mixes_one_target_is_refused() -> None:
    with pytest.raises(UsageError, match="several targets need different names"):
        replace(PLAN, mixed_targets=True)


def test_a_panel_without_the_channel_of_each_series_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the channel of each series"):
        replace(two_shops(), channel=np.array([0, 1]))


def test_a_known_series_is_found_by_id_and_target() -> None:
    panel = two_shops().select([3, 2, 1])
    assert known_rows(("x", "x", "b", "b"), panel).tolist() == [3, 2, -1]
