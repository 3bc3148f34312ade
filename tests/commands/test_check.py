"""`check` from the outside: its report, its documents, and that it never disagrees with `train`."""

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast import pipeline
from forecast.commands import run

DAYS = np.datetime64("2024-01-01") + np.arange(60)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with a table that can be trained on and one that is too short."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{day};{10 + step % 7},5" for step, day in enumerate(DAYS)]
    for name, count in (("sales.csv", 60), ("short.csv", 4), ("two words's.csv", 60), ("-odd.csv", 60)):
        (tmp_path / name).write_text("\n".join(["day;sold", *rows[:count], ""]))
    return tmp_path


@pytest.fixture
def trained_with(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """Return the options with which training starts; it stops there."""
    calls: list[tuple[Any, Any]] = []

    def train(panel: Any, options: Any, read: Any, *rest: Any, **more: Any) -> Any:
        calls.append((options, read))
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "train", train)
    return calls


def errors_of(captured: str) -> str:
    """Return what was said from the error on."""
    return captured[captured.index("Error: ") :]


@pytest.mark.parametrize("words", [[], ["-H", "30"], ["--last", "4"]], ids=["short", "horizon", "last"])
def test_check_and_train_refuse_what_cannot_be_trained_on_in_the_same_words(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    table = "sales.csv" if words else "short.csv"
    assert run(["check", table, *words]) == 12
    checked = capsys.readouterr()
    assert run(["train", table, *words]) == 12
    assert errors_of(checked.err) == errors_of(capsys.readouterr().err)
    assert checked.out.startswith(f"{table}: ")
    assert checked.out.endswith("\n\nTraining would refuse this table.\n")


def test_the_report_ends_with_the_command_that_trains(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "sales.csv", "-H", "5", "--season", "7"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.splitlines()[:2] == [
        "sales.csv: 60 rows, 969 bytes",
        "dialect: delimiter ';', decimal mark ','",
    ]
    assert said.out.splitlines()[-2:] == [
        "Train on it with:",
        "  forecast train sales.csv --time day --target sold --season 7 --horizon 5",
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("sales.csv", ["--null-value", "-", "--max", "1234567.89", "--scaler", "robust", "--wide"]),
        ("two words's.csv", ["-m", "shop", "--models", "my models", "--prefix", "fc_"]),
        ("./-odd.csv", ["--null-value=-9", "--device", "cpu", "--time-limit", "10m"]),
    ],
)
def test_the_suggested_command_trains_with_what_was_asked_for(
    folder: Path, trained_with: list[Any], capsys: pytest.CaptureFixture[str], data: str, words: list[str]
) -> None:
    assert run(["check", data, *words]) == 0
    suggested = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert run(["train", data, *words]) == run(suggested[1:]) == 130
    (options, read), (options_again, read_again) = trained_with
    assert suggested[:3] == ["forecast", "train", data]
    assert (options_again, read_again) == (options, read)


def test_a_path_that_looks_like_an_option_is_suggested_as_a_path(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "--", "-odd.csv"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("  forecast train ./-odd.csv --time day")


def test_a_minimum_is_suggested_unless_there_is_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sales.csv").write_text("day;sold\n" + "".join(f"{day};{step % 7}\n" for step, day in enumerate(DAYS)))
    for words, end, told in (
        ([], "--min 0", True),
        (["--min", "2"], "--min 2", False),
        (["--max", "5"], "--min 0 --max 5", True),
    ):
        assert run(["check", "sales.csv", *words]) == 0
        said = capsys.readouterr().out
        assert said.splitlines()[-1].endswith(f"--target sold {end}")
        assert ("no value is below 0: where none can be, --min 0" in said) == told


def test_bounds_that_leave_out_every_value_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sales.csv").write_text("day;sold\n" + "".join(f"{day};{step % 7}\n" for step, day in enumerate(DAYS)))
    for command in ("check", "train"):
        assert run([command, "sales.csv", "--max", "-1", "--min", "-5"]) == 2
        assert capsys.readouterr().err.endswith(
            "Error: no value of the table lies within --min -5 and --max -1: every forecast would be the bound.\n"
            "Give the bound in the unit of the target, or leave it out.\n"
        )


def test_json_prints_one_document_with_the_profile(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "sales.csv", "--json"]) == 0
    said = capfd.readouterr()
    document = json.loads(said.out)
    assert said.err == ""
    assert (document["exit_code"], document["refusal"]) == (0, None)
    assert document["train"] == "forecast train sales.csv --time day --target sold"
    assert document["profile"]["series"][0]["steps"] == 60


@pytest.mark.parametrize(("table", "readable"), [("short.csv", True), ("absent.csv", False)])
def test_json_holds_the_refusal_too(
    folder: Path, capfd: pytest.CaptureFixture[str], table: str, readable: bool
) -> None:
    assert run(["check", table, "--json", "-o", "profile.json"]) == 12
    said = capfd.readouterr()
    document = json.loads(said.out)
    assert document["exit_code"] == 12
    assert document["train"] is None
    assert document["refusal"] == json.loads(said.err)["error"]
    assert (document["profile"] is not None) == readable
    assert not (folder / "profile.json").exists()


def test_the_profile_is_written_where_it_was_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "sales.csv", "-o", "profile.json"]) == 0
    assert capsys.readouterr().err == "Wrote the profile to profile.json\n"
    assert json.loads((folder / "profile.json").read_text())["read"]["target"] == ["sold"]


def test_a_profile_on_stdout_sends_the_report_to_stderr(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "sales.csv", "-o", "-"]) == 0
    said = capfd.readouterr()
    assert json.loads(said.out)["read"]["delimiter"] == ";"
    assert said.err.endswith("  forecast train sales.csv --time day --target sold\n")


def test_two_documents_on_stdout_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "sales.csv", "-o", "-", "--json"]) == 2
    assert "--json and -o - both print on standard output" in capsys.readouterr().err


def test_an_output_that_is_the_input_is_refused_before_reading(folder: Path) -> None:
    before = (folder / "sales.csv").read_bytes()
    assert run(["check", "sales.csv", "-o", "sales.csv"]) == 2
    assert (folder / "sales.csv").read_bytes() == before


def test_quiet_says_nothing_when_all_is_well(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "sales.csv", "-q"]) == 0
    assert capfd.readouterr() == ("", "")


def test_check_writes_nothing_by_itself(folder: Path) -> None:
    before = sorted(folder.iterdir())
    assert run(["check", "sales.csv"]) == 0
    assert sorted(folder.iterdir()) == before


def test_a_table_from_a_pipe_is_suggested_with_a_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with (folder / "sales.csv").open() as table:
        monkeypatch.setattr("sys.stdin", table)
        assert run(["check", "-"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "  forecast train - --time day --target sold --model model"


def test_a_name_that_is_none_is_refused(folder: Path) -> None:
    assert run(["check", "sales.csv", "-m", "shop@1"]) == 2


def test_many_series_make_a_short_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"s{number};{day};{number}" for number in range(300) for day in DAYS[:20]]
    (folder / "many.csv").write_text("\n".join(["id;day;sold", *rows, ""]))
    assert run(["check", "many.csv", "-o", "all.json"]) == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) < 50
    assert "and 280 more series, which stand out less; -o profile.json has all." in said
    assert len(json.loads((folder / "all.json").read_text())["series"]) == 300
