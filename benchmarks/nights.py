"""A year of nights: is what cron leaves each morning right, or absent with the right exit code, and does nothing grow?

    python benchmarks/nights.py              # 365 nights, writes benchmarks/results/nights.csv and nights_summary.csv
    python benchmarks/nights.py --days 30    # the first month alone, which is only printed

Six shops, hour by hour, whose tables come late, corrected, with gaps, cut off, renamed or not at all (night_feed.py).
Every night `forecast run nightly -q` (predict with a log, then score) runs as cron would start it, at the time of that
night (faketime), and every seventh `forecast run weekly` (update). An oracle that knows the tables and nothing of the
program (night_oracle.py) says how each must end and what the forecast and the scores must hold. Every forecast is made
again and must have the same bytes; where none was due, nothing may have changed.
"""

import argparse
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import record
from night_feed import Event, World
from night_oracle import CODES, DONE, DRIFTED, HORIZON, KILLED, LOCKED, MARKED, MISMATCH, REFUSED, STALE, Oracle
from night_program import Program, Ran

WEEK, MONTH = 7, 30  # nights
MODEL, STORE, CONTROL, LOG, OUT, SCORES = "sales", "models", "control", "log", "out", "scores.csv"
SETTINGS = f"""
[forecast]
models = "{STORE}"
model = "{MODEL}"
[data]
path = "feed/*.csv"
[predict]
output = "{OUT}/{{cutoff}}.csv"
log = "{LOG}"
record = "record.json"
max-age = "error:26h"
[score]
actuals = "feed/*.csv"
output = "{SCORES}"
max-drift = 1.2
[update]
max-age = "error:26h"
[job.nightly]
steps = ["predict", "score"]
[job.weekly]
steps = ["update"]
"""
SETTINGS_OF_CONTROL = f"""
[forecast]
models = "{CONTROL}"
[data]
path = "feed/*.csv"
[predict]
output = "control.csv"
"""
KEPT = (SCORES, "record.json")  # files that the program writes beside its folders
TRAIN = ["--id", "shop", "--time", "time", "--target", "sales", "--tz", "Europe/Berlin", "--season", "24"]
TRAIN += ["--duplicates", "last", "--min", "0", "-H", str(HORIZON), "--preset", "fast"]
SETTLED = re.compile("(is|stays) the current version")  # what an update ends with
MOST_VERSIONS = 4  # of a model: three, and one that is younger than a day
FOUND_WITHIN = 21  # nights, in which drift must be found
MOST_GROWTH = {"processor_seconds": 3.0, "peak_mb": 1.5, "log_bytes": 1.5, f"{STORE}_bytes": 2.0, f"{LOG}_files": 1.5}


@dataclass
class Night:
    """What came of a night."""

    number: int
    ran: Ran
    faults: list[str]
    sizes: dict[str, int]  # files and bytes by place
    update: str = ""  # what the weekly job settled
    updating: Ran | None = None  # how that ended


@dataclass
class Year:
    """A folder in which night follows night."""

    folder: Path
    world: World
    program: Program
    oracle: Oracle
    known: set[str]  # shops that the current version has learnt
    first: str  # version, which the control keeps
    controlled: dict[tuple[str, str, int], float] = field(default_factory=dict)  # shop, cutoff, step: its forecast

    @property
    def version(self) -> str:
        """The current version."""
        return (self.folder / STORE / MODEL / "CURRENT").read_text().strip()


def begin(folder: Path, world: World, train: Callable[[Program, datetime], None]) -> Year:
    """Deliver the history, train a model on it, and keep a copy of the store as the control."""
    for name in ("feed", OUT):
        (folder / name).mkdir()
    (folder / "forecast.toml").write_text(SETTINGS)
    (folder / "control.toml").write_text(SETTINGS_OF_CONTROL)
    deliver(folder, world, 0)
    program, oracle = Program(folder), Oracle(world)
    train(program, world.moment(0) - timedelta(hours=1))
    shutil.copytree(folder / STORE, folder / CONTROL)
    oracle.take(0)
    year = Year(folder, world, program, oracle, set(oracle.last), "")
    year.first = year.version
    return year


