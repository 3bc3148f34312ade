"""`forecast run`: the steps of a job as the command line would run them, with the reference model and a real table."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from forecast.commands import run, settle_environment

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, str(ROOT / "cli.py"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a table and a file of options and jobs, in which we are."""
    (tmp_path / "employment.csv").symlink_to(ROOT / "data" / "us_employment.csv")
    (tmp_path / "forecast.toml").write_text(
        f"""
[forecast]
models = '{ROOT / "models"}'
model = 'reference-1'
[data]
path = 'employment.csv'
[predict]
level = 80
[job.night]
steps = ["predict"]
[job.two]
steps = ["predict --level 50 -o 'a b.csv'", "predict -o c.csv"]
[job.bad]
steps = ["predict -o a.csv --max-bad 0%", "predict -o b.csv"]
[job.fails]
steps = ["predict missing.csv", "predict -o b.csv"]
[job.itself]
steps = ["run night"]
[job.unknown]
steps = ["predict", "predcit"]
[job.option]
steps = ["predict", "predict --levle 80"]
[job.quotes]
steps = ["predict -o 'a"]
[job.group]
steps = ["config"]
""",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def started(*words: str, cwd: Path | str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program with nothing in its environment and standard input closed."""
    command = ["env", "-i", "/bin/sh", "-c", 'exec "$0" "$@" <&-', *PROGRAM, *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def test_a_job_writes_what_the_command_line_writes(folder: Path) -> None:
    job = started("run", "night", "--json")
    written = (folder / "predictions.csv").read_bytes()
    alone = started("predict", "--json")
    assert (job.returncode, alone.returncode, job.stderr) == (0, 0, "")
    assert (folder / "predictions.csv").read_bytes() == written
    (step,) = json.loads(job.stdout)["steps"]
    changing = ("run", "command", "start", "end", "age_seconds", "wall_seconds", "peak_memory_bytes")
    record, expected = step["record"], json.loads(alone.stdout)
    assert {key: record[key] for key in record if key not in changing} == {
        key: expected[key] for key in expected if key not in changing
    }
    assert record["command"] == ["forecast", "predict", "--config", "forecast.toml", "--json"]


def test_a_job_runs_in_the_folder_of_its_file_and_says_nothing_with_q(folder: Path) -> None:
    done = started("run", "two", "-q", "--config", str(folder / "forecast.toml"), cwd="/")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (folder / "a b.csv").read_text().startswith("sector,date,forecast,lo_50,hi_50,step,")
    assert (folder / "c.csv").read_text().startswith("sector,date,forecast,lo_80,hi_80,step,")


def test_a_job_ends_at_the_step_that_failed_and_leaves_with_its_code(folder: Path) -> None:
    done = started("run", "fails")
    assert (done.returncode, done.stdout) == (12, "")
    assert done.stderr == (
        "Error: missing.csv: there is no such file.\nCheck the path.\n"
        "The job 'fails' stopped at 'predict missing.csv'; not run: 'predict -o b.csv'.\n"
    )
    assert not (folder / "b.csv").exists()


def test_a_job_goes_on_after_a_step_whose_output_is_marked_and_leaves_with_3(folder: Path) -> None:
    lines = (ROOT / "data" / "us_employment.csv").read_text(encoding="utf-8").splitlines()
    gone = [f"{line.rpartition(',')[0]}," if line.startswith("utilities,") else line for line in lines]
    (folder / "employment.csv").unlink()
    (folder / "employment.csv").write_text("\n".join(gone) + "\n", encoding="utf-8")
    assert started("run", "bad", "-q").returncode == 3
    assert (folder / "b.csv").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "nihgt",
            "forecast.toml: there is no job 'nihgt'. Did you mean 'night'?\n"
            "It has night, two, bad, fails, itself, unknown, option, quotes, group.",
        ),
        (
            "itself",
            "forecast.toml: [job.itself] step 1, 'run night': a job runs no job.\n"
            "Write the steps of the other job here.",
        ),
        (
            "unknown",
            "forecast.toml: [job.unknown] step 2, 'predcit': no such command 'predcit'. Did you mean 'predict'?\n"
            "See 'forecast --help'.",
        ),
        (
            "option",
            "forecast.toml: [job.option] step 2, 'predict --levle 80': no such option --levle. Did you mean --level?\n"
            "See 'forecast predict --help'.",
        ),
        (
            "quotes",
            'forecast.toml: [job.quotes] step 1, "predict -o \'a": no closing quotation.\n'
            "Close the quotes, or leave them out.",
        ),
        (
            "group",
            "forecast.toml: [job.group] step 1, 'config': which command? There are show, init.\nName one of them.",
        ),
    ],
)
def test_a_job_that_cannot_run_to_its_end_does_not_begin(
    folder: Path, name: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", name]) == 2
    assert capfd.readouterr() == ("", f"Error: {message}\n")
    assert not (folder / "predictions.csv").exists()


def test_without_a_job_the_jobs_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["night: predict", "two: predict --level 50 -o 'a b.csv', predict -o c.csv"]
    assert run(["run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["jobs"]["night"] == ["predict"]


def test_a_job_needs_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["run", "night"]) == 2
    assert capsys.readouterr().err == (
        "Error: there is no forecast.toml here.\n"
        "Name it with --config FILE, or write one with 'forecast config init'.\n"
    )


def test_no_module_of_the_folder_of_a_job_is_imported(folder: Path) -> None:
    (folder / "json.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    assert started("run", "night", "-q").returncode == 0


def test_the_steps_of_a_job_settle_their_threads_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    settle_environment(["run", "weekly"])
    assert os.environ["OMP_NUM_THREADS"] == "8"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("to_all", [False, True])
def test_a_signal_stops_the_step_once_and_the_job_with_it(folder: Path, number: signal.Signals, to_all: bool) -> None:
    with open("forecast.toml", "a", encoding="utf-8") as file:
        file.write(
            '[job.endless]\nsteps = ["train -m night --models m --id sector --target employees --epochs 90000"]\n'
        )
    with subprocess.Popen(
        [*PROGRAM, "run", "endless"], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as job:
        try:
            assert job.stderr is not None
            while not (line := job.stderr.readline()).startswith("Learning on the first part"):
                assert line, "it ended before it began to learn"
            os.killpg(job.pid, number) if to_all else job.send_signal(number)
            said = job.communicate(timeout=60)[1]
        finally:
            job.kill()
    stopped = f"Error: stopped by {number.name}; the last complete result is in place.\n"
    assert (job.returncode, said.count(stopped)) == (128 + number, 2)  # the step says it, and the job
