"""Damaged tables, a few hundred of those of `make bench-fuzz`; and that it would notice what must not happen."""

from pathlib import Path

import fuzz
import pytest
import running

REFUSED = "Error: t.csv:3: column 'y' should be a number, but is 'x'.\nCorrect the cell.\n"


def test_hundreds_of_damaged_tables_are_refused_in_words_or_read(tmp_path: Path) -> None:
    tally = fuzz.fuzz(2, range(500), tmp_path)
    assert [path.read_text() for path in tmp_path.glob("*.txt")] == []
    assert tally.codes.total() == 500
    assert {0, 12, 13} <= set(tally.codes) <= {0, 2, 12, 13}


def test_the_tables_are_read_before_they_are_damaged(tmp_path: Path) -> None:
    with fuzz.one_process("error"):
        for number, table in enumerate(fuzz.valid_tables()):
            path = tmp_path / f"{number}{table.suffix}"
            path.write_bytes(table.data)
            assert fuzz.run_here(["check", str(path), *table.words]).err == ""


def test_a_number_stands_for_the_same_damage_every_time() -> None:
    valid = fuzz.valid_tables()
    assert fuzz.case_of(1, 7, valid) == fuzz.case_of(1, 7, valid) != fuzz.case_of(2, 7, valid)


@pytest.mark.parametrize(
    ("code", "out", "err", "seconds", "fault"),
    [
        (1, "", "Error: this is a bug in forecast (KeyError).\nReport t.csv.\n", 0.1, "exit code 1"),
        (-11, "", "", 0.1, "exit code -11"),
        (12, "", REFUSED, 2.5, "2.5 s of the processor"),
        (12, "", f"Traceback (most recent call last):\n{REFUSED}", 0.1, "a traceback"),
        (
            12,
            "",
            "Error: t.csv: it is odd.\n",
            0.1,
            "not one line that says what is wrong and one that says what to do",
        ),
        (12, "", "Error: it is odd.\nMend it.\n", 0.1, "the table is not named"),
        (12, "", f"a warning\n{REFUSED}", 0.1, "more than the error on stderr"),
        (0, "t.csv: 9 rows\n", "a warning\n", 0.1, "check has something to say on stderr"),
        (0, "\x1b[31mred\n", "", 0.1, "characters that a terminal would obey"),
    ],
)
def test_what_must_not_happen_is_noticed(code: int, out: str, err: str, seconds: float, fault: str) -> None:
    case = fuzz.Case(".csv", b"", ("check",))
    assert fault in fuzz.faults(case, "t.csv", fuzz.Said(code, out.encode(), err, seconds))


def test_a_refusal_that_names_the_place_and_the_mend_has_no_fault() -> None:
    assert fuzz.faults(fuzz.Case(".csv", b"", ("check",)), "t.csv", fuzz.Said(12, b"", REFUSED, 0.1)) == []


@pytest.mark.parametrize(
    ("out", "err", "faults"),
    [
        ("", '{"error": {"code": 12, "message": "t.csv: odd.", "hint": "Mend it."}}\n', []),
        ("", '{"error": {"code": 2, "message": "odd.", "hint": ""}}\n', ["--json says another exit code, or nothing"]),
        ("", REFUSED, ["--json is no JSON"]),
    ],
)
def test_documents_are_looked_at_too(out: str, err: str, faults: list[str]) -> None:
    case = fuzz.Case(".csv", b"", ("check", "--json"))
    assert fuzz.faults(case, "t.csv", fuzz.Said(12, out.encode(), err, 0.1)) == faults


def test_a_run_that_does_not_end_is_stopped_and_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def forever(path: str, *_: object) -> None:
        while True:
            pass

    monkeypatch.setattr("forecast.checking.check", forever)
    monkeypatch.setattr(running, "LIMIT", 0.05)
    with fuzz.one_process("error"):
        said = fuzz.run_here(["check", "t.csv"])
    assert said.code == 1
    assert "Hang" in said.err


def test_a_process_of_its_own_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("ds,y\n2024-01-01,1\n2024-01-02,x\n")
    apart = fuzz.run_apart(["check", str(path)])
    with fuzz.one_process("error"):
        here = fuzz.run_here(["check", str(path)])
    assert (apart.code, apart.out, apart.err) == (here.code, here.out, here.err)
