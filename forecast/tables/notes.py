"""What reading found out, one line each, for people."""

from collections.abc import Sequence

import numpy as np

from forecast.options import ReadOptions
from forecast.panels.encoding import Encoding, Role, columns_by_covariate
from forecast.panels.panel import Panel
from forecast.tables.columns import Roles
from forecast.tables.phrases import listed

EXACT = 2.0**53  # from here on a float64 skips whole numbers, and 2^53 + 1 is read as 2^53


def note_roles(roles: Roles, options: ReadOptions, model: bool) -> list[str]:
    """Say which column plays which role, and which play none; what could be done with those, unless a model says it."""
    parts = [f"id {listed(roles.id)}"] if roles.id else []
    parts.append(f"time {listed(roles.time)}" if roles.time else "time: rows in the order of the file")
    kind = f"{len(roles.targets):,} series" if options.wide else f"target{'s' if len(roles.targets) > 1 else ''}"
    parts.append(f"{kind} {listed(roles.targets)}")
    covariates = {"past": roles.past, "future": roles.future, "static": roles.static}
    parts += [f"{role} {listed(names)}" for role, names in covariates.items() if names]
    end = "" if model else " (--past, --future and --static make covariates of them)"
    unused = [f"columns not used: {listed(roles.unused)}{end}"] if roles.unused else []
    return [f"columns: {', '.join(parts)}", *unused]


def note_numbers(panel: Panel) -> list[str]:
    """Say how many values are too large to be exact."""
    large = int((np.abs(panel.target) >= EXACT).sum())
    values = "1 target value is" if large == 1 else f"{large:,} target values are"
    return [f"{values} at or above 2^53: only the first 15 digits count"] if large else []


def note_covariates(panel: Panel, roles: Roles) -> list[str]:
    """Say how many values of covariates are missing in the history."""
    if not len(panel.past) and not len(panel.future):
        return []
    seen = np.zeros(len(panel.target), dtype=bool)
    for begin, end in zip(panel.begins, panel.ends, strict=True):
        seen[begin:end] = True
    notes = []
    for role, columns in ((Role.PAST, panel.past), (Role.FUTURE, panel.future)):
        names = roles.covariates[role]
        for name, own in zip(names, columns_by_covariate(role, len(names), panel.encodings), strict=True):
            missing = int(np.isnan(columns[own.start][seen]).sum())  # all columns of a covariate are missing together
            if missing:
                notes.append(f"covariate {name!r}: {missing:,} of {int(seen.sum()):,} steps have no value")
    return notes


def note_encodings(roles: Roles, encodings: Sequence[Encoding]) -> list[str]:
    """Say how covariates that are no numbers are read."""
    notes = []
    for one in encodings:
        parts = [f"an indicator each for {listed(one.values, 5)}"] if one.values else []
        parts += ["one for all rarer values (other)"] * one.other + ["one for cells without a value"] * one.missing
        kind = "truth values, 1 for true" if one.boolean else f"text, {', '.join(parts)}"
        notes.append(f"covariate {roles.covariates[one.role][one.place]!r}: {kind}")
    return notes


def note_panel(panel: Panel, options: ReadOptions) -> list[str]:
    """Say how the time axis was understood."""
    origin = "given" if options.freq is not None else "found"
    zone = f", zone {panel.calendar.zone_name}" if panel.calendar.zone_name else ""
    steps, count = int(panel.lengths.sum()), len(panel.targets)
    each = f" ({count} targets of each of {len(panel) // count:,} ids)" if count and len(panel) > count else ""
    notes = [f"frequency: {panel.calendar.freq} ({origin}){zone}; series: {len(panel):,}{each}; steps: {steps:,}"]
    ahead = int((panel.limits - panel.ends).sum())
    if ahead:
        notes.append(f"{ahead:,} steps after the last observed target carry covariates of the steps to forecast")
    return notes
