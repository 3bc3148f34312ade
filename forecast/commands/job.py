"""`forecast run`: the steps of a job of forecast.toml, one after the other, each as the command line would run it."""

import json as json_format
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

import forecast
from forecast.commands import failures
from forecast.commands.sections import JOB, STEPS, meant
from forecast.commands.settings import FILE, NOTED, Settings
from forecast.commands.speaking import json_text
from forecast.commands.stopping import Stopped
from forecast.errors import UsageError
from forecast.options import RUN, ConfigFile

# A process of its own for each step: its memory, threads and record are those of the command alone. Its own modules
# come first, and none from the folder it runs in.
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from forecast.commands import main; main()"
DONE = (0, 3)  # exit codes after which the output is there, and the next step can go on from it


@dataclass(frozen=True)
class Step:
    """One step: as it stands in the file, and the words of its command line."""

    text: str
    words: tuple[str, ...]


def job(
    context: typer.Context,
    name: Annotated[
        str | None, Argument(metavar="JOB", help="A section [job.NAME] of forecast.toml. Default: list the jobs.")
    ] = None,
    config: ConfigFile = None,
    quiet: Annotated[
        bool, Option("--quiet", "-q", help="Say nothing when all goes well: every step gets -q.", rich_help_panel=RUN)
    ] = False,
    json: Annotated[
        bool,
        Option("--json", help="Print one JSON document with the run record of each step.", rich_help_panel=RUN),
    ] = False,
) -> None:
    """Run a job of forecast.toml: its steps in turn, each as the command line would run it.

    A step is a command line without 'forecast': steps = ["predict", "score"]. What it leaves out comes from the
    environment and the sections of the file; relative paths start at the folder of the file. The job ends at the first
    step that leaves with another code than 0 or 3, and leaves with that code, else with 3 if a step did.
    """
    settings: Settings = context.meta[NOTED]
    if settings.path is None:
        raise UsageError(
            f"there is no {FILE} here.\nName it with --config FILE, or write one with 'forecast config init'."
        )
    if name is None:
        _list(settings, json)
        return
    steps = _steps(context, settings, name, [*(["-q"] if quiet else []), *(["--json"] if json else [])])
    code, records = 0, []
    for place, step in enumerate(steps):
        left, printed = _run(step, settings.folder, json)
        records.append({"step": step.text, "exit_code": left, "record": printed})
        code = code or left
        if left not in DONE:
            code = left
            _say_what_is_left(name, [one.text for one in steps[place:]], quiet=json)
            break
    if json:
        print(json_text({"job": name, "exit_code": code, "steps": records}), end="")
    if code:
        raise typer.Exit(code)


def _list(settings: Settings, json: bool) -> None:
    """Print the jobs and their steps."""
    if json:
        print(json_text({"jobs": settings.jobs}), end="")
        return
    for name, steps in settings.jobs.items():
        print(f"{name}: {', '.join(steps)}")
    if not settings.jobs:
        print(f"{settings.path} has no jobs: write [{JOB}.nightly], and {STEPS} below it.")


def _steps(context: Any, settings: Settings, name: str, flags: list[str]) -> list[Step]:
    """Return the steps of a job, each read as far as that goes without running it. Raises UsageError."""
    if name not in settings.jobs:
        near = meant(name, settings.jobs)
        there = f"It has {', '.join(settings.jobs)}." if settings.jobs else f"Write one as [{JOB}.{name}]."
        raise UsageError(f"{settings.path}: there is no job {name!r}.{near}\n{there}")
    found = []
    for number, text in enumerate(settings.jobs[name], 1):
        where = f"{settings.path}: [{JOB}.{name}] step {number}, {text!r}"
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise UsageError(f"{where}: {str(error).lower()}.\nClose the quotes, or leave them out.") from None
        try:
            found.append(Step(text, _checked(context, words, settings.path or FILE, flags)))
        except Exception as error:  # what Typer raises has no public name
            code, message, hint = failures.in_words(error)
            if code != UsageError.exit_code:
                raise
            raise UsageError(f"{where}: {message}\n{hint}") from None
    return found


def _checked(context: Any, words: list[str], path: str, flags: list[str]) -> tuple[str, ...]:
    """Return the words of a step, with the file and the flags behind the name of the command. Raises usage errors."""
    context, rest, names = context.find_root(), list(words), []
    while hasattr(context.command, "commands"):  # a group: the next word is one of its commands
        commands = context.command.commands
        if not rest:
            raise UsageError(f"which command? There are {', '.join(commands)}.\nName one of them.")
        names.append(rest.pop(0))
        if names[-1] not in commands:
            near = meant(names[-1], commands)
            raise UsageError(f"no such command {names[-1]!r}.{near}\nSee '{context.command_path} --help'.")
        if names == ["run"]:
            raise UsageError("a job runs no job.\nWrite the steps of the other job here.")
        command = commands[names[-1]]
        is_group = hasattr(command, "commands")
        given = [] if is_group else ["--config", path, *flags, *rest]
        context = command.make_context(names[-1], given, parent=context, resilient_parsing=is_group)
    # The file by its name in its own folder, where the step runs.
    return (*names, "--config", os.path.basename(path), *flags, *rest)


def _run(step: Step, folder: str, json: bool) -> tuple[int, Any]:
    """Run a step to its end; return its exit code, and with --json the record it printed."""
    program = [sys.executable, "-P", "-c", START, str(Path(forecast.__file__).parents[1])]
    sys.stdout.flush()
    with subprocess.Popen(
        [*program, *step.words], cwd=folder or None, stdout=subprocess.PIPE if json else None
    ) as process:
        try:
            printed = process.communicate()[0]
        except Stopped as stop:
            process.send_signal(stop.exit_code - 128)
            process.wait()  # it stops cleanly, as it would by itself
            raise
    code = process.returncode if process.returncode >= 0 else 128 - process.returncode
    return code, json_format.loads(printed) if printed else None


def _say_what_is_left(name: str, texts: list[str], quiet: bool) -> None:
    """Say where a job has stopped and what it has not run; the step itself has said why."""
    if len(texts) > 1 and not quiet:
        left = ", ".join(map(repr, texts[1:]))
        print(f"The job {name!r} stopped at {texts[0]!r}; not run: {left}.", file=sys.stderr, flush=True)
