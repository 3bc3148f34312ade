"""Run other forecasting packages on the same sets, as they come, and score them like ours.

    make bench-rivals SET=m4_hourly          # sets up .venv-rivals, then all models on one set

Each model runs in a process of its own in .venv-rivals (rival_models.py says how) and may compute for 40 minutes: one
that takes longer gets a line that says so. Without covariates. A line of benchmarks/results/rivals/SET.csv that is
there is not run again unless --again.
"""

import argparse
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import record
from scores import Forecast, score
from sets import SETS, Case, export, load_case

HERE = Path(__file__).parent
PYTHON = HERE.parent / ".venv-rivals" / "bin" / "python"
MODELS = ("AutoETS", "AutoTheta", "MSTL", "NHITS", "LSTM", "DeepAR")
FIELDS = (
    *("set", "model", "seed", "smape", "mase", "owa", "mse", "mae", "pinball", "cover_80", "cover_95"),
    *("seconds", "cpu_seconds", "peak_mb", "outcome", "versions", "commit", "command"),
)
KEY = ("set", "model", "seed")


def run_model(case: Case, model: str, seed: int, minutes: float) -> dict[str, Any]:
    """Run one model in its own process, which may compute for so many minutes; return what it scored and took."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "case.npz", Path(folder) / "out.npz"
        export(case, given)
        command = [str(PYTHON), str(HERE / "rival_models.py"), str(given), model, str(out), "--seed", str(seed)]
        line = run_limited(command, minutes)
        if line["outcome"] != "done":
            return line
        with np.load(out) as file:
            probabilities = tuple(file["probabilities"].tolist())
            found = Forecast(np.arange(len(case.series)), file["point"], file["quantiles"], probabilities)
            versions = " ".join(f"{name}=={number}" for name, number in json.loads(str(file["versions"])).items())
        return line | {"versions": versions} | score(case, [found])


def run_limited(command: list[str], minutes: float) -> dict[str, Any]:
    """Run a command of which no process may compute for longer; return outcome, times and peak memory in MB.

    Processor time is limited, not time on the clock, so that other work on the machine does not choose what is
    finished. Processor seconds are those of all processes; the peak is that of the largest: statistical models use two.
    """
    limit = int(minutes * 60)
    begin = time.monotonic()
    # One thread per process: two that wait for each other lose most of the time on a machine with other work.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    limited = ["sh", "-c", f'ulimit -S -t {limit} && exec "$@"', "sh", *command]  # soft: a signal of its own
    process = subprocess.Popen(limited, env=os.environ | threads)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    computed = used.ru_utime + used.ru_stime
    ended = f"ended by signal {-process.returncode}" if process.returncode < 0 else "failed"
    # One that ends because a process of its own was stopped has no signal; the limit's clock runs up to 3 % ahead.
    over = process.returncode == -signal.SIGXCPU or (process.returncode > 0 and computed > 0.95 * limit)
    failed = f"over {minutes:g} minutes" if over else ended
    return {
        "seconds": f"{time.monotonic() - begin:.0f}",
        "cpu_seconds": f"{computed:.0f}",
        "peak_mb": used.ru_maxrss * 1024 // 10**6,
        "outcome": "done" if process.returncode == 0 else failed,
    }


def main() -> None:
    """Run the models that have no line yet, and write a line after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = [one.name for one in SETS.values() if one.rivals and not one.plain]
    parser.add_argument("sets", nargs="*", default=every, help=f"of {', '.join(every)}; default: all")
    parser.add_argument("--model", action="append", choices=MODELS, help="repeat for several; default: all")
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--seed", type=int, default=1, help="of the neural ones")
    parser.add_argument("--minutes", type=float, default=40, help="that a process may compute")
    parser.add_argument("--again", action="store_true", help="run what has a line, too")
    arguments = parser.parse_args()
    if not set(arguments.sets) <= set(every):
        parser.error(f"a set is one of {', '.join(every)}")
    for name in arguments.sets:
        path, case = record.RESULTS / "rivals" / f"{name}.csv", None
        for model in arguments.model or MODELS:
            key = {"set": name, "model": model, "seed": arguments.seed}
            if record.has(path, key) and not arguments.again:
                continue
            case = case or load_case(SETS[name], arguments.shared / "data")
            found = run_model(case, model, arguments.seed, arguments.minutes)
            command = f"python benchmarks/rivals.py {name} --model {model} --seed {arguments.seed}"
            row = key | found | {"commit": record.commit(), "command": command}
            record.merge(path, [record.rounded(row)], FIELDS, KEY)


if __name__ == "__main__":
    main()
