"""The linear forecast that a network may start from."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.forecasters import least_squares
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm import linear_base, network
from forecast.forecasters.lstm.examples import Examples, examples_of
from forecast.panels import scaling
from forecast.panels.panel import Panel, panel_of
from forecast.plan import LINEAR, MEDIAN, Plan

PLAN = Plan(horizon=6, window=24, segment=6, seasons=(6,), base=1, bases=(LINEAR,), lookback=40, units=4)


def waves(steps: int, seed: int = 1, noise: float = 0.05) -> np.ndarray:
    time = np.arange(steps)
    return np.sin(time * np.pi / 3) + 0.01 * time + np.random.default_rng(seed).normal(0, noise, steps)


def examples(panel: Panel, plan: Plan = PLAN) -> Examples:
    nothing = np.empty((0, len(panel.target)))
    return examples_of(
        panel, plan.member(0), scaling.fit(panel, "standard"), (nothing, nothing), np.zeros((len(panel), 0)), {}
    )


def weights(panel: Panel, plan: Plan = PLAN) -> np.ndarray:
    return linear_base.fit(examples(panel, plan), plan.member(0))


def start_of(panel: Panel, plan: Plan = PLAN) -> np.ndarray:
    """Return what a network forecasts that has not learned anything: its base, (series, horizon)."""
    scales = scaling.fit(panel, "standard")
    arrays = {name: np.zeros(shape) for name, shape in network.shapes(plan, len(panel)).items()}
    arrays |= {f"series.standard.{name}": getattr(scales, name) for name in ("centre", "spread", "power")}
    arrays["member_0.base.weights"] = weights(panel, plan)
    return network.run(Fitted(Kind.NETWORK, arrays), panel, np.arange(len(panel)), plan)[:, :, MEDIAN]


def test_waves_on_a_trend_are_continued_before_any_training() -> None:
    whole = panel_of({"a": waves(200), "b": 1000 + 50 * waves(206, seed=2)})
    error = np.abs(start_of(whole.without_end(6)) - whole.tail(6)).mean(axis=1)
    assert (error < np.array([0.1, 5.0])).all()


def test_rows_out_of_sight_teach_it_nothing() -> None:
    spoilt = panel_of({"a": np.append(waves(200), np.full(50, 1e6))}).without_end(50)
    np.testing.assert_array_equal(weights(spoilt), weights(panel_of({"a": waves(200)})))


def test_scattered_gaps_do_not_keep_it_from_learning() -> None:
    values = waves(400)
    values[np.random.default_rng(2).random(400) < 0.2] = np.nan
    plan = replace(PLAN, horizon=48)  # hardly a window has all its targets
    assert weights(panel_of({"a": values}), plan).any()
    assert np.abs(start_of(panel_of({"a": values}), plan)[0] - waves(448, noise=0)[-48:]).mean() < 0.4


def test_windows_with_unknown_targets_are_left_out() -> None:
    values = waves(200)
    values[60:63] = np.nan
    assert np.isfinite(weights(panel_of({"a": values}))).all()
    assert np.abs(start_of(panel_of({"a": values}))[0] - waves(206, noise=0)[-6:]).max() < 0.3


def test_without_a_single_window_it_is_the_level_of_the_last_season() -> None:
    panel = panel_of({"a": [1.0, 5.0, 3.0, 3.0, 4.0, 2.0, 6.0]})
    plan = replace(PLAN, horizon=7)
    assert not weights(panel, plan).any()
    np.testing.assert_allclose(start_of(panel, plan), [[23 / 6] * 7])


def test_calm_windows_do_not_outweigh_those_that_move() -> None:
    """Noise a fiftieth as large, in four of five windows, would otherwise make the weights those of noise."""
    values = waves(1000) - 0.01 * np.arange(1000)
    values[:800] = np.random.default_rng(5).normal(0, 0.02, 800)
    found, alone = start_of(panel_of({"a": values})), start_of(panel_of({"a": values[800:]}))
    np.testing.assert_allclose(found, alone, atol=0.1)


def test_many_windows_are_sampled_evenly_and_give_much_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = panel_of({str(seed): waves(300, seed) for seed in range(5)})
    whole = start_of(panel)
    monkeypatch.setattr(least_squares, "MOST", 400)
    np.testing.assert_allclose(start_of(panel), whole, atol=0.1)


def test_the_weights_are_float32_values_of_the_shape_that_the_loader_expects() -> None:
    found = weights(panel_of({"a": waves(200)}))
    assert found.shape == network.weight_shapes(PLAN.member(0))["base.weights"]
    np.testing.assert_array_equal(found, found.astype(np.float32))


def test_training_starts_from_it_and_keeps_it_beside_the_weights() -> None:
    panel = panel_of({"a": waves(200), "b": waves(180, 2)})
    origins = network.Origins(np.arange(2), panel.lengths - 6)
    plan = replace(PLAN, transforms=("standard",) * 2, bases=(1, LINEAR), steps=20, epoch=20, batch=16)
    result = network.fit(panel.without_end(6), plan, origins, lambda *_: None)
    last_value, linear = (row["reference"] for row in result.history)
    assert linear < 0.5 * last_value
    np.testing.assert_array_equal(result.fitted.arrays["member_1.base.weights"], weights(panel.without_end(6)))
