"""Tables as people publish them go through by what messages say alone: real ones, and made ones of the same kinds."""

import os
import shlex
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import make_transcripts
import pytest
from make_transcripts import PAGE, SESSIONS, Session

from tests.commands.bad_tables import flags_in

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SHARED", REPOSITORY.parent / "shared")).resolve() / "data"
SECTIONS = make_transcripts.sections(PAGE.read_text(encoding="utf-8"))
KNOWN_TO_YOU = {"--tz", "--season"}  # what no table says of itself: the message names the option, you know the value


def unsaid(command: str, said: str) -> list[str]:
    """Return the options of a command, and their values, that nothing before has named."""
    words = shlex.split(command)[3:]  # without forecast, check and the file
    values = [word for option, word in zip(["", *words], words, strict=False) if option not in KNOWN_TO_YOU]
    flags = flags_in(said)
    return [word for word in values if word not in flags and (word.startswith("-") or word not in said)]


def transcript(section: str) -> Iterator[tuple[str, str, int]]:
    """Return the commands of a section of the page, each with what it says and its exit code."""
    _, *parts = section.partition("```text\n")[2].partition("```")[0].split("$ ")
    for part in parts:
        command, _, rest = part.partition("\n")
        said, _, code = rest.rpartition("exit code ")
        yield command, said, int(code)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.file)
def test_a_real_table_is_answered_as_the_page_shows(session: Session) -> None:
    if not (DATA / session.file).exists():
        pytest.skip(f"{session.file} is no part of the repository: put it into ../shared/data, or name SHARED")
    made = make_transcripts.section(session, DATA)
    assert SECTIONS[session.file] == made, "run: python docs/make_transcripts.py"


def test_the_page_has_every_session_in_order() -> None:
    assert list(SECTIONS) == [session.file for session in SESSIONS]


@pytest.mark.parametrize("file", SECTIONS)
def test_a_session_of_the_page_follows_what_was_said_and_ends_well(file: str) -> None:
    steps = list(transcript(SECTIONS[file]))
    before = ""
    for command, said, _ in steps:
        assert unsaid(command, before) == []
        before += said
    assert steps[0][0] == f"forecast check {file}"
    assert steps[-1][2] == 0


def test_what_nobody_has_said_is_found() -> None:
    said = "Name one with --time: 'a b', 'c'."
    assert unsaid("forecast check t.csv --time 'a b' --id c", said) == ["--id"]
    assert unsaid("forecast check t.csv --time d", said) == ["d"]


def rows(header: str, *lines: str) -> str:
    return "\n".join([header, *lines]) + "\n"


def hours(count: int, start: datetime = datetime(2024, 3, 20)) -> list[datetime]:
    return [start + timedelta(hours=step) for step in range(count)]


def wave(step: int) -> int:
    return 50 + 30 * (step % 24 > 7) + step % 5


def sensors() -> str:
    """Two sensors with gaps: local time with its offset, day, hour, and the same in UTC."""
    lines = []
    for sensor, gap in (("Gate", range(100, 180)), ("Old Bridge", range(30, 31))):
        for step, moment in enumerate(hours(480)):
            local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
            if step not in gap:
                lines.append(
                    f"{sensor},{local:%Y-%m-%dT%H:%M:%S%z},{local:%Y-%m-%d},{local.hour},"
                    f"{wave(step)},{moment:%Y-%m-%dT%H:%M:%SZ}"
                )
    return rows("Sensor,Date_Time,Date,Time,Count,time_utc", *lines)


def traffic() -> str:
    """Hours that come twice with another remark, hours that are missing, holidays in words at midnight."""
    lines = []
    for step, moment in enumerate(hours(480)):
        holiday = "Good Friday" if moment.day == 29 and moment.hour == 0 else "None"
        remarks = ("Rain", "Mist", "Mist") if step % 50 == 7 else ("Clear",) if step % 9 else ()
        lines += [f"{holiday},{280 + step % 3}.5,{remark},{moment},{wave(step)}" for remark in remarks]
    return rows("holiday,temp,weather,date_time,volume", *lines)


