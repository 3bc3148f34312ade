"""Write docs/cli.md from the commands themselves: `python docs/make_cli.py`; a test compares."""

from pathlib import Path
from typing import Any

import typer

from forecast.commands import app

HEAD = """# The command line

Made from the commands by `python docs/make_cli.py`: what `forecast COMMAND --help` prints.

An option is taken from the first of these that has it:

1. the command line;
2. the environment, `FORECAST_<COMMAND>_<OPTION>`: `FORECAST_PREDICT_LEVEL="80 95"` (several values with spaces
   between); a flag is `1` or `0`; `FORECAST_MODELS` is the store of all commands. A variable that is named like an
   option of the command that runs, and is none, is an error;
3. the file named by `--config FILE`, or else `forecast.toml` in the folder we are in, if there is one;
4. the default.

`forecast config show` prints what is in force, and where each value comes from.

## forecast.toml

```toml
[forecast]                 # options of every command that has them
models = "models"
model = "sales"
[data]                     # options of every command that reads a table, and the table
path = "sales/*.parquet"
id = "store"
[predict]                  # options of one command; they win over those above
output = "out/{cutoff}.csv"
level = [80, 95]
[job.nightly]              # forecast run nightly
steps = ["predict"]
[job.both]
steps = ["predict -m shops -o out/shops.csv", "predict -m online -o out/online.csv"]
```

- Keys are long options without the dashes, or the argument (`data`) in the section of a command. Values are read as on
  the command line; a flag is `true` or `false`; an option that may be repeated takes a list. An unknown section, key or
  job is an error that says what was probably meant, whichever command runs.
- A relative path starts at the folder of the file: `DATA`, `FILE` and `DIR` in the help of an option, and a `MODEL`
  with a slash in it. URLs stay as they are.
- A step of a job is a command line without `forecast`. It runs as a process of its own in the folder of the file, with
  its options from the same four places. All steps are read before the first one runs. A job ends at the first step that
  leaves with another code than 0 or 3, and leaves with that code, else with 3 if a step did.
- `forecast config init` writes a file that names every option, and never overwrites one.
"""


def page() -> str:
    """Return the page: the help of the application, then of each command."""
    root = typer.main.get_command(app)
    with root.make_context("forecast", [], resilient_parsing=True, terminal_width=88) as context:
        parts = [HEAD, _block("forecast", root.get_help(context))]
        parts += _commands(root, context)
    return "\n".join(parts)


def _commands(group: Any, context: Any) -> list[str]:
    """Return the help of each command of a group; of a group within, that of its commands as well."""
    parts = []
    for name, command in group.commands.items():
        with command.make_context(name, [], parent=context, resilient_parsing=True, terminal_width=88) as inner:
            parts.append(_block(inner.command_path, command.get_help(inner)))
            parts += _commands(command, inner) if hasattr(command, "commands") else []
    return parts


def _block(title: str, text: str) -> str:
    """Return a heading and a help text as it is."""
    body = "\n".join(line.rstrip() for line in text.splitlines())
    return f"## {title}\n\n```text\n{body}\n```\n"


if __name__ == "__main__":
    Path(__file__).with_name("cli.md").write_text(page(), encoding="utf-8")
