from dataclasses import replace

import numpy as np
import pytest

from forecast.errors import MismatchError
from forecast.evaluation import calibration
from forecast.matching import Finding, differences, matching_panel, unknown_ahead, value_ranges
from forecast.options import ReadOptions
from forecast.panels.encoding import Encoding, Role
from forecast.panels.panel import Panel, panel_of
from forecast.plan import Plan
from forecast.trained import Trained

NAN = float("nan")
PLAN = Plan(horizon=2, window=4, segment=2, seasons=(1,), base=1, lookback=6)


def model_of(panel: Panel, plan: Plan = PLAN) -> Trained:
    return Trained(
        plan=plan,
        read=ReadOptions(),
        calendar=panel.calendar,
        ids=panel.ids,
        fitted=(),
        weights=(),
        units=np.ones(len(panel)),
        calibration=calibration.none(plan),
        context=None,
        source={},
        encodings=panel.encodings,
        ranges=value_ranges(panel),
    )


def test_the_range_of_a_series_is_that_of_its_visible_values() -> None:
    panel = panel_of({"a": [5, NAN, 2, 90], "b": [NAN, NAN], "c": [-1.0]})
    cut = panel.select([0, 1, 2], np.array([3, 2, 1]))
    np.testing.assert_array_equal(value_ranges(cut), [[2, 5], [NAN, NAN], [-1, -1]])


@pytest.mark.parametrize(
    ("trained", "now", "far"),
    [
        ([2, 4], [4, 19, 41, 19], False),
        ([2, 4], [4, 41, 42, 43], True),
        ([2, 4], [0.45, 0.45, 0.45], False),
        ([2, 4], [0.1, 0.1, 0.1], True),
        ([0, 4], [0, 0, 0], False),
        ([0, 4], [-1, -1, -1], True),
        ([-4, 4], [-39, -39, -39], False),
        ([-4, 4], [-41, -41, -41], True),
        ([-4, -2], [-0.1, -0.1, -0.1], True),
        ([2, 4], [50, 3, 3, 3], False),
        ([2, 4], [3, 3, 50], False),
        ([2, 4], [NAN, NAN, 50], True),
        ([NAN, NAN], [50, 50, 50], False),
    ],
)
def test_a_level_ten_times_outside_the_range_of_training_is_said(
    trained: list[float], now: list[float], far: bool
) -> None:
    found = differences(model_of(panel_of({"a": trained})), panel_of({"a": now}))
    assert bool(found) == far


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (150, " (1 as if multiplied by 10)"),  # 7.5 times outside 10 to 20
        (1.5, " (1 as if divided by 10)"),
        (1500, " (1 as if multiplied by 100)"),
        (15_000, " (1 as if multiplied by 1,000)"),
        (0.015, " (1 as if divided by 1,000)"),
        (250, ""),  # no such factor leads back to the range, but it is 10 times outside
    ],
)
def test_a_unit_that_would_explain_the_level_is_named(now: float, told: str) -> None:
    (found,) = differences(model_of(panel_of({"a": [10, 20]})), panel_of({"a": [now] * 3}))
    assert found == Finding(
        "at another level than in training",
        1,
        f"1 of 1 series end far outside their range in training: 'a' at {now:.3g} (training 10 to 20). "
        f"Has the unit changed?{told}",
    )


@pytest.mark.parametrize("now", [62, 3.3, 45, 12])
def test_growth_is_no_change_of_unit(now: float) -> None:
    assert differences(model_of(panel_of({"a": [10, 20]})), panel_of({"a": [now] * 3})) == []


def test_all_series_of_a_table_in_another_unit_are_counted_together() -> None:
    trained = model_of(panel_of({name: [10.0 * place, 20.0 * place] for place, name in enumerate("abcd", 1)}))
    now = panel_of({name: [15_000.0 * place] * 3 for place, name in enumerate("abcd", 1)})
    (found,) = differences(trained, now)
    assert (found.count, found.line) == (
        4,
        "4 of 4 series end far outside their range in training: 'a' at 1.5e+04 (training 10 to 20), 'b' at 3e+04 "
        "(training 20 to 40), 'c' at 4.5e+04 (training 30 to 60) and 1 more. Has the unit changed? (4 as if multiplied "
        "by 1,000)",
    )


def test_a_model_from_before_ranges_says_nothing_of_levels() -> None:
    trained = replace(model_of(panel_of({"a": [1, 2]})), ranges=None)
    assert differences(trained, panel_of({"a": [1e9, 1e9]})) == []


def test_as_many_new_ids_as_known_ones_are_no_mismatch() -> None:
    trained = model_of(panel_of({"a": [1, 2], "b": [1, 2]}))
    assert differences(trained, panel_of({"a": [1], "c": [1]})) == [
        Finding("not in the table", 1, "1 of the 2 series of the model are not in the table: 'b'.")
    ]
    with pytest.raises(MismatchError, match="2 of the 3 ids of the table are not known to the model: 'c', 'd'"):
        differences(trained, panel_of({"a": [1], "c": [1], "d": [1]}))


def test_a_series_without_values_needs_no_covariates_ahead() -> None:
    panel = panel_of({"a": [1, 2, 3], "b": [NAN, NAN, NAN]})
    panel = replace(panel, future=np.zeros((1, 6)))
    assert unknown_ahead(panel, replace(PLAN, future=("price",))) == 2


def test_text_that_was_not_read_as_the_model_knows_it_is_a_mismatch() -> None:
    sky = Encoding(Role.PAST, 0, values=("rain", "clear"), shares=(0.5, 0.5))
    panel = replace(panel_of({"a": [1, 2]}), past=np.zeros((2, 2)), encodings=(sky,))
    trained = model_of(panel, replace(PLAN, past=("sky=rain", "sky=clear")))
    assert matching_panel(trained, panel)[0] is not None
    other = replace(panel, encodings=(replace(sky, values=("clear", "rain")),))
    with pytest.raises(MismatchError) as caught:
        matching_panel(trained, other)
    assert str(caught.value) == (
        "the covariates that are no numbers were not read as the model knows them.\n"
        "Read the table with encodings=trained.encodings."
    )
