import gzip
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import DataError, MismatchError, UsageError
from forecast.options import Duplicates, ReadOptions, as_record
from forecast.tables import Reading, output_names, read_panel, text

NAN = float("nan")


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def write_and_read(text: str | bytes, name: str = "t.csv", model: bool = False, **options: Any) -> Reading:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_panel(str(path), ReadOptions(**options), model=model)

    return write_and_read


def daily(values: list[Any], start: int = 1) -> str:
    return "date,y\n" + "".join(f"2024-01-{day:02d},{value}\n" for day, value in enumerate(values, start))


def test_a_table_of_one_series_needs_no_option(read: Any) -> None:
    reading = read(daily([1, 2.5, "", -4e2]))
    panel = reading.panel
    assert (panel.ids, panel.calendar.freq, panel.calendar.form) == (("1",), "D", "%Y-%m-%d")
    np.testing.assert_array_equal(panel.target, [1, 2.5, NAN, -400])
    assert panel.calendar.render(panel.last) == ["2024-01-04"]
    assert reading.notices == (
        "columns: time 'date', target 'y'",
        "1 of 4 steps have no value: they stay missing (--fill)",
        "frequency: D (found); series: 1; steps: 4",
    )


def test_settled_options_survive_json_and_read_the_same_panel(read: Any, tmp_path: Path) -> None:
    reading = read(
        "shop;date;sales\n" + "".join(f"a;2024-01-0{day};1,5\nb;2024-01-0{day};2\n" for day in range(1, 5)),
        id=("shop",),
    )
    settled = reading.options
    assert settled == ReadOptions(
        id=("shop",),
        time=("date",),
        target=("sales",),
        freq="D",
        delimiter=";",
        decimal=",",
        fill="mask",
        duplicates=Duplicates.ERROR,
    )
    record = json.loads(json.dumps(as_record(settled)))
    again = ReadOptions(**{name: tuple(value) if isinstance(value, list) else value for name, value in record.items()})
    second = read_panel(str(tmp_path / "t.csv"), again, model=True)
    assert second.options == settled
    assert second.panel.calendar == reading.panel.calendar
    np.testing.assert_array_equal(second.panel.target, reading.panel.target)


def test_the_source_names_bytes_hash_rows_and_times(read: Any, tmp_path: Path) -> None:
    source = read(daily([1, 2, 3])).source
    data = (tmp_path / "t.csv").read_bytes()
    assert source == {
        "path": str(tmp_path / "t.csv"),
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "rows": 3,
        "series": 1,
        "first": "2024-01-01",
        "last": "2024-01-03",
    }


def test_ids_stay_text_verbatim_in_order_of_appearance(read: Any) -> None:
    ids = ["007", "NA", "1e5", "../x", "=1+1", " a ", 'say "hi"', "two\nlines", "x" * 10_000]
    quoted = ['"' + text.replace('"', '""') + '"' for text in ids]
    text = "id,ds,y\n" + "".join(f"{cell},{step},1\n" for cell in quoted for step in (1, 2, 3))
    assert read(text).panel.ids == tuple(ids)


def test_composite_ids_are_joined_by_a_slash(read: Any) -> None:
    text = "a,b,ds,y\n" + "".join(f"{a},{b},{step},1\n" for a in "xy" for b in "12" for step in (1, 2, 3))
    reading = read(text, id=("b", "a"))
    assert reading.panel.ids == ("1/x", "2/x", "1/y", "2/y")
    assert output_names(reading.options)[0] == "unique_id"


def test_output_names_are_those_of_the_table_where_it_has_one() -> None:
    assert output_names(ReadOptions(id=("shop",), time=("when",))) == ("shop", "when")
    assert output_names(ReadOptions(wide=True, time=("year", "month"))) == ("unique_id", "ds")
    assert output_names(ReadOptions(id=("none",), time=("none",))) == ("unique_id", "ds")


