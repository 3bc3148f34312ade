import json
import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast import pipeline, store
from forecast.commands import run
from forecast.commands.results import judge
from forecast.commands.train import model_name
from forecast.errors import OutputError, UsageError
from forecast.fingerprint import Fingerprint
from forecast.forecasters.fitted import Kind
from forecast.tuning import Search, State, Trial
from tests.commands.conftest import outcome_of


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


@pytest.mark.parametrize("data", ["-", "sales/*.csv", "sqlite:///x.db?table=t", "s3://b/a.csv", "...csv"])
def test_data_without_a_file_name_needs_a_name_for_the_model(data: str) -> None:
    with pytest.raises(UsageError, match="no name for the model follows from this"):
        model_name(data)


def test_the_password_of_a_url_without_a_model_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "postgresql://me:secret@host/db?table=sales"]) == 2
    assert capsys.readouterr().err == (
        "Error: postgresql://me:***@host/db?table=sales: no name for the model follows from this.\n"
        "Give it one with -m.\n"
    )


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
        "profile.json",
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


def test_a_skill_below_the_gate_is_kept_as_a_candidate(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "sales.csv", "--require-skill", "0.6", "-o", "out.csv"]) == 16
    assert world.seen("candidate") == ("models", "sales")
    assert json.loads(world.published["run.json"])["exit_code"] == 16
    assert not (world.folder / "out.csv").exists()
    folder = world.folder / "bundle"
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "Error: the skill against seasonal naive is 0.500, below the 0.6 of --require-skill; kept as a candidate: "
        f"sales@v1 in {folder}.",
        "Give more history or covariates, or ask for less; 'forecast models promote "
        f"{folder.parent.parent}@v1' makes it the current one all the same.",
    ]


def test_a_candidate_prints_its_record_too(world: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "sales.csv", "--require-skill", "0.6", "--json"]) == 16
    said = capfd.readouterr()
    assert (json.loads(said.out)["exit_code"], json.loads(said.err)["error"]["code"]) == (16, 16)


def test_a_skill_above_the_gate_is_published(world: Any) -> None:
    assert run(["train", "sales.csv", "--require-skill", "0.4"]) == 0
    assert world.published


