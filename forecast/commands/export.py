"""`forecast models export`: a trained network as a file that other programs read; nothing here reads it back."""

from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from typer import Argument, Option

from forecast.commands.speaking import json_text, speaker
from forecast.errors import UsageError
from forecast.options import OUTPUT, CommonOptions

SUFFIX = ".keras"


class Format(StrEnum):
    """What is written."""

    KERAS = "keras"


def export(
    common: CommonOptions,
    output: Annotated[
        str,
        Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file, NAME.keras; NAME.json is beside it.",
            rich_help_panel=OUTPUT,
        ),
    ],
    model: Annotated[
        str | None,
        Argument(metavar="MODEL", help="A name, NAME@VERSION, or a path. Default: the only model there is."),
    ] = None,
    format: Annotated[  # noqa: A002
        Format, Option("--format", help="What to write: one Keras model of all members.", rich_help_panel=OUTPUT)
    ] = Format.KERAS,
) -> None:
    """Write the network of a version for other programs; needs Keras and TensorFlow.

    The model reads windows of scaled values, and gives the quantiles of each member; the JSON file beside it says how
    to prepare the one and what to make of the other. Forecasts are made from bundles: nothing reads the file back.
    """
    from forecast import exporting, store
    from forecast.commands import record
    from forecast.commands.outputs import put

    run, say = record.begin(), speaker(common)
    beside = _check_place(output)
    loaded = store.load(common.models, model, context=False)
    network, described = exporting.export(loaded.trained, loaded.model)
    content = _saved(network, output)
    files = record.output_part({Path(output).name: content})
    about = {"model": loaded.model, "bundle_sha256": loaded.sha256, "versions": record.versions(record.TRAINING)}
    description = json_text({"file": files[0], **about, **described}).encode()
    put(output, content)
    put(beside, description)
    say(f"Wrote {loaded.model} to {output}, and what it reads and gives to {beside}")
    if common.json:
        parts = {"model": loaded.model, "output": record.output_part({output: content, beside: description})}
        put("-", record.as_json(record.finished(run, record.TRAINING, parts)))


def _check_place(output: str) -> str:
    """Return where the description goes. Raises UsageError for an output that cannot be meant."""
    from forecast.tables import write

    if Path(output).suffix != SUFFIX:
        raise UsageError(f"{output}: a model for Keras is a file {SUFFIX}.\nName it so, as in -o model{SUFFIX}.")
    beside = str(Path(output).with_suffix(".json"))
    for place in (output, beside):
        write.check_place(place)
    return beside


def _saved(network: Any, output: str) -> bytes:
    """Return a Keras model as the content of its file, which Keras writes beside the output. Raises OutputError."""
    from forecast.store.writing import TEMPORARY, failure

    try:
        with TemporaryDirectory(prefix=TEMPORARY, dir=Path(output).absolute().parent) as folder:
            path = Path(folder, f"model{SUFFIX}")
            network.save(path)
            return path.read_bytes()
    except OSError as error:
        raise failure(error, f"{output}: the file cannot be written") from error
