"""The tables of the documentation are what the result files say."""

from pathlib import Path

import pytest
import record
import summary
from accuracy import FIELDS, KEY


def ours(part: str, seed: int, mase: float, name: str = "air_passengers") -> dict[str, object]:
    """Return a line of ours."""
    line = {"set": name, "part": part, "preset": "balanced", "seed": seed, "mase": mase}
    return line | {"mse": mase, "mae": mase + 1, "train_seconds": 10}


def rival(model: str, mase: object, outcome: str = "done") -> dict[str, object]:
    """Return a line of a rival."""
    return {"set": "air_passengers", "model": model, "seed": 1, "mase": mase, "seconds": 5, "outcome": outcome}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Return a folder of results of one set: two seeds of ours, one rival that ended and one that did not."""
    lines = [ours("whole", 1, 0.4), ours("whole, recurrence cut", 1, 0.6), ours("whole", 2, 0.44)]
    record.merge(tmp_path / "accuracy" / "air_passengers.csv", lines, FIELDS, KEY)
    others = [rival("AutoETS", 0.5), rival("MSTL", "", "over 40 minutes")]
    fields = (*FIELDS, "model", "seconds", "outcome")
    record.merge(tmp_path / "rivals" / "air_passengers.csv", others, fields, ("set", "model", "seed"))
    return tmp_path


def test_a_table_has_a_row_for_each_part_and_rival_and_no_empty_column(results: Path) -> None:
    found = [record.read(results / part / "air_passengers.csv") for part in ("accuracy", "rivals")]
    assert summary.set_table(*found).splitlines() == [
        "| what | seeds | MASE | MSE | MAE | seconds |",
        "| --- | --- | --- | --- | --- | --- |",
        "| whole (balanced) | 2 | 0.420 ± 0.028 | 0.420 ± 0.028 | 1.420 ± 0.028 | 10 ± 0 |",
        "| whole, recurrence cut (balanced) | 1 | 0.600 | 0.600 | 1.600 | 10 |",
        "| AutoETS | 1 | 0.500 |  |  | 5 |",
        "| MSTL: over 40 minutes | 1 |  |  |  | 5 |",
    ]


def test_the_overview_puts_sets_beside_baselines_and_rivals(results: Path) -> None:
    assert summary.overview(results / "accuracy", results / "rivals").splitlines()[2:] == [
        "| air_passengers | 0.420 ± 0.028 | 0.600 | 0.500 |"
    ]


def test_a_seed_counts_for_the_mean_of_horizons_when_every_horizon_was_run() -> None:
    horizons = (96, 192, 336, 720)
    lines = [ours("whole", 1, place / 10, f"etth1_{horizon}") for place, horizon in enumerate(horizons)]
    lines.append(ours("whole", 2, 0.9, "etth1_96"))
    texts = [{name: str(value) for name, value in line.items()} for line in lines]
    assert summary.horizons_table(texts).splitlines()[2:] == ["| whole (balanced) | 1 | 0.150 | 1.150 |"]
