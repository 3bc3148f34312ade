"""The ablation forecasts the end of the training rows, and its changes are changes."""

from pathlib import Path

import ablation
import numpy as np
import pytest
from sets import SETS, DataSet

from forecast import Plan


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the training and test rows of a competition of two series."""
    for name, first, last in (("train", 1, 60), ("test", 61, 64)):
        rows = [f"{one},{step},{10 * step}" for one in ("a", "b") for step in range(first, last + 1)]
        (tmp_path / f"{name}.csv").write_text("unique_id,ds,y\n" + "\n".join(rows) + "\n", encoding="utf-8")
    one = DataSet("made_up", "train.csv", 4, (7,), {"season": (7,)}, test="test.csv")
    monkeypatch.setitem(SETS, "made_up", one)
    return tmp_path


def test_the_end_of_the_training_rows_is_forecast_and_no_test_row_is_there(table: Path) -> None:
    case = ablation.end_of("made_up", table)
    assert case.lengths.tolist() == [56, 56]
    assert case.cut(np.arange(2)).truth(4).tolist() == [[570, 580, 590, 600]] * 2
    assert case.panel.lengths.tolist() == [60, 60]


@pytest.mark.parametrize("change", [name for name in ablation.CHANGES if name != ablation.AS_IT_IS])
def test_a_change_changes_the_plan_and_keeps_the_number_of_networks(change: str) -> None:
    sizes = {"horizon": 4, "window": 14, "segment": 7, "seasons": (7,), "base": 7, "lookback": 120}
    members = {"transforms": ("log", "standard"), "windows": (7, 14), "bases": (0, 7), "smoothings": (True, False)}
    plan = Plan(**sizes, **members, calendar=("day of week",))
    changed = ablation.CHANGES[change](plan)
    assert changed != plan
    assert (changed.members, changed.horizon) == (plan.members, plan.horizon)


def test_greedy_selection_takes_opposite_errors_for_their_mean() -> None:
    truth = np.arange(12.0).reshape(3, 4) + 1
    weights = ablation.by_selection(truth, [truth + 1, truth - 1, truth + 9], np.ones(3))
    np.testing.assert_allclose(weights, [0.5, 0.5, 0])
