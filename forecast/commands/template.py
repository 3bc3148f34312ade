"""`forecast template`: a table of the future-known covariates that predict will need, to be filled in."""

from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from forecast.commands.rereading import read_table
from forecast.commands.speaking import speaker
from forecast.errors import UsageError
from forecast.options import OUTPUT, CommonOptions, ReadOptions

if TYPE_CHECKING:
    from forecast.panels.encoding import Encoding
    from forecast.tables.template import Ahead


def template(
    read: ReadOptions,
    common: CommonOptions,
    data: Annotated[
        str | None,
        Argument(
            metavar="DATA",
            help="The table to forecast from, as for predict. Default: the one the model was trained on, if it is "
            "still there, else the rows stored with the model.",
        ),
    ] = None,
    horizon: Annotated[
        int | None,
        Option(
            "--horizon",
            "-H",
            metavar="N",
            min=1,
            help="Steps to forecast. Default: as trained.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    output: Annotated[
        str,
        Option(
            "--output", "-o", metavar="FILE", help="Where to write it, as CSV; - is stdout.", rich_help_panel=OUTPUT
        ),
    ] = "-",
) -> None:
    """Write the rows of future-known covariates that predict will need: filled in where known, empty where not.

    The columns, the delimiter and the times are those of the table of the model. Fill in the empty cells, then give the
    file to 'forecast predict --future-data'.
    """
    from forecast import store
    from forecast.commands import record
    from forecast.commands.outputs import put
    from forecast.tables import write
    from forecast.tables.template import steps_ahead, template_bytes

    run = record.begin()
    if output != write.STDOUT:
        write.check_place(output, [path for path in (data, read.future_data) if path])
    elif common.json:
        raise UsageError("--json and -o - both print on standard output.\nWrite the table to a file.")
    loaded, say = store.load(common.models, common.model), speaker(common)
    trained = loaded.trained
    if not trained.read.future:
        raise UsageError(
            f"{loaded.model} reads no covariates ahead, so predict needs no table of them.\n"
            "Name future-known covariates with --future when training, or run 'forecast predict' as it is."
        )
    reading = read_table(data, read, loaded, say)
    panel, settled = (reading.panel, reading.options) if reading else (trained.context, trained.read)
    assert panel is not None  # the model was loaded with its stored rows
    ahead = steps_ahead(panel, settled, horizon or trained.plan.horizon)
    table = template_bytes(ahead, settled)
    put(output, table)
    for line in _explained(ahead, panel.encodings, output):
        say(line)
    if common.json:
        parts = {"model": loaded.model, "rows": len(ahead.ordinals), "to_fill": ahead.to_fill}
        parts |= {"output": record.output_part({output: table})}
        put(write.STDOUT, record.as_json(record.finished(run, record.PREDICTING, parts)))


def _explained(ahead: "Ahead", encodings: "tuple[Encoding, ...]", output: str) -> list[str]:
    """Return what is to be filled in, and with what, one line each."""
    from forecast.tables.phrases import listed

    if not ahead.to_fill:
        return [f"All covariates of the {len(ahead.ordinals):,} steps are known: predict needs no --future-data."]
    counts = [f"{count:,} of {name!r}" for name, count in ahead.to_fill.items()]
    lines = [f"To fill in: {', '.join(counts)} in {len(ahead.ordinals):,} rows."]
    for one in encodings:
        if one.role != "future" or ahead.names[one.place] not in ahead.to_fill:
            continue
        values = "true or false" if one.boolean else f"{listed(one.values)}; what is none of them counts as {one.rest}"
        empty = "; an empty cell is a case of its own, as in training" if one.missing else ""
        lines.append(f"{ahead.names[one.place]}: {values}{empty}")
    name = output if output != "-" else "FILE"
    return [*lines, f"Then: forecast predict DATA --future-data {name}"]
