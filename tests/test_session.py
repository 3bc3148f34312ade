"""A whole session as a user has it: the installed program, a folder of its own, an empty environment, no terminal."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
INSTALLED = Path(sys.executable).parent / "forecast"
PROGRAM = [str(INSTALLED)] if INSTALLED.exists() else [sys.executable, str(REPOSITORY / "cli.py")]
SHORT = ["--epochs", "1", "--units", "8", "--members", "1", "-H", "7"]
ENDLESS = ["--epochs", "100000", "--patience", "100000", "--units", "8", "--members", "1", "-H", "7"]


def write_sales(folder: Path, days: int = 120) -> Path:
    """Write days of two shops that sell more on some weekdays."""
    rng = np.random.default_rng(0)
    lines = ["day,id,sales"]
    for shop, level in (("north", 20), ("south", 300)):
        for step in range(days):
            day = np.datetime64("2024-01-01") + step
            value = level * (1 + 0.3 * np.sin(2 * np.pi * step / 7) + 0.05 * rng.standard_normal())
            lines.append(f"{day},{shop},{value:.4f}")
    table = folder / "sales.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the program in a folder with nothing in its environment and its standard input closed."""
    command = ["env", "-i", "/bin/sh", "-c", 'exec "$0" "$@" <&-', *PROGRAM, *arguments]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()  # where it has not ended by itself


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    with started(folder, *arguments) as process:
        said, complained = process.communicate(timeout=120)
    return subprocess.CompletedProcess(arguments, process.returncode, said, complained)


def stopped(folder: Path, number: signal.Signals) -> subprocess.CompletedProcess[str]:
    """Start a training without end, and stop it with a signal when it has learned for an epoch."""
    with started(folder, "train", "sales.csv", *ENDLESS) as training:
        assert training.stderr is not None
        line = training.stderr.readline()
        while not line.startswith("Learning on the first part") or "loss" not in line:
            line = training.stderr.readline()
            assert line, "it ended before it began to learn"
        training.send_signal(number)
        said, complained = training.communicate(timeout=60)
    return subprocess.CompletedProcess((), training.returncode, said, complained)


def files_in(folder: Path) -> list[str]:
    """Return every file and folder in a folder, hidden ones too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return two folders in which the same table was trained on with the same seed, at the same time."""
    folders = [tmp_path_factory.mktemp("session") for _ in range(2)]
    for folder in folders:
        write_sales(folder)
    with (
        started(folders[0], "train", "sales.csv", *SHORT) as one,
        started(folders[1], "train", "sales.csv", *SHORT) as other,
    ):
        for training in (one, other):
            said, complained = training.communicate(timeout=120)
            assert (training.returncode, said) == (0, ""), complained
    return folders


@pytest.fixture(scope="module")
def prediction(folders: list[Path]) -> subprocess.CompletedProcess[str]:
    return run(folders[0], "predict")


def version(folder: Path) -> Path:
    (found,) = (folder / "models" / "sales" / "versions").iterdir()
    return found


def without_model(table: bytes) -> list[str]:
    """Return the rows of predictions.csv without their last column, which names the version."""
    return [line.rpartition(",")[0] for line in table.decode().splitlines()]


def test_predict_after_train_needs_no_option(prediction: subprocess.CompletedProcess[str]) -> None:
    assert (prediction.returncode, prediction.stdout) == (0, "")
    assert prediction.stderr.splitlines()[-1] == "Wrote 14 rows to predictions.csv"


def test_predict_writes_what_train_has_published(
    folders: list[Path], prediction: subprocess.CompletedProcess[str]
) -> None:
    written = (folders[0] / "predictions.csv").read_bytes()
    assert written == (version(folders[0]) / "predictions.csv").read_bytes()


