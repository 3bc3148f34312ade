"""Strict JSON and records from it."""

from dataclasses import dataclass
from enum import StrEnum

import pytest

from forecast.store import records


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Row:
    count: int
    share: float = 0.5
    name: str | None = None
    places: tuple[int, ...] = ()
    colour: Colour = Colour.RED


def refusal(data: bytes) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        records.parse(data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is no JSON (line 1, column 1)"),
        (b'{"a": 1,\n}', "is no JSON (line 2, column 1)"),
        (b"\xef\xbb\xbf{}", "is no JSON (line 1, column 1)"),
        (b'"\xff"', "is no UTF-8 text"),
        (b'{"a": [{"b": 1, "b": 1}]}', 'has the key "b" twice in one object'),
        (b"[NaN]", "holds NaN, which is no number"),
        (b"[-Infinity]", "holds -Infinity, which is no number"),
        (b"[1e999]", "holds 1e999, which is no finite number"),
        (b"[9223372036854775808]", "holds 9223372036854775808..., a whole number of more than 64 bits"),
        (b"9" * 1_000_000, "holds 99999999999999999999..., a whole number of more than 64 bits"),
        (b"[" * 17 + b"]" * 17, "is nested deeper than 16"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, "is nested deeper than 16"),
        (b"[" * 1_000_000, "is nested deeper than 16"),
    ],
)
def test_what_is_not_one_clear_document_is_refused(data: bytes, what: str) -> None:
    assert refusal(data) == what


def test_sixteen_levels_are_allowed() -> None:
    assert records.parse(b"[" * 16 + b"]" * 16) == [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]


def test_brackets_in_a_text_are_no_nesting() -> None:
    assert records.parse(b'["' + b"[" * 100 + b'"]') == ["[" * 100]


@pytest.mark.parametrize(
    "value", [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -(2**63) + 1, "ü\x00\u2028", "\udce9", None]
)
def test_a_value_comes_back_as_it_was(value: object) -> None:
    assert records.parse(records.as_json([value])) == [value]


def test_nan_is_not_written() -> None:
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        records.as_json({"a": float("nan")})


def test_a_record_is_made_by_its_types() -> None:
    value = {"count": 1, "share": 1, "name": "x", "places": [1, 2], "colour": "blue"}
    record = records.record_of(Row, value, "row")
    assert record == Row(1, 1.0, "x", (1, 2), Colour.BLUE)
    assert type(record.share) is float
    assert type(record.colour) is Colour


def test_an_absent_field_takes_its_default() -> None:
    assert records.record_of(Row, {"count": 1}, "row") == Row(1)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ([], "row should be an object"),
        ({}, "row lacks the key 'count'"),
        ({"count": 1, "__class__": "x"}, 'row has an unknown key "__class__"'),
        ({"count": None}, "row.count should be a whole number, but is null"),
        ({"count": True}, "row.count should be a whole number, but is true"),
        ({"count": 1, "share": "x" * 50}, 'row.share should be a number, but is "' + "x" * 36 + "..."),
        ({"count": 1, "name": 1}, "row.name should be text, but is 1"),
        ({"count": 1, "places": {}}, "row.places should be a list"),
        ({"count": 1, "places": [1, "2"]}, 'row.places[1] should be a whole number, but is "2"'),
        ({"count": 1, "colour": "green"}, 'row.colour is "green", none of red, blue'),
        ({"count": 1, "colour": ["red"]}, 'row.colour is ["red"], none of red, blue'),
    ],
)
def test_a_value_of_another_type_is_refused(value: object, what: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        records.record_of(Row, value, "row")
    assert str(caught.value) == what
