"""Accuracy on published test sets, by the default configuration: nothing is set but season, horizon and layout.

    python benchmarks/accuracy.py m4_hourly m3_monthly etth1 --shared ../shared

The shared folder holds data/ (M4, M3, ETTh1) and tools/score.py, the one scorer. M4 and M3 run the command
`forecast train` and score its predictions; ETTh1 goes through the Python API: trained on rows 1-11,520, then, without a
refit, every window whose 96 targets lie in rows 11,521-14,400, errors standardised on rows 1-8,640. With
--cut-recurrence the same network is trained with its memory cut, to show what the recurrence is worth. Each run
appends its lines to benchmarks/results/accuracy.csv.
"""

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

LAUNCHER = Path(__file__).parent.parent / "cli.py"
RESULTS = Path(__file__).parent / "results" / "accuracy.csv"
NAIVE2 = {"m4_hourly": ("18.383", "2.395")}  # sMAPE and MASE of Naive2 on the test set, from the competition
FIELDS = (
    *("set", "part", "seed", "smape", "mase", "owa", "cover_80", "cover_95", "mse", "mae"),
    *("train_seconds", "peak_mb", "mix", "commit", "command"),
)


@dataclass(frozen=True)
class Competition:
    """A set of the M4 / M3 form: one train and one test table."""

    name: str
    seasons: tuple[int, ...]
    horizon: int


COMPETITIONS = {
    "m4_hourly": Competition("m4_hourly", (24, 168), 48),
    "m3_monthly": Competition("m3_monthly", (12,), 18),
}


def run_competition(one: Competition, shared: Path, seed: int, cut: bool) -> list[dict[str, Any]]:
    """Train by the command (or, with the recurrence cut, by the API), score the whole and the network alone."""
    train, test = (shared / "data" / f"{one.name}_{part}.csv.gz" for part in ("train", "test"))
    with tempfile.TemporaryDirectory() as folder:
        predictions = Path(folder) / "predictions.csv"
        seasons = [word for season in one.seasons for word in ("--season", str(season))]
        command = ["forecast", "train", str(train), *seasons, "-H", str(one.horizon), "--seed", str(seed)]
        begin = time.monotonic()
        if cut:
            trained, panel = train_cut(train, one, seed)
            command = ["python", "benchmarks/accuracy.py", one.name, "--cut-recurrence", "--seed", str(seed)]
        else:
            store = Path(folder) / "models"
            run = [sys.executable, str(LAUNCHER), *command[1:], "--models", str(store), "-m", "one"]
            subprocess.run(run, check=True)
            trained, panel = load_again(store, train)
        seconds = time.monotonic() - begin
        shown = " ".join(word.replace(str(shared), "../shared") for word in command)
        rows = []
        for part, kinds in (("whole", None), ("network alone", {"network"})):
            if kinds is None or "network" in {one.kind for one in trained.fitted}:
                write_predictions(predictions, trained, panel, kinds)
                scores = score(shared, predictions, test, train, one)
                part = f"{part}, recurrence cut" if cut else part
                rows.append(line(one.name, part, seed, scores, seconds, trained, shown))
    return rows


def train_cut(table: Path, one: Competition, seed: int) -> tuple[Any, Any]:
    """Train the same plan with the memory cut, through the API."""
    from forecast import ReadOptions, TrainOptions, pipeline, read_panel
    from forecast.planning import settle

    reading = read_panel(str(table), ReadOptions(season=one.seasons))
    options = TrainOptions(horizon=one.horizon, seed=seed)
    plan = replace(settle(reading.panel, options, one.seasons), memory=False)
    return pipeline.train(reading.panel, options, reading.options, plan=plan).trained, reading.panel


def load_again(store: Path, table: Path) -> tuple[Any, Any]:
    """Load what the command published, and its table."""
    from forecast import load, read_panel

    trained = load(store, "one").trained
    return trained, read_panel(str(table), trained.read).panel


def write_predictions(path: Path, trained: Any, panel: Any, kinds: set[str] | None) -> None:
    """Write the forecasts of the whole mix, or of some of its parts, as the command would."""
    from forecast import PredictOptions, predict
    from forecast.tables.write import table_bytes

    if kinds is not None:
        parts = [one for one in trained.fitted if one.kind in kinds]
        trained = replace(trained, fitted=tuple(parts), weights=(1.0 / len(parts),) * len(parts))
    names = (trained.read.id[0], trained.read.time[0])
    path.write_bytes(table_bytes(predict(trained, panel), names, PredictOptions(), "model", ".csv"))


