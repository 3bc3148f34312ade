"""Run the command line on damaged input, in this process or in one of its own, within limits."""

import contextlib
import io
import resource
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Literal
from unittest.mock import patch

import typer

from forecast.commands import app, run

FORECAST = [sys.executable, "-c", "from forecast.commands import main; main()"]
LIMIT, PATIENCE = 2.0, 300.0  # seconds: of the processor, and of the clock on a busy machine
CAP = 1 << 30  # bytes that this process may hold beside what its libraries take at the start
STOPPED = (130, 143)  # exit codes of a run that was told to stop


@dataclass(frozen=True)
class Said:
    """How a run ended; its code is -1 where it used up its time."""

    code: int
    out: bytes
    err: str
    seconds: float  # of the processor


class Hang(BaseException):
    """A run has used up its time."""


def run_here(words: Sequence[str], limit: float | None = None) -> Said:
    """Run a command line in this process, within `one_process`; limit: seconds of the processor, LIMIT where none."""
    raw, err, begin = io.BytesIO(), io.StringIO(), time.process_time()
    out = io.TextIOWrapper(raw, encoding="utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        signal.setitimer(signal.ITIMER_PROF, limit or LIMIT)
        try:
            code = run(list(words))
        except Hang:
            code = -1  # while an error was put into words
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    out.flush()
    return Said(code, raw.getvalue(), err.getvalue(), time.process_time() - begin)


def run_apart(words: Sequence[str]) -> Said:
    """Run a command line in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(
            [*FORECAST, *words], check=False, capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return Said(-1, b"", "it hangs", PATIENCE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Said(done.returncode, done.stdout, done.stderr.decode(), used)


@contextlib.contextmanager
def one_process(warned: Literal["error", "ignore"]) -> Iterator[None]:
    """Read the command line once for all runs, stop a run after its time, and make of warnings what `warned` says."""

    def stop(*_: int | FrameType | None) -> None:
        raise Hang

    command, before = typer.main.get_command(app), signal.signal(signal.SIGPROF, stop)
    try:
        with patch.object(typer.main, "get_command", lambda _: command), warnings.catch_warnings():
            warnings.simplefilter(warned)
            yield
    finally:
        signal.signal(signal.SIGPROF, before)


def cap_memory() -> None:
    """Let this process take at most CAP bytes more than it has."""
    with open("/proc/self/status", encoding="ascii") as status:
        has = 1024 * int(next(line for line in status if line.startswith("VmData:")).split()[1])
    resource.setrlimit(resource.RLIMIT_DATA, (has + CAP, has + CAP))
