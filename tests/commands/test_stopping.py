"""A signal stops a run also where the exception it raises is lost, in processes of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

LOST = """
import os, weakref
class Thing: pass
def lose(number):
    thing = Thing()
    note = weakref.ref(thing, lambda _: os.kill(os.getpid(), number))
    del thing
"""


def bare(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["env", "-i", sys.executable, "-c", LOST + code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_a_signal_that_python_dropped_is_raised_at_the_next_check(tmp_path: Path) -> None:
    code = (
        "from forecast.commands import stopping\n"
        "with stopping.signals_as_exceptions():\n"
        "    lose(15)\n"
        "    print('it goes on', flush=True)\n"
        "    try:\n"
        "        stopping.check()\n"
        "    except stopping.Stopped as stop:\n"
        "        print(stop.exit_code)"
    )
    assert bare(code, tmp_path).stdout == "it goes on\n143\n"


@pytest.mark.parametrize(("number", "name"), [(15, "SIGTERM"), (2, "SIGINT")])
def test_an_error_that_a_signal_has_become_is_reported_as_the_stop(tmp_path: Path, number: int, name: str) -> None:
    code = (
        "import sys, forecast.store, forecast.commands as commands\n"
        "def load(*_, **__):\n"
        "    try:\n"
        f"        os.kill(os.getpid(), {number})\n"
        "    except BaseException:\n"
        "        raise RuntimeError('initialization failed') from None\n"
        "forecast.store.load = load\n"
        "sys.argv = ['forecast', 'predict']\n"
        "commands.main()"
    )
    done = bare(code, tmp_path)
    assert (done.returncode, done.stdout) == (128 + number, "")
    assert done.stderr == f"Error: stopped by {name}; the last complete result is in place.\n"


def test_the_echo_of_a_signal_does_not_end_a_run_that_is_about_to_say_why_it_stops(tmp_path: Path) -> None:
    code = (
        "import sys, forecast.store, forecast.commands as commands\n"
        "def again(*arguments, report=commands.failures.report):\n"
        "    os.kill(os.getpid(), 15)\n"
        "    return report(*arguments)\n"
        "forecast.store.load = lambda *_, **__: os.kill(os.getpid(), 15)\n"
        "commands.failures.report = again\n"
        "sys.argv = ['forecast', 'predict']\n"
        "commands.main()"
    )
    done = bare(code, tmp_path)
    assert (done.returncode, done.stderr) == (143, "Error: stopped by SIGTERM; the last complete result is in place.\n")


def test_the_notes_of_an_error_that_a_signal_has_become_are_said(tmp_path: Path) -> None:
    code = (
        "import sys, forecast.store, forecast.commands as commands\n"
        "def load(*_, **__):\n"
        "    try:\n"
        "        os.kill(os.getpid(), 15)\n"
        "    except BaseException:\n"
        "        error = RuntimeError('initialization failed')\n"
        "        error.add_note('There is a checkpoint.')\n"
        "        raise error from None\n"
        "forecast.store.load = load\n"
        "sys.argv = ['forecast', 'predict', '--json']\n"
        "commands.main()"
    )
    assert json.loads(bare(code, tmp_path).stderr) == {
        "error": {
            "code": 143,
            "message": "stopped by SIGTERM; the last complete result is in place.",
            "hint": "There is a checkpoint.",
        }
    }


def test_a_second_signal_ends_a_run_at_once(tmp_path: Path) -> None:
    code = (
        "from forecast.commands import stopping\n"
        "stopping.ECHO = 0\n"
        "with stopping.signals_as_exceptions():\n"
        "    try:\n"
        "        os.kill(os.getpid(), 15)\n"
        "    finally:\n"
        "        os.kill(os.getpid(), 2)\n"
        "        print('it goes on', flush=True)"
    )
    done = bare(code, tmp_path)
    assert (done.returncode, done.stdout) == (130, "")


def test_no_output_is_written_after_a_signal_that_was_dropped(tmp_path: Path) -> None:
    code = (
        "from forecast.commands import outputs, stopping\n"
        "with stopping.signals_as_exceptions():\n"
        "    lose(15)\n"
        "    outputs.put('out.csv', b'x')"
    )
    assert bare(code, tmp_path).returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_a_training_stops_at_its_next_look_after_a_signal_that_was_dropped(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(
        "ds,y\n" + "".join(f"2024-01-{day:02d},{day}\n" for day in range(1, 31)), encoding="utf-8"
    )
    code = (
        "import sys, forecast.pipeline, forecast.commands as commands\n"
        "from forecast.progress import Progress\n"
        "def train(panel, options, read, source, listen, **_):\n"
        "    lose(15)\n"
        "    listen(Progress('choosing', 1, 2, None, None))\n"
        "    print('it went on')\n"
        "forecast.pipeline.train = train\n"
        "sys.argv = ['forecast', 'train', 'sales.csv']\n"
        "commands.main()"
    )
    done = bare(code, tmp_path)
    assert (done.returncode, done.stdout) == (143, "")
    assert [path.name for path in tmp_path.iterdir()] == ["sales.csv"]


def test_a_signal_of_an_earlier_run_stops_no_later_one(tmp_path: Path) -> None:
    code = (
        "from forecast.commands import stopping\n"
        "for run in (1, 2):\n"
        "    with stopping.signals_as_exceptions():\n"
        "        stopping.check()\n"
        "        if run == 1: lose(15)\n"
        "print('both ran')"
    )
    assert bare(code, tmp_path).stdout == "both ran\n"
