"""Several targets in one panel: what the forecasters of a series are shown of the other targets of its id."""

from dataclasses import replace

import numpy as np

from forecast.errors import DataError
from forecast.panels import scaling
from forecast.panels.panel import Floats, Panel
from forecast.panels.scaling import Scaling
from forecast.plan import Plan

TRANSFORM = "standard"  # the scaling in which forecasters see other targets


def with_targets(plan: Plan, panel: Panel) -> Plan:
    """Return a plan for the targets of a panel; where there is one target the plan stays as it is.

    Raises DataError unless the panel has every target of each id,
    in the order of the targets, as a model is stored.
    """
    count = len(panel.targets)
    if not count:
        return plan
    whole = np.array_equal(panel.channel, np.arange(len(panel)) % count) and not len(panel) % count
    if not whole or any(panel.ids[row] != panel.ids[row - row % count] for row in range(len(panel))):
        names = ", ".join(map(repr, panel.targets))
        raise DataError(
            f"the panel does not hold the targets {names} of each id, one after the other.\n"
            "Train on the panel as it was read."
        )
    return replace(plan, targets=panel.targets)


def with_mixed_targets(plan: Plan) -> Plan:
    """Return a plan of several targets whose forecasters see the others of the same id, as past covariates."""
    return replace(plan, mixed_targets=True, past=(*plan.past, *(f"target:{name}" for name in plan.targets)))


def with_other_targets(panel: Panel, scales: Scaling | None) -> Panel:
    """Return a panel as read with the other targets of each id as past covariates, each in its own scale.

    scales: of the panel's series; None, and so the panel as it is, where the plan does not mix targets. A target that
    the panel does not have beside a series is missing.
    """
    if scales is None:
        return panel
    others = _others(panel, scales)
    return replace(panel, past=np.concatenate([panel.past, others]) if len(panel.past) else others)


def _others(panel: Panel, scales: Scaling) -> Floats:
    """Return the scaled values of each target of the same id at the same time: (targets, steps), NaN for a series' own.

    Series of one id belong together where they begin and end at the same time, so that a panel cut at several origins
    finds those of the same origin.
    """
    columns = np.full((len(panel.targets), len(panel.target)), np.nan)
    keys = list(zip(panel.ids, panel.starts.tolist(), panel.last.tolist(), strict=True))
    together: dict[tuple[str, int, int], dict[int, int]] = {}
    for series, (key, channel) in enumerate(zip(keys, panel.channel.tolist(), strict=True)):
        together.setdefault(key, {})[channel] = series
    for channels in together.values():
        for channel, series in channels.items():
            values = panel.target[panel.begins[series] : panel.limits[series]]
            scaled = scaling.apply(scaling.rows(scales, np.array([series])), values[None])[0]
            for other in channels.values():
                if other != series:
                    begin, end = panel.begins[other], min(panel.limits[other], panel.begins[other] + len(scaled))
                    columns[channel, begin:end] = scaled[: end - begin]
    return columns
