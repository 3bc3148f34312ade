"""What a network learns from: the places of its windows in the flat panel, and what an error costs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.forecasters.lstm import smoothed
from forecast.panels import scaling
from forecast.panels.blocks import blocks
from forecast.panels.panel import Floats, Integers, Panel
from forecast.panels.units import seasonal_difference
from forecast.panels.windows import Columns, columns_of, drawn_origins, origins_for_training
from forecast.plan import Plan

CELLS = 250_000  # values that are scaled at once
MOST = 2**19  # windows to learn from: a training of 2,000 steps draws so many
MOST_SHOWN = 2**25  # numbers of exponential smoothing beside them: 128 MB
VALIDATION_ROWS = 4096  # origins, about, that are looked at to stop training
GAIN_LIMIT = 20.0  # times the median: one nearly constant series must not be all that counts


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of the series of a panel: which one ends where, and what exponential smoothing says there."""

    series: Integers  # (windows,)
    lengths: Integers  # (windows,) steps before the origin
    smoothing: NDArray[np.float32]  # (windows, padded horizon), scaled; (windows, 0) where the plan does not show it


@dataclass(frozen=True, eq=False)
class Examples:
    """The windows a member learns from, and the flat columns they are places in; one row per series where not said."""

    windows: Windows
    columns: Columns  # float32, scaled
    begins: Integers
    limits: Integers  # flat index after the last stored row
    starts: Integers  # ordinal of the first step, counted from columns.first
    gains: Floats  # what an error of one scaled unit costs
    static: Floats  # (series, static covariates), standardised


def examples_of(
    panel: Panel,
    plan: Plan,
    scales: scaling.Scaling,
    covariates: tuple[Floats, Floats],
    static: Floats,
    arrays: Mapping[str, Floats],
) -> Examples:
    """Lay out the windows of the visible steps; covariates and static are standardised, NaN where missing.

    arrays: of the exponential smoothing that the plan may show, see `smoothed.fit`.
    """
    windows = windows_at(panel, plan, scales, arrays, *_origins(panel, plan))
    columns = columns_of(panel, plan, _scaled(panel, scales), covariates, "float32")
    return Examples(
        windows=windows,
        columns=columns,
        begins=panel.begins,
        limits=panel.limits,
        starts=panel.starts - columns.first,
        gains=_gains(panel, plan, scales),
        static=static,
    )


def windows_at(
    panel: Panel, plan: Plan, scales: scaling.Scaling, arrays: Mapping[str, Floats], series: Integers, lengths: Integers
) -> Windows:
    """Return the windows that end so many steps, (windows,), after the begin of these series, (windows,)."""
    width = plan.output_segments * plan.segment if plan.smoothing else 0
    found = np.empty((len(series), width), np.float32)
    step = max(1, CELLS // max(width, 1))
    for first in range(0, len(series) if width else 0, step):
        part = slice(first, first + step)
        forecasts = smoothed.forecasts(arrays, panel.select(series[part], lengths[part]), series[part], plan)
        found[part] = np.nan_to_num(scaling.apply(scaling.rows(scales, series[part]), forecasts))
    return Windows(series, lengths, found)


def thinned(series: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    """Return about VALIDATION_ROWS of these origins (rows,), evenly: series by series, all origins of each.

    The stride shares no factor with the number of origins: otherwise only some of them would ever be looked at.
    """
    origins = int(np.bincount(series).max())
    every = max(1, -(-len(series) // VALIDATION_ROWS))
    while math.gcd(every, origins) > 1:
        every += 1
    return series[::every], lengths[::every]


def _origins(panel: Panel, plan: Plan) -> tuple[Integers, Integers]:
    """Return series and steps before the origin, (windows,) each, of all windows to learn from, or of MOST of them."""
    least, counts = origins_for_training(panel, plan)
    most = min(MOST, MOST_SHOWN // (plan.output_segments * plan.segment)) if plan.smoothing else MOST
    return drawn_origins(least, counts, most)


def _scaled(panel: Panel, scales: scaling.Scaling) -> NDArray[np.float32]:
    """Return the stored target of every series in its own scale: (steps,), NaN where missing.

    In blocks, and in float32 from the start, so that a panel of 10 million values needs half its size beside it.
    """
    scaled = np.full(len(panel.target), np.nan, np.float32)
    stored = panel.select(np.arange(len(panel)), panel.limits - panel.begins)
    for rows, values in blocks(stored, cells=CELLS):
        width = values.shape[1]
        inside = np.arange(width) >= width - stored.lengths[rows, None]
        index = stored.ends[rows, None] + np.arange(-width, 0)
        scaled[index[inside]] = scaling.apply(scaling.rows(scales, rows), values)[inside]
    return scaled


def _gains(panel: Panel, plan: Plan, scales: scaling.Scaling) -> Floats:
    """Return the cost of an error of one scaled unit: (series,), 1 in the median series.

    Errors are counted in the units they are scored in: half as a share of the series' mean absolute seasonal
    difference, as in MASE, half as a share of its level, as in sMAPE; where values may be 0 or below, the first alone.
    """
    level, positive = np.ones(len(panel)), True
    for rows, values in blocks(panel):  # visible values: those ahead may be held back
        seen = np.isfinite(values)
        count, size = seen.sum(axis=1), np.where(seen, np.abs(values), 0.0).sum(axis=1)
        # A series without any value has no window that counts; its gain must only not be NaN.
        level[rows] = np.where(count > 0, size / np.maximum(count, 1), 1.0)
        positive = positive and not (values <= 0).any()
    slopes = {"log": scales.spread * level, "power": np.ones(len(panel))}
    slope = slopes.get(scales.transform, scales.spread)  # target units per scaled one
    gains = slope / seasonal_difference(panel, plan.season)
    gains = gains / np.median(gains)
    if positive:
        relative = slope / level
        gains = (gains + relative / np.median(relative)) / 2
    limited: Floats = np.minimum(gains / np.median(gains), GAIN_LIMIT)
    return limited
