"""What forecast.toml may hold: sections and keys are those of the commands; whatever else stands there is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from forecast.errors import UsageError
from forecast.options import CommonOptions, LockOptions, ReadOptions

EVERY, DATA, JOB, STEPS = "forecast", "data", "job", "steps"
WITHOUT_SECTION = ("run", "config")  # commands that are about the file itself
NO_KEY = ("help", "config")  # options that make no sense in the file
SHARED = {  # sections whose keys hold for every command that has such an option
    DATA: tuple(field.name for field in fields(ReadOptions)),
    EVERY: tuple(
        field.name for record in (CommonOptions, LockOptions) for field in fields(record) if field.name not in NO_KEY
    ),
}


def sections(command: Any) -> dict[str, Any]:
    """Return the sections that a file may have: a tuple of keys each, or for a group of commands its own sections."""
    found: dict[str, Any] = {
        EVERY: tuple(map(key_of, SHARED[EVERY])),
        DATA: ("path", *map(key_of, SHARED[DATA])),
    }
    return found | _of_commands(command)


def _of_commands(group: Any) -> dict[str, Any]:
    """Return the sections of the commands of a group."""
    return {
        name: _of_commands(command)
        if hasattr(command, "commands")
        else tuple(key_of(parameter.name) for parameter in command.params if parameter.name not in NO_KEY)
        for name, command in group.commands.items()
        if name not in WITHOUT_SECTION
    }


def check_tables(path: str, tables: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Refuse sections, keys and jobs that nobody will read. Raises UsageError."""
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise UsageError(
                f"{path}: {name!r} stands in no section.\n"
                f"Put it below the name of a command, as [predict], or below [{EVERY}], which holds for every command."
            )
        if name == JOB:
            _check_jobs(path, table)
        else:
            _check_section(path, name, table, known.get(name), [*known, JOB])


def _check_section(path: str, name: str, table: Any, known: Any, names: list[str]) -> None:
    """Refuse an unknown section, and unknown keys in one that is known."""
    if known is None:
        raise UsageError(
            f"{path}: there is no section [{name}].{meant(name, names, '[{}]')}\n"
            f"There are {', '.join(f'[{one}]' for one in names)}."
        )
    if isinstance(known, dict):  # a group of commands: sections within
        for inner, content in table.items():
            full = {f"{name}.{one}": keys for one, keys in known.items()}
            _check_section(path, f"{name}.{inner}", content, full.get(f"{name}.{inner}"), list(full))
        return
    if not isinstance(table, dict):
        raise UsageError(f"{path}: {name!r} is a section.\nWrite [{name}] on a line of its own, and its keys below.")
    for key in table:
        if key not in known:
            help_of = "train" if name in SHARED else name.replace(".", " ")
            raise UsageError(
                f"{path}: [{name}] has no key {key!r}.{meant(key_of(key), known)}\n"
                f"Keys are options without the dashes: see 'forecast {help_of} --help'."
            )


def _check_jobs(path: str, jobs: dict[str, Any]) -> None:
    """Refuse jobs that are not a list of steps."""
    for name, job in jobs.items():
        if not isinstance(job, dict):
            raise UsageError(f"{path}: [{JOB}] has the key {name!r}.\nA job is a section: [{JOB}.{name}].")
        for key in job:
            if key != STEPS:
                raise UsageError(
                    f"{path}: [{JOB}.{name}] has no key {key!r}.{meant(key, [STEPS])}\n"
                    "Options of a step stand behind its name, as on the command line, or in the section of its command."
                )
        steps = job.get(STEPS)
        if (
            not isinstance(steps, list)
            or not steps
            or not all(isinstance(step, str) and step.strip() for step in steps)
        ):
            raise UsageError(
                f"{path}: [{JOB}.{name}] {STEPS} should be a list of commands, but is {steps!r}.\n"
                f'Write {STEPS} = ["predict"].'
            )


def key_of(name: str) -> str:
    """Return what an option or argument is called in the file."""
    return name.replace("_", "-")


def meant(name: str, names: Iterable[str], form: str = "{!r}") -> str:
    """Return the question for what was probably meant, to be put behind a sentence; nothing where no name is near."""
    near = get_close_matches(name, list(names), n=1)
    return f" Did you mean {form.format(near[0])}?" if near else ""