def test_rows_in_any_order_give_the_same_panel(read: Any) -> None:
    rows = [f"{name},2024-01-0{day},{day}{ord(name)}\n" for name in "ab" for day in range(1, 6)]
    straight, mixed = read("id,date,y\n" + "".join(rows)), read("id,date,y\n" + "".join(rows[::-2] + rows[::2]))
    order = [mixed.panel.ids.index(name) for name in straight.panel.ids]
    for series, other in enumerate(order):
        np.testing.assert_array_equal(straight.panel.values(series), mixed.panel.values(other))
    assert "rows were not in the order of 'date': sorted" in mixed.notices
    assert "rows were not in the order of 'date': sorted" not in straight.notices


def test_gaps_survive_as_missing_steps_and_are_counted(read: Any) -> None:
    reading = read("date,y\n2024-01-01,1\n2024-01-02,2\n2024-01-05,5\n2024-01-06,6\n")
    np.testing.assert_array_equal(reading.panel.target, [1, 2, NAN, NAN, 5, 6])
    assert "2 of 6 steps have no value (2 have no row): they stay missing (--fill)" in reading.notices


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("mask", [1, NAN, NAN, 4, NAN, 6]),
        ("zero", [1, 0, 0, 4, 0, 6]),
        ("ffill", [1, 1, 1, 4, 4, 6]),
        ("ffill:1", [1, NAN, NAN, 4, 4, 6]),
        ("interpolate", [1, 2, 3, 4, 5, 6]),
        ("interpolate:1", [1, NAN, NAN, 4, 5, 6]),
        ("error:2", [1, NAN, NAN, 4, NAN, 6]),
    ],
)
def test_fill_repairs_gaps_up_to_its_length(read: Any, policy: str, expected: list[float]) -> None:
    np.testing.assert_array_equal(read(daily([1, "", "", 4, "", 6]), fill=policy).panel.target, expected)


@pytest.mark.parametrize(("policy", "value"), [("first", 2), ("last", 4), ("mean", 3), ("sum", 6)])
def test_duplicates_are_put_together_by_the_policy(read: Any, policy: str, value: float) -> None:
    reading = read(daily([1, 2, 3]) + "2024-01-02,4\n", duplicates=policy)
    np.testing.assert_array_equal(reading.panel.target, [1, value, 3])
    assert f"1 rows were put together with another one of the same step ({policy})" in reading.notices


def test_a_coarser_frequency_with_a_policy_aggregates(read: Any) -> None:
    text = "date,y\n2024-01-01 00:07,1\n2024-01-01 00:50,3\n2024-01-01 01:20,5\n2024-01-01 03:59,7\n"
    panel = read(text, freq="h", duplicates="mean").panel
    np.testing.assert_array_equal(panel.target, [2, 5, NAN, 7])
    assert panel.calendar.render(panel.starts) == ["2024-01-01 00:00"]


def test_every_numeric_column_of_a_wide_table_is_a_series(read: Any) -> None:
    text = "date,101,b,note,c\n2024-01-01,1,4,x,\n2024-01-02,2,5,y,\n2024-01-03,3,6,z,\n"
    reading = read(text, wide=True)
    assert reading.panel.ids == ("101", "b", "c")
    np.testing.assert_array_equal(reading.panel.target, [1, 2, 3, 4, 5, 6, NAN, NAN, NAN])
    assert "columns not used: 'note' (--past, --future and --static make covariates of them)" in reading.notices


def test_time_none_counts_rows_of_each_series(read: Any) -> None:
    panel = read("id,y\na,1\nb,5\na,2\nb,6\na,3\n", time=("none",)).panel
    assert panel.calendar.freq == "step"
    assert (panel.starts.tolist(), panel.lengths.tolist()) == ([1, 1], [3, 2])
    np.testing.assert_array_equal(panel.target, [1, 2, 3, 5, 6])


def test_an_empty_line_of_a_table_of_one_column_is_a_missing_value(read: Any) -> None:
    np.testing.assert_array_equal(read("y\n1\n\n3\n\n", time=("none",)).panel.target, [1, NAN, 3])


