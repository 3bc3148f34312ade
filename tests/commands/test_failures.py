import errno
import json

import pytest
import typer

from forecast.commands import failures, run
from forecast.commands.stopping import Stopped
from forecast.errors import DataError

A_BUG = "Error: this is a bug in forecast (KeyError: 'x').\nRun it again with --debug and report what it prints.\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "Error: no such command 'trian'. Did you mean 'train'?\nSee 'forecast --help'.\n"),
        (
            ["train", "x", "--horzon", "3"],
            "Error: no such option --horzon. Did you mean --horizon?\nSee 'forecast train --help'.\n",
        ),
        (["train", "x", "--qqq"], "Error: no such option --qqq.\nSee 'forecast train --help'.\n"),
        (["train"], "Error: forecast train needs DATA.\nSee 'forecast train --help'.\n"),
        (
            ["train", "a.csv", "b.csv"],
            "Error: got unexpected extra argument(s) (b.csv). Several files are named by a pattern in quotes, such as "
            "'*.csv'.\nSee 'forecast train --help'.\n",
        ),
        (
            [],
            "Error: which command? There are check, train, predict, update, backtest, score, template, run, config, "
            "models.\n"
            "See 'forecast --help'.\n",
        ),
        (
            ["train", "x", "-H", "0"],
            "Error: invalid value for '--horizon' / '-H': it should be greater than or equal to 1.\n"
            "See 'forecast train --help'.\n",
        ),
        (
            ["train", "x", "--cell", "lstn"],
            "Error: invalid value for '--cell': 'lstn' is not one of 'lstm', 'gru', 'rnn'.\n"
            "See 'forecast train --help'.\n",
        ),
        (
            ["predict", "--level", "80", "--quantile", "0.1"],
            "Error: --level and --quantile exclude each other.\nLeave one of them out.\n",
        ),
    ],
)
def test_wrong_usage_is_one_sentence_and_a_mend(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    assert capsys.readouterr() == ("", message)


def test_an_explained_error_keeps_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert failures.report(DataError("a.csv: it is empty.\nGive rows."), []) == 12
    assert capsys.readouterr().err == "Error: a.csv: it is empty.\nGive rows.\n"


def test_errors_are_json_where_json_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    failures.report(DataError("a.csv: it is empty.\nGive rows."), ["train", "--json"])
    said = json.loads(capsys.readouterr().err)
    assert said == {"error": {"code": 12, "message": "a.csv: it is empty.", "hint": "Give rows."}}


def test_json_behind_two_dashes_is_a_file_name(capsys: pytest.CaptureFixture[str]) -> None:
    failures.report(DataError("a"), ["train", "--", "--json"])
    assert capsys.readouterr().err == "Error: a\n"


def test_a_bug_shows_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert failures.report(KeyError("x"), ["train"]) == 1
    assert capsys.readouterr().err == A_BUG


def _failing(secret: str) -> None:
    raise ValueError("x")


@pytest.mark.parametrize("way", ["option", "environment"])
def test_debug_shows_the_traceback_without_values(
    way: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORECAST_DEBUG", "1" if way == "environment" else "")
    try:
        _failing("".join(["hid", "den"]))
    except ValueError as error:
        failures.report(error, ["train", "--debug"] if way == "option" else ["train"])
    said = capsys.readouterr().err
    assert "in _failing" in said
    assert "hidden" not in said


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (MemoryError(), 18, "out of memory."),
        (ImportError("libarrow.so: failed to map segment from shared object"), 18, "out of memory."),
        (OSError(errno.ENOSPC, "No space left on device", "a/b"), 15, "a/b: cannot write: No space left on device."),
        (Stopped(15), 143, "stopped by SIGTERM; the last complete result is in place."),
        (Stopped(2), 130, "stopped by SIGINT; the last complete result is in place."),
        (KeyboardInterrupt(), 130, "stopped by SIGINT; the last complete result is in place."),
    ],
)
def test_failures_of_the_machine_have_their_own_codes(error: BaseException, code: int, message: str) -> None:
    assert failures.in_words(error)[:2] == (code, message)


def test_leaving_early_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert failures.report(typer.Exit(3), []) == 3
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("flag", ["--json", "--debug", "-q"])
def test_no_password_of_a_url_is_shown_whoever_speaks(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert failures.report(KeyError("GET https://me:secret@host/a.csv?key=secret"), ["predict", flag]) == 1
    said = capsys.readouterr().err
    assert "https://***@host/a.csv?***" in said
    assert "secret" not in said
