"""`forecast check`: what is in a table, what training would do with it, and the command line for that; a report."""

from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from forecast.commands.help import DATA
from forecast.commands.speaking import speaker
from forecast.errors import DataError, UsageError
from forecast.options import OUTPUT, CommonOptions, PredictOptions, Prefix, ReadOptions, TrainOptions
from forecast.urls import shown

if TYPE_CHECKING:
    from forecast.checking import Checked
    from forecast.commands.record import Run


def check(
    read: ReadOptions,
    options: TrainOptions,
    common: CommonOptions,
    data: Annotated[str, Argument(metavar="DATA", help=DATA)],
    output: Annotated[
        str | None,
        Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the profile of all series as JSON; - is stdout.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    prefix: Prefix = "",
) -> None:
    """Say what is in a table and what is wrong with it, without training.

    Reads as 'forecast train' does and takes the same options: the exit code is 12 where training would refuse the
    table. Prints what was detected, what stands out in which series, and the command line that trains on it.
    """
    from forecast import checking
    from forecast.commands import record
    from forecast.commands.outputs import put_report
    from forecast.commands.suggestion import training_command
    from forecast.report.profile import profile_json

    run = record.begin()
    _check_places(data, output, common)
    try:
        checked = checking.check(data, read, options, PredictOptions(prefix=prefix))
    except DataError as refusal:
        _print_record(run, common, refusal, {"input": {"path": shown(data)}, "train": None, "profile": None})
        raise
    profile = checking.profile(checked.reading, checked.plan)
    command = None
    if checked.refusal is None:
        minimum = profile["suggested_min"]
        command = training_command(data, read, checked.reading.options, options, common, minimum, prefix)
    files = {output: profile_json(profile)} if output is not None and checked.refusal is None else {}
    put_report(_report(profile, command, checked), files, "the profile", common, speaker(common))
    parts = {"input": checked.reading.source, "train": command, "profile": profile}
    _print_record(run, common, checked.refusal, parts | {"output": record.output_part(files)})
    if checked.refusal:
        raise checked.refusal


def _check_places(data: str, output: str | None, common: CommonOptions) -> None:
    """Refuse an output or a name of a model that cannot be meant, before anything is read."""
    from forecast import store
    from forecast.commands.train import home
    from forecast.tables import write

    if common.model is not None:
        store.check_name(home(data, common)[1])
    if output is not None and output != write.STDOUT:
        write.check_place(output, [data])
    if output == write.STDOUT and common.json:
        raise UsageError("--json and -o - both print on standard output.\nWrite the profile to a file.")


def _report(profile: dict[str, Any], command: str | None, checked: "Checked") -> str:
    """Return the profile as text, and the command line that trains on the table."""
    from forecast.report.profile import profile_text

    last = f"Train on it with:\n  {command}" if command else "Training would refuse this table."
    return f"{profile_text(profile, checked.reading.panel)}\n{last}\n"


def _print_record(run: "Run", common: CommonOptions, refusal: DataError | None, parts: dict[str, Any]) -> None:
    """Print the run record, where JSON was asked for; a refusal is a result too, and stands in it."""
    from forecast.commands import record
    from forecast.commands.outputs import put

    if not common.json:
        return
    code = refusal.exit_code if refusal else 0
    said = {"code": code, "message": refusal.message, "hint": refusal.hint} if refusal else None
    document = record.finished(run, record.PREDICTING, {"refusal": said, **parts}, code)
    put("-", record.as_json(document))
