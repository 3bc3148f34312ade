import json
from dataclasses import replace

import numpy as np

from forecast.evaluation.backtest import Backtest
from forecast.forecasters.fitted import Kind
from forecast.panels.calendar import Calendar
from forecast.panels.panel import panel_of
from forecast.plan import QUANTILES, Plan
from forecast.report.figures import backtest_as_csv, columns_as_csv, columns_as_json_lines, rows_as_csv

PLAN = Plan(horizon=2, window=4, segment=2, seasons=(2,), base=2, lookback=6)


def test_columns_become_csv_with_empty_cells_for_what_is_undefined() -> None:
    made = columns_as_csv({"a,b": ["x", 'say "y"'], "n": np.array([1.5, np.nan]), "k": np.array([1, 2])})
    assert made.decode() == '"a,b",n,k\nx,1.5,1\n"say ""y""",,2\n'


def test_rows_may_have_different_keys() -> None:
    made = rows_as_csv([{"step": 1, "loss": 0.5}, {"step": 2, "skill": None}, {"step": 3, "skill": 0.25}])
    assert made.decode() == "step,loss,skill\n1,0.5,\n2,,\n3,,0.25\n"


def test_a_backtest_has_one_row_per_origin_and_known_step() -> None:
    panel = panel_of({"a": np.arange(8.0)}, Calendar("D", 0, "%Y-%m-%d")).select([0], np.array([6]))
    quantiles = np.array([10.0, 20.0])[None, :, None] + np.linspace(-3, 3, len(QUANTILES))
    backtest = Backtest(
        panel, ("report",), np.array([[6.0, np.nan]]), np.ones(1), quantiles, {Kind.NAIVE: np.array([[5.0, 5.0]])}
    )
    assert backtest_as_csv(backtest, PLAN).decode() == (
        "series,cutoff,time,step,role,truth,forecast,lo_80,hi_80,lo_95,hi_95,naive\n"
        "a,1970-01-07,1970-01-08,1,report,6,10,8,12,7,13,5\n"
    )


def test_a_backtest_of_several_targets_names_them_after_the_time() -> None:
    panel = panel_of({"y": np.arange(8.0), "z": np.arange(8.0)}, Calendar("D", 0, "%Y-%m-%d"))
    panel = replace(panel, ids=("a", "a"), targets=("y", "z"), channel=np.array([0, 1]))
    panel = panel.select([0, 1], np.array([6, 6]))
    quantiles = np.full((2, 2, len(QUANTILES)), 5.0)
    backtest = Backtest(panel, ("report",) * 2, np.array([[6.0, np.nan], [7, np.nan]]), np.ones(2), quantiles, {})
    lines = backtest_as_csv(backtest, PLAN).decode().splitlines()
    assert [line.split(",")[:5] for line in lines] == [
        ["series", "cutoff", "time", "target", "step"],
        ["a", "1970-01-07", "1970-01-08", "y", "1"],
        ["a", "1970-01-07", "1970-01-08", "z", "1"],
    ]


def test_columns_become_json_lines_with_null_for_what_is_undefined() -> None:
    made = columns_as_json_lines({"id": ['a "b"', "c"], "n": np.array([1.5, np.nan]), "k": np.array([1, 2])})
    assert [json.loads(line) for line in made.decode().splitlines()] == [
        {"id": 'a "b"', "n": 1.5, "k": 1},
        {"id": "c", "n": None, "k": 2},
    ]
