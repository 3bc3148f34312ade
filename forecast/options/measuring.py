"""How forecasts are measured: at past origins, and against the truth that has arrived since."""

from dataclasses import dataclass
from typing import Annotated

from typer import Option

from forecast.options.sections import ORIGINS, OUTPUT


@dataclass(frozen=True)
class BacktestOptions:
    """At which origins a forecast is measured, and when it is fitted."""

    origins: Annotated[
        int | None,
        Option(
            "--origins",
            metavar="K",
            min=1,
            help="Rolling origins, counted back from the end of each series. Default: as many as the data allow, at "
            "most 10; with -m those after the rows of its training, if there are any.",
            rich_help_panel=ORIGINS,
        ),
    ] = None
    every: Annotated[
        int | None,
        Option(
            "--every",
            metavar="N",
            min=1,
            help="Steps between two origins. Default: the horizon, so that no step is forecast twice.",
            rich_help_panel=ORIGINS,
        ),
    ] = None
    refit_every: Annotated[
        int | None,
        Option(
            "--refit-every",
            metavar="N",
            min=1,
            help="Fit again at every N-th origin, each time as long as one 'forecast train'. Default: only before "
            "the first.",
            rich_help_panel=ORIGINS,
        ),
    ] = None
    sliding: Annotated[
        int | None,
        Option(
            "--sliding",
            metavar="N",
            min=1,
            help="Fit on at most the last N rows of each series. Default: on all rows before the origin.",
            rich_help_panel=ORIGINS,
        ),
    ] = None


@dataclass(frozen=True)
class ScoreOptions:
    """Stored forecasts against the truth."""

    max_drift: Annotated[
        float | None,
        Option(
            "--max-drift",
            metavar="X",
            min=0,
            help="Leave with 16 when the errors of late are, as good as surely, more than X times those of the "
            "backtest, such as 1.2.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
