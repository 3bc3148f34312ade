"""Damaged tables by the hundred thousand: `forecast check` and `forecast predict` must refuse each, or read it.

    python benchmarks/fuzz.py                 # half an hour on 2 cores, writes benchmarks/results/fuzz.csv
    python benchmarks/fuzz.py --only 4711     # one table again, by its number, with all that is said of it

Small valid tables (written.py), in many styles, are changed at random (mutations.py) and given to the command line:
100,000 in one process whose memory is capped, and 500 in a process of their own each. A run
must leave with 0, 2, 12, 13 or 18, within 2 s of the processor, without a traceback or a warning; what it refuses it
must name, and say what to do. A table of which that is not true is kept in a folder, with its command line and what
was said, and the benchmark fails. A part that has its line without a fault is not run again: a run that was stopped
goes on where it was.
"""

import argparse
import contextlib
import csv
import faulthandler
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import mutations
import record
import written
from running import FORECAST, LIMIT, PATIENCE, STOPPED, Said, cap_memory, one_process, run_apart, run_here

from forecast.commands.record import peak_memory

REPOSITORY = Path(__file__).resolve().parent.parent
MODELS = ["--models", str(REPOSITORY / "models"), "-m", "reference-1"]
CODES = (0, 2, 12, 13, 18)
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")  # all but the line feed
ONE, EACH = "in one process", "a process each"
# Other tables in processes of their own than in the first part.
PARTS = [(EACH, -500, 500), (ONE, 0, 100_000)]
RESULTS, KEY = record.RESULTS / "fuzz.csv", ("what", "first")
FIELDS = (
    "what",
    "seed",
    "first",
    "runs",
    *(f"exit_{code}" for code in CODES),
    "kept",
    "slowest_seconds",
    "peak_megabytes",
)
FIELDS = (*FIELDS, "seconds", "commit", "command")


@dataclass(frozen=True)
class Valid:
    """A table that is read as it is."""

    suffix: str
    data: bytes
    words: tuple[str, ...] = ()  # options


@dataclass(frozen=True)
class Case:
    """A damaged table and the command line for it."""

    suffix: str
    data: bytes
    words: tuple[str, ...]  # the command, and options


def case_of(seed: int, number: int, valid: list[Valid]) -> Case:
    """Return the damaged table of this number."""
    random = Random(f"{seed}:{number}")
    chosen = random.choice(valid)
    if chosen.suffix.endswith((".gz", ".zst", ".parquet")):
        data = mutations.damage(chosen.data, random)
    else:
        data = mutations.mutate(chosen.data, random)
    words = [*chosen.words, *(random.choice(OTHER_WORDS) if random.random() < 0.15 else ())]
    command = ["predict", *MODELS, "--max-bad", "100%", "-o", "-"] if random.random() < 0.1 else ["check"]
    return Case(chosen.suffix, data, (*command, *words))


OTHER_WORDS = (
    *(("--time", "none"), ("--wide",), ("--decimal", ","), ("--no-header",), ("--comment", "#"), ("--id", "none")),
    *(("--encoding", "latin-1"), ("--encoding", "utf-16"), ("--date-format", "day-first"), ("--duplicates", "mean")),
    *(("--freq", "D"), ("--freq", "MS"), ("--freq", "W", "--duplicates", "sum"), ("--fill", "interpolate:3")),
    *(("--tz", "Europe/Berlin"), ("--date-format", "%Y-%m-%d %H:%M"), ("--date-format", "excel"), ("--json",)),
    *(("--date-format", "s"), ("--date-format", "step"), ("--thousands", ","), ("--thousands", " "), ("-H", "3")),
    *(
        ("--null-value", "-"),
        ("--delimiter", ";"),
        ("--season", "7"),
        ("--min", "0"),
        ("--target", "y"),
        ("--id", "id"),
    ),
)


