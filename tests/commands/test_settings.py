"""Options from forecast.toml: what wins over what, what is refused and in which words, where paths start."""

import os
from importlib import import_module
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import typer

from forecast.commands import app, run
from forecast.commands.sections import key_of

WAYS = ("option", "environment", "named file", "file here", "default")  # each wins over those behind it


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """Return the list in which `predict` leaves its data, output, options and common options instead of forecasting."""
    found: list[Any] = []
    monkeypatch.chdir(tmp_path)

    def stop_here(data: str | None, output: str, _record: object, _log: object, common: Any) -> None:
        found.extend((data, output, common))
        raise typer.Exit

    monkeypatch.setattr(import_module("forecast.commands.predict"), "_check_places", stop_here)
    return found


def write(text: str, path: str = "forecast.toml") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that is to fail for its options; return what it says."""
    assert run(list(words)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def give(way: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Name a model in one of the ways; return what to add to the command line."""
    if way == "option":
        return ["-m", way]
    if way == "environment":
        monkeypatch.setenv("FORECAST_PREDICT_MODEL", way)
    elif way == "named file":
        write(f'[predict]\nmodel = "{way}"\n', "named.toml")
        return ["--config", "named.toml"]
    elif way == "file here":
        write(f'[predict]\nmodel = "{way}"\n')
    return []


