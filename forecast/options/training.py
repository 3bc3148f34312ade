"""What is trained, and how."""

import math
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Annotated

from typer import Option

from forecast.durations import seconds_of
from forecast.errors import UsageError
from forecast.options.sections import NETWORK, OUTPUT, RUN

MOST_DECIMALS = 12  # of --round: more are beyond what a number of usual size holds


class Preset(StrEnum):
    """How many networks are trained, and for how long."""

    FAST = "fast"
    BALANCED = "balanced"
    BEST = "best"


class Forecaster(StrEnum):
    """What may be published."""

    AUTO = "auto"
    NETWORK = "network"


class Cell(StrEnum):
    """The recurrent cell."""

    LSTM = "lstm"
    GRU = "gru"
    RNN = "rnn"


class Scaler(StrEnum):
    """How each series is scaled before the network sees it."""

    AUTO = "auto"
    NONE = "none"
    STANDARD = "standard"
    ROBUST = "robust"
    MINMAX = "minmax"
    LOG = "log"
    POWER = "power"


class Device(StrEnum):
    """Where the network is trained."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


@dataclass(frozen=True)
class TrainOptions:
    """What is trained and how: the numbers left at None are settled from the data."""

    horizon: Annotated[
        int | None,
        Option(
            "--horizon",
            "-H",
            metavar="N",
            min=1,
            help="Steps to forecast. Default: by frequency, printed.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    window: Annotated[
        int | None,
        Option(
            "--window",
            "-w",
            metavar="N",
            min=1,
            help="Past steps the network sees. Default: from season, horizon and length, printed.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    preset: Annotated[
        Preset, Option("--preset", help="How many networks, trained how long.", rich_help_panel=NETWORK)
    ] = Preset.BALANCED
    forecaster: Annotated[
        Forecaster,
        Option(
            "--forecaster",
            help="auto: what the origins show to be best, a weighted mix or a baseline included.",
            rich_help_panel=NETWORK,
        ),
    ] = Forecaster.AUTO
    cell: Annotated[Cell, Option("--cell", help="Recurrent cell.", rich_help_panel=NETWORK)] = Cell.LSTM
    units: Annotated[
        int | None,
        Option("--units", metavar="N", min=1, help="Width of a recurrent layer. Default: 64.", rich_help_panel=NETWORK),
    ] = None
    layers: Annotated[
        int | None,
        Option("--layers", metavar="N", min=1, max=3, help="Recurrent layers. Default: 1.", rich_help_panel=NETWORK),
    ] = None
    segment: Annotated[
        int | None,
        Option(
            "--segment",
            metavar="N",
            min=1,
            help="Time steps fed to the cell at once. Default: a season or a part of it.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    members: Annotated[
        int | None,
        Option(
            "--members",
            metavar="N",
            min=1,
            help="Networks in the ensemble. Default: by preset 1, 4 or 12.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    scaler: Annotated[
        Scaler,
        Option("--scaler", help="Scaling of each series, fitted on training rows alone.", rich_help_panel=NETWORK),
    ] = Scaler.AUTO
    origins: Annotated[
        int,
        Option(
            "--origins",
            metavar="K",
            min=1,
            max=20,
            help="Rolling origins for verdict and calibration, at most; fewer on short series.",
            rich_help_panel=NETWORK,
        ),
    ] = 20
    epochs: Annotated[
        int | None,
        Option(
            "--epochs",
            metavar="N",
            min=1,
            help="Rounds of 50 training steps, at most; of fewer where those pass over all windows more than four "
            "times. Each ends with a look at the validation rows. Default: by preset 500, 2000 or 3000 steps.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    patience: Annotated[
        int | None,
        Option(
            "--patience",
            metavar="N",
            min=1,
            help="Epochs without improvement before training stops. Default: 12, or 300 steps where those are more.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    trials: Annotated[
        int | None,
        Option(
            "--trials",
            metavar="N",
            min=1,
            help="Settings of the network to try before training; the best on the validation rows is taken. Needs "
            "forecast-lstm[tune]. In train, an interrupted search goes on when it is started again.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    time_limit: Annotated[
        str | None,
        Option(
            "--time-limit",
            metavar="DUR",
            help="Be done after this time, such as 90s, 10m or 1h30m, with the best there is: the result then "
            "depends on the speed of the machine. Kept within 10 % or 5 s; backtest shares it out over its fits.",
            rich_help_panel=RUN,
        ),
    ] = None
    require_skill: Annotated[
        float | None,
        Option(
            "--require-skill",
            metavar="S",
            help="Leave with 16 when the skill against seasonal naive is below S (0.1 = 10 % better); train then keeps "
            "the model as a candidate, and the current version stays.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    min: Annotated[
        float | None, Option("--min", metavar="V", help="No forecast and no band goes below V.", rich_help_panel=OUTPUT)
    ] = None
    max: Annotated[
        float | None, Option("--max", metavar="V", help="No forecast and no band goes above V.", rich_help_panel=OUTPUT)
    ] = None
    round: Annotated[
        int | None,
        Option("--round", metavar="N", help="Decimals of forecast and bands, 0 for none.", rich_help_panel=OUTPUT),
    ] = None
    device: Annotated[
        Device, Option("--device", help="Where to train; gpu without a GPU is an error.", rich_help_panel=NETWORK)
    ] = Device.AUTO
    seed: Annotated[int, Option("--seed", metavar="N", min=0, help="Fixes the result.", rich_help_panel=NETWORK)] = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        _ = self.seconds
        check_bounds(self.min, self.max, self.round)

    @property
    def seconds(self) -> float:
        """The time limit in seconds; infinite without one."""
        return inf if self.time_limit is None else seconds_of(self.time_limit, "--time-limit")


def check_bounds(minimum: float | None, maximum: float | None, decimals: int | None) -> None:
    """Raise UsageError for bounds that no number can obey, or that rounding would break."""
    if decimals is not None and not 0 <= decimals <= MOST_DECIMALS:
        raise UsageError(f"--round {decimals} is no number of decimals.\nUse 0 to {MOST_DECIMALS}.")
    for flag, value in (("--min", minimum), ("--max", maximum)):
        if value is None:
            continue
        if not math.isfinite(value):
            raise UsageError(f"{flag} {value} is no bound.\nUse a number, or leave {flag} out.")
        if decimals is not None and round(value, decimals) != value:
            raise UsageError(
                f"{flag} {value} has more decimals than --round {decimals} leaves.\n"
                "Give a bound with as few, or round to more."
            )
    if minimum is not None and maximum is not None and minimum > maximum:
        raise UsageError(f"--min {minimum:g} is above --max {maximum:g}.\nCorrect one of them.")