def valid_tables() -> list[Valid]:
    """Return small tables in all styles, and the beginnings of the sample tables."""
    tables, day = [], written.Style()
    one = _table("D", 1, 60)
    styles = [
        day,
        replace(day, delimiter=";", decimal=",", newline="\r\n", form="%Y-%m-%d %H:%M"),
        replace(day, delimiter="\t", quoting=csv.QUOTE_ALL, order=("y", "id", "ds")),
        replace(day, delimiter="|", encoding="utf-8-sig", final_newline=False, missing="NA"),
        replace(day, encoding="utf-16", newline="\r\n", form="%Y%m%d"),
        replace(day, quoting=csv.QUOTE_NONNUMERIC, by_time=True, form=written.ISO_T, zone="Z"),
        replace(day, kind="json", order=("ds", "y", "id")),
        replace(day, kind="json", quoting=csv.QUOTE_ALL, missing="null", form=written.ISO_T, zone="+02:00"),
    ]
    for freq in ("D", "h", "MS", "B", "step"):
        for series, steps in ((1, 90), (3, 40), (12, 8)):
            many = _table(freq, series, steps)
            clocked = [replace(style, form=written.ISO_SPACE, zone="") if freq == "h" else style for style in styles]
            tables += [Valid(style.suffix, written.write(many, style)) for style in clocked]
    packed = [replace(day, packing=packing) for packing in ("gz", "zst")]
    packed += [replace(day, kind="json", packing="gz"), replace(day, kind="parquet")]
    packed += [replace(day, kind="parquet", quoting=csv.QUOTE_ALL, final_newline=False)]
    tables += [Valid(style.suffix, written.write(_table("D", 2, 30), style)) for style in packed for _ in range(3)]
    told = {
        ("--date-format", "day-first"): replace(day, form="%d.%m.%Y"),
        ("--thousands", ","): replace(day, thousands=","),
        ("--decimal", ",", "--thousands", "."): replace(day, thousands=".", decimal=",", delimiter=";"),
        ("--encoding", "latin-1"): replace(day, encoding="latin-1"),
        ("--tz", "Europe/Berlin"): replace(day, form=written.ISO_T, zone="+01:00"),
    }
    tables += [Valid(style.suffix, written.write(one, style), words) for words, style in told.items()]
    return tables + _samples()


def _table(freq: str, series: int, steps: int) -> written.Table:
    """Return a table with a season, missing values and gaps."""
    random = Random(f"{freq} {series} {steps}")
    names = ["north", "007", "NA", "1e5", "caf\u00e9", 'say "x"', "a,b", "a/b", "=1+1", "x y", "-", "z\u00fc"]
    return written.Table(
        freq,
        tuple(
            written.Series(
                names[number],
                random.randint(0, 3),
                tuple(
                    None if random.random() < 0.03 else round(100 + 10 * (step % 7) + random.gauss(0, 3), 2)
                    for step in range(steps)
                ),
                frozenset(step for step in range(3, steps - 3) if random.random() < 0.03),
            )
            for number in range(series)
        ),
    )


def _samples() -> list[Valid]:
    """Return the first rows of the sample tables, with what a person would say of them."""
    told = {
        "us_employment": (("--id", "sector"), ("--id", "sector", "--target", "employees", "--freq", "MS")),
        "bike_sharing": (("--target", "rentals", "--past", "temperature", "--future", "holiday"),),
        "seattle_weather": (("--target", "temp_max", "--target", "wind"), ("--wide",)),
        "co2": ((), ("--freq", "W-SAT")),
        "sunspots": (("--time", "year"), ("--time", "none", "--target", "sunspots")),
    }
    found = []
    for name, ways in told.items():
        lines = (REPOSITORY / "data" / f"{name}.csv").read_bytes().splitlines(keepends=True)
        found += [Valid(".csv", b"".join(lines[: mutations.MOST_ROWS]), words) for words in ways for _ in range(3)]
    return found


def faults(case: Case, path: str, said: Said) -> list[str]:
    """Return what is wrong with how a run ended; nothing where all is well."""
    found = []
    if said.code not in CODES:
        found.append(f"exit code {said.code}")
    if said.seconds > LIMIT:
        found.append(f"{said.seconds:.1f} s of the processor")
    shown = said.out.decode(errors="replace")
    if "Traceback" in said.err + shown:
        found.append("a traceback")
    words = said.err
    if "--json" in case.words:
        found += _json_faults(said)
    elif said.code == 0:
        found += ["check has something to say on stderr"] if words and case.words[0] == "check" else []
    else:
        message = words[max(0, words.find("Error: ")) :].splitlines()
        if not words.startswith("Error: ") and case.words[0] == "check":
            found.append("more than the error on stderr")
        if len(message) != 2 or not all(message):
            found.append("not one line that says what is wrong and one that says what to do")
        if said.code == 12 and path not in words + shown:
            found.append("the table is not named")
    if CONTROL.search(said.err + (shown if case.words[0] == "check" else "")):
        found.append("characters that a terminal would obey")
    return found


def _json_faults(said: Said) -> list[str]:
    """Return what is wrong with what --json prints."""
    try:
        code = json.loads(said.err)["error"]["code"] if said.err else 0
        document = json.loads(said.out) if said.out else None
    except (ValueError, KeyError, TypeError):
        return ["--json is no JSON"]
    return [] if code == said.code and (document or code) else ["--json says another exit code, or nothing"]


