"""--lock-wait and --lock-dir: what a command that changes a model or a log does about other runs that do so."""

from pathlib import Path
from typing import TYPE_CHECKING

from forecast.commands.speaking import Say
from forecast.errors import UsageError
from forecast.options import LockOptions

if TYPE_CHECKING:
    from forecast.store import Locking


def locking(options: LockOptions, say: Say, patience: float = 0.0) -> "Locking":
    """Return how to lock; UsageError where there is no folder for locks, and none can be made.

    patience: seconds to wait where the user did not say how long.
    """
    from forecast.store import Locking

    folder = None if options.lock_dir is None else Path(options.lock_dir)
    if folder is not None:
        try:
            folder.mkdir(exist_ok=True)  # one in /run is gone when the machine has been started anew
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(
                f"--lock-dir {folder}: it cannot be made: {reason}.\nName a folder on a disk of this machine."
            ) from None
    return Locking(options.seconds(patience), folder, say)