def score(shared: Path, predictions: Path, test: Path, train: Path, one: Competition) -> dict[str, float]:
    """Run the scorer and read its line."""
    command = [sys.executable, str(shared / "tools" / "score.py"), str(predictions), str(test), str(train)]
    command += ["--season", str(one.seasons[0])]
    command += ["--naive2", *NAIVE2[one.name]] if one.name in NAIVE2 else []
    words = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    pairs = zip(words[::2], words[1::2], strict=True)
    return {name.lower(): float(value.rstrip("%")) for name, value in pairs if name != "series"}


def run_etth1(shared: Path, seed: int) -> list[dict[str, Any]]:
    """Train on rows 1-11,520 of ETTh1 as a wide table, evaluate all windows of rows 11,521-14,400 without a refit."""
    from forecast import ReadOptions, TrainOptions, pipeline, predict, read_panel

    horizon, first, last = 96, 11_520, 14_400
    reading = read_panel(str(shared / "data" / "ETTh1.csv"), ReadOptions(wide=True, season=(24,)))
    whole, count = reading.panel, len(reading.panel)
    begin = time.monotonic()
    visible = whole.select(np.arange(count), np.full(count, first))
    trained = pipeline.train(visible, TrainOptions(horizon=horizon, seed=seed), reading.options).trained
    seconds = time.monotonic() - begin
    spread = np.array([np.std(whole.values(series)[:8640]) for series in range(count)])
    totals: dict[str, list[float]] = {}
    parts = {"whole": trained} | {
        f"{one.kind} alone": replace(trained, fitted=(one,), weights=(1.0,)) for one in trained.fitted
    }
    for origins in np.array_split(np.arange(first, last - horizon + 1), 12):
        series, lengths = np.tile(np.arange(count), len(origins)), np.repeat(origins, count)
        cut = whole.select(series, lengths)
        truth = cut.truth(horizon)
        for part, model in parts.items():
            forecasts = predict(model, cut)
            errors = (forecasts.quantiles[:, :, forecasts.probabilities.index(0.5)] - truth) / spread[series, None]
            entry = totals.setdefault(part, [0.0, 0.0, 0.0])
            for position, value in enumerate((np.sum(errors**2), np.sum(np.abs(errors)), errors.size)):
                entry[position] += float(value)
    command = f"python benchmarks/accuracy.py etth1 --seed {seed}"
    return [
        line("etth1", part, seed, {"mse": squares / n, "mae": absolute / n}, seconds, trained, command)
        for part, (squares, absolute, n) in totals.items()
    ]


def line(
    name: str, part: str, seed: int, scores: dict[str, float], seconds: float, trained: Any, command: str
) -> dict[str, Any]:
    """Return one line of the results."""
    mix = " ".join(f"{one.kind}:{weight:.2f}" for one, weight in zip(trained.fitted, trained.weights, strict=True))
    children, own = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF))
    describe = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(describe, check=True, capture_output=True, text=True).stdout.strip()
    rounded = {key: f"{value:.4f}" if key not in ("cover_80", "cover_95") else value for key, value in scores.items()}
    return {
        **dict.fromkeys(FIELDS, ""),
        **{"set": name, "part": part, "seed": seed, "train_seconds": f"{seconds:.0f}"},
        **{"peak_mb": max(children, own) // 1024, "mix": mix, "commit": commit, "command": command},
        **rounded,
    }


def main() -> None:
    """Run the sets that are named, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = [*COMPETITIONS, "etth1"]
    parser.add_argument("sets", nargs="*", default=every, help=f"of {', '.join(every)}; default: all")
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cut-recurrence", action="store_true")
    arguments = parser.parse_args()
    runs: dict[str, Callable[[], list[dict[str, Any]]]] = {
        name: lambda one=one: run_competition(one, arguments.shared, arguments.seed, arguments.cut_recurrence)
        for name, one in COMPETITIONS.items()
    } | {"etth1": lambda: run_etth1(arguments.shared, arguments.seed)}
    if not set(arguments.sets) <= set(runs):
        parser.error(f"a set is one of {', '.join(every)}")
    RESULTS.parent.mkdir(exist_ok=True)
    for name in arguments.sets:
        rows = runs[name]()
        fresh = not RESULTS.exists()
        with RESULTS.open("a", newline="") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
            if fresh:
                writer.writeheader()
            writer.writerows(rows)
        for row in rows:
            print({key: value for key, value in row.items() if value != ""}, flush=True)


if __name__ == "__main__":
    main()