@pytest.mark.parametrize(("winner", "loser"), list(combinations(WAYS, 2)))
def test_of_two_ways_to_give_an_option_the_nearer_one_wins(
    winner: str, loser: str, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [word for way in (loser, winner) for word in give(way, monkeypatch)]
    assert run(["predict", *words]) == 0
    assert asked[2].model == winner


def test_the_file_here_is_not_read_when_another_one_is_named(asked: list[Any]) -> None:
    write("[predict]\nmodel = 'here'\nquiet = true\n")
    write("[predict]\nmodel = 'named'\n", "named.toml")
    assert run(["predict", "--config", "named.toml"]) == 0
    assert (asked[2].model, asked[2].quiet) == ("named", False)


def test_the_file_can_be_named_in_the_environment(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    write("[predict]\nmodel = 'named'\n", "named.toml")
    monkeypatch.setenv("FORECAST_PREDICT_CONFIG", "named.toml")
    assert run(["predict"]) == 0
    assert asked[2].model == "named"


@pytest.mark.parametrize(("value", "verbose"), [("0", False), ("1", True), ("", True)])
def test_a_flag_of_the_file_can_be_taken_back_in_the_environment(
    value: str, verbose: bool, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write("[predict]\nverbose = true\n")
    monkeypatch.setenv("FORECAST_PREDICT_VERBOSE", value)
    run(["predict"])
    assert asked[2].verbose is verbose


def test_the_section_of_a_command_wins_over_that_of_every_command(asked: list[Any]) -> None:
    write("[forecast]\nmodel = 'all'\nmodels = 'store'\n[predict]\nmodel = 'one'\n")
    run(["predict"])
    assert (asked[2].model, asked[2].models) == ("one", "store")


def test_the_table_is_that_of_the_data_section(asked: list[Any]) -> None:
    write("[data]\npath = 'sales/*.parquet'\n")
    run(["predict"])
    assert asked[0] == "sales/*.parquet"


def test_the_table_of_the_command_wins_over_that_of_the_data_section(asked: list[Any]) -> None:
    write("[data]\npath = 'history.csv'\n[predict]\ndata = 'new.csv'\n")
    run(["predict"])
    assert asked[0] == "new.csv"


def test_a_table_that_a_command_needs_may_stand_in_the_file_alone(world: Any) -> None:
    write("[data]\npath = 'sales.csv'\nid = 'shop'\nseason = [24, 168]\n[train]\nhorizon = 7\n")
    assert run(["train", "-q"]) == 0
    path, read, _ = world.seen("read")
    assert (path, read.id, read.season, world.seen("train").horizon) == ("sales.csv", ("shop",), (24, 168), 7)


def test_options_of_one_command_do_not_reach_another(asked: list[Any]) -> None:
    write("[train]\nmodel = 'other'\n")
    run(["predict"])
    assert asked[2].model is None


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("'out.csv'", "elsewhere/out.csv"),
        ("'/abs/out.csv'", "/abs/out.csv"),
        ("'-'", "-"),
        ("'sqlite:///a.db?table=b'", "sqlite:///a.db?table=b"),
    ],
)
def test_relative_paths_start_at_the_folder_of_the_file(asked: list[Any], text: str, output: str) -> None:
    write(f"[predict]\noutput = {text}\n", "elsewhere/f.toml")
    run(["predict", "--config", "elsewhere/f.toml"])
    assert asked[1] == output


@pytest.mark.parametrize(("model", "found"), [("sales", "sales"), ("store/sales", "elsewhere/store/sales")])
def test_a_model_is_a_path_where_it_has_a_slash(asked: list[Any], model: str, found: str) -> None:
    write(f"[predict]\nmodel = '{model}'\n", "elsewhere/f.toml")
    run(["predict", "--config", "elsewhere/f.toml"])
    assert asked[2].model == found


def test_paths_of_the_command_line_start_where_we_are(asked: list[Any]) -> None:
    write("[predict]\n", "elsewhere/f.toml")
    run(["predict", "a.csv", "-o", "b.csv", "--config", "elsewhere/f.toml"])
    assert asked[:2] == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[predct]\n",
            "Error: forecast.toml: there is no section [predct]. Did you mean [predict]?\n"
            "There are [forecast], [data], [check], [train], [predict], [update], [backtest], [score], [template], "
            "[models], [job].\n",
        ),
        (
            "[predict]\nlevle = 80\n",
            "Error: forecast.toml: [predict] has no key 'levle'. Did you mean 'level'?\n"
            "Keys are options without the dashes: see 'forecast predict --help'.\n",
        ),
        (
            "[predict]\nmax_bad = '5%'\n",
            "Error: forecast.toml: [predict] has no key 'max_bad'. Did you mean 'max-bad'?\n"
            "Keys are options without the dashes: see 'forecast predict --help'.\n",
        ),
        (
            "[train]\nqqq = 1\n",
            "Error: forecast.toml: [train] has no key 'qqq'.\n"
            "Keys are options without the dashes: see 'forecast train --help'.\n",
        ),
        (
            "[data]\ntraget = 'y'\n",
            "Error: forecast.toml: [data] has no key 'traget'. Did you mean 'target'?\n"
            "Keys are options without the dashes: see 'forecast train --help'.\n",
        ),
        (
            "model = 'sales'\n",
            "Error: forecast.toml: 'model' stands in no section.\n"
            "Put it below the name of a command, as [predict], or below [forecast], which holds for every command.\n",
        ),
        (
            "[job]\nsteps = ['predict']\n",
            "Error: forecast.toml: [job] has the key 'steps'.\nA job is a section: [job.steps].\n",
        ),
        (
            "[job.a]\nstep = ['predict']\n",
            "Error: forecast.toml: [job.a] has no key 'step'. Did you mean 'steps'?\n"
            "Options of a step stand behind its name, as on the command line, or in the section of its command.\n",
        ),
        (
            "[job.a]\nsteps = 'predict'\n",
            "Error: forecast.toml: [job.a] steps should be a list of commands, but is 'predict'.\n"
            'Write steps = ["predict"].\n',
        ),
        (
            "[job.a]\nsteps = []\n",
            "Error: forecast.toml: [job.a] steps should be a list of commands, but is [].\n"
            'Write steps = ["predict"].\n',
        ),
        (
            "[predict]\nhorizon = 0\n",
            "Error: forecast.toml: [predict] horizon is 0: it should be greater than or equal to 1.\n"
            "See 'forecast predict --help'.\n",
        ),
        (
            "[predict]\nhorizon = 'soon'\n",
            "Error: forecast.toml: [predict] horizon is 'soon': it should be a valid integer, unable to parse string "
            "as an integer.\nSee 'forecast predict --help'.\n",
        ),
        (
            "[predict]\nhorizon = true\n",
            "Error: forecast.toml: [predict] horizon should be a text or a number, but holds True.\n"
            "Correct it as 'forecast COMMAND --help' shows --horizon.\n",
        ),
        (
            "[predict]\noutput = ['a.csv']\n",
            "Error: forecast.toml: [predict] output should be a text or a number, but holds ['a.csv'].\n"
            "Correct it as 'forecast COMMAND --help' shows --output.\n",
        ),
        (
            "[predict]\nquiet = 'yes'\n",
            "Error: forecast.toml: [predict] quiet should be true or false, but is 'yes'.\nWrite it without quotes.\n",
        ),
        (
            "[predict]\nduplicates = 'frist'\n",
            "Error: forecast.toml: [predict] duplicates is 'frist': 'frist' is not one of 'error', 'first', 'last', "
            "'mean', 'sum'.\nSee 'forecast predict --help'.\n",
        ),
        (
            "[predict]\nlevel = 80\nquantile = 0.1\n",
            "Error: --level and --quantile exclude each other.\nLeave one of them out. "
            "--level comes from forecast.toml: [predict] level. --quantile comes from forecast.toml: [predict] "
            "quantile.\n",
        ),
        (
            "[predict]\nmodel = sales\n",
            "Error: forecast.toml: it is not TOML: Invalid value (at line 2, column 9).\n"
            "Text stands in quotes, as in model = \"sales\"; see 'forecast config init' for an example.\n",
        ),
    ],
)
def test_what_the_file_should_not_hold_is_refused_with_its_place_and_what_to_do(
    text: str, message: str, asked: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    write(text)
    assert complaint(capsys, "predict") == message


def test_a_file_that_was_saved_as_latin_1_is_refused_with_its_line(
    asked: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("forecast.toml").write_bytes("[predict]\nmodel = 'süd'\n".encode("latin-1"))
    assert complaint(capsys, "predict") == "Error: forecast.toml:2: it is not UTF-8.\nSave the file as UTF-8.\n"


def test_a_byte_order_mark_is_no_fault(asked: list[Any]) -> None:
    Path("forecast.toml").write_bytes("[predict]\nmodel = 'süd'\n".encode("utf-8-sig"))
    run(["predict"])
    assert asked[2].model == "süd"


def test_a_named_file_that_is_missing_is_refused(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert complaint(capsys, "predict", "--config", "none.toml") == (
        "Error: none.toml: there is no such file.\nCorrect --config, or write one with 'forecast config init'.\n"
    )


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_refused_without_waiting_for_it(
    kind: str, asked: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    if kind == "pipe":
        os.mkfifo("forecast.toml")
    else:
        os.mkdir("forecast.toml")
    assert complaint(capsys, "predict") == (
        "Error: forecast.toml: it is no file.\nName a file of options with --config.\n"
    )


def test_a_file_of_any_size_is_not_read(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    write("#" * (1 << 20) + "\n")
    assert complaint(capsys, "predict") == (
        "Error: forecast.toml: it is larger than 1,048,576 bytes.\nName a file of options with --config.\n"
    )


def test_brackets_without_end_are_an_error_and_no_bug(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    write("a = " + "[" * 100_000)
    assert complaint(capsys, "predict").startswith("Error: forecast.toml: it is not TOML: ")


def test_help_is_there_whatever_the_file_says(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    write("[[[")
    assert run(["predict", "--help"]) == 0
    assert "Usage: forecast predict" in capsys.readouterr().out


def test_errors_are_json_where_the_file_asks_for_json(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    write("[predict]\njson = true\nhorizon = 0\n")
    assert complaint(capsys, "predict").startswith('{"error": {"code": 2, ')


def test_a_wrong_value_in_the_environment_is_told_by_its_variable(
    asked: list[Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECAST_PREDICT_HORIZON", "0")
    assert complaint(capsys, "predict") == (
        "Error: FORECAST_PREDICT_HORIZON is '0': it should be greater than or equal to 1.\n"
        "See 'forecast predict --help'.\n"
    )


def test_a_misspelt_variable_of_the_command_is_refused(
    asked: list[Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECAST_PREDICT_LEVLE", "80")
    assert complaint(capsys, "predict") == (
        "Error: the environment has FORECAST_PREDICT_LEVLE, which is no option of 'forecast predict'. "
        "Did you mean FORECAST_PREDICT_LEVEL?\nUnset or correct it; see 'forecast predict --help'.\n"
    )


def test_a_variable_of_another_command_is_nobodys_business(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECAST_TRAIN_LEVLE", "80")
    assert run(["predict"]) == 0


def test_no_password_of_a_url_in_the_file_is_shown(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    write("[predict]\noutput = ['postgresql://me:secret@host/db?table=a']\n")
    assert "secret" not in complaint(capsys, "predict")


def test_a_date_of_toml_is_read_as_its_text(asked: list[Any]) -> None:
    write("[predict]\nmodel = 2026-11-21\n")
    run(["predict"])
    assert asked[2].model == "2026-11-21"


def test_every_option_has_the_key_of_its_flag() -> None:
    commands = list(typer.main.get_command(app).commands.values())  # type: ignore[attr-defined]
    for command in commands:
        commands += getattr(command, "commands", {}).values()
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert f"--{key_of(parameter.name)}" in parameter.opts
