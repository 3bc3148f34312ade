import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import UsageError
from forecast.options import ReadOptions
from forecast.tables.numerals import ungrouped


@given(st.integers(-(10**15), 10**15), st.sampled_from([",", ".", "'", " ", "_"]))
def test_what_separates_thousands_is_taken_out(number: int, mark: str) -> None:
    assert ungrouped(f"{number:,}".replace(",", mark), mark) == str(number)


@pytest.mark.parametrize("cell", ["12,34", "1,2345", ",123", "1,234,", "2024-01-01", "a,123", "1,234,56"])
def test_a_cell_whose_digits_are_not_in_threes_stays_as_it_is(cell: str) -> None:
    assert ungrouped(cell, ",") == cell


@pytest.mark.parametrize("mark", ["", "ab", "5", "-", "e", '"'])
def test_a_mark_that_stands_in_numbers_for_something_else_is_refused(mark: str) -> None:
    with pytest.raises(UsageError, match="is no mark between thousands"):
        ReadOptions(thousands=mark)
