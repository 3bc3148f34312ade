"""How a table is read."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from typer import Option

from forecast.errors import UsageError
from forecast.instants import instant_of
from forecast.options.sections import COLUMNS, DIALECT, INPUT, REPAIR

MAX_INPUT_BYTES = 4 << 30  # of --max-input-bytes: a small archive can hold any number of rows


class Duplicates(StrEnum):
    """What is done with several rows for one series and time."""

    ERROR = "error"
    FIRST = "first"
    LAST = "last"
    MEAN = "mean"
    SUM = "sum"


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
            help="Text that marks a missing number, beside empty, NA, N/A, NaN, null, NULL, None, #N/A (repeat). A "
            "number marks all its spellings: -999 also -999.0.",
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
    last: Annotated[
        int | None,
        Option(
            "--last",
            metavar="N",
            min=1,
            help="Leave out all but the last N steps of the history of each series, gaps counted; after --as-of, those "
            "before that time. Default: the whole history.",
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
        if self.last is not None and self.last < 1:
            raise UsageError(f"--last {self.last} leaves no step.\nUse 1 or more, or leave --last out.")
        if "" in self.comment:
            raise UsageError("--comment '' would leave out every line.\nSay how the lines begin, as in --comment '#'.")
