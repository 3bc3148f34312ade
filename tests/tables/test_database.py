import datetime
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from forecast.errors import DataError, ForecastError, UsageError
from forecast.options import ReadOptions
from forecast.tables import read_panel
from forecast.tables.database import _text, database_table

DAYS = [f"2024-01-{day:02d}" for day in range(1, 6)]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return an SQLite file with the tables sales (with a key), loose (without one) and the view sold."""
    path = tmp_path / "my sales?.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        "create table sales (shop text, day date, amount, note, primary key (shop, day));"
        "create table loose (day text, amount);"
        "create view sold as select day, amount from loose;"
        'create table "odd "" name" (ds, y);'
    )
    connection.executemany(
        "insert into sales values (?, ?, ?, ?)",
        [(shop, day, number, None) for number, day in enumerate(DAYS) for shop in ("007", "NA")],
    )
    connection.executemany("insert into loose values (?, ?)", [(day, 1) for day in DAYS])
    connection.executemany('insert into "odd "" name" values (?, ?)', [(day, 2) for day in DAYS])
    connection.commit()
    connection.close()
    return path


def url(path: Path, rest: str = "") -> str:
    return f"sqlite:///{str(path).replace('?', '%3F')}{rest}"


def refusal(path: str, kind: type[ForecastError] = DataError, options: ReadOptions | None = None) -> str:
    with pytest.raises(kind) as caught:
        read_panel(path, options or ReadOptions())
    return str(caught.value)


def test_a_table_is_read_in_the_order_of_its_key(database: Path) -> None:
    reading = read_panel(url(database, "?table=sales"), ReadOptions(id=("shop",)))
    assert reading.panel.ids == ("007", "NA")
    np.testing.assert_array_equal(reading.panel.target, [0, 1, 2, 3, 4] * 2)
    assert reading.source["path"] == url(database, "?table=sales")


@pytest.mark.parametrize("name", ["loose", "sold", "main.loose", "odd%20%22%20name"])
def test_views_schemas_and_odd_names_are_tables(database: Path, name: str) -> None:
    assert read_panel(url(database, f"?table={name}"), ReadOptions()).source["rows"] == 5


def test_what_a_query_returns_is_a_table(database: Path) -> None:
    query = "select day as ds, amount * 10 as y, '%' as percent from sales where shop = '007' and day > '2024-01-01:x'"
    reading = read_panel(url(database), ReadOptions(query=query))
    assert reading.panel.target.tolist() == [10, 20, 30, 40]
    assert reading.options.query is None


def test_a_query_with_an_order_can_be_steps(database: Path) -> None:
    options = ReadOptions(query="select amount as y from sales where shop = 'NA' order by day desc", time=("none",))
    assert read_panel(url(database), options).panel.target.tolist() == [4, 3, 2, 1, 0]


def test_a_table_without_an_order_cannot_be_steps(database: Path) -> None:
    assert refusal(url(database, "?table=loose"), UsageError, ReadOptions(time=("none",))) == (
        f"{url(database, '?table=loose')}: the rows of a database's table have no order, so they are no steps.\n"
        "Name the time column with --time, or give --query with ORDER BY."
    )


def test_a_bad_cell_is_named_with_its_row(database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("update loose set amount = 'many' where day = '2024-01-04'")
    connection.commit()
    connection.close()
    assert refusal(url(database, "?table=loose")).startswith(
        f"{url(database, '?table=loose')}: row 4: column 'amount' should be a number, but is 'many'.\n"
    )


def test_rows_that_repeat_another_are_named(database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("insert into loose values ('2024-01-02', 3)")
    connection.commit()
    connection.close()
    assert "2024-01-02 (rows 2 and 6)." in refusal(url(database, "?table=loose"))


def test_a_missing_table_is_refused_with_those_there_are(database: Path) -> None:
    path = url(database, "?table=sale")
    assert refusal(path) == (
        f"{path}: there is no table 'sale'; there are 'loose', 'odd \" name', 'sales', 'sold'.\n"
        "Name one of these with ?table=NAME."
    )


def test_a_table_without_rows_is_refused(database: Path) -> None:
    assert refusal(url(database), options=ReadOptions(query="select day as ds, amount as y from loose where 0")) == (
        f"{url(database)}: there is a header ('ds', 'y') and no row below it.\nAdd rows: at least 6 are needed."
    )


def test_two_columns_of_one_name_are_refused(database: Path) -> None:
    assert refusal(url(database), options=ReadOptions(query="select 1 as y, 2 as y")) == (
        f"{url(database)}: the column name 'y' occurs twice.\nGive each column a name of its own."
    )


@pytest.mark.parametrize("query", ["drop table loose", "delete from loose", "create table more (x)"])
def test_a_query_changes_nothing(database: Path, query: str) -> None:
    before = database.read_bytes()
    assert refusal(url(database), options=ReadOptions(query=query)) == (
        f"{url(database)}: the database says: attempt to write a readonly database.\n"
        "Check the table or the query, and what this user may do."
    )
    assert database.read_bytes() == before


def test_what_is_no_query_is_refused(database: Path) -> None:
    assert refusal(url(database), options=ReadOptions(query="select price from loose")) == (
        f"{url(database)}: the database says: no such column: price.\n"
        "Check the table or the query, and what this user may do."
    )
    assert refusal(url(database), UsageError, ReadOptions(query="pragma foreign_keys = 1")) == (
        f"{url(database)}: --query returns no table.\nGive a SELECT."
    )


def test_a_url_names_a_table_or_a_query_says_what_to_read(database: Path) -> None:
    mend = "Add ?table=NAME to it, or give --query SQL, one of them."
    assert refusal(url(database), UsageError) == f"{url(database)}: the URL names no table.\n{mend}"
    path = url(database, "?table=loose")
    both = ReadOptions(query="select 1")
    assert refusal(path, UsageError, both) == f"{path}: the URL names a table, and so does --query.\n{mend}"
    assert refusal(f"{path}&table=sales", UsageError) == (
        f"{path}&table=sales: the URL names several tables.\nName one."
    )


def test_a_missing_file_is_refused_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "sales.db"
    assert refusal(f"sqlite:///{path}?table=sales") == f"{path}: there is no such file.\nCheck the path."
    assert not path.exists()


def test_a_database_without_a_file_is_refused() -> None:
    assert refusal("sqlite://?table=a", UsageError) == (
        "sqlite://?table=a: the URL names no file.\nWrite sqlite:///FILE?table=NAME."
    )


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sales.db"
    path.write_text("ds,y\n" * 100)
    assert "the database says: file is not a database." in refusal(f"sqlite:///{path}?table=sales")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "postgres://me:secret@host/db?table=a",
            "postgres://me:***@host/db?table=a: 'postgres' is no kind of database.\n"
            "Use sqlite, postgresql, mysql, mariadb, oracle or mssql, or install what knows it.",
        ),
        (
            "postgresql+pg8000://me:secret@host/db?table=a",
            "postgresql+pg8000://me:***@host/db?table=a: the driver 'pg8000' is not installed.\n"
            "Install it, or name another one, as in postgresql+psycopg://.",
        ),
        (
            "postgresql://me:secret@host:port/db?table=a",
            "postgresql://me:***@host:port/db?table=a: this is no URL of a database.\n"
            "Write postgresql://USER@HOST/DATABASE?table=NAME, with %40 for an @ in a password.",
        ),
    ],
)
def test_a_url_that_nothing_here_knows_is_refused_without_its_password(path: str, message: str) -> None:
    assert refusal(path, UsageError) == message


def test_a_server_that_is_not_there_is_refused_without_its_password() -> None:
    message = refusal("postgresql://me:secret@127.0.0.1:1/db?table=a")
    assert message.startswith("postgresql://me:***@127.0.0.1:1/db?table=a: the database says: connection failed: ")
    assert message.endswith("\nCheck the URL, and whether the database runs and lets this user in.")


def test_values_are_the_text_that_stands_for_them() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    assert _text(datetime.datetime(2024, 1, 1, 1, tzinfo=zone)) == "2023-12-31 23:00:00+00:00"
    assert _text(datetime.datetime(2024, 1, 1)) == "2024-01-01 00:00:00"
    assert _text(datetime.date(2024, 1, 1)) == "2024-01-01"
    assert [_text(value) for value in (7, 0.1, float("nan"), b"\x01\xff", True)] == ["7", "0.1", None, "01ff", "true"]


def test_a_table_of_more_bytes_than_allowed_is_refused_before_all_of_it_is_read(database: Path) -> None:
    endless = "with recursive n(y) as (select 1 union all select y + 1 from n) select y from n"
    with pytest.raises(DataError, match=r"it holds more than 1,000,000 bytes\.\n"):
        database_table(url(database), ReadOptions(query=endless, max_input_bytes=1_000_000))


def test_without_sqlalchemy_the_message_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "from forecast import ReadOptions, read_panel\n"
        "try: read_panel('sqlite:///a.db?table=b', ReadOptions())\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "UsageError sqlite:///a.db?table=b: databases need SQLAlchemy, which is not installed.\n"
        "Install it with: pip install 'forecast-lstm[sql]'\n"
    )
