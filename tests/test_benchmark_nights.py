"""The oracle of `make bench-nights` notices what must not happen; the nights themselves are in tests/system."""

from datetime import UTC, date, datetime, timedelta

import pytest
from night_feed import HOUR, SHOPS, Event, World, damaged, text_of, twice, written
from night_oracle import COLUMNS, HORIZON, Oracle

WORLD = World(date(2025, 3, 27), 9, 14, {1: Event.ABSENT, 4: Event.OUTAGE, 5: Event.CLOSES, 6: Event.OPENS})
MODEL = "sales@v1"


def oracle(night: int) -> Oracle:
    """Return the oracle as it is in the morning of a night."""
    found = Oracle(WORLD)
    found.take(night)
    return found


def output(found: Oracle, known: tuple[str, ...] = SHOPS) -> list[dict[str, str]]:
    """Return the rows of a right output."""
    return [
        facts | {"forecast": "2", "lo_80": "1", "hi_80": "3", "lo_95": "0", "hi_95": "4", "model": MODEL}
        for facts in found.expected(set(known))
    ]


def text(rows: list[dict[str, str]]) -> bytes:
    """Return rows as an output is written."""
    lines = [",".join(row[name] for name in COLUMNS) for row in rows]
    return ("\n".join([",".join(COLUMNS), *lines]) + "\n").encode()


def test_a_right_output_has_no_fault() -> None:
    found = oracle(1)
    assert found.faults_of_output(text(output(found)), MODEL, SHOPS) == []


def test_the_hours_of_an_output_are_those_of_the_local_clock() -> None:
    rows = output(oracle(1))[:HORIZON]
    assert [row["time"] for row in rows[:1] + rows[-1:]] == ["2025-03-28 00:00", "2025-03-29 23:00"]
    spring = [row["time"] for row in output(oracle(3))[:3]]  # forecast from the end of 29 March
    assert spring == ["2025-03-30 00:00", "2025-03-30 01:00", "2025-03-30 03:00"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"shop": "nowhere"}, "shop of east 2025-03-28 00:00 is 'nowhere', not 'east'"),
        ({"time": "2025-03-28 01:00"}, "time of east 2025-03-28 00:00 is '2025-03-28 01:00', not '2025-03-28 00:00'"),
        ({"status": "new"}, "status of east 2025-03-28 00:00 is 'new', not 'ok'"),
        ({"model": "sales@v0"}, "model of east 2025-03-28 00:00 is 'sales@v0', not 'sales@v1'"),
        ({"lo_80": "2.5"}, "the bands of east 2025-03-28 00:00 are [0.0, 2.5, 2.0, 3.0, 4.0]"),
        ({"forecast": "nan"}, "the bands of east 2025-03-28 00:00 are [0.0, 1.0, nan, 3.0, 4.0]"),
    ],
)
def test_a_wrong_cell_is_noticed(change: dict[str, str], fault: str) -> None:
    found = oracle(1)
    rows = output(found)
    rows[0] |= change
    assert found.faults_of_output(text(rows), MODEL, SHOPS) == [fault]


def test_a_row_too_few_and_another_column_are_noticed() -> None:
    found = oracle(1)
    rows = output(found)
    assert found.faults_of_output(text(rows[1:]), MODEL, SHOPS) == ["287 rows, not 288"]
    assert found.faults_of_output(text(rows).replace(b"cutoff", b"cut"), MODEL, SHOPS)


def test_a_silent_shop_falls_back_a_closed_one_stays_where_it_was_an_open_one_is_new() -> None:
    status = {row["shop"]: row["status"] for row in output(oracle(4))}
    assert [shop for shop, one in status.items() if one != "ok"] == ["mill"]
    rows = {row["shop"]: row for row in output(oracle(7))}
    assert (rows["quay"]["cutoff"], rows["east"]["cutoff"]) == ("2025-03-30 23:00", "2025-04-02 23:00")
    assert (rows["mill"]["status"], rows["park"]["status"]) == ("ok", "new")
    assert list(rows) == [*SHOPS, "park"]
    learnt = {row["shop"]: row["status"] for row in output(oracle(7), (*SHOPS, "park"))}
    assert (learnt["park"], learnt["east"]) == ("short", "ok")


def test_a_later_row_stands_for_an_earlier_one() -> None:
    found, first = oracle(8), {}
    for night in range(9):
        for shop, hour, value in WORLD.rows(night):
            first.setdefault((shop, hour), value)
    corrected = [key for key, value in first.items() if value is not None and found.values[key] != value]
    assert corrected
    assert all(found.values[key] == WORLD.values[key] for key in corrected)


def test_scores_are_compared_value_by_value() -> None:
    found = oracle(1)
    rows = output(found)
    found.log(text(rows))
    found.log(text([row | {"forecast": "100"} for row in rows]))  # what was said first stays
    found.take(3)
    midnight = datetime(2025, 3, 27, 23, tzinfo=UTC)
    lines = ["version,step,scored,mae,bias,coverage_80"]
    for step in range(1, HORIZON + 1):
        hour = midnight + (step - 1) * HOUR
        values = [value for shop in SHOPS if (value := found.values.get((shop, hour))) is not None]
        errors = [2 - value for value in values]
        mae, bias = sum(map(abs, errors)) / len(errors), sum(errors) / sum(values)
        inside = sum(1 <= value <= 3 for value in values) / len(values)
        lines.append(f"v1,{step},{len(values)},{mae:.6g},{bias:.6g},{inside:.6g}")
    assert found.faults_of_scores("\n".join(lines).encode()) == []
    wrong = "\n".join(lines).replace("v1,1,6,", "v1,1,5,").encode()
    assert found.faults_of_scores(wrong) == ["scored of ('v1', 1) is 5, not 6"]
    assert found.faults_of_scores("\n".join(lines[:-1]).encode()) == ["47 versions and steps are scored, not 48"]


def test_a_broken_file_comes_whole_a_night_later() -> None:
    world = World(date(2025, 3, 27), 9, 7, {1: Event.CUT, 3: Event.RENAMED_ALL})
    whole = text_of(world.rows(1))
    assert whole.startswith(world.files(1)["2025-03-27.csv"])
    assert world.files(2)["2025-03-27.csv"] == whole
    assert {content.partition(b"\n")[0] for content in world.files(3).values()} == {b"shop,time,revenue"}
    assert world.files(4)["2025-03-27.csv"] == whole
    assert damaged(whole, Event.CUT).rpartition(b"\n")[2].count(b",") == 1


def test_an_hour_that_comes_twice_is_known() -> None:
    hours = [datetime(2025, 10, 25, 22, tzinfo=UTC) + step * timedelta(hours=1) for step in range(5)]
    assert [written(hour)[-5:] for hour in hours] == ["00:00", "01:00", "02:00", "02:00", "03:00"]
    assert [twice(hour) for hour in hours] == [False, False, True, True, False]
