"""Print the result files of accuracy.py and rivals.py as the tables of docs/accuracy.md: `make bench-summary`.

Ours with mean and standard deviation over the seeds that were run, rivals beside them. After the tables of the single
sets: ETTh1 as the mean of its horizons, and the sets of any kind against seasonal naive, ridge and the rivals.
"""

import argparse
import statistics
from collections.abc import Iterable
from pathlib import Path

import record
from accuracy import CUT
from sets import ANY_DATA, ETTH1, SETS

# name of the column -> heading, digits after the point
COLUMNS = {
    "smape": ("sMAPE", 2),
    "mase": ("MASE", 3),
    "owa": ("OWA", 3),
    "mse": ("MSE", 3),
    "mae": ("MAE", 3),
    "pinball": ("pinball", 3),
    "cover_80": ("80 % band", 1),
    "cover_95": ("95 % band", 1),
    "train_seconds": ("seconds", 0),
    "peak_mb": ("MB", 0),
}
OVERVIEW = ("whole", "network alone", f"whole{CUT}", "seasonal naive alone", "ridge alone")
Line = dict[str, str]


def cell(values: Iterable[str], digits: int) -> str:
    """Return the mean of the figures that are there, with their standard deviation where there are several.

    >>> cell(["0.40", "0.44"], 2), cell(["", "3"], 0), cell([""], 1)
    ('0.42 ± 0.03', '3', '')
    """
    numbers = [float(value) for value in values if value]
    if not numbers:
        return ""
    mean = f"{statistics.mean(numbers):.{digits}f}"
    return f"{mean} ± {statistics.stdev(numbers):.{digits}f}" if len(numbers) > 1 else mean


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown, without the columns that are empty."""
    kept = [place for place in range(len(head)) if any(row[place] for row in rows)]
    lines = [[row[place] for place in kept] for row in [head, ["---"] * len(head), *rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def groups(ours: list[Line]) -> dict[tuple[str, str], list[Line]]:
    """Return our lines by part and preset, in the order of the file, those with the recurrence cut behind their own."""
    found: dict[tuple[str, str], list[Line]] = {}
    for line in ours:
        found.setdefault((line["part"], line["preset"]), []).append(line)
    return dict(sorted(found.items(), key=lambda item: (item[0][1], CUT in item[0][0])))


def named(part: str, preset: str) -> str:
    """Return the name of a row; a baseline has no preset."""
    return f"{part} ({preset})" if preset else part


def set_table(ours: list[Line], rivals: list[Line]) -> str:
    """Return the table of one set: a row for each part and preset, then one for each rival."""
    head = ["what", "seeds", *(heading for heading, _ in COLUMNS.values())]
    rows = [
        [named(part, preset), str(len(lines)), *(cell((one[c] for one in lines), d) for c, (_, d) in COLUMNS.items())]
        for (part, preset), lines in groups(ours).items()
    ]
    for line in rivals:
        timed = line | {"train_seconds": line["seconds"]}
        what = line["model"] if line["outcome"] == "done" else f"{line['model']}: {line['outcome']}"
        rows.append([what, "1", *(cell([timed[column]], digits) for column, (_, digits) in COLUMNS.items())])
    return table(head, rows)


def horizons_table(lines: list[Line]) -> str:
    """Return the mean over the horizons of ETTh1 of each part, of the seeds for which every horizon was run."""
    by_run: dict[tuple[str, str], dict[str, list[Line]]] = {}
    for line in lines:
        by_run.setdefault((line["part"], line["preset"]), {}).setdefault(line["seed"], []).append(line)
    rows = []
    for (part, preset), seeds in by_run.items():
        whole = [found for found in seeds.values() if len(found) == len(ETTH1)]
        means = [[str(statistics.mean(float(one[c]) for one in found)) for found in whole] for c in ("mse", "mae")]
        if whole:
            rows.append([named(part, preset), str(len(whole)), *(cell(values, 3) for values in means)])
    return table(["what", "seeds", "MSE", "MAE"], rows) if rows else ""


def overview(accuracy: Path, rivals: Path, column: str = "mase", preset: str = "balanced") -> str:
    """Return one row for each set that has no protocol of its own: ours, the baselines and the rivals beside it."""
    models: list[str] = []
    found: dict[str, dict[str, list[str]]] = {}
    for one in ANY_DATA:
        entry = found.setdefault(one.name, {})
        for line in record.read(accuracy / f"{one.name}.csv"):
            if line["preset"] in ("", preset):
                entry.setdefault(line["part"], []).append(line[column])
        for line in record.read(rivals / f"{one.plain or one.name}.csv"):
            models += [line["model"]] if line["model"] not in models else []
            entry.setdefault(line["model"], []).append(line[column])
    wanted = [*OVERVIEW, *models]
    rows = [[name, *(cell(entry.get(what, []), 3) for what in wanted)] for name, entry in found.items() if entry]
    return table(["set", *wanted], rows) if rows else ""


def main() -> None:
    """Print every table for which there are results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=list(SETS), help=f"of {', '.join(SETS)}; default: all")
    parser.add_argument("--results", type=Path, default=record.RESULTS)
    given = parser.parse_args()
    accuracy, rivals = given.results / "accuracy", given.results / "rivals"
    for name in given.sets:
        ours = record.read(accuracy / f"{name}.csv")
        others = record.read(rivals / f"{SETS[name].plain or name}.csv")
        if ours or others:
            commits = ", ".join(dict.fromkeys(line["commit"] for line in ours))
            print(f"### {name}\n\n{set_table(ours, others)}\n" + (f"\nOurs at {commits}.\n" if commits else ""))
    horizons = horizons_table([line for one in ETTH1 for line in record.read(accuracy / f"{one.name}.csv")])
    print(f"### ETTh1, mean of the horizons\n\n{horizons}\n" if horizons else "", end="")
    for column in ("mase", "pinball"):
        print(f"### Any data, {COLUMNS[column][0]}\n\n{overview(accuracy, rivals, column)}\n")


if __name__ == "__main__":
    main()