def test_rows_without_target_but_with_future_covariates_lie_ahead(read: Any) -> None:
    text = "date,y,promo\n2024-01-01,1,0\n2024-01-02,,1\n2024-01-03,3,0\n2024-01-04,,1\n2024-01-05,,0\n"
    panel = read(text, future=("promo",)).panel
    assert (panel.lengths.tolist(), panel.limits.tolist()) == ([3], [5])
    np.testing.assert_array_equal(panel.future, [[0, 1, 0, 1, 0]])


def test_a_series_that_ends_with_missing_values_keeps_them(read: Any) -> None:
    assert read(daily([1, 2, "", ""])).panel.lengths.tolist() == [4]


def test_future_data_appends_rows_ahead_and_completes_the_history(read: Any, tmp_path: Path) -> None:
    ahead = tmp_path / "ahead.csv"
    ahead.write_text("id,date,promo\na,2024-01-03,7\na,2024-01-04,1\na,2024-01-05,2\nz,2024-01-04,9\n")
    text = "id,date,y,promo\na,2024-01-01,1,0\na,2024-01-02,2,5\na,2024-01-03,3,\nb,2024-01-01,1,0\nb,2024-01-02,1,0\n"
    reading = read(text, target=("y",), future=("promo",), future_data=str(ahead))
    panel = reading.panel
    assert (panel.ids, panel.lengths.tolist(), panel.limits.tolist()) == (("a", "b"), [3, 2], [5, 7])
    np.testing.assert_array_equal(panel.future, [[0, 5, 7, 1, 2, 0, 0]])
    assert f"{ahead}: 1 series that the data does not have were left out" in reading.notices
    assert reading.options.future_data is None


def test_a_future_data_table_must_have_the_columns(read: Any, tmp_path: Path) -> None:
    ahead = tmp_path / "ahead.csv"
    ahead.write_text("date,action\n2024-01-04,1\n")
    with pytest.raises(DataError) as caught:
        read(
            "date,y,promo\n2024-01-01,1,0\n2024-01-02,2,5\n2024-01-03,3,1\n", future=("promo",), future_data=str(ahead)
        )
    assert str(caught.value) == (
        f"{ahead}: there is no column 'promo'; the columns are 'date', 'action'.\n"
        "A --future-data table needs 'date', 'promo'."
    )


def test_covariates_of_a_wide_table_belong_to_every_series(read: Any) -> None:
    text = "date,a,b,sky,size\n2024-01-01,1,4,7,3\n2024-01-02,2,5,8,3\n2024-01-03,3,6,9,3\n"
    panel = read(text, wide=True, past=("sky",), static=("size",)).panel
    np.testing.assert_array_equal(panel.past, [[7, 8, 9, 7, 8, 9]])
    np.testing.assert_array_equal(panel.static, [[3], [3]])


def test_parquet_reads_like_text(tmp_path: Path) -> None:
    days = [np.datetime64("2024-01-01", "us") + np.timedelta64(day, "D") for day in range(4)]
    table = pa.table({"id": [1, 1, 1, 1], "ds": pa.array(days), "y": pa.array([1, None, 3, 4], pa.int32())})
    pq.write_table(table, tmp_path / "t.parquet")
    panel = read_panel(str(tmp_path / "t.parquet"), ReadOptions()).panel
    assert (panel.ids, panel.calendar.freq, panel.calendar.render(panel.last)) == (("1",), "D", ["2024-01-04"])
    np.testing.assert_array_equal(panel.target, [1, NAN, 3, 4])


def test_text_of_a_parquet_file_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    columns = {"ds": list(range(30)), "shop": ["Zoë"] * 30, "y": list(range(30))}
    pq.write_table(pa.table(columns), path, compression="none")
    path.write_bytes(path.read_bytes().replace("Zoë".encode(), b"Zo\x9e\x9e"))
    with pytest.raises(DataError, match=r"t\.parquet: the Parquet file cannot be read: .*UTF8") as caught:
        read_panel(str(path), ReadOptions())
    assert str(caught.value).endswith("\nWrite it again.")


