import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from forecast import backtesting
from forecast.backtesting import Rolled
from forecast.commands import run
from forecast.commands.measured import describe, measure
from forecast.evaluation.backtest import REPORT, SEEN, Backtest
from forecast.forecasters.fitted import Kind
from forecast.options import BacktestOptions, TrainOptions
from forecast.plan import QUANTILES
from tests.commands.conftest import PLAN, sales, trained_on

ROWS = np.array([0, 0, 1, 1])
HEAD = "2 origins from 1970-01-08 to 1970-01-09, 1 day apart, each forecast 2 days ahead"


def rolled_of(roles: tuple[str, ...] = (REPORT,) * 4, fits: tuple[int, ...] = (0,), error: float = 0.5) -> Rolled:
    panel = sales("a", "b")
    origins = panel.select([0, 0, 1, 1], np.array([7, 8, 7, 8]))
    truth = origins.truth(2)
    quantiles = (truth + error)[:, :, None] + np.linspace(-3, 3, len(QUANTILES))
    medians = {Kind.THETA: truth + 0.75, Kind.SEASONAL_NAIVE: truth - 1}
    backtest = Backtest(origins, roles, truth, np.ones(4), quantiles, medians)
    return Rolled(backtest, PLAN, (trained_on(panel),), fits, 2, 1, ROWS, (0, 1, 0, 1), ("ok", "ok", "short", "ok"), 1)


