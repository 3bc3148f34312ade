"""`forecast update`: a trained model learns new rows, and the result replaces it if it is not worse."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from forecast.commands import stopping
from forecast.commands.help import DATA, FORECASTS
from forecast.commands.logging import BY_STEP, EXPECTED
from forecast.commands.quality import kept, promotion
from forecast.commands.speaking import Say, speaker
from forecast.errors import MismatchError, QualityError, UsageError
from forecast.options import OUTPUT, CommonOptions, PredictOptions, ReadOptions, TrainOptions, UpdateOptions

if TYPE_CHECKING:
    from forecast.commands.record import Run
    from forecast.pipeline import Outcome
    from forecast.report.update import Race
    from forecast.store import Loaded
    from forecast.tables import Reading
    from forecast.updating import Candidate, Fair


@dataclass(frozen=True, eq=False)
class _Work:
    """What an update is about."""

    run: "Run"
    loaded: "Loaded"  # the current version
    reading: "Reading"
    fair: "Fair"
    options: UpdateOptions
    common: CommonOptions
    columns: PredictOptions
    output: str | None
    notices: tuple[str, ...]

    @property
    def say(self) -> Say:
        """What says a line to the user."""
        return speaker(self.common)


def update(
    read: ReadOptions,
    options: UpdateOptions,
    common: CommonOptions,
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
    prefix: Annotated[
        str,
        Option("--prefix", metavar="TEXT", help="Text before each column of the predictions.", rich_help_panel=OUTPUT),
    ] = "",
) -> None:
    """Let a model learn new rows; it is replaced if the result is not worse.

    The networks go on learning from where they are, everything else is fitted anew; what training has chosen stays. A
    candidate that has not seen the newest rows is compared there with the current version, which has not either; this
    takes as many new rows as a forecast has steps. If the candidate is not worse, what is fitted on all rows becomes
    the current version. Columns, dialect, frequency and repair are those of training unless they are given again.
    """
    from forecast import store, updating
    from forecast.commands import record
    from forecast.commands.outputs import check_forecast_output

    run, columns, say = record.begin(), PredictOptions(prefix=prefix), speaker(common)
    if output is not None:
        check_forecast_output(output, [data] if data else [])
    home = _home(common)
    with store.locked(home, "update", options.lock_seconds):
        loaded = store.load(home.parent, home.name)
        reading = _read(data, read, loaded, columns, say)
        if output is not None:
            check_forecast_output(output, [reading.source["path"]])
        notices = _notices(loaded, reading, read, options)
        for notice in notices:
            say(notice)
        fair = updating.fair_origins(loaded.trained, reading.panel)
        _refuse_older(loaded, reading, fair)
        work = _Work(run, loaded, reading, fair, options, common, columns, output, (*reading.notices, *notices))
        _keep(work, _missing(work)) if fair.ask is None else _race(work)


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
    from forecast.commands.predict import read_again
    from forecast.commands.train import names_of
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
    write.forecast_columns(names_of(reading), columns, reading.panel.targets)
    for notice in reading.notices:
        say(notice)
    return reading


def _notices(loaded: "Loaded", reading: "Reading", read: ReadOptions, options: UpdateOptions) -> list[str]:
    """Return what a user should know of the table, one line each. Raises StaleError and MismatchError."""
    from forecast import matching
    from forecast.commands.predict import freshness_of

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


def _missing(work: _Work) -> str:
    """Return why nothing can be compared."""
    from forecast.report.update import missing_text

    horizon = work.loaded.trained.plan.horizon
    return missing_text(work.fair.new, horizon, work.reading.panel.calendar.word(work.fair.new))


def _race(work: _Work) -> None:
    """Compare a candidate with the current version, and publish or keep."""
    from forecast import updating
    from forecast.commands.progress import shown
    from forecast.commands.train import findable, stoppable
    from forecast.report.update import race_text

    trained, panel = work.loaded.trained, work.reading.panel
    assert work.fair.ask is not None
    with shown(work.common.quiet or work.common.json) as listen:
        listen = stoppable(listen)
        candidate, outcome = updating.try_update(trained, panel, work.fair.ask, work.options.device, listen), None
        if candidate.promoted or work.options.require_promotion:
            source = findable(work.reading.source)
            outcome = updating.finish(trained, panel, candidate, work.reading.options, source, listen)
    race = _race_of(work, candidate)
    if outcome is None:
        _keep(work, f"an update would be {race_text(race)}", race)
    else:
        _publish(work, candidate, outcome, race)


def _publish(work: _Work, candidate: "Candidate", outcome: "Outcome", race: "Race") -> None:
    """Publish the updated model as the current version, or as a candidate where it was worse and that was asked for."""
    from forecast import store
    from forecast.commands.findings import notices
    from forecast.commands.results import judge
    from forecast.commands.train import places, remarks, version_files, write_again
    from forecast.report.update import race_text

    for line in (
        *remarks(work.reading, outcome, TrainOptions()),
        *notices(outcome.forecasts, outcome.trained.plan.horizon),
    ):
        work.say(line)
    judgement, part = judge(outcome), _part(work, race, candidate.promoted)
    judgement = replace(judgement, metrics=judgement.metrics | {"update": part})
    if work.common.verbose:
        work.say("\n".join([judgement.details, "", judgement.table, "", judgement.verdict, ""]))
    stopping.check()
    told: dict[str, Any] = {"update": part, "notices": list(work.notices)}
    told |= {} if candidate.promoted else {"exit_code": QualityError.exit_code}
    files = version_files(work.run, outcome, judgement, work.reading, work.columns, told)
    expected = _expected(work.loaded)
    home = work.loaded.path.parent.parent
    published = store.publish(
        home.parent,
        home.name,
        outcome.trained,
        lambda model: files(model) | expected,
        candidate=not candidate.promoted,
        held=True,
    )
    if work.common.json:
        sys.stdout.buffer.write((published.path / "run.json").read_bytes())
        sys.stdout.buffer.flush()
    if not candidate.promoted:
        raise QualityError(
            f"{work.loaded.model} stays the current version: the update is {race_text(race)}; {kept(published)}.\n"
            f"{promotion(published)}."
        )
    if work.output is not None:
        write_again(work.output, outcome, work.reading, work.columns, published)
    work.say("\n".join(places(published, work.output)))
    work.say(f"{published.model} is the current version now, in place of {work.loaded.model}: {race_text(race)}.")


def _keep(work: _Work, reason: str, race: "Race | None" = None) -> None:
    """Leave the current version as it is, and say why. Raises QualityError where a promotion was required."""
    from forecast import prediction
    from forecast.commands import record
    from forecast.commands.outputs import put_forecasts
    from forecast.commands.train import names_of

    model, required = work.loaded.model, work.options.require_promotion
    if work.output is not None and not required:
        forecasts = prediction.predict(work.loaded.trained, work.reading.panel, assume_future=True)
        put_forecasts(work.output, forecasts, names_of(work.reading), work.columns, model)
    if work.common.json:
        parts = {
            "model": model,
            "input": work.reading.source | {"series": len(work.reading.panel)},
            "update": _part(work, race, False) | {"reason": reason},
            "notices": list(work.notices),
        }
        code = QualityError.exit_code if required else 0
        sys.stdout.buffer.write(record.as_json(record.finished(work.run, record.TRAINING, parts, code)))
        sys.stdout.buffer.flush()
    if required:
        raise QualityError(f"{model} stays the current version: {reason}.\nRun again when there are newer rows.")
    work.say(f"{model} stays the current version: {reason}.")


def _race_of(work: _Work, candidate: "Candidate") -> "Race":
    """Return what the report says about a comparison."""
    from forecast.report.update import Race

    horizon, calendar = work.loaded.trained.plan.horizon, work.reading.panel.calendar
    first, last, count = candidate.origins
    return Race(
        measure=candidate.measure,
        error=candidate.error,
        before=candidate.before,
        comparison=candidate.comparison,
        first=first,
        last=last,
        origins=count,
        horizon=f"{horizon} {calendar.word(horizon)}",
        series=candidate.series,
    )


def _part(work: _Work, race: "Race | None", promoted: bool) -> dict[str, Any]:
    """Return what the run record and metrics.json say about the update."""
    part = {"from": work.loaded.model, "promoted": promoted, "new_steps": work.fair.new}
    if race is None:
        return part
    return part | {
        "measure": race.measure,
        "error": race.error,
        "error_before": race.before,
        "change": race.change,
        "origins": race.origins,
        "first_cutoff": race.first,
        "last_cutoff": race.last,
        "comparison": vars(race.comparison),
    }


def _expected(loaded: "Loaded") -> dict[str, bytes]:
    """Return the errors that training led to expect: what `score` finds drift against, however often it is updated."""
    from forecast import store

    name = next((one for one in (EXPECTED, BY_STEP) if one in loaded.manifest.files), None)
    return {EXPECTED: store.read_file(loaded, name)} if name else {}
