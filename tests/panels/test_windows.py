from dataclasses import replace

import numpy as np

from forecast.panels import windows
from forecast.panels.calendar import Calendar
from forecast.panels.panel import panel_of
from forecast.panels.windows import columns_of, gather, origins_for_training
from forecast.plan import Plan

PLAN = Plan(horizon=3, window=4, segment=2, seasons=(2,), base=1, lookback=6, past=("p",), future=("f",))
NOTHING = (np.empty((0, 0)), np.empty((0, 0)))


def gathered(panel, plan=PLAN):
    columns = columns_of(panel, plan, panel.target, (panel.past, panel.future), "float64")
    places = (panel.begins, panel.ends, panel.limits, panel.last + 1 - columns.first)
    return gather(np, plan, columns, places, np.zeros((len(panel), 0)))


def panel_with_covariates():
    panel = panel_of({"a": np.arange(1.0, 11.0), "b": np.arange(101.0, 106.0)})
    steps = np.arange(15.0)
    return replace(panel, past=steps[None, :] + 0.25, future=steps[None, :] + 0.5)


def test_a_window_ends_at_the_origin():
    rows = gathered(panel_with_covariates().without_end(2))
    assert rows.values[0].tolist() == [3, 4, 5, 6, 7, 8]


def test_steps_before_a_series_begins_are_masked_not_borrowed_from_its_neighbour():
    rows = gathered(panel_with_covariates().without_end(2))
    assert rows.values[1].tolist() == [0, 0, 0, 101, 102, 103]
    assert rows.mask[1].tolist() == [0, 0, 0, 1, 1, 1]


def test_past_covariates_stop_at_the_origin_and_future_ones_go_on():
    rows = gathered(panel_with_covariates().without_end(2))
    assert rows.inside[0].tolist() == [[4.25, 4.5], [5.25, 5.5], [6.25, 6.5], [7.25, 7.5]]
    assert rows.ahead[0].tolist() == [[8.5], [9.5], [0.0], [0.0]]


def test_a_missing_value_is_masked():
    panel = panel_of({"a": [1.0, np.nan, 3.0, 4.0, 5.0, 6.0]})
    rows = gathered(panel, replace(PLAN, past=(), future=()))
    assert rows.mask[0].tolist() == [1, 0, 1, 1, 1, 1]
    assert rows.values[0, 1] == 0


def test_the_last_training_window_ends_with_its_whole_horizon_visible():
    panel = panel_of({"a": np.arange(20.0)})
    least, counts = origins_for_training(panel, PLAN)
    assert least[0] + counts[0] - 1 + PLAN.horizon == 20


def test_a_series_shorter_than_the_window_still_gives_windows():
    least, counts = origins_for_training(panel_of({"a": np.arange(7.0)}), replace(PLAN, window=20))
    assert least[0] < 7
    assert counts[0] > 0


def test_a_series_shorter_than_the_horizon_gives_none():
    assert origins_for_training(panel_of({"a": [1.0, 2.0]}), PLAN)[1].tolist() == [0]


def test_calendar_features_are_the_same_however_many_are_made_at_once(monkeypatch):
    panel = panel_of({"a": np.arange(40.0)}, Calendar("D"))
    plan = replace(PLAN, calendar=("weekday_0", "year_sin", "holiday"), holidays=("1970-01-06", "1970-01-07"))
    nothing = (np.empty((0, 40)),) * 2
    whole = columns_of(panel, plan, panel.target, nothing, "float32").calendar
    monkeypatch.setattr(windows, "BLOCK", 7)
    parts = columns_of(panel, plan, panel.target, nothing, "float32").calendar
    assert parts.tobytes() == whole.tobytes()
    assert whole[:, 2].sum() == 2
