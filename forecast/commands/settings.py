"""`forecast.toml`: options and jobs in a file, under the names they have on the command line.

Nothing here knows an option: the sections and their keys are those of the commands, and a value is read as if it stood
on the command line. It takes part there as the default, below the environment.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from forecast.commands.sections import DATA, JOB, SHARED, STEPS, check_tables, key_of, meant, sections
from forecast.errors import UsageError
from forecast.urls import is_url, shown

# Typer carries its own copy of click under a private name; only the shape of these objects is relied on.
Context = Any
Parameter = Any

FILE = "forecast.toml"
LARGEST = 1 << 20  # bytes: what is larger is not a file of options
# Where an argument is looked for, beside the section of its command.
ARGUMENTS = {"data": (DATA, "path"), "log": ("predict", "log")}
PLACES = ("DATA", "DIR", "FILE", "LOG")  # what a path is called in --help
NOTED, FOUND = "forecast.settings", "forecast.defaults"  # what is noted for all contexts of a run


@dataclass(frozen=True)
class Settings:
    """What a file says: its path as it was named, and its sections; no path and no sections where there is no file."""

    path: str | None = None
    tables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The folder of the file, where its relative paths start; empty for the one we are in."""
        return os.path.dirname(self.path or "")

    @property
    def jobs(self) -> dict[str, list[str]]:
        """The steps of each job."""
        return {name: job[STEPS] for name, job in self.tables.get(JOB, {}).items()}


@dataclass(frozen=True)
class Setting:
    """A value in the file, and where it stands."""

    path: str
    section: str
    key: str
    value: Any

    @property
    def place(self) -> str:
        """File, section and key."""
        return f"{self.path}: [{self.section}] {self.key}"


def settle(context: Context, given: Mapping[str, Any]) -> None:
    """Make what a file says the defaults of the command that is about to be read; `given`: its command line so far.

    Raises UsageError for a file that cannot be read, for what it should not hold, and for unknown variables.
    """
    check_environment(context)
    parameters = {parameter.name: parameter for parameter in context.command.get_params(context)}
    if "config" not in parameters:
        return  # a command that no file speaks to
    settings = read_settings(parameters["config"].consume_value(context, given)[0])
    if settings.path is not None:
        check_tables(settings.path, settings.tables, sections(context.find_root().command))
    context.meta[NOTED] = settings
    context.meta[FOUND] = context.default_map = {
        name: as_given(setting, parameter)
        for name, parameter in parameters.items()
        if (setting := setting_of(settings, context, parameter)) is not None
    }


def read_settings(named: str | None) -> Settings:
    """Read the file that was named, or forecast.toml here if there is one. Raises UsageError for anything else."""
    path = FILE if named is None else named
    try:
        # Not a pipe that nobody writes to, nor a device without end.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise UsageError(f"{path}: it is no file.\nName a file of options with --config.")
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        if named is None:
            return Settings()
        raise UsageError(
            f"{path}: there is no such file.\nCorrect --config, or write one with 'forecast config init'."
        ) from None
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}.\n"
            "Make it readable, or name another file with --config."
        ) from None
    if len(content) > LARGEST:
        raise UsageError(f"{path}: it is larger than {LARGEST:,} bytes.\nName a file of options with --config.")
    return Settings(path, _parsed(path, content))


def _parsed(path: str, content: bytes) -> dict[str, Any]:
    """Return the tables of a TOML file."""
    import tomllib  # here, since most runs have no file

    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line}: it is not UTF-8.\nSave the file as UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(
            f"{path}: it is not TOML: {error}.\n"
            "Text stands in quotes, as in model = \"sales\"; see 'forecast config init' for an example."
        ) from None


def words_of(context: Context) -> list[str]:
    """Return the names of a command and its groups, without that of the program."""
    words: list[str] = []
    while context.parent is not None:
        words.insert(0, context.info_name)
        context = context.parent
    return words


