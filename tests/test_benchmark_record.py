"""Files of results: a line that is there is known, and replaced by one of the same key, never doubled."""

import csv
from pathlib import Path
from typing import Any

import pytest
import record

FIELDS, KEY = ("set", "part", "seed", "mase"), ("set", "part", "seed")


def row(part: str, seed: int, mase: float) -> dict[str, Any]:
    """Return a line."""
    return {"set": "made_up", "part": part, "seed": seed, "mase": mase}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file with two lines."""
    path = tmp_path / "folder" / "made_up.csv"
    record.merge(path, [row("whole", 1, 0.5), row("alone", 1, 0.7)], FIELDS, KEY)
    return path


def test_a_line_that_is_there_is_found(path: Path) -> None:
    assert record.has(path, {"part": "whole", "seed": 1})


def test_a_line_of_another_seed_is_not_taken_for_it(path: Path) -> None:
    assert not record.has(path, {"part": "whole", "seed": 2})


def test_a_file_that_is_not_there_has_no_line(tmp_path: Path) -> None:
    assert not record.has(tmp_path / "none.csv", {"seed": 1})


def test_a_line_of_the_same_key_takes_the_place_of_the_old(path: Path) -> None:
    record.merge(path, [row("whole", 1, 0.4)], FIELDS, KEY)
    assert [(one["part"], one["mase"]) for one in record.read(path)] == [("alone", "0.7"), ("whole", "0.4")]


def test_a_line_of_another_key_is_added(path: Path) -> None:
    record.merge(path, [row("whole", 2, 0.4)], FIELDS, KEY)
    assert [one["seed"] for one in record.read(path)] == ["1", "1", "2"]


def test_a_value_that_a_line_lacks_is_left_empty(path: Path) -> None:
    record.merge(path, [{"set": "made_up", "part": "rest", "seed": 1}], FIELDS, KEY)
    with path.open(newline="") as file:
        assert list(csv.reader(file))[-1] == ["made_up", "rest", "1", ""]


def test_fractions_are_written_with_five_digits() -> None:
    assert record.rounded({"mase": 0.123456, "seed": 1}) == {"mase": "0.12346", "seed": 1}
