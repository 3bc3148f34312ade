"""The forecast of exponential smoothing that a network is shown: of what lies before its origin, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.forecasters import smoothing
from forecast.forecasters.lstm import network, smoothed
from forecast.forecasters.lstm.examples import MOST, examples_of, windows_at
from forecast.panels import scaling
from forecast.panels.panel import Panel, panel_of
from forecast.plan import Plan

PLAN = Plan(
    horizon=8, window=12, segment=6, seasons=(6,), base=6, lookback=60, units=4, steps=20, epoch=10, batch=16,
    smoothing=True,
)  # fmt: skip


def waves(length: int = 90) -> Panel:
    steps, rng = np.arange(length), np.random.default_rng(2)
    return panel_of({
        name: 20 * size + size * np.sin(steps * np.pi / 3) + 0.02 * size * steps + rng.normal(0, 0.1, length)
        for name, size in (("a", 1.0), ("b", 30.0), ("c", 500.0))
    })  # fmt: skip


def forecasts_at(panel: Panel, lengths: list[int]) -> np.ndarray:
    """Return what is shown at origins of the second series, scaled: (origins, padded horizon)."""
    arrays, scales = smoothed.fit(waves(), PLAN), scaling.fit(waves(), "standard")
    series = np.full(len(lengths), 1)
    return windows_at(panel, PLAN, scales, arrays, series, np.array(lengths)).smoothing


def test_it_is_what_exponential_smoothing_forecasts_over_whole_segments() -> None:
    panel, known = waves(), np.arange(3)
    plan = replace(PLAN, horizon=12)
    expected = smoothing.run_smoothing(smoothing.fit_smoothing(panel, plan), panel, known, plan)[:, :, 0]
    np.testing.assert_array_equal(smoothed.forecasts(smoothed.fit(panel, PLAN), panel, known, PLAN), expected)


def test_what_comes_after_an_origin_changes_nothing_there() -> None:
    panel = waves()
    later = panel.target.copy()
    later[panel.begins[1] + 50 :] = 1e6
    before, after = forecasts_at(panel, [30, 50, 70]), forecasts_at(replace(panel, target=later), [30, 50, 70])
    np.testing.assert_array_equal(after[:2], before[:2])
    assert (after[2] != before[2]).any()


def test_a_series_without_values_is_shown_its_level() -> None:
    panel = waves()
    empty = np.full_like(panel.target, np.nan)
    assert not forecasts_at(replace(panel, target=empty), [40]).any()


def test_a_network_that_is_not_shown_it_keeps_and_computes_none() -> None:
    plan, panel = replace(PLAN, smoothing=False), waves()
    assert smoothed.fit(panel, plan) == {}
    assert smoothed.shapes(plan, 3) == {}
    assert smoothed.forecasts({}, panel, np.arange(3), plan).shape == (3, 0)


def test_every_window_to_learn_from_has_its_forecast() -> None:
    panel, nothing = waves(), np.empty((0, 270))
    arrays, scales = smoothed.fit(panel, PLAN), scaling.fit(panel, "standard")
    windows = examples_of(panel, PLAN, scales, (nothing, nothing), np.zeros((3, 0)), arrays).windows
    assert windows.smoothing.shape == (len(windows.series), 12)
    assert (windows.lengths + PLAN.horizon <= 90).all()
    chosen = np.flatnonzero(windows.series == 1)[[0, 20]]
    found = forecasts_at(panel, windows.lengths[chosen].tolist())
    np.testing.assert_array_equal(windows.smoothing[chosen], found)


def test_of_more_windows_than_are_drawn_some_of_each_series_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    panel, nothing = waves(), np.empty((0, 270))
    arrays, scales = smoothed.fit(panel, PLAN), scaling.fit(panel, "standard")
    monkeypatch.setattr("forecast.forecasters.lstm.examples.MOST", 50)
    windows = examples_of(panel, PLAN, scales, (nothing, nothing), np.zeros((3, 0)), arrays).windows
    assert len(windows.series) == 50 < MOST
    assert np.bincount(windows.series).min() >= 16
    assert len(set(zip(windows.series, windows.lengths, strict=True))) == 50


def test_members_that_are_left_out_take_it_with_them() -> None:
    panel = waves()
    plan = replace(PLAN, smoothing=False, transforms=("standard", "log"), smoothings=(True, False))
    fitted = network.fit(panel, plan, (10, 10), lambda *_: None).fitted
    assert fitted.arrays.keys() == network.shapes(plan, 3).keys()
    for shares in ((0.0, 1.0), (1.0, 0.0)):
        kept, own = network.keep(fitted, plan, shares), plan.with_shares(shares)
        assert {name: array.shape for name, array in kept.arrays.items()} == network.shapes(own, 3)
        assert any(name.startswith(smoothed.PREFIX) for name in kept.arrays) == own.smoothed
        assert np.isfinite(network.run(kept, panel, np.arange(3), own)).all()


def test_a_series_that_training_has_not_seen_is_smoothed_like_the_others() -> None:
    arrays, panel = smoothed.fit(waves(), PLAN), waves()
    found = smoothed.forecasts(arrays, panel, np.array([-1, 1, -1]), PLAN)
    assert np.isfinite(found).all()
    assert np.abs(found[0] - found[0].mean()).max() < 5


def test_forecasts_to_learn_from_are_bounded_in_number_by_their_length(monkeypatch: pytest.MonkeyPatch) -> None:
    panel, nothing = waves(), np.empty((0, 270))
    arrays, scales = smoothed.fit(panel, PLAN), scaling.fit(panel, "standard")
    monkeypatch.setattr("forecast.forecasters.lstm.examples.MOST_SHOWN", 12 * 40)
    monkeypatch.setattr("forecast.forecasters.lstm.examples.CELLS", 12 * 7)
    windows = examples_of(panel, PLAN, scales, (nothing, nothing), np.zeros((3, 0)), arrays).windows
    assert windows.smoothing.shape == (40, 12)
    chosen = np.flatnonzero(windows.series == 1)
    np.testing.assert_array_equal(windows.smoothing[chosen], forecasts_at(panel, windows.lengths[chosen].tolist()))


def test_stored_numbers_that_are_not_finite_are_refused() -> None:
    arrays = smoothed.fit(waves(), PLAN)
    smoothed.check(arrays)
    with pytest.raises(ValueError, match="finite"):
        smoothed.check(arrays | {"series.smoothing.alpha": np.array([0.1, np.nan, 0.1])})
