"""Which column plays which role: by option, by name, or because no other one could."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from forecast.errors import DataError, ForecastError, MismatchError, UsageError
from forecast.options import ReadOptions
from forecast.panels.encoding import TRUTH, Encoding, Role
from forecast.tables.header import YEAR
from forecast.tables.numerals import is_number
from forecast.tables.phrases import MOST_NAMES, how_to_name, is_uncut, listed, short, typed
from forecast.tables.table import Table
from forecast.tables.targets import find_target, holds_text, is_numeric, wide_targets
from forecast.tables.timeparts import name_parts
from forecast.tables.times import kind_of

ID_NAMES = ("unique_id", "series_id", "item_id", "id")
TIME_NAMES = ("ds", "timestamp", "date", "datetime", "date_time", "time", "month")
NO_TIME = ("none",)
NO_ID = ("none",)


@dataclass(frozen=True)
class Roles:
    """The columns of a table by role."""

    id: tuple[str, ...]
    time: tuple[str, ...]  # empty: rows are steps
    targets: tuple[str, ...]
    past: tuple[str, ...]
    future: tuple[str, ...]
    static: tuple[str, ...]
    texts: tuple[str, ...] = ()  # the covariates that hold text or truth values
    unused: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns that must hold numbers."""
        return tuple(name for name in (*self.targets, *self.past, *self.future, *self.static) if name not in self.texts)

    @property
    def covariates(self) -> dict[Role, tuple[str, ...]]:
        """The covariates of each role."""
        return {Role.PAST: self.past, Role.FUTURE: self.future, Role.STATIC: self.static}

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that must be unique together."""
        return (*self.id, *self.time)


def settle_columns(
    table: Table, options: ReadOptions, model: bool = False, encodings: Sequence[Encoding] = ()
) -> Roles:
    """Give every column its role.

    encodings: of a model, which settle what its covariates hold. Raises DataError (MismatchError where a model says
    what the columns are called) for a column that is absent, and for a target or time column that is ambiguous or
    cannot be found; UsageError for roles that exclude each other.
    """
    if options.wide and options.target:
        raise UsageError(
            "--wide makes every numeric column a target, so --target cannot name one.\nLeave one of them out."
        )
    named = {
        "--id": () if options.id == NO_ID else options.id,
        "--time": () if options.time == NO_TIME else options.time,
        "--target": options.target,
        "--past": options.past,
        "--future": options.future,
        "--static": options.static,
    }
    _refuse_twice(named)
    _refuse_absent(table, named, model)
    ids = named["--id"] or (() if options.wide or options.id == NO_ID else _first_of(table.names, ID_NAMES))
    taken = {*ids, *(name for names in named.values() for name in names)}
    time = named["--time"]
    if not options.time:
        time = (_find_time(table, [name for name in table.names if name not in taken]),)
        taken |= set(time)
    rest = [name for name in table.names if name not in taken]
    targets = wide_targets(table, rest) if options.wide else named["--target"]
    targets = targets or (find_target(table, rest, model),)
    unused = tuple(name for name in table.names if name not in taken and name not in targets)
    roles = Roles(ids, time, targets, options.past, options.future, options.static, (), unused)
    if not model:
        named_covariates = [name for names in roles.covariates.values() for name in names]
        return replace(roles, texts=tuple(name for name in named_covariates if holds_text(table, name)))
    for one in encodings:
        if one.place >= len(roles.covariates[one.role]):
            raise MismatchError(
                f"{table.path}: the model was trained with more --{one.role} columns than were named: number "
                f"{one.place + 1} held text.\nName one column for each, in the order of training."
            )
    roles = replace(roles, texts=tuple(roles.covariates[one.role][one.place] for one in encodings))
    _refuse_other_steps(table, roles, options)
    refuse_retyped(table, roles, encodings)
    return roles


def refuse_missing(table: Table, names: Sequence[str], model: bool) -> None:
    """Refuse a --future-data table without the columns it needs."""
    absent = [name for name in names if name not in table.names]
    if absent:
        kind: type[ForecastError] = MismatchError if model else DataError
        raise kind(
            f"{table.path}: there is no column {absent[0]!r}; the columns are {listed(table.names)}.\n"
            f"A --future-data table needs {listed(names)}."
        )


def _refuse_twice(named: dict[str, tuple[str, ...]]) -> None:
    """Refuse a column in two roles."""
    seen: dict[str, str] = {}
    for option, names in named.items():
        for name in names:
            if seen.get(name) == option:
                raise UsageError(f"column {name!r} is named twice by {option}.\nLeave one of them out.")
            if name in seen:
                raise UsageError(f"column {name!r} is named by {seen[name]} and by {option}.\nLeave one of them out.")
            seen[name] = option


def _refuse_absent(table: Table, named: dict[str, tuple[str, ...]], model: bool) -> None:
    """Refuse roles of columns that the table does not have."""
    absent = {name: option for option, names in named.items() for name in names if name not in table.names}
    if not absent:
        return
    name, option = next(iter(absent.items()))
    if model:
        known = {name for names in named.values() for name in names}
        options = ", ".join(dict.fromkeys(absent.values()))
        mend = f"Rename the columns, say which ones they are with {options}, or train again."
        if is_uncut(table):
            mend = "Say with --delimiter what separates columns, or train again."
        raise MismatchError(
            f"{table.path}: the model was trained with columns that are missing: {listed(list(absent))}; "
            f"columns it does not know: {listed([column for column in table.names if column not in known])}.\n"
            f"{mend}"
        )
    from difflib import get_close_matches

    lower = [column for column in table.names if column.lower() == name.lower()]
    close = lower or get_close_matches(name, table.names, n=1, cutoff=0.5)
    mend = f"Did you mean {close[0]!r}?" if close else f"Name one of the columns with {option}."
    found = listed(table.names)
    raise DataError(f"{table.path}: there is no column {name!r} ({option}); the columns are {found}.\n{mend}")


def _first_of(names: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the first wanted name that there is, or nothing."""
    return next(((name,) for name in wanted if name in names), ())


