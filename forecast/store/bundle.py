"""A trained model as files, and back: plan.json (outline.py), ids.json, and files of arrays: nothing is executed."""

from collections.abc import Callable, Mapping

import numpy as np

from forecast.evaluation.calibration import Calibration
from forecast.forecasters.fitted import Fitted, Kind
from forecast.panels.panel import Panel, one_channel
from forecast.plan import Plan
from forecast.store import records, tensors
from forecast.store.names import CONTEXT, IDS, PLAN, SCALING, WEIGHTS
from forecast.store.outline import Outline, document
from forecast.store.tensors import FLOAT32, FLOAT64, INT64, Array, Shape
from forecast.trained import Trained

Shapes = Callable[[Kind, Plan, int], Mapping[str, Shape]]  # of a forecaster's arrays: kind, plan, number of series

PER_SERIES = "series."  # what the names of per-series arrays begin with
UNITS, RANGES, LAST, SHIFT, POOLED = "units", "ranges", "last", "calibration/shift", "calibration/pooled"
SPARSE_SHIFT, SPARSE_POOLED = "calibration/sparse_shift", "calibration/sparse_pooled"
_CONTEXT_INTEGERS = ("starts", "begins", "lengths", "limits")  # (series,) each
_LONGEST_SPAN, _FARTHEST = 1 << 30, 1 << 60  # steps: what lies farther apart is in no memory, nor in 64 bits
_CONTEXT_FLOATS = ("target", "past", "future", "static")


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
    if trained.calibration.sparse is not None:
        scaling |= {SPARSE_SHIFT: trained.calibration.sparse.shift, SPARSE_POOLED: trained.calibration.sparse.pooled}
    if trained.ranges is not None:
        scaling[RANGES] = trained.ranges
    if trained.last is not None:
        scaling[LAST] = trained.last
    files = {
        PLAN: records.as_json(document(trained)),
        IDS: records.as_json(list(ids)),
        WEIGHTS: tensors.encode(weights),
        SCALING: tensors.encode(scaling),
    }
    if trained.context is not None:
        files[CONTEXT] = tensors.encode(_context_arrays(trained.context))
    return files


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
    if outline.ranges:
        scaling[RANGES] = (outline.series, 2)
    if outline.last:
        scaling[LAST] = (outline.series,)
    if outline.sparse:
        scaling |= {SPARSE_SHIFT: scaling[SHIFT], SPARSE_POOLED: scaling[POOLED]}
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
    whole = tuple(name for name in (POOLED, SPARSE_POOLED, LAST) if name in wanted)
    arrays = tensors.decode(data, wanted, (FLOAT64, INT64), whole)
    _refuse_infinite(arrays)
    for name in (SHIFT, SPARSE_SHIFT):
        if name in arrays and not np.isfinite(arrays[name]).all():
            raise ValueError(f"holds a number in {name!r} that is none")
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
    first, last = (int(pick(arrays["starts"])) if series else 0 for pick in (np.min, np.max))
    if last - first > _LONGEST_SPAN or max(-first, last) > _FARTHEST:
        raise ValueError(f"holds series that start at steps {first} to {last}")
    channel = np.arange(series) % len(plan.targets) if plan.targets else one_channel()
    return Panel(
        ids=ids,
        calendar=outline.calendar,
        targets=plan.targets,
        channel=channel,
        encodings=outline.encodings,
        **arrays,
    )


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
        sparse_weights=outline.sparse_weights,
        units=scaling[UNITS],
        calibration=Calibration(
            scaling[SHIFT], scaling[POOLED], outline.promised, _sparse(outline, scaling), outline.scale
        ),
        context=context,
        source=outline.source,
        encodings=outline.encodings,
        ranges=scaling.get(RANGES),
        last=scaling.get(LAST),
    )


def _sparse(outline: Outline, scaling: Mapping[str, Array]) -> Calibration | None:
    """Return the calibration of series that are mostly zero; None where they have none of their own."""
    return Calibration(scaling[SPARSE_SHIFT], scaling[SPARSE_POOLED], outline.promised) if outline.sparse else None


def _context_arrays(panel: Panel) -> dict[str, Array]:
    """Return the arrays of a panel by name; covariates that there are none of are (0, 0), in whichever way none."""
    arrays = {name: getattr(panel, name) for name in (*_CONTEXT_INTEGERS, *_CONTEXT_FLOATS)}
    return {name: array if array.size or array.ndim == 1 else np.empty((0, 0)) for name, array in arrays.items()}


def _each(ids: tuple[str, ...], times: int) -> tuple[str, ...]:
    """Return each id so many times, one after the other."""
    return tuple(name for name in ids for _ in range(times))


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
