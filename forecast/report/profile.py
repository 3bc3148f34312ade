"""The profile of a table, as `checking.profile` makes it, as text for people and as the file profile.json."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forecast.panels.panel import Floats, Panel
from forecast.report.table import aligned, fitted

SHOWN = 20  # series in the table; of more, those that stand out most
LISTED = 10  # outliers, and level shifts, of the series in the table
BARS, WIDTH = "▁▂▃▄▅▆▇█", 24
HEADINGS = ("status", "start", "end", "steps", "missing", "gaps", "longest", "outliers", "shifts", "lowest", "highest")
FORMS = {  # of a time that is no date
    "step": "integer steps",
    "s": "seconds since 1970",
    "ms": "milliseconds since 1970",
    "us": "microseconds since 1970",
    "ns": "nanoseconds since 1970",
    "excel": "days of a spreadsheet",
}

Record = Mapping[str, Any]


def profile_json(profile: Record) -> bytes:
    """Return the profile as JSON: one series a line, so that tools for lines can find it."""
    head = json.dumps(
        {name: value for name, value in profile.items() if name != "series"}, indent=1, ensure_ascii=False
    )
    series = ",\n  ".join(json.dumps(one, ensure_ascii=False) for one in profile["series"])
    return f'{head[:-2]},\n "series": [\n  {series}\n ]\n}}\n'.encode("utf-8", "surrogateescape")


def profile_text(profile: Record, panel: Panel) -> str:
    """Return the profile as text: what was detected, what stands out, and the series that stand out most."""
    series = profile["series"]
    rows = _conspicuous(series)
    parts = [_detected(profile)]
    if profile["findings"]:
        parts.append(["Worth knowing, and what is done:", *(f"  {_found(one)}" for one in profile["findings"])])
    parts.append(_table(series, rows, panel).splitlines())
    if len(rows) < len(series):
        parts[-1].append(f"and {len(series) - len(rows):,} more series, which stand out less; -o profile.json has all.")
    shown = [series[row] for row in rows]
    parts += [lines for lines in (_gaps(shown), _outliers(shown), _shifts(shown)) if lines]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def sparkline(values: Floats) -> str:
    """Return the course of a series as one line of bars, a space where nothing is observed."""
    means = [part[np.isfinite(part)] for part in np.array_split(values, min(WIDTH, len(values)))]
    levels = np.array([part.mean() if len(part) else np.nan for part in means])
    low, high = np.fmin.reduce(levels), np.fmax.reduce(levels)
    if not high > low:
        return "".join(" " if np.isnan(level) else BARS[0] for level in levels)
    # Halved first: the difference of two numbers of the largest size is infinite.
    heights = (levels / 2 - low / 2) / (high / 2 - low / 2) * (len(BARS) - 1)
    return "".join(" " if np.isnan(height) else BARS[round(float(height))] for height in heights)


def _detected(profile: Record) -> list[str]:
    """Return how the table was read, in lines."""
    table, read, time, series = profile["table"], profile["read"], profile["time"], profile["series"]
    lines = [f"{table['path']}: {table['rows']:,} rows, {table['bytes']:,} bytes"]
    if read["delimiter"]:
        mark = "tab" if read["delimiter"] == "\t" else repr(read["delimiter"])
        lines.append(f"dialect: delimiter {mark}, decimal mark {read['decimal']!r}")
    # The notice on the delimiter would repeat the line above.
    lines += [notice for notice in profile["notices"] if not notice.startswith("delimiter:")]
    zone = f", zone {time['zone']}" if time["zone"] else ""
    form = FORMS.get(time["form"], f"written as {time['form']}")
    lines.append(f"time: {form}{zone}, from {table['first']} to {table['last']}")
    lines.append(f"seasons: {_seasons(profile)}")
    lines += [f"lengths: {_lengths([one['steps'] for one in series])}"] if len(series) > 1 else []
    if profile["plan"]:
        lines.append(f"training: horizon {profile['plan']['horizon']}, window {profile['plan']['window']} steps")
    return lines


def _lengths(steps: Sequence[int]) -> str:
    """Return how long the series are, in words."""
    shortest, longest, middle = min(steps), max(steps), sorted(steps)[(len(steps) - 1) // 2]
    if shortest == longest:
        return f"{longest:,} steps each"
    return f"{shortest:,} to {longest:,} steps, the median is {middle:,}"


def _seasons(profile: Record) -> str:
    """Return which seasons count, and why."""
    given, suggested, confirmed = (profile["seasons"][name] for name in ("given", "suggested", "confirmed"))
    if given:
        return f"{_and(given)} (given)"
    if confirmed is None:
        return f"{_and(suggested)} suggested by the frequency" if suggested else "none suggested by the frequency"
    others = [season for season in suggested if season not in confirmed]
    if confirmed:
        return f"{_and(confirmed)}, confirmed on the data" + (f"; {_and(others)} not confirmed" if others else "")
    return f"none; the data do not confirm {_and(others)}" if others else "none suggested by the frequency (--season)"


def _and(numbers: Sequence[int]) -> str:
    """Return numbers as part of a sentence."""
    return " and ".join(map(str, numbers))


def _found(finding: Record) -> str:
    """Return one finding as a line."""
    return f"{finding['what']}: {finding['done']}"


def _conspicuous(series: Sequence[Record]) -> list[int]:
    """Return the places of the series that stand out most, in the order of the table where all are shown."""
    if len(series) <= SHOWN:
        return list(range(len(series)))
    return sorted(range(len(series)), key=lambda place: _weight(series[place]), reverse=True)[:SHOWN]


def _weight(one: Record) -> tuple[bool, bool, int, int, float]:
    """Return what makes a series stand out, the gravest first."""
    return (
        one["status"] in ("skipped", "fallback"),
        one["constant"],
        one["level_shifts"] or 0,
        one["outliers"] or 0,
        one["missing"] / one["steps"],
    )


def _table(series: Sequence[Record], rows: Sequence[int], panel: Panel) -> str:
    """Return one line for each of these series."""
    lines = [["series", *HEADINGS, "history".ljust(WIDTH)]]
    for row in rows:
        one = series[row]
        status = "constant" if one["constant"] and one["status"] in ("ok", None) else one["status"] or "-"
        counts = [one["steps"], one["missing"], one["gaps"], one["longest_gap"], one["outliers"], one["level_shifts"]]
        cells = [status, one["start"], one["end"], *("-" if count is None else f"{count:,}" for count in counts)]
        cells += ["-" if one[name] is None else f"{one[name]:.4g}" for name in ("lowest", "highest")]
        lines.append([_name(one), *cells, sparkline(panel.values(row)).ljust(WIDTH)])
    return aligned(lines)


def _name(one: Record) -> str:
    """Return the id of a series, and its target where there are several, as it fits in a table."""
    return fitted(" ".join([one["id"], *([one["target"]] if "target" in one else [])]))


def _gaps(series: Sequence[Record]) -> list[str]:
    """Return the longest gap of each of these series, the longest of all first, in lines."""
    found = sorted((one for one in series if one["longest_gap"] > 1), key=lambda one: -one["longest_gap"])
    lines = [f"  {_name(one)}  from {one['longest_gap_from']} on: {one['longest_gap']:,} steps" for one in found]
    return _listed("Longest gaps:", lines)


def _outliers(series: Sequence[Record]) -> list[str]:
    """Return the largest outliers of these series, in lines."""
    lines = [
        f"  {_name(one)}  {far['time']}: {far['value']:g} where the values around are {far['expected']:g}"
        for one in series
        for far in one["largest_outliers"]
    ]
    return _listed("Values that stand out most:", lines)


def _shifts(series: Sequence[Record]) -> list[str]:
    """Return the largest level shifts of these series, in lines."""
    lines = [
        f"  {_name(one)}  {shift['time']}: from {shift['before']:g} to {shift['after']:g}"
        for one in series
        for shift in one["largest_level_shifts"]
    ]
    return _listed("Lasting changes of level:", lines)


def _listed(heading: str, lines: Sequence[str]) -> list[str]:
    """Return the first lines under a heading, and how many are left; nothing where there are none."""
    more = [f"  and {len(lines) - LISTED:,} more; -o profile.json has them"] if len(lines) > LISTED else []
    return [heading, *lines[:LISTED], *more] if lines else []
