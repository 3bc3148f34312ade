"""Damaged bundles by the hundred thousand: `models verify` and `predict` must refuse each, loading executes nothing.

    python benchmarks/fuzz_bundles.py                 # writes benchmarks/results/fuzz_bundles.csv, a line per 10,000
    python benchmarks/fuzz_bundles.py --only 4711     # one bundle again, by its number, with all that is said of it

The reference model is copied and changed at random (bundle_mutations.py): 100,000 times in one process whose memory is
capped, and 300 times in a process each. What does not fit its checksums must be exit code 14 for `models verify`; for
`predict` it is 14, or 0 with the output of the unchanged model where it does not read the file. A forged bundle, whose
checksums were made to fit, may also load: then it must forecast, be refused, or ask for more memory than it gets (18).
A run takes at most 2 s of the processor; an audit hook sees every file that is opened, every import and everything that
is executed: none may lie outside the bundle. A part that has its line without a fault is left out, so a run that was
stopped goes on.
"""

import argparse
import contextlib
import faulthandler
import os
import sys
import tempfile
import time
import zoneinfo
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import bundle_mutations
import record
from running import LIMIT, STOPPED, Said, cap_memory, one_process, run_apart, run_here

from forecast.commands.record import peak_memory

MODELS = Path(__file__).resolve().parent.parent / "models"
VERIFY, PREDICT = ("models", "verify", "m"), ("predict", "-m", "m", "-o", "-", "-q", "--max-bad", "100%")
SOUND, MISMATCH, DAMAGED, MEMORY = 0, 13, 14, 18
CODES = (SOUND, MISMATCH, DAMAGED, MEMORY)
WARM = 300  # runs before the audit: what a message needs is imported when it is first needed
ONE, EACH = "in one process", "a process each"
PARTS = [(EACH, -300, 300), *((ONE, first, 10_000) for first in range(0, 100_000, 10_000))]
RESULTS, KEY = record.RESULTS / "fuzz_bundles.csv", ("what", "first")
FIELDS = ("what", "seed", "first", "runs", *(f"exit_{code}" for code in CODES), "forged", "wrong", "slowest_seconds")
FIELDS = (*FIELDS, "peak_megabytes", "opened_outside", "executed", "seconds", "commit", "command")
# The rules of time zones, and where threadpoolctl looks for the BLAS that it holds to one thread.
ALLOWED = (*zoneinfo.TZPATH, "/proc/self/maps")
# Events of the interpreter that would be code from a bundle, or a way out of it.
EXECUTES = frozenset((
    *("exec", "compile", "import", "os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen"),
    *("pickle.find_class", "marshal.loads", "ctypes.dlopen", "code.__new__", "socket.connect"),
))  # fmt: skip


@dataclass
class Audit:
    """What the process did while it was watched, beyond reading the bundle."""

    home: str
    watching: bool = False
    opened: list[str] = field(default_factory=list)
    executed: list[str] = field(default_factory=list)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note an event of the interpreter: https://peps.python.org/pep-0578/."""
        if not self.watching:
            return
        if event in EXECUTES and not str(arguments[0]).startswith("tzdata"):
            self.executed.append(f"{event} {str(arguments[0])[:80]}")
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(arguments[0]))
            if not path.startswith((self.home, *ALLOWED)) and "/tzdata/" not in path:
                self.opened.append(path)


@dataclass
class Tally:
    """What many runs came to."""

    codes: Counter[int] = field(default_factory=Counter)
    forged: int = 0
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0


def fuzz(seed: int, runs: range, audit: Audit | None = None, apart: bool = False) -> Tally:
    """Damage the reference model once for each number, and verify it or forecast from it."""
    tally = Tally()
    with (
        bundle_of() as folder,
        contextlib.nullcontext() if apart else one_process("ignore"),
    ):
        call = run_apart if apart else run_here
        sound = {words: call(words) for words in (VERIFY, PREDICT)}
        assert not any(said.code for said in sound.values()), sound
        for number in runs:
            random = Random(f"{seed}:{number}")
            words = PREDICT if random.random() < 0.3 else VERIFY
            with bundle_mutations.damaged(folder, random) as damage:
                if audit:
                    audit.watching = number - runs.start >= WARM
                said = call(words)
                if audit:
                    audit.watching = False
            if said.code in STOPPED:
                raise SystemExit(said.code)
            tally.codes[said.code] += 1
            tally.forged += damage.forged
            tally.slowest = max(tally.slowest, said.seconds)
            wrong = fault(words, damage, said, sound[words])
            if wrong:
                tally.wrong.append(f"{number}: {damage.what}: {' '.join(words[:2])}: {wrong}")
                print(tally.wrong[-1], *said.err.splitlines()[:2], sep="\n  ", file=sys.stderr, flush=True)
    return tally


