import numpy as np
import pytest

from forecast.report.backtest import report_text, shown_series, shown_steps

NAN = float("nan")
SCORE = {"mae": 1.0, "rmse": 1.5, "wape": 0.1, "smape": 9.5, "mase": 0.5, "pinball": 0.4, "skill": 0.5}
COVERED = {"coverage_80": 0.79, "coverage_95": 0.943}
TABLE = {
    **{"mae": np.array([1.0]), "mase": np.array([0.5]), "coverage_80": np.array([0.8]), "coverage_95": np.array([NAN])},
    **{"mase_seasonal_naive": np.array([1.0]), "skill": np.array([0.5])},
}
OVERALL = {
    "scores": {"model": SCORE | COVERED, "seasonal_naive": SCORE | {"mase": 1.0, "skill": 0.0}},
    "comparison": {
        "seasonal_naive": {"unit": "origin", "observations": 10, "p_value": 0.0312},
        "theta": {"unit": "series", "observations": 1200, "p_value": 1e-9},
        "drift": {"unit": "origin", "observations": 1, "p_value": None},
    },
    "verdict": "50 % better",
}
REPORT = """head

                MAE  RMSE    WAPE  sMAPE   MASE  pinball  in 80 %  in 95 %  skill
model             1   1.5  10.0 %   9.50  0.500    0.400     79 %     94 %  +50 %
seasonal naive    1   1.5  10.0 %   9.50  1.000    0.400        -        -   +0 %

By step; on the right the MASE of each single forecaster
step  MAE   MASE  in 80 %  in 95 %  skill  seasonal naive
1       1  0.500     80 %        -  +50 %           1.000

Diebold-Mariano test against seasonal naive, 10 origins: p = 0.031
Diebold-Mariano test against theta, 1,200 series: p < 0.001
Diebold-Mariano test against drift, 1 origin: cannot be told
50 % better
"""


def series(count: int) -> dict[str, object]:
    columns = {name: np.repeat(column, count) for name, column in TABLE.items()}
    return {"series": [f"shop {n}" for n in range(count)]} | columns | {"skill": np.linspace(0.5, -0.5, count)}


def report(count: int) -> str:
    titles = {"seasonal_naive": "seasonal naive"}
    return report_text(["head"], OVERALL, {"step": np.array([1])} | TABLE, series(count), titles)


def test_the_report_of_one_series_ends_with_the_verdict() -> None:
    assert report(1) == REPORT


def test_a_few_series_are_all_listed_the_worst_first() -> None:
    lines = report(3).partition("By series, the lowest skill first\n")[2].splitlines()
    assert [line[:6] for line in lines[:5]] == ["series", "shop 2", "shop 1", "shop 0", ""]


def test_of_many_series_the_worst_and_the_best_are_listed() -> None:
    lines = report(12).partition("By series, the lowest skill first\n")[2].splitlines()
    assert [line.split("  ")[0] for line in lines[1:12]] == [
        *("shop 11", "shop 10", "shop 9", "shop 8", "shop 7"),
        "... 2 more (--json) ...",
        *("shop 4", "shop 3", "shop 2", "shop 1", "shop 0"),
    ]


@pytest.mark.parametrize(("horizon", "steps"), [(1, [0]), (3, [0, 1, 2]), (19, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18])])
def test_a_long_horizon_is_shown_at_ten_steps(horizon: int, steps: list[int]) -> None:
    assert shown_steps(horizon) == steps


def test_a_series_whose_skill_is_undefined_is_among_the_worst() -> None:
    assert shown_series([0.5, NAN, -3.0], [0.5, 0.1, 4.0]) == [1, 2, 0]


def test_series_without_an_error_to_compare_come_last_or_not_at_all() -> None:
    assert shown_series([NAN, 0.5, -3.0], [NAN, 0.5, 4.0]) == [2, 1, 0]
    skill, mase = [NAN] * 7 + list(np.linspace(-1, 1, 12)), [NAN] * 7 + [1.0] * 12
    assert shown_series(skill, mase) == [7, 8, 9, 10, 11, 14, 15, 16, 17, 18]
    assert shown_series(skill[:15], mase[:15]) == [7, 8, 9, 10, 11, 12, 13, 14, 0, 1]


def test_of_several_targets_every_row_names_its_own() -> None:
    steps = {"target": np.array(["y", "y", "z", "z"]), "step": np.array([1, 2, 1, 2])}
    rows = {"series": ["a", "a"], "target": ["y", "z"]}
    repeated = {name: np.repeat(column, 4) for name, column in TABLE.items()}
    twice = {name: np.repeat(column, 2) for name, column in TABLE.items()}
    overall = OVERALL | {"targets": dict.fromkeys(("y", "z"), OVERALL["scores"])}
    text = report_text(["head"], overall, steps | repeated, rows | twice, {})
    words = [line.split("  ")[0] for line in text.splitlines()]
    assert words[3:7] == ["model", "", "", "seasonal_naive"]
    place = words.index("target, step")
    assert words[place : place + 5] == ["target, step", "y, 1", "y, 2", "z, 1", "z, 2"]
    place = words.index("target, series")
    assert words[place : place + 3] == ["target, series", "y, a", "z, a"]
