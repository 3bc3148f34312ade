"""A real forecast through other doors than files, and what is left of it where it can be read."""

import json
import sys
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from forecast.commands import run

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
