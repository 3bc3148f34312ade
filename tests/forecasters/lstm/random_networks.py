"""Random panels and networks that nobody trained, for tests; without Keras."""

from dataclasses import replace

import numpy as np

from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm import network
from forecast.panels.panel import Panel, panel_of
from forecast.plan import Plan

QUANTILES = (0.1, 0.5, 0.9)


def random_panel(seed, series=5, past=0, future=0, static=0, missing=0.1):
    rng = np.random.default_rng(seed)
    values = {}
    for number in range(series):
        length = int(rng.integers(3, 90))
        steps = np.arange(length)
        one = 10.0 ** rng.integers(0, 5) * (2 + np.sin(steps / 4) + 0.3 * rng.normal(size=length))
        one[rng.random(length) < missing] = np.nan
        one[0] = 5.0
        values[f"s{number}"] = one
    panel = panel_of(values)
    total = len(panel.target)
    return replace(
        panel,
        past=rng.normal(3, 2, (past, total)),
        future=rng.normal(-1, 5, (future, total)),
        static=rng.normal(0, 2, (series, static)) if static else panel.static,
    )


def random_fitted(panel: Panel, plan: Plan, seed: int) -> Fitted:
    """Weights and scalings of a network that nobody trained, in the layout of the bundle."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, shape in network.shapes(plan, len(panel)).items():
        if name.endswith((".centre", ".power")):
            arrays[name] = rng.normal(0, 1, shape) if name.endswith(".centre") else np.ones(shape)
        elif name.startswith("series.smoothing."):
            flag, most = name.endswith((".season", ".log")), {"alpha": 0.5, "phi": 0.98}.get(name.split(".")[-1], 0.05)
            arrays[name] = rng.integers(0, 2, shape) if flag else rng.uniform(0, most, shape)
        elif name.endswith(".spread"):
            arrays[name] = rng.uniform(0.5, 3, shape)
        elif name.endswith("head.kernel"):  # a tenth: exp of a wild output leaves float32 no digits to agree on
            arrays[name] = rng.normal(0, 0.1 * shape[0] ** -0.5, shape).astype(np.float32).astype(float)
        else:
            arrays[name] = rng.normal(0, 0.5 * shape[-1] ** -0.5, shape).astype(np.float32).astype(float)
    for series in range(len(panel)):
        shown = panel.values(series)
        for transform in plan.transforms:
            logs = np.log(shown) if transform == "log" else shown
            arrays[f"series.{transform}.centre"][series] = np.nanmean(logs)
            arrays[f"series.{transform}.spread"][series] = max(np.nanstd(logs), 1e-3)
    return Fitted(Kind.NETWORK, arrays)


PLAN = Plan(
    horizon=12,
    window=24,
    segment=6,
    seasons=(6, 12),
    base=6,
    lookback=60,
    units=16,
    layers=2,
    transforms=("standard", "log"),
    quantiles=QUANTILES,
)
