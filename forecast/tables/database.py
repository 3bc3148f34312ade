"""A table of a database, or what a query returns, through SQLAlchemy: values as the text that stands for them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from forecast.errors import DataError, ForecastError, UsageError
from forecast.options import ReadOptions
from forecast.tables.arrow import text_columns
from forecast.tables.columns import NO_TIME
from forecast.tables.files import check_file, too_large
from forecast.tables.phrases import listed
from forecast.tables.typed import SAMPLE_ROWS, TypedTable
from forecast.urls import redacted, shown

ROWS = 10_000  # in memory as Python values at once
NO_ENTRY = "Check the URL, and whether the database runs and lets this user in."
NO_ANSWER = "Check the table or the query, and what this user may do."


@dataclass(frozen=True)
class Place:
    """A database, and the table in it that a URL names."""

    shown: str  # the URL without passwords
    url: Any  # of the database: sqlalchemy.URL
    schema: str | None
    table: str  # empty where the URL names none

    @property
    def file(self) -> str | None:
        """The file that holds the database; None where a server does."""
        return self.url.database if self.url.get_backend_name() == "sqlite" else None


def database_table(path: str, options: ReadOptions) -> TypedTable:
    """Read a table (?table=NAME), in the order of its primary key, or what --query returns.

    Nothing is written: SQLite and PostgreSQL are opened for reading alone. Raises DataError for what cannot be read,
    UsageError for a URL that cannot be meant.
    """
    place = place_of(path)
    if bool(place.table) == bool(options.query):
        found = "names a table, and so does --query" if place.table else "names no table"
        raise UsageError(f"{place.shown}: the URL {found}.\nAdd ?table=NAME to it, or give --query SQL, one of them.")
    if place.table and options.time == NO_TIME:
        raise UsageError(
            f"{place.shown}: the rows of a database's table have no order, so they are no steps.\n"
            "Name the time column with --time, or give --query with ORDER BY."
        )
    if place.file is not None:
        check_file(place.file)
    with connected(_for_reading(place), place.shown, DataError) as connection:
        return _read(connection, place, options)


def place_of(path: str) -> Place:
    """Return what a URL says. Raises UsageError where it cannot be meant, or SQLAlchemy is missing."""
    try:
        from sqlalchemy import exc
        from sqlalchemy.engine import make_url
    except ImportError:
        raise UsageError(
            f"{shown(path)}: databases need SQLAlchemy, which is not installed.\n"
            "Install it with: pip install 'forecast-lstm[sql]'"
        ) from None
    try:
        url = make_url(path)
    except (exc.ArgumentError, ValueError):
        raise UsageError(
            f"{shown(path)}: this is no URL of a database.\n"
            "Write postgresql://USER@HOST/DATABASE?table=NAME, with %40 for an @ in a password."
        ) from None
    named = url.query.get("table", "")
    if not isinstance(named, str):
        raise UsageError(f"{shown(path)}: the URL names several tables.\nName one.")
    if url.get_backend_name() == "sqlite" and not url.database:
        raise UsageError(f"{shown(path)}: the URL names no file.\nWrite sqlite:///FILE?table=NAME.")
    schema, _, table = named.rpartition(".")
    return Place(shown(path), url.difference_update_query(["table"]), schema or None, table)


@contextmanager
def connected(url: Any, name: str, kind: type[ForecastError]) -> Iterator[Any]:
    """Give a connection, in a transaction that is rolled back unless it is committed.

    Raises `kind`, without secrets, for what goes wrong with the database, UsageError where nothing here knows it.
    """
    from sqlalchemy import create_engine, exc, pool

    try:
        connection = create_engine(url, poolclass=pool.NullPool).connect()
    except exc.NoSuchModuleError:
        raise UsageError(
            f"{name}: {url.drivername!r} is no kind of database.\n"
            "Use sqlite, postgresql, mysql, mariadb, oracle or mssql, or install what knows it."
        ) from None
    except ImportError as error:
        raise UsageError(
            f"{name}: the driver {error.name!r} is not installed.\n"
            "Install it, or name another one, as in postgresql+psycopg://."
        ) from None
    except exc.SQLAlchemyError as error:
        raise kind(f"{name}: the database says: {_reason(error)}.\n{NO_ENTRY}") from None
    try:
        with connection:
            yield connection
    except exc.SQLAlchemyError as error:
        raise kind(f"{name}: the database says: {_reason(error)}.\n{NO_ANSWER}") from None


def _for_reading(place: Place) -> Any:
    """Return the URL, for SQLite one that neither makes nor changes the file."""
    if place.file is None:
        return place.url
    return place.url.set(database=f"file:{quote(place.file)}").update_query_dict({"mode": "ro", "uri": "true"})


def _read(connection: Any, place: Place, options: ReadOptions) -> TypedTable:
    """Return all rows as columns of text."""
    settled = connection.execution_options(postgresql_readonly=True, stream_results=True, no_parameters=True)
    result = settled.exec_driver_sql(options.query or _selection(connection, place))
    if not result.returns_rows:
        raise UsageError(f"{place.shown}: --query returns no table.\nGive a SELECT.")
    names, digest, blocks, size = tuple(result.keys()), sha256(), [], 0
    for rows in chain(result.partitions(ROWS), [[]]):  # an empty block for a table without rows
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        texts = [_texts(column) for column in columns]
        digest.update(repr(texts).encode())
        blocks.append(text_columns(dict(zip(map(str, range(len(names))), texts, strict=True))))
        size += blocks[-1].nbytes
        if size > options.max_input_bytes:
            raise too_large(place.shown, options.max_input_bytes)
    table = pa.concat_tables(blocks).rename_columns(list(names))
    head = table.slice(0, SAMPLE_ROWS)
    return TypedTable(place.shown, names, options, size, digest.hexdigest(), head, table.select)


def _selection(connection: Any, place: Place) -> str:
    """Return the query for a whole table. Raises DataError, with the tables that there are, where there is none."""
    import sqlalchemy

    inspector = sqlalchemy.inspect(connection)
    if not inspector.has_table(place.table, schema=place.schema):
        there = [*inspector.get_table_names(schema=place.schema), *inspector.get_view_names(schema=place.schema)]
        raise DataError(
            f"{place.shown}: there is no table {place.table!r}; there are {listed(sorted(there))}.\n"
            "Name one of these with ?table=NAME."
        )
    key = inspector.get_pk_constraint(place.table, schema=place.schema)["constrained_columns"]
    chosen = sqlalchemy.select(sqlalchemy.text("*")).select_from(sqlalchemy.table(place.table, schema=place.schema))
    return str(chosen.order_by(*map(sqlalchemy.column, key)).compile(connection))


def _texts(column: Sequence[Any]) -> list[str | None]:
    """Return values as text, None where one is missing."""
    return [value if value is None or isinstance(value, str) else _text(value) for value in column]


def _text(value: Any) -> str | None:
    """Return a value as the text that stands for it; a time with a zone in UTC, whatever zone the session has."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return str(value.astimezone(UTC))
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return value.hex() if isinstance(value, bytes) else str(value)


def _reason(error: Exception) -> str:
    """Return the first line of what the driver says, without secrets."""
    text = redacted(str(getattr(error, "orig", None) or error)).strip()
    return text.splitlines()[0][:200].rstrip(".") if text else type(error).__name__