def fault(words: tuple[str, ...], damage: bundle_mutations.Damage, said: Said, sound: Said) -> str:
    """Return what is wrong with how a run ended; nothing where all is well."""
    if said.seconds > LIMIT:
        return f"{said.seconds:.1f} s of the processor"
    if said.code not in CODES:
        return f"exit code {said.code}"
    if said.code and len(said.err.splitlines()) != 2:
        return "not one line that says what is wrong and one that says what to do"
    if damage.forged:
        return "" if words == PREDICT or said.code != MISMATCH else f"exit code {said.code}"
    if said.code == SOUND and (words == VERIFY or said.out != sound.out):
        return "it is taken for sound"
    return "" if said.code in (SOUND, DAMAGED) else f"exit code {said.code}"


@contextlib.contextmanager
def bundle_of() -> Iterator[Path]:
    """Copy the reference model as `m` into a folder, which the process works in meanwhile; yield the model's folder."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name).resolve() / "models" / "m"
        version = (MODELS / "reference-1" / "CURRENT").read_text().strip()
        (home / "versions" / version).mkdir(parents=True)
        for path in (MODELS / "reference-1" / "versions" / version).iterdir():
            (home / "versions" / version / path.name).write_bytes(path.read_bytes())
        (home / "CURRENT").write_text(f"{version}\n")
        os.chdir(name)  # no table lies there: predict reads the stored rows
        try:
            yield home
        finally:
            os.chdir(before)


def part(what: str, seed: int, first: int, runs: int, audit: Audit) -> dict[str, Any]:
    """Run some of the bundles; return a line of results."""
    begin, commit = time.monotonic(), record.commit()
    audit.opened.clear()
    audit.executed.clear()
    tally = fuzz(seed, range(first, first + runs), audit if what == ONE else None, apart=what == EACH)
    for one in {*audit.opened, *audit.executed}:
        print(one, file=sys.stderr)
    return {
        "what": what,
        "seed": seed,
        "first": first,
        "runs": runs,
        **{f"exit_{code}": tally.codes[code] for code in CODES},
        "forged": tally.forged,
        "wrong": len(tally.wrong),
        "slowest_seconds": f"{tally.slowest:.2f}",
        "peak_megabytes": peak_memory() >> 20 if what == ONE else "",
        "opened_outside": len(audit.opened) if what == ONE else "",
        "executed": len(audit.executed) if what == ONE else "",
        "seconds": round(time.monotonic() - begin),
        "commit": commit,
        "command": f"python benchmarks/fuzz_bundles.py --seed {seed}",
    }


def again(seed: int, number: int) -> None:
    """Damage one bundle, and say all that both commands say of it."""
    with bundle_of() as folder, bundle_mutations.damaged(folder, Random(f"{seed}:{number}"), skip=1) as damage:
        print(damage)
        for words in (VERIFY, PREDICT):
            print(run_apart((*words, "--debug")))


def main() -> None:
    """Run all bundles, part by part, and write a line of results for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="N", help="run the bundle of this number alone, and say all of it")
    given = parser.parse_args()
    if given.only is not None:
        again(given.seed, given.only)
        return
    audit, failed = Audit(f"{Path(tempfile.gettempdir()).resolve()}{os.sep}"), 0
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(MODELS.parent)}
    sys.addaudithook(audit)
    cap_memory()
    for what, first, runs in PARTS:
        sound = {"wrong": 0} | ({"opened_outside": 0, "executed": 0} if what == ONE else {})
        if record.has(RESULTS, {"what": what, "seed": given.seed, "first": first, **sound}):
            continue
        faulthandler.dump_traceback_later(7200, exit=True)  # compiled code heeds no signal
        row = part(what, given.seed, first, runs, audit)
        record.merge(RESULTS, [row], FIELDS, KEY)
        failed += bool(row["wrong"] or row["opened_outside"] or row["executed"])
    if failed:
        raise SystemExit(f"{failed} parts failed.")


if __name__ == "__main__":
    main()
