"""Every failure in words, in one place: what is printed on stderr, and the exit code."""

import errno
import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer

from forecast.commands import settings
from forecast.commands.sections import meant
from forecast.commands.stopping import Stopped
from forecast.errors import ForecastError, OutputError, ResourceError, UsageError
from forecast.urls import redacted

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO}


def report(error: BaseException, arguments: Sequence[str], context: Any = None) -> int:
    """Say on stderr what went wrong, as text or as JSON; return the exit code.

    context: of the program, where it got so far; its notes have what forecast.toml says.
    """
    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        return _stdout_is_gone()
    code, *words = in_words(error)
    message, hint = map(redacted, words)  # what others say may hold the password of a URL
    hint = "\n".join(part for part in (hint, *getattr(error, "__notes__", ())) if part)
    if asked_for("debug", arguments, context):
        # Frames and lines only: values of local variables may be a user's data.
        print(redacted("".join(traceback.format_exception(error))), end="", file=sys.stderr)
    if asked_for("json", arguments, context):
        text = json.dumps({"error": {"code": code, "message": message, "hint": hint}}, ensure_ascii=False)
    else:
        text = "\n".join(part for part in (f"Error: {message}", hint) if part)
    print(text, file=sys.stderr, flush=True)
    return code


def in_words(error: BaseException) -> tuple[int, str, str]:
    """Return the exit code, the message and the hint for any failure."""
    if isinstance(error, Stopped | KeyboardInterrupt):
        signal = str(error) if isinstance(error, Stopped) else "SIGINT"
        return getattr(error, "exit_code", 130), f"stopped by {signal}; the last complete result is in place.", ""
    explained = _explained(error)
    if explained is not None:
        return explained.exit_code, explained.message, explained.hint
    name = type(error).__name__
    where = f": {error}".splitlines()[0] if str(error) else ""
    return 1, f"this is a bug in forecast ({name}{where}).", "Run it again with --debug and report what it prints."


def _explained(error: BaseException) -> ForecastError | None:
    """Return the error as one that forecast explains, or None for a bug."""
    if isinstance(error, ForecastError):
        return error
    if hasattr(error, "format_message"):  # what Typer raises while it reads the command line
        return UsageError(_usage(error))
    # A library that gets no memory when it is loaded raises an ImportError.
    unmapped = isinstance(error, ImportError) and "failed to map segment" in str(error)
    if unmapped or isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return ResourceError("out of memory.\nUse fewer series or a shorter history, or a larger machine.")
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        place = f"{error.filename}: " if error.filename else ""
        return OutputError(f"{place}cannot write: {error.strerror}.\nMake room or choose another place.")
    return None


def _usage(error: Any) -> str:
    """Return Typer's complaint as one sentence, with what was probably meant, and where to look."""
    context = error.ctx
    command = context.command_path if context else "forecast"
    message = error.format_message()
    name = getattr(error, "option_name", None)
    if type(error).__name__ == "NoSuchOption":
        flags = [flag for parameter in context.command.get_params(context) for flag in parameter.opts]
        message = f"no such option {name}."
        message += meant(str(name), [flag for flag in flags if flag.startswith("--")], "{}")
    elif message.startswith("Missing argument"):
        message = f"{command} needs {error.param.metavar or error.param.name}."
    elif "extra argument" in message:
        message = (
            f"{message[:1].lower()}{message[1:]}. Several files are named by a pattern in quotes, such as '*.csv'."
        )
    elif message.startswith("Missing command"):
        message = f"which command? There are {', '.join(context.command.list_commands(context))}."
    else:
        message = _complaint(error)
    return f"{message}\nSee '{command} --help'."


def _complaint(error: Any) -> str:
    """Return what Typer has against a value as one sentence that says where the value stands."""
    place, value = settings.origin_of(error.ctx, error.param) if getattr(error, "param", None) else ("", None)
    message = f": {error.message}" if place else error.format_message()
    for verbose, plain in (("Value error, ", ""), ("Input should be", "it should be"), ("Invalid", "invalid")):
        message = message.replace(verbose, plain)
    message = " ".join(message.split())
    message += "" if message.endswith((".", "?")) else "."
    return f"{place} is {value!r}{message}" if place else message[:1].lower() + message[1:]


def asked_for(option: str, arguments: Sequence[str], context: Any = None) -> bool:
    """Tell whether a flag such as --json was given, also where the command line could not be read as a whole."""
    words = list(arguments)
    words = words[: words.index("--")] if "--" in words else words
    if f"--{option}" in words:
        return True
    # A command may lie in a group: FORECAST_MODELS_LIST_JSON.
    command = [word.upper() for word in words if not word.startswith("-")][:2]
    names = [f"FORECAST_{'_'.join([*command[:count], option.upper()])}" for count in (2, 1, 0)]
    said = next((os.environ[name] for name in names if os.environ.get(name)), None)
    if said is None and context is not None:
        return settings.flag(context, option)
    return (said or "").lower() in {"1", "true", "yes", "on"}


def _stdout_is_gone() -> int:
    """Leave quietly when the reader of stdout has left, as `head` does after its last line."""
    # Python flushes stdout once more when it exits, and would complain about the pipe again.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return OutputError.exit_code