def test_predict_without_the_table_writes_the_same_bytes(folders: list[Path], tmp_path: Path) -> None:
    done = run(tmp_path, "predict", "--models", str(folders[1] / "models"), "-o", "a.csv")
    (folders[1] / "sales.csv").rename(folders[1] / "moved.csv")
    again = run(tmp_path, "predict", "--models", str(folders[1] / "models"), "-o", "b.csv")
    (folders[1] / "moved.csv").rename(folders[1] / "sales.csv")
    assert (done.returncode, again.returncode) == (0, 0)
    assert again.stderr.startswith("Forecasting from the rows stored with sales")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_the_same_seed_gives_the_same_forecast(folders: list[Path]) -> None:
    one, other = ((version(folder) / "predictions.csv").read_bytes() for folder in folders)
    assert without_model(one) == without_model(other)
    assert one.splitlines()[0] == b"id,day,forecast,lo_80,hi_80,lo_95,hi_95,step,cutoff,status,model"


def test_the_same_seed_gives_the_same_bytes_of_weights(folders: list[Path]) -> None:
    for name in ("weights.safetensors", "scaling.safetensors", "backtest.csv", "history.csv"):
        one, other = ((version(folder) / name).read_bytes() for folder in folders)
        assert one == other, name


def test_a_second_prediction_changes_no_byte(folders: list[Path], prediction: subprocess.CompletedProcess[str]) -> None:
    before = (folders[0] / "predictions.csv").read_bytes()
    assert run(folders[0], "predict", "-q").stderr == ""
    assert (folders[0] / "predictions.csv").read_bytes() == before


def test_nothing_is_written_beside_the_store_and_the_output(
    folders: list[Path], prediction: subprocess.CompletedProcess[str]
) -> None:
    assert sorted(path.name for path in folders[0].iterdir()) == ["models", "predictions.csv", "sales.csv"]
    assert sorted(path.name for path in (folders[0] / "models" / "sales").iterdir()) == [".lock", "CURRENT", "versions"]


