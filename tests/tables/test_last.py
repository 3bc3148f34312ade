"""--last: of each series the last steps count, and nothing of what lies before them."""

from pathlib import Path

import numpy as np
import pytest

from forecast.errors import DataError, UsageError
from forecast.options import ReadOptions
from forecast.tables import read_panel
from forecast.tables.reading import Reading

HEAD = "shop,day,sales\n"
ROWS = [f"{shop},2024-01-{day:02d},{10 * day + place}" for place, shop in enumerate("ab") for day in range(1, 21)]
OPTIONS = {"id": ("shop",), "time": ("day",), "target": ("sales",)}


def reading(folder: Path, rows: list[str], head: str = HEAD, **options: object) -> Reading:
    (folder / "table.csv").write_text(head + "\n".join(rows) + "\n")
    return read_panel(str(folder / "table.csv"), ReadOptions(**{**OPTIONS, **options}))


def values(found: Reading) -> list[list[float]]:
    return [found.panel.values(series).tolist() for series in range(len(found.panel))]


def test_a_table_is_read_as_if_each_series_began_with_its_last_steps(tmp_path: Path) -> None:
    ends_early = [row for row in ROWS if row < "b,2024-01-16"]  # the last 5 of b are those of the 11th to the 15th
    kept = [row for row in ends_early if row >= ("a,2024-01-16" if row.startswith("a") else "b,2024-01-11")]
    cut, whole = reading(tmp_path, ends_early, last=5), reading(tmp_path, kept)
    for name in ("ids", "calendar"):
        assert getattr(cut.panel, name) == getattr(whole.panel, name)
    for name in ("starts", "begins", "lengths", "limits", "target"):
        np.testing.assert_array_equal(getattr(cut.panel, name), getattr(whole.panel, name), name)
    assert cut.options == whole.options
    assert "25 steps before the last 5 of their series were left out" in cut.notices
    assert (cut.source["first"], cut.source["last"], cut.source["last_steps"]) == ("2024-01-11", "2024-01-20", 5)


def test_a_series_that_is_no_longer_stays_as_it_is(tmp_path: Path) -> None:
    cut, whole = reading(tmp_path, ROWS, last=20), reading(tmp_path, ROWS)
    assert values(cut) == values(whole)
    assert cut.notices == whole.notices


def test_steps_are_counted_not_rows(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row.startswith("a") and not row.startswith(("a,2024-01-17", "a,2024-01-18"))]
    found = values(reading(tmp_path, rows, last=5))
    np.testing.assert_array_equal(found, [[160, np.nan, np.nan, 190, 200]])


def test_a_gap_that_is_left_out_is_no_gap(tmp_path: Path) -> None:
    rows = [row for row in ROWS if "2024-01-05" not in row]
    with pytest.raises(DataError, match="--fill is error"):
        reading(tmp_path, rows, fill="error")
    found = reading(tmp_path, rows, fill="error", last=15)
    assert found.panel.lengths.tolist() == [15, 15]
    assert not any("no value" in notice for notice in found.notices)


def test_rows_that_lie_ahead_are_no_history(tmp_path: Path) -> None:
    rows = [f"a,2024-01-{day:02d},{day if day < 11 else ''},{day % 2}" for day in range(1, 16)]
    found = reading(tmp_path, rows, "shop,day,sales,promo\n", future=("promo",), last=3)
    assert values(found) == [[8, 9, 10]]
    assert found.panel.future.tolist() == [[0, 1, 0, 1, 0, 1, 0, 1]]


def test_the_last_steps_before_a_time_are_those_before_it(tmp_path: Path) -> None:
    assert values(reading(tmp_path, ROWS, as_of="2024-01-10", last=2)) == [[90, 100], [91, 101]]


@pytest.mark.parametrize("wide", [True, False])
def test_every_target_and_every_column_keeps_as_many(tmp_path: Path, wide: bool) -> None:
    rows = [f"2024-01-{day:02d},{day},{day + 50}" for day in range(1, 11)]
    options = {"wide": True, "target": ()} if wide else {"target": ("y", "z")}
    assert values(reading(tmp_path, rows, "day,y,z\n", id=(), **options, last=2)) == [[9, 10], [59, 60]]


def test_earlier_rows_still_say_what_the_frequency_is(tmp_path: Path) -> None:
    found = reading(tmp_path, ROWS, last=1)
    assert (found.panel.calendar.freq, values(found)) == ("D", [[200], [201]])


def test_no_step_at_all_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        ReadOptions(last=0)
    assert str(refused.value) == "--last 0 leaves no step.\nUse 1 or more, or leave --last out."
