"""An interrupted training that goes on from its checkpoint publishes the bytes of one that was never interrupted."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecast import pipeline, store
from forecast.backtesting import backtest_training
from forecast.errors import MismatchError
from forecast.options import BacktestOptions, Forecaster, Scaler, TrainOptions
from forecast.panels.panel import Panel, panel_of
from forecast.plan import Plan
from forecast.planning import settle
from forecast.progress import Progress
from forecast.store import bundle
from forecast.surroundings import Clock, Surroundings

# So few steps that a mix would leave the network out, and nothing would be trained a second time.
OPTIONS = TrainOptions(
    horizon=4,
    units=8,
    members=2,
    window=14,
    segment=7,
    origins=6,
    scaler=Scaler.STANDARD,
    epochs=3,
    patience=2,
    forecaster=Forecaster.NETWORK,
)


class Killed(BaseException):
    """The end of a run in the middle of it."""


def make_panel(targets: int = 1) -> Panel:
    rng = np.random.default_rng(2)
    step = np.arange(90)
    panel = panel_of(
        {str(row): 10 + 3 * np.sin(2 * np.pi * step / 7 + row) + 0.3 * rng.standard_normal(90) for row in range(4)}
    )
    if targets == 1:
        return panel
    return replace(panel, ids=("a", "a", "b", "b"), targets=("sales", "rain"), channel=np.array([0, 1, 0, 1]))


def plan_of(panel: Panel) -> Plan:
    return replace(settle(panel, OPTIONS, (7,)), epoch=10, steps=30)


def train(panel: Panel, folder: Path, resume: bool = False, listen: Callable[[Progress], None] = lambda _: None,
          limit: float = np.inf) -> dict[str, bytes]:  # fmt: skip
    """Train with a checkpoint; return the files of the model."""
    with store.checkpoint(folder, "sales", resume) as checkpoint:
        around = Surroundings(Clock(limit), checkpoint=checkpoint)
        outcome = pipeline.train(panel, OPTIONS, plan=plan_of(panel), listen=listen, around=around)
        checkpoint.discard()
    return bundle.encode(outcome.trained)


def killed_at(stage: str, looks: int) -> Callable[[Progress], None]:
    """Return a listener that ends the run at a look of a stage."""
    seen: list[Progress] = []

    def listen(progress: Progress) -> None:
        if progress.stage == stage and progress.loss is not None:
            seen.append(progress)
        if len(seen) == looks:
            raise Killed

    return listen


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the files of a model whose training was never interrupted."""
    return train(make_panel(), tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize(("stage", "looks"), [("choosing", 1), ("choosing", 4), ("final", 1), ("final", 3)])
def test_a_resumed_training_gives_the_bytes_of_one_that_was_not_interrupted(
    tmp_path: Path, whole: dict[str, bytes], stage: str, looks: int
) -> None:
    with pytest.raises(Killed):
        train(make_panel(), tmp_path, listen=killed_at(stage, looks))
    heard: list[Progress] = []
    assert train(make_panel(), tmp_path, resume=True, listen=heard.append) == whole
    assert stage == "choosing" or not [one for one in heard if one.stage == "choosing" and one.loss is not None]


def test_a_training_that_is_interrupted_again_and_again_gives_the_same_bytes(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    for stage in ("choosing", "choosing", "choosing", "final", "final"):
        with pytest.raises(Killed):
            train(make_panel(), tmp_path, resume=True, listen=killed_at(stage, 1))
    assert train(make_panel(), tmp_path, resume=True) == whole


def test_a_training_on_several_targets_goes_on_as_well(tmp_path: Path) -> None:
    whole = train(make_panel(2), tmp_path)
    for stage in ("mixed", "final"):
        with pytest.raises(Killed):
            train(make_panel(2), tmp_path, resume=True, listen=killed_at(stage, 2))
    assert train(make_panel(2), tmp_path, resume=True) == whole


def test_a_time_limit_that_cuts_nothing_changes_nothing(tmp_path: Path, whole: dict[str, bytes]) -> None:
    with pytest.raises(Killed):
        train(make_panel(), tmp_path, listen=killed_at("final", 1), limit=3600.0)
    assert train(make_panel(), tmp_path, resume=True, limit=3600.0) == whole


def test_changed_data_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train(make_panel(), tmp_path, listen=killed_at("choosing", 2))
    panel = make_panel()
    panel.target[7] += 1e-9
    with pytest.raises(MismatchError, match="other data"):
        train(panel, tmp_path, resume=True, listen=lambda _: pytest.fail("it was trained"))


def test_a_backtest_keeps_no_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    backtest_training(make_panel(), BacktestOptions(origins=1), replace(OPTIONS, members=1, epochs=1))
    assert list(tmp_path.iterdir()) == []
