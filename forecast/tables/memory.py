"""How much memory a table may take: what is free becomes a limit while it is read.

Beyond a limit an allocation fails, and that can be said in a sentence; where there is none, the kernel ends a process
that takes more than there is, without a word.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa

from forecast.errors import ResourceError

TIMES = 3  # the size of delimited text that reading it takes, see benchmarks/reading.py
MB = 10**6
GROUPS = {  # of /proc/self/cgroup, the controllers of a line -> where its folders are, limit, use, cache in memory.stat
    "": ("sys/fs/cgroup", "memory.max", "memory.current", ("inactive_file", "active_file")),
    "memory": (
        "sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        ("total_inactive_file", "total_active_file"),
    ),
}


@contextmanager
def within_memory(name: str, size: int) -> Iterator[None]:
    """Let what reads a table take the memory that is free, and no more.

    size: bytes of text that is read, 0 where that is not known before. Raises ResourceError when there is too little.
    """
    free, limits = free_memory(), resource.getrlimit(resource.RLIMIT_DATA)
    try:
        if free is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (_status(Path("/"))["VmData"] + free, limits[1]))
        yield
    except (MemoryError, pa.ArrowException) as error:
        # Arrow has no error of its own for a thread that gets no stack.
        if not isinstance(error, MemoryError) and "launch worker thread" not in str(error):
            raise
        raise _too_little(name, size, free) from None
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, limits)


def refuse_beyond(size: int) -> None:
    """Raise MemoryError where so many bytes are not to be had: some libraries end the process instead."""
    np.empty(size, dtype=np.uint8)  # never touched, so it costs nothing


def free_memory(root: Path = Path("/")) -> int | None:
    """Return how many bytes this process can still take; None where the system does not say.

    root: where its files are. What a control group keeps of files counts as free: it is given up when it is needed.
    """
    try:
        found = [_table(root / "proc/meminfo")["MemAvailable"] * 1024, *_in_groups(root)]
        status = _status(root)
    except (OSError, KeyError, ValueError):
        return None
    for limit, used in ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")):
        soft, _ = resource.getrlimit(limit)
        found += [soft - status[used]] if soft != resource.RLIM_INFINITY else []
    return max(0, min(found))


def _in_groups(root: Path) -> Iterator[int]:
    """Yield what is left to each of the control groups that this process is in."""
    for line in (root / "proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in GROUPS:
            continue
        base, limit, used, cache = GROUPS[controllers]
        # In a container the path may be that of the host: its own group is then the base.
        inner = root / base / path.strip("/")
        for folder in (inner, *inner.parents[: len(Path(path).parts) - 1]):
            try:
                most, now = (int((folder / name).read_text()) for name in (limit, used))
                kept = _table(folder / "memory.stat")
            except (OSError, ValueError):  # no such group, or no limit: "max"
                continue
            yield most - now + sum(kept[name] for name in cache)


def _status(root: Path) -> dict[str, int]:
    """Return the memory of this process in bytes, by what it is."""
    return {name: 1024 * value for name, value in _table(root / "proc/self/status").items()}


def _table(path: Path) -> dict[str, int]:
    """Return the numbers of a file of names and numbers."""
    words = (line.split() for line in path.read_text().splitlines())
    return {line[0].rstrip(":"): int(line[1]) for line in words if len(line) > 1 and line[1].isdigit()}


def _too_little(name: str, size: int, free: int | None) -> ResourceError:
    """Return the error for a table that does not fit into memory."""
    left = "" if free is None else f"{free // MB:,} MB are free"
    found = f"reading it takes more memory than there is{left and f': {left}'}"
    if size and (free is None or TIMES * size > free):
        found = f"reading it takes about {TIMES * size // MB:,} MB of memory, three times its size"
        found += left and f", and {left}"
    return ResourceError(f"{name}: {found}.\nGive the command more memory, or the table fewer rows or columns.")
