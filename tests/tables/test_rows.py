import numpy as np
import pytest

from forecast.tables.rows import Rows, sort_rows

HOUR = 3_600_000_000_000
CENTURIES = np.array([-9_000_000_000_000_000_000, 9_000_000_000_000_000_000, 1, 7])


def rows_of(codes: list[int], times: list[int]) -> Rows:
    count = len(codes)
    ids = tuple(f"s{code}" for code in range(max(codes) + 1))
    return Rows(ids, np.array(codes, np.int32), np.array(times), np.arange(count), [np.arange(count) / 2.0], [], [])


def test_rows_in_order_are_left_as_they_are() -> None:
    rows = rows_of([0, 0, 1], [1, 2, 1])
    assert sort_rows(rows, ["ds"]) == (rows, ())


def test_series_that_take_turns_are_put_together_without_a_word() -> None:
    rows, said = sort_rows(rows_of([0, 1, 0, 1], [HOUR, HOUR, 2 * HOUR, 2 * HOUR]), ["ds"])
    assert (rows.codes.tolist(), rows.rows.tolist(), said) == ([0, 0, 1, 1], [0, 2, 1, 3], ())
    assert rows.targets[0].tolist() == [0, 1, 0.5, 1.5]


def test_rows_of_one_time_stay_in_the_order_of_the_file() -> None:
    rows, said = sort_rows(rows_of([0, 0, 0, 0], [5, 3, 5, 3]), ["ds"])
    assert rows.rows.tolist() == [1, 3, 0, 2]
    assert said == ("rows were not in the order of 'ds': sorted",)


@pytest.mark.parametrize(
    "times", [CENTURIES, CENTURIES[::-1], np.array([3, 1, 2, 0]) * HOUR, np.array([-4, 5, -4, 5]), np.zeros(4)]
)
def test_the_order_is_that_of_sorting_by_two_columns(times: np.ndarray) -> None:
    values = np.tile(times.astype(np.int64), 50)
    codes = np.random.default_rng(1).integers(0, 7, len(values)).astype(np.int32)
    rows, _ = sort_rows(rows_of(codes.tolist(), values.tolist()), ["ds"])
    assert rows.rows.tolist() == np.lexsort((values, codes)).tolist()
