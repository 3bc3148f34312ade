import numpy as np

from forecast.panels.calendar import Calendar
from forecast.trained import Forecasts


def forecasts(calendar: Calendar) -> Forecasts:
    quantiles = np.array([[[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]], [[10.0, 20.0, 30.0], [20.0, 30.0, 40.0]]])
    return Forecasts(("a", "b"), calendar, np.array([5, 7]), quantiles, (0.1, 0.5, 0.9), ("ok", "new"))


def test_the_frame_has_one_row_for_each_series_and_step() -> None:
    frame = forecasts(Calendar()).to_frame()
    assert frame.columns.tolist() == ["unique_id", "ds", "step", "q_0.5", "q_0.1", "q_0.9", "status"]
    assert frame["unique_id"].tolist() == ["a", "a", "b", "b"]
    assert frame["ds"].tolist() == [6, 7, 8, 9]
    assert frame["q_0.5"].tolist() == [2.0, 3.0, 20.0, 30.0]
    assert frame["status"].tolist() == ["ok", "ok", "new", "new"]


def test_the_frame_has_times_where_the_table_had_dates() -> None:
    frame = forecasts(Calendar("D", 0, "%Y-%m-%d", "")).to_frame()
    assert frame["ds"].astype(str).tolist() == ["1970-01-07", "1970-01-08", "1970-01-09", "1970-01-10"]
