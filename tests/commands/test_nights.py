"""What a night's forecast does with a table that is old, cut, or not quite that of the model: the reference model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forecast.commands import run

REPOSITORY = Path(__file__).resolve().parents[2]
TABLE = (REPOSITORY / "data" / "us_employment.csv").read_text(encoding="utf-8").splitlines()
HEAD, ROWS = TABLE[0], TABLE[1:]
MODEL = ["--models", str(REPOSITORY / "models"), "-m", "reference-1"]
UNTIL = "2015-06"  # the rows up to June 2015, of 2015-12


@pytest.fixture
def predict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Return what forecasts from rows; it returns the exit code and the run record."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["forecast"])

    def predict(rows: list[str], *options: str) -> tuple[int, dict[str, Any]]:
        Path("new.csv").write_text("\n".join([HEAD, *rows]) + "\n", encoding="utf-8")
        code = run(["predict", "new.csv", *MODEL, "--record", "run.json", *options])
        return code, json.loads(Path("run.json").read_text()) if Path("run.json").exists() else {}

    return predict


def status_by_id(file: str = "predictions.csv") -> dict[str, str]:
    rows = (line.split(",") for line in Path(file).read_text().splitlines()[1:])
    return {row[0]: row[-2] for row in rows}


def test_as_of_forecasts_the_same_bytes_as_a_table_that_ends_there(predict: Callable[..., Any]) -> None:
    later = [row.rpartition(",")[0] + ",unknown" for row in ROWS if row.split(",")[1] > f"{UNTIL}-01"]
    rows = [row for row in ROWS if row.split(",")[1] <= f"{UNTIL}-01"]
    code, record = predict([*later, *rows, "nobody,2015-07-01,"], "--as-of", UNTIL, "-o", "as_of.csv")
    assert (code, record["input"]["as_of"], record["input"]["last"]) == (0, UNTIL, "2015-06-01")
    assert (predict(rows, "-o", "cut.csv")[0], Path("as_of.csv").read_bytes()) == (0, Path("cut.csv").read_bytes())
    assert ",2015-07-01," in Path("cut.csv").read_text()


def test_the_last_steps_forecast_the_same_bytes_as_a_table_that_begins_there(predict: Callable[..., Any]) -> None:
    code, record = predict(ROWS, "--last", "36", "-o", "last.csv")
    assert (code, record["input"]["last_steps"], record["input"]["first"]) == (0, 36, "2013-01-01")
    assert any(line == "1,260 steps before the last 36 of their series were left out" for line in record["notices"])
    rows = [row for row in ROWS if row.split(",")[1] >= "2013"]
    assert (predict(rows, "-o", "cut.csv")[0], Path("last.csv").read_bytes()) == (0, Path("cut.csv").read_bytes())


def test_a_model_that_has_seen_what_it_forecasts_is_said(predict: Callable[..., Any]) -> None:
    _, record = predict(ROWS, "--as-of", UNTIL)
    (line,) = [line for line in record["notices"] if "--as-of" in line]
    assert line.endswith(
        " was trained on rows up to 2015-12-01, after --as-of 2015-06: it has seen what it forecasts. Name an older "
        "version with -m."
    )
    assert not any("--as-of" in line for line in predict(ROWS, "--as-of", "2015-12")[1]["notices"])


def test_a_table_that_is_too_old_leaves_the_last_forecast_in_place(
    predict: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("predictions.csv").write_text("of yesterday")
    options = ["-q", "--as-of", "2016-03-05", "--max-age", "error:60d"]
    assert predict(ROWS, *options) == (17, {})
    assert capsys.readouterr().err == (
        "Error: new.csv: the newest value is of 2015-12-01, 95d before --as-of 2016-03-05: more than 60d.\n"
        "Bring newer rows, or allow more with --max-age.\n"
    )
    assert Path("predictions.csv").read_text() == "of yesterday"
    assert predict(ROWS, *options[:-1], "error:95d")[0] == 0


def test_the_files_of_an_old_table_are_listed_with_their_newest_times(
    predict: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("parts").mkdir()
    for name, rows in (("a", ROWS[:1000]), ("b", ROWS[1000:])):
        Path(f"parts/{name}.csv").write_text(
            "\n".join([HEAD, *(row for row in rows if name == "a" or "2015-1" not in row)])
        )
    assert run(["predict", "parts/*.csv", *MODEL, "-q", "--as-of", "2016-03-05", "--max-age", "error:60d"]) == 17
    assert capsys.readouterr().err.splitlines()[0] == (
        "Error: parts/*.csv: the newest value is of 2015-12-01, 95d before --as-of 2016-03-05: more than 60d (by file: "
        "parts/a.csv 2015-12-01, parts/b.csv 2015-09-01)."
    )


def test_every_way_in_which_a_series_is_not_as_it_was_has_its_status_and_its_count(
    predict: Callable[..., Any],
) -> None:
    ids = list(dict.fromkeys(row.split(",")[0] for row in ROWS))
    gone, short, gap, early, empty, new = ids[:6]
    rows = []
    for row in ROWS:
        name, day, value = row.split(",")
        if name == gone or (name == short and day < "2015-06") or (name == early and day > "2015-03"):
            continue
        if (name == gap and "2015-01" < day < "2015-12") or name == empty:
            value = ""
        rows.append(f"{'brand new' if name == new else name},{day},{value}")
    code, record = predict(rows, "--as-of", "2016-01", "--max-bad", "15%")
    assert (code, record["status"]) == (0, {"fallback": 1, "new": 1, "ok": 10, "short": 1, "skipped": 1})
    assert {name: own for name, own in status_by_id().items() if own != "ok"} == {
        short: "short",
        gap: "fallback",
        empty: "skipped",
        "brand new": "new",
    }
    assert record["reasons"] == {
        "not in the table": 2,  # one was renamed
        "ended early": 1,
        "not known to the model": 1,
        "shorter than the window": 1,
        "repeated instead": 1,
        "without any value": 1,
    }
    told = "\n".join(record["notices"])
    for line in (
        f"2 of the 15 series of the model are not in the table: '{gone}', '{new}'.",
        f"1 of 14 series end more than 2 steps of MS before the newest value: '{early}' at 2015-02-01. Their forecasts "
        "begin there.",
        "1 of 14 series new (not known to the model: forecast with a scale of their own): 'brand new'.",
        f"1 of 14 series short (shorter than the window): '{short}'.",
        f"1 of 14 series fallback (mostly missing at the end, or without a finite forecast: seasonal naive): '{gap}'.",
        f"1 of 14 series skipped (without any value: no forecast): '{empty}'.",
    ):
        assert line in told


def test_more_bad_series_than_allowed_leave_with_3_and_say_which(
    predict: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    first = ROWS[0].split(",")[0]
    rows = [row.rpartition(",")[0] + "," if row.startswith(first) else row for row in ROWS]
    code, record = predict(rows, "-q")
    assert (code, record["exit_code"], len(Path("predictions.csv").read_text().splitlines())) == (3, 3, 91)
    assert capsys.readouterr().err == (
        f"Error: 1 of 15 series fell back or were skipped, more than --max-bad 5%: '{first}' skipped.\n"
        "The output is written, its column status says which. Mend the last rows of these series, or allow more.\n"
    )
    assert predict(rows, "-q", "--max-bad", "7%")[0] == 0


@pytest.mark.parametrize("share", ["5", "-1%", "101%", "five", "%"])
def test_a_share_is_a_percentage(predict: Callable[..., Any], capsys: pytest.CaptureFixture[str], share: str) -> None:
    assert predict(ROWS, f"--max-bad={share}") == (2, {})
    assert capsys.readouterr().err == f"Error: --max-bad {share!r} is no share.\nUse a percentage such as 5%.\n"


@pytest.mark.parametrize("length", ["36", "error", "error:", "warn:2d"])
def test_an_age_is_a_length_of_time(
    predict: Callable[..., Any], capsys: pytest.CaptureFixture[str], length: str
) -> None:
    assert predict(ROWS, "--max-age", length) == (2, {})
    assert capsys.readouterr().err.startswith("Error: --max-age ")
