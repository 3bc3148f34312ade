"""Where trained models live: the bundle format, publishing, versions, loading. See docs/bundle.md."""

from forecast.store.finding import find, models_in, versions_of
from forecast.store.loading import Loaded, load, read_file, verify
from forecast.store.names import check_name
from forecast.store.publishing import Published, publish
from forecast.store.working import trials_file
from forecast.store.writing import write_file

__all__ = [
    "Loaded",
    "Published",
    "check_name",
    "find",
    "load",
    "models_in",
    "publish",
    "read_file",
    "trials_file",
    "verify",
    "versions_of",
    "write_file",
]
