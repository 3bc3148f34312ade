"""Where a result goes: a file, replaced whole, standard output, or for forecasts a table of a database."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.commands import stopping
from forecast.urls import is_database, shown

if TYPE_CHECKING:
    from forecast.commands.speaking import Say
    from forecast.options import CommonOptions, PredictOptions
    from forecast.trained import Forecasts

CUTOFF = "{cutoff}"  # in the name of an output: the last observed time, so that each night has a file of its own


def put(output: str, data: bytes) -> None:
    """Write a result; '-' is standard output. A reader of the file sees the old or the new one, never a part."""
    stopping.check()
    if output == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    from forecast import store

    store.write_file(Path(output), data)


def put_report(report: str, tables: dict[str, bytes], what: str, common: "CommonOptions", say: "Say") -> None:
    """Print a report, and write tables where they were asked for; beside a table on stdout it goes to stderr.

    what: which tables they are, for the line that says where each was written.
    """
    for output, table in tables.items():
        put(output, table)
    if "-" in tables:
        say(report.rstrip("\n"))
    elif not (common.quiet or common.json):
        put("-", report.encode("utf-8", "surrogateescape"))
    for output in tables:
        if output != "-":
            say(f"Wrote {what} to {output}")


def check_forecast_output(output: str, inputs: Sequence[str] = ()) -> None:
    """Refuse an output for forecasts that cannot be meant: a file, or the URL of a database. Raises UsageError."""
    from forecast.tables import write

    if is_database(output):
        from forecast.tables.write_database import check_target

        check_target(output, inputs)
    else:
        write.check_output(output, inputs)


def dated(output: str, forecasts: "Forecasts") -> str:
    """Return an output with the newest cutoff of all series for {cutoff}: 20261121T0300, or the number of a step."""
    import numpy as np

    calendar, newest = forecasts.calendar, forecasts.cutoffs.max(keepdims=True)
    if not calendar.period:
        return output.replace(CUTOFF, calendar.render(newest)[0])
    minute = str(np.datetime_as_string(calendar.times(newest)[0], unit="m"))
    return output.replace(CUTOFF, minute.replace("-", "").replace(":", ""))


def put_forecasts(
    output: str, forecasts: "Forecasts", names: tuple[str, str], options: "PredictOptions", model: str
) -> dict[str, Any]:
    """Write forecasts where the user wants them; return what the run record says about that."""
    from forecast.commands.record import output_part
    from forecast.tables import write

    if is_database(output):
        stopping.check()
        return {"path": shown(output), "rows": write.write_to_database(output, forecasts, names, options, model)}
    table = write.table_bytes(forecasts, names, options, model, write.suffix_of(output))
    put(output, table)
    return output_part({output: table})[0]
