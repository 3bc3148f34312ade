"""URLs: whether a path is one, and how it is shown: without what only its owner may know."""

import re
from functools import lru_cache
from importlib.metadata import entry_points

SQL = {"sqlite", "postgresql", "postgres", "mysql", "mariadb", "oracle", "mssql"}
HIDDEN = "***"
URL = re.compile(r"(?<![\w+.-])[\w+.-]+://\S+")  # from where a word begins: a long text must not take long


def is_url(path: str) -> bool:
    """Tell whether a path is a URL, of a database or of a remote file."""
    return "://" in path


def is_database(path: str) -> bool:
    """Tell whether a path is a URL that SQLAlchemy reads, by itself or with an installed dialect."""
    kind = path.partition("://")[0].partition("+")[0].lower()
    return is_url(path) and (kind in SQL or kind in _installed())


def shown(path: str) -> str:
    """Return a path as messages and records may hold it; all but URLs stay as they are.

    Hidden are passwords, the whole login of http, which may be a token, and what follows a '?', but for the table:
    download links carry their signatures there.
    """
    if not is_url(path):
        return path
    # Up to the last @: drivers take a password with / or @ in it as it is, so it is better to hide too much.
    path = re.sub(r"(://[^/@?#:]*):.*@", rf"\1:{HIDDEN}@", path, flags=re.DOTALL)
    path = re.sub(r"(https?://)[^/@]*@", rf"\1{HIDDEN}@", path)
    head, mark, query = path.partition("?")
    parts = [part if part.startswith(("table=", HIDDEN)) else HIDDEN for part in query.split("&")]
    return head + mark + "&".join(dict.fromkeys(parts)) if mark else path


def redacted(text: str) -> str:
    """Return a text of others, such as an exception's, with every URL in it as `shown`."""
    return URL.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    """Return a URL in a text as `shown`, and behind it the end of the sentence."""
    url = found[0].rstrip("])}>,;:.'\"")
    return shown(url) + found[0][len(url) :]


@lru_cache(maxsize=1)
def _installed() -> frozenset[str]:
    """Return the dialects that packages beside SQLAlchemy bring."""
    return frozenset(one.name.partition(".")[0] for one in entry_points(group="sqlalchemy.dialects"))
