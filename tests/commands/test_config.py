"""`forecast config`: what is in force and why, and a file that changes nothing until somebody edits it."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from forecast.commands import run

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    assert run(["config", "show", "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_show_says_where_each_value_comes_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("forecast.toml").write_text("[forecast]\nmodel = 'sales'\n[predict]\noutput = 'out.csv'\n", encoding="utf-8")
    monkeypatch.setenv("FORECAST_PREDICT_LEVEL", "80 95")
    monkeypatch.setenv("FORECAST_MODELS", "store")
    assert run(["config", "show", "predict"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["[predict]", "# data is not set"]
    assert 'output = "out.csv"  # forecast.toml: [predict] output' in lines
    assert 'model = "sales"  # forecast.toml: [forecast] model' in lines
    assert "level = [80.0, 95.0]  # FORECAST_PREDICT_LEVEL" in lines
    assert 'models = "store"  # FORECAST_MODELS' in lines
    assert 'max-bad = "5%"  # default' in lines
    assert "# horizon is not set" in lines


def test_show_as_json_has_value_and_origin(capsys: pytest.CaptureFixture[str]) -> None:
    Path("named.toml").write_text("[train]\ncell = 'gru'\nmin = 0\n", encoding="utf-8")
    found = shown(capsys, "--config", "named.toml")
    assert found["train"]["cell"] == {"value": "gru", "from": "named.toml: [train] cell"}
    assert found["train"]["min"] == {"value": 0.0, "from": "named.toml: [train] min"}
    assert found["check"]["cell"] == {"value": "lstm", "from": "default"}


def test_what_show_prints_is_a_file_that_gives_the_same_values(capsys: pytest.CaptureFixture[str]) -> None:
    Path("forecast.toml").write_text("[data]\nid = ['a', 'ü\"']\n[train]\nhorizon = 7\nmin = -1.5\n", encoding="utf-8")
    before = shown(capsys)
    run(["config", "show"])
    Path("again.toml").write_text(capsys.readouterr().out, encoding="utf-8")
    after = shown(capsys, "--config", "again.toml")
    for command, values in before.items():
        assert {key: one["value"] for key, one in after[command].items()} == {
            key: one["value"] for key, one in values.items()
        }


@pytest.mark.parametrize("way", ["file", "environment"])
def test_show_hides_the_passwords_of_urls(
    way: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "postgresql://me:secret@host/db?table=sales&sslpassword=secret"
    if way == "file":
        Path("forecast.toml").write_text(f"[data]\npath = '{url}'\n[predict]\noutput = '{url}'\n", encoding="utf-8")
    else:
        monkeypatch.setenv("FORECAST_PREDICT_OUTPUT", url)
    for words in ([], ["--json"]):
        assert run(["config", "show", "predict", *words]) == 0
        said = capsys.readouterr().out
        assert "postgresql://me:***@host/db?table=sales" in said
        assert "secret" not in said


def test_show_checks_the_values_of_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    Path("forecast.toml").write_text("[train]\nhorizon = 0\n", encoding="utf-8")
    assert run(["config", "show"]) == 2
    assert capsys.readouterr().err == (
        "Error: forecast.toml: [train] horizon is 0: it should be greater than or equal to 1.\n"
        "See 'forecast train --help'.\n"
    )


def test_show_of_an_unknown_command_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "show", "trian"]) == 2
    assert capsys.readouterr().err == (
        "Error: no such command 'trian'. Did you mean 'train'?\n"
        "There are check, train, predict, update, backtest, score, template, "
        "models list, models show, models verify, models promote, models rollback, models prune, models export.\n"
    )


def test_the_file_of_init_changes_nothing_and_has_a_job(capsys: pytest.CaptureFixture[str]) -> None:
    before = shown(capsys)
    assert run(["config", "init"]) == 0
    assert shown(capsys) == before
    assert run(["run"]) == 0
    assert capsys.readouterr().out == "nightly: predict\n"


def test_every_default_that_init_shows_is_the_one_in_force_when_it_is_uncommented(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = shown(capsys)
    run(["config", "init", "-o", "-"])
    text = re.sub(
        r"^# (?=[a-z-]+ = (\"[a-z0-9%]*\"|\d+|false|\"predictions.csv\")$)", "", capsys.readouterr().out, flags=re.M
    )
    Path("forecast.toml").write_text(text, encoding="utf-8")
    assert len(tomllib.loads(text)["train"]) > 5
    after = shown(capsys)
    for command, values in before.items():
        assert {key: one["value"] for key, one in after[command].items()} == {
            key: one["value"] for key, one in values.items()
        }
    assert after["train"]["seed"]["from"] == "forecast.toml: [train] seed"


def test_init_shows_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    found = shown(capsys)
    run(["config", "init", "-o", "-"])
    named = set(re.findall(r"^# ([a-z-]+) = ", capsys.readouterr().out, flags=re.MULTILINE))
    assert {key for values in found.values() for key in values} - named == {"data", "log"}  # which is `path` there


def test_the_example_of_the_manual_holds(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(
        r"^```toml\n(.*?)^```$", (ROOT / "docs" / "cli.md").read_text(encoding="utf-8"), re.M | re.S
    )
    Path("forecast.toml").write_text(example, encoding="utf-8")
    assert shown(capsys)["predict"]["output"]["value"] == "out/{cutoff}.csv"
    assert run(["run"]) == 0
    assert capsys.readouterr().out.startswith("nightly: predict\nboth: predict -m shops ")


def test_init_never_overwrites(capsys: pytest.CaptureFixture[str]) -> None:
    Path("forecast.toml").write_text("[[[ mine, and broken", encoding="utf-8")
    assert run(["config", "init"]) == 2
    assert capsys.readouterr().err == (
        "Error: forecast.toml: it is there already.\nName another file with -o, or - to print it.\n"
    )
    assert Path("forecast.toml").read_text(encoding="utf-8") == "[[[ mine, and broken"


def test_init_on_a_full_disk_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code = (
        "import resource, signal, sys; from forecast.commands import run\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "sys.exit(run(['config', 'init']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 15
    assert done.stderr == "Error: forecast.toml: cannot write: File too large.\nName another place with -o.\n"
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("words", [["config", "show"], ["config", "init", "-o", "-"], ["run"]])
def test_config_loads_no_numerical_package(words: list[str]) -> None:
    Path("forecast.toml").write_text("[job.a]\nsteps = ['predict']\n", encoding="utf-8")
    code = (
        "import sys; from forecast.commands import run\n"
        f"assert run({words!r}) == 0\n"
        "print([name for name in ('numpy', 'pandas', 'pyarrow', 'sklearn', 'tensorflow') if name in sys.modules], "
        "file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.stderr == "[]\n"
