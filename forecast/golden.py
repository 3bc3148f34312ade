"""The golden forecast: what a model forecast when it was made, carried in its bundle, and replayed to compare."""

import json
from itertools import islice
from typing import Any

import numpy as np

from forecast import store
from forecast.errors import BundleError, ForecastError
from forecast.panels.panel import Floats, Panel
from forecast.prediction import predict
from forecast.store import records
from forecast.trained import Trained

GOLDEN = "golden.json"
SERIES = 3  # whose forecast a bundle carries as a proof
TOLERANCE = 1e-5  # of the unit of error of a series: libraries differ between processors in the last digits
ROUNDING = 1e-9  # of the value: a unit may be as small beside it

Quantiles = tuple[tuple[tuple[float, ...], ...], ...]


def golden_forecast(trained: Trained) -> bytes:
    """Return the proof that a bundle carries: the forecast of its first series from the stored context."""
    assert trained.context is not None
    # A series without any value has no forecast, and NaN is no JSON.
    seen = (row for row in range(len(trained.ids)) if np.isfinite(trained.context.values(row)).any())
    some = trained.context.select(list(islice(seen, SERIES)))
    forecasts = predict(trained, some, assume_future=True)
    document = {
        "ids": list(some.ids),
        **({"targets": list(forecasts.targets)} if forecasts.targets else {}),
        "quantiles": forecasts.quantiles.tolist(),
        "probabilities": list(forecasts.probabilities),
    }
    return json.dumps(document).encode()


def verify(loaded: store.Loaded) -> int:
    """Check every file of a loaded version, and replay its golden forecast; return of how many series that is.

    0 where the version holds no golden forecast, or no rows to make one from. Raises BundleError naming the file and
    what is wrong with it: also where the forecast is another than it was, by more than 1e-5 of the scale of its series.
    """
    store.verify(loaded)
    context = loaded.trained.context
    if GOLDEN not in loaded.manifest.files or context is None:
        return 0
    try:
        fields = records.take(
            records.parse(store.read_file(loaded, GOLDEN)),
            ("ids", "quantiles", "probabilities"),
            "the document",
            {"targets": []},
        )
        rows = _rows(fields, context)
        expected = _quantiles(fields, len(rows), loaded.trained)
    except ValueError as error:
        raise store.damaged(loaded.path / GOLDEN, str(error)) from None
    try:
        found = predict(loaded.trained, context.select(rows), assume_future=True).quantiles
    except ForecastError as error:
        raise BundleError(f"{loaded.path / GOLDEN} cannot be replayed: {error.message}\n{store.MEND}") from None
    _compare(loaded, rows, expected, found)
    return len(rows)


def _rows(fields: dict[str, Any], context: Panel) -> list[int]:
    """Return the rows of the context that the golden forecast is of; ValueError where they are not there."""
    ids: tuple[str, ...] = records.typed(tuple[str, ...], fields["ids"], "ids")
    targets: tuple[str, ...] = records.typed(tuple[str, ...], fields["targets"], "targets")
    named = targets or ("",) * len(ids)
    places = {
        pair: row
        for row, pair in enumerate(zip(context.ids, context.target_names or ("",) * len(context.ids), strict=True))
    }
    if len(named) != len(ids) or not set(zip(ids, named, strict=True)) <= places.keys():
        raise ValueError("is the forecast of series that the model does not have")
    return [places[key] for key in zip(ids, named, strict=True)]


def _quantiles(fields: dict[str, Any], series: int, trained: Trained) -> Floats:
    """Return the quantiles: (series, horizon, probabilities); ValueError where they are of another shape."""
    if records.typed(tuple[float, ...], fields["probabilities"], "probabilities") != trained.plan.quantiles:
        raise ValueError("has other quantiles than the plan")
    nested: Quantiles = records.typed(Quantiles, fields["quantiles"], "quantiles")
    shape = (series, trained.plan.horizon, len(trained.plan.quantiles))
    if len(nested) != series or any(len(steps) != shape[1] or {*map(len, steps)} != {shape[2]} for steps in nested):
        raise ValueError(f"should hold {shape[0]} x {shape[1]} x {shape[2]} quantiles")
    return np.array(nested, dtype=np.float64).reshape(shape)


def _compare(loaded: store.Loaded, rows: list[int], expected: Floats, found: Floats) -> None:
    """Raise BundleError where two forecasts (series, horizon, quantiles) differ by more than is allowed."""
    allowed = TOLERANCE * loaded.trained.units[rows][:, None, None] + ROUNDING * np.abs(expected)
    # Asked this way round, a forecast that is no number is none that agrees.
    wrong = np.argwhere(~(np.abs(found - expected) <= allowed))
    if not len(wrong):
        return
    series, step, quantile = wrong[0]
    before, now = (f"{values[series, step, quantile]:.10g}" for values in (expected, found))
    tools = ", ".join(f"{name} {version}" for name, version in loaded.manifest.tools.items() if name == "numpy")
    raise BundleError(
        f"{loaded.path / GOLDEN}: the model forecasts {now} for {loaded.trained.ids[rows[series]]!r}, step {step + 1}, "
        f"quantile {loaded.trained.plan.quantiles[quantile]:g}, and forecast {before} when it was made.\n"
        f"Its files are whole, so this machine computes otherwise: use the packages that it was made with ({tools}), "
        "or train again."
    )
