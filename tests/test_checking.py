import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast import checking, pipeline
from forecast.checking import check, profile
from forecast.errors import DataError, UsageError
from forecast.options import PredictOptions, ReadOptions, Scaler, TrainOptions

DAYS = np.datetime64("2024-01-01") + np.arange(400)
WEEK = np.tile([5.0, 6.0, 7.0, 8.0, 12.0, 15.0, 3.0], 58)[:400]


def write(path: Path, series: dict[str, list[Any]]) -> str:
    """Write a long table of daily series, None for a missing value; return its path."""
    lines = [
        f"{name},{day},{'' if value is None else value}"
        for name, values in series.items()
        for day, value in zip(DAYS, values, strict=False)
    ]
    path.write_text("\n".join(["shop,day,sold", *lines]) + "\n")
    return str(path)


def week(noise: int = 1, length: int = 400) -> list[Any]:
    values = WEEK + np.random.default_rng(noise).normal(size=400)
    return [round(float(value), 2) for value in values[:length]]


def changed(values: list[Any], **changes: Any) -> list[Any]:
    return [changes.get(f"at{step}", value) for step, value in enumerate(values)]


def profile_of(path: str, options: TrainOptions | None = None, **read: Any) -> dict[str, Any]:
    checked = check(path, ReadOptions(**{"id": ("shop",)} | read), options or TrainOptions(), PredictOptions())
    return profile(checked.reading, checked.plan)


@pytest.fixture
def shops(tmp_path: Path) -> str:
    odd = changed(week(2), at100=99.0)
    odd[200:210] = [None] * 10
    series = {
        "usual": week(),
        "=odd()": odd,
        "moved": [value + 40 * (step >= 300) for step, value in enumerate(week(3))],
        "constant": [4.0] * 400,
        "young": week(4, 30),
        "silent": [*week(5, 100), *[None] * 300],
        "stopped": [*week(6, 394), *[None] * 6],
    }
    return write(tmp_path / "shops.csv", series)


def test_the_profile_says_what_each_series_is_like(shops: str) -> None:
    series = {one["id"]: one for one in profile_of(shops)["series"]}
    assert series["=odd()"] == {
        "id": "=odd()",
        "status": "ok",
        "start": "2024-01-01",
        "end": "2025-02-03",
        "steps": 400,
        "missing": 10,
        "gaps": 1,
        "longest_gap": 10,
        "longest_gap_from": "2024-07-19",
        "constant": False,
        "lowest": series["=odd()"]["lowest"],
        "median": series["=odd()"]["median"],
        "highest": 99.0,
        "outliers": 1,
        "level_shifts": 0,
        "largest_outliers": [{"time": "2024-04-10", "value": 99.0, "expected": pytest.approx(7, abs=3)}],
        "largest_level_shifts": [],
    }
    (shift,) = series["moved"]["largest_level_shifts"]
    assert (shift["time"], shift["after"] - shift["before"]) == ("2024-10-27", pytest.approx(40, abs=2))
    assert {name for name, one in series.items() if one["constant"]} == {"constant"}
    assert (series["young"]["outliers"], series["young"]["level_shifts"], series["young"]["end"]) == (
        0, None, "2024-01-30",
    )  # fmt: skip


def test_the_profile_says_which_status_each_series_would_get(shops: str) -> None:
    found = profile_of(shops)
    status = {one["id"]: one["status"] for one in found["series"]}
    assert status | {"usual": "ok", "moved": "ok", "constant": "ok"} == status
    assert (status["young"], status["silent"], status["stopped"]) == ("short", "skipped", "fallback")
    assert found["findings"] == [
        {"what": "1 series has no value in its last 120 steps", "done": "no forecast, status skipped"},
        {
            "what": "1 series misses over half of its last season",
            "done": "forecast by seasonal naive, status fallback",
        },
        {"what": "1 series is shorter than the window of 98 steps", "done": "padded and masked, status short"},
        {"what": "1 series is constant", "done": "the forecast is the constant"},
        {
            "what": "3 series end before the others",
            "done": "forecast from where they end; leave out those that have ended for good",
        },
        {
            "what": "1 value stands out",
            "done": "learned as they are; correct those that are wrong, or leave their cells empty: missing",
        },
        {
            "what": "1 lasting change of level",
            "done": "learned as they are; leave out the rows before, where they no longer tell anything",
        },
        {"what": "1 id would be run by a spreadsheet: '=odd()'", "done": "written as in the table"},
        {"what": "no value is below 0", "done": "where none can be, --min 0 keeps the forecast and its bands from it"},
    ]


