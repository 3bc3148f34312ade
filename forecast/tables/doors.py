"""From what a user calls the data to a table: a file, standard input, a folder, a pattern, a URL."""

import glob
import os
from dataclasses import replace

from forecast.errors import DataError, UsageError
from forecast.options import ReadOptions
from forecast.tables.files import STDIN, too_large
from forecast.tables.joined import JoinedTable
from forecast.tables.source import Form, Source, open_source
from forecast.tables.table import Table
from forecast.tables.text import TextTable
from forecast.urls import is_database, is_url, shown

PARTS = "*.parquet"  # of a folder
TABBED = (".tsv", ".tsv.gz", ".tsv.zst")


def open_table(path: str, options: ReadOptions) -> Table:
    """Return the table that a path, '-', a folder of Parquet parts, a pattern or a URL stands for.

    Several files become one table. Raises DataError for what cannot be opened or is no table, UsageError for a URL
    that cannot be meant.
    """
    if is_database(path):
        from forecast.tables.database import database_table

        return database_table(path, options)
    if options.query is not None:
        raise UsageError(f"{shown(path)}: --query is for the URL of a database.\nLeave it out, or name a database.")
    tables, total = [], 0
    for file in _files(path):
        source = open_source(file, options.encoding, options.max_input_bytes)
        total += max(source.size, len(source.data))
        if total > options.max_input_bytes:
            raise too_large(shown(path), options.max_input_bytes, "together its files")
        tables.append(_table_of(source, options))
    return tables[0] if len(tables) == 1 else JoinedTable(shown(path), tables)


def size_of(path: str) -> int:
    """Return how many bytes of text a path leads to; 0 where that shows only when it is read."""
    if is_url(path) or path == STDIN:
        return 0
    pattern = pattern_of(path)
    files = [path] if pattern is None else _matching(pattern)
    other = any(file.endswith((".gz", ".zst", ".parquet", ".jsonl")) for file in files)
    return 0 if other else sum(os.path.getsize(file) for file in files if os.path.isfile(file))


def is_tabbed(path: str) -> bool:
    """Tell whether the name of a table says that tabs separate its columns."""
    return path.partition("?")[0].lower().endswith(TABBED)


def is_there(path: str) -> bool:
    """Tell whether a local path leads to a file, or a folder or pattern to some; a URL is never asked."""
    if is_url(path) or path == STDIN:
        return False
    pattern = pattern_of(path)
    return os.path.isfile(path) if pattern is None else bool(_matching(pattern))


def pattern_of(path: str) -> str | None:
    """Return the pattern of the local files that a path stands for, a folder's parts or a glob; None for one file.

    A file whose name has the marks of a pattern in it is that file.
    """
    if is_url(path) or path == STDIN:
        return None
    if os.path.isdir(path):
        return os.path.join(glob.escape(path), PARTS)
    return path if glob.has_magic(path) and not os.path.lexists(path) else None


def _files(path: str) -> list[str]:
    """Return the files that a path stands for, by name. Raises DataError where there is none."""
    if is_url(path):
        from forecast.tables.remote import remote_files

        return remote_files(path)
    pattern = pattern_of(path)
    if pattern is None:
        return [path]
    if pattern != path:
        _refuse_deeper_parts(path)
    found = _matching(pattern)
    if found:
        return found
    if pattern == path:
        raise DataError(f"{path}: no file matches.\nCheck the pattern, and the folder it is used in.")
    raise DataError(
        f"{path}: this is a folder without Parquet parts ({PARTS}).\n"
        f"Name one table in it, or a pattern such as {os.path.join(path, '*.csv')!r}."
    )


def _matching(pattern: str) -> list[str]:
    """Return the files that match a pattern, sorted by name; ** stands for any number of folders."""
    return sorted(path for path in glob.glob(pattern, recursive=True) if not os.path.isdir(path))


def _refuse_deeper_parts(folder: str) -> None:
    """Refuse Parquet parts in folders below: the names of these are often a column, which would be lost."""
    every = os.path.join(folder, "**", PARTS)
    below = _matching(os.path.join(glob.escape(folder), "*", "**", PARTS))
    if below:
        raise DataError(
            f"{folder}: there are Parquet parts in folders below, such as {below[0]!r}.\n"
            f"Name {every!r} to read them all; what the names of folders say (year=2024) is then left out."
        )


def _table_of(source: Source, options: ReadOptions) -> Table:
    """Return the table behind the bytes."""
    if source.form is Form.PARQUET:
        from forecast.tables.parquet import parquet_table

        return parquet_table(source, options)
    if source.form is Form.JSON:
        from forecast.tables.json_lines import json_table

        return json_table(source, options)
    if options.delimiter is None and is_tabbed(source.path):
        options = replace(options, delimiter="\t")
    return TextTable(source, options)