@dataclass
class Tally:
    """What many runs came to."""

    codes: Counter[int]
    kept: int = 0
    slowest: float = 0.0

    def add(self, case: Case, path: Path, said: Said, keep: Path, name: str) -> None:
        """Count a run, and keep its table where something is wrong."""
        self.codes[said.code] += 1
        self.slowest = max(self.slowest, said.seconds)
        wrong = faults(case, str(path), said)
        if not wrong:
            return
        self.kept += 1
        keep.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, keep / f"{name}{case.suffix}")
        line = shlex.join(["forecast", *case.words, f"{name}{case.suffix}"])
        (keep / f"{name}.txt").write_text(
            "\n".join([*wrong, line, said.err, said.out.decode(errors="replace")]), encoding="utf-8", errors="replace"
        )
        print(f"{name}: {'; '.join(wrong)}", *said.err.splitlines()[:2], sep="\n  ", file=sys.stderr, flush=True)


def fuzz(seed: int, runs: range, keep: Path, apart: bool = False) -> Tally:
    """Run the damaged tables of these numbers, and keep those of which something is wrong."""
    tally, valid = Tally(Counter()), valid_tables()
    with tempfile.TemporaryDirectory() as folder, contextlib.nullcontext() if apart else one_process("error"):
        for number in runs:
            case = case_of(seed, number, valid)
            path = Path(folder) / f"table{case.suffix}"
            path.write_bytes(case.data)
            words = [case.words[0], str(path), *case.words[1:]]
            if number % 100 == 0:
                faulthandler.dump_traceback_later(10 * PATIENCE, exit=True)  # compiled code heeds no signal
            said = run_apart(words) if apart else run_here(words)
            if said.code in STOPPED:
                raise SystemExit(said.code)
            tally.add(case, path, said, keep, f"{seed}-{number}")
    faulthandler.cancel_dump_traceback_later()
    return tally


def part(what: str, seed: int, first: int, runs: int, keep: Path) -> dict[str, Any]:
    """Run some of the tables; return a line of results."""
    begin, commit = time.monotonic(), record.commit()
    if what == ONE:
        cap_memory()
    tally = fuzz(seed, range(first, first + runs), keep, apart=what == EACH)
    return {
        "what": what,
        "seed": seed,
        "first": first,
        "runs": runs,
        **{f"exit_{code}": tally.codes[code] for code in CODES},
        "kept": tally.kept,
        "slowest_seconds": f"{tally.slowest:.2f}",
        "peak_megabytes": peak_memory() >> 20 if what == ONE else "",
        "seconds": round(time.monotonic() - begin),
        "commit": commit,
        "command": f"python benchmarks/fuzz.py --seed {seed}",
    }


def again(seed: int, number: int) -> None:
    """Run one table in a process in place of this one, with the traceback of an error."""
    case = case_of(seed, number, valid_tables())
    path = Path(tempfile.gettempdir()) / f"fuzz-{seed}-{number}{case.suffix}"
    path.write_bytes(case.data)
    words = [case.words[0], str(path), *case.words[1:], "--debug"]
    print(shlex.join(["forecast", *words]), flush=True)
    os.execv(sys.executable, [*FORECAST, *words])


def main() -> None:
    """Run all tables, part by part, and write a line of results for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="N", help="run the table of this number alone, and say all of it")
    parser.add_argument("--part", nargs=3, metavar=("WHAT", "FIRST", "RUNS"), help=argparse.SUPPRESS)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-found"), help="folder for tables with a fault")
    given = parser.parse_args()
    if given.only is not None:
        again(given.seed, given.only)
    if given.part is not None:
        what, first, runs = given.part
        row = part(what, given.seed, int(first), int(runs), given.keep)
        record.merge(RESULTS, [row], FIELDS, KEY)
        raise SystemExit(1 if row["kept"] else 0)
    failed = 0
    for what, first, runs in PARTS:
        if not record.has(RESULTS, {"what": what, "seed": given.seed, "first": first, "kept": 0}):
            words = ["--seed", str(given.seed), "--keep", str(given.keep), "--part", what, str(first), str(runs)]
            failed += subprocess.run([sys.executable, __file__, *words], check=False).returncode != 0
    if failed:
        raise SystemExit(f"{failed} parts failed; tables with a fault are in {given.keep}.")


if __name__ == "__main__":
    main()
