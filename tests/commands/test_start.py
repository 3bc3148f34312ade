"""What happens before and around a command, in processes of their own with an empty environment."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import forecast
from forecast.commands import settle_environment

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "pandas", "rich", "pyarrow", "sklearn", "scipy", "tensorflow", "keras", "matplotlib")


def bare(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize(
    "words", [["--help"], ["train", "--help"], ["predict", "-h"], ["backtest", "-h"], ["--version"]]
)
def test_help_loads_typer_alone(words: list[str]) -> None:
    code = (
        "import sys; from forecast.commands import run\n"
        f"code = run({words!r})\n"
        f"print(code, [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    assert bare(code).stderr == "0 []\n"


def test_the_launcher_runs_uninstalled_from_anywhere(tmp_path: Path) -> None:
    command = ["env", "-i", sys.executable, str(ROOT / "cli.py"), "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"forecast {forecast.__version__}\n", "")


def test_a_wrong_option_needs_no_environment() -> None:
    done = bare("import sys; from forecast.commands import main; sys.argv = ['forecast', 'predict', '--qqq']; main()")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: no such option --qqq.\nSee 'forecast predict --help'.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_run_with_one_line(number: signal.Signals) -> None:
    code = (
        "import os, sys, forecast.store, forecast.commands as commands\n"
        f"forecast.store.load = lambda *_, **__: os.kill(os.getpid(), {int(number)})\n"
        "sys.argv = ['forecast', 'predict']\n"
        "commands.main()"
    )
    done = bare(code)
    assert (done.returncode, done.stdout) == (128 + number, "")
    assert done.stderr == f"Error: stopped by {number.name}; the last complete result is in place.\n"


def test_a_reader_that_left_is_no_story() -> None:
    code = "import sys; from forecast.commands import main; sys.argv = ['forecast', 'train', '--help']; main()"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (15, "")


def test_predict_computes_on_one_thread_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    settle_environment(["predict"])
    assert [os.environ[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")] == ["1"] * 3


@pytest.mark.parametrize(("command", "gives_back"), [("score", True), ("predict", False), ("train", False)])
def test_arrow_gives_back_what_it_frees_where_a_log_is_read(command: str, gives_back: bool) -> None:
    code = f"from forecast.commands import settle_environment\nsettle_environment([{command!r}])\n"
    done = bare(code + "import pyarrow; print(pyarrow.default_memory_pool().backend_name)")
    assert done.returncode == 0, done.stderr
    assert (done.stdout == "system\n") == gives_back


def test_training_keeps_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    settle_environment(["train", "--debug"])
    assert os.environ["OMP_NUM_THREADS"] == "8"


def test_native_noise_is_hidden_and_our_own_words_are_not() -> None:
    code = (
        "import os, sys; from forecast.commands import hide_native_noise\n"
        "hide_native_noise(); os.write(2, b'noise'); print('word', file=sys.stderr)"
    )
    assert bare(code).stderr == "word\n"
