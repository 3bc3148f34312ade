"""predict --log: the forecasts of a run into the log that `forecast score` reads."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.commands import stopping
from forecast.errors import UsageError
from forecast.urls import is_url, shown

if TYPE_CHECKING:
    from forecast.options import PredictOptions
    from forecast.store import Loaded, Locking
    from forecast.tables import Reading
    from forecast.trained import Forecasts

RECORD = "run.json"  # the record of the last run that was logged
BY_STEP = "metrics_by_step.csv"  # of training
EXPECTED = "expected_by_step.csv"  # the same in a model that was updated since


def check_log(log: str) -> None:
    """Refuse a place for a log that cannot be meant, before anything is read. Raises UsageError."""
    from forecast.store.log import check_folder

    if is_url(log):
        raise UsageError(f"{shown(log)}: the log is a local folder.\nName one, and copy it.")
    check_folder(Path(log))


def append_to_log(
    log: str,
    loaded: "Loaded",
    reading: "Reading | None",
    forecasts: "Forecasts",
    options: "PredictOptions",
    locking: "Locking",
) -> dict[str, Any]:
    """Add forecasts to the log; return what the run record says about that."""
    from forecast.benchmark import benchmark
    from forecast.store.log import append
    from forecast.tables.log_rows import log_table

    by_step = expected_by_step(loaded)
    measured_by = benchmark(loaded.trained, reading.panel if reading else None, options.horizon, by_step)
    stopping.check()
    rows = append(Path(log), log_table(forecasts, measured_by, loaded.model), locking)
    return {"path": log, "rows": rows, "record": str(Path(log) / RECORD)}


def expected_by_step(loaded: "Loaded") -> bytes | None:
    """Return the errors by step that training led to expect, also of a model that was updated since; None without."""
    from forecast import store

    name = next((one for one in (EXPECTED, BY_STEP) if one in loaded.manifest.files), None)
    return store.read_file(loaded, name) if name else None
