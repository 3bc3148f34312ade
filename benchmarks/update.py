"""Whether `forecast update` is much faster than training anew, and no worse.

    python benchmarks/update.py                # small tables; writes benchmarks/results/update.csv

Each table is cut in time: a model is trained on the rows before the new ones, then updated with them, and another model
is trained anew on all of these rows, with two seeds. What follows is the truth for all: the errors are those of
`forecast backtest -m` at the same origins after the last of these rows. What the update has made is measured whether or
not it was promoted; `promoted` says which. Seconds are of the processor, start-up included.
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import record

REPOSITORY = Path(__file__).parent.parent
SEEDS = (1, 2)
MOST = 20  # origins


@dataclass(frozen=True)
class Table:
    """A sample table: its file, its time column, how it is trained on, and the horizon."""

    path: str
    time: str
    words: tuple[str, ...]
    horizon: int
    cuts: tuple[tuple[int, int], ...]  # steps that are new, and steps of truth after them


TABLES = {
    "bike_sharing": Table("data/bike_sharing.csv", "timestamp", ("--target", "rentals"), 48, ((168, 336), (1344, 336))),
    "seattle_weather": Table("data/seattle_weather.csv", "date", ("--target", "temp_max"), 14, ((28, 120), (365, 120))),
    "us_employment": Table(
        "data/us_employment.csv", "date", ("--id", "sector", "--target", "employees"), 12, ((12, 24), (36, 24))
    ),
}


def cut(table: Table, place: Path, dropped: int) -> None:
    """Write a table without the rows of its last `dropped` times."""
    with (REPOSITORY / table.path).open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    column = header.index(table.time)
    times = sorted({row[column] for row in rows})
    kept = set(times[: len(times) - dropped])
    with place.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *(row for row in rows if row[column] in kept)])


def run(words: list[str], folder: str, codes: tuple[int, ...] = (0,)) -> tuple[dict[str, Any], float]:
    """Run a command; return the record it prints, and the seconds that it has computed."""
    before = _processor_time()
    call = [sys.executable, str(REPOSITORY / "cli.py"), *words, "--json"]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        raise SystemExit(f"{' '.join(words)}\n{done.stderr}")
    return json.loads(done.stdout), _processor_time() - before


def measure(name: str, new: int, held: int, preset: str) -> dict[str, Any]:
    """Measure one table at one cut; return the line of the result."""
    table = TABLES[name]
    options = [*table.words, "-H", str(table.horizon), "--preset", preset]
    every = max(1, (held - table.horizon) // (MOST - 1))
    origins = ["--origins", str(min(MOST, (held - table.horizon) // every + 1)), "--every", str(every)]
    with tempfile.TemporaryDirectory() as folder:
        for file, dropped in (("before.csv", held + new), ("after.csv", held), ("whole.csv", 0)):
            cut(table, Path(folder) / file, dropped)

        def error(model: str) -> float:
            found, _ = run(["backtest", "whole.csv", "-m", model, *origins], folder)
            return float(found["metrics"]["scores"]["model"]["mase"])

        first, train_s = run(["train", "before.csv", "-m", "one", *options], folder)
        update, update_s = run(["update", "after.csv", "-m", "one", "--require-promotion"], folder, (0, 16))
        fresh = [
            run(["train", "after.csv", "-m", f"seed{seed}", *options, "--seed", str(seed)], folder) for seed in SEEDS
        ]
        errors = [error(one["model"]) for one in (first, update, *(made for made, _ in fresh))]
        fresh_s = sum(seconds for _, seconds in fresh) / len(fresh)
    return {
        "set": name,
        "preset": preset,
        "new_steps": new,
        "truth_steps": held,
        "train_before_s": f"{train_s:.1f}",
        "update_s": f"{update_s:.1f}",
        "train_anew_s": f"{fresh_s:.1f}",
        "ratio": f"{fresh_s / update_s:.1f}",
        "promoted": update["update"]["promoted"],
        "mase_current": f"{errors[0]:.4f}",
        "mase_update": f"{errors[1]:.4f}",
        **{f"mase_anew_{seed}": f"{error:.4f}" for seed, error in zip(SEEDS, errors[2:], strict=True)},
        "commit": record.commit(),
        "command": " ".join(["python benchmarks/update.py", name, "--preset", preset]),
    }


def _processor_time() -> float:
    """Return the seconds that the processes started from here have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure every table at every cut; each line is written when it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=list(TABLES), help=f"of {', '.join(TABLES)}; default: all")
    parser.add_argument("--preset", default="fast", help="of the trainings")
    arguments = parser.parse_args()
    if not set(arguments.sets) <= set(TABLES):
        parser.error(f"a set is one of {', '.join(TABLES)}")
    for name in arguments.sets:
        for new, held in TABLES[name].cuts:
            row = measure(name, new, held, arguments.preset)
            record.merge(record.RESULTS / "update.csv", [row], list(row), ["set", "preset", "new_steps"])


if __name__ == "__main__":
    main()
