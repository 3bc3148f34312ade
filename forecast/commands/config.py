"""`forecast config`: the options that are in force, and a file to write them in."""

import json as json_format
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Annotated, Any, get_args

import typer
from typer import Argument, Option

from forecast.commands.sections import DATA, EVERY, NO_KEY, SHARED, WITHOUT_SECTION, key_of, meant
from forecast.commands.settings import ARGUMENTS, FILE, origin_of, settle, words_of
from forecast.commands.speaking import json_text
from forecast.errors import OutputError, UsageError
from forecast.options import OUTPUT, RUN, ConfigFile
from forecast.urls import shown

HEAD = f"""\
# {FILE}: options of the commands, and jobs for 'forecast run JOB'.
#
# Every line that begins with '# name =' shows an option and its default, or in capitals what it takes. Remove the '# '
# and write a value: text in quotes, several values as ["a", "b"]. The command line wins, then the environment (as in
# FORECAST_PREDICT_LEVEL="80 95"), then this file. Relative paths start at the folder of this file.
# 'forecast config show' prints what is in force, and where it comes from.
"""
TITLES = {
    EVERY: "Every command.",
    DATA: "Every command that reads a table.",
    "job.nightly": "A job: forecast run nightly.",
}


def show(
    context: typer.Context,
    command: Annotated[
        str | None, Argument(metavar="COMMAND", help="The command to show. Default: all of them.")
    ] = None,
    config: ConfigFile = None,
    json: Annotated[bool, Option("--json", help="Print one JSON document.", rich_help_panel=RUN)] = False,
) -> None:
    """Print the value of every option as a command would find it, and where it comes from.

    What is printed is TOML that forecast.toml may hold, but for the passwords of URLs, which are not shown.
    """
    found = {" ".join(words_of(one)): _values(one) for one in _contexts(context.find_root(), config)}
    if command is not None and command not in found:
        near = meant(command, found)
        raise UsageError(f"no such command {command!r}.{near}\nThere are {', '.join(found)}.")
    found = found if command is None else {command: found[command]}
    if json:
        documents = {
            name: {key: {"value": value, "from": origin} for key, value, origin in values}
            for name, values in found.items()
        }
        print(json_text(documents), end="")
        return
    print("\n".join(line for name, values in found.items() for line in _section(name, values)).rstrip("\n"))


def init(
    context: typer.Context,
    output: Annotated[
        str, Option("--output", "-o", metavar="FILE", help="Where to write it; - is stdout.", rich_help_panel=OUTPUT)
    ] = FILE,
) -> None:
    """Write a forecast.toml that explains itself: every option with its default, and a first job.

    A file that is there is never overwritten.
    """
    text = template(context.find_root().command)
    if output == "-":
        print(text, end="")
        return
    made = False
    try:
        with open(output, "x", encoding="utf-8") as file:
            made = True
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{output}: it is there already.\nName another file with -o, or - to print it.") from None
    except OSError as error:
        if made:
            os.unlink(output)
        raise OutputError(f"{output}: cannot write: {error.strerror}.\nName another place with -o.") from None
    print(f"Wrote {output}. Next: forecast config show", file=sys.stderr)


def template(root: Any) -> str:
    """Return the file that `init` writes: it holds for these commands, and changes nothing as it is."""
    parts = [HEAD, _title(EVERY), *_commented(root, SHARED[EVERY])]
    parts += [_title(DATA), '# path = "DATA"', _wrapped("The table."), *_commented(root, SHARED[DATA])]
    shared = {*SHARED[EVERY], *SHARED[DATA]}
    for words, command in leaves(root):
        parts += [_title(".".join(words), command.help.split("\n")[0])]
        own = [one for one in command.params if one.name not in (*shared, *NO_KEY, *ARGUMENTS)]
        parts += [line for one in own for line in _explained(one)]
    return "\n".join([*parts, _title("job.nightly"), 'steps = ["predict"]', ""])


def leaves(group: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the commands that have a section, with their names."""
    for name, command in group.commands.items():
        if hasattr(command, "commands") and name not in WITHOUT_SECTION:
            yield from leaves(command, (*before, name))
        elif name not in WITHOUT_SECTION:
            yield (*before, name), command


def _title(section: str, about: str = "") -> str:
    """Return the line that begins a section, with what it is about above."""
    return f"\n# {about or TITLES[section]}\n[{section}]"


def _commented(root: Any, names: Sequence[str]) -> list[str]:
    """Return the lines that explain options which several commands share."""
    first = {one.name: one for _, command in reversed(list(leaves(root))) for one in command.params}
    return [line for name in names for line in _explained(first[name])]


def _explained(parameter: Any) -> list[str]:
    """Return an option as a comment, with its default or what it takes, and its help below."""
    value = _plain(parameter.default)
    if value in (None, []):
        value = parameter.metavar or "|".join(parameter.type_descriptor.choices)
        is_number = not {int, float}.isdisjoint(_kinds(parameter.type_descriptor.annotation))
        value = value if is_number else _toml(value)
        value = f"[{value}]" if parameter.multiple else value
    else:
        value = _toml(value)
    return [f"# {key_of(parameter.name)} = {value}", _wrapped(parameter.help or "")]


def _kinds(annotation: Any) -> set[Any]:
    """Return the types in an annotation such as int | None or list[int]."""
    return {annotation}.union(*map(_kinds, get_args(annotation)))


def _wrapped(text: str) -> str:
    """Return a text as indented comment lines."""
    return textwrap.fill(text, 110, initial_indent="#     ", subsequent_indent="#     ")


def _contexts(root: Any, config: str | None) -> Iterator[Any]:
    """Yield each command as if it had been called without a word, its file read."""
    for words, _ in leaves(root.command):
        context = root
        for word in words:
            inner = context.command.commands[word]
            context = inner.make_context(word, [], parent=context, resilient_parsing=True)
        context.resilient_parsing = False
        settle(context, {"config": config})
        yield context


def _values(context: Any) -> list[tuple[str, Any, str]]:
    """Return key, value and origin of each option and argument. Raises usage errors for values that cannot be."""
    found = []
    for parameter in context.command.params:
        if parameter.name in NO_KEY:
            continue
        value, source = parameter.consume_value(context, {})
        context.set_parameter_source(parameter.name, source)
        value = None if value is None else parameter.process_value(context, value)
        found.append((key_of(parameter.name), _plain(value), origin_of(context, parameter)[0] or "default"))
    return found


def _section(name: str, values: list[tuple[str, Any, str]]) -> Iterator[str]:
    """Yield the lines of a section, each with its origin; what is not set is a comment."""
    yield f"[{name.replace(' ', '.')}]"
    for key, value, origin in values:
        unset = value is None or value == []
        yield f"# {key} is not set" if unset else f"{key} = {_toml(value)}  # {origin}"
    yield ""


def _plain(value: Any) -> Any:
    """Return a value as JSON and TOML know it, without passwords of URLs."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    return shown(value) if isinstance(value, str) else value


def _toml(value: Any) -> str:
    """Return a plain value as TOML, which for these kinds is what JSON is."""
    return json_format.dumps(value, ensure_ascii=False)