@pytest.fixture
def asked(world: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Return what the backtest was asked for."""
    calls: list[tuple[Any, ...]] = []

    def backtest_model(trained: Any, panel: Any, ask: Any, horizon: Any) -> Rolled:
        calls.append((ask, horizon))
        return rolled_of(fits=())

    def backtest_training(panel: Any, ask: Any, options: Any, read: Any, listen: Any, clock: Any) -> Rolled:
        calls.append((ask, options))
        return rolled_of()

    monkeypatch.setattr(backtesting, "backtest_model", backtest_model)
    monkeypatch.setattr(backtesting, "backtest_training", backtest_training)
    return calls


def test_backtest_prints_its_report_on_stdout(asked: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "sales.csv"]) == 0
    said = capfd.readouterr()
    assert said.err == "2 gaps stay missing.\n"
    assert said.out.splitlines()[:5] == [
        HEAD,
        "Fitted once, on the rows before the first origin.",
        "1 of 4 forecasts short (from less history than the window).",
        "",
        "                 MAE  RMSE    WAPE  sMAPE   MASE  pinball  in 80 %  in 95 %  skill",
    ]
    assert said.out.splitlines()[-3:] == [
        "Diebold-Mariano test against seasonal naive, 2 origins: cannot be told",
        "Diebold-Mariano test against Theta, 2 origins: cannot be told",
        "50 % better than repeating the last 2 days, on 2 x 2 days of 2 series it had not seen, which are too few to "
        "rule out chance; the 80 % band held 100 %, and too few scores to promise its level; a mix of 75 % LSTM and "
        "25 % Theta makes the forecast",
    ]


def test_backtest_publishes_and_writes_nothing(asked: Any, world: Any) -> None:
    run(["backtest", "sales.csv"])
    assert list(world.folder.iterdir()) == []
    assert [call for call, _ in world.calls] == ["read"]


def test_backtest_without_a_model_fits_with_the_options_of_train(asked: Any) -> None:
    run(
        ["backtest", "sales.csv", "-H", "7", "--preset", "fast", "--origins", "3", "--every", "2", "--refit-every", "1"]
    )
    ask, options = asked[0]
    assert ask == BacktestOptions(origins=3, every=2, refit_every=1)
    assert (options.horizon, options.preset, options.origins) == (7, "fast", TrainOptions.origins)


def test_backtest_of_a_model_reads_as_training_did(asked: Any, world: Any) -> None:
    assert run(["backtest", "new.csv", "-m", "sales", "-H", "5", "--target", "units"]) == 0
    _, read, model = world.seen("read")
    assert (read.id, read.target, model) == (("shop",), ("units",), True)
    assert world.seen("load") == ("models", "sales")
    assert asked == [(BacktestOptions(), 5)]


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--preset", "fast"], "--preset"),
        (["--refit-every", "2"], "--refit-every"),
        (["--sliding", "50"], "--sliding"),
        (["--seed", "3"], "--seed"),
    ],
)
def test_what_only_a_fit_could_obey_is_refused_with_a_model(
    world: Any, words: list[str], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["backtest", "sales.csv", "-m", "sales", *words]) == 2
    assert capsys.readouterr().err == (
        f"Error: {option} is for fitting, and with -m nothing is fitted.\n"
        "Leave it out, or leave out -m to fit at the origins.\n"
    )
    assert world.calls == []


def test_every_forecast_is_written_beside_the_truth(asked: Any, world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "sales.csv", "-o", "out.csv"]) == 0
    lines = (world.folder / "out.csv").read_text().splitlines()
    assert lines[:2] == [
        "series,cutoff,time,step,role,truth,forecast,lo_80,hi_80,lo_95,hi_95,theta,seasonal_naive",
        "a,1970-01-08,1970-01-09,1,report,7,7.5,5.5,9.5,4.5,10.5,7.75,6",
    ]
    assert len(lines) == 1 + 8
    assert capsys.readouterr().err.splitlines()[-1] == "Wrote every forecast to out.csv"


def test_the_suffix_decides_the_format(asked: Any, world: Any) -> None:
    run(["backtest", "sales.csv", "-o", "out.jsonl", "-q"])
    run(["backtest", "sales.csv", "-o", "out.parquet", "-q"])
    first = json.loads((world.folder / "out.jsonl").read_text().splitlines()[0])
    table = parquet.read_table(world.folder / "out.parquet")
    assert list(first) == table.column_names
    assert (first["time"], first["truth"]) == ("1970-01-09", 7)
    assert str(table.schema.field("time").type) == "timestamp[ns]"
    assert table.column("truth").to_pylist()[0] == 7.0


def test_a_table_on_stdout_sends_the_report_to_stderr(asked: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "sales.csv", "-o", "-"]) == 0
    said = capfd.readouterr()
    assert said.out.startswith("series,cutoff,")
    assert said.err.splitlines()[1] == HEAD


def test_an_output_that_is_the_input_is_refused_before_reading(asked: Any, world: Any) -> None:
    (world.folder / "sales.csv").write_text("x")
    assert run(["backtest", "sales.csv", "-o", "sales.csv"]) == 2
    assert world.calls == []


def test_a_database_is_no_output_for_a_backtest(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "sales.csv", "-o", "sqlite:///out.db?table=a"]) == 2
    assert capsys.readouterr().err == (
        "Error: sqlite:///out.db?table=a: this output is a local file.\nWrite one, and copy it.\n"
    )


def test_json_and_a_table_cannot_share_standard_output(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "sales.csv", "--json", "-o", "-"]) == 2
    assert json.loads(capsys.readouterr().err)["error"] == {
        "code": 2,
        "message": "--json and -o - both print on standard output.",
        "hint": "Write the forecasts to a file.",
    }


def test_json_prints_one_document_with_all_series_and_steps(asked: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "sales.csv", "-m", "sales", "--json", "-o", "out.csv"]) == 0
    said = capfd.readouterr()
    record = json.loads(said.out)
    assert said.err == ""
    assert (record["model"], record["fits"], record["horizon"], record["exit_code"]) == ("sales@v1", 0, 2, 0)
    assert [row["series"] for row in record["by_series"]] == ["a", "b"]
    assert [row["step"] for row in record["by_step"]] == [1, 2]
    assert record["metrics"]["scores"]["model"]["skill"] == 0.5
    assert record["metrics"]["comparison"]["seasonal_naive"]["p_value"] is None
    assert record["output"][0]["path"] == "out.csv"
    assert record["origins"][0] == {
        "origin": 1,
        "first_cutoff": "1970-01-08",
        "last_cutoff": "1970-01-08",
        "fitted": False,
        "forecasts": 2,
        "after_training": 2,
    }


def test_quiet_says_nothing(asked: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "sales.csv", "-q"]) == 0
    assert capfd.readouterr() == ("", "")


def test_a_skill_below_the_gate_is_reported_and_leaves_with_16(asked: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "sales.csv", "--require-skill", "0.6"]) == 16
    said = capfd.readouterr()
    assert said.out.startswith(HEAD)
    assert said.err.splitlines()[-2:] == [
        "Error: the skill against seasonal naive is 0.500, below the 0.6 of --require-skill.",
        "Give more history or covariates, or ask for less.",
    ]


@pytest.mark.parametrize("gate", ["0.1", "-9"])
def test_a_gate_is_not_passed_on_rows_that_the_model_has_seen(
    gate: str, asked: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtesting, "backtest_model", lambda *_: rolled_of((SEEN,) * 4, ()))
    assert run(["backtest", "sales.csv", "-m", "sales", "--require-skill", gate, "-q"]) == 16
    assert capfd.readouterr().err == (
        "Error: the skill cannot be told: no origin lies after the rows that sales@v1 was trained on.\n"
        "Give newer rows, or leave out -m to fit at the origins.\n"
    )
    assert run(["backtest", "sales.csv", "-m", "sales", "-q"]) == 0


def test_what_a_fit_has_to_say_stands_above_the_tables() -> None:
    rolled = replace(rolled_of(), remarks=("Fit 1 of 1: --time-limit 9s: no network",))
    assert describe(measure(rolled, None)).splitlines()[2] == "Fit 1 of 1: --time-limit 9s: no network"


def test_the_record_of_a_missed_gate_holds_the_exit_code(asked: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "sales.csv", "--require-skill", "0.6", "--json"]) == 16
    assert json.loads(capfd.readouterr().out)["exit_code"] == 16


@pytest.mark.parametrize(
    ("roles", "line"),
    [
        ((REPORT,) * 4, "All origins lie after the rows that sales@v1 was trained on."),
        (
            (SEEN, REPORT) * 2,
            "1 of 2 origins, from 1970-01-09 on, lie after the rows that sales@v1 was trained on; the others, which it "
            "has seen, are not scored.",
        ),
        (
            (SEEN, SEEN, REPORT, REPORT),
            "2 of 4 forecasts lie after the rows that sales@v1 was trained on; the others, which it has seen, are not "
            "scored.",
        ),
        (
            (SEEN,) * 4,
            "Warning: no origin lies after the rows that sales@v1 was trained on. It has seen what it forecasts here, "
            "so the errors are too small.",
        ),
    ],
)
def test_the_report_says_which_origins_the_model_has_seen(roles: tuple[str, ...], line: str) -> None:
    assert describe(measure(rolled_of(roles, ()), "sales@v1")).splitlines()[1] == line


def test_what_the_model_has_seen_is_no_proof_and_is_not_tested() -> None:
    found = measure(rolled_of((SEEN,) * 4, ()), "sales@v1").overall
    assert found["comparison"] == {}
    assert found["scores"]["model"]["coverage_80"] is None
    assert found["verdict"] == (
        "50 % better than repeating the last 2 days, on 2 x 2 days of 2 series it had seen in training, which is no "
        "proof"
    )


def test_rows_that_were_seen_are_not_scored_beside_others() -> None:
    rolled = rolled_of((SEEN, REPORT) * 2, ())
    rolled.backtest.quantiles[[0, 2]] += 1000  # the rows that were seen
    assert measure(rolled, "sales@v1").overall["scores"]["model"]["mae"] == 0.5


def test_origins_are_those_of_the_series_that_end_last() -> None:
    rolled = rolled_of()
    early = sales("a", "b").select([0, 0, 1, 1], np.array([7, 8, 4, 5]))
    head = describe(measure(replace(rolled, backtest=replace(rolled.backtest, panel=early)), None)).splitlines()[0]
    assert head == HEAD.replace("1970-01-09,", "1970-01-09 (earlier for series that end earlier),")


def test_the_report_counts_the_fits() -> None:
    line = describe(measure(rolled_of(fits=(0, 1)), None)).splitlines()[1]
    assert line == "Fitted 2 times, each time on the rows before the origin."
