import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from forecast.errors import UsageError
from forecast.options import PredictOptions
from forecast.panels.bounds import Bounds
from forecast.panels.calendar import Calendar
from forecast.plan import QUANTILES
from forecast.tables.write import check_output, forecast_columns, suffix_of, table_bytes
from forecast.trained import Forecasts

DAILY = Calendar("D", 0, "%Y-%m-%d", "")
NAMES, MODEL = ("shop", "day"), "sales@v1"
HEADER = "shop,day,forecast,lo_80,hi_80,lo_95,hi_95,step,cutoff,status,model\n"


def forecasts(*ids: str, horizon: int = 2, calendar: Calendar = DAILY) -> Forecasts:
    middle = 10.0 + np.arange(len(ids))[:, None, None] + np.arange(horizon)[None, :, None] / 4
    quantiles = middle + np.linspace(-3, 3, len(QUANTILES))
    return Forecasts(ids, calendar, np.full(len(ids), 30), quantiles, QUANTILES, ("ok",) * len(ids))


def text(made: Forecasts, options: PredictOptions | None = None, names: tuple[str, str] = NAMES) -> str:
    return table_bytes(made, names, options or PredictOptions(), MODEL).decode()


def test_a_table_has_one_row_per_series_and_step_in_input_order() -> None:
    assert text(forecasts("b", "a")) == HEADER + (
        "b,1970-02-01,10,8,12,7,13,1,1970-01-31,ok,sales@v1\n"
        "b,1970-02-02,10.25,8.25,12.25,7.25,13.25,2,1970-01-31,ok,sales@v1\n"
        "a,1970-02-01,11,9,13,8,14,1,1970-01-31,ok,sales@v1\n"
        "a,1970-02-02,11.25,9.25,13.25,8.25,14.25,2,1970-01-31,ok,sales@v1\n"
    )


def test_a_table_of_no_series_is_its_header() -> None:
    assert text(forecasts()) == HEADER


def test_numbers_have_six_digits_and_no_negative_zero() -> None:
    made = forecasts("a", horizon=1)
    made = replace(made, quantiles=np.broadcast_to(np.array([[[-0.0]]]), (1, 1, len(QUANTILES))))
    assert text(made).splitlines()[1] == "a,1970-02-01,0,0,0,0,0,1,1970-01-31,ok,sales@v1"
    made = replace(made, quantiles=np.full((1, 1, len(QUANTILES)), 1234567.89))
    assert ",1.23457e+06," in text(made)


def test_rounded_numbers_have_exactly_as_many_decimals() -> None:
    made = replace(forecasts("a", horizon=1), bounds=Bounds(minimum=8.0, decimals=2))
    assert text(made).splitlines()[1] == "a,1970-02-01,10.00,8.00,12.00,8.00,13.00,1,1970-01-31,ok,sales@v1"
    made = replace(made, quantiles=np.full((1, 1, len(QUANTILES)), 1234567.5), bounds=Bounds(decimals=0))
    assert text(made).splitlines()[1].startswith("a,1970-02-01,1234568,1234568,")


def test_rounding_leaves_no_negative_zero_and_no_decimals_to_an_unusual_level() -> None:
    made = replace(forecasts("a", horizon=1), bounds=Bounds(decimals=0))
    made = replace(made, quantiles=np.linspace(-0.4, 7.4, len(QUANTILES))[None, None])
    lines = text(made, PredictOptions(level=(99, 33))).splitlines()
    assert lines[1] == "a,1970-02-01,4,2,5,-2,9,1,1970-01-31,ok,sales@v1"
    made = replace(made, quantiles=np.full((1, 1, len(QUANTILES)), -0.4))
    assert text(made).splitlines()[1].startswith("a,1970-02-01,0,0,0,0,0,")


def test_json_lines_and_parquet_hold_the_rounded_numbers() -> None:
    made = replace(forecasts("a", horizon=2), bounds=Bounds(decimals=1))
    lines = table_bytes(made, NAMES, PredictOptions(), MODEL, ".jsonl").decode().splitlines()
    assert '"forecast": 10.2, "lo_80": 8.2,' in lines[1]
    table = parquet.read_table(io.BytesIO(table_bytes(made, NAMES, PredictOptions(), MODEL, ".parquet")))
    assert table["forecast"].to_pylist() == [10.0, 10.2]


