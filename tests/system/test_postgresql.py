"""A real PostgreSQL, started here on a port of its own: tables are read from it, and forecasts written to it.

Needs the programs of PostgreSQL, which `make test-system` installs when run as root.
"""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TABLE = REPOSITORY / "data" / "us_employment.csv"
PASSWORD = "open/se:same@1"
SECRETS = (PASSWORD, quote(PASSWORD, safe=""))
TINY = {"PRESET": "fast", "MEMBERS": "1", "EPOCHS": "1", "UNITS": "8", "ORIGINS": "2"}


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int

    def url(self, rest: str = "", user: str = "owner", password: str = PASSWORD) -> str:
        """Return the URL of its database."""
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/postgres{rest}"

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements; return the rows of the last one, if it has any."""
        with psycopg.connect(self.url()) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def programs() -> Path:
    """Return the folder of PostgreSQL's programs; without them nothing here can be tested, a failure and no skip."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert folders, "PostgreSQL is missing: `apt-get install postgresql`, or run `make test-system` as root"
    return folders[-1]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Start a server as a user that is not root, which PostgreSQL refuses, and stop it in the end."""
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder, port, folder_of_programs = Path(tempfile.mkdtemp(prefix="forecast-postgresql-")), free_port(), programs()

    def run(program: str, *words: object) -> None:
        """Run a program of PostgreSQL as the owner; it must succeed."""
        command = [str(folder_of_programs / program), *map(str, words)]
        switch = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        with open(folder / "said", "ab") as said:
            done = subprocess.run(command, stdout=said, stderr=said, cwd="/", check=False, **switch)  # type: ignore[call-overload]
        assert done.returncode == 0, (folder / "said").read_text()

    (folder / "password").write_text(PASSWORD)
    for path in (folder, folder / "password"):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    data, settings = (
        folder / "data",
        f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c timezone=UTC",
    )
    try:
        login = ("--username=owner", f"--pwfile={folder / 'password'}", "--auth=scram-sha-256")
        run("initdb", "-D", data, *login, "--encoding=UTF8", "--no-sync")
        run("pg_ctl", "-D", data, "-w", "-o", settings, "-l", folder / "log", "start")
        try:
            yield Server(port)
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def sales(server: Server) -> Server:
    """Return the server with the sample table in it, as `sales`, and nothing else."""
    server.run("drop schema if exists public, mart cascade", "create schema public")
    server.run("create table sales (sector text, date date, employees double precision, primary key (sector, date))")
    load = "copy sales from stdin with (format csv, header)"
    with psycopg.connect(server.url()) as connection, connection.cursor() as cursor, cursor.copy(load) as copy:
        copy.write(TABLE.read_bytes())
    return server


def forecast(folder: Path, command: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of forecast in a folder; whatever it says, it says no password."""
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "cli.py"), command, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert not any(secret in done.stdout + done.stderr for secret in SECRETS)
    return done