def test_seasons_are_those_of_the_plan(shops: str) -> None:
    assert profile_of(shops)["seasons"] == {"given": [], "suggested": [7], "confirmed": [7]}
    assert profile_of(shops, season=(14,))["seasons"] == {"given": [14], "suggested": [7], "confirmed": [14]}


@pytest.mark.parametrize(
    ("values", "minimum"),
    [(week(), 0.0), ([value + 900 for value in week()], None), ([value - 20 for value in week()], None)],
    ids=["near", "far", "below"],
)
def test_a_minimum_is_suggested_where_a_band_could_go_below_0(
    tmp_path: Path, values: list[Any], minimum: float | None
) -> None:
    assert profile_of(write(tmp_path / "one.csv", {"a": values}))["suggested_min"] == minimum


@pytest.mark.parametrize("name", ["-5", "+3.5", "-", "007", "a=b"])
def test_a_number_is_no_formula(tmp_path: Path, name: str) -> None:
    findings = profile_of(write(tmp_path / "one.csv", {name: week()}))["findings"]
    assert any("spreadsheet" in one["what"] for one in findings) == (name == "-")


def test_several_targets_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    rows = zip(DAYS, week(1), week(2), strict=True)
    path.write_text("day,in,out\n" + "".join(f"{day},{one},{other}\n" for day, one, other in rows))
    found = profile_of(str(path), id=(), target=("in", "out"))["series"]
    assert [(one["id"], one["target"]) for one in found] == [("1", "in"), ("1", "out")]


def test_the_profile_is_plain_json(shops: str) -> None:
    found = profile_of(shops)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


REFUSED = {
    "too short": ({"a": week(length=4)}, TrainOptions()),
    "no room for the horizon": ({"a": week()}, TrainOptions(horizon=200)),
    "nothing at the end": ({"a": [*week(length=200), *[None] * 200]}, TrainOptions()),
    "no logarithm": ({"a": changed(week(), at7=0.0)}, TrainOptions(scaler=Scaler.LOG)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_training_refuses_after_reading_is_refused_in_the_same_words(tmp_path: Path, case: str) -> None:
    series, options = REFUSED[case]
    checked = check(write(tmp_path / "bad.csv", series), ReadOptions(id=("shop",)), options, PredictOptions())
    with pytest.raises(DataError) as caught:
        pipeline.train(checked.reading.panel, options, checked.reading.options)
    assert checked.plan is None
    assert str(checked.refusal) == str(caught.value)


def test_a_table_that_is_refused_has_a_profile_without_status(tmp_path: Path) -> None:
    found = profile_of(write(tmp_path / "bad.csv", {"a": week(length=4)}))
    assert (found["plan"], found["seasons"]["confirmed"], found["series"][0]["status"]) == (None, None, None)
    assert found["series"][0]["steps"] == 4


def test_a_name_that_collides_is_refused_as_training_does(tmp_path: Path) -> None:
    path = tmp_path / "step.csv"
    path.write_text("step,y\n" + "".join(f"{day},1\n" for day in DAYS))
    with pytest.raises(UsageError, match="has the name of a column of the forecast"):
        check(str(path), ReadOptions(time=("step",)), TrainOptions(), PredictOptions())
    assert check(str(path), ReadOptions(time=("step",)), TrainOptions(), PredictOptions(prefix="fc_")).plan


def test_at_most_five_outliers_of_a_series_are_listed_the_largest(tmp_path: Path) -> None:
    values = changed(week(), **{f"at{step}": 100.0 + step for step in range(20, 400, 50)})
    (one,) = profile_of(write(tmp_path / "many.csv", {"a": values}))["series"]
    assert one["outliers"] == 8
    assert [found["value"] for found in one["largest_outliers"]] == [270, 320, 370, 420, 470][: checking.MOST]
