import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forecast.errors import DataError, MismatchError
from forecast.options import ReadOptions
from forecast.tables import Reading, read_panel

NAN = float("nan")
SKY = ["clear", "rain"] * 5


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def write_and_read(text: str | bytes, name: str = "t.csv", again: Reading | None = None, **options: Any) -> Reading:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        if again is not None:
            return read_panel(str(path), again.options, model=True, encodings=again.panel.encodings)
        return read_panel(str(path), ReadOptions(**options))

    return write_and_read


def daily(*columns: tuple[str, list[Any]], start: int = 1) -> str:
    names, cells = zip(*columns, strict=True)
    lines = [f"2024-01-{day:02d},{','.join(map(str, row))}" for day, row in enumerate(zip(*cells, strict=True), start)]
    return "\n".join([f"date,{','.join(names)}", *lines]) + "\n"


def numbered(count: int) -> tuple[str, list[Any]]:
    return ("y", list(range(count)))


def test_text_and_truth_values_stand_beside_numbers(read: Any) -> None:
    table = daily(("sky", SKY), ("wind", list(range(10))), ("open", ["True", "false"] * 5), numbered(10))
    reading = read(table, target=("y",), future=("wind", "sky", "open"))
    np.testing.assert_array_equal(reading.panel.future[:, 1], [1, 0, 1, 0])
    assert "covariate 'sky': text, an indicator each for 'clear', 'rain'" in reading.notices
    assert "covariate 'open': truth values, 1 for true" in reading.notices


def test_a_model_reads_the_values_that_it_knows_whatever_the_table_holds(read: Any) -> None:
    first = read(daily(("sky", SKY), numbered(10)), target=("y",), past=("sky",))
    again = read(daily(("sky", ["rain", " rain ", ""]), numbered(3)), again=first)
    np.testing.assert_array_equal(again.panel.past, [[0, 0, NAN], [1, 1, NAN]])
    assert again.panel.encodings == first.panel.encodings


def test_values_that_training_has_not_seen_are_said(read: Any) -> None:
    rare = ["fog", "hail", "fog", "hail", "dust"]
    first = read(daily(("sky", SKY + rare), numbered(15)), target=("y",), past=("sky",))
    again = read(daily(("sky", ["ash", "fog", "ash"]), numbered(3)), "new.csv", again=first)
    np.testing.assert_array_equal(again.panel.past[2], [1, 1, 1])
    assert [notice.partition("new.csv")[2] for notice in again.notices if "ash" in notice] == [
        ": covariate 'sky': 2 rows hold what training has not seen, 'ash': counted as other"
    ]


def test_missing_cells_are_counted_once_for_each_covariate(read: Any) -> None:
    reading = read(daily(("sky", [*SKY, *SKY, ""]), numbered(21)), target=("y",), past=("sky",))
    assert [notice for notice in reading.notices if "no value" in notice] == [
        "covariate 'sky': 1 of 21 steps have no value"
    ]


def test_words_that_mark_a_missing_number_mark_a_missing_text_too(read: Any) -> None:
    reading = read(daily(("holiday", ["None", "None", "Easter"] * 5), numbered(15)), target=("y",), future=("holiday",))
    assert "covariate 'holiday': text, an indicator each for 'Easter', one for cells without a value" in reading.notices
    np.testing.assert_array_equal(reading.panel.future[:, :3], [[0, 0, 1], [1, 1, 0]])


def test_a_static_text_belongs_to_its_series(read: Any) -> None:
    lines = [
        f"{name},2024-01-0{day},{region},1" for name, region in zip("abc", "NSN", strict=True) for day in range(1, 7)
    ]
    reading = read("id,date,region,y\n" + "\n".join(lines), target=("y",), static=("region",))
    np.testing.assert_array_equal(reading.panel.static, [[1, 0], [0, 1], [1, 0]])


def test_text_of_a_wide_table_belongs_to_every_series(read: Any) -> None:
    table = daily(("sky", SKY), ("north", list(range(10))), ("south", list(range(10))))
    panel = read(table, wide=True, future=("sky",)).panel
    np.testing.assert_array_equal(panel.future[:, [0, 1, 10, 11]], [[1, 0, 1, 0], [0, 1, 0, 1]])


