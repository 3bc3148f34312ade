"""The sentence about an update."""

from dataclasses import replace

import pytest

from forecast.evaluation.comparison import Comparison, Unit
from forecast.report.update import Race, missing_text, race_text

TESTED = Comparison(-0.02, -2.5, 0.013, Unit.ORIGIN, 20, 12)
RACE = Race("MASE", 0.815, 0.842, TESTED, "2024-01-01", "2024-01-20", 20, "48 hours", 1)


def test_a_better_candidate_is_told_by_how_much_and_on_what() -> None:
    assert race_text(RACE) == (
        "3.2 % better (MASE 0.815 against 0.842) on 20 origins from 2024-01-01 to 2024-01-20, each 48 "
        "hours ahead, that neither had seen (Diebold-Mariano p = 0.013)"
    )


def test_a_worse_candidate_on_one_origin_of_several_series() -> None:
    few = replace(TESTED, difference=0.1, statistic=None, p_value=None)
    race = replace(RACE, error=0.926, comparison=few, origins=1, series=1_200)
    assert race_text(race) == (
        "10.0 % worse (MASE 0.926 against 0.842) on the origin 2024-01-01 of 1,200 series, 48 hours "
        "ahead, that neither had seen, which are too few to rule out chance"
    )


@pytest.mark.parametrize(
    ("error", "before", "said"),
    [
        (0.5, 0.5, "as good"),
        (0.0, 0.0, "as good"),
        (1.0, 0.0, "over 999 % worse"),
        (100.0, 1.0, "over 999 % worse"),
        (0.0, 1.0, "100.0 % better"),
    ],
)
def test_extremes_are_told_in_words(error: float, before: float, said: str) -> None:
    assert race_text(replace(RACE, error=error, before=before)).startswith(f"{said} (")


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (0, "there are no new rows"),
        (3, "3 new days are too few to compare on: a forecast reaches 14, so 11 more are needed"),
        (20, "none of the 20 new days has values before it and in the 14 after it"),
    ],
)
def test_it_is_said_why_nothing_can_be_compared(new: int, said: str) -> None:
    assert missing_text(new, 14, "days") == said
