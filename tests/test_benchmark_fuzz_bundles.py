"""Damaged bundles are refused, nothing of them is executed: some hundreds of what the benchmark does by the 100,000."""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import bundle_mutations
import fuzz_bundles
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
# A process of its own: an audit hook cannot be taken away again, and the memory is capped.
AUDITED = """
import json, os, sys, tempfile
from pathlib import Path
import fuzz_bundles
audit = fuzz_bundles.Audit(f"{Path(tempfile.gettempdir()).resolve()}{os.sep}")
sys.addaudithook(audit)
fuzz_bundles.cap_memory()
fuzz_bundles.WARM = 100
tally = fuzz_bundles.fuzz(7, range(300), audit)
print(json.dumps([dict(tally.codes), tally.wrong, audit.opened, audit.executed]))
"""


@pytest.fixture(scope="module")
def audited() -> Any:
    """Return exit codes, faults, files opened outside and what was executed, of 300 damaged bundles."""
    paths = os.pathsep.join(str(path) for path in (REPOSITORY, REPOSITORY / "benchmarks"))
    done = subprocess.run(
        [sys.executable, "-c", AUDITED],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_damaged_bundle_is_refused_or_changes_nothing(audited: Any) -> None:
    codes, wrong, _, _ = audited
    assert wrong == []
    assert sum(codes.values()) == 300
    assert codes["14"] > 200


def test_loading_opens_nothing_outside_the_bundle_and_executes_nothing(audited: Any) -> None:
    assert audited[2:] == [[], []]


@pytest.mark.parametrize(
    ("event", "argument", "opened", "executed"),
    [
        ("open", "/etc/passwd", ["/etc/passwd"], []),
        ("open", "/store/plan.json", [], []),
        ("open", "/store/../etc/passwd", ["/etc/passwd"], []),
        ("open", 3, [], []),
        ("import", "os", [], ["import os"]),
        ("os.system", "ls", [], ["os.system ls"]),
        ("os.listdir", "/", [], []),
    ],
)
def test_the_audit_sees_what_it_must_see(event: str, argument: object, opened: list[str], executed: list[str]) -> None:
    audit = fuzz_bundles.Audit("/store/")
    audit(event, (argument, "r", 0))
    assert (audit.opened, audit.executed) == ([], [])
    audit.watching = True
    audit(event, (argument, "r", 0))
    assert (audit.opened, audit.executed) == (opened, executed)


@pytest.mark.parametrize("damage", [*bundle_mutations.ACCIDENTS, *bundle_mutations.FORGERIES])
def test_what_was_damaged_is_put_right_again(damage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_mutations, "ACCIDENTS", (damage,))
    monkeypatch.setattr(bundle_mutations, "FORGERIES", (damage,))
    with fuzz_bundles.bundle_of() as home:
        before = {path: path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}
        with bundle_mutations.damaged(home, Random(1)):
            pass
        assert {path: path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()} == before


@pytest.mark.parametrize(
    ("forged", "code", "out", "fault"),
    [
        (False, 14, b"", ""),
        (False, 0, b"same", ""),
        (False, 0, b"other", "it is taken for sound"),
        (False, 13, b"", "exit code 13"),
        (True, 13, b"", ""),
        (True, 0, b"other", ""),
        (True, 1, b"", "exit code 1"),
    ],
)
def test_a_forecast_from_a_damaged_bundle_is_judged_by_its_bytes(
    forged: bool, code: int, out: bytes, fault: str
) -> None:
    said = fuzz_bundles.Said(code, out, "what\nmend\n" if code else "", 0.1)
    damage = bundle_mutations.Damage("x", forged)
    assert fuzz_bundles.fault(fuzz_bundles.PREDICT, damage, said, fuzz_bundles.Said(0, b"same", "", 0.1)) == fault


def test_a_damaged_bundle_that_is_verified_is_a_fault() -> None:
    sound = fuzz_bundles.Said(0, b"", "", 0.1)
    damage = bundle_mutations.Damage("x")
    assert fuzz_bundles.fault(fuzz_bundles.VERIFY, damage, sound, sound) == "it is taken for sound"
