"""What docs/reliability.md says of faults is what was measured, and every command was tried."""

from pathlib import Path

import faults
import record

REPOSITORY = Path(__file__).resolve().parent.parent
ROWS = record.read(faults.RESULTS)


def test_the_page_shows_the_results() -> None:
    assert faults.table(ROWS) in (REPOSITORY / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_nothing_was_broken_but_by_those_who_write_in_place() -> None:
    broken = {row["what"] for row in ROWS if int(row["broken"])}
    assert broken == set(faults.CONTROL_NAMES)


def test_a_table_adds_up_the_lines_of_a_command() -> None:
    line = {"what": "train", "old": "2", "new": "1", "broken": "0", "refused": "0"}
    rows = [
        {**line, "kind": "KILL", "syscall": "fsync", "trials": "3", "missed": "0"},
        {**line, "kind": "KILL", "syscall": "write", "trials": "4", "missed": "1"},
        {**line, "kind": "kill -9", "syscall": "any", "trials": "1200", "missed": "0"},
    ]
    lines = faults.table(rows).splitlines()
    assert "| `train` | 6 |  |  | 1,200 |  | 6 | 3 | 0 | 0 |" in lines
    assert "| `predict --log` |  |  |  |  |  |  |  |  |  |" in lines
