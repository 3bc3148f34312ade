"""The options of every command, once: frozen records whose fields carry their help.

The command line spreads the fields of a record into a command's signature; Python callers make the same records.
A field left at None means: settle it from the data. `__post_init__` checks what can be checked without reading rows.
"""

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Annotated, Any

from typer import Option

from forecast.durations import seconds_of
from forecast.errors import UsageError
from forecast.instants import instant_of


class Duplicates(StrEnum):
    """What is done with several rows for one series and time."""

    ERROR = "error"
    FIRST = "first"
    LAST = "last"
    MEAN = "mean"
    SUM = "sum"


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


MAX_INPUT_BYTES = 4 << 30  # of --max-input-bytes: a small archive can hold any number of rows
MOST_DECIMALS = 12  # of --round: more are beyond what a number of usual size holds

# The sections of --help.
COLUMNS, DIALECT, REPAIR, NETWORK, OUTPUT, RUN = "Columns", "Dialect", "Repair", "Network", "Output", "Run"
ORIGINS, INPUT = "Origins", "Input"


@dataclass(frozen=True)
class ReadOptions:
    """How a table is read: column roles, dialect, frequency, repair."""

    id: Annotated[
        tuple[str, ...],
        Option(
            "--id",
            metavar="COL",
            help="Column that names the series; repeat for a composite id; 'none': one series. Default: unique_id, "
            "series_id, item_id or id.",
            rich_help_panel=COLUMNS,
        ),
    ] = ()
    time: Annotated[
        tuple[str, ...],
        Option(
            "--time",
            metavar="COL",
            help="Time column; repeat for year, month, day, hour; 'none': rows are steps 1..n in file order.",
            rich_help_panel=COLUMNS,
        ),
    ] = ()
    target: Annotated[
        tuple[str, ...],
        Option(
            "--target",
            metavar="COL",
            help="Column to forecast; repeat for several in one model. Default: y, target, value, or the only numeric "
            "column.",
            rich_help_panel=COLUMNS,
        ),
    ] = ()
    wide: Annotated[
        bool, Option("--wide", help="Every numeric column is a series of its own.", rich_help_panel=COLUMNS)
    ] = False
    past: Annotated[
        tuple[str, ...],
        Option("--past", metavar="COL", help="Covariate known only up to now (repeat).", rich_help_panel=COLUMNS),
    ] = ()
    future: Annotated[
        tuple[str, ...],
        Option("--future", metavar="COL", help="Covariate known ahead of time (repeat).", rich_help_panel=COLUMNS),
    ] = ()
    static: Annotated[
        tuple[str, ...],
        Option(
            "--static", metavar="COL", help="Covariate that is constant for a series (repeat).", rich_help_panel=COLUMNS
        ),
    ] = ()
    future_data: Annotated[
        str | None,
        Option(
            "--future-data",
            metavar="FILE",
            help="Table with the future-known covariates of the steps to forecast.",
            rich_help_panel=COLUMNS,
        ),
    ] = None
    freq: Annotated[
        str | None,
        Option(
            "--freq",
            metavar="F",
            help="Frequency, a pandas alias such as h, D, W-SUN, MS. Default: inferred from all series.",
            rich_help_panel=COLUMNS,
        ),
    ] = None
    season: Annotated[
        tuple[int, ...],
        Option(
            "--season",
            metavar="N",
            min=1,
            help="Steps in one season; repeat for several (24 and 168). Default: from the frequency and the data.",
            rich_help_panel=COLUMNS,
        ),
    ] = ()
    tz: Annotated[
        str | None,
        Option(
            "--tz",
            metavar="ZONE",
            help="Time zone whose clock the seasons follow, such as Europe/Berlin; days of 23 and 25 hours stay true. "
            "Default: times as they are written.",
            rich_help_panel=COLUMNS,
        ),
    ] = None
    holidays: Annotated[
        str | None,
        Option(
            "--holidays",
            metavar="CC",
            help="Public holidays of a country, or of a part of it (DE, DE-BY), as a covariate known ahead.",
            rich_help_panel=COLUMNS,
        ),
    ] = None
    date_format: Annotated[
        str | None,
        Option(
            "--date-format",
            metavar="F",
            help="strptime format, or day-first, excel, s, ms, us, ns, step. Default: ISO 8601 and compact"
            " forms that mean one thing only.",
            rich_help_panel=DIALECT,
        ),
    ] = None
    delimiter: Annotated[
        str | None,
        Option(
            "--delimiter", metavar="C", help="Field separator. Default: found out and printed.", rich_help_panel=DIALECT
        ),
    ] = None
    decimal: Annotated[
        str | None,
        Option("--decimal", metavar="C", help="Decimal mark, '.' or ','. Default: '.'.", rich_help_panel=DIALECT),
    ] = None
    thousands: Annotated[
        str | None,
        Option(
            "--thousands",
            metavar="C",
            help="What separates thousands in numbers, such as ',' or ' '. Default: nothing does.",
            rich_help_panel=DIALECT,
        ),
    ] = None
    encoding: Annotated[
        str | None,
        Option(
            "--encoding",
            metavar="E",
            help="Text encoding. Default: UTF-8, or by byte order mark.",
            rich_help_panel=DIALECT,
        ),
    ] = None
    null_value: Annotated[
        tuple[str, ...],
        Option(
            "--null-value",
            metavar="V",
            help="Text that marks a missing number, beside empty, NA, N/A, NaN, null, NULL, None, #N/A (repeat).",
            rich_help_panel=DIALECT,
        ),
    ] = ()
    comment: Annotated[
        tuple[str, ...],
        Option(
            "--comment",
            metavar="C",
            help="Leave out lines that begin so, such as # or Total (repeat).",
            rich_help_panel=DIALECT,
        ),
    ] = ()
    no_header: Annotated[
        bool,
        Option("--no-header", help="The first row is data; columns are named 1, 2, 3, ...", rich_help_panel=DIALECT),
    ] = False
    fill: Annotated[
        str | None,
        Option(
            "--fill",
            metavar="POLICY",
            help="Missing steps: mask, zero, ffill[:N], interpolate[:N], error[:N]. Default: mask (stay "
            "missing, counted and printed).",
            rich_help_panel=REPAIR,
        ),
    ] = None
    duplicates: Annotated[
        Duplicates | None,
        Option("--duplicates", help="Several rows for one series and time. Default: error.", rich_help_panel=REPAIR),
    ] = None

    query: Annotated[
        str | None,
        Option(
            "--query",
            metavar="SQL",
            help="Read what this query returns, where DATA is the URL of a database without ?table=NAME.",
            rich_help_panel=INPUT,
        ),
    ] = None
    as_of: Annotated[
        str | None,
        Option(
            "--as-of",
            metavar="TIME",
            help="Leave out the rows of DATA after this time: what would have been read then. A date is its beginning; "
            "without an offset it is in the zone of the table.",
            rich_help_panel=INPUT,
        ),
    ] = None
    max_input_bytes: Annotated[
        int,
        Option(
            "--max-input-bytes",
            metavar="N",
            min=1,
            help="Refuse a table that holds more bytes, unpacked.",
            rich_help_panel=INPUT,
        ),
    ] = MAX_INPUT_BYTES

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name in ("id", "time", "target", "past", "future", "static", "null_value", "comment"):
            text = getattr(self, name)
            if isinstance(text, str):  # its characters would be taken for names
                raise UsageError(f"{name} is the text {text!r}, where several may stand.\nWrite ({text!r},).")
        if self.wide and self.id:
            raise UsageError(
                "--wide and --id exclude each other: in a wide table the column names are the ids.\n"
                "Leave one of them out."
            )
        if self.fill is not None and not re.fullmatch(r"mask|zero|(ffill|interpolate|error)(:\d+)?", self.fill):
            raise UsageError(
                f"--fill {self.fill!r} is no policy.\nUse mask, zero, ffill[:N], interpolate[:N] or error[:N]."
            )
        if self.decimal not in (None, ".", ","):
            raise UsageError(f"--decimal {self.decimal!r} is no decimal mark.\nUse '.' or ','.")
        if self.thousands is not None and (len(self.thousands) != 1 or self.thousands in '0123456789+-eE"\r\n'):
            raise UsageError(
                f"--thousands {self.thousands!r} is no mark between thousands.\nUse one such as ',' or ' '."
            )
        if self.thousands is not None and self.thousands == self.decimal:
            raise UsageError(
                f"--thousands and --decimal are both {self.decimal!r}.\nSay which of the two it separates."
            )
        if self.as_of is not None:
            instant_of(self.as_of, "--as-of")
        if "" in self.comment:
            raise UsageError("--comment '' would leave out every line.\nSay how the lines begin, as in --comment '#'.")


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
        Option(
            "--units",
            metavar="N",
            min=1,
            help="Width of a recurrent layer. Default: 64.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    layers: Annotated[
        int | None,
        Option(
            "--layers",
            metavar="N",
            min=1,
            max=3,
            help="Recurrent layers. Default: 1.",
            rich_help_panel=NETWORK,
        ),
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
            help="Rounds of 50 training steps, at most; each ends with a look at the validation rows. "
            "Default: by preset 10, 40 or 60.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    patience: Annotated[
        int | None,
        Option(
            "--patience",
            metavar="N",
            min=1,
            help="Epochs without improvement before training stops. Default: 12.",
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
            "forecast-lstm[tune]. An interrupted search goes on when it is started again.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    time_limit: Annotated[
        str | None,
        Option(
            "--time-limit",
            metavar="DUR",
            help="Be done after this time, such as 90s, 10m or 1h30m, with the best there is: the result then "
            "depends on the speed of the machine. Kept within 10 % or 5 s.",
            rich_help_panel=RUN,
        ),
    ] = None
    require_skill: Annotated[
        float | None,
        Option(
            "--require-skill",
            metavar="S",
            help="Leave with 16, and publish nothing, when the skill against seasonal naive is below S "
            "(0.1 = 10 % better).",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    min: Annotated[
        float | None,
        Option("--min", metavar="V", help="No forecast and no band goes below V.", rich_help_panel=OUTPUT),
    ] = None
    max: Annotated[
        float | None,
        Option("--max", metavar="V", help="No forecast and no band goes above V.", rich_help_panel=OUTPUT),
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
    prefix: Annotated[
        str,
        Option(
            "--prefix",
            metavar="TEXT",
            help="Text before each output column that is not the user's own.",
            rich_help_panel=OUTPUT,
        ),
    ] = ""

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


def as_record(options: Any) -> dict[str, Any]:
    """Return an options record as plain values that JSON can hold."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(options).items()}
