import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast.checking import check, profile
from forecast.options import PredictOptions, ReadOptions, TrainOptions
from forecast.panels.panel import Panel, panel_of
from forecast.report.profile import profile_json, profile_text, sparkline


def one(name: str, **changes: Any) -> dict[str, Any]:
    series = {
        "id": name,
        "status": "ok",
        "start": "2024-01-01",
        "end": "2024-01-05",
        "steps": 5,
        "missing": 0,
        "gaps": 0,
        "longest_gap": 0,
        "longest_gap_from": None,
        "constant": False,
        "lowest": 1.0,
        "median": 2.0,
        "highest": 12345.678,
        "outliers": 0,
        "level_shifts": None,
        "largest_outliers": [],
        "largest_level_shifts": [],
    }
    return series | changes


def profile_with(*series: dict[str, Any], **changes: Any) -> dict[str, Any]:
    profile = {
        "table": {"path": "sales.csv", "rows": 1234, "bytes": 56789, "first": "2024-01-01", "last": "2024-01-05"},
        "read": {"delimiter": ";", "decimal": ","},
        "time": {"form": "%Y-%m-%d", "zone": "+02:00", "frequency": "D"},
        "seasons": {"given": [], "suggested": [24, 168], "confirmed": [24]},
        "plan": {"horizon": 14, "window": 28, "lookback": 120},
        "suggested_min": None,
        "notices": ["delimiter: ';'", "decimal mark: ',' (column 'y' holds '1,5')", "columns: time 'ds', target 'y'"],
        "findings": [],
        "series": list(series),
    }
    return profile | changes


def panel_like(profile: dict[str, Any]) -> Panel:
    return panel_of({f"{row}": np.arange(5.0) for row in range(len(profile["series"]))})


def lines_of(*series: dict[str, Any], **changes: Any) -> list[str]:
    profile = profile_with(*series, **changes)
    return profile_text(profile, panel_like(profile)).splitlines()


def test_the_report_says_what_was_detected() -> None:
    assert lines_of(one("a"), one("b", steps=3))[:8] == [
        "sales.csv: 1,234 rows, 56,789 bytes",
        "dialect: delimiter ';', decimal mark ','",
        "decimal mark: ',' (column 'y' holds '1,5')",
        "columns: time 'ds', target 'y'",
        "time: written as %Y-%m-%d, zone +02:00, from 2024-01-01 to 2024-01-05",
        "seasons: 24, confirmed on the data; 168 not confirmed",
        "lengths: 3 to 5 steps, the median is 3",
        "training: horizon 14, window 28 steps",
    ]


@pytest.mark.parametrize(
    ("given", "suggested", "confirmed", "said"),
    [
        ([24, 168], [24], [24, 168], "24 and 168 (given)"),
        ([], [24, 168], [24, 168], "24 and 168, confirmed on the data"),
        ([], [12], [], "none; the data do not confirm 12"),
        ([], [], [], "none suggested by the frequency (--season)"),
        ([], [12], None, "12 suggested by the frequency"),
    ],
)
def test_seasons_are_said_with_their_reason(given: Any, suggested: Any, confirmed: Any, said: str) -> None:
    seasons = {"given": given, "suggested": suggested, "confirmed": confirmed}
    assert f"seasons: {said}" in lines_of(one("a"), seasons=seasons)


def test_a_series_is_a_line_with_its_course() -> None:
    assert lines_of(one("a", level_shifts=1, outliers=12))[-2:] == [
        "series  status       start         end  steps  missing  gaps  longest  outliers  shifts  lowest    highest  "
        "history",
        "a           ok  2024-01-01  2024-01-05      5        0     0        0        12       1       1  1.235e+04  "
        "▁▃▅▆█",
    ]


def test_of_many_series_those_that_stand_out_are_shown() -> None:
    usual = [one(f"usual {row}") for row in range(40)]
    odd = [
        one("gappy", missing=2),
        one("spiky", outliers=1),
        one("moved", level_shifts=1),
        one("flat", constant=True),
        one("silent", status="skipped"),
    ]
    lines = lines_of(*usual, *odd)
    table = lines[lines.index(next(line for line in lines if line.startswith("series "))) + 1 :]
    assert [line.split()[0] for line in table[:5]] == ["silent", "flat", "moved", "spiky", "gappy"]
    assert [line.split()[1] for line in table[:2]] == ["skipped", "constant"]
    assert table[20] == "and 25 more series, which stand out less; -o profile.json has all."


def test_gaps_outliers_and_shifts_are_listed_up_to_ten() -> None:
    far = [{"time": f"t{step}", "value": 9.5, "expected": 1.25} for step in range(5)]
    series = [
        one("a", longest_gap=7, longest_gap_from="2024-01-02", largest_outliers=far),
        one("b", longest_gap=1, longest_gap_from="2024-01-02", largest_outliers=far),
        one("c", longest_gap=9, longest_gap_from="2024-01-03", largest_outliers=far),
    ]
    series[1]["largest_level_shifts"] = [{"time": "2024-01-04", "before": 1.0, "after": 2.5}]
    lines = lines_of(*series)
    gaps = lines.index("Longest gaps:")
    assert lines[gaps + 1 : gaps + 4] == [
        "  c  from 2024-01-03 on: 9 steps",
        "  a  from 2024-01-02 on: 7 steps",
        "",
    ]
    assert lines[gaps + 5] == "  a  t0: 9.5 where the values around are 1.25"
    assert lines[gaps + 15] == "  and 5 more; -o profile.json has them"
    assert lines[-2:] == ["Lasting changes of level:", "  b  2024-01-04: from 1 to 2.5"]


def test_findings_come_with_what_is_done() -> None:
    lines = lines_of(one("a"), findings=[{"what": "1 value stands out", "done": "kept"}])
    assert lines[lines.index("Worth knowing, and what is done:") + 1] == "  1 value stands out: kept"


def test_an_id_with_line_breaks_stays_in_its_line() -> None:
    assert any(line.startswith("two lines ") for line in lines_of(one("two\nlines")))


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([0.0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([1.0, np.nan, 2], "▁ █"),
        ([5.0, 5, 5], "▁▁▁"),
        ([np.nan, np.nan], "  "),
        ([-3e38, 3e38], "▁█"),
        (np.repeat([1.0, 9.0, 1.0], 400), "▁" * 8 + "█" * 8 + "▁" * 8),
    ],
)
def test_a_sparkline_shows_the_course_of_a_series(values: Any, bars: str) -> None:
    assert sparkline(np.array(values)) == bars


def test_the_file_holds_the_profile_one_series_a_line() -> None:
    profile = profile_with(one("a"), one('b"\n'), one("ü"))
    content = profile_json(profile)
    assert json.loads(content) == profile
    assert len([line for line in content.decode().splitlines() if line.lstrip().startswith('{"id"')]) == 3


def test_a_profile_of_a_real_table_can_be_said_and_written(samples: Path) -> None:
    read = ReadOptions(id=("sector",), target=("employees",))
    checked = check(str(samples / "us_employment.csv"), read, TrainOptions(), PredictOptions())
    found = profile(checked.reading, checked.plan)
    assert json.loads(profile_json(found)) == found
    assert "construction " in profile_text(found, checked.reading.panel)
