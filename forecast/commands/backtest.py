"""`forecast backtest`: forecasts at rolling origins against what happened, beside the baselines; a report."""

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from forecast.commands.help import DATA
from forecast.commands.quality import demand_skill, lacks_skill
from forecast.commands.speaking import speaker
from forecast.errors import QualityError, UsageError
from forecast.options import OUTPUT, BacktestOptions, CommonOptions, ReadOptions, TrainOptions

if TYPE_CHECKING:
    from forecast.backtesting import Rolled
    from forecast.commands.measured import Measured
    from forecast.store import Loaded
    from forecast.tables import Reading

WITH_MODEL = ("horizon", "require_skill", "origins")  # training options that mean something without training


def backtest(
    read: ReadOptions,
    ask: BacktestOptions,
    options: TrainOptions,
    common: CommonOptions,
    data: Annotated[str, Argument(metavar="DATA", help=DATA)],
    output: Annotated[
        str | None,
        Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write every forecast beside the truth: .csv, .parquet or .jsonl; - is stdout.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Measure forecasts at rolling origins, beside the baselines; prints a report, publishes nothing.

    With -m a trained model forecasts, in seconds. Without, forecasters are fitted on the rows before the first origin,
    which takes as long as 'forecast train' (two trainings: one to choose, one on all of these rows); with
    --refit-every N again at every N-th origin, so K origins with --refit-every 1 take K times as long.
    """
    from forecast import tables
    from forecast.commands import record
    from forecast.commands.measured import describe, measure
    from forecast.commands.outputs import put, put_report
    from forecast.commands.rereading import read_again

    run, say = record.begin(), speaker(common)
    _check_places(data, output, common)
    loaded = _load(ask, options, common)
    reading = tables.read_panel(data, read) if loaded is None else read_again(data, read, loaded)
    for notice in reading.notices:
        say(notice)
    rolled = _roll(reading, ask, options, common, loaded, run.clock)
    measured = measure(rolled, loaded.model if loaded else None)
    files = {output: _table(measured.rolled, output)} if output is not None else {}
    put_report(describe(measured), files, "every forecast", common, say)
    unseen = measured.overall["coverage_measured"]  # what a model has seen says nothing about its skill
    skill = measured.overall["scores"]["model"]["skill"] if unseen else None
    if common.json:
        parts = _record_parts(measured, reading, loaded, options) | {"output": record.output_part(files)}
        packages = record.PREDICTING if loaded else record.TRAINING
        code = QualityError.exit_code if lacks_skill(skill, options.require_skill) else 0
        put("-", record.as_json(record.finished(run, packages, parts, code)))
    if loaded and not unseen and options.require_skill is not None:
        raise QualityError(
            f"the skill cannot be told: no origin lies after the rows that {loaded.model} was trained on.\n"
            "Give newer rows, or leave out -m to fit at the origins."
        )
    demand_skill(skill, options.require_skill)


def _check_places(data: str, output: str | None, common: CommonOptions) -> None:
    """Refuse an output that cannot be meant, before anything is read."""
    from forecast.tables import write

    if output is None:
        return
    write.check_output(output, [data])
    if common.json and output == write.STDOUT:
        raise UsageError("--json and -o - both print on standard output.\nWrite the forecasts to a file.")


def _load(ask: BacktestOptions, options: TrainOptions, common: CommonOptions) -> "Loaded | None":
    """Load the model that was asked for; refuse what only a training could obey."""
    if common.model is None:
        return None
    given = [f"--{name.replace('_', '-')}" for name in ("refit_every", "sliding") if getattr(ask, name) is not None]
    given += [
        f"--{field.name.replace('_', '-')}"
        for field in fields(TrainOptions)
        if field.name not in WITH_MODEL and getattr(options, field.name) != field.default
    ]
    if given:
        raise UsageError(
            f"{given[0]} is for fitting, and with -m nothing is fitted.\n"
            "Leave it out, or leave out -m to fit at the origins."
        )
    from forecast import store

    return store.load(common.models, common.model)


def _roll(
    reading: "Reading",
    ask: BacktestOptions,
    options: TrainOptions,
    common: CommonOptions,
    loaded: "Loaded | None",
    begin: float,
) -> "Rolled":
    """Forecast at the origins, with progress on display where something is fitted; begin: of the run, monotonic."""
    from forecast import backtesting
    from forecast.commands.progress import shown
    from forecast.commands.train import stoppable
    from forecast.surroundings import Clock

    if loaded is not None:
        return backtesting.backtest_model(loaded.trained, reading.panel, ask, options.horizon)
    with shown(common.quiet or common.json) as listen:
        clock = Clock(options.seconds, begin)
        return backtesting.backtest_training(reading.panel, ask, options, reading.options, stoppable(listen), clock)


def _table(rolled: "Rolled", output: str) -> bytes:
    """Return every forecast beside the truth in the format that the output asks for."""
    from forecast.report.figures import backtest_as_csv, backtest_columns, columns_as_json_lines
    from forecast.tables import write

    suffix = write.suffix_of(output)
    if suffix == ".parquet":
        from forecast.tables.write_parquet import columns_as_parquet, moments

        return columns_as_parquet(backtest_columns(rolled.backtest, rolled.plan, moments))
    if suffix == ".jsonl":
        return columns_as_json_lines(backtest_columns(rolled.backtest, rolled.plan))
    return backtest_as_csv(rolled.backtest, rolled.plan)


def _record_parts(
    measured: "Measured", reading: "Reading", loaded: "Loaded | None", options: TrainOptions
) -> dict[str, Any]:
    """Return what the record of this run has beside what every run has."""
    rolled = measured.rolled
    return {
        "model": loaded.model if loaded else None,
        "bundle_sha256": loaded.sha256 if loaded else None,
        "input": reading.source | {"series": len(reading.panel)},
        "seed": rolled.plan.seed if loaded else options.seed,
        "horizon": rolled.plan.horizon,
        "every": rolled.every,
        "fits": len(rolled.fits),
        "origins": measured.origins,
        "metrics": measured.overall,
        "by_step": measured.rows(measured.steps),
        "by_series": measured.rows(measured.series),
        "notices": [*reading.notices, *measured.notices],
    }