def train(program: Program, moment: datetime) -> None:
    """Train the model of the first night."""
    table, store = str(program.folder / "feed/*.csv"), str(program.folder / STORE)
    ran = program.run(moment, "train", table, "--models", store, "-m", MODEL, *TRAIN, "-q", config=None)
    if ran.code:
        raise SystemExit(f"forecast train: exit code {ran.code}\n{ran.said}")


def deliver(folder: Path, world: World, number: int) -> None:
    """Write the files that come before a night."""
    for name, content in world.files(number).items():
        (folder / "feed" / name).write_bytes(content)


def live(year: Year, updates: bool = True) -> Iterator[Night]:
    """Yield one night after the other."""
    for number in range(year.world.nights):
        yield live_through(year, number, updates and number % WEEK == WEEK - 1)


def live_through(year: Year, number: int, updates: bool) -> Night:
    """Run the jobs of a night, and judge what they leave."""
    if number:
        deliver(year.folder, year.world, number)
    before, expected = prints(year.folder), year.oracle.code(number)
    ran, faults = run_nightly(year, number)
    drifts = ran.code == DRIFTED and expected in (DONE, MARKED)  # whether rightly, the summary says
    if ran.code != expected and not drifts:
        faults.append(f"exit code {ran.code}, not {expected}: {ran.said}")
    if not (ran.said == "" if ran.code in (DONE, KILLED) else ran.said.startswith("Error: ")):
        faults.append(f"it said {ran.said!r}")
    if expected in (DONE, MARKED, KILLED):
        year.oracle.take(number)
        faults += faults_of_forecast(year, number, before)
    elif prints(year.folder) != before:
        faults.append("something has changed")
    night = Night(number, ran, faults, sizes(year.folder))
    if updates:
        night.update, night.updating = update(year, number, faults)
    return night


def run_nightly(year: Year, number: int) -> tuple[Ran, list[str]]:
    """Run `forecast run nightly` as that night has it; return how it ended, and what was wrong with a second run."""
    event, words = year.world.event(number), ("run", "nightly", "-q")
    moment = year.world.moment(number)
    if event is Event.KILLED:
        killed = year.program.start(moment, *words).kill(Random(number).uniform(0.1, 0.6))
        again = year.program.run(moment, *words)
        return killed, [] if again.code in (DONE, DRIFTED) else [f"after the kill: {again}"]
    if event is Event.TWICE:
        both = [year.program.start(moment, *words) for _ in range(2)]
        ran, other = sorted((one.wait() for one in both), key=lambda one: one.code)
        return ran, [] if other.code in (DONE, LOCKED, DRIFTED) else [f"the second: {other}"]
    return year.program.run(moment, *words, full=event is Event.FULL), []


def faults_of_forecast(year: Year, number: int, before: dict[str, Any]) -> list[str]:
    """Return what is wrong with the forecast of a night, with another run of it, and with the scores."""
    oracle, after = year.oracle, prints(year.folder)
    place = f"{OUT}/{oracle.name()}"
    faults = [f"{name} has changed" for name in before if name.startswith(OUT) and after.get(name) != before[name]]
    new = [name for name in after.keys() - before.keys() if name.startswith(OUT)]
    if new != [place]:
        return [*faults, f"new outputs: {sorted(new)}, not {place}"]
    text = (year.folder / place).read_bytes()
    faults += oracle.faults_of_output(text, f"{MODEL}@{year.version}", year.known)
    oracle.log(text)
    faults += oracle.faults_of_scores((year.folder / SCORES).read_bytes())
    return [*faults, *faults_of_again(year, number, text)]


def faults_of_again(year: Year, number: int, text: bytes) -> list[str]:
    """Make the forecast again, and that of the control; return what is wrong with the former."""
    moment, again, before = year.world.moment(number), year.folder / "again.csv", prints(year.folder)
    others = [year.program.start(moment, "predict", "-q", "-o", str(again))]
    if year.version != year.first:
        others.append(year.program.start(moment, "predict", "-q", config="control.toml"))
    codes = [one.wait().code for one in others]
    faults = []
    if not set(codes) <= {DONE, MARKED} or again.read_bytes() != text:
        faults.append(f"the same night again is another forecast: {codes}")
    if prints(year.folder) != before:
        faults.append("the same night again changes the log")
    if len(others) > 1:
        control = Oracle(year.world, last=year.oracle.last)
        control.log((year.folder / "control.csv").read_bytes())
        year.controlled |= {key[:3]: said.point for key, said in control.said.items()}
    return faults


