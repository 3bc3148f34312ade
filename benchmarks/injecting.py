"""Faults with strace: a process is killed, or told that the disk is full or broken, at one of its calls.

strace counts the calls of each thread by itself. Its -P takes whole paths, and unfinished files have names that nobody
knows before: so a first run is only watched, and the calls inside a folder are picked from what it did.
"""

import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

WRITES, FLUSHES = ("write", "writev", "pwrite64", "pwritev"), ("fsync", "fdatasync")
RENAMES, FOLDERS = ("rename", "renameat", "renameat2"), ("mkdir", "mkdirat")
SYSCALLS = (*WRITES, *FLUSHES, *RENAMES, *FOLDERS)
KINDS = {"KILL": "signal=KILL", "ENOSPC": "error=ENOSPC", "EIO": "error=EIO"}
PATIENCE = 900.0  # seconds for a run on a busy machine
CALL = re.compile(r'^(\d+) +(\w+)\((?:\d+<([^>]*)>|.*?"([^"]*)")', re.MULTILINE)


@dataclass(frozen=True, order=True)
class Point:
    """A call at which a fault can be put: the count-th of this name in its thread, from 1."""

    syscall: str
    count: int


def traced(words: Sequence[object], log: Path, fault: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command line with its calls noted in a log; fault: as in fsync:signal=KILL:when=2."""
    strace = shutil.which("strace")
    assert strace is not None, "strace is missing: `apt-get install strace`, or run `make test-system` as root"
    # -s 0: what is written may name a file too; a path is always shown in full.
    watch = ["-f", "-qq", "-y", "-s", "0", "-o", log, "-e", "signal=none"]
    if "signal=" not in fault:  # stops at these calls alone, and takes half the time; but no signal arrives then
        watch += ["--seccomp-bpf"]
    watch += ["-e", f"trace={','.join(SYSCALLS)}"]
    command = [strace, *watch, *(["-e", f"inject={fault}"] if fault else []), *words]
    return subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
    )


def was_met(log: Path, done: subprocess.CompletedProcess[str], kind: str) -> bool:
    """Tell whether a fault of this kind came about."""
    if kind == "KILL":
        return done.returncode == -signal.SIGKILL
    return "(INJECTED)" in log.read_text(encoding="utf-8", errors="replace")


def fault_at(point: Point, kind: str) -> str:
    """Return how strace is told of a fault of this kind at a call."""
    return f"{point.syscall}:{KINDS[kind]}:when={point.count}"


def calls(log: Path) -> Iterator[tuple[Point, str]]:
    """Yield every call that was begun, in order, with the file it was for: of a rename the old name."""
    counts: Counter[tuple[str, str]] = Counter()
    for thread, syscall, opened, named in CALL.findall(log.read_text(encoding="utf-8", errors="replace")):
        counts[thread, syscall] += 1
        yield Point(syscall, counts[thread, syscall]), opened or named


def points(log: Path, folder: Path) -> list[Point]:
    """Return the calls for files of a folder, each once, in the order in which they were first made."""
    return list(dict.fromkeys(point for point, path in calls(log) if Path(path).is_relative_to(folder)))
