"""A trained model as files, and back: plan.json, ids.json, and files of arrays: nothing that is executed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from forecast.errors import UsageError
from forecast.evaluation.calibration import Calibration
from forecast.forecasters.fitted import Fitted, Kind
from forecast.options import ReadOptions, as_record
from forecast.panels.calendar import Calendar, parse_frequency
from forecast.panels.panel import Panel, one_channel
from forecast.plan import Plan
from forecast.store import records, tensors
from forecast.store.names import CONTEXT, IDS, PLAN, SCALING, WEIGHTS
from forecast.store.tensors import FLOAT32, FLOAT64, INT64, Array, Shape
from forecast.trained import Trained

Shapes = Callable[[Kind, Plan, int], Mapping[str, Shape]]  # of a forecaster's arrays: kind, plan, number of series

PER_SERIES = "series."  # what the names of per-series arrays begin with
UNITS, SHIFT, POOLED = "units", "calibration/shift", "calibration/pooled"
_CONTEXT_INTEGERS = ("starts", "begins", "lengths", "limits")  # (series,) each
_CONTEXT_FLOATS = ("target", "past", "future", "static")
_KEYS = ("format", "plan", "read", "calendar", "series", "forecasters", "calibration", "source")
# Far beyond any use; they keep a forged plan from asking for endless loops or for all memory.
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
    source: dict[str, Any]


@dataclass(frozen=True)
class _Part:
    """One forecaster of the mix, as plan.json names it."""

    kind: Kind
    weight: float


@dataclass(frozen=True)
class _Promise:
    """The part of the calibration that is no array."""

    promised: bool


def encode(trained: Trained) -> dict[str, bytes]:
    """Return the files that hold a trained model, by name; equal models give equal bytes.

    Raises ValueError for what a bundle cannot hold without loss: a weight that is no float32, two forecasters of one
    kind, a context whose series are not those of the model.
    """
    kinds = [one.kind for one in trained.fitted]
    if len(set(kinds)) != len(kinds) or len(kinds) != len(trained.weights):
        raise ValueError("a trained model needs one weight for each forecaster, and one forecaster of each kind")
    targets, ids = max(1, len(trained.plan.targets)), trained.ids[:: max(1, len(trained.plan.targets))]
    if trained.ids != _each(ids, targets):
        raise ValueError("a model of several targets needs all of them for each id, one after the other")
    if trained.context is not None and trained.context.ids != trained.ids:
        raise ValueError("the context must hold the series of the model, in their order")
    arrays = {f"{one.kind}/{name}": array for one in trained.fitted for name, array in one.arrays.items()}
    weights = {name: _as_float32(name, array) for name, array in arrays.items() if not _is_per_series(name)}
    scaling: dict[str, Array] = {name: array for name, array in arrays.items() if _is_per_series(name)}
    scaling |= {UNITS: trained.units, SHIFT: trained.calibration.shift, POOLED: trained.calibration.pooled}
    files = {
        PLAN: records.as_json(_outline(trained)),
        IDS: records.as_json(list(ids)),
        WEIGHTS: tensors.encode(weights),
        SCALING: tensors.encode(scaling),
    }
    if trained.context is not None:
        files[CONTEXT] = tensors.encode(_context_arrays(trained.context))
    return files


def outline(data: bytes) -> Outline:
    """Return what plan.json says; ValueError where it says what no plan can mean."""
    fields = records.take(records.parse(data), _KEYS, "the document")
    if records.typed(int, fields["format"], "format") != 1:
        raise ValueError(f"has the format {fields['format']}, not 1")
    try:
        plan = records.record_of(Plan, fields["plan"], "plan")
        read = records.record_of(ReadOptions, _with_targets(fields["read"]), "read")
        calendar = records.record_of(Calendar, fields["calendar"], "calendar")
        parse_frequency(calendar.freq)
    except (UsageError, IndexError, TypeError) as error:
        raise ValueError(f"is contradictory: {str(error).splitlines()[0]}") from None
    _check_plan(plan)
    parts = [
        records.record_of(_Part, one, f"forecasters[{place}]") for place, one in enumerate(_list(fields, "forecasters"))
    ]
    weights = tuple(one.weight for one in parts)
    if len({one.kind for one in parts}) != len(parts) or min(weights, default=-1) < 0 or abs(sum(weights) - 1) > 1e-6:
        raise ValueError("needs forecasters of different kinds, with weights that sum to 1")
    promise = records.record_of(_Promise, fields["calibration"], "calibration")
    if not isinstance(fields["source"], dict):
        raise ValueError("should have an object as 'source'")
    series = records.typed(int, fields["series"], "series")
    kinds = tuple(one.kind for one in parts)
    if plan.mixed_targets and Kind.NETWORK not in kinds:
        raise ValueError("mixes targets without a network, which alone has their scaling")
    return Outline(plan, read, calendar, series, kinds, weights, promise.promised, fields["source"])


def names_of_series(data: bytes, outline: Outline) -> tuple[str, ...]:
    """Return the id of each series; ValueError unless they are different texts, as many as the plan says."""
    ids: tuple[str, ...] = records.typed(tuple[str, ...], records.parse(data), "the document")
    targets = max(1, len(outline.plan.targets))
    if len(ids) * targets != outline.series or len(set(ids)) != len(ids):
        raise ValueError(f"should hold {outline.series // targets} different ids, but holds {len(set(ids))}")
    return _each(ids, targets)


def array_shapes(outline: Outline, shapes: Shapes) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """Return the shapes of the arrays in weights.safetensors and in scaling.safetensors, from the plan alone."""
    plan = outline.plan
    every = {
        f"{kind}/{name}": tuple(shape)
        for kind in outline.kinds
        for name, shape in shapes(kind, plan, outline.series).items()
    }
    weights = {name: shape for name, shape in every.items() if not _is_per_series(name)}
    scaling = {name: shape for name, shape in every.items() if _is_per_series(name)}
    scaling |= {UNITS: (outline.series,), SHIFT: (plan.horizon, len(plan.quantiles)), POOLED: (plan.horizon,)}
    return weights, scaling


def weights_of(data: bytes, wanted: Mapping[str, Shape]) -> dict[str, Array]:
    """Return the arrays of weights.safetensors; ValueError unless they are the wanted ones, all numbers finite."""
    arrays = tensors.decode(data, wanted, (FLOAT32, INT64))
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"holds a weight in {name!r} that is no finite number")
    return arrays


def scaling_of(data: bytes, wanted: Mapping[str, Shape]) -> dict[str, Array]:
    """Return the arrays of scaling.safetensors; ValueError unless they are the wanted ones, none infinite."""
    arrays = tensors.decode(data, wanted, (FLOAT64, INT64), (POOLED,))
    _refuse_infinite(arrays)
    if not np.isfinite(arrays[SHIFT]).all():
        raise ValueError(f"holds a number in {SHIFT!r} that is none")
    return arrays


def context_of(data: bytes, outline: Outline, ids: tuple[str, ...]) -> Panel:
    """Return the panel of context.safetensors; ValueError unless it is one of these series and this plan."""
    found = tensors.entries(data)
    plan, series = outline.plan, outline.series
    steps = found["target"].shape[0] if "target" in found and found["target"].shape else 0
    wanted: dict[str, Shape] = {"target": (steps,)}
    wanted |= {name: (series,) for name in _CONTEXT_INTEGERS}  # noqa: C420
    given = plan.given
    for name in ("past", "future"):
        wanted[name] = (len(given[name]), steps) if given[name] else (0, 0)
    wanted["static"] = (series, len(given["static"])) if given["static"] else (0, 0)
    arrays = tensors.decode(data, wanted, (FLOAT64,), _CONTEXT_INTEGERS)
    _refuse_infinite(arrays)
    for name in ("begins", "lengths", "limits"):
        # Each by itself first: a sum of two numbers within the file cannot overflow.
        if (arrays[name] < 0).any() or (arrays[name] > steps).any():
            raise ValueError(f"holds {name} outside its {steps} steps")
    channel = np.arange(series) % len(plan.targets) if plan.targets else one_channel()
    return Panel(ids=ids, calendar=outline.calendar, targets=plan.targets, channel=channel, **arrays)


def trained_of(
    outline: Outline,
    ids: tuple[str, ...],
    weights: Mapping[str, Array],
    scaling: Mapping[str, Array],
    context: Panel | None,
) -> Trained:
    """Put the parts of a model together."""
    arrays = {**weights, **scaling}
    fitted = tuple(
        Fitted(kind, {name.partition("/")[2]: array for name, array in arrays.items() if name.startswith(f"{kind}/")})
        for kind in outline.kinds
    )
    return Trained(
        plan=outline.plan,
        read=outline.read,
        calendar=outline.calendar,
        ids=ids,
        fitted=fitted,
        weights=outline.weights,
        units=scaling[UNITS],
        calibration=Calibration(scaling[SHIFT], scaling[POOLED], outline.promised),
        context=context,
        source=outline.source,
    )


def _outline(trained: Trained) -> dict[str, Any]:
    """Return the document of plan.json."""
    pairs = zip(trained.fitted, trained.weights, strict=True)
    return {
        "format": 1,
        "plan": as_record(trained.plan),
        "read": as_record(trained.read),
        "calendar": as_record(trained.calendar),
        "series": len(trained.ids),
        "forecasters": [{"kind": one.kind, "weight": float(weight)} for one, weight in pairs],
        "calibration": {"promised": bool(trained.calibration.promised)},
        "source": trained.source,
    }


def _context_arrays(panel: Panel) -> dict[str, Array]:
    """Return the arrays of a panel by name; covariates that there are none of are (0, 0), in whichever way none."""
    arrays = {name: getattr(panel, name) for name in (*_CONTEXT_INTEGERS, *_CONTEXT_FLOATS)}
    return {name: array if array.size or array.ndim == 1 else np.empty((0, 0)) for name, array in arrays.items()}


def _check_plan(plan: Plan) -> None:
    """Refuse sizes that no plan has, before anything counts up to them. Raises ValueError."""
    steps = (plan.horizon, plan.window, plan.segment, plan.base, plan.lookback, *plan.seasons)
    if not plan.seasons or not 1 <= min(steps) <= max(steps) <= _MOST_STEPS:
        raise ValueError(f"has a number of steps outside 1 to {_MOST_STEPS}")
    if not 1 <= plan.layers <= _MOST_LAYERS or not 1 <= plan.units <= _MOST_UNITS:
        raise ValueError(f"has layers or units outside 1 to {_MOST_LAYERS} and 1 to {_MOST_UNITS}")
    if not 1 <= plan.members <= _MOST_PARTS or not 1 <= len(plan.quantiles) <= _MOST_PARTS:
        raise ValueError(f"has members or quantiles outside 1 to {_MOST_PARTS}")
    if not all(low < high for low, high in pairwise((0.0, *plan.quantiles, 1.0))):
        raise ValueError("has quantiles that do not rise from 0 to 1")


def _with_targets(read: Any) -> Any:
    """Return how the table is read with a list of targets: bundles of before several targets hold one name, or null."""
    target = read.get("target", []) if isinstance(read, dict) else []
    if isinstance(target, list):
        return read
    return read | {"target": [] if target is None else [target]}


def _each(ids: tuple[str, ...], times: int) -> tuple[str, ...]:
    """Return each id so many times, one after the other."""
    return tuple(name for name in ids for _ in range(times))


def _list(fields: dict[str, Any], key: str) -> list[Any]:
    if not isinstance(fields[key], list):
        raise ValueError(f"should have a list as {key!r}")
    found: list[Any] = fields[key]
    return found


def _is_per_series(name: str) -> bool:
    return name.partition("/")[2].startswith(PER_SERIES)


def _as_float32(name: str, array: Array) -> Array:
    """Return an array as it is stored: float32, or whole numbers; ValueError where that changes a value."""
    if array.dtype == np.int64:
        return array
    with np.errstate(over="ignore"):
        stored = array.astype(np.float32)
    if not np.array_equal(stored, array):
        raise ValueError(f"the array {name!r} holds a number that is no finite float32: round it when fitting")
    return stored


def _refuse_infinite(arrays: Mapping[str, Array]) -> None:
    for name, array in arrays.items():
        if np.isinf(array).any():
            raise ValueError(f"holds an infinite number in {name!r}")