def update(year: Year, number: int, faults: list[str]) -> tuple[str, Ran]:
    """Run `forecast run weekly`, an hour after the nightly job; return what it settled, and add what was wrong."""
    before, code = year.version, CODES.get(year.world.event(number))
    expected = code if code in (REFUSED, MISMATCH, STALE) else DONE
    ran = year.program.run(year.world.moment(number) + timedelta(hours=1), "run", "weekly")
    if ran.code != expected:
        faults.append(f"update: exit code {ran.code}, not {expected}: {ran.said}")
    told = [line for line in ran.said.splitlines() if SETTLED.search(line)]
    if len(told) != (ran.code == DONE):
        faults.append(f"update: it does not say in one line what came of it: {ran.said}")
    versions = list((year.folder / STORE / MODEL / "versions").iterdir())
    if len(versions) > MOST_VERSIONS:
        faults.append(f"update: {len(versions)} versions are kept")
    if year.version != before:
        year.known = set(year.oracle.last)
    return "".join(told), ran


def prints(folder: Path) -> dict[str, Any]:
    """Return what tells whether an output, the log or the scores were written again."""
    places = [*(folder / OUT).iterdir(), *((folder / LOG).iterdir() if (folder / LOG).exists() else ())]
    places += [folder / SCORES] if (folder / SCORES).exists() else []
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in places
        if path.name != "run.json" and not path.name.startswith(".")  # the lock, and what a killed run has left
    }


def sizes(folder: Path) -> dict[str, int]:
    """Return how many files there are, and bytes, by place."""
    found = {place: [path for path in (folder / place).rglob("*") if path.is_file()] for place in (STORE, LOG, OUT)}
    found["rest"] = [folder / name for name in KEPT if (folder / name).exists()]
    counts = {f"{place}_files": len(paths) for place, paths in found.items()}
    return counts | {f"{place}_bytes": sum(path.stat().st_size for path in paths) for place, paths in found.items()}


def line(year: Year, night: Night) -> dict[str, Any]:
    """Return a night as a line of results."""
    ran = night.ran
    return {
        "night": night.number,
        "date": f"{year.world.moment(night.number):%Y-%m-%d}",
        "what": year.world.event(night.number).value,
        "expected": year.oracle.code(night.number),
        "exit_code": ran.code,
        "seconds": f"{ran.seconds:.2f}",
        "processor_seconds": f"{ran.processor:.2f}",
        "peak_mb": ran.peak_mb,
        **night.sizes,
        "update_seconds": f"{night.updating.seconds:.1f}" if night.updating else "",
        "update_peak_mb": night.updating.peak_mb if night.updating else "",
        "update": night.update,
        "faults": "; ".join(night.faults),
    }


def summary(year: Year, nights: list[Night]) -> dict[str, Any]:
    """Return what all nights came to, in one line; what must not be is counted among its faults."""
    codes = Counter(night.ran.code for night in nights)
    faults = [fault for night in nights for fault in night.faults]
    found = drift(year, nights)
    growing = growth(nights)
    faults += found.pop("faults") + growing.pop("faults")
    for fault in faults:
        print(fault)
    return {
        "nights": len(nights),
        "forecasts": len(year.oracle.said),
        "exit_codes": " ".join(f"{code}:{count}" for code, count in sorted(codes.items())),
        "faults": len(faults),
        "promoted": sum("is the current version now" in night.update for night in nights),
        "kept": sum("stays the current version" in night.update for night in nights),
        **found,
        **growing,
        **accuracy(year),
    }


