"""The command line that trains on a table as it was checked: what was asked for, and the columns that were found."""

from dataclasses import fields, replace
from typing import Any

from forecast.commands.train import model_name
from forecast.errors import UsageError
from forecast.options import CommonOptions, ReadOptions, TrainOptions
from forecast.tables.phrases import typed
from forecast.urls import shown

OF_THE_STORE = ("models", "model")  # the common options that say what is trained, not how much is said
ANY_NAME = "model"  # where no name follows from the data


def training_command(
    data: str,
    read: ReadOptions,
    found: ReadOptions,
    options: TrainOptions,
    common: CommonOptions,
    minimum: float | None,
    prefix: str,
) -> str:
    """Return the command line, quoted for a shell, without passwords of URLs.

    found: how the table was read; minimum: the suggested --min, None where one is given.

    Columns are named, so that a new one in the next table changes nothing; what was found out about the dialect is not,
    since it is found again.
    """
    read = replace(read, id=found.id, time=found.time, target=found.target)
    if minimum is not None and (options.max is None or options.max > minimum):
        options = replace(options, min=minimum)
    if common.model is None and not _has_name(data):
        common = replace(common, model=ANY_NAME)
    # A path that begins with a dash would be read as an option.
    words = ["forecast", "train", f"./{data}" if data.startswith("-") and data != "-" else data]
    words += [*_words(read), *_words(options), *_words(common, OF_THE_STORE)]
    words += _option("--prefix", prefix) if prefix else []
    return " ".join(typed(shown(word)) for word in words)  # whoever runs it puts the password in


def _has_name(data: str) -> bool:
    """Tell whether a name for the model follows from the data."""
    try:
        model_name(data)
    except UsageError:
        return False
    return True


def _words(record: Any, names: tuple[str, ...] = ()) -> list[str]:
    """Return the options of a record that differ from their default, those of these names where some are given."""
    words = []
    for field in fields(record):
        value = getattr(record, field.name)
        if value == field.default or (names and field.name not in names):
            continue
        flag = f"--{field.name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        else:
            for one in value if isinstance(value, tuple) else (value,):
                words += _option(flag, str(one).removesuffix(".0") if isinstance(one, float) else str(one))
    return words


def _option(flag: str, value: str) -> list[str]:
    """Return an option and its value; as one word where the value would be read as an option."""
    return [f"{flag}={value}"] if value.startswith("-") else [flag, value]
