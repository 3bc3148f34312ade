"""Working files: what a run that is under way keeps in a model's folder, beside the versions and part of none."""

import os
from dataclasses import dataclass
from pathlib import Path

from forecast.store.manifest import MIB, read_regular
from forecast.store.names import check_name
from forecast.store.promoting import FILE_MODE
from forecast.store.publishing import make_home
from forecast.store.writing import failure, replace_file

TRIALS = "trials.json"  # the trials of a search that may be interrupted


@dataclass(frozen=True)
class WorkingFile:
    """A file in the folder of a model, read and replaced as a whole."""

    path: Path

    def read(self) -> bytes | None:
        """Return its content, None where there is no such file; BundleError for a link or a file of over 64 MiB."""
        return read_regular(self.path, 64 * MIB) if os.path.lexists(self.path) else None

    def write(self, data: bytes) -> None:
        """Replace its content, whole or not at all; OutputError where the store cannot be written."""
        try:
            make_home(self.path.parent)
            replace_file(self.path, data, new_mode=FILE_MODE)
        except OSError as error:
            raise failure(error, f"{self.path}: the file cannot be written") from error


def trials_file(models: str | Path, name: str) -> WorkingFile:
    """Return where the trials of the model's next version are kept."""
    return WorkingFile(Path(models) / check_name(name) / TRIALS)