def test_a_skipped_series_has_rows_without_numbers() -> None:
    made = replace(forecasts("nan", horizon=1), status=("skipped",))
    made = replace(made, quantiles=np.full((1, 1, len(QUANTILES)), np.nan))
    assert text(made).splitlines()[1] == "nan,1970-02-01,,,,,,1,1970-01-31,skipped,sales@v1"


def test_levels_replace_the_usual_bands() -> None:
    header = text(forecasts("a"), PredictOptions(level=(90, 50))).splitlines()[0]
    assert header == "shop,day,forecast,lo_50,hi_50,lo_90,hi_90,step,cutoff,status,model"


def test_quantiles_replace_the_bands() -> None:
    lines = text(forecasts("a"), PredictOptions(quantile=(0.9, 0.1))).splitlines()
    assert lines[0] == "shop,day,forecast,q_0.1,q_0.9,step,cutoff,status,model"
    assert lines[1].startswith("a,1970-02-01,10,8,12,1,")


def test_a_prefix_is_before_our_columns_alone() -> None:
    assert forecast_columns(NAMES, PredictOptions(prefix="fc_", quantile=(0.5,))) == (
        *("shop", "day", "fc_forecast", "fc_q_0.5", "fc_step", "fc_cutoff", "fc_status", "fc_model"),
    )


@pytest.mark.parametrize("name", ["forecast", "lo_80", "step", "cutoff", "status", "model"])
def test_a_column_named_like_one_of_ours_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        forecast_columns(("shop", name), PredictOptions())
    assert str(caught.value) == (
        f"the column '{name}' of the data has the name of a column of the forecast.\n"
        "Give --prefix TEXT to set the forecast's columns apart, such as --prefix fc_."
    )


@pytest.mark.parametrize("name", ["007", "NA", "a,b", 'say "a"', "two\nlines", " edge ", "=1+1", "é", "100%d", "{x}"])
def test_ids_come_back_as_they_were(name: str) -> None:
    rows = list(csv.reader(io.StringIO(text(forecasts(name), names=("a,b", "day")), newline="")))
    assert rows[0][0] == "a,b"
    assert [row[0] for row in rows[1:]] == [name, name]


def test_bands_are_nested_after_rounding() -> None:
    rng = np.random.default_rng(1)
    made = forecasts(*map(str, range(50)))
    made = replace(made, quantiles=np.sort(rng.lognormal(0, 9, made.quantiles.shape), axis=2))
    values = np.array([[float(row[i]) for i in (5, 3, 2, 4, 6)] for row in csv.reader(text(made).splitlines()[1:])])
    assert (np.diff(values, axis=1) >= 0).all()


def test_integer_steps_stay_integers() -> None:
    assert text(forecasts("a", calendar=Calendar())).splitlines()[1].startswith("a,31,10,")


def test_json_lines_hold_one_object_per_row() -> None:
    made = replace(forecasts("a,é", horizon=1), status=("skipped",))
    made.quantiles[:] = np.nan
    line = table_bytes(made, NAMES, PredictOptions(quantile=(0.1,)), MODEL, ".jsonl").decode()
    assert json.loads(line) == {
        **{"shop": "a,é", "day": "1970-02-01", "forecast": None, "q_0.1": None, "step": 1},
        **{"cutoff": "1970-01-31", "status": "skipped", "model": MODEL},
    }


def test_parquet_holds_the_same_table_in_types() -> None:

    data = table_bytes(forecasts("007"), NAMES, PredictOptions(), MODEL, ".parquet")
    table = parquet.read_table(io.BytesIO(data))
    assert table.column_names == HEADER.strip().split(",")
    first = table.slice(0, 1).to_pylist()[0]
    assert (first["shop"], first["forecast"], first["step"]) == ("007", 10.0, 1)
    assert str(first["day"])[:10] == "1970-02-01"


def test_the_same_forecasts_give_the_same_bytes() -> None:
    for suffix in (".csv", ".jsonl", ".parquet"):
        one, two = (table_bytes(forecasts("a"), NAMES, PredictOptions(), MODEL, suffix) for _ in range(2))
        assert one == two, suffix


def test_standard_output_is_csv() -> None:
    assert suffix_of("-") == ".csv"


def test_an_unknown_suffix_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        suffix_of("out.xlsx")
    assert str(caught.value) == (
        "out.xlsx: the suffix '.xlsx' is no known format.\nUse .csv, .parquet or .jsonl, or - for CSV."
    )


