"""What comes of an update: a comparison, and a new version or the same as before."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forecast.commands import stopping
from forecast.commands.logging import EXPECTED, expected_by_step
from forecast.commands.quality import kept, promotion
from forecast.commands.speaking import Say, speaker
from forecast.errors import QualityError
from forecast.options import CommonOptions, PredictOptions, TrainOptions, UpdateOptions

if TYPE_CHECKING:
    from forecast.commands.record import Run
    from forecast.pipeline import Outcome
    from forecast.report.update import Race
    from forecast.store import Loaded
    from forecast.tables import Reading
    from forecast.updating import Candidate, Fair


@dataclass(frozen=True, eq=False)
class Work:
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


def compare(work: Work) -> None:
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
        keep(work, f"an update would be {race_text(race)}", race)
    else:
        _publish(work, candidate, outcome, race)


def _publish(work: Work, candidate: "Candidate", outcome: "Outcome", race: "Race") -> None:
    """Publish the updated model as the current version, or as a candidate where it was worse and that was asked for."""
    from forecast import store
    from forecast.commands.findings import notices
    from forecast.commands.outputs import put
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
    expected = expected_by_step(work.loaded)  # what `score` finds drift against, however often it is updated
    home = work.loaded.path.parent.parent
    published = store.publish(
        home.parent,
        home.name,
        outcome.trained,
        lambda model: files(model) | ({EXPECTED: expected} if expected else {}),
        candidate=not candidate.promoted,
        locking=None,  # it is held
    )
    if work.common.json:
        put("-", (published.path / "run.json").read_bytes())
    if not candidate.promoted:
        raise QualityError(
            f"{work.loaded.model} stays the current version: the update is {race_text(race)}; {kept(published)}.\n"
            f"{promotion(published)}."
        )
    if work.output is not None:
        write_again(work.output, outcome, work.reading, work.columns, published)
    work.say("\n".join(places(published, work.output)))
    work.say(f"{published.model} is the current version now, in place of {work.loaded.model}: {race_text(race)}.")


def keep(work: Work, reason: str, race: "Race | None" = None) -> None:
    """Leave the current version as it is, and say why. Raises QualityError where a promotion was required."""
    from forecast import prediction, tables
    from forecast.commands import record
    from forecast.commands.outputs import put, put_forecasts

    model, required = work.loaded.model, work.options.require_promotion
    if work.output is not None and not required:
        forecasts = prediction.predict(work.loaded.trained, work.reading.panel, assume_future=True)
        put_forecasts(work.output, forecasts, tables.output_names(work.reading.options), work.columns, model)
    if work.common.json:
        parts = {
            "model": model,
            "input": work.reading.source | {"series": len(work.reading.panel)},
            "update": _part(work, race, False) | {"reason": reason},
            "notices": list(work.notices),
        }
        code = QualityError.exit_code if required else 0
        put("-", record.as_json(record.finished(work.run, record.TRAINING, parts, code)))
    if required:
        raise QualityError(f"{model} stays the current version: {reason}.\nRun again when there are newer rows.")
    work.say(f"{model} stays the current version: {reason}.")


def _race_of(work: Work, candidate: "Candidate") -> "Race":
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


def _part(work: Work, race: "Race | None", promoted: bool) -> dict[str, Any]:
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
