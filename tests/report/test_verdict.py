from dataclasses import replace

import pytest

from forecast.evaluation.comparison import Comparison, Unit
from forecast.panels.calendar import Calendar
from forecast.report.verdict import Facts, reference, verdict

FACTS = Facts(0.12, "repeating last week", "20 x 48 hours", 0.79, promised=True, mix={"LSTM": 1.0})


def test_the_verdict_is_one_sentence() -> None:
    assert verdict(FACTS) == (
        "12 % better than repeating last week, on 20 x 48 hours it had not seen; the 80 % band held 79 %"
    )


@pytest.mark.parametrize(
    ("skill", "words"),
    [
        (0.004, "0 % better than"),
        (0.0, "0 % better than"),
        (-0.03, "3 % worse than"),
        (1.0, "100 % better than"),
        (-20.0, "over 999 % worse than"),
        (None, "over 999 % worse than"),
    ],
)
def test_the_verdict_compares_in_percent(skill: float | None, words: str) -> None:
    assert verdict(replace(FACTS, skill=skill)).startswith(words + " repeating last week")


def test_the_verdict_says_when_coverage_was_not_measured() -> None:
    assert verdict(replace(FACTS, coverage=None)).endswith("; too few origins to measure what the 80 % band holds")


def test_the_verdict_says_when_a_level_cannot_be_promised() -> None:
    assert verdict(replace(FACTS, promised=False)).endswith(
        "; the 80 % band held 79 %, and too few scores to promise its level"
    )


def test_the_verdict_says_when_a_mix_makes_the_forecast() -> None:
    assert verdict(replace(FACTS, mix={"Theta": 0.25, "LSTM": 0.6, "ridge": 0.15})).endswith(
        "; a mix of 60 % LSTM, 25 % Theta and 15 % ridge makes the forecast"
    )


def test_the_verdict_says_when_a_baseline_makes_the_forecast() -> None:
    assert verdict(replace(FACTS, mix={"Theta": 1.0})).endswith("; Theta did best and makes the forecast")


def test_the_verdict_says_when_no_series_ends_with_enough_to_forecast_from() -> None:
    assert verdict(replace(FACTS, mix={"Theta": 0.5, "LSTM": 0.5}, repeated=True)).endswith(
        "; now the last season is repeated instead, as over half of it is missing in every series"
    )


@pytest.mark.parametrize(
    ("freq", "season", "words"),
    [
        ("h", 1, "repeating the last value"),
        ("h", 24, "repeating yesterday"),
        ("h", 168, "repeating last week"),
        ("D", 7, "repeating last week"),
        ("D", 365, "repeating last year"),
        ("W-SUN", 52, "repeating last year"),
        ("MS", 12, "repeating last year"),
        ("QS", 4, "repeating last year"),
        ("B", 5, "repeating last week"),
        ("h", 12, "repeating the last 12 hours"),
        ("step", 7, "repeating the last 7 steps"),
    ],
)
def test_the_reference_has_a_name_that_people_use(freq: str, season: int, words: str) -> None:
    assert reference(Calendar(freq, 0, "%Y-%m-%d" if freq != "step" else "step"), season) == words


def test_the_verdict_compares_nothing_where_errors_have_no_scale() -> None:
    sentence = verdict(replace(FACTS, skill=None, compared=False))
    assert sentence.startswith("cannot be compared with repeating last week, on 20 x 48 hours it had not seen; ")


COMPARED = Comparison(-0.1, -3.0, 0.0031, Unit.SERIES, observations=40, separate=40)


@pytest.mark.parametrize(
    ("comparison", "words"),
    [
        (COMPARED, " (Diebold-Mariano p = 0.003)"),
        (replace(COMPARED, p_value=1e-5), " (Diebold-Mariano p < 0.001)"),
        (replace(COMPARED, p_value=0.308), ", which may be chance (Diebold-Mariano p = 0.31)"),
        (replace(COMPARED, p_value=0.05), ", which may be chance (Diebold-Mariano p = 0.05)"),
        (replace(COMPARED, p_value=None), ", which are too few to rule out chance"),
        (replace(COMPARED, p_value=None, difference=0.0), ""),
        (None, ""),
    ],
)
def test_the_verdict_says_whether_it_may_be_chance(comparison: Comparison | None, words: str) -> None:
    assert verdict(replace(FACTS, comparison=comparison)) == (
        f"12 % better than repeating last week, on 20 x 48 hours it had not seen{words}; the 80 % band held 79 %"
    )


def test_the_verdict_on_rows_of_training_is_no_proof() -> None:
    assert verdict(replace(FACTS, seen=True, coverage=None)) == (
        "12 % better than repeating last week, on 20 x 48 hours it had seen in training, which is no proof"
    )


def test_the_verdict_says_where_medians_add_up_to_little() -> None:
    assert verdict(replace(FACTS, bias=-0.961)).endswith(
        "; it is a median, and adds up to 4 % of what happened: to stock by, take an upper quantile"
    )
    assert verdict(replace(FACTS, bias=-0.3)) == verdict(replace(FACTS, bias=None)) == verdict(FACTS)
