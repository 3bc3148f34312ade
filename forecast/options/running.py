"""What every command that works with a model takes."""

from dataclasses import dataclass
from typing import Annotated

from typer import Option

from forecast.durations import seconds_of
from forecast.options.sections import RUN

ConfigFile = Annotated[
    str | None,
    Option(
        "--config",
        metavar="FILE",
        help="Read options from here: the command line and the environment win. Default: forecast.toml, if it is here.",
        rich_help_panel=RUN,
    ),
]


@dataclass(frozen=True)
class CommonOptions:
    """What every command that works with a model takes: where models live, which one, and how much is said."""

    models: Annotated[
        str,
        Option(
            "--models", metavar="DIR", envvar="FORECAST_MODELS", help="Folder of trained models.", rich_help_panel=RUN
        ),
    ] = "models"
    model: Annotated[
        str | None,
        Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="Name of a model in that folder, or a path; NAME@VERSION selects a version. "
            "Default: train: the name of the data file; backtest: none; others: the only model there is.",
            rich_help_panel=RUN,
        ),
    ] = None
    quiet: Annotated[bool, Option("--quiet", "-q", help="Say nothing when all goes well.", rich_help_panel=RUN)] = False
    verbose: Annotated[bool, Option("--verbose", "-v", help="Say more.", rich_help_panel=RUN)] = False
    json: Annotated[
        bool,
        Option(
            "--json",
            help="Print the run record, one JSON document, and nothing else; errors too are JSON.",
            rich_help_panel=RUN,
        ),
    ] = False
    debug: Annotated[
        bool, Option("--debug", help="Show the traceback of an error; so does FORECAST_DEBUG=1.", rich_help_panel=RUN)
    ] = False
    config: ConfigFile = None


@dataclass(frozen=True)
class LockOptions:
    """What a command that changes a model or a log does about other runs that do so."""

    lock_wait: Annotated[
        str | None,
        Option(
            "--lock-wait",
            metavar="DUR",
            help="Wait so long, such as 30s, while another run changes the same model or log. "
            "Default: leave with 11 at once; what was trained waits for 10m.",
            rich_help_panel=RUN,
        ),
    ] = None
    lock_dir: Annotated[
        str | None,
        Option(
            "--lock-dir",
            metavar="DIR",
            envvar="FORECAST_LOCK_DIR",
            help="Folder for locks, on a disk of this machine: for models and logs on network drives, and the same for "
            "every run. Default: in what is locked.",
            rich_help_panel=RUN,
        ),
    ] = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        self.seconds(0.0)

    def seconds(self, default: float) -> float:
        """Return how long to wait for a lock, in seconds."""
        return default if self.lock_wait is None else seconds_of(self.lock_wait, "--lock-wait")
