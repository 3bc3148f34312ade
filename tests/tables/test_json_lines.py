import json
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forecast.options import ReadOptions
from forecast.tables import json_lines, read_panel
from forecast.tables.json_lines import json_table
from forecast.tables.source import Form, Source

CELLS = st.one_of(st.none(), st.text(max_size=5), st.booleans(), st.integers(), st.floats(allow_nan=False))
OBJECTS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "ü"]), CELLS, min_size=1), min_size=1, max_size=8)


def table_of(text: str) -> json_lines.TypedTable:
    data = text.encode()
    return json_table(Source("a.jsonl", memoryview(data), len(data), "", Form.JSON), ReadOptions())


def as_text(value: object) -> str | None:
    """Return what a column of text holds for a value."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


@given(OBJECTS, st.sampled_from(["\n", "\r\n", "\r", "\n\n"]), st.booleans(), st.integers(1, 4))
def test_every_value_is_the_text_that_stands_there(
    rows: list[dict[str, object]], end: str, ascii_only: bool, block: int
) -> None:
    usual, json_lines.BLOCK_ROWS = json_lines.BLOCK_ROWS, block
    try:
        table = table_of("".join(json.dumps(row, ensure_ascii=ascii_only) + end for row in rows))
    finally:
        json_lines.BLOCK_ROWS = usual
    assert set(table.names) == {name for row in rows for name in row}
    for name in table.names:
        assert table.texts(name).to_pylist() == [as_text(row.get(name)) for row in rows]
    step = 2 if end == "\n\n" else 1
    assert table.lines(range(len(rows))) == [str(1 + step * row) for row in range(len(rows))]


def test_numbers_stay_as_they_are_written() -> None:
    table = table_of('{"id": 1e5, "n": 12345678901234567890, "x": 1.10}\n')
    assert [table.texts(name).to_pylist() for name in table.names] == [["1e5"], ["12345678901234567890"], ["1.10"]]


def test_a_missing_name_and_null_are_missing_values(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    cells = ('"ds": "2024-01-01", "y": 1', '"ds": "2024-01-02"', '"ds": "2024-01-03", "y": null')
    cells += ('"ds": "2024-01-04", "y": "NA"', '"y": 5, "ds": "2024-01-05"')
    path.write_text("".join(f"{{{one}}}\n" for one in cells))
    np.testing.assert_array_equal(read_panel(str(path), ReadOptions()).panel.target, [1, np.nan, np.nan, np.nan, 5])


def test_a_column_that_begins_late_is_a_column() -> None:
    assert table_of('{"a": "1"}\n{"b": "2"}\n').names == ("a", "b")


def test_objects_within_objects_stay_text_that_nobody_needs() -> None:
    table = table_of('{"a": "1", "more": {"b": true, "c": ["x"]}}\n')
    assert table.texts("more").to_pylist() == ['{"b": true, "c": ["x"]}']