def predict(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Forecast with the reference model."""
    return forecast(folder, "predict", *words, "--models", str(REPOSITORY / "models"), "-m", "reference-1")


def test_a_table_is_read_like_the_file_it_came_from(tmp_path: Path, sales: Server) -> None:
    assert predict(tmp_path, str(TABLE), "-o", "file.csv").returncode == 0
    done = predict(tmp_path, sales.url("?table=sales"), "-o", "table.csv", "--record", "run.json")
    assert done.returncode == 0, done.stderr
    order = "select * from public.sales order by sector, date"
    assert predict(tmp_path, sales.url(), "--query", order, "-o", "query.csv").returncode == 0

    lines = [sorted((tmp_path / f"{name}.csv").read_text().splitlines()) for name in ("file", "table", "query")]
    assert lines[0] == lines[1] == lines[2]
    assert (
        f'"path": "postgresql://owner:***@127.0.0.1:{sales.port}/postgres?table=sales"'
        in (tmp_path / "run.json").read_text()
    )
    assert not any(secret in (tmp_path / "run.json").read_text() for secret in SECRETS)


def test_a_view_in_a_schema_is_a_table_too(tmp_path: Path, sales: Server) -> None:
    sales.run("create schema mart")
    sales.run("create view mart.sold as select * from sales where sector <> 'government'")
    done = predict(tmp_path, sales.url("?table=mart.sold"), "-o", "out.csv")
    assert done.returncode == 0, done.stderr
    assert "government" not in (tmp_path / "out.csv").read_text()


def test_forecasts_are_written_once_however_often_they_are_made(tmp_path: Path, sales: Server) -> None:
    words = (sales.url("?table=sales"), "-o", sales.url("?table=forecasts"))
    for _ in range(2):
        done = predict(tmp_path, *words)
        assert done.returncode == 0, done.stderr
    assert done.stderr.endswith(
        f"Wrote 90 rows to postgresql://owner:***@127.0.0.1:{sales.port}/postgres?table=forecasts\n"
    )
    assert sales.run("select count(*), count(distinct (sector, date)) from forecasts") == [(90, 90)]
    kinds = sales.run(
        "select column_name, data_type from information_schema.columns where table_name = 'forecasts' "
        "order by ordinal_position"
    )
    assert kinds[:3] == [("sector", "text"), ("date", "date"), ("forecast", "double precision")]
    assert list(tmp_path.iterdir()) == []


def test_rows_of_the_same_series_and_time_are_replaced_and_all_others_stay(tmp_path: Path, sales: Server) -> None:
    target = sales.url("?table=forecasts")
    assert predict(tmp_path, sales.url("?table=sales"), "-o", target).returncode == 0
    sales.run(
        "alter table forecasts add column note text",
        "update forecasts set note = 'mine', forecast = -1",
        "insert into forecasts (sector, date) values ('construction', '2015-12-01')",
    )
    assert predict(tmp_path, sales.url("?table=sales"), "-o", target).returncode == 0
    assert sales.run("select count(*), count(note), count(*) filter (where forecast = -1) from forecasts") == [
        (91, 90, 0)
    ]


def test_times_with_a_zone_are_instants(tmp_path: Path, sales: Server) -> None:
    sales.run(
        "create table clock (unique_id integer, ds timestamptz, y numeric)",
        "insert into clock select 7, t, extract(hour from t) from "
        "generate_series(timestamptz '2024-01-01 00:00+00', '2024-02-01 00:00+00', interval '1 hour') t",
    )
    tiny = {f"FORECAST_TRAIN_{name}": value for name, value in TINY.items()}
    words = ("-m", "clock", "-H", "3", "-o", sales.url("?table=ahead"))
    done = forecast(tmp_path, "train", sales.url("?table=clock"), *words, PGTZ="Europe/Berlin", **tiny)
    assert done.returncode == 0, done.stderr
    assert sales.run("select ds = timestamptz '2024-02-01 01:00+00', unique_id from ahead order by ds limit 1") == [
        (True, "7")
    ]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not [path for path in files if any(secret.encode() in path.read_bytes() for secret in SECRETS)]


def test_types_of_a_table_that_is_there_are_kept(tmp_path: Path, sales: Server) -> None:
    sales.run(
        "create table forecasts (sector varchar(40), date timestamp, forecast numeric, lo_80 real, hi_80 real, "
        "lo_95 real, hi_95 real, step smallint, cutoff date, status text, model text, unique (sector, date))"
    )
    done = predict(tmp_path, sales.url("?table=sales"), "-o", sales.url("?table=forecasts"))
    assert done.returncode == 0, done.stderr
    assert sales.run("select count(*) from forecasts where date = '2016-01-01' and cutoff = '2015-12-01'") == [(15,)]


def test_a_table_whose_rows_could_not_be_replaced_is_refused(tmp_path: Path, sales: Server) -> None:
    sales.run("create table forecasts as select sector, date from sales")
    words = (sales.url("?table=sales"), "-o", sales.url("?table=forecasts"))
    done = predict(tmp_path, *words)
    assert done.returncode == 15
    assert "the table 'forecasts' lacks the columns 'forecast', 'lo_80'" in done.stderr
    columns = ("forecast", "lo_80", "hi_80", "lo_95", "hi_95", "step", "cutoff", "status", "model")
    sales.run(*(f"alter table forecasts add column {name} text" for name in columns))
    done = predict(tmp_path, *words)
    assert done.returncode == 15
    assert "has no unique key of 'sector', 'date', so rows of an earlier run could not be replaced." in done.stderr
    assert sales.run("select count(*) from forecasts") == sales.run("select count(*) from sales")


def test_a_failure_in_the_middle_leaves_the_old_rows(tmp_path: Path, sales: Server) -> None:
    target = sales.url("?table=forecasts")
    assert predict(tmp_path, sales.url("?table=sales"), "-o", target).returncode == 0
    sales.run(
        "update forecasts set forecast = -1",
        "alter table forecasts add check (sector <> 'government' or forecast < 0)",
    )
    done = predict(tmp_path, sales.url("?table=sales"), "-o", target)
    assert done.returncode == 15
    assert 'violates check constraint "forecasts_check"' in done.stderr
    assert sales.run("select distinct forecast from forecasts") == [(-1.0,)]


@pytest.mark.parametrize(
    "query", ["delete from sales returning *", "with gone as (delete from sales returning *) select * from gone"]
)
def test_a_query_changes_nothing(tmp_path: Path, sales: Server, query: str) -> None:
    done = predict(tmp_path, sales.url(), "--query", query, "-o", "out.csv")
    assert done.returncode == 12
    assert "Check the table or the query, and what this user may do." in done.stderr
    assert sales.run("select count(*) > 0 from sales") == [(True,)]


@pytest.mark.parametrize(
    ("words", "code"),
    [(("{wrong}?table=sales", "-o", "out.csv"), 12), ((str(TABLE), "-o", "{wrong}?table=forecasts"), 15)],
)
def test_a_wrong_password_is_refused_and_not_shown(tmp_path: Path, sales: Server, words: Any, code: int) -> None:
    wrong = sales.url(password="not-it@all")
    for flag in ("--debug", "--json"):
        done = predict(tmp_path, *(word.format(wrong=wrong) for word in words), flag)
        assert done.returncode == code
        assert "password authentication failed" in done.stderr
        assert "not-it" not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
