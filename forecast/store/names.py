"""Names in the store: of models, of versions, and of the files in a version folder."""

import hashlib
import re
from datetime import UTC, datetime

from forecast.errors import UsageError

CURRENT, VERSIONS = "CURRENT", "versions"
CANDIDATES = "CANDIDATES"  # the versions that were never current, one on a line
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
PLAN, IDS = "plan.json", "ids.json"
WEIGHTS, SCALING, CONTEXT = "weights.safetensors", "scaling.safetensors", "context.safetensors"
CORE = (PLAN, IDS, WEIGHTS, SCALING)  # checked at every load, used or not
REFERENCE = "reference-"  # what the names of models that come with the program begin with

_LONGEST = 100  # characters: with what the store appends, below the 255 bytes of every file system
_VERSION = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
_OTHER_FILE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,60}\.(json|csv|png|svg|html|txt)")


def check_name(name: str) -> str:
    """Return a model's name if it is one: letters, digits, dot, underscore and hyphen. Raises UsageError."""
    plain = bool(name) and all(one.isalnum() or one in "._-" for one in name)
    if (
        not plain
        or name[0] in ".-"
        or len(name.encode()) > _LONGEST
        or name.casefold() in (VERSIONS, CURRENT.casefold(), CANDIDATES.casefold())
    ):
        raise UsageError(
            f"{name[:_LONGEST]!r} is no name for a model.\n"
            f"Use letters, digits, '.', '_' and '-', at most {_LONGEST} bytes, the first one a letter, a digit or '_'."
        )
    return name


def new_version(now: datetime | None = None, seed: bytes = b"") -> str:
    """Return the name of a version published now: the time in UTC, and 8 hex digits from the time and the seed.

    It is made before the version, because files in the version mention it. Versions sort by age.
    """
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    digest = hashlib.sha256(seed + moment.isoformat(timespec="microseconds").encode()).hexdigest()
    return f"{moment:%Y%m%dT%H%M%SZ}-{digest[:8]}"


def is_version(name: str) -> bool:
    """Tell whether a name is that of a version."""
    return _VERSION.fullmatch(name) is not None


def time_of(version: str) -> datetime | None:
    """Return when a version was made, in UTC; None where its name holds no date that exists."""
    try:
        return datetime.strptime(version[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def is_other_file(name: str) -> bool:
    """Tell whether a file of this name may lie in a version beside those that make the model."""
    return _OTHER_FILE.fullmatch(name) is not None and name not in (*CORE, CONTEXT, MANIFEST, SEAL)
