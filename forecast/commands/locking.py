"""--lock-wait and --lock-dir: what a command that changes a model or a log does about other runs that do so."""

from pathlib import Path
from typing import TYPE_CHECKING

from forecast.commands.speaking import Say
from forecast.errors import UsageError
from forecast.options import LockOptions

if TYPE_CHECKING:
    from forecast.store import Locking


def locking(options: LockOptions, say: Say, patience: float = 0.0) -> "Locking":
    """Return how to lock; UsageError for a folder that is not there.

    patience: seconds to wait where the user did not say how long.
    """
    from forecast.store import Locking

    folder = options.lock_dir
    if folder is not None and not Path(folder).is_dir():
        raise UsageError(f"--lock-dir {folder}: there is no such folder.\nMake it, on a disk of this machine.")
    return Locking(options.seconds(patience), None if folder is None else Path(folder), say)
