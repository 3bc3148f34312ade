"""The fingerprint of a training changes with everything that its weights depend on."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.fingerprint import fingerprint_of, of_panel
from forecast.options import Device, TrainOptions
from forecast.panels.calendar import Calendar
from forecast.panels.encoding import Encoding
from forecast.panels.panel import Panel, panel_of
from forecast.plan import Plan

PLAN = Plan(horizon=2, window=4, segment=2, seasons=(2,), base=2, lookback=6)


def make_panel() -> Panel:
    panel = panel_of({"a": [1.0, 2.0, np.nan], "b": [3.0, 4.0]})
    return replace(panel, past=np.ones((1, 5)), future=np.zeros((1, 5)), static=np.ones((2, 1)))


@pytest.mark.parametrize(
    "change",
    [
        {"ids": ("a", "c")},
        {"calendar": Calendar("D", 0, "%Y-%m-%d", "")},
        {"starts": np.array([0, 1])},
        {"lengths": np.array([2, 2])},
        {"target": np.array([1.0, 2.0, np.nan, 3.0, 4.0 + 1e-15 * 4])},
        {"past": np.full((1, 5), 2.0)},
        {"past": np.ones((1, 5)), "future": np.empty((0, 0))},
        {"static": np.full((2, 1), 0.5)},
        {"targets": ("x", "y"), "channel": np.array([0, 1])},
        {"encodings": (Encoding("past", 0, boolean=True),)},
    ],
)
def test_a_panel_that_differs_anywhere_has_another_fingerprint(change: dict[str, object]) -> None:
    assert of_panel(replace(make_panel(), **change)) != of_panel(make_panel())  # type: ignore[arg-type]


def test_equal_panels_have_equal_fingerprints() -> None:
    assert of_panel(make_panel()) == of_panel(make_panel())


@pytest.mark.parametrize("change", [{"trials": 3}, {"device": Device.GPU}])
def test_options_that_are_in_no_plan_are_in_the_fingerprint(change: dict[str, object]) -> None:
    options = replace(TrainOptions(), **change)  # type: ignore[arg-type]
    other = fingerprint_of(make_panel(), PLAN, options)
    assert other.settings != fingerprint_of(make_panel(), PLAN, TrainOptions()).settings


def test_a_limit_in_time_is_not_in_the_fingerprint() -> None:
    limited = fingerprint_of(make_panel(), PLAN, TrainOptions(time_limit="1h"))
    assert limited == fingerprint_of(make_panel(), PLAN, TrainOptions())
