"""Write docs/cli.md from the commands themselves: `python docs/make_cli.py`; a test compares."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from forecast.commands import app

HEAD = """# The command line

Made from the commands by `python docs/make_cli.py`: what `forecast COMMAND --help` prints. An option is also read
from the environment, as `FORECAST_<COMMAND>_<OPTION>`: `FORECAST_PREDICT_LEVEL="80 95"` (several values with spaces
between). What is given on the command line wins.
"""


def page() -> str:
    """Return the page: the help of the application, then of each command."""
    root = typer.main.get_command(app)
    with root.make_context("forecast", [], resilient_parsing=True, terminal_width=88) as context:
        return "\n".join([HEAD, _block("forecast", root.get_help(context)), *_commands("forecast", root, context)])


def _commands(title: str, group: Any, context: Any) -> Iterator[str]:
    """Yield the help of each command of a group, and of the commands below it."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        with command.make_context(name, [], parent=context, resilient_parsing=True, terminal_width=88) as inner:
            yield _block(f"{title} {name}", command.get_help(inner))
            if hasattr(command, "list_commands"):
                yield from _commands(f"{title} {name}", command, inner)


def _block(title: str, text: str) -> str:
    """Return a heading and a help text as it is."""
    body = "\n".join(line.rstrip() for line in text.splitlines())
    return f"## {title}\n\n```text\n{body}\n```\n"


if __name__ == "__main__":
    Path(__file__).with_name("cli.md").write_text(page(), encoding="utf-8")
