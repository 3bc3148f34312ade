import numpy as np
import pytest

from forecast.errors import DataError
from forecast.panels.panel import Panel, panel_of


def small() -> Panel:
    return panel_of({"a": [1.0, 2.0, 3.0, 4.0], "b": [10.0, np.nan, 30.0]})


def test_a_panel_of_named_numbers_keeps_ids_lengths_and_values():
    panel = small()
    assert panel.ids == ("a", "b")
    assert panel.lengths.tolist() == [4, 3]
    assert panel.values(0).tolist() == [1.0, 2.0, 3.0, 4.0]


def test_the_origin_is_the_last_visible_step():
    assert small().last.tolist() == [4, 3]


def test_cutting_hides_the_end_without_copying_values():
    panel = small()
    cut = panel.without_end(2)
    assert cut.values(0).tolist() == [1.0, 2.0]
    assert cut.values(1).tolist() == [10.0]
    assert cut.target is panel.target


def test_a_series_that_is_not_longer_than_the_cut_is_left_out():
    assert small().without_end(3).ids == ("a",)


def test_the_last_steps_are_a_panel_of_their_own():
    cut = small().select([1, 0], np.array([3, 3])).last_steps(2)  # of a the last value is ahead, and stays stored
    assert [cut.values(series).tolist()[-1] for series in range(2)] == [30.0, 3.0]
    assert (cut.starts.tolist(), cut.lengths.tolist(), cut.limits.tolist()) == ([2, 2], [2, 2], [2, 5])
    assert cut.truth(1)[1].tolist() == [4.0]
    assert len(cut.target) == 5


def test_a_series_may_repeat_at_several_origins():
    rolled = small().select([0, 0, 0], np.array([1, 2, 3]))
    assert rolled.ids == ("a", "a", "a")
    assert rolled.truth(1)[:, 0].tolist() == [2.0, 3.0, 4.0]


def test_the_truth_after_the_last_stored_row_is_missing():
    assert np.isnan(small().truth(2)).all()


def test_what_lies_ahead_ends_where_the_series_ends_not_where_the_next_begins():
    cut = small().without_end(1)
    assert cut.ahead(3).tolist() == [[3, -1, -1], [6, -1, -1]]


def test_history_before_a_series_begins_is_marked():
    assert small().history(4).tolist() == [[0, 1, 2, 3], [-1, 4, 5, 6]]


def test_the_tail_is_missing_before_a_series_begins():
    tail = small().tail(4)
    assert tail[0].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert np.isnan(tail[1]).tolist() == [True, False, True, False]


@pytest.mark.parametrize("values", [[], [1.0, np.inf]])
def test_a_series_without_values_or_with_an_infinite_one_is_refused(values):
    with pytest.raises(DataError, match="series 'bad' is empty or holds an infinite value"):
        panel_of({"bad": values})


def test_a_view_outside_the_columns_is_refused():
    with pytest.raises(ValueError, match="needs 1 <= length <= limit - begin"):
        small().select([0], np.array([5]))
