"""A training on several targets: when it mixes them, and that the choice has seen no row that it must not have seen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecast import pipeline, store
from forecast.evaluation.metrics import by_target
from forecast.golden import golden_forecast
from forecast.options import Forecaster
from forecast.panels.panel import Panel, panel_of
from forecast.plan import Plan
from forecast.prediction import predict
from forecast.store.records import parse

LENGTH, DELAY = 600, 3
PLAN = Plan(
    horizon=3,
    window=8,
    segment=4,
    seasons=(1,),
    base=1,
    lookback=20,
    units=16,
    forecaster=Forecaster.NETWORK,
    origins=12,
    validation=60,
    steps=300,
    batch=128,
    learning_rate=1e-2,
)


def swinging(seed: int) -> np.ndarray:
    """Return an autoregression of first order, which nothing but its last value helps to forecast."""
    values, noise = np.zeros(LENGTH), np.random.default_rng(seed).standard_normal(LENGTH)
    for step in range(1, LENGTH):
        values[step] = 0.7 * values[step - 1] + noise[step]
    return values


def two_targets(first: np.ndarray, second: np.ndarray) -> Panel:
    panel = panel_of({"first": 50 + first, "second": 1000 + 200 * second})
    return replace(panel, ids=("1", "1"), targets=("first", "second"), channel=np.array([0, 1]))


@pytest.fixture(scope="module")
def leading() -> Panel:
    """The second target is the first one three steps before, and a little noise."""
    first = swinging(1)
    second = np.roll(first, DELAY) + 0.1 * np.random.default_rng(2).standard_normal(LENGTH)
    return two_targets(first, second)


@pytest.fixture(scope="module")
def mixed(leading: Panel) -> pipeline.Outcome:
    return pipeline.train(leading, plan=PLAN)


@pytest.fixture(scope="module")
def apart() -> pipeline.Outcome:
    return pipeline.train(two_targets(swinging(1), swinging(5)), plan=PLAN)


def test_a_target_that_follows_another_one_is_forecast_with_that_in_sight(mixed: pipeline.Outcome) -> None:
    assert mixed.trained.plan.mixed_targets
    assert mixed.targets is not None
    assert mixed.targets["mixed"]
    assert mixed.targets["mixed_error"] < 0.8 * mixed.targets["independent_error"]


def test_targets_that_have_nothing_to_do_with_each_other_stay_apart(apart: pipeline.Outcome) -> None:
    assert not apart.trained.plan.mixed_targets
    assert apart.targets is not None
    assert not apart.targets["mixed"]


def test_the_choice_has_not_seen_the_rows_that_are_held_back(leading: Panel, mixed: pipeline.Outcome) -> None:
    target = leading.target.copy()
    for end in leading.ends:
        target[end - PLAN.held_back : end] += np.arange(PLAN.held_back) ** 2
    changed = pipeline.train(replace(leading, target=target), plan=PLAN)
    assert changed.targets == mixed.targets


def test_a_training_on_one_target_tries_no_mixing() -> None:
    outcome = pipeline.train(panel_of({"first": swinging(1), "second": swinging(2)}), plan=replace(PLAN, steps=50))
    assert outcome.targets is None
    assert {row["phase"] for row in outcome.history} == {"choosing", "final"}


def test_the_history_holds_all_three_trainings(mixed: pipeline.Outcome) -> None:
    phases = dict.fromkeys(row["phase"] for row in mixed.history)
    assert list(phases) == ["choosing", "choosing, mixed targets", "final"]


def test_the_golden_forecast_names_its_targets(mixed: pipeline.Outcome) -> None:
    assert parse(golden_forecast(mixed.trained))["targets"] == ["first", "second"]


def test_what_was_trained_is_loaded_and_forecasts_the_same(mixed: pipeline.Outcome, tmp_path: Path) -> None:
    store.publish(tmp_path, "both", mixed.trained, lambda _: {})
    loaded = store.load(tmp_path, "both").trained
    assert predict(loaded).quantiles.tobytes() == mixed.forecasts.quantiles.tobytes()


def test_mixed_a_forecast_is_better_on_held_back_rows_too(mixed: pipeline.Outcome) -> None:
    scores = by_target(mixed.backtest, mixed.trained.plan)["second"]
    assert scores["model"]["mase"] < 0.7 * scores["ridge"]["mase"]
