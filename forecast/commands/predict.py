"""`forecast predict`, the command of the night: load, read, forecast, replace the output. It never trains."""

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from forecast.commands.help import DATA, FORECASTS
from forecast.commands.rereading import freshness_of, read_table
from forecast.commands.speaking import speaker
from forecast.errors import MismatchError, MissingAheadError, OutputError, UsageError
from forecast.options import OUTPUT, CommonOptions, LockOptions, PredictOptions, ReadOptions
from forecast.urls import is_database, shown

if TYPE_CHECKING:
    from forecast.store import Loaded
    from forecast.tables import Reading
    from forecast.trained import Forecasts


TableArgument = Annotated[
    str | None,
    Argument(
        metavar="DATA",
        help=f"{DATA} Default: the one the model was trained on, if it is a file that is still there, else the "
        "rows stored with the model.",
    ),
]
OutputOption = Annotated[
    str,
    Option(
        "--output",
        "-o",
        metavar="FILE",
        help=f"{FORECASTS} - is stdout. {{cutoff}} in it becomes the newest cutoff, as 20261121T0300.",
        rich_help_panel=OUTPUT,
    ),
]
LogOption = Annotated[
    str | None,
    Option(
        "--log",
        metavar="DIR",
        help="Add the forecasts to this log, each once, for 'forecast score'; the run record is kept there too.",
        rich_help_panel=OUTPUT,
    ),
]
RecordOption = Annotated[
    str | None, Option("--record", metavar="FILE", help="Write the run record, as JSON.", rich_help_panel=OUTPUT)
]


def predict(
    read: ReadOptions,
    options: PredictOptions,
    common: CommonOptions,
    lock: LockOptions,
    data: TableArgument = None,
    output: OutputOption = "predictions.csv",
    log: LogOption = None,
    record: RecordOption = None,
) -> None:
    """Forecast with a trained model; no training, no TensorFlow.

    Columns, dialect, frequency and repair are those of training unless they are given again.
    """
    from forecast import matching, prediction, store, tables
    from forecast.commands.findings import by_status, counted, notices, too_many_bad
    from forecast.commands.locking import locking
    from forecast.commands.logging import append_to_log
    from forecast.commands.outputs import CUTOFF, check_forecast_output, dated, put, put_forecasts
    from forecast.commands.record import PREDICTING, as_json, begin, finished
    from forecast.tables import write

    run, say = begin(), speaker(common)
    _check_places(data, output, record, log, common)
    loaded = store.load(common.models, common.model, context=data is None or read.as_of is not None)
    if common.verbose:
        say(f"Model {loaded.model}, {loaded.path}, sha256 {loaded.sha256}")
    reading = read_table(data, read, loaded, say)
    settled = reading.options if reading else loaded.trained.read
    if data is None and reading is not None:
        check_forecast_output(output, [reading.source["path"]])
    findings = matching.differences(loaded.trained, reading.panel) if reading else []
    fresh = freshness_of(loaded, reading, read, options.max_age)
    early = [*([fresh.notice] if fresh.notice else []), *_hindsight(loaded, reading, read)]
    for notice in early:
        say(notice)
    try:
        forecasts = prediction.predict(loaded.trained, reading.panel if reading else None, options.horizon)
    except MissingAheadError:
        raise _listed(reading, loaded, options.horizon, output, read.future_data) from None
    if CUTOFF in output:
        output = dated(output, forecasts)
        check_forecast_output(output, [reading.source["path"]] if reading else [])
    # First the log: a forecast that was published is in it, and where it cannot be written nothing else is.
    logged = append_to_log(log, loaded, reading, forecasts, options, locking(lock, say)) if log is not None else None
    written = put_forecasts(output, forecasts, tables.output_names(settled), options, loaded.model)
    if output != write.STDOUT:
        say(f"Wrote {forecasts.quantiles.shape[0] * forecasts.quantiles.shape[1]:,} rows to {shown(output)}")
    findings += fresh.findings
    found = [*(finding.line for finding in findings), *notices(forecasts, loaded.trained.plan.horizon)]
    found += [f"{logged['rows']:,} new rows in {log}"] if logged else []
    for notice in found:
        say(notice)

    bad = too_many_bad(forecasts, options.max_bad)
    records = [place for place in (record, logged and logged["record"], write.STDOUT if common.json else None) if place]
    if records:
        parts = _record_parts(loaded, reading, forecasts) | {
            "newest": fresh.newest,
            "age_seconds": fresh.age,
            "reasons": counted([*findings, *by_status(forecasts)]),
            "notices": [*(reading.notices if reading else ()), *early, *found],
            "output": [written],
            "log": logged,
        }
        document = as_json(finished(run, PREDICTING, parts, bad.exit_code if bad else 0))
        for place in records:
            put(place, document)
    if bad:
        raise bad


