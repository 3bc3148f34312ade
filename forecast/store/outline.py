"""plan.json: everything of a trained model that is no array, checked before anything counts up to a number in it."""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from forecast.errors import UsageError
from forecast.forecasters.fitted import Kind
from forecast.options import ReadOptions, as_record
from forecast.panels.calendar import Calendar
from forecast.panels.encoding import Encoding
from forecast.panels.features import CALENDAR_FEATURES
from forecast.panels.frequencies import parse_frequency
from forecast.panels.zones import rules_of
from forecast.plan import Plan
from forecast.store import records
from forecast.trained import Trained

_KEYS = ("format", "plan", "read", "calendar", "series", "forecasters", "calibration", "source")
_LATER_KEYS = {"encodings": [], "ranges": False, "last": False}  # which bundles of before them lack
# Far beyond any use; they keep a forged plan from asking for endless loops or for all memory.
_WIDEST = 1e6  # times, by which bands may have grown
_MOST_STEPS, _MOST_PARTS, _MOST_UNITS, _MOST_LAYERS = 10_000_000, 1_000, 65_536, 16


@dataclass(frozen=True)
class Outline:
    """What plan.json says: everything of a trained model that is no array."""

    plan: Plan
    read: ReadOptions
    calendar: Calendar
    series: int
    kinds: tuple[Kind, ...]
    weights: tuple[float, ...]
    promised: bool
    sparse: bool  # whether series that are mostly zero have a calibration of their own
    scale: float  # of the bands of all others
    source: dict[str, Any]
    sparse_weights: tuple[float, ...]  # none: series that are mostly zero are mixed like all others
    encodings: tuple[Encoding, ...]
    ranges: bool  # whether the range of each series in training is stored
    last: bool  # whether its last step is


@dataclass(frozen=True)
class _Part:
    """One forecaster of the mix, as plan.json names it."""

    kind: Kind
    weight: float
    sparse_weight: float | None = None


@dataclass(frozen=True)
class _Promise:
    """The part of the calibration that is no array."""

    promised: bool
    sparse: bool = False
    scale: float = 1.0


def read_outline(data: bytes) -> Outline:
    """Return what plan.json says; ValueError where it says what no plan can mean."""
    fields = records.take(records.parse(data), _KEYS, "the document", _LATER_KEYS)
    if records.typed(int, fields["format"], "format") != 1:
        raise ValueError(f"has the format {fields['format']}, not 1")
    try:
        plan = records.record_of(Plan, fields["plan"], "plan")
        read = records.record_of(ReadOptions, _with_targets(fields["read"]), "read")
        calendar = records.record_of(Calendar, fields["calendar"], "calendar")
        parse_frequency(calendar.freq)
        if calendar.tz:
            rules_of(calendar.tz)
    except (UsageError, IndexError, TypeError) as error:
        raise ValueError(f"is contradictory: {str(error).splitlines()[0].rstrip('.')}") from None
    _check_plan(plan)
    if calendar.period is None and (plan.calendar or plan.holidays):
        raise ValueError("has calendar features of integer steps, which have no times")
    parts = [
        records.record_of(_Part, one, f"forecasters[{place}]") for place, one in enumerate(_list(fields, "forecasters"))
    ]
    weights = tuple(one.weight for one in parts)
    sparse = tuple(one.sparse_weight for one in parts if one.sparse_weight is not None)
    sound = all(min(some, default=-1) >= 0 and abs(sum(some) - 1) < 1e-6 for some in (weights, sparse or weights))
    if len({one.kind for one in parts}) != len(parts) or len(sparse) not in (0, len(parts)) or not sound:
        raise ValueError("needs forecasters of different kinds, with weights that sum to 1")
    promise = records.record_of(_Promise, fields["calibration"], "calibration")
    if not 0 < promise.scale < _WIDEST:
        raise ValueError(f"calibration.scale should lie between 0 and {_WIDEST:g}, but is {promise.scale}")
    if not isinstance(fields["source"], dict):
        raise ValueError("should have an object as 'source'")
    records.typed(str | None, fields["source"].get("path"), "source.path")
    series = records.typed(int, fields["series"], "series")
    kinds = tuple(one.kind for one in parts)
    if plan.mixed_targets and Kind.NETWORK not in kinds:
        raise ValueError("mixes targets without a network, which alone has their scaling")
    return Outline(
        plan=plan,
        read=read,
        calendar=calendar,
        series=series,
        kinds=kinds,
        weights=weights,
        promised=promise.promised,
        sparse=promise.sparse,
        scale=promise.scale,
        source=fields["source"],
        sparse_weights=sparse,
        encodings=_encodings(fields, plan, read),
        ranges=records.typed(bool, fields["ranges"], "ranges"),
        last=records.typed(bool, fields["last"], "last"),
    )


