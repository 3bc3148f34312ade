import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.tables import lines
from forecast.tables.lines import Layout, blocks_of, cells_of, lines_of, pieces_of, sample_records

CELLS = st.text(st.sampled_from('ab",;\n\r 1'), max_size=4)


def view(text: str) -> memoryview:
    return memoryview(text.encode())


@given(st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=5), st.sampled_from(["\n", "\r\n", "\r"]))
def test_records_are_those_of_the_csv_module(rows: list[list[str]], end: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    assert sample_records(view(buffer.getvalue()), ",") == rows


@given(st.text(st.sampled_from("a,\n\r"), max_size=30), st.booleans(), st.integers(2, 9))
def test_the_fast_and_the_exact_scan_agree(text: str, blanks: bool, chunk: int) -> None:
    usual, lines.CHUNK = lines.CHUNK, chunk
    try:
        plain = [vars(block) for block in blocks_of(view(text), Layout(",", quoted=False, blanks=blanks))]
        exact = [vars(block) for block in blocks_of(view(text), Layout(",", quoted=True, blanks=blanks))]
    finally:
        lines.CHUNK = usual
    for field in ("lines", "starts", "ends", "fields"):
        assert [value for block in plain for value in block[field].tolist()] == [
            value for block in exact for value in block[field].tolist()
        ]


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=5),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(1, 9),
)
def test_pieces_hold_the_records_of_the_whole(rows: list[list[str]], end: str, size: int) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    pieces = list(pieces_of(view(buffer.getvalue()), Layout(",", quoted=True), size))
    assert [record for piece in pieces for record in sample_records(piece, ",")] == rows
    assert b"".join(pieces) == buffer.getvalue().encode()


def test_a_piece_ends_with_the_first_record_beyond_its_size() -> None:
    pieces = pieces_of(view("a,1\r\nb,2\r\n\r\nc,3"), Layout(",", quoted=False), 4)
    assert [bytes(piece) for piece in pieces] == [b"a,1\r\n", b"b,2\r\n", b"\r\nc,3"]


def test_a_record_begins_on_the_line_after_the_breaks_within_cells() -> None:
    text = view('"a\nb",1\n\nc,2\r\n"d\r\ne",3\nf,4\n')
    assert lines_of(text, Layout(",", quoted=True), np.array([0, 1, 2, 3])).tolist() == [1, 4, 5, 7]


@pytest.mark.parametrize(
    ("record", "cells"),
    [
        ("a,b", ["a", "b"]),
        ('"a,b",c', ["a,b", "c"]),
        ('"a""b",', ['a"b', ""]),
        (",", ["", ""]),
        ('5" pipe,1', ['5" pipe', "1"]),
    ],
)
def test_a_record_is_cut_into_cells(record: str, cells: list[str]) -> None:
    assert cells_of(record, ",") == cells
