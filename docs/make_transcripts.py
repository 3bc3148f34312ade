"""Write the last section of docs/tables.md: what `forecast check` says of real tables, command by command.

    python docs/make_transcripts.py --shared ../shared    # the folder that holds data/

The tables are read where they are. A test runs the commands again, and compares.
"""

import argparse
import contextlib
import io
import re
import shlex
import tempfile
from pathlib import Path
from typing import NamedTuple

from forecast.commands import run

PAGE = Path(__file__).with_name("tables.md")
HEADING = "## Real tables, command by command\n"
INTRODUCTION = """
Public tables as they are published, each from its name alone to the command line that trains on it. Every option is one
that a message before it has named. What was printed stands here as it was, without a terminal; `[... 9 lines ...]`
stands for lines that are left out. The tables are not part of this repository. This section is made by
`python docs/make_transcripts.py`; where the tables are at hand (in `data/` of the folder `SHARED`, by default
`../shared`), a test runs all commands and compares. Another one takes made tables of the same kinds the same way.
"""
LONG, TIMES, SHORT = 18, 6, 4  # lines of a report that are shown, beside the last two: TIMES with the seasons
STOPPED = 128  # exit codes from here on: by a signal, which says nothing of the table


class Session(NamedTuple):
    """The commands that lead to a table that is accepted."""

    file: str
    about: str
    steps: tuple[str, ...]  # what each command adds to the one before; the first one is about the file alone
    lines: int = LONG


SESSIONS = (
    Session(
        "pedestrian.csv.gz",
        "Hourly counts of four sensors (City of Melbourne): several time columns, days of 23 and 25 hours, gaps of up "
        "to a month.",
        ("", "--time Date_Time", "--target Count", "--id Sensor", "--tz Australia/Melbourne"),
    ),
    Session(
        "metro_traffic.csv.gz",
        "Hourly traffic of Interstate 94 (UCI, CC BY 4.0): hours that come several times, hours without a row, "
        "holidays as text. A remark on the weather is no id, so none is proposed.",
        ("", "--target traffic_volume", "--duplicates mean", "--future holiday"),
    ),
    Session(
        "beijing_pm25.csv.gz",
        "Hourly particulate matter (UCI, CC BY 4.0): the time in four columns, missing values as `NA`.",
        ("", "--time year --time month --time day --time hour", "--target pm2.5"),
    ),
    Session(
        "aus_retail.csv.gz",
        "Monthly retail turnover (Australian Bureau of Statistics): a series is a state and an industry.",
        ("", "--id State --id Industry"),
    ),
    Session(
        "air_quality_valencia.csv.gz",
        "Hourly pollutants (Generalitat Valenciana): ten series side by side, with gaps.",
        ("", "--wide"),
    ),
    Session(
        "travel_time_387.csv",
        "Travel times of a road (Numenta Anomaly Benchmark, MIT): no regular step.",
        ("", "--freq h --duplicates mean"),
    ),
    Session("co2_weekly.csv", "Weekly carbon dioxide (statsmodels, public domain): dates as `19580329`.", ("",)),
    Session(
        "exchange_rate.csv",
        "Eight daily exchange rates (Lai et al. 2018): no time column, digits as header.",
        ("", "--time none", "--wide"),
    ),
    Session("ETTh1.csv", "A transformer, hourly (ETDataset, CC BY-ND 4.0): seven columns.", ("", "--wide"), SHORT),
    Session(
        "bike_sharing_hourly.csv.gz",
        "Bicycle rentals (UCI, CC BY 4.0): columns that are known ahead.",
        ("", "--target users", "--future holiday --future workingday"),
        SHORT,
    ),
    Session("air_passengers.csv", "Box and Jenkins: months as `1949-01`.", ("",), SHORT),
    Session("nyc_taxi.csv", "Half-hourly taxi passengers (Numenta Anomaly Benchmark, MIT).", ("",), SHORT),
    Session(
        "m4_hourly_train.csv.gz",
        "The M4 competition: integer steps, of which nobody but you knows the season.",
        ("", "--season 24 --season 168"),
        TIMES,
    ),
    Session("m4_hourly_test.csv.gz", "The 48 steps after those.", ("",), SHORT),
    Session("m3_monthly_train.csv.gz", "The M3 competition (R package Mcomp).", ("", "--season 12"), TIMES),
    Session("m3_monthly_test.csv.gz", "The 18 steps after those.", ("",), SHORT),
)


def commands(session: Session) -> list[str]:
    """Return the command lines of a session."""
    words = [f"forecast check {session.file}", *session.steps[1:]]
    return [" ".join(words[: count + 1]) for count in range(len(words))]


def say(command: str) -> tuple[str, int]:
    """Run a command line here; return what it prints, stdout first, and its exit code."""
    out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(shlex.split(command)[1:])
    out.flush()
    return out.buffer.getvalue().decode() + err.getvalue(), code  # type: ignore[attr-defined]


def section(session: Session, data: Path) -> str:
    """Run a session in an empty folder that has the table; return it as a section of the page."""
    parts = []
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path(session.file).symlink_to(data / session.file)
        for command in commands(session):
            said, code = say(command)
            if code >= STOPPED:
                raise SystemExit(code)
            parts.append("\n".join([f"$ {command}", *_excerpt(said.splitlines(), session.lines), f"exit code {code}"]))
    return f"### {session.file}\n{session.about}\n\n```text\n" + "\n\n".join(parts) + "\n```\n"


def sections(page: str) -> dict[str, str]:
    """Return the sections of sessions that a page holds, by file."""
    found = re.split(r"^(?=### )", page.partition(HEADING)[2], flags=re.MULTILINE)[1:]
    return {text.splitlines()[0].removeprefix("### "): text.rstrip("\n") + "\n" for text in found}


def _excerpt(lines: list[str], most: int) -> list[str]:
    """Return lines, of many the first ones and the last two, and how many were left out."""
    left = len(lines) - most - 2
    return lines if left <= 1 else [*lines[:most], f"[... {left} lines ...]", *lines[-2:]]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder that holds data/")
    data = parser.parse_args().shared.resolve() / "data"
    made = "\n".join(section(session, data) for session in SESSIONS)
    text = PAGE.read_text(encoding="utf-8").partition(HEADING)[0].rstrip("\n")
    PAGE.write_text(f"{text}\n\n{HEADING}{INTRODUCTION}\n{made}", encoding="utf-8")