def document(trained: Trained) -> dict[str, Any]:
    """Return the document of plan.json."""
    parts = [{"kind": one.kind, "weight": float(w)} for one, w in zip(trained.fitted, trained.weights, strict=True)]
    for part, weight in zip(parts, trained.sparse_weights, strict=False):
        part["sparse_weight"] = float(weight)
    return {
        "format": 1,
        "plan": as_record(trained.plan),
        "read": as_record(trained.read),
        "calendar": as_record(trained.calendar),
        "series": len(trained.ids),
        "forecasters": parts,
        "calibration": {
            "promised": bool(trained.calibration.promised),
            "sparse": trained.calibration.sparse is not None,
            "scale": float(trained.calibration.scale),
        },
        "source": trained.source,
        "encodings": [as_record(one) for one in trained.encodings],
        "ranges": trained.ranges is not None,
        "last": trained.last is not None,
    }


def _check_plan(plan: Plan) -> None:
    """Refuse sizes that no plan has, before anything counts up to them. Raises ValueError."""
    steps = (plan.horizon, plan.window, plan.segment, plan.base, plan.lookback, *plan.seasons)
    if not plan.seasons or not 1 <= min(steps) <= max(steps) <= _MOST_STEPS:
        raise ValueError(f"has a number of steps outside 1 to {_MOST_STEPS}")
    if not 1 <= plan.layers <= _MOST_LAYERS or not 1 <= plan.units <= _MOST_UNITS:
        raise ValueError(f"has layers or units outside 1 to {_MOST_LAYERS} and 1 to {_MOST_UNITS}")
    if not 1 <= plan.members <= _MOST_PARTS or not 1 <= len(plan.quantiles) <= _MOST_PARTS:
        raise ValueError(f"has members or quantiles outside 1 to {_MOST_PARTS}")
    if not all(one < other for one, other in pairwise(plan.holidays)) or not all(map(_is_day, plan.holidays)):
        raise ValueError("has holidays that are no rising days")
    for name in plan.calendar:
        if name not in CALENDAR_FEATURES:
            raise ValueError(f"has {name[:20]!r}, which is no calendar feature")
    if not all(low < high for low, high in pairwise((0.0, *plan.quantiles, 1.0))):
        raise ValueError("has quantiles that do not rise from 0 to 1")


def _encodings(fields: dict[str, Any], plan: Plan, read: ReadOptions) -> tuple[Encoding, ...]:
    """Return the encodings; ValueError unless they make the columns of the plan of the covariates of the table."""
    found = tuple(
        records.record_of(Encoding, one, f"encodings[{place}]") for place, one in enumerate(_list(fields, "encodings"))
    )
    for one in found:
        if not 0 <= one.place < len(getattr(read, one.role)):
            raise ValueError(f"has an encoding of {one.role} covariate {one.place}, which the table is not read with")
        if not one.boolean and (len(one.shares) != one.width or len(set(one.values)) != len(one.values)):
            raise ValueError(f"has an encoding of {one.role} covariate {one.place} that contradicts itself")
    if len({(one.role, one.place) for one in found}) != len(found):
        raise ValueError("has two encodings of one covariate")
    for role in {one.role for one in found}:
        columns = len(getattr(read, role)) + sum(one.width - 1 for one in found if one.role is role)
        if columns != len(plan.given[role]):
            raise ValueError(f"has encodings that do not make the {len(plan.given[role])} {role} columns of the plan")
    return found


def _is_day(text: str) -> bool:
    """Tell whether text is a day such as 2026-12-25."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _with_targets(read: Any) -> Any:
    """Return how the table is read with a list of targets: bundles of before several targets hold one name, or null."""
    target = read.get("target", []) if isinstance(read, dict) else []
    if isinstance(target, list):
        return read
    return read | {"target": [] if target is None else [target]}


def _list(fields: dict[str, Any], key: str) -> list[Any]:
    if not isinstance(fields[key], list):
        raise ValueError(f"should have a list as {key!r}")
    found: list[Any] = fields[key]
    return found
