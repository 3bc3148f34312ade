import numpy as np

from forecast.panels.blocks import blocks, fill_forward, fill_gaps, last_observed
from forecast.panels.panel import panel_of

NAN = float("nan")


def test_every_series_is_in_one_block_with_its_newest_step_last() -> None:
    panel = panel_of({"a": [1.0], "b": [1.0, 2.0, 3.0], "c": [4.0, 5.0]}).select([1, 0, 2, 1], np.array([2, 1, 2, 3]))
    found = {row: line for rows, values in blocks(panel, cells=4) for row, line in zip(rows, values, strict=True)}
    assert sorted(found) == [0, 1, 2, 3]
    for row in range(4):
        line = found[row]
        np.testing.assert_array_equal(line[len(line) - panel.lengths[row] :], panel.values(row))
        assert np.isnan(line[: len(line) - panel.lengths[row]]).all()


def test_a_block_holds_no_more_numbers_than_asked_for() -> None:
    panel = panel_of({str(n): np.ones(n) for n in range(1, 20)})
    assert all(values.size <= 40 for _, values in blocks(panel, cells=40))


def test_only_the_last_steps_are_cut_where_asked_for() -> None:
    ((_, values),) = blocks(panel_of({"a": [1.0, 2.0, 3.0]}), steps=2)
    np.testing.assert_array_equal(values, [[2.0, 3.0]])


def test_missing_values_are_filled_with_what_came_before() -> None:
    np.testing.assert_array_equal(fill_forward(np.array([[NAN, 1.0, NAN, 2.0, NAN]])), [[NAN, 1.0, 1.0, 2.0, 2.0]])


def test_the_last_observed_value_is_missing_only_where_all_are() -> None:
    np.testing.assert_array_equal(last_observed(np.array([[1.0, NAN], [NAN, NAN]])), [1.0, NAN])


def test_a_missing_value_is_that_of_one_season_before() -> None:
    values = np.array([[1.0, 2.0, 3.0, NAN, 5.0, NAN, NAN]])
    np.testing.assert_array_equal(fill_gaps(values, 3), [[1.0, 2.0, 3.0, 1.0, 5.0, 3.0, 1.0]])
