import pytest

from forecast.tables.comments import without_comments


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_lines_below_a_comment_keep_their_numbers(end: str) -> None:
    text = end.join(["# a", "date,y", '  "Total, so far",1', "2024-01-01,#1", ""])
    kept = bytes(without_comments(memoryview(text.encode()), ("#", "Total"))).decode()
    assert kept == end.join(["", "date,y", "", "2024-01-01,#1", ""])


def test_a_text_without_comments_is_not_copied() -> None:
    text = memoryview(b"date,y\n")
    assert without_comments(text, ()) is text
