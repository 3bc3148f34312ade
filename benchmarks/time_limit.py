"""Whether `forecast train` keeps its time limit: the wall time of the whole command under several limits.

    python benchmarks/time_limit.py            # about eight minutes, writes benchmarks/results/time_limit.csv

Each line is one run in a fresh store, in place of the last one of its set and limit: the wall time from the start of
the process to its end, the most that is promised (the limit and 10 % or 5 s), the processor time that the run was
given, and what the limit has cut. Where the machine has other work to do, processor time is far below wall time, and
more is cut.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import record

REPOSITORY = Path(__file__).parent.parent
PATH, KEY = record.RESULTS / "time_limit.csv", ("set", "limit_s")
SETS = {
    "bike_sharing": ("data/bike_sharing.csv", "--target", "rentals"),
    "us_employment": ("data/us_employment.csv", "--id", "sector", "--target", "employees", "-H", "12"),
    "m3_monthly": ("SHARED/data/m3_monthly_train.csv.gz", "--season", "12", "-H", "18"),
}


def run(name: str, words: list[str], limit: float) -> dict[str, Any]:
    """Train once under a limit; return what it took."""
    command = ["forecast", "train", *words, "--time-limit", f"{limit:g}s"]
    with tempfile.TemporaryDirectory() as store:
        call = [sys.executable, str(REPOSITORY / "cli.py"), *command[1:], "--models", store, "-m", "one"]
        before, begin = _processor_time(), time.monotonic()
        done = subprocess.run(call, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        wall, used = time.monotonic() - begin, _processor_time() - before
        records = list(Path(store).glob("one/versions/*/run.json"))
        told = json.loads(records[0].read_text(encoding="utf-8")) if records else {}
    return {
        "set": name,
        "limit_s": f"{limit:g}",
        "wall_s": f"{wall:.1f}",
        "promised_s": f"{limit + max(5, limit / 10):g}",
        "processor_s": f"{used:.1f}",
        "exit_code": done.returncode,
        "cut": "; ".join(told["time_limit"]["cut"]) if told else done.stderr.splitlines()[-2],
        "skill": told.get("verdict", "").split(",")[0],
        "commit": record.commit(),
        "command": " ".join(command),
    }


def _processor_time() -> float:
    """Return the seconds that the processes started from here have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run every set under every limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=list(SETS), help=f"of {', '.join(SETS)}; default: all")
    parser.add_argument("--limits", type=float, nargs="+", default=[20, 40, 90], help="seconds")
    parser.add_argument("--shared", default="../shared", help="folder with data/")
    arguments = parser.parse_args()
    if not set(arguments.sets) <= set(SETS):
        parser.error(f"a set is one of {', '.join(SETS)}")
    for name in arguments.sets:
        words = [word.replace("SHARED", arguments.shared) for word in SETS[name]]
        for limit in arguments.limits:
            row = run(name, words, limit)
            row["command"] = row["command"].replace(arguments.shared, "../shared")
            record.merge(PATH, [row], list(row), KEY)


if __name__ == "__main__":
    main()
