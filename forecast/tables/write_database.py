"""Forecasts into a table of a database: rows of the same series and time are replaced, all in one transaction."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from forecast.errors import OutputError, UsageError
from forecast.panels.calendar import OWN_OFFSET, Calendar
from forecast.panels.panel import Floats, Integers
from forecast.tables.database import Place, connected, place_of
from forecast.tables.phrases import listed
from forecast.tables.write import check_place
from forecast.trained import Forecasts
from forecast.urls import is_database

DAY_FORM, CLOCK_FORM = "%Y-%m-%d", "%Y-%m-%d %H:%M:%S.%6f"


def check_target(output: str, inputs: Sequence[str]) -> Place:
    """Return what the URL of an output says; refuse one that cannot be meant, before anything is read.

    Raises UsageError, and OutputError where the database does not answer.
    """
    place = place_of(output)
    if place.url.get_backend_name() not in ("sqlite", "postgresql"):
        raise UsageError(
            f"{place.shown}: forecasts are written to SQLite and PostgreSQL alone.\nWrite a file, and load it."
        )
    if not place.table:
        raise UsageError(f"{place.shown}: the URL names no table.\nAdd ?table=NAME; it is made if it is not there.")
    if place.file is not None:
        check_place(place.file, inputs)
        if os.path.exists(place.file) and not os.path.isfile(place.file):
            raise UsageError(f"{place.file}: the output is no regular file.\nName a file.")
    if any(is_database(one) and place_of(one) == place for one in inputs):
        raise UsageError(f"{place.shown}: the output is the input.\nName another table with -o.")
    if place.file is None or os.path.exists(place.file):  # SQLite would make the file
        with connected(place.url, place.shown, OutputError) as connection:
            _columns_of(connection, place)
    return place


def upsert(
    place: Place, forecasts: Forecasts, header: Sequence[str], values: Floats, ordinals: Integers, model: str
) -> int:
    """Write one row per series and step; the table is made if it is not there. Returns the number of rows.

    values: (rows, columns of numbers), NaN becomes NULL; ordinals: (rows,) the calendar ordinal of each row.
    Raises OutputError, the old rows intact, where the database refuses.
    """
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = {"sqlite": sqlite, "postgresql": postgresql}[place.url.get_backend_name()]
    columns = dict(zip(header, _columns(place, forecasts, values, ordinals, model), strict=True))
    key = tuple(header[: 3 if forecasts.targets else 2])
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*(cells for _, cells in columns.values()), strict=True)]
    with connected(place.url, place.shown, OutputError) as connection:
        insert = dialect.insert(_table(connection, place, {name: kind for name, (kind, _) in columns.items()}, key))
        rest = {name: insert.excluded[name] for name in header if name not in key}
        if rows:
            connection.execute(insert.on_conflict_do_update(index_elements=key, set_=rest), rows)
        connection.commit()
    return len(rows)


def _columns(
    place: Place, forecasts: Forecasts, values: Floats, ordinals: Integers, model: str
) -> list[tuple[Any, list[Any]]]:
    """Return the type and the cells of each column, in the order of the header."""
    from sqlalchemy import Double, Integer, Text

    series, horizon = forecasts.quantiles.shape[:2]
    kind, calendar = time_kind(place, forecasts.calendar)
    numbers = [[None if cell != cell else cell for cell in column] for column in values.T.tolist()]
    return [
        (Text, _repeated(forecasts.ids, horizon)),
        (kind, calendar.render(ordinals)),
        *([(Text, _repeated(forecasts.targets, horizon))] if forecasts.targets else []),
        *((Double, column) for column in numbers),
        (Integer, list(range(1, horizon + 1)) * series),
        (kind, _repeated(calendar.render(forecasts.cutoffs), horizon)),
        (Text, _repeated(forecasts.status, horizon)),
        (Text, [model] * (series * horizon)),
    ]


def time_kind(place: Place, calendar: Calendar) -> tuple[Any, Calendar]:
    """Return the type of times, and the calendar that writes them so that the database reads them right.

    SQLite has no times: they are the text of the input there, so that they compare equal to it.
    """
    from sqlalchemy import BigInteger, Date, DateTime, Text

    if calendar.form == "step":
        return BigInteger, calendar
    if place.file is not None:
        return Text, calendar
    if calendar.form == DAY_FORM and not calendar.zone:
        return Date, calendar
    # The hour that comes twice must stay two rows, although the input has no offset.
    zone = OWN_OFFSET[1] if calendar.elapsed and not calendar.zone else calendar.zone
    return DateTime(timezone=bool(zone)), replace(calendar, form=CLOCK_FORM, zone=zone)


def _repeated(cells: Sequence[str], times: int) -> list[str]:
    """Return each cell as many times, one after the other."""
    return [cell for cell in cells for _ in range(times)]


def _table(connection: Any, place: Place, kinds: dict[str, Any], key: Sequence[str]) -> Any:
    """Return the table to write to, made if it is not there; OutputError where one that is there does not fit."""
    from sqlalchemy import Column, MetaData, Table

    made = [Column(name, kind, primary_key=name in key) for name, kind in kinds.items()]
    table = Table(place.table, MetaData(), *made, schema=place.schema)
    there = _columns_of(connection, place)
    if not there:
        table.create(connection)
        return table
    missing = [name for name in kinds if name not in there]
    if missing:
        raise OutputError(
            f"{place.shown}: the table {place.table!r} lacks the columns {listed(missing)}.\n"
            "Add them, or name a table that is not there: it is made."
        )
    if not _is_unique(connection, place, key):
        raise OutputError(
            f"{place.shown}: the table {place.table!r} has no unique key of {listed(key)}, so rows of an earlier run "
            "could not be replaced.\nAdd one, or name a table that is not there: it is made."
        )
    # PostgreSQL converts to the types that its columns have; SQLite takes all as it is.
    return (
        table
        if place.file is not None
        else Table(place.table, MetaData(), schema=place.schema, autoload_with=connection)
    )


def _columns_of(connection: Any, place: Place) -> list[str]:
    """Return the columns of the table; none where there is no such table."""
    import sqlalchemy

    inspector = sqlalchemy.inspect(connection)
    if not inspector.has_table(place.table, schema=place.schema):
        return []
    return [column["name"] for column in inspector.get_columns(place.table, schema=place.schema)]


def _is_unique(connection: Any, place: Place, key: Sequence[str]) -> bool:
    """Tell whether the table has a primary key, constraint or index that lets these columns occur once together."""
    import sqlalchemy

    inspector, where = sqlalchemy.inspect(connection), {"table_name": place.table, "schema": place.schema}
    keys = [inspector.get_pk_constraint(**where)["constrained_columns"]]
    keys += [one["column_names"] for one in inspector.get_unique_constraints(**where)]
    keys += [one["column_names"] for one in inspector.get_indexes(**where) if one["unique"]]
    return set(key) in [set(columns) for columns in keys]
