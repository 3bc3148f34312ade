import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forecast.panels.bounds import Bounds, never_negative
from forecast.panels.panel import panel_of

VALUES = np.array([-1.5, -0.04, 0.0, 0.25, 0.5, 1.5, 2.5, 99.96, np.nan])


def test_without_bounds_the_values_are_handed_on_untouched() -> None:
    assert Bounds().apply(VALUES) is VALUES


def test_values_are_rounded_half_to_even() -> None:
    np.testing.assert_array_equal(Bounds(decimals=0).apply(VALUES), [-2, 0, 0, 0, 0, 2, 2, 100, np.nan])
    np.testing.assert_array_equal(Bounds(decimals=1).apply(VALUES), [-1.5, 0, 0, 0.2, 0.5, 1.5, 2.5, 100, np.nan])


def test_values_are_clipped_and_missing_ones_stay_missing() -> None:
    np.testing.assert_array_equal(
        Bounds(minimum=0.0, maximum=2.0).apply(VALUES), [0, 0, 0, 0.25, 0.5, 1.5, 2, 2, np.nan]
    )


def test_one_bound_leaves_the_other_side_open() -> None:
    assert Bounds(minimum=0.0).apply(VALUES)[-2] == 99.96
    assert Bounds(maximum=0.0).apply(VALUES)[0] == -1.5


def test_a_rounded_value_does_not_cross_the_bound() -> None:
    np.testing.assert_array_equal(Bounds(0.1, 0.3, 1).apply(np.array([0.04, 0.1499, 0.34])), [0.1, 0.1, 0.3])


@given(
    hnp.arrays(np.float64, (5, 13), elements=st.floats(-1e6, 1e6)),
    st.sampled_from([Bounds(0.0), Bounds(None, 5.5), Bounds(-3.0, 3.0, 0), Bounds(None, None, 2), Bounds(0.1, 0.7, 1)]),
)
def test_what_rises_still_rises(values: np.ndarray, bounds: Bounds) -> None:
    assert (np.diff(bounds.apply(np.sort(values, axis=1)), axis=1) >= 0).all()


def test_visible_values_outside_the_bounds_are_counted() -> None:
    panel = panel_of({"a": [-1.0, 0.0, np.nan, 5.0], "b": [6.0, 2.0, -9.0]}).select([0, 1], np.array([4, 2]))
    assert [Bounds(0.0, 5.0).outside(panel), Bounds(0.0).outside(panel), Bounds().outside(panel)] == [2, 1, 0]


@pytest.mark.parametrize(("values", "expected"), [([0.0, 3.0, np.nan], True), ([0.0, -1e-9], False)])
def test_a_history_is_never_negative_where_no_visible_value_is_below_zero(values: list[float], expected: bool) -> None:
    hidden = panel_of({"a": [*values, -5.0]})
    assert never_negative(hidden.select([0], hidden.lengths - 1)) is expected