def test_a_bad_cell_of_a_parquet_file_is_named_by_its_row(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"ds": [1, 2, 3, 4], "y": ["1", "2", "x", "4"]}), path)
    with pytest.raises(DataError) as caught:
        read_panel(str(path), ReadOptions())
    assert caught.value.message == f"{path}: row 3: column 'y' should be a number, but is 'x'."


def test_gzip_is_told_by_its_content(read: Any) -> None:
    packed = gzip.compress(daily([1, 2, 3]).encode())
    assert read(packed, "t.csv").panel.target.tolist() == [1, 2, 3]
    assert read(daily([1, 2, 3]), "u.csv.gz").panel.target.tolist() == [1, 2, 3]


def test_standard_input_is_read_where_the_path_is_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(daily([1, 2, 3]).encode())))
    reading = read_panel("-", ReadOptions())
    assert reading.panel.target.tolist() == [1, 2, 3]
    assert reading.source["path"] == "-"


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("date\ty\n2024-01-01\t1\n2024-01-02\t2\n2024-01-03\t3\n", "delimiter: tab"),
        ("date;y\n2024-01-01;1,5\n2024-01-02;2\n2024-01-03;3,5\n", "decimal mark: ',' (column 'y' holds '1,5')"),
        ("date , y\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n", "spaces round 2 column names were removed"),
    ],
)
def test_what_was_found_out_is_said(read: Any, text: str, notice: str) -> None:
    assert notice in read(text).notices


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + daily([1, 2, 3]),
        daily([1, 2, 3]).replace("\n", "\r\n"),
        daily([1, 2, 3]).replace("\n", "\r"),
        daily([1, 2, 3]).replace("\n", "\r\n", 2),
        daily([1, 2, 3]).removesuffix("\n"),
        daily([1, 2, 3]) + "\n\n",
        daily([" 1", "+2 ", '"3"']),
    ],
    ids=["BOM", "CRLF", "CR", "mixed", "no final newline", "blank lines", "spaces, sign, quotes"],
)
def test_ways_of_writing_text_do_not_matter(read: Any, text: str) -> None:
    assert read(text).panel.target.tolist() == [1, 2, 3]


def test_utf_16_is_read_by_its_mark(read: Any) -> None:
    assert read(daily([1, 2, 3]).encode("utf-16")).panel.target.tolist() == [1, 2, 3]


def test_another_encoding_can_be_named(read: Any) -> None:
    text = "shop,ds,y\nKöln,1,1\nKöln,2,2\nKöln,3,3\n".encode("latin-1")
    assert read(text, id=("shop",), encoding="latin-1").panel.ids == ("Köln",)


def test_integers_above_2_53_are_read_with_a_notice(read: Any) -> None:
    notices = read(daily([2**53 + 2, 2, 3])).notices
    assert "1 target value is at or above 2^53: only the first 15 digits count" in notices


@pytest.mark.parametrize("header", ["0,1", "1,2"])
def test_a_header_of_numbers_in_a_row_is_a_header(read: Any, header: str) -> None:
    panel = read(f"{header}\n5,7\n6,8\n7,9\n", wide=True, time=("none",)).panel
    assert panel.ids == tuple(header.split(","))
    assert panel.lengths.tolist() == [3, 3]


def test_without_a_header_columns_have_numbers(read: Any) -> None:
    reading = read(daily([1, 2, 3]).removeprefix("date,y\n"), no_header=True)
    assert (reading.options.time, reading.options.target) == (("1",), ("2",))


def test_a_null_value_can_be_added(read: Any) -> None:
    np.testing.assert_array_equal(read(daily([1, "-", 3]), null_value=("-",)).panel.target, [1, NAN, 3])


def test_the_line_of_a_late_bad_cell_is_exact(read: Any) -> None:
    body = "".join(f"{step},1\n" for step in range(1, 9000))
    with pytest.raises(DataError) as caught:
        read(f"ds,y\r\n\r\n{body}9000,x\n")
    assert caught.value.message.endswith("t.csv:9002: column 'y' should be a number, but is 'x'.")


