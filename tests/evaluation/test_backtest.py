from dataclasses import replace

import numpy as np
import pytest

from forecast.evaluation import backtest
from forecast.evaluation.backtest import roles, rolling, split
from forecast.panels.panel import BETWEEN, CARRIED, Panel, panel_of
from forecast.plan import Plan
from forecast.tables.repair import repair

PLAN = Plan(horizon=4, window=6, segment=3, seasons=(3,), base=3, lookback=30, origins=5)


def parts(lengths=(60, 40), plan=PLAN):
    panel = panel_of({str(n): np.arange(float(length)) + 1 for n, length in enumerate(lengths)})
    return panel, split(panel, plan)


def test_the_tails_are_horizon_plus_origins_less_one_steps_each():
    _, found = parts()
    assert found.fit.lengths.tolist() == [60 - 16, 40 - 16]


def test_no_validation_truth_is_a_fit_row_and_no_held_back_truth_a_validation_row():
    _, found = parts()
    first = found.validation.panel.lengths[found.validation.series == 0]
    held = found.held.panel.lengths[found.held.series == 0]
    assert first.min() == found.fit.lengths[0]
    assert first.max() + PLAN.horizon == held.min()
    assert held.max() + PLAN.horizon == 60


def test_every_series_is_cut_at_every_origin_one_step_apart():
    _, found = parts()
    assert found.held.panel.lengths[found.held.series == 1].tolist() == [32, 33, 34, 35, 36]


def test_a_series_joins_only_if_enough_of_it_remains():
    _, found = parts((60, 18))
    assert found.rows.tolist() == [0]


def test_held_back_origins_take_turns_between_calibration_and_report():
    _, found = parts()
    assert roles(found.held, PLAN)[:5] == ("calibration", "report", "calibration", "report", "calibration")


def test_with_fewer_than_four_origins_all_calibrate():
    few = Plan(horizon=4, window=6, segment=3, seasons=(3,), base=3, lookback=30, origins=3)
    _, found = parts(plan=few)
    assert set(roles(found.held, few)) == {"calibration"}


def test_an_origin_without_any_truth_is_left_out():
    values = np.arange(60.0) + 1
    values[-4:] = np.nan
    found = split(panel_of({"a": values}), PLAN)
    assert found.held.order.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("gone", "chosen"), [(0, {"plain"}), (30, {"zero"})])
def test_series_of_zeros_alone_choose_only_where_no_other_series_can(gone: int, chosen: set[str]) -> None:
    values = np.arange(1.0, 61.0)
    values[60 - gone :] = np.nan  # at the end, so that validation has no truth for it
    zero = np.where(np.arange(60) < 50, 0.0, 9.0)
    parts = split(panel_of({"plain": values, "zero": zero}), replace(PLAN, origins=4))
    assert {parts.fit.ids[row] for row in parts.validation.series} == chosen
    assert "zero" in parts.held.panel.ids


def test_where_ids_are_left_out_every_target_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = replace(PLAN, origins=4)
    one = panel_of({f"{row}": np.arange(60.0) % 7 for row in range(8)})
    ids = tuple(str(row // 2) for row in range(8))
    panel = replace(one, ids=ids, targets=("y", "z"), channel=np.arange(8) % 2)
    monkeypatch.setattr(backtest, "LARGEST", 4 * plan.origins * plan.horizon * len(plan.quantiles))
    parts = split(panel, plan)
    for rows in (parts.validation, parts.held):
        assert sorted(set(rows.series.tolist())) == [0, 1, 4, 5]


def test_filled_steps_are_no_truth_and_no_origin_lies_among_those_filled_from_later_ones() -> None:
    values, marks = np.arange(60.0) % 7, np.zeros(60, dtype=np.int8)
    marks[48:51], marks[55] = BETWEEN, CARRIED
    plan = replace(PLAN, origins=4, validation=6)
    whole = panel_of({"a": values})
    rows = rolling(replace(whole, filled=marks), plan, np.array([0]), np.arange(-14, -4))
    # 49 to 51 visible steps would end among the three that were made up of what comes after them.
    assert rows.panel.lengths.tolist() == [46, 47, 48, 52, 53, 54, 55]
    assert rows.order.tolist() == [0, 1, 2, 6, 7, 8, 9]
    truth = rows.panel.truth(5)
    np.testing.assert_array_equal(truth[2], [np.nan, np.nan, np.nan, values[51], values[52]])
    np.testing.assert_array_equal(truth[5], [values[54], np.nan, values[56], values[57], values[58]])


def two_ways_on(added: float) -> Panel:
    """Return a series with a gap that is filled on a line to what comes after it."""
    values = np.r_[np.arange(50.0) % 7, [np.nan] * 6, added + np.arange(20.0)]
    return repair("a.csv", panel_of({"a": values}), "interpolate", 0)[0]


def test_what_comes_after_a_gap_is_in_no_window_before_it() -> None:
    plan = replace(PLAN, horizon=8)
    one, other = (rolling(two_ways_on(added), plan, np.array([0]), np.arange(-26, -22)) for added in (0.0, 100.0))
    assert one.panel.lengths.tolist() == [50]
    assert two_ways_on(0.0).target[52] != two_ways_on(100.0).target[52]
    np.testing.assert_array_equal(one.panel.tail(50), other.panel.tail(50))


def test_all_targets_of_an_id_move_back_together() -> None:
    values = np.arange(60.0) % 7
    both = panel_of({"y": values, "z": np.where((np.arange(60) > 39) & (np.arange(60) < 44), np.nan, values)})
    panel = replace(both, ids=("1", "1"), targets=("y", "z"), channel=np.array([0, 1]))
    filled, _ = repair("a.csv", panel, "interpolate", 0)
    rows = rolling(filled, replace(PLAN, horizon=6), np.array([0, 1]), np.array([-18]))
    assert rows.panel.lengths.tolist() == [40, 40]
    np.testing.assert_array_equal(rows.panel.truth(6)[0], values[40:46])
    np.testing.assert_array_equal(rows.panel.truth(6)[1], [*[np.nan] * 4, *values[44:46]])