def setting_of(settings: Settings, context: Context, parameter: Parameter) -> Setting | None:
    """Return the value of a parameter in the file: that of the command before that of several; None without one."""
    places = [(".".join(words_of(context)), key_of(parameter.name))]
    if parameter.param_type_name == "argument":
        places += [ARGUMENTS[parameter.name]] if parameter.name in ARGUMENTS else []
    else:
        places += [(section, key_of(parameter.name)) for section, names in SHARED.items() if parameter.name in names]
    for section, key in places:
        table: Any = settings.tables
        for word in section.split("."):
            table = table.get(word, {})
        if key in table:
            return Setting(settings.path or "", section, key, table[key])
    return None


def as_given(setting: Setting, parameter: Parameter) -> Any:
    """Return a value as it would come from the command line, paths below the folder of the file."""
    value = setting.value
    if getattr(parameter, "is_flag", False):
        if not isinstance(value, bool):
            raise UsageError(f"{setting.place} should be true or false, but is {value!r}.\nWrite it without quotes.")
        return value
    if parameter.multiple:
        return [_word(setting, parameter, one) for one in (value if isinstance(value, list) else [value])]
    return _word(setting, parameter, value)


def _word(setting: Setting, parameter: Parameter, value: Any) -> str:
    """Return one value as a word of the command line."""
    if isinstance(value, list | dict | bool):
        raise UsageError(
            f"{setting.place} should be a text or a number, but holds {_shown(value)}.\n"
            f"Correct it as 'forecast COMMAND --help' shows --{setting.key}."
        )
    word = value.isoformat() if isinstance(value, date | time) else str(value)
    is_path = parameter.metavar in PLACES or (parameter.metavar == "MODEL" and "/" in word)
    if is_path and word != "-" and not is_url(word):
        return os.path.join(os.path.dirname(setting.path), word)
    return word


def check_environment(context: Context) -> None:
    """Refuse variables that are named like options of this command and are none. Raises UsageError."""
    names = [
        variable_of(context, one) for one in context.command.get_params(context) if one.param_type_name == "option"
    ]
    for name in sorted(os.environ):
        if name.startswith(f"{context.auto_envvar_prefix}_") and name not in names:
            raise UsageError(
                f"the environment has {name}, which is no option of '{context.command_path}'."
                f"{meant(name, names, '{}')}\n"
                f"Unset or correct it; see '{context.command_path} --help'."
            )


def variable_of(context: Context, parameter: Parameter) -> str:
    """Return the variable of the environment that an option is read from."""
    if parameter.envvar and os.environ.get(parameter.envvar):
        return str(parameter.envvar)
    return f"{context.auto_envvar_prefix}_{parameter.name.upper()}"


def origin_of(context: Context, parameter: Parameter) -> tuple[str, Any]:
    """Return where the value of a parameter came from, and what was found there; nothing for the command line."""
    source = context.get_parameter_source(parameter.name)
    if source is not None and source.name == "ENVIRONMENT":
        name = variable_of(context, parameter)
        return name, os.environ[name]
    setting = setting_of(context.meta[NOTED], context, parameter) if NOTED in context.meta else None
    if setting is not None and source is not None and source.name == "DEFAULT_MAP":
        return setting.place, setting.value
    return "", None


def flag(context: Context, name: str) -> bool:
    """Tell whether the file sets a flag of the command that ran, such as json."""
    return context.meta.get(FOUND, {}).get(name) is True


def origins(context: Context, flags: set[str]) -> Iterator[str]:
    """Yield a sentence for each of these options that the user did not give on the command line."""
    for parameter in context.command.get_params(context):
        if flags & set(parameter.opts) and (origin := origin_of(context, parameter)[0]):
            yield f"--{key_of(parameter.name)} comes from {origin}."


def _shown(value: Any) -> str:
    """Return a value for a message, without passwords of URLs."""
    return shown(repr(value))
