import json
import re
from typing import Any

import pytest

from forecast.commands import run
from forecast.commands.train import model_name
from forecast.errors import UsageError


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("sales.csv", "sales"),
        ("out/My Sales (2).csv.gz", "My-Sales-2"),
        ("../x/a.b.parquet", "a.b"),
        (".hidden.csv", "hidden"),
        ("plain", "plain"),
    ],
)
def test_a_model_is_named_after_its_data_file(data: str, name: str) -> None:
    assert model_name(data) == name


@pytest.mark.parametrize("data", ["-", "sales/*.csv", "sqlite:///x.db?table=t", "...csv"])
def test_data_without_a_file_name_needs_a_name_for_the_model(data: str) -> None:
    with pytest.raises(UsageError, match="no name for the model follows from this"):
        model_name(data)


def test_a_model_may_be_a_path(world: Any) -> None:
    run(["train", "sales.csv", "-m", "elsewhere/shop"])
    assert world.seen("publish") == ("elsewhere", "shop")


def test_a_name_that_is_none_is_refused_before_reading(world: Any) -> None:
    assert run(["train", "sales.csv", "-m", "shop@1"]) == 2
    assert world.calls == []


def test_train_publishes_every_file_beside_the_model(world: Any) -> None:
    assert run(["train", "sales.csv"]) == 0
    assert sorted(world.published) == [
        "backtest.csv",
        "forecast.png",
        "golden.json",
        "history.csv",
        "metrics.json",
        "metrics_by_series.csv",
        "metrics_by_step.csv",
        "predictions.csv",
        "run.json",
    ]


def test_train_hands_the_options_to_the_pipeline(world: Any) -> None:
    run(["train", "sales.csv", "-H", "7", "--cell", "gru", "--seed", "5", "--id", "shop", "--id", "till"])
    options = world.seen("train")
    assert (options.horizon, options.cell, options.seed) == (7, "gru", 5)
    assert world.seen("read")[1].id == ("shop", "till")


def test_options_come_from_the_environment_too(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECAST_TRAIN_HORIZON", "9")
    monkeypatch.setenv("FORECAST_TRAIN_SEASON", "24 168")
    monkeypatch.setenv("FORECAST_MODELS", "elsewhere")
    run(["train", "sales.csv"])
    assert world.seen("train").horizon == 9
    assert world.seen("read")[1].season == (24, 168)
    assert world.seen("publish") == ("elsewhere", "sales")


def test_an_option_wins_over_the_environment(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECAST_TRAIN_HORIZON", "9")
    run(["train", "sales.csv", "-H", "4"])
    assert world.seen("train").horizon == 4


def test_the_verdict_is_one_line_on_stderr(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(["train", "sales.csv"])
    said = capsys.readouterr()
    verdicts = [line for line in said.err.splitlines() if re.search(r"\d+ % (better|worse) than", line)]
    assert verdicts == [
        "50 % better than repeating the last 2 days, on 1 x 2 days of 2 series it had not seen, which are too few to "
        "rule out chance; the 80 % band held 100 %, and too few scores to promise its level; a mix of 75 % LSTM and "
        "25 % Theta makes the forecast"
    ]
    assert said.out == ""


def test_train_says_where_its_results_are(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(["train", "sales.csv", "-o", "out.csv"])
    folder = world.folder / "bundle"
    assert capsys.readouterr().err.splitlines()[-3:] == [
        f"Forecast  {folder / 'predictions.csv'} and out.csv",
        f"Metrics   {folder / 'metrics.json'}",
        f"Plot      {folder / 'forecast.png'}",
    ]


def test_output_holds_the_published_predictions(world: Any) -> None:
    run(["train", "sales.csv", "-o", "out.csv"])
    assert (world.folder / "out.csv").read_bytes() == world.published["predictions.csv"]


def test_quiet_says_nothing(world: Any, capfd: pytest.CaptureFixture[str]) -> None:
    run(["train", "sales.csv", "-q"])
    assert capfd.readouterr() == ("", "")


def test_json_prints_the_run_record_and_nothing_else(world: Any, capfd: pytest.CaptureFixture[str]) -> None:
    run(["train", "sales.csv", "--json"])
    said = capfd.readouterr()
    assert said.err == ""
    assert json.loads(said.out) == json.loads(world.published["run.json"])


def test_the_run_record_says_what_ran_on_what(world: Any) -> None:
    run(["train", "sales.csv"])
    record = json.loads(world.published["run.json"])
    assert record["command"] == ["forecast"]
    assert record["model"] == "sales@v1"
    assert record["input"]["sha256"] == "ab"
    assert record["status"] == {"ok": 2}
    assert (record["device"], record["cudnn"], record["why_not"]) == ("cpu", False, "there is no GPU")
    assert {"python", "forecast", "numpy", "tensorflow"} <= set(record["versions"])
    assert record["peak_memory_bytes"] > 1_000_000


def test_a_skill_below_the_gate_publishes_nothing(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "sales.csv", "--require-skill", "0.6"]) == 16
    assert world.published == {}
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "Error: the skill against seasonal naive is 0.500, below the 0.6 of --require-skill; nothing was published.",
        "Give more history or covariates, or ask for less.",
    ]


def test_a_skill_above_the_gate_is_published(world: Any) -> None:
    assert run(["train", "sales.csv", "--require-skill", "0.4"]) == 0
    assert world.published


def test_a_column_named_like_one_of_ours_is_refused_before_training(
    world: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("forecast.tables.id_name", lambda options: "step")
    assert run(["train", "sales.csv"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == (
        "Error: the column 'step' of the data has the name of a column of the forecast."
    )
    assert [call for call, _ in world.calls] == ["read"]


def test_a_prefix_sets_the_columns_apart(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.tables.id_name", lambda options: "step")
    assert run(["train", "sales.csv", "--prefix", "fc_"]) == 0
    assert world.published["predictions.csv"].startswith(b"step,day,fc_forecast,fc_lo_80")


def test_an_output_that_is_the_input_is_refused_before_reading(world: Any) -> None:
    (world.folder / "sales.csv").write_text("x")
    assert run(["train", "sales.csv", "-o", "sales.csv"]) == 2
    assert world.calls == []


def test_what_the_data_settled_is_printed(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(["train", "sales.csv"])
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == ["2 gaps stay missing.", "Horizon 2 days, window 4, season 2, 1 network", ""]


def test_verbose_prints_the_whole_plan(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(["train", "sales.csv", "-v"])
    lines = capsys.readouterr().err.splitlines()
    assert lines[1] == 'Read {"id": ["shop"], "time": ["day"], "target": "sales"}'
    assert lines[2].startswith('Plan {"horizon": 2, "window": 4, ')
