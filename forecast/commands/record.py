"""The run record: what ran, on what, with which result; the same for `run.json`, --record and --json."""

import hashlib
import platform
import resource
import sys
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import forecast
from forecast.commands.speaking import json_text
from forecast.trained import Forecasts
from forecast.urls import shown

PREDICTING = ("numpy", "pandas", "pyarrow")  # what a forecast can depend on
TRAINING = (*PREDICTING, "scikit-learn", "keras", "tensorflow")


@dataclass(frozen=True)
class Run:
    """A run that has begun."""

    command: tuple[str, ...]  # the command line
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.monotonic)


def begin() -> Run:
    """Note the beginning of the run that this process was started for; no password of a URL is kept."""
    return Run(("forecast", *map(shown, sys.argv[1:])))


def finished(run: Run, packages: tuple[str, ...], parts: Mapping[str, Any], exit_code: int = 0) -> dict[str, Any]:
    """Return the record of a run as plain values: what every run has, then `parts`."""
    return {
        "run": run.id,
        "command": list(run.command),
        "start": _utc(run.start),
        "end": _utc(datetime.now(UTC)),
        "exit_code": exit_code,
        "versions": versions(packages),
        **parts,
        "wall_seconds": round(time.monotonic() - run.clock, 3),
        "peak_memory_bytes": peak_memory(),
    }


def as_json(record: Mapping[str, Any]) -> bytes:
    """Return a record as the one JSON document that is written or printed."""
    return json_text(record).encode("utf-8", "surrogateescape")


def forecast_part(forecasts: Forecasts) -> dict[str, Any]:
    """Return how many series there are, and how many of each status."""
    return {"series": len(forecasts.ids), "status": dict(sorted(Counter(forecasts.status).items()))}


def output_part(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Return the size and fingerprint of each written file."""
    return [
        {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for path, data in files.items()
    ]


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of Python, forecast and these packages, without importing them."""
    found = {"python": platform.python_version(), "forecast": forecast.__version__}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def peak_memory() -> int:
    """Return the largest resident memory of this process so far, in bytes."""
    # On Linux getrusage() also counts the program that started this one, up to the exec.
    with suppress(OSError, StopIteration), open("/proc/self/status", encoding="ascii", errors="replace") as status:
        return 1024 * int(next(line for line in status if line.startswith("VmHWM:")).split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # macOS counts bytes, Linux KiB


def _utc(moment: datetime) -> str:
    """Return a moment as ISO 8601 in UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
