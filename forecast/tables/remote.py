"""Remote files through fsspec: http, s3, gs and whatever it knows; read whole, unchanged while they were read."""

from typing import Any

from forecast.errors import DataError, UsageError
from forecast.tables.files import changed, read_capped, read_file
from forecast.urls import redacted, shown

# What tells one state of a file from another, under the names that file systems give it.
MARKS = ("size", "mtime", "created", "updated", "LastModified", "last_modified", "ETag", "etag")


def remote_files(url: str) -> list[str]:
    """Return the URLs of the files that a URL stands for: with * in it all that match, with / at its end a folder's
    Parquet parts.

    Raises DataError where there is none, UsageError for a kind of URL that is not known.
    """
    pattern = f"{url}*.parquet" if url.endswith("/") else url
    if "*" not in pattern.partition("?")[0]:
        return [url]
    system, path = _file_system(pattern)
    try:
        found = sorted(name for name, info in system.glob(path, detail=True).items() if info["type"] == "file")
    except Exception as error:  # every file system has errors of its own
        raise _unreadable(url, error) from None
    if not found:
        raise DataError(f"{shown(url)}: no file matches.\nCheck the address.")
    # The pattern's own beginning is kept: it may hold a login.
    start = pattern.removesuffix(path)
    return [start + name if start != pattern else system.unstrip_protocol(name) for name in found]


def read_remote(url: str, limit: int) -> bytes:
    """Return the bytes of a remote file.

    Raises DataError for what cannot be read, holds more than `limit` bytes or changes while it is read, UsageError for
    a kind of URL that is not known.
    """
    system, path = _file_system(url)
    if _is_local(system):
        return read_file(path, limit)
    try:
        before = _marks(system, path)
        with system.open(path, "rb") as file:
            data = read_capped(shown(url), file.read, limit)
        after = _marks(system, path)
    except (DataError, MemoryError):
        raise
    except Exception as error:  # every file system has errors of its own
        raise _unreadable(url, error) from None
    if before != after or before.get("size") not in (None, len(data)):
        raise changed(shown(url))
    return data


def _file_system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it. Raises UsageError where either is not known."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise UsageError(
            f"{shown(url)}: remote files need fsspec, which is not installed.\n"
            "Install it with: pip install 'forecast-lstm[remote]'"
        ) from None
    try:
        system, path = url_to_fs(url)
    except ImportError as error:
        raise UsageError(f"{shown(url)}: {_reason(error)}.\nInstall the package for this kind of address.") from None
    except Exception as error:
        raise UsageError(f"{shown(url)}: {_reason(error)}.\nUse an address such as https://HOST/sales.csv.") from None
    return system, path


def _is_local(system: Any) -> bool:
    """Tell whether files lie on this machine, where a path may lead to what is no file."""
    from fsspec.implementations.local import LocalFileSystem

    return isinstance(system, LocalFileSystem)


def _marks(system: Any, path: str) -> dict[str, Any]:
    """Return what tells the present state of a file from another one."""
    system.invalidate_cache()
    info = system.info(path)
    return {mark: info[mark] for mark in MARKS if mark in info}


def _unreadable(url: str, error: Exception) -> DataError:
    """Return the error for a remote file that cannot be read."""
    cause = error.__cause__ or error
    if isinstance(cause, FileNotFoundError) or getattr(cause, "status", None) == 404:
        return DataError(f"{shown(url)}: there is no such file.\nCheck the address.")
    return DataError(f"{shown(url)}: it cannot be read: {_reason(cause)}.\nCheck the address, and the login it needs.")


def _reason(error: BaseException) -> str:
    """Return the first line of a library's message, without secrets."""
    text = redacted(str(error)).strip() or type(error).__name__
    return text.splitlines()[0][:200].rstrip(".")
