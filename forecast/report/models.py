"""Stored models as text for people, from the same plain values that --json prints."""

from collections.abc import Mapping, Sequence
from typing import Any

from forecast.report.table import aligned
from forecast.report.verdict import TITLES

Record = Mapping[str, Any]

NONE = "-"


def models_text(models: Sequence[Record]) -> str:
    """Return the models of a store, one line each, and below them what is wrong with any."""
    rows = [["model", "current version", "versions", "series", "horizon", "frequency", "skill", "size"]]
    rows += [[one["name"], one["version"] or NONE, str(one["versions"]), *_plan_cells(one)] for one in models]
    return _printable([*aligned(rows).splitlines(), *_problems(models, "name")])


def versions_text(versions: Sequence[Record]) -> str:
    """Return the versions of a model, oldest first, one line each, and below them what is wrong with any."""
    rows = [["version", "", "series", "horizon", "frequency", "skill", "size", "data until"]]
    rows += [[one["version"], one["role"] or "", *_plan_cells(one), str(one["last"] or NONE)] for one in versions]
    return _printable([*aligned(rows).splitlines(), *_problems(versions, "version")])


def model_text(model: Record) -> str:
    """Return one version in full: where it is, what it was trained on, what it is made of."""
    plan, source, role = model["plan"], model["source"], model["role"]
    lines = [f"{model['model']}{f' ({role})' if role else ''}", ""]
    tools = ", ".join(f"{name} {version}" for name, version in model["tools"].items())
    rows = [
        ("folder", model["path"]),
        ("sha256", f"{model['sha256']} (of the manifest)"),
        ("published", f"{model['published'] or NONE} with {tools or 'unknown tools'}"),
        ("trained on", _source(source)),
        ("series", f"{model['series']:,}{_targets(plan)}, frequency {model['frequency']}, {_seasons(plan)}"),
        ("forecasts", f"{_steps(plan['horizon'])} ahead, from a window of {_steps(plan['window'])}"),
        ("covariates", _covariates(plan)),
        ("mix", ", ".join(_part(one, plan) for one in model["forecasters"])),
        ("skill", _measured(model["skill"])),
        ("context", "stored: predict needs no table" if model["context"] else "none: predict needs a table"),
        ("size", f"{_size(model['bytes'])} in {len(model['files'])} files: {', '.join(sorted(model['files']))}"),
    ]
    width = max(len(name) for name, _ in rows)
    return _printable([*lines, *(f"{name.ljust(width)}  {value}" for name, value in rows)])


def verified_text(versions: Sequence[Record]) -> str:
    """Return what checking versions has found, one line each."""
    return _printable([f"{one['model']}: {_verified(one)}" for one in versions])


def _printable(lines: Sequence[str]) -> str:
    """Return lines as text; what a terminal would obey, which names in a bundle may hold, is written as escapes."""
    shown = ("".join(one if one.isprintable() else ascii(one)[1:-1] for one in line) for line in lines)
    return "".join(f"{line}\n" for line in shown)


def _verified(one: Record) -> str:
    if one["problem"]:
        return f"damaged: {one['problem']}"
    files = f"{one['files']} files are those of the manifest"
    if not one["replayed"]:
        return f"whole: {files}; it holds no golden forecast to replay"
    return f"whole: {files}; it forecasts {one['replayed']} series as when it was made"


def _plan_cells(one: Record) -> list[str]:
    """Return the cells that every line of a version has."""
    known = [NONE if one[key] is None else str(one[key]) for key in ("series", "horizon", "frequency")]
    return [*known, _skill(one["skill"]), _size(one["bytes"]) if one["bytes"] else NONE]


def _problems(found: Sequence[Record], key: str) -> list[str]:
    """Return what is wrong, after an empty line; nothing where nothing is."""
    lines = [f"{one[key]}: {one['problem']}" for one in found if one["problem"]]
    return ["", *lines] if lines else []


def _source(source: Record) -> str:
    """Return the table that a model was trained on, as far as it is known."""
    parts = [f"{source['rows']:,} rows" if isinstance(source.get("rows"), int) else ""]
    parts += [f"{source['first']} to {source['last']}" if source.get("first") and source.get("last") else ""]
    parts += [f"sha256 {source['sha256']}" if source.get("sha256") else ""]
    told = ", ".join(part for part in parts if part)
    return f"{source.get('path') or 'a panel made in Python'}{f': {told}' if told else ''}"


def _targets(plan: Record) -> str:
    return f" (each of {', '.join(plan['targets'])})" if plan["targets"] else ""


def _seasons(plan: Record) -> str:
    seasons = [str(one) for one in plan["seasons"]]
    return f"season{'s' if len(seasons) > 1 else ''} of {' and '.join(seasons)}"


def _covariates(plan: Record) -> str:
    named = [f"{role}: {', '.join(plan[role])}" for role in ("past", "future", "static") if plan[role]]
    return "; ".join(named) or "none"


def _part(one: Record, plan: Record) -> str:
    title = TITLES.get(one["kind"], str(plan["cell"]).upper())
    return f"{title} {100 * one['weight']:.0f} %"


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count:,} steps"


def _skill(value: float | None) -> str:
    return NONE if value is None else f"{round(100 * value) + 0:+d} %"


def _measured(skill: float | None) -> str:
    return (
        "not measured" if skill is None else f"{_skill(skill)} against seasonal naive, on rows that training never saw"
    )


def _size(count: int) -> str:
    """Return a number of bytes as a person reads it."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
