"""`forecast train`: read a table, backtest, train, publish, and say what it is worth."""

import os
import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from forecast.commands import stopping
from forecast.commands.help import DATA, FORECASTS
from forecast.commands.quality import demand_skill, lacks_skill
from forecast.commands.speaking import Say, speaker
from forecast.errors import QualityError, UsageError
from forecast.options import OUTPUT, RUN, CommonOptions, LockOptions, PredictOptions, Prefix, ReadOptions, TrainOptions
from forecast.urls import is_url, shown

if TYPE_CHECKING:
    from forecast.commands.record import Run
    from forecast.commands.results import Judgement
    from forecast.pipeline import Outcome
    from forecast.progress import Listener, Progress
    from forecast.store import Published
    from forecast.surroundings import Surroundings
    from forecast.tables import Reading

SUFFIXES = re.compile(r"\.(csv|tsv|txt|parquet|jsonl)(\.(gz|zst))?$|\.(gz|zst)$", re.IGNORECASE)


def train(
    read: ReadOptions,
    options: TrainOptions,
    common: CommonOptions,
    lock: LockOptions,
    data: Annotated[str, Argument(metavar="DATA", help=DATA)],
    output: Annotated[
        str | None,
        Option(
            "--output",
            "-o",
            metavar="FILE",
            help=f"Write the predictions here too: {FORECASTS} they are always with the model.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    prefix: Prefix = "",
    resume: Annotated[
        bool,
        Option(
            "--resume",
            help="Go on from the checkpoint of an interrupted training on the same data with the same options, to the "
            "same result; without one, begin anew.",
            rich_help_panel=RUN,
        ),
    ] = False,
) -> None:
    """Train on a table, compare with baselines, publish, forecast."""
    models, name = home(data, common)
    columns, say = PredictOptions(prefix=prefix), speaker(common)
    from forecast import store, tuning
    from forecast.commands import record
    from forecast.commands.bounds import outside_bounds, suggested_bounds
    from forecast.commands.findings import notices
    from forecast.commands.locking import locking
    from forecast.commands.outputs import check_forecast_output, put
    from forecast.freshness import ended_early, last_values
    from forecast.surroundings import Clock, Surroundings

    run, held = record.begin(), locking(lock, say, store.PATIENCE)
    store.check_home(models, name)
    if output is not None:
        check_forecast_output(output, [data])
    if options.trials:
        tuning.import_optuna()
    reading = _read(data, read, columns, say)
    bound_notices = outside_bounds(reading.panel, options)
    for notice in bound_notices:
        say(notice)
    with store.checkpoint(models, name, resume, say, held.folder) as checkpoint:
        around = Surroundings(Clock(options.seconds, run.clock), store.trials_file(models, name), checkpoint)
        outcome, judgement = _train(reading, options, common, around)
        for line in remarks(reading, outcome, options):
            say(line)
        say(judgement.settled if not common.verbose else judgement.details)
        say("\n".join(["", judgement.table, "", judgement.verdict, ""]))
        early = [finding.line for finding in ended_early(reading.panel, last_values(reading.panel))]
        found = [*early, *suggested_bounds(reading.panel, outcome.forecasts)]
        for notice in (*notices(outcome.forecasts, outcome.trained.plan.horizon), *found):
            say(notice)
        stopping.check()
        lacking = lacks_skill(judgement.skill, options.require_skill)
        told: dict[str, Any] = {"notices": [*reading.notices, *bound_notices, *checkpoint.notices, *found]}
        told |= {"exit_code": QualityError.exit_code} if lacking else {}
        files = version_files(run, outcome, judgement, reading, columns, told)
        published = store.publish(models, name, outcome.trained, files, candidate=lacking, locking=held)
        checkpoint.discard()
    if common.json:
        put("-", (published.path / "run.json").read_bytes())
    demand_skill(judgement.skill, options.require_skill, published)
    if output is not None:
        write_again(output, outcome, reading, columns, published)
    say("\n".join(places(published, output)))


def home(data: str, common: CommonOptions) -> tuple[str, str]:
    """Return the store and the name of the model to train: -m is a name, or a path with a separator in it."""
    if common.model is None:
        return common.models, model_name(data)
    folder, name = os.path.split(common.model)
    return folder or common.models, name


def model_name(data: str) -> str:
    """Return the name of a model trained on a file: the file's own, in characters that are safe in a path."""
    if data == "-" or is_url(data) or re.search(r"[*?\[]", data):
        raise UsageError(f"{shown(data)}: no name for the model follows from this.\nGive it one with -m.")
    stem = SUFFIXES.sub("", os.path.basename(os.path.abspath(data)))
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")
    if not name:
        raise UsageError(f"{shown(data)}: no name for the model follows from this.\nGive it one with -m.")
    return name


def _read(data: str, read: ReadOptions, columns: PredictOptions, say: Say) -> "Reading":
    """Read and check the table; refuse a name that would collide before hours of training, not after."""
    from forecast import tables
    from forecast.tables import write

    reading = tables.read_panel(data, read)
    write.forecast_columns(tables.output_names(reading.options), columns, reading.panel.targets)
    for notice in reading.notices:
        say(notice)
    return reading


def _train(
    reading: "Reading", options: TrainOptions, common: CommonOptions, around: "Surroundings"
) -> "tuple[Outcome, Judgement]":
    """Train with progress on display, and judge the result."""
    from forecast import pipeline
    from forecast.commands.progress import shown
    from forecast.commands.results import judge

    with shown(common.quiet or common.json) as listen:
        source, listen = findable(reading.source), stoppable(listen)
        outcome = pipeline.train(reading.panel, options, reading.options, source, listen, around=around)
    return outcome, judge(outcome)


def remarks(reading: "Reading", outcome: "Outcome", options: TrainOptions) -> list[str]:
    """Return what stands in for covariates, what a search has found and what a time limit has cut, one line each."""
    from forecast.matching import unknown_ahead

    plan, found = outcome.trained.plan, []
    unknown = unknown_ahead(reading.panel, plan)
    if unknown:
        found.append(
            f"{', '.join(reading.options.future)}: not known for {unknown:,} of the steps to forecast; their means "
            "stand in for them in predictions.csv (--future-data)."
        )
    return found + outcome.remarks(options.time_limit)


def stoppable(listen: "Listener") -> "Listener":
    """Return a listener that also stops the run at the next look at the training after a signal."""

    def tell(progress: "Progress") -> None:
        stopping.check()
        listen(progress)

    return tell


def findable(source: dict[str, Any]) -> dict[str, Any]:
    """Return where the table came from with its whole path: `predict` may be started elsewhere, by cron in /."""
    path = source["path"]
    return source if path == "-" or is_url(path) else source | {"path": os.path.abspath(path)}


def version_files(
    run: "Run",
    outcome: "Outcome",
    judgement: "Judgement",
    reading: "Reading",
    columns: PredictOptions,
    told: Mapping[str, Any],
) -> Callable[[str], dict[str, bytes]]:
    """Return what makes the files beside the model, once its version has a name; told: more for the run record."""
    from forecast import checking, tables
    from forecast.commands import record
    from forecast.commands.results import result_files
    from forecast.golden import golden_forecast
    from forecast.report.profile import profile_json

    def make(model: str) -> dict[str, bytes]:
        files = result_files(outcome, judgement, reading.panel, tables.output_names(reading.options), columns, model)
        files["profile.json"] = profile_json(checking.profile(reading, outcome.trained.plan))
        parts = {
            "model": model,
            "input": reading.source | {"series": len(reading.panel)},
            **record.forecast_part(outcome.forecasts),
            "seed": outcome.trained.plan.seed,
            **outcome.device,
            "agreement": outcome.agreement,
            "search": outcome.search.sentence if outcome.search else None,
            "time_limit": {"seconds": outcome.limit, "cut": list(outcome.cut)} if isfinite(outcome.limit) else None,
            "verdict": judgement.verdict,
            **({"targets": outcome.targets} if outcome.targets else {}),
            **told,
            "output": record.output_part(files),
        }
        files["golden.json"] = golden_forecast(outcome.trained)
        return files | {"run.json": record.as_json(record.finished(run, record.TRAINING, parts))}

    return make


def write_again(
    output: str, outcome: "Outcome", reading: "Reading", columns: PredictOptions, published: "Published"
) -> None:
    """Write the predictions where the user wants them as well."""
    from forecast import tables
    from forecast.commands.outputs import put_forecasts

    put_forecasts(output, outcome.forecasts, tables.output_names(reading.options), columns, published.model)


def places(published: "Published", output: str | None) -> list[str]:
    """Return the lines that say where the results are."""
    folder = published.path
    return [
        f"Forecast  {folder / 'predictions.csv'}{f' and {shown(output)}' if output else ''}",
        f"Metrics   {folder / 'metrics.json'}",
        f"Plot      {folder / 'forecast.png'}",
    ]
