"""What the documents say holds: every block of README.md runs, links lead somewhere, the changelog is open."""

import fnmatch
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from forecast.evaluation.comparison import Comparison, Unit
from forecast.report.verdict import Facts, verdict

REPOSITORY = Path(__file__).resolve().parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PAGES = [
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ("*.md", "docs/*.md", "data/*.md", "benchmarks/*.md", "models/*.md")
    for path in sorted(REPOSITORY.glob(pattern))
]

# The commands are run as they are printed. The environment, which they read too, makes the training short: what is
# tested is that the words are right, not how good the forecast gets.
SHORT = {
    "FORECAST_TRAIN_PRESET": "fast",
    "FORECAST_TRAIN_MEMBERS": "1",
    "FORECAST_TRAIN_EPOCHS": "1",
    "FORECAST_TRAIN_UNITS": "8",
    "FORECAST_TRAIN_ORIGINS": "4",
}
SHORT |= {name.replace("TRAIN", "BACKTEST"): value for name, value in SHORT.items()}
ELSEWHERE = {  # what a test cannot run on the side, and what runs it
    "pip install .": "tests/test_packaging.py: the wheel, and `make test` itself: the requirements",
    "pip install -r requirements-predict.txt": "tests/test_packaging.py",
    "pip install --no-deps .": "tests/test_packaging.py",
}


def blocks(text: str, language: str) -> list[str]:
    """Return the contents of the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[str]:
    """Return the command lines of the console blocks, in order."""
    return [line[2:] for block in blocks(text, "console") for line in block.splitlines() if line.startswith("$ ")]


def anchors(text: str) -> set[str]:
    """Return the names by which the headings of a page are linked."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def without_numbers(text: str) -> str:
    """Replace each number by N."""
    return re.sub(r"\d+", "N", text)


SESSION = [command for command in commands(README) if command.startswith("forecast ")]
OTHERS = [command for command in commands(README) if not command.startswith("forecast ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sample tables, as the reader of README.md has it."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "data").symlink_to(REPOSITORY / "data")
    return folder


@pytest.fixture(scope="module")
def session(folder: Path) -> dict[str, subprocess.CompletedProcess[str]]:
    """Run the `forecast` commands of README.md in order; return each with what it left."""
    environment = os.environ | SHORT | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return {
        command: subprocess.run(
            shlex.split(command), cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        for command in SESSION
    }


@pytest.mark.parametrize("command", SESSION)
def test_a_command_of_the_readme_runs(session: dict[str, subprocess.CompletedProcess[str]], command: str) -> None:
    assert session[command].returncode == 0, session[command].stderr


def test_the_readme_shows_a_session_of_two_lines() -> None:
    assert "forecast train data/co2.csv\n$ forecast predict\n" in README


@pytest.mark.parametrize("command", [command for command in SESSION if command.startswith("forecast train")])
def test_a_training_of_the_readme_ends_with_a_verdict(
    session: dict[str, subprocess.CompletedProcess[str]], command: str
) -> None:
    assert len(re.findall(r"\d+ % (?:better|worse) than ", session[command].stderr)) == 1


@pytest.mark.parametrize("output", ["predictions.csv", "rentals.csv", "employees.parquet"])
def test_a_forecast_of_the_readme_is_where_it_says(
    session: dict[str, subprocess.CompletedProcess[str]], folder: Path, output: str
) -> None:
    assert (folder / output).stat().st_size > 0


def test_the_readme_names_every_file_of_a_version(
    session: dict[str, subprocess.CompletedProcess[str]], folder: Path
) -> None:
    section = README.partition("## What you get")[2].partition("\n## ")[0]
    named = re.findall(r"`([\w.*]+)`", "\n".join(re.findall(r"^\| (`.+?) \|", section, flags=re.MULTILINE)))
    named += ["manifest.sha256", "ids.json", "golden.json"]  # the dots of the last line
    (version,) = (folder / "models" / "co2" / "versions").iterdir()
    files = [path.name for path in version.iterdir()]
    assert [name for name in files if not any(fnmatch.fnmatch(name, pattern) for pattern in named)] == []
    assert [pattern for pattern in named if not fnmatch.filter(files, pattern)] == []


@pytest.mark.parametrize("command", OTHERS)
def test_every_other_command_of_the_readme_is_run_elsewhere(command: str) -> None:
    steps = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert command in ELSEWHERE or command in [step.split(" #")[0].strip() for step in steps]


@pytest.mark.parametrize("command", [command for command in OTHERS if command.startswith("make ")])
def test_a_make_command_of_the_readme_names_a_target(command: str) -> None:
    done = subprocess.run(
        [*shlex.split(command), "--dry-run"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_readme_has_only_blocks_that_a_test_knows() -> None:
    fences = re.findall(r"^```(\w*)$", README, flags=re.MULTILINE)
    assert set(fences[::2]) == {"console", "text"}


def test_the_readme_shows_the_verdict_in_the_words_of_the_program() -> None:
    facts = Facts(
        skill=0.12,
        reference="repeating last week",
        test="10 x 48 hours of 400 series",
        coverage=0.79,
        promised=True,
        mix={"LSTM": 1.0},
        comparison=Comparison(-0.1, -3.0, 0.003, Unit.SERIES, observations=400, separate=400),
    )
    assert [without_numbers(block.strip()) for block in blocks(README, "text")] == [without_numbers(verdict(facts))]


@pytest.mark.parametrize("page", PAGES)
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    path = REPOSITORY / page
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        place, _, anchor = target.partition("#")
        goal = path.parent / place if place else path
        if not goal.exists() or (anchor and anchor not in anchors(goal.read_text(encoding="utf-8"))):
            lost.append(target)
    assert lost == []


def test_the_changelog_begins_with_what_is_unreleased() -> None:
    headings = re.findall(r"^## (.+)$", (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings[0] == "[Unreleased]"