def test_a_model_names_the_columns_that_have_gone(read: Any) -> None:
    settled = read(
        "shop,date,y,temp\n" + "".join(f"a,2024-01-0{day},1,2\n" for day in range(1, 5)),
        id=("shop",),
        target=("y",),
        past=("temp",),
    ).options
    text = "shop,date,y,temperature\na,2024-01-01,1,2\n"
    with pytest.raises(MismatchError) as caught:
        read(text, model=True, **vars(settled))
    assert str(caught.value).partition(": ")[2] == (
        "the model was trained with columns that are missing: 'temp'; columns it does not know: 'temperature'.\n"
        "Rename the columns, say which ones they are with --past, or train again."
    )


def test_a_model_reads_a_single_row(read: Any) -> None:
    settled = read(daily([1, 2, 3])).options
    assert read(daily([9], start=20), model=True, **vars(settled)).panel.target.tolist() == [9]


def test_reading_imports_no_pandas_tensorflow_or_scipy(read: Any, tmp_path: Path) -> None:
    read(daily([1, "", 3]))
    program = (
        "import sys; from forecast.tables import read_panel; from forecast.options import ReadOptions;"
        f"read_panel({str(tmp_path / 't.csv')!r}, ReadOptions());"
        "print(sorted({'pandas', 'tensorflow', 'keras', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=8),
        st.lists(st.none() | st.floats(-1e30, 1e30), min_size=3, max_size=6).filter(
            lambda values: values[0] is not None
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_a_written_panel_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, series: dict[str, list[float | None]], delimiter: str, end: str
) -> None:
    lines = [delimiter.join(("unique_id", "ds", "y"))]
    for name, values in series.items():
        quoted = '"' + name.replace('"', '""') + '"'
        lines += [
            delimiter.join((quoted, str(step), "" if value is None else repr(value)))
            for step, value in enumerate(values, 1)
        ]
    path = tmp_path_factory.mktemp("round") / "t.csv"
    path.write_bytes(end.join([*lines, ""]).encode())
    panel = read_panel(str(path), ReadOptions(delimiter=delimiter)).panel
    assert panel.ids == tuple(series)
    for index, values in enumerate(series.values()):
        np.testing.assert_array_equal(panel.values(index), np.array(values, dtype=float))


TARGETS = "id,date,y,z,rain\nb,2024-01-01,1,10,5\nb,2024-01-02,2,,6\na,2024-01-01,3,30,7\na,2024-01-02,4,40,8\n"


def test_each_target_of_an_id_is_a_series_with_the_covariates_of_the_id(read: Any) -> None:
    panel = read(TARGETS, target=("z", "y"), past=("rain",)).panel
    assert (panel.ids, panel.target_names) == (("b", "b", "a", "a"), ("z", "y", "z", "y"))
    np.testing.assert_array_equal(panel.target, [10, NAN, 1, 2, 30, 40, 3, 4])
    np.testing.assert_array_equal(panel.past, [[5, 6, 5, 6, 7, 8, 7, 8]])


def test_several_targets_are_named_in_the_notices(read: Any) -> None:
    assert read(TARGETS, target=("y", "z")).notices == (
        "columns: id 'id', time 'date', targets 'y', 'z'",
        "columns not used: 'rain' (--past, --future and --static make covariates of them)",
        "1 of 8 steps have no value: they stay missing (--fill); 1 of 'z'",
        "frequency: D (found); series: 4 (2 targets of each of 2 ids); steps: 8",
    )


def test_a_gap_that_is_refused_names_its_target(read: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(TARGETS, target=("y", "z"), fill="error")
    assert str(caught.value) == (
        f"{tmp_path / 't.csv'}: 1 step has no value from 2024-01-02 on in column 'z' of series 'b', "
        "and --fill is error.\nAdd the rows, or choose another --fill."
    )


def test_all_targets_of_an_id_have_one_origin_where_covariates_go_on(read: Any) -> None:
    text = "date,y,z,promo\n2024-01-01,1,5,0\n2024-01-02,2,,1\n2024-01-03,3,,0\n2024-01-04,,,1\n"
    panel = read(text, target=("y", "z"), future=("promo",)).panel
    assert (panel.lengths.tolist(), panel.limits.tolist()) == ([3, 3], [4, 8])


def test_a_static_covariate_belongs_to_every_target_of_its_id(read: Any) -> None:
    text = "id,date,y,z,size\na,2024-01-01,1,2,7\nb,2024-01-01,3,4,9\na,2024-01-02,1,2,7\nb,2024-01-02,3,4,9\n"
    assert read(text, target=("y", "z"), static=("size",)).panel.static.tolist() == [[7], [7], [9], [9]]


def test_repeated_rows_are_put_together_for_every_target(read: Any) -> None:
    text = "date,y,z\n2024-01-01,1,10\n2024-01-01,3,\n2024-01-02,5,50\n"
    panel = read(text, target=("y", "z"), duplicates=Duplicates.MEAN, freq="D").panel
    assert panel.target.tolist() == [2, 5, 10, 50]


EMPTY = "date,y,z\n2024-01-01,1,\n2024-01-02,2,\n2024-01-03,3,\n"


def test_to_train_every_target_needs_a_value(read: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(EMPTY, target=("y", "z"))
    assert str(caught.value) == (
        f"{tmp_path / 't.csv'}: column 'z', the target, never holds a number, only missing values.\n"
        "Name another column with --target."
    )


def test_a_model_reads_a_table_in_which_one_of_its_targets_has_no_value(read: Any) -> None:
    assert len(read(EMPTY, target=("y", "z"), freq="D", model=True).panel) == 2


def test_a_target_that_the_table_lacks_is_a_mismatch_with_the_candidates(read: Any, tmp_path: Path) -> None:
    with pytest.raises(MismatchError) as caught:
        read(EMPTY.replace(",z", ",zz"), target=("y", "z"), time=("date",), model=True)
    assert str(caught.value) == (
        f"{tmp_path / 't.csv'}: the model was trained with columns that are missing: 'z'; "
        "columns it does not know: 'zz'.\n"
        "Rename the columns, say which ones they are with --target, or train again."
    )


def test_a_target_is_named_once(read: Any) -> None:
    with pytest.raises(UsageError) as caught:
        read(EMPTY, target=("y", "y"))
    assert str(caught.value) == "column 'y' is named twice by --target.\nLeave one of them out."


def test_a_text_where_names_belong_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        ReadOptions(target="sales")  # type: ignore[arg-type]
    assert str(caught.value) == "target is the text 'sales', where several may stand.\nWrite ('sales',)."


LONG = "id,ds,y,note\n" + "".join(
    f'"s{series}",2024-01-{1 + day:02d} 00:00,{series + day},"a\n""{day}"""\n'
    for series in range(3)
    for day in range(9)
)


@pytest.mark.parametrize("size", [1, 70, 300])
def test_a_table_that_is_read_in_pieces_is_the_same(
    size: int, read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read(LONG)
    monkeypatch.setattr(text, "PIECE", size)
    parts = read(LONG.replace('"\n"s2"', '"\n\n\n"s2"'))
    assert (parts.panel.ids, parts.notices) == (whole.panel.ids, whole.notices)
    np.testing.assert_array_equal(parts.panel.starts, whole.panel.starts)
    np.testing.assert_array_equal(parts.panel.target, whole.panel.target)


def test_pieces_change_no_line_of_a_message(read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "PIECE", 70)
    broken = LONG.replace('"s2",2024-01-05 00:00,6', '"s2",2024-01-05 00:00,six').replace("-01-03", "-01-32")
    with pytest.raises(DataError) as caught:
        read(broken)
    assert str(caught.value).splitlines()[0] == f"{tmp_path / 't.csv'}:46: column 'y' should be a number, but is 'six'."
    with pytest.raises(DataError) as caught:
        read(broken.replace("six", "6"))
    said = "column 'ds' is no time: '2024-01-32 00:00' (and 2 more)"
    assert str(caught.value).splitlines()[0] == f"{tmp_path / 't.csv'}:6: {said}."
