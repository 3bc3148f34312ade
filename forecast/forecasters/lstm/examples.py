"""What a network learns from: the places of its windows in the flat panel, and what an error costs."""

from dataclasses import dataclass

import numpy as np

from forecast.panels import scaling
from forecast.panels.panel import Floats, Integers, Panel
from forecast.panels.units import seasonal_difference
from forecast.panels.windows import Columns, columns_of, origins_for_training
from forecast.plan import Plan

GAIN_LIMIT = 20.0  # times the median: one nearly constant series must not be all that counts


@dataclass(frozen=True, eq=False)
class Examples:
    """The windows a member learns from, as places in flat columns; one row per series."""

    columns: Columns  # float32, scaled
    begins: Integers
    limits: Integers  # flat index after the last stored row
    starts: Integers  # ordinal of the first step, counted from columns.first
    least: Integers  # steps before the first origin
    counts: Integers  # origins whose whole horizon is visible, so windows
    gains: Floats  # what an error of one scaled unit costs
    static: Floats  # (series, static covariates), standardised


def examples_of(
    panel: Panel, plan: Plan, scales: scaling.Scaling, covariates: tuple[Floats, Floats], static: Floats
) -> Examples:
    """Lay out the windows of the visible steps; covariates and static are standardised, NaN where missing."""
    least, counts = origins_for_training(panel, plan)
    values = np.full(len(panel.target), np.nan)
    for first in range(0, len(panel), 4096):  # in blocks, so that a panel of 10 million values needs little beside it
        block = slice(first, first + 4096)
        stored = panel.limits[block] - panel.begins[block]
        index = np.repeat(panel.begins[block] - np.cumsum(stored) + stored, stored) + np.arange(stored.sum())
        own = scaling.rows(scales, np.repeat(np.arange(first, first + len(stored)), stored))
        values[index] = scaling.apply(own, panel.target[index])
    columns = columns_of(panel, plan, values, covariates, "float32")
    return Examples(
        columns=columns,
        begins=panel.begins,
        limits=panel.limits,
        starts=panel.starts - columns.first,
        least=least,
        counts=counts,
        gains=_gains(panel, plan, scales),
        static=static,
    )


def _gains(panel: Panel, plan: Plan, scales: scaling.Scaling) -> Floats:
    """Return the cost of an error of one scaled unit: (series,), 1 in the median series.

    Errors are counted in the units they are scored in: half as a share of the series' mean absolute seasonal
    difference, as in MASE, half as a share of its level, as in sMAPE; where values may be 0 or below, the first alone.
    """
    level = np.array([np.nanmean(np.abs(panel.values(series))) for series in range(len(panel))])
    slope = {"log": scales.spread * level, "power": 1.0}.get(scales.transform, scales.spread)  # target units per scaled
    gains = slope / seasonal_difference(panel, plan.season)
    gains = gains / np.median(gains)
    if np.nanmin(panel.target) > 0:
        relative = slope / level
        gains = (gains + relative / np.median(relative)) / 2
    limited: Floats = np.minimum(gains / np.median(gains), GAIN_LIMIT)
    return limited
