"""Hourly sales of some shops, as a database exports them each night: late, corrected, with gaps, and sometimes broken.

A file for each day of the local clock, which lies in the folder at 03:10 of the next one. What the tables say is known
here as plain values, so that what is forecast from them can be judged without the program.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from random import Random
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHOPS, CLOSING, OPENING, SILENT = ("east", "mill", "north", "quay", "south", "west"), "quay", "park", "mill"
HEADER, RENAMED_HEADER = "shop,time,sales", "shop,time,revenue"
GAP, LATE, CORRECTED = 0.004, 0.008, 0.012  # shares of rows, added up: never come, come a day late, are wrong at first
OUTAGE_HOURS = 20
NOISE, MEMORY = 0.06, 0.8  # of the logarithm: what is new each hour, and what stays of the hour before
SHIFT, LOUDER = 7, 4.0  # drift: hours by which people come later, and how much noisier it becomes: beyond mending

Row = tuple[str, datetime, float | None]  # shop, instant, value; None: the cell is empty


class Event(StrEnum):
    """What befalls a night."""

    USUAL = "a usual night"
    ABSENT = "the table did not come"
    CUT = "a file cut off"
    GARBAGE = "a file of garbage"
    RENAMED = "a column renamed in one file"
    RENAMED_ALL = "a column renamed in all files"
    OUTAGE = "a shop silent for 20 hours"
    TWICE = "cron fired twice"
    KILLED = "killed, and run again"
    FULL = "the disk is full"
    CLOSES = "a shop closes"
    OPENS = "a shop opens"
    DRIFT = "customers change their habits"


BROKEN = (Event.ABSENT, Event.CUT, Event.GARBAGE, Event.RENAMED)  # the file of the day; it comes whole a night later
YEAR = {
    12: Event.CUT,
    25: Event.TWICE,
    40: Event.ABSENT,
    55: Event.RENAMED,
    70: Event.OUTAGE,
    85: Event.GARBAGE,
    100: Event.CLOSES,
    115: Event.RENAMED_ALL,
    130: Event.OPENS,
    150: Event.KILLED,
    165: Event.FULL,
    180: Event.OUTAGE,
    200: Event.ABSENT,
    201: Event.ABSENT,
    220: Event.TWICE,
    260: Event.DRIFT,
    310: Event.GARBAGE,
    330: Event.FULL,
    345: Event.KILLED,
}


@dataclass(frozen=True)
class World:
    """What happens in the shops, and to the files about it, over some nights."""

    begin: date = date(2025, 3, 1)  # of the first night; the clock changes on 30 March and 26 October
    nights: int = 365
    history: int = 84  # days before
    events: Mapping[int, Event] = field(default_factory=lambda: YEAR)
    seed: int = 1

    def event(self, night: int) -> Event:
        """Return what befalls a night."""
        return self.events.get(night, Event.USUAL)

    def when(self, event: Event) -> int:
        """Return the first night of an event; one after the end where it never comes."""
        return min((night for night, one in self.events.items() if one is event), default=self.nights)

    def moment(self, night: int) -> datetime:
        """Return when cron starts the job: 03:10 of the local clock."""
        day = self.begin + night * DAY
        return datetime(day.year, day.month, day.day, 3, 10, tzinfo=ZONE).astimezone(UTC)

    def files(self, night: int) -> dict[str, bytes]:
        """Return the files that are written before a night, by name, in place of those of the same name."""
        event, before = self.event(night), self.event(night - 1)
        found = {} if night else {self.name(-1): text_of(self.past())}
        if before in BROKEN:
            found[self.name(night - 1)] = text_of(self.rows(night - 1))
        if event is not Event.ABSENT:
            found[self.name(night)] = damaged(text_of(self.rows(night)), event)
        if Event.RENAMED_ALL in (event, before):
            whole = {self.name(-1): text_of(self.past())}
            whole |= {self.name(one): text_of(self.rows(one)) for one in range(night + 1)}
            found = {name: damaged(text, event) for name, text in whole.items()}
        return found

    def name(self, night: int) -> str:
        """Return the name of the file that comes before a night: that of the day before."""
        return f"{self.begin + (night - 1) * DAY}.csv"

    def past(self) -> list[Row]:
        """Return the history before the file of the first night, shop by shop."""
        first = self._midnight(-self.history)
        hours = [first + step * HOUR for step in range((self._midnight(-1) - first) // HOUR)]
        return [(shop, hour, self.values[shop, hour]) for shop in SHOPS for hour in hours]

    def rows(self, night: int) -> list[Row]:
        """Return what the file that comes before a night holds: the day before, and what was late or is corrected."""
        again = [row for row in self._day(night - 2) if GAP < self._fate(row) <= CORRECTED] if night else []
        outage = self._midnight(night) - OUTAGE_HOURS * HOUR if self.event(night) is Event.OUTAGE else None
        found: list[Row] = []
        for shop, hour, value in self._day(night - 1):
            fate = self._fate((shop, hour, value))
            if shop == SILENT and outage and hour >= outage:
                found.append((shop, hour, None))
            elif fate > LATE:
                wrong = 1.3 if fate <= CORRECTED else 1.0
                found.append((shop, hour, round((value or 0) * wrong, 2)))
        silent = self.event(night - 1) is Event.OUTAGE
        return [*found, *(row for row in again if not (silent and row[0] == SILENT))]

    def _day(self, day: int) -> list[Row]:
        """Return what truly happened on a day, shop by shop."""
        hour, end = self._midnight(day), self._midnight(day + 1)
        hours = [hour + step * HOUR for step in range((end - hour) // HOUR)]
        closes, opens = self.when(Event.CLOSES), self.when(Event.OPENS)
        shops = [shop for shop in SHOPS if shop != CLOSING or day + 1 < closes] + [OPENING] * (day + 1 >= opens)
        return [(shop, hour, self.values[shop, hour]) for shop in shops for hour in hours]

    def _fate(self, row: Row) -> float:
        """Return a number from 0 to 1 that says what becomes of a row; of an hour that comes twice nothing is lost."""
        if twice(row[1]):
            return 1.0
        return Random(f"{self.seed}:{row[0]}:{row[1]}").random()

    def _midnight(self, day: int) -> datetime:
        """Return the instant at which a day of the local clock begins, counted from that of the first night."""
        date = self.begin + day * DAY
        return datetime(date.year, date.month, date.day, tzinfo=ZONE).astimezone(UTC)

    @cached_property
    def values(self) -> dict[tuple[str, datetime], float]:
        """What was truly sold, by shop and hour."""
        first, drift = self._midnight(-self.history), self._midnight(self.when(Event.DRIFT) - 1)
        found = {}
        for number, shop in enumerate((*SHOPS, OPENING)):
            random, rest = Random(f"{self.seed}:{shop}"), 0.0
            for step in range((self._midnight(self.nights) - first) // HOUR):
                hour = first + step * HOUR
                changed = hour >= drift
                rest = MEMORY * rest + random.gauss(0, NOISE * (LOUDER if changed else 1))
                found[shop, hour] = round(level(hour, number, SHIFT if changed else 0) * math.exp(rest), 2)
        return found


def level(hour: datetime, number: int, shift: int) -> float:
    """Return what the shop of this number sells in an hour on average."""
    clock = hour.astimezone(ZONE)
    day = 1.2 + math.sin((clock.hour - 8 - shift + number / 3) * math.pi / 12)
    return 40 * (number + 1) * day * (1.4 if clock.weekday() == 5 else 0.6 if clock.weekday() == 6 else 1.0)


def twice(hour: datetime) -> bool:
    """Tell whether the local clock shows this hour twice."""
    return any(written(hour) == written(other) for other in (hour - HOUR, hour + HOUR))


def written(hour: datetime) -> str:
    """Return an instant as the tables write it: the local clock, without a zone."""
    return f"{hour.astimezone(ZONE):%Y-%m-%d %H:%M}"


def text_of(rows: list[Row]) -> bytes:
    """Return rows as a file."""
    lines = [f"{shop},{written(hour)},{'' if value is None else f'{value:.2f}'}" for shop, hour, value in rows]
    return ("\n".join([HEADER, *lines]) + "\n").encode()


def damaged(text: bytes, event: Event) -> bytes:
    """Return a file as it comes on such a night."""
    if event is Event.CUT:
        return text[: text.rindex(b"\n", 0, len(text) // 2) + 10]  # within the second cell of a line
    if event is Event.GARBAGE:
        return Random(0).randbytes(4096)
    if event in (Event.RENAMED, Event.RENAMED_ALL):
        return text.replace(HEADER.encode(), RENAMED_HEADER.encode(), 1)
    return text
