"""`forecast update`: a trained model learns new rows, and the result replaces it if it is not worse."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from forecast.commands.help import DATA, FORECASTS
from forecast.commands.speaking import Say, speaker
from forecast.errors import MismatchError, UsageError
from forecast.options import OUTPUT, CommonOptions, LockOptions, PredictOptions, Prefix, ReadOptions, UpdateOptions

if TYPE_CHECKING:
    from forecast.commands.updated import Work
    from forecast.store import Loaded
    from forecast.tables import Reading
    from forecast.updating import Fair


def update(
    read: ReadOptions,
    options: UpdateOptions,
    common: CommonOptions,
    lock: LockOptions,
    data: Annotated[
        str | None,
        Argument(
            metavar="DATA",
            help=f"{DATA} It has the rows of training and new ones. Default: the one the model was trained on, if it "
            "is a file that is still there.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        Option(
            "--output",
            "-o",
            metavar="FILE",
            help=f"Write the forecast of the version that is current in the end: {FORECASTS} a new version also holds "
            "its own.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    prefix: Prefix = "",
) -> None:
    """Let a model learn new rows; it is replaced if the result is not worse.

    The networks go on learning from where they are, everything else is fitted anew; what training has chosen stays. A
    candidate that has not seen the newest rows is compared there with the current version, which has not either; this
    takes as many new rows as a forecast has steps. If the candidate is not worse, what is fitted on all rows becomes
    the current version. Columns, dialect, frequency and repair are those of training unless they are given again.
    """
    from forecast import store, updating
    from forecast.commands import record
    from forecast.commands.locking import locking
    from forecast.commands.outputs import check_forecast_output
    from forecast.commands.updated import Work, compare, keep

    run, columns, say = record.begin(), PredictOptions(prefix=prefix), speaker(common)
    if output is not None:
        check_forecast_output(output, [data] if data else [])
    home = _home(common)
    with store.locked(home, "update", locking(lock, say)):
        loaded = store.load(home.parent, home.name)
        reading = _read(data, read, loaded, columns, say)
        if output is not None:
            check_forecast_output(output, [reading.source["path"]])
        notices = _notices(loaded, reading, read, options)
        for notice in notices:
            say(notice)
        fair = updating.fair_origins(loaded.trained, reading.panel)
        _refuse_older(loaded, reading, fair)
        work = Work(run, loaded, reading, fair, options, common, columns, output, (*reading.notices, *notices))
        keep(work, _missing(work)) if fair.ask is None else compare(work)


def _home(common: CommonOptions) -> Path:
    """Return the folder of the model to update."""
    from forecast import store

    home, selector = store.find_home(Path(common.models), common.model)
    if selector is not None:
        raise UsageError(
            f"{common.model!r} names a version, and an update starts from the current one.\n"
            f"Name the model alone; 'forecast models promote' makes another version the current one."
        )
    return home


def _read(data: str | None, read: ReadOptions, loaded: "Loaded", columns: PredictOptions, say: Say) -> "Reading":
    """Read the table as training did, and say what was found."""
    from forecast import tables
    from forecast.commands.rereading import read_again
    from forecast.tables import write

    recorded = loaded.trained.source.get("path")
    if data is None:
        if not recorded or not tables.is_there(recorded):
            raise UsageError(
                f"the table that {loaded.name} was trained on, {recorded or 'a panel made in Python'}, is not there.\n"
                "Name the table with the new rows: forecast update DATA."
            )
        data = str(recorded)
        say(f"Reading {data}, the table that {loaded.name} was trained on.")
    reading = read_again(data, read, loaded)
    write.forecast_columns(tables.output_names(reading.options), columns, reading.panel.targets)
    for notice in reading.notices:
        say(notice)
    return reading


def _notices(loaded: "Loaded", reading: "Reading", read: ReadOptions, options: UpdateOptions) -> list[str]:
    """Return what a user should know of the table, one line each. Raises StaleError and MismatchError."""
    from forecast import matching
    from forecast.commands.rereading import freshness_of

    found = [one.line for one in matching.differences(loaded.trained, reading.panel)]
    fresh = freshness_of(loaded, reading, read, options.max_age)
    known, ids = set(loaded.trained.ids), dict.fromkeys(reading.panel.ids)
    new = [name for name in ids if name not in known]
    line = f"{len(new):,} of the {len(ids):,} series are new, and are learned with the others: {matching.some(new)}."
    found += [line] if new else []
    return [*found, *([fresh.notice] if fresh.notice else []), *(one.line for one in fresh.findings)]


def _refuse_older(loaded: "Loaded", reading: "Reading", fair: "Fair") -> None:
    """Refuse a table that ends before the rows that the model was trained on."""
    if fair.new < 0:
        raise MismatchError(
            f"the table ends at {reading.source['last']}, before the rows that {loaded.model} was trained on, up to "
            f"{loaded.trained.source.get('last')}.\nGive the table with the newest rows."
        )


def _missing(work: "Work") -> str:
    """Return why nothing can be compared."""
    from forecast.report.update import missing_text

    horizon = work.loaded.trained.plan.horizon
    return missing_text(work.fair.new, horizon, work.reading.panel.calendar.word(work.fair.new))
