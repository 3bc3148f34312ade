"""What is forecast from a trained model."""

import re
from dataclasses import dataclass
from typing import Annotated

from typer import Option

from forecast.durations import seconds_of
from forecast.errors import UsageError
from forecast.options.sections import INPUT, OUTPUT

Prefix = Annotated[
    str,
    Option(
        "--prefix",
        metavar="TEXT",
        help="Text before each column of the forecasts that is not the user's own.",
        rich_help_panel=OUTPUT,
    ),
]


@dataclass(frozen=True)
class PredictOptions:
    """What is forecast from a trained model."""

    horizon: Annotated[
        int | None,
        Option(
            "--horizon",
            "-H",
            metavar="N",
            min=1,
            help="Steps to forecast. Default: as trained; more is done recursively, with wider bands.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    level: Annotated[
        tuple[float, ...],
        Option(
            "--level",
            metavar="P",
            help="Level of a band in percent (repeat). Default: 80 and 95.",
            rich_help_panel=OUTPUT,
        ),
    ] = ()
    quantile: Annotated[
        tuple[float, ...],
        Option(
            "--quantile",
            metavar="Q",
            help="Quantile to write instead of bands, between 0 and 1 (repeat).",
            rich_help_panel=OUTPUT,
        ),
    ] = ()
    max_age: Annotated[
        str | None,
        Option(
            "--max-age",
            metavar="DUR",
            help="Warn when the newest value is older than this, such as 36h or 2d; error:36h leaves with 17 instead, "
            "and writes nothing. Counted from the clock, or from --as-of. Default: warn after two steps.",
            rich_help_panel=INPUT,
        ),
    ] = None
    max_bad: Annotated[
        str,
        Option(
            "--max-bad",
            metavar="P",
            help="Leave with 3 when more than this share of the series fell back or were skipped.",
            rich_help_panel=OUTPUT,
        ),
    ] = "5%"
    prefix: Prefix = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.level and self.quantile:
            raise UsageError("--level and --quantile exclude each other.\nLeave one of them out.")
        for level in self.level:
            if not 0 < level < 100:
                raise UsageError(f"--level {level:g} is no level.\nUse a percentage between 0 and 100, such as 80.")
        for quantile in self.quantile:
            if not 0 < quantile < 1:
                raise UsageError(f"--quantile {quantile:g} is no quantile.\nUse a number between 0 and 1, such as 0.9.")
        if not re.fullmatch(r"\d+(\.\d+)?%", self.max_bad) or float(self.max_bad[:-1]) > 100:
            raise UsageError(f"--max-bad {self.max_bad!r} is no share.\nUse a percentage such as 5%.")
        if self.max_age is not None:
            seconds_of(self.max_age.removeprefix("error:"), "--max-age")
