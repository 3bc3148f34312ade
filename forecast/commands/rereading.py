"""The table of a model, read as training read its own, and how old it is."""

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from forecast.commands.speaking import Say
from forecast.errors import MismatchError, UsageError
from forecast.options import ReadOptions

if TYPE_CHECKING:
    from forecast.freshness import Freshness
    from forecast.store import Loaded
    from forecast.tables import Reading


def merged(settled: ReadOptions, given: ReadOptions, data: str) -> ReadOptions:
    """Return how training read its table, with what was given again in its place; a model keeps its holidays.

    The name of a table that says what separates its columns knows better than training, which read another one.
    """
    from forecast.tables import is_tabbed

    if given.holidays not in (None, settled.holidays):
        found = f"the holidays of {settled.holidays}" if settled.holidays else "no holidays"
        raise MismatchError(
            f"the model was trained with {found}, not with those of {given.holidays}.\n"
            "Leave --holidays out, or train again."
        )
    if any(path is not None and is_tabbed(path) for path in (data, given.future_data)):
        settled = replace(settled, delimiter=None)
    again = {field.name: getattr(given, field.name) for field in fields(given)}
    return replace(settled, **{name: value for name, value in again.items() if value != getattr(ReadOptions, name)})


def read_again(data: str, read: ReadOptions, loaded: "Loaded") -> "Reading":
    """Read a table as training did, but for what is given again."""
    from forecast import tables

    trained = loaded.trained
    return tables.read_panel(data, merged(trained.read, read, data), model=True, encodings=trained.encodings)


def read_table(data: str | None, read: ReadOptions, loaded: "Loaded", say: Say) -> "Reading | None":
    """Read the table as training did; None when there is none and the stored rows will do."""
    from forecast import tables

    trained = loaded.trained
    recorded = trained.source.get("path")
    if data is None and recorded and tables.is_there(recorded):
        data = recorded
        say(f"Reading {data}, the table that {loaded.name} was trained on.")
    if data is None and read.future_data is not None:
        raise UsageError(
            f"--future-data goes on where a table ends, and that of {loaded.name} is not there any more.\n"
            "Name the table to forecast from as well."
        )
    cuts = "--as-of" if read.as_of is not None else "--last" if read.last is not None else None
    if data is None and cuts is not None:
        raise UsageError(
            f"{cuts} cuts a table, and that of {loaded.name} is not there any more.\n"
            "Name the table to forecast from as well."
        )
    if data is None:
        last = trained.source.get("last")
        say(f"Forecasting from the rows stored with {loaded.name}{f', up to {last}' if last else ''}.")
        return None
    reading = read_again(data, read, loaded)
    for notice in reading.notices:
        say(notice)
    return reading


def freshness_of(loaded: "Loaded", reading: "Reading | None", read: ReadOptions, max_age: str | None) -> "Freshness":
    """Say how old the values are that a forecast starts from. Raises StaleError where they are too old."""
    from datetime import datetime

    from forecast import freshness
    from forecast.tables.source import name_of

    panel = reading.panel if reading else loaded.trained.context
    if panel is None:
        return freshness.Freshness(None, None)
    name = name_of(reading.source["path"]) if reading else f"the rows stored with {loaded.name}"
    files = reading.source.get("newest", {}) if reading else {}
    return freshness.assess(panel, name, max_age, read.as_of, datetime.now().astimezone(), files)
