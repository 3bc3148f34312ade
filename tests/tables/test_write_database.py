import os
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import make_url

from forecast.errors import OutputError, UsageError
from forecast.options import PredictOptions
from forecast.panels.calendar import Calendar
from forecast.plan import QUANTILES
from forecast.tables.database import Place
from forecast.tables.write import write_to_database
from forecast.tables.write_database import check_target, time_kind
from forecast.trained import Forecasts

DAILY = Calendar("D", 0, "%Y-%m-%d", "")


def forecasts(*ids: str, horizon: int = 2, calendar: Calendar = DAILY, cutoff: int = 30) -> Forecasts:
    middle = 10.0 + np.arange(len(ids))[:, None, None] + np.arange(horizon)[None, :, None] / 4
    quantiles = middle + np.linspace(-3, 3, len(QUANTILES))
    return Forecasts(ids, calendar, np.full(len(ids), cutoff), quantiles, QUANTILES, ("ok",) * len(ids))


def write(path: Path, made: Forecasts, model: str = "sales@v1", options: PredictOptions | None = None) -> int:
    url = f"sqlite:///{path}?table=ahead"
    return write_to_database(url, made, ("shop", "day"), options or PredictOptions(), model)


def run(path: Path, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements in the database; return the rows of the last one."""
    connection = sqlite3.connect(path)
    for statement in statements:
        rows = connection.execute(statement).fetchall()
    connection.commit()
    connection.close()
    return rows


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a place for a database."""
    return tmp_path / "out.db"


def test_a_table_is_made_with_a_row_per_series_and_step(database: Path) -> None:
    assert write(database, forecasts("b", "a")) == 4
    assert run(database, "select * from ahead order by rowid") == [
        ("b", "1970-02-01", 10, 8, 12, 7, 13, 1, "1970-01-31", "ok", "sales@v1"),
        ("b", "1970-02-02", 10.25, 8.25, 12.25, 7.25, 13.25, 2, "1970-01-31", "ok", "sales@v1"),
        ("a", "1970-02-01", 11, 9, 13, 8, 14, 1, "1970-01-31", "ok", "sales@v1"),
        ("a", "1970-02-02", 11.25, 9.25, 13.25, 8.25, 14.25, 2, "1970-01-31", "ok", "sales@v1"),
    ]


def test_the_same_forecast_again_changes_nothing(database: Path) -> None:
    write(database, forecasts("b", "a"))
    before = run(database, "select * from ahead order by shop, day")
    write(database, forecasts("b", "a"))
    assert run(database, "select * from ahead order by shop, day") == before


def test_rows_of_the_same_series_and_time_are_replaced_and_the_others_stay(database: Path) -> None:
    write(database, forecasts("a", "b"))
    run(database, "alter table ahead add column note", "update ahead set note = 'mine'")
    write(database, forecasts("a", cutoff=31), "sales@v2")
    assert run(database, "select shop, day, step, model, note from ahead order by shop, day") == [
        ("a", "1970-02-01", 1, "sales@v1", "mine"),
        ("a", "1970-02-02", 1, "sales@v2", "mine"),
        ("a", "1970-02-03", 2, "sales@v2", None),
        ("b", "1970-02-01", 1, "sales@v1", "mine"),
        ("b", "1970-02-02", 2, "sales@v1", "mine"),
    ]


def test_several_targets_are_told_apart(database: Path) -> None:
    made = replace(forecasts("a", "a", horizon=1), targets=("y", "z"))
    write(database, made)
    write(database, made)
    assert run(database, "select shop, target, forecast from ahead order by target") == [("a", "y", 10), ("a", "z", 11)]


def test_a_missing_number_is_null(database: Path) -> None:
    made = forecasts("a", horizon=1)
    write(database, replace(made, quantiles=np.full_like(made.quantiles, np.nan), status=("skipped",)))
    assert run(database, "select forecast, hi_95, status from ahead") == [(None, None, "skipped")]


@pytest.mark.parametrize(
    ("calendar", "expected"),
    [
        (Calendar("5step", 100, "step", ""), (255, 250)),
        (Calendar("h", 0, "%Y-%m-%dT%H:%M", "+02:00"), ("1970-01-02T07:00+02:00", "1970-01-02T06:00+02:00")),
    ],
)
def test_times_are_written_as_in_the_input(database: Path, calendar: Calendar, expected: tuple[Any, Any]) -> None:
    write(database, forecasts("a", horizon=1, calendar=calendar))
    assert run(database, "select day, cutoff from ahead") == [expected]


def test_a_server_keeps_both_rows_of_the_hour_that_comes_twice() -> None:
    place = Place("here", make_url("postgresql+psycopg://here/db"), None, "ahead")
    calendar = Calendar("h", 0, "%Y-%m-%d %H:%M", "", "Europe/Berlin", elapsed=True)
    kind, written = time_kind(place, calendar)
    twice = calendar.ordinals(np.array(["2024-10-27T00:00", "2024-10-27T01:00"], dtype="M8[ns]"))
    assert kind.timezone
    moments = [datetime.fromisoformat(text) for text in written.render(twice)]
    assert [moment.astimezone(UTC).hour for moment in moments] == [0, 1]
    assert {moment.hour for moment in moments} == {2}


def test_a_prefix_and_quantiles_name_the_columns(database: Path) -> None:
    write(database, forecasts("a"), options=PredictOptions(prefix="fc_", quantile=(0.1,)))
    assert [row[1] for row in run(database, "pragma table_info(ahead)")] == [
        *("shop", "day", "fc_forecast", "fc_q_0.1", "fc_step", "fc_cutoff", "fc_status", "fc_model")
    ]


def test_a_forecast_of_no_series_makes_an_empty_table(database: Path) -> None:
    assert write(database, forecasts()) == 0
    assert run(database, "select count(*) from ahead") == [(0,)]


def test_a_table_without_our_columns_is_refused(database: Path) -> None:
    run(database, "create table ahead (shop, day, forecast, lo_80, hi_80, lo_95, hi_95, primary key (shop, day))")
    with pytest.raises(OutputError) as caught:
        write(database, forecasts("a"))
    assert str(caught.value) == (
        f"sqlite:///{database}?table=ahead: the table 'ahead' lacks the columns 'step', 'cutoff', 'status', 'model'.\n"
        "Add them, or name a table that is not there: it is made."
    )


def test_a_table_in_which_rows_could_not_be_replaced_is_refused(database: Path) -> None:
    names = "shop, day, forecast, lo_80, hi_80, lo_95, hi_95, step, cutoff, status, model"
    run(database, f"create table ahead ({names}, unique (day))")
    with pytest.raises(OutputError) as caught:
        write(database, forecasts("a"))
    assert str(caught.value) == (
        f"sqlite:///{database}?table=ahead: the table 'ahead' has no unique key of 'shop', 'day', so rows of an "
        "earlier run could not be replaced.\nAdd one, or name a table that is not there: it is made."
    )
    run(database, "create unique index one_each on ahead (day, shop)")
    assert write(database, forecasts("a")) == 2


def test_a_failure_in_the_middle_leaves_the_old_rows(database: Path) -> None:
    write(database, forecasts("a", "b"))
    run(
        database,
        "create trigger no before update on ahead when new.shop = 'b' begin select raise(abort, 'not b'); end",
        "update ahead set model = 'old' where shop = 'a'",
    )
    with pytest.raises(OutputError, match=r"the database says: not b\.\n"):
        write(database, forecasts("a", "b"))
    assert run(database, "select distinct model from ahead where shop = 'a'") == [("old",)]


def refusal(output: str, inputs: Sequence[str] = ()) -> str:
    with pytest.raises(UsageError) as caught:
        check_target(output, inputs)
    return str(caught.value)


def test_a_target_is_checked_before_anything_is_made(database: Path) -> None:
    check_target(f"sqlite:///{database}?table=ahead", [])
    assert not database.exists()


def test_a_target_without_a_table_is_refused(database: Path) -> None:
    assert refusal(f"sqlite:///{database}") == (
        f"sqlite:///{database}: the URL names no table.\nAdd ?table=NAME; it is made if it is not there."
    )


def test_a_database_that_cannot_replace_rows_is_refused() -> None:
    assert refusal("mysql://me:secret@host/db?table=ahead") == (
        "mysql://me:***@host/db?table=ahead: forecasts are written to SQLite and PostgreSQL alone.\n"
        "Write a file, and load it."
    )


def test_a_target_that_is_the_input_is_refused_and_another_table_of_it_is_not(database: Path) -> None:
    url = f"sqlite:///{database}?table=ahead"
    assert refusal(url, [url]) == f"{url}: the output is the input.\nName another table with -o."
    check_target(url, [f"sqlite:///{database}?table=sales", "sales.csv"])


def test_a_target_in_a_place_for_no_file_is_refused(tmp_path: Path) -> None:
    assert refusal(f"sqlite:///{tmp_path}?table=a") == f"{tmp_path}: the output is a folder.\nName a file in it."
    missing = tmp_path / "no" / "out.db"
    assert refusal(f"sqlite:///{missing}?table=a") == (
        f"{missing}: there is no folder '{tmp_path}/no'.\nMake it, or write elsewhere."
    )
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert refusal(f"sqlite:///{pipe}?table=a") == f"{pipe}: the output is no regular file.\nName a file."


@pytest.mark.parametrize("url", ["postgresql://me:secret@127.0.0.1:1/db?table=a", "sqlite:///{file}?table=a"])
def test_a_database_that_does_not_answer_is_refused_at_once(tmp_path: Path, url: str) -> None:
    (tmp_path / "text.db").write_text("ds,y\n" * 100)
    with pytest.raises(OutputError, match=r"the database says: (connection failed|file is not a database)") as caught:
        check_target(url.format(file=tmp_path / "text.db"), [])
    assert "secret" not in str(caught.value)
