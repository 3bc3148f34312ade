"""Where trained models live: the bundle format, publishing, versions, loading. See docs/bundle.md."""

from forecast.store.checkpointing import checkpoint
from forecast.store.finding import find, find_home, models_in, versions_of
from forecast.store.listing import Listed, Shelf, list_version, shelf_of, shelves, skill_of
from forecast.store.loading import Loaded, load, read_file, verify
from forecast.store.lock import Locking, locked
from forecast.store.manifest import MEND, damaged
from forecast.store.names import check_name, time_of
from forecast.store.promoting import Promoted, promote, roll_back
from forecast.store.publishing import PATIENCE, Published, check_home, publish
from forecast.store.retention import prune, superseded
from forecast.store.working import trials_file
from forecast.store.writing import write_file

__all__ = [
    "MEND",
    "PATIENCE",
    "Listed",
    "Loaded",
    "Locking",
    "Promoted",
    "Published",
    "Shelf",
    "check_home",
    "check_name",
    "checkpoint",
    "damaged",
    "find",
    "find_home",
    "list_version",
    "load",
    "locked",
    "models_in",
    "promote",
    "prune",
    "publish",
    "read_file",
    "roll_back",
    "shelf_of",
    "shelves",
    "skill_of",
    "superseded",
    "time_of",
    "trials_file",
    "verify",
    "versions_of",
    "write_file",
]
