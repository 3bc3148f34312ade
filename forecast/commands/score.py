"""`forecast score`: stored forecasts against the truth that has arrived since; a report, and a signal of drift."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from forecast.commands.help import DATA
from forecast.commands.speaking import speaker
from forecast.errors import DataError, MismatchError, QualityError, UsageError
from forecast.options import OUTPUT, CommonOptions, ReadOptions, ScoreOptions

if TYPE_CHECKING:
    from forecast.commands.scored import Judged
    from forecast.store import Loaded
    from forecast.tables import Reading


def score(
    read: ReadOptions,
    options: ScoreOptions,
    common: CommonOptions,
    log: Annotated[str, Argument(metavar="LOG", help="The folder that 'forecast predict --log' adds to.")],
    actuals: Annotated[
        str, Option("--actuals", metavar="DATA", help=f"What happened. {DATA}", rich_help_panel="Columns")
    ],
    output: Annotated[
        str | None,
        Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the scores of each version and step: .csv, .parquet or .jsonl; - is stdout.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Score stored forecasts by the truth that has arrived since: errors, bias, coverage, skill, drift.

    The truth is read as the model read its table. Forecasts of the version in use and of earlier ones are scored apart
    and together.
    """
    from forecast import scoring, store
    from forecast.commands import record
    from forecast.commands.outputs import put, put_report
    from forecast.commands.scored import describe, judge, parts_of, table_of
    from forecast.store.log import open_parts

    run, say = record.begin(), speaker(common)
    _check_places(log, actuals, output, common)
    loaded = store.load(common.models, common.model, context=False)
    parts = open_parts(Path(log))
    reading = _read(actuals, read, loaded)
    for notice in reading.notices:
        say(notice)
    mine = [part for part in parts if any(model.rpartition("@")[0] == loaded.name for model in part.cutoffs)]
    found = scoring.score((rows for part in mine for rows in part.read()), reading.panel, loaded.name)
    if not found:
        models = sorted({model.rpartition("@")[0] for part in parts for model in part.cutoffs})
        held = f"it holds those of {', '.join(models)}" if models else "it is empty"
        raise DataError(
            f"{log}: no forecast of the model {loaded.name!r} is in the log; {held}.\nName another model with -m."
        )
    judged = judge(found, loaded.version, reading.panel.calendar)
    _refuse_strangers(judged, log, actuals)

    files = {output: table_of(judged, output)} if output is not None else {}
    put_report(describe(judged, loaded.name), files, "the scores by version and step", common, say)
    code = QualityError.exit_code if _drifts(judged, options.max_drift) else 0
    if common.json:
        facts: dict[str, Any] = {
            "log": {"path": log, "parts": len(parts)},
            "model": loaded.model,
            "input": reading.source,
        }
        facts |= parts_of(judged, options.max_drift) | {"notices": list(reading.notices)}
        facts |= {"output": record.output_part(files)}
        put("-", record.as_json(record.finished(run, record.PREDICTING, facts, code)))
    if code:
        raise QualityError(
            f"the errors of late are {judged.drift.ratio:.2f} times those of the backtest, with 99 % certainty more "
            f"than {judged.drift.at_least:.2f} times; --max-drift is {options.max_drift:g}.\n"
            "Train again on the new rows, and see what 'forecast check' says has changed."
        )


def _check_places(log: str, actuals: str, output: str | None, common: CommonOptions) -> None:
    """Refuse an output that cannot be meant, before anything is read."""
    from forecast.tables import write
    from forecast.urls import is_url, shown

    if is_url(log):
        raise UsageError(f"{shown(log)}: the log is a local folder.\nCopy it, and name the copy.")
    if output is None:
        return
    write.check_output(output, [actuals])
    if common.json and output == write.STDOUT:
        raise UsageError("--json and -o - both print on standard output.\nWrite the scores to a file.")


def _read(actuals: str, read: ReadOptions, loaded: "Loaded") -> "Reading":
    """Read what happened as training read its table; covariates play no part."""
    from forecast import tables
    from forecast.commands.rereading import merged

    options = merged(loaded.trained.read, read, actuals)
    none = replace(options, past=(), future=(), static=(), future_data=None, holidays=None)
    return tables.read_panel(actuals, none, model=True)


def _refuse_strangers(judged: "Judged", log: str, actuals: str) -> None:
    """Refuse a table in which no forecast finds its series and time. Raises MismatchError."""
    counts = judged.total.counts
    if counts["missing"] and not counts["scored"] + counts["pending"]:
        raise MismatchError(
            f"{actuals}: none of the {counts['forecasts']:,} forecasts in {log} finds its series and time there.\n"
            "Give the table that goes on where the model's ends, with the same ids and the same times."
        )


def _drifts(judged: "Judged", threshold: float | None) -> bool:
    """Tell whether the gate of --max-drift is shut."""
    return threshold is not None and judged.drift.above(threshold)
