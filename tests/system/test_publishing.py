"""Faults in the middle of publishing, made with strace: a reader finds the old result or the new one, whole.

Needs strace and the right to trace one's own processes: `make test-system`.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from forecast import store

REPOSITORY = Path(__file__).resolve().parents[2]
SYSCALLS = "fsync,fdatasync,rename,renameat,renameat2"
MOST_FAULTS = 60  # a publication that makes more of these calls than that has a fault of its own

PUBLISH = """
import sys
from pathlib import Path
from forecast import store
source, models, name = sys.argv[1:]
loaded = store.load(source, "reference-1")
golden = (loaded.path / "golden.json").read_bytes()
store.publish(models, name, loaded.trained, lambda model: {"golden.json": golden})
"""
PREDICT = "from forecast.commands import main\nmain()"


@pytest.fixture(scope="session", autouse=True)
def strace() -> str:
    """Return the path of strace; without it nothing here can be tested, and that is a failure, not a skip."""
    path = shutil.which("strace")
    assert path is not None, "strace is missing: `apt-get install strace`, or run `make test-system` as root"
    return path


def traced(log: Path, code: str, *arguments: object, fault: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python code with the syscalls of publishing logged, one of them failing where `fault` says so."""
    inject = ["-e", f"inject={fault}"] if fault else []
    command = ["strace", "-f", "-qq", "-y", "-o", log, "-e", f"trace={SYSCALLS}", "-e", "signal=none", *inject]
    words = [*command, sys.executable, "-c", code, *arguments]
    return subprocess.run([str(word) for word in words], cwd=REPOSITORY, capture_output=True, text=True, check=False)


def calls(log: Path) -> list[tuple[str, str]]:
    """Return name and arguments of the calls that succeeded, in order."""
    return re.findall(r"^\d+ +(\w+)\((.*)\) += 0$", log.read_text(), flags=re.MULTILINE)


def faults(syscall: str, kind: str) -> Iterator[str]:
    """Yield the fault at the first call, at the second, and so on."""
    yield from (f"{syscall}:{kind}:when={count}" for count in range(1, MOST_FAULTS + 1))


def publish(folder: Path, fault: str = "") -> subprocess.CompletedProcess[str]:
    """Publish the reference model once more as `night`."""
    return traced(folder / "log", PUBLISH, REPOSITORY / "models", folder / "models", "night", fault=fault)


def predict(folder: Path, fault: str = "") -> subprocess.CompletedProcess[str]:
    """Forecast with the reference model."""
    arguments = ("predict", "--models", "models", "-m", "reference-1", "-o", folder / "out" / "predictions.csv")
    return traced(folder / "log", PREDICT, *arguments, fault=fault)


def names(folder: Path) -> list[str]:
    """Return what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def published(tmp_path: Path) -> str:
    """Publish a first version and return its name."""
    done = publish(tmp_path)
    assert done.returncode == 0, done.stderr
    return store.load(str(tmp_path / "models"), "night").version


@pytest.fixture
def predicted(tmp_path: Path) -> bytes:
    """Write a first forecast, marked as the old one, and return its bytes."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "predictions.csv").write_bytes(b"the old forecast\n")
    return b"the old forecast\n"


def test_a_forecast_is_flushed_before_it_replaces_the_old_one_and_its_folder_after(
    tmp_path: Path, predicted: bytes
) -> None:
    assert predict(tmp_path).returncode == 0
    (*_, before), rename, (after, *_) = split_at_rename(tmp_path, "predictions.csv")
    source = rename.split('"')[1]
    assert f"<{source}>" in before
    assert f"<{tmp_path / 'out'}>" in after


def test_a_version_is_flushed_before_it_becomes_the_current_one(tmp_path: Path, published: str) -> None:
    (version,) = (tmp_path / "models" / "night" / "versions").iterdir()
    before, _, after = split_at_rename(tmp_path, "CURRENT")
    flushed = {Path(path).name for arguments in before for path in re.findall(r"<(.+?)>", arguments)}
    assert sorted(set(names(version)) - flushed) == []
    assert f"<{tmp_path / 'models' / 'night'}>" in after[0]


@pytest.mark.parametrize("kind", ["error=ENOSPC", "error=EIO", "signal=KILL"])
@pytest.mark.parametrize("syscall", ["fsync", "rename"])
def test_a_fault_while_publishing_leaves_a_whole_model(tmp_path: Path, published: str, syscall: str, kind: str) -> None:
    for count, fault in enumerate(faults(syscall, kind)):
        done = publish(tmp_path, fault)
        loaded = store.load(str(tmp_path / "models"), "night")  # checks every sum
        assert loaded.version in names(tmp_path / "models" / "night" / "versions")
        if done.returncode == 0:
            assert count > 0, "no call was hit"
            assert loaded.version != published
            return
    pytest.fail(f"after {MOST_FAULTS} faults publishing still makes calls to {syscall}")


@pytest.mark.parametrize("kind", ["error=ENOSPC", "error=EIO"])
@pytest.mark.parametrize("syscall", ["fsync", "rename"])
def test_a_forecast_that_cannot_be_written_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, predicted: bytes, syscall: str, kind: str
) -> None:
    assert predict(tmp_path, f"{syscall}:{kind}:when=1").returncode == 15
    assert names(tmp_path / "out") == ["predictions.csv"]
    assert (tmp_path / "out" / "predictions.csv").read_bytes() == predicted


@pytest.mark.parametrize("syscall", ["fsync", "rename"])
def test_a_run_that_is_killed_leaves_the_old_forecast(tmp_path: Path, predicted: bytes, syscall: str) -> None:
    assert predict(tmp_path, f"{syscall}:signal=KILL:when=1").returncode != 0
    assert (tmp_path / "out" / "predictions.csv").read_bytes() == predicted


def split_at_rename(folder: Path, target: str) -> tuple[list[str], str, list[str]]:
    """Return the arguments of the flushes before the rename onto a target, of the rename, and of the flushes after."""
    log = calls(folder / "log")
    (place,) = [
        index for index, (name, words) in enumerate(log) if name.startswith("rename") and words.endswith(f'/{target}"')
    ]
    flushes = [[words for name, words in part if name in ("fsync", "fdatasync")] for part in (log[:place], log[place:])]
    return flushes[0], log[place][1], flushes[1]