def test_repeated_rows_put_together_by_mean_share_their_values(read: Any) -> None:
    table = daily(("sky", SKY), numbered(10)) + "2024-01-10,clear,5\n"
    panel = read(table, target=("y",), past=("sky",), duplicates="mean").panel
    np.testing.assert_array_equal(panel.past[:, -1], [0.5, 0.5])


def test_text_of_a_parquet_file_is_read_like_that_of_a_csv(read: Any) -> None:
    days = np.datetime64("2024-01-01") + np.arange(10)
    columns = {"date": days, "sky": [*SKY[:9], None], "open": [True, False] * 5, "y": np.arange(10.0)}
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    panel = read(file.getvalue(), "t.parquet", target=("y",), past=("sky", "open")).panel
    table = daily(("sky", [*SKY[:9], ""]), ("open", ["true", "false"] * 5), numbered(10))
    expected = read(table, target=("y",), past=("sky", "open")).panel
    np.testing.assert_array_equal(panel.past, expected.past)
    assert panel.encodings == expected.encodings


def test_future_data_is_read_with_the_values_of_the_history(read: Any, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("date,sky\n2024-01-11,rain\n2024-01-12,ash\n")
    reading = read(
        daily(("sky", SKY), numbered(10)), target=("y",), future=("sky",), future_data=str(tmp_path / "f.csv")
    )
    np.testing.assert_array_equal(reading.panel.future[:, -2:], [[0, 0.5], [1, 0.5]])
    assert any("f.csv: covariate 'sky': 1 row holds" in notice for notice in reading.notices)


@pytest.mark.parametrize(
    ("before", "now", "held"),
    [
        (SKY, list(range(10)), "held text when the model was trained, and now holds '0'"),
        (["true", "false"] * 5, list(range(10)), "held truth values when the model was trained, and now holds '0'"),
        (list(range(10)), SKY, "held numbers when the model was trained, and now holds 'clear'"),
    ],
)
def test_a_covariate_of_another_type_is_a_mismatch(read: Any, before: Any, now: Any, held: str) -> None:
    first = read(daily(("c", before), numbered(10)), target=("y",), past=("c",))
    with pytest.raises(MismatchError) as caught:
        read(daily(("c", now), numbered(10)), "new.csv", again=first)
    assert caught.value.message.partition("new.csv: ")[2] == f"column 'c' {held}."
    assert caught.value.hint == "Correct the column, or train again."


def test_all_columns_of_another_type_are_in_one_message(read: Any) -> None:
    first = read(daily(("a", SKY), ("b", list(range(10))), numbered(10)), target=("y",), past=("a", "b"))
    with pytest.raises(MismatchError) as caught:
        read(daily(("a", list(range(10))), ("b", SKY), numbered(10)), "new.csv", again=first)
    assert caught.value.message.partition("new.csv: ")[2] == (
        "column 'b' held numbers when the model was trained, and now holds 'clear'; "
        "column 'a' held text when the model was trained, and now holds '0'."
    )


def test_future_data_of_another_type_or_without_a_column_is_a_mismatch(read: Any, tmp_path: Path) -> None:
    table = daily(("sky", SKY), numbered(10))
    first = read(table, target=("y",), future=("sky",))
    for future, message in (
        ("date,sky\n2024-01-11,3\n", "held text"),
        ("date,Sky\n2024-01-11,rain\n", "no column 'sky'"),
    ):
        (tmp_path / "f.csv").write_text(future)
        options = ReadOptions(target=("y",), future=("sky",), future_data=str(tmp_path / "f.csv"))
        with pytest.raises(MismatchError, match=message):
            read_panel(str(tmp_path / "t.csv"), options, model=True, encodings=first.panel.encodings)


def test_a_truth_value_that_is_none_is_named_with_its_line(read: Any) -> None:
    first = read(daily(("open", ["true", "false"] * 5), numbered(10)), target=("y",), past=("open",))
    with pytest.raises(DataError) as caught:
        read(daily(("open", ["true", "false", "maybe"]), numbered(3)), "new.csv", again=first)
    assert caught.value.message.partition("new.csv:")[2] == "4: column 'open' should be true or false, but is 'maybe'."


def test_a_covariate_without_any_value_stays_missing(read: Any) -> None:
    panel = read(daily(("c", ["", "", ""]), numbered(3)), target=("y",), past=("c",)).panel
    assert (panel.past.shape, panel.encodings) == ((1, 3), ())
