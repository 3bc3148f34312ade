from forecast.report.table import metrics_table

SCORES = {
    "naive": {"mase": 2.5, "rmsse": 2.0, "wape": 0.2, "smape": 20.0, "bias": -0.05, "pinball": 2.5, "skill": -1.5},
    "seasonal_naive": {
        "mase": 1.0,
        "rmsse": 1.25,
        "wape": 0.1,
        "smape": 9.5,
        "bias": -0.0001,
        "pinball": 1.0,
        "skill": 0.0,
    },
    "model": {
        **{"mase": 0.8765, "rmsse": 1.0, "wape": 0.0876, "smape": 8.5, "bias": 0.0123, "pinball": 0.7, "skill": 0.1235},
        **{"coverage_80": 0.79, "coverage_95": 0.943},
    },
}
TABLE = """
                MASE  RMSSE    WAPE  sMAPE    bias  pinball  in 80 %  in 95 %   skill
model          0.876  1.000   8.8 %   8.50  +1.2 %    0.700     79 %     94 %   +12 %
seasonal naive 1.000  1.250  10.0 %   9.50  +0.0 %    1.000        -        -    +0 %
naive          2.500  2.000  20.0 %  20.00  -5.0 %    2.500        -        -  -150 %
"""


def test_the_model_comes_first_and_then_the_best() -> None:
    table = metrics_table(SCORES, {"seasonal_naive": "seasonal naive"})
    assert [line.split("  ")[0] for line in table.splitlines()[1:]] == ["model", "seasonal naive", "naive"]


def test_the_table_shows_every_score() -> None:
    table = metrics_table(SCORES, {"seasonal_naive": "seasonal naive"})
    squeezed = [" ".join(line.split()) for line in table.splitlines()]
    assert squeezed == [" ".join(line.split()) for line in TABLE.strip().splitlines()]


def test_the_columns_line_up() -> None:
    lines = metrics_table(SCORES, {}).splitlines()
    assert len({len(line) for line in lines}) == 1


def test_what_is_undefined_comes_last_as_a_dash() -> None:
    lines = metrics_table(SCORES | {"drift": dict.fromkeys(SCORES["naive"])}, {}).splitlines()
    assert lines[-1].split() == ["drift", *"---------"]


def test_a_line_for_each_target_follows_the_model() -> None:
    lines = metrics_table(SCORES, {}, targets={"sales": SCORES["naive"], "visits": SCORES["model"]}).splitlines()
    assert [line.split("  ")[0:2] for line in lines[2:4]] == [["", "sales"], ["", "visits"]]
    assert lines[3].split()[1:] == lines[1].split()[1:]
