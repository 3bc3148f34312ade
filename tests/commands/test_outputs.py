"""A real forecast through other doors than files, and what is left of it where it can be read."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from forecast.commands import run
from forecast.commands.outputs import dated
from forecast.panels.calendar import Calendar
from forecast.trained import Forecasts

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = ["--models", str(REPOSITORY / "models"), "-m", "reference-1"]


def test_a_database_is_written_and_the_record_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    table = str(REPOSITORY / "data" / "us_employment.csv")
    assert run(["predict", table, *MODEL, "-o", "sqlite:///out.db?table=ahead", "--record", "run.json"]) == 0
    assert capsys.readouterr().err.splitlines()[-1] == "Wrote 90 rows to sqlite:///out.db?table=ahead"
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["output"] == [{"path": "sqlite:///out.db?table=ahead", "rows": 90}]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.db", "run.json"]


def test_the_newest_cutoff_stands_in_the_name_of_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = (REPOSITORY / "data" / "us_employment.csv").read_text(encoding="utf-8").splitlines()
    rows = [line for line in table if not line.startswith("construction,2015")]  # one series ends a year before
    Path("table.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert run(["predict", "table.csv", *MODEL, "-q", "-o", "{cutoff}.csv", "--record", "run.json"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["20151201T0000.csv", "run.json", "table.csv"]
    assert json.loads(Path("run.json").read_text())["output"][0]["path"] == "20151201T0000.csv"


def test_a_dated_output_that_is_the_input_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    table = tmp_path / "20151201T0000.csv"
    table.write_bytes((REPOSITORY / "data" / "us_employment.csv").read_bytes())
    assert run(["predict", table.name, *MODEL, "-q", "-o", "{cutoff}.csv"]) == 2
    assert capsys.readouterr().err == (
        "Error: 20151201T0000.csv: the output is the input.\nName another output with -o.\n"
    )


def test_steps_are_dated_by_their_number() -> None:
    calendar = Calendar("step", 0, "", "")
    cutoffs, none = np.array([7, 12]), np.zeros((2, 1, 1))
    assert dated("a-{cutoff}.csv", Forecasts(("a", "b"), calendar, cutoffs, none, (0.5,), ("ok",) * 2)) == "a-12.csv"


def test_no_password_of_a_url_is_kept_or_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    url = "memory://me:secret@host/sales.csv"
    MemoryFileSystem().pipe("/me:secret@host/sales.csv", (REPOSITORY / "data" / "us_employment.csv").read_bytes())
    words = ["predict", url, *MODEL, "-o", "out.csv", "--record", "run.json", "-v"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["forecast", *words])
    assert run(words) == 0
    said = capfd.readouterr()
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["input"]["path"] == record["command"][2] == "memory://me:***@host/sales.csv"
    assert "secret" not in said.out + said.err + "".join(path.read_text() for path in tmp_path.iterdir())


@pytest.mark.parametrize("flag", ["-v", "--json"])
def test_the_command_line_that_check_suggests_holds_no_password(flag: str, capfd: pytest.CaptureFixture[str]) -> None:
    url = "memory://me:secret@host/check.csv"
    MemoryFileSystem().pipe("/me:secret@host/check.csv", (REPOSITORY / "data" / "co2.csv").read_bytes())
    assert run(["check", url, flag]) == 0
    said = capfd.readouterr()
    assert "forecast train 'memory://me:***@host/check.csv'" in said.out
    assert "-m model" in said.out or "--model model" in said.out
    assert "secret" not in said.out + said.err


def test_the_table_that_check_refuses_is_named_without_its_password(capfd: pytest.CaptureFixture[str]) -> None:
    MemoryFileSystem().pipe("/me:secret@host/bad.csv", b"ds,y\n2024-01-01,many\n")
    assert run(["check", "memory://me:secret@host/bad.csv", "--json"]) == 12
    said = capfd.readouterr()
    assert json.loads(said.out)["input"]["path"] == "memory://me:***@host/bad.csv"
    assert "secret" not in said.out + said.err
