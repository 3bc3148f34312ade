import sys
from pathlib import Path

import pytest

from forecast import urls
from forecast.urls import is_database, redacted, shown


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data/sales.csv", "data/sales.csv"),
        ("a:b@c.csv?x", "a:b@c.csv?x"),
        ("postgresql://me:secret@host:5432/db?table=s.sales", "postgresql://me:***@host:5432/db?table=s.sales"),
        ("postgresql://me:se/c:r@e?t@host/db?table=sales", "postgresql://me:***@host/db?table=sales"),
        ("postgresql://me:two\nlines and spaces@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me@host/db?table=sales&password=secret", "postgresql://me@host/db?table=sales&***"),
        ("postgresql+psycopg://:secret@host/db", "postgresql+psycopg://:***@host/db"),
        ("sqlite:///sales.db?table=sales", "sqlite:///sales.db?table=sales"),
        ("https://host:8080/sales.csv", "https://host:8080/sales.csv"),
        ("https://token@host/sales.csv", "https://***@host/sales.csv"),
        ("https://me:secret@host/sales.csv", "https://***@host/sales.csv"),
        ("https://host/sales.csv?X-Signature=secret&X-Key=1", "https://host/sales.csv?***"),
        ("abfs://container@account/sales.csv", "abfs://container@account/sales.csv"),
        ("--future-data=ftp://me:secret@host/f.csv", "--future-data=ftp://me:***@host/f.csv"),
        ("-opostgresql://me:secret@host/db?table=out", "-opostgresql://me:***@host/db?table=out"),
    ],
)
def test_a_url_is_shown_without_what_only_its_owner_may_know(path: str, expected: str) -> None:
    assert shown(path) == expected
    assert shown(expected) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sales.csv:3: column 'mail' is 'me@home'.", "sales.csv:3: column 'mail' is 'me@home'."),
        ("https://h/a.csv?***:12: column 'mail' is 'me@home'.", "https://h/a.csv?***:12: column 'mail' is 'me@home'."),
        ("postgresql://h/db?table=sales: row 3: no", "postgresql://h/db?table=sales: row 3: no"),
        (
            "GET (https://u:p@h/a.csv?key=1), then 'http://u:p@h/b?x'.",
            "GET (https://***@h/a.csv?***), then 'http://***@h/b?***'.",
        ),
        ("Write sqlite:///FILE?table=NAME.", "Write sqlite:///FILE?table=NAME."),
    ],
)
def test_the_urls_in_a_text_of_others_are_redacted_and_all_else_stays(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize("text", ["x" * 300_000, "https://" + ")" * 300_000 + "x", "\u4e2d" * 300_000])
def test_a_long_text_takes_no_longer_than_its_length_asks_for(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize("url", ["sqlite:///a.db", "postgresql+psycopg://h/d", "MySQL://h/d", "mssql+pyodbc://h/d"])
def test_what_sqlalchemy_reads_is_a_database(url: str) -> None:
    assert is_database(url)


@pytest.mark.parametrize("path", ["sales.csv", "sqlite", "sqlite:a.db", "https://h/a.csv?table=x", "s3://b/a.csv", "-"])
def test_all_else_is_none(path: str) -> None:
    assert not is_database(path)


def test_a_dialect_that_a_package_brings_is_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "snow-1.dist-info").mkdir()
    (tmp_path / "snow-1.dist-info" / "METADATA").write_text("Name: snow\nVersion: 1\n")
    (tmp_path / "snow-1.dist-info" / "entry_points.txt").write_text("[sqlalchemy.dialects]\nsnow = snow:Dialect\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    urls._installed.cache_clear()
    try:
        assert is_database("snow://account/db")
    finally:
        urls._installed.cache_clear()
