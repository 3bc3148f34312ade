"""forecast predict --log and forecast score, with the reference model and real tables."""

import json
from pathlib import Path

import pytest

from forecast.commands import run

REFERENCE = ["--models", "models", "-m", "reference-1"]
CUT = "2014-"  # the table ends in 2014 and later; the night forecasts from the end of 2013


@pytest.fixture
def tables(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the table as it was one night, and as it is later; the model is found from here."""
    monkeypatch.chdir(repository)
    monkeypatch.setattr("sys.argv", ["forecast"])
    lines = (repository / "data" / "us_employment.csv").read_text(encoding="utf-8").splitlines()
    early = [line for line in lines if not line.split(",")[1] >= CUT or line == lines[0]]
    (tmp_path / "night.csv").write_text("\n".join(early) + "\n", encoding="utf-8")
    (tmp_path / "later.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def predict(folder: Path, *more: str) -> int:
    output = ["-o", str(folder / "predictions.csv"), "--log", str(folder / "log"), "-q"]
    return run(["predict", str(folder / "night.csv"), *REFERENCE, *output, *more])


def score(folder: Path, *more: str) -> int:
    return run(["score", str(folder / "log"), "--actuals", str(folder / "later.csv"), *REFERENCE, *more])


def test_a_night_is_logged_once_and_scored_later(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert predict(tables) == predict(tables, "--level", "50") == 0
    assert score(tables, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    (version,) = document["versions"]
    assert version["current"]
    assert (version["forecasts"], version["scored"]) == (90, 90)
    assert version["scores"]["model"]["mae"] > 0
    assert set(version["scores"]["seasonal_naive"]) == {"mae", "mase"}
    assert [row["step"] for row in version["by_step"]] == [1, 2, 3, 4, 5, 6]
    assert document["drift"]["passed"] is None


def test_the_run_record_lies_in_the_log(tables: Path) -> None:
    predict(tables)
    record = json.loads((tables / "log" / "run.json").read_text())
    assert (record["exit_code"], record["log"]["rows"]) == (0, 90)


def test_the_report_names_the_version_and_ends_with_drift(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predict(tables)
    assert score(tables, "-o", str(tables / "scores.csv")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "reference-1: 90 of 90 forecasts in the log have met their truth"
    assert lines[3].split()[1] == "(current)"
    assert lines[-1].startswith("Drift cannot be told: ")  # the reference model came without a backtest
    rows = (tables / "scores.csv").read_text().splitlines()
    assert rows[0].startswith("version,step,scored,mae,rmse,wape,")
    assert len(rows) == 7


def test_before_the_truth_has_come_nothing_is_wrong(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predict(tables)
    (tables / "later.csv").write_bytes((tables / "night.csv").read_bytes())
    assert score(tables, "--max-drift", "1.2") == 0
    assert capsys.readouterr().out == (
        "reference-1: 0 of 90 forecasts in the log have met their truth, 90 wait for it\n"
    )


def test_a_table_of_other_series_is_refused(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predict(tables)
    text = (tables / "later.csv").read_text(encoding="utf-8").splitlines()
    strangers = [text[0], *(f"x{line}" for line in text[1:])]
    (tables / "later.csv").write_text("\n".join(strangers) + "\n", encoding="utf-8")
    assert score(tables, "-q") == 13
    assert "none of the 90 forecasts in" in capsys.readouterr().err


def test_a_log_that_is_not_there_is_12(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert score(tables) == 12
    assert capsys.readouterr().err.endswith(
        f"Error: {tables}/log: there is no such log.\nName the folder that --log was given.\n"
    )


def test_where_the_log_cannot_be_the_output_stays(tables: Path) -> None:
    (tables / "predictions.csv").write_text("old")
    (tables / "log").write_text("no folder")
    assert predict(tables) == 2
    assert (tables / "predictions.csv").read_text() == "old"
