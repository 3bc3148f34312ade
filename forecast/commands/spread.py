"""Options without copy-paste: spread the fields of options records into a command's signature."""

from collections.abc import Callable
from dataclasses import Field, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, get_args, get_origin, get_type_hints


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` one option per field of each options record it takes, and hand it the records.

    A field is `Annotated[type, Option(...)]` with a default; a tuple is an option that may be repeated. Parameters that
    are no records stay as they are and come first. Where two records have a field of the same name, the option is that
    of the first, and the other keeps its default.
    """
    hints = get_type_hints(command, include_extras=True)
    records = {name: hints[name] for name in signature(command).parameters if is_dataclass(hints[name])}
    own = [parameter for name, parameter in signature(command).parameters.items() if name not in records]
    parameters = [parameter.replace(annotation=hints[parameter.name]) for parameter in own]
    taken = {parameter.name for parameter in own}
    shown: dict[str, list[Field[Any]]] = {}
    for name, record in records.items():
        types = get_type_hints(record, include_extras=True)
        shown[name] = [field for field in fields(record) if field.name not in taken]
        taken |= {field.name for field in shown[name]}
        parameters += [_parameter(field, types[field.name]) for field in shown[name]]

    @wraps(command)
    def spread_out(**values: Any) -> None:
        made = {name: record(**_taken(values, shown[name])) for name, record in records.items()}
        command(**made, **{parameter.name: values[parameter.name] for parameter in own})

    spread_out.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    spread_out.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return spread_out


def _parameter(field: Field[Any], annotation: Any) -> Parameter:
    """Return a field as a keyword parameter; Typer knows repeated options as lists."""
    base, option = get_args(annotation)
    default: Any = field.default
    if get_origin(base) is tuple:
        annotation = Annotated[list[get_args(base)[0]], option]  # type: ignore[misc]
        default = list(default)
    return Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _taken(values: dict[str, Any], shown: list[Field[Any]]) -> dict[str, Any]:
    """Return the values of the fields that are options, repeated ones as tuples again."""
    return {
        field.name: tuple(values[field.name] or ()) if isinstance(field.default, tuple) else values[field.name]
        for field in shown
    }
