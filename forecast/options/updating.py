"""How a trained model learns new rows."""

from dataclasses import dataclass
from typing import Annotated

from typer import Option

from forecast.durations import seconds_of
from forecast.options.sections import INPUT, NETWORK, OUTPUT
from forecast.options.training import Device


@dataclass(frozen=True)
class UpdateOptions:
    """When an updated model is promoted, and what for the table and the machine must do."""

    require_promotion: Annotated[
        bool,
        Option(
            "--require-promotion",
            help="Leave with 16 when the current version stays; a candidate that was worse is kept beside it.",
            rich_help_panel=OUTPUT,
        ),
    ] = False
    max_age: Annotated[
        str | None,
        Option(
            "--max-age",
            metavar="DUR",
            help="Warn when the newest value is older than this, such as 36h or 2d; error:36h leaves with 17 instead, "
            "and changes nothing. Counted from the clock, or from --as-of. Default: warn after two steps.",
            rich_help_panel=INPUT,
        ),
    ] = None
    device: Annotated[
        Device, Option("--device", help="Where to train; gpu without a GPU is an error.", rich_help_panel=NETWORK)
    ] = Device.AUTO

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.max_age is not None:
            seconds_of(self.max_age.removeprefix("error:"), "--max-age")
