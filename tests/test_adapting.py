from dataclasses import replace
from math import gcd
from statistics import NormalDist

import numpy as np
import pytest

from forecast.adapting import LARGEST, REACH, ROWS, band_scales, past_origins, spacing
from forecast.evaluation import calibration
from forecast.forecasters import registry
from forecast.forecasters.fitted import Kind
from forecast.matching import last_known
from forecast.options import ReadOptions
from forecast.panels.panel import panel_of
from forecast.panels.units import seasonal_difference
from forecast.plan import MEDIAN, QUANTILES, Plan
from forecast.prediction import evaluate, predict
from forecast.trained import Trained

PLAN = Plan(horizon=6, window=14, segment=7, seasons=(7,), base=7, lookback=28)
NORMAL = np.array([NormalDist().inv_cdf(one) for one in QUANTILES])
TRAINED = 100  # steps


def origins_at(panel, trained_to=TRAINED, known=None, plan=PLAN):
    known = np.arange(len(panel)) if known is None else np.array(known)
    past = past_origins(panel, known, np.full(len(panel), trained_to), plan, len(panel))
    return past.series.tolist(), (panel.starts[past.series] + past.lengths - 1).tolist()


def noise(steps, deviation=1.0, seed=0):
    return np.random.default_rng(seed).normal(0, deviation, steps)


def standard_bands(rows, plan=PLAN):
    return np.broadcast_to(NORMAL, (rows, plan.horizon, len(NORMAL))).copy()


def scales_of(panel, cutoffs, quantiles=None, plan=PLAN):
    """The scales at some cutoffs, of bands of the normal distribution about 0 for one series."""
    lengths = np.arange(spacing(plan), len(panel.target), spacing(plan))
    past = panel.select(np.zeros(len(lengths), dtype=np.int64), lengths)
    bands = standard_bands(len(past), plan) if quantiles is None else quantiles(len(past))
    return band_scales(past, bands, plan, np.array(cutoffs))


@pytest.mark.parametrize(("horizon", "season"), [(1, 7), (2, 1), (12, 12), (48, 24), (96, 24), (18, 12), (3, 2)])
def test_origins_lie_about_half_a_horizon_apart_and_at_every_hour(horizon: int, season: int) -> None:
    plan = replace(PLAN, horizon=horizon, seasons=(season,), base=season)
    assert gcd(spacing(plan), season) == 1
    assert horizon / 2 - 2 <= spacing(plan) <= max(1, horizon / 2)


def test_only_what_came_after_training_tells_of_the_bands() -> None:
    panel = panel_of({"a": noise(130)}, starts=[1])
    series, ordinals = origins_at(panel)
    assert set(series) == {0}
    assert min(ordinals) >= TRAINED
    assert max(ordinals) < panel.last[0]
    assert not origins_at(panel.select([0], np.array([TRAINED])))[0]


def test_an_origin_has_a_whole_window_before_it() -> None:
    panel = panel_of({"a": noise(40)}, starts=[TRAINED + 5])
    assert min(origins_at(panel)[1]) >= TRAINED + 5 + PLAN.window - 1
    assert not origins_at(panel.select([0], np.array([PLAN.window])))[0]


@pytest.mark.parametrize("start", [-1_000, -60, 7])
def test_time_before_1970_is_time(start: int) -> None:
    panel = panel_of({"a": noise(130)}, starts=[start])
    ordinals = np.array(origins_at(panel, start + TRAINED - 1)[1])
    assert len(ordinals)
    assert ordinals.min() >= start + TRAINED - 1
    assert ordinals.max() < panel.last[0]
    assert not origins_at(panel, start + 129)[1]


def test_a_series_that_the_model_does_not_know_tells_nothing() -> None:
    assert set(origins_at(panel_of({"a": noise(130), "b": noise(130)}), known=[-1, 0])[0]) == {1}


def test_origins_are_the_same_whenever_they_are_asked_for() -> None:
    panel = panel_of({"a": noise(400)}, starts=[5])
    one, two, both = (
        set(origins_at(panel.select([0] * len(lengths), np.array(lengths)))[1])
        for lengths in ([300], [390], [300, 390])
    )
    assert both >= one | two
    reach = REACH * PLAN.horizon
    assert all(304 - reach - spacing(PLAN) < ordinal < 304 for ordinal in one)
    assert {ordinal for ordinal in both if min(two) <= ordinal < 394} == two


def test_of_many_series_each_origin_has_a_part_another_one_each_time() -> None:
    count = 300
    panel = panel_of({str(number): noise(200) for number in range(count)})
    series, ordinals = origins_at(panel)
    assert ROWS / 2 < len(series) <= 1.1 * ROWS
    assert len(set(series)) > count / 2
    shares = np.bincount(ordinals)
    assert shares[shares > 0].min() >= shares.max() - 1


def test_all_targets_of_an_id_are_looked_at_together() -> None:
    plan = replace(PLAN, targets=("x", "y"))
    names = [str(number) for number in range(200) for _ in plan.targets]
    panel = replace(
        panel_of({str(number): noise(200) for number in range(400)}),
        ids=tuple(names),
        targets=plan.targets,
        channel=np.arange(400) % 2,
    )
    series, ordinals = origins_at(panel, plan=plan)
    pairs = set(zip(series, ordinals, strict=True))
    assert pairs == {(number ^ 1, ordinal) for number, ordinal in pairs}


@pytest.mark.parametrize("deviation", [0.4, 1.0, 2.5])
def test_bands_grow_and_shrink_with_the_errors(deviation: float) -> None:
    panel = panel_of({"a": noise(4_000, deviation)})
    assert scales_of(panel, np.arange(500, 4_000, 100)).mean() == pytest.approx(deviation, rel=0.12)