def test_a_column_named_like_one_of_ours_is_refused_before_training(
    world: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("forecast.tables.output_names", lambda options: ("step", "day"))
    assert run(["train", "sales.csv"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == (
        "Error: the column 'step' of the data has the name of a column of the forecast."
    )
    assert [call for call, _ in world.calls] == ["read"]


def test_a_prefix_sets_the_columns_apart(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.tables.output_names", lambda options: ("step", "day"))
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
    assert lines[1] == 'Read {"id": ["shop"], "time": ["day"], "target": ["sales"]}'
    assert lines[2].startswith('Plan {"horizon": 2, "window": 4, ')


def test_no_network_is_counted_where_none_is_published(
    world: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = outcome_of(world.panel)
    only = [one for one in made.trained.fitted if one.kind is not Kind.NETWORK]
    made = replace(made, trained=replace(made.trained, fitted=tuple(only), weights=(1.0,)))
    monkeypatch.setattr(pipeline, "train", lambda *_, **__: made)
    run(["train", "sales.csv"])
    assert capsys.readouterr().err.splitlines()[1] == "Horizon 2 days, window 4, season 2, no networks"


@pytest.fixture
def cut_world(world: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let training find settings, and be cut short."""
    trial = Trial(0, 64, 1, 0.1, 4e-3, 2, 4, (0.9, 0.8), State.COMPLETE)
    whole = pipeline.train  # the world's own

    def train(*arguments: Any, around: Any) -> Any:
        world.calls.append(("around", around))
        outcome = whole(*arguments, around=around)
        search = Search(outcome.trained.plan, (trial,), "1 trial; none is better")
        return replace(
            outcome, search=search, limit=around.clock.limit, cut=("1 of 2 networks", "learning stopped at step 50")
        )

    monkeypatch.setattr(pipeline, "train", train)
    return world


def test_what_a_search_found_and_a_limit_cut_is_said(cut_world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "sales.csv", "--time-limit", "1m30s", "--trials", "1"]) == 0
    assert capsys.readouterr().err.splitlines()[1:3] == [
        "1 trial; none is better",
        "--time-limit 1m30s: 1 of 2 networks; learning stopped at step 50",
    ]


def test_the_run_record_holds_the_search_and_the_limit(cut_world: Any) -> None:
    run(["train", "sales.csv", "--time-limit", "1m30s", "--trials", "1"])
    record = json.loads(cut_world.published["run.json"])
    assert record["search"] == "1 trial; none is better"
    assert record["time_limit"] == {"seconds": 90.0, "cut": ["1 of 2 networks", "learning stopped at step 50"]}


def test_without_search_and_limit_the_run_record_says_so(world: Any) -> None:
    run(["train", "sales.csv"])
    record = json.loads(world.published["run.json"])
    assert (record["search"], record["time_limit"]) == (None, None)


def test_the_trials_are_published(cut_world: Any) -> None:
    run(["train", "sales.csv", "--trials", "1"])
    assert cut_world.published["trials.csv"] == (
        b"number,units,layers,dropout,learning_rate,segment,window,error,looks,state\n"
        b"0,64,1,0.1,0.004,2,4,0.8,2,complete\n"
    )


def test_the_clock_starts_with_the_command_and_the_trials_are_kept_with_the_model(cut_world: Any) -> None:
    before = time.monotonic()
    run(["train", "sales.csv", "--time-limit", "90s", "-m", "shop"])
    around = cut_world.seen("around")
    assert around.clock.limit == 90
    assert before <= around.clock.begin <= time.monotonic()
    assert around.notes.path == Path("models/shop/trials.json")


@pytest.mark.parametrize("resume", [False, True])
def test_the_checkpoint_is_kept_with_the_model(cut_world: Any, resume: bool) -> None:
    run(["train", "sales.csv", "-m", "shop", *(["--resume"] if resume else [])])
    checkpoint = cut_world.seen("around").checkpoint
    assert (checkpoint.folder, checkpoint.resume) == (Path("models/shop/checkpoint"), resume)


@pytest.fixture
def trained_with_a_checkpoint(world: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the training write a checkpoint, and return where it is."""

    def train(panel: Any, *_: Any, around: Any) -> pipeline.Outcome:
        around.checkpoint.begin(Fingerprint("ab", {}))
        around.checkpoint.write("1" * 64, {"weights": np.ones(3)}, finished=True)
        assert Path("models/sales/checkpoint").exists()
        return outcome_of(panel)

    monkeypatch.setattr(pipeline, "train", train)
    return Path("models/sales/checkpoint")


def test_the_checkpoint_of_a_model_that_is_only_a_candidate_is_gone(
    trained_with_a_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "sales.csv", "--require-skill", "0.9"]) == 16
    assert not trained_with_a_checkpoint.exists()
    assert "--resume" not in capsys.readouterr().err


def test_the_checkpoint_stays_where_publishing_fails(
    trained_with_a_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def publish(*_: Any, **__: Any) -> None:
        raise OutputError("the disk is full.\nFree some space.")

    monkeypatch.setattr(store, "publish", publish)
    assert run(["train", "sales.csv"]) == 15
    assert trained_with_a_checkpoint.exists()
    assert "--resume goes on from it" in capsys.readouterr().err.splitlines()[-1]


def test_a_time_limit_without_a_unit_is_refused_before_reading(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "sales.csv", "--time-limit", "90"]) == 2
    assert capsys.readouterr().err == (
        "Error: --time-limit '90' is no length of time.\n"
        "Give numbers with their units d, h, m and s, such as 90s, 10m or 1h30m.\n"
    )
    assert world.calls == []


def test_trials_without_optuna_are_refused_before_reading(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert run(["train", "sales.csv", "--trials", "3"]) == 2
    assert world.calls == []


def test_bounds_are_handed_to_the_pipeline(world: Any) -> None:
    run(["train", "sales.csv", "--min", "-2.5", "--max", "1e3", "--round", "1"])
    options = world.seen("train")
    assert (options.min, options.max, options.round) == (-2.5, 1000.0, 1)


def test_bounds_come_from_the_environment_by_the_names_of_their_options(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECAST_TRAIN_MIN", "0")
    monkeypatch.setenv("FORECAST_TRAIN_ROUND", "2")
    run(["train", "sales.csv"])
    assert (world.seen("train").min, world.seen("train").round) == (0.0, 2)


def test_bounds_that_contradict_each_other_are_refused_before_reading(
    world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "sales.csv", "--min", "5", "--max", "3"]) == 2
    assert capsys.readouterr().err == "Error: --min 5 is above --max 3.\nCorrect one of them.\n"
    assert world.calls == []


OUTSIDE = "6 values of the history outside --min 2 and --max 8: learned from as they are, never forecast."
SUGGESTED = "No value of the history is below 0, but a band of the forecast is: --min 0 keeps it from that."


def test_history_outside_the_bounds_is_counted_in_a_notice_and_in_the_record(
    world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "sales.csv", "--min", "2", "--max", "8"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["2 gaps stay missing.", OUTSIDE]
    assert json.loads(world.published["run.json"])["notices"] == lines[:2]


def test_one_value_outside_is_one(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(["train", "sales.csv", "--max", "9"])
    assert capsys.readouterr().err.splitlines()[1] == (
        "1 value of the history outside --max 9: learned from as they are, never forecast."
    )


def test_min_0_is_suggested_where_a_band_alone_is_below_0(
    world: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = outcome_of(world.panel)
    wide = replace(wide, forecasts=replace(wide.forecasts, quantiles=wide.forecasts.quantiles - 8))
    monkeypatch.setattr(pipeline, "train", lambda *_, **__: wide)
    run(["train", "sales.csv"])
    assert capsys.readouterr().err.splitlines()[-4] == SUGGESTED
    assert json.loads(world.published["run.json"])["notices"][-1] == SUGGESTED


def test_series_that_end_before_the_others_are_named(
    world: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = outcome_of(world.panel)
    monkeypatch.setattr(pipeline, "train", lambda *_, **__: made)
    world.panel = replace(world.panel, target=world.panel.target.copy())
    world.panel.target[13:20] = np.nan  # of the second of two series
    run(["train", "sales.csv"])
    line = (
        "1 of 2 series end more than 2 steps of D before the newest value: 'b' at 1970-01-04. Their forecasts begin "
        "there."
    )
    assert line in capsys.readouterr().err.splitlines()
    assert line in json.loads(world.published["run.json"])["notices"]


@pytest.mark.parametrize(
    ("status", "repeated"),
    [
        (("fallback", "fallback"), True),
        (("fallback", "skipped"), True),
        (("fallback", "short"), False),
        (("skipped", "skipped"), False),
    ],
)
def test_the_verdict_says_that_seasons_are_repeated_where_no_series_is_forecast_otherwise(
    world: Any, status: tuple[str, ...], repeated: bool
) -> None:
    made = outcome_of(world.panel)
    found = judge(replace(made, forecasts=replace(made.forecasts, status=status))).verdict
    assert ("now the last season is repeated instead" in found) == repeated


@pytest.mark.parametrize("low", [0.0, -1e-9])
def test_nothing_is_suggested_where_no_band_or_some_history_is_below_0(
    world: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], low: float
) -> None:
    made = outcome_of(world.panel)
    if low < 0:
        world.panel.target[0] = low
        made = replace(made, forecasts=replace(made.forecasts, quantiles=made.forecasts.quantiles - 8))
    monkeypatch.setattr(pipeline, "train", lambda *_, **__: made)
    run(["train", "sales.csv"])
    assert SUGGESTED not in capsys.readouterr().err


def with_two_targets(world: Any) -> None:
    world.panel = replace(world.panel, ids=("a", "a"), targets=("sales", "visits"), channel=np.array([0, 1]))


def test_what_was_found_out_about_several_targets_is_printed(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with_two_targets(world)
    run(["train", "sales.csv"])
    lines = capsys.readouterr().err.splitlines()
    assert lines[2] == "Targets: mixed, 25.0 % better on the validation rows than each by itself"
    assert [line.split()[0] for line in lines[5:8]] == ["model", "sales", "visits"]


@pytest.mark.parametrize(
    ("error", "words"), [(1.25, "25.0 % worse"), (0.995, "0.5 % better, less than the 2 % that count")]
)
def test_targets_that_stay_apart_are_said_to(
    world: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: float, words: str
) -> None:
    with_two_targets(world)
    train = pipeline.train

    def apart(*arguments: Any, **around: Any) -> pipeline.Outcome:
        return replace(
            train(*arguments, **around), targets={"mixed": False, "independent_error": 1.0, "mixed_error": error}
        )

    monkeypatch.setattr(pipeline, "train", apart)
    run(["train", "sales.csv"])
    expected = f"Targets: each by itself; mixed was {words} on the validation rows"
    assert capsys.readouterr().err.splitlines()[2] == expected


def test_the_run_record_keeps_what_was_found_out_about_several_targets(world: Any) -> None:
    with_two_targets(world)
    run(["train", "sales.csv"])
    found = json.loads(world.published["run.json"])["targets"]
    assert found == {"mixed": True, "independent_error": 1.0, "mixed_error": 0.75}


def test_the_metrics_of_each_target_are_published(world: Any) -> None:
    with_two_targets(world)
    run(["train", "sales.csv"])
    found = json.loads(world.published["metrics.json"])["targets"]
    assert list(found) == ["sales", "visits"]
    assert list(found["visits"]) == ["model", "network", "seasonal_naive"]


def test_an_id_column_named_target_collides_with_several_targets_before_training(
    world: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_two_targets(world)
    monkeypatch.setattr("forecast.tables.output_names", lambda options: ("target", "day"))
    assert run(["train", "sales.csv"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == (
        "Error: the column 'target' of the data has the name of a column of the forecast."
    )
    assert [call for call, _ in world.calls] == ["read"]
