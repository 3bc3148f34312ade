import numpy as np

from forecast.panels.panel import panel_of
from forecast.panels.summary import summarise

NAN = np.nan
PANEL = panel_of(
    {
        "gaps": [NAN, 1, NAN, NAN, 4, 2, NAN],
        "whole": [5, 5],
        "empty": [NAN, NAN, NAN],
        "twice": [1, NAN, NAN, 2, NAN, NAN],
    }
)


def test_missing_steps_are_counted_as_runs() -> None:
    found = summarise(PANEL)
    assert found.missing.tolist() == [4, 0, 3, 4]
    assert found.gaps.tolist() == [3, 0, 1, 2]
    assert found.longest_gap.tolist() == [2, 0, 3, 2]


def test_the_longest_gap_has_its_place_the_first_of_equals() -> None:
    assert summarise(PANEL).longest_from.tolist() == [2, 0, 0, 1]


def test_lowest_median_and_highest_leave_out_what_is_missing() -> None:
    found = summarise(PANEL)
    np.testing.assert_array_equal(found.lowest, [1, 5, NAN, 1])
    np.testing.assert_array_equal(found.middle, [2, 5, NAN, 1.5])
    np.testing.assert_array_equal(found.highest, [4, 5, NAN, 2])


def test_only_what_is_visible_counts() -> None:
    cut = PANEL.select([0], np.array([3]))
    found = summarise(cut)
    assert (found.missing.tolist(), found.highest.tolist()) == ([2], [1])
