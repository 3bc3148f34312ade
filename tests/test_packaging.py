"""What reaches a user's site-packages, and that `predict` runs on a few packages alone."""

import configparser
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
QUIET = ("--quiet", "--disable-pip-version-check", "--no-input")


def run(*command: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command that must succeed."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def requirements() -> configparser.ConfigParser:
    """Read setup.cfg."""
    parser = configparser.ConfigParser()
    parser.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    return parser


def lines(text: str) -> set[str]:
    """Return the lines that say something."""
    return {line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the sources: a build in place would pack what an older one left behind."""
    folder = tmp_path_factory.mktemp("build")
    for name in SOURCES:
        shutil.copy(REPOSITORY / name, folder)
    for name in ("forecast", "tests", "benchmarks", "data", "models"):  # all that could slip in by mistake
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "pip", "wheel", *QUIET, "--no-deps", "--wheel-dir", folder / "dist", folder)
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="session")
def small_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment as requirements-predict.txt describes it, and return its interpreter."""
    folder = tmp_path_factory.mktemp("small")
    venv.create(folder, with_pip=False)  # the pip of the tests serves both: a second one takes seconds to install
    python = folder / "bin" / "python"
    install = (sys.executable, "-m", "pip", "--python", python, "install", *QUIET, "--no-compile")
    run(*install, "-r", REPOSITORY / "requirements-predict.txt")
    run(*install, "--no-deps", wheel)
    return python


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    version = wheel.name.split("-")[1]
    assert tops == {"forecast", f"forecast_lstm-{version}.dist-info"}


def test_the_wheel_holds_every_module(wheel: Path) -> None:
    modules = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "forecast").rglob("*.py")}
    assert modules <= set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_says_that_it_is_typed(wheel: Path) -> None:
    assert "forecast/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_predict_runs_on_the_small_requirements_alone(small_python: Path, tmp_path: Path) -> None:
    command = small_python.parent / "forecast"
    output = tmp_path / "predictions.csv"
    run(command, "predict", "--models", REPOSITORY / "models", "-m", "reference-1", "-o", output, cwd=tmp_path)
    header = output.read_text(encoding="utf-8").splitlines()[0]
    assert ",forecast,lo_80,hi_80,lo_95,hi_95,step,cutoff,status,model" in header


@pytest.mark.parametrize("package", ["tensorflow", "keras", "sklearn", "scipy", "matplotlib"])
def test_the_small_requirements_leave_out_what_training_needs(small_python: Path, package: str) -> None:
    code = f"import importlib.util; print(importlib.util.find_spec({package!r}))"
    assert run(small_python, "-c", code).stdout.strip() == "None"


def test_the_small_requirements_are_a_part_of_the_full_ones() -> None:
    small = lines((REPOSITORY / "requirements-predict.txt").read_text(encoding="utf-8"))
    assert small < lines(requirements()["options"]["install_requires"])


def test_the_gpu_extra_is_tensorflow_with_cuda() -> None:
    assert lines(requirements()["options.extras_require"]["gpu"]) == {"tensorflow[and-cuda]>=2.21,<3"}


def test_developers_have_every_extra_that_the_tests_use() -> None:
    extras = requirements()["options.extras_require"]
    used = [lines(extras[name]) for name in ("holidays", "sql", "remote", "tune")]
    assert set().union(*used) < lines(extras["dev"])


def test_a_clone_runs_uninstalled(tmp_path: Path) -> None:
    done = run(sys.executable, REPOSITORY / "cli.py", "--version", cwd=tmp_path)
    assert done.stdout.startswith("forecast ")