def _hindsight(loaded: "Loaded", reading: "Reading | None", read: ReadOptions) -> list[str]:
    """Return a line where a model was trained on rows after --as-of; none where it was not."""
    context = loaded.trained.context
    if read.as_of is None or reading is None or context is None or not len(context) or not len(reading.panel):
        return []
    if not context.calendar.same_steps(reading.panel.calendar) or context.last.max() <= reading.panel.last.max():
        return []
    return [
        f"{loaded.model} was trained on rows up to {loaded.trained.source.get('last')}, after --as-of {read.as_of}: it "
        "has seen what it forecasts. Name an older version with -m."
    ]


def _check_places(data: str | None, output: str, record: str | None, log: str | None, common: CommonOptions) -> None:
    """Refuse outputs that cannot be meant, before anything is read."""
    from forecast.commands.logging import check_log
    from forecast.commands.outputs import check_forecast_output
    from forecast.tables import write

    inputs = [data] if data else []
    check_forecast_output(output, inputs)
    if common.json and output == write.STDOUT:
        raise UsageError("--json and -o - both print on standard output.\nWrite the forecast to a file.")
    if record is not None:
        write.check_place(record, [*inputs, output])
    if log is not None:
        check_log(log)


def _listed(
    reading: "Reading | None", loaded: "Loaded", horizon: int | None, output: str, given: str | None
) -> MismatchError:
    """Return the error for covariates that are missing ahead; all steps without are in a file beside the output."""
    from pathlib import Path

    from forecast.commands.outputs import put
    from forecast.tables import write
    from forecast.tables.template import steps_ahead, template_bytes

    trained = loaded.trained
    panel, settled = (reading.panel, reading.options) if reading else (trained.context, trained.read)
    assert panel is not None  # nothing was forecast from
    ahead = steps_ahead(panel, settled, horizon or trained.plan.horizon)
    lacking = ahead.lacking()
    message = (
        f"{len(lacking.ordinals):,} of the {len(ahead.ordinals):,} steps to forecast have no value of "
        f"{', '.join(map(repr, lacking.to_fill))}, which the model reads ahead: {lacking.first()}"
    )
    name = shown(given) if given else "--future-data"
    mend = f"Give them with {name}; 'forecast template' writes the table to fill in."
    if output != write.STDOUT and not is_database(output):
        place = f"{Path(output).with_suffix('')}.missing.csv"
        with suppress(OutputError, UsageError):  # where it cannot be written, the message must still be said
            write.check_place(place, [given] if given else [])  # never over what somebody has filled in
            put(place, template_bytes(lacking, settled))
            message += f"; all of them are in {place}"
            mend = f"Add them to {name}." if given else "Fill in the empty cells there, and name it with --future-data."
    return MissingAheadError(f"{message}.\n{mend}")


def _record_parts(loaded: "Loaded", reading: "Reading | None", forecasts: "Forecasts") -> dict[str, object]:
    """Return what the record of this run has beside what every run has."""
    from forecast.commands.record import forecast_part

    source = reading.source if reading else {"path": None, "stored": loaded.trained.source}
    return {
        "model": loaded.model,
        "bundle_sha256": loaded.sha256,
        "input": source,
        **forecast_part(forecasts),
        "horizon": forecasts.quantiles.shape[1],
        "seed": loaded.trained.plan.seed,
        "device": "cpu",
        "cudnn": False,
        "why_not": "predict computes in NumPy",
    }