def test_the_run_record_says_what_trained_and_on_what(folders: list[Path]) -> None:
    record = json.loads((version(folders[0]) / "run.json").read_text(encoding="utf-8"))
    assert (record["exit_code"], record["cudnn"], record["status"]) == (0, False, {"ok": 2})
    assert record["agreement"] < 1e-4


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_training_that_is_stopped_leaves_a_checkpoint_alone(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    write_sales(tmp_path)
    done = stopped(tmp_path, number)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.splitlines()[-2:] == [
        f"Error: stopped by {number.name}; the last complete result is in place.",
        "A checkpoint of the training is kept: the same command with --resume goes on from it.",
    ]
    home = ("", "/checkpoint", "/checkpoint/.lock", "/checkpoint/under-way", "/versions")
    assert files_in(tmp_path) == ["models", *(f"models/sales{place}" for place in home), "sales.csv"]


def test_a_stopped_training_leaves_the_published_model_as_it_was(folders: list[Path], tmp_path: Path) -> None:
    shutil.copytree(folders[0], tmp_path, dirs_exist_ok=True)
    before = files_in(tmp_path)
    assert stopped(tmp_path, signal.SIGTERM).returncode == 143
    assert [name for name in files_in(tmp_path) if "/checkpoint" not in name] == before


def test_an_update_says_in_one_line_what_came_of_it(folders: list[Path], tmp_path: Path) -> None:
    shutil.copytree(folders[0], tmp_path, dirs_exist_ok=True)
    before = version(tmp_path).name
    write_sales(tmp_path, 150)
    done = run(tmp_path, "update", str(tmp_path / "sales.csv"), "--json", "--require-promotion")
    assert done.returncode in (0, 16), done.stderr
    told = json.loads(done.stdout)["update"]
    assert (told["from"], told["promoted"], told["origins"]) == (f"sales@{before}", done.returncode == 0, 20)
    assert (told["error"] <= told["error_before"]) == told["promoted"]
    again = run(tmp_path, "update", str(tmp_path / "sales.csv"))
    assert again.returncode == 0
    assert again.stderr.splitlines()[-1].startswith("sales@")


def days(*cells: str) -> str:
    """Return a table of days and the given cells."""
    rows = [f"{np.datetime64('2024-01-01') + step},{cell}" for step, cell in enumerate(cells)]
    return "\n".join(["day,sales", *rows]) + "\n"


FINE = [str(step % 7) for step in range(60)]
SEEN = "columns: time 'day', target 'sales'\nfrequency: D (found); series: 1; steps: 4\n"  # before it was refused
BAD = {  # what is in the file (None: there is none), the options, the exit code, what stderr says
    "missing file": (None, [], 12, "Error: bad.csv: there is no such file.\nCheck the path.\n"),
    "empty file": ("", [], 12, "Error: bad.csv: the file is empty.\nGive a table with a header and at least 6 rows.\n"),
    "wrong column": (
        days(*FINE),
        ["--target", "price"],
        12,
        "Error: bad.csv: there is no column 'price' (--target); the columns are 'day', 'sales'.\n"
        "Name one of the columns with --target.\n",
    ),
    "text in a number": (
        days(*FINE[:30], "closed", *FINE),
        [],
        12,
        "Error: bad.csv:32: column 'sales' should be a number, but is 'closed'.\n"
        "Correct the cell, leave it empty to mark a missing value, or name it with --null-value.\n",
    ),
    "duplicates": (
        days(*FINE) + "2024-01-05,3\n",
        [],
        12,
        "Error: bad.csv: 1 row repeats the 'day' of an earlier row: 2024-01-05 (lines 6 and 62).\n"
        "Say with --duplicates first, last, mean or sum what to do with them; or name all columns of the series "
        "with --id, or of the time with --time.\n",
    ),
    "too short": (
        days("1", "2", "3", "4"),
        [],
        12,
        SEEN + "Error: the longest series has 4 rows, but a horizon of 1 steps needs at least 6: to learn from, to "
        "choose on and to check on.\nGive more history.\n",
    ),
    "no numeric column": (
        "day,shop\n2024-01-01,a\n2024-01-02,b\n2024-01-03,c\n",
        [],
        12,
        "Error: bad.csv: no column is numeric; the columns are 'day', 'shop'.\n"
        "Name the column to forecast with --target.\n",
    ),
    "unknown option": (
        days(*FINE),
        ["--horizn", "3"],
        2,
        "Error: no such option --horizn. Did you mean --horizon?\nSee 'forecast train --help'.\n",
    ),
}
# The program, and after it on standard output which of the slow packages it has loaded.
WATCHED = """
import sys
from forecast.commands import main
try:
    main()
finally:
    print([name for name in ("tensorflow", "keras", "sklearn", "scipy") if name in sys.modules])
"""


def train_watched(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Train on bad.csv and tell on standard output which of the slow packages were loaded."""
    command = ["env", "-i", sys.executable, "-c", WATCHED, "train", "bad.csv", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("what", BAD)
def test_a_bad_input_is_refused_in_words_before_tensorflow_starts(tmp_path: Path, what: str) -> None:
    content, options, code, words = BAD[what]
    if content is not None:
        (tmp_path / "bad.csv").write_text(content, encoding="utf-8")
    before = files_in(tmp_path)
    done = train_watched(tmp_path, *options)
    assert (done.returncode, done.stderr, done.stdout) == (code, words, "[]\n")
    assert files_in(tmp_path) == before


def test_a_folder_is_refused_in_words_before_tensorflow_starts(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").mkdir()
    done = train_watched(tmp_path)
    words = (
        "Error: bad.csv: this is a folder without Parquet parts (*.parquet).\n"
        "Name one table in it, or a pattern such as 'bad.csv/*.csv'.\n"
    )
    assert (done.returncode, done.stderr, done.stdout) == (12, words, "[]\n")
    assert files_in(tmp_path) == ["bad.csv"]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_obstacle_and_nothing_is_said_on_another(
    folders: list[Path], tmp_path: Path, closed: str
) -> None:
    command = ["env", "-i", "/bin/sh", "-c", f'exec "$0" "$@" {closed}', *PROGRAM]
    done = subprocess.run(
        [*command, "predict", "--models", str(folders[1] / "models")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "predictions.csv").read_bytes() == (version(folders[1]) / "predictions.csv").read_bytes()
