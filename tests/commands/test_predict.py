import json
from dataclasses import replace
from typing import Any

import pytest

from forecast.commands import run
from forecast.commands.findings import by_status, counted, notices, too_many_bad
from forecast.commands.rereading import merged
from forecast.errors import MismatchError
from forecast.options import Duplicates, ReadOptions
from tests.commands.conftest import forecasts_of, sales

TABLE = """shop,day,forecast,lo_80,hi_80,lo_95,hi_95,step,cutoff,status,model
a,1970-01-12,9,7,11,6,12,1,1970-01-11,ok,sales@v1
a,1970-01-13,9,7,11,6,12,2,1970-01-11,ok,sales@v1
"""


def test_predict_writes_a_table_and_says_so(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    world.panel = sales("a")
    assert run(["predict", "new.csv", "--max-age", "100000d"]) == 0
    assert (world.folder / "predictions.csv").read_text() == TABLE
    assert capsys.readouterr().err.splitlines() == [
        "2 gaps stay missing.",
        "Wrote 2 rows to predictions.csv",
        "1 of the 2 series of the model are not in the table: 'b'.",
    ]


def test_predict_writes_to_standard_output(world: Any, capfd: pytest.CaptureFixture[str]) -> None:
    world.panel = sales("a")
    run(["predict", "new.csv", "-o", "-"])
    assert capfd.readouterr().out == TABLE


def test_predict_without_data_reads_the_table_of_training(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (world.folder / "sales.csv").write_text("x")
    run(["predict"])
    assert world.seen("read")[0] == "sales.csv"
    assert capsys.readouterr().err.splitlines()[0] == "Reading sales.csv, the table that sales was trained on."


def test_predict_without_any_table_uses_the_stored_rows(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(["predict"])
    assert world.seen("predict") == (None, None)
    assert capsys.readouterr().err.splitlines()[0] == "Forecasting from the rows stored with sales, up to 1970-01-11."


def test_predict_reads_as_training_did_unless_told_again(world: Any) -> None:
    run(["predict", "new.csv", "--target", "units"])
    _, read, model = world.seen("read")
    assert (read.id, read.target, model) == (("shop",), ("units",), True)


def test_what_is_given_again_replaces_what_training_settled() -> None:
    settled = ReadOptions(id=("shop",), delimiter=";", duplicates=Duplicates.SUM)
    assert merged(settled, ReadOptions(delimiter=",", fill="zero"), "new.csv") == ReadOptions(
        id=("shop",), delimiter=",", duplicates=Duplicates.SUM, fill="zero"
    )


def test_the_holidays_of_a_model_cannot_be_given_again() -> None:
    settled = ReadOptions(holidays="AU-VIC")
    for again in (ReadOptions(), ReadOptions(holidays="AU-VIC")):
        assert merged(settled, again, "new.csv") == settled
    for trained, found in ((settled, "the holidays of AU-VIC"), (ReadOptions(), "no holidays")):
        with pytest.raises(MismatchError) as caught:
            merged(trained, ReadOptions(holidays="DE"), "new.csv")
        assert str(caught.value) == (
            f"the model was trained with {found}, not with those of DE.\nLeave --holidays out, or train again."
        )


def test_predict_hands_over_model_and_horizon(world: Any) -> None:
    run(["predict", "new.csv", "-m", "shop@previous", "--models", "store", "-H", "5"])
    assert world.seen("load") == ("store", "shop@previous")
    assert world.seen("predict")[1] == 5


def test_quiet_says_nothing(world: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["predict", "-q"]) == 0
    assert capfd.readouterr() == ("", "")


def test_too_many_bad_series_leave_with_3_and_are_written(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    world.status = "fallback"
    assert run(["predict", "-q"]) == 3
    assert capsys.readouterr().err == (
        "Error: 2 of 2 series fell back or were skipped, more than --max-bad 5%: 'a' fallback, 'b' fallback.\n"
        "The output is written, its column status says which. Mend the last rows of these series, or allow more.\n"
    )
    assert "fallback" in (world.folder / "predictions.csv").read_text()


def test_bad_series_within_the_share_are_a_success(world: Any) -> None:
    world.status = "fallback"
    assert run(["predict", "-q", "--max-bad", "100%"]) == 0


def test_max_bad_of_zero_means_that_any_is_too_many() -> None:
    one = forecasts_of(sales("a"), status="skipped")
    assert too_many_bad(one, "0%") is not None
    assert too_many_bad(forecasts_of(sales("a")), "0%") is None


def test_notices_count_what_is_unusual() -> None:
    assert notices(forecasts_of(sales("a", "b"), 3, "new"), 2) == [
        "The model was trained for 2 steps; up to step 3 it is fed its own forecast, and the bands are wider.",
        "2 of 2 series new (not known to the model: forecast with a scale of their own): 'a', 'b'.",
    ]


def test_the_record_counts_series_by_reason() -> None:
    forecasts = replace(forecasts_of(sales("a", "b", "c", "d")), status=("short", "skipped", "fallback", "fallback"))
    assert counted(by_status(forecasts)) == {
        "shorter than the window": 1,
        "without any value": 1,
        "repeated instead": 2,
    }


def test_too_many_bad_series_are_an_error_in_json_too(world: Any, capfd: pytest.CaptureFixture[str]) -> None:
    world.status = "skipped"
    assert run(["predict", "--json"]) == 3
    said = capfd.readouterr()
    assert json.loads(said.out)["reasons"] == {"without any value": 2}
    assert json.loads(said.err)["error"]["code"] == 3


def test_old_values_are_no_forecast_where_that_is_an_error(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["predict", "new.csv", "--max-age", "error:36h"]) == 17
    said = capsys.readouterr().err.splitlines()
    assert said[-2].startswith("Error: sales.csv: the newest value is of 1970-01-11, ")
    assert said[-2].endswith("d before now: more than 1d 12h.")
    assert said[-1] == "Bring newer rows, or allow more with --max-age."
    assert not (world.folder / "predictions.csv").exists()


def test_old_values_are_said_and_recorded(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["predict", "--record", "run.json"]) == 0
    record = json.loads((world.folder / "run.json").read_text())
    assert (record["newest"], record["age_seconds"] > 50 * 365 * 86400) == ("1970-01-11", True)
    assert record["notices"] == [capsys.readouterr().err.splitlines()[-2]]
    assert record["notices"][0].startswith("the rows stored with sales: the newest value is of 1970-01-11, ")
    assert record["notices"][0].endswith("d before now: more than 2 steps of D.")


@pytest.mark.parametrize(("option", "value"), [("--as-of", "1970-01-05"), ("--last", "3")])
def test_what_would_have_been_forecast_from_less_needs_a_table(
    world: Any, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    assert run(["predict", option, value]) == 2
    assert capsys.readouterr().err == (
        f"Error: {option} cuts a table, and that of sales is not there any more.\n"
        "Name the table to forecast from as well.\n"
    )


def test_record_is_the_run_record(world: Any) -> None:
    run(["predict", "new.csv", "--record", "run.json"])
    record = json.loads((world.folder / "run.json").read_text())
    assert record["exit_code"] == 0
    assert record["model"] == "sales@v1"
    assert record["bundle_sha256"] == "cd"
    assert record["status"] == {"ok": 2}
    assert record["output"][0]["path"] == "predictions.csv"
    assert record["output"][0]["bytes"] == (world.folder / "predictions.csv").stat().st_size


def test_the_record_of_too_many_bad_series_holds_the_exit_code(world: Any) -> None:
    world.status = "skipped"
    run(["predict", "-q", "--record", "run.json"])
    assert json.loads((world.folder / "run.json").read_text())["exit_code"] == 3


def test_json_prints_one_document(world: Any, capfd: pytest.CaptureFixture[str]) -> None:
    run(["predict", "new.csv", "--json"])
    said = capfd.readouterr()
    assert json.loads(said.out)["series"] == 2
    assert said.err == ""


def test_json_and_a_table_cannot_share_standard_output(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["predict", "--json", "-o", "-"]) == 2
    assert json.loads(capsys.readouterr().err) == {
        "error": {
            "code": 2,
            "message": "--json and -o - both print on standard output.",
            "hint": "Write the forecast to a file.",
        }
    }


def test_the_table_of_training_is_not_overwritten(world: Any) -> None:
    (world.folder / "sales.csv").write_text("precious")
    assert run(["predict", "-o", "sales.csv"]) == 2
    assert (world.folder / "sales.csv").read_text() == "precious"
