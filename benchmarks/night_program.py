"""The command line as cron runs it, at the time that a simulated night has: faketime for all its processes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

LAUNCHER = Path(__file__).resolve().parent.parent / "cli.py"
SMALL_DISK = 4096  # bytes that a file may have on a night when the disk is full
# TZ: of the time that faketime is told. What jumps is the time of day, never the seconds since the machine started.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "UTC", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
# Then come the time and the command. A faketime that was killed leaves its semaphore behind, named by its process
# number: the next one to get that number would not start.
FAKETIME = ("sh", "-c", 'rm -f /dev/shm/sem.faketime_sem_$$ /dev/shm/faketime_shm_$$; exec faketime -f "$@"', "sh")


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    said: str  # on both standard streams
    seconds: float
    processor: float  # seconds, of all its processes
    peak_mb: int  # of its largest process


class Started:
    """A command that runs as cron starts it: nearly no environment, nothing to read, a process group of its own."""

    def __init__(self, command: list[str]) -> None:
        self.begin = time.monotonic()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )

    def kill(self, after: float) -> Ran:
        """Kill the command and all that it has started, after so many seconds."""
        time.sleep(after)
        os.killpg(self.process.pid, signal.SIGKILL)
        return self.wait()

    def wait(self) -> Ran:
        """Return how it ended."""
        assert self.process.stdout is not None
        with self.process.stdout as pipe:
            said = pipe.read().decode()
        _, status, used = os.wait4(self.process.pid, 0)  # what it used, and all that it has waited for
        seconds = time.monotonic() - self.begin
        self.process.returncode = os.waitstatus_to_exitcode(status)
        peak = used.ru_maxrss * 1024 // 10**6
        return Ran(self.process.returncode, said, seconds, used.ru_utime + used.ru_stime, peak)


class Program:
    """The command line with the settings in a folder."""

    def __init__(self, folder: Path) -> None:
        """Look for what the nights need. Raises SystemExit where it is missing."""
        if missing := [name for name in ("faketime", "prlimit") if shutil.which(name) is None]:
            raise SystemExit(f"{' and '.join(missing)} missing: apt-get install faketime util-linux")
        self.folder = folder

    def start(self, moment: datetime, *words: str, config: str | None = "forecast.toml", full: bool = False) -> Started:
        """Start a command at a time in UTC; config: the file of its settings; full: the disk takes next to nothing."""
        command = [*FAKETIME, f"@{moment:%Y-%m-%d %H:%M:%S}", sys.executable, "-B", str(LAUNCHER), *words]
        command += ["--config", str(self.folder / config)] if config else []
        return Started([*(["prlimit", f"--fsize={SMALL_DISK}"] if full else []), *command])

    def run(self, moment: datetime, *words: str, config: str | None = "forecast.toml", full: bool = False) -> Ran:
        """Run a command to its end."""
        return self.start(moment, *words, config=config, full=full).wait()
