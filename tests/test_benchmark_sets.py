"""The sets of the benchmarks: what training may see, which rows are forecast; on small tables made up here."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sets import KEPT, ORIGINS, SETS, Case, DataSet, Windows, export, load_case, steps_back
from sets import rolling as rolling_rows

from forecast.panels.panel import panel_of


def table(path: Path, lengths: dict[str, tuple[int, int]]) -> None:
    """Write series of rising numbers: name -> (first step, last step); the value of a step is the step."""
    lines = [f"{name},{step},{step}" for name, (first, last) in lengths.items() for step in range(first, last + 1)]
    path.write_text("\n".join(["unique_id,ds,y", *lines]) + "\n", encoding="utf-8")


@pytest.fixture
def rolling(tmp_path: Path) -> Case:
    """Return a case of rolling origins: one series of 500 steps, one that ends early, one that begins late."""
    table(tmp_path / "table.csv", {"long": (1, 500), "ended": (1, 450), "late": (420, 500)})
    return load_case(DataSet("made_up", "table.csv", 6, (4,)), tmp_path)


@pytest.fixture
def official(tmp_path: Path) -> Case:
    """Return a case of two tables; the test table has its series in another order."""
    table(tmp_path / "train.csv", {"a": (1, 30), "b": (1, 40)})
    table(tmp_path / "test.csv", {"b": (41, 43), "a": (31, 33)})
    return load_case(DataSet("made_up", "train.csv", 3, (4,), test="test.csv"), tmp_path)


@pytest.fixture
def windows(tmp_path: Path) -> Case:
    """Return a case of all windows of 5 steps in rows 81 to 100, of two columns."""
    rows = [f"{step},{2 * step}" for step in range(1, 111)]
    (tmp_path / "wide.csv").write_text("\n".join(["a,b", *rows]) + "\n", encoding="utf-8")
    split = Windows(trained=80, first=80, last=100, scaled=60)
    read = {"wide": True, "time": ("none",)}
    return load_case(DataSet("made_up", "wide.csv", 5, (1,), read, windows=split), tmp_path)


def truths(case: Case) -> list[list[float]]:
    """Return the truth of every row."""
    return case.cut(np.arange(len(case.series))).truth(case.horizon).tolist()


def test_names_are_those_of_the_sets() -> None:
    assert [name for name, one in SETS.items() if name != one.name] == []


def test_a_set_with_covariates_stands_beside_one_without() -> None:
    assert {one.name: one.plain for one in SETS.values() if one.plain} == {
        "beijing_pm25_weather": "beijing_pm25",
        "bike_sharing_known": "bike_sharing",
    }


def test_origins_are_a_horizon_and_a_step_apart_on_long_series() -> None:
    assert steps_back(10_000, 48)[-3:].tolist() == [146, 97, 48]


def test_origins_move_together_on_short_series() -> None:
    assert steps_back(144, 12).tolist() == [12 + 2 * back for back in range(ORIGINS)][::-1]


@pytest.mark.parametrize("length", [144, 441, 1660])
def test_most_of_a_series_lies_before_the_first_origin(length: int) -> None:
    assert length - steps_back(length, 12)[0] >= KEPT * length


def test_training_sees_nothing_after_the_first_origin(rolling: Case) -> None:
    assert rolling.visible().last.max() == min(rolling.cut(np.arange(len(rolling.series))).last)


def test_a_series_that_begins_after_the_first_origin_is_left_out(rolling: Case) -> None:
    assert rolling.panel.ids == ("long", "ended")


def test_the_newest_origin_has_its_whole_truth(rolling: Case) -> None:
    row = int(np.argmax(rolling.lengths))
    assert truths(rolling)[row] == [495, 496, 497, 498, 499, 500]


def test_a_series_that_has_ended_is_not_forecast(rolling: Case) -> None:
    assert rolling.cut(np.flatnonzero(rolling.series == 1)).last.max() < 450


def test_a_series_that_has_been_silent_is_not_forecast() -> None:
    values = np.arange(20.0)
    values[8:12] = np.nan
    series, lengths = rolling_rows(panel_of({"a": values}), np.array([10, 12, 14]), 3, recent=4)
    assert (series.tolist(), lengths.tolist()) == ([0, 0], [10, 14])


def test_every_series_is_forecast_from_the_same_moments(rolling: Case) -> None:
    moments = [set(rolling.cut(np.flatnonzero(rolling.series == series)).last.tolist()) for series in (0, 1)]
    assert moments[1] == {moment for moment in moments[0] if moment < 450}


def test_the_test_rows_of_a_competition_follow_upon_the_training_rows(official: Case) -> None:
    assert truths(official) == [[31, 32, 33], [41, 42, 43]]


def test_training_sees_the_training_table_alone(official: Case) -> None:
    assert official.visible().last.tolist() == [30, 40]


def test_test_rows_that_do_not_follow_are_refused(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", {"a": (1, 30)})
    table(tmp_path / "test.csv", {"a": (32, 34)})
    with pytest.raises(ValueError, match=r"^the test rows of a series do not begin where its training rows end$"):
        load_case(DataSet("made_up", "train.csv", 3, (4,), test="test.csv"), tmp_path)


def test_every_window_of_the_last_rows_is_forecast(windows: Case) -> None:
    assert truths(windows)[::2] == [[first + step for step in range(5)] for first in range(81, 97)]


def test_the_spread_is_that_of_the_first_rows(windows: Case) -> None:
    assert windows.spread == pytest.approx([np.std(np.arange(60)), 2 * np.std(np.arange(60))])


def test_the_unit_of_an_error_is_the_seasonal_difference_in_training(rolling: Case) -> None:
    assert rolling.unit.tolist() == [4, 4]


def test_a_rival_is_given_the_same_history(rolling: Case, tmp_path: Path) -> None:
    export(rolling, tmp_path / "case.npz")
    with np.load(tmp_path / "case.npz") as given:
        row = len(given["series"]) - 1
        begin = given["begins"][given["series"][row]]
        seen = given["target"][begin : begin + given["lengths"][row]]
    assert np.array_equal(seen, rolling.cut(np.array([row])).values(0))


def test_covariates_are_read_as_told(tmp_path: Path) -> None:
    rows = [f"2024-{1 + day // 28:02d}-{1 + day % 28:02d},{day},{day % 7}" for day in range(28)]
    (tmp_path / "t.csv").write_text("\n".join(["ds,y,weekday", *rows]) + "\n", encoding="utf-8")
    one = replace(DataSet("made_up", "t.csv", 2, (1,)), read={"target": ("y",), "future": ("weekday",)})
    assert load_case(one, tmp_path).panel.future.tolist() == [[day % 7 for day in range(28)]]
