"""What predict says of single series: how each was forecast, and whether too many of them are bad."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forecast.errors import TooManyBadError

if TYPE_CHECKING:
    from forecast.matching import Finding
    from forecast.trained import Forecasts

BAD = ("fallback", "skipped")
STATUS = (  # what is counted by in the run record, and what it means
    ("new", "not known to the model", "not known to the model: forecast with a scale of their own"),
    ("short", "shorter than the window", "shorter than the window"),
    ("fallback", "repeated instead", "mostly missing at the end, or without a finite forecast: seasonal naive"),
    ("skipped", "without any value", "without any value: no forecast"),
)


def by_status(forecasts: "Forecasts") -> "list[Finding]":
    """Return what is to be said of the series that are not ok."""
    from forecast.matching import Finding, some

    found = []
    for status, reason, meaning in STATUS:
        names = [name for name, own in zip(forecasts.ids, forecasts.status, strict=True) if own == status]
        line = f"{len(names):,} of {len(forecasts.ids):,} series {status} ({meaning}): {some(names)}."
        found += [Finding(reason, len(names), line)] if names else []
    return found


def notices(forecasts: "Forecasts", trained_horizon: int) -> list[str]:
    """Return what a user should know about a forecast, one line each."""
    lines = []
    horizon = forecasts.quantiles.shape[1]
    if horizon > trained_horizon:
        lines.append(
            f"The model was trained for {trained_horizon} steps; up to step {horizon} it is fed its own forecast, "
            "and the bands are wider."
        )
    return [*lines, *(finding.line for finding in by_status(forecasts))]


def counted(findings: "Sequence[Finding]") -> dict[str, int]:
    """Return how many series there are for each reason, as the run record says it."""
    return {finding.reason: finding.count for finding in findings}


def too_many_bad(forecasts: "Forecasts", max_bad: str) -> TooManyBadError | None:
    """Return the error where more than this share of the series, such as '5%', fell back or were skipped."""
    from forecast.tables.phrases import short

    bad = [(name, own) for name, own in zip(forecasts.ids, forecasts.status, strict=True) if own in BAD]
    if 100 * len(bad) <= float(max_bad.rstrip("%")) * len(forecasts.ids):
        return None
    shown = ", ".join(f"{short(name)} {status}" for name, status in bad[:3])
    more = f" and {len(bad) - 3:,} more" if len(bad) > 3 else ""
    return TooManyBadError(
        f"{len(bad):,} of {len(forecasts.ids):,} series fell back or were skipped, more than --max-bad {max_bad}: "
        f"{shown}{more}.\n"
        "The output is written, its column status says which. Mend the last rows of these series, or allow more."
    )
