"""Strict JSON: one reading of every document, and records (frozen dataclasses) from it by their declared types."""

import dataclasses
import json
import math
import types
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Record = TypeVar("Record")

DEEPEST = 16  # levels of nesting
LARGEST = 2**63 - 1  # of whole numbers, either sign


def as_json(value: Any) -> bytes:
    """Return plain values as UTF-8 JSON; ValueError for NaN and infinity, which are no JSON."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    # A file name may hold bytes that are no text; their escapes are JSON, and are read back as what they were.
    return text.encode("utf-8", "backslashreplace")


def parse(data: bytes) -> Any:
    """Return the plain values of a JSON document.

    Raises ValueError, saying what is wrong, for what is no UTF-8 or no JSON, for a key given twice, for NaN and
    infinity, and for nesting deeper than 16.
    """
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
        )
    except UnicodeDecodeError:
        raise ValueError("is no UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise ValueError(f"is nested deeper than {DEEPEST}") from None
    if _is_deep(value):
        raise ValueError(f"is nested deeper than {DEEPEST}")
    return value


def take(value: Any, keys: tuple[str, ...], what: str, later: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a JSON object that must have exactly these keys; ValueError otherwise.

    later: keys that may be absent, each with the value that it then has.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{what} should be an object")
    _refuse_unknown(value, (*keys, *(later or ())), what)
    for key in keys:
        if key not in value:
            raise ValueError(f"{what} lacks the key {key!r}")
    return {**(later or {}), **value}


def record_of(kind: type[Record], value: Any, what: str) -> Record:
    """Make a record of a dataclass from a JSON object, every field by its declared type.

    A key that is no field is an error. A field that is absent takes its default, so that a record may gain fields with
    defaults while old bundles stay loadable. Raises ValueError; `what` names the object in its message.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{what} should be an object")
    hints = _hints(cast(Any, kind))
    _refuse_unknown(value, tuple(hints), what)
    for field in dataclasses.fields(cast(Any, kind)):
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and field.name not in value:
            raise ValueError(f"{what} lacks the key {field.name!r}")
    return kind(**{key: typed(hints[key], one, f"{what}.{key}") for key, one in value.items()})


def typed(hint: Any, value: Any, what: str) -> Any:
    """Return a plain value as the declared type: scalar, enum, X | None or tuple[X, ...]; ValueError otherwise."""
    if get_origin(hint) in (Union, types.UnionType):
        (inner,) = (one for one in get_args(hint) if one is not type(None))
        return None if value is None else typed(inner, value, what)
    if get_origin(hint) is tuple:
        if type(value) is not list:
            raise ValueError(f"{what} should be a list")
        inner = get_args(hint)[0]
        return tuple(typed(inner, one, f"{what}[{place}]") for place, one in enumerate(value))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        if type(value) is not str or value not in {str(one) for one in hint}:
            raise ValueError(f"{what} is {_shown(value)}, none of {', '.join(hint)}")
        return hint(value)
    if hint is float and type(value) is int:
        return float(value)
    # By type(), not isinstance(): true is no number, although Python calls bool an int.
    if type(value) is not hint:
        raise ValueError(f"{what} should be {_NOUNS[hint]}, but is {_shown(value)}")
    return value


_NOUNS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def _shown(value: Any) -> str:
    """Return a value for a message, cut to a length that a message can hold."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 40 else text[:37] + "..."


def _refuse_unknown(value: dict[str, Any], keys: tuple[str, ...], what: str) -> None:
    for key in value:
        if key not in keys:
            raise ValueError(f"{what} has an unknown key {_shown(key)}")


@lru_cache(maxsize=16)
def _hints(kind: type) -> dict[str, Any]:
    """Return the declared type of each field, without what the command line adds to it."""
    fields = {field.name for field in dataclasses.fields(cast(Any, kind))}
    return {name: hint for name, hint in get_type_hints(kind).items() if name in fields}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for place, (key, _) in enumerate(pairs) if key in dict(pairs[:place]))
        raise ValueError(f"has the key {_shown(twice)} twice in one object")
    return found


def _no_constant(text: str) -> float:
    raise ValueError(f"holds {text}, which is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"holds {text[:20]}, which is no finite number")
    return number


def _whole(text: str) -> int:
    # The length first: turning a long run of digits into a number takes time quadratic in it.
    if len(text) > 20 or abs(int(text)) > LARGEST:
        raise ValueError(f"holds {text[:20]}..., a whole number of more than 64 bits")
    return int(text)


def _is_deep(value: Any) -> bool:
    """Tell whether containers are nested deeper than allowed, level by level, without recursion."""
    level = [value]
    for _ in range(DEEPEST):
        level = [one for each in level for one in _members(each)]
    return any(isinstance(one, dict | list) for one in level)


def _members(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