def drift(year: Year, nights: list[Night]) -> dict[str, Any]:
    """Return when drift was planted and found, and what is wrong with that."""
    planted = year.world.when(Event.DRIFT)
    alarms = [night.number for night in nights if night.ran.code == DRIFTED]
    early, late = [one for one in alarms if one < planted], [one for one in alarms if one >= planted]
    faults = [f"an alarm on night {number}, before there was drift" for number in early]
    if len(nights) > planted + FOUND_WITHIN and not (late and late[0] <= planted + FOUND_WITHIN):
        faults.append(f"drift was not found in {FOUND_WITHIN} nights")
    return {
        "drift_planted": planted if planted < len(nights) else "",
        "drift_found_after": late[0] - planted if late else "",
        "alarms": len(late),
        "false_alarms": len(early),
        "faults": faults,
    }


def growth(nights: list[Night]) -> dict[str, Any]:
    """Return what a night takes and leaves at the begin and at the end, and what has grown too much."""
    usual = [night for night in nights if night.ran.code in (DONE, DRIFTED)]
    parts = {"first": usual[:MONTH], "last": usual[-MONTH:]}
    found: dict[str, Any] = {}
    for when, some in parts.items():
        found[f"seconds_{when}"] = median(night.ran.seconds for night in some)
        found[f"processor_seconds_{when}"] = median(night.ran.processor for night in some)
        found[f"peak_mb_{when}"] = max(night.ran.peak_mb for night in some)
        found[f"{LOG}_files_{when}"] = max(night.sizes[f"{LOG}_files"] for night in some)
        # Of a night and of an output on average: both are only ever added to.
        found[f"{LOG}_bytes_{when}"] = some[-1].sizes[f"{LOG}_bytes"] / (some[-1].number + 1)
        found[f"{OUT}_bytes_{when}"] = some[-1].sizes[f"{OUT}_bytes"] / some[-1].sizes[f"{OUT}_files"]
        found[f"{STORE}_files_{when}"] = max(night.sizes[f"{STORE}_files"] for night in some)
        found[f"{STORE}_bytes_{when}"] = max(night.sizes[f"{STORE}_bytes"] for night in some)
        found[f"rest_bytes_{when}"] = some[-1].sizes["rest_bytes"]
    grown = {name: found[f"{name}_last"] / found[f"{name}_first"] for name in MOST_GROWTH}
    wrong = [f"{name} has grown {by:.2f} times" for name, by in grown.items() if by > MOST_GROWTH[name]]
    return record.rounded(found) | {"faults": wrong}


def accuracy(year: Year) -> dict[str, Any]:
    """Return the mean errors of what was forecast and of the control without updates, from the first promotion on."""
    drifted = year.world.moment(min(year.world.when(Event.DRIFT), year.world.nights))
    found: dict[str, Any] = {}
    pairs: dict[str, list[tuple[float, float]]] = {"steady": [], "drifted": []}
    for key, truth, said in year.oracle.met():
        if key[:3] in year.controlled:
            errors = abs(said.point - truth), abs(year.controlled[key[:3]] - truth)
            pairs["drifted" if said.time >= drifted else "steady"].append(errors)
    for when, both in pairs.items():
        for place, name in enumerate(("updated", "control")):
            found[f"mae_{when}_{name}"] = sum(pair[place] for pair in both) / len(both) if both else ""
    return record.rounded(found)


def main() -> None:
    """Live through the nights, and write a line for each and one for all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=World.nights, help="the first nights alone: nothing is written")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="live in this new folder, and leave it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = given.keep or Path(name) / "year"
        folder.mkdir()
        year, nights, lines = begin(folder, World(nights=given.days), train), [], []
        for night in live(year):
            nights.append(night)
            lines.append(line(year, night))
            print({name: value for name, value in lines[-1].items() if value != ""}, flush=True)
        command = "python benchmarks/nights.py" + (f" --days {given.days}" if given.days != World.nights else "")
        total = {**summary(year, nights), "commit": record.commit(), "command": command}
    if given.days == World.nights:
        record.write("nights.csv", lines)
        record.write("nights_summary.csv", [total])
    else:
        print(total)
    if total["faults"]:
        raise SystemExit(f"{total['faults']} faults.")


if __name__ == "__main__":
    main()
