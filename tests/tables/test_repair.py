import numpy as np
import pytest

from forecast.options import Duplicates
from forecast.tables.repair import fill, merge_rows, missing_runs

NAN = float("nan")
VALUES = np.array([NAN, 1, NAN, 3, NAN, NAN, 6, NAN, 9])  # two series: five steps and four, of which three are visible
BEGINS, LENGTHS = np.array([0, 5]), np.array([5, 3])


def test_a_run_of_missing_steps_ends_with_its_series_and_with_its_history() -> None:
    starts, counts = missing_runs(VALUES, BEGINS, LENGTHS)
    assert (starts.tolist(), counts.tolist()) == ([0, 2, 4, 5, 7], [1, 1, 1, 1, 1])


@pytest.mark.parametrize(
    ("policy", "expected", "count"),
    [
        ("ffill", [NAN, 1, 1, 3, 3, NAN, 6, 6, 9], 3),
        ("interpolate", [NAN, 1, 2, 3, NAN, NAN, 6, NAN, 9], 1),
        ("zero", [0, 1, 0, 3, 0, 0, 6, 0, 9], 5),
        ("mask", VALUES.tolist(), 0),
    ],
)
def test_no_value_crosses_from_one_series_to_the_next(policy: str, expected: list[float], count: int) -> None:
    before = VALUES.copy()
    filled, places = fill(VALUES, BEGINS, LENGTHS, policy)
    np.testing.assert_array_equal(filled, expected)
    assert len(places) == count
    assert np.isnan(VALUES[places]).all()
    np.testing.assert_array_equal(VALUES, before)


def test_sums_are_for_targets_and_missing_values_do_not_count() -> None:
    target, covariate = np.array([1, 2, NAN, NAN, 5]), np.array([10, 20, 30, NAN, NAN])
    merged = merge_rows([target, covariate], np.array([0, 2, 4]), Duplicates.SUM, 1)
    np.testing.assert_array_equal(merged[0], [3, NAN, 5])
    np.testing.assert_array_equal(merged[1], [15, 30, NAN])
