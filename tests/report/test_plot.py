import os
import struct
from pathlib import Path

import numpy as np
import pytest

from forecast.panels.calendar import Calendar
from forecast.panels.panel import Panel, panel_of
from forecast.plan import QUANTILES, Plan
from forecast.report.plot import forecast_plot
from forecast.trained import Forecasts

PLAN = Plan(horizon=3, window=4, segment=2, seasons=(2,), base=2, lookback=6)
HOURLY = Calendar("h", 0, "%Y-%m-%dT%H:%M", "")


def picture(panel: Panel, status: str = "ok", horizon: int = 3) -> bytes:
    quantiles = np.zeros((len(panel), horizon, len(QUANTILES))) + np.linspace(-1, 1, len(QUANTILES))
    made = Forecasts(panel.ids, panel.calendar, panel.last, quantiles, QUANTILES, (status,) * len(panel))
    return forecast_plot(panel, made, PLAN, "sales@v1", "12 % better than repeating yesterday")


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])  # type: ignore[return-value]


def named(*names: str, calendar: Calendar = HOURLY) -> Panel:
    return panel_of({name: np.arange(9.0) for name in names}, calendar)


def test_the_picture_grows_with_the_series_up_to_four() -> None:
    heights = [size(picture(named(*"abcdefgh"[:count])))[1] for count in (1, 3, 4, 8)]
    assert heights[0] < heights[1] == heights[2] == heights[3]


@pytest.mark.parametrize("calendar", [Calendar(), Calendar("MS", 0, "%Y-%m", "")])
def test_any_time_axis_can_be_drawn(calendar: Calendar) -> None:
    assert size(picture(named("a", calendar=calendar)))[0] > 1000


@pytest.mark.parametrize(("freq", "horizon"), [("min", 230), ("h", 91), ("MS", 38)])
def test_a_time_axis_of_any_length_has_labels_that_fit(freq: str, horizon: int) -> None:
    # Lengths for which the library, as it comes, finds no interval between labels, says so, and makes them too many.
    assert size(picture(named("a", calendar=Calendar(freq, 0, "%Y-%m-%dT%H:%M", "")), horizon=horizon))[0] > 1000


def test_ids_are_no_formulas() -> None:
    assert size(picture(named("$x_{", "b" * 500, "two\nlines")))[0] > 1000


def test_a_forecast_of_nothing_is_a_picture_too() -> None:
    assert size(picture(named("a"), status="skipped"))[0] > 1000


def test_drawing_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("MPLCONFIGDIR", "mine")
    monkeypatch.setattr("tempfile.tempdir", None)
    picture(named("a"))
    assert list(tmp_path.iterdir()) == []
    assert os.environ["MPLCONFIGDIR"] == "mine"