def parts() -> str:
    """Times in four columns beside a running number; missing targets are NA."""
    return rows(
        "No,year,month,day,hour,pm,wind",
        *(
            f"{step + 1},{moment:%Y,%-m,%-d,%-H},{'NA' if step % 40 < 3 else wave(step)},NW"
            for step, moment in enumerate(hours(480))
        ),
    )


def shops() -> str:
    """Series that two columns name together, and a code for both; one begins late."""
    lines, months = [], [f"{year}-{month:02d}-01" for year in range(2015, 2021) for month in range(1, 13)]
    for code, (state, trade) in enumerate([("North", "Food"), ("North", "Cafes, bars"), ("South", "Food")]):
        lines += [
            f'{state},"{trade}",A{code}X,{month},{9 + step % 12}' for step, month in enumerate(months[code * 9 :])
        ]
    return rows("State,Trade,Series ID,Month,Turnover", *lines)


def gases() -> str:
    """Three series side by side, with missing values."""
    return rows(
        "datetime,so2,no.,pm2.5",
        *(
            f"{moment},{wave(step)},{'' if step % 30 < 4 else step % 24},{step % 7}.5"
            for step, moment in enumerate(hours(480))
        ),
    )


def journeys() -> str:
    """Ten minutes between most rows, but any time between the others."""
    moment, lines = datetime(2024, 3, 20, 14, 24), []
    for step in range(900):
        lines.append(f"{moment},{wave(step // 4)}")
        moment += timedelta(minutes=10 if step % 3 else 4 + step * 7 % 40)
    return rows("timestamp,value", *lines)


def weeks() -> str:
    """Dates as eight digits, some weeks missing."""
    first = datetime(2015, 1, 3)
    kept = [step for step in range(300) if not 70 < step < 80]
    return rows("date,co2", *(f"{first + timedelta(weeks=step):%Y%m%d},{300 + step % 52}" for step in kept))


def rates() -> str:
    """Columns called by digits, and no time."""
    return rows(
        "0,1,2", *(f"{0.7 + step % 17 / 100:.3f},{1.5 + step % 13 / 50:.3f},0.{211 + step % 5}" for step in range(300))
    )


# The table, what each command adds to the one before, and what is read in the end.
MADE: list[tuple[Callable[[], str], tuple[str, ...], str]] = [
    (
        sensors,
        ("--time Date_Time", "--target Count", "--id Sensor", "--tz Europe/Berlin"),
        "frequency: h (found), zone Europe/Berlin; series: 2; steps: 960",
    ),
    (  # without the zone, the hour that the clock skips in spring is a step without a value
        sensors,
        ("--time Date", "--target Count", "--id Sensor --time Time"),
        "frequency: h (found); series: 2; steps: 962",
    ),
    (
        traffic,
        ("--target volume", "--duplicates mean", "--future holiday"),
        "frequency: h (found); series: 1; steps: 479",
    ),
    (
        parts,
        ("--time year --time month --time day --time hour", "--target pm"),
        "36 of 480 steps have no value: they stay missing (--fill)",
    ),
    (shops, ("--id State --id Trade",), "frequency: MS (found); series: 3; steps: 189"),
    (shops, ("--id 'Series ID'",), "frequency: MS (found); series: 3; steps: 189"),
    (gases, ("--wide",), "frequency: h (found); series: 3; steps: 1,440"),
    (journeys, ("--freq h --duplicates mean",), "frequency: h (given); series: 1; steps: 218"),
    (weeks, (), "frequency: W-SAT (found); series: 1; steps: 300"),
    (rates, ("--time none", "--wide"), "frequency: step (found); series: 3; steps: 900"),
]


@pytest.mark.parametrize(("table", "steps", "read"), MADE, ids=lambda value: getattr(value, "__name__", ""))
def test_a_table_of_the_same_kind_goes_through_by_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: Callable[[], str], steps: tuple[str, ...], read: str
) -> None:
    (tmp_path / "table.csv").write_text(table(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    command, before = "forecast check table.csv", ""
    said, code = make_transcripts.say(command)
    for step in steps:
        command, before = f"{command} {step}", before + said
        assert unsaid(command, before) == []
        said, code = make_transcripts.say(command)
    assert code == 0, said
    assert read in said.splitlines()