def test_an_output_may_replace_an_older_one(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("old")
    check_output(str(tmp_path / "out.csv"), [str(tmp_path / "in.csv")])


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("folder.csv", "the output is a folder."),
        ("in.csv", "the output is the input."),
        ("link.csv", "the output is the input."),
        ("nowhere/out.csv", "there is no folder 'nowhere'."),
        ("model/versions/v1/out.csv", "the output lies inside a trained model."),
        ("model/out.csv", "the output lies inside a trained model."),
    ],
)
def test_an_output_that_would_destroy_something_is_refused(
    output: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.csv").mkdir()
    Path("in.csv").write_text("x")
    Path("link.csv").symlink_to("in.csv")
    Path("model/versions/v1").mkdir(parents=True)
    Path("model/CURRENT").write_text("v1")
    with pytest.raises(UsageError) as caught:
        check_output(output, ["in.csv"])
    assert str(caught.value).splitlines()[0] == f"{output}: {message}"


@pytest.mark.parametrize(
    ("data", "output", "refused"),
    [
        ("in/*.csv", "in/a.csv", True),
        ("in/*.csv", "in/new.csv", True),
        ("in/*.csv", "in/new.parquet", False),
        ("in/*.csv", "new.csv", False),
        ("in/2024-*.csv", "in/predictions.csv", False),
        ("in", "in/new.parquet", True),
        ("in", "in/new.csv", False),
        ("https://host/*.csv", "new.csv", False),
    ],
)
def test_an_output_that_the_next_run_would_read_is_refused(
    data: str, output: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("x")
    if not refused:
        check_output(output, [data])
        return
    with pytest.raises(UsageError) as caught:
        check_output(output, [data])
    assert str(caught.value) == f"{output}: the output would be one of the input files.\nName another output with -o."


@pytest.mark.parametrize("output", ["https://me:secret@host/out.csv", "s3://bucket/out.csv"])
def test_an_output_elsewhere_is_refused(output: str) -> None:
    with pytest.raises(UsageError, match=r"^(https://\*\*\*@host|s3://bucket)/out.csv: this output is a local file\."):
        check_output(output)


SEVERAL = replace(forecasts("a", "a", horizon=1), targets=("y", "z, or %"))


def test_with_several_targets_a_column_after_the_time_names_the_target() -> None:
    assert text(SEVERAL) == HEADER.replace("day,", "day,target,") + (
        "a,1970-02-01,y,10,8,12,7,13,1,1970-01-31,ok,sales@v1\n"
        'a,1970-02-01,"z, or %",11,9,13,8,14,1,1970-01-31,ok,sales@v1\n'
    )


def test_json_lines_name_the_target(tmp_path: Path) -> None:
    lines = table_bytes(SEVERAL, NAMES, PredictOptions(), MODEL, ".jsonl").decode().splitlines()
    assert [json.loads(line)["target"] for line in lines] == ["y", "z, or %"]


def test_parquet_names_the_target() -> None:
    from pyarrow import parquet

    table = parquet.read_table(io.BytesIO(table_bytes(SEVERAL, NAMES, PredictOptions(), MODEL, ".parquet")))
    assert table.column_names[:4] == ["shop", "day", "target", "forecast"]
    assert table.column("target").to_pylist() == ["y", "z, or %"]


def test_a_column_named_target_collides_where_there_are_several() -> None:
    assert forecast_columns(("target", "day"), PredictOptions())[0] == "target"
    with pytest.raises(UsageError) as caught:
        text(SEVERAL, names=("target", "day"))
    assert str(caught.value) == (
        "the column 'target' of the data has the name of a column of the forecast.\n"
        "Give --prefix TEXT to set the forecast's columns apart, such as --prefix fc_."
    )


def test_a_prefix_sets_the_target_apart() -> None:
    assert text(SEVERAL, PredictOptions(prefix="fc_"), ("target", "day")).startswith(
        "target,day,fc_target,fc_forecast,"
    )


def test_a_frame_names_the_target_after_the_time() -> None:
    frame = SEVERAL.to_frame((0.5,))
    assert list(frame.columns) == ["unique_id", "ds", "target", "step", "q_0.5", "status"]
    assert frame["target"].tolist() == ["y", "z, or %"]