def test_little_time_is_believed_by_half() -> None:
    panel = panel_of({"a": noise(4_000, 3.0)})
    early, later = scales_of(panel, [12, 300])
    assert 1.0 < early < 2.2 < later


def test_what_came_after_a_cutoff_changes_nothing_there() -> None:
    values = noise(200)
    other = np.where(np.arange(200) >= 120, 100.0, values)
    before, after = (scales_of(panel_of({"a": one}), [60, 120, 200]) for one in (values, other))
    np.testing.assert_array_equal(before[:2], after[:2])
    assert before[2] != after[2]


def test_nothing_known_changes_nothing() -> None:
    panel = panel_of({"a": noise(60)})
    assert scales_of(panel, [2]).tolist() == [1.0]
    assert scales_of(panel_of({"a": np.full(60, np.nan)}), [50]).tolist() == [1.0]
    assert scales_of(panel, [50], lambda rows: np.full((rows, 6, 13), np.nan)).tolist() == [1.0]
    assert band_scales(panel.select([]), standard_bands(0), PLAN, panel.last).tolist() == [1.0]


def test_no_error_and_no_band_leave_the_scale_within_its_limits() -> None:
    panel = panel_of({"a": noise(300)})
    flat = scales_of(panel, [290], lambda rows: np.zeros((rows, 6, 13)))
    exact = scales_of(panel_of({"a": np.zeros(300)}), [290])
    assert 1 < flat[0] <= LARGEST
    assert 1 / LARGEST <= exact[0] < 1


def test_scaled_bands_keep_the_point_forecast() -> None:
    wide = calibration.scaled(standard_bands(2), np.array([1.0, 3.0]))
    np.testing.assert_array_equal(wide[0], standard_bands(1)[0])
    np.testing.assert_allclose(wide[1], 3 * standard_bands(1)[0])


def wave(calm, wild, seed=1):
    """A week that repeats, with noise of 1 while the model learns and of 2.5 afterwards."""
    steps = np.arange(calm + wild)
    spread = np.where(steps < calm, 1.0, 2.5)
    return 50 + 10 * np.sin(2 * np.pi * steps / 7) + spread * np.random.default_rng(seed).normal(size=calm + wild)


def model_of(panel):
    fitted = registry.FIT[Kind.SEASONAL_NAIVE](panel, PLAN)
    shift = np.broadcast_to(NORMAL, (PLAN.horizon, len(NORMAL)))  # errors as at training
    return Trained(
        plan=PLAN,
        read=ReadOptions(),
        calendar=panel.calendar,
        ids=panel.ids,
        fitted=(fitted,),
        weights=(1.0,),
        units=seasonal_difference(panel, PLAN.season),
        calibration=calibration.Calibration(shift, np.full(PLAN.horizon, 100), promised=True),
        context=None,
        source={},
        last=panel.last,
    )


@pytest.fixture(scope="module")
def panel():
    values = {name: wave(TRAINED, 700, seed) for seed, name in enumerate("abc")}
    return panel_of(values | {"zeros": np.where(np.arange(800) % 9 == 4, 7.0, 0.0)})


@pytest.fixture(scope="module")
def trained(panel):
    return model_of(panel.select(np.arange(4), np.full(4, TRAINED)))


def widths(forecasts):
    return forecasts.quantiles[:, :, -1] - forecasts.quantiles[:, :, 0]


def test_a_world_that_errs_more_has_wider_bands_about_the_same_forecast(trained, panel) -> None:
    follows, still = predict(trained, panel), predict(replace(trained, last=None), panel)
    np.testing.assert_array_equal(follows.quantiles[:, :, MEDIAN], still.quantiles[:, :, MEDIAN])
    ratio = widths(follows)[:3] / widths(still)[:3]
    assert 1.5 < ratio.min() == pytest.approx(ratio.max())
    np.testing.assert_array_equal(widths(follows)[3], widths(still)[3])  # mostly zero: errors of another kind


def test_bands_that_follow_hold_what_bands_that_do_not_lose(trained, panel) -> None:
    def held(model):
        found, truth = evaluate(model, panel, origins=500)
        rows = [name != "zeros" for name in found.ids]
        low, high = (found.quantiles[rows, :, QUANTILES.index(one)] for one in (0.1, 0.9))
        return np.mean((truth[rows] >= low) & (truth[rows] <= high))

    assert held(replace(trained, last=None)) < 0.55
    assert held(trained) == pytest.approx(0.8, abs=0.05)


def test_many_origins_at_once_get_the_bands_that_each_would_get(trained, panel) -> None:
    found, _ = evaluate(trained, panel, origins=20)
    for length in (775, 781, 794):
        alone = predict(trained, panel.select(np.arange(4), np.full(4, length)))
        rows = [row for row, cutoff in enumerate(found.cutoffs) if cutoff == length]
        np.testing.assert_allclose(found.quantiles[rows], alone.quantiles)


def test_a_new_series_of_zeros_has_bands_as_wide_as_those_of_the_model() -> None:
    tiny = panel_of({"a": 1e-8 * (2 + np.tile([0.0, 1.0], 50)), "new": np.zeros(100)})
    model = model_of(tiny.select([0]))
    assert widths(predict(model, tiny))[1].max() < 1e-6


def test_the_model_of_before_the_last_step_was_stored_is_as_it_was(trained, panel) -> None:
    old = replace(trained, last=None)
    assert (last_known(old, panel) > panel.last).all()
    calm = panel.select(np.arange(4), np.full(4, TRAINED))
    np.testing.assert_array_equal(predict(old, calm).quantiles, predict(trained, calm).quantiles)
