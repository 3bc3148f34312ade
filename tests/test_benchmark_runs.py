"""What has a line is not run again, every part is scored by itself, and no process of a rival computes for ever."""

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import accuracy
import numpy as np
import pytest
import record
import rivals
from random_networks import random_fitted
from scores import Forecast, score
from sets import Case, DataSet, load_case

from forecast import Trained, TrainOptions
from forecast.evaluation.calibration import none
from forecast.forecasters import registry
from forecast.forecasters.fitted import Kind
from forecast.options import Preset
from forecast.planning import settle


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the words of each training that is started: it writes its lines at once, in a folder of its own."""
    words: list[list[str]] = []

    def run(command: list[str], check: bool) -> None:
        words.append(command[2:])
        cut = "--cut-recurrence" in command
        parts, baselines = "--parts" in command, "--baselines" in command
        one = accuracy.Run(accuracy.SETS[command[2]], tmp_path, Preset.BALANCED, 1, parts, cut, baselines)
        lines = [one.key | {"part": part} for part in one.names]
        record.merge(tmp_path / "accuracy" / f"{command[2]}.csv", lines, accuracy.FIELDS, accuracy.KEY)

    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(subprocess, "run", run)
    return words


def measure(monkeypatch: pytest.MonkeyPatch, module: Any, *words: str) -> None:
    """Run a benchmark with these words."""
    monkeypatch.setattr(sys, "argv", [f"{module.__name__}.py", *words])
    module.main()


def test_a_set_that_has_its_lines_is_not_trained_again(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        measure(monkeypatch, accuracy, "nyc_taxi")
    assert len(started) == 1


@pytest.mark.parametrize(
    "words", [["--seed", "2"], ["--preset", "best"], ["--parts"], ["--cut-recurrence"], ["--baselines"]]
)
def test_what_has_no_line_yet_is_trained(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    measure(monkeypatch, accuracy, "nyc_taxi")
    measure(monkeypatch, accuracy, "nyc_taxi", *words)
    assert len(started) == 2


def test_a_line_is_measured_again_when_that_is_asked_for(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(monkeypatch, accuracy, "nyc_taxi")
    measure(monkeypatch, accuracy, "nyc_taxi", "--again")
    assert len(started) == 2


def test_a_rival_that_has_its_line_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = []
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(record, "commit", lambda: "abc")
    monkeypatch.setattr(rivals, "load_case", lambda one, folder: one)
    monkeypatch.setattr(rivals, "run_model", lambda case, model, seed, minutes: run.append(model) or {"mase": 0.5})
    measure(monkeypatch, rivals, "nyc_taxi", "--model", "MSTL")
    measure(monkeypatch, rivals, "nyc_taxi", "--model", "MSTL", "--model", "AutoETS")
    assert run == ["MSTL", "AutoETS"]


def test_a_process_that_computes_for_too_long_is_ended_and_named_so() -> None:
    forever = [sys.executable, "-c", "while True: pass"]
    assert rivals.run_limited(forever, 1 / 60)["outcome"] == "over 0.0166667 minutes"
    parent = f"import subprocess; subprocess.run({forever}, check=True)"
    assert rivals.run_limited([sys.executable, "-c", parent], 1 / 60)["outcome"] == "over 0.0166667 minutes"


def test_a_process_that_fails_is_named_so(capfd: pytest.CaptureFixture[str]) -> None:
    killed = [sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"]
    assert rivals.run_limited(killed, 1)["outcome"] == "ended by signal 11"
    assert rivals.run_limited([sys.executable, "-c", "1 / 0"], 1)["outcome"] == "failed"


def test_a_process_that_ends_is_named_so() -> None:
    assert rivals.run_limited([sys.executable, "-c", ""], 1)["outcome"] == "done"


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Trained, Case, accuracy.Run]:
    """Return a mix of a network that was not trained and ridge, what it forecasts, and the run that it stands for."""
    values = "".join(f"{step},{10 + step % 7 + step % 3}\n" for step in range(1, 301))
    (tmp_path / "table.csv").write_text("ds,y\n" + values, encoding="utf-8")
    one = DataSet("made_up", "table.csv", 4, (7,), {"season": (7,)})
    case = load_case(one, tmp_path)
    visible = case.visible()
    plan = settle(visible, TrainOptions(horizon=4, units=4), case.read.season)
    mixed = Trained(
        plan=plan,
        read=case.read,
        calendar=visible.calendar,
        ids=visible.ids,
        fitted=(random_fitted(visible, plan, seed=1), registry.FIT[Kind.RIDGE](visible, plan)),
        weights=(0.5, 0.5),
        units=np.ones(1),
        calibration=none(plan),
        context=None,
        source={},
    )
    return mixed, case, accuracy.Run(one, tmp_path, Preset.BALANCED, 1, parts=True)


def scores_of(case: Case, models: Iterable[tuple[str, Trained, bool]]) -> dict[str, dict[str, float]]:
    """Return the scores of every part."""
    return {name: score(case, accuracy.forecasts(model, case, banded)) for name, model, banded in models}


def test_the_network_alone_is_scored_beside_the_whole_without_the_bands_of_the_mix(
    trained: tuple[Trained, Case, accuracy.Run],
) -> None:
    mixed, case, run = trained
    found = scores_of(case, accuracy.parts_of(mixed, case, run))
    assert list(found) == run.names == ["whole", "network alone"]
    assert ["pinball" in scores for scores in found.values()] == [True, False]
    assert found["whole"]["mase"] != found["network alone"]["mase"]


def test_every_baseline_is_scored_by_itself(trained: tuple[Trained, Case, accuracy.Run]) -> None:
    _, case, run = trained
    run = replace(run, baselines=True)
    found = scores_of(case, accuracy.baselines(case, run))
    assert list(found) == run.names
    assert all("pinball" in scores for scores in found.values())
    for name, season in (("naive alone", 1), ("seasonal naive alone", 7)):
        assert found[name]["mase"] == pytest.approx(score(case, [repeated(case, season)])["mase"])


def test_the_seasonal_naive_has_a_season_where_none_was_confirmed(
    trained: tuple[Trained, Case, accuracy.Run],
) -> None:
    mixed, case, _ = trained
    plan = replace(mixed.plan, seasons=(1,), base=1, bases=())
    model = accuracy.baseline(case, plan, Kind.SEASONAL_NAIVE)
    assert score(case, accuracy.forecasts(model, case, True))["mase"] == pytest.approx(
        score(case, [repeated(case, 7)])["mase"]
    )


def repeated(case: Case, season: int) -> Forecast:
    """Return the forecast that repeats the last season."""
    rows = np.arange(len(case.series))
    point = case.cut(rows).tail(season)[:, np.arange(case.horizon) % season]
    return Forecast(rows, point, np.empty((*point.shape, 0)))
