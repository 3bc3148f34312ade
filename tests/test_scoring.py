"""From forecasts through the log to scores: what is matched, what waits, what is missing, and corrections."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from forecast.panels.calendar import Calendar
from forecast.panels.panel import Panel, panel_of
from forecast.plan import QUANTILES
from forecast.scoring import Scored, score, together
from forecast.store.log import append, open_parts
from forecast.tables.log_rows import log_table
from forecast.trained import Benchmark, Forecasts

DAYS = Calendar("D", 0, "%Y-%m-%d", "")
HORIZON = 2


def run(
    cutoff: int, *ids: str, point: float = 1.0, version: str = "v1", calendar: Calendar = DAYS, status: str = "ok"
) -> Any:
    """Return the log rows of a run that says `point` for every step."""
    names = ids or ("a",)
    quantiles = np.broadcast_to(point + np.linspace(-3, 3, len(QUANTILES)), (len(names), HORIZON, len(QUANTILES)))
    cutoffs = np.full(len(names), cutoff)
    forecasts = Forecasts(names, calendar, cutoffs, quantiles, QUANTILES, (status,) * len(names))
    ones = np.ones(len(names))
    measured_by = Benchmark(
        np.full((len(names), HORIZON), 3.0), ones, 2 * ones, np.full((len(names), HORIZON), 0.5), 21
    )
    return log_table(forecasts, measured_by, f"sales@{version}")


def truth(calendar: Calendar = DAYS, **series: list[float]) -> Panel:
    """Return what happened from day 1 on."""
    return panel_of(series, calendar)


def only(pieces: list[Any], panel: Panel) -> Scored:
    (found,) = score(pieces, panel, "sales").values()
    return found


def test_a_forecast_is_scored_by_the_truth_of_its_series_and_time() -> None:
    found = only([run(2, "b", "a")], truth(a=[9, 9, 2, 4], b=[9, 9, 1, 1]))
    assert found.counts == {"forecasts": 4, "scored": 4, "pending": 0, "missing": 0, "skipped": 0}
    assert found.sums.totals["absolute"].tolist() == [1, 3]
    assert found.sums.totals["naive_absolute"].tolist() == [1 + 2, 1 + 2]


def test_truth_that_has_not_come_is_waited_for_and_truth_that_never_came_is_missing() -> None:
    late = only([run(2, "a", "b", "gone")], truth(a=[9, 9, 2], b=[9, 9, np.nan, 1]))
    assert late.counts == {"forecasts": 6, "scored": 2, "pending": 1, "missing": 3, "skipped": 0}


def test_truth_that_arrives_late_or_is_corrected_counts_when_it_is_there() -> None:
    pieces = [run(2)]
    assert only(pieces, truth(a=[9, 9, 2])).sums.totals["absolute"].tolist() == [1]
    assert only(pieces, truth(a=[9, 9, 2, 4])).sums.totals["absolute"].tolist() == [1, 3]
    assert only(pieces, truth(a=[9, 9, 5, 4])).sums.totals["absolute"].tolist() == [4, 3]


def test_versions_are_scored_apart_and_together() -> None:
    found = score([run(1), run(2, version="v2", point=2.0)], truth(a=[1, 1, 1, 1]), "sales")
    assert list(found) == ["v1", "v2"]
    assert [one.sums.totals["absolute"].sum() for one in found.values()] == [0, 2]
    total = together(found)
    assert total is not None
    assert total.counts["scored"] == 4
    assert total.course.times.tolist() == [2, 3, 4]


def test_other_models_of_the_log_are_left_alone() -> None:
    assert score([run(1)], truth(a=[1, 1, 1]), "stock") == {}


def test_a_series_that_was_skipped_is_counted_and_not_scored() -> None:
    found = only([run(1, point=np.nan, status="skipped")], truth(a=[1, 1, 1]))
    assert (found.counts["skipped"], found.counts["scored"]) == (2, 0)


def test_a_fallback_is_scored_but_says_nothing_of_drift() -> None:
    found = only([run(1, status="fallback")], truth(a=[1, 1, 1]))
    assert (found.counts["scored"], len(found.course.times)) == (2, 0)


@pytest.mark.parametrize(
    "calendar",
    [
        Calendar(),
        Calendar("h", 0, "%Y-%m-%d %H:%M", "Z"),
        Calendar("h", 0, "%Y-%m-%d %H:%M", "%:z", "Europe/Berlin", elapsed=True),
        Calendar("D", 0, "%Y-%m-%d", "", "Europe/Berlin"),
        Calendar("MS", 0, "%Y-%m", ""),
    ],
    ids=["step", "utc", "elapsed", "clock", "month"],
)
def test_times_of_every_kind_find_their_truth(calendar: Calendar) -> None:
    # Over a change of the clock in spring and in autumn, where there is one.
    panel = replace(truth(calendar, a=[1.0] * 10_000), starts=np.array([0]))
    cutoffs = range(0, 9_990, 370) if calendar.freq != "MS" else range(50)
    found = only([run(cutoff, calendar=calendar) for cutoff in cutoffs], replace(panel, calendar=calendar))
    assert found.counts["scored"] == 2 * len(cutoffs)
    assert found.sums.totals["absolute"].sum() == 0


def test_times_that_the_table_cannot_have_are_missing() -> None:
    hours = Calendar("h", 0, "%Y-%m-%d %H:%M", "")
    assert only([run(30, calendar=hours)], truth(a=[1] * 9)).counts["missing"] == 2
    assert only([run(3)], truth(Calendar(), a=[1] * 9)).counts["missing"] == 2


def test_targets_of_one_id_are_told_apart() -> None:
    panel = replace(truth(a=[5, 5, 5]), targets=("x", "y"), channel=np.array([1]))
    rows = run(1).set_column(1, "target", pa.array(["x", "x"]))
    assert only([rows], panel).counts["missing"] == 2
    assert only([run(1).set_column(1, "target", pa.array(["y", "y"]))], panel).counts["scored"] == 2


def test_what_went_through_the_log_is_scored_the_same(tmp_path: Path) -> None:
    panel = truth(a=[1, 2, 3, 4], b=[4, 3, 2, 1])
    for cutoff in (1, 2):
        append(tmp_path, run(cutoff, "a", "b"))
    read = only([rows for part in open_parts(tmp_path) for rows in part.read()], panel)
    direct = only([run(1, "a", "b"), run(2, "a", "b")], panel)
    assert {name: sums.tolist() for name, sums in read.sums.totals.items()} == {
        name: sums.tolist() for name, sums in direct.sums.totals.items()
    }
