"""The command line: `forecast COMMAND`, one file per command.

Start-up imports Typer and the options alone; what a command works with is imported inside it.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

import forecast
from forecast.commands import failures, stopping
from forecast.commands.backtest import backtest
from forecast.commands.check import check
from forecast.commands.config import init, show
from forecast.commands.help import Command
from forecast.commands.job import job
from forecast.commands.models import models
from forecast.commands.predict import predict
from forecast.commands.score import score
from forecast.commands.spread import spread
from forecast.commands.template import template
from forecast.commands.train import train
from forecast.commands.update import update

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=False,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "FORECAST",
        "max_content_width": 100,
    },
)
for command in (check, train, predict, update, backtest, score, template):
    app.command(cls=Command)(spread(command))
app.command("run", cls=Command)(job)
config = typer.Typer(name="config", help="Show the options in force, or write a file for them.", rich_markup_mode=None)
config.command(cls=Command)(show)
config.command(cls=Command)(init)
app.add_typer(config)
app.add_typer(models, name="models")


def _say_version(wanted: bool) -> None:
    """Print the version and leave, where it is asked for."""
    if wanted:
        print(f"forecast {forecast.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_say_version,
            is_eager=True,
            allow_from_autoenv=False,
            show_envvar=False,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """Forecast time series: train once on a table, predict every night, on the command line."""


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    arguments = sys.argv[1:]
    complete_streams()
    settle_environment(arguments)
    stopping.leave(run(arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; return its exit code. Every failure is put into words here and nowhere else."""
    context = None
    try:
        with stopping.signals_as_exceptions():
            command = typer.main.get_command(app)
            with command.make_context("forecast", list(arguments)) as context:
                command.invoke(context)
            sys.stdout.flush()
        return 0
    except BaseException as error:
        return failures.report(stopping.cause_of(error), arguments, context)


def complete_streams() -> None:
    """Put nothing where the parent closed a standard stream.

    Python has None there: what is said on stderr would come out on stdout, and a file could be opened as descriptor 1.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def settle_environment(arguments: Sequence[str]) -> None:
    """Set what NumPy, TensorFlow and Arrow read from the environment when they are imported, which is after this.

    `predict` computes on one BLAS thread, whatever the environment says: its bytes must not depend on the machine's
    mood. Training, also in a backtest, keeps all the threads it is given. In `score`, which reads a log piece by piece,
    Arrow gives back what it frees; elsewhere it keeps that in a pool, for large tables are read 1.4 times faster so.
    """
    words = [word for word in arguments if not word.startswith("-")]
    command = next(iter(words), "")
    if command in ("train", "update", "backtest") or words[:2] == ["models", "export"]:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        os.environ["KERAS_BACKEND"] = "tensorflow"
        import logging

        # It takes the tracing of one graph for each kind of member for a mistake, and says so on stderr.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        if not failures.asked_for("debug", arguments):
            hide_native_noise()
    elif command != "run":  # whose steps settle theirs themselves
        os.environ.update(dict.fromkeys(THREADS, "1"))
    if command == "score":
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if not sys.warnoptions:
        sys.warnoptions.append("ignore")  # also for what is imported later
        import warnings

        warnings.simplefilter("ignore")


def hide_native_noise() -> None:
    """Send what compiled libraries write to descriptor 2 to nowhere; Python's own stderr still reaches the user.

    TensorFlow, its plugins and CUDA log there past every switch they offer, also before the first line of Python.
    """
    kept = os.dup(2)
    sys.stderr = os.fdopen(kept, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
