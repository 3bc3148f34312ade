"""Times with words in them: the format that reads them."""

import pytest

from forecast.tables.spelled import is_spelled, spelled_format, week_format


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["Jan-24", "Feb-24"], "%b-%y"),
        (["May 2024", "June 2024"], "%B %Y"),
        (["15-Jan-24"], "%d-%b-%y"),
        (["Jan 15, 2024 07:30 PM"], "%b %d, %Y %I:%M %p"),
        (["Mon, 01 Jan 2024 00:00:00 GMT"], "%a, %d %b %Y %H:%M:%S GMT"),
        (["01 Jan 2024 00:00:00.5 +0100"], "%d %b %Y %H:%M:%S.%f %z"),
        (["Mon 2024-01-31"], "%a %Y-%m-%d"),
        (["Jan 24", "Mrz 24"], None),
        (["2024-01-31"], None),
        (["shop 5"], None),
    ],
)
def test_names_of_months_and_weekdays_tell_the_format(cells: list[str], form: str | None) -> None:
    assert spelled_format(cells) == form


def test_a_cell_with_another_word_is_not_spelled() -> None:
    assert [is_spelled(cell) for cell in ("Jan-24", "Jan offer 24", "January", "24")] == [True, False, False, False]


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["KW 03/2024", "KW 4/2024"], "KW %V/%G"),
        (["2024 week 3"], "%G week %V"),
        (["2024-03"], None),
        (["W3/24"], None),
    ],
)
def test_weeks_in_other_forms_tell_their_format(cells: list[str], form: str | None) -> None:
    assert week_format(cells) == form