def _find_time(table: Table, free: list[str]) -> str:
    """Return the time column: one of the usual names, else the only column that reads as dates."""
    kinds = {name: kind_of(table.sample(name)) for name in free}
    usual = [name for wanted in TIME_NAMES for name in free if name.lower() == wanted]
    # Beside a real date, a column `month` of 1 to 12 or `time` of hours is a feature.
    found = [name for name in usual if kinds[name] in ("date", "ambiguous")]
    found = found or [name for name in usual if kinds[name] == "step" and name.lower() != "month"]
    found = found or [name for name in free if kinds[name] in ("date", "ambiguous")]
    # A column of the right name that cannot be read is refused with its line, by whoever reads it.
    found = found or [
        name for name in usual if name.lower() not in ("month", "time") or not is_numeric(table, name, empty=True)
    ]
    if len(found) > 1:
        dates = [name for name in free if name in found or kinds[name] in ("date", "ambiguous")]
        shown = [f"{short(name)} ({', '.join(map(short, table.sample(name)[:1]))})" for name in dates[:MOST_NAMES]]
        raise DataError(f"{table.path}: several columns could be the time: {', '.join(shown)}.\nName one with --time.")
    if not found:
        _refuse_times_as_names(table)
        raise DataError(
            f"{table.path}: no column reads as time; the columns are {listed(table.names)}.\n"
            f"{_how_to_name_the_time(table, free)}, or say with --time none that rows are steps in the order of the "
            "file."
        )
    return found[0]


def _refuse_times_as_names(table: Table) -> None:
    """Refuse a table whose header holds times: each row is a series, or a country."""
    times = [name for name in table.names if YEAR.fullmatch(name) or kind_of([name]) in ("date", "ambiguous")]
    if len(times) > 2:
        raise DataError(
            f"{table.path}: times stand side by side in the header: {listed(times, 3)}.\n"
            "Write a row for each time: with a column for each series, or with columns for series, time and value."
        )


def _how_to_name_the_time(table: Table, free: Sequence[str]) -> str:
    """Return how the time column can be named: all columns of it, where their names tell."""
    parts = name_parts(free)
    if parts:
        what = "its columns" if len(parts) > 1 else "it"
        return f"Name {what} with {' '.join(f'--time {typed(name)}' for name in parts)}"
    return how_to_name(table, "it with --time")


def refuse_retyped(table: Table, roles: Roles, encodings: Sequence[Encoding]) -> None:
    """Refuse columns that hold something else than when the model was trained: all of them in one message."""
    held = dict.fromkeys(roles.numbers, "numbers")
    known = {roles.covariates[one.role][one.place]: one for one in encodings}
    held |= {name: "truth values" if known[name].boolean else "text" for name in roles.texts}
    wrong = []
    for name, before in held.items():
        cells = table.sample(name)
        if cells and _is_retyped(table, cells, known.get(name)):
            wrong.append(f"column {name!r} held {before} when the model was trained, and now holds {short(cells[0])}")
    if wrong:
        column = "columns" if len(wrong) > 1 else "column"
        raise MismatchError(f"{table.path}: {'; '.join(wrong)}.\nCorrect the {column}, or train again.")


def _is_retyped(table: Table, cells: Sequence[str], encoding: Encoding | None) -> bool:
    """Say whether the first cells of a column are of another type than the model knows: None stands for numbers."""
    numbers = 2 * sum(is_number(cell, table.decimal) for cell in cells) >= len(cells)
    if encoding is None:
        return not numbers
    if encoding.boolean:
        return 2 * sum(cell.lower() in TRUTH for cell in cells) < len(cells)
    return numbers and not {*encoding.values, *encoding.rare} & set(cells)


def _refuse_other_steps(table: Table, roles: Roles, options: ReadOptions) -> None:
    """Refuse dates where the model was trained on integer steps."""
    for name in roles.time:
        cells = table.sample(name)
        if options.date_format == "step" and kind_of(cells) in ("date", "ambiguous"):
            raise MismatchError(
                f"{table.path}: column {name!r} held integer steps when the model was trained, and now holds "
                f"{short(cells[0])}.\nGive a table of the same kind, or train again."
            )
