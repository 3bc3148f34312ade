"""The text of --help: plain, in sections, the same on a terminal, in a pipe and in docs/cli.md.

The class of all commands is here; where their options come from, beside the command line, is in `settings`.
"""

import re
from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand, TyperOption

from forecast.commands import settings
from forecast.errors import UsageError
from forecast.options import RUN

# Typer carries its own copy of click under a private name; only the shape of these objects is relied on.
Context = Any
Formatter = Any

# What is said of tables and forecasts in more than one command.
DATA = "The table: a file, - for standard input, a folder of Parquet parts, a pattern in quotes, or a URL."
FORECASTS = ".csv, .parquet or .jsonl, or the URL of a database with ?table=NAME;"


class Command(TyperCommand):
    """A command whose help shows its options in the sections that their records name, and that reads forecast.toml."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Read the command line; what it leaves out comes from the environment, then from forecast.toml."""
        if not ctx.resilient_parsing:
            given = self.make_parser(ctx).parse_args(args=list(args))[0]
            if "help" not in given:  # help must be there whatever the file says
                settings.settle(ctx, given)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Context) -> Any:
        """Run the command; a complaint about options says which of them are not from the command line."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            flags = set(re.findall(r"--[a-z-]+", error.message))
            error.hint = " ".join([error.hint, *settings.origins(ctx, flags)]).strip()
            raise

    def format_options(self, ctx: Context, formatter: Formatter) -> None:
        """Write the arguments, then each section with its options, in the order of the records, the run's last."""
        arguments: list[tuple[str, str]] = []
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, TyperOption):
                sections.setdefault(parameter.rich_help_panel or "Options", []).append(_row(parameter))
            else:
                arguments.append((parameter.metavar or parameter.name, getattr(parameter, "help", "") or ""))
        for last in (RUN, "Options"):  # --help comes at the very end
            sections[last] = sections.pop(last, [])
        for title, rows in {"Arguments": arguments, **sections}.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows, col_max=26)


def _row(option: TyperOption) -> tuple[str, str]:
    """Return what an option looks like, and its help with default and range."""
    flags = ", ".join(sorted(option.opts, key=len))
    if not option.is_flag:
        flags += f" {option.metavar or '|'.join(_choices(option))}"
    default = getattr(option.default, "value", option.default)
    notes = [] if option.is_flag or default in (None, "", []) else [f"default: {default}"]
    return flags, " ".join([option.help or "", *(f"[{note}]" for note in notes)])


def _choices(option: TyperOption) -> Sequence[str]:
    """Return the words an option accepts."""
    return [getattr(choice, "value", str(choice)) for choice in option.type_descriptor.choices or ("TEXT",)]
