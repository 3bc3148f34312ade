"""data/README.md says what the samples are; the files must agree with it."""

import csv
import hashlib
import re
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

DATA = Path(__file__).resolve().parent.parent / "data"
README = (DATA / "README.md").read_text(encoding="utf-8")
FILES = sorted(path.name for path in DATA.iterdir() if path.suffix in (".csv", ".gz", ".parquet"))
LARGEST = 1_000_000  # bytes
DAYS = {"hourly": 1 / 24, "daily": 1, "weekly": 7}


class Entry(NamedTuple):
    """One line of the table in data/README.md."""

    rows: int
    frequency: str
    columns: list[str]
    sha256: str


def entries() -> dict[str, Entry]:
    """Read the table in data/README.md."""
    lines = re.findall(r"^\| `(\S+)` \| (\d+) \| (.+?) \| (.+?) \| `(\w{64})` \|$", README, flags=re.MULTILINE)
    return {
        name: Entry(int(rows), frequency, re.findall(r"`(.+?)`", columns), digest)
        for name, rows, frequency, columns, digest in lines
    }


def records(name: str) -> list[dict[str, str]]:
    """Read one sample without interpreting it."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def steps(name: str, column: str) -> list[float]:
    """Return the days between neighbouring rows."""
    times = [datetime.fromisoformat(row[column]) for row in records(name)]
    return [(later - earlier).total_seconds() / 86400 for earlier, later in pairwise(times)]


def test_the_readme_lists_every_sample_and_no_other() -> None:
    assert sorted(entries()) == FILES


@pytest.mark.parametrize("name", FILES)
def test_a_sample_has_the_bytes_the_readme_names(name: str) -> None:
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == entries()[name].sha256


@pytest.mark.parametrize("name", FILES)
def test_a_sample_has_the_rows_and_columns_the_readme_names(name: str) -> None:
    table = records(name)
    assert (len(table), list(table[0])) == (entries()[name].rows, entries()[name].columns)


@pytest.mark.parametrize("name", FILES)
def test_a_sample_is_small(name: str) -> None:
    assert (DATA / name).stat().st_size < LARGEST


@pytest.mark.parametrize("name", FILES)
def test_a_sample_has_a_section_with_its_source_and_licence(name: str) -> None:
    section = re.search(rf"^## [^\n]*\b{re.escape(name)}.*?(?=^## |\Z)", README, flags=re.MULTILINE | re.DOTALL)
    assert section is not None
    assert re.search(r"^- Licence: .*(public domain|CC BY 4\.0)", section.group(), flags=re.MULTILINE)
    assert re.search(
        r"^- Source: .*?`(ISLP|statsmodels|vega_datasets)`", section.group(), flags=re.MULTILINE | re.DOTALL
    )


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("bike_sharing.csv", "timestamp"),
        ("bike_sharing_future.csv", "timestamp"),
        ("co2.csv", "date"),
        ("seattle_weather.csv", "date"),
    ],
)
def test_the_shortest_step_is_the_frequency_the_readme_names(name: str, column: str) -> None:
    assert min(steps(name, column)) == pytest.approx(DAYS[entries()[name].frequency.split(",")[0]])


def test_the_future_table_begins_one_hour_after_the_history_ends() -> None:
    end = datetime.fromisoformat(records("bike_sharing.csv")[-1]["timestamp"])
    begin = datetime.fromisoformat(records("bike_sharing_future.csv")[0]["timestamp"])
    assert (begin - end).total_seconds() == 3600


def test_the_hourly_sample_misses_as_many_hours_as_the_readme_names() -> None:
    missing = sum(round(step * 24) - 1 for step in steps("bike_sharing.csv", "timestamp"))
    assert f"{missing} hours missing" in entries()["bike_sharing.csv"].frequency


def test_the_weekly_sample_misses_as_many_values_as_the_readme_names() -> None:
    missing = sum(row["co2"] == "" for row in records("co2.csv"))
    assert f"{missing} values missing" in entries()["co2.csv"].frequency


def test_the_panel_has_as_many_series_as_the_readme_names() -> None:
    sectors = {row["sector"] for row in records("us_employment.csv")}
    assert f"{len(sectors)} series" in entries()["us_employment.csv"].frequency


def test_every_series_of_the_panel_has_the_same_months() -> None:
    months: dict[str, list[str]] = {}
    for row in records("us_employment.csv"):
        months.setdefault(row["sector"], []).append(row["date"])
    assert len({tuple(dates) for dates in months.values()}) == 1


def test_the_years_of_the_yearly_sample_follow_one_another() -> None:
    years = [int(row["year"]) for row in records("sunspots.csv")]
    assert years == list(range(1700, 2009))
